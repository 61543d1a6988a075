"""A measured pair of coincidence histograms from end to end: areas, visibility raw and corrected, T1 and T2.

    raw = 1 - (C_par/C_orth) (S_orth/S_par)        C, S: middle peak and side peaks, counted in windows

is set beside the fit of all peaks at once (`hom_histogram`) and that of the shape of the middle one
(`hom_emitter_fit`). What was not given and had to be taken is listed in `assumptions`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError, Problem
from perolux.photons.hom_emitter_fit import EmitterFit, fit_emitter
from perolux.photons.hom_files import HomFile, check_spacing
from perolux.photons.hom_histogram import HomFit, HomHistogram, fit_histograms
from perolux.photons.hom_peaks import ExtraPhotons, Interferometer, Scheme, peak_areas

__all__ = ["HomMeasured", "HomSettings", "PeakCount", "analyse_hom", "expected_deviance"]
__all__ += ["window_counts"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class HomSettings:
    """What is known of the source and the interferometer. None: not given, then taken and said.

    delay_ns: of the interferometer, the distance of the peaks. blur_ns: standard deviation of the
    difference of the arrival times of two photons that came together. spread, detuning: of the difference
    of the two angular frequencies, rad/ps, None: fitted. window_ns: half width of the windows, half the
    delay where left out.
    """

    delay_ns: float
    scheme: Scheme = "pulse pair"
    blur_ns: float | None = None
    g2_zero: float | None = None
    g2_sigma: float = 0.0
    extra: ExtraPhotons | None = None
    interferometer: Interferometer | None = None
    contrast_given: bool = False
    reflect_sigma: float = 0.0
    contrast_sigma: float = 0.0
    spread_rad_per_ps: float | None = 0.0
    detuning_rad_per_ps: float | None = 0.0
    lines_rad_per_ps: tuple[float, ...] = (0.0,)
    weights: tuple[float, ...] = (1.0,)
    window_ns: float | None = None
    level: float = 0.95


@dataclass(frozen=True)
class PeakCount:
    """Counts in the window of one peak; area: less the background; counted_pairs: what `hom_peaks` says, the
    middle one without interference, in the same unit as the others."""

    order: int
    counts: int
    background: float
    area: float
    sigma: float
    counted_pairs: float


@dataclass(frozen=True)
class HomMeasured:
    """All of it. peaks: by polarisation; windows_raw: raw visibility by windows, with windows_sigma."""

    source: HomFile
    settings: HomSettings
    peaks: dict[str, tuple[PeakCount, ...]]
    windows_raw: float
    windows_sigma: float
    fit: HomFit
    emitter: EmitterFit
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, as `perolux hom FILES --json` prints it."""
        fit, emitter, settings = self.fit, self.emitter, self.settings
        optics = settings.interferometer or Interferometer()

        def ends(pair: Sequence[float | None] | None) -> dict[str, float | None]:
            low, high = (None, None) if pair is None else pair
            return {"low": low, "high": high}

        missing = {}
        if fit.dip_over_lifetime is None:
            missing["dip_over_lifetime"] = "the timing leaves the width of the dip open"
        if fit.central_over_side is None:
            missing["central_over_side"] = "no orthogonal histogram"
        for name, pair in (
            ("t1_ps", emitter.t1_interval_ps), ("t2_ps", emitter.t2_interval_ps),
            ("spread_rad_per_ps", emitter.spread_interval),
            ("detuning_rad_per_ps", emitter.detuning_interval),
        ):  # fmt: skip
            if pair is None:
                missing[name] = "held, not fitted"
            elif None in pair:
                missing[name] = "the data leave an end of the interval open"
        return {
            "files": [{"file": name, "sha256": told} for name, told in self.source.files],
            "scheme": settings.scheme,
            "reference": "side peaks" if self.source.orthogonal is None else "orthogonal histogram",
            "delay_ns": settings.delay_ns,
            "peaks": {name: [asdict(one) for one in found] for name, found in self.peaks.items()},
            "visibility": {
                "raw": fit.raw,
                "raw_interval": ends(fit.raw_interval),
                "raw_by_windows": self.windows_raw,
                "raw_by_windows_sigma": self.windows_sigma,
                "corrected": fit.visibility,
                "interval": ends(fit.interval),
                "level": fit.level,
                "correction": {
                    "factor": fit.form.factor, "sigma": fit.form.sigma, "words": fit.form.words,
                    "parts": dict(fit.form.parts),
                },
            },
            "peaks_fit": {
                "lifetime_ns": fit.lifetime_ns,
                "lifetime_sigma_ns": fit.lifetime_sigma_ns,
                "dip_over_lifetime": fit.dip_over_lifetime,
                "central_over_side": fit.central_over_side,
                "background_per_ns": list(fit.background),
                "deviance": fit.chi2,
                "degrees_of_freedom": fit.degrees_of_freedom,
            },
            "emitter": {
                "t1_ps": emitter.t1_ps,
                "t1_interval_ps": ends(emitter.t1_interval_ps),
                "t2_ps": emitter.t2_ps,
                "t2_interval_ps": ends(emitter.t2_interval_ps),
                "visibility": emitter.visibility,
                "spread_rad_per_ps": emitter.spread_rad_per_ps,
                "spread_interval": ends(emitter.spread_interval),
                "detuning_rad_per_ps": emitter.detuning_rad_per_ps,
                "detuning_interval": ends(emitter.detuning_interval),
                "fitted": list(emitter.fitted),
                "lines_rad_per_ps": list(settings.lines_rad_per_ps),
                "weights": list(settings.weights),
                "deviance": emitter.chi2,
                "degrees_of_freedom": emitter.degrees_of_freedom,
            },
            "interferometer": {
                "reflect": optics.reflect, "transmit": optics.transmit, "short_share": optics.short_share,
                "contrast": optics.contrast,
            },
            "g2_zero": settings.g2_zero or 0.0,
            "blur_ns": settings.blur_ns or 0.0,
            "missing": missing,
            "assumptions": list(self.assumptions),
            "warnings": list(self.warnings),
        }  # fmt: skip


