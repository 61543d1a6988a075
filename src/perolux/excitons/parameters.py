"""The numbers of a material as the physics of this room takes them: middle values and draws, set by set.

A number that is known as a range is drawn uniformly, one with a sigma from a normal distribution; one known
exactly stays. Draws are a Latin hypercube: each quantity is evenly spread over its range, in an order that
its name seeds. So the same quantity has the same draws in every named set, and a result is the same at every
call. What a material lacks is kept with its reason; nothing stands in for it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, NotAvailableError, OptionError, Problem
from perolux.materials import Material, material, parameter_sets
from perolux.quantities import Value

__all__ = ["DRAWS", "ParameterDraws", "drawn", "parameters_of", "parameters_of_material"]

FloatArray = npt.NDArray[np.float64]

DRAWS = 256
"""Draws for each set. The 95 % bounds of a result move by a few per cent of its width with another seed."""

MATERIAL_QUANTITIES = (
    "gap", "reduced_mass", "eps_effective", "kane_energy", "spin_orbit_delta", "hole_mass", "eps_high_freq",
    "eps_static", "lo_phonon_energy", "lt_splitting", "barrier", "mass_outside", "short_range_exchange",
    "monolayer_thickness", "coherence_diameter",
)  # fmt: skip
"""What the layers of one nanocrystal take from the records of its material."""


@dataclass(frozen=True)
class ParameterDraws:
    """One named parameter set at one temperature.

    values: the `Value` of each quantity; numbers: columns (rows,), the middle of every range first and the
    draws after it, or the middle alone repeated (`middle`); missing: the reason for each quantity that the
    material does not answer.
    """

    material: Material
    values: Mapping[str, Value]
    numbers: Mapping[str, FloatArray]
    missing: Mapping[str, str]
    rows: int
    varied: bool = True

    @property
    def set_name(self) -> str:
        """Name of the parameter set, or "records" for a material without named sets."""
        return self.material.parameter_set or "records"

    def __getitem__(self, quantity: str) -> FloatArray:
        """Middle value and draws of a quantity; `NotAvailableError` with the reason where there is none."""
        if quantity not in self.numbers:
            reason = self.missing.get(quantity, f"{quantity} of {self.material.name} is not available")
            raise NotAvailableError(reason, where=self.material.name)
        return self.numbers[quantity]

    def assumed(self, value: Value, name: str) -> FloatArray:
        """A column (rows,) of an assumption or another range: draws, or its middle if nothing is varied."""
        return drawn(value, name, self.rows - 1) if self.varied else np.full(self.rows, value.number)

    def middle(self, rows: int) -> ParameterDraws:
        """The middle of every range, in each of `rows` rows: for many sizes at once."""
        numbers = {name: np.full(rows, column[0]) for name, column in self.numbers.items()}
        return replace(self, numbers=numbers, rows=rows, varied=False)

    def one(self, row: int, rows: int) -> ParameterDraws:
        """One row repeated: the material as that draw has it, for many sizes at once."""
        numbers = {name: np.full(rows, column[row]) for name, column in self.numbers.items()}
        return replace(self, numbers=numbers, rows=rows, varied=False)

    def require(self, *quantities: str) -> None:
        """Raise `NotAvailableError` that names each of these that is missing, and who could supply it."""
        problems: list[Problem] = []
        for quantity in quantities:
            if quantity not in self.numbers:
                try:
                    self.material.value(quantity)
                except (NotAvailableError, ModelRangeError) as error:
                    problems += error.problems
        if problems:
            raise NotAvailableError(problems)

    def has(self, *quantities: str) -> bool:
        """True where all these quantities are known."""
        return all(one in self.numbers for one in quantities)


def parameters_of(
    name: str, temperature_k: float, *, sets: str | Iterable[str] | None = None, draws: int = DRAWS
) -> tuple[ParameterDraws, ...]:
    """The parameter sets of a material (all of them, or those named), each with its draws.

    sets: names, or one name; draws: 0 gives the middle of every range alone. Raises `OptionError` for no set
    at all or a negative number of draws, and as `materials.material`: unknown material or set, halides that
    do not mix, a temperature below 0 K.
    """
    if not isinstance(draws, int | np.integer) or draws < 0:
        raise OptionError(f"{draws!r} draws", where="draws", allowed="a whole number, 0 or more")
    wanted: tuple[str | None, ...] = parameter_sets(name) or (None,)
    if sets is not None:
        wanted = (sets,) if isinstance(sets, str) else tuple(sets)
    if not wanted:
        raise OptionError(
            f"no parameter set of {name} is asked for",
            where="sets",
            allowed=", ".join(parameter_sets(name)) or "None: the records as they are",
            fix="leave sets out to take all",
        )
    return tuple(parameters_of_material(material(name, temperature_k, one), draws) for one in wanted)


def parameters_of_material(host: Material, draws: int = DRAWS) -> ParameterDraws:
    """The numbers of one material under its own parameter set."""
    values, numbers, missing = {}, {}, {}
    for quantity in MATERIAL_QUANTITIES:
        try:
            value = host.value(quantity)
        except (NotAvailableError, ModelRangeError) as error:
            missing[quantity] = error.problems[0].what
            continue
        values[quantity] = value
        numbers[quantity] = drawn(value, quantity, draws)
    return ParameterDraws(host, values, numbers, missing, 1 + draws)


def drawn(value: Value, name: str, draws: int = DRAWS) -> FloatArray:
    """Middle value and draws (1 + draws,) of a value; `name` seeds their order.

    >>> drawn(Value(1.0, "nm", "assumed", "here", low=0.5, high=1.5), "length", 4).shape
    (5,)
    """
    uniform = _uniform(name, draws)
    if value.low is not None and value.high is not None:
        return np.concatenate([[value.number], value.low + (value.high - value.low) * uniform])
    if value.sigma:
        from scipy.special import ndtri

        return np.concatenate([[value.number], value.number + value.sigma * ndtri(uniform)])
    return np.full(1 + draws, value.number)


@lru_cache(maxsize=256)
def _uniform(name: str, draws: int) -> FloatArray:
    """One coordinate of the Latin hypercube: one point in each of `draws` equal parts of (0, 1), shuffled."""
    generator = np.random.default_rng([zlib.crc32(name.encode()), draws])
    points = (generator.permutation(draws) + generator.random(draws)) / max(draws, 1)
    points.flags.writeable = False
    return points
