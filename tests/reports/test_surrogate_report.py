"""The report of a learned table: what it shows is what the cross-validation found."""

import csv
import json
import re

import numpy as np
import pytest

from perolux.design import learn
from perolux.errors import InputError
from perolux.reports.surrogate import write_surrogate_report


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learned")
    rng = np.random.default_rng(3)
    x, words = rng.uniform(1.0, 60.0, 30), np.where(np.arange(30) % 3, "a <b>", "c")
    y = 460 + 12 * np.log(x) + 4 * (words == "c") + rng.normal(0, 0.7, 30)
    y[7] += 60.0  # one flask that went wrong
    lines = [f"{a:.4f},{w},{t:.3f}" for a, w, t in zip(x, words, y, strict=True)]
    lines[4] = lines[4].rsplit(",", 1)[0] + ","  # a row without the target: lines must not shift
    (folder / "t.csv").write_text("\n".join(["x,word,y", *lines]) + "\n")
    learn(folder / "t.csv", ["y"], ["x", "word"], folder / "m")
    return folder / "m"


def test_the_page_shows_scores_pictures_and_the_row_that_stands_out(model):
    path = write_surrogate_report(model)
    page = path.read_text("utf-8")
    score = json.loads((model / "model.json").read_text("utf-8"))["cross_validation"]["y"]
    assert f"{score['mean_absolute_error']:.4g}" in page
    assert f"{100 * score['coverage95']:.1f}" in page
    assert page.count("<svg") == 3  # against, and one for each feature
    assert "1 without this target left out" in page
    # row 7 is line 9 of the file
    with (model / "cross_validation.csv").open() as text:
        (row,) = [one for one in csv.DictReader(text) if one["line"] == "9"]
    assert '<th scope="row">9</th>' in page and f"{float(row['measured']):.4g}" in page


def test_the_page_asks_nobody_and_shows_words_as_text(model):
    page = write_surrogate_report(model).read_text("utf-8")
    assert "<script" not in page and "http" not in re.sub(r'(xmlns|rdf:|xlink)[^>]*"', "", page).replace(
        "http-equiv", ""
    ).replace("http://www.w3.org", "").replace("http://purl.org", "").replace(
        "https://matplotlib.org", ""
    ).replace("http://creativecommons.org", "")
    assert "a <b>" not in page and "a &lt;b&gt;" in page


def test_identifiers_are_used_once(model):
    page = write_surrogate_report(model).read_text("utf-8")
    names = re.findall(r'\bid="([^"]+)"', page)
    assert len(names) == len(set(names))


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(InputError, match="no model of perolux"):
        write_surrogate_report(tmp_path)
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(InputError, match="no model of perolux"):
        write_surrogate_report(tmp_path)
