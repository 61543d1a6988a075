"""Path of a line: pulls, dark frames, ends, cosmic rays, widths, noise; a second optimiser."""

import numpy as np
import pytest
from scipy.optimize import minimize

from perolux.errors import InputError, ModelRangeError, OptionError
from perolux.measured import SpectrumSet
from perolux.photons.diffusion_simulation import Wander, simulate_series
from perolux.photons.line_path import fit_line_path
from perolux.photons.line_profile import LineModel, gaussian_instrument, line_profile
from perolux.photons.spectral_series import DetectorNoise, series_of

INSTRUMENT = gaussian_instrument(4e-4)
STILL = Wander()
LORENTZ = LineModel("lorentzian", INSTRUMENT)


def made(seed=0, frames=120, photons=300.0, widths=(1e-4,), model=LORENTZ, motion=STILL, **kept):
    kept = {"exposure_s": 0.1, "pixels": 64, "steps": 4} | kept
    return simulate_series(
        motion, np.random.default_rng(seed), frames=frames, photons=photons, model=model, widths_ev=widths,
        **kept,
    )  # fmt: skip


def pulls(path, truth):
    return ((path.centre_ev - truth.centre_ev) / path.centre_sigma_ev)[path.ok]


def test_pulls_width_and_dark_frames():
    light = np.full(300, 200.0)
    light[100:130] = 0.0
    truth = made(frames=300, photons=light, motion=Wander(5e-4, 5.0))
    path = fit_line_path(series_of(truth.spectra), LORENTZ)
    dark = np.array([s == "dark" for s in path.status])
    # one frame in a thousand without light passes for a bright one
    assert not dark[:100].any() and not dark[130:].any() and dark[100:130].sum() >= 29
    z = pulls(path, truth)[light[path.ok] > 0]
    # 300 frames: the mean is known to 0.06, the deviation to 0.04
    assert abs(z.mean()) < 0.25 and 0.88 < z.std() < 1.16
    gamma, sigma = path.widths["gamma_ev"]
    assert abs(gamma - 1e-4) < 4 * sigma and sigma < 1e-5
    areas = ((path.area_counts - light) / path.area_sigma)[light > 0]
    assert 0.85 < areas.std() < 1.15
    assert path.noise_factor == pytest.approx(1.0, abs=0.05)
    assert np.isnan(path.centre_ev[dark]).all() and np.isfinite(path.area_counts).all()


def test_one_frame_against_another_optimiser():
    truth = made(frames=3, photons=150.0)
    series = series_of(truth.spectra)
    path = fit_line_path(series, LORENTZ)
    gamma = path.widths["gamma_ev"][0]
    counts = series.counts[1]

    def loss(p):
        line = line_profile(path.model, [gamma], series.energy_ev - 2.4 - 1e-3 * p[0])[0]
        mean = p[1] * line * series.pixel_ev + p[2]
        return float(np.sum(mean - counts * np.log(mean))) if np.all(mean > 0) else np.inf

    found = minimize(loss, [0.0, 150.0, 0.5], method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-11})
    # frames settle to a thousandth of their error
    assert 2.4 + 1e-3 * found.x[0] == pytest.approx(path.centre_ev[1], abs=2e-3 * path.centre_sigma_ev[1])
    assert found.x[1] == pytest.approx(path.area_counts[1], abs=2e-3 * path.area_sigma[1])


def test_camera_with_gain_read_noise_and_bias():
    truth = made(gain=2.0, read_noise_counts=4.0, bias_counts=300.0)
    series = series_of(truth.spectra, gain=2.0, read_noise_counts=4.0, bias_counts=300.0)
    path = fit_line_path(series, LORENTZ)
    assert path.noise_factor == pytest.approx(1.0, abs=0.06)
    assert 0.82 < pulls(path, truth).std() < 1.2 and path.ok.all()
    # the areas are in counts
    assert float(np.mean(path.area_counts)) == pytest.approx(600.0, rel=0.03)


def test_noise_estimated_where_nobody_says_it():
    truth = made(frames=200, gain=2.0, read_noise_counts=4.0)
    path = fit_line_path(series_of(truth.spectra), LORENTZ)
    assert path.series.noise.said == "estimated"
    assert path.series.noise.gain == pytest.approx(2.0, rel=0.2)
    assert path.series.noise.read_counts == pytest.approx(4.0, rel=0.15)
    assert 0.85 < pulls(path, truth).std() < 1.2


def test_noise_that_is_larger_widens_errors_and_says_so():
    truth = made(gain=3.0)  # counts that are not photo-electrons, taken for them
    path = fit_line_path(series_of(truth.spectra), LORENTZ)
    assert path.noise_factor == pytest.approx(3.0, rel=0.1)
    assert "widened" in path.warnings[0]
    assert 0.8 < pulls(path, truth).std() < 1.2
    said = fit_line_path(series_of(truth.spectra, gain=1.0), LORENTZ)
    assert "the noise given" in said.warnings[0]


