"""Photon-correlation Fourier spectroscopy: line width and its diffusion from pairs of photons.

Two detectors behind an interferometer whose path is dithered over whole fringes about a delay d = path/c:

    g(d, tau) = g2(tau) [1 - c^2/2 E(d, tau)],    E = integral p(zeta, tau) cos(zeta d) dzeta
    p(zeta, tau) = <integral s(w, t) s(w + zeta, t + tau) dw>          spectral correlation, integral 1

for a Lorentzian line (FWHM 2/T2), several lines w_j of weight p_j, and a centre that wanders as an
Ornstein-Uhlenbeck process (standard deviation s1, time tc):

    E = exp(-2 d/T2) exp(-s^2 d^2/2) sum_jk p_j p_k cos((w_j - w_k) d),   s^2 = 2 s1^2 (1 - exp(-tau/tc))

c: fringe contrast. A dither that passes f fringes a second multiplies E by cos(2 pi f tau): in the model, and
lags beyond 0.05/f are refused. Delays d in ps, lags tau in s, angular frequencies in rad/ps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError, Problem
from perolux.fitting import least_squares, poisson_deviance_residuals, profile_interval
from perolux.measured.photon_stream import PhotonStream, stream_of_arrays
from perolux.measured.records import FileSource
from perolux.photons.correlation import Sides, two_sides
from perolux.progress import Progress, silent, track
from perolux.quantities.constants import constant

__all__ = ["Line", "PcfsFit", "PcfsRecord", "count_pairs", "delay_of_path", "envelope", "fit_pcfs"]
__all__ += ["expected_pairs", "interferogram", "spread_by_lag"]
__all__ += ["simulate_position", "simulate_record", "spectral_correlation", "transform"]

FloatArray = npt.NDArray[np.float64]
_MOST_PHASE = 0.05
"""Fringes that the dither may pass within a lag."""


@dataclass(frozen=True)
class Line:
    """The line of an emitter.

    t2_ps: coherence time. diffusion_rad_per_ps: s1, of one line; diffusion_time_s: tc. offsets_rad_per_ps,
    weights: of several lines (fine structure), each photon on one by chance. Raises `OptionError`.
    """

    t2_ps: float
    diffusion_rad_per_ps: float = 0.0
    diffusion_time_s: float = 1.0
    offsets_rad_per_ps: tuple[float, ...] = (0.0,)
    weights: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        problems = []
        if not (math.isfinite(self.t2_ps) and self.t2_ps > 0):
            problems.append(Problem(f"a coherence time of {self.t2_ps:g} ps", "t2_ps", "a positive number"))
        if not (math.isfinite(self.diffusion_rad_per_ps) and self.diffusion_rad_per_ps >= 0):
            problems.append(Problem("a negative diffusion", "diffusion_rad_per_ps", "0 or more"))
        if not (math.isfinite(self.diffusion_time_s) and self.diffusion_time_s > 0):
            problems.append(Problem("a diffusion time", "diffusion_time_s", "a positive number"))
        good = len(self.weights) == len(self.offsets_rad_per_ps) > 0 and min(self.weights) >= 0
        if not good or abs(sum(self.weights) - 1) > 1e-9:
            problems.append(Problem("lines and weights do not fit", "weights", "one a line, sum 1"))
        if problems:
            raise OptionError(problems)


def delay_of_path(path_mm: npt.ArrayLike) -> FloatArray:
    """Delay in ps of a path difference in mm (twice the way of a mirror)."""
    return np.asarray(path_mm, dtype=float) / (constant("speed_of_light_m_per_s") * 1e-9)


def _spread(line: Line, tau_s: npt.ArrayLike) -> FloatArray:
    lag = np.asarray(tau_s, dtype=float) / line.diffusion_time_s
    return line.diffusion_rad_per_ps * np.sqrt(-2 * np.expm1(-lag))


def envelope(line: Line, delay_ps: npt.ArrayLike, tau_s: npt.ArrayLike) -> FloatArray:
    """E(d, tau), 1 at d = 0; delay_ps and tau_s broadcast.

    >>> round(float(envelope(Line(66.0), 33.0, 1e-6)), 6)  # exp(-1)
    0.367879
    """
    d = np.abs(np.asarray(delay_ps, dtype=float))
    smooth = np.exp(-2 * d / line.t2_ps - (_spread(line, tau_s) * d) ** 2 / 2)
    beat = np.zeros(d.shape)
    for w, p in zip(line.offsets_rad_per_ps, line.weights, strict=True):
        for v, q in zip(line.offsets_rad_per_ps, line.weights, strict=True):
            beat = beat + p * q * np.cos((w - v) * d)
    return np.asarray(smooth * beat)


def spectral_correlation(line: Line, zeta_rad_per_ps: npt.ArrayLike, tau_s: float) -> FloatArray:
    """p(zeta, tau), shape of zeta, integral 1: Voigt profiles of Lorentzian FWHM 4/T2 and Gaussian s(tau).

    Without diffusion and fine structure a Lorentzian of twice the width of the line.
    """
    from scipy.special import voigt_profile

    zeta = np.asarray(zeta_rad_per_ps, dtype=float)
    s = float(_spread(line, tau_s))
    if s < 1e-9 / line.t2_ps:
        s = 0.0  # scipy's profile is lost for widths that are hardly there
    total = np.zeros(zeta.shape)
    for w, p in zip(line.offsets_rad_per_ps, line.weights, strict=True):
        for v, q in zip(line.offsets_rad_per_ps, line.weights, strict=True):
            total += p * q * voigt_profile(zeta - (w - v), s, 2 / line.t2_ps)
    return total


@dataclass(frozen=True)
class PcfsRecord:
    """Coincidences of every stage position and lag.

    delay_ps: (m,); lag_edges_s: (k + 1,) ascending, above 0; pairs: (m, k); expected: (m, k), pairs of
    unrelated photons, N_A N_B dtau/T (both signs of the lag together: twice that). fringes_per_s: of the
    dither; None where it is not known, and nothing can be checked.
    """

    delay_ps: FloatArray
    lag_edges_s: FloatArray
    pairs: FloatArray
    expected: FloatArray
    fringes_per_s: float | None = None

    def __post_init__(self) -> None:
        m, k = len(self.delay_ps), len(self.lag_edges_s) - 1
        problems = []
        if self.pairs.shape != (m, k) or self.expected.shape != (m, k):
            problems.append(Problem("pairs that do not fit", "pairs, expected", f"shape ({m}, {k})"))
        if np.any(np.diff(self.lag_edges_s) <= 0) or self.lag_edges_s[0] < 0:
            problems.append(Problem("lags that do not ascend", "lag_edges_s", "ascending, from 0 or above"))
        if np.any(self.pairs < 0) or np.any(self.expected <= 0):
            problems.append(Problem("negative pairs, or none expected", "pairs, expected", ">= 0, > 0"))
        if self.fringes_per_s is not None and self.lag_edges_s[-1] * self.fringes_per_s > _MOST_PHASE:
            problems.append(
                Problem(
                    f"{self.lag_edges_s[-1] * self.fringes_per_s:.3g} fringes pass within the last lag",
                    "lag_edges_s", f"lags up to {_MOST_PHASE / self.fringes_per_s:.3g} s",
                    "leave the longer lags out, or dither more slowly",
                )
            )  # fmt: skip
        if problems:
            raise OptionError(problems)

    @property
    def lag_s(self) -> FloatArray:
        """(k,) middle of each lag bin."""
        return 0.5 * (self.lag_edges_s[1:] + self.lag_edges_s[:-1])


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(3)


def _dip(
    line: Line, record_delay: FloatArray, edges: FloatArray, contrast: float, fringes: float | None
) -> FloatArray:
    """1 - c^2/2 E with the phase of the dither, its mean over each lag bin, (m, k).

    Pairs of unrelated photons lie evenly in a bin, so the mean is over the lag: three Gauss points, which
    hold for bins of up to a factor 10 (a step of the diffusion across one bin is seen to 1e-3)."""
    low, width = edges[:-1, None], np.diff(edges)[:, None]
    lag = low + 0.5 * width * (_NODES + 1)  # (k, 3)
    turned = 1.0 if fringes is None else np.cos(2 * math.pi * fringes * lag)
    inside = envelope(line, record_delay[:, None, None], lag[None, :, :]) * turned
    return np.asarray(1.0 - 0.25 * contrast**2 * (inside @ _WEIGHTS))


def simulate_record(
    line: Line,
    delay_ps: npt.ArrayLike,
    lag_edges_s: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    rate_cps: float,
    seconds: float,
    contrast: float = 1.0,
    bunching: npt.ArrayLike = 1.0,
    fringes_per_s: float | None = None,
) -> PcfsRecord:
    """Pairs as Poisson counts about their mean: rate_cps on both detectors together, seconds a position.

    bunching: g2(tau) of each lag (antibunching, blinking), one number or (k,).
    """
    delay, edges = np.asarray(delay_ps, dtype=float), np.asarray(lag_edges_s, dtype=float)
    if not (rate_cps > 0 and seconds > 0 and 0 < contrast <= 1):
        raise OptionError("a rate, time or contrast out of range", allowed="above 0; contrast up to 1")
    if edges.ndim != 1 or len(edges) < 2:
        raise OptionError("no lag bins", where="lag_edges_s", allowed="two edges or more")
    lag = 0.5 * (edges[1:] + edges[:-1])
    expected = np.broadcast_to(
        2 * (rate_cps / 2) ** 2 * seconds * np.diff(edges), (len(delay), len(lag))
    ).copy()
    mean = expected * np.asarray(bunching) * _dip(line, delay, edges, contrast, fringes_per_s)
    return PcfsRecord(delay, edges, rng.poisson(mean).astype(float), expected, fringes_per_s)


def simulate_position(
    line: Line,
    delay_ps: float,
    rng: np.random.Generator,
    *,
    rate_cps: float,
    seconds: float,
    fringes_per_s: float,
    contrast: float = 1.0,
    tick_ns: float = 1.0,
) -> PhotonStream:
    """Tags of one stage position, photon by photon: each has a frequency (wandering centre, its line,
    Lorentzian), meets the dithered path, and goes to one detector or the other.

    P(A) = [1 + c cos(phase)]/2, phase = dither + (w - w0) d. The dither is a triangle over ten fringes. No
    antibunching: the photons are Poisson's.
    """
    if not (rate_cps > 0 and seconds > 0 and fringes_per_s > 0 and 0 < contrast <= 1):
        raise OptionError(
            "a rate, time, dither or contrast out of range", allowed="above 0; contrast up to 1"
        )
    n = int(rng.poisson(rate_cps * seconds))
    time: FloatArray = np.sort(seconds * rng.random(n))
    centre: FloatArray = np.zeros(n)
    if line.diffusion_rad_per_ps and n:
        keep: FloatArray = np.exp(-np.diff(time, prepend=time[0]) / line.diffusion_time_s)
        kick = line.diffusion_rad_per_ps * np.sqrt(1 - keep**2) * rng.standard_normal(n)
        centre[0] = line.diffusion_rad_per_ps * rng.standard_normal()
        for i in range(1, n):
            centre[i] = centre[i - 1] * keep[i] + kick[i]
    which = rng.choice(len(line.weights), n, p=line.weights)
    frequency = centre + np.asarray(line.offsets_rad_per_ps)[which] + rng.standard_cauchy(n) / line.t2_ps
    saw = np.abs((time * fringes_per_s / 10.0) % 2.0 - 1.0)
    phase = 2 * math.pi * 10.0 * saw + frequency * delay_ps + 2 * math.pi * rng.random()
    channel = (rng.random(n) >= 0.5 * (1 + contrast * np.cos(phase))).astype(np.uint8)
    return stream_of_arrays(
        np.floor(time * 1e9 / tick_ns).astype(np.int64), channel, macro_tick_ns=tick_ns, duration_s=seconds,
        source=FileSource("simulated photons", "", "simulation"), notes=("simulated",),
    )  # fmt: skip


def count_pairs(
    streams: Sequence[PhotonStream],
    delay_ps: npt.ArrayLike,
    lag_edges_s: npt.ArrayLike,
    *,
    fringes_per_s: float | None = None,
    sides: Sides | None = None,
    progress: Progress = silent,
) -> PcfsRecord:
    """A record from one stream for each stage position: all pairs, both signs of the lag. Edges are put on
    whole ticks of the macro times. sides: channels of the two outputs; the two that saw light otherwise."""
    from perolux.photons._correlation_kernels import short_lags

    delay = np.asarray(delay_ps, dtype=float)
    if len(streams) != len(delay) or not len(delay):
        raise OptionError(f"{len(streams)} streams for {len(delay)} positions", allowed="one each")
    rows, expected = [], []
    edges: FloatArray = np.zeros(0)
    for stream in track(streams, "pairs of each stage position", len(streams), progress):
        ticks = np.round(np.asarray(lag_edges_s, dtype=float) * 1e9 / stream.macro_tick_ns).astype(np.int64)
        if np.any(np.diff(ticks) <= 0) or ticks[0] < 0:
            raise OptionError(
                "lags finer than the ticks", where="lag_edges_s", allowed="a tick or more apart"
            )
        of_a, of_b = two_sides(stream, sides)
        photons = stream.load()
        photons = photons.only(np.isin(photons.channel, (*of_a, *of_b)))
        first = np.isin(photons.channel, of_b).astype(np.uint8)
        counts = np.zeros(len(ticks) - 1, dtype=np.int64)
        for side in (first, (1 - first).astype(np.uint8)):
            short_lags(photons.macro, side, ticks, int(ticks[-1]), 0, counts)
        here = np.asarray(ticks * (stream.macro_tick_ns * 1e-9), dtype=float)
        if len(edges) and not np.allclose(edges, here):
            raise OptionError("streams of different ticks", allowed="one tick for all positions")
        edges = here
        a, b = (sum(stream.photons_per_channel.get(k, 0) for k in one) for one in (of_a, of_b))
        lag = 0.5 * (edges[1:] + edges[:-1])
        rows.append(counts)
        expected.append(2.0 * a * b * np.diff(edges) / stream.duration_s * (1 - lag / stream.duration_s))
    return PcfsRecord(delay, edges, np.array(rows, dtype=float), np.array(expected), fringes_per_s)


@dataclass(frozen=True)
class PcfsFit:
    """T2 and diffusion of a record.

    Intervals at `level`, by profile likelihood; an end is None where the data leave it open.
    diffusion_time_s and its interval are None where the diffusion is not seen, or not resolved in the lags.
    bunching: (k,), g2 of each lag, as fitted. chi2: Poisson deviance of degrees_of_freedom.
    scatter: (k,) of the pairs of each lag over Poisson's, by which it was weighted; None where Poisson holds.
    """

    t2_ps: float
    t2_interval_ps: tuple[float | None, float | None]
    diffusion_rad_per_ps: float
    diffusion_interval: tuple[float | None, float | None]
    diffusion_time_s: float | None
    bunching: FloatArray
    level: float
    chi2: float
    degrees_of_freedom: int
    warnings: tuple[str, ...] = ()
    diffusion_time_interval_s: tuple[float | None, float | None] = (None, None)
    scatter: FloatArray | None = None


def fit_pcfs(
    record: PcfsRecord,
    *,
    contrast: float = 1.0,
    diffusion: bool = True,
    offsets_rad_per_ps: Sequence[float] = (0.0,),
    weights: Sequence[float] = (1.0,),
    level: float = 0.95,
    like: PcfsFit | None = None,
) -> PcfsFit:
    """T2, and the diffusion where asked for, from all positions and lags at once by Poisson likelihood.

    g2 of each lag is free (the value that fits best is known in closed form). contrast and fine structure are
    held. like: a fit of nearly the same record, from which the search starts; intervals are then left out.
    Raises `ModelRangeError` for fewer than 100 pairs, `OptionError` for fewer than four positions.
    """
    if len(record.delay_ps) < 4:
        raise OptionError(f"{len(record.delay_ps)} stage positions", allowed="four or more")
    if record.pairs.sum() < 100:
        raise ModelRangeError("fewer than 100 pairs", where="pairs")
    if not 0 < contrast <= 1:
        raise OptionError(f"a contrast of {contrast:g}", where="contrast", allowed="above 0, at most 1")
    Line(1.0, 0.0, 1.0, tuple(offsets_rad_per_ps), tuple(weights))  # its checks
    spread: tuple[float | None, float | None] = (0.0, 0.0)
    lag, longest = record.lag_s, float(np.abs(record.delay_ps).max())

    def mean(p: FloatArray) -> tuple[FloatArray, FloatArray]:
        line = Line(
            math.exp(p[0]), p[1] / longest if diffusion else 0.0, math.exp(p[2]) if diffusion else 1.0,
            tuple(offsets_rad_per_ps), tuple(weights),
        )  # fmt: skip
        unit = record.expected * _dip(
            line, record.delay_ps, record.lag_edges_s, contrast, record.fringes_per_s
        )
        bunching = record.pairs.sum(axis=0) / unit.sum(axis=0)
        return unit * bunching, bunching

    wider = np.ones(len(lag))
    if like is not None and like.scatter is not None:
        wider = np.sqrt(like.scatter)

    def residual(p: FloatArray) -> FloatArray:
        return (poisson_deviance_residuals(record.pairs, mean(p)[0]) / wider).ravel()

    names = ("ln t2", "diffusion", "ln time")[: 3 if diffusion else 1]
    low = np.array([math.log(longest * 1e-4), 0.0, math.log(lag[0] / 100)])[: len(names)]
    high = np.array([math.log(longest * 1e4), 1e4, math.log(lag[-1] * 100)])[: len(names)]
    width = np.array([0.2, 0.5, 0.5])[: len(names)]
    middle = 0.5 * (math.log(max(lag[0], 1e-12)) + math.log(lag[-1]))
    best = None
    starts = [
        (math.log(share * longest), wander, middle)
        for share in (0.03, 0.3, 3.0)
        for wander in ((0.3, 3.0) if diffusion else (0.0,))
    ]
    if like is not None:
        seen_time = middle if like.diffusion_time_s is None else math.log(like.diffusion_time_s)
        starts = [(math.log(like.t2_ps), like.diffusion_rad_per_ps * longest, seen_time)]
    for begin in starts:
        start = np.clip(np.array(begin)[: len(names)], low, high)
        one = least_squares(residual, start, names=names, low=low, high=high, scale=width)
        if best is None or np.sum(one.residuals**2) < np.sum(best.residuals**2):
            best = one
    assert best is not None
    free = record.pairs.size - len(names) - len(lag)  # one g2 a lag is fitted too
    chi2 = float(np.sum(best.residuals**2))
    warnings = list(best.warnings)
    scatter = None
    if like is None and free > 0 and chi2 > free + 5 * math.sqrt(2 * free):
        # pairs that share a photon are not independent, the more the longer the lag: each lag gets its own
        # scatter
        per_lag = np.sum(best.residuals.reshape(record.pairs.shape) ** 2, axis=0) / (len(record.delay_ps) - 1)
        scatter = np.maximum(per_lag, 1.0)
        wider[:] = np.sqrt(scatter)
        best = least_squares(
            residual, best.values, names=names, low=low, high=high, scale=width, absolute_sigma=False
        )
        warnings.append(
            f"pairs scatter by {per_lag.min():.2g} to {per_lag.max():.3g} times Poisson from lag to "
            f"lag (many pairs "
            "share a photon, or the diffusion was sampled too briefly): each lag is weighted by its "
            "own scatter"
        )
    if like is not None:
        wandered = float(best.values[1]) / longest if diffusion else 0.0
        lasting = math.exp(best.values[2]) if diffusion and like.diffusion_time_s is not None else None
        return PcfsFit(
            math.exp(best.values[0]), (None, None), wandered, (None, None), lasting, mean(best.values)[1],
            level, chi2, free, tuple(warnings),
        )  # fmt: skip
    bounds = profile_interval(residual, best, "ln t2", level, low=low, high=high)
    wander, time = 0.0, None
    long: tuple[float | None, float | None] = (None, None)
    if diffusion:
        found = profile_interval(residual, best, "diffusion", level, low=low, high=high)
        wander = float(best.values[1]) / longest
        spread = _times((found.low, found.high), 1 / longest)
        sigma = best.sigma[2]
        seen = found.low is not None and found.low > 0
        if seen and sigma is not None and sigma < 1.0 and not best.at_bound[2]:
            time = math.exp(best.values[2])
            of_time = profile_interval(residual, best, "ln time", level, low=low, high=high)
            long = (
                None if of_time.low is None else math.exp(of_time.low),
                None if of_time.high is None else math.exp(of_time.high),
            )
    ends = tuple(None if end is None else math.exp(end) for end in (bounds.low, bounds.high))
    return PcfsFit(
        math.exp(best.values[0]), (ends[0], ends[1]), wander, spread, time,
        mean(best.values)[1], level, chi2, free, tuple(warnings), long, scatter,
    )  # fmt: skip


def _times(ends: tuple[float | None, float | None], factor: float) -> tuple[float | None, float | None]:
    low, high = (None if end is None else end * factor for end in ends)
    return low, high


def expected_pairs(
    record: PcfsRecord, line: Line, bunching: npt.ArrayLike, contrast: float = 1.0
) -> FloatArray:
    """Mean pairs of each position and lag for a line, (m, k); bunching: g2 of each lag, (k,)."""
    unit = _dip(line, record.delay_ps, record.lag_edges_s, contrast, record.fringes_per_s)
    return record.expected * np.asarray(bunching, dtype=float) * unit


def spread_by_lag(
    record: PcfsRecord, line: Line, *, contrast: float = 1.0
) -> tuple[FloatArray, list[float | None]]:
    """s^2(tau) of each lag on its own, with T2 and lines held and g2 free: (k,) and its standard errors.

    No law of diffusion is in it, so that it may be set beside one. (rad/ps)^2; below 0 by chance. Errors are
    widened where positions scatter more than Poisson's; an error is None where pairs are too few to tell.
    """
    from perolux.errors import ConvergenceError

    still = Line(line.t2_ps, 0.0, 1.0, line.offsets_rad_per_ps, line.weights)
    longest = float(np.abs(record.delay_ps).max())
    found: FloatArray = np.zeros(len(record.lag_s))
    errors: list[float | None] = []
    for k in range(len(found)):
        edges = record.lag_edges_s[k : k + 2]
        bare = 1 - _dip(still, record.delay_ps, edges, contrast, record.fringes_per_s)[:, 0]
        pairs, expected = record.pairs[:, k], record.expected[:, k]

        def residual(
            p: FloatArray, bare: FloatArray = bare, pairs: FloatArray = pairs, expected: FloatArray = expected
        ) -> FloatArray:
            mean = expected * (1 - bare * np.exp(-p[0] * (record.delay_ps / longest) ** 2 / 2))
            return poisson_deviance_residuals(pairs, mean * (pairs.sum() / mean.sum()))

        try:
            one = least_squares(residual, [0.5], names=["s2"], low=[-5.0], high=[1e4], scale=[0.5])
        except ConvergenceError:
            errors.append(None)
            continue
        found[k] = one.values[0] / longest**2
        free = len(pairs) - 2
        wider = math.sqrt(max(one.chi2 / free, 1.0)) if free > 0 else 1.0
        errors.append(None if one.sigma[0] is None else wider * one.sigma[0] / longest**2)
    return found, errors


def interferogram(
    record: PcfsRecord, bunching: npt.ArrayLike, *, contrast: float = 1.0
) -> tuple[FloatArray, FloatArray]:
    """E(d, tau) of each position and lag from the counts, and its standard error, (m, k) both.

    E = 2 [1 - pairs/(expected g2)]/c^2; bunching: g2 of each lag, e.g. of `fit_pcfs`.
    """
    scale = record.expected * np.asarray(bunching, dtype=float)
    turned = (
        1.0 if record.fringes_per_s is None else np.cos(2 * math.pi * record.fringes_per_s * record.lag_s)
    )
    share = 2.0 / contrast**2 / turned
    return share * (1 - record.pairs / scale), share * np.sqrt(np.maximum(record.pairs, 1)) / scale


def transform(delay_ps: npt.ArrayLike, values: npt.ArrayLike, zeta_rad_per_ps: npt.ArrayLike) -> FloatArray:
    """p(zeta) = (1/pi) integral_0 E(d) cos(zeta d) dd by the trapezoidal rule, shape (zetas, ...).

    delay_ps: (m,) ascending from 0; values: (m,) or (m, k). Steps above pi/zeta or an E that has not died out
    at the last delay bend p: refused where E(last) exceeds a tenth of E(0).
    """
    d, e = np.asarray(delay_ps, dtype=float), np.asarray(values, dtype=float)
    if d.ndim != 1 or len(d) != len(e) or np.any(np.diff(d) <= 0) or d[0] != 0:
        raise OptionError("delays that do not fit", where="delay_ps", allowed="ascending from 0")
    if np.any(np.abs(e[-1]) > 0.1 * np.abs(e[0])):
        raise ModelRangeError(
            "the interferogram has not died out at its last delay", where="transform", fix="longer delays"
        )
    waves = np.cos(np.asarray(zeta_rad_per_ps, dtype=float)[:, None] * d)
    return np.asarray(np.trapezoid(waves[(...,) + (None,) * (e.ndim - 1)] * e, d, axis=1) / math.pi)
