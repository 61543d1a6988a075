"""Coincidence histograms of two-photon interference: simulated, and fitted by Poisson likelihood.

    peak k      area_k L(t - k delay; tau)           L: exp(-|t|/tau)/(2 tau), blurred by the timing
    middle      A [L(t; tau) - V_raw L(t; tau_dip)]  parallel;  A L(t; tau) orthogonal

tau_dip = tau T2/(2 T1) is the width of the dip (pure dephasing); where the timing is slower than the dip it
is left open by the data, and V_raw is not. Areas of the side peaks follow from `hom_peaks`. Without an
orthogonal histogram A is what the side peaks say by counting pairs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError, Problem
from perolux.fitting import least_squares, poisson_deviance_residuals, profile_interval
from perolux.photons.hom_peaks import (
    ExtraPhotons,
    Form,
    Interferometer,
    PeakAreas,
    Scheme,
    correction,
    peak_areas,
)

__all__ = ["HomFit", "HomHistogram", "expected_peaks", "fit_histograms", "peak_share"]
__all__ += ["require_side_peaks", "simulate_histogram", "start_of_scales"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class HomHistogram:
    """edges_ns: (n + 1,) ascending; counts: (n,) coincidences by t_2 - t_1."""

    edges_ns: FloatArray
    counts: IntArray

    def __post_init__(self) -> None:
        edges, counts = np.asarray(self.edges_ns, float), np.asarray(self.counts)
        if edges.ndim != 1 or counts.shape != (len(edges) - 1,) or np.any(np.diff(edges) <= 0):
            raise OptionError("edges and counts do not fit", allowed="n + 1 ascending edges, n counts")
        if np.any(counts < 0) or not np.all(np.isfinite(counts)):
            raise OptionError("counts that are no counts", allowed="0 or more")


def peak_share(edges_ns: npt.ArrayLike, centre_ns: float, tau_ns: float, blur_ns: float = 0.0) -> FloatArray:
    """Part of exp(-|t - centre|/tau)/(2 tau), blurred by a Gaussian, in each bin: shape (edges - 1,).

    Differences of the closed integral, so that bins may be wide. tau_ns > 0, blur_ns >= 0.
    """
    from scipy.special import erfcx, ndtr

    x = np.asarray(edges_ns, dtype=float) - centre_ns
    if blur_ns <= 0:
        tail = 0.5 * np.exp(-np.abs(x) / tau_ns)
        return np.diff(np.where(x > 0, 1.0 - tail, tail))

    def tail_of(y: FloatArray) -> FloatArray:
        """Integral from y on of exp(-t/tau)/tau, t > 0, blurred, less the bare Gaussian's."""
        z = (blur_ns / tau_ns - y / blur_ns) / math.sqrt(2)
        bell = np.exp(-((y / blur_ns) ** 2) / 2)
        near = z >= 0
        small = 0.5 * bell * erfcx(np.where(near, z, -z))
        power = np.where(near, 0.0, blur_ns**2 / (2 * tau_ns**2) - y / tau_ns)
        return np.where(near, small, np.exp(power) - small)

    return np.diff(ndtr(x / blur_ns) + 0.5 * (tail_of(-x) - tail_of(x)))


def expected_peaks(
    edges: FloatArray,
    scheme: Scheme,
    areas: FloatArray,
    orders: IntArray,
    *,
    delay_ns: float,
    shift_ns: float,
    tau_ns: float,
    blur_ns: float,
    centre: float,
) -> FloatArray:
    """Histogram of unit scale without interference or background; centre: area of the middle peak."""
    low, high = edges[0] - 20 * tau_ns - 8 * blur_ns, edges[-1] + 20 * tau_ns + 8 * blur_ns
    reach = int(max(abs(low), abs(high)) / delay_ns) + 1
    total = np.zeros(len(edges) - 1)
    wanted = orders if scheme == "pulse pair" else np.arange(-reach, reach + 1)
    for k in wanted:
        place = k * delay_ns + shift_ns
        if not low <= place <= high:
            continue
        if k == 0:
            area = centre
        elif abs(k) <= orders[-1]:
            area = float(areas[orders == k][0])
        else:
            area = float(areas[-1])
        total += area * peak_share(edges, place, tau_ns, blur_ns)
    return total


