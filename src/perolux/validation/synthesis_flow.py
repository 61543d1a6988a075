"""Functions of the rows in `synthesis_flow.toml`: laminar flow, residence times, droplets with few nuclei."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from perolux.synthesis import ClassicalGrowth, Conditions, PlainGrowth, constant_conditions, grow
from perolux.synthesis.droplet_nucleation import DropletSample, sample_droplets, undepleted_nuclei_per_m3
from perolux.synthesis.flow import average_population
from perolux.synthesis.mixedness import feed_rate_per_s, way_to_a_detector
from perolux.synthesis.residence import (
    axial_variance_m2,
    inverse_gaussian_density,
    residence_times,
    taylor_aris_m2_s,
)
from perolux.validation.run import Computed

__all__ = [
    "jitter",
    "many_nuclei",
    "mixed_ages",
    "one_nucleus",
    "poisson_droplets",
    "tube_cells",
    "tube_early",
    "tube_walk",
]

FloatArray = npt.NDArray[np.float64]
_RADIUS_M, _DIFFUSIVITY, _VELOCITY = 2.5e-4, 1e-9, 2e-4
"""A tube of Pe = 50."""
_FORMULA_M3 = 2.02262003e-28


def _cells(count: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Rings of equal width: shares of the cross-section, axial velocity, matrix of radial diffusion (1/s)."""
    edge = np.linspace(0.0, 1.0, count + 1)
    area = np.diff(edge**2)
    # the mean over a ring of 2 u (1 - rho^2)
    velocity = 2.0 * _VELOCITY * (1.0 - np.diff(edge**4) / (2.0 * area))
    across = 2.0 * edge[1:-1] / np.diff(0.5 * (edge[1:] + edge[:-1])) * _DIFFUSIVITY / _RADIUS_M**2
    matrix = np.zeros((count, count))
    inner = np.arange(count - 1)
    matrix[inner, inner + 1] += across / area[:-1]
    matrix[inner, inner] -= across / area[:-1]
    matrix[inner + 1, inner] += across / area[1:]
    matrix[inner + 1, inner + 1] -= across / area[1:]
    return area, velocity, matrix


def tube_cells() -> float:
    """Dispersion at long times by radial finite volumes over that of Taylor and Aris."""
    area, velocity, matrix = _cells(400)
    # the first axial moment of each ring, in the moving frame, no longer changes
    lag = np.linalg.lstsq(matrix, -(velocity - _VELOCITY), rcond=None)[0]
    lag -= area @ lag
    found = _DIFFUSIVITY + float(area @ ((velocity - _VELOCITY) * lag))
    return found / float(taylor_aris_m2_s(_DIFFUSIVITY, _VELOCITY, _RADIUS_M))


def tube_early(scaled_time: float) -> float:
    """Axial variance at D t/R^2 from the moments of radial finite volumes over that of the modes."""
    from scipy.linalg import expm

    area, velocity, matrix = _cells(100)
    n, end = len(area), scaled_time * _RADIUS_M**2 / _DIFFUSIVITY
    # moments 0, 1, 2 of each ring: one linear system
    whole = np.zeros((3 * n, 3 * n))
    drift = np.diag(velocity - _VELOCITY)
    for k in range(3):
        whole[k * n : (k + 1) * n, k * n : (k + 1) * n] = matrix
    whole[n : 2 * n, :n] = drift
    whole[2 * n :, n : 2 * n] = 2.0 * drift
    whole[2 * n :, :n] = 2.0 * _DIFFUSIVITY * np.eye(n)
    moments = expm(whole * end) @ np.concatenate((np.ones(n), np.zeros(2 * n)))
    return float(area @ moments[2 * n :]) / axial_variance_m2(_VELOCITY, _RADIUS_M, [(_DIFFUSIVITY, end)])


