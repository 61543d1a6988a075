"""Simulated series of spectra: one line that wanders or jumps, exposures with the noise of a detector.

The centre is drawn exactly at the middle of sub-steps of every exposure: Ornstein-Uhlenbeck, free random
walk, or jumps between states with exponential dwells. A frame is the sum of its sub-steps' lines through the
instrument function, Poisson counts of line and background, times the gain, plus read noise and bias. All is
simulated and says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError, Problem
from perolux.measured.records import FileSource, Spectrum, SpectrumSet
from perolux.photons.line_profile import LineModel, line_profile
from perolux.quantities.constants import HC_EV_NM

__all__ = ["Jumps", "SimulatedSeries", "Wander", "simulate_series", "write_series"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Wander:
    """Ornstein-Uhlenbeck with stationary deviation spread_ev and correlation time_s; with a time_s of
    infinity a free walk of diffusion_ev2_per_s (variance 2 D t) instead."""

    spread_ev: float = 0.0
    time_s: float = math.inf
    diffusion_ev2_per_s: float = 0.0


@dataclass(frozen=True)
class Jumps:
    """Jumps between states at offset_ev from the centre, mean dwells dwell_s, to any other state alike."""

    offset_ev: tuple[float, ...]
    dwell_s: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class SimulatedSeries:
    """spectra: labels are the starts, e.g. "0.1 s"; centre_ev: (frames,), true mean of each exposure."""

    spectra: SpectrumSet
    centre_ev: FloatArray
    start_s: FloatArray
    exposure_s: float


def simulate_series(
    motion: Wander | Jumps,
    rng: np.random.Generator,
    *,
    frames: int,
    exposure_s: float,
    frame_s: float | None = None,
    centre_ev: float = 2.4,
    model: LineModel | None = None,
    widths_ev: Sequence[float] = (2.5e-4,),
    pixels: int = 96,
    pixel_ev: float = 2e-4,
    photons: float | Sequence[float] | FloatArray = 500.0,
    shift_ev: float | Sequence[float] | FloatArray = 0.0,
    background: float = 0.5,
    gain: float = 1.0,
    read_noise_counts: float = 0.0,
    bias_counts: float = 0.0,
    steps: int = 16,
) -> SimulatedSeries:
    """Frames of a line that moves.

    photons: of the line, in each frame, or one number a frame (0: dark); shift_ev: added to its centre, the
    same; background: photo-electrons a pixel and frame; widths_ev: of `model`, in its order; steps: positions
    drawn in each exposure.

    Equal seeds give equal series. Raises `OptionError` with all problems.
    """
    model = LineModel() if model is None else model
    frame_s = exposure_s if frame_s is None else frame_s
    light = np.broadcast_to(np.asarray(photons, dtype=float), (frames,))
    problems = [
        Problem(f"{name} of {value:g}", name, allowed)
        for name, value, good, allowed in (
            ("frames", frames, frames >= 1, "1 or more"),
            ("exposure_s", exposure_s, exposure_s > 0, "above 0 s"),
            ("frame_s", frame_s, frame_s >= exposure_s, "the exposure or more"),
            ("pixels", pixels, pixels >= 8, "8 or more"),
            ("background", background, background >= 0, "0 or more"),
            ("gain", gain, gain > 0, "above 0"),
            ("read_noise_counts", read_noise_counts, read_noise_counts >= 0, "0 or more"),
            ("steps", steps, steps >= 1, "1 or more"),
            ("photons", float(light.min()), bool(np.all(light >= 0)), "0 or more"),
        )
        if not good
    ]
    if problems:
        raise OptionError(problems)
    start = np.asarray(frame_s * np.arange(frames), dtype=np.float64)
    times = (start[:, None] + exposure_s * (np.arange(steps) + 0.5) / steps).ravel()
    place = _jumps(motion, times, rng) if isinstance(motion, Jumps) else _wander(motion, times, rng)
    place = (
        place.reshape(frames, steps) + np.broadcast_to(np.asarray(shift_ev, dtype=float), (frames,))[:, None]
    )
    # Pixels are even in wavelength, as on a camera behind a grating.
    step_nm = pixel_ev * HC_EV_NM / centre_ev**2
    from_middle = np.arange(pixels) - (pixels - 1) / 2
    wavelength = np.asarray(HC_EV_NM / centre_ev + step_nm * from_middle, dtype=np.float64)
    energy, width = HC_EV_NM / wavelength, HC_EV_NM / wavelength**2 * step_nm
    mean = np.empty((frames, pixels))
    for k in range(frames):
        x = energy[None, :] - (centre_ev + place[k])[:, None]
        mean[k] = light[k] * np.mean(line_profile(model, widths_ev, x)[0], axis=0) * width + background
    counts: FloatArray = gain * rng.poisson(mean).astype(np.float64)
    if read_noise_counts:
        counts = counts + rng.normal(0.0, read_noise_counts, counts.shape)
    counts = counts + bias_counts
    source = FileSource("simulated series", "", "simulation")
    digits = max(3, 3 - math.floor(math.log10(frame_s)))
    spectra = tuple(
        Spectrum(
            wavelength.copy(), counts[k].copy(), f"{start[k]:.{digits}f} s", source, "pl", "nm", "counts",
            "vacuum", header=(("time_s", f"{start[k]:.{digits}f}"),),
        )
        for k in range(frames)
    )  # fmt: skip
    return SimulatedSeries(
        SpectrumSet(spectra, ("simulated",)), centre_ev + place.mean(axis=1), start, exposure_s
    )


def _wander(motion: Wander, times: FloatArray, rng: np.random.Generator) -> FloatArray:
    steps, kick = np.diff(times), rng.standard_normal(len(times))
    place = np.empty(len(times))
    if math.isinf(motion.time_s):
        kick[0] = 0.0
        kick[1:] *= np.sqrt(2 * motion.diffusion_ev2_per_s * steps)
        return np.asarray(np.cumsum(kick))
    keep = np.exp(-steps / motion.time_s)
    kick *= motion.spread_ev
    kick[1:] *= np.sqrt(-np.expm1(-2 * steps / motion.time_s))
    place[0] = kick[0]
    for k in range(1, len(times)):
        place[k] = keep[k - 1] * place[k - 1] + kick[k]
    return place


def _jumps(motion: Jumps, times: FloatArray, rng: np.random.Generator) -> FloatArray:
    dwell = np.asarray(motion.dwell_s, dtype=float)
    if len(dwell) != len(motion.offset_ev) or len(dwell) < 2 or np.any(dwell <= 0):
        raise OptionError("states and dwells do not fit", allowed="two states or more, a dwell each")
    now, ends, states = 0.0, [], []
    state = int(rng.choice(len(dwell), p=dwell / dwell.sum()))
    while now <= times[-1]:
        now += rng.exponential(dwell[state])
        ends.append(now)
        states.append(state)
        state = (state + int(rng.integers(1, len(dwell)))) % len(dwell)
    index = np.searchsorted(np.array(ends), times, side="right")
    return np.asarray(np.asarray(motion.offset_ev, dtype=float)[np.array(states)[index]])


def write_series(path: str | Path, series: SimulatedSeries) -> Path:
    """Write a series as a wide table that `measured.read` reads: wavelength, then one column an exposure."""
    from perolux.files import write_text

    spectra = series.spectra
    lines = [",".join(["Wavelength (nm)", *(one.label for one in spectra)])]
    columns = np.column_stack([spectra[0].wavelength_nm, *(one.values for one in spectra)])
    lines += [",".join([f"{row[0]:.7f}", *(f"{x:g}" for x in row[1:])]) for row in columns]
    write_text(path, "\n".join(lines) + "\n")
    return Path(path)
