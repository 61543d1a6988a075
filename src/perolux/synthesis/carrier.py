"""Growth on the grains of a salt: crystals begin on its surface, each place taken once.

    J = A N_sites v_m (1 - taken/N_sites) exp(-f W/kT),   f = (2 + cos theta)(1 - cos theta)^2/4

W is the barrier without the carrier, theta the contact angle, N_sites the places per volume of liquid. Of the
1/v_m molecules per volume to which the prefactor A belongs, those beside a place count: A N_sites v_m. Beyond
nucleation a crystal grows as a free cube in the stirred liquid (`batch.py`): its covered face and its
neighbours are left out. It also enters as a whole cube of critical size, of which a cap on a grain would hold
the part f only: below 45 degrees that would rule the result, and recipes are refused. Nuclei in the liquid
itself are not in the population; a warning says how many its supersaturation would make.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from perolux.errors import OptionError
from perolux.quantities import Value
from perolux.synthesis.batch import Batch, constants_of, times_of
from perolux.synthesis.cohorts import TOLERANCE, grow
from perolux.synthesis.feasibility import require_feasible
from perolux.synthesis.kinetics import KineticConstants
from perolux.synthesis.laws import barrier_kt, heterogeneous_factor, nucleation_rate_per_m3_s
from perolux.synthesis.ledger import ledger_of
from perolux.synthesis.recipe_solid import SaltRecipe
from perolux.synthesis.schedule import Schedule, schedule_of
from perolux.synthesis.solid_priors import chosen, solid_priors

if TYPE_CHECKING:
    from perolux.ensemble import Ensemble
    from perolux.synthesis.inline_spectra import InlineSpectra
    from perolux.synthesis.solid_light import Light

__all__ = ["OnCarrier", "grow_on_carrier", "with_carrier"]

_MATTERS = 0.01
"""Nuclei in the liquid, as part of those on the carrier, from which on a warning speaks of them."""


@dataclass(frozen=True)
class OnCarrier:
    """A recipe grown on a carrier. batch: the vessel with it. Per m^3: of the liquid as it was at the start.

    sites_per_m3: places on the carrier. constants: of the carrier as used, of which the recipe gave some
    (`given` holds all that it gave). liquid_nuclei_per_m3: that the supersaturation beside the carrier would
    make in the liquid; they are left out.
    """

    recipe: SaltRecipe
    batch: Batch
    constants: dict[str, float]
    given: tuple[str, ...]
    sites_per_m3: float
    liquid_nuclei_per_m3: float
    warnings: tuple[str, ...]

    COLUMNS: ClassVar[tuple[tuple[str, str, str, float], ...]] = (
        ("t_s", "t (s)", ".3g", 1.0),
        ("temperature_c", "T (degC)", ".1f", 1.0),
        ("supersaturation", "S", ".3g", 1.0),
        ("N_per_m3", "N (1/m3)", ".3g", 1.0),
        ("sites_taken", "places taken (%)", ".1f", 100.0),
        ("mean_edge_nm", "mean edge (nm)", ".2f", 1.0),
        ("cv", "cv", ".3f", 1.0),
        ("yield", "yield (%)", ".1f", 100.0),
    )
    """Columns of a table of `rows`: key, heading, format, factor."""

    def rows(self) -> list[dict[str, Any]]:
        """Rows of `Batch.rows`, and sites_taken: places that hold a crystal."""
        taken = [one.number / self.sites_per_m3 for one in self.batch.history.distributions]
        return [row | {"sites_taken": share} for row, share in zip(self.batch.rows(), taken, strict=True)]

    def balances(self) -> dict[str, dict[str, float]]:
        """Where each ion is at the end, micromol: as `Batch.balances`."""
        return self.batch.balances()

    def ensemble(self) -> Ensemble | None:
        """The crystals at the end as cubes; None where there are none."""
        return self.batch.ensemble()

    def light(self, temperature_k: float = 298.0) -> Light:
        """Emission of the crystals at the end. Raises `OptionError` where there are none."""
        from perolux.synthesis.solid_light import emission_of

        ensemble = self.ensemble()
        if ensemble is None:
            raise OptionError("there are no crystals", where="carrier")
        return emission_of(ensemble, temperature_k)

    def spectra(self, *, sets: str | None = None, seed: int = 0) -> InlineSpectra:
        """PL and absorbance at the times of the rows, as of the liquid if its grains scattered no light."""
        return self.batch.spectra(sets=sets, seed=seed)

    def rests_on(self) -> list[Value]:
        """The priors that this result rests on."""
        own = [solid_priors()[name] for name in self.constants if name not in self.given]
        return [*self.batch.rests_on(), *own]


def with_carrier(schedule: Schedule, sites_per_m3: float, contact_angle_deg: float) -> Schedule:
    """The same law and conditions with nucleation on `sites_per_m3` places (per m^3 at the start)."""
    model, conditions = schedule.model, schedule.conditions
    beside = np.log(sites_per_m3 * model.formula_volume_m3 / conditions.volume_ratio)
    factor = float(heterogeneous_factor(np.deg2rad(contact_angle_deg)))
    return replace(
        schedule,
        model=replace(model, sites_per_m3=sites_per_m3),
        conditions=replace(
            conditions,
            barrier_factor=np.full_like(conditions.barrier_factor, factor),
            ln_prefactor=conditions.ln_prefactor + beside,
        ),
    )


def grow_on_carrier(
    recipe: SaltRecipe,
    *,
    tolerance: float = TOLERANCE,
    kinetics: KineticConstants | None = None,
    drawn: Mapping[str, float] | None = None,
) -> OnCarrier:
    """Carry out a recipe with a carrier. Raises `OptionError` with all that cannot be carried out.

    kinetics: of the vessel, as `grow_recipe` takes them. drawn: constants of the carrier in place of the
    middle of the priors, where the recipe gives none.
    """
    flask = recipe.flask()
    require_feasible(flask)
    used = kinetics or constants_of(flask)
    ledger = ledger_of(flask, used)
    free = schedule_of(flask.product, ledger, used)
    carrier = recipe.carrier
    constants, given = chosen(
        {name: getattr(carrier, name) for name in ("contact_angle_deg", "carrier_sites_per_nm2")}, drawn
    )
    area_m2 = carrier.mass * carrier.area
    sites = 1e18 * constants["carrier_sites_per_nm2"] * area_m2 / (1e-6 * ledger.reference_ml)
    schedule = with_carrier(free, sites, constants["contact_angle_deg"])
    history = grow(schedule.model, schedule.conditions, times_of(flask), tolerance=tolerance)
    liquid = _nuclei_in_the_liquid(free, schedule, float(history.time_s[-1]), tolerance)
    nuclei = float(history.nuclei_per_m3[-1])
    said = [
        f"{schedule.limiting} is the scarcest: the yield counts by it",
        *history.warnings,
        *schedule.warnings,
    ]
    if nuclei < 1.0:
        said.append("nothing nucleates on the carrier")
    if liquid > max(_MATTERS * nuclei, 1.0):
        said.append(
            f"{liquid:.2g} nuclei per m3 would form in the liquid, {nuclei:.2g} on the carrier: the first "
            "are left out"
        )
    batch = Batch(flask, used, ledger, schedule, history, tuple(said))
    given = (*used.from_recipe, *given)
    return OnCarrier(recipe, batch, constants, given, sites, liquid, tuple(said))


def _nuclei_in_the_liquid(free: Schedule, on_carrier: Schedule, end_s: float, tolerance: float) -> float:
    """Nuclei per m^3 that the rate without a carrier makes at the supersaturation with it: int J V/V_0 dt."""
    times = np.unique(np.concatenate((np.geomspace(1e-4, 1.0, 400), np.linspace(1e-4, 1.0, 400)))) * end_s
    found = grow(on_carrier.model, on_carrier.conditions, times, tolerance=tolerance)
    rate = np.empty_like(times)
    for i, (time, s) in enumerate(zip(times, found.supersaturation, strict=True)):
        at = free.conditions.at(float(time))
        barrier = barrier_kt(
            at["surface_energy_j_m2"], free.model.formula_volume_m3, at["temperature_k"], s, free.model.shape
        )
        rate[i] = nucleation_rate_per_m3_s(at["ln_prefactor"], barrier, s) * at["volume_ratio"]
    return float(np.trapezoid(rate, times))
