"""Make `src/perolux/excitons/data/thermal_overlap.csv`: how heat weakens the emission of an exciton.

    R(y, theta) = K_th/K_0,  K_th = sum_n K_n exp(-E_n/theta) / sum_n exp(-E_n/theta),  theta = kT/Ry

over all states of the electron-hole pair in a hard-wall cube of edge y = L/aB (equal masses), bright and
dark alike. The states are those of the product-sine Hamiltonian, in its eight sectors of parity. The lowest
of each sector are found exactly; the trace over the rest is that of random vectors, by Lanczos quadrature,
with its standard error. K_th comes from the Lanczos chain that starts from the contact state itself. The
cusp makes K converge like 1/n, but in the same proportion for all states, so R converges much faster.

    python tools/make_thermal_table.py [--out FILE]     about half an hour on one core
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh

from perolux.excitons.pair.product_sines import _gaussian, _laplace
from perolux.files import write_text

DATA = Path(__file__).parents[1] / "src" / "perolux" / "excitons" / "data"
EDGES = {
    0.5: 4, 0.75: 6, 1.0: 6, 1.25: 6, 1.5: 6, 1.75: 6, 2.0: 8, 2.5: 8, 3.0: 8, 3.5: 8, 4.0: 8, 5.0: 8,
    6.0: 10, 7.0: 10, 8.0: 10, 9.5: 10, 11.0: 12,
}  # fmt: skip
"""Sines per axis for each edge: the highest single-particle level lies above 5 theta for theta up to 1."""
THETAS = (0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5)
EXACT, VECTORS, CHAIN = 16, 4, 50
"""States found exactly in each sector, random vectors for the rest, and steps of each Lanczos chain."""
Triple = tuple[float, float, float]
GAUSSIANS = 20
"""Gaussians that make up 1/r: energies within 1e-6 Ry of those with 48."""


class Sector:
    """The Hamiltonian (Ry) in one sector of parity: the two numbers of each axis have an even or odd sum."""

    def __init__(self, edges: Triple, sines: tuple[int, int, int], odd: tuple[bool, bool, bool]) -> None:
        self.pairs = []
        weights, self.stretch = _laplace(min(edges), GAUSSIANS)
        self.weights = 2.0 * weights
        self.matrices = []
        kinetic = []
        for edge, count, one in zip(edges, sines, odd, strict=True):
            level = np.arange(1, count + 1)
            electron, hole = (each.ravel() for each in np.meshgrid(level, level, indexing="ij"))
            use = (electron + hole) % 2 == int(one)
            e, h = electron[use], hole[use]
            self.pairs.append((e, h))
            kinetic.append(0.5 * math.pi**2 * (e**2 + h**2) / edge**2)
            self.matrices.append(np.stack([_gaussian(e, h, t * edge) for t in self.stretch]))
        self.shape = tuple(k.size for k in kinetic)
        self.kinetic = kinetic[0][:, None, None] + kinetic[1][None, :, None] + kinetic[2][None, None, :]
        self.size = self.kinetic.size

    def apply(self, vector: np.ndarray) -> np.ndarray:
        """H times a vector, without ever storing H."""
        state = vector.reshape(self.shape)
        out = self.kinetic * state
        a, b, c = self.shape
        for weight, one, two, three in zip(self.weights, *self.matrices, strict=True):
            part = (one @ state.reshape(a, b * c)).reshape(a * b, c) @ (weight * three)
            out -= np.matmul(two, part.reshape(a, b, c))
        return out.ravel()

    def contact(self) -> np.ndarray:
        """<contact|basis>: 1 where electron and hole are in the same state on every axis."""
        e, h, k = ((p[0] == p[1]).astype(float) for p in self.pairs)
        return (e[:, None, None] * h[None, :, None] * k[None, None, :]).ravel()

    def lowest(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """The lowest eigenvalues and vectors of this sector."""
        operator = LinearOperator((self.size, self.size), matvec=self.apply, dtype=float)
        return eigsh(operator, k=min(count, self.size - 2), which="SA", tol=1e-6)


def lanczos(apply, start: np.ndarray, steps: int, against: np.ndarray | None = None):
    """Ritz values and squared weights of `start` (normalised) in a chain with full reorthogonalisation."""
    vector = start / np.linalg.norm(start)
    basis, alpha, beta = [vector], [], []
    for _ in range(min(steps, start.size)):
        new = apply(basis[-1])
        alpha.append(float(basis[-1] @ new))
        stack = np.array(basis)
        for _ in range(2):
            new -= stack.T @ (stack @ new)
            if against is not None:
                new -= against @ (against.T @ new)
        size = float(np.linalg.norm(new))
        if size < 1e-9:
            break
        beta.append(size)
        basis.append(new / size)
    energies, vectors = np.linalg.eigh(
        np.diag(alpha) + np.diag(beta[: len(alpha) - 1], 1) + np.diag(beta[: len(alpha) - 1], -1)
    )
    return energies, vectors[0] ** 2


def of_edge(edge: float, sines: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, float, float]:
    """R and its standard error at all temperatures, K_0 and E_0 of one cube."""
    sectors = (
        (Sector(3 * (edge,), 3 * (sines,), odd), many)
        for odd, many in (
            ((False,) * 3, 1),
            ((False, False, True), 3),
            ((False, True, True), 3),
            ((True,) * 3, 1),
        )
    )
    return of_sectors(sectors, THETAS, rng)


def of_sectors(
    sectors: Iterable[tuple[Sector, int]], temperatures: tuple[float, ...], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, float, float]:
    """R, its standard error, K_0 and E_0 from sectors, each as many times; the even one comes first."""
    thetas = np.array(temperatures)
    total, variance, ground, strength = np.zeros(thetas.size), np.zeros(thetas.size), None, None
    for sector, many in sectors:
        values, vectors = sector.lowest(EXACT)
        if ground is None:
            order = np.argsort(values)
            ground = float(values[order[0]])
            meet = sector.contact()
            k0 = float(meet @ vectors[:, order[0]]) ** 2
            ritz, weight = lanczos(sector.apply, meet, CHAIN)
            norm = float(meet @ meet)
            strength = norm * np.array([np.sum(weight * np.exp(-(ritz - ground) / t)) for t in thetas])
        total += many * np.exp(-(values[:, None] - ground) / thetas).sum(axis=0)
        rest = []
        for _ in range(VECTORS):
            start = rng.standard_normal(sector.size)
            start -= vectors @ (vectors.T @ start)
            ritz, weight = lanczos(sector.apply, start, CHAIN, vectors)
            rest.append(
                float(start @ start)
                * np.array([np.sum(weight * np.exp(-(ritz - ground) / t)) for t in thetas])
            )
        total += many * np.mean(rest, axis=0)
        variance += many**2 * np.var(rest, axis=0, ddof=1) / VECTORS
    ratio = strength / total / k0
    return ratio, ratio * np.sqrt(variance) / total, k0, ground


def carried_on(table: dict[float, list[list[float]]]) -> list[str]:
    """Lines of the table; above a fifth of the highest level, R takes its course from the edge before.

    In hot crystals ln R falls with ln theta alike at all sizes: only what the basis lacks is mended.
    """
    lines, before = [], None
    for edge, rows in sorted(table.items()):
        top = 0.5 * math.pi**2 * rows[0][4] ** 2 / edge**2
        ratios = [row[2] for row in rows]
        hot = [n for n, row in enumerate(rows) if row[1] > top / 5.0]
        if hot and before is not None:
            last = hot[0] - 1
            for n in hot:
                ratios[n] = ratios[last] * before[n] / before[last]
        lines += [
            f"{edge:g},{row[1]:g},{ratio:.6g},{row[3]:.2g},{row[4]:.0f},{row[5]:.5f}"
            for row, ratio in zip(rows, ratios, strict=True)
        ]
        before = ratios
    return lines


def main() -> None:
    """Write the table; the progress goes to standard error."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=DATA / "thermal_overlap.csv")
    parser.add_argument(
        "--sines", type=int, default=0, help="change of the number of sines, to see convergence"
    )
    parser.add_argument("--edges", default="", help="only these, comma separated")
    parser.add_argument("--join", type=Path, nargs="*", default=[], help="join tables of single edges")
    options = parser.parse_args()
    wanted = [float(one) for one in options.edges.split(",") if one] or list(EDGES)
    rng = np.random.default_rng(20261125)
    header = [
        "# R = K_th/K_0 of the exciton in a hard-wall cube, equal masses; y = L/aB, theta = kT/Ry",
        "# made by tools/make_thermal_table.py: product sines, lowest states exact, rest by random vectors",
        f"# {EXACT} exact states a sector, {VECTORS} random vectors, chains of {CHAIN}; sigma: of these",
        "# theta above a fifth of the highest level: the course of the edge before, from the last below",
        "y,theta,ratio,sigma,sines,e0_rydberg",
    ]
    table: dict[float, list[list[float]]] = {}
    for path in options.join:
        for line in path.read_text(encoding="utf-8").splitlines():
            if line[:1].isdigit():
                row = [float(cell) for cell in line.split(",")]
                table.setdefault(row[0], []).append(row)
    for edge in [] if options.join else wanted:
        start = time.process_time()
        sines = EDGES[edge] + options.sines
        ratio, sigma, k0, ground = of_edge(edge, sines, rng)
        table[edge] = [
            [edge, theta, float(one), float(error), sines, ground]
            for theta, one, error in zip(THETAS, ratio, sigma, strict=True)
        ]
        seconds = time.process_time() - start
        sys.stderr.write(f"y = {edge:g}, {sines} sines, K_0 {k0:.4g}, {seconds:.0f} s: {ratio.round(3)}\n")
        write_text(options.out, "\n".join([*header, *carried_on(table)]) + "\n")
    if options.join:
        write_text(options.out, "\n".join([*header, *carried_on(table)]) + "\n")


if __name__ == "__main__":
    main()
