"""Thermal weakening of the emission: exact limits, the table against small exact sums, continuity."""

from __future__ import annotations

import math

import numpy as np
import pytest

from perolux.errors import ModelRangeError
from perolux.excitons.light.thermal import centre_of_mass_ratio, thermal_overlap_ratio


def test_a_cold_or_a_small_crystal_has_only_its_ground_state():
    assert thermal_overlap_ratio([0.3, 1.0, 4.0], 1e-5).ratio.tolist() == pytest.approx([1.0] * 3, abs=1e-6)


def test_free_pairs_of_a_small_cube():
    # at y = 1 attraction only shifts the levels; R of free pairs: sum exp(-2 a n^2)/(sum exp(-a n^2))^2
    y, theta = 1.0, 2.5
    n = np.arange(1, 60)
    a = 0.5 * math.pi**2 / (y**2 * theta)
    one = np.sum(np.exp(-2 * a * (n**2 - 1))) / np.sum(np.exp(-a * (n**2 - 1))) ** 2
    # K of excited pairs is larger (up to 3 of 1.8 for the second level) and the weight small: within 0.01
    assert thermal_overlap_ratio(y, theta).ratio == pytest.approx(one**3, abs=0.01)


def test_it_falls_on_warming_and_with_size():
    sizes, heats = np.geomspace(0.6, 10.5, 12), np.geomspace(0.02, 2.4, 12)
    ratio = thermal_overlap_ratio(sizes[:, None], heats).ratio
    assert np.all(np.diff(ratio, axis=0) < 5e-3) and np.all(np.diff(ratio, axis=1) < 5e-3)
    assert ratio.min() > 0.0 and ratio.max() <= 1.0


@pytest.mark.parametrize("theta", [0.05, 0.4, 1.0])
def test_the_laws_join_the_table(theta):
    edge = 11.0
    below, above = thermal_overlap_ratio([edge * (1 - 1e-6), edge * (1 + 1e-6)], theta).ratio
    assert above == pytest.approx(below, rel=1e-4)
    assert thermal_overlap_ratio(2 * edge, theta).regime == "ladder"


def test_the_ladder_of_a_cold_large_cube():
    # well below the Rydberg only the centre of mass is excited: the table against the closed form
    assert thermal_overlap_ratio(10.0, 0.03).ratio == pytest.approx(
        centre_of_mass_ratio(10.0, 0.03), rel=0.05
    )


def test_it_refuses_what_lies_beyond():
    with pytest.raises(ModelRangeError, match="temperature"):
        thermal_overlap_ratio(3.0, 5.0)
