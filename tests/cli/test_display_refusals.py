"""The commands of displays, used wrongly: exit code 2, what, where, allowed and fix, no traceback."""

from __future__ import annotations

import json
import math

import pytest

from perolux.cli.app import run
from perolux.files import example_path

NM = range(380, 781)


def told(capsys, *arguments):
    assert run([str(one) for one in arguments]) == 2
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err and captured.err.startswith("perolux: ")
    return captured.err


def line(center, width=20.0):
    return lambda nm: math.exp(-4 * math.log(2) * ((nm - center) / width) ** 2)


def table(path, head, columns, grid=NM):
    rows = [",".join([str(nm), *(f"{column(nm):.6g}" for column in columns)]) for nm in grid]
    path.write_text("\n".join([head, *rows]) + "\n", "utf-8")
    return path


def film(folder, *changes):
    """The example of a film with texts of its file replaced."""
    text = (example_path("displays") / "green_film.toml").read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "film.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("slab", "--n", "1.6", "--optical-depth", "inf", "--plqy", "0.9"), "up to 1e+06"),
        (
            ("slab", "--n", "1.6", "--optical-depth", "4", "--plqy", "0.9", "--scatter-depth", "1e9"),
            "0 to 1000",
        ),
        (
            (
                "slab",
                "--n",
                "1.6",
                "--optical-depth",
                "4",
                "--plqy",
                "0.9",
                "--method",
                "monte-carlo",
                "--seed",
                "-5",
            ),
            "0 and more",
        ),
        (("gamut", "KSF6", "G530/22", "G450/20", "--sigma", "1000,1"), "first order"),
        (("gamut", "KSF6", "450 nm", "G450/20"), "G530/22 (center/FWHM in nm)"),
        (("lead", "--material", "FAPbBr3"), "give a file (wavelength_nm, n, k)"),
        (("film", "--fraction", "0.3", "--host", "TiO2"), "PMMA"),
        (("schema", "nonsense"), "display"),
        (("explain", "emitter.KSF"), "emitter.KSF6"),
        (("explain", "display.prisn"), "display.prism"),
    ],
)
def test_options_that_cannot_be(capsys, arguments, said):
    assert said in told(capsys, *arguments)


def test_spectra_that_have_no_colour(capsys, tmp_path):
    infrared = table(tmp_path / "nir.csv", "wavelength_nm,counts", [line(950)], range(800, 1100))
    assert "between 380 and 780 nm" in told(capsys, "gamut", "KSF6", infrared, "G450/20")
    cut = table(tmp_path / "cut.csv", "wavelength_nm,counts", [line(528)], range(400, 531))
    assert "cut off inside the emission" in told(capsys, "gamut", "KSF6", cut, "G450/20")
    two = table(tmp_path / "two.csv", "wavelength_nm,a,b", [line(528), line(532)])
    assert "::a" in told(capsys, "gamut", "KSF6", two, "G450/20")
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    assert "empty" in told(capsys, "gamut", "KSF6", empty, "G450/20")


RED, GREEN, BLUE = (
    lambda nm, a=a, b=b: 0.8 * (a < nm < b) + 0.01 for a, b in ((590, 800), (490, 590), (300, 490))
)


def test_filters_go_by_the_names_of_their_columns(capsys, tmp_path):
    found = []
    for name, head, columns in (
        ("a.csv", "wavelength_nm,red,green,blue", (RED, GREEN, BLUE)),
        ("b.csv", "wavelength_nm,Blue,Green,Red", (BLUE, GREEN, RED)),
        ("c.csv", "wavelength_nm,1st,2nd,3rd", (RED, GREEN, BLUE)),
    ):
        path = table(tmp_path / name, head, columns)
        assert run(["gamut", "KSF6", "G530/22", "G450/20", "--filters", str(path), "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["xy"])
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize(
    ("head", "columns", "said"),
    [
        ("wavelength_nm,1st,2nd,3rd", (BLUE, GREEN, RED), "name the columns red, green, blue"),
        ("wavelength_nm,red,green", (RED, GREEN), "red, green, blue"),
        (
            "wavelength_nm,red,green,blue",
            [lambda nm, f=f: 100 * f(nm) for f in (RED, GREEN, BLUE)],
            "per cent",
        ),
    ],
)
def test_filters_that_cannot_be(capsys, tmp_path, head, columns, said):
    path = table(tmp_path / "filters.csv", head, columns)
    assert said in told(capsys, "gamut", "KSF6", "G530/22", "G450/20", "--filters", path)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([("lead_ppm = 1000", "lead_ppm = 2000000")], "pure CsPbBr3"),
        ([("CsPbBr3", "FAPbBr3")], "optical_constants"),
        ([("lead_ppm = 1000\n", 'lead_ppm = 1000\nhost_density = "30 g/mL"\n')], "heaviest metals"),
        ([('"G530/22"', '"green.csv"')], "no emitter or file"),
        ([('"default"', '"sony"')], "narrow-blue"),
        ([('red = "KSF6"', "red_share = 0.5")], "give source.red"),
        (
            [
                (
                    "lead_ppm = 1000\n",
                    'volume_fraction = 0.9\nedge_length = "8 nm"\nligand_length = "1.5 nm"\n',
                )
            ],
            "packed",
        ),
        (
            [("lead_ppm = 1000\n", 'volume_fraction = 0.1\nligand_length = "1.5 nm"\n')],
            "edge of the crystals",
        ),
        ([('emission = "G530/22"', 'recipe = "none.toml"')], "none.toml"),
        ([('emission = "G530/22"', 'ensemble = { edge_length = "8 nm", spread = 0 }')], "without spread"),
    ],
)
def test_films_that_cannot_be(capsys, tmp_path, changes, said):
    text = told(capsys, "display", film(tmp_path, *changes))
    assert said in text and "film.toml" in text


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[50, 400]", "[400, 50]", "low below high"),
        ("[50, 400]", "[-5, 50]", "from 0.1 to 10000"),
        ("[200, 1000]", "[200, 5000]", "lead_limit_ppm"),
        ("[515, 540]", "[200, 300]", "from 400 to 760"),
        ("[0.3, 0.55]", "[0.3, 1.5]", "from 0 to 1"),
    ],
)
def test_ranges_of_a_search(capsys, tmp_path, old, new, said):
    path = film(tmp_path, (old, new))
    assert said in told(capsys, "display", path, "--optimise", "--designs", "16", "--workers", "1")


