"""g2(0) of a pulsed source, three ways, each with its interval.

    by pulse     pairs from one pulse over pairs from neighbouring pulses, by the index of the pulse: no
    tails overlap
    by windows   coincidences within half a period of 0 over those about the side peaks: tails leak into the
    centre
    with tails   all peaks fitted at once, side peaks of area A and the centre of area r A, shapes shared

In each, pairs with dark counts are known from the rates and taken off both: with D of them expected in a peak

    C_0 ~ Poisson(r m + D),   C_side ~ Poisson(m + D),   r = g2(0)

and the interval is that of the profile likelihood of r. At low power r is the ratio of the quantum yields of
biexciton and exciton. Side peaks within some microseconds see the same state of a blinking emitter as the
centre, so r is not raised by blinking; how far they stand above unrelated light is told as `bunching`,
<I^2>/<I>^2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.measured.photon_stream import PhotonStream
from perolux.photons.correlation import Sides, sided_chunks, two_sides
from perolux.progress import Progress, silent

__all__ = ["G2Zero", "PulsePairs", "g2_by_pulse", "g2_by_windows", "pairs_by_pulse"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PulsePairs:
    """Pairs of A and B against the difference of their pulses. lag: (2 k + 1,) from -k to k; counts: (2 k +
    1,)."""

    lag: IntArray
    counts: IntArray
    photons: tuple[int, int]
    pulses: float


@dataclass(frozen=True)
class G2Zero:
    """g2(0) and how it came about.

    raw: as counted; corrected: dark counts (and late photons, or tails) taken off, may be negative by
    chance; sigma: of `corrected`; low95, high95: profile likelihood, not below 0; bunching: side peaks over
    unrelated light, None where the rates are not known; centre, side: counts of the central peak and mean
    counts of a side peak.
    """

    raw: float
    corrected: float
    sigma: float
    low95: float
    high95: float
    method: str
    centre: float
    side: float
    side_peaks: int
    bunching: float | None
    notes: tuple[str, ...] = ()


def pairs_by_pulse(
    stream: PhotonStream, *, most: int = 20, sides: Sides | None = None, progress: Progress = silent
) -> PulsePairs:
    """Pairs whose pulses are at most `most` apart. Raises `OptionError` where macro times do not count laser
    pulses."""
    from perolux.photons._correlation_kernels import pulse_pairs

    if not stream.macro_is_sync:
        raise OptionError(
            "its macro times do not count laser pulses",
            where=stream.source.path,
            fix="use pairs() over a window",
        )
    if not 1 <= most <= 100_000:
        raise OptionError(f"{most} side peaks on each side", allowed="1 to 100000")
    a, b = two_sides(stream, sides)
    counts = np.zeros(2 * most + 1, dtype=np.int64)
    held = (np.zeros(0, np.int64), np.zeros(0, np.uint8))
    seen = [0, 0]
    for photons, side in sided_chunks(stream, a, b, progress):
        if not len(photons):
            continue
        sync, both = np.concatenate([held[0], photons.macro]), np.concatenate([held[1], side])
        pulse_pairs(sync, both, len(held[0]), counts)
        seen[0] += int(np.count_nonzero(side == 0))
        seen[1] += int(np.count_nonzero(side == 1))
        keep = sync >= sync[-1] - most
        held = sync[keep], both[keep]
    return PulsePairs(
        np.arange(-most, most + 1), counts, (seen[0], seen[1]), stream.duration_s * 1e9 / stream.macro_tick_ns
    )


def g2_by_pulse(
    pairs: PulsePairs,
    *,
    dark_cps: Sequence[float] = (0.0, 0.0),
    period_ns: float,
    late: float = 0.0,
    skip: int = 0,
) -> G2Zero:
    """g2(0) from pairs by pulse; side peaks from lag skip + 1 to the last.

    dark_cps: of A and B. late: chance that a photon comes after the next pulse and is counted with that one
    (exp(-T/tau) for a single lifetime): with q = 2 late (1 - late) the counted centre is (1 - q) r m + q m +
    D, and the first side peaks are left out. Raises `OptionError` where there are no side pairs, or dark
    counts exceed all counts.
    """
    na, nb = (count / pairs.pulses for count in pairs.photons)
    da, db = (rate * period_ns * 1e-9 for rate in dark_cps)
    if not (0 <= da <= na and 0 <= db <= nb):
        raise OptionError(
            f"dark counts of {dark_cps[0]:g} and {dark_cps[1]:g} a second",
            where="--dark-cps",
            allowed=f"up to all counts, {na / period_ns * 1e9:.4g} and {nb / period_ns * 1e9:.4g} a second",
        )
    if not 0 <= late < 0.5:
        raise OptionError(f"a share of late photons of {late:g}", allowed="0 to 0.5")
    skip = max(skip, 1 if late > 0 else 0)
    beside = np.abs(pairs.lag) > skip
    peaks = int(beside.sum())
    side = float(pairs.counts[beside].sum())
    centre = float(pairs.counts[pairs.lag == 0][0])
    dark = pairs.pulses * (na * db + da * nb - da * db)
    found = ratio_of_peaks(centre, side, peaks, dark, mixed=2 * late * (1 - late))
    unrelated = pairs.pulses * na * nb
    notes = []
    if late > 0:
        notes.append(f"{100 * late:.3g} % of the photons come after the next pulse; corrected")
    return G2Zero(
        **found,
        method="by pulse",
        centre=centre,
        side=side / peaks,
        side_peaks=peaks,
        bunching=side / peaks / unrelated if unrelated else None,
        notes=tuple(notes),
    )


def g2_by_windows(
    tau_ns: npt.ArrayLike,
    counts: npt.ArrayLike,
    *,
    period_ns: float,
    half_window_ns: float | None = None,
    centre_ns: float = 0.0,
    flat_per_bin: float = 0.0,
) -> G2Zero:
    """g2(0) as the ratio of coincidences in windows about 0 and about the side peaks that lie wholly in the
    histogram.

    tau_ns: centres of the bins, (n,); half_window_ns: half a period if left out; flat_per_bin: expected
    pairs with dark counts. Raises `OptionError` where no side window is complete.
    """
    tau, found = np.asarray(tau_ns, dtype=float) - centre_ns, np.asarray(counts, dtype=float)
    half = period_ns / 2 if half_window_ns is None else half_window_ns
    if not 0 < half <= period_ns / 2:
        raise OptionError(f"windows of +-{half:g} ns", allowed=f"up to half the period, {period_ns / 2:g} ns")
    width = float(np.median(np.diff(tau)))
    last = int((min(-tau[0], tau[-1]) + width / 2 - half) // period_ns)
    if last < 1:
        raise OptionError(
            "the histogram holds no whole side peak",
            allowed=f"at least +-{period_ns + half:g} ns",
            fix="take a longer window, or smaller windows about the peaks",
        )
    inside = [np.abs(tau - k * period_ns) < half for k in range(-last, last + 1)]
    sums = np.array([found[where].sum() for where in inside])
    flat = flat_per_bin * float(np.mean([where.sum() for where in inside]))
    beside = np.arange(-last, last + 1) != 0
    ratio = ratio_of_peaks(float(sums[~beside][0]), float(sums[beside].sum()), 2 * last, flat)
    return G2Zero(
        **ratio,
        method=f"by windows of +-{half:g} ns",
        centre=float(sums[~beside][0]),
        side=float(sums[beside].mean()),
        side_peaks=2 * last,
        bunching=None,
        notes=("tails of the neighbouring peaks count with the centre",),
    )


def ratio_of_peaks(
    centre: float, side: float, peaks: int, dark: float, mixed: float = 0.0
) -> dict[str, float]:
    """r with its errors from C_0 ~ Poisson((1 - q) r m + q m + D) and the sum of the sides ~ Poisson(peaks
    (m + D))."""
    from scipy.optimize import brentq, minimize_scalar

    mean = side / peaks - dark
    if mean <= 0:
        raise OptionError(
            f"{side:g} pairs in {peaks} side peaks, of which dark counts bring {dark * peaks:.4g}",
            fix="record longer, or check --dark-cps",
        )
    scale = 1 - mixed
    found = ((centre - dark) / mean - mixed) / scale
    error = math.sqrt(max(centre, 1.0) + ((centre - dark) / mean) ** 2 * side / peaks**2) / mean / scale

    def loss(r: float, m: float) -> float:
        first, second = max((scale * r + mixed) * m + dark, 1e-300), peaks * (m + dark)
        return first - centre * math.log(first) + second - side * math.log(second)

    def profile(r: float) -> float:
        spread = 12 * math.sqrt(side) / peaks + 1e-9 * mean
        return float(
            minimize_scalar(
                lambda m: loss(r, m),
                bounds=(max(mean - spread, 1e-6 * mean), mean + spread),
                method="bounded",
                options={"xatol": 1e-6 * mean},
            ).fun
        )

    best = max(found, 0.0)
    limit = profile(best) + 1.9207294

    def excess(r: float) -> float:
        return profile(r) - limit

    low = 0.0 if best == 0 or excess(0.0) < 0 else float(brentq(excess, 0.0, best, xtol=1e-6))
    far = best + 4 * error
    while excess(far) < 0:
        far += 4 * error
    return {
        "raw": centre / (side / peaks),
        "corrected": found,
        "sigma": error,
        "low95": low,
        "high95": float(brentq(excess, best, far, xtol=1e-6)),
    }
