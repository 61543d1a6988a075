"""Solve large spheres and cubes with unequal masses and write how the dead layers grow with the mass ratio.

Run from the root of a checkout, about a minute on one core:

    .venv/bin/python tools/make_dead_layers.py
"""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # many small problems: threads only get in the way
    os.environ.setdefault(name, "1")

import argparse  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

import perolux  # noqa: E402
from perolux.excitons.pair.cube import solve_cube  # noqa: E402
from perolux.excitons.pair.limits import kinetic_constant, overlap_layer  # noqa: E402
from perolux.excitons.pair.sphere import solve_sphere  # noqa: E402
from perolux.files import write_text  # noqa: E402

DATA = Path(perolux.__file__).parent / "excitons" / "data"
RATIOS = (0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0)
SIZES = {"sphere": 15.0, "cube": 14.0}


def layers(shape: str, ratio: float) -> tuple[float, float]:
    """Dead layers of energy and overlap, in aB."""
    size = SIZES[shape]
    if shape == "sphere":
        state = solve_sphere(size, mass_ratio=ratio)
    else:
        state = solve_cube(size, mass_ratio=ratio, order=8)
    kinetic = kinetic_constant(shape) * ratio / (1.0 + ratio) ** 2
    layer = size - np.sqrt(kinetic / (state.energy_over_rydberg + 1.0))
    return float(layer), overlap_layer(shape, size, state.overlap_k)


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=DATA, help="folder (default: the package data)")
    options = parser.parse_args()
    lines = [
        "# Dead layers of energy and overlap for unequal masses over those of equal masses, sphere of 15 aB",
        f"# and cube of 14 aB; made by tools/make_dead_layers.py, perolux {perolux.__version__}",
        "# kind: derived (variational calculation of this program); licence: BSD-3-Clause",
        "shape,mass_ratio,energy_layer,overlap_layer",
    ]
    for shape in SIZES:
        equal = layers(shape, 1.0)
        for ratio in RATIOS:
            found = layers(shape, ratio)
            lines.append(f"{shape},{ratio:g},{found[0] / equal[0]:.5f},{found[1] / equal[1]:.5f}")
            print(lines[-1], flush=True)
    print(write_text(options.out / "dead_layer.csv", "\n".join(lines) + "\n"))


if __name__ == "__main__":
    main()
