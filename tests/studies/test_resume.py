"""Interrupted at any moment: no half file, nothing lost, and the run continues where it stopped."""

import csv
import json
import os
import signal
from pathlib import Path

import pytest

from perolux import files
from perolux.errors import OutputError
from perolux.journal import Entry, Journal
from perolux.lock import alone_in
from perolux.studies import characterise, pipeline

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a forked copy of itself")

KILLED, FULL = signal.SIGKILL, 7


@pytest.fixture
def study(tmp_path, small, monkeypatch):
    """Twelve spectra and two more recipes, in batches of five."""
    monkeypatch.setattr(pipeline, "_BATCH", 5)
    bands = {f"s{k}": (2.38 + 0.01 * k, 80.0 + k) for k in range(12)}
    recipes = "name,volume,lead,solvent,PLQY\n" + "".join(f"s{k},{k + 1},2,MeOH,0.5\n" for k in range(14))
    return small.make(tmp_path / "in", recipes=recipes, bands=bands)


def in_a_copy_of_this_process(work):
    """Run `work` in a forked process; its exit code, or the signal that ended it."""
    child = os.fork()
    if child == 0:
        code = 9
        try:
            code = work() or 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def killed_at_sample(study, out, position):
    """Characterise, and be killed without warning when the sample at `position` begins."""

    def work():
        honest, seen = pipeline.characterise_sample, []

        def deadly(sample, conditions):
            if len(seen) == position:
                os.kill(os.getpid(), signal.SIGKILL)
            seen.append(sample)
            return honest(sample, conditions)

        pipeline.characterise_sample = deadly
        characterise(study, out)

    assert in_a_copy_of_this_process(work) == KILLED


def counted(monkeypatch):
    honest, labels = pipeline.characterise_sample, []

    def counting(sample, conditions):
        labels.append(sample.label)
        return honest(sample, conditions)

    monkeypatch.setattr(pipeline, "characterise_sample", counting)
    return labels


def check_whole_files(folder: Path):
    """Every file that is there under its own name can be read to its end."""
    for path in folder.rglob("*"):
        if path.is_dir() or path.name.startswith("."):
            continue
        if path.suffix == ".json":
            json.loads(path.read_text("utf-8"))
        elif path.suffix == ".jsonl":
            assert all(json.loads(line)["key"] for line in path.read_text("utf-8").splitlines())
        elif path.suffix == ".csv":
            assert len(list(csv.DictReader(path.read_text("utf-8").splitlines()))) == 14
        elif path.suffix == ".html":
            assert path.read_text("utf-8").rstrip().endswith("</html>")
        elif path.suffix == ".parquet":
            import pyarrow.parquet as pq

            assert pq.read_table(path).num_rows == 14
        elif path.suffix == ".nc":
            import xarray as xr

            xr.load_dataset(path, engine="h5netcdf").close()


@pytest.mark.slow
def test_killed_in_the_middle_continues_with_what_is_missing(study, tmp_path, monkeypatch):
    killed_at_sample(study, tmp_path / "out", 12)
    check_whole_files(tmp_path / "out")
    assert not (tmp_path / "out" / "run.json").exists()
    labels = counted(monkeypatch)
    run = characterise(study, tmp_path / "out")
    assert labels[0] == "s10"  # two batches of five were kept
    assert len(labels) == 4 and len(run) == 14
    whole = characterise(study, tmp_path / "whole")
    for name in ("results.csv", "results.json", "spectra.nc", "results.parquet"):
        assert (run.folder / name).read_bytes() == (whole.folder / name).read_bytes(), name
    assert not (run.folder / "journal").exists()


# Renames of one run: the journal's digest, three batches, three tables, curves, report, README, run.json.
@pytest.mark.parametrize(
    "position",
    [0, 2, 5, 8, 10, *(pytest.param(other, marks=pytest.mark.slow) for other in (1, 3, 4, 6, 7, 9))],
)
def test_killed_while_a_file_is_written_leaves_no_half_file(study, tmp_path, position):
    def work():
        honest, seen = Path.replace, []

        def deadly(self, target):
            if len(seen) == position:
                os.kill(os.getpid(), signal.SIGKILL)
            seen.append(target)
            return honest(self, target)

        Path.replace = deadly
        characterise(study, tmp_path / "out")

    assert in_a_copy_of_this_process(work) == KILLED
    check_whole_files(tmp_path / "out")
    run = characterise(study, tmp_path / "out")
    check_whole_files(run.folder)
    assert len(run) == 14
    assert not [path for path in run.folder.rglob("*") if path.name.endswith(".part")]


