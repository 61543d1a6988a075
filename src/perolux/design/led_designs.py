"""Designs of one LED: lumen per electrical watt against the gamut that it allows.

One colour has no gamut, so it stands in for the nearest primary of Rec.2020, the two others being those of
the standard (assumed): what it then covers is the most that any display with this LED can cover.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.design.display_searches import Job, Search
from perolux.display.colour import chromaticity, uv_prime
from perolux.display.emitters import GRID_NM, emitter, gaussian_line
from perolux.display.gamut import coverage, gamut_triangle
from perolux.display.light_emitting_diode import isotropic_outcoupling, led_chain
from perolux.display.primaries import SPACES, width_nm
from perolux.display.stack_file import LedStack, OptimiseLedFile
from perolux.display.white import luminous_efficacy
from perolux.errors import OptionError
from perolux.quantities.constants import HC_EV_NM

__all__ = ["evaluate_leds", "led_search"]

FloatArray = npt.NDArray[np.float64]
_BOUNDS = {
    "center_nm": (380.0, 780.0), "fwhm_nm": (2.0, 400.0), "plqy": (0.0, 1.0), "outcoupling": (0.0, 1.0),
    "index": (1.0, 4.0),
}  # fmt: skip


def led_search(stack: LedStack, asked: OptimiseLedFile) -> Search:
    """The search of an LED. Raises `OptionError` without a voltage, and for an index without effect."""
    if stack.led.voltage is None:
        raise OptionError("no voltage", where="led.voltage", fix='voltage = "3.5 V": for lumen per watt')
    if asked.index is not None and (asked.outcoupling is not None or stack.led.outcoupling is not None):
        raise OptionError(
            "an index where the outcoupling is given", where="optimise.index", fix="leave one of them out"
        )
    return Search(
        _BOUNDS, evaluate_leds,
        ("the LED stands for the nearest primary of Rec.2020, beside the two others of the standard",
         "the voltage stays as the file says"),
        ("eqe_percent",),
    )  # fmt: skip


def evaluate_leds(job: Job, points: FloatArray) -> FloatArray:
    """Columns of designs (b, 3): coverage in per cent, lumen per electrical watt, EQE in per cent; NaN where
    more light than electrical power or than photons would leave."""
    stack, folder = job.stack, Path(job.folder)
    assert isinstance(stack, LedStack)
    led = stack.led
    usual = emitter(str(folder / led.emission) if (folder / led.emission).is_file() else led.emission)
    mean = float(np.sum(GRID_NM * usual.photons))
    found = np.full((len(points), 3), np.nan)
    for row, point in enumerate(points):
        at: dict[str, Any] = dict(zip(job.names, point.tolist(), strict=True))
        power = usual.power
        if {"center_nm", "fwhm_nm"} & set(at):
            power = gaussian_line(
                at.get("center_nm", usual.center_nm or mean),
                at.get("fwhm_nm", usual.fwhm_nm or width_nm(usual.power)),
            )
        out = at.get("outcoupling", led.outcoupling)
        out = isotropic_outcoupling(at.get("index", led.index)) if out is None else out
        if out + led.reabsorbed > 1.0:
            continue
        chain = led_chain(
            plqy=at.get("plqy", led.plqy), outcoupling=out, balance=led.balance,
            recombination=led.recombination, reabsorbed=led.reabsorbed,
        )  # fmt: skip
        photons = power * GRID_NM / np.sum(power * GRID_NM)
        assert led.voltage is not None
        plug = chain.eqe * float(np.sum(photons * HC_EV_NM / GRID_NM)) / led.voltage
        if plug > 1.0:
            continue
        found[row] = (
            100.0 * _covered(power, job.space), plug * float(luminous_efficacy(power)), 100.0 * chain.eqe
        )  # fmt: skip
    return found


def _covered(power: FloatArray, space: str) -> float:
    x, y = chromaticity(GRID_NM, power, "power")
    corners = gamut_triangle("Rec.2020").copy()
    standard = np.stack(uv_prime(corners[:, 0], corners[:, 1]), axis=1)
    nearest = int(np.argmin(np.hypot(*(standard - np.array(uv_prime(float(x), float(y)))).T)))
    corners[nearest] = float(x), float(y)
    return coverage(corners, "Rec.2020", SPACES[space]).coverage
