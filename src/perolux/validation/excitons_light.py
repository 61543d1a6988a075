"""Functions of the rows in `excitons_light.toml`: all layers together, against published light."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from perolux.excitons.crystal import Crystals
from perolux.excitons.energies import PairEnergies, pair_energies
from perolux.excitons.layers import Layers
from perolux.excitons.light.rates import Levels, oscillator_strength, radiative_rate_per_ns, thermal_lifetime
from perolux.excitons.pair_light import thermal_ratio, transition_lines
from perolux.excitons.parameters import ParameterDraws, parameters_of
from perolux.validation.rows import read_table
from perolux.validation.run import Computed

__all__ = ["bright_lifetime_ratio", "cation_spread_mev", "ladder_lifetime_ratio"]

_FAMILY = (("CsPbBr3", "yang2017"), ("MAPbBr3", "galkowski2016"), ("FAPbBr3", "galkowski2016"))
"""Parameter sets of one family: high-field transmission of films, by the same groups."""


def cation_spread_mev(edge_nm: float, transitions: int = 4) -> Computed:
    """Largest spread among Cs, MA and FA of a transition energy from the bulk exciton, over the first lines.

    All layers but exchange, which is on record for CsPbBr3 alone.
    """
    lines = []
    for name, chosen in _FAMILY:
        parameters = parameters_of(name, 298.0, sets=(chosen,), draws=0)[0]
        lines.append(_lines_from_bulk(name, parameters, edge_nm)[:transitions])
    spread = np.ptp(np.array(lines), axis=0)
    return Computed(float(spread.max()), "each: " + ", ".join(f"{one:.0f}" for one in spread) + " meV")


def _lines_from_bulk(name: str, parameters: ParameterDraws, edge_nm: float) -> npt.NDArray[np.float64]:
    edge = np.asarray(edge_nm)
    crystals = Crystals(name, "cube", (edge, edge, edge), 298.0)
    pair = pair_energies(crystals, parameters, Layers())
    exchange = pair.contributions_ev.get("exchange beyond that of the bulk", np.zeros(1))
    _, energies, _ = transition_lines(crystals, pair)
    bulk = pair.gap_ev - parameters.material.rydberg_ev
    return np.array([1e3 * float((e - bulk - exchange)[0]) for e in energies])


def ladder_lifetime_ratio(structure: str, edge_nm: float) -> Computed:
    """Lifetime at 300 K of the four atomistic levels times the ladder of this model, over the atomistic one.

    The atomistic lifetime holds thousands of states; here its lowest four are weakened by R(y, kT/Ry) of the
    model's own excited states, without and with which the lifetime is stated.
    """
    row = _atomistic(structure, edge_nm)
    levels = [0.0, *(float(row[f"bright_minus_dark_meV_{n}"]) for n in (1, 2, 3))]
    rates = [0.0, *(1.0 / float(row[f"tau_bright_ns_{n}"]) for n in (1, 2, 3))]
    four = float(thermal_lifetime(Levels.of(levels, rates), 300.0).lifetime_ns[0])
    crystals, pair = _iodide(float(row["edge_nm"]))
    ratio = float(np.ravel(thermal_ratio(crystals, pair))[0])
    published = float(row["tau_300K_ns"])
    detail = (
        f"{four / ratio:.2f} ns against {published:.2f} ns; four levels alone {four:.2f} ns, R {ratio:.2f}"
    )
    return Computed(four / ratio / published, detail)


def bright_lifetime_ratio(structure: str, edge_nm: float) -> Computed:
    """Lifetime of a bright level of a CsPbI3 cube in this model over the mean atomistic one of the same edge.

    As in the atomistic table no refractive index and no local field enter.
    """
    row = _atomistic(structure, edge_nm)
    crystals, pair = _iodide(float(row["edge_nm"]))
    del crystals
    kane = parameters_of("CsPbI3", 298.0, draws=0)[0]["kane_energy"]
    strength = oscillator_strength(kane, pair.exciton_ev, pair.overlap_k)
    ours = 1.0 / float(radiative_rate_per_ns(pair.exciton_ev, strength)[0])
    published = 3.0 / sum(1.0 / float(row[f"tau_bright_ns_{n}"]) for n in (1, 2, 3))
    return Computed(
        ours / published, f"{ours:.2f} ns against {published:.2f} ns; K {float(pair.overlap_k[0]):.2f}"
    )


def _atomistic(structure: str, edge_nm: float) -> dict[str, str]:
    rows = read_table("cspbi3_bse_fine_structure_lifetimes.csv")
    return next(r for r in rows if r["structure"] == structure and math.isclose(float(r["edge_nm"]), edge_nm))


def _iodide(edge_nm: float) -> tuple[Crystals, PairEnergies]:
    parameters = parameters_of("CsPbI3", 298.0, draws=0)[0]
    edge = np.asarray(edge_nm)
    crystals = Crystals("CsPbI3", "cube", (edge, edge, edge), 300.0)
    return crystals, pair_energies(crystals, parameters, Layers(dielectric=False))
