"""From the pair to its light: lines, fine structure, rates and shifts of whole columns of nanocrystals.

Every function takes `Crystals` (one, or one a row), a column of parameters and the pair that `energies`
gives, all with the same rows: draws of one nanocrystal, or many nanocrystals at the middle of every range.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, NotAvailableError
from perolux.excitons.assumptions import assumption
from perolux.excitons.bright_exchange import bright_exchange_ev
from perolux.excitons.crystal import Crystals
from perolux.excitons.energies import PairEnergies
from perolux.excitons.layers import Layers
from perolux.excitons.levels.depolarisation import depolarisation_factors
from perolux.excitons.levels.fine_structure import FineStructure, LevelOrder, fine_structure, rashba_for_order
from perolux.excitons.levels.lattice_tensor import lattice_tensor_mev
from perolux.excitons.light.coherence import coherence_volume_nm3
from perolux.excitons.light.dephasing import pure_dephasing_fwhm_ev
from perolux.excitons.light.linewidth import homogeneous_fwhm_mev
from perolux.excitons.light.plate_heat import plate_heat
from perolux.excitons.light.rates import (
    Levels,
    local_field,
    oscillator_strength,
    radiative_rate_per_ns,
    thermal_lifetime,
)
from perolux.excitons.light.thermal import centre_of_mass_ratio, thermal_overlap_ratio
from perolux.excitons.pair.tables import interpolate
from perolux.excitons.parameters import ParameterDraws
from perolux.materials import optical_constants
from perolux.quantities import Value
from perolux.quantities.constants import BOLTZMANN_EV_PER_K, HC_EV_NM

__all__ = [
    "LONGEST_NS",
    "bright_lifetime_ns",
    "coherent_volume_nm3",
    "dephasing_width_mev",
    "equilibrium_lifetime_ns",
    "equivalent_edge_nm",
    "fine_levels",
    "has_cubic_symmetry",
    "homogeneous_width_mev",
    "lattice_mev",
    "line_strengths",
    "optical_surroundings",
    "shifts_mev",
    "stand_ins",
    "thermal_ratio",
    "transition_lines",
]

FloatArray = npt.NDArray[np.float64]

_EQUAL_CONFINEMENT = 0.5 * 3.0**0.5
"""Edge of the cube over the diameter of the sphere with the same confinement: L = sqrt(3) R."""
_THIN_PLATE = 4.0
"""Thickness over aB up to which the second level of a plate is 2s; beyond, its centre of mass moves."""
_FINE_STRUCTURE_K = 60.0
"""Above this kT exceeds the splittings between bright and dark levels: all four are occupied."""
LONGEST_NS = 1e6
"""Equilibrium lifetimes beyond 1 ms are none: populations do not reach equilibrium so slowly."""
_ROUNDING_MEV = 1e-9
"""A splitting below this is one that the symmetry forbids, and rounding."""


def transition_lines(
    crystals: Crystals, pair: PairEnergies
) -> tuple[tuple[str, ...], list[FloatArray], list[FloatArray]]:
    """Names, energies (eV) and overlaps K of the first absorption lines.

    The steps between the lines and the ratios of their overlaps are those of the pair behind hard walls at
    the masses of the ground pair; the layers of the first line are given to all. Cubes and spheres: from
    tables; cuboids are solved, rods and spheroids as the cuboid of equal confinement; where the longest edge
    is above nine times the shortest, the first line alone. Platelets: the bound series 1s, 2s, 3s.
    """
    if crystals.shape == "platelet":
        return _plate_lines(pair)
    if crystals.shape not in ("cube", "sphere"):
        from perolux.excitons.pair.box_transitions import box_transitions, equal_confinement_edges

        a, b, c = pair.lengths_nm / pair.bohr_nm
        try:
            boxes = box_transitions(equal_confinement_edges(crystals.shape, (a, b, c)))
        except ModelRangeError:  # too long or too flat for the basis
            return ("first exciton",), [pair.exciton_ev], [pair.overlap_k]
        higher = pair.rydberg_ev * boxes.steps_rydberg
        return boxes.names, list(pair.exciton_ev + higher), list(pair.overlap_k * boxes.overlap_ratio)
    from perolux.excitons.pair.transitions import LEVELS, transitions

    size = pair.lengths_nm[0] / pair.bohr_nm * (0.5 if crystals.shape == "sphere" else 1.0)
    curves = transitions(crystals.shape, size, LEVELS)
    steps = pair.rydberg_ev * (curves.energy_over_rydberg - curves.energy_over_rydberg[:1])
    names = tuple(str(one) for one in curves.names[:, 0])
    overlaps = curves.overlap_k * (pair.overlap_k / curves.overlap_k[:1])
    return names, list(pair.exciton_ev + steps), list(overlaps)


def _plate_lines(pair: PairEnergies) -> tuple[tuple[str, ...], list[FloatArray], list[FloatArray]]:
    """The bound series of a platelet, solved at the middle of the ranges and scaled with its binding."""
    assert pair.plate is not None
    thickness, contrast = (float(f"{one.flat[0]:.3g}") for one in pair.plate)
    binding, contact = _plate_series(thickness, contrast)
    own = -pair.contributions_ev["binding of the pair"]
    energies = [pair.exciton_ev + own * (1.0 - one / binding[0]) for one in binding]
    names = ("1s", "2s", "3s") if thickness < _THIN_PLATE else ("1s", "second level", "third level")
    return names, energies, [pair.overlap_k * one / contact[0] for one in contact]


@lru_cache(maxsize=256)
def _plate_series(thickness: float, contrast: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    from perolux.excitons.pair.plate_pair import solve_plate_levels

    found = solve_plate_levels(thickness, contrast)
    return tuple(found.binding.tolist()), tuple(found.contact.tolist())


def line_strengths(
    parameters: ParameterDraws, energies: list[FloatArray], overlaps: list[FloatArray]
) -> dict[str, FloatArray]:
    """Oscillator strengths "strength 0", "strength 1" ... of lines of these energies (eV) and overlaps."""
    kane = parameters["kane_energy"]
    return {
        f"strength {n}": oscillator_strength(kane, energy, overlap)
        for n, (energy, overlap) in enumerate(zip(energies, overlaps, strict=True))
    }


def homogeneous_width_mev(parameters: ParameterDraws) -> FloatArray:
    """Homogeneous width (meV): the range on record, or the assumed one where the material has none."""
    try:
        value = homogeneous_fwhm_mev(parameters.material)
    except NotAvailableError:
        value = assumption("homogeneous_fwhm_unknown_mev")
    return parameters.assumed(value, "homogeneous_fwhm_mev")


def coherent_volume_nm3(
    crystals: Crystals, parameters: ParameterDraws, layers: Layers, pair: PairEnergies
) -> FloatArray:
    """Volume (nm^3) in which the exciton is coherent, at most that of the crystals."""
    if parameters.has("coherence_diameter"):
        ratio = parameters["coherence_diameter"]
    else:
        name = "coherence_diameter_over_bohr"
        ratio = parameters.assumed(assumption(name), name)
    diameter = ratio * pair.bohr_nm
    whole = np.broadcast_to(crystals.volume_nm3, pair.overlap_k.shape)
    if crystals.shape == "platelet" and layers.coherence == "localisation":
        disc = np.pi / 4.0 * diameter**2 * crystals.lengths_nm[2]
        return np.minimum(whole, np.minimum(disc, np.pi / 6.0 * diameter**3))
    width = dephasing_width_mev(crystals, parameters) if layers.coherence == "linewidth" else None
    return coherence_volume_nm3(
        layers.coherence,
        whole,
        diameter_nm=diameter,
        total_mass_m0=pair.total_mass_m0,
        homogeneous_fwhm_mev=width,
    )


def dephasing_width_mev(crystals: Crystals, parameters: ParameterDraws) -> FloatArray:
    """Width (meV) that pure dephasing gives the line at the temperature: acoustic and activated phonons."""
    acoustic, activated = (
        parameters.assumed(assumption(name), name)
        for name in ("acoustic_dephasing_ev_per_k", "activated_dephasing_ev")
    )
    phonon = parameters.material.value("phonon_energy_1").number
    return 1e3 * pure_dephasing_fwhm_ev(crystals.temperature_k, acoustic, activated, phonon)


def fine_levels(
    crystals: Crystals, parameters: ParameterDraws, layers: Layers, pair: PairEnergies
) -> tuple[FineStructure, dict[str, FloatArray]]:
    """The four lowest levels, with dipoles weighted by the local field, and their splittings (meV)."""
    bright = 1e3 * bright_exchange_ev(
        crystals,
        parameters,
        pair.exciton_ev,
        pair.bulk_exciton_ev,
        pair.bulk_bohr_nm,
        pair.exchange_x,
        pair.bohr_nm,
    )
    order: LevelOrder = "dark-lowest" if layers.ground_state == "dark" else "bright-lowest"
    rashba = rashba_for_order(bright, order)[..., None] * np.ones(3)
    lattice, _ = lattice_mev(crystals)
    field_factors = _field_factors(crystals, parameters)
    levels = fine_structure(bright, lattice_mev=lattice, rashba_mev=rashba, axis_amplitude=field_factors)
    position = np.argmax(levels.dark_admixture, axis=-1)
    keep = np.arange(4) != position[..., None]
    energies = np.sort(levels.energy_mev[keep].reshape(*position.shape, 3), axis=-1)
    steps = np.diff(energies, axis=-1)
    steps[steps < _ROUNDING_MEV] = 0.0
    found = {"bright_dark": levels.bright_dark_mev}
    if lattice is not None or not has_cubic_symmetry(crystals):
        found |= {"splitting 1": steps[..., 0], "splitting 2": steps[..., 1]}
    return levels, found


def has_cubic_symmetry(crystals: Crystals) -> bool:
    """Whether the shape has three equal axes, so that it splits no bright levels."""
    a, b, c = (np.asarray(one) for one in crystals.lengths_nm)
    return bool(np.allclose(a, b, rtol=1e-9) and np.allclose(a, c, rtol=1e-9))


def lattice_mev(crystals: Crystals) -> tuple[FloatArray | None, str]:
    """The lattice tensor of cubes (..., 3, 3) in meV where one is on record (CsPbI3), or None and why."""
    if crystals.shape != "cube":
        return None, f"no lattice tensor of a {crystals.shape} is on record"
    try:
        return lattice_tensor_mev(crystals.material, "orthorhombic", crystals.lengths_nm[0]), ""
    except NotAvailableError:
        return None, f"no lattice tensor of {crystals.material} is on record"
    except ModelRangeError as error:
        return (
            None,
            f"the lattice tensor of {crystals.material} is known for edges of {error.problems[0].allowed}",
        )


def _field_factors(crystals: Crystals, parameters: ParameterDraws) -> FloatArray:
    """Local field factors F_i along the three lengths (rows, 3)."""
    inside, index = optical_surroundings(crystals, parameters)
    factors = depolarisation_factors(crystals.shape, *crystals.lengths_nm)
    return local_field(inside[..., None], index[..., None] ** 2, factors)


def optical_surroundings(crystals: Crystals, parameters: ParameterDraws) -> tuple[FloatArray, FloatArray]:
    """Dielectric constant inside at the frequency of light, and refractive index outside.

    Inside: between the record and n^2 of the bulk at its gap where both are known (uniform); else what is
    known; else the assumed range.
    """
    inside = parameters.assumed(_optical_eps(parameters), "optical_eps_inside")
    if crystals.outside_index is not None:
        return inside, np.full_like(inside, crystals.outside_index)
    return inside, parameters.assumed(assumption("outside_index"), "outside_index")


def _optical_eps(parameters: ParameterDraws) -> Value:
    known = []
    if parameters.has("eps_high_freq"):
        record = parameters.values["eps_high_freq"]
        known += [record.number if record.low is None else record.low]
        known += [record.number if record.high is None else record.high]
    try:
        n, _ = optical_constants(parameters.material.name).at(HC_EV_NM / parameters.material.gap_ev)
        known.append(float(n) ** 2)
    except (NotAvailableError, ModelRangeError):
        pass
    if not known:
        return assumption("optical_eps_inside")
    low, high = min(known), max(known)
    source = "record of eps_high_freq and n^2 of the bulk at its gap"
    return Value(0.5 * (low + high), "1", "derived", source, low=low, high=high, key="optical_eps_inside")


def stand_ins(parameters: ParameterDraws) -> list[str]:
    """What light rests on that is assumed, because the material has no record of it."""
    found = []
    try:
        homogeneous_fwhm_mev(parameters.material)
    except NotAvailableError:
        found.append("width of the line")
    if _optical_eps(parameters).kind == "assumed":
        found.append("dielectric constant at the frequency of light")
    if not parameters.has("coherence_diameter"):
        found.append("size of the coherent region")
    return found


def bright_lifetime_ns(
    crystals: Crystals,
    parameters: ParameterDraws,
    layers: Layers,
    pair: PairEnergies,
    emission_ev: FloatArray,
) -> FloatArray:
    """Lifetime (ns) of the bright levels alone, mean over the three axes: 1/tau = Gamma(K = 1) K."""
    unit, overlap, _ = _rate_parts(crystals, parameters, layers, pair, emission_ev)
    field2 = (_field_factors(crystals, parameters) ** 2).mean(axis=-1)
    return np.asarray(1.0 / (unit * field2 * overlap))


def equilibrium_lifetime_ns(
    crystals: Crystals,
    parameters: ParameterDraws,
    layers: Layers,
    pair: PairEnergies,
    emission_ev: FloatArray,
) -> FloatArray:
    """Lifetime (ns) in thermal equilibrium over all states of the pair.

    1/tau = Gamma_fine(T) K R(T): the mean rate of the four lowest levels for K = 1, the overlap, and how much
    the excited states weaken it. Infinite where only the dark level is occupied. Raises `NotAvailableError`
    where the fine structure is not on record and would decide.
    """
    unit, _, warm = _rate_parts(crystals, parameters, layers, pair, emission_ev)
    try:
        levels, _ = fine_levels(crystals, parameters, layers, pair)
    except NotAvailableError:
        if crystals.temperature_k < _FINE_STRUCTURE_K:
            raise
        # without exchange on record the four levels are taken as equally occupied, which holds when warm
        mean = 0.75 * unit * (_field_factors(crystals, parameters) ** 2).mean(axis=-1)
    else:
        rates = unit[..., None] * levels.strength
        mean = thermal_lifetime(Levels.of(levels.energy_mev, rates), crystals.temperature_k).rate_per_ns
        mean = mean[..., 0]
    with np.errstate(divide="ignore"):
        return np.asarray(1.0 / (mean * warm))


def _rate_parts(
    crystals: Crystals,
    parameters: ParameterDraws,
    layers: Layers,
    pair: PairEnergies,
    emission_ev: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Rate (1/ns) of a bright level for K = 1 without local field; K; and K R.

    Where coherence is limited, both shrink as those of a sphere (in a platelet, a square plate) that shrinks
    from the volume of the crystal to that of the coherent region.
    """
    limited = coherent_volume_nm3(crystals, parameters, layers, pair)
    region_k, region_r = _region(crystals, limited, pair)
    whole_k, whole_r = _region(crystals, np.broadcast_to(crystals.volume_nm3, limited.shape), pair)
    overlap = pair.overlap_k * region_k / whole_k
    warm = overlap * thermal_ratio(crystals, pair) * region_r / whole_r
    _, index = optical_surroundings(crystals, parameters)
    strength = oscillator_strength(parameters["kane_energy"], emission_ev, np.ones_like(warm))
    return radiative_rate_per_ns(emission_ev, strength, index_outside=index), overlap, warm


