"""Nanoplatelets of 2 to 8 monolayers beside cubes: which form first, how they grow, and what becomes of them.

    W_m(L) = 2 gamma_b L^2 + 4 gamma_e x L - x L^2 kT ln S/v_m          x = m a, edge L, monolayer a
    W_m*   = 4 gamma_e^2 x^2/(x kT ln S/v_m - 2 gamma_b)                J_m = theta^2 A exp(-W_m*/kT)
    dL/dt  = 2 v_m N_A (c - c_s exp(dmu/kT))/(L/2D + 1/k_r)             dmu = 2 v_m (gamma_b/x + gamma_e/L)
    gamma_b = gamma_e - kT ln(1 + K l)/a^2                              theta = K l/(1 + K l)

A compact layer of ligands (Langmuir, its surface pressure lowers gamma_b) forms on wide facets and excludes
them from growth; narrow facets stay bare (competitive nucleation: Burlakov et al., J. Phys. Chem. Lett. 11,
6535 (2020)). Nuclei with a layer on both wide facets (theta^2) are platelets, the others (1 - theta^2) cubes,
with the classical law. Two platelets that meet with bare faces join: K_f (1 - theta)^2 N_m N_n, m + n
monolayers; above 8, or thicker than wide, they count as cubes. Thin platelets dissolve where S falls below
exp(2 v_m gamma_b/(x kT)) and feed thicker ones.

With K = 0 all is classical growth of cubes; with gamma_b = gamma_e the best platelet has a cube's barrier.
Each class has one edge, that of its mean volume. Wide facets do not thicken layer by layer.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, ModelRangeError, OptionError
from perolux.materials import parse_composition
from perolux.materials.chemicals import chemical
from perolux.quantities import Value
from perolux.quantities.constants import AVOGADRO_PER_MOL, constant
from perolux.synthesis.batch import constants_of
from perolux.synthesis.conditions import Conditions, checked_times
from perolux.synthesis.feasibility import require_feasible
from perolux.synthesis.laws import LEAST_SUPERSATURATION
from perolux.synthesis.ledger import ledger_of
from perolux.synthesis.recipe import Recipe
from perolux.synthesis.schedule import formula_volume_m3, schedule_of

if TYPE_CHECKING:
    from perolux.ensemble import Ensemble
    from perolux.synthesis.kinetics import KineticConstants
    from perolux.synthesis.ledger import Ledger
    from perolux.synthesis.schedule import Schedule

__all__ = [
    "CLASS_NAMES",
    "MONOLAYERS",
    "PlateletCase",
    "PlateletGrowth",
    "PlateletHistory",
    "grow_platelets",
    "layer_binding_l_mol",
    "platelet_barrier_kt",
    "platelet_case",
    "platelet_ensemble",
    "platelet_records",
    "platelets_of_recipe",
]

FloatArray = npt.NDArray[np.float64]
MONOLAYERS = np.arange(2, 9)
"""Classes of platelets; what is thicker counts as a cube."""
CLASS_NAMES = (*(f"{m} ML" for m in MONOLAYERS), "cubes")
"""Of the columns of a `PlateletHistory`."""
_KINDS = len(CLASS_NAMES)
_BOLTZMANN = constant("boltzmann_j_per_k")
_WARM_K = 333.15
_MOST_CALLS = 200_000
_LAST = 0.25
"""A class that dissolves goes within about this part of the least edge."""
_FEWEST_PER_M3 = 1.0
"""Fewer crystals of a class in a cubic metre are none: they neither grow nor dissolve."""


@cache
def platelet_records() -> dict[str, Value]:
    """What the model assumes, by name, keys "prior.NAME" (`platelets.toml`)."""
    text = files("perolux.synthesis").joinpath("platelets.toml").read_text("utf-8")
    return {name: Value(key=f"prior.{name}", **record) for name, record in tomllib.loads(text).items()}


@dataclass(frozen=True)
class PlateletGrowth:
    """The law. formula_volume_m3: v_m; a monolayer is its cube root. least_edge_m: smaller crystals dissolve.

    layer_binding_m3_mol: K of the ligand layer. fusion_m3_s: K_f of platelets without ligands.
    """

    formula_volume_m3: float
    layer_binding_m3_mol: float
    fusion_m3_s: float
    least_edge_m: float = 1.2e-9

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            if isinstance(getattr(self, name), bool | str) or not np.isscalar(getattr(self, name)):
                raise OptionError(f"{name} = {getattr(self, name)!r}", where="platelets", allowed="a number")
        for name, least in (("formula_volume_m3", 1e-30), ("least_edge_m", 1e-12)):
            if not least < getattr(self, name) < 1e-6:
                raise OptionError(
                    f"{name} = {getattr(self, name)!r}", where="platelets", allowed="a length or volume in SI"
                )
        for name in ("layer_binding_m3_mol", "fusion_m3_s"):
            if not 0 <= getattr(self, name) < np.inf:
                raise OptionError(
                    f"{name} = {getattr(self, name)!r}", where="platelets", allowed="0 or above, finite"
                )

    @property
    def monolayer_m(self) -> float:
        """Thickness a of one monolayer."""
        return float(self.formula_volume_m3 ** (1.0 / 3.0))


@dataclass(frozen=True)
class PlateletHistory:
    """Platelets and cubes against time; amounts and numbers per m^3 of reference volume.

    number_per_m3, amount_mol_m3, edge_m: (times, 8), classes of 2 to 8 monolayers, then cubes; edge_m is NaN
    where there are none. dissolved_mol_m3: monomer in solution, from the fluxes. supplied_mol_m3:
    what dissolved and bound must sum to. coverage: theta. basal_energy_j_m2: gamma_b.
    """

    time_s: FloatArray
    number_per_m3: FloatArray
    amount_mol_m3: FloatArray
    edge_m: FloatArray
    dissolved_mol_m3: FloatArray
    supplied_mol_m3: FloatArray
    supersaturation: FloatArray
    coverage: FloatArray
    basal_energy_j_m2: FloatArray

    @property
    def mass_error(self) -> float:
        """Largest relative deviation of what is dissolved and in crystals from what was supplied."""
        found = self.dissolved_mol_m3 + self.amount_mol_m3.sum(axis=1)
        scale = max(float(np.max(np.abs(self.supplied_mol_m3))), np.finfo(float).tiny)
        return float(np.max(np.abs(found - self.supplied_mol_m3)) / scale)

    @property
    def platelet_share(self) -> FloatArray:
        """Share of the monomer that the recipe supplies by the end which is in platelets, at each time."""
        total = self.supplied_mol_m3[-1]
        bound: FloatArray = self.amount_mol_m3[:, :-1].sum(axis=1)
        return bound / total if total > 0 else np.zeros_like(bound)

    def rows(self) -> list[dict[str, Any]]:
        """One dictionary a time: t_s, supersaturation, coverage, platelet_share, shares by class, cubes."""
        total = self.supplied_mol_m3[-1]
        names = CLASS_NAMES
        return [
            {
                "t_s": float(self.time_s[i]),
                "supersaturation": float(self.supersaturation[i]),
                "coverage": float(self.coverage[i]),
                "platelet_share": float(self.platelet_share[i]),
                "share": dict(zip(names, (self.amount_mol_m3[i] / total).tolist(), strict=True)),
                "edge_nm": {
                    name: 1e9 * float(edge) if np.isfinite(edge) else None
                    for name, edge in zip(names, self.edge_m[i], strict=True)
                },
            }
            for i in range(len(self.time_s))
        ]


def platelet_ensemble(history: PlateletHistory, product: str, index: int = -1) -> Ensemble | None:
    """Platelets and cubes at one time as an `Ensemble`, for `perolux.excitons.population`; None without any.

    Platelets are cuboids there: most are narrower than the model of an exciton in a wide plate allows.
    """
    from perolux.ensemble import Population, from_table, mix

    thick = np.append(1e9 * formula_volume_m3(product) ** (1.0 / 3.0) * MONOLAYERS, np.nan)
    parts, weights = [], []
    for x, side, number in zip(thick, 1e9 * history.edge_m[index], history.number_per_m3[index], strict=True):
        if not np.isfinite(side) or number <= _FEWEST_PER_M3:
            continue
        cube = not np.isfinite(x)
        kind = Population(shape="cube" if cube else "cuboid", size_convention="core-edge", material=product)
        parts.append(from_table([side] if cube else [[side, side, x]], kind))
        weights.append(float(number))
    return mix(parts, list(np.array(weights) / sum(weights))) if parts else None


def platelet_barrier_kt(
    monolayers: npt.ArrayLike,
    supersaturation: float,
    edge_energy_j_m2: float,
    basal_energy_j_m2: float,
    formula_volume_m3: float,
    temperature_k: float,
) -> tuple[FloatArray, FloatArray]:
    """Barrier W_m*/kT of platelets and the edge L* (m) of critical nuclei; infinite where there is none.

    None where the wide facets cost more than the layers gain, or where L* is below the thickness (a column).
    """
    heat = _BOLTZMANN * temperature_k
    x = np.asarray(monolayers, dtype=float) * formula_volume_m3 ** (1.0 / 3.0)
    gain = heat * np.log(supersaturation) / formula_volume_m3 if supersaturation > 1 else 0.0
    rest = x * gain - 2.0 * basal_energy_j_m2
    with np.errstate(divide="ignore", invalid="ignore"):
        edge = np.where(rest > 0, 2.0 * edge_energy_j_m2 * x / rest, np.inf)
        barrier = np.where(rest > 0, 4.0 * edge_energy_j_m2**2 * x**2 / (rest * heat), np.inf)
    column = edge < x * (1.0 - 1e-12)
    return np.where(column, np.inf, barrier), np.where(column, np.inf, edge)


def grow_platelets(
    law: PlateletGrowth, conditions: Conditions, times_s: npt.ArrayLike, *, tolerance: float = 1e-6
) -> PlateletHistory:
    """Platelets and cubes at `times_s` (rising) from the first knot of the conditions, without crystals.

    conditions: `surface_energy_j_m2` is gamma_e, `ligand_mol_m3` the ligand of the layers; washout is none.
    Raises `ModelRangeError` where the ligand would make gamma_b negative, `ConvergenceError` where the
    integration does not come to the end.
    """
    try:
        asked = np.atleast_1d(np.asarray(times_s, dtype=float))
    except (TypeError, ValueError):
        raise OptionError(f"times_s = {times_s!r}", where="platelets", allowed="rising times in s") from None
    times, began = checked_times(asked, conditions, None)
    if not 1e-10 <= tolerance <= 1e-2:
        raise OptionError(f"tolerance = {tolerance!r}", allowed="1e-10 to 1e-2")
    if conditions.washout_per_s.any():
        raise OptionError("crystals that leave with an outflow", where="platelets", allowed="a closed vessel")
    scale = float(conditions.supplied_mol_m3.max())
    if scale <= 0:
        raise OptionError("no monomer is supplied", where="platelets", fix="add what the product is made of")
    rates = _Rates(law, conditions, scale)
    state = np.zeros(2 * _KINDS + 1)
    found = np.empty((len(times), len(state)))
    knots = conditions.time_s
    jumps = np.unique(knots[1:][np.diff(knots) == 0])
    stops = np.unique(np.concatenate([times, jumps[(jumps > began) & (jumps < times[-1])]]))
    absolute = np.full(len(state), 1e-4 * tolerance)
    absolute[:_KINDS] = 1e-6 * tolerance
    now = began
    for stop in stops:
        if now < stop:
            rates.window(now, stop)
            found_state = _integrate(rates, now, float(stop), state, tolerance, absolute)
            if found_state is None:
                raise ConvergenceError(
                    f"platelets, {now:.6g} to {stop:.6g} s of {times[-1]:.6g} s: no step is short enough",
                    fix="look at the surface energy and the rates there, or give a larger tolerance",
                )
            now, state = float(stop), found_state
            for kind in range(_KINDS):  # a trace that a step took beyond nothing is given back
                if state[kind] < 0 or state[_KINDS + kind] < 0:
                    state[-1] += state[_KINDS + kind]
                    state[kind] = state[_KINDS + kind] = 0.0
        found[times == stop] = state
    return rates.history(times, found)


def _integrate(
    rates: _Rates, now: float, stop: float, state: FloatArray, tolerance: float, absolute: FloatArray
) -> FloatArray | None:
    """One stretch: LSODA, for fusion can be fast; where a class that dies away upsets it, Runge-Kutta."""
    from scipy.integrate import solve_ivp

    for method in ("LSODA", "RK45"):
        rates.left = _MOST_CALLS
        try:
            step = solve_ivp(rates, (now, stop), state, method=method, rtol=tolerance, atol=absolute)
        except _TooManyCalls:
            continue
        end = step.y[:, -1]
        lost = abs(end[_KINDS:].sum() - state[_KINDS:].sum())
        if step.status >= 0 and np.isfinite(end).all() and lost < 1e-9 and end[_KINDS:-1].min() > -1e-9:
            return np.array(end)
    return None


class _TooManyCalls(Exception):
    """The right-hand side was asked too often."""


class _Rates:
    """Right-hand side: numbers (over 1e24 per m^3), amounts, less what crystals took (over supply)."""

    _NUMBERS = 1e24

    def __init__(self, law: PlateletGrowth, conditions: Conditions, scale: float) -> None:
        self.law, self.conditions, self.scale = law, conditions, scale
        self.molar_m3 = law.formula_volume_m3 * AVOGADRO_PER_MOL
        self.thickness = MONOLAYERS * law.monolayer_m
        knots, self.table, self.sections = conditions.table()
        self.knots = knots
        self.first, self.last = 0, len(knots) - 1
        self.left = _MOST_CALLS
        self.spread_m = _LAST * law.least_edge_m

    def window(self, now: float, stop: float) -> None:
        """Choose the smooth stretch between two jumps that holds what lies between the times."""
        middle = 0.5 * (now + stop)
        self.first, self.last = self.sections[0]
        for first, last in self.sections:
            if self.knots[first] <= middle:
                self.first, self.last = first, last

    def at(self, time: float) -> FloatArray:
        """Conditions at a time within the stretch."""
        part = slice(self.first, self.last + 1)
        knots, table = self.knots[part], self.table[part]
        high = min(max(int(np.searchsorted(knots, time, side="right")), 1), len(knots) - 1)
        width = knots[high] - knots[high - 1] if len(knots) > 1 else 0.0
        if width <= 0 or time >= knots[-1]:
            return np.asarray(table[-1])
        share = min(max((time - knots[high - 1]) / width, 0.0), 1.0)
        return np.asarray(table[high - 1] + share * (table[high] - table[high - 1]))

    def edges(self, number: FloatArray, amount: FloatArray) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """Edge of each class (m) from its mean volume, and which classes have crystals."""
        there = (number > _FEWEST_PER_M3) & (amount > 0)
        volume = np.where(there, amount, 0.0) * self.molar_m3 / np.where(there, number, 1.0)
        edge = np.append(np.sqrt(volume[:-1] / self.thickness), np.cbrt(volume[-1]))
        return edge, there & (edge > 0)

    def surface(
        self, env: FloatArray, number: FloatArray, edge: FloatArray, volume: float
    ) -> tuple[float, float]:
        """Coverage theta and gamma_b; the layers take their ligand out of the solution."""
        binding, ligand = self.law.layer_binding_m3_mol, float(env[12])
        if binding <= 0 or ligand <= 0:
            return 0.0, float(env[4])
        cell = self.law.monolayer_m**2
        places = 2.0 * float(number[:-1] @ edge[:-1] ** 2) / (cell * AVOGADRO_PER_MOL * volume)
        b = 1.0 + binding * (places - ligand)
        free = 2.0 * ligand / (b + np.sqrt(b * b + 4.0 * binding * ligand))
        filled = binding * free
        return filled / (1.0 + filled), float(env[4] - _BOLTZMANN * env[0] * np.log1p(filled) / cell)

    def unpack(self, state: FloatArray, supplied: float) -> tuple[FloatArray, FloatArray, float]:
        """Numbers, amounts and what is dissolved, from the state (last: less all that crystals took)."""
        number = np.maximum(state[:_KINDS], 0.0) * self._NUMBERS
        amount = np.maximum(state[_KINDS:-1], 0.0) * self.scale
        return number, amount, max(supplied + state[-1] * self.scale, 0.0)

    def supersaturation(self, env: FloatArray, dissolved: float) -> tuple[float, float]:
        """Free monomer (mol/m^3 of liquid) and S."""
        volume = env[7]
        free = dissolved / volume
        if env[10] > 0:
            b = env[9] + max(env[8] - dissolved, 0.0) / volume + env[10]
            free = 2.0 * env[10] * free / (b + np.sqrt(b * b + 4.0 * env[10] * free))
        return float(free), float(free / env[1])

    def __call__(self, time: float, state: FloatArray) -> FloatArray:
        self.left -= 1
        if self.left < 0:
            raise _TooManyCalls
        with np.errstate(over="ignore", invalid="ignore"):
            return self.slope(time, state)

    def slope(self, time: float, state: FloatArray) -> FloatArray:
        """d(state)/dt."""
        env = self.at(time)
        number, amount, dissolved = self.unpack(state, env[8])
        heat, volume, gamma, v = _BOLTZMANN * env[0], env[7], env[4], self.law.formula_volume_m3
        free, s = self.supersaturation(env, dissolved)
        edge, there = self.edges(number, amount)
        theta, basal = self.surface(env, number, edge, volume)
        if basal <= 0 and (there.any() or s > 1):
            raise ModelRangeError(
                f"at {time:.3g} s the ligand layer would make wide facets cost {1e3 * basal:.3g} mJ/m^2",
                where="platelets",
                allowed="above 0: below, the crystal falls apart into layers",
                fix="give a higher surface energy, less ligand or a weaker binding",
            )
        births, bought = np.zeros(_KINDS), np.zeros(_KINDS)
        if s > LEAST_SUPERSATURATION:
            births, bought = self._nuclei(env, s, theta, basal)
        # growth of edges (platelets) and of all facets (cubes)
        safe = np.where(there, edge, 1.0)
        wide = np.append(basal / self.thickness, gamma / max(safe[-1], 0.5 * self.law.least_edge_m))
        pull = 2.0 * v * (wide + gamma / np.maximum(safe, 0.5 * self.law.least_edge_m)) / heat
        drive = free - env[1] * np.exp(pull)
        speed = drive / (0.5 * safe / env[3] + 1.0 / env[2])
        area = np.append(4.0 * edge[:-1] * self.thickness, 6.0 * edge[-1] ** 2)
        taken = np.where(there, number * area * speed, 0.0) + bought
        # crystals near the least edge dissolve one after the other, not all at one moment
        shrinking = 2.0 * self.molar_m3 * np.maximum(-speed, 0.0) / self.spread_m
        near = np.exp(np.minimum((self.law.least_edge_m - edge) / self.spread_m, 4.0))
        gone = np.where(there, shrinking * near, 0.0)
        births = births - gone * number
        taken = taken - gone * amount
        moved, carried = self._fusion(number, amount, there, theta, volume)
        return np.concatenate(
            [
                (births + moved) / self._NUMBERS,
                (taken + carried) / self.scale,
                [-taken.sum() / self.scale],
            ]
        )

    def _nuclei(self, env: FloatArray, s: float, theta: float, basal: float) -> tuple[FloatArray, FloatArray]:
        """Births (1/(m^3 s) of reference volume) and the amount that they take (mol/(m^3 s))."""
        heat, gamma, v = _BOLTZMANN * env[0], env[4], self.law.formula_volume_m3
        barrier, edge = platelet_barrier_kt(MONOLAYERS, s, gamma, basal, v, env[0])
        cube = 4.0 * gamma * v / (heat * np.log(s))
        barrier = env[6] * np.append(barrier, 2.0 * gamma * cube**2 / heat)
        edge = np.append(edge, cube)
        weight = np.append(np.full(_KINDS - 1, theta**2), 1.0 - theta**2)
        with np.errstate(over="ignore"):
            rate = weight * np.exp(np.minimum(env[5] - barrier, 300.0)) * env[7]
        there = rate > 0
        # kT below the barrier: W = W* (1 - (L/L* - 1)^2) of a platelet; a cube as in the classical law
        grown = np.where(there, edge, 0.0)
        grown[:-1] *= 1.0 + 1.0 / np.sqrt(np.where(there, barrier, 1.0)[:-1])
        grown[-1] += np.sqrt(heat / (np.pi * gamma))
        grown = np.where(there, np.maximum(grown, self.law.least_edge_m), 0.0)
        size = np.append(self.thickness * grown[:-1] ** 2, grown[-1] ** 3)
        return rate, rate * size / self.molar_m3

    def _fusion(
        self,
        number: FloatArray,
        amount: FloatArray,
        there: npt.NDArray[np.bool_],
        theta: float,
        volume: float,
    ) -> tuple[FloatArray, FloatArray]:
        """Change of numbers and amounts as pairs of platelets join face to face."""
        moved, carried = np.zeros(_KINDS), np.zeros(_KINDS)
        rate = self.law.fusion_m3_s * (1.0 - theta) ** 2 / volume
        if rate <= 0:
            return moved, carried
        n = np.where(there, number, 0.0)[:-1]
        each = np.where(there, amount, 0.0)[:-1] / np.where(there, number, 1.0)[:-1]
        pairs = rate * np.outer(n, n)
        moved[:-1] -= pairs.sum(axis=1)
        carried[:-1] -= pairs.sum(axis=1) * each
        joined, thick = np.add.outer(each, each), np.add.outer(self.thickness, self.thickness)
        into = np.minimum(np.add.outer(MONOLAYERS, MONOLAYERS) - MONOLAYERS[0], _KINDS - 1)
        # a stack that is thicker than it is wide is no platelet either
        into = np.where(joined * self.molar_m3 < thick**3, _KINDS - 1, into)
        moved += np.bincount(into.ravel(), 0.5 * pairs.ravel(), _KINDS)
        carried += np.bincount(into.ravel(), (0.5 * pairs * joined).ravel(), _KINDS)
        return moved, carried

    def history(self, times: FloatArray, found: FloatArray) -> PlateletHistory:
        rows = [self.conditions.at(float(t)) for t in times]
        names = list(rows[0])
        n = len(times)
        number, amount = np.empty((n, _KINDS)), np.empty((n, _KINDS))
        edge, s, theta, basal, dissolved = (np.empty((n, _KINDS)), *(np.empty(n) for _ in range(4)))
        for i, row in enumerate(rows):
            env = np.array([row[name] for name in names])
            number[i], amount[i], dissolved[i] = self.unpack(found[i], row["supplied_mol_m3"])
            edge[i], there = self.edges(number[i], amount[i])
            theta[i], basal[i] = self.surface(env, number[i], edge[i], env[7])
            s[i] = self.supersaturation(env, dissolved[i])[1]
            edge[i][~there] = np.nan
        supplied = np.array([row["supplied_mol_m3"] for row in rows])
        return PlateletHistory(times, number, amount, edge, dissolved, supplied, s, theta, basal)


def layer_binding_l_mol(product: str) -> float:
    """Binding constant of the ligand layer on a product: the mean of its halides in the logarithm."""
    records = platelet_records()
    halides = parse_composition(product).halides
    if any(share is None for _, share in halides):
        raise OptionError(f"{product}: its halides have no fractions", allowed="e.g. CsPb(Br0.5I0.5)3")
    logs = {h: np.log(records[f"layer_binding_{h.lower()}_l_mol"].number) for h, _ in halides}
    return float(np.exp(sum(float(share or 0.0) * logs[h] for h, share in halides)))


@dataclass(frozen=True)
class PlateletCase:
    """What platelets of a recipe grow in: the law, the conditions with the amines as ligand, the vessel.

    schedule: of the vessel without platelets; its conditions know the ligands that cover.
    """

    law: PlateletGrowth
    conditions: Conditions
    constants: KineticConstants
    ledger: Ledger
    schedule: Schedule


def platelet_case(
    recipe: Recipe, *, layer_binding: float | None = None, fusion_m3_s: float | None = None
) -> PlateletCase:
    """The case of a recipe; see `platelets_of_recipe`."""
    require_feasible(recipe)
    if recipe.chemistry.supersaturation != "monomer":
        raise OptionError(
            "platelets know the free monomer alone", where="chemistry.supersaturation", allowed="monomer"
        )
    constants = constants_of(recipe)
    ledger = ledger_of(recipe, constants)
    schedule = schedule_of(recipe.product, ledger, constants)
    conditions = schedule.conditions
    amine = np.zeros_like(ledger.time_s)
    for name, values in ledger.chemicals_mol_l.items():
        amine = amine + 1e3 * chemical(name).acts_as.get("amine", 0) * values
    hottest = float(conditions.temperature_k.max())
    if layer_binding is None and amine.any() and hottest > _WARM_K:
        raise ModelRangeError(
            f"the vessel reaches {hottest - 273.15:.0f} degC",
            where="platelets",
            allowed=f"up to {_WARM_K - 273.15:.0f} degC: the binding constants are those of room temperature",
            fix="give layer_binding_l_mol in [platelets], as it is at that temperature",
        )
    columns = {name: getattr(conditions, name) for name in conditions.__dataclass_fields__}
    records = platelet_records()
    law = PlateletGrowth(
        formula_volume_m3(recipe.product),
        1e-3 * (layer_binding_l_mol(recipe.product) if layer_binding is None else layer_binding),
        records["platelet_fusion_m3_s"].number if fusion_m3_s is None else fusion_m3_s,
        least_edge_m=2e-9 * constants.least_radius_nm,
    )
    conditions = Conditions(**columns | {"ligand_mol_m3": amine / ledger.volume_ratio})
    return PlateletCase(law, conditions, constants, ledger, schedule)


def platelets_of_recipe(
    recipe: Recipe,
    *,
    layer_binding: float | None = None,
    fusion_m3_s: float | None = None,
    times_s: npt.ArrayLike | None = None,
    tolerance: float = 1e-6,
) -> PlateletHistory:
    """Platelets and cubes in the vessel of a recipe; its amines are the ligand of the layers.

    layer_binding (L/mol) and fusion_m3_s: in place of the records. times_s: 60 of rising step to the end of
    the recipe where None. Raises what `grow_recipe` and `grow_platelets` raise.
    """
    case = platelet_case(recipe, layer_binding=layer_binding, fusion_m3_s=fusion_m3_s)
    times = recipe.observe.until * np.geomspace(1e-3, 1.0, 60) if times_s is None else times_s
    return grow_platelets(case.law, case.conditions, times, tolerance=tolerance)
