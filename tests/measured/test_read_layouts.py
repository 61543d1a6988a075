"""Layouts of common instruments and programs, written here as their exports look."""

import contextlib
import io

import numpy as np
import pytest

from perolux.errors import InputError
from perolux.measured.reading import read_bytes

AXIS = np.arange(450.0, 470.0)
SIGNAL = np.round(1000 * np.exp(-(((AXIS - 460) / 4) ** 2)), 3)


def table(delimiter=",", header=None, decimal=".", axis=AXIS, values=SIGNAL, end="\n"):
    rows = [f"{x:.7g}{delimiter}{y:.7g}".replace(".", decimal) for x, y in zip(axis, values, strict=True)]
    return end.join(([header] if header else []) + rows) + end


def one(text, name="film.txt", **options):
    spectra = read_bytes(text.encode() if isinstance(text, str) else text, name, **options)
    assert len(spectra) == 1
    return spectra[0]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", " ", "   ", " , ", ", "])
@pytest.mark.parametrize("header", [None, "axis"])
def test_two_columns_of_any_delimiter(delimiter, header):
    first = None if header is None else f"Wavelength (nm){delimiter.strip() or chr(9)}Intensity"
    spectrum = one(table(delimiter, first))
    assert np.array_equal(spectrum.wavelength_nm, AXIS)
    assert np.array_equal(spectrum.values, SIGNAL)
    assert spectrum.label == "film"
    assert ("unit-inferred" in spectrum.flags) == (header is None)


@pytest.mark.parametrize("delimiter", [";", "\t", " "])
def test_decimal_comma(delimiter):
    spectra = read_bytes(table(delimiter, None, ",").encode(), "film.csv")
    assert np.array_equal(spectra[0].values, SIGNAL)
    assert any("decimal comma" in note for note in spectra.notes)


@pytest.mark.parametrize("mark", ["#", "%", "//", "!", ";"])
def test_comments_above_and_between_rows(mark):
    rows = table("\t").splitlines()
    rows.insert(7, f"{mark} shutter closed")
    spectrum = one("\n".join([f"{mark} a comment", f"{mark} sample: A7", *rows]))
    assert np.array_equal(spectrum.values, SIGNAL)


def test_comment_header_names_the_columns():
    spectrum = one("# Wavelength(nm) PL\n" + table(" "))
    assert spectrum.kind == "pl"
    assert "unit-inferred" not in spectrum.flags


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n", "\n\n"])
def test_line_ends(end):
    assert np.array_equal(one(table(end=end)).values, SIGNAL)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"]
)
def test_encodings(encoding):
    spectrum = one(table(",", "Wavelength (nm),PL \u00b5-spot").encode(encoding))
    assert np.array_equal(spectrum.values, SIGNAL)
    assert spectrum.kind == "pl"


def test_units_row_below_the_names():
    spectra = read_bytes(("Wavelength,A1,B2\nnm,counts,counts\n" + wide(2)).encode())
    assert spectra.labels == ("A1", "B2")
    assert spectra[0].axis_unit == "nm"
    assert spectra[0].value_unit == "counts"
    assert "unit-inferred" not in spectra[0].flags


def wide(count, delimiter=","):
    return "\n".join(
        delimiter.join([f"{x:g}", *(f"{y * (k + 1):.7g}" for k in range(count))])
        for x, y in zip(AXIS, SIGNAL, strict=True)
    )


def test_cary_scans_side_by_side_with_own_axes_and_a_log():
    longer = np.arange(440.0, 475.0)
    rows = ["Baseline 100%T,,sample 1,,sample 2,,", "Wavelength (nm),%T," + "Wavelength (nm),Abs," * 2]
    for k, x in enumerate(longer[::-1]):
        second = f"{AXIS[::-1][k]:.5f},{0.1 + k / 100:.5f}," if k < len(AXIS) else ",,"
        rows.append(f"{x:.5f},99.1,{second}{x:.5f},{0.2 + k / 100:.5f},")
    rows += ["", "sample 1", "Collection Time: 11/4/2022 10:00:00", "Scan rate (nm/min),600.000", "UV-Vis"]
    spectra = read_bytes("\n".join(rows).encode(), "cary.csv")
    assert spectra.labels == ("sample 1", "sample 2")
    assert [len(spectrum) for spectrum in spectra] == [20, 35]
    assert {spectrum.kind for spectrum in spectra} == {"absorbance"}
    assert spectra["sample 1"].values[-1] == 0.1
    assert spectra["sample 2"].wavelength_nm[0] == 440.0
    assert any("%T" in note for note in spectra.notes)
    assert "trailing-log-dropped" in spectra[0].flags


