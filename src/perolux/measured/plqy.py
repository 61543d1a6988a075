"""Photoluminescence quantum yield: integrating sphere, relative, self-absorption, inner filter, repeats.

Every input integral is a number of photons from a spectrally corrected spectrum. Results are never clipped:
a yield above 1 or an absorption that is not positive comes back as the number with a flag.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from perolux.errors import OptionError
from perolux.measured.concentration import absorptance

__all__ = [
    "PlqyResult",
    "RepeatedMean",
    "inner_filter_factor",
    "mean_of_repeats",
    "relative_plqy",
    "self_absorption_corrected",
    "sphere_plqy",
]

WEAK_ABSORPTION = 0.10
"""Absorbed fraction below which its error dominates that of the yield."""
STRONG_INNER_FILTER = 0.3
"""Absorbance at the excitation above which the inner-filter correction is not reliable (a convention); taken
for the absorbance at the emission too, each by itself, because both enter the factor in the same way."""
_NO_SIGMAS = "no uncertainty of any input was given"


@dataclass(frozen=True)
class PlqyResult:
    """A quantum yield (photons out per photon absorbed) with its absorbed fraction and one-sigma errors.

    contributions: part of plqy_sigma that each input brings, by name; they add in quadrature. An input whose
    sigma was not given brings none and is not named. plqy_sigma and absorbed_sigma are None, with a reason,
    where no sigma was given at all that they could come from. plqy is None, with a reason, only where nothing
    was absorbed at all, so that the quotient does not exist.
    """

    plqy: float | None
    plqy_sigma: float | None
    absorbed: float
    absorbed_sigma: float | None
    contributions: dict[str, float]
    flags: tuple[str, ...]
    reasons: dict[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        return {
            "plqy": self.plqy,
            "plqy_sigma": self.plqy_sigma,
            "absorbed": self.absorbed,
            "absorbed_sigma": self.absorbed_sigma,
            "contributions": dict(self.contributions),
            "flags": list(self.flags),
            "reasons": dict(self.reasons),
        }


@dataclass(frozen=True)
class RepeatedMean:
    """Mean of repeats with both standard deviations: `sd_n` divides by n, `sd_n_minus_1` by n - 1.

    sd_n_minus_1 and standard_error are None for a single value.
    """

    mean: float
    sd_n: float
    sd_n_minus_1: float | None
    standard_error: float | None
    count: int


def _finite(**values: float) -> None:
    wrong = [name for name, value in values.items() if not math.isfinite(value)]
    if wrong:
        raise OptionError(f"not a finite number: {', '.join(wrong)}")


def _not_negative(**values: float | None) -> None:
    given = {name: value for name, value in values.items() if value is not None}
    _finite(**given)
    wrong = [f"{name} = {value:g}" for name, value in given.items() if value < 0]
    if wrong:
        raise OptionError(f"not possible: {', '.join(wrong)}", allowed="0 or more")


def _quadrature(parts: dict[str, float]) -> float | None:
    """Root of the sum of squares; None of nothing."""
    return math.hypot(*parts.values()) if parts else None


def _parts(**slopes_and_sigmas: tuple[float, float | None]) -> dict[str, float]:
    """|slope| times sigma of each input whose sigma is known."""
    return {
        name: abs(slope) * sigma for name, (slope, sigma) in slopes_and_sigmas.items() if sigma is not None
    }


def sphere_plqy(
    laser_empty: float,
    laser_indirect: float,
    laser_direct: float,
    pl_indirect: float,
    pl_direct: float,
    *,
    laser_empty_sigma: float | None = None,
    laser_indirect_sigma: float | None = None,
    laser_direct_sigma: float | None = None,
    pl_indirect_sigma: float | None = None,
    pl_direct_sigma: float | None = None,
) -> PlqyResult:
    """Quantum yield in an integrating sphere from three measurements (de Mello).

    A = 1 - Lc/Lb and eta = [Pc - (1 - A) Pb]/(La A), with La, Lb, Lc the laser photons in the empty sphere,
    with the sample beside the beam, and in the beam; Pb, Pc the PL photons of the last two. Equal exposures,
    or scaled to equal ones. Sigmas are independent standard uncertainties of the five integrals, each left
    out where it is not known; without any, the result has no sigma. The error of eta is their exact
    first-order propagation (A is not independent of Lb and Lc, and is not treated so).

    Flags: `plqy-above-one`, `absorption-not-positive`, `plqy-negative`, `weak-absorption` below 10 %.
    Raises `OptionError` for negative photons or sigmas and for an empty sphere or reference without laser.
    """
    _not_negative(laser_direct=laser_direct, pl_indirect=pl_indirect, pl_direct=pl_direct)
    _not_negative(laser_empty=laser_empty, laser_indirect=laser_indirect)
    _not_negative(
        laser_empty_sigma=laser_empty_sigma,
        laser_indirect_sigma=laser_indirect_sigma,
        laser_direct_sigma=laser_direct_sigma,
        pl_indirect_sigma=pl_indirect_sigma,
        pl_direct_sigma=pl_direct_sigma,
    )
    if laser_empty == 0 or laser_indirect == 0:
        raise OptionError(
            "no laser photons in the empty sphere or with the sample beside the beam",
            allowed="above 0",
            fix="check which integral is which: empty, beside the beam, in the beam",
        )
    passed = laser_direct / laser_indirect
    absorbed = 1.0 - passed
    absorbed_sigma = _quadrature(
        _parts(
            laser_direct=(1.0 / laser_indirect, laser_direct_sigma),
            laser_indirect=(passed / laser_indirect, laser_indirect_sigma),
        )
    )
    flags: list[str] = []
    reasons: dict[str, str] = {}
    if absorbed_sigma is None:
        reasons["absorbed_sigma"] = "no uncertainty of the laser photons beside and in the beam was given"
    if absorbed <= 0:
        flags.append("absorption-not-positive")
    elif absorbed < WEAK_ABSORPTION:
        flags.append("weak-absorption")
    if absorbed == 0:
        reasons |= dict.fromkeys(("plqy", "plqy_sigma"), "no light was absorbed, so the yield is 0/0")
        return PlqyResult(None, None, absorbed, absorbed_sigma, {}, tuple(flags), reasons)
    taken = laser_empty * absorbed
    yield_ = (pl_direct - passed * pl_indirect) / taken
    by_absorbed = (pl_indirect - yield_ * laser_empty) / taken
    contributions = _parts(
        laser_empty=(yield_ / laser_empty, laser_empty_sigma),
        laser_indirect=(by_absorbed * passed / laser_indirect, laser_indirect_sigma),
        laser_direct=(by_absorbed / laser_indirect, laser_direct_sigma),
        pl_indirect=(passed / taken, pl_indirect_sigma),
        pl_direct=(1.0 / taken, pl_direct_sigma),
    )
    if not contributions:
        reasons["plqy_sigma"] = _NO_SIGMAS
    return PlqyResult(
        yield_,
        _quadrature(contributions),
        absorbed,
        absorbed_sigma,
        contributions,
        tuple(flags + _yield_flags(yield_)),
        reasons,
    )


def self_absorption_corrected(
    plqy: float, reabsorbed: float, *, plqy_sigma: float | None = None, reabsorbed_sigma: float | None = None
) -> tuple[float, float | None]:
    """Yield without self-absorption: eta/(1 - a + a eta), and its sigma (None where none was given).

    reabsorbed: fraction a of the emitted photons that the sample takes up again, 0 <= a < 1, from the red
    tail matched to a dilute spectrum. eta = 1 is a fixed point; a = 0 changes nothing.

    >>> round(self_absorption_corrected(0.8, 0.2)[0], 5)
    0.83333
    """
    _finite(plqy=plqy)
    _not_negative(reabsorbed=reabsorbed, plqy_sigma=plqy_sigma, reabsorbed_sigma=reabsorbed_sigma)
    if reabsorbed >= 1:
        raise OptionError(f"reabsorbed fraction {reabsorbed:g}", allowed="0 <= a < 1", where="reabsorbed")
    below = 1.0 - reabsorbed + reabsorbed * plqy
    if below <= 0:
        raise OptionError(
            f"a yield of {plqy:g} with a reabsorbed fraction of {reabsorbed:g} has no corrected value",
            allowed="1 - a + a eta above 0",
        )
    by_yield = (1.0 - reabsorbed) / below**2
    by_reabsorbed = plqy * (1.0 - plqy) / below**2
    parts = _parts(plqy=(by_yield, plqy_sigma), reabsorbed=(by_reabsorbed, reabsorbed_sigma))
    return plqy / below, _quadrature(parts)


def relative_plqy(
    reference_plqy: float,
    pl: float,
    pl_reference: float,
    absorbance: float,
    absorbance_reference: float,
    refractive_index: float,
    refractive_index_reference: float,
    *,
    reference_plqy_sigma: float | None = None,
    pl_sigma: float | None = None,
    pl_reference_sigma: float | None = None,
    absorbance_sigma: float | None = None,
    absorbance_reference_sigma: float | None = None,
) -> PlqyResult:
    """Quantum yield against a reference dye: eta = eta_r (I/I_r)(f_r/f)(n/n_r)^2, with f = 1 - 10^-A.

    pl, pl_reference: PL photons at equal excitation; absorbances are decadic, at the excitation wavelength;
    the refractive indices are those of the two solvents. Raises `OptionError` for negative inputs, a
    reference without light or absorption, and refractive indices below 1.
    """
    _not_negative(
        reference_plqy=reference_plqy,
        pl=pl,
        pl_reference=pl_reference,
        absorbance_reference=absorbance_reference,
        reference_plqy_sigma=reference_plqy_sigma,
        pl_sigma=pl_sigma,
        pl_reference_sigma=pl_reference_sigma,
        absorbance_sigma=absorbance_sigma,
        absorbance_reference_sigma=absorbance_reference_sigma,
    )
    _finite(absorbance=absorbance)
    if pl_reference == 0 or absorbance_reference == 0 or reference_plqy == 0:
        raise OptionError("the reference has no light, no absorption or no yield", allowed="above 0")
    if not (refractive_index >= 1 and refractive_index_reference >= 1):
        raise OptionError("a refractive index of a solvent is below 1", allowed="1 or more")
    taken, taken_reference = absorptance(absorbance), absorptance(absorbance_reference)
    per_absorbance = math.log(10.0) * (1.0 - taken)
    taken_sigma = None if absorbance_sigma is None else per_absorbance * absorbance_sigma
    flags: list[str] = []
    reasons: dict[str, str] = {}
    if taken_sigma is None:
        reasons["absorbed_sigma"] = "no uncertainty of the absorbance was given"
    if taken <= 0:
        flags.append("absorption-not-positive")
    elif taken < WEAK_ABSORPTION:
        flags.append("weak-absorption")
    if taken == 0:
        reasons |= dict.fromkeys(("plqy", "plqy_sigma"), "no light was absorbed, so the yield is not defined")
        return PlqyResult(None, None, taken, taken_sigma, {}, tuple(flags), reasons)
    per_pl = (
        reference_plqy / pl_reference * taken_reference / taken
        * (refractive_index / refractive_index_reference) ** 2
    )  # fmt: skip
    yield_ = per_pl * pl
    per_reference = math.log(10.0) * (1.0 - taken_reference)
    contributions = _parts(
        reference_plqy=(yield_ / reference_plqy, reference_plqy_sigma),
        pl=(per_pl, pl_sigma),
        pl_reference=(yield_ / pl_reference, pl_reference_sigma),
        absorbance=(yield_ / taken * per_absorbance, absorbance_sigma),
        absorbance_reference=(yield_ / taken_reference * per_reference, absorbance_reference_sigma),
    )
    if not contributions:
        reasons["plqy_sigma"] = _NO_SIGMAS
    return PlqyResult(
        yield_,
        _quadrature(contributions),
        taken,
        taken_sigma,
        contributions,
        tuple(flags + _yield_flags(yield_)),
        reasons,
    )


def inner_filter_factor(
    absorbance_excitation: float, absorbance_emission: float
) -> tuple[float, tuple[str, ...]]:
    """Factor for the inner filter of a 1 cm right-angle cell, 10^((A_ex + A_em)/2), and its flags.

    Multiply observed PL by it. `strong-inner-filter` is raised where either absorbance exceeds 0.3.
    """
    _not_negative(absorbance_excitation=absorbance_excitation, absorbance_emission=absorbance_emission)
    strong = max(absorbance_excitation, absorbance_emission) > STRONG_INNER_FILTER
    factor = 10.0 ** (0.5 * (absorbance_excitation + absorbance_emission))
    return factor, (("strong-inner-filter",) if strong else ())


def mean_of_repeats(values: Sequence[float]) -> RepeatedMean:
    """Mean of repeated yields (or absorbed fractions) with both standard deviations, each named.

    >>> repeats = mean_of_repeats([93.4, 90.8, 92.6, 92.9, 90.1])
    >>> round(repeats.mean, 2), round(repeats.sd_n, 2), round(repeats.sd_n_minus_1, 2)
    (91.96, 1.28, 1.43)
    """
    if not values:
        raise OptionError("a mean needs at least one value")
    _finite(**{f"value {position}": value for position, value in enumerate(values)})
    count = len(values)
    mean = math.fsum(values) / count
    squares = math.fsum((value - mean) ** 2 for value in values)
    sample = math.sqrt(squares / (count - 1)) if count > 1 else None
    error = None if sample is None else sample / math.sqrt(count)
    return RepeatedMean(mean, math.sqrt(squares / count), sample, error, count)


def _yield_flags(value: float) -> list[str]:
    if value > 1:
        return ["plqy-above-one"]
    return ["plqy-negative"] if value < 0 else []
