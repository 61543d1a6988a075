"""Solve the pair in cuboids of many sizes and aspect ratios and write the packaged table.

Run from the root of a checkout, about five minutes of CPU:

    .venv/bin/python tools/make_cuboid_table.py --workers 2

The table holds what the pair differs from a sum (energy) or product (K, X) of cubes of the three edges:
E - sum E_cube(L_i)/3, ln K - sum ln K_cube(L_i)/3, ln X - sum ln X_cube(L_i)/3.
"""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # many small problems: threads only get in the way
    os.environ.setdefault(name, "1")

import argparse  # noqa: E402
import math  # noqa: E402
from concurrent.futures import ProcessPoolExecutor  # noqa: E402
from functools import partial  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

import perolux  # noqa: E402
from perolux.excitons.pair._lobatto import lobatto_points  # noqa: E402
from perolux.excitons.pair.cube import solve_cuboid  # noqa: E402
from perolux.excitons.pair.tables import interpolate  # noqa: E402
from perolux.files import write_text  # noqa: E402

DATA = Path(perolux.__file__).parent / "excitons" / "data"
STRETCHES = lobatto_points(0.0, math.log(9.0), 6)
"""ln(longest/shortest edge); the solver is tested up to a factor of nine."""
SPLITS = lobatto_points(0.0, 1.0, 5)
"""ln(middle/shortest) over ln(longest/shortest): 0 is a square rod, 1 a square plate."""
SIZES = np.round(np.geomspace(0.25, 6.9, 12), 6)
"""Cube root of the volume over aB; the longest edge stays below the solver's 30 aB."""
COLUMNS = "size_over_bohr,stretch,split,energy_rest,log_k_rest,log_x_rest,error_rydberg,error_k,error_x"


def knot(size: float, stretch: float, split: float, order: int) -> list[float]:
    """What one cuboid differs from its cubes, and the solver's errors."""
    logs = np.array([0.0, split * stretch, stretch])
    edges = np.sort(size * np.exp(logs - logs.mean()))
    if split == 0.0:
        edges[0] = edges[1]
    elif split == 1.0:
        edges[1] = edges[2]
    state = solve_cuboid(tuple(float(edge) for edge in edges), order=order)
    cubes = interpolate("cube", edges)
    return [
        state.energy_over_rydberg - float(cubes.energy_over_rydberg.mean()),
        math.log(state.overlap_k) - float(np.log(cubes.overlap_k).mean()),
        math.log(state.exchange_x) - float(np.log(cubes.exchange_x).mean()),
        state.estimated_error_rydberg,
        state.estimated_error_k_relative,
        state.estimated_error_x_relative,
    ]


def of_size(size: float, order: int) -> list[str]:
    """Lines of the table for all cuboids of one size."""
    lines = []
    for stretch in STRETCHES:
        for split in SPLITS:
            # a cube differs from itself by nothing
            values = [0.0] * 3 + [1e-5, 1e-3, 5e-4]
            if stretch > 0.0:
                values = knot(float(size), float(stretch), float(split), order)
            row = [f"{v:.9g}" for v in (size, stretch, split)] + [f"{v:.7g}" for v in values[:3]]
            lines.append(",".join(row + [f"{v:.2g}" for v in values[3:]]))
    return lines


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=DATA, help="folder (default: the package data)")
    parser.add_argument("--order", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    lines = [
        "# Ground exciton of a hard-wall cuboid less that of cubes of its edges (see the tool), equal masses",
        f"# made by tools/make_cuboid_table.py, perolux {perolux.__version__}, order {options.order}",
        "# kind: derived (variational calculation of this program); licence: BSD-3-Clause",
        COLUMNS,
    ]
    with ProcessPoolExecutor(options.workers) as pool:
        for rows in pool.map(partial(of_size, order=options.order), SIZES):
            lines += rows
            print(rows[-1], flush=True)
    print(write_text(options.out / "cuboid.csv", "\n".join(lines) + "\n"))


if __name__ == "__main__":
    main()