def test_a_first_scan_shorter_than_the_second_loses_nothing():
    rows = ["a,,b,,", "Wavelength (nm),Abs,Wavelength (nm),Abs,"]
    for k in range(30):
        first = f"{500 - k},0.1," if k < 12 else ",,"
        rows.append(f"{first}{600 - k},0.2,")
    spectra = read_bytes("\n".join(rows).encode(), "cary.csv")
    assert [len(spectrum) for spectrum in spectra] == [12, 30]


def test_repeated_axis_without_header():
    rows = [f"{x:g};{y};{x:g};{2 * y}" for x, y in zip(AXIS, SIGNAL, strict=True)]
    spectra = read_bytes("\n".join(rows).encode())
    assert len(spectra) == 2
    assert np.array_equal(spectra[1].values, 2 * SIGNAL)


def test_energy_and_wavenumber_axes():
    energy = np.linspace(2.2, 2.6, 41)
    rows = "Energy (eV)\tPL\n" + "\n".join(
        f"{e:.4f}\t{np.exp(-(((e - 2.4) / 0.05) ** 2)):.6f}" for e in energy
    )
    spectrum = one(rows)
    assert spectrum.axis_unit == "eV"
    assert spectrum.wavelength_nm[0] == pytest.approx(
        1239.841984 / 2.6, rel=1e-9
    )  # hc of the chapter, 9 digits
    assert "irregular-grid" not in spectrum.flags
    per_ev = spectrum.per_ev()
    assert np.all(np.diff(per_ev[0]) > 0)
    numbers = "Wavenumber (cm-1),Abs\n" + "\n".join(f"{v},{0.1}" for v in range(25000, 15000, -500))
    spectrum = one(numbers)
    assert spectrum.axis_unit == "cm-1"
    assert spectrum.wavelength_nm[0] == 400.0
    assert "descending-axis" in spectrum.flags


@pytest.mark.parametrize(
    ("axis", "unit"),
    [
        (np.arange(400.0, 420), "nm"),
        (np.linspace(2.0, 2.8, 20), "eV"),
        (np.arange(15000.0, 25000, 500), "cm-1"),
    ],
)
def test_unit_is_inferred_where_numbers_allow_one_only(axis, unit):
    spectrum = one(table(axis=axis, values=np.arange(20.0)))
    assert spectrum.axis_unit == unit
    assert "unit-inferred" in spectrum.flags


@pytest.mark.parametrize("axis", [np.linspace(0.4, 0.8, 20), np.linspace(2600, 4500, 20), np.arange(20.0)])
def test_undecidable_unit_asks_for_the_option(axis):
    with pytest.raises(InputError, match=r"axis_unit.*--axis-unit"):
        one(table(axis=axis, values=np.arange(20.0)))


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("Wavelength (nm),Abs", "absorbance"),
        ("Wavelength nm.,Absorbance (a.u.)", "absorbance"),
        ("Wavelength (nm),PL intensity", "pl"),
        ("nm,Photoluminescence", "pl"),
        ("Emission wavelength (nm),Intensity", "pl"),
        ("Excitation wavelength (nm),Intensity", "excitation"),
        ("Wavelength (nm),PLE", "excitation"),
        ("Wavelength (nm),Intensity (counts)", "unknown"),
        ("Wavelength (nm),Signal", "unknown"),
    ],
)
def test_kind_from_the_header(header, kind):
    spectrum = one(table(header=header))
    assert spectrum.kind == kind
    assert ("kind-from-header" in spectrum.flags) == (kind != "unknown")


