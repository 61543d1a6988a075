"""One spectrum back to the sizes behind it: PL, absorbance or both of one sample.

    PL(lambda)   = s int n(L) v(L) L_i(lambda; L) dL + constant             v: volume, or sigma at the lamp
    A(lambda)    = 0.1 path/ln 10 int n(L) sigma(lambda; L) dL + constant + scattered light

n(L) by `smooth_density`: positive, its logarithm as smooth in ln L as the data let it be, with lambda
marginalised; GCV and the L-curve are given beside it, and Tikhonov's estimate as a second method, whose
linear response is the resolution kernel. Each parameter set is inverted by itself: within one set the
intervals are those of the noise. Over all sets what is unknown is added: every energy is moved within the
ranges of the gap and, for PL, of the Stokes shift, the line of one size is given other widths, and the
inversion repeated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from perolux.errors import NotAvailableError, OptionError, Problem
from perolux.excitons.assumptions import assumption
from perolux.excitons.light.linewidth import homogeneous_fwhm_mev
from perolux.excitons.light.stokes import stokes_model
from perolux.excitons.parameters import ParameterDraws, parameters_of
from perolux.inference.inversion_case import Base, Case, Shifted, compare, cubes, shifted
from perolux.inference.inversion_data import Record, record_of
from perolux.inference.inversion_result import Basis, Pooled, SetInversion, SizeInversion
from perolux.inference.platelet_basis import PlateletAmounts, fit_platelets, ladder_lines, model_lines
from perolux.inference.size_kernel import edge_grid, size_kernel
from perolux.measured.records import Spectrum
from perolux.quantities import Value
from perolux.quantities.constants import HC_EV_NM

__all__ = ["invert_spectrum"]

FloatArray = npt.NDArray[np.float64]

_BELOW_EV, _ABOVE_EV, _TABLES_EV = 0.35, 0.25, 1.0
"""How far the record is used below the gap and above the light of the least crystal, and the tables reach."""
_DRAWS, _WIDTHS = 2000, 5
_FEW_DRAWS = 5.0
_POOR_FIT = 2.0
_BEYOND = 0.05
"""Light beyond the limit of resolution from which this is said."""
_AT_END = 0.01
"""Light in the two sizes at either end of the grid from which this is said."""
_STRONG = 6.0
"""Difference of Schwarz's criterion from which evidence is strong (Kass and Raftery, JASA 90, 773 (1995))."""


