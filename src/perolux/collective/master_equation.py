"""Few emitters with everything, exactly: the master equation on blocks of equal excitation.

    rho' = -i [H, rho] + sum_ij Gamma_ij (s-_j rho s+_i - 1/2 {s+_i s-_j, rho})
           + (g*/2) sum_i (sz_i rho sz_i - rho) + kappa sum_i (s-_i rho s+_i - 1/2 {s+_i s-_i, rho})

g* pure dephasing (1/T2 = Gamma/2 + g*), kappa loss without light. rho = A + iB stays block-diagonal and is
kept as A + B, C(2N, N) real numbers: A is symmetric, B antisymmetric. The exponential of the generator is a
series of Chebyshev polynomials over steps of up to two thousand turns of the fastest coherence; what is asked
for at the times between is summed from the same terms, so that output times cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import scipy.sparse as sparse
from scipy.fft import fft, next_fast_len
from scipy.linalg import expm
from scipy.special import ive, jv

from perolux.collective.blocks import (
    Blocks,
    blocks,
    different_sites,
    hamiltonian,
    lowering,
    photon_operator,
)
from perolux.collective.couplings import ComplexArray, Couplings, FloatArray
from perolux.collective.rows import Emission
from perolux.errors import ConvergenceError, ModelRangeError, OptionError

__all__ = ["BlockGenerator", "correlations", "exact_density", "exact_emission", "generator_matrix"]

_MOST = 11
_TURNS = 2000.0
# terms of a step grow up to exp of half of this, and rounding with them
_DAMPING = 8.0
_TOLERANCE = 1e-12
_FEW_TERMS = 300
_DENSE = 40
_FEW_STEPS = 6


@dataclass(frozen=True)
class BlockGenerator:
    """The right-hand side for blocks `top` down to `bottom`. turning, damping: bounds on the frequencies and
    on the decay rates of the generator, in Gamma. hops: of `_block_kernels.hops`."""

    of: Blocks
    between: Couplings
    top: int
    bottom: int
    dephasing: float
    loss: float
    turning: float
    damping: float
    first: npt.NDArray[np.int64]
    size: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    states: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]
    hops: tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64], FloatArray, FloatArray] = field(repr=False)

    @property
    def length(self) -> int:
        """Numbers of all blocks."""
        return int(np.sum(self.size**2))

    def __call__(self, rho: FloatArray) -> FloatArray:
        """rho' of rho, both as A + B of the blocks, the highest first."""
        from perolux.collective._block_kernels import generator

        found = np.empty_like(rho)
        generator(
            rho, found, self.turning > 0.0, *self.hops, self.states, self.first, self.size, self.start,
            self.of.place, self.count, self.of.emitters, self.between.decay, self.loss, self.dephasing,
        )  # fmt: skip
        return found

    def packed(self, density: dict[int, ComplexArray]) -> FloatArray:
        """Density matrices of blocks, Hermitian, as rho."""
        rho = np.zeros(self.length)
        for k, block in density.items():
            at = int(self.start[self.top - k])
            rho[at : at + block.size] = (block.real + block.imag).ravel()
        return rho

    def functional(self, operators: dict[int, FloatArray]) -> FloatArray:
        """Weights f with Tr[O rho] = f.(A + B) for a real symmetric O in the blocks named: B adds nothing."""
        weights = np.zeros(self.length)
        for k, operator in operators.items():
            at = int(self.start[self.top - k])
            weights[at : at + operator.size] = operator.ravel()
        return weights

    def unpacked(self, rho: FloatArray) -> dict[int, ComplexArray]:
        """Density matrices of the blocks."""
        found = {}
        for m, (size, at) in enumerate(zip(self.size, self.start, strict=True)):
            block = rho[at : at + size**2].reshape(size, size)
            found[self.top - m] = 0.5 * (block + block.T) + 0.5j * (block - block.T)
        return found