def test_settings_of_the_instrument_do_not_decide_the_kind():
    head = "Excitation wavelength: 365 nm\nEmission slit: 2 nm\nOperator: A. B.\n\n"
    spectrum = one(head + table("\t", "Wavelength\tCounts"))
    assert spectrum.kind == "unknown"
    assert dict(spectrum.header)["Operator"] == "A. B."


def test_prose_head_can_say_the_kind_and_the_user_may_overrule_it():
    head = "UV-Vis absorption of batch 12\n\n"
    assert one(head + table("\t")).kind == "absorbance"
    spectra = read_bytes((head + table("\t")).encode(), kind="pl")
    assert spectra[0].kind == "pl"
    assert any("as asked" in note for note in spectra.notes)


def test_uncertainty_columns_are_left_out_with_a_note():
    spectra = read_bytes(("Wavelength (nm),Counts,Error\n" + wide(2)).encode(), "a.csv")
    assert spectra.labels == ("a",)
    assert "columns-left-out" in spectra[0].flags


def test_pixel_column_before_the_axis():
    rows = "\n".join(f"{k},{x:g},{y}" for k, (x, y) in enumerate(zip(AXIS, SIGNAL, strict=True)))
    spectrum = one("Pixel,Wavelength (nm),Counts\n" + rows)
    assert np.array_equal(spectrum.wavelength_nm, AXIS)
    assert "columns-left-out" in spectrum.flags


def test_names_that_occur_twice_are_numbered():
    spectra = read_bytes(("nm,x,x,x\n" + wide(3)).encode())
    assert spectra.labels == ("x", "x (2)", "x (3)")


def test_quoted_cells_and_trailing_delimiters():
    rows = "\n".join(f'"{x:g}","{y}",' for x, y in zip(AXIS, SIGNAL, strict=True))
    spectrum = one('"Wavelength nm.","Abs."\n' + rows)
    assert spectrum.kind == "absorbance"
    assert np.array_equal(spectrum.values, SIGNAL)


def test_fluoressence_style_names_and_units():
    spectrum = one("Wavelength\tS1c / R1c\nnm\tCPS / MicroAmps\n" + table("\t"), "dot 4.txt")
    assert spectrum.label == "dot 4"
    assert spectrum.axis_unit == "nm"


def test_missing_points_are_left_out_and_said():
    rows = table(",", "Wavelength (nm),PL").splitlines()
    rows[4] = rows[4].split(",")[0] + ",NaN"
    rows[9] = rows[9].split(",")[0] + ","
    spectra = read_bytes("\n".join(rows).encode())
    assert len(spectra[0]) == len(AXIS) - 2
    assert "missing-points" in spectra[0].flags
    assert any("2 points" in note for note in spectra.notes)
    assert np.isfinite(spectra[0].values).all()


def test_one_empty_column_does_not_stop_the_others():
    rows = ["Wavelength (nm),a,b"] + [
        f"{x:g},{y},{'' if x > 452 else 1}" for x, y in zip(AXIS, SIGNAL, strict=True)
    ]
    spectra = read_bytes("\n".join(rows).encode())
    assert spectra.labels == ("a",)
    assert any("b" in note and "points" in note for note in spectra.notes)


OCEAN = """Data from film_1.txt Node

Date: Mon Nov 17 14:18:29 CET 2025
User: lab
Spectrometer: USB4F03499
Integration Time (sec): 1.000000E-1
Scans to average: 5
Nonlinearity correction enabled: true
XAxis mode: Wavelengths
Number of Pixels in Spectrum: 20
>>>>>Begin Spectral Data<<<<<
"""


@pytest.mark.parametrize("decimal", [".", ","])
def test_ocean_optics(decimal):
    spectrum = one(OCEAN + table("\t", decimal=decimal), "film_1.txt")
    assert spectrum.source.reader == "ocean-optics"
    assert spectrum.source.from_documentation
    assert "from-documentation" in spectrum.flags
    assert spectrum.instrument == "USB4F03499"
    assert dict(spectrum.header)["Integration Time (sec)"] == "1.000000E-1"
    assert spectrum.axis_unit == "nm"
    assert "unit-inferred" not in spectrum.flags
    assert np.array_equal(spectrum.values, SIGNAL)
    assert spectrum.kind == "unknown"


