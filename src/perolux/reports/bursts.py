"""The page of an assembly: emission at each strength of the shifts, modes, what disorder costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perolux import __version__
from perolux.collective.assembly_record import AssemblyResult
from perolux.files import whole_folder, write_json, write_text
from perolux.reports.burst_analysed import analysed_csv, analysed_plots, analysed_table
from perolux.reports.burst_light import light_plots
from perolux.reports.burst_streak import seen_plots, seen_table, streak_csv
from perolux.reports.measured_page import Page, Table, render_page, svg_file
from perolux.reports.passport_drawing import COLOURS, Plot, make_plot, widths
from perolux.reports.words import Figure, plural, with_spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["missing_of", "render_burst", "write_burst_report"]


def write_burst_report(found: AssemblyResult, record: dict[str, Any], out: Path) -> Path:
    """Write report.html, an .svg of each figure, emission.csv and result.json, whole or not at all."""
    plots = _plots(found, record)
    with whole_folder(out) as folder:
        write_json(folder / "result.json", record | {"perolux": __version__})
        write_text(folder / "emission.csv", _csv(record))
        image = None if found.seen is None else streak_csv(found.seen)
        if image is not None:
            write_text(folder / "streak.csv", image)
        for name, text in analysed_csv(found.spectrum, found.fringes).items():
            write_text(folder / name, text)
        for plot in plots:
            write_text(folder / f"{plot.name}.svg", svg_file(plot))
        write_text(folder / "report.html", render_burst(found, record, plots))
    return out


def _csv(record: dict[str, Any]) -> str:
    names = ("Gamma_t", "time_ps", "photon_rate_over_Gamma", "low", "high", "excited_population",
             "disorder_sd", "statistical_sigma")  # fmt: skip
    lines = ["screening," + ",".join(names)]
    for one in record["screenings"]:
        for row in one["rows"] or []:
            cells = ("" if row.get(name) is None else f"{row[name]:.8g}" for name in names)
            lines.append(f"{one['screening']:g}," + ",".join(cells))
    return "\n".join(lines) + "\n"


def render_burst(found: AssemblyResult, record: dict[str, Any], plots: list[Plot] | None = None) -> str:
    """The page as one HTML document."""
    entries = record["screenings"]
    last = entries[-1]
    single = last["single_excitation"]
    figures = [
        Figure("emitters", str(record["emitters"]), "", f"{plural(record['draws'], 'draw')} of the disorder"),
        Figure("1/Gamma", f"{record['lifetime_ps']:.4g}", "ps", "radiative lifetime of one nanocrystal"),
        Figure(f"peak, shifts x {last['screening']:g}", _peak(last), "Gamma", _methods(last)),
    ]
    if single is not None:
        rate, shift = single["brightest_rate_over_gamma"], single["brightest_shift_mev"]
        figures += [
            Figure("brightest mode", f"{rate['mean']:.4g}", "Gamma", f"shifts x {last['screening']:g}"),
            Figure("its shift", f"{shift['mean']:.3g}", "meV", "less the mean energy of the emitters"),
        ]
    tables = [_table(record)]
    if found.seen is not None:
        tables.append(seen_table(found.seen))
    if found.spectrum is not None or found.fringes is not None:
        tables.append(analysed_table(found.spectrum, found.fringes))
    if record["costs"]:
        tables.append(
            Table(
                "What it costs",
                ("without", "brightest mode (Gamma)", "burst peak (Gamma)"),
                [
                    (
                        one["without"],
                        _mean(one["brightest_rate_over_gamma"]),
                        _mean(one["burst_peak_over_gamma"]),
                    )
                    for one in record["costs"]
                ],
                (1, 2),
                "One thing switched off at a time, all other draws the same; ± is the spread over draws.",
            )
        )
    alone = record["single_nanocrystal"]
    if alone is not None:
        tables.append(
            Table(
                f"A single cube of {alone['edge_nm']:g} nm",
                ("quantity", "value"),
                [
                    ("lifetime of its bright levels", f"{alone['lifetime_ps']:.4g} ps"),
                    ("its rate over that of one small cube",
                     "–" if alone["rate_over_small_one"] is None else f"{alone['rate_over_small_one']:.3g}"),
                ],
                (1,),
                alone["what"],
            )
        )  # fmt: skip
    several = len(entries) > 1
    strengths = "off, screened and full" if several else f"times {last['screening']:g}"
    return render_page(
        Page(
            command="burst",
            what="collective light",
            title=record["name"] or "assembly",
            lead=f"Emission of an assembly of nanocrystals, the shifts between them {strengths}: "
            "how strong they are in a real superlattice is not known.",
            figures=figures,
            plots=plots or _plots(found, record),
            tables=tables,
            assumptions=[
                f"Coupled number: {record['coupled_number_definition']}.",
                "Point dipoles in a homogeneous medium, one lifetime for all, dephasing without memory.",
            ],
            warnings=found.warnings(),
            rests_on=[
                *found.made.notes,
                *sorted({text for one in entries for text in one["validity"]}),
                *dict.fromkeys(text for one in entries for text in one["method_notes"][:4]),
            ],
            foot="result.json, emission.csv and every figure lie beside this page.",
        )
    )


def _mean(value: dict[str, Any] | None) -> str:
    if value is None:
        return "–"
    return with_spread(value["mean"], value["disorder_sd"])


def _methods(entry: dict[str, Any]) -> str:
    return ", ".join(entry["methods"]) or entry["reason"] or ""


def _peak(entry: dict[str, Any]) -> str:
    told = entry["peak"]
    if told is None:
        return "–"
    if "low" in told:
        return f"{told['low']:.3g} to {told['high']:.3g}"
    return f"{told['photon_rate_over_Gamma']:.4g}"


def _table(record: dict[str, Any]) -> Table:
    entries = record["screenings"]

    def cells(make: Any) -> tuple[str, ...]:
        return tuple(make(one) for one in entries)

    def of_single(key: str) -> tuple[str, ...]:
        return tuple(_mean((one["single_excitation"] or {}).get(key)) for one in entries)

    def errors(one: dict[str, Any]) -> str:
        told = one["peak"]
        if told is None or "low" in told:
            return "–"
        return "; ".join(
            "–" if one is None else with_spread(one, None, 2)
            for one in (told["statistical_sigma"], told["disorder_sd"])
        )

    def delay(one: dict[str, Any]) -> str:
        told = one["delay"]
        if told is None:
            return "–"
        if "ps" in told:
            return f"{told['ps']:.3g}"
        return f"{told['low_end_ps']:.3g} to {told['high_end_ps']:.3g}"

    def number(one: dict[str, Any]) -> str:
        told = one["coupled_number"]
        if isinstance(told, dict):
            return "–" if told["low"] is None else f"{told['low']:.3g} to {told['high']:.3g}"
        return "–" if told is None else f"{told:.3g}"

    rows = [
        ("method", *cells(_methods)),
        ("peak (Gamma)", *cells(_peak)),
        ("its error: statistical; spread of draws", *cells(errors)),
        ("delay (ps)", *cells(delay)),
        ("coupled number, burst", *cells(number)),
        ("g2(0) at first", *cells(lambda one: "–" if one["g2_zero"] is None else f"{one['g2_zero']:.4f}")),
        ("brightest mode (Gamma)", *of_single("brightest_rate_over_gamma")),
        ("its shift (meV)", *of_single("brightest_shift_mev")),
        ("in equilibrium: rate (Gamma)", *of_single("equilibrium_rate_over_gamma")),
        ("in equilibrium: shift (meV)", *of_single("equilibrium_shift_mev")),
    ]
    rows += _light_rows(entries)
    rows = [row for row in rows if set(row[1:]) != {"–"}]
    heads = ("quantity", *(f"shifts x {one['screening']:g}" for one in entries))
    about = "± is the spread over draws of the disorder. " + " ".join(
        f"{what}: none, {why}." for what, why in missing_of(record)
    )
    title = "Shifts off, screened and full" if len(entries) > 1 else f"Shifts x {entries[0]['screening']:g}"
    return Table(title, heads, rows, tuple(range(1, len(heads))), about.strip())


def missing_of(record: dict[str, Any]) -> list[tuple[str, str]]:
    """What a run could not tell, with the reason, each once."""
    found = [
        *(("Coupled number", one["coupled_number_reason"]) for one in record["screenings"]),
        *(("Spectrum, coherence, far field", one["light"]["reason"]) for one in record["screenings"]),
        *(("Modes of one excitation", one.get("single_excitation_reason")) for one in record["screenings"]),
        ("Costs of disorder", record["costs_reason"]),
        *(("Cost in the burst", one["burst_peak_reason"]) for one in record["costs"]),
    ]
    return [(what, why) for what, why in dict.fromkeys(found) if why is not None]


def _light_rows(entries: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Spectrum, coherence and direction; dashes where no exact method reaches."""

    def of(*path: str) -> tuple[str, ...]:
        cells = []
        for one in entries:
            value: Any = one["light"]
            for key in path:
                value = None if value is None else value.get(key)
            cells.append(
                _mean(value) if isinstance(value, dict) else "–" if value is None else f"{value:.4g}"
            )
        return tuple(cells)

    return [
        ("spectrum: width between the quarters (meV)", *of("width_mev")),
        ("spectrum: mean shift of all light (meV)", *of("mean_shift_mev")),
        ("mean shift of the first light (meV)", *of("first_light", "mean_shift_mev")),
        ("the same, one excitation at random (meV)", *of("first_light", "one_excitation_mean_shift_mev")),
        ("first light less that of one excitation (meV)", *of("first_light", "shift_with_excitation_mev")),
        ("coherence time (ps)", *of("coherence_time_ps")),
        ("coherence time of a single emitter (ps)", *of("coherence_time_of_one_emitter_ps")),
        ("ringing: second maximum over the first", *of("ringing", "second")),
        ("far field: brightest direction over the mean", *of("pattern", "directivity")),
        ("W/sr in that direction, at the peak of the rate", *of("pattern", "peak_w_per_sr")),
    ]


