"""Bad input: a clear error that says what, where and how to mend it; no traceback, no silent loss."""

import os
import time

import numpy as np
import pytest

from perolux.errors import InputError, OptionError
from perolux.measured import read, read_decay, read_facts, read_many, read_table
from perolux.measured.decays import decay_from_bytes, table_from_bytes
from perolux.measured.flags import FLAGS, with_flags
from perolux.measured.reading import read_bytes

ROWS = [f"{400 + k},{10 + k}" for k in range(20)]


def fails(text, match, **options):
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises((InputError, OptionError), match=match) as caught:
        read_bytes(data, "run.csv", **options)
    assert "run.csv" in str(caught.value) or isinstance(caught.value, OptionError)
    return caught.value


def edited(line, new):
    return "\n".join(["Wavelength (nm),PL", *ROWS[:line], new, *ROWS[line + 1 :]])


def test_empty_and_blank_files():
    fails(b"", "empty")
    fails(" \n\t\n", "white space")
    fails(b"\xff\xfe", "no text|white")


def test_header_only():
    fails("Wavelength (nm),PL\n", "header only")


def test_fewer_than_five_points():
    fails("Wavelength (nm),PL\n400,1\n401,2\n402,3\n403,4\n", "4 points")


def test_one_column():
    fails("\n".join(str(k) for k in range(400, 420)), "one column")


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "PNG picture"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "JPEG"),
        (b"PK\x03\x04\x14\x00\x06\x00", "Office"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "old Office"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"\x89HDF\r\n\x1a\n", "HDF5"),
        (b"PAR1\x15\x00", "Parquet"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"\x00\x01\x02\x03\x04\x05" * 50, "no text"),
        (bytes(range(256)) * 4, "no text"),
    ],
)
def test_binary_content_is_named_whatever_the_extension(data, what):
    fails(data, what)


def test_text_in_a_cell_is_an_error_with_its_line():
    error = fails(edited(7, "407,1x7"), "line 9, column 2: '1x7'")
    assert "mend" in str(error)


def test_a_fault_in_the_first_row_makes_it_no_header():
    fails(edited(0, "400,1x0"), "like a row")
    fails("\n".join(["400,1x0", *ROWS[1:]]), "like a row")


def test_a_row_broken_in_the_middle_is_no_end_of_the_data():
    fails(edited(7, "4O7,17"), "interrupted")
    fails(edited(18, "4l8,17"), "interrupted")
    fails(edited(1, "4O1,17"), "interrupted")


def test_two_tables_in_one_file():
    fails("\n".join([*ROWS, "second scan", *ROWS]), "interrupted")


def test_an_axis_that_turns_round():
    error = fails(edited(7, "390,17"), "one direction")
    assert "line 9: 390 after 406" in str(error)


def test_a_repeated_axis_value_names_both_lines():
    fails(edited(7, "406,17"), "406 in lines 8 and 9")


def test_all_problems_come_at_once():
    text = edited(7, "406,1x7").replace("415,", "515,")
    error = fails(text, "hold no number")
    assert len(error.problems) == 3
    assert "more than once" in str(error)
    assert "one direction" in str(error)


def test_wrong_unit():
    error = fails("Energy (eV),PL\n" + "\n".join(ROWS), "wrong unit")
    assert 'axis_unit="nm"' in str(error)
    energies = "\n".join(f"{2 + k / 50},{k}" for k in range(20))
    assert 'axis_unit="eV"' in str(fails("Wavelength (nm),PL\n" + energies, "wrong unit"))


def test_the_user_overrules_a_wrong_header_and_it_is_noted():
    spectra = read_bytes(("Energy (eV),PL\n" + "\n".join(ROWS)).encode(), axis_unit="nm")
    assert spectra[0].wavelength_nm[0] == 400
    assert any("as asked" in note for note in spectra.notes)
    assert ("axis_unit", "nm") in spectra[0].source.options


