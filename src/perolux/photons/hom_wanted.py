"""From a visibility back to the emitter, and what would raise it: a cavity, or cold.

    total enhancement  F = Y F_P + Y m + (1 - Y)     Y: radiative yield, m: rate past the mode
    Purcell            F_P = 3/(4 pi^2) (lambda/n)^3 Q/V_m              at perfect match
    weak coupling      4g/kappa = 2 sqrt(Y F_P G/kappa) << 1,  kappa = w/Q   (from Y F_P G = 4 g^2/kappa)
    dephasing          2 hbar g(T) = a T + b n(E, T)

The cavity speeds the decay up and leaves the pure dephasing g as it is; cold lowers g and leaves the decay.
The formula of Purcell also needs a line much narrower than the mode, 2/T2 << kappa: the ratio is given. In
the law of dephasing b and E are the excitons room's (assumed, read); a follows from the emitter itself, at
the temperature at which its T2 was measured. Nothing is known below that temperature: a result there is the
law's, not a measurement's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from perolux.errors import ModelRangeError, OptionError, Problem
from perolux.excitons.assumptions import assumption
from perolux.excitons.levels.relaxation import occupation
from perolux.photons.hom import visibility
from perolux.photons.quantum_records import quantum_record
from perolux.quantities.constants import constant

__all__ = ["Cavity", "ColdEnough", "cavity_for", "coherence_time_behind", "enhancement_wanted"]
__all__ += ["linewidth_uev", "purcell_factor", "pure_dephasing_time_ps", "temperature_for"]

_MOST_ENHANCEMENT = 1e6
_HBAR_UEV_PS = 1e18 * constant("planck_j_s") / (2 * math.pi) / constant("elementary_charge_c")


@dataclass(frozen=True)
class Cavity:
    """A cavity that reaches the wanted visibility.

    enhancement: of the whole decay rate; purcell_factor: of the mode alone; quality: Q at the mode volume (in
    cubic wavelengths in the medium), None where no cavity is needed; t1_ps: the lifetime in it.
    coupling_over_loss (4g/kappa) and line_over_mode (2/T2 over kappa) are None where the wavelength is not
    known. verdict: in words.
    """

    enhancement: float
    purcell_factor: float
    mode_volume_cubic_wavelengths: float
    quality: float | None
    t1_ps: float
    coupling_over_loss: float | None
    line_over_mode: float | None
    verdict: str

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class ColdEnough:
    """Temperature at which the law of dephasing gives the wanted visibility, with the range that the
    assumed strength of activated dephasing leaves; None with a reason."""

    temperature_k: float | None
    low_k: float | None
    high_k: float | None
    reason: str | None

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return asdict(self)


def linewidth_uev(t2_ps: float) -> float:
    """Lorentzian full width 2 hbar/T2 in micro-eV.

    >>> round(linewidth_uev(65.8), 2)
    20.01
    """
    if not (math.isfinite(t2_ps) and t2_ps > 0):
        raise OptionError(f"a coherence time of {t2_ps:g} ps", allowed="a positive number")
    return 2 * _HBAR_UEV_PS / t2_ps


def pure_dephasing_time_ps(t1_ps: float, t2_ps: float) -> float | None:
    """1/(1/T2 - 1/(2 T1)); None where T2 = 2 T1 leaves no dephasing."""
    left = 1 / t2_ps - 1 / (2 * t1_ps)
    return 1 / left if left > 1e-12 / t2_ps else None


def coherence_time_behind(
    t1_ps: float, wanted: float, *, spread_rad_per_ps: float = 0.0, gate_ps: float | None = None
) -> float:
    """T2 in ps at which `hom.visibility` is `wanted`, given the spread and gate under which it was measured.

    2 T1 V without spread and gate. The visibility grows with T2 (0 to 2 T1), so there is one answer. Raises
    `ModelRangeError` where the spread alone leaves less, or the gate alone more, than was measured.
    """
    if not 0 < wanted <= 1:
        fix = "give a share, 0.56, not per cent" if 1 < wanted <= 100 else None
        raise OptionError(
            f"a visibility of {wanted:g}", where="visibility", allowed="above 0, at most 1", fix=fix
        )

    def at(t2: float) -> float:
        return float(visibility(t1_ps, t2, detuning_spread_rad_per_ps=spread_rad_per_ps, gate_ps=gate_ps))

    if spread_rad_per_ps == 0 and gate_ps is None:
        at(2 * t1_ps)  # its checks
        return 2 * t1_ps * wanted
    most = at(2 * t1_ps)
    if wanted > most * (1 + 1e-12):
        raise ModelRangeError(
            f"a visibility of {wanted:g} where the spread alone leaves {most:.6g}",
            where="visibility",
            allowed=f"up to {most:.6g} at T1 = {t1_ps:g} ps, T2 = 2 T1",
            fix="check the spread (of the difference of the two photons, rad/ps) and the lifetime",
        )
    low = 1e-9 * t1_ps
    if wanted < at(low):
        raise ModelRangeError(
            f"a visibility of {wanted:g} is below what any coherence time gives", where="visibility"
        )
    return _root(lambda t2: at(t2) - wanted, low, 2 * t1_ps)


def enhancement_wanted(
    t1_ps: float,
    t2_ps: float,
    wanted: float,
    *,
    spread_rad_per_ps: float = 0.0,
    gate_ps: float | None = None,
) -> float:
    """Enhancement F of the decay rate (T1/F, pure dephasing kept) at which the visibility is `wanted`.

    1 or less: it is reached already, and 1 is returned. 2 g T1 V/(1 - V) without spread and gate. Raises
    `ModelRangeError` for a visibility of 1 or more, and beyond F = 1e6.
    """
    if not 0 < wanted < 1:
        raise ModelRangeError(
            f"a visibility of {wanted:g} is not reached by any rate", where="wanted", allowed="0 to below 1"
        )
    pure = max(1 / t2_ps - 1 / (2 * t1_ps), 0.0)

    def at(factor: float) -> float:
        t1 = t1_ps / factor
        t2 = 1 / (1 / (2 * t1) + pure)
        return float(visibility(t1, t2, detuning_spread_rad_per_ps=spread_rad_per_ps, gate_ps=gate_ps))

    visibility(t1_ps, t2_ps)  # its checks
    if at(1.0) >= wanted:
        return 1.0
    if at(_MOST_ENHANCEMENT) < wanted:
        raise ModelRangeError(f"a visibility of {wanted:g} needs an enhancement beyond 1e6", where="wanted")
    return _root(lambda factor: at(factor) - wanted, 1.0, _MOST_ENHANCEMENT)


def purcell_factor(quality: float, mode_volume_cubic_wavelengths: float) -> float:
    """F_P = 3 Q/(4 pi^2 v), v = V_m/(lambda/n)^3, emitter at the antinode, on resonance, dipole along the
    field; standard form.

    >>> round(purcell_factor(1000.0, 1.0), 2)
    75.99
    """
    if not (quality > 0 and mode_volume_cubic_wavelengths > 0):
        raise OptionError("a quality factor or mode volume that is not positive", allowed="above 0")
    return 3 * quality / (4 * math.pi**2 * mode_volume_cubic_wavelengths)


def cavity_for(
    t1_ps: float,
    t2_ps: float,
    wanted: float,
    *,
    mode_volume_cubic_wavelengths: float = 1.0,
    wavelength_nm: float | None = None,
    radiative_yield: float = 1.0,
    spread_rad_per_ps: float = 0.0,
    gate_ps: float | None = None,
) -> Cavity:
    """The cavity at which the visibility is `wanted`: enhancement, Purcell factor, Q, and whether it is weak.

    wavelength_nm: in vacuum, for kappa = w/Q. Light past the mode keeps its rate (record
    "other_modes_rate"). Raises what `enhancement_wanted` raises, and `OptionError` for bad volumes, yields.
    """
    problems = []
    if not (math.isfinite(mode_volume_cubic_wavelengths) and mode_volume_cubic_wavelengths > 0):
        problems.append(
            Problem("a mode volume that is not positive", "mode_volume", "above 0, in (lambda/n)^3")
        )
    if not 0 < radiative_yield <= 1:
        problems.append(Problem(f"a yield of {radiative_yield:g}", "radiative_yield", "above 0, at most 1"))
    if wavelength_nm is not None and not (math.isfinite(wavelength_nm) and wavelength_nm > 0):
        problems.append(Problem(f"a wavelength of {wavelength_nm:g} nm", "wavelength", "a positive number"))
    if problems:
        raise OptionError(problems)
    factor = enhancement_wanted(t1_ps, t2_ps, wanted, spread_rad_per_ps=spread_rad_per_ps, gate_ps=gate_ps)
    past = quantum_record("other_modes_rate").number
    volume = mode_volume_cubic_wavelengths
    mode = max((factor - (1 - radiative_yield)) / radiative_yield - past, 0.0)
    if factor == 1.0:
        return Cavity(
            1.0, 0.0, volume, None, t1_ps, None, None, "no cavity needed: the visibility is reached without"
        )
    quality = mode / purcell_factor(1.0, volume)
    decay = 1 / t1_ps
    poor = quality < quantum_record("least_quality").number
    no_mode = f"outside the formula: a Q of {quality:.2g} is no resonance of one mode; take a larger volume"
    if wavelength_nm is None:
        return Cavity(
            factor, mode, volume, quality, t1_ps / factor, None, None,
            no_mode if poor else "weak coupling not checked: give the wavelength",
        )  # fmt: skip
    omega = 2 * math.pi * constant("speed_of_light_m_per_s") * 1e-3 / wavelength_nm  # rad/ps
    loss = omega / quality
    ratio = 2 * math.sqrt(radiative_yield * mode * decay / loss)
    line = (decay * factor + 2 * (1 / t2_ps - decay / 2)) / loss
    limit = quantum_record("weak_coupling_ratio")
    if ratio >= 1:
        verdict = "strong coupling (4g >= kappa): no such enhancement, the formula does not hold"
    elif poor:
        verdict = no_mode
    elif ratio > limit.number or line > limit.number:
        which = (
            "4g is not small against kappa" if ratio > limit.number else "the line is not narrow in the mode"
        )
        verdict = f"outside the formula: {which}; the true enhancement is smaller"
    else:
        verdict = "weak coupling"
    return Cavity(factor, mode, volume, quality, t1_ps / factor, ratio, line, verdict)


def temperature_for(
    t1_ps: float,
    t2_ps: float,
    wanted: float,
    temperature_k: float,
    *,
    phonon_ev: float,
    spread_rad_per_ps: float = 0.0,
    gate_ps: float | None = None,
) -> ColdEnough:
    """Temperature at which the visibility is `wanted`: T1 and spread kept, pure dephasing by its law.

    temperature_k: at which t2_ps holds; phonon_ev: E of the activated part. The acoustic strength is what
    t2_ps leaves after the activated part (record "activated_dephasing_ev"; its range gives the range here; a
    part larger than the whole is cut to it). Up to 30 K (record "zero_phonon_below_k").
    """
    if not (math.isfinite(temperature_k) and temperature_k > 0):
        raise OptionError(f"a temperature of {temperature_k:g} K", where="temperature", allowed="above 0 K")
    warmest = assumption("zero_phonon_below_k").number
    if temperature_k > warmest:
        raise ModelRangeError(
            f"dephasing at {temperature_k:g} K", where="temperature",
            allowed=f"up to {warmest:g} K: the law is that of the zero-phonon line",
        )  # fmt: skip
    if not 0 < wanted < 1:
        raise ModelRangeError(f"a visibility of {wanted:g}", where="wanted", allowed="0 to below 1")
    whole = 2 * _HBAR_UEV_PS * (1 / t2_ps - 1 / (2 * t1_ps))  # micro-eV at temperature_k

    def at(width_uev: float) -> float:
        t2 = 1 / (1 / (2 * t1_ps) + max(width_uev, 0.0) / (2 * _HBAR_UEV_PS))
        return float(visibility(t1_ps, t2, detuning_spread_rad_per_ps=spread_rad_per_ps, gate_ps=gate_ps))

    here, most = at(whole), at(0.0)
    if here >= wanted:
        return ColdEnough(temperature_k, None, None, "reached already at the temperature given")
    if most <= wanted:
        return ColdEnough(None, None, None, f"the spread alone leaves {most:.4g} at any temperature")
    record = assumption("activated_dephasing_ev")

    def solve(strength_ev: float) -> float:
        there = float(occupation(1e3 * phonon_ev, temperature_k))
        activated = min(1e6 * strength_ev * there, whole)
        acoustic = (whole - activated) / temperature_k

        def width(kelvin: float) -> float:
            n = float(occupation(1e3 * phonon_ev, kelvin))
            return acoustic * kelvin + (activated * n / there if there > 0 else 0.0)

        return _root(lambda kelvin: wanted - at(width(kelvin)), 1e-6 * temperature_k, temperature_k)

    ends = [solve(one) for one in (record.number, float(record.low or 0.0), float(record.high or 0.0))]
    return ColdEnough(ends[0], min(ends), max(ends), None)


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """The zero of a function that changes sign between low and high > 0, found in the logarithm."""
    from scipy.optimize import brentq

    if abs(function(high)) < 1e-14:
        return high
    return float(np.exp(brentq(lambda x: function(math.exp(x)), math.log(low), math.log(high), xtol=1e-13)))
