"""The page of `perolux burst fit`: which model the photons ask for, and what they leave known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perolux import __version__
from perolux.collective.backwards.bunching import NOTE
from perolux.collective.backwards.compare import Comparison
from perolux.collective.backwards.models import MODELS
from perolux.files import whole_folder, write_json, write_text
from perolux.reports.measured_page import Page, Table, render_page, svg_file
from perolux.reports.passport_drawing import COLOURS, GREY, Plot, make_plot
from perolux.reports.words import Figure, plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["render_burst_fit", "write_burst_fit_report"]


def write_burst_fit_report(found: Comparison, record: dict[str, Any], out: Path) -> Path:
    """Write report.html, an .svg of each figure, traces.csv and result.json, whole or not at all."""
    plots = _plots(found)
    with whole_folder(out) as folder:
        write_json(folder / "result.json", record | {"perolux": __version__})
        write_text(folder / "traces.csv", _csv(found))
        for plot in plots:
            write_text(folder / f"{plot.name}.svg", svg_file(plot))
        write_text(folder / "report.html", render_burst_fit(found, record, plots))
    return out


def _csv(found: Comparison) -> str:
    edges = found.data.edges_ps
    head = ["fluence", "from_ps", "to_ps", "counts", *(fit.name for fit in found.fits)]
    lines = [",".join(head)]
    expected = [fit.expected.sum(axis=2) for fit in found.fits]
    for j, fluence in enumerate(found.data.fluences):
        for t in range(len(edges) - 1):
            cells = [
                fluence,
                edges[t],
                edges[t + 1],
                found.data.traces[j, t],
                *(one[j, t] for one in expected),
            ]
            lines.append(",".join(f"{cell:.6g}" for cell in cells))
    return "\n".join(lines) + "\n"


def render_burst_fit(found: Comparison, record: dict[str, Any], plots: list[Plot] | None = None) -> str:
    """The page as one HTML document."""
    best = record["models"][0]
    figures = [
        Figure("best model", best["model"], "", f"probability {best['probability']:.3g} beside the others"),
        Figure(
            "quickest light",
            f"{record['quickest_fall_ps']:.3g}",
            "ps",
            "to 1/e of its peak, before the response",
        ),
    ]
    if len(found.fits) > 1:
        second = record["models"][1]
        figures.insert(
            1,
            Figure(
                "ahead of the next",
                f"{second['log_evidence_below_best']:.1f}",
                "in ln evidence",
                second["model"],
            ),
        )
    known = record["identified"]
    if known is not None and best["model"] == known["of"]:
        one = best["parameters"]["coupled_number"]
        figures.append(
            Figure(
                "coupled number",
                f"{one['median']:.3g}",
                "",
                f"95 %: {one['low95']:.3g} to {one['high95']:.3g}",
            )
        )
    return render_page(
        Page(
            command="burst fit",
            what="collective light",
            title=Path(record["file"]).name,
            lead=f"{plural(len(found.data.fluences), 'fluence')}, {found.data.totals.sum():.0f} photons; "
            f"response: {record['data']['response']}. Five explanations of the same light, weighed by "
            "evidence.",
            figures=figures,
            plots=plots or _plots(found),
            tables=_tables(found, record),
            assumptions=[
                "Models start equal; their priors are those of the table, the same for all models that share "
                "a parameter.",
                "Counts are those of single photons; the scale of each trace is free"
                + (", but traces may be compared (same exposure)." if found.data.same_exposure else "."),
                "A domain is a set of identical emitters at one place: no shifts, no spread of energies; "
                "what "
                "such a spread would do is counted as dephasing.",
            ],
            warnings=found.warnings,
            rests_on=[
                f"{one['name']}: {one['meaning']}; {one['law']}, {one['low']:.4g} to {one['high']:.4g} "
                f"({one['kind']}: {one['reason']})"
                for one in record["priors"]
            ],
            foot="result.json, traces.csv and every figure lie beside this page.",
        )
    )


def _tables(found: Comparison, record: dict[str, Any]) -> list[Table]:
    tables = [
        Table(
            "Which model",
            ("model", "probability", "ln evidence below best", "by Laplace", "BIC above best", "misfit (σ)"),
            [
                (
                    MODELS[one["model"]].title,
                    f"{one['probability']:.3g}",
                    f"{one['log_evidence_below_best']:.1f} ± {one['log_evidence_error']:.2f}",
                    "–" if one["log_evidence_laplace"] is None
                    else f"{record['models'][0]['log_evidence'] - one['log_evidence_laplace']:.1f}",
                    f"{one['bic'] - min(m['bic'] for m in record['models']):.1f}",
                    f"{one['misfit_sigmas']:.1f}",
                )
                for one in record["models"]
            ],
            (1, 2, 3, 4, 5),
            "Misfit: standard deviations above what photon noise makes; above 4 a model does not describe "
            "the data.",
        )
    ]  # fmt: skip
    told = {one["name"]: one["meaning"] for one in record["priors"]}
    for one in record["models"][:2]:
        tables.append(
            Table(
                f"{MODELS[one['model']].title}",
                ("parameter", "2.5 %", "median", "97.5 %"),
                [
                    (told[name], *(f"{value[key]:.4g}" for key in ("low95", "median", "high95")))
                    for name, value in one["parameters"].items()
                ],
                (1, 2, 3),
                "Posterior; "
                + ("the best model." if one is record["models"][0] else "the next one, for comparison."),
            )
        )
    known = record["identified"]
    if known is not None:
        spread = known["energy_spread_over_gamma_at_most"]
        tables.append(
            Table(
                "What superfluorescence would leave known",
                ("quantity", "low", "high"),
                [
                    *(
                        (
                            f"{told[p['parameter']]} (profile likelihood)",
                            _open(p["low95"]),
                            _open(p["high95"]),
                        )
                        for p in known["profiles"]
                    ),
                    (
                        "spread of energies over ħΓ, at most",
                        f"{spread['low95']:.3g}",
                        f"{spread['high95']:.3g}",
                    ),
                    *((one.text, f"÷ {one.factor:.3g}", f"× {one.factor:.3g}") for one in found.known),
                ],
                (1, 2),
                "Products of powers are the principal axes of the posterior: the first is known best, "
                "the last "
                f"least. {known['energy_spread_note'].capitalize()}.",
            )
        )
    if found.bunching and record["g2"] is not None:
        tables.append(
            Table(
                f"g2(0) = {record['g2']['value']:g} ± {record['g2']['sigma']:g} alone",
                ("hypothesis", "probability", "lowest", "highest"),
                [
                    (
                        one.name,
                        f"{one.probability:.2g}",
                        f"{one.low:g}",
                        "any" if one.high is None else f"{one.high:g}",
                    )
                    for one in found.bunching
                ],
                (1, 2, 3),
                NOTE.capitalize() + ".",
            )
        )
    return tables


def _open(value: float | None) -> str:
    return "open" if value is None else f"{value:.4g}"


def _plots(found: Comparison) -> list[Plot]:
    data = found.data
    shown = sorted({0, len(data.fluences) // 2, len(data.fluences) - 1})
    plots = []
    for j in shown:
        label = f"{data.fluences[j]:g} {data.fluence_unit}".strip()
        plots.append(
            make_plot(
                f"trace-{j + 1}", f"counts against time at {label}",
                f"Counts per ps at a fluence of {label}, and the models at their best; bins without counts "
                "are below the axis, and fitted like the others.",
                lambda axes, j=j: _draw_trace(axes, found, j),  # type: ignore[misc]
            )
        )  # fmt: skip
    if data.energy_edges_ev is not None:
        plots.append(
            make_plot(
                "image", "counts against energy and time",
                "The data as they were fitted, highest fluence: counts per ps and meV, bins joined.",
                lambda axes: _draw_image(axes, found),
            )
        )  # fmt: skip
        plots.append(
            make_plot(
                "spectrum", "counts against energy",
                "All counts of the highest fluence against energy, and the models at their best.",
                lambda axes: _draw_spectrum(axes, found),
            )
        )  # fmt: skip
    plots.append(
        make_plot(
            "evidence", "evidence of each model", "ln evidence of each model below the best; 3 is a factor "
            "of 20.",
            lambda axes: _draw_evidence(axes, found),
        )
    )  # fmt: skip
    plots += [
        make_plot(
            f"profile-{one.name}", f"profile likelihood of {one.name}",
            f"Profile likelihood of {one.name} in the model of superfluorescence; dashed: 95 %.",
            lambda axes, one=one: _draw_profile(axes, one),  # type: ignore[misc]
        )
        for one in found.profiles
    ]  # fmt: skip
    return plots


def _draw_trace(axes: Axes, found: Comparison, j: int) -> None:
    edges = found.data.edges_ps
    width, middle = np.diff(edges), 0.5 * (edges[1:] + edges[:-1])
    rate = found.data.traces[j] / width
    axes.plot(middle, np.where(rate > 0.0, rate, np.nan), ".", color=GREY, ms=3, label="counts")
    for colour, fit in zip(COLOURS, found.fits, strict=False):
        axes.plot(middle, fit.expected[j].sum(axis=1) / width, color=colour, lw=1.1, label=fit.name)
    axes.set_yscale("log")
    top = float(rate.max())
    axes.set(xlabel="time (ps)", ylabel="counts per ps", xlim=(float(edges[0]), float(edges[-1])))
    axes.set_ylim(max(0.3 * float(np.min(rate[rate > 0.0])), 1e-4 * top), 2.0 * top)
    axes.legend(fontsize=6)


def _draw_image(axes: Axes, found: Comparison) -> None:
    data = found.data
    if data.energy_edges_ev is None:
        return
    cell = np.outer(np.diff(data.edges_ps), 1e3 * np.diff(data.energy_edges_ev))
    mesh = axes.pcolormesh(
        data.energy_edges_ev, data.edges_ps, data.counts[-1] / cell, cmap="inferno", rasterized=True
    )
    axes.figure.colorbar(mesh, ax=axes, label="counts per ps and meV")
    axes.set(xlabel="energy (eV)", ylabel="time (ps)")
    axes.invert_yaxis()


def _draw_spectrum(axes: Axes, found: Comparison) -> None:
    edges = found.data.energy_edges_ev
    if edges is None:
        return
    width, middle = 1e3 * np.diff(edges), 0.5 * (edges[1:] + edges[:-1])
    axes.plot(middle, found.data.counts[-1].sum(axis=0) / width, ".", color=GREY, ms=4, label="counts")
    for colour, fit in zip(COLOURS, found.fits, strict=False):
        axes.plot(middle, fit.expected[-1].sum(axis=0) / width, color=colour, lw=1.1, label=fit.name)
    lit = found.data.counts[-1].sum(axis=0) / width
    where = middle[lit > 0.01 * lit.max()]
    axes.set(xlabel="energy (eV)", ylabel="counts per meV", ylim=(0.0, None))
    axes.set_xlim(float(where[0]) - 0.05, float(where[-1]) + 0.05)
    axes.legend(fontsize=6)


def _draw_evidence(axes: Axes, found: Comparison) -> None:
    best = found.fits[0].evidence.log_evidence
    names = [fit.name for fit in found.fits][::-1]
    below = [best - fit.evidence.log_evidence for fit in found.fits][::-1]
    axes.barh(names, below, color=COLOURS[0], height=0.6)
    for k, value in enumerate(below):
        axes.text(value, k, f"  {value:.1f}", va="center", fontsize=7)
    axes.set(xlabel="ln evidence below the best", xlim=(0.0, 1.25 * max(*below, 1.0)))


def _draw_profile(axes: Axes, one: Any) -> None:
    axes.plot(one.values, one.log_likelihood, ".-", color=COLOURS[0])
    axes.axhline(-1.92, color=GREY, ls="--", lw=0.8)
    low, high = float(one.values[0]), float(one.values[-1])
    if high > 20.0 * low:
        axes.set_xscale("log")
    names = {"coupled_number": "coupled number N", "dephasing_over_gamma": "g*/Γ"}
    axes.set(xlabel=names.get(one.name, one.name), ylabel="ln L below the best", ylim=(-7.0, 0.4))
