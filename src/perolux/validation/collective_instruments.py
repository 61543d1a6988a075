"""Functions of the rows in `collective_instruments.toml`: lens, substrate, domains of fits."""

from __future__ import annotations

import math

import numpy as np

from perolux.collective.backwards.domains import domain_photons
from perolux.collective.couplings import Emitters
from perolux.collective.instruments.aperture import Lens, collected_fraction, power_over_free
from perolux.collective.symmetric import symmetric_burst

__all__ = ["domain_deviation", "lens_deviation", "substrate_power"]


def _one(along: tuple[float, float, float]) -> Emitters:
    return Emitters(np.zeros((1, 3)), np.array([along]), 1.0, 530.0)


def lens_deviation() -> float:
    """Largest deviation of the collected share from the closed forms."""
    worst, one = 0.0, np.eye(1, dtype=complex)
    for aperture in (0.2, 0.5, 0.8, 0.95):
        c = math.sqrt(1.0 - aperture**2)
        along = 0.5 - 0.75 * c + 0.25 * c**3
        across = 0.5 - 0.375 * c - 0.125 * c**3
        for dipole, exact in (((0.0, 0.0, 1.0), along), ((1.0, 0.0, 0.0), across)):
            worst = max(worst, abs(collected_fraction(_one(dipole), one, Lens(aperture)) - exact))
    return worst


def substrate_power() -> float:
    """All light of a dipole across the normal, 6 nm above an index of 1.5, over that without it."""
    lens = Lens(0.5, substrate_index=1.5, gap_nm=6.0)
    return power_over_free(_one((1.0, 0.0, 0.0)), np.eye(1, dtype=complex), lens)


def domain_deviation() -> float:
    """Largest deviation of the photons of a domain from the forward solver."""
    times, worst = np.linspace(0.0, 2.0, 41), 0.0
    for emitters, dephasing in ((2, 0.5), (10, 0.3), (24, 40.0)):
        exact = 1.0 - symmetric_burst(emitters, times, dephasing=dephasing).excited / emitters
        found = domain_photons(emitters, dephasing, np.array([1.0]), times)[0]
        worst = max(worst, float(np.max(np.abs(found - exact))))
    return worst