def window_counts(
    histogram: HomHistogram,
    orders: Sequence[int],
    delay_ns: float,
    half_ns: float,
    *,
    shift_ns: float = 0.0,
    background_per_ns: float = 0.0,
) -> list[tuple[int, int, float, float]]:
    """(order, counts, background, sigma) of each peak whose window lies within the histogram.

    A bin counts where its middle is in the window. sigma: sqrt(counts).
    """
    edges = histogram.edges_ns
    middle, width = 0.5 * (edges[1:] + edges[:-1]), np.diff(edges)
    found = []
    for order in orders:
        place = order * delay_ns + shift_ns
        if place - half_ns < edges[0] - 1e-9 or place + half_ns > edges[-1] + 1e-9:
            continue
        inside = (middle >= place - half_ns) & (middle < place + half_ns)
        counts = int(histogram.counts[inside].sum())
        found.append(
            (order, counts, background_per_ns * float(width[inside].sum()), math.sqrt(max(counts, 1)))
        )
    return found


def analyse_hom(source: HomFile, settings: HomSettings, *, by_side_peaks: bool = False) -> HomMeasured:
    """Areas, raw and corrected visibility, and the emitter's times from measured histograms.

    by_side_peaks: without an orthogonal histogram, the undisturbed middle peak is taken from the side peaks
    by counting pairs. Raises `OptionError` where the polarisation is missing and this was not asked for,
    where peaks are not found at the delay, and for settings out of range; `ModelRangeError` for empty
    histograms.
    """
    _check(source, settings, by_side_peaks)
    given = [("parallel", source.parallel)]
    if source.orthogonal is not None:
        given.append(("orthogonal", source.orthogonal))
    for name, one in given:
        check_spacing(one, settings.delay_ns, name)
    blur, g2 = settings.blur_ns or 0.0, settings.g2_zero or 0.0
    extra: ExtraPhotons = settings.extra or "alike"
    start = _lifetime(source.orthogonal or source.parallel, settings.delay_ns)
    fit = fit_histograms(
        source.parallel, source.orthogonal, settings.scheme, delay_ns=settings.delay_ns, lifetime_ns=start,
        blur_ns=blur, g2_zero=g2, extra=extra, interferometer=settings.interferometer,
        g2_sigma=settings.g2_sigma, reflect_sigma=settings.reflect_sigma,
        contrast_sigma=settings.contrast_sigma, level=settings.level,
    )  # fmt: skip
    emitter = fit_emitter(
        source.parallel, source.orthogonal, settings.scheme, delay_ns=settings.delay_ns,
        lifetime_ns=fit.lifetime_ns, blur_ns=blur, spread_rad_per_ps=settings.spread_rad_per_ps,
        detuning_rad_per_ps=settings.detuning_rad_per_ps, lines_rad_per_ps=settings.lines_rad_per_ps,
        weights=settings.weights, g2_zero=g2, extra=extra, interferometer=settings.interferometer,
        level=settings.level,
    )  # fmt: skip
    peaks = _peaks(given, settings, fit, emitter.shift_ns, g2, extra)
    raw, sigma = _by_windows(peaks)
    warnings = [*fit.warnings, *(one for one in emitter.warnings if one not in fit.warnings)]
    for name, chi2, free in (
        ("peaks", fit.chi2, fit.degrees_of_freedom),
        ("middle peak", emitter.chi2, emitter.degrees_of_freedom),
    ):
        mean, variance = expected_deviance(np.concatenate(emitter.expected))
        if chi2 > mean + 5 * math.sqrt(variance):
            warnings.append(
                f"the fit of the {name} leaves a deviance of {chi2:.4g}, where {mean:.4g} +- "
                f"{math.sqrt(variance):.2g} are expected of counts so few ({free} degrees of "
                f"freedom): the model does "
                "not follow the histograms (another scheme, blur or delay?)"
            )
    if fit.central_over_side is not None and sigma > 0 and abs(fit.central_over_side - 1) > 0.1:
        warnings.append(
            f"the middle peak of the orthogonal histogram is {fit.central_over_side:.3g} times what counted "
            "pairs say: g2, splitter, arms or scheme are not as given"
        )
    return HomMeasured(
        source, settings, peaks, raw, sigma, fit, emitter, _assumptions(source, settings), tuple(warnings)
    )


