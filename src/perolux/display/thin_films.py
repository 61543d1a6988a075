"""Light in stacks of thin films: reflected, passed on and absorbed in each layer, all waves in one call.

Amplitudes of the field along the films are carried from the back to the front. With Y_j the admittance of
layer j (s: k_z, p: (n + ik)^2/k_z, in units of k_0), r = (Y_i - Y_j)/(Y_i + Y_j) and d_j = k_z thickness,

    G_i = (r + g_j)/(1 + r g_j),   g_j = G_j exp(2 i d_j)                G = 0 at the last medium
    R = |G_0|^2,   net flux into layer j = |v_j|^2 Re[(1 + g_j) conj(Y_j (1 - g_j))]/Y_0

v_j is the wave that goes on, carried from the front. Only decaying exponentials appear, so that layers as
opaque as one likes do no harm. Thick layers (`coherent=False`) carry intensities, and what lies between two
of them is a coherent stack: R and T of both sides are added round trip by round trip in closed form. The
front medium is transparent. Time factor exp(-i w t), k >= 0 absorbs. Light that is emitted inside a layer is
out of scope: it needs a model of dipoles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from perolux.display.optical_media import Index, index_at
from perolux.errors import OptionError

__all__ = [
    "FilmStack",
    "Layer",
    "Polarisation",
    "StackLight",
    "quarter_wave_nm",
    "stack_light",
    "stack_reflectance",
]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
Polarisation = Literal["s", "p", "unpolarised"]
_STILL = 1e-14
"""Least normal wave number over k_0: where a wave runs exactly along a film the limit is taken."""


@dataclass(frozen=True)
class Layer:
    """A layer: index (n + ik or a `Medium`), thickness, and whether its waves keep their phase."""

    index: Index
    thickness_nm: float
    coherent: bool = True

    def __post_init__(self) -> None:
        if not 0.0 <= self.thickness_nm < np.inf:
            raise OptionError(f"a layer {self.thickness_nm:g} nm thick", allowed="0 nm and more")


@dataclass(frozen=True)
class FilmStack:
    """Layers from front to back between two half spaces. Light comes from the front, a clear medium."""

    layers: tuple[Layer, ...]
    front: Index = 1.0
    back: Index = 1.0

    def reversed(self) -> FilmStack:
        """The same stack, seen from behind."""
        return FilmStack(self.layers[::-1], self.back, self.front)


@dataclass(frozen=True)
class StackLight:
    """Of the light that comes: reflected R, passed on T (m, a), absorbed (layers, m, a).

    m wavelengths, a cosines in the front medium. R + T + absorbed = 1, but for thick absorbing layers inside
    which forward and backward waves interfere: there the sum of intensities leaves out a term of order k/n.
    """

    wavelength_nm: FloatArray = field(repr=False)
    cosine: FloatArray = field(repr=False)
    reflected: FloatArray
    transmitted: FloatArray
    absorbed: FloatArray


def quarter_wave_nm(index: Index, wavelength_nm: float) -> float:
    """Thickness lambda/(4 n) of a layer at normal incidence.

    >>> round(quarter_wave_nm(1.5, 600.0), 6)
    100.0
    """
    return wavelength_nm / (4.0 * float(np.real(index_at(index, wavelength_nm))))


def stack_light(
    stack: FilmStack,
    wavelength_nm: npt.ArrayLike,
    cosine: npt.ArrayLike = 1.0,
    polarisation: Polarisation = "unpolarised",
) -> StackLight:
    """R, T and absorption of a stack at wavelengths (m,) and cosines (a,) in the front medium, 0 to 1.

    Unpolarised light is the mean of s and p. A cosine of 0 is reflected. Raises `OptionError` where the
    front medium absorbs or an argument cannot be used, `ModelRangeError` outside the records of the media.

    >>> found = stack_light(FilmStack((), 1.0, 1.5), [500.0], [1.0])
    >>> round(float(found.reflected[0, 0]), 12)
    0.04
    """
    waves = _waves(stack, wavelength_nm, cosine, polarisation)
    coherent = [one.coherent for one in stack.layers]
    found = [_thick(admittance, waves.phase, coherent) for admittance in waves.admittances]
    reflected, transmitted, absorbed = (sum(parts) / len(found) for parts in zip(*found, strict=True))
    grazing = waves.mu == 0.0
    reflected[:, grazing], transmitted[:, grazing], absorbed[:, :, grazing] = 1.0, 0.0, 0.0
    return StackLight(waves.nm, waves.mu, reflected, transmitted, absorbed)


def stack_reflectance(
    stack: FilmStack,
    wavelength_nm: npt.ArrayLike,
    cosine: npt.ArrayLike = 1.0,
    polarisation: Polarisation = "unpolarised",
) -> FloatArray:
    """R (m, a) of `stack_light` alone, in a third of the time where all layers are coherent."""
    if not all(one.coherent for one in stack.layers):
        return stack_light(stack, wavelength_nm, cosine, polarisation).reflected
    waves = _waves(stack, wavelength_nm, cosine, polarisation)
    found = [np.abs(_facing(y, waves.phase)[0]) ** 2 for y in waves.admittances]
    reflected = np.asarray(sum(found) / len(found))
    reflected[:, waves.mu == 0.0] = 1.0
    return reflected


@dataclass(frozen=True)
class _Waves:
    """Wavelengths (m,), cosines (a,); for each layer exp(i d), (m, a), and for each medium the admittance,
    (m, a), of s, p or both. What repeats is one array.
    """

    nm: FloatArray
    mu: FloatArray
    phase: list[ComplexArray]
    admittances: list[list[ComplexArray]]


def _waves(
    stack: FilmStack, wavelength_nm: npt.ArrayLike, cosine: npt.ArrayLike, polarisation: Polarisation
) -> _Waves:
    nm = np.atleast_1d(np.asarray(wavelength_nm, dtype=float))
    mu = np.atleast_1d(np.asarray(cosine, dtype=float))
    if nm.ndim != 1 or mu.ndim != 1 or not (np.all(nm > 0) and np.all(np.isfinite(nm))):
        raise OptionError("wavelengths or cosines that cannot be used", allowed="arrays (m,) nm, and (a,)")
    if not np.all((mu >= 0.0) & (mu <= 1.0)):
        raise OptionError("a cosine outside 0 to 1", where="stack_light", allowed="0 (grazing) to 1 (normal)")
    if polarisation not in get_args(Polarisation):
        raise OptionError(f"polarisation {polarisation!r}", allowed=", ".join(get_args(Polarisation)))
    index = np.array(
        [index_at(one, nm) for one in (stack.front, *(x.index for x in stack.layers), stack.back)]
    )
    if np.any(index[0].imag != 0.0):
        raise OptionError("light comes from a medium that absorbs", allowed="a transparent front medium")
    if np.any(index.imag < 0.0) or np.any(index.real <= 0.0):
        raise OptionError("an index with n of 0 or k below 0", allowed="n > 0, k >= 0 (k >= 0 absorbs)")
    # layers of a mirror repeat: each medium, layer and interface is worked out once
    media, medium = np.unique(index, axis=0, return_inverse=True)
    medium = medium.reshape(-1)
    normal = _normal_wave(media, index[0].real, np.maximum(mu, 1e-12))
    turn = 2.0 * np.pi / nm[:, None]
    phases: dict[tuple[int, float], ComplexArray] = {}
    for at, layer in zip(medium[1:-1], stack.layers, strict=True):
        key = (int(at), layer.thickness_nm)
        if key not in phases:
            phases[key] = np.exp(1j * turn * normal[at] * layer.thickness_nm)
    phase = [phases[int(at), x.thickness_nm] for at, x in zip(medium[1:-1], stack.layers, strict=True)]
    kinds = ("s", "p") if polarisation == "unpolarised" else (polarisation,)
    of_media = [list(normal if kind == "s" else media[:, :, None] ** 2 / normal) for kind in kinds]
    return _Waves(nm, mu, phase, [[of[at] for at in medium] for of in of_media])


def _normal_wave(index: ComplexArray, front: FloatArray, cosine: FloatArray) -> ComplexArray:
    """k_z/k_0 of every medium (L, m, a) with Im >= 0: waves that decay, or carry power, away."""
    along = (front[:, None] ** 2) * (1.0 - cosine**2)
    wave = np.sqrt(index[:, :, None] ** 2 - along + 0j)
    wave = np.where(wave.imag < 0.0, -wave, wave)
    return np.asarray(np.where(np.abs(wave) < _STILL, _STILL, wave))


def _facing(
    admittance: Sequence[ComplexArray], phase: Sequence[ComplexArray]
) -> tuple[ComplexArray, list[ComplexArray], list[ComplexArray]]:
    """G of the first medium, r of each interface, and g of the layer behind each; arrays (m, a).

    admittance: of each medium; phase: exp(i d) of each layer between the first and the last.
    """
    known: dict[tuple[int, int], ComplexArray] = {}
    for one, after in pairwise(admittance):
        if (id(one), id(after)) not in known:
            known[id(one), id(after)] = (one - after) / (one + after)
    r = [known[id(one), id(after)] for one, after in pairwise(admittance)]
    back = [np.zeros_like(r[-1])]
    seen = r[-1]
    for here, turn in zip(r[-2::-1], phase[::-1], strict=True):
        back.append(seen * turn**2)
        seen = (here + back[-1]) / (1.0 + here * back[-1])
    return seen, r, back[::-1]


def _coherent(
    admittance: Sequence[ComplexArray], phase: Sequence[ComplexArray]
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Reflected, passed on, entering and absorbed (layers, m, a) of coherent layers; as `_facing`.

    The first medium may absorb where it is a thick layer; what enters the stack is then not 1 - R.
    """
    last = len(admittance) - 1
    seen, r, back = _facing(admittance, phase)
    reflected = np.abs(seen) ** 2
    # a thick layer in which the wave only decays sends nothing on
    unit = np.where(admittance[0].real > _STILL * np.abs(admittance[0]), admittance[0].real, np.inf)
    entering = ((1.0 + seen) * np.conj(admittance[0] * (1.0 - seen))).real / unit
    flux = np.empty((last, *reflected.shape))
    going = np.ones_like(seen)
    for j in range(1, last + 1):
        going = going * (1.0 + r[j - 1]) / (1.0 + r[j - 1] * back[j - 1])
        g = back[j - 1]
        flux[j - 1] = np.abs(going) ** 2 * ((1.0 + g) * np.conj(admittance[j] * (1.0 - g))).real / unit
        if j < last:
            going = going * phase[j - 1]
    return reflected, flux[-1], entering, flux[:-1] - flux[1:]


