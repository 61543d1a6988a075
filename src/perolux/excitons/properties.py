"""All results of one nanocrystal: the layers of this room put together, set by set, draw by draw.

Energies come from `energies`, lines from `transitions`, exchange from `exchange` and `fine_structure`, rates
from `rates`, `coherence` and `thermal`, cross sections from `cross_section`, shifts of more than one exciton
from `multiexcitons`. A result whose numbers a material lacks is absent, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, NotAvailableError
from perolux.excitons.assumptions import assumption
from perolux.excitons.coherence import coherence_volume_nm3
from perolux.excitons.cross_section import (
    JoinedAbsorption,
    calibrated_absorption,
    integrated_cross_section_cm2_ev,
    join_bulk_absorption,
)
from perolux.excitons.depolarisation import depolarisation_factors
from perolux.excitons.energies import PairEnergies, missing_layers, pair_energies
from perolux.excitons.exchange import exchange_mev
from perolux.excitons.fine_structure import FineStructure, LevelOrder, fine_structure, rashba_for_order
from perolux.excitons.layers import Layers
from perolux.excitons.linewidth import homogeneous_fwhm_mev
from perolux.excitons.nanocrystal import Nanocrystal
from perolux.excitons.parameters import DRAWS, ParameterDraws, drawn, parameters_of
from perolux.excitons.passport import Entry, Passport, Transition
from perolux.excitons.rates import (
    Levels,
    local_field,
    oscillator_strength,
    radiative_rate_per_ns,
    thermal_lifetime,
)
from perolux.excitons.spectra import gaussian_line
from perolux.excitons.spread import spread_of
from perolux.excitons.stokes import stokes_model
from perolux.excitons.tables import interpolate
from perolux.excitons.thermal import thermal_overlap_ratio
from perolux.materials import optical_constants, trace
from perolux.quantities import Value
from perolux.quantities.constants import BOLTZMANN_EV_PER_K, HC_EV_NM

__all__ = ["passport"]

FloatArray = npt.NDArray[np.float64]

TRANSITIONS = 4
"""Absorption lines of a passport."""
WAVELENGTHS_NM = (335.0, 400.0, 450.0)
"""Wavelengths at which absorption is calibrated in the literature."""
_EXCESS = 1.05
"""Lines that carry more than this part of the bulk's absorption below the join are scaled to it, and said."""
_ROUNDING_MEV = 1e-9
"""A splitting below this is one that the symmetry forbids, and rounding."""


