"""Model-free reduction of an absorbance: first exciton, steepest slope, scattering.

The first exciton is the minimum of the smoothed second derivative nearest the absorption edge; it finds
shoulders where no local maximum exists. The steepest slope of the edge is another quantity, 12 to 14 nm to
the red of it in the CdSe set, and has its own name. An absorbance carries no Jacobian.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.measured.artefacts import check_values, flat_top, noise_level
from perolux.measured.derivatives import DerivativeFilter, derivative_filter
from perolux.measured.edge_shape import edge_doubts
from perolux.measured.records import FloatArray, Spectrum
from perolux.measured.scatter import ScatterFit, fit_scatter
from perolux.quantities.constants import HC_EV_NM

__all__ = ["NO_MINIMUM", "AbsorptionResult", "local_maximum_nm", "reduce_absorption"]

SLOPE_WINDOW_NM = 11.0
"""Window of the first derivative that gives the steepest slope; wider where it holds fewer than 5 samples."""
_DEPTH = 0.2
"""Depth of a minimum of the second derivative, against the deepest one, from which it counts."""
_SIGMAS = 6.0
"""And its depth in units of its own noise."""
_WINDOW_FACTORS = (2.0 / 3.0, 5.0 / 3.0)
"""Other windows, as factors, whose minima measure how much the choice of the window matters."""
_BELOW_GAP = 4.5
"""Start of the region below the gap, in distances from the exciton to the steepest slope."""
_SCATTER_DOMINATES = 0.5
_HIGH_ABSORBANCE = 3.0
"""Decadic absorbance above which stray light bends the record of most spectrometers (a convention)."""
_NEGATIVE = 0.02, 0.1
"""Depth below zero that is no drift of a baseline: in absorbance, or as a part of the largest one if less."""
NO_MINIMUM = "the second derivative has no minimum that stands above its noise"
"""Reason of a first exciton that is missing though nothing speaks against an absorbance."""
_BESIDE_CUT = ", to the red of the top that is cut flat"
SIGMA_INCLUDES = ("noise", "choice of the window")
"""What sigma_ev covers. That the second derivative defines the exciton is not in it."""

_NUMBERS = (
    "first_exciton_nm",
    "first_exciton_ev",
    "sigma_ev",
    "steepest_slope_nm",
    "scatter_exponent",
    "scatter_exponent_sigma",
    "scatter_fraction",
)


@dataclass(frozen=True)
class AbsorptionResult:
    """What one absorbance says without a model. Any number may be None; `reasons` then says why.

    first_exciton_nm, first_exciton_ev: minimum of the second derivative (window_nm wide, third order) nearest
    the edge, after scattering is subtracted. sigma_ev: noise and the spread over three windows, in
    quadrature (sigma_includes). It is the uncertainty of that minimum, not of the exciton energy of a model:
    beside an equally high continuum (100 meV above, 50 meV wide) the minimum lies 3, 3, 6 and 15 meV below a
    Gaussian exciton of sigma 20, 40, 60 and 80 meV. The spread over windows does not show this, so it is left
    to whoever assigns the minimum; the inference of sizes adds `prior.absorption_first_exciton_ev`.
    steepest_slope_nm: minimum of the first derivative (11 nm), a different quantity.
    scatter_exponent, its sigma, and scatter_fraction (scattered part of the absorbance at the exciton): from
    the fit of a lambda^-p + c below the gap.
    """

    label: str
    file: str
    first_exciton_nm: float | None
    first_exciton_ev: float | None
    sigma_ev: float | None
    steepest_slope_nm: float | None
    scatter_exponent: float | None
    scatter_exponent_sigma: float | None
    scatter_fraction: float | None
    window_nm: float
    scatter: ScatterFit
    flags: tuple[str, ...]
    reasons: dict[str, str]
    sigma_includes: tuple[str, ...] = SIGMA_INCLUDES

    def __repr__(self) -> str:
        if self.first_exciton_nm is None or self.first_exciton_ev is None:
            text = f"no first exciton: {self.reasons.get('first_exciton_nm', 'not found')}"
        else:
            sigma = "" if self.sigma_ev is None else f" ± {self.sigma_ev:.3f}"
            text = f"first exciton {self.first_exciton_nm:.1f} nm ({self.first_exciton_ev:.3f}{sigma} eV)"
        if self.steepest_slope_nm is not None:
            text += f", steepest slope {self.steepest_slope_nm:.1f} nm"
        flags = f"; flags: {', '.join(self.flags)}" if self.flags else ""
        return f"<AbsorptionResult {self.label!r}: {text}{flags}>"

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary for JSON: missing numbers are null."""
        out: dict[str, Any] = {"file": self.file, "label": self.label}
        out |= {name: getattr(self, name) for name in _NUMBERS}
        out["sigma_includes"] = list(self.sigma_includes)
        out |= {"window_nm": self.window_nm, "flags": list(self.flags), "reasons": dict(self.reasons)}
        return out


