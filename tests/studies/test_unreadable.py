"""A file that cannot be read stands for its sample: neither the sample nor its recipe is lost."""

import math

import pytest

from perolux.errors import InputError, OptionError
from perolux.studies import characterise

STUDY = """
[study]
name = "unreadable"
[spectra]
files = ["*.csv"]
label = "stem"
[samples]
file = "recipes.tsv"
label = "sample"
"""


@pytest.mark.slow
def test_an_unreadable_file_is_a_failed_row_with_its_recipe(tmp_path):
    lines = [f"{nm},{1000 * math.exp(-(((nm - 515) / 9) ** 2) / 2) + 10:.2f}" for nm in range(450, 601)]
    (tmp_path / "a.csv").write_text("wavelength_nm,counts\n" + "\n".join(lines))
    (tmp_path / "b.csv").write_text("")
    (tmp_path / "c.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))
    (tmp_path / "recipes.tsv").write_text("sample\tCs\na\t1\nb\t2\nz\t3\n")
    (tmp_path / "study.toml").write_text(STUDY)
    run = characterise(tmp_path / "study.toml", out=tmp_path / "run")
    assert [row["label"] for row in run] == ["a", "b", "c", "z"]
    assert run["b"]["status"] == "failed" and run["b"]["recipe"] is not None
    assert "empty" in run["b"]["reasons"]["peak_ev"] and "b.csv" in run["b"]["reasons"]["peak_ev"]
    assert run["c"]["status"] == "failed" and "no-recipe" in run["c"]["flags"]
    assert run["z"]["status"] == "no-spectrum"
    assert run.record["counts"]["failed"] == 2
    # what is said of a file names it as the study does, in every file of the run
    assert str(tmp_path) not in (run.folder / "run.json").read_text(encoding="utf-8")
    page = run.report.read_text(encoding="utf-8")
    assert str(tmp_path) not in page
    unread, lonely = page.split('<h3 id="unread">')[1].split('<h3 id="no-spectrum">')
    assert unread.count("<li") == 2 and "<b>b</b>" in unread and "empty" in unread
    assert lonely.split("</ul>")[0].count("<li") == 1 and "<b>z</b>" in lonely
    assert "The files of 2 samples could not be read." in run.record["summary"]


@pytest.mark.slow
def test_a_run_folder_that_lost_a_file_says_so_and_can_be_made_again(tmp_path):
    lines = [f"{nm},{1000 * math.exp(-(((nm - 515) / 9) ** 2) / 2) + 10:.2f}" for nm in range(450, 601)]
    (tmp_path / "a.csv").write_text("wavelength_nm,counts\n" + "\n".join(lines))
    (tmp_path / "recipes.tsv").write_text("sample\tCs\na\t1\n")
    (tmp_path / "study.toml").write_text(STUDY)
    study, out = tmp_path / "study.toml", tmp_path / "run"
    characterise(study, out=out)
    (out / "report.html").unlink()
    with pytest.raises(OptionError, match=r"report\.html is missing"):
        characterise(study, out=out)
    assert characterise(study, out=out, restart=True).report.is_file()
    (out / "run.json").write_text("{")
    with pytest.raises(InputError, match="damaged"):
        characterise(study, out=out)
    assert len(characterise(study, out=out, restart=True)) == 1