def test_spectrasuite_with_an_end_mark():
    head = OCEAN.replace("Begin Spectral", "Begin Processed Spectral").replace(
        "XAxis mode: Wavelengths\n", ""
    )
    spectrum = one(head + table("\t") + ">>>>>End Processed Spectral Data<<<<<\n", kind="pl")
    assert np.array_equal(spectrum.values, SIGNAL)
    assert "trailing-log-dropped" not in spectrum.flags


def test_jaz_takes_the_processed_column():
    rows = "\n".join(f"{x:.2f}\t10\t{y:.3f}\t{y - 10:.3f}" for x, y in zip(AXIS, SIGNAL, strict=True))
    spectrum = one("Jaz Data File\n" + OCEAN + "W\tD\tS\tP\n" + rows)
    assert np.allclose(spectrum.values, SIGNAL - 10, atol=1e-9)  # one subtraction, printed with 3 digits


def test_ocean_optics_in_another_axis_mode_is_refused():
    with pytest.raises(InputError, match="Raman"):
        one(OCEAN.replace("Wavelengths", "Raman Shifts") + table("\t"))


EDINBURGH = """Labels,sample A,sample B,
Type,Emission Scan,Emission Scan,
Start,450.00,450.00,
Stop,469.00,469.00,
Step,1.00,1.00,
Fixed/Offset,365.00,365.00,
Xaxis,Wavelength(nm),Wavelength(nm),
Yaxis,Counts,Counts,
Scan No,1 of 1,1 of 1,

"""


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_edinburgh(delimiter):
    text = EDINBURGH.replace(",", delimiter) + "\n".join(
        row + delimiter for row in wide(2, delimiter).splitlines()
    )
    spectra = read_bytes(text.encode(), "scans.txt")
    assert spectra.labels == ("sample A", "sample B")
    assert {spectrum.kind for spectrum in spectra} == {"pl"}
    assert {spectrum.value_unit for spectrum in spectra} == {"counts"}
    assert spectra[0].source.reader == "edinburgh"
    assert spectra[0].source.from_documentation
    assert dict(spectra[1].header)["Fixed/Offset"] == "365.00"
    assert np.array_equal(spectra[1].values, 2 * SIGNAL)


def test_edinburgh_excitation_scan():
    text = EDINBURGH.replace("Emission Scan", "Excitation Scan") + wide(2)
    assert {spectrum.kind for spectrum in read_bytes(text.encode())} == {"excitation"}


def test_edinburgh_decay_names_the_right_reader():
    with pytest.raises(InputError, match="read_decay"):
        read_bytes((EDINBURGH.replace("Emission Scan", "Time Scan") + wide(2)).encode())


def test_edinburgh_with_other_columns_than_labels_is_refused():
    with pytest.raises(InputError, match="names 2 scans and the table has 3"):
        read_bytes((EDINBURGH + wide(3)).encode())


def jcamp_text(rows, **labels):
    fields = {
        "TITLE": "dot film",
        "JCAMP-DX": "5.01",
        "DATA TYPE": "UV/VIS SPECTRUM",
        "XUNITS": "NANOMETERS",
        "YUNITS": "ABSORBANCE",
        "FIRSTX": "450",
        "LASTX": "469",
        "NPOINTS": "20",
        "XFACTOR": "1",
        "YFACTOR": "0.001",
        "XYDATA": "(X++(Y..Y))",
    } | labels
    return (
        "\n".join(f"##{key}={value}" for key, value in fields.items() if value is not None)
        + f"\n{rows}\n##END=\n"
    )


PLAIN_ROWS = "\n".join(f"{450 + 5 * k} " + " ".join(str(100 + 5 * k + j) for j in range(5)) for k in range(4))


