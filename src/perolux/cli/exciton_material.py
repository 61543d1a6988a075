"""`perolux exciton MATERIAL`: the levels and the light of one nanocrystal, or of several sizes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from perolux.cli.console import print_json, print_table
from perolux.errors import OptionError, PeroluxError, Problem

if TYPE_CHECKING:
    from perolux.excitons.crystal import Nanocrystal
    from perolux.excitons.passport_record import Passport

__all__ = ["exciton_of_material"]

ShapeName = Literal["cube", "cuboid", "sphere", "spheroid", "platelet", "rod"]
Lengths = list[str]
LAYER_SWITCHES = ("nonparabolic", "barrier", "dielectric")

Json = Annotated[bool, Parameter(negative="", help="print one JSON document")]


def exciton_of_material(
    material: Annotated[str, Parameter(help="formula, for example CsPbBr3 or CsPb(Br0.6Cl0.4)3")],
    /,
    *,
    shape: Annotated[
        ShapeName | None, Parameter(help="read from the size options where they settle it")
    ] = None,
    edge: Annotated[
        Lengths | None,
        Parameter(
            negative="", help="edge of the core in nm, both outer half cells included; A,B,C makes a cuboid"
        ),
    ] = None,
    tem_edge: Annotated[
        Lengths | None,
        Parameter(
            negative="",
            help="edge in nm from outermost to outermost lead plane: one lattice constant is added",
        ),
    ] = None,
    diameter: Annotated[
        Lengths | None, Parameter(negative="", help="diameter of a sphere, spheroid or rod in nm")
    ] = None,
    length: Annotated[
        Lengths | None,
        Parameter(negative="", help="length of a rod, or from pole to pole of a spheroid, in nm"),
    ] = None,
    monolayers: Annotated[
        list[float] | None, Parameter(negative="", help="thickness of a platelet in monolayers")
    ] = None,
    temperature: Annotated[float, Parameter(help="temperature in K; assumed where not given")] = 298.0,
    parameter_set: Annotated[str | None, Parameter(help="one named parameter set; all otherwise")] = None,
    outside_index: Annotated[
        float | None, Parameter(help="refractive index of ligands and solvent; an assumed range otherwise")
    ] = None,
    without: Annotated[
        list[Literal["nonparabolic", "barrier", "dielectric"]] | None,
        Parameter(negative="", help="a layer of the model to leave out; may be repeated"),
    ] = None,
    masses: Annotated[
        Literal["equal", "arpes"], Parameter(help="equal masses, or the measured hole mass of the material")
    ] = "equal",
    mass_outside: Annotated[
        Literal["free", "coupled"], Parameter(help="mass in the barrier: on record, or of the band coupling")
    ] = "free",
    screening: Annotated[
        Literal["effective", "haken"], Parameter(help="how the lattice screens electron from hole")
    ] = "effective",
    ground_state: Annotated[
        Literal["dark", "bright"],
        Parameter(help="which state lies lowest: measured dark, or the rival picture"),
    ] = "dark",
    coherence: Annotated[
        Literal["none", "localisation", "linewidth"], Parameter(help="what limits the coherent volume")
    ] = "localisation",
    records: Annotated[
        list[Path] | None,
        Parameter(
            negative="", help="your own record file, with parameter sets that join those of the package"
        ),
    ] = None,
    report: Annotated[
        Path | None, Parameter(help="write the passport of the nanocrystal as one HTML file")
    ] = None,
    json: Json = False,
) -> None:
    """Levels, spectra, lifetime and fine structure of one nanocrystal, each with its spread over sets.

    A size option may be repeated for several sizes; --json then prints an array.
    """
    if records:
        from perolux.materials.own_records import use_records

        use_records(*records)
    from perolux.excitons.layers import Layers
    from perolux.excitons.properties import passport

    layers = Layers(
        **{name: name not in (without or ()) for name in LAYER_SWITCHES},
        masses=masses,
        mass_outside=mass_outside,
        screening=screening,
        ground_state=ground_state,
        coherence=coherence,
    )
    crystals = requested(
        material, shape, edge, tem_edge, diameter, length, monolayers, temperature, outside_index
    )
    sets = None if parameter_set is None else (parameter_set,)
    found = [passport(one, layers=layers, sets=sets) for one in crystals]
    if report is not None:
        from perolux.reports.passport import write_passport

        write_passport(found, report)
    if json:
        rows = [one.as_dict() for one in found]
        print_json(rows if len(rows) > 1 else rows[0])
        return
    for one in found:
        _show(one)
    if report is not None:
        from rich.console import Console

        Console().print(f"passport    {report}", soft_wrap=True, markup=False, highlight=False)


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
        raise PeroluxOptions(problems)
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


class PeroluxOptions(PeroluxError):
    """Size options that contradict one another."""


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
            problems.append(
                Problem(f"a {shape} needs its size", allowed=" and ".join(needs), fix=f"add {need} NM")
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


def _show(found: Passport) -> None:
    sets = list(found.set_names)
    rows = []
    for name, entry in found.entries().items():
        if entry.spread is None:
            rows.append([name, *["–"] * len(sets), "–", entry.reason or ""])
            continue
        spread = entry.spread
        unit = "" if spread.unit == "1" else f" {spread.unit}"
        rows.append(
            [
                name,
                *(f"{spread.sets[one]:.4g}" for one in sets),
                f"{spread.median:.4g}{unit}",
                f"{spread.low95:.4g} to {spread.high95:.4g}",
            ]
        )
    print_table(
        f"{found.crystal.material}, {found.crystal.label}, {found.crystal.temperature_k:g} K",
        ["", *(f"set {one}" for one in sets), "median", "95 %"],
        rows,
        "\n".join(f"note: {one}" for one in found.warnings),
    )
