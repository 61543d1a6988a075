"""Second-order cumulants: exact for two, as far off as is known for more."""

import numpy as np
import pytest

from perolux.collective.blocks import blocks, product_state
from perolux.collective.cumulants import cumulant_emission
from perolux.collective.dicke import dicke_burst
from perolux.collective.master_equation import exact_emission
from perolux.errors import ModelRangeError, OptionError


@pytest.mark.parametrize(("star", "loss"), [(0.0, 0.0), (1.0, 0.0), (10.0, 0.4)])
@pytest.mark.parametrize("listed", [(0, 1), (1,)])
def test_exact_for_two(cluster, star, loss, listed):
    between, t = cluster(2, 1, 1, spread=20.0), np.linspace(0.0, 0.5, 11)
    excited = np.array(listed)
    found = cumulant_emission(between, excited, t, dephasing=star, loss=loss)
    exact = exact_emission(between, product_state(blocks(2), excited), t, dephasing=star, loss=loss)
    # tolerance of the integrator, 1e-8 a step
    assert found.photon_rate == pytest.approx(exact.photon_rate, abs=1e-6)
    assert found.excited == pytest.approx(exact.excited, abs=1e-6)
    assert found.imbalance < 1e-12


@pytest.mark.parametrize(("n", "percent"), [(4, 1.1), (10, 8.5), (20, 15.3)])
def test_known_error(together, n, percent):
    exact = dicke_burst(n)
    found = cumulant_emission(together(n), np.arange(n), np.linspace(0.0, 2.0 * exact.t_peak, 201))
    assert 100.0 * (np.max(found.photon_rate) / exact.i_peak - 1.0) == pytest.approx(percent, abs=0.1)


def test_refusals(together):
    with pytest.raises(ModelRangeError):
        cumulant_emission(together(501), np.arange(501), np.array([0.0, 1.0]))
    with pytest.raises(OptionError):
        cumulant_emission(together(2), np.arange(2), np.array([0.0, 1.0]), dephasing=-1.0)
