"""Several decays of one emitter with lifetimes in common: levels of brightness, powers, temperatures.

Each curve keeps its own amplitudes and background; of the lifetimes some are shared and the others are each
curve's own. All are searched together by `poisson_projection`. Whether sharing is allowed is told by
Schwarz's criterion against separate fits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError
from perolux.fitting import bic
from perolux.photons.decay_fit import fit_decay, make_histogram
from perolux.photons.decay_result import Histogram
from perolux.photons.decay_search import model_curve
from perolux.photons.instrument_response import Response
from perolux.photons.poisson_projection import covariance, minimise, profile

__all__ = ["GlobalFit", "fit_decays_global"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class GlobalFit:
    """Curves c with k lifetimes, in the order of `shared`.

    lifetimes_ns, lifetime_sigma_ns (NaN: none), counts: shape (c, k). intervals_ns: of the shared lifetimes,
    in order. background, deviances: shape (c,), counts per bin. separate_bic, shared_bic: the lower one is
    preferred.
    """

    shared: tuple[bool, ...]
    lifetimes_ns: FloatArray
    lifetime_sigma_ns: FloatArray
    intervals_ns: tuple[tuple[float | None, float | None], ...]
    counts: FloatArray
    background: FloatArray
    deviances: FloatArray
    degrees_of_freedom: int
    shared_bic: float
    separate_bic: float

    @property
    def sharing_supported(self) -> bool:
        """Whether shared lifetimes win against separate ones."""
        return self.shared_bic <= self.separate_bic

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "shared": list(self.shared),
            "lifetimes_ns": self.lifetimes_ns.tolist(),
            "lifetime_sigma_ns": [
                [x if math.isfinite(x) else None for x in row] for row in self.lifetime_sigma_ns.tolist()
            ],
            "shared_intervals_ns": [list(x) for x in self.intervals_ns],
            "counts": self.counts.tolist(),
            "background_counts_per_bin": self.background.tolist(),
            "deviances": self.deviances.tolist(),
            "degrees_of_freedom": self.degrees_of_freedom,
            "bic": {"shared": self.shared_bic, "separate": self.separate_bic},
        }  # fmt: skip


def fit_decays_global(
    counts: Sequence[npt.ArrayLike],
    bin_ns: float,
    *,
    exponentials: int,
    shared: Sequence[bool] | None = None,
    irf: Response | None = None,
    period_ns: float | None = None,
    used: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> GlobalFit:
    """Fit histograms, each of shape (n,), by k exponentials; `shared`, one entry a lifetime, from the
    shortest.

    shared: default all. used: bins to fit, shape (n,); without a response the decays begin at the first of
    them (default: the highest bin of the sum). The response stays where it is. Raises as `fit_decay`.
    """
    if exponentials not in (1, 2, 3, 4):
        raise OptionError(f"{exponentials} exponentials", allowed="1 to 4")
    k = int(exponentials)
    common = (True,) * k if shared is None else tuple(bool(x) for x in shared)
    if len(common) != k or len(counts) < 2:
        raise OptionError(
            f"{len(counts)} curves, {len(common)} entries of shared", allowed=f"2 curves or more, {k} entries"
        )
    stack = [np.asarray(one, dtype=float) for one in counts]
    if len({one.shape for one in stack}) != 1:
        raise OptionError("the curves have different lengths", fix="bring them to one axis")
    pooled = np.sum(stack, axis=0)
    keep: npt.NDArray[np.bool_] = (
        np.ones(len(pooled), dtype=bool) if used is None else np.asarray(used, dtype=bool).copy()
    )
    if irf is None and used is None:
        keep[: int(np.argmax(pooled))] = False
    histograms: list[Histogram] = [
        make_histogram(one, bin_ns, irf=irf, period_ns=period_ns, used=keep) for one in stack
    ]
    start = fit_decay(
        pooled,
        bin_ns,
        irf=irf,
        period_ns=period_ns,
        exponentials=k,
        used=keep,
        free_shift=False,
        intervals=False,
    )
    separate = [
        fit_decay(
            one,
            bin_ns,
            irf=irf,
            period_ns=period_ns,
            exponentials=k,
            used=keep,
            free_shift=False,
            intervals=False,
        )
        for one in stack
    ]
    own = k - sum(common)
    place = np.cumsum(common) - 1
    begin = [math.log(t) for t, s in zip(start.lifetimes_ns, common, strict=True) if s]
    curves = []
    for c, h in enumerate(histograms):
        index = np.empty(k, dtype=np.int64)
        free = sum(common) + c * own
        for j in range(k):
            if common[j]:
                index[j] = place[j]
            else:
                index[j] = free
                free += 1
                begin.append(math.log(separate[c].lifetimes_ns[j]))
        curves.append(model_curve(h, str(k), None, False, index))
    low, high = np.full(len(begin), curves[0][1][0]), np.full(len(begin), curves[0][2][0])
    problem = [one[0] for one in curves]
    best = minimise(problem, np.array(begin), low, high)
    if not best.converged:
        raise ConvergenceError("the shared fit did not converge", fix="fit fewer components")
    by_theta, _ = covariance(problem, best, low, high)
    sigma = np.full(len(begin), np.nan) if by_theta is None else np.sqrt(np.diag(by_theta))
    threshold = NormalDist().inv_cdf((1 + level) / 2) ** 2
    ends = []
    for j in range(sum(common)):
        step = sigma[j] if np.isfinite(sigma[j]) else 0.1
        first, last, better = profile(problem, best, j, step * math.sqrt(threshold), threshold, low, high)
        if better is not None:
            raise ConvergenceError("the profile found a better shared fit", fix="fit fewer components")
        ends.append((None if first is None else math.exp(first), None if last is None else math.exp(last)))
    expected = [
        one.columns(best.theta[one.index])[0] @ a for one, a in zip(problem, best.amplitudes, strict=True)
    ]
    from perolux.fitting import poisson_deviance

    deviances = np.array([poisson_deviance(one.counts, m) for one, m in zip(problem, expected, strict=True)])
    bins = sum(len(one.counts) for one in problem)
    parameters = len(begin) + len(curves) * (k + 1)
    index_of = np.array([one.index for one in problem])
    tau = np.exp(best.theta)[index_of]
    return GlobalFit(
        common,
        tau,
        sigma[index_of] * tau,
        tuple(ends),
        np.array([a[:k] for a in best.amplitudes]),
        np.array([a[k] for a in best.amplitudes]),
        deviances,
        bins - parameters,
        bic(float(deviances.sum()), parameters, bins),
        bic(sum(one.deviance for one in separate), len(curves) * (2 * k + 1), bins),
    )