def simulate_histogram(
    scheme: Scheme,
    edges_ns: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    delay_ns: float,
    lifetime_ns: float,
    visibility: float,
    coincidences: float,
    blur_ns: float = 0.0,
    background: float = 0.0,
    g2_zero: float = 0.0,
    extra: ExtraPhotons = "alike",
    interferometer: Interferometer | None = None,
) -> HomHistogram:
    """A histogram with Poisson counts.

    visibility: of two photons of the emitter, T2/(2 T1) (0: orthogonal polarisations); coincidences: area of
    the unit peak (a pulse pair's outer one, a train's distant one); blur_ns: standard deviation of t_2 - t_1;
    background: counts a bin. Raises `OptionError`.
    """
    edges = np.asarray(edges_ns, dtype=float)
    problems = [
        Problem(f"{name} is {value:g}", name, "a positive number")
        for name, value in (
            ("delay_ns", delay_ns),
            ("lifetime_ns", lifetime_ns),
            ("coincidences", coincidences),
        )
        if not (math.isfinite(value) and value > 0)
    ]
    if not 0 <= visibility <= 1:
        problems.append(Problem(f"a visibility of {visibility:g}", "visibility", "0 to 1"))
    if background < 0 or blur_ns < 0:
        problems.append(Problem("a negative number", "background, blur_ns", "0 or more"))
    if problems:
        raise OptionError(problems)
    areas = peak_areas(scheme, interferometer, g2_zero=g2_zero, extra=extra)
    mean = coincidences * expected_peaks(
        edges, scheme, areas.area, areas.order, delay_ns=delay_ns, shift_ns=0.0, tau_ns=lifetime_ns,
        blur_ns=blur_ns, centre=areas.central(0.0),
    )  # fmt: skip
    dip_ns = lifetime_ns * max(visibility, 1e-3)
    mean -= coincidences * visibility * areas.interfering * peak_share(edges, 0.0, dip_ns, blur_ns)
    return HomHistogram(edges, rng.poisson(np.maximum(mean, 0.0) + background))


@dataclass(frozen=True)
class HomFit:
    """Visibility of a pair of histograms, with what it rests on.

    raw: 1 - A_par/A_orth of the middle peak, with its interval at `level`; visibility: corrected, its
    interval holds the errors of the correction too; form: which correction. dip_over_lifetime: tau_dip/tau,
    None where the timing leaves it open. central_over_side: of the orthogonal histogram, over what
    `hom_peaks` counts (1 where the g2 given is right). chi2: Poisson deviance, of degrees_of_freedom.
    """

    raw: float
    raw_interval: tuple[float | None, float | None]
    visibility: float
    interval: tuple[float | None, float | None]
    level: float
    form: Form
    lifetime_ns: float
    lifetime_sigma_ns: float | None
    blur_ns: float
    dip_over_lifetime: float | None
    central_over_side: float | None
    background: tuple[float, float | None]
    chi2: float
    degrees_of_freedom: int
    warnings: tuple[str, ...] = ()


