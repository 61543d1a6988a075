"""Fields of the files that users write: a text with a unit becomes a number in the unit of the field."""

from __future__ import annotations

from typing import Any

from pydantic import BeforeValidator

from perolux.errors import OptionError
from perolux.quantities.units import parse_quantity

__all__ = ["measured"]


def measured(unit: str, *, least: float = 0.0, above: bool = False, spectral: bool = False) -> Any:
    """Type of a field: a text with a unit, as a number of `unit` that is finite and not below `least`.

    above: nor equal to it. spectral: a place on the spectral axis, where 2.4 eV is as good as 510 nm; a
    thickness in eV or a spread of energies in nm is a mistake and refused.
    """

    def parse(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(f"a number with its unit, as in '1 {unit}'")
        try:
            number = parse_quantity(value, unit, spectral=spectral)
        except OptionError as error:
            problem = error.problems[0]
            raise ValueError(f"{problem.what}; {problem.fix or f'a number in {unit}'}") from None
        if number < least or (above and number <= least):
            raise ValueError(
                f"{value!r} lies below {least:g} {unit}" if not above else f"{value!r} is not above {least:g}"
            )
        return number

    return BeforeValidator(parse, json_schema_input_type=str)
