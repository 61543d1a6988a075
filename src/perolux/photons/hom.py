"""Two-photon interference of two single photons from one emitter (Hong, Ou and Mandel).

    p_par(tau) ~ exp(-G|tau|) [1 - exp(-2 g|tau| - s^2 tau^2/2) cos(d tau)],   p_orth: without the bracket
    V = 1 - A_par/A_orth,   A = integral over |tau| < gate

G = 1/T1 is the decay rate, g = 1/T2 - 1/(2 T1) the pure dephasing rate, d the fixed and s the Gaussian
standard deviation of the difference of the two angular frequencies (of the difference, not of one line: for
two independent photons s is sqrt 2 times the line's). With K = G + 2 g = 2/T2 and z = (K - i d)/(sqrt2 s):

    V = G/(1 - exp(-G T)) sqrt(pi/2)/s Re{erfcx(z) - exp(-(K - i d) T - s^2 T^2/2) erfcx(z + s T/sqrt2)}

whose limits are T2/(2 T1) (s = d = 0, no gate), G K/(K^2 + d^2) and sqrt(pi/2) (G/s) erfcx(K/(sqrt2 s)). It
is for an emitter that is excited at once, decays with one rate and dephases without memory (Bylander,
Robert-Philip and Abram, Eur. Phys. J. D 22, 295 (2003): recalled). Times in ps, angular frequencies in
rad/ps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError, Problem

__all__ = [
    "Coherence",
    "coherence_of_visibility",
    "diffusion_spread",
    "enhancement_for",
    "fine_structure_visibility",
    "purcell_visibility",
    "sideband_factor",
    "visibility",
]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Coherence:
    """What a visibility without spread or gate says of the emitter.

    t2_ps = 2 T1 V; pure_dephasing_time_ps = 1/(1/T2 - 1/(2 T1)), None where V = 1 leaves no dephasing.
    """

    t1_ps: float
    visibility: float
    t2_ps: float
    pure_dephasing_time_ps: float | None


def visibility(
    t1_ps: npt.ArrayLike,
    t2_ps: npt.ArrayLike,
    *,
    detuning_rad_per_ps: npt.ArrayLike = 0.0,
    detuning_spread_rad_per_ps: npt.ArrayLike = 0.0,
    gate_ps: npt.ArrayLike | None = None,
) -> FloatArray:
    """Visibility of two-photon interference; arguments broadcast, the result has their shape.

    gate_ps: only coincidences closer than this count (both signs of tau); None: all. Raises `OptionError`
    where a time is not positive, T2 exceeds 2 T1 or a spread is negative: all such problems at once. Source:
    see the file.

    >>> round(float(visibility(100.0, 112.0)), 10), round(float(visibility(100.0, 112.0, gate_ps=10.0)), 8)
    (0.56, 0.96235291)
    """
    from scipy.special import wofz

    t1, t2, d, s = (
        np.asarray(x, dtype=float)
        for x in (t1_ps, t2_ps, detuning_rad_per_ps, detuning_spread_rad_per_ps)
    )  # fmt: skip
    gate = np.asarray(np.inf if gate_ps is None else gate_ps, dtype=float)
    _check(t1, t2, d, s, gate)
    t1, t2, d, s, gate = np.broadcast_arrays(t1, t2, d, s, gate)
    decay, width = 1 / t1, 2 / t2 - 1j * d
    # A spread far below the rates is none: beyond |z| = 1e6 erfcx(z) is 1/(z sqrt pi) to 1e-12.
    narrow = s < 1e-6 * np.abs(width)
    safe = np.where(narrow, 1.0, s)
    last = np.where(np.isinf(gate), 0.0, gate)
    left = np.where(
        np.isinf(gate), 0.0, np.exp(-width * last - np.where(narrow, 0.0, (safe * last) ** 2 / 2))
    )

    def erfcx(z: Any) -> Any:
        return wofz(1j * z)

    z = np.where(narrow, 1.0, width / (math.sqrt(2) * safe))
    spread = math.sqrt(math.pi / 2) / safe * (erfcx(z) - left * erfcx(z + safe * last / math.sqrt(2)))
    overlap = np.where(narrow, (1 - left) / width, spread)
    # For a short gate both differences cancel; the ratio is 1 - O(K T).
    share = np.where(np.isinf(gate), 1.0, -np.expm1(-decay * last))
    found = np.real(overlap) * decay / share
    short = decay * last + np.abs(width) * last + safe * last * ~narrow
    series = 1 - (np.real(width) - decay) * last / 2
    return np.where(~np.isinf(gate) & (short < 1e-7), series, found)


def coherence_of_visibility(t1_ps: float, visibility: float) -> Coherence:
    """T2 and pure dephasing time behind a corrected visibility, without spread or gate: T2 = 2 T1 V.

    >>> found = coherence_of_visibility(100.0, 0.56)
    >>> round(found.t2_ps, 6), round(found.pure_dephasing_time_ps, 3)
    (112.0, 254.545)
    """
    problems = []
    if not (math.isfinite(t1_ps) and t1_ps > 0):
        problems.append(Problem(f"a lifetime of {t1_ps:g} ps", where="t1_ps", allowed="a positive number"))
    if not 0 < visibility <= 1:
        problems.append(
            Problem(
                f"a visibility of {visibility:g}",
                where="visibility",
                allowed="above 0, at most 1",
                fix="give a share, 0.56, not per cent" if 1 < visibility <= 100 else None,
            )
        )
    if problems:
        raise OptionError(problems)
    left = (1 - visibility) / (2 * t1_ps * visibility)
    return Coherence(t1_ps, visibility, 2 * t1_ps * visibility, 1 / left if left > 0 else None)


def purcell_visibility(t1_ps: float, t2_ps: float, enhancement: npt.ArrayLike) -> FloatArray:
    """V = F G/(F G + 2 g): the decay rate grows F times, the pure dephasing stays (F > 0)."""
    factor = np.asarray(enhancement, dtype=float)
    if not np.all(np.isfinite(factor) & (factor > 0)):
        raise OptionError("an enhancement that is not positive", where="enhancement", allowed="above 0")
    _check(np.asarray(t1_ps, float), np.asarray(t2_ps, float), *(np.asarray(0.0),) * 2, np.asarray(np.inf))
    pure = 2 / t2_ps - 1 / t1_ps
    return factor / t1_ps / (factor / t1_ps + pure)


def enhancement_for(t1_ps: float, t2_ps: float, wanted: float) -> float:
    """The rate enhancement F at which `purcell_visibility` reaches the wanted visibility: 2 g T1 V/(1 - V).

    Below 1 means that less than the present rate would do. Raises `ModelRangeError` for V = 1 with dephasing.
    """
    _check(np.asarray(t1_ps, float), np.asarray(t2_ps, float), *(np.asarray(0.0),) * 2, np.asarray(np.inf))
    pure = (2 / t2_ps - 1 / t1_ps) * t1_ps
    if not 0 < wanted < 1:
        raise ModelRangeError(
            f"a visibility of {wanted:g} is not reached by any rate", allowed="between 0 and 1"
        )
    return pure * wanted / (1 - wanted)


def diffusion_spread(line_sd_rad_per_ps: float, delay: npt.ArrayLike, correlation_time: float) -> FloatArray:
    """Spread of the difference of two photons `delay` apart under stationary Ornstein-Uhlenbeck diffusion of
    the line.

    s = s1 sqrt(2 (1 - exp(-dt/tc))): 0 at once, sqrt 2 s1 for ever. delay and correlation_time in one unit.
    """
    if line_sd_rad_per_ps < 0 or correlation_time <= 0 or np.any(np.asarray(delay) < 0):
        raise OptionError(
            "a negative spread or delay, or a correlation time of 0", allowed="s1, dt >= 0, tc > 0"
        )
    return line_sd_rad_per_ps * np.sqrt(-2 * np.expm1(-np.asarray(delay, dtype=float) / correlation_time))


def sideband_factor(zero_phonon_share: float, sideband_passed: float = 1.0) -> float:
    """What phonon sidebands leave of the visibility: [B2/(B2 + F (1 - B2))]^2.

    B2: share of the zero-phonon line (squared Franck-Condon factor); F: share of the sideband that the
    filter passes, 1 without a filter (then B2^2 = B^4). Recalled (Iles-Smith et al., Nature Photonics 11,
    521 (2017)); for a filter much wider than the zero-phonon line.
    """
    if not (0 < zero_phonon_share <= 1 and 0 <= sideband_passed <= 1):
        raise OptionError(
            "a share outside its range", allowed="zero-phonon share above 0 to 1, passed 0 to 1"
        )
    kept = zero_phonon_share
    return (kept / (kept + sideband_passed * (1 - kept))) ** 2


def fine_structure_visibility(
    t1_ps: float,
    t2_ps: float,
    line_rad_per_ps: Sequence[float],
    weights: Sequence[float],
    *,
    coherent: bool,
) -> float:
    """Visibility where several lines pass one polariser, all with one lifetime and one dephasing rate.

    line_rad_per_ps: angular frequencies of the lines, from any zero; weights: their shares of the light
    (normalised here). coherent: lines start in phase (resonant excitation) and beat, I(t) = |sum_j sqrt(p_j)
    exp(-i w_j t - G t/2)|^2, V = int int I I' exp(-2 g|t - t'|) / (int I)^2; otherwise each photon is on one
    line by chance, and V = sum_jk p_j p_k G K/(K^2 + (w_j - w_k)^2). Both in closed form.
    """
    w, p = np.asarray(line_rad_per_ps, dtype=float), np.asarray(weights, dtype=float)
    if w.shape != p.shape or w.ndim != 1 or not w.size or np.any(p < 0) or not p.sum() > 0:
        raise OptionError("lines and weights do not fit", allowed="as many weights as lines, none negative")
    p = p / p.sum()
    if not coherent:
        pairs = visibility(t1_ps, t2_ps, detuning_rad_per_ps=w[:, None] - w[None, :])
        return float(p @ pairs @ p)
    _check(np.asarray(t1_ps, float), np.asarray(t2_ps, float), *(np.asarray(0.0),) * 2, np.asarray(np.inf))
    decay, width = 1 / t1_ps, 2 / t2_ps
    beats = (w[:, None] - w[None, :]).ravel()
    share = np.sqrt(p[:, None] * p[None, :]).ravel()
    both = 1 / (width - 1j * beats[None, :]) / (2 * decay - 1j * (beats[:, None] + beats[None, :]))
    total = np.real(share @ (1 / (decay - 1j * beats)))
    return float(2 * np.real(share @ both @ share) / total**2)


def _check(t1: FloatArray, t2: FloatArray, d: FloatArray, s: FloatArray, gate: FloatArray) -> None:
    problems = []
    for name, values in (("t1_ps", t1), ("t2_ps", t2)):
        if not np.all(np.isfinite(values) & (values > 0)):
            problems.append(
                Problem("a time that is not positive", where=name, allowed="a finite number above 0")
            )
    if not problems and np.any(t2 > 2 * t1 * (1 + 1e-12)):
        problems.append(
            Problem(
                "a coherence time longer than twice the lifetime",
                where="t2_ps",
                allowed=f"at most 2 T1 = {2 * float(np.min(t1)):g} ps",
                fix="check the two: 1/T2 = 1/(2 T1) + pure dephasing",
            )
        )
    if not np.all(np.isfinite(d)):
        problems.append(Problem("a detuning that is no number", where="detuning"))
    if not np.all(np.isfinite(s) & (s >= 0)):
        problems.append(Problem("a negative spread", where="detuning_spread", allowed="0 or more, rad/ps"))
    if not np.all(gate > 0):
        problems.append(Problem("a gate that is not positive", where="gate", allowed="above 0 ps"))
    if problems:
        raise OptionError(problems)