def block_generator(
    between: Couplings, top: int, bottom: int, *, dephasing: float, loss: float
) -> BlockGenerator:
    """The generator of blocks `top` down to `bottom`, with bounds of its spectrum from each block."""
    from perolux.collective._block_kernels import hops

    of = blocks(len(between))
    ks = range(top, bottom - 1, -1)
    size = np.array([of.size(k) for k in ks], dtype=np.int64)
    turns = bool(np.any(between.shift)) or bool(np.any(between.detuning))
    turning, damping = 0.0, 0.0
    for k in ks:
        if turns:
            levels = np.linalg.eigvalsh(hamiltonian(of, k, between).toarray())
            turning = max(turning, float(levels[-1] - levels[0]))
        fast = float(np.linalg.eigvalsh(photon_operator(of, k, between).toarray())[-1]) + loss * k
        damping = max(damping, fast + dephasing * 2.0 * min(k, of.emitters - k))
    patterns = np.arange(2**of.emitters, dtype=np.int64)
    count = sum((patterns >> i & 1 for i in range(of.emitters)), np.zeros_like(patterns))
    states = np.concatenate([of.states[k] for k in ks])
    return BlockGenerator(
        of, between, top, bottom, dephasing, loss, turning, damping,
        np.concatenate([[0], np.cumsum(size)[:-1]]), size, np.concatenate([[0], np.cumsum(size**2)[:-1]]),
        states, count,
        hops(
            states, of.place, count, of.emitters, between.shift, between.detuning, between.decay, loss
        ),
    )  # fmt: skip


def propagate(
    apply: Callable[[FloatArray], FloatArray],
    rho: FloatArray,
    times: FloatArray,
    weights: FloatArray,
    turning: float,
    damping: float,
) -> tuple[FloatArray, FloatArray]:
    """f.exp(t L) rho for the rows f of weights at all times (m, k), and rho last.

    L has frequencies up to `turning` and decay rates up to `damping`. A step is one series: with W a scale of
    the frequencies, c half of the damping and M = L + c, exp(t L) = exp(-c t) times
    J_0(W t) + 2 sum_n J_n(W t) phi_n, phi_(n+1) = 2 (M/W) phi_n + phi_(n-1); where nothing turns,
    I_0(c t) + 2 sum_n I_n(c t) T_n(M/c). Raises `ConvergenceError` where the series does not end.
    """
    from perolux.collective._block_kernels import next_term

    if len(rho) <= _DENSE:
        direct = _dense_steps(apply, rho, times, weights)
        if direct is not None:
            return direct
    found = np.zeros((len(weights), len(times)))
    turns = turning > 0.0
    centre = max(0.5 * damping, 1e-9)
    scale = max(1.05 * turning, centre) if turns else centre
    longest = min(_TURNS / scale, _DAMPING / (2.0 * centre))
    seen = np.flatnonzero(np.any(weights, axis=0))
    some = np.ascontiguousarray(weights[:, seen])
    now, done = 0.0, 0
    while done < len(times):
        step = min(longest, float(times[-1]) - now)
        last = int(np.searchsorted(times, now + step * (1.0 + 1e-12), side="right"))
        at = np.append(times[done:last] - now, step)
        most = int(1.3 * scale * step + 60)
        share = _shares(turns, most, scale * at) * np.exp(-centre * at if turns else 0.0 * at)[:, None]
        size = float(np.linalg.norm(rho)) + 1e-300
        before, here = rho.copy(), (apply(rho) + centre * rho) / scale
        total = share[-1, 0] * before + share[-1, 1] * here
        moments = [some @ before[seen], some @ here[seen]]
        small = 0
        for n in range(2, most + 1):
            part = share[-1, n]
            length = next_term(
                apply(here),
                here,
                before,
                total,
                2.0 / scale,
                2.0 * centre / scale,
                1.0 if turns else -1.0,
                part,
            )
            before, here = here, before
            moments.append(some @ here[seen])
            # two terms in a row below the tolerance, and past the turning point of the Bessel functions
            small = small + 1 if abs(part) * length**0.5 < _TOLERANCE * size else 0
            if small >= 2 and n > scale * step:
                break
        else:
            raise ConvergenceError(f"the series of the master equation does not end after {most} terms")
        found[:, done:last] = np.stack(moments, axis=1) @ share[:-1, : len(moments)].T
        rho, done, now = total, last, now + step
        if step <= 0.0:
            break
    return found, rho


