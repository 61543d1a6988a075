"""Memory of blinking: none in a renewal process, found where lengths follow one another."""

import numpy as np
import pytest

from perolux.photons.memory import memory_of


def test_a_renewal_process_has_none_and_its_p_values_are_even() -> None:
    values = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        found = memory_of(rng.lognormal(0, 1, 121), np.arange(121) % 2 == 0, rng, draws=99)
        values += [one["p_value"] for one in found.values()]
    # even over 0 to 1: the mean of 240 (nearly) independent ones, four standard errors
    assert abs(np.mean(values) - 0.5) < 4 / np.sqrt(12 * 240)
    assert 0.01 <= np.mean(np.array(values) <= 0.1) <= 0.19


@pytest.mark.parametrize("first_on", [True, False])
def test_each_pair_is_told_from_the_others(first_on: bool) -> None:
    """The next off stay copies the on stay before it: only on-off (and its echo) is correlated."""
    rng = np.random.default_rng(0)
    on = rng.lognormal(0, 1, 300)
    off = on * rng.lognormal(0, 0.1, 300)
    length = np.empty(600)
    length[0::2], length[1::2] = on, off
    kind = np.arange(600) % 2 == 0
    if not first_on:
        length, kind = length[1:], kind[1:]
    found = memory_of(length, kind, rng)
    assert found["on_off"]["low95"] > 0.95
    assert found["on_off"]["p_value"] == pytest.approx(1e-3)
    for name in ("on_on", "off_off", "off_on"):
        assert found[name]["low95"] < 0 < found[name]["high95"]
    assert found["on_off"]["pairs"] == (300 if first_on else 299)


def test_too_few_and_all_alike() -> None:
    rng = np.random.default_rng(0)
    found = memory_of(np.ones(20), np.arange(20) % 2 == 0, rng)
    assert found["on_on"]["correlation"] is None and "too few" in found["on_on"]["reason"]
    found = memory_of(np.ones(200), np.arange(200) % 2 == 0, rng)
    assert "alike" in found["off_on"]["reason"]
    assert memory_of([], [], rng)["on_on"]["pairs"] == 0
