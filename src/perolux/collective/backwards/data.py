"""What a fit of bursts gets: counts against time at one or several fluences, perhaps against energy too.

Bins that the fit need not tell apart are joined: energies to at most 24, times beyond the first part to 4 %
of the time since the peak. A joined bin is a sum of counts, so its noise stays that of photons.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from perolux.collective.couplings import FloatArray
from perolux.collective.instruments.response import Blur
from perolux.errors import InputError, OptionError, Problem

__all__ = ["BurstData", "burst_data"]

_MOST_ENERGIES = 24
_LATE = 0.04
_LEAST_COUNTS = 200.0


@dataclass(frozen=True, eq=False)
class BurstData:
    """edges_ps (T + 1); counts (J, T, L); fluences (J,), rising, in fluence_unit (1 alone where not known);
    energy_edges_ev (L + 1), rising, or None (then L = 1). response; resolution_mev: of the spectrometer,
    FWHM. zero_ps: where the pulse may have come. same_exposure: whether counts of fluences may be compared.
    """

    edges_ps: FloatArray
    counts: FloatArray = field(repr=False)
    fluences: FloatArray
    fluence_unit: str
    response: Blur
    zero_ps: tuple[float, float]
    energy_edges_ev: FloatArray | None = None
    resolution_mev: float = 0.0
    same_exposure: bool = False
    notes: tuple[str, ...] = ()

    @property
    def totals(self) -> FloatArray:
        """Counts of each fluence, (J,)."""
        return np.asarray(self.counts.sum(axis=(1, 2)))

    @property
    def traces(self) -> FloatArray:
        """Counts against time of each fluence, (J, T)."""
        return np.asarray(self.counts.sum(axis=2))


def burst_data(
    edges_ps: FloatArray,
    counts: FloatArray,
    response: Blur,
    *,
    fluences: FloatArray | None = None,
    fluence_unit: str = "",
    energy_edges_ev: FloatArray | None = None,
    resolution_mev: float = 0.0,
    zero_ps: tuple[float, float] | None = None,
    same_exposure: bool = False,
    join: bool = True,
) -> BurstData:
    """Checked data of a fit; counts (J, T) or (J, T, L).

    zero_ps: earliest and latest time of the pulse; left out: from the first edge to the peak of the brightest
    trace, so that a delay is not taken for granted. Raises `InputError` with all that is wrong.
    """
    n = np.asarray(counts, dtype=float)
    if n.ndim == 2:
        n = n[:, :, None]
    edges = np.asarray(edges_ps, dtype=float)
    problems = []
    if edges.ndim != 1 or len(edges) < 6 or not np.all(np.diff(edges) > 0.0):
        problems.append(Problem("times that do not rise", "times", "five bins and more, each later"))
    if n.ndim != 3 or (edges.ndim == 1 and n.shape[1] != len(edges) - 1):
        problems.append(Problem(f"counts of shape {np.shape(counts)}", "counts", "fluences by times"))
    if not np.isfinite(n).all() or np.any(n < 0.0):
        problems.append(
            Problem("counts below 0 or missing", "counts", fix="give raw counts, nothing subtracted")
        )
    if problems:
        raise InputError(problems)
    f = np.ones(1) if fluences is None and len(n) == 1 else np.asarray(fluences, dtype=float)
    if f.shape != (len(n),) or not np.isfinite(f).all() or np.any(f <= 0.0):
        raise InputError(
            f"{len(n)} traces and fluences {np.atleast_1d(f)}", where="fluences", allowed="one above 0 each"
        )
    order = np.argsort(f)
    f, n = f[order], n[order]
    faint = np.flatnonzero(n.sum(axis=(1, 2)) < _LEAST_COUNTS)
    if len(faint):
        raise InputError(
            f"{n[faint[0]].sum():.0f} counts at fluence {f[faint[0]]:g}", where="counts",
            allowed=f"{_LEAST_COUNTS:.0f} and more at each", fix="leave that fluence out, or count longer",
        )  # fmt: skip
    if energy_edges_ev is None and n.shape[2] != 1:
        raise InputError("counts over wavelengths without their axis", where="energies")
    if energy_edges_ev is not None and (
        len(energy_edges_ev) != n.shape[2] + 1 or np.any(np.diff(energy_edges_ev) <= 0.0)
    ):
        raise InputError("edges of energies that do not fit the counts", where="energies")
    peak = int(np.argmax(n.sum(axis=2)[int(np.argmax(n.sum(axis=(1, 2))))]))
    zero = (float(edges[0]), float(edges[peak + 1])) if zero_ps is None else zero_ps
    if not (math.isfinite(zero[0] + zero[1]) and zero[0] < zero[1] and zero[0] < edges[-1]):
        raise OptionError(
            f"a pulse between {zero[0]:g} and {zero[1]:g} ps",
            where="--zero",
            allowed=f"two rising times, the first before the end of the data, {edges[-1]:g} ps",
        )
    notes = []
    if join:
        edges, n = _late_bins(edges, n, peak)
        if energy_edges_ev is not None:
            energy_edges_ev, n = _fewer(energy_edges_ev, n)
        notes.append(f"{len(edges) - 1} times x {n.shape[2]} energies after joining bins")
    return BurstData(
        edges, n, f, fluence_unit, response, (float(zero[0]), float(zero[1])), energy_edges_ev,
        resolution_mev, same_exposure, tuple(notes),
    )  # fmt: skip


def _late_bins(edges: FloatArray, n: FloatArray, peak: int) -> tuple[FloatArray, FloatArray]:
    """Bins after the peak joined to `_LATE` of the time since."""
    kept = list(range(peak + 2))
    last = peak + 1
    for k in range(peak + 2, len(edges)):
        if edges[k] - edges[last] >= _LATE * (edges[k] - edges[peak + 1]) or k == len(edges) - 1:
            kept.append(k)
            last = k
    at = np.array(kept)
    return edges[at], np.add.reduceat(n, at[:-1], axis=1)


def _fewer(edges: FloatArray, n: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Energies joined to at most `_MOST_ENERGIES`; far from the light one bin on each side."""
    spectrum = n.sum(axis=(0, 1))
    level = float(np.median(spectrum))
    lit = np.flatnonzero(spectrum > level + 0.05 * (float(spectrum.max()) - level))
    if len(spectrum) <= _MOST_ENERGIES or not len(lit):
        return edges, n
    width = len(lit) and max(int(lit[-1] - lit[0]) + 1, 1)
    first, last = max(int(lit[0]) - width // 2, 0), min(int(lit[-1]) + 1 + width // 2, len(spectrum))
    inner = np.unique(np.linspace(first, last, _MOST_ENERGIES - 1).astype(int))
    at = np.unique(np.concatenate([[0], inner, [len(spectrum)]]))
    return edges[at], np.add.reduceat(n, at[:-1], axis=2)