def _shares(turns: bool, most: int, x: FloatArray) -> FloatArray:
    """J_n(x), or exp(-x) I_n(x) where nothing turns, n = 0..most, from n = 1 on twice: (k, most + 1).

    Many J_n from exp(i x sin a) = sum_n J_n exp(i n a) by a transform: absolute errors of 1e-16 x. Where the
    damping is not far below the frequencies, phi_n grow and small J_n must be right: by `jv`, few there.
    """
    if turns and most > _FEW_TERMS:
        points = 2 * next_fast_len(most + 20)
        waves = np.exp(1j * x[:, None] * np.sin(2.0 * np.pi * np.arange(points) / points))
        share = np.asarray(fft(waves, axis=1)[:, : most + 1].real) / points
    else:
        share = np.asarray((jv if turns else ive)(np.arange(most + 1)[None, :], x[:, None]))
    share[:, 1:] *= 2.0
    return share


def _dense_steps(
    apply: Callable[[FloatArray], FloatArray], rho: FloatArray, times: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray] | None:
    """The same with exponentials of a small dense generator; None where the steps differ too much."""
    gaps = np.diff(times, prepend=0.0)
    # steps equal but for rounding of the times
    kinds = np.round(gaps / max(float(times[-1]), 1e-300), 12)
    different, first, which = np.unique(kinds, return_index=True, return_inverse=True)
    if len(different) > _FEW_STEPS:
        return None
    generator = np.stack([apply(one) for one in np.eye(len(rho))], axis=1)
    moves = [expm(generator * gaps[i]) for i in first]
    found = np.zeros((len(weights), len(times)))
    for t, kind in enumerate(which):
        rho = moves[kind] @ rho
        found[:, t] = weights @ rho
    return found, rho


def exact_emission(
    between: Couplings,
    start: tuple[int, ComplexArray],
    times: FloatArray,
    *,
    dephasing: float = 0.0,
    loss: float = 0.0,
) -> Emission:
    """Photon rate and population against time by the master equation; up to 11 emitters.

    start: block and state vector (`blocks.product_state`, `symmetric_single`). times: in 1/Gamma, rising from
    0 on. dephasing, loss: g* and kappa over Gamma. Each step to 1e-12. Raises `ModelRangeError` for more
    emitters, `ConvergenceError` where the trace or the energy balance fails by more than 1e-6.
    """
    generator, rho = _started(between, start, dephasing, loss)
    of, top = generator.of, generator.top
    photon_blocks = {k: photon_operator(of, k, between).toarray() for k in range(top + 1)}
    eyes = {k: np.eye(of.size(k)) for k in range(top + 1)}
    weights = np.stack(
        [
            generator.functional(photon_blocks),
            generator.functional({k: k * one for k, one in eyes.items()}),
            generator.functional(eyes),
        ]
    )
    seen, _ = propagate(generator, rho, times, weights, generator.turning, generator.damping)
    photon, population, trace = seen
    n = len(between)
    if not float(np.max(np.abs(trace - 1.0))) <= 1e-6:  # not a number is off too
        raise ConvergenceError(f"the trace of rho is off by {np.max(np.abs(trace - 1.0)):.2g}")
    imbalance = _imbalance(generator, rho, times, weights[:2], n)
    if imbalance > 1e-6:
        raise ConvergenceError(f"the energy balance fails by {imbalance:.2g} of the excitations")
    return Emission(
        "exact", "master equation on excitation blocks, each step to 1e-12", times, photon, population,
        np.zeros_like(photon), _initial_g2(between, start), imbalance,
    )  # fmt: skip


def exact_density(
    between: Couplings,
    start: tuple[int, ComplexArray],
    time: float,
    *,
    dephasing: float = 0.0,
    loss: float = 0.0,
) -> dict[int, ComplexArray]:
    """The density matrices of the blocks at one time; arguments as for `exact_emission`."""
    generator, rho = _started(between, start, dephasing, loss)
    none = np.zeros((0, len(rho)))
    _, after = propagate(generator, rho, np.array([time]), none, generator.turning, generator.damping)
    return generator.unpacked(after)


