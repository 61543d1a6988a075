"""The ladder of identical emitters against a table, its limit for many, and two emitters in closed form."""

import csv
from pathlib import Path

import numpy as np
import pytest

from perolux.collective.dicke import burst_shape_limit, dicke_burst, peak_of_limit
from perolux.errors import ModelRangeError, OptionError

# The row for two emitters is left out: their rate 2 (1 + 2t) e^(-2t) falls from t = 0 on, so its peak is
# 2 at t = 0; the table has the rate at t = 0.164.
TABLE = [
    row
    for row in csv.DictReader(
        (Path(__file__).parent / "data" / "dicke_burst_exact.csv").read_text().splitlines()
    )
    if 2 < int(row["N"]) <= 500
]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row["N"])
def test_table(row):
    found = dicke_burst(int(row["N"]), np.array([0.0]))
    assert found.i_peak == pytest.approx(float(row["I_peak_in_Gamma"]), rel=2e-8)
    assert found.t_peak == pytest.approx(float(row["t_peak_in_1_over_Gamma"]), rel=1e-6)


def test_two():
    times = np.linspace(0.0, 3.0, 31)
    found = dicke_burst(2, times)
    assert (found.t_peak, found.i_peak) == (pytest.approx(0.0, abs=1e-9), pytest.approx(2.0))
    assert found.photon_rate == pytest.approx(2.0 * np.exp(-2.0 * times) * (1.0 + 2.0 * times), abs=1e-10)


def test_energy():
    times = np.linspace(0.0, 1.0, 2001)
    found = dicke_burst(20, times)
    slope = np.gradient(found.excited, times)
    assert slope[1:-1] == pytest.approx(-found.photon_rate[1:-1], abs=0.02)
    assert found.g2_zero == pytest.approx(1.9)


@pytest.mark.slow
def test_many():
    found = dicke_burst(2000, np.array([0.0]))
    at, height = peak_of_limit()
    assert height == pytest.approx(0.19570683, abs=1e-8)
    assert at == pytest.approx(0.32969029, abs=1e-6)
    # how far 2000 is from the limit is of order ln N/N
    assert found.i_peak / 2000**2 == pytest.approx(0.19569871, abs=1e-8)
    assert 2000 * found.t_peak - np.log(2000) == pytest.approx(0.324565, abs=1e-5)
    # a single shot is a sech^2 of height 1/4
    assert 0.25 / height == pytest.approx(1.2774, abs=1e-4)
    assert burst_shape_limit(-20.0) == pytest.approx(np.exp(-20.0), rel=1e-6)


def test_refusals():
    with pytest.raises(OptionError):
        dicke_burst(0)
    with pytest.raises(ModelRangeError):
        dicke_burst(30_000)
    with pytest.raises(OptionError):
        dicke_burst(3, np.array([0.0, 0.0]))
