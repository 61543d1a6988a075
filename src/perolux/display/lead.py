"""Lead: how much of a film may be nanocrystal under a limit, and what that film can still absorb.

    w = c/m_Pb       f = (w/rho)/(w/rho + (1 - w)/rho_h)       A = 1 - exp(-alpha t)

c the limit by mass of the homogeneous material (film with host), m_Pb the lead in the crystal by mass, w and
f the shares of crystal by mass and by volume, alpha by the rules of `effective_media`. Which part of a
display counts as homogeneous material is a legal question that this program does not answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from perolux.display.film_optics import film
from perolux.display.inclusions import Inclusion
from perolux.display.packing import check_fraction
from perolux.errors import NotAvailableError, OptionError
from perolux.materials import material, parse_composition
from perolux.materials.chemicals import atomic_weight, molar_mass_g_mol
from perolux.materials.derive import weakest_kind
from perolux.quantities.constants import AVOGADRO_PER_MOL
from perolux.quantities.value import Value

__all__ = ["Crystal", "LeadBudget", "crystal", "lead_budget", "lead_ppm"]

_CATIONS = {"Cs": "Cs", "MA": "CH6N", "FA": "CH5N2", "AZ": "C2H6N"}
_CM3_PER_NM3 = 1e-21
_ORTHORHOMBIC_UNITS = 4


@dataclass(frozen=True)
class Crystal:
    """lead_mass_fraction: of the crystal. density_g_cm3: from cell and formula, with its kind."""

    material: str
    molar_mass_g_mol: float
    lead_mass_fraction: float
    density_g_cm3: Value


@dataclass(frozen=True)
class LeadBudget:
    """A film at a limit (or of a given fraction). ppm: lead by mass. absorption_per_cm and
    absorptance_per_pass by rule (base e; light that crosses once at normal incidence). passes_for_99: how
    often light must cross to be absorbed to 99 %. verdict: in words."""

    crystal: Crystal
    ppm: float
    limit_ppm: float
    nc_mass_fraction: float
    nc_volume_fraction: float
    wavelength_nm: float
    thickness_um: float
    absorption_per_cm: dict[str, float]
    absorptance_per_pass: dict[str, float]
    passes_for_99: float | None
    verdict: str
    notes: tuple[str, ...]

    def as_dict(self, rule: str = "maxwell-garnett") -> dict[str, Any]:
        """Plain JSON, as `perolux lead --json` prints it."""
        density = self.crystal.density_g_cm3
        return {
            "material": self.crystal.material,
            "lead_mass_fraction_of_crystal": self.crystal.lead_mass_fraction,
            "density_g_cm3": density.number,
            "density_kind": density.kind,
            "lead_ppm": self.ppm,
            "limit_ppm": self.limit_ppm,
            "nc_mass_fraction": self.nc_mass_fraction,
            "nc_volume_fraction": self.nc_volume_fraction,
            "wavelength_nm": self.wavelength_nm,
            "thickness_um": self.thickness_um,
            "absorption_per_cm": self.absorption_per_cm[rule],
            "absorptance_per_pass": self.absorptance_per_pass[rule],
            "by_rule": {
                name: {
                    "absorption_per_cm": self.absorption_per_cm[name],
                    "absorptance_per_pass": self.absorptance_per_pass[name],
                }
                for name in self.absorption_per_cm
            },
            "passes_for_99_percent": self.passes_for_99,
            "verdict": self.verdict,
            "notes": list(self.notes),
        }


def crystal(formula: str, density_g_cm3: float | None = None, temperature_k: float = 298.0) -> Crystal:
    """Lead and density of a perovskite: rho = Z M/(N_A V) from its orthorhombic or pseudo-cubic cell.

    >>> one = crystal("CsPbBr3")
    >>> round(100 * one.lead_mass_fraction, 2), round(one.density_g_cm3.number, 2)
    (35.74, 4.83)
    """
    composition = parse_composition(formula)
    mass = sum(part * molar_mass_g_mol(_CATIONS[symbol]) for symbol, part in composition.cations)
    lead = atomic_weight("Pb").number
    if composition.is_open:
        raise OptionError(f"the halide fraction of {formula} is open", fix="give it, as in CsPb(Br0.7I0.3)3")
    mass += lead + sum(3.0 * (part or 0.0) * atomic_weight(s).number for s, part in composition.halides)
    if density_g_cm3 is not None:
        if not 0.0 < density_g_cm3 < 30.0:
            raise OptionError(f"a density of {density_g_cm3:g} g/cm3", allowed="above 0, below 30")
        density = Value(density_g_cm3, "g/cm3", "assumed", "given", key=f"{formula}.density")
    else:
        density = _density(formula, mass, temperature_k)
    return Crystal(composition.formula, mass, lead / mass, density)


def _density(formula: str, molar_mass: float, temperature_k: float) -> Value:
    known = material(formula, temperature_k)
    try:
        sides = [known.value(f"lattice_{axis}") for axis in "abc"]
        units = _ORTHORHOMBIC_UNITS
    except NotAvailableError:
        sides, units = [known.value("lattice_constant")] * 3, 1
    volume = math.prod(side.number for side in sides) * _CM3_PER_NM3
    return Value(
        units * molar_mass / (AVOGADRO_PER_MOL * volume),
        "g/cm3",
        weakest_kind(sides),
        f"cell of {known.name} and its formula",
        key=f"{known.name}.density",
    )


def lead_ppm(of: Crystal, nc_volume_fraction: float, host_density_g_cm3: float) -> tuple[float, float]:
    """Lead in ppm by mass of a film, and the mass fraction of crystal in it.

    >>> round(lead_ppm(crystal("CsPbBr3"), 0.3, 1.1)[0], -3)
    233000.0
    """
    heavy = nc_volume_fraction * of.density_g_cm3.number
    total = heavy + (1.0 - nc_volume_fraction) * host_density_g_cm3
    return 1e6 * of.lead_mass_fraction * heavy / total, heavy / total


def lead_budget(
    of: Crystal,
    inclusion: Inclusion,
    *,
    host_density_g_cm3: float,
    host_index: float,
    thickness_um: float,
    limit_ppm: float,
    nc_volume_fraction: float | None = None,
    wavelength_nm: float = 450.0,
) -> LeadBudget:
    """The film of the most crystal that a limit allows, or the judgement on a film of a given fraction.

    Raises `OptionError` for a limit above what the crystal holds, densities and thicknesses of nothing.
    """
    for name, value in (("density of the host", host_density_g_cm3), ("thickness", thickness_um)):
        if not 0.0 < value < math.inf:
            raise OptionError(f"a {name} of {value:g}", allowed="above 0")
    if host_density_g_cm3 > 25.0:
        raise OptionError(f"a host of {host_density_g_cm3:g} g/cm3", allowed="below 25, the heaviest metals")
    most = 1e6 * of.lead_mass_fraction
    if not 0.0 < limit_ppm <= most:
        raise OptionError(
            f"a limit of {limit_ppm:g} ppm", allowed=f"above 0, up to {most:.0f} (pure {of.material})"
        )
    if nc_volume_fraction is None:
        w = limit_ppm / most
        heavy = w / of.density_g_cm3.number
        fraction = heavy / (heavy + (1.0 - w) / host_density_g_cm3)
    else:
        check_fraction(nc_volume_fraction, None)
        fraction = nc_volume_fraction
    ppm, mass_fraction = lead_ppm(of, fraction, host_density_g_cm3)
    optics = film(inclusion, host_index, fraction, [wavelength_nm])
    alpha = {rule: float(optics.alpha_at(wavelength_nm, rule)) for rule in optics.alpha_per_cm}
    once = {rule: -math.expm1(-a * thickness_um * 1e-4) for rule, a in alpha.items()}
    least = min(once.values())
    passes = math.log(0.01) / math.log1p(-least) if 0.0 < least < 1.0 else None
    return LeadBudget(
        of, ppm, limit_ppm, mass_fraction, fraction, wavelength_nm, thickness_um, alpha, once, passes,
        _verdict(ppm, limit_ppm, once, passes), optics.notes,
    )  # fmt: skip


def _verdict(ppm: float, limit: float, once: dict[str, float], passes: float | None) -> str:
    low, high = (100.0 * f(once.values()) for f in (min, max))
    absorbs = f"{low:.3g} %" if high - low < 0.005 * high else f"{low:.3g} to {high:.3g} %"
    if ppm > limit * (1.0 + 1e-9):
        return (
            f"{ppm:.3g} ppm of lead by mass is {ppm / limit:.3g} times the limit of {limit:g}: such a layer "
            "needs an exemption, or another reading of what is one homogeneous material (not verified here)"
        )
    text = (
        f"{ppm:.4g} ppm of lead, within the limit of {limit:g}; {absorbs} of the light absorbed in one pass"
    )
    if passes is not None and passes > 1.5:
        text += f": 99 % needs {passes:.0f} passes, so it works only where light is recycled"
    return text
