"""A series of spectra of one nanocrystal as counts on one axis, with the time of each exposure and the noise.

    variance of a pixel = gain x mean + read noise^2         counts, after the bias is taken off

gain: counts a photo-electron. With gain 1 and no read noise the counts are Poisson's. Where the record does
not look like counts and nobody says its noise, both numbers are estimated from the spectra themselves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, OptionError, Problem
from perolux.measured.records import SpectrumSet
from perolux.measured.wording import time_of_label_s

__all__ = ["DetectorNoise", "SpectralSeries", "series_of"]

FloatArray = npt.NDArray[np.float64]
_FEWEST_PIXELS = 8
_MAD_TO_SIGMA = 1.482602218505602
_SAME_TIME = 1e-3
"""Part of an exposure by which a frame may begin before the last one has ended: rounding of written times."""


@dataclass(frozen=True)
class DetectorNoise:
    """gain: counts a photo-electron; read_counts: standard deviation at no light; bias_counts: level at no
    light, already in the record; said: what of it the user gave ("given", "poisson" or "estimated")."""

    gain: float = 1.0
    read_counts: float = 0.0
    bias_counts: float = 0.0
    said: str = "poisson"

    def __post_init__(self) -> None:
        problems = []
        if not (math.isfinite(self.gain) and self.gain > 0):
            problems.append(Problem(f"a gain of {self.gain:g}", "--gain", "above 0 counts a photo-electron"))
        if not (math.isfinite(self.read_counts) and self.read_counts >= 0):
            problems.append(
                Problem(f"a read noise of {self.read_counts:g}", "--read-noise", "0 counts or more")
            )
        if not math.isfinite(self.bias_counts):
            problems.append(Problem("a bias that is no number", "--bias", "counts"))
        if problems:
            raise OptionError(problems)

    @property
    def pedestal(self) -> float:
        """Electrons that give the read noise if they were Poisson's: (read/gain)^2."""
        return (self.read_counts / self.gain) ** 2


@dataclass(frozen=True, eq=False)
class SpectralSeries:
    """Counts of all exposures on one energy axis.

    energy_ev: (n,) ascending, middle of each pixel; pixel_ev: (n,) their widths; counts: (frames, n), bias
    taken off; start_s: (frames,); exposure_s: of every frame. assumptions, warnings: sentences.
    """

    energy_ev: FloatArray
    pixel_ev: FloatArray
    counts: FloatArray
    start_s: FloatArray
    exposure_s: float
    noise: DetectorNoise
    source: str
    sha256: str
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def period_s(self) -> float:
        """From start to start, the median."""
        return float(np.median(np.diff(self.start_s)))

    @property
    def regular(self) -> bool:
        """Whether starts are whole periods apart, to 2 %; frames may be missing."""
        steps = np.diff(self.start_s) / self.period_s
        return bool(np.all(np.abs(steps - np.round(steps)) < 0.02) and np.all(np.round(steps) >= 1))


def series_of(
    spectra: SpectrumSet,
    *,
    frame_s: float | None = None,
    exposure_s: float | None = None,
    gain: float | None = None,
    read_noise_counts: float | None = None,
    bias_counts: float | None = None,
    range_ev: Sequence[float] | None = None,
) -> SpectralSeries:
    """A series from spectra in order of time.

    frame_s: from the start of an exposure to the next, where labels ("0.2 s") do not say the times;
    exposure_s: its length, the shortest step of time otherwise. gain, read_noise_counts, bias_counts: of the
    detector. range_ev: (low, high), only pixels within.

    Raises `InputError` for spectra on different axes, fewer than 3, times that do not rise; `OptionError` for
    options that do not fit, all at once.
    """
    where = spectra[0].source.path if len(spectra) else "spectra"
    if len(spectra) < 3:
        raise InputError(f"{len(spectra)} spectra", where=where, allowed="three or more, in order of time")
    first = spectra[0]
    for one in spectra:
        if one.kind == "absorbance":
            raise InputError(
                "an absorbance has no emission line", where=one.label, allowed="photoluminescence"
            )
        if len(one) != len(first) or not np.allclose(
            one.wavelength_nm, first.wavelength_nm, rtol=0, atol=1e-9
        ):
            raise InputError(
                f"the axis of {one.label!r} is not that of {first.label!r}",
                where=where,
                allowed="one axis for all exposures",
                fix="export them without resampling, or leave the odd one out",
            )
    assumed: list[str] = []
    start, exposure = _times(spectra, frame_s, exposure_s, where, assumed)
    energy = first.energy_ev[::-1].copy()
    counts = np.array([one.values[::-1] for one in spectra], dtype=float)
    pixel = np.abs(np.gradient(energy)) if first.axis_unit == "nm" else _even(energy)
    if range_ev is not None:
        low, high = (float(v) for v in range_ev)
        keep = (energy >= low) & (energy <= high)
        if not low < high or keep.sum() < _FEWEST_PIXELS:
            raise OptionError(
                f"{int(keep.sum())} pixels between {low:g} and {high:g} eV",
                where="--range-ev",
                allowed=f"{_FEWEST_PIXELS} or more within {energy[0]:.5g} to {energy[-1]:.5g} eV",
            )
        energy, pixel, counts = energy[keep], pixel[keep], counts[:, keep]
    elif len(energy) < _FEWEST_PIXELS:
        raise InputError(f"{len(energy)} pixels", where=where, allowed=f"{_FEWEST_PIXELS} or more")
    counts = counts - (bias_counts or 0.0)
    noise = _noise(counts, gain, read_noise_counts, bias_counts, assumed)
    return SpectralSeries(
        energy, pixel, counts, start, exposure, noise, where, first.source.sha256, tuple(assumed),
        tuple(spectra.notes),
    )  # fmt: skip


