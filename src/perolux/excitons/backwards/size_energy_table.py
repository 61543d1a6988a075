"""A table of sizes and energies of one material: what a published or own sizing curve has to say of itself.

A CSV file with columns `size_nm, energy_ev` and, where known, `sigma_ev`, after comment lines

    # material: CsPbBr3
    # temperature_k: 298
    # shape: cube
    # convention: core-edge
    # quantity: absorption          (or emission)
    # source: where the numbers come from
    # lattice_constant_nm: 0.587    (convention "...-without-half-cells" only)
    # shell_nm: 1.0                 (convention "...-with-shell" only)

Material, temperature, shape, convention and quantity have no defaults: published sizes are not one
quantity, and 10 % of the size is tens of meV. All faults of a file are told at once.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from perolux.ensemble.conventions import SIZE_CONVENTIONS, SizeConvention, to_core
from perolux.errors import InputError, OptionError, PeroluxError, Problem
from perolux.files import sha256_of
from perolux.materials import material as material_of

__all__ = [
    "PLAUSIBLE_EV",
    "SizeEnergyTable",
    "implausible_energies",
    "read_size_energy_table",
    "size_energy_table",
]

FloatArray = npt.NDArray[np.float64]
EnergyKind = Literal["absorption", "emission"]

PLAUSIBLE_EV = (0.5, 6.0)
"""Energies that can be a gap or an exciton; what lies outside was given in another unit."""

_NEEDED = ("material", "temperature_k", "shape", "convention", "quantity")
_KNOWN = (*_NEEDED, "source", "lattice_constant_nm", "shell_nm")
_COLUMNS = ("size_nm", "energy_ev", "sigma_ev")


@dataclass(frozen=True, eq=False)
class SizeEnergyTable:
    """Core sizes (n,) in nm (edge of a cube, diameter of a sphere) and energies (n,) in eV, with provenance.

    sigma_ev (n,): standard errors, or None. quantity: "absorption" (first exciton) or "emission" (PL peak).
    convention: in which the sizes were given; core_nm is after conversion.
    """

    core_nm: FloatArray
    energy_ev: FloatArray = field(repr=False)
    sigma_ev: FloatArray | None = field(repr=False)
    material: str
    temperature_k: float
    shape: str
    convention: str
    quantity: EnergyKind
    source: str

    def __len__(self) -> int:
        return len(self.core_nm)


def size_energy_table(
    size_nm: npt.ArrayLike,
    energy_ev: npt.ArrayLike,
    sigma_ev: npt.ArrayLike | None = None,
    *,
    material: str,
    temperature_k: float,
    shape: str,
    convention: str,
    quantity: str,
    source: str,
    lattice_constant_nm: float | None = None,
    shell_nm: float | None = None,
) -> SizeEnergyTable:
    """A table from arrays, checked; raises `OptionError` with all that is wrong.

    Energies outside 0.5 to 6 eV, which are often meV or wavelengths, and unknown materials are refused.

    >>> size_energy_table([6, 8, 10], [2.5, 2.43, 2.40], material="CsPbBr3", temperature_k=298,
    ...     shape="cube", convention="core-edge", quantity="absorption", source="an example").core_nm.tolist()
    [6.0, 8.0, 10.0]
    """
    sizes, energies = (np.atleast_1d(np.asarray(a, dtype=np.float64)) for a in (size_nm, energy_ev))
    problems = []
    if sizes.ndim != 1 or sizes.shape != energies.shape:
        problems.append(Problem(f"{sizes.size} sizes for {energies.size} energies"))
    if not np.all(np.isfinite(sizes) & (sizes > 0)):
        problems.append(Problem("a size is not positive", "size_nm", "above 0 nm"))
    problems += implausible_energies(energies, "energy_ev")
    sigma = None if sigma_ev is None else np.asarray(sigma_ev, dtype=np.float64)
    if sigma is not None and not (
        sigma.shape in ((), energies.shape) and np.all(np.isfinite(sigma) & (sigma > 0))
    ):
        problems.append(
            Problem("a sigma is not positive, or they are not as many as the energies", "sigma_ev")
        )
    if shape not in ("cube", "sphere"):
        problems.append(Problem(f"shape {shape!r}", "shape", "cube, sphere"))
    if convention not in SIZE_CONVENTIONS:
        problems.append(Problem(f"convention {convention!r}", "convention", ", ".join(SIZE_CONVENTIONS)))
    if quantity not in get_args(EnergyKind):
        problems.append(Problem(f"quantity {quantity!r}", "quantity", "absorption, emission"))
    if not (math.isfinite(temperature_k) and temperature_k >= 0):
        problems.append(Problem(f"a temperature of {temperature_k:g} K", "temperature_k", "0 K and above"))
    else:
        try:
            material_of(material, temperature_k)
        except OptionError as error:
            problems += [replace(one, where=one.where or "material") for one in error.problems]
    if problems:
        raise OptionError(problems)
    core = to_core(
        sizes,
        cast('Literal["cube", "sphere"]', shape),
        cast(SizeConvention, convention),
        lattice_constant_nm=lattice_constant_nm,
        shell_nm=shell_nm,
    )
    return SizeEnergyTable(
        core,
        energies,
        None if sigma is None else np.broadcast_to(sigma, energies.shape).copy(),
        material,
        float(temperature_k),
        shape,
        convention,
        cast(EnergyKind, quantity),
        source,
    )


def implausible_energies(energy_ev: FloatArray, where: str | None = None) -> list[Problem]:
    """The problem of energies that are no numbers, or lie outside `PLAUSIBLE_EV` as meV or nm would."""
    low, high = PLAUSIBLE_EV
    allowed = f"{low:g} to {high:g} eV"
    if not np.all(np.isfinite(energy_ev)):
        return [Problem("an energy is no finite number", where, allowed, "leave the point out")]
    outside = energy_ev[(energy_ev < low) | (energy_ev > high)]
    if not outside.size:
        return []
    what = f"an energy of {outside[0]:g} eV is no gap or exciton of a perovskite"
    return [Problem(what, where, allowed, "energies are in eV: divide meV by 1000, take 1239.84/nm")]


def read_size_energy_table(path: str | Path) -> SizeEnergyTable:
    """The table of a CSV file (format above); raises `InputError` with every fault of the file."""
    path = Path(path)
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise InputError("is not text in UTF-8", where=str(path)) from error
    problems: list[Problem] = []
    said = _said(lines, str(path), problems)
    columns = _columns(lines, str(path), problems)
    numbers: dict[str, float | None] = {}
    for name in ("temperature_k", "lattice_constant_nm", "shell_nm"):
        numbers[name] = _number(said.get(name), f"{path}: {name}", problems) if name in said else None
    if problems:
        raise InputError(problems)
    digest = sha256_of(path)[:12]
    try:
        return size_energy_table(
            columns["size_nm"],
            columns["energy_ev"],
            columns.get("sigma_ev"),
            material=said["material"],
            temperature_k=numbers["temperature_k"] or 0.0,
            shape=said["shape"],
            convention=said["convention"],
            quantity=said["quantity"],
            source=f"{said.get('source', 'no source stated')}; {path.name} (sha256 {digest})",
            lattice_constant_nm=numbers["lattice_constant_nm"],
            shell_nm=numbers["shell_nm"],
        )
    except PeroluxError as error:
        raise InputError(
            [Problem(p.what, f"{path}: {p.where}" if p.where else str(path), p.allowed, p.fix)
             for p in error.problems]
        ) from error  # fmt: skip


def _said(lines: list[str], where: str, problems: list[Problem]) -> dict[str, str]:
    said: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        key, colon, text = line.lstrip("# \t").partition(":")
        key = key.strip().lower()
        if not line.startswith("#") or not colon or key not in _KNOWN:
            continue  # a plain comment
        if key in said:
            problems.append(Problem(f"{key} is stated twice", f"{where}: line {number}"))
        said[key] = text.strip()
    missing = [key for key in _NEEDED if not said.get(key)]
    if missing:
        problems.append(
            Problem(
                f"{', '.join(missing)} not stated",
                where,
                fix=f"write comment lines such as '# {missing[0]}: ...' before the table",
            )
        )
    return said


def _columns(lines: list[str], where: str, problems: list[Problem]) -> Mapping[str, list[float]]:
    rows = [(n, line) for n, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not rows:
        problems.append(Problem("holds no table", where, ", ".join(_COLUMNS)))
        return {}
    head = [name.strip().lower() for name in next(csv.reader([rows[0][1]]))]
    if (
        not {"size_nm", "energy_ev"} <= set(head)
        or not set(head) <= set(_COLUMNS)
        or len(set(head)) < len(head)
    ):
        problems.append(
            Problem(
                f"columns {', '.join(head)}", f"{where}: line {rows[0][0]}", "size_nm, energy_ev[, sigma_ev]"
            )
        )
        return {}
    found: dict[str, list[float]] = {name: [] for name in head}
    for number, line in rows[1:]:
        cells = next(csv.reader([line]))
        if len(cells) != len(head):
            problems.append(Problem(f"{len(cells)} cells for {len(head)} columns", f"{where}: line {number}"))
            continue
        for name, cell in zip(head, cells, strict=True):
            value = _number(cell, f"{where}: line {number}, {name}", problems)
            found[name].append(math.nan if value is None else value)
    return found


def _number(text: str | None, place: str, problems: list[Problem]) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        problems.append(Problem(f"{text!r} is not a finite number", place))
        return None
    return value
