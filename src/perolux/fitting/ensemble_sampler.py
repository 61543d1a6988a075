"""An ensemble sampler: walkers that stretch towards one another (Goodman and Weare, CAMCoS 5, 65 (2010)).

Needs no tuning where constants are correlated, for it does not feel linear maps of the coordinates. A walker
x moves to y + z (x - y), y one of the other half, z from g(z) ~ 1/sqrt(z) on [1/2, 2], and is accepted with
probability min(1, z^(k-1) p(new)/p(old)).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.progress import Progress, silent

__all__ = ["Samples", "sample_ensemble"]

FloatArray = npt.NDArray[np.float64]
_STRETCH = 2.0


@dataclass(frozen=True, eq=False)
class Samples:
    """Draws of a density: values (n, k), their log density, autocorrelation time (sweeps), acceptance."""

    values: FloatArray
    log_density: FloatArray
    autocorrelation: float
    acceptance: float

    @property
    def effective(self) -> float:
        """About how many independent draws these are."""
        return len(self.values) / max(self.autocorrelation, 1.0)

    def as_dict(self, names: Sequence[str]) -> dict[str, Any]:
        """Median, 95 % interval of each coordinate and the diagnostics, for JSON."""
        low, middle, high = np.quantile(self.values, [0.025, 0.5, 0.975], axis=0)
        return {
            "constants": {
                name: {"median": float(middle[i]), "low95": float(low[i]), "high95": float(high[i])}
                for i, name in enumerate(names)
            },
            "draws": len(self.values),
            "effective_draws": self.effective,
            "acceptance": self.acceptance,
        }


def sample_ensemble(
    log_density: Callable[[FloatArray], float],
    start: npt.ArrayLike,
    spread: npt.ArrayLike,
    draws: int,
    rng: np.random.Generator,
    *,
    walkers: int | None = None,
    progress: Progress = silent,
) -> Samples:
    """Draws of a density over k coordinates, the first third thrown away.

    log_density: -inf where the density is 0. start: a point of it; spread: standard deviations around it of
    the first walkers. walkers: an even number of at least 2 k + 2. Raises `OptionError` for wrong numbers.
    """
    centre = np.atleast_1d(np.asarray(start, dtype=float))
    k = len(centre)
    count = walkers or 2 * max(2 * k, 6)
    if count % 2 or count < 2 * k + 2 or draws < count:
        raise OptionError(
            f"{draws} draws with {count} walkers", allowed=f"an even number of walkers from {2 * k + 2}"
        )
    x = np.empty((count, k))
    level = np.full(count, -np.inf)
    for i in range(count):
        for _ in range(200):
            x[i] = centre + np.asarray(spread) * rng.standard_normal(k)
            level[i] = log_density(x[i])
            if np.isfinite(level[i]):
                break
        else:
            raise OptionError("the density is 0 all around the start")
    sweeps = -(-draws // count)
    burn = max(sweeps // 2, 10)
    chain, levels, accepted = np.empty((sweeps, count, k)), np.empty((sweeps, count)), 0
    half = count // 2
    progress.start("posterior", burn + sweeps)
    for sweep in range(burn + sweeps):
        for first in (0, half):
            others = x[half:] if first == 0 else x[:half]
            for i in range(first, first + half):
                z = ((_STRETCH - 1.0) * rng.random() + 1.0) ** 2 / _STRETCH
                y = others[rng.integers(half)]
                trial = y + z * (x[i] - y)
                new = log_density(trial)
                if np.log(rng.random()) < (k - 1) * np.log(z) + new - level[i]:
                    x[i], level[i] = trial, new
                    accepted += sweep >= burn
        if sweep >= burn:
            chain[sweep - burn], levels[sweep - burn] = x, level
        progress.advance()
    progress.finish()
    return Samples(
        chain.reshape(-1, k)[:draws],
        levels.ravel()[:draws],
        _autocorrelation(chain),
        accepted / (sweeps * count),
    )


def _autocorrelation(chain: FloatArray) -> float:
    """Integrated autocorrelation time (sweeps), the worst coordinate, window of five times itself (Sokal)."""
    worst = 1.0
    sweeps = len(chain)
    for k in range(chain.shape[2]):
        series = chain[:, :, k] - chain[:, :, k].mean()
        variance = float(np.mean(series**2))
        if variance <= 0:
            continue
        time = 1.0
        for lag in range(1, sweeps):
            time += 2.0 * float(np.mean(series[lag:] * series[:-lag])) / variance
            if lag >= 5.0 * time:
                break
        worst = max(worst, time)
    return worst
