"""Third-order correlation g3: triples of photons, pulsed and continuous, and its exact limits.

    pulsed        g3(l, m) = <n_A(k) n_B(k + l) n_C(k + m)>/(<n_A> <n_B> <n_C>)
                  g3(0, 0) = <n(n-1)(n-2)>/<n>^3
    continuous    g3(tau1, tau2) = triples/(N_A N_B N_C width^2/T^2),   tau1 = t_B - t_A, tau2 = t_C - t_A

Triples need three detectors. **Two detectors cannot give g3(0, 0)**: two of the three photons would have to
meet one detector within its dead time (tens of ns), and are lost; what is counted there is 0 for any light.
Detectors that do resolve several photons of a pulse (`same_detector=True`) can, one of them is then enough.

Limits, each kept under loss: Poisson light 1; n photons a pulse (n - 1)(n - 2)/n^2, 0 for one or two; N equal
single-photon emitters (1 - 1/N)(1 - 2/N); thermal light of one mode 6. Independent sources of shares w add
their factorial cumulants (`g3_of_independent`), unrelated light among them (`without_background_g3`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.measured.photon_stream import PhotonStream, stream_of_arrays
from perolux.photons.correlation import sided_photons, with_reach
from perolux.progress import Progress, silent

__all__ = ["DarkTriples", "G3Zero", "PulseTriples", "TripleGrid", "g3_of_independent", "g3_zero"]
__all__ += ["split_over", "triples", "triples_by_pulse", "without_background_g3"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PulseTriples:
    """Triples of photons against the distances of their pulses.

    counts: (2 k + 1, 2 k + 1), [k + l, k + m] with l = pulse(b) - pulse(a), m = pulse(c) - pulse(a) of
    detectors a < b < c, summed over all three of the detectors; where the triple spans more than k pulses it
    is not counted (`observed` is False there). orders: how often a triple is counted, 6 where photons are not
    told apart. photons: of each detector.
    """

    most: int
    counts: IntArray
    orders: int
    photons: tuple[int, ...]
    pulses: float

    @property
    def observed(self) -> npt.NDArray[np.bool_]:
        """Whether a pair of distances was counted, shape of counts."""
        lag = np.arange(-self.most, self.most + 1)
        one, two = np.meshgrid(lag, lag, indexing="ij")
        return np.asarray(
            np.maximum(np.maximum(one, two), 0) - np.minimum(np.minimum(one, two), 0) <= self.most
        )

    def distant(self, skip: int = 0) -> npt.NDArray[np.bool_]:
        """Where the three pulses are more than `skip` apart, each from each."""
        lag = np.arange(-self.most, self.most + 1)
        one, two = np.meshgrid(lag, lag, indexing="ij")
        apart = (np.abs(one) > skip) & (np.abs(two) > skip) & (np.abs(one - two) > skip)
        return np.asarray(apart & self.observed)


@dataclass(frozen=True)
class DarkTriples:
    """Expected triples that hold a dark count. mean, variance (from the pairs it rests on): as the counts of
    `PulseTriples`, zero where not observed; light: photons of each detector without dark counts."""

    mean: FloatArray
    variance: FloatArray
    light: tuple[float, ...]


@dataclass(frozen=True)
class G3Zero:
    """g3(0, 0) with its interval, dark counts taken off where they are known. raw: as counted; triples: of
    one pulse, dark_triples: of them expected with a dark count; expected: mean for three unrelated pulses;
    sigma: from both counts and the pairs behind the dark triples; low95, high95: Poisson interval of the
    triples over `expected`, which is taken as known (its own error is in sigma). pair: g3(0, m), two photons
    of one pulse and one of a distant one: g2(0) of light without memory. bunching: distant triples over
    unrelated light."""

    value: float
    sigma: float
    low95: float
    high95: float
    triples: int
    expected: float
    pair: float
    pair_sigma: float
    bunching: float
    detectors: int
    raw: float
    dark_triples: float

    def as_dict(self) -> dict[str, float | int]:
        """Plain JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class TripleGrid:
    """Triples of steady light over tau1 = t_B - t_A and tau2 = t_C - t_A.

    tau_ns: (n,) centres of bins of width_ns of both; counts: (n, n), summed over all three of the detectors,
    a < b < c. photons: of each detector.
    """

    tau_ns: FloatArray
    counts: IntArray
    width_ns: float
    photons: tuple[int, ...]
    duration_s: float

    def g3(self) -> tuple[FloatArray, FloatArray]:
        """g3 and its counting error, each (n, n): counts over those of unrelated light, whose share that the
        record's ends cut off is allowed for. `OptionError` where fewer than three detectors saw light."""
        run = self.duration_s * 1e9
        product = float(sum(math.prod(three) for three in combinations(self.photons, 3)))
        if product == 0:
            raise OptionError("fewer than three detectors have photons: no g3")
        one, two = np.meshgrid(self.tau_ns, self.tau_ns, indexing="ij")
        span = np.maximum(np.maximum(one, two), 0) - np.minimum(np.minimum(one, two), 0)
        expected = product * (self.width_ns / run) ** 2 * (1 - span / run)
        return self.counts / expected, np.sqrt(np.maximum(self.counts, 1)) / expected


