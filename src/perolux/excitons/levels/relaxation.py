"""Relaxation between bright and dark levels, and the decay of their populations.

    one phonon    down g1 (n + 1),                up g1 n,                  n at E_ph = D_BD
    two phonons   down g2 n(E1) (n(E2) + 1),      up g2 n(E2) (n(E1) + 1),  E2 - E1 = D_BD

n(E) = 1/(exp(E/kT) - 1). Both keep detailed balance, up/down = exp(-D_BD/kT), exactly. The two-phonon process
is the one that measured decays need (arXiv 2403.04540): it freezes out, so that the dark level is fed and
emptied slowly in the cold. `down` leads from the upper to the lower level, whichever is dark. Rates are for
one pair of states; a bright level of degeneracy g_b is g_b of them.

    dp_b/dt = -(Gamma_b + d) p_b + u p_d,     dp_d/dt = d p_b - (Gamma_d + u) p_d,

a decay with two lifetimes; the light is Gamma_b p_b + Gamma_d p_d.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.light.rates import Levels
from perolux.quantities.constants import BOLTZMANN_EV_PER_K

__all__ = [
    "TransferRates",
    "TwoLevelDecay",
    "decay_components",
    "occupation",
    "one_phonon_rates",
    "populations",
    "rate_matrix",
    "two_level_decay",
    "two_phonon_rates",
]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TransferRates:
    """Rates between two states: down_per_ns from the upper to the lower, up_per_ns back; they broadcast."""

    down_per_ns: FloatArray
    up_per_ns: FloatArray

    def __add__(self, other: TransferRates) -> TransferRates:
        return TransferRates(self.down_per_ns + other.down_per_ns, self.up_per_ns + other.up_per_ns)


LEAST_SPLIT = 1e-8
"""Of the sum of two rates: equal rates decay as (a + b t) exp(-S t/2), which two exponentials this far apart
follow to 1e-8 of the start, where the rounding of their large opposite amplitudes is as small."""


@dataclass(frozen=True)
class TwoLevelDecay:
    """Emission after a pulse, in photons per ns: I(t) = A_fast exp(-t/fast) + A_slow exp(-t/slow).

    Lifetimes in ns (slow: infinite where nothing empties the dark level); amplitudes in 1/ns, so that
    amplitude x lifetime is the part of all photons (`quantum_yield` in all: 1 without losses).
    """

    fast_lifetime_ns: FloatArray
    slow_lifetime_ns: FloatArray
    fast_amplitude_per_ns: FloatArray
    slow_amplitude_per_ns: FloatArray

    @property
    def slow_fraction(self) -> FloatArray:
        """Part of the photons that comes with the slow lifetime; above 1 where the fast part is a rise."""
        return _over(_photons(self.slow_amplitude_per_ns, self.slow_lifetime_ns), self.quantum_yield)

    @property
    def quantum_yield(self) -> FloatArray:
        """Photons for each excitation that was put in."""
        slow = _photons(self.slow_amplitude_per_ns, self.slow_lifetime_ns)
        return slow + _photons(self.fast_amplitude_per_ns, self.fast_lifetime_ns)

    def intensity_per_ns(self, time_ns: npt.ArrayLike) -> FloatArray:
        """I(t) in photons per ns; time_ns (times,) after the arrays' own axes."""
        time = np.asarray(time_ns, dtype=float)
        fast = self.fast_amplitude_per_ns[..., None] * np.exp(-time / self.fast_lifetime_ns[..., None])
        return np.asarray(
            fast + self.slow_amplitude_per_ns[..., None] * np.exp(-time / self.slow_lifetime_ns[..., None])
        )


def occupation(energy_mev: npt.ArrayLike, temperature_k: npt.ArrayLike) -> FloatArray:
    """Bose-Einstein occupation of phonons of energy_mev at temperature_k; both broadcast; 0 at T = 0."""
    energy, temperature = np.asarray(energy_mev, dtype=float), np.asarray(temperature_k, dtype=float)
    if not bool(np.all((temperature >= 0) & np.isfinite(temperature))):
        raise ModelRangeError("a temperature below 0 K, or none", allowed="0 K and above")
    if not bool(np.all(energy > 0)):
        raise OptionError(
            "a phonon energy must be positive", fix="split the levels, or leave the process out"
        )
    thermal = 1000.0 * BOLTZMANN_EV_PER_K * temperature
    warm = thermal > energy / 700.0
    return np.asarray(np.where(warm, 1.0 / np.expm1(energy / np.where(warm, thermal, energy)), 0.0))


