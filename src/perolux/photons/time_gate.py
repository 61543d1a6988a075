"""g2(0) of photons in a gate after the pulse, and the biexciton's quantum yield by area and by gate.

    g2(0; t0)   from photons with t0 <= nanotime < stop only
    cascade     g2(0; t0) = g2(0) exp[-(t0 - pulse)(1/tau_BX - 2/tau_X)]       low power, one exciton lifetime
    yields      g2(0) = eta_BX/eta_X                                          low power, area of all pairs

Of a pair from one pulse the earlier photon is the biexciton's, and both pass the gate if it does. It falls
faster than a pair of exciton photons from two pulses where tau_BX < tau_X/2, so that a gate lowers g2(0): a
purer source, at the price of light. What does not fall (two emitters, background) is no biexciton.

The yield from a gate alone takes the pairs of one pulse whose earlier photon comes after t0, fits their decay
(tau_BX, one exponential) and goes back to the pulse: a check of the area that does not use what happens at
the pulse (scattered laser light, cross-talk of detectors), with a larger error. Nanotimes count from the
sync, as in the picture of the decays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError
from perolux.fitting import least_squares, poisson_deviance_residuals
from perolux.measured.photon_stream import PhotonStream
from perolux.photons.correlation import Sides, sided_chunks, two_sides
from perolux.photons.pulsed_g2 import G2Zero, ratio_of_peaks
from perolux.progress import Progress, silent

__all__ = ["GatedPairs", "GatedYield", "expected_gated_g2", "g2_in_gate", "gated_pairs", "yield_by_gate"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

LEAST_PAIRS = 20
"""Pairs of one pulse behind the gate's start that a biexciton's lifetime needs."""


@dataclass(frozen=True)
class GatedPairs:
    """Pairs of A and B by the earlier of their nanotimes, counted once for all starts of a gate.

    edges_ns: (k + 1,) from the first start to the stop; centre, beside: (k,) pairs of one pulse, and of
    `side_peaks` neighbouring distances together; photons: (2, k) of A and B.
    """

    edges_ns: FloatArray
    centre: IntArray
    beside: IntArray
    side_peaks: int
    photons: IntArray
    pulses: float
    period_ns: float

    def behind(self, values: npt.NDArray[Any]) -> FloatArray:
        """Sums from each start on, shape (..., k)."""
        return np.asarray(np.cumsum(values[..., ::-1], axis=-1)[..., ::-1], dtype=float)

    def dark_pairs(self, dark_cps: Sequence[float]) -> FloatArray:
        """Expected pairs of one distance with a dark count, both photons from each start on; (k,)."""
        na, nb = self.behind(self.photons) / self.pulses
        open_ns = self.edges_ns[-1] - self.edges_ns[:-1]
        da, db = (rate * 1e-9 * open_ns for rate in dark_cps)
        return np.asarray(self.pulses * (na * db + da * nb - da * db))


@dataclass(frozen=True)
class GatedYield:
    """Biexciton over exciton quantum yield from pairs behind the gate's start alone.

    lifetime_ns: of the biexciton; pairs: of one pulse behind from_ns; share_kept: of all pairs of one pulse.
    """

    value: float
    sigma: float
    from_ns: float
    pulse_ns: float
    lifetime_ns: float
    lifetime_sigma: float | None
    pairs: int
    share_kept: float

    def as_dict(self) -> dict[str, float | int | None]:
        """Plain JSON."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def gated_pairs(
    stream: PhotonStream,
    starts_ns: npt.ArrayLike,
    *,
    stop_ns: float | None = None,
    most: int = 20,
    skip: int = 0,
    sides: Sides | None = None,
    progress: Progress = silent,
) -> GatedPairs:
    """Pairs for gates that begin at each of starts_ns, ascending, and end at stop_ns (the period), one pass.

    most, skip: side peaks from skip + 1 to most on each side. Starts and stop are taken to whole nanotime
    bins. Raises `OptionError` for a record without nanotimes or pulses, and gates outside the period.
    """
    from perolux.photons._coincidence_kernels import gated_pairs as kernel

    bin_ns = stream.nanotime_bin_ns
    if bin_ns is None or not stream.macro_is_sync:
        raise OptionError(
            "the record has no nanotimes after counted pulses: no time gate", where=stream.source.path
        )
    period = stream.needs_sync_period()
    stop = period if stop_ns is None else stop_ns
    given = np.atleast_1d(np.asarray(starts_ns, dtype=float))
    edges = np.rint(np.append(given, stop) / bin_ns).astype(np.int64)
    if given.ndim != 1 or not np.isfinite(given).all() or given[0] < 0 or stop > period * (1 + 1e-9):
        raise OptionError(f"a gate from {given[0]:g} to {stop:g} ns", allowed=f"within 0 to {period:g} ns")
    if np.any(np.diff(edges) <= 0):
        raise OptionError(
            "gates that do not begin one after the other, or end before they begin",
            allowed=f"ascending, at least {bin_ns:g} ns apart",
        )
    if not 0 <= skip < most <= 100_000:
        raise OptionError(f"side peaks from {skip + 1} to {most}", allowed="at least one, up to 100000")
    a, b = two_sides(stream, sides)
    centre, beside = (np.zeros(len(given), np.int64) for _ in range(2))
    photons_in = np.zeros((2, len(given)), np.int64)
    sync, nano, both = np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros(0, np.uint8)
    for photons, side in sided_chunks(stream, a, b, progress):
        assert photons.nanotime is not None
        for k in (0, 1):
            photons_in[k] += np.histogram(photons.nanotime[side == k], edges)[0]
            # the last bin of numpy holds its right edge
            photons_in[k, -1] -= np.count_nonzero(photons.nanotime[side == k] == edges[-1])
        used = (side != 2) & (photons.nanotime >= edges[0]) & (photons.nanotime < edges[-1])
        new = len(sync)
        sync = np.concatenate([sync, photons.macro[used]])
        nano = np.concatenate([nano, photons.nanotime[used]])
        both = np.concatenate([both, side[used]])
        if len(sync) == new:
            continue
        kernel(sync, nano, both, new, edges, edges[-1], most, skip, centre, beside)
        keep = sync >= sync[-1] - most
        sync, nano, both = sync[keep], nano[keep], both[keep]
    return GatedPairs(
        np.asarray(edges * bin_ns, dtype=float),
        centre,
        beside,
        2 * (most - skip),
        photons_in,
        stream.duration_s * 1e9 / stream.macro_tick_ns,
        period,
    )


