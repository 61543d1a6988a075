"""Readers of photon records against other programs' readers and the vendor's own export.

PicoQuant files here are made from documentation (stream_files.py): agreement with ptufile and phconvert shows
one reading of the format, not that an instrument writes it so.
"""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perolux.errors import InputError
from perolux.files import example_path
from perolux.measured import read_stream, write_parquet_stream, write_photon_hdf5
from perolux.measured.picoquant_records import RECORD_TYPES, SYNC_CHANNEL
from perolux.measured.record_files import RecordFile, slices, survey

_spec = importlib.util.spec_from_file_location("stream_files", Path(__file__).with_name("stream_files.py"))
made = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(made)


def words_of(kind, seed=1, count=400, markers=True):
    # A mean gap near half a wrap gives none, one and several overflows between photons.
    gap = min(kind.wrap // 2, 10_000_000)
    inputs = (1, 3) if kind.picoharp and kind.mode == 3 else (0, 1)
    events = made.events(count, seed, kind.mode, inputs, gap, markers, not kind.picoharp)
    if kind.picoharp:
        return events, made.picoharp_words(events, kind.mode)
    return events, made.hydraharp_words(events, kind.mode, 2 if kind.counted_overflows else 1)


def write(path, data):
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("code", RECORD_TYPES, ids=lambda code: RECORD_TYPES[code].name)
def test_ptu_gives_back_what_was_written_and_what_ptufile_reads(code, tmp_path):
    ptufile = pytest.importorskip("ptufile")
    kind = RECORD_TYPES[code]
    (what, macro, nanotime, channel), words = words_of(kind)
    path = write(tmp_path / "any.bin", made.ptu_bytes(code, words, MeasDesc_AcquisitionTime=100_000))
    stream = read_stream(path)
    photons = stream.load()
    photon = what != made.MARKER
    expected = np.where(what == made.SYNC, SYNC_CHANNEL, channel)[photon]
    np.testing.assert_array_equal(photons.macro, macro[photon])
    np.testing.assert_array_equal(photons.channel, expected)
    assert (photons.nanotime is None) == (kind.mode == 2)
    if kind.mode == 3:
        np.testing.assert_array_equal(photons.nanotime, nanotime[photon])
        assert stream.macro_is_sync and stream.sync_period_ns == pytest.approx(100.0, rel=1e-12)
    marks = next(stream.markers())
    np.testing.assert_array_equal(marks.channel, channel[~photon])
    # The low four bits of a PicoHarp T2 marker carry the marker.
    lost = ~0xF if kind.picoharp and kind.mode == 2 else ~0
    times = macro[~photon]
    assert np.all((marks.macro == times) | (marks.macro % kind.wrap == times % kind.wrap & lost))

    with ptufile.PtuFile(path) as other:
        theirs = other.decode_records()
    seen = theirs[theirs["channel"] >= 0]
    # ptufile counts PicoHarp T3 routing from 0, and takes the sync input of T2 for input 0.
    shift = 1 if kind.picoharp and kind.mode == 3 else 0
    np.testing.assert_array_equal(photons.macro, seen["time"].astype(np.int64))
    np.testing.assert_array_equal(photons.channel % SYNC_CHANNEL, seen["channel"] + shift)
    assert len(marks) == np.count_nonzero(theirs["marker"])


# importing phconvert compiles its loops for 4 s
@pytest.mark.slow
@pytest.mark.parametrize("code", RECORD_TYPES, ids=lambda code: RECORD_TYPES[code].name)
def test_ptu_as_phconvert_reads_it(code, tmp_path):
    pqreader = pytest.importorskip("phconvert.pqreader")
    kind = RECORD_TYPES[code]
    # phconvert 0.10.2 loses its way among PicoHarp markers (IndexError), so there are none here
    _, words = words_of(kind, markers=not kind.picoharp)
    path = write(tmp_path / "a.ptu", made.ptu_bytes(code, words, MeasDesc_AcquisitionTime=100_000))
    photons = read_stream(path).load()
    spec = {v["record_id"]: v for v in pqreader._ptu_rec_type.values()}[code]
    times, detectors, nanotimes, _ = pqreader.process_pturecords(
        words.copy(), spec, ovcfunc="loop" if kind.picoharp else "base"
    )
    if kind.picoharp:
        ours = np.isin(detectors, (0, 1, 3))
    else:
        ours = (detectors < 64) | ((detectors == 64) & (kind.mode == 2))
    np.testing.assert_array_equal(photons.macro, np.asarray(times)[ours])
    np.testing.assert_array_equal(photons.channel, np.asarray(detectors)[ours])
    if kind.mode == 3:
        np.testing.assert_array_equal(photons.nanotime, np.asarray(nanotimes)[ours])


# importing phconvert compiles its loops for 4 s
@pytest.mark.slow
def test_ht3_and_pt3_as_phconvert_reads_them(tmp_path):
    pqreader = pytest.importorskip("phconvert.pqreader")
    ht3 = write(tmp_path / "a.ht3", made.ht_bytes(3, made.hydraharp_words(made.events(markers=False), 3, 1)))
    photons = read_stream(ht3).load()
    times, detectors, nanotimes, _, _ = pqreader.load_ht3(str(ht3))
    keep = detectors < 64
    np.testing.assert_array_equal(photons.macro, times[keep])
    np.testing.assert_array_equal(photons.channel, detectors[keep])
    np.testing.assert_array_equal(photons.nanotime, nanotimes[keep])

    events = made.events(inputs=(1, 2), markers=False, mean_gap=30_000)
    pt3 = write(tmp_path / "a.pt3", made.pt_bytes(3, made.picoharp_words(events, 3)))
    photons = read_stream(pt3).load()
    times, detectors, nanotimes, meta, _ = pqreader.load_pt3(str(pt3))
    keep = detectors < 15
    np.testing.assert_array_equal(photons.macro, times[keep])
    np.testing.assert_array_equal(photons.channel, detectors[keep])
    np.testing.assert_array_equal(photons.nanotime, nanotimes[keep])
    assert read_stream(pt3).nanotime_bin_ns == pytest.approx(meta["nanotimes_unit"] * 1e9)


def test_an_overflow_that_counts_none_is_one(tmp_path):
    """Firmware of before the counted overflows wrote 0 there; ptufile agrees."""
    ptufile = pytest.importorskip("ptufile")
    one, none, three = (1 << 31 | 63 << 25 | n for n in (1, 0, 3))
    words = np.array([5, none, 6, one, 7, three, none, 8], "<u4")
    path = write(tmp_path / "a", made.ptu_bytes(0x01010304, words))
    assert read_stream(path).load().macro.tolist() == [5, 1030, 2055, 6152]
    with ptufile.PtuFile(path) as other:
        theirs = other.decode_records()
    assert theirs["time"][theirs["channel"] >= 0].tolist() == [5, 1030, 2055, 6152]


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("mode", [2, 3])
def test_old_hydraharp_files(mode, version, tmp_path):
    events = made.events(mode=mode, mean_gap=10_000_000 if mode == 2 else 900)
    words = made.hydraharp_words(events, mode, version)
    stream = read_stream(write(tmp_path / "x", made.ht_bytes(mode, words, f"{version}.0".encode())))
    photon = events[0] == made.PHOTON
    np.testing.assert_array_equal(stream.load().macro, events[1][photon])
    assert stream.macro_tick_ns == pytest.approx(100.0 if mode == 3 else 1e-3)
    assert stream.source.from_documentation


def test_pt2_has_ticks_of_4_ps(tmp_path):
    events = made.events(mode=2, mean_gap=100_000_000)
    stream = read_stream(
        write(tmp_path / "x", made.pt_bytes(2, made.picoharp_words(events, 2), acquired_ms=10**6))
    )
    np.testing.assert_array_equal(stream.load().macro, events[1][events[0] == made.PHOTON])
    assert stream.macro_tick_ns == pytest.approx(4e-3)
    assert stream.nanotime_bin_ns is None and stream.load().nanotime is None
    assert any("4 ps" in note for note in stream.notes)


def test_real_spc_record_row_by_row():
    """R1: the vendor's own export, all rows."""
    folder = example_path("bh_spc_noise")
    stream = read_stream(folder / "test_noise.spc")
    photons = stream.load()
    exported = np.loadtxt(folder / "test_noise.asc", dtype=np.int64)
    assert len(photons) == 6114
    assert photons.macro[:5].tolist() == [44054, 72904, 364634, 412760, 571542]
    assert photons.nanotime[:5].tolist() == [2856, 1659, 2626, 1872, 727]
    np.testing.assert_array_equal(photons.macro, exported[:, 0])
    np.testing.assert_array_equal(photons.nanotime, exported[:, 1])
    assert stream.macro_tick_ns == pytest.approx(9.5)
    # SP_TAC_TC of the .set file says the same bin in its own words
    assert stream.nanotime_bin_ns == pytest.approx(2.4430455e-3, rel=1e-7)
    assert not stream.macro_is_sync and stream.sync_period_ns is None


# importing phconvert compiles its loops for 4 s
@pytest.mark.slow
def test_spc_made_from_documentation_as_phconvert_reads_it(tmp_path):
    bhreader = pytest.importorskip("phconvert.bhreader")
    _, macro, nanotime, channel = made.events(600, mean_gap=9000, inputs=(0, 1, 5), markers=False)
    (tmp_path / "a.spc").write_bytes(made.spc_words(macro, nanotime, channel).tobytes())
    (tmp_path / "a.set").write_bytes(made.set_bytes())
    stream = read_stream(tmp_path / "a.spc")
    photons = stream.load()
    np.testing.assert_array_equal(photons.macro, macro)
    np.testing.assert_array_equal(photons.nanotime, nanotime)
    np.testing.assert_array_equal(photons.channel, channel)
    theirs = bhreader.load_spc(tmp_path / "a.spc")["photon_data"]
    np.testing.assert_array_equal(photons.macro, theirs["timestamps"].astype(np.int64))
    np.testing.assert_array_equal(photons.nanotime, theirs["nanotimes"])
    np.testing.assert_array_equal(photons.channel, theirs["detectors"])


def test_spc_markers_and_gaps_stand_apart(tmp_path):
    _, macro, nanotime, channel = made.events(200, mean_gap=9000, markers=False)
    words = made.spc_words(macro, nanotime, channel, marks={5, 17}, gaps={30})
    (tmp_path / "a.spc").write_bytes(words.tobytes())
    (tmp_path / "a.set").write_bytes(made.set_bytes())
    stream = read_stream(tmp_path / "a.spc")
    keep = np.ones(200, bool)
    keep[[5, 17]] = False
    np.testing.assert_array_equal(stream.load().macro, macro[keep])
    np.testing.assert_array_equal(next(stream.markers()).macro, macro[~keep])
    assert any("overran" in note for note in stream.notes)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(RECORD_TYPES)), st.integers(0, 10_000), st.integers(1, 97))
