"""Emitters that light has turned: every one in cos(a/2)|g> + exp(i k.r) sin(a/2)|e>, with the phase of the
wave.

Photon rate, population, spectra and coincidences keep the number of excitations, and the generator does not
mix coherences of another order with them: the part of the state that lies within blocks of equal excitation
gives all of them. That part is a mixture of k = 0..N with the weights of a binomial distribution, each a pure
state of equal moduli with the phase of k emitters (for k = 1 the timed Dicke state).
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sparse
from scipy.linalg import expm
from scipy.sparse.linalg import expm_multiply

from perolux.collective.blocks import Blocks, blocks, excited_sites, lowering, photon_operator
from perolux.collective.couplings import ComplexArray, Couplings, Emitters, FloatArray
from perolux.collective.master_equation import block_generator, generator_matrix, propagate
from perolux.collective.rows import Emission
from perolux.collective.single_spectra import phased_amplitudes
from perolux.errors import ConvergenceError, ModelRangeError, OptionError

__all__ = ["density_emission", "phased_density", "second_order"]

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
    n = len(between)
    if n > _MOST:
        raise ModelRangeError(f"a density of {n} emitters", allowed=f"up to {_MOST}")
    top = max(density)
    generator = block_generator(between, top, 0, dephasing=dephasing, loss=loss, complex_start=True)
    of = generator.of
    light = {k: photon_operator(of, k, between).toarray() for k in range(top + 1)}
    up = {k: k * np.eye(of.size(k)) for k in range(top + 1)}
    one = {k: np.eye(of.size(k)) for k in range(top + 1)}
    weights = np.stack([generator.functional(each) for each in (light, up, one)])
    rho = np.zeros(2 * generator.length)
    for k, block in density.items():
        at = int(generator.start[top - k])
        rho[at : at + block.size] = block.real.ravel()
        rho[generator.length + at : generator.length + at + block.size] = block.imag.ravel()
    if not generator.complex_too:
        rho = rho[: generator.length]
    whole = float(weights[2] @ rho[: generator.length])
    seen, _ = propagate(generator, rho, times, weights, generator.turning, generator.damping)
    if float(np.max(np.abs(seen[2] - whole))) > 1e-6 * max(whole, 1.0):
        raise ConvergenceError("the trace of the density is not kept")
    change = float(weights[1] @ generator(rho)[: generator.length])
    balance = abs(change + weights[0] @ rho[: generator.length] + loss * weights[1] @ rho[: generator.length])
    rate = float(weights[0] @ rho[: generator.length])
    pairs = float(sum(np.sum(light[k] * block.real) for k, block in _after_photon(between, density).items()))
    return Emission(
        "exact", "master equation on excitation blocks, each step to 1e-12", times, seen[0], seen[1],
        np.zeros(len(times)), pairs / rate**2 if rate > 0.0 else None, float(balance) / n,
    )  # fmt: skip


def _after_photon(between: Couplings, density: Density) -> Density:
    """sum_nu L_nu rho L_nu^+: the density after a photon, its trace the photon rate."""
    n = len(between)
    of = blocks(n)
    rates, modes = between.modes()
    found: Density = {}
    for k, rho in density.items():
        if k == 0:
            continue
        lower = np.stack([one.toarray() for one in lowering(of, k)])
        found[k - 1] = np.zeros((of.size(k - 1), of.size(k - 1)), dtype=complex)
        for rate, mode in zip(rates, modes.T, strict=True):
            jump = np.sqrt(rate) * np.tensordot(mode, lower, axes=1)
            found[k - 1] += jump @ rho @ jump.T
    return found


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