def correlations(emitters: int, density: dict[int, ComplexArray]) -> ComplexArray:
    """<s+_i s-_j> (N, N) of the block density matrices: what `plane_waves.radiation_pattern` needs."""
    of = blocks(emitters)
    found = np.zeros((emitters, emitters), dtype=complex)
    for k, rho in density.items():
        if k == 0:
            continue
        lowered = [one @ rho for one in lowering(of, k)]
        for i, one in enumerate(lowering(of, k)):
            for j in range(emitters):
                # Tr[s-_j rho s+_i]
                found[i, j] += one.multiply(lowered[j]).sum()
    return found


def _started(
    between: Couplings, start: tuple[int, ComplexArray], dephasing: float, loss: float
) -> tuple[BlockGenerator, FloatArray]:
    n = len(between)
    if n > _MOST:
        raise ModelRangeError(
            f"the master equation of {n} emitters", allowed=f"up to {_MOST}",
            fix="quantum-jump trajectories to 12; identical emitters: the ladder",
        )  # fmt: skip
    if dephasing < 0.0 or loss < 0.0:
        raise OptionError("a rate below 0", allowed="dephasing and loss of 0 and more, in Gamma")
    top, vector = start
    generator = block_generator(between, top, 0, dephasing=dephasing, loss=loss)
    return generator, generator.packed({top: np.outer(vector, vector.conj())})


def _imbalance(
    generator: BlockGenerator, rho: FloatArray, times: FloatArray, weights: FloatArray, n: int
) -> float:
    """Largest |d(population)/dt + photons + loss| over N, at the start and a little later."""
    worst = 0.0
    for _ in range(2):
        light, up = weights @ rho
        change = float(weights[1] @ generator(rho))
        worst = max(worst, abs(change + light + generator.loss * up) / n)
        tenth = np.array([min(0.1 * float(times[-1]), 5.0 / max(generator.turning, generator.damping, 1.0))])
        _, rho = propagate(generator, rho, tenth, weights, generator.turning, generator.damping)
    return float(worst)


def _initial_g2(between: Couplings, start: tuple[int, ComplexArray]) -> float | None:
    """sum Gamma_ij Gamma_kl <s+_i s+_k s-_l s-_j> over the rate squared, of the state at first."""
    k, vector = start
    if k == 0:
        return None
    of = blocks(len(between))
    first = float(np.real(vector.conj() @ (photon_operator(of, k, between) @ vector)))
    if first <= 0.0:
        return None
    rates, modes = between.modes()
    lowered = np.stack([one @ vector for one in lowering(of, k)])
    after = np.sqrt(rates)[:, None] * (modes.T @ lowered)
    second = photon_operator(of, k - 1, between)
    return float(np.real(np.sum(after.conj() * (second @ after.T).T))) / first**2


def generator_matrix(
    of: Blocks, between: Couplings, excited: int, dephasing: float, loss: float
) -> sparse.csr_matrix:
    """The generator over vec(rho) of blocks `excited` down to 0, highest first, as one complex sparse matrix.

    The plain twin of the compiled kernel, for tests.
    """
    ks = list(range(excited, -1, -1))
    grid: list[list[object]] = [[None] * len(ks) for _ in ks]
    for m, k in enumerate(ks):
        unit = sparse.identity(of.size(k), format="csr")
        photon = photon_operator(of, k, between)
        effective = hamiltonian(of, k, between).astype(complex) - 0.5j * (photon + loss * k * unit)
        part = -1j * (sparse.kron(effective, unit) - sparse.kron(unit, effective.conj()))
        grid[m][m] = part - sparse.diags(dephasing * different_sites(of, k).ravel())
        if k > 0:
            lower = lowering(of, k)
            rows = [
                sum((between.decay[i, j] + loss * (i == j)) * lower[j] for j in range(of.emitters))
                for i in range(of.emitters)
            ]
            grid[m + 1][m] = sum(sparse.kron(row, lower[i]) for i, row in enumerate(rows))
    return sparse.bmat(grid, format="csr")
