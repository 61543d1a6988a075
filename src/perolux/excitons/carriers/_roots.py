"""Roots of many monotonic functions at once, each held in its own bracket."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from perolux.errors import ConvergenceError

__all__ = ["bracketed_root"]

Array = NDArray[np.float64]

_MOST_STEPS = 200
"""Bisection alone halves a bracket to the last digit in about 60 steps; more means a function that is not
one."""


def bracketed_root(
    function: Callable[[Array], Array], low: Array, high: Array, *, relative: float = 1e-13
) -> Array:
    """The root of `function` between `low` and `high` for every element of the arrays.

    Chandrupatla's method: inverse quadratic interpolation where it is safe, bisection elsewhere. Where the
    function has the same sign at both ends the upper end is returned: the caller says what that means.
    relative: width of the last bracket over its largest end. Raises `ConvergenceError`. Source: T. R.
    Chandrupatla, Advances in Engineering Software 28, 145 (1997).

    >>> bracketed_root(lambda x: x * x - np.array([2.0, 9.0]), np.zeros(2), np.full(2, 4.0)).round(9).tolist()
    [1.414213562, 3.0]
    """
    a, b = (np.array(x, dtype=np.float64) for x in np.broadcast_arrays(low, high))
    fa, fb = function(a), function(b)
    fixed = np.sign(fa) * np.sign(fb) > 0.0
    upper = b.copy()
    scale = np.maximum(np.abs(a), np.abs(b))
    c, fc = a.copy(), fa.copy()
    t = np.full_like(a, 0.5)
    for _ in range(_MOST_STEPS):
        x = a + t * (b - a)
        fx = function(x)
        same = np.sign(fx) == np.sign(fa)
        c, fc = np.where(same, a, b), np.where(same, fa, fb)
        b, fb = np.where(same, b, a), np.where(same, fb, fa)
        a, fa = x, fx
        nearer = np.abs(fa) < np.abs(fb)
        root = np.where(nearer, a, b)
        width = np.abs(b - a)
        least = 0.5 * relative * scale
        open_ = ~fixed & (width > 2.0 * least) & (np.where(nearer, fa, fb) != 0.0)
        if not open_.any():
            return np.where(fixed, upper, root)
        with np.errstate(divide="ignore", invalid="ignore"):
            xi, phi = (a - b) / (c - b), (fa - fb) / (fc - fb)
            safe = (phi**2 < xi) & ((1.0 - phi) ** 2 < 1.0 - xi)
            step = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
            margin = np.where(width > 0.0, np.minimum(0.5, least / width), 0.5)
            t = np.where(safe & np.isfinite(step), step, 0.5)
            t = np.clip(t, margin, 1.0 - margin)
    worst = int(np.argmax(np.where(open_, width, 0.0)))
    raise ConvergenceError(
        f"{int(open_.sum())} of {open_.size} roots are not found in {_MOST_STEPS} steps; the last estimate "
        f"of the worst is {root.ravel()[worst]:.6g} +- {width.ravel()[worst]:.2g}",
        fix="ask for a larger `relative`, or see whether the function has one sign change between the ends",
    )
