"""Spectra, coherence and pairs of photons: exact limits, and other methods beside them."""

import numpy as np
import pytest
from scipy.linalg import expm

from perolux.collective.blocks import blocks, product_state
from perolux.collective.couplings import Couplings
from perolux.collective.lines import Lines, ringing
from perolux.collective.phased import density_emission, light_course, phased_density, second_order
from perolux.collective.regression import density_of, regression
from perolux.collective.single_excitation import effective_hamiltonian
from perolux.collective.single_spectra import integrated_density, phased_amplitudes, single_spectrum
from perolux.collective.symmetric_spectra import symmetric_spectrum
from perolux.errors import ConvergenceError, ModelRangeError, OptionError

GATE = 3e-7  # what the gate exp(-1e-7 t) and the split of 1e-6 take off, relative


def all_excited(n):
    return density_of(product_state(blocks(n), np.arange(n)))


@pytest.mark.parametrize("dephasing", [0.0, 0.7])
def test_one_emitter_is_a_lorentzian_with_its_t2(dephasing):
    between = Couplings(np.ones((1, 1)), np.zeros((1, 1)), np.array([3.0]))
    found = regression(between, 1, dephasing=dephasing).spectrum(all_excited(1))
    width = 1.0 + 2.0 * dephasing
    assert found.photons == pytest.approx(1.0, rel=GATE) and found.mean == pytest.approx(3.0, abs=1e-5)
    assert found.half_width() == pytest.approx(width, rel=1e-6)
    assert found.coherence_time == pytest.approx(2.0 / width, rel=1e-6)
    w = np.linspace(-4.0, 9.0, 14)
    law = width / (2.0 * np.pi) / ((w - 3.0) ** 2 + 0.25 * width**2)
    assert found.density(w) == pytest.approx(law, rel=1e-5)


def spin(n, j):
    lower = np.array([[0.0, 1.0], [0.0, 0.0]])
    parts = [np.eye(2)] * n
    parts[j] = lower
    found = np.eye(1)
    for one in parts:
        found = np.kron(found, one)
    return found


def test_correlation_is_that_of_the_whole_space_of_three_emitters(cluster):
    """G(t, tau) from exponentials of the full 64 x 64 generator, with dephasing and loss."""
    between, star, loss, n = cluster(3, 1, 1, pitch_nm=60.0, spread=3.0), 0.4, 0.3, 3
    s = [spin(n, j) for j in range(n)]
    unit = np.eye(8)
    h = sum(between.detuning[i] * s[i].T @ s[i] for i in range(n)) + sum(
        between.shift[i, j] * s[i].T @ s[j] for i in range(n) for j in range(n) if i != j
    )
    pairs = [(between.decay[i, j] + loss * (i == j), s[j], s[i]) for i in range(n) for j in range(n)]
    sz = [2.0 * s[i].T @ s[i] - unit for i in range(n)]
    pairs += [(0.5 * star, one, one) for one in sz]
    generator = -1j * (np.kron(h, unit) - np.kron(unit, h.T))
    for rate, a, b in pairs:  # rate (a rho b^T - {b^T a, rho}/2)
        product = b.T @ a
        generator = generator + rate * (
            np.kron(a, b) - 0.5 * np.kron(product, unit) - 0.5 * np.kron(unit, product.T)
        )
    rho = np.zeros((8, 8))
    rho[-1, -1] = 1.0
    later = (expm(0.5 * generator) @ rho.ravel()).reshape(8, 8)
    lags = np.array([0.0, 0.2, 1.0])
    wanted = np.zeros(3, dtype=complex)
    for m, lag in enumerate(lags):
        move = expm(lag * generator)
        for i in range(n):
            for j in range(n):
                moved = (move @ (s[j] @ later).ravel()).reshape(8, 8)
                wanted[m] += between.decay[i, j] * np.trace(s[i].T @ moved)
    ready = regression(between, 3, dephasing=star, loss=loss)
    states = {}
    of = blocks(3)
    for k in range(4):
        # emitter j is bit j here, the j-th factor from the left there
        at = [int(f"{p:03b}"[::-1], 2) for p in of.states[k]]
        states[k] = later[np.ix_(at, at)]
    found = ready.lines(states)
    assert found.correlation(lags) == pytest.approx(wanted, abs=2e-5)


def test_all_light_has_the_energy_of_the_start(cluster):
    """Without loss and dephasing mean frequency times photons is <H>: the shifts of a burst cancel in all."""
    between = cluster(2, 2, 1, spread=30.0)
    found = regression(between, 4).spectrum(all_excited(4))
    assert found.photons == pytest.approx(4.0, rel=GATE)
    assert found.mean * found.photons == pytest.approx(float(np.sum(between.detuning)), abs=1e-3)
    weak = single_spectrum(between, np.eye(4, dtype=complex) / 4.0)
    assert weak.mean == pytest.approx(
        float(np.mean(between.detuning)), abs=0.05
    )  # shifts of 500, gate on dark modes


