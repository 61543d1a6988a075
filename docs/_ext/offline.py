"""Fails the build where a finished page would ask another host for a script, style, font or picture."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_EXTERNAL = re.compile(
    r"<(?:script|img|iframe|source|video|embed)[^>]+src=[\"'](?:https?:)?//[^\"']+"
    r"|<link[^>]+rel=[\"'](?:stylesheet|preload|preconnect|icon)[\"'][^>]+href=[\"'](?:https?:)?//[^\"']+"
    r"|@import\s+url\([\"']?(?:https?:)?//[^)]+"
)


def external_requests(folder: Path) -> list[str]:
    """'page: tag' for every request to another host in the HTML and CSS files of a folder."""
    found = []
    for path in sorted([*folder.rglob("*.html"), *folder.rglob("*.css")]):
        found += [
            f"{path.relative_to(folder)}: {match.group(0)}"
            for match in _EXTERNAL.finditer(path.read_text("utf-8", errors="replace"))
        ]
    return found


def _check(app: Any, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        found = external_requests(Path(app.outdir))
        if found:
            from sphinx.errors import ExtensionError  # here, so that the search itself needs no Sphinx

            raise ExtensionError("pages ask other hosts for content:\n" + "\n".join(found[:20]))


def setup(app: Any) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("build-finished", _check)
    return {"parallel_read_safe": True}
