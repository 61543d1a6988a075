"""Wrong records of photons: each is refused with its reason or read with a note."""

import importlib.util
from pathlib import Path

import h5py
import numpy as np
import pytest

from perolux.errors import InputError, OptionError, PeroluxError
from perolux.files import example_path
from perolux.measured import read_decay, read_stream, write_parquet_stream, write_photon_hdf5
from perolux.measured.photon_stream import stream_of_arrays
from perolux.measured.picoquant_records import RECORD_TYPES

_spec = importlib.util.spec_from_file_location("stream_files", Path(__file__).with_name("stream_files.py"))
made = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(made)
T3, T2 = 0x01010304, 0x01010204


def t3_words(**options):
    return made.hydraharp_words(made.events(**options), 3)


def ptu(tmp_path, code=T3, words=None, **tags):
    path = tmp_path / "dot.ptu"
    path.write_bytes(made.ptu_bytes(code, t3_words() if words is None else words, **tags))
    return path


def refused(path, *says, error=InputError, **options):
    with pytest.raises(error) as caught:
        read_stream(path, **options)
    for text in says:
        assert text in str(caught.value)


@pytest.mark.parametrize(
    "name", ["HydraHarp V2", "TimeHarp 260 Pico", "MultiHarp", "HydraHarp V1", "PicoHarp 300"]
)
@pytest.mark.parametrize("mode", [2, 3])
def test_records_of_the_other_mode_are_refused(name, mode, tmp_path):
    """T3 read as T2 (and the reverse) must name both, whatever the instrument."""
    real = next(k for k in RECORD_TYPES.values() if k.name.startswith(name) and k.mode == mode)
    events = made.events(4000, mode=mode, inputs=(1, 3), mean_gap=real.wrap // 3)
    version = 2 if real.counted_overflows else 1
    words = (
        made.picoharp_words(events, mode) if real.picoharp else made.hydraharp_words(events, mode, version)
    )
    path = ptu(tmp_path, real.code ^ 0x100, words, MeasDesc_AcquisitionTime=None)
    other = RECORD_TYPES[real.code ^ 0x100]
    refused(path, f"declares {other.name}", f"the records are T{mode}", real.name)


def test_mode_and_record_type_that_disagree(tmp_path):
    refused(ptu(tmp_path, Measurement_Mode=2), "Measurement_Mode says T2", "HydraHarp V2 T3")


def test_an_unknown_record_type_is_named(tmp_path):
    refused(ptu(tmp_path, TTResultFormat_TTTRRecType=0x00010399), "0x00010399", "MultiHarp")
    refused(ptu(tmp_path, TTResultFormat_TTTRRecType=None), "None")


def test_no_sync_rate_asks_for_the_option(tmp_path):
    path = ptu(tmp_path, MeasDesc_GlobalResolution=None, TTResult_SyncRate=None)
    refused(path, "--sync-period", error=OptionError)
    stream = read_stream(path, sync_period_ns=50.0)
    assert stream.sync_period_ns == stream.macro_tick_ns == 50.0
    assert any("50 ns" in note for note in stream.notes)
    # zero, as some software writes it, is no rate either
    refused(
        ptu(tmp_path, MeasDesc_GlobalResolution=0.0, TTResult_SyncRate=0), "--sync-period", error=OptionError
    )


def test_the_rate_alone_is_enough(tmp_path):
    stream = read_stream(ptu(tmp_path, MeasDesc_GlobalResolution=None, TTResult_SyncRate=5_000_000))
    assert stream.sync_period_ns == pytest.approx(200.0)


def test_an_option_against_the_file(tmp_path):
    refused(ptu(tmp_path), "100 ns", "12.5 ns", error=OptionError, sync_period_ns=12.5)
    for wrong in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(OptionError):
            read_stream(ptu(tmp_path), sync_period_ns=wrong)


def test_t2_has_no_nanotimes(tmp_path):
    """R6: absent, not zero, and nothing computes with them."""
    words = made.hydraharp_words(made.events(mode=2, mean_gap=10**7), 2)
    stream = read_stream(ptu(tmp_path, T2, words))
    assert stream.nanotime_bin_ns is None and not stream.macro_is_sync
    assert all(part.nanotime is None for part in stream.chunks(50))
    with pytest.raises(OptionError, match="--sync-period"):
        stream.needs_sync_period()
    write_photon_hdf5(stream, tmp_path / "t2.h5")
    with h5py.File(tmp_path / "t2.h5") as file:
        assert "nanotimes" not in file["photon_data"] and "laser_repetition_rates" not in file["setup"]
    write_parquet_stream(stream, tmp_path / "t2.parquet")
    assert read_stream(tmp_path / "t2.parquet").load().nanotime is None


def test_a_file_cut_off_among_its_records(tmp_path):
    words = t3_words()
    path = ptu(tmp_path, words=words)
    whole = read_stream(path).load()
    path.write_bytes(path.read_bytes()[: -4 * 100 - 2])
    stream = read_stream(path)
    part = stream.load()
    np.testing.assert_array_equal(part.macro, whole.macro[: len(part)])
    assert len(part) < len(whole)
    assert any(f"of {len(words)} records" in note for note in stream.notes)
    # the time that was asked for is not the time that is there
    assert stream.duration_s < 0.03


@pytest.mark.parametrize("left", [0, 5, 12, 30, 100, 700])
def test_a_header_cut_off(left, tmp_path):
    path = ptu(tmp_path)
    path.write_bytes(path.read_bytes()[:left])
    refused(path)


def test_no_count_of_records_reads_to_the_end(tmp_path):
    stream = read_stream(ptu(tmp_path, TTResult_NumberOfRecords=0))
    assert len(stream) == len(read_stream(ptu(tmp_path)))
    assert any("up to the end" in note for note in stream.notes)


def test_a_storm_of_overflows(tmp_path):
    storm = np.full(10_000, 1 << 31 | 63 << 25 | (1 << 25) - 1, "<u4")
    words = np.concatenate([storm, made.hydraharp_words(made.events(20, mode=2), 2)])
    refused(ptu(tmp_path, T2, words), "storm of overflows")
    # a few, but more than was measured
    refused(ptu(tmp_path, T2, words[9990:]), "span", "1 s were measured")


def test_overflows_and_markers_only(tmp_path):
    words = np.array([1 << 31 | 63 << 25 | 5, 1 << 31 | 2 << 25 | 7, 1 << 31 | 63 << 25 | 1], "<u4")
    refused(ptu(tmp_path, words=words), "no photon: 1 markers, 2 overflows")
    refused(ptu(tmp_path, words=words[:0]), "no")


def test_times_that_go_backwards(tmp_path):
    words = t3_words(markers=False)
    photons = np.flatnonzero(words >> 31 == 0)
    # two photons without an overflow between them change places
    at = photons[np.flatnonzero((np.diff(photons) == 1) & (np.diff(words[photons] & 1023) > 0))[0]]
    words[[at, at + 1]] = words[[at + 1, at]]
    refused(ptu(tmp_path, words=words), "1 times go backwards")


def test_one_detector_is_said(tmp_path):
    stream = read_stream(ptu(tmp_path, words=t3_words(inputs=(3,))))
    assert stream.channels == (3,)
    assert any("channel 3" in note for note in stream.notes)


def test_swapped_detectors_show_in_the_counts(tmp_path):
    """Nothing in a file tells which detector is which; the channels keep the numbers of their inputs."""
    words = t3_words(inputs=(0, 0, 1), markers=False)
    counts = read_stream(ptu(tmp_path, words=words)).photons_per_channel
    swapped = words.copy()
    swapped[words >> 31 == 0] ^= 1 << 25
    assert read_stream(ptu(tmp_path, words=swapped)).photons_per_channel == {0: counts[1], 1: counts[0]}


def test_nanotimes_beyond_the_period_are_said(tmp_path):
    stream = read_stream(ptu(tmp_path, MeasDesc_Resolution=1e-9))
    assert any("beyond the period" in note for note in stream.notes)


def test_tags_out_of_order_are_tolerated(tmp_path):
    data = made.ptu_bytes(T3, t3_words())
    odd = made.tag("HWInpChan_Enabled", True, 3)
    path = tmp_path / "a"
    path.write_bytes(data[:16] + odd + data[16:])
    assert any("HWInpChan_Enabled" in note for note in read_stream(path).notes)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"hello, world", "no record of single photons"),
        (b"PQHISTO\0" + bytes(100), "read_decay"),
        (made._legacy_text(b"TimeHarp 200", b"6.0"), "TimeHarp 200"),
        (made._legacy_text(b"PicoHarp 300", b"9.9"), "9.9"),
        (made._legacy_text(b"HydraHarp 400", b"1.0"), "breaks off"),
    ],
)
def test_other_files(data, says, tmp_path):
    (tmp_path / "a.ptu").write_bytes(data)
    refused(tmp_path / "a.ptu", says)