def test_slices_of_any_length_give_the_same_photons(tmp_path, code, seed, most):
    kind = RECORD_TYPES[code]
    _, words = words_of(kind, seed, 120)
    path = write(tmp_path / "a.ptu", made.ptu_bytes(code, words, MeasDesc_AcquisitionTime=10**6))
    stream = read_stream(path)
    whole = stream.load()
    parts = list(stream.chunks(most))
    assert max(map(len, parts)) <= most
    np.testing.assert_array_equal(np.concatenate([p.macro for p in parts]), whole.macro)
    np.testing.assert_array_equal(np.concatenate([p.channel for p in parts]), whole.channel)


def hydraharp_stream(mode, tmp_path):
    code = 0x01010004 | mode << 8
    _, words = words_of(RECORD_TYPES[code])
    return read_stream(write(tmp_path / "a.ptu", made.ptu_bytes(code, words, MeasDesc_AcquisitionTime=10**5)))


# importing phconvert compiles its loops for 4 s
@pytest.mark.slow
@pytest.mark.parametrize("mode", [2, 3])
def test_photon_hdf5_is_valid(mode, tmp_path):
    hdf5 = pytest.importorskip("phconvert.hdf5")
    tables = pytest.importorskip("tables")
    stream = hydraharp_stream(mode, tmp_path)
    path = write_photon_hdf5(
        stream, tmp_path / "a.h5", description="a dot", author="A", author_affiliation="B"
    )
    with pytest.warns(UserWarning, match="wavelengths"), tables.open_file(str(path)) as file:
        # no wavelength is known: its two warnings are all that may be said
        hdf5.assert_valid_photon_hdf5(file, require_rootformat=True)
        np.testing.assert_array_equal(file.root.photon_data.timestamps[:], stream.load().macro)


