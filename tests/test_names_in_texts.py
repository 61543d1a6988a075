"""Texts that name a Python path: what a fix= or a docstring sends the reader to must be there."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

import perolux

ROOT = Path(perolux.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
PATH = re.compile(r"\b[a-z_]\w*(?:\.[A-Za-z_]\w*)+")
MODULES = {path.stem for path in FILES} | {path.parent.name for path in FILES} - {"__init__"}
NO_MODULE = {"levels.energy_mev"}
"""An argument of the function that the docstring is of, called like a module."""


def resolves(name: str) -> bool:
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:count]))
        except ImportError:
            continue
        for part in parts[count:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


def fixes(tree: ast.AST) -> list[str]:
    """The text of every fix=, of f-strings the constant parts, joined by "{}"."""
    keywords = [
        word.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for word in node.keywords
        if word.arg == "fix"
    ]
    texts = []
    for value in keywords:
        for node in ast.walk(value):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return texts


def named_modules(text: str) -> list[str]:
    """Dotted names that begin with perolux or the name of one of its modules; file names are none."""
    names = [name for name in PATH.findall(text) if name.split(".")[0] in MODULES | {"perolux"}]
    return [n for n in names if not n.endswith((".toml", ".csv", ".json", ".html", ".nc", ".py", ".md"))]


@pytest.mark.slow
def test_every_path_in_a_fix_can_be_imported():
    wrong, seen = [], 0
    for file in FILES:
        for text in fixes(ast.parse(file.read_text(encoding="utf-8"))):
            for name in named_modules(text):
                seen += 1
                if not (name.startswith("perolux.") and resolves(name)):
                    wrong.append(f"{file.relative_to(ROOT)}: {name}")
    assert not wrong
    assert seen > 5  # the search itself finds something


def test_modules_named_in_backticks_are_there():
    assert not [f"{file.relative_to(ROOT)}: {name}" for file in FILES for name in unknown(file)]


def unknown(file: Path) -> list[str]:
    """`module.name` counts from the package of the file, from one above it, or from one right below it."""
    package = file.relative_to(ROOT.parent).parent.parts
    above = [".".join(package[: count + 1]) for count in range(len(package))]
    below = [
        f"{above[-1]}.{folder.name}" for folder in file.parent.iterdir() if (folder / "__init__.py").is_file()
    ]
    text = file.read_text(encoding="utf-8")
    quoted = [name for name in re.findall(r"`([^`\n]+)`", text) if PATH.fullmatch(name)]
    return [
        name
        for name in quoted
        if name in named_modules(name)
        and not name.startswith("prior.")  # keys of the assumptions
        and name not in NO_MODULE
        and not any(resolves(f"{base}.{name}") for base in (*above, *below))
        and not resolves(name)
    ]