def _region(crystals: Crystals, volume_nm3: FloatArray, pair: PairEnergies) -> tuple[FloatArray, FloatArray]:
    """K and R of a sphere of that volume, in a platelet of a square plate of it."""
    if pair.overlap_per_nm2 is not None:
        thickness = np.minimum(pair.lengths_nm[2], np.cbrt(volume_nm3))
        side = np.sqrt(volume_nm3 / thickness)
        overlap = pair.overlap_per_nm2 * volume_nm3 / pair.lengths_nm[2]
        return overlap, _plate_thermal_ratio(crystals, pair, side, side, thickness)
    radius = np.cbrt(volume_nm3 / (4.0 * np.pi / 3.0)) / pair.bohr_nm
    theta = BOLTZMANN_EV_PER_K * crystals.temperature_k / pair.rydberg_ev
    edge = _EQUAL_CONFINEMENT * 2.0 * radius
    return np.asarray(interpolate("sphere", radius).overlap_k), thermal_overlap_ratio(edge, theta).ratio


def equivalent_edge_nm(crystals: Crystals, pair: PairEnergies) -> FloatArray:
    """Edge (nm) of the cube that stands for a shape: of equal confinement if round, else of equal volume."""
    edge = np.cbrt(np.prod(pair.lengths_nm, axis=0))
    factor = {"sphere": _EQUAL_CONFINEMENT, "spheroid": _EQUAL_CONFINEMENT, "rod": np.cbrt(np.pi / 4.0)}
    return np.asarray(edge * factor.get(crystals.shape, 1.0))