# importing phconvert compiles its loops for 4 s
@pytest.mark.slow
def test_photon_hdf5_written_by_phconvert(tmp_path):
    hdf5 = pytest.importorskip("phconvert.hdf5")
    stream = hydraharp_stream(3, tmp_path)
    photons = stream.load()
    data = {
        "description": "made",
        "acquisition_duration": 100.0,
        "photon_data": {
            "timestamps": photons.macro,
            "detectors": photons.channel,
            "nanotimes": photons.nanotime,
            "timestamps_specs": {"timestamps_unit": 1e-7},
            "nanotimes_specs": {"tcspc_unit": 1.6e-11, "tcspc_num_bins": 6250},
            "measurement_specs": {
                "measurement_type": "generic",
                "laser_repetition_rate": 1e7,
                "detectors_specs": {"split_ch1": np.array([0]), "split_ch2": np.array([1])},
            },
        },
        "setup": {
            "num_pixels": 2,
            "num_spots": 1,
            "num_spectral_ch": 1,
            "num_polarization_ch": 1,
            "num_split_ch": 2,
            "modulated_excitation": False,
            "lifetime": True,
            "excitation_alternated": [False],
            "excitation_cw": [False],
            "laser_repetition_rates": [1e7],
            "excitation_wavelengths": [4.5e-7],
            "detection_wavelengths": [5.2e-7],
        },
        "identity": {"author": "A", "author_affiliation": "B"},
    }
    hdf5.save_photon_hdf5(data, h5_fname=str(tmp_path / "theirs.h5"), close=True)
    again = read_stream(tmp_path / "theirs.h5")
    np.testing.assert_array_equal(again.load().macro, photons.macro)
    np.testing.assert_array_equal(again.load().nanotime, photons.nanotime)
    np.testing.assert_array_equal(again.load().channel, photons.channel)
    assert again.macro_is_sync and again.sync_period_ns == pytest.approx(100.0)


