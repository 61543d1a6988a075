"""What a report shows, as plain data: the room draws it and computes nothing of its own about a sample."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Curves", "Degeneracy", "ReportContent", "Variable"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Variable:
    """A recipe variable: name and unit as shown, the column it stands in, numeric or categories."""

    name: str
    unit: str
    column: str
    numeric: bool

    @property
    def title(self) -> str:
        """Name with unit, for an axis."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


@dataclass(frozen=True)
class Curves:
    """The curves of one card. Arrays over wavelength_nm are in the recorded unit, baseline included.

    per_unit_of: unit of the recorded axis, which the Jacobian depends on; half_ev: energies of the
    half-height points; edge_density: posterior over edge_nm (per nm).
    """

    wavelength_nm: FloatArray
    values: FloatArray
    baseline: float
    per_unit_of: str = "nm"
    fit: FloatArray | None = None
    baseline_curve: FloatArray | None = None
    components: tuple[FloatArray, ...] = ()
    half_ev: tuple[float, ...] = ()
    edge_nm: FloatArray | None = None
    edge_density: FloatArray | None = None


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
    `recipe` (dict by column) and `size` (dict or None); curves by position of the row.
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

    @property
    def measured(self) -> tuple[dict[str, Any], ...]:
        """Rows with a peak."""
        return tuple(row for row in self.rows if row.get("peak_ev") is not None)
