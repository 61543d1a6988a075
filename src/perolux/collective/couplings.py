"""How dipoles share a photon: decay matrix Gamma_ij and coherent shifts Omega_ij of point emitters.

With unit dipoles d_i, the unit vector r between them, x = n k0 |r_ij|, a = d_i.d_j, b = (d_i.r)(d_j.r)

    Gamma_ij/Gamma = 3/2 [ (a - b) sin x/x + (a - 3b)(cos x/x^2 - sin x/x^3) ]
    Omega_ij/Gamma = 3/4 [ -(a - b) cos x/x + (a - 3b)(sin x/x^2 + cos x/x^3) ]

the retarded Green tensor of a homogeneous medium; Gamma is the rate in that medium. A positive Omega raises
the symmetric state (dipoles side by side), a negative one lowers it (head to tail). Point dipoles: for
nanocrystals that touch, `screening` scales the near field, by how much is not known.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, OptionError

__all__ = ["Couplings", "Emitters", "couplings", "pair_couplings", "sphere_directions"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]
_SERIES_BELOW = 0.05
_UNIT = 1e-9
_MOST_DENSE = 20_000
_MOST_SHIFT = 1e7
"""In Gamma: some 20 eV at 1/Gamma = 300 ps. Above it positions are in another unit, and solvers give NaN."""


@dataclass(frozen=True)
class Emitters:
    """Point emitters. positions_nm, dipoles (N, 3), dipoles of length 1. index: of the medium.
    wavelength_nm: in vacuum. detuning (N,): frequency less the mean, in Gamma. nanocrystal (N,): which
    crystal a dipole belongs to; dipoles of one crystal stand at one place and share no shift.
    Empty: each its own."""

    positions_nm: FloatArray
    dipoles: FloatArray
    index: float
    wavelength_nm: float
    detuning: FloatArray = field(default_factory=lambda: np.zeros(0))
    nanocrystal: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def __post_init__(self) -> None:
        r, d = self.positions_nm, self.dipoles
        if r.ndim != 2 or r.shape[1:] != (3,) or d.shape != r.shape or not len(r):
            raise InputError(
                f"positions {r.shape} and dipoles {d.shape}", allowed="both of shape (N, 3), N at least 1"
            )
        if not (np.isfinite(r).all() and np.isfinite(d).all()):
            raise InputError("positions or dipoles that are not finite numbers")
        length = np.linalg.norm(d, axis=1)
        if np.max(np.abs(length - 1.0)) > 1e-6:
            worst = int(np.argmax(np.abs(length - 1.0)))
            raise InputError(
                f"dipole {worst} has the length {length[worst]:.6g}", where="unit_dipoles", allowed="1",
                fix="divide each dipole by its length",
            )  # fmt: skip
        if not 1.0 <= self.index < 10.0:
            raise OptionError(f"a refractive index of {self.index:g}", allowed="1 to 10")
        if not 1.0 < self.wavelength_nm < 1e6:
            raise OptionError(f"a wavelength of {self.wavelength_nm:g} nm", allowed="above 1 nm")
        if self.detuning.size == 0:
            object.__setattr__(self, "detuning", np.zeros(len(r)))
        if self.detuning.shape != (len(r),) or not np.isfinite(self.detuning).all():
            raise InputError(f"detunings of shape {self.detuning.shape}", allowed=f"({len(r)},), finite")
        if self.nanocrystal.size == 0:
            object.__setattr__(self, "nanocrystal", np.arange(len(r)))
        if self.nanocrystal.shape != (len(r),):
            raise InputError(f"nanocrystals of shape {self.nanocrystal.shape}", allowed=f"({len(r)},)")

    def __len__(self) -> int:
        return len(self.positions_nm)

    @property
    def wavenumber_per_nm(self) -> float:
        """n k0 = 2 pi n/lambda."""
        return 2.0 * np.pi * self.index / self.wavelength_nm


@dataclass(frozen=True)
class Couplings:
    """decay (N, N): Gamma_ij over Gamma, symmetric, positive semidefinite, diagonal 1. shift (N, N): Omega_ij
    over Gamma, symmetric, diagonal 0. detuning (N,)."""

    decay: FloatArray
    shift: FloatArray
    detuning: FloatArray

    def __len__(self) -> int:
        return len(self.decay)

    def without_shifts(self) -> Couplings:
        """The same with every Omega set to 0."""
        return Couplings(self.decay, np.zeros_like(self.shift), self.detuning)

    def modes(self) -> tuple[FloatArray, FloatArray]:
        """Collective decay rates Gamma_nu (rising) and modes as columns: Gamma = V diag(Gamma_nu) V^T."""
        rates, modes = np.linalg.eigh(self.decay)
        return np.maximum(rates, 0.0), modes

    def initial_g2(self) -> float:
        """g2(0) of the fully inverted state, 1 + (Var - 1)/N with Var = (1/N) sum Gamma_nu^2 - 1.

        Above 1 the first photons come in bunches. Blind to dephasing and to energy disorder, which enter at
        second order in time: no criterion for a burst of real nanocrystals.
        """
        n = len(self)
        variance = float(np.sum(self.decay**2)) / n - 1.0
        return 1.0 + (variance - 1.0) / n


def pair_couplings(x: FloatArray, a: FloatArray, b: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Gamma_ij and Omega_ij over Gamma at x = n k0 r, a = d_i.d_j, b = (d_i.r)(d_j.r); x above 0.

    Below x = 0.05 Gamma_ij is a series: the closed form loses digits as x^-3.

    >>> gamma, omega = pair_couplings(np.array([0.1481902]), np.array([1.0]), np.array([0.0]))
    >>> round(float(gamma[0]), 4), round(float(omega[0]), 1)
    (0.9956, 228.0)
    """
    x = np.asarray(x, dtype=float)
    if np.any(x <= 0.0):
        raise OptionError("two emitters at one place", allowed="distances above 0")
    sine, cosine = np.sin(x), np.cos(x)
    near = x < _SERIES_BELOW
    with np.errstate(all="ignore"):
        first = np.where(near, 1.0 - x**2 / 6.0 + x**4 / 120.0 - x**6 / 5040.0, sine / x)
        second = np.where(
            near, -1.0 / 3.0 + x**2 / 30.0 - x**4 / 840.0 + x**6 / 45360.0, cosine / x**2 - sine / x**3
        )
    gamma = 1.5 * ((a - b) * first + (a - 3.0 * b) * second)
    omega = 0.75 * (-(a - b) * cosine / x + (a - 3.0 * b) * (sine / x**2 + cosine / x**3))
    return np.asarray(gamma), np.asarray(omega)


