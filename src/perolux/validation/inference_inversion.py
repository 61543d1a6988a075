"""Functions of the rows in `inference_inversion.toml`: spectra of known populations, inverted.

The spectra are those of `synthesis.inline_spectra`, with its noise, under the parameter set with which they
are inverted. A truth is that of the crystals that give light (above 2 nm).
"""

from __future__ import annotations

import math
from functools import cache
from itertools import product
from typing import Literal

import numpy as np
import numpy.typing as npt

from perolux.excitons.parameters import parameters_of
from perolux.inference.inversion_case import Case, cubes
from perolux.inference.inversion_data import record_of
from perolux.inference.inversion_result import SetInversion
from perolux.inference.size_distribution import invert_spectrum
from perolux.inference.size_kernel import SizeKernel, edge_grid, size_kernel
from perolux.measured.records import Spectrum
from perolux.synthesis import SizeDistribution
from perolux.synthesis.inline_spectra import LEAST_EDGE_NM, Spectrometer, inline_spectra
from perolux.validation.run import Computed

__all__ = [
    "bound_edge_nm",
    "inversion_coverage",
    "kind_of_answer",
    "methods_differ_nm",
    "point_spread_nm",
    "population",
    "spectrum_of",
    "valley",
    "worst_error",
]

FloatArray = npt.NDArray[np.float64]
Shape = Literal["lognormal", "normal", "lsw"]
_MATERIAL, _SETS = "CsPbBr3", ("pssrrl2023", "yang2017")
_MEANS, _CVS = (3.0, 4.0, 5.0, 6.0, 7.0), (0.05, 0.1, 0.15)
_LAMP_NM = 310.0
"""A lamp at which a crystal of any size absorbs as its volume does; at 365 nm those below 3.3 nm do not."""
_DRAWS = 2000


def population(
    mean_nm: float, cv: float, shape: Shape = "lognormal", number_per_m3: float = 1e17
) -> SizeDistribution:
    """Cubes of that number mean and cv, above 2 nm, in 161 boxes; "lsw": skew to the left, -0.92."""
    x = np.linspace(-5.0, 5.0, 161)
    half = 0.5 * (x[1] - x[0])
    if shape == "lognormal":
        tau = math.sqrt(math.log1p(cv * cv))
        low, high = (mean_nm * np.exp(-0.5 * tau * tau + tau * (x + d)) for d in (-half, half))
        weight = np.exp(-0.5 * x * x)
    else:
        weight = np.exp(-0.5 * x * x) if shape == "normal" else _lsw(x)
        middle = weight @ x / weight.sum()
        width = math.sqrt(weight @ (x - middle) ** 2 / weight.sum())
        low, high = (mean_nm * (1.0 + cv * (x + d - middle) / width) for d in (-half, half))
    kept = (low >= LEAST_EDGE_NM) & (weight > 1e-9)
    number = number_per_m3 * weight[kept] / weight[kept].sum()
    return SizeDistribution(0.5e-9 * low[kept], 0.5e-9 * high[kept], number)


def _lsw(x: FloatArray) -> FloatArray:
    """The distribution of ripening by diffusion (Lifshitz, Slyozov, Wagner), u = 1 + 0.215 x."""
    u = np.clip(1.0 + 0.215 * x, 1e-9, 1.5 - 1e-9)
    with np.errstate(under="ignore"):
        tail = (u + 3.0) ** (7 / 3) * (1.5 - u) ** (11 / 3)
        return np.asarray(u**2 * np.exp(-1.0 / (1.0 - 2.0 * u / 3.0)) / tail)


def spectrum_of(
    grown: SizeDistribution, set_name: str, seed: int, kind: str = "pl", lamp_nm: float = _LAMP_NM
) -> Spectrum:
    """PL at signal to noise 100 of a thin sample."""
    used = Spectrometer(signal_to_noise=100.0, dilution=1e4, excitation_nm=lamp_nm)
    seen = inline_spectra(_MATERIAL, [grown], [0.0], spectrometer=used, sets=set_name, seed=seed)
    return seen.spectra(kind, set_name)[0]


@cache
def _kernel(set_name: str, lamp_nm: float) -> SizeKernel:
    parameters = parameters_of(_MATERIAL, 298.15, sets=set_name, draws=0)[0]
    return size_kernel(parameters, edge_grid(30.0), np.array([350.0, 700.0]), lamp_nm)


def inverted(grown: SizeDistribution, set_name: str, seed: int, lamp_nm: float = _LAMP_NM) -> SetInversion:
    """The population found again under one set, intervals of the noise alone."""
    kernel = _kernel(set_name, lamp_nm)
    parameters = parameters_of(_MATERIAL, 298.15, sets=set_name, draws=0)[0]
    seen = spectrum_of(grown, set_name, seed, lamp_nm=lamp_nm)
    record = record_of(seen, (2.0, float(kernel.emission_ev[0]) + 0.25))
    return cubes(Case(parameters, kernel, (record,), 2.0, None), np.random.default_rng(seed), _DRAWS)[0]


