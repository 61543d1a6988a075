"""Units at the edge: text such as "300 K" or "510 nm" becomes a number in an internal unit, and back.

Inside perolux the unit is in the name (`edge_nm`, `gap_ev`) and numbers are plain. Only here is unit text
parsed. The common spectral and temperature units are converted directly; anything else goes through pint,
which is imported only then.
"""

from __future__ import annotations

import re
import threading
from functools import cache
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.quantities.constants import HC_EV_NM, constant

__all__ = ["SPECTRAL_UNITS", "convert_spectral", "linear_scale", "parse_quantity", "spectral_unit"]

Numbers = TypeVar("Numbers", float, npt.NDArray[np.float64])

SPECTRAL_UNITS: tuple[str, ...] = ("nm", "um", "eV", "meV", "cm-1", "THz")
"""Units of a spectral axis that `convert_spectral` knows."""

_ALIASES = {
    "nanometer": "nm", "nanometers": "nm", "nanometre": "nm", "nanometres": "nm",
    "µm": "um", "μm": "um", "micron": "um", "microns": "um", "micrometer": "um", "micrometre": "um",
    "ev": "eV", "mev": "meV", "electronvolt": "eV",
    "1/cm": "cm-1", "cm^-1": "cm-1", "cm**-1": "cm-1", "cm⁻¹": "cm-1", "cm−1": "cm-1", "wavenumber": "cm-1",
    "thz": "THz",
}  # fmt: skip
_LENGTHS = {"nm": 1.0, "um": 1e3}
_ONE_AT_A_TIME = threading.Lock()
_KELVIN = {"K", "k", "kelvin"}
_CELSIUS = {"degC", "°C", "C", "celsius", "degc"}
_ZERO_CELSIUS_K = 273.15  # the definition of the Celsius scale, not a measurement

# Definitions of prefixes, as (numerator, denominator): a division by a whole power of ten is correctly
# rounded, so "5.85 angstrom" becomes 0.585 nm to the last digit.
_SCALES: dict[tuple[str, str], tuple[float, float]] = {
    ("meV", "eV"): (1, 1000),
    ("meV/K", "eV/K"): (1, 1000),
    ("ueV/K", "eV/K"): (1, 1_000_000),
    ("ueV/T^2", "eV/T^2"): (1, 1_000_000),
    ("angstrom", "nm"): (1, 10),
    ("degree", "rad"): (np.pi, 180),
    ("percent", "1"): (1, 100),
    ("1/(uM cm nm^3)", "1/(M cm nm^3)"): (1_000_000, 1),
}

_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*(.*?)\s*", re.DOTALL)
# Products and quotients of unit names with one-digit powers, as in J/(mol K) or m**2: all that a unit needs.
# Anything else is refused before pint sees it (stacked powers such as 10**9**9 would never come back).
_TERM = r"[A-Za-zµμ°Å%]+(?:(?:\*\*|\^)[+-]?\d)?"
_PRODUCT = rf"{_TERM}(?:(?: | ?\* ?){_TERM})*"
_UNIT_TEXT = re.compile(rf"(?:1 ?/ ?)?{_PRODUCT}(?: ?/ ?(?:{_TERM}|\({_PRODUCT}\)))*")


def spectral_unit(text: str) -> str:
    """Canonical name of a spectral unit: one of `SPECTRAL_UNITS`. Raises `OptionError` for others.

    >>> spectral_unit("1/cm")
    'cm-1'
    """
    name = text.strip()
    if name in SPECTRAL_UNITS:
        return name
    if name.lower() in _ALIASES:
        return _ALIASES[name.lower()]
    raise OptionError(
        f"{text!r} is not a spectral unit", allowed=", ".join(SPECTRAL_UNITS), fix="give one of these units"
    )


def convert_spectral(values: Numbers, source: str, target: str) -> Numbers:
    """Convert wavelength, photon energy, wavenumber or frequency (vacuum) into one another.

    E = hc/lambda, E = hc nu~, E = h f. Scalars or arrays of any shape; densities per unit of the axis need
    the Jacobian besides (`Spectrum.per_ev`). Raises `OptionError` for an unknown unit and for values that
    are not positive and finite. Valid for vacuum wavelengths.

    >>> round(convert_spectral(510.0, "nm", "eV"), 6)
    2.431063
    >>> round(convert_spectral(convert_spectral(510.0, "nm", "cm-1"), "cm-1", "nm"), 9)
    510.0
    """
    source, target = spectral_unit(source), spectral_unit(target)
    array = np.asarray(values, dtype=np.float64)
    if not np.all(np.isfinite(array) & (array > 0)):
        raise OptionError(
            f"a value in {source} must be positive and finite to be converted to {target}",
            allowed="numbers above 0",
        )
    result = array if source == target else _from_ev(_to_ev(array, source), target)
    return cast(Numbers, float(result) if np.ndim(values) == 0 else result)


