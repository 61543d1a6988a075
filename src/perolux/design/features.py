"""From columns of a recipe to the coordinates of a Gaussian process, and the test of the training hull."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.design.table import Table, as_number, numbers
from perolux.errors import InputError

__all__ = ["Encoding", "encode", "learn_encoding", "outside_hull"]

Array = npt.NDArray[np.float64]
_LOG_RATIO = 10.0
"""A positive column whose largest value is more than ten times its smallest is taken as a logarithm."""


@dataclass(frozen=True)
class Encoding:
    """numeric: name, log, mean, spread; categories: name and known words; dropped: constant columns."""

    numeric: list[dict[str, Any]]
    categories: list[dict[str, Any]]
    dropped: list[str]


def learn_encoding(table: Table, features: list[str]) -> Encoding:
    """Choose logarithms and scales from the training table.

    A column is a category where most of its cells are no numbers; a few such cells are mistakes and are
    refused by line. The logarithm is taken of positive columns with max/min above 10. Constant columns
    are dropped.
    """
    numeric, categories, dropped = [], [], []
    for name in features:
        cells = table.column(name)
        if sum(as_number(cell) is None for cell in cells) > len(cells) / 2 and all(cells):
            categories.append({"name": name, "words": sorted(set(cells))})
            continue
        values = np.array(numbers(table, name), float)
        logarithm = bool(values.min() > 0.0 and values.max() > _LOG_RATIO * values.min())
        scaled = np.log(values) if logarithm else values
        if np.ptp(scaled) <= 1e-12 * max(1.0, float(np.abs(scaled).max())):
            dropped.append(name)
            continue
        numeric.append(
            {"name": name, "log": logarithm, "mean": float(scaled.mean()), "spread": float(scaled.std())}
        )
    if not numeric and not categories:
        raise InputError("every feature is constant", where=table.name, fix="name features that vary")
    return Encoding(numeric, categories, dropped)


def encode(table: Table, encoding: Encoding) -> Array:
    """Scaled numbers, then codes of the categories; an unknown word is -1.

    Raises `InputError` where a logarithm is asked of a number that is not positive.
    """
    columns = []
    for entry in encoding.numeric:
        values = np.array(numbers(table, entry["name"]), float)
        if entry["log"] and np.any(values <= 0.0):
            line = table.lines[int(np.argmax(values <= 0.0))]
            raise InputError(
                f"{entry['name']!r} was learned as a logarithm and must be positive",
                where=f"{table.name}, line {line}",
            )
        columns.append(((np.log(values) if entry["log"] else values) - entry["mean"]) / entry["spread"])
    for entry in encoding.categories:
        code = {word: i for i, word in enumerate(entry["words"])}
        columns.append(np.array([code.get(cell, -1) for cell in table.column(entry["name"])], float))
    return np.transpose(columns)


def outside_hull(train: Array, x: Array, encoding: Encoding) -> list[list[str]]:
    """For each row of x, what puts it outside the training data; an empty list is inside.

    Unknown words; numbers beyond the range of their column; else, where each lies in its range, a linear
    program asks whether the row is a convex combination of training rows (within 1e-6) in scaled numbers.
    """
    from scipy.optimize import linprog

    count = len(encoding.numeric)
    names = [entry["name"] for entry in encoding.numeric] + [entry["name"] for entry in encoding.categories]
    points = np.unique(train[:, :count], axis=0)
    reasons = []
    for row in x:
        why = [f"{names[count + j]}: unknown category" for j, code in enumerate(row[count:]) if code < 0]
        for j in range(count):
            low, high = points[:, j].min() - 1e-9, points[:, j].max() + 1e-9
            if not low <= row[j] <= high:
                why.append(f"{names[j]}: {'below' if row[j] < low else 'above'} the training range")
        if not why and count:
            # Least absolute distance to the hull: unlike plain feasibility it forgives rounding.
            identity = np.eye(count)
            equal = np.block(
                [[points.T, identity, -identity], [np.ones((1, len(points))), np.zeros((1, 2 * count))]]
            )
            cost = np.r_[np.zeros(len(points)), np.ones(2 * count)]
            answer = linprog(cost, A_eq=equal, b_eq=np.r_[row[:count], 1.0], method="highs")
            if not answer.success or answer.fun > 1e-6:
                why.append("combination of features outside the convex hull of the training rows")
        reasons.append(why)
    return reasons
