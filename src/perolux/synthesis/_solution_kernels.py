"""Compiled look-up in the tables of a solution (`solution_line.py` says what they hold).

A table at one time has four rows over an even grid of p = ln(ion product): ln d, its slope, ln w, its slope
(slopes per step of the grid). Between its knots it is the cubic of Hermite, beyond its ends a straight line.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

_LN27 = 3.0 * math.log(3.0)


@njit(cache=True, error_model="numpy")
def table_at(knots, chosen, tables, first, last, time, out):
    """Linear in time between the chosen knots of the smooth stretch from the knot first to last."""
    low = np.searchsorted(chosen, first)
    high = np.searchsorted(chosen, last)
    while high - low > 1:
        mid = (low + high) // 2
        if knots[chosen[mid]] <= time:
            low = mid
        else:
            high = mid
    width = knots[chosen[high]] - knots[chosen[low]]
    share = 0.0 if width <= 0.0 else min(max((time - knots[chosen[low]]) / width, 0.0), 1.0)
    for j in range(4):
        for k in range(out.shape[1]):
            out[j, k] = tables[low, j, k] + share * (tables[high, j, k] - tables[low, j, k])


@njit(cache=True, error_model="numpy", inline="always")
def _cubic(values, slopes, k, t):
    a, b = values[k], values[k + 1]
    rest = slopes[k] + slopes[k + 1] - 2.0 * (b - a)
    return a + t * (slopes[k] + t * (3.0 * (b - a) - 2.0 * slopes[k] - slopes[k + 1] + t * rest))


@njit(cache=True, error_model="numpy")
def ln_free(grid, table, p):
    """ln w and its slope d(ln w)/dp at p."""
    n = table.shape[1]
    x = (p - grid[0]) / grid[1]
    if x <= 0.0:
        return table[2, 0] + x * table[3, 0], table[3, 0] / grid[1]
    if x >= n - 1:
        return table[2, n - 1] + (x - n + 1) * table[3, n - 1], table[3, n - 1] / grid[1]
    k = int(x)
    t = x - k
    d = table[2, k + 1] - table[2, k]
    a, b = table[3, k], table[3, k + 1]
    slope = a + t * (6.0 * d - 4.0 * a - 2.0 * b + 3.0 * t * (a + b - 2.0 * d))
    return _cubic(table[2], table[3], k, t), slope / grid[1]


@njit(cache=True, error_model="numpy")
def ln_product(grid, table, dissolved):
    """p at which so much is dissolved (above 0): the inverse of ln d, by Newton's method and bisection."""
    n = table.shape[1]
    wanted = math.log(dissolved)
    if wanted <= table[0, 0]:
        return grid[0] + grid[1] * (wanted - table[0, 0]) / table[1, 0]
    if wanted >= table[0, n - 1]:
        return grid[0] + grid[1] * (n - 1 + (wanted - table[0, n - 1]) / table[1, n - 1])
    low, high = 0, n - 1
    while high - low > 1:
        mid = (low + high) // 2
        if table[0, mid] <= wanted:
            low = mid
        else:
            high = mid
    below, above = 0.0, 1.0
    d = table[0, low + 1] - table[0, low]
    a, b = table[1, low], table[1, low + 1]
    t = (wanted - table[0, low]) / d
    for _ in range(60):
        off = _cubic(table[0], table[1], low, t) - wanted
        if off > 0.0:
            above = t
        else:
            below = t
        slope = a + t * (6.0 * d - 4.0 * a - 2.0 * b + 3.0 * t * (a + b - 2.0 * d))
        step = off / slope if slope > 0.0 else 2.0
        new = t - step
        if not below <= new <= above:
            new = 0.5 * (below + above)
        if abs(new - t) < 1e-15:
            break
        t = new
    return grid[0] + grid[1] * (low + t)


@njit(cache=True, error_model="numpy")
def ln_solubility_product(solubility):
    """ln Ksp of APbX3 (ions in mol/L) from its solubility (mol/m^3) where nothing associates."""
    return 5.0 * math.log(1e-3 * solubility) + _LN27
