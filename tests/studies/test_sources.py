"""The references of a run, and of one number."""

import re

import pytest

from perolux.errors import InputError, OptionError, PeroluxError
from perolux.files import example_path
from perolux.studies import characterise, load_study
from perolux.studies.sources import citations_of_run, explain_key, record_values


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


def test_every_record_explains_itself():
    records = record_values()
    assert {key.partition(".")[0] for key in records} == {
        "prior", "equilibrium", "chemical", "atomic_weight", "display", "film", "emitter",
    }  # fmt: skip
    for key, value in records.items():
        assert explain_key(key).chosen == value
    assert records["prior.attachment_sticking"].kind == "assumed"


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("prior.surface_energy", "prior.surface_energy_j_m2"),  # synthesis
        ("prior.coarse_cvv", "prior.coarse_cv"),  # milling
        ("prior.layer_binding", "prior.layer_binding_br_l_mol"),  # platelets
        ("prior.attachement_sticking", "prior.attachment_sticking"),
        ("prior.exchange_rate", "prior.exchange_rate_per_s"),  # surface
        ("prior.stokes", "prior.stokes_shift_ev"),  # excitons
        ("prior.AX_over_APbX3", "equilibrium.AX_over_APbX3"),  # another kind
        ("equilibrium.PbX4", "equilibrium.PbX"),
        ("chemical.toluene", "chemical.toluene.boiling_c"),
        ("atomic_weight.Pd", "atomic_weight.Pb"),
    ],
)
def test_an_unknown_record_is_answered_with_near_ones_of_all_rooms(asked, near):
    with pytest.raises(OptionError) as caught:
        explain_key(asked)
    assert near in caught.value.problems[0].what
    assert all(one in caught.value.problems[0].allowed for one in record_values() if asked[:6] == one[:6])


def test_numbers_of_displays_have_sources():
    values = record_values()
    assert {"display.reflector", "film.random_close_packing", "emitter.KSF6", "emitter.InP"} <= set(values)
    ksf = explain_key("emitter.KSF6").chosen
    assert (ksf.number, ksf.unit, ksf.kind) == (631.0, "nm", "recalled") and "648" in ksf.note
    assert explain_key("emitter.CdSe").chosen.number == 28.0
    with pytest.raises(OptionError, match=r"emitter\.KSF6"):
        explain_key("emitter.KSF")
