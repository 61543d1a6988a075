"""Thin films: exact limits, balances, reciprocity, and the package tmm as a second program."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perolux.display.fresnel import internal_reflectance
from perolux.display.optical_media import medium
from perolux.display.thin_films import FilmStack, Layer, quarter_wave_nm, stack_light, stack_reflectance
from perolux.errors import ModelRangeError, OptionError


def some_stack(rng, *, absorbing=True, thick=False):
    """A random stack of up to seven films, front index first."""
    films = rng.integers(0, 8)
    n = 1.0 + 2.0 * rng.random(films)
    k = rng.choice([0.0, 0.01, 1.0], films) * rng.random(films) if absorbing else np.zeros(films)
    d = rng.random(films) * 500.0 * rng.choice([1.0, 40.0])
    keeps = rng.integers(0, 2, films).astype(bool) if thick else np.ones(films, bool)
    layers = tuple(Layer(complex(a, b), t, bool(c)) for a, b, t, c in zip(n, k, d, keeps, strict=True))
    back = complex(1.0 + 2.0 * rng.random(), rng.choice([0.0, 1.0]) if absorbing else 0.0)
    return FilmStack(layers, 1.0 + rng.random(), back)


@pytest.mark.parametrize("polarisation", ["s", "p", "unpolarised"])
def test_reflectance_alone_is_that_of_the_whole(polarisation):
    rng = np.random.default_rng(8)
    nm, cosine = np.linspace(400.0, 700.0, 7), np.array([0.0, 0.2, 1.0])
    for k in range(20):
        stack = some_stack(rng, thick=k % 4 == 0)
        whole = stack_light(stack, nm, cosine, polarisation).reflected
        np.testing.assert_array_equal(stack_reflectance(stack, nm, cosine, polarisation), whole)


@pytest.mark.parametrize("thick", [False, True])
def test_the_package_tmm_agrees_to_1e_10(thick):
    tmm = pytest.importorskip("tmm")
    rng = np.random.default_rng(3)
    compared = 0
    for _ in range(150):
        stack = some_stack(rng, thick=thick)
        angle, nm = rng.random() * 1.4, 400.0 + 300.0 * rng.random()
        index = [stack.front, *(layer.index for layer in stack.layers), stack.back]
        widths = [np.inf, *(layer.thickness_nm for layer in stack.layers), np.inf]
        mixed = not all(layer.coherent for layer in stack.layers)
        along = stack.front * np.sin(angle)
        if any(layer.thickness_nm and layer.index.imag < 1e-3 and layer.index.real < along
               for layer in stack.layers if not layer.coherent):  # fmt: skip
            continue  # tmm stops, or reflects less than nothing, where a wave only decays in a thick layer
        for kind in "sp":
            ours = stack_light(stack, nm, np.cos(angle), kind)
            if mixed:
                keeps = ["i", *("c" if layer.coherent else "i" for layer in stack.layers), "i"]
                theirs = tmm.inc_tmm(kind, index, widths, keeps, angle, nm)
                layers = tmm.inc_absorp_in_each_layer(theirs)[1:-1]
            else:
                theirs = tmm.coh_tmm(kind, index, widths, angle, nm)
                layers = tmm.absorp_in_each_layer(theirs)[1:-1] if stack.layers else []
            assert ours.reflected[0, 0] == pytest.approx(theirs["R"], abs=1e-10)
            assert ours.transmitted[0, 0] == pytest.approx(theirs["T"], abs=1e-10)
            assert ours.absorbed[:, 0, 0] == pytest.approx(np.array(layers), abs=1e-10)
            compared += 1
    assert compared > 150


@given(st.integers(0, 2**32 - 1))
def test_light_is_neither_lost_nor_made(seed):
    rng = np.random.default_rng(seed)
    stack = some_stack(rng)
    found = stack_light(stack, [420.0, 450.0, 530.0], np.append(rng.random(3), [1.0, 0.0]))
    total = found.reflected + found.transmitted + found.absorbed.sum(axis=0)
    assert total == pytest.approx(1.0, abs=1e-11)  # rounding of some ten products
    assert found.reflected.min() >= 0.0 and found.transmitted.min() >= -1e-12
    assert found.absorbed.min(initial=0.0) >= -1e-12


@given(st.integers(0, 2**32 - 1))
def test_transparent_stacks_with_thick_layers_lose_nothing(seed):
    rng = np.random.default_rng(seed)
    stack = some_stack(rng, absorbing=False, thick=True)
    found = stack_light(stack, 500.0, rng.random(4))
    assert found.reflected + found.transmitted == pytest.approx(1.0, abs=1e-10)
    assert np.max(np.abs(found.absorbed), initial=0.0) < 1e-10


@given(st.integers(0, 2**32 - 1))
def test_reciprocity(seed):
    """T is the same from both sides, absorbing films or not, between transparent half spaces."""
    rng = np.random.default_rng(seed)
    drawn = some_stack(rng, thick=bool(seed % 2))
    stack = FilmStack(drawn.layers, 1.2, 1.7)
    ahead = np.linspace(0.05, 1.0, 5)
    behind = np.sqrt(1.0 - (1.2 / 1.7) ** 2 * (1.0 - ahead**2))
    for kind in ("s", "p"):
        forward = stack_light(stack, 500.0, ahead, kind).transmitted
        back = stack_light(stack.reversed(), 500.0, behind, kind).transmitted
        assert forward == pytest.approx(back, abs=1e-10)


def test_a_bare_face_is_fresnel():
    cosine = np.linspace(0.01, 1.0, 50)
    found = stack_light(FilmStack((), 1.6, 1.0), 500.0, cosine).reflected[0]
    assert found == pytest.approx(internal_reflectance(cosine, 1.6), abs=1e-13)
    assert np.all(found[cosine < np.sqrt(1.0 - 1.0 / 1.6**2)] == pytest.approx(1.0, abs=1e-13))


def test_brewster_angle():
    brewster = np.cos(np.arctan(1.5))
    assert stack_light(FilmStack((), 1.0, 1.5), 500.0, brewster, "p").reflected[0, 0] < 1e-30


@pytest.mark.parametrize("pairs", [1, 4, 10])
def test_quarter_wave_stack_has_its_exact_reflectance(pairs):
    high, low, glass = 2.4, 1.46, 1.52
    stack = FilmStack((Layer(high, 550 / 9.6), Layer(low, 550 / 5.84)) * pairs, 1.0, glass)
    tall, flat = glass * high ** (2 * pairs), low ** (2 * pairs)
    found = stack_light(stack, 550.0).reflected[0, 0]
    assert found == pytest.approx(((tall - flat) / (tall + flat)) ** 2, abs=1e-13)


def test_antireflection_and_half_wave():
    coat = np.sqrt(1.5)
    assert stack_light(FilmStack((Layer(coat, 500 / 4 / coat),), 1.0, 1.5), 500.0).reflected[0, 0] < 1e-30
    half = stack_light(FilmStack((Layer(2.0, 125.0),), 1.0, 1.5), 500.0).reflected[0, 0]
    assert half == pytest.approx(0.04, abs=1e-14)  # a half wave is not there


def test_a_thick_plate_adds_intensities():
    """R = 2 F/(1 + F) of a transparent plate; Beer-Lambert and both faces of one that absorbs weakly."""
    clear = stack_light(FilmStack((Layer(1.5, 1e6, coherent=False),)), 500.0)
    assert clear.reflected[0, 0] == pytest.approx(2 * 0.04 / 1.04, abs=1e-14)
    k, t = 1e-6, 1e5
    once = np.exp(-4 * np.pi * k * t / 500.0)
    dim = stack_light(FilmStack((Layer(1.5 + 1j * k, t, coherent=False),)), 500.0)
    f = 0.04
    assert dim.transmitted[0, 0] == pytest.approx((1 - f) ** 2 * once / (1 - f**2 * once**2), rel=1e-6)
    assert dim.absorbed[0, 0, 0] == pytest.approx(1 - dim.reflected[0, 0] - dim.transmitted[0, 0], abs=1e-6)


def test_a_thick_plate_is_the_mean_over_fringes():
    """The mean of coherent plates over one fringe is the incoherent plate."""
    widths = 1e4 + np.linspace(0.0, 500.0 / 3.0, 400, endpoint=False)
    waves = [stack_light(FilmStack((Layer(1.5, w),)), 500.0).reflected[0, 0] for w in widths]
    thick = stack_light(FilmStack((Layer(1.5, 1e4, coherent=False),)), 500.0).reflected[0, 0]
    assert np.mean(waves) == pytest.approx(thick, abs=1e-12)  # a periodic function on 400 points


def test_an_opaque_layer_is_stable():
    """A metal of a millimetre: no overflow, R of its front face, everything absorbed where it should be."""
    metal = 0.2 + 3.5j
    stack = FilmStack((Layer(2.4, 60.0), Layer(metal, 1e6), Layer(1.46, 90.0)), 1.0, 1.5)
    front = FilmStack((Layer(2.4, 60.0),), 1.0, metal)
    found, bare = stack_light(stack, 500.0, [1.0, 0.4]), stack_light(front, 500.0, [1.0, 0.4])
    assert found.reflected == pytest.approx(bare.reflected, abs=1e-13)
    assert np.all(found.transmitted == 0.0) and np.all(np.abs(found.absorbed[2]) < 1e-30)
    assert found.absorbed[1] == pytest.approx(1.0 - found.reflected, abs=1e-13)


def test_a_wave_that_only_decays_in_a_thick_layer_is_turned_back():
    """Beyond the critical angle of a thick gap nothing goes on; a thin gap lets light tunnel."""
    thick = FilmStack((Layer(1.0, 1e6, coherent=False),), 1.5, 1.5)
    found = stack_light(thick, 500.0, 0.3)
    assert found.reflected[0, 0] == pytest.approx(1.0, abs=1e-13) and found.transmitted[0, 0] == 0.0
    assert stack_light(FilmStack((Layer(1.0, 50.0),), 1.5, 1.5), 500.0, 0.3).transmitted[0, 0] > 0.1


def test_unpolarised_is_the_mean_and_a_call_holds_all_waves():
    stack = FilmStack((Layer(medium("TiO2"), 55.0), Layer(medium("SiO2"), 90.0)), 1.0, 1.5)
    nm, mu = np.array([430.0, 530.0, 650.0]), np.array([0.2, 0.9])
    both = stack_light(stack, nm, mu)
    one = [stack_light(stack, nm, mu, kind) for kind in ("s", "p")]
    assert both.reflected == pytest.approx(0.5 * (one[0].reflected + one[1].reflected), abs=1e-15)
    assert both.absorbed.shape == (2, 3, 2)
    single = stack_light(stack, 530.0, 0.9)
    assert single.reflected[0, 0] == both.reflected[1, 1]


def test_faults_are_told():
    with pytest.raises(OptionError, match="medium that absorbs"):
        stack_light(FilmStack((), 1.5 + 0.1j, 1.0), 500.0)
    with pytest.raises(OptionError, match="cosine outside"):
        stack_light(FilmStack(()), 500.0, 1.1)
    with pytest.raises(OptionError, match="polarisation"):
        stack_light(FilmStack(()), 500.0, 1.0, "x")
    with pytest.raises(OptionError, match="nm thick"):
        Layer(1.5, -1.0)
    with pytest.raises(OptionError, match="an index of"):
        stack_light(FilmStack((Layer(1.5 - 0.1j, 10.0),)), 500.0)
    with pytest.raises(ModelRangeError, match="record of TiO2"):
        quarter_wave_nm(medium("TiO2"), 300.0)
