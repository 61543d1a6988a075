"""The generators of the documentation: docstrings to text, pages from the program, no external requests."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from perolux.cli.app import run
from perolux.files import example_path
from perolux.studies import characterise
from perolux.studies.study import study_from

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
    study = generate.study_file_page()
    assert "`[spectra]`" in study and "`[[study.sources]]`" in study and "| any |" not in study
    records = generate.records_page()
    assert "CsPbBr3.reduced_mass` (set yang2017), rival" in records
    assert "AZPbBr3" in records
    display = generate.display_file_page()
    for key in ("plqy", "lead_ppm", "mirror_pairs", "wall_plug", "green_center_nm", "voltage", "brightening"):
        assert f"| `{key}` |" in display
    assert "| any |" not in display and "`display.reflector`" in generate.assumptions_page()
    assert "recalled" in generate.assumptions_page() or "assumed" in generate.assumptions_page()


NOT_KEYS = {  # below these lie samples, ladders, libraries, settings: names of the data, not keys
    "counts", "line_aic_gains", "line_parameters", "named", "platelet_layers", "problems", "reasons",
    "recipe", "study", "valid", "versions",
}  # fmt: skip
BY_NAME = {"sets", "flags"}
"""Objects with one entry for each parameter set or flag."""


def keys_of(document, parent=""):
    """Dotted keys of a JSON document; the entries of a list share theirs, and so do those of `BY_NAME`."""
    if isinstance(document, list):
        return {key for item in document for key in keys_of(item, parent)}
    found = set()
    for key, value in document.items() if isinstance(document, dict) else ():
        path = f"{parent}.{key}".lstrip(".")
        found.add(path)
        if key not in NOT_KEYS:
            by_name = key in BY_NAME and isinstance(value, dict)
            found |= keys_of(list(value.values()) if by_name else value, path)
    return found


def undocumented(keys, *pages):
    """Keys that no table row of the pages names: `a.b` in front, or `b` in the row that has `a` in front."""
    rows = [line.split("|", 2)[1:] for page in pages for line in page.splitlines() if line.startswith("|")]
    named = [[set(re.findall("`([^`]+)`", part)) for part in row] for row in rows]

    def in_a_row(key):
        parent, _, last = key.rpartition(".")
        return any(key in front or (parent in front and last in rest) for front, rest in named)

    return sorted(key for key in keys if not in_a_row(key))


def printed(capsys, *arguments):
    """The JSON that a command prints, whatever its exit code."""
    run([str(argument) for argument in arguments])
    return json.loads(capsys.readouterr().out)


def test_the_test_of_keys_finds_what_is_missing():
    assert keys_of([{"a": {"b": 1}, "reasons": {"x": 1}, "size": {"sets": {"s": {"low": 1}}}}]) == {
        "a", "a.b", "reasons", "size", "size.sets", "size.sets.low",
    }  # fmt: skip
    page = "`a`, `c`\n| `a` | with `b` |\n| `c.d` | |"
    assert undocumented({"a", "a.b", "c", "c.d", "b.a"}, page) == ["b.a", "c"]


@pytest.mark.slow
def test_every_key_of_single_files_is_explained(capsys, tmp_path):
    page = (DOCS / "spectra.md").read_text("utf-8")
    bad = tmp_path / "bad.csv"
    bad.write_text("nothing")
    spectra, cdse = (
        example_path("antisolvent") / "spectra" / "native_grid",
        example_path("cdse_hot_injection"),
    )
    pl, absorption = page.split("\n## Absorption\n")
    keys = set()
    for material in ("CsPbBr3", "CsPb(Br,Cl)3"):
        keys |= keys_of(printed(capsys, "pl", spectra / "305.txt", bad, "--material", material, "--json"))
    keys |= keys_of(printed(capsys, "pl", spectra / "433.txt", "--json"))
    assert {"size.platelet_layers", "size.halide_fraction.name", "size.reason", "error.type"} <= keys
    assert undocumented(keys - {"size.reason"}, pl) == []  # of that, the row of `size` tells
    keys = keys_of(printed(capsys, "absorption", cdse / "run2_uv-vis.csv", bad, "--json"))
    assert "scatter_fraction" in keys and undocumented(keys, absorption) == []


@pytest.mark.slow
def test_every_key_of_a_run_folder_is_explained(tmp_path, generate):
    page = (DOCS / "characterise.md").read_text("utf-8")
    size = (DOCS / "spectra.md").read_text("utf-8")
    antisolvent, cdse = example_path("antisolvent"), example_path("cdse_hot_injection")
    recipes = {"file": "synthesis_all.csv", "label": "Sample No."}
    emission = {
        "study": {"name": "emission"},
        "spectra": {"files": ["spectra/native_grid/305.txt"]},
        "samples": recipes,
        "conditions": {"material": "CsPb(Br,Cl)3"},
        "report": {"figures": []},
    }
    both = {
        "study": {"name": "both"},
        "spectra": {"files": ["run2_fl_emission.csv"]},
        "absorption": {"files": ["run2_uv-vis.csv"]},
        "conditions": {"material": "CsPbBr3"},
        "report": {"figures": []},
    }
    rows, record = set(), {"folder", "report"}
    for content, folder in ((emission, antisolvent), (both, cdse)):
        done = characterise(study_from(content, folder=folder), tmp_path / content["study"]["name"])
        rows |= keys_of(list(done.rows))
        record |= keys_of(done.record)
        for name in sorted(path.name for path in done.folder.iterdir()):
            assert f"`{name}`" in page, name
    run_json, results_json = page.split("\n`results.json` has the columns")
    assert {"values.source", "flags", "inputs.sha256"} <= record
    assert undocumented(record - {"folder", "report"}, run_json) == []
    assert {"size.halide_fraction.name", "recipe", "first_exciton_ev", "line_parameters"} <= rows
    assert undocumented(rows, results_json, generate.results_table_page(), size) == []


def test_tables_make_markup_harmless(generate):
    assert generate.table(("a",), [("x | y < z",)])[2] == "| x \\| y &lt; z |"
