"""Image charges of boxes, spheroids and rods by boundary elements, and of correlated pairs in a sphere.

Run from the root of a checkout, about ten minutes on one core:

    .venv/bin/python tools/make_dielectric_tables.py

What the tables hold is explained in `perolux.excitons.pair.dielectric`.
"""

from __future__ import annotations

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # many small problems: threads only get in the way
    os.environ.setdefault(name, "1")

import argparse  # noqa: E402
import math  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

import perolux  # noqa: E402
from perolux.excitons.pair import _boundary as surface  # noqa: E402
from perolux.excitons.pair import sphere  # noqa: E402
from perolux.excitons.pair._lobatto import lobatto_points  # noqa: E402
from perolux.excitons.pair._variation import ball_wall, gauss_unit, lowest_state  # noqa: E402
from perolux.files import write_text  # noqa: E402

DATA = Path(perolux.__file__).parent / "excitons" / "data"
SCREENS = lobatto_points(1.0 / 13.0, 2.0 / 3.0, 5)
"""1/(1 + eps_in/eps_out), for ratios from 12 to 1/2."""
STRETCHES = lobatto_points(0.0, math.log(10.0), 6)
"""ln(longest/shortest edge)."""
SPLITS = lobatto_points(0.0, 1.0, 5)
"""ln(middle/shortest) over ln(longest/shortest): 0 is a square rod, 1 a square plate."""
SPHEROIDS = lobatto_points(-math.log(8.0), math.log(8.0), 9)
"""ln(polar/equatorial diameter)."""
RODS = lobatto_points(math.log(0.5), math.log(10.0), 7)
"""ln(length/diameter)."""
SIZES = np.round(np.geomspace(0.05, 25.0, 28), 6)
"""Radii over aB of the correlated pair."""
DIVISIONS, POINTS = 8, 8
CONTRASTS = 1.0 - 2.0 * SCREENS


def box(edges: tuple[float, float, float], divisions: int = DIVISIONS) -> tuple[np.ndarray, np.ndarray]:
    """Means of a cuboid of volume 1; the first bounce, the least accurate part of the mesh, is exact."""
    octant = surface.box_octant(edges, divisions)
    points, weights = surface.box_density(edges, POINTS)
    own, mutual = surface.image_means(octant, points, weights, np.append(CONTRASTS, 0.0))
    return own[:-1] - own[-1] + surface.first_bounce(edges, *surface.box_density(edges, 20)), mutual[:-1]


def extrapolated(kind: str, aspect: float) -> tuple[np.ndarray, np.ndarray]:
    """Means of a spheroid or rod of volume 1: two meshes, errors falling with the square of the spacing."""
    found = []
    for divisions in (8, 12):
        if kind == "spheroid":
            equator = (3.0 / (4.0 * math.pi * aspect)) ** (1.0 / 3.0)
            radii = (equator, equator, equator * aspect)
            octant, density = surface.ball_octant(radii, divisions), surface.ball_density(radii, 10)
        else:
            diameter = (4.0 / (math.pi * aspect)) ** (1.0 / 3.0)
            octant = surface.rod_octant(diameter, diameter * aspect, divisions)
            density = surface.rod_density(diameter, diameter * aspect, 10)
        found.append(surface.image_means(octant, *density, CONTRASTS))
    ratio = 1.0 / ((12.0 / 8.0) ** 2 - 1.0)
    return tuple(fine + ratio * (fine - coarse) for coarse, fine in zip(*found, strict=True))


def boxes() -> Iterator[tuple[float, float, float, float, float]]:
    """Stretch, split, screen, own and difference of all cuboids."""
    for stretch in STRETCHES:
        for split in SPLITS:
            if stretch > 0.0 or split == 0.0:  # a cube is the same for every split
                logs = np.array([0.0, split * stretch, stretch])
                done = box(tuple(np.exp(logs - logs.mean())))
            print(f"box {stretch:.3f} {split:.3f}", done[0] - done[1], flush=True)
            for screen, own, mutual in zip(SCREENS, *done, strict=True):
                yield stretch, split, screen, own * screen, (own - mutual) * screen


def rounds(kind: str) -> Iterator[tuple[float, float, float, float]]:
    """ln(aspect), screen, own and difference of all spheroids or rods."""
    exact_own, exact_rest = sphere_means(1e-6)
    exact_own = exact_own * (4.0 * math.pi / 3.0) ** (1.0 / 3.0)
    exact_rest = exact_rest * (4.0 * math.pi / 3.0) ** (1.0 / 3.0)
    round_own, round_mutual = extrapolated("spheroid", 1.0)
    for log_aspect in SPHEROIDS if kind == "spheroid" else RODS:
        own, mutual = extrapolated(kind, math.exp(log_aspect))
        rest = (own - mutual) * SCREENS
        if kind == "spheroid":  # the sphere is known exactly: take only the ratio from the mesh
            own = exact_own * own / round_own
            rest = exact_rest * (rest / SCREENS) / (round_own - round_mutual)
        else:
            own = own * SCREENS
        print(f"{kind} {log_aspect:.3f}", rest, flush=True)
        yield from zip([log_aspect] * SCREENS.size, SCREENS, own, rest, strict=True)


