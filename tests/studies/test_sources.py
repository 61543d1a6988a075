"""The references of a run, and of one number."""

import re

import pytest

from perolux.errors import InputError, PeroluxError
from perolux.studies import characterise
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


def test_a_key_is_cited_with_its_rivals():
    assert citations_of_run("CsPbBr3.gap").keys


def test_what_cannot_be_cited_says_so(tmp_path):
    with pytest.raises(InputError, match="not a run folder"):
        citations_of_run(tmp_path)
    with pytest.raises(PeroluxError):
        citations_of_run("CsPbBr3.nothing")
