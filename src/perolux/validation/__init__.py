"""Floor 4: published numbers and exact limits as rows of data, each with one plain function.

A row lives in `validation/<room>.toml`: what is compared, the target, the tolerance with its reason, where
the target comes from, and the name of a plain function of `validation/<room>.py` that computes the value.
Nothing is evaluated from text. `run_rows` gives a verdict for each row; a disagreement is a failure unless
the row explains it, and an explained one stays visible.
"""

from perolux.validation.rows import ROOMS, Row, Tolerance, load_rows
from perolux.validation.run import Computed, RowResult, Verdict, has_unexplained_failure, run_rows
from perolux.validation.show import as_json, counts, markdown_page, table_rows

__all__ = [
    "ROOMS",
    "Computed",
    "Row",
    "RowResult",
    "Tolerance",
    "Verdict",
    "as_json",
    "counts",
    "has_unexplained_failure",
    "load_rows",
    "markdown_page",
    "run_rows",
    "table_rows",
]
