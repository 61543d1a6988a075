"""`perolux validate` exits 3 on an unexplained failure, 0 where every disagreement is explained."""

from __future__ import annotations

import json
from types import ModuleType

import pytest

import perolux.validation
from perolux.cli.app import run
from perolux.validation.rows import parse_rows
from perolux.validation.run import run_row

ROW = """
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


def results_of(text: str, value: float):
    module = ModuleType("toy")
    module.answer = lambda: value
    module.__all__ = ["answer"]
    return [run_row(row) for row in parse_rows("toy", text, module)]


@pytest.mark.parametrize(
    ("text", "value", "code"),
    [
        (ROW, 42.0, 0),
        (ROW, 50.0, 3),
        (ROW + 'known_disagreement = "the book leaves out the image charge"\n', 50.0, 0),
        (ROW, float("nan"), 3),
    ],
)
def test_exit_codes(monkeypatch, capsys, text, value, code):
    monkeypatch.setattr(perolux.validation, "run_rows", lambda *_, **__: results_of(text, value))
    assert run(["validate", "quantities", "--json"]) == code
    printed = json.loads(capsys.readouterr().out)
    assert printed["ok"] is (code == 0)
    assert len(printed["rows"]) == 1
    assert run(["validate", "quantities"]) == code
    assert "toy.S1" in capsys.readouterr().out
