"""Calibration: truths drawn from the prior, noise as modelled; 95 % regions must cover 92-98 %."""

import math

import numpy as np
import pytest

from perolux.errors import NotAvailableError
from perolux.excitons.sizing import ensemble_confinement_ev
from perolux.fitting.grids import coverage
from perolux.inference.size import SizePrior, size_posterior
from perolux.materials import material, parameter_sets

PEAK_SIGMA_EV, WIDTH_SIGMA_MEV = 0.001, 1.0


def draw_and_size(count: int, seed: int, prior: SizePrior):
    """Truths with edges in 3-12 nm, log-uniform as the prior; returns truths, lows, highs and kinds."""
    rng = np.random.default_rng(seed)
    truths, lows, highs, kinds = [], [], [], []
    sets = parameter_sets("CsPbBr3")
    while len(truths) < count:
        edge = math.exp(rng.uniform(math.log(3.0), math.log(12.0)))
        one = material("CsPbBr3", 298.0, str(rng.choice(sets)))
        mean, sigma = ensemble_confinement_ev(edge, rng.uniform(0.0, 0.25), one)
        gap = rng.uniform(one.gap.low, one.gap.high)
        peak = gap + mean.item() - rng.uniform(0.0, 0.1)
        peak += rng.normal(0.0, math.hypot(PEAK_SIGMA_EV, 0.005))
        width = math.hypot(rng.uniform(70.0, 90.0), 2.3548200450309493 * 1e3 * sigma.item())
        width += rng.normal(0.0, math.hypot(WIDTH_SIGMA_MEV, 3.0))
        try:
            posterior = size_posterior(peak, PEAK_SIGMA_EV, width, WIDTH_SIGMA_MEV, prior=prior)
        except NotAvailableError:
            # A draw that the program refuses to size counts as not covered.
            truths.append(edge), lows.append(math.inf), highs.append(math.inf), kinds.append("refused")
            continue
        truths.append(edge)
        lows.append(posterior.low95_nm)
        highs.append(posterior.high95_nm)
        kinds.append(posterior.kind)
    return truths, lows, highs, kinds


@pytest.mark.slow
def test_regions_cover_as_they_say_small():
    result = coverage(*draw_and_size(150, seed=11, prior=SizePrior(edge_nm=(3.0, 12.0)))[:3], level=0.999)
    # 150 draws: a calibrated 95 % region lies within this 99.9 % binomial interval of the proportion.
    assert result.agrees_with(0.95), result


@pytest.mark.long
def test_regions_cover_as_they_say_500():
    result = coverage(*draw_and_size(500, seed=12, prior=SizePrior(edge_nm=(3.0, 12.0)))[:3])
    assert 0.92 <= result.fraction <= 0.98, result


@pytest.mark.long
def test_default_prior_covers_truths_of_3_to_12_nm():
    result = coverage(*draw_and_size(500, seed=13, prior=SizePrior())[:3])
    assert 0.92 <= result.fraction <= 0.98, result
