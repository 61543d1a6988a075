"""Colour of a measured spectrum: CIE 1931 chromaticity, u'v', spectral locus, a colour for the screen.

Colorimetry weighs radiant power. A photon detector counts photons, so counts per nm are divided by the
wavelength first; a colour computed from the counts themselves is wrong.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, OptionError
from perolux.measured.records import Spectrum

__all__ = [
    "SpectrumColour",
    "chromaticity",
    "colour_matching_functions",
    "spectral_locus",
    "spectrum_colour",
    "srgb_hex",
    "srgb_linear",
    "srgb_shown",
    "tristimulus",
    "truncated",
    "uv_prime",
]

FloatArray = npt.NDArray[np.float64]
Quantity = Literal["photons", "power"]
VISIBLE_NM = (380.0, 780.0)
"""Range in which a spectrum that is cut off changes a colour."""
_EDGE_SAMPLES = 5
_TRUNCATED = 0.01


@dataclass(frozen=True)
class SpectrumColour:
    """Colour of one spectrum: CIE 1931 xy, u'v', a hex colour for the screen; None with a reason.

    on_screen: False where the colour lies outside sRGB and `hex` is the nearest towards white.
    """

    xy: tuple[float, float] | None
    uv_prime: tuple[float, float] | None
    hex: str | None
    on_screen: bool
    flags: tuple[str, ...]
    reason: str | None = None


@cache
def colour_matching_functions() -> tuple[FloatArray, FloatArray]:
    """CIE 1931 2 degree colour-matching functions: wavelengths (471,) in nm and x, y, z bar (471, 3)."""
    path = files("perolux.display").joinpath("data/cie_1931_2deg.csv")
    rows = path.read_text("utf-8").split("\n", 1)[1].replace("\n", ",").rstrip(",")
    table = np.array(rows.split(","), dtype=float).reshape(-1, 4)
    table.flags.writeable = False
    return table[:, 0], table[:, 1:]


def tristimulus(wavelength_nm: FloatArray, values: FloatArray, quantity: Quantity = "photons") -> FloatArray:
    """CIE 1931 XYZ = integral of S(lambda) (x bar, y bar, z bar), S the radiant power per nm, unnormalised.

    wavelength_nm: ascending, shape (n,); values: photons or power per nm, shape (n,) or (m, n). Both curves
    are linear between their points; the integral is the trapezoid rule on the points of both, which is the
    plain 1 nm sum for a spectrum on whole nm that vanishes at its ends. Beyond the record the spectrum is 0;
    beyond 360 to 830 nm the eye is blind. Returns (3,) or (m, 3).
    """
    axis = np.ascontiguousarray(wavelength_nm, dtype=float)
    numbers = np.asarray(values, dtype=float)
    if axis.ndim != 1 or len(axis) < 2 or numbers.shape[-1:] != axis.shape or np.any(np.diff(axis) <= 0):
        raise OptionError(
            f"wavelengths of shape {axis.shape} and values of shape {numbers.shape}",
            allowed="ascending wavelengths (n,), n > 1, and values (n,) or (m, n)",
        )
    if quantity not in ("photons", "power"):
        raise OptionError(f"unknown quantity {quantity!r}", allowed="photons, power")
    if not np.all(np.isfinite(numbers)):
        raise InputError("the spectrum holds values that are not finite numbers")
    result: FloatArray = numbers @ _weights(axis.tobytes(), quantity)
    return result


@lru_cache(maxsize=16)
def _weights(axis: bytes, quantity: str) -> FloatArray:
    """Matrix W (n, 3) with XYZ = values @ W: interpolation, power per photon and trapezoid in one."""
    x = np.frombuffer(axis)
    table_nm, table = colour_matching_functions()
    points = np.union1d(x, table_nm[(table_nm > x[0]) & (table_nm < x[-1])])
    functions = np.stack([np.interp(points, table_nm, column, 0.0, 0.0) for column in table.T], axis=1)
    widths = np.zeros(len(points))
    steps = np.diff(points)
    widths[:-1] += 0.5 * steps
    widths[1:] += 0.5 * steps
    right = np.clip(np.searchsorted(x, points, side="right"), 1, len(x) - 1)
    share = (points - x[right - 1]) / (x[right] - x[right - 1])
    if quantity == "photons":
        functions = functions / points[:, None]  # power per nm is photons per nm times hc/lambda
    contribution = functions * widths[:, None]
    weights = np.zeros((len(x), 3))
    np.add.at(weights, right - 1, contribution * (1.0 - share)[:, None])
    np.add.at(weights, right, contribution * share[:, None])
    weights.flags.writeable = False
    return weights


def chromaticity(
    wavelength_nm: FloatArray, photon_values: FloatArray, quantity: Quantity = "photons"
) -> tuple[Any, Any]:
    """CIE 1931 x, y of one spectrum (two floats) or of many (two arrays).

    photon_values: photons per nm (default) or, with quantity="power", radiant power per nm; baseline
    subtracted; shape (n,) or (m, n). Raises `InputError` where no light is left.

    >>> import numpy as np
    >>> nm = np.arange(380.0, 781.0)
    >>> x, y = chromaticity(nm, np.exp(-4 * np.log(2) * ((nm - 530) / 30) ** 2), quantity="power")
    >>> round(x, 3), round(y, 3)
    (0.176, 0.77)
    """
    xyz = tristimulus(wavelength_nm, photon_values, quantity)
    total = np.sum(xyz, axis=-1)
    if np.any(total <= 0):
        raise InputError(
            "no visible light is left in the spectrum, so it has no colour",
            fix="check the baseline and the wavelength range",
        )
    x, y = xyz[..., 0] / total, xyz[..., 1] / total
    return (float(x), float(y)) if xyz.ndim == 1 else (x, y)


@overload
def uv_prime(x: float, y: float) -> tuple[float, float]: ...
@overload
def uv_prime(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]: ...
def uv_prime(x: Any, y: Any) -> tuple[Any, Any]:
    """CIE 1976 u' = 4x/(-2x + 12y + 3), v' = 9y/(-2x + 12y + 3).

    >>> [round(c, 4) for c in uv_prime(0.3127, 0.3290)]
    [0.1978, 0.4683]
    """
    below = -2.0 * x + 12.0 * y + 3.0
    return 4.0 * x / below, 9.0 * y / below


def spectral_locus(
    low_nm: float = 390.0, high_nm: float = 700.0
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Wavelengths (nm, 1 nm apart) and x, y of monochromatic light between low_nm and high_nm.

    Beyond about 390 and 700 nm the locus hardly moves, and rounding of the table shows. Raises `OptionError`
    outside 360 to 830 nm.
    """
    nm, functions = colour_matching_functions()
    if not nm[0] <= low_nm < high_nm <= nm[-1]:
        raise OptionError(
            f"a spectral locus from {low_nm:g} to {high_nm:g} nm",
            allowed=f"{nm[0]:g} to {nm[-1]:g} nm, low before high",
        )
    chosen = (nm >= low_nm) & (nm <= high_nm)
    total = np.sum(functions[chosen], axis=1)
    return nm[chosen], functions[chosen, 0] / total, functions[chosen, 1] / total


