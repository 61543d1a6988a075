"""The page of a dot's derived files: each number beside what its authors stored, with pictures."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perolux import __version__
from perolux.files import whole_folder, write_json, write_text
from perolux.photons.derived_record import DerivedRecord
from perolux.reports.measured_page import Page, Table, render_page
from perolux.reports.passport_drawing import Plot
from perolux.reports.photons_derived_plots import derived_plots
from perolux.reports.words import Figure, number

if TYPE_CHECKING:
    from perolux.photons.dwell_times import DwellFit

__all__ = ["render_derived", "write_derived_report"]


def write_derived_report(found: DerivedRecord, out: Path) -> Path:
    """Write report.html, result.json, beside.csv and stretches.csv into a new folder, whole or not at all."""
    record = found.as_dict()
    with whole_folder(out) as folder:
        write_json(folder / "result.json", record | {"perolux": __version__})
        write_text(folder / "beside.csv", _beside_csv(record))
        write_text(folder / "stretches.csv", _stretches_csv(found))
        write_text(folder / "report.html", render_derived(found))
    return out


def _beside_csv(record: dict[str, Any]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["quantity", "here", "stored_by_its_authors"])
    rows.writerows([one["quantity"], one["here"], one["stored"] or ""] for one in record["beside"])
    return text.getvalue()


def _stretches_csv(found: DerivedRecord) -> str:
    lines = ["start_s,stop_s,photons,rate_cps,level,lifetime_ns"]
    s, lifetime, levels = found.segments, found.segment_lifetime_ns, found.levels
    if s is not None and levels is not None and lifetime is not None:
        for k in range(len(s)):
            told = f"{lifetime[k]:.6g}" if np.isfinite(lifetime[k]) else ""
            lines.append(
                f"{s.start_s[k]:.6f},{s.stop_s[k]:.6f},{s.photons[k]},{s.rate_cps[k]:.7g},"
                f"{levels.of_segment[k] + 1},{told}"
            )
    return "\n".join(lines) + "\n"


def render_derived(found: DerivedRecord, plots: list[Plot] | None = None) -> str:
    """The page as one HTML document."""
    record = found.as_dict()
    source = found.source
    return render_page(
        Page(
            command="photons",
            what="derived files of a dot",
            title=Path(found.folder).name,
            lead="" if source is None else source.title + ".",
            figures=_figures(found),
            plots=derived_plots(found) if plots is None else plots,
            tables=_tables(found, record),
            assumptions=record["assumptions"],
            warnings=record["warnings"],
            rests_on=_rests_on(found),
            foot=f"Folder {found.folder}: {', '.join(found.files)}. Numbers: result.json, beside.csv and "
            "stretches.csv beside this page.",
        )
    )


def _figures(found: DerivedRecord) -> list[Figure]:
    figures = []
    if found.counts:
        total = f"{sum(found.counts.values()):,}".replace(",", " ")
        seconds = "" if found.duration_s is None else f" in {found.duration_s:.4g} s"
        figures.append(Figure("photons", total, "", " + ".join(map(str, found.counts.values())) + seconds))
    if found.on_fraction is not None and found.levels is not None and found.segments is not None:
        figures.append(
            Figure("on", number(100 * found.on_fraction, 1), "%", f"of the time, {len(found.levels)} levels")
        )
        figures.append(Figure("stretches", str(len(found.segments)), "", "of the authors' segmentation"))
    if found.tails and found.windows is not None:
        best = found.tails[0]
        spread = [fit.g2 for fit in found.tails if fit.bic < best.bic + 20]
        figures.append(
            Figure(
                "g2(0)",
                number(best.g2, 3),
                "",
                f"tails modelled ({number(min(spread), 3)} to {number(max(spread), 3)} over models); "
                f"{number(found.windows.raw, 3)} by windows",
            )
        )
    if found.decay is not None:
        fit = found.decay.fit
        figures.append(
            Figure(
                "lifetime",
                number(fit.average_amplitude_ns, 2),
                "ns",
                f"mean by amplitude of {fit.model} exponentials; "
                f"{number(fit.average_intensity_ns, 1)} ns by photons",
            )
        )
    return figures


def _tables(found: DerivedRecord, record: dict[str, Any]) -> list[Table]:
    tables = [
        Table(
            "Beside what its authors stored",
            ["quantity", "here", "stored by its authors"],
            [
                [one["quantity"], one["here"].replace("+-", "±"), one["stored"] or "–"]
                for one in record["beside"]
            ],
            hint="A dash: the authors stored no such number. Stored ones are as in the files.",
            stacked=True,
        )
    ]
    if found.tails:
        tables.append(_g2_table(found))
    if found.dwells is not None:
        tables += [_dwell_table(found), _limit_table(found)]
    if found.decay is not None:
        tables.append(_decay_table(found))
    if found.levels is not None:
        tables.append(
            Table(
                "Levels",
                ["level", "rate (1/s)", "share of time"],
                [
                    [
                        str(k + 1),
                        f"{number(float(r), 0)} ± {number(float(s), 0)}",
                        f"{number(100 * float(o), 2)} %",
                    ]
                    for k, (r, s, o) in enumerate(
                        zip(
                            found.levels.rate_cps,
                            found.levels.rate_sigma,
                            found.levels.occupancy,
                            strict=True,
                        )
                    )
                ],
                (1, 2),
                "Sorted from the authors' stretches; with this many levels a description, not states.",
            )
        )
    return tables


def _g2_table(found: DerivedRecord) -> Table:
    rows = []
    if found.windows is not None:
        w = found.windows
        rows.append(["windows about the peaks", number(w.raw, 3), f"± {number(w.sigma, 3)}", "–", "–", "–"])
    for fit in found.tails:
        rows.append(
            [
                fit.model,
                number(fit.g2, 3),
                f"{number(fit.low95, 3)} to {number(fit.high95, 3)}",
                ", ".join(number(x, 2) for x in fit.lifetimes_ns),
                number(fit.reduced_deviance, 3),
                number(fit.bic - found.tails[0].bic, 1),
            ]
        )
    return Table(
        "g2(0) by model",
        ["model", "g2(0)", "95 %", "lifetimes (ns)", "deviance a degree", "BIC above the best"],
        rows,
        range(1, 6),
        "Peaks overlap by their tails, so that windows count neighbours as coincidences. The "
        "interval is that of each "
        "model alone; the data hardly tell models within 20 of BIC apart where counts are this few.",
    )


def _dwell_table(found: DerivedRecord) -> Table:
    assert found.dwells is not None
    rows = [
        [
            fit.law.replace("-", " "),
            "; ".join(_parameter(fit, name) for name in fit.parameters),
            number(found.dwells.against_power_law[fit.law], 1),
            number(fit.bic - found.dwells.fits[0].bic, 1),
        ]
        for fit in found.dwells.fits
    ]
    first = found.dwells.fits[0]
    return Table(
        "Laws of the lengths of stretches",
        ["law", "parameters (95 %)", "log-likelihood over a power law", "BIC above the best"],
        rows,
        (2, 3),
        f"{first.dwells} stretches from {1e3 * first.lower_s:.3g} ms on, by likelihood.",
        stacked=True,
    )


def _parameter(fit: DwellFit, name: str) -> str:
    low, high = fit.low95[name], fit.high95[name]
    words = name.removesuffix("_s").replace("_", " ") + (" (s)" if name.endswith("_s") else "")
    told = f"{words} {fit.parameters[name]:.4g}"
    return told if low is None or high is None else f"{told} ({low:.3g} to {high:.3g})"


def _limit_table(found: DerivedRecord) -> Table:
    return Table(
        "The same law from other lower limits",
        ["from (ms)", "stretches", "exponent", "cut-off (ms)"],
        [
            [
                f"{1e3 * one['lower_s']:.3g}",
                f"{one['dwells']:.0f}",
                number(one["exponent"], 2),
                number(1e3 * one["cut_off_s"], 1),
            ]
            for one in found.limits
        ],
        (0, 1, 2, 3),
        "Truncated power law. What moves with the limit is no property of the dot.",
    )


def _decay_table(found: DerivedRecord) -> Table:
    assert found.decay is not None
    fit, stored = found.decay.fit, found.stored_decay
    rows = [
        [
            f"{one.model} exponential{'s' * (one.model != '1')}",
            ", ".join(number(x, 2) for x in one.lifetimes_ns),
            number(one.reduced_deviance, 2),
            number(one.delta_bic, 1),
        ]
        for one in fit.comparison
    ]
    hint = (
        "Poisson likelihood from the second bin on, with light of earlier pulses; gaps of the axis stay gaps."
    )
    if stored is not None:
        rows.append(["stored by its authors", ", ".join(number(x, 2) for x in stored.lifetimes_ns), "–", "–"])
        if stored.problem:
            hint += f" {stored.problem}"
    return Table(
        "Decay",
        ["model", "lifetimes (ns)", "deviance a degree", "BIC above the best"],
        rows,
        (1, 2, 3),
        hint,
    )


def _rests_on(found: DerivedRecord) -> list[str]:
    rows = []
    source = found.source
    if source is None:
        rows.append("source and licence: not said in the folder (no source.toml)")
    else:
        rows.append(f"source: {source.repository}; {', '.join(source.papers)}")
        beside = f" (text in {source.licence_file})" if source.licence_file else ""
        rows.append(f"licence: {source.licence or 'not said'}{beside}")
    missing = {
        "decay": found.decay, "g2": found.windows, "stretches": found.segments, "switching": found.switching,
        "autocorrelation": found.autocorrelation,
    }  # fmt: skip
    rows += [f"{name}: its file is not in the folder" for name, part in missing.items() if part is None]
    if found.decay is not None:
        rows += [note for note in found.decay.notes if not note.startswith("The fit stored")]
        rows += list(found.decay.fit.warnings)
    return rows