def test_first_light_of_a_burst_is_shifted_the_other_way(cluster):
    between = cluster(2, 1, 1)
    burst = light_course(between, all_excited(2), np.array([0.0, 0.5]))
    g, shift = between.decay[0, 1], between.shift[0, 1]
    assert burst.frequency[0] == pytest.approx(-g * shift, rel=1e-9)
    moved = single_spectrum(between, phased_amplitudes_all(2))
    assert moved.mean == pytest.approx(shift, rel=1e-6) and moved.half_width() == pytest.approx(
        1.0 + g, rel=1e-6
    )


def phased_amplitudes_all(n):
    return np.full(n, 1.0 / np.sqrt(n), dtype=complex)


def test_mean_frequency_is_the_slope_of_the_phase_of_g1(cluster):
    between = cluster(3, 1, 1, spread=20.0)
    ready = regression(between, 3, dephasing=1.0, loss=0.2)
    course = light_course(between, all_excited(3), np.array([0.0, 0.1]), dephasing=1.0, loss=0.2)
    assert ready.lines(all_excited(3)).mean == pytest.approx(course.frequency[0], abs=1e-4)


def test_area_of_the_density_and_of_the_bins_is_the_light(cluster):
    found = regression(cluster(2, 2, 1, pitch_nm=250.0), 4).spectrum(all_excited(4))
    low, high = found.range_of(0.98)
    edges = np.linspace(low, high, 301)
    assert np.sum(found.binned(edges)) == pytest.approx(0.98 * found.photons, rel=1e-6)
    fine = np.linspace(low, high, 60001)
    assert np.trapezoid(found.density(fine), fine) == pytest.approx(0.98 * found.photons, rel=1e-4)
    assert np.min(found.density(fine)) > 0.0
    lags = np.linspace(0.0, 60.0, 60001)
    square = np.abs(found.correlation(lags) / found.photons) ** 2
    assert 2.0 * np.trapezoid(square, lags) == pytest.approx(found.coherence_time, rel=3e-3)


def test_identical_emitters_by_blocks_that_are_split_a_little(together):
    split = Couplings(np.ones((4, 4)), np.zeros((4, 4)), 1e-4 * np.array([1.0, -2.0, 0.5, 0.5]))
    w = np.linspace(-8.0, 8.0, 9)
    for dephasing, loss in ((0.5, 0.0), (0.3, 0.6)):
        ours = symmetric_spectrum(4, w, dephasing=dephasing, loss=loss)
        theirs = regression(split, 4, dephasing=dephasing, loss=loss).spectrum(all_excited(4))
        assert ours.density == pytest.approx(theirs.density(w), abs=1e-5)
        assert ours.photons == pytest.approx(theirs.photons, rel=1e-6)
    with pytest.raises(ConvergenceError, match="poles coincide"):
        regression(together(4), 4).spectrum(all_excited(4))


@pytest.mark.parametrize("n", [2, 7, 300])
def test_superradiant_line_of_one_excitation_is_n_wide(n):
    found = symmetric_spectrum(n, excited=1)
    assert found.half_width == pytest.approx(n, rel=1e-6) and found.photons == pytest.approx(1.0, rel=1e-9)


def test_two_identical_emitters_by_hand():
    """Ladder of three: S(w) = (1/pi) Re[(1/a)(2 p2 + 2 p1') ...] has the half width 4/sqrt(5)."""
    w = np.array([0.0, 1.0, 3.0])
    x = 1j * w
    # rates 2, 2: int p dt = 1/2 each; coherences decay at 2 and 1, the upper feeds the lower at 2
    law = np.real(1.0 / (x + 2.0) * (1.0 + 2.0 / (x + 1.0)) + 1.0 / (x + 1.0)) / np.pi
    assert symmetric_spectrum(2, w).density == pytest.approx(law, rel=1e-12)


def test_one_excitation_with_dephasing_is_the_block_of_one(grid, cluster):
    between = cluster(2, 2, 1, spread=50.0)
    start = phased_amplitudes(grid(2, 2, 1), np.array([1.0, 0.0, 0.0]))
    ours = single_spectrum(between, start, dephasing=2.0, loss=0.3)
    theirs = regression(between, 1, dephasing=2.0, loss=0.3).spectrum({1: np.outer(start, start.conj())})
    w = np.linspace(-700.0, 700.0, 40)
    assert ours.density(w) == pytest.approx(theirs.density(w), abs=1e-8)
    # light and loss take all that was there
    lost = 0.3 * np.trace(integrated_density(between, start, dephasing=2.0, loss=0.3)).real
    assert ours.photons + lost == pytest.approx(1.0, rel=1e-5)


