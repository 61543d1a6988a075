"""Kinetic cases: what a file may say, what is refused, and the two engines behind one call."""

import json

import numpy as np
import pytest

from perolux.errors import InputError, OptionError
from perolux.files import example_path
from perolux.synthesis.kinetic_case import grow_case, kinetic_case, read_kinetic_case

PARAMETERS = json.loads((example_path("kinetic_cases") / "batch.json").read_text())["parameters"]


def test_the_shipped_case_is_read_and_grown():
    case = read_kinetic_case(example_path("kinetic_cases") / "batch.json")
    history = grow_case(case, [60.0])
    assert history.number_per_m3[0] == pytest.approx(2.8794e21, rel=3e-3)
    assert not history.warnings


def test_all_problems_of_a_case_are_told_at_once():
    wrong = PARAMETERS | {"T_K": "warm", "D_m2_s": -1.0, "shape": "star", "typo": 1.0}
    del wrong["vm_m3"]
    with pytest.raises(InputError) as caught:
        kinetic_case({"parameters": wrong})
    text = str(caught.value)
    for part in ("vm_m3 is missing", "T_K = 'warm'", "D_m2_s = -1.0", "shape = 'star'", "typo"):
        assert part in text


@pytest.mark.parametrize("content", [[], {}, {"parameters": 3}, {"parameters": {"gamma_J_m2": float("nan")}}])
def test_what_is_no_case_is_refused(content):
    with pytest.raises(InputError):
        kinetic_case(content)


def test_a_file_that_is_no_json_is_refused(tmp_path):
    path = tmp_path / "case.json"
    path.write_text("{")
    with pytest.raises(InputError, match="no JSON"):
        read_kinetic_case(path)
    with pytest.raises(InputError, match="could not read"):
        read_kinetic_case(tmp_path / "none.json")


@pytest.mark.parametrize(("c0", "words"), [(0.005, "not above 1.02"), (0.02, "barrier is too high")])
def test_it_says_why_nothing_nucleates(c0, words):
    history = grow_case(kinetic_case({"parameters": PARAMETERS | {"c0_mol_m3": c0}}), [10.0, 100.0])
    assert words in history.warnings[0]
    assert np.all(history.number_per_m3 == 0)


@pytest.mark.slow
def test_the_second_engine_comes_near_the_first():
    case = kinetic_case({"parameters": PARAMETERS})
    one, two = (grow_case(case, [60.0, 600.0], engine=name) for name in ("cohorts", "finite-volume"))
    assert two.engine == "finite volume"
    assert two.number_per_m3 == pytest.approx(one.number_per_m3, rel=0.02)
    assert two.mean_radius_m == pytest.approx(one.mean_radius_m, rel=0.01)
    with pytest.raises(OptionError, match="tolerance"):
        grow_case(case, [1.0], engine="finite-volume", tolerance=1e-3)
    with pytest.raises(OptionError, match="engine"):
        grow_case(case, [1.0], engine="magic")
