"""The linear problem behind a distribution of lifetimes: columns of a grid of lifetimes, and the background.

    m_i = e_i (sum_k N_k p_k(i) + B),   N_k >= 0, B >= 0
    a_k = N_k sum_i e_i p_k(i)                              counts in the bins used

p_k is the exponential of tau_k behind the response, with earlier pulses (`decay_models`), e the exposure.
In a the columns sum to 1, so that sum(a) = N at the optimum. A dark record (`dark_record`) is one bin more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError, Problem
from perolux.photons.decay_models import exponential_columns, lifetime_limits
from perolux.photons.decay_result import Histogram
from perolux.photons.instrument_response import GaussianResponse

__all__ = ["LEAST_VALUES", "VALUES", "Tabulated", "grid_of", "tabulate"]

FloatArray = npt.NDArray[np.float64]
VALUES, LEAST_VALUES, _MOST_VALUES = 60, 10, 400


@dataclass(frozen=True, eq=False)
class Tabulated:
    """One histogram and the columns of a grid.

    tau_ns: shape (k,), rising. counts, fixed: shape (m,); fixed is a part of the model that is known.
    columns: shape (m, k) or, with a free background, (m, k + 1), its column last; each sums to 1. unit: sums
    before, so that photons of all times, or counts per bin of the background, are a/unit. bins: rows of the
    decay; a dark record has a row more.
    """

    tau_ns: FloatArray
    counts: FloatArray
    fixed: FloatArray
    columns: FloatArray
    unit: FloatArray
    bins: int

    @property
    def background_free(self) -> bool:
        """Whether the last column is the background."""
        return self.columns.shape[1] > len(self.tau_ns)


def grid_of(h: Histogram, grid: tuple[float, float, int] | None = None) -> FloatArray:
    """Lifetimes evenly in ln(tau), shape (k,).

    grid: (shortest ns, longest ns, values). Default: 60 from a bin, or the response's sigma where that is
    longer, to the length of the record. Raises `OptionError` outside `lifetime_limits`, or for fewer than 10
    or more than 400 values.
    """
    sigma = h.response.sigma_ns if isinstance(h.response, GaussianResponse) else 0.0
    window = len(h.counts) * h.bin_ns
    if grid is None:
        return np.geomspace(max(h.bin_ns, sigma), window, VALUES)
    low, high, values = grid
    least, most = lifetime_limits(len(h.counts), h.bin_ns, h.response)
    problems = []
    if not (math.isfinite(low) and math.isfinite(high) and least <= low < high <= most):
        problems.append(
            Problem(
                f"a grid from {low:g} to {high:g} ns",
                "--grid",
                f"rising, within {least:.4g} to {most:.4g} ns: a tenth of a bin (or sigma/15 of the "
                "response) to ten "
                "records",
            )
        )
    if not LEAST_VALUES <= values <= _MOST_VALUES:
        problems.append(
            Problem(
                f"a grid of {values} lifetimes", "--grid", f"{LEAST_VALUES} to {_MOST_VALUES}, e.g. {VALUES}"
            )
        )
    if problems:
        raise OptionError(problems)
    return np.geomspace(low, high, values)


def tabulate(
    h: Histogram,
    tau_ns: FloatArray,
    *,
    shift_ns: float = 0.0,
    background: float | None = None,
) -> Tabulated:
    """The linear problem of a histogram on a grid; background: counts per bin where it is known."""
    phi, _, _ = exponential_columns(
        tau_ns, len(h.counts), h.bin_ns, h.response, period_ns=h.period_ns, shift_ns=shift_ns
    )
    keep, seen = h.used, h.exposure[h.used]
    columns = phi[keep] * seen[:, None]
    counts, fixed = h.counts[keep], seen * (background or 0.0)
    bins = len(counts)
    if background is None:
        columns = np.column_stack([columns, seen])
        if h.dark is not None:
            counts, fixed = np.append(counts, h.dark.counts), np.append(fixed, 0.0)
            columns = np.vstack([columns, np.append(np.zeros(len(tau_ns)), h.dark.bins)])
    unit = columns.sum(axis=0)
    if not (unit > 0).all():
        raise OptionError(
            f"a lifetime of {tau_ns[int(np.argmin(unit[: len(tau_ns)]))]:.3g} ns leaves no light in the "
            "bins used",
            where="--grid",
            fix="begin the grid at longer lifetimes, or use more bins",
        )
    return Tabulated(tau_ns, counts, fixed, np.ascontiguousarray(columns / unit), unit, bins)