def triples_by_pulse(
    stream: PhotonStream,
    *,
    detectors: Sequence[int] | None = None,
    most: int = 8,
    same_detector: bool = False,
    progress: Progress = silent,
) -> PulseTriples:
    """Triples of photons on different detectors whose pulses span at most `most`; of all channels by default.

    same_detector: photons of one detector count with one another, for detectors that resolve several photons
    of a pulse. Raises `OptionError` for fewer than three detectors otherwise, for a record whose macro times
    do not count laser pulses, and where one-detector pairs are missing although same_detector says that they
    are seen.
    """
    from perolux.photons._coincidence_kernels import equal_triples, pulse_triples

    chosen = _detectors(stream, detectors, least=1 if same_detector else 3)
    if not stream.macro_is_sync:
        raise OptionError(
            "its macro times do not count laser pulses", where=stream.source.path, fix="use triples()"
        )
    if not 2 <= most <= 200:
        raise OptionError(f"triples over {most} pulses", allowed="2 to 200")
    counts = np.zeros((2 * most + 1,) * 2, dtype=np.int64)
    held = (np.zeros(0, np.int64), np.zeros(0, np.uint8))
    seen = np.zeros(256, np.int64)
    together = np.zeros(2, np.int64)
    for photons, side in sided_photons(stream, chosen, progress):
        used = side != 255
        sync = np.concatenate([held[0], photons.macro[used]])
        both = np.concatenate([held[1], side[used]])
        new = len(held[0])
        if len(sync) == new:
            continue
        if same_detector:
            equal_triples(sync, new, most, counts)
            together += _neighbours(sync, both, new)
        else:
            pulse_triples(sync, both, new, most, counts)
        seen += np.bincount(side, minlength=256)
        keep = sync >= sync[-1] - most
        held = sync[keep], both[keep]
    if same_detector:
        _must_resolve(int(together[0]), int(together[1]), seen[: len(chosen)], stream)
    return PulseTriples(
        most,
        counts,
        6 if same_detector else 1,
        tuple(int(n) for n in seen[: len(chosen)]),
        stream.duration_s * 1e9 / stream.macro_tick_ns,
    )


