"""Axes of a map: what their text means, which points they give, and what does not fit a recipe."""

import copy
import tomllib
from itertools import islice, pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perolux.errors import OptionError
from perolux.files import example_path
from perolux.studies.recipe_axes import Axis, Plan, numbers_in, parse_axis, plan_of, with_values
from perolux.synthesis.recipe import recipe_of

HOT = tomllib.loads((example_path("recipes") / "cspbbr3_hot_injection.toml").read_text())
HEAT = "vessel.temperature=140..200 degC:13"


def test_a_range_a_logarithm_and_a_list():
    heat = parse_axis(HEAT)
    assert [heat.value(k) for k in range(13)] == [140.0 + 5 * k for k in range(13)]
    assert heat.column == "vessel.temperature (degC)"
    rate = parse_axis("kinetics.surface_rate_m_s = 1e-8..1e-6 :3log")
    assert [rate.value(k) for k in range(3)] == [1e-8, 1e-7, 1e-6] and rate.column == rate.path
    listed = parse_axis("events.1.contents.1.volume=0.1, .4,2e-1 mL")
    assert [listed.value(k) for k in range(listed.points)] == [0.1, 0.4, 0.2] and listed.unit == "mL"


LOWS = st.floats(-1e6, 1e6)
WIDTHS = st.floats(1e-3, 1e6)


@given(LOWS, WIDTHS, st.integers(2, 40), st.booleans())
def test_values_rise_from_end_to_end_and_are_what_is_written(low, width, points, log):
    low = abs(low) + 1e-3 if log else low
    axis = parse_axis(f"vessel.temperature={low!r}..{low + width!r} degC:{points}{'log' if log else ''}")
    values = [axis.value(k) for k in range(points)]
    assert values[0] == low and values[-1] == low + width
    assert all(a <= b for a, b in pairwise(values))
    inner = values[1:-1]
    assert all(float(f"{value:.12g}") == value for value in inner)


@given(st.lists(st.integers(2, 5), min_size=1, max_size=4), st.integers(0, 700))
def test_a_grid_runs_through_all_its_points_and_can_begin_anywhere(lengths, start):
    axes = tuple(Axis(f"a{n}", "", (0.0, 1.0), length) for n, length in enumerate(lengths))
    plan = Plan(axes)
    points = list(plan.points())
    assert points == list(product(*([axis.value(k) for k in range(axis.points)] for axis in axes)))
    assert len(points) == len(plan) and list(plan.points(start)) == points[start:]


@given(st.integers(1, 4), st.integers(2, 300), st.integers(0, 300), st.integers(0, 5))
def test_a_sample_can_begin_anywhere(dimensions, count, start, seed):
    axes = tuple(Axis(f"a{n}", "", (-1.0, 3.0), None) for n in range(dimensions))
    plan = Plan(axes, count, seed)
    points = list(plan.points())
    assert len(points) == count and list(plan.points(start)) == points[start:]
    assert np.all((np.array(points) >= -1) & (np.array(points) <= 3))


def test_a_sample_is_balanced_in_each_axis():
    axes = (Axis("a", "", (1.0, 100.0), None, log=True), Axis("b", "", (1.0, 2.0, 4.0, 8.0), 4, listed=True))
    first, second = np.array(list(Plan(axes, 64, 3).points())).T
    assert np.sum(first < 10.0) == 32
    assert [int(np.sum(second == value)) for value in (1, 2, 4, 8)] == [16] * 4


def test_points_are_not_held_in_memory():
    plan = Plan((Axis("a", "", (0.0, 1.0), 1000), Axis("b", "", (0.0, 1.0), 1000)))
    assert list(islice(plan.points(999_999), 2)) == [(1.0, 1.0)]


def test_values_are_put_where_the_path_says_and_nowhere_else():
    before = copy.deepcopy(HOT)
    axes = [parse_axis(HEAT), parse_axis("events.1.contents.1.volume=0.1..1 mL:2")]
    axes.append(parse_axis("kinetics.mixing_time_s=0.1..1:2"))
    changed = with_values(HOT, axes, [150.0, 0.25, 0.5])
    recipe = recipe_of(changed)
    assert before == HOT
    assert recipe.vessel.temperature == pytest.approx(423.15)
    assert recipe.events[0].contents[0].volume == 0.25
    assert recipe.kinetics.mixing_time_s == 0.5
    changed["vessel"]["temperature"] = HOT["vessel"]["temperature"]
    changed["events"][0]["contents"][0]["volume"] = HOT["events"][0]["contents"][0]["volume"]
    del changed["kinetics"]["mixing_time_s"]
    assert changed == HOT


