"""Functions of the rows in `photons_quantum.toml`: interference, coherence, the emitter and its streams."""

from __future__ import annotations

import math

import numpy as np

from perolux.photons.hom import visibility

__all__ = ["hom_two_times", "hom_visibility"]


def hom_visibility(
    t1_ps: float,
    t2_ps: float,
    spread: float = 0.0,
    detuning: float = 0.0,
    gate_ps: float | None = None,
) -> float:
    """Closed form of the visibility."""
    return float(
        visibility(
            t1_ps, t2_ps, detuning_rad_per_ps=detuning, detuning_spread_rad_per_ps=spread, gate_ps=gate_ps
        )
    )


def hom_two_times(
    t1_ps: float, t2_ps: float, detuning: float = 0.0, spread: float = 0.0, gate_ps: float | None = None
) -> float:
    """Visibility by quadrature over the times of both photons, Gauss-Legendre on panels.

    Detectors click at t and t'; amplitudes of the two photons, one in each input, are exp(-t/2 T1) exp(-i
    phi(t)); the phases diffuse by pure dephasing and differ by the detuning. V = 1 - parallel/orthogonal.
    """
    decay, pure = 1 / t1_ps, 1 / t2_ps - 1 / (2 * t1_ps)
    nodes, weights = np.polynomial.legendre.leggauss(24)
    longest = 60 * t1_ps
    panels = np.concatenate([np.linspace(0, t1_ps, 41), np.linspace(t1_ps, longest, 400)[1:]])

    def grid(ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        half = np.diff(ends)[:, None] / 2
        return (ends[:-1, None] + half * (1 + nodes)).ravel(), (half * weights).ravel()

    first, weight = grid(panels)  # the earlier click
    late = (
        panels if gate_ps is None else np.unique(np.append(panels[panels < gate_ps], min(gate_ps, longest)))
    )
    delay, width = grid(late)
    parallel = orthogonal = 0.0
    for tau, share in zip(delay, width, strict=True):
        both = float(np.sum(weight * np.exp(-decay * first) * np.exp(-decay * (first + tau))))
        overlap = math.exp(-2 * pure * tau - (spread * tau) ** 2 / 2) * math.cos(detuning * tau)
        parallel += share * both * (1 - overlap)
        orthogonal += share * both
    return 1 - parallel / orthogonal
