"""The machinery of the rows: what a table may say, how a value is judged, how results are shown."""

from __future__ import annotations

import json
from types import ModuleType

import pytest

from perolux.errors import InputError, OptionError
from perolux.validation import ROOMS, Computed, RowResult, has_unexplained_failure, load_rows, run_rows
from perolux.validation.rows import parse_rows
from perolux.validation.run import AGREES_NOW, run_row
from perolux.validation.show import as_json, counts, format_target, markdown_page, table_rows
from perolux.validation.tolerance import Tolerance, agrees

GOOD = """
[[row]]
id = "toy.S1"
quantity = "the answer"
target = 42.0
unit = "meV"
tolerance = { kind = "absolute", value = 0.5, reason = "rounding" }
kind = "read"
source = "a book"
function = "answer"
"""


def toy(**functions) -> ModuleType:
    module = ModuleType("toy")
    for name, function in functions.items():
        setattr(module, name, function)
    module.__all__ = list(functions)
    return module


def row_of(text: str, value):
    def answer():
        if isinstance(value, Exception):
            raise value
        return value

    return parse_rows("toy", text, toy(answer=answer))[0]


def judged(value, text: str = GOOD) -> RowResult:
    return run_row(row_of(text, value))


def test_a_row_within_its_tolerance_passes_and_one_outside_fails():
    assert judged(42.4).verdict == "pass"
    assert judged(42.6).verdict == "fail"
    assert not has_unexplained_failure([judged(42.4)])
    assert has_unexplained_failure([judged(42.4), judged(42.6)])


@pytest.mark.parametrize("value", [ValueError("broken"), float("nan"), float("inf"), None])
def test_a_row_that_gives_no_number_is_an_error_with_its_reason(value):
    result = judged(value)
    assert result.verdict == "error"
    assert result.value is None
    assert result.note
    assert has_unexplained_failure([result])


def test_a_known_disagreement_is_no_failure_but_stays_visible():
    text = GOOD + 'known_disagreement = "the source leaves out the image charge"\n'
    result = judged(50.0, text)
    assert result.verdict == "known disagreement"
    assert "image charge" in result.note
    assert not has_unexplained_failure([result])
    assert "image charge" in markdown_page([result])


def test_a_known_disagreement_that_agrees_asks_for_its_mark_to_be_removed():
    result = judged(42.0, GOOD + 'known_disagreement = "the source leaves out the image charge"\n')
    assert result.verdict == "pass"
    assert result.agrees_now
    assert result.note.startswith(AGREES_NOW)


def test_an_error_is_never_excused_by_a_known_disagreement():
    result = judged(ValueError("broken"), GOOD + 'known_disagreement = "the source is not quite right"\n')
    assert result.verdict == "error"


def test_a_calibration_is_labelled_and_can_still_fail():
    assert judged(42.0, GOOD + "calibration = true\n").verdict == "calibration"
    assert judged(43.0, GOOD + "calibration = true\n").verdict == "fail"


def test_the_detail_of_a_function_reaches_the_reader():
    result = judged(Computed(42.0, "221 of 235"))
    assert result.note == "221 of 235"
    assert "221 of 235" in table_rows([result])[0][4]


@pytest.mark.parametrize(
    ("kind", "number", "target", "inside", "outside"),
    [
        ("absolute", 0.5, 10.0, [9.5, 10.5], [9.49, 10.51]),
        ("relative", 0.1, -10.0, [-9.0, -11.0], [-8.9, -11.1]),
        ("at-least", 0.0, 10.0, [10.0, 11.0], [9.99]),
        ("at-most", 0.0, 10.0, [10.0, 1.0], [10.01]),
        ("range", 1.0, (10.0, 20.0), [9.0, 15.0, 21.0], [8.9, 21.1]),
        ("exact", 0.0, 6114, [6114], [6115, 6114.1]),
        ("exact", 0.0, "a = 1", ["a = 1"], ["a = 2"]),
    ],
)
def test_every_kind_of_tolerance(kind, number, target, inside, outside):
    tolerance = Tolerance(kind, number, "a reason")
    assert all(agrees(value, target, tolerance) for value in inside)
    assert not any(agrees(value, target, tolerance) for value in outside)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"answer"', '"nothing"', "no function 'nothing'"),
        ('"answer"', '"__import__"', "no function '__import__'"),
        ('id = "toy.S1"', 'id = "other.S1"', "the id must be the room"),
        ('id = "toy.S1"', 'id = "toy.a b"', "the id must be the room"),
        ("target = 42.0", "", "'target' is missing"),
        ("target = 42.0", "target = nan", "must be a finite number"),
        ("target = 42.0", "target = [1.0, 2.0]", "must be a finite number"),
        ("target = 42.0", 'target = "x"', "a text can only be compared exactly"),
        ('kind = "absolute", ', 'kind = "range", ', "needs target = [low, high]"),
        ('kind = "absolute", ', 'kind = "about", ', "unknown kind of tolerance"),
        ("value = 0.5, ", "", "needs a value"),
        ("value = 0.5, ", "value = -0.5, ", "not negative"),
        ("value = 0.5, ", "value = true, ", "not negative"),
        (', reason = "rounding"', "", "the tolerance has no reason"),
        ('kind = "read"', 'kind = "heard"', "unknown kind 'heard'"),
        ('source = "a book"', "", "'source' is missing"),
        ('source = "a book"', 'source = "a book"\ncolour = "red"', "unknown key 'colour'"),
        ('source = "a book"', 'source = "a book"\nslow = "yes"', "'slow' must be true or false"),
        ('source = "a book"', 'source = "a book"\narguments = 3', "'arguments' must be a table"),
        ('source = "a book"', 'source = "a book"\nknown_disagreement = "yes"', "needs its reason in words"),
        ("[[row]]", "[[rows]]", "unknown section"),
        ("target = 42.0", "target = 42.0 meV", "not TOML"),
    ],
)
def test_a_faulty_table_is_refused_with_a_clear_message(old, new, message):
    text = GOOD.replace(old, new)
    assert text != GOOD
    with pytest.raises(InputError, match=r"toy\.toml") as caught:
        row_of(text, 1.0)
    assert message in str(caught.value)