def reduce_absorption(
    spectrum: Spectrum,
    *,
    window_nm: float = 31.0,
    near_nm: tuple[float, float] | None = None,
    scatter: bool = True,
) -> AbsorptionResult:
    """First exciton, steepest slope and scatter of one absorbance spectrum.

    window_nm: width of the second-derivative window (31 nm holds 31 points on a 1 nm grid). near_nm: search
    exciton and steepest slope only between these wavelengths. scatter: fit and subtract a lambda^-p + c.

    A minimum of the second derivative counts where it is at least 0.2 of the deepest and 6 of its own noise
    sigmas deep, with its window inside the record; the reddest is the first exciton (with near_nm, the
    deepest inside). Its place is the vertex of a parabola through the neighbouring values. No exciton is
    looked for where its window touches a top cut flat, or to the blue of one. Where the record does not stay
    high to the blue, as an absorbance does, there is no first exciton (`edge_shape`).

    Flags: `no-first-exciton`, `falls-to-blue` to a quarter of the exciton's height on its blue side,
    `saturated` for a top cut flat, `high-absorbance` above 3, `negative-absorbance` below zero by more than 6
    noise sigmas and 0.02 (or a tenth of the largest, if less), `scatter-dominates`.

    Raises `OptionError` for a PL or excitation spectrum, a window too narrow for the grid or wider than half
    of the record, and an empty search range; `InputError` for values that are not finite.
    """
    where = f"{spectrum.source.path}: {spectrum.label}"
    _check(spectrum, window_nm, near_nm, where)
    nm = spectrum.wavelength_nm
    values = np.asarray(spectrum.values, dtype=float)
    noise = noise_level(values)
    reasons: dict[str, str] = {}
    cut = flat_top(values)
    flags = [*spectrum.flags, *_level_flags(values, cut, noise)]

    place, _ = _second_minimum(nm, values, window_nm, near_nm, noise, cut)
    fit = _scatter(nm, values, place, near_nm, noise) if scatter else _no_scatter("not asked for")
    if fit.exponent is not None:
        values = values - fit.curve(nm)
        place, _ = _second_minimum(nm, values, window_nm, near_nm, noise, cut)
    missing = NO_MINIMUM + (_BESIDE_CUT if np.any(cut) else "")
    doubt = None
    if place is not None:
        recorded = np.asarray(spectrum.values, dtype=float)
        doubt, falls = edge_doubts(nm, recorded, place, _smoothing(nm))
        if doubt is not None:
            place, missing, fit = None, doubt, _no_scatter(doubt)
        elif falls:
            flags.append("falls-to-blue")
    if fit.reason:
        reasons |= dict.fromkeys(
            ("scatter_exponent", "scatter_exponent_sigma", "scatter_fraction"), fit.reason
        )

    sigma_ev = fraction = None
    if place is None:
        flags.append("no-first-exciton")
        reasons |= dict.fromkeys(("first_exciton_nm", "first_exciton_ev", "sigma_ev"), missing)
        if fit.exponent is not None:
            reasons["scatter_fraction"] = missing
    else:
        sigma_ev = _sigma_nm(nm, values, window_nm, place, noise, cut) * HC_EV_NM / place**2
        if fit.exponent is not None:
            scattered = float(fit.curve(np.array([place]))[0])
            fraction = scattered / (scattered + float(np.interp(place, nm, values)))
            if fraction > _SCATTER_DOMINATES:
                flags.append("scatter-dominates")
    # Without an exciton the steepest fall of the whole record is any feature of the ultraviolet.
    unknown_edge = place is None and near_nm is None
    slope = None if unknown_edge or doubt else _steepest_slope(nm, values, place, near_nm)
    if doubt is not None:
        reasons["steepest_slope_nm"] = doubt
    elif unknown_edge:
        reasons["steepest_slope_nm"] = "without a first exciton the edge is not known; give a search range"
    elif slope is None:
        reasons["steepest_slope_nm"] = "the absorbance does not fall towards the red inside the search range"
    return AbsorptionResult(
        label=spectrum.label,
        file=spectrum.source.path,
        first_exciton_nm=place,
        first_exciton_ev=None if place is None else HC_EV_NM / place,
        sigma_ev=sigma_ev,
        steepest_slope_nm=slope,
        scatter_exponent=fit.exponent,
        scatter_exponent_sigma=fit.exponent_sigma,
        scatter_fraction=fraction,
        window_nm=window_nm,
        scatter=fit,
        flags=tuple(dict.fromkeys(flags)),
        reasons=reasons,
    )