def couplings(emitters: Emitters, *, screening: float = 1.0) -> Couplings:
    """Decay matrix and shifts of all pairs, dense.

    screening: factor on every Omega_ij (1 the point dipoles in the medium; 0 none): dielectric screening and
    finite size reduce the near field of touching nanocrystals, by how much is not known; run both ends.
    Raises `InputError` for coincident emitters (named) and `OptionError` for more than 20000 of them, and
    checks that Gamma is positive semidefinite.
    """
    n = len(emitters)
    if n > _MOST_DENSE:
        raise OptionError(
            f"{n} emitters need {16e-9 * n**2:.0f} GB as dense matrices", allowed=f"up to {_MOST_DENSE}",
            fix="the single-excitation method on a lattice, or a part of the assembly",
        )  # fmt: skip
    if not 0.0 <= screening <= 1.0:
        raise OptionError(f"a screening of {screening:g}", allowed="0 (no shifts) to 1 (point dipoles)")
    r, d = emitters.positions_nm, emitters.dipoles
    decay, shift = np.eye(n), np.zeros((n, n))
    for i in range(n - 1):
        along = r[i + 1 :] - r[i]
        distance = np.linalg.norm(along, axis=1)
        same = emitters.nanocrystal[i + 1 :] == emitters.nanocrystal[i]
        if np.any((distance < _UNIT) & ~same):
            j = i + 1 + int(np.argmin(np.where(same, np.inf, distance)))
            raise InputError(
                f"emitters {i} and {j} are at one place", where="positions_nm",
                fix="move one of them, or leave it out: every emitter has a place of its own",
            )  # fmt: skip
        # within one crystal: Gamma_ij = d_i.d_j, no shift (it belongs to the fine structure)
        distance = np.where(same, 1.0, distance)
        unit = along / distance[:, None]
        a = d[i + 1 :] @ d[i]
        b = (unit @ d[i]) * np.sum(unit * d[i + 1 :], axis=1)
        gamma, omega = pair_couplings(emitters.wavenumber_per_nm * distance, a, b)
        gamma, omega = np.where(same, a, gamma), np.where(same, 0.0, omega)
        decay[i, i + 1 :] = decay[i + 1 :, i] = gamma
        shift[i, i + 1 :] = shift[i + 1 :, i] = screening * omega
    i, j = divmod(int(np.argmax(np.abs(shift))), n)
    if not abs(shift[i, j]) <= _MOST_SHIFT:
        raise InputError(
            f"emitters {min(i, j)} and {max(i, j)} are {np.linalg.norm(r[i] - r[j]):.3g} nm apart: "
            f"a shift of {abs(shift[i, j]):.2g} Gamma", where="positions_nm",
            allowed=f"shifts up to {_MOST_SHIFT:.0e} Gamma",
            fix="give positions in nm, centre to centre; nanocrystals are never so near",
        )  # fmt: skip
    if n <= 2000:
        least = float(np.linalg.eigvalsh(decay)[0])
        if least < -1e-9 * n:
            raise InputError(f"the decay matrix has a negative rate, {least:.2g} Gamma: not a set of dipoles")
    return Couplings(decay, shift, emitters.detuning)


def sphere_directions(order: int) -> tuple[FloatArray, FloatArray]:
    """Directions (m, 3) and weights (sum 1) that integrate spherical harmonics up to `order` exactly.

    Gauss-Legendre in cos(theta), equal steps in phi.
    """
    nodes, weights = np.polynomial.legendre.leggauss(order // 2 + 1)
    phi = 2.0 * np.pi * np.arange(order + 1) / (order + 1)
    c, p = np.meshgrid(nodes, phi, indexing="ij")
    s = np.sqrt(1.0 - c**2)
    directions = np.stack([s * np.cos(p), s * np.sin(p), c], axis=-1).reshape(-1, 3)
    return directions, np.repeat(weights / 2.0, order + 1) / (order + 1)
