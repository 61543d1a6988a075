"""Several recorded decays with lifetimes in common: one axis, one response, amplitudes and background each.

The number of exponentials is the one with the least Schwarz's criterion of the shared fit; whether sharing is
allowed at all is the same criterion against fits of each curve by itself (`decay_global`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, InputError, OptionError, Problem
from perolux.fitting import poisson_deviance
from perolux.measured import Decay
from perolux.photons.decay_global import GlobalFit, fit_decays_global
from perolux.photons.decay_models import exponential_columns
from perolux.photons.decay_record import chosen_bins, response_of_record
from perolux.photons.instrument_response import GaussianResponse, MeasuredResponse, Response

__all__ = ["CurveOfMany", "SharedAnalysis", "analyse_decays_together", "parse_shared"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CurveOfMany:
    """One curve of a shared fit: lifetimes and sigmas (None: none) in order, photons, amplitudes (counts per
    bin at the pulse), background (counts per bin), deviance and Pearson's chi2 per bin less its own
    parameters.
    """

    file: str
    label: str
    sha256: str | None
    lifetimes_ns: tuple[float, ...]
    lifetime_sigma_ns: tuple[float | None, ...]
    counts: tuple[float, ...]
    amplitudes: tuple[float, ...]
    background: float
    deviance: float
    reduced_chi2: float

    @property
    def average_amplitude_ns(self) -> float | None:
        """sum(A tau)/sum(A); None without light."""
        total = sum(self.amplitudes)
        pairs = zip(self.amplitudes, self.lifetimes_ns, strict=True)
        return sum(a * t for a, t in pairs) / total if total > 0 else None

    @property
    def average_intensity_ns(self) -> float | None:
        """sum(A tau^2)/sum(A tau); None without light."""
        total = sum(self.counts)
        pairs = zip(self.counts, self.lifetimes_ns, strict=True)
        return sum(n * t for n, t in pairs) / total if total > 0 else None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        total = sum(self.amplitudes)
        return {
            "file": self.file,
            "sha256": self.sha256,
            "label": self.label,
            "lifetimes_ns": [
                {"value": t, "sigma": s}
                for t, s in zip(self.lifetimes_ns, self.lifetime_sigma_ns, strict=True)
            ],
            "amplitudes": [
                {"counts_per_bin_at_pulse": a, "counts": n, "fraction": a / total if total > 0 else None}
                for a, n in zip(self.amplitudes, self.counts, strict=True)
            ],
            "average_lifetime_amplitude_weighted_ns": self.average_amplitude_ns,
            "average_lifetime_intensity_weighted_ns": self.average_intensity_ns,
            "background_counts_per_bin": self.background,
            "deviance": self.deviance,
            "reduced_pearson_chi2": self.reduced_chi2,
        }


@dataclass(frozen=True, eq=False)
class SharedAnalysis:
    """A shared fit of several records. tried: number of exponentials -> Schwarz's criterion (shared,
    separate).
    """

    fit: GlobalFit
    curves: tuple[CurveOfMany, ...]
    tried: dict[int, tuple[float, float]]
    bin_ns: float
    range_ns: tuple[float, float]
    period_ns: float | None
    response: Response | None
    level: float
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        fit, best = self.fit, min(x[0] for x in self.tried.values())
        ends = iter(fit.intervals_ns)
        shared = []
        for j, common in enumerate(fit.shared):
            if common:
                low, high = next(ends)
                shared.append(
                    {
                        "component": j + 1, "value": float(fit.lifetimes_ns[0, j]),
                        "sigma": self.curves[0].lifetime_sigma_ns[j], "low": low, "high": high,
                        "level": self.level,
                    }
                )  # fmt: skip
        return {
            "model": str(len(fit.shared)),
            "shared": list(fit.shared),
            "shared_lifetimes_ns": shared,
            "curves": [one.as_dict() for one in self.curves],
            "sharing_supported": fit.sharing_supported,
            "bic": {
                "shared": fit.shared_bic,
                "separate": fit.separate_bic,
                "separate_above_shared": fit.separate_bic - fit.shared_bic,
            },
            "model_comparison": [
                {"model": str(k), "bic_shared": one, "bic_separate": other, "delta_bic": one - best}
                for k, (one, other) in self.tried.items()
            ],
            "deviance": float(fit.deviances.sum()),
            "degrees_of_freedom": fit.degrees_of_freedom,
            "bin_ns": self.bin_ns,
            "range_ns": list(self.range_ns),
            "period_ns": self.period_ns,
            "response": None if self.response is None else self.response.note,
            "warnings": list(self.warnings),
        }


def parse_shared(text: str) -> tuple[int, ...] | None:
    """The shared components of "lifetimes" (all: None) or of places from the shortest, as "1,3".

    >>> parse_shared("lifetimes"), parse_shared("1,3")
    (None, (1, 3))
    """
    if text.strip().lower() == "lifetimes":
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part in ("1", "2", "3", "4") for part in parts) or len(set(parts)) != len(parts):
        raise OptionError(
            f"nothing to share is called {text!r}",
            where="--shared",
            allowed="lifetimes (all of them), or places from the shortest, e.g. 1 or 1,3",
        )
    return tuple(sorted(int(part) for part in parts))


def analyse_decays_together(
    records: Sequence[Decay],
    *,
    shared: Sequence[int] | None = None,
    irf: Response | Decay | None = None,
    period_ns: float | None = None,
    start_ns: float | None = None,
    stop_ns: float | None = None,
    exclude_ns: Sequence[tuple[float, float]] = (),
    exponentials: Sequence[int] = (1, 2, 3),
    level: float = 0.95,
) -> SharedAnalysis:
    """Fit records on one axis with shared lifetimes; times are those of that axis.

    shared: places of the shared lifetimes from the shortest (1 ...), None: all. irf: a Gaussian on the
    files' axis, or the record of the response; it stays where it is. exponentials: numbers to compare. Bins
    are those that all records have. Raises `InputError` where the axes differ, `OptionError`,
    `ConvergenceError`.
    """
    if len(records) < 2:
        raise OptionError(f"{len(records)} record", allowed="two or more curves to share lifetimes")
    numbers = sorted(set(exponentials))
    if not numbers or any(k not in (1, 2, 3, 4) for k in numbers):
        raise OptionError("only exponentials can be shared", where="--models", allowed="numbers from 1 to 4")
    if shared is not None and max(shared) > numbers[0]:
        raise OptionError(
            f"lifetime {max(shared)} is to be shared, in a model of {numbers[0]}",
            where="--shared",
            allowed=f"1 to {numbers[0]}",
            fix="leave smaller models out of --models",
        )
    _one_axis(records)
    step = records[0].step_ns
    whole = [one.on_full_axis() for one in records]
    bins = min(len(time) for time, _, _ in whole)
    time = whole[0][0][:bins]
    keep = np.logical_and.reduce(
        [
            chosen_bins(r, t, u, start_ns, stop_ns, exclude_ns)[:bins]
            for r, (t, _, u) in zip(records, whole, strict=True)
        ]
    )
    if not keep.any():
        raise OptionError(
            "no bin is left that all records have", fix="widen --start, --stop, or exclude less"
        )
    counts = [c[:bins].astype(float) for _, c, _ in whole]
    said = []
    first = 0
    if irf is None:
        pooled = np.where(keep, np.sum(counts, axis=0), -1)
        first = int(np.argmax(pooled)) if start_ns is None else int(np.argmax(keep))
        if start_ns is None:
            said.append(
                f"No response is given: the fit begins at the highest bin of the sum, {time[first]:.5g} ns, "
                "as if the "
                "light had come there at once."
            )
        keep[:first] = False
    last = int(np.flatnonzero(keep)[-1]) + 1
    if period_ns is not None:
        last = min(last, first + int(np.floor(period_ns / step + 0.5)))
    cut = slice(first, last)
    response: Response | None
    moved: Response | None
    if isinstance(irf, Decay):
        response = moved = response_of_record(irf, records[0])
    else:
        response = moved = irf
        if isinstance(irf, GaussianResponse):
            moved = GaussianResponse(irf.sigma_ns, irf.centre_ns - float(time[0]))
    for record, one in zip(records, counts, strict=True):
        if not one[cut][keep[cut]].sum():
            raise InputError("there are no photons in the bins to fit", where=record.source.path)
    found: dict[int, GlobalFit] = {}
    problem: ConvergenceError | None = None
    for k in numbers:
        common = None if shared is None else [j + 1 in shared for j in range(k)]
        try:
            found[k] = fit_decays_global(
                [one[cut] for one in counts], step, exponentials=k, shared=common, irf=moved,
                period_ns=period_ns,
                used=keep[cut], level=level,
            )  # fmt: skip
        except ConvergenceError as error:  # one exponential more has nothing to hold on to
            problem = error
            said.append(f"{k} exponentials are left out: {error.problems[0].what}")
    if not found:
        assert problem is not None
        raise problem
    best = min(found, key=lambda k: found[k].shared_bic)
    fit = found[best]
    curves = tuple(
        _curve(fit, c, record, counts[c][cut], keep[cut], step, moved, period_ns)
        for c, record in enumerate(records)
    )
    said += _warnings(fit, curves, step * len(time[cut]), period_ns)
    if isinstance(moved, MeasuredResponse) or getattr(moved, "sigma_ns", 0.0) > 0:
        said.append(
            "The response stays where it is; a shift that perolux decay finds for one curve is not applied."
        )
    chosen = time[cut][keep[cut]]
    return SharedAnalysis(
        fit,
        curves,
        {k: (one.shared_bic, one.separate_bic) for k, one in found.items()},
        step,
        (float(chosen[0]), float(chosen[-1]) + step),
        period_ns,
        response,
        level,
        tuple(said),
    )


def _one_axis(records: Sequence[Decay]) -> None:
    first = records[0]
    problems = []
    for one in records[1:]:
        if abs(one.step_ns / first.step_ns - 1) > 1e-3:
            problems.append(
                Problem(
                    f"bins of {one.step_ns:g} ns, those of the first curve have {first.step_ns:g} ns",
                    one.source.path,
                    "the same bins",
                    "export all curves with one bin width",
                )
            )
        elif abs(float(one.time_ns[0] - first.time_ns[0])) > 0.1 * first.step_ns:
            problems.append(
                Problem(
                    f"the axis begins at {float(one.time_ns[0]):g} ns, that of the first curve at "
                    f"{float(first.time_ns[0]):g} ns",
                    one.source.path,
                    "one axis for all curves",
                    "export all curves on one axis, with the pulse at one place",
                )
            )
    if problems:
        raise InputError(problems)


def _curve(
    fit: GlobalFit, c: int, record: Decay, counts: FloatArray, keep: npt.NDArray[np.bool_], step: float,
    response: Response | None, period_ns: float | None,
) -> CurveOfMany:  # fmt: skip
    tau = fit.lifetimes_ns[c]
    first = int(np.argmax(keep)) if response is None else 0
    columns, _, _ = exponential_columns(tau, len(counts) - first, step, response, period_ns=period_ns)
    n = counts[first:][keep[first:]]
    m = (columns @ fit.counts[c])[keep[first:]] + fit.background[c]
    own = sum(not one for one in fit.shared) + len(tau) + 1
    chi2 = float(np.sum(np.divide((n - m) ** 2, m, out=np.zeros_like(m), where=m > 0)))
    return CurveOfMany(
        record.source.path,
        record.label,
        record.source.sha256,
        tuple(float(t) for t in tau),
        tuple(float(s) if np.isfinite(s) else None for s in fit.lifetime_sigma_ns[c]),
        tuple(float(x) for x in fit.counts[c]),
        tuple(float(x) for x in fit.counts[c] * step / tau),
        float(fit.background[c]),
        poisson_deviance(n, m),
        chi2 / max(len(n) - own, 1),
    )


def _warnings(
    fit: GlobalFit, curves: Sequence[CurveOfMany], window: float, period_ns: float | None
) -> list[str]:
    said = []
    if not fit.sharing_supported:
        said.append(
            f"the curves do not share these lifetimes: Schwarz's criterion of separate fits is "
            f"{fit.shared_bic - fit.separate_bic:.1f} lower"
        )
    worst = max(curves, key=lambda one: one.reduced_chi2)
    if worst.reduced_chi2 > 1.5:
        said.append(
            f"{worst.label}: the model misses the counts by more than their noise (Pearson's chi2 per "
            "degree of "
            f"freedom {worst.reduced_chi2:.3g}); errors of the shared fit are those of counting alone"
        )
    slowest = max(one.lifetimes_ns[-1] for one in curves)
    if period_ns is None and slowest > window / 4.6:
        said.append(
            f"light of {slowest:.3g} ns is not over at the end of the record, and without --period earlier "
            "pulses are "
            "not modelled"
        )
    for one in curves:
        for t, n in zip(one.lifetimes_ns, one.counts, strict=True):
            if n <= 0:
                said.append(f"{one.label}: the component of {t:.3g} ns has no photons")
    return said
