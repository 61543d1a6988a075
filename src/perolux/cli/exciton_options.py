"""Options of `perolux exciton MATERIAL`: which nanocrystals they ask for, and what contradicts what.

All contradictions of one call are listed together, before anything is computed.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perolux.errors import OptionError, OutputError, Problem

if TYPE_CHECKING:
    from perolux.excitons.crystal import Nanocrystal
    from perolux.excitons.layers import Layers

__all__ = ["report_path", "requested", "require_effect", "temperature_of"]

_GENERATOR = re.compile(rb'<meta name="generator" content="perolux passport ')
"""What a passport of this program has in its head; another file is not overwritten."""


def requested(
    material: str,
    shape: str | None,
    edge: Sequence[str] | None,
    tem_edge: Sequence[str] | None,
    diameter: Sequence[str] | None,
    length: Sequence[str] | None,
    monolayers: Sequence[float] | None,
    temperature_k: float,
    outside_index: float | None = None,
) -> list[Nanocrystal]:
    """The nanocrystals that the size options ask for. All contradictions are listed together."""
    from perolux.excitons.crystal import nanocrystal
    from perolux.materials import material as material_of

    material_of(material, temperature_k)  # what is wrong with it comes before a missing size
    given: dict[str, Sequence[Any] | None] = {
        "--edge": edge,
        "--tem-edge": tem_edge,
        "--diameter": diameter,
        "--length": length,
        "--monolayers": monolayers,
    }
    used: dict[str, list[Any]] = {name: list(values) for name, values in given.items() if values}
    chosen = shape or _shape_of(used)
    problems = _contradictions(chosen, used)
    if problems:
        raise OptionError(problems)
    convention: Any
    if chosen in ("cube", "cuboid", "platelet"):
        option = "--tem-edge" if "--tem-edge" in used else "--edge"
        convention = "edge-without-half-cells" if option == "--tem-edge" else "core-edge"
        lengths = [_numbers(one, option) for one in used.get(option, [])]
    else:
        convention = "core-diameter"
        lengths = [_numbers(one, "--diameter") for one in used["--diameter"]]
        if "--length" in used:
            pairs = _paired(lengths, [_numbers(one, "--length") for one in used["--length"]])
            lengths = [one + two for one, two in pairs]
    layers: list[float | None] = [None] * len(lengths)
    if chosen == "platelet":
        from perolux.excitons.assumptions import assumption

        lateral = lengths or [[assumption("platelet_lateral_nm").number]]
        both = _paired(lateral, [[float(one)] for one in used["--monolayers"]])
        lengths, layers = [one for one, _ in both], [two[0] for _, two in both]
    return [
        nanocrystal(
            material,
            chosen,  # type: ignore[arg-type]
            one,
            convention,
            temperature_k=temperature_k,
            monolayers=layer,
            outside_index=outside_index,
        )
        for one, layer in zip(lengths, layers, strict=True)
    ]


def _shape_of(used: dict[str, list[Any]]) -> str:
    """The shape that the size options imply."""
    if "--monolayers" in used:
        return "platelet"
    if "--length" in used:
        return "rod"
    if "--diameter" in used:
        return "sphere"
    edges = [str(one) for name in ("--edge", "--tem-edge") for one in used.get(name, [])]
    return "cuboid" if any("," in one for one in edges) else "cube"


_NEEDS = {
    "cube": ("--edge or --tem-edge",),
    "cuboid": ("--edge or --tem-edge",),
    "platelet": ("--monolayers",),
    "sphere": ("--diameter",),
    "spheroid": ("--diameter", "--length"),
    "rod": ("--diameter", "--length"),
}
_ALSO = {"platelet": ("--edge", "--tem-edge")}


def _contradictions(shape: str, used: dict[str, list[Any]]) -> list[Problem]:
    problems = []
    if "--edge" in used and "--tem-edge" in used:
        problems.append(
            Problem("--edge and --tem-edge contradict one another", fix="give the one that was measured")
        )
    needs = _NEEDS[shape]
    allowed = {one for need in needs for one in need.split(" or ")} | set(_ALSO.get(shape, ()))
    for need in needs:
        if not any(one in used for one in need.split(" or ")):
            unit = "N" if need == "--monolayers" else "NM"
            problems.append(
                Problem(f"a {shape} needs its size", allowed=" and ".join(needs), fix=f"add {need} {unit}")
            )
    for name in used:
        if name not in allowed:
            problems.append(
                Problem(
                    f"{name} does not go with a {shape}", allowed=", ".join(sorted(allowed)), fix="drop it"
                )
            )
    for name in ("--edge", "--tem-edge"):
        for one in used.get(name, []):
            count = str(one).count(",") + 1
            fits = {"cube": (1,), "cuboid": (3,), "platelet": (1, 2)}.get(shape, (count,))
            if count not in fits:
                problems.append(
                    Problem(
                        f"{name} {one} does not fit a {shape}",
                        allowed=" or ".join(f"{n} numbers" if n > 1 else "one number" for n in fits),
                        fix="several sizes: repeat " + " ".join(f"{name} {n}" for n in str(one).split(",")),
                    )
                )
    return problems


def _numbers(text: str, option: str) -> list[float]:
    try:
        return [float(one) for one in text.split(",")]
    except ValueError:
        raise OptionError(
            f"{option} {text} is not a number", allowed="lengths in nm, for example 8 or 8,8,12"
        ) from None


def _paired(one: list[list[float]], two: list[list[float]]) -> list[tuple[list[float], list[float]]]:
    """Options that belong together: as many of each, or one of either for all."""
    if len(one) == 1:
        one = one * len(two)
    if len(two) == 1:
        two = two * len(one)
    if len(one) != len(two):
        raise OptionError(
            f"{len(one)} and {len(two)} sizes are given", allowed="as many of each, or one of either for all"
        )
    return list(zip(one, two, strict=True))


def temperature_of(text: str) -> float:
    """The temperature of `--temperature`, K. The material checks that it is not below 0."""
    try:
        kelvin = float(text)
    except ValueError:
        kelvin = math.nan
    if math.isfinite(kelvin):
        return kelvin
    fix = None
    if "," in text:
        fix = "call once for each temperature; --report draws the courses over temperature"
    raise OptionError(f"--temperature {text} is no temperature", allowed="one number in K", fix=fix)


def require_effect(layers: Layers, shape: str) -> None:
    """Raise `OptionError` that lists the options which would change nothing, or cannot be calculated."""
    problems = []

    def without_effect(option: str, why: str, fix: str) -> None:
        problems.append(Problem(f"{option} has no effect: {why}", fix=fix))

    if layers.mass_outside == "coupled" and not layers.barrier:
        why = "without barrier there is no mass outside"
        without_effect("--mass-outside coupled", why, "drop it, or keep the barrier")
    if shape != "platelet":
        if problems:
            raise OptionError(problems)
        return
    if layers.masses == "arpes":
        without_effect(
            "--masses arpes", "platelets are calculated with equal masses", "drop it, or ask for a cuboid"
        )
    if layers.mass_outside == "coupled" and layers.barrier:
        why = "platelets are calculated with the mass outside on record"
        without_effect("--mass-outside coupled", why, "drop it, or ask for a cuboid")
    if layers.screening == "haken":
        problems.append(
            Problem(
                "--screening haken of a platelet is not calculated",
                allowed="effective",
                fix="drop it, or ask for a cuboid",
            )
        )
    if layers.barrier and not layers.nonparabolic:
        problems.append(
            Problem(
                "a platelet without nonparabolic bands is calculated with hard walls",
                fix="add --without barrier, so that the answer says so",
            )
        )
    if problems:
        raise OptionError(problems)


def report_path(path: Path | None) -> Path | None:
    """The file of `--report`, checked before anything is computed.

    Raises `OptionError` where the name is no .html or .htm or the file is there and no passport,
    `OutputError` where it cannot be written.
    """
    if path is None:
        return None
    if path.suffix.lower() not in (".html", ".htm"):
        shown = "an empty name" if str(path) == "." else str(path)
        raise OptionError(
            f"--report {shown} is no HTML file",
            allowed="a name that ends in .html or .htm",
            fix="--report passport.html; --json prints the numbers",
        )
    if path.exists():
        if not path.is_file():
            raise OptionError(f"--report {path} is no file", fix="give another name")
        with path.open("rb") as file:
            ours = _GENERATOR.search(file.read(4096)) is not None
        if not ours:
            raise OptionError(
                f"--report {path} is there and is no passport of this program",
                allowed="a new name, or an older passport",
                fix="give another name, or remove the file first",
            )
    folder = path.absolute().parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise OutputError(f"{folder} is no folder that can be written to", where=str(path))
    return path
