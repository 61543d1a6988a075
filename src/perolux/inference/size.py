"""Posterior over the size of nanocrystals from the peak and width of their photoluminescence.

The forward model is that of `excitons`; nothing here is physics of its own.

    peak   E   = Eg + <Ry e(L/aB)> - S(L)        width  FWHM^2 = H^2 + 8 ln2 var[Ry e(L/aB)]

<> and var are over the emitting ensemble with number-mean edge L and relative spread s. Unknown and
marginalised: the gap (its range), the Stokes shift S, the homogeneous width H (uniform priors), the spread
s, the named parameter set (equal weights), for an open composition the halide fraction, and with an
absorption edge the gap jointly. The posterior is exact on a grid: log-uniform prior over the edge, and
closed forms or Gauss-Legendre sums for the rest; no sampler, no seed.

Above about 8 nm the peak no longer depends on the size. Where the data do not exclude the largest edge of
the prior (likelihood there above exp(-1.92) of its maximum, the 95 % bound of a likelihood ratio) the
answer is a lower bound: a one-sided 95 % credible region, without an upper end. It is taken under the prior
cut where the likelihood reaches its plateau, so that it does not rise with the largest edge of the prior
(its median does); calibration against draws from the prior is a test.

The edge is conditional on cubes; the weight of platelets against cubes is the ratio of the evidences.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from perolux.errors import NotAvailableError, OptionError
from perolux.excitons.assumptions import assumption
from perolux.excitons.linewidth import ensemble_fwhm_mev, homogeneous_fwhm_mev
from perolux.excitons.sizing import ensemble_confinement_ev
from perolux.excitons.stokes import StokesModel, stokes_model
from perolux.fitting.grids import equal_tail, one_sided_lower, quantiles, trapezoid_weights
from perolux.inference.platelets import PlateletEvidence, weigh_platelets
from perolux.inference.smeared import gaussian, smeared_box
from perolux.materials import (
    Composition,
    material,
    mixed_material_arrays,
    parameter_sets,
    parse_composition,
)
from perolux.quantities import Value
from perolux.quantities.constants import FWHM_PER_SIGMA

__all__ = ["SizePosterior", "SizePrior", "check_material", "size_posterior"]

FloatArray = npt.NDArray[np.float64]

_EDGES, _SPREADS, _WIDTH_NODES, _GAP_NODES, _FRACTIONS = 240, 26, 24, 48, 26
"""Grid sizes; doubling them moves medians and bounds by less than 0.5 % (tested)."""
_LOWER_BOUND_RATIO = math.exp(-1.92)
_PLATEAU = 0.1
"""Edges whose likelihood lies within this fraction of its maximum from that at the prior's end are alike."""
_NO_LIKELIHOOD = 1e-250
"""A parameter set whose likelihood stays below this explains nothing; its density would underflow."""
_INGREDIENTS = (
    "gap",
    "gap_300k",
    "gap_low_t",
    "gap_slope",
    "reduced_mass",
    "eps_effective",
    "exciton_binding",
)
"""Records of a material that enter its sizes; the others of the material do not."""
_EXACT_GAP_EV = 0.005
"""A gap bound more tightly than this is a record without a stated uncertainty, not a well-known gap."""
_OUTSIDE_SIGMAS = 5.0
"""A peak this many standard deviations outside all that the model can emit gets no size, but a reason."""


