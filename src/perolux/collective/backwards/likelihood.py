"""Likelihood of a model of bursts: where the photons fall, Poisson counts with their scale averaged out.

    pi_c ~ sum over bands of [photons in the time bin behind the response] x [share of the energy bin]
    ln L = sum_c n_c ln[(1 - b) pi_c + b/cells],      b = background counts/all counts

A trace of T photons is a Poisson number T times a multinomial over its cells. The scale of each trace (its
volume, exposure, filters) is free and the same in every model: with the total as its only witness it leaves
the multinomial, and drops out of every comparison. With `same_exposure` all traces are one multinomial, so
that yields against fluence count too. Every model has the same pulse time, background and (with a spectrum)
two Gaussian bands.
"""

from __future__ import annotations

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from perolux.collective.backwards.data import BurstData
from perolux.collective.backwards.models import MODELS, photons_until
from perolux.collective.couplings import FloatArray
from perolux.collective.instruments.response import FWHM_PER_SIGMA, blur_kernel, blurred, delayed

__all__ = ["Prior", "Problem", "burst_problem", "prior_records"]

_FINEST = 2000


@dataclass(frozen=True)
class Prior:
    """A parameter: name, law "log" or "uniform" between low and high, in words, kind and reason."""

    name: str
    law: str
    low: float
    high: float
    meaning: str
    kind: str
    reason: str

    def at(self, u: float) -> float:
        """The value with the share u of the prior below it."""
        if self.law == "log":
            return self.low * (self.high / self.low) ** u
        return self.low + (self.high - self.low) * u

    def share(self, value: float) -> float:
        """The share of the prior below a value."""
        if self.law == "log":
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


@cache
def prior_records() -> dict[str, Prior]:
    """The priors of `priors.toml`, by name."""
    text = files("perolux.collective.backwards").joinpath("priors.toml").read_text("utf-8")
    return {name: Prior(name, **one) for name, one in tomllib.loads(text).items()}


def _axis_priors(data: BurstData) -> dict[str, Prior]:
    """Priors that the axes of the data set."""
    low, high = float(data.fluences[0]), float(data.fluences[-1])
    unit = data.fluence_unit or "of the fluence given"
    found = {
        "pulse_ps": Prior(
            "pulse_ps", "uniform", *data.zero_ps, "time of the pulse", "assumed", "the axis of time"
        ),
        "background": Prior(
            "background", "log", 1e-3, max(float(data.counts.mean()), 2e-3), "background counts per cell",
            "assumed", "up to all counts",
        ),
        "saturation_fluence": Prior(
            "saturation_fluence", "log", low / 5.0, 50.0 * high,
            f"fluence that makes one exciton in a nanocrystal on average ({unit})", "assumed",
            "from five times below the first fluence to fifty times above the last",
        ),
        "bimolecular_fluence": Prior(
            "bimolecular_fluence", "log", low / 50.0, 1e3 * high,
            f"fluence at which pairs meet as often as they decay ({unit})", "assumed",
            "from all to nothing of it",
        ),
    }  # fmt: skip
    if data.energy_edges_ev is not None:
        edges = data.energy_edges_ev
        found["energy_ev"] = Prior(
            "energy_ev", "uniform", float(edges[0]), float(edges[-1]), "middle of the first band (eV)",
            "assumed", "the axis of energy",
        )  # fmt: skip
    return found


