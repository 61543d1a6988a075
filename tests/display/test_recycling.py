"""A film in a backlight: conservation, the spectral system as second method, limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.display.fresnel import Face
from perolux.display.recycling import Backlight, recycle, response_of, returned_by
from perolux.display.reference_slab import reference_shapes, reference_slab
from perolux.display.slab import incoming, lambertian
from perolux.errors import OptionError

NM = reference_shapes()[0]
SOURCE = np.exp(-4.0 * np.log(2.0) * ((NM - 450.0) / 20.0) ** 2)
SOURCE /= SOURCE.sum()


def film(depth=0.25, plqy=0.9, cells=8, nodes=12, **changes):
    return response_of(replace(reference_slab(1.5, depth, plqy), **changes), cells, nodes)


@given(
    st.floats(0.0, 0.99), st.floats(0.0, 0.9), st.floats(0.0, 0.6), st.floats(0.0, 1.0), st.floats(0.0, 6.0)
)
@settings(max_examples=25, deadline=None)
def test_photons_are_conserved(reflector, prism, polariser, plqy, depth):
    around = Backlight(reflector, prism, polariser)
    found = recycle(film(depth, plqy), SOURCE, around)
    total = np.sum(found.out) + found.lost_in_emitters + found.lost_elsewhere
    assert total == pytest.approx(1.0, abs=1e-9)
    assert np.min(found.out) >= -1e-15
    assert found.lost_elsewhere >= -1e-12


def test_spectral_system_of_2m_unknowns_gives_the_same():
    """Second method: U and Dn at every wavelength as unknowns, conversion as full matrices."""
    response = film(1.0, 0.8)
    around = Backlight(0.9, 0.5, 0.48, 0.05)
    found = recycle(response, SOURCE, around)
    m, n = response.escape_top.shape
    per_cell = np.linalg.inv(np.eye(n) - 0.8 * response.own_matrix) * 0.8
    top, bottom = (response.share[:, None] * e for e in (response.escape_top, response.escape_bottom))
    up, down = (per_cell @ passage.absorbed.T for passage in (response.up, response.down))
    rb, rst = around.reflector, returned_by(around)
    t, r = np.diag(response.up.passed) + top @ up, np.diag(response.up.returned) + bottom @ up
    t2, r2 = np.diag(response.down.passed) + bottom @ down, np.diag(response.down.returned) + top @ down
    eye = np.eye(m)
    system = np.block([[eye - rst * r2, -rb * t], [-rst * t2, eye - rb * r]])
    solved = np.linalg.solve(system, np.concatenate([t @ SOURCE, r @ SOURCE]))
    np.testing.assert_allclose(found.out, (1.0 - rst - 0.05) * solved[:m], atol=1e-14)
    np.testing.assert_allclose(found.onto_film, SOURCE + rb * solved[m:] + rst * solved[:m], atol=1e-14)


def test_without_recycling_the_film_is_passed_once():
    slab = reference_slab(1.5, 0.25, 0.9)
    found = recycle(film(), SOURCE, Backlight(reflector=0.0))
    np.testing.assert_allclose(found.onto_film, SOURCE)
    mu, weight = lambertian(12)
    came = incoming(slab, 8, NM, slab.depth, np.zeros_like(NM), outside_cosine=mu, weight=weight)
    np.testing.assert_allclose(found.out_source, came.passed * SOURCE)


def test_prism_films_turn_blue_into_green():
    """Green rises against blue as light is sent through the film more often (a tear-down note says so)."""
    ratios, passes = [], []
    for prism in (0.0, 0.25, 0.5):
        found = recycle(film(), SOURCE, Backlight(0.96, prism, 0.48 if prism else 0.0))
        ratios.append(np.sum(found.out_converted) / np.sum(found.out_source))
        passes.append(found.passes(420.0, 480.0))
    assert ratios[0] < ratios[1] < ratios[2]
    assert passes[0] < passes[1] < passes[2]
    assert recycle(film(), SOURCE, Backlight()).passes(701.0, 800.0) is None


def test_a_clear_film_in_a_perfect_box_lets_all_out():
    found = recycle(film(depth=1e-9), SOURCE, Backlight(1.0, 0.5, 0.48))
    assert np.sum(found.out_source) == pytest.approx(1.0, abs=1e-6)


def test_mirrors_of_the_film_take_their_share():
    found = recycle(film(top=Face(mirror=0.3, mirror_absorption=0.5)), SOURCE, Backlight(0.9, 0.4))
    clear = recycle(film(top=Face(mirror=0.3)), SOURCE, Backlight(0.9, 0.4))
    assert found.lost_elsewhere > clear.lost_elsewhere + 0.1


def test_series_of_prism_and_polariser():
    assert returned_by(Backlight(prism=0.5)) == 0.5
    # ten terms of the bouncing between both, halved each time
    bounced = 0.5 + 0.25 * 0.48 * sum((0.5 * 0.48) ** k for k in range(40))
    assert returned_by(Backlight(prism=0.5, polariser=0.48)) == pytest.approx(bounced, rel=1e-12)


@pytest.mark.parametrize(
    "wrong",
    [
        {"reflector": 1.2},
        {"prism": -0.1},
        {"prism": 0.8, "absorption": 0.3},
        {"reflector": 1.0, "prism": 1.0},
    ],
)
def test_impossible_backlights_are_refused(wrong):
    with pytest.raises(OptionError):
        Backlight(**wrong)


def test_memory_is_refused():
    with pytest.raises(OptionError, match="memory"):
        film(memory="redshift")