@dataclass(frozen=True)
class SizePrior:
    """What is assumed before the data; None takes the record of `excitons/assumptions.toml`.

    edge_nm, relative_size_spread, stokes_shift_ev, homogeneous_fwhm_mev: (low, high).
    stokes: "constant" or "inverse-edge"; linewidth: "ensemble" or "single-dot".
    sets: names of parameter sets; None means all that the material has, with equal weights.
    """

    edge_nm: tuple[float, float] | None = None
    relative_size_spread: tuple[float, float] | None = None
    stokes: str = "constant"
    stokes_shift_ev: tuple[float, float] | None = None
    linewidth: str = "ensemble"
    homogeneous_fwhm_mev: tuple[float, float] | None = None
    sets: tuple[str, ...] | None = None
    platelet_probability: float | None = None

    def values(self) -> dict[str, Value]:
        """The prior's records, with the user's ranges in place of the defaults."""
        shift = stokes_model(self.stokes).shift_ev
        chosen = {
            "edge": _replaced(assumption("edge_nm"), self.edge_nm),
            "spread": _replaced(assumption("relative_size_spread"), self.relative_size_spread),
            "stokes": _replaced(shift, self.stokes_shift_ev),
            "platelets": assumption("platelet_probability"),
        }
        if chosen["edge"].low is not None and chosen["edge"].low <= 0:
            raise OptionError("the edge must be positive", where="prior.edge_nm", allowed="above 0 nm")
        if (chosen["spread"].low or 0.0) < 0:
            raise OptionError("the spread must not be negative", where="prior.relative_size_spread")
        if self.platelet_probability is not None:
            if not 0.0 <= self.platelet_probability <= 1.0:
                raise OptionError("not a probability", where="prior.platelet_probability", allowed="0 to 1")
            chosen["platelets"] = replace(
                chosen["platelets"], number=self.platelet_probability, source="given by the user"
            )
        return chosen


@dataclass(frozen=True)
class SizePosterior:
    """Posterior over the edge of cubes, with what it rests on. Lengths in nm; densities per nm.

    edge_density is normalised on edge_nm (shape (n,)); spread_density on relative_spread; fraction_density
    on halide_fraction where the composition is open, and joint_density (fraction, edge) shows the line in
    the (size, composition) plane. by_set holds the median and 95 % interval with each parameter set alone.
    """

    material: str
    temperature_k: float
    kind: Literal["interval", "lower-bound"]
    median_nm: float
    low68_nm: float
    high68_nm: float | None
    low95_nm: float
    high95_nm: float | None
    edge_nm: FloatArray = field(repr=False)
    edge_density: FloatArray = field(repr=False)
    relative_spread: FloatArray = field(repr=False)
    spread_density: FloatArray = field(repr=False)
    spread_median: float
    spread_high95: float
    platelets: PlateletEvidence
    by_set: dict[str, dict[str, float | None]]
    stokes_model: str
    rests_on: tuple[Value, ...] = field(repr=False)
    notes: tuple[str, ...] = ()
    halide_fraction: FloatArray | None = field(default=None, repr=False)
    fraction_density: FloatArray | None = field(default=None, repr=False)
    joint_density: FloatArray | None = field(default=None, repr=False)
    fraction_name: str | None = None

    def __repr__(self) -> str:
        if self.high95_nm is None:
            size = f"larger than {self.low95_nm:.1f} nm (95 %)"
        else:
            size = f"{self.low95_nm:.1f} to {self.high95_nm:.1f} nm (95 %), median {self.median_nm:.1f} nm"
        sets = ", ".join(
            f"{name} {'–' if one['median'] is None else format(one['median'], '.1f')}"
            for name, one in self.by_set.items()
        )
        weight = f"platelet weight {self.platelet_weight:.2f}"
        return f"<SizePosterior of {self.material} cubes: {size}; {weight}; medians by set: {sets} nm>"

    @property
    def platelet_weight(self) -> float:
        """Posterior probability of platelets against cubes."""
        return self.platelets.weight

    @property
    def platelet_layers(self) -> dict[str, dict[int, float]]:
        """Weight of each number of monolayers within each rival ladder, given platelets."""
        return self.platelets.layers

    def as_dict(self) -> dict[str, Any]:
        """The summary as plain JSON: medians and intervals, never the grids."""
        summary: dict[str, Any] = {
            "edge_nm": {
                "median": self.median_nm,
                "low95": self.low95_nm,
                "high95": self.high95_nm,
                "low68": self.low68_nm,
                "high68": self.high68_nm,
                "sets": {name: interval["median"] for name, interval in self.by_set.items()},
            },
            "kind": self.kind,
            "platelet_weight": self.platelet_weight,
            "cube_weight": 1.0 - self.platelet_weight,
            "relative_size_spread": {"median": self.spread_median, "high95": self.spread_high95},
            "sets": self.by_set,
            "material": self.material,
            "temperature_k": self.temperature_k,
            "stokes_model": self.stokes_model,
            "notes": list(self.notes),
        }
        if self.platelet_weight > 0.01:
            summary["platelet_layers"] = {
                ladder: {str(n): weight for n, weight in layers.items()}
                for ladder, layers in self.platelet_layers.items()
            }
        if self.halide_fraction is not None and self.fraction_density is not None:
            low, median, high = quantiles(self.halide_fraction, self.fraction_density, [0.025, 0.5, 0.975])
            summary["halide_fraction"] = {
                "name": self.fraction_name,
                "median": float(median),
                "low95": float(low),
                "high95": float(high),
            }
        return summary

    def plot(self, axes: Any = None) -> Any:
        """Draw the density over the edge with matplotlib and return the axes."""
        if axes is None:
            import matplotlib.pyplot as plt

            axes = plt.subplots(figsize=(5, 3.2), layout="constrained")[1]
        axes.plot(self.edge_nm, self.edge_density)
        axes.axvspan(self.low95_nm, self.high95_nm or self.edge_nm[-1], alpha=0.15)
        axes.set_xlabel("edge length of a cube (nm)")
        axes.set_ylabel("probability density (1/nm)")
        return axes


