"""Each number of a dot's derived files beside what its authors stored: rows of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perolux.photons.derived_record import DerivedRecord

__all__ = ["beside"]

Row = tuple[str, str, str | None]


def beside(found: DerivedRecord) -> list[Row]:
    """(quantity, here, stored by its authors); None where they stored nothing."""
    return [*_counts(found), *_decay(found), *_g2(found), *_levels(found), *_dwells(found), *_rest(found)]


def _counts(found: DerivedRecord) -> list[Row]:
    rows: list[Row] = [(f"photons in {name}", str(count), None) for name, count in found.counts.items()]
    if len(found.counts) == 2 and "all" in found.stored_counts:
        rows.append(("photons in both", str(sum(found.counts.values())), str(found.stored_counts["all"])))
    if found.segments is not None and found.counts:
        rows.append(("photons in the stretches", str(int(found.segments.photons.sum())), None))
    if found.segments is not None and found.duration_s is not None:
        rows.append(("duration", f"{found.segments.stop_s[-1]:.4f} s", f"{found.duration_s:.4f} s"))
    return rows


def _decay(found: DerivedRecord) -> list[Row]:
    if found.decay is None:
        return []
    fit, stored = found.decay.fit, found.stored_decay
    told = None
    if stored is not None:
        told = ", ".join(f"{one:.3g}" for one in stored.lifetimes_ns) + " ns, 2 exponentials"
        told += " (not converged)" if stored.problem else ""
    rows: list[Row] = []
    for one in fit.comparison:
        name = f"{one.model} exponential{'s' * (one.model != '1')}"
        times = ", ".join(f"{x:.3g}" for x in one.lifetimes_ns)
        deviance = "" if one.reduced_deviance is None else f"; deviance {one.reduced_deviance:.3g} a degree"
        rows.append((f"decay, {name}", f"{times} ns{deviance}", told if one.model == "2" else None))
    rows.append(
        ("background of the decay", f"{fit.background:.4g} counts per bin",
         None if stored is None else f"{stored.background:.3g} counts per bin")
    )  # fmt: skip
    return rows


def _g2(found: DerivedRecord) -> list[Row]:
    rows: list[Row] = []
    if found.windows is not None:
        rows.append(("g2(0) by windows", f"{found.windows.raw:.3f} +- {found.windows.sigma:.3f}", None))
    for peaks in found.tails:
        error = "" if peaks.sigma is None else f" +- {peaks.sigma:.3f}"
        rows.append((f"g2(0) with tails, {peaks.model}", f"{peaks.g2:.3f}{error}", None))
    return rows


def _levels(found: DerivedRecord) -> list[Row]:
    if found.levels is None or found.on_fraction is None:
        return []
    return [
        ("levels", str(len(found.levels)), None),
        ("on", f"{100 * found.on_fraction:.1f} % of the time", None),
    ]


def _dwells(found: DerivedRecord) -> list[Row]:
    rows: list[Row] = []
    if found.dwells is not None:
        for fit in found.dwells.fits:
            told = ", ".join(f"{name} {value:.4g}" for name, value in fit.parameters.items())
            gained = found.dwells.against_power_law[fit.law]
            rows.append(
                (f"dwells, {fit.law.replace('-', ' ')}", f"{told}; log-likelihood {gained:+.1f}", None)
            )
    line = found.switching
    if line is not None and line.stored_exponent is not None:
        stored = f"exponent {line.stored_exponent:.2f} (line through a logarithmic histogram)"
        start = f"from {1e3 * line.lower_s:.3g} ms"
        if line.exponent is not None:
            rows.append((f"dwells {start}, the same line", f"exponent {line.exponent:.2f}", stored))
        if line.likelihood is not None:
            value, sigma = line.likelihood.parameters["exponent"], line.likelihood.sigma["exponent"]
            error = "" if sigma is None else f" +- {sigma:.2f}"
            rows.append(
                (f"dwells {start}, power law by likelihood", f"exponent {value:.2f}{error}", stored)
            )  # fmt: skip
        if line.exponent is None:
            rows.append(("dwells, power law", "no segments to compare", stored))
    return rows


def _rest(found: DerivedRecord) -> list[Row]:
    rows: list[Row] = []
    if found.flid_correlation is not None:
        rows.append(("intensity against ln(rate)", f"correlation {found.flid_correlation:.2f}", None))
    if (own := found.autocorrelation) is not None:

        def words(law: tuple[float, float, float]) -> str:
            return f"{law[0]:.4g} t^-{law[2]:.3g} exp(-{law[1]:.3g} t)"

        rows.append(
            ("autocorrelation of the intensity, t in s", words(own.law),
             None if own.stored_law is None else words(own.stored_law))
        )  # fmt: skip
    return rows
