"""Envelopes: what is widened and what is not, and the table that says by how much."""

import math

import numpy as np
import pytest

from perolux.collective.burst import burst
from perolux.collective.case import case_of
from perolux.collective.envelope import (
    LARGEST,
    Margin,
    bare,
    envelope,
    grown,
    margins,
    read_table,
)
from perolux.collective.rows import Emission


def emission(rate, excited, sigma=0.0):
    rate, excited = np.array(rate, dtype=float), np.array(excited, dtype=float)
    return Emission("x", "", np.arange(4.0), rate, excited, np.full(4, sigma), None)


def test_a_burst_keeps_its_height_and_its_tail_is_widened():
    one, other = emission([4, 5, 2, 1], [4, 3, 2, 1]), emission([4, 8, 1, 0.5], [4, 3, 1, 0.2])
    found = envelope([one, other], 4, 4)
    size = margins()["all", "rate"].of(4) * 4.0
    up = margins()["all", "population"].of(4) * 4.0
    assert found.high.max() == 8.0 and found.low[0] == found.high[0] == 4.0
    assert found.high[2] == pytest.approx(min(2.0 + size, 8.0)) and found.low[3] == max(0.5 - size, 0.0)
    assert found.excited_high[2] == pytest.approx(min(2.0 + up, 4.0))
    assert np.all(found.excited_low >= 0.0) and np.all(found.excited_high <= 4.0)


def test_partial_excitation_is_widened_from_the_second_time_on():
    one = emission([2, 1, 1, 0.5], [2, 1.5, 1, 0.7])
    found = envelope([one, one], 2, 5)
    size = margins()["some", "rate"].of(5) * 2.0
    assert found.high[0] == 2.0 and found.high[1] == pytest.approx(1.0 + size)


def test_two_standard_errors_are_added_but_for_the_start():
    t, rates = np.arange(3.0), np.array([[4.1, 2.0, 1.0], [4.0, 3.0, 0.1]])
    low, high = bare(t, rates, np.full((2, 3), 0.2), 4)
    assert low == pytest.approx([4.0, 1.6, 0.0]) and high == pytest.approx([4.0, 3.4, 1.4])
    # a course that begins later does not begin at the start
    assert bare(t + 1.0, rates, np.zeros((2, 3)), 4)[1][0] == 4.1


def test_what_is_known_is_said():
    one = emission([4, 5, 2, 1], [4, 3, 2, 1])
    few, some, many = (envelope([one], n, n).sentence for n in (LARGEST, LARGEST + 1, 100))
    assert "extrapolated" not in few and "extrapolated" in some and "little is said" not in some
    assert all(text in many for text in ("not known to hold", "little is said", "not measured after 2/Gamma"))


def test_the_law_is_carried_on_and_widened():
    def law(growth):
        return Margin("all", "rate", 0.1, growth, 0.25, 1, 1, 1, 0.0, 1.0, 0.0, 0, 0, 16)

    # four times beyond by p and two errors of 0.25; it never shrinks
    for growth, many in ((0.5, 4.0), (0.0, 2.0), (-1.0, 1.0)):
        assert law(growth).of(4) == law(growth).of(LARGEST) == pytest.approx(0.1)
        assert law(growth).of(4 * LARGEST) == pytest.approx(0.1 * many)
    assert all(one.growth_error > 0.0 for one in margins().values())


def test_margins_are_those_of_the_cases_that_are_shipped():
    """The margin is the conformal rank of the scaled misses of one half, the coverage the share of the
    other."""
    cases = read_table("envelope_cases")
    for (start, quantity), one in margins().items():
        own = [case for case in cases if case["start"] == start]
        scaled = {
            half: [
                float(c[quantity]) / grown(one.growth, one.growth_error, int(c["emitters"]))
                for c in own
                if c["half"] == half
            ]
            for half in ("calibration", "test", "beyond")
        }
        first = sorted(scaled["calibration"])
        rank = min(math.ceil(0.9 * (len(first) + 1)), len(first))
        # four digits are written
        assert one.over_excitations == pytest.approx(first[rank - 1], rel=2e-3)
        for half, of, inside in (
            ("test", one.test_cases, one.test_inside),
            ("beyond", one.beyond_cases, one.beyond_inside),
        ):
            assert of == len(scaled[half])
            assert inside == sum(s <= one.over_excitations * 1.002 for s in scaled[half])
        assert one.coverage_low <= one.coverage <= one.coverage_high
        assert {int(c["emitters"]) for c in own if c["half"] != "beyond"} == set(range(4, LARGEST + 1))


def test_heights_of_full_inversions_lie_in_the_bracket():
    """Of all cases that are shipped; two standard errors of the truth, which is drawn above 8 emitters."""
    for case in read_table("envelope_cases"):
        if case["start"] != "all":
            continue
        height, room = float(case["height"]), 2.0 * float(case["height_error"]) + 1e-3
        assert float(case["height_low"]) - room <= height <= float(case["height_high"]) + room


@pytest.mark.slow
def test_the_known_cube_lies_inside():
    """2 x 2 x 2 with full shifts: exact population 1.4636 and 0.47319 at 1 and 2/Gamma (reference table)."""
    sites = (12.5 * np.array(list(np.ndindex(2, 2, 2)), dtype=float)).tolist()
    case = case_of({
        "positions_nm": sites, "unit_dipoles": [[0, 0, 1]] * 8, "refractive_index": 1.0,
        "vacuum_wavelength_nm": 530.0, "times_over_inverse_Gamma": [0.0, 0.1, 0.2, 0.5, 1.0, 2.0],
    })  # fmt: skip
    row = burst(case, "bracket", trajectories=100).as_dict()["rows"]
    assert row[4]["excited_low"] < 1.4636 < row[4]["excited_high"]
    assert row[5]["excited_low"] < 0.47319 < row[5]["excited_high"]


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_new_clusters_of_nine_to_twelve(seed):
    """Places, dipoles and detunings at random, none of those shipped, against jump trajectories."""
    rng = np.random.default_rng([91, seed])
    n = int(rng.integers(9, 13))
    sites = np.array(list(np.ndindex(3, 3, 3)), dtype=float)[rng.permutation(27)[:n]]
    dipoles = rng.standard_normal((n, 3))
    case = case_of({
        "positions_nm": (12.5 * sites).tolist(),
        "unit_dipoles": (dipoles / np.linalg.norm(dipoles, axis=1)[:, None]).tolist(),
        "refractive_index": 1.0, "vacuum_wavelength_nm": 530.0,
        "detunings_over_Gamma": (rng.choice([0.0, 100.0]) * rng.standard_normal(n)).tolist(),
        "times_over_inverse_Gamma": np.linspace(0.0, 1.0, 101).tolist(),
    })  # fmt: skip
    truth, found = burst(case, "trajectories", trajectories=1000), burst(case, "bracket")
    top = int(np.argmax(truth.photon_rate))
    room = 3.0 * truth.sigma[top]
    assert found.low.max() - room < truth.photon_rate[top] < found.high.max() + room
    # wanted of nine in ten cases; a population of 1000 trajectories is known to 0.5 % of the excitations
    room = 0.02 * n
    assert np.all((found.excited_low - room < truth.excited) & (truth.excited < found.excited_high + room))
