"""One excitation on a lattice of up to 10^5 emitters: products by fast Fourier transforms, steps by Krylov.

    c' = -i H_eff c
    H_eff = sum_i (delta_i - i (1 + kappa)/2) |i><i| + sum_(i != j) (Omega - i Gamma/2)(r_i - r_j) |i><j|

Emitters stand on points of a grid of equal spacings, all dipoles parallel; points may be empty. Then the
couplings are a convolution: one forward and one backward transform on a grid twice as long each way. A step
is exp(-i H t) on a Krylov space of `_SPACE` vectors (Arnoldi), its length set by the estimate of the error
from the last two subspaces, so that the sum of errors stays below `tolerance` of the amplitude.

The photon rate is -d/dt sum |c|^2 less the loss: sum_ij c_i* Gamma_ij c_j by the same convolution.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.fft import fftn, ifftn, next_fast_len
from scipy.linalg import expm

from perolux.collective.couplings import ComplexArray, Emitters, FloatArray, pair_couplings
from perolux.collective.rows import Emission
from perolux.errors import ConvergenceError, InputError, OptionError
from perolux.pieces import Pieces, nothing_kept
from perolux.progress import Progress, silent

__all__ = ["LatticeCouplings", "grid_spacing", "lattice_couplings", "lattice_emission"]

_SPACE = 48
# a short step needs fewer vectors; the estimate of a small space is trusted less
_TRIED, _SURE = (8, 12, 16, 24, 32), 1e-2
_OFF_GRID = 1e-6
_MOST_GRID = 5_000_000
_SHORTEST = 1e-9


@dataclass(frozen=True)
class LatticeCouplings:
    """Of emitters on a grid: shape (3,) of the grid, place (N, 3) of each emitter, and the transforms of
    Omega - i Gamma/2 and of Gamma on the doubled grid, both without the diagonal. detuning (N,)."""

    shape: tuple[int, ...]
    place: npt.NDArray[np.int64]
    hop: ComplexArray
    decay: ComplexArray
    detuning: FloatArray

    def __len__(self) -> int:
        return len(self.place)

    def _folded(self, kernel: ComplexArray, vector: npt.NDArray[np.number]) -> ComplexArray:
        grid = np.zeros(kernel.shape, dtype=complex)
        at = tuple(self.place.T)
        grid[at] = vector
        return np.asarray(ifftn(fftn(grid) * kernel)[at])

    def shifted(self, vector: ComplexArray, loss: float = 0.0) -> ComplexArray:
        """H_eff times a vector (N,)."""
        return (self.detuning - 0.5j * (1.0 + loss)) * vector + self._folded(self.hop, vector)

    def photon_rate(self, vector: ComplexArray) -> float:
        """sum_ij c_i* Gamma_ij c_j."""
        rate = np.vdot(vector, vector + self._folded(self.decay, vector))
        return float(rate.real)


def grid_spacing(emitters: Emitters) -> FloatArray:
    """The smallest distance between different places along x, y and z, nm; 1 where all are the same."""
    found = np.ones(3)
    for axis, places in enumerate(emitters.positions_nm.T):
        gaps = np.diff(np.unique(places))
        gaps = gaps[gaps > _OFF_GRID]
        found[axis] = np.min(gaps, initial=np.inf) if len(gaps) else 1.0
    return found


def lattice_couplings(
    emitters: Emitters, spacing_nm: FloatArray, *, screening: float = 1.0
) -> LatticeCouplings:
    """The couplings as convolutions. spacing_nm (3,): of the grid along x, y, z, on whose
    points, counted from the first corner, every emitter stands.

    Raises `InputError` for an emitter off the grid, two at one point or dipoles that are not parallel.
    """
    spacing = np.asarray(spacing_nm, dtype=float)
    if spacing.shape != (3,) or not np.all(spacing > 0.0):
        raise OptionError(f"grid spacings {spacing_nm}", allowed="three lengths above 0 nm")
    if not 0.0 <= screening <= 1.0:
        raise OptionError(f"a screening of {screening:g}", allowed="0 (no shifts) to 1 (point dipoles)")
    steps = (emitters.positions_nm - emitters.positions_nm.min(axis=0)) / spacing
    place = np.rint(steps).astype(np.int64)
    if np.max(np.abs(steps - place)) > _OFF_GRID:
        worst = int(np.argmax(np.max(np.abs(steps - place), axis=1)))
        raise InputError(
            f"emitter {worst} is off the grid", where="positions_nm", allowed="points of equal spacing",
            fix="spacings of the lattice itself; places at random: the dense method, to 3000",
        )  # fmt: skip
    if np.max(np.abs(emitters.dipoles - emitters.dipoles[0])) > _OFF_GRID:
        raise InputError("dipoles that differ", where="unit_dipoles", allowed="all parallel on a lattice")
    if len(np.unique(place, axis=0)) < len(place):
        raise InputError("two emitters at one point of the grid", where="positions_nm")
    shape = tuple(int(m) + 1 for m in place.max(axis=0))
    double = tuple(next_fast_len(2 * m - 1) if m > 1 else 1 for m in shape)
    if np.prod(double) > _MOST_GRID:
        raise OptionError(
            f"a grid of {np.prod(double)} points", allowed=f"up to {_MOST_GRID}",
            fix="a smaller lattice, or one that fills its grid",
        )  # fmt: skip
    axes = [
        np.where((a := np.arange(m)) < (m + 1) // 2, a, a - m) * s
        for m, s in zip(double, spacing, strict=True)
    ]
    apart = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    distance = np.linalg.norm(apart, axis=-1)
    distance[0, 0, 0] = 1.0
    along = (apart @ emitters.dipoles[0]) / distance
    x = emitters.wavenumber_per_nm * distance
    gamma, omega = pair_couplings(x, np.ones_like(x), along**2)
    gamma[0, 0, 0] = omega[0, 0, 0] = 0.0
    return LatticeCouplings(
        shape, place, np.asarray(fftn(screening * omega - 0.5j * gamma)), np.asarray(fftn(gamma)),
        emitters.detuning,
    )  # fmt: skip


def _krylov_step(
    between: LatticeCouplings, vector: ComplexArray, longest: float, loss: float, each: float
) -> tuple[ComplexArray, float, float]:
    """exp(-i H t) vector, the t reached (at most `longest`), and the estimated error over the norm of the
    vector, at most `each` a unit of time."""
    size = float(np.linalg.norm(vector))
    basis = np.zeros((_SPACE + 1, len(vector)), dtype=complex)
    small = np.zeros((_SPACE + 1, _SPACE), dtype=complex)
    basis[0] = vector / size
    many = _SPACE
    for m in range(_SPACE):
        moved = between.shifted(basis[m], loss)
        for _ in range(2):
            share = basis[: m + 1].conj() @ moved
            moved -= share @ basis[: m + 1]
            small[: m + 1, m] += share
        left = float(np.linalg.norm(moved))
        small[m + 1, m] = left
        if left < 1e-12 * float(np.abs(small).max()):
            many = m + 1
            break
        basis[m + 1] = moved / left
        if m + 1 in _TRIED and (done := _moved(small, m + 1, longest))[1] <= _SURE * each * longest:
            return size * (done[0] @ basis[: m + 1]), longest, done[1] * size
    step = longest
    while step > _SHORTEST * longest:
        move, error = _moved(small, many, step, leaks=many == _SPACE)
        if error <= each * step:
            return size * (move @ basis[:many]), step, error * size
        step *= max(0.9 * (each * step / error) ** (1.0 / many), 0.2)
    raise ConvergenceError("no step of the Krylov method is short enough", fix="a larger tolerance")


def _moved(small: ComplexArray, many: int, step: float, *, leaks: bool = True) -> tuple[ComplexArray, float]:
    """exp(-i H step) of the first vector in the space of `many`, and what leaks out of it: the last row of
    the exponential of the grown matrix (Saad 1992)."""
    grown = np.zeros((many + 1, many + 1), dtype=complex)
    grown[:many, :many] = -1j * step * small[:many, :many]
    grown[many, many - 1] = -1j * step * small[many, many - 1] if leaks else 0.0
    move = expm(grown)
    return move[:many, 0], float(abs(move[many, 0]))


def lattice_emission(
    between: LatticeCouplings,
    amplitudes: ComplexArray,
    times: FloatArray,
    *,
    loss: float = 0.0,
    tolerance: float = 1e-6,
    progress: Progress = silent,
    pieces: Pieces = nothing_kept,
) -> Emission:
    """Photon rate and population of one excitation with the amplitudes (N,), norm 1, at first.

    times: in 1/Gamma, rising from 0 on. Exact for one excitation to `tolerance` of the amplitude at the last
    time, by the estimate of each step; the imbalance of energy is a check apart from it (trapezoids between
    the steps: as fine as the times and steps are). No dephasing. Cost: one pair of transforms on eight
    times the grid a product, `_SPACE` products a step.
    """
    if loss < 0.0:
        raise OptionError("a rate below 0", allowed="loss of 0 and more, in Gamma")
    if abs(float(np.sum(np.abs(amplitudes) ** 2)) - 1.0) > 1e-9 or amplitudes.shape != (len(between),):
        raise OptionError(
            "amplitudes that do not hold one excitation", allowed=f"({len(between)},) with norm 1"
        )
    state, now, errors = amplitudes.astype(complex), 0.0, 0.0
    each = tolerance / max(float(times[-1]), 1e-12)
    rate, population = np.zeros(len(times)), np.zeros(len(times))
    first, k = 0, len(times)
    stood = pieces.stands("krylov", {"state": 2 * len(between), "place": 3, "rate": k, "population": k})
    if stood is not None and 0 <= stood["place"][2] <= k:
        state = stood["state"].view(complex)
        now, errors, first = float(stood["place"][0]), float(stood["place"][1]), int(stood["place"][2])
        rate, population = stood["rate"].copy(), stood["population"].copy()
    progress.start("times", len(times))
    progress.advance(first)
    for t, time in list(enumerate(times))[first:]:
        while time - now > 1e-12 * max(float(times[-1]), 1e-12):
            state, step, error = _krylov_step(between, state, float(time) - now, loss, each)
            now, errors = now + step, errors + error
        rate[t], population[t] = between.photon_rate(state), float(np.vdot(state, state).real)
        place = np.array([now, errors, t + 1.0])
        standing = {"state": state.view(float), "place": place, "rate": rate, "population": population}
        pieces.keep_standing("krylov", standing)
        progress.advance(1)
    progress.finish()
    return Emission(
        "single-excitation", f"one excitation by Krylov steps, amplitude to {errors:.1g} by their estimates",
        times, rate, population, np.zeros_like(rate), 0.0,
    )  # fmt: skip
