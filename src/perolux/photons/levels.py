"""Levels of intensity: stretches of constant rate sorted into few states.

    ln L = sum_i ln sum_m p_m Poisson(n_i | r_m T_i)

n_i photons in stretch i of length T_i; p_m is the share of stretches and r_m the rate of level m. For each
number of levels the best sorting of the stretches by rate is found exactly (dynamic programming: in one
dimension levels are contiguous), then expectation and maximisation improve p and r. The number of levels is
that of the least BIC = -2 ln L + M ln(photons) + (M - 1) ln(stretches). A stretch belongs to the level that
it most probably came from. After Watkins and Yang (2005), with the exact sorting in place of an
agglomerative one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.photons.change_points import Segments

__all__ = ["MOST_LEVELS", "Levels", "find_levels", "on_fraction"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MOST_LEVELS = 10
_GROUPS = 800
_ROUNDS = 500


@dataclass(frozen=True)
class Levels:
    """Levels from the darkest to the brightest.

    rate_cps, rate_sigma: (m,), rate and its counting error; occupancy: (m,), share of the time; photons:
    (m,); of_segment: (n,), level of each stretch; bic: criterion by number of levels tried; capped: whether
    the most levels tried were still the best, as for light that drifts.
    """

    rate_cps: FloatArray
    rate_sigma: FloatArray
    occupancy: FloatArray
    photons: IntArray
    of_segment: IntArray
    bic: dict[int, float]
    capped: bool

    def __len__(self) -> int:
        return len(self.rate_cps)


def find_levels(segments: Segments, levels: int | None = None, most: int = MOST_LEVELS) -> Levels:
    """Sort stretches of constant rate into `levels` states, or into as many as the criterion asks for, up to
    `most`.

    Raises `OptionError` for more levels than stretches.
    """
    n, t = segments.photons.astype(float), segments.duration_s
    count = len(segments)
    if levels is not None and not 1 <= levels <= count:
        raise OptionError(
            f"{levels} levels from {count} stretches", where="--levels", allowed=f"1 to {count}"
        )
    if not np.all(t > 0) or not n.sum() > 0:
        raise OptionError("stretches without length, or no photons at all: no levels")
    tried = range(1, min(most, count) + 1) if levels is None else [levels]
    sorted_starts = _partitions(n, t, max(tried))
    found = {m: _expectation_maximisation(n, t, sorted_starts[m]) for m in tried}
    # What a rate is known from are photons, what a share of the stretches is known from are stretches.
    bic = {m: -2 * fit[2] + m * np.log(n.sum()) + (m - 1) * np.log(count) for m, fit in found.items()}
    chosen = min(bic, key=lambda m: bic[m])
    rate, share, _ = found[chosen]
    order = np.argsort(rate)
    belongs = np.argmax(_log_terms(n, t, rate[order], share[order]), axis=1)
    # Levels that no stretch belongs to are none.
    used, level = np.unique(belongs, return_inverse=True)
    photons = np.bincount(level, weights=n, minlength=len(used))
    time = np.bincount(level, weights=t, minlength=len(used))
    return Levels(
        rate_cps=photons / time,
        rate_sigma=np.sqrt(np.maximum(photons, 1)) / time,
        occupancy=time / time.sum(),
        photons=photons.astype(np.int64),
        of_segment=level.astype(np.int64),
        bic={m: float(value) for m, value in bic.items()},
        capped=levels is None and chosen == most and count > most,
    )


def on_fraction(levels: Levels, dark_cps: float = 0.0) -> tuple[float, npt.NDArray[np.bool_]]:
    """Share of the time in levels of at least half the brightest rate above the dark counts, and which
    levels those are.

    One level alone is on as long as it stands above the dark counts by three standard errors.
    """
    net = levels.rate_cps - dark_cps
    on = net >= 0.5 * net.max()
    if len(levels) == 1:
        on = net > 3 * levels.rate_sigma
    return float(levels.occupancy[on].sum()), on


def _log_terms(n: FloatArray, t: FloatArray, rate: FloatArray, share: FloatArray) -> FloatArray:
    """ln[p_m Poisson(n_i | r_m T_i)] without the terms of n_i alone, (segments, levels)."""
    safe = np.maximum(rate, 1e-300)
    return np.asarray(
        n[:, None] * np.log(safe)[None, :] - t[:, None] * rate[None, :] + np.log(np.maximum(share, 1e-300))
    )


def _expectation_maximisation(
    n: FloatArray, t: FloatArray, rate: FloatArray
) -> tuple[FloatArray, FloatArray, float]:
    share = np.full(len(rate), 1 / len(rate))
    last = -np.inf
    for _ in range(_ROUNDS):
        log = _log_terms(n, t, rate, share)
        top = log.max(axis=1)
        weight = np.exp(log - top[:, None])
        total = weight.sum(axis=1)
        value = float((top + np.log(total)).sum())
        weight /= total[:, None]
        time = t @ weight
        rate = np.where(time > 0, (n @ weight) / np.where(time > 0, time, 1.0), rate)
        share = weight.mean(axis=0)
        if value - last < 1e-7 * max(abs(value), 1.0) * 1e-3:
            break
        last = value
    return rate, share, value


def _partitions(n: FloatArray, t: FloatArray, most: int) -> dict[int, FloatArray]:
    """Rates of the best contiguous sorting into 1 ... most levels."""
    order = np.argsort(n / t)
    n, t = n[order], t[order]
    if len(n) > _GROUPS:
        # Neighbours in rate are joined first, by equal shares of the count: a thousandth of a level more or
        # less.
        group = np.minimum((np.arange(len(n)) * _GROUPS) // len(n), _GROUPS - 1)
        n, t = (np.bincount(group, weights=values).astype(float) for values in (n, t))
    photons, time = np.concatenate([[0.0], np.cumsum(n)]), np.concatenate([[0.0], np.cumsum(t)])
    count = len(n)
    ends = np.arange(count + 1)
    inside = photons[None, :] - photons[:, None]
    length = time[None, :] - time[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = np.where(inside > 0, inside * np.log(inside / length), 0.0)
    gain[ends[:, None] >= ends[None, :]] = -np.inf
    best = gain[0].copy()
    cuts = [np.zeros(count + 1, dtype=np.int64)]
    found: dict[int, FloatArray] = {}
    for m in range(1, most + 1):
        if m > 1:
            total = best[:, None] + gain
            total[0] = -np.inf
            cuts.append(np.argmax(total, axis=0))
            best = total.max(axis=0)
        edges, at = [count], count
        for k in range(m - 1, 0, -1):
            at = int(cuts[k][at])
            edges.append(at)
        edges.append(0)
        edge = np.array(edges[::-1])
        found[m] = np.diff(photons[edge]) / np.diff(time[edge])
    return found
