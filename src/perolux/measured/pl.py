"""Model-free reduction of a photoluminescence spectrum: peak, width, integral, signal to noise, flags.

Two sets of numbers are given side by side and their names say which is which. `peak_ev`, `fwhm_mev`,
`peak_nm`, `fwhm_nm` come from the energy axis with the Jacobian, I_E = I_lambda lambda^2/(hc), by local fits.
`*_no_jacobian` come from the spectrum as recorded, by the reference procedure of the antisolvent set (half
of the largest sample, linear crossings), so that they can be compared with published columns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from perolux.errors import InputError, OptionError
from perolux.measured import artefacts, peaks
from perolux.measured.air import vacuum_wavelength_nm
from perolux.measured.baseline import END_SAMPLES, Baseline, BaselineMethod, estimate_baseline
from perolux.measured.noise import Noise, estimate_noise, mean_factor
from perolux.measured.records import FloatArray, Spectrum
from perolux.quantities.constants import HC_EV_NM

__all__ = ["PL_NUMBERS", "PlResult", "pl_curve", "reduce_pl"]

LOW_SNR = 10.0
"""Signal to noise below which `low-snr` is raised (a convention)."""
_DETECTION_SIGMAS = 6.0
"""A band counts as present when the smoothed maximum stands this many of its sigmas above the baseline."""
_UNEVEN_ENDS = 0.03
"""Disagreement of the two ends, as a fraction of the maximum, that raises `curved-baseline`."""
_NEGATIVE = 0.01
"""Depth below zero, as a fraction of the maximum, that raises `negative-counts` (noise alone does not)."""
_SECOND_MAXIMUM = 0.02
"""Rise of a second maximum above the dip before it, as a fraction of the maximum, for `double-peak`."""
_RISE_SIGMAS = 6.5
"""And its rise in sigmas of the running mean."""
_SHOULDER = 0.05
"""Depth of a second minimum of curvature against the main one for `shoulder`."""
_SATURATED = (
    "the detector is saturated: the top of the line is cut off, and what is left does not say where its "
    "maximum lies or how high it is"
)
"""Why a saturated line has no numbers."""

PL_NUMBERS = (
    "peak_ev",
    "peak_ev_sigma",
    "fwhm_mev",
    "fwhm_mev_sigma",
    "peak_nm",
    "fwhm_nm",
    "peak_nm_no_jacobian",
    "fwhm_nm_no_jacobian",
    "fwhm_mev_no_jacobian",
    "integrated",
    "snr",
)
"""The numbers of a `PlResult`, in the order in which they are shown; each may be None with a reason."""


@dataclass(frozen=True)
class PlResult:
    """What one PL spectrum says without a model. Any number may be None; `reasons` then says why.

    With the Jacobian, from the energy axis by local fits: peak_ev and fwhm_mev with one standard deviation
    each, peak_nm = hc/peak_ev, fwhm_nm between the wavelengths of the same half-height points
    (half_height_ev).
    As recorded, by the reference procedure: peak_nm_no_jacobian, fwhm_nm_no_jacobian, fwhm_mev_no_jacobian.
    A saturated line has none of these numbers: its top is cut off.
    integrated: intensity over the recorded axis after the baseline, without a Jacobian; integrated_unit says
    over which axis and in which unit. snr: (maximum - baseline)/standard deviation of the 16 end samples.
    sigma_includes: what the standard deviations cover; a wavelength calibration only when it was given.
    """

    label: str
    file: str
    peak_ev: float | None
    peak_ev_sigma: float | None
    fwhm_mev: float | None
    fwhm_mev_sigma: float | None
    peak_nm: float | None
    fwhm_nm: float | None
    peak_nm_no_jacobian: float | None
    fwhm_nm_no_jacobian: float | None
    fwhm_mev_no_jacobian: float | None
    integrated: float | None
    snr: float | None
    baseline: Baseline
    flags: tuple[str, ...]
    reasons: dict[str, str]
    half_height_ev: tuple[float | None, float | None] = (None, None)
    sigma_includes: tuple[str, ...] = ("noise", "baseline")
    wavelengths: str = "as recorded"
    cosmic_rays_nm: tuple[float, ...] = ()
    integrated_unit: str = ""

    def __repr__(self) -> str:
        if self.peak_ev is None:
            text = f"no peak: {self.reasons.get('peak_ev', 'not found')}"
        else:
            sigma = "" if self.peak_ev_sigma is None else f" ± {self.peak_ev_sigma:.4f}"
            width = f"no FWHM: {self.reasons.get('fwhm_mev', 'not found')}"
            if self.fwhm_mev is not None:
                width = f"FWHM {self.fwhm_mev:.1f} meV ({self.fwhm_nm:.1f} nm)"
            text = f"peak {self.peak_ev:.4f}{sigma} eV ({self.peak_nm:.1f} nm), {width}, with the Jacobian"
        snr = "" if self.snr is None else f"; SNR {self.snr:.0f}"
        flags = f"; flags: {', '.join(self.flags)}" if self.flags else ""
        return f"<PlResult {self.label!r}: {text}{snr}{flags}>"

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary for JSON: missing numbers are null, the baseline is its method and counts."""
        out: dict[str, Any] = {"file": self.file, "label": self.label}
        for name in PL_NUMBERS:
            out[name] = getattr(self, name)
            if name == "integrated":
                out["integrated_unit"] = self.integrated_unit
        out["sigma_includes"] = list(self.sigma_includes)
        out["baseline"] = self.baseline.as_dict()
        out["flags"] = list(self.flags)
        out["reasons"] = dict(self.reasons)
        return out


