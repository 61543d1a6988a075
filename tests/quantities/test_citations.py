"""The bibliography and its BibTeX: what is known and nothing else, and faults told at once."""

import re

import pytest

from perolux.errors import InputError, OptionError
from perolux.quantities import Value, bibliography, citation_keys, reference, to_bibtex
from perolux.quantities.citations import parse_bibliography
from perolux.quantities.constants import constants


def test_bibtex_of_the_review():
    text = to_bibtex(["chimia2024"])
    assert text.startswith("@article{chimia2024,\n")
    for line in ("journal = {CHIMIA}", "year = {2024}", "volume = {78}", "number = {12}", "pages = {861}"):
        assert line in text
    assert "author" not in text and "title" not in text  # not known, so not written


def test_an_entry_known_by_doi_only_has_nothing_else():
    assert reference("d2na00354f").bibtex() == "@article{d2na00354f,\n  doi = {10.1039/d2na00354f},\n}"


@pytest.mark.parametrize("key", list(bibliography()))
def test_every_entry_is_well_formed(key):
    text = reference(key).bibtex()
    if reference(key).type == "none":
        assert text.startswith("%") and "\n" not in text
        return
    assert re.match(rf"@[a-z]+\{{{re.escape(key)},\n", text) and text.endswith("\n}")
    assert text.count("{") == text.count("}")
    doi = reference(key).get("doi")
    assert doi is None or re.fullmatch(r"10\.\d{4,9}/\S+", doi)
    eprint = reference(key).get("eprint")
    assert eprint is None or re.fullmatch(r"\d{4}\.\d{4,5}", eprint)


def test_keys_once_and_in_order():
    text = to_bibtex(["yang2017", "chimia2024", "yang2017"])
    assert text.count("@article") == 2
    assert text.index("yang2017") < text.index("chimia2024")


def test_special_characters_are_escaped_in_text_only():
    (one,) = parse_bibliography(
        '[a]\ntype = "misc"\ntitle = "50 % & more_"\nurl = "https://x.org/a_b%20c"\n', "b"
    ).values()
    assert r"title = {50 \% \& more\_}" in one.bibtex()
    assert "url = {https://x.org/a_b%20c}" in one.bibtex()


def test_unknown_key_names_the_nearest():
    with pytest.raises(OptionError, match="no reference has the key 'yang2018'") as caught:
        to_bibtex(["yang2018"])
    assert "did you mean 'yang2017" in str(caught.value)


def test_keys_of_a_source():
    assert citation_keys("yang2017: abstract") == ("yang2017",)
    assert citation_keys("yang2017 + galkowski2016: linear") == ("yang2017", "galkowski2016")
    for text in ("somewhere", "nobody1900: x", "yang2017 and others: x", ""):
        assert citation_keys(text) == ()


def test_constants_cite():
    assert all(
        isinstance(v, Value) and citation_keys(v.source) == ("codata2022",) for v in constants().values()
    )


def test_faults_are_told_at_once():
    text = '[a]\ntype = "book"\ntitle = "x"\n[b]\ntype = "misc"\ncolour = 3\n'
    text += '["c d"]\ntype = "misc"\ntitle = "y"\n'
    with pytest.raises(InputError) as caught:
        parse_bibliography("e = 3\n" + text, "bib")
    wheres = [p.where for p in caught.value.problems]
    assert wheres == ["bib: e", "bib: a", "bib: b", "bib: b", "bib: c d"]
    with pytest.raises(InputError, match="not valid TOML"):
        parse_bibliography("[a", "bib")


def test_one_line_names_the_first_author():
    assert str(reference("yang2017")).startswith("yang2017: Yang, Z. and others; Impact of the Halide Cage")
    assert "Land\u00e9 factors" in str(reference("kirstein2022"))  # {\\'e} is for BibTeX only
    assert str(reference("perolux")).startswith("perolux: The perolux developers; perolux")