def test_ctrl_c_keeps_what_is_done_and_says_how_to_continue(study, tmp_path, monkeypatch):
    honest, seen = pipeline.characterise_sample, []

    def interrupted(sample, conditions):
        if len(seen) == 8:
            raise KeyboardInterrupt
        seen.append(sample.label)
        return honest(sample, conditions)

    monkeypatch.setattr(pipeline, "characterise_sample", interrupted)
    with pytest.raises(
        KeyboardInterrupt, match=r"8 finished samples are kept .* start the same command again"
    ):
        characterise(study, tmp_path / "out")
    monkeypatch.setattr(pipeline, "characterise_sample", honest)
    labels = counted(monkeypatch)
    assert len(characterise(study, tmp_path / "out")) == 14
    assert len(labels) == 6 and not set(labels) & set(seen)


def test_ctrl_c_while_the_report_is_written_says_the_same(study, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt, match="14 finished samples"):
        patched.setattr(pipeline, "write_curves", interrupted)
        characterise(study, tmp_path / "out")
    labels = counted(monkeypatch)
    assert len(characterise(study, tmp_path / "out")) == 14 and labels == []


@pytest.mark.slow
def test_a_full_disk_is_a_clear_error_and_can_be_continued(study, tmp_path):
    import resource

    def work():
        # No file may grow beyond 30 kB: the system refuses the write as a full disk does.
        resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
        try:
            characterise(study, tmp_path / "out")
        except OutputError as error:
            return FULL if error.problems[0].fix else 1

    assert in_a_copy_of_this_process(work) == FULL
    check_whole_files(tmp_path / "out")
    assert not (tmp_path / "out" / "run.json").exists()
    assert len(characterise(study, tmp_path / "out")) == 14


@pytest.mark.slow
def test_changed_inputs_never_continue_an_old_journal(study, tmp_path, small, monkeypatch):
    killed_at_sample(study, tmp_path / "out", 11)
    recipes = study.parent / "recipes.csv"
    recipes.write_text(recipes.read_text().replace("MeOH", "EtOH"))
    labels = counted(monkeypatch)
    run = characterise(study, tmp_path / "out")
    assert len(labels) == 14 and run["s0"]["recipe"]["recipe: solvent"] == "EtOH"


def test_a_damaged_line_of_the_journal_is_computed_again(study, tmp_path, monkeypatch):
    killed_at_sample(study, tmp_path / "out", 11)
    batch = tmp_path / "out" / "journal" / "batch-000001.jsonl"
    lines = batch.read_text().splitlines()
    batch.write_text("\n".join([lines[0][:50], *lines[1:]]) + "\n")
    labels = counted(monkeypatch)
    assert len(characterise(study, tmp_path / "out")) == 14
    assert labels[0] == "s0" and len(labels) == 5


def test_two_processes_do_not_share_a_folder(study, tmp_path, monkeypatch):
    with (
        alone_in(tmp_path / "out"),
        pytest.raises(OutputError, match="another process"),
        alone_in(tmp_path / "out"),
    ):
        pass


def test_the_journal_gives_back_what_it_took(tmp_path):
    import numpy as np

    entry = Entry(
        "file\tå <b>", {"peak_ev": 2.5, "flags": []}, {"fit": np.linspace(0, 1, 5)}, ({"key": "k"},)
    )
    Journal(tmp_path / "j", "digest").append([entry])
    (tmp_path / "j" / "digest.json").write_text('{"digest": "digest"}')
    (found,) = Journal(tmp_path / "j", "digest").begin().values()
    assert (found.key, found.row, found.values) == (entry.key, entry.row, entry.values)
    assert np.array_equal(found.arrays["fit"], entry.arrays["fit"])
    assert Journal(tmp_path / "j", "another").begin() == {}


@pytest.mark.slow
def test_two_workers_give_the_same_rows(study, tmp_path):
    alone = characterise(study, tmp_path / "one")
    together = characterise(study, tmp_path / "two", workers=2)
    assert together.rows == alone.rows
    assert files.sha256_of(together.folder / "spectra.nc") == files.sha256_of(alone.folder / "spectra.nc")
