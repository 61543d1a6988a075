"""Scattering of light by one sphere (Mie), many spheres in one call.

    a_n = [(D_n/m + n/x) psi_n - psi_{n-1}]/[(D_n/m + n/x) xi_n - xi_{n-1}],   b_n with m D_n for D_n/m
    Q_ext = (2/x^2) sum (2n+1) Re(a_n + b_n),   Q_sca = (2/x^2) sum (2n+1)(|a_n|^2 + |b_n|^2)
    g Q_sca = (4/x^2) sum { n(n+2)/(n+1) Re(a_n a*_{n+1} + b_n b*_{n+1}) + (2n+1)/(n(n+1)) Re(a_n b*_n) }

m is the index of the sphere over that of its surroundings, x = pi d n_h/lambda, D_n the logarithmic
derivative of psi_n at m x and at x, by downward recurrence; psi_n beyond n = x follows from it, the rest by
upward recurrence (standard form, Bohren and Huffman).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError

__all__ = ["SphereLight", "rayleigh", "sphere_light"]

FloatArray = npt.NDArray[np.float64]
_MOST = 3000.0
_MORE_ORDERS = 4
"""Orders beyond Wiscombe's number, which alone leaves 1e-8."""


@dataclass(frozen=True)
class SphereLight:
    """Efficiencies (cross section over pi d^2/4) and the mean cosine g, in the shape of the arguments."""

    extinction: FloatArray
    scattering: FloatArray
    g: FloatArray

    @property
    def absorption(self) -> FloatArray:
        """Q_ext - Q_sca."""
        return self.extinction - self.scattering


def sphere_light(relative_index: npt.ArrayLike, size_parameter: npt.ArrayLike) -> SphereLight:
    """Efficiencies and mean cosine of spheres; m (complex, k >= 0 absorbs) and x broadcast.

    Raises `OptionError` for x of 0 or m that cannot be used, `ModelRangeError` above x = 3000, where rays
    answer as well.

    >>> one = sphere_light(1.5, 10.0)
    >>> round(float(one.scattering), 4), round(float(one.g), 4)
    (2.882, 0.7429)
    """
    m, x = np.broadcast_arrays(
        np.asarray(relative_index, dtype=complex), np.asarray(size_parameter, dtype=float)
    )
    shape, m, x = x.shape, m.ravel(), x.ravel()
    if not (np.all(np.isfinite(x)) and np.all(x > 0.0) and np.all(m.real > 0.0) and np.all(m.imag >= 0.0)):
        raise OptionError(
            "spheres that cannot be computed", allowed="x > 0, n > 0 and k >= 0 (k >= 0 absorbs)"
        )
    if np.max(x) > _MOST:
        raise ModelRangeError(
            f"a sphere of size parameter {np.max(x):.4g}",
            allowed=f"x up to {_MOST:g}",
            fix="take rays instead",
        )
    last = np.ceil(x + 4.05 * np.cbrt(x) + 2.0).astype(int) + _MORE_ORDERS
    orders = int(last.max())
    inside, outside = _log_derivative(m * x, orders), _log_derivative(x.astype(complex), orders).real
    a, b = np.zeros((2, orders, len(x)), dtype=complex)
    psi, psi_before, chi, chi_before = np.sin(x), np.cos(x), np.cos(x), -np.sin(x)
    for k in range(1, orders + 1):
        kept = k <= last
        # upwards while orders oscillate (n < x: the ratio may be 0/0), by the ratio where they fall
        psi_next = np.where(k <= x, (2 * k - 1) / x * psi - psi_before, psi / (outside[k] + k / x))
        psi_next = np.where(kept, psi_next, psi)
        chi_next = np.where(kept, (2 * k - 1) / x * chi - chi_before, chi)
        for found, inner in ((a, inside[k] / m), (b, inside[k] * m)):
            factor = inner + k / x
            top = factor * psi_next - psi
            found[k - 1] = np.where(kept, top / (top - 1j * (factor * chi_next - chi)), 0.0)
        psi, psi_before, chi, chi_before = psi_next, psi, chi_next, chi
    n = np.arange(1, orders + 1)[:, None]
    extinction = 2.0 / x**2 * np.sum((2 * n + 1) * (a + b).real, axis=0)
    scattering = 2.0 / x**2 * np.sum((2 * n + 1) * (np.abs(a) ** 2 + np.abs(b) ** 2), axis=0)
    neighbours = n[:-1] * (n[:-1] + 2) / (n[:-1] + 1)
    forward = np.sum(neighbours * (a[:-1] * a[1:].conj() + b[:-1] * b[1:].conj()).real, axis=0)
    forward += np.sum((2 * n + 1) / (n * (n + 1)) * (a * b.conj()).real, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        g = np.where(scattering > 0.0, 4.0 / x**2 * forward / scattering, 0.0)
    return SphereLight(extinction.reshape(shape), scattering.reshape(shape), g.reshape(shape))


def rayleigh(relative_index: npt.ArrayLike, size_parameter: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Q_sca = (8/3) x^4 |b|^2 and Q_abs = 4 x Im b, b = (m^2 - 1)/(m^2 + 2), of spheres far below lambda."""
    square = np.asarray(relative_index, dtype=complex) ** 2
    x = np.asarray(size_parameter, dtype=float)
    b = (square - 1.0) / (square + 2.0)
    return np.asarray(8.0 / 3.0 * x**4 * np.abs(b) ** 2), np.asarray(4.0 * x * b.imag)


def _log_derivative(z: npt.NDArray[np.complex128], last: int) -> npt.NDArray[np.complex128]:
    """D_n(z) for n = 0 to last, (last + 1, spheres), by downward recurrence from far above.

    A wrong start is forgotten only where n > |z|, over some |z|^(1/3) orders.
    """
    far = float(np.max(np.abs(z)))
    start = int(max(last, far + 8.0 * np.cbrt(far))) + 16
    found = np.zeros((last + 1, len(z)), dtype=complex)
    d = np.zeros(len(z), dtype=complex)
    for n in range(start, 0, -1):
        d = n / z - 1.0 / (d + n / z)
        if n <= last + 1:
            found[n - 1] = d
    return found
