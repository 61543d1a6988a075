"""Write the lattice part of the fine structure of atomistic CsPbI3 cubes as a packaged table.

Run from the root of a checkout:

    .venv/bin/python tools/make_lattice_tensors.py

The three bright levels of each crystal less their mean: a traceless diagonal tensor in the crystal's own
axes, which the source does not name; they are numbered by rising energy. In a cube the shape adds nothing to
it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import perolux
from perolux.files import write_text
from perolux.validation.rows import read_table

SOURCE = "cspbi3_bse_fine_structure_lifetimes.csv"
PHASES = {"Cubic": "cubic", "Relaxed": "relaxed", "Orthorhombic": "orthorhombic"}


def main() -> None:
    """Write the table."""
    lines = [
        "# Lattice tensor of the bright levels, principal values in meV by rising energy, sum 0",
        f"# made by tools/make_lattice_tensors.py, perolux {perolux.__version__},",
        f"# from validation/data/{SOURCE}",
        "# kind: derived (levels less their mean); source: github dchabeda/rad_lifetime 022a85dc67c0",
        "# (no licence stated: numbers only); pseudopotential and Bethe-Salpeter calculation of cubes",
        "material,phase,edge_nm,delta_1_mev,delta_2_mev,delta_3_mev,mean_bright_dark_mev",
    ]
    for row in read_table(SOURCE):
        levels = np.sort([float(row[f"bright_minus_dark_meV_{k}"]) for k in (1, 2, 3)])
        values = ",".join(f"{value:.4f}" for value in (*(levels - levels.mean()), levels.mean()))
        lines.append(f"CsPbI3,{PHASES[row['structure']]},{row['edge_nm']},{values}")
    target = Path(perolux.__file__).parent / "excitons" / "data" / "lattice_tensor.csv"
    write_text(target, "\n".join(lines) + "\n")
    print(target)


if __name__ == "__main__":
    main()
