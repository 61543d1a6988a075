"""Breakage: exact solutions, what is kept, order of the cells, single crystals as the second method."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from perolux.errors import ConvergenceError, ModelRangeError, OptionError
from perolux.synthesis.scission import Cells, Scission, break_up, cells_above, scission_matrix
from perolux.synthesis.scission_crystals import break_one_by_one

RANDOM = Scission(1.0, 1.0, 3.0)
PARKING = 0.7475979202534


def smooth(cells, density):
    """Numbers on the pivots of a density of volume."""
    v = np.geomspace(cells.edges[0], cells.edges[-1], 100_001)
    middle = np.sqrt(v[1:] * v[:-1])
    return cells.shared(middle, density(middle) * np.diff(v))


def test_the_exponential_start_stays_exponential():
    """s = k v, random scission: n = (1 + kt)^2 exp(-(1 + kt) v) from exp(-v) (Ziff and McGrady 1985)."""
    cells = Cells(np.geomspace(1e-6, 200.0, 401))
    found = break_up(RANDOM, cells, smooth(cells, lambda v: np.exp(-v)), [9.0])[0]
    exact = smooth(cells, lambda v: 100.0 * np.exp(-10.0 * v))
    assert np.abs(found - exact).sum() < 1e-3 * exact.sum()
    assert np.abs(found - exact) @ cells.pivots < 1e-3


def test_a_single_size_breaks_as_ziff_and_mcgrady_say():
    """n = exp(-kvt) (delta(v - u) + 2kt + k^2 t^2 (u - v)) from one crystal of volume u = 1."""
    cells = Cells(np.concatenate((np.geomspace(1e-5, 0.02, 80), np.linspace(0.02, 1.0, 500)[1:])))
    start = np.zeros(len(cells.pivots))
    start[-1] = 1.0
    found = break_up(RANDOM, cells, start, [3.0])[0]
    assert found[-1] == pytest.approx(np.exp(-3.0), rel=0.02)  # and what was born next to it
    for low, high in ((0.1, 0.2), (0.4, 0.6), (0.8, 0.9)):
        inside = (cells.edges[:-1] >= low - 1e-9) & (cells.edges[1:] <= high + 1e-9)
        v = np.linspace(cells.edges[:-1][inside].min(), cells.edges[1:][inside].max(), 2001)
        exact = np.trapezoid(np.exp(-3.0 * v) * (6.0 + 9.0 * (1.0 - v)), v)
        assert found[inside].sum() == pytest.approx(exact, rel=1e-3)


def test_random_scission_makes_crystals_at_a_constant_rate():
    """s = k v in two: dN/dt = k V."""
    cells = Cells(np.geomspace(1e-9, 1.0, 301))
    start = np.zeros(300)
    start[-1] = 1.0
    found = break_up(RANDOM, cells, start, [0.0, 1.0, 50.0, 1000.0])
    # at 1000 s one piece in a thousand by volume lies below 1e-6; below all cells next to nothing
    assert np.allclose(found.sum(axis=1), [1.0, 2.0, 51.0, 1001.0], rtol=1e-5)
    assert np.allclose(found @ cells.pivots, 1.0, rtol=1e-12)


@pytest.mark.parametrize(("nu", "alpha"), [(0.0, 3.0), (-0.5, 3.0), (-0.5, 1.5), (-0.8, 1.0)])
def test_power_laws_keep_their_self_similar_form(nu, alpha):
    """n = C t^((nu + 2)/lambda) v^nu exp(-k t v^lambda), lambda = alpha/3, solves the equation exactly."""
    law = Scission(1.0, 1.0, alpha, "power-law", nu)
    power = alpha / 3.0
    cells = Cells(np.geomspace(1e-12, 1e6, 1201))

    def shape(t):
        return smooth(cells, lambda v: t ** ((nu + 2) / power) * v**nu * np.exp(-t * v**power))

    start = shape(1.0)
    found, exact = break_up(law, cells, start, [4.0])[0], shape(5.0)
    root = np.cbrt(cells.pivots)
    for k in (2, 3, 4, 6):
        assert found @ root**k == pytest.approx(exact @ root**k, rel=5e-3)


def test_the_last_cut_is_the_parking_of_cars():
    """s = k v with a least volume: N = 0.7476 V/v_m in the end (Renyi)."""
    law = Scission(1.0, 1.0, 3.0, least_volume=1.0)
    cells = cells_above(1.0, 1e4, 400)
    start = np.zeros(400)
    start[-1] = 1.0
    end = break_up(law, cells, start, [1e12])[0]
    assert end.sum() / 1e4 == pytest.approx(PARKING, rel=2e-3)
    assert end[cells.pivots > 2.0].sum() < 1e-6 * end.sum()
    assert law.rate(2.0) == 0.0 and law.rate(2.001) > 0.0


def test_cells_converge_with_second_order():
    errors = []
    for count in (100, 200, 400):
        cells = Cells(np.geomspace(1e-6, 200.0, count + 1))
        found = break_up(RANDOM, cells, smooth(cells, lambda v: np.exp(-v)), [9.0])[0]
        exact = smooth(cells, lambda v: 100.0 * np.exp(-10.0 * v))
        errors.append(np.abs(found - exact).sum() / exact.sum())
    assert np.all(np.log2(np.array(errors[:-1]) / errors[1:]) > 1.8)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("power", "alpha", "time", "each"),
    [(1.0, 3.0, 2e-3, 20), (1.0, 1.0, 0.1, 50), (3.0, 1.5, 0.05, 20), (0.6, 1.0, 50.0, 1)],
)
def test_crystals_one_by_one_say_the_same(power, alpha, time, each):
    law = Scission(1.0, 1.0, alpha, "binary", power, 1.0)
    cells = cells_above(1.0, 3e4, 300)
    start = np.zeros(300)
    start[-1] = 1.0
    found = break_up(law, cells, start, [time])[0]
    edge = np.cbrt(cells.pivots)
    exact = np.array([found @ edge**k for k in range(4)])
    rng = np.random.default_rng(7)
    batches = []
    for _ in range(20):
        there = break_one_by_one(law, np.full(each, 3e4), time, rng).at(time)
        assert there.sum() == pytest.approx(each * 3e4, rel=1e-10)
        batches.append([np.sum(np.cbrt(there) ** k) / each for k in range(4)])
    counted = np.mean(batches, axis=0)
    # 4.5 standard errors of 20 batches, and 0.5 % for the cells
    error = np.std(batches, axis=0, ddof=1) / np.sqrt(20)
    assert np.all(np.abs(counted - exact) < 4.5 * error + 5e-3 * exact)
    assert np.all(error[:2] < 0.03 * exact[:2])


laws = st.builds(
    Scission,
    st.floats(1e-3, 10.0),
    st.floats(0.1, 10.0),
    st.floats(0.5, 4.0),
    st.just("binary"),
    st.floats(0.5, 8.0),
    st.floats(0.01, 2.0),
) | st.builds(
    Scission,
    st.floats(1e-3, 10.0),
    st.floats(0.1, 10.0),
    st.floats(0.5, 4.0),
    st.just("power-law"),
    st.floats(-0.9, 0.0),
    st.floats(0.01, 2.0),
)


@settings(max_examples=40, deadline=None)
@given(laws, st.lists(st.floats(0.0, 1.0), min_size=60, max_size=60), st.floats(0.0, 1e4))
def test_volume_and_pieces_are_kept_and_nothing_falls_below_the_least(law, numbers, time):
    cells = cells_above(law.least_volume, 1e4, 60)
    matrix, volume = scission_matrix(law, cells), cells.pivots
    lost = law.rate(volume)
    assert np.all(np.abs(volume @ matrix) <= 1e-12 * lost * volume)
    off = matrix - np.diag(np.diag(matrix))
    assert np.all(off >= -1e-12 * off.max())
    born = matrix.sum(axis=0)
    assert np.all(born >= lost * (1 - 1e-9))
    if law.daughter == "binary":  # two for one
        assert np.allclose(born, lost, rtol=1e-9, atol=1e-12 * lost.max())
    start = np.array(numbers)
    found = break_up(law, cells, start, [time])[0]
    assert found.sum() >= start.sum() * (1 - 1e-9)
    assert found @ volume == pytest.approx(start @ volume, rel=1e-10)


@settings(max_examples=15, deadline=None)
@given(laws, st.floats(1e-3, 1e3))
def test_the_contour_is_the_exponential_of_the_matrix(law, time):
    cells = cells_above(law.least_volume, 1e3, 40)
    start = np.zeros(40)
    start[[10, 39]] = 1.0, 3.0
    exact = expm(time * scission_matrix(law, cells)) @ start
    found = break_up(law, cells, start, [time])[0]
    assert np.abs(found - exact).sum() < 1e-6 * exact.sum()


def test_equal_rates_are_refused_rather_than_solved_badly():
    law = Scission(1.0, 1.0, 0.0, least_volume=0.01)
    cells = cells_above(0.01, 1e6, 80)
    start = np.zeros(80)
    start[-1] = 1.0
    with pytest.raises(ConvergenceError, match="uncertain"):
        break_up(law, cells, start, [30.0])


def test_wrong_laws_are_told_at_once():
    with pytest.raises(OptionError) as caught:
        Scission(-1.0, 0.0, 9.0, "halves", 1.0, -1.0)
    assert len(caught.value.problems) == 5
    with pytest.raises(OptionError, match="above -1"):
        Scission(1.0, 1.0, 1.0, "power-law", 0.5)
    with pytest.raises(OptionError, match="above 0"):
        Scission(1.0, 1.0, 1.0, "binary", 0.0)


@pytest.mark.slow
def test_what_does_not_fit_is_refused():
    cells = cells_above(1.0, 100.0, 20)
    with pytest.raises(OptionError, match="do not fit"):
        break_up(RANDOM, cells, np.ones(3), [1.0])
    with pytest.raises(OptionError, match="times"):
        break_up(RANDOM, cells, np.ones(20), [-1.0])
    with pytest.raises(OptionError, match="below all cells"):
        break_up(Scission(1.0, 1.0, 1.0, least_volume=0.5), cells, np.ones(20), [1.0])
    with pytest.raises(OptionError, match="do not lie"):
        cells.shared([1000.0], [1.0])
    with pytest.raises(OptionError, match="do not rise"):
        Cells([1.0, 3.0, 2.0])
    with pytest.raises(OptionError, match="2 least"):
        cells_above(1.0, 1.5, 30)
    rng = np.random.default_rng(1)
    with pytest.raises(OptionError, match="in two"):
        break_one_by_one(Scission(1.0, 1.0, 1.0, "power-law", -0.5), [1.0], 1.0, rng)
    with pytest.raises(ModelRangeError, match="more than"):
        break_one_by_one(RANDOM, np.full(20_000_001, 1.0), 1.0, rng)
