"""Spectra beside the photons of the same nanocrystal: energy against intensity, spectra of each level.

Times of the spectra are moved by a stated offset onto the clock of the photons. A correlation of two series
that remember themselves has fewer independent pairs than frames:

    n' = n/(1 + 2 sum_k a_k b_k)        a_k, b_k: autocorrelations at k frames (Bartlett, standard form)

and its interval is that of n' pairs (Fisher's z). The centre of the line in a level is the mean over its
frames; that means of a wandering line differ by chance is in the error, by the covariance of the law.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError, PeroluxError
from perolux.measured.photon_stream import PhotonStream
from perolux.photons.change_points import Segments
from perolux.photons.diffusion_laws import Observed, dense_covariance
from perolux.photons.levels import Levels
from perolux.photons.line_path import LinePath, fit_line_path

__all__ = ["Correlation", "LevelLine", "PhotonLink", "correlate", "link_photons"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
_LEVEL_SHARE = 0.9
_FEWEST_FRAMES = 5
_ROWS = 1000


@dataclass(frozen=True)
class Correlation:
    """Pearson's r of two series with its 95 % interval; None with the reason. frames: pairs; independent:
    n'."""

    r: float | None
    low95: float | None
    high95: float | None
    frames: int
    independent: float | None
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        found: dict[str, Any] = {
            "r": self.r, "low95": self.low95, "high95": self.high95, "frames": self.frames,
            "independent": self.independent,
        }  # fmt: skip
        return found | ({} if self.reason is None else {"reason": self.reason})


