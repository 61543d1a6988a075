"""A study file that is wrong: every problem at once, each with place, what is allowed and the remedy."""

import json

import pytest

from perolux.errors import InputError
from perolux.studies import load_study, study_schema
from perolux.studies.table import read_table


def problems_of(path):
    with pytest.raises(InputError) as caught:
        load_study(path)
    return caught.value.problems


def test_a_good_study_loads_with_its_files(tmp_path, small):
    study = load_study(small.make(tmp_path))
    assert [path.name for path in study.spectra_files] == ["spectra.csv"]
    assert study.table is not None and len(study.table) == 4
    assert dict(study.inputs).keys() == {"spectra.csv", "recipes.csv"}
    assert load_study(tmp_path).digest() == study.digest()  # the folder stands for its study.toml


def test_all_problems_of_a_study_come_together(tmp_path, small):
    text = (
        small.STUDY.replace('files = ["spectra.csv"]', 'files = ["spectra.cvs", "none/*.txt"]\nkindd = "pl"')
        .replace('label = "name"', 'label = "nam"')
        .replace('material = "CsPbBr3"', 'material = "CsPbBr3"\ntemperature_k = "warm"')
    )
    found = {problem.where: problem for problem in problems_of(small.make(tmp_path, study=text))}
    assert found["study.toml: [spectra] kindd"].fix == "did you mean 'kind'?"
    assert "spectra.csv" in found["study.toml: [spectra] files[0]"].fix
    assert "no file matches" in found["study.toml: [spectra] files[1]"].what
    label = found["study.toml: [samples] label"]
    assert label.fix == "did you mean 'name'?" and "'solvent'" in label.allowed
    assert "'warm'" in found["study.toml: [conditions] temperature_k"].what
    assert len(found) == 5


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        ('name = "small"', 'name = ""', "[study] name", "not allowed"),
        ('name = "small"', "", "[study] name", "missing"),
        ('material = "CsPbBr3"', 'material = "CsPbX9"', "[conditions]", "CsPbX9"),
        ('material = "CsPbBr3"', 'material = "CsPbBr3"\ntemperature_k = 1200.0', "[conditions]", "1200"),
        (
            'material = "CsPbBr3"',
            'material = "CsPbBr3"\ntemperature_k = -4',
            "[conditions] temperature_k",
            "-4",
        ),
        ('plqy = "PLQY"', 'plqy = "solvent"', "[samples] plqy", "must hold numbers"),
        ('numerator = ["volume"]', 'numerator = ["solvent"]', "[samples] ratios[0] numerator", "numbers"),
        ("figures = []", 'figures = ["bmp"]', "[report] figures[0]", "'bmp'"),
        ("figures = []", 'x = "volum"', "[report] x", "no recipe variable"),
        ('file = "recipes.csv"', 'file = "recipe.csv"', "[samples] file", "no such file"),
    ],
)
def test_a_single_mistake_is_named_with_its_place(tmp_path, old, new, where, words, small):
    assert old in small.STUDY
    (problem, *more) = problems_of(small.make(tmp_path, study=small.STUDY.replace(old, new)))
    assert not more
    assert where in problem.where and words in problem.what
    assert "Traceback" not in str(problem)


def test_prior_ranges_must_ascend(tmp_path, small):
    text = small.STUDY + "\n[prior]\nedge_nm = [9.0, 4.0]\n"
    (problem,) = problems_of(small.make(tmp_path, study=text))
    assert "[prior] edge_nm" in problem.where and "low < high" in problem.allowed


@pytest.mark.parametrize(
    ("source", "where", "words"),
    [
        ('type = "dataset"\ntitle = "x"', "sources[0] key", "missing"),
        ('key = "a"\ntype = "dataset"', "sources[0]", "at least one of author, title, doi, url"),
        ('key = "a"\ntype = "book"\ntitle = "x"', "sources[0] type", "'dataset'"),
        ('key = "yang2017"\ntype = "misc"\ntitle = "x"', "sources[0] key", "does not hold already"),
        ('key = "a"\ntype = "misc"\ndoi = "https://doi.org/10.1/2"', "sources[0] doi", "10"),
        ('key = "a"\ntype = "misc"\ntitle = "{x"', "sources[0] title", "as many { as }"),
        ('key = "a"\ntype = "misc"\ntitle = "x"\nlicense = "MIT"', "sources[0] license", "'licence'"),
        (
            'key = "a"\ntype = "misc"\ntitle = "x"\n[[study.sources]]\nkey = "a"\ntype = "misc"\ntitle = "y"',
            "[study] sources",
            "each key once",
        ),
    ],
)
def test_a_source_of_the_data_that_cannot_be_cited(tmp_path, source, where, words, small):
    text = small.STUDY.replace('name = "small"\n', f'name = "small"\n\n[[study.sources]]\n{source}\n')
    (problem,) = problems_of(small.make(tmp_path, study=text))
    assert where in problem.where and words in str(problem)


def test_broken_toml_and_missing_study(tmp_path):
    path = tmp_path / "broken.toml"
    path.write_text("[study\n")
    (problem,) = problems_of(path)
    assert "line 1" in problem.what
    (problem,) = problems_of(tmp_path / "absent.toml")
    assert "cannot be read" in problem.what


def test_a_block_that_is_missing(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text('[study]\nname = "x"\n')
    (problem,) = problems_of(path)
    assert problem.what == "the block [spectra] is missing"


def test_digest_follows_settings_and_content(tmp_path, small):
    first = load_study(small.make(tmp_path / "one"))
    again = load_study(small.make(tmp_path / "two"))
    assert first.digest() == again.digest()  # the place of the folder does not matter
    changed = load_study(small.make(tmp_path / "three", study=small.STUDY.replace('"small"', '"other"')))
    edited = load_study(small.make(tmp_path / "four", recipes=small.RECIPES.replace("100", "101")))
    assert len({study.digest() for study in (first, changed, edited)}) == 3


def test_schema_names_every_block_and_explains_the_keys():
    schema = study_schema()
    json.dumps(schema)
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"study", "spectra"}
    prior = schema["$defs"]["PriorBlock"]["properties"]
    assert all("description" in entry for entry in prior.values())


@pytest.mark.parametrize(
    "raw",
    [
        "name;dose\na;1,5\nb;2,5\n".encode("utf-8-sig"),
        "name;dose\na;1,5\nb;2,5\n".encode("utf-16"),
        b"name\tdose\na\t1.5\nb\t2.5\n",
        "näme,dose\n".replace("ä", "a").encode() + b"a,1.5\r\nb,2.5\r\n\r\n",
    ],
)
def test_tables_of_any_common_writing(tmp_path, raw):
    path = tmp_path / "t.csv"
    path.write_bytes(raw)
    table = read_table(path)
    assert table.columns == {"name": ("a", "b"), "dose": (1.5, 2.5)}


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b"name,dose\n", "no rows"),
        (b"name,name\na,b\n", "2 times"),
        (b"name,dose\na,1,2\n", "3 cells under 2"),
        (b"\x89PNG\x00\x00", "binary"),
    ],
)
def test_tables_that_are_none(tmp_path, raw, words):
    path = tmp_path / "t.csv"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=words):
        read_table(path)


def test_missing_cells_and_mixed_columns(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("name,dose,note\na,-,-\nb,2,x\nc,nan,\n")
    table = read_table(path)
    assert table.columns["dose"] == (None, 2.0, None)
    assert table.columns["note"] == ("-", "x", None)  # a dash in a column of words is a word
    assert table.is_numeric("dose") and not table.is_numeric("note")
