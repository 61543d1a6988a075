"""Spectral diffusion of one nanocrystal from a series of spectra: what `perolux diffusion SERIES` shows.

Path of the line; the laws that could move it (static, white scatter, free walk, Ornstein-Uhlenbeck, jumps
between states) compared by their restricted likelihoods and BIC; squared shifts, their distribution, width
against exposure; and what two-photon interference would see of it:

    s^2 = 2 s1^2 (1 - exp(-dt/tc))          photons dt apart, spread of the difference of their frequencies

Every number comes with its interval, and what could not be had with its reason.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError, PeroluxError
from perolux.fitting.criteria import bic
from perolux.photons.diffusion_laws import (
    Observed,
    Profile,
    WanderFit,
    fit_static,
    fit_walk,
    fit_wander,
)
from perolux.photons.diffusion_photons import Correlation, PhotonLink, correlate, link_photons
from perolux.photons.diffusion_shifts import (
    ExposureWidths,
    JumpKernel,
    Shifts,
    jump_kernels,
    squared_shifts,
    width_against_exposure,
)
from perolux.photons.hom import visibility
from perolux.photons.line_jumps import MOST_STATES, JumpFit, fit_jumps
from perolux.photons.line_path import STATUSES, LinePath, fit_line_path
from perolux.photons.line_profile import LineModel
from perolux.photons.spectral_series import SpectralSeries
from perolux.progress import Progress, silent
from perolux.quantities.constants import constant

if TYPE_CHECKING:
    from perolux.photons.analysis import Analysis

__all__ = ["DELAYS_S", "LAWS", "Interference", "SpectralDiffusion", "analyse_diffusion", "expected_shift"]

FloatArray = npt.NDArray[np.float64]
HBAR_EV_PS = 1e12 * constant("planck_j_s") / (2 * math.pi) / constant("elementary_charge_c")
DELAYS_S = (1e-8, 1e-6, 1e-3, 1.0)
"""Delays of two photons for which the spread is told where nobody asks for others."""
LAWS = {
    "static": "a line that stands still",
    "white": "scatter beside the errors, faster than a frame",
    "walk": "a free walk",
    "wander": "Ornstein-Uhlenbeck",
    "jumps": "jumps between states",
}
_CLOSE = 6.0
"""Difference of BIC up to which a law is not excluded: about 20 to 1 (Kass and Raftery 1995, recalled)."""


@dataclass(frozen=True)
class Interference:
    """delay_s; spread_rad_per_ps: of the difference, with its interval; visibility at its ends (high: at
    the low spread); None with the reason. extrapolated: the delay is shorter than a frame."""

    delay_s: float
    spread_rad_per_ps: Profile
    visibility: float | None
    visibility_low: float | None
    visibility_high: float | None
    extrapolated: bool

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "delay_s": self.delay_s,
            "detuning_spread_rad_per_ps": self.spread_rad_per_ps.as_dict(),
            "visibility": self.visibility,
            "visibility_low95": self.visibility_low,
            "visibility_high95": self.visibility_high,
            "extrapolated": self.extrapolated,
        }


@dataclass(frozen=True, eq=False)
class SpectralDiffusion:
    """All that was found. laws: by name; states: jumps by number of states; best: name of the law of least
    BIC; bic: by name; missing: by name, why something is not there."""

    path: LinePath
    observed: Observed
    laws: dict[str, WanderFit]
    states: dict[int, JumpFit]
    jumps: JumpFit | None
    bic: dict[str, float]
    best: str
    shifts: Shifts | None
    kernels: tuple[JumpKernel, ...]
    exposures: ExposureWidths | None
    interference: tuple[Interference, ...]
    interference_note: str
    energy_against_light: Correlation
    photons: PhotonLink | None
    missing: dict[str, str]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def wander(self) -> tuple[float, float]:
        """s1 in eV and tc in s of the Ornstein-Uhlenbeck law, best values."""
        p = self.laws["wander"].parameters
        return p["spread_ev"].value, p["correlation_time_s"].value

    @property
    def not_excluded(self) -> tuple[str, ...]:
        """Laws whose BIC lies within 6 of the best, best first."""
        order = sorted(self.bic, key=lambda name: self.bic[name])
        return tuple(name for name in order if self.bic[name] - self.bic[order[0]] < _CLOSE)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, as `perolux diffusion --json` prints it."""
        path, series = self.path, self.path.series
        one = int(np.argmax(path.ok))
        return {
            "file": series.source,
            "sha256": series.sha256 or None,
            "frames": len(series),
            "exposure_s": series.exposure_s,
            "period_s": series.period_s,
            "frames_by_status": {s: path.status.count(s) for s in STATUSES},
            "line": {
                "shape": path.model.shape,
                "phonon_wing": path.model.wing,
                "instrument": path.model.instrument.note,
                "instrument_fwhm_ev": path.model.instrument.fwhm_ev or None,
                "coherence_time_at_least_ps": _least_t2(path),
                "width": "shared" if path.shared else "each frame",
                "fwhm_ev": float(path.fwhm_ev[one]) if path.shared else _or_none(np.nanmedian(path.fwhm_ev)),
                "fwhm_sigma_ev": _or_none(path.fwhm_sigma_ev[one]) if path.shared else None,
                "widths": None
                if path.widths is None
                else {k: _width_dict(path, k) for k in path.widths},
                "residual_variance_over_expected": path.noise_factor,
            },
            "noise": {
                "gain": series.noise.gain,
                "read_counts": series.noise.read_counts,
                "bias_counts": series.noise.bias_counts,
                "origin": series.noise.said,
            },
            "path": {
                "start_s": series.start_s.tolist(),
                "status": list(path.status),
                "centre_ev": _list(path.centre_ev),
                "centre_sigma_ev": _list(path.centre_sigma_ev),
                "area_counts": _list(path.area_counts),
                "area_sigma": _list(path.area_sigma),
                "background_counts": _list(path.background_counts),
                "fwhm_ev": None if path.shared else _list(path.fwhm_ev),
                "fwhm_sigma_ev": None if path.shared else _list(path.fwhm_sigma_ev),
            },
            "laws": [
                {
                    "law": name,
                    "words": LAWS[name],
                    "bic": self.bic[name],
                    **(self._jump_dict() if name == "jumps" else _law_dict(self.laws[name])),
                }
                for name in sorted(self.bic, key=lambda name: self.bic[name])
            ],
            "best": self.best,
            "not_excluded": list(self.not_excluded),
            "mean_squared_shift": self._shift_dict(),
            "kernels": [
                {
                    "lag_s": k.lag_s, "edges_ev": k.edges_ev.tolist(), "counts": k.counts.tolist(),
                    "deviation_ev": k.deviation_ev, "noise_ev": k.noise_ev, "excess_kurtosis": k.excess,
                    "excess_sigma": k.excess_sigma,
                }
                for k in self.kernels
            ],
            "width_against_exposure": self._exposure_dict(),
            "interference": {
                "note": self.interference_note,
                "delays": [one.as_dict() for one in self.interference],
                **({} if "visibility" not in self.missing else {"reason": self.missing["visibility"]}),
            },
            "energy_against_line_area": self.energy_against_light.as_dict(),
            "photons": None if self.photons is None else self.photons.as_dict(),
            "missing": self.missing,
            "assumptions": list(self.assumptions),
            "warnings": list(self.warnings),
        }  # fmt: skip

    def _jump_dict(self) -> dict[str, Any]:
        j = self.jumps
        assert j is not None
        return {
            "log_likelihood": j.log_likelihood,
            "free": j.free,
            "states": [
                {
                    "energy_ev": float(j.energy_ev[k]), "energy_sigma_ev": float(j.energy_sigma_ev[k]),
                    "share": float(j.share[k]), "dwell_s": float(j.dwell_s[k]),
                    "dwell_low95_s": j.dwell_interval_s[k][0], "dwell_high95_s": j.dwell_interval_s[k][1],
                }
                for k in range(len(j))
            ],
            "scatter_ev": j.scatter_ev,
            "jumps": j.jumps,
            "tried": {
                str(m): {
                    "log_likelihood": f.log_likelihood, "free": f.free,
                    "shortest_dwell_s": float(f.dwell_s.min()),
                }
                for m, f in self.states.items()
            },
        }  # fmt: skip

    def _shift_dict(self) -> dict[str, Any]:
        if self.shifts is None:
            return {"reason": self.missing["mean_squared_shift"]}
        s = self.shifts
        return {
            "lag_s": s.lag_s.tolist(),
            "shift_ev2": s.shift_ev2.tolist(),
            "sigma_ev2": s.sigma_ev2.tolist(),
            "noise_ev2": s.noise_ev2.tolist(),
            "pairs": s.pairs.tolist(),
            "independent_pairs": s.independent.tolist(),
            "wander_ev2": expected_shift(self, s.lag_s).tolist(),
        }

    def _exposure_dict(self) -> dict[str, Any]:
        if self.exposures is None:
            return {"reason": self.missing["width_against_exposure"]}
        e = self.exposures
        return {
            "exposure_s": e.exposure_s.tolist(),
            "added_variance_ev2": e.extra_ev2.tolist(),
            "sigma_ev2": e.sigma_ev2.tolist(),
            "from_path_ev2": e.path_ev2.tolist(),
            "wander_ev2": e.expected_ev2.tolist(),
            "fwhm_ev": e.fwhm_ev.tolist(),
            "sums": e.sums.tolist(),
        }