def pl_curve(spectrum: Spectrum, baseline: Baseline) -> tuple[FloatArray, FloatArray]:
    """Energy (ascending, eV) and density per eV of the spectrum after its baseline, for drawing and fits."""
    return replace(spectrum, values=spectrum.values - baseline.curve).per_ev()


def reduce_pl(
    spectrum: Spectrum,
    *,
    baseline: BaselineMethod = "ends",
    baseline_period_nm: float | None = None,
    air_to_vacuum: bool = False,
    remove_cosmic_rays: bool = False,
    calibration_sigma_nm: float | None = None,
) -> PlResult:
    """Peak, width, integral and signal to noise of one PL spectrum, with and without the Jacobian.

    baseline: "ends" (reference), "linear", "arpls" or "none"; baseline_period_nm belongs to "arpls".
    air_to_vacuum: convert recorded wavelengths to vacuum first (off by default, as in the reference tables).
    remove_cosmic_rays: replace spikes of one or two samples by their neighbours' cubic; without it they are
    only flagged. calibration_sigma_nm: standard uncertainty of the wavelength axis, added to peak_ev_sigma.

    The Jacobian numbers come from fits of exp(polynomial) to the density per eV: one of fourth order down to
    0.28 of the maximum where its residuals show no structure, else one near the top and one around each half
    of the fitted maximum, so a Gaussian in energy is exact on any grid. Their sigmas are the linear response
    to the noise and to the baseline's uncertainty; the noise grows with the signal, may be shared between
    neighbours, and has the size that the residuals of the fits imply.

    A line whose top is cut flat (`saturated`) gets no number. Fits to its flanks alone find a Gaussian again,
    but cannot tell that a line is one: with the upper half cut off, a fourth-order fit with residuals like
    noise is 5 meV off on an asymmetric line and 7 meV on two overlapping ones, 6 to 12 of its own sigmas.

    Raises `OptionError` for an absorbance or excitation spectrum (no emission density, so no Jacobian) and
    `InputError` for fewer than 20 samples or values that are not finite.
    """
    where = f"{spectrum.source.path}: {spectrum.label}"
    if spectrum.kind in ("absorbance", "excitation"):
        raise OptionError(
            f"this is {spectrum.kind}, not photoluminescence; it has no Jacobian and no emission peak",
            where=where,
            allowed="kind pl",
            fix='use absorption() (`perolux absorption`) for an absorbance; kind="pl" if it was misread',
        )
    if calibration_sigma_nm is not None and not calibration_sigma_nm >= 0:
        raise OptionError("a calibration uncertainty is not negative", where=where, allowed="nm, >= 0")
    _check_samples(spectrum, where)
    spectrum, wavelengths = _to_vacuum(spectrum, where) if air_to_vacuum else (spectrum, "as recorded")

    flags = [flag for flag in spectrum.flags]
    values = np.asarray(spectrum.values, dtype=float)
    spikes = artefacts.cosmic_ray_samples(values)
    if len(spikes):
        flags.append("cosmic-ray-removed" if remove_cosmic_rays else "cosmic-ray")
        if remove_cosmic_rays:
            values = artefacts.without_samples(values, spikes)
    saturated = artefacts.is_saturated(values)
    if saturated:
        flags.append("saturated")
    nm = spectrum.wavelength_nm
    ground = estimate_baseline(nm, values, baseline, period_nm=baseline_period_nm)
    height = values - ground.curve
    numbers: dict[str, float | None] = dict.fromkeys(PL_NUMBERS)
    reasons: dict[str, str] = {}
    half: tuple[float | None, float | None] = (None, None)

    smooth, length = peaks.smoothed(height)
    noise = estimate_noise(height, smooth)
    present = _is_present(height, smooth, length, max(artefacts.noise_level(values), noise.floor), noise)
    if not present:
        flags.append("near-zero-signal")
        reasons |= dict.fromkeys(PL_NUMBERS, "no band stands above the noise")
    elif saturated:
        reasons |= dict.fromkeys(PL_NUMBERS, _SATURATED)
        if _has_uneven_ends(height, noise):
            flags.append("curved-baseline")
    else:
        _reference_numbers(nm, height, ground, numbers, reasons)
        half = _energy_numbers(
            spectrum, height, smooth, ground, noise, numbers, reasons, calibration_sigma_nm
        )
        if np.min(values) < -max(5.0 * noise.floor, _NEGATIVE * float(np.max(height))):
            flags.append("negative-counts")
        numbers["integrated"] = _integral(spectrum, height)
        flags += _shape_flags(nm, height, smooth, length, noise, numbers, reasons)
    return PlResult(
        label=spectrum.label,
        file=spectrum.source.path,
        **{name: numbers[name] for name in PL_NUMBERS},
        baseline=ground,
        flags=tuple(dict.fromkeys(flags)),
        reasons=reasons,
        half_height_ev=half,
        sigma_includes=("noise", "baseline")
        + (("wavelength calibration",) if calibration_sigma_nm is not None else ()),
        wavelengths=wavelengths,
        cosmic_rays_nm=tuple(float(nm[i]) for i in spikes),
        integrated_unit=_integrated_unit(spectrum),
    )


