"""One parameter set against one sample: its rows, its posterior, its energies moved, its platelets.

The rows of PL and absorbance stand one below the other, each divided by its sigma. The unknown density is
that of crystals per step of ln edge, in units that bring the rows near one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, NotAvailableError
from perolux.excitons.light.stokes import stokes_model
from perolux.excitons.parameters import ParameterDraws
from perolux.inference.inversion_data import Record
from perolux.inference.inversion_result import Choice, Sample, SetInversion
from perolux.inference.platelet_basis import PlateletAmounts, platelet_columns
from perolux.inference.size_kernel import STEP, SizeKernel
from perolux.inference.smooth_density import (
    DensityFit,
    DensityProblem,
    corner,
    cube_signal,
    fit_path,
    lognormal_start,
    sample_density,
)
from perolux.inference.tikhonov import resolution, tikhonov

__all__ = ["Base", "Case", "Shifted", "compare", "cubes", "shifted"]

FloatArray = npt.NDArray[np.float64]

_HALF = 0.5
"""A size counts as resolved while its point spread is narrower than this part of the edge (a convention)."""
_SHIFTS = 11
_LITRE_CM3 = 1e3
_SEEN = 25.0
"""Squared signal in units of sigma, five sigma, from which a record is taken to hold cubes at all."""


@dataclass(frozen=True, eq=False)
class Case:
    """Records of one sample and the tables of one parameter set. stokes_offset_ev, pl_scale: of a PL beside
    an absorbance, fitted (`paired`). line_kernels: the tables for other widths of the line of one size."""

    parameters: ParameterDraws
    kernel: SizeKernel
    records: tuple[Record, ...]
    slit_fwhm_nm: float
    path_mm: float | None
    line_kernels: tuple[SizeKernel, ...] = ()
    stokes_offset_ev: float = 0.0
    pl_scale: float = 1.0

    @property
    def name(self) -> str:
        """Name of the parameter set."""
        return self.parameters.set_name

    def matrices(self, shift_ev: float = 0.0) -> list[FloatArray]:
        """Rows of each record for one crystal of each edge, per step of ln edge; not yet divided by sigma."""
        found = []
        for record in self.records:
            if record.kind == "pl":
                moved = shift_ev + self.stokes_offset_ev
                light = self.kernel.pl(record.wavelength_nm, self.slit_fwhm_nm, moved)
                escape = self._escape(record.wavelength_nm)[:, None]
                found.append(STEP * self.pl_scale * escape * light * self.kernel.light_per_crystal)
            else:
                if self.kernel.cross is None:
                    raise NotAvailableError(self.kernel.reason, where=record.where)
                path = 0.1 * (self.path_mm or 1.0) / np.log(10.0)
                cross = self.kernel.absorbance(record.wavelength_nm, self.slit_fwhm_nm, shift_ev)
                found.append(STEP * path * cross)
        return found

    def problem(self, shift_ev: float = 0.0) -> tuple[DensityProblem, float]:
        """The rows divided by sigma, and the density that one unit of the unknown means."""
        rows = [m / r.sigma[:, None] for m, r in zip(self.matrices(shift_ev), self.records, strict=True)]
        matrix = np.vstack(rows)
        unit = np.sqrt(len(matrix)) / float(np.linalg.norm(matrix, axis=0).max())
        blocks = [r.columns / r.sigma[:, None] for r in self.records]
        total = sum(block.shape[1] for block in blocks)
        columns, at, first = np.zeros((len(matrix), total)), 0, 0
        for block in blocks:
            columns[at : at + len(block), first : first + block.shape[1]] = block
            at, first = at + len(block), first + block.shape[1]
        data = np.concatenate([r.values / r.sigma for r in self.records])
        return DensityProblem(data, unit * matrix, columns, STEP, len(data)), unit

    def _escape(self, wavelength_nm: FloatArray) -> FloatArray:
        """Light that leaves the cell, where its absorbance is on record."""
        for record in self.records:
            if record.kind == "absorbance":
                seen = np.interp(wavelength_nm, record.wavelength_nm, record.values)
                depth = np.log(10.0) * np.maximum(seen, 1e-9)
                return np.asarray(-np.expm1(-depth) / depth)
        return np.ones_like(wavelength_nm)


@dataclass(frozen=True, eq=False)
class Base:
    """What later steps take from an inversion: the fit of the largest evidence, the factor by which its chi2
    was divided, Schwarz's criterion (least over lambda), the number of samples, and the correlation of
    neighbouring residuals."""

    case: Case
    fit: DensityFit
    scale: float
    schwarz: float
    points: int
    shared: float


@dataclass(frozen=True, eq=False)
class Shifted:
    """Means with all energies moved and the line of one size of another width.

    shift_ev: (k,). log_weight: (widths, k), ln of prior times likelihood. numbers: by name, (widths, k).
    Where no density explains the record the weight is nothing.
    """

    shift_ev: FloatArray
    log_weight: FloatArray
    numbers: dict[str, FloatArray]


def moments(edge_nm: FloatArray, density: FloatArray, light: FloatArray) -> dict[str, FloatArray]:
    """Number mean, cv, and mean edge of the light of densities (..., n) per step of ln edge."""
    total = density.sum(axis=-1)
    mean = density @ edge_nm / total
    square = np.sum(density * (edge_nm - mean[..., None]) ** 2, axis=-1) / total
    seen = density * light
    return {
        "mean_edge_nm": mean,
        "cv": np.sqrt(square) / mean,
        "light_edge_nm": seen @ edge_nm / seen.sum(axis=-1),
    }


def paired(case: Case) -> Case:
    """Scale of the PL and Stokes offset that let one lognormal explain PL and absorbance best."""
    from scipy.optimize import minimize

    case = replace(case, pl_scale=1.0, stokes_offset_ev=0.0)
    shift = stokes_model().shift_ev
    reach = 0.5 * ((shift.high or 0.0) - (shift.low or 0.0))
    pl = next(i for i, record in enumerate(case.records) if record.kind == "pl")
    alone = [replace(case, records=(record,)) for record in case.records]
    density = []
    for one in alone:
        problem, unit = one.problem()
        compressed = problem.compressed()
        fit = fit_path(compressed, lognormal_start(compressed, float(case.kernel.edge_nm[0])), np.ones(1))[0]
        density.append(unit * np.exp(fit.log_density))
    taken = [float(d @ case.kernel.light_per_crystal) for d in density]
    first = np.log(taken[pl] / taken[1 - pl])

    def cost(x: FloatArray) -> float:
        if abs(x[1]) > reach:
            return 1e30 * abs(x[1]) / reach
        moved = replace(case, pl_scale=float(np.exp(x[0])), stokes_offset_ev=float(x[1]))
        problem, problem_unit = moved.problem()
        compressed = problem.compressed()
        fit = fit_path(compressed, last[0] - np.log(problem_unit), np.ones(1))[0]
        last[0] = fit.log_density + np.log(problem_unit)
        return fit.chi2

    absorbing = 1 - pl
    last = [np.log(np.maximum(density[absorbing], 1e-200 * density[absorbing].max()))]
    simplex = np.array([[first, 0.0], [first + 0.1, 0.0], [first, 0.2 * reach]])
    options = {"initial_simplex": simplex, "xatol": 1e-4, "fatol": 0.1, "maxfev": 100}
    best = minimize(cost, simplex[0], method="Nelder-Mead", options=options).x
    return replace(case, pl_scale=float(np.exp(best[0])), stokes_offset_ev=float(best[1]))


def cubes(case: Case, rng: np.random.Generator, draws: int) -> tuple[SetInversion, Base]:
    """The posterior under one set; the noise is enlarged where the best fit lies farther off than it."""
    if len(case.records) == 2:
        case = paired(case)
    edge = case.kernel.edge_nm
    full, unit = case.problem()
    problem = full.compressed()
    fits = fit_path(problem, lognormal_start(problem, float(edge[0])))
    chosen = min(fits, key=lambda fit: fit.score)
    misfit = chosen.chi2 / max(full.points - chosen.freedom, 1.0)
    shared = _shared(_left(full, chosen))
    scale = max(misfit, 1.0) * (1.0 + shared) / (1.0 - shared)
    if scale > 1.0:
        # the same minima: chi2 and penalty divided by one number
        problem = replace(
            problem, data=problem.data / scale**0.5, matrix=problem.matrix / scale**0.5,
            columns=problem.columns / scale**0.5,
        )  # fmt: skip
        fits = fit_path(problem, fits[0].log_density)
        chosen = min(fits, key=lambda fit: fit.score)
    if cube_signal(problem, chosen) < _SEEN:
        raise ConvergenceError(
            f"under {case.name} no light of cubes stands out of the record: what lies under it explains it",
            where=case.records[0].where,
            fix="check the material, the kind of the record and the range of wavelengths",
        )
    posterior = sample_density(problem, fits, rng, draws)
    light = _light(case)
    numbers = moments(edge, posterior.density, light)
    middle, low, high = np.quantile(_per_nm(edge, posterior.density), [0.5, 0.025, 0.975], axis=0)
    area = float(np.trapezoid(middle, edge)) or 1.0
    seen = posterior.density * light
    share = (seen / seen.sum(axis=1, keepdims=True)).mean(axis=0)
    second = tikhonov(
        problem.data, problem.matrix / light, problem.columns, case.kernel.emission_ev, full.points
    )
    spread = resolution(second, edge, case.kernel.emission_ev)
    blurred = np.flatnonzero(~(spread.width_nm < _HALF * edge) & (edge > 3.0))
    limit = float(edge[blurred[0]] if len(blurred) else edge[-1])
    per_litre = None
    if case.path_mm is not None and any(record.kind == "absorbance" for record in case.records):
        per_litre = _sample(_LITRE_CM3 * unit * STEP * posterior.density.sum(axis=1))
    best = fits[int(np.argmax(posterior.evidence))]
    tik = moments(edge, second.light / light, light)
    result = SetInversion(
        set_name=case.name,
        edge_nm=edge,
        density=middle / area,
        density_low95=low,
        density_high95=high,
        light=share,
        mean_edge_nm=_sample(numbers["mean_edge_nm"]),
        cv=_sample(numbers["cv"]),
        light_edge_nm=_sample(numbers["light_edge_nm"]),
        gcv=_choice(edge, chosen, light),
        l_curve=_choice(edge, fits[corner(fits)], light),
        tikhonov=Choice(second.weight_gcv, float(tik["mean_edge_nm"]), float(tik["cv"]), second.freedom),
        tikhonov_light_edge_nm=float(tik["light_edge_nm"]),
        evidence=dict(zip((float(fit.weight) for fit in fits), posterior.evidence.tolist(), strict=True)),
        resolution=spread,
        limit_nm=limit,
        light_beyond_limit=float(share[edge > limit].sum()),
        misfit=misfit,
        effective=posterior.effective,
        number_per_litre=per_litre,
        stokes_offset_ev=case.stokes_offset_ev if len(case.records) == 2 else None,
        fitted=_fitted(case, full, best),
    )
    schwarz = min(_schwarz(full.points, scale * fit.chi2, fit.freedom, shared) for fit in fits)
    return result, Base(case, best, scale, schwarz, full.points, shared)


def shifted(base: Base) -> Shifted:
    """The inversion repeated with the energies moved over the ranges of gap and, for PL alone, Stokes shift,
    and with each width of one size in `line_kernels`."""
    gap = base.case.parameters.values["gap"]
    half_gap = 0.5 * ((gap.high or gap.number) - (gap.low or gap.number))
    half_stokes = 0.0
    if all(record.kind == "pl" for record in base.case.records):
        shift = stokes_model().shift_ev
        half_stokes = 0.5 * ((shift.high or 0.0) - (shift.low or 0.0))
    reach = max(half_gap + half_stokes, 1e-6)
    moves = np.linspace(-reach, reach, _SHIFTS)
    # density of the sum of two uniform variables, up to a factor
    flat = abs(half_gap - half_stokes)
    prior = np.clip((reach - np.abs(moves)) / max(reach - flat, 1e-12), 1e-6, 1.0)
    weights = 10.0 ** np.linspace(0.0, np.log10(base.fit.weight), 4)
    kernels = base.case.line_kernels or (base.case.kernel,)
    logs = np.full((len(kernels), len(moves)), -np.inf)
    numbers = {name: np.full(logs.shape, np.nan) for name in ("mean_edge_nm", "cv", "light_edge_nm")}
    for i, kernel in enumerate(kernels):
        case = replace(base.case, kernel=kernel)
        if len(case.records) == 2:
            case = paired(case)
        for j, move in enumerate(moves):
            problem = _divided(case.problem(float(move))[0].compressed(), base.scale)
            try:
                fit = fit_path(problem, lognormal_start(problem, float(kernel.edge_nm[0])), weights)[-1]
            except ConvergenceError:
                continue
            if cube_signal(problem, fit) < _SEEN:
                continue
            logs[i, j] = np.log(prior[j]) - fit.minimum
            for name, value in moments(kernel.edge_nm, np.exp(fit.log_density), _light(case)).items():
                numbers[name][i, j] = value
    if not np.isfinite(logs).any():
        raise ConvergenceError("no density explains the record with its energies moved", where=base.case.name)
    return Shifted(moves, logs - logs.max(), numbers)


def compare(
    base: Base, platelets: dict[str, PlateletAmounts]
) -> tuple[dict[str, float], dict[str, float | str | None]]:
    """Schwarz's criterion of cubes, platelets and both (the least is 0); the light of platelets in both."""
    case, n = base.case, base.points
    record = case.records[0]
    full, _ = case.problem()
    cost = {"cubes": base.schwarz}
    rival = min(platelets.values(), key=lambda one: one.chi2)
    cost["platelets"] = _schwarz(n, rival.chi2, rival.parameters, base.shared)
    best: tuple[float, PlateletAmounts, DensityFit] | None = None
    for one in platelets.values():
        light = (
            platelet_columns(one.lines, record.wavelength_nm, case.slit_fwhm_nm, one.shift_ev, one.fwhm_mev)
            / record.sigma[:, None]
        )
        joint = replace(full, columns=np.hstack([full.columns, light])).compressed()
        weights = 10.0 ** np.linspace(0.0, np.log10(base.fit.weight), 4)
        for fit in fit_path(joint, base.fit.log_density, weights):
            value = _schwarz(n, fit.chi2, fit.freedom + 2.0, base.shared)
            if best is None or value < best[0]:
                best = value, one, fit
    assert best is not None
    cost["both"], winner, fit = best
    least = min(cost.values())
    amounts = fit.amounts[full.columns.shape[1] :]
    # both are light per nm, on the samples of the record
    in_cubes = float(np.exp(fit.log_density) @ (full.matrix * record.sigma[:, None]).sum(axis=0))
    lines = platelet_columns(
        winner.lines, record.wavelength_nm, case.slit_fwhm_nm, winner.shift_ev, winner.fwhm_mev
    )
    in_platelets = float(amounts @ lines.sum(axis=0))
    total = in_cubes + in_platelets
    share = in_platelets / total if total > 0 else None
    return {name: value - least for name, value in cost.items()}, {
        "rival": winner.lines.name,
        "share_of_light": share,
    }