def sphere_means(size: float) -> tuple[np.ndarray, np.ndarray]:
    """Own and difference of the correlated pair in a sphere of radius 1 = `size` aB, for each screen.

    Sums over n >= 1 in closed form: sum (n+1)/(n+t) y^n = sum y^n + (1-t) int_0^1 s^(t-1) sum (s y)^n ds,
    with sum y^n P_n(c) = 1/sqrt(1 - 2 y c + y^2) - 1.
    """
    order, points = 7, 32
    node, weight = gauss_unit(points)
    outer, inner = node[:, None, None], node[:, None, None] * node[None, :, None]
    distance = outer - inner + 2.0 * inner * node[None, None, :]
    measure = 2.0 * outer * inner * distance * outer * 2.0 * inner  # both orders of electron and hole
    measure = measure * weight[:, None, None] * weight[None, :, None] * weight[None, None, :]
    if size < 1e-3:
        psi = np.sinc(outer) * np.sinc(inner) * np.ones_like(distance)
    else:
        state = sphere.solve_sphere(size, order=order)
        with_matrices = sphere._matrices(
            size, state.exponent, state.wall, sphere._basis(order, True), 1.0, points
        )
        overlap, hamiltonian = with_matrices
        _, vector = lowest_state(hamiltonian, overlap)
        basis = sphere._basis(order, True)
        amplitude = np.zeros_like(distance)
        for first, count, value in zip(basis.first, basis.size, vector, strict=True):
            for row in range(first, first + count):
                amplitude += value * (
                    outer ** (2 * basis.p[row]) * inner ** (2 * basis.q[row]) * distance ** int(basis.s[row])
                )
        curvature = 1.0 - state.wall * size * size
        psi = ball_wall(outer, curvature)[0] * ball_wall(inner, curvature)[0] * amplitude
        psi = psi * np.exp(-state.exponent * size * distance)
    density = measure * psi**2
    density /= density.sum()
    cosine = (outer**2 + inner**2 - distance**2) / (2.0 * outer * inner)
    own, rest = np.zeros(SCREENS.size), np.zeros(SCREENS.size)

    def sums(y: np.ndarray, c: np.ndarray | float) -> np.ndarray:
        return 1.0 / np.sqrt((1.0 - y) ** 2 + 2.0 * y * (1.0 - c)) - 1.0

    for k, t in enumerate(SCREENS):

        def kernel(y: np.ndarray, c: np.ndarray | float, t: float = float(t)) -> np.ndarray:
            total = sums(y, c)
            for x, w in zip(*gauss_unit(16), strict=True):  # s = x^3 smooths s^(t-1) at the lower end
                s = x**3
                total = total + (1.0 - t) * 3.0 * x**2 * w * s ** (t - 1.0) * sums(s * y, c)
            return total

        single = 0.5 * (kernel(outer**2, 1.0) + kernel(inner**2, 1.0))
        own[k] = 1.0 + t * float((density * single).sum())
        rest[k] = t * float((density * (single - kernel(outer * inner, cosine))).sum())
    return own, rest


def spheres() -> Iterator[tuple[float, float, float, float]]:
    """Size, screen, own and difference of the correlated pair; size 0 is the uncorrelated one."""
    for size in (0.0, *SIZES):
        own, rest = sphere_means(size)
        print(f"sphere {size:.4f} aB", own, rest, flush=True)
        yield from zip([size] * SCREENS.size, SCREENS, own, rest, strict=True)


TABLES = {
    "dielectric_sphere": (spheres, "radius_over_bohr,screen,own,rest", "radius R"),
    "dielectric_box": (boxes, "stretch,split,screen,own,rest", "cube root of the volume"),
    "dielectric_spheroid": (
        lambda: rounds("spheroid"),
        "log_aspect,screen,own,rest",
        "cube root of the volume",
    ),
    "dielectric_rod": (lambda: rounds("rod"), "log_aspect,screen,own,rest", "cube root of the volume"),
}


def main() -> None:
    """Write the tables that were asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--table", choices=list(TABLES), help="only this one (default: all)")
    parser.add_argument("--out", type=Path, default=DATA, help="folder (default: the package data)")
    options = parser.parse_args()
    for table in [options.table] if options.table else TABLES:
        rows, columns, unit = TABLES[table]
        lines = [
            "# Surface charges of a pair inside a dielectric body, in units of "
            f"(e^2/4 pi eps0 eps_in)(eps_in/eps_out - 1)/l, l the {unit}",
            f"# made by tools/make_dielectric_tables.py, perolux {perolux.__version__}",
            "# screen = 1/(1 + eps_in/eps_out); own: self-energies of both carriers together;",
            "# rest: what the image interaction leaves of them",
            "# kind: derived (calculation of this program); licence: BSD-3-Clause",
            columns,
        ]
        lines += [",".join(f"{value:.8g}" for value in row) for row in rows()]
        print(write_text(options.out / f"{table}.csv", "\n".join(lines) + "\n"))


if __name__ == "__main__":
    main()
