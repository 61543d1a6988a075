"""What `perolux decay` does beyond one fit: dark counts, grids, shared fits, and their tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from perolux.cli.console import print_table
from perolux.errors import OptionError, Problem

if TYPE_CHECKING:
    from perolux.photons.dark_record import DarkRecord
    from perolux.photons.decay_distribution import LifetimeDistribution
    from perolux.photons.decay_global_record import SharedAnalysis

__all__ = [
    "check_out",
    "dark_prior",
    "grid_numbers",
    "show_distribution",
    "show_shared",
    "together_only",
    "write_csv",
]

_NAMES = {
    "likelihood": "greatest likelihood (spikes)",
    "entropy": "greatest entropy",
    "curvature": "least curvature",
}


def check_out(out: Path | None, distribution: bool) -> None:
    """Refuse a file that is there, or of a kind that is not written."""
    allowed = (".svg", ".html", ".csv") if distribution else (".svg", ".html")
    if out is not None and (out.suffix.lower() not in allowed or out.exists()):
        raise OptionError(
            f"--out {out} is there, or is no picture" + (" or table" if distribution else ""),
            allowed="a new name that ends in .svg or .html" + (", or .csv" if distribution else ""),
            fix=None if distribution or out.suffix.lower() != ".csv" else "a .csv needs --distribution",
        )


def grid_numbers(
    grid: str | None, resamples: int | None, distribution: bool
) -> tuple[float, float, int] | None:
    """LOW,HIGH,VALUES of --grid; both options need --distribution."""
    alone = [name for name, x in (("--grid", grid), ("--resamples", resamples)) if x is not None]
    if alone and not distribution:
        raise OptionError(f"{' and '.join(alone)} without a distribution", fix="add --distribution")
    if resamples is not None and resamples != 0 and not 20 <= resamples <= 2000:
        raise OptionError(f"{resamples} resamples", where="--resamples", allowed="0, or 20 to 2000")
    if grid is None:
        return None
    try:
        low, high, values = grid.split(",")
        found = float(low), float(high), int(values)
    except ValueError:
        raise OptionError(
            f"{grid!r} is no grid",
            where="--grid",
            allowed="shortest, longest lifetime (ns), values: e.g. 0.1,100,60",
        ) from None
    return found


def dark_prior(
    dark_cps: float | None, dark_sigma: float | None, dark_time: float | None, live_time: float | None,
    period: float | None, pulses: float | None, bin_ns: float, background: bool,
) -> DarkRecord | None:  # fmt: skip
    """The prior of the background from --dark-cps and what goes with it."""
    from perolux.photons.dark_record import dark_record, pulses_of

    if dark_cps is None:
        alone = {"--dark-sigma": dark_sigma, "--dark-time": dark_time, "--live-time": live_time}
        given = [name for name, value in alone.items() if value is not None]
        if given:
            raise OptionError(f"{' and '.join(given)} without a dark rate", fix="add --dark-cps RATE")
        return None
    if background:
        raise OptionError(
            "--background and --dark-cps", fix="give one: a known background, or the prior of it"
        )
    return dark_record(
        dark_cps, pulses=pulses_of(live_time, period, pulses), bin_ns=bin_ns, sigma_cps=dark_sigma,
        dark_time_s=dark_time,
    )  # fmt: skip


def together_only(
    more: Sequence[Path], shared: str | None, models: str, others: Mapping[str, bool]
) -> list[int]:
    """The numbers of exponentials to compare in a shared fit; refuses what belongs to one curve."""
    problems = []
    if not more:
        problems.append(
            Problem("--shared with one file", "--shared", "two files or more", "add the other curves")
        )
    if shared is None:
        problems.append(
            Problem(
                f"{1 + len(more)} files, and not what they "
                "share", "--shared", "lifetimes, or places such as 1,3",
                "add --shared lifetimes, or give one file",
            )
        )  # fmt: skip
    given = [name for name, used in others.items() if used]
    if given:
        problems.append(Problem(f"{', '.join(given)} in a shared fit", given[0], "for one file only"))
    parts = [part.strip() for part in models.split(",")]
    if not all(part in ("1", "2", "3", "4") for part in parts):
        problems.append(Problem(f"models {models!r} in a shared fit", "--models", "exponentials: 1 to 4"))
    if problems:
        raise OptionError(problems)
    return [int(part) for part in parts]


def show_distribution(found: LifetimeDistribution, out: Path | None) -> None:
    """Moments of the three methods, the peaks of the chosen one, and what may be said."""
    from perolux.photons.decay_distribution import SPIKES

    def cell(one: tuple[float, float | None, float | None], of: float | None = None) -> str:
        value, low, high = one if of is None else tuple(None if x is None else math.exp(x) for x in one)
        ends = "" if low is None or high is None else f" ({low:.4g} to {high:.4g})"
        return f"{value:.4g}{ends}"

    rows = [
        [
            _NAMES[one.name],
            cell(one.moments["mean_ln_tau"], 1.0),
            cell(one.moments["sd_ln_tau"]),
            cell(one.moments["average_amplitude_ns"]),
            cell(one.moments["average_intensity_ns"]),
            cell(one.moments["background"]),
            f"{one.deviance:.6g}",
        ]
        for one in found.methods
    ]
    tau = found.tau_ns
    print_table(
        "distribution of lifetimes",
        [
            "method", "geometric mean (ns)", "sd of ln(tau)", "average by amplitude (ns)",
            "average by intensity (ns)", "background per bin", "deviance",
        ],
        rows,
        f"{len(tau)} lifetimes from {tau[0]:.3g} to {tau[-1]:.3g} ns; mean and sd weighted by photons; "
        + (
            f"intervals {found.level:.0%}, {found.resamples} resamples, reflected: a value may lie past "
            "an end"
            if found.resamples
            else "no intervals were asked for"
        ),
    )  # fmt: skip
    peaks = [
        [
            f"{one.tau_ns:.4g}", f"{one.sd_ln_tau:.2g}",
            "–" if one.single_sd is None else f"{one.single_sd:.2g}",
            f"{100 * one.share:.1f}",
            "not known" if one.broad is None else "broad" if one.broad else "as a single lifetime",
        ]
        for one in found["entropy"].peaks
    ]  # fmt: skip
    notes = "\n".join(f"- {text}" for text in (SPIKES, *found.warnings))
    print_table(
        "peaks of the distribution of greatest entropy",
        ["lifetime (ns)", "sd of ln(tau)", "sd of a single lifetime", "photons (%)", "width"],
        peaks,
        notes if out is None else f"{notes}\nwritten: {out}",
    )


def write_csv(out: Path, found: LifetimeDistribution) -> None:
    """Lifetimes and photons by each method, with intervals where there are some."""
    from perolux.files import write_text

    names = ["tau_ns"]
    columns = [found.tau_ns.tolist()]
    for one in found.methods:
        names.append(f"{one.name}_photons")
        columns.append(one.photons.tolist())
        if one.photons_low is not None and one.photons_high is not None:
            names += [f"{one.name}_low", f"{one.name}_high"]
            columns += [one.photons_low.tolist(), one.photons_high.tolist()]
    rows = [",".join(f"{x:.8g}" for x in row) for row in zip(*columns, strict=True)]
    write_text(out, ",".join(names) + "\n" + "\n".join(rows) + "\n")


def show_shared(found: SharedAnalysis) -> None:
    """Shared lifetimes with intervals, then each curve, then the numbers of exponentials that were tried."""
    facts = found.as_dict()
    rows = [
        [
            str(one["component"]), f"{one['value']:.4g}",
            "–" if one["sigma"] is None else f"{one['sigma']:.2g}",
            " to ".join("–" if x is None else f"{x:.4g}" for x in (one["low"], one["high"])),
        ]
        for one in facts["shared_lifetimes_ns"]
    ]  # fmt: skip
    verdict = "supported" if found.fit.sharing_supported else "not supported"
    print_table(
        f"{len(found.curves)} curves, {facts['model']} exponential{'s' * (facts['model'] != '1')}: shared "
        "lifetimes",
        ["component", "lifetime (ns)", "sigma", f"{found.level:.0%} interval (ns)"],
        rows,
        f"sharing is {verdict}: Schwarz's criterion of separate fits is "
        f"{found.fit.separate_bic - found.fit.shared_bic:+.1f} against the shared one",
    )
    curves = []
    for one in found.curves:
        total = sum(one.amplitudes)
        curves.append(
            [
                one.label, ", ".join(f"{t:.4g}" for t in one.lifetimes_ns),
                ", ".join("–" if total <= 0 else f"{100 * a / total:.1f}" for a in one.amplitudes),
                "–" if one.average_amplitude_ns is None else f"{one.average_amplitude_ns:.4g}",
                "–" if one.average_intensity_ns is None else f"{one.average_intensity_ns:.4g}",
                f"{one.background:.4g}", f"{one.reduced_chi2:.3g}",
            ]
        )  # fmt: skip
    print_table(
        "curves",
        [
            "curve", "lifetimes (ns)", "of the amplitude (%)", "average by amplitude (ns)",
            "average by intensity (ns)", "background per bin", "reduced chi2",
        ],
        curves,
    )  # fmt: skip
    print_table(
        "models",
        ["exponentials", "BIC above the best", "separate fits less shared"],
        [
            [
                one["model"], f"{one['delta_bic']:.1f}", f"{one['bic_separate'] - one['bic_shared']:.1f}",
            ]
            for one in facts["model_comparison"]
        ],
        "\n".join(f"- {text}" for text in found.warnings),
    )  # fmt: skip
