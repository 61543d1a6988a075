"""Solve the lattice-screened pair on Chebyshev points and write the tables that travel with perolux.

Run from the root of a checkout, about five minutes on one core:

    .venv/bin/python tools/make_screening_tables.py

Each line: size over aB, eps_inf/eps_0, screening rate aB/l (aB and Ry with eps_inf, equal masses), and what
the lattice changes: energy in Ry, ln of the ratios of K and X. Size inf is the bulk, from the radial
equation.
"""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # many small problems: threads only get in the way
    os.environ.setdefault(name, "1")

import argparse  # noqa: E402
import math  # noqa: E402
from pathlib import Path  # noqa: E402

import perolux  # noqa: E402
from perolux.excitons.pair.cube import solve_cube  # noqa: E402
from perolux.excitons.pair.lattice_screening import COLUMNS, KNOTS, nodes  # noqa: E402
from perolux.excitons.pair.screening import Screening, bulk_ground_state  # noqa: E402
from perolux.excitons.pair.sphere import solve_sphere  # noqa: E402
from perolux.excitons.pair.tables import interpolate  # noqa: E402
from perolux.files import write_text  # noqa: E402

DATA = Path(perolux.__file__).parent / "excitons" / "data"
ORDERS = {"sphere": 6, "cube": 6}
SCAN_ORDERS = {"sphere": 3, "cube": 4}


def attraction(ratio: float, rate: float) -> Screening:
    """Equal masses, in the units of eps_inf."""
    return Screening((ratio, 1.0 - ratio), (0.0, rate), "haken")


def make(shape: str) -> str:
    """The table of a shape as CSV text."""
    sizes, ratios, rates = nodes(shape)
    rows = []
    solve = solve_sphere if shape == "sphere" else solve_cube
    for size in (*sizes, math.inf):
        for ratio in ratios:
            near = []
            for rate in (rates[1], rates[-2]) if math.isfinite(size) else ():
                one = solve(
                    float(size), order=SCAN_ORDERS[shape], screening=attraction(float(ratio), float(rate))
                )
                near.append((one.exponent, one.wall))
            for rate in rates:
                screening = attraction(float(ratio), float(rate))
                if math.isinf(size):
                    energy, contact = bulk_ground_state(screening)
                    change = (energy + 1.0, math.log(contact), math.log(contact))
                else:
                    # the energy is stationary in both, so a line between two optima is near enough
                    part = math.log(rate / rates[1]) / math.log(rates[-2] / rates[1])
                    exponent, wall = (a + part * (b - a) for a, b in zip(*near, strict=True))
                    state = solve(
                        float(size), order=ORDERS[shape], screening=screening, exponent=exponent, wall=wall
                    )
                    plain = interpolate(shape, size)
                    change = (
                        state.energy_over_rydberg - float(plain.energy_over_rydberg),
                        math.log(state.overlap_k / float(plain.overlap_k)),
                        math.log(state.exchange_x / float(plain.exchange_x)),
                    )
                rows.append(",".join(f"{v:.10g}" for v in (size, ratio, rate, *change)))
        print(f"{shape} {size:9.4f} aB", flush=True)
    lines = [
        f"# What lattice (Haken) screening changes in the ground exciton of a {shape}, equal masses",
        f"# made by tools/make_screening_tables.py, perolux {perolux.__version__}, order {ORDERS[shape]}, "
        f"Chebyshev points {KNOTS}",
        "# aB and Ry with eps_inf; ratio eps_inf/eps_0; rate aB/l; size inf: the bulk",
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
    parser.add_argument("--shape", choices=list(ORDERS), help="only this one (default: all)")
    parser.add_argument("--out", type=Path, default=DATA, help="folder (default: the package data)")
    options = parser.parse_args()
    for shape in [options.shape] if options.shape else ORDERS:
        print(write_text(options.out / f"{shape}_screening.csv", make(shape)))


if __name__ == "__main__":
    main()