def local_maximum_nm(
    spectrum: Spectrum, *, near_nm: tuple[float, float], smoothing_nm: float = SLOPE_WINDOW_NM
) -> float | None:
    """Wavelength of the reddest local maximum of the smoothed absorbance between near_nm, or None.

    The naive first exciton. It does not exist where the exciton is a shoulder and lies to the blue of it
    elsewhere; given for comparison, never used as the result.
    """
    nm = spectrum.wavelength_nm
    smooth = derivative_filter(nm, smoothing_nm, 0)(np.asarray(spectrum.values, dtype=float))
    inside = (nm[1:-1] >= near_nm[0]) & (nm[1:-1] <= near_nm[1])
    found = np.flatnonzero(inside & (smooth[1:-1] > smooth[:-2]) & (smooth[1:-1] >= smooth[2:])) + 1
    return float(nm[found[-1]]) if len(found) else None


def _check(spectrum: Spectrum, window_nm: float, near_nm: tuple[float, float] | None, where: str) -> None:
    if spectrum.kind in ("pl", "excitation"):
        raise OptionError(
            f"this is {spectrum.kind}, not an absorbance",
            where=where,
            allowed="kind absorbance",
            fix='use pl() (`perolux pl`) for photoluminescence; kind="absorbance" if it was misread',
        )
    check_values(spectrum.values, where)
    span = float(spectrum.wavelength_nm[-1] - spectrum.wavelength_nm[0]) if len(spectrum) else 0.0
    if not 0 < window_nm <= 0.5 * span:
        raise OptionError(
            f"a window of {window_nm:g} nm does not suit a record of {span:g} nm",
            where=where,
            allowed="more than 0 and at most half of the recorded range",
            fix="use a narrower window, or record a wider range",
        )
    if near_nm is not None:
        nm = spectrum.wavelength_nm
        if not near_nm[0] < near_nm[1] or np.count_nonzero((nm > near_nm[0]) & (nm < near_nm[1])) < 3:
            raise OptionError(
                f"the search range {near_nm[0]:g} to {near_nm[1]:g} nm holds no spectrum",
                where=where,
                allowed=f"a range inside {nm[0]:g} to {nm[-1]:g} nm, short wavelength first",
            )


def _second_minimum(
    nm: FloatArray,
    values: FloatArray,
    window_nm: float,
    near_nm: tuple[float, float] | None,
    noise: float,
    cut: npt.NDArray[np.bool_],
) -> tuple[float | None, float]:
    """Place of the first exciton and its sigma from noise alone, both in nm; not where the top is cut."""
    bent = derivative_filter(nm, window_nm, 2)
    second = bent(values)
    usable = bent.full & ~_hidden(bent, cut)
    if near_nm is not None:
        usable &= (nm >= near_nm[0]) & (nm <= near_nm[1])
    inner = np.zeros_like(usable)
    inner[1:-1] = (second[1:-1] < second[:-2]) & (second[1:-1] <= second[2:]) & (second[1:-1] < 0)
    # rounding of the filter leaves 1e-16 of the record on a straight line
    floor = 1e-12 * float(np.max(np.abs(values))) * float(np.max(bent.gain))
    minima = np.flatnonzero(inner & usable & (-second > _SIGMAS * noise * bent.gain + floor))
    if not len(minima):
        return None, 0.0
    deepest = float(np.min(second[minima]))
    minima = minima[second[minima] < _DEPTH * deepest]
    if near_nm is None:  # noise parts one minimum into several: the deepest within half a window is the one
        minima = minima[nm[minima] >= nm[minima[-1]] - 0.5 * window_nm]
    chosen = int(minima[np.argmin(second[minima])])
    reach = max(window_nm / 10.0, 1.01 * float(np.max(np.diff(nm[max(0, chosen - 1) : chosen + 2]))))
    points = np.flatnonzero(np.abs(nm - nm[chosen]) <= reach)
    return _vertex(nm, second, points, chosen, bent.dense_rows(points), noise)