@dataclass(frozen=True)
class _Scale:
    """Bohr radius and Rydberg of one composition of a halide series."""

    bohr_radius_nm: float
    rydberg_ev: float


@dataclass(frozen=True)
class _Component:
    """One parameter set at one composition: confinement of the ensemble on the (edge, spread) grid."""

    set_name: str
    fraction: float | None
    mean_ev: FloatArray
    sigma_ev: FloatArray
    gap_low_ev: float
    gap_high_ev: float
    gap_sigma_ev: float


@dataclass(frozen=True)
class _Forward:
    """All that does not depend on the data, computed once for a material, temperature and prior."""

    edges: FloatArray
    spreads: FloatArray
    components: tuple[_Component, ...]
    sets: tuple[str, ...]
    fractions: FloatArray | None
    fraction_name: str | None
    stokes: StokesModel
    stokes_low: FloatArray
    stokes_high: FloatArray
    width_range: tuple[float, float] | None
    rests_on: tuple[Value, ...]
    notes: tuple[str, ...]


def check_material(name: str, temperature_k: float = 298.0, prior: SizePrior | None = None) -> None:
    """Raise the clear error, if any, of sizing this material at this temperature, before any data."""
    _forward(name, float(temperature_k), prior or SizePrior())


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
    forward = _forward(material, float(temperature_k), chosen)
    peak_sigma = math.hypot(peak_ev_sigma, assumption("peak_model_ev").number)
    _refuse_impossible_peak(peak_ev, peak_sigma, forward, material, temperature_k)

    notes = list(forward.notes)
    width_note = _why_width_is_not_used(fwhm_mev, fwhm_mev_sigma, forward)
    if width_note is not None:
        notes.append(width_note)
        fwhm_mev = None
    width_likelihood = _width_likelihood(fwhm_mev, fwhm_mev_sigma, forward)
    absorption_sigma = 0.0
    edge_records: tuple[Value, ...] = ()
    if absorption_ev is not None:
        edge_records = (assumption("absorption_first_exciton_ev"),)
        absorption_sigma = math.hypot(absorption_ev_sigma or 0.0, edge_records[0].number)
        _refuse_impossible_shift(absorption_ev - peak_ev, math.hypot(peak_sigma, absorption_sigma), forward)

    # Likelihood of each component on the (edge, spread) grid, then times the prior over both.
    edge_weights, spread_weights = _prior_weights(forward)

    def likelihood_of(edge_ev: float | None) -> FloatArray:
        return np.stack(
            [
                _peak_likelihood(component, forward, peak_ev, peak_sigma, edge_ev, absorption_sigma)
                * width_likelihood(component.sigma_ev)
                for component in forward.components
            ]
        )

    likelihoods = likelihood_of(absorption_ev)
    component_weight = 1.0 / len(forward.components)
    by_edge = likelihoods @ spread_weights
    by_spread = edge_weights @ likelihoods
    evidence = float(component_weight * np.sum(by_edge @ edge_weights))
    if not evidence > 0.0:
        raise NotAvailableError(
            f"no cube of {material} explains a peak at {peak_ev:.3f} eV together with its width and edge",
            fix="check material, temperature and the width of the spectrum",
        )

    edges = forward.edges
    edge_likelihood = by_edge.sum(axis=0)
    density = _normalised(edges, edge_likelihood / edges)
    spread_density = _normalised(forward.spreads, by_spread.sum(axis=0))
    kind, low95, high95, low68, high68 = _intervals(edges, density, edge_likelihood)
    if forward.width_range is None:
        fwhm_mev = None  # the evidences compare the same data
    if absorption_ev is not None:  # for the same reason: the ladders know emission only
        by_edge_emission = likelihood_of(None) @ spread_weights
        evidence = float(component_weight * np.sum(by_edge_emission @ edge_weights))
        notes.append("platelets are weighed against cubes by the emission alone")
    platelets = weigh_platelets(
        peak_ev, peak_ev_sigma, fwhm_mev, fwhm_mev_sigma, material, evidence, chosen.values()["platelets"]
    )
    fraction_density, joint = _fractions(forward, by_edge, edge_weights)
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
        spread_median=float(quantiles(forward.spreads, spread_density, 0.5)),
        spread_high95=float(quantiles(forward.spreads, spread_density, 0.95)),
        platelets=platelets,
        by_set=_by_set(forward, by_edge),
        stokes_model=forward.stokes.name,
        rests_on=_merged(forward.rests_on, edge_records, platelets.rests_on),
        notes=tuple([*notes, *platelets.notes]),
        halide_fraction=forward.fractions,
        fraction_density=fraction_density,
        joint_density=joint,
        fraction_name=forward.fraction_name,
    )


