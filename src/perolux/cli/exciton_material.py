"""`perolux exciton MATERIAL`: the levels and the light of one nanocrystal, or of several sizes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from perolux.cli.console import USER_ERROR, print_error, print_json
from perolux.cli.exciton_options import report_path, requested, require_effect, temperature_of
from perolux.cli.passport_table import show_passport
from perolux.errors import OutputError, PeroluxError

if TYPE_CHECKING:
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
    temperature: Annotated[str, Parameter(help="temperature in K; assumed where not given")] = "298",
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
        Path | None, Parameter(help="write the passport of the nanocrystal as one HTML file (.html)")
    ] = None,
    json: Json = False,
) -> int | None:
    """Levels, spectra, lifetime and fine structure of one nanocrystal, each with its spread over sets.

    A size option may be repeated for several sizes; --json then prints an array.
    """
    target = report_path(report)
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
        material,
        shape,
        edge,
        tem_edge,
        diameter,
        length,
        monolayers,
        temperature_of(temperature),
        outside_index,
    )
    for crystal in crystals:
        require_effect(layers, crystal.shape)
    sets = None if parameter_set is None else (parameter_set,)
    found = [passport(crystal, layers=layers, sets=sets) for crystal in crystals]
    if json:
        rows = [one.as_dict() for one in found]
        print_json(rows if len(rows) > 1 else rows[0])
    else:
        for one in found:
            show_passport(one)
    return None if target is None else _write(found, target, json)


def _write(found: list[Passport], target: Path, json: bool) -> int | None:
    """Write the passport after the numbers are printed: a full disk must not lose them."""
    import sys

    from perolux.reports.passport import write_passport

    sys.stdout.flush()
    try:
        write_passport(found, target)
    except OutputError as error:
        fix = "give --report a file in a folder that you may write to and that has room"
        problems = [replace(one, fix=fix) for one in error.problems]
        print_error(OutputError(problems), as_json=False)
        return USER_ERROR
    except PeroluxError as error:
        print_error(error, as_json=False)  # on standard error: the JSON document is complete
        return USER_ERROR
    if not json:
        sys.stdout.write(f"passport    {target}\n")
    return None
