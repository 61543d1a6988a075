"""The page of measured two-photon interference: histograms with their fits, areas, visibility, T1 and T2."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perolux import __version__
from perolux.files import whole_folder, write_json, write_text
from perolux.photons.hom_histogram import HomHistogram
from perolux.photons.hom_measured import HomMeasured
from perolux.reports.figures import BLUE, GREY, ORANGE
from perolux.reports.measured_page import Page, Table, render_page, svg_file
from perolux.reports.passport_drawing import Plot, make_plot
from perolux.reports.words import Figure, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["render_hom", "write_hom_report"]

FloatArray = npt.NDArray[np.float64]
_COLOURS = {"parallel": ORANGE, "orthogonal": BLUE}


def write_hom_report(found: HomMeasured, out: Path) -> Path:
    """Write report.html, hom.svg, middle_peak.svg, histograms.csv and result.json, whole or not at all."""
    plots = _plots(found)
    with whole_folder(out) as folder:
        write_json(folder / "result.json", found.as_dict() | {"perolux": __version__})
        write_text(folder / "histograms.csv", _csv(found))
        write_text(folder / "hom.svg", svg_file(plots[0]))
        write_text(folder / "middle_peak.svg", svg_file(plots[1]))
        write_text(folder / "report.html", render_hom(found, plots))
    return out


def _sides(found: HomMeasured) -> list[tuple[str, HomHistogram, FloatArray]]:
    sides = [("parallel", found.source.parallel, found.emitter.expected[0])]
    if found.source.orthogonal is not None:
        sides.append(("orthogonal", found.source.orthogonal, found.emitter.expected[1]))
    return sides


def _csv(found: HomMeasured) -> str:
    lines = ["polarisation,delay_from_ns,delay_to_ns,counts,model"]
    for name, one, model in _sides(found):
        for k in range(len(one.counts)):
            lines.append(
                f"{name},{one.edges_ns[k]:.6g},{one.edges_ns[k + 1]:.6g},{one.counts[k]},{model[k]:.6g}"
            )
    return "\n".join(lines) + "\n"


def render_hom(found: HomMeasured, plots: list[Plot] | None = None) -> str:
    """The page as one HTML document."""
    record = found.as_dict()
    told, emitter = record["visibility"], record["emitter"]
    level = f"{told['level']:.0%}"
    files = "; ".join(f"{one['file']}, sha256 {one['sha256']}" for one in record["files"])
    from_pairs = found.source.orthogonal is None
    return render_page(
        Page(
            command="hom",
            what="two-photon interference",
            title=" and ".join(Path(one["file"]).name for one in record["files"]),
            lead=f"Two photons of this source interfere with a visibility of {number(told['corrected'], 3)} "
            f"({level}: {_range(told['interval'], 3)}) once splitter, contrast and extra photons are "
            f"allowed for.",
            figures=[
                Figure("visibility, corrected", number(told["corrected"], 3), "",
                       f"{level}: {_range(told['interval'], 3)}"),
                Figure("visibility, raw", number(told["raw"], 3), "",
                       f"{number(told['raw_by_windows'], 3)} ± "
                       f"{number(told['raw_by_windows_sigma'], 3)} by windows"),
                Figure("lifetime T1", number(emitter["t1_ps"], 1), "ps",
                       f"{level}: {_range(emitter['t1_interval_ps'], 1)}"),
                Figure("coherence time T2", number(emitter["t2_ps"], 1), "ps",
                       f"{level}: {_range(emitter['t2_interval_ps'], 1)}"),
            ],
            plots=plots or _plots(found),
            tables=[_correction_table(record), _area_table(record), _fit_table(record)],
            assumptions=record["assumptions"],
            warnings=record["warnings"],
            rests_on=[
                *(f"{name}: {text}" for name, text in record["missing"].items()),
                *found.source.notes,
                "the reference is counted, not measured" if from_pairs else
                "the orthogonal histogram is the reference of the parallel one",
                "an emitter that is excited at once, decays with one rate and dephases without memory",
            ],
            foot=f"{files}. Numbers are in result.json, counts and model in histograms.csv beside this page.",
        )
    )  # fmt: skip


def _correction_table(record: dict[str, Any]) -> Table:
    told, optics = record["visibility"], record["interferometer"]
    form = told["correction"]
    rows = [
        ["as counted, by the fit of all peaks", number(told["raw"], 4), _range(told["raw_interval"], 4)],
        [f"splitter, R = {optics['reflect']:g}, T = {optics['transmit']:g}",
         f"times {number(form['parts']['splitter'], 4)}", ""],
        [f"fringe contrast {optics['contrast']:g}", f"times {number(form['parts']['contrast'], 4)}", ""],
        [f"extra photons, g2(0) = {record['g2_zero']:g}", f"times {number(form['parts']['g2'], 4)}", ""],
        ["corrected", number(told["corrected"], 4), _range(told["interval"], 4)],
    ]  # fmt: skip
    return Table(
        "From the raw to the corrected visibility", ["step", "value", f"{told['level']:.0%}"], rows, (1, 2),
        f"The correction used: {form['words']}.",
    )  # fmt: skip


def _area_table(record: dict[str, Any]) -> Table:
    names = list(record["peaks"])
    by_order: dict[int, list[str]] = {}
    for name in names:
        for one in record["peaks"][name]:
            by_order.setdefault(one["order"], [f"{one['order']}".replace("-", "−")])
            by_order[one["order"]] += [
                str(one["counts"]), f"{number(one['area'], 0)} ± {number(one['sigma'], 0)}"
            ]  # fmt: skip
    for one in record["peaks"][names[0]]:
        by_order[one["order"]].append(number(one["counted_pairs"], 3))
    rows = [by_order[order] for order in sorted(by_order)]
    columns = [
        "peak",
        *(x for name in names for x in (f"{name}, counts", "less background")),
        "pairs counted",
    ]
    return Table(
        "Areas of the peaks", columns, [row for row in rows if len(row) == len(columns)],
        range(1, len(columns)),
        "Counted in windows about each peak, background of the fit taken off. Pairs counted: what "
        "the scheme, "
        "splitter, arms and g2 given make of it without interference, in one unit for all peaks.",
    )  # fmt: skip


def _fit_table(record: dict[str, Any]) -> Table:
    emitter, peaks = record["emitter"], record["peaks_fit"]
    rows = [
        ["lifetime T1 (ps)", number(emitter["t1_ps"], 2), _range(emitter["t1_interval_ps"], 2)],
        ["coherence time T2 (ps)", number(emitter["t2_ps"], 2), _range(emitter["t2_interval_ps"], 2)],
        ["spread of the frequency difference (rad/ps)", f"{emitter['spread_rad_per_ps']:.4g}",
         _range(emitter["spread_interval"], 5) if "spread" in emitter["fitted"] else "held"],
        ["detuning (rad/ps)", f"{emitter['detuning_rad_per_ps']:.4g}",
         _range(emitter["detuning_interval"], 5) if "detuning" in emitter["fitted"] else "held"],
        ["visibility of these", number(emitter["visibility"], 4), ""],
        ["deviance, degrees of freedom",
         f"{emitter['deviance']:.5g}, {emitter['degrees_of_freedom']}", "this fit"],
        ["deviance, degrees of freedom", f"{peaks['deviance']:.5g}, {peaks['degrees_of_freedom']}",
         "fit of all peaks, dip free"],
    ]  # fmt: skip
    return Table(
        "The emitter behind the middle peak", ["quantity", "value", f"{record['visibility']['level']:.0%}"],
        rows, (1, 2),
        "Shape and depth of the middle peak at once, Poisson likelihood, with scale and background of each "
        "histogram and a shift of the axis free.",
    )  # fmt: skip


def _plots(found: HomMeasured) -> list[Plot]:
    return [_all_peaks(found), _middle(found), _residuals(found), _bars(found)]


def _all_peaks(found: HomMeasured) -> Plot:
    def draw(axis: Axes) -> None:
        for name, one, model in _sides(found):
            middle = 0.5 * (one.edges_ns[1:] + one.edges_ns[:-1])
            axis.step(middle, one.counts, where="mid", color=_COLOURS[name], lw=0.5, alpha=0.55, label=name)
            axis.plot(middle, model, color=_COLOURS[name], lw=1.1)
        axis.set(xlabel="delay between detectors (ns)", ylabel="coincidences per bin", ylim=(0, None))
        axis.legend(fontsize=7)

    return make_plot("peaks", "Coincidences", "All peaks: counts (thin) and the fit (thick).", draw)


def _middle(found: HomMeasured) -> Plot:
    def draw(axis: Axes) -> None:
        half = min(
            found.settings.delay_ns / 2, 8e-3 * found.emitter.t1_ps + 5 * (found.settings.blur_ns or 0)
        )
        for name, one, model in _sides(found):
            middle = 0.5 * (one.edges_ns[1:] + one.edges_ns[:-1])
            near = np.abs(middle - found.emitter.shift_ns) <= half
            counts = one.counts[near]
            axis.errorbar(
                middle[near], counts, np.sqrt(np.maximum(counts, 1)), fmt=".", ms=2.5, lw=0.5,
                color=_COLOURS[name], alpha=0.7, label=name,
            )  # fmt: skip
            axis.plot(middle[near], model[near], color=_COLOURS[name], lw=1.2)
        axis.set(xlabel="delay between detectors (ns)", ylabel="coincidences per bin", ylim=(0, None))
        axis.legend(fontsize=7)

    emitter = found.emitter
    return make_plot(
        "middle", "Middle peak",
        f"The middle peak. Lines: exp(−|τ|/T1) with and without the part that interference takes away, "
        f"T1 = {number(emitter.t1_ps, 1)} ps, T2 = {number(emitter.t2_ps, 1)} ps, blurred by the "
        f"timing.", draw,
    )  # fmt: skip


def _residuals(found: HomMeasured) -> Plot:
    def draw(axis: Axes) -> None:
        for name, one, model in _sides(found):
            middle = 0.5 * (one.edges_ns[1:] + one.edges_ns[:-1])
            pull = (one.counts - model) / np.sqrt(np.maximum(model, 1e-9))
            axis.plot(middle, pull, ".", ms=1.6, color=_COLOURS[name], alpha=0.7, label=name)
        axis.axhline(0, color=GREY, lw=0.6)
        axis.set(xlabel="delay between detectors (ns)", ylabel="(counts − fit)/√fit")
        axis.legend(fontsize=7)

    return make_plot(
        "residuals", "Residuals", "What the fit leaves: without structure where the model holds.", draw
    )


def _bars(found: HomMeasured) -> Plot:
    names = list(found.peaks)

    def draw(axis: Axes) -> None:
        wide = 0.8 / len(names)
        for k, name in enumerate(names):
            peaks = found.peaks[name]
            scale = sum(p.counted_pairs for p in peaks if p.order) / max(
                sum(p.area for p in peaks if p.order), 1e-9
            )
            place = np.array([p.order for p in peaks]) + (k - (len(names) - 1) / 2) * wide
            axis.bar(place, [p.area * scale for p in peaks], wide, yerr=[p.sigma * scale for p in peaks],
                     color=_COLOURS[name], alpha=0.75, label=name, error_kw={"lw": 0.8})  # fmt: skip
        for p in found.peaks[names[0]]:
            axis.plot([p.order - 0.45, p.order + 0.45], [p.counted_pairs] * 2, color="black", lw=0.9)
        orders = [p.order for p in found.peaks[names[0]]]
        axis.set(xlabel="peak", ylabel="area, in counted pairs", xticks=orders)
        axis.set_ylim(0, 1.25 * axis.get_ylim()[1])
        axis.legend(fontsize=7, ncols=2, loc="upper center")

    return make_plot(
        "areas", "Areas of the peaks",
        "Areas in windows, scaled by the side peaks; black: without interference, by counting pairs.", draw,
    )  # fmt: skip


def _range(ends: dict[str, float | None], digits: int) -> str:
    low, high = (("open" if x is None else number(x, digits)) for x in (ends["low"], ends["high"]))
    return f"{low} to {high}"
