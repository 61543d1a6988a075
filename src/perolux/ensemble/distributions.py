"""Size distributions, all number-weighted: p(L) dL is the fraction of the *number* of nanocrystals.

Each gives its density, exact moments, quadrature nodes with weights, and samples. A relative spread is the
standard deviation divided by the mean. Lengths are in nm, in whatever size convention the population states.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.ensemble.quadratures import check_nodes, gauss_from_points, legendre_points
from perolux.errors import OptionError

__all__ = ["Distribution", "Fixed", "Histogram", "Lognormal", "Mixture", "Normal", "Tabulated"]

FloatArray = npt.NDArray[np.float64]

_REACH = 8.0
"""Quadrature of a normal ends 8 sigma from its mean: 1e-15 of the number lies beyond."""
_REACH_LOG = 12.0
"""The same for the logarithm of a lognormal; wider, because its 6th moment lives up to 6 s further out."""


@dataclass(frozen=True)
class Fixed:
    """Every crystal has the same size."""

    mean_nm: float

    def __post_init__(self) -> None:
        _positive(self.mean_nm, "mean_nm")

    def moment(self, order: int) -> float:
        """<L^order> in nm^order."""
        return self.mean_nm**order

    def quadrature(self, n: int) -> tuple[FloatArray, FloatArray]:
        """One node, whatever n."""
        check_nodes(n)
        return np.array([self.mean_nm]), np.array([1.0])

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """n times the same size; shape (n,), nm."""
        del rng
        return np.full(n, self.mean_nm)


@dataclass(frozen=True)
class Normal:
    """Normal distribution cut off below `low_nm` and renormalised.

    p(L) = phi((L - m)/s)/(s Q), L > low, with Q = 1 - Phi((low - m)/s) the part that is kept. `mean_nm` and
    `relative_spread` are m and s/m of the normal before the cut; `moment` and everything else are of what is
    left. Without a stated `low_nm` only the impossible half line below zero is cut.
    """

    mean_nm: float
    relative_spread: float
    low_nm: float = 0.0

    def __post_init__(self) -> None:
        _positive(self.mean_nm, "mean_nm")
        _positive(self.relative_spread, "relative_spread", 1.0)
        if not 0 <= self.low_nm < self.mean_nm:
            raise OptionError(f"low_nm = {self.low_nm:g}", allowed="0 or more, and below mean_nm")

    @property
    def sigma_nm(self) -> float:
        """Standard deviation before the cut."""
        return self.mean_nm * self.relative_spread

    @property
    def kept(self) -> float:
        """Q: the part of the uncut normal that lies above `low_nm`."""
        return 0.5 * math.erfc((self.low_nm - self.mean_nm) / (self.sigma_nm * math.sqrt(2)))

    def pdf(self, size_nm: npt.ArrayLike) -> FloatArray:
        """Number density p(L) in 1/nm, 0 below the cut."""
        size = np.asarray(size_nm, dtype=float)
        t = (size - self.mean_nm) / self.sigma_nm
        density = np.exp(-(t**2) / 2) / (math.sqrt(2 * math.pi) * self.sigma_nm * self.kept)
        return np.where(size > self.low_nm, density, 0.0)

    def moment(self, order: int) -> float:
        """<L^order> in nm^order, exact: M_k = m M_(k-1) + (k-1) s^2 M_(k-2) + s^2 low^(k-1) p(low)."""
        at_cut = self.sigma_nm**2 * float(self.pdf(np.nextafter(self.low_nm, np.inf)))
        before, now = 0.0, 1.0
        for k in range(1, order + 1):
            cut = at_cut * self.low_nm ** (k - 1)
            before, now = now, self.mean_nm * now + (k - 1) * self.sigma_nm**2 * before + cut
        return now

    def quadrature(self, n: int) -> tuple[FloatArray, FloatArray]:
        """n Gauss nodes (nm) and weights (sum 1): moments to order 2n - 1; ends 8 sigma from the mean."""
        low = max(self.low_nm, self.mean_nm - _REACH * self.sigma_nm)
        points, weights = legendre_points(low, self.mean_nm + _REACH * self.sigma_nm)
        return gauss_from_points(points, weights * self.pdf(points), n)

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """n independent sizes; shape (n,), nm."""
        sizes = rng.normal(self.mean_nm, self.sigma_nm, n)
        # low_nm < mean_nm, so that more than half is accepted in every round
        while (below := np.flatnonzero(sizes <= self.low_nm)).size:
            sizes[below] = rng.normal(self.mean_nm, self.sigma_nm, below.size)
        return sizes


@dataclass(frozen=True)
class Lognormal:
    """Lognormal distribution with the stated mean and relative spread (of L itself, not of ln L).

    p(L) = phi((ln L - mu)/s)/(s L), s^2 = ln(1 + v^2), mu = ln m - s^2/2, v = relative_spread.
    """

    mean_nm: float
    relative_spread: float

    def __post_init__(self) -> None:
        _positive(self.mean_nm, "mean_nm")
        _positive(self.relative_spread, "relative_spread", 1.0)

    @property
    def log_sigma(self) -> float:
        """s, the standard deviation of ln L."""
        return math.sqrt(math.log1p(self.relative_spread**2))

    @property
    def log_mean(self) -> float:
        """mu, the mean of ln(L/nm)."""
        return math.log(self.mean_nm) - self.log_sigma**2 / 2

    def pdf(self, size_nm: npt.ArrayLike) -> FloatArray:
        """Number density p(L) in 1/nm, 0 at L <= 0."""
        size = np.asarray(size_nm, dtype=float)
        safe = np.where(size > 0, size, 1.0)
        t = (np.log(safe) - self.log_mean) / self.log_sigma
        density = np.exp(-(t**2) / 2) / (math.sqrt(2 * math.pi) * self.log_sigma * safe)
        return np.where(size > 0, density, 0.0)

    def moment(self, order: int) -> float:
        """<L^order> = exp(order mu + order^2 s^2/2) in nm^order."""
        return math.exp(order * self.log_mean + (order * self.log_sigma) ** 2 / 2)

    def quadrature(self, n: int) -> tuple[FloatArray, FloatArray]:
        """n Gauss nodes (nm) and weights (sum 1): moments to order 2n - 1."""
        t, weights = legendre_points(-_REACH_LOG, _REACH_LOG)
        return gauss_from_points(np.exp(self.log_mean + self.log_sigma * t), weights * np.exp(-(t**2) / 2), n)

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """n independent sizes; shape (n,), nm."""
        return rng.lognormal(self.log_mean, self.log_sigma, n)


@dataclass(frozen=True)
class Tabulated:
    """Sizes counted one by one (or a list of sizes with number weights): a sum of points."""

    sizes_nm: tuple[float, ...]
    weights: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "sizes_nm", tuple(float(x) for x in self.sizes_nm))
        weights = (1.0,) * len(self.sizes_nm) if self.weights is None else self.weights
        object.__setattr__(self, "weights", _normalised(weights, len(self.sizes_nm), "sizes_nm"))
        for size in self.sizes_nm:
            _positive(size, "sizes_nm")

    def moment(self, order: int) -> float:
        """<L^order> in nm^order."""
        return float(np.array(self.sizes_nm) ** order @ np.array(self.weights))

    def quadrature(self, n: int) -> tuple[FloatArray, FloatArray]:
        """The points themselves where there are n or fewer distinct ones, else their n-point Gauss rule."""
        return gauss_from_points(np.array(self.sizes_nm), np.array(self.weights), n)

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """n sizes drawn from the table with replacement; shape (n,), nm."""
        return rng.choice(np.array(self.sizes_nm), n, p=np.array(self.weights))


@dataclass(frozen=True)
class Histogram:
    """A histogram by its bin edges and counts; the density is constant within a bin."""

    edges_nm: tuple[float, ...]
    counts: tuple[float, ...]

    def __post_init__(self) -> None:
        edges = tuple(float(x) for x in self.edges_nm)
        object.__setattr__(self, "edges_nm", edges)
        if len(edges) < 2 or not all(b > a for a, b in itertools.pairwise(edges)) or edges[0] < 0:
            raise OptionError("the bin edges must ascend from 0 nm or more", where="edges_nm")
        _positive(edges[-1], "edges_nm")
        object.__setattr__(self, "counts", _normalised(self.counts, len(edges) - 1, "bins of edges_nm"))

    def pdf(self, size_nm: npt.ArrayLike) -> FloatArray:
        """Number density p(L) in 1/nm, constant in each bin [low, high), 0 outside."""
        edges, size = np.array(self.edges_nm), np.asarray(size_nm, dtype=float)
        place = np.searchsorted(edges, size, side="right") - 1
        inside = (place >= 0) & (place < len(self.counts))
        density = np.array(self.counts) / np.diff(edges)
        return np.where(inside, density[np.clip(place, 0, len(self.counts) - 1)], 0.0)

    def moment(self, order: int) -> float:
        """<L^order> in nm^order: the sum over bins of f (b^(k+1) - a^(k+1))/((k+1)(b - a))."""
        edges = np.array(self.edges_nm)
        # by points, which is exact for a polynomial and does not cancel in narrow bins
        x, w = np.polynomial.legendre.leggauss(order // 2 + 1)
        middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
        return float(np.array(self.counts) @ ((middle[:, None] + half[:, None] * x) ** order @ (w / 2)))

    def quadrature(self, n: int) -> tuple[FloatArray, FloatArray]:
        """n Gauss nodes (nm) and weights (sum 1): moments to order 2n - 1."""
        n, edges = check_nodes(n), np.array(self.edges_nm)
        x, w = np.polynomial.legendre.leggauss(n)
        half = np.diff(edges)[:, None] / 2
        points = edges[:-1, None] + half * (x + 1)
        return gauss_from_points(points.ravel(), (np.array(self.counts)[:, None] * w / 2).ravel(), n)

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """n independent sizes; shape (n,), nm."""
        edges = np.array(self.edges_nm)
        place = rng.choice(len(self.counts), n, p=np.array(self.counts))
        # 1 - random() lies in (0, 1], so that a bin that starts at 0 never gives a size of 0
        return edges[place] + (1.0 - rng.random(n)) * np.diff(edges)[place]


@dataclass(frozen=True)
class Mixture:
    """Several distributions with number fractions (they are normalised to sum 1)."""

    parts: tuple[Fixed | Normal | Lognormal | Tabulated | Histogram, ...]
    fractions: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        object.__setattr__(self, "fractions", _normalised(self.fractions, len(self.parts), "parts"))

    def moment(self, order: int) -> float:
        """<L^order> in nm^order: the moments of the parts add with the fractions."""
        return math.fsum(f * part.moment(order) for f, part in zip(self.fractions, self.parts, strict=True))

    def quadrature(self, n: int) -> tuple[FloatArray, FloatArray]:
        """n nodes for each part, so that none is lost between the others; weights sum to 1."""
        rules = [part.quadrature(n) for part in self.parts]
        nodes = np.concatenate([rule[0] for rule in rules])
        weights = np.concatenate([f * rule[1] for f, rule in zip(self.fractions, rules, strict=True)])
        return nodes, weights / weights.sum()

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """n independent sizes; shape (n,), nm."""
        which = rng.choice(len(self.parts), n, p=np.array(self.fractions))
        sizes = np.empty(n)
        for index, part in enumerate(self.parts):
            chosen = which == index
            sizes[chosen] = part.sample(rng, int(np.count_nonzero(chosen)))
        return sizes


Distribution = Fixed | Normal | Lognormal | Tabulated | Histogram | Mixture


def _positive(number: float, name: str, high: float = math.inf) -> None:
    if not (math.isfinite(number) and 0 < number <= high):
        limit = "a positive number" if math.isinf(high) else f"more than 0, up to {high:g}"
        raise OptionError(f"{name} = {number:g}", allowed=limit)


def _normalised(weights: tuple[float, ...], length: int, of: str) -> tuple[float, ...]:
    array = np.asarray(weights, dtype=float)
    if length == 0 or array.shape != (length,):
        raise OptionError(f"{array.size} weights for {length} {of}", allowed="one weight each, one or more")
    if not np.isfinite(array).all() or np.any(array < 0) or not array.sum() > 0:
        raise OptionError(
            f"the weights of {of} must be finite, not negative and not all zero",
            fix="remove the bad rows of the table",
        )
    return tuple((array / array.sum()).tolist())
