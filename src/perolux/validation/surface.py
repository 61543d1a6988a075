"""Functions of the rows in `surface.toml`: exchange, miscibility, size-selective precipitation."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from perolux.ensemble import Ensemble, Lognormal, Population, from_table, quadrature
from perolux.materials import HALIDES
from perolux.surface import (
    CutDesign,
    Exchange,
    HalidePopulation,
    Precipitation,
    band_peaks_ev,
    binodal,
    design_cuts,
    dissolved_salt,
    exchange_halides,
    exchange_rate,
    exchange_spectra,
    fractionate,
    mean_field,
    pairwise,
    phase_split,
    population_of,
)
from perolux.surface.miscibility import CRITICAL_W, mixing_free_energy, w_matrix
from perolux.validation.run import Computed

__all__ = [
    "activities_at_zero_w",
    "balance",
    "binodal_against_hull",
    "critical_w",
    "exchange_against_tangent",
    "gap_by_pair",
    "kept_mean_against_integral",
    "lever_rule",
    "ligand_order",
    "merging_bands",
    "near_critical_width",
    "pairs",
    "rate_ratio",
    "salt_against_integration",
    "sharp_cut",
    "size_selection",
]

FloatArray = npt.NDArray[np.float64]
_FIRST, _SECOND = np.array([0.1, 0.8, 0.1]), np.array([0.0, 0.1, 0.9])
_TIMES_S = np.array([0.0, 1.0, 7.0, 40.0])


def pairs(quantity: str) -> float:
    """Two equal populations in pairs, k = 0.1 1/s: difference at 7 s over the first, drift, mean field."""
    a, b = pairwise(_FIRST, _SECOND, 0.1, _TIMES_S)
    if quantity == "difference":
        return float((a[2, 2] - b[2, 2]) / (a[0, 2] - b[0, 2]))
    if quantity == "mean":
        return float(np.max(np.abs(0.5 * (a + b) - 0.5 * (_FIRST + _SECOND))))
    crystals, _ = mean_field(np.array([_FIRST, _SECOND]), np.array([2.0, 2.0]), 0.2, _TIMES_S)
    return float(np.max(np.abs(crystals - np.stack([a, b], axis=1))))


def salt_against_integration() -> float:
    """Largest difference of the closed form with salt from an integration of its rate equations."""
    from scipy.integrate import solve_ivp

    start = np.array([[0.0, 1.0, 0.0], [0.2, 0.8, 0.0], [0.0, 0.5, 0.5]])
    counts, pool, amount, k = np.array([1.0, 3.0, 0.5]), np.array([0.0, 0.0, 1.0]), 1.3, 0.2

    def rate(_: float, state: FloatArray) -> FloatArray:
        x, p = state[:9].reshape(3, 3), state[9:]
        change = k * (p - x)
        return np.concatenate([change.ravel(), -(counts @ change) / amount])

    crystals, held = mean_field(start, counts, k, _TIMES_S, pool, amount)
    begin = np.concatenate([start.ravel(), pool])
    solved = solve_ivp(rate, (0.0, 40.0), begin, "DOP853", t_eval=_TIMES_S, rtol=1e-12, atol=1e-13)
    closed = np.concatenate([crystals.reshape(len(_TIMES_S), 9), held], axis=1)
    return float(np.max(np.abs(solved.y.T - closed)))


def activities_at_zero_w() -> float:
    """Largest difference of the integrated law with W = 0 from the closed form, salt included."""
    from perolux.surface.exchange_laws import with_activities

    start, counts = np.array([[0.0, 1.0, 0.0], [0.3, 0.0, 0.7]]), np.array([1.0, 2.0])
    pool = np.array([1.0, 0.0, 0.0])
    closed = mean_field(start, counts, 0.2, _TIMES_S, pool, 0.4)
    solved = with_activities(start, counts, 0.2, _TIMES_S, np.zeros((3, 3)), pool, 0.4)
    return max(float(np.max(np.abs(a - b))) for a, b in zip(closed, solved, strict=True))


def balance() -> float:
    """Largest error of a halide, share by share, for Cl and I crystals with bromide in solution."""
    found = exchange_halides(
        [HalidePopulation("Cl", (1, 0, 0), 1e-3), HalidePopulation("I", (0, 0, 1), 4e-4)],
        [0.0, 5.0, 50.0, 500.0],
        salt=dissolved_salt("PbBr2", 1e-4),
        rate_per_s=0.1,
    )
    steps = range(len(found.time_s))
    return max(part["error"] for k in steps for part in found.balances(k).values())


def critical_w() -> float:
    """W at which the curvature of the free energy at x = 1/2, by differences, changes its sign."""
    from scipy.optimize import brentq

    def curvature(w: float) -> float:
        low, middle, high = mixing_free_energy([0.5 - 1e-3, 0.5, 0.5 + 1e-3], w)
        return float(low - 2.0 * middle + high)

    return float(brentq(curvature, 1.0, 3.0, xtol=1e-12))


def near_critical_width() -> float:
    """Width of the gap just above the critical point over sqrt(3 (W/2 - 1))."""
    w = CRITICAL_W + 1e-5
    ends = binodal(w)
    assert ends is not None
    return (ends[1] - ends[0]) / math.sqrt(3.0 * (0.5 * w - 1.0))


def binodal_against_hull(w: float) -> float:
    """Largest distance of the binodal from the gap in the lower convex hull of the free energy on a grid."""
    from scipy.spatial import ConvexHull

    ends = binodal(w)
    assert ends is not None
    x = np.linspace(0.0, 1.0, 100_001)
    g = mixing_free_energy(x, w)
    hull = ConvexHull(np.column_stack([x, g]))
    low = hull.equations[:, 1] < 0
    spans = np.sort(x[hull.simplices[low]], axis=1)
    widest = spans[np.argmax(spans[:, 1] - spans[:, 0])]
    return float(np.max(np.abs(widest - np.array(ends))))


def lever_rule(quantity: str) -> float:
    """Mean of the parts of the lever rule, or how far their free energy lies above the lowest found."""
    from scipy.optimize import minimize

    mean, w = 0.3, 3.0
    split = phase_split(mean, w)
    fractions, shares = np.array(split.fractions), np.array(split.shares)
    if quantity == "mean":
        return float(shares @ fractions)

    def energy(point: FloatArray) -> float:
        first, share = 1.0 / (1.0 + np.exp(-point))
        second = (mean - share * first) / (1.0 - share)
        if not 0.0 <= second <= 1.0:
            return 1.0
        return float(share * mixing_free_energy(first, w) + (1.0 - share) * mixing_free_energy(second, w))

    tight = {"xatol": 1e-10, "fatol": 1e-14, "maxiter": 4000}
    lowest = minimize(energy, np.array([-2.0, 1.0]), method="Nelder-Mead", options=tight).fun
    return float(shares @ mixing_free_energy(fractions, w) - lowest)


def exchange_against_tangent() -> float:
    """Distance from the binodal at which equal amounts of chloride and iodide crystals stop exchanging."""
    both = [HalidePopulation("Cl", (1, 0, 0), 1e-3), HalidePopulation("I", (0, 0, 1), 1e-3)]
    found = exchange_halides(both, [1e4], rate_per_s=0.1)
    ends = binodal(float(w_matrix(found.temperature_k)[0, 2]))
    assert ends is not None
    return float(np.max(np.abs(np.sort(found.crystals[-1, :, 2]) - np.array(ends))))


def ligand_order() -> str:
    """The ligands by the rate of exchange, fastest first."""
    names = ("lecithin", "zwitterion", "oleic acid")
    return " > ".join(sorted(names, key=lambda one: -exchange_rate(("Br", "I"), ligands=one).per_s))


def gap_by_pair() -> str:
    """Which pairs of halides mix at 298.15 K by the records."""
    w = w_matrix(298.15)
    return ", ".join(
        f"{HALIDES[i]}-{HALIDES[j]} {'mix' if binodal(float(w[i, j])) is None else 'gap'}"
        for i, j in ((0, 1), (1, 2), (0, 2))
    )


def rate_ratio() -> float:
    """Rate of exchange of Br and I at 60 degC over that at 25 degC."""
    return exchange_rate(("Br", "I"), 333.15).per_s / exchange_rate(("Br", "I"), 298.15).per_s


def merging_bands(quantity: str) -> str | float:
    """Bands of CsPbBr3 and CsPbI3 cubes in time, the most at once, or the largest error of their mean."""
    found = _merging()
    if quantity == "mean":
        fed = [found.balances(0)[h]["fed"] / found.counts_mol_l.sum() for h in HALIDES]
        return float(np.max(np.abs(found.mean - np.array(fed))))
    energy = np.linspace(1.5, 2.8, 651)
    light = exchange_spectra(found, energy)
    counts = [
        {len(band_peaks_ev(energy, light.sel(set=name).values[k])) for name in light["set"].values}
        for k in range(len(found.time_s))
    ]
    if quantity == "most":
        return float(max(max(one) for one in counts))
    return " then ".join("/".join(str(n) for n in sorted(one)) for one in counts)


@cache
def _merging() -> Exchange:
    green, red = (
        quadrature(Lognormal(10.0, 0.08), Population("cube", "core-edge", name, number_per_litre=1e17), n=16)
        for name in ("CsPbBr3", "CsPbI3")
    )
    return exchange_halides([population_of(green), population_of(red)], [0.0, 1.0, 20.0], rate_per_s=0.5)


def _crude() -> Ensemble:
    return quadrature(Lognormal(10.0, 0.10), Population("cube", "core-edge", "CsPbBr3"), n=100)


def size_selection(steepness: float | None = None) -> Computed:
    """cv after the steps that `design_cuts` gives for cv 5 % from a lognormal of 10 nm, cv 10 %."""
    found = _selected(steepness)
    one = found.chosen
    assert found.run is not None and found.run.kept.cv is not None
    return Computed(
        found.run.kept.cv,
        f"{2 * one.passes} steps, cuts at {one.low_cut_nm:.2f} and {one.high_cut_nm:.2f} nm, keeps "
        f"{100 * one.yield_number:.2g} % of the number; steepness {found.steepness:g}",
    )


@cache
def _selected(steepness: float | None) -> CutDesign:
    return design_cuts(_crude(), 0.05, steepness=steepness)


def kept_mean_against_integral() -> float:
    """Mean edge (nm) of a window of two steps over that of a direct integration of the distribution."""
    from scipy.integrate import quad

    steps = [Precipitation(11.0, "supernatant", 8.0), Precipitation(9.0, "pellet", 8.0)]
    kept = fractionate(_crude(), steps).kept
    tau = math.sqrt(math.log1p(0.01))
    centre = math.log(10.0) - 0.5 * tau**2

    def density(u: float, power: int) -> float:
        edge = math.exp(centre + tau * u)
        low, high = (1.0 / (1.0 + math.exp(-8.0 * ((edge / cut) ** 2 - 1.0))) for cut in (9.0, 11.0))
        return edge**power * math.exp(-0.5 * u * u) * low * (1.0 - high)

    first, second = (quad(density, -9.0, 9.0, args=(n,), epsabs=0.0, epsrel=1e-12)[0] for n in (0, 1))
    assert kept.mean_nm is not None
    return kept.mean_nm / (second / first)


def sharp_cut() -> float:
    """Yield of a very sharp step over the part of the lognormal above the cut."""
    tau = math.sqrt(math.log1p(0.01))
    u = np.linspace(-6.0, 6.0, 24_001)
    edges = np.exp(math.log(10.0) - 0.5 * tau**2 + tau * u)
    fine = from_table(edges, Population("cube", "core-edge", "CsPbBr3"), np.exp(-0.5 * u * u))
    kept = fractionate(fine, [Precipitation(10.5, "pellet", 2e4)]).kept
    above = (math.log(10.5 / 10.0) + 0.5 * tau**2) / tau
    return kept.yield_number / (0.5 * math.erfc(above / math.sqrt(2.0)))
