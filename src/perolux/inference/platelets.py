"""Platelets or cubes: the evidence of the platelet ladders against that of the cubes.

A platelet of n monolayers emits at its rung of a ladder; the recalled ladders disagree and are rivals with
equal weight, as are the layer numbers of each. Peaks scatter about the rung, widths are uniform in a range
(both assumed). The ladders end at six layers: thicker platelets are not weighed. Both evidences are those of
the same data: the peak, and the width where it is used; an absorption edge is left out of both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from perolux.excitons.assumptions import assumption
from perolux.inference.smeared import gaussian, smeared_box
from perolux.materials import platelet_ladders
from perolux.quantities import Value
from perolux.quantities.constants import HC_EV_NM

__all__ = ["PlateletEvidence", "weigh_platelets"]

_BEYOND_SIGMAS = 3.0
"""A peak this far beyond the thinnest rung is not weighed: the ladders cannot explain it."""


@dataclass(frozen=True)
class PlateletEvidence:
    """weight: probability of platelets against cubes, None with `reason`; layers: ladder name -> n -> weight
    given platelets."""

    weight: float | None
    reason: str | None
    layers: dict[str, dict[int, float]]
    rests_on: tuple[Value, ...]
    notes: tuple[str, ...]


def weigh_platelets(
    peak_ev: float,
    peak_ev_sigma: float,
    fwhm_mev: float | None,
    fwhm_mev_sigma: float | None,
    material: str,
    temperature_k: float,
    cube_evidence: float,
    prior_probability: Value,
) -> PlateletEvidence:
    """Weight of platelets by Bayes: prior odds times the ratio of the evidences.

    cube_evidence: p(peak, width | cubes) per eV and per meV (per eV alone without a width).
    """
    room = assumption("platelet_temperature_k")
    if not (room.low or 0.0) <= temperature_k <= (room.high or math.inf):
        reason = f"platelet ladders and widths are on record for {room.low:g} to {room.high:g} K only"
        return PlateletEvidence(None, reason, {}, (), ())
    ladders = platelet_ladders(material)
    if not ladders:
        return PlateletEvidence(None, f"no platelet ladder is on record for {material}", {}, (), ())
    scatter, width = assumption("platelet_peak_scatter_ev"), assumption("platelet_fwhm_mev")
    sigma = math.hypot(scatter.number, peak_ev_sigma)
    bluest = max(energy.number for ladder in ladders for energy in ladder.emission_ev)
    if peak_ev > bluest + _BEYOND_SIGMAS * sigma:
        reason = (
            f"the platelet ladders begin at {HC_EV_NM / bluest:.0f} nm: thinner platelets are not on record"
        )
        return PlateletEvidence(None, reason, {}, (), ())
    width_density = 1.0
    if fwhm_mev is not None and width.low is not None and width.high is not None:
        width_sigma = math.hypot(fwhm_mev_sigma or 0.0, assumption("fwhm_model_mev").number)
        width_density = float(smeared_box(fwhm_mev, width.low, width.high, 0.0, 0.0, width_sigma))
    layers: dict[str, dict[int, float]] = {}
    evidence, thickest_nm = 0.0, 0.0
    for ladder in ladders:
        rungs = {
            n: float(gaussian(peak_ev - energy.number, sigma))
            for n, energy in zip(ladder.monolayers, ladder.emission_ev, strict=True)
        }
        evidence += sum(rungs.values()) / len(rungs) / len(ladders)
        total = sum(rungs.values())
        layers[ladder.name] = {n: (v / total if total > 0 else 0.0) for n, v in rungs.items()}
        thickest_nm = max(thickest_nm, *(HC_EV_NM / energy.number for energy in ladder.emission_ev))
    odds_for = prior_probability.number * evidence * width_density
    odds_against = (1.0 - prior_probability.number) * cube_evidence
    notes: tuple[str, ...] = ()
    if HC_EV_NM / peak_ev > thickest_nm:
        notes = (
            f"the platelet ladders end at {thickest_nm:.0f} nm, before this peak: thicker platelets are "
            "not weighed",
        )
    rungs_used = tuple(energy for ladder in ladders for energy in ladder.emission_ev)
    used = (prior_probability, scatter, width, room, *rungs_used)
    if not odds_for + odds_against > 0:
        reason = "neither platelets nor cubes explain the spectrum"
        return PlateletEvidence(None, reason, layers, used, notes)
    return PlateletEvidence(odds_for / (odds_for + odds_against), None, layers, used, notes)
