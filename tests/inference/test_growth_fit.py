"""Kinetic constants from a series: recovery, intervals, what is left open, wrong input."""

import tomllib
from dataclasses import replace

import numpy as np
import pytest

from perolux.errors import InputError, NotAvailableError, OptionError
from perolux.files import example_path
from perolux.inference import SizeSeries, SpectralSeries, fit_growth
from perolux.inference.growth_data import falls_back, seen_of
from perolux.inference.growth_series import read_growth_series
from perolux.measured import read
from perolux.measured.pl import reduce_pl
from perolux.synthesis import grow_recipe
from perolux.synthesis.batch import constants_of
from perolux.synthesis.flow import grow_flow
from perolux.synthesis.inline_spectra import Spectrometer, optics_of
from perolux.synthesis.recipe import recipe_of

pytestmark = pytest.mark.slow


def cool_recipe():
    """A slow growth at 25 degC, 2 to 6 nm in 15 minutes."""
    text = (example_path("recipes") / "cspbbr3_hot_injection.toml").read_text()
    content = tomllib.loads(text)
    content["vessel"]["temperature"] = "25 degC"
    content["events"] = content["events"][:1]
    content["events"][0]["temperature"] = "25 degC"
    content["events"][0]["contents"][0]["concentration"] = "0.02 M"
    content["observe"] = {"until": "900 s"}
    content["kinetics"] = {"surface_energy_j_m2": 0.04, "surface_rate_m_s": 1e-7, "solubility_mol_l": 3e-6}
    return recipe_of(content)


RECIPE = cool_recipe()
TIMES = np.array([60.0, 100, 150, 200, 250, 300, 400, 500])


@pytest.fixture(scope="module")
def truth():
    observe = RECIPE.observe.model_copy(update={"times": tuple(TIMES), "until": TIMES[-1]})
    return grow_recipe(RECIPE.model_copy(update={"observe": observe})).history


def sizes(history, seed, sigma_nm=0.05, sigma_cv=0.01):
    rng = np.random.default_rng(seed)
    n = len(TIMES)
    return SizeSeries(
        TIMES,
        2e9 * history.mean_radius_m + sigma_nm * rng.standard_normal(n),
        np.full(n, sigma_nm),
        history.cv + sigma_cv * rng.standard_normal(n),
        np.full(n, sigma_cv),
    )


@pytest.mark.slow
def test_sizes_alone_find_the_constants_from_nowhere(truth):
    names = ["surface_rate_m_s", "surface_energy_j_m2", "solubility_mol_l"]
    found = fit_growth(RECIPE, sizes(truth, 3), names)
    assert found.chi2 < 2.5 * (found.points - 3)
    for name in names:
        one = found[name]
        assert one.low is not None and one.high is not None
        assert one.low <= getattr(constants_of(RECIPE), name) <= one.high, one
    assert np.max(np.abs(2e9 * (found.batch.history.mean_radius_m - truth.mean_radius_m))) < 0.1
    # the barrier holds gamma^3/ln^2 S: energy and solubility move together
    assert any("cannot be told apart" in line for line in found.words)
    assert any(line.startswith("fixed") for line in found.words)


@pytest.mark.slow
def test_spectra_give_sizes_and_spreads(truth):
    """Signal to noise 100: mean edge within 0.1 nm, cv within 0.02 at every time."""
    spectrometer = Spectrometer(wavelength_nm=np.arange(420.0, 601.0, 2.0))
    optics = optics_of("CsPbBr3", 30.0, spectrometer, sets="yang2017")[0]
    pl = np.array([optics.record(one)[1] for one in truth.distributions])
    sigma = pl.max(axis=1) / 100.0
    noisy = pl + sigma[:, None] * np.random.default_rng(5).standard_normal(pl.shape)
    data = SpectralSeries(TIMES, noisy, sigma, optics)
    start = constants_of(RECIPE).with_values({"surface_rate_m_s": 1.1e-7, "surface_energy_j_m2": 0.0405})
    found = fit_growth(RECIPE, data, ["surface_rate_m_s", "surface_energy_j_m2"], start=start)
    assert np.max(np.abs(2e9 * (found.batch.history.mean_radius_m - truth.mean_radius_m))) < 0.1
    assert np.max(np.abs(found.batch.history.cv - truth.cv)) < 0.02
    assert found["surface_rate_m_s"].low < 1e-7 < found["surface_rate_m_s"].high


def covered(truth, seeds):
    names = ["surface_rate_m_s", "surface_energy_j_m2"]
    start, hits = constants_of(RECIPE), np.zeros(2)
    for seed in seeds:
        found = fit_growth(RECIPE, sizes(truth, seed), names, start=start)
        for k, name in enumerate(names):
            one = found[name]
            low = -np.inf if one.low is None else one.low
            high = np.inf if one.high is None else one.high
            hits[k] += low <= getattr(start, name) <= high
    return hits / len(seeds)


