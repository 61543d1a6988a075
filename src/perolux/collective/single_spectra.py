"""Spectrum of one excitation among many emitters, as a sum of lines: weak excitation, mode by mode.

With H_eff = V diag(lambda) V^-1 and the integrated density R = int rho dt of the one-excitation block

    G(tau) = Tr[Gamma R exp(i H_eff^+ tau)] exp(-g* tau)
    mu_a = i conj(lambda_a) - g*,   c_a = (V^+ Gamma R V^-+)_aa

R solves -i (H_eff R - R H_eff^+) - 2 g* (R - diag R) + rho = 0: an eigenvector sum without dephasing, and
linear equations for its diagonal with it.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse.linalg import LinearOperator, gmres

from perolux.collective.couplings import ComplexArray, Couplings, Emitters, FloatArray
from perolux.collective.lines import Lines
from perolux.collective.single_excitation import effective_hamiltonian
from perolux.errors import ConvergenceError, ModelRangeError, OptionError

__all__ = ["integrated_density", "phased_amplitudes", "single_spectrum"]

_MOST, _MOST_DEPHASED = 1500, 400
_GATE = 1e-7


def phased_amplitudes(emitters: Emitters, direction: FloatArray) -> ComplexArray:
    """One excitation with the phase of a plane wave: exp(i n k0 k.r_i)/sqrt(N), k of length 1."""
    k = np.asarray(direction, dtype=float)
    if k.shape != (3,) or abs(float(np.linalg.norm(k)) - 1.0) > 1e-6:
        raise OptionError(f"a direction {direction}", allowed="three numbers of length 1")
    phase = emitters.wavenumber_per_nm * (emitters.positions_nm @ k)
    return np.asarray(np.exp(1j * phase) / np.sqrt(len(emitters)))


def single_spectrum(
    between: Couplings,
    start: ComplexArray,
    *,
    dephasing: float = 0.0,
    loss: float = 0.0,
    eigen: tuple[ComplexArray, ComplexArray] | None = None,
) -> Lines:
    """Lines of one excitation, exactly; up to 1500 emitters, 400 with dephasing.

    start: amplitudes (N,), or a density (N, N) (identity/N: any one of the emitters, without phase). eigen:
    of H_eff, where it is known.
    """
    values, v = np.linalg.eig(effective_hamiltonian(between, loss)) if eigen is None else eigen
    r = integrated_density(between, start, dephasing=dephasing, loss=loss, eigen=(values, v))
    # Tr[Gamma R V^-+ exp(i lambda* tau) V^+]
    inside = np.linalg.solve(v.conj(), (between.decay @ r).T).T
    weights = np.sum(v.conj().T * inside.T, axis=1)
    return Lines(1j * values.conj() - dephasing, weights, "single-excitation")


def integrated_density(
    between: Couplings,
    start: ComplexArray,
    *,
    dephasing: float = 0.0,
    loss: float = 0.0,
    eigen: tuple[ComplexArray, ComplexArray] | None = None,
) -> ComplexArray:
    """int_0^inf <j|rho|i> dt as (j, i): transposed it is the time integral of <s+_i s-_j>, for patterns."""
    n = len(between)
    most = _MOST if dephasing == 0.0 else _MOST_DEPHASED
    if n > most:
        raise ModelRangeError(
            f"the spectrum of one excitation among {n} emitters",
            allowed=f"up to {_MOST}, {_MOST_DEPHASED} with dephasing"
        )  # fmt: skip
    if dephasing < 0.0 or loss < 0.0:
        raise OptionError("a rate below 0", allowed="dephasing and loss of 0 and more, in Gamma")
    rho = np.outer(start, np.conj(start)) if start.ndim == 1 else start
    if rho.shape != (n, n) or abs(float(np.trace(rho).real) - 1.0) > 1e-9:
        raise OptionError(
            "a start that does not hold one excitation", allowed=f"({n},) or ({n}, {n}), norm 1"
        )
    if eigen is None:
        eigen = np.linalg.eig(effective_hamiltonian(between, loss))
    values, v = eigen
    inverse = np.linalg.inv(v)
    gap = _GATE + 2.0 * dephasing + 1j * (values[:, None] - values.conj()[None, :])

    def solved(source: ComplexArray) -> ComplexArray:
        inside = (inverse @ source @ inverse.conj().T) / gap
        return np.asarray(v @ inside @ v.conj().T)

    first = solved(rho.astype(complex))
    if dephasing == 0.0:
        return first
    # p = diag R: p - 2 g* diag(solved(diag p)) = diag(first)
    own = np.real(np.diag(first))
    operator = LinearOperator(
        (n, n), matvec=lambda p: p - 2.0 * dephasing * np.real(np.diag(solved(np.diag(p)))), dtype=float
    )
    p, failed = gmres(operator, own, rtol=1e-10, restart=100, maxiter=50)
    if failed:
        raise ConvergenceError("the populations of one excitation with dephasing did not converge")
    return first + 2.0 * dephasing * solved(np.diag(p).astype(complex))
