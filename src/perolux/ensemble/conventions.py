"""Size conventions: what a published or measured "size" means, and its conversion to the core lengths.

perolux computes with core lengths that include both outer half cells: n unit cells of lattice constant a
have the length n a. An edge measured from the outermost lead plane to the opposite one is (n - 1) a, one
lattice constant (half a cell at each end) shorter. At 6 nm that is 10 % of the edge and tens of meV, which
is why the convention has no default.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from perolux.ensemble.shapes import Shape
from perolux.errors import ModelRangeError, OptionError

__all__ = [
    "SIZE_CONVENTIONS",
    "SizeConvention",
    "allowed_conventions",
    "check_convention",
    "from_core",
    "to_core",
]

FloatArray = npt.NDArray[np.float64]

SizeConvention = Literal[
    "core-edge",
    "edge-without-half-cells",
    "edge-with-shell",
    "core-diameter",
    "diameter-without-half-cells",
    "diameter-with-shell",
    "equal-volume-diameter",
    "equal-area-diameter",
]
SIZE_CONVENTIONS: tuple[SizeConvention, ...] = get_args(SizeConvention)
"""core-edge, core-diameter: the core, both outer half cells included (the internal convention).
edge-without-half-cells, diameter-without-half-cells: from outermost to outermost lead plane; one lattice
constant is added. edge-with-shell, diameter-with-shell: a shell of stated thickness on each side is included;
twice its thickness is taken off. equal-volume-diameter: of the sphere with the volume of the cube.
equal-area-diameter: of the disc with the area of the cube's face, as image analysis reports it.
Both are for cubes only."""

_EDGES: tuple[SizeConvention, ...] = ("core-edge", "edge-without-half-cells", "edge-with-shell")
_DIAMETERS: tuple[SizeConvention, ...] = (
    "core-diameter",
    "diameter-without-half-cells",
    "diameter-with-shell",
)
_EQUAL: tuple[SizeConvention, ...] = ("equal-volume-diameter", "equal-area-diameter")
_EDGE_PER_DIAMETER = {
    "equal-volume-diameter": (math.pi / 6) ** (1 / 3),
    "equal-area-diameter": math.sqrt(math.pi) / 2,
}


def allowed_conventions(shape: Shape) -> tuple[SizeConvention, ...]:
    """Conventions in which the lengths of a shape can be given; a rod's hold for diameter and length."""
    if shape == "cube":
        return _EDGES + _EQUAL
    return _EDGES if shape in ("cuboid", "platelet") else _DIAMETERS


def needs_lattice_constant(convention: SizeConvention) -> bool:
    """True where the conversion adds the outer half cells."""
    return convention.endswith("without-half-cells")


def check_convention(shape: Shape, convention: SizeConvention) -> None:
    """Raise `OptionError` where a shape's lengths cannot be given in this convention."""
    allowed = allowed_conventions(shape)
    if convention not in allowed:
        raise OptionError(
            f"the size convention {convention!r} does not go with a {shape}",
            allowed=", ".join(allowed),
            fix="say what was measured; there is no default, a wrong guess costs 10 % of the size",
        )


def to_core(
    lengths_nm: npt.ArrayLike,
    shape: Shape,
    convention: SizeConvention,
    *,
    lattice_constant_nm: float | None = None,
    shell_nm: float | None = None,
) -> FloatArray:
    """Core lengths (both outer half cells included) from lengths given in a convention; any shape, nm.

    L_core = L + a (without half cells), L - 2 t (with a shell of thickness t), D (pi/6)^(1/3) (equal
    volume), D sqrt(pi)/2 (equal area), L (core). Raises `OptionError` where the lattice constant a
    (pseudo-cubic) or the shell thickness is missing, `ModelRangeError` where nothing of the core is left.

    >>> to_core([7.413], "cube", "edge-without-half-cells", lattice_constant_nm=0.587).round(6).tolist()
    [8.0]
    """
    scale, shift = _linear(shape, convention, lattice_constant_nm, shell_nm)
    core = np.asarray(lengths_nm, dtype=float) * scale + shift
    if np.any(core <= 0):
        raise ModelRangeError(
            f"a size of {float(np.min(np.asarray(lengths_nm))):g} nm ({convention}) leaves no core",
            allowed=f"more than {-shift / scale:g} nm",
            fix="check the convention and the thickness of the shell",
        )
    return core


def from_core(
    core_nm: npt.ArrayLike,
    shape: Shape,
    convention: SizeConvention,
    *,
    lattice_constant_nm: float | None = None,
    shell_nm: float | None = None,
) -> FloatArray:
    """The inverse of `to_core`: core lengths as another convention would report them; any shape, nm."""
    scale, shift = _linear(shape, convention, lattice_constant_nm, shell_nm)
    return (np.asarray(core_nm, dtype=float) - shift) / scale


def _linear(
    shape: Shape, convention: SizeConvention, lattice_constant_nm: float | None, shell_nm: float | None
) -> tuple[float, float]:
    check_convention(shape, convention)
    if convention in _EDGE_PER_DIAMETER:
        return _EDGE_PER_DIAMETER[convention], 0.0
    if needs_lattice_constant(convention):
        return 1.0, _positive(lattice_constant_nm, "lattice_constant_nm", convention)
    if convention.endswith("with-shell"):
        return 1.0, -2.0 * _positive(shell_nm, "shell_nm", convention)
    return 1.0, 0.0


def _positive(number: float | None, name: str, convention: str) -> float:
    if number is None or not (math.isfinite(number) and number > 0):
        raise OptionError(
            f"the size convention {convention!r} needs {name}, not {number}",
            allowed="a positive length in nm",
        )
    return number
