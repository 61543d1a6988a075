"""Functions of the rows in `display_stack.toml`: published displays, films, converters, LEDs, two fluxes."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from scipy.special import erfc

from perolux.display.ageing import Condition, acceleration
from perolux.display.converter_display import ConverterDisplay, run_converter
from perolux.display.display_records import display_record
from perolux.display.emitters import GRID_NM, emitter
from perolux.display.film_optics import bulk_inclusion, film, slab_of_film
from perolux.display.lead import LeadBudget, crystal, lead_budget
from perolux.display.light_emitting_diode import isotropic_outcoupling, led_chain, needed_outcoupling
from perolux.display.pixel_rays import PixelArray, pixel_light
from perolux.display.rays import Scatterers, ray_light
from perolux.display.recycling import Backlight, recycle, response_of
from perolux.display.reference_slab import reference_slab
from perolux.display.slab import Slab, slab_light
from perolux.display.stack_file import Converter, stack_of
from perolux.display.two_flux import two_flux_light
from perolux.validation.display_colour import percent_of

__all__ = [
    "absorbed_at", "area_less_coverage", "converter_gain", "converters_less_film", "dosage_alone",
    "external_yield", "film_at_limit", "line_of_ksf", "linear_in_plqy", "needed_over_random",
    "on_record", "outcoupling_percent", "over_wide_pixel", "peck", "percent_of", "prism_effect",
    "two_flux_misfit",
]  # fmt: skip

_PHOTONS = 400_000


def absorbed_at(od10: float) -> float:
    """Per cent of light that a film of an optical density absorbs on its way, index 1."""
    found = slab_light(Slab(1.0, np.array([525.0]), np.ones(1), np.ones(1), 0.0, od10 * np.log(10.0)))
    return 100.0 * found.loss


def area_less_coverage(red: str, green: str, blue: str, standard: str, filters: str) -> float:
    """Area less coverage of a standard in xy, in points of per cent."""
    area, covered = (
        percent_of(red, green, blue, standard, "xy", quantity, filters) for quantity in ("area", "coverage")
    )
    return area - covered


def converters_less_film(red: str, green: str, blue: str) -> float:
    """Points of Rec.2020 in xy: converters without filters less a film behind the default filters."""
    return percent_of(red, green, blue, "rec2020", "xy", "coverage") - percent_of(
        red, green, blue, "rec2020", "xy", "coverage", "default"
    )


@cache
def _budget() -> LeadBudget:
    return lead_budget(
        crystal("CsPbBr3"),
        bulk_inclusion("CsPbBr3_1nm"),
        host_density_g_cm3=1.1,
        host_index=1.5,
        thickness_um=100.0,
        limit_ppm=1000.0,
    )


def film_at_limit(quantity: str) -> float:
    """A film of CsPbBr3 in a host of 1.1 g/cm3 at 1000 ppm: volume fraction, mass fraction in per cent, alpha
    at 450 nm in 1/cm, or per cent of blue absorbed in 100 um."""
    found = _budget()
    return {
        "volume": found.nc_volume_fraction,
        "mass_percent": 100.0 * found.nc_mass_fraction,
        "alpha": found.absorption_per_cm["maxwell-garnett"],
        "absorbed_percent": 100.0 * found.absorptance_per_pass["maxwell-garnett"],
    }[quantity]


def on_record(name: str) -> float:
    """A number of `perolux explain display.NAME`."""
    return display_record(name).number


def peck(test_c: float, test_rh: float, use_c: float, use_rh: float) -> float:
    """Acceleration of a test with 0.79 eV and n = 2.7."""
    return acceleration(Condition(test_c, test_rh), Condition(use_c, use_rh), activation_ev=0.79, peck_n=2.7)


def line_of_ksf(what: str) -> float:
    """Strongest wavelength of KSF, or the shortest or longest with 5 % of it, nm."""
    power = emitter("KSF6").power
    lit = GRID_NM[power > 0.05 * np.max(power)]
    return float({"strongest": GRID_NM[np.argmax(power)], "first": lit[0], "last": lit[-1]}[what])


def linear_in_plqy(plqy: float) -> float:
    """EQE at a PLQY over that at a PLQY of 1, no recycling."""
    low, full = (led_chain(plqy=q, outcoupling=0.15, balance=0.9).eqe for q in (plqy, 1.0))
    return low / full


def outcoupling_percent(index: float) -> float:
    """1/(2 n^2) in per cent."""
    return 100.0 * isotropic_outcoupling(index)


def needed_over_random(eqe: float, plqy: float, index: float) -> float:
    """Outcoupling that an EQE asks for over that of dipoles at random without recycling."""
    return needed_outcoupling(eqe, plqy) / isotropic_outcoupling(index)


def external_yield(plqy: float, od10: float) -> float:
    """Per cent of the absorbed photons that leave a smooth film of index 1.8 on either side."""
    found = slab_light(reference_slab(1.8, od10 * np.log(10.0), plqy))
    return 100.0 * (found.t_em + found.r_em) / (1.0 - found.t_blue - found.r_blue)


def dosage_alone(times: float) -> float:
    """Largest change of blue passed, converted forward and back where a film of CsPbBr3 is `times` as thick
    with as much less crystal in it, from f = 0.004 in 50 um; host of index 1.5, PLQY 0.9."""
    line = emitter("G530/22").photons
    found = []
    for fraction, thickness_um in ((0.004, 50.0), (0.004 / times, 50.0 * times)):
        optics = film(bulk_inclusion("CsPbBr3_1nm"), 1.5, fraction, GRID_NM)
        found.append(slab_light(slab_of_film(optics, thickness_um, GRID_NM, line, 0.9)))
    return max(abs(getattr(found[0], n) - getattr(found[1], n)) for n in ("t_blue", "t_em", "r_em"))


def prism_effect(prism: float) -> float:
    """Green over blue that leaves a green film with prism films and a polariser, over that with neither."""
    nm = np.arange(400.0, 701.0)
    source = np.exp(-4.0 * np.log(2.0) * ((nm - 450.0) / 20.0) ** 2)
    response = response_of(reference_slab(1.5, 0.25, 0.9))
    ratios = []
    for around in (Backlight(0.96), Backlight(0.96, prism, 0.48)):
        found = recycle(response, source, around)
        ratios.append(float(np.sum(found.out_converted) / np.sum(found.out_source)))
    return ratios[1] / ratios[0]


def over_wide_pixel(pitch_um: float, thickness_um: float) -> float:
    """Light of a point under the middle that leaves over its own pixel, without faces or absorption."""
    slab = Slab(1.0, np.array([525.0]), np.zeros(1), np.ones(1), 1.0, source_depth=1e5)
    shape = PixelArray(pitch_um, thickness_um, lit_um=0.0, neighbours=10)
    found = pixel_light(slab, shape, _PHOTONS, np.random.default_rng(1))
    return float(found.forward_map[10, 10])


@cache
def _converter(mirror: str, pairs: int, scattering: float, plqy: float, od10: float) -> ConverterDisplay:
    """Green 530/22 of CsPbBr3 and red 632/32 with an assumed edge at 618 nm, both 4.5 um, on blue 450/20."""
    nm = np.arange(380.0, 781.0)
    edge = 0.5 * erfc((nm - 618.0) / 14.0) * (1.0 + 0.9 * np.maximum(618.0 - nm, 0.0) / 100.0)
    same = {
        "plqy": plqy,
        "thickness": "4.5 um",
        "optical_density": od10,
        "scattering_depth": scattering,
    }
    with tempfile.TemporaryDirectory() as name:
        rows = "".join(f"{a:.0f},{b:.6f}\n" for a, b in zip(nm, edge, strict=True))
        (Path(name) / "red.csv").write_text("wavelength (nm),absorbance\n" + rows, encoding="utf-8")
        stack = stack_of(
            {
                "kind": "converter",
                "source": {"blue": "G450/20"},
                "green": same | {"emission": "G530/22"},
                "red": same | {"emission": "G632/32", "absorption": "red.csv", "host_index": 1.7},
                "pixel": {"pitch": "45 um", "mirror": mirror, "mirror_pairs": pairs, "rays": 1000},
                "sigma_center_nm": 0.0,
                "sigma_fwhm_nm": 0.0,
            }
        )
        assert isinstance(stack, Converter)
        return run_converter(stack, Path(name))


def converter_gain(mirror: str, pairs: int, scattering: float, plqy: float, od10: float) -> float:
    """Per cent more lumen from a watt of blue by converters than by an ideal film behind colour filters."""
    gain = _converter(mirror, pairs, scattering, plqy, od10).gain_over_filters
    return float("nan") if gain is None else 100.0 * gain


def two_flux_misfit(quantity: str, diffuse: bool) -> float:
    """Root-mean-square distance of two fluxes to Monte Carlo on 24 films in the region of the calibration.

    The films are none of those that it was made with; 5e4 photons each.
    """
    return float(np.sqrt(np.mean(np.square(_distances(diffuse)[quantity]))))


@cache
def _distances(diffuse: bool) -> dict[str, list[float]]:
    rng = np.random.default_rng(77)
    wrong: dict[str, list[float]] = {name: [] for name in ("t_blue", "r_blue", "t_em", "r_em", "loss")}
    for _ in range(24):
        slab = reference_slab(
            rng.uniform(1.4, 1.8), 0.1 * 30.0 ** rng.random() * np.log(10.0), rng.uniform(0.7, 1.0)
        )
        turned = Scatterers(0.5 * 40.0 ** rng.random(), rng.uniform(0.0, 0.8))
        counted = ray_light(slab, 50_000, rng, scatterers=turned, diffuse=diffuse)
        quick = two_flux_light(slab, turned, diffuse=diffuse)
        for name, values in wrong.items():
            values.append(getattr(quick, name) - getattr(counted, name))
    return wrong
