"""Refractive indices of scatterers, coatings and hosts, over wavelength (`data/optical_media.toml`)."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.quantities.value import Value

__all__ = [
    "Index", "Medium", "constant_medium", "film_value", "film_values", "index_at", "medium", "medium_names",
]  # fmt: skip

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]


@dataclass(frozen=True)
class Medium:
    """A medium with its complex index n + ik over wavelength, and where that is written.

    range_nm: beyond it nothing is told. kind: read, derived, recalled or assumed, as of a `Value`.
    """

    name: str
    range_nm: tuple[float, float]
    kind: str
    source: str
    law: Callable[[FloatArray], ComplexArray] = field(repr=False)

    def at(self, wavelength_nm: npt.ArrayLike) -> ComplexArray:
        """n + ik at wavelengths in nm, in their shape; raises `ModelRangeError` outside the record.

        >>> round(float(medium("SiO2").at(587.6).real), 4)
        1.4585
        """
        asked = np.asarray(wavelength_nm, dtype=float)
        low, high = self.range_nm
        if not np.all((asked >= low) & (asked <= high)):
            raise ModelRangeError(
                f"a wavelength outside the record of {self.name}",
                where=self.source,
                allowed=f"{low:g} to {high:g} nm",
                fix="ask within the record, or give an index of your own",
            )
        return np.asarray(self.law(asked), dtype=complex)


Index = complex | Medium
"""A constant index (n, or n + ik with k >= 0) or a medium on record."""


@cache
def _records() -> dict[str, dict[str, Any]]:
    return tomllib.loads(files("perolux.display").joinpath("data/optical_media.toml").read_text("utf-8"))


def medium_names() -> tuple[str, ...]:
    """Names of the media on record."""
    return tuple(_records())


@cache
def medium(name: str) -> Medium:
    """One medium by name; raises `NotAvailableError` with the known names."""
    records = _records()
    if name not in records:
        raise NotAvailableError(
            f"no index of {name!r} is on record", allowed=", ".join(records), fix="give n as a number"
        )
    record = records[name]
    form = record["form"]
    laws: dict[str, Callable[[Any], Callable[[FloatArray], ComplexArray]]] = {
        "sellmeier": _sellmeier,
        "sellmeier2": _sellmeier2,
        "formula4": _formula4,
        "constant": _constant,
        "table": _table,
    }
    law = laws[form](record["terms"] if "terms" in record else record if form == "table" else record["n"])
    low, high = record.get("range_nm") or (record["wavelength_nm"][0], record["wavelength_nm"][-1])
    return Medium(name, (float(low), float(high)), record["kind"], record["source"], law)


def constant_medium(index: complex, name: str = "given") -> Medium:
    """A medium of one index at all wavelengths."""
    if not (np.isfinite(index) and np.real(index) > 0.0 and np.imag(index) >= 0.0):
        raise OptionError(f"an index of {index:g}", allowed="n above 0, k of 0 and more (k >= 0 absorbs)")
    return Medium(name, (0.0, np.inf), "assumed", "given as a number", _constant(complex(index)))


def index_at(index: Index, wavelength_nm: npt.ArrayLike) -> ComplexArray:
    """n + ik of a number or a medium, in the shape of the wavelengths."""
    found = index if isinstance(index, Medium) else constant_medium(index)
    return found.at(wavelength_nm)


@cache
def film_values() -> dict[str, Value]:
    """The numbers on which films rest (`data/films.toml`) by name, with their sources."""
    text = files("perolux.display").joinpath("data/films.toml").read_text("utf-8")
    return {name: Value(key=f"film.{name}", **record) for name, record in tomllib.loads(text).items()}


def film_value(name: str) -> Value:
    """One of them by name; `OptionError` where there is none of that name."""
    try:
        return film_values()[name]
    except KeyError:
        raise OptionError(f"no record is called {name!r}", allowed=", ".join(film_values())) from None


def _constant(index: complex) -> Callable[[FloatArray], ComplexArray]:
    return lambda nm: np.full(nm.shape, index)


def _sellmeier(terms: list[list[float]]) -> Callable[[FloatArray], ComplexArray]:
    return _sellmeier2([[b, c**2] for b, c in terms])


def _sellmeier2(terms: list[list[float]]) -> Callable[[FloatArray], ComplexArray]:
    def law(nm: FloatArray) -> ComplexArray:
        square = (1e-3 * nm) ** 2
        return np.asarray(np.sqrt(1.0 + sum(b * square / (square - c) for b, c in terms)), dtype=complex)

    return law


def _formula4(terms: list[float]) -> Callable[[FloatArray], ComplexArray]:
    a, b, c = terms
    return lambda nm: np.asarray(np.sqrt(a + b / ((1e-3 * nm) ** 2 - c)), dtype=complex)


def _table(record: dict[str, Any]) -> Callable[[FloatArray], ComplexArray]:
    nm = np.array(record["wavelength_nm"], dtype=float)
    index = np.array(record["n"]) + 1j * np.array(record.get("k", np.zeros(len(nm))))
    return lambda asked: np.interp(asked, nm, index.real) + 1j * np.interp(asked, nm, index.imag)
