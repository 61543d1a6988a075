"""One nanocrystal LED: colour, efficiency chain, lumen per watt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from perolux.display.colour import chromaticity
from perolux.display.emitters import GRID_NM, Emitter, emitter
from perolux.display.light_emitting_diode import LedChain, isotropic_outcoupling, led_chain
from perolux.display.stack_file import LedStack
from perolux.display.white import luminous_efficacy
from perolux.errors import ModelRangeError
from perolux.quantities.constants import HC_EV_NM

__all__ = ["LedDisplay", "run_led"]


@dataclass(frozen=True)
class LedDisplay:
    """chain: EQE and its parts. ler_lm_per_w: of the light. wall_plug: EQE times mean photon energy over the
    voltage; lm_per_electrical_w; both None without a voltage. purity: distance from white over that of the
    spectral locus, None where it has no dominant wavelength."""

    stack: LedStack
    emission: Emitter
    chain: LedChain
    xy: tuple[float, float]
    ler_lm_per_w: float
    mean_photon_ev: float
    wall_plug: float | None
    lm_per_electrical_w: float | None
    warnings: tuple[str, ...]


def run_led(stack: LedStack, folder: Path) -> LedDisplay:
    """Compute an LED from its file. Raises `ModelRangeError` for a voltage that makes energy."""
    led = stack.led
    text = str(folder / led.emission) if (folder / led.emission).is_file() else led.emission
    emission = emitter(text)
    outcoupling = isotropic_outcoupling(led.index) if led.outcoupling is None else led.outcoupling
    chain = led_chain(
        plqy=led.plqy, outcoupling=outcoupling, balance=led.balance, recombination=led.recombination,
        reabsorbed=led.reabsorbed,
    )  # fmt: skip
    photons = emission.photons
    energy = float(np.sum(photons * HC_EV_NM / GRID_NM))
    ler = float(luminous_efficacy(emission.power))
    x, y = chromaticity(GRID_NM, emission.power, "power")
    plug = None if led.voltage is None else chain.eqe * energy / led.voltage
    if plug is not None and plug > 1.0:
        raise ModelRangeError(
            f"{100 * plug:.0f} % of the electrical power leaves as light",
            where="led.voltage",
            allowed="below 100 %",
            fix=f"a photon has {energy:.2f} eV: give the voltage at which the LED runs",
        )
    warnings = list(emission.warnings)
    if led.outcoupling is None:
        warnings.append(
            f"outcoupling 1/(2 n^2) = {outcoupling:.3g}: ray optics, dipoles at random (standard form)"
        )
    if led.voltage is not None and led.voltage < energy:
        warnings.append(f"{led.voltage:g} V is below the photon's energy of {energy:.2f} eV")
    return LedDisplay(
        stack, emission, chain, (float(x), float(y)), ler, energy, plug, None if plug is None else plug * ler,
        tuple(warnings),
    )  # fmt: skip
