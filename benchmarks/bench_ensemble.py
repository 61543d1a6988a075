"""Ensembles: making, mixing and compressing populations."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.timing import median_cpu, row
from perolux.ensemble import Ensemble, Lognormal, Population, compress, mix, quadrature, sample

CUBES = Population(shape="cube", size_convention="core-edge", material="CsPbBr3")


def run() -> list[dict[str, Any]]:
    """Quadrature against sampling at equal accuracy of the mean volume; mix and compress."""
    size = Lognormal(9.0, 0.15)
    exact = 9.0**3 * (1.0 + 0.15**2) ** 3
    nodes = quadrature(size, CUBES, n=16)
    drawn = sample(size, CUBES, 100_000, np.random.default_rng(1))
    parts = [quadrature(Lognormal(mean, 0.1), CUBES, n=24) for mean in np.linspace(5.0, 15.0, 40)]
    union = mix(parts, [1 / 40] * 40)
    _, report = compress(union, 50)

    def error(ensemble: Ensemble) -> float:
        return abs(ensemble.mean("volume_nm3") / exact - 1.0)

    return [
        row(
            "mean volume of a lognormal, 16 quadrature nodes",
            median_cpu(lambda: quadrature(size, CUBES, n=16).mean("volume_nm3")),
            peer="the same by NumPy sampling, 100000 draws",
            peer_seconds=median_cpu(lambda: _sampled(size)),
            accuracy=f"relative error {error(nodes):.1e}; 100000 samples {error(drawn):.1e}",
        ),
        row(
            "sample 100000 crystals",
            median_cpu(lambda: sample(size, CUBES, 100_000, np.random.default_rng(1))),
        ),
        row("mix 40 ensembles of 24 rows", median_cpu(lambda: mix(parts, [1 / 40] * 40))),
        row(
            "compress 960 rows to 50",
            median_cpu(lambda: compress(union, 50)),
            accuracy=f"volume error {report.volume_error:.1e}; {report}",
        ),
    ]


def _sampled(size: Lognormal) -> float:
    generator = np.random.default_rng(1)
    edges = generator.lognormal(size.log_mean, size.log_sigma, 100_000)
    return float(np.mean(edges**3))
