"""The command line as a stranger calls it: contracts, exit codes, errors without tracebacks."""

import json
import os
import resource
import signal
import subprocess
import sys
import time

import pytest

from perolux import __version__
from perolux.cli.app import run
from perolux.files import example_path

NATIVE = example_path("antisolvent") / "spectra" / "native_grid"
CDSE = example_path("cdse_hot_injection")


def call(capsys, *arguments):
    code = run([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_version_and_help_of_every_command(capsys):
    code, out, _ = call(capsys, "--version")
    assert code == 0 and out.strip() == __version__
    for command in ("pl", "absorption", "characterise", "demo", "exciton", "explain", "cite", "validate"):
        code, out, _ = call(capsys, command, "--help")
        assert code == 0 and ("--json" in out or command == "exciton"), command
        code, out, _ = call(capsys, command, "--version")
        assert code == 0 and out.strip() == __version__, command


def test_pl_keeps_its_contract(capsys):
    code, out, _ = call(capsys, "pl", NATIVE / "433.txt", "--material", "CsPbBr3", "--json")
    (row,) = json.loads(out)
    assert code == 0
    keys = {"file", "label", "peak_ev", "peak_ev_sigma", "fwhm_mev", "peak_nm", "fwhm_nm", "snr", "xy"}
    keys |= {
        "peak_nm_no_jacobian",
        "fwhm_nm_no_jacobian",
        "fwhm_mev_no_jacobian",
        "flags",
        "baseline",
        "size",
    }
    assert keys <= set(row)
    assert row["peak_nm"] == pytest.approx(1239.841984 / row["peak_ev"], rel=1e-9)
    assert set(row["baseline"]) >= {"method", "counts"}
    size = row["size"]
    assert size["kind"] in ("interval", "lower-bound")
    assert size["edge_nm"]["low95"] < size["edge_nm"]["median"]
    assert 0.0 <= size["platelet_weight"] <= 1.0
    assert 0.0 < row["xy"][0] < 1.0


def test_pl_without_material_gives_no_size(capsys):
    _, out, _ = call(capsys, "pl", NATIVE / "433.txt", "--json")
    assert set(json.loads(out)[0]["size"]) == {"reason"}


def test_a_bad_file_does_not_stop_the_others(capsys, tmp_path):
    bad = tmp_path / "empty.csv"
    bad.write_text("")
    code, out, _ = call(capsys, "pl", bad, NATIVE / "433.txt", "--json")
    rows = json.loads(out)
    assert code == 2
    assert rows[0]["file"] == str(bad) and rows[0]["error"]["problems"][0]["what"]
    assert rows[1]["peak_ev"] > 2.0


def test_absorption_says_why_there_is_no_first_exciton(capsys, tmp_path):
    file = tmp_path / "band.csv"
    lines = [f"{nm},{2.718281828 ** (-(((nm - 515) / 9) ** 2) / 2):.5f}" for nm in range(400, 651)]
    file.write_text("wavelength_nm,A\n" + "\n".join(lines))
    code, out, _ = call(capsys, "absorption", file, "--json")
    (row,) = json.loads(out)
    assert code == 0 and row["first_exciton_nm"] is None and "no-first-exciton" in row["flags"]
    assert "photoluminescence" in row["reasons"]["first_exciton_nm"]
    code, out, _ = call(capsys, "absorption", file)
    assert code == 0 and "no-first-exciton" in out and "photoluminescence" in out
    code, out, _ = call(capsys, "absorption", CDSE / "run4_uv-vis.csv")
    assert out.count("no-first-exciton") == 1 and "30 s: none, the second derivative" in out


def test_absorption_keeps_its_contract(capsys):
    code, out, _ = call(capsys, "absorption", CDSE / "run2_uv-vis.csv", "--json")
    rows = json.loads(out)
    assert code == 0 and len(rows) == 16
    keys = {"file", "label", "first_exciton_nm", "first_exciton_ev", "sigma_ev", "steepest_slope_nm"}
    assert keys | {"scatter_exponent", "flags"} <= set(rows[0])
    assert not any("size" in row for row in rows)


@pytest.mark.parametrize("shape", [("sphere", "--radius-over-bohr"), ("cube", "--edge-over-bohr")])
def test_exciton_keeps_its_contract(capsys, shape):
    code, out, _ = call(capsys, "exciton", shape[0], shape[1], "2.0", "--json")
    assert code == 0
    assert set(json.loads(out)) == {
        "energy_over_rydberg",
        "overlap_k",
        "exchange_x",
        "estimated_error_rydberg",
        "estimated_error_k_relative",
        "estimated_error_x_relative",
        "mass_ratio",
        "dielectric_ratio",
    }


def test_exciton_takes_masses_contrast_and_three_edges(capsys):
    code, out, _ = call(
        capsys, "exciton", "sphere", "--radius-over-bohr", "1", "--mass-ratio", "0.5",
        "--dielectric-ratio", "4", "--json",
    )  # fmt: skip
    row = json.loads(out)
    assert code == 0 and (row["mass_ratio"], row["dielectric_ratio"]) == (0.5, 4.0)
    code, out, _ = call(capsys, "exciton", "cube", "--edges-over-bohr", "2,2,2", "--json")
    assert code == 0 and json.loads(out)["energy_over_rydberg"] == pytest.approx(4.0164, abs=1e-4)


@pytest.mark.parametrize(
    "arguments",
    [
        ["cube"],
        ["cube", "--edge-over-bohr", "2", "--edges-over-bohr", "1,2,3"],
        ["cube", "--edges-over-bohr", "1,2"],
        ["cube", "--edge-over-bohr", "2", "--dielectric-ratio", "3"],
        ["sphere", "--radius-over-bohr", "2", "--dielectric-ratio", "0"],
    ],
)
def test_exciton_refuses_in_words(capsys, arguments):
    code, _, err = call(capsys, "exciton", *arguments)
    assert code == 2 and "allowed" in err


def test_explain_prints_value_kind_source_and_rivals(capsys):
    code, out, _ = call(capsys, "explain", "CsPbBr3.reduced_mass")
    assert code == 0 and "0.126" in out and "0.18" in out
    code, out, _ = call(capsys, "explain", "CsPbBr3.gap", "--at", "300K", "--json")
    assert code == 0 and json.loads(out)["chosen"]["unit"] == "eV"
    code, out, _ = call(capsys, "explain", "prior.stokes_shift_ev")
    assert code == 0 and "assumed" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ("pl",),
        ("nonsense",),
        ("pl", "--bogus", "x"),
        ("pl", "no-such-file.csv"),
        ("pl", str(NATIVE / "433.txt"), "--material", "Unobtainium"),
        ("pl", str(NATIVE / "433.txt"), "--material", "CsPbBr3", "--temperature", "900"),
        ("pl", str(NATIVE / "433.txt"), "--axis-unit", "furlong"),
        ("exciton", "cube", "--edge-over-bohr", "-1"),
        ("exciton", "sphere", "--radius-over-bohr", "nan"),
        ("explain", "CsPbBr3.nothing"),
        ("explain", "AZPbBr3.reduced_mass"),
        ("explain", "CsPbBr3.gap", "--at", "300 bananas"),
        ("characterise", "no-such-study.toml"),
        ("validate", "no-such-room"),
        ("cite", "no-such-run"),
    ],
)
def test_user_errors_exit_2_without_traceback(capsys, arguments):
    code, _, err = call(capsys, *arguments)
    assert code == 2
    assert err.startswith("perolux:") and "Traceback" not in err
    code, out, _ = call(capsys, *arguments, "--json")
    assert code == 2
    content = json.loads(out)
    assert "error" in (content[0] if isinstance(content, list) else content)


