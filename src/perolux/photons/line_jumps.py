"""Jumps of a line between few states: a hidden Markov chain over the frames.

    y_k ~ Normal(e_s(k), r_k^2 + j^2),   s(k) a Markov chain with one step a frame period

r_k: error of the centre; j: scatter within a state that all states share; e: energies of the states.
Expectation and maximisation from several starts; frames that are missing are steps without an observation.
The likelihood is restricted as that of the other laws: the common level is integrated out with a flat
prior, here by a Gaussian about its best value, ln L + ln(2 pi/I)/2 with I = sum 1/(r_k^2 + j^2). Free beside
the level: M - 1 differences, j, M(M - 1) probabilities. Jumps within an exposure are not in the model: dwells
should last several frames, and `JumpFit.warnings` says where they do not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.photons._diffusion_kernels import forward_backward
from perolux.photons.diffusion_laws import Observed

__all__ = ["MOST_STATES", "JumpFit", "chain_log_likelihood", "fit_jumps"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MOST_STATES = 5
_ROUNDS = 300
_GAIN = 1e-5
_FEW_FRAMES = 3.0


@dataclass(frozen=True, eq=False)
class JumpFit:
    """States from low to high energy, arrays (m,).

    energy_ev, energy_sigma_ev; share: of the chain at rest; dwell_s: mean, dwell_interval_s: 95 % by the
    number of departures; step: (m, m), probabilities a frame period; scatter_ev: j; of_frame: (n,), the most
    probable state; log_likelihood: restricted; free: numbers beside the level; jumps: seen.
    """

    energy_ev: FloatArray
    energy_sigma_ev: FloatArray
    share: FloatArray
    dwell_s: FloatArray
    dwell_interval_s: tuple[tuple[float | None, float | None], ...]
    step: FloatArray
    scatter_ev: float
    of_frame: IntArray
    log_likelihood: float
    free: int
    jumps: int
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.energy_ev)

    def squared_shift(self, lag_s: npt.ArrayLike, period_s: float) -> FloatArray:
        """Mean squared shift at whole periods, eV^2: 2 sum_ij p_i e_i (1 - P^k)_ij e_j."""
        values = []
        for lag in np.atleast_1d(np.asarray(lag_s, dtype=float)):
            power = np.linalg.matrix_power(self.step, round(float(lag) / period_s))
            e = self.energy_ev - self.share @ self.energy_ev
            values.append(2 * float(self.share @ e**2 - (self.share * e) @ power @ e))
        return np.asarray(values)


def chain_log_likelihood(
    observed: Observed, period_s: float, energy_ev: npt.ArrayLike, step: npt.ArrayLike, scatter_ev: float
) -> float:
    """ln L of the centres for given states, unrestricted, from the chain at rest."""
    matrix = np.asarray(step, dtype=float)
    powers, which = _powers(observed, period_s, matrix)
    share = _at_rest(matrix)
    emission = _emission(observed, np.asarray(energy_ev, dtype=float), scatter_ev)
    return float(forward_backward(emission, powers, which, share)[0])


def fit_jumps(observed: Observed, period_s: float, states: int) -> JumpFit:
    """A chain of `states` states (two or more). Raises `OptionError` for frames that are not whole periods
    apart, or more states than a tenth of the frames."""
    if not 2 <= states <= max(2, len(observed) // 10):
        raise OptionError(
            f"{states} states in {len(observed)} frames", allowed=f"2 to {max(2, len(observed) // 10)}"
        )
    steps = np.diff(observed.start_s) / period_s
    if np.any(np.abs(steps - np.round(steps)) > 0.05) or np.any(np.round(steps) < 1):
        raise OptionError("frames that are not whole periods apart: no chain of jumps")
    best: tuple[float, FloatArray, FloatArray, float, FloatArray] | None = None
    for energy in _starts(observed, states):
        found = _climb(observed, period_s, energy)
        if best is None or found[0] > best[0]:
            best = found
    assert best is not None
    value, energy, matrix, scatter, posterior = best
    order = np.argsort(energy)
    energy, matrix, posterior = energy[order], matrix[np.ix_(order, order)], posterior[:, order]
    weight = 1 / (observed.sigma_ev**2 + scatter**2)
    restricted = value + 0.5 * math.log(2 * math.pi / float(np.sum(weight)))
    share = _at_rest(matrix)
    stay = np.clip(np.diag(matrix), 0.0, 1 - 1e-12)
    dwell = period_s / (1 - stay)
    most = np.argmax(posterior, axis=1)
    jumps = int(np.count_nonzero(np.diff(most)))
    spans = _dwell_intervals(most, states, period_s, steps)
    warnings = []
    if np.any(dwell < _FEW_FRAMES * period_s):
        warnings.append(
            f"a dwell of {float(dwell.min()):.3g} s lasts fewer than {_FEW_FRAMES:g} frames: jumps within an "
            "exposure are not in the model, and dwells come out too long"
        )
    error = 1 / np.sqrt(np.maximum(posterior.T @ weight, 1e-300))
    return JumpFit(
        energy, error, share, dwell, spans, matrix, scatter, most.astype(np.int64), restricted,
        states - 1 + 1 + states * (states - 1), jumps, tuple(warnings),
    )  # fmt: skip


def _dwell_intervals(
    most: IntArray, states: int, period_s: float, steps: FloatArray
) -> tuple[tuple[float | None, float | None], ...]:
    """95 % intervals of exponential dwells: time spent over half a chi^2 quantile of the departures seen."""
    from scipy.stats import chi2

    found: list[tuple[float | None, float | None]] = []
    for m in range(states):
        spent = float(np.sum(np.round(steps)[most[:-1] == m])) * period_s
        left = int(np.count_nonzero((most[:-1] == m) & (most[1:] != m)))
        low = 2 * spent / float(chi2.ppf(0.975, 2 * left + 2)) if spent > 0 else None
        found.append((low, 2 * spent / float(chi2.ppf(0.025, 2 * left)) if left else None))
    return tuple(found)


def _starts(observed: Observed, states: int) -> list[FloatArray]:
    """Energies at quantiles, evenly over the range, and those that cut the sorted centres best."""
    y = np.sort(observed.centre_ev)
    at_quantiles = np.quantile(y, (np.arange(states) + 0.5) / states)
    ends = float(np.quantile(y, 0.02)), float(np.quantile(y, 0.98))
    even = np.linspace(ends[0], ends[1], states)
    lloyd = even.copy()
    for _ in range(30):
        label = np.argmin(np.abs(y[:, None] - lloyd[None, :]), axis=1)
        lloyd = np.array([y[label == m].mean() if np.any(label == m) else lloyd[m] for m in range(states)])
    return [at_quantiles, even, lloyd]


def _climb(
    observed: Observed, period_s: float, energy: FloatArray
) -> tuple[float, FloatArray, FloatArray, float, FloatArray]:
    y, r2 = observed.centre_ev, observed.sigma_ev**2
    m = len(energy)
    matrix = np.full((m, m), 0.1 / (m - 1)) + (0.9 - 0.1 / (m - 1)) * np.eye(m)
    gap = float(np.min(np.diff(np.sort(energy)))) if m > 1 else 0.0
    scatter = max(0.3 * gap, 0.5 * float(np.median(observed.sigma_ev)))
    last = -math.inf
    posterior = np.zeros((len(y), m))
    value = last
    for _ in range(_ROUNDS):
        powers, which = _powers(observed, period_s, matrix)
        emission = _emission(observed, energy, scatter)
        value, posterior, counted = forward_backward(emission, powers, which, _at_rest(matrix))
        if value - last < _GAIN:
            break
        last = value
        weight = posterior / (r2 + scatter**2)[:, None]
        energy = (weight * y[:, None]).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-300)
        # the scatter is a hidden normal number of every frame: its mean square given what is seen
        share = scatter**2 / (scatter**2 + r2)
        square = (share[:, None] * (y[:, None] - energy)) ** 2 + (share * r2)[:, None]
        scatter = math.sqrt(max(float(np.sum(posterior * square)) / len(y), 1e-6 * float(np.median(r2))))
        # steps over missing frames count as one: exact where none is missing, and climbs all the same
        rows = counted[np.array([0])].sum(axis=0) if len(powers) == 1 else _single(counted, powers)
        matrix = (rows + 1e-3) / (rows + 1e-3).sum(axis=1, keepdims=True)
    return value, energy, matrix, scatter, posterior


def _single(counted: FloatArray, powers: FloatArray) -> FloatArray:
    """Expected single steps: of frames one period apart alone where there are any."""
    return counted[0] if counted[0].sum() > 0 else counted.sum(axis=0)


def _emission(observed: Observed, energy: FloatArray, scatter: float) -> FloatArray:
    variance = (observed.sigma_ev**2 + scatter**2)[:, None]
    left = observed.centre_ev[:, None] - energy[None, :]
    return np.asarray(-0.5 * (left**2 / variance + np.log(2 * math.pi * variance)))


def _powers(observed: Observed, period_s: float, matrix: FloatArray) -> tuple[FloatArray, IntArray]:
    """Powers of the matrix that occur, the first of them 1, and which leads to each frame."""
    steps = np.round(np.diff(observed.start_s) / period_s).astype(np.int64)
    kinds = np.unique(np.append(steps, 1))
    powers = np.array([np.linalg.matrix_power(matrix, int(k)) for k in kinds])
    return powers, np.concatenate([[0], np.searchsorted(kinds, steps)]).astype(np.int64)


def _at_rest(matrix: FloatArray) -> FloatArray:
    """Shares that the chain keeps."""
    m = len(matrix)
    system = np.vstack([matrix.T - np.eye(m), np.ones(m)])
    found = np.linalg.lstsq(system, np.append(np.zeros(m), 1.0), rcond=None)[0]
    found = np.clip(found, 0.0, None)
    return np.asarray(found / found.sum())
