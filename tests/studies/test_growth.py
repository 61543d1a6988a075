"""The record and the folder of a grown recipe."""

import csv
import json
import re
import tomllib

import pytest

from perolux.errors import InputError, OutputError
from perolux.files import example_path
from perolux.measured import read
from perolux.measured.pl import reduce_pl
from perolux.reports.grown_routes import grown_of
from perolux.studies.growth import require_new_folder, write_growth
from perolux.synthesis import grow_recipe, read_recipe
from perolux.synthesis.carrier import OnCarrier
from perolux.synthesis.flow import Flow
from perolux.synthesis.platelet_batch import PlateletBatch
from perolux.synthesis.recipe import recipe_of
from perolux.synthesis.routes import carry_out

HOT = example_path("recipes") / "cspbbr3_hot_injection.toml"


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    batch = grow_recipe(read_recipe(HOT))
    out = tmp_path_factory.mktemp("grown") / "run"
    write_growth(grown_of(batch, "hot"), out, HOT)
    return batch, out


def test_every_file_says_the_same(grown):
    batch, out = grown
    record = json.loads((out / "result.json").read_text())
    rows = list(csv.DictReader((out / "rows.csv").read_text().splitlines()))
    assert [float(row["mean_edge_nm"]) for row in rows] == [row["mean_edge_nm"] for row in record["rows"]]
    assert record["final"]["mean_edge_nm"] == record["rows"][-1]["mean_edge_nm"]
    assert record["final"]["pl_peak_nm"]["sets"].keys() == {"pssrrl2023", "yang2017"}
    assert sum(record["phases"].values()) == pytest.approx(1.0)
    assert (out / "recipe.toml").read_bytes() == HOT.read_bytes()
    sizes = list(csv.reader((out / "sizes.csv").read_text().splitlines()))
    last = sum(float(line[-1]) for line in sizes[1:])
    assert last == pytest.approx(batch.history.distributions[-1].number, rel=1e-4)


def test_spectra_are_read_back_as_measured_ones(grown):
    _, out = grown
    record = json.loads((out / "result.json").read_text())
    found = read(out / "pl_yang2017.csv", kind="pl")
    assert len(found) == len(record["rows"])
    peak = reduce_pl(found[-1]).peak_nm
    assert peak == pytest.approx(record["final"]["pl_peak_nm"]["sets"]["yang2017"], abs=0.1)


def test_report_is_whole_and_asks_nobody(grown):
    _, out = grown
    text = (out / "report.html").read_text()
    for words in ("Through time", "prior.mixing_time_s", "PL peak", "Balances"):
        assert words in text
    assert not re.search(r'(src|href)="https?:|url\(https?:|fetch\(|import\(', text)
    assert "NaN" not in text.split('id="data">')[1].split("</script>")[0]


def test_folders_that_are_not_ours_stay(grown, tmp_path):
    _, out = grown
    require_new_folder(tmp_path / "new", replace=False)
    with pytest.raises(OutputError, match="--replace"):
        require_new_folder(out, replace=False)
    require_new_folder(out, replace=True)
    (tmp_path / "mine").mkdir()
    require_new_folder(tmp_path / "mine", replace=False)  # empty: free
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="already"):
        require_new_folder(tmp_path / "mine", replace=True)


SHORT = {
    "cspbbr3_droplets": ('detectors = ["1 mm", "2 mm", "5 mm", "1 cm", "2 cm", "5 cm", "10 cm"]',
                         'detectors = ["1 mm", "5 mm"]'),
    "cspbbr3_tube": ('["5 mm", "1 cm", "2 cm", "5 cm"]', '["5 mm", "1 cm"]'),
    "cspbbr3_milling": ('until = "1 h"', 'until = "1 h"\ntimes = ["1 min", "1 h"]'),
    "mapbbr3_template": ('until = "2 h"', 'until = "2 h"\ntimes = ["70 min", "2 h"]'),
    "cspbbr3_on_salt": ('until = "10 min"', 'until = "10 s"\ntimes = ["3 s", "10 s"]'),
    "fapbbr3_platelets": ('until = "600 s"', 'until = "30 s"\ntimes = ["12 s", "30 s"]'),
}  # fmt: skip
"""Two places of each shipped recipe."""


@pytest.mark.parametrize("name", SHORT)
@pytest.mark.slow
def test_every_route_has_its_folder(name, tmp_path):
    recipe = tmp_path / "recipe.toml"
    text = (HOT.parent / f"{name}.toml").read_text()
    assert SHORT[name][0] in text
    recipe.write_text(text.replace(*SHORT[name]))
    result = carry_out(read_recipe(recipe))
    grown = grown_of(result, name)
    out = write_growth(grown, tmp_path / "run", recipe)
    record = json.loads((out / "result.json").read_text())
    assert record["rows"] == json.loads(json.dumps(grown.rows)) and record["final"] == record["rows"][-1]
    assert max(one["error"] for one in record["balances"].values()) < 1e-9
    rows = list(csv.DictReader((out / "rows.csv").read_text().splitlines()))
    assert len(rows) == len(record["rows"]) == 2
    first = grown.columns[0][0]
    assert [float(row[first]) for row in rows] == [row[first] for row in record["rows"]]
    # all crystals are in the table, whatever its bins
    sizes = list(csv.reader((out / "sizes.csv").read_text().splitlines()))
    counted = sum(float(line[-1]) for line in sizes[1:])
    assert counted == pytest.approx(number_at_the_end(result), rel=1e-4)
    light = sorted(path.name for path in out.glob("pl*.csv"))
    assert len(light) == len(grown.spectra.sets)
    found = read(out / light[0], kind="pl")
    assert len(found) == 2
    peak = record["final"]["pl_peak_nm"]["sets"][grown.spectra.sets[0]]
    assert reduce_pl(found[-1]).peak_nm == pytest.approx(peak, abs=0.1)
    has_absorbance = bool(list(out.glob("absorbance*.csv")))
    assert has_absorbance == (grown.spectra.absorbance is not None)
    assert has_absorbance == (record["spectra"]["absorbance_reason"] is None)
    assert {path.name for path in out.iterdir()} >= {"report.html", "recipe.toml"}


def number_at_the_end(result):
    if isinstance(result, PlateletBatch):
        return float(result.history.number_per_m3[-1].sum())
    if isinstance(result, Flow):
        return result.detectors[-1].distribution.number
    return (result.batch.history if isinstance(result, OnCarrier) else result).distributions[-1].number


@pytest.mark.slow
def test_a_recipe_that_makes_nothing_has_a_report_too(tmp_path):
    recipe = tmp_path / "cold.toml"
    recipe.write_text(HOT.read_text().split("[kinetics]")[0] + "[kinetics]\nsurface_energy_j_m2 = 0.06\n")
    batch = grow_recipe(read_recipe(recipe))
    grown = grown_of(batch, "cold")
    assert any("nothing nucleates" in line for line in grown.record()["warnings"])
    write_growth(grown, tmp_path / "run", recipe)
    assert "no crystals" in (tmp_path / "run" / "report.html").read_text()


def test_spectra_block_is_checked():
    content = tomllib.loads(HOT.read_text()) | {"spectra": {"first": "700 nm", "last": "400 nm"}}
    with pytest.raises(InputError, match="wavelengths that rise"):
        recipe_of(content)