def _hidden(window: DerivativeFilter, cut: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """True where no first exciton can be seen: in windows that hold a sample of the flat top, and blue of it.

    The corner of a cut is no exciton, and what lies to the blue of the cut is not the first one.
    """
    if not np.any(cut):
        return cut
    touched: npt.NDArray[np.bool_] = np.any(cut[window.index] & (window.weights != 0.0), axis=1)
    touched[: int(np.flatnonzero(cut)[-1])] = True
    return touched


def _level_flags(values: FloatArray, cut: npt.NDArray[np.bool_], noise: float) -> list[str]:
    flags = ["saturated"] if np.any(cut) else []
    top = float(np.max(values))
    if top > _HIGH_ABSORBANCE:
        flags.append("high-absorbance")
    absolute, relative = _NEGATIVE
    # a record that never rises above zero has no largest absorbance to compare with
    limit = min(absolute, relative * top) if top > 0 else absolute
    if float(np.min(values)) < -max(6.0 * noise, limit):
        flags.append("negative-absorbance")
    return flags


def _vertex(
    nm: FloatArray,
    second: FloatArray,
    points: npt.NDArray[np.intp],
    chosen: int,
    rows: FloatArray,
    noise: float,
) -> tuple[float, float]:
    """Vertex of the parabola through the values around a minimum, and its sigma from noise of the samples."""
    u = nm[points] - nm[chosen]
    design = np.stack([np.ones_like(u), u, u * u], axis=1)
    response = np.linalg.pinv(design)
    _, slope, curvature = response @ second[points]
    if curvature <= 0:
        return float(nm[chosen]), float(nm[chosen + 1] - nm[chosen - 1]) / 2.0
    shift = float(np.clip(-0.5 * slope / curvature, u[0], u[-1]))
    gradient = -0.5 * response[1] / curvature + 0.5 * slope * response[2] / curvature**2
    sigma = noise * float(np.linalg.norm(gradient @ rows))
    return float(nm[chosen]) + shift, sigma


def _sigma_nm(
    nm: FloatArray,
    values: FloatArray,
    window_nm: float,
    place: float,
    noise: float,
    cut: npt.NDArray[np.bool_],
) -> float:
    """Noise and the standard deviation over three windows in quadrature, in nm."""
    near = (place - 0.6 * window_nm, place + 0.6 * window_nm)
    places = [place]
    sigma = 0.0
    for factor in (1.0, *_WINDOW_FACTORS):
        try:
            other, from_noise = _second_minimum(nm, values, factor * window_nm, near, noise, cut)
        except OptionError:  # the narrower window holds too few samples on a coarse grid
            continue
        if factor == 1.0:
            sigma = from_noise
        elif other is not None:
            places.append(other)
    return math.hypot(sigma, float(np.std(places, ddof=1)) if len(places) > 1 else 0.0)


def _smoothing(nm: FloatArray) -> float:
    """Window of the steepest slope in nm, wide enough for 5 samples."""
    return max(SLOPE_WINDOW_NM, 4.2 * float(np.max(np.diff(nm))))


def _steepest_slope(
    nm: FloatArray, values: FloatArray, exciton: float | None, near_nm: tuple[float, float] | None
) -> float | None:
    """Minimum of the first derivative, to the red of the exciton where there is one."""
    falling = derivative_filter(nm, _smoothing(nm), 1)
    first = falling(values)
    usable = falling.full.copy()
    if near_nm is not None:
        usable &= (nm >= near_nm[0]) & (nm <= near_nm[1])
    elif exciton is not None:
        usable &= nm >= exciton
    candidates = np.flatnonzero(usable)
    if not len(candidates):
        return None
    i = int(candidates[np.argmin(first[candidates])])
    if first[i] >= 0:
        return None
    if not 0 < i < len(nm) - 1:
        return float(nm[i])
    coefficients = np.polyfit(nm[i - 1 : i + 2] - nm[i], first[i - 1 : i + 2], 2)
    if coefficients[0] <= 0:
        return float(nm[i])
    shift = -0.5 * coefficients[1] / coefficients[0]
    return float(nm[i] + np.clip(shift, nm[i - 1] - nm[i], nm[i + 1] - nm[i]))


def _scatter(
    nm: FloatArray,
    values: FloatArray,
    exciton: float | None,
    near_nm: tuple[float, float] | None,
    noise: float,
) -> ScatterFit:
    if exciton is None:
        return _no_scatter("without a first exciton the region below the gap is unknown")
    slope = _steepest_slope(nm, values, exciton, None)
    if slope is None:
        return _no_scatter("the absorbance has no edge")
    return fit_scatter(nm, values, exciton + _BELOW_GAP * (slope - exciton), noise)


def _no_scatter(reason: str) -> ScatterFit:
    return ScatterFit(None, None, 0.0, 0.0, 1.0, None, None, reason)
