"""How long liquid stays in a tube: dispersion in laminar flow, and the distribution of residence times.

    D_ax = D (1 + Pe^2/48),   Pe = u R/D          sigma^2/tau^2 = 2 D_ax/(u L)        for L/u >> R^2/D

Taylor, Proc. R. Soc. A 219, 186 (1953); Aris, Proc. R. Soc. A 235, 67 (1956) (recalled). u is the mean
velocity, R the inner radius, D the diffusivity of what is dispersed. Before that limit the variance follows
from the correlation of the velocity of a molecule, which the modes of radial diffusion carry:

    <v(0) v(t)> = u^2 sum_n 64 a_n^-4 exp(-a_n^2 D t/R^2),   J_1(a_n) = 0
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError

__all__ = [
    "MIXING_MODE",
    "THERMAL_MODE",
    "axial_variance_m2",
    "inverse_gaussian_density",
    "residence_times",
    "reynolds",
    "taylor_aris_m2_s",
]

FloatArray = npt.NDArray[np.float64]
_MODES = 200
_NODES = 11

THERMAL_MODE = 5.783185962946785
"""Square of the first zero of J_0: heat leaves a cylinder through its wall as exp(-5.78 alpha t/R^2)."""
MIXING_MODE = 3.389957721671153
"""Square of the first zero of J_1': two streams side by side even out as exp(-3.39 D t/R^2)."""


def taylor_aris_m2_s(
    diffusivity_m2_s: npt.ArrayLike, velocity_m_s: npt.ArrayLike, radius_m: npt.ArrayLike
) -> FloatArray:
    """Axial dispersion coefficient D (1 + Pe^2/48), Pe = u R/D (m^2/s), of laminar flow in a round tube.

    Holds after times of R^2/D: 3 % too large at 2 R^2/D, 10 % at 0.7 R^2/D (in the variance).
    """
    d = np.asarray(diffusivity_m2_s, dtype=float)
    peclet = np.asarray(velocity_m_s, dtype=float) * np.asarray(radius_m, dtype=float) / d
    return d * (1.0 + peclet**2 / 48.0)


def reynolds(velocity_m_s: float, diameter_m: float, density_kg_m3: float, viscosity_pa_s: float) -> float:
    """Reynolds number rho u d/eta; flow in a tube is laminar below about 2000."""
    return density_kg_m3 * velocity_m_s * diameter_m / viscosity_pa_s


def axial_variance_m2(
    velocity_m_s: float, radius_m: float, stretches: Sequence[tuple[float, float]]
) -> float:
    """Variance (m^2) along the tube of what began as a thin even disc, after (D, time) of each stretch.

    Exact for laminar flow at all times: for constant D

        sigma^2 = 2 D t + 2 (u R^2/D)^2 sum_n 64 a_n^-8 (a_n^2 s - 1 + exp(-a_n^2 s)),   s = D t/R^2

    which is 2 D_ax t at long and u^2 t^2/3 at short times (derived). stretches: diffusivity (m^2/s) and
    duration (s), one after the other.
    """
    from scipy.special import jn_zeros

    square = jn_zeros(1, _MODES) ** 2
    # integral over the past of exp(-a^2 D dt/R^2): what the velocity remembers
    memory = np.zeros(_MODES)
    variance = 0.0
    for diffusivity, duration in stretches:
        time = radius_m**2 / (square * diffusivity)
        x = duration / time
        gone = -np.expm1(-x)
        # x - (1 - e^-x) without the difference of equals
        rest = np.where(x < 1e-3, x * x * (0.5 - x / 6.0 + x * x / 24.0), x - gone)
        whole = memory * time * gone + time**2 * rest
        variance += 2.0 * diffusivity * duration + 2.0 * velocity_m_s**2 * float(
            np.sum(64.0 / square**2 * whole)
        )
        memory = memory * np.exp(-x) + time * gone
    return variance


def inverse_gaussian_density(time_s: npt.ArrayLike, mean_s: float, relative_sd: float) -> FloatArray:
    """Density (1/s) of first passage at L by advection and dispersion: the inverse Gaussian.

        E(t) = L/sqrt(4 pi D_ax t^3) exp(-(L - u t)^2/(4 D_ax t)),   mean L/u,   sigma^2/tau^2 = 2 D_ax/(u L)

    With walls open on both sides (tracer that passed may come back) mean and variance are larger by terms of
    order D_ax/(u L) and its square; the two agree where that is small.
    """
    t = np.asarray(time_s, dtype=float)
    shape = mean_s / relative_sd**2
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.sqrt(shape / (2.0 * np.pi * t**3)) * np.exp(
            -shape * (t - mean_s) ** 2 / (2.0 * mean_s**2 * t)
        )
    return np.where(t > 0, found, 0.0)


def residence_times(mean_s: float, relative_sd: float, nodes: int = _NODES) -> tuple[FloatArray, FloatArray]:
    """Residence times (s) and weights (sum 1) that stand for an inverse Gaussian; all times are above 0.

    Gauss-Hermite nodes z carried to the roots of lambda (t - m)^2/(m^2 t) = z^2, lambda = m/relative_sd^2,
    with weights 2 m/(m + t): as t(z) t(-z) = m^2, each pair keeps number and mean whatever the number of
    nodes. Derived from Michael, Schucany and Haas, Am. Stat. 30, 88 (1976), recalled. With 11 nodes the first
    three moments are those of the distribution to rounding.
    """
    if not (0 < mean_s < np.inf and 0 <= relative_sd < 1 and nodes >= 1):
        raise OptionError(
            f"a residence time of {mean_s:g} s with relative sd {relative_sd:g}",
            allowed="a time above 0 s, a relative sd from 0 to below 1, one node or more",
        )
    if relative_sd == 0:
        return np.array([mean_s]), np.ones(1)
    z, weight = np.polynomial.hermite_e.hermegauss(nodes)
    y = 0.5 * relative_sd * z
    # exp(2 asinh(y)) = (y + sqrt(1 + y^2))^2
    time = mean_s * np.exp(2.0 * np.arcsinh(y))
    weight = weight / weight.sum() * 2.0 * mean_s / (mean_s + time)
    return time, weight / weight.sum()
