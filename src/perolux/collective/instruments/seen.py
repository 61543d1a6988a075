"""An assembly as its instrument would see it: traces at every screening, one streak image, photons drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from perolux.collective.assembly import Assembly, Course, draw_emitters
from perolux.collective.assembly_file import InstrumentTable
from perolux.collective.couplings import FloatArray
from perolux.collective.instruments.aperture import Collected, Lens, collected
from perolux.collective.instruments.response import GaussianBlur
from perolux.collective.instruments.streak import StreakCamera, counted, emitter_line, streak_image
from perolux.quantities.constants import HC_EV_NM

__all__ = ["Seen", "SeenTrace", "seen_by"]

_MOST_LENS = 600
_LINE_REACH = 4.0
_MOST_PIXELS = 400
_WHOLE_SIGMAS = 3.0


@dataclass(frozen=True, eq=False)
class SeenTrace:
    """Expected photons in each bin of time at one screening; two of them for a bracket. fall_ps: from the
    peak to 1/e behind the response, None where it does not fall so far."""

    screening: float
    expected: tuple[FloatArray, ...]
    fall_ps: float | None


@dataclass(frozen=True, eq=False)
class Seen:
    """camera; traces; image: expected counts (T, L) and drawn ones, of the strongest shifts whose emission is
    one number, None with image_reason. share: of the light that the lens takes; photons_per_shot:
    detected."""

    camera: StreakCamera
    traces: tuple[SeenTrace, ...]
    screening: float | None
    expected: FloatArray | None = field(repr=False)
    drawn: FloatArray | None = field(repr=False)
    image_reason: str | None
    share: Collected | None
    photons_per_shot: float | None
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "screening_of_image": self.screening,
            "image_reason": self.image_reason,
            "response": self.camera.response.note,
            "time_edges_ps": [float(self.camera.edges_ps[0]), float(self.camera.edges_ps[-1])],
            "pixels": [self.camera.bins, len(self.camera.energy_edges_ev) - 1],
            "collected": None
            if self.share is None
            else {"independent": self.share.independent, "brightest_mode": self.share.brightest_mode},
            "photons_per_shot": self.photons_per_shot,
            "traces": [
                {
                    "screening": one.screening,
                    "fall_ps": one.fall_ps,
                    "expected": [[float(x) for x in trace] for trace in one.expected],
                }
                for one in self.traces
            ],
            "notes": list(self.notes),
        }


def seen_by(made: Assembly, courses: tuple[Course, ...], table: InstrumentTable) -> Seen:
    """What the instrument of the file records; photons drawn with the seed of the file."""
    file = made.file
    drawn = [draw_emitters(made, k)[0] for k in range(min(file.sampling.disorder_draws, 20))]
    middle = HC_EV_NM / made.wavelength_nm
    energies = np.concatenate([middle + 1e-3 * made.unit_mev * one.detuning for one in drawn])
    width = made.unit_mev * (1.0 + 2.0 * made.dephasing) if table.linewidth is None else table.linewidth
    camera = _camera(made, table, energies, width)
    notes = [
        "the line is that of the emitters one by one; time and energy are independent",
        f"homogeneous width {width:.3g} meV",
    ]
    share = None
    if len(drawn[0]) <= _MOST_LENS:
        share = collected(
            drawn[0],
            Lens(
                table.aperture, table.axis, table.substrate_index, table.gap, table.through_substrate
            ),
        )  # fmt: skip
        caught = share.independent
    else:
        caught = 0.5 * (
            1.0 - math.sqrt(max(1.0 - (table.aperture / file.emitters.refractive_index) ** 2, 0.0))
        )
        notes.append(f"{len(drawn[0])} emitters: the share of the lens is that of light even on all sides")
    detected = table.shots * caught * table.efficiency
    # photons per ps that the camera detects
    scale = detected / made.lifetime_ps
    ps = made.times * made.lifetime_ps
    traces = []
    for course in courses:
        if course.reason is None:
            rates = [course.rate] if course.low is None or course.high is None else [course.low, course.high]
            seen = tuple(
                counted(ps, scale * np.maximum(one, 0.0), camera.edges_ps, camera.response) for one in rates
            )
            traces.append(SeenTrace(course.screening, seen, _fall(seen[0], camera.edges_ps)))
    sharp = [one for one in courses if one.reason is None and one.low is None]
    line = emitter_line(energies, width, camera.energy_edges_ev, camera.resolution_mev)
    expected = image = None
    if sharp:
        expected = streak_image(camera, ps, scale * np.maximum(sharp[-1].rate, 0.0), line)
        rng = np.random.default_rng(np.random.SeedSequence((file.sampling.seed, 11)))
        image = rng.poisson(expected).astype(float)
    photons = None if expected is None else float((expected - camera.dark).sum()) / table.shots
    return Seen(
        camera, tuple(traces), sharp[-1].screening if sharp else None, expected, image,
        None if sharp else "no screening has an emission that is one number", share, photons, tuple(notes),
    )  # fmt: skip


def _camera(made: Assembly, table: InstrumentTable, energies: FloatArray, width: float) -> StreakCamera:
    until = float(made.times[-1]) * made.lifetime_ps
    # light after the last time would blur into the last bins: they are left out
    blur = GaussianBlur(table.response, table.jitter)
    whole = until - _WHOLE_SIGMAS * blur.sigma_ps + table.before
    bins = max(math.floor(whole / table.time_bin * (1.0 + 1e-12)), 1)
    middle = made.wavelength_nm
    per_mev = 1e-3 * middle**2 / HC_EV_NM
    spread = 1e3 * float(np.std(energies))
    reach = _LINE_REACH * (spread + width) * per_mev + 3.0 * table.resolution + 6.0 * table.wavelength_bin
    pixels = min(2 * math.ceil(reach / table.wavelength_bin), _MOST_PIXELS)
    nm = middle + table.wavelength_bin * (np.arange(pixels + 1, dtype=np.float64) - 0.5 * pixels)
    resolution = table.resolution / per_mev
    return StreakCamera(
        blur, -table.before, table.time_bin, bins, HC_EV_NM / nm[::-1],
        resolution, table.uneven, table.dark,
    )  # fmt: skip


def _fall(trace: FloatArray, edges: FloatArray) -> float | None:
    """From the peak to 1/e of it, straight between the middles of the bins."""
    rate, middle = trace / np.diff(edges), 0.5 * (edges[1:] + edges[:-1])
    peak = int(np.argmax(rate))
    below = np.flatnonzero(rate[peak:] < rate[peak] / math.e)
    if not len(below) or below[0] == 0:
        return None
    k = peak + int(below[0])
    part = (rate[k - 1] - rate[peak] / math.e) / (rate[k - 1] - rate[k])
    return float(middle[k - 1] + part * (middle[k] - middle[k - 1]) - middle[peak])
