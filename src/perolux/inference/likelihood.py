"""Likelihoods of what was recorded on the grid of a forward model: energies, and the width of the line.

    p(energies | c) = integral over gap and Stokes shift,   c the confinement energy of the line's peak
    p(F | L, s)     = sum over intervals of the homogeneous width H, in each of which F is linear in H

Both are closed forms of boxes and Gaussians, tabulated once for each record where they depend on c alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.excitons.assumptions import assumption
from perolux.inference.forward import Component, Forward
from perolux.inference.smeared import gaussian, normal_cdf, smeared_box

__all__ = ["Evidence", "Observed", "energy_likelihood", "likelihood_of_component", "width_likelihood"]

FloatArray = npt.NDArray[np.float64]

_GAP_NODES = 32
_TABLE_STEPS_PER_SIGMA = 8
_REACH = 9.0


@dataclass(frozen=True)
class Observed:
    """What was recorded, with the model errors in the sigmas; None where not recorded or not used."""

    peak_ev: float
    peak_sigma_ev: float
    fwhm_mev: float | None = None
    fwhm_sigma_mev: float = 0.0
    absorption_ev: float | None = None
    absorption_sigma_ev: float = 0.0

    @classmethod
    def of(
        cls,
        peak_ev: float,
        peak_sigma: float,
        fwhm_mev: float | None,
        fwhm_sigma: float | None,
        absorption_ev: float | None,
        absorption_sigma: float | None,
    ) -> Observed:
        """The record with the model errors of `excitons/assumptions.toml` added in quadrature."""
        return cls(
            peak_ev,
            math.hypot(peak_sigma, assumption("peak_model_ev").number),
            fwhm_mev,
            math.hypot(fwhm_sigma or 0.0, assumption("fwhm_model_mev").number),
            absorption_ev,
            math.hypot(absorption_sigma or 0.0, assumption("absorption_first_exciton_ev").number),
        )


@dataclass(frozen=True)
class Evidence:
    """Likelihood of one component: (edges, spreads), with the prior of the homogeneous width summed over."""

    likelihood: FloatArray
    width_misfit: float
    """How many sigmas the width lies outside all that the component allows where the energies agree."""


def likelihood_of_component(component: Component, forward: Forward, observed: Observed) -> Evidence:
    """p(recorded | edge, spread) for one component."""
    energies = energy_likelihood(component, forward, observed)
    if observed.fwhm_mev is None:
        return Evidence(energies @ forward.width_weights, 0.0)
    widths = width_likelihood(component, observed.fwhm_mev, observed.fwhm_sigma_mev)
    likely = energies.max(axis=-1) > 1e-3 * energies.max() if energies.max() > 0 else np.zeros(0, dtype=bool)
    misfit = math.inf
    if likely.any():
        low, high = component.fwhm_mev[likely][:, 0], component.fwhm_mev[likely][:, -1]
        outside = np.maximum(np.maximum(low - observed.fwhm_mev, observed.fwhm_mev - high), 0.0)
        misfit = float(outside.min()) / observed.fwhm_sigma_mev
    return Evidence((energies * widths) @ forward.width_weights, misfit)


def width_likelihood(component: Component, fwhm_mev: float, sigma_mev: float) -> FloatArray:
    """p(width | edge, spread, interval of H), per meV: in each interval a box smeared by the error."""
    ends = component.fwhm_mev
    below = normal_cdf((fwhm_mev - ends) / sigma_mev)
    span = np.maximum(np.diff(ends, axis=-1), 1e-6 * sigma_mev)
    return np.maximum(-np.diff(below, axis=-1), 0.0) / span


def energy_likelihood(component: Component, forward: Forward, observed: Observed) -> FloatArray:
    """p(peak [, first exciton] | edge, spread, interval of H), per eV (squared)."""
    scale = forward.stokes.scale(forward.edges)
    if np.all(scale == scale[0]):
        table_c, table = _table(component, forward, observed, float(scale[0]))
        return np.interp(component.peak_ev, table_c, table, left=0.0, right=0.0)
    result = np.empty_like(component.peak_ev)
    for i, one in enumerate(scale):
        table_c, table = _table(component, forward, observed, float(one))
        result[i] = np.interp(component.peak_ev[i], table_c, table, left=0.0, right=0.0)
    return result


def _table(
    component: Component, forward: Forward, observed: Observed, scale: float
) -> tuple[FloatArray, FloatArray]:
    """The energy likelihood against the confinement c, on a grid that is fine beside the errors."""
    shift_low, shift_high = forward.shift_ev[0] * scale, forward.shift_ev[1] * scale
    gap_low, gap_high = component.gap_low_ev, component.gap_high_ev
    sigma = math.hypot(observed.peak_sigma_ev, component.gap_sigma_ev)
    finest = observed.peak_sigma_ev if observed.absorption_ev is not None else sigma
    low = observed.peak_ev - gap_high + shift_low - _REACH * sigma
    high = observed.peak_ev - gap_low + shift_high + _REACH * sigma
    count = int(min(max((high - low) / finest * _TABLE_STEPS_PER_SIGMA, 64), 20_000))
    c = np.linspace(low, high, count)
    if observed.absorption_ev is None:
        # peak - c = gap - shift + noise: two boxes and a Gaussian.
        return c, smeared_box(observed.peak_ev - c, gap_low, gap_high, -shift_high, -shift_low, sigma)
    nodes, weights = _gap_nodes(gap_low, gap_high, component.gap_sigma_ev)
    seen = gaussian(observed.absorption_ev - nodes - c[:, None], observed.absorption_sigma_ev)
    emitted = smeared_box(
        observed.peak_ev - nodes - c[:, None], 0.0, 0.0, -shift_high, -shift_low, observed.peak_sigma_ev
    )
    return c, (seen * emitted) @ weights


def _gap_nodes(low: float, high: float, sigma: float) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of the gap's prior: Gauss-Legendre on a range, Gauss-Hermite about a number."""
    if high > low:
        x, w = np.polynomial.legendre.leggauss(_GAP_NODES)
        return (low + high) / 2 + (high - low) / 2 * x, w / 2
    if sigma > 0:
        x, w = np.polynomial.hermite_e.hermegauss(_GAP_NODES)
        return low + sigma * x, w / w.sum()
    return np.array([low]), np.ones(1)