# --- the forward side, once per material, temperature and prior ------------------------------------------


@lru_cache(maxsize=16)
def _forward(name: str, temperature_k: float, prior: SizePrior) -> _Forward:
    records = prior.values()
    edge_low, edge_high = _range(records["edge"])
    spread_low, spread_high = _range(records["spread"])
    edges = np.geomspace(edge_low, edge_high, _EDGES)
    spreads = np.linspace(spread_low, spread_high, _SPREADS)
    stokes = replace(stokes_model(prior.stokes), shift_ev=records["stokes"])
    shift_low, shift_high = _range(records["stokes"])

    composition = parse_composition(name)
    sets = _sets_of(composition, prior)
    notes: list[str] = []
    used = [assumption("peak_model_ev"), records["edge"], records["spread"], records["stokes"]]
    components: list[_Component] = []
    fractions: FloatArray | None = None
    # The homogeneous width is that of a named composition; an open one has no record of its own.
    whole = composition.with_fraction(0.5) if composition.is_open else composition
    one = material(whole.formula, temperature_k, sets[0])
    if composition.is_open:
        fractions = np.linspace(0.0, 1.0, _FRACTIONS)
        used.append(assumption("halide_fraction"))
        for set_name in sets:
            series = mixed_material_arrays(composition, fractions, temperature_k, set_name)
            used += series.rests_on
            for i, x in enumerate(fractions):
                scale = _Scale(float(series.bohr_radius_nm[i]), float(series.rydberg_ev[i]))
                mean_ev, sigma_ev = ensemble_confinement_ev(edges, spreads, scale)
                ends = float(series.gap_low_ev[i]), float(series.gap_high_ev[i])
                components.append(_Component(set_name, float(x), mean_ev, sigma_ev, *ends, 0.0))
    else:
        for set_name in sets:
            chosen = material(name, temperature_k, set_name)
            used += [value for key, value in chosen.values().items() if key in _INGREDIENTS]
            mean_ev, sigma_ev = ensemble_confinement_ev(edges, spreads, chosen)
            components.append(_Component(set_name, None, mean_ev, sigma_ev, *_gap_prior(chosen.gap)))
        if max(c.gap_high_ev - c.gap_low_ev + c.gap_sigma_ev for c in components) < _EXACT_GAP_EV:
            notes.append(
                f"the gap of {name} is on record with no stated uncertainty: the size does not include one"
            )

    width_range: tuple[float, float] | None = None
    try:
        width = homogeneous_fwhm_mev(one, prior.linewidth)
    except NotAvailableError as error:
        width = None
        notes.append(f"the width is not used: {error.problems[0].what}")
    if prior.homogeneous_fwhm_mev is not None:
        width, notes = _replaced(assumption("fwhm_model_mev"), prior.homogeneous_fwhm_mev), []
        width = replace(width, key="prior.homogeneous_fwhm_mev")
    if width is not None:
        width_range = _range(width)
        used += [width, assumption("fwhm_model_mev")]
    stokes_scale = stokes.scale(edges)[:, None]
    return _Forward(
        edges=edges,
        spreads=spreads,
        components=tuple(components),
        sets=sets,
        fractions=fractions,
        fraction_name=f"fraction of {composition.halides[1][0]}" if composition.is_open else None,
        stokes=stokes,
        stokes_low=shift_low * stokes_scale,
        stokes_high=shift_high * stokes_scale,
        width_range=width_range,
        rests_on=_merged(tuple(used)),
        notes=tuple(notes),
    )


