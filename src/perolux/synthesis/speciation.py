"""Which complexes and solids the ions of a vessel form at equilibrium.

    c_i = K_i prod_j c_j^nu_ij        sum_i nu_ij c_i + sum_s nu_sj m_s = b_j
    m_s >= 0,   prod_j c_j^nu_sj <= Ksp_s,   one of the two with equality

with the totals b of the components, complexes c and amounts m of solids (all mol per litre of liquid). Totals
are neutral, so the solution is. Ideal: activities are concentrations over 1 mol/L. Constants, all assumed:
`equilibria.toml`.

Solved as the least Gibbs energy over positive amounts (primal-dual interior point, which finds the solids),
then by Newton's method in the logarithms of the free components until totals hold to 1e-13.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError
from perolux.quantities import Value
from perolux.quantities.constants import AVOGADRO_PER_MOL, constant
from perolux.synthesis.kinetics import KineticConstants, prior_constants

__all__ = [
    "COMPONENTS",
    "SOLIDS",
    "Speciation",
    "counts_of_species",
    "equilibrium_records",
    "records_among",
    "speciate",
]

FloatArray = npt.NDArray[np.float64]
COMPONENTS = ("A", "Pb", "X", "anion", "proton", "amine", "complexant", "quaternary")
_SOLIDS: dict[str, dict[str, int]] = {
    "APbX3": {"A": 1, "Pb": 1, "X": 3},
    "A4PbX6": {"A": 4, "Pb": 1, "X": 6},
    "AX": {"A": 1, "X": 1},
    "PbX2": {"Pb": 1, "X": 2},
}
SOLIDS = tuple(_SOLIDS)
_LN10 = np.log(10.0)
_TOTALS = 1e-13
"""Relative error of each total at which Newton's method stops."""
_MOST_STEPS = 200
_GAP = 1e-7
"""Amount times ln(Ksp/IAP) of a solid, over the most there can be of it, where its presence is decided."""


@dataclass(frozen=True)
class Speciation:
    """Equilibria of one or many feeds; each array has the feeds as first axis, mol per litre of liquid.

    totals: as fed, by component. species: complexes and free components. solids: amounts of APbX3, A4PbX6,
    AX, PbX2. supersaturation: (ion product/Ksp)^(1/ions) of each solid (1 where it is there, NaN where an
    ion is missing). ln_saturation: ln(ion product/Ksp), the driving force over kT. total_error: largest
    relative error of a total.
    """

    totals: dict[str, FloatArray]
    species: dict[str, FloatArray]
    solids: dict[str, FloatArray]
    supersaturation: dict[str, FloatArray]
    ln_saturation: dict[str, FloatArray]
    total_error: FloatArray

    def share(self, solid: str, component: str = "Pb") -> FloatArray:
        """Share of a component that is in a solid."""
        total = self.totals[component]
        bound = _SOLIDS[solid].get(component, 0) * self.solids[solid]
        return np.where(total > 0, bound / np.where(total > 0, total, 1.0), 0.0)


@cache
def equilibrium_records() -> dict[str, Value]:
    """All constants of the equilibria by name, keys "equilibrium.NAME"; of complexes log10 K of formation."""
    found = {
        row["name"]: Value(
            key=f"equilibrium.{row['name']}",
            number=row["log10_k"],
            low=row["log10_k"] - row["spread"],
            high=row["log10_k"] + row["spread"],
            unit="1",
            kind="assumed",
            source="this program: log10 of the constant of formation from free components, mol/L",
        )
        for row in _file()["complex"]
    }
    found |= {name: Value(key=f"equilibrium.{name}", **record) for name, record in _file()["solid"].items()}
    return found


