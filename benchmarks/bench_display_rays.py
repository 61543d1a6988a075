"""Monte Carlo of luminescent films: photons a second, beside the deterministic slab and pvtrace."""

from __future__ import annotations

import statistics
import time
from typing import Any

import numpy as np

from benchmarks.peers import pvtrace_slab
from benchmarks.timing import median_cpu, row
from perolux.display.pixel_rays import PixelArray, pixel_light
from perolux.display.rays import Scatterers, ray_light
from perolux.display.reference_slab import reference_slab
from perolux.display.slab import slab_light

PHOTONS = 1_000_000
FILM = (1.6, 4.60517, 0.95)


def run() -> list[dict[str, Any]]:
    """The rows; pvtrace runs in an environment of its own."""
    slab = reference_slab(*FILM)
    return [
        _photons("film with scattering depth 2, 1e6 photons", 2.0),
        _photons("bare film, 1e6 photons", 0.0),
        _side_by_side(),
        row(
            "pixels 45 um apart, half-high black walls, scattering depth 2, 1e5 photons",
            median_cpu(
                lambda: pixel_light(
                    slab, PixelArray(45.0, 4.0, "black", 2.0), 100_000, np.random.default_rng(1),
                    scatterers=Scatterers(2.0), threads=1,
                )
            ),
            note="one thread",
        ),
        *pvtrace_slab.run(),
    ]  # fmt: skip


def _photons(name: str, scatter: float) -> dict[str, Any]:
    slab, scatterers = reference_slab(*FILM), Scatterers(scatter)

    def walk(threads: int | None) -> Any:
        return ray_light(slab, PHOTONS, np.random.default_rng(1), scatterers=scatterers, threads=threads)

    seconds = median_cpu(lambda: walk(1))
    walls = []
    for _ in range(5):
        start = time.perf_counter()
        walk(None)
        walls.append(time.perf_counter() - start)
    found = walk(1)
    return row(
        name,
        seconds,
        accuracy=f"T {found.t_em:.4f} R {found.r_em:.4f} loss {found.loss:.4f} N "
        f"{found.emissions_per_photon:.3f}, sigma {found.sigma['t_em']:.1g}",
        note=f"{PHOTONS / seconds:.3g} photons a second of one core; all cores, wall: "
        f"{PHOTONS / statistics.median(walls):.3g} a second; {found.events / PHOTONS:.1f} events a photon",
    )


def _side_by_side() -> dict[str, Any]:
    slab = reference_slab(*FILM)
    exact = slab_light(slab)
    found = ray_light(slab, 100_000, np.random.default_rng(1))
    z = max(
        abs(getattr(found, name) - getattr(exact, name)) / found.sigma[name]
        for name in ("t_blue", "t_em", "r_em", "loss", "emissions_per_photon")
    )
    return row(
        "bare film by the deterministic slab",
        median_cpu(lambda: slab_light(slab)),
        peer="perolux, Monte Carlo of 1e5 photons",
        peer_seconds=median_cpu(lambda: ray_light(slab, 100_000, np.random.default_rng(1), threads=1)),
        accuracy=f"T {exact.t_em:.4f}, Monte Carlo {found.t_em:.4f}; {z:.1f} sigma apart at most",
    )