@pytest.mark.slow
def test_intervals_cover_the_truth(truth):
    # 400 in the long tier; of 20 that hold with 95 %, fewer than 16 would happen once in 390 runs
    shares = covered(truth, range(20))
    assert np.all(shares >= 0.8), shares


@pytest.mark.long
def test_intervals_cover_the_truth_at_length(truth):
    shares = covered(truth, range(1000, 1400))
    assert np.all((shares >= 0.90) & (shares <= 0.98)), shares


def test_prefactor_and_energy_are_one_combination(truth):
    found = fit_growth(
        RECIPE,
        sizes(truth, 1),
        ["surface_energy_j_m2", "log10_nucleation_prefactor"],
        start=constants_of(RECIPE),
    )
    assert abs(found.correlation[0, 1]) > 0.98
    assert any("cannot be told apart" in line for line in found.words)
    record = found.as_dict()
    assert record["degrees_of_freedom"] == 14
    assert record["constants"]["surface_energy_j_m2"]["unit"] == "J/m^2"


def test_a_posterior_agrees_with_the_covariance(truth):
    found = fit_growth(
        RECIPE, sizes(truth, 2), ["surface_rate_m_s"], start=constants_of(RECIPE), samples=240, seed=4
    )
    one, drawn = found["surface_rate_m_s"], found.samples
    assert np.median(drawn.values) == pytest.approx(one.value, abs=0.5 * one.sigma)
    assert np.std(drawn.values) == pytest.approx(one.sigma, rel=0.4)
    assert found.as_dict()["posterior"]["draws"] == 240


@pytest.mark.parametrize(
    ("names", "words"),
    [(["rate"], "no kinetic constant"), ([], "one name"), (["surface_rate_m_s"] * 2, "one name")],
)
def test_constants_that_are_none(truth, names, words):
    with pytest.raises(OptionError, match=words):
        fit_growth(RECIPE, sizes(truth, 0), names)


def test_a_start_outside_the_priors_is_refused(truth):
    start = constants_of(RECIPE).with_values({"solubility_mol_l": 0.05})
    with pytest.raises(OptionError, match="outside its prior"):
        fit_growth(RECIPE, sizes(truth, 0), ["solubility_mol_l"], start=start)


def test_spectra_say_where_they_see_no_size(truth):
    optics = optics_of(
        "CsPbBr3", 8.5, Spectrometer(wavelength_nm=np.arange(420.0, 601.0, 2.0)), sets="yang2017"
    )
    n = len(TIMES)
    data = SpectralSeries(TIMES, np.ones((n, 91)), np.ones(n), optics[0])
    assert data.limits(truth) == ()
    grown = replace(
        truth,
        mean_radius_m=1.6 * truth.mean_radius_m,
        distributions=tuple(
            replace(one, low_m=1.6 * one.low_m, high_m=1.6 * one.high_m) for one in truth.distributions
        ),
    )
    first, second = data.limits(grown)
    assert first.startswith("from 250 s on the mean edge is above 8 nm")
    assert "as if they had 8.5 nm" in second


def test_a_series_outside_the_recipe(truth):
    late = SizeSeries(2 * TIMES, truth.mean_radius_m, np.ones(len(TIMES)))
    with pytest.raises(OptionError, match="the end of the recipe"):
        fit_growth(RECIPE, late, ["surface_rate_m_s"])


def test_series_of_sizes_from_a_file(tmp_path):
    path = tmp_path / "sizes.csv"
    path.write_text("t_s,mean_edge_nm,sigma_nm,cv,sigma_cv\n60,3.1,0.1,0.2,0.01\n30,2.5,0.1,,\n")
    data = read_growth_series(path, RECIPE)
    assert data.time_s.tolist() == [30.0, 60.0]
    assert data.points == 3
    path.write_text("t_s,mean_edge_nm,sigma_nm\n60,wide,0.1\n,3,0.1\n")
    with pytest.raises(InputError) as caught:
        read_growth_series(path, RECIPE)
    assert len(caught.value.problems) == 2
    path.write_text("time,mean_edge_nm\n60,3\n")
    with pytest.raises(InputError, match="no column 't_s'"):
        read_growth_series(path, RECIPE)