def speciate(
    totals: Mapping[str, npt.ArrayLike],
    *,
    temperature_k: npt.ArrayLike = 298.15,
    antisolvent_fraction: npt.ArrayLike = 0.0,
    constants: KineticConstants | None = None,
    cation: str = "Cs",
    log10_k: Mapping[str, float] | None = None,
    solids: Collection[str] = SOLIDS,
) -> Speciation:
    """Complexes and solids at equilibrium for the totals (mol/L of liquid) of the `COMPONENTS`.

    totals: component -> number or array (one a feed); what is left out is 0. A negative total of protons is
    base (carbonate) that finds no acid: refused. constants: solubility of APbX3 with its temperature and
    antisolvent (n ions: Ksp follows its n-th power). cation: only "Cs" has the solid A4PbX6. log10_k: other
    constants by the names of `equilibrium_records`. solids: those that may form; the others stay dissolved,
    however supersaturated. Raises `OptionError` for wrong totals or names.
    """
    strange = sorted(set(solids) - set(SOLIDS))
    if strange:
        raise OptionError(f"no solid is called {strange[0]!r}", allowed=", ".join(SOLIDS))
    b, shape = _totals(totals)
    own = _constants(log10_k or {}, constants or prior_constants())
    used = constants or prior_constants()
    temperature, antisolvent = (
        np.broadcast_to(temperature_k, shape),
        np.broadcast_to(antisolvent_fraction, shape),
    )
    names, nu, ln_k = _complexes(own)
    known, nu_s, ln_ksp = _solids(own, used, temperature.ravel(), antisolvent.ravel(), cation)
    amounts, precipitated = np.zeros((len(b), len(names))), np.zeros((len(b), len(_SOLIDS)))
    excess = np.full((len(b), len(_SOLIDS)), np.nan)
    column = {name: k for k, name in enumerate(_SOLIDS)}
    # feeds that lack the same components share their matrices
    for pattern in np.unique(b > 0, axis=0):
        rows = np.flatnonzero(np.all((b > 0) == pattern, axis=1))
        if not pattern.any():
            continue
        there = np.flatnonzero(~nu[:, ~pattern].any(axis=1))
        possible = np.flatnonzero(~nu_s[:, ~pattern].any(axis=1))
        solid = np.array([k for k in possible if known[k] in solids], dtype=int)
        a, a_s = nu[np.ix_(there, pattern)], nu_s[np.ix_(solid, pattern)]
        c, m, lam = _solve(b[np.ix_(rows, pattern)], a, ln_k[there], a_s, ln_ksp[np.ix_(rows, solid)])
        amounts[np.ix_(rows, there)] = c
        where = np.array([column[known[k]] for k in possible], dtype=int)
        precipitated[np.ix_(rows, where[np.isin(possible, solid)])] = m
        products = lam @ nu_s[np.ix_(possible, pattern)].T - ln_ksp[np.ix_(rows, possible)]
        excess[np.ix_(rows, where)] = products
    everything = np.array([[held.get(j, 0) for j in COMPONENTS] for held in _SOLIDS.values()], dtype=float)
    found = amounts @ nu + precipitated @ everything
    error = np.max(np.abs(found - b) / np.where(b > 0, b, 1.0), axis=1, initial=0.0)
    return Speciation(
        totals={j: b[:, k].reshape(shape) for k, j in enumerate(COMPONENTS)},
        species={name: amounts[:, k].reshape(shape) for k, name in enumerate(names)},
        solids={name: precipitated[:, k].reshape(shape) for k, name in enumerate(_SOLIDS)},
        supersaturation={
            name: np.exp(excess[:, k] / sum(held.values())).reshape(shape)
            for k, (name, held) in enumerate(_SOLIDS.items())
        },
        ln_saturation={name: excess[:, k].reshape(shape) for k, name in enumerate(_SOLIDS)},
        total_error=error.reshape(shape),
    )


def records_among(components: Collection[str]) -> dict[str, Value]:
    """The records of equilibria between some of the components, and of all solids; not that of TOPO."""
    held = {row["name"]: row["holds"] for row in _file()["complex"] if "from" not in row}
    records = equilibrium_records()
    return {
        name: value
        for name, value in records.items()
        if name in _file()["solid"] or (name in held and set(held[name]) <= set(components))
    }


