"""Emission of one nanocrystal that holds several excitons: photons of each line per pulse, and the spectrum.

A short pulse makes N excitons, N Poisson distributed about <N>. They leave one after another: the step from
N to N - 1 emits a photon with its yield y_N (biexciton y_2, exciton y_1). Photons of step n per pulse: y_n
P(N >= n). A nanocrystal that holds a spare carrier emits the trion line in its last step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from perolux.errors import OptionError
from perolux.excitons.pair._variation import Array
from perolux.quantities.constants import FWHM_PER_SIGMA

__all__ = ["LineWeights", "multiexciton_spectrum", "poisson_weights", "pulsed_emission", "pulsed_g2_zero"]


@dataclass(frozen=True)
class LineWeights:
    """Photons per pulse (arrays) of each line: exciton, trion, biexciton, and all higher steps together."""

    exciton: Array
    trion: Array
    biexciton: Array
    higher: Array

    @property
    def total(self) -> Array:
        """Photons per pulse of all lines."""
        return np.asarray(self.exciton + self.trion + self.biexciton + self.higher)


def poisson_weights(mean_excitons: ArrayLike, highest: int) -> Array:
    """P(N) for N = 0 .. highest - 1, and P(N >= highest) last, along a new last axis; they sum to 1.

    >>> poisson_weights(0.1, 2).round(4).tolist()
    [0.9048, 0.0905, 0.0047]
    """
    mean = _mean(mean_excitons)
    if highest < 1:
        raise OptionError(f"highest number {highest}", allowed="1 or more")
    from scipy.special import gammainc, gammaln

    number = np.arange(highest)
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.where(number == 0, 0.0, number * np.log(mean[..., None]))
    below = np.exp(power - mean[..., None] - gammaln(number + 1.0))
    # the upper tail from the incomplete gamma function: no difference of nearly equal numbers
    return np.concatenate([below, gammainc(float(highest), mean)[..., None]], axis=-1)


def pulsed_emission(
    mean_excitons: ArrayLike,
    *,
    exciton_yield: ArrayLike = 1.0,
    biexciton_yield: ArrayLike = 1.0,
    trion_yield: ArrayLike = 1.0,
    higher_yield: ArrayLike = 0.0,
    charged_fraction: ArrayLike = 0.0,
) -> LineWeights:
    """Photons per pulse of each line for pulses of <N> excitons; arguments broadcast.

    Neutral: exciton y_1 P(N >= 1), biexciton y_2 P(N >= 2), higher y_h (<N> - P(N >= 1) - P(N >= 2)). Charged
    (`charged_fraction` of the pulses): trion y_t P(N >= 1), earlier steps count as higher. With all yields 1
    the photons are <N>. Limits <N> -> 0: exciton y_1 <N>, biexciton y_2 <N>^2/2. Holds where pulses are
    short and far apart on the scale of all lifetimes, and where absorption does not saturate.
    Raises `OptionError` for a negative mean, or a yield or fraction outside 0 to 1.

    >>> round(pulsed_emission(1e-3, biexciton_yield=0.1).exciton.item() * 1e3, 2)
    1.0
    """
    mean = _mean(mean_excitons)
    parts = [np.asarray(one, dtype=np.float64) for one in
             (exciton_yield, biexciton_yield, trion_yield, higher_yield, charged_fraction)]  # fmt: skip
    if not all(bool(np.all((one >= 0) & (one <= 1))) for one in parts):
        raise OptionError("a yield or the charged fraction is outside its domain", allowed="0 to 1")
    exciton, biexciton, trion, higher, charged = parts
    one, two, rest = _steps(mean)
    neutral = 1.0 - charged
    later = neutral * rest + charged * (two + rest)
    return LineWeights(
        *(np.asarray(each) for each in np.broadcast_arrays(
            neutral * exciton * one, charged * trion * one, neutral * biexciton * two, higher * later
        ))
    )  # fmt: skip


def pulsed_g2_zero(
    mean_excitons: ArrayLike, *, exciton_yield: ArrayLike = 1.0, biexciton_yield: ArrayLike = 1.0
) -> Array:
    """g2(0) under pulses, exciton and biexciton lines: central coincidence peak over a side peak.

    <n (n - 1)>/<n>^2 = 2 y_1 y_2 P(N >= 2)/[y_1 P(N >= 1) + y_2 P(N >= 2)]^2, which tends to y_2/y_1 for
    <N> -> 0. Neutral, no background, no higher steps. <N> must be above 0.

    >>> pulsed_g2_zero(1e-4, biexciton_yield=0.2).round(3).item()
    0.2
    """
    mean = _mean(mean_excitons)
    if not bool(np.all(mean > 0)):
        raise OptionError("no coincidences without excitation", allowed="<N> above 0")
    first, second = np.asarray(exciton_yield, dtype=float), np.asarray(biexciton_yield, dtype=float)
    one, two, _ = _steps(mean)
    return np.asarray(2.0 * first * second * two / (first * one + second * two) ** 2)


def multiexciton_spectrum(
    energy_ev: ArrayLike,
    weights: LineWeights,
    exciton_ev: float,
    *,
    trion_shift_ev: float,
    biexciton_shift_ev: float,
    fwhm_ev: tuple[float, float, float],
) -> Array:
    """Photons per pulse and eV of the exciton, trion and biexciton lines, as Gaussians of their own widths.

    energy_ev: [n]; weights: scalars; shifts: negative = red; fwhm_ev: of exciton, trion, biexciton. Higher
    steps (emission above the exciton) are not drawn. The integral is the photons of the three lines.
    """
    energy = np.asarray(energy_ev, dtype=np.float64)
    if not all(width > 0 for width in fwhm_ev):
        raise OptionError("a width is not above 0", allowed="widths above 0 eV")
    total = np.zeros_like(energy)
    centres = (exciton_ev, exciton_ev + trion_shift_ev, exciton_ev + biexciton_shift_ev)
    for weight, centre, width in zip(
        (weights.exciton, weights.trion, weights.biexciton), centres, fwhm_ev, strict=True
    ):
        sigma = width / FWHM_PER_SIGMA
        shape = np.exp(-0.5 * ((energy - centre) / sigma) ** 2) / (sigma * np.sqrt(2.0 * np.pi))
        total += float(weight) * shape
    return total


def _steps(mean: Array) -> tuple[Array, Array, Array]:
    """P(N >= 1), P(N >= 2), and the sum of P(N >= n) over n >= 3."""
    from scipy.special import gammainc

    one, two = -np.expm1(-mean), gammainc(2.0, mean)
    # <N> - P(N>=1) - P(N>=2) = sum; for small means by its series <N>^3/6 - <N>^4/12 + ..., else it would
    # be rounding
    rest = np.where(mean < 1e-2, mean**3 * (1 / 6 - mean * (1 / 12 - mean / 40)), mean - one - two)
    return one, two, rest


def _mean(mean_excitons: ArrayLike) -> Array:
    mean = np.asarray(mean_excitons, dtype=np.float64)
    if not bool(np.all((mean >= 0) & np.isfinite(mean))):
        raise OptionError("mean number of excitons", allowed="finite, 0 or more")
    return mean
