"""Cases of `perolux burst`: what is read, and everything wrong told at once."""

import json

import numpy as np
import pytest

from perolux.collective.case import case_of, read_case
from perolux.errors import InputError


def content(**changes):
    whole = {
        "positions_nm": [[0, 0, 0], [12.5, 0, 0]],
        "unit_dipoles": [[0, 0, 1], [0, 0, 1]],
        "refractive_index": 1.0,
        "vacuum_wavelength_nm": 530.0,
        "times_over_inverse_Gamma": [0.0, 0.5, 1.0],
    }
    return {key: value for key, value in (whole | changes).items() if value is not None}


def test_read(tmp_path):
    path = tmp_path / "pair.json"
    path.write_text(json.dumps(content(name="pair", initial_state="listed", excited_emitters=[1])))
    case = read_case(path)
    assert case.name == "pair" and list(case.excited) == [1] and case.screening == 1.0
    assert len(case.emitters) == 2 and list(case.times) == [0.0, 0.5, 1.0]
    assert case.dephasing == case.loss == 0.0 and not np.any(case.emitters.detuning)


def test_all_at_once():
    with pytest.raises(InputError) as caught:
        case_of(
            content(
                surprise=1, refractive_index=None, detunings_over_Gamma=[1.0],
                pure_dephasing_rate_over_Gamma_per_emitter=-1.0, times_over_inverse_Gamma=[1.0, 0.5],
            )
        )  # fmt: skip
    told = str(caught.value)
    for word in ("surprise", "refractive_index is missing", "detunings_over_Gamma has the shape", "is -1",
                 "do not rise"):  # fmt: skip
        assert word in told


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"initial_state": "hot"}, "hot"),
        ({"initial_state": "listed"}, "no list"),
        ({"initial_state": "listed", "excited_emitters": [0, 2]}, "0 to 1"),
        ({"initial_state": "listed", "excited_emitters": [0, 0]}, "twice"),
        ({"initial_state": "listed", "excited_emitters": [True]}, "whole numbers"),
        ({"excited_emitters": [0]}, "without initial_state"),
        ({"positions_nm": [[0, 0], [1, 1]]}, "shape"),
        ({"positions_nm": "here"}, "else than numbers"),
        ({"times_over_inverse_Gamma": [0.0, float("inf")]}, "finite"),
        ({"nonradiative_rate_over_Gamma": -0.5}, "-0.5"),
        # numpy would take these for numbers
        ({"refractive_index": "1.5"}, "else than numbers"),
        ({"refractive_index": True}, "else than numbers"),
        ({"unit_dipoles": [["0", "0", "1"], [0, 0, 1]]}, "else than numbers"),
        ({"times_over_inverse_Gamma": [0, 10**400]}, "else than numbers"),
        # um, or eV
        ({"vacuum_wavelength_nm": 0.53}, "neither um nor eV"),
        ({"vacuum_wavelength_nm": 2.34}, "neither um nor eV"),
        ({"refractive_indx": 1.0}, "did you mean 'refractive_index'"),
    ],
)
def test_wrong(changes, word):
    with pytest.raises(InputError, match=word):
        case_of(content(**changes))


def test_no_case(tmp_path):
    path = tmp_path / "bad.json"
    for text, word in (
        ("{", "not JSON"),
        ("[1]", "object"),
        (" ", "empty"),
        ('{"name": "a", "name": "b"}', "'name' stands twice"),
        ("[" * 100_000, "nested too deep"),
        ("9" * 5000, "not JSON"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=word) as caught:
            read_case(path)
        assert caught.value.problems[0].where == str(path)