def test_spectra_from_a_file(tmp_path, truth):
    spectrometer = Spectrometer(wavelength_nm=np.arange(420.0, 601.0, 2.0), slit_fwhm_nm=2.0)
    optics = optics_of("CsPbBr3", 30.0, spectrometer, sets="yang2017")[0]
    pl = np.array([optics.record(one)[1] for one in truth.distributions])
    pl = pl + 0.01 * pl.max(axis=1)[:, None] * np.random.default_rng(0).standard_normal(pl.shape)
    lines = ["Wavelength (nm)," + ",".join(f"{t:g} s" for t in TIMES)]
    lines += [
        f"{nm:g}," + ",".join(f"{x:.8g}" for x in row)
        for nm, row in zip(spectrometer.wavelength_nm, pl.T, strict=True)
    ]
    path = tmp_path / "pl.csv"
    path.write_text("\n".join(lines) + "\n")
    data = read_growth_series(path, RECIPE, parameter_set="yang2017")
    assert data.time_s.tolist() == TIMES.tolist()
    residuals = data.residuals(truth)
    assert 0.5 < np.mean(residuals**2) < 2.0  # noise from the ends of each spectrum
    path.write_text(path.read_text().replace("60 s", "first", 1))
    with pytest.raises(InputError, match="no time in 'first'"):
        read_growth_series(path, RECIPE)


@pytest.mark.parametrize(("run", "back"), [("run7", True), ("run4", True), ("run5", False)])
def test_series_that_fall_back_are_seen(run, back):
    """Real CdSe series: run 7 turns back after 480 s, run 4 between 360 and 450 s, run 5 does not."""
    spectra = read(example_path("cdse_hot_injection") / f"{run}_fl_emission.csv", kind="pl")
    times = [float(one.label.split()[0]) for one in spectra]
    found = falls_back(times, [reduce_pl(one).peak_nm for one in spectra])
    assert (found is not None) == back, found


ABSORBANCE = Spectrometer(wavelength_nm=np.arange(380.0, 641.0, 4.0))


def absorbance_of(truth, seed=5, noise=0.01):
    """Absorbance up to 0.42; a noise below the engine's own, 0.1 %, would test the engine."""
    optics = optics_of("CsPbBr3", 30.0, ABSORBANCE, sets="yang2017")[0]
    exact = np.array(
        [
            optics.record(one, float(volume))[0]
            for one, volume in zip(truth.distributions, truth.volume_ratio, strict=True)
        ]
    )
    noisy = exact + noise * np.random.default_rng(seed).standard_normal(exact.shape)
    return optics, exact, noisy


@pytest.mark.parametrize("scale", ["each", "series", "none"])
def test_absorbance_finds_the_constants(truth, scale):
    optics, _, noisy = absorbance_of(truth)
    lamp = 1.0 if scale == "none" else 1.7
    data = SpectralSeries(TIMES, lamp * noisy, np.full(len(TIMES), lamp * 0.01), optics, scale, "absorbance")
    start = constants_of(RECIPE).with_values({"surface_rate_m_s": 1.1e-7})
    found = fit_growth(RECIPE, data, ["surface_rate_m_s"], start=start)
    one = found["surface_rate_m_s"]
    assert abs(one.value - 1e-7) < 4.0 * one.sigma and one.low < one.value < one.high
    assert found.chi2 == pytest.approx(data.points, abs=5.0 * np.sqrt(2.0 * data.points))


def test_absolute_absorbance_tells_most_and_free_factors_least(truth):
    optics, exact, _ = absorbance_of(truth)
    sigmas = []
    for scale in ("none", "series", "each"):
        data = SpectralSeries(TIMES, exact, np.full(len(TIMES), 0.01), optics, scale, "absorbance")
        found = fit_growth(RECIPE, data, ["surface_rate_m_s"], start=constants_of(RECIPE))
        sigmas.append(found["surface_rate_m_s"].sigma)
    assert sigmas[0] <= 1.02 * sigmas[1] and sigmas[1] <= 1.02 * sigmas[2]


def test_absorbance_that_cannot_be_used(truth):
    optics, exact, _ = absorbance_of(truth)
    ones = np.ones(len(TIMES))
    with pytest.raises(OptionError, match="scale = 'none' of pl"):
        SpectralSeries(TIMES, exact, ones, optics, "none")
    with pytest.raises(OptionError, match="kind 'ir'"):
        SpectralSeries(TIMES, exact, ones, optics, "each", "ir")
    dark = replace(optics, cross=None, reason="no n and k")
    with pytest.raises(NotAvailableError, match="no n and k"):
        SpectralSeries(TIMES, exact, ones, dark, "each", "absorbance")


