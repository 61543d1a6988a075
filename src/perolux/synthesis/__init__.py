"""Floor 2: synthesis. From a recipe to an ensemble, by nucleation, growth, dissolution and ripening.

`grow` solves the population balance of one solid by cohorts, `grow_finite_volume` the same by a second,
independent method, and with it attachment and breakage. Whether nucleation is a burst is a result of both,
never an assumption.
"""

from perolux.synthesis.aggregation import BrownianAttachment, ConstantAttachment, OrientedAttachment
from perolux.synthesis.batch import Batch, grow_recipe
from perolux.synthesis.breakage import Breakage
from perolux.synthesis.cohorts import grow
from perolux.synthesis.conditions import Conditions, constant_conditions
from perolux.synthesis.finite_volume import grow_finite_volume
from perolux.synthesis.history import NOTHING, History, SizeDistribution
from perolux.synthesis.kinetic_case import KineticCase, read_kinetic_case
from perolux.synthesis.models import ClassicalGrowth, PlainGrowth, PowerLawGrowth, Ripening
from perolux.synthesis.recipe import Recipe, read_recipe
from perolux.synthesis.speciation import Speciation, speciate

__all__ = [
    "NOTHING",
    "Batch",
    "Breakage",
    "BrownianAttachment",
    "ClassicalGrowth",
    "Conditions",
    "ConstantAttachment",
    "History",
    "KineticCase",
    "OrientedAttachment",
    "PlainGrowth",
    "PowerLawGrowth",
    "Recipe",
    "Ripening",
    "SizeDistribution",
    "Speciation",
    "constant_conditions",
    "grow",
    "grow_finite_volume",
    "grow_recipe",
    "read_kinetic_case",
    "read_recipe",
    "speciate",
]