def test_missing_file_and_folder(tmp_path):
    refused(tmp_path / "none.ptu", "could not read")
    refused(tmp_path, "folder")


class TestContainers:
    """R1, second half: a .spc file in another container is refused, by its module and by its records."""

    @staticmethod
    def place(tmp_path, spc, module="SPC-150", code=0x28):
        (tmp_path / "a.spc").write_bytes(spc)
        (tmp_path / "a.set").write_bytes(made.set_bytes(module, code))
        return tmp_path / "a.spc"

    @pytest.mark.parametrize(
        ("module", "code"), [("SPC-QC-104", 0x8B), ("SPC-600", 0x21), ("SPC-630", 0x22), ("DPC-230", 0x29)]
    )
    def test_by_module(self, module, code, tmp_path):
        real = (example_path("bh_spc_noise") / "test_noise.spc").read_bytes()
        refused(self.place(tmp_path, real, module, code), module, "another layout")

    def test_by_records_qc(self, tmp_path):
        _, macro, nanotime, channel = made.events(3000, mean_gap=3000, markers=False)
        words = [0x80000000 | 500]
        passed = 0
        for time, nano, ch in zip(macro, nanotime, channel, strict=True):
            words += [0x80000000] * (int(time) // 4096 - passed)
            passed = int(time) // 4096
            words.append(int(ch) << 28 | int(nano) << 16 | int(time) % 4096)
        refused(self.place(tmp_path, np.array(words, "<u4").tobytes()), "another container", "SPC-QC")

    def test_by_records_600_48_bit(self, tmp_path):
        _, macro, nanotime, channel = made.events(3000, mean_gap=3000, markers=False)
        raw = np.zeros((3001, 3), "<u2")
        raw[0] = 500, 0x8000, 0
        raw[1:, 0] = 4095 - nanotime
        raw[1:, 1] = channel << 8 | macro >> 16 & 0xFF
        raw[1:, 2] = macro & 0xFFFF
        refused(self.place(tmp_path, raw.tobytes()))
        # with as many bytes as 32-bit records have, order gives it away
        refused(self.place(tmp_path, raw[:-1].tobytes()), "SPC-600 with 48 bits")

    def test_by_records_600_32_bit(self, tmp_path):
        _, macro, nanotime, channel = made.events(3000, mean_gap=3000, markers=False)
        turn = np.diff(macro >> 17, prepend=0)
        assert turn.max() == 1
        words = (4095 - nanotime) & 0xFF | (macro & 0x1FFFF) << 8 | channel << 25 | turn << 30
        data = np.concatenate([[0x80000000 | 500], words]).astype("<u4").tobytes()
        refused(self.place(tmp_path, data), "SPC-600 with 32 bits")

    def test_length_header_and_set(self, tmp_path):
        real = (example_path("bh_spc_noise") / "test_noise.spc").read_bytes()
        refused(self.place(tmp_path, real[:-1]), "no whole number")
        refused(self.place(tmp_path, bytes(4) + real[4:]), "first word")
        refused(self.place(tmp_path, real, "SPC-600", 0x28), "by its code", "by its text")
        (tmp_path / "a.set").write_bytes(b"nothing")
        refused(tmp_path / "a.spc", "*IDENTIFICATION")
        (tmp_path / "a.set").unlink()
        refused(tmp_path / "a.spc", "a.set", "not beside it")


class TestHdf5:
    @staticmethod
    def file(tmp_path, **changes):
        rng = np.random.default_rng(0)
        stream = stream_of_arrays(
            np.cumsum(rng.integers(1, 9, 300)),
            rng.integers(0, 2, 300),
            nanotime=rng.integers(0, 900, 300),
            macro_tick_ns=100.0,
            nanotime_bin_ns=0.1,
            sync_period_ns=100.0,
            duration_s=1.0,
        )
        return write_photon_hdf5(stream, tmp_path / "a.h5")

    @pytest.mark.parametrize("kind", ["soft", "external"])
    def test_links_are_not_followed(self, kind, tmp_path):
        path = self.file(tmp_path)
        self.file(tmp_path / "b")
        with h5py.File(path, "a") as file:
            del file["photon_data/detectors"]
            file["photon_data/detectors"] = (
                h5py.SoftLink("/photon_data/timestamps")
                if kind == "soft"
                else h5py.ExternalLink(str(tmp_path / "b" / "a.h5"), "/photon_data/detectors")
            )
        refused(path, "link")

    def test_data_outside_the_file(self, tmp_path):
        path = self.file(tmp_path)
        with h5py.File(path, "a") as file:
            del file["photon_data/nanotimes"]
            (tmp_path / "raw").write_bytes(bytes(4 * 300))
            file["photon_data"].create_dataset(
                "nanotimes", (300,), "i4", external=[(str(tmp_path / "raw"), 0, 1200)]
            )
        refused(path, "outside the file")

    def test_sizes_are_checked_before_reading(self, tmp_path):
        path = self.file(tmp_path)
        with h5py.File(path, "a") as file:
            for name, kind in (("timestamps", "i8"), ("detectors", "u1"), ("nanotimes", "i4")):
                del file[f"photon_data/{name}"]
                file["photon_data"].create_dataset(name, (10**15,), kind, chunks=(1024,))
        refused(path, "claims")

    @pytest.mark.parametrize(
        ("field", "value", "says"),
        [
            ("photon_data/timestamps", None, "timestamps is missing"),
            ("photon_data/timestamps", np.zeros(300), "whole numbers"),
            ("photon_data/timestamps", np.arange(300)[::-1], "go backwards"),
            ("photon_data/timestamps", np.arange(299), "unequal length"),
            ("photon_data/detectors", np.full(300, 300), "leaves its range"),
            ("photon_data/timestamps_specs/timestamps_unit", 0.0, "timestamps_unit is 0"),
            ("photon_data/timestamps_specs/timestamps_unit", None, "timestamps_unit is missing"),
            ("acquisition_duration", 1e-9, "after the end"),
            ("photon_data", None, "without the group"),
        ],
    )
    def test_fields(self, field, value, says, tmp_path):
        path = self.file(tmp_path)
        with h5py.File(path, "a") as file:
            del file[field]
            if value is not None:
                file[field] = value
        refused(path, says)

    def test_no_detectors_is_one_detector(self, tmp_path):
        path = self.file(tmp_path)
        with h5py.File(path, "a") as file:
            del file["photon_data/detectors"]
        assert read_stream(path).photons_per_channel == {0: 300}

    def test_channels_that_are_no_photons_are_markers(self, tmp_path):
        path = self.file(tmp_path)
        whole = read_stream(path).load()
        with h5py.File(path, "a") as file:
            file["photon_data/measurement_specs/detectors_specs/non_photon_id1"] = np.array([1], np.uint8)
        stream = read_stream(path)
        np.testing.assert_array_equal(stream.load().macro, whole.macro[whole.channel == 0])
        np.testing.assert_array_equal(stream.load().nanotime, whole.nanotime[whole.channel == 0])
        assert stream.markers_per_kind == {1: int((whole.channel == 1).sum())}
        np.testing.assert_array_equal(next(stream.markers()).macro, whole.macro[whole.channel == 1])

    @pytest.mark.parametrize("units", [[1e-10, 1e-10], [1e-10, 2e-10]])
    def test_bins_of_each_detector(self, units, tmp_path):
        path = self.file(tmp_path)
        with h5py.File(path, "a") as file:
            del file["photon_data/nanotimes_specs"]
            file["setup/detectors/tcspc_units"] = np.array(units)
        if units[0] == units[1]:
            assert read_stream(path).nanotime_bin_ns == pytest.approx(0.1)
        else:
            refused(path, "different length")

    def test_spots_are_asked_for(self, tmp_path):
        path = self.file(tmp_path)
        with h5py.File(path, "a") as file:
            file.copy("photon_data", "photon_data1")
            file.move("photon_data", "photon_data0")
        refused(path, "photon_data0, photon_data1", error=OptionError)
        refused(path, "no group", error=OptionError, group="photon_data7")
        assert len(read_stream(path, group="photon_data1")) == 300

    def test_nanotimes_cannot_be_written_without_the_period(self, tmp_path):
        stream = read_stream(example_path("bh_spc_noise") / "test_noise.spc")
        with pytest.raises(OptionError, match="--sync-period"):
            write_photon_hdf5(stream, tmp_path / "a.h5")
        assert list(tmp_path.iterdir()) == []
        stream = read_stream(example_path("bh_spc_noise") / "test_noise.spc", sync_period_ns=50.0)
        again = read_stream(write_photon_hdf5(stream, tmp_path / "a.h5"))
        np.testing.assert_array_equal(again.load().nanotime, stream.load().nanotime)
        assert not again.macro_is_sync


class TestHistograms:
    CURVES = (np.arange(64), np.zeros(64, int), np.arange(64)[::-1] + 1)

    @pytest.mark.parametrize("kind", ["phu", "sdt"])
    def test_curves(self, kind, tmp_path):
        data = made.phu_bytes(self.CURVES) if kind == "phu" else made.sdt_bytes(self.CURVES)
        path = tmp_path / "decay.bin"
        path.write_bytes(data)
        with pytest.raises(OptionError) as caught:
            read_decay(path)
        assert "3 curves, 2 with counts" in str(caught.value) and "2080 counts" in str(caught.value)
        for number, counts in enumerate(self.CURVES, 1):
            if counts.any():
                decay = read_decay(path, curve=number)
                np.testing.assert_array_equal(decay.counts, counts)
                step = 0.016 if kind == "phu" else 5e-8 / 64 * 1e9
                np.testing.assert_allclose(decay.time_ns, step * np.arange(64), rtol=1e-6)
        for wrong in (0, 4, -1):
            with pytest.raises(OptionError, match="no curve"):
                read_decay(path, curve=wrong)
        with pytest.raises(InputError, match="no counts"):
            read_decay(path, curve=2)
        with pytest.raises(OptionError, match="time unit"):
            read_decay(path, curve=1, time_unit="ns")
        path.write_bytes(data[:-20])
        with pytest.raises(InputError):
            read_decay(path, curve=1)

    def test_packed_blocks(self, tmp_path):
        path = tmp_path / "a.sdt"
        path.write_bytes(made.sdt_bytes(self.CURVES, packed=True))
        np.testing.assert_array_equal(read_decay(path, curve=3).counts, self.CURVES[2])
        # 1 GB from a few hundred bytes
        path.write_bytes(made.sdt_bytes(self.CURVES, packed=True, claimed=1 << 30))
        with pytest.raises(InputError, match="claims"):
            read_decay(path, curve=3)

    def test_the_only_curve_with_counts_is_taken(self, tmp_path):
        path = tmp_path / "a"
        path.write_bytes(made.phu_bytes(self.CURVES[:2]))
        assert any("only one of 2" in note for note in read_decay(path).notes)

    def test_phu_as_ptufile_reads_it(self, tmp_path):
        ptufile = pytest.importorskip("ptufile")
        path = tmp_path / "a.phu"
        path.write_bytes(made.phu_bytes(self.CURVES))
        with ptufile.PhuFile(path) as file:
            theirs = file.histograms()
        np.testing.assert_array_equal(read_decay(path, curve=3).counts, theirs[2])

    def test_a_text_has_one_curve(self, tmp_path):
        (tmp_path / "a.txt").write_text("t (ns), counts\n" + "".join(f"{k},{k}\n" for k in range(9)))
        with pytest.raises(OptionError, match="one curve"):
            read_decay(tmp_path / "a.txt", curve=1)


def test_every_error_names_the_file(tmp_path):
    path = ptu(tmp_path, TTResultFormat_TTTRRecType=1)
    with pytest.raises(PeroluxError) as caught:
        read_stream(path)
    assert all(problem.where and str(path) in problem.where for problem in caught.value.problems)
