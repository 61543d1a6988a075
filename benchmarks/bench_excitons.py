"""Excitons: solver time and error against basis size; the table against the Brus formula; product sines."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import median_cpu, row
from perolux.excitons.pair import sphere_products
from perolux.excitons.pair.cube import CUBE_ORDER, solve_cube
from perolux.excitons.pair.lattice_screening import haken_shift
from perolux.excitons.pair.product_sines import solve_by_product_sines
from perolux.excitons.pair.sphere import SPHERE_ORDER, solve_sphere
from perolux.excitons.pair.sphere_products import solve_by_sphere_products
from perolux.excitons.pair.state import ExcitonState
from perolux.excitons.pair.tables import interpolate
from perolux.excitons.pair.transitions import transitions

PLOT = Path(__file__).parent.parent / "docs" / "images" / "pair_convergence.svg"
SIZES = {"sphere": (0.5, 2.0, 10.0), "cube": (1.0, 3.0, 12.0)}
LADDERS: dict[str, tuple[Callable[..., ExcitonState], tuple[int, ...], int]] = {
    "sphere": (solve_sphere, (3, 5, SPHERE_ORDER), 10),
    "cube": (solve_cube, (4, 6, 8, CUBE_ORDER), 12),
}
"""Solver, orders to time, and the order that stands for the converged result."""


def run() -> list[dict[str, Any]]:
    """Rows of the benchmark table; about a minute on one core."""
    points = _convergence()
    plot(points, PLOT)
    return [*_solvers(), *_curves(), *_many(), *_light(), *_products(points)]


def brus(shape: str, size: np.ndarray) -> np.ndarray:
    """The Brus formula E/Ry in the form that is in use, K = 1: first order, and for spheres the -0.248 Ry."""
    if shape == "sphere":
        return np.asarray(math.pi**2 / size**2 - 3.572 / size - 0.248)
    return np.asarray(3 * math.pi**2 / size**2 - 6.09557 / size)


def _errors(found: list[ExcitonState], exact: list[ExcitonState]) -> str:
    energy = max(
        abs(a.energy_over_rydberg - b.energy_over_rydberg) for a, b in zip(found, exact, strict=True)
    )
    k = max(abs(a.overlap_k / b.overlap_k - 1) for a, b in zip(found, exact, strict=True))
    x = max(abs(a.exchange_x / b.exchange_x - 1) for a, b in zip(found, exact, strict=True))
    return f"worst E {energy:.1e} Ry, K {100 * k:.2g} %, X {100 * x:.2g} %"


def _solvers() -> list[dict[str, Any]]:
    rows = []
    for shape, (solve, orders, top) in LADDERS.items():
        exact = [solve(size, order=top) for size in SIZES[shape]]
        for order in orders:
            states = [solve(size, order=order) for size in SIZES[shape]]
            seconds = median_cpu(
                lambda order=order, shape=shape, solve=solve: solve(SIZES[shape][1], order=order)
            )
            sizes = ", ".join(f"{size:g}" for size in SIZES[shape])
            rows.append(
                row(
                    f"solve {shape}, {states[0].functions} functions",
                    seconds,
                    accuracy=_errors(states, exact),
                    note=f"with the search for the exponent; against order {top} at {sizes} aB",
                )
            )
    return rows


def _curves() -> list[dict[str, Any]]:
    rows = []
    for shape, (solve, _, _) in LADDERS.items():
        sizes = np.geomspace(0.3, 12.0, 200)
        check = sizes[::40]
        states = [solve(float(size)) for size in check]
        exact = np.array([state.energy_over_rydberg for state in states])
        largest_k = max(state.overlap_k for state in states)
        table_error = np.abs(interpolate(shape, check).energy_over_rydberg - exact).max()
        peer_error = np.abs(brus(shape, check) - exact)
        seconds = median_cpu(lambda shape=shape, sizes=sizes: interpolate(shape, sizes))
        peer_seconds = median_cpu(lambda shape=shape, sizes=sizes: brus(shape, sizes))
        rows.append(
            row(
                f"table of the {shape}, 200 sizes",
                seconds,
                peer="Brus formula in NumPy",
                peer_seconds=peer_seconds,
                accuracy=f"worst E {table_error:.1e} Ry; "
                f"peer {peer_error.min():.2f} to {peer_error.max():.2f} Ry, "
                f"K too small by up to {largest_k:.0f} times",
                note="E, K, X and their errors at 0.3 to 12 aB; the peer has E and K = 1 at every size",
            )
        )
    return rows


def _many() -> list[dict[str, Any]]:
    sizes = np.random.default_rng(1).uniform(1.0, 15.0, 100_000)
    screening = {"eps_static": 24.1, "eps_optical": 4.5, "eps_effective": 7.3, "phonon_over_rydberg": 0.6}
    names = {
        "table of the cube, 100 000 sizes": lambda: interpolate("cube", sizes),
        "four transitions of the cube, 100 000 sizes": lambda: transitions("cube", sizes, 4),
        "Haken layer of the cube, 100 000 sizes": lambda: haken_shift("cube", sizes, **screening),
    }
    return [row(name, median_cpu(function), note="no known peer") for name, function in names.items()]


@dataclass(frozen=True)
class Point:
    """One basis: who, what, functions, CPU seconds, errors of E (Ry) and K (relative)."""

    method: str
    shape: str
    size: float
    functions: int
    seconds: float
    energy_error: float
    k_error: float


def _light() -> list[dict[str, Any]]:
    """A passport, the properties of a million nanocrystals, the spectrum of an ensemble from its table."""
    from perolux.ensemble import Lognormal, Population, sample
    from perolux.excitons import nanocrystal, passport, population
    from perolux.excitons.light.spectra import (
        SpectralTable,
        absorption_lines,
        ensemble_absorption,
        gaussian_line,
    )

    cube = nanocrystal("CsPbBr3", "cube", 8.0, "core-edge")
    crowd = sample(
        Lognormal(8.0, 0.1), Population("cube", "core-edge", "CsPbBr3"), 1_000_000, np.random.default_rng(1)
    )
    few = sample(
        Lognormal(8.0, 0.05), Population("cube", "core-edge", "CsPbBr3"), 200, np.random.default_rng(2)
    )
    sizes, grid = np.linspace(5.0, 12.0, 200), np.linspace(2.2, 3.0, 1000)
    energy = 2.3 + 20.0 / sizes[:, None] ** 2 * np.arange(1, 5)
    strengths = np.full((200, 4), 30.0)

    def spectrum() -> None:
        lines = absorption_lines(
            grid, energy, strengths, gaussian_line(0.08), local_field=0.74, solvent_index=1.5
        )
        ensemble_absorption(SpectralTable(sizes, grid, lines, "cm2"), few)

    note = "two parameter sets; no peer computes this"
    return [
        row("passport of one cube, 257 rows a set", median_cpu(lambda: passport(cube)), note=note),
        row("properties of 1e6 cubes", median_cpu(lambda: population(crowd), repeats=3), note=note),
        row(
            "spectrum of 200 sizes x 1000 energies, 4 lines each", median_cpu(spectrum), note="table included"
        ),
    ]


def _convergence() -> list[Point]:
    """Both bases of both shapes at two sizes, against the largest correlated basis."""
    points = []
    for shape, (solve, _, top) in LADDERS.items():
        for size in (1.0, 3.0):
            exact = solve(size, order=top)

            def point(
                method: str,
                functions: int,
                run: Callable[[], Any],
                energy: float,
                k: float,
                shape: str = shape,
                size: float = size,
                exact: ExcitonState = exact,
            ) -> Point:
                return Point(
                    method,
                    shape,
                    size,
                    functions,
                    median_cpu(run, repeats=3),
                    abs(energy - exact.energy_over_rydberg),
                    abs(k / exact.overlap_k - 1.0),
                )

            for order in (3, 4, 5, 6, 7) if shape == "sphere" else (4, 6, 8, 10):
                state = solve(size, order=order)
                points.append(
                    point(
                        "correlated",
                        state.functions,
                        lambda solve=solve, size=size, order=order: solve(size, order=order),
                        state.energy_over_rydberg,
                        state.overlap_k,
                    )
                )
            for n in (2, 4, 6, 8) if shape == "sphere" else (2, 4, 6):
                if shape == "sphere":
                    energies, ks, _ = solve_by_sphere_products(size, n, n)
                    energy, k = float(energies[0]), float(ks[0])
                    functions = (n + 1) * n * (n + 1) // 2
                    run = lambda size=size, n=n: _afresh(size, n)  # noqa: E731
                else:
                    energy, k, _ = solve_by_product_sines(size, n)
                    functions = (n * n // 2) ** 3
                    run = lambda size=size, n=n: solve_by_product_sines(size, n)  # noqa: E731
                points.append(point("products", functions, run, energy, k))
    return points


def _afresh(size: float, n: int) -> None:
    """Products of orbitals with their integrals, which the package keeps between calls."""
    sphere_products._attraction.cache_clear()
    sphere_products._orbitals.cache_clear()
    solve_by_sphere_products(size, n, n)


def plot(points: list[Point], path: Path) -> None:
    """Errors of E and K against functions and seconds, both axes logarithmic, as SVG."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "perolux"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(2, 2, figsize=(8.0, 6.0), sharey="row", layout="constrained")
    for column, (shape, size) in enumerate((("sphere", 3.0), ("cube", 3.0))):
        for method, marker in (("correlated", "o-"), ("products", "s--")):
            own = [p for p in points if (p.method, p.shape, p.size) == (method, shape, size)]
            top, bottom = axes[0, column], axes[1, column]
            functions = [p.functions for p in own]
            top.loglog(functions, [p.energy_error for p in own], f"C0{marker}", label=f"{method}: E (Ry)")
            top.loglog(functions, [p.k_error for p in own], f"C1{marker}", label=f"{method}: K (relative)")
            seconds = [p.seconds for p in own]
            bottom.loglog(seconds, [p.energy_error for p in own], f"C0{marker}")
            bottom.loglog(seconds, [p.k_error for p in own], f"C1{marker}")
        letter = "R" if shape == "sphere" else "L"
        axes[0, column].set(title=f"{shape}, {letter} = {size:g} aB", xlabel="basis functions")
        axes[1, column].set(xlabel="CPU seconds, search for the exponent included")
    for line in axes[:, 0]:
        line.set_ylabel("error")
    axes[0, 0].legend(fontsize=8)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, format="svg", metadata={"Date": None})
    pyplot.close(figure)


def _products(points: list[Point]) -> list[dict[str, Any]]:
    """The correlated basis beside the largest product basis of the plot."""
    rows = []
    for shape, peer in (("sphere", "products of orbitals"), ("cube", "product-sine CI in SciPy")):
        for size in (1.0, 3.0):
            ours, theirs = (
                [p for p in points if (p.method, p.shape, p.size) == (method, shape, size)]
                for method in ("correlated", "products")
            )
            one, other = ours[1], theirs[-1]
            rows.append(
                row(
                    f"solve {shape} of {size:g} aB, {one.functions} functions",
                    one.seconds,
                    peer=f"{peer}, {other.functions} functions",
                    peer_seconds=other.seconds,
                    accuracy=f"E {one.energy_error:.1e} Ry, K {100 * one.k_error:.2g} %; "
                    f"peer E {other.energy_error:.1e} Ry, K {100 * other.k_error:.2g} %",
                )
            )
    return rows