def _check_samples(spectrum: Spectrum, where: str) -> None:
    if len(spectrum) < 2 * END_SAMPLES + 4:
        raise InputError(
            f"a PL spectrum of {len(spectrum)} samples is too short for a baseline and a peak",
            where=where,
            allowed=f"at least {2 * END_SAMPLES + 4} samples",
            fix="record a wider range",
        )
    artefacts.check_values(spectrum.values, where)


def _to_vacuum(spectrum: Spectrum, where: str) -> tuple[Spectrum, str]:
    if spectrum.medium == "vacuum" or spectrum.axis_unit != "nm":
        raise OptionError(
            "the axis is not a wavelength in air, so it cannot be converted to vacuum",
            where=where,
            fix="leave air_to_vacuum out",
        )
    converted = vacuum_wavelength_nm(spectrum.wavelength_nm)
    return replace(spectrum, wavelength_nm=converted, medium="vacuum"), "vacuum, converted from air"


def _is_present(height: FloatArray, smooth: FloatArray, length: int, floor: float, noise: Noise) -> bool:
    top = float(np.max(smooth))
    scale = float(np.max(np.abs(height)))
    # rounding of the subtraction leaves about 1e-16 of the level on a flat record
    limit = _DETECTION_SIGMAS * floor * mean_factor(noise.correlation, length)
    return top > 1e-9 * scale and scale > 0 and top > limit


