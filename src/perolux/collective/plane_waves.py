"""The decay matrix as a product: Gamma = K K^+ with plane waves over the sphere; and where the light goes.

    Gamma_ij/Gamma = 3/(8 pi) integral dOmega [d_i.d_j - (d_i.k)(d_j.k)] exp(i n k0 k.(r_i - r_j))

With directions k_m, weights w_m and the two polarisations e_1, e_2 across k_m the columns of K are
sqrt(3 w_m/2) (d_i.e_p) exp(i n k0 k_m.r_i). The same sum without the integral is the radiation pattern.
"""

from __future__ import annotations

import numpy as np

from perolux.collective.couplings import ComplexArray, Emitters, FloatArray, sphere_directions
from perolux.errors import ConvergenceError, OptionError

__all__ = ["decay_factor", "plane_wave_order", "radiation_pattern", "real_factor"]


def plane_wave_order(emitters: Emitters, residual: float = 1e-9) -> int:
    """Order of the quadrature: Bessel functions of order above n k0 times the extent fall off fast."""
    middle = emitters.positions_nm.mean(axis=0)
    reach = emitters.wavenumber_per_nm * float(
        np.max(np.linalg.norm(emitters.positions_nm - middle, axis=1), initial=0.0)
    )
    digits = -np.log10(residual)
    return int(np.ceil(2.0 * reach + 3.0 * digits * max(reach, 1.0) ** (1.0 / 3.0))) + 4


def _polarisations(directions: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Two unit vectors across each direction."""
    aside = np.where(np.abs(directions[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
    first = np.cross(directions, aside)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return first, np.cross(directions, first)


def decay_factor(emitters: Emitters, order: int | None = None) -> ComplexArray:
    """K (N, 2m) with Gamma = K K^+ to about 1e-9; columns: directions, first then second polarisation."""
    directions, weights = sphere_directions(order or plane_wave_order(emitters))
    middle = emitters.positions_nm.mean(axis=0)
    phase = np.exp(1j * emitters.wavenumber_per_nm * ((emitters.positions_nm - middle) @ directions.T))
    parts = [
        np.sqrt(1.5 * weights) * (emitters.dipoles @ one.T) * phase for one in _polarisations(directions)
    ]
    return np.concatenate(parts, axis=1)


def real_factor(decay: FloatArray, residual: float = 1e-6) -> FloatArray:
    """L (N, r) with Gamma = L L^T by pivoted Cholesky, until what is left of the trace is below residual N.

    Cost N r^2 for rank r: the decay matrix of a lattice smaller than the wavelength is almost singular.
    Raises `ConvergenceError` for a matrix that is not positive semidefinite.
    """
    n = len(decay)
    if decay.shape != (n, n):
        raise OptionError(f"a decay matrix of shape {decay.shape}", allowed="square")
    left = np.diag(decay).astype(float).copy()
    columns: list[FloatArray] = []
    while np.sum(left) > residual * n and len(columns) < n:
        pivot = int(np.argmax(left))
        if left[pivot] <= 0.0:
            break
        column = decay[:, pivot] - sum((c[pivot] * c for c in columns), np.zeros(n))
        column = column / np.sqrt(left[pivot])
        columns.append(column)
        left = left - column**2
        if np.min(left) < -1e-8 * n:
            raise ConvergenceError("the decay matrix is not positive semidefinite")
        left = np.maximum(left, 0.0)
    return np.stack(columns, axis=1)


def radiation_pattern(emitters: Emitters, correlations: ComplexArray, directions: FloatArray) -> FloatArray:
    """Photons per unit time and solid angle over Gamma in directions (m, 3), from <s+_i s-_j> (N, N).

    dI/dOmega = (3/8 pi) sum_ij [d_i.d_j - (d_i.k)(d_j.k)] exp(i n k0 k.(r_i - r_j)) <s+_i s-_j>; over the
    sphere it sums to the photon rate.
    """
    middle = emitters.positions_nm.mean(axis=0)
    phase = np.exp(-1j * emitters.wavenumber_per_nm * ((emitters.positions_nm - middle) @ directions.T))
    pattern = np.zeros(len(directions))
    for one in _polarisations(directions):
        amplitude = (emitters.dipoles @ one.T) * phase
        pattern += np.real(np.sum(amplitude.conj() * (correlations @ amplitude), axis=0))
    return 3.0 / (8.0 * np.pi) * pattern
