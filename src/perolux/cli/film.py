"""`perolux film`: n, absorption, thickness or fraction of a film of nanocrystals in a host."""

from __future__ import annotations

from typing import Annotated, Any

from cyclopts import Parameter

from perolux.cli.console import number, print_json, print_table
from perolux.errors import NotAvailableError, OptionError

__all__ = ["film"]


def film(
    table: Annotated[
        str,
        Parameter(help="table of n and k of the crystal: a name on record, or a file (wavelength_nm, n, k)"),
    ] = "CsPbBr3_1nm",
    *,
    host: Annotated[str, Parameter(help="index of the host, or a medium on record such as PMMA")] = "1.5",
    fraction: Annotated[
        float | None, Parameter(help="volume fraction of crystal; without it --thickness gives it")
    ] = None,
    od: Annotated[float, Parameter(help="optical density (base 10) wanted")] = 2.0,
    thickness: Annotated[float | None, Parameter(help="of the film in um")] = None,
    wavelength: Annotated[float, Parameter(help="of the light absorbed, in nm")] = 450.0,
    edge: Annotated[float | None, Parameter(help="edge of the cubes in nm, for the packing limit")] = None,
    ligand: Annotated[float | None, Parameter(help="half the gap between cubes that touch, in nm")] = None,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Absorption of a film by Maxwell Garnett and Bruggeman; thickness or fraction for an optical density.

    With --fraction: the thickness for the OD (and the OD of --thickness). Without: the fraction.
    """
    from perolux.display import film_optics as optics
    from perolux.display.packing import shell
    from perolux.materials.optical_files import optical_constants_of

    if (edge is None) != (ligand is None):
        raise OptionError(
            "an edge without ligands, or the reverse",
            where="--edge, --ligand",
            allowed="both, or none",
            fix="give both",
        )
    if fraction is None and thickness is None:
        raise OptionError(
            "neither a fraction nor a thickness",
            where="--fraction, --thickness",
            allowed="one, or both",
            fix="--fraction 0.3 gives the thickness for --od, --thickness 4 the fraction",
        )
    around = None if edge is None or ligand is None else shell(edge, ligand)
    inclusion, medium = optics.bulk_inclusion(optical_constants_of(table)), _host(host)
    wanted: dict[str, float | None]
    if fraction is None:
        assert thickness is not None
        wanted = dict(
            optics.fraction_for(inclusion, medium, od, thickness, around=around, wavelength_nm=wavelength)
        )
    else:
        wanted = {"maxwell-garnett": fraction, "bruggeman": fraction}
    rules: dict[str, Any] = {}
    notes: dict[str, None] = {}
    for rule, share in wanted.items():
        one = optics.film(inclusion, medium, share or 0.0, [wavelength], around=around)
        notes |= dict.fromkeys(one.notes)
        alpha = float(one.alpha_at(wavelength, rule))
        rules[rule] = {
            "fraction": share,
            "n": float(one.index_at(wavelength, rule)),
            "alpha_per_cm": alpha,
            "thickness_um_for_od": optics.thickness_um_for(one, od, wavelength)[rule]
            if alpha > 0.0
            else None,
            "od": None if thickness is None else float(optics.optical_density(alpha, thickness)),
        }
    reasons = {}
    if any(row["thickness_um_for_od"] is None for row in rules.values()):
        reasons["thickness_um_for_od"] = f"nothing is absorbed at {wavelength:g} nm"
    if thickness is None:
        reasons["od"] = "no thickness was given"
    found = {
        "table": table,
        "source": inclusion.source,
        "host": host,
        "wavelength_nm": wavelength,
        "od_wanted": od,
        "thickness_um": thickness,
        "densest_fraction": None if around is None else around.most,
        "rules": rules,
        "reasons": reasons,
        "notes": list(notes),
    }
    if json:
        print_json(found)
        return
    print_table(
        f"Film of {table} in {host}, {wavelength:g} nm",
        ["rule", "fraction", "n", "alpha, 1/cm", f"um for OD {od:g}", "OD"],
        [
            [
                rule,
                number(row["fraction"], 4),
                number(row["n"], 3),
                number(row["alpha_per_cm"], 0),
                number(row["thickness_um_for_od"], 2),
                number(row["od"], 2),
            ]
            for rule, row in rules.items()
        ],
        "\n".join(notes),
    )


def _host(text: str) -> Any:
    from perolux.display.optical_media import medium, medium_names

    try:
        return float(text)
    except ValueError:
        pass
    try:
        return medium(text)
    except NotAvailableError:
        raise OptionError(
            f"no host {text!r}", where="--host", allowed=f"a number, or {', '.join(medium_names())}"
        ) from None
