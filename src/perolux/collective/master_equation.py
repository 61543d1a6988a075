"""Few emitters with everything, exactly: the master equation on blocks of equal excitation.

    rho' = -i [H, rho] + sum_ij Gamma_ij (s-_j rho s+_i - 1/2 {s+_i s-_j, rho})
           + (g*/2) sum_i (sz_i rho sz_i - rho) + kappa sum_i (s-_i rho s+_i - 1/2 {s+_i s-_i, rho})

g* pure dephasing (1/T2 = Gamma/2 + g*), kappa loss without light. rho stays block-diagonal
(`block_generator.py`); its course is one long series (`block_series.py`).
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse

from perolux.collective.block_generator import BlockGenerator, block_generator
from perolux.collective.block_series import propagate
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

__all__ = ["correlations", "exact_density", "exact_emission", "generator_matrix"]

_MOST = 11


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
    0 on. dephasing, loss: g* and kappa over Gamma. Each step to 1e-12. Raises `ModelRangeError` for more
    emitters, `ConvergenceError` where the trace or the energy balance fails by more than 1e-6.
    """
    generator, rho = _started(between, start, dephasing, loss)
    of, top = generator.of, generator.top
    photon_blocks = {k: photon_operator(of, k, between).toarray() for k in range(top + 1)}
    eyes = {k: np.eye(of.size(k)) for k in range(top + 1)}
    weights = np.stack(
        [
            generator.functional(photon_blocks),
            generator.functional({k: k * one for k, one in eyes.items()}),
            generator.functional(eyes),
        ]
    )
    seen, _ = propagate(generator, rho, times, weights)
    photon, population, trace = seen
    n = len(between)
    if not float(np.max(np.abs(trace - 1.0))) <= 1e-6:  # not a number is off too
        raise ConvergenceError(f"the trace of rho is off by {np.max(np.abs(trace - 1.0)):.2g}")
    imbalance = _imbalance(generator, rho, times, weights[:2], n)
    if imbalance > 1e-6:
        raise ConvergenceError(f"the energy balance fails by {imbalance:.2g} of the excitations")
    return Emission(
        "exact", "master equation on excitation blocks, each step to 1e-12", times, photon, population,
        np.zeros_like(photon), _initial_g2(between, start), imbalance,
    )  # fmt: skip


def exact_density(
    between: Couplings,
    start: tuple[int, ComplexArray],
    time: float,
    *,
    dephasing: float = 0.0,
    loss: float = 0.0,
) -> dict[int, ComplexArray]:
    """The density matrices of the blocks at one time; arguments as for `exact_emission`."""
    generator, rho = _started(between, start, dephasing, loss)
    none = np.zeros((0, len(rho)))
    _, after = propagate(generator, rho, np.array([time]), none)
    return generator.unpacked(after)


def correlations(emitters: int, density: dict[int, ComplexArray]) -> ComplexArray:
    """<s+_i s-_j> (N, N) of the block density matrices: what `plane_waves.radiation_pattern` needs."""
    of = blocks(emitters)
    found = np.zeros((emitters, emitters), dtype=complex)
    for k, rho in density.items():
        if k == 0:
            continue
        lowered = [one @ rho for one in lowering(of, k)]
        for i, one in enumerate(lowering(of, k)):
            for j in range(emitters):
                # Tr[s-_j rho s+_i]
                found[i, j] += one.multiply(lowered[j]).sum()
    return found


def _started(
    between: Couplings, start: tuple[int, ComplexArray], dephasing: float, loss: float
) -> tuple[BlockGenerator, FloatArray]:
    n = len(between)
    if n > _MOST:
        raise ModelRangeError(
            f"the master equation of {n} emitters", allowed=f"up to {_MOST}",
            fix="quantum-jump trajectories to 12; identical emitters: the ladder",
        )  # fmt: skip
    if dephasing < 0.0 or loss < 0.0:
        raise OptionError("a rate below 0", allowed="dephasing and loss of 0 and more, in Gamma")
    top, vector = start
    generator = block_generator(between, top, dephasing=dephasing, loss=loss)
    return generator, generator.packed({top: np.outer(vector, vector.conj())})


def _imbalance(
    generator: BlockGenerator, rho: FloatArray, times: FloatArray, weights: FloatArray, n: int
) -> float:
    """Largest |d(population)/dt + photons + loss| over N, at the start and a little later."""
    worst = 0.0
    for _ in range(2):
        light, up = weights @ rho
        change = float(weights[1] @ generator(rho))
        worst = max(worst, abs(change + light + generator.loss * up) / n)
        tenth = np.array([min(0.1 * float(times[-1]), 5.0 / max(generator.turning, generator.damping, 1.0))])
        _, rho = propagate(generator, rho, tenth, weights)
    return float(worst)


def _initial_g2(between: Couplings, start: tuple[int, ComplexArray]) -> float | None:
    """sum Gamma_ij Gamma_kl <s+_i s+_k s-_l s-_j> over the rate squared, of the state at first."""
    k, vector = start
    if k == 0:
        return None
    of = blocks(len(between))
    first = float(np.real(vector.conj() @ (photon_operator(of, k, between) @ vector)))
    if first <= 0.0:
        return None
    rates, modes = between.modes()
    lowered = np.stack([one @ vector for one in lowering(of, k)])
    after = np.sqrt(rates)[:, None] * (modes.T @ lowered)
    second = photon_operator(of, k - 1, between)
    return float(np.real(np.sum(after.conj() * (second @ after.T).T))) / first**2


def generator_matrix(
    of: Blocks, between: Couplings, excited: int, dephasing: float, loss: float
) -> sparse.csr_matrix:
    """The generator over vec(rho) of blocks `excited` down to 0, highest first, as one complex sparse matrix.

    The plain twin of the compiled kernel, for tests.
    """
    ks = list(range(excited, -1, -1))
    grid: list[list[object]] = [[None] * len(ks) for _ in ks]
    for m, k in enumerate(ks):
        unit = sparse.identity(of.size(k), format="csr")
        photon = photon_operator(of, k, between)
        effective = hamiltonian(of, k, between).astype(complex) - 0.5j * (photon + loss * k * unit)
        part = -1j * (sparse.kron(effective, unit) - sparse.kron(unit, effective.conj()))
        grid[m][m] = part - sparse.diags(dephasing * different_sites(of, k).ravel())
        if k > 0:
            lower = lowering(of, k)
            rows = [
                sum((between.decay[i, j] + loss * (i == j)) * lower[j] for j in range(of.emitters))
                for i in range(of.emitters)
            ]
            grid[m + 1][m] = sum(sparse.kron(row, lower[i]) for i, row in enumerate(rows))
    return sparse.bmat(grid, format="csr")
