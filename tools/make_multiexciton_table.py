"""Trions and biexcitons against size by diffusion Monte Carlo: the table that travels with perolux.

Run from the root of a checkout, about 20 minutes on one core:

    nice .venv/bin/python tools/make_multiexciton_table.py

Every knot is run at two time steps, one a third of the other, and extrapolated linearly to zero. The strong
limit (size 0) comes from second-order perturbation theory, the weak one (size inf) from runs in open space.
A table that is cut short is continued: knots that stand in the file are not run again. Each knot has its own
seed, made from its name, so that it gives the same number wherever the table was cut.
"""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # small arrays: threads only get in the way
    os.environ.setdefault(name, "1")

import argparse  # noqa: E402
import csv  # noqa: E402
import hashlib  # noqa: E402
import math  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

import perolux  # noqa: E402
from perolux.excitons.many.diffusion_monte_carlo import (  # noqa: E402
    carriers_of,
    default_time_step,
    optimise_trial,
    solve_by_monte_carlo,
)
from perolux.excitons.many.second_order import second_order  # noqa: E402
from perolux.excitons.pair.cube import solve_cube  # noqa: E402
from perolux.excitons.pair.limits import kinetic_constant  # noqa: E402
from perolux.excitons.pair.sphere import solve_sphere  # noqa: E402
from perolux.files import write_text  # noqa: E402

TABLE = Path(perolux.__file__).parent / "excitons" / "data" / "multiexcitons.csv"
EDGES = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.5, 15.0)
"""Cube edges over aB; spheres have the radius of equal confinement, edge/sqrt(3)."""
FEWER_EDGES = (1.0, 2.0, 4.0, 7.0, 12.5)
UNEQUAL_MASSES = 0.4
COLUMNS = (
    "kind",
    "shape",
    "mass_ratio",
    "size_over_bohr",
    "shift_over_rydberg",
    "error_over_rydberg",
    "exciton_over_rydberg",
    "coarse_step",
    "coarse_over_rydberg",
    "coarse_error",
    "fine_over_rydberg",
    "fine_error",
    "walkers",
    "coarse_steps",
    "fine_steps",
)
WORK = 1_000_000
"""Moves of one walker at the coarse step of a knot; twice as many at the fine one."""


def knots() -> list[tuple[str, str, float, float]]:
    """Kind, shape, mass ratio and size of every knot, the most wanted first."""
    rows: list[tuple[str, str, float, float]] = []
    for shape in ("cube", "sphere"):
        for kind in ("biexciton", "trion-"):
            rows.append((kind, shape, 1.0, 0.0))
    rows += [(kind, "open", 1.0, math.inf) for kind in ("biexciton", "trion-")]
    for shape in ("cube", "sphere"):
        rows += [(kind, shape, 1.0, size(shape, y)) for y in EDGES for kind in ("biexciton", "trion-")]
    every = ("biexciton", "trion-", "trion+")
    rows += [(kind, shape, UNEQUAL_MASSES, 0.0) for shape in ("cube", "sphere") for kind in every]
    rows += [(kind, "open", UNEQUAL_MASSES, math.inf) for kind in every]
    for shape in ("cube", "sphere"):
        rows += [(kind, shape, UNEQUAL_MASSES, size(shape, y)) for y in FEWER_EDGES for kind in every]
    return rows


def size(shape: str, edge: float) -> float:
    """Edge of a cube, or radius of the sphere of equal confinement."""
    return edge if shape == "cube" else round(edge / math.sqrt(3.0), 4)


def exciton(shape: str, over_bohr: float, mass_ratio: float) -> float:
    """Energy of the exciton by the variational solvers, which are far more exact than the runs."""
    if shape == "open":
        return -1.0
    solve = solve_cube if shape == "cube" else solve_sphere
    return solve(over_bohr, mass_ratio=mass_ratio).energy_over_rydberg


def line_position(kind: str, shape: str, over_bohr: float, mass_ratio: float, excitonic: float) -> float:
    """Energy that the shift is counted from: two excitons, or an exciton and a carrier."""
    if kind == "biexciton":
        return 2.0 * excitonic
    mobility = (1.0 if kind == "trion-" else mass_ratio) / (1.0 + mass_ratio)
    carrier = 0.0 if shape == "open" else mobility * kinetic_constant(shape) / over_bohr**2
    return excitonic + carrier