def truncated(wavelength_nm: FloatArray, values: FloatArray) -> bool:
    """True where a baseline-free spectrum is cut off inside the visible with more than 1 % of its maximum."""
    top = float(np.max(values))
    low, high = float(np.median(values[:_EDGE_SAMPLES])), float(np.median(values[-_EDGE_SAMPLES:]))
    cut_blue = wavelength_nm[0] > VISIBLE_NM[0] and low > _TRUNCATED * top
    cut_red = wavelength_nm[-1] < VISIBLE_NM[1] and high > _TRUNCATED * top
    return bool(cut_blue or cut_red)


@cache
def _srgb_record() -> dict[str, Any]:
    return tomllib.loads(files("perolux.display").joinpath("data/srgb.toml").read_text("utf-8"))


@cache
def _xyz_to_srgb() -> FloatArray:
    """Matrix from XYZ to linear sRGB, from the primaries and white of the record of sRGB."""
    from perolux.display.gamut import gamut

    record = gamut("sRGB/Rec.709")
    columns = np.array([[x / y, 1.0, (1.0 - x - y) / y] for x, y in record.primaries]).T
    x, y = record.white
    scale = np.linalg.solve(columns, np.array([x / y, 1.0, (1.0 - x - y) / y]))
    matrix: FloatArray = np.linalg.inv(columns * scale)
    return matrix


