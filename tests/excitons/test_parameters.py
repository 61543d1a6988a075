"""Columns of parameters: middle first, draws within what the records say, the same at every call."""

from __future__ import annotations

import numpy as np
import pytest

from perolux.errors import NotAvailableError
from perolux.excitons.parameters import drawn, parameters_of
from perolux.excitons.spread import spread_of
from perolux.quantities import Value


def test_draws_of_a_range_are_uniform_and_begin_with_its_middle():
    value = Value(2.0, "eV", "assumed", "here", low=1.0, high=3.0)
    column = drawn(value, "some quantity", 1000)
    assert column[0] == 2.0 and column[1:].min() >= 1.0 and column[1:].max() <= 3.0
    # a Latin hypercube: one draw in each of 1000 equal parts
    assert np.array_equal(np.sort(np.floor((column[1:] - 1.0) / 0.002)), np.arange(1000))
    assert np.array_equal(column, drawn(value, "some quantity", 1000))
    other = drawn(value, "another quantity", 1000)
    assert abs(np.corrcoef(column[1:], other[1:])[0, 1]) < 0.1


def test_draws_of_a_sigma_have_its_deviation():
    column = drawn(Value(0.26, "m0", "read", "here", sigma=0.02), "hole_mass", 2000)
    assert column[0] == 0.26
    assert column[1:].mean() == pytest.approx(0.26, abs=1e-4)  # stratified: far below 0.02/sqrt(2000)
    assert column[1:].std() == pytest.approx(0.02, rel=0.01)


def test_sets_share_the_draws_of_what_they_share():
    one, two = parameters_of("CsPbBr3", 298.0, draws=32)
    assert {one.set_name, two.set_name} == {"yang2017", "pssrrl2023"}
    assert np.array_equal(one["gap"], two["gap"]) and one["reduced_mass"][0] != two["reduced_mass"][0]


def test_what_a_material_lacks_keeps_its_reason_and_nothing_stands_in():
    (only,) = parameters_of("AZPbBr3", 298.0, draws=4)
    assert not only.has("reduced_mass") and "AZPbBr3" in only.missing["reduced_mass"]
    with pytest.raises(NotAvailableError, match="reduced_mass"):
        only["reduced_mass"]


def test_the_middle_and_one_draw_can_be_repeated_for_many_sizes():
    one = parameters_of("CsPbBr3", 298.0, draws=16)[0]
    middle, third = one.middle(5), one.one(3, 5)
    assert np.all(middle["gap"] == one["gap"][0]) and np.all(third["gap"] == one["gap"][3])
    shift = Value(0.05, "eV", "assumed", "here", low=0.0, high=0.1)
    assert np.all(middle.assumed(shift, "stokes_shift_ev") == 0.05)
    assert len(one.assumed(shift, "stokes_shift_ev")) == 17


def test_a_spread_weighs_sets_equally_and_refuses_what_is_not_finite():
    spread = spread_of({"A": np.array([1.0, 1.0, 1.0]), "B": np.array([3.0, 3.0, 3.0])}, "eV")
    assert spread.sets == {"A": 1.0, "B": 3.0} and spread.median == 2.0
    assert (spread.low95, spread.high95) == (1.0, 3.0)
    assert set(spread.as_dict()) == {"sets", "median", "low95", "high95"}
    turned = spread.scaled(-1e3, "meV")
    assert (turned.low95, turned.high95, turned.unit) == (-3000.0, -1000.0, "meV")
    with pytest.raises(NotAvailableError):
        spread_of({"A": np.array([1.0, np.nan])})
