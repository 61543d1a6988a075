"""Truncated Wigner: the kernel against plain NumPy, conserved energy, the burst without shifts."""

import numpy as np
import pytest
from numpy.polynomial.legendre import legval
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from perolux.collective._wigner_kernels import GROUP, step, step_lanes, sums_above
from perolux.collective.couplings import Couplings, couplings
from perolux.collective.dicke import dicke_burst
from perolux.collective.lattice_excitation import lattice_couplings
from perolux.collective.plane_waves import real_factor
from perolux.collective.wigner import grouped, wigner_emission, wigner_step_plain, wigner_time_step
from perolux.errors import ModelRangeError, OptionError


def spins(n, seed=0):
    return np.random.default_rng(seed).choice([-1.0, 1.0], size=(3, n))


def test_kernel(cluster):
    between, rng = cluster(2, 2, 2, spread=20.0), np.random.default_rng(1)
    noise = rng.normal(size=8) + 1j * rng.normal(size=8)
    plain = spins(8)
    fast = plain.copy()
    for _ in range(20):
        plain = wigner_step_plain(
            plain, 0.5 * between.decay + 1j * between.shift, between.detuning, noise, 3e-4
        )
        step(fast, 0.5 * between.decay, between.shift, between.detuning, noise.real, noise.imag, 3e-4)
    assert fast == pytest.approx(plain, abs=1e-11)
    assert np.sum(fast**2, axis=0) == pytest.approx(np.full(8, 3.0), abs=1e-11)


@pytest.mark.parametrize("has_shift", [True, False])
def test_lanes(cluster, has_shift):
    # 72 emitters: one whole group and a part of one; two lanes, each as a trajectory by itself
    between, rng, dt = cluster(9, 8, 1, spread=20.0), np.random.default_rng(1), 3e-4
    between = between if has_shift else between.without_shifts()
    loss, factor = 0.5, real_factor(between.decay, 1e-14)
    both = [spins(72, seed) for seed in (1, 2)]
    noise = rng.normal(size=(2, 2, 72))
    xy = np.concatenate([np.stack([s[m] for s in both], axis=1) for m in (0, 1)], axis=1)
    beside = np.concatenate([noise[0].T, noise[1].T], axis=1)
    z = np.stack([s[2] for s in both], axis=1)
    outside, inside = grouped(between.shift, GROUP)
    p = factor.T @ xy
    above = sums_above(outside, xy)
    below, none = np.zeros_like(above), np.zeros((72, 0))
    for _ in range(10):
        step_lanes(
            xy, z, p, factor, outside, inside, has_shift, loss, between.detuning, beside, 0.25 * dt, none,
            below, above,
        )  # fmt: skip
        for lane, s in enumerate(both):
            lossy = 0.5 * (between.decay + loss * np.eye(72))
            step(s, lossy, between.shift, between.detuning, noise[0, lane], noise[1, lane], dt)
    for lane, s in enumerate(both):
        # the factor leaves 1e-14 of the trace; angles below 0.5: 1e-8 a turn from the tangent
        assert xy[:, lane] == pytest.approx(s[0], abs=1e-5)
        assert xy[:, 2 + lane] == pytest.approx(s[1], abs=1e-5)
        assert z[:, lane] == pytest.approx(s[2], abs=1e-5)


def test_small_steps_against_transforms(grid):
    # another way to the fields (convolutions on the grid) and another integrator; no noise. 75 emitters: two
    # groups
    emitters = grid(5, 5, 3, spread=100.0)
    between, n, end = couplings(emitters), len(emitters), 1.5e-3
    lattice = lattice_couplings(emitters, np.full(3, 12.5))

    def change(_, flat):
        s = flat.reshape(3, n)
        minus = 0.5 * (s[0] - 1j * s[1])
        # shifted with -i/2 on the diagonal is (Omega - i Gamma/2) s- and the detunings: i times that is F
        lattice_field = 1j * (lattice.shifted(minus) - between.detuning * minus)
        turn = np.stack([2.0 * lattice_field.imag, 2.0 * lattice_field.real, between.detuning])
        return np.cross(turn, s, axis=0).ravel()

    first = spins(n, 4)
    exact = solve_ivp(change, (0.0, end), first.ravel(), method="DOP853", rtol=1e-10, atol=1e-10)
    exact = exact.y[:, -1].reshape(3, n)
    outside, inside = grouped(between.shift, GROUP)
    factor, errors = real_factor(between.decay, 1e-14), []
    for steps in (8, 16):
        xy, z = np.concatenate([first[0][:, None], first[1][:, None]], axis=1), first[2][:, None].copy()
        above, none, noise = sums_above(outside, xy), np.zeros((n, 0)), np.zeros((n, 2))
        p, below = factor.T @ xy, np.zeros_like(above)
        for _ in range(steps):
            step_lanes(
                xy, z, p, factor, outside, inside, True, 0.0, between.detuning, noise, 0.25 * end / steps,
                none, below, above,
            )  # fmt: skip
        errors.append(float(np.sqrt(np.mean((np.stack([*xy.T, z[:, 0]]) - exact) ** 2))))
    # second order in the step
    assert errors[1] < 0.02
    assert 3.0 < errors[0] / errors[1] < 5.0


