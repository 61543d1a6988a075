"""Stays in the bright and the dark state of a blinking record, and the laws of their lengths.

A stay is a run of stretches whose levels are all on, or all off. The first and the last are cut by the
record; the last still says that it was longer than it was seen to be. Laws of on and off stays are
corrected for what the search for changes misses (`missed_dwells`); the plain fits to the same dwells stand
beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import PeroluxError
from perolux.photons.change_points import Segments
from perolux.photons.dwell_times import DwellComparison, against_limit, compare_laws
from perolux.photons.levels import Levels
from perolux.photons.missed_dwells import FoundDwells, compare_found, without_errors

__all__ = ["DwellLaws", "Stays", "dwell_laws", "stays_of"]

FloatArray = npt.NDArray[np.float64]
_FEWEST = 40
_LIMITS = (1.0, 3.0, 10.0)


@dataclass(frozen=True)
class Stays:
    """Whole stays in order: length_s, is_on, (n,); cut_s and cut_on: the last one, which the record cut.
    rates_cps: mean rates of all stretches that are on and off."""

    length_s: FloatArray
    is_on: npt.NDArray[np.bool_]
    cut_s: float
    cut_on: bool
    rates_cps: dict[str, float]


@dataclass(frozen=True)
class DwellLaws:
    """Laws of one kind of dwells. laws: the best knowledge, corrected where that could be done; plain:
    without correction; found: what was missed, or None; reason: why there is no correction. against_limit:
    the truncated power law from other lower limits on, not corrected."""

    length_s: FloatArray
    laws: DwellComparison
    plain: DwellComparison
    found: FoundDwells | None
    reason: str | None
    against_limit: tuple[dict[str, float], ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON: laws, beside them `uncorrected`, and `missed`."""
        corrected = self.reason is None
        missed: dict[str, Any] = {"reason": self.reason}
        if self.found is not None:
            missed |= {
                "missed_share": self.found.missed_share,
                "merged_share": self.found.merged_share,
                "dead_time_s": self.found.dead_time_s,
                "chance_at_lower": self.found.chance_at_lower,
                "power_laws_begin_s": self.found.begin_s,
                "rate_cps": self.found.rate_cps,
                "other_cps": self.found.other_cps,
                "note": self.found.note,
            }
        return {
            "dwells": self.laws.fits[0].dwells,
            "lower_s": self.laws.fits[0].lower_s,
            **_laws_dict(self.laws),
            "corrected": corrected,
            "missed": missed,
            "uncorrected": _laws_dict(self.plain),
            "against_lower_limit": [dict(one) for one in self.against_limit],
        }


def stays_of(segments: Segments, levels: Levels, on_levels: npt.NDArray[np.bool_]) -> Stays:
    """Join neighbouring stretches of one state; the first stay is left out, the last told apart."""
    state = on_levels[levels.of_segment]
    start = np.concatenate([[0], np.flatnonzero(np.diff(state.astype(int)) != 0) + 1])
    length = np.diff(np.append(segments.start_s[start], segments.stop_s[-1]))
    kind = state[start]
    rates = {}
    for name, rows in (("on", state), ("off", ~state)):
        time = float(segments.duration_s[rows].sum())
        rates[name] = float(segments.photons[rows].sum()) / time if time > 0 else 0.0
    return Stays(length[1:-1], kind[1:-1], float(length[-1]), bool(kind[-1]), rates)


def dwell_laws(
    segments: Segments, levels: Levels, on_levels: npt.NDArray[np.bool_], lower_s: float | None = None
) -> tuple[dict[str, DwellLaws], dict[str, str]]:
    """Laws of the stays on, of those off, and of all stretches, and the reason where there are none.

    lower_s: dwells from there on are fitted; three times the median of the shortest tenth if left out, since
    no law of the five holds down to where a physical one begins. How many stays are missed is told by all
    that are found. A stay that ended with the record counts as longer than that.
    Stretches have too many kinds of neighbours for a correction.
    """
    stays = stays_of(segments, levels, on_levels)
    sets = {
        "on": stays.length_s[stays.is_on],
        "off": stays.length_s[~stays.is_on],
        "stretches": segments.duration_s[1:-1],
    }
    missing = {
        name: f"{len(values)} whole dwells are too few"
        for name, values in sets.items()
        if len(values) < _FEWEST
    }
    found: dict[str, FoundDwells] = {}
    reason = next((f"{name}: {missing[name]}" for name in ("on", "off") if name in missing), None)
    if reason is None:
        try:
            found = compare_found(
                {name: sets[name] for name in ("on", "off")},
                stays.rates_cps,
                segments.threshold,
                cut_s={"on" if stays.cut_on else "off": stays.cut_s},
                lower_s={name: lower_s or _shortest(sets[name]) for name in ("on", "off")},
            )
        except PeroluxError as error:
            reason = error.problems[0].what
    laws: dict[str, DwellLaws] = {}
    for name, values in sets.items():
        if name in missing:
            continue
        one = found.get(name)
        lower = lower_s if one is None else one.lower_s
        try:
            laws[name] = _of_one(values, one, reason, lower if lower is not None else _shortest(values))
        except PeroluxError as error:
            missing[name] = error.problems[0].what
    return laws, missing


def _of_one(values: FloatArray, one: FoundDwells | None, reason: str | None, lower: float) -> DwellLaws:
    plain = compare_laws(values, lower_s=lower)
    limits = [
        against_limit(values, [factor * lower])[0]
        for factor in _LIMITS
        if (values >= factor * lower).sum() >= _FEWEST
    ]
    if one is None and reason is None:
        reason = "stretches have many kinds of neighbours: what is missed is corrected for stays only"
    laws = plain if one is None else one.laws
    if laws is None:  # more than half are missed: errors of what is found would say too much
        laws = replace(plain, fits=tuple(without_errors(fit) for fit in plain.fits))
    return DwellLaws(
        length_s=values,
        laws=laws,
        plain=plain,
        found=one,
        reason=reason if one is None else one.reason,
        against_limit=tuple(
            {"lower_s": fit.lower_s, "dwells": fit.dwells, **fit.parameters} for fit in limits
        ),
    )


def _shortest(values: FloatArray) -> float:
    """A lower limit above which nearly all dwells are seen: three times the median of the shortest tenth."""
    return 3.0 * float(np.median(np.sort(values)[: max(len(values) // 10, 5)]))


def _laws_dict(found: DwellComparison) -> dict[str, Any]:
    return {
        "best": found.fits[0].law,
        "p_power_law": found.p_power_law,
        "laws": [
            {
                "law": fit.law,
                "parameters": fit.parameters,
                "sigma": fit.sigma,
                "low95": fit.low95,
                "high95": fit.high95,
                "log_likelihood_over_power_law": found.against_power_law[fit.law],
                "bic": fit.bic,
            }
            for fit in found.fits
        ],
    }