def invert_spectrum(
    spectrum: Spectrum,
    material: str,
    *,
    absorbance: Spectrum | None = None,
    basis: Basis = "cubes",
    temperature_k: float = 298.15,
    sets: str | Iterable[str] | None = None,
    excitation_nm: float | None = None,
    line_fwhm_mev: float | None = None,
    slit_fwhm_nm: float = 2.0,
    path_mm: float | None = None,
    noise: float | None = None,
    range_nm: tuple[float, float] | None = None,
    largest_edge_nm: float | None = None,
    seed: int = 0,
) -> SizeInversion:
    """Size distribution of cubes, amounts of platelets, or both, from one spectrum (PL or absorbance).

    absorbance: of the same sample in the same cell, to invert with a PL together (light absorbed again is
    then counted, and the Stokes shift fitted within its range). excitation_nm: of the lamp, to weigh crystals
    by their cross section there; None: by their volume. line_fwhm_mev: width of the line of one size; None:
    the range on record. path_mm: of the absorbance, for the number of crystals. noise: standard deviation in
    the unit of `spectrum`; None: estimated. range_nm: samples to use. largest_edge_nm: end of the grid, from
    `prior.edge_nm` where not given; sizes start at 2 nm, where the model ends.

    Raises `OptionError` for options that cannot be used, `InputError` for a record without usable samples,
    `NotAvailableError` for a material without the numbers (n and k for an absorbance), `ConvergenceError`
    where no density explains the record.
    """
    _check(
        basis,
        absorbance,
        spectrum,
        line_fwhm_mev,
        slit_fwhm_nm,
        path_mm,
        excitation_nm,
        range_nm,
        largest_edge_nm,
    )
    edges = edge_grid(largest_edge_nm or float(assumption("edge_nm").high or 30.0))
    rng = np.random.default_rng(seed)
    found: dict[str, SetInversion] = {}
    shifts: dict[str, Shifted] = {}
    platelets: dict[str, PlateletAmounts] = {}
    shares: dict[str, dict[str, Any]] = {}
    criterion: dict[str, dict[str, float]] = {}
    flags: list[str] = []
    used: list[Value] = [stokes_model().shift_ev, assumption("edge_nm"), assumption("spectrum_model_part")]
    records: list[Record] = []
    base: Base
    all_parameters = parameters_of(material, temperature_k, sets=sets, draws=0)
    for parameters in all_parameters:
        widths = _line_widths(parameters, line_fwhm_mev)
        gap = float(parameters["gap"][0])
        wide = range_nm or (HC_EV_NM / (gap + _TABLES_EV), HC_EV_NM / (gap - _BELOW_EV))
        kernel = size_kernel(parameters, edges, np.array(wide, dtype=float), excitation_nm, line_fwhm_mev)
        range_ev = (gap - _BELOW_EV, float(kernel.emission_ev[0]) + _ABOVE_EV)
        given = [spectrum] if absorbance is None else [spectrum, absorbance]
        records = [
            record_of(one, range_ev, range_nm, noise if i == 0 else None) for i, one in enumerate(given)
        ]
        flags += [flag for record in records for flag in record.flags]
        others = tuple(
            size_kernel(parameters, edges, np.array(wide, dtype=float), excitation_nm, one)
            for one in widths
            if basis != "platelets"
        )
        case = Case(parameters, kernel, tuple(records), slit_fwhm_nm, path_mm, others)
        used += [parameters.values["gap"]]
        if basis != "platelets":
            found[case.name], base = cubes(case, rng, _DRAWS)
            shifts[case.name] = shifted(base)
        if basis != "cubes":
            for lines in (*ladder_lines(material, temperature_k), model_lines(parameters)):
                if lines.name not in platelets:
                    record = case.records[0]
                    amounts = fit_platelets(lines, record, slit_fwhm_nm, rng)
                    if amounts is not None:
                        platelets[lines.name] = amounts
        if basis == "both" and platelets:
            criterion[case.name], shares[case.name] = compare(base, platelets)
    if basis != "cubes":
        names = ("platelet_peak_scatter_ev", "platelet_line_fwhm_mev", "platelet_lateral_nm")
        used += [assumption(name) for name in names]
    pooled = (
        {name: _pool(found, shifts, name, rng) for name in ("mean_edge_nm", "cv", "light_edge_nm")}
        if found
        else {}
    )
    bounded = bool(pooled) and pooled["light_edge_nm"].high95 is not None
    more, notes = _remarks(found, bounded)
    if basis != "cubes" and not platelets:
        raise NotAvailableError(
            "no line of any platelet of 2 to 8 monolayers has light in this spectrum",
            where=f"{spectrum.source.path}: {spectrum.label}",
            fix='ask for basis "cubes"',
        )
    reasons = (
        {}
        if found
        else {"mean_edge_nm": "only platelets were asked for", "cv": "only platelets were asked for"}
    )
    if found and not bounded:
        reasons["high95"] = (
            "with the gap and the Stokes shift unknown within their ranges, PL gives no upper bound"
        )
        if spectrum.kind == "absorbance":
            reasons["high95"] = "with the gap unknown within its range, the absorbance gives no upper bound"
    return SizeInversion(
        file=spectrum.source.path,
        label=spectrum.label,
        records=tuple(record.kind for record in records),
        material=material,
        temperature_k=float(temperature_k),
        basis=basis,
        kind=None if not found else "interval" if bounded else "lower-bound",
        mean_edge_nm=pooled.get("mean_edge_nm"),
        cv=pooled.get("cv"),
        light_edge_nm=pooled.get("light_edge_nm"),
        by_set=found,
        platelets=platelets,
        platelet_share=shares,
        criterion=criterion,
        supported={name: _supported(one) for name, one in criterion.items()},
        options={
            "excitation_nm": excitation_nm, "slit_fwhm_nm": slit_fwhm_nm, "path_mm": path_mm, "noise": noise,
            "range_nm": None if range_nm is None else list(range_nm),
            "largest_edge_nm": float(edges[-1]), "seed": seed,
        },
        flags=tuple(dict.fromkeys([*flags, *more])),
        notes=tuple(notes),
        reasons=reasons,
        rests_on=tuple({value.key: value for value in used}.values()),
    )  # fmt: skip


