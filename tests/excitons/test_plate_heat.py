"""Heat in plates: exact limits, the trace over all states of a box, the thick plate against the cube."""

from __future__ import annotations

import math

import numpy as np
import pytest

from perolux.errors import ModelRangeError
from perolux.excitons.light.plate_heat import mean_attraction, plate_heat
from perolux.excitons.light.thermal import thermal_overlap_ratio
from perolux.excitons.light.thermal_ladder import axis_sums
from perolux.excitons.pair.platelets import interpolate_plate
from perolux.validation.rows import read_table


def test_a_cold_plate_has_only_its_ground_state():
    found = plate_heat([4.0, 9.0, 16.0, 16.0], [4.0, 9.0, 16.0, 8.0], [0.5, 3.0, 4.0, 0.1], 0.5, 1e-3)
    assert found.ratio == pytest.approx(1.0, abs=1e-6)
    assert plate_heat(9.0, 9.0, 3.0, 0.5, 0.0).ratio == 1.0


def test_mean_attraction_is_the_average_over_pairs_of_points():
    rng = np.random.default_rng(3)
    # carriers even in the plane; across in the lowest subband for the images, even for the direct part
    a, b, d, q, many = 3.0, 5.0, 1.5, 0.5, 400_000
    plane = (rng.random((2, 2, many)) - 0.5) * np.array([a, b])[:, None, None]
    rho2 = ((plane[:, 0] - plane[:, 1]) ** 2).sum(axis=0)
    even = d * (rng.random((2, many)) - 0.5)
    grid = np.linspace(-0.5, 0.5, 2001)
    low = d * np.interp(rng.random((2, many)), grid + 0.5 + np.sin(2 * math.pi * grid) / (2 * math.pi), grid)
    direct = 2.0 * np.mean(1.0 / np.sqrt(rho2 + (even[0] - even[1]) ** 2))
    images = sum(
        2.0 * q ** abs(n) * np.mean(1.0 / np.sqrt(rho2 + (low[0] - (-1) ** n * low[1] + n * d) ** 2))
        for n in range(-16, 17)
        if n
    )
    found = mean_attraction(a, b, d, d, q)
    assert float(found[0]) == pytest.approx(direct, rel=5e-3)  # 400 000 samples of a variance near 1
    assert float(found[1]) == pytest.approx(images, rel=5e-3)


def test_a_wide_thin_plate_obeys_the_law_of_mass_action_in_two_dimensions():
    # free pairs A theta/(2 pi) each squared with m = 2 mu, bound ones A theta/pi (M = 4 mu), in aB and Ry;
    # the emission of both large: (8/pi^2)^2 K_0, and R = (pi^2/8)^2 exp(B/theta) / (states over the ground)
    edge, thick, theta = 3000.0, 0.05, 2.0
    bound = float(interpolate_plate(thick, 0.0).binding_rydberg) / theta
    free = (edge**2 * theta / (2.0 * math.pi)) ** 2
    pairs = edge**2 * theta / math.pi
    law = (math.pi**2 / 8.0) ** 2 * math.exp(bound) / (free + pairs * (math.exp(bound) - 1.0 - bound))
    # walls: sums instead of integrals, 2 sqrt(pi)/(edge sqrt(theta)) of each of four; attraction 6/edge/theta
    assert float(plate_heat(edge, edge, thick, 0.0, theta).ratio) == pytest.approx(law, rel=0.02)


def test_hot_free_carriers_are_the_product_of_one_particle_sums():
    # a plate so wide that hardly any pair is bound: all states are those of two particles in a box
    a, thick, theta = 400.0, 12.0, 2.5
    free = np.prod([axis_sums(0.5 * math.pi**2 / (one**2 * theta))[0] for one in (a, a, thick)]) ** 2
    pair = interpolate_plate(thick, 0.0)
    emitting = math.exp(float(pair.binding_rydberg) / theta) * (math.pi**2 / 8.0) ** 2
    across = axis_sums(0.25 * math.pi**2 / ((thick - 1.405) ** 2 * theta))[1]
    meeting = (
        0.5 * theta * thick / (math.pi * float(pair.contact)) * math.exp(-float(pair.binding_rydberg) / theta)
    )
    ratio = float(plate_heat(a, a, thick, 0.0, theta).ratio)
    # the mean attraction is 0.015 Ry, the walls of 400 aB cost 1 %
    assert ratio == pytest.approx(emitting * across * (1.0 + meeting) / free, rel=0.03)


@pytest.mark.parametrize("edge", [4.0, 6.0, 8.0, 11.0])
def test_a_plate_as_thick_as_wide_is_the_cube(edge):
    theta = np.array([0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0])
    plate, cube = plate_heat(edge, edge, edge, 0.0, theta), thermal_overlap_ratio(edge, theta).ratio
    # what the formula says of itself, and a few per cent of the table
    assert np.all(np.abs(plate.ratio / cube - 1.0) < plate.relative_error + 0.03)


def test_the_trace_over_all_states_of_a_box():
    """The independent check: it knows nothing of bound and free pairs."""
    rows = read_table("plate_heat.csv")
    names = ("a", "b", "thickness", "contrast", "theta", "ratio", "sigma")
    a, b, thick, q, theta, ratio, sigma = np.array([[float(row[one]) for one in names] for row in rows]).T
    found = plate_heat(a, b, thick, q, theta)
    # what the formula says of itself, and the 2 % by which four more sines an axis moved a trace
    assert np.all(np.abs(found.ratio / ratio - 1.0) < found.relative_error + 0.02 + 2.0 * sigma / ratio)


def test_it_falls_on_warming_and_with_the_area():
    edges, theta = np.geomspace(4.0, 40.0, 10)[:, None], np.geomspace(0.05, 2.4, 10)
    for thick, q in ((0.3, 0.6), (1.0, 0.0), (4.0, 0.5), (10.0, 0.2)):
        ratio = plate_heat(edges, edges, thick, q, theta).ratio
        assert np.all(np.diff(ratio, axis=0) < 1e-3) and np.all(np.diff(ratio, axis=1) < 5e-3)
        assert np.all((ratio > 0) & (ratio <= 1))


def test_it_refuses_what_lies_beyond():
    for theta in (3.0, -0.1, math.nan):
        with pytest.raises(ModelRangeError, match="temperature"):
            plate_heat(9.0, 9.0, 3.0, 0.5, theta)
    with pytest.raises(ModelRangeError, match="thickness"):
        plate_heat(9.0, 9.0, 30.0, 0.5, 0.5)
