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

from perolux.collective.backwards.data import BurstData
from perolux.collective.backwards.models import MODELS, photons_until
from perolux.collective.couplings import FloatArray
from perolux.collective.instruments.response import FWHM_PER_SIGMA, blur_kernel, delayed
from perolux.fitting.likelihoods import poisson_deviance_residuals

__all__ = ["Prior", "Problem", "burst_problem", "prior_records"]

IntArray = npt.NDArray[np.int64]
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
class Problem:
    """A model before data: names of parameters, their priors, and the likelihood. fine_ps (F + 1): even steps
    that hold every edge of the data. into_bins (F, T): share of a fine step's light that the response puts
    into a time bin. perfect: ln L of shares as measured."""

    name: str
    data: BurstData
    priors: tuple[Prior, ...]
    fine_ps: FloatArray
    into_bins: FloatArray
    perfect: float

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
        return np.asarray(steps @ self.into_bins)

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
            return self._mixed(shares, numbers, float(n.sum()), len(n))
        return np.stack(
            [self._mixed(one, numbers, float(m.sum()), 1) for one, m in zip(shares, n, strict=True)]
        )

    def _mixed(self, shares: FloatArray, numbers: dict[str, float], total: float, traces: int) -> FloatArray:
        """Shares with the even background of `background_per_ps` counts in each of `traces` traces."""
        widths = np.diff(self.data.edges_ps)
        part = min(numbers["background_per_ps"] * float(widths.sum()) * traces / total, 0.999)
        flat = widths[:, None] / widths.sum() / traces
        if self.data.energy_edges_ev is not None:
            wide = np.diff(self.data.energy_edges_ev)
            flat = flat * (wide / wide.sum())[None, :]
        return np.asarray(total * ((1.0 - part) * shares + part * flat))

    def log_likelihood(self, u: FloatArray) -> float:
        """ln L at a point of the unit cube, without the terms that every model has."""
        expected = self.expected(self.numbers(u))
        n = self.data.counts
        if not np.isfinite(expected).all():
            return -math.inf
        floor = np.maximum(expected, 1e-300)
        return float(np.sum(n * np.log(floor))) - self.perfect

    def residuals(self, u: FloatArray) -> FloatArray:
        """Deviance residuals of all cells: their squares sum to -2 ln L of `log_likelihood`."""
        expected = self.expected(self.numbers(u))
        if not np.isfinite(expected).all():
            return np.full(expected.size, 1e3)
        return poisson_deviance_residuals(self.data.counts, np.maximum(expected, 1e-12)).ravel()

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
    fine, at = _fine_steps(data)
    kernel, first = blur_kernel(data.response, float(fine[1] - fine[0]))
    n = data.counts
    perfect = float(np.sum(n[n > 0.0] * np.log(n[n > 0.0])))
    priors = tuple(known[one] for one in names)
    return Problem(name, data, priors, fine, _into_bins(kernel, first, at, len(fine) - 1), perfect)


def _into_bins(kernel: FloatArray, first: int, at: IntArray, steps: int) -> FloatArray:
    """Share of each fine step that reaches each bin, (steps, bins): differences of the cumulated kernel."""
    cumulated = np.append(0.0, np.cumsum(kernel))
    edge = at[None, :] - np.arange(steps)[:, None] - first
    return np.asarray(np.diff(cumulated[np.clip(edge, 0, len(kernel))], axis=1))


def _fine_steps(data: BurstData) -> tuple[FloatArray, IntArray]:
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