def _even(energy: FloatArray) -> FloatArray:
    return np.full(len(energy), float(np.mean(np.diff(energy))))


def _times(
    spectra: SpectrumSet, frame_s: float | None, exposure_s: float | None, where: str, assumed: list[str]
) -> tuple[FloatArray, float]:
    problems = [
        Problem(f"a time of {value:g} s", name, "above 0 s")
        for name, value in (("--frame-s", frame_s), ("--exposure-s", exposure_s))
        if value is not None and not (math.isfinite(value) and value > 0)
    ]
    if problems:
        raise OptionError(problems)
    if frame_s is not None:
        start = np.asarray(frame_s * np.arange(len(spectra)), dtype=np.float64)
    else:
        labels = [time_of_label_s(one.label) for one in spectra]
        if any(label is None for label in labels):
            odd = next(one.label for one, label in zip(spectra, labels, strict=True) if label is None)
            raise OptionError(
                f"the label {odd!r} says no time",
                where=where,
                allowed='labels such as "0.2 s" for every exposure',
                fix="give --frame-s, the time from one exposure to the next",
            )
        start = np.array(labels, dtype=float)
        assumed.append("times of the labels are the starts of the exposures")
    steps = np.diff(start)
    if np.any(steps <= 0):
        k = int(np.argmax(steps <= 0))
        raise InputError(
            f"the exposure after {spectra[k].label!r} does not begin later",
            where=where,
            allowed="times that rise",
            fix="sort the columns by time, or give --frame-s",
        )
    shortest = float(steps.min())
    if exposure_s is None:
        exposure_s = shortest
        assumed.append(f"exposures of {shortest:.6g} s, without a gap between frames (--exposure-s)")
    if exposure_s > shortest * (1 + _SAME_TIME):
        raise OptionError(
            f"an exposure of {exposure_s:g} s with frames {shortest:g} s apart",
            where="--exposure-s",
            allowed=f"up to {shortest:g} s",
        )
    return start, min(exposure_s, shortest)


def _noise(
    counts: FloatArray,
    gain: float | None,
    read: float | None,
    bias: float | None,
    assumed: list[str],
) -> DetectorNoise:
    whole = bool(np.all(counts == np.round(counts)) and counts.min() >= 0)
    if gain is not None or read is not None:
        if gain is None:
            assumed.append("one count a photo-electron (--gain)")
        if read is None:
            assumed.append("no read noise (--read-noise)")
        given = DetectorNoise(gain or 1.0, read or 0.0, bias or 0.0, "given")
        if gain is not None and gain <= 0:
            DetectorNoise(gain)
        return given
    if whole and bias is None:
        assumed.append("counts are photo-electrons with Poisson's noise alone (--gain, --read-noise, --bias)")
        return DetectorNoise()
    # Between neighbouring frames most pixels differ by noise alone: the read noise is that of the quiet ones.
    difference = np.diff(counts, axis=0)
    read_counts = _MAD_TO_SIGMA * float(np.median(np.abs(difference))) / math.sqrt(2)
    if not read_counts > 0:
        raise OptionError(
            "the noise cannot be estimated: most pixels repeat from frame to frame",
            fix="give --gain and --read-noise",
        )
    assumed.append("noise estimated from the spectra (--gain, --read-noise)")
    return DetectorNoise(read_counts * 1e-3, read_counts, bias or 0.0, "estimated")
