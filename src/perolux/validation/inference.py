"""Functions of the rows in `inference.toml`: does the size posterior cover what it says it covers.

Truths are drawn from the stated prior, spectra's numbers from the forward model with its own noise, and the
credible regions are counted. Nothing here is a measurement: it is a test of the inference by itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from perolux.excitons.assumptions import assumption
from perolux.excitons.linewidth import ensemble_fwhm_mev, homogeneous_fwhm_mev
from perolux.excitons.sizing import ensemble_confinement_ev
from perolux.excitons.stokes import stokes_model
from perolux.inference.size import SizePosterior, SizePrior, size_posterior
from perolux.materials import Material, material, parameter_sets
from perolux.quantities import Value
from perolux.validation.run import Computed

__all__ = ["one_sided_share", "platelet_weight_at", "size_coverage"]

_NOISE_EV, _NOISE_MEV = 0.001, 1.0
"""Noise of a good spectrum: peak 1 meV, width 1 meV."""
_SEED = 20240917


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


def platelet_weight_at(peak_ev: float, fwhm_mev: float) -> float:
    """Posterior probability of platelets against cubes at a peak and width."""
    return size_posterior(peak_ev, _NOISE_EV, fwhm_mev, _NOISE_MEV).platelet_weight


@cache
def _answers(low_nm: float, high_nm: float, truths: int) -> tuple[tuple[_Truth, SizePosterior], ...]:
    prior = SizePrior(edge_nm=(low_nm, high_nm))
    return tuple(
        (truth, size_posterior(truth.peak_ev, _NOISE_EV, truth.fwhm_mev, _NOISE_MEV, prior=prior))
        for truth in _truths(low_nm, high_nm, truths)
    )


def _truths(low_nm: float, high_nm: float, count: int) -> list[_Truth]:
    """Truths from the prior and their noisy peak and width from the forward model, at 298 K."""
    generator = np.random.default_rng(_SEED)
    hosts: dict[str, Material] = {
        name: material("CsPbBr3", 298.0, name) for name in parameter_sets("CsPbBr3")
    }
    peak_noise = math.hypot(_NOISE_EV, assumption("peak_model_ev").number)
    width_noise = math.hypot(_NOISE_MEV, assumption("fwhm_model_mev").number)
    truths = []
    for _ in range(count):
        host = hosts[str(generator.choice(list(hosts)))]
        edge = math.exp(generator.uniform(math.log(low_nm), math.log(high_nm)))
        spread = _drawn(assumption("relative_size_spread"), generator)
        mean, sigma = ensemble_confinement_ev(edge, spread, host)
        shift = _drawn(stokes_model().shift_ev, generator)
        peak = _drawn(host.gap, generator) + float(mean[0, 0]) - shift
        width = ensemble_fwhm_mev(_drawn(homogeneous_fwhm_mev(host), generator), 1e3 * sigma[0, 0])
        truths.append(
            _Truth(
                edge,
                peak + peak_noise * float(generator.standard_normal()),
                float(width) + width_noise * float(generator.standard_normal()),
            )
        )
    return truths


def _drawn(value: Value, generator: np.random.Generator) -> float:
    """A draw from what is known of a value: uniform in its range, or Gaussian with its sigma."""
    if value.low is not None and value.high is not None:
        return float(generator.uniform(value.low, value.high))
    return value.number + (value.sigma or 0.0) * float(generator.standard_normal())