@cache
def counts_of_species() -> tuple[tuple[str, ...], FloatArray]:
    """Names of free components and complexes, and how many of each component they hold (a row a species)."""
    names, nu, _ = _complexes({name: value.number for name, value in equilibrium_records().items()})
    nu.flags.writeable = False
    return tuple(names), nu


def _totals(totals: Mapping[str, npt.ArrayLike]) -> tuple[FloatArray, tuple[int, ...]]:
    unknown = sorted(set(totals) - set(COMPONENTS))
    if unknown:
        raise OptionError(f"no component is called {unknown[0]!r}", allowed=", ".join(COMPONENTS))
    arrays = np.broadcast_arrays(*(np.asarray(totals.get(j, 0.0), dtype=float) for j in COMPONENTS))
    b = np.stack([one.ravel() for one in arrays], axis=1)
    if not np.isfinite(b).all() or (b < 0).any():
        bad = COMPONENTS[int(np.flatnonzero((~np.isfinite(b) | (b < 0)).any(axis=0))[0])]
        fix = "carbonate needs two acid groups each: add acid" if bad == "proton" else None
        raise OptionError(f"the total of {bad} is not a number of 0 or more", allowed="mol/L", fix=fix)
    return b, arrays[0].shape


def _constants(given: Mapping[str, float], kinetic: KineticConstants) -> dict[str, float]:
    own = {name: float(value.number) for name, value in equilibrium_records().items()}
    unknown = sorted(set(given) - set(own))
    if unknown:
        raise OptionError(f"no equilibrium is called {unknown[0]!r}", allowed=", ".join(own))
    if not given.get("AX_over_APbX3", 1.0) > 0:
        raise OptionError(f"AX_over_APbX3 = {given['AX_over_APbX3']!r}", allowed="a ratio above 0")
    # one number for the complex with TOPO: that of growth
    own["PbX2[complexant]"] = own["PbX2"] - float(np.log10(kinetic.topo_dissociation_mol_l))
    return own | dict(given)


def _complexes(own: Mapping[str, float]) -> tuple[list[str], FloatArray, FloatArray]:
    rows = _file()["complex"]
    held: list[dict[str, int]] = [{j: 1} for j in COMPONENTS] + [row["holds"] for row in rows]
    nu = np.array([[one.get(j, 0) for j in COMPONENTS] for one in held], dtype=float)
    ln_k = np.array([0.0] * len(COMPONENTS) + [_LN10 * own[row["name"]] for row in rows])
    return [*(f"free {j}" for j in COMPONENTS), *(row["name"] for row in rows)], nu, ln_k


def _solids(
    own: Mapping[str, float],
    kinetic: KineticConstants,
    temperature_k: FloatArray,
    antisolvent: FloatArray,
    cation: str,
) -> tuple[list[str], FloatArray, FloatArray]:
    """Names, counts and ln Ksp (a row a feed) of the solids that a cation has."""
    at_room = np.log(kinetic.solubility_mol_l)
    product = 5.0 * at_room + 3.0 * np.log(3.0)
    ax = 2.0 * (at_room + np.log(own["AX_over_APbX3"]))
    ln_room = {
        "APbX3": product,
        "AX": ax,
        "PbX2": product + _LN10 * own["log10_APbX3_from_AX_and_PbX2"] - ax,
        "A4PbX6": product + 3.0 * ax - _LN10 * own["log10_A4PbX6_from_APbX3_and_AX"],
    }
    names = [name for name in _SOLIDS if name != "A4PbX6" or cation == "Cs"]
    nu = np.array([[_SOLIDS[name].get(j, 0) for j in COMPONENTS] for name in names], dtype=float)
    gas = constant("boltzmann_j_per_k") * AVOGADRO_PER_MOL
    warmer = -1e3 * kinetic.dissolution_enthalpy_kj_mol / gas * (1.0 / temperature_k - 1.0 / 298.15)
    # each ion as soluble as the formula unit: Ksp follows the solubility to the number of ions
    shift = (warmer - kinetic.antisolvent_exponent * antisolvent)[:, None] * nu.sum(axis=1)
    return names, nu, np.array([ln_room[name] for name in names]) + shift