def run(kind: str, shape: str, mass_ratio: float, over_bohr: float) -> dict[str, str]:
    """One knot."""
    row = {"kind": kind, "shape": shape, "mass_ratio": f"{mass_ratio:g}", "size_over_bohr": f"{over_bohr:g}"}
    if over_bohr == 0.0:
        shift = second_order(shape, mass_ratio=mass_ratio).shift(kind)
        return row | {"shift_over_rydberg": f"{shift:.5f}", "error_over_rydberg": "0.0002"}
    seed = int.from_bytes(hashlib.sha256("|".join(row.values()).encode()).digest()[:8], "little")
    rng = np.random.default_rng(seed)
    box = 4.0 if shape == "open" else over_bohr
    carriers = carriers_of(kind, shape, box, mass_ratio)
    trial = optimise_trial(carriers, rng)
    step = default_time_step(carriers)
    # the energies are large in small boxes; in large ones the motion is slow, and in open space slower still
    edge = over_bohr * (1.0 if shape == "cube" else math.sqrt(3.0))
    work = WORK * (15 if shape == "open" else 4 if edge > 6.9 else 2 if over_bohr < 1.58 else 1)
    # few walkers for a long time where the slowest motion is slow
    walkers = 400 if shape == "open" or over_bohr > 4.0 else 1000
    coarse, fine = (
        solve_by_monte_carlo(
            kind, shape, box, rng, mass_ratio=mass_ratio, time_step=tau, walkers=walkers,
            steps=moves // walkers, trial=trial,
        )
        for tau, moves in ((step, work), (step / 3.0, 2 * work))
    )  # fmt: skip
    excitonic = exciton(shape, over_bohr, mass_ratio)
    energy = 1.5 * fine.energy_over_rydberg - 0.5 * coarse.energy_over_rydberg
    error = math.hypot(1.5 * fine.error_over_rydberg, 0.5 * coarse.error_over_rydberg)
    shift = energy - line_position(kind, shape, over_bohr, mass_ratio, excitonic)
    return row | {
        "shift_over_rydberg": f"{shift:.5f}",
        "error_over_rydberg": f"{error:.5f}",
        "exciton_over_rydberg": f"{excitonic:.6f}",
        "coarse_step": f"{step:.4g}",
        "coarse_over_rydberg": f"{coarse.energy_over_rydberg:.5f}",
        "coarse_error": f"{coarse.error_over_rydberg:.5f}",
        "fine_over_rydberg": f"{fine.energy_over_rydberg:.5f}",
        "fine_error": f"{fine.error_over_rydberg:.5f}",
        "walkers": f"{walkers}",
        "coarse_steps": f"{coarse.steps}",
        "fine_steps": f"{fine.steps}",
    }


def name_of(row: dict[str, str]) -> tuple[str, str, str, str]:
    """What tells a knot from the others."""
    return row["kind"], row["shape"], row["mass_ratio"], row["size_over_bohr"]


def text(rows: list[dict[str, str]]) -> str:
    """The table as CSV."""
    lines = [
        "# Shift of trion and biexciton lines from the exciton line; hard walls, no dielectric mismatch",
        "# biexciton: E(XX) - 2 E(X); trion: E(X*) - E(X) - E(carrier left); negative = red; Ry and aB",
        "# size: edge of a cube, radius of a sphere; 0: second-order perturbation theory; inf: open space",
        f"# made by tools/make_multiexciton_table.py, perolux {perolux.__version__}: diffusion Monte Carlo,",
        "# linear extrapolation from a coarse time step and a third of it; error: one standard deviation",
        "# kind: derived (calculation of this program); licence: BSD-3-Clause",
        ",".join(COLUMNS),
    ]
    return "\n".join(lines + [",".join(row.get(name, "") for name in COLUMNS) for row in rows]) + "\n"


def main() -> None:
    """Run the knots that are missing and write the table after each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=TABLE, help="file (default: the package data)")
    options = parser.parse_args()
    rows: list[dict[str, str]] = []
    if options.out.exists():
        lines = options.out.read_text(encoding="utf-8").splitlines()
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    order = [(kind, shape, f"{ratio:g}", f"{over_bohr:g}") for kind, shape, ratio, over_bohr in knots()]
    done = {name_of(row) for row in rows}
    for name, (kind, shape, mass_ratio, over_bohr) in zip(order, knots(), strict=True):
        if name in done:
            continue
        rows.append(run(kind, shape, mass_ratio, over_bohr))
        print({key: rows[-1].get(key) for key in COLUMNS[:6]}, flush=True)
        rows.sort(key=lambda row: order.index(name_of(row)))
        write_text(options.out, text(rows))


if __name__ == "__main__":
    main()
