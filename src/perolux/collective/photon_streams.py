"""Tagged photons of a burst, pulse after pulse: what single-photon detectors record of an assembly.

Each pulse of the laser starts one trajectory of quantum jumps (`trajectories`); its jumps by collective modes
are photons, those by losses are not light. Of n photons a pulse, whatever share of them is detected,

    g2 = <n(n - 1)>/<n>^2        pairs of one pulse over pairs of different pulses

which is 1/2 for two inverted emitters without loss: always two photons. With a loss kappa of each, two that
share one mode have a = 1/(1 + kappa), b = 1/(2 + kappa), <n> = a + b (1 + a), <n(n - 1)> = 4 a b; two alone
stay at 1/2. `perolux photons` reads the record; detectors are those of `photons.simulate`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.collective.blocks import IntArray, blocks, product_state, symmetric_single
from perolux.collective.case import BurstCase
from perolux.collective.couplings import FloatArray, couplings
from perolux.collective.trajectories import require_every_jump, trajectory_jumps
from perolux.errors import OptionError
from perolux.measured.photon_stream import PhotonStream, stream_of_arrays
from perolux.measured.records import FileSource
from perolux.photons.simulate import Detectors, recorded
from perolux.pieces import Pieces, nothing_kept
from perolux.progress import Progress, silent

__all__ = ["Clicks", "case_clicks", "ladder_clicks", "pulse_delay_ns", "pulse_g2", "stream_of_clicks"]

_MOST_PHOTONS = 50_000_000
_MOST_BINS = 2**31 - 1
_SIGMAS_BEFORE, _LEAST_BEFORE_NS, _MOST_BEFORE = 10.0, 1.0, 0.1
SOURCES = ("trajectories",)
"""Methods with jumps, of a case."""


@dataclass(frozen=True, eq=False)
class Clicks:
    """Jumps of `pulses` trajectories up to `end` (1/Gamma), in order of pulse and time. pulse, time, mode:
    (m,), mode -1: a loss, else the place of a collective mode, brightest last; left: excitations that each
    pulse leaves at the end, which the next one does not see."""

    pulses: int
    end: float
    pulse: IntArray = field(repr=False)
    time: FloatArray = field(repr=False)
    mode: IntArray = field(repr=False)
    left: FloatArray = field(repr=False)

    @property
    def light(self) -> npt.NDArray[np.bool_]:
        """Which are photons."""
        return np.asarray(self.mode >= 0)

    def photons(self) -> IntArray:
        """Photons of each pulse, (pulses,)."""
        return np.bincount(self.pulse[self.light], minlength=self.pulses)


def case_clicks(
    case: BurstCase,
    end: float,
    *,
    pulses: int,
    seed: int = 0,
    method: str = "trajectories",
    progress: Progress = silent,
    pieces: Pieces = nothing_kept,
) -> Clicks:
    """Jumps of a case, each pulse from its initial state; up to 12 emitters. Raises `OptionError` for a
    method without jumps."""
    if method not in SOURCES:
        raise OptionError(
            f"{method} gives means over many pulses, no single photons",
            where="--method",
            allowed=", ".join(SOURCES) + " (quantum jumps)",
            fix="leave --method out; identical emitters: perolux.collective.photon_streams.ladder_clicks",
        )
    require_every_jump(len(case.emitters))  # before the blocks, which have a limit of their own
    of = blocks(len(case.emitters))
    symmetric = case.initial_state == "symmetric single excitation"
    start = symmetric_single(of) if symmetric else product_state(of, case.excited)
    if start[0] == 0:
        raise OptionError("no emitter is excited", where="excited_emitters", allowed="one or more")
    if not 1 <= pulses <= _MOST_PHOTONS // start[0]:
        raise OptionError(
            f"{pulses} pulses of {start[0]} excitations", where="--pulses",
            allowed=f"1 to {_MOST_PHOTONS // start[0]}: {_MOST_PHOTONS} photons in all",
        )  # fmt: skip
    found = trajectory_jumps(
        couplings(case.emitters, screening=case.screening), start, end, trajectories=pulses,
        rng=np.random.default_rng(seed), dephasing=case.dephasing, loss=case.loss, progress=progress,
        pieces=pieces,
    )  # fmt: skip
    return Clicks(
        pulses, end, found["which"].astype(np.int64), found["time"], found["by"].astype(np.int64),
        found["left"],
    )  # fmt: skip


def ladder_clicks(emitters: int, end: float, *, pulses: int, rng: np.random.Generator) -> Clicks:
    """Photons of N identical emitters at one place, all excited: exponential waits of mean 1/(k (N - k + 1))
    from k excitations, exactly."""
    k = np.arange(emitters, 0, -1.0)
    if emitters < 1 or pulses < 1 or not end > 0.0 or emitters * pulses > _MOST_PHOTONS:
        raise OptionError(
            f"{pulses} pulses of {emitters} emitters", allowed=f"1 and more, {_MOST_PHOTONS} photons in all"
        )
    times = np.cumsum(rng.standard_exponential((pulses, emitters)) / (k * (emitters - k + 1.0)), axis=1)
    pulse, which = np.nonzero(times < end)
    left = emitters - np.bincount(pulse, minlength=pulses)
    return Clicks(pulses, end, pulse, times[pulse, which], np.zeros(len(pulse), np.int64), left.astype(float))


def pulse_g2(clicks: Clicks) -> dict[str, float | None]:
    """Photons emitted of each pulse: mean <n>, pairs <n(n-1)>, g2 and its standard error over pulses; None
    where there is no light."""
    n = clicks.photons().astype(float)
    mean, pairs = float(n.mean()), float(np.mean(n * (n - 1.0)))
    if mean == 0.0:
        return {"mean": 0.0, "pairs": 0.0, "g2": None, "sigma": None}
    # first order in the deviations of both means
    apart = (n * (n - 1.0) - pairs) / mean**2 - 2.0 * pairs * (n - mean) / mean**3
    return {
        "mean": mean,
        "pairs": pairs,
        "g2": pairs / mean**2,
        "sigma": float(np.std(apart)) / math.sqrt(clicks.pulses),
    }


def pulse_delay_ns(period_ns: float, jitter_ns: float) -> float:
    """Time of the pulse after the sync, so that jitter brings no photon before it."""
    return min(max(_SIGMAS_BEFORE * jitter_ns, _LEAST_BEFORE_NS), _MOST_BEFORE * period_ns)


def stream_of_clicks(
    clicks: Clicks,
    *,
    lifetime_ns: float,
    period_ns: float,
    rng: np.random.Generator,
    tick_ns: float = 0.001,
    pulse_at_ns: float | None = None,
    efficiency: float = 1.0,
    detectors: Detectors | None = None,
    notes: tuple[str, ...] = (),
) -> PhotonStream:
    """The photons as a pulsed record (T3): each detected with `efficiency`, then seen by the detectors.

    lifetime_ns: 1/Gamma. period_ns: of the laser; photons that come later count to a later pulse, as in any
    record. tick_ns: bin of the nanotime. pulse_at_ns: after the sync (`pulse_delay_ns` if left out). The
    efficiency is the same for all photons: that of a lens depends on the mode (`instruments.aperture`).
    Detectors with a dead time count one photon a pulse each: g2 of bright pulses then tends to 1.
    """
    detectors = Detectors() if detectors is None else detectors
    numbers = {"lifetime": lifetime_ns, "period": period_ns, "tick": tick_ns}
    for name, value in numbers.items():
        if not (math.isfinite(value) and value > 0.0):
            raise OptionError(f"a {name} of {value:g} ns", allowed="above 0 ns")
    if not 0.0 < efficiency <= 1.0:
        raise OptionError(f"an efficiency of {efficiency:g}", allowed="above 0, at most 1")
    if period_ns / tick_ns > _MOST_BINS or period_ns < 10.0 * tick_ns:
        raise OptionError(
            f"nanotime bins of {tick_ns:g} ns in a period of {period_ns:g} ns", allowed="10 to 2^31 bins"
        )
    at = pulse_delay_ns(period_ns, detectors.jitter_ns) if pulse_at_ns is None else pulse_at_ns
    if not 0.0 <= at < period_ns:
        raise OptionError(f"a pulse {at:g} ns after the sync", allowed=f"0 to {period_ns:g} ns")
    duration_s = clicks.pulses * period_ns * 1e-9
    if sum(detectors.dark_cps) * duration_s + len(clicks.time) > _MOST_PHOTONS:
        raise OptionError("more photons than fit into memory", allowed=f"{_MOST_PHOTONS}, dark counts too")
    kept = clicks.light & (rng.random(len(clicks.time)) < efficiency)
    cell, fine, channel = recorded(
        clicks.pulse[kept].astype(np.int64), at + lifetime_ns * clicks.time[kept], clicks.pulses, period_ns,
        duration_s, detectors, rng,
    )  # fmt: skip
    return stream_of_arrays(
        cell, channel, macro_tick_ns=period_ns, duration_s=duration_s,
        nanotime=(fine / tick_ns).astype(np.int32), nanotime_bin_ns=tick_ns, sync_period_ns=period_ns,
        macro_is_sync=True, source=FileSource("photons of a burst", "", "simulation"),
        notes=("simulated", *notes),
    )  # fmt: skip


def clicks_record(clicks: Clicks) -> dict[str, Any]:
    """What was emitted, as plain JSON: the truth behind the record."""
    photons = int(np.count_nonzero(clicks.light))
    return {
        "pulses": clicks.pulses,
        "photons_per_pulse": pulse_g2(clicks)["mean"],
        "lost_per_pulse": (len(clicks.time) - photons) / clicks.pulses,
        "left_per_pulse": float(np.mean(clicks.left)),
        "g2_per_pulse": pulse_g2(clicks)["g2"],
        "g2_sigma": pulse_g2(clicks)["sigma"],
    }
