"""Functions of the rows in `synthesis.toml`: populations against exact solutions, engine against engine."""

from __future__ import annotations

import tomllib
from functools import cache

import numpy as np

from perolux.files import example_path
from perolux.synthesis import (
    ClassicalGrowth,
    Conditions,
    History,
    PlainGrowth,
    PowerLawGrowth,
    Ripening,
    SizeDistribution,
    constant_conditions,
    grow,
    grow_finite_volume,
    read_kinetic_case,
)
from perolux.synthesis.aggregation import attach
from perolux.synthesis.batch import grow_recipe
from perolux.synthesis.finite_volume import extrapolated
from perolux.synthesis.laws import barrier_kt, capillary_length_m, critical_radius_m
from perolux.synthesis.recipe import HotInjectionRecipe, recipe_of
from perolux.synthesis.speciation import COMPONENTS, speciate
from perolux.validation.run import Computed

__all__ = [
    "acid_and_lead_poor_phase",
    "attachment",
    "batch",
    "complex_residual",
    "constant_nucleation",
    "critical_nucleus",
    "diffusion_focusing",
    "hot_injection",
    "linear_growth_cv_ratio",
    "phase_order",
    "power_law_batch",
    "power_law_cells",
    "power_law_cells_order",
    "pure_growth",
    "ripening",
    "speciation_totals",
    "stirred_tank",
    "two_engines",
]

_NM = 1e-9
_FORMULA_M3 = 2.02262003e-28
_TIMES_S = (10.0, 60.0, 300.0, 600.0, 1800.0)


def _alone(washout_per_s: float = 0.0) -> Conditions:
    """Conditions for growth that knows no solution."""
    return constant_conditions(solubility_mol_m3=1.0, supplied_mol_m3=0.0, washout_per_s=washout_per_s)


def _bell(middle_nm: float, width_nm: float) -> SizeDistribution:
    edges = np.linspace(middle_nm - 4 * width_nm, middle_nm + 4 * width_nm, 81) * _NM
    centre = 0.5 * (edges[1:] + edges[:-1]) / _NM
    return SizeDistribution(
        edges[:-1], edges[1:], 1e20 * np.exp(-0.5 * ((centre - middle_nm) / width_nm) ** 2)
    )


def _mean(distribution: SizeDistribution) -> float:
    mean = distribution.mean_radius_m
    assert mean is not None
    return mean


def _cv(distribution: SizeDistribution) -> float:
    cv = distribution.cv
    assert cv is not None
    return cv


def pure_growth(quantity: str) -> float:
    """Shift of the mean (nm), or the ratio of standard deviations, after 300 s of 0.1 nm/s."""
    start = _bell(15.0, 2.0)
    end = grow(PlainGrowth("constant", 0.1 * _NM), _alone(), [300.0], start=start).distributions[0]
    if quantity == "shift_nm":
        return (_mean(end) - _mean(start)) / _NM
    return _cv(end) * _mean(end) / (_cv(start) * _mean(start))


def constant_nucleation(quantity: str) -> float:
    """Number (1/m3), mean size (nm) or cv of constant nucleation and growth of the size by 0.02 nm/s."""
    model = PlainGrowth("constant", 0.01 * _NM, nucleation_per_m3_s=1e19)
    end = grow(model, _alone(), [300.0]).distributions[0]
    return {"number": end.number, "mean_nm": 2.0 * _mean(end) / _NM, "cv": _cv(end)}[quantity]


def linear_growth_cv_ratio() -> float:
    """cv after growth in proportion to the size over the one before."""
    start = _bell(3.0, 0.3)
    history = grow(PlainGrowth("linear", 0.01), _alone(), [100.0], start=start, tolerance=1e-7)
    return float(history.cv[0]) / _cv(start)


def diffusion_focusing() -> float:
    """Radius (nm) of crystals of 2 nm after diffusion-limited growth."""
    start = SizeDistribution(np.array([2.0 * _NM]), np.array([2.0 * _NM]), np.array([1e20]))
    model = PlainGrowth("inverse", 0.01 * _NM**2)
    return float(grow(model, _alone(), [300.0], start=start, tolerance=1e-7).mean_radius_m[0]) / _NM


def stirred_tank(quantity: str) -> float:
    """cv, or the mean over G tau, of a stirred tank after 40 residence times."""
    tau, rate = 50.0, 0.01 * _NM
    model = PlainGrowth("constant", rate, nucleation_per_m3_s=1e19)
    history = grow(model, _alone(1.0 / tau), [40 * tau], fixed_step_s=0.01 * tau, most_cohorts=5000)
    return float(history.cv[0]) if quantity == "cv" else float(history.mean_radius_m[0]) / (rate * tau)


