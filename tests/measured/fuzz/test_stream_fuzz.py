"""Whatever the bytes of a photon record, its reader gives a stream or raises `PeroluxError`.

1e4 spoiled files in the suite, 1e5 in the long tier, in a process of its own whose memory is limited.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__)
LIMIT_MB = 512
"""Memory that reading spoiled files may take in all, interpreter and libraries included."""


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def seeds(folder):
    """Small valid files: name -> bytes. The .set and .json beside a file are seeds too."""
    import numpy as np

    from perolux.measured import read_stream, write_parquet_stream, write_photon_hdf5

    made = load("stream_files", HERE.parents[1] / "stream_files.py")
    few = made.events(60)
    slow = made.events(60, mode=2, mean_gap=10**7, sync=True)
    router = made.events(60, inputs=(1, 2))
    found = {
        "t3.ptu": made.ptu_bytes(0x01010304, made.hydraharp_words(few, 3)),
        "t2.ptu": made.ptu_bytes(0x00010207, made.hydraharp_words(slow, 2)),
        "p3.ptu": made.ptu_bytes(0x00010303, made.picoharp_words(router, 3)),
        "a.ht3": made.ht_bytes(3, made.hydraharp_words(few, 3, 1)),
        "a.pt3": made.pt_bytes(3, made.picoharp_words(router, 3)),
        "a.spc": made.spc_words(few[1], few[2], few[3]).tobytes(),
        "a.set": made.set_bytes(),
        "a.phu": made.phu_bytes([np.arange(40), np.zeros(40)]),
        "a.sdt": made.sdt_bytes([np.arange(64)]),
    }
    for name in ("t3.ptu",):
        (folder / name).write_bytes(found[name])
        stream = read_stream(folder / name)
        found["a.h5"] = write_photon_hdf5(stream, folder / "a.h5").read_bytes()
        found["a.parquet"] = write_parquet_stream(stream, folder / "b.parquet").read_bytes()
        found["a.json"] = (folder / "b.json").read_bytes()
    return found


def spoil(data, rng):
    """Some bytes changed, words set to extremes, parts cut out or doubled, the end cut off."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        if not data:
            break
        at = int(rng.integers(len(data)))
        # headers decide most: half of the edits fall there
        if rng.random() < 0.5:
            at = int(rng.integers(min(len(data), 1500)))
        match rng.integers(7):
            case 0 | 1:
                data[at] = int(rng.integers(256))
            case 2:
                data[at] ^= 1 << int(rng.integers(8))
            case 3:
                word = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\x80", b"\0\0\0\xfe")
                data[at : at + 4] = word[rng.integers(len(word))]
            case 4:
                del data[at : at + int(rng.integers(1, 60))]
            case 5:
                data[at:at] = data[at : at + int(rng.integers(1, 60))]
            case _:
                if rng.random() < 0.2:
                    del data[at:]
    return bytes(data)


def place(path, data):
    """A new file in place of an old one: some file systems flush one that is overwritten."""
    path.unlink(missing_ok=True)
    path.write_bytes(data)


def attempt(path):
    """Read a file to its end; True where it gave photons or a decay, False where it was refused."""
    from perolux.errors import PeroluxError
    from perolux.measured import read_decay, read_stream

    try:
        if path.suffix in (".phu", ".sdt"):
            return len(read_decay(path)) > 0
        stream = read_stream(path)
        photons = sum(len(part) for part in stream.chunks(1000))
        markers = sum(len(part) for part in stream.markers())
        assert photons == len(stream) > 0, "as many photons as counted"
        assert markers == sum(stream.markers_per_kind.values()), "as many markers as counted"
        return True
    except PeroluxError as error:
        assert str(error), "an error needs a message"
        return False


def run(executions, folder):
    """Spoil and read; prints how many were read, of how many, and the largest memory in MB."""
    import resource
    import warnings

    import numpy as np

    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    folder = Path(folder)
    whole = seeds(folder)
    for name, data in whole.items():
        (folder / name).write_bytes(data)
    beside = {"a.set": "a.spc", "a.json": "a.parquet"}
    read = {name: [0, 0] for name in whole}
    for number in range(executions):
        name = list(whole)[number % len(whole)]
        rng = np.random.default_rng(number)
        path = folder / name
        place(path, spoil(whole[name], rng))
        try:
            read[name][0] += attempt(folder / beside.get(name, name))
        except Exception as error:
            raise AssertionError(f"spoiled file {number} ({name}): {error!r}") from error
        read[name][1] += 1
        if name in {*beside, *beside.values()}:
            place(path, whole[name])
    most = peak_mb()
    print(most, *(f"{name}:{good}/{done}" for name, (good, done) in read.items()))


def peak_mb():
    """Largest memory of this process; the accounting of the system counts that of its parent before the
    start, too."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) // 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def in_a_process(executions, folder):
    done = subprocess.run(
        [sys.executable, str(HERE), str(executions), str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stderr or f"ended with {done.returncode}")[-3000:]
    memory, *counts = done.stdout.split()
    assert int(memory) < LIMIT_MB
    for count in counts:
        good, of = map(int, count.rpartition(":")[2].split("/"))
        # spoiling that leaves nothing readable, or everything, would test nothing
        assert 0.02 < good / of < 0.98, count


def test_the_seeds_themselves_are_read(tmp_path):
    for name, data in seeds(tmp_path).items():
        (tmp_path / name).write_bytes(data)
    for path in tmp_path.iterdir():
        if path.suffix not in (".set", ".json") and path.stem != "b":
            assert attempt(path), path.name


@pytest.mark.slow
def test_ten_thousand_spoiled_records(tmp_path):
    in_a_process(10_000, tmp_path)


@pytest.mark.long
def test_a_hundred_thousand_spoiled_records(tmp_path):
    in_a_process(100_000, tmp_path)


if __name__ == "__main__":
    run(int(sys.argv[1]), sys.argv[2])
