"""S19: molar and intrinsic absorption are one number in two units."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perolux.errors import OptionError
from perolux.measured.concentration import (
    absorptance,
    concentration_mol_per_l,
    intrinsic_from_molar_per_cm,
    molar_from_intrinsic_per_m_cm,
)


def test_s19_cube_of_8_5_nm():
    volume = 8.5**3
    molar = 0.0242e6 * volume  # 0.0242 L^3 per cm and umol/L
    assert molar == pytest.approx(1.49e7, rel=0.01)
    assert intrinsic_from_molar_per_cm(molar, volume) == pytest.approx(9.3e4, rel=0.01)


@given(st.floats(1.0, 1e7), st.floats(1.0, 1e5))
def test_there_and_back(intrinsic, volume):
    molar = molar_from_intrinsic_per_m_cm(intrinsic, volume)
    assert intrinsic_from_molar_per_cm(molar, volume) == pytest.approx(intrinsic, rel=1e-12)


def test_concentration_is_absorbance_over_molar_coefficient_and_path():
    molar = molar_from_intrinsic_per_m_cm(1.62e5, 8.5**3)
    assert concentration_mol_per_l(0.4, 1.62e5, 8.5**3, 0.2) == pytest.approx(0.4 / (molar * 0.2), rel=1e-12)
    assert concentration_mol_per_l(0.0, 1.62e5, 8.5**3) == 0.0


def test_absorptance():
    assert absorptance(2.0) == pytest.approx(0.99, abs=1e-15)
    assert absorptance(1e-9) == pytest.approx(1e-9 * math.log(10), rel=1e-8)


@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan, math.inf])
def test_impossible_inputs(bad):
    with pytest.raises(OptionError, match="intrinsic_per_cm"):
        molar_from_intrinsic_per_m_cm(bad, 100.0)
    with pytest.raises(OptionError, match="path_cm"):
        concentration_mol_per_l(0.1, 1e5, 100.0, bad)
    with pytest.raises(OptionError, match="absorbance"):
        concentration_mol_per_l(bad or -0.1, 1e5, 100.0)
