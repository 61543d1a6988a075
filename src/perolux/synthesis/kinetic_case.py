"""Kinetic cases: the plain JSON of constants in which a batch is handed from program to program.

    {"parameters": {"gamma_J_m2": 0.04, "vm_m3": 2.02e-28, "T_K": 298.15, "D_m2_s": 5e-10, "kr_m_s": 1e-7,
                    "c_sol_mol_m3": 0.01, "A_per_m3_s": 1e33, "c0_mol_m3": 1.0, "r_dissolve_m": 6e-10}}

Optional parameters: "shape" ("sphere", the default, or "cube"), "barrier_factor" (1). Other keys of the file
are left alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from perolux.errors import InputError, OptionError, Problem
from perolux.files import read_small_text
from perolux.synthesis.cohorts import TOLERANCE, grow
from perolux.synthesis.conditions import Conditions, constant_conditions
from perolux.synthesis.history import History
from perolux.synthesis.laws import LEAST_SUPERSATURATION, SHAPE_FACTORS
from perolux.synthesis.models import ClassicalGrowth

__all__ = ["KineticCase", "grow_case", "kinetic_case", "read_kinetic_case"]

_NEEDED = (
    "gamma_J_m2", "vm_m3", "T_K", "D_m2_s", "kr_m_s", "c_sol_mol_m3", "A_per_m3_s", "c0_mol_m3",
    "r_dissolve_m",
)  # fmt: skip
_MAY_BE_ZERO = ("c0_mol_m3", "A_per_m3_s", "gamma_J_m2")
_LARGEST_FILE = 10_000_000
CELLS = 400
"""Cells of the finite-volume engine where no number is asked for."""


@dataclass(frozen=True)
class KineticCase:
    """A batch at constant conditions: the law of its crystals and what they grow in."""

    name: str
    model: ClassicalGrowth
    conditions: Conditions


def read_kinetic_case(path: str | Path) -> KineticCase:
    """Read a kinetic case from a JSON file; all problems of the file at once as `InputError`."""
    path = Path(path)
    try:
        content = json.loads(read_small_text(path, _LARGEST_FILE, "a kinetic case"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"no JSON: {error}", where=path.name, fix="write it as one JSON object") from error
    return kinetic_case(content, path.name)


def kinetic_case(content: Any, name: str = "case") -> KineticCase:
    """A kinetic case from the content of its file; raises `InputError` with all problems."""
    parameters = content.get("parameters") if isinstance(content, dict) else None
    if not isinstance(parameters, dict):
        raise InputError(
            "no parameters",
            where=name,
            allowed='{"parameters": {' + ", ".join(f'"{k}"' for k in _NEEDED) + "}}",
        )
    problems = []
    values: dict[str, float] = {}
    for key in (*_NEEDED, "barrier_factor"):
        value = parameters.get(key, 1.0 if key == "barrier_factor" else None)
        least = "0 or more" if key in _MAY_BE_ZERO else "above 0"
        if value is None:
            problems.append(Problem(f"{key} is missing", name, f"a number, {least}"))
        elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            problems.append(Problem(f"{key} = {value!r} is no number", name, f"a number, {least}"))
        elif value < 0 or (value == 0 and key not in _MAY_BE_ZERO):
            problems.append(Problem(f"{key} = {value!r}", name, least))
        else:
            values[key] = float(value)
    if values.get("gamma_J_m2") == 0.0:
        problems.append(Problem("gamma_J_m2 = 0: nuclei would have no size", name, "above 0"))
    shape = parameters.get("shape", "sphere")
    if shape not in SHAPE_FACTORS:
        problems.append(Problem(f"shape = {shape!r}", name, ", ".join(SHAPE_FACTORS)))
    known = {*_NEEDED, "barrier_factor", "shape"}
    for key in parameters:
        if key not in known:
            problems.append(
                Problem(f"{key} is no parameter of a kinetic case", name, ", ".join(sorted(known)))
            )
    if problems:
        raise InputError(problems)
    prefactor = values["A_per_m3_s"]
    return KineticCase(
        name=str(content.get("case", name)),
        model=ClassicalGrowth(values["vm_m3"], shape, values["r_dissolve_m"]),
        conditions=constant_conditions(
            solubility_mol_m3=values["c_sol_mol_m3"],
            supplied_mol_m3=values["c0_mol_m3"],
            temperature_k=values["T_K"],
            surface_rate_m_s=values["kr_m_s"],
            diffusivity_m2_s=values["D_m2_s"],
            surface_energy_j_m2=values["gamma_J_m2"],
            ln_prefactor=math.log(prefactor) if prefactor > 0 else -math.inf,
            barrier_factor=values["barrier_factor"],
        ),
    )


def grow_case(
    case: KineticCase, times_s: Sequence[float], *, engine: str = "cohorts", tolerance: float | None = None
) -> History:
    """History of a kinetic case by one of the two engines; says in words where nothing nucleates."""
    if engine == "cohorts":
        history = grow(case.model, case.conditions, times_s, tolerance=tolerance or TOLERANCE)
    elif engine == "finite-volume":
        from perolux.synthesis.finite_volume import grow_finite_volume

        if tolerance is not None:
            raise OptionError("a tolerance belongs to the cohorts", where="--tolerance", fix="leave it out")
        # the cells reach a quarter beyond the largest crystal that a coarse run of the cohorts finds
        coarse = grow(case.model, case.conditions, times_s, tolerance=1e-3)
        largest = max((float(d.high_m.max()) for d in coarse.distributions if len(d)), default=0.0)
        largest = max(1.25 * largest, 4.0 * case.model.least_radius_m)
        history = grow_finite_volume(case.model, case.conditions, times_s, largest_m=largest, cells=CELLS)
    else:
        raise OptionError(f"engine = {engine!r}", allowed="cohorts, finite-volume")
    if not history.nuclei_per_m3.any():
        first = history.supersaturation[0]
        why = (
            f"S = {first:.3g} is not above {LEAST_SUPERSATURATION:g}"
            if first <= LEAST_SUPERSATURATION
            else f"at S = {first:.3g} the barrier is too high for a single nucleus"
        )
        history = replace(history, warnings=(*history.warnings, f"nothing nucleates: {why}"))
    return history
