"""`perolux burst stream`: a record that `perolux photons` reads, and what it refuses."""

import json

import pytest

from perolux.cli import main
from perolux.files import example_path

PAIR = {
    "positions_nm": [[0, 0, 0], [12.5, 0, 0]], "unit_dipoles": [[0, 0, 1], [0, 0, 1]],
    "refractive_index": 1.0, "vacuum_wavelength_nm": 530.0, "times_over_inverse_Gamma": [0.0, 1.0],
}  # fmt: skip


def run(capsys, *words):
    code = 0
    try:
        code = main(list(words)) or 0
    except SystemExit as end:
        code = end.code
    return code, capsys.readouterr()


@pytest.fixture
def pair(tmp_path):
    path = tmp_path / "pair.json"
    path.write_text(json.dumps(PAIR))
    return path


@pytest.mark.parametrize("suffix", ["parquet", "h5"])
def test_a_record_for_the_photons_room(pair, tmp_path, capsys, suffix):
    from perolux.measured import read_stream

    to = tmp_path / f"pair.{suffix}"
    code, said = run(
        capsys, "burst", "stream", str(pair), str(to), "--lifetime", "300ps", "--pulses", "3000",
        "--efficiency", "0.5", "--json",
    )  # fmt: skip
    record = json.loads(said.out)
    assert (
        code == 0 and record["emitted"]["photons_per_pulse"] == 2.0 == 4.0 * record["emitted"]["g2_per_pulse"]
    )
    assert abs(record["detected"]["g2"] - 0.5) < 4.0 * record["detected"]["g2_sigma"] < 0.3
    stream = read_stream(to)
    assert len(stream) == record["detected"]["photons"] and stream.sync_period_ns == pytest.approx(1000.0)


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("--method", "exact"), "trajectories (quantum jumps)"),
        ((), "--lifetime 300ps"),
        (("--lifetime", "300ps", "--repetition", "0MHz"), "--repetition"),
        (("--lifetime", "300ps", "--repetition", "500nm"), "cannot be turned into Hz"),
        (("--lifetime", "300ps", "--dark-cps", "1"), "two numbers"),
        (("--lifetime", "300ps", "--draw", "1"), "of an assembly"),
        (("--lifetime", "300ps", "--pulses", "100000000000"), "1 to 25000000"),
        (("--lifetime", "300ps", "--efficiency", "nan"), "above 0, at most 1"),
        (("--lifetime", "300ps", "--tick", "0ps"), "--tick"),
        (("--lifetime", "300ps", "--efficiency", "1e-9", "--pulses", "5"), "no photon"),
    ],
)
def test_what_it_refuses(pair, tmp_path, capsys, words, match):
    words = words if not words or "--method" not in words else (*words, "--lifetime", "300ps")
    code, said = run(capsys, "burst", "stream", str(pair), str(tmp_path / "a.parquet"), *words)
    assert code == 2 and match in said.err and not (tmp_path / "a.parquet").exists()


def test_a_record_needs_a_known_name_and_an_assembly_its_own_lifetime(pair, tmp_path, capsys):
    code, said = run(capsys, "burst", "stream", str(pair), str(tmp_path / "a.txt"))
    assert code == 2 and ".parquet" in said.err
    sheet = str(example_path("bursts") / "streak.toml")
    code, said = run(capsys, "burst", "stream", sheet, str(tmp_path / "a.h5"), "--lifetime", "1ns")
    assert code == 2 and "its own lifetime" in said.err
    code, said = run(
        capsys,
        "burst",
        "stream",
        sheet,
        str(tmp_path / "a.h5"),
        "--pulses",
        "50",
        "--efficiency",
        "1",
        "--json",
    )
    assert code == 0 and json.loads(said.out)["emitters"] == 6


def test_more_emitters_than_jumps_reach(tmp_path, capsys):
    many = {
        "positions_nm": [[12.0 * k, 0.0, 0.0] for k in range(30)], "unit_dipoles": [[0.0, 0.0, 1.0]] * 30,
        "refractive_index": 1.8, "vacuum_wavelength_nm": 520.0, "initial_state": "all excited",
        "times_over_inverse_Gamma": [0.0, 1.0],
    }  # fmt: skip
    (tmp_path / "many.json").write_text(json.dumps(many))
    words = (str(tmp_path / "many.json"), str(tmp_path / "a.parquet"), "--lifetime", "300ps")
    code, said = run(capsys, "burst", "stream", *words)
    assert code == 2 and "up to 12" in said.err and "up to 16" in said.err