def _reference_numbers(
    nm: FloatArray,
    height: FloatArray,
    ground: Baseline,
    numbers: dict[str, float | None],
    reasons: dict[str, str],
) -> None:
    found = peaks.reference_peak(nm, height)
    numbers["peak_nm_no_jacobian"] = found.position
    if found.position is None:
        reasons["peak_nm_no_jacobian"] = "fewer than three samples, or no maximum, above 80 % of the top"
    if found.left is None or found.right is None:
        side = "short" if found.left is None else "long"
        reason = f"the {side}-wavelength half-height point lies outside the record"
        reasons |= dict.fromkeys(("fwhm_nm_no_jacobian", "fwhm_mev_no_jacobian"), reason)
    else:
        numbers["fwhm_nm_no_jacobian"] = found.right - found.left
        numbers["fwhm_mev_no_jacobian"] = 1e3 * (HC_EV_NM / found.left - HC_EV_NM / found.right)
    if ground.noise > 0:
        numbers["snr"] = float(np.max(height)) / ground.noise
    else:
        reasons["snr"] = "the end samples do not vary, so they hold no estimate of the noise"


def _energy_numbers(
    spectrum: Spectrum,
    height: FloatArray,
    smooth: FloatArray,
    ground: Baseline,
    noise: Noise,
    numbers: dict[str, float | None],
    reasons: dict[str, str],
    calibration_sigma_nm: float | None,
) -> tuple[float | None, float | None]:
    """Peak and width with the Jacobian; returns the half-height points in eV, low and high."""
    energy, density = replace(spectrum, values=height).per_ev()
    jacobian = replace(spectrum, values=np.ones_like(height)).per_ev()[1]
    # an exact spectrum has no noise; a relative floor keeps weights finite and changes nothing above 1e-9
    sigma = np.maximum(noise.sigma(smooth), 1e-9 * float(np.max(height)))
    band = peaks.local_peak(
        energy, density, sigma[::-1] * jacobian, jacobian, noise.correlation, noise.floor * jacobian
    )
    if band.position is None:
        reason = (
            "the maximum lies at the edge of the record"
            if band.at_edge
            else "no smooth maximum could be fitted to the top of the band"
        )
        names = ("peak_ev", "peak_ev_sigma", "peak_nm", "fwhm_mev", "fwhm_mev_sigma", "fwhm_nm")
        reasons |= dict.fromkeys(names, reason)
        return None, None
    calibration = (calibration_sigma_nm or 0.0) * band.position**2 / HC_EV_NM
    numbers["peak_ev"] = band.position
    numbers["peak_nm"] = HC_EV_NM / band.position
    numbers["peak_ev_sigma"] = math.hypot(band.position_sigma or 0.0, band.shift * ground.sigma, calibration)
    width = band.width
    if width is None or band.left is None or band.right is None:
        side = "long" if band.left is None else "short"
        reason = f"the {side}-wavelength half-height point lies outside the record"
        reasons |= dict.fromkeys(("fwhm_mev", "fwhm_mev_sigma", "fwhm_nm"), reason)
    else:
        numbers["fwhm_mev"] = 1e3 * width
        numbers["fwhm_mev_sigma"] = 1e3 * math.hypot(band.width_sigma or 0.0, band.width_shift * ground.sigma)
        numbers["fwhm_nm"] = HC_EV_NM / band.left - HC_EV_NM / band.right
    return band.left, band.right


def _integrated_unit(spectrum: Spectrum) -> str:
    unit = "intensity as recorded" if spectrum.value_unit == "unknown" else spectrum.value_unit
    axis = {"nm": "wavelength", "eV": "photon energy", "cm-1": "wavenumber"}[spectrum.axis_unit]
    return f"{unit} x {spectrum.axis_unit}, over {axis} as recorded, without a Jacobian"


def _integral(spectrum: Spectrum, height: FloatArray) -> float:
    if spectrum.axis_unit == "nm":
        return float(np.trapezoid(height, spectrum.wavelength_nm))
    energy = spectrum.energy_ev[::-1]
    axis = energy if spectrum.axis_unit == "eV" else 1e7 / HC_EV_NM * energy
    return float(np.trapezoid(height[::-1], axis))


