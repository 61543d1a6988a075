"""`perolux exciton sphere` and `perolux exciton cube`: the correlated pair behind hard walls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from perolux.cli.console import print_json, print_table

if TYPE_CHECKING:
    from perolux.excitons.state import ExcitonState

__all__ = ["exciton"]

exciton = App(name="exciton", help="The electron-hole pair of one nanocrystal, solved from scratch.")

Json = Annotated[bool, Parameter(negative="", help="print one JSON document")]


@exciton.command
def sphere(
    *,
    radius_over_bohr: Annotated[float, Parameter(help="radius in exciton Bohr radii")],
    json: Json = False,
) -> None:
    """Ground exciton of a hard-wall sphere, equal masses, no dielectric mismatch."""
    from perolux.excitons.sphere import solve_sphere

    _show(solve_sphere(radius_over_bohr), "R/aB", json)


@exciton.command
def cube(
    *,
    edge_over_bohr: Annotated[float, Parameter(help="edge length in exciton Bohr radii")],
    json: Json = False,
) -> None:
    """Ground exciton of a hard-wall cube, equal masses, no dielectric mismatch."""
    from perolux.excitons.cube import solve_cube

    _show(solve_cube(edge_over_bohr), "L/aB", json)


def _show(state: ExcitonState, size_name: str, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "energy_over_rydberg": state.energy_over_rydberg,
                "overlap_k": state.overlap_k,
                "exchange_x": state.exchange_x,
                "estimated_error_rydberg": state.estimated_error_rydberg,
                "estimated_error_k_relative": state.estimated_error_k_relative,
                "estimated_error_x_relative": state.estimated_error_x_relative,
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
    print_table(
        f"hard-wall {state.shape}, {size_name} = {state.size_over_bohr:g}", ["", "value", "own error"], rows
    )
