"""From a display's file to its numbers: one call for every kind, and one record for JSON and reports."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from perolux.display.ageing import (
    AgeingFit,
    Condition,
    LifetimeInUse,
    fit_ageing,
    lifetime_in_use,
    read_ageing,
)
from perolux.display.backlight_display import BacklightDisplay, run_film_stack
from perolux.display.converter_display import ConverterDisplay, SubPixel, run_converter
from perolux.display.display_records import display_record
from perolux.display.emitters import GRID_NM, emitter_values
from perolux.display.led_display import LedDisplay, run_led
from perolux.display.stack_file import Converter, FilmStack, LedStack, Stack
from perolux.display.stack_film import BuiltFilm
from perolux.errors import NotAvailableError

__all__ = ["DisplayRun", "run_stack"]

_SHARES = (0.95, 0.90, 0.80)


@dataclass(frozen=True)
class DisplayRun:
    """A display computed: result of its kind, and lifetimes in use where tests are given (T95, T90, T80; one
    that cannot be told is left out with its reason in `missing`). by_set: as `by_parameter_set` gives it."""

    stack: Stack
    result: BacklightDisplay | ConverterDisplay | LedDisplay
    ageing: AgeingFit | None
    lifetimes: tuple[LifetimeInUse, ...]
    missing: dict[str, str]
    by_set: dict[str, dict[str, Any]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, as `perolux display --json` prints it."""
        if isinstance(self.result, BacklightDisplay):
            found = _backlight(self.result)
        elif isinstance(self.result, ConverterDisplay):
            found = _converter(self.result)
        else:
            found = _led(self.result)
        found["lifetimes"] = [
            asdict(one) | {"extrapolated": list(one.extrapolated)} for one in self.lifetimes
        ]
        if self.ageing is not None:
            fit = self.ageing.fit
            found["ageing_fit"] = {
                name: {"value": float(value), "sigma": sigma}
                for name, value, sigma in zip(fit.names, fit.values, fit.sigma, strict=True)
            }
            found["warnings"] += [f"ageing: {text}" for text in self.ageing.warnings]
        if self.by_set:
            found["by_parameter_set"] = self.by_set
        found["missing"] = self.missing
        return {"name": self.stack.name, "kind": self.stack.kind} | found


def run_stack(stack: Stack, folder: Path, seed: int = 0) -> DisplayRun:
    """Compute a display. folder: where the files that it names lie. seed: of photons followed."""
    result: BacklightDisplay | ConverterDisplay | LedDisplay
    if isinstance(stack, FilmStack):
        result = run_film_stack(stack, folder)
    elif isinstance(stack, Converter):
        result = run_converter(stack, folder, seed)
    else:
        result = run_led(stack, folder)
    missing: dict[str, str] = {}
    lifetimes: list[LifetimeInUse] = []
    fit = None
    if stack.ageing is None:
        missing["lifetimes"] = "no ageing tests are given ([ageing]); no constants are known in general"
    else:
        asked = stack.ageing
        path = Path(asked.tests)
        fit = fit_ageing(
            read_ageing(path if path.is_absolute() else folder / path),
            given=asked.given,
            brightening=asked.brightening,
        )
        use = Condition(asked.temperature_c, asked.humidity_percent, asked.flux)
        for share in _SHARES:
            try:
                lifetimes.append(lifetime_in_use(fit, use, share))
            except NotAvailableError as error:
                problem = error.problems[0]
                missing[f"T{100 * share:.0f}"] = "; ".join(x for x in (problem.what, problem.fix) if x)
    return DisplayRun(stack, result, fit, tuple(lifetimes), missing, _by_set(stack, result, folder, seed))


def _by_set(stack: Stack, result: Any, folder: Path, seed: int) -> dict[str, dict[str, Any]]:
    """The display under each parameter set of its nanocrystals, where the file leaves them open."""
    if isinstance(stack, LedStack):
        return {}
    from perolux.display.parameter_sets import by_parameter_set

    def again(of: FilmStack | Converter, folder: Path) -> BacklightDisplay | ConverterDisplay:
        return run_film_stack(of, folder) if isinstance(of, FilmStack) else run_converter(of, folder, seed)

    return by_parameter_set(stack, result, again, folder)


def _recalled(*texts: str | None) -> list[str]:
    """The emitters of a file that are recalled or assumed, with their sources."""
    found = []
    for text in dict.fromkeys(one for one in texts if one is not None):
        for name, record in emitter_values().items():
            rest = text.removeprefix(name)
            if text.startswith(name) and (not rest or rest.replace(".", "", 1).isdigit()):
                found.append(f"{text}: {record.kind}; {record.source}")
    return found


def _filters(of: ConverterDisplay) -> list[str]:
    """The filters of a converter's reference, and of itself where it has any."""
    one = of.reference_filters
    use = "gain over filters" if of.stack.pixel.filters is None else "filters above, and gain over filters"
    return [f"filters {one.name} ({one.kind}; {use}): {one.source}"]


