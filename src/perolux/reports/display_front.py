"""What a search for displays leaves: a picture of the front, the table of it, all designs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, cast

import numpy as np

from perolux import __version__
from perolux.design.display_front import DisplayFront
from perolux.files import whole_folder, write_bytes, write_json, write_text
from perolux.reports.figures import BLUE, GREY, STYLE, new_figure

__all__ = ["front_picture", "write_display_front"]

_SPACES = {"xy": "xy", "upvp": "u′v′"}


def write_display_front(found: DisplayFront, out: Path, file: Path) -> Path:
    """Write front.csv, designs.csv, front.svg, front.png, result.json and the display's file, or nothing."""
    with whole_folder(out) as folder:
        write_json(folder / "result.json", found.as_dict() | {"perolux": __version__})
        write_bytes(folder / "display.toml", file.read_bytes())
        table = np.column_stack([found.variables, found.coverage_percent, found.lm_per_w])
        head = ",".join([*found.names, "coverage_percent", "lm_per_electrical_w"]) + "\n"
        for name, rows in (("front.csv", found.front), ("designs.csv", np.arange(len(table)))):
            lines = (",".join("" if np.isnan(x) else f"{x:.8g}" for x in table[i]) for i in rows)
            write_text(folder / name, head + "\n".join(lines) + "\n")
        for kind in ("svg", "png"):
            write_bytes(folder / f"front.{kind}", front_picture(found, kind))
    return out


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
        axis.plot(
            found.coverage_percent[found.front], found.lm_per_w[found.front], "o-", ms=2.5, lw=0.9,
            color=BLUE, label="not beaten in both",
        )  # fmt: skip
        axis.set(
            xlabel=f"coverage of Rec.2020 in {_SPACES[found.space]} (%)", ylabel="light (lm per electrical W)"
        )
        axis.legend(fontsize=7, loc="lower left")
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=200, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()
