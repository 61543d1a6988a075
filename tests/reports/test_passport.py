"""The passport: one file, no request, every number of the JSON in it, user text escaped."""

from __future__ import annotations

import re

import pytest

from perolux.excitons import nanocrystal, passport
from perolux.reports.passport import render_passport, significant, write_passport
from perolux.reports.passport_figures import Plot, draw_plots


@pytest.fixture(scope="module")
def found():
    return passport(nanocrystal("CsPbBr3", "cube", 8.0, "core-edge", temperature_k=300.0), draws=16)


def test_the_page_asks_nobody_and_holds_every_number(found):
    page = render_passport([found], [[]])
    assert not re.search(r'(?:src|href)="(?!#)(?!data:)', page) and "<script" not in page
    for name, entry in found.entries().items():
        assert name in page
        if entry.spread is not None:
            assert significant(entry.spread.median) in page
    for value in found.rests_on:
        assert value.key in page
    assert len(page) < 5_000_000


@pytest.mark.slow
def test_figures_are_drawn_and_their_names_are_unique(found):
    plots = draw_plots(found)
    assert {plot.name for plot in plots} == {
        "levels", "absorption", "emission", "lifetime-temperature", "lifetime-size", "emission-size",
        "shifts-size", "splitting-size",
    }  # fmt: skip
    page = render_passport([found], [plots])
    identifiers = re.findall(r'\bid="([^"]+)"', page)
    assert len(identifiers) == len(set(identifiers))


def test_several_nanocrystals_stand_in_one_page(found):
    other = passport(nanocrystal("CsPbBr3", "sphere", 6.0, "core-diameter"), draws=16)
    page = render_passport([found, other], [[], []])
    assert 'id="crystal-1"' in page and 'id="crystal-2"' in page


def test_what_is_missing_says_why():
    lacking = passport(nanocrystal("MAPbBr3", "cube", 8.0, "core-edge"), draws=8)
    assert "not available: lt_splitting of MAPbBr3" in render_passport([lacking], [[]])


def test_captions_are_escaped(found, tmp_path):
    path = write_passport([found], tmp_path / "page.html", [[Plot("one", "<svg/>", "a < b")]])
    assert "a &lt; b" in path.read_text()
