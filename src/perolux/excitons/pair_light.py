"""From the pair to its light: lines, fine structure, rates and shifts of whole columns of nanocrystals.

Every function takes `Crystals` (one, or one a row), a column of parameters and the pair that `energies`
gives, all with the same rows: draws of one nanocrystal, or many nanocrystals at the middle of every range.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perolux.errors import NotAvailableError
from perolux.excitons.assumptions import assumption
from perolux.excitons.crystal import Crystals
from perolux.excitons.energies import PairEnergies
from perolux.excitons.layers import Layers
from perolux.excitons.levels.depolarisation import depolarisation_factors
from perolux.excitons.levels.exchange import exchange_mev
from perolux.excitons.levels.fine_structure import FineStructure, LevelOrder, fine_structure, rashba_for_order
from perolux.excitons.light.coherence import coherence_volume_nm3
from perolux.excitons.light.linewidth import homogeneous_fwhm_mev
from perolux.excitons.light.rates import (
    Levels,
    local_field,
    oscillator_strength,
    radiative_rate_per_ns,
    thermal_lifetime,
)
from perolux.excitons.light.thermal import plate_ratio, thermal_overlap_ratio
from perolux.excitons.pair.tables import interpolate
from perolux.excitons.parameters import ParameterDraws
from perolux.quantities.constants import BOLTZMANN_EV_PER_K

__all__ = [
    "coherent_volume_nm3",
    "fine_levels",
    "homogeneous_width_mev",
    "lifetimes_ns",
    "line_strengths",
    "optical_surroundings",
    "shifts_mev",
    "thermal_ratio",
    "transition_lines",
]

FloatArray = npt.NDArray[np.float64]

_ROUNDING_MEV = 1e-9
"""A splitting below this is one that the symmetry forbids, and rounding."""


def transition_lines(
    crystals: Crystals, pair: PairEnergies
) -> tuple[tuple[str, ...], list[FloatArray], list[FloatArray]]:
    """Names, energies (eV) and overlaps K of the first absorption lines.

    The steps between the lines and the ratios of their overlaps are those of the pair behind hard walls at
    the masses of the ground pair; the layers of the first line are given to all.
    """
    if crystals.shape not in ("cube", "sphere"):
        return ("first exciton",), [pair.exciton_ev], [pair.overlap_k]
    from perolux.excitons.pair.transitions import LEVELS, transitions

    size = pair.lengths_nm[0] / pair.bohr_nm * (0.5 if crystals.shape == "sphere" else 1.0)
    curves = transitions(crystals.shape, size, LEVELS)
    steps = pair.rydberg_ev * (curves.energy_over_rydberg - curves.energy_over_rydberg[:1])
    names = tuple(str(one) for one in curves.names[:, 0])
    overlaps = curves.overlap_k * (pair.overlap_k / curves.overlap_k[:1])
    return names, list(pair.exciton_ev + steps), list(overlaps)


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
    ratio = assumption("coherence_diameter_over_bohr")
    diameter = parameters.assumed(ratio, "coherence_diameter_over_bohr") * pair.bohr_nm
    whole = np.broadcast_to(crystals.volume_nm3, pair.overlap_k.shape)
    if crystals.shape == "platelet" and layers.coherence == "localisation":
        return np.minimum(whole, np.pi / 4.0 * diameter**2 * crystals.lengths_nm[2])
    return coherence_volume_nm3(
        layers.coherence,
        whole,
        diameter_nm=diameter,
        total_mass_m0=pair.total_mass_m0,
        homogeneous_fwhm_mev=homogeneous_width_mev(parameters) if layers.coherence == "linewidth" else None,
    )


def fine_levels(
    crystals: Crystals, parameters: ParameterDraws, layers: Layers, pair: PairEnergies
) -> tuple[FineStructure, dict[str, FloatArray]]:
    """The four lowest levels, with dipoles weighted by the local field, and their splittings (meV)."""
    a, b, c = crystals.lengths_nm
    factors = depolarisation_factors(crystals.shape, a, b, c)
    # where no splitting of the compound is on record the short-range constant is not known, and left out
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
    inside, index = optical_surroundings(crystals, parameters)
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


def optical_surroundings(crystals: Crystals, parameters: ParameterDraws) -> tuple[FloatArray, FloatArray]:
    """Dielectric constant inside at the frequency of light, and refractive index outside."""
    if parameters.has("eps_high_freq"):
        inside = parameters["eps_high_freq"]
    else:
        inside = parameters.assumed(assumption("optical_eps_inside"), "optical_eps_inside")
    if crystals.outside_index is not None:
        return inside, np.full_like(inside, crystals.outside_index)
    return inside, parameters.assumed(assumption("outside_index"), "outside_index")


def lifetimes_ns(
    crystals: Crystals,
    parameters: ParameterDraws,
    layers: Layers,
    pair: PairEnergies,
    emission_ev: FloatArray,
) -> dict[str, FloatArray]:
    """Lifetime (ns) in thermal equilibrium over all states of the pair, and that of the bright levels alone.

    1/tau = Gamma_fine(T) R_th(T): the mean rate of the four lowest levels, weakened by the excited states.
    """
    limit = coherent_volume_nm3(crystals, parameters, layers, pair)
    overlap = np.where(
        limit < crystals.volume_nm3,
        np.minimum(pair.overlap_k, _overlap_of_volume(limit, pair)),
        pair.overlap_k,
    )
    _, index = optical_surroundings(crystals, parameters)
    strength = oscillator_strength(parameters["kane_energy"], emission_ev, overlap)
    unit = radiative_rate_per_ns(emission_ev, strength, index_outside=index)
    bright = unit * _mean_field(crystals, parameters)
    try:
        levels, _ = fine_levels(crystals, parameters, layers, pair)
        rates = unit[..., None] * levels.strength
        cold = thermal_lifetime(Levels.of(levels.energy_mev, rates), crystals.temperature_k).rate_per_ns
        cold = cold[..., 0]
    except NotAvailableError:
        # without exchange on record the four levels are taken as equally occupied, which holds when warm
        cold = 0.75 * bright
    return {"lifetime": 1.0 / (cold * thermal_ratio(crystals, pair)), "bright_lifetime": 1.0 / bright}


def _mean_field(crystals: Crystals, parameters: ParameterDraws) -> FloatArray:
    """Mean of F^2 over the three axes: what multiplies the rate of a randomly oriented bright level."""
    a, b, c = crystals.lengths_nm
    inside, index = optical_surroundings(crystals, parameters)
    factors = depolarisation_factors(crystals.shape, a, b, c)
    return np.asarray((local_field(inside[..., None], index[..., None] ** 2, factors) ** 2).mean(axis=-1))


def _overlap_of_volume(volume_nm3: FloatArray, pair: PairEnergies) -> FloatArray:
    """K of a sphere of that volume; in a platelet, of a disc."""
    if pair.overlap_per_nm2 is not None:
        return np.asarray(pair.overlap_per_nm2 * volume_nm3 / pair.lengths_nm[2])
    radius = np.cbrt(volume_nm3 / (4.0 * np.pi / 3.0)) / pair.bohr_nm
    return np.asarray(interpolate("sphere", radius).overlap_k)


def thermal_ratio(crystals: Crystals, pair: PairEnergies) -> FloatArray:
    """R_th of the cube of equal volume (equal confinement for a sphere); of a platelet, of its plane."""
    if crystals.shape == "platelet":
        a, b, _ = crystals.lengths_nm
        heat_ev = BOLTZMANN_EV_PER_K * crystals.temperature_k
        return plate_ratio(a, b, pair.total_mass_m0, heat_ev)
    edge = np.prod(pair.lengths_nm, axis=0) ** (1.0 / 3.0)
    if crystals.shape == "sphere":
        edge = edge * np.sqrt(3.0) / 2.0
    theta = BOLTZMANN_EV_PER_K * crystals.temperature_k / pair.rydberg_ev
    return thermal_overlap_ratio(edge / pair.bohr_nm, theta).ratio


def shifts_mev(crystals: Crystals, pair: PairEnergies) -> dict[str, FloatArray]:
    """Calculated shifts (meV) of biexciton and trion; a sphere, or the cube of equal volume."""
    if crystals.shape == "platelet":
        raise NotAvailableError("shifts of biexciton and trion are not calculated for platelets")
    from perolux.excitons.many.multiexcitons import multiexciton_shift

    shape = "sphere" if crystals.shape == "sphere" else "cube"
    edge = np.prod(pair.lengths_nm, axis=0) ** (1.0 / 3.0) * (0.5 if shape == "sphere" else 1.0)
    found = {}
    for name, kind in (("biexciton", "biexciton"), ("trion", "trion-")):
        shift, _ = multiexciton_shift(kind, shape, edge / pair.bohr_nm)
        found[name] = 1e3 * pair.rydberg_ev * shift
    return found
