"""The pictures of a dot's derived files: each part that is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from perolux.photons.derived_record import DerivedRecord
from perolux.photons.dwell_times import against_limit, law_density
from perolux.reports.figures import BLUE, GREY, ORANGE
from perolux.reports.passport_drawing import Plot, make_plot
from perolux.reports.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["derived_plots"]

FloatArray = npt.NDArray[np.float64]
_SHOWN_S = 1.0
_GREEN = "#009e73"


def derived_plots(found: DerivedRecord) -> list[Plot]:
    """Trace, lifetimes, decay with residuals, coincidences, lengths with laws and limits, autocorrelation."""
    plots = []
    if found.segments is not None and found.levels is not None:
        plots.append(_trace(found))
    if found.segments is not None and found.segment_lifetime_ns is not None:
        plots.append(_flid(found))
    if found.decay is not None:
        plots += [_decay(found), _residuals(found)]
    if found.coincidences is not None:
        plots.append(_g2(found))
    if found.dwells is not None and found.segments is not None:
        plots += [_dwells(found), _limits(found)]
    if found.switching is not None:
        plots.append(_switching(found))
    if found.autocorrelation is not None:
        plots.append(_autocorrelation(found))
    return plots


def _trace(found: DerivedRecord) -> Plot:
    s, levels = found.segments, found.levels
    assert s is not None and levels is not None
    end = min(_SHOWN_S, float(s.stop_s[-1]))

    def draw(axis: Axes) -> None:
        part = s.start_s < end
        times = np.append(s.start_s[part], min(float(s.stop_s[part][-1]), end))
        for values, colour, width, label in (
            (s.rate_cps[part] / 1e3, GREY, 0.4, "rate of a stretch"),
            (levels.rate_cps[levels.of_segment[part]] / 1e3, ORANGE, 0.8, "its level"),
        ):
            axis.step(times, np.append(values, values[-1]), where="post", color=colour, lw=width, label=label)
        top = 1.35 * float(levels.rate_cps.max()) / 1e3
        axis.set(xlabel="time (s)", ylabel="rate (1000/s)", xlim=(0, end), ylim=(0, top))
        axis.legend(fontsize=7, ncols=2, loc="upper right")

    first = "" if end == float(s.stop_s[-1]) else f", first {end:g} s of {s.stop_s[-1]:.4g} s"
    return make_plot(
        "trace",
        "Intensity against time",
        f"Stretches of the authors' segmentation and the level that each is sorted into{first}.",
        draw,
    )


def _flid(found: DerivedRecord) -> Plot:
    s, lifetime = found.segments, found.segment_lifetime_ns
    assert s is not None and lifetime is not None
    good = np.isfinite(lifetime) & (s.photons > 200) & (lifetime > 0)

    def draw(axis: Axes) -> None:
        if good.any():
            axis.scatter(
                lifetime[good], s.rate_cps[good] / 1e3, s=np.clip(8 * s.photons[good] / 1000, 1, 12),
                color=BLUE, alpha=0.25, lw=0, rasterized=True,
            )  # fmt: skip
            axis.set_xlim(0.8 * lifetime[good].min(), 1.2 * np.quantile(lifetime[good], 0.999))
        axis.set(
            xscale="log", xlabel="lifetime stored for a stretch (ns)", ylabel="rate (1000/s)", ylim=(0, None)
        )

    told = found.flid_correlation
    said = "" if told is None else f" Correlation of rate and ln(1/lifetime): {number(told, 2)}."
    return make_plot(
        "flid",
        "Lifetime against intensity",
        f"One point a stretch of more than 200 photons ({int(good.sum())}), lifetimes as the authors fitted "
        f"them.{said}",
        draw,
    )


def _decay(found: DerivedRecord) -> Plot:
    assert found.decay is not None
    record, fit, time = found.decay.decay, found.decay.fit, found.decay.time_ns
    stored = found.stored_decay

    def draw(axis: Axes) -> None:
        axis.plot(record.time_ns, record.counts, ".", ms=1.6, color=GREY, label="counts")
        broken = np.flatnonzero(np.diff(time) > 1.5 * fit.histogram.bin_ns) + 1
        name = f"{fit.model} exponentials"
        axis.plot(np.insert(time, broken, np.nan), np.insert(fit.expected, broken, np.nan), color=ORANGE,
        lw=1.1,
                  label=name)  # fmt: skip
        if stored is not None:
            curve = stored.background + sum(
                a * np.exp(-record.time_ns / tau)
                for a, tau in zip(stored.amplitudes, stored.lifetimes_ns, strict=True)
            )
            axis.plot(record.time_ns, curve, color=BLUE, lw=0.9, ls="--", label="stored by its authors")
        axis.set(xlabel="time after the pulse (ns)", ylabel="counts per bin", yscale="log")
        axis.legend(fontsize=7)

    gaps = "".join(f" No bins from {a:.3g} to {b:.3g} ns in the file." for a, b in record.gaps)
    return make_plot("decay", "Decay", f"All photons against their time after the pulse.{gaps}", draw)


def _residuals(found: DerivedRecord) -> Plot:
    assert found.decay is not None
    fit, time = found.decay.fit, found.decay.time_ns

    def draw(axis: Axes) -> None:
        axis.axhline(0, color=GREY, lw=0.6)
        axis.plot(time, fit.residuals, ".", ms=2, color=BLUE)
        axis.set(xlabel="time after the pulse (ns)", ylabel="residual (sigma)")

    return make_plot(
        "decay-residuals",
        "Residuals of the decay",
        f"Signed roots of the deviance; {number(fit.reduced_deviance, 2)} a degree of freedom. What "
        f"waves has no "
        "exponential in it: the lifetimes describe the curve.",
        draw,
    )


def _g2(found: DerivedRecord) -> Plot:
    pairs = found.coincidences
    assert pairs is not None
    best = found.tails[0] if found.tails else None

    def draw(axis: Axes) -> None:
        if best is not None:
            half = best.period_ns / 2
            for k in (-1, 0, 1):
                colour = ORANGE if k == 0 else GREY
                axis.axvspan(
                    k * best.period_ns - half, k * best.period_ns + half, color=colour, alpha=0.09, lw=0
                )
        axis.step(pairs.time_ns, pairs.counts, where="mid", color=BLUE, lw=0.4, alpha=0.8, label="counts")
        if best is not None:
            axis.plot(pairs.time_ns, best.model_counts, color=ORANGE, lw=1.0, label=f"tails, {best.model}")
        axis.set(xlabel="delay between detectors (ns)", ylabel="pairs per bin", ylim=(0, None))
        axis.legend(fontsize=7, loc="upper right")

    said = ""
    if best is not None and found.windows is not None:
        said = (
            f" Shaded: the windows, {number(found.windows.raw, 3)} of the side peaks by counts, much "
            f"of it tails of the neighbours; with "
            f"tails modelled {number(best.g2, 3)}."
        )
    return make_plot("g2", "Coincidences", f"Pairs of photons on two detectors.{said}", draw)


def _dwells(found: DerivedRecord) -> Plot:
    fits, s = found.dwells, found.segments
    assert fits is not None and s is not None
    lengths = s.stop_s - s.start_s
    lower = fits.fits[0].lower_s

    def draw(axis: Axes) -> None:
        edges = np.geomspace(lengths.min() * 0.99, lengths.max() * 1.01, 40)
        counts, _ = np.histogram(lengths, edges)
        density = counts / np.diff(edges) / len(lengths)
        middle = np.sqrt(edges[1:] * edges[:-1])
        axis.plot(middle[counts > 0] * 1e3, density[counts > 0], "o", ms=2.2, color=GREY)
        t = np.geomspace(lower, lengths.max(), 200)
        share = float(np.mean(lengths >= lower))
        shown = dict.fromkeys([fits.fits[0].law, "truncated-power-law", "power-law"])
        for law, colour in zip(shown, (ORANGE, _GREEN, BLUE), strict=False):
            axis.plot(
                t * 1e3, share * law_density(fits[law], t), color=colour, lw=1.0, label=law.replace("-", " ")
            )
        axis.axvline(lower * 1e3, color=GREY, lw=0.6, ls=":")
        axis.set_ylim(0.3 * float(density[counts > 0].min()), 3 * float(density.max()))
        axis.set(xscale="log", yscale="log", xlabel="length of a stretch (ms)", ylabel="density (1/s)")
        axis.legend(fontsize=7)

    return make_plot(
        "dwells",
        "Lengths of stretches",
        f"{len(lengths)} stretches; laws by likelihood from {1e3 * lower:.3g} ms on (dotted), not to "
        f"the points. "
        f"Best: {fits.fits[0].law.replace('-', ' ')}.",
        draw,
    )


def _limits(found: DerivedRecord) -> Plot:
    s = found.segments
    assert s is not None
    lengths = s.stop_s - s.start_s
    limits = [x for x in (2e-3, 3e-3, 4e-3, 5e-3, 7e-3, 10e-3, 15e-3, 20e-3) if np.sum(lengths >= x) >= 100]
    fits = {law: against_limit(lengths, limits, law) for law in ("truncated-power-law", "power-law")}

    def draw(axis: Axes) -> None:
        for (law, row), colour in zip(fits.items(), (_GREEN, BLUE), strict=True):
            values = [fit.parameters["exponent"] for fit in row]
            errors = [fit.sigma["exponent"] or 0.0 for fit in row]
            axis.errorbar(
                [1e3 * x for x in limits], values, errors, fmt="o-", ms=3, lw=0.9, color=colour,
                label=law.replace("-", " "),
            )  # fmt: skip
        line = found.switching
        if line is not None and line.stored_exponent is not None:
            axis.plot([1e3 * line.lower_s], [line.stored_exponent], "*", ms=8, color=ORANGE,
                      label="stored by its authors")  # fmt: skip
        axis.set(xlabel="lower limit (ms)", ylabel="exponent")
        axis.legend(fontsize=7)

    return make_plot(
        "limits",
        "Exponent against the lower limit",
        "The exponent fitted from each lower limit on. It moves with the limit by far more than its "
        "error: no "
        "power law, truncated or not, holds over the range.",
        draw,
    )


def _switching(found: DerivedRecord) -> Plot:
    line = found.switching
    assert line is not None

    def draw(axis: Axes) -> None:
        axis.plot(line.length_s * 1e3, line.per_s, "o", ms=2.5, color=GREY, label="stored histogram")
        t = np.geomspace(line.lower_s, float(line.length_s[-1]), 50)
        if line.stored_exponent is not None and line.stored_height is not None:
            axis.plot(t * 1e3, 10**line.stored_height * t**-line.stored_exponent, color=ORANGE, lw=1.1,
                      label=f"stored line, exponent {line.stored_exponent:.2f}")  # fmt: skip
        if line.likelihood is not None:
            axis.plot(t * 1e3, line.likelihood.dwells * law_density(line.likelihood, t), color=BLUE, lw=1.0,
                      label=f"by likelihood, {line.likelihood.parameters['exponent']:.2f}")  # fmt: skip
        axis.set(
            xscale="log",
            yscale="log",
            xlabel="length of a stretch (ms)",
            ylabel="stretches a second of length",
        )
        axis.legend(fontsize=7)

    same = ""
    if line.unmatched is not None and line.exponent is not None:
        same = (
            f" Made again from segments.csv it is the same to {10**line.unmatched - 1:.1%}, and the "
            f"line through it "
            f"has the exponent {line.exponent:.2f}."
        )
    return make_plot(
        "switching",
        "The authors' histogram of lengths",
        f"Stored points and line (from {1e3 * line.lower_s:.3g} ms on).{same}",
        draw,
    )


def _autocorrelation(found: DerivedRecord) -> Plot:
    own = found.autocorrelation
    assert own is not None

    def draw(axis: Axes) -> None:
        axis.plot(own.lag_s, own.stored, "o", ms=2.5, color=GREY, label="stored points")
        t = np.geomspace(own.lag_s[0], own.lag_s[-1], 200)
        a, b, c = own.law
        axis.plot(t, a * t**-c * np.exp(-b * t), color=ORANGE, lw=1.1, label="law fitted here")
        if own.stored_law is not None:
            a, b, c = own.stored_law
            axis.plot(t, a * t**-c * np.exp(-b * t), color=BLUE, lw=0.9, ls="--", label="law as stored")
        if own.from_segments is not None:
            axis.plot(own.lag_s, own.from_segments, color=_GREEN, lw=0.9, label="from the stretches")
        axis.axhline(0, color=GREY, lw=0.6)
        axis.set(xscale="log", xlabel="lag (s)", ylabel="autocorrelation")
        axis.legend(fontsize=7)

    return make_plot(
        "autocorrelation",
        "Autocorrelation of the intensity",
        "A t^−C exp(−B t). From the stretches it is ⟨I(t) I(t + τ)⟩/⟨I⟩² − 1, with the scatter of "
        "each stretch's rate "
        "in it; the authors' normalisation is not said.",
        draw,
    )
