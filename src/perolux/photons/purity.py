"""How pure the light of one record is: g2(0) by its kind of light, in a gate, g3(0, 0), the biexciton's
yield.

The part of `analysis` about coincidences. Pulsed light: by pulse (`pulsed_g2`), gates (`time_gate`), triples
where three detectors saw light (`third_order`). Steady light, of T2 records without a sync or of T3 whose
nanotimes are flat: the dip of all coincidences (`continuous_g2`). What cannot be had is None with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError
from perolux.measured.photon_stream import PhotonStream
from perolux.photons.continuous_g2 import ContinuousG2, continuous_g2
from perolux.photons.correlation import PairHistogram, Sides, pairs
from perolux.photons.instrument_response import GaussianResponse, Response
from perolux.photons.pulsed_g2 import G2Zero, g2_by_pulse, pairs_by_pulse
from perolux.photons.third_order import G3Zero, g3_zero, triples_by_pulse
from perolux.photons.third_order_dark import dark_triples
from perolux.photons.time_gate import GatedYield, expected_gated_g2, g2_in_gate, gated_pairs, yield_by_gate
from perolux.progress import Progress, silent

__all__ = ["DecayTimes", "GatePoint", "Purity", "find_purity", "is_steady"]

FloatArray = npt.NDArray[np.float64]
_SIDE_PEAKS = 20
_WINDOW_PERIODS = 3.5
_FLAT_BINS = 40
_FLAT = 0.02
"""Contrast of the nanotimes below which light is steady: a lifetime of ten periods still has 0.029."""
_SCAN_POINTS = 12


@dataclass(frozen=True)
class DecayTimes:
    """What the decays say: pulse_ns and rise_ns of the histogram, lifetime_ns of the brightest level, late:
    chance that a photon comes after the next pulse."""

    pulse_ns: float
    rise_ns: float
    lifetime_ns: float | None
    late: float


@dataclass(frozen=True)
class GatePoint:
    """g2(0) of the photons from from_ns to to_ns after the sync."""

    from_ns: float
    to_ns: float
    g2: G2Zero

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "from_ns": self.from_ns,
            "to_ns": self.to_ns,
            "raw": self.g2.raw,
            "corrected": self.g2.corrected,
            "sigma": self.g2.sigma,
            "low95": self.g2.low95,
            "high95": self.g2.high95,
            "centre_counts": self.g2.centre,
            "side_counts": self.g2.side,
        }


@dataclass(frozen=True)
class Purity:
    """Coincidences of a record. exciton_ns: lifetime of the brightest level. reasons: of what is None, by
    name (g2_zero, gated, time_gate, g3_zero)."""

    coincidences: PairHistogram | None = None
    g2: G2Zero | None = None
    continuous: ContinuousG2 | None = None
    gated: GatePoint | None = None
    scan: tuple[GatePoint, ...] = ()
    gate_yield: GatedYield | None = None
    g3: G3Zero | None = None
    exciton_ns: float | None = None
    reasons: dict[str, str] = field(default_factory=dict)

    def g2_dict(self) -> dict[str, Any]:
        """`g2_zero` of --json."""
        found = self.g2 or self.continuous
        if found is None:
            empty = {"raw": None, "corrected": None, "sigma": None, "method": None}
            return empty | {"reason": self.reasons.get("g2_zero")}
        if isinstance(found, ContinuousG2):
            return found.as_dict()
        return {
            "raw": found.raw,
            "corrected": found.corrected,
            "sigma": found.sigma,
            "low95": found.low95,
            "high95": found.high95,
            "method": found.method,
            "centre_counts": found.centre,
            "side_counts": found.side,
            "side_peaks": found.side_peaks,
            "bunching": found.bunching,
            "biexciton_yield_over_exciton": found.corrected,
            "gated": self._gated_dict(),
            "notes": list(found.notes),
        }

    def cascade(self, start_ns: npt.ArrayLike) -> FloatArray | None:
        """g2(0) expected behind gates from start_ns on, of a cascade with the area's g2(0) and the lifetimes
        found; None where one of them is not known."""
        if self.g2 is None or self.gate_yield is None or self.exciton_ns is None:
            return None
        after = np.asarray(start_ns, dtype=float) - self.gate_yield.pulse_ns
        return expected_gated_g2(
            self.g2.corrected,
            np.maximum(after, 0.0),
            biexciton_ns=self.gate_yield.lifetime_ns,
            exciton_ns=self.exciton_ns,
        )

    def _gated_dict(self) -> dict[str, Any] | None:
        if self.gated is None:
            return {"reason": self.reasons["gated"]} if "gated" in self.reasons else None
        expected = self.cascade(self.gated.from_ns)
        return self.gated.as_dict() | {"expected_of_cascade": None if expected is None else float(expected)}

    def biexciton_dict(self) -> dict[str, Any]:
        """`biexciton` of --json: quantum yield over the exciton's, by area and by gate, each with its
        error."""
        names = ("yield_over_exciton", "sigma", "low95", "high95", "method")
        if self.g2 is None:
            steady = "steady light does not tell it: g2(0) then depends on the pump"
            reason = steady if self.continuous else self.reasons.get("g2_zero")
            return dict.fromkeys(names) | {"reason": reason}
        gate = (
            {"reason": self.reasons.get("time_gate")}
            if self.gate_yield is None
            else self.gate_yield.as_dict()
        )
        return {
            "yield_over_exciton": self.g2.corrected,
            "sigma": self.g2.sigma,
            "low95": self.g2.low95,
            "high95": self.g2.high95,
            "method": "area of the central peak over a side peak",
            "time_gate": gate,
            "holds": "at low power, for one nanocrystal: two emitters or background raise it",
        }

    def scan_list(self) -> list[dict[str, Any]]:
        """`time_gate_scan` of --json: g2(0) against the start of the gate; the points share photons."""
        return [one.as_dict() for one in self.scan]

    def g3_dict(self) -> dict[str, Any]:
        """`g3_zero` of --json."""
        if self.g3 is None:
            return {"value": None, "sigma": None, "reason": self.reasons.get("g3_zero")}
        return dict(self.g3.as_dict())


def is_steady(stream: PhotonStream) -> bool:
    """Whether the nanotimes of a T3 record are flat over the period, as under steady light; True for T2.

    Contrast: scatter of the counts in 40 parts of the period above Poisson's, over the mean. Steady is below
    0.02, where the counts are enough to tell (0.05 would show).
    """
    if stream.nanotime_bin_ns is None:
        return not stream.macro_is_sync
    if stream.sync_period_ns is None:
        return False
    bins = int(stream.sync_period_ns / stream.nanotime_bin_ns * (1 + 1e-9))
    wide = max(bins // _FLAT_BINS, 1)
    count = min(_FLAT_BINS, bins)
    found = np.zeros(count + 1)
    for photons in stream.chunks():
        if photons.nanotime is not None:
            found += np.bincount(np.minimum(photons.nanotime // wide, count), minlength=count + 1)
    inside = found[:count]
    mean = float(inside.mean())
    if count < 4 or mean <= 0:
        return False
    excess = float(inside.var(ddof=1)) - mean
    doubt = 3 * mean * np.sqrt(2 / (count - 1))  # three deviations of a Poisson variance
    return bool(max(excess, 0.0) <= doubt + (_FLAT * mean) ** 2 and doubt < (0.05 * mean) ** 2)


def find_purity(
    stream: PhotonStream,
    sides: Sides,
    *,
    steady: bool,
    dark_cps: tuple[float, float] = (0.0, 0.0),
    other_dark_cps: tuple[float, ...] = (),
    decay: DecayTimes | None = None,
    response: Response | None = None,
    gate_ns: tuple[float, float] | None = None,
    progress: Progress = silent,
) -> Purity:
    """All coincidences of a record. dark_cps: of sides A and B; other_dark_cps: of the channels beside them,
    in order, 0 where not told (for g3). decay: None where it has no nanotimes.

    Raises `OptionError` for dark counts above all counts, and a gate that does not fit the record.
    """
    if gate_ns is not None and (steady or stream.nanotime_bin_ns is None):
        raise OptionError(
            "steady light has no time after a pulse: no gate", where="--gate", fix="leave --gate out"
        )
    dark_of_channels = _by_channel(stream, sides, dark_cps, other_dark_cps)
    if steady:
        return _steady(stream, sides, dark_cps, response, progress)
    period = stream.sync_period_ns
    reasons: dict[str, str] = {}
    if period is None:
        reasons["g2_zero"] = "the period of the laser is not known (--sync-period)"
        width = max(0.5, stream.macro_tick_ns)
        histogram = pairs(stream, window_ns=200.0, width_ns=width, sides=sides, progress=progress)
        return Purity(histogram, reasons=_filled(reasons))
    width = max(period / 500, stream.nanotime_bin_ns or stream.macro_tick_ns)
    found = None
    if stream.nanotime_bin_ns is not None or stream.macro_tick_ns < period:
        found = pairs(
            stream, window_ns=_WINDOW_PERIODS * period, width_ns=width, sides=sides, progress=progress
        )
    if not stream.macro_is_sync:
        reasons["g2_zero"] = (
            "macro times do not count laser pulses: see the coincidences, or name the sync (--sync-channel)"
        )
        return Purity(found, reasons=_filled(reasons))
    late = 0.0 if decay is None or decay.late <= 1e-4 else decay.late
    try:
        counted = pairs_by_pulse(stream, most=_SIDE_PEAKS, sides=sides, progress=progress)
        g2 = g2_by_pulse(counted, dark_cps=dark_cps, period_ns=period, late=late)
    except OptionError as error:
        if error.problems[0].where == "--dark-cps":
            raise
        reasons["g2_zero"] = error.problems[0].what
        return Purity(found, reasons=_filled(reasons))
    gated = None
    if gate_ns is not None:
        gated = _gate(stream, gate_ns, dark_cps, late, sides, progress)
        if gated is None:
            reasons["gated"] = "no pairs of neighbouring pulses are left in the gate"
    scan: tuple[GatePoint, ...] = ()
    gate_yield = None
    if decay is None:
        reasons["time_gate"] = "the record has no nanotimes, or no decay was found"
    else:
        scan = _scan(stream, period, decay, dark_cps, late, sides, progress)
        gate_yield = _gate_yield(stream, decay, response, dark_cps, late, sides, reasons, progress)
    return Purity(
        coincidences=found,
        g2=g2,
        gated=gated,
        scan=scan,
        gate_yield=gate_yield,
        g3=_g3(stream, late, dark_of_channels, reasons, progress),
        exciton_ns=None if decay is None else decay.lifetime_ns,
        reasons=reasons,
    )


def _steady(
    stream: PhotonStream,
    sides: Sides,
    dark_cps: tuple[float, float],
    response: Response | None,
    progress: Progress,
) -> Purity:
    jitter = 2**0.5 * response.sigma_ns if isinstance(response, GaussianResponse) else 0.0
    try:
        fit = continuous_g2(stream, sides=sides, dark_cps=dark_cps, jitter_ns=jitter, progress=progress)
        return Purity(fit.coincidences, continuous=fit, reasons=_filled({}))
    except (OptionError, ConvergenceError) as error:
        if error.problems[0].where == "--dark-cps":
            raise
        reasons = {"g2_zero": error.problems[0].what}
    width = max(0.5, stream.macro_tick_ns if not stream.nanotime_bin_ns else stream.nanotime_bin_ns)
    window = max(200.0, 20 * width)
    histogram = pairs(stream, window_ns=window, width_ns=width, sides=sides, progress=progress)
    return Purity(histogram, reasons=_filled(reasons))


def _filled(reasons: dict[str, str]) -> dict[str, str]:
    """Reasons of what needs pulses, where there are none."""
    why = reasons.get("g2_zero", "the light is steady")
    return {"time_gate": why, "g3_zero": why} | reasons


def _gate(
    stream: PhotonStream,
    gate_ns: tuple[float, float],
    dark_cps: tuple[float, float],
    late: float,
    sides: Sides,
    progress: Progress,
) -> GatePoint | None:
    try:
        counted = gated_pairs(
            stream, [gate_ns[0]], stop_ns=gate_ns[1], most=_SIDE_PEAKS, skip=1 if late else 0, sides=sides,
            progress=progress,
        )  # fmt: skip
    except OptionError as error:
        first = error.problems[0]
        raise OptionError(first.what, where="--gate", allowed=first.allowed, fix=first.fix) from error
    (g2,) = g2_in_gate(counted, dark_cps=dark_cps, late=late)
    return None if g2 is None else GatePoint(float(counted.edges_ns[0]), float(counted.edges_ns[1]), g2)


def _scan(
    stream: PhotonStream,
    period: float,
    decay: DecayTimes,
    dark_cps: tuple[float, float],
    late: float,
    sides: Sides,
    progress: Progress,
) -> tuple[GatePoint, ...]:
    """Gates from the start of the period, then from the pulse on to three lifetimes."""
    bin_ns = stream.nanotime_bin_ns
    assert bin_ns is not None
    top = decay.pulse_ns + decay.rise_ns
    last = min(top + 3 * (decay.lifetime_ns or period / 10), 0.9 * period)
    starts = np.rint(np.linspace(top, last, _SCAN_POINTS) / bin_ns)
    starts = np.unique(np.append(0.0, starts[starts >= 0])) * bin_ns
    try:
        counted = gated_pairs(
            stream, starts, most=_SIDE_PEAKS, skip=1 if late else 0, sides=sides, progress=progress
        )
        found = g2_in_gate(counted, dark_cps=dark_cps, late=late)
    except OptionError:
        return ()  # g2 by pulse says what is wrong
    stop = float(counted.edges_ns[-1])
    return tuple(
        GatePoint(float(start), stop, one)
        for start, one in zip(counted.edges_ns[:-1], found, strict=True)
        if one is not None
    )


def _gate_yield(
    stream: PhotonStream,
    decay: DecayTimes,
    response: Response | None,
    dark_cps: tuple[float, float],
    late: float,
    sides: Sides,
    reasons: dict[str, str],
    progress: Progress,
) -> GatedYield | None:
    """From just behind the pulse on; the pulse and its width from the response where it is a Gaussian."""
    pulse, sigma, start = decay.pulse_ns, 0.0, decay.pulse_ns + decay.rise_ns
    if isinstance(response, GaussianResponse):
        pulse, sigma = response.centre_ns, response.sigma_ns
        start = max(start, pulse + 4 * sigma)
    try:
        return yield_by_gate(
            stream, start, pulse_ns=pulse, response_sigma_ns=sigma, dark_cps=dark_cps, late=late,
            most=_SIDE_PEAKS, sides=sides, progress=progress,
        )  # fmt: skip
    except (OptionError, ConvergenceError) as error:
        reasons["time_gate"] = error.problems[0].what
        return None


def _by_channel(
    stream: PhotonStream, sides: Sides, dark_cps: tuple[float, float], others: tuple[float, ...]
) -> tuple[float, ...]:
    """Dark counts of each channel; those of a side with several are dealt evenly."""
    found = {c: rate / len(side) for side, rate in zip(sides, dark_cps, strict=True) for c in side}
    rest = [c for c in stream.channels if c not in found]
    if len(others) > len(rest):
        raise OptionError(
            f"dark counts of {2 + len(others)} detectors for a record of {len(stream.channels)}",
            where="--dark-cps",
            allowed="those of A and B, then one rate for each other channel",
        )
    found |= dict(zip(rest, others, strict=False))
    return tuple(found.get(c, 0.0) for c in stream.channels)


def _g3(
    stream: PhotonStream,
    late: float,
    dark_cps: tuple[float, ...],
    reasons: dict[str, str],
    progress: Progress,
) -> G3Zero | None:
    if len(stream.channels) < 3:
        reasons["g3_zero"] = (
            f"{len(stream.channels)} detectors cannot give g3(0, 0): a detector is blind for a third photon; "
            "three are needed"
        )
        return None
    try:
        counted = triples_by_pulse(stream, progress=progress)
        dark = dark_triples(stream, counted, dark_cps, progress) if any(dark_cps) else None
        return g3_zero(counted, skip=1 if late else 0, dark=dark)
    except OptionError as error:
        if error.problems[0].where == "--dark-cps":
            raise
        reasons["g3_zero"] = error.problems[0].what
        return None
