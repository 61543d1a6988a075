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
from perolux.studies.growth import growth_record, light_of, require_new_folder, write_growth
from perolux.synthesis import grow_recipe, read_recipe
from perolux.synthesis.recipe import recipe_of

HOT = example_path("recipes") / "cspbbr3_hot_injection.toml"


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    batch = grow_recipe(read_recipe(HOT))
    spectra, why = light_of(batch)
    out = tmp_path_factory.mktemp("grown") / "run"
    write_growth(batch, spectra, why, out, "hot", HOT)
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
    with pytest.raises(OutputError, match="no folder of a grown recipe"):
        require_new_folder(tmp_path / "mine", replace=True)


@pytest.mark.slow
def test_a_recipe_that_makes_nothing_has_a_report_too(tmp_path):
    recipe = tmp_path / "cold.toml"
    recipe.write_text(HOT.read_text().split("[kinetics]")[0] + "[kinetics]\nsurface_energy_j_m2 = 0.06\n")
    batch = grow_recipe(read_recipe(recipe))
    spectra, why = light_of(batch)
    record = growth_record(batch, spectra, why, "cold")
    assert any("nothing nucleates" in line for line in record["warnings"])
    write_growth(batch, spectra, why, tmp_path / "run", "cold", recipe)
    assert "no crystals" in (tmp_path / "run" / "report.html").read_text()


def test_spectra_block_is_checked():
    content = tomllib.loads(HOT.read_text()) | {"spectra": {"first": "700 nm", "last": "400 nm"}}
    with pytest.raises(InputError, match="wavelengths that rise"):
        recipe_of(content)