def g2_in_gate(
    found: GatedPairs, *, dark_cps: Sequence[float] = (0.0, 0.0), late: float = 0.0
) -> tuple[G2Zero | None, ...]:
    """g2(0) for each start of the gate, None where no side pairs are left; values share photons.

    late: chance that a photon comes after the next pulse, as in `g2_by_pulse`; for one lifetime it is the
    same in every gate. Dark counts are those that fall into the gate. Raises `OptionError` where they exceed
    the counts of the whole gate.
    """
    dark = found.dark_pairs(dark_cps)
    centre, beside = found.behind(found.centre), found.behind(found.beside)
    singles = found.behind(found.photons)
    open_s = (found.edges_ns[-1] - found.edges_ns[:-1]) * 1e-9 * found.pulses
    if singles[0, 0] < dark_cps[0] * open_s[0] or singles[1, 0] < dark_cps[1] * open_s[0]:
        raise OptionError(
            f"dark counts of {dark_cps[0]:g} and {dark_cps[1]:g} a second",
            where="--dark-cps",
            allowed=f"up to those in the gate, {singles[0, 0] / open_s[0]:.4g} and "
            f"{singles[1, 0] / open_s[0]:.4g} a second",
        )
    made: list[G2Zero | None] = []
    for k in range(len(centre)):
        try:
            ratio = ratio_of_peaks(
                centre[k], beside[k], found.side_peaks, dark[k], mixed=2 * late * (1 - late)
            )
        except OptionError:
            made.append(None)
            continue
        unrelated = singles[0, k] * singles[1, k] / found.pulses
        made.append(
            G2Zero(
                **ratio,
                method=f"by pulse, gate {found.edges_ns[k]:.4g} to {found.edges_ns[-1]:.4g} ns",
                centre=float(centre[k]),
                side=float(beside[k]) / found.side_peaks,
                side_peaks=found.side_peaks,
                bunching=float(beside[k]) / found.side_peaks / unrelated if unrelated else None,
                notes=(),
            )
        )
    return tuple(made)


def expected_gated_g2(
    g2_zero: float, after_ns: npt.ArrayLike, *, biexciton_ns: float, exciton_ns: float
) -> FloatArray:
    """g2(0; t0) of a cascade whose gate opens after_ns after the pulse: g2(0) exp[-t (1/tau_BX - 2/tau_X)].

    Exact for one exciton lifetime, no background, and a gate that stays open.

    >>> expected_gated_g2(0.1, [0.0, 1.0], biexciton_ns=1.0, exciton_ns=10.0).round(6).tolist()
    [0.1, 0.044933]
    """
    t = np.asarray(after_ns, dtype=float)
    return np.asarray(g2_zero * np.exp(-t * (1 / biexciton_ns - 2 / exciton_ns)))


