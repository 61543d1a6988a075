"""Functions of the rows in `display_rays.toml`: films, plates and pixels by Monte Carlo."""

from __future__ import annotations

from functools import cache

import numpy as np

from perolux.display.pixel_rays import PixelArray, PixelLight, Plate, pixel_light
from perolux.display.rays import RayLight, Scatterers, ray_light
from perolux.display.reference_slab import reference_slab
from perolux.display.slab import Slab
from perolux.validation.rows import read_table

__all__ = ["counted_film", "counted_plate", "over_the_pixel", "worst_of_films"]

_PHOTONS = 400_000
_COLUMNS = {"t_em": "T_em", "r_em": "R_em", "loss": "loss", "emissions_per_photon": "emissions_per_incident"}


@cache
def _counted() -> tuple[tuple[dict[str, str], RayLight], ...]:
    found = []
    for k, row in enumerate(read_table("slab_reference.csv")):
        depth = float(row["alpha_t_em"]) if row["emission_mode"] == "mono" else None
        slab = reference_slab(float(row["n"]), float(row["alpha_t_450_base_e"]), float(row["PLQY"]), depth)
        found.append((row, ray_light(slab, _PHOTONS, np.random.default_rng(k))))
    return tuple(found)


def worst_of_films(quantity: str) -> float:
    """Largest deviation of a quantity from the 12 rows of the reference table, 4e5 photons each."""
    return max(abs(getattr(light, quantity) - float(row[_COLUMNS[quantity]])) for row, light in _counted())


@cache
def _film(scatter_depth: float, anisotropy: float) -> RayLight:
    slab = reference_slab(1.6, 4.60517, 0.95)
    return ray_light(
        slab, _PHOTONS, np.random.default_rng(1), scatterers=Scatterers(scatter_depth, anisotropy)
    )


def counted_film(quantity: str, scatter_depth: float, anisotropy: float) -> float:
    """A quantity of the film of index 1.6, depth 4.605 and PLQY 0.95 with scatterers."""
    return float(getattr(_film(scatter_depth, anisotropy), quantity))


@cache
def _plate(memory: str) -> PixelLight:
    slab = reference_slab(1.6, 2.302585, 0.9, memory="kT" if memory == "kT" else "full")
    return pixel_light(slab, Plate(100.0, 1.0, lit_um=0.0), _PHOTONS, np.random.default_rng(1))


def counted_plate(quantity: str, memory: str) -> float:
    """A quantity of the plate of 100 x 100 x 1, lit in its middle."""
    return float(getattr(_plate(memory), quantity))


def over_the_pixel(pitch_um: float, thickness_um: float) -> float:
    """Light of a point under the middle that leaves over its own pixel, without faces or absorption."""
    slab = Slab(1.0, np.array([525.0]), np.zeros(1), np.ones(1), 1.0, source_depth=1e5)
    shape = PixelArray(pitch_um, thickness_um, lit_um=0.0, neighbours=40)
    found = pixel_light(slab, shape, _PHOTONS, np.random.default_rng(1))
    return float(found.forward_map[40, 40])
