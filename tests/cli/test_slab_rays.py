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


def test_two_fluxes_tell_what_the_calibration_leaves(capsys):
    quick = [*FILM, "--scatter-depth", "2", "--method", "two-flux"]
    assert run([*quick, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    for name, target in (("t_em", 0.353), ("r_em", 0.490), ("loss", 0.085)):
        assert found[name] == pytest.approx(target, abs=2.5 * found["sigma"][name] + 0.004)
    assert found["sigma"]["emissions_per_photon"] is None
    assert run(quick) == 0
    assert "calibration leaves" in " ".join(capsys.readouterr().out.split())


def test_two_fluxes_are_refused_where_they_do_not_apply(capsys):
    assert run([*FILM, "--method", "two-flux", "--json"]) == 2
    text = capsys.readouterr().out
    assert "scattering depth 0" in text and "monte-carlo" in text


def test_two_fluxes_of_the_textbook_have_no_error(capsys):
    assert run([*FILM, "--method", "two-flux-textbook", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found["sigma"].values()) == {None} and "not known" in found["sigma_is"]


def test_anisotropy(capsys):
    assert run([*FILM, "--scatter-depth", "2", "--anisotropy", "0.7", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["phase_function"] == "Henyey-Greenstein, g = 0.7"
    assert found["t_em"] == pytest.approx(0.409, abs=max(0.004, 3.0 * found["sigma"]["t_em"]))
    assert run([*FILM, "--anisotropy", "1.2"]) == 2
