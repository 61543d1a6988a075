"""One-dimensional Maxwell-Bloch: self-similar solution, gain, areas, energy, noise, elongated assemblies."""

import numpy as np
import pytest

from perolux.collective.couplings import Emitters, couplings
from perolux.collective.elongated import axis_of, maxwell_bloch_emission, phased_rate
from perolux.collective.lines import ringing
from perolux.collective.maxwell_bloch import burnham_chiao, maxwell_bloch, step_plain
from perolux.errors import ModelRangeError, OptionError


def rng():
    return np.random.default_rng(1)


def test_one_angle_everywhere_is_burnham_and_chiao_and_rings():
    found = maxwell_bloch(1e6, 60.0, rng=rng(), shots=1, slices=100, tipping=2e-3)
    law = burnham_chiao(found.times[1:], 2e-3)
    # second order in the slices: 7e-4 of the peak for 100, a quarter of that for 200
    assert np.abs(np.abs(found.fields[0, 0, 1:]) ** 2 - law).max() < 1e-3 * law.max()
    rings = ringing(found.times[1:], law)
    assert rings["second"] == pytest.approx(0.358, abs=0.01) and rings["dip"] < 1e-3
    # the peak lies where theta0 I0(q) has grown to pi: q = ln(pi/theta0) + ln(2 pi q)/2
    q = 9.0
    for _ in range(30):
        q = np.log(np.pi / 2e-3) + 0.5 * np.log(2.0 * np.pi * q)
    assert 2.0 * np.sqrt(rings["delay"]) == pytest.approx(q, rel=0.02)


@pytest.mark.parametrize("two_way", [False, True])
def test_photons_are_what_the_inversion_loses(two_way):
    found = maxwell_bloch(1e4, 30.0, rng=rng(), shots=4, two_way=two_way)
    emitted = np.trapezoid(found.rate, found.times, axis=1)
    lost = 0.5 * 1e4 * (found.inversion[:, 0] - found.inversion[:, -1])
    assert emitted == pytest.approx(lost, rel=2e-3)  # trapezoids of 0.1 on pulses of a few tau_R


def test_two_ways_share_the_light_evenly():
    found = maxwell_bloch(1e4, 30.0, rng=rng(), shots=60, two_way=True)
    each = np.trapezoid(np.abs(found.fields) ** 2, found.times, axis=2)
    ratio = each[:, 0] / each.sum(axis=1)
    assert np.mean(ratio) == pytest.approx(0.5, abs=4.0 * np.std(ratio) / np.sqrt(60))


@pytest.mark.parametrize("t2", [0.5, 2.0])
def test_small_signal_gain_is_exp_of_twice_t2(t2):
    still = {"shots": 1, "slices": 100, "tipping": 0.0}
    found = maxwell_bloch(1e6, 30.0, rng=rng(), dephasing=1.0 / t2, entering=np.full(2, 1e-8 + 0j), **still)
    assert abs(found.fields[0, 0, -1]) ** 2 * 1e16 == pytest.approx(np.exp(2.0 * t2), rel=1e-3)


def test_small_signal_gain_of_a_broad_line():
    """Gain exponent of equal classes: mean of 1/(1/T2 + i delta)."""
    line = np.array([-1.5, -0.5, 0.5, 1.5])
    found = maxwell_bloch(
        1e6, 30.0, rng=rng(), shots=1, slices=60, classes=4, tipping=0.0, detuning=line, dephasing=1.0,
        entering=np.full(2, 1e-8 + 0j),
    )  # fmt: skip
    exponent = 2.0 * np.mean(np.real(1.0 / (1.0 + 1j * line)))
    # classes are dealt over slices at random: each slice has its own mean
    assert np.log(abs(found.fields[0, 0, -1]) ** 2 * 1e16) == pytest.approx(exponent, rel=0.1)


