"""Functions of the rows in `collective_published.toml`: what experiments on superlattices need to come about.

Working point: cubes of 9 nm on a pitch of 12.5 nm, dipoles along z, 530 nm, one lifetime of 300 ps unless a
row says otherwise. Each function says in its detail which N, spread and dephasing it stands on.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from perolux.collective.assembly import hbar_mev_ps
from perolux.collective.blocks import blocks, product_state
from perolux.collective.couplings import Couplings, Emitters, couplings
from perolux.collective.elongated import axis_of
from perolux.collective.lines import ringing
from perolux.collective.maxwell_bloch import maxwell_bloch
from perolux.collective.phased import light_course
from perolux.collective.regression import density_of
from perolux.collective.single_excitation import modes
from perolux.collective.single_spectra import single_spectrum
from perolux.collective.symmetric import symmetric_burst
from perolux.superlattices import energy_slope
from perolux.validation.run import Computed

__all__ = [
    "coherence_extension",
    "coupled_number_of_decay",
    "dipolar_shift",
    "energy_over_position",
    "largest_bunching",
    "participation",
    "rate_of_coupled",
    "retention_ratio",
    "ringing_of_a_rod",
    "spread_of_acceleration",
    "spread_of_ringing",
]

_PS, _NM, _PITCH, _EDGE = 300.0, 530.0, 12.5, 9.0


def _unit() -> float:
    """hbar Gamma in meV."""
    return hbar_mev_ps() / _PS


def _size_percent(spread_mev: float) -> float:
    """Spread of edges that gives a spread of energies, percent."""
    slope = abs(energy_slope("CsPbBr3", _EDGE, 6.0).median)
    return 100.0 * spread_mev / (slope * _EDGE)


@cache
def _lattice(shape: tuple[int, int, int]) -> Couplings:
    places = _PITCH * np.array(list(np.ndindex(*shape)), dtype=float)
    return couplings(Emitters(places, np.tile([0.0, 0.0, 1.0], (len(places), 1)), 1.0, _NM))


@cache
def _brightest(shape: tuple[int, int, int], spread_mev: float, draws: int) -> tuple[float, float]:
    """Largest rate of one excitation over Gamma, and over how many emitters it spreads: means of the
    draws."""
    rng, found = np.random.default_rng(11), []
    clean = _lattice(shape)
    for _ in range(draws if spread_mev > 0.0 else 1):
        detuning = spread_mev / _unit() * rng.standard_normal(len(clean))
        rates, _, vectors = modes(Couplings(clean.decay, clean.shift, detuning))
        share = np.abs(vectors[:, 0]) ** 2
        found.append((rates[0], np.sum(share) ** 2 / np.sum(share**2)))
    mean = np.mean(found, axis=0)
    return float(mean[0]), float(mean[1])


def spread_of_acceleration(fold: float) -> Computed:
    """Spread of edges (percent) at which the brightest mode of 6 x 6 x 6 is `fold` times as quick as one."""
    spreads = np.array([0.5, 1.0, 2.0])
    rates = np.array([_brightest((6, 6, 6), s, 3)[0] for s in spreads])
    at = float(np.exp(np.interp(-np.log(fold), -np.log(rates), np.log(spreads))))
    return Computed(
        _size_percent(at), f"216 NCs, full shifts, no dephasing: {at:.2g} meV of spread, three draws a point"
    )


def rate_of_coupled(lifetime_ps: float, coupled_ps: float) -> Computed:
    """N of a symmetric excitation whose decay at N Gamma takes `coupled_ps`."""
    return Computed(
        lifetime_ps / coupled_ps, f"1/(N Gamma) with T1 = {lifetime_ps:g} ps: no disorder, no dephasing"
    )


def coupled_number_of_decay(decay_ps: float, t2_ps: float) -> Computed:
    """Smallest N of identical emitters at one place whose burst falls to 1/e within `decay_ps` of its
    peak."""
    dephasing = 0.0 if t2_ps == 0.0 else _PS / t2_ps - 0.5

    def fall(n: int) -> float:
        times = np.linspace(0.0, 1.2, 1201)
        found = symmetric_burst(n, times, dephasing=dephasing)
        k = int(np.argmax(found.photon_rate))
        after = found.photon_rate[k:] < found.photon_rate[k] / np.e
        return _PS * float(times[k + int(np.argmax(after))] - times[k]) if after.any() else np.inf

    low, high = 2, 160
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fall(middle) <= decay_ps else (middle, high)
    told = "no dephasing" if t2_ps == 0.0 else f"T2 = {t2_ps:g} ps"
    return Computed(
        float(high), f"mean burst from full inversion, T1 = {_PS:g} ps, {told}, no disorder, no shifts"
    )


def coherence_extension(spread_mev: float) -> Computed:
    """Coherence time of one excitation shared in phase over that of the same emitters without coupling."""
    clean = _lattice((5, 5, 5))
    n = len(clean)
    detuning = spread_mev / _unit() * np.random.default_rng(11).standard_normal(n)
    start = np.full(n, 1.0 / np.sqrt(n), dtype=complex)
    coupled = single_spectrum(Couplings(clean.decay, clean.shift, detuning), start)
    alone = single_spectrum(Couplings(np.eye(n), np.zeros((n, n)), detuning), start)
    return Computed(
        coupled.coherence_time / alone.coherence_time,
        f"{n} NCs, {spread_mev:g} meV of spread: {_PS * coupled.coherence_time:.2g} ps against "
        f"{_PS * alone.coherence_time:.2g} ps",
    )


def participation(spread_percent: float) -> Computed:
    """Emitters that the brightest mode of 6 x 6 x 6 spreads over, over all of them."""
    spread = spread_percent / _size_percent(1.0)
    _, share = _brightest((6, 6, 6), spread, 3)
    return Computed(share / 216.0, f"216 NCs, {spread:.2g} meV of spread: {share:.3g} NCs")


def energy_over_position(spread_percent: float) -> Computed:
    """What the brightest rate loses by a spread of edges, over what it loses by the same spread of places."""
    clean, _ = _brightest((6, 6, 6), 0.0, 1)
    sizes, _ = _brightest((6, 6, 6), spread_percent / _size_percent(1.0), 3)
    rng, found = np.random.default_rng(3), []
    for _ in range(3):
        places = _PITCH * np.array(list(np.ndindex(6, 6, 6)), dtype=float)
        places = places + 0.01 * spread_percent * _PITCH * rng.standard_normal(places.shape)
        made = couplings(Emitters(places, np.tile([0.0, 0.0, 1.0], (216, 1)), 1.0, _NM))
        found.append(float(modes(made)[0][0]))
    return Computed(
        (clean - sizes) / (clean - float(np.mean(found))),
        f"216 NCs: {clean:.4g} Gamma; edges {sizes:.3g}, places {np.mean(found):.4g} Gamma",
    )


def retention_ratio(shape: str, than: str) -> Computed:
    """Largest ratio, over spreads of 0.5 to 5 meV, of the share of its brightest rate that a shape keeps."""
    one, other = (tuple(int(n) for n in name.split("x")) for name in (shape, than))
    best, at = 0.0, 0.0
    for spread in (0.5, 1.0, 2.0, 5.0):
        kept = [_brightest(s, spread, 2)[0] / _brightest(s, 0.0, 1)[0] for s in (one, other)]
        if kept[0] / kept[1] > best:
            best, at = kept[0] / kept[1], spread
    return Computed(best, f"{shape} against {than}, two draws, at {at:g} meV; the measure is ours")


def largest_bunching(kind: str) -> Computed:
    """Largest g2(0) of collective light: of full inversion (2 - 2/N), and of a share of pulses that shine."""
    if kind == "inversion":
        return Computed(
            2.0, "2 - 2/N of any number of identical emitters, 1.7 for 10 x 10 x 10; thermal light 2"
        )
    return Computed(2.0 / 21.0, "share of the time in which a source of g2 = 2 may shine to give 21")


def dipolar_shift() -> Computed:
    """Shift of the first light of a full inversion less that of one excitation, 6 x 6 x 6, full shifts, meV.

    Both closed: -+ sum Gamma_ij Omega_ij/N, checked here on a square of four by `light_course`.
    """
    square = _lattice((2, 2, 1))
    first = light_course(square, density_of(product_state(blocks(4), np.arange(4))), np.zeros(1)).frequency[0]
    assert abs(first + np.sum(square.decay * square.shift) / 4.0) < 1e-6
    shifts = []
    for shape in ((6, 6, 6), (15, 14, 1), (1, 1, 60), (60, 1, 1)):
        made = _lattice(shape)
        shifts.append(-2.0 * float(np.sum(made.decay * made.shift)) / len(made) * _unit())
    told = ", ".join(f"{one:.2g}" for one in shifts)
    return Computed(
        min(shifts),
        f"cube of 216, sheet across, chains head to tail and side by side: {told} meV; T1 = {_PS:g} ps",
    )


@cache
def _rod_pulse(spread_mev: float, density: float) -> tuple[float, float, float]:
    """Gain of the light along the axis, second maximum of the mean pulse over the first, delay in ps."""
    places = _PITCH * np.array(list(np.ndindex(8, 8, 160)), dtype=float)
    axis = axis_of(Emitters(places, np.tile([1.0, 0.0, 0.0], (len(places), 1)), 1.0, _NM))
    rng = np.random.default_rng(4)
    rate = density * axis.collective_rate
    detuning = spread_mev / (_unit() * rate) * rng.standard_normal(4000)
    found = maxwell_bloch(
        density * len(places), 40.0, rng=rng, shots=80, two_way=True, dephasing=(_PS / 80.0 - 0.5) / rate,
        decay=1.0 / rate, detuning=detuning, time_step=0.15,
    )  # fmt: skip
    mean = found.rate.mean(axis=0)
    error = found.rate.std(axis=0) / np.sqrt(len(found.rate))
    told = ringing(found.times, mean, error)
    return float(mean.max() / mean[0]), told["second"] or 0.0, _PS / rate * float(told["delay"] or 0.0)


def ringing_of_a_rod(spread_mev: float, density: float) -> Computed:
    """present: delayed, at least ten times the first light, a second maximum above 5 %; else what is
    absent."""
    gain, second, delay = _rod_pulse(spread_mev, density)
    what = [] if gain >= 10.0 else ["delayed burst"]
    if gain < 10.0 or second < 0.05:
        what.append("ringing")
    return Computed(
        "absent: " + " and ".join(what) if what else "present",
        f"8 x 8 x 160 NCs, {100.0 * density:g} % of them inverted, T2 = 80 ps, {spread_mev:g} meV of spread, "
        f"one dimension: gain {gain:.3g}, delay {delay:.2g} ps, second maximum {second:.2g}",
    )


def spread_of_ringing() -> Computed:
    """Spread of edges (percent) up to which the rod rings, by halving between 0 and 2 meV."""
    low, high = 0.0, 2.0
    for _ in range(4):
        middle = 0.5 * (low + high)
        gain, second, _ = _rod_pulse(middle, 1.0)
        low, high = (middle, high) if gain >= 10.0 and second >= 0.05 else (low, middle)
    return Computed(_size_percent(low), f"8 x 8 x 160 NCs all inverted, T2 = 80 ps: up to {low:.2g} meV")
