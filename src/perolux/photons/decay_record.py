"""A decay as it was recorded: which bins count, where the response lies on its axis, what the file says of
itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.measured import Decay
from perolux.photons.dark_record import DarkRecord
from perolux.photons.decay_distribution import LifetimeDistribution, fit_distribution
from perolux.photons.decay_fit import fit_decay
from perolux.photons.decay_result import DecayFit
from perolux.photons.instrument_response import (
    GaussianResponse,
    MeasuredResponse,
    Response,
    measured_response,
)
from perolux.photons.pile_up import PileUp, exposure, pile_up

__all__ = [
    "DecayAnalysis",
    "analyse_decay",
    "chosen_bins",
    "response_of_record",
    "stored_fit_problem",
    "with_distribution",
]

FloatArray = npt.NDArray[np.float64]
_EMPTY_END = 20
"""A histogram whose last bins, this many or more, hold nothing was longer than the period of the laser."""


@dataclass(frozen=True, eq=False)
class DecayAnalysis:
    """A fit and what surrounds it: the start of each bin fitted in ns, on the file's axis; pile-up, notes,
    and the distribution of lifetimes where it was asked for.
    """

    decay: Decay
    fit: DecayFit
    time_ns: FloatArray
    response: Response | None
    pile_up: PileUp | None
    notes: tuple[str, ...]
    distribution: LifetimeDistribution | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        found = self.fit.as_dict()
        share: dict[str, Any] = (
            {"photons_per_pulse": None, "reason": "the number of laser pulses is not known (--pulses)"}
            if self.pile_up is None
            else self.pile_up.as_dict()
        )
        found["warnings"] = [*self.notes, *found["warnings"]]
        return {
            "file": self.decay.source.path,
            "sha256": self.decay.source.sha256,
            "label": self.decay.label,
            "range_ns": [float(self.time_ns[0]), float(self.time_ns[-1] + self.fit.histogram.bin_ns)],
            "gaps_ns": [list(gap) for gap in self.decay.gaps],
            "response": None if self.response is None else self.response.note,
            "pile_up": share,
            **found,
            "distribution": None if self.distribution is None else self.distribution.as_dict(),
        }


def analyse_decay(
    decay: Decay,
    *,
    irf: Response | None = None,
    period_ns: float | None = None,
    start_ns: float | None = None,
    stop_ns: float | None = None,
    exclude_ns: Sequence[tuple[float, float]] = (),
    models: Sequence[str] = ("1", "2", "3", "4"),
    background: float | str = "free",
    pulses: float | None = None,
    correct_pile_up: bool = False,
    free_shift: bool | None = None,
    dark: DarkRecord | None = None,
) -> DecayAnalysis:
    """Fit a record. Times are those of its axis; a bin begins at its time, and counts where it begins within
    the range.

    irf: a Gaussian on the file's axis, or `response_of_record`. exclude_ns: (from, to) of ranges to leave
    out. pulses: of the laser while it was recorded, for pile-up; correct_pile_up: make it part of the model.
    dark: dark counts as a prior of the background (`dark_record`, with the bin of this record). Other
    arguments and errors as `fit_decay`.
    """
    time, counts, used = decay.on_full_axis()
    first_time, notes = float(time[0]), list(decay.notes)
    stored = stored_fit_problem(decay.header)
    if stored:
        notes.append(stored)
    keep = chosen_bins(decay, time, used, start_ns, stop_ns, exclude_ns)
    seen = None
    share = None if pulses is None else pile_up(counts, pulses)
    if share is not None and share.warning:
        notes.append(share.warning + ("; it is part of the model here" if correct_pile_up else ""))
    if correct_pile_up:
        if pulses is None:
            raise OptionError("pile-up without the number of laser pulses", fix="give --pulses")
        seen = exposure(counts, pulses)
    if irf is None:
        first = int(np.argmax(np.where(keep, counts, -1))) if start_ns is None else int(np.argmax(keep))
        if start_ns is None and first > int(np.argmax(keep)):
            notes.append(
                f"No response is given: the fit begins at the highest bin, {time[first]:.5g} ns, as if the "
                "light had come there at once."
            )
        keep[:first] = False
    else:
        first = 0
    last = int(np.flatnonzero(keep)[-1]) + 1
    if period_ns is not None:
        most = first + int(np.floor(period_ns / decay.step_ns + 0.5))
        if last > most and not counts[most:last].any():
            notes.append(f"The axis is longer than the period; its {last - most} empty bins are left out.")
            last = most
    else:
        empty = last - 1 - int(np.flatnonzero(counts[:last])[-1]) if counts[:last].any() else 0
        if empty >= _EMPTY_END:
            notes.append(
                f"The last {empty} bins hold no photon: where the record ends before the axis, they pull "
                "the background down; give --stop or --period."
            )
    cut = slice(first, last)
    moved = irf
    if isinstance(irf, GaussianResponse):
        moved = GaussianResponse(irf.sigma_ns, irf.centre_ns - first_time)
    fit = fit_decay(
        counts[cut],
        decay.step_ns,
        irf=moved,
        period_ns=period_ns,
        models=models,
        background=background,
        used=keep[cut],
        exposure=None if seen is None else seen[cut],
        free_shift=free_shift,
        dark=dark,
    )
    return DecayAnalysis(decay, fit, time[cut][keep[cut]], irf, share, tuple(notes))


def with_distribution(
    found: DecayAnalysis, *, grid: tuple[float, float, int] | None = None, resamples: int = 100
) -> DecayAnalysis:
    """The analysis with the distribution of lifetimes of the same bins, the response where the fit has put
    it.

    Arguments and errors as `fit_distribution`.
    """
    fit = found.fit
    return replace(
        found,
        distribution=fit_distribution(
            fit.histogram,
            grid=grid,
            shift_ns=fit.shift_ns or 0.0,
            background=None if fit.background_free else fit.background,
            resamples=resamples,
        ),
    )


def chosen_bins(
    decay: Decay,
    time: FloatArray,
    used: npt.NDArray[np.bool_],
    start_ns: float | None,
    stop_ns: float | None,
    exclude_ns: Sequence[tuple[float, float]],
) -> npt.NDArray[np.bool_]:
    """True for the bins of `decay.on_full_axis()` that begin in a range and in none of those to leave out.

    Raises `OptionError` for an empty range, one without bins, or where no bin is left.
    """
    for low, high in ((start_ns, stop_ns), *exclude_ns):
        if low is not None and high is not None and not low < high:
            raise OptionError(f"the range {low:g} to {high:g} ns is empty", allowed="two rising times in ns")
    keep = used.copy()
    small = 1e-6 * decay.step_ns
    if start_ns is not None:
        keep &= time >= start_ns - small
    if stop_ns is not None:
        keep &= time < stop_ns - small
    for low, high in exclude_ns:
        hit = (time >= low - small) & (time < high - small)
        if not hit.any():
            last = float(time[-1])
            raise OptionError(
                f"no bin begins between {low:g} and {high:g} ns", allowed=f"{float(time[0]):g} to {last:g} ns"
            )
        keep &= ~hit
    if not keep.any():
        raise OptionError("no bin is left", fix="widen --start, --stop, or exclude less")
    return keep


def response_of_record(record: Decay, decay: Decay) -> MeasuredResponse:
    """A measured response on the axis of a decay; bins before that axis are left out.

    Raises `OptionError` where the bins differ in width by more than a thousandth, and as `measured_response`.
    """
    if abs(record.step_ns / decay.step_ns - 1) > 1e-3:
        raise OptionError(
            f"the response has bins of {record.step_ns:g} ns, the decay of {decay.step_ns:g} ns",
            where=record.source.path,
            allowed="the same bins",
            fix="export both with one bin width",
        )
    time, counts, _ = record.on_full_axis()
    first = round((float(time[0]) - float(decay.time_ns[0])) / decay.step_ns)
    if first < 0:
        counts, first = counts[-first:], 0
    if len(counts) < 2:
        raise OptionError("the response ends before the decay begins", where=record.source.path)
    return measured_response(counts, decay.step_ns, first_bin=first)


def stored_fit_problem(header: Sequence[tuple[str, str]]) -> str | None:
    """What is wrong with a fit that a file carries (fit_result, fit_guess, se); None where nothing is, or
    none is there.

    A parameter that equals its first guess to a millionth, with an error of 1 as an identity matrix gives it,
    was never moved: the optimiser stopped before it had felt it.
    """
    facts = {key.strip().lower(): _numbers(value) for key, value in header}
    result, guess, error = (facts.get(name, []) for name in ("fit_result", "fit_guess", "se"))
    if not result or len(result) != len(guess):
        return None
    stuck = [
        i
        for i, (a, b) in enumerate(zip(result, guess, strict=True))
        if abs(a - b) <= 1e-6 * abs(b) and i < len(error) and abs(error[i] - 1) < 0.01
    ]
    if not stuck:
        return None
    shown = ", ".join(f"{result[i]:.7g} (guess {guess[i]:.7g}, error {error[i]:.4g})" for i in stuck)
    return (
        f"The fit stored in the file had not converged: {len(stuck)} of its {len(result)} parameters equal "
        f"their first guess, with errors of 1: {shown}. It is not used."
    )


def _numbers(text: str) -> list[float]:
    return [float(x) for x in re.findall(r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?", text)]
