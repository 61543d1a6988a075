"""An elongated assembly as a one-dimensional sample: its axis, tau_R, Fresnel number, and its burst.

    1/tau_R = N mu Gamma = (N/(N - 1)) (<k|Gamma|k> - Gamma),   <j|k> = exp(i n k0 z_j)/sqrt(N)

from the decay matrix of the places themselves, no formula of a wide sample: it holds for samples thinner than
the wavelength too. Their burst is then one-dimensional in its light, not in its near field.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from perolux.collective.couplings import Emitters, FloatArray, pair_couplings
from perolux.collective.maxwell_bloch import Shots, maxwell_bloch
from perolux.collective.rows import Emission
from perolux.errors import ModelRangeError, OptionError

__all__ = ["Axis", "axis_of", "maxwell_bloch_emission"]

_LEAST_ASPECT, _LEAST_WAVELENGTHS = 3.0, 1.0
_LEAST_EMITTERS = 200
_SAMPLED = 400
_CLASSES = 8


@dataclass(frozen=True)
class Axis:
    """direction (3,); length_nm along it and area_nm2 across, of a rod with the same variance of
    places. collective_rate: 1/tau_R over Gamma. fresnel: area n/(lambda length)."""

    direction: FloatArray
    length_nm: float
    area_nm2: float
    collective_rate: float
    fresnel: float
    wavelengths: float


def axis_of(emitters: Emitters) -> Axis:
    """The long axis of an assembly. Raises `ModelRangeError` where it is less than three times as long as
    wide or than a wavelength, or has fewer than 200 emitters."""
    n = len(emitters)
    r = emitters.positions_nm - emitters.positions_nm.mean(axis=0)
    spread, axes = np.linalg.eigh(r.T @ r / n)
    pitch = float(np.median(cKDTree(r).query(r, k=2)[0][:, 1]))
    # n places at a pitch p have the variance p^2 (n^2 - 1)/12: their rod is n p long
    edges = np.sqrt(12.0 * np.maximum(spread, 0.0) + pitch**2)
    length, width = float(edges[2]), float(edges[1])
    wavelengths = length * emitters.index / emitters.wavelength_nm
    if n < _LEAST_EMITTERS or length < _LEAST_ASPECT * width or wavelengths < _LEAST_WAVELENGTHS:
        raise ModelRangeError(
            f"{n} emitters, {length:.0f} nm long, {width:.0f} nm wide, {wavelengths:.2g} wavelengths: "
            "no sample of one dimension",
            allowed=f"{_LEAST_EMITTERS} emitters, {_LEAST_ASPECT:g} times as long as wide, "
            f"{_LEAST_WAVELENGTHS:g} wavelength long",
            fix="wigner for compact assemblies",
        )  # fmt: skip
    if pitch * wavelengths > length:
        raise ModelRangeError(
            f"neighbours {pitch:.4g} nm apart, a wavelength of {length / wavelengths:.4g} nm in the medium: "
            "no medium for light along the axis",
            allowed="neighbours nearer than a wavelength",
            fix="check the units of positions and wavelength",
        )
    area = float(edges[0] * edges[1])
    rate = phased_rate(emitters, axes[:, 2])
    return Axis(
        axes[:, 2], length, area, n / (n - 1.0) * (rate - 1.0),
        area * emitters.index / (emitters.wavelength_nm * length), wavelengths,
    )  # fmt: skip


def phased_rate(emitters: Emitters, direction: FloatArray) -> float:
    """Decay rate over Gamma of one excitation with the phase of a plane wave along `direction`, from pairs.

    Above 400 emitters the sum over partners is taken for 400 of them, evenly through the list.
    """
    n = len(emitters)
    some = np.unique(np.linspace(0, n - 1, min(n, _SAMPLED)).astype(int))
    z = emitters.wavenumber_per_nm * (emitters.positions_nm @ direction)
    total = 0.0
    for i in some:
        along = emitters.positions_nm - emitters.positions_nm[i]
        distance = np.linalg.norm(along, axis=1)
        away = distance > 1e-9
        unit = along[away] / distance[away, None]
        d = emitters.dipoles
        a = d[away] @ d[i]
        b = (unit @ d[i]) * np.sum(unit * d[away], axis=1)
        gamma, _ = pair_couplings(emitters.wavenumber_per_nm * distance[away], a, b)
        total += 1.0 + float(np.sum(gamma * np.cos(z[away] - z[i])))
    return total / len(some)


def maxwell_bloch_emission(
    emitters: Emitters,
    times: FloatArray,
    *,
    shots: int = 100,
    rng: np.random.Generator,
    dephasing: float = 0.0,
    loss: float = 0.0,
    two_way: bool = True,
) -> Emission:
    """Mean photon rate and population of a fully excited elongated assembly, with the spread of shots.

    times in 1/Gamma, rising from 0. Light to the sides leaves at the rate Gamma (1 - 2 mu) of every excited
    emitter. The standard error is that of the mean; single shots, their delays and their ringing are in the
    notes.
    """
    if dephasing < 0.0 or loss < 0.0:
        raise OptionError("a rate below 0", allowed="dephasing and loss of 0 and more, in Gamma")
    axis = axis_of(emitters)
    if axis.collective_rate <= 1.0:
        raise ModelRangeError(
            f"light along the axis is shared by {axis.collective_rate:.2g} Gamma: no gain to speak of",
            allowed="dipoles across the axis, enough emitters",
        )
    rate, n = axis.collective_rate, len(emitters)
    ways = 2 if two_way else 1
    # spontaneous light along the axis comes from the noise: the sides have the rest
    sides = max(1.0 - ways * rate / n, 0.0)
    classes = _CLASSES if np.any(emitters.detuning) and n >= 5000 else 1
    found = maxwell_bloch(
        n, max(float(times[-1]) * rate, 1e-9), rng=rng, shots=shots, classes=classes, two_way=two_way,
        dephasing=dephasing / rate, decay=(sides + loss) / rate, detuning=emitters.detuning / rate,
    )  # fmt: skip
    grid = found.times / rate
    excited = 0.5 * n * (1.0 + found.inversion)
    light = rate * found.rate + sides * excited
    mean, up = light.mean(axis=0), excited.mean(axis=0)
    sigma = light.std(axis=0, ddof=1) / np.sqrt(shots) if shots > 1 else np.zeros_like(mean)
    leaves = mean + loss * up
    emitted = np.concatenate([[0.0], np.cumsum(0.5 * np.diff(grid) * (leaves[1:] + leaves[:-1]))])
    imbalance = float(np.max(np.abs(emitted - (up[0] - up)))) / n
    return Emission(
        "maxwell-bloch",
        f"one dimension, {shots} shots: light along the long axis alone, slowly varying, no near-field "
        f"shifts, no diffraction; sample {axis.length_nm:.0f} nm = {axis.wavelengths:.2g} wavelengths long, "
        f"Fresnel number {axis.fresnel:.2g} (the model is for about 1; far below it light diffracts out and "
        f"rings less), 1/tau_R = {rate:.3g} Gamma",
        times, np.interp(times, grid, mean), np.interp(times, grid, up), np.interp(times, grid, sigma), None,
        imbalance, notes=_told(found, rate),
    )  # fmt: skip


def _told(found: Shots, rate: float) -> tuple[str, ...]:
    """Delays and heights of single shots, and how many of them ring."""
    from perolux.collective.lines import ringing

    delays, heights = found.delays / rate, rate * found.rate.max(axis=1)
    ends = found.rate.mean(axis=0)
    error = found.rate.std(axis=0) / np.sqrt(len(found.rate))
    second = ringing(found.times, ends, error)["second"]
    burst = float(ends.max() / max(ends[0], 1e-300))
    return (
        f"single shots: delay {np.mean(delays):.3g} +- {np.std(delays):.2g} /Gamma, height "
        f"{np.mean(heights):.3g} +- {np.std(heights):.2g} Gamma (spread of shots)",
        f"light along the axis: {burst:.3g} times that of the start at its peak; ringing of the mean pulse: "
        + (
            "none beyond three standard errors"
            if second is None
            else f"a second maximum of {second:.2g} of it"
        ),
    )
