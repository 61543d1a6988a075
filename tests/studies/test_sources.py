"""The references of a run, and of one number."""

import re

import pytest

from perolux.errors import InputError, PeroluxError
from perolux.files import example_path
from perolux.studies import characterise, load_study
from perolux.studies.sources import citations_of_run


def test_a_run_cites_what_its_sizes_rest_on(tmp_path, small):
    run = characterise(small.make(tmp_path / "in"), tmp_path / "out")
    cited = citations_of_run(run.folder)
    assert cited.keys[0] == "perolux" and len(set(cited.keys)) == len(cited.keys) > 2
    works = re.findall(r"^@\w+\{([^,]+),", cited.bibtex, re.MULTILINE)
    comments = [line for line in cited.bibtex.splitlines() if line.startswith("%")]
    assert set(works) <= set(cited.keys) and "yang2017" in works
    assert any("field-knowledge" in line for line in comments)  # recalled numbers have no work to cite
    assert [entry["key"] for entry in cited.as_dict()["references"]] == list(cited.keys)


DATA = """
[[study.sources]]
key = "doe2024-spectra"
type = "dataset"
author = "Doe, Jane"
title = "Spectra of 50 % of a batch"
year = 2024
doi = "10.5281/zenodo.1234567"
version = "v2"
licence = "CC BY 4.0"

[[study.sources]]
key = "doe2024"
type = "article"
doi = "10.1000/x_y"
"""


def test_a_run_cites_the_data_it_was_made_of(tmp_path, small):
    text = small.STUDY.replace('name = "small"\n', 'name = "small"\n' + DATA)
    run = characterise(small.make(tmp_path / "in", study=text), tmp_path / "out")
    cited = citations_of_run(run.folder)
    assert cited.data == cited.keys[-2:] == ("doe2024-spectra", "doe2024")
    assert cited.bibtex.count("@dataset{doe2024-spectra,") == 1
    assert "title = {Spectra of 50 \\% of a batch}" in cited.bibtex and "year = {2024}" in cited.bibtex
    assert "note = {v2; licence CC BY 4.0}" in cited.bibtex  # BibTeX has no fields for them
    assert "@article{doe2024,\n  doi = {10.1000/x_y},\n}" in cited.bibtex  # what is not known is not written
    assert cited.as_dict()["data"] == ["doe2024-spectra", "doe2024"]


def test_data_without_a_source_are_said_to_have_none(tmp_path, small):
    run = characterise(small.make(tmp_path / "in"), tmp_path / "out")
    cited = citations_of_run(run.folder)
    assert cited.data == () and "% the data: the study names no [[study.sources]]" in cited.bibtex


@pytest.mark.parametrize("name", ["antisolvent", "cdse_hot_injection"])
def test_the_shipped_studies_name_their_data_as_the_readme_does(name):
    sources = load_study(example_path(name) / "study.toml").spec.study.sources
    readme = (example_path(name).parent / "README.md").read_text("utf-8")
    (row,) = [line for line in readme.splitlines() if line.startswith(f"| `{name}/`")]
    data = next(source for source in sources if source.type == "dataset")
    assert data.url in row and data.licence in row
    assert all(commit in row for commit in re.findall("[0-9a-f]{7}", data.version))
    for paper in (source for source in sources if source.type == "article"):
        assert paper.title in row and str(paper.year) in row


def test_a_key_is_cited_with_its_rivals():
    assert citations_of_run("CsPbBr3.gap").keys


def test_what_cannot_be_cited_says_so(tmp_path):
    with pytest.raises(InputError, match="not a run folder"):
        citations_of_run(tmp_path)
    with pytest.raises(PeroluxError):
        citations_of_run("CsPbBr3.nothing")
