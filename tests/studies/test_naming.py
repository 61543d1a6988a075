"""Names of samples: times in words, groups of files, and which spectra belong together."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perolux.studies import characterise
from perolux.studies.naming import Name, group_of, name_of, near_misses, pair_names, time_of


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30 s", (30.0, "")),
        (" 30  s ", (30.0, "")),
        ("30s reaction", (30.0, "reaction")),
        ("t = 1,5 min", (90.0, "")),
        ("2 hours, aliquot B", (7200.0, "aliquot b")),
        ("60 sec_PL", (60.0, "pl")),
        ("30", None),  # no unit
        ("5 m", None),  # metre or minute
        ("30 samples", None),
        ("sample 30 s", None),
        ("", None),
    ],
)
def test_times_in_words(text, expected):
    assert time_of(text) == expected


def test_groups_of_files():
    assert group_of(Path("in/run2_fl_emission.csv"), "{group}_fl_*") == "run2"
    assert group_of(Path("PL (3).txt"), "PL ({group})") == "3"  # brackets and dots are plain text
    assert group_of(Path("other.csv"), "{group}_fl_*") is None
    assert group_of(Path("run2.csv"), None) is None


def test_names_of_spectra():
    path = Path("run2_fl.csv")
    assert name_of("30 s ", path, 3, "header", None) == Name(None, "30 s")
    assert name_of("30 s", path, 3, "header", "run2").shown == "run2: 30 s"
    assert name_of("30 s", path, 3, "stem", None).shown == "run2_fl: 30 s"
    assert name_of("30 s", path, 1, "stem", None).shown == "run2_fl"
    assert name_of("", path, 1, "header", "run2").shown == "run2"


def names(*parts, group=None):
    return [Name(group, part) for part in parts]


def test_pairs_by_name_and_by_time_never_by_position():
    pairing = pair_names(names("60 s reaction", "90 s", "a"), names("30 s", "60 s", "90 s", "b"))
    assert pairing.partner == (1, 2, None)
    assert not pairing.contested_1 and not pairing.contested_2


def test_equal_names_come_before_equal_times():
    pairing = pair_names(names("30 s", "0.5 min"), names("30 s reaction", "30 s"))
    assert pairing.partner == (1, 0)


def test_groups_keep_runs_apart():
    first = [*names("30 s", group="run2"), *names("30 s", group="run4")]
    second = [*names("30 s reaction", group="run4"), *names("30 s reaction", group="run5")]
    assert pair_names(first, second).partner == (None, 0)


def test_what_is_not_unique_is_not_joined():
    pairing = pair_names(names("30 s A", "30 s B"), names("30 s"))
    assert pairing.partner == (None, None)
    assert pairing.contested_1 == {0, 1} and pairing.contested_2 == {0}
    assert pair_names(names("30 s A"), names("30 s B")).partner == (None,)  # other words: another sample
    twice = pair_names(names("a"), names("a", "a"))
    assert twice.partner == (None,) and twice.contested_1 == {0} and twice.contested_2 == {0, 1}


parts = st.sampled_from(["30 s", "30 s reaction", "0.5 min", "60 s", "30 s b", "a", "b", " a"])
lists = st.lists(st.builds(Name, st.sampled_from([None, "run2"]), parts), max_size=7)


@given(first=lists, second=lists)
def test_pairing_is_one_to_one_and_knows_no_order(first, second):
    pairing = pair_names(first, second)
    partners = [j for j in pairing.partner if j is not None]
    assert len(partners) == len(set(partners))
    assert not pairing.contested_2 & set(partners)
    assert not pairing.contested_1 & {i for i, j in enumerate(pairing.partner) if j is not None}
    turned = pair_names(first[::-1], second[::-1])
    back = [None if j is None else len(second) - 1 - j for j in turned.partner[::-1]]
    assert tuple(back) == pairing.partner


def test_names_that_differ_only_in_writing():
    assert near_misses({"A 1"}, {"a1.csv", "b"}, "recipe") == [
        ("names", "spectrum 'A 1' and recipe 'a1.csv' differ only in writing; not joined")
    ]
    assert near_misses({"a"}, set(), "recipe") == []


LONE = """
[study]
name = "lone"
[spectra]
files = ["*_pl.csv"]
[absorption]
files = ["*_uv.csv"]
[samples]
file = "recipes.tsv"
label = "sample"
"""


def lone_column(small, folder, files, recipes):
    """A study of files with one column each: file name -> its header."""
    for name, header in files.items():
        text = (
            small.wide_csv({header: (2.42, 85.0)}) if "_pl" in name else small.absorbance_csv({header: 2.5})
        )
        (folder / name).write_text(text)
    (folder / "recipes.tsv").write_text("sample\tCs\n" + "".join(f"{one}\t1\n" for one in recipes))
    (folder / "study.toml").write_text(LONE)
    return characterise(folder / "study.toml", out=folder / "run")


@pytest.mark.slow
@pytest.mark.parametrize("header", ["S1", "A", "sample"])
def test_a_lone_column_headed_like_a_recipe_keeps_it(tmp_path, small, header):
    files = {"monday_pl.csv": header, "tuesday_uv.csv": header}
    run = lone_column(small, tmp_path, files, [header, "S2"])
    assert [row["label"] for row in run] == [header, "S2"]
    row = run[header]
    assert row["recipe"] == {"recipe: Cs": 1.0} and "no-recipe" not in row["flags"]
    assert row["absorption_file"] == "tuesday_uv.csv"
    assert any(f"headed '{header}'" in note["note"] for note in run.record["notes"])


@pytest.mark.slow
def test_the_file_name_and_shared_headers_come_first(tmp_path, small):
    # the file's own recipe is not given up for a word above the column
    run = lone_column(small, tmp_path, {"S2_pl.csv": "S1", "x_uv.csv": "Abs"}, ["S1", "S2_pl"])
    assert run["S2_pl"]["recipe"] is not None and run["S1"]["status"] == "no-spectrum"


@pytest.mark.slow
def test_a_header_that_several_files_share_is_no_name(tmp_path, small):
    files = {"x_pl.csv": "S1", "y_pl.csv": "S1", "x_uv.csv": "Abs"}
    run = lone_column(small, tmp_path, files, ["S1"])
    assert [row["label"] for row in run] == ["x_pl", "y_pl", "x_uv", "S1"]
    assert sum("not joined" in note["note"] for note in run.record["notes"]) == 2
