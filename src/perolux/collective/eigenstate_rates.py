"""Rate equations between the many-body eigenstates of the shifts: near-field clusters of about ten.

In each block H|a> = E_a|a>; with L_nu = sum_i v_(nu,i) s-_i of the collective decay modes

    p_b' = sum_a W_ba p_a - p_b sum_c W_cb
    W_ba = sum_nu Gamma_nu |<b|L_nu|a>|^2 + (g*/2) sum_i |<b|sz_i|a>|^2

The secular limit of the master equation: it needs level splittings far above the rates, and is wrong for
degenerate levels.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse
from scipy.integrate import solve_ivp

from perolux.collective.blocks import blocks, excited_sites, hamiltonian, lowering
from perolux.collective.couplings import ComplexArray, Couplings, FloatArray
from perolux.collective.rows import Emission
from perolux.errors import ModelRangeError, OptionError

__all__ = ["eigenstate_emission"]

_MOST = 11


def eigenstate_emission(
    between: Couplings,
    start: tuple[int, ComplexArray],
    times: FloatArray,
    *,
    dephasing: float = 0.0,
    loss: float = 0.0,
) -> Emission:
    """Photon rate and population by the rates between eigenstates; up to 11 emitters.

    start: block and state vector; its coherences between eigenstates are dropped.
    """
    n = len(between)
    if n > _MOST:
        raise ModelRangeError(f"{2**n} eigenstates", allowed=f"up to {_MOST} emitters")
    if dephasing < 0.0 or loss < 0.0:
        raise OptionError("a rate below 0", allowed="dephasing and loss of 0 and more, in Gamma")
    of = blocks(n)
    rates, modes = between.modes()
    bright = rates > 1e-9
    rates, modes = rates[bright], modes[:, bright]
    top, vector = start
    levels = {k: np.linalg.eigh(hamiltonian(of, k, between).toarray()) for k in range(top + 1)}
    starts = np.concatenate([[0], np.cumsum([of.size(k) for k in range(top + 1)])])
    size = int(starts[-1])
    light = np.zeros(size)
    generator = np.zeros((size, size))
    for k in range(1, top + 1):
        lower = lowering(of, k)
        here, below = levels[k][1], levels[k - 1][1]
        in_levels = np.stack([below.T @ (one @ here) for one in lower])
        radiative = np.zeros(in_levels.shape[1:])
        for rate, mode in zip(rates, modes.T, strict=True):
            radiative += rate * np.tensordot(mode, in_levels, axes=1) ** 2
        down = radiative + loss * np.sum(in_levels**2, axis=0)
        a, b = slice(starts[k], starts[k + 1]), slice(starts[k - 1], starts[k])
        light[a] = radiative.sum(axis=0)
        generator[b, a] += down
        generator[a, a] -= np.diag(down.sum(axis=0))
        if dephasing > 0.0:
            sz = 2.0 * excited_sites(of, k) - 1.0
            mix = 0.5 * dephasing * sum((here.T @ (sz[:, i, None] * here)) ** 2 for i in range(n))
            generator[a, a] += mix - np.diag(mix.sum(axis=0))
    p = np.zeros(size)
    p[starts[top] : starts[top + 1]] = np.abs(levels[top][1].T @ vector) ** 2
    matrix = sparse.csr_matrix(generator)
    end = max(float(times[-1]), 1e-12)
    solved = solve_ivp(
        lambda _, y: matrix @ y, (0.0, end), p, method="DOP853", t_eval=times, rtol=1e-9, atol=1e-12
    )
    number = np.repeat(np.arange(top + 1), np.diff(starts)).astype(float)
    photon, up = light @ solved.y, number @ solved.y
    imbalance = float(np.max(np.abs(number @ (matrix @ solved.y) + photon + loss * up))) / n
    return Emission(
        "eigenstate-rates",
        "rates between many-body eigenstates: for shifts or detunings far above the rates; wrong for "
        "degenerate levels",
        times, photon, up, np.zeros_like(photon),
        between.initial_g2() if top == n else None, imbalance,
    )  # fmt: skip
