"""Functions of the rows in `inference.toml`: does the size posterior cover what it says it covers.

Truths are drawn from the stated prior, their lines computed by another route than the inference's,
with its noise, and the credible regions are counted. Nothing here is a measurement: the inference is tested
by itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from perolux.excitons.assumptions import assumption
from perolux.excitons.backwards.model_curves import confinement_curves
from perolux.excitons.light.linewidth import homogeneous_fwhm_mev
from perolux.inference import SizePosterior, SizePrior, size_posterior
from perolux.materials import Material, material, parameter_sets
from perolux.quantities import Value
from perolux.quantities.constants import FWHM_PER_SIGMA
from perolux.validation.run import Computed

__all__ = [
    "default_prior_coverage",
    "line_by_histogram",
    "one_sided_share",
    "size_coverage",
]

_NOISE_EV, _NOISE_MEV = 0.001, 1.0
"""Noise of a good spectrum: peak 1 meV, width 1 meV."""
_SEED = 20240917
_TRUE_CURVES = 64
"""Curves of confinement against size, for each parameter set, that truths are drawn from."""


@dataclass(frozen=True)
class _Truth:
    edge_nm: float
    peak_ev: float
    fwhm_mev: float


def size_coverage(level: int, low_nm: float, high_nm: float, truths: int = 500) -> Computed:
    """Share of credible regions (level 68 or 95, one-sided ones included) that hold the true edge.

    The edge prior is log-uniform from low_nm to high_nm for the truths and for the inference.
    """
    answers = _answers(low_nm, high_nm, truths)
    inside = 0
    for truth, posterior in answers:
        low = posterior.low95_nm if level == 95 else posterior.low68_nm
        high = posterior.high95_nm if level == 95 else posterior.high68_nm
        inside += low <= truth.edge_nm and (high is None or truth.edge_nm <= high)
    bounds = sum(posterior.kind == "lower-bound" for _, posterior in answers)
    return Computed(inside / len(answers), f"{inside} of {len(answers)}; {bounds} are lower bounds")


def one_sided_share(low_nm: float, truths: int = 100) -> Computed:
    """Share of answers that are lower bounds for cubes above `low_nm`, under the shipped prior."""
    top = assumption("edge_nm").high
    found = [
        size_posterior(truth.peak_ev, _NOISE_EV, truth.fwhm_mev, _NOISE_MEV).kind
        for truth in _truths(low_nm, top or 30.0, truths)
    ]
    bounds = found.count("lower-bound")
    return Computed(bounds / len(found), f"{bounds} of {len(found)}")


def default_prior_coverage(low_nm: float, high_nm: float, truths: int = 500) -> Computed:
    """Share of 95 % regions under the shipped prior that hold true edges drawn from a part of it."""
    inside = 0
    for truth in _truths(low_nm, high_nm, truths):
        posterior = size_posterior(truth.peak_ev, _NOISE_EV, truth.fwhm_mev, _NOISE_MEV)
        high = math.inf if posterior.high95_nm is None else posterior.high95_nm
        inside += posterior.low95_nm <= truth.edge_nm <= high
    return Computed(inside / truths, f"{inside} of {truths}")


@cache
def _answers(low_nm: float, high_nm: float, truths: int) -> tuple[tuple[_Truth, SizePosterior], ...]:
    prior = SizePrior(edge_nm=(low_nm, high_nm))
    return tuple(
        (truth, size_posterior(truth.peak_ev, _NOISE_EV, truth.fwhm_mev, _NOISE_MEV, prior=prior))
        for truth in _truths(low_nm, high_nm, truths)
    )


def _truths(low_nm: float, high_nm: float, count: int) -> list[_Truth]:
    """Truths from the prior and their noisy peak and width, at 298 K.

    The line of each is computed here by another route than the inference's: a fine histogram of the energies
    of the ensemble, convolved with the line of one size; peak and width are read off the curve.
    """
    generator = np.random.default_rng(_SEED)
    prior = SizePrior()
    hosts: dict[str, Material] = {
        name: material("CsPbBr3", 298.0, name) for name in parameter_sets("CsPbBr3")
    }
    # many more curves than the inference holds, from other draws: its few have to stand for all
    curves = {host.parameter_set: confinement_curves(host, count=_TRUE_CURVES) for host in hosts.values()}
    peak_noise = math.hypot(_NOISE_EV, assumption("peak_model_ev").number)
    width_noise = math.hypot(_NOISE_MEV, assumption("fwhm_model_mev").number)
    truths = []
    for _ in range(count):
        host = hosts[str(generator.choice(list(hosts)))]
        edge = math.exp(generator.uniform(math.log(low_nm), math.log(high_nm)))
        line = line_by_histogram(
            edge,
            _drawn(prior.record("relative_size_spread"), generator),
            1e-3 * _drawn(homogeneous_fwhm_mev(host, prior.linewidth), generator),
            curves[host.parameter_set][int(generator.integers(_TRUE_CURVES))],
        )
        peak = _drawn(host.gap, generator) + line[0] - _drawn(prior.record("stokes_shift_ev"), generator)
        truths.append(
            _Truth(
                edge,
                peak + peak_noise * float(generator.standard_normal()),
                1e3 * line[1] + width_noise * float(generator.standard_normal()),
            )
        )
    return truths


def line_by_histogram(
    edge_nm: float,
    spread: float,
    homogeneous_ev: float,
    confinement_ev: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]],
    sizes: int = 4001,
) -> tuple[float, float]:
    """Peak (from the gap) and FWHM, in eV, of an ensemble's line, by histogram and convolution."""
    step = 2.5e-4
    z = np.linspace(-5.0, 5.0, sizes)
    tau2 = math.log1p(spread**2)
    edges = edge_nm * np.exp(2.5 * tau2 + math.sqrt(tau2) * z)
    energies = confinement_ev(edges)
    start = float(energies.min()) - 3.0 * homogeneous_ev
    bins = np.arange(0.0, min(float(energies.max()) - start, 3.0) + 3.0 * homogeneous_ev, step)
    place = (energies - start) / step
    kept = place < len(bins) - 2
    lower = place[kept].astype(int)
    share = place[kept] - lower
    light = np.exp(-0.5 * z[kept] ** 2)
    histogram = np.bincount(lower, light * (1.0 - share), len(bins))
    histogram += np.bincount(lower + 1, light * share, len(bins))
    reach = np.arange(-3.0 * homogeneous_ev, 3.0 * homogeneous_ev + step, step)
    curve = np.convolve(histogram, np.exp(-0.5 * (FWHM_PER_SIGMA * reach / homogeneous_ev) ** 2), mode="same")
    top = int(np.argmax(curve))
    above = np.flatnonzero(curve >= 0.5 * curve[top])
    return start + step * top, step * float(above[-1] - above[0] + 1)


def _drawn(value: Value, generator: np.random.Generator) -> float:
    """A draw from what is known of a value: uniform in its range, or Gaussian with its sigma."""
    if value.low is not None and value.high is not None:
        return float(generator.uniform(value.low, value.high))
    return value.number + (value.sigma or 0.0) * float(generator.standard_normal())
