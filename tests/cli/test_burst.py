"""`perolux burst`: cases, assemblies, the ladder."""

import json

import pytest

from perolux.cli import main
from perolux.files import example_path

ASSEMBLY = """
name = "pair of sheets"
[lattice]
kind = "cube"
pitch = "12.5 nm"
repeats = [2, 2, 1]
[emitters]
lifetime = "300 ps"
wavelength = "530 nm"
[disorder]
energy_spread = "0.1 meV"
[times]
until = "300 ps"
points = 21
[sampling]
disorder_draws = 2
"""


def run(capsys, *words):
    code = 0
    try:
        code = main(list(words)) or 0
    except SystemExit as end:
        code = end.code
    return code, capsys.readouterr()


@pytest.fixture
def assembly(tmp_path):
    path = tmp_path / "pair.toml"
    path.write_text(ASSEMBLY)
    return path


@pytest.mark.slow
def test_an_assembly_as_json_has_three_screenings_each_with_all_numbers(assembly, capsys):
    code, said = run(capsys, "burst", str(assembly), "--json", "--seed", "3")
    record = json.loads(said.out)
    assert code == 0 and record["seed"] == 3
    assert [one["screening"] for one in record["screenings"]] == [0.0, 0.3, 1.0]
    for one in record["screenings"]:
        assert one["rows"][1]["time_ps"] == pytest.approx(15.0)
        assert one["peak"]["photon_rate_over_Gamma"] >= 4.0
    assert record["costs"][0]["without"] == "nothing"
    assert "NaN" not in said.out


@pytest.mark.slow
def test_the_table_and_the_report(assembly, tmp_path, capsys):
    out = tmp_path / "page"
    code, said = run(capsys, "burst", str(assembly), "--out", str(out))
    assert code == 0 and "What it costs" in said.out and "brightest mode" in said.out
    names = {one.name for one in out.iterdir()}
    assert names == {
        "report.html",
        "result.json",
        "emission.csv",
        "emission.svg",
        "population.svg",
        "modes.svg",
        "spectrum.svg",
        "shift.svg",
        "pairs.svg",
        "far_field.svg",
    }
    page = (out / "report.html").read_text("utf-8")
    assert "Shifts off, screened and full" in page and page.count("<svg") == 7
    assert (out / "emission.csv").read_text().count("\n") == 1 + 3 * 21


def test_a_faulty_assembly_ends_with_2_and_says_where(assembly, capsys):
    assembly.write_text(ASSEMBLY.replace("pitch =", "spacing ="))
    code, said = run(capsys, "burst", str(assembly))
    assert code == 2 and "spacing" in said.err


def test_a_folder_or_a_file_of_something_else_is_never_replaced(assembly, tmp_path, capsys):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("three years")
    series = str(example_path("bursts") / "simulated" / "superfluorescence_series.csv")
    for command in (("burst", str(assembly)), ("burst", "fit", series, "--response", "gaussian:4")):
        for out in (mine, assembly, tmp_path):
            for flag in ((), ("--replace",)):
                code, said = run(capsys, *command, "--out", str(out), *flag)
                assert code == 2 and "something else" in said.err
    assert (mine / "thesis.txt").read_text() == "three years" and assembly.is_file()


def test_what_a_run_cannot_tell_is_told_once():
    from perolux.reports.bursts import missing_of

    one = {"coupled_number_reason": None, "light": {"reason": "7 emitters"}}
    record = {
        "screenings": [one, one],
        "costs_reason": None,
        "costs": [{"burst_peak_reason": "few only"}] * 3,
    }
    told = [("Spectrum, coherence, far field", "7 emitters"), ("Cost in the burst", "few only")]
    assert missing_of(record) == told


def test_a_seed_below_0_is_refused(assembly, capsys):
    cube = str(example_path("bursts") / "cube.json")
    for command in (
        (str(assembly),),
        (cube, "--method", "wigner"),
        ("dicke", "--n", "2", "--method", "wigner"),
    ):
        code, said = run(capsys, "burst", *command, "--seed", "-1")
        assert code == 2 and "--seed" in said.err


