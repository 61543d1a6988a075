"""Docstrings of perolux are plain text with `code` in single backticks and indented equations; this turns
them into reStructuredText for autodoc.

A paragraph that is indented as a whole becomes a literal block (equations, examples of use). A paragraph
whose later lines are indented is a list of fields ("edge_nm: ...") and becomes a bullet list. All
else is text, in which characters that mean something to reStructuredText are escaped.
"""

from __future__ import annotations

import re
from typing import Any

_CODE = re.compile(r"`+([^`]+)`+")
_FIELDS = re.compile(r"^[A-Za-z_\"][\w\", .()/*-]{0,60}: \S")


def to_rst(lines: list[str]) -> list[str]:
    """The lines of a docstring as reStructuredText."""
    result: list[str] = []
    for paragraph in _paragraphs(lines):
        first = paragraph[0]
        if first.lstrip().startswith(">>>"):
            result += [line.strip() for line in paragraph]
        elif first.startswith((" ", "\t")):
            result += ["::", "", *("    " + line for line in paragraph)]
        elif first.startswith("- ") or first.startswith("* "):
            result += [f"- {_text(item)}" for item in _items(paragraph, marked=True)]
        elif any(line.startswith(" ") for line in paragraph[1:]) and _FIELDS.match(first):
            result += [f"- {_text(item)}" for item in _items(paragraph, marked=False)]
        else:
            result.append(_text(" ".join(line.strip() for line in paragraph)))
        result.append("")
    return result


def _paragraphs(lines: list[str]) -> list[list[str]]:
    """Blocks between blank lines; consecutive indented blocks stay one, so a code sample keeps its gaps."""
    blocks: list[list[str]] = []
    gap = True
    for line in lines:
        if not line.strip():
            gap = True
            continue
        indented = line.startswith((" ", "\t"))
        if gap and blocks and indented and blocks[-1][0].startswith((" ", "\t")):
            blocks[-1] += ["", line]
        elif gap:
            blocks.append([line])
        else:
            blocks[-1].append(line)
        gap = False
    return blocks


def _items(paragraph: list[str], *, marked: bool) -> list[str]:
    """Entries that start at the margin, with the indented lines that continue them."""
    items: list[str] = []
    for line in paragraph:
        starts = line.startswith(("- ", "* ")) if marked else not line.startswith(" ")
        if starts or not items:
            items.append(line[2:] if marked else line)
        else:
            items[-1] += " " + line.strip()
    return items


def _text(text: str) -> str:
    """Text with `code` as literals and everything else escaped."""
    pieces: list[str] = []
    position = 0
    for match in _CODE.finditer(text):
        pieces += [_escaped(text[position : match.start()]), f"``{match.group(1).strip()}``\\ "]
        position = match.end()
    pieces.append(_escaped(text[position:]))
    # An escaped blank after a literal keeps "`x`s" valid; before a blank or at the end it is not needed.
    return re.sub(r"\\ (?=\s|$|[.,;:)\]])", "", "".join(pieces))


def _escaped(text: str) -> str:
    return re.sub(r"([*|_\\`])", r"\\\1", text)


def _on_docstring(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    del app, what, name, obj, options
    lines[:] = to_rst(lines)


def setup(app: Any) -> dict[str, Any]:
    """Register with Sphinx."""
    app.connect("autodoc-process-docstring", _on_docstring)
    return {"parallel_read_safe": True}
