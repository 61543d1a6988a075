"""Shapes of nanocrystals: what their three lengths mean, volume and surface area.

Three core lengths a, b, c in nm, all including both outer half cells, describe every shape:

| shape | a | b | c | volume | surface area |
| --- | --- | --- | --- | --- | --- |
| cube | edge | edge | edge | a^3 | 6 a^2 |
| cuboid | edge | edge | edge | a b c | 2 (ab + bc + ca) |
| platelet | lateral edge | lateral edge | thickness | a b c | 2 (ab + bc + ca) |
| sphere | diameter | diameter | diameter | pi a^3/6 | pi a^2 |
| spheroid | equatorial diameter | the same | polar diameter | pi a^2 c/6 | closed forms below |
| rod (flat-ended cylinder) | diameter | the same | length | pi a^2 c/4 | pi a c + pi a^2/2 |

Source: elementary geometry.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

__all__ = ["SHAPES", "Shape", "given_lengths", "surface_nm2", "volume_nm3"]

FloatArray = npt.NDArray[np.float64]
StringArray = npt.NDArray[np.str_]

Shape = Literal["cube", "cuboid", "sphere", "spheroid", "platelet", "rod"]
SHAPES: tuple[Shape, ...] = get_args(Shape)

_BOXES = ("cube", "cuboid", "platelet")


def given_lengths(shape: Shape) -> tuple[str, ...]:
    """Names of the independent lengths that a user gives for a shape.

    >>> given_lengths("rod")
    ('diameter', 'length')
    """
    return {
        "cube": ("edge",),
        "cuboid": ("edge a", "edge b", "edge c"),
        "sphere": ("diameter",),
        "spheroid": ("equatorial diameter", "polar diameter"),
        "platelet": ("lateral edge a", "lateral edge b"),
        "rod": ("diameter", "length"),
    }[shape]


def volume_nm3(shape: StringArray, a_nm: FloatArray, b_nm: FloatArray, c_nm: FloatArray) -> FloatArray:
    """Core volume in nm^3 of each crystal; all arrays of shape (n,). Equations: table of this file."""
    box = a_nm * b_nm * c_nm
    return box * _per_shape(
        shape,
        {**dict.fromkeys(_BOXES, 1.0), "sphere": math.pi / 6, "spheroid": math.pi / 6, "rod": math.pi / 4},
    )


def surface_nm2(shape: StringArray, a_nm: FloatArray, b_nm: FloatArray, c_nm: FloatArray) -> FloatArray:
    """Surface area of the core in nm^2 of each crystal; all arrays of shape (n,). Equations: table above."""
    area = 2 * (a_nm * b_nm + b_nm * c_nm + c_nm * a_nm)
    round_ = (shape == "sphere") | (shape == "spheroid")
    if round_.any():
        area = np.where(round_, _spheroid_nm2(a_nm, c_nm), area)
    rod = shape == "rod"
    if rod.any():
        area = np.where(rod, math.pi * a_nm * c_nm + math.pi / 2 * a_nm**2, area)
    return area


def _spheroid_nm2(a_nm: FloatArray, c_nm: FloatArray) -> FloatArray:
    # prolate: pi a^2/2 (1 + (c/a) asin(e)/e), e^2 = 1 - a^2/c^2
    # oblate:  pi a^2/2 (1 + (c/a)^2 atanh(e)/e), e^2 = 1 - c^2/a^2
    ratio = c_nm / a_nm
    squared = np.where(ratio >= 1, 1 - 1 / ratio**2, 1 - ratio**2)
    e = np.sqrt(np.maximum(squared, 0.0))
    small = e < 1e-3  # the series is exact to e^4 = 1e-12 of its first term times 0.2
    safe = np.where(small, 0.5, np.minimum(e, 1 - 1e-16))
    prolate = ratio * np.where(small, 1 + e**2 / 6 + 3 * e**4 / 40, np.arcsin(safe) / safe)
    oblate = ratio**2 * np.where(small, 1 + e**2 / 3 + e**4 / 5, np.arctanh(safe) / safe)
    return math.pi / 2 * a_nm**2 * (1 + np.where(ratio >= 1, prolate, oblate))


def _per_shape(shape: StringArray, factors: dict[str, float]) -> FloatArray:
    values = np.empty(shape.shape)
    for name, factor in factors.items():
        values[shape == name] = factor
    return values