def power_law_batch(quantity: str) -> Computed:
    """The batch with power laws after 18000 s, at a tolerance of 5e-5."""
    history = _power_law_batch()
    value = {
        "number": float(history.number_per_m3[0]),
        "mean_um": 2e6 * float(history.mean_radius_m[0]),
        "cv": float(history.cv[0]),
        "dissolved": float(history.dissolved_mol_m3[0]),
        "mass_error": history.mass_error,
    }[quantity]
    return Computed(value, f"{history.steps} steps")


def power_law_cells(cells: int, quantity: str) -> float:
    """The same batch by finite volumes up to 400 um: number (1/m3) or solute (kg/m3) at 18000 s."""
    model = PowerLawGrowth(1e6, 5, 2e-8, 1, 1e-6, 0.524, 1200.0)
    conditions = constant_conditions(solubility_mol_m3=1.2, supplied_mol_m3=2.0)
    history = grow_finite_volume(model, conditions, [18000.0], largest_m=2e-4, cells=cells)
    return float(history.number_per_m3[0] if quantity == "number" else history.dissolved_mol_m3[0])


def power_law_cells_order() -> Computed:
    """Order of the error of the number in the width of the cells: 200 against 800 cells."""
    coarse, fine = (abs(power_law_cells(n, "number") / 912634891.0 - 1.0) for n in (200, 800))
    return Computed(0.5 * float(np.log2(coarse / fine)), f"errors {coarse:.1e} and {fine:.1e}")


@cache
def _power_law_batch() -> History:
    model = PowerLawGrowth(1e6, 5, 2e-8, 1, 1e-6, 0.524, 1200.0)
    conditions = constant_conditions(solubility_mol_m3=1.2, supplied_mol_m3=2.0)
    return grow(model, conditions, [18000.0], tolerance=5e-5)


def ripening(limit: str, quantity: str) -> float:
    """Slope of mean^3 or mean^2 over K, cv and skewness, from a self-similar start."""
    power, slope = (3, 4.0 / 9.0) if limit == "diffusion" else (2, 0.395062)
    start, history, rate = _ripened(limit, power, slope)
    if quantity == "slope":
        mean, time = history.mean_radius_m**power, history.time_s
        return float((mean[1] - mean[0]) / (time[1] - time[0]) / rate)
    end = history.distributions[1]
    found = end.cv if quantity == "cv" else end.skewness
    assert found is not None and len(start)
    return found


@cache
def _ripened(limit: str, power: int, slope: float) -> tuple[SizeDistribution, History, float]:
    top, scale = (1.5 if limit == "diffusion" else 2.0), 3.0 * _NM
    # closer towards the largest sizes, from which all late crystals come
    edges = top * (1.0 - (1.0 - np.linspace(0.0, 1.0, 4001)) ** 2)
    u = 0.5 * (edges[1:] + edges[:-1])
    if limit == "diffusion":
        density = 81 * np.e * 2 ** (-5 / 3) * u**2 * np.exp(-1 / (1 - 2 * u / 3))
        density /= (u + 3) ** (7 / 3) * (1.5 - u) ** (11 / 3)
    else:
        density = 24 * u / (2 - u) ** 5 * np.exp(-3 * u / (2 - u))
    number = 1e20 * density * np.diff(edges)
    there = number > 1e-12 * number.max()
    start = SizeDistribution(edges[:-1][there] * scale, edges[1:][there] * scale, number[there])
    rate = 1e-30 if limit == "diffusion" else 1e-21
    times = np.array([0.5, 1.0]) * _mean(start) ** power / (slope * rate)
    model = Ripening("diffusion" if limit == "diffusion" else "surface", rate)
    history = grow(model, _alone(), times, start=start, tolerance=1e-5, most_cohorts=10000)
    return start, history, rate


def attachment(size: int) -> float:
    """Crystals of `size` monomers (0: of any) over those at the start, attachment with k N0 t/2 = 1."""
    pivots = np.arange(1.0, 201.0)
    start = np.where(pivots == 1.0, 1e20, 0.0)
    kernel = np.full((200, 200), 1e-18)
    kernel[np.add.outer(pivots, pivots) > 200] = 0.0  # beyond the pivots: 1e-60 of all at that time
    end = attach(pivots, start, kernel, 2.0 / (1e-18 * 1e20))[0]
    return float(end.sum() if size == 0 else end[size - 1]) / 1e20


def complex_residual() -> float:
    """Largest residual of the complex equilibrium over feeds of six decades."""
    worst = 0.0
    for total in (1e-3, 1.0, 1e3):
        for constant in (1e-2, 1.0, 50.0):
            conditions = constant_conditions(
                solubility_mol_m3=1e6,
                supplied_mol_m3=total,
                complexant_mol_m3=5.0,
                dissociation_mol_m3=constant,
            )
            x = float(grow(ClassicalGrowth(_FORMULA_M3), conditions, [1.0]).free_mol_m3[0])
            worst = max(worst, abs(x * x + (5.0 + constant) * x - constant * total) / max(1.0, total))
    return worst


