"""Lead budgets: published numbers, inverses, verdicts, refusals."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perolux.display.inclusions import bulk_inclusion
from perolux.display.lead import crystal, lead_budget, lead_ppm
from perolux.errors import ModelRangeError, NotAvailableError, OptionError


def budget(**changes):
    asked = {"host_density_g_cm3": 1.1, "host_index": 1.5, "thickness_um": 100.0, "limit_ppm": 1000.0}
    return lead_budget(crystal("CsPbBr3"), bulk_inclusion("CsPbBr3"), **(asked | changes))


def test_film_at_the_limit():
    found = budget()
    assert found.nc_volume_fraction == pytest.approx(6.37e-4, rel=0.02)
    assert found.nc_mass_fraction == pytest.approx(0.00280, rel=0.01)
    alpha = found.absorption_per_cm["maxwell-garnett"]
    assert alpha == pytest.approx(24.8, rel=0.02)
    for thickness, absorbed in ((50.0, 0.116), (100.0, 0.219), (200.0, 0.391)):
        one = budget(thickness_um=thickness).absorptance_per_pass["maxwell-garnett"]
        assert one == pytest.approx(absorbed, rel=0.02)
        assert one == pytest.approx(-math.expm1(-alpha * thickness * 1e-4), rel=1e-12)
    assert "recycled" in found.verdict


@pytest.mark.parametrize(("formula", "percent"), [("CsPbBr3", 35.74), ("FAPbBr3", 42.12)])
def test_lead_in_the_crystal(formula, percent):
    assert 100 * crystal(formula).lead_mass_fraction == pytest.approx(percent, abs=0.01)


@given(st.floats(1.0, 3e5), st.floats(0.5, 4.0))
def test_fraction_and_ppm_are_inverse(limit, density):
    found = budget(limit_ppm=limit, host_density_g_cm3=density)
    ppm, mass = lead_ppm(crystal("CsPbBr3"), found.nc_volume_fraction, density)
    assert ppm == pytest.approx(limit, rel=1e-9)
    assert mass == pytest.approx(found.nc_mass_fraction, rel=1e-9)


def test_a_converter_is_far_above_the_limit_and_says_so():
    found = budget(nc_volume_fraction=0.4, thickness_um=4.0)
    assert found.ppm > 2e5
    assert "exemption" in found.verdict
    assert found.absorptance_per_pass["maxwell-garnett"] > 0.99


def test_density_from_the_cell_or_given():
    assert crystal("CsPbBr3").density_g_cm3.number == pytest.approx(4.84, rel=0.01)
    assert crystal("CsPbBr3").density_g_cm3.kind == "recalled"
    assert crystal("CsPbBr3", 4.5).density_g_cm3.number == 4.5
    mixed = crystal("CsPb(Br0.5I0.5)3")
    assert crystal("CsPbI3").molar_mass_g_mol > mixed.molar_mass_g_mol > crystal("CsPbBr3").molar_mass_g_mol


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit_ppm": 0.0}, {"limit_ppm": 1e6}, {"host_density_g_cm3": 0.0}, {"host_density_g_cm3": 40.0},
        {"thickness_um": -1.0}, {"nc_volume_fraction": 1.2},
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(wrong):
    with pytest.raises((OptionError, ModelRangeError)):
        budget(**wrong)


def test_unknown_crystals_are_refused():
    with pytest.raises(NotAvailableError):
        bulk_inclusion("FAPbBr3")
    with pytest.raises(OptionError, match="open"):
        crystal("CsPb(Br,I)3")
    with pytest.raises(OptionError, match="density"):
        crystal("CsPbBr3", -1.0)
