"""`perolux lead`: what a limit of lead leaves of a film's absorption."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from perolux.cli.console import print_json, print_table
from perolux.errors import NotAvailableError

__all__ = ["lead"]


def lead(
    *,
    material: Annotated[str, Parameter(help="of the nanocrystals, e.g. CsPbBr3")] = "CsPbBr3",
    host_density: Annotated[float, Parameter(help="of the host in g/cm3")] = 1.1,
    host_n: Annotated[float, Parameter(help="refractive index of the host")] = 1.5,
    limit_ppm: Annotated[float, Parameter(help="lead by mass in the homogeneous material")] = 1000.0,
    thickness_um: Annotated[float, Parameter(help="of the film")] = 100.0,
    fraction: Annotated[
        float | None, Parameter(help="volume fraction of crystal, to judge a film of one's own")
    ] = None,
    wavelength: Annotated[float, Parameter(help="of the light absorbed, in nm")] = 450.0,
    optical_constants: Annotated[
        str | None,
        Parameter(help="table of n and k, a name or a file, that stands for the crystal; its own otherwise"),
    ] = None,
    density: Annotated[
        float | None, Parameter(help="of the crystal in g/cm3; from its cell otherwise")
    ] = None,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Volume fraction that a limit of lead allows, and what the film absorbs in one pass."""
    from perolux.display.inclusions import bulk_inclusion
    from perolux.display.lead import crystal, lead_budget
    from perolux.materials.optical_files import optical_constants_of

    of = crystal(material, density)
    try:
        inclusion = bulk_inclusion(optical_constants_of(optical_constants or of.material))
    except NotAvailableError as error:
        problem = error.problems[0]
        raise NotAvailableError(
            problem.what,
            where="--optical-constants",
            allowed=problem.allowed,
            fix=problem.fix or "name a table that stands for it, or give a file (wavelength_nm, n, k)",
        ) from None
    found = lead_budget(
        of, inclusion, host_density_g_cm3=host_density, host_index=host_n, thickness_um=thickness_um,
        limit_ppm=limit_ppm, nc_volume_fraction=fraction, wavelength_nm=wavelength,
    )  # fmt: skip
    record = found.as_dict() | {"optical_constants": inclusion.source}
    if optical_constants is not None and optical_constants != of.material:
        record["notes"].append(f"n and k of {optical_constants} stand for those of {of.material}")
    if json:
        print_json(record)
        return
    print_table(
        f"Lead in a film of {of.material}, {thickness_um:g} um",
        ["quantity", "value", "unit"],
        [
            ["lead", f"{found.ppm:.4g}", "ppm by mass"],
            ["nanocrystals by mass", f"{100 * found.nc_mass_fraction:.4g}", "%"],
            ["nanocrystals by volume", f"{100 * found.nc_volume_fraction:.4g}", "%"],
            *(
                [f"absorption at {wavelength:g} nm, {rule}", f"{alpha:.4g}", "1/cm, base e"]
                for rule, alpha in found.absorption_per_cm.items()
            ),
            *(
                [f"absorbed in one pass, {rule}", f"{100 * share:.4g}", "%"]
                for rule, share in found.absorptance_per_pass.items()
            ),
        ],
        "\n".join(
            (
                f"{found.verdict}.",
                f"Density {of.density_g_cm3.number:.3f} g/cm3 ({of.density_g_cm3.kind}: "
                f"{of.density_g_cm3.source}); n and k: {inclusion.source}",
                *record["notes"],
            )
        ),
    )
