"""Searches for displays: what a design is computed to be, fronts of several aims, what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perolux.design.converter_designs import evaluate_converters
from perolux.design.display_front import display_front, pareto_front
from perolux.design.display_searches import Job
from perolux.display.converter_display import run_converter
from perolux.display.led_display import run_led
from perolux.display.stack_file import stack_of
from perolux.errors import InputError, OptionError

PIXELS = {
    "kind": "converter",
    "source": {},
    "green": {"emission": "G530/22", "plqy": 0.9, "thickness": "4.5 um", "optical_density": 2.0},
    "red": {"emission": "G630/30", "plqy": 0.9, "thickness": "4.5 um", "optical_density": 2.0},
    "pixel": {"pitch": "45 um", "rays": 2000, "mirror": "short-pass"},
    "sigma_center_nm": 0.0,
    "sigma_fwhm_nm": 0.0,
}
LED = {"kind": "led", "led": {"emission": "G531/22", "plqy": 0.9, "voltage": "3.5 V"}}


def test_front_of_three_aims_is_that_of_the_definition():
    values = np.random.default_rng(0).normal(size=(200, 3))
    values[7] = np.nan
    beaten = [
        any(np.all(other >= one) and np.any(other > one) for other in values if np.isfinite(other[0]))
        for one in values
    ]
    plain = [k for k in range(200) if not beaten[k] and k != 7]
    assert sorted(pareto_front(values).tolist()) == plain


@pytest.mark.slow
def test_a_design_is_the_display(tmp_path):
    """Clear films: the display's numbers at the point that the file would give."""
    stack = stack_of(PIXELS | {"optimise": {"thickness_um": [4, 6], "green_optical_density": [1, 3]}})
    job = Job(stack, str(tmp_path), ("thickness_um", "green_optical_density"), "xy")
    found = evaluate_converters(job, np.array([[5.0, 2.4], [0.11, 3.0]]))
    there = {
        "green": PIXELS["green"] | {"thickness": "5 um", "optical_density": 2.4},
        "red": PIXELS["red"] | {"thickness": "5 um"},
    }
    whole = run_converter(stack_of(PIXELS | there), tmp_path)
    # 8 cells and 12 nodes in place of 48 and 32
    assert found[0, 0] == pytest.approx(100.0 * whole.gamut.gamuts["rec2020"]["xy"].coverage, abs=0.05)
    assert found[0, 1] == pytest.approx(whole.lm_per_electrical_w, rel=3e-3)
    assert found[0, 3] == pytest.approx(whole.green.film.lead.ppm, rel=1e-9)
    assert np.isnan(found[1]).all()  # OD 3 in 0.11 um cannot be packed
    again = evaluate_converters(replace(job, again=True), np.array([[5.0, 2.4]]))
    talk = max(whole.green.cross_talk, whole.red.cross_talk)
    assert again[0, 2] == pytest.approx(100.0 * talk, abs=5.0)  # 2000 photons: sigma below 1.5


def test_limits_leave_designs_out(tmp_path):
    stack = stack_of(PIXELS | {"optimise": {"thickness_um": [4, 6], "lead_max_ppm": 1000}})
    found = evaluate_converters(Job(stack, str(tmp_path), ("thickness_um",), "xy"), np.array([[5.0]]))
    assert np.isnan(found).all()


def test_search_of_an_led(tmp_path):
    stack = stack_of(LED | {"optimise": {"center_nm": [515, 540], "plqy": [0.5, 0.9]}})
    found = display_front(stack, tmp_path, designs=64, workers=1)
    best = found.rows()[-1]
    line = {"emission": f"G{best['center_nm']}/22", "plqy": best["plqy"], "voltage": "3.5 V"}
    whole = run_led(stack_of({"kind": "led", "led": line}), tmp_path)
    assert best["lm_per_electrical_w"] == pytest.approx(whole.lm_per_electrical_w, rel=1e-6)
    assert best["eqe_percent"] == pytest.approx(100.0 * whole.chain.eqe)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (PIXELS, "optimise"),
        (PIXELS | {"optimise": {}}, "no range"),
        (PIXELS | {"optimise": {"thickness_um": [1, 5], "red_thickness_um": [1, 5]}}, "both films"),
        (PIXELS | {"optimise": {"pitch_um": [1, 50]}}, "5 to"),
        (LED | {"optimise": {"index": [1.5, 9]}}, "4"),
        ({"kind": "led", "led": {"emission": "G531/22", "plqy": 1}, "optimise": {"plqy": [0, 1]}}, "voltage"),
    ],
)
def test_refused(tmp_path, content, match):
    with pytest.raises((InputError, OptionError), match=match):
        display_front(stack_of(content), tmp_path, designs=16, workers=1)
