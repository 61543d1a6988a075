"""Posterior over the size of nanocrystals from the peak and width of their photoluminescence.

The forward model is that of `excitons`; nothing here is physics of its own.

    peak  E = Eg + c(L, s, H) - S(L)          width  F = F(L, s, H)

c and F are the peak (from the gap) and the full width of the emission line of an ensemble with number-mean
edge L, relative spread s and homogeneous width H (`excitons.light.line`). Unknown and marginalised: the gap
(its range), the Stokes shift S, H, s, how far hard walls put small cubes too high, the named parameter set
(equal weights), for an open composition the halide fraction, and with an absorption edge the gap jointly.
The posterior is exact on a grid: log-uniform prior over the edge, closed forms or Gauss-Legendre sums for
the rest; no sampler, no seed.

Above about 8 nm the peak no longer depends on the size. Where the data do not exclude the largest edge of
the prior (likelihood there above exp(-1.92) of its maximum, the 95 % bound of a likelihood ratio) the
answer is a lower bound: a one-sided 95 % credible region, without an upper end. It is taken under the prior
cut where the energy left to the bulk is less than the uncertainty of the energies, so that it does not rise
with the largest edge of the prior (its median does); calibration against draws from the prior is a test.

The edge is conditional on cubes; the weight of platelets against cubes is the ratio of the evidences.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from perolux.errors import NotAvailableError, OptionError
from perolux.excitons.assumptions import assumption
from perolux.fitting.grids import equal_tail, one_sided_lower, quantiles, trapezoid_weights
from perolux.inference.forward import Forward, forward_model
from perolux.inference.likelihood import Evidence, Observed, likelihood_of_component
from perolux.inference.platelets import weigh_platelets
from perolux.inference.posterior import SetInterval, SizeKind, SizePosterior
from perolux.inference.prior import SizePrior
from perolux.quantities import Value

__all__ = ["SizePosterior", "SizePrior", "check_material", "size_posterior"]

FloatArray = npt.NDArray[np.float64]

_LOWER_BOUND_RATIO = math.exp(-1.92)
_OUTSIDE_SIGMAS = 5.0
"""A peak this many standard deviations outside all that the model can emit gets no size, but a reason."""
_WIDTH_SIGMAS = 3.0
"""A width this many standard deviations outside all that the model allows is not used, and flagged."""
_BELOW_BULK_SIGMAS = 2.0
"""A peak this many standard deviations below the first exciton of the bulk is flagged."""
_AT_PRIOR_END = 0.5
"""Density at an end of a prior relative to its maximum that is flagged: the prior bounds it, not the data."""


def check_material(name: str, temperature_k: float = 298.0, prior: SizePrior | None = None) -> None:
    """Raise the clear error, if any, of sizing this material at this temperature, before any data."""
    forward_model(name, float(temperature_k), prior or SizePrior())


def size_posterior(
    peak_ev: float,
    peak_ev_sigma: float,
    fwhm_mev: float | None = None,
    fwhm_mev_sigma: float | None = None,
    *,
    material: str = "CsPbBr3",
    temperature_k: float = 298.0,
    prior: SizePrior | None = None,
    absorption_ev: float | None = None,
    absorption_ev_sigma: float | None = None,
) -> SizePosterior:
    """Posterior over edge length, spread of sizes and, for open compositions, halide fraction.

    peak_ev, peak_ev_sigma: PL peak from the energy axis with the Jacobian, eV. fwhm_mev: width on that
    axis, meV; without it the spread keeps its prior. absorption_ev: first exciton in absorption, eV; it
    fixes the confinement without the Stokes shift.

    Raises `NotAvailableError` where no size follows (a peak that the material cannot emit; a first exciton
    that no Stokes shift of the prior joins to the peak; a material without exciton parameters),
    `OptionError` for numbers out of their domain, `ModelRangeError` for a temperature outside the records.
    """
    _check_numbers(peak_ev, peak_ev_sigma, fwhm_mev, fwhm_mev_sigma, absorption_ev, absorption_ev_sigma)
    chosen = prior or SizePrior()
    forward = forward_model(material, float(temperature_k), chosen)
    observed = Observed.of(
        peak_ev, peak_ev_sigma, fwhm_mev, fwhm_mev_sigma, absorption_ev, absorption_ev_sigma
    )
    _refuse_impossible_peak(observed, forward, material, temperature_k)
    _refuse_impossible_shift(observed, forward)

    found = [likelihood_of_component(one, forward, observed) for one in forward.components]
    notes, flags = list(forward.notes), []
    misfit = min(one.width_misfit for one in found)
    if misfit > _WIDTH_SIGMAS:
        notes.append(_width_note(observed, forward))
        flags.append("width-not-explained")
        observed = replace(observed, fwhm_mev=None)
        found = [likelihood_of_component(one, forward, observed) for one in forward.components]
    by_edge, by_spread, evidence = _summed(found, forward)
    if not evidence > 0.0:
        raise NotAvailableError(
            f"no cube of {material} explains the peak at {peak_ev:.3f} eV together with its first exciton",
            fix="check the material, the temperature, and that both spectra are of one sample",
        )

    edges = forward.edges
    edge_likelihood = by_edge.sum(axis=0)
    density = _normalised(edges, edge_likelihood / edges)
    spread_density = _normalised(forward.spreads, by_spread)
    resolved = _resolved_edge(forward, observed)
    kind, low95, high95, low68, high68 = _intervals(edges, density, edge_likelihood, resolved)
    if kind == "interval" and edge_likelihood[0] > _AT_PRIOR_END * edge_likelihood.max():
        flags.append("size-at-prior-end")
        notes.append("the smallest edge of the prior bounds the size, not the data")
    pressed = spread_density[-1] > _AT_PRIOR_END * spread_density.max() > 10.0 * spread_density[0]
    if observed.fwhm_mev is not None and pressed:
        flags.append("spread-at-prior-end")
        notes.append(
            "the largest spread of the prior bounds the spread: the line is broader than it explains"
        )
    bulk_ev, below_bulk = _below_bulk(observed, forward)
    if below_bulk:
        flags.append("below-bulk")
        notes.append(
            f"the peak lies {1e3 * (bulk_ev - peak_ev):.0f} meV below the first exciton of bulk {material} "
            f"({bulk_ev:.3f} eV or more): no size explains that, only a Stokes shift as large; reabsorption, "
            "another composition, another phase or temperature may be the cause"
        )
    if kind == "lower-bound":
        notes.append("the median of a lower bound depends on the largest edge of the prior")

    emission_evidence = evidence
    if observed.absorption_ev is not None:
        # Platelet ladders know emission only, so the cubes are weighed against them by emission alone.
        emission = replace(observed, absorption_ev=None)
        alone = [likelihood_of_component(one, forward, emission) for one in forward.components]
        emission_evidence = _summed(alone, forward)[2]
        notes.append("platelets are weighed against cubes by the emission alone")
    platelets = weigh_platelets(
        peak_ev,
        peak_ev_sigma,
        observed.fwhm_mev,
        fwhm_mev_sigma,
        material,
        float(temperature_k),
        emission_evidence,
        chosen.record("platelet_probability"),
    )
    fraction_density, joint = _fractions(forward, by_edge)
    edge_record = (assumption("absorption_first_exciton_ev"),) if absorption_ev is not None else ()
    return SizePosterior(
        material=material,
        temperature_k=float(temperature_k),
        kind=kind,
        median_nm=float(quantiles(edges, density, 0.5)),
        low68_nm=low68,
        high68_nm=high68,
        low95_nm=low95,
        high95_nm=high95,
        edge_nm=edges,
        edge_density=density,
        relative_spread=forward.spreads,
        spread_density=spread_density,
        platelets=platelets,
        by_set=_by_set(forward, by_edge, resolved),
        stokes_model=forward.stokes.name,
        rests_on=_merged(forward.rests_on, edge_record, platelets.rests_on),
        flags=tuple(flags),
        notes=tuple([*notes, *platelets.notes]),
        halide_fraction=forward.fractions,
        fraction_density=fraction_density,
        joint_density=joint,
        fraction_name=forward.fraction_name,
    )


# --- sums over the components ------------------------------------------------------------------------------


def _summed(found: list[Evidence], forward: Forward) -> tuple[FloatArray, FloatArray, float]:
    """Likelihood by component and edge (with the component's weight), by spread, and the evidence."""
    weights = np.array([component.weight for component in forward.components])
    stack = np.stack([one.likelihood for one in found]) * weights[:, None, None]
    by_edge = stack @ forward.spread_weights
    by_spread = forward.edge_weights @ stack.sum(axis=0)
    return by_edge, by_spread, float(np.sum(by_edge @ forward.edge_weights))


def _by_set(forward: Forward, by_edge: FloatArray, resolved: float) -> dict[str, SetInterval]:
    result: dict[str, SetInterval] = {}
    for set_name in forward.sets:
        rows = [i for i, c in enumerate(forward.components) if c.set_name == set_name]
        likelihood = by_edge[rows].sum(axis=0)
        if not likelihood.max() > 0.0:
            result[set_name] = SetInterval(None, None, None, None, "this set alone does not explain the data")
            continue
        density = _normalised(forward.edges, likelihood / forward.edges)
        kind, low95, high95, _, _ = _intervals(forward.edges, density, likelihood, resolved)
        median = float(quantiles(forward.edges, density, 0.5))
        result[set_name] = SetInterval(kind, median, low95, high95, None)
    return result


def _fractions(forward: Forward, by_edge: FloatArray) -> tuple[FloatArray | None, FloatArray | None]:
    """Density over the halide fraction, and over fraction and edge together."""
    if forward.fractions is None:
        return None, None
    shares = trapezoid_weights(forward.fractions)
    rows = [
        np.sum([by_edge[i] for i, c in enumerate(forward.components) if c.fraction == float(x)], axis=0)
        for x in forward.fractions
    ]
    # The component weights hold the share of each fraction; a density has it divided out again.
    joint = np.stack(rows) / shares[:, None]
    density = _normalised(forward.fractions, joint @ forward.edge_weights)
    joint = joint / forward.edges
    return density, joint / (shares @ joint @ trapezoid_weights(forward.edges))


# --- interval or bound -------------------------------------------------------------------------------------


def _intervals(
    edges: FloatArray, density: FloatArray, likelihood: FloatArray, resolved: float
) -> tuple[SizeKind, float, float | None, float, float | None]:
    if likelihood[-1] > _LOWER_BOUND_RATIO * likelihood.max():
        # Larger edges cannot be told apart: how far the prior goes on there must not raise the bound.
        cut = slice(0, max(int(np.searchsorted(edges, resolved)) + 1, 2))
        if not density[cut].max() > 0.0:
            cut = slice(None)
        low95, low68 = (one_sided_lower(edges[cut], density[cut], level) for level in (0.95, 0.68))
        return "lower-bound", low95, None, low68, None
    low95, high95 = equal_tail(edges, density, 0.95)
    low68, high68 = equal_tail(edges, density, 0.68)
    return "interval", low95, high95, low68, high68


def _resolved_edge(forward: Forward, observed: Observed) -> float:
    """Edge beyond which the energy left to the bulk is below one sigma of what is unknown in the energies."""
    shift_sigma = (forward.shift_ev[1] - forward.shift_ev[0]) / math.sqrt(12.0)
    largest = float(forward.edges[0])
    middle = forward.homogeneous_mev.size // 2 - 1
    for one in forward.components:
        gap_sigma = math.hypot((one.gap_high_ev - one.gap_low_ev) / math.sqrt(12.0), one.gap_sigma_ev)
        by_emission = math.hypot(gap_sigma, math.hypot(shift_sigma, observed.peak_sigma_ev))
        sigma = by_emission
        if observed.absorption_ev is not None:
            sigma = min(by_emission, math.hypot(gap_sigma, observed.absorption_sigma_ev))
        left = one.peak_ev[:, 0, middle] - one.bulk_ev
        beyond = np.flatnonzero(left < sigma)
        largest = max(largest, float(forward.edges[beyond[0]] if len(beyond) else forward.edges[-1]))
    return largest


# --- what cannot be ----------------------------------------------------------------------------------------


def _refuse_impossible_peak(observed: Observed, forward: Forward, name: str, temperature_k: float) -> None:
    scale = forward.stokes.scale(forward.edges)[:, None, None]
    low_shift, high_shift = forward.shift_ev
    lowest = min(float(np.min(c.gap_low_ev + c.peak_ev - high_shift * scale)) for c in forward.components)
    highest = max(float(np.max(c.gap_high_ev + c.peak_ev - low_shift * scale)) for c in forward.components)
    gap_sigma = max(c.gap_sigma_ev for c in forward.components)
    margin = _OUTSIDE_SIGMAS * math.hypot(observed.peak_sigma_ev, gap_sigma)
    if not lowest - margin <= observed.peak_ev <= highest + margin:
        raise NotAvailableError(
            f"a peak at {observed.peak_ev:.3f} eV is not what {name} cubes emit at {temperature_k:g} K in "
            f"this model ({lowest:.3f} to {highest:.3f} eV)",
            allowed=f"{lowest:.3f} to {highest:.3f} eV",
            fix="check the material (halides), the temperature and the unit of the axis",
        )


def _refuse_impossible_shift(observed: Observed, forward: Forward) -> None:
    if observed.absorption_ev is None:
        return
    shift = observed.absorption_ev - observed.peak_ev
    sigma = math.hypot(observed.peak_sigma_ev, observed.absorption_sigma_ev)
    scale = forward.stokes.scale(forward.edges)
    lowest, highest = forward.shift_ev[0] * float(scale.min()), forward.shift_ev[1] * float(scale.max())
    if not lowest - _OUTSIDE_SIGMAS * sigma <= shift <= highest + _OUTSIDE_SIGMAS * sigma:
        raise NotAvailableError(
            f"first exciton and emission lie {1e3 * shift:.0f} meV apart, which no Stokes shift of the "
            f"prior ({1e3 * lowest:.0f} to {1e3 * highest:.0f} meV) explains",
            fix="check that both spectra are of the same sample, or widen the prior of the Stokes shift",
        )


def _below_bulk(observed: Observed, forward: Forward) -> tuple[float, bool]:
    """Lowest first exciton of the bulk in eV (gap less Rydberg), and whether the peak lies clearly below."""
    lowest = min(forward.components, key=lambda one: one.gap_low_ev + one.bulk_ev)
    bulk_ev = lowest.gap_low_ev + lowest.bulk_ev
    sigma = math.hypot(observed.peak_sigma_ev, lowest.gap_sigma_ev)
    return bulk_ev, observed.peak_ev < bulk_ev - _BELOW_BULK_SIGMAS * sigma


def _width_note(observed: Observed, forward: Forward) -> str:
    low, high = forward.homogeneous_mev[0], forward.homogeneous_mev[-1]
    spread = forward.spreads[-1]
    return (
        f"a line {observed.fwhm_mev:.0f} meV wide is not that of cubes of this energy with a homogeneous "
        f"width of {low:.0f} to {high:.0f} meV and a spread up to {100 * spread:.0f} %: the width is not used"
    )


def _normalised(grid: FloatArray, density: FloatArray) -> FloatArray:
    # Scaled first: a likelihood far in a tail would underflow in the sum.
    scaled = density / density.max()
    return scaled / float(scaled @ trapezoid_weights(grid))


def _merged(*groups: tuple[Value, ...]) -> tuple[Value, ...]:
    merged = {(v.key, v.parameter_set, v.number): v for group in groups for v in group}
    return tuple(merged.values())


def _check_numbers(
    peak_ev: float,
    peak_sigma: float,
    fwhm_mev: float | None,
    fwhm_sigma: float | None,
    absorption_ev: float | None,
    absorption_sigma: float | None,
) -> None:
    for name, value, positive in (
        ("peak_ev", peak_ev, True),
        ("peak_ev_sigma", peak_sigma, False),
        ("fwhm_mev", fwhm_mev, True),
        ("fwhm_mev_sigma", fwhm_sigma, False),
        ("absorption_ev", absorption_ev, True),
        ("absorption_ev_sigma", absorption_sigma, False),
    ):
        if value is None:
            continue
        if not math.isfinite(value) or value < 0 or (positive and value == 0):
            raise OptionError(f"{name} = {value} is not a usable number", allowed="finite and positive")
