"""A display's file: what a wrong one is told (what, where, allowed, how to mend it)."""

from __future__ import annotations

import copy
import tomllib

import pytest

from perolux.display.stack_file import FilmStack, read_stack, stack_of, stack_schema
from perolux.errors import InputError
from perolux.files import example_path


def content(name="green_film"):
    return tomllib.loads((example_path("displays") / f"{name}.toml").read_text("utf-8"))


def refused(changed):
    with pytest.raises(InputError) as error:
        stack_of(changed, "mine.toml")
    return error.value


def changed(table, key, value, name="green_film"):
    one = copy.deepcopy(content(name))
    one[table][key] = value
    return one


@pytest.mark.parametrize(
    ("table", "key", "value", "what", "allowed", "fix"),
    [
        ("film", "thickness", "250", "has no unit", "100 um", "250 um"),
        ("film", "thickness", 250, "has no unit", "100 um", "250 um"),
        ("film", "thickness", "5 cm", "50000 um lies outside 0 to 10000 um", "100 um", "between"),
        ("film", "thickness", "5 kg", "cannot be turned into um", "100 um", "in um"),
        ("film", "thickness", "-5 um", "is not above 0", "100 um", None),
        ("film", "plqy", 90, "90 lies outside", "from 0, up to 1", "90 % is 0.9"),
        ("film", "plqy", "90 %", "is no number", "without quotes", "90 % is 0.9"),
        ("film", "plqy", "high", "is no number", "without quotes", None),
        ("film", "volume_fraction", 1.2, "1.2 lies outside", "from 0, up to 1", None),
        ("film", "thickness_um", "1 um", "is no key here", "thickness", "is thickness meant?"),
        ("film", "host_index", 0.8, "0.8 lies outside", "from 1, below 4", None),
        ("film", "memory", "none", "'none'", "redshift", None),
        ("backlight", "prism", 50, "50 lies outside", "from 0, up to 1", "50 % is 0.5"),
        ("optimise", "thickness_um", "50 um", "'50 um'", "two numbers", None),
        ("optimise", "designs", 2, "2 lies outside", "from 16", None),
    ],
)
def test_a_wrong_value_is_told(table, key, value, what, allowed, fix):
    problem = refused(changed(table, key, value)).problems[0]
    assert problem.where == f"mine.toml: {table}.{key}"
    assert what in problem.what and allowed in problem.allowed
    assert (problem.fix is None) if fix is None else (fix in problem.fix)


def test_filters_are_not_taken_in_silence():
    one = content()
    del one["panel"]["filters"]
    problem = refused(one).problems[0]
    assert "decide the gamut" in problem.what and "narrow-blue" in problem.allowed


def test_a_table_that_is_none_and_one_that_is_missing():
    one = content() | {"panel": 3}
    del one["film"]
    told = str(refused(one))
    assert "panel: 3 is no table" in told and "film: is missing" in told
    assert "is backlight meant?" in str(refused(content() | {"backligth": {}}))


def test_just_one_says_what_it_emits_and_how_much_is_in_it():
    assert "give just one" in str(refused(changed("film", "volume_fraction", 0.1)))
    assert "give just one" in str(refused(changed("film", "recipe", "x.toml")))


@pytest.mark.parametrize("edge", ["200 nm", "1 um"])
def test_the_edge_of_a_mirror_lies_in_the_visible(edge):
    assert "400 to 760 nm" in str(refused(changed("pixel", "mirror_edge", edge, "pixels")))


def test_toml_that_is_none(tmp_path):
    path = tmp_path / "display.toml"
    path.write_text('kind = "film"\nplqy = 0.9 0.8\n')
    with pytest.raises(InputError, match="line 2") as error:
        read_stack(path)
    assert error.value.problems[0].fix and error.value.problems[0].allowed


def test_the_schema_knows_every_kind_and_what_each_key_means():
    schema = stack_schema()
    assert set(schema["discriminator"]["mapping"]) == {"film", "converter", "led"}
    for name, table in schema["$defs"].items():
        for key, entry in table["properties"].items():
            plain = key == "kind" or "$ref" in entry or any("$ref" in one for one in entry.get("anyOf", ()))
            assert plain or entry.get("description"), (name, key)
    assert FilmStack.model_validate(content()).film.thickness == 250.0