def _to_ev(array: npt.NDArray[np.float64], unit: str) -> npt.NDArray[np.float64]:
    if unit == "nm":
        return HC_EV_NM / array
    if unit == "um":
        return HC_EV_NM / (array * 1e3)
    return array * _ev_per(unit)


def _from_ev(energy: npt.NDArray[np.float64], unit: str) -> npt.NDArray[np.float64]:
    if unit == "nm":
        return HC_EV_NM / energy
    if unit == "um":
        return HC_EV_NM / energy / 1e3
    return energy / _ev_per(unit)


def _ev_per(unit: str) -> float:
    if unit == "THz":
        return constant("planck_j_s") / constant("elementary_charge_c") * 1e12
    return {"eV": 1.0, "meV": 1e-3, "cm-1": HC_EV_NM * 1e-7}[unit]


def linear_scale(number: float, source: str, target: str) -> float:
    """A number of a record in its canonical unit, for units that differ by a factor only.

    Raises `OptionError` where perolux knows no factor between the two (records state them in few units).

    >>> linear_scale(5.85, "angstrom", "nm")
    0.585
    """
    if source == target:
        return number
    if (source, target) in _SCALES:
        numerator, denominator = _SCALES[source, target]
        return number * numerator / denominator
    if source in ("cm-1", "THz") and target == "eV":
        return number * _ev_per(source)
    allowed = [target, *(known for known, into in _SCALES if into == target)]
    raise OptionError(f"no factor from the unit {source!r} to {target!r}", allowed=", ".join(allowed))


def parse_quantity(
    text: str | float, target: str, *, default_unit: str | None = None, spectral: bool = True
) -> float:
    """The number that a text with a unit means, in the unit `target`.

    text: "300K", "25 °C", "510 nm", "2.43 eV", "1 kcal/mol"; a bare number is taken in `default_unit`.
    spectral: wavelengths convert into energies and back (vacuum); False where a length means no wavelength
    or an energy is a difference. Raises `OptionError` where the text is no number with
    a unit, the unit is unknown, or it measures something else.

    >>> parse_quantity("300K", "K"), parse_quantity("25 °C", "K")
    (300.0, 298.15)
    >>> round(parse_quantity("510 nm", "eV"), 6)
    2.431063
    """
    match = _NUMBER.fullmatch(str(text)) if len(str(text)) <= 80 else None
    if match is None:
        raise OptionError(
            f"{str(text)[:60]!r} is not a number with a unit",
            fix=f"write a number and its unit, as in 1 {target}",
        )
    number, unit = float(match[1]), match[2] or default_unit
    if unit is None:
        raise OptionError(f"{text!r} has no unit", fix=f"write the unit, as in {match[1]} {target}")
    result = _convert(number, unit, target, spectral)
    if not np.isfinite(result):
        raise OptionError(f"{text!r} is not a finite number of {target}")
    return result


def _convert(number: float, unit: str, target: str, spectral: bool) -> float:
    if unit == target:
        return number
    if target in _KELVIN and (unit in _KELVIN or unit in _CELSIUS):
        return number if unit in _KELVIN else number + _ZERO_CELSIUS_K
    if target in SPECTRAL_UNITS and (unit in SPECTRAL_UNITS or unit.lower() in _ALIASES):
        unit = spectral_unit(unit)
        if spectral:
            return convert_spectral(number, unit, target)
        if unit in _LENGTHS and target in _LENGTHS:
            return number if unit == target else number * _LENGTHS[unit] / _LENGTHS[target]
        if unit not in _LENGTHS and target not in _LENGTHS:
            return number if unit == target else number * _ev_per(unit) / _ev_per(target)
    return _convert_with_pint(number, unit, target, spectral)


def _convert_with_pint(number: float, unit: str, target: str, spectral: bool) -> float:
    problem = OptionError(
        f"the unit {unit[:40]!r} cannot be turned into {target}",
        fix=f"write the number in {target}",
    )
    if not _UNIT_TEXT.fullmatch(unit):
        raise problem
    import pint

    try:
        # pint opens and closes a context in its registry: in two threads at once a unit goes missing
        with _ONE_AT_A_TIME:
            registry = _registry()
            quantity = registry.Quantity(number, registry.parse_units(_pint_name(unit)))
            wanted = registry.parse_units(_pint_name(target))
            if not spectral and quantity.check("[length]") != (wanted.dimensionality == {"[length]": 1}):
                raise problem
            return float(quantity.to(wanted, "spectroscopy").magnitude)
    except (
        pint.PintError,
        ValueError,
        TypeError,
        AttributeError,
        KeyError,
        ArithmeticError,
        SyntaxError,
    ) as error:
        raise problem from error


def _pint_name(unit: str) -> str:
    return {"cm-1": "1/cm", "um": "micrometer"}.get(unit, unit).replace("^", "**")


@cache
def _registry() -> Any:
    import pint

    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
