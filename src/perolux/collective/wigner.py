"""The discrete truncated Wigner method: classical spins with quantum noise, for thousands of emitters.

    F = (Gamma/2 + i Omega) s- + xi,   s-_i' = sz_i F_i - i delta_i s-_i,   sz_i' = -4 Re(conj(s-_i) F_i)
    <xi_i conj(xi_j)> = (Gamma_ij/2) delta(t - t'),   start: sx, sy = +-1 at random, sz = +-1

in Stratonovich form. I = sum_ij Gamma_ij conj(s-_i) s-_j - sum_i |s-_i|^2 + sum_i (1 + sz_i)/2. Without
near-field shifts the burst comes out to about 1.5 %; the dark tail does not, and with shifts of touching
nanocrystals the burst is 6 to 25 % too low up to 27 emitters: an end of a bracket there, not a result.

The tail is wrong for one emitter already: sz' = -1 - sz needs <sz^2> = 1, but the spin wanders over a sphere
of radius sqrt(3), and on it the stationary density is exp(-sz). The population is 0.022 too low at Gamma t =
0.74 and ends 0.078 above 0 (closed form, and a test): no step or number of trajectories mends that.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from perolux.collective.couplings import Couplings, FloatArray
from perolux.collective.kept import MOST_BATCHES, batch_of, joined_batches, kept_batch, means_of
from perolux.collective.plane_waves import real_factor
from perolux.collective.rows import Emission
from perolux.errors import ModelRangeError, OptionError
from perolux.pieces import Pieces, nothing_kept
from perolux.progress import Progress, silent, track
from perolux.threads import one_thread

__all__ = ["wigner_emission", "wigner_step_plain", "wigner_steps", "wigner_time_step"]

_MOST = 10_000
_STEP_OVER_FIELD = 0.4
# a quarter instead of a tenth changes the burst of 20 emitters by 0.1 %, a half by 0.7 %
_STEP_OVER_RATE = 0.25
# of the root mean square: 216 emitters with full shifts and 1000 Gamma keep populations within 1 % of those
# with a sixth of the step. A sum over thousands does not see the few that are far out
_STEP_OVER_SPREAD = 0.4
_BURST_OVER_RATE = 10.0
_LARGEST_STEP = 5e-3
_LANES = 64


def wigner_time_step(between: Couplings) -> float:
    """Time step in 1/Gamma: 0.4 over the largest root of sum_j Omega_ij^2, 0.25 over the largest collective
    rate, 0.4 over the root mean square of the detunings; 0.005 at most."""
    return _step(between, _STEP_OVER_RATE)


def _step(between: Couplings, over_rate: float) -> float:
    field = float(np.sqrt(np.max(np.sum(between.shift**2, axis=1), initial=0.0)))
    spread = float(np.sqrt(np.mean(between.detuning**2)))
    return min(
        _LARGEST_STEP,
        _STEP_OVER_FIELD / field if field > 0.0 else np.inf,
        over_rate / _collective(between),
        _STEP_OVER_SPREAD / spread if spread > 0.0 else np.inf,
    )


def _collective(between: Couplings) -> float:
    return float(np.max(np.sum(np.abs(between.decay), axis=1)))


def wigner_steps(between: Couplings, end: float, dephasing: float = 0.0) -> FloatArray:
    """Lengths of the steps to a time: those of `wigner_time_step` while a burst can last, longer ones after.

    A burst is over by 10 ln(N + 1) over the largest collective rate, or never comes. What is left is damped,
    and the sweeps are stable at any step: 2 over the rate moves the population of 512 emitters by less than
    1 % at any time.
    """
    early = wigner_time_step(between)
    late = min(_step(between, 2.0), max(early, 0.1 / max(dephasing, 1e-12)))
    turn = min(_BURST_OVER_RATE * float(np.log(len(between) + 1.0)) / _collective(between), end)
    parts = []
    for length, dt in ((turn, early), (end - turn, late)):
        steps = int(np.ceil(length / dt))
        parts.append(np.full(steps, length / max(steps, 1)))
    return np.concatenate(parts)


def wigner_emission(
    between: Couplings,
    excited_emitters: np.ndarray,
    times: FloatArray,
    *,
    trajectories: int = 1000,
    rng: np.random.Generator,
    dephasing: float = 0.0,
    loss: float = 0.0,
    time_step: float | None = None,
    progress: Progress = silent,
    pieces: Pieces = nothing_kept,
) -> Emission:
    """Mean photon rate and population over trajectories, with standard errors (statistical alone).

    excited_emitters: which are excited at first. times: in 1/Gamma, rising from 0 on; rates are linear
    between steps. The imbalance of energy, which this method has by itself, is measured and told.
    """
    n = len(between)
    if n > _MOST:
        raise ModelRangeError(f"{n} emitters with dense fields", allowed=f"up to {_MOST}")
    if trajectories < 2:
        raise OptionError(f"{trajectories} trajectories", allowed="2 and more")
    if dephasing < 0.0 or loss < 0.0:
        raise OptionError("a rate below 0", allowed="dephasing and loss of 0 and more, in Gamma")
    end = float(times[-1])
    if time_step is None:
        dts = wigner_steps(between, end, dephasing)
    else:
        dts = np.full(max(int(np.ceil(end / time_step)), 1), end / max(int(np.ceil(end / time_step)), 1))
    every = max(len(dts) // 2000, 1)
    # the last steps are halved until their number fits
    while len(dts) % every:
        dts = np.append(dts[:-1], [0.5 * dts[-1]] * 2)
    starts = rng.choice([-1.0, 1.0], size=(3, n, trajectories))
    starts[2] = -1.0
    starts[2, excited_emitters] = 1.0
    parts = -(-trajectories // _LANES)
    # an even number of parts, so that two threads end together
    parts += parts % 2 if parts > 1 else 0
    seeds = rng.integers(0, 2**31 - 1, parts)
    mean, up, sigma = _run(between, starts, seeds, loss, dephasing, dts, every, progress, pieces)
    grid = np.concatenate([[0.0], np.cumsum(dts)])[::every]
    lost = up[0] - up
    leaves = mean + loss * up
    emitted = np.concatenate([[0.0], np.cumsum(0.5 * np.diff(grid) * (leaves[1:] + leaves[:-1]))])
    imbalance = float(np.max(np.abs(emitted - lost))) / max(float(up[0]), 1e-12)
    return Emission(
        "wigner",
        f"discrete truncated Wigner, {trajectories} trajectories: burst to 1.5 % without shifts; a bound of "
        "a bracket with the shifts of touching nanocrystals; no dark tail",
        times,
        np.interp(times, grid, mean),
        np.interp(times, grid, up),
        np.interp(times, grid, sigma),
        between.initial_g2() if len(excited_emitters) == n else None,
        imbalance,
        notes=(
            f"energy balance: photons and excitations lost differ by {100 * imbalance:.2g} % of the start",
        ),
    )


def grouped(shift: FloatArray, group: int, dtype: npt.DTypeLike = float) -> tuple[FloatArray, FloatArray]:
    """Shifts between groups of emitters, and those inside of them (N, group).

    The first are flat: of each group its rows with all groups below, then with all above, from the first
    row times N on.
    """
    n = len(shift)
    outside, inside = np.zeros(n * n, dtype), np.zeros((n, group), dtype)
    for low in range(0, n, group):
        high = min(low + group, n)
        inside[low:high, : high - low] = shift[low:high, low:high]
        at, middle = low * n, low * n + (high - low) * low
        outside[at:middle] = shift[low:high, :low].ravel()
        outside[middle : middle + (high - low) * (n - high)] = shift[low:high, high:].ravel()
    return outside, inside


def _run(
    between: Couplings,
    starts: FloatArray,
    seeds: np.ndarray,
    loss: float,
    dephasing: float,
    dts: FloatArray,
    every: int,
    progress: Progress,
    pieces: Pieces,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Mean rate, mean population and standard error (times,) over parts of the trajectories, one for each
    seed, in as many threads as Numba has."""
    from numba import get_num_threads

    from perolux.collective._wigner_kernels import GROUP, lanes

    # single precision: rounding of 1e-7 a turn is far below the statistical error
    single = np.float32
    outside, inside = grouped(between.shift, GROUP, single)
    factor = np.ascontiguousarray(real_factor(between.decay), dtype=single)
    detuning, has_shift = between.detuning.astype(single), bool(np.any(between.shift))

    bounds = np.linspace(0, starts.shape[2], len(seeds) + 1).astype(int)

    def part(first: int) -> dict[str, FloatArray]:
        some = range(first, min(first + group, len(seeds)))
        return kept_batch(
            pieces,
            f"batch-{first:06d}",
            len(dts) // every + 1,
            lambda: joined_batches([sums(m) for m in some]),
        )

    def sums(m: int) -> dict[str, FloatArray]:
        some = np.ascontiguousarray(starts[:, :, bounds[m] : bounds[m + 1]], dtype=single)
        rate, excited = lanes(
            some, int(seeds[m]), outside, inside, has_shift, detuning, factor, single(loss), dephasing, dts,
            every,
        )  # fmt: skip
        return batch_of(rate.T, excited.T)

    group = -(-len(seeds) // MOST_BATCHES)
    # seeds belong to the lanes and not to the threads: their number changes nothing
    with one_thread(), ThreadPoolExecutor(get_num_threads()) as pool:
        parts = range(0, len(seeds), group)
        return means_of(list(track(pool.map(part, parts), "truncated Wigner", len(parts), progress)))


def wigner_step_plain(
    s: FloatArray, coupling: np.ndarray, detuning: FloatArray, noise: np.ndarray, dt: float
) -> FloatArray:
    """One step of one trajectory in NumPy: the reference of the tests. s (3, N), noise complex (N,)."""
    s = s.copy()
    n = s.shape[1]
    for order in (range(n), range(n - 1, -1, -1)):
        for i in order:
            field = coupling[i] @ (0.5 * (s[0] - 1j * s[1])) + noise[i]
            w = np.array([2.0 * field.imag, 2.0 * field.real, detuning[i]])
            size = float(np.linalg.norm(w))
            if size == 0.0:
                continue
            axis, angle = w / size, 0.5 * size * dt
            v = s[:, i]
            s[:, i] = (
                v * np.cos(angle)
                + np.cross(axis, v) * np.sin(angle)
                + axis * (axis @ v) * (1.0 - np.cos(angle))
            )
    return s
