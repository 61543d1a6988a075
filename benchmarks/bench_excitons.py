"""Excitons: solver time and error against basis size; the table against the Brus formula; product sines."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.timing import median_cpu, row
from perolux.excitons.cube import CUBE_ORDER, solve_cube
from perolux.excitons.product_sines import solve_by_product_sines
from perolux.excitons.sphere import SPHERE_ORDER, solve_sphere
from perolux.excitons.state import ExcitonState
from perolux.excitons.tables import interpolate

SIZES = {"sphere": (0.5, 2.0, 10.0), "cube": (1.0, 3.0, 12.0)}
LADDERS: dict[str, tuple[Callable[..., ExcitonState], tuple[int, ...], int]] = {
    "sphere": (solve_sphere, (3, 5, SPHERE_ORDER), 10),
    "cube": (solve_cube, (4, 6, 8, CUBE_ORDER), 12),
}
"""Solver, orders to time, and the order that stands for the converged result."""


def run() -> list[dict[str, Any]]:
    """Rows of the benchmark table; about a minute on one core."""
    return [*_solvers(), *_curves(), *_product_sines()]


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
        exact = np.array([solve(float(size)).energy_over_rydberg for size in check])
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
                f"peer {peer_error.min():.2f} to {peer_error.max():.2f} Ry",
                note="E, K, X and their errors; the peer gives E only, and K = 1 at every size",
            )
        )
    return rows


def _product_sines() -> list[dict[str, Any]]:
    rows = []
    for size in (1.0, 3.0):
        exact = solve_cube(size, order=12)
        state = solve_cube(size, order=6)
        energy, k, x = solve_by_product_sines(size, 6)
        ours = _errors([state], [exact])
        rows.append(
            row(
                f"solve cube of {size:g} aB, {state.functions} functions",
                median_cpu(lambda size=size: solve_cube(size, order=6)),
                peer="product-sine CI in SciPy, 6 sines per axis (5832 states)",
                peer_seconds=median_cpu(lambda size=size: solve_by_product_sines(size, 6), repeats=3),
                accuracy=f"{ours}; peer E {energy - exact.energy_over_rydberg:.1e} Ry, "
                f"K {100 * (k / exact.overlap_k - 1):.0f} %, X {100 * (x / exact.exchange_x - 1):.0f} %",
            )
        )
    return rows
