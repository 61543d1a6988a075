"""The solution along the reaction that crystals take from it, tabulated for the engines.

    b(d) = b_rest + d nu,  nu = APbX3         p(d) = ln a_A a_Pb a_X^3,   ln S = p - ln Ksp(T, antisolvent)
    dr/dt = v_m N_A (w(p) - w(ln Ksp + l_c/r))/(r/D + 1/k_r)          w = min_j (j that no ligand holds)/nu_j

d is what is dissolved of the product, in whatever complex; b_rest what would be left if crystals took all of
it, which only additions and dilution change. S is that of a formula unit, so that kT ln S is what a crystal
gains by one; p rises with d everywhere (the Gibbs energy is convex), so d, w and p are functions of each
other. w is what can attach: complexes of A, Pb and X alone count, those with acid anions, amines, protons,
complexants or quaternary ammonium do not. Where nothing associates w is d and, with all ions in the
proportion of the product, S = (d/c_s)^5. Where only TOPO holds lead and the other ions are many, w is the
free monomer of A14 and S its ratio to that at equilibrium.

Tables over an even grid of p, at some knots of the conditions, linear in time between them.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError
from perolux.synthesis.conditions import Conditions
from perolux.synthesis.kinetics import KineticConstants, prior_constants
from perolux.synthesis.models import ClassicalGrowth, Model
from perolux.synthesis.speciation import COMPONENTS, Speciation, counts_of_species, speciate

__all__ = ["PRODUCT", "SolutionTable", "along", "packed_solution", "tabulate"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
PRODUCT = {"A": 1.0, "Pb": 1.0, "X": 3.0}
_NU = np.array([PRODUCT.get(j, 0.0) for j in COMPONENTS])
_LATTICE = np.array([j in PRODUCT for j in COMPONENTS])
_LN27 = 3.0 * np.log(3.0)
PER_DECADE = 12
"""Amounts dissolved in each decade at which the equilibria are solved."""
TIME_ERROR = 2e-3
"""Largest error of ln d between two knots before the equilibria are solved at one more."""
_STEP = 0.2  # of the grid of p
_MOST_KNOTS = 300
_MOST_GRID = 2000


@dataclass(frozen=True, eq=False)
class SolutionTable:
    """Tables of a solution for the engines.

    knot: which knots of the conditions have one (K). ln_product: the grid of p (n). ln_dissolved, ln_free:
    ln d and ln w (mol/m^3) over knots and grid, with their slopes a step of the grid. error: largest error of
    ln S found at points that are none of the tables.
    """

    knot: IntArray
    ln_product: FloatArray
    ln_dissolved: FloatArray
    dissolved_slope: FloatArray
    ln_free: FloatArray
    free_slope: FloatArray
    error: float

    def packed(self) -> tuple[IntArray, FloatArray, FloatArray]:
        """Knots, tables (K, 4, n), and start and step of the grid, as the compiled loops take them."""
        tables = np.stack([self.ln_dissolved, self.dissolved_slope, self.ln_free, self.free_slope], axis=1)
        step = self.ln_product[1] - self.ln_product[0]
        return self.knot, np.ascontiguousarray(tables), np.array([self.ln_product[0], step])

    def product_at(self, row: int, dissolved_mol_m3: npt.ArrayLike) -> FloatArray:
        """p of amounts dissolved (mol/m^3) at the knot of one row: the inverse of ln d, by bisection."""
        from scipy.interpolate import CubicHermiteSpline  # slow to load, and not needed to read a recipe

        wanted = np.log(np.asarray(dissolved_mol_m3, dtype=float))
        step = self.ln_product[1] - self.ln_product[0]
        curve = CubicHermiteSpline(self.ln_product, self.ln_dissolved[row], self.dissolved_slope[row] / step)
        k = np.clip(np.searchsorted(self.ln_dissolved[row], wanted) - 1, 0, len(self.ln_product) - 2)
        low, high = self.ln_product[k], self.ln_product[k + 1]
        for _ in range(60):
            middle = 0.5 * (low + high)
            above = curve(middle) > wanted
            low, high = np.where(above, low, middle), np.where(above, middle, high)
        found: FloatArray = 0.5 * (low + high)
        return found


_NONE = (np.empty(0, dtype=np.int64), np.empty((0, 4, 0)), np.zeros(2))


def packed_solution(model: Model, conditions: Conditions) -> tuple[IntArray, FloatArray, FloatArray]:
    """The tables of a model as the compiled loops take them; empty where it has none."""
    table = model.solution if isinstance(model, ClassicalGrowth) else None
    if table is None:
        return _NONE
    _, _, sections = conditions.table()
    if not np.isin(sections, table.knot).all():
        raise ModelRangeError(
            "the tables of the solution belong to other conditions", where="model.solution",
            fix="tabulate the solution at the knots of these conditions",
        )  # fmt: skip
    return table.packed()


def along(
    rest_mol_l: Mapping[str, npt.ArrayLike],
    dissolved_mol_l: npt.ArrayLike,
    *,
    constants: KineticConstants | None = None,
    cation: str = "Cs",
    log10_k: Mapping[str, float] | None = None,
) -> tuple[Speciation, FloatArray, FloatArray]:
    """Equilibria, p and w (mol/L) with so much of the product dissolved beside the rest (all mol/L)."""
    d = np.asarray(dissolved_mol_l, dtype=float)
    used = constants or prior_constants()
    totals = {
        j: np.asarray(rest_mol_l.get(j, 0.0), dtype=float) + PRODUCT.get(j, 0.0) * d for j in COMPONENTS
    }
    found = speciate(totals, constants=used, cation=cation, log10_k=log10_k, solids=())
    with np.errstate(divide="ignore"):
        p = sum(count * np.log(found.species[f"free {j}"]) for j, count in PRODUCT.items())
    names, nu = counts_of_species()
    loose = _is_loose(nu)
    free = [
        sum(nu[k, COMPONENTS.index(j)] * found.species[names[k]] for k in np.flatnonzero(loose)) / count
        for j, count in PRODUCT.items()
    ]
    return found, np.asarray(p), np.minimum.reduce(free)


def _is_loose(nu: FloatArray) -> npt.NDArray[np.bool_]:
    """Which species hold A, Pb and X alone."""
    return np.asarray(nu[:, ~_LATTICE].sum(axis=1) == 0, dtype=bool)


def _slopes(found: Speciation) -> tuple[FloatArray, FloatArray]:
    """dp/d(ln d) over d and the same of w: exact, from db = H d(lambda), H = sum_i c_i nu_i nu_i^T."""
    names, nu = counts_of_species()
    c = np.stack([found.species[name] for name in names], axis=-1)
    hessian = np.einsum("fi,ij,ik->fjk", c, nu, nu)
    absent: npt.NDArray[np.bool_] = np.asarray(np.einsum("fjj->fj", hessian) == 0)
    hessian += absent[:, :, None] * np.eye(len(COMPONENTS))
    scale = 1.0 / np.sqrt(np.einsum("fjj->fj", hessian))
    moved = (
        scale
        * np.linalg.solve(hessian * scale[:, :, None] * scale[:, None, :], (scale * _NU)[..., None])[..., 0]
    )
    loose = np.where(_is_loose(nu)[:, None], nu, 0.0)
    held = c @ loose[:, _LATTICE] / _NU[_LATTICE]
    changes = np.einsum("fi,fi,ij->fj", c, moved @ nu.T, loose[:, _LATTICE]) / _NU[_LATTICE]
    least = np.argmin(held, axis=1)
    rows = np.arange(len(c))
    return moved @ _NU, changes[rows, least] / held[rows, least]


def tabulate(
    rest_mol_l: Mapping[str, npt.ArrayLike],
    supplied_mol_l: npt.ArrayLike,
    solubility_mol_m3: npt.ArrayLike,
    time_s: npt.ArrayLike,
    *,
    steepest: float,
    constants: KineticConstants | None = None,
    cation: str = "Cs",
    log10_k: Mapping[str, float] | None = None,
    per_decade: int = PER_DECADE,
    time_error: float = TIME_ERROR,
) -> SolutionTable:
    """Tables along the reaction at as many knots of `time_s` (twice: a jump) as the solution asks for.

    rest_mol_l: component -> totals beside the product (mol/L of liquid). supplied_mol_l: formula units of the
    product, solubility_mol_m3: its c_s, both at the knots. steepest: largest l_c/r that a crystal has.
    Raises `ModelRangeError` where w falls as more is dissolved, or the solution changes too much.
    """
    time = np.asarray(time_s, dtype=float)
    rest = np.stack([np.broadcast_to(rest_mol_l.get(j, 0.0), time.shape) for j in COMPONENTS], axis=1)
    supplied = np.broadcast_to(np.asarray(supplied_mol_l, dtype=float), time.shape)
    ln_ksp = 5.0 * np.log(1e-3 * np.broadcast_to(solubility_mol_m3, time.shape)) + _LN27
    options = {"constants": constants, "cation": cation, "log10_k": log10_k}

    def solved(rows: FloatArray, d: FloatArray) -> tuple[Speciation, FloatArray, FloatArray]:
        every = {j: np.repeat(rows[:, k], len(d)) for k, j in enumerate(COMPONENTS)}
        return along(every, np.tile(d, len(rows)), **options)  # type: ignore[arg-type]

    jumps = np.flatnonzero(np.diff(time) == 0)
    ends = np.unique(np.concatenate(([0, len(time) - 1], jumps, jumps + 1)))
    most = float(supplied.max())
    # from where to where the tables must reach: the full solution wherever a thousandth of the largest supply
    # is there, all solubilities, and the steepest crystal
    sample = np.unique(np.concatenate((ends, np.linspace(0, len(time) - 1, 40).astype(int))))
    sample = sample[supplied[sample] > 1e-3 * most]
    every = {j: rest[sample, k] for k, j in enumerate(COMPONENTS)}
    full = along(every, supplied[sample], **options)[1]  # type: ignore[arg-type]
    low = min(float(ln_ksp.min()), float(full.min())) - 3.0
    high = max(float(ln_ksp.max()) + steepest, float(full.max())) + 1.0
    probe = most * np.geomspace(1e-12, 30.0, 60)
    p = solved(rest[ends], probe)[1].reshape(len(ends), -1)
    first = probe[max(int(np.min(np.sum(p <= low, axis=1))) - 1, 0)]
    last = probe[min(int(np.max(np.sum(p < high, axis=1))), len(probe) - 1)]
    high = min(high, float(p.max()) + 1.0)
    d = np.geomspace(first, last, max(8, 1 + int(np.ceil(per_decade * np.log10(last / first)))))
    count = int(np.ceil((high - low) / (_STEP * PER_DECADE / per_decade))) + 1
    if count > _MOST_GRID:
        raise ModelRangeError(
            f"the ion product ranges over {(high - low) / np.log(10.0):.0f} decades", where="chemistry"
        )
    grid = np.linspace(low, high, count)
    tables: dict[int, FloatArray] = {}

    def add(indices: list[int]) -> None:
        # what is the same twice is solved once
        rows, back = np.unique(rest[indices], axis=0, return_inverse=True)
        found, p, w = solved(rows, d)
        one = _tables(found, p.reshape(len(rows), -1), w.reshape(len(rows), -1), d, grid)
        for index, k in zip(indices, back.ravel(), strict=True):
            tables[index] = one[k]

    add([int(k) for k in ends])
    intervals = [(int(a), int(b)) for a, b in itertools.pairwise(ends) if b - a > 1]
    there = grid > ln_ksp.min() - 1.0
    worst = 0.0
    while intervals:
        middles = [(a + b) // 2 for a, b in intervals]
        add(middles)
        if len(tables) > _MOST_KNOTS:
            raise ModelRangeError(
                f"the solution changes too much for {_MOST_KNOTS} tables", where="chemistry",
                fix='take supersaturation = "monomer", or end the recipe earlier',
            )  # fmt: skip
        following = []
        for (a, b), m in zip(intervals, middles, strict=True):
            share = (time[m] - time[a]) / (time[b] - time[a])
            mixed = tables[a] + share * (tables[b] - tables[a])
            error = float(np.max(np.abs(mixed - tables[m])[[0, 2]][:, there]))
            if error > time_error:
                following += [(i, j) for i, j in ((a, m), (m, b)) if j - i > 1]
            else:
                worst = max(worst, 0.25 * error)
        intervals = following
    knot = np.array(sorted(tables), dtype=np.int64)
    stacked = np.stack([tables[int(k)] for k in knot])
    table = SolutionTable(knot, grid, stacked[:, 0], stacked[:, 1], stacked[:, 2], stacked[:, 3], 0.0)
    # between the points of the tables, against the equilibria themselves
    between = np.sqrt(d[1:] * d[:-1])
    rows = np.unique(np.linspace(0, len(knot) - 1, 4).astype(int))
    exact = solved(rest[knot[rows]], between)[1].reshape(len(rows), -1)
    for k, right in zip(rows, exact, strict=True):
        seen = (right > grid[0]) & (right < grid[-1])
        off = np.abs(table.product_at(int(k), 1e3 * between[seen]) - right[seen])
        worst = max(worst, float(off.max(initial=0.0)))
    return SolutionTable(knot, grid, stacked[:, 0], stacked[:, 1], stacked[:, 2], stacked[:, 3], worst)


def _tables(found: Speciation, p: FloatArray, w: FloatArray, d: FloatArray, grid: FloatArray) -> FloatArray:
    """ln d and ln w with their slopes over the grid of p, for each of the solved rows: (rows, 4, n)."""
    from scipy.interpolate import CubicHermiteSpline

    x, y = np.log(1e3 * d), np.log(1e3 * w)
    slope_p, slope_w = _slopes(found)
    dp, dw = slope_p.reshape(p.shape) * d, slope_w.reshape(p.shape) * d
    if np.any(np.diff(y, axis=1) <= 0) or np.any(np.diff(p, axis=1) <= 0):
        raise ModelRangeError(
            "more dissolved means less that can attach: the growth law knows no such solution",
            where="chemistry",
            fix='take supersaturation = "monomer", or other constants of the equilibria',
        )
    step = grid[1] - grid[0]
    tables = np.empty((len(p), 4, len(grid)))
    for k in range(len(p)):
        for j, (value, slope) in enumerate(((x, 1.0 / dp[k]), (y[k], dw[k] / dp[k]))):
            curve = CubicHermiteSpline(p[k], value, slope)
            inside = np.clip(grid, p[k, 0], p[k, -1])
            end = np.where(grid < p[k, 0], slope[0], slope[-1])
            tables[k, 2 * j] = curve(inside) + end * (grid - inside)
            own = np.where(grid == inside, curve(inside, 1), end) * step
            # Fritsch and Carlson: what rises at the points rises between them
            rise = np.diff(tables[k, 2 * j])
            bound = 3.0 * np.minimum(np.append(rise, rise[-1]), np.append(rise[0], rise))
            tables[k, 2 * j + 1] = np.clip(own, 0.0, bound)
    return tables