def expected_deviance(mean: npt.ArrayLike) -> tuple[float, float]:
    """Sum over bins of the mean and the variance of the Poisson deviance at a mean of counts a bin.

    1 and 2 a bin for many counts; 1.15 at one count, and falling to 0 where a bin is empty. Exact up to 40
    counts.

    >>> [round(x, 2) for x in expected_deviance([1.0])]
    [1.15, 1.36]
    """
    from scipy.special import gammaln, xlogy

    mean = np.asarray(mean, dtype=float)
    few = np.clip(mean[mean < 40], 1e-12, None)[:, None]
    n = np.arange(160)[None, :]
    chance = np.exp(xlogy(n, few) - few - gammaln(n + 1))
    deviance = 2 * (xlogy(n, n) - xlogy(n, few) - (n - few))
    first = np.sum(chance * deviance, axis=1)
    second = np.sum(chance * deviance**2, axis=1)
    many = float(np.count_nonzero(mean >= 40))
    return float(first.sum()) + many, float(np.sum(second - first**2)) + 2 * many


def _check(source: HomFile, settings: HomSettings, by_side_peaks: bool) -> None:
    problems = []
    if not (math.isfinite(settings.delay_ns) and settings.delay_ns > 0):
        problems.append(Problem(f"a delay of {settings.delay_ns:g} ns", "--delay", "a positive number of ns"))
    if settings.blur_ns is not None and not (math.isfinite(settings.blur_ns) and settings.blur_ns >= 0):
        problems.append(Problem(f"a blur of {settings.blur_ns:g} ns", "--blur", "0 or more"))
    for name, value in (
        ("--g2-sigma", settings.g2_sigma), ("--splitter-sigma", settings.reflect_sigma),
        ("--contrast-sigma", settings.contrast_sigma),
    ):  # fmt: skip
        if not (math.isfinite(value) and value >= 0):
            problems.append(Problem(f"an error of {value:g}", name, "0 or more"))
    if settings.window_ns is not None and not 0 < settings.window_ns <= settings.delay_ns / 2:
        problems.append(
            Problem(f"a window of {settings.window_ns:g} ns", "--window", "above 0, up to half the delay")
        )
    if not 0 < settings.level < 1:
        problems.append(Problem(f"a level of {settings.level:g}", "--level", "between 0 and 1"))
    if source.orthogonal is None and not by_side_peaks:
        problems.append(
            Problem(
                "the orthogonal polarisation is missing", "FILE_ORTHOGONAL",
                "a second file, a column 'orthogonal', or a second curve",
                "or --reference side-peaks: the undisturbed middle peak then follows from the side peaks",
            )
        )  # fmt: skip
    if source.orthogonal is not None and by_side_peaks:
        problems.append(
            Problem("two references", "--reference", "the orthogonal histogram or the side peaks", "drop one")
        )
    if problems:
        raise OptionError(problems)