def _shape_flags(
    nm: FloatArray,
    height: FloatArray,
    smooth: FloatArray,
    length: int,
    noise: Noise,
    numbers: dict[str, float | None],
    reasons: dict[str, str],
) -> list[str]:
    flags = []
    top = float(np.max(height))
    snr = numbers["snr"]
    if snr is not None and snr < LOW_SNR:
        flags.append("low-snr")
    if _has_uneven_ends(height, noise):
        flags.append("curved-baseline")
    if "edge" in reasons.get("peak_ev", ""):
        flags.append("peak-at-edge")
    elif numbers["peak_ev"] is not None and numbers["fwhm_mev"] is None:
        flags.append("one-sided")
    sigma = noise.sigma(smooth)
    scatter_here = _RISE_SIGMAS * mean_factor(noise.correlation, length) * sigma
    # a straight slope under the band is no second maximum
    ends = _ends(height)
    level = smooth - np.linspace(ends[0], ends[1], len(smooth))
    if _has_second_maximum(level, _SECOND_MAXIMUM * top, scatter_here):
        flags.append("double-peak")
    elif _has_shoulder(nm, height, sigma, noise, numbers["fwhm_nm"]):
        flags.append("shoulder")
    return flags


def _ends(height: FloatArray) -> tuple[float, float]:
    """Medians of the first and of the last samples."""
    return float(np.median(height[:END_SAMPLES])), float(np.median(height[-END_SAMPLES:]))


def _has_uneven_ends(height: FloatArray, noise: Noise) -> bool:
    """True where the two ends of the record differ by more than noise and a part of the maximum."""
    low, high = _ends(height)
    # the difference of two medians, each of END_SAMPLES samples that may share their noise
    scatter = math.sqrt(math.pi) * noise.floor * mean_factor(noise.correlation, END_SAMPLES)
    return abs(high - low) > max(_UNEVEN_ENDS * float(np.max(height)), 4.0 * scatter)


def _has_second_maximum(curve: FloatArray, rise: float, noise: FloatArray) -> bool:
    """True where the curve, going away from its maximum, rises by `rise` after a dip and falls again.

    A background that only rises towards the end of the record is no second maximum: after the rise the
    curve must fall by half as much. Both count from `noise` on. The last two samples are not looked at.
    """
    i = int(np.argmax(curve))
    for side, least in ((curve[i::-1], noise[i::-1]), (curve[i:], noise[i:])):
        side, least = side[:-2], least[:-2]
        climb = side - np.minimum.accumulate(side)
        # how far the curve falls again outside of each sample
        fall = side - np.minimum.accumulate(side[::-1])[::-1]
        if np.any((climb > np.maximum(rise, least)) & (fall > np.maximum(0.5 * rise, least))):
            return True
    return False


def _has_shoulder(
    nm: FloatArray, height: FloatArray, sigma: FloatArray, noise: Noise, width_nm: float | None
) -> bool:
    """True where the second derivative, over a quarter of the width, has a second clear minimum."""
    if width_nm is None:
        return False
    step = float(np.median(np.diff(nm)))
    lag = max(1, round(width_nm / (4.0 * step)))
    if len(height) < 4 * lag + 3:
        return False
    kernel = np.ones(lag) / lag
    mean = np.convolve(height, kernel, "same")
    curvature = mean[2 * lag :] - 2.0 * mean[lag:-lag] + mean[: -2 * lag]
    variance = np.convolve(sigma**2, kernel, "same") * mean_factor(noise.correlation, lag) ** 2
    scatter = np.sqrt(variance[2 * lag :] + 4.0 * variance[lag:-lag] + variance[: -2 * lag])
    # a second minimum counts if it is deep itself and parted from the main one by a rise as large
    below = np.minimum(curvature, 0.0)
    return _has_second_maximum(-below, _SHOULDER * float(-np.min(curvature)), 6.0 * scatter)
