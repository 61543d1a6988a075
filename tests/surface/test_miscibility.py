"""Regular solution: what spinodal, binodal and lever rule are, and that the records agree with the facts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perolux.errors import OptionError
from perolux.materials import explain
from perolux.surface.miscibility import (
    binodal,
    critical_temperature_k,
    interaction,
    mixing_free_energy,
    phase_split,
    spinodal,
    w_matrix,
)
from perolux.surface.priors import priors

ABOVE = st.floats(2.0 + 1e-6, 300.0)


@given(ABOVE)
def test_the_binodal_has_one_tangent_and_encloses_the_spinodal(w):
    low, high = binodal(w)
    inner = spinodal(w)
    assert 0.0 < low < inner[0] < 0.5 < inner[1] < high <= 1.0
    assert low + high == pytest.approx(1.0, abs=1e-15)
    # slope of g at the low end, 0 on the common tangent by symmetry
    assert np.log(low / (1.0 - low)) + w * (1.0 - 2.0 * low) == pytest.approx(0.0, abs=1e-9 * w)
    for x in inner:
        assert x * (1.0 - x) == pytest.approx(1.0 / (2.0 * w), rel=1e-12)


@given(st.floats(-10.0, 2.0), st.floats(0.0, 1.0))
def test_below_the_critical_point_everything_mixes(w, x):
    assert spinodal(w) is None and binodal(w) is None and phase_split(x, w).shares == (1.0,)


@given(ABOVE, st.floats(0.0, 1.0))
def test_parts_keep_the_mean_and_lower_the_energy(w, mean):
    split = phase_split(mean, w)
    fractions, shares = np.array(split.fractions), np.array(split.shares)
    assert np.all(shares >= 0) and shares.sum() == pytest.approx(1.0, abs=1e-14)
    assert shares @ fractions == pytest.approx(mean, abs=1e-14)
    parted = shares @ mixing_free_energy(fractions, w)
    assert parted <= float(mixing_free_energy(mean, w)) + 1e-12 * w


def test_a_very_large_interaction_parts_completely():
    low, high = binodal(2000.0)
    assert low == 0.0 and high == 1.0
    assert binodal(100.0)[0] == pytest.approx(np.exp(-100.0), rel=1e-9)


def test_records_agree_with_what_was_read_over_their_whole_range():
    assert explain("mixing.miscible_cl_i").chosen.number == 0
    for pair, mixes in ((("Cl", "Br"), True), (("I", "Br"), True), (("I", "Cl"), False)):
        record = interaction(*pair)
        assert record.kind == "assumed"
        ends = [critical_temperature_k(w) for w in (record.low, record.number, record.high)]
        assert all((t < 298.15) == mixes for t in ends)


def test_w_falls_with_temperature_and_takes_own_numbers():
    assert w_matrix(600.0)[0, 2] == pytest.approx(w_matrix(300.0)[0, 2] / 2)
    own = w_matrix(298.15, {"I-Cl": 0.0})
    assert own[0, 2] == own[2, 0] == 0.0 and own[0, 1] == w_matrix(298.15)[0, 1]


@pytest.mark.parametrize(
    "call",
    [
        lambda: mixing_free_energy(1.1, 1.0),
        lambda: phase_split(float("nan"), 3.0),
        lambda: binodal(float("inf")),
        lambda: interaction("Cl", "Cl"),
        lambda: interaction("Cl", "F"),
        lambda: w_matrix(298.15, {"Cl-Cl": 1.0}),
        lambda: w_matrix(298.15, {"Cl-I": float("nan")}),
    ],
)
def test_wrong_input_is_refused(call):
    with pytest.raises(OptionError):
        call()


def test_only_what_was_read_is_called_so():
    kinds = {name: value.kind for name, value in priors().items()}
    assert [name for name, kind in kinds.items() if kind == "read"] == ["exchange_activation_br_i_ev"]
    assert all(value.is_range for value in priors().values() if value.kind in ("assumed", "recalled"))