@dataclass(frozen=True, eq=False)
class LevelLine:
    """The line in one level: frames that lie in it for 90 % of their time or more; rate_cps of the level;
    centre_ev, shift_ev (from that of the brightest level with a line) and errors; fwhm_ev, fwhm_sigma_ev of a
    fit to these frames alone; spectrum: mean counts a frame, (pixels,)."""

    level: int
    rate_cps: float
    frames: int
    bright_frames: int
    centre_ev: float | None
    centre_sigma_ev: float | None
    shift_ev: float | None
    shift_sigma_ev: float | None
    fwhm_ev: float | None
    fwhm_sigma_ev: float | None
    area_counts: float | None
    spectrum: FloatArray
    reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON, without the spectrum."""
        names = (
            "level", "rate_cps", "frames", "bright_frames", "centre_ev", "centre_sigma_ev", "shift_ev",
            "shift_sigma_ev", "fwhm_ev", "fwhm_sigma_ev", "area_counts",
        )  # fmt: skip
        found = {name: getattr(self, name) for name in names} | {"level": self.level + 1}
        return found | ({} if self.reason is None else {"reason": self.reason})


@dataclass(frozen=True, eq=False)
class PhotonLink:
    """offset_s: added to the times of the spectra; inside: frames wholly within the record of photons;
    rate_cps: (frames,), NaN elsewhere; energy, width, brightness: correlations with the rate of photons."""

    offset_s: float
    inside: BoolArray
    rate_cps: FloatArray
    energy: Correlation
    brightness: Correlation
    levels: tuple[LevelLine, ...]
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "offset_s": self.offset_s,
            "frames_inside": int(self.inside.sum()),
            "rate_cps": [None if not math.isfinite(x) else float(x) for x in self.rate_cps],
            "energy_against_rate": self.energy.as_dict(),
            "line_area_against_rate": self.brightness.as_dict(),
            "levels": [one.as_dict() for one in self.levels],
            "warnings": list(self.warnings),
        }


def correlate(x: npt.ArrayLike, y: npt.ArrayLike) -> Correlation:
    """Correlation of two series in order of time, (n,) each, with the memory of both in its interval.

    >>> rng = np.random.default_rng(0)
    >>> found = correlate(rng.normal(size=500), rng.normal(size=500))
    >>> found.low95 < 0 < found.high95
    True
    """
    from statistics import NormalDist

    a, b = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    n = len(a)
    if n < 8:
        return Correlation(None, None, None, n, None, f"{n} frames are too few")
    if a.std() == 0 or b.std() == 0:
        return Correlation(None, None, None, n, None, "one of the two does not change")
    a, b = (a - a.mean()) / a.std(), (b - b.mean()) / b.std()
    r = float(np.mean(a * b))
    memory = 0.0
    for k in range(1, n // 3):
        both = float(np.sum(a[k:] * a[:-k]) * np.sum(b[k:] * b[:-k])) / n**2
        if both <= 0:  # the rest is noise
            break
        memory += both
    free = n / (1 + 2 * memory)
    if free <= 4:
        return Correlation(r, None, None, n, free, "both change so slowly that no interval follows")
    half = NormalDist().inv_cdf(0.975) / math.sqrt(free - 3)
    z = math.atanh(max(min(r, 1 - 1e-12), -1 + 1e-12))
    return Correlation(r, math.tanh(z - half), math.tanh(z + half), n, free)


def link_photons(
    path: LinePath,
    stream: PhotonStream,
    segments: Segments,
    levels: Levels,
    *,
    offset_s: float = 0.0,
    channels: tuple[int, ...] | None = None,
    wander: tuple[float, float] | None = None,
    walk: float | None = None,
) -> PhotonLink:
    """Rate of photons in every exposure, its correlation with the line, and the line in every level.

    offset_s: what the clock of the photons shows when that of the spectra shows 0. channels: those of the
    segments; all otherwise. wander, walk: law of the line, for the errors of level means.

    Raises `OptionError` where no exposure lies within the record of photons.
    """
    series = path.series
    start, stop = series.start_s + offset_s, series.start_s + offset_s + series.exposure_s
    # 1e-6: rounding of written times
    slack = 1e-6 * series.exposure_s
    inside = (start >= -slack) & (stop <= stream.duration_s + slack)
    if not inside.any():
        raise OptionError(
            f"the spectra last from {start[0]:.6g} to {stop[-1]:.6g} s of the photons' clock, the photons "
            f"from 0 to {stream.duration_s:.6g} s",
            where="--spectra-offset-s",
            allowed="times that overlap",
            fix="give the reading of the photons' clock at time 0 of the spectra",
        )
    warnings = []
    if not inside.all():
        warnings.append(
            f"{int((~inside).sum())} of {len(start)} spectra lie outside the record of photons and do "
            "not count"
        )
    rate = np.where(inside, _counts(stream, start, stop, channels) / series.exposure_s, np.nan)
    bright = path.ok & inside
    energy = correlate(path.centre_ev[bright], rate[bright])
    light = correlate(path.area_counts[inside], rate[inside])
    counts = rate[inside] * series.exposure_s
    blinks = float(np.var(counts)) > 4 * float(np.mean(counts))
    if blinks and light.low95 is not None and light.low95 <= 0:
        warnings.append(
            "the rate of photons changes and the light of the line does not follow: is "
            "--spectra-offset-s right?"
        )
    share = _level_shares(segments, levels, start, stop)
    rows = _levels(path, inside, share, levels, wander, walk)
    return PhotonLink(offset_s, inside, rate, energy, light, rows, tuple(warnings))


def _counts(
    stream: PhotonStream, start: FloatArray, stop: FloatArray, channels: tuple[int, ...] | None
) -> FloatArray:
    tick = stream.macro_tick_ns * 1e-9
    total = np.zeros(len(start))
    for photons in stream.chunks():
        kept = photons if channels is None else photons.only(np.isin(photons.channel, channels))
        time = kept.macro * tick
        total += np.searchsorted(time, stop) - np.searchsorted(time, start)
    return total


def _level_shares(segments: Segments, levels: Levels, start: FloatArray, stop: FloatArray) -> FloatArray:
    """Share of each exposure that lies in each level, (frames, levels)."""
    edges = np.append(segments.start_s, segments.stop_s[-1])
    found = np.zeros((len(start), len(levels)))
    for m in range(len(levels)):
        time = np.concatenate([[0.0], np.cumsum((levels.of_segment == m) * segments.duration_s)])
        found[:, m] = np.interp(stop, edges, time) - np.interp(start, edges, time)
    return found / (stop - start)[:, None]


def _levels(
    path: LinePath,
    inside: BoolArray,
    share: FloatArray,
    levels: Levels,
    wander: tuple[float, float] | None,
    walk: float | None,
) -> tuple[LevelLine, ...]:
    from dataclasses import replace

    rows: list[LevelLine] = []
    weights: dict[int, FloatArray] = {}
    ok = np.flatnonzero(path.ok)
    observed = Observed(
        path.series.start_s[ok], path.centre_ev[ok], path.centre_sigma_ev[ok], path.series.exposure_s
    )
    for m in range(len(levels)):
        belongs = inside & (share[:, m] >= _LEVEL_SHARE)
        frames = int(belongs.sum())
        here = belongs[ok]
        spectrum = (
            path.series.counts[belongs].mean(axis=0) if frames else np.zeros(len(path.series.energy_ev))
        )
        area = float(path.area_counts[belongs].mean()) if frames else None
        empty = LevelLine(
            m, float(levels.rate_cps[m]), frames, int(here.sum()), *(None,) * 6, area, spectrum,
            f"{int(here.sum())} frames with a line lie in this level ({_FEWEST_FRAMES} needed)",
        )  # fmt: skip
        if here.sum() < _FEWEST_FRAMES:
            rows.append(empty)
            continue
        weights[m] = here / here.sum()
        centre = float(weights[m] @ observed.centre_ev)
        sigma = math.sqrt(_quadratic(observed, weights[m], wander, walk))
        fwhm, fwhm_sigma, reason = None, None, None
        try:
            cut = np.flatnonzero(belongs)
            part = replace(
                path.series, counts=path.series.counts[cut], start_s=path.series.start_s[cut],
                noise=replace(path.series.noise, said="given"),
            )  # fmt: skip
            again = fit_line_path(part, path.model)
            first = int(np.argmax(again.ok))
            fwhm, error = float(again.fwhm_ev[first]), float(again.fwhm_sigma_ev[first])
            fwhm_sigma = error if math.isfinite(error) else None
        except PeroluxError as problem:
            reason = f"no width: {problem.problems[0].what}"
        rows.append(
            LevelLine(
                m, float(levels.rate_cps[m]), frames, int(here.sum()), centre, sigma, None, None, fwhm,
                fwhm_sigma, area, spectrum, reason,
            )
        )  # fmt: skip
    if weights:
        top = max(weights)
        for m, weight in weights.items():
            if m != top:
                difference = weight - weights[top]
                sigma = math.sqrt(_quadratic(observed, difference, wander, walk))
                shift = float(difference @ observed.centre_ev)
                rows[m] = replace(rows[m], shift_ev=shift, shift_sigma_ev=sigma)
    return tuple(rows)


def _quadratic(
    observed: Observed, weight: FloatArray, wander: tuple[float, float] | None, walk: float | None
) -> float:
    """w C w with C the covariance of the centres; frames without weight are left out."""
    kept = np.flatnonzero(weight)
    w = weight[kept]
    total = 0.0
    # rows of C in pieces: two pieces at a time make one small dense matrix
    pieces = [kept[k : k + _ROWS] for k in range(0, len(kept), _ROWS)]
    for i, one in enumerate(pieces):
        for j, other in enumerate(pieces[: i + 1]):
            index = one if i == j else np.sort(np.concatenate([one, other]))
            part = Observed(
                observed.start_s[index], observed.centre_ev[index], observed.sigma_ev[index],
                observed.exposure_s,
            )  # fmt: skip
            covariance = dense_covariance(part, wander=wander, walk=walk)
            if i == j:
                total += float(w[i * _ROWS : (i + 1) * _ROWS] @ covariance @ w[i * _ROWS : (i + 1) * _ROWS])
            else:
                left, right = np.isin(index, one), np.isin(index, other)
                block = covariance[np.ix_(left, right)]
                total += 2 * float(weight[index[left]] @ block @ weight[index[right]])
    return max(total, 0.0)
