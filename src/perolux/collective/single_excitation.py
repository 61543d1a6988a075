"""One excitation shared among many emitters: decay, modes, and the brightest rate under disorder.

    H_eff = sum_i (delta_i - i (Gamma + kappa)/2) |i><i| + sum_(i != j) (Omega_ij - i Gamma_ij/2) |i><j|

complex symmetric; an eigenvalue has the shift Re lambda and the rate -2 Im lambda. Weak excitation, the tail
of a burst, absorption. With dephasing the density matrix of one excitation is followed:
rho_ij' = -i (H_eff rho - rho H_eff^+)_ij - 2 g* rho_ij (i != j).
"""

from __future__ import annotations

import numpy as np
from scipy.integrate import solve_ivp

from perolux.collective.couplings import ComplexArray, Couplings, FloatArray
from perolux.collective.rows import Emission
from perolux.errors import ModelRangeError, OptionError

__all__ = ["effective_hamiltonian", "modes", "single_excitation_emission"]

MOST_DENSE = 3000
_MOST_DEPHASED = 400


def effective_hamiltonian(between: Couplings, loss: float = 0.0) -> ComplexArray:
    """H_eff (N, N) over Gamma."""
    h = between.shift - 0.5j * between.decay
    h = h + np.diag(between.detuning - 0.5j * loss)
    return np.asarray(h)


def modes(between: Couplings, loss: float = 0.0) -> tuple[FloatArray, FloatArray, ComplexArray]:
    """Rates (falling) and shifts over Gamma of the collective modes, and the modes as columns.

    Raises `ModelRangeError` above 3000 emitters (dense eigenvalues).
    """
    if len(between) > MOST_DENSE:
        raise ModelRangeError(f"dense modes of {len(between)} emitters", allowed=f"up to {MOST_DENSE}")
    values, vectors = np.linalg.eig(effective_hamiltonian(between, loss))
    order = np.argsort(values.imag)
    return -2.0 * values.imag[order], values.real[order], vectors[:, order]


def single_excitation_emission(
    between: Couplings,
    amplitudes: ComplexArray,
    times: FloatArray,
    *,
    dephasing: float = 0.0,
    loss: float = 0.0,
) -> Emission:
    """Photon rate and population of one excitation with the amplitudes (N,) at first (norm 1).

    Exact for one excitation; up to 3000 emitters, 400 with dephasing.
    """
    n = len(between)
    if dephasing < 0.0 or loss < 0.0:
        raise OptionError("a rate below 0", allowed="dephasing and loss of 0 and more, in Gamma")
    if abs(float(np.sum(np.abs(amplitudes) ** 2)) - 1.0) > 1e-9 or amplitudes.shape != (n,):
        raise OptionError("amplitudes that do not hold one excitation", allowed=f"({n},) with norm 1")
    h = effective_hamiltonian(between, loss)
    if dephasing > 0.0:
        rate, population = _dephased(h, between.decay, amplitudes, times, dephasing)
    else:
        rate, population = _coherent(h, between.decay, amplitudes, times)
    return Emission(
        "single-excitation",
        "exact for one excitation in all",
        times,
        rate,
        population,
        np.zeros_like(rate),
        0.0,
    )


def _coherent(
    h: ComplexArray, decay: FloatArray, amplitudes: ComplexArray, times: FloatArray
) -> tuple[FloatArray, FloatArray]:
    if len(h) > MOST_DENSE:
        raise ModelRangeError(f"one excitation among {len(h)} emitters", allowed=f"up to {MOST_DENSE}")
    values, vectors = np.linalg.eig(h)
    weights = np.linalg.solve(vectors, amplitudes)
    states = vectors @ (np.exp(-1j * np.outer(values, times)) * weights[:, None])
    light = np.real(np.einsum("it,it->t", states.conj(), decay @ states))
    return np.asarray(light), np.asarray(np.sum(np.abs(states) ** 2, axis=0))


def _dephased(
    h: ComplexArray, decay: FloatArray, amplitudes: ComplexArray, times: FloatArray, dephasing: float
) -> tuple[FloatArray, FloatArray]:
    n = len(h)
    if n > _MOST_DEPHASED:
        raise ModelRangeError(
            f"one excitation with dephasing among {n} emitters", allowed=f"up to {_MOST_DEPHASED}"
        )
    fade = 2.0 * dephasing * (1.0 - np.eye(n))

    def step(_: float, flat: ComplexArray) -> ComplexArray:
        rho = flat.reshape(n, n)
        moved = h @ rho
        return np.asarray((-1j * (moved - moved.conj().T) - fade * rho).ravel())

    start = np.outer(amplitudes, amplitudes.conj()).ravel()
    solved = solve_ivp(
        step, (0.0, max(float(times[-1]), 1e-12)), start, method="DOP853", t_eval=times, rtol=1e-9, atol=1e-12
    )
    rho = solved.y.reshape(n, n, -1)
    return np.asarray(np.real(np.einsum("ij,jit->t", decay, rho))), np.asarray(
        np.real(np.einsum("iit->t", rho))
    )