def one_phonon_rates(
    coupling_per_ns: npt.ArrayLike, splitting_mev: npt.ArrayLike, temperature_k: npt.ArrayLike
) -> TransferRates:
    """down = g1 (n + 1), up = g1 n with n at the splitting; arrays broadcast.

    Needs acoustic modes at that energy, which a small crystal may lack. Raises `OptionError` for levels that
    are not split: g1 itself then depends on the splitting.
    """
    strength = _coupling(coupling_per_ns)
    n = occupation(np.abs(np.asarray(splitting_mev, dtype=float)), temperature_k)
    return TransferRates(np.asarray(strength * (n + 1.0)), np.asarray(strength * n))


def two_phonon_rates(
    coupling_per_ns: npt.ArrayLike,
    splitting_mev: npt.ArrayLike,
    phonon_mev: npt.ArrayLike,
    temperature_k: npt.ArrayLike,
) -> TransferRates:
    """down = g2 n(E1) (n(E2) + 1), up = g2 n(E2) (n(E1) + 1), E2 = E1 + splitting: a phonon in, another out.

    phonon_mev: E1, the lower of the two optical phonons. Levels that are not split exchange at the same rate
    both ways.

    >>> rates = two_phonon_rates(1.0, 2.0, 3.2, [4.0, 40.0])
    >>> (rates.up_per_ns / rates.down_per_ns).round(4).tolist()  # exp(-D/kT)
    [0.003, 0.5598]
    """
    strength, low = _coupling(coupling_per_ns), np.asarray(phonon_mev, dtype=float)
    n1 = occupation(low, temperature_k)
    n2 = occupation(low + np.abs(np.asarray(splitting_mev, dtype=float)), temperature_k)
    return TransferRates(np.asarray(strength * n1 * (n2 + 1.0)), np.asarray(strength * n2 * (n1 + 1.0)))


def two_level_decay(
    transfer: TransferRates,
    bright_rate_per_ns: npt.ArrayLike,
    dark_rate_per_ns: npt.ArrayLike = 0.0,
    *,
    bright_fraction: npt.ArrayLike = 0.75,
    bright_degeneracy: float = 3.0,
    bright_above: bool = True,
) -> TwoLevelDecay:
    """Both lifetimes and amplitudes of the emission of a bright and a dark level; arrays broadcast.

        slow, fast = 1/2 [S -+ sqrt((A - B)^2 + 4 d u)],  A = Gamma_b + d, B = Gamma_d + u, S = A + B

    (the slow one as (A B - d u)/fast, which does not cancel). transfer: rates of one pair of states; the dark
    level feeds each of bright_degeneracy states. bright_fraction: population that starts in the bright level,
    the rest in the dark one (3/4: equal filling of the four states). bright_above False: the dark level is
    the upper. Two rates closer than `LEAST_SPLIT` of their sum are drawn apart to it.
    """
    down, up = transfer.down_per_ns, transfer.up_per_ns
    to_dark, to_bright = (down, up) if bright_above else (up, down)
    to_bright = bright_degeneracy * to_bright
    bright, dark = _coupling(bright_rate_per_ns), _coupling(dark_rate_per_ns)
    share = np.asarray(bright_fraction, dtype=float)
    if np.any((share < 0) | (share > 1)):
        raise OptionError("the bright fraction is a part of 1", allowed="0 to 1")
    leave_bright, leave_dark = bright + to_dark, dark + to_bright
    total = leave_bright + leave_dark
    # A - B: the transfer may be far smaller than the rounding of A and B themselves
    apart = np.abs((bright - dark) + (to_dark - to_bright))
    exact_root = np.sqrt(apart**2 + 4.0 * to_dark * to_bright)
    root = np.maximum(exact_root, LEAST_SPLIT * total)
    drawn_apart = root > exact_root
    fast = 0.5 * (total + root)
    # A B - d u, written as a sum of positive terms
    slow = np.where(
        drawn_apart,
        0.5 * (total - root),
        _over(bright * dark + bright * to_bright + dark * to_dark, fast),
    )
    start = bright * share + dark * (1.0 - share)
    # the slow amplitude as a sum of positive terms too: in the cold it is tiny, and its photons are not
    exchange = to_dark * to_bright
    larger = 0.5 * (apart + root)
    smaller = np.where(drawn_apart, 0.5 * (root - apart), _over(exchange, larger))
    bright_first = (bright - dark) + (to_dark - to_bright) >= 0
    over_bright, over_dark = np.where(bright_first, smaller, larger), np.where(bright_first, larger, smaller)
    slow_amplitude = _over(
        share * (bright * over_bright + dark * to_dark)
        + (1.0 - share) * (bright * to_bright + dark * over_dark),
        root,
    )
    fast_amplitude = start - slow_amplitude
    # a rate of 0, or one whose inverse no number holds, has an infinite lifetime
    with np.errstate(divide="ignore", over="ignore"):
        return TwoLevelDecay(*np.broadcast_arrays(1.0 / fast, 1.0 / slow, fast_amplitude, slow_amplitude))


