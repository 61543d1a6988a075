"""Identical emitters with loss and dephasing: against the ladder and the exact master equation."""

import numpy as np
import pytest

from perolux.collective.dicke import dicke_burst
from perolux.collective.master_equation import exact_emission
from perolux.collective.symmetric import _rates, symmetric_burst
from perolux.errors import ModelRangeError, OptionError


@pytest.mark.parametrize("n", [2, 3, 4, 6])
@pytest.mark.parametrize(("star", "loss"), [(0.0, 0.0), (1.3, 0.0), (0.0, 0.7), (2.0, 0.4)])
def test_exact(together, full, n, star, loss):
    t = np.linspace(0.0, 1.5, 16)
    found = symmetric_burst(n, t, dephasing=star, loss=loss)
    exact = exact_emission(together(n), full(together(n)), t, dephasing=star, loss=loss)
    assert found.photon_rate == pytest.approx(exact.photon_rate, abs=1e-8)
    assert found.excited == pytest.approx(exact.excited, abs=1e-8)
    assert found.imbalance < 1e-12


@pytest.mark.parametrize("n", [2, 5, 12])
def test_local_rates_sum(n):
    # loss in all: kappa for each excited emitter; dephasing keeps their number
    matrix, light, up = _rates(n, 0.0, 1.0)
    assert -matrix.diagonal() == pytest.approx(light + up)
    matrix, _, up = _rates(n, 5.0, 0.0)
    assert np.asarray(matrix.sum(axis=0)).ravel() == pytest.approx(np.zeros(len(up)), abs=1e-10)


def test_ladder():
    found, ladder = symmetric_burst(40), dicke_burst(40)
    assert found.i_peak == pytest.approx(ladder.i_peak, rel=1e-8)
    assert found.t_peak == pytest.approx(ladder.t_peak, rel=1e-6)


def test_peak():
    found = symmetric_burst(30, np.linspace(0.0, 1.0, 5001), dephasing=3.0, loss=0.5)
    assert found.i_peak == pytest.approx(np.max(found.photon_rate), rel=1e-6)
    # fast dephasing: hardly anything is shared (the rise of a pair coherence ends at 1/(2 g*))
    alone = symmetric_burst(6, np.linspace(0.0, 1.0, 5), dephasing=500.0)
    assert alone.t_peak < 5e-3 and alone.i_peak < 6.05
    assert alone.photon_rate == pytest.approx(6.0 * np.exp(-alone.times), abs=0.05)


def test_refusals():
    with pytest.raises(OptionError):
        symmetric_burst(0)
    with pytest.raises(OptionError):
        symmetric_burst(3, dephasing=-1.0)
    with pytest.raises(OptionError):
        symmetric_burst(3, np.array([1.0, 0.0]))
    with pytest.raises(ModelRangeError):
        symmetric_burst(401, loss=1.0)
