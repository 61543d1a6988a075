"""The error tree: every problem is kept, printed and given as a dictionary."""

import json

import pytest

from perolux import errors
from perolux.errors import InputError, PeroluxError, Problem


def test_one_problem_from_text():
    error = InputError("bad cell", where="a.csv, row 3", allowed="a number", fix="mend row 3")
    assert error.problems == (Problem("bad cell", "a.csv, row 3", "a number", "mend row 3"),)
    assert str(error) == "a.csv, row 3: bad cell\n  allowed: a number\n  fix: mend row 3"
    assert str(InputError("bad")) == "bad"


def test_many_problems_are_raised_together():
    error = InputError(Problem(f"fault {i}") for i in range(3))
    assert [p.what for p in error.problems] == ["fault 0", "fault 1", "fault 2"]
    assert str(error).splitlines() == ["fault 0", "fault 1", "fault 2"]
    assert InputError(Problem("single")).problems == (Problem("single"),)


def test_no_problem_is_no_error():
    with pytest.raises(ValueError, match="at least one problem"):
        InputError([])


def test_as_dict_is_json():
    text = json.dumps(errors.ModelRangeError("too hot", where="gap").as_dict())
    assert json.loads(text) == {
        "type": "ModelRangeError",
        "problems": [{"what": "too hot", "where": "gap", "allowed": None, "fix": None}],
    }


@pytest.mark.parametrize("name", [n for n in errors.__all__ if n.endswith("Error")])
def test_every_error_is_caught_by_the_base(name):
    with pytest.raises(PeroluxError):
        raise getattr(errors, name)("x")