def fit_histograms(
    parallel: HomHistogram,
    orthogonal: HomHistogram | None,
    scheme: Scheme,
    *,
    delay_ns: float,
    lifetime_ns: float,
    blur_ns: float,
    g2_zero: float = 0.0,
    extra: ExtraPhotons = "alike",
    interferometer: Interferometer | None = None,
    g2_sigma: float = 0.0,
    reflect_sigma: float = 0.0,
    contrast_sigma: float = 0.0,
    level: float = 0.95,
) -> HomFit:
    """V_raw of both histograms at once, Poisson likelihood, and its correction by name.

    Free: V_raw, lifetime, width of the dip, middle area, scale and background of each histogram, a shift of
    the delay axis. Without an orthogonal histogram (None) the middle area is that of counted pairs. blur_ns
    (of the delay) is held: measure it. lifetime_ns: where the search starts. Raises `OptionError` where a
    histogram does not reach the first side peaks, `ModelRangeError` where it is empty.
    """
    if not (delay_ns > 0 and lifetime_ns > 0 and blur_ns >= 0):
        raise OptionError("a delay or lifetime that is not positive", allowed="above 0 ns, blur 0 or more")
    require_side_peaks(parallel, orthogonal, delay_ns)
    areas = peak_areas(scheme, interferometer, g2_zero=g2_zero, extra=extra)
    form = correction(
        scheme, interferometer, g2_zero=g2_zero, extra=extra, g2_sigma=g2_sigma,
        reflect_sigma=reflect_sigma, contrast_sigma=contrast_sigma,
    )  # fmt: skip
    counted = areas.central(0.0)
    histograms = (parallel,) if orthogonal is None else (parallel, orthogonal)
    n = len(histograms)

    def model(p: FloatArray) -> list[FloatArray]:
        raw, tau, dip, shift = p[:4]
        centre = p[4 + 2 * n] if n == 2 else 1.0
        found = []
        for one, scale, dark in zip(histograms, p[4 : 4 + n], p[4 + n : 4 + 2 * n], strict=True):
            unit = expected_peaks(
                one.edges_ns, scheme, areas.area, areas.order, delay_ns=delay_ns, shift_ns=shift, tau_ns=tau,
                blur_ns=blur_ns, centre=centre * counted,
            )  # fmt: skip
            if one is parallel:
                unit -= raw * centre * counted * peak_share(one.edges_ns, shift, tau * dip, blur_ns)
            found.append(scale * unit + dark * np.diff(one.edges_ns))
        return found

    def residual(p: FloatArray) -> FloatArray:
        # A dip narrower and deeper than its peak would go below zero: there the likelihood has its wall.
        return np.concatenate(
            [
                poisson_deviance_residuals(one.counts, np.maximum(mean, 1e-9))
                for one, mean in zip(histograms, model(p), strict=True)
            ]
        )

    start_scale, start_dark = start_of_scales(
        histograms, scheme, areas, delay_ns=delay_ns, lifetime_ns=lifetime_ns, blur_ns=blur_ns
    )
    sides = ("par", "orth")[:n]
    names = ["raw", "lifetime", "dip", "shift", *(f"scale_{x}" for x in sides), *(f"dark_{x}" for x in sides)]
    start = np.array([0.4, lifetime_ns, 0.5, 0.0, *start_scale, *start_dark])
    low = np.array([-0.5, lifetime_ns / 20, 1e-3, -delay_ns / 4, *[1e-6] * n, *[0.0] * n])
    high = np.array([1.0, lifetime_ns * 20, 1.0, delay_ns / 4, *[np.inf] * (2 * n)])
    bin_ns = float(np.median(np.diff(parallel.edges_ns)))
    scale = np.array(
        [0.1, lifetime_ns / 10, 0.2, bin_ns, *(s / 10 for s in start_scale)]
        + [max(d, 0.1) for d in start_dark]
    )
    if n == 2:
        names.append("centre")
        start, low, high, scale = (
            np.append(x, one)
            for x, one in ((start, 1.0), (low, 1e-3), (high, 10.0), (scale, 0.1))
        )  # fmt: skip
    fit = least_squares(residual, np.clip(start, low, high), names=names, low=low, high=high, scale=scale)
    bounds = profile_interval(residual, fit, "raw", level, low=low, high=high)
    raw = float(fit.values[0])
    value = raw * form.factor
    from scipy.special import ndtri

    z = float(ndtri(0.5 + level / 2))

    def end(limit: float | None) -> float | None:
        if limit is None:
            return None
        half = math.hypot(form.factor * (limit - raw), z * raw * form.sigma)
        return value + math.copysign(half, limit - raw)

    sigma = fit.sigma
    dip = float(fit.values[2])
    open_dip = sigma[2] is None or sigma[2] > 0.5 * dip or fit.at_bound[2]
    warnings = list(fit.warnings)
    if value > 1:
        warnings.append("the corrected visibility exceeds 1: a correction is too large, or counts are few")
    chi2 = float(np.sum(fit.residuals**2))
    dark = tuple(float(x) for x in fit.values[4 + n : 4 + 2 * n])
    return HomFit(
        raw, (bounds.low, bounds.high), value, (end(bounds.low), end(bounds.high)), level, form,
        float(fit.values[1]), sigma[1], blur_ns, None if open_dip else dip,
        float(fit.values[-1]) if n == 2 else None, (dark[0], dark[1] if n == 2 else None), chi2,
        fit.degrees_of_freedom, tuple(warnings),
    )  # fmt: skip


def require_side_peaks(parallel: HomHistogram, orthogonal: HomHistogram | None, delay_ns: float) -> None:
    """`OptionError` where a histogram ends before its first side peaks, `ModelRangeError` where it is
    empty."""
    for name, one in (("parallel", parallel), ("orthogonal", orthogonal)):
        if one is None:
            continue
        if one.edges_ns[0] > -1.3 * delay_ns or one.edges_ns[-1] < 1.3 * delay_ns:
            raise OptionError(
                "the histogram ends before its first side peaks", where=name,
                allowed=f"at least -{1.3 * delay_ns:g} to {1.3 * delay_ns:g} ns",
            )  # fmt: skip
        if one.counts.sum() < 20:
            raise ModelRangeError("fewer than 20 coincidences", where=name)


def start_of_scales(
    histograms: Sequence[HomHistogram],
    scheme: Scheme,
    areas: PeakAreas,
    *,
    delay_ns: float,
    lifetime_ns: float,
    blur_ns: float,
) -> tuple[list[float], list[float]]:
    """Where the search starts: scale and background (counts a ns) of each histogram, from its side peaks."""
    scales, darks = [], []
    for one in histograms:
        width = np.diff(one.edges_ns)
        dark = float(np.quantile(one.counts / width, 0.1))
        unit = expected_peaks(
            one.edges_ns, scheme, areas.area, areas.order, delay_ns=delay_ns, shift_ns=0.0,
            tau_ns=lifetime_ns, blur_ns=blur_ns, centre=areas.central(0.0),
        )  # fmt: skip
        side = np.abs(0.5 * (one.edges_ns[1:] + one.edges_ns[:-1])) > 0.5 * delay_ns
        darks.append(dark)
        scales.append(max(float((one.counts - dark * width)[side].sum() / unit[side].sum()), 1e-3))
    return scales, darks
