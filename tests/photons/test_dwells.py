"""Dwell laws: moments against quadrature, walks between states, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from perolux.errors import OptionError
from perolux.photons.dwells import Exponential, Lognormal, PowerLaw, draw_dwells, walk

LAWS = st.builds(
    PowerLaw,
    exponent=st.floats(0.0, 3.5),
    shortest_s=st.floats(1e-4, 1e-2),
    longest_s=st.floats(0.1, 100.0),
    cutoff_s=st.none() | st.floats(1e-3, 10.0),
)


def moment(law, n):
    cut = np.inf if law.cutoff_s is None else law.cutoff_s
    ends = np.log([law.shortest_s, law.longest_s])

    def weight(x, power):
        return np.exp((1 + power - law.exponent) * x - (np.exp(x) - law.shortest_s) / cut)

    middle = np.log(np.clip(cut, law.shortest_s * 1.01, law.longest_s * 0.99)) if np.isfinite(cut) else None
    points = None if middle is None else [middle]
    return (
        quad(weight, *ends, args=(n,), points=points, limit=200)[0]
        / quad(weight, *ends, args=(0,), points=points, limit=200)[0]
    )


@settings(max_examples=30, deadline=None)
@given(LAWS, st.integers(0, 2**32 - 1))
def test_moments_of_the_drawn_dwells(law, seed):
    times = draw_dwells(law, 20_000, np.random.default_rng(seed))
    assert times.min() >= law.shortest_s * (1 - 1e-12) and times.max() <= law.longest_s * (1 + 1e-12)
    logs = np.log(times)
    cut = np.inf if law.cutoff_s is None else law.cutoff_s
    x = np.linspace(np.log(law.shortest_s), np.log(law.longest_s), 20_001)
    weight = np.exp((1 - law.exponent) * x - (np.exp(x) - law.shortest_s) / cut)
    mean = np.sum(weight * x) / weight.sum()
    assert abs(logs.mean() - mean) < 5.5 * logs.std() / np.sqrt(len(logs)) + 2e-3


def test_mean_of_the_truncated_law_of_dot_08():
    law = PowerLaw(1.36, 3e-3, 0.2, 13e-3)
    times = draw_dwells(law, 200_000, np.random.default_rng(3))
    assert times.mean() == pytest.approx(moment(law, 1), rel=0.01)


def test_exponential_and_an_exponent_of_one():
    rng = np.random.default_rng(1)
    assert draw_dwells(Exponential(0.05), 100_000, rng).mean() == pytest.approx(0.05, rel=0.02)
    flat = draw_dwells(PowerLaw(1.0, 1e-3, 1.0), 100_000, rng)
    assert np.log(flat).mean() == pytest.approx(np.log(1e-3) / 2, rel=0.01)


def test_lognormal():
    logs = np.log(draw_dwells(Lognormal(5e-3, 1.2), 100_000, np.random.default_rng(2)))
    assert logs.mean() == pytest.approx(np.log(5e-3), abs=0.02)
    assert logs.std() == pytest.approx(1.2, rel=0.01)


def test_a_walk_alternates_fills_its_time_and_shares_it():
    ends, states = walk([Exponential(0.01), Exponential(0.03)], 200.0, np.random.default_rng(0), start=0)
    assert states[0] == 0 and np.all(np.abs(np.diff(states)) == 1)
    assert ends[0] == 0.0 and ends[-1] == 200.0 and np.all(np.diff(ends) > 0)
    share = np.diff(ends)[states == 1].sum() / 200.0
    assert share == pytest.approx(0.75, abs=0.01)


def test_jumps_lead_where_they_say():
    jumps = [[0.0, 1.0, 0.0], [0.3, 0.0, 0.7], [1.0, 0.0, 0.0]]
    _, states = walk([Exponential(1e-3)] * 3, 20.0, np.random.default_rng(0), jumps=jumps)
    pairs = set(zip(states[:-1].tolist(), states[1:].tolist(), strict=True))
    assert pairs == {(0, 1), (1, 0), (1, 2), (2, 0)}
    after = states[1:][states[:-1] == 1]
    assert np.mean(after == 2) == pytest.approx(0.7, abs=0.03)


@pytest.mark.parametrize(
    "bad",
    [
        lambda: Exponential(0.0),
        lambda: Lognormal(-1.0, 1.0),
        lambda: Lognormal(1.0, np.inf),
        lambda: PowerLaw(1.5, 1e-3, np.inf),
        lambda: PowerLaw(1.5, 1.0, 1e-3),
        lambda: PowerLaw(-1.0, 1e-3, 1.0),
        lambda: PowerLaw(1.5, 1e-3, 1.0, -2.0),
        lambda: walk([], 1.0, np.random.default_rng(0)),
        lambda: walk([Exponential(1.0)] * 3, 1.0, np.random.default_rng(0), jumps=np.eye(3)),
        lambda: walk([Exponential(1.0)] * 2, 1.0, np.random.default_rng(0), start=2),
    ],
)
def test_refused(bad):
    with pytest.raises(OptionError):
        bad()
