"""The line of one nanocrystal as a spectrometer shows it: its shape convolved with the instrument function.

    L(x) = sum_j w_j V(x - o_j; sqrt(s_j^2 + s^2), g_j + g),    V: Voigt profile of area 1
    with a phonon wing: (1 - q) L(x) + q L(x + d) with s_w in quadrature

x is the distance from the centre in eV, s the Gaussian standard deviation and g the half width of the
Lorentzian of the line. The instrument function is a sum of Gaussians and Lorentzians (w_j, o_j, s_j, g_j), so
that the convolution is exact. It is what one pixel answers to a narrow line, with the width of the pixel in
it: counts of a pixel are then the value at its middle. Standard form.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, OptionError
from perolux.quantities.constants import FWHM_PER_SIGMA

__all__ = [
    "SHAPES",
    "InstrumentFunction",
    "LineModel",
    "gaussian_instrument",
    "line_profile",
    "read_instrument",
    "voigt_fwhm",
]

FloatArray = npt.NDArray[np.float64]
SHAPES = {"lorentzian": ("gamma_ev",), "gaussian": ("sigma_ev",), "voigt": ("gamma_ev", "sigma_ev")}
"""Widths that a shape leaves free: half width of the Lorentzian, standard deviation of the Gaussian."""
WING = ("wing_share", "wing_shift_ev", "wing_sigma_ev")


@dataclass(frozen=True)
class InstrumentFunction:
    """Response of a pixel to a narrow line: weights (sum 1), offsets from their mean, widths; all in eV.

    at_ev: energy of the line it was measured with. `at` moves it to another energy: a slit is constant in
    nm, so that widths go with the square of the energy. note: where it comes from, in words.
    """

    weight: tuple[float, ...] = (1.0,)
    offset_ev: tuple[float, ...] = (0.0,)
    sigma_ev: tuple[float, ...] = (0.0,)
    gamma_ev: tuple[float, ...] = (0.0,)
    at_ev: float | None = None
    note: str = "no instrument function is given: widths include the spectrometer's"

    def __post_init__(self) -> None:
        parts = (self.weight, self.offset_ev, self.sigma_ev, self.gamma_ev)
        if len({len(p) for p in parts}) != 1 or abs(sum(self.weight) - 1) > 1e-9 or min(self.weight) < 0:
            raise OptionError("parts of an instrument function that do not fit", allowed="weights of sum 1")
        if min(self.sigma_ev) < 0 or min(self.gamma_ev) < 0:
            raise OptionError("a negative width of the instrument function", allowed="0 eV or more")

    def at(self, energy_ev: float) -> InstrumentFunction:
        """The same slit at another energy; as it is where the energy it was measured at is not known."""
        scale = 1.0 if self.at_ev is None else (energy_ev / self.at_ev) ** 2
        offset, sigma, gamma = (
            tuple(scale * x for x in part) for part in (self.offset_ev, self.sigma_ev, self.gamma_ev)
        )
        return InstrumentFunction(self.weight, offset, sigma, gamma, energy_ev, self.note)

    @property
    def fwhm_ev(self) -> float:
        """Width at half height, of the sum, by search on its flanks; 0 for none."""
        if max(self.sigma_ev) == 0 and max(self.gamma_ev) == 0:
            return 0.0
        reach = 4 * (max(self.sigma_ev) + max(self.gamma_ev)) + max(abs(o) for o in self.offset_ev)
        x = np.linspace(-reach, reach, 4001)
        y = line_profile(LineModel("gaussian", self), np.array([1e-9 * reach]), x)[0]
        above = np.flatnonzero(y >= 0.5 * y.max())
        ends = []
        for inner, outer in ((above[0], above[0] - 1), (above[-1], above[-1] + 1)):
            share = (y[inner] - 0.5 * y.max()) / (y[inner] - y[outer])
            ends.append(float(x[inner] + share * (x[outer] - x[inner])))
        return ends[1] - ends[0]


def gaussian_instrument(fwhm_ev: float) -> InstrumentFunction:
    """A Gaussian of this width at half height in eV, pixel included."""
    if not (math.isfinite(fwhm_ev) and fwhm_ev > 0):
        raise OptionError(
            f"an instrument width of {fwhm_ev:g} eV", where="--spectrometer-fwhm-ev", allowed="above 0 eV"
        )
    return InstrumentFunction(
        sigma_ev=(fwhm_ev / FWHM_PER_SIGMA,),
        note=f"instrument: Gaussian of {1e3 * fwhm_ev:.4g} meV, as given",
    )


def read_instrument(path: str | Path) -> InstrumentFunction:
    """The instrument function from a file: the spectrum of a narrow lamp or laser line.

    One Gaussian, a Voigt profile or two Gaussians, as `measured.lineshape.describe_line` chooses; a Gaussian
    with two sides is written as two Gaussians. Raises `InputError` for a file with several spectra or a line
    of fewer than three pixels.
    """
    from perolux.measured.lineshape import describe_line
    from perolux.measured.reading import read

    spectra = read(path)
    if len(spectra) != 1:
        raise InputError(
            f"{len(spectra)} spectra",
            where=str(path),
            allowed="one spectrum of a narrow line",
            fix="keep one",
        )
    one = spectra[0]
    energy = one.energy_ev[::-1]
    values = one.values[::-1]
    dark = float(np.median(values))
    # Counts scatter more where there are more; the level of the dark pixels keeps weights finite.
    noise = np.sqrt(np.maximum(values, max(dark, 1e-3 * float(values.max()))))
    found = describe_line(energy, values - dark, weight=1 / noise)
    p = found.parameters
    if found.name == "gaussian":
        parts = [(p["height"] * p["sigma_ev"], p["center_ev"], p["sigma_ev"], 0.0)]
    elif found.name == "voigt":
        parts = [(1.0, p["center_ev"], p["sigma_ev"], p["gamma_ev"])]
    else:
        if found.name == "bi-gaussian":
            p = _two_sided(p)
        parts = [
            (p[f"height_{k}"] * p[f"sigma_{k}_ev"], p[f"center_{k}_ev"], p[f"sigma_{k}_ev"], 0.0)
            for k in (1, 2)
        ]
    total = sum(part[0] for part in parts)
    mean = sum(part[0] * part[1] for part in parts) / total
    response = InstrumentFunction(
        tuple(part[0] / total for part in parts),
        tuple(part[1] - mean for part in parts),
        tuple(part[2] for part in parts),
        tuple(part[3] for part in parts),
        mean,
        f"instrument: line of {Path(path).name} at {mean:.5g} eV ({found.name}), as a slit constant in nm",
    )
    step = float(np.median(np.diff(energy)))
    if response.fwhm_ev < 1.5 * step:
        raise InputError(
            f"the line is {response.fwhm_ev / step:.2g} pixels wide", where=str(path), allowed="1.5 or more"
        )
    return response


def _two_sided(p: dict[str, float]) -> dict[str, float]:
    """Two Gaussians with the area, mean, variance and skewness of a Gaussian with two sides."""
    from perolux.fitting import least_squares
    from perolux.measured.lineshape import LineFit, line_curve

    red, blue = p["sigma_red_ev"], p["sigma_blue_ev"]
    wide = red + blue
    x = np.linspace(-4 * red, 4 * blue, 200)
    curve = line_curve(LineFit("bi-gaussian", (1.0, 0.0, red, blue), 0.0, True), x)

    def rest(v: FloatArray) -> FloatArray:
        return line_curve(LineFit("two-gaussians", tuple(v), 0.0, True), x) - curve

    start = [0.6, -0.1 * (red - blue), min(red, blue), 0.4, -0.5 * (red - blue), max(red, blue)]
    low, high = [0, -wide, 0.1 * wide, 0, -wide, 0.1 * wide], [2, wide, wide, 2, wide, wide]
    found = least_squares(rest, start, low=low, high=high, absolute_sigma=False).values
    keys = ("height_1", "center_1_ev", "sigma_1_ev", "height_2", "center_2_ev", "sigma_2_ev")
    fitted = dict(zip(keys, (float(v) for v in found), strict=True))
    for k in (1, 2):
        fitted[f"center_{k}_ev"] += p["center_ev"]
    return fitted


@dataclass(frozen=True)
class LineModel:
    """Shape of the line, instrument function, and whether a wing of phonons is in it. `names`: the free
    widths, in the order in which `line_profile` takes them."""

    shape: str = "lorentzian"
    instrument: InstrumentFunction = InstrumentFunction()
    wing: bool = False

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise OptionError(
                f"unknown line shape {self.shape!r}", where="--shape", allowed=", ".join(SHAPES)
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the widths and of the numbers of the wing."""
        return SHAPES[self.shape] + (WING if self.wing else ())


