"""Solve the pair in plates of many thicknesses and dielectric contrasts and write the packaged table.

Run from the root of a checkout, about two minutes on one core:

    .venv/bin/python tools/make_platelet_table.py
"""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # many small problems: threads only get in the way
    os.environ.setdefault(name, "1")

import argparse  # noqa: E402
import math  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

import perolux  # noqa: E402
from perolux.excitons.pair._lobatto import lobatto_points  # noqa: E402
from perolux.excitons.pair.plate_pair import solve_plate  # noqa: E402
from perolux.files import write_text  # noqa: E402

DATA = Path(perolux.__file__).parent / "excitons" / "data"
THICKNESSES = np.round(np.geomspace(0.05, 15.0, 30), 6)
CONTRASTS = np.tanh(0.5 * lobatto_points(math.log(0.54), math.log(12.3), 8))
"""Chebyshev points of ln(eps_in/eps_out): in the contrast itself, q = 1 lies too near for a polynomial."""
ORDER = 8
COLUMNS = "thickness_over_bohr,contrast,free_rest,binding,self_energy,image,radius,contact,exchange_x,error"


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=DATA, help="folder (default: the package data)")
    options = parser.parse_args()
    lines = [
        "# Ground exciton of an infinite hard-wall plate with image charges, equal masses; Ry and aB",
        f"# made by tools/make_platelet_table.py, perolux {perolux.__version__}, order {ORDER}",
        "# contrast (eps_in - eps_out)/(eps_in + eps_out); free_rest: unbound pair less pi^2/d^2;",
        "# self_energy and image: expectation values in the pair; the rest as in `PlateState`",
        "# kind: derived (variational calculation of this program); licence: BSD-3-Clause",
        COLUMNS,
    ]
    for d in THICKNESSES:
        for q in CONTRASTS:
            s = solve_plate(float(d), float(q), order=ORDER)
            row = [
                d,
                round(float(q), 12),
                s.free - math.pi**2 / d**2,
                s.binding,
                s.self_energy,
                s.image,
                s.radius,
                s.contact,
            ]
            lines.append(",".join(f"{v:.12g}" for v in row) + f",{s.exchange_x:.8g},{s.error:.2g}")
        print(f"{d:9.4f} aB  binding {s.binding:.6f} Ry at the highest contrast", flush=True)
    print(write_text(options.out / "platelet.csv", "\n".join(lines) + "\n"))


if __name__ == "__main__":
    main()