def test_options_obey_the_limits_of_the_file(assembly, capsys):
    code, said = run(capsys, "burst", str(assembly), "--trajectories", "1")
    assert code == 2 and "trajectories" in said.err


def test_a_case_takes_no_report(tmp_path, capsys):
    code, said = run(capsys, "burst", str(example_path("bursts") / "cube.json"), "--out", str(tmp_path / "o"))
    assert code == 2 and "--out" in said.err


def test_the_ladder_with_its_line(capsys):
    code, said = run(capsys, "burst", "dicke", "--n", "2", "--spectrum", "--json")
    line = json.loads(said.out)["spectrum"]
    # S(w) of three states by hand: full width 4/sqrt(5)
    assert code == 0 and line["half_width_over_Gamma"] == pytest.approx(4.0 / 5.0**0.5, rel=1e-9)
    assert line["photons"] == pytest.approx(2.0) and len(line["photons_per_Gamma"]) == 401


def test_the_ladder(capsys):
    code, said = run(capsys, "burst", "dicke", "--n", "10", "--json")
    assert code == 0
    assert json.loads(said.out)["i_peak_over_Gamma"] == pytest.approx(22.75912, abs=1e-4)


def test_explain_says_what_an_assembly_rests_on(assembly, capsys):
    code, said = run(capsys, "explain", str(assembly))
    assert code == 0 and "emitters.refractive_index = 1" in said.out and "[assumed]" in said.out
    code, said = run(capsys, "explain", str(assembly), "--json")
    of = {one["key"]: one for one in json.loads(said.out)["parameters"]}
    assert of["emitters.temperature"]["decides"] == ["equilibrium"]
    code, said = run(capsys, "explain", str(assembly), "--at", "300K")
    assert code == 2 and "--at" in said.err


def test_a_case_keeps_its_batches_where_it_is_told(tmp_path, capsys, monkeypatch):
    from perolux.collective import wigner

    command = ("burst", str(example_path("bursts") / "cube.json"), "--method", "wigner")
    command += ("--trajectories", "100", "--json")
    code, straight = run(capsys, *command)
    plain, calls = wigner.batch_of, []

    def second_fails(*words):
        calls.append(words)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return plain(*words)

    with monkeypatch.context() as patch:
        patch.setattr(wigner, "batch_of", second_fails)
        code, said = run(capsys, *command, "--keep", str(tmp_path / "kept"))
    assert code == 130 and "what was finished is kept" in said.err
    code, said = run(capsys, *command, "--keep", str(tmp_path / "kept"))
    assert code == 0 and "continues: 1 piece done" in said.err and said.out == straight.out
    assert not (tmp_path / "kept").exists()


@pytest.mark.slow
def test_a_killed_run_continues_and_says_so(assembly, tmp_path, capsys, monkeypatch):
    from perolux.collective import assembly_record

    calls = []

    def interrupted(*words, **more):
        calls.append(words)
        raise KeyboardInterrupt

    out = tmp_path / "page"
    command = ("burst", str(assembly), "--out", str(out), "--json")
    with monkeypatch.context() as patch:
        patch.setattr(assembly_record, "_costs", interrupted)
        code, said = run(capsys, *command)
    assert code == 130 and len(calls) == 1 and not out.exists()
    assert "what was finished is kept" in said.err and "start the same command again" in said.err
    code, said = run(capsys, "burst", str(assembly), "--seed", "4", "--keep", f"{out}.part")
    assert code == 2 and "an interrupted run of another sampling" in said.err
    code, said = run(capsys, *command)
    assert code == 0 and "continues: 6 of 6 pieces were done, and 6 of the steps" in said.err
    assert json.loads(said.out) and (out / "report.html").is_file()
    assert not out.with_name("page.part").exists()
