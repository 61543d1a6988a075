"""Floor 1: bulk semiconductors and what is known of them, with provenance.

`material("CsPbBr3", 298.0)` gives a frozen `Material` under a named parameter set; every number in it is a
`Value` with kind, source and range, and `explain("CsPbBr3.gap", 300)` says where it comes from and what
contradicts it. What nobody has supplied raises `NotAvailableError`, never another material's number.

Where to look: records in `data/*.toml` (read by `records`), which record answers in `resolve`, formulas in
`composition`, mixing in `mixtures`, temperature laws in `temperature`, the Kane energy in `kane`, n and k and
the absorption of nanocrystals in `optical`, nanoplatelets in `platelets`, what a number rests on in `trace`.
"""

from perolux.materials.composition import CATIONS, HALIDES, Composition, parse_composition
from perolux.materials.explain import Explanation, explain
from perolux.materials.material import (
    ExcitonScale,
    Material,
    canonical_set,
    known_materials,
    material,
    mixed_material,
    parameter_sets,
)
from perolux.materials.mixtures import MixedMaterialArrays, mixed_material_arrays
from perolux.materials.optical import (
    OpticalConstants,
    absorption_calibrations,
    intrinsic_absorption_per_cm,
    molar_from_intrinsic,
    optical_constants,
)
from perolux.materials.platelets import PlateletLadder, platelet_ladders
from perolux.materials.records import quantities
from perolux.materials.temperature import gap_course_two_oscillator, linewidth_ev
from perolux.materials.trace import trace, trace_series

__all__ = [
    "CATIONS",
    "HALIDES",
    "Composition",
    "ExcitonScale",
    "Explanation",
    "Material",
    "MixedMaterialArrays",
    "OpticalConstants",
    "PlateletLadder",
    "absorption_calibrations",
    "canonical_set",
    "explain",
    "gap_course_two_oscillator",
    "intrinsic_absorption_per_cm",
    "known_materials",
    "linewidth_ev",
    "material",
    "mixed_material",
    "mixed_material_arrays",
    "molar_from_intrinsic",
    "optical_constants",
    "parameter_sets",
    "parse_composition",
    "platelet_ladders",
    "quantities",
    "trace",
    "trace_series",
]
