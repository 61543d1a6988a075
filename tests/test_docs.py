"""The generators of the documentation: docstrings to text, pages from the program, no external requests."""

from __future__ import annotations

from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def plain(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    import plain_docstrings

    return plain_docstrings


@pytest.fixture
def generate(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    import generate

    return generate


def test_special_characters_of_plain_docstrings_are_escaped(plain):
    assert plain.to_rst(["|E - E0| of a_, 2*3 and `code_here`s."]) == [
        r"\|E - E0\| of a\_, 2\*3 and ``code_here``\ s.",
        "",
    ]


def test_indented_equations_become_literal_blocks_with_their_gaps(plain):
    lines = plain.to_rst(["Text:", "", "    a = b", "", "    c = d", "", "More."])
    assert lines == ["Text:", "", "::", "", "        a = b", "    ", "        c = d", "", "More.", ""]


def test_field_lists_become_bullets(plain):
    lines = plain.to_rst(["edge_nm: the edge,", "    in nm. b: other.", "gap_ev: the gap."])
    assert lines == [r"- edge\_nm: the edge, in nm. b: other.", r"- gap\_ev: the gap.", ""]


def test_doctests_are_left_as_they_are(plain):
    assert plain.to_rst([">>> f('a_b')", "'*'"]) == [">>> f('a_b')", "'*'", ""]


@pytest.mark.parametrize(
    "tag",
    [
        '<script src="https://example.org/a.js"></script>',
        "<img alt='x' src='//example.org/a.png'>",
        '<link rel="stylesheet" href="https://example.org/a.css">',
        "@import url(https://example.org/a.css)",
    ],
)
def test_external_requests_are_found(monkeypatch, tmp_path, tag):
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    import offline

    (tmp_path / "page.html").write_text(f"<p><a href='https://example.org'>a link is fine</a>{tag}")
    assert len(offline.external_requests(tmp_path)) == 1


def test_pages_from_the_program_hold_what_the_program_holds(generate):
    from perolux.measured.flags import FLAGS
    from perolux.quantities.constants import constants

    flags = generate.flags_page()
    assert all(f"`{name}`" in flags for name in FLAGS)
    assert all(f"`constants.{name}`" in generate.constants_page() for name in constants())
    assert "`[spectra]`" in generate.study_file_page()
    records = generate.records_page()
    assert "CsPbBr3.reduced_mass` (set yang2017), rival" in records
    assert "AZPbBr3" in records
    assert "recalled" in generate.assumptions_page() or "assumed" in generate.assumptions_page()


def test_tables_make_markup_harmless(generate):
    assert generate.table(("a",), [("x | y < z",)])[2] == "| x \\| y &lt; z |"
