"""Functions of the rows in `excitons_temperature.toml`: fits of series, signs of the gap's course."""

from __future__ import annotations

import numpy as np

from perolux.excitons.backwards.temperature_laws import GAP_LAWS, WIDTH_LAW
from perolux.excitons.backwards.temperature_series import TemperatureFit, fit_gap_course, fit_width_course
from perolux.materials import material
from perolux.validation.run import Computed

__all__ = [
    "fitted_gap_at_zero_mev",
    "gap_slope_mev_per_k",
    "recovered_width_percent",
    "width_correlation",
    "width_error_mev",
]


def _fitted(law_mev: list[float], acoustic: bool) -> TemperatureFit:
    """A fit to the noise-free law at 10, 30 ... 290 K with 1 meV of error for each point."""
    temperature = np.arange(10.0, 291.0, 20.0)
    # gamma_ac lies above its bound of 0, on which it would have no error; the curvature does not depend on it
    parameters = [*(1e-3 * number for number in law_mev), 1e-5 if acoustic else 0.0]
    widths = WIDTH_LAW.value(temperature, parameters)
    return fit_width_course(temperature, widths, 1e-3, acoustic=acoustic, profile=False)


def recovered_width_percent(law_mev: list[float]) -> float:
    """Largest relative error, in per cent, of the three parameters of the law."""
    found = _fitted(law_mev, acoustic=False)
    values = np.array([found[name] for name in ("gamma0_ev", "gamma_lo_ev", "lo_phonon_ev")])
    return 100.0 * float(np.max(np.abs(1e3 * values / np.array(law_mev) - 1.0)))


def width_error_mev(name: str, acoustic: bool) -> float | None:
    """Standard error of a parameter, meV (or meV/K)."""
    fit = _fitted([20.0, 70.0, 18.0], acoustic).fit
    sigma = fit.sigma[fit.names.index(name)]
    return None if sigma is None else 1e3 * sigma


def width_correlation(first: str, second: str, acoustic: bool) -> float | None:
    """Correlation of two parameters."""
    fit = _fitted([20.0, 70.0, 18.0], acoustic).fit
    if fit.correlation is None:
        return None
    return float(fit.correlation[fit.names.index(first), fit.names.index(second)])


def fitted_gap_at_zero_mev() -> Computed:
    """E(0) less E0 + A_EP of a fit; the detail says whether the fitted course rises."""
    temperature = np.arange(10.0, 301.0, 10.0)
    found = fit_gap_course(
        temperature, GAP_LAWS[1].value(temperature, [2.4, 4e-4, -0.02, 0.018]), 1e-3, profile=False
    )
    zero = float(found.curve_ev([0.0])[0]) - found["gap0_ev"] - found["coupling_ev"]
    rises = bool(np.all(np.diff(found.curve_ev(temperature)) > 0))
    return Computed(1e3 * zero, "rises on warming" if rises else "does not rise on warming")


def gap_slope_mev_per_k(name: str) -> float:
    """Slope of the program's course of the gap between 290 and 310 K."""
    warm, cold = material(name, 310.0).gap_ev, material(name, 290.0).gap_ev
    return 1e3 * (warm - cold) / 20.0
