"""Validation results for people and programs: rows of a table, JSON, a Markdown page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from perolux.validation.run import RowResult, has_unexplained_failure
from perolux.validation.tolerance import Target

__all__ = ["COLUMNS", "as_json", "counts", "format_target", "markdown_page", "table_rows"]

_PREAMBLE = (
    "Every row compares a computed value with a published number or an exact limit. The target, its source",
    "and the reason of its tolerance are data (`src/perolux/validation/<room>.toml`); the value comes from",
    "one plain function. *calibration* marks a target that was used to fix a parameter: agreement proves",
    "nothing there. *known disagreement* marks a row that is understood and not met; it stands again below",
    "with its reason.",
    "",
    "Target kinds: *read* in the cited source, *derived* by algebra, *computed* independently, *recalled*",
    "and not verified.",
)

COLUMNS: tuple[str, ...] = ("id", "quantity", "target", "value", "verdict", "source")
"""Headers of `table_rows`."""


def format_target(target: Target | None, unit: str = "") -> str:
    """A target or value as text.

    >>> format_target((70.0, 90.0), "meV")
    '70 to 90 meV'
    """
    if target is None:
        return "none"
    if isinstance(target, str):
        return target
    suffix = "" if unit in ("", "1", "text") else f" {unit}"
    if isinstance(target, tuple):
        return f"{target[0]:g} to {target[1]:g}{suffix}"
    if isinstance(target, int):
        return f"{target}{suffix}"
    return f"{target:.7g}{suffix}"


def table_rows(results: Iterable[RowResult]) -> list[tuple[str, ...]]:
    """One tuple of texts per result, in the order of `COLUMNS`, for a console table."""
    return [
        (
            result.id,
            result.quantity,
            f"{format_target(result.target, result.unit)} ({result.tolerance.describe(result.unit)})",
            format_target(result.value, result.unit),
            result.verdict + (f": {result.note}" if result.note else ""),
            f"{result.kind}: {result.source}",
        )
        for result in results
    ]


def counts(results: Iterable[RowResult]) -> dict[str, int]:
    """How many rows have each verdict, only verdicts that occur."""
    return dict(Counter(result.verdict for result in results))


def as_json(results: Sequence[RowResult]) -> dict[str, object]:
    """Everything as plain data: `ok`, `counts`, `rows`; what is missing is null."""
    return {
        "ok": not has_unexplained_failure(results),
        "counts": counts(results),
        "rows": [result.as_dict() for result in results],
    }


def markdown_page(results: Sequence[RowResult], made_with: str = "") -> str:
    """The validation page of the documentation: verdicts, a table per room, every explained disagreement."""
    lines = ["# Validation", "", *_PREAMBLE, ""]
    summary = ", ".join(f"{number} {verdict}" for verdict, number in counts(results).items())
    lines += [f"**{len(results)} rows: {summary}.**" + (f" {made_with}" if made_with else ""), ""]
    rooms = list(dict.fromkeys(result.id.split(".", 1)[0] for result in results))
    for room in rooms:
        lines += [f"## {room}", "", "| id | quantity | target | value | verdict | source |"]
        lines.append("|---|---|---|---|---|---|")
        for result in results:
            if result.id.split(".", 1)[0] == room:
                cells = (
                    f"`{result.id}`",
                    result.quantity,
                    f"{format_target(result.target, result.unit)} ({result.tolerance.describe(result.unit)})",
                    format_target(result.value, result.unit),
                    result.verdict,
                    f"{result.kind}: {result.source}. Tolerance: {result.tolerance.reason}",
                )
                lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
        lines.append("")
    explained = [result for result in results if result.verdict == "known disagreement"]
    if explained:
        lines += ["## Known disagreements", ""]
        lines += [f"- `{result.id}`: {_cell(result.note)}" for result in explained]
        lines.append("")
    noted = [result for result in results if result.note and result.verdict != "known disagreement"]
    if noted:
        lines += ["## Details", ""]
        lines += [f"- `{result.id}` ({result.verdict}): {_cell(result.note)}" for result in noted]
        lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").replace("<", "&lt;").split())
