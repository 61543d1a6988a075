"""The packaged shifts of trion and biexciton lines: limits, honest errors, masses, the empirical rival."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.many.multiexcitons import (
    _FREE,
    centre_of_mass_constant,
    empirical_shift_ev,
    fit_knots,
    multiexciton_shift,
    multiexciton_shift_ev,
    shift_knots,
)
from perolux.excitons.many.second_order import second_order

CURVES = [(k, s) for k in ("trion-", "biexciton") for s in ("cube", "sphere")]


def knots_of(kind, shape, mass_ratio=1.0):
    return [
        k
        for k in shift_knots()
        if k.kind == kind and k.mass_ratio == mass_ratio and k.shape in (shape, "open")
    ]


@pytest.mark.parametrize(("kind", "shape"), CURVES)
def test_both_limits_are_reached(kind, shape):
    shift, sigma = multiexciton_shift(kind, shape, [1e-9, 1e9])
    small, bulk = (next(k for k in knots_of(kind, shape) if k.size_over_bohr == s) for s in (0.0, math.inf))
    assert shift[0] == pytest.approx(small.shift_over_rydberg, abs=1e-3)  # a fit with weights, not a spline
    assert abs(shift[1] - bulk.shift_over_rydberg) < 2 * bulk.error_over_rydberg
    assert sigma[0] < 1e-3
    # positronium ion and molecule: 0.0480 and 0.0640 of the exciton Rydberg
    exact = -0.04802 if kind == "trion-" else -0.06402
    assert abs(shift[1] - exact) < 3 * sigma[1] + 1e-3


@pytest.mark.parametrize(("kind", "shape"), CURVES)
def test_large_shapes_approach_the_bulk_as_the_centre_of_mass_says(kind, shape):
    sizes = np.array([1e3, 1e9])
    shift, _ = multiexciton_shift(kind, shape, sizes)
    kinetic = math.pi**2 * (3.0 if shape == "cube" else 1.0)
    # two excitons of 4 mu against one biexciton of 8; exciton and carrier (2 mu) against a trion of 6
    masses = 1 / 8 - 2 / 4 if kind == "biexciton" else 1 / 6 - 1 / 4 - 1 / 2
    assert centre_of_mass_constant(kind, 1.0) == pytest.approx(masses)
    # dead layers of about 1.4 aB change the factor by 2 x 1.4/size, and more for the fit's next powers
    assert (shift[0] - shift[1]) * sizes[0] ** 2 == pytest.approx(masses * kinetic, rel=0.05)


@pytest.mark.parametrize(("kind", "shape"), CURVES)
def test_the_curve_goes_through_the_runs(kind, shape):
    knots = [k for k in knots_of(kind, shape) if 0 < k.size_over_bohr < math.inf]
    shift, _ = multiexciton_shift(kind, shape, [k.size_over_bohr for k in knots])
    errors = np.array([k.error_over_rydberg for k in knots])
    pull = (np.array([k.shift_over_rydberg for k in knots]) - shift) / errors
    assert errors.max() < 0.02
    assert np.abs(pull).max() < 4  # a dozen Gaussian pulls reach 3 once in 30 times
    assert np.sqrt((pull**2).mean()) < 1.8


@pytest.mark.parametrize(("kind", "shape"), CURVES)
def test_leaving_a_knot_out_moves_the_curve_by_less_than_its_error_allows(kind, shape):
    knots = knots_of(kind, shape)
    for one in knots:
        if not 0 < one.size_over_bohr < math.inf:
            continue
        fit = fit_knots([k for k in knots if k is not one], shape, _FREE[0])
        scale = 4.0 if shape == "cube" else 4.0 / math.sqrt(3.0)
        u = 1.0 / (1.0 + one.size_over_bohr / scale)
        left_out = float(fit.shift(np.float64(u)))
        full, sigma = multiexciton_shift(kind, shape, one.size_over_bohr)
        # the curve's own error is that with the knot: without, a little larger
        assert abs(left_out - float(full)) < 3 * float(sigma) + 1e-3


def test_sphere_and_cube_of_equal_confinement_are_alike():
    edge = np.array([1.0, 3.0, 6.0, 12.0])
    cube, _ = multiexciton_shift("biexciton", "cube", edge)
    sphere, _ = multiexciton_shift("biexciton", "sphere", edge / math.sqrt(3.0))
    assert sphere == pytest.approx(cube, rel=0.1)  # the limits differ by 0.7 %, the runs by 0.01 Ry


@pytest.mark.parametrize("shape", ["cube", "sphere"])
def test_masses_enter_as_in_the_strong_limit(shape):
    for ratio in (0.4, 0.6, 1.5, 2.5):
        exact = second_order(shape, mass_ratio=ratio, states=8)
        for kind in ("trion-", "trion+", "biexciton"):
            shift, _ = multiexciton_shift(kind, shape, 1e-9, ratio)
            # P_eh is not quite of the form a + b cosh t: 1e-3 Ry
            assert float(shift) == pytest.approx(exact.shift(kind), abs=3e-3)


def test_charge_conjugation_swaps_the_trions():
    sizes = np.geomspace(0.3, 30, 7)
    for ratio in (0.5, 0.9):
        minus, error = multiexciton_shift("trion-", "cube", sizes, ratio)
        plus, same = multiexciton_shift("trion+", "cube", sizes, 1 / ratio)
        assert minus == pytest.approx(plus)
        assert error == pytest.approx(same)
        there, _ = multiexciton_shift("biexciton", "cube", sizes, ratio)
        back, _ = multiexciton_shift("biexciton", "cube", sizes, 1 / ratio)
        assert there == pytest.approx(back)
    equal, _ = multiexciton_shift("trion+", "cube", sizes)
    assert multiexciton_shift("trion+", "cube", sizes, 1 + 1e-9)[0] == pytest.approx(equal, abs=1e-8)


def test_shifts_in_ev_broadcast_over_draws_and_are_quick():
    rng = np.random.default_rng(3)
    bohr, rydberg = rng.uniform(2.5, 3.1, 500), rng.uniform(0.03, 0.034, 500)
    shift, sigma = multiexciton_shift_ev("biexciton", "sphere", np.array([[6.0], [10.0]]), bohr, rydberg)
    assert shift.shape == sigma.shape == (2, 500)
    ratio, _ = multiexciton_shift("biexciton", "sphere", 3.0 / bohr)
    assert shift[0] == pytest.approx(ratio * rydberg)
    start = time.process_time()
    multiexciton_shift_ev("trion-", "cube", np.full(200_000, 8.0), 3.0, 0.032)
    assert time.process_time() - start < 2.0  # 0.1 s on a quiet machine


def test_the_empirical_law_keeps_to_its_range():
    assert empirical_shift_ev("trion-", 6.0) == pytest.approx(-0.0317, abs=5e-5)
    with pytest.raises(ModelRangeError):
        empirical_shift_ev("biexciton", [5.0, 8.0])
    far = empirical_shift_ev("biexciton", [5.0, 1e6], extrapolate=True)
    assert far[1] == pytest.approx(-0.0165)
    with pytest.raises(ModelRangeError):
        empirical_shift_ev("biexciton", -5.0, extrapolate=True)
    with pytest.raises(OptionError):
        empirical_shift_ev("exciton", 8.0)


def test_what_the_table_does_not_hold_is_refused():
    for bad in (0.0, -1.0, math.nan):
        with pytest.raises(ModelRangeError):
            multiexciton_shift("biexciton", "cube", [1.0, bad])
    with pytest.raises(ModelRangeError):
        multiexciton_shift("biexciton", "cube", 1.0, 0.1)
    with pytest.raises(OptionError):
        multiexciton_shift("exciton", "cube", 1.0)
    with pytest.raises(OptionError):
        multiexciton_shift("biexciton", "torus", 1.0)
