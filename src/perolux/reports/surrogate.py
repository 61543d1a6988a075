"""The report of a learned table: cross-validated prediction against measurement, residuals by feature."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perolux import __version__
from perolux.errors import InputError
from perolux.files import write_text
from perolux.reports.figures import BLUE, GREY, ORANGE
from perolux.reports.html import environment, static_text
from perolux.reports.passport_drawing import Plot, log_axis, make_plot
from perolux.reports.words import Figure, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["render_surrogate", "write_surrogate_report"]

FloatArray = npt.NDArray[np.float64]
_MOST_WORDS = 14
_STANDS_OUT = 3
"""Rows furthest outside their intervals that are named for each target."""


def write_surrogate_report(folder: str | Path, title: str | None = None) -> Path:
    """Read a model folder of `perolux learn` and write its `report.html` into it, atomically."""
    folder = Path(folder)
    return write_text(folder / "report.html", render_surrogate(folder, title or folder.resolve().name))


def render_surrogate(folder: str | Path, title: str) -> str:
    """The report as one HTML document without a script. Raises `InputError` for a damaged folder."""
    from markupsafe import Markup

    folder = Path(folder)
    try:
        record = json.loads((folder / "model.json").read_text("utf-8"))
        found = _read(folder / "cross_validation.csv")
        cells = _table(folder / "table.csv", record["lines"])
        targets = [_target(name, record, found[name], cells) for name in record["cross_validation"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            "no model of perolux, or a damaged one", where=str(folder), fix="learn it again"
        ) from error
    return (
        environment()
        .get_template("surrogate.html.j2")
        .render(
            title=title,
            version=__version__,
            created=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            css=Markup(static_text("report.css")),
            features=record["features"],
            prior_mean=record["prior_mean"],
            targets=targets,
        )
    )


def _read(path: Path) -> dict[str, list[dict[str, float]]]:
    """Out-of-fold rows by target, of the first repeat."""
    found: dict[str, list[dict[str, float]]] = {}
    with path.open(encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text):
            target = row.pop("target")
            values = {name: float(cell) for name, cell in row.items()}
            if values["repeat"] == 0:
                found.setdefault(target, []).append(values)
    return found


def _table(path: Path, lines: list[int]) -> dict[int, dict[str, str]]:
    """Rows of the learned table by the line of the source that each was on."""
    with path.open(encoding="utf-8", newline="") as text:
        return dict(zip(lines, csv.DictReader(text), strict=True))


def _target(
    name: str, record: dict[str, Any], rows: list[dict[str, float]], cells: dict[int, dict[str, str]]
) -> dict[str, Any]:
    """What the page shows of one target: figures, plots, the rows that stand out, lengths of the features."""
    score, model = record["cross_validation"][name], record["models"][name]
    measured, median, low, high = (
        np.array([row[key] for row in rows]) for key in ("measured", "median", "low95", "high95")
    )
    residual = measured - median
    inside = (low <= measured) & (measured <= high)
    columns = model["encoding"]["numeric"] + model["encoding"]["categories"]
    features = [one["name"] for one in columns]
    logs = {one["name"] for one in model["encoding"]["numeric"] if one["log"]}
    words = {one["name"]: one["words"] for one in model["encoding"]["categories"]}
    plots = [_against(name, measured, median, low, high, inside)]
    for k, feature in enumerate(features):
        at = [cells[int(row["line"])][feature] for row in rows]
        plots.append(
            _over_feature(name, k, feature, at, residual, inside, words.get(feature), feature in logs)
        )
    beyond = np.maximum(low - measured, measured - high) / np.maximum(high - low, 1e-300)
    worst = [i for i in np.argsort(-beyond)[:_STANDS_OUT] if beyond[i] > 0]
    order = sorted(zip(model["lengths"], features, strict=True))
    return {
        "name": name,
        "figures": [
            Figure("mean error", _short(score["mean_absolute_error"]), "", "of recipes not learned"),
            Figure("median error", _short(score["median_absolute_error"]), "", "half of the rows are nearer"),
            Figure("without a model", _short(score["mean_predictor_error"]), "", "the mean of the others"),
            Figure("95 % intervals hold", number(100 * score["coverage95"], 1), "%", "of the rows"),
        ],
        "rows": score["rows"],
        "recipes": score["recipes"],
        "missing": score["missing"],
        "useful": score["mean_absolute_error"] < 0.9 * score["mean_predictor_error"],
        "plots": plots,
        "dropped": model["encoding"]["dropped"],
        "lengths": [(feature, _short(length), feature in words) for length, feature in order],
        "worst": [
            (int(rows[i]["line"]), *(_short(float(x[i])) for x in (measured, median, low, high)))
            for i in worst
        ],
    }


def _short(value: float) -> str:
    return f"{value:.4g}"


def _against(
    name: str, measured: FloatArray, median: FloatArray, low: FloatArray, high: FloatArray, inside: Any
) -> Plot:
    def draw(axis: Axes) -> None:
        ends = [float(min(measured.min(), median.min())), float(max(measured.max(), median.max()))]
        pad = 0.04 * (ends[1] - ends[0] or 1.0)
        ends = [ends[0] - pad, ends[1] + pad]
        axis.plot(ends, ends, color=GREY, lw=0.8, zorder=1)
        for which, colour in ((inside, BLUE), (~inside, ORANGE)):
            if which.any():
                axis.vlines(measured[which], low[which], high[which], color=colour, lw=0.5, alpha=0.25)
                axis.plot(
                    measured[which], median[which], "o", ms=2.6, mew=0, color=colour, alpha=0.8, zorder=3
                )
        axis.set_xlim(*ends)
        # intervals of single rows may be far wider than all that was measured
        reach = ends[1] - ends[0]
        axis.set_ylim(
            max(float(low.min()), ends[0] - 0.6 * reach), min(float(high.max()), ends[1] + 0.6 * reach)
        )
        axis.set_xlabel(f"{name}, measured")
        axis.set_ylabel("predicted, not learned from")

    caption = (
        "Each row as predicted by a model that never saw its recipe, with the 95 % interval of a new flask; "
        "orange: the measurement lies outside. Grey: equal."
    )
    return make_plot(f"{_word(name)}-against", f"{name}: predicted against measured", caption, draw)


def _over_feature(
    name: str,
    place: int,
    feature: str,
    cells: list[str],
    residual: FloatArray,
    inside: Any,
    words: list[str] | None,
    log: bool,
) -> Plot:
    if words is None:
        x, ticks = np.array([float(cell) for cell in cells]), None
    else:
        shown = words[:_MOST_WORDS]
        rng = np.random.default_rng(0)  # so that points of one word do not hide each other
        x = np.array([shown.index(c) if c in shown else np.nan for c in cells])
        x = x + rng.uniform(-0.2, 0.2, len(cells))
        ticks = shown

    def draw(axis: Axes) -> None:
        axis.axhline(0.0, color=GREY, lw=0.8)
        for which, colour in ((inside, BLUE), (~inside, ORANGE)):
            axis.plot(x[which], residual[which], "o", ms=2.6, mew=0, color=colour, alpha=0.8)
        if log:
            axis.set_xscale("log")
            log_axis(axis.xaxis, float(np.nanmin(x)), float(np.nanmax(x)))
        if ticks is not None:
            axis.set_xticks(range(len(ticks)), ticks, rotation=40, ha="right")
        else:
            axis.set_xlabel(feature)
        axis.set_ylabel("measured - predicted")

    cut = words is not None and len(words) > _MOST_WORDS
    more = f" The first {_MOST_WORDS} of {len(words or ())} words." if cut else ""
    caption = f"Residuals against {feature}.{more} A trend would say that the model misses something there."
    return make_plot(f"{_word(name)}-{place}", f"{name}: residuals against {feature}", caption, draw)


def _word(text: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in text)
