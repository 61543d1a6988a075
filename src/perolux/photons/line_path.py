"""Path of an emission line: centre, width and brightness in every exposure of a series, with errors.

    m_i = A L(E_i - c) dE_i + b                    expected counts of pixel i
    maximise  sum_i n'_i ln m'_i - m'_i,           n' = n/g + (r/g)^2,  m' = m/g + (r/g)^2

g is the gain and r the read noise: the shifted Poisson likelihood, exact for Poisson counts (g = 1, r = 0)
and of the right variance g m + r^2 for any (Huang et al., Nature Methods 10, 653 (2013), recalled). Centre,
area and background are free in each frame; widths are shared by all frames, or free in each. Fisher scoring;
errors from the Fisher matrix. A frame counts as dark where the line gains too little likelihood for the
number of places where it could have stood.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, ModelRangeError, OptionError
from perolux.photons.line_profile import LineModel, line_profile, voigt_fwhm
from perolux.photons.spectral_series import DetectorNoise, SpectralSeries
from perolux.progress import Progress, silent
from perolux.quantities.constants import FWHM_PER_SIGMA

__all__ = ["DARK_FALSE_ALARM", "STATUSES", "LinePath", "fit_line_path", "fit_shared_width"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

STATUSES = {
    "ok": "a line with a centre",
    "dark": "no line stands above the background",
    "edge": "the line lies at an end of the recorded range",
    "outlier": "a pixel far above the line: a cosmic ray, or two lines in one exposure",
    "failed": "the fit did not settle",
}
"""What a frame can be; only "ok" ones give centres to the analysis."""
DARK_FALSE_ALARM = 1e-3
"""Share of frames without light that pass for bright ones."""
_OUTLIER_FALSE_ALARM = 1e-4
_ROUNDS = 60
_SHARED_ROUNDS = 40
_CHUNK = 1_500_000
_SETTLED = 1e-3
"""Step in units of the error at which a frame has settled."""


@dataclass(frozen=True, eq=False)
class LinePath:
    """The line in every frame. Arrays are (frames,); NaN where `status` is not "ok" in centres and widths.

    centre_ev, centre_sigma_ev; area_counts, area_sigma: of the line; background_counts: a pixel; gain_lnl:
    log-likelihood that the line brings; fwhm_ev, fwhm_sigma_ev: of the line, instrument taken off (the same
    in every frame where shared). widths: by name, with errors, of the shared fit (None where in each frame);
    a Gaussian part that is not resolved has no error of its own, but gaussian_variance_sigma_ev2, that of its
    square.
    noise_factor: mean square of the residuals over the variance expected.
    """

    series: SpectralSeries
    model: LineModel
    shared: bool
    centre_ev: FloatArray
    centre_sigma_ev: FloatArray
    area_counts: FloatArray
    area_sigma: FloatArray
    background_counts: FloatArray
    gain_lnl: FloatArray
    status: tuple[str, ...]
    fwhm_ev: FloatArray
    fwhm_sigma_ev: FloatArray
    widths: dict[str, tuple[float, float | None]] | None
    noise_factor: float
    gaussian_variance_sigma_ev2: float | None = None
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> BoolArray:
        """Frames whose centre counts."""
        return np.array([s == "ok" for s in self.status])


@dataclass
class _Frames:
    """State of the fits of all frames: parameters (frames, k) = centre, area, background (+ widths)."""

    p: FloatArray
    lnl: FloatArray
    error: FloatArray
    settled: BoolArray


def fit_line_path(
    series: SpectralSeries,
    model: LineModel | None = None,
    *,
    shared_width: bool = True,
    progress: Progress = silent,
) -> LinePath:
    """Fit the line in every frame. Raises `ModelRangeError` where fewer than three frames show a line."""
    model = LineModel() if model is None else model
    middle = float(np.median(series.energy_ev))
    model = replace(model, instrument=model.instrument.at(middle))
    if series.noise.said == "estimated":
        series = _with_estimated_noise(series, model)
    frames, widths = _start(series, model)
    frames = _fit_frames(series, model, widths, frames)
    if not shared_width and model.wing:
        raise OptionError("a wing in every frame", where="--per-frame-width", fix="share the width")
    bright = _bright(series, frames)
    if bright.sum() < 3:
        raise ModelRangeError(
            f"{int(bright.sum())} of {len(series)} frames show a line",
            where=series.source,
            allowed="three or more",
            fix="sum exposures, or give --range-ev around the line",
        )
    progress.start("line", 3)
    widths, covariance = fit_shared_width(series, model, widths, frames, bright)
    progress.advance()
    frames = _fit_frames(series, model, widths, frames)
    progress.advance()
    warnings: list[str] = []
    each = None
    if not shared_width:
        wide = np.tile(widths, (len(series), 1))
        each = _fit_frames(series, model, None, _moved(frames, np.hstack([frames.p, wide])))
    final = frames if each is None else each
    progress.advance()
    progress.finish()
    return _judged(series, model, shared_width, final, widths, covariance, warnings)


def _moved(frames: _Frames, p: FloatArray) -> _Frames:
    """The state with other parameters, not settled."""
    return _Frames(p, frames.lnl.copy(), frames.error.copy(), np.zeros(len(p), dtype=bool))


def _floor(series: SpectralSeries) -> float:
    """Least background: a hundredth of an electron over the whole frame, above what keeps m' positive."""
    n = series.noise
    return -n.gain * n.pedestal + 0.01 * n.gain / len(series.energy_ev)