def test_a_unit_that_the_numbers_forbid_is_refused_even_if_said():
    fails("\n".join(ROWS), "the call says eV", axis_unit="eV")


@pytest.mark.parametrize("header", ["Raman shift,Counts", "Wavelength (\u00b5m),Counts", "Energy (meV),PL"])
def test_axes_that_are_not_supported_are_named(header):
    fails(header + "\n" + "\n".join(ROWS), "no optical axis")


def test_a_header_that_names_two_units():
    fails("Wavelength nm / eV,PL\n" + "\n".join(ROWS), "two units")


def test_transmittance_is_no_absorbance():
    fails("Wavelength (nm),%T\n" + "\n".join(ROWS), "-log10")


def test_kind_that_contradicts_the_header():
    fails("Wavelength (nm),Abs\n" + "\n".join(ROWS), "header of the file says this is absorbance", kind="pl")


@pytest.mark.parametrize(
    "options",
    [
        {"kind": "emission"},
        {"axis_unit": "meV"},
        {"delimiter": "|"},
        {"decimal": "x"},
        {"delimiter": ",", "decimal": ","},
    ],
)
def test_unknown_options(options):
    with pytest.raises(OptionError):
        read_bytes("\n".join(ROWS).encode(), **options)


def test_thousands_or_decimals_is_asked():
    text = "\n".join(f"{400 + k}\t{1 + k},{100 + k}" for k in range(20))
    fails(text, 'decimal=","')
    assert read_bytes(text.encode(), decimal=",")[0].values[0] == 1.1


def test_a_decimal_comma_between_commas_is_noticed():
    rows = "\n".join(f"{400 + k},5,{10 + k},25" for k in range(20))
    fails("Wavelength (nm),PL\n" + rows, "decimal sign as well")


def test_negative_counts_are_kept_and_flagged():
    spectrum = read_bytes(edited(7, "407,-17").encode())[0]
    assert spectrum.values.min() == -17
    assert "negative-counts" in spectrum.flags


def test_infinite_and_huge_numbers():
    spectrum = read_bytes(edited(7, "407,inf").encode())[0]
    assert len(spectrum) == 19
    spectrum = read_bytes(edited(7, "407,1e999").encode())[0]
    assert "missing-points" in spectrum.flags
    fails(edited(7, "1e999,5"), "interrupted|no number")


def test_numbers_with_underscores_are_no_numbers():
    fails(edited(7, "407,1_7"), "1_7")


def test_terminal_escapes_in_names_are_removed():
    spectra = read_bytes(
        ("Wavelength (nm),a\x1b[2Jb,c\n" + "\n".join(f"{row},1" for row in ROWS)).encode() + b" " * 3000
    )
    assert all(label.isprintable() for label in spectra.labels)


@pytest.mark.parametrize("name", ["g2.txt", "corr_unseg.txt"])
def test_decays_are_refused_with_the_name_of_their_reader(name):
    from perolux.files import example_path

    with pytest.raises(InputError, match="read_decay"):
        read(example_path("single_dot") / name)


@pytest.mark.parametrize("name", ["segments.csv", "Houel_autocorr.txt", "switchinghist.txt"])
def test_other_tables_are_refused_with_the_name_of_their_reader(name):
    from perolux.files import example_path

    with pytest.raises(InputError, match="read_table"):
        read(example_path("single_dot") / name)


def test_missing_file_folder_device_and_permissions(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="holds no file"):
        read(tmp_path)
    with pytest.raises(InputError, match="device"):
        read("/dev/zero")
    with pytest.raises(InputError):
        read("bad\0name.csv")
    locked = tmp_path / "locked.csv"
    locked.write_text("\n".join(ROWS))
    locked.chmod(0)
    if not os.access(locked, os.R_OK):
        with pytest.raises(InputError, match="permission"):
            read(locked)


