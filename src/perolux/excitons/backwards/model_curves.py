"""Confinement against size under all layers of the model, as curves for the inference of sizes.

Which layers describe a real nanocrystal is not settled: walls of finite height and the dielectric
surroundings shift its energy in opposite directions. The curves take each with and without, and with each a
draw of the parameters (Latin hypercube), so that a size is marginalised over them. Non-parabolic bands and
exchange are in all curves where the material has their numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from perolux.excitons.assumptions import assumption
from perolux.excitons.crystal import Crystals
from perolux.excitons.energies import pair_energies
from perolux.excitons.layers import Layers
from perolux.excitons.parameters import ParameterDraws, parameters_of_material
from perolux.materials import Material, trace
from perolux.quantities import Value

__all__ = ["CURVES", "ModelCurve", "confinement_curves", "curve_values"]

FloatArray = npt.NDArray[np.float64]

CURVES = 8
"""Curves for each parameter set: two for each pair of switches."""
CURVE_QUANTITIES = (
    "gap", "reduced_mass", "eps_effective", "bohr_radius", "rydberg", "kane_energy", "spin_orbit_delta",
    "barrier", "mass_outside", "lt_splitting",
)  # fmt: skip
"""What the curves take from the records of a material, where it has them."""
_SIZES_NM = (1.2, 150.0)
_KNOTS = 90
_VARIANTS = tuple((barrier, dielectric) for barrier in (True, False) for dielectric in (True, False))


@dataclass(frozen=True)
class ModelCurve:
    """Energy of the first exciton from the bulk gap (eV) against core edge (nm), a cubic spline in ln(size).

    Below 1.2 and above 150 nm it goes on as a straight line in ln(size): the far tails of an ensemble, which
    hold next to none of its light. smallest_valid_nm: below it a mass is beyond its law, or a carrier not
    bound.
    """

    layers: Layers
    smallest_valid_nm: float
    spline: Callable[[FloatArray], FloatArray]

    def __call__(self, size_nm: npt.ArrayLike) -> FloatArray:
        """Confinement (eV) at sizes of any shape of array."""
        place = np.log(np.asarray(size_nm, dtype=float))
        low, high = np.log(_SIZES_NM)
        inside = np.clip(place, low, high)
        value = np.asarray(self.spline(inside))
        if np.any(place != inside):
            value = value + np.asarray(self.spline(inside, 1)) * (place - inside)  # type: ignore[call-arg]
        return value


def confinement_curves(
    host: Material, *, shape: str = "cube", count: int = CURVES, layers: Layers | None = None
) -> tuple[ModelCurve, ...]:
    """`count` equally likely curves of a material under its parameter set; see the module.

    count: 1 is the middle of every range with all layers. Raises as `energies.pair_energies`.
    """
    base = layers or Layers()
    parameters = parameters_of_material(host, count)
    if count == 1:
        return (_curve(parameters, 0, shape, base),)
    variants = [_VARIANTS[k % len(_VARIANTS)] for k in range(count)]
    return tuple(
        _curve(parameters, k + 1, shape, replace(base, barrier=barrier, dielectric=dielectric))
        for k, (barrier, dielectric) in enumerate(variants)
    )


def curve_values(host: Material) -> tuple[Value, ...]:
    """Every record and assumption that the curves of a material rest on."""
    known = parameters_of_material(host, 0).values
    names = [name for name in CURVE_QUANTITIES if name in known or name in ("bohr_radius", "rydberg")]
    return (*trace(host, names), *(assumption(name) for name in ("outside_index", "carrier_mass_ratio")))


def _curve(parameters: ParameterDraws, row: int, shape: str, layers: Layers) -> ModelCurve:
    from scipy.interpolate import CubicSpline

    sizes = np.geomspace(*_SIZES_NM, _KNOTS)
    crystals = Crystals(
        parameters.material.name,
        shape,  # type: ignore[arg-type]
        (sizes, sizes, sizes),
        parameters.material.temperature_k,
        float(parameters.assumed(assumption("outside_index"), "outside_index")[row]),
    )
    pair = pair_energies(crystals, parameters.one(row, sizes.size), layers)
    invalid = np.flatnonzero(~pair.valid)
    smallest = float(sizes[min(invalid[-1] + 1, sizes.size - 1)]) if invalid.size else float(sizes[0])
    return ModelCurve(layers, smallest, CubicSpline(np.log(sizes), pair.confinement_ev))