def test_dephasing_turns_about_z(cluster):
    # a step of no length but with kicks: spins turn by the kicks, and the sums of the decay go with them
    between, rng = cluster(3, 1, 1), np.random.default_rng(2)
    factor, xy = real_factor(between.decay, 1e-14), rng.normal(size=(3, 4))
    z, p, kicks, none = rng.normal(size=(3, 2)), factor.T @ xy, rng.normal(size=(3, 2)), np.zeros((3, 4))
    wanted = (xy[:, :2] + 1j * xy[:, 2:]) * np.exp(1j * kicks)
    outside, inside = grouped(between.shift, GROUP)
    step_lanes(
        xy, z, p, factor, outside, inside, True, 0.0, between.detuning, none, 0.0, kicks,
        np.zeros_like(xy), sums_above(outside, xy),
    )  # fmt: skip
    assert xy[:, :2] + 1j * xy[:, 2:] == pytest.approx(wanted, abs=1e-12)
    assert p == pytest.approx(factor.T @ xy, abs=1e-12)


def test_a_part_of_the_draws_more(together):
    # 65 trajectories are two parts: all are there
    found = wigner_emission(
        together(2), np.arange(2), np.array([0.0, 0.01]), trajectories=65, rng=np.random.default_rng(1)
    )
    assert found.excited[0] == pytest.approx(2.0, abs=1e-12)


def test_one_emitter_is_wrong_by_a_known_amount(together):
    """The method on one emitter, in closed form: u = sz/sqrt(3) moves on a sphere by

    m_l' = -l(l+1)/2 m_l - sqrt(3)/2 l(l+1)/(2l+1) (m_(l-1) - m_(l+1)),  m_l = <P_l(u)>, u = 1/sqrt(3) first,

    while exp(-t) needs <sz^2> = 1 at all times. So the population is 0.022 too low at Gamma t = 0.74 and ends
    at 1 - sqrt(3)/2 coth(sqrt 3) = 0.078 instead of 0: the sphere of radius sqrt(3), not the integrator.
    """
    order = np.arange(25)
    turn = np.sqrt(3.0) / 2.0 * order * (order + 1) / (2 * order + 1)
    moments = np.diag(-0.5 * order * (order + 1)) - np.diag(turn[1:], -1) + np.diag(turn[:-1], 1)
    first = legval(1.0 / np.sqrt(3.0), np.eye(25))
    times = np.linspace(0.0, 4.0, 41)
    closed = np.array([0.5 + 0.5 * np.sqrt(3.0) * (expm(moments * t) @ first)[1] for t in times])
    assert np.min(closed - np.exp(-times)) == pytest.approx(-0.0219, abs=2e-4)
    found = wigner_emission(
        together(1), np.array([0]), times, trajectories=6000, rng=np.random.default_rng(3)
    )
    # sd of the population of one trajectory: below 0.6 at all times
    assert found.excited == pytest.approx(closed, abs=4.0 * 0.6 / np.sqrt(6000))


def test_energy_of_shifts_alone(cluster):
    # no decay, no noise: each turn keeps the shift energy and, summed, the inversion to the order of the step
    between = cluster(2, 2, 2)
    s, none = spins(8, 2), np.zeros(8)

    def energy(s):
        minus = 0.5 * (s[0] - 1j * s[1])
        return np.real(minus.conj() @ between.shift @ minus)

    first, up = energy(s), np.sum(s[2])
    for _ in range(400):
        step(s, np.zeros((8, 8)), between.shift, none, none, none, wigner_time_step(between))
    assert energy(s) == pytest.approx(first, abs=1e-9 * abs(first) + 1e-8)
    # the sum of sz is kept to second order in the step alone (next test); the path is chaotic, so the
    # compiler's rounding decides how far it goes: 0.2 to 0.35 of a range of 16
    assert np.sum(s[2]) == pytest.approx(up, abs=0.8)


def test_inversion_error_falls_with_the_step(cluster):
    between, none, found = cluster(2, 2, 1), np.zeros(4), []
    for halves in (1, 2):
        s = spins(4, 3)
        up = np.sum(s[2])
        worst = 0.0
        for _ in range(200 * halves):
            step(s, np.zeros((4, 4)), between.shift, none, none, none, 4e-4 / halves)
            worst = max(worst, abs(np.sum(s[2]) - up))
        found.append(worst)
    assert found[1] < 0.5 * found[0] + 1e-12


@pytest.mark.parametrize("n", [6, 20])
def test_burst_without_shifts(together, n):
    exact = dicke_burst(n)
    times = np.linspace(0.0, 2.0 * exact.t_peak, 41)
    found = wigner_emission(together(n), np.arange(n), times, trajectories=3000, rng=np.random.default_rng(7))
    k = int(np.argmax(found.photon_rate))
    assert found.photon_rate[k] == pytest.approx(
        exact.i_peak, abs=0.015 * exact.i_peak + 3.0 * found.sigma[k]
    )


def test_imbalance_is_told(together):
    found = wigner_emission(
        together(6), np.arange(6), np.linspace(0.0, 2.0, 41), trajectories=2000, rng=np.random.default_rng(7)
    )
    # the method loses energy by itself: 9 to 10 % by Gamma t = 2 for six emitters
    assert 0.05 < found.imbalance < 0.2
    assert "excitations lost differ by" in found.notes[0]


def test_refusals(together):
    with pytest.raises(OptionError):
        wigner_emission(
            together(2), np.arange(2), np.array([0.0, 1.0]), trajectories=1, rng=np.random.default_rng(0)
        )
    # no memory behind them
    many = np.broadcast_to(0.0, (10_001, 10_001))
    with pytest.raises(ModelRangeError):
        wigner_emission(
            Couplings(many, many, np.zeros(10_001)), np.arange(2), np.array([0.0, 1.0]), trajectories=2,
            rng=np.random.default_rng(0),
        )  # fmt: skip