def _supported(criterion: dict[str, float]) -> str:
    """What has the least criterion, if all others lie far enough above it."""
    first, second = sorted(criterion, key=lambda key: criterion[key])[:2]
    return first if criterion[second] - criterion[first] >= _STRONG else "not decided"


def _line_widths(parameters: ParameterDraws, given: float | None) -> FloatArray:
    """Widths (meV) of the line of one size to try: even over its range on record."""
    if given is not None:
        return np.array([given])
    try:
        record = homogeneous_fwhm_mev(parameters.material)
    except NotAvailableError as error:
        problems = [replace(one, fix="give line_fwhm_mev, the width of one size") for one in error.problems]
        raise NotAvailableError(problems) from None
    low, high = record.low or record.number, record.high or record.number
    return np.linspace(low, high, _WIDTHS)


def _pool(
    found: dict[str, SetInversion], shifts: dict[str, Shifted], name: str, rng: np.random.Generator
) -> Pooled:
    """One number over all sets, with noise, moved energies and widths of the line added. Where energies that
    cannot be excluded put the light beyond the limit of resolution, the size has no upper bound."""
    drawn = []
    for set_name, one in found.items():
        moved, sample = shifts[set_name], getattr(one, name)
        weight = np.exp(_finer(moved.log_weight, moved)).ravel()
        at = rng.choice(len(weight), _DRAWS, p=weight / weight.sum())
        noise = (sample.high95 - sample.low95) / 3.92 * rng.standard_normal(_DRAWS)
        values = np.maximum(_finer(moved.numbers[name], moved).ravel()[at] + noise, 0.0)
        if name != "cv":
            edge = _finer(moved.numbers["light_edge_nm"], moved).ravel()[at]
            values = np.where(edge > one.limit_nm, np.inf, values)
        drawn.append(values)
    low, middle, high = np.quantile(np.concatenate(drawn), [0.025, 0.5, 0.975], method="inverted_cdf")
    sets = {set_name: float(getattr(one, name).median) for set_name, one in found.items()}
    bounds = [float(value) if np.isfinite(value) else None for value in (middle, high)]
    if not np.isfinite(low):
        low = min(one.limit_nm for one in found.values())
    return Pooled(sets, bounds[0], float(low), bounds[1])


def _finer(table: FloatArray, moved: Shifted) -> FloatArray:
    """A table over widths and moves, linear between the inversions that were made; (41, 401) where both vary.

    Of widths at which no density explained the record nothing is taken; of single moves their neighbours.
    """
    fine = np.linspace(moved.shift_ev[0], moved.shift_ev[-1], 401)
    rows = []
    for row, log_weight in zip(table, moved.log_weight, strict=True):
        there = np.isfinite(log_weight)
        if there.any():
            rows.append(np.interp(fine, moved.shift_ev[there], row[there]))
    if len(rows) == 1:
        return np.array(rows)
    at, known = np.linspace(0.0, len(rows) - 1.0, 41), np.arange(float(len(rows)))
    stacked = np.array(rows)
    return np.array([np.interp(at, known, stacked[:, j]) for j in range(len(fine))]).T


