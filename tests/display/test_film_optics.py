"""Films of nanocrystals: limits of the effective media, numbers of the chapter, packing, confined crystals,
measured spectra, the slab."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perolux.display.effective_media import (
    RULES,
    absorption_per_cm,
    bruggeman,
    effective_eps,
    eps_of_dilute,
    maxwell_garnett,
)
from perolux.display.film_optics import (
    bulk_inclusion,
    confined_inclusions,
    film,
    film_of_extinction,
    film_of_spectrum,
    fraction_for,
    optical_density,
    optical_depth,
    slab_of_film,
    thickness_um_for,
)
from perolux.display.optical_media import constant_medium, medium, medium_names
from perolux.display.packing import shell, shell_of_ensemble
from perolux.display.slab import slab_light
from perolux.ensemble import Lognormal, Population, quadrature
from perolux.errors import InputError, ModelRangeError, NotAvailableError, OptionError
from perolux.excitons import ensemble_spectrum
from perolux.materials import intrinsic_absorption_per_cm, optical_constants
from perolux.measured.records import FileSource, Spectrum
from perolux.quantities.constants import HC_EV_NM

CSPBBR3 = bulk_inclusion("CsPbBr3_1nm")
eps_inside = st.builds(complex, st.floats(0.5, 12.0), st.floats(0.0, 5.0))
index = st.floats(1.0, 2.5)
share = st.floats(0.0, 1.0)


# --- effective media --------------------------------------------------------------------------------------


@given(eps_inside, index)
def test_no_crystal_is_host_and_nothing_else_is_crystal(inside, host):
    for rule in RULES:
        assert complex(effective_eps(rule, inside, host**2, 0.0)) == pytest.approx(host**2, rel=1e-12)
        assert complex(effective_eps(rule, inside, host**2, 1.0)) == pytest.approx(inside, rel=1e-12)


@given(eps_inside, index, share)
def test_mixtures_absorb_and_solve_their_own_equations(inside, host, f):
    outside = host**2
    one, other = (complex(effective_eps(rule, inside, outside, f)) for rule in RULES)
    assert one.imag >= -1e-12 and other.imag >= -1e-12
    left = (one - outside) / (one + 2 * outside)
    assert left == pytest.approx(f * (inside - outside) / (inside + 2 * outside), abs=1e-12)
    terms = f * (inside - other) / (inside + 2 * other) + (1 - f) * (outside - other) / (outside + 2 * other)
    assert abs(terms) < 1e-10
    same = (complex(effective_eps(rule, outside, outside, f)) for rule in RULES)
    assert all(value == pytest.approx(outside, rel=1e-12) for value in same)


@given(st.floats(1.0, 9.0), st.floats(1.0, 3.0), share)
def test_clear_mixtures_lie_between_the_bounds_of_hashin_and_shtrikman(inside, host, f):
    """Maxwell Garnett is one of the two bounds, of crystals in host; the other swaps the parts."""
    bounds = sorted(
        [float(maxwell_garnett(inside, host, f).real), float(maxwell_garnett(host, inside, 1 - f).real)]
    )
    middle = float(bruggeman(inside, host, f).real)
    assert bounds[0] - 1e-9 <= middle <= bounds[1] + 1e-9


def test_the_dilute_limit_is_that_of_the_materials_room():
    nm = np.array([335.0, 400.0, 450.0, 510.0])
    dilute = intrinsic_absorption_per_cm(optical_constants("CsPbBr3_1nm"), nm, 1.5)
    for rule in RULES:
        found = film(CSPBBR3, 1.5, 1e-7, nm).alpha_per_cm[rule] / 1e-7
        assert found == pytest.approx(dilute, rel=1e-6)  # the next order is f


@given(st.floats(1.0, 9.0), st.floats(1e-4, 3.0), index)
def test_an_absorption_per_volume_gives_its_eps_back(real, imaginary, host):
    inside = complex(real, imaginary)
    dilute = 2e7 * np.pi / (500.0 * host) * abs(3 * host**2 / (inside + 2 * host**2)) ** 2 * imaginary
    found = complex(eps_of_dilute(dilute, real, host, 500.0))
    assert found == pytest.approx(inside, rel=1e-7)
    assert complex(eps_of_dilute(0.0, real, host, 500.0)) == real


def test_more_than_any_crystal_absorbs_is_refused():
    with pytest.raises(ModelRangeError, match="no dielectric function"):
        eps_of_dilute(1e7, 4.0, 1.5, 450.0)


# --- the chapter ------------------------------------------------------------------------------------------


def test_bulk_and_dilute_numbers():
    assert float(absorption_per_cm(CSPBBR3.at(450.0), 450.0)) == pytest.approx(4.978e4, rel=1e-3)
    dilute = [float(film(CSPBBR3, 1.5, 1e-8).alpha_at(nm)) * 1e8 for nm in (335.0, 400.0, 450.0, 460.0)]
    assert dilute == pytest.approx([1.617e5, 6.17e4, 3.885e4, 3.69e4], rel=2e-3)


@pytest.mark.parametrize(
    ("nm", "alphas", "thicknesses"),
    [
        (335.0, (1.64e4, 5.11e4, 8.90e4), (2.81, 0.90, 0.52)),
        (400.0, (6.26e3, 1.95e4, 3.42e4), (7.35, 2.36, 1.35)),
        (450.0, (3.94e3, 1.23e4, 2.14e4), (11.7, 3.76, 2.15)),
        (460.0, (3.75e3, 1.16e4, 2.03e4), (12.3, 3.95, 2.27)),
    ],
)
def test_table_of_the_chapter(nm, alphas, thicknesses):
    for f, alpha, thickness in zip((0.1, 0.3, 0.5), alphas, thicknesses, strict=True):
        one = film(CSPBBR3, 1.5, f)
        assert float(one.alpha_at(nm)) == pytest.approx(alpha, rel=5e-3)  # three digits printed
        assert thickness_um_for(one, 2.0, nm)["maxwell-garnett"] == pytest.approx(thickness, rel=1e-2)


def test_indices_bruggeman_and_fractions_of_the_chapter():
    films = [film(CSPBBR3, 1.5, f) for f in (0.1, 0.3, 0.5)]
    assert [round(float(one.index_at(450.0)), 2) for one in films] == [1.56, 1.68, 1.81]
    found = [float(one.alpha_at(450.0, "bruggeman")) for one in films]
    assert found == pytest.approx([4.09e3, 1.33e4, 2.36e4], rel=4e-3)
    low, high = (fraction_for(CSPBBR3, 1.5, od, t) for od, t in ((2.0, 4.5), (3.0, 3.0)))
    assert [round(low[rule], 2) for rule in RULES] == [0.25, 0.24]
    assert [round(high[rule], 2) for rule in RULES] == [0.53, 0.49]


def test_thickness_and_fraction_are_inverse():
    one = film(CSPBBR3, medium("PMMA"), 0.37, np.array([440.0, 450.0, 460.0]))
    for rule, thickness in thickness_um_for(one, 2.0).items():
        assert fraction_for(CSPBBR3, medium("PMMA"), 2.0, thickness)[rule] == pytest.approx(0.37, rel=1e-9)
        assert float(optical_density(one.alpha_at(450.0, rule), thickness)) == pytest.approx(2.0, rel=1e-12)
        assert np.exp(-float(optical_depth(one.alpha_at(450.0, rule), thickness))) == pytest.approx(0.01)
    assert fraction_for(CSPBBR3, 1.5, 0.0, 1.0) == dict.fromkeys(RULES, 0.0)


def test_both_rules_stand_side_by_side_and_dense_films_are_flagged():
    thin, dense = film(CSPBBR3, 1.5, 0.3), film(CSPBBR3, 1.5, 0.5)
    assert thin.spread() == pytest.approx(0.088, abs=0.001) and dense.spread() > thin.spread()
    assert not any("Maxwell Garnett fails" in note for note in thin.notes)
    assert any("Maxwell Garnett fails" in note for note in dense.notes)
    assert all(any("spheres" in note for note in one.notes) for one in (thin, dense))
    assert film(CSPBBR3, 1.5, 0.0).spread() is None


# --- tables -----------------------------------------------------------------------------------------------


def test_an_artefact_of_a_table_is_set_to_zero_and_told():
    found = bulk_inclusion("MAPbBr3_Ishteev")
    assert np.all(found.eps.imag[found.wavelength_nm > 545] == 0.0)
    assert float(optical_constants("MAPbBr3_Ishteev").at(700.0)[1]) > 1e-3
    assert any("set to 0 beyond 545 nm" in note for note in found.notes)
    assert float(film(found, 1.5, 0.3).alpha_at(650.0)) == 0.0
    assert any("counts twice" in note for note in bulk_inclusion("CsPbI3_NCfilm").notes)


def test_the_fine_table_is_the_coarse_one_where_they_meet():
    fine, coarse = optical_constants("CsPbBr3_1nm"), optical_constants("CsPbBr3")
    meet = coarse.wavelength_nm[(coarse.wavelength_nm >= 300) & (coarse.wavelength_nm <= 850)]
    assert fine.at(meet)[0] == pytest.approx(coarse.at(meet)[0], abs=1e-4)  # four digits in the coarse table
    assert fine.at(meet)[1] == pytest.approx(coarse.at(meet)[1], rel=1e-4, abs=6e-6)  # five digits


def test_media_are_on_record_with_their_source():
    for name in medium_names():
        one = medium(name)
        assert one.source and one.kind in ("read", "derived", "recalled", "assumed")
        assert 1.0 <= float(one.at(550.0).real) < 3.0 and float(one.at(550.0).imag) >= 0.0
    assert float(medium("SiO2").at(587.6).real) == pytest.approx(1.45846, abs=2e-5)  # n_d of fused silica
    assert float(medium("TiO2 rutile").at(589.3).real) == pytest.approx(2.61, abs=0.01)
    assert float(medium("PMMA").at(589.3).real) == pytest.approx(1.49, abs=0.005)
    with pytest.raises(NotAvailableError, match="glue"):
        medium("glue")
    with pytest.raises(OptionError, match="an index"):
        constant_medium(1.5 - 0.1j)


# --- packing ----------------------------------------------------------------------------------------------


def test_a_shell_takes_its_part():
    one = shell(8.5, 1.0)
    assert one.core_share == pytest.approx((8.5 / 10.5) ** 3) and one.most == one.core_share
    assert one.core_fraction(0.6) == pytest.approx(0.6 * one.core_share)
    assert shell(8.5, 0.0).most == 1.0
    assert shell(8.5, 0.0, "sphere").most == pytest.approx(0.74048, abs=1e-5)


def test_what_cannot_be_packed_is_refused_with_its_reason():
    around = shell(8.5, 1.5)
    with pytest.raises(ModelRangeError, match="cannot be packed") as caught:
        film(CSPBBR3, 1.5, 0.5, around=around)
    assert "0.4038" in str(caught.value) and "shorter ligands" in str(caught.value)
    with pytest.raises(ModelRangeError, match="densest film"):
        fraction_for(CSPBBR3, 1.5, 3.0, 3.0, around=around)
    assert any("must be ordered" in note for note in film(CSPBBR3, 1.5, 0.3, around=around).notes)
    with pytest.raises(ModelRangeError, match="cannot be packed"):
        shell(8.5, 1.5, "sphere").core_fraction(0.8)


# --- confined nanocrystals --------------------------------------------------------------------------------


@pytest.mark.slow
def test_confined_nanocrystals_keep_their_absorption_per_volume():
    ensemble = quadrature(Lognormal(8.5, 0.07), Population("cube", "core-edge", "CsPbBr3"), n=8)
    nm = np.arange(440.0, 561.0, 2.0)
    found = confined_inclusions(ensemble, 1.5, nm)
    spectra = ensemble_spectrum(ensemble, HC_EV_NM / nm[::-1], outside_index=1.5)
    volume = float(ensemble.average(ensemble.volume_nm3)) * 1e-21
    assert set(found) == set(spectra["set"].values.tolist())
    for name, inclusion in found.items():
        per_volume = spectra.sel(set=name).values[::-1] / volume
        for rule in RULES:
            dilute = film(inclusion, 1.5, 1e-7).alpha_per_cm[rule] / 1e-7
            assert dilute == pytest.approx(per_volume, rel=1e-6, abs=1e-3)
        bulk = float(film(CSPBBR3, 1.5, 0.3).alpha_at(450.0))
        confined = float(film(inclusion, 1.5, 0.3).alpha_at(450.0))
        assert 0.57 < confined / bulk < 1.0  # the calibrations on record: 1 to 1/1.75
        assert float(film(inclusion, 1.5, 0.3).alpha_at(530.0)) < confined
    assert any("the host has" in note for note in film(inclusion, 1.7, 0.3).notes)
    assert not any("the host has" in note for note in film(inclusion, 1.5, 0.3).notes)
    around = shell_of_ensemble(ensemble, 1.0)
    assert around.core_share == pytest.approx(shell(8.5, 1.0).core_share, rel=0.02)


# --- measured spectra -------------------------------------------------------------------------------------


def test_a_measured_spectrum_is_scaled_to_its_optical_density():
    nm = np.arange(400.0, 601.0)
    shape = np.exp(-(((nm - 400.0) / 80.0) ** 2)) + 0.1
    one = film_of_extinction(nm, shape, 2.0, 3.0, 1.7, baseline=0.1)
    assert float(optical_density(one.alpha_at(450.0), 3.0)) == pytest.approx(2.0, rel=1e-12)
    assert one.alpha_per_cm["measured"] / one.alpha_at(450.0) == pytest.approx(
        (shape - 0.1) / (shape[50] - 0.1), rel=1e-12
    )
    assert one.k["measured"][50] == pytest.approx(float(one.alpha_at(450.0)) * 450e-7 / (4 * np.pi))
    assert one.spread() is None and float(one.index_at(500.0)) == 1.7
    record = Spectrum(nm, shape, "a", FileSource("a.txt", "0", "made"), kind="absorbance")
    again = film_of_spectrum(record, 2.0, 3.0, 1.7, baseline=0.1)
    assert np.all(again.alpha_per_cm["measured"] == one.alpha_per_cm["measured"])
    pl = Spectrum(nm, shape, "a", FileSource("a.txt", "0", "made"), kind="pl")
    with pytest.raises(OptionError, match="kind pl"):
        film_of_spectrum(pl, 2.0, 3.0, 1.7)


def test_noise_below_zero_is_told_and_a_wrong_baseline_refused():
    nm = np.arange(400.0, 601.0)
    shape = np.where(nm < 520, 1.0, -0.01)
    one = film_of_extinction(nm, shape, 2.0, 3.0, 1.7)
    assert float(one.alpha_at(600.0)) == 0.0 and any("set to 0" in note for note in one.notes)
    with pytest.raises(InputError, match="baseline"):
        film_of_extinction(nm, shape, 2.0, 3.0, 1.7, baseline=0.1)
    with pytest.raises(InputError, match="nothing is absorbed"):
        film_of_extinction(nm, np.zeros(201), 2.0, 3.0, 1.7)
    with pytest.raises(ModelRangeError, match="does not reach"):
        film_of_extinction(nm + 100, np.ones(201), 2.0, 3.0, 1.7)


# --- the slab ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_film_becomes_a_slab():
    nm = np.arange(500.0, 561.0)
    light = np.exp(-4 * np.log(2) * ((nm - 525) / 22) ** 2)
    one = film(CSPBBR3, 1.5, 0.3)
    thickness = thickness_um_for(one, 2.0)["maxwell-garnett"]
    slab = slab_of_film(one, thickness, nm, light, 0.9, host_alpha_per_cm=10.0)
    assert slab.source_depth == pytest.approx(2.0 * np.log(10.0), rel=1e-12)
    assert slab.depth == pytest.approx(one.alpha_at(nm) * thickness * 1e-4, rel=1e-12)
    assert slab.index == pytest.approx(float(np.sum(one.index_at(nm) * light) / light.sum()), rel=1e-12)
    assert slab.host_depth == slab.host_source_depth == pytest.approx(10.0 * thickness * 1e-4)
    found = slab_light(slab, cells=12, nodes=8)
    assert found.t_blue < 0.01 and abs(found.balance) < 1e-8
    other = slab_of_film(one, thickness, nm, light, 0.9, rule="bruggeman")
    assert other.source_depth > slab.source_depth
    with pytest.raises(ModelRangeError, match="outside that of the film"):
        slab_of_film(one, thickness, nm + 400, light, 0.9)
    with pytest.raises(OptionError, match="no rule"):
        slab_of_film(one, thickness, nm, light, 0.9, rule="lorentz")


def test_faults_are_told():
    with pytest.raises(OptionError, match="volume fraction"):
        film(CSPBBR3, 1.5, 1.2)
    with pytest.raises(OptionError, match="host that absorbs"):
        film(CSPBBR3, 1.5 + 0.01j, 0.2)
    with pytest.raises(OptionError, match="host index"):
        film(CSPBBR3, 0.9, 0.2)
    with pytest.raises(ModelRangeError, match="wavelength outside"):
        film(CSPBBR3, 1.5, 0.2, np.array([250.0]))
    with pytest.raises(ModelRangeError, match="absorbs nothing"):
        thickness_um_for(film(CSPBBR3, 1.5, 0.0), 2.0)
    with pytest.raises(NotAvailableError):
        bulk_inclusion("FAPbBr3")
