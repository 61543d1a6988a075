"""Every validation row of every room: an unexplained disagreement fails the suite."""

from __future__ import annotations

import pytest

from perolux.validation import load_rows
from perolux.validation.run import run_row

SHARED = "inference_inversion"


def _shares_minutes(row):
    """Slow rows of the inversion rest on the same minutes of sampling, kept in memory: one test for them."""
    return row.slow and not row.long and row.function.__module__.endswith(SHARED)


def _marks(row):
    return [mark for mark, on in ((pytest.mark.slow, row.slow), (pytest.mark.long, row.long)) if on]


ROWS = [pytest.param(row, id=row.id, marks=_marks(row)) for row in load_rows() if not _shares_minutes(row)]


@pytest.mark.parametrize("row", ROWS)
def test_row(row):
    check(row)


@pytest.mark.slow
def test_slow_rows_of_the_inversion():
    rows = [row for row in load_rows() if _shares_minutes(row)]
    assert rows
    for row in rows:
        check(row)


def check(row):
    result = run_row(row)
    assert not result.unexplained, (
        f"{row.id}: {row.quantity}: computed {result.value} {row.unit}, target {row.target} "
        f"({row.tolerance.describe(row.unit)}), {result.verdict}: {result.note}"
    )
    # A mark that is no longer true hides the next failure of its row.
    assert not result.agrees_now, f"{row.id}: {result.note}"
