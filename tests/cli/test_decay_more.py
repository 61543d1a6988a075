"""`perolux decay` with a distribution, dark counts, several files; and what a user can get wrong there."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from perolux.cli.app import run
from perolux.photons.decay_models import exponential_columns
from perolux.photons.instrument_response import GaussianResponse

FIT = ["--irf", "gaussian:0.2,3", "--period", "50", "--models", "2"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("decays"), np.random.default_rng(1)
    columns, _, _ = exponential_columns([1.0, 8.0], 200, 0.25, GaussianResponse(0.2, 3.0), period_ns=50.0)
    found = []
    for i, area in enumerate(([27000, 6000], [3000, 48000])):
        counts = rng.poisson(columns @ area + 4.0)
        path = folder / f"curve{i}.csv"
        path.write_text(
            "time (ns),counts\n" + "\n".join(f"{j * 0.25:.2f},{n}" for j, n in enumerate(counts)) + "\n"
        )
        found.append(str(path))
    return found


def test_distribution_as_json_and_csv(files, tmp_path, capsys):
    out = tmp_path / "distribution.csv"
    more = ["--distribution", "--resamples", "20", "--grid", "0.25,50,40", "--out", str(out), "--json"]
    assert run(["decay", files[0], *FIT, *more]) == 0
    found = json.loads(capsys.readouterr().out)["distribution"]
    assert len(found["tau_ns"]) == 40 and found["chosen"] == "entropy" and found["resamples"] == 20
    for one in found["methods"].values():
        photons = np.array(one["photons"])
        # 33000 photons a period
        assert photons.sum() == pytest.approx(33000, rel=0.03)
        assert one["moments"]["average_amplitude_ns"]["value"] == pytest.approx(1.19, rel=0.05)
    assert [round(peak["tau_ns"]) for peak in found["methods"]["entropy"]["peaks"]] == [1, 8]
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert len(rows) == 40 and set(rows[0]) >= {
        "tau_ns",
        "likelihood_photons",
        "entropy_low",
        "curvature_high",
    }
    assert [float(row["entropy_photons"]) for row in rows] == pytest.approx(
        found["methods"]["entropy"]["photons"], rel=1e-6
    )


def test_distribution_as_a_table_and_pictures(files, tmp_path, capsys):
    for name in ("a.svg", "a.html"):
        out = str(tmp_path / name)
        assert run(["decay", files[0], *FIT, "--distribution", "--resamples", "0", "--out", out]) == 0
        shown = capsys.readouterr().out
        assert "distribution of lifetimes" in shown and "few spikes" in shown and "no intervals" in shown
        assert "greatest entropy" in (tmp_path / name).read_text()


def test_without_it_nothing_changes(files, capsys):
    assert run(["decay", files[0], *FIT, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["distribution"] is None and found["background"]["dark"] is None


def test_dark_counts(files, capsys):
    # 4 counts per bin of 0.25 ns over 16 s at 20 MHz: 50 counts/s
    rate = ["--dark-cps", "50", "--dark-sigma", "0.5", "--live-time", "16"]
    assert run(["decay", files[0], *FIT, "--json"]) == 0
    free = json.loads(capsys.readouterr().out)
    assert run(["decay", files[0], *FIT, *rate, "--json"]) == 0
    held = json.loads(capsys.readouterr().out)
    assert held["background"]["dark"]["counts_per_bin"] == pytest.approx(4.0)
    assert not held["background"]["dark"]["contradicts"] and held["background"]["free"]
    widths = [one["lifetimes_ns"][1]["high"] - one["lifetimes_ns"][1]["low"] for one in (held, free)]
    assert widths[0] < widths[1]
    assert run(["decay", files[0], *FIT, *rate]) == 0
    assert "50 ± 0.5 dark counts/s" in capsys.readouterr().out.replace("\n", " ")
    wrong = ["--dark-cps", "90", "--dark-time", "1000", "--pulses", "3.2e8", "--json"]
    assert run(["decay", files[0], *FIT, *wrong]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["background"]["dark"]["contradiction_sigmas"] < -3
    assert any("contradicts the dark counts" in text for text in found["warnings"])


def test_shared_lifetimes(files, capsys):
    assert run(["decay", *files, *FIT, "--shared", "lifetimes", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["sharing_supported"] and len(found["curves"]) == 2
    assert [round(one["value"]) for one in found["shared_lifetimes_ns"]] == [1, 8]
    assert run(["decay", *files, *FIT, "--shared", "lifetimes"]) == 0
    shown = capsys.readouterr().out
    assert "sharing is supported" in shown and "curve0" in shown and "curve1" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--dark-cps", "70"], "--live-time"),
        (["--dark-cps", "70", "--pulses", "1e8"], "--dark-sigma"),
        (["--dark-cps", "70", "--dark-sigma", "1", "--pulses", "1e8", "--background", "3"], "--background"),
        (["--dark-sigma", "2", "--live-time", "3"], "add --dark-cps"),
        (["--grid", "1,2,30"], "add --distribution"),
        (["--distribution", "--grid", "1,2"], "no grid"),
        (["--distribution", "--grid", "1e-9,2,60"], "rising"),
        (["--distribution", "--resamples", "3"], "20 to 2000"),
        (["--out", "x.csv"], "needs --distribution"),
        (["SECOND"], "--shared lifetimes"),
        (["--shared", "lifetimes"], "add the other curves"),
        (["SECOND", "--shared", "everything"], "nothing to share"),
        (["SECOND", "--shared", "lifetimes", "--distribution"], "one file only"),
        (["SECOND", "--shared", "lifetimes", "--models", "gamma"], "1 to 4"),
    ],
)
def test_wrong_options_are_named(arguments, said, files, capsys):
    given = [files[1] if word == "SECOND" else word for word in arguments]
    assert run(["decay", files[0], *given]) == 2
    assert said in capsys.readouterr().err
