"""Few emitters with everything, exactly: the master equation on blocks of equal excitation.

    rho' = -i [H, rho] + sum_ij Gamma_ij (s-_j rho s+_i - 1/2 {s+_i s-_j, rho})
           + (g*/2) sum_i (sz_i rho sz_i - rho) + kappa sum_i (s-_i rho s+_i - 1/2 {s+_i s-_i, rho})

g* pure dephasing (1/T2 = Gamma/2 + g*), kappa loss without light. rho stays block-diagonal: the generator is
one sparse matrix over C(2N, N) numbers, real where there are neither shifts nor detunings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from scipy.integrate import solve_ivp

from perolux.collective.blocks import (
    Blocks,
    blocks,
    different_sites,
    hamiltonian,
    lowering,
    photon_operator,
)
from perolux.collective.couplings import ComplexArray, Couplings, FloatArray
from perolux.collective.rows import Emission
from perolux.errors import ConvergenceError, ModelRangeError, OptionError

__all__ = ["exact_emission"]

_MOST = 11
_RTOL, _ATOL = 1e-9, 1e-12


@dataclass(frozen=True)
class _Generator:
    matrix: sparse.csr_matrix
    starts: tuple[int, ...]
    rate: FloatArray
    population: FloatArray
    radiative_jump: sparse.csr_matrix


def exact_emission(
    between: Couplings,
    start: tuple[int, ComplexArray],
    times: FloatArray,
    *,
    dephasing: float = 0.0,
    loss: float = 0.0,
) -> Emission:
    """Photon rate and population against time by the master equation; up to 11 emitters.

    start: block and state vector (`blocks.product_state`, `symmetric_single`). times: in 1/Gamma, rising from
    0 on. dephasing, loss: g* and kappa over Gamma. Relative tolerance 1e-9. Raises `ModelRangeError` for more
    emitters, `ConvergenceError` where the energy balance fails by more than 1e-5.
    """
    n = len(between)
    if n > _MOST:
        raise ModelRangeError(
            f"the master equation of {n} emitters", allowed=f"up to {_MOST}",
            fix="quantum-jump trajectories to 12; identical emitters: the ladder",
        )  # fmt: skip
    if dephasing < 0.0 or loss < 0.0:
        raise OptionError("a rate below 0", allowed="dephasing and loss of 0 and more, in Gamma")
    of = blocks(n)
    excited, vector = start
    generator = _generator(of, between, excited, dephasing, loss)
    real = not np.any(between.shift) and not np.any(between.detuning) and not np.any(vector.imag)
    matrix = generator.matrix.real.tocsr() if real else generator.matrix
    rho = np.zeros(matrix.shape[0], dtype=float if real else complex)
    outer = np.outer(vector, np.conj(vector)).ravel()
    rho[: len(outer)] = outer.real if real else outer
    end = float(times[-1])
    if end > 0.0:
        solved = solve_ivp(
            lambda _, y: matrix @ y, (0.0, end), rho, method="DOP853", t_eval=times, rtol=_RTOL, atol=_ATOL
        )
        if not solved.success:
            raise ConvergenceError(f"the master equation did not integrate: {solved.message}")
        states = solved.y
    else:
        states = rho[:, None]
    photon = np.real(generator.rate @ states)
    population = np.real(generator.population @ states)
    change = np.real(generator.population @ (matrix @ states))
    imbalance = float(np.max(np.abs(change + photon + loss * population))) / n
    if imbalance > 1e-5:
        raise ConvergenceError(f"the energy balance fails by {imbalance:.2g} a unit of time and emitter")
    after = generator.radiative_jump @ rho
    first = float(np.real(generator.rate @ rho))
    g2 = float(np.real(generator.rate @ after)) / first**2 if first > 0.0 else None
    return Emission(
        "exact", "master equation on excitation blocks, tolerance 1e-9", times, photon, population,
        np.zeros_like(photon), g2, imbalance,
    )  # fmt: skip


def _generator(of: Blocks, between: Couplings, excited: int, dephasing: float, loss: float) -> _Generator:
    """The generator over vec(rho) of blocks `excited` down to 0, highest first."""
    ks = list(range(excited, -1, -1))
    sizes = [of.size(k) for k in ks]
    starts = tuple(np.concatenate([[0], np.cumsum(np.square(sizes))]).tolist())
    diagonal, below, radiative = [], {}, {}
    rate, population = [], []
    for k in ks:
        size = of.size(k)
        unit = sparse.identity(size, format="csr")
        photon = photon_operator(of, k, between)
        effective = hamiltonian(of, k, between).astype(complex) - 0.5j * (photon + loss * k * unit)
        part = -1j * (sparse.kron(effective, unit) - sparse.kron(unit, effective.conj()))
        if dephasing > 0.0:
            part = part - sparse.diags(dephasing * different_sites(of, k).ravel())
        diagonal.append(part)
        rate.append(np.asarray(photon.todense()).T.ravel())
        population.append(float(k) * np.eye(size).ravel())
        if k > 0:
            lower = lowering(of, k)
            jumps = None
            for i in range(of.emitters):
                row = sum(between.decay[i, j] * lower[j] for j in range(of.emitters))
                one = sparse.kron(row, lower[i])
                jumps = one if jumps is None else jumps + one
            radiative[k] = jumps
            below[k] = jumps
            if loss > 0.0:
                below[k] = jumps + loss * sum(sparse.kron(one, one) for one in lower)
    grid: list[list[object]] = [[None] * len(ks) for _ in ks]
    light: list[list[object]] = [[None] * len(ks) for _ in ks]
    for m, k in enumerate(ks):
        grid[m][m] = diagonal[m]
        light[m][m] = sparse.csr_matrix((sizes[m] ** 2, sizes[m] ** 2))
        if k > 0:
            grid[m + 1][m] = below[k]
            light[m + 1][m] = radiative[k]
    return _Generator(
        sparse.bmat(grid, format="csr"),
        starts,
        np.concatenate(rate),
        np.concatenate(population),
        sparse.bmat(light, format="csr"),
    )
