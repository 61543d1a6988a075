"""S16, S17, axes in eV and cm-1, air and vacuum, baselines."""

from __future__ import annotations

import math

import numpy as np
import pytest

from perolux.errors import ModelRangeError, OptionError
from perolux.measured import FileSource, Spectrum, reduce_pl
from perolux.measured.air import air_index, vacuum_wavelength_nm
from perolux.measured.baseline import estimate_baseline
from perolux.quantities.constants import HC_EV_NM

SOURCE = FileSource("made", "", "test")


def band(energy_ev, centre_ev=2.40, fwhm_mev=85.0):
    return np.exp(-4 * math.log(2) * (1e3 * (energy_ev - centre_ev) / fwhm_mev) ** 2)


def per_ev_spectrum(values_of, unit="eV"):
    nm = HC_EV_NM / np.arange(1.9, 2.9, 0.005)[::-1]
    return Spectrum(nm, 1e5 * values_of(HC_EV_NM / nm), "made", SOURCE, "pl", unit)


def test_s16_offset_widens_the_band_and_the_baseline_mends_it():
    offset = 0.02
    truth = math.sqrt(math.log(2 / (1 - offset)) / math.log(2))
    assert truth == pytest.approx(1.0145, abs=5e-5)
    raised = per_ev_spectrum(lambda e: band(e) + offset)
    # 0.05 % is the tolerance of the check
    assert reduce_pl(raised, baseline="none").fwhm_mev / 85.0 == pytest.approx(truth, abs=5e-4)
    assert reduce_pl(raised, baseline="ends").fwhm_mev / 85.0 == pytest.approx(1.0, abs=5e-4)


def test_s17_units_there_and_back_and_the_integral():
    nm = np.arange(400.0, 700.0, 0.5)
    counts = 1e5 * band(HC_EV_NM / nm) * HC_EV_NM / nm**2
    recorded = Spectrum(nm, counts, "made", SOURCE, "pl")
    energy, density = recorded.per_ev()
    back_nm = HC_EV_NM / energy[::-1]
    back = density[::-1] * HC_EV_NM / back_nm**2
    assert np.max(np.abs(back_nm / nm - 1)) < 1e-12
    assert np.max(np.abs(back - counts)) < 1e-12 * np.max(counts)
    assert np.trapezoid(density, energy) == pytest.approx(np.trapezoid(counts, nm), rel=1e-4)


@pytest.mark.parametrize("unit", ["eV", "cm-1"])
def test_a_spectrum_recorded_on_an_energy_axis_takes_no_second_jacobian(unit):
    r = reduce_pl(per_ev_spectrum(band, unit))
    assert r.peak_ev == pytest.approx(2.40, abs=1e-6)
    assert r.fwhm_mev == pytest.approx(85.0, abs=1e-3)
    area = 1e5 * 0.085 * math.sqrt(math.pi / (4 * math.log(2)))
    per_unit = 1.0 if unit == "eV" else 1e7 / HC_EV_NM
    assert r.integrated == pytest.approx(area * per_unit, rel=1e-4)


def test_the_same_light_recorded_per_nm_and_per_ev_gives_the_same_numbers():
    by_energy = per_ev_spectrum(band)
    nm = by_energy.wavelength_nm
    by_nm = Spectrum(nm, by_energy.values * HC_EV_NM / nm**2, "made", SOURCE, "pl")
    a, b = reduce_pl(by_energy), reduce_pl(by_nm)
    assert a.peak_ev == pytest.approx(b.peak_ev, abs=1e-7)
    assert a.fwhm_mev == pytest.approx(b.fwhm_mev, abs=1e-4)
    assert a.integrated == pytest.approx(b.integrated, rel=1e-3)  # trapezoids on two axes