def thermal_ratio(crystals: Crystals, pair: PairEnergies) -> FloatArray:
    """R of the equivalent cube (`equivalent_edge_nm`), a cuboid with its own edges; a platelet likewise."""
    if crystals.shape == "platelet":
        a, b, _ = crystals.lengths_nm
        return _plate_thermal_ratio(crystals, pair, a, b, pair.lengths_nm[2])
    theta = BOLTZMANN_EV_PER_K * crystals.temperature_k / pair.rydberg_ev
    size = equivalent_edge_nm(crystals, pair) / pair.bohr_nm
    ratio = thermal_overlap_ratio(size, theta).ratio
    if crystals.shape != "cuboid":
        return ratio
    # the centre of mass knows the edges one by one
    own = np.prod([centre_of_mass_ratio(e / pair.bohr_nm, theta) for e in pair.lengths_nm], axis=0)
    return np.asarray(ratio * np.cbrt(own) / centre_of_mass_ratio(size, theta))


def _plate_thermal_ratio(
    crystals: Crystals,
    pair: PairEnergies,
    a_nm: npt.ArrayLike,
    b_nm: npt.ArrayLike,
    thickness_nm: npt.ArrayLike,
) -> FloatArray:
    """R of a plate of these lengths with the walls and images of the crystal's own (`plate_heat`)."""
    if pair.plate is None:
        raise TypeError("the pair of a platelet has no plate")
    over_bohr, contrast = pair.plate
    thickness = over_bohr * np.asarray(thickness_nm) / pair.lengths_nm[2]
    theta = BOLTZMANN_EV_PER_K * crystals.temperature_k / pair.rydberg_ev
    a, b = np.asarray(a_nm) / pair.bohr_nm, np.asarray(b_nm) / pair.bohr_nm
    return plate_heat(a, b, thickness, contrast, theta).ratio


def shifts_mev(crystals: Crystals, pair: PairEnergies) -> dict[str, FloatArray]:
    """Calculated shifts (meV) of biexciton and trion; a sphere as it is, others as their equivalent cube."""
    if crystals.shape == "platelet":
        raise NotAvailableError("shifts of biexciton and trion are not calculated for platelets")
    from perolux.excitons.many.multiexcitons import multiexciton_shift

    sphere = crystals.shape == "sphere"
    edge = 0.5 * pair.lengths_nm[0] if sphere else equivalent_edge_nm(crystals, pair)
    found = {}
    for name, kind in (("biexciton", "biexciton"), ("trion", "trion-")):
        shift, _ = multiexciton_shift(kind, "sphere" if sphere else "cube", edge / pair.bohr_nm)
        found[name] = 1e3 * pair.rydberg_ev * shift
    return found
