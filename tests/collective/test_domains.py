"""Domains for fits: against the forward solver, against four emitters one by one, and between the tables."""

from itertools import product

import numpy as np
import pytest

from perolux.collective.backwards.domains import domain_photons, start_shares
from perolux.collective.blocks import blocks, product_state
from perolux.collective.couplings import Couplings
from perolux.collective.master_equation import exact_emission
from perolux.collective.symmetric import symmetric_burst
from perolux.errors import ModelRangeError

TIMES = np.linspace(0.0, 2.0, 41)
ALL = np.array([1.0])


@pytest.mark.parametrize(("emitters", "dephasing"), [(2, 0.5), (10, 0.3), (10, 7.7), (24, 40.0)])
def test_full_inversion_as_the_forward_solver_has_it(emitters, dephasing):
    exact = 1.0 - symmetric_burst(emitters, TIMES, dephasing=dephasing).excited / emitters
    found = domain_photons(emitters, dephasing, ALL, TIMES)[0]
    # four points in ln g*; cubics between times 3 % apart leave 1e-6
    assert np.max(np.abs(found - exact)) < 4e-4


def test_chance_excitation_as_four_emitters_one_by_one():
    n, p, dephasing = 4, 0.35, 1.3
    times = np.linspace(0.0, 2.0, 11)
    same = Couplings(np.ones((n, n)), np.zeros((n, n)), np.zeros(n))
    emitted = np.zeros(len(times))
    for pattern in product((0, 1), repeat=n):
        chosen = np.flatnonzero(pattern)
        weight = p ** len(chosen) * (1.0 - p) ** (n - len(chosen))
        if len(chosen):
            found = exact_emission(same, product_state(blocks(n), chosen), times, dephasing=dephasing)
            emitted += weight * (len(chosen) - found.excited)
    ours = n * domain_photons(n, dephasing, np.array([p]), times)[0]
    assert np.max(np.abs(ours - emitted)) < 1e-3


def test_shares_of_starts_sum_to_one_and_one_emitter_is_alone():
    for n in (1, 2, 7, 20):
        assert np.allclose(start_shares(n).sum(axis=1), 1.0)
    assert np.allclose(domain_photons(1.0, 3.0, ALL, TIMES)[0], -np.expm1(-TIMES), atol=2e-6)


def test_strong_dephasing_leaves_single_emitters():
    found = domain_photons(10.0, 2e4, ALL, TIMES)[0]
    assert np.max(np.abs(found + np.expm1(-TIMES))) < 2e-3  # the rest falls as N/g*


def test_between_whole_numbers_a_mixture():
    parts = [domain_photons(n, 2.0, ALL, TIMES)[0] for n in (12.0, 12.25, 13.0)]
    # photons per emitter of 3 domains of 12 and 1 of 13, weighted by domains
    assert np.allclose(parts[1], 0.75 * parts[0] + 0.25 * parts[2])


@pytest.mark.parametrize(("emitters", "dephasing"), [(0.5, 1.0), (61.0, 1.0), (5.0, 1e-3), (5.0, 1e6)])
def test_outside_of_the_tables(emitters, dephasing):
    with pytest.raises(ModelRangeError):
        domain_photons(emitters, dephasing, ALL, TIMES)
