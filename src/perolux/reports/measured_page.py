"""One page of one measurement: key figures, pictures, tables, what it rests on; for several commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from perolux import __version__
from perolux.reports.html import environment, static_text
from perolux.reports.passport_drawing import Plot
from perolux.reports.words import Figure

__all__ = ["Page", "Table", "render_page", "svg_file"]


@dataclass(frozen=True)
class Table:
    """A table of text; the first column heads its rows. numeric: positions of columns set to the right.

    stacked: on a phone each row becomes a block of lines, for wide cells.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: Sequence[int] = ()
    hint: str = ""
    stacked: bool = False


@dataclass(frozen=True)
class Page:
    """What a page shows, in its order. what: the kind of record, in the window's title; foot: files."""

    command: str
    what: str
    title: str
    figures: Sequence[Figure]
    plots: Sequence[Plot]
    tables: Sequence[Table]
    assumptions: Sequence[str]
    lead: str = ""
    warnings: Sequence[str] = ()
    rests_on: Sequence[str] = field(default=())
    foot: str = ""


def render_page(page: Page) -> str:
    """The page as one HTML document without a script; all text is escaped."""
    from markupsafe import Markup

    return (
        environment()
        .get_template("measured.html.j2")
        .render(
            page=page,
            version=__version__,
            created=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            css=Markup(static_text("report.css")),
        )
    )


def svg_file(plot: Plot) -> str:
    """The picture of a plot as a file of its own."""
    return '<?xml version="1.0" encoding="utf-8"?>\n' + plot.svg
