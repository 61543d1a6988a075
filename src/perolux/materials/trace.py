"""What a number rests on, down to the records: `trace(material("CsPbBr3", 77.0), ["gap"])`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from perolux.errors import ModelRangeError, NotAvailableError
from perolux.materials.composition import Composition
from perolux.materials.resolve import Answer, answer
from perolux.quantities.value import Value

if TYPE_CHECKING:
    from perolux.materials.material import Material

__all__ = ["collect", "trace", "trace_series"]

LookUp = Callable[[str, str], Answer | None]


def trace(material: Material, quantities: Iterable[str]) -> tuple[Value, ...]:
    """Every value that quantities of a material rest on: each of them, and what it was computed from.

    material: of one compound or a mixture. quantities: names such as "gap". Each quantity is followed by its
    ingredients, recursively down to the records of the end members and the choices of the models; each value
    stands once. Raises what `Material.value` raises.

    >>> from perolux.materials import material
    >>> [value.key for value in trace(material("CsPbBr3", 77.0), ["gap"])][:3]
    ['CsPbBr3.gap', 'CsPbBr3.gap_low_t', 'CsPbBr3.gap_300k']
    """
    sets = {name: chosen for name, _, chosen in material.members}

    def look_up(owner: str, quantity: str) -> Answer | None:
        if owner == material.name:
            return material.answer(quantity)
        return answer(owner, quantity, material.temperature_k, sets[owner]) if owner in sets else None

    found: dict[tuple[object, ...], Value] = {}
    for quantity in quantities:
        value = material.value(quantity)  # carries the name of the material's set
        for one in (value, *collect(material.answer(quantity).ingredients, look_up)):
            found.setdefault(_identity(one), one)
    return tuple(found.values())


def trace_series(
    composition: str | Composition, temperature_k: float = 298.0, parameter_set: str | None = None
) -> tuple[Value, ...]:
    """Every value that a halide series (`mixed_material_arrays`) rests on, each once.

    These are gap, reduced mass and dielectric constant of the end members, what those were computed from, and
    the bowing. composition: an open one, for example "CsPb(Br,I)3". Raises as `mixed_material_arrays` does.
    """
    from perolux.materials.mixtures import mixed_material_arrays

    return mixed_material_arrays(composition, 0.5, temperature_k, parameter_set).rests_on


def collect(values: Iterable[Value], look_up: LookUp) -> tuple[Value, ...]:
    """The values and, recursively, their ingredients, each once.

    look_up: the answer of (owner, quantity), or None for an owner whose records have no ingredients.
    """
    found: dict[tuple[object, ...], Value] = {}
    for value in values:
        known = _known(value, look_up)
        below = () if known is None else collect(known.ingredients, look_up)
        # The answer of a record says where it was used beyond its range; the bare record does not.
        for one in (value if known is None else known.value, *below):
            found.setdefault(_identity(one), one)
    return tuple(found.values())


def _known(value: Value, look_up: LookUp) -> Answer | None:
    """The answer that gave this very value; None where it came straight from a record."""
    owner, _, quantity = value.key.rpartition(".")
    try:
        known = look_up(owner, quantity)
    except (NotAvailableError, ModelRangeError):
        return None  # a formula may take a record from outside its range, which no answer gives
    return known if known is not None and _identity(known.value) == _identity(value) else None


def _identity(value: Value) -> tuple[object, ...]:
    """Two values are one where all but the note agrees, and the name of the set it was asked under."""
    return (value.key, value.number, value.low, value.high, value.sigma, value.unit, value.source)
