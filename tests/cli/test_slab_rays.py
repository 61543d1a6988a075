"""`perolux slab` by Monte Carlo: table, --json, errors."""

from __future__ import annotations

import json

import pytest

from perolux.cli.app import run

FILM = ["slab", "--n", "1.6", "--optical-depth", "4.605", "--plqy", "0.95"]


def test_with_scatterers_photons_are_counted(capsys):
    assert run([*FILM, "--scatter-depth", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["method"] == "monte-carlo" and found["phase_function"] == "isotropic"
    for name, target in (("t_em", 0.353), ("r_em", 0.490), ("loss", 0.085)):
        assert found[name] == pytest.approx(target, abs=max(0.004, 3.0 * found["sigma"][name]))
    assert found["balance"] == pytest.approx(0.0, abs=1e-9)
    assert found["terminated"] == 0 and found["rays"] == 100_000
    assert run([*FILM, "--scatter-depth", "2", "--rays", "2000"]) == 0
    assert "standard error of the count" in " ".join(capsys.readouterr().out.split())


def test_no_photons_are_refused(capsys):
    assert run([*FILM, "--method", "monte-carlo", "--rays", "0", "--json"]) == 2
    assert "0 photons" in capsys.readouterr().out
