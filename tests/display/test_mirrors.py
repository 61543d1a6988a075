"""Mirrors: bands, the designs for displays, and the face of a slab that takes one."""

from __future__ import annotations

import numpy as np
import pytest

from perolux.display.fresnel import Face
from perolux.display.mirrors import (
    mirror_figures,
    quarter_wave_reflectance,
    short_pass_mirror,
    stack_mirror,
    stop_band_nm,
)
from perolux.display.slab import Slab, slab_light
from perolux.display.thin_films import stack_light
from perolux.errors import ModelRangeError, OptionError

NM = np.arange(430.0, 601.0)


def line(center, width):
    return np.exp(-4 * np.log(2) * ((NM - center) / width) ** 2)


def test_the_band_begins_where_it_is_asked_to():
    """A long stack: transparent just below its edge, closed just above; indices constant."""
    stack = short_pass_mirror(490.0, 60, 2.4, 1.46)
    found = stack_light(stack, [484.0, 496.0]).reflected[:, 0]
    assert found[0] < 0.9 and found[1] > 1.0 - 1e-6
    low, high = stop_band_nm(560.0, 2.4, 1.46)
    assert 560.0 / low + 560.0 / high == pytest.approx(2.0, abs=1e-14)


def test_the_formula_of_quarter_waves_has_its_limits():
    assert quarter_wave_reflectance(2.4, 1.46, 0, 1.5) == pytest.approx(0.04, abs=1e-15)
    assert quarter_wave_reflectance(2.0, 2.0, 7, 2.0) == pytest.approx(1.0 / 9.0, abs=1e-15)
    assert quarter_wave_reflectance(2.4, 1.46, 40, 1.5) == pytest.approx(1.0, abs=1e-15)


def test_blue_passes_and_green_returns():
    found = mirror_figures(short_pass_mirror(495.0, 8), NM, line(450, 20), line(525, 22))
    assert found.blue_passed > 0.95 and found.green_returned > 0.98
    assert 0.95 < found.green_returned_diffuse < found.green_returned  # the band moves to the blue at a slant
    few = mirror_figures(short_pass_mirror(495.0, 3), NM, line(450, 20), line(525, 22))
    assert few.green_returned < found.green_returned


def test_both_sides_of_a_transparent_mirror_reflect_alike():
    """The assumption of `fresnel.Face`: one reflectance for light from the film and from outside."""
    for plate in (None, 1.52):
        stack = short_pass_mirror(495.0, 6, 2.4, 1.46, substrate=plate)
        mu = np.linspace(0.1, 1.0, 7)
        ahead, back = stack_light(stack, NM, mu), stack_light(stack.reversed(), NM, mu)
        assert ahead.reflected == pytest.approx(back.reflected, abs=1e-12)


def test_a_mirror_broadcasts():
    mirror = stack_mirror(short_pass_mirror(495.0, 4))
    mu = np.array([0.0, 0.0, 0.5, 1.0])
    table = mirror(NM[:, None], mu[None, :])
    assert table.shape == (len(NM), 4) and np.all(table[:, :2] == 1.0)
    assert np.all((table >= 0.0) & (table <= 1.0))
    assert mirror(NM, 1.0) == pytest.approx(table[:, 3], abs=1e-15)
    assert float(mirror(530.0, 0.5)) == pytest.approx(table[100, 2], abs=1e-15)


@pytest.mark.slow
def test_a_mirror_below_a_converter_almost_doubles_its_light():
    """The finding of the chapter, 7.3, here for a film without scatterers; photons are conserved."""
    nm = np.arange(480.0, 601.0)
    light = np.exp(-4 * np.log(2) * ((nm - 525) / 22) ** 2)
    depth = 4.605 * 0.5 * (1.0 - np.tanh((nm - 512.0) / 10.0))
    bare, mirrored = (
        slab_light(Slab(1.6, nm, depth, light, 0.95, 4.605, bottom=Face(mirror=mirror)), cells=24, nodes=16)
        for mirror in (0.0, stack_mirror(short_pass_mirror(495.0, 8)))
    )
    assert mirrored.r_em < 0.1 * bare.r_em
    assert 1.7 < mirrored.t_em / bare.t_em < 2.0
    assert abs(mirrored.balance) < 1e-8


def test_faults_are_told():
    with pytest.raises(OptionError, match="0 pairs"):
        short_pass_mirror(495.0, 0)
    with pytest.raises(OptionError, match="the high index above the low"):
        short_pass_mirror(495.0, 4, 1.4, 2.4)
    with pytest.raises(ModelRangeError):
        short_pass_mirror(900.0, 4)
    with pytest.raises(OptionError, match="spectra"):
        mirror_figures(short_pass_mirror(495.0, 4), NM, np.zeros(len(NM)), line(525, 22))
