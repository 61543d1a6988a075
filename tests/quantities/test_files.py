"""Atomic writing: after a kill, a failure or a full disk a file is whole, old or new, never a part."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from perolux import files
from perolux.errors import InputError, OutputError
from perolux.files import (
    atomic_path,
    example_path,
    sha256_of,
    whole_folder,
    write_bytes,
    write_json,
    write_text,
)

# Writes two contents in turn as fast as it can, until it is killed.
WRITER = """
import sys
from perolux.files import write_bytes
size = int(sys.argv[2])
contents = [bytes([65 + i]) * size for i in range(2)]
i = 0
while True:
    write_bytes(sys.argv[1], contents[i % 2])
    if i == 0:
        print("started", flush=True)
    i += 1
"""


@pytest.mark.parametrize("delay_s", [0.0, 0.003, 0.011, 0.027, 0.05])
def test_a_kill_leaves_a_whole_file(tmp_path, delay_s):
    target, size = tmp_path / "result.bin", 3_000_000
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(target), str(size)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
    content = target.read_bytes()
    assert len(content) == size
    assert set(content) in ({65}, {66})
    # What a kill can leave behind is a hidden temporary file, never one that looks like a result.
    assert all(path.name.startswith(".result.bin.") for path in tmp_path.iterdir() if path != target)


def test_content_and_round_trips(tmp_path):
    assert write_text(tmp_path / "a" / "b" / "t.txt", "µm\n").read_text("utf-8") == "µm\n"
    assert write_bytes(str(tmp_path / "x"), b"\x00\x01").read_bytes() == b"\x00\x01"
    assert json.loads(write_json(tmp_path / "j.json", {"a": [1, None]}).read_text("utf-8")) == {
        "a": [1, None]
    }
    assert sha256_of(tmp_path / "x") == hashlib.sha256(b"\x00\x01").hexdigest()


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_json_refuses_nan_and_keeps_the_old_file(tmp_path, number):
    target = write_json(tmp_path / "j.json", {"a": 1})
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(target, {"a": number})
    assert json.loads(target.read_text("utf-8")) == {"a": 1}


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError])
def test_a_failure_keeps_the_old_file_and_leaves_nothing(tmp_path, failure):
    target = write_text(tmp_path / "t.txt", "old")
    with pytest.raises(failure), atomic_path(target) as temporary:
        temporary.write_text("half of the n", encoding="utf-8")
        raise failure
    assert target.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_a_clear_error(tmp_path):
    target = write_text(tmp_path / "t.txt", "old")
    with pytest.raises(OutputError, match=os.strerror(errno.ENOSPC)) as caught, atomic_path(target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert "has room" in str(caught.value) and str(target) in str(caught.value)
    assert target.read_text("utf-8") == "old"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_device_that_is_full_is_a_clear_error(tmp_path):
    with (
        pytest.raises(OutputError, match=os.strerror(errno.ENOSPC)),
        atomic_path(tmp_path / "t") as temporary,
    ):
        temporary.unlink()
        temporary.symlink_to("/dev/full")
        with temporary.open("wb") as file:
            file.write(b"x" * 100_000)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(OutputError, match="could not write"):
        write_text(tmp_path / "file" / "t.txt", "x")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_a_clear_error(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="could not write"):
            write_text(tmp_path / "t.txt", "x")
    finally:
        tmp_path.chmod(0o700)


def test_mode_follows_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        target = write_text(tmp_path / "t.txt", "x")
    finally:
        os.umask(before)
    assert target.stat().st_mode & 0o777 == 0o640


def test_examples_are_found():
    assert (example_path("antisolvent") / "LICENSE.txt").is_file()
    with pytest.raises(InputError, match="not part of this installation"):
        example_path("none-such")


def test_a_folder_is_there_whole_or_not_at_all(tmp_path):
    out = tmp_path / "deep" / "run"
    with whole_folder(out) as folder:
        (folder / "a.txt").write_text("one")
        assert not out.exists()
    assert (out / "a.txt").read_text() == "one"
    with pytest.raises(ValueError, match="stop"), whole_folder(out) as folder:
        (folder / "a.txt").write_text("two")
        raise ValueError("stop")
    assert (out / "a.txt").read_text() == "one"
    with whole_folder(out) as folder:
        (folder / "b.txt").write_text("three")
    assert [p.name for p in out.iterdir()] == ["b.txt"]
    assert [p.name for p in out.parent.iterdir()] == ["run"]


def test_a_folder_takes_the_place_of_no_file(tmp_path):
    (tmp_path / "mine.toml").write_text("a = 1")
    with pytest.raises(OutputError, match="a file of that name"), whole_folder(tmp_path / "mine.toml"):
        pass
    assert (tmp_path / "mine.toml").read_text() == "a = 1"


def test_a_folder_that_cannot_be_replaced_comes_back(tmp_path, monkeypatch):
    out = tmp_path / "run"
    out.mkdir()
    (out / "old.txt").write_text("old")
    real, calls = os.replace, []

    def broken(source, target):
        calls.append(source)
        if len(calls) == 2:  # the new folder into its place
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(source, target)

    monkeypatch.setattr(files.os, "replace", broken)
    with pytest.raises(OutputError, match=os.strerror(errno.ENOSPC)), whole_folder(out) as folder:
        (folder / "new.txt").write_text("new")
    assert (out / "old.txt").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
