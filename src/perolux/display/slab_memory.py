"""Emission that remembers what was absorbed: `redshift` and `kT` of the deterministic slab.

A photon absorbed at l is emitted at l' with e(l'|l) = e_l' [l' >= l_min(l)]/sum over the same. `redshift`:
l_min = l. `kT`: hc/l_min = hc/l + 1.5 k_B T, as pvtrace has it. Where the window is empty the photon is
emitted at the last wavelength (an assumption).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perolux.display.slab_cells import CellVectors, FloatArray, cell_matrix
from perolux.errors import ConvergenceError
from perolux.quantities.constants import BOLTZMANN_EV_PER_K, HC_EV_NM

if TYPE_CHECKING:
    from perolux.display.slab import Solved

__all__ = ["conditional_emission", "emitted_with_memory"]

_SWEEPS = 10_000
_CLOSE = 1e-12


def conditional_emission(solved: Solved, absorbed_nm: FloatArray) -> FloatArray:
    """e(l'|l), shape (len(absorbed_nm), m): a row for what was absorbed, each row of sum 1."""
    slab = solved.slab
    energy = HC_EV_NM / absorbed_nm
    if slab.memory == "kT":
        energy = energy + 1.5 * BOLTZMANN_EV_PER_K * slab.temperature_k
    allowed = solved.wavelength_nm[None, :] >= HC_EV_NM / energy[:, None] * (1.0 - 1e-12)
    rows = np.where(allowed, solved.share, 0.0)
    rows[~np.any(rows > 0.0, axis=1), -1] = 1.0
    chances: FloatArray = rows / np.sum(rows, axis=1, keepdims=True)
    return chances


def emitted_with_memory(
    solved: Solved, absorbed: FloatArray, absorbed_nm: float
) -> tuple[FloatArray, FloatArray]:
    """Photons emitted by wavelength and cell (m, N), and met by emitters of the cells (N,).

    Generations of photons are added until they are below 1e-12 of the first: each generation is what the
    one before leaves in the cells, at its wavelengths. Raises `ConvergenceError` after 10000.
    """
    m, q = len(solved.wavelength_nm), solved.slab.plqy
    table = conditional_emission(solved, solved.wavelength_nm)
    first = conditional_emission(solved, np.array([absorbed_nm]))[0]
    matrices = np.stack([_of_one(solved.vectors, i) * solved.own_share[i] for i in range(m)])
    generation = q * first[:, None] * absorbed
    emitted, met = generation.copy(), absorbed.astype(float).copy()
    start = float(np.sum(generation))
    for _ in range(_SWEEPS):
        if float(np.sum(generation)) <= _CLOSE * start:
            return emitted, met
        found = np.einsum("lij,lj->li", matrices, generation)
        met += np.sum(found, axis=0)
        generation = q * (table.T @ found)
        emitted += generation
    raise ConvergenceError("emission with memory did not end", fix="a PLQY below 1, or memory `full`")


def _of_one(vectors: CellVectors, row: int) -> FloatArray:
    share = np.zeros(len(vectors.own))
    share[row] = 1.0
    return cell_matrix(vectors, share)
