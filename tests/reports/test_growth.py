"""The report of a grown recipe: what it shows of each route, and that what it draws is what was computed."""

import json
import re
import tomllib

import numpy as np
import pytest

from perolux.files import example_path
from perolux.reports.grown import entry, numbers, profile_of
from perolux.reports.grown_routes import grown_of
from perolux.reports.growth import render_growth, write_growth_report
from perolux.synthesis import NOTHING, SizeDistribution
from perolux.synthesis.recipe import recipe_of
from perolux.synthesis.routes import carry_out

FOLDER = example_path("recipes")


def grown(name, **changes):
    content = tomllib.loads((FOLDER / f"{name}.toml").read_text())
    for key, value in changes.items():
        content[key] = content.get(key, {}) | value
    return grown_of(carry_out(recipe_of(content)), name)


def data_of(page):
    return json.loads(page.split('id="data">')[1].split("</script>")[0])


@pytest.mark.parametrize(
    ("name", "changes", "words", "panels"),
    [
        ("cspbbr3_tube", {"observe": {"detectors": ["5 mm", "5 cm"]}},
         ("Along the tube", "Residence time, band", "laminar flow", "µmol/min", "at the last detector"), 3),
        ("cspbbr3_milling", {"observe": {"times": ["60 s", "1 h"]}},
         ("ligand used", "volume per decade", "no absorbance: a powder scatters", "photon absorbed"), 2),
        ("mapbbr3_template", {"observe": {"times": ["1 h", "2 h"]}},
         ("mean diameter", "ended by the pore", "without crystal", "All are priors"), 2),
        ("fapbbr3_platelets", {"observe": {"until": "30 s", "times": ["12 s"]}},
         ("Share of the lead", "2 ML", "extrapolated", "prior.layer_binding_br_l_mol", "Bands at 12 s"), 2),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_each_route_is_shown_as_what_it_is(name, changes, words, panels):
    one = grown(name, **changes)
    page = render_growth(one)
    for word in words:
        assert word in page, word
    assert not re.search(r'(src|href)="https?:|url\(https?:|fetch\(|import\(', page)
    data = data_of(page)
    assert "NaN" not in json.dumps(data)
    assert len(data["said"]) == len(one.rows) == 2
    assert len(data["panels"]) == panels
    for panel in data["panels"]:
        for of_set in panel["y"]:
            assert [len(row) for row in of_set] == [len(panel["x"])] * 2
    # one page holds no identifier twice
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_area_of_a_size_distribution_is_the_yield():
    radius = np.linspace(2e-9, 5e-9, 40)
    boxes = SizeDistribution(radius - 1e-11, radius + 1e-11, np.full(40, 1e20))
    found = profile_of([NOTHING, boxes], [0.0, 0.7], size="edge", of_all="yield", per="m3")
    assert found.y[0].max() == 0
    assert np.sum(found.y[1]) * (found.x[1] - found.x[0]) == pytest.approx(70.0)
    assert found.counts[1].sum() == pytest.approx(boxes.number)


def test_volume_of_a_milled_powder_is_whole():
    one = grown("cspbbr3_milling", observe={"times": ["60 s"]})
    x = np.log10(one.sizes.x)
    for row in one.sizes.y:
        assert np.trapezoid(row, x) == pytest.approx(100.0, rel=0.03)  # the ends are half cells


def test_entries_within_a_row():
    row = {"a": 1, "share": {"2 ML": 0.5, "cubes": None}}
    assert entry(row, "a") == 1 and entry(row, "share.2 ML") == 0.5
    assert np.isnan(numbers([row], "share.cubes")[0])
    with pytest.raises(KeyError):
        entry(row, "share.9 ML")


def test_light_beyond_the_spectrometer_is_told():
    """FAPbI3 emits beyond 750 nm: no peak, and a line that says why."""
    content = tomllib.loads((FOLDER / "cspbbr3_milling.toml").read_text())
    text = json.dumps(content).replace("CsPbBr3", "FAPbI3").replace("PbBr2", "PbI2")
    text = text.replace('"CsBr"', '"formamidinium iodide"')
    one = grown_of(carry_out(recipe_of(json.loads(text))), "far red")
    assert any("no PL stands out at the end, between 350 and 750 nm" in line for line in one.light_warnings())


@pytest.mark.slow
def test_a_product_without_light_has_a_report(tmp_path):
    content = tomllib.loads((FOLDER / "cspbbr3_milling.toml").read_text())
    text = json.dumps(content).replace("CsPbBr3", "MAPbCl3").replace("CsBr", "MABr").replace("PbBr2", "PbCl2")
    one = grown_of(carry_out(recipe_of(json.loads(text))), "dark")
    assert one.spectra is None and one.record()["spectra"]["reason"]
    page = write_growth_report(one, tmp_path / "report.html").read_text()
    assert "no spectra: " in page and len(data_of(page)["panels"]) == 1


def test_platelets_that_do_not_form_have_a_report():
    one = grown("fapbbr3_platelets", kinetics={"surface_energy_j_m2": 0.2}, observe={"times": ["5 s"]})
    page = render_growth(one)
    assert "nothing nucleates" in page and set(one.said) == {"no crystals"}
    assert {course.name for course in one.courses} == {"drive"}
    assert one.record()["bands"]["nm"] == {} and one.record()["final"]["mean_monolayers"] is None
