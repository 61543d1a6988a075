"""Rates between eigenstates: right where levels are far apart, refused where there are too many."""

import numpy as np
import pytest

from perolux.collective.blocks import blocks, product_state
from perolux.collective.eigenstate_rates import eigenstate_emission
from perolux.collective.master_equation import exact_emission
from perolux.errors import ModelRangeError

TIMES = np.linspace(0.0, 1.0, 51)


@pytest.mark.parametrize(("spread", "star"), [(0.0, 0.0), (100.0, 0.0), (0.0, 10.0)])
def test_sheet(cluster, full, spread, star):
    between = cluster(2, 3, 1, spread=spread)
    exact = exact_emission(between, full(between), TIMES, dephasing=star)
    found = eigenstate_emission(between, full(between), TIMES, dephasing=star)
    # 2 x 3 sheet: rates are 1 % of the shifts
    assert np.max(found.photon_rate) == pytest.approx(np.max(exact.photon_rate), rel=2e-3)
    assert found.photon_rate == pytest.approx(exact.photon_rate, abs=0.01 * 6)
    assert found.imbalance < 1e-6


def test_one_of_two():
    # detuned pair far from resonance: each decays alone
    from perolux.collective.couplings import Couplings

    between = Couplings(np.eye(2), np.zeros((2, 2)), np.array([0.0, 1000.0]))
    found = eigenstate_emission(between, product_state(blocks(2), np.array([1])), TIMES, loss=0.5)
    assert found.photon_rate == pytest.approx(np.exp(-1.5 * TIMES), abs=1e-8)


def test_too_many(together):
    with pytest.raises(ModelRangeError):
        eigenstate_emission(together(12), (1, np.ones(12) / np.sqrt(12)), TIMES)