def written(path, wavelength_nm, table, labels):
    lines = ["Wavelength (nm)," + ",".join(labels)]
    lines += [
        f"{nm:g}," + ",".join(f"{x:.8g}" for x in row) for nm, row in zip(wavelength_nm, table.T, strict=True)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_absorbance_from_a_file_with_its_baseline(tmp_path, truth):
    _, _, noisy = absorbance_of(truth)
    labels, axis = [f"{t:g} s" for t in TIMES], ABSORBANCE.wavelength_nm
    path = written(tmp_path / "a.csv", axis, noisy + 0.03, labels)
    data = read_growth_series(path, RECIPE, parameter_set="yang2017", kind="absorbance")
    assert (data.kind, data.scale) == ("absorbance", "series")
    # the noise comes from 16 samples of each spectrum
    assert np.mean(data.sigma) == pytest.approx(0.01, rel=0.25)
    assert 0.5 < np.mean(data.residuals(truth) ** 2) < 2.0
    short = written(tmp_path / "b.csv", axis[axis < 530], noisy[:, axis < 530], labels)
    with pytest.raises(InputError, match="shows no baseline"):
        read_growth_series(short, RECIPE, parameter_set="yang2017", kind="absorbance")


def slow_tube():
    """The cool growth in droplets of a wide tube: 8 minutes along 20 cm."""
    content = tomllib.loads((example_path("recipes") / "cspbbr3_droplets.toml").read_text())
    for stream, flow in zip(content["streams"], ("9 uL/min", "1 uL/min"), strict=True):
        stream |= {"flow": flow, "temperature": "25 degC"}
    content["streams"][1]["contents"][0]["concentration"] = "0.02 M"
    content["tube"] = {"inner_diameter": "1 mm", "zones": [{"length": "20 cm", "temperature": "25 degC"}]}
    content["droplets"] = {"volume": "1 uL", "carrier_flow": "10 uL/min", "mixing": "0.1 s"}
    content["observe"] = {"detectors": ["2 cm", "4 cm", "6 cm", "9 cm", "12 cm", "16 cm", "20 cm"]}
    content["kinetics"] = {"surface_energy_j_m2": 0.04, "surface_rate_m_s": 1e-7, "solubility_mol_l": 3e-6}
    return recipe_of(content)


def test_sizes_along_a_tube_find_the_constants_of_its_droplets(tmp_path):
    recipe = slow_tube()
    flow, rng = grow_flow(recipe), np.random.default_rng(2)
    assert flow.detectors[-1].distribution.number > 0
    lines = ["x_mm,mean_edge_nm,sigma_nm"]
    lines += [
        f"{at.position_mm:g},{2e9 * at.distribution.mean_radius_m + 0.05 * rng.standard_normal():.5f},0.05"
        for at in flow.detectors
        if at.distribution.mean_radius_m
    ]
    path = tmp_path / "sizes.csv"
    path.write_text("\n".join(lines) + "\n")
    data = read_growth_series(path, recipe)
    assert data.time_s[-1] == pytest.approx(flow.detectors[-1].time_s)
    start = constants_of(recipe).with_values({"surface_rate_m_s": 1.5e-7})
    found = fit_growth(recipe, data, ["surface_rate_m_s"], start=start)
    one = found["surface_rate_m_s"]
    assert one.low < 1e-7 < one.high and one.high / one.low < 1.3
    assert [row["position_mm"] for row in found.batch.rows()] == pytest.approx(
        [at.position_mm for at in flow.detectors][-len(data.time_s) :]
    )


def test_spectra_along_a_tube_are_called_by_their_places(tmp_path):
    recipe = slow_tube()
    flow = grow_flow(recipe)
    spectrometer = Spectrometer(wavelength_nm=np.arange(400.0, 601.0, 2.0))
    optics = optics_of("CsPbBr3", 30.0, spectrometer, sets="yang2017")[0]
    pl = np.array([optics.record(at.distribution)[1] for at in flow.detectors])
    pl = pl + 0.01 * pl.max(axis=1)[:, None] * np.random.default_rng(0).standard_normal(pl.shape)
    labels = [f"{at.position_mm:g} mm" for at in flow.detectors]
    path = written(tmp_path / "pl.csv", spectrometer.wavelength_nm, pl, labels)
    data = read_growth_series(path, recipe, parameter_set="yang2017")
    assert data.time_s == pytest.approx([at.time_s for at in flow.detectors])
    assert 0.5 < np.mean(data.residuals(seen_of(flow)) ** 2) < 2.0
    with pytest.raises(InputError, match=r"no time in '20 mm'"):
        read_growth_series(path, RECIPE, parameter_set="yang2017")


def test_what_a_fit_in_flow_refuses():
    recipe = slow_tube()
    times, ones = np.array([100.0, 1e4]), np.ones(2)
    with pytest.raises(OptionError, match="where the tube ends"):
        fit_growth(recipe, SizeSeries(times, ones, ones), ["surface_rate_m_s"])
    with pytest.raises(OptionError, match="mixing_time_s has no effect in a recipe in flow"):
        fit_growth(recipe, SizeSeries(times / 100, ones, ones), ["mixing_time_s"])
    with pytest.raises(OptionError, match="no effect in a recipe in a flask"):
        fit_growth(RECIPE, SizeSeries(times / 100, ones, ones), ["viscosity_pa_s"])
