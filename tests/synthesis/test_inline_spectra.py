"""In-line spectra: one sizing function in the whole program, limits of the instrument, what is left out."""

import numpy as np
import pytest

from perolux.ensemble import Population, from_table
from perolux.errors import NotAvailableError, OptionError
from perolux.excitons.ensemble_spectra import ensemble_spectrum
from perolux.measured.pl import reduce_pl
from perolux.quantities.constants import HC_EV_NM
from perolux.synthesis import SizeDistribution
from perolux.synthesis.inline_spectra import Spectrometer, inline_spectra

BARE = {"slit_fwhm_nm": 0.0, "wavelength_nm": np.arange(350.0, 650.0, 1.0)}


def boxes(edges_nm, numbers, width_nm=0.02):
    r = 0.5e-9 * np.asarray(edges_nm, float)
    return SizeDistribution(r - 0.25e-9 * width_nm, r + 0.25e-9 * width_nm, np.asarray(numbers, float))


def test_absorbance_is_that_of_the_room_excitons():
    """Another path: an Ensemble, its cross section, Beer and Lambert."""
    # from the least edge on: lines and bulk are joined by the smallest size of a table
    edges, numbers = np.linspace(2.02, 9.0, 12), np.linspace(1.0, 2.0, 12) * 1e20
    seen = inline_spectra("CsPbBr3", [boxes(edges, numbers)], [1.0], 1.25, Spectrometer(**BARE))
    population = Population(shape="cube", size_convention="core-edge", material="CsPbBr3")
    energy = np.arange(1.6, 4.4, 0.005)
    cross = ensemble_spectrum(
        from_table(edges, population, numbers), energy, "absorption", temperature_k=298.15
    )
    for name, absorbance in zip(seen.sets, seen.absorbance[:, 0], strict=True):
        per_cm3 = 1e-6 * numbers.sum() / 1.25
        expected = 0.1 * per_cm3 / np.log(10) * cross.sel(set=name).values
        at = np.interp(HC_EV_NM / seen.wavelength_nm, energy, expected)
        # other nodes of the table and other energies: good to a hundredth
        assert absorbance == pytest.approx(at, rel=0.02, abs=5e-3 * at.max())


def test_light_of_a_thin_sample_is_the_emission_of_the_ensemble():
    edges, numbers = np.linspace(5.0, 8.0, 12), np.full(12, 1e12)
    seen = inline_spectra("CsPbBr3", [boxes(edges, numbers)], [1.0], spectrometer=Spectrometer(**BARE))
    population = Population(shape="cube", size_convention="core-edge", material="CsPbBr3")
    energy = np.arange(1.8, 3.4, 0.002)
    line = ensemble_spectrum(from_table(edges, population, numbers), energy, "emission", temperature_k=298.15)
    for name, pl in zip(seen.sets, seen.pl[:, 0], strict=True):
        expected = energy[int(line.sel(set=name).values.argmax())]
        found = reduce_pl(seen.spectra("pl", name)[0]).peak_ev
        assert found == pytest.approx(expected, abs=0.006)  # weights: lamp against volume
        assert pl.sum() < 1e-3  # a thin sample takes few photons


def test_photons_are_not_made():
    """Area of the light: at most what the sample takes of the lamp; less where it takes its own light."""
    one = boxes([8.0], [1e17])
    areas = []
    for dilution in (1.0, 1e4):
        used = Spectrometer(dilution=dilution, plqy=0.5)
        seen = inline_spectra("CsPbBr3", [one], [1.0], spectrometer=used, sets="yang2017")
        lamp = 1.0 - 10.0 ** -np.interp(365.0, seen.wavelength_nm, seen.absorbance[0, 0])
        areas.append(seen.pl[0, 0].sum() / lamp)
    assert areas[1] == pytest.approx(0.5, rel=2e-3)
    dense = inline_spectra("CsPbBr3", [boxes([8.0], [1e23])], [1.0], spectrometer=Spectrometer(plqy=0.5))
    assert np.all(dense.pl.sum(axis=2) < 0.5)


def test_the_slit_keeps_the_area_and_widens_the_line():
    one = boxes([7.0], [1e15])
    widths, areas = [], []
    for slit in (0.0, 10.0):
        used = Spectrometer(slit_fwhm_nm=slit, dilution=1e3)
        seen = inline_spectra("CsPbBr3", [one], [1.0], spectrometer=used, sets="yang2017")
        widths.append(reduce_pl(seen.spectra()[0]).fwhm_nm)
        areas.append(seen.pl.sum())
    assert areas[1] == pytest.approx(areas[0], rel=1e-6)
    assert widths[1] == pytest.approx(np.hypot(widths[0], 10.0), rel=0.03)