@cache
def _errors(
    shape: Shape, lamp_nm: float, set_name: str, mean_nm: float, cv: float, seed: int
) -> dict[str, tuple[float, float]]:
    """Errors of mean (nm) and cv by each estimate."""
    grown = population(mean_nm, cv, shape)
    found, true = inverted(grown, set_name, seed, lamp_nm), _truth(grown)
    chosen = {"gcv": found.gcv, "l-curve": found.l_curve, "tikhonov": found.tikhonov}
    picked = {name: (one.mean_edge_nm, one.cv) for name, one in chosen.items()}
    picked["posterior"] = (found.mean_edge_nm.median, found.cv.median)
    return {name: (abs(a - true[0]), abs(b - true[1])) for name, (a, b) in picked.items()}


def _truth(grown: SizeDistribution) -> tuple[float, float]:
    return 2e9 * (grown.mean_radius_m or 0.0), grown.cv or 0.0


def worst_error(
    what: str,
    shape: Shape = "lognormal",
    lamp_nm: float = _LAMP_NM,
    estimate: str = "posterior",
    seeds: int = 3,
    low_nm: float = 3.0,
    high_nm: float = 7.0,
) -> Computed:
    """Largest error of "mean" (nm) or "cv" over means from low_nm to high_nm, cv 0.05 to 0.15, both sets."""
    worst, where = 0.0, ""
    for set_name, mean, cv, seed in product(_SETS, _MEANS, _CVS, range(seeds)):
        if not low_nm <= mean <= high_nm:
            continue
        error = _errors(shape, lamp_nm, set_name, mean, cv, seed)[estimate][0 if what == "mean" else 1]
        if error > worst:
            worst, where = error, f"{mean:g} nm, cv {cv:g}, {set_name}, seed {seed}"
    return Computed(worst, f"at {where}")


def inversion_coverage(what: str, shape: Shape = "lognormal", seeds: int = 200) -> Computed:
    """Share of 95 % intervals (noise alone) that hold the true "mean" or "cv"; 3 to 7 nm, cv 0.05 to 0.15."""
    inside = _covered(shape, seeds)[0 if what == "mean" else 1]
    return Computed(inside / seeds, f"{inside} of {seeds}")


@cache
def _covered(shape: Shape, seeds: int) -> tuple[int, int]:
    generator = np.random.default_rng(20250301)
    hits = [0, 0]
    for seed in range(seeds):
        mean, cv = generator.uniform(3.0, 7.0), generator.uniform(0.05, 0.15)
        grown = population(float(mean), float(cv), shape)
        found = inverted(grown, _SETS[seed % 2], seed)
        for i, (one, true) in enumerate(zip((found.mean_edge_nm, found.cv), _truth(grown), strict=True)):
            hits[i] += one.low95 <= true <= one.high95
    return hits[0], hits[1]


def kind_of_answer(mean_nm: float, cv: float = 0.1, seed: int = 1) -> str:
    """interval or lower-bound, over both sets, with gap, Stokes shift and line width unknown."""
    return str(invert_spectrum(spectrum_of(population(mean_nm, cv), _SETS[0], seed), _MATERIAL).kind)


def bound_edge_nm(cv: float = 0.1, seed: int = 1) -> float:
    """Least mean edge (steps of 0.25 nm) from which on PL gives no upper bound."""
    low, high = 6.0, 11.0
    while high - low > 0.25:
        middle = 0.5 * (low + high)
        low, high = (low, middle) if kind_of_answer(middle, cv, seed) == "lower-bound" else (middle, high)
    return high


def point_spread_nm(edge_nm: float, seed: int = 1) -> Computed:
    """Full width at half height of what becomes of one size, signal to noise 100, cv 0.05, the first set."""
    found = inverted(population(edge_nm, 0.05), _SETS[0], seed)
    j = int(np.argmin(np.abs(found.edge_nm - edge_nm)))
    low, high = found.resolution.low_nm[j], found.resolution.high_nm[j]
    return Computed(
        float(high - low), f"from {low:.2f} to {high:.2f} nm; resolved up to {found.limit_nm:.1f} nm"
    )


def valley(seed: int = 1) -> Computed:
    """Density between equal populations of 4 and 6.5 nm (cv 0.06) over that of the lower maximum."""
    one, two = population(4.0, 0.06), population(6.5, 0.06)
    both = SizeDistribution(
        np.r_[one.low_m, two.low_m],
        np.r_[one.high_m, two.high_m],
        np.r_[one.number_per_m3, two.number_per_m3],
    )
    found = inverted(both, _SETS[0], seed)
    edge, density = found.edge_nm, found.density
    least = float(density[(edge > 4.5) & (edge < 6.0)].min())
    tops = float(density[edge < 5].max()), float(density[edge > 5.5].max())
    mean = found.mean_edge_nm
    detail = f"mean {mean.median:.3f} ({mean.low95:.3f} to {mean.high95:.3f}) nm, true {_truth(both)[0]:.3f}"
    return Computed(least / min(tops), detail)


def methods_differ_nm(seed: int = 1) -> Computed:
    """Largest difference of the mean edge of the light between posterior and Tikhonov, 3 to 7 nm, cv 0.1."""
    gaps = []
    for mean in _MEANS:
        found = inverted(population(mean, 0.1), _SETS[0], seed)
        gaps.append(abs(found.light_edge_nm.median - found.tikhonov_light_edge_nm))
    return Computed(max(gaps), ", ".join(f"{gap:.3f}" for gap in gaps))
