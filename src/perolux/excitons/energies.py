"""The first exciton of a nanocrystal with all layers of the model, for a whole column of parameter draws.

    E_X = Eg(T) + Ry(mu) e(L_eff/aB(mu)) + dE_dielectric + D(X) - D(bulk)

mu and L_eff are those of `effective_pair` (energy-dependent masses, walls of finite height), e the energy of
the correlated pair behind hard walls, D the exchange of the lowest bright level. Each layer has a switch
(`Layers`); what it adds is kept apart, in the order in which the layers are laid on.

The gaps on record come from bright excitons of the bulk, which have D(bulk): hbar w_LT/3 and the short range.
Light couples to the transverse exciton, without the long range, so the energies may be too low by that much
(1.8 meV in CsPbBr3).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, NotAvailableError
from perolux.excitons.assumptions import assumption
from perolux.excitons.bright_exchange import bright_exchange_ev
from perolux.excitons.carriers.bands import Bands, bands_from_reduced_mass
from perolux.excitons.carriers.carrier_levels import Barrier
from perolux.excitons.carriers.effective_pair import effective_pair
from perolux.excitons.crystal import Crystals
from perolux.excitons.layers import Layers
from perolux.excitons.pair.dielectric import dielectric_shift_ev
from perolux.excitons.pair.lattice_screening import haken_shift
from perolux.excitons.pair.platelets import plate_exciton
from perolux.excitons.pair.shapes import PairCurve, pair_in
from perolux.excitons.pair.tables import ExcitonCurve, interpolate
from perolux.excitons.parameters import ParameterDraws
from perolux.quantities.constants import BOHR_RADIUS_NM, RYDBERG_EV

__all__ = ["PairEnergies", "missing_layers", "pair_energies"]

FloatArray = npt.NDArray[np.float64]

_BULK_SIZE = 1e5
"""Size over aB that stands for the bulk."""


@dataclass(frozen=True)
class PairEnergies:
    """The first exciton: arrays over draws (or sizes), all of one shape.

    confinement_ev: bright exciton from the bulk gap. gap_ev; overlap_k, exchange_x: K and X of the pair;
    bohr_nm, rydberg_ev, total_mass_m0: of the masses at this confinement; lengths_nm: effective core lengths
    (3, ...). overlap_per_nm2: of a platelet, K per area over which the exciton is coherent; plate: thickness
    over aB and dielectric contrast of a platelet's pair.
    exchange_x counts in the bulk's Bohr radius bulk_bohr_nm. bulk_exciton_ev: bright exciton of the bulk, gap
    included. valid: the masses stay within their law and both carriers below the barrier. contributions_ev:
    what each layer adds, in order; their sum is confinement_ev.
    """

    gap_ev: FloatArray
    confinement_ev: FloatArray
    overlap_k: FloatArray
    exchange_x: FloatArray
    bohr_nm: FloatArray
    rydberg_ev: FloatArray
    bulk_bohr_nm: FloatArray
    bulk_exciton_ev: FloatArray
    total_mass_m0: FloatArray
    lengths_nm: FloatArray
    valid: npt.NDArray[np.bool_]
    contributions_ev: dict[str, FloatArray] = field(default_factory=dict)
    overlap_per_nm2: FloatArray | None = None
    plate: tuple[FloatArray, FloatArray] | None = None

    @property
    def exciton_ev(self) -> FloatArray:
        """First exciton in absorption, gap included, eV."""
        return self.gap_ev + self.confinement_ev


def pair_energies(crystals: Crystals, parameters: ParameterDraws, layers: Layers) -> PairEnergies:
    """The first exciton of nanocrystals under one parameter set; equations of this file.

    crystals: one, or one for each row of the parameters. Raises `NotAvailableError` where the material lacks
    the gap, the reduced mass or the dielectric constant of the exciton; a layer whose numbers are missing is
    left out (`missing_layers` says which and why).
    """
    parameters.require("gap", "reduced_mass", "eps_effective")
    if crystals.shape == "platelet":
        return _platelet_energies(crystals, parameters, layers)
    number, shape = parameters.__getitem__, crystals.shape
    a, b, c = crystals.lengths_nm
    gap, eps = number("gap"), number("eps_effective")
    missing = missing_layers(parameters, layers)
    bands = bands_from_reduced_mass(
        number("reduced_mass"),
        gap_ev=gap,
        kane_ev=0.0 if "non-parabolic bands" in missing else number("kane_energy"),
        spin_orbit_ev=0.0 if "non-parabolic bands" in missing else number("spin_orbit_delta"),
        mass_ratio=_mass_ratio(parameters, layers),
        upper_band=True,
    )
    bent = layers.nonparabolic and "non-parabolic bands" not in missing
    barrier = None
    if layers.barrier and "walls of finite height" not in missing:
        outside = number("mass_outside") if layers.mass_outside == "free" else None
        barrier = Barrier(number("barrier"), number("barrier"), outside)

    stages = {"pair behind hard walls": _stage(shape, a, b, c, bands, None, False, eps)}
    if bent:
        stages["non-parabolic bands"] = _stage(shape, a, b, c, bands, None, True, eps)
    if barrier is not None:
        stages["walls of finite height"] = _stage(shape, a, b, c, bands, barrier, bent, eps)
    pair = list(stages.values())[-1]
    contributions, before = {}, np.zeros(())
    for name, stage in stages.items():
        contributions[name] = stage.energy_ev - before
        before = stage.energy_ev
    if layers.screening == "haken" and "lattice screening" not in missing:
        screened = _screened(shape, pair, parameters)
        contributions["lattice screening"] = screened.energy_ev - pair.energy_ev
        pair = screened
    if layers.dielectric:
        shift = dielectric_shift_ev(
            shape, (a, b, c), eps, _outside_eps(crystals, parameters), bohr_radius_nm=pair.bohr_nm
        )
        contributions["self-energies of the carriers"] = shift.self_energy_ev
        contributions["image interaction"] = shift.image_interaction_ev
    mass = number("reduced_mass")
    bulk_bohr, bulk = BOHR_RADIUS_NM * eps / mass, gap - RYDBERG_EV * mass / eps**2
    exchange_x = pair.exchange_x * (bulk_bohr / pair.bohr_nm) ** 3
    _add_exchange(contributions, missing, crystals, parameters, gap, bulk, exchange_x, pair.bohr_nm)
    total = sum(contributions.values(), np.zeros(()))
    whole = np.broadcast_shapes(total.shape, gap.shape)

    def wide(array: npt.ArrayLike) -> FloatArray:
        return np.broadcast_to(np.asarray(array, dtype=float), whole)

    return PairEnergies(
        gap_ev=wide(gap),
        confinement_ev=wide(total),
        overlap_k=wide(pair.overlap_k),
        exchange_x=wide(exchange_x),
        bohr_nm=wide(pair.bohr_nm),
        rydberg_ev=wide(pair.rydberg_ev),
        bulk_bohr_nm=wide(bulk_bohr),
        bulk_exciton_ev=wide(bulk),
        total_mass_m0=wide(pair.total_mass_m0),
        lengths_nm=np.stack([wide(one) for one in pair.lengths_nm]),
        valid=np.broadcast_to(pair.valid, whole),
        contributions_ev={name: wide(one) for name, one in contributions.items()},
    )


def _add_exchange(
    contributions: dict[str, FloatArray],
    missing: dict[str, str],
    crystals: Crystals,
    parameters: ParameterDraws,
    gap: FloatArray,
    bulk: FloatArray,
    exchange_x: FloatArray,
    bohr_nm: FloatArray,
) -> None:
    """Lay the exchange of the lowest bright level on top, less what the bulk exciton has of it already."""
    if "exchange beyond that of the bulk" in missing:
        return
    exciton = gap + sum(contributions.values(), np.zeros(()))
    bulk_bohr = BOHR_RADIUS_NM * parameters["eps_effective"] / parameters["reduced_mass"]
    bright = bright_exchange_ev(crystals, parameters, exciton, bulk, bulk_bohr, exchange_x, bohr_nm)
    # the gaps on record come from bright excitons of the bulk, which have this already
    short = parameters["short_range_exchange"] if parameters.has("short_range_exchange") else 0.0
    own = parameters["lt_splitting"] / 3.0 + short / (np.pi * bulk_bohr**3)
    contributions["exchange beyond that of the bulk"] = bright.min(axis=-1) - own


def _platelet_energies(crystals: Crystals, parameters: ParameterDraws, layers: Layers) -> PairEnergies:
    """First exciton of platelets: the pair in a plate with all its images, and its motion in the plane."""
    a, b, c = crystals.lengths_nm
    thickness = parameters.values["monolayer_thickness"]
    count = np.rint(c / thickness.number)
    gap, eps, mass = parameters["gap"], parameters["eps_effective"], parameters["reduced_mass"]
    missing = missing_layers(parameters, layers)
    if layers.screening == "haken":
        raise NotAvailableError(
            "lattice screening of a platelet is not calculated",
            where=parameters.material.name,
            fix='use screening = "effective"',
        )
    walls = layers.barrier and "walls of finite height" not in missing and layers.nonparabolic
    plate = plate_exciton(
        count,
        parameters.assumed(thickness, "monolayer_thickness"),
        mass,
        eps,
        _outside_eps(crystals, parameters) if layers.dielectric else eps,
        gap,
        lateral_nm=(a, b),
        bands="two-band" if layers.nonparabolic else "parabolic",
        barrier_ev=parameters["barrier"] if walls else None,
        mass_outside_m0=parameters["mass_outside"] if walls else 1.0,
    )
    contributions = {
        "confinement across the plate": plate.confinement_ev,
        "self-energies of free carriers": plate.free_self_energy_ev,
        "binding of the pair": -plate.binding_ev,
        "motion in the plane": plate.lateral_ev,
    }
    heavy = mass * plate.mass_factor
    bulk_bohr, bulk = BOHR_RADIUS_NM * eps / mass, gap - RYDBERG_EV * mass / eps**2
    exchange_x = plate.exchange_x * (bulk_bohr / plate.bohr_radius_nm) ** 3
    _add_exchange(contributions, missing, crystals, parameters, gap, bulk, exchange_x, plate.bohr_radius_nm)
    total = sum(contributions.values(), np.zeros(()))
    if plate.overlap_k is None:
        raise ModelRangeError("a platelet needs its lateral edges", where="lengths_nm")

    def wide(array: npt.ArrayLike) -> FloatArray:
        return np.broadcast_to(np.asarray(array, dtype=float), total.shape)

    return PairEnergies(
        gap_ev=wide(gap),
        confinement_ev=total,
        overlap_k=wide(plate.overlap_k),
        exchange_x=wide(exchange_x),
        bohr_nm=wide(plate.bohr_radius_nm),
        rydberg_ev=wide(RYDBERG_EV * heavy / eps**2),
        bulk_bohr_nm=wide(bulk_bohr),
        bulk_exciton_ev=wide(bulk),
        total_mass_m0=wide(4.0 * heavy),
        lengths_nm=np.stack([wide(one) for one in (a, b, c)]),
        valid=plate.valid & (plate.mass_factor < assumption("carrier_mass_growth").number),
        contributions_ev={name: wide(one) for name, one in contributions.items()},
        overlap_per_nm2=wide(plate.overlap_per_nm2),
        plate=(wide(plate.thickness_over_bohr), wide(plate.contrast)),
    )


def _outside_eps(crystals: Crystals, parameters: ParameterDraws) -> FloatArray:
    """Dielectric constant of ligands and solvent at the frequency of light: n^2."""
    if crystals.outside_index is not None:
        return np.full(parameters.rows, crystals.outside_index**2)
    return parameters.assumed(assumption("outside_index"), "outside_index") ** 2


def missing_layers(parameters: ParameterDraws, layers: Layers) -> dict[str, str]:
    """The layers that are wanted but whose numbers the material lacks, each with the reason."""
    needs = {
        "non-parabolic bands": (layers.nonparabolic, ("kane_energy", "spin_orbit_delta")),
        "walls of finite height": (layers.barrier, ("barrier", "mass_outside")),
        "exchange beyond that of the bulk": (True, ("lt_splitting",)),
        "hole mass": (layers.masses == "arpes", ("hole_mass",)),
        "lattice screening": (
            layers.screening == "haken",
            ("eps_static", "eps_high_freq", "lo_phonon_energy"),
        ),
    }
    return {
        name: "; ".join(parameters.missing[one] for one in quantities if one in parameters.missing)
        for name, (wanted, quantities) in needs.items()
        if wanted and not parameters.has(*quantities)
    }


@dataclass(frozen=True)
class _Stage:
    """The correlated pair at the masses and lengths of one stage of the model."""

    energy_ev: FloatArray
    overlap_k: FloatArray
    exchange_x: FloatArray
    bohr_nm: FloatArray
    rydberg_ev: FloatArray
    total_mass_m0: FloatArray
    mass_ratio: FloatArray
    lengths_nm: tuple[FloatArray, FloatArray, FloatArray]
    valid: npt.NDArray[np.bool_]


def _stage(
    shape: str,
    a: FloatArray,
    b: FloatArray,
    c: FloatArray,
    bands: Bands,
    barrier: Barrier | None,
    nonparabolic: bool,
    eps: FloatArray,
) -> _Stage:
    pair = effective_pair(shape, a, b, c, bands=bands, barrier=barrier, nonparabolic=nonparabolic)
    mass = pair.reduced_mass_m0
    bohr, rydberg = BOHR_RADIUS_NM * eps / mass, RYDBERG_EV * mass / eps**2
    if shape == "cube":
        state: ExcitonCurve | PairCurve = interpolate("cube", pair.a_nm / bohr)
    else:
        state = pair_in(shape, (pair.a_nm / bohr, pair.b_nm / bohr, pair.c_nm / bohr))
    return _Stage(
        rydberg * state.energy_over_rydberg,
        state.overlap_k,
        state.exchange_x,
        bohr,
        rydberg,
        pair.electron_mass_m0 + pair.hole_mass_m0,
        pair.mass_ratio,
        (pair.a_nm, pair.b_nm, pair.c_nm),
        pair.valid,
    )


def _screened(shape: str, pair: _Stage, parameters: ParameterDraws) -> _Stage:
    """The pair with the Haken attraction in place of the effective one: cube or sphere of equal volume."""
    edge = np.prod(np.stack(pair.lengths_nm), axis=0) ** (1.0 / 3.0)
    round_shape = shape in ("sphere", "spheroid")
    shape_of = "sphere" if round_shape else "cube"
    factor = 0.5 if round_shape else (np.pi / 4.0) ** (1.0 / 3.0) if shape == "rod" else 1.0
    sizes = np.asarray(factor * edge / pair.bohr_nm)
    change, bulk = (
        haken_shift(
            shape_of,
            size,
            eps_static=parameters["eps_static"],
            eps_optical=parameters["eps_high_freq"],
            eps_effective=parameters["eps_effective"],
            phonon_over_rydberg=parameters["lo_phonon_energy"] / pair.rydberg_ev,
            mass_ratio=pair.mass_ratio,
        )
        for size in (sizes, np.full_like(sizes, _BULK_SIZE))
    )
    # the bulk exciton keeps its recorded binding, contact and splitting: only what confinement changes counts
    return replace(
        pair,
        energy_ev=pair.energy_ev + pair.rydberg_ev * (change.energy_over_rydberg - bulk.energy_over_rydberg),
        overlap_k=pair.overlap_k * change.k_ratio / bulk.k_ratio,
        exchange_x=pair.exchange_x * change.x_ratio / bulk.x_ratio,
    )


def _mass_ratio(parameters: ParameterDraws, layers: Layers) -> FloatArray:
    """m_e/m_h: equal masses, or what the recorded hole mass leaves of the reduced mass to the electron."""
    if layers.masses == "equal" or not parameters.has("hole_mass"):
        return np.asarray(assumption("carrier_mass_ratio").number)
    mass, hole = parameters["reduced_mass"], parameters["hole_mass"]
    if np.any(mass >= hole):
        raise ModelRangeError(
            f"a hole mass of {hole.min():.3g} m0 is not above the reduced mass of {mass.max():.3g} m0",
            where=f"{parameters.material.name}, set {parameters.set_name}",
            fix='use masses = "equal"',
        )
    return np.asarray(1.0 / (1.0 / mass - 1.0 / hole) / hole)
