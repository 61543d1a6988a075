"""All results of one nanocrystal: the layers of this room put together, set by set, draw by draw.

Energies come from `energies`, lines, fine structure, rates and shifts from `pair_light`, cross sections from
`pair_absorption`. A result whose numbers a material lacks is absent, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, NotAvailableError
from perolux.excitons.assumptions import assumption
from perolux.excitons.crystal import Crystals, Nanocrystal, require_nanocrystal
from perolux.excitons.energies import missing_layers, pair_energies
from perolux.excitons.layers import Layers, require_layers
from perolux.excitons.light.dephasing import coherence
from perolux.excitons.light.linewidth import linewidth_records
from perolux.excitons.light.stokes import stokes_model
from perolux.excitons.pair_absorption import WAVELENGTHS_NM, cross_sections_cm2
from perolux.excitons.pair_light import (
    LONGEST_NS,
    bright_lifetime_ns,
    coherent_volume_nm3,
    dephasing_width_mev,
    equilibrium_lifetime_ns,
    fine_levels,
    has_cubic_symmetry,
    homogeneous_width_mev,
    lattice_mev,
    line_strengths,
    shifts_mev,
    stand_ins,
    transition_lines,
)
from perolux.excitons.parameters import DRAWS, ParameterDraws, parameters_of
from perolux.excitons.passport_record import Entry, Passport, Transition
from perolux.excitons.spread import spread_of
from perolux.materials import absorption_calibrations, trace
from perolux.materials.optical import optical_tables
from perolux.quantities import Value

__all__ = ["Results", "passport", "results_of"]

FloatArray = npt.NDArray[np.float64]

TRANSITIONS = 4
"""Absorption lines of a passport."""


def passport(
    crystal: Nanocrystal,
    *,
    layers: Layers | None = None,
    sets: str | Iterable[str] | None = None,
    draws: int = DRAWS,
) -> Passport:
    """Levels, light and lifetime of one nanocrystal, with the spread over parameter sets and draws.

    layers: what the model holds, all of it by default; sets: names of parameter sets, all by default; draws:
    for each set. Raises the errors of the material, of a size outside the model, and `NotAvailableError`
    where not even the confinement can be computed, naming what is missing and who could supply it.

    >>> from perolux.excitons.crystal import nanocrystal
    >>> found = passport(nanocrystal("CsPbBr3", "cube", 8.0, "core-edge"), draws=16)
    >>> 2.2 < found.emission_ev.spread.median < 2.6
    True
    """
    require_nanocrystal(crystal, "passport")
    chosen = require_layers(layers, "passport")
    parameters = parameters_of(crystal.material, crystal.temperature_k, sets=sets, draws=draws)
    results = {one.set_name: results_of(crystal.as_crystals, one, chosen) for one in parameters}
    reasons: dict[str, str] = {}
    for one in results.values():
        reasons |= one.reasons

    def entry(name: str, unit: str = "1", note: str = "") -> Entry:
        arrays = {s: one.arrays[name] for s, one in results.items() if name in one.arrays}
        if len(arrays) < len(results):
            return Entry(None, reasons.get(name, "not available"))
        return Entry(spread_of(arrays, unit), note=note)

    first = next(iter(results.values()))
    lines = tuple(
        Transition(name, energy.spread, entry(f"strength {n}"))
        for n, name in enumerate(first.transition_names)
        if (energy := entry(f"absorption {n}", "eV")).spread is not None
    )
    warnings = [
        *_warnings(crystal, parameters, chosen),
        *(w for one in results.values() for w in one.warnings),
    ]
    made = Passport(
        crystal=crystal,
        layers=chosen,
        set_names=tuple(results),
        emission_ev=entry("emission", "eV"),
        absorption=lines,
        overlap_k=entry("overlap_k"),
        exchange_x=entry("exchange_x"),
        radiative_lifetime_ns=entry("lifetime", "ns"),
        bright_lifetime_ns=entry("bright_lifetime", "ns"),
        bright_dark_mev=entry("bright_dark", "meV"),
        bright_splittings_mev=(entry("splitting 1", "meV"), entry("splitting 2", "meV")),
        cross_section_cm2={f"{nm:g}": entry(f"cross section {nm:g}", "cm2") for nm in WAVELENGTHS_NM},
        homogeneous_fwhm_mev=entry("width", "meV"),
        biexciton_shift_mev=entry("biexciton", "meV"),
        trion_shift_mev=entry("trion", "meV"),
        coherence_volume_nm3=entry("coherence_volume", "nm3"),
        contributions_mev={name: entry(f"layer {name}", "meV") for name in first.contributions},
        warnings=tuple(dict.fromkeys(warnings)),
        rests_on=_rests_on(parameters, chosen, crystal),
    )
    return replace(made, warnings=(*made.warnings, *_missing(made)))


def _missing(made: Passport) -> list[str]:
    """What is null and why, one sentence for each reason."""
    labels: dict[str, list[str]] = {}
    for label, entry in made.entries().items():
        if entry.spread is None:
            labels.setdefault(entry.reason or "not available", []).append(label)
    return [f"not available, {', '.join(names)}: {reason}" for reason, names in labels.items()]


@dataclass
class Results:
    """What one parameter set gives: columns by name, and why others are absent."""

    arrays: dict[str, FloatArray] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    transition_names: tuple[str, ...] = ()
    contributions: tuple[str, ...] = ()

    def attempt(self, names: Iterable[str], compute: Callable[[], Mapping[str, npt.ArrayLike]]) -> None:
        """Keep what `compute` gives; where numbers are missing or out of range, keep the reason instead."""
        try:
            found = compute()
        except (NotAvailableError, ModelRangeError) as error:
            for name in names:
                self.reasons[name] = error.problems[0].what
            return
        for name, array in found.items():
            self.arrays[name] = np.asarray(array, dtype=float)


def results_of(
    crystals: Crystals, parameters: ParameterDraws, layers: Layers, *, with_absorption: bool = True
) -> Results:
    """Everything under one parameter set."""
    found = Results()
    pair = pair_energies(crystals, parameters, layers)
    if not np.all(pair.valid):
        found.warnings.append(
            f"set {parameters.set_name}: a carrier lies above its barrier, or its mass is beyond the "
            "law, and is held at its end: extrapolated"
        )
    found.contributions = tuple(pair.contributions_ev)
    found.arrays |= {f"layer {name}": 1e3 * one for name, one in pair.contributions_ev.items()}
    found.arrays |= {"overlap_k": pair.overlap_k, "exchange_x": pair.exchange_x}
    emission = pair.exciton_ev - stokes_shift_ev(crystals, parameters)
    found.arrays["emission"] = emission
    found.attempt(
        ["coherence_volume"],
        lambda: {"coherence_volume": coherent_volume_nm3(crystals, parameters, layers, pair)},
    )
    fine = ["bright_dark", "splitting 1", "splitting 2"]
    _, no_lattice = lattice_mev(crystals)
    if has_cubic_symmetry(crystals):
        found.reasons |= dict.fromkeys(fine[1:], f"{no_lattice}, and a shape of equal axes splits nothing")
    elif no_lattice:
        found.warnings.append(f"bright splittings are those of the shape alone: {no_lattice}")
    found.attempt(fine, lambda: fine_levels(crystals, parameters, layers, pair)[1])
    how = (crystals, parameters, layers, pair, emission)
    found.attempt(["bright_lifetime"], lambda: {"bright_lifetime": bright_lifetime_ns(*how)})
    found.attempt(["lifetime"], lambda: {"lifetime": equilibrium_lifetime_ns(*how)})
    if with_absorption and np.any(found.arrays.get("lifetime", np.zeros(1)) > LONGEST_NS):
        del found.arrays["lifetime"]
        found.reasons["lifetime"] = (
            f"at {crystals.temperature_k:g} K next to all excitons would wait in the dark level, for more "
            "than 1 ms: there is no equilibrium; see the lifetime of the bright levels"
        )
    found.attempt(["width"], lambda: {"width": _line_width_mev(crystals, parameters, found)})
    found.attempt(["biexciton", "trion"], lambda: shifts_mev(crystals, pair))
    if with_absorption:
        names, energies, overlaps = transition_lines(crystals, pair)
        if len(names) == 1:
            found.warnings.append(
                "only the first absorption line is calculated: excited lines are solved for edges up to 30 "
                "Bohr radii that differ by a factor of 9 at most"
            )
        found.transition_names = names[:TRANSITIONS]
        found.arrays |= {f"absorption {n}": one for n, one in enumerate(energies[:TRANSITIONS])}
        strengths = [f"strength {n}" for n in range(TRANSITIONS)]
        found.attempt(strengths, lambda: line_strengths(parameters, energies, overlaps))
        found.attempt(
            [f"cross section {nm:g}" for nm in WAVELENGTHS_NM],
            lambda: cross_sections_cm2(
                crystals, parameters, pair, energies, overlaps, found.reasons, found.warnings
            ),
        )
    return found


def stokes_shift_ev(crystals: Crystals, parameters: ParameterDraws) -> FloatArray:
    """Stokes shift (eV): the stated prior, measured near 300 K, and none in the cold.

    Between `prior.zero_phonon_below_k` and `prior.stokes_shift_from_k` it grows linearly, as assumed.
    """
    cold, warm = assumption("zero_phonon_below_k").number, assumption("stokes_shift_from_k").number
    part = np.clip((crystals.temperature_k - cold) / (warm - cold), 0.0, 1.0)
    return part * parameters.assumed(stokes_model().shift_ev, "stokes_shift_ev")


def _line_width_mev(crystals: Crystals, parameters: ParameterDraws, found: Results) -> FloatArray:
    """Homogeneous width (meV): the range on record; in the cold 2 hbar/T2 of the zero-phonon line."""
    cold, warm = assumption("zero_phonon_below_k").number, assumption("stokes_shift_from_k").number
    if crystals.temperature_k >= warm:
        return homogeneous_width_mev(parameters)
    if crystals.temperature_k > cold:
        raise NotAvailableError(
            f"between {cold:g} K, above which the coherence time is no measure of the line, and {warm:g} K "
            "no width of one nanocrystal is on record"
        )
    if "bright_lifetime" not in found.arrays:
        raise NotAvailableError(found.reasons.get("bright_lifetime", "no radiative lifetime"))
    pure = 1e-3 * dephasing_width_mev(crystals, parameters)
    return 1e3 * coherence(found.arrays["bright_lifetime"], pure).homogeneous_fwhm_ev


def _warnings(crystal: Nanocrystal, parameters: tuple[ParameterDraws, ...], layers: Layers) -> list[str]:
    """What a user should know before the numbers are used."""
    found = []
    for one in parameters:
        for name, reason in missing_layers(one, layers).items():
            found.append(f"left out, {name}: {reason}")
        found += list(one.material.warnings)
    beyond = [
        value.key
        for one in parameters
        for value in one.values.values()
        if value.note.startswith("extrapolated")
    ]
    if beyond:
        found.append(
            f"used at {crystal.temperature_k:g} K beyond the temperatures of their records: "
            + ", ".join(dict.fromkeys(beyond))
        )
    if crystal.shape in ("rod", "spheroid"):
        found.append(
            f"excited lines of the {crystal.shape} are those of the cuboid of equal confinement: their steps "
            "come out too small, by 3 to 16 % in strong confinement"
        )
    cold, warm = assumption("zero_phonon_below_k").number, assumption("stokes_shift_from_k").number
    if crystal.temperature_k <= cold:
        found.append(
            "in the cold: emission at the zero-phonon line, its width that of the coherence time (a "
            "calibration at 4 K); where levels do not reach equilibrium, the bright ones are seen"
        )
    elif crystal.temperature_k < warm:
        found.append(
            f"the Stokes shift is assumed to grow linearly from {cold:g} to {warm:g} K: what the emission "
            "does between is not known"
        )
    assumed = dict.fromkeys(name for one in parameters for name in stand_ins(one))
    if assumed:
        found.append(f"assumed, for {crystal.material} has no record of it: {', '.join(assumed)}")
    for one in parameters:
        if one.has("lt_splitting") and not one.has("short_range_exchange"):
            found.append(
                f"short-range exchange of {crystal.material} is not on record: bright-dark splittings are "
                "the long-range part alone"
            )
    if layers.ground_state == "bright":
        found.append(
            "the bright levels are put below the dark one, as the review has it; measurements on FAPbBr3, "
            "CsPbI3 and CsPbBr3 find the dark level lowest"
        )
    return found


def _rests_on(
    parameters: tuple[ParameterDraws, ...], layers: Layers, crystal: Nanocrystal
) -> tuple[Value, ...]:
    """Every record and assumption that the results rest on, each once."""
    used: list[Value] = []
    for one in parameters:
        used += trace(one.material, [q for q in one.values if _is_used(q, crystal, layers)])
    names = [
        "stokes_shift_ev",
        "zero_phonon_below_k",
        "stokes_shift_from_k",
        "bulk_absorption_above_gap_ev",
        "carrier_mass_growth",
    ]
    if crystal.outside_index is None:
        names.append("outside_index")
    if layers.masses == "equal":
        names.append("carrier_mass_ratio")
    if layers.coherence == "localisation" and not all(one.has("coherence_diameter") for one in parameters):
        names.append("coherence_diameter_over_bohr")
    if layers.coherence == "linewidth":
        names += ["acoustic_dephasing_ev_per_k", "activated_dephasing_ev"]
    if layers.ground_state == "bright":
        names.append("bright_lowest_ratio")
    for one in parameters:
        try:
            used += trace(one.material, linewidth_records("single-dot"))
        except (NotAvailableError, ModelRangeError):
            names.append("homogeneous_fwhm_unknown_mev")
        if not one.has("eps_high_freq") and one.material.name not in optical_tables():
            names.append("optical_eps_inside")
    used += absorption_calibrations_of(crystal)
    used += [assumption(name) for name in names]
    return tuple({(v.key, v.parameter_set, v.number, v.source): v for v in used}.values())


def _is_used(quantity: str, crystal: Nanocrystal, layers: Layers) -> bool:
    """Whether the layers take a quantity of the material for this shape."""
    only = {
        "hole_mass": layers.masses == "arpes",
        "eps_static": layers.screening == "haken",
        "lo_phonon_energy": layers.screening == "haken",
        "monolayer_thickness": crystal.shape == "platelet",
        "coherence_diameter": layers.coherence == "localisation",
        "barrier": layers.barrier,
        "mass_outside": layers.barrier,
        "spin_orbit_delta": layers.nonparabolic,
    }
    return only.get(quantity, True)


def absorption_calibrations_of(crystal: Nanocrystal) -> tuple[Value, ...]:
    """The calibrations of the absorption of its material; none where it has no n and k."""
    if crystal.material not in optical_tables():
        return ()
    index = crystal.outside_index or assumption("outside_index").number
    return absorption_calibrations(crystal.material, index)
