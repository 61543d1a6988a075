"""Time-tagged photons of one nanocrystal by Monte Carlo, with the truth beside them.

    pulsed      P(1) = m - g m^2, P(2) = g m^2/2     m = rate x period detected photons a pulse, g = g2(0)
    continuous  wait for excitation + lifetime, again and again: g2 = 1 - exp(-(1/wait + 1/lifetime) tau),
                beside steady light of the share 1 - sqrt(1 - g)

The emitter walks between levels of brightness (`dwells`), each with its rate and lifetime. Behind it stand
the beam splitter, jitter, dark counts, dead time and afterpulsing of the detectors. More than two photons a
pulse are left out: their probability is of order (g m)^2 m.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError, Problem
from perolux.measured.photon_stream import PhotonStream, stream_of_arrays
from perolux.measured.records import FileSource
from perolux.photons.dwells import DwellLaw, walk

__all__ = ["AlternatingStream", "Detectors", "Level", "SimulatedStream", "alternating_stream"]
__all__ += ["simulate_stream"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
_MOST_PHOTONS = 100_000_000  # some 65 bytes each
_SLICE_NS = 1e6  # cells of a continuous record: a millisecond, fine to 1e-10 ns


@dataclass(frozen=True)
class Level:
    """One state of brightness: rate_cps, detected photons per s on all detectors together; lifetime_ns."""

    rate_cps: float
    lifetime_ns: float


@dataclass(frozen=True)
class Detectors:
    """Two detectors behind a beam splitter (channels 0 and 1).

    split: share of the photons that goes to channel 0, 1 for one detector. jitter_ns: standard deviation of
    the timing, Gaussian. dark_cps: dark counts of each. dead_time_ns: blind time after a count, not prolonged
    by what it swallows. afterpulse: probability that a count brings another, exponential with mean
    afterpulse_ns from the end of the blind time.
    """

    split: float = 0.5
    jitter_ns: float = 0.0
    dark_cps: tuple[float, float] = (0.0, 0.0)
    dead_time_ns: float = 0.0
    afterpulse: float = 0.0
    afterpulse_ns: float = 50.0

    def __post_init__(self) -> None:
        problems = []
        if not 0 <= self.split <= 1:
            problems.append(Problem(f"a split of {self.split:g}", "split", "0 to 1, share of channel 0"))
        if not 0 <= self.afterpulse < 0.5:
            problems.append(Problem(f"afterpulsing of {self.afterpulse:g}", "afterpulse", "0 to below 0.5"))
        if not (math.isfinite(self.afterpulse_ns) and self.afterpulse_ns > 0):
            problems.append(Problem("a mean delay that is not positive", "afterpulse_ns", "above 0 ns"))
        rest = {"jitter_ns": self.jitter_ns, "dead_time_ns": self.dead_time_ns}
        rest |= {f"dark_cps of channel {k}": one for k, one in enumerate(self.dark_cps)}
        problems += [
            Problem(f"{name} is {value:g}", name, "0 or more")
            for name, value in rest.items()
            if not (math.isfinite(value) and value >= 0)
        ]
        if len(self.dark_cps) != 2:
            problems.append(Problem("dark counts of two detectors", "dark_cps", "two numbers"))
        if problems:
            raise OptionError(problems)


@dataclass(frozen=True)
class SimulatedStream:
    """Photons and their truth: dwell k lasts from ends_s[k] to ends_s[k + 1] in level states[k]."""

    stream: PhotonStream
    levels: tuple[Level, ...]
    ends_s: FloatArray
    states: IntArray

    @property
    def changes_s(self) -> FloatArray:
        """Times at which the level changed."""
        return self.ends_s[1:-1]

    def share_of_time(self) -> FloatArray:
        """Part of the record spent in each level, shape (levels,), sum 1."""
        spent = np.bincount(self.states, weights=np.diff(self.ends_s), minlength=len(self.levels))
        return np.asarray(spent / spent.sum())

    def blinking_factor(self) -> float:
        """<I^2>/<I>^2 over the record: by it side peaks closer than the dwells exceed distant ones."""
        rate = np.array([level.rate_cps for level in self.levels])
        share = self.share_of_time()
        return float(share @ rate**2 / (share @ rate) ** 2)


def simulate_stream(
    levels: Sequence[Level | tuple[float, float]],
    *,
    duration_s: float,
    rng: np.random.Generator,
    sync_period_ns: float | None = None,
    tick_ns: float = 0.016,
    dwell: DwellLaw | Sequence[DwellLaw] | None = None,
    jumps: npt.ArrayLike | None = None,
    start: int | None = None,
    g2_zero: float = 0.0,
    biexciton_lifetime_ns: float | None = None,
    efficiency: float = 1.0,
    pulse_at_ns: float = 0.0,
    detectors: Detectors | None = None,
) -> SimulatedStream:
    """Photons of an emitter as a record of them, T3 with sync_period_ns (pulsed), T2 without (continuous).

    levels: (rate_cps, lifetime_ns) of each state of brightness; dwell: law of the time in each (one for all,
    or one each; None only for one level), jumps and start as in `dwells.walk`. tick_ns: nanotime bin (T3) or
    macro tick (T2). pulse_at_ns: the pulse after the sync, T3.

    g2_zero: pulsed, central over distant peak area of a level at one brightness; of two photons the first is
    the biexciton's where biexciton_lifetime_ns is given, and the second follows it with the level's lifetime;
    otherwise both come on their own. Continuous: 1 - rho^2, from unrelated light of that share.
    efficiency: share of the emitted photons that is detected, continuous only: it sets the wait for
    excitation, efficiency/rate - lifetime, and with it the rise of g2.

    rate_cps counts photons before dark counts, dead time and afterpulsing. Equal seeds give equal records.
    Raises `OptionError` with all problems: rates that a pulse or the lifetime cannot give, missing laws, more
    than 1e8 photons. A level starts in the ground state.

    >>> rng = np.random.default_rng(1)
    >>> made = simulate_stream([(5e4, 8.0)], duration_s=0.2, rng=rng, sync_period_ns=200.0, g2_zero=0.1)
    >>> abs(len(made.stream) - 10_000) < 500, made.stream.macro_is_sync
    (True, True)
    """
    states = tuple(level if isinstance(level, Level) else Level(*level) for level in levels)
    detectors = Detectors() if detectors is None else detectors
    laws = _laws(dwell, len(states))
    _check(states, laws, duration_s, sync_period_ns, tick_ns, g2_zero, biexciton_lifetime_ns, efficiency)
    ends, visited = (
        walk(laws, duration_s, rng, jumps=jumps, start=start)
        if laws
        else (np.array([0.0, duration_s]), np.zeros(1, np.int64))
    )
    if sync_period_ns is not None:
        cells = int(duration_s * 1e9 / sync_period_ns * (1 + 1e-12))
        cell_ns = sync_period_ns
        cell, fine = _pulsed(
            states, ends, visited, cells, cell_ns, g2_zero, biexciton_lifetime_ns, pulse_at_ns, rng
        )
    else:
        cell_ns = _SLICE_NS
        cells = math.ceil(duration_s * 1e9 / cell_ns)
        cell, fine = _continuous(states, ends, visited, g2_zero, efficiency, rng)
    cell, fine, channel = recorded(cell, fine, cells, cell_ns, duration_s, detectors, rng)
    source = FileSource("simulated photons", "", "simulation")
    if sync_period_ns is not None:
        stream = stream_of_arrays(
            cell,
            channel,
            macro_tick_ns=sync_period_ns,
            duration_s=duration_s,
            nanotime=(fine / tick_ns).astype(np.int32),
            nanotime_bin_ns=tick_ns,
            sync_period_ns=sync_period_ns,
            macro_is_sync=True,
            source=source,
            notes=("simulated",),
        )
    else:
        ticks = np.floor(cell * (cell_ns / tick_ns) + fine / tick_ns).astype(np.int64)
        stream = stream_of_arrays(
            ticks, channel, macro_tick_ns=tick_ns, duration_s=duration_s, source=source, notes=("simulated",)
        )
    return SimulatedStream(stream, states, ends, visited)


def _laws(dwell: DwellLaw | Sequence[DwellLaw] | None, count: int) -> tuple[DwellLaw, ...]:
    if dwell is None:
        if count > 1:
            raise OptionError(
                f"{count} levels and no law of their dwells",
                where="dwell",
                allowed="one law for all levels, or one each",
                fix="dwell=Exponential(0.05), or a list of laws",
            )
        return ()
    laws = tuple(dwell) if isinstance(dwell, Sequence) else (dwell,) * count
    if len(laws) != count:
        raise OptionError(f"{len(laws)} laws for {count} levels", where="dwell", allowed="one each")
    return laws


def _pulsed(
    levels: tuple[Level, ...],
    ends_s: FloatArray,
    visited: IntArray,
    cells: int,
    period_ns: float,
    g2_zero: float,
    pair_ns: float | None,
    pulse_at_ns: float,
    rng: np.random.Generator,
) -> tuple[IntArray, FloatArray]:
    from perolux.photons._stream_kernels import pulsed_photons

    first = np.minimum(np.ceil(ends_s * 1e9 / period_ns - 1e-9).astype(np.int64), cells)
    mean = np.array([level.rate_cps * period_ns * 1e-9 for level in levels])
    expected = float(np.sum(np.diff(first) * mean[visited]))
    cell, fine = _space(expected)
    count = 0
    for k, state in enumerate(visited):
        m = mean[state]
        two = g2_zero * m * m / 2
        lifetime = levels[state].lifetime_ns
        count = pulsed_photons(
            rng, first[k], first[k + 1], m - 2 * two, two, lifetime,
            -1.0 if pair_ns is None else pair_ns, lifetime, cell, fine, count,
        )  # fmt: skip
        _must_fit(count)
    return cell[:count], fine[:count] + pulse_at_ns


def _continuous(
    levels: tuple[Level, ...],
    ends_s: FloatArray,
    visited: IntArray,
    g2_zero: float,
    efficiency: float,
    rng: np.random.Generator,
) -> tuple[IntArray, FloatArray]:
    from perolux.photons._stream_kernels import continuous_photons

    rate = np.array([level.rate_cps for level in levels])
    own = math.sqrt(1.0 - g2_zero)
    cell, fine = _space(float(np.sum(np.diff(ends_s) * rate[visited])))
    count = 0
    for k, state in enumerate(visited):
        level = levels[state]
        low, high = ends_s[k] * 1e9, ends_s[k + 1] * 1e9
        if level.rate_cps * own > 0:
            wait = efficiency * 1e9 / (level.rate_cps * own) - level.lifetime_ns
            count = continuous_photons(
                rng, low, high, wait, level.lifetime_ns, efficiency, _SLICE_NS, cell, fine, count
            )
            _must_fit(count)
        others = rng.poisson(level.rate_cps * (1.0 - own) * (high - low) * 1e-9)
        if others:
            if count + others > len(cell):
                _must_fit(-1)
            time = low + (high - low) * rng.random(others)
            at = np.floor(time / _SLICE_NS).astype(np.int64)
            cell[count : count + others] = at
            fine[count : count + others] = time - at * _SLICE_NS
            count += others
    return cell[:count], fine[:count]


def _space(expected: float) -> tuple[IntArray, FloatArray]:
    # counts spread by less than sqrt(2 m): twenty times that is never reached
    room = int(expected + 20 * math.sqrt(2 * expected) + 1000)
    return np.empty(room, np.int64), np.empty(room)


def _must_fit(count: int) -> None:
    if count < 0:
        raise AssertionError("more photons than twenty standard deviations allow")


def recorded(
    cell: IntArray,
    fine: FloatArray,
    cells: int,
    cell_ns: float,
    duration_s: float,
    detectors: Detectors,
    rng: np.random.Generator,
) -> tuple[IntArray, FloatArray, npt.NDArray[np.uint8]]:
    """Beam splitter, jitter, dark counts, order of arrival, dead time, afterpulses."""
    from perolux.photons._stream_kernels import detect, fold

    if detectors.split == 1.0:
        channel = np.zeros(len(cell), np.uint8)
    else:
        channel = (rng.random(len(cell), dtype=np.float32) >= detectors.split).astype(np.uint8)
    if detectors.jitter_ns:
        fine = fine + detectors.jitter_ns * rng.standard_normal(len(fine))
    fold(cell, fine, cell_ns)
    for k, dark in enumerate(detectors.dark_cps):
        extra = rng.poisson(dark * duration_s)
        if extra:
            cell = np.concatenate([cell, rng.integers(0, cells, extra)])
            fine = np.concatenate([fine, cell_ns * rng.random(extra)])
            channel = np.concatenate([channel, np.full(extra, k, np.uint8)])
    time = cell * cell_ns + fine
    # Nearly in order already: a stable sort merges the runs.
    order = np.argsort(time, kind="stable")
    order = order[(cell[order] >= 0) & (cell[order] < cells) & (time[order] < duration_s * 1e9)]
    cell, fine, channel = cell[order], fine[order], channel[order]
    if detectors.dead_time_ns or detectors.afterpulse:
        room = int(len(cell) / (1 - detectors.afterpulse) * 1.01 + 20 * math.sqrt(len(cell) + 1) + 1000)
        out = np.empty(room, np.int64), np.empty(room), np.empty(room, np.uint8)
        count = detect(
            rng, cell, fine, channel, cell_ns, detectors.dead_time_ns,
            detectors.afterpulse, detectors.afterpulse_ns, *out,
        )  # fmt: skip
        _must_fit(count)
        cell, fine, channel = out[0][:count], out[1][:count], out[2][:count]
        inside = (cell < cells) & (cell * cell_ns + fine < duration_s * 1e9)
        cell, fine, channel = cell[inside], fine[inside], channel[inside]
    return cell, fine, channel


def _check(
    levels: tuple[Level, ...],
    laws: tuple[DwellLaw, ...],
    duration_s: float,
    period_ns: float | None,
    tick_ns: float,
    g2_zero: float,
    pair_ns: float | None,
    efficiency: float,
) -> None:
    problems = []
    if not levels:
        problems.append(Problem("no levels", "levels", "at least one (rate_cps, lifetime_ns)"))
    for name, value in (("duration_s", duration_s), ("tick_ns", tick_ns), ("sync_period_ns", period_ns)):
        if value is not None and not (math.isfinite(value) and value > 0):
            problems.append(Problem(f"{name} is {value:g}", name, "a positive number"))
    if not (math.isfinite(g2_zero) and g2_zero >= 0):
        problems.append(Problem(f"a g2(0) of {g2_zero:g}", "g2_zero", "0 or more"))
    if not 0 < efficiency <= 1:
        problems.append(Problem(f"an efficiency of {efficiency:g}", "efficiency", "above 0, at most 1"))
    if pair_ns is not None and not (math.isfinite(pair_ns) and pair_ns >= 0):
        problems.append(Problem(f"a lifetime of {pair_ns:g} ns", "biexciton_lifetime_ns", "0 or more"))
    if period_ns is None and g2_zero >= 1:
        problems.append(Problem(f"a g2(0) of {g2_zero:g} in steady light", "g2_zero", "0 to below 1"))
    if period_ns is None and pair_ns is not None:
        problems.append(
            Problem("biexcitons are for pulsed light", "biexciton_lifetime_ns", "with sync_period_ns")
        )
    if period_ns is not None and efficiency != 1.0:
        problems.append(
            Problem("an efficiency has no effect on pulsed light", "efficiency", "without sync_period_ns")
        )
    for k, level in enumerate(levels):
        where = f"levels[{k}]"
        if not (math.isfinite(level.rate_cps) and level.rate_cps >= 0):
            problems.append(Problem(f"a rate of {level.rate_cps:g} cps", where, "0 or more"))
        elif not (math.isfinite(level.lifetime_ns) and level.lifetime_ns > 0):
            problems.append(Problem(f"a lifetime of {level.lifetime_ns:g} ns", where, "a positive number"))
        elif not problems and period_ns is not None:
            mean = level.rate_cps * period_ns * 1e-9
            if g2_zero * mean > 1 or mean - g2_zero * mean**2 / 2 > 1:
                problems.append(
                    Problem(
                        f"{mean:.3g} photons a pulse with g2(0) = {g2_zero:g} are not possible",
                        where,
                        "a mean m with g m <= 1 and m - g m^2/2 <= 1",
                        "lower the rate, or shorten the period",
                    )
                )
        elif not problems and level.rate_cps:
            most = efficiency * 1e9 / level.lifetime_ns
            if level.rate_cps * math.sqrt(1 - g2_zero) >= most:
                problems.append(
                    Problem(
                        f"{level.rate_cps:.4g} cps from a lifetime of {level.lifetime_ns:g} ns",
                        where,
                        f"below efficiency/lifetime = {most:.4g} cps",
                    )
                )
    if not problems and max(level.rate_cps for level in levels) * duration_s > _MOST_PHOTONS:
        problems.append(
            Problem("more than 1e8 photons do not go into memory at once", "duration_s", "fewer photons")
        )
    if problems:
        raise OptionError(problems)


@dataclass(frozen=True)
class AlternatingStream:
    """Arrival times in s, ascending, (n,), the true times of change (m,), and the rates that alternate."""

    time_s: FloatArray
    changes_s: FloatArray
    rates_cps: tuple[float, float]


def alternating_stream(
    rng: np.random.Generator | int,
    *,
    rates_cps: tuple[float, float] = (2e4, 8e4),
    mean_dwell_s: float = 0.05,
    photons: int = 1_000_000,
) -> AlternatingStream:
    """A Poisson stream whose rate alternates: the standard test of a search for changes.

    The order of the draws is fixed, so that others can make the same photons. For dwell k = 0, 1, 2 ...:
    dwell = rng.exponential(mean_dwell_s); n = rng.poisson(rates_cps[k % 2] * dwell); times = end of the dwell
    before + sort(dwell * rng.random(n)). It stops after the dwell that reaches `photons`, and is cut to that
    number; changes are the ends of dwells that lie before the last photon. rng: a generator, or k for
    numpy.random.default_rng(k).

    >>> made = alternating_stream(0, photons=20_000)
    >>> len(made.time_s), bool((made.time_s[1:] >= made.time_s[:-1]).all())
    (20000, True)
    """
    if isinstance(rng, int):
        rng = np.random.default_rng(rng)
    if photons < 1 or min(rates_cps) < 0 or max(rates_cps) <= 0 or mean_dwell_s <= 0:
        raise OptionError(
            "no such stream", allowed="photons >= 1, rates of 0 or more (one above), a positive mean dwell"
        )
    parts: list[FloatArray] = []
    ends: list[float] = []
    end, have = 0.0, 0
    while have < photons:
        dwell = float(rng.exponential(mean_dwell_s))
        count = int(rng.poisson(rates_cps[len(ends) % 2] * dwell))
        parts.append(end + np.sort(dwell * rng.random(count)))
        end += dwell
        ends.append(end)
        have += count
    time = np.concatenate(parts)[:photons]
    changes = np.array(ends)
    return AlternatingStream(time, changes[changes < time[-1]], rates_cps)
