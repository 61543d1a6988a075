"""A mixed halide of open composition: the line in the plane of size and composition, drawn and said."""

import base64
import json
import re

import numpy as np
import pytest

from perolux.inference.forward import FRACTIONS
from perolux.studies import characterise

BANDS = {"a": (2.10, 85.0), "b": (2.30, 90.0)}


@pytest.fixture(scope="module")
def run(tmp_path_factory, small):
    folder = tmp_path_factory.mktemp("mixed")
    text = small.STUDY.replace("CsPbBr3", "CsPb(Br,I)3")
    path = small.make(folder / "in", study=text, bands=BANDS)
    return characterise(path, folder / "out")


def test_the_row_has_the_fraction_with_its_interval_and_name(run):
    for label in BANDS:
        row = run[label]
        assert row["halide_fraction_name"] == "fraction of I"
        low, middle, high = (row[f"halide_fraction_{key}"] for key in ("low95", "median", "high95"))
        assert 0 <= low < middle < high <= 1
        assert high - low > 0.3  # one peak does not fix a composition
    assert run["a"]["halide_fraction_median"] > run["b"]["halide_fraction_median"]  # redder: more iodide
    table = run.table.set_index("label")
    assert table.loc["a", "halide_fraction_median"] == run["a"]["halide_fraction_median"]
    assert "halide_fraction_name" in table.columns


def test_the_bowing_is_among_what_the_sizes_rest_on(run):
    values = {value["key"]: value for value in run.record["values"]}
    assert values["mixing.bowing_br_i"]["kind"] == "recalled"
    assert "mixing.bowing_br_i" in run.report.read_text("utf-8")


def test_the_joint_density_is_normalised_and_has_the_marginal_as_its_shadow(run):
    import xarray as xr

    with xr.open_dataset(run.folder / "spectra.nc", engine="h5netcdf") as data:
        joint, edge = data["joint_density"].values, data["edge"].values
        fraction = data["halide_fraction"].values
        assert joint.shape == (2, len(fraction), len(edge))
        marginal = np.trapezoid(joint, fraction, axis=1)
        # both are the same likelihood summed over the fraction, up to the ends of the trapezoid rule
        misfit = np.abs(marginal - data["edge_density"].values)
        assert float(misfit.max()) < 0.1 * float(marginal.max())
        assert np.trapezoid(marginal, edge, axis=1) == pytest.approx(1.0, abs=1e-2)


def test_the_report_draws_the_plane_and_says_that_it_is_degenerate(run):
    text = run.report.read_text("utf-8")
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])
    mix = data["mix"]
    assert mix["name"] == "fraction of I" and len(mix["x"]) == FRACTIONS and len(mix["edge"]) <= 60
    plane = np.frombuffer(base64.b64decode(mix["blob"]), dtype=np.uint8)
    start, outer, inner = data["curves"]["0"]["j"]
    shown = plane[start : start + len(mix["x"]) * len(mix["edge"])].reshape(len(mix["x"]), -1)
    assert 0 < outer < inner < 1
    # the line falls: at small edges the density lies at more iodide than at large ones
    small, large = (np.argmax(shown[:, k]) for k in (np.argmax(shown.max(axis=0) > 60), -1))
    assert mix["x"][small] > mix["x"][large]
    assert {s["hf"] for s in data["s"] if "hf" in s} == {
        float(f"{run[label]['halide_fraction_median']:.6g}") for label in BANDS
    }
    words = text.split("<script>")[0]
    assert words.count('class="plane"') == 2 and 'id="mixed"' in words
    assert "Size and composition are degenerate in one peak" in words
    assert "only a combination of size and composition" in run.record["summary"]


def test_a_closed_composition_has_none_of_it(tmp_path, small):
    text = small.STUDY.replace("CsPbBr3", "CsPb(Br0.6I0.4)3")
    run = characterise(small.make(tmp_path / "in", study=text, bands=BANDS), tmp_path / "out")
    assert not any("halide" in key for row in run for key in row)
    assert 'class="plane"' not in run.report.read_text("utf-8")
