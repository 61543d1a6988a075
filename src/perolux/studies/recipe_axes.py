"""What a map varies: numbers of a recipe by their path, over a range, a list or a sample of their space.

    vessel.temperature=140..200 degC:13            13 values, evenly spaced
    kinetics.surface_rate_m_s=1e-8..1e-6:9log      9 values, evenly spaced in the logarithm
    events.1.contents.1.volume=0.1,0.2,0.4 mL      these values

Paths are those of the error messages of a recipe: entries of a list count from 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from perolux.errors import InputError, OptionError, Problem
from perolux.synthesis.recipe import recipe_of

__all__ = ["MOST_POINTS", "Axis", "Plan", "numbers_in", "parse_axis", "plan_of", "with_values"]

MOST_POINTS = 1_000_000
_BLOCK = 64
"""Sobol points that are drawn together: a power of two keeps them balanced."""
_FORM = "PATH=LOW..HIGH UNIT:POINTS, with :POINTSlog for even logarithms, or PATH=VALUE,VALUE,... UNIT"
_N = r"[+-]?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_RANGE = re.compile(rf"\s*({_N})\s*\.\.\s*({_N})\s*([^:=,]*?)\s*(?::\s*([0-9]{{1,9}})?\s*(log)?)?\s*")
_LIST = re.compile(rf"\s*({_N}(?:\s*,\s*{_N})*)\s*([^:=,]*?)\s*")
_PATH = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*", re.ASCII)
_MOST_SHOWN = 40


@dataclass(frozen=True)
class Axis:
    """One number of a recipe and what it becomes. values: of a list, else the two ends of a range.

    points: how many values there are (None: a range to be sampled). log: even in the logarithm.
    """

    path: str
    unit: str
    values: tuple[float, ...]
    points: int | None
    log: bool = False
    listed: bool = False

    @property
    def column(self) -> str:
        """Path and unit, the head of the axis in a table."""
        return f"{self.path} ({self.unit})" if self.unit else self.path

    def value(self, index: int) -> float:
        """The value at an index from 0, with 12 digits: what is written is what is grown."""
        if self.listed:
            return self.values[index]
        assert self.points is not None
        return self._between(index / (self.points - 1))

    def sampled(self, share: float) -> float:
        """The value at a share of the axis, 0 to 1: of a list the entry that lies there."""
        if self.listed:
            return self.values[min(int(share * len(self.values)), len(self.values) - 1)]
        return self._between(share)

    def _between(self, share: float) -> float:
        low, high = self.values
        if share in (0.0, 1.0):
            return high if share else low
        found = low * (high / low) ** share if self.log else low + (high - low) * share
        return float(f"{found:.12g}")

    def text(self, value: float) -> str | float:
        """The value as a recipe has it: with its unit, a plain number where it has none."""
        return f"{value!r} {self.unit}" if self.unit else value

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        spacing = "list" if self.listed else "log" if self.log else "linear"
        return {
            "path": self.path,
            "unit": self.unit or None,
            "spacing": spacing,
            "values": list(self.values) if self.listed else None,
            "low": None if self.listed else self.values[0],
            "high": None if self.listed else self.values[1],
            "points": self.points,
        }


@dataclass(frozen=True)
class Plan:
    """The points of a map: the full grid of the axes (the last runs fastest), or a sample of their space.

    sample: how many points of a scrambled Sobol sequence (Owen), None for the grid. seed: of its scrambling.
    """

    axes: tuple[Axis, ...]
    sample: int | None = None
    seed: int = 0

    def __len__(self) -> int:
        if self.sample is not None:
            return self.sample
        return prod(axis.points or 0 for axis in self.axes)

    def points(self, start: int = 0) -> Iterator[tuple[float, ...]]:
        """The values of all axes at each point, from the point `start` on; nothing is held in memory."""
        if self.sample is not None:
            yield from self._sobol(start)
            return
        lengths = [axis.points or 0 for axis in self.axes]
        for index in range(start, len(self)):
            values, rest = [], index
            for axis, length in zip(reversed(self.axes), reversed(lengths), strict=True):
                rest, k = divmod(rest, length)
                values.append(axis.value(k))
            yield tuple(reversed(values))

    def _sobol(self, start: int) -> Iterator[tuple[float, ...]]:
        from scipy.stats.qmc import Sobol

        engine = Sobol(len(self.axes), scramble=True, seed=np.random.default_rng(self.seed))
        first = start - start % _BLOCK
        if first:
            engine.fast_forward(first)
        for block in range(first, len(self), _BLOCK):
            shares = engine.random(_BLOCK)
            for index in range(max(block, start), min(block + _BLOCK, len(self))):
                row = shares[index - block].tolist()
                yield tuple(axis.sampled(share) for axis, share in zip(self.axes, row, strict=True))


def parse_axis(text: str) -> Axis:
    """The axis that a text such as "vessel.temperature=140..200 degC:13" says, or `OptionError`."""
    path, _, rest = text.partition("=")
    path = path.strip()
    where = f"--vary {path or text}"
    if not rest.strip() or not _PATH.fullmatch(path):
        raise OptionError(f"{text!r} is no axis", where="--vary", allowed=_FORM)
    if match := _RANGE.fullmatch(rest):
        low, high = float(match[1]), float(match[2])
        points = int(match[4]) if match[4] else None
        problems: list[Problem] = []
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            fix = f"write {match[2]}..{match[1]}" if high < low else "for one value change the recipe itself"
            problems.append(Problem(f"the range {match[1]}..{match[2]} is empty", where, "low..high", fix))
        elif match[5] and low <= 0:
            problems.append(Problem(f"log from {match[1]}", where, "a range above 0, or without log"))
        if points is not None and not 2 <= points <= MOST_POINTS:
            problems.append(Problem(f"{points} points", where, f"2 to {MOST_POINTS}"))
        if problems:
            raise OptionError(problems)
        return Axis(path, match[3], (low, high), points, log=match[5] is not None)
    if match := _LIST.fullmatch(rest):
        values = tuple(float(one) for one in match[1].split(","))
        if len(values) < 2 or len(set(values)) < len(values) or not np.isfinite(values).all():
            raise OptionError(
                f"{rest.strip()!r} does not vary",
                where=where,
                allowed=f"two or more different values; {_FORM}",
            )
        return Axis(path, match[2], values, len(values), listed=True)
    raise OptionError(f"{rest.strip()!r} is neither a range nor a list", where=where, allowed=_FORM)


def plan_of(content: dict[str, Any], vary: Sequence[str], sample: int | None, seed: int | None) -> Plan:
    """The plan of a map of a recipe (the content of its file). Raises `OptionError` with all faults at once.

    Both ends of a range and all values of a list must be what the recipe takes in that place; whether a
    flask with them can be carried out shows at each point.
    """
    axes: list[Axis] = []
    problems: list[Problem] = []
    for text in vary:
        try:
            axes.append(parse_axis(text))
        except OptionError as error:
            problems += error.problems
    if not vary:
        problems.append(Problem("nothing is varied", "--vary", _FORM))
    paths = [axis.path for axis in axes]
    problems += [
        Problem(f"{path} is varied {paths.count(path)} times", "--vary", "each path once")
        for path in dict.fromkeys(paths)
        if paths.count(path) > 1
    ]
    for axis in axes:
        problems += _unfit(content, axis)
    if sample is None:
        if seed is not None:
            problems.append(Problem("a grid draws no random numbers", "--seed", "with --sample N"))
        problems += [
            Problem(f"{axis.path}: a range without its number of points", "--vary", _FORM)
            for axis in axes
            if axis.points is None
        ]
    elif not 2 <= sample <= MOST_POINTS:
        problems.append(Problem(f"{sample} points", "--sample", f"2 to {MOST_POINTS}"))
    if seed is not None and seed < 0:
        problems.append(Problem(f"{seed} is no seed", "--seed", "0 or a whole number above it"))
    plan = Plan(tuple(axes), sample, seed or 0)
    if not problems and len(plan) > MOST_POINTS:
        problems.append(
            Problem(
                f"a grid of {len(plan)} points",
                "--vary",
                f"up to {MOST_POINTS}",
                "fewer points an axis, or --sample N",
            )
        )
    if problems:
        raise OptionError(problems)
    return plan


def with_values(content: dict[str, Any], axes: Sequence[Axis], values: Sequence[float]) -> dict[str, Any]:
    """The content of a recipe with the values of the axes in it; `content` itself stays as it is."""
    for axis, value in zip(axes, values, strict=True):
        content = _put(content, axis.path.split("."), axis.text(value), "")
    return content


def numbers_in(content: dict[str, Any]) -> list[str]:
    """Paths of all numbers that a recipe gives."""
    recipe = recipe_of(content)
    return [path for path in _leaves(content, "") if isinstance(_at(recipe, path.split(".")), float)]


def _unfit(content: dict[str, Any], axis: Axis) -> list[Problem]:
    for value in axis.values:
        try:
            recipe = recipe_of(with_values(content, [axis], [value]))
            if not isinstance(_at(recipe, axis.path.split(".")), float):
                raise OptionError(f"{axis.path} is no number of a recipe")
        except (InputError, OptionError) as error:
            remedy = _remedy(content, axis, error)
            return [Problem(p.what, "--vary", p.allowed, p.fix or remedy) for p in error.problems]
    return []


def _remedy(content: dict[str, Any], axis: Axis, error: InputError | OptionError) -> str | None:
    said = str(error)
    if axis.path.startswith("observe.times"):
        return "a map has its own 60 times: vary observe.until"
    if axis.unit and "valid number" in said:
        return "leave the unit out: it is in the name"
    if isinstance(error, InputError) and not any(words in said for words in ("is no key", "valid string")):
        return None
    if axis.path.startswith("kinetics."):
        return f"a constant: {', '.join(_constants(content))}"
    shown = numbers_in(content)[:_MOST_SHOWN]
    return f"a number of this recipe: {', '.join(shown)}; or kinetics.NAME"


def _constants(content: dict[str, Any]) -> list[str]:
    """Names of [kinetics] of the route of a recipe."""
    return list(type(recipe_of(content).kinetics).model_fields)


def _put(node: Any, parts: Sequence[str], value: str | float, done: str) -> Any:
    """`node` with the value at the path `parts`, copied along it."""
    part, rest = parts[0], parts[1:]
    here = f"{done}.{part}" if done else part
    if isinstance(node, list):
        if not (part.isdigit() and 1 <= int(part) <= len(node)):
            raise OptionError(f"{done} has {len(node)} entries, not {part!r}", allowed=f"1 to {len(node)}")
        k = int(part) - 1
        changed = list(node)
        changed[k] = _put(node[k], rest, value, here) if rest else value
        return changed
    if not isinstance(node, dict):
        raise OptionError(f"{done} is a value and has no {part!r}")
    if rest:
        if part not in node and here != "kinetics":
            raise OptionError(f"the recipe has no {here}", allowed=", ".join(map(str, node)) or None)
        return node | {part: _put(node.get(part, {}), rest, value, here)}
    if isinstance(node.get(part), dict | list):
        raise OptionError(f"{here} holds several things and is no number of a recipe")
    return node | {part: value}


def _at(thing: Any, parts: Sequence[str]) -> Any:
    for part in parts:
        thing = thing[int(part) - 1] if isinstance(thing, tuple) else getattr(thing, part)
    return thing


def _leaves(node: Any, done: str) -> Iterator[str]:
    pairs: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(node, dict):
        pairs = iter(node.items())
    elif isinstance(node, list):
        pairs = iter(enumerate(node, 1))
    else:
        yield done
    for key, inner in pairs:
        yield from _leaves(inner, f"{done}.{key}" if done else str(key))
