"""Lifetime, coherence time, spread and detuning from the shape and depth of the middle peak.

    parallel   A0 L(t; T1) - A_i i(t; T1, T2, s, d),   orthogonal   A0 L(t; T1)

L and i: of area 1 and V, blurred by the timing (`hom_histogram.peak_share`, `hom_shape`); A0 and A_i follow
from the splitter, the contrast, g2 and the scheme (`hom_peaks`), scaled together. So T2 is told twice: by the
area that is missing and, where the timing allows, by the width of the dip. s (standard deviation of the
difference of the two angular frequencies) changes the width in another way than T2 and can be told from it
only where the timing is faster than the dip. Times in ns within, ps at the face.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError
from perolux.fitting import least_squares, poisson_deviance_residuals, profile_interval
from perolux.fitting.least_squares import FitResult, Residual
from perolux.photons.hom import visibility
from perolux.photons.hom_histogram import (
    HomHistogram,
    expected_peaks,
    require_side_peaks,
    start_of_scales,
)
from perolux.photons.hom_peaks import ExtraPhotons, Interferometer, Scheme, peak_areas
from perolux.photons.hom_shape import beats_of, interference_share

__all__ = ["EmitterFit", "fit_emitter"]

FloatArray = npt.NDArray[np.float64]
Ends = tuple[float | None, float | None]


@dataclass(frozen=True)
class EmitterFit:
    """T1, T2 and what was fitted beside them, with intervals at `level` by profile likelihood.

    visibility: of two photons, from T1, T2, spread and detuning. spread, detuning: rad/ps; fitted tells which
    of them were free, an interval is None where it was not. expected: the model of each histogram (parallel
    first); chi2: Poisson deviance of degrees_of_freedom.
    """

    t1_ps: float
    t1_interval_ps: Ends
    t2_ps: float
    t2_interval_ps: Ends
    visibility: float
    spread_rad_per_ps: float
    spread_interval: Ends | None
    detuning_rad_per_ps: float
    detuning_interval: Ends | None
    fitted: tuple[str, ...]
    level: float
    expected: tuple[FloatArray, ...]
    background_per_ns: tuple[float, ...]
    shift_ns: float
    chi2: float
    degrees_of_freedom: int
    warnings: tuple[str, ...] = ()


def fit_emitter(
    parallel: HomHistogram,
    orthogonal: HomHistogram | None,
    scheme: Scheme,
    *,
    delay_ns: float,
    lifetime_ns: float,
    blur_ns: float,
    spread_rad_per_ps: float | None = 0.0,
    detuning_rad_per_ps: float | None = 0.0,
    lines_rad_per_ps: Sequence[float] = (0.0,),
    weights: Sequence[float] = (1.0,),
    g2_zero: float = 0.0,
    extra: ExtraPhotons = "alike",
    interferometer: Interferometer | None = None,
    level: float = 0.95,
) -> EmitterFit:
    """T1 and T2 of both histograms at once, Poisson likelihood; spread and detuning where they are None.

    lines, weights: of the emitter's fine structure, each photon on one by chance; they beat. blur_ns, and
    what `hom_peaks` takes, are held. Without an orthogonal histogram the middle area is that of counted
    pairs.
    Raises what `fit_histograms` raises; `OptionError` for a detuning that is free beside several lines.
    """
    if not (delay_ns > 0 and lifetime_ns > 0 and blur_ns >= 0):
        raise OptionError("a delay or lifetime that is not positive", allowed="above 0 ns, blur 0 or more")
    several = len(lines_rad_per_ps) > 1
    if several and detuning_rad_per_ps != 0:
        raise OptionError("lines that beat and a detuning", fix="give the lines, or the detuning")
    require_side_peaks(parallel, orthogonal, delay_ns)
    line_beats = beats_of([1e3 * x for x in lines_rad_per_ps], weights)
    areas = peak_areas(scheme, interferometer, g2_zero=g2_zero, extra=extra)
    histograms = (parallel,) if orthogonal is None else (parallel, orthogonal)
    n = len(histograms)
    scales, darks = start_of_scales(
        histograms, scheme, areas, delay_ns=delay_ns, lifetime_ns=lifetime_ns, blur_ns=blur_ns
    )
    bin_ns = float(np.median(np.diff(parallel.edges_ns)))

    # name: start, low, high, scale. s and d are in units of 1/lifetime.
    table: dict[str, tuple[float, float, float, float]] = {
        "ln t2": (math.log(lifetime_ns), math.log(lifetime_ns / 1e3), math.log(40 * lifetime_ns), 0.2),
        "share": (0.5, 1e-4, 1.0, 0.1),
        "shift": (0.0, -delay_ns / 4, delay_ns / 4, bin_ns),
    }
    for k, side in enumerate(("parallel", "orthogonal")[:n]):
        table[f"scale {side}"] = (scales[k], 1e-6, np.inf, scales[k] / 10)
        table[f"background {side}"] = (darks[k], 0.0, np.inf, max(darks[k], 0.1))
    if n == 2:
        table["centre"] = (1.0, 1e-3, 10.0, 0.1)
    fitted = []
    if spread_rad_per_ps is None:
        table["spread"] = (1.0, 0.0, 1e4, 0.3)
        fitted.append("spread")
    if detuning_rad_per_ps is None:
        table["detuning"] = (3.0, 0.0, 1e4, 0.5)
        fitted.append("detuning")
    names = tuple(table)
    start, low, high, scale = (np.array(x, dtype=float) for x in zip(*table.values(), strict=True))

    def told(p: FloatArray) -> dict[str, float]:
        one = dict(zip(names, p.tolist(), strict=True))
        t2 = math.exp(one["ln t2"])
        spread = one["spread"] / lifetime_ns if spread_rad_per_ps is None else 1e3 * spread_rad_per_ps
        detuning = one["detuning"] / lifetime_ns if detuning_rad_per_ps is None else 1e3 * detuning_rad_per_ps
        return one | {"t2": t2, "t1": t2 / (2 * one["share"]), "s": spread, "d": detuning}

    def model(p: FloatArray) -> list[FloatArray]:
        one = told(p)
        centre = one.get("centre", 1.0)
        found = []
        for name, histogram in zip(("parallel", "orthogonal"), histograms, strict=False):
            edges = histogram.edges_ns
            unit = expected_peaks(
                edges, scheme, areas.area, areas.order, delay_ns=delay_ns, shift_ns=one["shift"],
                tau_ns=one["t1"], blur_ns=blur_ns, centre=centre * areas.central(0.0),
            )  # fmt: skip
            if name == "parallel":
                beats = line_beats if several else ((one["d"], 1.0),)
                unit -= centre * areas.interfering * interference_share(
                    edges, one["shift"], one["t1"], one["t2"], spread=one["s"], beats=beats, blur_ns=blur_ns
                )  # fmt: skip
            found.append(one[f"scale {name}"] * unit + one[f"background {name}"] * np.diff(edges))
        return found

    def residual(p: FloatArray) -> FloatArray:
        return np.concatenate(
            [
                poisson_deviance_residuals(one.counts, np.maximum(mean, 1e-9))
                for one, mean in zip(histograms, model(p), strict=True)
            ]
        )

    best = _from_several(residual, start, names, low, high, scale)

    def interval(name: str, of: FitResult = best) -> Ends:
        try:
            ends = profile_interval(residual, of, name, level, low=low, high=high)
        except ConvergenceError:
            return (None, None)
        return (ends.low, ends.high)

    one = told(best.values)
    t2 = interval("ln t2")
    # T1 = T2/(2 share) is no parameter of the search: its interval is that of a search in which it is
    t1_sigma = _t1_sigma(best, names)
    warnings = list(best.warnings)
    if t2[1] is not None and math.exp(t2[1]) > 30 * lifetime_ns:
        t2 = (t2[0], None)
    if best.at_bound[names.index("share")]:
        warnings.append("T2 is at its limit 2 T1: the dip is as deep as without dephasing, or deeper")
    if "spread" in fitted and (t2[0] is None or t2[1] is None):
        warnings.append("the data do not tell T2 from the spread: hold one of them")
    z = _normal(level)
    t1: Ends = (None, None)
    if t1_sigma is not None:
        t1 = (one["t1"] * math.exp(-z * t1_sigma), one["t1"] * math.exp(z * t1_sigma))

    def per_ps(name: str) -> Ends:
        low_end, high_end = interval(name)
        # nothing is below 0: an end that the data leave open there is 0
        return (
            0.0 if low_end is None else low_end / lifetime_ns * 1e-3,
            None if high_end is None else high_end / lifetime_ns * 1e-3,
        )

    beats = line_beats if several else ((one["d"], 1.0),)
    each = visibility(
        1e3 * one["t1"], min(1e3 * one["t2"], 2e3 * one["t1"]),
        detuning_rad_per_ps=[gap * 1e-3 for gap, _ in beats], detuning_spread_rad_per_ps=one["s"] * 1e-3,
    )  # fmt: skip
    return EmitterFit(
        1e3 * one["t1"],
        _times_of(t1, 1e3),
        1e3 * one["t2"],
        _times_of(
            (None if t2[0] is None else math.exp(t2[0]), None if t2[1] is None else math.exp(t2[1])), 1e3
        ),
        float(each @ [share for _, share in beats]),
        1e-3 * one["s"],
        per_ps("spread") if "spread" in fitted else None,
        1e-3 * one["d"],
        per_ps("detuning") if "detuning" in fitted else None,
        tuple(fitted),
        level,
        tuple(model(best.values)),
        tuple(one[f"background {side}"] for side in ("parallel", "orthogonal")[:n]),
        one["shift"],
        float(np.sum(best.residuals**2)),
        best.degrees_of_freedom,
        tuple(warnings),
    )


def _from_several(
    residual: Residual,
    start: FloatArray,
    names: tuple[str, ...],
    low: FloatArray,
    high: FloatArray,
    scale: FloatArray,
) -> FitResult:
    """The best of searches from a slow and a quick dephasing."""
    best = None
    for share in (0.6, 0.15):
        begin = start.copy()
        begin[0], begin[1] = start[0] + math.log(2 * share), share
        try:
            one = least_squares(residual, begin, names=names, low=low, high=high, scale=scale)
        except ConvergenceError:
            continue
        if best is None or one.chi2 < best.chi2:
            best = one
    if best is None:
        raise ConvergenceError(
            "no start of the fit of the middle peak converged", fix="check --delay, --blur and --scheme"
        )
    return best


def _t1_sigma(fit: FitResult, names: tuple[str, ...]) -> float | None:
    """Standard error of ln T1 = ln T2 - ln(2 share)."""
    if fit.covariance is None:
        return None
    slope = np.zeros(len(names))
    slope[names.index("ln t2")] = 1.0
    share = names.index("share")
    slope[share] = -1.0 / fit.values[share]
    return math.sqrt(max(float(slope @ fit.covariance @ slope), 0.0))


def _times_of(ends: Ends, factor: float) -> Ends:
    return (None if ends[0] is None else factor * ends[0], None if ends[1] is None else factor * ends[1])


def _normal(level: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf((1 + level) / 2)
