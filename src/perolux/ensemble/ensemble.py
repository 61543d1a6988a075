"""`Ensemble`: a weighted population of nanocrystals as a structure of arrays.

One row stands for one sort of crystal (a quadrature node, a sampled crystal, a line of a table); `weights`
are number fractions and sum to 1. Lengths are core lengths in nm, both outer half cells included, with the
meaning of `perolux.ensemble.shapes`. Ensembles are made by `perolux.ensemble.make`, not by hand.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from perolux.ensemble import shapes
from perolux.errors import InputError, OptionError, PeroluxError, Problem

__all__ = ["MAX_CRYSTALS", "WEIGHT_TOLERANCE", "Ensemble", "Quantity", "SurfaceColumn", "Weighting"]

FloatArray = npt.NDArray[np.float64]
StringArray = npt.NDArray[np.str_]
IntArray = npt.NDArray[np.int64]

MAX_CRYSTALS = 5_000_000
"""Rows that an ensemble may have: about 1 GB in memory."""
WEIGHT_TOLERANCE = 1e-12
LITRE_PER_NM3 = 1e-24

Quantity = Literal["edge_a_nm", "edge_b_nm", "edge_c_nm", "equal_volume_edge_nm", "volume_nm3", "surface_nm2"]
Weighting = Literal["number", "surface", "volume"]

_LENGTHS = ("edge_a_nm", "edge_b_nm", "edge_c_nm")
_STRINGS = ("shape", "material", "phase")


@dataclass(frozen=True, eq=False)
class SurfaceColumn:
    """One measure of the surface state of each crystal, e.g. name "ligands_per_nm2", unit "nm-2"."""

    name: str
    values: FloatArray
    unit: str
    meaning: str = ""


@dataclass(frozen=True, eq=False)
class Ensemble:
    """A weighted population of nanocrystals; every array has shape (n,) and is read-only.

    weights: number fractions, sum 1 within 1e-12.
    edge_a_nm, edge_b_nm, edge_c_nm: core lengths in nm, both outer half cells included.
    shape: "cube", "cuboid", "sphere", "spheroid", "platelet" or "rod".
    material: name of the material, e.g. "CsPbBr3". phase: name of the phase, "unknown" where not known.
    given_as: the size conventions in which the lengths were given, before conversion to core lengths.
    number_per_litre: nanocrystals per litre of dispersion, all rows together; None where not known.
    partner_material, halide_fraction: for mixed halides, composition (1-x) material + x partner_material
        with x = halide_fraction in 0..1; the partner is "" in rows without one. None where no row has one.
    monolayers: layers of octahedra of platelets, 0 in other rows; None where there are no platelets.
    surface: further columns for the state of the surface.
    notes: what a user should know of how the ensemble was made, in sentences.
    Raises `OptionError` with all problems at once where an array is wrong.
    """

    weights: FloatArray
    edge_a_nm: FloatArray
    edge_b_nm: FloatArray
    edge_c_nm: FloatArray
    shape: StringArray
    material: StringArray
    phase: StringArray
    given_as: tuple[str, ...]
    number_per_litre: float | None = None
    partner_material: StringArray | None = None
    halide_fraction: FloatArray | None = None
    monolayers: IntArray | None = None
    surface: tuple[SurfaceColumn, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        problems = _problems(self)
        if problems:
            raise OptionError(problems)
        for array in self.columns().values():
            array.flags.writeable = False

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """All arrays by name, the surface columns under "surface.NAME"; absent ones are left out."""
        found = {f.name: getattr(self, f.name) for f in fields(self)}
        arrays = {name: value for name, value in found.items() if isinstance(value, np.ndarray)}
        return arrays | {f"surface.{column.name}": column.values for column in self.surface}

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def volume_nm3(self) -> FloatArray:
        """Core volume of each crystal in nm^3; shape (n,)."""
        return shapes.volume_nm3(self.shape, self.edge_a_nm, self.edge_b_nm, self.edge_c_nm)

    @property
    def surface_nm2(self) -> FloatArray:
        """Surface area of each core in nm^2; shape (n,)."""
        return shapes.surface_nm2(self.shape, self.edge_a_nm, self.edge_b_nm, self.edge_c_nm)

    @property
    def equal_volume_edge_nm(self) -> FloatArray:
        """Edge of the cube with the same volume, V^(1/3), in nm; shape (n,)."""
        return np.cbrt(self.volume_nm3)

    @property
    def volume_fraction(self) -> float | None:
        """Volume of all cores per volume of dispersion; None where the number per litre is not known."""
        if self.number_per_litre is None:
            return None
        return self.number_per_litre * float(self.weights @ self.volume_nm3) * LITRE_PER_NM3

    @property
    def surface_names(self) -> tuple[str, ...]:
        """Names of the surface columns."""
        return tuple(column.name for column in self.surface)

    def surface_column(self, name: str) -> SurfaceColumn:
        """One surface column by name; `OptionError` where there is none of that name."""
        for column in self.surface:
            if column.name == name:
                return column
        raise OptionError(
            f"no surface column is called {name!r}", allowed=", ".join(self.surface_names) or "none"
        )

    def weights_by(self, weighting: Weighting = "number") -> FloatArray:
        """Fractions of the number, the surface area or the volume in each row; shape (n,), sum 1."""
        if weighting == "number":
            return self.weights
        if weighting not in ("surface", "volume"):
            raise OptionError(f"unknown weighting {weighting!r}", allowed="number, surface, volume")
        weights = self.weights * (self.volume_nm3 if weighting == "volume" else self.surface_nm2)
        return weights / weights.sum()

    def moment(
        self, order: int, quantity: Quantity = "equal_volume_edge_nm", weighting: Weighting = "number"
    ) -> float:
        """Raw moment <q^order> = sum w q^order in the unit of the quantity to that power."""
        return float(self.weights_by(weighting) @ self._quantity(quantity) ** order)

    def mean(self, quantity: Quantity = "equal_volume_edge_nm", weighting: Weighting = "number") -> float:
        """Mean of a quantity over the number, surface area or volume of the crystals, in its unit."""
        return self.moment(1, quantity, weighting)

    def spread(self, quantity: Quantity = "equal_volume_edge_nm", weighting: Weighting = "number") -> float:
        """Standard deviation of a quantity (population, no n - 1), in its unit."""
        values, weights = self._quantity(quantity), self.weights_by(weighting)
        return float(np.sqrt(weights @ (values - weights @ values) ** 2))

    def relative_spread(
        self, quantity: Quantity = "equal_volume_edge_nm", weighting: Weighting = "number"
    ) -> float:
        """Standard deviation of a quantity divided by its mean."""
        return self.spread(quantity, weighting) / self.mean(quantity, weighting)

    def average(self, of: npt.ArrayLike) -> FloatArray:
        """Number-weighted average of values given row by row, first axis n: sum over rows of w f."""
        values = np.asarray(of, dtype=float)
        if values.shape[:1] != self.weights.shape:
            raise OptionError(f"the values have shape {values.shape}", allowed=f"first axis {len(self)}")
        return np.tensordot(self.weights, values, axes=1)

    def with_number_per_litre(self, number_per_litre: float | None) -> Ensemble:
        """The same population at another (or an unknown) number per litre."""
        return replace(self, number_per_litre=number_per_litre)

    def diluted(self, factor: float) -> Ensemble:
        """The dispersion brought to `factor` times its volume; the number per litre falls by it."""
        if not (np.isfinite(factor) and factor > 0):
            raise OptionError(f"a dilution factor of {factor:g}", allowed="a positive number")
        if self.number_per_litre is None:
            raise OptionError(
                "the number per litre is not known", fix="give it first: with_number_per_litre(...)"
            )
        return replace(self, number_per_litre=self.number_per_litre / factor)

    def select(self, rows: npt.ArrayLike) -> Ensemble:
        """The rows of a mask or of indices as an ensemble of its own.

        Weights are renormalised; the number per litre becomes that of the selected crystals.
        """
        chosen = np.asarray(rows)
        if chosen.dtype.kind not in "biu" or (chosen.dtype.kind == "b" and chosen.shape != (len(self),)):
            raise OptionError("rows are chosen by a mask of one entry for each row, or by their indices")
        index = np.atleast_1d(np.flatnonzero(chosen) if chosen.dtype.kind == "b" else chosen)
        if index.size and (index.min() < 0 or index.max() >= len(self)):
            raise OptionError("a chosen row does not exist", allowed=f"0 to {len(self) - 1}")
        kept = float(self.weights[index].sum())
        if not kept > 0:
            raise OptionError("the selection holds no crystals")
        arrays = {name: array[index] for name, array in self.columns().items() if "." not in name}
        arrays["weights"] = arrays["weights"] / kept
        arrays["weights"] = arrays["weights"] / arrays["weights"].sum()
        number = None if self.number_per_litre is None else self.number_per_litre * kept
        surface = tuple(replace(column, values=column.values[index]) for column in self.surface)
        return replace(self, **arrays, surface=surface, number_per_litre=number)

    def plot(self, axes: Any = None, quantity: Quantity = "equal_volume_edge_nm") -> Any:
        """Draw the number fractions over a quantity with matplotlib and return the axes."""
        if axes is None:
            import matplotlib.pyplot as plt

            axes = plt.subplots(figsize=(5, 3.2), layout="constrained")[1]
        values = self._quantity(quantity)
        if len(self) > 100:
            axes.hist(values, bins=60, weights=self.weights)
        else:
            axes.vlines(values, 0, self.weights)
        words, unit = quantity.rsplit("_", 1)
        axes.set_xlabel(f"{words.replace('_', ' ')} ({unit.replace('2', '²').replace('3', '³')})")
        axes.set_ylabel("number fraction")
        return axes

    def identical(self, other: Ensemble) -> bool:
        """True where every array (bit by bit) and every other field is equal."""
        mine, theirs = self.columns(), other.columns()
        if mine.keys() != theirs.keys():
            return False
        arrays = all(
            a.shape == theirs[name].shape
            and (a.dtype.kind == theirs[name].dtype.kind)
            and (
                a.tobytes() == theirs[name].tobytes()
                if a.dtype.kind != "U"
                else bool((a == theirs[name]).all())
            )
            for name, a in mine.items()
        )
        return arrays and self._others() == other._others()

    def _others(self) -> tuple[object, ...]:
        columns = tuple((column.name, column.unit, column.meaning) for column in self.surface)
        return self.given_as, self.number_per_litre, columns, self.notes

    def _quantity(self, quantity: Quantity) -> FloatArray:
        allowed = (*_LENGTHS, "equal_volume_edge_nm", "volume_nm3", "surface_nm2")
        if quantity not in allowed:
            raise OptionError(f"unknown quantity {quantity!r}", allowed=", ".join(allowed))
        values: FloatArray = getattr(self, quantity)
        return values

    def __repr__(self) -> str:
        sorts = " and ".join(
            f"{shape}s of {material}"
            for shape, material in sorted(set(zip(self.shape.tolist(), self.material.tolist(), strict=True)))
        )
        number = "number per litre unknown"
        if self.number_per_litre is not None:
            number = f"{self.number_per_litre:.3g} per litre"
        return (
            f"<Ensemble of {len(self)} rows: {sorts}, equal-volume edge {self.mean():.4g} nm"
            f" ± {100 * self.relative_spread():.3g} % (number-weighted), {number}>"
        )


def _problems(ensemble: Ensemble) -> list[Problem]:
    columns, n = ensemble.columns(), ensemble.weights.shape
    if len(n) != 1 or not 1 <= n[0] <= MAX_CRYSTALS:
        return [Problem(f"an ensemble of shape {n}", allowed=f"one axis with 1 to {MAX_CRYSTALS} rows")]
    problems = [
        Problem(f"shape {array.shape} does not go with {n[0]} weights", where=name)
        for name, array in columns.items()
        if array.shape != n
    ]
    for name in ("weights", *_LENGTHS, "halide_fraction", *(k for k in columns if k.startswith("surface."))):
        array = columns.get(name)
        if array is not None and (array.dtype != np.float64 or not np.isfinite(array).all()):
            problems.append(Problem("holds something that is not a finite number", where=name))
    for name in (*_STRINGS, "partner_material"):
        array = columns.get(name)
        if array is not None and array.dtype.kind != "U":
            problems.append(Problem(f"must hold text, not {array.dtype}", where=name))
    if problems:
        return problems
    weights = ensemble.weights
    if np.any(weights < 0):
        problems.append(Problem("a weight is negative", where="weights"))
    if abs(float(weights.sum()) - 1.0) > WEIGHT_TOLERANCE:
        problems.append(
            Problem(f"the weights sum to {float(weights.sum()):.15g}", "weights", "1 within 1e-12")
        )
    for name in _LENGTHS:
        if np.any(columns[name] <= 0):
            problems.append(Problem("a length is zero or negative", where=name, allowed="more than 0 nm"))
    problems += _problems_of_kind(ensemble)
    number = ensemble.number_per_litre
    if number is not None and not (np.isfinite(number) and number > 0):
        problems.append(
            Problem(f"{number:g} crystals per litre", "number_per_litre", "a positive number, or None")
        )
    if len(set(ensemble.surface_names)) != len(ensemble.surface):
        problems.append(Problem("two surface columns share a name", where="surface"))
    return problems


def _problems_of_kind(ensemble: Ensemble) -> list[Problem]:
    problems = []
    shape, a, b, c = ensemble.shape, ensemble.edge_a_nm, ensemble.edge_b_nm, ensemble.edge_c_nm
    unknown = sorted(set(np.unique(shape).tolist()) - set(shapes.SHAPES))
    if unknown:
        problems.append(Problem(f"unknown shape {unknown[0]!r}", "shape", ", ".join(shapes.SHAPES)))
    regular = (shape == "cube") | (shape == "sphere")
    if np.any(regular & ((a != b) | (b != c))):
        problems.append(Problem("a cube or sphere has unequal lengths", where="shape"))
    if np.any(((shape == "spheroid") | (shape == "rod")) & (a != b)):
        problems.append(Problem("a spheroid or rod has unequal lengths a and b", where="shape"))
    platelets = shape == "platelet"
    layers = np.zeros(len(ensemble)) if ensemble.monolayers is None else ensemble.monolayers
    if layers.dtype.kind not in "iu" and ensemble.monolayers is not None:
        problems.append(Problem("must hold whole numbers", where="monolayers"))
    elif np.any(layers[platelets] < 1) or np.any(layers[~platelets] != 0):
        problems.append(Problem("platelets need 1 monolayer or more, all others 0", where="monolayers"))
    fraction, partner = ensemble.halide_fraction, ensemble.partner_material
    if (fraction is None) != (partner is None):
        problems.append(
            Problem("halide_fraction and partner_material come together", where="halide_fraction")
        )
    elif fraction is not None and partner is not None:
        if np.any((fraction < 0) | (fraction > 1)):
            problems.append(Problem("a halide fraction lies outside 0..1", where="halide_fraction"))
        elif np.any((partner == "") & (fraction != 0)):
            problems.append(Problem("a halide fraction without a partner material", where="partner_material"))
    return problems


def as_input_error(error: PeroluxError, where: str) -> InputError:
    """Problems of an ensemble that was read, said of the place it was read from."""
    return InputError([replace(p, where=f"{where}: {p.where}" if p.where else where) for p in error.problems])
