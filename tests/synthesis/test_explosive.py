"""Nucleation that takes the monomer at once: warned of in both engines; a place is taken once."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.synthesis import (
    ClassicalGrowth,
    PlainGrowth,
    PowerLawGrowth,
    constant_conditions,
    grow,
    grow_finite_volume,
)
from perolux.synthesis.finite_volume import extrapolated
from perolux.synthesis.history import explosive

FORMULA_M3 = 2.02262e-28


def _liquid(supplied, energy, ln_prefactor=76.0, solubility=1e-3):
    return constant_conditions(
        solubility_mol_m3=solubility,
        supplied_mol_m3=supplied,
        surface_energy_j_m2=energy,
        ln_prefactor=ln_prefactor,
    )


def _both(model, liquid, times, largest_m=4e-9):
    return (
        grow(model, liquid, times),
        grow_finite_volume(model, liquid, times, largest_m=largest_m, cells=200),
    )


def test_both_engines_warn_where_nuclei_take_the_monomer():
    for history in _both(ClassicalGrowth(FORMULA_M3), _liquid(10.0, 0.04), [10.0]):
        (said,) = history.warnings
        assert "explosive nucleation" in said and "the least size, 1.2 nm" in said
        # the number is then the supply over the content of the least cube
        held = 1.2e-9**3 / (FORMULA_M3 * 6.02214076e23)
        assert history.nuclei_per_m3[-1] * held == pytest.approx(10.0, rel=0.2)


def test_neither_warns_where_growth_takes_it():
    for history in _both(ClassicalGrowth(FORMULA_M3), _liquid(1.0, 0.04, solubility=0.01), [60.0]):
        assert history.warnings == ()


def test_the_criterion_is_half_of_the_monomer():
    model = ClassicalGrowth(FORMULA_M3)
    nuclei = np.array([0.0, 1e22])
    assert explosive(np.array([0.0, 0.499]), np.ones(2), nuclei, model) == ()
    (said,) = explosive(np.array([0.0, 0.501]), np.ones(2), nuclei, model)
    assert "50 %" in said
    assert explosive(np.array([1.0]), np.array([0.0]), np.array([1.0]), model) == ()  # nothing supplied
    assert explosive(np.array([1.0]), np.array([1.0]), np.array([1.0]), PlainGrowth("constant", 0.0)) == ()


def test_cells_do_not_run_away_where_the_barrier_is_below_kt():
    """Nuclei and solute relax within nanoseconds: a step longer than that made 1e27 nuclei of 1e24."""
    model, liquid = ClassicalGrowth(FORMULA_M3), _liquid(10.0, 0.02)
    cohorts, cells = _both(model, liquid, [1.0])
    assert cells.nuclei_per_m3[-1] == pytest.approx(cohorts.nuclei_per_m3[-1], rel=0.35)
    assert cells.mass_error < 1e-12


@settings(max_examples=15, deadline=None)
@given(
    log_sites=st.floats(15.0, 24.0), supplied=st.floats(0.5, 20.0), energy=st.floats(0.015, 0.05),
    factor=st.floats(0.05, 1.0),
)  # fmt: skip
def test_a_place_is_taken_once(log_sites, supplied, energy, factor):
    sites = 10.0**log_sites
    model = ClassicalGrowth(FORMULA_M3, sites_per_m3=sites)
    liquid = constant_conditions(
        solubility_mol_m3=1e-3, supplied_mol_m3=supplied, surface_energy_j_m2=energy, ln_prefactor=76.0,
        barrier_factor=factor,
    )  # fmt: skip
    times = np.array([1e-6, 1e-3, 0.1])
    history = grow_finite_volume(model, liquid, times, largest_m=30e-9, cells=100)
    assert np.all(history.number_per_m3 <= sites * (1.0 + 1e-12))
    assert history.mass_error < 1e-11


def test_few_places_are_all_taken_at_once():
    model = ClassicalGrowth(FORMULA_M3, sites_per_m3=1e20)
    for history in _both(model, _liquid(10.0, 0.02), [1e-3], 1e-8):
        assert history.number_per_m3[-1] == pytest.approx(1e20, rel=1e-4)
        assert history.number_per_m3[-1] <= 1e20 * (1 + 1e-12)


def test_the_power_law_batch_converges_with_the_cells():
    """The CADET case against its moment equations; nuclei shared by volume left 6e-3 at 200 and 400 cells."""
    model = PowerLawGrowth(1e6, 5, 2e-8, 1, 1e-6, 0.524, 1200.0)
    liquid = constant_conditions(solubility_mol_m3=1.2, supplied_mol_m3=2.0)
    runs = [
        grow_finite_volume(model, liquid, [18000.0], largest_m=200e-6, cells=cells)
        for cells in (200, 400, 800)
    ]
    number = np.array([float(run.number_per_m3[0]) for run in runs]) / 9.12634891e8 - 1.0
    solute = np.array([float(run.dissolved_mol_m3[0]) for run in runs]) / 1.25627172 - 1.0
    assert np.all(np.abs(number) < [3.5e-3, 1e-3, 4e-4])
    assert np.all(np.abs(solute) < [2e-4, 3e-5, 1e-5])
    assert np.all(np.log2(np.abs(number[:-1] / number[1:])) > 1.3)
    assert abs(extrapolated(number[1], number[2], 1.5)) < 1.5e-4


@pytest.mark.parametrize("place", [0.02, 0.3, 0.5, 0.77, 0.99])
def test_nuclei_reach_the_next_face_when_they_should(place):
    """Constant nucleation and growth: the number beyond a size is exact wherever in a cell nuclei enter."""
    width, rate, nuclei = 1e-10, 1e-11, 1e19
    model = PlainGrowth("constant", rate, nuclei, (10 + place) * width)
    end = grow_finite_volume(
        model, constant_conditions(solubility_mol_m3=1.0, supplied_mol_m3=0.0), [400.0],
        largest_m=100 * width, cells=100,
    ).distributions[0]  # fmt: skip
    cells = end.counts(np.arange(101) * width)
    # the cell of entry holds its part above the size of entry, those behind the front are full
    assert cells[10] == pytest.approx(nuclei * width / rate * (1.0 - place), rel=1e-6)
    assert cells[11:30] == pytest.approx(np.full(19, nuclei * width / rate), rel=1e-6)
