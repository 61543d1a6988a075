"""The passport: one file, no request, every number of the JSON in it, user text escaped."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from perolux.excitons import nanocrystal, passport
from perolux.excitons.courses import Course, over_temperature
from perolux.excitons.passport_record import Entry
from perolux.excitons.spread import Spread
from perolux.reports.passport import duration, render_passport, row_of, rows_of, write_passport
from perolux.reports.passport_courses import course_plot
from perolux.reports.passport_figures import Plot, draw_plots
from perolux.reports.passport_spectra import (
    _gaussian_line,
    _phonon_line,
    absorption_plot,
    emission_plot,
    levels_plot,
)


@pytest.fixture(scope="module")
def found():
    return passport(nanocrystal("CsPbBr3", "cube", 8.0, "core-edge", temperature_k=300.0), draws=16)


def test_the_page_asks_nobody_and_holds_every_number(found):
    page = render_passport([found], [[]])
    assert not re.search(r'(?:src|href)="(?!#)(?!data:)', page) and "<script" not in page
    for row in rows_of(found):
        assert row.name in page and row.median in page and row.range95 in page
    assert len(rows_of(found)) == len(found.entries()) + 3  # the molar coefficients
    for value in found.rests_on:
        assert value.key in page
    assert len(page) < 5_000_000


@pytest.mark.slow
def test_figures_are_drawn_and_their_names_are_unique(found):
    plots = draw_plots(found)
    assert {plot.name for plot in plots} == {
        "levels", "absorption", "emission", "lifetime-temperature", "lifetime-size", "emission-size",
        "shifts-size", "splitting-size", "cross-section",
    }  # fmt: skip
    page = render_passport([found, found], [plots, plots])
    assert page.count('role="img" aria-label="') == 2 * len(plots)
    assert "prior.empirical_biexciton_shift_ev" in page  # drawn for cubes of CsPbBr3, so it is listed
    identifiers = re.findall(r'\bid="([^"]+)"', page)
    # the sections of two nanocrystals with one name apart, all others differ
    assert len(identifiers) == len(set(identifiers))


def test_several_nanocrystals_stand_in_one_page(found):
    other = passport(nanocrystal("CsPbBr3", "sphere", 6.0, "core-diameter"), draws=16)
    page = render_passport([found, other], [[], []])
    assert 'id="crystal-1"' in page and 'id="crystal-2"' in page


def test_what_is_missing_says_why():
    lacking = passport(nanocrystal("MAPbBr3", "cube", 8.0, "core-edge"), draws=8)
    assert "not available: lt_splitting of MAPbBr3" in render_passport([lacking], [[]])


@pytest.mark.parametrize("kelvin", [4.0, 77.0, 300.0])
def test_an_emission_line_has_its_peak_at_the_headline(kelvin):
    one = passport(nanocrystal("CsPbBr3", "cube", 8.0, "core-edge", temperature_k=kelvin), draws=16)
    for drawn in (_phonon_line(one), _gaussian_line(one)):
        _, energy, line, width = drawn
        # to the step of the grid
        step = energy[1] - energy[0]
        assert abs(energy[line.argmax()] - one.emission_ev.spread.median) <= step
        assert width >= 1e-3


def test_the_emission_of_the_nanocrystal_itself_is_drawn_and_its_width_said(found):
    plot = emission_plot(found, over_temperature(found.crystal, [4.0, 298.0, 300.0], draws=4))
    assert "dotted mark: 300 K" in plot.caption and "meV wide at 300 K" in plot.caption
    assert plot.rests_on  # couplings to phonons, assumed


def test_gaps_are_counted_with_their_reasons(found):
    none = Entry(None, "nobody knows")
    course = Course(
        np.array([4.0, 5.0, 6.0]), "edge", "nm", (found,) * 3, ("3 nm: too small",), (3.0,)
    )  # fmt: skip
    plot = course_plot("x", course, lambda p: p.emission_ev, "emission (eV)", "A caption.")
    assert plot.caption.endswith("1 of 4 points have no answer and are gaps: too small.")
    assert course_plot("x", course, lambda p: none, "emission (eV)", "A caption.") is None
    beside = course_plot(
        "x", course, lambda p: none, "y", "A caption.", beside=lambda p: p.emission_ev, log_y=True
    )
    assert "4 of 4 points" in beside.caption and "nobody knows (3)" in beside.caption


def test_absorption_lines_are_numbered_with_a_key(found):
    plot = absorption_plot(found)
    assert "1 (111)-(111), 2 (112)-(112)" in plot.caption and "(111)-(111)" not in plot.svg


def test_a_width_nobody_knows_leaves_the_lines_drawn_and_said(found):
    lacking = replace(
        found,
        homogeneous_fwhm_mev=Entry(None, "no width"),
        bright_splittings_mev=(Entry(None, "no tensor"),) * 2,
    )
    assert "no width" in absorption_plot(lacking).caption
    iodide = passport(
        nanocrystal("CsPbI3", "cube", 10.0, "core-edge", temperature_k=4.0), draws=4
    )  # without phonons on record
    bare = replace(iodide, homogeneous_fwhm_mev=Entry(None, "no width"))
    plot = emission_plot(bare, over_temperature(bare.crystal, [4.0, 300.0], draws=4))
    assert "no width" in plot.caption and "4 K" in plot.svg
    assert "drawn at their mean: no tensor" in levels_plot(lacking).caption


def test_rows_have_fixed_decimals_and_raised_powers():
    spread = Spread({"A": 8.127e-14, "B": 9.5e-15}, 6.4321e-14, 4.829e-14, 8.0e-14, "cm2")
    row = row_of("cross section at 335 nm (cm2)", Entry(spread), ["A", "B"])
    assert row.name == "cross section at 335 nm (10⁻¹⁴ cm²)"
    assert (row.median, row.range95, row.sets) == ("6.432", "4.829 to 8.000", ("8.127", "0.950"))
    molar = next(r for r in rows_of(passport(nanocrystal("CsPbBr3", "cube", 8.0, "core-edge"), draws=4))
                 if r.name.startswith("molar absorption at 400 nm"))  # fmt: skip
    # N_A sigma/(1000 ln 10) = 2.615e20 sigma; sigma of this cube is 2 to 3e-14 cm2
    assert "10⁶ M⁻¹ cm⁻¹" in molar.name and 4.0 < float(molar.median) < 9.0


def test_lifetimes_in_words():
    assert [duration(one) for one in (0.05, 1.325, 999.0, 1000.0, 2.3e6)] == [
        "50 ps", "1.32 ns", "999 ns", "1 µs", "2.3 ms",
    ]  # fmt: skip


def test_captions_are_escaped(found, tmp_path):
    path = write_passport([found], tmp_path / "page.html", [[Plot("one", "<svg/>", "a < b")]])
    assert "a &lt; b" in path.read_text()
