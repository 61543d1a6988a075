"""Functions of the rows in `measured_photons.toml`: a real record, and identities."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import numpy as np

from perolux.errors import InputError
from perolux.files import example_path
from perolux.measured import read_stream, write_photon_hdf5
from perolux.measured.photon_stream import PhotonStream, stream_of_arrays

__all__ = [
    "hdf5_round_trip",
    "nanotimes_of_t2",
    "spc_bin_ps",
    "spc_of_other_module",
    "spc_photons",
    "spc_rows",
]


def _spc() -> PhotonStream:
    return read_stream(example_path("bh_spc_noise") / "test_noise.spc")


def spc_photons() -> float:
    """Photons in the shipped SPC-150 record."""
    return float(len(_spc()))


def spc_rows() -> str:
    """Whether all rows equal the export."""
    exported = np.loadtxt(example_path("bh_spc_noise") / "test_noise.asc", dtype=np.int64)
    photons = _spc().load()
    nanotime = np.zeros(0, np.int32) if photons.nanotime is None else photons.nanotime
    same = np.array_equal(exported[:, 0], photons.macro) and np.array_equal(exported[:, 1], nanotime)
    return "identical" if same else "different"


def spc_bin_ps() -> float:
    """Nanotime bin in ps."""
    return 1e3 * (_spc().nanotime_bin_ns or 0.0)


def spc_of_other_module() -> str:
    """Whether the record is refused where its .set file names another module."""
    source = example_path("bh_spc_noise")
    said = (source / "test_noise.set").read_bytes()
    for name, code in ((b"SPC-QC-104", 0x8B), (b"SPC-600", 0x21)):
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(source / "test_noise.spc", Path(folder) / "a.spc")
            first = (code << 4 | said[0] & 0xF).to_bytes(2, "little")
            (Path(folder) / "a.set").write_bytes(first + said[2:].replace(b"SPC-150", name))
            try:
                return f"{len(read_stream(Path(folder) / 'a.spc'))} photons as {name.decode()}"
            except InputError:
                continue
    return "refused"


def _made(pulsed: bool) -> PhotonStream:
    rng = np.random.default_rng(5)
    return stream_of_arrays(
        np.cumsum(rng.integers(0, 10**6, 5000)),
        rng.integers(0, 2, 5000),
        nanotime=rng.integers(0, 3000, 5000) if pulsed else None,
        nanotime_bin_ns=0.016 if pulsed else None,
        macro_tick_ns=100.0 if pulsed else 1e-3,
        sync_period_ns=100.0 if pulsed else None,
        duration_s=1000.0,
    )


def _again(stream: PhotonStream) -> PhotonStream:
    with tempfile.TemporaryDirectory() as folder:
        again = read_stream(write_photon_hdf5(stream, Path(folder) / "a.h5"))
        photons = again.load()
    return stream_of_arrays(
        photons.macro,
        photons.channel,
        nanotime=photons.nanotime,
        nanotime_bin_ns=again.nanotime_bin_ns,
        macro_tick_ns=again.macro_tick_ns,
        sync_period_ns=again.sync_period_ns,
        duration_s=again.duration_s,
    )


def nanotimes_of_t2() -> str:
    """Whether a record without nanotimes comes back without them."""
    again = _again(_made(pulsed=False))
    return "absent" if again.nanotime_bin_ns is None and again.load().nanotime is None else "present"


def hdf5_round_trip() -> str:
    """Whether photons come back from Photon-HDF5 as they were written."""
    for pulsed in (True, False):
        stream = _made(pulsed)
        before, after = stream.load(), _again(stream).load()
        same = np.array_equal(before.macro, after.macro) and np.array_equal(before.channel, after.channel)
        if before.nanotime is not None:
            same = same and after.nanotime is not None and np.array_equal(before.nanotime, after.nanotime)
        if not same:
            return "different"
    return "identical"
