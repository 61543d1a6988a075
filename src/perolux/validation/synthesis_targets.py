"""Functions of the rows in `synthesis_targets.toml`: routes and regimes against what was published."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

import numpy as np

from perolux.files import example_path
from perolux.measured.absorption import reduce_absorption
from perolux.measured.pl import reduce_pl
from perolux.synthesis import (
    ClassicalGrowth,
    Conditions,
    History,
    SizeDistribution,
    constant_conditions,
    grow,
    read_kinetic_case,
)
from perolux.synthesis.batch import Batch, grow_recipe
from perolux.synthesis.inline_spectra import inline_spectra
from perolux.synthesis.platelets import MONOLAYERS, PlateletHistory, layer_binding_l_mol, platelets_of_recipe
from perolux.synthesis.recipe import in_a_flask, recipe_of
from perolux.synthesis.schedule import formula_volume_m3
from perolux.validation.run import Computed

__all__ = [
    "burst_exponent",
    "line_of_size",
    "narrowest_s",
    "platelet_class",
    "platelet_share",
    "precipitated_while_nucleating",
    "slow_growth",
    "trend_with_size",
]

_LARGE_NM = 13.0


def slow_growth(quantity: str, binding_l_mol: float | None = None) -> float:
    """The shipped TOPO recipe: first mean edge (nm), minutes to 13 nm, cv there, growth after lecithin (%).

    The last is d(mean)/dt from 10 s to 10 min after the lecithin over that in the minute before it.
    """
    batch = _slow(binding_l_mol)
    time, edge = batch.history.time_s, 2e9 * batch.history.mean_radius_m
    if quantity == "first_edge_nm":
        return float(edge[0])
    if quantity == "frozen_percent":
        before, after = (
            np.diff(np.interp(span, time, edge))[0] / (span[1] - span[0])
            for span in ((1740.0, 1799.0), (1810.0, 2400.0))
        )
        return float(100.0 * after / before)
    return float(np.interp(_LARGE_NM, edge, time / 60.0 if quantity == "minutes" else batch.history.cv))


@cache
def _slow(binding_l_mol: float | None) -> Batch:
    content: dict[str, Any] = tomllib.loads(
        (example_path("recipes") / "cspbbr3_topo.toml").read_text("utf-8")
    )
    if binding_l_mol is not None:
        content["kinetics"]["ligand_binding_l_mol"] = binding_l_mol
    times = [*np.geomspace(1.0, 1700.0, 60), 1740.0, 1799.0, 1810.0, 2400.0]
    content["observe"] = {"until": "40 min", "times": [f"{t:.6f} s" for t in times]}
    return grow_recipe(recipe_of(content), tolerance=1e-5)


def platelet_share(halide: str, binding_of: str | None = None) -> float:
    """Largest share of the lead in platelets of 2 to 8 monolayers, FAPbX3 by the shipped antisolvent recipe.

    binding_of: product whose binding constant of the ligand layer is taken instead.
    """
    return float(_platelets("FA", halide, binding_of).platelet_share.max())


def platelet_class(cation: str, monolayers: int) -> float:
    """Share of the crystals' lead in platelets so thick when there are most platelets, bromide."""
    history = _platelets(cation, "Br", None)
    amount = history.amount_mol_m3[int(history.platelet_share.argmax())]
    return float(amount[MONOLAYERS.tolist().index(monolayers)] / amount.sum())


@cache
def _platelets(cation: str, halide: str, binding_of: str | None) -> PlateletHistory:
    content: dict[str, Any] = tomllib.loads(
        (example_path("recipes") / "fapbbr3_antisolvent.toml").read_text("utf-8")
    )
    salts = {"Br": "bromide", "I": "iodide"}
    salt = "cesium oleate" if cation == "Cs" else f"formamidinium {salts[halide]}"
    content["product"] = f"{cation}Pb{halide}3"
    content["vessel"]["contents"][0]["chemical"] = f"Pb{halide}2"
    content["vessel"]["contents"][1]["chemical"] = salt
    binding = None if binding_of is None else layer_binding_l_mol(binding_of)
    return platelets_of_recipe(in_a_flask(recipe_of(content)), layer_binding=binding)


def _bell(edge_nm: float, cv: float) -> SizeDistribution:
    """Crystals with edges in a Gaussian to 3 standard deviations, 1e20 per m^3."""
    u = np.linspace(-3.0, 3.0, 61)
    sizes = 0.5e-9 * edge_nm * (1.0 + cv * u)
    number = np.exp(-0.125 * (u[1:] + u[:-1]) ** 2)
    return SizeDistribution(sizes[:-1], sizes[1:], 1e20 * number / number.sum())


