"""Emitters that light has turned: every one in cos(a/2)|g> + exp(i k.r) sin(a/2)|e>, with the phase of the
wave.

Photon rate, population, spectra and coincidences keep the number of excitations, and the generator does not
mix coherences of another order with them: the part of the state that lies within blocks of equal excitation
gives all of them. That part is a mixture of k = 0..N with the weights of a binomial distribution, each a pure
state of equal moduli with the phase of k emitters (for k = 1 the timed Dicke state).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from scipy.linalg import expm
from scipy.sparse.linalg import expm_multiply

from perolux.collective.block_generator import block_generator
from perolux.collective.block_series import propagate
from perolux.collective.blocks import Blocks, blocks, excited_sites, hamiltonian, lowering, photon_operator
from perolux.collective.couplings import ComplexArray, Couplings, Emitters, FloatArray
from perolux.collective.master_equation import generator_matrix
from perolux.collective.rows import Emission
from perolux.collective.single_spectra import phased_amplitudes
from perolux.errors import ConvergenceError, ModelRangeError, OptionError

__all__ = ["LightCourse", "density_emission", "light_course", "phased_density", "second_order"]

Density = dict[int, ComplexArray]
_MOST = 8
_MOST_PAIRS = 6
_DENSE = 300


def phased_density(emitters: Emitters, direction: FloatArray, angle: float) -> Density:
    """The blocks of the product state after a pulse of area `angle` (rad, pi inverts) along `direction`."""
    n = len(emitters)
    if n > _MOST:
        raise ModelRangeError(f"a driven product state of {n} emitters", allowed=f"up to {_MOST}")
    if not 0.0 < angle <= np.pi:
        raise OptionError(f"a pulse area of {angle:g}", allowed="above 0, up to pi")
    of = blocks(n)
    phase = np.angle(phased_amplitudes(emitters, direction))
    found: Density = {}
    for k in range(n + 1):
        size = np.sin(0.5 * angle) ** k * np.cos(0.5 * angle) ** (n - k)
        vector = size * np.exp(1j * (excited_sites(of, k) @ phase))
        found[k] = np.outer(vector, vector.conj())
    return found


def density_emission(
    between: Couplings, density: Density, times: FloatArray, *, dephasing: float = 0.0, loss: float = 0.0
) -> Emission:
    """Photon rate and population of a density that lies within blocks, by the master equation; up to 8.

    As `exact_emission`, for mixtures of several blocks. g2_zero is that of the density.
    """
    found = light_course(between, density, times, dephasing=dephasing, loss=loss)
    return Emission(
        "exact", "master equation on excitation blocks, each step to 1e-12", times, found.photon_rate,
        found.excited, np.zeros(len(times)), found.g2_zero, found.imbalance,
    )  # fmt: skip


@dataclass(frozen=True)
class LightCourse:
    """photon_rate, excited (k,). frequency (k,): mean of the light at each time, in Gamma, less the mean of
    the emitters; g2 (k,): of two photons at one time. Both NaN where no light is left. g2_zero: of the
    start."""

    photon_rate: FloatArray
    excited: FloatArray
    frequency: FloatArray
    g2: FloatArray
    g2_zero: float | None
    imbalance: float


def light_course(
    between: Couplings, density: Density, times: FloatArray, *, dephasing: float = 0.0, loss: float = 0.0
) -> LightCourse:
    """Rate, population, mean frequency and g2(t, t) of the light of a density; up to 8 emitters, exactly.

    All are means of real symmetric operators of each block, with L_nu the jumps, G = sum L_nu^T L_nu:
    frequency Tr[(G H - sum L_nu^T H L_nu) rho]/I = Im d/dtau ln G1(t, tau) at 0; pairs sum L_nu^T G L_nu.
    """
    n, top = len(between), max(density)
    if n > _MOST:
        raise ModelRangeError(f"a density of {n} emitters", allowed=f"up to {_MOST}")
    generator = block_generator(between, top, dephasing=dephasing, loss=loss)
    of = generator.of
    light = {k: photon_operator(of, k, between).toarray() for k in range(top + 1)}
    h = {k: hamiltonian(of, k, between).toarray() for k in range(top + 1)}
    pitch: dict[int, FloatArray] = {}
    pairs: dict[int, FloatArray] = {}
    for k in range(1, top + 1):
        jumps = _jumps(of, k, between)
        moved = light[k] @ h[k] - sum(one.T @ h[k - 1] @ one for one in jumps)
        pitch[k] = 0.5 * (moved + moved.T)
        pairs[k] = sum((one.T @ light[k - 1] @ one for one in jumps), np.zeros_like(light[k]))
    up = {k: k * np.eye(of.size(k)) for k in range(top + 1)}
    unit = {k: np.eye(of.size(k)) for k in range(top + 1)}
    weights = np.stack([generator.functional(each) for each in (light, up, unit, pitch, pairs)])
    rho = generator.packed(density)
    first = weights @ rho
    seen, _ = propagate(generator, rho, times, weights)
    if float(np.max(np.abs(seen[2] - first[2]))) > 1e-6 * max(first[2], 1.0):
        raise ConvergenceError("the trace of the density is not kept")
    change = float(weights[1] @ generator(rho))
    shines = seen[0] > 1e-12 * max(float(np.max(seen[0])), 1e-300)
    safe = np.where(shines, seen[0], np.nan)
    return LightCourse(
        seen[0], seen[1], seen[3] / safe, seen[4] / safe**2,
        float(first[4] / first[0] ** 2) if first[0] > 0.0 else None,
        float(abs(change + first[0] + loss * first[1])) / n,
    )  # fmt: skip


def _jumps(of: Blocks, k: int, between: Couplings) -> list[FloatArray]:
    """sqrt(Gamma_nu) L_nu from block k to k - 1."""
    rates, modes = between.modes()
    lower = np.stack([one.toarray() for one in lowering(of, k)])
    return [
        np.tensordot(np.sqrt(rate) * mode, lower, axes=1)
        for rate, mode in zip(rates, modes.T, strict=True)
        if rate > 1e-12
    ]


def _after_photon(between: Couplings, density: Density) -> Density:
    """sum_nu L_nu rho L_nu^+: the density after a photon, its trace the photon rate."""
    of = blocks(len(between))
    return {
        k - 1: np.asarray(sum(one @ rho @ one.T for one in _jumps(of, k, between)), dtype=complex)
        for k, rho in density.items()
        if k > 0
    }


def second_order(
    between: Couplings, density: Density, times: FloatArray, *, dephasing: float = 0.0, loss: float = 0.0
) -> tuple[FloatArray, FloatArray]:
    """G2(t, t') = pairs of photons at t and t' >= t (upper triangle) on evenly spaced times from 0, and I(t).

    G2(t, t') = Tr[I exp(L (t' - t)) sum_nu L_nu rho(t) L_nu^+], quantum regression; up to 6 emitters. Over
    I(t) I(t') it is g2(t, t'). Its integral over t < t', twice, is <n (n - 1)> of the photons: N (N - 1) of a
    full inversion without loss. Raises `OptionError` for uneven times.
    """
    n, top = len(between), max(density)
    if n > _MOST_PAIRS:
        raise ModelRangeError(f"pairs of photons of {n} emitters", allowed=f"up to {_MOST_PAIRS}")
    steps = np.diff(times)
    if len(times) < 2 or times[0] != 0.0 or np.ptp(steps) > 1e-9 * float(steps[0]):
        raise OptionError("times that are not evenly spaced from 0", allowed="np.linspace(0, end, m)")
    of = blocks(n)
    ks = range(top, -1, -1)
    generator = generator_matrix(of, between, top, dephasing, loss)
    light = np.concatenate([photon_operator(of, k, between).toarray().ravel() for k in ks]).astype(complex)
    # what a photon at first leaves, as one vector: rho of all times, then the functional of all delays
    states = _course(generator, _packed(of, density, top), times)
    seen = _course(generator.T, light, times)
    after = np.stack([_packed(of, _after_photon(between, _blocks_of(of, one, top)), top) for one in states])
    pairs = np.real(after @ seen.T)
    found = np.zeros((len(times), len(times)))
    for i in range(len(times)):
        found[i, i:] = pairs[i, : len(times) - i]
    return found, np.real(states @ light)


def _course(generator: sparse.csr_matrix, start: ComplexArray, times: FloatArray) -> ComplexArray:
    """exp(t generator) start at evenly spaced times, (m, ...)."""
    if len(start) <= _DENSE:
        move = expm(generator.toarray() * float(times[1]))
        found = [start]
        for _ in times[1:]:
            found.append(move @ found[-1])
        return np.stack(found)
    return np.asarray(expm_multiply(generator, start, 0.0, float(times[-1]), len(times)))


def _packed(of: Blocks, density: Density, top: int) -> ComplexArray:
    parts = [density.get(k, np.zeros((of.size(k), of.size(k)))).ravel() for k in range(top, -1, -1)]
    return np.concatenate(parts).astype(complex)


def _blocks_of(of: Blocks, vector: ComplexArray, top: int) -> Density:
    found, at = {}, 0
    for k in range(top, -1, -1):
        size = of.size(k)
        found[k] = vector[at : at + size**2].reshape(size, size)
        at += size**2
    return found