def _sets_of(composition: Composition, prior: SizePrior) -> tuple[str, ...]:
    """The parameter sets to marginalise over; a material without any says what it lacks."""
    closed = composition.with_fraction(0.5).formula if composition.is_open else composition.formula
    known = parameter_sets(closed)
    if not known:
        _ = material(closed).bohr_radius_nm
        raise NotAvailableError(f"no exciton parameters are known for {closed}", where=closed)
    unknown = [name for name in prior.sets or () if name not in known]
    if unknown:
        raise OptionError(
            f"{composition.formula} has no parameter set {', '.join(unknown)}",
            where="prior.sets",
            allowed=", ".join(known),
        )
    return prior.sets or known


def _gap_prior(gap: Value) -> tuple[float, float, float]:
    """A gap known as a range is uniform between its ends; one with sigma is Gaussian about its number."""
    if gap.low is not None and gap.high is not None:
        return gap.low, gap.high, 0.0
    return gap.number, gap.number, gap.sigma or 0.0


def _prior_weights(forward: _Forward) -> tuple[FloatArray, FloatArray]:
    edges, spreads = forward.edges, forward.spreads
    edge_weights = trapezoid_weights(edges) / edges
    spread_weights = trapezoid_weights(spreads) if len(spreads) > 1 else np.ones(1)
    return edge_weights / edge_weights.sum(), spread_weights / spread_weights.sum()


# --- likelihoods -------------------------------------------------------------------------------------------


def _peak_likelihood(
    component: _Component,
    forward: _Forward,
    peak_ev: float,
    peak_sigma: float,
    absorption_ev: float | None,
    absorption_sigma: float,
) -> FloatArray:
    """p(peak [, absorption] | edge, spread), gap and Stokes shift integrated out; shape (edges, spreads)."""
    low, high = component.gap_low_ev, component.gap_high_ev
    if absorption_ev is None:
        # peak - confinement = gap - shift + noise: two boxes and a Gaussian, in closed form.
        sigma = math.hypot(peak_sigma, component.gap_sigma_ev)
        return smeared_box(
            peak_ev - component.mean_ev, low, high, -forward.stokes_high, -forward.stokes_low, sigma
        )
    nodes, weights = _nodes(low, high, component.gap_sigma_ev)
    # In absorption the volume weighting is the same, so the mean confinement is too.
    total = np.zeros_like(component.mean_ev)
    for gap, weight in zip(nodes, weights, strict=True):
        seen = gaussian(absorption_ev - gap - component.mean_ev, absorption_sigma)
        emitted = smeared_box(
            peak_ev - gap - component.mean_ev, 0.0, 0.0, -forward.stokes_high, -forward.stokes_low, peak_sigma
        )
        total += weight * seen * emitted
    return total