def test_jcamp_dx():
    spectrum = one(jcamp_text(PLAIN_ROWS), "film.jdx")
    assert spectrum.source.reader == "jcamp-dx"
    assert "from-documentation" in spectrum.flags
    assert spectrum.kind == "absorbance"
    assert spectrum.label == "film"
    assert np.array_equal(spectrum.wavelength_nm, np.arange(450.0, 470.0))
    assert np.allclose(spectrum.values, 0.001 * np.arange(100, 120), rtol=1e-12)  # one product with YFACTOR


def test_jcamp_compressed_differences():
    # ASDF: SQZ digit A = +1 leads "A00" = 100, then DIF digit J = +1 nineteen times
    spectrum = one(jcamp_text("450A00" + "J" * 19), "film.jdx")
    assert np.allclose(spectrum.values, 0.001 * np.arange(100, 120), rtol=1e-12)


def test_jcamp_pairs_and_several_blocks():
    pairs = "\n".join(f"{x:g}, {y}" for x, y in zip(AXIS, SIGNAL, strict=True))
    block = jcamp_text(pairs, XYDATA=None, YFACTOR="1", XYPOINTS="(XY..XY)", YUNITS="COUNTS")
    link = "##TITLE=both\n##JCAMP-DX=5.01\n##DATA TYPE=LINK\n##BLOCKS=2\n" + block * 2 + "##END=\n"
    spectra = read_bytes(link.encode(), "both.dx")
    assert spectra.labels == ("dot film", "dot film (2)")
    assert np.allclose(spectra[1].values, SIGNAL)
    assert spectra[0].value_unit == "counts"


def test_the_jcamp_library_prints_nothing_on_the_console():
    printed = io.StringIO()
    broken = PLAIN_ROWS.replace("455 ", "475 ")  # the library's check of x fails and it prints
    with contextlib.redirect_stdout(printed):
        read_bytes(jcamp_text(broken).encode(), "film.jdx")
    assert printed.getvalue() == ""


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"NPOINTS": "21"}, "promises 21"),
        ({"NPOINTS": "1000000000000"}, "NPOINTS"),
        ({"YUNITS": "TRANSMITTANCE"}, "A = -log10"),
        ({"XUNITS": "MICROMETERS"}, "micrometre"),
        ({"FIRSTX": None}, "FIRSTX is missing"),
        ({"XYDATA": "(T2+(R..R))"}, "not known"),
        ({"XYDATA": None}, "no block"),
        ({"FIRSTX": "inf"}, "FIRSTX"),
    ],
)
def test_faults_of_jcamp_files(labels, message):
    with pytest.raises(InputError, match=message):
        one(jcamp_text(PLAIN_ROWS, **labels), "film.jdx")


def test_a_jcamp_line_that_expands_without_end_is_refused():
    with pytest.raises(InputError, match="larger or has longer lines"):
        one(jcamp_text("450A" + "1" * 200 + "s" * 300 + "\n" + ("450A" + "1" * 200 + "s" * 300 + "\n") * 200))


def test_two_header_rows_over_one_axis():
    spectra = read_bytes(("Sample,A7,B2\nWavelength (nm),Abs,Abs\n" + wide(2)).encode())
    assert spectra.labels == ("A7", "B2")
    assert {spectrum.kind for spectrum in spectra} == {"absorbance"}


def test_names_units_and_comments_as_origin_writes_them():
    text = "Wavelength\tIntensity\tIntensity\nnm\ta.u.\ta.u.\n\tfilm 1\tfilm 2\n" + wide(2, "\t")
    spectra = read_bytes(text.encode())
    assert spectra.labels == ("film 1", "film 2")
    assert "unit-inferred" not in spectra[0].flags


def test_names_with_single_spaces_in_a_table_of_spaces():
    spectra = read_bytes(("Wavelength (nm) 30 s 60 s\n" + wide(2, " ")).encode())
    assert spectra.labels == ("30 s", "60 s")
    assert "unit-inferred" not in spectra[0].flags


def test_sample_names_that_look_like_axes():
    spectra = read_bytes(("Wavelength (nm),WL-1,E,excitation wavelength 365 nm\n" + wide(3)).encode())
    assert spectra.labels == ("WL-1", "E", "excitation wavelength 365 nm")


