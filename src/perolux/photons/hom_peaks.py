"""Areas of the peaks of two-photon interference behind an unbalanced interferometer, pair by pair.

A photon goes through the short arm (input A of the last splitter) or the long one (input B, one delay later).
Every ordered pair (one photon to detector 1, one to detector 2) is counted with its weight: photons of two
pulses 1, of one pulse g2. Two photons that reach the splitter together from A and B leave apart with

    R^2 + T^2 - 2 R T c^2 V        c = 1 - eps: fringe contrast of the interferometer with a laser

so that, with even arms, V = raw [(R^2+T^2)/(2RT) + k g2]/c^2, k = 2 for a pulse pair and 1 for a regular
train whose period is the delay. The form H7, raw (R^2+T^2)/(2RT) (1 + 2 g2)/c^2, is the pulse pair's where R
= T, or where one splitter is passed twice (short_share = T, as in a Michelson); for a train it corrects too
much. Both hold where the extra photons interfere like the others (a second excitation by the same pulse).
Where they are unrelated light, 1 - g2 of the pairs are signal with signal, and V is larger by 1/(1 - g2).
Which of them it is, is the user's knowledge: `Form.words` says what was taken.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError, Problem

__all__ = ["EXTRA_PHOTONS", "SCHEMES", "Form", "Interferometer", "PeakAreas", "correction", "peak_areas"]

FloatArray = npt.NDArray[np.float64]
Scheme = Literal["pulse pair", "train"]
ExtraPhotons = Literal["alike", "unrelated"]
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
EXTRA_PHOTONS: tuple[ExtraPhotons, ...] = get_args(ExtraPhotons)
_TRAIN = 12
"""Pulses of a train that are enumerated: its middle peaks are those of an endless one."""


@dataclass(frozen=True)
class Interferometer:
    """The last splitter and the arms.

    reflect, transmit: R and T of intensity, R + T <= 1; short_share: of the photons that reach the last
    splitter, those through the short arm; contrast: 1 - eps, of the fringes of a laser, 0 to 1.
    """

    reflect: float = 0.5
    transmit: float = 0.5
    short_share: float = 0.5
    contrast: float = 1.0

    def __post_init__(self) -> None:
        problems = []
        if not (self.reflect > 0 and self.transmit > 0 and self.reflect + self.transmit <= 1 + 1e-9):
            problems.append(
                Problem(
                    f"R = {self.reflect:g}, T = {self.transmit:g}",
                    "reflect, transmit",
                    "above 0, sum up to 1",
                )
            )
        if not 0 < self.short_share < 1:
            problems.append(Problem(f"a share of {self.short_share:g}", "short_share", "between 0 and 1"))
        if not 0 < self.contrast <= 1:
            problems.append(Problem(f"a contrast of {self.contrast:g}", "contrast", "above 0, at most 1"))
        if problems:
            raise OptionError(problems)


@dataclass(frozen=True)
class PeakAreas:
    """order: (n,) delays in units of the delay; area: (n,), the largest undisturbed one 2 (pulse pair) or 1
    (train) for an even splitter; interfering: of the central area, what full interference takes away."""

    order: npt.NDArray[np.int64]
    area: FloatArray
    interfering: float

    def central(self, visibility: float) -> float:
        """Area of the middle peak at a visibility (0: orthogonal polarisations)."""
        return float(self.area[self.order == 0][0]) - visibility * self.interfering


def peak_areas(
    scheme: Scheme,
    interferometer: Interferometer | None = None,
    *,
    g2_zero: float = 0.0,
    extra: ExtraPhotons = "alike",
) -> PeakAreas:
    """Areas of the peaks, -2 to 2 of a pulse pair, -4 to 4 of a train, for orthogonal polarisations.

    g2_zero: of the source, 0 to below 1. Few photons a pulse: pairs only.

    >>> peak_areas("pulse pair").area.tolist(), peak_areas("train").area[3:6].tolist()
    ([1.0, 2.0, 2.0, 2.0, 1.0], [0.75, 0.5, 0.75])
    """
    optics = Interferometer() if interferometer is None else interferometer
    if scheme not in SCHEMES or extra not in EXTRA_PHOTONS:
        raise OptionError(
            f"{scheme!r}, {extra!r}", allowed=f"{', '.join(SCHEMES)}; {', '.join(EXTRA_PHOTONS)}"
        )
    if not (math.isfinite(g2_zero) and 0 <= g2_zero < 1):
        raise OptionError(f"a g2(0) of {g2_zero:g}", where="g2_zero", allowed="0 to below 1")
    pulses = range(2) if scheme == "pulse pair" else range(_TRAIN)
    middle = None if scheme == "pulse pair" else _TRAIN // 2
    r, t = optics.reflect, optics.transmit
    arm = (optics.short_share, 1.0 - optics.short_share)
    to_first, to_second = (t, r), (r, t)  # from the short arm, from the long arm
    orders = np.arange(-2, 3) if scheme == "pulse pair" else np.arange(-4, 5)
    area, interfering = np.zeros(len(orders)), 0.0
    for p in pulses:
        for a in (0, 1):
            if middle is not None and p + a != middle:
                continue  # of an endless train: photons of detector 1 in one slot
            for q in pulses:
                for b in (0, 1):
                    order = (q + b) - (p + a)
                    if abs(order) > orders[-1]:
                        continue
                    weight = arm[a] * arm[b] * (g2_zero if p == q else 1.0)
                    area[order - orders[0]] += weight * to_first[a] * to_second[b]
                    if order == 0 and p != q:
                        # each of the two ordered pairs carries half of 2 R T c^2
                        interfering += weight * r * t * optics.contrast**2
    if extra == "unrelated":
        interfering *= 1.0 - g2_zero
    unit = 1 / 16 if scheme == "pulse pair" else 1 / 4
    return PeakAreas(orders, area / unit, interfering / unit)


@dataclass(frozen=True)
class Form:
    """V = factor x raw visibility, raw = 1 - A_par/A_orth of the central peak; words: which form, with its
    numbers; sigma: of the factor, from the errors of g2, R/T and contrast; parts: what "splitter", "contrast"
    and "g2" contribute, whose product is the factor."""

    factor: float
    sigma: float
    words: str
    parts: Mapping[str, float]


def correction(
    scheme: Scheme,
    interferometer: Interferometer | None = None,
    *,
    g2_zero: float = 0.0,
    extra: ExtraPhotons = "alike",
    g2_sigma: float = 0.0,
    reflect_sigma: float = 0.0,
    contrast_sigma: float = 0.0,
) -> Form:
    """The factor from the raw visibility to that of two photons of the emitter, by counting pairs.

    reflect_sigma: error of R with R + T kept. The errors pass at first order, as independent.

    >>> form = correction("pulse pair", Interferometer(contrast=0.98), g2_zero=0.03)
    >>> round(form.factor, 5), round(1.06 / 0.98**2, 5)
    (1.10371, 1.10371)
    """
    optics = Interferometer() if interferometer is None else interferometer

    def factor(g2: float, reflect: float, contrast: float) -> float:
        total = optics.reflect + optics.transmit
        one = Interferometer(reflect, total - reflect, optics.short_share, contrast)
        areas = peak_areas(scheme, one, g2_zero=g2, extra=extra)
        return areas.central(0.0) / areas.interfering

    value = factor(g2_zero, optics.reflect, optics.contrast)
    variance = 0.0
    if g2_sigma:
        step = 1e-6
        low = max(g2_zero - step, 0.0)
        ends = [factor(g2, optics.reflect, optics.contrast) for g2 in (low, low + step)]
        slope = (ends[1] - ends[0]) / step
        variance += (slope * g2_sigma) ** 2
    if reflect_sigma:
        # around an even splitter the slope is 0 and the curvature counts: the full step is taken
        ends = [factor(g2_zero, optics.reflect + side * reflect_sigma, optics.contrast) for side in (1, -1)]
        variance += max(abs(one - value) for one in ends) ** 2
    if contrast_sigma:
        variance += (2 * value / optics.contrast * contrast_sigma) ** 2
    splitter = factor(0.0, optics.reflect, 1.0)
    contrast = 1 / optics.contrast**2
    parts = {"splitter": splitter, "contrast": contrast, "g2": value / (splitter * contrast)}
    return Form(value, math.sqrt(variance), _words(scheme, optics, g2_zero, extra, value), parts)


def _words(scheme: Scheme, optics: Interferometer, g2_zero: float, extra: ExtraPhotons, value: float) -> str:
    michelson = math.isclose(optics.short_share, optics.transmit / (optics.reflect + optics.transmit))
    if scheme == "pulse pair" and michelson:
        how = "form H7, (R^2+T^2)/(2RT) (1 + 2 g2)/contrast^2"
    elif optics.short_share == 0.5:
        how = f"[(R^2+T^2)/(2RT) + {'2 g2' if scheme == 'pulse pair' else 'g2'}]/contrast^2"
    else:
        how = f"pairs counted, arms {optics.short_share:g} to {1 - optics.short_share:g}"
    kind = "interfere like the others"
    if extra == "unrelated":
        how, kind = f"{how}/(1 - g2)", "are unrelated light"
    return (
        f"V = raw x {value:.6g}: {how}; {scheme}, extra photons {kind}; R = {optics.reflect:g}, "
        f"T = {optics.transmit:g}, contrast = {optics.contrast:g}, g2 = {g2_zero:g}"
    )