def _thick(
    admittance: Sequence[ComplexArray], phase: Sequence[ComplexArray], coherent: Sequence[bool]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Reflected, passed on, absorbed of a stack that thick layers cut into coherent pieces."""
    cuts = [0, *(j + 1 for j, one in enumerate(coherent) if not one), len(admittance) - 1]
    pieces = []
    for low, high in pairwise(cuts):
        inside = phase[low : high - 1]
        ahead = _coherent(admittance[low : high + 1], inside)
        pieces.append(
            (ahead, ahead if len(cuts) == 2 else _coherent(admittance[low : high + 1][::-1], inside[::-1]))
        )
    if len(pieces) == 1:
        reflected, passed, _, absorbed = pieces[0][0]
        return reflected, passed, absorbed
    passes = [np.abs(phase[cut - 1]) ** 2 for cut in cuts[1:-1]]

    # what a piece and everything behind it reflect, from the back to the front
    behind = [pieces[-1][0][0]]
    for (ahead, from_behind), once in zip(pieces[-2::-1], passes[::-1], strict=True):
        seen = behind[0] * once**2
        rounds = _share(from_behind[1] * seen, 1.0 - from_behind[0] * seen)
        behind.insert(0, ahead[0] + ahead[1] * rounds)

    absorbed = np.zeros((len(phase), *behind[0].shape))
    comes = np.ones_like(behind[0])  # light that goes on towards a piece
    entered = np.ones_like(behind[0])  # net flux at the front of the thick layer before a piece
    for piece, (ahead, from_behind) in enumerate(pieces):
        low, high = cuts[piece], cuts[piece + 1]
        if piece < len(pieces) - 1:
            once = passes[piece]
            seen = behind[piece + 1] * once**2
            goes_on = _share(comes * ahead[1], 1.0 - from_behind[0] * seen)
            returns = goes_on * seen
        else:
            once = np.ones_like(comes)
            goes_on, returns = comes * ahead[1], np.zeros_like(comes)
        absorbed[low : high - 1] = comes * ahead[3] + returns * from_behind[3][::-1]
        if piece:
            absorbed[low - 1] = entered - (comes * ahead[2] - returns * from_behind[1])
        entered = comes * ahead[1] - returns * from_behind[2]
        comes = goes_on * once
    return behind[0], comes, absorbed


def _share(part: FloatArray, below: FloatArray) -> FloatArray:
    """part/below, 0 where light is held from both sides: then none came in either."""
    return np.divide(part, below, out=np.zeros_like(part), where=below > 0.0)
