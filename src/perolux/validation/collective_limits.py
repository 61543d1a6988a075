"""Functions of rows in `collective_limits.toml`: single shots, far and near pairs, positivity, transforms."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.integrate import solve_ivp

from perolux.collective.blocks import blocks, product_state
from perolux.collective.couplings import Couplings, Emitters, couplings, pair_couplings
from perolux.collective.dicke import peak_of_limit
from perolux.collective.lattice_excitation import lattice_couplings
from perolux.collective.master_equation import exact_density, exact_emission
from perolux.collective.wigner import wigner_step_plain

__all__ = [
    "density_violation",
    "far_apart",
    "single_shot_ratio",
    "single_shot_spread",
    "touching",
    "transforms_off",
    "wigner_length",
    "wigner_mean_field",
]

_NM, _PITCH = 530.0, 12.5


def _lattice(*shape: int, pitch: float = _PITCH) -> Emitters:
    places = pitch * np.array(list(itertools.product(*map(range, shape))), dtype=float)
    return Emitters(places, np.tile([0.0, 0.0, 1.0], (len(places), 1)), 1.0, _NM)


def single_shot_ratio() -> float:
    """1/4 over the height of the mean pulse, both over N^2 Gamma."""
    return 0.25 / peak_of_limit()[1]


def single_shot_spread() -> float:
    """sd of N Gamma t at which half of 2000 identical emitters have decayed: waiting times of the ladder,
    each exponential with the rate (n + 1)(N - n) after n photons."""
    n, rng = 2000, np.random.default_rng(17)
    steps = np.arange(n // 2)
    waits = rng.exponential(size=(4000, len(steps))) / ((steps + 1.0) * (n - steps))
    return float(n * np.std(waits.sum(axis=1), ddof=1))


def far_apart() -> float:
    """Largest |I - 4 exp(-t)| of four emitters in a row, 300.25 wavelengths apart."""
    between, times = couplings(_lattice(4, 1, 1, pitch=300.25 * _NM)), np.linspace(0.0, 3.0, 31)
    found = exact_emission(between, product_state(blocks(4), np.arange(4)), times)
    return float(np.max(np.abs(found.photon_rate - 4.0 * np.exp(-times))))


def touching() -> float:
    """Departure of Gamma12 from d1.d2 at k r = 1e-4, along a tilted axis."""
    b = np.array([0.5, 0.5])
    gamma, _ = pair_couplings(np.full(2, 1e-4), np.array([1.0, 0.0]), b)
    return float(np.max(np.abs(gamma - [1.0, 0.0])))


def density_violation() -> float:
    """Trace and positivity of the density matrix of a square of four with shifts and dephasing."""
    between, worst = couplings(_lattice(2, 2, 1)), 0.0
    for time in (0.05, 0.5, 2.0):
        rho = exact_density(between, product_state(blocks(4), np.arange(4)), time, dephasing=1.0)
        least = min(float(np.linalg.eigvalsh(one)[0]) for one in rho.values())
        trace = sum(float(np.trace(one).real) for one in rho.values())
        worst = max(worst, -least, abs(trace - 1.0))
    return worst


def _spun(s: np.ndarray, between: Couplings, steps: int, step: float, noise: float) -> np.ndarray:
    coupling = 0.5 * between.decay + 1j * between.shift
    rng = np.random.default_rng(3)
    for _ in range(steps):
        xi = noise * (rng.standard_normal(len(between)) + 1j * rng.standard_normal(len(between)))
        s = wigner_step_plain(s, coupling, between.detuning, xi, step)
    return s


def wigner_length() -> float:
    """|S|^2 less 3 after 500 noisy steps of a square of four."""
    start = np.random.default_rng(2).choice([-1.0, 1.0], size=(3, 4))
    end = _spun(start, couplings(_lattice(2, 2, 1)), 500, 5e-4, 20.0)
    return float(np.max(np.abs(np.sum(end**2, axis=0) - 3.0)))


def wigner_mean_field() -> float:
    """Spins of length 1 without noise against s-' = sz F, sz' = -4 Re(conj(s-) F) to t = 0.05."""
    between = couplings(_lattice(2, 2, 1), screening=0.1)
    angle = np.array([0.3, 0.7, 1.1, 1.6])
    start = np.stack([np.sin(angle), np.zeros(4), np.cos(angle)])
    coupling = 0.5 * between.decay + 1j * between.shift

    def slope(_: float, flat: np.ndarray) -> np.ndarray:
        x, y, z = flat.reshape(3, 4)
        minus = 0.5 * (x - 1j * y)
        field = coupling @ minus
        turned = z * field
        return np.concatenate([2.0 * turned.real, -2.0 * turned.imag, -4.0 * np.real(minus.conj() * field)])

    end = solve_ivp(slope, (0.0, 0.05), start.ravel(), method="DOP853", rtol=1e-11, atol=1e-12).y[:, -1]
    return float(np.max(np.abs(_spun(start, between, 1000, 5e-5, 0.0).ravel() - end)))


def transforms_off() -> float:
    """H_eff by transforms against the dense product, 6 x 6 x 6."""
    emitters = _lattice(6, 6, 6)
    dense = couplings(emitters)
    vector = np.random.default_rng(4).standard_normal(216).astype(np.complex128)
    plain = (dense.shift - 0.5j * dense.decay) @ vector
    fast = lattice_couplings(emitters, np.full(3, _PITCH)).shifted(vector)
    return float(np.max(np.abs(fast - plain)) / np.max(np.abs(plain)))