def _divided(problem: DensityProblem, scale: float) -> DensityProblem:
    """The problem with sigmas larger by the root of scale."""
    data, matrix, columns = (part / scale**0.5 for part in (problem.data, problem.matrix, problem.columns))
    return replace(problem, data=data, matrix=matrix, columns=columns)


def _schwarz(points: int, chi2: float, parameters: float, shared: float) -> float:
    """Schwarz's criterion with an unknown common size of the errors, m ln(chi2/m) + k ln m.

    Samples whose errors correlate count as m (1 - r)/(1 + r), r from one to the next.
    """
    m = points * (1.0 - shared) / (1.0 + shared)
    return m * float(np.log(chi2 / points)) + parameters * float(np.log(max(m, 2.0)))


def _left(full: DensityProblem, fit: DensityFit) -> FloatArray:
    """Residuals of every sample of the record."""
    model = full.matrix @ np.exp(fit.log_density) + full.columns @ fit.amounts
    return np.asarray(full.data - model)


def _shared(left: FloatArray) -> float:
    """Correlation of each residual with the next, 0 where it may be chance (three sigma); at most 0.98.

    What the model misses is smooth: taken as independent errors it would make intervals far too narrow.
    """
    r = float(left[1:] @ left[:-1] / max(float(left @ left), 1e-300))
    return min(r, 0.98) if r > 3.0 / np.sqrt(len(left)) else 0.0


