"""Functions of the rows in `collective.toml`: couplings, ladder, few emitters, one excitation, methods."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np

from perolux.collective.blocks import blocks, product_state, symmetric_single
from perolux.collective.couplings import Couplings, Emitters, couplings, pair_couplings, sphere_directions
from perolux.collective.cumulants import cumulant_emission
from perolux.collective.dicke import burst_shape_limit, dicke_burst, peak_of_limit
from perolux.collective.eigenstate_rates import eigenstate_emission
from perolux.collective.master_equation import exact_emission
from perolux.collective.plane_waves import radiation_pattern, real_factor
from perolux.collective.rows import Emission
from perolux.collective.single_excitation import modes, single_excitation_emission
from perolux.collective.trajectories import trajectory_emission
from perolux.collective.wigner import wigner_emission
from perolux.validation.rows import read_table

__all__ = [
    "bright_state_table",
    "cumulant_error_percent",
    "dicke_limit",
    "dicke_peak",
    "dicke_table",
    "disorder_of_one_excitation",
    "eigenstate_error_percent",
    "far_field_sum",
    "first_coincidences",
    "inverted_imbalance",
    "low_rank_residual",
    "near_field_peak",
    "near_field_population",
    "no_shift_rate",
    "orientation_mean",
    "pair_rates_with_dephasing",
    "pair_table",
    "rank_table",
    "trajectories_off_sigma",
    "two_emitter_table",
    "two_modes",
    "wigner_off",
]

_NM, _PITCH = 530.0, 12.5
_GRID = np.arange(0.0, 2.001, 0.02)


def _places(geometry: str) -> np.ndarray:
    """Integer places: cube_4 a square that holds the dipoles, cube_6 and 2x4x1 sheets across them."""
    cube = list(itertools.product(range(2), repeat=3))
    if geometry in ("cube_4", "cube_8"):
        return np.array(cube[: int(geometry[-1])], dtype=float)
    if geometry.startswith("first_"):
        return np.array(cube[: int(geometry[6:])], dtype=float)
    if geometry == "cube_6":
        return np.array([(x, y, 0) for x in range(3) for y in range(2)], dtype=float)
    if geometry == "2x4x1":
        return np.array([(x, y, 0) for x in range(2) for y in range(4)], dtype=float)
    kind, n = geometry.split("_")
    line = np.arange(int(n), dtype=float)
    zero = np.zeros_like(line)
    return np.stack([zero, zero, line] if kind == "chainH" else [line, zero, zero], axis=1)


def _cube(edge: int) -> Couplings:
    return _of(np.array(list(itertools.product(range(edge), repeat=3)), dtype=float))


def _of(places: np.ndarray, detuning: np.ndarray | None = None) -> Couplings:
    n = len(places)
    own = np.zeros(n) if detuning is None else detuning
    return couplings(Emitters(_PITCH * places, np.tile([0.0, 0.0, 1.0], (n, 1)), 1.0, _NM, own))


def _same(n: int) -> Couplings:
    return Couplings(np.ones((n, n)), np.zeros((n, n)), np.zeros(n))


def pair_table() -> float:
    """Largest deviation of Gamma12 and of Omega12 (relative) over the table of pairs."""
    worst = 0.0
    for line in read_table("collective_pair_coupling_exact.csv"):
        x = 2.0 * np.pi * float(line["distance_nm"]) / _NM
        b = 1.0 if line["dipole_orientation_to_axis"] == "parallel" else 0.0
        gamma, omega = pair_couplings(np.array([x]), np.array([1.0]), np.array([b]))
        target = float(line["Omega12_over_Gamma"])
        worst = max(worst, abs(float(gamma[0]) - float(line["Gamma12_over_Gamma"])))
        worst = max(worst, abs(float(omega[0]) / target - 1.0))
    return worst


def dicke_table() -> float:
    """Largest relative deviation of height and time of the peak, N = 3 to 2000."""
    worst = 0.0
    for line in read_table("collective_dicke_burst_exact.csv"):
        if int(line["N"]) < 3:
            continue
        found = dicke_burst(int(line["N"]), np.array([0.0]))
        worst = max(worst, abs(found.i_peak / float(line["I_peak_in_Gamma"]) - 1.0))
        worst = max(worst, abs(found.t_peak / float(line["t_peak_in_1_over_Gamma"]) - 1.0))
    return worst


def dicke_peak(emitters: float) -> float:
    """Height of the peak over Gamma."""
    return dicke_burst(int(emitters), np.array([0.0])).i_peak


def dicke_limit(quantity: str) -> float:
    """height, scaled time of the limit of many emitters, or the height of N = 2000 over N^2."""
    if quantity == "of-2000":
        return dicke_peak(2000) / 2000**2
    at, height = peak_of_limit()
    assert abs(burst_shape_limit(at) - height) < 1e-12
    return height if quantity == "height" else at


@cache
def _pair(decay: float) -> Couplings:
    shift = np.array([[0.0, 7.3], [7.3, 0.0]])
    return Couplings(np.array([[1.0, decay], [decay, 1.0]]), shift, np.zeros(2))


def two_emitter_table() -> float:
    """Largest deviation from the closed form of two emitters, by the master equation with Omega12 = 7.3."""
    lines = read_table("collective_two_emitter_decay_exact.csv")
    worst = 0.0
    for decay in sorted({float(line["Gamma12_over_Gamma"]) for line in lines}):
        some = [line for line in lines if float(line["Gamma12_over_Gamma"]) == decay]
        times = np.array([float(line["Gamma_t"]) for line in some])
        found = exact_emission(_pair(decay), product_state(blocks(2), np.arange(2)), times)
        target = np.array([float(line["photon_rate_over_Gamma"]) for line in some])
        worst = max(worst, float(np.max(np.abs(found.photon_rate - target))))
    return worst


def bright_state_table(method: str) -> float:
    """Largest deviation of population and rate of the symmetric state, N up to 10 (master equation: 4)."""
    lines = read_table("collective_bright_state_dephasing_exact.csv")
    worst = 0.0
    most = 4 if method == "exact" else 10
    for n, rate in sorted({(int(i["N"]), i["pure_dephasing_rate_over_Gamma_per_emitter"]) for i in lines}):
        if n > most:
            continue
        some = [
            i for i in lines
            if int(i["N"]) == n and i["pure_dephasing_rate_over_Gamma_per_emitter"] == rate
        ]  # fmt: skip
        times = np.array([float(i["Gamma_t"]) for i in some])
        if method == "exact":
            found = exact_emission(_same(n), symmetric_single(blocks(n)), times, dephasing=float(rate))
        else:
            even = np.full(n, 1.0 / np.sqrt(n), dtype=complex)
            found = single_excitation_emission(_same(n), even, times, dephasing=float(rate))
        for values, name in (
            (found.excited, "excited_population"),
            (found.photon_rate, "photon_rate_over_Gamma"),
        ):
            target = np.array([float(i[name]) for i in some])
            worst = max(worst, float(np.max(np.abs(values - target))))
    return worst


def pair_rates_with_dephasing(dephasing: float) -> float:
    """Deviation of the population of two emitters from the rates (1 + g*) -+ sqrt(g*^2 + g^2), g = 0.6."""
    g, s = 0.6, dephasing
    times = np.linspace(0.0, 3.0, 31)
    between = Couplings(np.array([[1.0, g], [g, 1.0]]), np.zeros((2, 2)), np.zeros(2))
    found = single_excitation_emission(between, np.full(2, np.sqrt(0.5), dtype=complex), times, dephasing=s)
    root = np.sqrt(s * s + g * g)
    slow, fast = 1.0 + s - root, 1.0 + s + root
    # P(0) = 1, P'(0) = -(1 + g)
    a = (fast - 1.0 - g) / (fast - slow)
    law = a * np.exp(-slow * times) + (1.0 - a) * np.exp(-fast * times)
    return float(np.max(np.abs(found.excited - law)))


def two_modes() -> float:
    """Largest deviation of rates and shifts of two emitters from 1 +- Gamma12 and +- Omega12."""
    rates, shifts, _ = modes(_pair(0.6))
    return float(max(np.max(np.abs(rates - [1.6, 0.4])), np.max(np.abs(shifts - [7.3, -7.3]))))


def rank_table(quantity: str) -> float:
    """Largest relative deviation over N = 8 to 512: largest, variance, g2; rank: of the number above 1e-6."""
    column = {"largest": "Gamma_max_over_Gamma", "variance": "variance_of_eigenvalues",
              "g2": "g2_0_fully_inverted", "rank": "eigenvalues_above_1e-6"}[quantity]  # fmt: skip
    worst = 0.0
    for line in read_table("collective_gamma_matrix_rank.csv"):
        if int(line["N"]) > 512:
            continue
        between = _cube(int(line["edge_count"]))
        rates = np.linalg.eigvalsh(between.decay)
        value = {"largest": rates[-1], "variance": np.mean(rates**2) - 1.0, "g2": between.initial_g2(),
                 "rank": np.sum(rates > 1e-6)}[quantity]  # fmt: skip
        worst = max(worst, abs(float(value) / float(line[column]) - 1.0))
    return worst


def low_rank_residual() -> float:
    """Largest |Gamma - L L^T| of 216 emitters at a wanted residual of 1e-6 of the trace."""
    between = _cube(6)
    factor = real_factor(between.decay, 1e-6)
    return float(np.max(np.abs(between.decay - factor @ factor.T)))


def disorder_of_one_excitation(sigma: float, draws: float) -> float:
    """Brightest rate over Gamma of 6 x 6 x 6 emitters with Gaussian detunings, mean of the draws."""
    rng = np.random.default_rng(11)
    places = np.array(list(itertools.product(range(6), repeat=3)), dtype=float)
    clean = _of(places)
    found = []
    for _ in range(int(draws)):
        one = Couplings(clean.decay, clean.shift, sigma * rng.standard_normal(len(places)))
        found.append(float(modes(one)[0][0]))
    return float(np.mean(found))


@cache
def _exact(geometry: str, dephasing: float, scale: float) -> Emission:
    between = _of(_places(geometry))
    between = between if scale > 0.0 else between.without_shifts()
    n = len(between)
    return exact_emission(between, product_state(blocks(n), np.arange(n)), _GRID, dephasing=dephasing)


def near_field_peak(geometry: str, dephasing: float, scale: float) -> float:
    """Largest photon rate on the grid of 0.02."""
    return float(np.max(_exact(geometry, dephasing, scale).photon_rate))


def near_field_population(geometry: str, dephasing: float, scale: float) -> float:
    """Excited emitters at Gamma t = 2."""
    return float(_exact(geometry, dephasing, scale).excited[-1])


def no_shift_rate(emitters: float, time: float) -> float:
    """Exact photon rate of the first sites of the cube without shifts."""
    found = _exact(f"first_{int(emitters)}", 0.0, 0.0)
    return float(found.photon_rate[round(time / 0.02)])


def inverted_imbalance(geometry: str, dephasing: float) -> float:
    """Largest |d(population)/dt + photons| a unit of time and emitter."""
    return float(_exact(geometry, dephasing, 1.0).imbalance or 0.0)


def first_coincidences() -> float:
    """g2(0) of the full inversion: 1 + (Var - 1)/N less that of the master equation, square of four."""
    between = _of(_places("cube_4"))
    return abs(between.initial_g2() - float(_exact("cube_4", 0.0, 1.0).g2_zero or 0.0))


def orientation_mean() -> float:
    """Largest deviation of the mean of Gamma12 over three orthogonal directions from sin x/x."""
    x = np.linspace(0.01, 12.0, 200)
    along, _ = pair_couplings(x, np.ones_like(x), np.ones_like(x))
    across, _ = pair_couplings(x, np.ones_like(x), np.zeros_like(x))
    return float(np.max(np.abs((along + 2.0 * across) / 3.0 - np.sin(x) / x)))


def far_field_sum() -> float:
    """|sum over the sphere of dI/dOmega less the photon rate| of eight emitters in a random single state."""
    rng = np.random.default_rng(5)
    amplitude = rng.standard_normal(8) + 1j * rng.standard_normal(8)
    amplitude /= np.linalg.norm(amplitude)
    emitters = Emitters(60.0 * _places("cube_8"), np.tile([0.0, 0.0, 1.0], (8, 1)), 1.0, _NM)
    correlations = np.outer(amplitude.conj(), amplitude)
    directions, weights = sphere_directions(40)
    pattern = radiation_pattern(emitters, correlations, directions)
    rate = float(np.real(np.sum(couplings(emitters).decay * correlations)))
    return abs(4.0 * np.pi * float(weights @ pattern) - rate)


def cumulant_error_percent(emitters: float) -> float:
    """Height of the burst of second-order cumulants over the exact one, less 1."""
    n = int(emitters)
    exact = dicke_burst(n, np.array([0.0]))
    times = np.linspace(0.0, 2.0 * exact.t_peak, 401)
    found = cumulant_emission(_same(n), np.arange(n), times)
    return 100.0 * (float(np.max(found.photon_rate)) / exact.i_peak - 1.0)


def wigner_off(emitters: float) -> float:
    """|height of the burst over the exact one - 1| less three standard errors, percent."""
    n = int(emitters)
    exact = dicke_burst(n, np.array([0.0]))
    times = np.linspace(0.0, 1.5 * exact.t_peak, 61)
    rng = np.random.default_rng(2)
    found = wigner_emission(_same(n), np.arange(n), times, trajectories=4000, rng=rng)
    k = int(np.argmax(found.photon_rate))
    return 100.0 * (abs(found.photon_rate[k] / exact.i_peak - 1.0) - 3.0 * found.sigma[k] / exact.i_peak)


def trajectories_off_sigma() -> float:
    """|trajectories - master equation| of the square of four at Gamma t = 0.12, in standard errors."""
    between = _of(_places("cube_4"))
    times = np.array([0.0, 0.12])
    found = trajectory_emission(
        between,
        product_state(blocks(4), np.arange(4)),
        times,
        trajectories=1000,
        rng=np.random.default_rng(3),
    )
    return abs(float(found.photon_rate[1]) - _exact("cube_4", 0.0, 1.0).photon_rate[6]) / float(
        found.sigma[1]
    )


def eigenstate_error_percent(geometry: str) -> float:
    """Height of the burst of the rates between eigenstates over the exact one, less 1."""
    between = _of(_places(geometry))
    n = len(between)
    found = eigenstate_emission(between, product_state(blocks(n), np.arange(n)), _GRID)
    return 100.0 * (float(np.max(found.photon_rate)) / near_field_peak(geometry, 0.0, 1.0) - 1.0)
