"""Levels: their number, their rates with true errors, exact sorting, on-fraction."""

import numpy as np
import pytest

from perolux.errors import OptionError
from perolux.photons.change_points import Segments, change_points
from perolux.photons.levels import _partitions, find_levels, on_fraction
from perolux.photons.simulate import alternating_stream


def segments_of(photons: np.ndarray, duration: np.ndarray) -> Segments:
    edges = np.concatenate([[0.0], np.cumsum(duration)])
    first = np.concatenate([[0], np.cumsum(photons)[:-1]])
    return Segments(first, edges[:-1], edges[1:], photons, np.zeros(len(photons) - 1), 9.0)


def random_segments(rates: tuple[float, ...], count: int, seed: int) -> tuple[Segments, np.ndarray]:
    rng = np.random.default_rng(seed)
    state = rng.integers(0, len(rates), count)
    duration = rng.exponential(0.05, count) + 1e-3
    return segments_of(rng.poisson(np.array(rates)[state] * duration), duration), state


@pytest.mark.parametrize("rates", [(2e4,), (2e4, 8e4), (5e3, 2e4, 8e4), (1e3, 5e3, 2e4, 4e4, 8e4)])
def test_number_and_rates(rates: tuple[float, ...]) -> None:
    segments, _ = random_segments(rates, 400, 1)
    found = find_levels(segments)
    assert len(found) == len(rates)
    # stretches of a few photons are sorted wrongly now and then
    assert np.all(np.abs(found.rate_cps - rates) < 5 * found.rate_sigma)
    assert found.occupancy.sum() == pytest.approx(1)
    assert found.photons.sum() == segments.photons.sum()
    assert not found.capped


def test_intervals_of_rates_hold_the_truth() -> None:
    inside = []
    for seed in range(100):
        segments, _ = random_segments((2e4, 8e4), 60, seed)
        found = find_levels(segments, 2)
        inside += list(np.abs(found.rate_cps - [2e4, 8e4]) < 1.96 * found.rate_sigma)
    assert 0.89 <= np.mean(inside) <= 1.0


def test_sorting_is_the_best_contiguous_one() -> None:
    segments, _ = random_segments((1e4, 3e4, 9e4), 9, 3)
    n, t = segments.photons.astype(float), segments.duration_s
    order = np.argsort(n / t)
    n, t = n[order], t[order]

    def gain(i: int, j: int) -> float:
        return n[i:j].sum() * np.log(n[i:j].sum() / t[i:j].sum())

    best = max(gain(0, i) + gain(i, j) + gain(j, 9) for i in range(1, 8) for j in range(i + 1, 9))
    rates = _partitions(n, t, 3)[3]
    cuts = next(
        (i, j)
        for i in range(1, 8)
        for j in range(i + 1, 9)
        if np.allclose(
            [n[:i].sum() / t[:i].sum(), n[i:j].sum() / t[i:j].sum(), n[j:].sum() / t[j:].sum()], rates
        )
    )
    assert gain(0, cuts[0]) + gain(*cuts) + gain(cuts[1], 9) == pytest.approx(best)


def test_drifting_light_is_told() -> None:
    rng = np.random.default_rng(0)
    duration = np.full(3000, 0.05)
    found = find_levels(segments_of(rng.poisson(rng.uniform(1e3, 1e5, 3000) * duration), duration))
    assert found.capped


def test_on_fraction() -> None:
    made = alternating_stream(np.random.default_rng(0))
    found = find_levels(change_points(made.time_s))
    edges = np.concatenate([[0.0], made.changes_s, [made.time_s[-1]]])
    true = np.diff(edges)[1::2].sum() / made.time_s[-1]
    share, on = on_fraction(found)
    assert share == pytest.approx(true, abs=2e-3)
    assert on.tolist() == [False, True]
    one = find_levels(segments_of(np.array([1000]), np.array([1.0])))
    assert on_fraction(one)[0] == 1.0
    assert on_fraction(one, dark_cps=1000.0)[0] == 0.0


def test_too_many_levels() -> None:
    with pytest.raises(OptionError, match="5 levels from 1"):
        find_levels(segments_of(np.array([10]), np.array([1.0])), 5)
