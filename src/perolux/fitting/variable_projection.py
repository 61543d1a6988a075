"""Variable projection: in a sum of basis functions with linear amplitudes only the shapes are searched.

The model is y = Phi(theta) c. For given nonlinear parameters theta the best amplitudes c follow from one QR
of the weighted Phi, so that the search never sees them: r(theta) = (1 - Phi Phi^+) y. The derivative is
Kaufman's, dr/dtheta_k = -(1 - Phi Phi^+) (dPhi/dtheta_k) c. Sources: Golub and Pereyra, SIAM Journal on
Numerical Analysis 10, 413 (1973); Kaufman, BIT 15, 49 (1975). Amplitudes are not bounded; they may come
out negative.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.fitting.least_squares import (
    RANK_LIMIT,
    FitResult,
    central_differences,
    check_problem,
    least_squares,
)

__all__ = ["SeparableFit", "fit_separable"]

FloatArray = npt.NDArray[np.float64]
Basis = Callable[[FloatArray], npt.ArrayLike]

BASIS_LIMIT = 1e-10
"""Singular values of the column-scaled basis below this fraction of the largest count as zero."""


@dataclass(frozen=True, eq=False)
class SeparableFit:
    """Result of `fit_separable`.

    fit: the nonlinear parameters; its sigmas allow for the amplitudes. amplitudes: shape (p,).
    amplitude_sigma: shape (p,), None where the covariance is missing. covariance: shape (k + p, k + p),
    nonlinear parameters first; None where the data do not determine all of them. model: Phi c, shape (n,).
    """

    fit: FitResult
    amplitudes: FloatArray
    amplitude_sigma: tuple[float, ...] | None
    covariance: FloatArray | None
    model: FloatArray


def fit_separable(
    basis: Basis,
    data: npt.ArrayLike,
    start: npt.ArrayLike,
    *,
    sigma: npt.ArrayLike | None = None,
    basis_derivative: Basis | None = None,
    names: Sequence[str] | None = None,
    low: npt.ArrayLike | None = None,
    high: npt.ArrayLike | None = None,
    scale: npt.ArrayLike | None = None,
    max_evaluations: int = 2000,
) -> SeparableFit:
    """Fit data, shape (n,), by Phi(theta) c with nonlinear theta, shape (k,), and linear c, shape (p,).

    basis: theta -> Phi, shape (n, p). sigma: errors of the data, shape (n,); without it they are taken equal
    and of unknown size, and come from chi^2. basis_derivative: theta -> dPhi/dtheta, shape (k, n, p); central
    differences without it. Other arguments and errors as `least_squares`.

    >>> t = np.linspace(0, 5, 40)
    >>> found = fit_separable(lambda th: np.exp(-t[:, None] / th), 3 * np.exp(-t / 2), [0.7])
    >>> round(float(found.fit.values[0]), 6), round(float(found.amplitudes[0]), 6)
    (2.0, 3.0)
    """
    y = np.asarray(data, dtype=float)
    if y.ndim != 1 or not y.size or not np.isfinite(y).all():
        raise OptionError("the data must be a list of finite numbers")
    error = np.ones_like(y) if sigma is None else np.broadcast_to(np.asarray(sigma, dtype=float), y.shape)
    if not np.isfinite(error).all() or np.any(error <= 0):
        raise OptionError("sigma must be finite and positive everywhere")
    weighted = y / error
    theta0, bounds, width, _ = check_problem(start, low, high, scale, names)

    def columns(theta: FloatArray) -> FloatArray:
        phi = np.asarray(basis(theta), dtype=float)
        if phi.ndim != 2 or len(phi) != len(y) or phi.shape[1] + theta0.size > len(y):
            raise OptionError(f"the basis has shape {phi.shape}", allowed=f"({len(y)}, p), p + k <= {len(y)}")
        return phi / error[:, None]

    def residual(theta: FloatArray) -> FloatArray:
        phi = columns(theta)
        if not np.isfinite(phi).all():
            return np.full(y.shape, np.nan)  # a trial step to where the basis overflows is taken back
        q = _orthonormal(phi)
        return weighted - q @ (q.T @ weighted)

    def slopes(theta: FloatArray) -> FloatArray:
        if basis_derivative is not None:
            return np.asarray(basis_derivative(theta), dtype=float) / error[None, :, None]
        return central_differences(columns, theta, width, bounds)

    def jacobian(theta: FloatArray) -> FloatArray:
        phi = columns(theta)
        q = _orthonormal(phi)
        moved = np.stack([slope @ _amplitudes(phi, weighted) for slope in slopes(theta)], axis=1)
        return -(moved - q @ (q.T @ moved))

    fit = least_squares(
        residual,
        theta0,
        names=names,
        low=low,
        high=high,
        scale=scale,
        jacobian=jacobian,
        max_evaluations=max_evaluations,
    )
    phi = columns(fit.values)
    amplitudes = _amplitudes(phi, weighted)
    full = np.column_stack([*(slope @ amplitudes for slope in slopes(fit.values)), phi])
    return _with_errors(fit, full, amplitudes, phi @ amplitudes * error, known=sigma is not None)


def _with_errors(
    fit: FitResult, jacobian: FloatArray, amplitudes: FloatArray, model: FloatArray, *, known: bool
) -> SeparableFit:
    k, total = len(fit.values), jacobian.shape[1]
    free = np.concatenate([~np.array(fit.at_bound), np.ones(total - k, dtype=bool)])
    index = np.flatnonzero(free)
    norm = np.linalg.norm(jacobian[:, index], axis=0)
    dof = len(model) - len(index)
    warnings = [text for text in fit.warnings if "no sigma: as many" not in text]
    covariance = None
    if np.all(norm > 0):
        _, singular, rows = np.linalg.svd(jacobian[:, index] / norm, full_matrices=False)
        if singular[-1] > RANK_LIMIT * singular[0] and (known or dof > 0):
            half = rows.T / singular / norm[:, None]
            covariance = np.zeros((total, total))
            covariance[np.ix_(index, index)] = half @ half.T * (1.0 if known else fit.chi2 / dof)
    if covariance is None:
        warnings.append("the data do not determine all shapes and amplitudes: no sigma")
    width = None if covariance is None else np.sqrt(np.diag(covariance))
    sigma = tuple(None if width is None or on else float(width[i]) for i, on in enumerate(fit.at_bound))
    fit = replace(
        fit,
        sigma=sigma,
        covariance=None if covariance is None else covariance[:k, :k],
        degrees_of_freedom=dof,
        absolute_sigma=known,
        warnings=tuple(warnings),
    )
    errors = None if width is None else tuple(float(x) for x in width[k:])
    return SeparableFit(fit, amplitudes, errors, covariance, model)


def _orthonormal(phi: FloatArray) -> FloatArray:
    """Orthonormal basis of the columns; columns that add nothing are left out."""
    norm = np.linalg.norm(phi, axis=0)
    q, r = np.linalg.qr(phi / np.where(norm > 0, norm, 1.0))
    diagonal = np.abs(np.diag(r))
    if diagonal.min(initial=1.0) > BASIS_LIMIT:
        return q
    left, singular, _ = np.linalg.svd(phi / np.where(norm > 0, norm, 1.0), full_matrices=False)
    return left[:, singular > BASIS_LIMIT * max(float(singular[0]), 1e-300)]


def _amplitudes(phi: FloatArray, weighted: FloatArray) -> FloatArray:
    norm = np.linalg.norm(phi, axis=0)
    safe = np.where(norm > 0, norm, 1.0)
    return np.linalg.lstsq(phi / safe, weighted, rcond=BASIS_LIMIT)[0] / safe
