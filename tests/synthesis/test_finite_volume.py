"""The finite volume engine against exact solutions, and its balance of monomer."""

import numpy as np
import pytest

from perolux.errors import ModelRangeError
from perolux.synthesis import (
    ClassicalGrowth,
    PlainGrowth,
    SizeDistribution,
    constant_conditions,
    grow_finite_volume,
)

STILL = constant_conditions(solubility_mol_m3=0.01, supplied_mol_m3=1.0)


def test_constant_nucleation_and_growth():
    # A2: m_k = B G^k t^(k+1)/(k+1)
    model = PlainGrowth("constant", 2e-11, 1e19, 0.0)
    found = grow_finite_volume(model, STILL, [300.0], largest_m=8e-9, cells=400)
    assert found.number_per_m3[0] == pytest.approx(3e21, rel=1e-12)
    assert found.mean_radius_m[0] == pytest.approx(3e-9, rel=0.005)  # nuclei enter half a cell up
    assert found.cv[0] == pytest.approx(1 / np.sqrt(3), rel=0.005)


def test_smooth_growth_is_of_second_order():
    # A1, the smooth part: cos^2 on [30, 50] nm moves by 30 nm; error in L1 over the number
    errors = []
    for cells in (200, 400):
        edges = np.linspace(0, 100e-9, cells + 1)

        def below(x):
            y = np.clip((x - 40e-9) / 20e-9, -0.5, 0.5)
            return y + np.sin(2 * np.pi * y) / (2 * np.pi)

        start = SizeDistribution(edges[:-1], edges[1:], np.maximum(np.diff(below(edges)), 0))
        model = PlainGrowth("constant", 1e-10)
        found = grow_finite_volume(model, STILL, [300.0], largest_m=100e-9, cells=cells, start=start)
        exact = np.diff(below(edges - 30e-9))
        errors.append(np.abs(found.distributions[0].counts(edges) - exact).sum())
    assert np.log2(errors[0] / errors[1]) > 1.8


def test_monomer_stays_and_nothing_is_negative():
    model = ClassicalGrowth(2.02262e-28, "sphere")
    there = constant_conditions(solubility_mol_m3=0.01, supplied_mol_m3=1.0, ln_prefactor=33 * np.log(10))
    found = grow_finite_volume(model, there, [10.0, 60.0, 600.0], largest_m=4.5e-9, cells=100)
    assert found.mass_error < 1e-12
    assert np.all(found.dissolved_mol_m3 > 0)
    born = found.nuclei_per_m3 - found.dissolved_crystals_per_m3
    assert found.number_per_m3 == pytest.approx(born, rel=1e-12)


def test_crystals_at_the_largest_size_are_refused():
    model = PlainGrowth("constant", 1e-10, 1e19, 0.0)
    with pytest.raises(ModelRangeError, match="largest size"):
        grow_finite_volume(model, STILL, [300.0], largest_m=20e-9, cells=50)