def g3_zero(found: PulseTriples, *, skip: int = 0, dark: DarkTriples | None = None) -> G3Zero:
    """g3(0, 0) over triples of distant pulses, more than `skip` apart from one another.

    (C - C_dark)/(F - F_dark), C of one pulse and F the mean of distant ones. skip: 1 where light of one pulse
    comes after the next. dark: of `third_order_dark.dark_triples`, none if left out. The interval is exact
    for a Poisson count, so that no triple at all still gives an upper limit; the value may fall below 0 by
    chance where dark counts bring triples, the interval does not. Raises `OptionError` where there are no
    distant triples.

    >>> counts = np.full((5, 5), 100); counts[2, 2] = 1
    >>> one = g3_zero(PulseTriples(2, counts, 1, (1000, 1000, 1000), 1e4))
    >>> one.value, round(one.high95, 3)
    (0.01, 0.056)
    """
    from scipy.stats import chi2

    k = found.most
    far = found.distant(skip)
    none = np.zeros(found.counts.shape)
    accidental, doubt = (none, none) if dark is None else (dark.mean, dark.variance)
    net = found.counts - accidental
    beside = int(found.counts[far].sum())
    distant = float(net[far].sum())
    if beside == 0 or not far.any() or distant <= 0:
        raise OptionError(
            "no triples of distant pulses to compare with"
            + ("" if beside == 0 else f" beyond the {beside - distant:.3g} that dark counts bring"),
            fix="record longer, or take more pulses (most)",
        )
    expected = distant / int(far.sum())
    whole = int(found.counts[k, k]) // found.orders
    off = float(accidental[k, k])
    unit = found.orders / expected
    value = (whole - off) * unit
    # one triple far from the centre fills `orders` places of the grid
    share = found.orders * beside / distant**2
    sigma = math.sqrt((max(whole, 1) + float(doubt[k, k])) * unit**2 + value**2 * share)
    low = max(float(chi2.ppf(0.025, 2 * whole)) / 2 - off, 0.0) * unit if whole else 0.0
    high = max(float(chi2.ppf(0.975, 2 * whole + 2)) / 2 - off, 0.0) * unit
    lag = np.arange(-k, k + 1)
    one, two = np.meshgrid(lag, lag, indexing="ij")
    zeros = (one == 0).astype(int) + (two == 0) + (one == two)
    edge = np.maximum(np.abs(one), np.abs(two)) > skip
    beside_one = (zeros == 1) & edge & found.observed
    pair_count = int(found.counts[beside_one].sum())
    pair_unit = 1 / int(beside_one.sum()) / expected
    pair = float(net[beside_one].sum()) * pair_unit
    light = tuple(map(float, found.photons)) if dark is None else dark.light
    if found.orders == 1:
        unrelated = sum(math.prod(three) for three in combinations(light, 3)) / found.pulses**2
    else:
        unrelated = sum(light) ** 3 / found.pulses**2
    return G3Zero(
        value=value,
        sigma=sigma,
        low95=low,
        high95=high,
        triples=whole,
        expected=expected,
        pair=pair,
        pair_sigma=math.sqrt(found.orders * max(pair_count, 1) * pair_unit**2 + pair**2 * share),
        bunching=expected / unrelated,
        detectors=len(found.photons),
        raw=whole * found.orders * int(far.sum()) / beside,
        dark_triples=off,
    )


def triples(
    stream: PhotonStream,
    *,
    window_ns: float,
    width_ns: float,
    detectors: Sequence[int] | None = None,
    progress: Progress = silent,
) -> TripleGrid:
    """All triples of photons on three detectors with |tau1|, |tau2| <= window_ns, in bins of width_ns.

    The middle bins are centred on 0. Memory does not grow with the record; time grows with the square of the
    photons in two windows. Raises `OptionError` for fewer than three detectors, a window below the width, or
    more than 2001 bins.
    """
    from perolux.photons._coincidence_kernels import triple_grid

    chosen = _detectors(stream, detectors, least=3)
    half = math.ceil(window_ns / width_ns - 0.5) if width_ns > 0 else 0
    if not (0 < width_ns <= window_ns) or half > 1000:
        raise OptionError(
            f"a window of {window_ns:g} ns in bins of {width_ns:g} ns",
            allowed="width up to window, 2001 bins",
        )
    counts = np.zeros((2 * half + 1,) * 2, dtype=np.int64)
    span = (half + 0.5) * width_ns
    seen = np.zeros(256, np.int64)
    chunks = sided_photons(stream, chosen, progress)
    for macro, fine, side, first in with_reach(chunks, 2 * span, stream):
        triple_grid(macro, fine, side, stream.macro_tick_ns, span, first, width_ns, counts)
        seen += np.bincount(side[first:], minlength=256)
    return TripleGrid(
        width_ns * np.arange(-half, half + 1, dtype=float),
        counts,
        width_ns,
        tuple(int(n) for n in seen[: len(chosen)]),
        stream.duration_s,
    )


def g3_of_independent(
    shares: npt.ArrayLike, g2: npt.ArrayLike = 0.0, g3: npt.ArrayLike = 0.0
) -> tuple[float, float]:
    """g2(0) and g3(0, 0) of independent sources: factorial cumulants add.

    g2 - 1 = sum w^2 (g2_i - 1),   g3 - 3 g2 + 2 = sum w^3 (g3_i - 3 g2_i + 2);   shares w of the light, sum 1

    >>> [round(x, 12) for x in g3_of_independent([0.25] * 4)]  # (1 - 1/N), (1 - 1/N)(1 - 2/N)
    [0.75, 0.375]
    """
    w = np.atleast_1d(np.asarray(shares, dtype=float))
    second, third = np.broadcast_to(g2, w.shape), np.broadcast_to(g3, w.shape)
    if w.ndim != 1 or np.any(w < 0) or abs(w.sum() - 1) > 1e-9:
        raise OptionError("shares of the light that do not fit", allowed="0 or more, sum 1")
    pair = 1 + float(np.sum(w**2 * (second - 1)))
    return pair, float(np.sum(w**3 * (third - 3 * second + 2))) + 3 * pair - 2


