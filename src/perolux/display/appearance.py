"""Colour temperature of a white, and the volume of colours in ICtCp (colour-science does its colours)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from perolux.display.colour import colour_matching_functions, tristimulus, uv_prime
from perolux.display.gamut import gamut
from perolux.errors import OptionError
from perolux.quantities.constants import BOLTZMANN_EV_PER_K, HC_EV_NM

__all__ = ["ColourTemperature", "IctcpVolume", "colour_temperature", "ictcp_volume"]

FloatArray = npt.NDArray[np.float64]
_FARTHEST_DUV = 0.05
_COLDEST_K, _HOTTEST_K = 1000.0, 1e5
_ROUNDS = 4
"""Each looks fifty times closer: 2.5 mired become 4e-7."""


@dataclass(frozen=True)
class ColourTemperature:
    """cct_k: correlated colour temperature. duv: distance from the Planckian locus in CIE 1960, above 0 on
    the green side. None with a reason where the colour is too far away for either to mean anything."""

    cct_k: float | None
    duv: float | None
    reason: str | None = None


@dataclass(frozen=True)
class IctcpVolume:
    """volume: of all colours of the display, in the units of ICtCp. over_rec2020: over that of a Rec.2020
    display of the same peak luminance and white."""

    volume: float
    over_rec2020: float
    peak_cd_per_m2: float


def colour_temperature(x: float, y: float) -> ColourTemperature:
    """CCT and Duv of a chromaticity, within |Duv| of 0.05 and 1000 to 100000 K.

    CCT is the temperature of the black body whose colour is nearest in CIE 1960 (u, v), Duv the distance:
    found by ever finer grids, not from a table, so that it is exact for the matching functions of 1931.

    >>> found = colour_temperature(0.3127, 0.3290)
    >>> round(found.cct_k), round(found.duv, 4)
    (6504, 0.0032)
    """
    u, v_prime = uv_prime(x, y)
    here = np.array([u, v_prime / 1.5])
    mired = np.linspace(1e6 / _HOTTEST_K, 1e6 / _COLDEST_K, 400)
    uv = _black_bodies(tuple(mired.tolist()))
    for _ in range(_ROUNDS):
        nearest = int(np.argmin(np.hypot(*(uv - here).T)))
        low, high = mired[max(nearest - 1, 0)], mired[min(nearest + 1, len(mired) - 1)]
        mired = np.linspace(low, high, 100)
        uv = _planck_uv(mired)
    distances = np.hypot(*(uv - here).T)
    nearest = int(np.argmin(distances))
    cct, above = 1e6 / float(mired[nearest]), here[1] - uv[nearest, 1]
    duv = float(np.copysign(distances[nearest], above))
    if abs(duv) > _FARTHEST_DUV or not 1.001 * _COLDEST_K < cct < 0.999 * _HOTTEST_K:
        return ColourTemperature(
            None, None, f"({x:.4f}, {y:.4f}) is too far from the colours of a black body"
        )
    return ColourTemperature(cct, duv)


def _planck_uv(mired: FloatArray) -> FloatArray:
    """CIE 1960 (u, v) of black bodies, (k, 2); mired is 1e6 K over the temperature."""
    nm, _ = colour_matching_functions()
    power = nm**-5.0 / np.expm1(HC_EV_NM / (BOLTZMANN_EV_PER_K * nm) * (mired[:, None] * 1e-6))
    big, y, z = tristimulus(nm, power / np.max(power, axis=1, keepdims=True), "power").T
    below = big + 15.0 * y + 3.0 * z
    return np.stack([4.0 * big / below, 6.0 * y / below], axis=1)


@cache
def _black_bodies(mired: tuple[float, ...]) -> FloatArray:
    return _planck_uv(np.array(mired))


def ictcp_volume(
    primaries_xy: FloatArray, white: tuple[float, float], peak_cd_per_m2: float = 1000.0, steps: int = 24
) -> IctcpVolume:
    """Volume of the colours of three primaries in ICtCp (ITU-R BT.2100, PQ), by its closed surface.

    The six faces of the RGB cube are cut into triangles, `steps` a side, and their signed volumes added.
    primaries_xy (3, 2); white: where all three are full. Raises `OptionError` for a white outside.
    """
    if not peak_cd_per_m2 > 0.0:
        raise OptionError(f"a peak of {peak_cd_per_m2:g} cd/m2", allowed="above 0")
    rec2020 = np.array(gamut("Rec.2020").primaries)
    own, whole = (_volume(corners, white, peak_cd_per_m2, steps) for corners in (primaries_xy, rec2020))
    return IctcpVolume(own, own / whole, peak_cd_per_m2)


def _volume(primaries_xy: FloatArray, white: tuple[float, float], peak: float, steps: int) -> float:
    import colour

    x, y = primaries_xy[:, 0], primaries_xy[:, 1]
    columns = np.stack([x / y, np.ones(3), (1.0 - x - y) / y])
    at_white = np.array([white[0] / white[1], 1.0, (1.0 - sum(white)) / white[1]])
    scale = np.linalg.solve(columns, at_white)
    if np.any(scale <= 0.0):
        raise OptionError("a white outside the triangle of the primaries has no volume of colours")
    matrix = columns * scale

    def to_ictcp(rgb: FloatArray) -> FloatArray:
        return np.asarray(colour.XYZ_to_ICtCp(peak * (rgb @ matrix.T), method="ITU-R BT.2100-2 PQ"))

    return _closed_volume(to_ictcp, steps)


def _closed_volume(image: Callable[[FloatArray], FloatArray], steps: int) -> float:
    """Volume inside the image of the surface of the unit cube, by signed tetrahedra to the origin."""
    # steps crowd at dark colours, where ICtCp changes fastest
    u = np.linspace(0.0, 1.0, steps + 1) ** 3
    total = 0.0
    for axis in range(3):
        for end, sign in ((0.0, -1.0), (1.0, 1.0)):
            a, b = np.meshgrid(u, u, indexing="ij")
            rgb = np.empty((*a.shape, 3))
            rgb[..., axis], rgb[..., (axis + 1) % 3], rgb[..., (axis + 2) % 3] = end, a, b
            p = image(rgb)
            p00, p10, p11, p01 = p[:-1, :-1], p[1:, :-1], p[1:, 1:], p[:-1, 1:]
            for second, third in ((p10, p11), (p11, p01)):
                total += sign * float(np.sum(p00 * np.cross(second, third))) / 6.0
    return abs(total)