def test_a_two_gigabyte_file_is_refused_before_it_is_read(tmp_path):
    big = tmp_path / "big.csv"
    with big.open("wb") as file:
        file.truncate(2 * 2**30)
    start = time.perf_counter()
    with pytest.raises(InputError, match="max_bytes"):
        read(big)
    assert time.perf_counter() - start < 0.5  # reading 2 GiB takes longer than looking up its size
    with pytest.raises(InputError, match="max_bytes"):
        read_bytes(b"400,1\n" * 10, max_bytes=20)


def test_too_many_columns():
    line = ",".join(str(k) for k in range(400, 10_500))
    fails("\n".join([line] * 6), "columns")


def test_a_folder_reports_the_files_that_fail(tmp_path):
    (tmp_path / "a.csv").write_text("\n".join(ROWS))
    (tmp_path / "b.csv").write_text("")
    (tmp_path / "c.txt").write_text("\n".join(ROWS).replace(",", "\t"))
    spectra = read(tmp_path)
    assert spectra.labels == ("a", "c")
    assert any("b.csv was not read" in note for note in spectra.notes)
    sets, errors = read_many(sorted(tmp_path.iterdir()))
    assert (len(sets), len(errors)) == (2, 1)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("tau (ns), counts\n" + "\n".join(f"{k / 10}, {5.5 + k}" for k in range(20)), "hold no count"),
        ("tau (ns), counts\n" + "\n".join(f"{k / 10}, {k - 5}" for k in range(20)), "hold no count"),
        ("tau (ns), counts\n" + "\n".join(f"{(7 - k) ** 2}, {k}" for k in range(20)), "do not follow"),
        ("tau, counts\n" + "\n".join(f"{k / 10}, {k}" for k in range(20)), "time_unit"),
        ("tau (ns), a, b\n" + "\n".join(f"{k / 10}, {k}, 1" for k in range(20)), "read_table"),
    ],
)
def test_faults_of_decays(text, match):
    with pytest.raises(InputError, match=match):
        decay_from_bytes(text.encode(), "decay.txt")


def test_time_units_of_decays():
    text = "\n".join(f"{k}\t{k}" for k in range(20))
    assert decay_from_bytes(text.encode(), "a.txt", time_unit="us").time_ns[1] == 1000.0
    assert decay_from_bytes(("time (ps)\tcounts\n" + text).encode(), "a.txt").step_ns == pytest.approx(1e-3)
    with pytest.raises(OptionError):
        decay_from_bytes(text.encode(), "a.txt", time_unit="fortnight")


def test_tables_with_holes_are_refused():
    with pytest.raises(InputError, match="empty cells"):
        table_from_bytes(b"a,b\n1,2\n3,\n4,5\n", "t.csv")
    with pytest.raises(InputError, match="no such file"):
        read_table("absent.csv")
    with pytest.raises(InputError, match="no such file"):
        read_decay("absent.csv")
    with pytest.raises(InputError, match="no such file"):
        read_facts("absent.csv")


def test_every_flag_is_explained_and_unknown_ones_are_bugs():
    assert all(name == name.lower() and " " not in name and meaning for name, meaning in FLAGS.items())
    with pytest.raises(ValueError, match="not in"):
        with_flags((), "no-such-flag")


def test_the_arrays_cannot_be_changed():
    spectrum = read_bytes("\n".join(ROWS).encode())[0]
    with pytest.raises(ValueError, match="read-only"):
        spectrum.values[0] = 1
    assert np.array_equal(spectrum.values, np.arange(10.0, 30.0))


def test_odd_white_space_around_a_number_is_white_space():
    """0x1c to 0x1f are white space for str.strip, but float alone refuses them."""
    lines = [f"{400 + k / 100:.2f}\t{10 + k}" for k in range(9000)]
    lines[8990] = "489.90\t\x1c13\x1f"
    spectrum = read_bytes(("Wavelength (nm)\tPL\n" + "\n".join(lines)).encode())[0]
    assert spectrum.values[8990] == 13.0
