"""The forward side of the size posterior: ensemble lines on a grid, once for a material and prior.

A `Component` is one parameter set, one curve of confinement against size and, in a halide series, one
fraction. For it the peak and the width of the emission line stand on a grid of edge, spread and homogeneous
width. Lines are computed at Chebyshev nodes and interpolated: offset/s^2 and ln((F^2 - H^2)/s^2) are smooth
in ln L, s and H.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from perolux.errors import NotAvailableError
from perolux.excitons.assumptions import assumption
from perolux.excitons.backwards.model_curves import confinement_curves, curve_values
from perolux.excitons.backwards.sizing import ExcitonScale, confinement_energy_ev
from perolux.excitons.light.line import ensemble_line
from perolux.excitons.light.linewidth import homogeneous_fwhm_mev, linewidth_records
from perolux.excitons.light.stokes import StokesModel, stokes_model
from perolux.fitting.grids import trapezoid_weights
from perolux.inference.prior import SizePrior, ends
from perolux.materials import (
    Composition,
    Material,
    canonical_set,
    material,
    mixed_material,
    mixed_material_arrays,
    parameter_sets,
    parse_composition,
    trace,
    trace_series,
)
from perolux.quantities import Value

__all__ = ["Component", "Forward", "forward_model"]

FloatArray = npt.NDArray[np.float64]

EDGES, SPREADS, WIDTHS, FRACTIONS, EXCESSES, EXCESSES_OPEN = 110, 17, 7, 21, 6, 2
LAYER_CURVES, LAYER_CURVES_OPEN = 8, 4
"""Grid sizes; doubling them moves medians and bounds by less than 1 % (tested)."""
EDGE_NODES, SPREAD_NODES, WIDTH_NODES = 14, 5, 3
"""Chebyshev nodes of the lines; against direct lines below 0.5 meV for widths to 350 meV (tested)."""
_EXACT_GAP_EV = 0.005
"""A gap bound more tightly than this is a record without a stated uncertainty, not a well-known gap."""


@dataclass(frozen=True)
class Component:
    """One parameter set, curve and halide fraction, with its share of the prior.

    peak_ev: line peaks counted from the gap, at the middle of each interval of homogeneous width, shape
    (edges, spreads, intervals). fwhm_mev: widths at the ends of the intervals.
    """

    set_name: str
    fraction: float | None
    weight: float
    peak_ev: FloatArray
    fwhm_mev: FloatArray
    gap_low_ev: float
    gap_high_ev: float
    gap_sigma_ev: float
    bulk_ev: float


@dataclass(frozen=True)
class Forward:
    """All that does not depend on the data."""

    edges: FloatArray
    spreads: FloatArray
    homogeneous_mev: FloatArray
    components: tuple[Component, ...]
    sets: tuple[str, ...]
    fractions: FloatArray | None
    fraction_name: str | None
    stokes: StokesModel
    shift_ev: tuple[float, float]
    rests_on: tuple[Value, ...]
    notes: tuple[str, ...]

    @property
    def edge_weights(self) -> FloatArray:
        """Prior probability of each edge (log-uniform)."""
        weights = trapezoid_weights(self.edges) / self.edges
        return weights / weights.sum()

    @property
    def spread_weights(self) -> FloatArray:
        """Prior probability of each spread (uniform)."""
        weights = trapezoid_weights(self.spreads)
        return weights / weights.sum()

    @property
    def width_weights(self) -> FloatArray:
        """Prior probability of each interval of homogeneous width (uniform)."""
        steps = np.diff(self.homogeneous_mev)
        return steps / steps.sum()


@lru_cache(maxsize=16)
def forward_model(name: str, temperature_k: float, prior: SizePrior) -> Forward:
    """The forward model of a material at a temperature under a prior; computed once, then remembered."""
    composition = parse_composition(name)
    sets = _sets_of(composition, prior)
    edges = np.geomspace(*ends(prior.record("edge_nm")), EDGES)
    # Denser towards small spreads: in small cubes a few per cent already broaden the line by its own width.
    spread_low, spread_high = ends(prior.record("relative_size_spread"))
    spreads = spread_low + (spread_high - spread_low) * np.linspace(0.0, 1.0, SPREADS) ** 2
    notes: list[str] = []
    used = [prior.record("edge_nm"), prior.record("relative_size_spread"), prior.record("stokes_shift_ev")]
    used += [
        *stokes_model(prior.stokes).records[1:],
        assumption("peak_model_ev"),
        assumption("fwhm_model_mev"),
    ]
    width, width_values, note = _homogeneous(composition, temperature_k, sets[0], prior)
    used += width_values
    notes += [note] if note else []
    homogeneous = np.linspace(*ends(width), WIDTHS)
    if prior.walls == "softened":
        used.append(prior.record("hard_wall_excess_ev"))

    lines = _Lines(edges, spreads, homogeneous)
    components: list[Component] = []
    fractions: FloatArray | None = None
    smallest_valid = 0.0
    for set_name in sets:
        hosts: list[_Host]
        if composition.is_open:
            fractions = np.linspace(0.0, 1.0, FRACTIONS)
            hosts, values = _series(composition, fractions, temperature_k, set_name, prior)
        else:
            hosts, values = _single(material(name, temperature_k, set_name), prior)
        used += values
        for host in hosts:
            for curve in host.curves:
                peak_ev, fwhm_mev = lines.of(curve)
                weight = host.share / len(host.curves) / len(sets)
                components.append(
                    Component(set_name, host.fraction, weight, peak_ev, fwhm_mev, *host.gap, host.bulk_ev)
                )
                valid = getattr(curve, "smallest_valid_nm", 0.0)
                smallest_valid = max(smallest_valid, valid)
    if smallest_valid > edges[0]:
        notes.append(f"below {smallest_valid:.2g} nm some of the model's curves use masses beyond their law")
    if max(c.gap_high_ev - c.gap_low_ev + c.gap_sigma_ev for c in components) < _EXACT_GAP_EV:
        notes.append(
            f"the gap of {name} is on record with no stated uncertainty: the size does not include one"
        )
    if fractions is not None:
        used.append(assumption("halide_fraction"))
    return Forward(
        edges=edges,
        spreads=spreads,
        homogeneous_mev=homogeneous,
        components=tuple(components),
        sets=sets,
        fractions=fractions,
        fraction_name=f"fraction of {composition.halides[1][0]}" if composition.is_open else None,
        stokes=stokes_model(prior.stokes),
        shift_ev=ends(prior.record("stokes_shift_ev")),
        rests_on=tuple({(v.key, v.parameter_set, v.number): v for v in used}.values()),
        notes=tuple(notes),
    )


Curve = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class _Scale:
    """Bohr radius and Rydberg of one composition of a halide series."""

    bohr_radius_nm: float
    rydberg_ev: float


@dataclass(frozen=True)
class _Host:
    """One composition: its share of the prior, equally likely curves, gap and bulk exciton (eV)."""

    fraction: float | None
    share: float
    curves: tuple[Curve, ...]
    gap: tuple[float, float, float]
    bulk_ev: float


def _single(chosen: Material, prior: SizePrior) -> tuple[list[_Host], tuple[Value, ...]]:
    """A closed composition; and the values that its curves rest on."""
    gap = _gap_prior(chosen.gap)
    if prior.walls == "layers":
        curves = confinement_curves(chosen, count=LAYER_CURVES)
        return [_Host(None, 1.0, curves, gap, -chosen.rydberg_ev)], curve_values(chosen)
    # A mass or dielectric constant known as a range only enters as its middle and its two ends.
    scales = chosen.scale_range()
    hosts = [
        _Host(None, 1.0 / len(scales), _wall_curves(scale, prior, EXCESSES), gap, -scale.rydberg_ev)
        for scale in scales
    ]
    return hosts, trace(chosen, ("gap", "reduced_mass", "eps_effective", "bohr_radius", "rydberg"))


def _series(
    composition: Composition, fractions: FloatArray, temperature_k: float, set_name: str, prior: SizePrior
) -> tuple[list[_Host], tuple[Value, ...]]:
    """An open composition: a host for each fraction; and the values that the curves rest on."""
    middle = mixed_material_arrays(composition, fractions, temperature_k, set_name)
    values = trace_series(composition, temperature_k, set_name)
    shares = trapezoid_weights(fractions)
    hosts = []
    if prior.walls == "layers":
        for i, (x, share) in enumerate(zip(fractions, shares, strict=True)):
            chosen = mixed_material(composition, float(x), temperature_k, set_name)
            layered = confinement_curves(chosen, count=LAYER_CURVES_OPEN)
            gap = (float(middle.gap_low_ev[i]), float(middle.gap_high_ev[i]), 0.0)
            hosts.append(_Host(float(x), float(share), layered, gap, -float(middle.rydberg_ev[i])))
        inside = mixed_material(composition, 0.5, temperature_k, set_name)
        return hosts, (*values, *curve_values(inside))
    several = middle.scale_range()
    for series in several:
        for i, (x, share) in enumerate(zip(fractions, shares, strict=True)):
            scale = _Scale(float(series.bohr_radius_nm[i]), float(series.rydberg_ev[i]))
            gap = (float(series.gap_low_ev[i]), float(series.gap_high_ev[i]), 0.0)
            curves = _wall_curves(scale, prior, EXCESSES_OPEN)
            hosts.append(_Host(float(x), float(share) / len(several), curves, gap, -scale.rydberg_ev))
    return hosts, values


def _sets_of(composition: Composition, prior: SizePrior) -> tuple[str, ...]:
    """The parameter sets to marginalise over; a material without any says what it lacks."""
    closed = composition.with_fraction(0.5).formula if composition.is_open else composition.formula
    known = parameter_sets(closed)
    if not known:
        _ = material(closed).bohr_radius_nm
        raise NotAvailableError(f"no exciton parameters are known for {closed}", where=closed)
    if prior.sets is None:
        return known
    return tuple(dict.fromkeys(canonical_set(closed, name) for name in prior.sets))


def _homogeneous(
    composition: Composition, temperature_k: float, set_name: str, prior: SizePrior
) -> tuple[Value, list[Value], str | None]:
    """Range of the width of one size, the values it rests on, and a note where it is assumed."""
    if prior.homogeneous_fwhm_mev is not None:
        width = prior.record("homogeneous_fwhm_mev")
        return width, [width], None
    if not composition.is_open:
        host = material(composition.formula, temperature_k, set_name)
        try:
            width = homogeneous_fwhm_mev(host, prior.linewidth)
            values = [width, *trace(host, linewidth_records(prior.linewidth))]
            valid = dict((q, (low, high)) for q, low, high in width.valid)
            note = None
            if "edge_nm" in valid:
                note = f"the width of one size is on record for edges above {valid['edge_nm'][0]:g} nm only"
            return width, values, note
        except NotAvailableError:
            pass  # the assumed range stands in, and the note says so
    width = assumption("homogeneous_fwhm_unknown_mev")
    return width, [width], f"no width of one size is on record for {composition.formula}: a range is assumed"


def _wall_curves(host: ExcitonScale, prior: SizePrior, count: int) -> tuple[Curve, ...]:
    """Parabolic hard walls, or walls softened by an excess, at the middles of equal parts of its range."""
    if prior.walls == "hard":
        return (_softened(host, 0.0),)
    low, high = ends(prior.record("hard_wall_excess_ev"))
    excesses = low + (high - low) * (np.arange(count) + 0.5) / count
    return tuple(_softened(host, float(excess)) for excess in excesses)


def _softened(host: ExcitonScale, excess_ev: float) -> Curve:
    return lambda sizes: confinement_energy_ev(sizes, host, excess_at_4nm_ev=excess_ev)


def _gap_prior(gap: Value) -> tuple[float, float, float]:
    """A gap known as a range is uniform between its ends; one with sigma is Gaussian about its number."""
    if gap.low is not None and gap.high is not None:
        return gap.low, gap.high, 0.0
    return gap.number, gap.number, gap.sigma or 0.0


class _Lines:
    """Interpolation of ensemble lines from Chebyshev nodes onto the grid; the matrices are shared."""

    def __init__(self, edges: FloatArray, spreads: FloatArray, homogeneous_mev: FloatArray) -> None:
        self.edges, self.spreads, self.homogeneous = edges, spreads, homogeneous_mev
        self.middles = (homogeneous_mev[1:] + homogeneous_mev[:-1]) / 2
        log_nodes, self.to_edges = _chebyshev(np.log(edges), EDGE_NODES)
        self.edge_nodes = np.exp(log_nodes)
        self.spread_nodes, self.to_spreads = _chebyshev(spreads, SPREAD_NODES)
        self.width_nodes, self.to_widths = _chebyshev(homogeneous_mev, WIDTH_NODES)
        self.to_middles = _barycentric(self.width_nodes, self.middles)

    def of(self, confinement_ev: Callable[[FloatArray], FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Peaks (eV) at the middles and widths (meV) at the ends of the intervals of homogeneous width."""
        line = ensemble_line(self.edge_nodes, self.spread_nodes, 1e-3 * self.width_nodes, confinement_ev)
        square = self.spread_nodes[None, :, None] ** 2
        offset = (line.peak_ev - confinement_ev(self.edge_nodes)[:, None, None]) / square
        added = (1e3 * line.fwhm_ev) ** 2 - self.width_nodes**2
        # A line is never narrower than that of one size; rounding may say so where the spread hardly counts.
        growth = np.log(np.maximum(added, 1e-9) / square)
        spread2 = self.spreads[None, :, None] ** 2
        peaks = confinement_ev(self.edges)[:, None, None] + spread2 * self._on_grid(offset, self.to_middles)
        widths2 = self.homogeneous**2 + spread2 * np.exp(self._on_grid(growth, self.to_widths))
        return peaks, np.sqrt(widths2)

    def _on_grid(self, values: FloatArray, to_widths: FloatArray) -> FloatArray:
        return np.einsum(
            "ea,sb,wc,abc->esw", self.to_edges, self.to_spreads, to_widths, values, optimize="greedy"
        )


def _chebyshev(targets: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Chebyshev nodes (first kind) over the span of the targets, and the matrix from nodes to targets."""
    low, high = float(targets[0]), float(targets[-1])
    nodes = (low + high) / 2 - (high - low) / 2 * np.cos((np.arange(count) + 0.5) * np.pi / count)
    return nodes, _barycentric(nodes, targets)


def _barycentric(nodes: FloatArray, targets: FloatArray) -> FloatArray:
    """Matrix of polynomial interpolation from Chebyshev nodes (first kind) to targets."""
    count = len(nodes)
    weights = (-1.0) ** np.arange(count) * np.sin((np.arange(count) + 0.5) * np.pi / count)
    distance = targets[:, None] - nodes[None, :]
    hit = np.abs(distance) < 1e-14 * (np.abs(nodes).max() + 1.0)
    parts = weights / np.where(hit, 1.0, distance)
    matrix = parts / parts.sum(axis=1, keepdims=True)
    matrix[hit.any(axis=1)] = hit[hit.any(axis=1)]
    return np.asarray(matrix, dtype=float)
