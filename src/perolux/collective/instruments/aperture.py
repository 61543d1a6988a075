"""How much of the light of an assembly a lens takes, with or without a flat substrate below it.

The field that the emitters send into a direction is, by reciprocity, that which a plane wave from there makes
at each of them:

    dP/dOmega = 3/(8 pi) (n_m/n) sum_pol sum_ij conj(a_i) <s+_i s-_j> a_j,   a_i = d_i . E_pol(r_i)

over Gamma; n: medium of the emitters, n_m: that of the direction. E is the plane wave and its reflection
above the substrate, the transmitted wave (evanescent beyond the critical angle) below it. Exact for a flat
surface without absorption (checked against the integral of Sommerfeld); what the surface does to the
couplings of the emitters is left out, so only shares of the light are told. Fresnel's formulas and
reciprocity: standard.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from perolux.collective.couplings import ComplexArray, Emitters, FloatArray, couplings
from perolux.errors import OptionError

__all__ = ["Collected", "Lens", "collected", "collected_fraction"]

_THETA, _PHI = 48, 32


@dataclass(frozen=True)
class Lens:
    """A lens of numerical aperture `aperture` along `axis` (x, y, z). substrate_index: of a half-space below
    the assembly (against the axis), gap_nm under the centre of its lowest emitter; None: no surface. below:
    the
    lens looks through the substrate."""

    aperture: float
    axis: str = "z"
    substrate_index: float | None = None
    gap_nm: float = 6.0
    below: bool = False

    def __post_init__(self) -> None:
        if self.axis not in ("x", "y", "z"):
            raise OptionError(f"an axis {self.axis!r}", where="axis", allowed="x, y, z")
        if not self.aperture > 0.0 or not self.gap_nm >= 0.0:
            raise OptionError(
                f"an aperture of {self.aperture:g}, a gap of {self.gap_nm:g} nm",
                allowed="above 0; 0 and more",
            )
        if self.substrate_index is not None and not 1.0 <= self.substrate_index < 10.0:
            raise OptionError(f"a substrate of index {self.substrate_index:g}", allowed="1 to 10")


@dataclass(frozen=True)
class Collected:
    """Shares of the light that a lens takes: of emitters one by one, and of the brightest collective mode;
    the light of a burst lies between."""

    independent: float
    brightest_mode: float


def collected(emitters: Emitters, lens: Lens) -> Collected:
    """Both shares for an assembly.

    >>> import numpy as np
    >>> one = Emitters(np.zeros((1, 3)), np.array([[0.0, 0.0, 1.0]]), 1.0, 530.0)
    >>> round(collected(one, Lens(1.0)).independent, 9)
    0.5
    """
    n = len(emitters)
    _, vectors = np.linalg.eigh(couplings(emitters, screening=0.0).decay)
    mode = vectors[:, -1]
    return Collected(
        collected_fraction(emitters, np.eye(n, dtype=complex), lens),
        collected_fraction(emitters, np.outer(mode, mode).astype(complex), lens),
    )


def collected_fraction(emitters: Emitters, correlations: ComplexArray, lens: Lens) -> float:
    """Share of all light that enters the lens, for <s+_i s-_j> (N, N).

    Raises `OptionError` for an aperture above the index on the side of the lens.
    """
    n, other = emitters.index, lens.substrate_index or emitters.index
    own = other if lens.below else n
    if lens.aperture > own + 1e-12:
        raise OptionError(
            f"an aperture of {lens.aperture:g} in an index of {own:g}",
            where="aperture",
            allowed=f"up to {own:g}",
        )
    edge = math.sqrt(max(1.0 - (lens.aperture / own) ** 2, 0.0))
    above = _power(emitters, correlations, lens, False, (0.0, 1.0))
    below = _power(emitters, correlations, lens, True, (0.0, 1.0))
    return _power(emitters, correlations, lens, lens.below, (edge, 1.0)) / (above + below)


def power_over_free(emitters: Emitters, correlations: ComplexArray, lens: Lens) -> float:
    """All light above and below over what the same dipoles send without a surface (for checks)."""
    whole = _power(emitters, correlations, lens, False, (0.0, 1.0))
    return whole + _power(emitters, correlations, lens, True, (0.0, 1.0))


def _power(
    emitters: Emitters, correlations: ComplexArray, lens: Lens, below: bool, cosines: tuple[float, float]
) -> float:
    """Light over Gamma between two cosines of the angle to the normal, above or below."""
    n, other = emitters.index, lens.substrate_index or emitters.index
    ends = [cosines[0], cosines[1]]
    own, far = (other, n) if below else (n, other)
    if own > far:
        critical = math.sqrt(1.0 - (far / own) ** 2)
        if cosines[0] < critical < cosines[1]:
            ends.insert(1, critical)
    nodes, weights = np.polynomial.legendre.leggauss(_THETA)
    phi = 2.0 * np.pi * (np.arange(_PHI) + 0.5) / _PHI
    total = 0.0
    for low, high in pairwise(ends):
        # squares at both ends: roots of the critical angle are smooth in them
        s = 0.5 * (nodes + 1.0)
        smooth, slope = s * s * (3.0 - 2.0 * s), 6.0 * s * (1.0 - s)
        cosine = low + (high - low) * smooth
        weight = 0.5 * weights * slope * (high - low) * 2.0 * np.pi / _PHI
        c, p = np.meshgrid(cosine, phi, indexing="ij")
        pattern = _pattern(emitters, correlations, lens, below, c.ravel(), p.ravel())
        total += float(np.repeat(weight, _PHI) @ pattern)
    return total


def _pattern(
    emitters: Emitters, correlations: ComplexArray, lens: Lens, below: bool, c: FloatArray, phi: FloatArray
) -> FloatArray:
    """dP/dOmega over Gamma at cosines c (to the normal, outward) and azimuths phi."""
    order = {"x": [1, 2, 0], "y": [2, 0, 1], "z": [0, 1, 2]}[lens.axis]
    r = (emitters.positions_nm - emitters.positions_nm.mean(axis=0))[:, order]
    d = emitters.dipoles[:, order]
    n, other = emitters.index, lens.substrate_index or emitters.index
    k0 = 2.0 * np.pi / emitters.wavelength_nm
    floor = float(np.min(r[:, 2])) - lens.gap_nm
    own = other if below else n
    across = own * k0 * np.sqrt(np.maximum(1.0 - c**2, 0.0))
    kz1 = np.sqrt((n * k0) ** 2 - across**2 + 0j)
    kz2 = np.sqrt((other * k0) ** 2 - across**2 + 0j)
    e1, e2 = n**2, other**2
    cos_p, sin_p, zero = np.cos(phi), np.sin(phi), np.zeros_like(phi)
    s_vector = np.stack([-sin_p, cos_p, zero], axis=1)
    rho = np.outer(np.ones(len(r)), zero) + np.outer(r[:, 0], cos_p) + np.outer(r[:, 1], sin_p)
    height = r[:, 2] - floor
    lateral = np.exp(-1j * rho * across)

    def p_vector(kz: ComplexArray) -> ComplexArray:
        # s x k for k = (across, kz), over n k0
        return np.asarray(np.stack([cos_p * kz, sin_p * kz, -across + 0j], axis=1) / (n * k0), dtype=complex)

    fields: list[ComplexArray] = []
    if below:
        t_s = 2.0 * kz2 / (kz1 + kz2)
        t_p = 2.0 * e1 * kz2 / (e1 * kz2 + e2 * kz1) * other / n
        up = lateral * np.exp(1j * np.outer(height, kz1))
        # the wave from below runs against the direction: k = (-across, kz1)
        fields = [(d @ s_vector.T) * up * t_s, (d @ p_vector(-kz1).T) * up * t_p]
    else:
        r_s = (kz1 - kz2) / (kz1 + kz2)
        r_p = (e2 * kz1 - e1 * kz2) / (e2 * kz1 + e1 * kz2)
        direct = lateral * np.exp(-1j * np.outer(height, kz1))
        mirrored = lateral * np.exp(1j * np.outer(height, kz1))
        fields = [
            (d @ s_vector.T) * (direct + r_s * mirrored),
            (d @ p_vector(kz1).T) * direct + (d @ p_vector(-kz1).T) * mirrored * r_p,
        ]
    pattern = np.zeros(len(c))
    for a in fields:
        pattern += np.real(np.einsum("im,ij,jm->m", np.conj(a), correlations, a, optimize=True))
    return 3.0 / (8.0 * np.pi) * own / n * pattern