@pytest.mark.parametrize("mode", [2, 3])
def test_photon_hdf5_comes_back(mode, tmp_path):
    stream = hydraharp_stream(mode, tmp_path)
    path = write_photon_hdf5(stream, tmp_path / "a.h5")
    again = read_stream(path)
    for mine, other in ((again.load(), stream.load()), (next(again.markers()), next(stream.markers()))):
        np.testing.assert_array_equal(mine.macro, other.macro)
        np.testing.assert_array_equal(mine.channel, other.channel)
        assert (mine.nanotime is None and other.nanotime is None) or np.array_equal(
            mine.nanotime, other.nanotime
        )
    for name in ("macro_tick_ns", "nanotime_bin_ns", "sync_period_ns", "duration_s"):
        assert getattr(again, name) == (
            None if getattr(stream, name) is None else pytest.approx(getattr(stream, name), rel=1e-12)
        )
    assert again.macro_is_sync == stream.macro_is_sync
    assert again.photons_per_channel == stream.photons_per_channel
    assert again.markers_per_kind == stream.markers_per_kind


def test_parquet_comes_back_through_read_stream(tmp_path):
    _, words = words_of(RECORD_TYPES[0x01010304])
    stream = read_stream(write(tmp_path / "a.ptu", made.ptu_bytes(0x01010304, words)))
    again = read_stream(write_parquet_stream(stream, tmp_path / "a.parquet"))
    np.testing.assert_array_equal(again.load().macro, stream.load().macro)
    np.testing.assert_array_equal(again.load().nanotime, stream.load().nanotime)