def critical_nucleus(quantity: str) -> float:
    """Radius (nm), barrier (kT) or capillary length (nm) at 40 mJ/m2, 298.15 K and S = 100."""
    at = (0.04, _FORMULA_M3, 298.15)
    return {
        "radius_nm": float(critical_radius_m(*at, 100.0)) / _NM,
        "barrier_kt": float(barrier_kt(*at, 100.0)),
        "capillary_nm": float(capillary_length_m(*at)) / _NM,
    }[quantity]


def batch(t_s: float, quantity: str) -> float:
    """The reference batch by the cohorts at their default tolerance."""
    return float(_of(_batch(), quantity)[_TIMES_S.index(t_s)])


def two_engines(quantity: str) -> Computed:
    """Largest deviation (%) of the extrapolated finite volumes from the cohorts, after the first 10 s."""
    case = read_kinetic_case(example_path("kinetic_cases") / "batch.json")
    coarse, fine = _finite_volumes()
    found = extrapolated(_of(coarse, quantity), _of(fine, quantity), 1.0)
    cohorts = grow(case.model, case.conditions, _TIMES_S, tolerance=1e-5, most_cohorts=512)
    deviation = 100.0 * np.abs(found / _of(cohorts, quantity) - 1.0)[1:]
    return Computed(float(deviation.max()), f"worst at {_TIMES_S[1 + int(deviation.argmax())]:g} s")


@cache
def _batch() -> History:
    case = read_kinetic_case(example_path("kinetic_cases") / "batch.json")
    return grow(case.model, case.conditions, _TIMES_S)


@cache
def _finite_volumes() -> tuple[History, History]:
    case = read_kinetic_case(example_path("kinetic_cases") / "batch.json")
    coarse, fine = (
        grow_finite_volume(case.model, case.conditions, _TIMES_S, largest_m=3.6 * _NM, cells=cells)
        for cells in (400, 800)
    )
    return coarse, fine


def hot_injection(celsius: float, quantity: str) -> float:
    """The shipped hot injection, 5 s at a temperature: edge (nm), cv, or time (s) to 90 % of the yield."""
    content = tomllib.loads((example_path("recipes") / "cspbbr3_hot_injection.toml").read_text("utf-8"))
    content["vessel"]["temperature"] = f"{celsius} degC"
    content["events"] = content["events"][:1]
    content["observe"] = {"until": "5 s", "times": [f"{t:.4f} s" for t in np.geomspace(0.05, 5.0, 80)]}
    recipe = recipe_of(content)
    assert isinstance(recipe, HotInjectionRecipe)
    history = grow_recipe(recipe).history
    if quantity == "t90_s":
        bound = history.bound_mol_m3 / history.bound_mol_m3[-1]
        return float(np.interp(0.9, bound, history.time_s))
    return float(history.cv[-1]) if quantity == "cv" else 2e9 * float(history.mean_radius_m[-1])


def phase_order(first: str, then: str) -> float:
    """Cs:Pb at which the second solid appears over that of the first, CsBr added to PbBr2 at 298 K."""
    ratio = np.geomspace(0.2, 200.0, 400)
    found = speciate({"A": 0.01 * ratio, "Pb": 0.01, "X": 0.01 * (2.0 + ratio)})
    a, b = (ratio[np.flatnonzero(found.solids[name] > 0)[0]] for name in (first, then))
    return float(b / a)


def acid_and_lead_poor_phase() -> float:
    """Cs4PbBr6 with little oleic acid (0.01 mol/L) over that with much (0.2), oleylamine 0.25 mol/L."""
    acid = np.array([0.01, 0.2])
    feed = {"A": 0.06, "Pb": 0.03, "X": 0.12, "amine": 0.25, "quaternary": 0.06}
    found = speciate({**feed, "anion": 0.06 + acid, "proton": acid}).solids["A4PbX6"]
    return float(found[0] / found[1])


def speciation_totals() -> float:
    """Largest relative error of a total over 1e4 random feeds, six decades each, 270 to 480 K."""
    rng = np.random.default_rng(2024)
    feeds = {name: 10.0 ** rng.uniform(-6.0, 0.0, 10_000) for name in COMPONENTS}
    return float(speciate(feeds, temperature_k=rng.uniform(270.0, 480.0, 10_000)).total_error.max())


def _of(history: History, quantity: str) -> np.ndarray:
    values: dict[str, np.ndarray] = {
        "number_per_m3": history.number_per_m3,
        "mean_diameter_nm": 2e9 * history.mean_radius_m,
        "cv": history.cv,
        "dissolved_mol_m3": history.dissolved_mol_m3,
    }
    return values[quantity]
