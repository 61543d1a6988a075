"""`perolux exciton MATERIAL`: the JSON contract, sizes in every convention, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from perolux.cli.app import run
from perolux.cli.passport_table import passport_table
from perolux.errors import OutputError
from perolux.excitons import nanocrystal, passport
from perolux.excitons.passport_record import Entry
from perolux.excitons.spread import Spread

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
@pytest.mark.slow
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
        (["CsPbBr3", "--edge", "8,9"], "repeat --edge 8 --edge 9"),
        (["CsPbBr3", "--edge", "8", "--temperature", "4,300"], "once for each temperature"),
        (["CsPbBr3", "--edge", "8", "--temperature", "warm"], "no temperature"),
        (["CsPbBr3", "--shape", "platelet", "--edge", "8"], "add --monolayers N"),
        (["CsPbBr3", "--monolayers", "3", "--masses", "arpes"], "has no effect"),
        (["CsPbBr3", "--monolayers", "3", "--mass-outside", "coupled"], "has no effect"),
        (["CsPbBr3", "--edge", "8", "--without", "barrier", "--mass-outside", "coupled"], "has no effect"),
        (["CsPbBr3", "--monolayers", "3", "--screening", "haken"], "not calculated"),
        (["CsPbBr3", "--monolayers", "3", "--without", "nonparabolic"], "--without barrier"),
        (["CsPbBr3", "--monolayers", "100", "--edge", "20"], "--edge 20,20,60.75"),
        (["CsPbBr3", "--monolayers", "100", "--edge", "20"], "60 monolayers of this material"),
        (["CsPbBr3", "--monolayers", "200"], "100 nm"),
        (["CsPbBr3", "--diameter", "5", "--length", "60"], "5 nm thick is 12 diameters long"),
        (["CsPbBr3", "--edge", "2,20,20"], "ask for a platelet"),
        (["CsPbBr3", "--edge", "2,2,20"], "a long cuboid"),
        (["CsPbBr3", "--edge", "8", "--report", "numbers.csv"], "no HTML file"),
        (["CsPbBr3", "--edge", "8", "--report", ""], "an empty name"),
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
    assert "pssrrl2023" in printed and "yang2017" in printed and "radiative lifetime (ns)" in printed
    lines = printed.splitlines()
    assert max(len(line) for line in lines) <= 80 and not any(line.endswith(" ") for line in lines)
    # the numbers of a row have the same decimals, and the 95 % stand in line
    row = next(line for line in lines if line.startswith("emission (eV)")).split()
    numbers = [cell for cell in row[2:] if cell != "to"]
    assert len(numbers) == 5 and {len(cell.split(".")[1]) for cell in numbers} == {3}
    places = {line.index(" to ") for line in lines if line.startswith(("emission", "absorption", "trion"))}
    assert len(places) == 1


def test_reasons_stand_below_the_table(capsys):
    assert run(["exciton", "MAPbBr3", "--edge", "8"]) == 0
    printed = capsys.readouterr().out
    row = next(line for line in printed.splitlines() if line.startswith("bright above dark"))
    assert row.split()[-3:-1] == ["note", "1"]
    assert "note 1: lt_splitting of MAPbBr3 is not available" in printed


def test_a_set_more_than_80_columns_hold_gets_its_own_table():
    spread = Spread({f"a-rather-long-name-{n}": 1.0 for n in range(4)}, 1.0, 0.5, 2.0, "eV")
    found = passport(nanocrystal("CsPbBr3", "cube", 8.0, "core-edge"), draws=4)
    names = tuple(spread.sets)
    many = replace(found, set_names=names, emission_ev=Entry(spread))
    entries = {"emission (eV)": Entry(spread)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(many), "entries", lambda self: entries)
        text = passport_table(many)
    assert text.count("emission (eV)") == 2 and text.splitlines()[2].split() == ["median", "95", "%"]


def test_a_report_never_replaces_another_file(capsys, tmp_path, monkeypatch):
    page, table = tmp_path / "page.html", tmp_path / "table.html"
    monkeypatch.setattr("perolux.reports.passport.draw_plots", lambda one: [])
    assert run(["exciton", "CsPbBr3", "--edge", "8", "--report", str(page)]) == 0
    assert run(["exciton", "CsPbBr3", "--edge", "9", "--report", str(page)]) == 0  # its own passport: yes
    assert "cube, 9 nm" in page.read_text()
    table.write_text("<p>my data</p>")
    capsys.readouterr()
    assert run(["exciton", "CsPbBr3", "--edge", "8", "--report", str(table)]) == 2
    printed = capsys.readouterr()
    assert "no passport of this program" in printed.err and not printed.out
    assert table.read_text() == "<p>my data</p>"


def test_the_numbers_are_printed_before_the_report_is_written(capsys, tmp_path, monkeypatch):
    def full(*arguments):
        raise OutputError("could not write: No space left on device")

    monkeypatch.setattr("perolux.reports.passport.write_passport", full)
    call = ["exciton", "CsPbBr3", "--edge", "8", "--report", str(tmp_path / "page.html"), "--json"]
    assert run(call) == 2
    printed = capsys.readouterr()
    assert json.loads(printed.out)["emission_ev"] and "No space left" in printed.err


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


def test_an_unknown_material_comes_before_a_missing_size(capsys):
    assert run(["exciton", "nosuch"]) == 2
    assert "nosuch" in (said := capsys.readouterr().err) and "needs its size" not in said


def test_a_report_that_cannot_be_written_advises_its_own_option(capsys, tmp_path, monkeypatch):
    def full(*arguments):
        raise OutputError("could not write: No space left", fix="choose a folder (--out FOLDER)")

    monkeypatch.setattr("perolux.reports.passport.write_passport", full)
    assert run(["exciton", "CsPbBr3", "--edge", "8", "--report", str(tmp_path / "page.html")]) == 2
    said = capsys.readouterr().err
    assert "--out" not in said and "--report" in said