def narrowest_s(product: str, in_solution: float, diffusivity_m2_s: float = 5e-10) -> Computed:
    """Time (s, of 40) at which the cv is least, from 5 nm, cv 0.15, with part of 2.5 mol/m^3 still dissolved.

    180 degC, one kinetic set: surface rate 1e-6 m/s, surface energy 20 mJ/m^2, solubility 0.25 mol/m^3.
    """
    model = ClassicalGrowth(formula_volume_m3(product))
    start = _bell(5.0, 0.15)
    crystals = (1.0 - in_solution) * 2.5 / model.bound_mol_m3(start)
    start = SizeDistribution(start.low_m, start.high_m, crystals * start.number_per_m3)
    conditions = constant_conditions(
        solubility_mol_m3=0.25,
        supplied_mol_m3=2.5,
        temperature_k=453.15,
        surface_rate_m_s=1e-6,
        diffusivity_m2_s=diffusivity_m2_s,
        surface_energy_j_m2=0.02,
    )
    times = np.concatenate([[1e-3], np.arange(0.25, 40.1, 0.25)])
    history = grow(model, conditions, times, start=start, most_cohorts=400)
    least = int(np.argmin(history.cv))
    detail = f"cv {history.cv[0]:.3f}, {history.cv[least]:.3f}, {history.cv[-1]:.3f} at 0 s, there, at 40 s"
    return Computed(float(times[least]), detail)


def precipitated_while_nucleating(release_s: float) -> Computed:
    """Share of all precipitation by the time when 95 % of the nuclei have formed, monomer released slowly.

    The kinetic set of `batch.json`, for cubes, its monomer released as 1 - exp(-t/release_s).
    """
    case = read_kinetic_case(example_path("kinetic_cases") / "batch.json")
    time = np.concatenate([[0.0], release_s * np.geomspace(1e-4, 6.0, 400)])
    columns = case.conditions.at(0.0) | {"supplied_mol_m3": -np.expm1(-time / release_s)}
    full = {name: np.broadcast_to(value, time.shape) for name, value in columns.items()}
    history = grow(ClassicalGrowth(case.model.formula_volume_m3), Conditions(time_s=time, **full), time[1:])
    formed = history.nuclei_per_m3 / history.nuclei_per_m3[-1]
    share = np.interp(0.95, formed, history.bound_mol_m3 / history.bound_mol_m3.max())
    return Computed(float(share), f"mean edge {2e9 * history.mean_radius_m[-1]:.1f} nm at the end")


def burst_exponent(quantity: str) -> float:
    """Slope of ln(mean monomers in a crystal) or ln(their standard deviation) against ln t, last decade.

    Irreversible growth by diffusion of crystals that all are there, monomer released at a constant rate.
    """
    history = _irreversible()
    last = history.time_s >= history.time_s[-1] / 10.0
    moments = np.array([[one.moment(k) / one.number for k in (3, 6)] for one in history.distributions])[last]
    values = moments[:, 0] if quantity == "mean" else np.sqrt(moments[:, 1] - moments[:, 0] ** 2)
    return float(np.polyfit(np.log(history.time_s[last]), np.log(values), 1)[0])


@cache
def _irreversible() -> History:
    model = ClassicalGrowth(formula_volume_m3("CsPbBr3"))
    start = _bell(2.0, 0.1)
    held = model.bound_mol_m3(start)
    time = np.array([0.0, 1.0, 1e4])
    flat = constant_conditions(
        solubility_mol_m3=1e-15, supplied_mol_m3=held, surface_rate_m_s=1.0, diffusivity_m2_s=1e-13,
        surface_energy_j_m2=1e-4,
    ).at(0.0)  # fmt: skip
    columns = {name: np.full(3, value) for name, value in flat.items()}
    columns["supplied_mol_m3"] = held * (1.0 + time)
    times = np.geomspace(1.0, 1e4, 41)
    return grow(model, Conditions(time_s=time, **columns), times, start=start, tolerance=1e-5)


def line_of_size(edge_nm: float, quantity: str, parameter_set: str = "yang2017", cv: float = 0.1) -> float:
    """PL peak (eV), PL width (meV), first exciton (eV), Stokes shift (meV) of CsPbBr3 cubes."""
    pl, absorbance = _light(edge_nm, parameter_set, cv)
    seen = reduce_pl(pl)
    assert seen.peak_ev is not None and seen.fwhm_mev is not None
    if quantity == "fwhm_mev":
        return seen.fwhm_mev
    if quantity == "pl_ev":
        return seen.peak_ev
    first = reduce_absorption(absorbance).first_exciton_ev
    assert first is not None
    return first if quantity == "absorption_ev" else 1e3 * (first - seen.peak_ev)


def trend_with_size(quantity: str) -> float:
    """Value of CsPbBr3 cubes of 12.5 nm less that of 9.9 nm (meV)."""
    scale = 1e3 if quantity.endswith("_ev") else 1.0
    return scale * (line_of_size(12.5, quantity) - line_of_size(9.9, quantity))


@cache
def _light(edge_nm: float, parameter_set: str, cv: float) -> tuple[Any, Any]:
    seen = inline_spectra("CsPbBr3", [_bell(edge_nm, cv)], [0.0], sets=parameter_set)
    return seen.spectra("pl", parameter_set)[0], seen.spectra("absorbance", parameter_set)[0]
