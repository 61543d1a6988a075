"""Functions of the rows in `collective_instruments.toml`: lens, substrate, domains of fits, photon streams,
spectrometer, Michelson."""

from __future__ import annotations

import math

import numpy as np

from perolux.collective.backwards.domains import domain_photons
from perolux.collective.blocks import blocks, product_state
from perolux.collective.couplings import Couplings, Emitters
from perolux.collective.instruments.aperture import Lens, collected_fraction, power_over_free
from perolux.collective.instruments.michelson import Michelson, fringes, spectrum_of_fringes
from perolux.collective.instruments.spectrometer import Slit, full_width, lines_of_emitters, slit_density
from perolux.collective.lines import Lines
from perolux.collective.photon_streams import Clicks, ladder_clicks, pulse_g2, stream_of_clicks
from perolux.collective.symmetric import symmetric_burst
from perolux.collective.trajectories import trajectory_jumps
from perolux.photons.pulsed_g2 import g2_by_pulse, pairs_by_pulse
from perolux.photons.simulate import Detectors
from perolux.validation.run import Computed

__all__ = ["blind_pairs", "domain_deviation", "fringe_deviation", "lens_deviation", "lossy_pair"]
__all__ += ["slit_width", "substrate_power"]


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


def lossy_pair(loss: float, pulses: int) -> Computed:
    """g2 a pulse of two inverted emitters that share one mode, each with a loss, by trajectories."""
    pair = Couplings(np.ones((2, 2)), np.zeros((2, 2)), np.zeros(2))
    start = product_state(blocks(2), np.arange(2))
    found = trajectory_jumps(pair, start, 400.0, trajectories=pulses, rng=np.random.default_rng(0), loss=loss)
    clicks = Clicks(
        pulses, 400.0, found["which"].astype(np.int64), found["time"], found["by"].astype(np.int64),
        found["left"],
    )  # fmt: skip
    told = pulse_g2(clicks)
    return Computed(float(told["g2"] or 0.0), f"standard error {told['sigma']:.2g}")


def blind_pairs(efficiency: float, pulses: int) -> Computed:
    """g2 by pulse of a record of pairs, detectors blind for the rest of the pulse after a count."""
    rng = np.random.default_rng(0)
    made = stream_of_clicks(
        ladder_clicks(2, 2000.0, pulses=pulses, rng=rng), lifetime_ns=0.3, period_ns=1000.0, rng=rng,
        efficiency=efficiency, detectors=Detectors(dead_time_ns=100.0),
    )  # fmt: skip
    found = g2_by_pulse(pairs_by_pulse(made), period_ns=1000.0)
    return Computed(found.raw, f"standard error {found.sigma:.2g}")


def slit_width() -> float:
    """Full width of a Gaussian line of sd 3 behind a Gaussian slit of sd 4, over that of sd 1."""
    x = np.arange(-7.0, 7.01, 0.05)
    line = Lines(np.asarray(3j * x - 1e-8, dtype=np.complex128), np.exp(-0.5 * x**2).astype(complex))
    one = math.sqrt(8.0 * math.log(2.0))
    w = np.linspace(-15.0, 15.0, 6001)
    found = full_width(w, slit_density(line, w, Slit(4.0 * one)))
    return float(found or 0.0) / one


def fringe_deviation() -> float:
    """One Lorentzian line: visibility from contrast exp(-tau/T2), and its FFT from the closed form."""
    line, h = lines_of_emitters(np.array([2.0]), 3.0), 0.05
    tau = h * np.arange(600, dtype=np.float64)
    v = fringes(line, tau, Michelson(530.0, contrast=0.9))
    w, density = spectrum_of_fringes(v / 0.9, h)
    c = 1.5 * h
    exact = h / (2.0 * np.pi) * math.sinh(c) / (math.cosh(c) - np.cos((w - 2.0) * h))
    fall = np.abs(np.abs(v) - 0.9 * np.exp(-1.5 * tau))
    return max(float(np.max(fall)), float(np.max(np.abs(density - exact))))
