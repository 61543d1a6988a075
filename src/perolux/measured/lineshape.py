"""Descriptive line shapes of a photoluminescence spectrum: which of four curves says most for its parameters.

The curves describe, they do not explain: no size, no homogeneous width follows from them. They live on the
energy axis, per eV:

    gaussian      A exp(-(E-E0)^2 / 2 s^2)                                  3 parameters
    bi-gaussian   the same with s_red below E0 and s_blue above             4
    voigt         A Re w(z)/Re w(z0), z = (E - E0 + i g)/(s sqrt 2)         4
    two-gaussians the sum of two                                            6

Choice by AIC = n_eff ln(RSS/n) + 2k, the noise level being unknown (detector gains are rarely documented).
n_eff = n (1-r)/(1+r), with r the lag-one correlation of the residual of the richest curve, because a misfit
is not white: without it every extra parameter would be taken. Extra parameters are taken only where they
gain `AIC_GAIN` (10, a convention) over the simpler curve.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.quantities.constants import FWHM_PER_SIGMA

__all__ = ["AIC_GAIN", "SHAPES", "LineFit", "LineShape", "describe_line", "line_curve"]

FloatArray = npt.NDArray[np.float64]

AIC_GAIN = 10.0
"""How much the AIC must fall before a curve with more parameters is taken."""

SHAPES: dict[str, tuple[str, ...]] = {
    "gaussian": ("height", "center_ev", "sigma_ev"),
    "bi-gaussian": ("height", "center_ev", "sigma_red_ev", "sigma_blue_ev"),
    "voigt": ("height", "center_ev", "sigma_ev", "gamma_ev"),
    "two-gaussians": ("height_1", "center_1_ev", "sigma_1_ev", "height_2", "center_2_ev", "sigma_2_ev"),
}
"""Names of the curves and of their parameters, simplest first."""

_MOST_STEPS = 60
_ENOUGH = 1e-6
"""Relative fall of the residual sum at which a fit stops: 1e-6 moves an AIC by less than 1e-3."""
_MOST_POINTS = 400
_FEWEST_INDEPENDENT = 12.0
"""Twice the parameters of the richest curve: fewer points could not judge it, however smooth the misfit."""


def describe_line(
    energy_ev: npt.ArrayLike, density_per_ev: npt.ArrayLike, *, weight: npt.ArrayLike | None = None
) -> LineShape:
    """Fit all curves of `SHAPES` to a baseline-corrected line and choose one by AIC.

    energy_ev, density_per_ev: shape (n,), ascending energies, density per eV without baseline.
    weight: shape (n,), inverse of the relative noise of each point (default: equal). Records per nm have
    equal noise per point in counts, so their weight per eV is proportional to E^2.

    Raises `OptionError` for fewer than 8 points or a line without a positive maximum. Valid for one band of
    one or two peaks; a spectrum that does not return to the baseline is described only where it was recorded.
    """
    energy = np.asarray(energy_ev, dtype=float)
    density = np.asarray(density_per_ev, dtype=float)
    weights = np.ones_like(energy) if weight is None else np.asarray(weight, dtype=float)
    top = float(density.max()) if len(density) else 0.0
    if len(energy) < 8 or not np.isfinite(top) or top <= 0:
        raise OptionError(
            f"a line shape needs 8 points and a positive maximum, not {len(energy)} points up to {top:g}",
            where="describe_line",
        )
    stride = -(-len(energy) // _MOST_POINTS)
    fine = (energy, density / top)
    energy, scaled = energy[::stride], density[::stride] / top
    weights = weights[::stride] / weights.mean()
    starts = _starts(energy, scaled)
    fits: dict[str, LineFit] = {}
    for name, guesses in starts.items():
        tries = [_levenberg(name, energy, scaled, weights, np.asarray(guess)) for guess in guesses(fits)]
        best = min(tries, key=lambda fit: fit.residual_sum)
        fits[name] = _tidied(best)
    n = len(energy)
    residual = (scaled - line_curve(fits["two-gaussians"], energy)) * weights
    n_eff = min(float(n), max(n * _independence(residual), _FEWEST_INDEPENDENT))
    aics = {
        name: n_eff * float(np.log(max(fit.residual_sum, 1e-300) / n)) + 2 * len(SHAPES[name])
        for name, fit in fits.items()
    }
    chosen = "gaussian"
    for rivals in (("bi-gaussian", "voigt"), ("two-gaussians",)):
        rival = min(rivals, key=lambda name: aics[name])
        if aics[chosen] - aics[rival] >= AIC_GAIN:
            chosen = rival
    curve = line_curve(fits[chosen], fine[0])
    return LineShape(
        name=chosen,
        parameters={
            key: value * (top if key.startswith("height") else 1.0)
            for key, value in zip(SHAPES[chosen], fits[chosen].parameters, strict=True)
        },
        curve=curve * top,
        residual=(fine[1] - curve) * top,
        relative_misfit=float(np.sqrt(np.mean((fine[1] - curve) ** 2))),
        aic_gain={name: aics["gaussian"] - aic for name, aic in aics.items()},
        independent_points=float(n_eff),
        converged=fits[chosen].converged,
    )


def line_curve(fit: LineFit, energy_ev: npt.ArrayLike) -> FloatArray:
    """The curve of a fit on any energies in eV, shape (n,)."""
    return _MODELS[fit.shape](np.asarray(energy_ev, dtype=float), np.asarray(fit.parameters))[0]


@dataclass(frozen=True)
class LineFit:
    """One fitted curve: shape, parameters in the order of `SHAPES`, weighted residual sum, convergence."""

    shape: str
    parameters: tuple[float, ...]
    residual_sum: float
    converged: bool


@dataclass(frozen=True)
class LineShape:
    """The chosen description of a line.

    name: key of `SHAPES`; parameters by name (heights in the unit of the density, the rest eV);
    curve, residual: on the energies given; relative_misfit: root mean square of the residual over the
    maximum; aic_gain: by how much each curve's AIC lies below the Gaussian's; independent_points: n_eff.
    """

    name: str
    parameters: dict[str, float]
    curve: FloatArray
    residual: FloatArray
    relative_misfit: float
    aic_gain: dict[str, float]
    independent_points: float
    converged: bool


def _gaussian(e: FloatArray, p: FloatArray) -> tuple[FloatArray, FloatArray]:
    height, center, sigma = p
    u = (e - center) / sigma
    g = np.exp(-0.5 * u * u)
    return height * g, np.stack([g, height * g * u / sigma, height * g * u * u / sigma], axis=1)


def _bigaussian(e: FloatArray, p: FloatArray) -> tuple[FloatArray, FloatArray]:
    height, center, red, blue = p
    low = e < center
    sigma = np.where(low, red, blue)
    u = (e - center) / sigma
    g = np.exp(-0.5 * u * u)
    slope = height * g * u * u / sigma
    return height * g, np.stack(
        [g, height * g * u / sigma, np.where(low, slope, 0.0), np.where(low, 0.0, slope)], axis=1
    )


def _voigt(e: FloatArray, p: FloatArray) -> tuple[FloatArray, FloatArray]:
    from scipy.special import wofz

    height, center, sigma, gamma = p
    root = sigma * np.sqrt(2.0)
    z = (e - center + 1j * gamma) / root
    w, w0 = wofz(z), wofz(1j * gamma / root)
    dw = -2.0 * z * w + 2j / np.sqrt(np.pi)
    z0 = 1j * gamma / root
    dw0 = -2.0 * z0 * w0 + 2j / np.sqrt(np.pi)
    shape, norm = w.real, w0.real
    curve = height * shape / norm
    d_center = height * (-dw / root).real / norm
    d_sigma = height * ((-dw * z / sigma).real / norm - shape * (-dw0 * z0 / sigma).real / norm**2)
    d_gamma = height * ((dw * 1j / root).real / norm - shape * (dw0 * 1j / root).real / norm**2)
    return curve, np.stack([shape / norm, d_center, d_sigma, d_gamma], axis=1)


def _two(e: FloatArray, p: FloatArray) -> tuple[FloatArray, FloatArray]:
    first, second = _gaussian(e, p[:3]), _gaussian(e, p[3:])
    return first[0] + second[0], np.concatenate([first[1], second[1]], axis=1)


_MODELS: dict[str, Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]] = {
    "gaussian": _gaussian,
    "bi-gaussian": _bigaussian,
    "voigt": _voigt,
    "two-gaussians": _two,
}


def _starts(
    energy: FloatArray, scaled: FloatArray
) -> dict[str, Callable[[dict[str, LineFit]], list[list[float]]]]:
    """Start values of each curve from the half-height points; richer curves start from simpler fits."""
    peak = int(np.argmax(scaled))
    above = scaled >= 0.5
    left, right = peak, peak
    while left > 0 and above[left - 1]:
        left -= 1
    while right < len(energy) - 1 and above[right + 1]:
        right += 1
    step = float(np.median(np.diff(energy)))
    width = max(float(energy[right] - energy[left]), 2 * step)
    sigma = width / FWHM_PER_SIGMA
    center = float(energy[peak])

    def two(fits: dict[str, LineFit]) -> list[list[float]]:
        height, middle, red, blue = fits["bi-gaussian"].parameters
        broad, narrow = max(red, blue), min(red, blue)
        side = -1.0 if red > blue else 1.0
        guesses = [[0.8 * height, middle, narrow, 0.4 * height, middle + side * 0.8 * broad, broad]]
        rest = scaled - line_curve(fits["gaussian"], energy)
        second = int(np.argmax(rest))
        guesses.append(
            [0.9, center, sigma, max(float(rest[second]), 0.05), float(energy[second]), 0.7 * sigma]
        )
        return guesses

    return {
        "gaussian": lambda fits: [[1.0, center, sigma]],
        "bi-gaussian": lambda fits: [[*fits["gaussian"].parameters, fits["gaussian"].parameters[2]]],
        "voigt": lambda fits: [[*fits["gaussian"].parameters[:2], 0.7 * sigma, 0.4 * sigma]],
        "two-gaussians": two,
    }


def _levenberg(
    name: str, energy: FloatArray, scaled: FloatArray, weights: FloatArray, start: FloatArray
) -> LineFit:
    """Damped least squares with the analytic Jacobian; widths and heights stay within the record's scale."""
    model = _MODELS[name]
    step = float(np.min(np.diff(energy)))
    span = float(energy[-1] - energy[0])
    low = np.array([_bounds(key, energy, step, span)[0] for key in SHAPES[name]])
    high = np.array([_bounds(key, energy, step, span)[1] for key in SHAPES[name]])
    p = np.clip(start, low, high)
    curve, jacobian = model(energy, p)
    residual = (scaled - curve) * weights
    cost = float(residual @ residual)
    damping, converged = 1e-3, False
    for _ in range(_MOST_STEPS):
        j = jacobian * weights[:, None]
        normal, gradient = j.T @ j, j.T @ residual
        free = ~(((p <= low) & (gradient < 0)) | ((p >= high) & (gradient > 0)))
        if not free.any():
            converged = True
            break
        scale = np.sqrt(np.maximum(np.diag(normal), 1e-30))
        matrix = normal / np.outer(scale, scale) + damping * np.eye(len(p))
        move = np.zeros_like(p)
        move[free] = np.linalg.solve(matrix[np.ix_(free, free)], (gradient / scale)[free]) / scale[free]
        trial = np.clip(p + move, low, high)
        curve, new_jacobian = model(energy, trial)
        new_residual = (scaled - curve) * weights
        new_cost = float(new_residual @ new_residual)
        if new_cost <= cost:
            small = cost - new_cost <= _ENOUGH * cost + 1e-18
            p, residual, jacobian, cost = trial, new_residual, new_jacobian, new_cost
            damping = max(damping * 0.2, 1e-9)
            if small:
                converged = True
                break
        else:
            damping *= 5.0
            if damping > 1e9:
                break
    return LineFit(name, tuple(float(value) for value in p), cost, converged)


def _bounds(key: str, energy: FloatArray, step: float, span: float) -> tuple[float, float]:
    if key.startswith("height"):
        return 0.0, 3.0
    if key.startswith("center"):
        return float(energy[0]) - 0.1 * span, float(energy[-1]) + 0.1 * span
    if key.startswith("gamma"):
        return 0.0, span
    return 0.3 * step, span


def _tidied(fit: LineFit) -> LineFit:
    """Two Gaussians in order of height, so that "1" is the main peak."""
    if fit.shape == "two-gaussians" and fit.parameters[0] < fit.parameters[3]:
        return LineFit(fit.shape, fit.parameters[3:] + fit.parameters[:3], fit.residual_sum, fit.converged)
    return fit


def _independence(residual: FloatArray) -> float:
    """Share of independent points, (1-r)/(1+r) with r the lag-one correlation, at most 1."""
    total = float(residual @ residual)
    if total <= 0:
        return 1.0
    correlation = float(residual[1:] @ residual[:-1]) / total
    return min(1.0, max(0.0, (1 - correlation) / (1 + correlation)))