def line_profile(
    model: LineModel, widths: npt.ArrayLike, x_ev: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Profile (1/eV, area 1), its derivative by x, and by each width; shapes of x, x and (widths, *x).

    widths: (k,) in the order of `model.names`, or (k, ...) broadcast against x. Raises nothing; widths must
    be positive where the instrument function has none.

    >>> model = LineModel("lorentzian", gaussian_instrument(1e-3))
    >>> x = np.linspace(-0.2, 0.2, 40001)
    >>> round(float(np.sum(line_profile(model, [1e-4], x)[0])) * 1e-5, 3)
    1.0
    """
    x = np.asarray(x_ev, dtype=float)
    p = dict(zip(model.names, np.asarray(widths, dtype=float), strict=True))
    gamma, sigma = p.get("gamma_ev"), p.get("sigma_ev")
    main = _part(model.instrument, x, sigma, gamma)
    slopes = {"gamma_ev": main[2], "sigma_ev": main[3]}
    value, slope = main[0], main[1]
    if model.wing:
        q, shift, broad = p["wing_share"], p["wing_shift_ev"], p["wing_sigma_ev"]
        # The wing carries the widths of the line and its own in quadrature.
        both = broad if sigma is None else np.sqrt(sigma**2 + broad**2)
        side = _part(model.instrument, x + shift, both, gamma)
        value, slope = (1 - q) * main[0] + q * side[0], (1 - q) * main[1] + q * side[1]
        slopes = {
            "gamma_ev": (1 - q) * main[2] + q * side[2],
            "sigma_ev": (1 - q) * main[3] + (0.0 if sigma is None else q * side[3] * sigma / both),
            "wing_share": side[0] - main[0],
            "wing_shift_ev": q * side[1],
            "wing_sigma_ev": q * side[3] * broad / both,
        }
    return value, slope, np.stack([slopes[name] for name in model.names])


def _part(
    instrument: InstrumentFunction, x: FloatArray, sigma: FloatArray | None, gamma: FloatArray | None
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Sum of Voigt profiles and its derivatives by x, gamma and sigma."""
    total = [np.zeros_like(x) for _ in range(4)]
    parts = zip(
        instrument.weight, instrument.offset_ev, instrument.sigma_ev, instrument.gamma_ev, strict=True
    )
    for weight, offset, s, g in parts:
        broad = np.asarray(s) if sigma is None else np.sqrt(s**2 + sigma**2)
        half = np.asarray(g) if gamma is None else g + gamma
        value, by_x, by_gamma, by_sigma = _voigt(x - offset, broad, half)
        chain = 0.0 if sigma is None else sigma / broad
        for k, found in enumerate((value, by_x, by_gamma, by_sigma * chain)):
            total[k] = total[k] + weight * found
    return total[0], total[1], total[2], total[3]


def _voigt(
    x: FloatArray, sigma: FloatArray, gamma: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """V, dV/dx, dV/dgamma, dV/dsigma; a Lorentzian where sigma is 0."""
    from scipy.special import wofz

    if not np.any(sigma):
        norm = x**2 + gamma**2
        value = gamma / norm / math.pi
        return value, -2 * x * value / norm, (x**2 - gamma**2) / norm**2 / math.pi, np.zeros_like(x)
    root = sigma * math.sqrt(2)
    z = (x + 1j * gamma) / root
    w = wofz(z)
    dw = -2 * z * w + 2j / math.sqrt(math.pi)
    scale = 1 / (sigma * math.sqrt(2 * math.pi))
    return (
        scale * w.real,
        scale * dw.real / root,
        -scale * dw.imag / root,
        -scale * (w.real + (dw * z).real) / sigma,
    )


def voigt_fwhm(gauss_fwhm_ev: npt.ArrayLike, lorentz_fwhm_ev: npt.ArrayLike) -> FloatArray:
    """f = 0.5346 fL + sqrt(0.2166 fL^2 + fG^2), good to 0.02 %. Standard form."""
    fg, fl = np.asarray(gauss_fwhm_ev, dtype=float), np.asarray(lorentz_fwhm_ev, dtype=float)
    return np.asarray(0.5346 * fl + np.sqrt(0.2166 * fl**2 + fg**2))