def cpu_seconds(*arguments) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "perolux", *map(str, arguments)], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.slow
def test_help_is_quick():
    assert min(cpu_seconds("--help") for _ in range(3)) < 0.5


@pytest.mark.slow
def test_pl_on_one_file_is_quick():
    arguments = ("pl", NATIVE / "433.txt", "--material", "CsPbBr3", "--json")
    assert min(cpu_seconds(*arguments) for _ in range(3)) < 2.0


@pytest.mark.slow
def test_ctrl_c_exits_130(tmp_path):
    study = example_path("antisolvent") / "study.toml"
    run = tmp_path / "run"
    command = [sys.executable, "-m", "perolux", "characterise", str(study), "--out", str(run)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ))
    for _ in range(6000):  # a loaded machine needs longer to import than an idle one
        if run.exists():
            break
        time.sleep(0.005)  # and may finish the run between two looks
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err


def test_a_closed_pipe_is_no_error():
    command = f"{sys.executable} -m perolux pl {NATIVE / '433.txt'} --json | head -c 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=True)
    assert b"Traceback" not in done.stderr


def test_every_key_that_a_result_names_can_be_explained(capsys):
    _, out, _ = call(capsys, "pl", NATIVE / "433.txt", "--material", "CsPbBr3", "--json")
    keys = [*json.loads(out)[0]["size"]["rests_on"], "study.temperature_k", "CsPbBr3.gap"]
    for key in keys:
        code, out, err = call(capsys, "explain", key)
        assert code == 0 and key in out, (key, err)


