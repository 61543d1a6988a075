"""Kinetic constants of a synthesis: priors (`priors.toml`), what a recipe says instead, and draws of both.

Nothing here was read in a source: every constant is of kind "assumed" or "recalled", and every result lists
those that it rests on.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from perolux.errors import OptionError
from perolux.quantities import Value
from perolux.synthesis import laws

__all__ = [
    "FLOW_ONLY",
    "KineticConstants",
    "draw_constants",
    "is_logarithmic",
    "prior_constants",
    "priors",
]

_LOG_UNIFORM = (
    "surface_energy_j_m2", "solubility_mol_l", "diffusivity_m2_s", "surface_rate_m_s",
    "mixing_time_s", "topo_dissociation_mol_l", "bath_time_constant_s", "ligand_binding_l_mol",
    "droplet_mixing_time_s", "viscosity_pa_s",
)  # fmt: skip
FLOW_ONLY = ("droplet_mixing_time_s", "thermal_diffusivity_m2_s", "viscosity_pa_s")
"""Constants that a flask does not use."""


@cache
def priors() -> dict[str, Value]:
    """All kinetic priors by name, keys "prior.NAME"."""
    text = files("perolux.synthesis").joinpath("priors.toml").read_text("utf-8")
    return {name: Value(key=f"prior.{name}", **record) for name, record in tomllib.loads(text).items()}


def is_logarithmic(name: str) -> bool:
    """True for a constant whose prior is even in its logarithm."""
    return name in _LOG_UNIFORM


@dataclass(frozen=True)
class KineticConstants:
    """One set of kinetic constants; the fields are the names of `priors.toml`, the units are in them.

    Rates and solubility are those at 298.15 K. from_recipe: names that a recipe gave itself.
    """

    surface_energy_j_m2: float
    log10_nucleation_prefactor: float
    solubility_mol_l: float
    dissolution_enthalpy_kj_mol: float
    diffusivity_m2_s: float
    surface_rate_m_s: float
    surface_activation_kj_mol: float
    antisolvent_exponent: float
    mixing_time_s: float
    viscosity_activation_kj_mol: float
    least_radius_nm: float
    bath_time_constant_s: float
    topo_dissociation_mol_l: float
    droplet_mixing_time_s: float
    thermal_diffusivity_m2_s: float
    viscosity_pa_s: float
    ligand_binding_l_mol: float
    ligand_cover_per_nm2: float
    from_recipe: tuple[str, ...] = field(default=(), compare=False)

    def with_values(self, values: dict[str, float], *, of_recipe: bool = True) -> KineticConstants:
        """The same with some constants replaced. Raises `OptionError` for a name that is none."""
        names = {one.name for one in fields(self)} - {"from_recipe"}
        unknown = sorted(set(values) - names)
        if unknown:
            raise OptionError(
                f"no kinetic constant is called {unknown[0]!r}", allowed=", ".join(sorted(names))
            )
        given = tuple(dict.fromkeys((*self.from_recipe, *(values if of_recipe else ()))))
        return replace(self, **values, from_recipe=given)

    def solubility_mol_m3(self, temperature_k: object, antisolvent_fraction: object = 0.0) -> laws.FloatArray:
        """Solubility of a flat surface (mol/m^3) at a temperature and volume fraction of antisolvent."""
        return laws.solubility_mol_m3(
            1e3 * self.solubility_mol_l,
            self.dissolution_enthalpy_kj_mol,
            temperature_k,  # type: ignore[arg-type]
            antisolvent_fraction,  # type: ignore[arg-type]
            self.antisolvent_exponent,
        )

    def surface_rate_at_m_s(self, temperature_k: object) -> laws.FloatArray:
        """Surface rate k_r (m/s) at a temperature."""
        return laws.arrhenius(
            self.surface_rate_m_s,
            self.surface_activation_kj_mol,
            temperature_k,  # type: ignore[arg-type]
        )

    def diffusivity_at_m2_s(self, temperature_k: object) -> laws.FloatArray:
        """Diffusivity (m^2/s): T over the viscosity, which falls as exp(E/RT)."""
        t = np.asarray(temperature_k, dtype=float)
        thinner = laws.arrhenius(1.0, self.viscosity_activation_kj_mol, t)
        return self.diffusivity_m2_s * t / 298.15 * thinner

    def viscosity_at_pa_s(self, temperature_k: object) -> laws.FloatArray:
        """Viscosity of the liquid (Pa s) at a temperature, Andrade's law."""
        return laws.arrhenius(
            self.viscosity_pa_s,
            -self.viscosity_activation_kj_mol,
            temperature_k,  # type: ignore[arg-type]
        )


def prior_constants() -> KineticConstants:
    """The middle of every prior."""
    numbers: dict[str, Any] = {name: value.number for name, value in priors().items()}
    return KineticConstants(**numbers)


def draw_constants(
    rng: np.random.Generator, count: int, fixed: KineticConstants | None = None
) -> Iterable[KineticConstants]:
    """`count` sets drawn from the ranges of the priors, rates log-uniform, the rest uniform.

    fixed: constants that a recipe gave itself (`from_recipe`) stay as they are.
    """
    base = fixed or prior_constants()
    for _ in range(count):
        values = {}
        for name, prior in priors().items():
            if name in base.from_recipe:
                continue
            assert prior.low is not None and prior.high is not None
            u = rng.random()
            if name in _LOG_UNIFORM:
                values[name] = float(prior.low * (prior.high / prior.low) ** u)
            else:
                values[name] = float(prior.low + u * (prior.high - prior.low))
        yield base.with_values(values, of_recipe=False)
