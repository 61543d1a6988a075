"""Size-selective precipitation: nothing is lost, limits of the step, designed cuts against a plain search."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.ensemble import Lognormal, Population, mix, quadrature, sample
from perolux.errors import ModelRangeError, OptionError
from perolux.surface import Precipitation, design_cuts, fractionate, precipitated_share

CUBES = Population("cube", "core-edge", "CsPbBr3", number_per_litre=1e17)
CRUDE = quadrature(Lognormal(10.0, 0.10), CUBES, n=100)

STEPS = st.lists(
    st.builds(
        Precipitation, st.floats(4.0, 20.0), st.sampled_from(["pellet", "supernatant"]), st.floats(0.5, 60.0)
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=50)
@given(STEPS)
def test_every_crystal_fed_is_in_one_fraction(steps):
    found = fractionate(CRUDE, steps)
    assert len(found.fractions) == len(steps) + 1
    assert sum(one.shares for one in found.fractions) == pytest.approx(np.ones(len(CRUDE)), abs=1e-14)
    assert max(found.balance().values()) < 1e-12
    for kind in ("yield_number", "yield_volume"):
        assert sum(getattr(one, kind) for one in found.fractions) == pytest.approx(1.0, abs=1e-13)
    number = sum(one.ensemble.number_per_litre for one in found.fractions if one.ensemble is not None)
    assert number == pytest.approx(1e17, rel=1e-12)


@given(st.floats(1.0, 50.0), st.floats(0.5, 60.0))
def test_larger_crystals_precipitate_sooner_and_half_at_the_cut(cut, steepness):
    shares = precipitated_share(cut * np.linspace(0.3, 3.0, 50), cut, steepness)
    assert np.all(np.diff(shares) >= 0) and np.all((shares >= 0) & (shares <= 1))
    assert float(precipitated_share(cut, cut, steepness)) == 0.5


def test_the_pellet_is_the_larger_part_and_both_are_narrower():
    pellet, rest = fractionate(CRUDE, [Precipitation(10.0, steepness=20.0)]).fractions
    assert pellet.mean_nm > CRUDE.mean() > rest.mean_nm
    assert pellet.cv < 0.1 and rest.cv < 0.1
    assert pellet.yield_volume > pellet.yield_number


def test_a_cut_far_away_takes_all_or_nothing():
    all_of_it = fractionate(CRUDE, [Precipitation(0.1, "pellet")]).kept
    assert all_of_it.yield_number == pytest.approx(1.0, abs=1e-12) and all_of_it.cv == pytest.approx(0.1)
    nothing = fractionate(CRUDE, [Precipitation(1e4, "pellet", 1e3)]).kept
    assert (nothing.yield_number, nothing.ensemble, nothing.mean_nm, nothing.cv) == (0.0, None, None, None)


def test_mixed_ensembles_and_unknown_numbers_pass_through():
    both = mix(
        [CRUDE, quadrature(Lognormal(8.0, 0.1), Population("sphere", "core-diameter", "CsPbI3"), n=20)],
        [0.5, 0.5],
    )
    found = fractionate(both.with_number_per_litre(None), [Precipitation(9.0)])
    assert found.kept.ensemble.number_per_litre is None and len(found.kept.ensemble) == len(both)


def test_rows_too_far_apart_are_said():
    coarse = quadrature(Lognormal(10.0, 0.10), CUBES, n=8)
    assert "more rows" in fractionate(coarse, [Precipitation(10.0, steepness=50.0)]).warnings[0]
    assert fractionate(CRUDE, [Precipitation(10.0)]).warnings == ()


def test_what_it_rests_on():
    keys = [value.key for value in fractionate(CRUDE, [Precipitation(10.0)]).rests_on]
    assert keys == ["prior.precipitation_exponent", "prior.precipitation_steepness"]
    assert len(fractionate(CRUDE, [Precipitation(10.0, steepness=3.0)]).rests_on) == 1


def test_designed_cuts_reach_the_spread_and_no_others_keep_more():
    found = design_cuts(CRUDE, 0.05, steepness=30.0, passes=1)
    assert found.run.kept.cv <= 0.05 and found.run.kept.cv == pytest.approx(0.05, rel=1e-3)
    assert found.chosen.yield_number == pytest.approx(found.run.kept.yield_number)
    best = 0.0
    for low in np.linspace(7.5, 10.5, 61):
        for high in np.linspace(9.0, 13.0, 81):
            edges, w = CRUDE.edge_a_nm, CRUDE.weights
            kept = (
                w
                / (1 + np.exp(-30 * ((edges / low) ** 2 - 1)))
                / (1 + np.exp(30 * ((edges / high) ** 2 - 1)))
            )
            mean = kept @ edges / kept.sum()
            if np.sqrt(kept @ (edges - mean) ** 2 / kept.sum()) / mean <= 0.05:
                best = max(best, kept.sum())
    assert best <= found.chosen.yield_number * (1 + 1e-3) and best > 0.97 * found.chosen.yield_number


@pytest.mark.slow
def test_a_sharper_separation_and_a_wider_aim_cost_less():
    yields = [design_cuts(CRUDE, 0.05, steepness=s).chosen.yield_number for s in (5.0, 10.0, 30.0)]
    assert yields == sorted(yields)
    aims = [design_cuts(CRUDE, cv, steepness=20.0, passes=1).chosen.yield_number for cv in (0.05, 0.06, 0.08)]
    assert aims == sorted(aims)
    # two infinitely sharp cuts are the bound
    assert yields[-1] < 0.61


def test_many_crystals_are_gathered():
    many = sample(Lognormal(10.0, 0.10), CUBES, 20_000, np.random.default_rng(3))
    found = design_cuts(many, 0.05, steepness=30.0, passes=1)
    few = design_cuts(CRUDE, 0.05, steepness=30.0, passes=1)
    assert found.run.kept.cv <= 0.05
    assert found.chosen.yield_number == pytest.approx(few.chosen.yield_number, rel=0.03)  # 20 000 draws


def test_nothing_is_done_where_nothing_is_needed():
    found = design_cuts(CRUDE, 0.12)
    assert found.run is None and found.chosen.passes == 0 and found.chosen.yield_number == 1.0


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: fractionate(CRUDE, []), OptionError, "one or more"),
        (lambda: fractionate(CRUDE, [9.0]), OptionError, "one or more"),
        (lambda: fractionate("CsPbBr3", [Precipitation(9.0)]), OptionError, "no Ensemble"),
        (lambda: fractionate(CRUDE, [Precipitation(-1.0), Precipitation(9, "gel")]), OptionError, "(?s)1.*2"),
        (lambda: fractionate(CRUDE, [Precipitation(9.0, steepness=0.0)]), OptionError, "steepness"),
        (lambda: precipitated_share([9.0], float("nan")), OptionError, "cut"),
        (lambda: precipitated_share([9.0, float("nan")], 9.0), OptionError, "above 0 nm"),
        (lambda: precipitated_share("large", 9.0), OptionError, "above 0 nm"),
        (lambda: fractionate(CRUDE, Precipitation(9.0)), OptionError, "one or more"),
        (lambda: design_cuts(CRUDE, 0.0), OptionError, "wanted cv"),
        (lambda: design_cuts(CRUDE, 0.05, passes=0), OptionError, "passes"),
        (lambda: design_cuts(CRUDE, 0.05, steepness=-3.0), OptionError, "steepness"),
        (lambda: design_cuts("x", 0.05), OptionError, "no Ensemble"),
        (lambda: design_cuts(CRUDE, 0.01, most_passes=1), ModelRangeError, "more passes"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said(call, error, says):
    with pytest.raises(error, match=says):
        call()
