"""`perolux burst`: its contract in JSON, its tables, and what it refuses."""

import json

import pytest

from perolux.cli.app import run


@pytest.fixture
def pair(tmp_path):
    def make(**changes):
        path = tmp_path / "pair.json"
        whole = {
            "positions_nm": [[0, 0, 0], [12.5, 0, 0]],
            "unit_dipoles": [[0, 0, 1], [0, 0, 1]],
            "refractive_index": 1.0,
            "vacuum_wavelength_nm": 530.0,
            "times_over_inverse_Gamma": [0.0, 0.1, 0.25, 0.5],
        }
        path.write_text(json.dumps(whole | changes))
        return str(path)

    return make


def answer(capsys, *arguments):
    assert run(["burst", *arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_pair(capsys, pair):
    found = answer(capsys, pair())
    assert found["method"] == "exact" and found["emitters"] == 2 and found["name"] == "pair"
    rates = [row["photon_rate_over_Gamma"] for row in found["rows"]]
    # closed form of two emitters, independent of the shift
    assert rates == pytest.approx([2.0, 1.96359201446, 1.81726921222, 1.46910371596], abs=1e-8)
    assert found["g2_zero"] == pytest.approx((1 + 0.99561320758**2) / 2)
    assert found["peak"] == {"Gamma_t": 0.0, "photon_rate_over_Gamma": pytest.approx(2.0)}


@pytest.mark.slow
def test_bracket(capsys, pair):
    found = answer(capsys, pair(), "--method", "bracket", "--trajectories", "50")
    assert all(row["photon_rate_over_Gamma"] is None and row["low"] <= row["high"] for row in found["rows"])
    assert run(["burst", pair(), "--method", "bracket", "--trajectories", "50"]) == 0
    assert "low" in capsys.readouterr().out


def test_seed(capsys, pair):
    options = (pair(), "--method", "trajectories", "--trajectories", "20", "--seed", "3")
    assert answer(capsys, *options) == answer(capsys, *options)


def test_dicke(capsys):
    found = answer(capsys, "dicke", "--n", "10")
    assert found["i_peak_over_Gamma"] == pytest.approx(22.7591, abs=1e-4)
    assert found["g2_zero"] == pytest.approx(1.8) and found["sigma"] == 0.0
    near = answer(capsys, "dicke", "--n", "10", "--method", "wigner", "--trajectories", "2000")
    exact = near["exact_i_peak_over_Gamma"]
    assert near["i_peak_over_Gamma"] == pytest.approx(exact, abs=0.015 * exact + 3 * near["sigma"])
    assert run(["burst", "dicke", "--n", "10"]) == 0
    assert "22.759" in capsys.readouterr().out
    broad = answer(capsys, "dicke", "--n", "10", "--dephasing", "2", "--loss", "0.5")
    assert 10.0 < broad["i_peak_over_Gamma"] < 22.0


def test_refusals(capsys, pair):
    for arguments in (["burst", pair(), "--method", "magic"], ["burst", pair(refractive_index=0.1)],
                      ["burst", "dicke", "--n", "0"], ["burst", "dicke", "--n", "3", "--method", "x"],
                      ["burst", "dicke", "--n", "3", "--method", "wigner", "--loss", "1"],
                      ["burst", "dicke", "--n", "3", "--loss", "-1"]):  # fmt: skip
        assert run(arguments) == 2
        assert capsys.readouterr().err
        assert run([*arguments, "--json"]) == 2
        assert json.loads(capsys.readouterr().out)["error"]
