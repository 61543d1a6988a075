"""Envelopes: what is widened and what is not, and the table that says by how much."""

import csv
from pathlib import Path

import numpy as np
import pytest

import perolux.collective.envelope as module
from perolux.collective.burst import burst
from perolux.collective.envelope import envelope, margins
from perolux.collective.rows import Emission

DATA = Path(module.__file__).parent / "data"


def emission(rate, excited):
    rate, excited = np.array(rate, dtype=float), np.array(excited, dtype=float)
    return Emission("x", "", np.arange(4.0), rate, excited, np.zeros(4), None)


def test_a_burst_keeps_its_height_and_its_tail_is_widened():
    one, other = emission([4, 5, 2, 1], [4, 3, 2, 1]), emission([4, 8, 1, 0.5], [4, 3, 1, 0.2])
    found = envelope([one, other], whole=True)
    size = margins()["all", "rate"].over_excitations * 4.0
    up = margins()["all", "population"].over_excitations * 4.0
    assert found.high.max() == 8.0 and found.low[0] == found.high[0] == 4.0
    assert found.high[2] == pytest.approx(min(2.0 + size, 8.0)) and found.low[3] == max(0.5 - size, 0.0)
    assert found.excited_high[2] == pytest.approx(min(2.0 + up, 4.0))
    assert np.all(found.excited_low >= 0.0) and np.all(found.excited_high <= 4.0)
    assert "not known to hold for more emitters" in found.sentence


def test_partial_excitation_is_widened_from_the_second_time_on():
    one = emission([2, 1, 1, 0.5], [2, 1.5, 1, 0.7])
    found = envelope([one, one], whole=False)
    size = margins()["some", "rate"].over_excitations * 2.0
    assert found.high[0] == 2.0 and found.high[1] == pytest.approx(1.0 + size)


def test_margins_are_those_of_the_cases_that_are_shipped():
    """The margin is the conformal rank of the calibration half, the coverage the share of the other half."""
    with (DATA / "envelope_cases.csv").open() as file:
        cases = list(csv.DictReader(file))
    for (start, quantity), one in margins().items():
        own = [case for case in cases if case["start"] == start]
        first = sorted(float(c[quantity]) for c in own if c["half"] == "calibration")
        rank = min(int(np.ceil(0.9 * (len(first) + 1))), len(first))
        assert one.over_excitations == pytest.approx(first[rank - 1], rel=1e-3)
        second = [float(c[quantity]) <= one.over_excitations * 1.001 for c in own if c["half"] == "test"]
        assert one.coverage == pytest.approx(np.mean(second), abs=1e-3) and one.test_cases == len(second)


@pytest.mark.slow
def test_the_known_cube_lies_inside():
    """2 x 2 x 2 with full shifts: exact population 1.4636 and 0.47319 at 1 and 2/Gamma (reference table)."""
    from perolux.collective.case import case_of

    sites = (12.5 * np.array(list(np.ndindex(2, 2, 2)), dtype=float)).tolist()
    case = case_of({
        "positions_nm": sites, "unit_dipoles": [[0, 0, 1]] * 8, "refractive_index": 1.0,
        "vacuum_wavelength_nm": 530.0, "times_over_inverse_Gamma": [0.0, 0.1, 0.2, 0.5, 1.0, 2.0],
    })  # fmt: skip
    row = burst(case, "bracket", trajectories=100).as_dict()["rows"]
    assert row[4]["excited_low"] < 1.4636 < row[4]["excited_high"]
    assert row[5]["excited_low"] < 0.47319 < row[5]["excited_high"]