@cache
def _passages(tracers: int, radii: float) -> FloatArray:
    """Times (s) at which tracers in Poiseuille flow first pass u t = `radii` R^2/D, by a random walk."""
    rng = np.random.default_rng(20240607)
    step = 1e-3 * _RADIUS_M**2 / _DIFFUSIVITY
    length = radii * _VELOCITY * _RADIUS_M**2 / _DIFFUSIVITY
    jump = np.sqrt(2.0 * _DIFFUSIVITY * step)
    # a feed that never ends: what enters is weighted by its velocity, p(rho) = 4 rho (1 - rho^2)
    rho = np.sqrt(1.0 - np.sqrt(1.0 - rng.random(tracers)))
    place = np.zeros((3, tracers))
    place[0] = rho * _RADIUS_M
    passed = np.zeros(tracers)
    moving = np.arange(tracers)
    time = 0.0
    while len(moving):
        here = place[:, moving]
        fast = 2.0 * _VELOCITY * (1.0 - (here[0] ** 2 + here[1] ** 2) / _RADIUS_M**2)
        new = here + jump * rng.standard_normal(here.shape)
        beyond = np.hypot(new[0], new[1])
        out = beyond > _RADIUS_M
        new[:2, out] *= (2.0 * _RADIUS_M - beyond[out]) / beyond[out]
        faster = 2.0 * _VELOCITY * (1.0 - (new[0] ** 2 + new[1] ** 2) / _RADIUS_M**2)
        new[2] += 0.5 * (fast + faster) * step
        there = new[2] >= length
        share = (length - here[2, there]) / (new[2, there] - here[2, there])
        passed[moving[there]] = time + step * share
        place[:, moving] = new
        moving = moving[~there]
        time += step
    return passed


def tube_walk(quantity: str) -> Computed:
    """Passage times of 8000 tracers, 10 R^2/D long: variance over 2 D_ax/(u L), or the share before the time
    that the inverse Gaussian gives for 90 %."""
    times = _passages(8000, 10.0)
    length = 10.0 * _VELOCITY * _RADIUS_M**2 / _DIFFUSIVITY
    spread = 2.0 * float(taylor_aris_m2_s(_DIFFUSIVITY, _VELOCITY, _RADIUS_M)) / (_VELOCITY * length)
    mean = length / _VELOCITY
    note = f"mean {times.mean() / mean:.4f} of L/u"
    if quantity == "variance":
        return Computed(float(times.var() / mean**2 / spread), note)
    grid = np.linspace(0.0, 3.0 * mean, 30_001)
    below = np.cumsum(inverse_gaussian_density(grid, mean, float(np.sqrt(spread)))) * (grid[1] - grid[0])
    late = float(np.interp(0.9, below, grid))
    return Computed(float(np.mean(times < late)), note)


def _nucleating(rate_per_m3_s: float, surface_rate_m_s: float) -> tuple[ClassicalGrowth, Conditions]:
    """Cubes at S = 100 whose nucleation rate at the full supply is given."""
    model = ClassicalGrowth(_FORMULA_M3)
    conditions = constant_conditions(
        solubility_mol_m3=0.01,
        supplied_mol_m3=1.0,
        surface_rate_m_s=surface_rate_m_s,
        ln_prefactor=1.0,
        knots_s=np.linspace(0.0, 60.0, 61).tolist(),
    )
    there = float(undepleted_nuclei_per_m3(model, conditions, [60.0])[0]) / 60.0
    shifted = {name: getattr(conditions, name) for name in conditions.__dataclass_fields__}
    shifted["ln_prefactor"] = 1.0 + np.log(rate_per_m3_s / there)
    return model, Conditions(**shifted)


@cache
def _sample(surface_rate_m_s: float, expected: float, count: int, seed: int) -> DropletSample:
    volume = 1e-18
    model, conditions = _nucleating(expected / (volume * 60.0), surface_rate_m_s)
    times = np.full((count, 1), 60.0)
    return sample_droplets(model, [conditions] * count, times, volume, np.random.default_rng(seed))


def poisson_droplets(quantity: str) -> Computed:
    """4000 droplets of 1 fL that expect 1.5 nuclei and hardly grow: share without one, variance over mean."""
    nuclei = _sample(1e-12, 1.5, 4000, 1).nuclei[:, 0]
    value = np.mean(nuclei == 0) if quantity == "none" else nuclei.var(ddof=1) / nuclei.mean()
    return Computed(float(value), f"{nuclei.mean():.4f} nuclei a droplet")