def test_a_constant_can_be_varied_that_the_recipe_does_not_give():
    content = {name: block for name, block in HOT.items() if name != "kinetics"}
    plan = plan_of(content, ["kinetics.surface_energy_j_m2=0.02..0.04:3"], None, None)
    assert recipe_of(with_values(content, plan.axes, [0.03])).kinetics.surface_energy_j_m2 == 0.03


def test_the_numbers_of_a_recipe():
    found = numbers_in(HOT)
    assert "vessel.temperature" in found and "events.2.to" in found and "kinetics.surface_rate_m_s" in found
    assert not {"name", "route", "events.1.kind", "vessel.contents.1.chemical"} & set(found)


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        ("vessel.temp=140..200 degC:13", r"no key[\s\S]*a number of this recipe: vessel.temperature"),
        ("events.3.at=0..1 s:3", r"events has 2 entries[\s\S]*1 to 2"),
        ("events.first.at=0..1 s:3", "events has 2 entries"),
        ("flask.temperature=1..2 K:3", "the recipe has no flask"),
        ("vessel=1..2:3", "holds several things"),
        ("vessel.temperature.x=1..2:3", "is a value"),
        ("name=1..2 mL:3", "no number of a recipe"),
        ("vessel.contents.1.chemical=1,2", "valid string"),
        ("vessel.contents.1.mass=1..2 mg:3", "one of amount, mass, volume"),
        ("vessel.temperature=140..200 mL:13", "cannot be turned into K"),
        ("vessel.temperature=140..200:13", "has no unit"),
        ("vessel.temperature=-300..200 degC:3", "below 0 K"),
        ("kinetics.surface_rate_m_s=1e-8..1e-6 m/s:3", "leave the unit out"),
        ("kinetics.surface_rate=1e-8..1e-6:3", "a constant: surface_energy_j_m2"),
        ("kinetics.surface_energy_j_m2=0.1..2:3", "less than 1"),
        ("observe.times.1=1..2 s:3", "vary observe.until"),
        ("vessel.temperature=200..140 degC:13", "write 140..200"),
        ("vessel.temperature=200..200 degC:13", "is empty"),
        ("vessel.temperature=1e999..2e999 degC:3", "is empty|cannot|neither"),
        ("vessel.temperature=0..200 degC:3log", "log from 0"),
        ("vessel.temperature=140..200 degC:1", "1 points"),
        ("vessel.temperature=140..200 degC:2000000", "2000000 points"),
        ("vessel.temperature=140..200 degC", "without its number of points"),
        ("vessel.temperature=140 degC", "does not vary"),
        ("vessel.temperature=140,140 degC", "does not vary"),
        ("vessel.temperature=hot", "neither a range nor a list"),
        ("vessel.temperature", "is no axis"),
        ("=1..2 mL:3", "is no axis"),
        ("", "is no axis"),
    ],
)
def test_axes_that_do_not_fit_are_refused(axis, words):
    with pytest.raises(OptionError, match=words):
        plan_of(HOT, [axis], None, None)


def test_all_faults_are_told_at_once():
    with pytest.raises(OptionError) as caught:
        plan_of(HOT, ["vessel.temperature=2..1 degC:3", "a.b=1..2:3", "events.1.at=1..2 mL:3"], None, 3)
    for words in ("is empty", "no a", "cannot be turned into s", "--seed"):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("vary", "sample", "seed", "words"),
    [
        ([], None, None, "nothing is varied"),
        ([HEAT, HEAT], None, None, "varied 2 times"),
        (
            ["vessel.temperature=1..2 K:2000", "events.1.at=0..1 s:2000"],
            None,
            None,
            r"4000000[\s\S]*--sample",
        ),
        ([HEAT], 1, None, "1 points"),
        ([HEAT], 1_000_001, None, "1000001 points"),
        ([HEAT], 8, -1, "no seed"),
    ],
)
def test_plans_that_make_no_sense_are_refused(vary, sample, seed, words):
    with pytest.raises(OptionError, match=words):
        plan_of(HOT, vary, sample, seed)