def yield_by_gate(
    stream: PhotonStream,
    from_ns: float,
    *,
    pulse_ns: float,
    response_sigma_ns: float = 0.0,
    dark_cps: Sequence[float] = (0.0, 0.0),
    late: float = 0.0,
    most: int = 20,
    sides: Sides | None = None,
    progress: Progress = silent,
) -> GatedYield:
    """eta_BX/eta_X from pairs of one pulse whose earlier photon comes after from_ns, taken back to pulse_ns.

    pairs of bin i = r m exp(s^2/(2 tau^2)) [exp(-(t_i - pulse)/tau) - exp(-(t_i+1 - pulse)/tau)] + D_i

    by Poisson likelihood over r and tau; m: pairs of a side peak without a gate, s: response_sigma_ns, D:
    pairs with dark counts. late: as in `g2_in_gate`; only widens what counts as side peaks. A pulse time
    wrong by d moves the result by the factor exp(d/tau): it is taken as known.

    Raises `OptionError` for a gate that begins before the pulse or behind the period, and fewer than 20 pairs
    behind its start; `ConvergenceError` where the fit has no end.
    """
    period, bin_ns = stream.needs_sync_period(), stream.nanotime_bin_ns
    if bin_ns is None:
        raise OptionError("the record has no nanotimes: no time gate", where=stream.source.path)
    start = round(from_ns / bin_ns)
    if not (pulse_ns - bin_ns <= from_ns and start * bin_ns < period - 10 * bin_ns and start >= 0):
        raise OptionError(
            f"a gate from {from_ns:g} ns", allowed=f"from the pulse at {pulse_ns:.4g} to below {period:g} ns"
        )
    last = round(period / bin_ns)
    grown = start + np.geomspace(1, last - start, 48)
    inner = np.unique(np.rint(np.append(start, grown[:-1])).astype(np.int64))
    first = [0] if start > 0 else []
    found = gated_pairs(
        stream, np.append(first, inner) * bin_ns, most=most, skip=1 if late > 0 else 0, sides=sides,
        progress=progress,
    )  # fmt: skip
    dark = found.dark_pairs(dark_cps)
    mean = float(found.beside.sum()) / found.side_peaks - dark[0]
    use = slice(len(first), None)
    counts = found.centre[use].astype(float)
    dark_bins = -np.diff(np.append(dark, 0.0))[use]
    behind = int(counts.sum())
    if behind - dark_bins.sum() < LEAST_PAIRS or mean <= 0:
        raise OptionError(
            f"{behind} pairs of one pulse after {from_ns:g} ns, {dark_bins.sum():.3g} of them with dark "
            "counts",
            allowed=f"{LEAST_PAIRS} above the dark ones",
            fix="open the gate earlier, or record longer",
        )
    after = found.edges_ns[use] - pulse_ns

    def model(p: FloatArray) -> FloatArray:
        tau = math.exp(p[1])
        # behind the start, not back at the pulse: a short lifetime would overflow there
        fall = np.exp(-(after - after[0]) / tau)
        return np.asarray(math.exp(p[0]) * -np.diff(fall) + dark_bins)

    middle = float(
        np.average((after[1:] + after[:-1]) / 2 - after[0], weights=np.maximum(counts - dark_bins, 0) + 1e-9)
    )
    fit = least_squares(
        lambda p: poisson_deviance_residuals(counts, np.maximum(model(p), 1e-12)),
        [math.log(behind), math.log(max(middle, bin_ns))],
        names=["log_pairs", "log_lifetime"],
        low=[-5.0, math.log(bin_ns / 20)],
        high=[60.0, math.log(10 * period)],
    )
    tau = math.exp(fit["log_lifetime"])
    back = after[0] / tau - response_sigma_ns**2 / (2 * tau**2)
    value = math.exp(fit["log_pairs"] + back) / mean
    if fit.covariance is None or not math.isfinite(value):
        raise ConvergenceError(
            f"the pairs after {from_ns:g} ns do not tell a lifetime of the biexciton",
            fix="open the gate earlier",
        )
    # d ln r / d ln tau along the way back to the pulse
    slope = np.array([1.0, -after[0] / tau + (response_sigma_ns / tau) ** 2])
    relative = float(slope @ fit.covariance @ slope) + 1 / max(float(found.beside.sum()), 1.0)
    sigma = fit.sigma[1]
    return GatedYield(
        value=value,
        sigma=value * math.sqrt(relative),
        from_ns=float(start * bin_ns),
        pulse_ns=pulse_ns,
        lifetime_ns=tau,
        lifetime_sigma=None if sigma is None else tau * sigma,
        pairs=behind,
        share_kept=behind / max(int(found.centre.sum()), 1),
    )