def _light(case: Case) -> FloatArray:
    """Light of a crystal of each edge: what it takes of the lamp, or its volume where there is no PL."""
    if any(record.kind == "pl" for record in case.records):
        return case.kernel.light_per_crystal
    return np.asarray(case.kernel.edge_nm**3)


def _per_nm(edge_nm: FloatArray, density: FloatArray) -> FloatArray:
    """Densities (..., n) per nm, area 1, from those per step of ln edge."""
    per_nm = density / edge_nm
    area = np.asarray(np.trapezoid(per_nm, edge_nm, axis=-1))
    return np.asarray(per_nm / area[..., None])


def _sample(draws: FloatArray) -> Sample:
    low, middle, high = np.quantile(draws, [0.025, 0.5, 0.975])
    return Sample(float(middle), float(low), float(high))


def _choice(edge_nm: FloatArray, fit: DensityFit, light: FloatArray) -> Choice:
    numbers = moments(edge_nm, np.exp(fit.log_density), light)
    return Choice(fit.weight, float(numbers["mean_edge_nm"]), float(numbers["cv"]), fit.freedom)


def _fitted(case: Case, full: DensityProblem, fit: DensityFit) -> FloatArray:
    """The first record as the fit has it, in its unit."""
    m = len(case.records[0].values)
    model = full.matrix @ np.exp(fit.log_density) + full.columns @ fit.amounts
    return np.asarray(model[:m] * case.records[0].sigma)
