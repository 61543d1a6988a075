"""Functions of the rows in `ensemble.toml`: exact moments and what mixing and compressing must conserve."""

from __future__ import annotations

import math

import numpy as np

from perolux.ensemble import Ensemble, Lognormal, Population, compress, mix, quadrature, sample, to_core
from perolux.validation.run import Computed

__all__ = [
    "compressed",
    "cube_with_half_cells_nm",
    "lognormal_moment_error",
    "mixed_moment_error",
    "sampling_deviation_sigmas",
    "weight_sum_error",
]

_CUBES = Population(shape="cube", size_convention="core-edge", material="CsPbBr3")


def weight_sum_error() -> float:
    """|sum of weights - 1| of a union of three unlike ensembles, compressed."""
    merged, _ = compress(_union(), 20)
    return abs(math.fsum(merged.weights) - 1.0)


def lognormal_moment_error(order: int) -> float:
    """Relative error of <L^order> by quadrature against mean^n (1 + s^2)^(n(n-1)/2)."""
    mean, spread = 9.0, 0.2
    exact = mean**order * (1.0 + spread**2) ** (order * (order - 1) / 2)
    return abs(_cubes(mean, spread).moment(order, "edge_a_nm") / exact - 1.0)


def mixed_moment_error(order: int) -> float:
    """Relative error of <L^order> of a union against the weighted moments of its parts."""
    parts = (_cubes(6.0, 0.1), _cubes(9.0, 0.2), _cubes(14.0, 0.05))
    amounts = (0.2, 0.5, 0.3)
    expected = math.fsum(f * part.moment(order, "edge_a_nm") for f, part in zip(amounts, parts, strict=True))
    return abs(mix(parts, amounts).moment(order, "edge_a_nm") / expected - 1.0)


def compressed(quantity: str) -> float:
    """Relative error of number or volume when a union of 72 rows becomes 12."""
    _, report = compress(_union(), 12)
    return abs(report.number_error if quantity == "number" else report.volume_error)


def sampling_deviation_sigmas() -> Computed:
    """Mean edge of 20000 sampled crystals against the exact mean, in standard errors."""
    count, mean, spread = 20_000, 9.0, 0.2
    drawn = sample(Lognormal(mean, spread), _CUBES, count, np.random.default_rng(11))
    return Computed(
        abs(drawn.mean("edge_a_nm") - mean) / (mean * spread / math.sqrt(count)), f"{count} crystals"
    )


def cube_with_half_cells_nm(edge_nm: float, lattice_constant_nm: float) -> float:
    """Core edge of a cube whose edge was given without the outer half cells."""
    core = to_core([edge_nm], "cube", "edge-without-half-cells", lattice_constant_nm=lattice_constant_nm)
    return float(core[0])


def _cubes(mean_nm: float, spread: float) -> Ensemble:
    return quadrature(Lognormal(mean_nm, spread), _CUBES, n=24)


def _union() -> Ensemble:
    return mix((_cubes(6.0, 0.1), _cubes(9.0, 0.2), _cubes(14.0, 0.05)), (0.2, 0.5, 0.3))