def test_a_folder_answers_for_each_of_its_files(capsys, tmp_path):
    (tmp_path / "a.txt").write_bytes((NATIVE / "433.txt").read_bytes())
    (tmp_path / "b.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    code, out, _ = call(capsys, "pl", tmp_path, "--json")
    rows = json.loads(out)
    assert code == 2 and len(rows) == 2
    assert "error" in rows[1] and rows[0]["peak_ev"] > 2.0


def test_a_saturated_spectrum_gets_no_number_but_reasons(capsys, tmp_path):
    lines = [
        f"{nm},{min(1000 * 2.718281828 ** (-(((nm - 515) / 9) ** 2) / 2), 600):.3f}" for nm in range(450, 601)
    ]
    file = tmp_path / "sat.csv"
    file.write_text("wavelength_nm,counts\n" + "\n".join(lines))
    _, out, _ = call(capsys, "pl", file, "--material", "CsPbBr3", "--json")
    (row,) = json.loads(out)
    assert "saturated" in row["flags"] and "saturated" in row["size"]["reason"]
    missing = [
        key for key in ("peak_ev", "fwhm_mev", "peak_nm_no_jacobian", "integrated", "xy") if not row[key]
    ]
    assert len(missing) == 5 and all("saturated" in row["reasons"][key] for key in missing)
    code, out, _ = call(capsys, "pl", file, "--material", "CsPbBr3")
    assert code == 0 and "nan" not in out.lower() and "saturated" in out


def test_a_peak_below_the_bulk_says_so_beside_its_size(capsys, tmp_path):
    lines = [
        f"{nm},{1e4 * 2.718281828 ** (-(((nm - 551) / 9) ** 2) / 2) + nm % 3:.3f}" for nm in range(450, 651)
    ]
    file = tmp_path / "red.csv"
    file.write_text("wavelength_nm,counts\n" + "\n".join(lines))
    _, out, _ = call(capsys, "pl", file, "--material", "CsPbBr3", "--json")
    (row,) = json.loads(out)
    assert "below-bulk" in row["flags"] and "below-bulk" in row["size"]["flags"]
    assert any("below the first exciton of bulk" in note for note in row["size"]["notes"])
    _, out, _ = call(capsys, "pl", file, "--material", "CsPbBr3")
    assert "below-bulk" in out and "no size" in " ".join(out.split())


def test_a_material_without_exciton_parameters_keeps_the_model_free_numbers(capsys):
    code, out, _ = call(capsys, "pl", NATIVE / "433.txt", "--material", "AZPbBr3", "--json")
    (row,) = json.loads(out)
    assert code == 0 and row["peak_ev"] > 2.0 and "not available" in row["size"]["reason"]


@pytest.mark.slow
def test_a_console_that_cannot_show_a_character_is_no_error():
    command = [sys.executable, "-m", "perolux", "explain", "CsPbBr3.hole_mass"]
    env = dict(os.environ) | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, capture_output=True, env=env, check=False)
    assert done.returncode == 0 and b"Traceback" not in done.stderr


def test_a_full_standard_output_is_a_user_error():
    command = f"{sys.executable} -m perolux pl {NATIVE / '433.txt'} --json > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    assert done.returncode == 2 and b"Traceback" not in done.stderr


@pytest.mark.parametrize("factor", [1e300, 1e150, 1e-300])
@pytest.mark.parametrize("command", ["pl", "absorption"])
def test_values_that_no_detector_gives_are_an_error_of_their_file(capsys, tmp_path, factor, command):
    lines = [
        f"{nm},{factor * (1 + 2.718281828 ** (-(((nm - 515) / 9) ** 2) / 2)):.6e}" for nm in range(450, 601)
    ]
    file = tmp_path / "odd.csv"
    file.write_text("wavelength_nm,value\n" + "\n".join(lines))
    code, out, _ = call(capsys, command, file, NATIVE / "433.txt", "--json")
    rows = json.loads(out)
    assert code == 2 and "no detector gives" in rows[0]["error"]["problems"][0]["what"]
    assert "label" in rows[1]


@pytest.mark.parametrize(("size", "said"), [("nan", "no number"), ("0", "is 0"), ("-1", "is negative, -1")])
@pytest.mark.parametrize("what", [("sphere", "--radius-over-bohr"), ("cube", "--edge-over-bohr")])
def test_a_size_of_the_bare_pair_that_is_none(capsys, what, size, said):
    code, _, err = call(capsys, "exciton", what[0], f"{what[1]}={size}")
    assert code == 2 and said in err and "30" not in err
