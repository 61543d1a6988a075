"""Running rows: compute, compare, give a verdict; one faulty row never stops the others."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from perolux.errors import OptionError
from perolux.progress import Progress, silent, track
from perolux.validation.rows import Row, load_rows
from perolux.validation.tolerance import Target, Tolerance, agrees

__all__ = ["AGREES_NOW", "Computed", "RowResult", "Verdict", "has_unexplained_failure", "run_row", "run_rows"]

Verdict = Literal["pass", "fail", "known disagreement", "calibration", "error"]
AGREES_NOW = "agrees now: remove the mark"


@dataclass(frozen=True)
class Computed:
    """What a row's function may give instead of a bare number: the value and a detail for the reader."""

    value: float | str
    detail: str


@dataclass(frozen=True)
class RowResult:
    """A row with what was computed for it.

    value: in `unit`, None where the computation failed (then `note` says why); verdict: "pass"; "fail";
    "known disagreement" (outside the tolerance, explained in `note`); "calibration" (within the tolerance,
    but the target fixed a parameter); "error" (no value). seconds: wall time.
    """

    id: str
    quantity: str
    target: Target
    tolerance: Tolerance
    unit: str
    value: float | str | None
    verdict: Verdict
    note: str
    seconds: float
    kind: str
    source: str

    @property
    def unexplained(self) -> bool:
        """True for a verdict that nobody has accounted for."""
        return self.verdict in ("fail", "error")

    @property
    def agrees_now(self) -> bool:
        """True where a row marked as a known disagreement has come to agree."""
        return self.verdict == "pass" and self.note.startswith(AGREES_NOW)

    def as_dict(self) -> dict[str, object]:
        """Plain dictionary for JSON; what is missing is null."""
        return {
            "id": self.id,
            "quantity": self.quantity,
            "target": list(self.target) if isinstance(self.target, tuple) else self.target,
            "tolerance": {
                "kind": self.tolerance.kind,
                "value": self.tolerance.number,
                "reason": self.tolerance.reason,
            },
            "unit": self.unit,
            "value": self.value,
            "verdict": self.verdict,
            "note": self.note or None,
            "seconds": round(self.seconds, 6),
            "kind": self.kind,
            "source": self.source,
        }


def run_rows(
    room: str | None = None,
    ids: Sequence[str] | None = None,
    include_slow: bool = True,
    progress: Progress = silent,
) -> list[RowResult]:
    """Compute the rows of one room (or all rooms, or the ids given) and judge each.

    Raises `OptionError` for an unknown room or id. Whatever goes wrong inside a row becomes its verdict.
    """
    rows = load_rows(room)
    if ids is not None:
        known = {row.id for row in rows}
        unknown = [name for name in ids if name not in known]
        if unknown:
            raise OptionError(
                f"no validation row is called {', '.join(unknown)}",
                allowed=", ".join(sorted(known)[:12]) + " ...",
                fix="list the ids with: perolux validate --json",
            )
        rows = tuple(row for row in rows if row.id in ids)
    if not include_slow:
        rows = tuple(row for row in rows if not row.slow)
    return [run_row(row) for row in track(rows, "validation", len(rows), progress)]


def run_row(row: Row) -> RowResult:
    """Compute one row and judge it."""
    start = time.perf_counter()
    try:
        outcome: Any = row.function(**dict(row.arguments))
    except (
        Exception
    ) as error:  # a row is reported, whatever fails in it; the verdict "error" counts as a failure
        return _result(row, None, "error", f"{type(error).__name__}: {error}", start)
    value, detail = (outcome.value, outcome.detail) if isinstance(outcome, Computed) else (outcome, "")
    if not isinstance(value, str):
        if value is None or not math.isfinite(value):
            return _result(row, None, "error", f"no finite value: {value!r}", start)
        value = float(value) if not isinstance(value, int) else value
    verdict, note = _judge(row, value, detail)
    return _result(row, value, verdict, note, start)


def has_unexplained_failure(results: Iterable[RowResult]) -> bool:
    """True where a row failed or could not be computed and no reason is recorded: exit code 3."""
    return any(result.unexplained for result in results)


def _judge(row: Row, value: float | str, detail: str) -> tuple[Verdict, str]:
    good = agrees(value, row.target, row.tolerance)
    if row.known_disagreement is not None:
        first = AGREES_NOW if good else row.known_disagreement
        return ("pass" if good else "known disagreement"), "; ".join(text for text in (first, detail) if text)
    if not good:
        return "fail", detail
    return ("calibration" if row.calibration else "pass"), detail


def _result(row: Row, value: float | str | None, verdict: Verdict, note: str, start: float) -> RowResult:
    return RowResult(
        id=row.id,
        quantity=row.quantity,
        target=row.target,
        tolerance=row.tolerance,
        unit=row.unit,
        value=value,
        verdict=verdict,
        note=note,
        seconds=time.perf_counter() - start,
        kind=row.kind,
        source=row.source,
    )
