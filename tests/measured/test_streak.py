"""Streak images and series of decays: layouts, units, and what is refused."""

import struct

import numpy as np
import pytest

from perolux.errors import InputError, OptionError
from perolux.measured.streak import read_time_tables

COUNTS = np.arange(24.0).reshape(6, 4)
TIMES = np.arange(6) * 2.0 - 4.0
NM = np.array([500.0, 501.0, 502.5, 504.0])


def table(corner, down=TIMES, across=NM, counts=COUNTS, mark=","):
    lines = [corner + mark + mark.join(f"{x:.10g}" for x in across)]
    lines += [mark.join(f"{x:.10g}" for x in (a, *row)) for a, row in zip(down, counts, strict=True)]
    return "\n".join(lines) + "\n"


def written(tmp_path, text, name="image.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "# fluence = 20 uJ/cm2\n" + table("time_ps\\wavelength_nm"),
        "# fluence = 20 uJ/cm2\n" + table("time (ns) | wavelength (nm)", down=1e-3 * TIMES, mark="\t"),
        "# fluence = 20 uJ/cm2\n" + table("wavelength_nm\\time_ps", NM, TIMES, COUNTS.T, mark=";"),
        "# fluence = 20 uJ/cm2\n"
        + table("time_ps\\energy_eV", across=1239.8419843320 / NM[::-1], counts=COUNTS[:, ::-1]),
    ],
)
def test_layouts_of_an_image_give_the_same(tmp_path, text):
    found = read_time_tables(written(tmp_path, text))
    assert np.allclose(found.time_ps, TIMES) and np.allclose(found.wavelengths_nm, NM, rtol=1e-8)
    assert np.array_equal(found.counts, COUNTS[None])
    assert found.fluences.tolist() == [20.0] and found.fluence_unit == "uJ/cm2"


def test_a_table_without_units_needs_them(tmp_path):
    path = written(tmp_path, table("", mark="\t"), "hpd.dat")
    with pytest.raises(InputError, match="axis of time"):
        read_time_tables(path)
    with pytest.raises(InputError, match="unit of its wavelengths"):
        read_time_tables(path, time_unit="ps")
    found = read_time_tables(path, time_unit="ns", wavelength_unit="nm")
    assert found.time_ps[-1] == pytest.approx(6000.0)
    with pytest.raises(OptionError, match="--time-unit"):
        read_time_tables(path, time_unit="day")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (table("pixel\\wavelength_nm"), "without an axis of time"),
        (table("time_ps\\wavelength_nm", down=TIMES[::-1]), "do not rise"),
        (table("time_px\\wavelength_nm"), "time in 'px'"),
        (table("time_ps\\wavelength_nm").replace("14", "abc"), "no number: 'abc'"),
        (table("time_ps\\wavelength_nm").replace(",14,", ","), "4 cells"),
        (table("time_ps\\wavelength_nm", across=[500.0, 501.0, 501.0, 502.0]), "equal"),
        ("time_ps\n", "fewer than three rows"),
        ("wavelength_nm,500,501,502\n" + 9 * "5,9,4\n", "without an axis of time"),
    ],
)
def test_faults_of_an_image(tmp_path, text, match):
    with pytest.raises(InputError, match=match):
        read_time_tables(written(tmp_path, text))


def test_a_series_of_decays_and_the_same_as_a_folder(tmp_path):
    text = "fluence (uJ/cm2),10,50\ntime_ps,counts,counts\n"
    text += "".join(f"{t},{a},{b}\n" for t, a, b in zip(TIMES, COUNTS[:, 0], COUNTS[:, 1], strict=True))
    one = read_time_tables(written(tmp_path, text, "series.csv"))
    folder = tmp_path / "set"
    folder.mkdir()
    for k, fluence in enumerate((10, 50)):
        rows = "".join(f"{t},{n}\n" for t, n in zip(TIMES, COUNTS[:, k], strict=True))
        written(folder, f"# fluence = {fluence} uJ/cm2\ntime_ps,counts\n{rows}", f"{k}.csv")
    many = read_time_tables(folder)
    for found in (one, many):
        assert found.wavelengths_nm is None and found.fluences.tolist() == [10.0, 50.0]
        assert np.array_equal(found.counts[:, :, 0], COUNTS[:, :2].T)
        assert found.fluence_unit == "uJ/cm2"


def test_files_of_a_folder_must_agree(tmp_path):
    written(tmp_path, "# fluence = 1 uJ/cm2\n" + table("time_ps\\wavelength_nm"), "a.csv")
    written(tmp_path, table("time_ps\\wavelength_nm", down=TIMES + 1.0), "b.csv")
    with pytest.raises(InputError) as caught:
        read_time_tables(tmp_path)
    assert {p.what.split()[0] for p in caught.value.problems} >= {"its", "it"}
    with pytest.raises(InputError, match="TIFF"):
        read_time_tables(written(tmp_path, "x", "c.tif"))


def img(y_scaling, counts=COUNTS, kind=2, images=0, cut=0):
    """An .img file by the layout that public readers agree on."""
    height, width = counts.shape
    pixels = counts.astype({0: "<u1", 2: "<u2", 3: "<u4"}[kind]).tobytes()
    comment = ""
    for _ in range(2):  # positions of the tables depend on the length of the comment
        first = 64 + len(comment) + len(pixels)
        comment = (
            '[Application],Date="27/11/2026"\r\n[Scaling],ScalingXType=2,ScalingXUnit="nm",'
            f'ScalingXScalingFile="#{first:08d},{width:04d}",'
            + y_scaling.format(at=f"{first + 4 * width:08d}", n=f"{height:04d}")
        )
    tables = NM.astype("<f4").tobytes() + TIMES.astype("<f4").tobytes()
    head = struct.pack(
        "<2s6hi2hd4s30s", b"IM", len(comment), width, height, 0, 0, kind, images, 0, 0, 0.0, b"", b""
    )
    content = head + comment.encode() + pixels + tables
    return content[: len(content) - cut]


SWEPT = 'ScalingYType=2,ScalingYUnit="ps",ScalingYScalingFile="#{at},{n}"'


@pytest.mark.parametrize("kind", [0, 2, 3])
def test_an_img_file(tmp_path, kind):
    path = tmp_path / "a.img"
    path.write_bytes(img(SWEPT, kind=kind))
    found = read_time_tables(path)
    assert np.array_equal(found.counts[0], COUNTS)
    assert np.allclose(found.time_ps, TIMES) and np.allclose(found.wavelengths_nm, NM)


def test_an_img_file_with_a_linear_time(tmp_path):
    path = tmp_path / "a.img"
    path.write_bytes(img('ScalingYType=1,ScalingYScale=0.5,ScalingYUnit="ns"'))
    assert read_time_tables(path).time_ps[1] == pytest.approx(500.0)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (img('ScalingYType=1,ScalingYScale=1,ScalingYUnit="px"'), "without an axis of time"),
        (img(SWEPT, images=3), "3 images"),
        (img(SWEPT, cut=64), "ends before|has 6 values"),
        (b"BM" + bytes(100), "begin with IM"),
    ],
)
def test_img_files_that_are_refused(tmp_path, content, match):
    path = tmp_path / "a.img"
    path.write_bytes(content)
    with pytest.raises(InputError, match=match):
        read_time_tables(path)
