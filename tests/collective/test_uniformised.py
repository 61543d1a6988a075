"""Populations by the Poisson clock: the matrix exponential, late times, and times of zero."""

import numpy as np
import pytest
import scipy.sparse as sparse
from scipy.linalg import expm

from perolux.collective.uniformised import clocked, peak_of
from perolux.errors import ModelRangeError


def test_any_generator_is_its_exponential():
    rng = np.random.default_rng(4)
    rates = rng.exponential(1.0, (6, 6)) * rng.choice([0.1, 1.0, 30.0], (6, 6))
    np.fill_diagonal(rates, 0.0)
    rates -= np.diag(rates.sum(axis=0))
    start, seen = rng.dirichlet(np.ones(6)), rng.normal(size=(2, 6))
    times = np.array([0.0, 1e-4, 0.03, 1.0, 3.0])
    found = clocked(sparse.csr_matrix(rates), start, seen, times[-1])
    wanted = np.array([seen @ expm(rates * t) @ start for t in times]).T
    slopes = np.array([seen @ rates @ expm(rates * t) @ start for t in times]).T
    np.testing.assert_allclose(found.at(times), wanted, atol=1e-13)
    np.testing.assert_allclose(found.slope_at(times), slopes, atol=1e-11)


def test_a_chain_peaks_where_it_should():
    # 1 -> 2 -> gone at the rates 3 and 1: the second is fullest at ln 3/2
    rates = sparse.csr_matrix([[-3.0, 0.0], [3.0, -1.0]])
    found = clocked(rates, np.array([1.0, 0.0]), np.array([[0.0, 1.0]]), 6.0)
    at, height = peak_of(found, np.linspace(0.0, 5.0, 41))
    assert at == pytest.approx(np.log(3.0) / 2.0, abs=1e-14)
    assert height == pytest.approx(1.0 / np.sqrt(3.0), rel=1e-13)


def test_nothing_that_moves_stays():
    found = clocked(sparse.csr_matrix((2, 2)), np.array([0.25, 0.75]), np.eye(2), 3.0)
    np.testing.assert_array_equal(found.at(np.array([0.0, 3.0])), [[0.25, 0.25], [0.75, 0.75]])


def test_late_times_cost_nothing_and_too_late_ones_are_refused():
    chain = sparse.csr_matrix([[-100.0, 0.0], [100.0, 0.0]])
    found = clocked(chain, np.array([1.0, 0.0]), np.eye(2), 1e4)
    np.testing.assert_allclose(
        found.at(np.array([1e-2, 1.0, 9e3])).T[1:], [[np.exp(-100.0), 1.0], [0.0, 1.0]], atol=1e-15
    )
    with pytest.raises(ModelRangeError, match="ticks"):
        clocked(chain, np.array([1.0, 0.0]), np.eye(2), 1e6)
