"""The envelope of methods none of which is right, widened by what it missed where the truth is known.

For each time the lowest and highest of truncated Wigner, cumulants and product-state diffusion, two standard
errors of each added, and beyond the burst a margin, in shares of the excitations of the start:

    margin = q (max(N, 12)/12)^max(p + 2 error of p, 0)      N emitters

q held nine tenths of the calibrating cases of 4 to 12 emitters (split conformal, at all times to 2/Gamma at
once; no shape is fitted, so that it holds whatever the misses are like). p is the power by which the mean
miss goes with N from 4 to 12; above, the margin is carried on with its upper end. `data/envelopes.csv` tells
the share of the other half of the cases that lay inside, with its binomial interval, and that of more than 12
emitters, which were used for nothing else
(`tools/calibrate_collective_envelopes.py`; the cases lie beside it).
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perolux.collective.couplings import FloatArray
from perolux.collective.rows import Emission

__all__ = ["LARGEST", "Envelope", "Margin", "bare", "envelope", "grown", "is_widened"]
__all__ += ["margins", "read_table"]

LARGEST = 12
"""Emitters of the largest cases that set the margins."""
UNTIL = 2.0
"""1/Gamma: the last time of the cases."""
_ERRORS, _TOO_WIDE = 2.0, 0.5


@dataclass(frozen=True)
class Margin:
    """start: all or some excited. quantity: rate (after the burst) or population. over_excitations: margin up
    to 12 emitters over the excitations of the start. growth: p, with its standard error. test_inside: how
    many of test_cases lay within; coverage_low, coverage_high: 95 % interval of that share. bare_coverage: of
    all without margin. beyond_cases, beyond_inside: of more than 12 emitters, up to beyond_most."""

    start: str
    quantity: str
    over_excitations: float
    growth: float
    growth_error: float
    calibration_cases: int
    test_cases: int
    test_inside: int
    coverage_low: float
    coverage_high: float
    bare_coverage: float
    beyond_cases: int
    beyond_inside: int
    beyond_most: int

    @property
    def coverage(self) -> float:
        """Share of the test cases that lay within."""
        return self.test_inside / self.test_cases

    def of(self, emitters: int) -> float:
        """Over the excitations, for so many emitters."""
        return self.over_excitations * grown(self.growth, self.growth_error, emitters)


@dataclass(frozen=True)
class Envelope:
    """low, high: photon rate (Gamma); excited_low, excited_high: population; all (k,). sentence: how far to
    trust it."""

    low: FloatArray = field(repr=False)
    high: FloatArray = field(repr=False)
    excited_low: FloatArray = field(repr=False)
    excited_high: FloatArray = field(repr=False)
    sentence: str


@cache
def margins() -> dict[tuple[str, str], Margin]:
    """The calibrated margins by start and quantity."""
    found = [
        Margin(
            line["start"], line["quantity"], float(line["margin_over_excitations"]),
            float(line["growth"]), float(line["growth_error"]), int(line["calibration_cases"]),
            int(line["test_cases"]), int(line["test_inside"]), float(line["coverage_low"]),
            float(line["coverage_high"]), float(line["bare_coverage"]), int(line["beyond_cases"]),
            int(line["beyond_inside"]), int(line["beyond_most"]),
        )
        for line in read_table("envelopes")
    ]  # fmt: skip
    return {(one.start, one.quantity): one for one in found}


def read_table(name: str) -> list[dict[str, str]]:
    """Lines of `data/envelopes.csv` or `data/envelope_cases.csv`."""
    text = (Path(__file__).parent / "data" / f"{name}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def bare(
    times: FloatArray, rates: FloatArray, errors: FloatArray, excited: int
) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest photon rate (k,) of methods (m, k) with two standard errors of each.

    At time 0 the rate of a product state is the number of its excitations, exactly.
    """
    low = np.maximum(np.min(rates - _ERRORS * errors, axis=0), 0.0)
    high = np.max(rates + _ERRORS * errors, axis=0)
    start = times == 0.0
    return np.where(start, float(excited), low), np.where(start, float(excited), high)


def grown(growth: float, error: float, emitters: int) -> float:
    """A margin over that of up to 12 emitters."""
    return float(max(emitters / LARGEST, 1.0) ** max(growth + 2.0 * error, 0.0))


def is_widened(times: FloatArray, high: FloatArray, whole: bool) -> npt.NDArray[np.bool_]:
    """At which times the rate is widened: from the highest burst on, of partial excitation at all but 0."""
    return np.asarray(np.arange(len(high)) >= int(np.argmax(high))) if whole else times > 0.0


def envelope(several: Sequence[Emission], excited: int, emitters: int) -> Envelope:
    """The widened envelope of several emissions of one case with so many of its emitters excited at first.

    Rates are widened from the highest burst on, and up to it of partial excitation too; the height of a full
    burst is left as it is: it lay between the methods in the cases known.
    """
    times, first = several[0].times, float(excited)
    whole = excited == emitters
    start = "all" if whole else "some"
    rate, population = margins()[start, "rate"], margins()[start, "population"]
    rates = np.stack([one.photon_rate for one in several])
    ups = np.stack([one.excited for one in several])
    low, high = bare(times, rates, np.stack([one.sigma for one in several]), excited)
    later = is_widened(times, high, whole)
    size, up = rate.of(emitters) * first, population.of(emitters) * first
    wide = np.where(later, high + size, high)
    return Envelope(
        np.where(later, np.maximum(low - size, 0.0), low),
        np.minimum(wide, np.max(high)) if whole else wide,
        np.clip(ups.min(axis=0) - up, 0.0, first),
        np.clip(ups.max(axis=0) + up, 0.0, first),
        _sentence(rate, population, emitters, float(times[-1])),
    )


def _sentence(rate: Margin, population: Margin, emitters: int, end: float) -> str:
    """How wide, and what is known of it."""
    after = " after the burst" if rate.start == "all" else ""
    told = (
        f"widened by {rate.of(emitters):.2g} (rate{after}) and "
        f"{population.of(emitters):.2g} (population) of the excitations, which held {_share(rate)} "
        f"and {_share(population)} of {rate.test_cases} cases of 4 to {LARGEST} emitters without loss that "
        "were not used to set it (95 % intervals)"
    )
    if emitters > LARGEST:
        told += (
            f"; above {LARGEST} emitters the margin is extrapolated (within it lay {rate.beyond_inside} and "
            f"{population.beyond_inside} of {rate.beyond_cases} cases of up to {rate.beyond_most} emitters), "
            "not known to hold for more"
        )
    if population.of(emitters) > _TOO_WIDE:
        told += "; so wide that little is said of tail and population"
    if end > UNTIL:
        told += f"; not measured after {UNTIL:g}/Gamma"
    return told


def _share(one: Margin) -> str:
    return f"{100 * one.coverage:.0f} ({100 * one.coverage_low:.0f} to {100 * one.coverage_high:.0f}) %"
