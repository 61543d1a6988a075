"""Absorption and emission spectra of an `Ensemble` from tables: sizes x energies, linear in the weights.

    absorption   sigma(E) = sum_i w_i sigma_i(E)     cm^2 for each nanocrystal, w_i number fractions
    emission     I(E) = sum_i v_i A_i(E)/sum_i v_i,   v_i = w_i sigma_i(excitation), by default w_i V_i

A table holds the spectrum of each size node; the sizes of an ensemble are shared among the two nodes beside
them, which conserves their number and their mean size, so that a spectrum is one product of a vector and a
matrix. Nodes must lie closer in energy than the line of one size is wide (`size_nodes`), or the sum
has ripples. The spectrum of a node is a sum of lines with given energies and strengths, each drawn with a
line shape (Gaussian, Lorentzian, Voigt or the phonon line), joined to the bulk (`cross_section`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.light.cross_section import integrated_cross_section_cm2_ev
from perolux.quantities.constants import FWHM_PER_SIGMA

if TYPE_CHECKING:
    from perolux.ensemble import Ensemble
    from perolux.excitons.light.phonon_line import PhononLine

__all__ = [
    "LineShape",
    "SpectralTable",
    "absorption_lines",
    "draw_lines",
    "emission_table",
    "ensemble_absorption",
    "ensemble_emission",
    "gaussian_line",
    "lorentzian_line",
    "phonon_shape",
    "shared_weights",
    "size_nodes",
    "voigt_line",
]

FloatArray = npt.NDArray[np.float64]
LineShape = Callable[[FloatArray], FloatArray]
"""From detunings (eV, any shape) to a density in 1/eV of area 1."""


def gaussian_line(fwhm_ev: float) -> LineShape:
    """A Gaussian of that full width at half maximum."""
    sigma = _positive(fwhm_ev) / FWHM_PER_SIGMA
    return lambda x: np.exp(-0.5 * (x / sigma) ** 2) / (sigma * math.sqrt(2.0 * math.pi))


def lorentzian_line(fwhm_ev: float) -> LineShape:
    """A Lorentzian of that full width at half maximum; its tails reach far below the gap."""
    half = 0.5 * _positive(fwhm_ev)
    return lambda x: half / math.pi / (x * x + half * half)


def voigt_line(gauss_fwhm_ev: float, lorentz_fwhm_ev: float) -> LineShape:
    """The convolution of a Gaussian and a Lorentzian, by the Faddeeva function."""
    sigma, half = _positive(gauss_fwhm_ev) / FWHM_PER_SIGMA, 0.5 * _positive(lorentz_fwhm_ev)

    def line(x: FloatArray) -> FloatArray:
        from scipy.special import voigt_profile

        return np.asarray(voigt_profile(x, sigma, half))

    return line


def phonon_shape(line: PhononLine) -> LineShape:
    """A phonon line as a shape; 0 beyond its window, where it has fallen to nothing (Lorentzian: 0.1 %)."""
    x, y = line.detuning_ev, line.density_per_ev
    return lambda detuning: np.interp(detuning, x, y, left=0.0, right=0.0)


@dataclass(frozen=True, eq=False)
class SpectralTable:
    """Spectra (n, m) of size nodes (n,) ascending in nm on energies (m,) in eV; unit of the values."""

    size_nm: FloatArray
    energy_ev: FloatArray
    values: FloatArray
    unit: str

    def __post_init__(self) -> None:
        if self.size_nm.ndim != 1 or not np.all(np.diff(self.size_nm) > 0):
            raise OptionError("the size nodes of a table must ascend")
        if self.values.shape != (len(self.size_nm), len(self.energy_ev)):
            raise OptionError(
                f"a table of shape {self.values.shape}",
                allowed=f"({len(self.size_nm)} sizes, {len(self.energy_ev)} energies)",
            )

    def sum(self, size_nm: npt.ArrayLike, weights: npt.ArrayLike) -> FloatArray:
        """sum_i w_i values(size_i, E); (m,). Raises `ModelRangeError` for a size outside the nodes."""
        return np.asarray(shared_weights(self.size_nm, size_nm, weights) @ self.values)


def shared_weights(nodes_nm: npt.ArrayLike, size_nm: npt.ArrayLike, weights: npt.ArrayLike) -> FloatArray:
    """Weights of sizes shared linearly between the nodes beside them; (nodes,), same sum and first moment."""
    nodes = np.asarray(nodes_nm, dtype=np.float64)
    sizes, given = np.broadcast_arrays(
        np.asarray(size_nm, dtype=np.float64).ravel(), np.asarray(weights, dtype=np.float64).ravel()
    )
    counts = given != 0
    sizes, given = sizes[counts], given[counts]
    if not np.all((sizes >= nodes[0]) & (sizes <= nodes[-1])):
        raise ModelRangeError(
            f"sizes from {sizes.min():.3g} to {sizes.max():.3g} nm",
            allowed=f"{nodes[0]:.3g} to {nodes[-1]:.3g} nm, the nodes of the table",
            fix="make the table over all sizes of the ensemble",
        )
    if len(nodes) == 1:
        return np.array([given.sum()])
    left = np.clip(np.searchsorted(nodes, sizes, side="right") - 1, 0, len(nodes) - 2)
    right = (sizes - nodes[left]) / (nodes[left + 1] - nodes[left])
    shared = np.bincount(left, given * (1.0 - right), len(nodes))
    return np.asarray(shared + np.bincount(left + 1, given * right, len(nodes)))


def size_nodes(
    low_nm: float, high_nm: float, energy_ev: Callable[[FloatArray], FloatArray], step_ev: float
) -> FloatArray:
    """Sizes from low to high whose energies lie at most `step_ev` apart and sizes at most 5 % of the larger.

    energy_ev: energy against size, monotonic. A step of a third of the width of one size leaves no ripples.
    """
    if not (0 < low_nm < high_nm and step_ev > 0):
        raise OptionError("size nodes need 0 < low < high and a positive step")
    fine = np.geomspace(low_nm, high_nm, 4001)
    steps = np.abs(np.diff(np.asarray(energy_ev(fine), dtype=np.float64))) / step_ev
    length = np.concatenate([[0.0], np.cumsum(np.maximum(steps, np.diff(np.log(fine)) / 0.05))])
    count = max(math.ceil(length[-1]), 1) + 1
    return np.asarray(np.interp(np.linspace(0.0, length[-1], count), length, fine))


def draw_lines(
    energy_ev: npt.ArrayLike,
    transition_ev: npt.ArrayLike,
    area: npt.ArrayLike,
    line: LineShape | Sequence[LineShape],
) -> FloatArray:
    """sum_k area_nk line(E - E_nk) for n sizes with k transitions each; (n, m), unit of area per eV.

    transition_ev, area: (n,) or (n, k). line: one shape for all, or one for each size.
    """
    energy = np.asarray(energy_ev, dtype=np.float64)
    at, weight = (np.asarray(a, dtype=np.float64) for a in (transition_ev, area))
    at = at[:, None] if at.ndim == 1 else at
    weight = np.broadcast_to(weight[:, None] if weight.ndim == 1 else weight, at.shape)
    if callable(line):
        found = np.zeros((len(at), len(energy)))
        for k in range(at.shape[1]):
            found += weight[:, k, None] * line(energy[None, :] - at[:, k, None])
        return found
    if len(line) != len(at):
        raise OptionError(f"{len(line)} line shapes for {len(at)} sizes")
    rows = [w @ one(energy[None, :] - e[:, None]) for one, e, w in zip(line, at, weight, strict=True)]
    return np.array(rows)


def absorption_lines(
    energy_ev: npt.ArrayLike,
    transition_ev: npt.ArrayLike,
    strength: npt.ArrayLike,
    line: LineShape | Sequence[LineShape],
    *,
    local_field: npt.ArrayLike,
    solvent_index: float,
) -> FloatArray:
    """Cross section (n, m) in cm^2 of n sizes from transitions of strengths f; see `draw_lines`."""
    area = integrated_cross_section_cm2_ev(strength, local_field, solvent_index)
    return draw_lines(energy_ev, transition_ev, area, line)


def emission_table(
    size_nm: npt.ArrayLike,
    energy_ev: npt.ArrayLike,
    peak_ev: npt.ArrayLike,
    line: LineShape | Sequence[LineShape],
) -> SpectralTable:
    """Emission (1/eV, area 1 for each size) of size nodes with one line each at `peak_ev` (n,)."""
    sizes, energy = (np.asarray(a, dtype=np.float64) for a in (size_nm, energy_ev))
    return SpectralTable(sizes, energy, draw_lines(energy, peak_ev, np.ones(len(sizes)), line), "1/eV")


def ensemble_absorption(table: SpectralTable, ensemble: Ensemble) -> FloatArray:
    """Mean cross section for each nanocrystal of the ensemble, in the unit of the table; (m,).

    Sizes are those of the cube of equal volume. Absorbance of a dispersion: sigma N l/ln 10, N per cm^3.
    """
    return table.sum(ensemble.equal_volume_edge_nm, ensemble.weights)


def ensemble_emission(
    table: SpectralTable, ensemble: Ensemble, excitation_cm2: npt.ArrayLike | None = None
) -> FloatArray:
    """Emission of the ensemble in 1/eV, of area 1 as far as the table reaches; (m,).

    excitation_cm2: cross section of each row at the excitation (times its quantum yield, where they differ);
    None: in proportion to the volume, as far above the gap.
    """
    rate = ensemble.volume_nm3 if excitation_cm2 is None else np.asarray(excitation_cm2, dtype=np.float64)
    if rate.shape != ensemble.weights.shape or np.any(rate < 0) or not np.any(rate > 0):
        raise OptionError("the excitation needs one number for each row of the ensemble, none negative")
    weights = ensemble.weights * rate
    return table.sum(ensemble.equal_volume_edge_nm, weights / weights.sum())


def _positive(width_ev: float) -> float:
    if not width_ev > 0:
        raise OptionError("a line needs a width", allowed="above 0 eV")
    return width_ev
