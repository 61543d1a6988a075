"""The emitter: closed forms, balances, limits, a second method (jumps), and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import ConvergenceError, OptionError
from perolux.excitons import nanocrystal
from perolux.excitons.levels.relaxation import TransferRates, two_level_decay
from perolux.excitons.light.rates import Levels
from perolux.photons import _jump_kernels
from perolux.photons.correlation import pairs
from perolux.photons.emitter import (
    Emitter,
    Step,
    branching,
    decay_terms,
    emission_spectrum,
    pulse_counts,
    rate_matrix,
    stationary,
    steady_g2,
)
from perolux.photons.emitter_stream import emitter_stream
from perolux.photons.nanocrystal_emitter import emitter_numbers, nanocrystal_emitter
from perolux.photons.simulate import Detectors

RATE = st.floats(1e-4, 1e2)
LEVELS = Levels.of([0.0, 2.0, 2.5, 3.0], [0.01, 1.0, 1.2, 0.8])


def two_level(rate=0.5):
    return Emitter(("g", "x"), (Step("g", "x", 1.0, "pump"), Step("x", "g", rate, "emission", 1.0)))


def crystal(**changes):
    given_ = {"one_phonon_per_ns": 3.0, "biexciton_auger_per_ns": 10.0, "detected": 0.3} | changes
    return nanocrystal_emitter(LEVELS, 10.0, **given_)


def full():
    return crystal(
        ionised_share=0.2,
        neutralisation_per_ns=1e-3,
        trion_auger_per_ns=2.0,
        trapping_per_ns=0.1,
        release_per_ns=0.01,
        trap_loss_per_ns=0.02,
        exciton_loss_per_ns=0.05,
    )


@settings(max_examples=50)
@given(RATE, RATE, st.floats(-50, 50))
def test_two_levels(rate, pump, tau):
    found = float(steady_g2(two_level(rate), pump, tau))
    assert abs(found + np.expm1(-(rate + pump) * abs(tau))) < 1e-10
    assert abs(float(steady_g2(two_level(rate), pump, 0.0))) < 1e-14


@settings(max_examples=40, deadline=None)
@given(st.lists(RATE, min_size=12, max_size=12), RATE)
def test_balances_of_any_rates(rates, pump):
    states = ("a", "b", "c", "d")
    ways = [(i, j) for i in states for j in states if i != j]
    steps = [Step(*way, rate, "emission", 0.5) for way, rate in zip(ways, rates, strict=True)]
    emitter = Emitter(states, (*steps, Step("a", "b", 1.0, "pump")))
    matrix = rate_matrix(emitter, pump)
    still = stationary(emitter, pump)
    scale = np.abs(matrix).max()
    assert np.abs(matrix.sum(axis=0)).max() < 1e-10 * scale
    assert still.min() >= 0 and abs(still.sum() - 1) < 1e-12
    assert np.abs(matrix @ still).max() < 1e-12 * scale
    for ends in branching(emitter, pump).values():
        assert abs(sum(ends.values()) - 1) < 1e-10
    assert steady_g2(emitter, pump, [0.0, 1e6])[1] == pytest.approx(1.0, abs=1e-8)


def test_a_nanocrystal_keeps_probability_and_positivity():
    emitter = full()
    assert set(emitter.states) >= {"charged", "trion", "trap", "biexciton"}
    matrix = rate_matrix(emitter, 0.01)
    assert np.abs(matrix.sum(axis=0)).max() < 1e-10
    from scipy.linalg import expm

    for t in (0.01, 1.0, 1e3):
        moved = expm(t * matrix)
        assert moved.min() > -1e-10 and np.abs(moved.sum(axis=0) - 1).max() < 1e-10
    for ends in branching(emitter, 0.01).values():
        assert abs(sum(ends.values()) - 1) < 1e-10


def test_low_power_pulses_give_the_ratio_of_yields():
    # bright levels alone, no transfer: the exciton after the biexciton is like any other
    levels = Levels.of([0.0, 2.0, 2.0, 2.0], [0.0, 1.0, 1.0, 1.0])
    emitter = nanocrystal_emitter(
        levels,
        4.0,
        biexciton_auger_per_ns=9.0,
        exciton_loss_per_ns=0.25,
        filling=(0.0, 1 / 3, 1 / 3, 1 / 3),
        detected=0.2,
    )
    exciton = 1.0 / 1.25
    biexciton = 3.0 / (3.0 + 9.0 + 0.5)
    # after Auger one exciton in four is dark; they do not make pairs, only photons that follow emission do
    counts = pulse_counts(emitter, 1e-5, 1e5)
    assert counts.g2_zero == pytest.approx(biexciton / exciton, rel=1e-4)
    assert counts.mean == pytest.approx(1e-5 * 0.2 * exciton, rel=1e-4)


def test_where_excitons_start_unlike_the_ratio_is_another():
    levels = Levels.of([0.0, 2.0, 2.0, 2.0], [0.0, 1.0, 1.0, 1.0])
    emitter = nanocrystal_emitter(levels, 4.0, exciton_loss_per_ns=0.5)
    bright, mean = 1 / 1.5, 0.75 / 1.5
    biexciton = 3.0 / (3.0 + 1.0)
    found = pulse_counts(emitter, 1e-5, 1e5).g2_zero
    assert found == pytest.approx(biexciton * bright / mean**2, rel=1e-4)
    assert abs(found / (biexciton / mean) - 1) > 0.3


def test_superbunching_at_low_power_is_dwell_times_rate():
    levels = Levels.of([0.0, 3.0, 3.0, 3.0], [1e-3, 1.0, 1.0, 1.0])
    emitter = nanocrystal_emitter(levels, 2.0, one_phonon_per_ns=5.0)
    weak = 1e-8
    still = stationary(emitter, weak)
    dwell = still[1:5].sum() / weak  # mean time that an exciton stays
    assert float(steady_g2(emitter, weak, 0.0)) == pytest.approx(dwell, rel=1e-3)  # rate 1, yield 1
    assert dwell > 30


@pytest.mark.parametrize("auger", [0.0, 6.0])
def test_bright_excitons_alone_do_not_bunch(auger):
    levels = Levels.of([0.0, 3.0, 3.0, 3.0], [1e-3, 1.0, 1.0, 1.0])
    bright = (0.0, 1 / 3, 1 / 3, 1 / 3)
    emitter = nanocrystal_emitter(levels, 2.0, filling=bright, biexciton_auger_per_ns=auger)
    expected = 3.001 / (3.001 + auger)  # times the yield 1 of an exciton, over its square
    assert float(steady_g2(emitter, 1e-7, 0.0)) == pytest.approx(expected, rel=2e-3)
    # where the dark one is filled by the light itself, it does without any transfer
    filled = nanocrystal_emitter(levels, 2.0, biexciton_auger_per_ns=auger)
    assert float(steady_g2(filled, 1e-7, 0.0)) > 30


def test_a_polariser_picks_one_cascade():
    levels = Levels.of([0.0, 2.0, 2.0, 2.0], [0.0, 1.0, 1.0, 1.0])
    bright = (0.0, 1 / 3, 1 / 3, 1 / 3)
    all_of_it = nanocrystal_emitter(levels, 4.0, filling=bright)
    one = nanocrystal_emitter(levels, 4.0, filling=bright, detected=(0, 1, 0, 0))
    # of the photons that pass, the partner always passes: three times the pairs of unpolarised light
    weak = [pulse_counts(emitter, 1e-5, 1e4).g2_zero for emitter in (all_of_it, one)]
    assert weak[1] == pytest.approx(3 * weak[0], rel=1e-3)


def test_the_decay_is_that_of_the_excitons_room():
    levels = Levels.of([0.0, 2.0, 2.0, 2.0], [0.02, 1.0, 1.0, 1.0])
    coupling = np.zeros((4, 4))
    coupling[0, 1:] = coupling[1:, 0] = 2.0
    emitter = nanocrystal_emitter(levels, 15.0, one_phonon_per_ns=coupling)
    found = decay_terms(emitter, [0, 0.25, 0.25, 0.25, 0.25, 0])
    from perolux.excitons.levels.relaxation import one_phonon_rates

    rates = one_phonon_rates(2.0, 2.0, 15.0)
    twin = two_level_decay(TransferRates(rates.down_per_ns, rates.up_per_ns), 1.0, 0.02)
    t = np.linspace(0, 40, 9)
    assert np.allclose(found.intensity_per_ns(t), twin.intensity_per_ns(t), rtol=1e-10)
    assert len(found.rate_per_ns) == 2


@pytest.mark.slow
def test_jitter_is_a_convolution():
    emitter = crystal()
    tau = np.array([0.0, 0.1, -0.4, 2.0])
    x = np.linspace(-9, 9, 40_001)
    weight = np.exp(-x * x / 2)
    weight /= weight.sum()
    for jitter in (0.02, 0.5):
        exact = steady_g2(emitter, 0.05, tau, jitter_ns=jitter)
        brute = [weight @ steady_blur(emitter, t + jitter * x) for t in tau]
        assert np.allclose(exact, brute, rtol=1e-5)


def steady_blur(emitter, tau):
    grid = np.linspace(0, 12, 6001)
    return np.interp(np.abs(tau), grid, steady_g2(emitter, 0.05, grid))


def test_pulses_that_meet_the_last_exciton():
    # a dark state that outlives the period: the moments against a walk
    levels = Levels.of([0.0, 2.0, 2.0, 2.0], [1e-3, 1.0, 1.0, 1.0])
    emitter = nanocrystal_emitter(levels, 4.0, one_phonon_per_ns=3.0, detected=0.5)
    exact = pulse_counts(emitter, 0.3, 100.0)
    stream = emitter_stream(
        emitter,
        duration_s=0.1,
        rng=np.random.default_rng(0),
        pairs_per_pulse=0.3,
        sync_period_ns=100.0,
        detectors=Detectors(split=1.0),
    )
    counts = np.bincount(stream.load().macro, minlength=1_000_000).astype(float)
    assert counts.mean() == pytest.approx(exact.mean, rel=0.02)
    assert (counts * (counts - 1)).mean() == pytest.approx(exact.pairs, rel=0.05)


def test_steady_g2_against_a_walk():
    levels = Levels.of([0.0, 2.0, 2.0, 2.0], [0.02, 1.0, 1.0, 1.0])
    emitter = nanocrystal_emitter(levels, 4.0, one_phonon_per_ns=2.0, biexciton_auger_per_ns=1.0)
    stream = emitter_stream(
        emitter, duration_s=0.02, rng=np.random.default_rng(4), pump_per_ns=0.01, tick_ns=0.004
    )
    found = pairs(stream, window_ns=10.0, width_ns=0.5)
    n = found.photons[0] * found.photons[1]
    expected = []
    for centre in found.tau_ns:
        x = centre + np.linspace(-0.25, 0.25, 21)
        expected.append(np.trapezoid(steady_g2(emitter, 0.01, x), x))
    expected = np.array(expected) * n / 2e7
    chi2 = np.sum((found.counts - expected) ** 2 / expected)
    assert found.counts.max() > 5 * found.counts.min()
    # bunched pairs are not quite Poisson; and the total n has its own scatter
    assert chi2 < 2.5 * len(expected)


def test_compiled_walk_is_the_plain_one():
    from perolux.photons.emitter_stream import _tables

    found = []
    for kernel in (_jump_kernels.jumps, _jump_kernels.jumps.py_func):
        time = np.zeros(5000)
        _, n = kernel(np.random.default_rng(2), 0, 0.0, 5e3, *_tables(full(), 0.2), time, 0)
        found.append(time[:n])
    assert len(found[0]) > 50 and np.allclose(*found, rtol=1e-12)


def test_spectrum_holds_the_photons():
    emitter = crystal(exciton_ev=2.4, biexciton_shift_ev=-0.02)
    energy = np.linspace(1.4, 3.4, 400_001)
    light = emission_spectrum(emitter, 0.1, energy, 1e-3)
    flux = emitter.detections.sum(axis=0) @ stationary(emitter, 0.1)
    assert np.trapezoid(light, energy) == pytest.approx(flux, rel=2e-3)
    with pytest.raises(OptionError, match="without an energy"):
        emission_spectrum(crystal(), 0.1, energy[:3], 1e-3)


def test_numbers_of_the_excitons_room():
    numbers = emitter_numbers(nanocrystal("CsPbBr3", "cube", 8.0, "core-edge", temperature_k=4.0))
    assert numbers.levels.energy_mev[0] == 0.0 and numbers.levels.rate_per_ns[1] > 0.1
    assert numbers.biexciton_auger_per_ns > 1 and "CsPbBr3.kane_energy" in numbers.rests_on
    emitter = nanocrystal_emitter(
        numbers.levels, 4.0, biexciton_auger_per_ns=numbers.biexciton_auger_per_ns,
        exciton_ev=numbers.exciton_ev, biexciton_shift_ev=numbers.biexciton_shift_ev,
    )  # fmt: skip
    lines = {
        step.end: step.energy_ev for step in emitter.steps if step.energy_ev and step.start == "biexciton"
    }
    assert lines["x"] < numbers.exciton_ev


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Emitter((), ()), "names"),
        (lambda: Emitter(("a", "b"), (Step("a", "c", 1.0, "emission"),)), "no state"),
        (lambda: Emitter(("a", "b"), (Step("a", "b", -1.0, "loss"),)), "rate"),
        (lambda: Emitter(("a", "b"), (Step("a", "b", 1.0, "loss", 0.5),)), "of an emission"),
        (lambda: Emitter(("a", "b"), (Step("a", "b", 0.4, "pump"),)), "sum to 0.4"),
        (lambda: Emitter(("a", "b"), (Step("a", "a", 0.4, "loss"),)), "nowhere"),
        (lambda: stationary(Emitter(("a", "b"), ()), 0.0), "groups"),
        (lambda: steady_g2(two_level(), 0.0, 0.0), "no photon"),
        (lambda: steady_g2(two_level(), -1.0, 0.0), "pump"),
        (lambda: pulse_counts(two_level(), 0.0, 10.0), "pairs"),
        (lambda: pulse_counts(two_level(), 0.1, -10.0), "period"),
        (lambda: decay_terms(two_level(), [0.5, 0.4]), "fit"),
        (lambda: crystal(filling=(1, 1, 0, 0)), "filling"),
        (lambda: crystal(ionised_share=0.1), "for ever"),
        (lambda: crystal(detected=(1, 1)), "one or four"),
        (lambda: crystal(trapping_per_ns=0.1), "nothing leaves"),
        (lambda: nanocrystal_emitter(Levels.of([0.0], [1.0]), 4.0), "four"),
        (lambda: emitter_stream(two_level(), duration_s=1.0, rng=np.random.default_rng(0)), "one kind"),
        (
            lambda: emitter_stream(
                two_level(), duration_s=1e4, rng=np.random.default_rng(0), pump_per_ns=1.0
            ),
            "jumps",
        ),
    ],
)
def test_refused(make, says):
    with pytest.raises(OptionError, match=says):
        make()


def test_a_chain_of_equal_rates_has_too_few_eigenvectors():
    chain = Emitter(
        ("a", "b", "c"), (Step("c", "b", 1.0, "emission", 1.0), Step("b", "a", 1.0, "emission", 1.0))
    )
    with pytest.raises(ConvergenceError, match="millionth"):
        decay_terms(chain, [0.0, 0.0, 1.0])
