"""`perolux exciton MATERIAL`: the JSON contract, sizes in every convention, and what is refused."""

from __future__ import annotations

import json

import pytest

from perolux.cli.app import run

SPREAD = {"sets", "median", "low95", "high95"}
KEYS = {
    "emission_ev", "absorption_ev", "overlap_k", "radiative_lifetime_ns", "bright_dark_mev",
    "bright_splittings_mev", "cross_section_cm2", "homogeneous_fwhm_mev", "biexciton_shift_mev",
    "trion_shift_mev", "coherence_volume_nm3", "warnings",
}  # fmt: skip


def answer(capsys, *arguments):
    code = run(["exciton", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_the_contract_of_one_nanocrystal(capsys):
    code, found = answer(capsys, "CsPbBr3", "--shape", "cube", "--edge", "8", "--temperature", "300")
    assert code == 0 and set(found) >= KEYS
    assert set(found["emission_ev"]) == SPREAD
    assert set(found["emission_ev"]["sets"]) == {"pssrrl2023", "yang2017"}
    assert len(found["absorption_ev"]) == 4
    for line in found["absorption_ev"]:
        assert set(line) == {"name", "energy_ev", "oscillator_strength"} and set(line["energy_ev"]) == SPREAD
    energies = [line["energy_ev"]["median"] for line in found["absorption_ev"]]
    assert energies == sorted(energies)
    assert set(found["cross_section_cm2"]) == {"335", "400", "450"}
    assert len(found["bright_splittings_mev"]) == 2
    assert isinstance(found["warnings"], list)


def test_several_sizes_are_an_array(capsys):
    code, found = answer(capsys, "CsPbBr3", "--edge", "6", "--edge", "10")
    assert code == 0 and [one["lengths_nm"][0] for one in found] == [6.0, 10.0]
    assert found[0]["emission_ev"]["median"] > found[1]["emission_ev"]["median"]


@pytest.mark.parametrize(
    ("options", "shape", "lengths"),
    [
        (["--edge", "7,8,10"], "cuboid", [7.0, 8.0, 10.0]),
        (["--tem-edge", "7.415"], "cube", [8.0, 8.0, 8.0]),
        (["--diameter", "6"], "sphere", [6.0, 6.0, 6.0]),
        (["--diameter", "5", "--length", "15"], "rod", [5.0, 5.0, 15.0]),
        (["--shape", "spheroid", "--diameter", "6", "--length", "8"], "spheroid", [6.0, 6.0, 8.0]),
        (["--monolayers", "4", "--edge", "15"], "platelet", [15.0, 15.0, 2.43]),
        (["--monolayers", "4"], "platelet", [20.0, 20.0, 2.43]),
    ],
)
def test_sizes_imply_their_shape(capsys, options, shape, lengths):
    code, found = answer(capsys, "CsPbBr3", *options)
    assert code == 0 and found["shape"] == shape and found["lengths_nm"] == pytest.approx(lengths)


def test_what_a_material_lacks_is_null_with_a_warning(capsys):
    code, found = answer(capsys, "MAPbBr3", "--edge", "8")
    assert code == 0 and found["bright_dark_mev"] is None
    assert any("lt_splitting of MAPbBr3" in warning for warning in found["warnings"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["CsPbBr3"], "needs its size"),
        (["CsPbBr3", "--edge", "8", "--tem-edge", "8"], "contradict"),
        (["CsPbBr3", "--edge", "8", "--diameter", "8"], "does not go with"),
        (["CsPbBr3", "--edge", "eight"], "not a number"),
        (["CsPbBr3", "--edge", "8,9"], "does not fit"),
        (["CsPbBr3", "--edge", "0.3"], "unit cell"),
        (["CsPbBr3", "--edge", "101"], "100 nm"),
        (["CsPbBr3", "--edge", "8", "--temperature", "-5"], "-5 K"),
        (["CsPbBr3", "--edge", "8", "--temperature", "800"], "outside the range"),
        (["CsPbBr3", "--monolayers", "0"], "whole number"),
        (["CsPbBr3", "--monolayers", "1.5"], "whole number"),
        (["CsPb(Cl0.5I0.5)3", "--edge", "8"], "do not mix"),
        (["CsPbX3", "--edge", "8"], "CsPbX3"),
        (["AZPbBr3", "--edge", "8"], "could be supplied by"),
        (["CsPbBr3", "--edge", "8", "--outside-index", "0.2"], "refractive index"),
        (["CsPbBr3", "--edge", "8", "--parameter-set", "C"], "no parameter set"),
        (["CsPbBr3", "--edge", "8", "--without", "everything"], "everything"),
        (["CsPbBr3", "--edge", "8", "--report", "/dev/null/page.html"], "/dev/null"),
        (["CsPbBr3", "--edge", "8", "--records", "no-such-file.toml"], "no-such-file"),
    ],
)
def test_wrong_input_is_two_lines_and_exit_2(capsys, arguments, said):
    assert run(["exciton", *arguments]) == 2
    printed = capsys.readouterr()
    assert said in printed.err and "Traceback" not in printed.err
    code, found = answer(capsys, *arguments)
    assert code == 2 and said in json.dumps(found["error"])


def test_the_table_names_every_set(capsys):
    assert run(["exciton", "CsPbBr3", "--edge", "8"]) == 0
    printed = capsys.readouterr().out
    assert "set pssrrl2023" in printed and "set yang2017" in printed and "radiative lifetime (ns)" in printed


def test_switches_reach_the_model(capsys):
    _, all_layers = answer(capsys, "CsPbBr3", "--edge", "5")
    _, bare = answer(
        capsys, "CsPbBr3", "--edge", "5", "--without", "barrier", "--without", "dielectric",
        "--without", "nonparabolic",
    )  # fmt: skip
    assert set(bare["contributions_mev"]) < set(all_layers["contributions_mev"])
    assert bare["emission_ev"]["median"] > all_layers["emission_ev"]["median"]
    _, bright = answer(capsys, "CsPbBr3", "--edge", "5", "--ground-state", "bright")
    assert bright["bright_dark_mev"]["median"] < 0.0 < all_layers["bright_dark_mev"]["median"]


def test_a_lifetime_table_is_answered(capsys, tmp_path):
    levels = tmp_path / "levels.csv"
    levels.write_text("energy_mev,radiative_lifetime_ns\n0,\n7,1.0\n7,1.0\n7,1.0\n")
    code, found = answer(capsys, "lifetime", str(levels), "--temperature", "50,300")
    assert code == 0
    rows = found["rows"]
    assert [row["temperature_k"] for row in rows] == [50.0, 300.0]
    assert rows[0]["thermal_lifetime_ns"] > rows[1]["thermal_lifetime_ns"] > 4.0 / 3.0
    assert rows[0]["levels_incomplete"] is True