def test_noise_is_that_asked_for_and_one_seed_gives_one_series():
    many = [boxes([7.0], [1e15])] * 4
    used = Spectrometer(signal_to_noise=50.0, absorbance_noise=1e-3)
    plain = inline_spectra("CsPbBr3", many, np.arange(4.0), sets="yang2017")
    a = inline_spectra("CsPbBr3", many, np.arange(4.0), spectrometer=used, sets="yang2017", seed=3)
    b = inline_spectra("CsPbBr3", many, np.arange(4.0), spectrometer=used, sets="yang2017", seed=3)
    assert np.array_equal(a.pl, b.pl)
    assert np.std(a.pl - plain.pl) == pytest.approx(plain.pl.max() / 50.0, rel=0.05)
    assert np.std(a.absorbance - plain.absorbance) == pytest.approx(1e-3, rel=0.05)


def test_crystals_below_the_model_are_counted_not_drawn():
    seen = inline_spectra("CsPbBr3", [boxes([1.5, 6.0], [1e20, 1e20]), boxes([1.5], [1e20])], [1.0, 2.0])
    assert seen.left_out[0] == pytest.approx(1.5**3 / (1.5**3 + 6.0**3), rel=1e-3)
    assert seen.left_out[1] == 1.0
    assert not seen.pl[:, 1].any()
    assert not seen.absorbance[:, 1].any()


def test_where_the_bulk_is_not_on_record_there_is_light_but_no_absorbance():
    seen = inline_spectra("FAPbBr3", [boxes([8.0], [1e20])], [1.0])
    assert seen.absorbance is None
    assert "FAPbBr3" in seen.reasons["absorbance"]
    assert seen.pl.max() > 0
    with pytest.raises(NotAvailableError, match="FAPbBr3"):
        seen.spectra("absorbance")


def test_nothing_gives_nothing():
    seen = inline_spectra("CsPbBr3", [SizeDistribution([], [], [])], [0.0])
    assert not seen.pl.any()
    assert seen.lines()[0]["pl_peak_nm"] == {"pssrrl2023": None, "yang2017": None}


@pytest.mark.parametrize(
    "wrong",
    [
        {"wavelength_nm": np.array([500.0, 400.0])},
        {"wavelength_nm": np.geomspace(400, 700, 50)},
        {"path_mm": 0.0},
        {"plqy": 1.5},
        {"dilution": 0.5},
        {"signal_to_noise": -1.0},
    ],
)
def test_no_such_spectrometer(wrong):
    with pytest.raises(OptionError):
        Spectrometer(**wrong)


def test_spheres_shine_as_spheres_and_powders_have_no_absorbance():
    edges, numbers = np.linspace(4.0, 7.0, 12), np.full(12, 1e20)
    seen = inline_spectra(
        "CsPbBr3", [boxes(edges, numbers)], [1.0], spectrometer=Spectrometer(**BARE), shape="sphere",
        no_path="a powder",
    )  # fmt: skip
    assert seen.absorbance is None and seen.reasons == {"absorbance": "a powder"}
    kind = Population(shape="sphere", size_convention="core-diameter", material="CsPbBr3")
    energy = np.arange(1.8, 3.6, 0.002)
    line = ensemble_spectrum(from_table(edges, kind, numbers), energy, "emission", temperature_k=298.15)
    at = HC_EV_NM / seen.wavelength_nm
    for name, pl in zip(seen.sets, seen.pl[:, 0], strict=True):
        expected = np.interp(at, energy, line.sel(set=name).values) * HC_EV_NM / seen.wavelength_nm**2
        assert pl == pytest.approx(expected, abs=0.02 * expected.max())
        assert pl.sum() == pytest.approx(1.0, abs=0.01)  # photons per photon absorbed


def test_small_spheres_are_left_out_by_their_volume():
    """A sphere of 2.4 nm holds less than a cube of 2 nm, one of 2.6 nm more."""
    one = inline_spectra("CsPbBr3", [boxes([2.4, 2.6], [1e20, 1e20])], [1.0], shape="sphere")
    assert one.left_out == pytest.approx(2.4**3 / (2.4**3 + 2.6**3), rel=1e-3)
