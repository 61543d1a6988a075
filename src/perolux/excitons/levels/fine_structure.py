"""Fine structure of the ground exciton: one dark and three bright levels, their dipoles, a magnetic field.

    H = D_BD (3/4 + s_e.s_h) + anisotropic exchange + delta_ij + H_R + mu_B B.(g_e s_e + g_h s_h)

Electron and hole have spin 1/2 each. The singlet (J = 0) is dark; the triplet (J = 1) has a state x, y, z
with its dipole along each axis. Everything is built from spin-1/2 matrices and then turned into this basis,
so that the mixing of dark and bright by (g_e - g_h) mu_B B/2 comes out exact. Energies count from the dark
level without field: add the exciton energy without exchange.

The order of the levels is a conflict of the literature. Measured: the dark level lies lowest in FAPbBr3,
CsPbI3 and CsPbBr3, which is the default. The review (chimia2024) keeps the picture of 2018, in which a Rashba
effect puts the bright levels lowest; it is the named alternative `order = "bright-lowest"`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.excitons.assumptions import assumption
from perolux.quantities.constants import constant

__all__ = ["ORDERS", "FineStructure", "LevelOrder", "fine_structure", "hamiltonian_mev", "rashba_for_order"]

FloatArray = npt.NDArray[np.float64]
ComplexArray = npt.NDArray[np.complex128]

LevelOrder = Literal["dark-lowest", "bright-lowest"]
ORDERS: tuple[LevelOrder, ...] = get_args(LevelOrder)


@dataclass(frozen=True)
class FineStructure:
    """Four levels of each of any number of excitons, lowest first.

    energy_mev: (..., 4). dipole: (..., 4, 3), complex in a magnetic field, in units of the dipole of one
    bright level of an isotropic crystal: level j emits light of polarisation e with strength |e* .
    dipole_j|^2. strength: (..., 4), |dipole_j|^2; the sum over the levels is that of the three axes (3 where
    nothing weights them). dark_admixture: (..., 4), weight of the singlet in each level. Within a degenerate
    level the single dipoles are one choice of many; sums over it are not.
    """

    energy_mev: FloatArray
    dipole: FloatArray | ComplexArray
    dark_admixture: FloatArray

    @property
    def strength(self) -> FloatArray:
        """|dipole|^2 of each level: 1 for a bright level of an isotropic crystal, 0 for the dark one."""
        return np.asarray((np.abs(self.dipole) ** 2).sum(axis=-1))

    @property
    def bright_dark_mev(self) -> FloatArray:
        """Mean energy of the bright character minus that of the dark character, in meV; > 0: dark below."""
        dark = self.dark_admixture
        return np.asarray(
            (self.energy_mev * (1.0 - dark)).sum(axis=-1) / 3.0 - (self.energy_mev * dark).sum(axis=-1)
        )


def fine_structure(
    bright_mev: npt.ArrayLike,
    *,
    lattice_mev: npt.ArrayLike | None = None,
    rashba_mev: npt.ArrayLike = 0.0,
    field_t: npt.ArrayLike = (0.0, 0.0, 0.0),
    g_electron: npt.ArrayLike = 0.0,
    g_hole: npt.ArrayLike = 0.0,
    axis_amplitude: npt.ArrayLike = (1.0, 1.0, 1.0),
) -> FineStructure:
    """Levels, dipoles and dark admixture of excitons; all arrays of parameters broadcast over leading axes.

    Arguments but the last as in `hamiltonian_mev`. axis_amplitude: (..., 3), what the dipole along each axis
    is multiplied by (a local field F_i; oscillator strength grows with its square). Cost: below 1 us an
    exciton without field and lattice tensor, else 2 us.

    >>> levels = fine_structure([2.0, 2.0, 3.0])
    >>> levels.energy_mev.round(6).tolist(), levels.strength.round(6).tolist()
    ([0.0, 2.0, 2.0, 3.0], [0.0, 1.0, 1.0, 1.0])
    """
    amplitude = np.asarray(axis_amplitude, dtype=float)
    if lattice_mev is None and not np.any(field_t):
        # the matrix is diagonal: sorting is enough, ten times faster
        levels, rashba = _last_axis("bright_mev", bright_mev), _rashba(rashba_mev)
        diagonal = np.concatenate(
            [-0.5 * rashba.sum(axis=-1, keepdims=True) + 0.0 * levels[..., :1], levels + 0.5 * rashba],
            axis=-1,
        )
        given = (np.shape(g_electron), np.shape(g_hole), np.shape(field_t)[:-1])
        leading = np.broadcast_shapes(diagonal.shape[:-1], *given)
        diagonal = np.broadcast_to(diagonal, (*leading, 4))
        order = np.argsort(diagonal, axis=-1, kind="stable")
        energy = np.take_along_axis(diagonal, order, axis=-1)
        states = (order[..., None] == np.arange(4)).astype(float)
    else:
        matrix = hamiltonian_mev(
            bright_mev,
            lattice_mev=lattice_mev,
            rashba_mev=rashba_mev,
            field_t=field_t,
            g_electron=g_electron,
            g_hole=g_hole,
        )
        energy, columns = np.linalg.eigh(matrix)
        states = np.swapaxes(columns, -1, -2)
    dipole = states[..., 1:] * amplitude[..., None, :]
    dark = np.abs(states[..., 0]) ** 2
    leading = dipole.shape[:-2]
    return FineStructure(
        np.broadcast_to(energy, (*leading, 4)), dipole, np.broadcast_to(dark, (*leading, 4)).astype(float)
    )


def hamiltonian_mev(
    bright_mev: npt.ArrayLike,
    *,
    lattice_mev: npt.ArrayLike | None = None,
    rashba_mev: npt.ArrayLike = 0.0,
    field_t: npt.ArrayLike = (0.0, 0.0, 0.0),
    g_electron: npt.ArrayLike = 0.0,
    g_hole: npt.ArrayLike = 0.0,
) -> FloatArray | ComplexArray:
    """The 4 x 4 matrices (..., 4, 4) in meV, in the basis dark, x, y, z; real without a field.

    bright_mev: D_x, D_y, D_z (..., 3), exchange along the axes of the crystal's shape (`exchange_mev`); equal
        entries are D_BD (3/4 + s_e.s_h).
    lattice_mev: delta_ij (..., 3, 3), symmetric and traceless, in the same axes: where the lattice is turned
        by a rotation R, give R delta R^T.
    rashba_mev: R_n for three Rashba axes x, y, z (..., 3), or one number for all:
        H_R = sum_n R_n [s_e.s_h - (s_e.n)(s_h.n)], the second-order effect of spin-orbit fields that electron
        and hole feel in opposite directions. R_n < 0 lowers the bright levels; the trace is zero.
    field_t: B (..., 3) in tesla; g_electron, g_hole: isotropic g factors in the electron-hole picture, in
        which g_X = g_e + g_h.
    Raises `OptionError` for wrong shapes, for what is not finite and for a tensor that is not symmetric and
    traceless.
    """
    levels, field = _last_axis("bright_mev", bright_mev), _last_axis("field_t", field_t)
    rashba = _rashba(rashba_mev)
    bright = levels[..., None] * np.eye(3)
    if lattice_mev is not None:
        bright = bright + _traceless(lattice_mev)
    spin = _spin_operators()
    g_factors = np.broadcast_arrays(np.asarray(g_electron, dtype=float), np.asarray(g_hole, dtype=float))
    unit = 1000.0 * constant("bohr_magneton_ev_per_t")
    moments = unit * np.stack(g_factors, axis=-1)[..., :, None] * field[..., None, :]
    if not np.isfinite(moments).all():
        raise OptionError("a g factor is not finite", where="g_electron, g_hole")
    leading = np.broadcast_shapes(bright.shape[:-2], rashba.shape[:-1], moments.shape[:-2])
    result = np.zeros((*leading, 4, 4))
    result[..., 1:, 1:] = bright
    result += np.tensordot(rashba, spin.rashba.real, axes=([-1], [0]))
    if not np.any(moments):
        return result  # real: a faster solver, and real dipoles
    return np.asarray(result + np.tensordot(moments, spin.single, axes=([-2, -1], [0, 1])))


def rashba_for_order(bright_mev: npt.ArrayLike, order: LevelOrder = "dark-lowest") -> FloatArray:
    """The isotropic Rashba energy R (meV) that gives an order of levels: 0, or one that turns it round.

    "dark-lowest": 0. "bright-lowest": R = -(1 + r) D_BD/2 on each axis, which puts the mean bright level r
    D_BD below the dark one; r is the assumption `bright_lowest_ratio`, for no number of the inverted picture
    has been read. Result: shape of bright_mev without its last axis; pass `r[..., None] * ones(3)` for
    arrays.

    >>> float(rashba_for_order([2.0, 2.0, 2.0], "bright-lowest"))
    -2.0
    """
    if order not in ORDERS:
        raise OptionError(f"unknown order of levels {order!r}", allowed=", ".join(ORDERS))
    mean = np.asarray(_last_axis("bright_mev", bright_mev).mean(axis=-1))
    if order == "dark-lowest":
        return np.zeros_like(mean)
    return np.asarray(-0.5 * (1.0 + assumption("bright_lowest_ratio").number) * mean)


@dataclass(frozen=True)
class _SpinOperators:
    """single: (2, 3, 4, 4), s_e and s_h; rashba: (3, 4, 4); both in the basis dark, x, y, z."""

    single: ComplexArray
    rashba: ComplexArray


@lru_cache(maxsize=1)
def _spin_operators() -> _SpinOperators:
    half = 0.5 * np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
    one = np.eye(2)
    product = np.array([[np.kron(s, one) for s in half], [np.kron(one, s) for s in half]])
    # columns: singlet and Cartesian triplet in up-up, up-down, down-up, down-down
    basis = np.array(
        [[0, 1, -1, 0], [-1, 0, 0, 1], [1j, 0, 0, 1j], [0, 1, 1, 0]], dtype=complex
    ).T / np.sqrt(2.0)  # fmt: skip
    single = basis.conj().T @ product @ basis
    pairs = np.array([single[0, i] @ single[1, i] for i in range(3)])
    return _SpinOperators(single, pairs.sum(axis=0) - pairs)


def _rashba(rashba_mev: npt.ArrayLike) -> FloatArray:
    rashba = np.asarray(rashba_mev, dtype=float)
    return _last_axis("rashba_mev", np.full(3, rashba) if rashba.ndim == 0 else rashba)


def _last_axis(name: str, values: npt.ArrayLike) -> FloatArray:
    array = np.asarray(values, dtype=float)
    if array.shape[-1:] != (3,) or not bool(np.all(np.isfinite(array))):
        raise OptionError(f"{name} is not three finite numbers on its last axis", allowed="shape (..., 3)")
    return array


def _traceless(lattice_mev: npt.ArrayLike) -> FloatArray:
    tensor = np.asarray(lattice_mev, dtype=float)
    if tensor.shape[-2:] != (3, 3) or not bool(np.all(np.isfinite(tensor))):
        raise OptionError("the lattice tensor is not 3 x 3 finite numbers", allowed="shape (..., 3, 3)")
    size = 1e-9 * max(float(np.abs(tensor).max(initial=0.0)), 1e-300)
    if np.any(np.abs(tensor - np.swapaxes(tensor, -1, -2)) > size):
        raise OptionError("the lattice tensor is not symmetric", where="lattice_mev")
    if np.any(np.abs(np.trace(tensor, axis1=-2, axis2=-1)) > 3.0 * size):
        raise OptionError(
            "the lattice tensor has a trace",
            where="lattice_mev",
            allowed="trace 0: what all bright levels share belongs to the exchange",
            fix="subtract a third of the trace from the diagonal",
        )
    return tensor
