"""`perolux exciton`: one nanocrystal of a material, the bare pair behind hard walls, lifetimes of levels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from perolux.cli.console import print_json, print_table
from perolux.cli.exciton_lifetime import lifetime
from perolux.cli.exciton_material import exciton_of_material

if TYPE_CHECKING:
    from perolux.excitons.pair.state import ExcitonState

__all__ = ["exciton"]

exciton = App(
    name="exciton",
    help="One nanocrystal and its light: perolux exciton CsPbBr3 --edge 8; or the bare electron-hole pair.",
)
exciton.default(exciton_of_material)
exciton.command(lifetime)

Json = Annotated[bool, Parameter(negative="", help="print one JSON document")]
MassRatio = Annotated[float, Parameter(help="m_e/m_h at fixed reduced mass")]


@exciton.command
def sphere(
    *,
    radius_over_bohr: Annotated[float, Parameter(help="radius in exciton Bohr radii")],
    mass_ratio: MassRatio = 1.0,
    dielectric_ratio: Annotated[float, Parameter(help="eps_inside/eps_outside; 1 is no contrast")] = 1.0,
    json: Json = False,
) -> None:
    """Ground exciton of a hard-wall sphere."""
    from perolux.excitons.pair.sphere import solve_sphere

    state = solve_sphere(radius_over_bohr, mass_ratio=mass_ratio, dielectric_ratio=dielectric_ratio)
    _show(state, f"R/aB = {radius_over_bohr:g}", json)


@exciton.command
def cube(
    *,
    edge_over_bohr: Annotated[float | None, Parameter(help="edge length in exciton Bohr radii")] = None,
    edges_over_bohr: Annotated[str | None, Parameter(help="three edges of a cuboid, A,B,C")] = None,
    mass_ratio: MassRatio = 1.0,
    dielectric_ratio: Annotated[float, Parameter(help="only 1: no image charges in a cube")] = 1.0,
    json: Json = False,
) -> None:
    """Ground exciton of a hard-wall cube or, with --edges-over-bohr, a cuboid."""
    from perolux.errors import OptionError
    from perolux.excitons.pair.cube import solve_cube, solve_cuboid

    if (edge_over_bohr is None) == (edges_over_bohr is None):
        raise OptionError(
            "one size is needed",
            allowed="--edge-over-bohr L or --edges-over-bohr A,B,C",
            fix="give one of them",
        )
    if edges_over_bohr is not None:
        edges = _three(edges_over_bohr)
        state = solve_cuboid(edges, mass_ratio=mass_ratio, dielectric_ratio=dielectric_ratio)
        _show(state, "edges/aB = " + ", ".join(f"{edge:g}" for edge in edges), json)
    elif edge_over_bohr is not None:
        state = solve_cube(edge_over_bohr, mass_ratio=mass_ratio, dielectric_ratio=dielectric_ratio)
        _show(state, f"L/aB = {edge_over_bohr:g}", json)


def _three(text: str) -> tuple[float, float, float]:
    from perolux.errors import OptionError

    try:
        one, two, three = (float(part) for part in text.split(","))
    except ValueError as error:
        raise OptionError(
            f"--edges-over-bohr {text!r} is not three numbers", allowed="A,B,C, such as 2,3,4"
        ) from error
    return one, two, three


def _show(state: ExcitonState, size: str, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "energy_over_rydberg": state.energy_over_rydberg,
                "overlap_k": state.overlap_k,
                "exchange_x": state.exchange_x,
                "estimated_error_rydberg": state.estimated_error_rydberg,
                "estimated_error_k_relative": state.estimated_error_k_relative,
                "estimated_error_x_relative": state.estimated_error_x_relative,
                "mass_ratio": state.mass_ratio,
                "dielectric_ratio": state.dielectric_ratio,
            }
        )
        return
    rows = [
        [
            "energy from the bulk gap",
            f"{state.energy_over_rydberg:.6f} Ry",
            f"{state.estimated_error_rydberg:.1e} Ry",
        ],
        ["overlap K", f"{state.overlap_k:.5g}", f"{100 * state.estimated_error_k_relative:.2g} %"],
        ["exchange X", f"{state.exchange_x:.5g}", f"{100 * state.estimated_error_x_relative:.2g} %"],
    ]
    title = f"hard-wall {state.shape}, {size}"
    if state.mass_ratio != 1.0:
        title += f", m_e/m_h = {state.mass_ratio:g}"
    if state.dielectric_ratio != 1.0:
        title += f", eps_in/eps_out = {state.dielectric_ratio:g}"
    print_table(title, ["", "value", "own error"], rows)