def test_air_to_vacuum_is_off_by_default_and_recorded():
    nm = np.arange(450.0, 600.0)
    made = Spectrum(nm, 1e5 * band(HC_EV_NM / nm, 2.41), "made", SOURCE, "pl")
    air = reduce_pl(made)
    vacuum = reduce_pl(made, air_to_vacuum=True)
    # chapter 3.1: -0.67 meV at 2.41 eV
    assert 1e3 * (vacuum.peak_ev - air.peak_ev) == pytest.approx(-0.67, abs=0.01)
    assert air.wavelengths == "as recorded"
    assert "vacuum" in vacuum.wavelengths


def test_air_to_vacuum_is_refused_for_a_vacuum_axis():
    made = Spectrum(np.arange(450.0, 600.0), np.ones(150), "made", SOURCE, "pl", medium="vacuum")
    with pytest.raises(OptionError, match="vacuum"):
        reduce_pl(made, air_to_vacuum=True)


def test_air_index():
    assert float(air_index(np.array([514.5]))[0]) == pytest.approx(1.000278, abs=1e-6)
    nm = np.array([400.0, 800.0])
    assert vacuum_wavelength_nm(nm) / air_index(vacuum_wavelength_nm(nm)) == pytest.approx(nm, abs=1e-9)
    with pytest.raises(ModelRangeError, match="230 to 1690"):
        air_index(np.array([100.0]))


@pytest.mark.parametrize("method", ["ends", "linear", "arpls"])
def test_flat_background_is_removed_by_every_method(method):
    nm = np.arange(400.0, 650.0)
    made = Spectrum(nm, 300.0 + 1e4 * band(HC_EV_NM / nm), "made", SOURCE, "pl")
    truth = reduce_pl(Spectrum(nm, 1e4 * band(HC_EV_NM / nm), "made", SOURCE, "pl"), baseline="none")
    r = reduce_pl(made, baseline=method)
    assert r.baseline.counts == pytest.approx(300.0, abs=15.0)  # arpls keeps 0.1 % of the band
    assert r.fwhm_mev == pytest.approx(truth.fwhm_mev, rel=2e-3)


def test_curved_background_needs_arpls_and_a_slope_needs_a_line():
    nm = np.arange(400.0, 651.0)
    clean = 1e4 * band(HC_EV_NM / nm)
    rng = np.random.default_rng(3)
    noise = rng.normal(0.0, 5.0, len(nm))
    truth = reduce_pl(Spectrum(nm, clean, "made", SOURCE, "pl"), baseline="none").fwhm_mev

    def error(background, method):
        made = Spectrum(nm, clean + background + noise, "made", SOURCE, "pl")
        return abs(reduce_pl(made, baseline=method).fwhm_mev - truth)

    bowl = 2000.0 * ((nm - 525.0) / 125.0) ** 2
    assert error(bowl, "arpls") < 1.0 < 10.0 < error(bowl, "ends")  # measured 0.6 and 11.4 meV
    decay = 1500.0 * np.exp(-(nm - 400.0) / 100.0)
    assert error(decay, "arpls") < 0.2 < 1.5 < error(decay, "ends")  # measured 0.02 and 1.8 meV
    slope = 4.0 * (nm - 400.0)
    assert error(slope, "linear") < 0.3

    # what a slope moves is the peak, by slope x sigma^2 / height = 0.11 meV; noise alone gives 0.02 meV
    def off(method):
        made = Spectrum(nm, clean + slope + noise, "made", SOURCE, "pl")
        true = Spectrum(nm, clean, "made", SOURCE, "pl")
        return 1e3 * abs(reduce_pl(made, baseline=method).peak_ev - reduce_pl(true, baseline="none").peak_ev)

    assert off("linear") < 0.05 < off("ends")


def test_baseline_options_are_checked():
    nm, values = np.arange(400.0, 500.0), np.ones(100)
    with pytest.raises(OptionError, match="unknown baseline"):
        estimate_baseline(nm, values, "spline")
    with pytest.raises(OptionError, match="arpls"):
        estimate_baseline(nm, values, "ends", period_nm=50.0)
    with pytest.raises(OptionError, match="at least 16"):
        estimate_baseline(nm[:10], values[:10])
