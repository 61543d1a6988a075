"""What a report shows, as plain data: the room draws it and computes nothing of its own about a sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Absorbance", "Curves", "Degeneracy", "Plane", "ReportContent", "Variable", "variables_of"]

FloatArray = npt.NDArray[np.float64]


def variables_of(row: dict[str, Any]) -> dict[str, Any]:
    """Values of the variables of a row by column: those of its recipe and those that its name says."""
    return {**(row.get("recipe") or {}), **(row.get("named") or {})}


@dataclass(frozen=True)
class Variable:
    """A variable of recipes or names: name and unit as shown, its column, numeric or categories."""

    name: str
    unit: str
    column: str
    numeric: bool

    @property
    def title(self) -> str:
        """Name with unit, for an axis."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


@dataclass(frozen=True)
class Absorbance:
    """The absorbance of one card as recorded, the scattering fitted below the gap, the first exciton."""

    wavelength_nm: FloatArray
    values: FloatArray
    scatter: FloatArray | None = None
    exciton_ev: float | None = None
    exciton_sigma_ev: float | None = None


@dataclass(frozen=True)
class Plane:
    """Posterior density over halide fraction (first axis, named) and edge (second axis, that of Curves)."""

    name: str
    fraction: FloatArray
    density: FloatArray


@dataclass(frozen=True)
class Curves:
    """The curves of one card. Arrays over wavelength_nm are in the recorded unit, baseline included; None
    where there is no PL spectrum.

    per_unit_of: unit of the recorded axis, which the Jacobian depends on; half_ev: energies of the
    half-height points; edge_density: posterior over edge_nm (per nm).
    """

    wavelength_nm: FloatArray | None
    values: FloatArray | None
    baseline: float
    per_unit_of: str = "nm"
    fit: FloatArray | None = None
    baseline_curve: FloatArray | None = None
    components: tuple[FloatArray, ...] = ()
    half_ev: tuple[float, ...] = ()
    edge_nm: FloatArray | None = None
    edge_density: FloatArray | None = None
    absorbance: Absorbance | None = None
    plane: Plane | None = None


@dataclass(frozen=True)
class Degeneracy:
    """Size against Stokes shift for one peak: the shift in eV that explains it at each edge, by set.

    All points of a line inside the prior range explain the peak equally well; the width of the gap record
    of each set is given as a band (low, high).
    """

    peak_ev: float
    label: str
    edge_nm: FloatArray
    shift_ev: dict[str, tuple[FloatArray, FloatArray, FloatArray]]
    prior_ev: tuple[float, float]


@dataclass(frozen=True)
class ReportContent:
    """Everything the report of one study shows.

    rows: one dictionary per sample with the keys of the results table, `flags` (list), `reasons` (dict),
    `recipe` and `named` (dicts by column, or None), `identical_to` and `candidate_recipes` (lists) and
    `size` (dict or None); curves by position of the row.
    composition_label: the sample whose plane of size and composition stands for all, in an open composition.
    flag_meanings: words for every flag that occurs. values: every number the results rest on, as plain
    dictionaries. problems: (where, what, fix) of files that could not be read.
    """

    title: str
    name: str
    note: str
    created: str
    version: str
    material: str | None
    temperature_k: float
    temperature_assumed: bool
    rows: tuple[dict[str, Any], ...]
    variables: tuple[Variable, ...]
    curves: dict[int, Curves]
    flag_meanings: dict[str, str]
    csv: str
    inputs: tuple[tuple[str, str], ...] = ()
    versions: dict[str, str] = field(default_factory=dict)
    options: tuple[tuple[str, str], ...] = ()
    caveats: tuple[str, ...] = ()
    conventions: tuple[str, ...] = ()
    values: tuple[dict[str, Any], ...] = ()
    problems: tuple[tuple[str, str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    degeneracy: Degeneracy | None = None
    first_x: str | None = None
    figures: tuple[str, ...] = ()
    composition_label: str | None = None

    @property
    def measured(self) -> tuple[dict[str, Any], ...]:
        """Rows with a peak."""
        return tuple(row for row in self.rows if row.get("peak_ev") is not None)

    @property
    def has_recipes(self) -> bool:
        """True where the study has a table of recipes."""
        return any(row.get("recipe") is not None for row in self.rows)

    @property
    def has_absorption(self) -> bool:
        """True where any sample has an absorption spectrum."""
        return any(row.get("absorption_file") is not None for row in self.rows)

    @property
    def fraction_name(self) -> str | None:
        """What the halide fraction counts ("fraction of I"); None for a closed composition."""
        return next(
            (row["halide_fraction_name"] for row in self.rows if row.get("halide_fraction_name")), None
        )
