"""Displays against what can be derived by hand: one simple case each, watts and photons, ends of inputs."""

from __future__ import annotations

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expn

from perolux.display.backlight_display import (
    backlight_of,
    dimming_of,
    efficacy_of,
    parts_of,
    run_film_stack,
    sources_of,
    transmission_of,
)
from perolux.display.converter_display import _behind_filters, clear_transport, lit_by, run_converter
from perolux.display.emitters import GRID_NM, emitter
from perolux.display.film_optics import bulk_inclusion, film
from perolux.display.filters import filter_set
from perolux.display.recycling import Backlight, recycle, response_of
from perolux.display.slab import Slab
from perolux.display.stack import run_stack
from perolux.display.stack_file import stack_of
from perolux.display.stack_film import build_film
from perolux.display.white import MAXIMUM_LM_PER_W, luminous_efficacy
from perolux.errors import InputError, ModelRangeError, OptionError

FILM = {
    "kind": "film",
    "source": {"blue": "G450/20", "red": "KSF6"},
    "film": {"emission": "G530/22", "plqy": 0.9, "thickness": "250 um", "lead_ppm": 1000},
    "backlight": {"prism": 0.5, "polariser": 0.48},
    "panel": {"filters": "default"},
    "sigma_center_nm": 0.0,
    "sigma_fwhm_nm": 0.0,
}
PIXELS = {
    "kind": "converter",
    "source": {},
    "green": {"emission": "G530/22", "plqy": 0.9, "thickness": "4.5 um", "optical_density": 2.0},
    "red": {"emission": "G630/30", "plqy": 0.9, "thickness": "4.5 um", "optical_density": 2.0},
    "pixel": {"pitch": "45 um", "rays": 2000},
    "sigma_center_nm": 0.0,
    "sigma_fwhm_nm": 0.0,
}
TAU, BLUE_NM, GREEN_NM = 0.4, 450.0, 530.0


def changed(base, **changes):
    """The display with keys like `film__plqy` changed; None takes one away."""
    content = copy.deepcopy(base)
    for place, value in changes.items():
        table, key = place.split("__")
        content[table].pop(key, None)
        if value is not None:
            content[table][key] = value
    return stack_of(content)


def matched_slab(plqy, tau=TAU):
    """Index 1, absorbs below 500 nm alone, emits at 530 nm: no face, no re-absorption."""
    depth = np.where(GRID_NM < 500.0, tau, 0.0)
    return Slab(1.0, GRID_NM, depth, (GRID_NM == GREEN_NM).astype(float), plqy, tau)


@pytest.mark.parametrize(("reflector", "prism"), [(1.0, 0.0), (1.0, 0.5), (0.9, 0.5), (0.0, 0.3)])
def test_film_of_yield_one_in_a_backlight_by_hand(reflector, prism):
    """u = 1 + R T d, d = r T u: u = 1/(1 - R r T^2), T = 2 E3(tau); green goes both ways, half each."""
    t = 2.0 * float(expn(3, TAU))
    source = (GRID_NM == BLUE_NM).astype(float)
    found = recycle(response_of(matched_slab(1.0), 24, 48), source, Backlight(reflector, prism))
    u = 1.0 / (1.0 - reflector * prism * t**2)
    absorbed = (1.0 - t) * u * (1.0 + prism * t)
    green = absorbed * (1.0 - prism) * 0.5 * (1.0 + reflector) / (1.0 - reflector * prism)
    # the quadrature of the angles is good to 1e-5 at index 1, where light grazes both faces
    assert np.sum(found.out_source) == pytest.approx((1.0 - prism) * t * u, rel=3e-5)
    assert found.absorbed == pytest.approx(absorbed, rel=3e-5)
    assert np.sum(found.out_converted) == pytest.approx(green, rel=3e-5)
    assert found.lost_in_emitters == pytest.approx(0.0, abs=1e-12)
    if reflector == 1.0:
        assert np.sum(found.out) == pytest.approx(1.0, rel=1e-6)


def test_watts_of_a_photon_that_becomes_green(tmp_path):
    """A watt of blue, wholly converted in a perfect box, leaves as 450/530 of a watt."""
    stack = changed(FILM, source__blue="L450", source__red=None)
    parts = parts_of(
        response_of(matched_slab(1.0, 60.0), 24, 48), sources_of(stack, tmp_path), Backlight(1.0, 0.5)
    )
    power = parts[0].out / GRID_NM
    assert np.sum(power) == pytest.approx(BLUE_NM / GREEN_NM, rel=1e-6)


