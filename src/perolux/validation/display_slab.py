"""Functions of the rows in `display_slab.toml`: the luminescent slab and the film with scatterers."""

from __future__ import annotations

from functools import cache

import numpy as np

from perolux.display.fresnel import critical_cosine
from perolux.display.reference_slab import reference_slab
from perolux.display.slab import SlabLight, slab_light
from perolux.display.slab_cells import cell_matrix, cell_vectors, directions
from perolux.validation.rows import read_table

__all__ = ["cell_against_integral", "transparent_limit", "worst_balance", "worst_of_slabs"]

_COLUMNS = {
    "t_blue": "T_blue",
    "r_blue": "R_blue",
    "t_em": "T_em",
    "r_em": "R_em",
    "loss": "loss",
    "emissions_per_photon": "emissions_per_incident",
}


@cache
def _solved() -> tuple[tuple[dict[str, str], SlabLight], ...]:
    rows = read_table("slab_reference.csv")
    return tuple(
        (
            row,
            slab_light(
                reference_slab(
                    float(row["n"]),
                    float(row["alpha_t_450_base_e"]),
                    float(row["PLQY"]),
                    float(row["alpha_t_em"]) if row["emission_mode"] == "mono" else None,
                )
            ),
        )
        for row in rows
    )


def worst_of_slabs(quantity: str) -> float:
    """Largest deviation of a quantity from the 12 rows of the table."""
    return max(abs(getattr(light, quantity) - float(row[_COLUMNS[quantity]])) for row, light in _solved())


def worst_balance() -> float:
    """Photons missing at most in the 12 rows."""
    return max(abs(light.balance) for _, light in _solved())


def transparent_limit(index: float, optical_depth: float, plqy: float, quantity: str) -> float:
    """A slab that hardly absorbs its own emission (optical depth 1e-7): T_em or emissions per photon."""
    light = slab_light(reference_slab(index, optical_depth, plqy, emission_depth=1e-7), cells=96, nodes=64)
    return light.t_em if quantity == "t_em" else light.emissions_per_photon


def cell_against_integral(depth: float, cells: int) -> float:
    """Largest deviation of P_ij at n = 1 from exponential integrals E3, all cells, and of the escapes."""
    from scipy.special import expn

    cosine, weight = directions((critical_cosine(1.0),), 64)
    nothing = np.zeros((1, len(cosine)))
    vectors = cell_vectors(np.array([depth]), cosine, weight, nothing, nothing, cells)
    found = cell_matrix(vectors, np.ones(1))
    h = depth / cells
    m = np.arange(1, cells)
    exact = np.empty(cells)
    exact[0] = 1.0 - (0.5 - expn(3, h)) / h
    exact[1:] = (expn(3, (m - 1) * h) - 2.0 * expn(3, m * h) + expn(3, (m + 1) * h)) / (2.0 * h)
    j = np.arange(cells)
    leaves = (expn(3, depth - (j + 1) * h) - expn(3, depth - j * h)) / (2.0 * h)
    wrong = np.abs(found - exact[np.abs(j[:, None] - j)])
    return float(max(np.max(wrong), np.max(np.abs(vectors.escape_top[0] - leaves))))