def _solve(
    b: FloatArray, nu: FloatArray, ln_k: FloatArray, nu_s: FloatArray, ln_ksp: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Amounts of complexes and solids and ln of the free components, a row a feed; all totals positive."""
    most = np.min(b[:, None, :] / np.where(nu_s > 0, nu_s, 1e-300), axis=2)
    lam, solid, slack, close = _interior_point(b, nu, ln_k, nu_s, ln_ksp, most)
    if not close.all():
        raise ModelRangeError(
            f"no equilibrium was found for {int((~close).sum())} of {len(b)} feeds", where="speciate"
        )
    active = solid > slack * most
    todo = np.arange(len(b))
    for _ in range(40):
        lam[todo], solid[todo] = _newton(b[todo], nu, ln_k, nu_s, ln_ksp[todo], lam[todo], active[todo])
        slack = ln_ksp[todo] - lam[todo] @ nu_s.T
        gone = np.where(active[todo], solid[todo], np.inf) < 0
        over = np.where(active[todo], np.inf, slack) < -1e-9
        wrong = gone.any(axis=1) | over.any(axis=1) if nu_s.size else np.zeros(len(todo), dtype=bool)
        # one change a feed and round: first what would be negative, then the most supersaturated
        for k in np.flatnonzero(wrong):
            if gone[k].any():
                active[todo[k], int(np.argmin(np.where(active[todo[k]], solid[todo[k]], np.inf)))] = False
            else:
                active[todo[k], int(np.argmin(np.where(active[todo[k]], np.inf, slack[k])))] = True
        todo = todo[wrong]
        if not len(todo):
            break
    else:
        raise ModelRangeError(f"no equilibrium was found for {len(todo)} of {len(b)} feeds", where="speciate")
    c = np.exp(lam @ nu.T + ln_k)
    return c, np.where(active, solid, 0.0), lam


def _interior_point(
    b: FloatArray,
    nu: FloatArray,
    ln_k: FloatArray,
    nu_s: FloatArray,
    ln_ksp: FloatArray,
    most: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, npt.NDArray[np.bool_]]:
    """Near the least Gibbs energy sum n (ln n - 1 - ln K) - sum m ln Ksp over positive amounts.

    Newton steps of the amounts, each cut where one would fall to a tenth: an amount may cross thirty decades
    in a few steps, which steps in the free components alone cannot. most: of each solid there can be. Returns
    ln of the free components, solids, their slacks ln Ksp - ln IAP, and where it came close.
    """
    count, n = len(b), b.shape[1]
    free, solids = len(ln_k), len(nu_s)
    all_nu = np.vstack([nu, nu_s])
    x = np.empty((count, free + solids))
    for i in range(n, free + solids):  # every complex and solid takes a little, the free ions keep the rest
        used = all_nu[i] > 0
        x[:, i] = 0.5 / (free + solids) * np.min(b[:, used] / all_nu[i, used], axis=1)
    x[:, :n] = b - x[:, n:] @ all_nu[n:]
    z = np.ones((count, solids))
    lam = np.zeros((count, n))
    todo = np.arange(count)
    for _ in range(_MOST_STEPS):
        totals, now = b[todo], x[todo]
        c, m, s = now[:, :free], now[:, free:], z[todo]
        # path of the barrier: m s = tau, for each solid in proportion to what there can be of it
        apart = (m * s / most[todo]).sum(axis=1, keepdims=True) / max(solids, 1)
        tau = np.maximum(0.1 * apart, _GAP) * most[todo]
        weight = np.concatenate([c, m / s], axis=1)
        rest = np.concatenate([c * (ln_k - np.log(c)), -m / s * ln_ksp[todo] + tau / s], axis=1)
        hessian = np.einsum("fi,ij,ik->fjk", weight, all_nu, all_nu)
        lam[todo] = _solve_scaled(hessian, totals - now @ all_nu - rest @ all_nu)
        step = weight * (lam[todo] @ all_nu.T) + rest
        slack = ln_ksp[todo] - lam[todo] @ nu_s.T - s
        x[todo] = now + _length(now, step) * step
        z[todo] = np.maximum(s + _length(s, slack) * slack, 1e-2 * tau / x[todo][:, free:])
        found = np.exp(np.clip(lam[todo] @ nu.T + ln_k, -700.0, 50.0)) @ nu + x[todo][:, free:] @ nu_s
        off = np.max(np.abs(found - totals) / totals, axis=1)
        gap = (x[todo][:, free:] * z[todo] / most[todo]).max(axis=1, initial=0.0)
        todo = todo[~((off < 1e-3) & (gap < 10.0 * _GAP))]
        if not len(todo):
            break
    close = np.ones(count, dtype=bool)
    close[todo] = False
    return lam, x[:, free:], z, close


def _length(now: FloatArray, step: FloatArray) -> FloatArray:
    """Part of a step, at most 1, after which no amount is below a tenth of what it was."""
    with np.errstate(divide="ignore", invalid="ignore"):
        bound = np.where(step < 0, -0.9 * now / step, np.inf).min(axis=1, initial=1.0, keepdims=True)
    return np.minimum(bound, 1.0)


def _newton(
    b: FloatArray,
    nu: FloatArray,
    ln_k: FloatArray,
    nu_s: FloatArray,
    ln_ksp: FloatArray,
    lam: FloatArray,
    active: npt.NDArray[np.bool_],
) -> tuple[FloatArray, FloatArray]:
    """Free components and amounts of the active solids, whose ion products are held at Ksp."""
    n, solids = b.shape[1], len(nu_s)
    m = np.zeros((len(b), solids))
    held = np.where(active[:, :, None], nu_s, 0.0)
    best = np.full(len(b), np.inf)
    kept = lam.copy(), m.copy()
    for _ in range(60):
        c = np.exp(np.minimum(lam @ nu.T + ln_k, 300.0))
        missing = b - c @ nu - np.einsum("fs,fsj->fj", m, held)
        off = np.where(active, ln_ksp - lam @ nu_s.T, 0.0)
        error = np.maximum(np.max(np.abs(missing) / b, axis=1), 1e-3 * np.abs(off).max(axis=1, initial=0.0))
        better = error < best
        best[better] = error[better]
        kept[0][better], kept[1][better] = lam[better], m[better]
        if (best < _TOTALS).all():
            break
        hessian = np.einsum("fi,ij,ik->fjk", c, nu, nu)
        whole = np.zeros((len(b), n + solids, n + solids))
        whole[:, :n, :n] = hessian
        whole[:, :n, n:] = np.swapaxes(held, 1, 2)
        whole[:, n:, :n] = held
        whole[:, range(n, n + solids), range(n, n + solids)] = np.where(active, 0.0, 1.0)
        scale = np.concatenate(
            [1.0 / np.sqrt(np.einsum("fjj->fj", hessian)), np.ones((len(b), solids))], axis=1
        )
        # amounts of solids in units that give the constraint rows the size of the others
        size = np.einsum("fsj,fj->fs", held, scale[:, :n])
        scale[:, n:] = np.where(active, 1.0 / np.where(active, size, 1.0), 1.0)
        right = np.concatenate([missing, off], axis=1)
        scaled = whole * scale[:, :, None] * scale[:, None, :]
        step = scale * np.linalg.solve(scaled, (right * scale)[..., None])[..., 0]
        lam = lam + np.clip(step[:, :n], -20.0, 20.0)
        m = m + step[:, n:]
    return kept


def _solve_scaled(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solutions of symmetric systems whose rows differ by many decades."""
    scale = 1.0 / np.sqrt(np.einsum("fjj->fj", matrix))
    scaled = matrix * scale[:, :, None] * scale[:, None, :] + 1e-15 * np.eye(matrix.shape[1])
    found: FloatArray = scale * np.linalg.solve(scaled, (right * scale)[..., None])[..., 0]
    return found


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(files("perolux.synthesis").joinpath("equilibria.toml").read_text("utf-8"))
