"""The light of every nanocrystal of an `Ensemble`: a million of them in about a second.

For each composition, shape and set of proportions the results are computed at knots of size, at the middle of
every range, and interpolated by cubic splines in ln(size). Proportions are grouped to 1 %.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from perolux.ensemble import Ensemble
from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.crystal import LARGEST_NM, Crystals
from perolux.excitons.layers import Layers, require_layers
from perolux.excitons.pair_light import LONGEST_NS
from perolux.excitons.parameters import ParameterDraws, parameters_of
from perolux.excitons.properties import results_of

if TYPE_CHECKING:
    import xarray

    from perolux.ensemble.shapes import Shape

__all__ = ["POPULATION_QUANTITIES", "population"]

FloatArray = npt.NDArray[np.float64]

POPULATION_QUANTITIES: dict[str, tuple[str, str, str]] = {
    "emission_ev": ("emission", "eV", "peak of the emission"),
    "overlap_k": ("overlap_k", "1", "K of the pair"),
    "exchange_x": ("exchange_x", "1", "X of the pair"),
    "radiative_lifetime_ns": ("lifetime", "ns", "radiative lifetime in thermal equilibrium"),
    "bright_lifetime_ns": ("bright_lifetime", "ns", "radiative lifetime of the bright levels"),
    "bright_dark_mev": ("bright_dark", "meV", "bright levels above the dark one"),
    "biexciton_shift_mev": ("biexciton", "meV", "shift of the biexciton line"),
}
"""Names of the results, with the column of `properties.Results`, unit and meaning of each."""

_KNOTS = 120
_MOST_GROUPS = 500
"""Sorts of nanocrystals that one call takes: 0.05 to 0.1 s each."""
_FEW, _MOST_SINGLE = 20, 50_000
"""With more proportions than the first, up to the second number of rows are calculated one by one."""
_ENDLESS = 1e200


def population(
    ensemble: Ensemble,
    *,
    temperature_k: float = 298.0,
    layers: Layers | None = None,
    sets: str | Iterable[str] | None = None,
    outside_index: float | None = None,
) -> xarray.Dataset:
    """Results of every nanocrystal: a data set with the dimensions `set` and `crystal`.

    ensemble: any shapes and compositions; platelets by their monolayers. Each result stands for the middle of
    every range, under each named set; a material with one set takes part under every name. What a material
    cannot answer is NaN, or absent where no row has it, with the reason in the attribute `missing`.

    Against a calculation at each size the splines add less than 1e-4 of an energy above the bulk exciton and
    of every other number; 1 % of a lifetime at the size where coherence begins to be limited. Raises
    `OptionError` for more than 500 sorts of nanocrystals, and the errors of the materials.
    """
    import xarray

    if not isinstance(ensemble, Ensemble):
        raise OptionError(
            f"a population is an Ensemble, not {type(ensemble).__name__}",
            fix="make one with perolux.ensemble: sample, quadrature or from_table",
        )
    chosen = require_layers(layers, "population")
    names = None if sets is None else (sets,) if isinstance(sets, str) else tuple(sets)
    columns: dict[str, dict[str, FloatArray]] = {}
    missing: dict[str, set[str]] = {}
    for material, shape, aspect, rows in _groups(ensemble):
        a, b, c = (column[rows] for column in (ensemble.edge_a_nm, ensemble.edge_b_nm, ensemble.edge_c_nm))
        if max(a.max(), b.max(), c.max()) > LARGEST_NM:
            raise ModelRangeError(
                f"a nanocrystal of {max(a.max(), b.max(), c.max()):.4g} nm",
                where="ensemble",
                allowed=f"up to {LARGEST_NM:g} nm",
            )
        own = parameters_of(material, temperature_k, sets=names, draws=0)
        for name, parameters in _named(own, columns, material).items():
            curves, reasons = _curves(
                parameters, shape, aspect, (a, b, c), temperature_k, chosen, outside_index
            )
            for column, reason in reasons.items():
                missing.setdefault(column, set()).add(f"{material}: {reason}")
            for column, values in curves.items():
                empty = np.full(len(ensemble), np.nan)
                columns[name].setdefault(column, empty)[rows] = values
    data = {}
    for name, (column, unit, meaning) in POPULATION_QUANTITIES.items():
        none = np.full(len(ensemble), np.nan)
        stack = np.stack([columns[one].get(column, none) for one in columns])
        if column == "lifetime":
            stack[stack > LONGEST_NS] = np.nan
        if not np.all(np.isfinite(stack)):
            missing.setdefault(column, {"excitons wait in the dark level for more than 1 ms"})
        if np.any(np.isfinite(stack)):
            reason = "; ".join(sorted(missing.get(column, set())))
            attributes = {"units": unit, "long_name": meaning, "missing": reason}
            data[name] = (("set", "crystal"), stack, attributes)
    order = tuple(columns)
    absent = [
        f"{name}: {'; '.join(sorted(missing[column]))}"
        for name, (column, _, _) in POPULATION_QUANTITIES.items()
        if column in missing
    ]
    return xarray.Dataset(
        data,
        coords={"set": list(order), "weight": ("crystal", ensemble.weights)},
        attrs={
            "temperature_k": temperature_k,
            "layers": str(chosen.as_dict()),
            "missing": " | ".join(absent),
        },
    )


_Aspect = tuple[float, float, float]
_Group = tuple[str, str, _Aspect | None, npt.NDArray[np.intp]]


def _named(
    own: tuple[ParameterDraws, ...], columns: dict[str, dict[str, FloatArray]], material: str
) -> dict[str, ParameterDraws]:
    """The parameters of one sort under the names of the data set's sets.

    A material with one set alone takes part under every name; two materials with different choices of sets do
    not go together.
    """
    found = {one.set_name: one for one in own}
    if not columns:
        columns.update({name: {} for name in found})
    if len(found) == 1:
        (only,) = found.values()
        return dict.fromkeys(columns, only)
    if len(columns) == 1:
        # what stands so far is of a material with one set: it holds under each of these names
        (before,) = columns.values()
        columns.clear()
        columns.update({name: {k: v.copy() for k, v in before.items()} for name in found})
    if set(found) != set(columns):
        raise OptionError(
            f"{material} has the parameter sets {', '.join(found)}, other materials {', '.join(columns)}",
            where="population",
            allowed="materials that share their sets, or have one",
            fix="ask for each part of the ensemble by itself",
        )
    return {name: found[name] for name in columns}


def _groups(ensemble: Ensemble) -> list[_Group]:
    """Material, shape and proportions with the rows that share them.

    Proportions (lengths over the first one) are None where there are many: each such row is calculated.
    """
    shape, material = np.asarray(ensemble.shape), np.asarray(ensemble.material)
    fraction = (
        np.zeros(len(ensemble)) if ensemble.halide_fraction is None else np.round(ensemble.halide_fraction, 3)
    )
    partner = np.full(len(ensemble), "") if ensemble.partner_material is None else ensemble.partner_material
    sorts = _codes((material, partner, fraction, shape))
    if sorts.max() >= _MOST_GROUPS:
        raise OptionError(
            f"{int(sorts.max()) + 1} compositions and shapes",
            where="ensemble",
            allowed=f"up to {_MOST_GROUPS}",
            fix="compress the ensemble, or give fewer compositions",
        )
    a, b, c = ensemble.edge_a_nm, ensemble.edge_b_nm, ensemble.edge_c_nm
    found: list[_Group] = []
    for number in range(int(sorts.max()) + 1):
        rows = np.flatnonzero(sorts == number)
        row = rows[0]
        formula, kind = str(material[row]), str(shape[row])
        if partner[row]:
            formula = _mixed(formula, str(partner[row]), float(fraction[row]))
        # proportions in steps of 1 %; of a platelet those of its plane, and its thickness
        third = c[rows] if kind == "platelet" else 100.0 * np.log(c[rows] / a[rows])
        kinds = _codes(
            (np.rint(100.0 * np.log(b[rows] / a[rows])), np.round(third, 3 if kind == "platelet" else 0))
        )
        if kinds.max() >= _FEW and rows.size <= _MOST_SINGLE:
            found.append((formula, kind, None, rows))
            continue
        if kinds.max() >= _MOST_GROUPS:
            raise OptionError(
                f"{rows.size} {kind}s of {int(kinds.max()) + 1} proportions",
                where="ensemble",
                allowed=f"up to {_MOST_GROUPS} proportions, or {_MOST_SINGLE} nanocrystals",
                fix="compress the ensemble",
            )
        for each in range(int(kinds.max()) + 1):
            part = rows[kinds == each]
            ratio = float(np.mean(b[part] / a[part]))
            last = float(c[part[0]]) if kind == "platelet" else float(np.mean(c[part] / a[part]))
            found.append((formula, kind, (1.0, ratio, last), part))
    return found


def _codes(columns: Iterable[npt.NDArray[np.generic]]) -> npt.NDArray[np.int64]:
    """A number for each distinct row of several columns."""
    found: npt.NDArray[np.int64] | None = None
    for column in columns:
        found = np.zeros(len(column), dtype=np.int64) if found is None else found
        if len(column) == 0 or np.all(column == column[0]):
            continue
        _, code = np.unique(column, return_inverse=True)
        _, found = np.unique(found * (int(code.max()) + 1) + code, return_inverse=True)
    return np.zeros(0, dtype=np.int64) if found is None else found


def _mixed(material: str, partner: str, fraction: float) -> str:
    """The formula of (1 - x) of one bromide, chloride or iodide and x of another."""
    if fraction in (0.0, 1.0):
        return partner if fraction else material
    one, two = (next(h for h in ("Cl", "Br", "I") if name.endswith(f"{h}3")) for name in (material, partner))
    return f"{material.removesuffix(f'{one}3')}({one}{1.0 - fraction:.3f}{two}{fraction:.3f})3"


def _curves(
    parameters: ParameterDraws,
    shape: str,
    aspect: _Aspect | None,
    lengths_nm: tuple[FloatArray, FloatArray, FloatArray],
    temperature_k: float,
    layers: Layers,
    outside_index: float | None,
) -> tuple[dict[str, FloatArray], dict[str, str]]:
    """The results of one sort of nanocrystal: of each row, or from splines over knots of size."""
    from scipy.interpolate import CubicSpline

    size = lengths_nm[0]
    direct = aspect is None or size.size <= _KNOTS
    if direct:
        lengths, knots = lengths_nm, size
    else:
        knots = np.geomspace(float(size.min()) * 0.999, float(size.max()) * 1.001, _KNOTS)
        one, two, three = aspect or (1.0, 1.0, 1.0)
        last = np.full_like(knots, three) if shape == "platelet" else three * knots
        lengths = (one * knots, two * knots, last)
    crystals = Crystals(parameters.material.name, cast("Shape", shape), lengths, temperature_k, outside_index)
    results = results_of(crystals, parameters.middle(knots.size), layers, with_absorption=False)
    wanted = [column for column, _, _ in POPULATION_QUANTITIES.values() if column in results.arrays]
    columns = {name: np.broadcast_to(results.arrays[name], knots.shape) for name in wanted}
    if direct or not wanted:
        return dict(columns), results.reasons
    # numbers that span decades are interpolated by their logarithm, an endless lifetime by a very long one
    logs = {name for name in wanted if np.all(columns[name] > 0.0)}
    stack = np.stack(
        [np.log(np.minimum(columns[n], _ENDLESS)) if n in logs else columns[n] for n in wanted], axis=-1
    )
    at = CubicSpline(np.log(knots), stack)(np.log(size))
    return {n: np.exp(at[:, k]) if n in logs else at[:, k] for k, n in enumerate(wanted)}, results.reasons