def test_all_problems_of_a_table_come_together():
    text = (
        GOOD.replace('"answer"', '"nothing"') + GOOD.replace('kind = "read"', 'kind = "heard"') + GOOD + GOOD
    )
    with pytest.raises(InputError) as caught:
        row_of(text, 1.0)
    message = str(caught.value)
    assert "no function" in message
    assert "unknown kind 'heard'" in message
    assert "used twice" in message


TABLE = """
[[table]]
prefix = "toy.energy"
file = "exciton_hard_sphere_benchmark.csv"
key_column = "R_over_aB"
target_column = "E_over_Ry"
argument_columns = { radius = "R_over_aB" }
tolerance = { kind = "absolute", reason = "of the table" }
tolerance_columns = { value = "tol_E_Ry" }
quantity = "energy at R = {key} aB"
unit = "Ry"
kind = "computed"
source = "the table"
function = "energy"
"""


def test_a_table_gives_one_row_per_line():
    rows = parse_rows("toy", TABLE, toy(energy=lambda radius: radius))
    assert len(rows) == 8
    assert rows[0].id == "toy.energy@0.25"
    assert rows[0].target == 143.33623
    assert rows[-1].tolerance.number == 0.001
    assert rows[-1].quantity == "energy at R = 10.0 aB"
    assert run_row(rows[0]).value == 0.25


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"E_over_Ry"', '"E_over_eV"', "no column 'E_over_eV'"),
        ('"exciton_hard_sphere_benchmark.csv"', '"missing.csv"', "there is no table"),
        ('key_column = "R_over_aB"', "", "'key_column' is missing"),
        ('unit = "Ry"', 'unit = "Ry"\ncolour = "red"', "unknown key 'colour'"),
    ],
)
def test_a_faulty_table_reference_is_refused(old, new, message):
    with pytest.raises(InputError, match=message):
        parse_rows("toy", TABLE.replace(old, new), toy(energy=lambda radius: radius))


def test_unknown_rooms_and_ids_are_refused_with_what_is_allowed():
    with pytest.raises(OptionError, match="measured"):
        load_rows("kitchen")
    with pytest.raises(OptionError, match="kitchen"):
        run_rows("ensemble", ids=["ensemble.kitchen"])


def test_slow_rows_can_be_left_out_and_progress_is_told():
    class Counter:
        total = steps = finished = 0

        def start(self, task, total):
            del task
            self.total = total

        def advance(self, steps=1):
            self.steps += steps

        def finish(self):
            self.finished += 1

    counter = Counter()
    results = run_rows("ensemble", include_slow=False, progress=counter)
    assert counter.total == counter.steps == len(results) > 0
    assert counter.finished == 1
    assert {r.id for r in results} == {row.id for row in load_rows("ensemble") if not row.slow}


def test_results_as_plain_data_hold_null_and_never_nan():
    results = [judged(42.0), judged(ValueError("broken")), judged(1e99)]
    data = json.loads(json.dumps(as_json(results), allow_nan=False))
    assert data["ok"] is False
    assert data["counts"] == {"pass": 1, "error": 1, "fail": 1} == counts(results)
    assert data["rows"][1]["value"] is None
    assert data["rows"][0]["note"] is None
    assert data["rows"][0]["tolerance"] == {"kind": "absolute", "value": 0.5, "reason": "rounding"}


def test_the_page_shows_every_row_and_survives_markup_in_texts():
    text = GOOD.replace('"the answer"', '"a | b < c"')
    page = markdown_page([judged(42.0, text), judged(ValueError("broken"))])
    assert page.count("`toy.S1`") == 3  # two table lines, one detail line
    assert "a \\| b &lt; c" in page
    assert "ValueError: broken" in page


def test_targets_as_text():
    assert format_target(None) == "none"
    assert format_target((1.0, 2.0), "nm") == "1 to 2 nm"
    assert format_target(6114, "1") == "6114"
    assert format_target("as read", "text") == "as read"


def test_ids_are_unique_over_all_rooms_and_every_target_says_where_it_stands():
    rows = load_rows()
    assert len({row.id for row in rows}) == len(rows)
    assert {row.room for row in rows} == set(ROOMS)
    for row in rows:
        assert row.tolerance.reason
        assert row.source