@dataclass(frozen=True, eq=False)
class Problem:
    """A model before data: names of parameters, their priors, and the likelihood. fine_ps (F + 1): even steps
    that hold every edge of the data; at (T + 1): positions of those edges among them."""

    name: str
    data: BurstData
    priors: tuple[Prior, ...]
    fine_ps: FloatArray
    at: np.ndarray[Any, Any]
    kernel: FloatArray
    first: int

    def numbers(self, u: FloatArray) -> dict[str, float]:
        """Parameters by name at a point of the unit cube."""
        return {prior.name: prior.at(float(x)) for prior, x in zip(self.priors, u, strict=True)}

    def bands(self, numbers: dict[str, float]) -> FloatArray:
        """Photons in each time bin behind the response, (2, J, T): base and second."""
        data = self.data
        until = photons_until(self.name, numbers, data.fluences, self.fine_ps - numbers["pulse_ps"])
        steps = np.diff(np.stack(until), axis=-1)
        step = float(self.fine_ps[1] - self.fine_ps[0])
        if MODELS[self.name].transit:
            steps[1] = delayed(steps[1], step, numbers["transit_ps"])
        seen = blurred(steps, self.kernel, self.first)
        total = np.concatenate([np.zeros((*seen.shape[:-1], 1)), np.cumsum(seen, axis=-1)], axis=-1)
        return np.diff(total[..., self.at], axis=-1)

    def shares(self, numbers: dict[str, float]) -> FloatArray:
        """Chance of each cell without background, (J, T, L), and its sum over the cells compared is 1."""
        bands = self.bands(numbers)
        lines = self._lines(numbers)
        cells = np.einsum("bjt,bl->jtl", bands, lines)
        axes = None if self.data.same_exposure else (1, 2)
        total = cells.sum(axis=axes, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(cells / total)

    def _lines(self, numbers: dict[str, float]) -> FloatArray:
        edges = self.data.energy_edges_ev
        if edges is None:
            return np.ones((2, 1))
        from scipy.special import ndtr

        width, ratio = numbers["width_mev"], numbers["width_ratio"]
        found = []
        for shift, own in ((0.0, width), (numbers["shift_mev"], width * ratio)):
            sigma = 1e-3 * math.hypot(own, self.data.resolution_mev) / FWHM_PER_SIGMA
            found.append(np.diff(ndtr((edges - numbers["energy_ev"] - 1e-3 * shift) / sigma)))
        return np.stack(found)

    def expected(self, numbers: dict[str, float]) -> FloatArray:
        """Expected counts of each cell, (J, T, L), with the totals that were measured."""
        shares = self.shares(numbers)
        n = self.data.counts
        if self.data.same_exposure:
            return self._mixed(shares, numbers, float(n.sum()), n.size)
        per_trace = [
            self._mixed(shares[j], numbers, float(n[j].sum()), n[j].size) for j in range(len(n))
        ]
        return np.stack(per_trace)

    def _mixed(self, shares: FloatArray, numbers: dict[str, float], total: float, cells: int) -> FloatArray:
        background = min(numbers["background"] * cells / total, 0.999)
        widths = np.diff(self.data.edges_ps)
        level = widths / widths.mean()
        if self.data.energy_edges_ev is not None:
            wide = np.diff(self.data.energy_edges_ev)
            flat = level[:, None] * (wide / wide.mean())[None, :]
        else:
            flat = level[:, None]
        return np.asarray(total * ((1.0 - background) * shares + background * flat / cells))

    def log_likelihood(self, u: FloatArray) -> float:
        """ln L at a point of the unit cube, without the terms that every model has."""
        expected = self.expected(self.numbers(u))
        n = self.data.counts
        if not np.isfinite(expected).all():
            return -math.inf
        floor = np.maximum(expected, 1e-300)
        return float(np.sum(n * np.log(floor))) - self._perfect

    @property
    def _perfect(self) -> float:
        n = self.data.counts
        return float(np.sum(n[n > 0.0] * np.log(n[n > 0.0])))

    def deviance(self, numbers: dict[str, float]) -> float:
        """2 (ln L of perfect shares - ln L)."""
        n, m = self.data.counts, self.expected(numbers)
        seen = n > 0.0
        return 2.0 * float(np.sum(n[seen] * np.log(n[seen] / m[seen])))


def burst_problem(name: str, data: BurstData) -> Problem:
    """The likelihood of the model `name` of `MODELS` for data."""
    known = prior_records() | _axis_priors(data)
    names = [*MODELS[name].parameters, "pulse_ps", "background"]
    if data.energy_edges_ev is not None:
        names += ["energy_ev", "width_mev", "shift_mev", "width_ratio"]
    fine, at = _fine_steps(data)
    kernel, first = blur_kernel(data.response, float(fine[1] - fine[0]))
    return Problem(name, data, tuple(known[one] for one in names), fine, at, kernel, first)


def _fine_steps(data: BurstData) -> tuple[FloatArray, np.ndarray[Any, Any]]:
    """Even steps of no more than half the response's sigma; edges of uneven data move to the nearest one."""
    edges = data.edges_ps
    smallest = float(np.diff(edges).min())
    wanted = min(smallest, max(0.5 * data.response.sigma_ps, 0.1 * smallest))
    parts = max(math.ceil(smallest / wanted - 1e-9), 1)
    step = smallest / parts
    before = math.ceil(max(edges[0] - data.zero_ps[0], -data.response.reach[0], 0.0) / step) + 1
    count = math.ceil((float(edges[-1]) - float(edges[0])) / step - 1e-6)
    while count > 10 * _FINEST and parts > 1:
        parts -= 1
        step, count = smallest / parts, math.ceil((float(edges[-1]) - float(edges[0])) * parts / smallest)
    fine = float(edges[0]) + step * np.arange(-before, count + 2)
    at = np.clip(np.rint((edges - fine[0]) / step).astype(int), 0, len(fine) - 1)
    return fine, at