def test_lumen_for_a_watt_by_hand(tmp_path):
    """Flat primaries: lm/W = 683 sum(P V) (drive)/3 T; electrical by wall plug and the phosphor's energy."""
    stack = changed(FILM, source__wall_plug=0.5, source__red_efficiency=0.6)
    primaries = np.stack([emitter(name).power for name in ("G630/20", "G530/20", "G450/20")])
    optical, electrical = efficacy_of(primaries, (1.0, 0.5, 0.25), 0.3, 0.4, stack)
    by_hand = float(luminous_efficacy(primaries) @ np.array([1.0, 0.5, 0.25])) / 3.0 * 0.3
    assert optical == pytest.approx(by_hand, rel=1e-9)
    # a watt of light: 0.6 W of blue, and 0.4 W of red from 0.4/0.6 W of blue; two electrical watts a blue one
    assert electrical == pytest.approx(by_hand / (2.0 * (0.6 + 0.4 / 0.6)), rel=1e-9)
    assert efficacy_of(primaries, None, 0.3, 0.4, stack) == (None, None)


def test_drive_is_that_of_the_white():
    primaries = np.stack([emitter(name).power for name in ("G630/20", "G530/20", "G450/20")])
    from perolux.display.white import D65, white_of

    white = white_of(primaries, D65)
    drive = np.array(dimming_of(primaries, D65))
    np.testing.assert_allclose(drive / drive.sum(), white.power_fractions, rtol=1e-9)


def test_reflective_polariser_and_panel(tmp_path):
    """Half of unpolarised light is the panel's loss already: what is sorted is not lost again."""
    stack = changed(FILM, panel__transmission=0.3, backlight__polariser=0.0)
    assert transmission_of(stack, Backlight(0.96, 0.5, 0.0)) == pytest.approx(0.3)
    assert transmission_of(stack, Backlight(0.96, 0.5, 0.5)) == pytest.approx(0.6)
    assert transmission_of(stack, Backlight(0.96, 0.5, 0.48)) == pytest.approx(0.3 / 0.52)
    # a lossless box: the polariser doubles the light, however often it goes round
    film_file = build_film(stack.film, tmp_path, limit_ppm=1000.0)
    clear = replace(film_file.slab, depth=np.zeros_like(GRID_NM), source_depth=0.0)
    lumens = []
    for polariser in (0.0, 0.5):
        around = Backlight(1.0, 0.0, polariser)
        blue = parts_of(response_of(clear, 4, 12), sources_of(stack, tmp_path), around)[0]
        lumens.append(np.sum(blue.out) * transmission_of(stack, around))
    assert lumens[1] == pytest.approx(2.0 * lumens[0], rel=1e-6)


def test_absorbed_blue_counts_light_that_the_reflector_ends(tmp_path):
    found = run_film_stack(changed(FILM), tmp_path)
    assert found.blue_absorbed > found.film_gain + found.lost_in_emitters + 0.02
    dark = run_film_stack(changed(FILM, backlight__reflector=1.0), tmp_path)
    # nothing absorbs but nanocrystals: then the two are the same
    assert dark.blue_absorbed == pytest.approx(dark.film_gain + dark.lost_in_emitters, abs=1e-6)


def test_converter_of_index_one_by_hand(tmp_path):
    """A = 1 - exp(-tau); half of q A goes forward, half back; power by the wavelengths; (1 - q) A is lost."""
    stack = changed(PIXELS)
    built = build_film(stack.green, tmp_path, limit_ppm=1000.0)
    built = replace(built, slab=matched_slab(0.8, 2.0))
    blue = emitter("L450")
    source = blue.power * GRID_NM
    forward, passed, back, loss = clear_transport(built, source, stack.pixel)
    taken = -np.expm1(-2.0)
    assert np.sum(forward) / BLUE_NM == pytest.approx(0.4 * taken, rel=1e-5)
    assert back / BLUE_NM == pytest.approx(0.4 * taken, rel=1e-5)
    assert loss / BLUE_NM == pytest.approx(0.2 * taken, rel=1e-5)
    assert np.sum(passed) / BLUE_NM == pytest.approx(np.exp(-2.0), rel=1e-9)
    assert np.sum(forward / GRID_NM) == pytest.approx(0.4 * taken * BLUE_NM / GREEN_NM, rel=1e-5)