def test_a_second_axis_and_an_axis_without_values_are_left_out():
    rows = "\n".join(f"{x:g},{1239.84 / x:.5f},{y},{1e7 / x:.2f}" for x, y in zip(AXIS, SIGNAL, strict=True))
    spectra = read_bytes(("Wavelength (nm),Energy (eV),PL,Wavenumber (cm-1)\n" + rows).encode(), "a.csv")
    assert spectra.labels == ("a",)
    assert np.array_equal(spectra[0].wavelength_nm, AXIS)
    assert "second axis" in spectra.notes[0]
    assert "without values" in spectra.notes[0]


def test_columns_named_but_never_filled_are_reported():
    spectra = read_bytes(("Wavelength (nm),a,b,c\n" + wide(2)).encode())
    assert spectra.labels == ("a", "b")
    assert "'c' (no numbers)" in spectra.notes[0]


def test_names_of_other_columns_do_not_decide_the_kind():
    spectra = read_bytes(("Wavelength (nm),PL film,Abs film,film\n" + wide(3)).encode())
    assert [spectrum.kind for spectrum in spectra] == ["pl", "absorbance", "unknown"]


def test_a_raman_shift_in_wavenumbers_is_no_optical_axis():
    with pytest.raises(InputError, match="Raman"):
        one(table(",", "Raman shift (cm-1),Counts", axis=np.arange(2100.0, 2120)))


def test_jasco_says_units_and_quantity_above_the_data():
    head = "TITLE\tfilm\nDATA TYPE\t\nORIGIN\tJASCO\nXUNITS\tNANOMETERS\nYUNITS\tABSORBANCE\nXYDATA\n"
    tail = "\n##### Extended Information\n[Comments]\nSample name\tA\n"
    spectra = read_bytes((head + table("\t") + tail).encode(), "film.txt")
    assert spectra[0].kind == "absorbance"
    assert spectra[0].axis_unit == "nm"
    assert "unit-inferred" not in spectra[0].flags
    assert np.array_equal(spectra[0].values, SIGNAL)


def test_german_headers_and_windows_encoding():
    text = table(";", "Wellenl\u00e4nge (nm);Intensit\u00e4t", ",")
    spectra = read_bytes(text.encode("cp1252"), "a.csv")
    assert np.array_equal(spectra[0].values, SIGNAL)
    assert "unit-inferred" not in spectra[0].flags
    assert any("Windows-1252" in note for note in spectra.notes)


def test_prose_with_a_comma_is_no_header():
    spectrum = one("Measured by A. B. in room 7, in toluene\n" + table(), "film.csv")
    assert spectrum.label == "film"


def test_spectra_along_the_rows_are_recognised():
    rows = "\n".join(",".join([str(k), *("1" for _ in range(20))]) for k in range(8))
    header = ",".join(["time", *(str(k) for k in range(400, 420))])
    with pytest.raises(InputError, match="transpose"):
        read_bytes((header + "\n" + rows).encode())


def test_a_long_list_of_single_numbers_above_the_data_is_no_table():
    head = "PE UV SUBTECH SPECTRUM ASCII\nfilm.SP\n#GR\nnm\nA\n" + "1.0\n0.5\n" * 30 + "#DATA\n"
    spectrum = one(head + table("\t"), "film.asc")
    assert np.array_equal(spectrum.values, SIGNAL)


def test_avantes_units_below_the_names():
    head = "Integration time [ms]: 100,00\n\nWave   ;Sample   ;Dark\n[nm]   ;[counts] ;[counts]\n\n"
    rows = "\n".join(f"{x:.2f};{y:.2f};1,00".replace(".", ",") for x, y in zip(AXIS, SIGNAL, strict=True))
    spectra = read_bytes((head + rows).encode())
    assert spectra.labels == ("Sample", "Dark")
    assert {spectrum.value_unit for spectrum in spectra} == {"counts"}
    assert spectra[0].axis_unit == "nm"


def test_an_index_is_no_spectrum():
    spectra = read_bytes(("Wavelength (nm),Intensity,Frame\n" + wide(2)).encode(), "a.csv")
    assert spectra.labels == ("a",)
    assert "'Frame' (an index)" in spectra.notes[0]
