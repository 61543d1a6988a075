"""Functions of the rows in `synthesis_solid.toml`: breakage against exact solutions, routes against light."""

from __future__ import annotations

import tomllib
from functools import cache

import numpy as np
import numpy.typing as npt

from perolux.ensemble import Lognormal, Population, quadrature
from perolux.files import example_path
from perolux.synthesis import ClassicalGrowth, constant_conditions, grow
from perolux.synthesis.carrier import grow_on_carrier
from perolux.synthesis.laws import heterogeneous_factor
from perolux.synthesis.milling import mill
from perolux.synthesis.recipe import read_recipe, recipe_of
from perolux.synthesis.recipe_solid import MillingRecipe, SaltRecipe, TemplateRecipe
from perolux.synthesis.scission import Cells, Scission, break_up, cells_above
from perolux.synthesis.scission_crystals import break_one_by_one
from perolux.synthesis.solid_light import Light, emission_of
from perolux.synthesis.template import crystals_in_pores, grow_in_pores
from perolux.validation.run import Computed

__all__ = [
    "carrier_light",
    "carrier_number",
    "contact_factor",
    "crystals_one_by_one",
    "last_cut",
    "milled_width",
    "pore_colours",
    "pore_limits",
    "power_law_scission",
    "random_scission",
    "weak_confinement",
]

FloatArray = npt.NDArray[np.float64]
_RANDOM = Scission(1.0, 1.0, 3.0)


def _on(cells: Cells, density: object) -> FloatArray:
    """Numbers on the pivots of a density of volume (a function of an array)."""
    v = np.geomspace(cells.edges[0], cells.edges[-1], 100_001)
    middle = np.sqrt(v[1:] * v[:-1])
    return cells.shared(middle, density(middle) * np.diff(v))  # type: ignore[operator]


def random_scission(quantity: str) -> float:
    """Number from one crystal, error of the density from an exponential start, or the order of that error."""
    if quantity == "number":
        cells = Cells(np.geomspace(1e-9, 1.0, 301))
        start = np.zeros(300)
        start[-1] = 1.0
        return float(break_up(_RANDOM, cells, start, [999.0]).sum())
    fine = _density_error(400)
    return fine if quantity == "density" else float(np.log2(_density_error(200) / fine))


@cache
def _density_error(count: int) -> float:
    cells = Cells(np.geomspace(1e-6, 200.0, count + 1))
    found = break_up(_RANDOM, cells, _on(cells, lambda v: np.exp(-v)), [9.0])[0]
    exact = _on(cells, lambda v: 100.0 * np.exp(-10.0 * v))
    return float(np.abs(found - exact).sum() / exact.sum())


def power_law_scission() -> float:
    """Mean edge over the exact one, nu = -1/2, s = k v^(1/2), from kt = 1 to kt = 5."""
    law = Scission(1.0, 1.0, 1.5, "power-law", -0.5)
    cells = Cells(np.geomspace(1e-12, 1e6, 1201))
    edge = np.cbrt(cells.pivots)

    def of(t: float) -> FloatArray:
        return _on(cells, lambda v: t**3 * v**-0.5 * np.exp(-t * np.sqrt(v)))

    found, exact = break_up(law, cells, of(1.0), [4.0])[0], of(5.0)
    return float((found @ edge / found.sum()) / (exact @ edge / exact.sum()))


def last_cut(quantity: str) -> float:
    """Number over V/v_m, mean edge over the least one, or cv, when nothing breaks any more."""
    number, volume = _last_cut()
    edge = np.cbrt(volume)
    mean = float(number @ edge / number.sum())
    cv = float(np.sqrt(number @ edge**2 / number.sum() - mean**2) / mean)
    return {"number": float(number.sum() / (number @ volume)), "mean_edge": mean, "cv": cv}[quantity]


@cache
def _last_cut() -> tuple[FloatArray, FloatArray]:
    cells = cells_above(1.0, 1e6, 400)
    start = np.zeros(400)
    start[-1] = 1.0
    law = Scission(1.0, 1.0, 3.0, least_volume=1.0)
    return break_up(law, cells, start, [1e12])[0], cells.pivots


def crystals_one_by_one() -> Computed:
    """Largest deviation of the cells from 40 batches of crystals broken one by one, in standard errors."""
    rng = np.random.default_rng(11)
    worst, where = 0.0, ""
    for alpha, power, times in ((3.0, 1.0, (1e-3, 1e-2, 1.0)), (1.0, 3.0, (0.05, 0.2, 50.0))):
        law = Scission(1.0, 1.0, alpha, "binary", power, 1.0)
        cells = cells_above(1.0, 3e3, 400)
        start = np.zeros(400)
        start[-1] = 1.0
        edge = np.cbrt(cells.pivots)
        found = break_up(law, cells, start, times)
        trees = [break_one_by_one(law, np.full(5, 3e3), times[-1], rng) for _ in range(40)]
        for number, time in zip(found, times, strict=True):
            for k in range(3):
                counted = np.array([np.sum(np.cbrt(tree.at(time)) ** k) for tree in trees]) / 5.0
                error = float(np.std(counted, ddof=1) / np.sqrt(len(counted)))
                deviation = abs(float(counted.mean() - number @ edge**k)) / error
                if deviation > worst:
                    worst, where = deviation, f"alpha {alpha:g}, {time:g} s, moment {k}"
    return Computed(worst, f"worst at {where}")


