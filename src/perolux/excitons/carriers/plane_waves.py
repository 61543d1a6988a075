"""A carrier in a cuboid by a multiband calculation in plane waves: the slow check of the separable levels.

Eight bands with spin: S-like valence band (J = 1/2), P-like conduction bands J = 1/2 and, Delta above, J =
3/2, coupled by P k with one Kane energy. The bands that the carrier does not live in are local and are
eliminated exactly, at the energy E of the level, which is found self-consistently:

    hole      E f = V_h f + (hbar^2/2m0) k_i [A delta_ij + i B eps_ijk sigma_k] k_j f      (2 components)
              A = g_h + (Ep/3) [1/d + 2/(d + Delta)],  B = (Ep/3) [1/d - 1/(d + Delta)],  d = Eg + V_e + E
    electron  E x = V_e x + Delta Q x + (hbar^2/2m0) [k_i w k_j x_j + g_e k^2 x]          (6 components)
              w = Ep/(Eg + V_h + E),  Q the projector on J = 3/2 of vector and spin

V_e, V_h are 0 inside and the barriers outside, so both band edges recede. Operator ordering: the coupling
coefficients stand between the k (BenDaniel and Duke; the ordering that this elimination gives for a uniform
P). There is no hard wall: the boundary condition is that of the finite barrier, in a periodic cell with a
margin.

Why plane waves and a barrier, and not sines in a hard box: behind a hard wall all components cannot vanish
in the limit of small remote-band terms, and the answer then depends on their ratio. Why the elimination:
remote-band terms of the wrong sign (g_h is negative for most sets) bend bands back into the gap at large k
and give spurious solutions of the eight linear equations; here the energies are extremes of operators that
stay elliptic as long as m0/m > 0. The electron needs g_e >= 0 for the same reason and refuses others; the
remote terms of the band that is eliminated (g_e for the hole) are left out.

outside "kane": the same P as inside, no remote terms (m_out of 0.2 to 0.9 for CsPbBr3); "free": the given
m_out, no coupling. The matrix elements of the box are exact (products of sines), so at given E the energy of
the hole is an upper bound. Outside "kane" its error falls about as waves^-2 where the mass jumps little
(0.3 meV at 12 waves, 4 nm), outside "free" as 1/waves; that of the electron falls as 1/(waves + 1/2)
throughout (3 meV at 12 waves, 4 nm), because transverse waves cost nothing outside: `converged_level_ev`
extrapolates it, to better than 1 meV at 4 nm.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, ModelRangeError, OptionError
from perolux.excitons.carriers.bands import Bands, Carrier, remote_terms
from perolux.excitons.carriers.carrier_levels import Barrier
from perolux.quantities.constants import HBAR2_OVER_2M0_EV_NM2
from perolux.threads import one_thread

__all__ = ["Outside", "PlaneWaveLevel", "converged_level_ev", "plane_wave_level"]

ComplexArray = npt.NDArray[np.complex128]
FloatArray = npt.NDArray[np.float64]
Outside = Literal["kane", "free"]
Triple = tuple[float, float, float]

_SIGMA = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])
_LEVI_CIVITA = np.zeros((3, 3, 3))
for _i, _j, _k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
    _LEVI_CIVITA[_i, _j, _k], _LEVI_CIVITA[_j, _i, _k] = 1.0, -1.0
# (i eps_ijk sigma_k)[i, s, j, t]: vector and spin on both sides
_SPIN = 1j * np.einsum("ijk,kst->isjt", _LEVI_CIVITA, _SIGMA)
# Q = 1 - P_1/2, P_1/2 = sigma_i sigma_j/3 = (delta_ij + i eps_ijk sigma_k)/3
_QUARTET = (2.0 * np.einsum("ij,st->isjt", np.eye(3), np.eye(2)) - _SPIN) / 3.0

_CONVERGED_EV = 1e-5
"""Tolerance of the levels that are extrapolated."""
_DENSE = 20
"""Up to this many equations (an endless crystal has 2 or 6) are diagonalised as they are."""


@dataclass(frozen=True)
class PlaneWaveLevel:
    """The lowest level of a carrier: energy_ev from its band edge; rounds: of self-consistency."""

    energy_ev: float
    waves: int
    rounds: int


@dataclass(frozen=True)
class _Cell:
    """Wave vectors of each axis (1/nm) and the matrices of the box in their plane waves."""

    k: tuple[FloatArray, FloatArray, FloatArray]
    box: tuple[FloatArray, FloatArray, FloatArray]

    @property
    def shape(self) -> tuple[int, int, int]:
        return (self.k[0].size, self.k[1].size, self.k[2].size)

    @property
    def mesh(self) -> FloatArray:
        """k_i on the grid of waves: [axis, x, y, z]."""
        return np.array(np.meshgrid(*self.k, indexing="ij"))

    def inside(self, field: ComplexArray) -> ComplexArray:
        """The field times the indicator of the box; the last three axes are the waves."""
        out = field
        for axis, matrix in zip((-3, -2, -1), self.box, strict=True):
            out = np.moveaxis(np.moveaxis(out, axis, -1) @ matrix, -1, axis)
        return out


def plane_wave_level(
    carrier: Carrier,
    lengths_nm: Triple,
    bands: Bands,
    barrier: Barrier,
    *,
    outside: Outside = "kane",
    waves: int = 8,
    margin_nm: float | Triple = 1.0,
    tolerance_ev: float = 1e-6,
) -> PlaneWaveLevel:
    """The lowest level of one carrier in a cuboid with a finite barrier; equations and limits of this file.

    bands, barrier: numbers, not arrays. waves: plane waves exp(2 pi i n x/cell) with |n| <= waves on each
    axis. margin_nm: barrier on either side; 0 on an axis makes the crystal endless along it (its level is
    that of the other axes). Raises `ModelRangeError` for an electron with negative remote-band terms,
    `ConvergenceError`.
    """
    margins = (margin_nm,) * 3 if isinstance(margin_nm, int | float) else margin_nm
    if not all(length > 0.0 for length in lengths_nm) or not all(margin >= 0.0 for margin in margins):
        raise OptionError("a cuboid needs positive lengths and margins of 0 and above", allowed="nm")
    if waves < 1:
        raise OptionError(f"{waves} plane waves", allowed="1 and above")
    cell = _cell(lengths_nm, margins, waves)
    if outside == "free" and barrier.mass_outside_m0 is None:
        raise OptionError('outside "free" needs the mass outside', allowed="a barrier with mass_outside_m0")
    build = _hole if carrier == "hole" else _electron
    operator = build(cell, bands, barrier, outside)
    start = _start(cell, lengths_nm, carrier)
    energy, slope, before = 0.0, 0.0, None
    for rounds in range(1, 30):
        found, start = _lowest(*operator(energy), start, tolerance_ev)
        if abs(found - energy) < tolerance_ev:
            return PlaneWaveLevel(found, waves, rounds)
        miss = abs(found - energy)
        if before is not None and energy != before[0]:
            slope = (found - before[1]) / (energy - before[0])
        before = (energy, found)
        # the level falls slowly when E rises (slope -0.5 to 0): the secant to found = energy
        energy += (found - energy) / (1.0 - min(slope, 0.0))
    raise ConvergenceError(
        f"the level still misses itself by {miss:.2g} eV after {rounds} rounds; the last estimate is "
        f"{found:.6g} eV",
        where=f"{carrier} in {'x'.join(f'{length:g}' for length in lengths_nm)} nm",
        allowed=f"{tolerance_ev:g} eV (tolerance_ev)",
        fix="ask for a larger tolerance_ev, or fewer waves",
    )


def converged_level_ev(
    carrier: Carrier,
    lengths_nm: Triple,
    bands: Bands,
    barrier: Barrier,
    *,
    outside: Outside = "kane",
    waves: tuple[int, int] = (6, 12),
) -> tuple[float, float]:
    """Level for all waves and an estimate of its error, both in eV, from two numbers of waves.

    Linear in 1/(waves + 1/2) for the electron and outside "free" (error: a quarter of what is extrapolated);
    for the hole with "kane" the larger number itself (error: what the last waves changed).
    """
    fewer, more = (
        plane_wave_level(
            carrier, lengths_nm, bands, barrier, outside=outside, waves=n, tolerance_ev=_CONVERGED_EV
        )
        for n in waves
    )
    change = fewer.energy_ev - more.energy_ev
    if carrier == "hole" and outside == "kane":
        return more.energy_ev, abs(change)
    x_fewer, x_more = (1.0 / (n + 0.5) for n in waves)
    left = change * x_more / (x_fewer - x_more)
    return more.energy_ev - left, 0.25 * abs(left)


_Apply = Callable[[ComplexArray], ComplexArray]
_Operator = Callable[[float], tuple[_Apply, _Apply]]


def _cell(lengths: Triple, margins: Triple, waves: int) -> _Cell:
    k, box = [], []
    for length, margin in zip(lengths, margins, strict=True):
        period = length + 2.0 * margin
        count = waves if margin > 0.0 else 0  # an endless axis: the state does not vary along it
        n = np.arange(-count, count + 1)
        k.append(np.asarray(2.0 * math.pi / period * n, dtype=np.float64))
        sines = np.sinc((n[:, None] - n[None, :]) * length / period)
        box.append(np.asarray(length / period * sines, dtype=np.float64))
    return _Cell((k[0], k[1], k[2]), (box[0], box[1], box[2]))


def _hole(cell: _Cell, bands: Bands, barrier: Barrier, outside: Outside) -> _Operator:
    third, gap, delta, v_e, v_h, m_out = _numbers(bands, barrier)
    remote = float(remote_terms(bands).hole)
    k = cell.mesh
    square = (k**2).sum(axis=0)

    def at(energy: float) -> tuple[_Apply, _Apply]:
        d_in, d_out = gap + energy, gap + v_e + energy
        a_in = remote + third * (1.0 / d_in + 2.0 / (d_in + delta))
        b_in = third * (1.0 / d_in - 1.0 / (d_in + delta))
        a_out, b_out = 1.0 / m_out, 0.0
        if outside == "kane":
            a_out = third * (1.0 / d_out + 2.0 / (d_out + delta))
            b_out = third * (1.0 / d_out - 1.0 / (d_out + delta))
        if min(a_in + 2.0 * b_in, a_in - b_in) <= 0.0:
            raise ModelRangeError(
                "the hole's operator is not elliptic: its mass diverges or spin-orbit coupling outweighs it",
                where="plane waves",
                fix="a smaller Kane energy or spin-orbit splitting",
            )

        def apply(field: ComplexArray) -> ComplexArray:
            slopes = k[:, None] * field[None]  # [axis, spin, waves]
            within = cell.inside(slopes)
            flux = a_out * slopes + (a_in - a_out) * within
            flux += (b_in - b_out) * np.einsum("isjt,jt...->is...", _SPIN, within)
            kinetic = (k[:, None] * flux).sum(axis=0)
            return np.asarray(v_h * (field - cell.inside(field)) + HBAR2_OVER_2M0_EV_NM2 * kinetic)

        diagonal = HBAR2_OVER_2M0_EV_NM2 * 0.5 * (a_in + a_out) * square + 0.5 * v_h
        return apply, lambda field: field / diagonal

    return at


def _electron(cell: _Cell, bands: Bands, barrier: Barrier, outside: Outside) -> _Operator:
    third, gap, delta, v_e, v_h, m_out = _numbers(bands, barrier)
    remote = float(remote_terms(bands).electron)
    if remote < -1e-9:  # rounding of masses that leave no remote terms
        raise ModelRangeError(
            f"the electron's remote-band terms are {remote:.3g}: transverse waves would fall without end",
            where="plane waves",
            allowed="g_e >= 0",
            fix="a smaller Kane energy, or a lighter electron",
        )
    k = cell.mesh
    square = (k**2).sum(axis=0)

    def at(energy: float) -> tuple[_Apply, _Apply]:
        w_in, w_out = 3.0 * third / (gap + energy), 0.0
        g_in, g_out = remote, 1.0 / m_out
        if outside == "kane":
            w_out, g_out = 3.0 * third / (gap + v_h + energy), 0.0

        def apply(field: ComplexArray) -> ComplexArray:  # [axis, spin, waves]
            divergence = (k[:, None] * field).sum(axis=0)
            flux = w_out * divergence + (w_in - w_out) * cell.inside(divergence)
            out = HBAR2_OVER_2M0_EV_NM2 * k[:, None] * flux[None]
            if g_in != 0.0 or g_out != 0.0:
                for axis in range(3):
                    slope = k[axis] * field
                    slope = g_out * slope + (g_in - g_out) * cell.inside(slope)
                    out = out + HBAR2_OVER_2M0_EV_NM2 * k[axis] * slope
            out = out + delta * np.einsum("isjt,jt...->is...", _QUARTET, field)
            return np.asarray(out + v_e * (field - cell.inside(field)))

        half = 0.5 * HBAR2_OVER_2M0_EV_NM2
        tensor = half * (w_in + w_out) * np.einsum("iabc,jabc,st->abcisjt", k, k, np.eye(2))
        isotropic = half * (g_in + g_out) * square + 0.5 * v_e
        whole = tensor.reshape(*cell.shape, 6, 6) + delta * _QUARTET.reshape(6, 6)
        inverse = np.linalg.inv(whole + isotropic[..., None, None] * np.eye(6))

        def precondition(field: ComplexArray) -> ComplexArray:
            flat = np.moveaxis(field.reshape(6, *cell.shape), 0, -1)
            out = np.einsum("abcij,abcj->abci", inverse, flat)
            return np.moveaxis(out, -1, 0).reshape(field.shape)

        return apply, precondition

    return at


def _numbers(bands: Bands, barrier: Barrier) -> tuple[float, float, float, float, float, float]:
    """Ep/3, Eg, Delta, V_e, V_h, m_out as plain numbers."""
    given = (
        np.asarray(bands.kane_ev, dtype=np.float64) / 3.0,
        bands.gap_ev,
        bands.spin_orbit_ev,
        barrier.electron_ev,
        barrier.hole_ev,
        1.0 if barrier.mass_outside_m0 is None else barrier.mass_outside_m0,
    )
    if any(np.ndim(value) for value in given):
        raise OptionError("plane waves take one set of numbers, not draws", allowed="numbers")
    third, gap, delta, v_e, v_h, m_out = (float(np.asarray(value)) for value in given)
    return third, gap, delta, v_e, v_h, m_out


def _start(cell: _Cell, lengths: Triple, carrier: Carrier) -> ComplexArray:
    """The cosine of the hard box for both spins (electron: with J = 1/2): [state, components, waves]."""
    wave = np.ones((1, 1, 1))
    for axis, (k, length) in enumerate(zip(cell.k, lengths, strict=True)):
        x = (np.arange(400) + 0.5) / 400 - 0.5
        along = np.cos(np.outer(k * length, x)) @ np.cos(math.pi * x)
        shape = [1, 1, 1]
        shape[axis] = k.size
        wave = wave * along.reshape(shape)
    spins = np.eye(2, dtype=complex)
    if carrier == "hole":
        return np.asarray(spins[:, :, None, None, None] * wave)
    # sigma_i |s>, the J = 1/2 doublet of vector and spin
    doublet = np.einsum("ist,nt->nis", _SIGMA, spins)
    return np.asarray(doublet[..., None, None, None] * wave)


def _lowest(
    apply: _Apply, precondition: _Apply, start: ComplexArray, tolerance_ev: float
) -> tuple[float, ComplexArray]:
    """Lowest (Kramers) doublet by LOBPCG from a start; the energy is good to about the tolerance."""
    from scipy.sparse.linalg import LinearOperator, lobpcg

    shape, size = start.shape[1:], start[0].size

    def linear(function: _Apply) -> LinearOperator:
        def many(x: ComplexArray) -> ComplexArray:
            columns = x.reshape(size, -1).T
            return np.array([function(one.reshape(shape)).ravel() for one in columns]).T

        return LinearOperator((size, size), matvec=many, matmat=many, dtype=complex)

    if size <= _DENSE:
        dense = np.array([apply(one.reshape(shape)).ravel() for one in np.eye(size, dtype=complex)]).T
        values, vectors = np.linalg.eigh(dense)
        return float(values[0]), np.asarray(vectors[:, :2].T.reshape(start.shape))
    with one_thread():
        values, vectors = lobpcg(
            linear(apply),
            start.reshape(2, size).T,
            M=linear(precondition),
            # the error of the energy is of the order of the residual squared over the level distance (0.1 eV)
            tol=math.sqrt(0.02 * tolerance_ev),
            maxiter=400,
            largest=False,
        )
    return float(values.min()), np.asarray(vectors.T.reshape(start.shape))
