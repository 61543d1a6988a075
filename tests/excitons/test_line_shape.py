"""The phonon line: exact limits, an independent closed form, moments, detailed balance, convergence."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.excitons.light.huang_rhys import (
    acoustic_coupling,
    huang_rhys_factor,
    material_phonon_modes,
    phonon_stokes_shift_ev,
    stokes_shift_from_width_ev,
    thermalisation_shift_ev,
)
from perolux.excitons.light.phonon_line import (
    PhononModes,
    line_moments,
    mode_weights,
    moments_of_draws,
    phonon_line,
)
from perolux.materials import material
from perolux.quantities.constants import BOLTZMANN_EV_PER_K, FWHM_PER_SIGMA


def lines(energy, weights, positions, sigma):
    """A sum of Gaussians: the spectrum of weighted sharp lines."""
    kept = weights > 1e-14 * weights.max()
    weights, positions = weights[kept], positions[kept]
    distance = (energy[:, None] - positions[None, :]) / sigma
    return np.exp(-0.5 * distance**2) @ weights / (sigma * math.sqrt(2 * math.pi))


@pytest.mark.parametrize("strength", [0.05, 0.5, 3.0, 20.0])
@pytest.mark.slow
def test_at_zero_kelvin_one_mode_is_a_poisson_progression(strength):
    width = 0.001
    line = phonon_line(PhononModes([0.019], [strength]), 0.0, gauss_fwhm_ev=width)
    n = np.arange(80)
    poisson = np.array([math.exp(-strength + k * math.log(strength) - math.lgamma(k + 1)) for k in n])
    expected = lines(line.detuning_ev, poisson, n * 0.019, width / FWHM_PER_SIGMA)
    assert line.density_per_ev == pytest.approx(expected, abs=1e-9 * expected.max())  # rounding of the FFT


@pytest.mark.parametrize("temperature", [4.0, 77.0, 300.0])
@pytest.mark.parametrize("strength", [0.1, 1.0, 5.0])
def test_one_warm_mode_is_the_closed_form_with_bessel_functions(temperature, strength):
    width = 0.002
    line = phonon_line(PhononModes([0.019], [strength]), temperature, gauss_fwhm_ev=width)
    weights = mode_weights(strength, 0.019, temperature)
    assert weights.sum() == pytest.approx(1.0, abs=1e-12)
    expected = lines(line.detuning_ev, weights, np.arange(-60, 61) * 0.019, width / FWHM_PER_SIGMA)
    assert line.density_per_ev == pytest.approx(expected, abs=1e-9 * expected.max())


def test_two_modes_are_the_convolution_of_their_progressions():
    width, t = 0.002, 120.0
    line = phonon_line(PhononModes([0.019, 0.006], [0.4, 0.7]), t, gauss_fwhm_ev=width)
    first, second = mode_weights(0.4, 0.019, t, 40), mode_weights(0.7, 0.006, t, 40)
    order = np.arange(-40, 41)
    positions = (order[:, None] * 0.019 + order[None, :] * 0.006).ravel()
    expected = lines(line.detuning_ev, np.outer(first, second).ravel(), positions, width / FWHM_PER_SIGMA)
    assert line.density_per_ev == pytest.approx(expected, abs=1e-9 * expected.max())


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(0.002, 0.03), min_size=1, max_size=3),
    st.floats(0.0, 4.0),
    st.floats(0.0, 0.5),
    st.floats(0.0, 400.0),
    st.sampled_from(["absorption", "emission"]),
)
def test_area_mean_and_variance_are_exact(energies, strength, acoustic, temperature, side):
    modes = PhononModes(np.array(energies), np.full(len(energies), strength), acoustic, 0.0016)
    sigma = 0.003 / FWHM_PER_SIGMA
    line = phonon_line(modes, temperature, gauss_fwhm_ev=0.003, side=side)
    step = line.detuning_ev[1] - line.detuning_ev[0]
    area = line.density_per_ev.sum() * step
    mean = (line.density_per_ev * line.detuning_ev).sum() * step
    variance = (line.density_per_ev * (line.detuning_ev - mean) ** 2).sum() * step
    exact = line_moments(modes, temperature)
    sign = 1.0 if side == "absorption" else -1.0
    assert area == pytest.approx(1.0, abs=1e-10)
    # at 0 K the continuum's two-sided density has a kink at 0, whose trapezoid error is of order step^2
    assert mean == pytest.approx(sign * exact.mean_ev, rel=2e-3, abs=1e-9)
    assert variance == pytest.approx(exact.variance_ev2 + sigma**2, rel=1e-3)
    assert line.density_per_ev.min() > -1e-9 * line.density_per_ev.max()


def test_warm_and_strongly_coupled_the_line_is_the_gaussian_of_its_variance():
    modes = PhononModes([0.003, 0.006], [30.0, 20.0])
    t = 1500.0
    moments = line_moments(modes, t)
    # narrower zero-phonon lines would leave the comb of the sharp modes to be seen
    line = phonon_line(modes, t, gauss_fwhm_ev=0.01)
    sigma = math.sqrt(moments.variance_ev2 + (0.01 / FWHM_PER_SIGMA) ** 2)
    gauss = lines(line.detuning_ev, np.ones(1), np.array([moments.mean_ev]), sigma)
    # skewness sum S E^3/variance^1.5 = 4e-4 and excess sum S E^4 coth/variance^2 = 6e-4 disturb it by a part
    assert line.density_per_ev == pytest.approx(gauss, abs=1e-3 * gauss.max())


def test_variance_far_above_the_phonons_is_two_relaxation_energies_times_kt():
    modes = PhononModes([0.003, 0.019], [0.4, 0.3], 0.1, 0.0016)
    t = 3000.0
    # coth x = 1/x + x/3: with E = 19 meV and kT = 258 meV the next term is (E/kT)^2/12 = 5e-4
    assert line_moments(modes, t).variance_ev2 == pytest.approx(
        2 * modes.relaxation_ev * BOLTZMANN_EV_PER_K * t, rel=1e-3
    )


@pytest.mark.parametrize("temperature", [20.0, 100.0, 300.0])
def test_detailed_balance_between_gain_and_loss_of_phonon_energy(temperature):
    """A(-E) = A(E) exp(-E/kT), for the continuum beside a zero-phonon line that is far narrower than kT."""
    modes = PhononModes(np.zeros(0), np.zeros(0), 0.8, 0.002)
    thermal = BOLTZMANN_EV_PER_K * temperature
    line = phonon_line(modes, temperature, gauss_fwhm_ev=2e-5)
    energy = np.linspace(0.1 * thermal, min(3 * thermal, 0.006), 20)
    energy = energy[energy > 2e-4]
    ratio = line.at(-energy) / line.at(energy)
    assert ratio == pytest.approx(
        np.exp(-energy / thermal), rel=2e-3
    )  # broadening: (sigma/kT)^2 and curvature
    weights = mode_weights(0.7, 0.019, temperature, 20)
    order = np.arange(1, 5)
    assert weights[20 - order] == pytest.approx(
        weights[20 + order] * np.exp(-order * 0.019 / thermal), rel=1e-9
    )


def test_emission_is_the_mirror_image_of_absorption():
    modes = material_phonon_modes(material("CsPbBr3"), 7.0)
    up = phonon_line(modes, 100.0, gauss_fwhm_ev=0.002)
    down = phonon_line(modes, 100.0, gauss_fwhm_ev=0.002, side="emission")
    # the first point of the ring has no mirror image
    assert down.density_per_ev[1:] == pytest.approx(up.density_per_ev[1:][::-1], abs=1e-12)
    assert down.zero_phonon_weight == up.zero_phonon_weight


@pytest.mark.parametrize(("lorentz", "gauss"), [(0.0, 0.004), (0.002, 0.0), (0.002, 0.003)])
def test_line_is_converged_in_step_and_window(lorentz, gauss):
    modes = material_phonon_modes(material("CsPbBr3"), 6.0)
    coarse = phonon_line(modes, 300.0, lorentz_fwhm_ev=lorentz, gauss_fwhm_ev=gauss)
    fine = phonon_line(modes, 300.0, lorentz_fwhm_ev=lorentz, gauss_fwhm_ev=gauss, refine=4)
    asked = np.linspace(-0.15, 0.15, 401)
    # linear reading of a grid with 24 points in the narrowest width
    assert coarse.at(asked) == pytest.approx(fine.at(asked), abs=2e-3 * fine.density_per_ev.max())


def test_at_zero_kelvin_the_kinked_continuum_converges():
    modes = PhononModes(np.zeros(0), np.zeros(0), 0.5, 0.0016)
    coarse = phonon_line(modes, 0.0, gauss_fwhm_ev=0.001)
    fine = phonon_line(modes, 0.0, gauss_fwhm_ev=0.001, refine=16)
    asked = np.linspace(-0.005, 0.01, 201)
    assert coarse.at(asked) == pytest.approx(fine.at(asked), abs=2e-3 * fine.density_per_ev.max())


def test_a_lorentzian_and_no_phonons_is_that_lorentzian():
    line = phonon_line(PhononModes(np.zeros(0), np.zeros(0)), 300.0, lorentz_fwhm_ev=0.01)
    asked = np.linspace(-0.1, 0.1, 201)
    exact = 0.005 / np.pi / (asked**2 + 0.005**2)
    # the window is over 800 widths: folded back is (pi^2/3) (width/window)^2 of the peak;
    # reading is linear: at the peak by (step/width)^2 = 1/24^2 of it
    assert line.at(asked) == pytest.approx(exact, abs=2e-3 * exact.max())


def test_size_laws_and_the_acoustic_coupling():
    assert huang_rhys_factor([7.0, 3.5], 0.3, 1.0, 7.0) == pytest.approx([0.3, 0.6])
    s, cutoff = acoustic_coupling([5.0, 10.0], 2.0, 2.75, 4.75)
    assert s[0] / s[1] == pytest.approx(4.0) and cutoff[0] / cutoff[1] == pytest.approx(2.0)
    # by hand for L = 7 nm: a = 1.789 nm; D^2/(4 pi^2 rho hbar v^3 a^2) and sqrt(2) hbar v/a
    s, cutoff = acoustic_coupling(7.0, 2.0, 2.75, 4.75)
    a = 1.7893e-9
    by_hand = (2 * 1.602177e-19) ** 2 / (4 * np.pi**2 * 4750 * 1.0545718e-34 * 2750.0**3 * a**2)
    assert float(s) == pytest.approx(by_hand, rel=1e-3)  # a rounded to five digits
    assert 1e3 * float(cutoff) == pytest.approx(1e3 * math.sqrt(2) * 6.582120e-16 * 2750 / a, rel=1e-3)


def test_acoustic_factor_agrees_with_the_sum_over_plane_waves():
    """S = sum_q |g_q|^2/(hbar w)^2 with g = D sqrt(hbar q/(2 rho v V)) f(q), summed numerically."""
    d, v, rho, edge = 2.0 * 1.602177e-19, 2750.0, 4750.0, 7e-9
    a = edge * math.sqrt(2 * (1 / 12 - 0.5 / np.pi**2))
    hbar = 1.0545718e-34
    q = np.linspace(1e5, 12 / a, 20001)
    form = np.exp(-0.5 * (q * a) ** 2)
    integrand = q**2 / (2 * np.pi**2) * d**2 * hbar * q / (2 * rho * v) * form / (hbar * v * q) ** 2
    s, _ = acoustic_coupling(7.0, 2.0, 2.75, 4.75)
    assert float(s) == pytest.approx(np.trapezoid(integrand, q), rel=1e-4)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 0.1), st.floats(0.0, 3.0)), min_size=1, max_size=6),
    st.floats(0.0, 500.0),
)
def test_thermalisation_never_shifts_emission_to_the_blue(levels, temperature):
    energy, strength = np.array(levels).T
    if strength.sum() < 1e-6:
        return
    assert thermalisation_shift_ev(energy, strength, temperature) >= -1e-12


def test_thermalisation_limits():
    levels, strength = np.array([0.0, 0.01, 0.05]), np.array([0.0, 1.0, 2.0])
    assert thermalisation_shift_ev(levels, strength, 0.0) == pytest.approx(0.11 / 3 - 0.01)
    assert thermalisation_shift_ev(levels, strength, 1e7) == pytest.approx(0.0, abs=1e-5)


def test_stokes_shift_is_the_distance_of_the_two_means():
    modes = material_phonon_modes(material("CsPbBr3"), 7.0)
    means = []
    for side in ("absorption", "emission"):
        line = phonon_line(modes, 300.0, gauss_fwhm_ev=0.003, side=side)
        step = line.detuning_ev[1] - line.detuning_ev[0]
        means.append((line.density_per_ev * line.detuning_ev).sum() * step)
    assert means[0] - means[1] == pytest.approx(phonon_stokes_shift_ev(modes), rel=1e-6)


def test_errors_say_what_is_wrong():
    with pytest.raises(OptionError, match="width"):
        phonon_line(PhononModes([0.019], [0.1]), 10.0)
    with pytest.raises(OptionError, match="negative"):
        PhononModes([0.019], [-0.1])
    with pytest.raises(ModelRangeError, match="points"):
        phonon_line(PhononModes([0.019], [0.1]), 10.0, gauss_fwhm_ev=1e-9)
    with pytest.raises(ModelRangeError, match="cube of 2 nm"):
        material_phonon_modes(material("CsPbBr3"), 2.0)
    with pytest.raises(NotAvailableError):
        material_phonon_modes(material("AZPbBr3"), 7.0)


def test_the_shift_that_goes_with_a_width():
    modes = PhononModes(np.array([0.003, 0.006]), np.array([2.0, 1.0]))
    width = line_moments(modes, 300.0).fwhm_ev
    # (E/kT)^2/12 of 6 meV at 300 K is 0.4 %
    assert stokes_shift_from_width_ev(width, 300.0) == pytest.approx(phonon_stokes_shift_ev(modes), rel=5e-3)


def test_moments_of_many_draws_are_those_of_each():
    rng = np.random.default_rng(2)
    factor, acoustic = rng.uniform(0, 2, (5, 3)), rng.uniform(0, 0.3, 5)
    energy, cutoff = np.array([0.003, 0.006, 0.019]), rng.uniform(0.001, 0.003, 5)
    for t in (0.0, 4.0, 300.0):
        mean, variance = moments_of_draws(energy, factor, np.full(5, t), acoustic, cutoff)
        for i in range(5):
            one = line_moments(PhononModes(energy, factor[i], float(acoustic[i]), float(cutoff[i])), t)
            assert mean[i] == pytest.approx(one.mean_ev, rel=1e-12)
            assert variance[i] == pytest.approx(one.variance_ev2, rel=1e-7)  # two quadratures
