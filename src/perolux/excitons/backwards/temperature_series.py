"""Fits of a temperature series of photoluminescence: its peak (the gap) and its width against temperature.

    gap    E(T) = E0 + A_TE T + sum_i A_i (2 n_i + 1)        one or two oscillators
    width  Gamma(T) = Gamma0 + gamma_ac T + Gamma_LO n_LO     gamma_ac = 0 unless asked for

The laws are degenerate by nature: where kT exceeds the phonon energy only Gamma_LO/E_LO and A_TE + 2 k A/E
are determined. Hence every result carries covariance, correlations, the pairs that trade off against each
other by name, and profile-likelihood intervals, which stay open where the data do not close them. Without
given sigmas their common size is taken from the scatter. Never fit across a phase transition.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError, Problem
from perolux.excitons.assumptions import assumption
from perolux.excitons.backwards._profiles import profile as find_interval
from perolux.excitons.backwards.size_energy_table import implausible_energies
from perolux.excitons.backwards.temperature_laws import GAP_LAWS, WIDTH_LAW, TemperatureLaw
from perolux.fitting import FitResult, ProfileInterval, least_squares

__all__ = ["DEGENERATE", "TemperatureFit", "fit_gap_course", "fit_width_course"]

FloatArray = npt.NDArray[np.float64]

DEGENERATE = 0.9
"""Correlation of two fitted parameters from which on they are named as trading off against each other."""
_SCAN = 48
"""Phonon energies of the first scan, evenly spaced in the logarithm: 12 % apart, any start near enough."""
_WIDEST_EV = 1.0
"""Widths from which on another unit is meant."""
_STUDENT = 4.0
"""Degrees of freedom of the robust likelihood: an outlier counts by its logarithm."""
_SPOILT = 1.02
"""Factor on the first linear parameter of a start, see `_solve`."""
_MAD = 1.4826
"""Standard deviation of a Gaussian in units of its median absolute deviation."""


@dataclass(frozen=True, eq=False)
class TemperatureFit:
    """A law fitted to a temperature series.

    fit: values, sigmas and covariance of the free parameters; fixed: the others. intervals: profile-
    likelihood intervals of the free ones, an end None where the data leave it open. degeneracies: sentences
    that name parameters which trade off. notes: what was chosen. All energies in eV.
    """

    law: TemperatureLaw
    temperature_k: FloatArray = field(repr=False)
    measured_ev: FloatArray = field(repr=False)
    sigma_ev: FloatArray | None = field(repr=False)
    fit: FitResult
    fixed: Mapping[str, float]
    intervals: tuple[ProfileInterval, ...] = ()
    degeneracies: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> float:
        return float(self.fixed[name]) if name in self.fixed else self.fit[name]

    @property
    def parameters(self) -> FloatArray:
        """All parameters in the order of the law, fixed ones included."""
        return np.array([self[name] for name in self.law.names])

    def curve_ev(self, temperature_k: npt.ArrayLike) -> FloatArray:
        """The fitted law at temperatures, eV."""
        return self.law.value(temperature_k, self.parameters)

    def band_ev(self, temperature_k: npt.ArrayLike) -> FloatArray | None:
        """Standard deviation of the fitted curve at temperatures, eV; None where there is no covariance."""
        if self.fit.covariance is None:
            return None
        free = [self.law.names.index(name) for name in self.fit.names]
        slopes = self.law.jacobian(temperature_k, self.parameters)[:, free]
        return np.sqrt(np.einsum("ij,jk,ik->i", slopes, self.fit.covariance, slopes))

    def interval(self, name: str) -> ProfileInterval:
        """The profile interval of one parameter; `OptionError` where there is none."""
        for one in self.intervals:
            if one.name == name:
                return one
        raise OptionError(f"no interval of {name!r}", allowed=", ".join(i.name for i in self.intervals))

    def summary(self) -> str:
        """The result as plain text: values, intervals, what trades off, what was assumed."""
        temperatures = self.temperature_k
        reduced = self.fit.reduced_chi2
        chi = (
            "" if reduced is None or self.sigma_ev is None else f", chi2 per degree of freedom {reduced:.2f}"
        )
        lines = [
            f"{self.law.quantity} against temperature, {len(temperatures)} points from "
            f"{temperatures.min():g} to {temperatures.max():g} K{chi}"
        ]
        found = {one.name: one for one in self.intervals}
        for name in self.law.names:
            if name in self.fixed:
                lines.append(f"  {name} = {self.fixed[name]:.6g} (fixed)")
                continue
            sigma = self.fit.sigma[self.fit.names.index(name)]
            text = f"  {name} = {self[name]:.6g}" + ("" if sigma is None else f" +- {sigma:.2g}")
            if name in found:
                one = found[name]
                ends = ["open" if end is None else f"{end:.4g}" for end in (one.low, one.high)]
                text += f", {100 * one.level:g} % from {ends[0]} to {ends[1]}"
            lines.append(text)
        lines += [f"  trades off: {text}" for text in self.degeneracies]
        lines += [f"  open: {one.reason}" for one in self.intervals if one.reason]
        lines += [f"  warning: {text}" for text in self.fit.warnings]
        lines += [f"  note: {text}" for text in self.notes]
        return "\n".join(lines)

    def plot(self, axes: Any = None) -> Any:
        """Draw data, fitted curve and its band with matplotlib and return the axes."""
        if axes is None:
            import matplotlib.pyplot as plt

            axes = plt.subplots(figsize=(5, 3.2), layout="constrained")[1]
        dense = np.linspace(self.temperature_k.min(), self.temperature_k.max(), 200)
        curve, band = 1e3 * self.curve_ev(dense), self.band_ev(dense)
        if band is not None:
            axes.fill_between(dense, curve - 2e3 * band, curve + 2e3 * band, alpha=0.25, linewidth=0)
        axes.plot(dense, curve)
        errors = None if self.sigma_ev is None else 1e3 * self.sigma_ev
        axes.errorbar(self.temperature_k, 1e3 * self.measured_ev, errors, fmt="o", markersize=4)
        axes.set_xlabel("temperature (K)")
        axes.set_ylabel(f"{self.law.quantity} (meV)")
        return axes


def fit_gap_course(
    temperature_k: npt.ArrayLike,
    gap_ev: npt.ArrayLike,
    sigma_ev: npt.ArrayLike | None = None,
    oscillators: int = 1,
    *,
    fixed: Mapping[str, float] | None = None,
    robust: bool = False,
    profile: bool = True,
    level: float = 0.95,
    phase_transitions_k: Sequence[float] = (),
) -> TemperatureFit:
    """Fit E(T) = E0 + A_TE T + sum_i A_i (2 n_i + 1) to energies (eV) against temperature (K).

    sigma_ev: one or one for each point; None takes their common size from the scatter. oscillators: 1 or 2.
    fixed: parameters that are known, e.g. {"expansion_ev_per_k": 1.5e-4}: that breaks the degeneracy of
    expansion and coupling. robust: Student-t likelihood instead of Gaussian. phase_transitions_k: raises
    `ModelRangeError` where one lies within the data. Raises `OptionError` for data that are no series.

    >>> t = np.arange(10.0, 301.0, 10.0)
    >>> e = GAP_LAWS[1].value(t, [2.40, 4e-4, -0.05, 0.018])
    >>> round(fit_gap_course(t, e, 1e-3, profile=False)["coupling_ev"], 5)
    -0.05
    """
    if oscillators not in GAP_LAWS:
        raise OptionError(f"{oscillators} oscillators", allowed="1, 2")
    return _fit(
        GAP_LAWS[oscillators],
        temperature_k,
        gap_ev,
        sigma_ev,
        dict(fixed or {}),
        robust,
        profile,
        level,
        phase_transitions_k,
        (),
    )


def fit_width_course(
    temperature_k: npt.ArrayLike,
    fwhm_ev: npt.ArrayLike,
    sigma_ev: npt.ArrayLike | None = None,
    *,
    acoustic: bool = False,
    fixed: Mapping[str, float] | None = None,
    robust: bool = False,
    profile: bool = True,
    level: float = 0.95,
    phase_transitions_k: Sequence[float] = (),
) -> TemperatureFit:
    """Fit Gamma0 + gamma_ac T + Gamma_LO/(exp(E_LO/kT) - 1) to widths (eV) against temperature (K).

    acoustic: also fit gamma_ac, which is 0 otherwise (said in the notes). Gamma0, gamma_ac and Gamma_LO are
    not negative. The rest as `fit_gap_course`.
    """
    known = dict(fixed or {})
    notes: tuple[str, ...] = ()
    if not acoustic and "gamma_ac_ev_per_k" not in known:
        known["gamma_ac_ev_per_k"] = 0.0
        notes = ("gamma_ac is 0, the default for nanocrystals; acoustic=True fits it",)
    return _fit(
        WIDTH_LAW,
        temperature_k,
        fwhm_ev,
        sigma_ev,
        known,
        robust,
        profile,
        level,
        phase_transitions_k,
        notes,
    )


def _fit(
    law: TemperatureLaw,
    temperature_k: npt.ArrayLike,
    measured_ev: npt.ArrayLike,
    sigma_ev: npt.ArrayLike | None,
    fixed: dict[str, float],
    robust: bool,
    profile: bool,
    level: float,
    transitions_k: Sequence[float],
    notes: tuple[str, ...],
) -> TemperatureFit:
    temperature, measured, sigma = _checked(law, temperature_k, measured_ev, sigma_ev, fixed, transitions_k)
    free = [name for name in law.names if name not in fixed]
    low, high = _bounds(law, free)
    weight = np.ones_like(measured) if sigma is None else 1.0 / sigma
    start = _start(law, temperature, measured, weight, fixed)
    problem = _Problem(law, temperature, measured, weight, fixed, tuple(free))
    fit = _solve(problem, start, low, high, sigma is not None)
    fit = _ordered(problem, fit, low, high, sigma is not None)
    if robust:
        if sigma is None:
            spread = _MAD * float(np.median(np.abs(fit.residuals)))
            if not spread > 0:
                raise OptionError(
                    "a robust fit of data without scatter", fix="give sigma_ev, or robust=False"
                )
            weight = np.full_like(measured, 1.0 / spread)
            notes += (f"errors from the median absolute deviation of a first fit: {1e3 * spread:.3g} meV",)
        problem = _Problem(law, temperature, measured, weight, fixed, tuple(free), _STUDENT)
        fit = _solve(problem, fit.values, low, high, True)
        notes += (f"Student-t likelihood with {_STUDENT:g} degrees of freedom",)
    elif sigma is None:
        notes += ("no errors were given: their size is that of the scatter about the fit",)
    intervals: tuple[ProfileInterval, ...] = ()
    if profile:
        intervals = tuple(
            find_interval(problem.residual, problem.jacobian, fit, name, level, low, high) for name in free
        )
    return TemperatureFit(
        law, temperature, measured, sigma, fit, fixed, intervals, _degeneracies(law, fit), notes
    )


@dataclass(frozen=True, eq=False)
class _Problem:
    """Weighted residuals and their derivatives in the free parameters; Student-t deviance where asked."""

    law: TemperatureLaw
    temperature_k: FloatArray
    measured_ev: FloatArray
    weight: FloatArray
    fixed: Mapping[str, float]
    free: tuple[str, ...]
    student: float | None = None

    def whole(self, values: FloatArray) -> FloatArray:
        given = dict(self.fixed) | dict(zip(self.free, values.tolist(), strict=True))
        return np.array([given[name] for name in self.law.names])

    def residual(self, values: FloatArray) -> FloatArray:
        r = self.weight * (self.measured_ev - self.law.value(self.temperature_k, self.whole(values)))
        if self.student is None:
            return r
        # squares sum to twice the negative logarithm of the t density: least squares maximises it exactly
        return np.asarray(np.sign(r) * np.sqrt((self.student + 1.0) * np.log1p(r * r / self.student)))

    def jacobian(self, values: FloatArray) -> FloatArray:
        columns = [self.law.names.index(name) for name in self.free]
        whole = self.whole(values)
        slopes = -self.weight[:, None] * self.law.jacobian(self.temperature_k, whole)[:, columns]
        if self.student is None:
            return np.asarray(slopes)
        r = self.weight * (self.measured_ev - self.law.value(self.temperature_k, whole))
        nu = self.student
        bent = np.sqrt((nu + 1.0) * np.log1p(r * r / nu))
        flat = math.sqrt((nu + 1.0) / nu)  # the limit of small residuals
        near = np.abs(r) < 1e-6
        chain = np.where(near, flat, (nu + 1.0) * np.abs(r) / ((nu + r * r) * np.where(near, 1.0, bent)))
        return np.asarray(chain[:, None] * slopes)


def _solve(
    problem: _Problem, start: npt.ArrayLike, low: FloatArray, high: FloatArray, absolute: bool
) -> FitResult:
    # The fit is called perfect by comparison with its start; a start that is already exact on data without
    # noise would leave rounding to be judged. The offset enters linearly: it is found again in one step.
    values = np.array(start, dtype=np.float64)
    linear = [i for i, name in enumerate(problem.free) if name in problem.law.linear_names]
    if linear:
        values[linear[0]] *= _SPOILT
    return least_squares(
        problem.residual,
        values,
        names=problem.free,
        low=low,
        high=high,
        jacobian=problem.jacobian,
        absolute_sigma=absolute,
    )


def _ordered(
    problem: _Problem, fit: FitResult, low: FloatArray, high: FloatArray, absolute: bool
) -> FitResult:
    """Two oscillators with the softer one first: the law does not mind, a reader does."""
    pairs = problem.law.phonons
    if len(pairs) < 2 or any(name in problem.fixed for pair in pairs for name in pair):
        return fit
    (e1, a1), (e2, a2) = pairs
    if fit[e1] <= fit[e2]:
        return fit
    swap = {e1: e2, e2: e1, a1: a2, a2: a1}
    return _solve(problem, [fit[swap.get(name, name)] for name in fit.names], low, high, absolute)


def _start(
    law: TemperatureLaw,
    temperature: FloatArray,
    measured: FloatArray,
    weight: FloatArray,
    fixed: Mapping[str, float],
) -> list[float]:
    """The best of a scan of the phonon energies, at each the best linear parameters."""
    span = assumption("fit_phonon_energy_ev")
    assert span.low is not None and span.high is not None
    # ends are left out: a start on a bound could not move
    grid = np.geomspace(span.low, span.high, _SCAN + 2)[1:-1]
    names = [phonon for phonon, _ in law.phonons]
    choices = [np.array([fixed[name]]) if name in fixed else grid for name in names]
    known = [name for name in law.linear_names if name in fixed]
    open_ = [name for name in law.linear_names if name not in fixed]
    best, lowest = None, math.inf
    for phonons in _tuples(choices):
        columns = dict(zip(law.linear_names, law.basis(temperature, phonons).T, strict=True))
        rest = measured - sum((fixed[name] * columns[name] for name in known), np.zeros_like(measured))
        matrix = np.stack([columns[name] for name in open_], axis=1) if open_ else np.zeros((len(rest), 0))
        found = _linear(matrix * weight[:, None], rest * weight, positive=not law.zero_point)
        chi2 = float(np.sum((weight * (rest - matrix @ found)) ** 2))
        if chi2 < lowest:
            lowest = chi2
            best = dict(zip(names, phonons, strict=True)) | dict(zip(open_, found.tolist(), strict=True))
    assert best is not None
    return [best[name] for name in law.names if name not in fixed]


def _tuples(choices: list[FloatArray]) -> list[tuple[float, ...]]:
    if len(choices) == 1:
        return [(float(a),) for a in choices[0]]
    return [(float(a), float(b)) for a in choices[0][::2] for b in choices[1][::2] if a != b]


def _linear(matrix: FloatArray, right: FloatArray, positive: bool) -> FloatArray:
    if matrix.shape[1] == 0:
        return np.zeros(0)
    norm = np.linalg.norm(matrix, axis=0)
    norm = np.where(norm > 0, norm, 1.0)
    if not positive:
        return np.asarray(np.linalg.lstsq(matrix / norm, right, rcond=None)[0] / norm)
    from scipy.optimize import nnls

    found = nnls(matrix / norm, right)[0]
    # off the bound by a thousandth of the data, or the search could not leave it
    return np.asarray(np.maximum(found, 1e-3 * np.linalg.norm(right)) / norm)


def _bounds(law: TemperatureLaw, free: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    span = assumption("fit_phonon_energy_ev")
    assert span.low is not None and span.high is not None
    energies = {phonon for phonon, _ in law.phonons}
    floor = -math.inf if law.zero_point else 0.0
    low = [span.low if name in energies else floor for name in free]
    high = [span.high if name in energies else math.inf for name in free]
    return np.array(low), np.array(high)


def _degeneracies(law: TemperatureLaw, fit: FitResult) -> tuple[str, ...]:
    """Pairs of parameters that trade off, and the combination that the data do determine."""
    correlation = fit.correlation
    if correlation is None:
        return ()
    told = []
    for i, j in combinations(range(len(fit.names)), 2):
        if abs(correlation[i, j]) < DEGENERATE:
            continue
        pair = (fit.names[i], fit.names[j])
        text = f"{pair[0]} and {pair[1]}, correlation {correlation[i, j]:+.3f}"
        for phonon, strength in law.phonons:
            if set(pair) == {phonon, strength}:
                text += "; " + _ratio(fit, strength, phonon)
            elif law.slope in pair and set(pair) & {strength, phonon}:
                text += f"; both are linear in T above the phonon energy: fix {law.slope} where it is known"
        told.append(text)
    return tuple(told)


def _ratio(fit: FitResult, strength: str, phonon: str) -> str:
    assert fit.covariance is not None
    i, j = fit.names.index(strength), fit.names.index(phonon)
    ratio = fit[strength] / fit[phonon]
    slope = np.array([1.0 / fit[phonon], -ratio / fit[phonon]])
    block = fit.covariance[np.ix_([i, j], [i, j])]
    sigma = math.sqrt(max(float(slope @ block @ slope), 0.0))
    return f"better known is their ratio {ratio:.4g} +- {sigma:.2g}"


def _finite(value: object) -> bool:
    try:
        return math.isfinite(value)  # type: ignore[arg-type]
    except TypeError:
        return False


def _checked(
    law: TemperatureLaw,
    temperature_k: npt.ArrayLike,
    measured_ev: npt.ArrayLike,
    sigma_ev: npt.ArrayLike | None,
    fixed: Mapping[str, float],
    transitions_k: Sequence[float],
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    temperature = np.atleast_1d(np.asarray(temperature_k, dtype=np.float64))
    measured = np.atleast_1d(np.asarray(measured_ev, dtype=np.float64))
    sigma = None if sigma_ev is None else np.asarray(sigma_ev, dtype=np.float64)
    problems = []
    if temperature.ndim != 1 or temperature.shape != measured.shape:
        problems.append(Problem(f"{temperature.size} temperatures for {measured.size} energies"))
    if not (np.all(np.isfinite(temperature)) and np.all(temperature >= 0)):
        problems.append(Problem("a temperature is no number or below 0 K"))
    if law.zero_point:
        problems += implausible_energies(measured)
    elif not np.all(np.isfinite(measured)):
        problems.append(Problem("a width is no finite number", fix="leave the point out"))
    elif np.any((measured <= 0) | (measured >= _WIDEST_EV)):
        problems.append(
            Problem(
                "a width is not positive"
                if np.any(measured <= 0)
                else f"a width of {measured.max():g} eV is no width of an exciton",
                allowed=f"above 0 and below {_WIDEST_EV:g} eV",
                fix="widths are in eV: divide meV by 1000",
            )
        )
    if sigma is not None:
        if sigma.shape not in ((), measured.shape):
            problems.append(Problem(f"{sigma.size} sigmas for {measured.size} energies"))
        if not np.all(np.isfinite(sigma) & (sigma > 0)):
            problems.append(Problem("a sigma is not positive", allowed="above 0 eV, or no sigmas at all"))
    unknown = [name for name in fixed if name not in law.names]
    if unknown:
        problems.append(Problem(f"no parameter is called {unknown[0]!r}", "fixed", ", ".join(law.names)))
    texts = [name for name, value in fixed.items() if not _finite(value)]
    if texts:
        problems.append(Problem(f"{texts[0]} = {fixed[texts[0]]!r} is no finite number", "fixed"))
    elif any(name == phonon and not value > 0 for name, value in fixed.items() for phonon, _ in law.phonons):
        problems.append(Problem("a phonon energy is not positive", "fixed", "above 0 eV"))
    free = len([name for name in law.names if name not in fixed])
    if free == 0:
        problems.append(Problem("every parameter is fixed", "fixed"))
    if not law.zero_point and free > 1 and measured.size > 1 and np.all(measured == measured[0]):
        problems.append(
            Problem(
                f"every {law.quantity} is {measured[0]:g} eV: nothing changes with temperature",
                allowed="a series that changes",
                fix="check which column was read",
            )
        )
    if len(np.unique(temperature)) < max(free, 1):
        problems.append(
            Problem(f"{len(np.unique(temperature))} temperatures cannot determine {free} parameters")
        )
    if problems:
        raise OptionError(problems)
    crossed = [t for t in transitions_k if temperature.min() < t < temperature.max()]
    if crossed:
        raise ModelRangeError(
            f"a phase transition at {crossed[0]:g} K lies within the series",
            allowed="points of one phase",
            fix="fit the points below and above it apart",
        )
    return temperature, measured, None if sigma is None else np.broadcast_to(sigma, measured.shape).copy()
