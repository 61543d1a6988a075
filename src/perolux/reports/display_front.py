"""What a search for displays leaves: a picture of the front, the table of it, all designs."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np

from perolux import __version__
from perolux.design.display_front import DisplayFront
from perolux.files import whole_folder, write_bytes, write_json, write_text
from perolux.reports.figures import BLUE, GREY, STYLE, new_figure
from perolux.reports.html import environment, static_text

__all__ = ["front_picture", "render_front", "shown_front", "write_display_front"]

_SPACES = {"xy": "xy", "upvp": "u′v′"}
_SHOWN = 40
_WORDS = {
    "coverage_percent": "coverage (%)", "lm_per_electrical_w": "light (lm/W)", "lead_ppm": "lead (ppm)",
    "cross_talk_percent": "cross-talk (%)", "green_lead_ppm": "lead in green (ppm)",
    "red_lead_ppm": "lead in red (ppm)", "eqe_percent": "EQE (%)",
}  # fmt: skip


def write_display_front(found: DisplayFront, out: Path, file: Path, title: str = "") -> Path:
    """Write report.html, front.csv, designs.csv, front.svg and .png, result.json and the display's file, or
    nothing."""
    with whole_folder(out) as folder:
        write_json(folder / "result.json", found.as_dict() | {"perolux": __version__})
        write_bytes(folder / "display.toml", file.read_bytes())
        table = np.column_stack(
            [found.variables, found.coverage_percent, found.lm_per_w, *found.told.values()]
        )
        head = ",".join([*found.names, "coverage_percent", "lm_per_electrical_w", *found.told]) + "\n"
        for name, rows in (("front.csv", found.front), ("designs.csv", np.arange(len(table)))):
            lines = (",".join("" if np.isnan(x) else f"{x:.8g}" for x in table[i]) for i in rows)
            write_text(folder / name, head + "\n".join(lines) + "\n")
        for kind in ("svg", "png"):
            write_bytes(folder / f"front.{kind}", front_picture(found, kind))
        page = render_front(found, title or file.stem, (folder / "front.svg").read_text("utf-8"))
        write_text(folder / "report.html", page)
    return out


def render_front(found: DisplayFront, title: str, svg: str) -> str:
    """The report of a search as one HTML document without a script. svg: the picture of the front."""
    from markupsafe import Markup

    names, shown = shown_front(found, _SHOWN)
    return (
        environment()
        .get_template("display_front.html.j2")
        .render(
            title=title,
            version=__version__,
            created=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            css=Markup(static_text("report.css")),
            designs=len(found.variables),
            count=len(found.front),
            shown=shown,
            names=[
                _WORDS.get(name) or name.replace("_nm", " (nm)").replace("_um", " (µm)").replace("_", " ")
                for name in names
            ],
            aims=[_WORDS.get(name, name) for name in found.aims],
            left_out=found.without_white,
            assumptions=found.assumptions,
            svg=svg[svg.index("<svg") :],
        )
    )  # fmt: skip


def shown_front(found: DisplayFront, most: int) -> tuple[list[str], list[list[str]]]:
    """Names and cells of up to `most` designs of the front, evenly over it; without empty columns."""
    rows = found.rows()
    rows = rows[:: -(-len(rows) // most)] if rows else []
    filled = [name for name in (rows[0] if rows else {}) if any(row[name] is not None for row in rows)]
    names = sorted(filled, key=lambda name: name in found.names)  # what comes out before what goes in
    return names, [[_cell(row[name]) for name in names] for row in rows]


def _cell(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def front_picture(found: DisplayFront, kind: str = "svg") -> bytes:
    """All designs and the front: coverage against lumen per watt."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with matplotlib.rc_context(cast("Any", STYLE)):
        figure = new_figure(4.6, 3.4)
        FigureCanvasAgg(figure)
        axis = figure.add_subplot()
        axis.plot(
            found.coverage_percent, found.lm_per_w, ".", ms=2, color=GREY, alpha=0.35, rasterized=True,
            label="designs", zorder=1,
        )  # fmt: skip
        x, y = found.coverage_percent[found.front], found.lm_per_w[found.front]
        if found.aims:  # more than two aims: no line, the third as colour
            third = found.told[found.aims[0]][found.front]
            seen = axis.scatter(x, y, s=8, c=third, cmap="viridis", label="not beaten", zorder=2)
            figure.colorbar(seen, label=_WORDS.get(found.aims[0], found.aims[0]))
        else:
            axis.plot(x, y, "o-", ms=2.5, lw=0.9, color=BLUE, label="not beaten in both")
        axis.set(
            xlabel=f"coverage of Rec.2020 in {_SPACES[found.space]} (%)", ylabel="light (lm per electrical W)"
        )
        axis.legend(fontsize=7, loc="lower left")
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=200, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()
