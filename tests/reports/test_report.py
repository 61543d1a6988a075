"""The HTML report: self-contained, escaped, complete, from plain data alone."""

import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from perolux.reports import Curves, ReportContent, Variable, render_report, write_figures
from perolux.reports.content import Absorbance, Plane
from perolux.reports.pack import as_script_json, packed_data
from perolux.reports.words import formula, number, summary_of, value_text

HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    '"><img src=x onerror=alert(3)>',
    "<!--",
    "{{ 7*7 }}",
    "' onmouseover='alert(4)",
    "\u2028\u2029 line",
    "https://example.org/x.png",
]


class Page(HTMLParser):
    """Tags, attributes and the text of scripts of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.scripts, self.ids = [], [], [], []
        self._inside = False
        self.words = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag == "script":
            self._inside = True
            self.scripts.append("")

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self._inside = False

    def handle_endtag(self, tag):
        if tag == "script":
            self._inside = False

    def handle_data(self, data):
        if self._inside:
            self.scripts[-1] += data
        else:
            self.words.append(data)


def row(label, *, peak=2.42, kind="interval", flags=(), **more):
    """A row of results as studies give it."""
    full = {
        "label": label,
        "file": "spectra.csv",
        "status": "ok",
        "flags": list(flags),
        "reasons": {},
        "recipe": {"recipe: dose [uL]": 5.0, "recipe: solvent": "MeOH"},
        "plqy": None,
        "peak_ev": peak,
        "peak_ev_sigma": 0.0002,
        "fwhm_mev": 90.0,
        "fwhm_mev_sigma": 0.3,
        "peak_nm": 1239.84 / peak,
        "fwhm_nm": 19.0,
        "peak_nm_no_jacobian": 1239.84 / peak,
        "fwhm_nm_no_jacobian": 19.0,
        "fwhm_mev_no_jacobian": 89.0,
        "snr": 1000.0,
        "line_shape": "two-gaussians",
        "line_aic_gain": 42.0,
        "line_misfit_percent": 0.4,
        "edge_kind": kind,
        "edge_median_nm": 7.0,
        "edge_low95_nm": 5.5,
        "edge_high95_nm": 9.0 if kind == "interval" else None,
        "platelet_weight": 0.2,
        "size_text": "5.5 to 9.0 nm (95 %), median 7.0 nm",
        "size": {"sets": {}, "platelet_layers": {"ladder": {"5": 0.7, "6": 0.3}}},
        "cie_x": 0.09,
        "cie_y": 0.78,
        "cie_u_prime": 0.03,
        "cie_v_prime": 0.57,
        "screen_colour": "#00ff9e",
        "rec2020_nearest": "green",
        "rec2020_distance_uv": 0.03,
    }
    return full | more


def recipe_alone(label):
    """A row of a recipe without spectrum."""
    reasons = {"peak_ev": "no spectrum of this sample is among the files"}
    return {
        "label": label,
        "file": None,
        "status": "no-spectrum",
        "flags": ["no-spectrum"],
        "reasons": reasons,
        "recipe": {"recipe: dose [uL]": 7.0, "recipe: solvent": None},
        "plqy": 0.3,
    }


def content(rows, **more):
    nm = np.arange(400.0, 601.0)
    values = 400 + 1e4 * np.exp(-((nm - 512) ** 2) / 200)
    edges = np.geomspace(2.5, 30, 240)
    curve = Curves(nm, values, 400.0, fit=values * 1.01, half_ev=(2.37, 2.46))
    sized = Curves(
        nm,
        values,
        400.0,
        fit=values * 1.01,
        components=(values * 0.6, values * 0.4),
        half_ev=(2.37, 2.46),
        edge_nm=edges,
        edge_density=np.exp(-((edges - 7) ** 2)),
    )
    flags = dict.fromkeys(flag for one in rows for flag in one["flags"])
    defaults = {
        "title": "A study",
        "name": "study",
        "note": "",
        "created": "2026-01-01",
        "version": "0.1.0",
        "material": "CsPbBr3",
        "temperature_k": 298.0,
        "temperature_assumed": True,
        "rows": tuple(rows),
        "variables": (
            Variable("dose", "uL", "recipe: dose [uL]", True),
            Variable("solvent", "", "recipe: solvent", False),
        ),
        "curves": {
            k: sized if one.get("edge_kind") else curve
            for k, one in enumerate(rows)
            if one["file"] is not None
        },
        "flag_meanings": {flag: f"meaning of {flag}" for flag in flags},
        "csv": "label\nä\n",
    }
    return ReportContent(**(defaults | more))


def no_requests(page, text):
    """No attribute or style loads anything; the only addresses are anchors, data and files beside it."""
    for tag, name, value in page.attributes:
        if name in ("src", "srcset", "poster", "background", "action", "formaction", "xlink:href"):
            raise AssertionError(f"{tag} {name}={value}")
        if name == "href":
            assert value.startswith(("#", "data:text/csv", "figures/")), value
        assert not name.startswith("on"), (tag, name)
    assert not {"link", "img", "iframe", "object", "embed", "base", "audio", "video"} & set(page.tags)
    style = re.search(r"<style>(.*?)</style>", text, re.S).group(1)
    assert "url(" not in style and "@import" not in style
    script = page.scripts[1]
    for word in ("fetch(", "XMLHttpRequest", "import(", "WebSocket", "sendBeacon", "innerHTML", "eval("):
        assert word not in script
    assert re.findall(r"https?://[^\"' ]+", script) == ["http://www.w3.org/2000/svg"]  # a name, not a request


def test_a_report_is_complete_and_asks_nothing_of_a_network():
    rows = [
        row("one"),
        row("two", kind="lower-bound", size_text="larger than 7.4 nm (95 %)", flags=["low-snr"]),
        recipe_alone("three"),
    ]
    text = render_report(content(rows, figures=("figures/overview.svg",)))
    page = Page(text)
    no_requests(page, text)
    assert "default-src 'none'" in text
    words = " ".join(page.words)
    for expected in (
        "one",
        "larger than 7.4 nm (95 %)",
        "2 of 2 spectra of CsPbBr₃ nanocrystals were evaluated",
        "meaning of low-snr",
        "Recipes without a spectrum (1)",
        "5 layers (ladder 0.70)",
        "298 K (assumed)",
    ):
        assert expected in words, expected
    assert len(page.ids) == len(set(page.ids))
    anchors = {value[1:] for _, name, value in page.attributes if name == "href" and value.startswith("#")}
    assert anchors <= set(page.ids)
    assert not re.search(r"\b(nan|NaN|None|undefined|null)\b", words)
    # on a phone a table scrolls by itself; one beside its own frame made the whole page wider than the screen
    tables = re.findall(r"(<div class=\"scroll\"[^>]*>)?\s*<table", text)
    assert len(tables) >= 4 and all(tables)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_stay_names(text):
    rows = [
        row(text, file=text, recipe={"recipe: dose [uL]": 1.0, "recipe: solvent": text}, flags=["no-recipe"]),
        recipe_alone(text + "2"),
    ]
    made = content(
        rows,
        title=text,
        name=text,
        note=text,
        variables=(Variable(text, text, "recipe: solvent", False),),
        problems=((text, text, text),),
        notes=((text, text),),
        inputs=((text, "0" * 64),),
        options=((text, text),),
        flag_meanings={"no-recipe": text, "no-spectrum": text},
    )
    rendered = render_report(made)
    page = Page(rendered)
    no_requests(page, rendered)
    assert page.tags.count("script") == 2
    assert json.loads(page.scripts[0])["s"][0]["l"] == text
    assert "49" not in "".join(w for w in page.words if "7*7" in w)
    # the name is shown as it was written, on the card and in the table
    assert sum(" ".join(word.split()) == " ".join(text.split()) for word in page.words) >= 2


def test_script_data_cannot_end_its_element():
    packed = as_script_json({"a": "</script><!--&\u2028"})
    assert "<" not in packed and ">" not in packed and "\u2028" not in packed
    assert json.loads(packed) == {"a": "</script><!--&\u2028"}
    with pytest.raises(ValueError, match="JSON"):
        as_script_json([float("nan")])


def test_packed_curves_come_back():
    data = packed_data(content([row("one")]))
    block = np.frombuffer(base64.b64decode(data["blob"]), dtype="<u2")
    curve = data["curves"]["0"]
    grid = np.frombuffer(base64.b64decode(data["grids"][curve["g"]]), dtype="<f4")
    assert grid[0] == 400 and len(grid) == 201
    back = curve["lo"] + block[curve["o"] : curve["o"] + 201] / 65535 * (curve["hi"] - curve["lo"])
    truth = 400 + 1e4 * np.exp(-((grid - 512) ** 2) / 200)
    # half a step of 16 bits of the span, 1.01e4
    assert np.max(np.abs(back - truth)) <= 0.51 * 1.02e4 / 65535
    assert len(curve["p"]) == 2 and curve["h"] == [2.37, 2.46]
    edges = np.frombuffer(base64.b64decode(data["edge"]), dtype="<f4")
    assert len(edges) == 120 and block[curve["d"] : curve["d"] + 120].max() == 65535


def with_absorption():
    """A sample with both spectra, and one with an absorption spectrum alone."""
    uv = np.arange(350.0, 651.0)
    absorbance = Absorbance(uv, np.exp(-((uv - 500) ** 2) / 800) + 0.1, uv**-4.0 * 1e10, 2.48, 0.004)
    both = row(
        "both",
        absorption_file="uv.csv",
        first_exciton_nm=500.0,
        first_exciton_ev=2.48,
        first_exciton_sigma_ev=0.004,
        steepest_slope_nm=508.0,
        scatter_exponent=3.9,
        stokes_shift_mev=60.0,
        stokes_shift_sigma_mev=4.0,
        size_from="emission and absorption",
    )
    keys = ("first_exciton_nm", "first_exciton_ev", "first_exciton_sigma_ev", "steepest_slope_nm")
    alone = recipe_alone("alone") | {key: both[key] for key in keys}
    alone |= {"absorption_file": "uv.csv", "status": "flagged", "flags": ["no-pl"]}
    nm = np.arange(400.0, 601.0)
    return content(
        [both, alone, recipe_alone("recipe")],
        curves={
            0: Curves(nm, np.exp(-((nm - 512) ** 2) / 200), 0.0, absorbance=absorbance),
            1: Curves(None, None, 0.0, absorbance=absorbance),
        },
    )


def test_absorption_is_packed_and_worded():
    made = with_absorption()
    data = packed_data(made)
    assert len(data["grids"]) == 2 and "o" not in data["curves"]["1"]
    packed = data["curves"]["0"]["a"]
    block = np.frombuffer(base64.b64decode(data["blob"]), dtype="<u2")
    back = packed["lo"] + block[packed["o"] : packed["o"] + 301] / 65535 * (packed["hi"] - packed["lo"])
    # half a step of 16 bits of a span of 1
    assert np.max(np.abs(back - made.curves[0].absorbance.values)) < 1e-5
    assert (packed["x"], packed["sx"]) == (2.48, 0.004) and "s" in packed
    text = render_report(made)
    page = Page(text)
    no_requests(page, text)
    words = " ".join(page.words)
    for expected in (
        "2.4800 ± 0.0040 eV, 500.00 nm",
        "60.0 ± 4.0 meV, observed",
        "emission and absorption",
        "first exciton 500.0 nm, no emission",
        "2 samples have an absorption spectrum",
        "Recipes without a spectrum (1)",
    ):
        assert expected in words, expected
    assert page.attributes.count(("article", "class", "card")) == 2
    assert not re.search(r"\b(nan|NaN|None|undefined|null)\b", words)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_of_absorption_and_halides_stay_names(text):
    made = with_absorption()
    rows = [one | {"absorption_file": text, "halide_fraction_name": text} for one in made.rows[:1]]
    for key, value in (("median", 0.3), ("low95", 0.1), ("high95", 0.6)):
        rows[0][f"halide_fraction_{key}"] = value
    edges = np.geomspace(2.5, 30, 240)
    fraction = np.linspace(0, 1, 26)
    density = np.exp(-((fraction[:, None] - 2 / edges[None, :]) ** 2) / 0.01)
    curve = Curves(
        np.arange(400.0, 601.0),
        np.ones(201),
        0.0,
        edge_nm=edges,
        edge_density=density.sum(axis=0),
        plane=Plane(text, fraction, density),
    )
    rendered = render_report(content(rows, curves={0: curve}, composition_label=rows[0]["label"]))
    page = Page(rendered)
    no_requests(page, rendered)
    assert page.tags.count("script") == 2
    assert json.loads(page.scripts[0])["mix"]["name"] == text


def test_levels_of_the_plane_enclose_their_share():
    edges = np.geomspace(2.5, 30, 240)
    fraction = np.linspace(0, 1, 26)
    # a Gaussian in fraction and logarithm of the edge: p of its mass lies above the density 1 - p
    u, v = (fraction[:, None] - 0.5) / 0.12, np.log(edges[None, :] / 8) / 0.25
    density = np.exp(-(u**2 + v**2) / 2) / edges[None, :]
    nm = np.arange(400.0, 601.0)
    curve = Curves(nm, nm, 0.0, edge_nm=edges, edge_density=np.ones(240), plane=Plane("x", fraction, density))
    _, outer, inner = packed_data(content([row("one")], curves={0: curve}))["curves"]["0"]["j"]
    # the cells of the grid are 0.04 wide, a third of a standard deviation: levels are good to 0.03
    assert outer == pytest.approx(0.05, abs=0.03) and inner == pytest.approx(0.32, abs=0.03)


def test_equal_grids_are_packed_once():
    assert len(packed_data(content([row("one"), row("two")]))["grids"]) == 1


def test_a_report_without_any_success():
    bad = {
        "label": "x",
        "file": "f.csv",
        "status": "failed",
        "flags": ["failed"],
        "reasons": {"peak_ev": "too dark"},
        "recipe": None,
        "plqy": None,
    }
    text = render_report(content([bad], material=None, variables=()))
    assert "too dark" in text and "No sample has a colour." in text
    no_requests(Page(text), text)


def test_the_summary_counts_what_a_chemist_asks_first():
    rows = [
        row("a"),
        row("b", peak=2.7, platelet_weight=0.9),
        row("c", kind="lower-bound", edge_low95_nm=7.4),
        row("d", flags=["no-recipe"]),
        recipe_alone("e"),
    ]
    lead = summary_of(content(rows)).lead
    assert "4 of 4 spectra" in lead and "459 and 512 nm" in lead
    assert "1 (25 %) are more probably nanoplatelets" in lead
    assert "2 have a size, with median edges of 7.0 to 7.0 nm, and 1 only a lower bound" in lead
    assert "1 spectrum has no recipe and 1 recipe has no spectrum; all are shown." in lead


def test_words_of_numbers():
    assert number(float("nan"), 2) == "–" and number(-0.5, 1) == "−0.5"
    assert formula("FAPb(Br0.5I0.5)3") == "FAPb(Br0.5I0.5)₃" and formula("Cs4PbBr6") == "Cs₄PbBr₆"
    value = {"low": None, "high": None, "sigma": 0.01, "value": 2.342, "unit": "eV"}
    assert value_text(value) == "2.342 ± 0.01 eV"
    assert value_text(value | {"low": 0.0, "high": 0.1, "unit": "1"}) == "0 to 0.1"


@pytest.mark.slow
def test_figures_are_vector_files_with_text(tmp_path):
    rows = [row("a"), row("b", peak=2.7, platelet_weight=0.9), row("c", kind="lower-bound", recipe=None)]
    names = write_figures(content(rows), tmp_path, ["svg", "pdf"])
    assert len(names) == 6 and {path.name for path in tmp_path.iterdir()} == set(names)
    overview = (tmp_path / "overview.svg").read_text("utf-8")
    assert "emission peak (nm)" in overview and "dose (uL)" in overview and "no recipe" in overview
    assert (tmp_path / "peak_and_width.pdf").read_bytes().startswith(b"%PDF")
    assert write_figures(content(rows), tmp_path / "none", []) == []
    again = tmp_path / "again"
    write_figures(content(rows), again, ["svg"])
    assert (again / "overview.svg").read_text("utf-8") == overview  # the same data, the same file
