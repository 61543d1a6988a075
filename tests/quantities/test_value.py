"""`Value`: what it refuses, what it says, its spread and its range."""

import json
import math

import pytest

from perolux.errors import ModelRangeError
from perolux.quantities import KINDS, Value


def value(**more):
    return Value(**{"number": 2.0, "unit": "eV", "kind": "read", "source": "somewhere", **more})


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"kind": "guessed"}, "kind 'guessed' is not one of"),
        ({"number": math.nan}, "must be finite"),
        ({"number": math.inf}, "must be finite"),
        ({"sigma": -1.0}, "sigma must be finite and not negative"),
        ({"sigma": math.nan}, "sigma must be finite and not negative"),
        ({"low": 1.0}, "needs both low and high"),
        ({"high": 3.0}, "needs both low and high"),
        ({"low": 2.1, "high": 3.0}, "outside its own range"),
        ({"low": 3.0, "high": 1.0}, "outside its own range"),
        ({"source": ""}, "every value needs a source"),
    ],
)
def test_refused(more, part):
    with pytest.raises(ValueError, match=part):
        value(**more)


@pytest.mark.parametrize("kind", KINDS)
def test_kinds(kind):
    assert value(kind=kind).kind == kind


def test_spread_is_sigma_or_that_of_the_range():
    assert value().spread == 0.0
    assert value(sigma=0.3).spread == 0.3
    assert value(low=1.0, high=3.0).spread == pytest.approx(2 / math.sqrt(12))
    assert value(low=1.0, high=3.0).is_range and not value(sigma=0.3).is_range


def test_check_of_the_valid_range():
    one = value(key="CsPbBr3.gap", valid=(("temperature_k", 2.0, 360.0),))
    one.check(temperature_k=2.0)
    one.check(temperature_k=360.0)
    one.check(edge_nm=1e9)  # says nothing about sizes
    with pytest.raises(ModelRangeError) as caught:
        one.check(temperature_k=400.0)
    problem = caught.value.problems[0]
    assert problem.where == "CsPbBr3.gap" and problem.allowed == "2 to 360" and "400" in problem.what


def test_text():
    assert str(value(key="a.b", sigma=0.1)) == "a.b = 2 ± 0.1 eV [read: somewhere]"
    assert str(value(unit="1", low=1.0, high=3.0)) == "1 to 3 [read: somewhere]"
    assert str(value()) == "2 eV [read: somewhere]"


def test_dictionary_is_json_with_nulls():
    content = json.loads(json.dumps(value(valid=(("temperature_k", 2, 360),)).as_dict(), allow_nan=False))
    assert content["value"] == 2.0 and content["sigma"] is None and content["low"] is None
    assert content["valid"] == {"temperature_k": [2, 360]}
    assert value().with_key("x.y").key == "x.y"
