"""Trions and biexcitons: Monte Carlo against exact limits and other methods; the packaged shifts."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from perolux.errors import OptionError
from perolux.excitons.many._trial_function import Trial, evaluate
from perolux.excitons.many.diffusion_monte_carlo import (
    blocked_error,
    carriers_of,
    optimise_trial,
    solve_by_monte_carlo,
)
from perolux.excitons.many.multiexcitons import multiexciton_shift
from perolux.excitons.many.second_order import second_order
from perolux.excitons.pair.tables import interpolate

TRIAL = Trial(np.array([[0.1, 0.05], [0.2, -0.02]]), np.array([[-0.3, 0.4], [0.2, 0.6], [0.1, 0.9]]))


@pytest.mark.parametrize("shape", ["cube", "sphere", "open"])
def test_gradient_and_local_energy_are_derivatives_of_the_trial_function(shape):
    carriers = carriers_of("biexciton", shape, 3.0, 0.6)
    rng = np.random.default_rng(2)
    place = rng.uniform(-0.8, 0.8, (4, 3, 20))
    local = evaluate(carriers, TRIAL, place)
    step = 1e-4
    laplace = np.zeros(20)
    for carrier, axis in product(range(4), range(3)):
        moved = np.zeros_like(place)
        moved[carrier, axis] = step
        up, down = (evaluate(carriers, TRIAL, place + sign * moved).log_psi for sign in (1, -1))
        slope = (up - down) / (2 * step)
        assert slope == pytest.approx(
            local.gradient[carrier, axis], abs=1e-5
        )  # step^2 times third derivative
        bend = (up - 2 * local.log_psi + down) / step**2
        laplace += carriers.mobility[carrier] * (bend + slope**2)
    first, second = carriers.pairs
    distance = np.linalg.norm(place[first] - place[second], axis=1)
    charge = np.where(carriers.pair_kind == 0, -1.0, 1.0)
    coulomb = (2 * charge[:, None] / distance).sum(axis=0)
    # rounding of a second difference: 1e-16/step^2 times a few
    assert local.energy == pytest.approx(coulomb - laplace, abs=2e-5, rel=2e-5)


@pytest.mark.parametrize("kind", ["exciton", "trion-", "trion+", "biexciton"])
def test_local_energy_stays_finite_where_carriers_meet(kind):
    carriers = carriers_of(kind, "cube", 3.0, 0.6)
    place = np.random.default_rng(3).uniform(-0.7, 0.7, (carriers.number, 3, 1))
    for first, second in zip(*carriers.pairs, strict=True):
        energies = []
        for gap in (1e-3, 1e-5):
            near = place.copy()
            near[second] = near[first]
            near[second, 0] += gap
            energies.append(evaluate(carriers, TRIAL, near).energy[0])
        # without the cusp 2/r would change the energy by 2e5 Ry
        assert energies[0] == pytest.approx(energies[1], abs=0.1)


def test_trial_function_vanishes_at_the_walls_and_nobody_is_outside():
    carriers = carriers_of("exciton", "cube", 2.0)
    place = np.zeros((2, 3, 2))
    place[1, 0] = 0.3
    place[0, 0] = [0.9999, 1.0001]
    local = evaluate(carriers, TRIAL, place)
    assert local.inside.tolist() == [True, False]
    assert local.log_psi[0] < -8  # ln(pi 0.0001/2)


def test_blocking_finds_the_error_of_a_correlated_series():
    rng = np.random.default_rng(4)
    memory, length = 0.9, 2**16
    noise = rng.standard_normal(length)
    series = np.empty(length)
    series[0] = noise[0]
    for n in range(1, length):
        series[n] = memory * series[n - 1] + noise[n]
    error, correlation = blocked_error(series)
    # autoregression: variance 1/(1 - m^2), independent samples fewer by (1 + m)/(1 - m) = 19
    exact = math.sqrt(1 / (1 - memory**2) * 19 / length)
    assert error == pytest.approx(exact, rel=0.3)  # the largest of the noisy block errors is taken
    assert correlation == pytest.approx(19, rel=0.6)


def test_one_seed_reproduces_a_run():
    runs = [
        solve_by_monte_carlo(
            "trion-", "cube", 2.0, np.random.default_rng(8), walkers=50, steps=200, trial=TRIAL
        )
        for _ in range(2)
    ]
    assert runs[0] == runs[1]


@pytest.mark.slow
def test_monte_carlo_finds_the_exciton_quickly():
    found = solve_by_monte_carlo("exciton", "cube", 3.0, np.random.default_rng(5), walkers=300, steps=2000)
    assert found.error_over_rydberg < 0.003
    # 4 standard errors, and a time-step error of below 1e-3 Ry at this step
    assert abs(found.energy_over_rydberg - 0.888918) < 4 * found.error_over_rydberg + 1e-3


@pytest.mark.parametrize(
    ("kind", "shape", "size", "options"),
    [
        ("quadrion", "cube", 1.0, {}),
        ("exciton", "torus", 1.0, {}),
        ("exciton", "cube", -1.0, {}),
        ("exciton", "cube", 1.0, {"mass_ratio": 0.0}),
        ("exciton", "cube", 1.0, {"walkers": 1}),
    ],
)
def test_monte_carlo_refuses_what_it_cannot_do(kind, shape, size, options):
    with pytest.raises(OptionError):
        solve_by_monte_carlo(kind, shape, size, np.random.default_rng(1), **options)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "size"),
    [
        pytest.param("cube", 0.5, marks=pytest.mark.long),
        ("cube", 2.0),
        pytest.param("cube", 6.0, marks=pytest.mark.long),
        ("cube", 12.0),
        ("sphere", 0.5),
        ("sphere", 3.0),
        pytest.param("sphere", 7.0, marks=pytest.mark.long),
    ],
)
def test_exciton_agrees_with_the_variational_solvers(shape, size):
    rng = np.random.default_rng(11)
    found = solve_by_monte_carlo("exciton", shape, size, rng, walkers=500, steps=6000)
    exact = float(interpolate(shape, size).energy_over_rydberg)
    # 4 standard errors; the time-step error is below a thousandth of the Coulomb energy at the default step
    coulomb = 1.0 + 2 * 3.0 / size
    assert abs(found.energy_over_rydberg - exact) < 4 * found.error_over_rydberg + 1e-3 * coulomb


@pytest.mark.slow
def test_exciton_of_unequal_masses_agrees_with_the_variational_solver():
    from perolux.excitons.pair.cube import solve_cube

    found = solve_by_monte_carlo(
        "exciton", "cube", 2.0, np.random.default_rng(12), mass_ratio=0.4, walkers=500, steps=6000
    )
    exact = solve_cube(2.0, mass_ratio=0.4, order=8).energy_over_rydberg
    assert abs(found.energy_over_rydberg - exact) < 4 * found.error_over_rydberg + 3e-3  # as above


@pytest.mark.long
def test_time_step_error_falls_with_the_step_and_population_does_not_matter():
    rng = np.random.default_rng(13)
    carriers = carriers_of("biexciton", "cube", 2.0)
    trial = optimise_trial(carriers, rng)

    def run(step, walkers, moves):
        return solve_by_monte_carlo(
            "biexciton",
            "cube",
            2.0,
            rng,
            time_step=step,
            walkers=walkers,
            steps=moves // walkers,
            trial=trial,
        )

    coarse, middle, fine = (run(step, 1000, 3_000_000) for step in (0.06, 0.02, 0.0066))
    error = math.hypot(middle.error_over_rydberg, fine.error_over_rydberg)
    assert abs(middle.energy_over_rydberg - fine.energy_over_rydberg) < 4 * error + 0.004
    assert abs(coarse.energy_over_rydberg - fine.energy_over_rydberg) < 0.03  # of -0.6 Ry of shift
    small = run(0.02, 100, 1_500_000)
    error = math.hypot(middle.error_over_rydberg, small.error_over_rydberg)
    assert abs(small.energy_over_rydberg - middle.energy_over_rydberg) < 4 * error
    # the control of 1000 walkers biases the energy by less than its error
    assert abs(middle.controlled_over_rydberg - middle.energy_over_rydberg) < middle.error_over_rydberg


@pytest.mark.slow
def test_the_energy_does_not_depend_on_the_trial_function():
    rng = np.random.default_rng(14)
    # one that is worse; with a much worse one (spread 1.8 Ry, as (0.1, 0) at the walls and +0.2 between the
    # electrons) the time-step error at the default step is 0.015 Ry
    other = Trial(np.array([[0.06, 0.0], [0.06, 0.0]]), np.array([[-0.4, 0.4], [0.15, 0.6], [0.2, 0.5]]))
    runs = [
        solve_by_monte_carlo(
            "trion-", "sphere", 2.0, rng, trial=trial, time_step=0.006, walkers=500, steps=6000
        )
        for trial in (None, other)
    ]
    assert runs[1].spread_over_rydberg > 1.3 * runs[0].spread_over_rydberg
    error = math.hypot(*(run.error_over_rydberg for run in runs))
    # the time-step errors differ, each below 2e-3 Ry
    assert abs(runs[0].energy_over_rydberg - runs[1].energy_over_rydberg) < 4 * error + 2e-3


@pytest.mark.parametrize(("shape", "exciton"), [("cube", -0.2843), ("sphere", -0.2785)])
def test_second_order_of_the_exciton_is_that_of_the_solvers(shape, exciton):
    # the solvers' remainders at size -> 0; sums with 10 states are right to about 1e-4
    size = 0.05
    state = float(interpolate(shape, size).energy_over_rydberg)
    from perolux.excitons.pair.limits import strong_limit_remainder

    sums = second_order(shape, states=10)
    assert sums.exciton == pytest.approx(exciton, abs=3e-4)
    # what is left at 0.05 aB is linear in size, -0.024 (cube) or -0.03 (sphere) of it
    assert sums.exciton == pytest.approx(strong_limit_remainder(shape, size, state), abs=3e-3)


@pytest.mark.parametrize("shape", ["cube", "sphere"])
def test_second_order_scales_with_the_masses(shape):
    equal, unequal = (second_order(shape, mass_ratio=r, states=8) for r in (1.0, 0.4))
    mirrored = second_order(shape, mass_ratio=2.5, states=8)
    assert unequal.single_electron == pytest.approx(0.5 * 1.4 * equal.single_electron)
    assert unequal.electrons == pytest.approx(0.5 * 1.4 * equal.electrons)
    assert unequal.shift("trion-") == pytest.approx(mirrored.shift("trion+"))
    assert unequal.shift("biexciton") == pytest.approx(mirrored.shift("biexciton"))
    with pytest.raises(OptionError):
        equal.shift("exciton")


def product_sines(edge, sines, pairs, mobilities):
    """Lowest energy of particles in a cube from products of sines; pairs: {(i, j): charge product}."""
    from scipy.sparse.linalg import LinearOperator, eigsh

    from perolux.excitons.pair.product_sines import _gaussian, _laplace

    number = len(mobilities)
    levels = np.array(list(product(range(1, sines + 1), repeat=number)))
    levels = levels[(levels + 1).sum(axis=1) % 2 == 0]  # even under reflection of all particles
    axis = (math.pi / edge) ** 2 * (levels**2 @ np.array(mobilities))
    kinetic = axis[:, None, None] + axis[None, :, None] + axis[None, None, :]
    weights, stretch = _laplace(1.0)
    first, second = (one.ravel() for one in np.meshgrid(*2 * (np.arange(1, sines + 1),), indexing="ij"))
    tables = []
    for (i, j), charge in pairs.items():
        rest = [k for k in range(number) if k not in (i, j)]
        same = np.all(levels[:, None, rest] == levels[None, :, rest], axis=2)
        pair = (levels[:, i] - 1) * sines + levels[:, j] - 1
        for weight, t in zip(weights, stretch, strict=True):
            full = _gaussian(first, second, float(t))[np.ix_(pair, pair)] * same
            tables.append((2.0 * charge * weight / edge, full))

    def apply(vector):
        state = vector.reshape(kinetic.shape)
        out = kinetic * state
        for weight, table in tables:
            out += weight * (table @ np.tensordot(table, state, axes=(1, 0)) @ table)
        return out.ravel()

    size = levels.shape[0] ** 3
    start = 1.0 / (kinetic.ravel() - kinetic.min() + 20.0 / edge)
    values = eigsh(
        LinearOperator((size, size), matvec=apply, dtype=float), k=1, which="SA", v0=start, tol=1e-7
    )
    return float(values[0][0])


@pytest.mark.slow
def test_trion_shift_agrees_with_products_of_sines():
    edge, counts, shifts = 0.5, (3, 4), []
    for n in counts:
        pair = product_sines(edge, n, {(0, 1): -1}, (0.5, 0.5))
        trion = product_sines(edge, n, {(0, 1): 1, (0, 2): -1, (1, 2): -1}, (0.5, 0.5, 0.5))
        shifts.append(trion - pair - 1.5 * (math.pi / edge) ** 2)
    matrix = np.array([[1.0, n**-3.0] for n in counts])
    limit = float(np.linalg.solve(matrix, np.array(shifts))[0])
    shift, sigma = multiexciton_shift("trion-", "cube", edge)
    # n^-3 through 3 and 4 sines gives -0.4813; with 5 sines (-0.4672, a minute) and n^-4 too it is -0.4780
    assert abs(limit - float(shift)) < 3 * float(sigma) + 0.005
