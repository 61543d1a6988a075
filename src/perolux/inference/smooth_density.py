"""A positive density from a spectrum: the smoothest logarithm that the data allow.

    minimise   |(y - K exp(g) - C a)/sigma|^2 + lambda int (d^3 g/du^3)^2 du       a >= 0, u = ln edge

exp(g) is positive by itself. What costs nothing is a parabola in u, a lognormal: where the data say nothing
the density is one, and with lambda going to infinity the fit is that of a lognormal. (Silverman, Ann. Stat.
10, 795 (1982), has this penalty for densities from samples.) A penalty on the density instead of on its
logarithm leaves light of the size of the noise at small sizes, where a little light is many crystals
(`tikhonov`). Columns C are linear in what one does not ask for: baseline, scattering, platelets.

lambda comes from generalised cross-validation, V = m |r|^2/(m - 1.4 dof)^2 (the factor 1.4 against too small
lambda: Kim and Gu, J. R. Stat. Soc. B 66, 337 (2004)), or from the corner of the L-curve.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError

__all__ = ["LAMBDAS", "DensityFit", "DensityProblem", "Posterior", "corner", "fit_path", "lognormal_start"]
__all__ += ["cube_signal", "sample_density"]

FloatArray = npt.NDArray[np.float64]

LAMBDAS = 10.0 ** np.arange(0.0, -9.25, -0.5)
"""Weights of the penalty, from a lognormal to what noise of 1e-3 resolves."""
_COST = 1.4
"""What a degree of freedom costs in the cross-validation (Kim and Gu)."""
_LOOSE = 1e-8
"""Weight of the squared coefficients of the parabola: nothing, unless the record holds no light of cubes."""
_CHAINS, _LEAST_CHAINS, _MOVES, _KEPT, _PART = 300, 20, 60, 6, 0.3
_STAYS = len([i for i in range(_MOVES // 3, _MOVES) if i % _KEPT == 0])
_STEPS = 150
_NOT_DONE_PART = 1e-2
_NEGLIGIBLE = 12.0
"""A lambda with an evidence below exp(-12) of the best is left out."""
_DONE, _DONE_PART = 1e-3, 1e-5
"""A step that gains less than this of what is minimised, or less than this part of it, ends the search."""


@dataclass(frozen=True, eq=False)
class DensityProblem:
    """Rows divided by their sigma. data: (m,). matrix: (m, n), for the density on n even steps of u.
    columns: (m, k), what is added with amounts of 0 or more. points: of the record, m before `compressed`."""

    data: FloatArray
    matrix: FloatArray
    columns: FloatArray
    step: float
    points: int

    def compressed(self) -> DensityProblem:
        """The same chi2 with as many rows as matrix and columns have rank: they span only a few dozen."""
        both = np.hstack([self.matrix, self.columns])
        left, sizes, _ = np.linalg.svd(both, full_matrices=False)
        kept = left[:, sizes > 1e-9 * sizes[0]]
        inside = kept.T @ self.data
        rest = float(np.linalg.norm(self.data - kept @ inside))
        rows = np.vstack([kept.T @ both, np.zeros(both.shape[1])])
        n = self.matrix.shape[1]
        return DensityProblem(np.r_[inside, rest], rows[:, :n], rows[:, n:], self.step, self.points)


@dataclass(frozen=True, eq=False)
class DensityFit:
    """One lambda: log density g (n,), amounts of the columns (k,), residuals (m,), chi2, effective degrees of
    freedom, cross-validation score, roughness |g'''|^2; `state`: the coordinates of the search."""

    weight: float
    log_density: FloatArray
    amounts: FloatArray
    residuals: FloatArray
    freedom: float
    score: float
    roughness: float
    state: FloatArray
    hessian: FloatArray

    @property
    def chi2(self) -> float:
        """Sum of squared residuals in units of sigma."""
        return float(self.residuals @ self.residuals)

    @property
    def minimum(self) -> float:
        """What was minimised: half of chi2 and penalty."""
        return 0.5 * (self.chi2 + self.weight * self.roughness)


@dataclass(frozen=True, eq=False)
class Posterior:
    """Densities (draws, n); evidence of each lambda, sum 1; mean effective size of the draws."""

    density: FloatArray
    evidence: FloatArray
    effective: float


def fit_path(problem: DensityProblem, start: FloatArray, weights: FloatArray = LAMBDAS) -> list[DensityFit]:
    """Fits for falling weights of the penalty, each from the one before; `start`: log density (n,)."""
    found, log_density = [], start
    for weight in weights:
        fit = _fit(problem, log_density, float(weight))
        found.append(fit)
        log_density = fit.log_density
    return found


def lognormal_start(problem: DensityProblem, least_edge_nm: float) -> FloatArray:
    """Log density (n,) of the lognormal that fits best among a coarse grid of centres and widths."""
    u = np.log(least_edge_nm) + problem.step * np.arange(problem.matrix.shape[1])
    best, chosen = np.inf, np.zeros_like(u)
    for centre in np.linspace(u[0] + 0.1, u[-1] - 0.1, 40):
        for width in (0.05, 0.1, 0.2):
            shape = np.maximum(-0.5 * ((u - centre) / width) ** 2, -200.0)
            light = problem.matrix @ np.exp(shape)
            rows = _projected(problem.columns, np.stack([light, problem.data], axis=1))
            power = float(rows[:, 0] @ rows[:, 0])
            amount = float(rows[:, 0] @ rows[:, 1]) / power if power > 0 else 0.0
            left = float(np.sum((rows[:, 1] - amount * rows[:, 0]) ** 2))
            if amount > 0 and left < best:
                best, chosen = left, shape + np.log(amount)
    if not np.isfinite(best):
        raise ConvergenceError(
            "no lognormal density of cubes gives light where the record has some",
            fix="check the material, the unit of the axis and the range of wavelengths",
        )
    return chosen


def corner(fits: list[DensityFit]) -> int:
    """Where the L-curve, ln roughness against ln chi2, turns most sharply: index of the fit.

    The curve is drawn in units of its own extent; the corner lies farthest from the line between its ends
    (the triangle rule, Castellanos 2002, in its plain form). Without an extent: 0, the smoothest.
    """
    x = np.log([fit.chi2 for fit in fits])
    y = np.log([fit.roughness + 1e-30 for fit in fits])
    extent = np.ptp(x), np.ptp(y)
    if min(extent) < 1e-6:
        return 0
    x, y = (x - x.min()) / extent[0], (y - y.min()) / extent[1]
    below = (x[0] - x) * (y[-1] - y[0]) - (y[0] - y) * (x[-1] - x[0])
    side = np.sign((x[0] - x.min()) * (y[-1] - y[0]) - (y[0] - y.min()) * (x[-1] - x[0]))
    return int(np.argmax(below * (side or 1.0)))


def sample_density(
    problem: DensityProblem, fits: list[DensityFit], rng: np.random.Generator, count: int = 2000
) -> Posterior:
    """Densities (count, n) from the posterior over density and lambda, lambda log-uniform over the fits.

    At each lambda the Gaussian at the minimum is drawn (Laplace), and drawn again with the weight of the true
    posterior over it (importance resampling); the mean of these weights completes the evidence,

        p(y|lambda) ~ exp(-minimum) det(H)^(-1/2) <true/Gaussian>

    From these draws chains of preconditioned Crank-Nicolson moves, which leave the true posterior as it is
    (Cotter et al., Stat. Sci. 28, 424 (2013)), repair what few draws of large weight leave coarse.
    """
    rough = np.array([-fit.minimum - 0.5 * np.linalg.slogdet(fit.hessian)[1] for fit in fits])
    used = np.flatnonzero(rough > rough.max() - _NEGLIGIBLE)
    beside, logs, sizes = [], [], []
    for i in used:
        near = _Near(problem, fits[i])
        z = rng.standard_normal((count, len(fits[i].state)))
        ratio = near.ratio(z)[0]
        top = float(ratio.max())
        weight = np.exp(ratio - top)
        logs.append(rough[i] + top + float(np.log(weight.mean())))
        sizes.append(float(weight.sum() ** 2 / (weight @ weight)))
        beside.append((near, z[rng.choice(count, _CHAINS, p=weight / weight.sum())]))
    share = np.exp(np.array(logs) - max(logs))
    share /= share.sum()
    # a lambda walks as many chains as densities are drawn from it: each is drawn about once
    drawn = rng.multinomial(count, share)
    densities = []
    for (near, first), many in zip(beside, drawn, strict=True):
        if many:
            walked = _walked(near, first[: max(_LEAST_CHAINS, -(-int(many) // _STAYS))], rng)
            densities.append(walked[rng.choice(len(walked), int(many), replace=len(walked) < many)])
    evidence = np.zeros(len(fits))
    evidence[used] = share
    return Posterior(rng.permutation(np.concatenate(densities)), evidence, float(share @ np.array(sizes)))


class _Near:
    """The posterior beside its minimum, in coordinates z in which its Gaussian is the unit one.

    What the columns in use explain is taken off beforehand, and rotated rows (as many as densities) stand
    for all points of the record: lengths stay what they are.
    """

    def __init__(self, problem: DensityProblem, fit: DensityFit) -> None:
        n = problem.matrix.shape[1]
        basis = _basis(n, problem.step) * _scale(problem, fit.weight)
        move = np.linalg.inv(np.linalg.cholesky(fit.hessian))
        rows = np.column_stack([problem.matrix, problem.data])
        rotated = np.asarray(np.linalg.qr(_projected(problem.columns[:, fit.amounts > 0], rows), mode="r"))
        self.fit = fit
        self.matrix, self.data = np.ascontiguousarray(rotated[:, :n].T), rotated[:, n]
        # coordinates that the penalty counts, and log densities, in one product
        self.start = np.r_[fit.state[3:], basis @ fit.state]
        self.move = np.hstack([move[:, 3:], move @ basis.T])

    def ratio(self, z: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Ln of the true posterior over the Gaussian (draws,), 0 at the minimum; densities (draws, n)."""
        found = self.start + z @ self.move
        bent, density = found[:, : len(self.start) - self.matrix.shape[0]], found[:, -self.matrix.shape[0] :]
        density = np.exp(np.minimum(density, 60.0))
        left = self.data - density @ self.matrix
        squares = [np.einsum("ij,ij->i", one, one) for one in (left, bent, z)]
        return self.fit.minimum - 0.5 * (squares[0] + squares[1] - squares[2]), density


def _walked(near: _Near, z: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Densities along chains of Crank-Nicolson moves from z (chains, coordinates)."""
    part, (ratio, density), kept = _PART, near.ratio(z), []
    for i in range(_MOVES):
        tried = np.sqrt(1.0 - part**2) * z + part * rng.standard_normal(z.shape)
        there, dense = near.ratio(tried)
        taken = np.log(rng.random(len(z))) < there - ratio
        z[taken], ratio[taken], density[taken] = tried[taken], there[taken], dense[taken]
        if i < _MOVES // 3:  # the size of the moves is settled before any draw is kept
            part = float(np.clip(part * (1.1 if taken.mean() > 0.3 else 0.9), 0.02, 0.9))
        elif i % _KEPT == 0:
            kept.append(density.copy())
    return np.concatenate(kept)


def _fit(problem: DensityProblem, start: FloatArray, weight: float) -> DensityFit:
    """Levenberg and Marquardt in coordinates in which the penalty is the unit matrix; amounts by NNLS."""
    basis = _basis(len(start), problem.step) * _scale(problem, weight)
    prior = np.r_[np.full(3, _LOOSE), np.ones(len(start) - 3)]
    state: FloatArray = np.asarray(np.linalg.solve(basis, start), dtype=np.float64)
    value, left, amounts, density = _value(problem, basis, prior, state)
    damping, gain = 1e-3, np.inf
    for _ in range(_STEPS):
        slopes = _projected(problem.columns[:, amounts > 0], (problem.matrix * density) @ basis)
        curvature = slopes.T @ slopes + np.diag(prior)
        gradient = slopes.T @ left - prior * state
        while damping < 1e12:
            ridge = damping * np.diag(np.diag(curvature) + 1e-9)
            moved = np.asarray(state + np.linalg.solve(curvature + ridge, gradient), dtype=np.float64)
            tried = _value(problem, basis, prior, moved)
            if tried[0] <= value:
                break
            damping = max(4.0 * damping, 1e-8)
        if damping >= 1e12:
            gain = 0.0
            break
        gain, damping = value - tried[0], 0.1 * damping
        state = moved
        value, left, amounts, density = tried
        if gain < max(_DONE, _DONE_PART * value):
            break
    if gain > _NOT_DONE_PART * value:
        raise ConvergenceError(
            f"the density still gains {gain:.3g} of chi2 a step after {_STEPS} steps",
            where=f"lambda = {weight:.1e}",
            fix="give a narrower range of wavelengths, or the noise if it is too small",
        )
    slopes = _projected(problem.columns[:, amounts > 0], (problem.matrix * density) @ basis)
    plain = slopes.T @ slopes
    hessian = plain + np.diag(prior) + 1e-9 * np.diag(np.diag(plain))
    freedom = float(np.trace(np.linalg.solve(hessian, plain))) + float(np.count_nonzero(amounts))
    m = problem.points
    score = m * float(left @ left) / max(m - _COST * freedom, 1.0) ** 2
    roughness = float(state[3:] @ state[3:]) / weight
    return DensityFit(weight, basis @ state, amounts, left, freedom, score, roughness, state, hessian)


def _value(
    problem: DensityProblem, basis: FloatArray, prior: FloatArray, state: FloatArray
) -> tuple[float, FloatArray, FloatArray, FloatArray]:
    """Half of chi2 plus penalty, residuals, amounts, density; infinite where exp would overflow."""
    log_density = basis @ state
    if not log_density.max() < 60.0:
        return np.inf, problem.data, np.zeros(problem.columns.shape[1]), np.zeros_like(log_density)
    density = np.exp(log_density)
    left = problem.data - problem.matrix @ density
    amounts = np.zeros(problem.columns.shape[1])
    if len(amounts):
        from scipy.optimize import nnls

        amounts = nnls(problem.columns, left)[0]
        left = left - problem.columns @ amounts
    return 0.5 * float(left @ left + prior @ state**2), left, amounts, density


def cube_signal(problem: DensityProblem, fit: DensityFit) -> float:
    """Squared length, in units of sigma, of what the density adds beyond what the columns could explain."""
    light = _projected(problem.columns, problem.matrix @ np.exp(fit.log_density))
    return float(light @ light)


def _projected(columns: FloatArray, rows: FloatArray) -> FloatArray:
    """Rows (m, ...) less what the columns in use can explain."""
    if not columns.shape[1]:
        return rows
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    q = left[:, sizes > 1e-9 * sizes[0]]
    return rows - q @ (q.T @ rows)


def _scale(problem: DensityProblem, weight: float) -> FloatArray:
    """Scale of the coordinates: 1 for the parabola, 1/sqrt(lambda) for third derivatives."""
    return np.r_[np.ones(3), np.full(problem.matrix.shape[1] - 3, weight**-0.5)]


@lru_cache(maxsize=4)
def _basis(count: int, step: float) -> FloatArray:
    """Log densities (n, n) of unit coordinates: 1, u, u^2, then unit third differences over step^(5/2)."""
    u = np.linspace(-1.0, 1.0, count)
    third = np.diff(np.eye(count), 3, axis=0) / step**2.5
    basis = np.hstack([np.stack([np.ones(count), u, u * u], axis=1), np.linalg.pinv(third)])
    basis.flags.writeable = False
    return basis
