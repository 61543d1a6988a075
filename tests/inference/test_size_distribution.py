"""Inversion of spectra: known populations, limits of the methods, a second method, and what it refuses."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import ConvergenceError, InputError, NotAvailableError, OptionError
from perolux.inference import invert_spectrum
from perolux.inference.inversion_case import moments
from perolux.inference.inversion_data import Record
from perolux.inference.platelet_basis import PlateletLines, fit_platelets, platelet_columns
from perolux.inference.size_kernel import edge_grid
from perolux.inference.smooth_density import (
    DensityProblem,
    corner,
    fit_path,
    lognormal_start,
    sample_density,
)
from perolux.inference.tikhonov import resolution, tikhonov
from perolux.measured.records import FileSource, Spectrum
from perolux.quantities.constants import FWHM_PER_SIGMA, HC_EV_NM
from perolux.synthesis import SizeDistribution
from perolux.synthesis.inline_spectra import Spectrometer, inline_spectra
from perolux.validation.inference_inversion import inverted, population, spectrum_of

pytestmark = pytest.mark.slow

SET, LINE = "pssrrl2023", 77.13467704435794
ONE_WIDTH = {"sets": SET, "line_fwhm_mev": LINE}


def blurred(emission, sigma):
    """Gaussian lines on an even axis: a matrix whose answers are known by hand."""
    axis = np.linspace(-1.0, 1.0, 150)
    return np.exp(-0.5 * ((axis[:, None] - emission) / sigma) ** 2)


def problem_of(log_density, noise, seed=0):
    n = len(log_density)
    emission = np.linspace(-0.8, 0.8, n)
    matrix = blurred(emission, 0.15) / n
    clean = matrix @ np.exp(log_density)
    sigma = noise * clean.max()
    data = clean + sigma * np.random.default_rng(seed).standard_normal(len(clean))
    one = np.ones((len(clean), 1))
    columns = np.hstack([one, -one]) / sigma
    return DensityProblem(data / sigma, matrix / sigma, columns, 0.03, len(clean)), emission


@pytest.mark.parametrize(
    ("mean", "cv", "seed"), [(3.0, 0.1, 1), (4.0, 0.15, 2), (5.0, 0.05, 3), (6.0, 0.1, 4), (7.0, 0.05, 5)]
)
def test_a_known_population_comes_back(mean, cv, seed):
    grown = population(mean, cv)
    found = inverted(grown, SET, seed)
    assert found.mean_edge_nm.median == pytest.approx(2e9 * grown.mean_radius_m, abs=0.1)
    assert found.cv.median == pytest.approx(grown.cv, abs=0.02)
    assert found.misfit == pytest.approx(1.0, abs=0.35)
    assert np.trapezoid(found.density, found.edge_nm) == pytest.approx(1.0)
    assert found.light.sum() == pytest.approx(1.0)


def test_intervals_narrow_with_the_noise():
    grown, widths = population(5.0, 0.1), []
    for snr in (30.0, 100.0):
        used = Spectrometer(signal_to_noise=snr, dilution=1e4)
        seen = inline_spectra("CsPbBr3", [grown], [0.0], spectrometer=used, sets=SET, seed=2).spectra()[0]
        mean = invert_spectrum(seen, "CsPbBr3", excitation_nm=365.0, **ONE_WIDTH).by_set[SET].mean_edge_nm
        widths.append(mean.high95 - mean.low95)
    # sigma as 1/SNR, and an estimate of it that is good to a tenth
    assert widths[0] / widths[1] == pytest.approx(100.0 / 30.0, rel=0.4)


def test_two_populations_are_told_apart():
    one, two = population(4.0, 0.06), population(6.5, 0.06)
    parts = [np.r_[getattr(one, name), getattr(two, name)] for name in ("low_m", "high_m", "number_per_m3")]
    grown = SizeDistribution(*parts)
    found = inverted(grown, SET, 1)
    valley = found.density[(found.edge_nm > 4.7) & (found.edge_nm < 5.5)].min()
    assert valley < 0.1 * found.density[found.edge_nm > 5.5].max()
    assert found.mean_edge_nm.median == pytest.approx(2e9 * grown.mean_radius_m, abs=0.1)


def test_large_crystals_get_no_upper_bound():
    found = invert_spectrum(spectrum_of(population(10.0, 0.1), SET, 1), "CsPbBr3", sets=SET)
    assert found.kind == "lower-bound"
    assert "no-upper-bound" in found.flags
    assert found.mean_edge_nm.high95 is None
    assert found.reasons["high95"]
    assert 5.0 < found.mean_edge_nm.low95 < 10.0
    document = json.dumps(found.as_dict(), allow_nan=False)
    assert set(json.loads(document)["mean_edge_nm"]) == {"sets", "median", "low95", "high95"}


def test_both_sets_stay_apart_and_the_spread_is_shown():
    found = invert_spectrum(spectrum_of(population(5.0, 0.1), SET, 1), "CsPbBr3", line_fwhm_mev=LINE)
    assert set(found.by_set) == {"pssrrl2023", "yang2017"} == set(found.mean_edge_nm.sets)
    assert found.by_set["yang2017"].mean_edge_nm.median > found.by_set[SET].mean_edge_nm.high95
    assert found.kind == "interval"
    low, high = found.mean_edge_nm.low95, found.mean_edge_nm.high95
    assert low < found.by_set[SET].mean_edge_nm.low95 and found.by_set["yang2017"].mean_edge_nm.high95 < high
    assert {value.key for value in found.rests_on} >= {"prior.stokes_shift_ev", "CsPbBr3.gap"}
    again = invert_spectrum(spectrum_of(population(5.0, 0.1), SET, 1), "CsPbBr3", **ONE_WIDTH)
    assert again.by_set[SET].as_dict() == found.by_set[SET].as_dict()  # one seed, one answer


def test_an_absorbance_gives_sizes_and_number():
    number = 3e19
    used = Spectrometer(absorbance_noise=1e-3, path_mm=10.0, dilution=10.0)
    grown = population(5.0, 0.1, number_per_m3=number)
    seen = inline_spectra("CsPbBr3", [grown], [0.0], spectrometer=used, sets=SET, seed=1)
    record = seen.spectra("absorbance")[0]
    found = invert_spectrum(record, "CsPbBr3", path_mm=10.0, **ONE_WIDTH)
    one = found.by_set[SET]
    assert one.mean_edge_nm.median == pytest.approx(5.0, abs=0.2)
    assert one.number_per_litre.low95 < 1e-3 * number / 10.0 < one.number_per_litre.high95
    with pytest.raises(InputError, match="band"):  # an emission read as an absorbance
        invert_spectrum(replace(seen.spectra()[0], kind="absorbance"), "CsPbBr3", **ONE_WIDTH)


@pytest.mark.slow
def test_pl_and_absorbance_together():
    used = Spectrometer(signal_to_noise=100.0, absorbance_noise=1e-3, path_mm=10.0, excitation_nm=310.0)
    grown = population(5.0, 0.1, number_per_m3=3e20)
    seen = inline_spectra("CsPbBr3", [grown], [0.0], spectrometer=used, sets=SET, seed=1)
    pl, absorbance = seen.spectra()[0], seen.spectra("absorbance")[0]
    assert seen.absorbance[0, 0, 150] > 0.05  # light is absorbed again: the escape counts
    found = invert_spectrum(pl, "CsPbBr3", absorbance=absorbance, path_mm=10.0, **ONE_WIDTH)
    one = found.by_set[SET]
    assert one.mean_edge_nm.median == pytest.approx(5.0, abs=0.1)
    assert one.cv.median == pytest.approx(0.1, abs=0.02)
    assert one.stokes_offset_ev == pytest.approx(0.0, abs=0.005)
    assert one.number_per_litre.median == pytest.approx(3e17, rel=0.05)
    assert found.records == ("pl", "absorbance")


# --- the methods by themselves -----------------------------------------------------------------------------


def test_the_largest_lambda_fits_a_lognormal():
    """An exact limit: without roughness the log density is a parabola, whose third differences vanish."""
    u = np.log(edge_grid(30.0))
    true = 3.0 - 0.5 * ((u - np.log(5.0)) / 0.2) ** 2
    problem, _ = problem_of(np.maximum(true, -60.0), 1e-3)
    fit = fit_path(problem, lognormal_start(problem, 2.0), np.array([1e6]))[0]
    assert np.abs(np.diff(fit.log_density, 3)).max() < 1e-6
    assert fit.freedom == pytest.approx(4.0, abs=0.2)  # three of the parabola, one constant


@settings(max_examples=10)
@given(
    centre=st.floats(0.9, 2.6),
    width=st.floats(0.08, 0.3),
    level=st.floats(-2.0, 4.0),
    seed=st.integers(0, 99),
)
def test_compression_changes_nothing_and_chi2_falls_with_lambda(centre, width, level, seed):
    u = np.log(edge_grid(30.0))
    problem, _ = problem_of(np.maximum(level - 0.5 * ((u - centre) / width) ** 2, -60.0), 0.01, seed)
    small = problem.compressed()
    trial = np.exp(level - 0.5 * ((u - centre) / (1.3 * width)) ** 2)
    full = np.sum((problem.data - problem.matrix @ trial) ** 2)
    assert np.sum((small.data - small.matrix @ trial) ** 2) == pytest.approx(full, rel=1e-9)
    fits = fit_path(small, lognormal_start(small, 2.0))
    assert all(fit.amounts.min() >= 0 and np.isfinite(fit.log_density).all() for fit in fits)
    assert fits[-1].chi2 <= fits[0].chi2 + 0.1
    assert 0 <= corner(fits) < len(fits)


def test_posterior_of_a_lognormal_agrees_with_brute_force():
    """With one large lambda there are three numbers left: their posterior on a grid, by sums."""
    u = np.log(edge_grid(30.0))
    problem, _ = problem_of(2.0 - 0.5 * ((u - np.log(5.0)) / 0.25) ** 2, 0.02, 3)
    small = problem.compressed()
    fits = fit_path(small, lognormal_start(small, 2.0), np.array([1e6]))
    drawn = sample_density(small, fits, np.random.default_rng(1), 4000)
    edge = np.exp(u)
    found = moments(edge, drawn.density, edge**3)["mean_edge_nm"]
    q = np.linalg.qr(small.columns[:, :1])[0]
    project = lambda rows: rows - q @ (q.T @ rows)  # noqa: E731
    weights, means = [], []
    for centre in np.linspace(1.585, 1.635, 61):
        for width in np.linspace(0.23, 0.27, 61):
            shape = np.exp(-0.5 * ((u - centre) / width) ** 2)
            light, data = project(small.matrix @ shape), project(small.data)
            power = light @ light
            chi2 = data @ data - (light @ data) ** 2 / power
            # amplitude integrated in its logarithm; flat in the coefficients of the parabola: width^-5
            weights.append(np.exp(-0.5 * (chi2 - 140.0)) / np.sqrt(power) / (light @ data / power) / width**5)
            means.append(shape @ edge / shape.sum())
    weights, means = np.array(weights), np.array(means)
    mean = weights @ means / weights.sum()
    spread = np.sqrt(weights @ (means - mean) ** 2 / weights.sum())
    assert found.mean() == pytest.approx(mean, abs=0.15 * spread)
    assert found.std() == pytest.approx(spread, rel=0.1)


def test_linear_response_of_tikhonov_keeps_the_light_and_widens_with_noise():
    emission = np.linspace(-0.8, 0.8, 91)
    matrix = blurred(emission, 0.15)
    true = np.exp(-0.5 * (emission / 0.2) ** 2)
    rng = np.random.default_rng(0)
    widths = []
    for noise in (1e-3, 3e-2):
        clean = matrix @ true * (emission[1] - emission[0])
        sigma = noise * clean.max()
        data = (clean + sigma * rng.standard_normal(150)) / sigma
        fit = tikhonov(data, matrix / sigma, np.zeros((150, 0)), emission[::-1], 150)
        assert fit.response[:, 45].sum() == pytest.approx(1.0, abs=0.05)
        assert fit.light.min() >= 0 and fit.light.sum() == pytest.approx(1.0)
        spread = resolution(fit, np.geomspace(2.0, 20.0, 91), emission)
        widths.append(spread.width_nm[45])
    assert widths[0] < widths[1]


def test_two_methods_agree_on_the_light_not_on_the_number():
    found = inverted(population(7.0, 0.05), SET, 0)
    assert found.tikhonov_light_edge_nm == pytest.approx(found.light_edge_nm.median, abs=0.1)
    assert found.tikhonov.mean_edge_nm < 6.9  # noise at 2 nm counts as many crystals


# --- platelets ---------------------------------------------------------------------------------------------


def plates(shares, energies, shift=0.0, fwhm=85.0, noise=0.01, seed=0):
    nm = np.arange(400.0, 560.0)
    lines = PlateletLines("by hand", tuple(range(2, 2 + len(shares))), tuple(energies))
    light = platelet_columns(lines, nm, 0.0, shift, fwhm) @ np.asarray(shares)
    sigma = np.full(len(nm), noise * light.max())
    values = light + sigma * np.random.default_rng(seed).standard_normal(len(nm))
    one = np.ones((len(nm), 1)) * light.max()
    return lines, Record("pl", nm, values, sigma, np.hstack([one, -one]), (), "here")


def test_platelets_are_counted():
    energies = [HC_EV_NM / nm for nm in (433.0, 457.0, 471.0, 480.0, 487.0)]
    true = np.array([0.2, 0.5, 0.0, 0.3, 0.0])
    lines, record = plates(true, energies, shift=0.01)
    found = fit_platelets(lines, record, 0.0, np.random.default_rng(1))
    assert found.share.sum() == pytest.approx(1.0)
    assert np.all((found.low95 <= true + 0.03) & (true - 0.03 <= found.high95))
    assert found.mean[1] <= found.mean[0] <= found.mean[2]
    assert found.mean[0] == pytest.approx(true @ np.array(lines.monolayers), abs=0.4)


def test_lines_of_platelets_have_area_one():
    lines = PlateletLines("one", (3,), (2.7,))
    nm = np.arange(350.0, 650.0, 0.25)
    light = platelet_columns(lines, nm, 3.0, 0.0, 80.0)[:, 0]
    assert np.trapezoid(light, nm) == pytest.approx(1.0, abs=1e-4)
    above = HC_EV_NM / nm[light * nm**2 > 0.5 * (light * nm**2).max()]
    slit = 1e3 * 3.0 * 2.7**2 / HC_EV_NM
    assert 1e3 * np.ptp(above) == pytest.approx(np.hypot(80.0, slit), rel=0.03)
    assert pytest.approx(2.3548, abs=1e-3) == FWHM_PER_SIGMA


def test_a_single_thickness_is_no_cube():
    """Narrower than the line of one cube on record: platelets have lines that may be as narrow."""
    nm = np.arange(400.0, 601.0)
    energy = HC_EV_NM / nm
    light = np.exp(-0.5 * ((energy - HC_EV_NM / 458.0) / (0.062 / FWHM_PER_SIGMA)) ** 2) / nm**2
    light /= light.max()
    noisy = light + 0.01 * np.random.default_rng(0).standard_normal(len(nm))
    record = Spectrum(nm, noisy, "plates", FileSource("computed", "", "here"), kind="pl")
    found = invert_spectrum(record, "CsPbBr3", basis="both", sets=SET, line_fwhm_mev=LINE)
    # a few per cent of cubes beside them cannot be excluded, cubes alone can
    assert found.criterion[SET]["cubes"] > 10.0
    assert found.criterion[SET]["platelets"] < 6.0
    assert "poor-fit" in found.flags
    only = invert_spectrum(record, "CsPbBr3", basis="platelets", sets=SET)
    assert only.mean_edge_nm is None and only.reasons["mean_edge_nm"] and only.by_set == {}
    ladder = only.platelets["electronic-recalled"]
    assert ladder.share[1] > 0.8  # 3 monolayers at 457 nm
    assert only.rows()[0]["monolayers"] == 2
    assert json.dumps(only.as_dict(), allow_nan=False)


# --- what is refused ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def usual():
    return spectrum_of(population(5.0, 0.1), SET, 1)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"basis": "spheres"}, "no basis"),
        ({"slit_fwhm_nm": -1.0}, "slit_fwhm_nm"),
        ({"noise": 0.0}, "noise"),
        ({"excitation_nm": 5.0}, "excitation_nm"),
        ({"range_nm": (600.0, 400.0)}, "range_nm"),
        ({"largest_edge_nm": 1.0}, "largest_edge_nm"),
        ({"line_fwhm_mev": float("nan")}, "line_fwhm_mev"),
        ({"path_mm": 0.0}, "path_mm"),
        ({"sets": "nobody"}, "no parameter set"),
    ],
)
def test_options_that_cannot_be_used(usual, wrong, words):
    with pytest.raises(OptionError, match=words):
        invert_spectrum(usual, "CsPbBr3", **wrong)


def test_all_wrong_options_are_told_at_once(usual):
    with pytest.raises(OptionError) as caught:
        invert_spectrum(usual, "CsPbBr3", basis="x", slit_fwhm_nm=99.0, path_mm=-1.0)
    assert len(caught.value.problems) == 3


def test_records_that_cannot_be_inverted(usual):
    with pytest.raises(OptionError, match="kind"):
        invert_spectrum(replace(usual, kind="unknown"), "CsPbBr3")
    with pytest.raises(InputError, match="samples lie between"):
        invert_spectrum(usual, "CsPbBr3", range_nm=(690.0, 700.0), sets=SET)
    flat = replace(usual, values=np.minimum(usual.values, 0.5 * usual.values.max()))
    with pytest.raises(InputError, match="saturated"):
        invert_spectrum(flat, "CsPbBr3", sets=SET)
    dark = replace(usual, values=np.random.default_rng(0).standard_normal(len(usual)))
    with pytest.raises(InputError, match="no band"):
        invert_spectrum(dark, "CsPbBr3", sets=SET)
    with pytest.raises(NotAvailableError, match="FAPbBr3") as caught:
        invert_spectrum(usual, "FAPbBr3")
    assert "line_fwhm_mev" in caught.value.problems[0].fix


def test_a_record_without_cubes_is_refused():
    """Scattered light alone, as an absorbance with a dent where an exciton is looked for."""
    nm = np.arange(360.0, 700.0)
    scattered = 0.5 * (nm / 400.0) ** -4 + 1e-3 * np.random.default_rng(0).standard_normal(len(nm))
    record = Spectrum(nm, scattered, "blank", FileSource("computed", "", "here"), kind="absorbance")
    with pytest.raises(ConvergenceError, match="cubes"):
        invert_spectrum(record, "CsPbBr3", **ONE_WIDTH)


def test_a_material_without_n_and_k_is_inverted_by_its_light(usual):
    found = invert_spectrum(usual, "FAPbBr3", line_fwhm_mev=90.0)
    assert found.kind in ("interval", "lower-bound")
    with pytest.raises(OptionError, match="cross sections"):
        invert_spectrum(usual, "FAPbBr3", line_fwhm_mev=90.0, excitation_nm=365.0)
