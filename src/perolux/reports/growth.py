"""The report of a grown recipe: one self-contained HTML file with curves, a slider over time and balances."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perolux import __version__
from perolux.files import write_text
from perolux.reports.figures import BLUE, GREY, ORANGE
from perolux.reports.html import environment, static_text, value_groups
from perolux.reports.pack import as_script_json
from perolux.reports.passport_drawing import COLOURS, Plot, make_plot
from perolux.reports.words import Figure, formula, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from perolux.synthesis.batch import Batch
    from perolux.synthesis.inline_spectra import InlineSpectra

__all__ = ["render_growth", "size_bins", "write_growth_report"]

_BINS = 120


def write_growth_report(batch: Batch, spectra: InlineSpectra | None, path: str | Path, title: str) -> Path:
    """Render the report of a recipe and write it atomically. spectra: None where the material gives none."""
    return write_text(path, render_growth(batch, spectra, title))


def render_growth(batch: Batch, spectra: InlineSpectra | None, title: str) -> str:
    """The report as one HTML document: its one script is its own, and no request leaves it."""
    from markupsafe import Markup

    rows = batch.rows()
    lines = spectra.lines() if spectra is not None else None
    return (
        environment()
        .get_template("growth.html.j2")
        .render(
            title=title,
            product=formula(batch.recipe.product),
            route=batch.recipe.route,
            version=__version__,
            created=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            css=Markup(static_text("report.css")),
            script=Markup(static_text("growth.js")),
            data=Markup(as_script_json(_data(batch, spectra))),
            figures=_figures(batch, lines),
            warnings=[*batch.warnings, *_light_warnings(spectra)],
            plots=_plots(batch, rows, spectra, lines),
            spectra=spectra,
            balances=batch.balances(),
            phases=batch.phases(),
            value_groups=value_groups([value.as_dict() for value in batch.rests_on()]),
            given=batch.constants.from_recipe,
        )
    )


def size_bins(batch: Batch) -> np.ndarray:
    """Edges (nm) of the bins of all size distributions of a recipe."""
    largest = max([2e9 * float(one.high_m.max()) for one in batch.history.distributions if len(one)] or [1.0])
    return np.linspace(0.0, 1.05 * largest, _BINS + 1)


def _data(batch: Batch, spectra: InlineSpectra | None) -> dict[str, Any]:
    history, edges = batch.history, size_bins(batch)
    middle, width = 0.5 * (edges[1:] + edges[:-1]), edges[1] - edges[0]
    # yield a nm: its area is the yield, and it is what light sees; numbers would drown all late crystals
    in_crystals = batch.schedule.model.amount_per_r3 * (0.5e-9 * middle) ** 3
    full = max(float(history.supplied_mol_m3[-1]), 1e-300)
    shares = [
        100.0 * in_crystals * one.counts(0.5e-9 * edges) / full / width for one in history.distributions
    ]
    data: dict[str, Any] = {
        "t": _short(history.time_s),
        "edge": _short(middle),
        "size": [_short(one) for one in shares],
        "mean": [_or_none(2e9 * x) for x in history.mean_radius_m],
        "cv": [_or_none(x) for x in history.cv],
        "sets": [],
    }
    if spectra is not None:
        data |= {"sets": list(spectra.sets), "nm": _short(spectra.wavelength_nm)}
        data["pl"] = [[_short(one) for one in of_set] for of_set in spectra.pl]
        if spectra.absorbance is not None:
            data["a"] = [[_short(one) for one in of_set] for of_set in spectra.absorbance]
    return data


def _short(values: np.ndarray) -> list[float]:
    return [float(f"{x:.4g}") for x in values]


def _or_none(value: float) -> float | None:
    return float(f"{value:.5g}") if np.isfinite(value) else None


def _figures(batch: Batch, lines: list[dict[str, dict[str, float | None]]] | None) -> list[Figure]:
    history = batch.history
    mean, cv = history.mean_radius_m[-1], history.cv[-1]
    there = bool(np.isfinite(mean))
    found = [
        Figure("mean edge", number(2e9 * mean if there else None, 2), "nm", "by number, at the end"),
        Figure("spread", number(100.0 * cv if there else None, 1), "%", "standard deviation over mean edge"),
        Figure("yield", number(100.0 * batch.yield_fraction, 1), "%", "of the scarcest ion, in crystals"),
    ]
    if lines is not None:
        peaks = [x for x in lines[-1]["pl_peak_nm"].values() if x is not None]
        text = "–" if not peaks else number(min(peaks), 0)
        if peaks and round(max(peaks)) > round(min(peaks)):
            text += f" to {number(max(peaks), 0)}"
        found.append(Figure("PL peak", text, "nm", "over the parameter sets, at the end"))
    nuclei = history.nuclei_per_m3[-1]
    lost = 100.0 * history.dissolved_crystals_per_m3[-1] / nuclei if nuclei > 0 else None
    found.append(Figure("dissolved again", number(lost, 1), "%", "of all nuclei: ripening"))
    return found


def _light_warnings(spectra: InlineSpectra | None) -> list[str]:
    if spectra is None:
        return []
    found = [f"no absorbance: {why}; PL weighs crystals by volume" for why in spectra.reasons.values()]
    worst = float(spectra.left_out.max(initial=0.0))
    if worst > 0.01:
        found.append(
            f"up to {100.0 * worst:.0f} % of the volume of crystals is too small for the model of light "
            "(edges below 2 nm) and is left out of the spectra"
        )
    return found


def _plots(
    batch: Batch,
    rows: list[dict[str, Any]],
    spectra: InlineSpectra | None,
    lines: list[dict[str, dict[str, float | None]]] | None,
) -> list[Plot]:
    time = batch.history.time_s
    seen = time > 0

    def values(name: str, factor: float = 1.0) -> np.ndarray:
        return np.array([np.nan if row[name] is None else factor * row[name] for row in rows])

    def start(axis: Axes, label: str) -> None:
        axis.set_xscale("log")
        axis.set_xlabel("time (s)")
        axis.set_ylabel(label)
        for event in batch.recipe.events:
            if event.at > 0:
                axis.axvline(event.at, color=GREY, lw=0.6, ls=":")

    def two(
        left: str, right: str, name: str, other: str, *, log: bool, scale: float = 1.0
    ) -> Callable[[Axes], None]:
        def draw(axis: Axes) -> None:
            start(axis, left)
            axis.plot(time[seen], values(name)[seen], color=BLUE)
            beside = axis.twinx()
            beside.spines["right"].set_visible(True)
            beside.plot(time[seen], values(other, scale)[seen], color=ORANGE)
            beside.set_ylabel(right, color=ORANGE)
            axis.yaxis.label.set_color(BLUE)
            if log and np.nanmax(values(other), initial=0.0) > 0:
                top = float(np.nanmax(values(other)))
                beside.set_yscale("log")
                beside.set_ylim(top * 1e-8, top * 10)

        return draw

    def edges(axis: Axes) -> None:
        start(axis, "edge (nm)")
        mean = values("mean_edge_nm")
        spread = mean * values("cv")
        axis.fill_between(time[seen], (mean - spread)[seen], (mean + spread)[seen], color=BLUE, alpha=0.2)
        axis.plot(time[seen], mean[seen], color=BLUE)

    dotted = " Dotted lines: events." if any(event.at > 0 for event in batch.recipe.events) else ""
    plots = [
        make_plot(
            "edge", "Edge length against time", f"Mean edge, band: one standard deviation.{dotted}", edges
        ),
        make_plot(
            "drive", "Supersaturation and nucleation rate against time",
            f"Supersaturation (blue) and nucleation rate (orange).{dotted}",
            two("supersaturation", "J (1/(m³ s))", "supersaturation", "nucleation_per_m3_s", log=True),
        ),
        make_plot(
            "number", "Number and yield against time",
            f"Number of crystals per m³ (blue) and yield (orange).{dotted}",
            two("crystals (1/m³)", "yield (%)", "N_per_m3", "yield", log=False, scale=100.0),
        ),
    ]  # fmt: skip
    if spectra is not None and lines is not None:

        def peak(axis: Axes) -> None:
            start(axis, "PL peak (nm)")
            for colour, name in zip(COLOURS, spectra.sets, strict=False):
                nm = [one["pl_peak_nm"][name] for one in lines]
                drawn = np.array([np.nan if x is None else x for x in nm])
                axis.plot(time[seen], drawn[seen], color=colour, label=name)
            axis.legend(frameon=False)

        caption = f"PL peak under each parameter set of the material.{dotted}"
        plots.append(make_plot("peak", "PL peak against time", caption, peak))
    return plots
