"""Every validation row of every room: an unexplained disagreement fails the suite."""

from __future__ import annotations

import pytest

from perolux.validation import load_rows
from perolux.validation.run import run_row


def _marks(row):
    """Slow rows are not in the quick tier; those that share a long computation run in one process."""
    marks = [pytest.mark.slow] if row.slow else []
    if row.function.__module__.endswith("inference_inversion"):
        marks.append(pytest.mark.xdist_group("inversion"))
    return marks


ROWS = [pytest.param(row, id=row.id, marks=_marks(row)) for row in load_rows()]


@pytest.mark.parametrize("row", ROWS)
def test_row(row):
    result = run_row(row)
    assert not result.unexplained, (
        f"{row.id}: {row.quantity}: computed {result.value} {row.unit}, target {row.target} "
        f"({row.tolerance.describe(row.unit)}), {result.verdict}: {result.note}"
    )
    # A mark that is no longer true hides the next failure of its row.
    assert not result.agrees_now, f"{row.id}: {result.note}"
