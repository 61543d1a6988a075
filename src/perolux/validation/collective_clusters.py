"""Functions of the rows in `collective_clusters.toml`: bursts of 13 to 16 emitters with full shifts."""

from __future__ import annotations

from functools import cache

import numpy as np

from perolux.collective.blocks import blocks, product_state
from perolux.collective.couplings import Couplings, Emitters, couplings
from perolux.collective.jumps import Rules
from perolux.collective.ladder import ladder_emission
from perolux.collective.master_equation import exact_emission
from perolux.collective.rows import Emission
from perolux.collective.stepped_trajectories import stepped_trajectories
from perolux.collective.trajectories import trajectory_emission

__all__ = [
    "cluster_burst",
    "ladder_off_trajectories_percent",
    "ladder_population_off_percent",
    "stepped_off_sigma",
]

# geometry: until just past the peak, and how many trajectories
_RUNS = {"ball13": (0.1, 2000), "2x7x1": (0.3, 400), "2x4x2": (0.08, 1000)}


def _cluster(geometry: str) -> Couplings:
    """Dipoles along z, pitch 12.5 nm, 530 nm; ball13: the sites of 3 x 3 x 3 nearest to its middle."""
    shape = (3, 3, 3) if geometry == "ball13" else tuple(int(edge) for edge in geometry.split("x"))
    sites = np.array(list(np.ndindex(*shape)), dtype=float) * 12.5
    if geometry == "ball13":
        apart = np.sum((sites - sites.mean(axis=0)) ** 2, axis=1)
        sites = sites[np.argsort(apart, kind="stable")[:13]]
    return couplings(Emitters(sites, np.tile([0.0, 0.0, 1.0], (len(sites), 1)), 1.0, 530.0))


def _times(geometry: str) -> np.ndarray:
    return np.linspace(0.0, _RUNS[geometry][0], 29)


@cache
def _unbiased(geometry: str) -> Emission:
    between = _cluster(geometry)
    n = len(between)
    return trajectory_emission(
        between, product_state(blocks(n), np.arange(n)), _times(geometry),
        trajectories=_RUNS[geometry][1], rng=np.random.default_rng(7),
    )  # fmt: skip


def cluster_burst(geometry: str) -> float:
    """Largest mean photon rate of the trajectories, Gamma."""
    return float(np.max(_unbiased(geometry).photon_rate))


def ladder_off_trajectories_percent(geometry: str) -> float:
    """Height of the burst by the ladder over that of the trajectories, less 1."""
    found = ladder_emission(_cluster(geometry), _times(geometry))
    return 100.0 * (float(np.max(found.photon_rate)) / cluster_burst(geometry) - 1.0)


def ladder_population_off_percent(geometry: str) -> float:
    """Excited emitters at 2/Gamma by the ladder over the exact number, less 1."""
    between, times = _cluster(geometry), np.linspace(0.0, 2.0, 41)
    n = len(between)
    exact = exact_emission(between, product_state(blocks(n), np.arange(n)), times)
    return 100.0 * (float(ladder_emission(between, times).excited[-1] / exact.excited[-1]) - 1.0)


def stepped_off_sigma() -> float:
    """|trajectories carried by polynomials - master equation| at Gamma t = 0.12, in standard errors."""
    between, times = _cluster("2x2x1"), np.array([0.0, 0.12])
    rates, modes = between.modes()
    start, many = product_state(blocks(4), np.arange(4)), 1000
    rate, _ = stepped_trajectories(
        between, start, many, times, Rules(4, rates, modes, 0.0, 0.0), np.random.default_rng(3)
    )
    exact = exact_emission(between, start, times).photon_rate[1]
    return float(abs(rate[:, 1].mean() - exact) / (rate[:, 1].std(ddof=1) / np.sqrt(many)))
