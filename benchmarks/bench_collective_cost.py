"""Collective light: seconds of each method against the number of emitters, with the law that they follow."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks.bench_collective import cluster, grid
from benchmarks.cost_law import cost_law
from benchmarks.timing import row
from perolux.collective.blocks import blocks, product_state
from perolux.collective.cumulants import cumulant_emission
from perolux.collective.dicke import dicke_burst
from perolux.collective.diffusion import diffusion_emission
from perolux.collective.eigenstate_rates import eigenstate_emission
from perolux.collective.ladder import ladder_emission
from perolux.collective.lattice_excitation import lattice_couplings, lattice_emission
from perolux.collective.master_equation import exact_emission
from perolux.collective.single_excitation import single_excitation_emission
from perolux.collective.symmetric import symmetric_burst
from perolux.collective.trajectories import trajectory_emission
from perolux.collective.wigner import wigner_emission

SHORT = np.linspace(0.0, 0.1, 6)


def run() -> list[dict[str, Any]]:
    """One row for each method: the largest N that was timed, with the law and all points."""
    rows = []
    for method, kind, setting, sizes, prepare in METHODS:
        # compiled before it is timed
        prepare(sizes[0])()
        points = [(n, _seconds(prepare(n))) for n in sizes]
        law = cost_law(*zip(*points, strict=True), kind)
        rows.append(
            {
                **row(f"{method}, N = {sizes[-1]}: {setting}", points[-1][1], note=law.text()),
                "method": method,
                "points": points,
                "law": asdict(law),
            }
        )
    return rows


def _seconds(function: Callable[[], Any]) -> float:
    """The least CPU seconds of three calls, of one where it takes more than two."""
    found: list[float] = []
    while len(found) < 3 and (not found or found[-1] < 2.0):
        start = time.process_time()
        function()
        found.append(time.process_time() - start)
    return min(found)


def _exact(n: int, shifts: bool) -> Callable[[], Any]:
    between = cluster(n) if shifts else cluster(n).without_shifts()
    start = product_state(blocks(n), np.arange(n))
    return lambda: exact_emission(between, start, SHORT)


def _trajectories(n: int) -> Callable[[], Any]:
    between, start = cluster(n), product_state(blocks(n), np.arange(n))
    return lambda: trajectory_emission(
        between, start, 10.0 * SHORT, trajectories=50, rng=np.random.default_rng(0)
    )


def _eigenstates(n: int) -> Callable[[], Any]:
    between, start = cluster(n, 100.0), product_state(blocks(n), np.arange(n))
    return lambda: eigenstate_emission(between, start, SHORT)


def _ladder(n: int) -> Callable[[], Any]:
    between = cluster(n)
    return lambda: ladder_emission(between, SHORT)


def _wigner(n: int, shifts: bool) -> Callable[[], Any]:
    between = cluster(n) if shifts else cluster(n).without_shifts()
    return lambda: wigner_emission(
        between, np.arange(n), 0.1 * SHORT, trajectories=16, rng=np.random.default_rng(0), time_step=5e-4
    )


def _cumulants(n: int) -> Callable[[], Any]:
    between = cluster(n)
    return lambda: cumulant_emission(between, np.arange(n), 0.1 * SHORT)


def _diffusion(n: int) -> Callable[[], Any]:
    between = cluster(n)
    return lambda: diffusion_emission(
        between, np.arange(n), 0.1 * SHORT, trajectories=16, rng=np.random.default_rng(0), time_step=5e-4
    )


def _one_excitation(n: int) -> Callable[[], Any]:
    between = cluster(n)
    wave = np.full(n, 1.0 / np.sqrt(n), dtype=complex)
    return lambda: single_excitation_emission(between, wave, SHORT)


def _one_on_lattice(n: int) -> Callable[[], Any]:
    edge = round(n ** (1 / 3))
    emitters = grid(edge, edge, edge, spread=1000.0)
    between = lattice_couplings(emitters, np.full(3, 12.5))
    wave = np.full(n, 1.0 / np.sqrt(n), dtype=complex)
    return lambda: lattice_emission(between, wave, np.array([0.0, 0.005]), tolerance=1e-4)


METHODS: tuple[tuple[str, str, str, tuple[int, ...], Callable[[int], Callable[[], Any]]], ...] = (
    ("exact with shifts", "exponential", "to 0.1/Gamma", (3, 4, 5, 6, 7, 8, 9), lambda n: _exact(n, True)),
    ("exact without shifts", "exponential", "to 0.1/Gamma", (5, 6, 7, 8, 9, 10), lambda n: _exact(n, False)),
    ("jump trajectories", "exponential", "50, shifts, to 1/Gamma", (6, 7, 8, 9, 10, 11, 12), _trajectories),
    ("eigenstate rates", "exponential", "shifts, to 0.1/Gamma", (5, 6, 7, 8, 9, 10), _eigenstates),
    ("ladder of number and energy", "exponential", "shifts, to 0.1/Gamma", (6, 7, 8, 9, 10, 11), _ladder),
    (
        "truncated Wigner with shifts", "power", "16 draws, 20 steps", (64, 125, 216, 512, 1000, 1728, 4096),
        lambda n: _wigner(n, True),
    ),
    (
        "truncated Wigner without shifts", "power", "16 draws, 20 steps", (64, 125, 216, 512, 1000, 1728),
        lambda n: _wigner(n, False),
    ),
    ("cumulants", "power", "shifts, to 0.01/Gamma", (16, 27, 48, 64, 100, 150), _cumulants),
    ("product-state diffusion", "power", "16 draws, 20 steps", (27, 64, 125, 216, 343), _diffusion),
    (
        "one excitation, dense", "power", "shifts, to 0.1/Gamma", (64, 125, 216, 343, 512, 1000),
        _one_excitation,
    ),
    (
        "one excitation on a lattice", "power", "shifts, spread 1000, to 0.005/Gamma",
        (512, 1000, 1728, 4096, 8000, 17576), _one_on_lattice,
    ),
    ("Dicke ladder", "power", "a whole burst", (20, 40, 80, 160, 320, 640), lambda n: lambda: dicke_burst(n)),
    (
        "symmetric with dephasing and loss", "power", "a whole burst", (10, 20, 40, 80),
        lambda n: lambda: symmetric_burst(n, dephasing=2.0, loss=1.0),
    ),
)  # fmt: skip