def test_notes_of_a_stream_come_back_from_parquet(tmp_path):
    _, words = words_of(RECORD_TYPES[0x01010304])
    stream = read_stream(write(tmp_path / "a.ptu", made.ptu_bytes(0x01010304, words)))
    path = write_parquet_stream(replace(stream, notes=("simulated",)), tmp_path / "a.parquet")
    again = read_stream(path)
    assert again.notes == ("simulated",)
    assert "notes" not in dict(again.header)
    # written and read once more, nothing doubles
    assert read_stream(write_parquet_stream(again, tmp_path / "b.parquet")).notes == ("simulated",)
    said = json.loads((tmp_path / "a.json").read_text())
    (tmp_path / "a.json").write_text(json.dumps(said | {"notes": "simulated"}))
    with pytest.raises(InputError, match="no list of texts"):
        read_stream(path)


def test_survey_counts_every_record(tmp_path):
    kind = RECORD_TYPES[0x01010304]
    _, words = words_of(kind)
    path = write(tmp_path / "words", words.tobytes())
    from perolux.measured.picoquant_records import decoder

    found = survey(RecordFile(path, 0, len(words), decoder(kind, "x")))
    assert found.total + found.markers.sum() + found.overflow_records + found.invalid == len(words)
    ends = [part.wraps for part in slices(RecordFile(path, 0, len(words), decoder(kind, "x")), 7)]
    assert ends == sorted(ends)


@pytest.mark.slow
def test_a_big_file_streams_in_little_memory(tmp_path):
    """2e7 photons (80 MB): read by a process of its own that may not grow by 200 MB over an empty one."""
    import subprocess
    import sys

    rng = np.random.default_rng(2)
    block = 1_000_000
    words = (
        rng.integers(0, 2, block, dtype=np.uint32) << 25
        | rng.integers(20, 3000, block, dtype=np.uint32) << 10
    )
    words |= np.sort(rng.integers(0, 1024, block, dtype=np.uint32))
    words[-1] = 1 << 31 | 63 << 25 | 1
    path = tmp_path / "big.ptu"
    head = made.ptu_bytes(0x01010304, [], TTResult_NumberOfRecords=20 * block)
    with path.open("wb") as file:
        file.write(head)
        for _ in range(20):
            file.write(words.tobytes())
    code = (
        "import sys, numpy\n"
        # not ru_maxrss, which counts the parent of the process, too
        "def peak_kb():\n"
        "    lines = open('/proc/self/status').read().splitlines()\n"
        "    return int(next(line for line in lines if line.startswith('VmHWM')).split()[1])\n"
        "from perolux.measured import read_stream\n"
        "before = peak_kb()\n"
        "s = read_stream(sys.argv[1])\n"
        "n = sum(len(p) for p in s.chunks())\n"
        "print(n, len(s), (peak_kb() - before) // 1024)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    counted, known, grown_mb = map(int, done.stdout.split())
    assert counted == known == 20 * (block - 1)
    # one slice of 2e6 records and its columns are some 150 MB; all photons at once would be 260 MB and more
    assert grown_mb < 200