def without_background_g3(g3: float, g2: float, rho: float) -> tuple[float, float]:
    """g2(0) and g3(0, 0) of a source beside unrelated light, rho its share of the counts; exact.

    >>> g2, g3 = g3_of_independent([0.8, 0.2], [0.1, 1.0], [0.02, 1.0])
    >>> [round(x, 12) for x in without_background_g3(g3, g2, 0.8)]
    [0.1, 0.02]
    """
    if not 0 < rho <= 1:
        raise OptionError(f"a share of the signal of {rho:g}", where="rho", allowed="above 0, at most 1")
    second = 1 - (1 - g2) / rho**2
    return second, (g3 - 3 * g2 + 2) / rho**3 + 3 * second - 2


def split_over(stream: PhotonStream, shares: Sequence[float], rng: np.random.Generator) -> PhotonStream:
    """A record in memory with each photon sent to one of several detectors by chance: beam splitters.

    shares: of channel 0, 1, ..., sum 1. The former channels are lost. Dead time is that of the record.
    """
    w = np.asarray(shares, dtype=float)
    if not 2 <= len(w) <= 255 or np.any(w < 0) or abs(w.sum() - 1) > 1e-9:
        raise OptionError("shares of the detectors that do not fit", allowed="2 to 255, 0 or more, sum 1")
    photons = stream.load()
    channel = np.minimum(np.searchsorted(np.cumsum(w), rng.random(len(photons)), side="right"), len(w) - 1)
    made = stream_of_arrays(
        photons.macro,
        channel,
        macro_tick_ns=stream.macro_tick_ns,
        duration_s=stream.duration_s,
        nanotime=photons.nanotime,
        nanotime_bin_ns=stream.nanotime_bin_ns,
        sync_period_ns=stream.sync_period_ns,
        macro_is_sync=stream.macro_is_sync,
        source=stream.source,
    )
    return replace(made, notes=stream.notes, header=stream.header)


def _detectors(stream: PhotonStream, detectors: Sequence[int] | None, least: int) -> tuple[int, ...]:
    chosen = stream.channels if detectors is None else tuple(detectors)
    if len(set(chosen)) != len(chosen) or any(not 0 <= c < 255 for c in chosen):
        raise OptionError("channels that are not separate detectors", allowed="each once, 0 to 254")
    if len(chosen) < least:
        raise OptionError(
            f"{len(chosen)} detectors cannot give g3: two of three photons would have to meet one detector "
            "within its dead time, and are lost",
            where=stream.source.path,
            allowed="three detectors or more, or ones that resolve several photons of a pulse",
            fix="put a second beam splitter and a third detector in place; for resolving detectors say "
            "same_detector=True",
        )
    return chosen


def _neighbours(sync: IntArray, side: npt.NDArray[np.uint8], new: int) -> IntArray:
    """Neighbouring photons of one pulse: on one detector, on two; (2,)."""
    first = max(new - 1, 0)
    together = np.diff(sync[first:]) == 0
    same = np.diff(side[first:].astype(int)) == 0
    return np.array([np.count_nonzero(together & same), np.count_nonzero(together & ~same)])


def _must_resolve(one: int, two: int, photons: IntArray, stream: PhotonStream) -> None:
    """`OptionError` where pairs of one pulse on one detector are missing against those on two detectors."""
    share = float(np.sum((photons / max(photons.sum(), 1)) ** 2))
    wanted = two * share / (1 - share) if share < 1 else 0.0
    if wanted > 20 and one < 0.5 * wanted:
        raise OptionError(
            f"{one} pairs of one pulse on one detector, {wanted:.0f} expected: dead time swallows them",
            where=stream.source.path,
            allowed="same_detector=True only for detectors that resolve several photons of a pulse",
            fix="leave it out; g3(0, 0) needs three detectors",
        )