def passport(
    crystal: Nanocrystal,
    *,
    layers: Layers | None = None,
    sets: Iterable[str] | None = None,
    draws: int = DRAWS,
) -> Passport:
    """Levels, light and lifetime of one nanocrystal, with the spread over parameter sets and draws.

    layers: what the model holds, all of it by default; sets: names of parameter sets, all by default; draws:
    for each set. Raises the errors of the material, of a size outside the model, and `NotAvailableError`
    where not even the confinement can be computed, naming what is missing and who could supply it.

    >>> from perolux.excitons.nanocrystal import nanocrystal
    >>> found = passport(nanocrystal("CsPbBr3", "cube", 8.0, "core-edge"), draws=16)
    >>> 2.2 < found.emission_ev.spread.median < 2.6
    True
    """
    chosen = layers or Layers()
    parameters = parameters_of(crystal.material, crystal.temperature_k, sets=sets, draws=draws)
    results = {one.set_name: _results(crystal, one, chosen) for one in parameters}
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
    return Passport(
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


@dataclass
class _Results:
    """What one parameter set gives: arrays (1 + draws,) by name, and why others are absent."""

    arrays: dict[str, FloatArray] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    transition_names: tuple[str, ...] = ()
    contributions: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()

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


def _results(crystal: Nanocrystal, parameters: ParameterDraws, layers: Layers) -> _Results:
    """Everything of one nanocrystal under one parameter set."""
    found = _Results()
    pair = pair_energies(
        crystal.shape, crystal.lengths_nm, parameters, layers, outside_index=crystal.outside_index
    )
    if not pair.valid[0]:
        found.warnings.append(
            f"set {parameters.set_name}: a carrier lies above its barrier, or its mass is beyond the law"
        )
    found.contributions = tuple(pair.contributions_ev)
    found.arrays |= {f"layer {name}": 1e3 * one for name, one in pair.contributions_ev.items()}
    found.arrays |= {"overlap_k": pair.overlap_k, "exchange_x": pair.exchange_x}
    emission = pair.exciton_ev - drawn(stokes_model().shift_ev, "stokes_shift_ev", parameters.draws)
    found.arrays["emission"] = emission
    strengths = [f"strength {n}" for n in range(TRANSITIONS)]
    names, energies, overlaps = _transitions(crystal, pair)
    found.transition_names = names[:TRANSITIONS]
    found.arrays |= {f"absorption {n}": one for n, one in enumerate(energies[:TRANSITIONS])}
    found.attempt(strengths, lambda: _strengths(parameters, energies, overlaps))
    found.attempt(["width"], lambda: {"width": _width(parameters)})
    found.attempt(
        ["coherence_volume"], lambda: {"coherence_volume": _coherent(crystal, parameters, layers, pair)}
    )
    fine_names = ["bright_dark", "splitting 1", "splitting 2"]
    found.attempt(fine_names, lambda: _fine_structure(crystal, parameters, layers, pair)[1])
    rates = ["lifetime", "bright_lifetime"]
    found.attempt(rates, lambda: _lifetimes(crystal, parameters, layers, pair, emission))
    found.attempt(["biexciton", "trion"], lambda: _multiexcitons(crystal, pair))
    sections = [f"cross section {nm:g}" for nm in WAVELENGTHS_NM]
    found.attempt(
        sections, lambda: _cross_sections(crystal, parameters, pair, energies, overlaps, found.warnings)
    )
    return found


def _transitions(
    crystal: Nanocrystal, pair: PairEnergies
) -> tuple[tuple[str, ...], list[FloatArray], list[FloatArray]]:
    """Names, energies (eV) and overlaps K of the first absorption lines.

    The steps between the lines are those of the pair behind hard walls at the masses of the ground pair; the
    layers of the first line are given to all.
    """
    if crystal.shape not in ("cube", "sphere"):
        return ("first exciton",), [pair.exciton_ev], [pair.overlap_k]
    from perolux.excitons.transitions import LEVELS, transitions

    size = pair.lengths_nm[0] / pair.bohr_nm * (0.5 if crystal.shape == "sphere" else 1.0)
    curves = transitions(crystal.shape, size, LEVELS)
    steps = pair.rydberg_ev * (curves.energy_over_rydberg - curves.energy_over_rydberg[:1])
    names = tuple(str(one) for one in curves.names[:, 0])
    return names, list(pair.exciton_ev + steps), list(curves.overlap_k)


def _strengths(
    parameters: ParameterDraws, energies: list[FloatArray], overlaps: list[FloatArray]
) -> dict[str, FloatArray]:
    kane = parameters["kane_energy"]
    return {
        f"strength {n}": oscillator_strength(kane, energy, overlap)
        for n, (energy, overlap) in enumerate(zip(energies, overlaps, strict=True))
    }


def _width(parameters: ParameterDraws) -> FloatArray:
    """Homogeneous width (meV): the range on record, or the assumed one where the material has none."""
    try:
        value = homogeneous_fwhm_mev(parameters.material)
    except NotAvailableError:
        value = assumption("homogeneous_fwhm_unknown_mev")
    return drawn(value, "homogeneous_fwhm_mev", parameters.draws)


def _coherent(
    crystal: Nanocrystal, parameters: ParameterDraws, layers: Layers, pair: PairEnergies
) -> FloatArray:
    """Volume (nm^3) in which the exciton is coherent, at most that of the crystal."""
    mass = parameters["reduced_mass"]
    ratio = assumption("coherence_diameter_over_bohr")
    return coherence_volume_nm3(
        layers.coherence,
        np.full_like(pair.overlap_k, crystal.volume_nm3),
        diameter_nm=drawn(ratio, "coherence_diameter_over_bohr", parameters.draws) * pair.bohr_nm,
        total_mass_m0=4.0 * mass,
        homogeneous_fwhm_mev=_width(parameters) if layers.coherence == "linewidth" else None,
    )


def _fine_structure(
    crystal: Nanocrystal, parameters: ParameterDraws, layers: Layers, pair: PairEnergies
) -> tuple[FineStructure, dict[str, FloatArray]]:
    """The four lowest levels, with dipoles weighted by the local field, and their splittings (meV)."""
    a, b, c = crystal.lengths_nm
    factors = depolarisation_factors(crystal.shape, a, b, c)
    short = parameters["short_range_exchange"] if parameters.has("short_range_exchange") else np.zeros(1)
    bright = exchange_mev(
        pair.exchange_x,
        pair.bohr_nm,
        lt_splitting_mev=1e3 * parameters["lt_splitting"],
        short_range_mev_nm3=1e3 * short,
        factors=factors,
    )
    order: LevelOrder = "dark-lowest" if layers.ground_state == "dark" else "bright-lowest"
    rashba = rashba_for_order(bright, order)[..., None] * np.ones(3)
    inside, index = _optical(crystal, parameters)
    field_factor = local_field(inside[..., None], index[..., None] ** 2, factors)
    levels = fine_structure(bright, rashba_mev=rashba, axis_amplitude=field_factor)
    position = np.argmax(levels.dark_admixture, axis=-1)
    keep = np.arange(4) != position[..., None]
    energies = np.sort(levels.energy_mev[keep].reshape(*position.shape, 3), axis=-1)
    steps = np.diff(energies, axis=-1)
    steps[steps < _ROUNDING_MEV] = 0.0
    return levels, {
        "bright_dark": levels.bright_dark_mev,
        "splitting 1": steps[..., 0],
        "splitting 2": steps[..., 1],
    }


def _optical(crystal: Nanocrystal, parameters: ParameterDraws) -> tuple[FloatArray, FloatArray]:
    """Dielectric constant inside at the frequency of light, and refractive index outside."""
    if parameters.has("eps_high_freq"):
        inside = parameters["eps_high_freq"]
    else:
        inside = drawn(assumption("optical_eps_inside"), "optical_eps_inside", parameters.draws)
    if crystal.outside_index is not None:
        return inside, np.full_like(inside, crystal.outside_index)
    return inside, drawn(assumption("outside_index"), "outside_index", parameters.draws)


def _lifetimes(
    crystal: Nanocrystal,
    parameters: ParameterDraws,
    layers: Layers,
    pair: PairEnergies,
    emission_ev: FloatArray,
) -> dict[str, FloatArray]:
    """Lifetime (ns) in thermal equilibrium over all states of the pair, and that of the bright levels alone.

    1/tau = Gamma_fine(T) R_th(T): the mean rate of the four lowest levels, weakened by the excited states.
    """
    limit = _coherent(crystal, parameters, layers, pair)
    overlap = np.where(
        limit < crystal.volume_nm3,
        np.minimum(pair.overlap_k, _overlap_of_volume(limit, pair)),
        pair.overlap_k,
    )
    _, index = _optical(crystal, parameters)
    strength = oscillator_strength(parameters["kane_energy"], emission_ev, overlap)
    unit = radiative_rate_per_ns(emission_ev, strength, index_outside=index)
    bright = unit * (local_field_mean(crystal, parameters))
    try:
        levels, _ = _fine_structure(crystal, parameters, layers, pair)
        rates = unit[..., None] * levels.strength
        cold = thermal_lifetime(Levels.of(levels.energy_mev, rates), crystal.temperature_k).rate_per_ns[
            ..., 0
        ]
    except NotAvailableError:
        # without exchange on record the four levels are taken as equally occupied, which holds when warm
        cold = 0.75 * bright
    return {"lifetime": 1.0 / (cold * _thermal(crystal, pair)), "bright_lifetime": 1.0 / bright}


def local_field_mean(crystal: Nanocrystal, parameters: ParameterDraws) -> FloatArray:
    """Mean of F^2 over the three axes: what multiplies the rate of a randomly oriented bright level."""
    a, b, c = crystal.lengths_nm
    inside, index = _optical(crystal, parameters)
    factors = depolarisation_factors(crystal.shape, a, b, c)
    return np.asarray((local_field(inside[..., None], index[..., None] ** 2, factors) ** 2).mean(axis=-1))


def _overlap_of_volume(volume_nm3: FloatArray, pair: PairEnergies) -> FloatArray:
    """K of a sphere of that volume."""
    radius = np.cbrt(volume_nm3 / (4.0 * np.pi / 3.0)) / pair.bohr_nm
    return np.asarray(interpolate("sphere", radius).overlap_k)


def _thermal(crystal: Nanocrystal, pair: PairEnergies) -> FloatArray:
    """R_th of the cube of equal volume (equal confinement for a sphere)."""
    edge = np.prod(pair.lengths_nm, axis=0) ** (1.0 / 3.0)
    if crystal.shape == "sphere":
        edge = edge * np.sqrt(3.0) / 2.0
    theta = BOLTZMANN_EV_PER_K * crystal.temperature_k / pair.rydberg_ev
    return thermal_overlap_ratio(edge / pair.bohr_nm, theta).ratio


def _multiexcitons(crystal: Nanocrystal, pair: PairEnergies) -> dict[str, FloatArray]:
    """Calculated shifts (meV) of biexciton and trion; a sphere, or the cube of equal volume."""
    from perolux.excitons.multiexcitons import multiexciton_shift

    shape = "sphere" if crystal.shape == "sphere" else "cube"
    edge = np.prod(pair.lengths_nm, axis=0) ** (1.0 / 3.0) * (0.5 if shape == "sphere" else 1.0)
    found = {}
    for name, kind in (("biexciton", "biexciton"), ("trion", "trion-")):
        shift, _ = multiexciton_shift(kind, shape, edge / pair.bohr_nm)
        found[name] = 1e3 * pair.rydberg_ev * shift
    return found


def _cross_sections(
    crystal: Nanocrystal,
    parameters: ParameterDraws,
    pair: PairEnergies,
    energies: list[FloatArray],
    overlaps: list[FloatArray],
    warnings: list[str],
) -> dict[str, FloatArray]:
    """Absorption cross sections (cm2): mu_i V far above the gap, lines and continuum joined to it below.

    The calibrations on record differ by almost a factor of two; the draws are uniform between them.
    """
    inside, outside = _optical(crystal, parameters)
    index = float(outside[0])
    at_335 = calibrated_absorption(crystal.material, 335.0, crystal.volume_nm3, index)
    first = at_335.calibrations[0].number
    scales = sorted(one.number / first for one in at_335.calibrations)
    uniform = drawn(
        Value(1.0, "1", "derived", "calibrations", low=min(scales[0], 1.0), high=max(scales[-1], 1.0)),
        "absorption_calibration",
        parameters.draws,
    )
    table = optical_constants(crystal.material)
    join = float(parameters["gap"][0]) + assumption("bulk_absorption_above_gap_ev").number
    grid = np.linspace(min(float(np.min(energies[0])) - 0.3, join - 0.3), join + 0.05, 240)
    grid = grid[grid > HC_EV_NM / table.wavelength_nm[-1]]
    fwhm = 1e-3 * float(_width(parameters)[0])
    line = gaussian_line(fwhm)
    field_factor = local_field(inside, outside**2, 1.0 / 3.0)
    lines = sum(
        integrated_cross_section_cm2_ev(
            oscillator_strength(parameters["kane_energy"], energy, overlap), field_factor, index
        )[:, None]
        * line(grid - energy[:, None])
        for energy, overlap in zip(energies, overlaps, strict=True)
    )

    def join_lines(drawn_lines: FloatArray) -> JoinedAbsorption:
        return join_bulk_absorption(
            grid,
            drawn_lines,
            energies[0],
            np.full(len(pair.gap_ev), crystal.volume_nm3),
            table,
            gap_ev=float(parameters["gap"][0]),
            solvent_index=index,
            onset_fwhm_ev=fwhm,
        )

    joined = join_lines(lines)
    excess = np.maximum(joined.line_share, 1.0)
    if excess[0] > _EXCESS:
        warnings.append(
            f"set {parameters.set_name}: the first lines carry {excess[0]:.2g} times what the bulk absorbs up to "
            f"{join:.2f} eV; cross sections below that energy keep the sum of the bulk"
        )
        joined = join_lines(lines / excess[:, None])
    found = {}
    for nm in WAVELENGTHS_NM:
        photon = HC_EV_NM / nm
        if photon >= join:
            sigma = calibrated_absorption(crystal.material, nm, crystal.volume_nm3, index).sigma_cm2[0]
            found[f"cross section {nm:g}"] = sigma * uniform
        else:
            here = np.array([np.interp(photon, grid, row) for row in joined.sigma_cm2])
            found[f"cross section {nm:g}"] = here * uniform
    return found


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
        used += trace(one.material, [q for q in one.values if q != "hole_mass" or layers.masses == "arpes"])
    names = ["stokes_shift_ev", "coherence_diameter_over_bohr"]
    if crystal.outside_index is None:
        names.append("outside_index")
    if layers.masses == "equal":
        names.append("carrier_mass_ratio")
    used += [assumption(name) for name in names]
    return tuple({(v.key, v.parameter_set, v.number, v.source): v for v in used}.values())
