"""`perolux decay`: the shipped dot, pictures, and what a user can get wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest

from perolux.cli.app import run
from perolux.files import example_path

DOT = str(example_path("single_dot") / "corr_unseg.txt")


def test_the_dot_as_json(capsys):
    assert run(["decay", DOT, "--models", "2,3", "--start", "0.1", "--exclude", "26.4,26.6", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["model"] == "3" and found["reduced_deviance"] < 4
    assert [one["model"] for one in found["model_comparison"]] == ["2", "3"]
    assert all(one["low"] < one["value"] < one["high"] for one in found["lifetimes_ns"])
    assert len(found["amplitudes"]) == 3 and found["background"]["free"]
    assert found["counts"] == pytest.approx(found["counts_of_model"], rel=1e-9)
    assert any("had not converged" in text for text in found["warnings"])
    assert found["pile_up"]["photons_per_pulse"] is None and "reason" in found["pile_up"]
    assert found["average_lifetime_amplitude_weighted_ns"] < found["average_lifetime_intensity_weighted_ns"]


def test_the_table_says_which_average(capsys):
    assert run(["decay", DOT, "--models", "2", "--period", "100", "--pulses", "6e8"]) == 0
    shown = capsys.readouterr().out
    assert "weighted by amplitude" in shown and "weighted by intensity" in shown
    assert "photons per pulse 0.00591" in shown and "It is not used" in shown


@pytest.mark.slow
def test_pictures_are_written_once(tmp_path, capsys):
    for name in ("a.svg", "a.html"):
        path = tmp_path / name
        assert run(["decay", DOT, "--models", "2", "--out", str(path), "--json"]) == 0
        text = path.read_text()
        assert "<svg" in text and ("residual" in text or name.endswith("svg"))
        assert run(["decay", DOT, "--models", "2", "--out", str(path), "--json"]) == 2
    assert "http://" not in (tmp_path / "a.html").read_text().replace("http://www.w3.org", "").replace(
        "http://purl.org", ""
    ).replace("http://creativecommons.org", "")
    capsys.readouterr()


def test_a_response_and_an_incomplete_decay(tmp_path, capsys):
    from perolux.photons.decay_models import exponential_columns
    from perolux.photons.instrument_response import GaussianResponse

    column, _, _ = exponential_columns([30.0], 500, 0.2, GaussianResponse(0.3, 10.0), period_ns=100.0)
    rows = [f"{0.2 * i:.1f},{round(1e6 * p)}" for i, p in enumerate(column[:, 0])]
    path = tmp_path / "decay.csv"
    path.write_text("time (ns),counts\n" + "\n".join(rows) + "\n")
    arguments = ["decay", str(path), "--irf", "gaussian:0.3,10", "--models", "1", "--period", "100", "--json"]
    assert run(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["lifetimes_ns"][0]["value"] == pytest.approx(30.0, rel=0.005)
    assert any("earlier pulses" in text for text in found["warnings"])
    assert abs(found["shift_ns"]["value"]) < 0.02


def test_an_empty_end_is_said(tmp_path, capsys):
    t = np.arange(400) * 0.1
    counts = np.where(t < 25, np.rint(2000 * np.exp(-t / 3) + 4), 0).astype(int)
    path = tmp_path / "long.csv"
    path.write_text("time (ns),counts\n" + "\n".join(f"{a:.1f},{b}" for a, b in zip(t, counts, strict=True)))
    assert run(["decay", str(path), "--models", "1", "--json"]) == 0
    assert any("bins hold no photon" in text for text in json.loads(capsys.readouterr().out)["warnings"])
    assert run(["decay", str(path), "--models", "1", "--period", "25", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert any("longer than the period" in text for text in found["warnings"])
    assert found["background"]["counts_per_bin"] == pytest.approx(4.0, rel=0.05)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--exclude", "5"], "no range"),
        (["--exclude", "200,300"], "no bin begins"),
        (["--models", "1,two"], "no such model"),
        (["--period", "50"], "longer than the period"),
        (["--irf", "gaussian:a"], "no Gaussian"),
        (["--irf", "nowhere.csv"], "nowhere.csv"),
        (["--irf", "gaussian:0.1,500"], "after the end"),
        (["--fixed-shift"], "without a response"),
        (["--correct-pile-up"], "--pulses"),
        (["--pulses", "100"], "more pulses than photons"),
        (["--start", "50", "--stop", "40"], "empty"),
        (["--background", "-1"], "background"),
        (["--out", "x.png"], ".svg"),
    ],
)
def test_wrong_options_are_named(arguments, said, capsys):
    assert run(["decay", DOT, *arguments]) == 2
    assert said in capsys.readouterr().err