def test_reference_behind_filters_by_hand(tmp_path):
    """Each blue photon gives one of red or green with the PLQY, then a third of the panel is open to it."""
    from perolux.display.filters import behind_filters
    from perolux.display.white import D65

    stack = changed(PIXELS)
    built = {name: build_film(getattr(stack, name), tmp_path, limit_ppm=1000.0) for name in ("green", "red")}
    three = [emitter("G630/30"), emitter("G530/22"), emitter("L450")]
    panel = behind_filters(three, filter_set("default"), D65)
    # one watt of backlight: photons are power times wavelength
    shares = np.array(panel.backlight_fractions)
    mean = np.array([float(np.sum(one.power * GRID_NM)) for one in three])
    blue_watts = float(np.sum(shares * mean / 450.0 / np.array([0.9, 0.9, 1.0])))
    y = luminous_efficacy(panel.primaries) * np.sum(panel.primaries, axis=1)
    assert _behind_filters(built, three[2], filter_set("default"), D65) == pytest.approx(
        float(np.sum(y)) / 3.0 / blue_watts, rel=1e-9
    )
    assert MAXIMUM_LM_PER_W == 683.002
    dark = {name: replace(one, file=one.file.model_copy(update={"plqy": 0.0})) for name, one in built.items()}
    assert _behind_filters(dark, three[2], filter_set("default"), D65) is None


def test_short_pass_mirror_at_angles(tmp_path):
    """Blue passes at normal incidence; at a slant the band has moved: less blue comes in, more red out."""
    normal, diffuse = (
        run_converter(changed(PIXELS, pixel__mirror="short-pass", pixel__incidence=one), tmp_path)
        for one in ("normal", "lambertian")
    )
    assert normal.green.photons_forward > diffuse.green.photons_forward
    # at 60 degrees the band ends near 600 nm: red leaves below, green in the middle of the band hardly
    assert normal.green.photons_back < 0.02 < normal.red.photons_back < 0.35


def test_source_of_monte_carlo_is_that_of_the_diode(tmp_path):
    built = build_film(changed(PIXELS).green, tmp_path, limit_ppm=1000.0)
    lit = lit_by(built.slab, emitter("L470"))
    assert lit.source_nm == pytest.approx(470.0)
    assert lit.source_depth == pytest.approx(float(np.interp(470.0, GRID_NM, built.slab.depth)))
    assert lit.source_depth < built.slab.source_depth
    # a film with hardly any scatterers is the smooth one: leaks of a diode far from 450 nm agree
    leaks = []
    for depth in (0.0, 1e-6):
        found = run_converter(
            changed(
                PIXELS,
                source__blue="L470",
                green__scattering_depth=depth,
                green__optical_density=1.0,
            ),
            tmp_path,
        )
        leaks.append(found.green.blue_leak)
    assert leaks[1] == pytest.approx(leaks[0], abs=4.0 * np.sqrt(0.1 / 200_000))


def test_a_film_of_crystal_alone_is_no_mixture():
    whole = film(bulk_inclusion("CsPbBr3_1nm"), 1.5, 1.0)
    assert not any("Garnett" in text or "spheres" in text for text in whole.notes)
    assert whole.spread(450.0) == pytest.approx(0.0, abs=1e-9)
    assert any("Garnett" in text for text in film(bulk_inclusion("CsPbBr3_1nm"), 1.5, 0.9).notes)


@pytest.mark.parametrize(
    ("base", "changes"),
    [
        (FILM, {"film__plqy": 0}),
        (FILM, {"film__lead_ppm": None, "film__optical_density": 1e-9}),
        (FILM, {"film__lead_ppm": None, "film__volume_fraction": 0.0}),
        (FILM, {"source__red_share": 1.0}),
        (FILM, {"source__wall_plug": 0.0}),
        (FILM, {"panel__transmission": 0.0}),
        (FILM, {"backlight__reflector": 0.0}),
        (PIXELS, {"green__plqy": 0}),
        (PIXELS, {"green__optical_density": 1e-9}),
        (PIXELS, {"green__optical_density": 20.0, "green__thickness": "60 um"}),
        (PIXELS, {"pixel__white": [0.7, 0.29]}),
    ],
)
@pytest.mark.filterwarnings("error")
def test_ends_of_every_input_give_numbers_or_none(tmp_path, base, changes):
    json.dumps(run_stack(changed(base, **changes), tmp_path).as_dict(), allow_nan=False)


@pytest.mark.parametrize("changes", [{"backlight__prism": 1.0}, {"backlight__polariser": 1.0}])
def test_a_stack_that_lets_nothing_out_is_refused(tmp_path, changes):
    with pytest.raises(OptionError, match="no light leaves"):
        run_film_stack(changed(FILM, **changes), tmp_path)


def test_a_sub_pixel_without_light_is_refused(tmp_path):
    dark = {"green__scattering_depth": 2.0, "green__plqy": 0.0, "green__optical_density": 8.0}
    with pytest.raises(ModelRangeError, match="green sub-pixel"):
        run_converter(changed(PIXELS, **dark, green__thickness="20 um"), tmp_path)
    with pytest.raises(InputError, match="red_efficiency"):
        changed(FILM, source__red_efficiency=0.0)


def test_backlight_of_the_file_beats_the_record():
    around, rests = backlight_of(changed(FILM), prism=0.2)
    assert around.prism == 0.2 and [one.key for one in rests] == ["display.reflector"]
