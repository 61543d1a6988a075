"""Optical constants n and k, and the absorption of a small nanocrystal in a solvent that follows from them.

    mu_i = 4 pi n k |F|^2/(lambda n_s),   F = 3 n_s^2/((n + ik)^2 + 2 n_s^2)

mu_i is the absorption per nanocrystal volume in 1/cm (natural logarithm); sigma = mu_i V, and the molar
absorption coefficient is epsilon = N_A mu_i V/(1000 ln 10). The calibration is uncertain by a factor of
almost two at least: `absorption_calibrations` gives the rivals.
"""

from __future__ import annotations

import csv
import math
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.materials.derive import combine
from perolux.materials.records import load_records
from perolux.quantities.constants import AVOGADRO_PER_MOL
from perolux.quantities.value import Value

__all__ = [
    "OpticalConstants",
    "absorption_calibrations",
    "intrinsic_absorption_per_cm",
    "intrinsic_from_molar",
    "molar_from_intrinsic",
    "optical_constants",
    "optical_tables",
]

FloatArray = npt.NDArray[np.float64]
_CM3_PER_NM3 = 1e-21


@dataclass(frozen=True)
class OpticalConstants:
    """A table of n and k: arrays of shape (m,) on an ascending wavelength axis in nm; k >= 0 absorbs.

    sample: "bulk" or what else was measured. k_trusted_below_nm: above it k is an artefact of the table.
    """

    name: str
    material: str
    sample: str
    wavelength_nm: FloatArray = field(repr=False)
    n: FloatArray = field(repr=False)
    k: FloatArray = field(repr=False)
    source: str = ""
    note: str = ""
    k_trusted_below_nm: float | None = None

    def at(self, wavelength_nm: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """n and k by linear interpolation at wavelengths in nm, in their shape.

        Raises `ModelRangeError` outside the table: nothing is extrapolated.
        """
        asked = np.asarray(wavelength_nm, dtype=np.float64)
        first, last = float(self.wavelength_nm[0]), float(self.wavelength_nm[-1])
        if not np.all((asked >= first) & (asked <= last)):
            raise ModelRangeError(
                f"a wavelength outside the table of {self.name}",
                where=self.source,
                allowed=f"{first:g} to {last:g} nm",
                fix="ask within the table; nothing is extrapolated",
            )
        n = np.asarray(np.interp(asked, self.wavelength_nm, self.n))
        return n, np.asarray(np.interp(asked, self.wavelength_nm, self.k))


@cache
def optical_tables() -> dict[str, dict[str, object]]:
    """What is known of each table of n and k, by its name: material, sample, source, note."""
    text = files("perolux.materials").joinpath("data", "nk", "tables.toml").read_text("utf-8")
    return tomllib.loads(text)


@cache
def optical_constants(name: str) -> OpticalConstants:
    """The table of n and k of a material, for example "CsPbBr3" (bulk) or "CsPbI3_NCfilm" (a film).

    Raises `NotAvailableError` where there is no bulk table; a film of nanocrystals never stands in for the
    bulk, and a material never for another.

    >>> optical_constants("CsPbBr3").at(400.0)
    (array(2.2034), array(0.25684))
    """
    tables = optical_tables()
    if name not in tables:
        others = [key for key, table in tables.items() if table["material"] == name]
        raise NotAvailableError(
            f"optical constants of bulk {name} are not available",
            allowed=", ".join(tables),
            fix=f"on record is {others[0]}: {tables[others[0]]['sample']}" if others else None,
        )
    table = tables[name]
    text = files("perolux.materials").joinpath("data", "nk", str(table["file"])).read_text("utf-8")
    rows = np.array(
        [[float(row[c]) for c in ("wavelength_nm", "n", "k")] for row in csv.DictReader(text.splitlines())]
    )
    rows.flags.writeable = False
    trusted = table.get("k_trusted_below_nm")
    return OpticalConstants(
        name,
        str(table["material"]),
        str(table["sample"]),
        rows[:, 0],
        rows[:, 1],
        rows[:, 2],
        str(table["source"]),
        str(table.get("note", "")),
        float(trusted) if isinstance(trusted, int | float) else None,
    )


def intrinsic_absorption_per_cm(
    table: OpticalConstants, wavelength_nm: npt.ArrayLike, solvent_index: float
) -> FloatArray:
    """Intrinsic absorption mu_i in 1/cm (natural logarithm) of a small sphere in a solvent of index n_s.

    mu_i = 4 pi n k |F|^2/(lambda n_s) with the local field F = 3 n_s^2/((n + ik)^2 + 2 n_s^2); dilute,
    smaller than the wavelength, bulk n and k. Shape of `wavelength_nm`. Raises `ModelRangeError` outside the
    table or where its k is an artefact, `OptionError` for an index below 1.

    >>> f"{float(intrinsic_absorption_per_cm(optical_constants('CsPbBr3'), 335.0, 1.5)):.3g}"
    '1.62e+05'
    """
    if not 1.0 <= solvent_index < 10.0:
        raise OptionError(
            f"a solvent index of {solvent_index:g}", allowed="1 to 10, for example 1.50 for toluene"
        )
    asked = np.asarray(wavelength_nm, dtype=np.float64)
    if table.k_trusted_below_nm is not None and np.any(asked > table.k_trusted_below_nm):
        raise ModelRangeError(
            f"k of {table.name} beyond {table.k_trusted_below_nm:g} nm is an artefact of the table",
            where=table.source,
            allowed=f"up to {table.k_trusted_below_nm:g} nm",
            fix=table.note,
        )
    n, k = table.at(asked)
    field_factor = 3.0 * solvent_index**2 / ((n + 1j * k) ** 2 + 2.0 * solvent_index**2)
    per_nm = 4.0 * np.pi * n * k * np.abs(field_factor) ** 2 / (asked * solvent_index)
    return np.asarray(per_nm * 1e7)


def molar_from_intrinsic(intrinsic_per_cm: npt.ArrayLike, volume_nm3: npt.ArrayLike) -> FloatArray:
    """Molar absorption coefficient in 1/(M cm) from mu_i (1/cm) and the volume: N_A mu_i V/(1000 ln 10)."""
    volume_cm3 = np.asarray(volume_nm3, dtype=np.float64) * _CM3_PER_NM3
    return np.asarray(
        AVOGADRO_PER_MOL * np.asarray(intrinsic_per_cm) * volume_cm3 / (1000.0 * math.log(10.0))
    )


def intrinsic_from_molar(molar_per_volume: float) -> float:
    """mu_i in 1/cm from a molar absorption coefficient per volume, in 1/(M cm nm^3)."""
    return molar_per_volume * 1000.0 * math.log(10.0) / (AVOGADRO_PER_MOL * _CM3_PER_NM3)


def absorption_calibrations(material: str, solvent_index: float) -> tuple[Value, ...]:
    """The rival calibrations of the intrinsic absorption at 335 nm (1/cm): bulk n and k, and colloids.

    For CsPbBr3 they differ by 1.7; print the one used next to every concentration. Empty where a material
    has neither a table of n and k nor a record of its colloids.
    """
    found = []
    key = f"{material}.intrinsic_absorption_335nm"
    if material in optical_tables():
        table = optical_constants(material)
        mu_i = float(intrinsic_absorption_per_cm(table, 335.0, solvent_index))
        note = f"small sphere in a solvent of index {solvent_index:g}; {table.note}"
        found.append(
            Value(mu_i, "1/cm", "derived", f"{table.source}, local-field formula", key=key, note=note)
        )
    for record in load_records(material).of("molar_absorption_335nm"):
        how = "1000 ln(10) epsilon/(N_A V) with V = d^3"
        found.append(combine(intrinsic_from_molar, (record.value,), unit="1/cm", key=key, how=how))
    return tuple(found)