def one_nucleus() -> Computed:
    """4000 droplets whose first crystal takes all in 60 ms of 60 s: nuclei over 1 - exp(-1.5)."""
    nuclei = _sample(1e-2, 1.5, 4000, 2).nuclei[:, 0]
    return Computed(float(nuclei.mean()) / -np.expm1(-1.5), f"{np.mean(nuclei > 1):.4f} with more than one")


@cache
def _many() -> tuple[DropletSample, tuple[float, ...]]:
    model = ClassicalGrowth(_FORMULA_M3, "sphere")
    conditions = constant_conditions(
        solubility_mol_m3=0.01,
        supplied_mol_m3=1.0,
        ln_prefactor=33.0 * np.log(10.0),
        knots_s=np.linspace(0.0, 300.0, 101).tolist(),
    )
    mean = grow(model, conditions, [300.0], tolerance=1e-5, most_cohorts=1024)
    volume = 1500.0 / float(mean.nuclei_per_m3[0])
    sample = sample_droplets(
        model, [conditions] * 4, np.full((4, 1), 300.0), volume, np.random.default_rng(3)
    )
    reference = (
        float(mean.nuclei_per_m3[0]) * volume,
        2e9 * float(mean.mean_radius_m[0]),
        float(mean.cv[0]),
        float(mean.dissolved_mol_m3[0]),
    )
    return sample, reference


def many_nuclei(quantity: str) -> float:
    """Four droplets of 1500 nuclei, event by event, over the mean population by the cohorts, after 300 s."""
    sample, reference = _many()
    every = 2e9 * np.concatenate(sample.radii_m[0])
    found = {
        "nuclei": (float(sample.nuclei.mean()), reference[0]),
        "mean": (float(every.mean()), reference[1]),
        "cv": (float(every.std() / every.mean()), reference[2]),
        "dissolved": (float(sample.dissolved_mol_m3.mean()), reference[3]),
    }[quantity]
    return found[0] / found[1]


def jitter(quantity: str) -> float:
    """Constant nucleation and growth, averaged over residence times of 100 s with relative sd 0.3.

    number: over B0 times the mean time. second: mean square size over G^2 <t^3>/(3 <t>).
    """
    rate, mean, sd = 1e-11, 100.0, 0.3
    times, weights = residence_times(mean, sd)
    model = PlainGrowth("constant", rate, nucleation_per_m3_s=1e19)
    alone = constant_conditions(solubility_mol_m3=1.0, supplied_mol_m3=0.0)
    union = average_population(grow(model, alone, times).distributions, weights)
    if quantity == "number":
        return union.number / (1e19 * mean)
    cube = mean**3 * (1.0 + 3.0 * sd**2 + 3.0 * sd**4)
    return union.moment(2) / union.number / (rate**2 * cube / (3.0 * mean))


def mixed_ages(quantity: str) -> float:
    """What `jitter` says, under maximum mixedness: fresh feed joins on the way, and both must agree."""
    rate, mean, sd = 1e-11, 100.0, 0.3
    time, left = way_to_a_detector(mean, sd)
    alone = Conditions(
        **{
            name: np.full(len(time), value)
            for name, value in constant_conditions(solubility_mol_m3=1.0, supplied_mol_m3=0.0).at(0.0).items()
        }
        | {"time_s": time, "washout_per_s": feed_rate_per_s(left, mean, sd)}
    )
    model = PlainGrowth("constant", rate, nucleation_per_m3_s=1e19)
    # a step ends at each knot, as in `grow_mixed`: this law alone would take one for all
    union = grow(model, alone, time[1:], tolerance=1e-5).distributions[-1]
    if quantity == "number":
        return union.number / (1e19 * mean)
    cube = mean**3 * (1.0 + 3.0 * sd**2 + 3.0 * sd**4)
    return union.moment(2) / union.number / (rate**2 * cube / (3.0 * mean))