def test_area_theorem_of_an_absorber_with_a_broad_line():
    """McCall and Hahn: tan(A/2) falls by exp(-pi g(0)) where the line is far broader than the pulse."""
    width = 6.0
    quantiles = (np.arange(2000) + 0.5) / 2000
    line = width * (quantiles - 0.5)  # flat: g(0) = 1/width
    t = np.linspace(0.0, 60.0, 2401)
    pulse = 1.0 / np.cosh((t - 20.0) / 1.5)
    area = 0.8 * np.pi
    pulse = pulse * area / np.trapezoid(pulse, t)
    found = maxwell_bloch(
        1e6, 60.0, rng=rng(), shots=1, slices=60, classes=150, tipping=0.0, inversion=-1.0, detuning=line,
        entering=pulse.astype(complex), time_step=0.05,
    )  # fmt: skip
    out = np.trapezoid(found.fields[0, 0].real, found.times)
    law = 2.0 * np.arctan(np.tan(0.5 * area) * np.exp(-np.pi / width))
    assert out == pytest.approx(law, rel=0.03)


def test_noise_has_the_mean_square_of_spontaneous_light():
    """The first light of an inversion is spontaneous: N/tau_R shared, <|e|^2> N/4 = 1 photon per tau_R."""
    found = maxwell_bloch(1e4, 0.1, rng=rng(), shots=4000, slices=10)
    first = found.rate[:, 0]
    assert np.mean(first) == pytest.approx(1.0, abs=4.0 * np.std(first) / np.sqrt(4000))


def test_dephasing_keeps_the_spontaneous_light():
    """An inversion that is dephased a hundred times faster than it gains emits as at first."""
    found = maxwell_bloch(1e4, 0.5, rng=rng(), shots=600, slices=5, dephasing=50.0)
    late = found.rate[:, len(found.times) // 2 :].mean(axis=1)
    # gain exp(2 T2) = 1.04, spread of 600 shots: 5 %
    assert np.mean(late) == pytest.approx(1.02, rel=0.1)


def test_the_kernel_is_the_plain_step():
    from perolux.collective._maxwell_bloch_kernels import shots

    draw = rng()
    p = 0.1 * (draw.standard_normal((1, 2, 6, 3)) + 1j * draw.standard_normal((1, 2, 6, 3)))
    detuning = draw.standard_normal((6, 3))
    _, mean = shots(p, 0.7, detuning, np.zeros(5, complex), 0.2, 0.1, 0.0, 0.05, 2, 1, np.zeros(1, int))
    a, w = p[0], np.full((6, 3), 0.7)
    for k in range(2):
        a, w = step_plain(a, w, detuning, 0.2, 0.1, 0.05)
        assert w.mean() == pytest.approx(mean[0, k + 1], abs=1e-12)


def rod(*shape, pitch=12.5):
    sites = np.array(list(np.ndindex(*shape)), dtype=float) * pitch
    return Emitters(sites, np.tile([1.0, 0.0, 0.0], (len(sites), 1)), 1.0, 530.0)


def test_tau_r_is_the_decay_of_one_excitation_with_the_phase_of_light():
    emitters = rod(2, 2, 80)
    found = axis_of(emitters)
    assert abs(found.direction[2]) == pytest.approx(1.0) and found.length_nm == pytest.approx(1000.0)
    assert found.area_nm2 == pytest.approx(625.0)
    wave = np.exp(1j * emitters.wavenumber_per_nm * emitters.positions_nm[:, 2]) / np.sqrt(320.0)
    rate = float(np.real(wave.conj() @ couplings(emitters).decay @ wave))
    assert phased_rate(emitters, found.direction) == pytest.approx(rate, rel=1e-9)
    assert found.collective_rate == pytest.approx(320.0 / 319.0 * (rate - 1.0), rel=1e-9)


def test_a_rod_bursts_with_balance_and_says_where_it_is_valid():
    found = maxwell_bloch_emission(rod(3, 3, 100), np.linspace(0.0, 0.3, 61), shots=30, rng=rng())
    assert found.photon_rate[0] == pytest.approx(900.0, rel=0.2) and found.photon_rate.max() > 5.0 * 900.0
    assert found.imbalance < 2e-3 and "Fresnel number" in found.validity and "delay" in found.notes[0]


def test_what_is_not_elongated_or_too_few_is_refused():
    with pytest.raises(ModelRangeError, match="one dimension"):
        axis_of(rod(7, 7, 7))
    with pytest.raises(ModelRangeError, match="10 emitters a cell"):
        maxwell_bloch(100.0, 1.0, rng=rng(), slices=50)
    with pytest.raises(OptionError, match="tipping"):
        burnham_chiao(np.array([1.0]), 0.0)
