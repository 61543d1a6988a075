"""Examples in docstrings of every module, and in the pages of the documentation, are run."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import perolux

OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
DOCS = Path(__file__).parents[1] / "docs"
# A fenced block is an example where it is marked as one, or is Python with prompts.
FENCE = re.compile(r"^```(?:\{doctest\}|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def modules() -> list[str]:
    found = [module.name for module in pkgutil.walk_packages(perolux.__path__, "perolux.")]
    return ["perolux", *(name for name in found if not name.endswith("__main__"))]


def examples(text: str) -> str:
    """All examples of a page, joined, so that later ones may use names of earlier ones."""
    return "\n".join(block for block in FENCE.findall(text) if ">>>" in block)


PAGES = sorted(
    path for path in DOCS.rglob("*.md") if "_build" not in path.parts and examples(path.read_text("utf-8"))
)


@pytest.mark.parametrize("name", modules())
def test_docstrings_of(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=OPTIONS)
    assert result.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_examples_of(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest(examples(page.read_text("utf-8")), {}, page.name, str(page), 0)
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    runner.run(test)
    assert runner.summarize(verbose=False).failed == 0


def test_a_wrong_example_would_be_noticed():
    page = "text\n```python\n>>> 1 + 1\n3\n```\n```python\nno prompt here\n```\n"
    assert examples(page) == ">>> 1 + 1\n3\n"
    test = doctest.DocTestParser().get_doctest(examples(page), {}, "page", None, 0)
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    runner.run(test, out=lambda _: None)
    assert runner.failures == 1
