"""Functions of the rows in `synthesis_mixed.toml`: size and halide fraction together, and mixed halides."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Any

import numpy as np

from perolux.files import example_path
from perolux.surface.exchange_laws import mean_field, with_activities
from perolux.surface.miscibility import interaction, phase_split, w_matrix
from perolux.synthesis import ClassicalGrowth, constant_conditions, grow
from perolux.synthesis.finite_volume import extrapolated
from perolux.synthesis.mixed_crystals import MixedConditions, MixedCrystals, MixedLaw
from perolux.synthesis.mixed_finite_volume import grow_mixed_finite_volume
from perolux.synthesis.mixed_flow import MixedFlow, grow_mixed_flow
from perolux.synthesis.mixed_growth import MixedHistory, grow_mixed
from perolux.synthesis.recipe import recipe_of
from perolux.synthesis.recipe_mixed import MixedDropletRecipe
from perolux.validation.run import Computed

__all__ = [
    "droplet_bands",
    "droplet_mean_drift",
    "droplet_modes",
    "exchange_alone",
    "formamidinium_light",
    "fraction_while_growing",
    "mixed_against_one_solid",
    "mixed_engines",
    "mixed_order",
    "pair_decay",
    "regular_solution_limit",
    "units_while_exchanging",
    "warned_from",
]

_LATTICE = (0.585e-9, 0.629e-9)
_NEVER = -1e300


def _conditions(**changed: Any) -> MixedConditions:
    """Two solids at 50 degC that nucleate and grow over seconds; not those of any recipe."""
    values: dict[str, Any] = {
        "time_s": np.array([0.0, 1e4]),
        "temperature_k": 323.15,
        "diffusivity_m2_s": 1e-9,
        "volume_ratio": 1.0,
        "cation_mol_m3": 6.0,
        "lead_mol_m3": 20.0,
        "first_mol_m3": 20.0,
        "second_mol_m3": 20.0,
        "solubility_mol_m3": np.array([4e-3, 8e-3]),
        "surface_rate_m_s": np.array([1e-6, 0.7e-6]),
        "surface_energy_j_m2": np.array([0.042, 0.0337]),
        "ln_prefactor": np.full(2, 33.0 * np.log(10.0)),
        "exchange_per_s": 0.3,
    }
    return MixedConditions(**values | changed)


def _start(fractions: tuple[float, ...], numbers: tuple[float, ...]) -> MixedCrystals:
    """Crystals of 4 to 5 nm, a population for each fraction."""
    n = len(fractions)
    x = np.array(fractions)
    stretch = 1.0 + x * (_LATTICE[1] / _LATTICE[0] - 1.0)
    family = np.array([0] + [1] * (n - 1))
    return MixedCrystals(
        2.0e-9 * stretch, 2.5e-9 * stretch, np.array(numbers), x, np.zeros(n), family, _LATTICE
    )


def _still(start: MixedCrystals, pool: tuple[float, float], rate: float) -> MixedConditions:
    """Nothing nucleates, grows or dissolves: only halide moves."""
    units = start.formula_mol_m3
    second = 3.0 * float(units @ start.fraction)
    whole = float(units.sum())
    return _conditions(
        cation_mol_m3=whole, lead_mol_m3=whole, first_mol_m3=3.0 * whole - second + pool[0],
        second_mol_m3=second + pool[1], surface_rate_m_s=np.full(2, 1e-40), ln_prefactor=np.full(2, _NEVER),
        exchange_per_s=rate,
    )  # fmt: skip


def pair_decay() -> float:
    """Two equal populations that exchange in pairs (k): their difference after 2/k over exp(-2kt)."""
    start = _start((0.0, 1.0), (1e22, 1e22))
    # the mean field is that of pairs with twice their rate
    history = grow_mixed(MixedLaw(_LATTICE), _still(start, (0.0, 0.0), 0.2), [20.0], start=start)
    first, second = (history.crystals[0].of(k).mean_fraction for k in (0, 1))
    assert first is not None and second is not None
    return (second - first) / float(np.exp(-2.0 * 0.1 * 20.0))


def exchange_alone(law: str) -> float:
    """Largest difference of fractions from the room `surface`, two populations and salt in solution.

    law: "mean field", or "activities" for chloride and iodide with their gap.
    """
    start, times = _start((0.1, 0.9), (2e22, 1e22)), np.array([0.5, 2.0, 10.0])
    pool = (5.0, 3.0)
    w = w_matrix(323.15)
    own = MixedLaw(_LATTICE, w=float(w[0, 2]) if law == "activities" else 0.0)
    found = grow_mixed(own, _still(start, pool, 0.5), times, start=start)
    x = np.array([[1.0 - f, 0.0, f] for f in start.fraction])
    counts, dissolved = 3.0 * start.formula_mol_m3, np.array([pool[0], 0.0, pool[1]]) / sum(pool)
    if law == "activities":
        course, _ = with_activities(x, counts, 0.5, times, w, dissolved, sum(pool))
    else:
        course, _ = mean_field(x, counts, 0.5, times, dissolved, sum(pool))
    ours = np.array([[one.of(k).mean_fraction for k in (0, 1)] for one in found.crystals], dtype=float)
    return float(np.max(np.abs(ours - course[:, :, 2])))


def fraction_while_growing() -> float:
    """Largest change of a halide fraction by nucleation, growth and ripening without exchange."""
    history = grow_mixed(MixedLaw(_LATTICE), _conditions(exchange_per_s=0.0), [1.0, 10.0, 100.0])
    return float(max(np.max(np.abs(one.fraction - one.family) + one.variance) for one in history.crystals))


def units_while_exchanging(quantity: str) -> float:
    """Relative change of the number, or of the formula units in crystals, by exchange without growth."""
    start = _start((0.0, 1.0), (2e22, 1e22))
    last = grow_mixed(MixedLaw(_LATTICE), _still(start, (5.0, 3.0), 0.5), [10.0], start=start).crystals[0]
    if quantity == "number":
        return abs(last.number / start.number - 1.0)
    return abs(float(last.formula_mol_m3.sum() / start.formula_mol_m3.sum()) - 1.0)


def mixed_against_one_solid(quantity: str) -> float:
    """Value of the engine without any second halide over that of the engine of one solid (100 s)."""
    history = grow_mixed(MixedLaw(_LATTICE), _conditions(second_mol_m3=0.0), [100.0], tolerance=1e-5)
    flat = constant_conditions(
        solubility_mol_m3=4e-3, supplied_mol_m3=6.0, temperature_k=323.15, surface_rate_m_s=1e-6,
        diffusivity_m2_s=1e-9, surface_energy_j_m2=0.042, ln_prefactor=33.0 * np.log(10.0),
        knots_s=(0.0, 1e4),
    )  # fmt: skip
    one = grow(ClassicalGrowth(_LATTICE[0] ** 3), flat, [100.0], tolerance=1e-5)
    crystals = history.crystals[0]
    if quantity == "number":
        return crystals.number / float(one.number_per_m3[0])
    if quantity == "cv":
        assert crystals.cv is not None
        return crystals.cv / float(one.cv[0])
    assert crystals.mean_edge_nm is not None
    return crystals.mean_edge_nm / float(2e9 * one.mean_radius_m[0])


def mixed_order() -> float:
    """Order of convergence of the mean fraction with the step, growth and exchange together."""
    start = _start((0.0, 1.0), (1e21, 1e21))
    conditions = _conditions(ln_prefactor=np.full(2, _NEVER), surface_rate_m_s=np.array([2e-7, 4e-7]))

    def mean(step: float) -> float:
        history = grow_mixed(MixedLaw(_LATTICE), conditions, [4.0], start=start, fixed_step_s=step)
        found = history.crystals[0].mean_fraction
        assert found is not None
        return found

    exact = mean(0.0078125)
    return float(np.log2((mean(0.5) - exact) / (mean(0.25) - exact)))


def mixed_engines(quantity: str) -> Computed:
    """Cohorts over finite volumes (200 and 400 cells, 41 and 81 fractions, extrapolated) after 3 s."""
    ours = _seen(_cohorts(), quantity)
    coarse, fine = (_seen(_cells(n), quantity) for n in (200, 400))
    value = float(extrapolated(coarse, fine, order=1.0))
    return Computed(
        ours / value, f"cohorts {ours:.6g}, cells {coarse:.6g}, {fine:.6g}, extrapolated {value:.6g}"
    )


def _seen(history: MixedHistory, quantity: str) -> float:
    found = getattr(history.crystals[0], quantity)
    return float(found)


@cache
def _cohorts() -> MixedHistory:
    return grow_mixed(MixedLaw(_LATTICE), _conditions(), [3.0], tolerance=1e-5)


@cache
def _cells(count: int) -> MixedHistory:
    return grow_mixed_finite_volume(
        MixedLaw(_LATTICE), _conditions(), [3.0], largest_m=4e-9, cells=count, fractions=count // 5 + 1
    )


@cache
def _droplets(nuclei: str = "monohalide") -> MixedFlow:
    content = _content("cspbbri3_droplets")
    content["mixing"]["nuclei"] = nuclei
    return _flow(content)


def _content(name: str) -> dict[str, Any]:
    return tomllib.loads((example_path("recipes") / f"{name}.toml").read_text("utf-8"))


def _flow(content: dict[str, Any], tolerance: float = 1e-4) -> MixedFlow:
    recipe = recipe_of(content)
    assert isinstance(recipe, MixedDropletRecipe)
    return grow_mixed_flow(recipe, tolerance=tolerance)


def droplet_bands(nuclei: str = "monohalide") -> str:
    """PL bands at the detectors of the shipped CsPb(Br,I)3 droplets, the same under all parameter sets."""
    bands = _droplets(nuclei).spectra().bands_nm
    counts = [{len(nm) for nm in one.values()} for one in bands]
    return ", ".join("/".join(str(k) for k in sorted(one)) for one in counts)


def droplet_modes() -> str:
    """Maxima of the distribution of the halide fraction (steps of 0.05) at the first and last detector."""
    found = []
    for i in (0, -1):
        crystals = _droplets().detectors[i].crystals
        amount, _ = np.histogram(
            crystals.fraction, np.linspace(-0.025, 1.025, 22), weights=crystals.formula_mol_m3
        )
        padded = np.concatenate([[0.0], np.where(amount > 1e-3 * amount.sum(), amount, 0.0), [0.0]])
        peaks = (padded[1:-1] > padded[:-2]) & (padded[1:-1] >= padded[2:])
        found.append(str(int(peaks.sum())))
    return ", ".join(found)


def droplet_mean_drift() -> float:
    """Largest error, over detectors, of the iodide fraction of all halide, counted share by share."""
    flow = _droplets()
    worst = 0.0
    for i in range(len(flow.detectors)):
        shares = flow.balances(i)
        there = {
            ion: sum(v for k, v in shares[ion].items() if k not in ("fed_umol_min", "error"))
            for ion in flow.recipe.halides
        }
        mean = there["I"] / (there["Br"] + there["I"])
        worst = max(worst, abs(mean - flow.mean_fraction_fed()))
    return worst


@cache
def _formamidinium(chloride: float, tolerance: float = 1e-4) -> MixedFlow:
    content = _content("fapbclbr3_droplets")
    content["droplets"]["jitter"] = 0.0
    content["streams"][0]["flow"] = f"{30.0 * (1.0 - chloride):.9g} uL/min"
    content["streams"][1]["flow"] = f"{30.0 * chloride:.9g} uL/min"
    return _flow(content, tolerance)


def formamidinium_light(chloride: float) -> Computed:
    """PL peak (nm) at the last detector of the shipped FAPb(Cl,Br)3 droplets, with that part of chloride."""
    flow = _formamidinium(chloride)
    (peak,) = next(iter(flow.spectra().bands_nm[-1].values()))
    return Computed(peak, f"mean edge {flow.detectors[-1].crystals.mean_edge_nm:.1f} nm")


def regular_solution_limit(w_kj_mol: float | None = None) -> float:
    """Least chloride fraction at which a regular solution of Cl and Br parts at 25 degC; 1 where none does.

    w_kj_mol: in place of the record of the pair.
    """
    given = interaction("Cl", "Br").number if w_kj_mol is None else w_kj_mol
    w = float(w_matrix(298.15, {"Cl-Br": given})[0, 1])
    return next((float(x) for x in np.linspace(0.0, 1.0, 1001) if phase_split(float(x), w).is_split), 1.0)


def warned_from() -> float:
    """Least chloride fraction (steps of 0.05) at which the recipe warns of segregation."""
    for step in range(10, 21):
        chloride = 0.05 * step
        if any("segregate" in one for one in _formamidinium(chloride, 1e-3).warnings):
            return chloride
    return 1.0