def _remarks(found: dict[str, SetInversion], bounded: bool) -> tuple[list[str], list[str]]:
    """Flags and notes on the cubes."""
    flags, notes = [], []
    if found and not bounded:
        flags.append("no-upper-bound")
        notes.append(
            "the median and interval of one set hold for the energies of that set as they are on record"
        )
    for name, one in found.items():
        if one.light_beyond_limit > _BEYOND:
            flags.append("above-resolution")
            notes.append(
                f"{name}: {100 * one.light_beyond_limit:.0f} % of the light comes from above "
                f"{one.limit_nm:.1f} nm, where a single size spreads over more than half of itself: the "
                "shape there is that of the penalty"
            )
        if one.light[0] + one.light[1] + one.light[-1] + one.light[-2] > _AT_END:
            flags.append("size-at-grid-end")
            notes.append(
                f"{name}: light comes from an end of the grid of sizes: its limit bounds them, not the data"
            )
        if one.misfit > _POOR_FIT:
            flags.append("poor-fit")
            notes.append(
                f"{name}: the fit lies {one.misfit**0.5:.1f} times the noise off: the intervals are enlarged "
                "by that, and the model does not hold for this record in all details"
            )
        if one.effective < _FEW_DRAWS:
            flags.append("few-draws")
            notes.append(f"{name}: the posterior is far from a Gaussian: its intervals are coarse")
    return flags, notes


def _check(
    basis: str,
    absorbance: Spectrum | None,
    spectrum: Spectrum,
    line_fwhm_mev: float | None,
    slit_fwhm_nm: float,
    path_mm: float | None,
    excitation_nm: float | None,
    range_nm: tuple[float, float] | None,
    largest_edge_nm: float | None,
) -> None:
    """All options that cannot be used, at once."""
    problems = []
    if basis not in get_args(Basis):
        problems.append(Problem(f"no basis {basis!r}", "basis", ", ".join(get_args(Basis))))
    if spectrum.kind == "absorbance" and (absorbance is not None or basis != "cubes"):
        problems.append(
            Problem(
                "an absorbance alone is inverted to cubes",
                "spectrum",
                fix="give the PL first, absorbance=...",
            )
        )
    if absorbance is not None and absorbance.kind != "absorbance":
        problems.append(
            Problem(f"the kind of the second record is {absorbance.kind}", "absorbance", "absorbance")
        )
    if absorbance is not None and basis != "cubes":
        problems.append(
            Problem(f"basis {basis!r} with an absorbance", "basis", "cubes", "platelets take PL alone")
        )
    if not (np.isfinite(slit_fwhm_nm) and 0 <= slit_fwhm_nm <= 50):
        problems.append(Problem(f"slit_fwhm_nm = {slit_fwhm_nm!r}", "slit_fwhm_nm", "0 to 50 nm"))
    if line_fwhm_mev is not None and not 15 <= line_fwhm_mev <= 300:
        problems.append(Problem(f"line_fwhm_mev = {line_fwhm_mev!r}", "line_fwhm_mev", "15 to 300 meV"))
    if path_mm is not None and not (np.isfinite(path_mm) and path_mm > 0):
        problems.append(Problem(f"path_mm = {path_mm!r}", "path_mm", "above 0"))
    if excitation_nm is not None and not 200 <= excitation_nm <= 1000:
        problems.append(Problem(f"excitation_nm = {excitation_nm!r}", "excitation_nm", "200 to 1000 nm"))
    if range_nm is not None and not (len(range_nm) == 2 and 200 <= range_nm[0] < range_nm[1] <= 2000):
        problems.append(Problem(f"range_nm = {range_nm!r}", "range_nm", "(low, high) within 200 to 2000 nm"))
    if largest_edge_nm is not None and not 4 <= largest_edge_nm <= 100:
        problems.append(Problem(f"largest_edge_nm = {largest_edge_nm!r}", "largest_edge_nm", "4 to 100 nm"))
    if problems:
        raise OptionError(problems)
