"""Pieces of long runs of this room: emissions as plain arrays, and sums over batches of trajectories.

A batch of T trajectories is its count, means and sums of squares about its own mean, so that batches join in
a fixed order without the loss of digits of plain squares (Chan, Golub, LeVeque 1983):

    mean = sum n_b mean_b/n,   M2 = sum [M2_b + n_b (mean_b - mean)^2],   sigma = sqrt(M2/(n (n - 1)))
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from perolux.collective.couplings import FloatArray
from perolux.collective.lines import Lines
from perolux.collective.phased import LightCourse
from perolux.collective.rows import Emission
from perolux.pieces import Pieces

__all__ = ["MOST_BATCHES", "LightOfDraw", "batch_of", "joined_batches", "kept_batch", "kept_emission"]
__all__ += ["kept_light", "means_of"]

MOST_BATCHES = 64
"""Of one emission: more would fill memory and disk with sums."""

_COURSES = ("photon_rate", "excited", "sigma")
_ENDS = ("low", "high", "excited_low", "excited_high")
_NUMBERS = ("g2_zero", "imbalance")
_LINES = ("poles", "weights")
_COURSE = ("photon_rate", "excited", "frequency", "g2")
_CUTS = 3


def kept_emission(pieces: Pieces, name: str, times: FloatArray, make: Callable[[], Emission]) -> Emission:
    """An emission: read, if a run before has finished it, else computed by `make` and kept."""

    def arrays_of() -> tuple[dict[str, Any], dict[str, FloatArray]]:
        found = make()
        arrays = {key: getattr(found, key) for key in _COURSES}
        arrays |= {key: one for key in _ENDS if (one := getattr(found, key)) is not None}
        arrays |= {key: np.array([one]) for key in _NUMBERS if (one := getattr(found, key)) is not None}
        return {"method": found.method, "validity": found.validity, "notes": list(found.notes)}, arrays

    k = len(times)
    row, arrays = pieces.piece(
        name,
        dict.fromkeys(_COURSES, k),
        arrays_of,
        optional=dict.fromkeys(_ENDS, k) | dict.fromkeys(_NUMBERS, 1),
    )
    return Emission(
        str(row.get("method")), str(row.get("validity")), times, arrays["photon_rate"], arrays["excited"],
        arrays["sigma"], _number(arrays, "g2_zero"), _number(arrays, "imbalance"), arrays.get("low"),
        arrays.get("high"), arrays.get("excited_low"), arrays.get("excited_high"),
        tuple(str(one) for one in row.get("notes", ())),
    )  # fmt: skip


def _number(arrays: dict[str, FloatArray], name: str) -> float | None:
    return float(arrays[name][0]) if name in arrays else None


def batch_of(rate: FloatArray, excited: FloatArray) -> dict[str, FloatArray]:
    """A batch of trajectories, rows (T, k) of rate and population, as sums."""
    mean = rate.mean(axis=0)
    return {
        "count": np.array([float(len(rate))]),
        "rate": mean,
        "squares": np.sum((rate - mean) ** 2, axis=0),
        "excited": excited.mean(axis=0),
    }


def kept_batch(
    pieces: Pieces, name: str, steps: int, make: Callable[[], dict[str, FloatArray]]
) -> dict[str, FloatArray]:
    """A batch of trajectories of `steps` times, as `batch_of` gives it: read or computed."""
    lengths = {"count": 1, "rate": steps, "squares": steps, "excited": steps}
    return pieces.arrays(name, lengths, make)


def joined_batches(batches: Sequence[dict[str, FloatArray]]) -> dict[str, FloatArray]:
    """Batches as one, summed in their order."""
    counts = np.array([one["count"][0] for one in batches])
    total = float(counts.sum())
    rates = np.stack([one["rate"] for one in batches])
    mean = counts @ rates / total
    return {
        "count": np.array([total]),
        "rate": mean,
        "squares": np.sum([one["squares"] for one in batches], axis=0) + counts @ (rates - mean) ** 2,
        "excited": counts @ np.stack([one["excited"] for one in batches]) / total,
    }


def means_of(batches: Sequence[dict[str, FloatArray]]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean rate, mean population and standard error of the mean rate, (k,) each, over all batches."""
    whole = joined_batches(batches)
    total = float(whole["count"][0])
    return whole["rate"], whole["excited"], np.sqrt(whole["squares"] / (total * (total - 1.0)))


@dataclass(frozen=True)
class LightOfDraw:
    """Light of one draw: lines of all of it and of one excitation at random, mean frequency of the first
    light of both (Gamma), photons per sr in three planes (3, angles), the largest over the mean and its
    direction, and the course against time if it was asked for."""

    lines: Lines
    weak: Lines
    first: float
    weak_first: float
    pattern: FloatArray
    directivity: float
    brightest: tuple[float, ...]
    course: LightCourse | None


def kept_light(pieces: Pieces, steps: int, make: Callable[[], LightOfDraw]) -> LightOfDraw:
    """The light of one draw: read or computed. steps: times of its course."""

    def arrays_of() -> tuple[dict[str, Any], dict[str, FloatArray]]:
        one = make()
        arrays = {
            f"{name} {key}": np.asarray(getattr(lines, key), dtype=complex).view(float)
            for name, lines in (("lines", one.lines), ("weak", one.weak))
            for key in _LINES
        }
        numbers = [one.first, one.weak_first, one.directivity, *one.brightest]
        arrays |= {"numbers": np.array(numbers), "pattern": one.pattern.ravel()}
        row: dict[str, Any] = {"lines": one.lines.method, "weak": one.weak.method}
        if one.course is not None:
            arrays |= {key: getattr(one.course, key) for key in _COURSE}
            zero = [] if one.course.g2_zero is None else [one.course.g2_zero]
            arrays["course"] = np.array([one.course.imbalance, *zero])
        return row, arrays

    lengths = {f"{name} {key}": None for name in ("lines", "weak") for key in _LINES}
    row, arrays = pieces.piece(
        "light", {**lengths, "numbers": 6, "pattern": None}, arrays_of,
        optional=dict.fromkeys(_COURSE, steps) | {"course": None},
    )  # fmt: skip
    lines, weak = (
        Lines(
            arrays[f"{name} poles"].view(complex), arrays[f"{name} weights"].view(complex), str(row.get(name))
        )
        for name in ("lines", "weak")
    )
    first, weak_first, directivity, *brightest = (float(one) for one in arrays["numbers"])
    course = None
    if "course" in arrays:
        imbalance, *zero = (float(one) for one in arrays["course"])
        course = LightCourse(
            arrays["photon_rate"], arrays["excited"], arrays["frequency"], arrays["g2"],
            zero[0] if zero else None, imbalance,
        )  # fmt: skip
    pattern = arrays["pattern"].reshape(_CUTS, -1)
    return LightOfDraw(lines, weak, first, weak_first, pattern, directivity, tuple(brightest), course)