def _lifetime(histogram: HomHistogram, delay_ns: float) -> float:
    """Mean distance of the counts from their side peak, background taken off: where the search starts."""
    middle = 0.5 * (histogram.edges_ns[1:] + histogram.edges_ns[:-1])
    folded = np.abs(middle) - delay_ns
    near = np.abs(folded) < delay_ns / 2
    counts = histogram.counts[near] - float(np.quantile(histogram.counts[near], 0.15))
    mean = float(np.sum(np.abs(folded[near]) * counts) / max(float(np.sum(counts)), 1.0))
    width = float(np.median(np.diff(histogram.edges_ns)))
    return float(np.clip(mean, width / 4, delay_ns))


def _peaks(
    given: Sequence[tuple[str, HomHistogram]],
    settings: HomSettings,
    fit: HomFit,
    shift_ns: float,
    g2: float,
    extra: ExtraPhotons,
) -> dict[str, tuple[PeakCount, ...]]:
    areas = peak_areas(settings.scheme, settings.interferometer, g2_zero=g2, extra=extra)
    pairs = dict(zip(areas.order.tolist(), areas.area.tolist(), strict=True))
    half = settings.window_ns or settings.delay_ns / 2
    found = {}
    for (name, one), dark in zip(given, fit.background, strict=False):
        found[name] = tuple(
            PeakCount(order, counts, background, counts - background, sigma, pairs[order])
            for order, counts, background, sigma in window_counts(
                one, sorted(pairs), settings.delay_ns, half, shift_ns=shift_ns, background_per_ns=dark or 0.0
            )
        )
    return found


def _by_windows(peaks: dict[str, tuple[PeakCount, ...]]) -> tuple[float, float]:
    """Raw visibility and its error at first order from windows; both scaled by their own side peaks."""
    middle, side, pairs = {}, {}, {}
    for name, found in peaks.items():
        middle[name] = next(one for one in found if one.order == 0)
        rest = [one for one in found if one.order]
        side[name] = (sum(one.area for one in rest), math.sqrt(sum(one.sigma**2 for one in rest)))
        pairs[name] = middle[name].counted_pairs / sum(one.counted_pairs for one in rest)
    parts = [(middle["parallel"].area, middle["parallel"].sigma), side["parallel"]]
    ratio = parts[0][0] / parts[1][0]
    if "orthogonal" in peaks:
        parts += [(middle["orthogonal"].area, middle["orthogonal"].sigma), side["orthogonal"]]
        ratio *= parts[3][0] / parts[2][0]
    else:
        ratio /= pairs["parallel"]
    relative = math.sqrt(sum((sigma / area) ** 2 for area, sigma in parts if area))
    return 1 - ratio, abs(ratio) * relative


def _assumptions(source: HomFile, settings: HomSettings) -> tuple[str, ...]:
    found = [f"{settings.scheme}: pairs are counted for it, few photons a pulse"]
    if settings.blur_ns is None:
        found.append("detectors without jitter (--blur)")
    if settings.g2_zero is None:
        found.append("a source without extra photons, g2(0) = 0 (--g2)")
    elif settings.extra is None:
        found.append("the extra photons behind g2 interfere like the others (--extra)")
    if settings.interferometer is None:
        found.append("an even splitter, R = T = 0.5, and even arms (--splitter, --short-share)")
    if not settings.contrast_given:
        found.append("full fringe contrast (--contrast)")
    if source.orthogonal is None:
        found.append("the middle peak without interference is what the side peaks say by counting pairs")
    if settings.spread_rad_per_ps == 0 and len(settings.lines_rad_per_ps) == 1:
        found.append(
            "T2: no spread of the frequency between the two photons (--detuning-spread, --fit-spread)"
        )
    return tuple(found)