def rate_matrix(
    levels: Levels,
    temperature_k: float,
    *,
    one_phonon_per_ns: npt.ArrayLike = 0.0,
    two_phonon_per_ns: npt.ArrayLike = 0.0,
    phonon_mev: float | None = None,
    loss_per_ns: npt.ArrayLike = 0.0,
) -> FloatArray:
    """Generator M of dp/dt = M p for any levels (n,): transfer between each pair, less radiation and losses.

    one_phonon_per_ns, two_phonon_per_ns: g1 and g2 of each pair (n, n), symmetric, or one number for all
    pairs; phonon_mev: E1 of the two-phonon process; loss_per_ns: rates without light (n,) or one. Rates into
    a level of degeneracy g count g times. Without radiation and losses the columns sum to 0 and the Boltzmann
    populations stay.
    """
    energy, states = levels.energy_mev, levels.degeneracy
    if energy.ndim != 1:
        raise OptionError("a rate matrix is made for one set of levels", allowed="levels of shape (n,)")
    n = energy.size
    one = np.broadcast_to(_coupling(one_phonon_per_ns), (n, n))
    two = np.broadcast_to(_coupling(two_phonon_per_ns), (n, n))
    if not (np.allclose(one, one.T) and np.allclose(two, two.T)):
        raise OptionError("the couplings of a pair are the same both ways", allowed="symmetric (n, n) arrays")
    if np.any(two > 0) and phonon_mev is None:
        raise OptionError("the two-phonon process needs the energy of its lower phonon", where="phonon_mev")
    matrix = np.zeros((n, n))
    for upper in range(n):
        for lower in range(n):
            gap = float(energy[upper] - energy[lower])
            # of two levels at the same energy the one with the larger index counts as upper
            if gap < 0 or upper == lower or (gap == 0 and upper < lower):
                continue
            rates = TransferRates(np.zeros(()), np.zeros(()))
            if one[upper, lower] > 0:
                rates = rates + one_phonon_rates(one[upper, lower], gap, temperature_k)
            if two[upper, lower] > 0 and phonon_mev is not None:
                rates = rates + two_phonon_rates(two[upper, lower], gap, phonon_mev, temperature_k)
            matrix[lower, upper] += float(rates.down_per_ns) * states[lower]
            matrix[upper, lower] += float(rates.up_per_ns) * states[upper]
    matrix -= np.diag(matrix.sum(axis=0))
    return np.asarray(matrix - np.diag(levels.rate_per_ns + _coupling(loss_per_ns)))


def populations(matrix: npt.ArrayLike, initial: npt.ArrayLike, time_ns: npt.ArrayLike) -> FloatArray:
    """p(t) = exp(M t) p(0), shape (times, n), by the matrix exponential."""
    from scipy.linalg import expm

    generator, start = np.asarray(matrix, dtype=float), np.asarray(initial, dtype=float)
    times = np.atleast_1d(np.asarray(time_ns, dtype=float))
    if np.any(times < 0) or not np.isfinite(times).all():
        raise OptionError("times must be finite and not negative")
    return np.asarray(expm(times[:, None, None] * generator) @ start)


def decay_components(
    matrix: npt.ArrayLike, initial: npt.ArrayLike, rate_per_ns: npt.ArrayLike
) -> tuple[FloatArray, FloatArray]:
    """Lifetimes (n,) in ns and amplitudes (n,) in photons per ns of the light of any levels, fastest first.

    I(t) = sum_j a_j exp(-t/tau_j) for dp/dt = M p, light rate . p: from the eigenvectors of M, whose
    eigenvalues detailed balance keeps real. A lifetime is infinite where nothing leaves.
    """
    generator, start = np.asarray(matrix, dtype=float), np.asarray(initial, dtype=float)
    values, vectors = np.linalg.eig(generator)
    decay = np.maximum(-values.real, 0.0)
    amplitude = ((np.asarray(rate_per_ns, dtype=float) @ vectors) * np.linalg.solve(vectors, start)).real
    order = np.argsort(-decay)
    with np.errstate(divide="ignore"):
        return np.asarray(1.0 / decay[order]), np.asarray(amplitude[order])


def _coupling(values: npt.ArrayLike) -> FloatArray:
    array = np.asarray(values, dtype=float)
    if not bool(np.all(np.isfinite(array) & (array >= 0))):
        raise OptionError("a rate must be finite and not negative", allowed="0 and above, in 1/ns")
    return array


def _over(above: FloatArray, below: FloatArray) -> FloatArray:
    """above/below, 0 where both vanish (no process at all, or two equal rates)."""
    return np.asarray(
        np.divide(above, below, out=np.zeros(np.broadcast(above, below).shape), where=below > 0)
    )


def _photons(amplitude: FloatArray, lifetime: FloatArray) -> FloatArray:
    """amplitude x lifetime; nothing comes from a level that never decays."""
    finite = np.isfinite(lifetime)
    return np.asarray(np.where(finite, amplitude * np.where(finite, lifetime, 0.0), 0.0))
