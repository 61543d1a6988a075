"""Solve the confined exciton on a grid of sizes and write the tables that travel with perolux.

Run from the root of a checkout, about two minutes on one core:

    .venv/bin/python tools/make_exciton_tables.py

Each table ends where the basis still converges far below the quoted errors (sphere 25, cube 20 Bohr radii),
so that the dead layers, which the asymptotic laws continue, are known there to about 0.001 Bohr radii.
"""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # many small problems: threads only get in the way
    os.environ.setdefault(name, "1")

import argparse  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

import perolux  # noqa: E402
from perolux.excitons.pair.cube import solve_cube  # noqa: E402
from perolux.excitons.pair.sphere import solve_sphere  # noqa: E402
from perolux.excitons.pair.state import ExcitonState  # noqa: E402
from perolux.files import write_text  # noqa: E402

DATA = Path(perolux.__file__).parent / "excitons" / "data"
GRIDS = {"sphere": (0.05, 25.0, 64, 9), "cube": (0.05, 20.0, 64, 12)}
"""First and last size over aB, knots, basis order."""
COLUMNS = (
    "size_over_bohr",
    "energy_over_rydberg",
    "overlap_k",
    "exchange_x",
    "estimated_error_rydberg",
    "estimated_error_k_relative",
    "estimated_error_x_relative",
    "functions",
    "exponent",
    "wall",
)


def solve(shape: str, size: float, order: int) -> ExcitonState:
    """One knot."""
    return solve_sphere(size, order=order) if shape == "sphere" else solve_cube(size, order=order)


def grid(shape: str) -> np.ndarray:
    """Sizes of the knots, even in ln(size)."""
    first, last, knots, _ = GRIDS[shape]
    return np.round(np.geomspace(first, last, knots), 6)


def make(shape: str, report: Callable[[str], None]) -> str:
    """The table of a shape as CSV text."""
    order = GRIDS[shape][3]
    states = []
    for size in grid(shape):
        states.append(solve(shape, float(size), order))
        report(f"{shape} {size:9.4f} aB  E = {states[-1].energy_over_rydberg:.7f} Ry")
    what = "radius R/aB" if shape == "sphere" else "edge L/aB"
    functions = states[-1].functions
    lines = [
        f"# Ground exciton of a hard-wall {shape}: equal masses, no dielectric mismatch; size is the {what}",
        f"# made by tools/make_exciton_tables.py, perolux {perolux.__version__}, "
        f"order {order}, {functions} functions",
        "# E/Ry from the gap; K = |int Psi(r,r)|^2; X = pi aB^3 int |Psi(r,r)|^2; exponent 1/aB; wall 1/aB^2",
        "# kind: derived (variational calculation of this program); licence: BSD-3-Clause",
        ",".join(COLUMNS),
    ]
    for state in states:
        row = [f"{getattr(state, name):.10g}" for name in COLUMNS]
        # an energy of many Rydbergs minus the limit of strong confinement must keep its digits
        row[1] = f"{state.energy_over_rydberg:.9f}"
        row[4:7] = [f"{getattr(state, name):.2g}" for name in COLUMNS[4:7]]
        row[8:] = [f"{getattr(state, name):.4g}" for name in COLUMNS[8:]]
        lines.append(",".join(row))
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the tables of the shapes that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", choices=list(GRIDS), help="only this one (default: all)")
    parser.add_argument("--out", type=Path, default=DATA, help="folder (default: the package data)")
    options = parser.parse_args()
    for shape in [options.shape] if options.shape else GRIDS:
        print(write_text(options.out / f"{shape}.csv", make(shape, print)))


if __name__ == "__main__":
    main()