def _plots(found: AssemblyResult, record: dict[str, Any]) -> list[Plot]:
    plots = []
    if any(one.reason is None for one in found.courses):
        plots.append(
            make_plot(
                "emission",
                "photon rate against time",
                "Photon rate against time. Shaded: spread over draws of disorder, or the ends of a bracket; "
                "the statistical error is in the table.",
                lambda axes: _draw_rate(axes, found),
            )
        )
        plots.append(
            make_plot(
                "population",
                "excited emitters against time",
                "Excited emitters against time; a bracket has no single population and is left out.",
                lambda axes: _draw_population(axes, found),
            )
        )
    if any(one.reason is None for one in found.light):
        plots += light_plots(found, record)
    if found.singles is not None:
        plots.append(
            make_plot(
                "modes",
                "collective modes of one excitation",
                "Collective modes of one excitation in the first draw: rate against shift. Rates below 1e-6 "
                "are drawn there.",
                lambda axes: _draw_modes(axes, found),
            )
        )
    plots += analysed_plots(found.spectrum, found.fringes)
    return plots + (seen_plots(found.seen) if found.seen is not None else [])


def _draw_rate(axes: Axes, found: AssemblyResult) -> None:
    ps = found.made.times * found.made.lifetime_ps
    for colour, width, one in zip(COLOURS, widths(len(found.courses)), found.courses, strict=False):
        if one.reason is not None:
            continue
        label = f"shifts x {one.screening:g}"
        if one.low is not None and one.high is not None:
            axes.fill_between(
                ps, one.low, one.high, color=colour, alpha=0.3, lw=0, label=f"{label} (bracket)"
            )
            continue
        axes.plot(ps, one.rate, color=colour, lw=width, label=label)
        low, high = one.rate - one.disorder, one.rate + one.disorder
        axes.fill_between(ps, np.maximum(low, 0.0), high, color=colour, alpha=0.2, lw=0)
    axes.set(xlabel="time (ps)", ylabel="photon rate (Γ)", xlim=(0.0, float(ps[-1])))
    known = [one.rate for one in found.courses if one.reason is None]
    top = max(float(np.max(one)) for one in known)
    if top > 30.0 * max(float(np.median(one)) for one in known):
        axes.set_yscale("log")
        axes.set_ylim(1e-4 * top, 2.0 * top)
    else:
        axes.set_ylim(0.0, None)
    axes.legend()


def _draw_population(axes: Axes, found: AssemblyResult) -> None:
    ps = found.made.times * found.made.lifetime_ps
    for colour, width, one in zip(COLOURS, widths(len(found.courses)), found.courses, strict=False):
        if one.reason is None and one.low is None:
            axes.plot(ps, one.excited, color=colour, lw=width, label=f"shifts x {one.screening:g}")
    axes.set(xlabel="time (ps)", ylabel="excited emitters", xlim=(0.0, float(ps[-1])), ylim=(0.0, None))
    if axes.lines:
        axes.legend()


def _draw_modes(axes: Axes, found: AssemblyResult) -> None:
    for colour, one in zip(COLOURS, found.singles or (), strict=False):
        rates, shifts = one.first_modes
        axes.plot(found.made.unit_mev * shifts, np.maximum(rates, 1e-6), ".", color=colour, ms=4,
                  label=f"shifts x {one.screening:g}")  # fmt: skip
    axes.set_yscale("log")
    if axes.get_ylim()[1] < 10.0 * axes.get_ylim()[0]:  # all alike: one decade, or the axis has no numbers
        axes.set_ylim(0.1, 10.0)
    axes.set(xlabel="shift (meV)", ylabel="rate (Γ)")
    axes.legend()
