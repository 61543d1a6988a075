"""The envelope of methods none of which is right, widened by what it missed where the exact result is known.

For each time the lowest and highest of truncated Wigner, cumulants and product-state diffusion, and beyond
the burst a margin, in excitations of the start, that held a share of the exact cases it was not measured on
(`data/envelopes.csv`, made by `tools/calibrate_collective_envelopes.py`; the cases lie beside it). Cases have
4 to 6 emitters on pitches of 11 to 15 nm: that the same margin holds for more is not known.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from perolux.collective.couplings import FloatArray
from perolux.collective.rows import Emission

__all__ = ["Envelope", "Margin", "envelope", "margins"]


@dataclass(frozen=True)
class Margin:
    """start: all or some excited. quantity: rate (after the burst) or population. over_excitations: margin
    over the excitations of the start. coverage: share of test_cases that lay within; bare_coverage: without
    margin."""

    start: str
    quantity: str
    over_excitations: float
    calibration_cases: int
    test_cases: int
    coverage: float
    bare_coverage: float


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
    text = (Path(__file__).parent / "data" / "envelopes.csv").read_text("utf-8")
    found = [
        Margin(
            line["start"], line["quantity"], float(line["margin_over_excitations"]),
            int(line["calibration_cases"]), int(line["test_cases"]),
            float(line["coverage"]), float(line["bare_coverage"]),
        )
        for line in csv.DictReader(text.splitlines())
    ]  # fmt: skip
    return {(one.start, one.quantity): one for one in found}


def envelope(several: Sequence[Emission], whole: bool) -> Envelope:
    """The widened envelope of several emissions of one case. whole: all were excited at first.

    Rates are widened from the highest burst on, and up to it of partial excitation too; the height of a full
    burst is left as it is: it lay between the methods in all cases known.
    """
    start = "all" if whole else "some"
    rate, population = margins()[start, "rate"], margins()[start, "population"]
    rates = np.stack([one.photon_rate for one in several])
    ups = np.stack([one.excited for one in several])
    first = float(ups[0, 0])
    low, high = rates.min(axis=0), rates.max(axis=0)
    top = int(np.argmax(high))
    later = np.arange(len(low)) >= (top if whole else 1)
    size = rate.over_excitations * first
    wide = np.where(later, high + size, high)
    return Envelope(
        np.where(later, np.maximum(low - size, 0.0), low),
        np.minimum(wide, np.max(high)) if whole else wide,
        np.clip(ups.min(axis=0) - population.over_excitations * first, 0.0, first),
        np.clip(ups.max(axis=0) + population.over_excitations * first, 0.0, first),
        f"widened by {rate.over_excitations:.2g} (rate{' after the burst' if whole else ''}) and "
        f"{population.over_excitations:.2g} (population) of the excitations, which held "
        f"{100 * rate.coverage:.0f} % and {100 * population.coverage:.0f} % of {rate.test_cases} exact cases "
        "of 4 to 6 emitters without loss that were not used to set it; not known to hold for more emitters",
    )  # fmt: skip
