"""Quantum-state diffusion on product states: a third value beside truncated Wigner and cumulants.

    d<s-_i> = [sz_i F_i - ((1 + kappa)/2 + i delta_i) <s-_i>] dt - <s-_i>^2 deta_i + ((1 + z_i)/2 -
    |<s-_i>|^2) dconj(eta_i) dz_i    = [-(1 + kappa)(1 + z_i) - 4 Re(conj<s-_i> F_i)] dt - 2 Re[(1 + z_i)
    <s-_i> deta_i] F_i = sum_(j != i) (Gamma_ij/2 + i Omega_ij) <s-_j>,   E[deta_i dconj(eta_j)] = Gamma_ij dt

Heterodyne unravelling (each photon mode measured in both quadratures), every emitter kept a pure state of its
own (after arXiv 2505.13401, abstract): unbiased where emitters never get entangled, as one emitter alone or
with strong dephasing. Without shifts and with those of touching nanocrystals bursts come out too high.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from perolux.collective.couplings import Couplings, FloatArray
from perolux.collective.kept import MOST_BATCHES, batch_of, kept_batch, means_of
from perolux.collective.plane_waves import real_factor
from perolux.collective.rows import Emission
from perolux.collective.wigner import wigner_time_step
from perolux.errors import ModelRangeError, OptionError
from perolux.pieces import Pieces, nothing_kept
from perolux.progress import Progress, silent, track

__all__ = ["diffusion_emission", "diffusion_step_plain"]

_MOST = 1000
_LARGEST_STEP = 1e-3
_BATCH = 50


def diffusion_emission(
    between: Couplings,
    excited_emitters: np.ndarray,
    times: FloatArray,
    *,
    trajectories: int = 1000,
    rng: np.random.Generator,
    dephasing: float = 0.0,
    loss: float = 0.0,
    time_step: float | None = None,
    progress: Progress = silent,
    pieces: Pieces = nothing_kept,
) -> Emission:
    """Mean photon rate and population over trajectories of product states, with standard errors.

    Arguments as for `wigner_emission`. Up to 1000 emitters. The balance of energy holds in the mean; what is
    measured is in `imbalance`.
    """
    from perolux.collective._diffusion_kernels import trajectories as run

    n = len(between)
    if n > _MOST:
        raise ModelRangeError(f"product states of {n} emitters", allowed=f"up to {_MOST}")
    if trajectories < 2 or dephasing < 0.0 or loss < 0.0:
        raise OptionError(
            "fewer than two trajectories or a rate below 0", allowed="2 and more, rates from 0 on"
        )
    dt = min(wigner_time_step(between), _LARGEST_STEP, 0.05 / max(dephasing, 1e-12))
    dt = dt if time_step is None else time_step
    end = float(times[-1])
    steps = max(int(np.ceil(end / dt)), 1)
    every = max(steps // 1000, 1)
    steps = -(-steps // every) * every
    dt = end / steps if end > 0.0 else dt
    starts = np.zeros((trajectories, 3, n))
    starts[:, 2] = -1.0
    starts[:, 2, excited_emitters] = 1.0
    seeds = rng.integers(0, 2**31 - 1, trajectories)
    factor = real_factor(between.decay)

    size = max(_BATCH, -(-trajectories // MOST_BATCHES))

    def sums(first: int) -> dict[str, FloatArray]:
        some = slice(first, first + size)
        return batch_of(
            *run(
                starts[some], seeds[some], between.shift, between.detuning, factor, loss, dephasing, dt,
                steps, every,
            )
        )  # fmt: skip

    batches = range(0, trajectories, size)
    mean, up, sigma = means_of(
        [
            kept_batch(pieces, f"batch-{first:06d}", steps // every + 1, partial(sums, first))
            for first in track(batches, "product states", len(batches), progress)
        ]
    )
    grid = dt * every * np.arange(len(mean))
    leaves = mean + loss * up
    emitted = np.concatenate([[0.0], np.cumsum(0.5 * np.diff(grid) * (leaves[1:] + leaves[:-1]))])
    return Emission(
        "diffusion",
        f"quantum-state diffusion on product states, {trajectories} trajectories: bursts too high where "
        "emitters entangle (42 % for 2 x 2 x 2 cubes with full shifts), right with strong dephasing",
        times, np.interp(times, grid, mean), np.interp(times, grid, up), np.interp(times, grid, sigma),
        between.initial_g2() if len(excited_emitters) == n else None,
        float(np.max(np.abs(emitted - (up[0] - up)))) / max(float(up[0]), 1e-12),
    )  # fmt: skip


def diffusion_step_plain(
    s: FloatArray, between: Couplings, eta: np.ndarray, kick: FloatArray, loss: float, dt: float
) -> FloatArray:
    """One step of one trajectory in NumPy: the reference of the tests. s (3, N); eta (N,) complex:
    increment."""
    from perolux.collective.wigner import wigner_step_plain

    coupling = 0.5 * between.decay + 1j * between.shift
    np.fill_diagonal(coupling, 0.0)
    s = wigner_step_plain(s, coupling, between.detuning, np.zeros(s.shape[1], dtype=complex), dt)
    m, z = 0.5 * (s[0] - 1j * s[1]), s[2]
    own = 0.5 * (1.0 + loss) * dt
    after = m - own * m - m**2 * eta + (0.5 * (1.0 + z) - np.abs(m) ** 2) * np.conj(eta)
    up = z - 2.0 * own * (1.0 + z) - 2.0 * (1.0 + z) * np.real(m * eta)
    turned = after * np.exp(-1j * kick)
    found = np.stack([2.0 * turned.real, -2.0 * turned.imag, up])
    return np.asarray(found / np.linalg.norm(found, axis=0))