def _expected(
    series: SpectralSeries, model: LineModel, p: FloatArray, widths: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    """Counts expected (frames, n) and derivatives (frames, k, n) by centre, area, background, widths."""
    x = series.energy_ev[None, :] - p[:, :1]
    if widths is None:
        w = [p[:, 3 + j, None] for j in range(len(model.names))]
        value, slope, by_width = line_profile(model, np.stack(w), x)
    else:
        value, slope, by_width = line_profile(model, widths, x)
    de, area = series.pixel_ev, p[:, 1:2]
    parts = [-area * slope * de, value * de, np.ones_like(value)]
    parts += [area * one * de for one in by_width]
    return area * value * de + p[:, 2:3], np.stack(parts, axis=1)


def _score(
    counts: FloatArray, noise: DetectorNoise, mean: FloatArray, slopes: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Gradient (frames, k) and Fisher matrix (frames, k, k) of the shifted Poisson likelihood."""
    g = noise.gain
    variance = g * (mean + g * noise.pedestal)
    gradient = np.einsum("fkn,fn->fk", slopes, (counts - mean) / variance)
    fisher = np.einsum("fkn,fln->fkl", slopes / variance[:, None, :], slopes)
    return gradient, fisher


def _gain(counts: FloatArray, noise: DetectorNoise, new: FloatArray, old: FloatArray) -> FloatArray:
    """ln L(new) - ln L(old) of each frame, without cancellation."""
    g, shift = noise.gain, noise.gain * noise.pedestal
    n, a, b = (counts + shift) / g, (new + shift) / g, (old + shift) / g
    return np.asarray(np.sum(n * np.log1p((a - b) / b) - (a - b), axis=-1))


def _fit_frames(
    series: SpectralSeries,
    model: LineModel,
    widths: FloatArray | None,
    frames: _Frames,
    rounds: int = _ROUNDS,
) -> _Frames:
    """Damped Fisher scoring of every frame by itself, all frames at once."""
    size = max(1, _CHUNK // (len(series.energy_ev) * frames.p.shape[1]))
    p, error = frames.p.copy(), np.full_like(frames.p, np.nan)
    settled, lnl = np.zeros(len(p), dtype=bool), frames.lnl.copy()
    low = np.full(p.shape[1], -np.inf)
    low[1], low[2] = 0.0, _floor(series)
    high = np.full(p.shape[1], np.inf)
    low[0], high[0] = series.energy_ev[0], series.energy_ev[-1]
    pixel = float(np.median(series.pixel_ev))
    low[3:] = 1e-3 * pixel
    high[3:] = series.energy_ev[-1] - series.energy_ev[0]
    for first in range(0, len(p), size):
        part = slice(first, min(first + size, len(p)))
        counts = series.counts[part]
        q = np.clip(p[part], low, high)
        damping = np.full(len(q), 1e-3)
        done = np.zeros(len(q), dtype=bool)
        mean, slopes = _expected(series, model, q, widths)
        if widths is not None:
            slopes = slopes[:, :3]
        for _ in range(rounds):
            live = np.flatnonzero(~done)
            if not live.size:
                break
            gradient, fisher = _score(counts[live], series.noise, mean[live], slopes[live])
            scale = np.sqrt(np.maximum(np.einsum("fkk->fk", fisher), 1e-300))
            # what rests on a bound and is pushed outwards stays there
            held = ((q[live] <= low) & (gradient < 0)) | ((q[live] >= high) & (gradient > 0))
            matrix = fisher / (scale[:, :, None] * scale[:, None, :])
            matrix[held, :] = 0.0
            matrix.transpose(0, 2, 1)[held] = 0.0
            k = np.arange(q.shape[1])
            matrix[:, k, k] += damping[live, None]
            matrix[:, k, k] = np.where(held, 1.0, matrix[:, k, k])
            step = np.linalg.solve(matrix, np.where(held, 0.0, gradient / scale)[..., None])[..., 0]
            trial = np.clip(q[live] + step / scale, low, high)
            new_mean, new_slopes = _expected(series, model, trial, widths)
            gain = _gain(counts[live], series.noise, new_mean, mean[live])
            better = gain >= -1e-12
            small = np.max(np.abs(np.where(held, 0.0, step)), axis=1) < _SETTLED
            took = live[better]
            q[took] = trial[better]
            mean[took] = new_mean[better]
            slopes[took] = new_slopes[better][:, : slopes.shape[1]]
            lnl[part][took] += gain[better]
            damping[took] = np.maximum(damping[took] * 0.2, 1e-9)
            damping[live[~better]] *= 6.0
            done[live[small & better]] = True
            done[damping > 1e10] = True
            settled[first + live[small & better]] = True
        _, fisher = _score(counts, series.noise, mean, slopes)
        p[part] = q
        error[part] = _errors(fisher, q, low, high)
    return _Frames(p, lnl, error, settled)


def _errors(fisher: FloatArray, p: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Standard errors of each frame; a parameter on its bound is held, and has none."""
    scale = np.sqrt(np.maximum(np.einsum("fkk->fk", fisher), 1e-300))
    matrix = fisher / (scale[:, :, None] * scale[:, None, :])
    held = (p <= low) | (p >= high)
    matrix[held, :] = 0.0
    matrix.transpose(0, 2, 1)[held] = 0.0
    k = np.arange(p.shape[1])
    matrix[:, k, k] = np.where(held, 1.0, matrix[:, k, k] + 1e-12)
    variance = np.einsum("fkk->fk", np.linalg.inv(matrix))
    return np.where(held | (variance <= 0), np.nan, np.sqrt(np.abs(variance)) / scale)


def _start(series: SpectralSeries, model: LineModel) -> tuple[_Frames, FloatArray]:
    """First centres by a matched filter at every pixel, and the width that serves all frames best."""
    counts, noise = series.counts, series.noise
    background = max(float(np.median(counts.mean(axis=0))), _floor(series) + 0.1 * noise.gain)
    variance = noise.gain * (background + noise.gain * noise.pedestal)
    pixel = float(np.median(series.pixel_ev))
    x = series.energy_ev[:, None] - series.energy_ev[None, :]
    span = float(series.energy_ev[-1] - series.energy_ev[0])
    best, found = -math.inf, None
    for scale in (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0):
        if scale * pixel > 0.1 * span and best > -math.inf:
            break
        widths = _first_widths(model, scale * pixel)
        template = line_profile(model, widths, x)[0] * series.pixel_ev[:, None]
        template = template - template.mean(axis=0)  # blind to the background
        square = np.sum(template**2, axis=0)
        overlap = (counts - counts.mean(axis=1, keepdims=True)) @ template
        gain = np.where(overlap > 0, overlap**2, 0.0) / square / variance
        total = float(gain.max(axis=1).sum())
        if total > best:
            place = gain.argmax(axis=1)
            area = np.maximum(overlap[np.arange(len(counts)), place] / square[place], 0.1 * noise.gain)
            best, found = total, (series.energy_ev[place], area, widths)
    assert found is not None
    level = np.maximum(np.full(len(counts), background), _floor(series) + 0.01 * noise.gain)
    p = np.column_stack([found[0], found[1], level])
    frames = len(counts)
    state = _Frames(p, np.zeros(frames), np.full_like(p, np.nan), np.zeros(frames, dtype=bool))
    return state, found[2]


def _first_widths(model: LineModel, size_ev: float) -> FloatArray:
    first = {
        "gamma_ev": 0.5 * size_ev, "sigma_ev": 0.5 * size_ev, "wing_share": 0.1,
        "wing_shift_ev": 5.0 * size_ev, "wing_sigma_ev": 3.0 * size_ev,
    }  # fmt: skip
    return np.array([first[name] for name in model.names])


def _line_gain(series: SpectralSeries, mean: FloatArray) -> FloatArray:
    """ln L of the fit less that of the best flat background, of each frame."""
    flat = np.maximum(series.counts.mean(axis=1, keepdims=True), _floor(series))
    return _gain(series.counts, series.noise, mean, np.broadcast_to(flat, mean.shape))


def _mean_of(
    series: SpectralSeries, model: LineModel, frames: _Frames, widths: FloatArray | None
) -> FloatArray:
    size = max(1, _CHUNK // (len(series.energy_ev) * 6))
    parts = [
        _expected(series, model, frames.p[k : k + size], widths)[0] for k in range(0, len(frames.p), size)
    ]
    return np.concatenate(parts)


def _bright(series: SpectralSeries, frames: _Frames) -> BoolArray:
    """Frames good enough for the shared width: areas of five errors, and away from the ends."""
    with np.errstate(invalid="ignore"):
        strong = frames.p[:, 1] > 5 * frames.error[:, 1]
    inner = (frames.p[:, 0] > series.energy_ev[2]) & (frames.p[:, 0] < series.energy_ev[-3])
    return np.asarray(strong & inner & frames.settled)


def fit_shared_width(
    series: SpectralSeries,
    model: LineModel,
    widths: FloatArray,
    frames: _Frames,
    bright: BoolArray,
) -> tuple[FloatArray, FloatArray]:
    """Widths that all bright frames share, and their covariance; centres, areas and backgrounds adapt.

    One step solves for the widths with every frame's own parameters eliminated (the Fisher matrix is an
    arrow), then the frames settle again. Raises `ConvergenceError`.
    """
    cut = replace(series, counts=series.counts[bright], start_s=series.start_s[bright])
    inner = _Frames(frames.p[bright], frames.lnl[bright], frames.error[bright], frames.settled[bright])
    names = model.names
    pixel = float(np.median(series.pixel_ev))
    low = np.array([1e-3 * pixel if n != "wing_share" else 1e-4 for n in names])
    span = float(series.energy_ev[-1] - series.energy_ev[0])
    high = np.array([span if n != "wing_share" else 0.95 for n in names])
    w = np.clip(widths, low, high)
    mean = _mean_of(cut, model, inner, w)
    for _ in range(_SHARED_ROUNDS):
        gradient, matrix = _reduced(cut, model, inner, w)
        held = ((w <= low) & (gradient < 0)) | ((w >= high) & (gradient > 0))
        free = ~held
        step = np.zeros_like(w)
        if free.any():
            step[free] = np.linalg.solve(matrix[np.ix_(free, free)], gradient[free])
        size = 1.0
        moved = False
        while size > 1e-4:
            # no more than a factor of two at once: far from the best the matrix says little
            trial = np.clip(np.clip(w + size * step, 0.5 * w, 2.0 * w), low, high)
            tried = _fit_frames(cut, model, trial, inner, rounds=6)
            new = _mean_of(cut, model, tried, trial)
            if float(_gain(cut.counts, cut.noise, new, mean).sum()) >= -1e-9:
                moved = True
                break
            size /= 4
        if not moved:
            break
        change = np.abs(trial - w) / np.sqrt(np.maximum(np.diag(np.linalg.pinv(matrix)), 1e-300))
        w, inner, mean = trial, tried, new
        if np.all(change[free] < 0.01):
            break
    else:
        raise ConvergenceError(
            "the shared width did not settle", fix="another --shape, or --range-ev around the line"
        )
    _, matrix = _reduced(cut, model, inner, w)
    on = (w <= low) | (w >= high)
    covariance = np.full((len(w), len(w)), np.nan)
    if (~on).any():
        covariance[np.ix_(~on, ~on)] = np.linalg.pinv(matrix[np.ix_(~on, ~on)])
    frames.p[bright] = inner.p
    return w, covariance


def _reduced(
    series: SpectralSeries, model: LineModel, frames: _Frames, w: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Gradient and Fisher matrix of the widths with the parameters of the frames eliminated."""
    k = len(w)
    total, matrix = np.zeros(k), np.zeros((k, k))
    size = max(1, _CHUNK // (len(series.energy_ev) * (3 + k)))
    for first in range(0, len(frames.p), size):
        part = slice(first, first + size)
        mean, slopes = _expected(series, model, frames.p[part], w)
        gradient, fisher = _score(series.counts[part], series.noise, mean, slopes)
        own = fisher[:, :3, :3] + 1e-12 * np.einsum("fkk->fk", fisher[:, :3, :3])[:, :, None] * np.eye(3)
        cross = fisher[:, :3, 3:]
        solved = np.linalg.solve(own, np.concatenate([cross, gradient[:, :3, None]], axis=2))
        matrix += np.sum(fisher[:, 3:, 3:], axis=0) - np.einsum("fki,fkj->ij", cross, solved[:, :, :-1])
        total += np.sum(gradient[:, 3:], axis=0) - np.einsum("fki,fk->i", cross, solved[:, :, -1])
    return total, matrix


def _with_estimated_noise(series: SpectralSeries, model: LineModel) -> SpectralSeries:
    """Gain and read noise from the residuals of a first fit: variance against mean, a straight line."""
    for _ in range(3):
        frames, widths = _start(series, model)
        frames = _fit_frames(series, model, widths, frames)
        bright = _bright(series, frames)
        if bright.sum() >= 3:
            widths, _ = fit_shared_width(series, model, widths, frames, bright)
            frames = _fit_frames(series, model, widths, frames)
        mean = _mean_of(series, model, frames, widths)
        level = frames.p[:, 2:3]
        # a residual is smaller than the noise by what the fit took up at its pixel
        left = 1 - _leverage(series, model, frames, widths)
        square, light = (series.counts - mean) ** 2 / left, np.maximum(mean - level, 0.0)
        weight = 1 / (series.noise.read_counts**2 + series.noise.gain * light) ** 2
        design = np.array([[np.sum(weight), np.sum(weight * light)], [0.0, np.sum(weight * light**2)]])
        design[1, 0] = design[0, 1]
        floor2, gain = np.linalg.solve(
            design, [np.sum(weight * square), np.sum(weight * light * square)]
        ).tolist()
        floor2 = max(floor2, 1e-4 * series.noise.read_counts**2)
        gain = max(gain, 1e-3 * math.sqrt(floor2))
        # the variance of the background counts as read noise: it is the same in all pixels
        shifted = floor2 - gain * float(np.median(level))
        read2 = max(shifted, 0.01 * floor2)
        noise = DetectorNoise(gain, math.sqrt(read2), series.noise.bias_counts, "estimated")
        series = replace(series, noise=noise)
    return series


def _leverage(series: SpectralSeries, model: LineModel, frames: _Frames, widths: FloatArray) -> FloatArray:
    """Share of the noise of each pixel that the fit of its frame takes up, (frames, n), at most 0.9."""
    found = []
    size = max(1, _CHUNK // (len(series.energy_ev) * 6))
    for first in range(0, len(frames.p), size):
        part = slice(first, first + size)
        mean, slopes = _expected(series, model, frames.p[part], widths)
        slopes = slopes[:, :3]
        _, fisher = _score(series.counts[part], series.noise, mean, slopes)
        variance = series.noise.gain * (mean + series.noise.gain * series.noise.pedestal)
        scale = np.sqrt(np.maximum(np.einsum("fkk->fk", fisher), 1e-300))
        inverse = np.linalg.pinv(fisher / (scale[:, :, None] * scale[:, None, :]), hermitian=True)
        inverse = inverse / (scale[:, :, None] * scale[:, None, :])
        found.append(np.einsum("fkn,fkl,fln->fn", slopes, inverse, slopes) / variance)
    return np.minimum(np.concatenate(found), 0.9)


def _judged(
    series: SpectralSeries,
    model: LineModel,
    shared: bool,
    frames: _Frames,
    widths: FloatArray,
    covariance: FloatArray,
    warnings: list[str],
) -> LinePath:
    mean = _mean_of(series, model, frames, widths if shared else None)
    gain = _line_gain(series, mean)
    w = widths if shared else np.nanmedian(frames.p[:, 3:], axis=0)
    total, _ = _fwhm(model, w)
    seen = float(voigt_fwhm(model.instrument.fwhm_ev, total))
    needed = _needed_gain(series, model, w)
    noise = series.noise
    spread = np.sqrt(noise.gain * (mean + noise.gain * noise.pedestal))
    residual = (series.counts - mean) / spread
    odd = _outliers(series, mean)
    status = []
    for k in range(len(series)):
        centre = frames.p[k, 0]
        near = min(centre - series.energy_ev[0], series.energy_ev[-1] - centre)
        if gain[k] < needed or not np.isfinite(frames.error[k, 1]):
            status.append("dark")
        elif near < 0.5 * seen:
            status.append("edge")
        elif odd[k]:
            status.append("outlier")
        elif not frames.settled[k] or not np.isfinite(frames.error[k, 0]):
            status.append("failed")
        else:
            status.append("ok")
    good = np.array([s == "ok" for s in status])
    if good.sum() < 3:
        raise ModelRangeError(
            f"{int(good.sum())} of {len(series)} frames show a line",
            where=series.source,
            allowed="three or more",
            fix="sum exposures, or give --range-ev around the line",
        )
    free = residual[good].size - frames.p.shape[1] * int(good.sum())
    factor = float(np.sum(residual[good] ** 2) / max(free, 1))
    faint = float(np.mean(1 / np.maximum(spread[good] ** 2, 1e-9)))
    scatter = math.sqrt((2 + faint) / max(free, 1))
    scale = 1.0
    if abs(factor - 1) > 5 * scatter + 0.05:
        told = f"residuals are {math.sqrt(factor):.3g} times the noise expected"
        if noise.said == "given":
            warnings.append(f"{told}: the noise given or the shape of the line is not theirs")
        elif factor > 1:
            scale = math.sqrt(factor)
            warnings.append(f"{told}: errors are widened by this (--gain, --read-noise, --shape)")
        else:
            warnings.append(f"{told}: smoothed or scaled counts? (--gain)")
    where = np.where(good, 1.0, np.nan)
    square: float | None = None
    if shared:
        known = covariance.copy()
        if "sigma_ev" in model.names:
            at = model.names.index("sigma_ev")
            if known[at, at] > widths[at] ** 2:
                known[at, :] = known[:, at] = 0.0
        fwhm, wide = _fwhm(model, widths, known)
        full, full_sigma = np.full(len(good), fwhm) * where, np.full(len(good), wide or np.nan) * where
        errors = [_root(covariance[j, j]) for j in range(len(model.names))]
        named = {
            name: (float(widths[j]), None if error is None else scale * error)
            for j, (name, error) in enumerate(zip(model.names, errors, strict=True))
        }
        if "sigma_ev" in named:
            sigma, error = named["sigma_ev"]
            square = None if error is None else 2 * sigma * error
            if error is not None and error > sigma:  # near 0 only its square is nearly normal
                named["sigma_ev"] = (sigma, None)
    else:
        each = [_fwhm(model, frames.p[k, 3:], np.diag(frames.error[k, 3:] ** 2)) for k in range(len(good))]
        full = np.array([one[0] for one in each]) * where
        full_sigma = np.array([np.nan if one[1] is None else one[1] for one in each]) * where
        named = None
    return LinePath(
        series, model, shared, frames.p[:, 0] * where, scale * frames.error[:, 0] * where, frames.p[:, 1],
        scale * frames.error[:, 1], frames.p[:, 2], gain, tuple(status), full, scale * full_sigma, named,
        factor, square, tuple(warnings),
    )  # fmt: skip


def _needed_gain(series: SpectralSeries, model: LineModel, widths: FloatArray) -> float:
    """Log-likelihood that a line placed anywhere gains by chance in `DARK_FALSE_ALARM` of dark frames.

    P(gain > u) <= (R/2 pi) sqrt(int L'^2/int L^2) exp(-u) + P(chi^2 > 2u)/2: crossings of a Gaussian field
    over the range R (Davies, Biometrika 74, 33 (1987), recalled).
    """
    from scipy.optimize import brentq
    from scipy.special import erfc

    energy = series.energy_ev
    span = float(energy[-1] - energy[0])
    value, slope, _ = line_profile(model, widths, energy - float(np.median(energy)))
    waves = span * math.sqrt(float(np.sum(slope**2) / np.sum(value**2))) / (2 * math.pi)
    return float(
        brentq(lambda u: waves * math.exp(-u) + 0.5 * erfc(math.sqrt(u)) - DARK_FALSE_ALARM, 0.0, 60.0)
    )


def _root(variance: float) -> float | None:
    return math.sqrt(variance) if math.isfinite(variance) and variance > 0 else None


def _outliers(series: SpectralSeries, mean: FloatArray) -> BoolArray:
    """Frames with a pixel that Poisson's law all but forbids, as high above the fit as half the line."""
    from scipy.special import gammainc

    g, shift = series.noise.gain, series.noise.gain * series.noise.pedestal
    height = mean.max(axis=1) - mean.min(axis=1)
    above = series.counts - mean
    doubtful = above > 0.5 * height[:, None]
    found = np.zeros(len(mean), dtype=bool)
    rows, columns = np.nonzero(doubtful & (above**2 > 16 * g * (mean + shift)))
    if rows.size:
        n = np.maximum((series.counts[rows, columns] + shift) / g, 1e-9)
        tail = gammainc(n, (mean[rows, columns] + shift) / g)
        found[rows[tail < _OUTLIER_FALSE_ALARM / mean.shape[1]]] = True
    return found


def _fwhm(
    model: LineModel, widths: FloatArray, covariance: FloatArray | None = None
) -> tuple[float, float | None]:
    """Full width at half height of the line without the instrument, and its error."""
    p = dict(zip(model.names, (float(w) for w in widths), strict=True))
    lorentz, gauss = 2 * p.get("gamma_ev", 0.0), FWHM_PER_SIGMA * p.get("sigma_ev", 0.0)
    value = float(voigt_fwhm(gauss, lorentz))
    if covariance is None:
        return value, None
    root = math.sqrt(0.2166 * lorentz**2 + gauss**2) or 1.0
    slope = {
        "gamma_ev": 2 * (0.5346 + 0.2166 * lorentz / root),
        "sigma_ev": FWHM_PER_SIGMA * gauss / root,
    }
    by = np.array([slope.get(name, 0.0) for name in model.names])
    used = by != 0
    return value, _root(float(by[used] @ covariance[np.ix_(used, used)] @ by[used]))