def _constants_of_film(*films: tuple[str, BuiltFilm]) -> list[str]:
    """The assumed density of a host, where the file gives none and lead rests on it."""
    density = display_record("host_density_g_cm3")
    return [
        f"{density.key} = {density.number:g} ({density.kind}; {name})"
        for name, one in films
        if one.file.host_density is None and one.lead is not None
    ]


def _film(film: BuiltFilm) -> dict[str, Any]:
    return {
        "material": film.file.material,
        "emission": film.emission.name,
        "plqy": film.file.plqy,
        "thickness_um": film.file.thickness,
        "volume_fraction": film.fraction,
        "optical_density_450_nm": film.optical_density,
        "absorbed_in_one_pass": float(-np.expm1(-film.slab.source_depth)),
        "index": film.slab.index,
        "spread_of_rules": film.optics.spread(450.0),
        "emission_memory": film.file.memory,
        "scattering_depth": film.file.scattering_depth,
        "lead": None if film.lead is None else film.lead.as_dict(film.file.rule),
    }


def _backlight(of: BacklightDisplay) -> dict[str, Any]:
    return {
        "film": _film(of.film),
        "backlight": asdict(of.backlight),
        "filters": {"name": of.filters.name, "kind": of.filters.kind, "source": of.filters.source},
        "gamut": of.gamut.as_dict(),
        "white": {
            "xy": list(of.open_xy),
            "cct_k": of.open_temperature.cct_k,
            "duv": of.open_temperature.duv,
            "reason": of.open_temperature.reason,
            "drive_for_white": None if of.dimming is None else list(of.dimming),
        },
        "red_share_of_source": of.red_share,
        "lm_per_optical_w": of.lm_per_optical_w,
        "lm_per_electrical_w": of.lm_per_electrical_w,
        "blue_passes": of.passes,
        "converted_per_blue_photon": of.film_gain,
        "blue_absorbed": of.blue_absorbed,
        "lost_in_emitters": of.lost_in_emitters,
        "lost_elsewhere": of.lost_elsewhere,
        "red_shift_nm": of.red_shift_nm,
        "rests_on": [
            *(f"{one.key} = {one.number:g} ({one.kind})" for one in of.rests_on),
            *_recalled(of.stack.source.blue, of.stack.source.red, of.stack.film.emission),
            *_constants_of_film(("film", of.film)),
        ],
        "warnings": list(of.warnings),
    }


def _sub_pixel(of: SubPixel) -> dict[str, Any]:
    return {
        "film": _film(of.film),
        "converted_forward": of.photons_forward,
        "converted_back": of.photons_back,
        "blue_leak": of.blue_leak,
        "lost_in_emitters": of.loss,
        "power_per_blue_watt": of.power_share,
        "red_shift_nm": of.red_shift_nm,
        "cross_talk": of.cross_talk,
        "cross_talk_sigma": of.cross_talk_sigma,
    }


def _converter(of: ConverterDisplay) -> dict[str, Any]:
    fractions = of.power_fractions
    return {
        "green": _sub_pixel(of.green),
        "red": _sub_pixel(of.red),
        "pixel": of.stack.pixel.model_dump(),
        "gamut": of.gamut.as_dict(),
        "white": {
            "xy": list(of.stack.pixel.white),
            "cct_k": of.white_temperature.cct_k,
            "duv": of.white_temperature.duv,
            "blue_power_fractions": None
            if fractions is None
            else dict(zip(("red", "green", "blue"), fractions, strict=True)),
        },
        "lm_per_optical_w": of.lm_per_optical_w,
        "lm_per_electrical_w": of.lm_per_electrical_w,
        "reference": {"filters": of.reference_filters.name, "lm_per_optical_w": of.reference_lm_per_w},
        "gain_over_filters": of.gain_over_filters,
        "rests_on": [
            *(f"{one.key} = {one.number:g} ({one.kind})" for one in of.rests_on),
            *_recalled(of.stack.source.blue, of.stack.green.emission, of.stack.red.emission),
            *_filters(of),
            *_constants_of_film(("green", of.green.film), ("red", of.red.film)),
        ],
        "warnings": list(of.warnings),
    }


def _led(of: LedDisplay) -> dict[str, Any]:
    return {
        "emission": of.emission.name,
        "xy": list(of.xy),
        "chain": asdict(of.chain),
        "mean_nm": float(np.sum(of.emission.photons * GRID_NM)),
        "ler_lm_per_w": of.ler_lm_per_w,
        "mean_photon_ev": of.mean_photon_ev,
        "wall_plug": of.wall_plug,
        "lm_per_electrical_w": of.lm_per_electrical_w,
        "rests_on": _recalled(of.stack.led.emission),
        "warnings": list(of.warnings),
    }
