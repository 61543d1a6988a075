"""The light of every nanocrystal of an `Ensemble`: a million of them in about a second.

For each composition, shape and set of proportions the results are computed at knots of size, at the middle of
every range, and interpolated by cubic splines in ln(size). Proportions are grouped to 1 %.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.crystal import LARGEST_NM, Crystals
from perolux.excitons.layers import Layers
from perolux.excitons.parameters import ParameterDraws, parameters_of
from perolux.excitons.properties import results_of

if TYPE_CHECKING:
    import xarray

    from perolux.ensemble import Ensemble

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
"""Sorts of nanocrystals (composition, shape, proportions) that one call takes: 0.1 s each."""


def population(
    ensemble: Ensemble,
    *,
    temperature_k: float = 298.0,
    layers: Layers | None = None,
    sets: Iterable[str] | None = None,
    outside_index: float | None = None,
) -> xarray.Dataset:
    """Results of every nanocrystal: a data set with the dimensions `set` and `crystal`.

    ensemble: any shapes and compositions; platelets by their monolayers. Each result stands for the middle of
    every range, under each named set. What a material cannot answer is absent from the data set, with the
    reason in its attribute `missing`. Against a calculation at each size the splines add less than 1e-4 of an
    energy above the bulk exciton and of every other number; 0.5 % of a lifetime at the size where coherence
    begins to be limited. Raises `OptionError` for more than 500 sorts of
    nanocrystals and the errors of the materials.
    """
    import xarray

    chosen = layers or Layers()
    groups = _groups(ensemble)
    names = None if sets is None else tuple(sets)
    found: dict[str, dict[str, FloatArray]] = {}
    missing: dict[str, str] = {}
    for material, shape, monolayers, aspect, rows in groups:
        a, b, c = (column[rows] for column in (ensemble.edge_a_nm, ensemble.edge_b_nm, ensemble.edge_c_nm))
        size = a if shape == "platelet" else np.cbrt(a * b * c)
        if size.max() > LARGEST_NM:
            raise ModelRangeError(
                f"a nanocrystal of {size.max():.4g} nm", where="ensemble", allowed=f"up to {LARGEST_NM:g} nm"
            )
        for parameters in parameters_of(material, temperature_k, sets=names, draws=0):
            columns = found.setdefault(parameters.set_name, {})
            curves, reasons = _curves(
                parameters, shape, monolayers, aspect, size, temperature_k, chosen, outside_index
            )
            missing |= {name: f"{material}: {reason}" for name, reason in reasons.items()}
            for name, values in curves.items():
                columns.setdefault(name, np.full(len(ensemble), np.nan))[rows] = values
    order = tuple(found)
    data = {}
    for name, (column, unit, meaning) in POPULATION_QUANTITIES.items():
        arrays = [found[one].get(column) for one in order]
        if any(array is None or np.isnan(array).any() for array in arrays):
            missing.setdefault(column, "not under every parameter set")
            continue
        attributes = {"units": unit, "long_name": meaning}
        data[name] = (("set", "crystal"), np.stack([one for one in arrays if one is not None]), attributes)
    reasons_by_name = {
        name: missing[column] for name, (column, _, _) in POPULATION_QUANTITIES.items() if column in missing
    }
    return xarray.Dataset(
        data,
        coords={"set": list(order), "weight": ("crystal", ensemble.weights)},
        attrs={
            "temperature_k": temperature_k,
            "layers": str(chosen.as_dict()),
            "missing": "; ".join(f"{name}: {reason}" for name, reason in reasons_by_name.items()),
        },
    )


_Group = tuple[str, str, int, tuple[float, float, float], npt.NDArray[np.intp]]


def _groups(ensemble: Ensemble) -> list[_Group]:
    """Material, shape, monolayers and proportions (lengths over the size) with the rows that share them."""
    shape, material = np.asarray(ensemble.shape), np.asarray(ensemble.material)
    fraction = (
        np.zeros(len(ensemble)) if ensemble.halide_fraction is None else np.round(ensemble.halide_fraction, 3)
    )
    partner = np.full(len(ensemble), "") if ensemble.partner_material is None else ensemble.partner_material
    layers = np.zeros(len(ensemble), dtype=int) if ensemble.monolayers is None else ensemble.monolayers
    a, b, c = ensemble.edge_a_nm, ensemble.edge_b_nm, ensemble.edge_c_nm
    cubic = np.cbrt(a * b * c)
    plate = shape == "platelet"
    # logarithms of the proportions in steps of 1 %; a platelet scales in its plane alone
    first = np.rint(100.0 * np.log(np.where(plate, 1.0, a / cubic))).astype(int)
    second = np.rint(100.0 * np.log(np.where(plate, b / a, b / cubic))).astype(int)
    inverse = np.zeros(len(ensemble), dtype=np.int64)
    for column in (material, partner, fraction, shape, layers, first, second):
        if np.all(column == column[0]):
            continue
        _, code = np.unique(column, return_inverse=True)
        _, inverse = np.unique(inverse * (int(code.max()) + 1) + code, return_inverse=True)
    unique = range(int(inverse.max()) + 1)
    if len(unique) > _MOST_GROUPS:
        raise OptionError(
            f"{len(unique)} sorts of nanocrystals (composition, shape, proportions)",
            where="ensemble",
            allowed=f"up to {_MOST_GROUPS}",
            fix="compress the ensemble, or give fewer compositions or proportions",
        )
    found: list[_Group] = []
    for number in unique:
        rows = np.flatnonzero(inverse == number)
        row = rows[0]
        formula = str(material[row])
        if partner[row]:
            formula = _mixed(formula, str(partner[row]), float(fraction[row]))
        if plate[row]:
            aspect = (1.0, float(np.mean(b[rows] / a[rows])), float(c[row]))
        else:
            one, two = float(np.mean(a[rows] / cubic[rows])), float(np.mean(b[rows] / cubic[rows]))
            aspect = (one, two, 1.0 / (one * two))
        found.append((formula, str(shape[row]), int(layers[row]), aspect, rows))
    return found


def _mixed(material: str, partner: str, fraction: float) -> str:
    """The formula of (1 - x) of one bromide, chloride or iodide and x of another."""
    if fraction in (0.0, 1.0):
        return partner if fraction else material
    halide = {"Cl": "Cl", "Br": "Br", "I": "I"}
    one, two = (next(h for h in halide if name.endswith(f"{h}3")) for name in (material, partner))
    return f"{material.removesuffix(f'{one}3')}({one}{1.0 - fraction:.3f}{two}{fraction:.3f})3"


def _curves(
    parameters: ParameterDraws,
    shape: str,
    monolayers: int,
    aspect: tuple[float, float, float],
    size: FloatArray,
    temperature_k: float,
    layers: Layers,
    outside_index: float | None,
) -> tuple[dict[str, FloatArray], dict[str, str]]:
    """The results at each size of one sort of nanocrystal, from splines over knots of size."""
    from scipy.interpolate import CubicSpline

    low, high = float(size.min()), float(size.max())
    direct = size.size <= _KNOTS
    knots = np.asarray(size, dtype=float) if direct else np.geomspace(low * 0.999, high * 1.001, _KNOTS)
    one, two, three = aspect
    if shape == "platelet":
        lengths = (knots, two * knots, np.full_like(knots, three))
    else:
        lengths = (one * knots, two * knots, three * knots)
    crystals = Crystals(parameters.material.name, shape, lengths, temperature_k, outside_index)  # type: ignore[arg-type]
    results = results_of(crystals, parameters.middle(knots.size), layers, with_absorption=False)
    wanted = [column for column, _, _ in POPULATION_QUANTITIES.values() if column in results.arrays]
    columns = {name: np.broadcast_to(results.arrays[name], knots.shape) for name in wanted}
    if direct:
        return dict(columns), results.reasons
    # numbers that span decades are interpolated by their logarithm
    logs = {name for name in wanted if np.all(columns[name] > 0.0)}
    stack = np.stack([np.log(columns[n]) if n in logs else columns[n] for n in wanted], axis=-1)
    at = CubicSpline(np.log(knots), stack)(np.log(size))
    return {n: np.exp(at[:, k]) if n in logs else at[:, k] for k, n in enumerate(wanted)}, results.reasons
