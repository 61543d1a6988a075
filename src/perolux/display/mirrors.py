"""Mirrors of thin films for displays: blue goes in, green and red do not come back out.

A short-pass filter of quarter waves, (L/2 H L/2)^N, turns back the band about its centre lambda_0 and lets
shorter light through. Its edges at normal incidence lie at lambda_0/(1 + D) and lambda_0/(1 - D),

    D = (2/pi) arcsin((n_H - n_L)/(n_H + n_L)),

and move to the blue with the angle: what leaves a converter at a slant passes. The exact reflectance of
N pairs of quarter waves H L before a substrate s is ((n_s n_H^2N - n_0 n_L^2N)/(n_s n_H^2N + n_0 n_L^2N))^2.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.display.fresnel import Reflectance
from perolux.display.optical_media import Index, index_at, medium
from perolux.display.thin_films import (
    FilmStack,
    Layer,
    Polarisation,
    quarter_wave_nm,
    stack_light,
    stack_reflectance,
)
from perolux.errors import OptionError

__all__ = [
    "MirrorFigures",
    "mirror_figures",
    "quarter_wave_reflectance",
    "short_pass_mirror",
    "stack_mirror",
    "stop_band_nm",
]

FloatArray = npt.NDArray[np.float64]
_SUBSTRATE_NM = 5e5
_KEPT_ANGLES = 32
_KEPT_WAVES = 4096


@dataclass(frozen=True)
class MirrorFigures:
    """What a mirror does to two spectra, as shares of their photons.

    blue_passed: at normal incidence. green_returned: at normal incidence; green_returned_diffuse: of light
    from a diffuse source (weight 2 mu), which is what leaves a converter through a smooth face, nearly.
    """

    blue_passed: float
    green_returned: float
    green_returned_diffuse: float


def short_pass_mirror(
    edge_nm: float,
    pairs: int,
    high: Index | None = None,
    low: Index | None = None,
    *,
    outside: Index = 1.0,
    substrate: Index | None = None,
) -> FilmStack:
    """A quarter-wave stack (L/2 H L/2)^N whose band of reflection begins at edge_nm, at normal incidence.

    pairs: N. high, low: films (TiO2 and SiO2 on record where None). outside: medium on both sides, so that
    light meets the same reflectance from either side. substrate: a thick plate behind the films, with its
    own back face. Absorption of the films lies beyond the law of one reflectance for both sides: keep it
    small. Raises `OptionError` for films of the wrong order or without pairs.

    >>> mirror = short_pass_mirror(485.0, 8)
    >>> found = stack_light(mirror, [450.0, 530.0], 1.0)
    >>> [round(float(r), 2) for r in found.reflected[:, 0]]
    [0.03, 1.0]
    """
    if pairs < 1:
        raise OptionError(f"a mirror of {pairs} pairs", where="pairs", allowed="1 and more")
    tall = medium("TiO2") if high is None else high
    flat = medium("SiO2") if low is None else low
    centre = float(edge_nm)
    for _ in range(40):  # the width of the band follows the indices at its own centre
        centre = float(edge_nm) * (1.0 + _half_width(tall, flat, centre))
    thick, thin = quarter_wave_nm(tall, centre), quarter_wave_nm(flat, centre)
    films = [Layer(flat, 0.5 * thin)]
    for pair in range(pairs):
        films += [Layer(tall, thick), Layer(flat, thin if pair < pairs - 1 else 0.5 * thin)]
    plate = [] if substrate is None else [Layer(substrate, _SUBSTRATE_NM, coherent=False)]
    return FilmStack((*films, *plate), outside, outside)


def stop_band_nm(centre_nm: float, high: Index, low: Index) -> tuple[float, float]:
    """Edges of the band that a long stack of quarter waves turns back, lambda_0/(1 + D), lambda_0/(1 - D).

    >>> [round(edge, 1) for edge in stop_band_nm(560.0, 2.4, 1.46)]
    [484.2, 664.0]
    """
    half = _half_width(high, low, centre_nm)
    return centre_nm / (1.0 + half), centre_nm / (1.0 - half)


def quarter_wave_reflectance(
    high: float, low: float, pairs: int, substrate: float, front: float = 1.0
) -> float:
    """R of N pairs H L of quarter waves before a substrate, at their wavelength and normal incidence.

    >>> round(quarter_wave_reflectance(2.4, 1.46, 0, 1.5), 6)
    0.04
    """
    tall, flat = substrate * high ** (2 * pairs), front * low ** (2 * pairs)
    return ((tall - flat) / (tall + flat)) ** 2


def stack_mirror(stack: FilmStack, polarisation: Polarisation = "unpolarised") -> Reflectance:
    """The stack as a mirror for `fresnel.Face`: reflectance of wavelength (nm) and cosine, which broadcast.

    The cosine is that in the front medium, which must be the medium of the gap (`Face.outside_index`). A face
    takes one reflectance for both sides: give a stack with one medium on both sides. The last answers are
    kept, since the faces of a film ask for the same waves and angles again and again.
    """

    kept: OrderedDict[bytes, tuple[FloatArray, FloatArray]] = OrderedDict()

    def reflected(waves: FloatArray, cosines: FloatArray) -> FloatArray:
        key = cosines.tobytes()
        known, table = kept.get(key, (np.empty(0), np.empty((0, len(cosines)))))
        missing = np.setdiff1d(waves, known, assume_unique=True)
        if missing.size:
            found = np.clip(stack_reflectance(stack, missing, cosines, polarisation), 0.0, 1.0)
            known, table = np.append(known, missing), np.vstack([table, found])  # 1 + 1e-16 may come of it
            order = np.argsort(known)
            known, table = known[order], table[order]
            if len(known) <= _KEPT_WAVES:
                kept[key] = known, table
        if key in kept:
            kept.move_to_end(key)
            if len(kept) > _KEPT_ANGLES:
                kept.popitem(last=False)
        return table[np.searchsorted(known, waves)]

    def mirror(wavelength_nm: FloatArray, outside_cosine: FloatArray) -> FloatArray:
        nm, mu = np.broadcast_arrays(wavelength_nm, outside_cosine)
        waves, at_wave = np.unique(np.asarray(wavelength_nm, dtype=float), return_inverse=True)
        cosines, at_cosine = np.unique(np.asarray(outside_cosine, dtype=float), return_inverse=True)
        found = reflected(waves, cosines)
        rows = np.broadcast_to(at_wave.reshape(np.shape(wavelength_nm)), nm.shape)
        columns = np.broadcast_to(at_cosine.reshape(np.shape(outside_cosine)), mu.shape)
        return np.asarray(found[rows, columns])

    return mirror


def mirror_figures(
    stack: FilmStack,
    wavelength_nm: npt.ArrayLike,
    blue: npt.ArrayLike,
    green: npt.ArrayLike,
    *,
    nodes: int = 48,
) -> MirrorFigures:
    """Blue let through and green turned back by a mirror; spectra in photons on one axis (m,) in nm."""
    nm = np.asarray(wavelength_nm, dtype=float)
    spectra = [np.asarray(one, dtype=float) for one in (blue, green)]
    if any(one.shape != nm.shape or np.any(one < 0) or not one.sum() > 0 for one in spectra):
        raise OptionError("spectra that cannot be used", allowed="photons (m,) of 0 and more, not all 0")
    shares = [one / one.sum() for one in spectra]
    u, w = np.polynomial.legendre.leggauss(nodes)
    mu = 0.5 * (u + 1.0)
    found = stack_light(stack, nm, np.append(mu, 1.0))
    diffuse = found.reflected[:, :-1] @ (mu * w)
    return MirrorFigures(
        float(shares[0] @ found.transmitted[:, -1]),
        float(shares[1] @ found.reflected[:, -1]),
        float(shares[1] @ diffuse),
    )


def _half_width(high: Index, low: Index, at_nm: float) -> float:
    tall, flat = (float(np.real(index_at(one, at_nm))) for one in (high, low))
    if not tall > flat:
        raise OptionError(
            f"films of index {tall:.3g} (high) and {flat:.3g} (low)", allowed="the high index above the low"
        )
    return 2.0 / np.pi * float(np.arcsin((tall - flat) / (tall + flat)))
