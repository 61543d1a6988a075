"""Likelihood of a model of bursts: where the photons fall, Poisson counts with their scale averaged out.

    pi_c ~ sum over bands of [photons in the time bin behind the response] x [share of the energy bin]
    ln L = sum_c n_c ln[(1 - b) pi_c + b e_c],   e_c: even in time and energy, b = background/all counts

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

import numpy as np
import numpy.typing as npt

from perolux.collective.backwards._fit_kernels import (
    binned,
    deviance_residuals,
    expected_counts,
    log_likelihood,
    steps_of,
)
from perolux.collective.backwards.data import BurstData
from perolux.collective.backwards.models import MODELS, photons_until
from perolux.collective.couplings import FloatArray
from perolux.collective.instruments.response import FWHM_PER_SIGMA, Blur, MeasuredBlur

__all__ = ["Prior", "Problem", "burst_problem", "prior_records"]

IntArray = npt.NDArray[np.int64]
_FIRST_STEP, _LATE, _POINTS = 0.04, 0.03, 4001


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
    most = float(data.totals.min()) / float(data.edges_ps[-1] - data.edges_ps[0])
    found = {
        "pulse_ps": Prior(
            "pulse_ps", "uniform", *data.zero_ps, "time of the pulse", "assumed", "the axis of time"
        ),
        "background_per_ps": Prior(
            "background_per_ps", "log", 1e-3 * most, most, "background counts of one trace per ps", "assumed",
            "up to all counts of the faintest trace, down to a thousandth",
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
class Blurring:
    """Reach of a response in ps and the integral of its cumulative, at even steps from low to high."""

    low: float
    high: float
    primitive: FloatArray


@dataclass(frozen=True, eq=False)
class Problem:
    """A model before data: names of parameters, their priors, and the likelihood. after_ps (F + 1): times
    since the pulse at which light is asked for. blurring: the response. totals: counts of each trace, (J,),
    or of all, (1,); span_ps: time over which each has background; flat (T, L): where that falls. perfect: ln
    L of shares as measured."""

    name: str
    data: BurstData
    priors: tuple[Prior, ...]
    after_ps: FloatArray
    blurring: Blurring
    totals: FloatArray
    span_ps: float
    flat: FloatArray
    perfect: float

    def numbers(self, u: FloatArray) -> dict[str, float]:
        """Parameters by name at a point of the unit cube."""
        return {prior.name: prior.at(x) for prior, x in zip(self.priors, u.tolist(), strict=True)}

    def bands(self, numbers: dict[str, float]) -> FloatArray:
        """Photons in each time bin behind the response, (T, 2 J): base, then second, of each fluence."""
        data, blur, traces = self.data, self.blurring, len(self.data.fluences)
        until = photons_until(self.name, numbers, data.fluences, self.after_ps)
        steps = np.empty((len(self.after_ps) - 1, 2 * traces))
        steps_of(until[0], self.after_ps, 0.0, steps[:, :traces])
        held = numbers["transit_ps"] if MODELS[self.name].transit else 0.0
        steps_of(until[1], self.after_ps, held, steps[:, traces:])
        found = np.empty((data.counts.shape[1], 2 * traces))
        starts = numbers["pulse_ps"] + self.after_ps
        binned(steps, starts, data.edges_ps, blur.low, blur.high, blur.primitive, found)
        return found

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
        """Expected counts of each cell, (J, T, L), with the totals that were measured; nan without light."""
        bands = self.bands(numbers)
        found = np.empty(self.data.counts.shape)
        parts = np.minimum(numbers["background_per_ps"] * self.span_ps / self.totals, 0.999)
        lines, together = self._lines(numbers), self.data.same_exposure
        expected_counts(bands, lines, self.totals, parts, self.flat, together, found)
        return found

    def log_likelihood(self, u: FloatArray) -> float:
        """ln L at a point of the unit cube, without the terms that every model has."""
        expected = self.expected(self.numbers(u))
        return float(log_likelihood(self.data.counts.ravel(), expected.ravel())) - self.perfect

    def residuals(self, u: FloatArray) -> FloatArray:
        """Deviance residuals of all cells: their squares sum to -2 ln L of `log_likelihood`."""
        expected = self.expected(self.numbers(u)).ravel()
        found = np.empty(expected.size)
        if not deviance_residuals(self.data.counts.ravel(), expected, found):
            return np.full(expected.size, 1e3)
        return found

    def deviance(self, numbers: dict[str, float]) -> float:
        """2 (ln L of perfect shares - ln L)."""
        n, m = self.data.counts, self.expected(numbers)
        seen = n > 0.0
        return 2.0 * float(np.sum(n[seen] * np.log(n[seen] / m[seen])))


def burst_problem(name: str, data: BurstData) -> Problem:
    """The likelihood of the model `name` of `MODELS` for data."""
    known = prior_records() | _axis_priors(data)
    names = [*MODELS[name].parameters, "pulse_ps", "background_per_ps"]
    if data.energy_edges_ev is not None:
        names += ["energy_ev", "width_mev", "shift_mev", "width_ratio"]
    n = data.counts
    perfect = float(np.sum(n[n > 0.0] * np.log(n[n > 0.0])))
    priors = tuple(known[one] for one in names)
    span = float(data.edges_ps[-1] - data.edges_ps[0])
    totals = data.totals
    if data.same_exposure:
        totals, span = totals.sum(keepdims=True), span * len(n)
    return Problem(
        name, data, priors, _after(data), _blurring(data.response), totals, span, _even(data), perfect
    )  # fmt: skip


def _even(data: BurstData) -> FloatArray:
    """Share of each cell (T, L) of what is even in time and energy; all that shares a total sums to 1."""
    widths = np.diff(data.edges_ps)
    flat = widths[:, None] / widths.sum() / (len(data.counts) if data.same_exposure else 1)
    if data.energy_edges_ev is not None:
        wide = np.diff(data.energy_edges_ev)
        flat = flat * (wide / wide.sum())[None, :]
    return np.ascontiguousarray(flat)


def _blurring(response: Blur) -> Blurring:
    low, high = response.reach
    points = _POINTS
    if isinstance(response, MeasuredBlur):
        points = max(points, 8 * len(response.time_ps))
    return Blurring(low, high, response.primitive(np.linspace(low, high, points)))


def _after(data: BurstData) -> FloatArray:
    """Times since the pulse, 0 to the last light that reaches a bin: fine at first, then `_LATE` of the time.

    The pulse is at the first of them wherever it comes: were its moment between two times, the likelihood
    would be rough in it (by up to 4 in ln L for steps of half a response and 10 000 photons).
    """
    smallest = float(np.diff(data.edges_ps).min())
    first = _FIRST_STEP * max(data.response.sigma_ps, 0.2 * smallest)
    last = max(float(data.edges_ps[-1]) - data.response.reach[0] - data.zero_ps[0], 2.0 * smallest)
    even = np.arange(0.0, first / _LATE, first)
    grown = math.ceil(math.log(last / even[-1]) / _LATE)
    return np.concatenate([even, even[-1] * np.exp(_LATE * np.arange(1, grown + 1))])