def srgb_linear(x: float, y: float) -> FloatArray:
    """Linear sRGB components of a chromaticity at Y = 1; a negative one lies outside the triangle."""
    if not y > 0:
        raise OptionError(f"a chromaticity with y = {y:g}", allowed="y above 0")
    result: FloatArray = _xyz_to_srgb() @ np.array([x / y, 1.0, (1.0 - x - y) / y])
    return result


def srgb_shown(x: FloatArray, y: FloatArray) -> FloatArray:
    """Chromaticities as sRGB components 0..1 at full brightness, shape (..., 3), for showing on a screen.

    A colour outside sRGB (most nanocrystal emission is) is moved in a straight line towards white at equal
    luminance until no component is negative; the brightest component is then set to full.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    linear = np.stack([x / y, np.ones_like(x), (1.0 - x - y) / y], axis=-1) @ _xyz_to_srgb().T
    lowest = np.minimum(np.min(linear, axis=-1, keepdims=True), 0.0)
    linear = np.clip((linear - lowest) / (1.0 - lowest), 0.0, None)  # white at Y = 1 is (1, 1, 1)
    linear = linear / np.max(linear, axis=-1, keepdims=True)
    law = _srgb_record()
    curved = law["power_factor"] * linear ** (1.0 / law["exponent"]) - law["power_offset"]
    return np.asarray(np.where(linear <= law["linear_limit"], law["linear_factor"] * linear, curved))


def srgb_hex(x: float, y: float) -> str:
    """`srgb_shown` of one chromaticity as a hex colour.

    >>> srgb_hex(0.3127, 0.3290)
    '#ffffff'
    """
    if not y > 0:
        raise OptionError(f"a chromaticity with y = {y:g}", allowed="y above 0")
    red, green, blue = (round(255.0 * float(c)) for c in srgb_shown(np.array(x), np.array(y)))
    return f"#{red:02x}{green:02x}{blue:02x}"


def spectrum_colour(spectrum: Spectrum, baseline: FloatArray | float = 0.0) -> SpectrumColour:
    """Colour of one PL spectrum after its baseline (`PlResult.baseline.curve`), from power.

    Values per eV or per cm-1 are turned into values per nm first. Nothing is raised for a spectrum without
    light: xy is None with a reason. Flag `colour-truncated`: the record ends inside the visible with more
    than 1 % of the maximum.
    """
    if spectrum.kind in ("absorbance", "excitation"):
        raise OptionError(
            f"the colour of {spectrum.kind} is not that of emitted light",
            where=f"{spectrum.source.path}: {spectrum.label}",
            allowed="kind pl",
        )
    nm = spectrum.wavelength_nm
    height = np.asarray(spectrum.values - baseline, dtype=float)
    if spectrum.axis_unit != "nm":
        height = height / nm**2
    try:
        x, y = chromaticity(nm, height)
    except InputError as error:
        return SpectrumColour(None, None, None, False, (), error.problems[0].what)
    if not (0 <= x <= 1 and 0 < y <= 1):
        reason = "the chromaticity is impossible: noise or a wrong baseline outweighs the light"
        return SpectrumColour(None, None, None, False, (), reason)
    flags = ("colour-truncated",) if truncated(nm, height) else ()
    on_screen = bool(np.min(srgb_linear(x, y)) >= 0)
    return SpectrumColour((x, y), uv_prime(x, y), srgb_hex(x, y), on_screen, flags)