def milled_width() -> Computed:
    """Width (nm) of the emission after the shipped milling recipe, mean of the parameter sets."""
    recipe = read_recipe(example_path("recipes") / "cspbbr3_milling.toml")
    assert isinstance(recipe, MillingRecipe)
    milled = mill(recipe)
    widths = milled.light().fwhm_nm.sets
    edge = milled.rows()[-1]["mean_edge_nm"]
    return Computed(
        float(np.mean(list(widths.values()))),
        f"mean edge {edge:.1f} nm; " + ", ".join(f"{name} {one:.1f} nm" for name, one in widths.items()),
    )


def pore_limits(limit: str) -> float:
    """Diameter over that of the limit: pores with plenty ("pore"), or with little ("supply")."""
    pore = np.geomspace(3.0, 12.0, 7)
    if limit == "pore":
        found, exact = crystals_in_pores(pore, 0.06, 0.3, 1e6, 1.0), pore - 0.6
    else:
        found = crystals_in_pores(pore, 1e-3, 0.3, 50.0, 0.1)
        exact = np.cbrt(1.5 * 1e-3 * pore**2 * 50.0)
    ratio = found.diameter_nm / exact
    return float(ratio[np.argmax(np.abs(ratio - 1.0))])


def pore_colours(product: str) -> Computed:
    """Rank correlation of pore diameter and wavelength of the emission over the five published pores."""
    from scipy.stats import spearmanr

    pores = (3.3, 3.7, 4.2, 6.2, 7.1)
    peaks = []
    for mean in pores:
        text = (example_path("recipes") / "mapbbr3_template.toml").read_text("utf-8")
        content = tomllib.loads(text) | {"product": product}
        content["pores"]["mean"] = f"{mean} nm"
        halide = {"MAPbBr3": "Br", "MAPbI3": "I"}[product]
        names = {"Br": ("MABr", "PbBr2"), "I": ("MAI", "PbI2")}[halide]
        for portion, name in zip(content["solution"]["contents"], names, strict=False):
            portion["chemical"] = name
        recipe = recipe_of(content)
        assert isinstance(recipe, TemplateRecipe)
        peaks.append(grow_in_pores(recipe).light().peak_nm.median)
    said = ", ".join(f"{pore} nm {peak:.0f} nm" for pore, peak in zip(pores, peaks, strict=True))
    return Computed(float(spearmanr(pores, peaks).statistic), said)


def contact_factor(degrees: float) -> float:
    """The factor by which a surface lowers the barrier."""
    return float(heterogeneous_factor(np.deg2rad(degrees)))


def carrier_number(turns: float) -> float:
    """Places taken over all after J_0 t/N_sites = turns at a supersaturation that stays."""
    sites, rate = 1e18, 1e17
    conditions = constant_conditions(
        solubility_mol_m3=1.0,
        supplied_mol_m3=50.0,
        surface_energy_j_m2=0.01,
        surface_rate_m_s=1e-12,  # hardly grows, so that nothing is taken from the liquid
        ln_prefactor=np.log(rate),
        barrier_factor=1e-9,
    )
    model = ClassicalGrowth(2.02262003e-28, "cube", sites_per_m3=sites)
    history = grow(model, conditions, [turns * sites / rate], tolerance=1e-6)
    return float(history.number_per_m3[0]) / sites


def _cubes(edge_nm: float, cv: float) -> Light:
    population = Population(shape="cube", size_convention="core-edge", material="CsPbBr3")
    return emission_of(quadrature(Lognormal(edge_nm, cv), population))


def weak_confinement(edge_nm: float, cv: float, quantity: str) -> Computed:
    """By a spread of sizes of CsPbBr3 cubes: shift of the peak (meV), or width over that of one size."""
    broad, single = _cubes(edge_nm, cv), _cubes(edge_nm, 1e-4)
    if quantity == "shift_mev":
        by_set = {n: 1e3 * abs(broad.peak_ev.sets[n] - e) for n, e in single.peak_ev.sets.items()}
    else:
        by_set = {n: broad.fwhm_mev.sets[n] / w for n, w in single.fwhm_mev.sets.items()}
    return Computed(max(by_set.values()), ", ".join(f"{name} {one:.3g}" for name, one in by_set.items()))


def carrier_light() -> Computed:
    """Relative width of the emission over that of the sizes, at half height, after the shipped recipe."""
    recipe = read_recipe(example_path("recipes") / "cspbbr3_on_salt.toml")
    assert isinstance(recipe, SaltRecipe)
    grown = grow_on_carrier(recipe)
    row, light = grown.rows()[-1], grown.light()
    sizes = 2.0 * np.sqrt(2.0 * np.log(2.0)) * row["cv"]
    widths = [light.fwhm_nm.sets[name] / peak for name, peak in light.peak_nm.sets.items()]
    said = f"edge {row['mean_edge_nm']:.1f} nm, cv {row['cv']:.2f}, light {light.fwhm_nm.median:.1f} nm wide"
    return Computed(float(max(widths) / sizes), said)