def _nodes(low: float, high: float, sigma: float) -> tuple[FloatArray, FloatArray]:
    """Nodes and weights of the gap's prior: Gauss-Legendre on a range, Gauss-Hermite about a number."""
    if high > low:
        x, w = np.polynomial.legendre.leggauss(_GAP_NODES)
        return (low + high) / 2 + (high - low) / 2 * x, w / 2
    if sigma > 0:
        x, w = np.polynomial.hermite_e.hermegauss(_GAP_NODES)
        return low + sigma * x, w / w.sum()
    return np.array([low]), np.ones(1)


def _why_width_is_not_used(fwhm_mev: float | None, fwhm_sigma: float | None, forward: _Forward) -> str | None:
    if fwhm_mev is None or forward.width_range is None:
        return None
    low, high = forward.width_range
    if fwhm_mev >= low - 3.0 * math.hypot(fwhm_sigma or 0.0, assumption("fwhm_model_mev").number):
        return None
    return (
        f"the line ({fwhm_mev:.0f} meV) is narrower than the homogeneous width assumed ({low:.0f} to "
        f'{high:.0f} meV): the width is not used; linewidth = "single-dot" allows narrower lines'
    )


def _width_likelihood(
    fwhm_mev: float | None, fwhm_sigma: float | None, forward: _Forward
) -> Callable[[FloatArray], FloatArray]:
    """A function of the spread of energies (eV) that gives p(fwhm | spread); 1 where no width is used."""
    if fwhm_mev is None or forward.width_range is None:
        return np.ones_like
    low, high = forward.width_range
    sigma = math.hypot(fwhm_sigma or 0.0, assumption("fwhm_model_mev").number)
    x, w = np.polynomial.legendre.leggauss(_WIDTH_NODES)
    homogeneous = (low + high) / 2 + (high - low) / 2 * x
    # One table over the spread of energies serves every component; it is smooth on the scale of sigma.
    top = max(2.0 * fwhm_mev, 4.0 * high) / FWHM_PER_SIGMA
    table_sigma = np.linspace(0.0, top, 600)
    widths = ensemble_fwhm_mev(homogeneous[None, :], table_sigma[:, None])
    table = gaussian(fwhm_mev - widths, sigma) @ (w / 2)

    def likelihood(sigma_ev: FloatArray) -> FloatArray:
        # Beyond the table the line would be twice as wide as observed or more: the likelihood is 0 there.
        return np.interp(1e3 * sigma_ev, table_sigma, table, right=0.0)

    return likelihood


def _refuse_impossible_peak(
    peak_ev: float, sigma: float, forward: _Forward, name: str, temperature_k: float
) -> None:
    lowest = min(float(np.min(c.gap_low_ev + c.mean_ev - forward.stokes_high)) for c in forward.components)
    highest = max(float(np.max(c.gap_high_ev + c.mean_ev - forward.stokes_low)) for c in forward.components)
    margin = _OUTSIDE_SIGMAS * math.hypot(sigma, max(c.gap_sigma_ev for c in forward.components))
    if not lowest - margin <= peak_ev <= highest + margin:
        raise NotAvailableError(
            f"a peak at {peak_ev:.3f} eV is not what {name} cubes emit at {temperature_k:g} K in this model",
            allowed=f"{lowest:.3f} to {highest:.3f} eV",
            fix="check the material (halides), the temperature and the unit of the axis",
        )


