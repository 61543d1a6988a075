"""Superlattices: where the nanocrystals of an assembly sit, how they are turned, and what is disordered.

`lattice`: the type `Superlattice` and its builders; `scattered`: clusters without a lattice, and tables.
`disorder`: seeded draws of size, place, direction and vacancies; `energy_spread`: what a spread of edges does
to the energy, through the excitons room.
"""

from perolux.superlattices.disorder import DipoleRule, Disorder, Realisation, realise
from perolux.superlattices.energy_spread import EnergySlope, energy_slope
from perolux.superlattices.lattice import (
    Superlattice,
    abo3,
    alb2,
    chain,
    face_centred,
    nacl,
    sheet,
    simple_cubic,
)
from perolux.superlattices.scattered import disordered_cluster, read_positions

__all__ = [
    "DipoleRule",
    "Disorder",
    "EnergySlope",
    "Realisation",
    "Superlattice",
    "abo3",
    "alb2",
    "chain",
    "disordered_cluster",
    "energy_slope",
    "face_centred",
    "nacl",
    "read_positions",
    "realise",
    "sheet",
    "simple_cubic",
]
