"""`Nanocrystal`: shape, core lengths, material and temperature of one nanocrystal, checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from perolux.ensemble.conventions import (
    SizeConvention,
    allowed_conventions,
    check_convention,
    needs_lattice_constant,
    to_core,
)
from perolux.ensemble.shapes import SHAPES, Shape, given_lengths
from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.excitons.assumptions import assumption
from perolux.materials import Material
from perolux.materials import material as material_of

__all__ = [
    "LARGEST_NM",
    "Crystals",
    "Nanocrystal",
    "nanocrystal",
    "require_core_in_range",
    "require_nanocrystal",
]

FloatArray = npt.NDArray[np.float64]

LARGEST_NM = 100.0
"""Largest core length for which this room answers."""
ROD_LENGTHS = (1.1, 8.0)
"""Length of a rod over its diameter, of the core; below, leakage may make the axis the shorter way."""


@dataclass(frozen=True)
class Crystals:
    """Nanocrystals of one material and shape: core lengths a, b, c in nm, arrays of one shape."""

    material: str
    shape: Shape
    lengths_nm: tuple[FloatArray, FloatArray, FloatArray]
    temperature_k: float
    outside_index: float | None = None

    @property
    def volume_nm3(self) -> FloatArray:
        """Core volume in nm^3."""
        a, b, c = self.lengths_nm
        factor = {"sphere": math.pi / 6, "spheroid": math.pi / 6, "rod": math.pi / 4}.get(self.shape, 1.0)
        return np.asarray(a * b * c * factor)


@dataclass(frozen=True)
class Nanocrystal:
    """One nanocrystal.

    material: formula. shape: as in `ensemble.shapes`. lengths_nm: the three core lengths a, b, c, both outer
    half cells included. temperature_k: of the lattice. convention: in which the lengths were given.
    monolayers: of a platelet, else None. outside_index: refractive index of ligands and solvent around it;
    None takes the assumed range `prior.outside_index`.
    """

    material: str
    shape: Shape
    lengths_nm: tuple[float, float, float]
    temperature_k: float = 298.0
    convention: SizeConvention = "core-edge"
    monolayers: int | None = None
    outside_index: float | None = None

    @property
    def volume_nm3(self) -> float:
        """Core volume in nm^3."""
        return float(self.as_crystals.volume_nm3)

    @property
    def as_crystals(self) -> Crystals:
        """The same as one of many."""
        a, b, c = (np.asarray(one) for one in self.lengths_nm)
        return Crystals(self.material, self.shape, (a, b, c), self.temperature_k, self.outside_index)

    @property
    def label(self) -> str:
        """Shape and lengths in words, for tables and titles."""
        a, b, c = self.lengths_nm
        if self.shape == "platelet":
            return f"platelet of {self.monolayers} monolayers ({c:.3g} nm), {a:g} x {b:g} nm wide"
        sizes = {
            "cube": f"{a:g} nm",
            "sphere": f"{a:g} nm across",
            "spheroid": f"{a:g} nm across, {c:g} nm from pole to pole",
            "rod": f"{a:g} nm thick, {c:g} nm long",
        }.get(self.shape, f"{a:g} x {b:g} x {c:g} nm")
        return f"{self.shape}, {sizes}"


def require_nanocrystal(crystal: object, where: str) -> None:
    """Raise `OptionError` for anything but a `Nanocrystal`, for example a formula alone."""
    if not isinstance(crystal, Nanocrystal):
        raise OptionError(
            f"{crystal!r} is no nanocrystal"
            if isinstance(crystal, str)
            else f"a {type(crystal).__name__} is no nanocrystal",
            where=where,
            allowed="a Nanocrystal",
            fix='make one: perolux.excitons.nanocrystal("CsPbBr3", "cube", 8.0, "core-edge")',
        )


def nanocrystal(
    material: str | Material,
    shape: Shape,
    lengths_nm: float | Sequence[float],
    convention: SizeConvention,
    *,
    temperature_k: float | None = None,
    monolayers: float | None = None,
    shell_nm: float | None = None,
    outside_index: float | None = None,
) -> Nanocrystal:
    """A nanocrystal from lengths in any size convention, checked.

    material: a formula, or a `Material`, whose temperature then holds if none is given (298 K
    otherwise); its parameter set is not kept, `passport` takes `sets`. shape: with its lengths_nm, and the
    options of `perolux exciton MATERIAL` that ask for the same:

        "cube"       edge                            --edge L or --tem-edge L
        "cuboid"     three edges                     --edge A,B,C or --tem-edge A,B,C
        "sphere"     diameter                        --diameter D
        "spheroid"   equator, pole to pole           --shape spheroid --diameter D --length C
        "rod"        diameter, length                --diameter D --length C
        "platelet"   lateral edge, or two; with      --monolayers N --edge A or --edge A,B
                     `monolayers`, a whole number

    convention: what was measured. "core-edge" (--edge: outer half cells included),
    "edge-without-half-cells" (--tem-edge: from outermost to outermost lead plane, one lattice constant is
    added), "edge-with-shell" (with `shell_nm`), "core-diameter" (--diameter), and others without an option;
    see `ensemble.conventions`. outside_index: of ligands and solvent (--outside-index). A platelet is as
    thick as its monolayers times the monolayer thickness on record. Raises `OptionError` for contradictory
    or missing lengths, `ModelRangeError` for a core below one unit cell or above 100 nm or a rod outside 1.1
    to 8 diameters, and the errors of the material.

    >>> nanocrystal("CsPbBr3", "cube", 7.415, "edge-without-half-cells").lengths_nm[0]
    8.0
    """
    if isinstance(material, Material):
        kelvin = material.temperature_k if temperature_k is None else temperature_k
        material, temperature_k = material.name, kelvin
    elif not isinstance(material, str):
        raise OptionError(f"{type(material).__name__} is no material", allowed="a formula or a Material")
    temperature_k = 298.0 if temperature_k is None else temperature_k
    if shape not in SHAPES:
        raise OptionError(f"unknown shape {shape!r}", allowed=", ".join(get_args(Shape)))
    where = f"{shape} of {material}"
    try:
        given = tuple(float(one) for one in np.atleast_1d(np.asarray(lengths_nm, dtype=float)))
    except (TypeError, ValueError):
        raise OptionError(f"lengths {lengths_nm!r}", where=where, allowed="numbers, in nm") from None
    host = material_of(material, temperature_k)
    check_convention(shape, convention)
    if outside_index is not None and not (_is_number(outside_index) and 1.0 <= outside_index <= 2.5):
        raise OptionError(
            f"a refractive index of {_shown(outside_index)} outside", allowed="1 (vacuum) to 2.5", where=where
        )
    if shell_nm is not None and not convention.endswith("with-shell"):
        shelled = [one for one in allowed_conventions(shape) if one.endswith("with-shell")]
        raise OptionError(
            f"shell_nm has no effect: lengths in the convention {convention!r} contain no shell",
            where=where,
            allowed=", ".join(shelled),
            fix=f"drop shell_nm, or say convention {shelled[0]!r}",
        )
    names = given_lengths(shape)
    if shape == "platelet" and len(given) == 1:
        given = (given[0], given[0])
    if len(given) != len(names):
        raise OptionError(
            f"{len(given)} lengths for a {shape}",
            where=where,
            allowed=f"{len(names)}: {', '.join(names)}",
        )
    if not all(math.isfinite(one) and one > 0 for one in given):
        raise OptionError(
            f"lengths of {', '.join(f'{one:g}' for one in given)} nm", where=where, allowed="above 0 nm"
        )
    try:
        cell = host.lattice_constant_nm
    except NotAvailableError:
        if needs_lattice_constant(convention):
            raise
        cell = None
    core = [
        float(one) for one in to_core(given, shape, convention, lattice_constant_nm=cell, shell_nm=shell_nm)
    ]
    core = [round(one, 12) for one in core]
    layers = _monolayers(shape, monolayers, where)
    if layers is not None:
        core.append(layers * host.value("monolayer_thickness").number)
    elif shape in ("cube", "sphere"):
        core *= 3
    elif shape in ("spheroid", "rod"):
        core = [core[0], core[0], core[1]]
    a, b, c = core
    require_core_in_range((a, b, c), cell, layers, where)
    if shape == "rod":
        _require_rod(a, c, where)
    return Nanocrystal(host.name, shape, (a, b, c), float(temperature_k), convention, layers, outside_index)


def require_core_in_range(
    core: tuple[float, float, float], cell_nm: float | None, layers: int | None, where: str
) -> None:
    """Raise `ModelRangeError` for core lengths (nm) below one unit cell or above 100 nm.

    cell_nm: lattice constant, None takes the assumption; layers: monolayers of a platelet, else None.
    """
    smallest = cell_nm if cell_nm is not None else assumption("smallest_core_nm").number
    low = min(core) if layers is None else min(core[:2])
    if low < smallest or max(core) > LARGEST_NM:
        if layers is not None and core[2] == max(core):
            raise ModelRangeError(
                f"a platelet of {layers} monolayers is {core[2]:.4g} nm thick",
                where=where,
                allowed=f"up to {LARGEST_NM:g} nm; plates end earlier, at 15 Bohr radii",
                fix="thick ones: a cuboid (--edge A,B,C)",
            )
        raise ModelRangeError(
            f"core lengths of {', '.join(f'{one:.4g}' for one in core)} nm",
            where=where,
            allowed=f"one unit cell ({smallest:.3g} nm) to {LARGEST_NM:g} nm",
            fix="lengths are in nm; check the size convention",
        )


def _require_rod(diameter: float, length: float, where: str) -> None:
    low, high = ROD_LENGTHS
    ratio = length / diameter
    if low * (1.0 - 1e-9) <= ratio <= high * (1.0 + 1e-9):
        return
    raise ModelRangeError(
        f"a rod {length:g} nm long and {diameter:g} nm thick is {ratio:.3g} diameters long",
        where=where,
        allowed=f"{low:g} to {high:g} diameters",
        fix="ask for a shorter one; the bare pair of any bar: perolux.excitons.pair.rod.bar_state"
        if ratio > high
        else "about as long as thick: ask for a spheroid (--shape spheroid)",
    )


def _is_number(value: object) -> bool:
    """True for a finite int or float, numpy's included; a text or a truth value is none."""
    return (
        isinstance(value, int | float | np.integer | np.floating)
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float | np.integer | np.floating) else repr(value)


def _monolayers(shape: str, monolayers: float | None, where: str) -> int | None:
    if shape != "platelet":
        if monolayers is not None:
            raise OptionError(
                f"monolayers do not go with a {shape}", where=where, allowed="shape platelet", fix="drop them"
            )
        return None
    if monolayers is None:
        raise OptionError(
            "a platelet needs its thickness in monolayers",
            where=where,
            fix="give --monolayers, for example 3",
        )
    if not (_is_number(monolayers) and monolayers >= 1 and monolayers == int(monolayers)):
        raise OptionError(
            f"a platelet of {_shown(monolayers)} monolayers", where=where, allowed="a whole number from 1"
        )
    return int(monolayers)