def expected_shift(found: SpectralDiffusion, lag_s: npt.ArrayLike) -> FloatArray:
    """Mean squared shift of two exposures that far apart by the Ornstein-Uhlenbeck law, eV^2."""
    from perolux.photons.diffusion_laws import mean_covariance, mean_variance

    s1, tc = found.wander
    exposure = found.path.series.exposure_s
    lag = np.asarray(lag_s, dtype=float)
    same = float(mean_variance(s1, tc, exposure))
    return np.asarray(2 * (same - mean_covariance(s1, tc, exposure, np.maximum(lag, exposure))))


def _least_t2(path: LinePath) -> float | None:
    """2 hbar over the width of the Lorentzian: what is left of the width may be more than dephasing."""
    gamma = None if path.widths is None else path.widths.get("gamma_ev")
    return None if gamma is None or gamma[1] is None else HBAR_EV_PS / gamma[0]


def _width_dict(path: LinePath, name: str) -> dict[str, Any]:
    """A shared width with its error; a Gaussian part that is not resolved with its upper limit."""
    assert path.widths is not None
    value, sigma = path.widths[name]
    found: dict[str, Any] = {"value": value, "sigma": sigma}
    square = path.gaussian_variance_sigma_ev2
    if name == "sigma_ev" and sigma is None and square is not None:
        found |= {"high95": math.sqrt(value**2 + 1.645 * square), "reason": "not resolved"}
    return found


