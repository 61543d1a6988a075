"""Make `src/perolux/validation/data/plate_heat.csv`: R of the pair in plates, from the trace over all states.

The same trace as in `make_thermal_table.py`, over products of sines in a box a x b x d with the images of
the plate's two faces: each Gaussian of 1/r is summed over all images on the axis across, and each carrier
sees its own. It knows nothing of bound and free pairs, which `perolux.excitons.light.plate_heat` tells apart.

    python tools/make_plate_heat.py [--out FILE]     about ten minutes on one core
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
import time
from pathlib import Path

import numpy as np
from make_thermal_table import Sector, of_sectors

from perolux.files import write_text

DATA = Path(__file__).parents[1] / "src" / "perolux" / "validation" / "data"
PLATES = (
    (3.0, 3.0, 1.0, 0.0, 10, 10, 4),
    (6.0, 6.0, 2.0, 0.0, 12, 12, 4),
    (6.0, 6.0, 2.0, 0.5, 12, 12, 4),
    (8.0, 8.0, 1.0, 0.5, 12, 12, 3),
    (9.0, 9.0, 3.0, 0.5, 12, 12, 5),
    (10.0, 10.0, 3.0, 0.0, 12, 12, 5),
    (10.0, 5.0, 2.0, 0.5, 13, 8, 4),
    (12.0, 12.0, 4.0, 0.5, 14, 14, 6),
)
"""Edges in aB, contrast, sines on each axis: the highest level lies above 5 theta."""
THETAS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0)
POINTS, SMALLEST = 160, 1e-5


class PlateSector(Sector):
    """A sector with the images of both faces across the third axis."""

    def __init__(self, edges, sines, odd, contrast: float) -> None:
        super().__init__(edges, sines, odd)
        depth = edges[2]
        node, weight = np.polynomial.legendre.leggauss(POINTS)
        node, weight = 0.5 * (node + 1.0), 0.5 * weight
        sine = math.sqrt(2.0) * np.sin(math.pi * np.outer(node, np.arange(1, sines[2] + 1)))
        z = (node - 0.5) * depth
        e, h = (one - 1 for one in self.pairs[2])
        both = (sine[:, e][:, None, :] * sine[:, h][None, :, :]).reshape(-1, e.size)
        heavy = (weight[:, None] * weight[None, :]).ravel()
        many = math.ceil(math.log(SMALLEST) / math.log(contrast)) if contrast > 0 else 0
        images = [(contrast ** abs(n), (-1) ** n, n * depth) for m in range(1, many + 1) for n in (m, -m)]
        for place, t in enumerate(self.stretch):
            # electron at z_e, image of the hole at (-1)^n z_h - n d
            seen = sum(
                (q * np.exp(-((t * (z[:, None] - sign * z[None, :] + far)) ** 2)) for q, sign, far in images),
                np.zeros((POINTS, POINTS)),
            )
            self.matrices[2][place] += both.T @ ((heavy * seen.ravel())[:, None] * both)
        own = sum((q / np.abs(z - sign * z + far) for q, sign, far in images), np.zeros(POINTS))
        one = sine.T @ ((weight * own)[:, None] * sine)
        self.own = one[np.ix_(e, e)] * (h[:, None] == h) + one[np.ix_(h, h)] * (e[:, None] == e)

    def apply(self, vector: np.ndarray) -> np.ndarray:
        """H times a vector, self-energies included."""
        return super().apply(vector) + (vector.reshape(-1, self.shape[2]) @ self.own).ravel()


def sectors_of(edges, sines, contrast: float):
    """All sectors of parity, those that a square plate has twice counted so."""
    for odd in itertools.product((False, True), repeat=3):
        many = 1
        if edges[0] == edges[1] and odd[0] != odd[1]:
            if odd[0]:
                continue
            many = 2
        yield PlateSector(edges, sines, odd, contrast), many


def main() -> None:
    """Write the table; the progress goes to standard error."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=DATA / "plate_heat.csv")
    options = parser.parse_args()
    rng = np.random.default_rng(20261126)
    lines = ["a,b,thickness,contrast,theta,ratio,sigma"]
    for a, b, depth, contrast, *sines in PLATES:
        start = time.process_time()
        ratio, sigma, k0, ground = of_sectors(sectors_of((a, b, depth), tuple(sines), contrast), THETAS, rng)
        lines += [
            f"{a:g},{b:g},{depth:g},{contrast:g},{theta:g},{one:.5g},{error:.2g}"
            for theta, one, error in zip(THETAS, ratio, sigma, strict=True)
        ]
        write_text(options.out, "\n".join(lines) + "\n")
        seconds = time.process_time() - start
        sys.stderr.write(
            f"{a:g} x {b:g} x {depth:g}, q {contrast:g}: K_0 {k0:.4g}, E_0 {ground:.5f} Ry, {seconds:.0f} s: "
            f"{ratio.round(3)}\n"
        )


if __name__ == "__main__":
    main()
