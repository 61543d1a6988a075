"""Solve the lowest optically active levels on a grid of sizes and write the tables that travel with perolux.

Run from the root of a checkout, about fifteen minutes on one core (the cube; the sphere takes one):

    .venv/bin/python tools/make_transition_tables.py

One line for each size and level. Each table ends where the highest level still converges to its quoted error.
"""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # many small problems: threads only get in the way
    os.environ.setdefault(name, "1")

import argparse  # noqa: E402
import itertools  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

import perolux  # noqa: E402
from perolux.excitons.pair.cube import solve_cube_levels  # noqa: E402
from perolux.excitons.pair.sphere import solve_sphere_levels  # noqa: E402
from perolux.excitons.pair.state import ExcitonLevels  # noqa: E402
from perolux.files import write_text  # noqa: E402

DATA = Path(perolux.__file__).parent / "excitons" / "data"
LEVELS = 8
GRIDS = {"sphere": (0.1, 25.0, 280, 11), "cube": (0.3, 20.0, 110, 12)}
"""First and last size over aB, knots, basis order."""
DENSE_CUBE = (5.0, 4)
"""From this edge on, the cube has so many knots for one: there levels avoid one another narrowly."""
COLUMNS = (
    "size_over_bohr",
    "level",
    "energy_over_rydberg",
    "overlap_k",
    "exchange_x",
    "estimated_error_rydberg",
    "estimated_error_k_relative",
    "estimated_error_x_relative",
)


def solve(shape: str, size: float, order: int) -> ExcitonLevels:
    """All levels of one size."""
    solver = solve_sphere_levels if shape == "sphere" else solve_cube_levels
    return solver(size, LEVELS, order=order)


def grid(shape: str) -> np.ndarray:
    """Sizes of the knots, even in ln(size), for the cube denser where levels avoid one another."""
    first, last, knots, _ = GRIDS[shape]
    sizes = np.round(np.geomspace(first, last, knots), 6)
    if shape == "sphere":
        return sizes
    start, part = DENSE_CUBE
    between = [np.geomspace(a, b, part + 1)[1:-1] for a, b in itertools.pairwise(sizes) if a >= start]
    return np.sort(np.concatenate([sizes, np.round(np.concatenate(between), 6)]))


def make(shape: str, report: Callable[[str], None]) -> str:
    """The table of a shape as CSV text."""
    order = GRIDS[shape][3]
    what = "radius R/aB, S states" if shape == "sphere" else "edge L/aB, A1g states"
    rows, functions = [], 0
    for size in grid(shape):
        state = solve(shape, float(size), order)
        functions = state.functions
        for level in range(LEVELS):
            number = [getattr(state, name)[level] for name in COLUMNS[2:]]
            rows.append(
                f"{size:.10g},{level + 1},{number[0]:.9f},{number[1]:.8g},{number[2]:.8g},"
                + ",".join(f"{error:.2g}" for error in number[3:])
            )
        report(f"{shape} {size:9.4f} aB  E = {state.energy_over_rydberg[0]:.7f} Ry")
    lines = [
        f"# The {LEVELS} lowest optically active levels of the pair in a hard-wall {shape}: equal masses, no "
        f"dielectric mismatch; size is the {what}",
        f"# made by tools/make_transition_tables.py, perolux {perolux.__version__}, "
        f"order {order}, {functions} functions",
        "# E/Ry from the gap; K = |int Psi(r,r)|^2; X = pi aB^3 int |Psi(r,r)|^2; levels in rising order",
        "# kind: derived (variational calculation of this program); licence: BSD-3-Clause",
        ",".join(COLUMNS),
        *rows,
    ]
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
        print(write_text(options.out / f"{shape}_transitions.csv", make(shape, print)))


if __name__ == "__main__":
    main()