def _or_none(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None


def _list(values: FloatArray) -> list[float | None]:
    return [_or_none(x) for x in values]


def _law_dict(fit: WanderFit) -> dict[str, Any]:
    return {
        "log_likelihood": fit.log_likelihood,
        "free": fit.free,
        "parameters": {name: p.as_dict() for name, p in fit.parameters.items()},
        "level_ev": fit.level_ev,
        "level_sigma_ev": fit.level_sigma_ev,
    }


def analyse_diffusion(
    series: SpectralSeries,
    model: LineModel | None = None,
    *,
    shared_width: bool = True,
    t1_ps: float | None = None,
    t2_ps: float | None = None,
    delays_s: Sequence[float] = DELAYS_S,
    beside: Analysis | None = None,
    offset_s: float = 0.0,
    progress: Progress = silent,
) -> SpectralDiffusion:
    """Everything about the line of a series.

    model: Voigt without an instrument function if left out. t1_ps, t2_ps: lifetime and coherence time without
    diffusion, for the visibility at delays_s. beside: analysis of the photons recorded meanwhile, whose clock
    shows offset_s at time 0 of the spectra.

    Raises `ModelRangeError` where fewer than three frames show a line, and the errors of the parts.
    """
    model = LineModel("voigt") if model is None else model
    if any(not (math.isfinite(d) and d >= 0) for d in delays_s):
        raise OptionError("a delay of two photons below 0", where="--delays-s", allowed="0 s or more")
    if (t1_ps is None) != (t2_ps is None):
        raise OptionError("one of T1 and T2", where="--t1-ps, --t2-ps", allowed="both, or neither")
    if t1_ps is not None and t2_ps is not None:
        visibility(t1_ps, t2_ps)  # its checks, before the work
    path = fit_line_path(series, model, shared_width=shared_width, progress=progress)
    series, ok = path.series, path.ok
    observed = Observed(series.start_s[ok], path.centre_ev[ok], path.centre_sigma_ev[ok], series.exposure_s)
    missing: dict[str, str] = {}
    warnings = [*series.warnings, *path.warnings]
    still, white = fit_static(observed)
    wander, by_delay = fit_wander(observed, lags_s=[d for d in delays_s if d > 0])
    laws = {"static": still, "white": white, "walk": fit_walk(observed), "wander": wander}
    n = len(observed)
    scores = {name: bic(-2 * fit.log_likelihood, fit.free, n) for name, fit in laws.items()}
    states, jumps = _chains(series, observed, missing, warnings)
    if jumps is not None:
        scores["jumps"] = bic(-2 * jumps.log_likelihood, jumps.free, n)
    best = min(scores, key=lambda name: scores[name])
    s1, tc = wander.parameters["spread_ev"].value, wander.parameters["correlation_time_s"].value
    shifts = None
    if series.regular:
        shifts = squared_shifts(observed, series.period_s, wander=(s1, tc))
    else:
        missing["mean_squared_shift"] = "exposures are not whole periods apart"
    exposures = width_against_exposure(path, wander=(s1, tc))
    if exposures is None:
        missing["width_against_exposure"] = (
            "the width is fitted in each frame"
            if not shared_width
            else "a phonon wing is fitted"
            if model.wing
            else "exposures are not whole periods apart, or too few frames with a line follow one another"
        )
    open_below = wander.parameters["correlation_time_s"].low is None
    interference, note = _interference(
        delays_s, by_delay, t1_ps, t2_ps, best, series.exposure_s, open_below, missing
    )
    link = None
    if beside is not None:
        from perolux.photons.correlation import two_sides

        try:
            sides = two_sides(beside.stream, beside.settings.sides)
            channels: tuple[int, ...] | None = (*sides[0], *sides[1])
        except PeroluxError:
            channels = None
        link = link_photons(
            path, beside.stream, beside.segments, beside.levels, offset_s=offset_s, channels=channels,
            wander=(s1, tc),
        )  # fmt: skip
        warnings += link.warnings
    lost = {s: path.status.count(s) for s in STATUSES if s != "ok" and path.status.count(s)}
    for name, count in lost.items():
        warnings.append(f"{count} of {len(series)} frames do not count: {STATUSES[name]}")
    assumed = list(series.assumptions)
    assumed.append(path.model.instrument.note)
    if link is not None and offset_s == 0.0:
        assumed.append("both clocks start together (--spectra-offset-s)")
    return SpectralDiffusion(
        path=path,
        observed=observed,
        laws=laws,
        states=states,
        jumps=jumps,
        bic=scores,
        best=best,
        shifts=shifts,
        kernels=() if shifts is None else tuple(jump_kernels(observed, series.period_s, shifts)),
        exposures=exposures,
        interference=interference,
        interference_note=note,
        energy_against_light=correlate(path.centre_ev[ok], path.area_counts[ok]),
        photons=link,
        missing=missing,
        assumptions=tuple(assumed),
        warnings=tuple(warnings),
    )


def _chains(
    series: SpectralSeries, observed: Observed, missing: dict[str, str], warnings: list[str]
) -> tuple[dict[int, JumpFit], JumpFit | None]:
    """Chains of 2 to 5 states; the one of least BIC whose dwells last at least three frames."""
    states: dict[int, JumpFit] = {}
    if not series.regular:
        missing["jumps"] = "exposures are not whole periods apart: no chain of jumps"
        return states, None
    last = math.inf
    for m in range(2, MOST_STATES + 1):
        try:
            fit = fit_jumps(observed, series.period_s, m)
        except OptionError as error:
            missing.setdefault("jumps", error.problems[0].what)
            break
        states[m] = fit
        score = bic(-2 * fit.log_likelihood, fit.free, len(observed))
        if score > last + _CLOSE:
            break
        last = min(last, score)
    lasting = {m: fit for m, fit in states.items() if not fit.warnings}
    chosen = lasting or states
    if not chosen:
        return states, None
    missing.pop("jumps", None)
    best = min(chosen, key=lambda m: bic(-2 * chosen[m].log_likelihood, chosen[m].free, len(observed)))
    warnings += [f"jumps: {text}" for text in chosen[best].warnings]
    if best == MOST_STATES:
        warnings.append(
            f"{MOST_STATES} states were the most tried and the criterion would take more: states are a "
            "description, the line may wander"
        )
    return states, chosen[best]


def _interference(
    delays_s: Sequence[float],
    by_delay: list[Profile],
    t1_ps: float | None,
    t2_ps: float | None,
    best: str,
    exposure_s: float,
    open_below: bool,
    missing: dict[str, str],
) -> tuple[tuple[Interference, ...], str]:
    if t1_ps is None or t2_ps is None:
        missing["visibility"] = "lifetime and coherence time are not given (--t1-ps, --t2-ps)"
    found = []
    ahead = iter(by_delay)
    for delay in delays_s:
        shift = next(ahead) if delay > 0 else Profile(0.0, 0.0, 0.0)
        if open_below and 0 < delay < exposure_s:
            # A correlation time shorter than those searched would make early shifts larger still.
            reason = "the series does not bound the correlation time from below: motion may be faster"
            shift = Profile(shift.value, shift.low, None, shift.level, reason)
        low, value, high = (
            None if x is None else x / HBAR_EV_PS for x in (shift.low, shift.value, shift.high)
        )
        assert value is not None
        seen: list[float | None] = [None, None, None]
        if t1_ps is not None and t2_ps is not None:
            seen = [
                None if s is None else float(visibility(t1_ps, t2_ps, detuning_spread_rad_per_ps=s))
                for s in (value, high, 0.0 if low is None else low)
            ]
        spread = Profile(value, low, high, shift.level, shift.reason)
        found.append(Interference(delay, spread, seen[0], seen[1], seen[2], delay < exposure_s))
    told = {
        "jumps": "jumps describe the series best: the spread is right as a root mean square, the visibility "
        "of a normal spread is not that of jumps",
        "static": "no motion is seen: the spread is what the errors allow",
        "white": "the motion is faster than a frame: the spread at short delays is not known",
    }.get(best, "s^2 = 2 s1^2 (1 - exp(-dt/tc))")
    return tuple(found), f"{told}; delays shorter than a frame are extrapolated by the law"
