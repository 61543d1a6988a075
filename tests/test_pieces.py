"""Kept pieces: read instead of computed, damaged ones computed again, folders of something else refused."""

import json

import numpy as np
import pytest

from perolux.errors import OptionError
from perolux.pieces import nothing_kept, pieces_in

QUESTION = {"task": "test", "seed": 1, "sizes": (1.5, None)}


def computed(pieces, names, made, stop_at=None):
    """Pieces by name; `made` gathers what was computed, the one called `stop_at` is interrupted."""

    def make(name):
        if name == stop_at:
            raise KeyboardInterrupt
        made.append(name)
        return {"x": np.array([0.1 * len(made), np.nan, 1e-300]), "y": np.zeros(0)}

    return [pieces.arrays(name, {"x": 3, "y": None}, lambda name=name: make(name)) for name in names]


def interrupted(folder, names="abc", stop_at="c"):
    made = []
    with pytest.raises(KeyboardInterrupt) as caught, pieces_in(folder, QUESTION) as pieces:
        computed(pieces.part("p"), names, made, stop_at)
    return made, str(caught.value)


def test_what_was_done_is_read_bit_by_bit_and_the_folder_goes_with_the_end(tmp_path):
    folder, said, made = tmp_path / "out.part", [], []
    first, message = interrupted(folder)
    assert first == ["a", "b"]
    assert "what was finished is kept" in message and "start the same command again" in message
    with pieces_in(folder, QUESTION, told=said.append) as pieces:
        pieces.tell(3, "c")
        pieces.tell()
        found = computed(pieces.part("p"), "abc", made)
    assert made == ["c"]
    assert found[0]["x"].tobytes() == np.array([0.1, np.nan, 1e-300]).tobytes()
    assert "0 of 3 pieces were done, and 2 of the steps" in said[0] and "2 pieces done" in said[1]
    assert not folder.exists()


def test_an_interruption_before_the_first_piece_leaves_nothing(tmp_path):
    made, message = interrupted(tmp_path / "p", stop_at="a")
    assert made == [] and message == "" and not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    "spoil", [lambda s: s.replace('"x"', '"z"', 1), lambda s: s[:80], lambda s: s.replace("AA", "AB", 1)]
)
def test_a_damaged_piece_is_computed_again_with_a_warning(tmp_path, spoil):
    interrupted(tmp_path / "p")
    (batch,) = (tmp_path / "p").glob("batch-*")
    first, *rest = batch.read_text().splitlines()
    batch.write_text("\n".join([spoil(first), *rest]) + "\n")
    said, made = [], []
    with pieces_in(tmp_path / "p", QUESTION, told=said.append) as pieces:
        computed(pieces.part("p"), "abc", made)
    assert made == ["a", "c"] and "damaged: 1 piece kept" in said[0] and "computed again" in said[0]


def test_a_batch_that_is_no_text_is_computed_again(tmp_path):
    interrupted(tmp_path / "p")
    (batch,) = (tmp_path / "p").glob("batch-*")
    batch.write_bytes(b"\xff\xfe\x00" * 100)
    made = []
    with pieces_in(tmp_path / "p", QUESTION) as pieces:
        computed(pieces.part("p"), "abc", made)
    assert made == ["a", "b", "c"]


def test_a_piece_of_another_length_is_computed_again(tmp_path):
    interrupted(tmp_path / "p")
    said = []
    with pieces_in(tmp_path / "p", QUESTION, told=said.append) as pieces:
        found = pieces.part("p").arrays("a", {"x": 1}, lambda: {"x": np.ones(1)})
    assert found["x"] == 1.0 and "does not fit" in said[0]


def test_pieces_of_another_question_are_refused_by_name_and_stay(tmp_path):
    interrupted(tmp_path / "p")
    with (
        pytest.raises(OptionError, match="another seed") as caught,
        pieces_in(tmp_path / "p", QUESTION | {"seed": 2}),
    ):
        pass
    assert "remove the folder" in caught.value.problems[0].fix
    assert list((tmp_path / "p").glob("batch-*"))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("thesis.txt", "all of it", "holds no interrupted run: 'thesis.txt'"),
        ("batch-000001.jsonl", "{}", "holds no interrupted run"),
        ("question.json", "{", "question.json is damaged"),
        ("question.json", "[1]", "question.json is damaged"),
    ],
)
def test_a_folder_of_something_else_is_refused_and_untouched(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(OptionError, match=said), pieces_in(tmp_path, QUESTION):
        pass
    assert (tmp_path / name).read_text() == text


def test_a_fault_keeps_what_was_done(tmp_path):
    def fault():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), pieces_in(tmp_path / "p", QUESTION) as pieces:
        computed(pieces, "a", [])
        pieces.arrays("b", {"x": 3}, fault)
    assert len(list((tmp_path / "p").glob("batch-*"))) == 1
    assert json.loads((tmp_path / "p" / "question.json").read_text())["seed"] == 1


def test_an_interruption_inside_compiled_code_is_one(tmp_path):
    def compiled():
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as stop:
            raise SystemError("returned a result with an exception set") from stop

    with (
        pytest.raises(KeyboardInterrupt, match="what was finished is kept"),
        pieces_in(tmp_path / "p", QUESTION) as pieces,
    ):
        computed(pieces, "a", [])
        pieces.arrays("b", {"x": 3}, compiled)


def test_where_nothing_is_kept_all_is_computed():
    made = []
    computed(nothing_kept.part("p"), "aa", made)
    nothing_kept.tell()
    nothing_kept.keep_standing("s", {"x": np.zeros(1)})
    assert made == ["a", "a"] and nothing_kept.stands("s", {"x": 1}) is None