def _refuse_impossible_shift(shift_ev: float, sigma: float, forward: _Forward) -> None:
    lowest, highest = float(np.min(forward.stokes_low)), float(np.max(forward.stokes_high))
    if not lowest - _OUTSIDE_SIGMAS * sigma <= shift_ev <= highest + _OUTSIDE_SIGMAS * sigma:
        raise NotAvailableError(
            f"first exciton and emission lie {1e3 * shift_ev:.0f} meV apart, which no Stokes shift of the "
            f"prior ({1e3 * lowest:.0f} to {1e3 * highest:.0f} meV) explains",
            fix="check that both spectra are of the same sample, or widen the prior of the Stokes shift",
        )


# --- summaries ---------------------------------------------------------------------------------------------


def _intervals(
    edges: FloatArray, density: FloatArray, likelihood: FloatArray
) -> tuple[Literal["interval", "lower-bound"], float, float | None, float, float | None]:
    if likelihood[-1] > _LOWER_BOUND_RATIO * likelihood.max():
        # Sizes on the plateau cannot be told apart: how far the prior goes on there must not raise the bound.
        on_plateau = np.abs(likelihood - likelihood[-1]) <= _PLATEAU * likelihood.max()
        resolved = max(int(np.flatnonzero(~on_plateau)[-1]) + 2, 2) if not on_plateau.all() else 2
        cut = slice(0, min(resolved, len(edges)))
        low95, low68 = (one_sided_lower(edges[cut], density[cut], level) for level in (0.95, 0.68))
        return "lower-bound", low95, None, low68, None
    low95, high95 = equal_tail(edges, density, 0.95)
    low68, high68 = equal_tail(edges, density, 0.68)
    return "interval", low95, high95, low68, high68


def _by_set(forward: _Forward, by_edge: FloatArray) -> dict[str, dict[str, float | None]]:
    result: dict[str, dict[str, float | None]] = {}
    for set_name in forward.sets:
        rows = [i for i, c in enumerate(forward.components) if c.set_name == set_name]
        likelihood = by_edge[rows].sum(axis=0)
        if not likelihood.max() > _NO_LIKELIHOOD:
            result[set_name] = {"median": None, "low95": None, "high95": None}
            continue
        density = _normalised(forward.edges, likelihood / forward.edges)
        _, low95, high95, _, _ = _intervals(forward.edges, density, likelihood)
        median = float(quantiles(forward.edges, density, 0.5))
        result[set_name] = {"median": median, "low95": low95, "high95": high95}
    return result


def _fractions(
    forward: _Forward, by_edge: FloatArray, edge_weights: FloatArray
) -> tuple[FloatArray | None, FloatArray | None]:
    if forward.fractions is None:
        return None, None
    joint = np.stack(
        [
            sum(by_edge[i] for i, c in enumerate(forward.components) if c.fraction == float(x))
            for x in forward.fractions
        ]
    )
    density = _normalised(forward.fractions, joint @ edge_weights)
    joint = joint / forward.edges
    total = trapezoid_weights(forward.fractions) @ joint @ trapezoid_weights(forward.edges)
    return density, joint / total


def _normalised(grid: FloatArray, density: FloatArray) -> FloatArray:
    return density / float(density @ trapezoid_weights(grid))


def _range(value: Value) -> tuple[float, float]:
    if value.low is None or value.high is None:
        raise ValueError(f"{value.key} must be a range")
    return value.low, value.high


def _replaced(record: Value, given: tuple[float, float] | None) -> Value:
    if given is None:
        return record
    low, high = float(given[0]), float(given[1])
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise OptionError(f"not a range: {low:g} to {high:g}", where=record.key, allowed="low < high, finite")
    return replace(
        record, number=(low + high) / 2, low=low, high=high, kind="assumed", source="given by the user"
    )


def _merged(*groups: tuple[Value, ...]) -> tuple[Value, ...]:
    merged = {(v.key, v.parameter_set): v for group in groups for v in group}
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
