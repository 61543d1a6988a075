"""Excitons of nanoplatelets: thickness in monolayers, images of the surroundings, lateral confinement.

    E(n) = Eg + E_z + <free self-energies> - E_b + E_lateral

E_z is the confinement of electron and hole across the plate with two bands (energy-dependent mass),
between hard walls or barriers of finite height; binding E_b, self-energies and contact come from the
correlated pair with all images (`plate_pair`), tabulated against d/aB and the contrast
q = (eps_in - eps_out)/(eps_in + eps_out); E_lateral is the centre of mass of the bound pair in the plane. aB
and Ry follow the mass at the confinement energy where that is asked for.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.pair._lobatto import lobatto_weights
from perolux.excitons.pair._variation import Array
from perolux.quantities.constants import BOHR_RADIUS_NM, HBAR2_OVER_2M0_EV_NM2, RYDBERG_EV

__all__ = [
    "PlateExciton",
    "PlateletState",
    "in_plane_dead_layer",
    "interpolate_plate",
    "lateral_energy_ev",
    "plate_exciton",
    "two_band_confinement_ev",
    "two_band_well_ev",
]

_DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class PlateExciton:
    """The pair of `plate_pair` at many thicknesses and contrasts: Ry and aB, arrays of one shape.

    free_rest_rydberg: energy of an unbound pair less pi^2/d^2; binding_rydberg: against it;
    self_energy_rydberg, image_rydberg: expectation values in the pair; radius_over_bohr: root mean square
    distance in the plane; contact: |int Psi(r,r) dz|^2 in 1/aB^2 (8/pi in two dimensions); exchange_x: X;
    estimated_error_rydberg: of the energies.
    """

    thickness_over_bohr: Array
    contrast: Array
    free_rest_rydberg: Array
    binding_rydberg: Array
    self_energy_rydberg: Array
    image_rydberg: Array
    radius_over_bohr: Array
    contact: Array
    exchange_x: Array
    estimated_error_rydberg: Array


@dataclass(frozen=True)
class PlateletState:
    """The ground exciton of platelets in eV and nm, arrays of one shape; parts add up to `energy_ev`.

    energy_ev: transition energy counted from the bulk gap. confinement_ev: both carriers across the plate;
    free_self_energy_ev: images on the unbound pair; binding_ev: enters with a minus sign; lateral_ev:
    centre of mass in the plane, 0 for an infinite plate. bound_self_energy_ev, image_interaction_ev:
    expectation values in the bound pair. radius_nm: in-plane. overlap_per_nm2: K per area, so that K =
    overlap_per_nm2 times the area over which the exciton is coherent. overlap_k: K of the finite plate
    with the centre of mass in its lowest state, None for an infinite one. exchange_x with bohr_radius_nm:
    int |Psi(r,r)|^2 d3r = X/(pi aB^3) with the aB that was used. thickness_over_bohr, contrast: the plate of
    the solver, walls of finite height included.
    """

    energy_ev: Array
    confinement_ev: Array
    free_self_energy_ev: Array
    binding_ev: Array
    lateral_ev: Array
    bound_self_energy_ev: Array
    image_interaction_ev: Array
    radius_nm: Array
    overlap_per_nm2: Array
    overlap_k: Array | None
    exchange_x: Array
    bohr_radius_nm: Array
    mass_factor: Array
    valid: np.ndarray
    thickness_over_bohr: Array
    contrast: Array


def interpolate_plate(thickness_over_bohr: ArrayLike, contrast: ArrayLike) -> PlateExciton:
    """The pair in a plate from the packaged table: splines in ln(d/aB), polynomials in ln(eps_in/eps_out).

    Adds less than 1e-3 of each quantity to the solver's own error (contact and X: 1 % below 0.3 aB).
    Thickness 0.05 to 15 aB, eps_in/eps_out
    from 0.54 to 12.3; `ModelRangeError` outside.
    Source: `tools/make_platelet_table.py`, `perolux.excitons.pair.plate_pair.solve_plate`.

    >>> plate = interpolate_plate([0.5, 1.0], 0.0)
    >>> plate.binding_rydberg.round(2).tolist()
    [2.64, 2.14]
    """
    d, q = np.broadcast_arrays(
        np.asarray(thickness_over_bohr, dtype=np.float64), np.asarray(contrast, dtype=np.float64)
    )
    thickness, contrasts, spline = _table()
    for name, value, low, high in (
        ("thickness over the Bohr radius", d, thickness[0], thickness[-1]),
        ("dielectric contrast", q, contrasts[0], contrasts[-1]),
    ):
        outside = ~((value >= low * (1 - 1e-12) - 1e-12) & (value <= high * (1 + 1e-12)))
        if bool(outside.any()):
            raise ModelRangeError(
                f"{name} outside the table: {int(outside.sum())} of {value.size}, "
                f"the first is {value[outside].flat[0]:g}",
                where="exciton in a plate",
                allowed=f"{low:g} to {high:g}",
                fix="for one thick plate use perolux.excitons.pair.plate_pair.solve_plate",
            )
    weights = lobatto_weights(np.arctanh(contrasts), np.arctanh(q))
    columns = np.einsum("...qk,...q->k...", spline(np.log(d)), weights)
    free, binding, own, image, radius, contact, exchange, error = columns
    return PlateExciton(
        d,
        q,
        free / d,
        np.exp(binding),
        own / d,
        image / d,
        np.exp(radius),
        np.exp(contact),
        np.exp(exchange),
        error,
    )


@lru_cache(maxsize=1)
def _table():  # type: ignore[no-untyped-def]
    from scipy.interpolate import CubicSpline

    lines = (_DATA / "platelet.csv").read_text(encoding="utf-8").splitlines()
    rows = np.array(
        list(csv.reader(line for line in lines if not line.startswith("#")))[1:], dtype=np.float64
    )
    thickness, contrasts = np.unique(rows[:, 0]), np.unique(rows[:, 1])
    values = rows[:, 2:].reshape(thickness.size, contrasts.size, -1).copy()
    # energies of images fall as 1/d, the others are positive and span decades
    for column in (0, 2, 3):
        values[..., column] *= thickness[:, None]
    for column in (1, 4, 5, 6):
        values[..., column] = np.log(values[..., column])
    return thickness, contrasts, CubicSpline(np.log(thickness), values)


def two_band_confinement_ev(
    thickness_nm: ArrayLike, reduced_mass_m0: ArrayLike, gap_ev: ArrayLike
) -> tuple[Array, Array]:
    """Confinement of electron and hole between hard walls in two symmetric bands, and the growth of the mass.

    2 E_1 = Eg [sqrt(1 + 2 (hbar^2/2 mu)(pi/d)^2/Eg) - 1]: E_1 (1 + E_1/Eg) = hbar^2 k^2/(2 m), m = 2 mu, k
    = pi/d. Second: mass over that of the band edge, 1 + 2 E_1/Eg, for the motion in the plane. Parabolic
    for Eg -> infinity. Source: two-band model without remote bands.
    """
    d, mu, gap = (np.asarray(v, dtype=np.float64) for v in (thickness_nm, reduced_mass_m0, gap_ev))
    parabolic = HBAR2_OVER_2M0_EV_NM2 / mu * (math.pi / d) ** 2
    root = np.sqrt(1.0 + 2.0 * parabolic / gap)
    return gap * (root - 1.0), root


def two_band_well_ev(
    thickness_nm: ArrayLike,
    reduced_mass_m0: ArrayLike,
    gap_ev: ArrayLike,
    barrier_ev: ArrayLike,
    mass_outside_m0: ArrayLike,
) -> tuple[Array, Array, Array]:
    """As `two_band_confinement_ev` with barriers; third: thickness pi/k of hard walls of the same energy.

    k tan(k d/2)/m(E) = kappa/m_out, m(E) = 2 mu (1 + E/Eg), k^2 = 2 m(E) E/hbar^2, kappa^2 = 2 m_out (V -
    E)/hbar^2 for electron and hole alike, barriers V each; by bisection to 1e-12 of the barrier. Hard
    walls for V -> infinity.
    """
    d, mu, gap, barrier, outside = np.broadcast_arrays(
        *(
            np.asarray(v, dtype=np.float64)
            for v in (thickness_nm, reduced_mass_m0, gap_ev, barrier_ev, mass_outside_m0)
        )
    )
    if not bool(np.all(np.isfinite(barrier + outside) & (barrier > 0.0) & (outside > 0.0))):
        raise OptionError("barrier and mass outside must be positive numbers")
    hard = 0.5 * two_band_confinement_ev(d, mu, gap)[0]
    low, high = np.zeros_like(d), np.minimum(hard, barrier)
    for _ in range(40):
        energy = 0.5 * (low + high)
        mass = 2.0 * mu * (1.0 + energy / gap)
        wave = np.sqrt(mass * energy / HBAR2_OVER_2M0_EV_NM2)
        decay = np.sqrt(outside * (barrier - energy) / HBAR2_OVER_2M0_EV_NM2)
        half = 0.5 * wave * d
        above = wave * np.sin(half) / mass > decay * np.cos(half) / outside
        low, high = np.where(above, low, energy), np.where(above, energy, high)
    energy = 0.5 * (low + high)
    growth = 1.0 + 2.0 * energy / gap
    wave = np.sqrt(2.0 * mu * (1.0 + energy / gap) * energy / HBAR2_OVER_2M0_EV_NM2)
    return 2.0 * energy, growth, math.pi / wave


def in_plane_dead_layer(radius: ArrayLike) -> Array:
    """What both walls of an axis in the plane keep from the pair, in the unit of its in-plane radius."""
    return np.asarray(2.0 * (0.70 / math.sqrt(2.0)) * np.asarray(radius, dtype=np.float64))


def lateral_energy_ev(
    lateral_nm: tuple[ArrayLike, ArrayLike], total_mass_m0: ArrayLike, radius_nm: ArrayLike
) -> tuple[Array, Array, np.ndarray]:
    """Centre of mass of the bound pair in a rectangle: energy (eV), effective area factor (nm^2), validity.

    E = (hbar^2/2M) pi^2 (1/a'^2 + 1/b'^2), K/contact = (8/pi^2)^2 a' b', with a' = a - 2 l the edge less a
    dead layer at each wall. In bulk the layer is 0.70 aB, 0.40 of the root mean square distance (sqrt 3 aB);
    the same fraction of the three-dimensional equivalent sqrt(3/2) of the in-plane one is used. Valid
    where the edges exceed four times the in-plane distance.
    """
    a, b, mass, radius = np.broadcast_arrays(
        *(np.asarray(v, dtype=np.float64) for v in (*lateral_nm, total_mass_m0, radius_nm))
    )
    layer = in_plane_dead_layer(radius)
    valid = np.minimum(a, b) >= 4.0 * radius
    if not bool(np.all(np.minimum(a, b) > 2.0 * radius)):
        raise ModelRangeError(
            "lateral edges too short for an exciton that moves as one particle",
            where="platelet",
            allowed="edges above twice the in-plane electron-hole distance",
            fix="ask for wider edges, or for a cuboid (--edge A,B,C); perolux.excitons.pair.shapes.pair_in",
        )
    inner_a, inner_b = a - layer, b - layer
    energy = HBAR2_OVER_2M0_EV_NM2 / mass * math.pi**2 * (1.0 / inner_a**2 + 1.0 / inner_b**2)
    return energy, (8.0 / math.pi**2) ** 2 * inner_a * inner_b, valid


def plate_exciton(
    monolayers: ArrayLike,
    monolayer_nm: ArrayLike,
    reduced_mass_m0: ArrayLike,
    eps_inside: ArrayLike,
    eps_outside: ArrayLike,
    gap_ev: ArrayLike,
    *,
    lateral_nm: tuple[ArrayLike, ArrayLike] | None = None,
    bands: str = "two-band",
    confined_mass: bool = True,
    barrier_ev: ArrayLike | None = None,
    mass_outside_m0: ArrayLike = 1.0,
) -> PlateletState:
    """Ground exciton of platelets of a whole number of monolayers; all arguments broadcast.

    monolayers: 1, 2, 3 ...; monolayer_nm: thickness of one (the dielectric and electronic thickness is n
    times that); eps_inside: see `perolux.excitons.pair.dielectric.EPS_INSIDE`; lateral_nm: edges of a finite
    plate. bands: "two-band" or "parabolic" confinement. confined_mass: let aB and Ry follow the heavier
    mass at the confinement energy ("two-band" only). barrier_ev: height of the barrier for each carrier,
    None for hard walls; mass_outside_m0: the mass in it. The pair of a plate with barriers is that of the
    hard-wall plate of equal confinement, which is thicker; its images move outwards with it.
    Raises `OptionError` for 0, 1.5 or other monolayers that are not a whole number, `ModelRangeError`
    where the table or the lateral model end. Validity: hard walls, m_e = m_h in the pair.

    >>> plate = plate_exciton([2, 4], 0.6, 0.18, 8.7, 2.2, 2.38)
    >>> bool(plate.binding_ev[0] > plate.binding_ev[1] > 0.0325)
    True
    """
    n = np.asarray(monolayers, dtype=np.float64)
    if not bool(np.all(np.isfinite(n) & (n >= 1) & (n == np.floor(n)))):
        bad = n[~(np.isfinite(n) & (n >= 1) & (n == np.floor(n)))]
        raise OptionError(
            f"a platelet cannot have {bad.flat[0]:g} monolayers",
            allowed="1, 2, 3 ...: whole numbers of PbX6 layers",
            fix="give the thickness of a cuboid in nm if it is not a number of layers",
        )
    if bands not in ("two-band", "parabolic"):
        raise OptionError(f"unknown bands {bands!r}", allowed="two-band, parabolic")
    values = [monolayer_nm, reduced_mass_m0, eps_inside, eps_outside, gap_ev]
    n, layer, mu, inside, outside, gap = np.broadcast_arrays(
        n, *(np.asarray(value, dtype=np.float64) for value in values)
    )
    for name, value in (
        ("monolayer thickness", layer),
        ("mass", mu),
        ("eps", np.minimum(inside, outside)),
        ("gap", gap),
    ):
        if not bool(np.all(np.isfinite(value) & (value > 0.0))):
            raise OptionError(f"{name} of a platelet must be a positive number")
    d = n * layer
    confinement, growth = two_band_confinement_ev(d, mu, gap)
    if bands == "parabolic":
        confinement, growth = HBAR2_OVER_2M0_EV_NM2 / mu * (math.pi / d) ** 2, np.ones_like(d)
    elif not confined_mass:
        growth = np.ones_like(d)
    if barrier_ev is not None:
        if bands != "two-band":
            raise OptionError("barriers are calculated with two bands", allowed='bands = "two-band"')
        confinement, well_growth, d = two_band_well_ev(d, mu, gap, barrier_ev, mass_outside_m0)
        growth = well_growth if confined_mass else np.ones_like(d)
    heavy = mu * growth
    bohr, rydberg = BOHR_RADIUS_NM * inside / heavy, RYDBERG_EV * heavy / inside**2
    _require_thin(n, n * layer, d / bohr, lateral_nm)
    contrast = (inside - outside) / (inside + outside)
    pair = interpolate_plate(d / bohr, contrast)
    radius = pair.radius_over_bohr * bohr
    valid = np.ones(d.shape, dtype=bool)
    lateral, overlap = np.zeros_like(d), None
    per_area = pair.contact / bohr**2
    if lateral_nm is not None:
        lateral, area, valid = lateral_energy_ev(lateral_nm, 4.0 * heavy, radius)
        overlap = area * per_area
    free, binding = rydberg * pair.free_rest_rydberg, rydberg * pair.binding_rydberg
    return PlateletState(
        confinement + free - binding + lateral,
        confinement,
        free,
        binding,
        lateral,
        rydberg * pair.self_energy_rydberg,
        rydberg * pair.image_rydberg,
        radius,
        per_area,
        overlap,
        pair.exchange_x,
        bohr,
        growth,
        valid,
        d / bohr,
        contrast,
    )


def _require_thin(
    monolayers: Array,
    thickness_nm: Array,
    over_bohr: Array,
    lateral_nm: tuple[ArrayLike, ArrayLike] | None,
) -> None:
    """Raise `ModelRangeError` where a plate is thicker than the table, in the user's monolayers and nm."""
    top = float(_table()[0][-1])
    if not bool(np.any(over_bohr > top * (1 + 1e-12))):
        return
    first = int(np.flatnonzero(over_bohr > top)[0])
    # walls and masses matter little in plates as thick as this: the thickness in aB grows with the monolayers
    most = math.floor(float(np.min(monolayers / over_bohr)) * top)
    # of all draws with as many monolayers the first row is the middle of the recorded thickness
    nm = float(thickness_nm.flat[int(np.flatnonzero(monolayers == monolayers.flat[first])[0])])
    edges = "A,B" if lateral_nm is None else ",".join(f"{float(np.max(np.asarray(e))):g}" for e in lateral_nm)
    raise ModelRangeError(
        f"a platelet of {monolayers.flat[first]:g} monolayers is {nm:.4g} nm thick, "
        f"beyond {top:g} Bohr radii",
        where="exciton in a plate",
        allowed=f"up to about {most} monolayers of this material ({top:g} Bohr radii)",
        fix=f"ask for a cuboid: --edge {edges},{nm:.4g}",
    )
