"""Which solids a recipe's vessel would hold at equilibrium, beside what growth makes of it.

Growth knows one solid, the product, and no complex but that with TOPO; this is the other end: all complexes
and solids of `speciation`, at equilibrium. All halides count as one X and all A-site ions as one A.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from perolux.materials import parse_composition
from perolux.materials.chemicals import chemical
from perolux.synthesis.kinetics import KineticConstants
from perolux.synthesis.ledger import Ledger
from perolux.synthesis.speciation import COMPONENTS, Speciation, speciate

__all__ = [
    "cation_of",
    "component_of",
    "equilibrium_totals",
    "phase_names",
    "phase_shares",
    "vessel_equilibrium",
]

FloatArray = npt.NDArray[np.float64]
_CATIONS = ("Cs", "FA", "MA")
_HALIDES = ("Cl", "Br", "I")


def equilibrium_totals(amounts: Mapping[str, npt.ArrayLike]) -> dict[str, FloatArray]:
    """Totals of the components of the equilibria from amounts (or concentrations) of chemicals by name."""
    found = {name: np.zeros(np.shape(next(iter(amounts.values()), 0.0))) for name in COMPONENTS}
    for name, amount in amounts.items():
        known = chemical(name)
        for ion, count in known.ions.items():
            component = component_of(ion)
            found[component] = found[component] + count * np.asarray(amount, dtype=float)
        for component, count in known.acts_as.items():
            found[component] = found[component] + count * np.asarray(amount, dtype=float)
    return found


def component_of(ion: str) -> str:
    """The component of the equilibria that an ion of a perovskite is: A, Pb or X."""
    return "Pb" if ion == "Pb" else "A" if ion in _CATIONS else "X"


def vessel_equilibrium(
    product: str,
    ledger: Ledger,
    constants: KineticConstants,
    time_s: npt.ArrayLike,
    log10_k: Mapping[str, float] | None = None,
) -> Speciation:
    """The equilibria of what has mixed in, at the times (s) of a recipe."""
    times = np.asarray(time_s, dtype=float)

    def at(values: FloatArray) -> FloatArray:
        return np.interp(times, ledger.time_s, values)

    volume = at(ledger.volume_ratio)
    amounts = {name: at(values) / volume for name, values in ledger.chemicals_mol_l.items()}
    return speciate(
        equilibrium_totals(amounts),
        temperature_k=at(ledger.temperature_k),
        antisolvent_fraction=at(ledger.antisolvent_fraction),
        constants=constants,
        cation=cation_of(product),
        log10_k=log10_k,
    )


def cation_of(product: str) -> str:
    """ "Cs" for a product of cesium alone, which alone has A4PbX6; else "other"."""
    return "Cs" if {site for site, _ in parse_composition(product).cations} == {"Cs"} else "other"


def phase_names(product: str) -> dict[str, str]:
    """Formulas of the solids for a product: "APbX3" -> "CsPbBr3", "A4PbX6" -> "Cs4PbBr6" and so on."""
    composition = parse_composition(product)
    cations = [site for site, _ in composition.cations]
    halides = [halide for halide, share in composition.halides if share != 0]
    a = cations[0] if len(cations) == 1 else "A"
    x = halides[0] if len(halides) == 1 else "X"
    return {"APbX3": product, "A4PbX6": f"{a}4Pb{x}6", "AX": f"{a}{x}", "PbX2": f"Pb{x}2"}


def phase_shares(product: str, found: Speciation, index: int = -1) -> dict[str, float]:
    """Share of the lead in each solid and in solution at one time; AX holds none: its share of the A ions."""
    names = phase_names(product)
    shares = {
        names[solid]: float(np.atleast_1d(found.share(solid, "A" if solid == "AX" else "Pb"))[index])
        for solid in names
    }
    in_solids = sum(share for name, share in shares.items() if name != names["AX"])
    return shares | {"in solution": max(1.0 - in_solids, 0.0)}