def test_seeds_and_workers(capsys, tmp_path):
    path = film(tmp_path)
    assert "0 and more" in told(capsys, "display", path, "--seed", "-1")
    for workers in ("0", "-2"):
        assert "1 to 512" in told(
            capsys, "display", path, "--optimise", "--designs", "16", "--workers", workers
        )


def led_with_ageing(folder, rows, use="temperature_c = 25", head="time_h,brightness,temperature_c"):
    (folder / "tests.csv").write_text("\n".join([head, *rows]) + "\n", "utf-8")
    path = folder / "led.toml"
    text = (example_path("displays") / "green_led.toml").read_text("utf-8")
    path.write_text(text + f'\n[ageing]\ntests = "tests.csv"\n{use}\n', "utf-8")
    return path


FADED = [
    f"{t},{math.exp(-((t / 4000) ** 0.8)) * (1 + 0.002 * (t % 300 - 100) / 100):.6f},60"
    for t in range(0, 1001, 100)
]


def test_one_temperature_tells_no_other(capsys, tmp_path):
    assert run(["display", str(led_with_ageing(tmp_path, FADED)), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["lifetimes"] == [] and "activation_ev" in found["missing"]["T90"]
    path = led_with_ageing(tmp_path, FADED, "temperature_c = 25\ngiven = { activation_ev = 0.5 }")
    assert run(["display", str(path)]) == 0
    out = capsys.readouterr().out
    assert "extrapolated" in out and "activation_ev = 0.5, given" in out and "e+0" not in out


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["x,1,60"], "line 2"),
        (["0,-1,60"], "line 2"),
        (["0,1,500", "10,0.9,500"], "-100 to 300 degC"),
        ([], "no tests"),
        (["0,1,60", "10,0.9,60"], "at least 5"),
    ],
)
def test_tests_that_cannot_be_used(capsys, tmp_path, rows, said):
    assert said in told(capsys, "display", led_with_ageing(tmp_path, rows))


def test_errors_as_json(capsys, tmp_path):
    path = film(tmp_path, ("plqy = 0.9", "plqy = 90"))
    assert run(["display", str(path), "--json"]) == 2
    (problem,) = json.loads(capsys.readouterr().out)["error"]["problems"]
    assert (
        problem["where"].endswith("film.toml: film.plqy")
        and problem["fix"] == "a share is meant: 90 % is 0.9"
    )


def test_schemas(capsys):
    for kind, title in (
        ("study", "perolux study"),
        ("recipe", "perolux recipe"),
        ("display", "perolux display"),
        ("assembly", "perolux assembly"),
    ):
        assert run(["schema", kind]) == 0
        assert json.loads(capsys.readouterr().out)["title"] == title
    assert run(["schema"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "perolux study"


def test_n_and_k_of_ones_own(capsys, tmp_path):
    path = table(tmp_path / "nk.csv", "wavelength_nm,n,k", [lambda nm: 1.9, lambda nm: 0.2 * (nm < 520)])
    for arguments in (
        ("film", path, "--fraction", "0.3"),
        ("lead", "--material", "FAPbBr3", "--optical-constants", path),
        ("display", film(tmp_path, ('"CsPbBr3"', '"FAPbBr3"\noptical_constants = "nk.csv"'))),
    ):
        assert run([*map(str, arguments), "--json"]) == 0, arguments
        assert "nk.csv" in capsys.readouterr().out or arguments[0] == "display"


def test_a_display_tells_which_of_its_emitters_are_recalled(capsys, tmp_path):
    assert run(["display", str(film(tmp_path)), "--json"]) == 0
    assert any(one.startswith("KSF6: recalled") for one in json.loads(capsys.readouterr().out)["rests_on"])
