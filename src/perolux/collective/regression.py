"""Spectra of few emitters by the quantum regression theorem, exactly, as sums of lines.

    G(t, tau) = sum_ij Gamma_ij <s+_i(t + tau) s-_j(t)> = sum_nu Tr[L_nu^+ exp(L tau) (L_nu rho(t))]

L_nu: collective jumps, sqrt(Gamma_nu) in it. L_nu rho lies between blocks k - 1 and k of equal excitation;
there the generator is triangular, a block feeds the next lower one alone:

    X_k' = -i (H_(k-1) X_k - X_k H_k^+) - g* D X_k + sum_nu L_nu X_(k+1) L_nu^+ (+ loss)

(H with -i/2 of all rates; D: how many sites differ). Each diagonal part is diagonalised, the eigenvectors of
the whole follow by substitution: poles and weights, no grid of times or frequencies. All light of a density
is that of R = int rho dt, which obeys the same triangular equations.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from perolux.collective.blocks import Blocks, blocks, different_sites, hamiltonian, lowering, photon_operator
from perolux.collective.couplings import ComplexArray, Couplings, FloatArray
from perolux.collective.lines import Lines
from perolux.errors import ConvergenceError, ModelRangeError, OptionError

__all__ = ["Regression", "density_of", "regression"]

Density = dict[int, ComplexArray]
_MOST, _MOST_DEPHASED = 7, 6
_JITTER = 1e-6
_LEAST_MODE = 1e-10
_GATE = 1e-7
_TRUSTED = 1e-6


@dataclass(frozen=True)
class _Sector:
    """Operators from block k (columns) to k - 1 (rows): poles; `right` @ coefficients are the operators as
    vectors, `left` their inverse."""

    excited: int
    poles: ComplexArray
    right: ComplexArray
    left: ComplexArray


@dataclass(frozen=True)
class Regression:
    """Ready for any density of the assembly. sectors: k = 1..top. seen (nu, a): Tr[L_nu^+ x_a] of the right
    eigenvectors; asked: the left eigenvectors over the coefficients of sectors 1..top."""

    of: Blocks
    between: Couplings
    dephasing: float
    loss: float
    top: int
    sectors: tuple[_Sector, ...] = field(repr=False)
    poles: ComplexArray = field(repr=False)
    seen: ComplexArray = field(repr=False)
    asked: ComplexArray = field(repr=False)

    @cached_property
    def jumps(self) -> dict[int, list[FloatArray]]:
        """L_nu of each block k, sqrt(Gamma_nu) in it; light alone."""
        return {k: _collective(self.of, k, self.between) for k in range(1, self.top + 1)}

    def lines(self, density: Density) -> Lines:
        """G(t, tau) of a density rho(t) as a sum of exponentials in tau; G(t, 0) is the photon rate."""
        coefficients = []
        for sector in self.sectors:
            k = sector.excited
            rho = density.get(k)
            if rho is None:
                coefficients.append(np.zeros((len(sector.poles), len(self.jumps[k])), dtype=complex))
                continue
            made = np.stack([(one @ rho).ravel() for one in self.jumps[k]], axis=1)
            coefficients.append(sector.left @ made)
        weights = np.sum(self.seen.T * (self.asked @ np.concatenate(coefficients)), axis=1)
        return Lines(self.poles, weights, "exact")

    def spectrum(self, density: Density) -> Lines:
        """All the light that a density gives from now on.

        Raises `ConvergenceError` where poles coincide (identical emitters at one place).
        """
        whole = self.integrated(density)
        found = self.lines(whole)
        photons = sum(
            float(np.sum((one @ rho) * one.conj()).real) for k, rho in whole.items() for one in self.jumps[k]
        )
        if abs(found.photons - photons) > _TRUSTED * max(photons, 1e-12):
            raise ConvergenceError(
                f"lines of {found.photons:.4g} photons in place of {photons:.4g}: poles coincide",
                fix="identical emitters at one place: `symmetric_spectrum`",
            )
        return found

    def integrated(self, density: Density) -> Density:
        """R = int_0^inf rho dt of each block, with a gate exp(-1e-7 Gamma t) for states that never emit."""
        found: Density = {}
        fed: ComplexArray | None = None
        for k in range(self.top, 0, -1):
            size = self.of.size(k)
            source = density.get(k, np.zeros((size, size))) + (0.0 if fed is None else fed)
            found[k] = self._block_integral(k, np.asarray(source, dtype=complex))
            fed = self._fed(k, found[k])
        return found

    def _block_integral(self, k: int, source: ComplexArray) -> ComplexArray:
        h = _effective(self.of, k, self.between, self.loss)
        n = len(h)
        if self.dephasing == 0.0:
            values, v = np.linalg.eig(h)
            inverse = np.linalg.inv(v)
            inside = inverse @ source @ inverse.conj().T
            inside = inside / (_GATE + 1j * (values[:, None] - values.conj()[None, :]))
            return np.asarray(v @ inside @ v.conj().T)
        unit = np.eye(n)
        generator = -1j * (np.kron(h, unit) - np.kron(unit, h.conj()))
        fade = self.dephasing * different_sites(self.of, k).ravel() + _GATE
        return np.asarray(np.linalg.solve(np.diag(fade) - generator, source.ravel()).reshape(n, n))

    def _fed(self, k: int, rho: ComplexArray) -> ComplexArray:
        """What jumps bring from block k to k - 1."""
        found = sum(one @ rho @ one.T for one in self.jumps[k])
        if self.loss > 0.0:
            found = found + self.loss * sum(one @ rho @ one.T for one in lowering(self.of, k))
        return np.asarray(found, dtype=complex)


def density_of(start: tuple[int, ComplexArray]) -> Density:
    """The density of a pure state of one block."""
    return {start[0]: np.outer(start[1], start[1].conj())}


def regression(between: Couplings, top: int, *, dephasing: float = 0.0, loss: float = 0.0) -> Regression:
    """The lines of all densities with up to `top` excitations; up to 7 emitters, 6 with dephasing.

    Frequencies are split by 1e-6 Gamma at random, so that poles of different blocks do not coincide: spectra
    are right to about that. Raises `ModelRangeError` for more emitters.
    """
    n = len(between)
    most = _MOST if dephasing == 0.0 else _MOST_DEPHASED
    if n > most:
        raise ModelRangeError(
            f"the spectrum of {n} emitters by exact blocks",
            allowed=f"up to {_MOST}, {_MOST_DEPHASED} with dephasing",
            fix="one excitation: up to 1500; identical emitters: `symmetric_spectrum`",
        )  # fmt: skip
    if dephasing < 0.0 or loss < 0.0 or not 1 <= top <= n:
        raise OptionError("a rate below 0 or no excitation", allowed=f"rates from 0 on, 1 to {n} excitations")
    of = blocks(n)
    shaken = between.detuning + _JITTER * np.random.default_rng(0).standard_normal(n)
    between = Couplings(between.decay, between.shift, shaken)
    sectors = tuple(_sector(of, k, between, dephasing, loss) for k in range(1, top + 1))
    down = [_feed(of, k, between, loss, sectors) for k in range(1, top)]
    ends = np.concatenate([[0], np.cumsum([len(one.poles) for one in sectors])])
    poles = np.concatenate([one.poles for one in sectors])
    collective = {k: _collective(of, k, between) for k in range(1, top + 1)}
    functional = [
        np.stack([one.ravel() for one in collective[sector.excited]]) @ sector.right for sector in sectors
    ]
    seen = np.zeros((len(functional[0]), len(poles)), dtype=complex)
    asked = np.zeros((len(poles), len(poles)), dtype=complex)
    for m in range(top):
        here = slice(ends[m], ends[m + 1])
        mu = sectors[m].poles
        column: ComplexArray = np.eye(len(mu), dtype=complex)
        seen[:, here] += functional[m]
        for lower in range(m - 1, -1, -1):
            column = (down[lower] @ column) / (mu[None, :] - sectors[lower].poles[:, None])
            seen[:, here] += functional[lower] @ column
        row: ComplexArray = np.eye(len(mu), dtype=complex)
        asked[here, here] = row
        for upper in range(m + 1, top):
            row = (row @ down[upper - 1]) / (mu[:, None] - sectors[upper].poles[None, :])
            asked[here, ends[upper] : ends[upper + 1]] = row
    return Regression(of, between, dephasing, loss, top, sectors, poles, seen, asked)


def _effective(of: Blocks, k: int, between: Couplings, loss: float) -> ComplexArray:
    """H - (i/2) sum Gamma_ij s+_i s-_j - (i/2) kappa k of one block."""
    h = hamiltonian(of, k, between).toarray() - 0.5j * photon_operator(of, k, between).toarray()
    return np.asarray(h - 0.5j * loss * k * np.eye(of.size(k)))


def _collective(of: Blocks, k: int, between: Couplings) -> list[FloatArray]:
    """sqrt(Gamma_nu) L_nu from block k to k - 1, of the modes that emit."""
    rates, modes = between.modes()
    lower = np.stack([one.toarray() for one in lowering(of, k)])
    bright = rates > _LEAST_MODE
    return [
        np.tensordot(np.sqrt(rate) * mode, lower, axes=1)
        for rate, mode in zip(rates[bright], modes.T[bright], strict=True)
    ]


def _sector(of: Blocks, k: int, between: Couplings, dephasing: float, loss: float) -> _Sector:
    below, here = _effective(of, k - 1, between, loss), _effective(of, k, between, loss)
    if dephasing == 0.0:
        low, v = np.linalg.eig(below)
        high, u = np.linalg.eig(here)
        poles = -1j * (low[:, None] - high.conj()[None, :])
        right = np.kron(v, u.conj())
        left: ComplexArray = np.asarray(np.kron(np.linalg.inv(v), np.linalg.inv(u).conj()), dtype=complex)
        return _Sector(k, poles.ravel(), right, left)
    rows, columns = len(below), len(here)
    generator = -1j * (np.kron(below, np.eye(columns)) - np.kron(np.eye(rows), here.conj()))
    differ = np.array([[int(a ^ b).bit_count() for b in of.states[k]] for a in of.states[k - 1]])
    generator -= dephasing * np.diag(differ.ravel())
    poles, right = np.linalg.eig(generator)
    return _Sector(
        k, np.asarray(poles, dtype=complex), np.asarray(right, dtype=complex), np.linalg.inv(right)
    )


def _feed(of: Blocks, k: int, between: Couplings, loss: float, sectors: tuple[_Sector, ...]) -> ComplexArray:
    """sum_nu L_nu X_(k+1) L_nu^+ from sector k + 1 to sector k, between their eigenvectors."""
    kinds = list(zip(_collective(of, k, between), _collective(of, k + 1, between), strict=True))
    if loss > 0.0:
        root = np.sqrt(loss)
        kinds += [
            (root * a.toarray(), root * b.toarray())
            for a, b in zip(lowering(of, k), lowering(of, k + 1), strict=True)
        ]
    above = sectors[k].right
    shape = (of.size(k), of.size(k + 1), above.shape[1])
    brought = np.zeros((of.size(k - 1), of.size(k), above.shape[1]), dtype=complex)
    tensor = above.reshape(shape)
    for first, second in kinds:
        brought += np.einsum("pa,abm,qb->pqm", first, tensor, second, optimize=True)
    return np.asarray(sectors[k - 1].left @ brought.reshape(-1, above.shape[1]))
