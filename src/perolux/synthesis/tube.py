"""The tube of a recipe in SI: how fast it flows, how long it takes, what is in a unit of the streams when."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError
from perolux.materials.chemicals import chemical
from perolux.synthesis.kinetics import KineticConstants
from perolux.synthesis.ledger import AT_ONCE_S, ROOM_K, Addition, Amounts, Ledger, amounts_of, knots_between
from perolux.synthesis.recipe import Portion
from perolux.synthesis.recipe_droplet import DropletRecipe, FlowRecipe
from perolux.synthesis.residence import (
    MIXING_MODE,
    THERMAL_MODE,
    axial_variance_m2,
    reynolds,
    taylor_aris_m2_s,
)

__all__ = ["TubeFlow", "fed_umol_min", "flow_ledger", "tube_of"]

FloatArray = npt.NDArray[np.float64]
_M3_S = 1e-9 / 60.0
"""uL/min in m^3/s."""
_LAMINAR = 2000.0


@dataclass(frozen=True)
class TubeFlow:
    """Flow in a tube. velocity_m_s: mean over the bore of all that flows; droplets are taken along at it.

    streams: what each brings in a minute. flow_ml_min: of what reacts, carrier left out. zones: (time to
    pass, temperature of the wall, diffusivity of monomer, viscosity). thermal_s, mixing_s: time constants of
    warming and mixing. droplet_m3: volume of a droplet (None: a plain tube).
    """

    radius_m: float
    velocity_m_s: float
    reynolds: float
    streams: tuple[Amounts, ...]
    flow_ml_min: float
    inlet_k: float
    zones: tuple[tuple[float, float, float, float], ...]
    thermal_s: float
    mixing_s: float
    droplet_m3: float | None

    @property
    def droplets_per_s(self) -> float | None:
        """Droplets of the train that pass a point in a second; None without droplets."""
        return None if self.droplet_m3 is None else self.flow_ml_min * 1e-6 / 60.0 / self.droplet_m3

    def time_s(self, place_mm: float) -> float:
        """Mean residence time up to a place."""
        return 1e-3 * place_mm / self.velocity_m_s

    def spread(self, place_mm: float, diffusivity_m2_s: Sequence[float] | None = None) -> float:
        """Relative standard deviation of the residence time in laminar flow, to leading order in u L/D_ax.

        diffusivity_m2_s: in each zone, of what is dispersed (monomer, if left out).
        """
        parts = self._parts(place_mm, diffusivity_m2_s)
        return float(np.sqrt(axial_variance_m2(self.velocity_m_s, self.radius_m, parts)) / (1e-3 * place_mm))

    def late_share(self, place_mm: float) -> float:
        """Variance over that of the long-time law of Taylor and Aris: the nearer to 1 the better it holds."""
        parts = self._parts(place_mm, None)
        late = sum(2.0 * float(taylor_aris_m2_s(d, self.velocity_m_s, self.radius_m)) * t for d, t in parts)
        return axial_variance_m2(self.velocity_m_s, self.radius_m, parts) / late

    def _parts(self, place_mm: float, diffusivity: Sequence[float] | None) -> list[tuple[float, float]]:
        """(diffusivity, time) in each zone up to a place."""
        left, found = self.time_s(place_mm), []
        for i, (duration, _, monomer, _) in enumerate(self.zones):
            # the last zone takes what rounding leaves
            here = left if i == len(self.zones) - 1 else min(duration, left)
            found.append((monomer if diffusivity is None else diffusivity[i], here))
            left -= here
            if left <= 0:
                break
        return found


def tube_of(recipe: FlowRecipe, constants: KineticConstants) -> TubeFlow:
    """The flow of a recipe. Raises `ModelRangeError` where it is not laminar."""
    droplets = recipe.droplets if isinstance(recipe, DropletRecipe) else None
    radius = 0.5e-3 * recipe.tube.inner_diameter
    total = sum(stream.flow for stream in recipe.streams) + (droplets.carrier_flow if droplets else 0.0)
    velocity = total * _M3_S / (np.pi * radius**2)
    streams = tuple(_per_minute(stream.contents, stream.flow) for stream in recipe.streams)
    flow = sum(one.volume_ml for one in streams)
    warmth = [ROOM_K if stream.temperature is None else stream.temperature for stream in recipe.streams]
    inlet = sum(one.volume_ml * t for one, t in zip(streams, warmth, strict=True)) / flow
    zones = tuple(
        (
            1e-3 * zone.length / velocity,
            zone.temperature,
            float(constants.diffusivity_at_m2_s(zone.temperature)),
            float(constants.viscosity_at_pa_s(zone.temperature)),
        )
        for zone in recipe.tube.zones
    )
    if len(streams) == 1:
        mixing = 0.0
    elif droplets is not None:
        mixing = droplets.mixing or constants.droplet_mixing_time_s
    else:
        own = recipe.mixing if not isinstance(recipe, DropletRecipe) else None
        mixing = own or radius**2 / (MIXING_MODE * float(constants.diffusivity_at_m2_s(inlet)))
    grams = sum(chemical(n).molar_mass_g_mol * mol for one in streams for n, mol in one.mol.items())
    number = reynolds(velocity, 2.0 * radius, 1e3 * grams / flow, min(zone[3] for zone in zones))
    if number > _LAMINAR:
        raise ModelRangeError(
            f"a Reynolds number of {number:.3g}",
            where="tube",
            allowed=f"up to {_LAMINAR:g}: laminar flow",
            fix="lower the flow rates, or write viscosity_pa_s into [kinetics] where the liquid is thicker",
        )
    thermal = recipe.tube.thermal_time or radius**2 / (THERMAL_MODE * constants.thermal_diffusivity_m2_s)
    return TubeFlow(
        radius_m=radius,
        velocity_m_s=velocity,
        reynolds=number,
        streams=streams,
        flow_ml_min=flow,
        inlet_k=inlet,
        zones=zones,
        thermal_s=thermal,
        mixing_s=mixing if mixing > AT_ONCE_S else 0.0,
        droplet_m3=1e-12 * droplets.volume if droplets else None,
    )


def _per_minute(contents: Iterable[Portion], flow_ul_min: float) -> Amounts:
    stock = amounts_of(contents)
    scale = 1e-3 * flow_ul_min / stock.volume_ml
    return Amounts(
        {name: scale * mol for name, mol in stock.mol.items()},
        {name: scale * ml for name, ml in stock.ml.items()},
    )


def fed_umol_min(recipe: FlowRecipe) -> dict[str, float]:
    """Ions that all streams bring, in micromol per minute."""
    found: dict[str, float] = {}
    for stream in recipe.streams:
        for ion, mol in _per_minute(stream.contents, stream.flow).components().items():
            found[ion] = found.get(ion, 0.0) + 1e6 * mol
    return found


def flow_ledger(recipe: FlowRecipe, tube: TubeFlow, end_s: float, pace: float = 1.0) -> Ledger:
    """What is in a unit of the streams from the inlet to a time, as `ledger_of` says it of a flask.

    All streams are there at time 0 and mix in alike; the unit is what flows in a minute. Ligands and
    complexants count from the start. pace: residence time over the mean one, by which each zone takes longer.
    """
    ends = [pace * t for t in itertools.accumulate(zone[0] for zone in tube.zones)]
    breaks = sorted({0.0, end_s, *(t for t in ends[:-1] if t < end_s)})
    time = knots_between(breaks, min(t for t in (tube.thermal_s, tube.mixing_s) if t > 0))
    additions = tuple(
        Addition(
            start_s=0.0,
            over_s=0.0,
            mixing_s=tube.mixing_s,
            temperature_k=ROOM_K if stream.temperature is None else stream.temperature,
            amounts=amounts,
            kind="antisolvent" if stream.antisolvent else "inject",
            share=1.0,
        )
        for stream, amounts in zip(recipe.streams, tube.streams, strict=True)
    )
    per_litre = 1e3 / tube.flow_ml_min
    zero = np.zeros_like(time)
    antisolvent = zero
    available: dict[str, FloatArray] = {}
    fed: dict[str, FloatArray] = {}
    chemicals: dict[str, FloatArray] = {}
    for one in additions:
        mixed = one.mixed(time)
        if one.kind == "antisolvent":
            antisolvent = antisolvent + mixed * one.amounts.volume_ml / tube.flow_ml_min
        for name, mol in one.amounts.components().items():
            available[name] = available.get(name, zero) + per_litre * mol * mixed
            fed[name] = fed.get(name, zero) + per_litre * mol
        for name, mol in one.amounts.mol.items():
            chemicals[name] = chemicals.get(name, zero) + per_litre * mol
    return Ledger(
        time_s=time,
        volume_ratio=np.ones_like(time),
        temperature_k=_temperature(tube, ends, time),
        available_mol_l=available,
        fed_mol_l=fed,
        chemicals_mol_l=chemicals,
        antisolvent_fraction=antisolvent,
        removed_fraction=zero,
        reference_ml=tube.flow_ml_min,
        start=Amounts({}, {}),
        additions=additions,
    )


def _temperature(tube: TubeFlow, ends: Sequence[float], time: FloatArray) -> FloatArray:
    """Temperature of the liquid, exactly: dT/dt = (T_wall - T)/tau in each zone."""
    found = np.empty_like(time)
    now, began = tube.inlet_k, 0.0
    for (_, wall, _, _), end in zip(tube.zones, ends, strict=True):
        there = time >= began
        found[there] = wall + (now - wall) * np.exp(-(time[there] - began) / tube.thermal_s)
        now = wall + (now - wall) * np.exp(-(end - began) / tube.thermal_s)
        began = end
    return found