def test_edge_and_outlier_are_flagged():
    shift = np.zeros(120)
    shift[7] = 6.3e-3
    truth = made(shift_ev=shift)
    spectra = list(truth.spectra)
    values = spectra[20].values.copy()
    values[50] += 400.0
    from dataclasses import replace

    spectra[20] = replace(spectra[20], values=values)
    path = fit_line_path(series_of(SpectrumSet(tuple(spectra))), LORENTZ)
    assert path.status[7] == "edge" and path.status[20] == "outlier"
    assert sum(s != "ok" for s in path.status) == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "widths"), [("gaussian", (2e-4,)), ("voigt", (1e-4, 2e-4)), ("lorentzian", (2e-4,))]
)
def test_shapes_recover_their_widths(shape, widths):
    model = LineModel(shape, INSTRUMENT)
    truth = made(2, frames=200, photons=1000.0, widths=widths, model=model)
    path = fit_line_path(series_of(truth.spectra), model)
    for (value, sigma), true in zip(path.widths.values(), widths, strict=True):
        assert abs(value - true) < 4 * sigma
        assert sigma < 0.2 * true


def test_a_gaussian_part_that_is_not_there():
    path = fit_line_path(series_of(made(5, frames=80).spectra), LineModel("voigt", INSTRUMENT))
    sigma, error = path.widths["sigma_ev"]
    square = path.gaussian_variance_sigma_ev2
    # its square is known, and holds 0; the width of the Lorentzian is not spoilt by it
    assert square is None or sigma**2 < 4 * square
    assert error is None or error < sigma
    assert np.nanmax(path.fwhm_sigma_ev) < 0.25 * np.nanmax(path.fwhm_ev)


def test_a_width_in_each_frame():
    truth = made(3, frames=60, photons=2000.0)
    path = fit_line_path(series_of(truth.spectra), LORENTZ, shared_width=False)
    z = (path.fwhm_ev - 2e-4) / path.fwhm_sigma_ev
    assert path.widths is None and abs(z.mean()) < 0.6 and 0.7 < z.std() < 1.4


@pytest.mark.slow
def test_a_phonon_wing():
    model = LineModel("lorentzian", INSTRUMENT, wing=True)
    truth = made(4, frames=100, photons=2000.0, model=model, widths=(1e-4, 0.3, 3e-3, 1e-3))
    path = fit_line_path(series_of(truth.spectra), model)
    for name, true in (("wing_share", 0.3), ("wing_shift_ev", 3e-3), ("wing_sigma_ev", 1e-3)):
        value, sigma = path.widths[name]
        assert abs(value - true) < 4 * sigma
    assert 0.8 < pulls(path, truth).std() < 1.25
    with pytest.raises(OptionError, match="wing in every frame"):
        fit_line_path(series_of(truth.spectra), model, shared_width=False)


def test_what_a_series_is_not():
    truth = made(frames=10)
    with pytest.raises(InputError, match="2 spectra"):
        series_of(SpectrumSet(truth.spectra.spectra[:2]))
    with pytest.raises(InputError, match="does not begin later"):
        series_of(SpectrumSet(truth.spectra.spectra[::-1]))
    other = made(frames=1, pixels=40).spectra
    with pytest.raises(InputError, match="axis"):
        series_of(SpectrumSet((*truth.spectra, *other)))
    with pytest.raises(OptionError, match="exposure of 1 s"):
        series_of(truth.spectra, exposure_s=1.0)
    with pytest.raises(OptionError, match="pixels between"):
        series_of(truth.spectra, range_ev=(1.0, 1.1))
    with pytest.raises(OptionError, match="gain of -1"):
        series_of(truth.spectra, gain=-1.0)
    with pytest.raises(OptionError) as error:
        series_of(truth.spectra, frame_s=-1.0, exposure_s=0.0)
    assert len(error.value.problems) == 2
    with pytest.raises(OptionError) as error:
        DetectorNoise(0.0, -1.0)
    assert len(error.value.problems) == 2
    from dataclasses import replace

    unnamed = SpectrumSet(tuple(replace(one, label=f"frame {k}") for k, one in enumerate(truth.spectra)))
    with pytest.raises(OptionError, match="says no time"):
        series_of(unnamed)
    assert series_of(unnamed, frame_s=0.2).period_s == pytest.approx(0.2)


def test_no_light_at_all():
    truth = made(photons=0.0)
    with pytest.raises(ModelRangeError, match="frames show a line"):
        fit_line_path(series_of(truth.spectra), LORENTZ)


@pytest.mark.long
def test_false_alarms_of_dark_frames():
    # a tenth of the frames shows the line, so that a width is known; the others are dark
    light = np.zeros(4000)
    light[::10] = 300.0
    truth = made(9, frames=4000, photons=light, background=1.0)
    path = fit_line_path(series_of(truth.spectra), LORENTZ)
    wrong = sum(path.status[k] != "dark" for k in range(4000) if k % 10)
    # 3600 dark frames at 1e-3 each: 3.6, and the bound on the number of places is rough
    assert wrong <= 12
