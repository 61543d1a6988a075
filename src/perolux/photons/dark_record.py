"""Dark counts of a detector, known from a measurement in the dark, as a prior of a decay's background.

    B = r M h,   r t expected in the dark record,   n_dark ~ Poisson(r t)

r: dark counts a second, M: laser pulses, h: bin, t: seconds of the dark record. Written in B the dark record
is one bin more of the same Poisson likelihood, whose model is B times `bins` = t/(M h): amplitudes,
profiles and the information matrix need nothing else. This is a Gamma prior of B with shape n_dark + 1. A
rate with a Gaussian error r +- s is taken as the record of the same mean and variance, n = (r/s)^2 counts in
t = r/s^2; the two agree where n is large, and the record is never negative.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from perolux.errors import OptionError, Problem

__all__ = ["DarkRecord", "DarkVerdict", "dark_record", "pulses_of"]

CONTRADICTION_SIGMAS = 3.0
"""A dark record that the decay contradicts by more is a warning."""
MOST_COUNTS = 1e8
"""Counts of a dark record; more of them would drown the decay in rounding."""


@dataclass(frozen=True)
class DarkRecord:
    """counts of the record (need not be whole: a Gaussian's equivalent); `bins`: how many bins of the decay
    it is worth, so that counts/bins is its background in counts per bin. note: in words.
    """

    counts: float
    bins: float
    note: str

    @property
    def per_bin(self) -> float:
        """Counts per bin of the decay that the dark record tells."""
        return self.counts / self.bins

    @property
    def per_bin_sigma(self) -> float:
        """Its standard error; of one count where the record has none."""
        return math.sqrt(max(self.counts, 1.0)) / self.bins


@dataclass(frozen=True)
class DarkVerdict:
    """What the decay alone says of the background: counts per bin where it is free, and how many sigmas
    (root of the rise of the deviance) lie between it and the dark record; positive: the decay has more.
    """

    record: DarkRecord
    free_per_bin: float
    free_sigma: float | None
    sigmas: float

    @property
    def contradicts(self) -> bool:
        """More than 3 sigma."""
        return abs(self.sigmas) > CONTRADICTION_SIGMAS

    @property
    def warning(self) -> str | None:
        """In words, where the two contradict."""
        if not self.contradicts:
            return None
        more = self.sigmas > 0
        return (
            f"the decay contradicts the dark counts by {abs(self.sigmas):.1f} sigma: its background is "
            f"{self.free_per_bin:.4g} counts per bin where it is free, the dark counts give "
            f"{self.record.per_bin:.4g}; "
            + (
                "stray light, a slow component that the model lacks, or a longer live time would do that"
                if more
                else "the live time, the period or the dark rate would be too large"
            )
            + "; leave the dark counts out, or mend them"
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "counts_per_bin": self.record.per_bin,
            "sigma": self.record.per_bin_sigma,
            "free_background_counts_per_bin": self.free_per_bin,
            "free_background_sigma": self.free_sigma,
            "free_background_sigma_reason": None
            if self.free_sigma is not None
            else "the free background is 0, the least that it can be, or not determined",
            "contradiction_sigmas": self.sigmas,
            "contradicts": self.contradicts,
            "note": self.record.note,
        }


def dark_record(
    rate_cps: float, *, pulses: float, bin_ns: float, sigma_cps: float | None = None,
    dark_time_s: float | None = None,
) -> DarkRecord:  # fmt: skip
    """The prior of dark counts, from their rate and either its standard error or the time it was measured
    for.

    Raises `OptionError` where both or none is given, and for a rate of 0 with an error: no Gaussian ends at
    0.

    >>> one = dark_record(100.0, pulses=6e8, bin_ns=0.1, sigma_cps=2.0)
    >>> round(one.per_bin, 6), round(one.per_bin_sigma, 6)
    (6.0, 0.12)
    """
    problems = []
    if not (math.isfinite(rate_cps) and rate_cps >= 0):
        problems.append(Problem(f"a dark rate of {rate_cps:g} counts/s", "--dark-cps", "0 or more"))
    if (sigma_cps is None) == (dark_time_s is None):
        problems.append(
            Problem(
                "how well the dark rate is known is not told"
                if sigma_cps is None
                else "two errors of one dark rate",
                "--dark-cps",
                "one of --dark-sigma (its standard error, counts/s) and --dark-time (seconds it was "
                "measured for)",
                "for a background that is exactly known give --background COUNTS_PER_BIN",
            )
        )
    for name, value in (("--dark-sigma", sigma_cps), ("--dark-time", dark_time_s)):
        if value is not None and not (math.isfinite(value) and value > 0):
            problems.append(Problem(f"{value:g}", name, "a positive number"))
    if not (math.isfinite(pulses) and pulses > 0):
        problems.append(Problem(f"{pulses:g} laser pulses", "--pulses", "a positive number"))
    if not problems and sigma_cps is not None and rate_cps == 0:
        problems.append(
            Problem(
                "a dark rate of 0 with a Gaussian error",
                "--dark-sigma",
                fix="give --dark-time: how long no count came",
            )
        )
    if problems:
        raise OptionError(problems)
    known = rate_cps * dark_time_s if dark_time_s is not None else (rate_cps / (sigma_cps or 1.0)) ** 2
    if known > MOST_COUNTS:
        raise OptionError(
            f"a dark rate known to {1 / math.sqrt(known):.1g} of itself",
            where="--dark-cps",
            allowed="an error of 1e-4 of the rate, or more",
            fix="for a background that is exactly known give --background COUNTS_PER_BIN",
        )
    if dark_time_s is not None:
        counts, seconds = rate_cps * dark_time_s, dark_time_s
        how = f"a dark record of {counts:.6g} counts in {dark_time_s:g} s"
    else:
        assert sigma_cps is not None
        counts, seconds = (rate_cps / sigma_cps) ** 2, rate_cps / sigma_cps**2
        how = f"{rate_cps:g} ± {sigma_cps:g} dark counts/s"
    record = DarkRecord(counts, seconds / (pulses * bin_ns * 1e-9), how)
    return DarkRecord(
        record.counts,
        record.bins,
        f"{how}, {pulses:.6g} pulses, bins of {bin_ns:.5g} ns: {record.per_bin:.4g} ± "
        f"{record.per_bin_sigma:.2g} "
        "counts per bin",
    )


def pulses_of(live_time_s: float | None, period_ns: float | None, pulses: float | None) -> float:
    """Laser pulses of a record: as told, or live time over period; `OptionError` where neither is known, or
    the two differ by more than 1 %.

    >>> pulses_of(60.0, 100.0, None)
    600000000.0
    """
    if live_time_s is not None and not (math.isfinite(live_time_s) and live_time_s > 0):
        raise OptionError(
            f"a live time of {live_time_s:g} s", where="--live-time", allowed="a positive number"
        )
    if pulses is not None:
        if live_time_s is not None and period_ns is not None:
            other = live_time_s / (period_ns * 1e-9)
            if abs(pulses / other - 1) > 0.01:
                raise OptionError(
                    f"--pulses {pulses:.6g}, but --live-time over --period is {other:.6g}",
                    allowed="the same number to 1 %",
                    fix="give only one of them",
                )
        return pulses
    if live_time_s is None or period_ns is None:
        raise OptionError(
            "dark counts per bin need the number of laser pulses",
            where="--dark-cps",
            allowed="--live-time SECONDS with --period NS, or --pulses N",
        )
    return live_time_s / (period_ns * 1e-9)