def test_one_excitation_is_the_square_of_its_amplitude(cluster):
    """Without dephasing S(w) = sum Gamma_ij conj(a_i(w)) a_j(w)/(2 pi), a(w) = -i (H_eff - w)^-1 a(0)."""
    between = cluster(3, 2, 1, spread=5.0)
    start = phased_amplitudes_all(6)
    found = single_spectrum(between, start)
    for w in (-30.0, 2.0, 250.0):
        a = np.linalg.solve(effective_hamiltonian(between) - w * np.eye(6), start)
        law = np.real(a.conj() @ between.decay @ a) / (2.0 * np.pi)
        assert found.density(np.array([w]))[0] == pytest.approx(law, rel=1e-5)


def test_pairs_of_photons_add_up_and_begin_with_the_known_g2(cluster):
    between, times = cluster(3, 1, 1, pitch_nm=250.0), np.linspace(0.0, 14.0, 281)
    pairs, rate = second_order(between, all_excited(3), times)
    assert pairs[0, 0] / rate[0] ** 2 == pytest.approx(between.initial_g2(), rel=1e-9)
    h = float(times[1])
    ends = np.full(len(times), h)
    ends[[0, -1]] = 0.5 * h
    # trapezoids over t' from t on, then over t; what is left at 14/Gamma and steps of 0.05: 2e-3
    inner = np.array([np.trapezoid(pairs[i, i:], dx=h) for i in range(len(times))])
    assert 2.0 * float(ends @ inner) == pytest.approx(6.0, rel=3e-3)
    course = light_course(between, all_excited(3), times[:41])
    assert course.g2 == pytest.approx(np.diag(pairs)[:41] / rate[:41] ** 2, rel=1e-6)


def test_driven_emitters_at_one_place(grid):
    """Area pi/2 inverts half of each; pairs add a quarter each, all in phase at one place."""
    emitters = grid(3, 1, 1, pitch_nm=0.01)
    state = phased_density(emitters, np.array([0.0, 1.0, 0.0]), 0.5 * np.pi)
    assert sum(np.trace(one).real for one in state.values()) == pytest.approx(1.0, abs=1e-12)
    between = Couplings(np.ones((3, 3)), np.zeros((3, 3)), np.zeros(3))
    found = density_emission(between, state, np.array([0.0, 0.3]))
    # sum <s+_i s-_j>: 3/2 on the diagonal, 1/4 of each of six pairs
    assert found.photon_rate[0] == pytest.approx(3.0, abs=1e-9)
    assert found.excited[0] == pytest.approx(1.5, abs=1e-12)
    whole = phased_density(emitters, np.array([0.0, 1.0, 0.0]), np.pi)
    assert np.trace(whole[3]).real == pytest.approx(1.0, abs=1e-12)


def test_phase_of_the_light_sends_it_on(grid):
    """One excitation with the phase of a wave along a chain shines forward."""
    from perolux.collective.plane_waves import radiation_pattern

    emitters = grid(1, 40, 1, pitch_nm=100.0)
    start = phased_amplitudes(emitters, np.array([0.0, 1.0, 0.0]))
    ways = np.array([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]])
    forward, back = radiation_pattern(emitters, np.outer(start.conj(), start), ways)
    assert forward == pytest.approx(40.0 * 3.0 / (8.0 * np.pi), rel=1e-9) and back < 0.02 * forward


def test_too_many_and_wrong_are_refused(grid, cluster):
    with pytest.raises(ModelRangeError, match="8 emitters"):
        regression(cluster(2, 2, 2), 8)
    with pytest.raises(OptionError, match="direction"):
        phased_amplitudes(grid(2, 1, 1), np.array([2.0, 0.0, 0.0]))
    with pytest.raises(OptionError, match="evenly"):
        second_order(cluster(2, 1, 1), all_excited(2), np.array([0.0, 0.1, 0.3]))


def test_ringing_of_a_damped_wave_and_of_none():
    t = np.linspace(0.0, 6.0, 601)
    rings = ringing(t, np.exp(-t) * np.cos(np.pi * t) ** 2)
    assert rings["second"] == pytest.approx(0.3773, abs=1e-3) and rings["dip"] < 1e-3
    assert ringing(t, np.exp(-t))["second"] is None


def test_lines_less_others_are_what_was_begun_between():
    one = Lines(np.array([-0.5 + 0j]), np.array([1.0 + 0j]))
    rest = one.less(Lines(one.poles, 0.25 * one.weights))
    assert rest.photons == pytest.approx(0.75)
