"""The first photons of a full inversion, with coherences between levels of nearly equal energy.

In the eigenvectors of H of each block

    rho_pq' = -i (E_p - E_q) rho_pq - {G, rho}_pq/2 + sum_nu (A_nu rho_above A_nu^T)_pq,  |E_p - E_q| < cutoff

with G = sum_ij (Gamma_ij + kappa delta_ij) s+_i s-_j and its collective jumps A_nu. Coherences beyond the
cutoff turn too fast to matter: their feed-back is of the order of (rate/cutoff)^2 and they are left out, so
that a step is set by the cutoff and the rates, not by the width of the block (thousands of Gamma). An
infinite cutoff is the master equation of these blocks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.collective.blocks import blocks, different_sites, hamiltonian, lowering, photon_operator
from perolux.collective.couplings import ComplexArray, Couplings, FloatArray
from perolux.progress import Progress, silent

__all__ = ["FirstPhotons", "first_photons"]

# a millionth of one emitter's light is left out of what arrives below
_LEAST_MODE = 1e-6
_TURN = 0.5


@dataclass(frozen=True)
class FirstPhotons:
    """Per block, highest first: differences of energy that are kept (C, C), which these are, G, the photon
    operator, jumps (modes, C below, C), states as columns, and by how much dephasing fades the plain states
    (none without). fastest: in Gamma, what the step follows."""

    excited: tuple[int, ...]
    turns: tuple[FloatArray, ...]
    kept: tuple[npt.NDArray[np.bool_], ...]
    leaving: tuple[FloatArray, ...]
    photon: tuple[FloatArray, ...]
    jumps: tuple[FloatArray, ...]
    states: tuple[FloatArray, ...]
    fades: tuple[FloatArray, ...]
    fastest: float

    def slope(self, rho: list[ComplexArray]) -> list[ComplexArray]:
        """rho' of all blocks."""
        found = []
        for m, here in enumerate(rho):
            half = _real_by_complex(self.leaving[m], here)
            change = -1j * self.turns[m] * here - 0.5 * (half + half.conj().T)
            if m:
                above, jumps = rho[m - 1], self.jumps[m - 1]
                many, low, high = jumps.shape
                moved = _real_by_complex(jumps.reshape(-1, high), above).reshape(many, low, high)
                beside = np.ascontiguousarray(moved.transpose(0, 2, 1)).reshape(-1, low)
                flat = jumps.transpose(1, 0, 2).reshape(low, -1)
                change += _real_by_complex(flat, beside).T
            if len(self.fades):
                plain = self.states[m] @ here @ self.states[m].T
                change -= self.states[m].T @ (self.fades[m] * plain) @ self.states[m]
            found.append(change * self.kept[m])
        return found

    def run(
        self, times: FloatArray, into: FloatArray, least: float, progress: Progress = silent
    ) -> tuple[FloatArray, FloatArray]:
        """Photon rate, number in these blocks, and Tr[P rho] of the last block for each P of into (b, C, C)
        in its plain states: (2 + b, k) at equal steps from 0 on; zeros once fewer than `least` are left.
        Beside it the real part of rho of the last block, over all times, in plain states."""
        rho = [np.zeros(one.shape, dtype=complex) for one in self.turns]
        rho[0][0, 0] = 1.0
        last = self.states[-1]
        turned = np.stack([last.T @ one @ last for one in into]).reshape(len(into), -1)
        seen = np.zeros((2 + len(into), len(times)))
        gap = float(times[1] - times[0])
        inner = max(int(np.ceil(gap * self.fastest / _TURN)), 1)
        step = gap / inner
        whole = np.zeros(rho[-1].shape)
        progress.start("first photons", len(times))
        for t in range(len(times)):
            progress.advance()
            seen[0, t] = sum(np.real(np.vdot(g, r)) for g, r in zip(self.photon, rho, strict=True))
            seen[1, t] = sum(k * np.real(np.trace(r)) for k, r in zip(self.excited, rho, strict=True))
            seen[2:, t] = turned @ rho[-1].real.ravel()
            whole += gap * rho[-1].real
            if seen[1, t] < least or t + 1 == len(times):
                break
            for _ in range(inner):
                rho = self._stepped(rho, step)
        progress.finish()
        return seen, last @ whole @ last.T

    def _stepped(self, rho: list[ComplexArray], step: float) -> list[ComplexArray]:
        """The classical fourth-order rule."""

        def ahead(by: list[ComplexArray], share: float) -> list[ComplexArray]:
            return [a + share * step * b for a, b in zip(rho, by, strict=True)]

        one = self.slope(rho)
        two = self.slope(ahead(one, 0.5))
        three = self.slope(ahead(two, 0.5))
        four = self.slope(ahead(three, 1.0))
        return [
            r + step / 6.0 * (a + 2.0 * (b + c) + d)
            for r, a, b, c, d in zip(rho, one, two, three, four, strict=True)
        ]


def _real_by_complex(real: FloatArray, other: ComplexArray) -> ComplexArray:
    """real @ other in half the operations of a complex product."""
    return np.asarray((real @ np.ascontiguousarray(other).view(float)).view(complex))


def first_photons(
    between: Couplings, bottom: int, *, dephasing: float, loss: float, cutoff: float
) -> FirstPhotons:
    """Blocks N down to `bottom`. cutoff: in Gamma, of the energy differences whose coherences are kept."""
    n = len(between)
    of, ks = blocks(n), tuple(range(n, bottom - 1, -1))
    rates, modes = np.linalg.eigh(between.decay + loss * np.eye(n))
    bright = rates > _LEAST_MODE
    scaled = modes[:, bright] * np.sqrt(rates[bright])
    levels = {k: np.linalg.eigh(hamiltonian(of, k, between).toarray()) for k in ks}
    turns, kept, leaving, photon, jumps, fades, fastest = [], [], [], [], [], [], 0.0
    for k in ks:
        energy, states = levels[k]
        apart = energy[:, None] - energy
        near = np.abs(apart) < cutoff
        light = states.T @ (photon_operator(of, k, between) @ states)
        kept.append(near)
        turns.append(np.where(near, apart, 0.0))
        photon.append(light)
        leaving.append(light + loss * k * np.eye(len(energy)))
        fastest = max(
            fastest,
            float(np.max(np.abs(turns[-1]))),
            float(np.linalg.norm(leaving[-1], 2)) + 2.0 * dephasing * min(k, n - k),
        )
        if dephasing > 0.0:
            fades.append(dephasing * different_sites(of, k))
        if k > bottom:
            lower = lowering(of, k)
            below = levels[k - 1][1]
            jumps.append(
                np.stack(
                    [
                        below.T @ (sum(c * one for c, one in zip(v, lower, strict=True)) @ states)
                        for v in scaled.T
                    ]
                )
            )
    return FirstPhotons(
        ks, tuple(turns), tuple(kept), tuple(leaving), tuple(photon), tuple(jumps),
        tuple(levels[k][1] for k in ks), tuple(fades), fastest,
    )  # fmt: skip
