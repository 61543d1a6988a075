"""States of one block of equal excitation sorted into bins of energy: all of them, or a random sample.

Small blocks are diagonalised. In large ones a random vector r stands for all states (typicality): for a
window P of the energy <r|P A P|r> is Tr[P A P] but for a relative error of 1/sqrt(Tr P), less with several.
P acts as Chebyshev polynomials of H with Jackson's damping, and the energies of a vector u come from its
moments <u|T_m|u>; the windows of a block add up to 1. Edges are soft by pi/terms of half the spread: a
quarter of a bin for 20 bins and 256 terms.

Source: kernel polynomial method, Weisse et al., Rev. Mod. Phys. 78, 275 (2006), recalled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import jv

from perolux.collective.blocks import Blocks, hamiltonian
from perolux.collective.couplings import Couplings, FloatArray
from perolux.collective.sectors import Sector, sector

__all__ = ["Levels", "Sampled", "levels", "sampled"]

Vectors = npt.NDArray[np.floating[Any]]
_TERMS = 256
_AT_ONCE = 32


@dataclass(frozen=True)
class Levels:
    """All eigenstates: as columns (C, C), the bin of each (C,), and how many bins."""

    states: FloatArray
    place: npt.NDArray[np.int64]
    bins: int

    def member(self) -> FloatArray:
        """(C, bins) of 0 and 1."""
        return np.asarray(self.place[:, None] == np.arange(self.bins), dtype=float)

    def vectors(self, weights: Vectors, many: int, rng: np.random.Generator) -> Vectors:
        """Random states of each bin, eigenstates (C,) by their weights: (bins, C, many)."""
        found = np.empty((self.bins, len(self.states), many))
        for b in range(self.bins):
            own = np.flatnonzero(self.place == b)
            drawn = np.sqrt(weights[own])[:, None] * rng.normal(size=(len(own), many))
            found[b] = self.states[:, own] @ drawn
        return found

    def gathered(self, rows: Vectors) -> FloatArray:
        """Sums over the eigenstates of each bin."""
        return np.asarray(self.member().T @ rows, dtype=float)

    def shares(self, u: Vectors) -> FloatArray:
        """How the square of each column of u (C, m) is divided over the eigenstates: (C, m)."""
        return np.asarray((self.states.T @ u) ** 2)


@dataclass(frozen=True)
class Sampled:
    """A block by its polynomials; windows: their coefficients (bins, terms)."""

    of: Sector
    windows: npt.NDArray[np.float32]

    @property
    def bins(self) -> int:
        """How many."""
        return len(self.windows)

    def vectors(self, arrived: Vectors, many: int, rng: np.random.Generator) -> Vectors:
        """Random vectors seen through each window: (bins, C, many). arrived (C, many): vectors whose squares
        add up to what came in, turned by random times; empty: all states evenly."""
        size, terms = len(self.of), self.windows.shape[1]
        start = arrived if arrived.size else rng.normal(size=(size, many))
        start = np.ascontiguousarray(start, dtype=np.float32)
        if arrived.size:
            start = self._turned(start, rng)
        found = np.zeros((self.bins, size, start.shape[1]), dtype=np.float32)
        flat = found.reshape(self.bins, -1)
        held: list[npt.NDArray[np.float32]] = []
        done = 0
        for one in self.of.polynomials(start, terms):
            held.append(one.ravel().copy())
            if len(held) == _AT_ONCE or done + len(held) == terms:
                flat += self.windows[:, done : done + len(held)] @ np.stack(held)
                done, held = done + len(held), []
        return found

    def _turned(self, x: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
        """sqrt(2) cos(H t + phase) x with a random t for each column: coherences inside a bin are gone."""
        terms, many = self.windows.shape[1], x.shape[1]
        t, phase = rng.uniform(0.2, 0.8, many) * terms, rng.uniform(0.0, 2.0 * np.pi, many)
        order = np.arange(terms)[:, None]
        weights = np.sqrt(2.0) * jv(order, t) * np.cos(phase + 0.5 * np.pi * order)
        weights[1:] *= 2.0
        found = np.zeros_like(x)
        for one, weight in zip(self.of.polynomials(x, terms), weights.astype(np.float32), strict=True):
            found += weight * one
        return found

    def shares(self, u: Vectors) -> FloatArray:
        """The same over the bins (bins, m), from moments: two for each product with H."""
        found = np.empty((self.bins, u.shape[1]))
        terms = self.windows.shape[1]
        for first in range(0, u.shape[1], _AT_ONCE):
            part = np.ascontiguousarray(u[:, first : first + _AT_ONCE], dtype=np.float32)
            moments = np.empty((terms, part.shape[1]))
            before = part
            for m, now in enumerate(self.of.polynomials(part, terms // 2 + 1)):
                # T_a T_b = (T_(a+b) + T_(a-b))/2
                if m == 0:
                    moments[0] = _product(now, now)
                    before = now.copy()
                    continue
                odd = _product(before, now)
                moments[2 * m - 1] = odd if m == 1 else 2.0 * odd - moments[1]
                if 2 * m < terms:
                    moments[2 * m] = 2.0 * _product(now, now) - moments[0]
                np.copyto(before, now)
            found[:, first : first + _AT_ONCE] = self.windows @ moments
        return found

    def gathered(self, rows: Vectors) -> FloatArray:
        """As they are: rows are bins."""
        return np.asarray(rows, dtype=float)


def _product(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> FloatArray:
    return np.asarray(np.einsum("cs,cs->s", a, b), dtype=float)


def levels(of: Blocks, excited: int, between: Couplings, bins: int) -> Levels:
    """Equal bins over the spectrum; blocks of one excitation and none are resolved level by level."""
    energy, states = np.linalg.eigh(hamiltonian(of, excited, between).toarray())
    width = float(energy[-1] - energy[0])
    if excited <= 1:
        place = np.arange(len(energy))
    elif width == 0.0:
        place = np.zeros(len(energy), dtype=np.int64)
    else:
        angle = np.arccos(np.clip(1.0 - 2.0 * (energy - energy[0]) / width, -1.0, 1.0))
        place = np.minimum((angle / np.pi * bins).astype(np.int64), bins - 1)
    used, place = np.unique(place, return_inverse=True)
    return Levels(states, place, len(used))


def sampled(of: Blocks, excited: int, between: Couplings, bins: int) -> Sampled:
    """Windows of equal width over the spectrum."""
    part = sector(of, excited, between)
    edges = -0.5 * (part.high - part.low) * np.cos(np.linspace(0.0, np.pi, bins + 1))
    angle = np.arccos(np.clip(edges / part.real_half, -1.0, 1.0))
    # the outer windows reach to the ends: together they are 1
    angle[0], angle[-1] = np.pi, 0.0
    m = np.arange(1, _TERMS)
    windows = np.empty((bins, _TERMS))
    windows[:, 0] = (angle[:-1] - angle[1:]) / np.pi
    sines = np.sin(np.outer(angle, m))
    windows[:, 1:] = 2.0 * (sines[:-1] - sines[1:]) / (np.pi * m)
    return Sampled(part, (windows * _jackson()).astype(np.float32))


def _jackson() -> FloatArray:
    """Damping that keeps the windows positive."""
    m, q = np.arange(_TERMS), np.pi / (_TERMS + 1)
    return np.asarray(((_TERMS - m + 1) * np.cos(q * m) + np.sin(q * m) / np.tan(q)) / (_TERMS + 1))
