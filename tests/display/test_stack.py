"""Displays from files: films in backlights, converters, LEDs; what is wrong in a file."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from perolux.display.backlight_display import backlight_of, parts_of, run_film_stack, sources_of
from perolux.display.converter_display import run_converter
from perolux.display.emitters import GRID_NM
from perolux.display.led_display import run_led
from perolux.display.recycling import response_of
from perolux.display.slab import slab_light
from perolux.display.stack import run_stack
from perolux.display.stack_file import stack_of, stack_schema
from perolux.display.stack_film import build_film
from perolux.errors import InputError, ModelRangeError, NotAvailableError, OptionError

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


def changed(base, **changes):
    content = copy.deepcopy(base)
    for place, value in changes.items():
        *path, last = place.split("__")
        table = content
        for key in path:
            table = table.setdefault(key, {})
        if value is None:
            table.pop(last, None)
        else:
            table[last] = value
    return stack_of(content)


def film_of(tmp_path, **changes):
    return run_film_stack(changed(FILM, **changes), tmp_path)


def test_film_display(tmp_path):
    found = film_of(tmp_path)
    assert found.film.lead.ppm == pytest.approx(1000.0)
    assert found.passes > 1.5
    assert 0.5 < found.gamut.gamuts["rec2020"]["xy"].coverage < 1.0
    assert found.lm_per_electrical_w < found.lm_per_optical_w
    assert sum(found.gamut.white.power_fractions) == pytest.approx(1.0)
    # what leaves converted and what is lost in emitters is less than was absorbed: the reflector ends some
    assert found.film_gain + found.lost_in_emitters < found.blue_absorbed < 1.0


def test_red_share_meets_the_white_as_nearly_as_it_can(tmp_path):
    found = film_of(tmp_path)
    for share in (found.red_share - 0.02, found.red_share + 0.02):
        other = film_of(tmp_path, source__red_share=share)
        here, there = (np.hypot(*(np.subtract(one.open_xy, (0.3127, 0.3290)))) for one in (found, other))
        # nearest in u'v', which is not quite nearest in xy
        assert here < there + 2e-3


def test_dimming_gives_the_white(tmp_path):
    from perolux.display.colour import chromaticity

    found = film_of(tmp_path)
    primaries = np.stack([found.spectra[name] for name in ("red", "green", "blue")])
    assert chromaticity(GRID_NM, np.array(found.dimming) @ primaries, "power") == pytest.approx(
        (0.3127, 0.3290), abs=1e-9
    )


def test_more_prism_films_mean_more_passes_and_more_green(tmp_path):
    few, many = (film_of(tmp_path, backlight__prism=p) for p in (0.2, 0.55))
    assert many.passes > few.passes
    assert many.film_gain > few.film_gain


def test_scattering_film_by_two_fluxes(tmp_path):
    clear, hazy = film_of(tmp_path), film_of(tmp_path, film__scattering_depth=1.0)
    assert hazy.film_gain != clear.film_gain
    assert 0.0 < hazy.film_gain < 1.0
    assert any("off Monte Carlo by (rms) converted forward 0.012" in text for text in hazy.warnings)
    faint = film_of(tmp_path, film__scattering_depth=0.1)
    assert any("error not known: scattering depth 0.1" in text for text in faint.warnings)


def test_spread_of_the_gamut(tmp_path):
    found = film_of(tmp_path, sigma_center_nm=1.0, sigma_fwhm_nm=1.0)
    assert 0.002 < found.gamut.spread.coverage["rec2020", "xy"] < 0.05


def test_without_red_there_is_no_white(tmp_path):
    found = film_of(tmp_path, source__red=None)
    assert found.dimming is None and found.lm_per_electrical_w is None
    assert any("no drive" in text for text in found.warnings)
    json.dumps(run_stack(changed(FILM, source__red=None), tmp_path).as_dict(), allow_nan=False)


def test_amounts_are_three_ways_to_one_film(tmp_path):
    by_lead = build_film(changed(FILM).film, tmp_path, limit_ppm=1000.0)
    by_fraction = build_film(
        changed(FILM, film__lead_ppm=None, film__volume_fraction=by_lead.fraction).film,
        tmp_path,
        limit_ppm=1000.0,
    )
    by_density = build_film(
        changed(FILM, film__lead_ppm=None, film__optical_density=by_lead.optical_density).film,
        tmp_path,
        limit_ppm=1000.0,
    )
    assert by_fraction.slab.source_depth == pytest.approx(by_lead.slab.source_depth, rel=1e-12)
    assert by_density.fraction == pytest.approx(by_lead.fraction, rel=1e-6)


def test_film_of_an_ensemble(tmp_path):
    content = changed(FILM, film__emission=None, film__ensemble={"edge_length": "9 nm", "spread": 0.06})
    built = build_film(content.film, tmp_path, limit_ppm=1000.0)
    peak = GRID_NM[np.argmax(built.emission.photons)]
    assert 490.0 < peak < 540.0
    assert "parameter set" in built.emission.source
    with pytest.raises(OptionError, match="spread"):
        build_film(
            changed(FILM, film__emission=None, film__ensemble={"edge_length": "9 nm", "spread": 0.0}).film,
            tmp_path, limit_ppm=1000.0,
        )  # fmt: skip


@pytest.mark.slow
def test_every_parameter_set_is_told(tmp_path):
    changes = {"film__emission": None, "film__ensemble": {"edge_length": "9 nm", "spread": 0.06}}
    told = run_stack(changed(FILM, **changes), tmp_path).as_dict()["by_parameter_set"]
    light = told["lm_per_electrical_w"]
    assert len(light["sets"]) > 1 and light["low95"] < light["median"] < light["high95"]
    for name, value in light["sets"].items():
        alone = run_stack(changed(FILM, **changes, film__parameter_set=name), tmp_path).as_dict()
        assert "by_parameter_set" not in alone
        assert alone["lm_per_electrical_w"] == pytest.approx(value, rel=1e-12)


def test_measured_absorption_is_scaled(tmp_path):
    nm = np.arange(380.0, 781.0)
    values = 0.3 / (1.0 + np.exp((nm - 515.0) / 5.0))
    (tmp_path / "film.csv").write_text(
        "wavelength (nm),absorbance\n"
        + "".join(f"{a:.0f},{b:.6f}\n" for a, b in zip(nm, values, strict=True))
    )
    asked = changed(
        FILM,
        film__lead_ppm=None,
        film__optical_density=2.0,
        film__absorption="film.csv",
        film__thickness="4 um",
    )
    built = build_film(asked.film, tmp_path, limit_ppm=1000.0)
    assert built.optical_density == pytest.approx(2.0, rel=1e-6)
    assert built.lead is None and any("no lead is counted" in text for text in built.notes)


def test_converter_is_the_slab_with_the_source(tmp_path):
    """A source of one wavelength at normal incidence is what `slab_light` computes."""
    found = run_converter(changed(PIXELS, source__blue="L450"), tmp_path)
    slab = slab_light(found.green.film.slab, cells=96)
    assert found.green.photons_forward == pytest.approx(slab.t_em, abs=2e-4)
    assert found.green.blue_leak == pytest.approx(slab.t_blue, rel=1e-9)
    assert found.green.loss == pytest.approx(slab.loss, abs=2e-4)
    # photons forward and their energy: power share is that of the photons times 450 over their wavelength
    mean = slab.mean_nm()[0]
    assert found.green.power_share == pytest.approx(found.green.photons_forward * 450.0 / mean, rel=1e-3)


def test_mirror_and_filters_of_converters(tmp_path):
    bare, mirrored = (
        run_converter(changed(PIXELS, pixel__mirror=m), tmp_path) for m in ("none", "short-pass")
    )
    assert mirrored.green.photons_forward > 1.3 * bare.green.photons_forward
    filtered = run_converter(changed(PIXELS, pixel__filters="default"), tmp_path)
    assert filtered.gamut.xy != bare.gamut.xy
    assert any("exemption" in text for text in bare.warnings)


def test_converters_name_what_they_rest_on(tmp_path):
    record = run_stack(changed(PIXELS), tmp_path).as_dict()
    for text in ("filters default (assumed; gain over filters)", "display.host_density_g_cm3 = 1.1"):
        assert any(text in one for one in record["rests_on"])


def test_led(tmp_path):
    stack = stack_of({"kind": "led", "led": {"emission": "G531/22", "plqy": 0.9, "voltage": "3 V"}})
    found = run_led(stack, tmp_path)
    assert found.wall_plug == pytest.approx(found.chain.eqe * found.mean_photon_ev / 3.0)
    assert found.lm_per_electrical_w == pytest.approx(found.wall_plug * found.ler_lm_per_w)
    with pytest.raises(ModelRangeError, match="electrical power"):
        run_led(
            stack_of(
                {"kind": "led", "led": {"emission": "G531/22", "plqy": 1, "outcoupling": 1, "voltage": "1 V"}}
            ),
            tmp_path,
        )


def test_lifetimes_of_a_display(tmp_path):
    rows = "".join(
        f"{t},{100 * np.exp(-((t / tau) ** 0.8)):.6f},{c},50,1\n"
        for c, tau in ((60, 3000.0), (85, 700.0))
        for t in range(0, 1000, 50)
    )
    (tmp_path / "tests.csv").write_text("time_h,brightness,temperature_c,humidity_percent,flux\n" + rows)
    led = {"kind": "led", "led": {"emission": "G531/22", "plqy": 0.9}}
    use = {"tests": "tests.csv", "temperature_c": 40.0, "humidity_percent": 50.0, "flux": 1.0}
    record = run_stack(stack_of(led | {"ageing": use}), tmp_path).as_dict()
    assert [one["share"] for one in record["lifetimes"]] == [0.95, 0.9, 0.8]
    assert all(one["low"] < one["hours"] < one["high"] for one in record["lifetimes"])
    assert record["lifetimes"][0]["extrapolated"]
    drier = run_stack(stack_of(led | {"ageing": use | {"humidity_percent": 20.0}}), tmp_path).as_dict()
    assert drier["lifetimes"] == [] and "humidity" in drier["missing"]["T95"]


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"panel": {}}, "filters decide"),
        ({"film__plqy": 1.2}, "plqy"),
        ({"film__thickness": "250"}, "thickness"),
        ({"film__thickness": "-5 um"}, "thickness"),
        ({"film__volume_fraction": 0.1}, "one of volume_fraction"),
        ({"film__emission": None}, "one of emission"),
        ({"film__absorption": "x.csv"}, "optical_density"),
        ({"source__colour": "red"}, "no key"),
        ({"kind": "screen"}, "kind"),
        ({"backlight__reflector": 1.5}, "reflector"),
    ],
)
def test_faults_of_a_file(changes, match):
    with pytest.raises(InputError, match=match):
        changed(FILM, **changes)


def test_all_faults_at_once():
    with pytest.raises(InputError) as error:
        changed(FILM, film__plqy=2, panel={}, source__x=1)
    assert len(error.value.problems) == 3


def test_films_that_cannot_be(tmp_path):
    with pytest.raises(ModelRangeError):
        film_of(
            tmp_path,
            film__lead_ppm=None,
            film__volume_fraction=0.7,
            film__edge_length="8 nm",
            film__ligand_length="1.5 nm",
        )
    with pytest.raises(NotAvailableError):
        film_of(tmp_path, film__material="FAPbBr3")
    with pytest.raises(OptionError, match="edge of the crystals"):
        film_of(tmp_path, film__ligand_length="1.5 nm")
    with pytest.raises(OptionError, match="red source"):
        film_of(tmp_path, source__red=None, source__red_share=0.2)


def test_schema_names_every_table():
    text = json.dumps(stack_schema())
    for name in ("FilmStack", "Converter", "LedStack", "optimise", "red_efficiency"):
        assert name in text


def test_parts_are_linear_in_the_source(tmp_path):
    stack = changed(FILM)
    built = build_film(stack.film, tmp_path, limit_ppm=1000.0)
    around, _ = backlight_of(stack)
    blue, red = parts_of(response_of(built.slab, 8, 12), sources_of(stack, tmp_path), around)
    assert np.sum(blue.out) + blue.lost_in_emitters + blue.lost_elsewhere == pytest.approx(
        np.sum(blue.source)
    )
    assert np.sum(red.out_converted) < 0.01 * np.sum(blue.out_converted)
