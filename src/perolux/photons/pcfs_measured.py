"""A measured PCFS set from end to end: line width, its diffusion, envelope and spectral correlation.

All stage positions and lags are fitted at once (`pcfs.fit_pcfs`); beside the law of diffusion each lag is
fitted on its own, so that another law would be seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import PeroluxError
from perolux.photons.hom_wanted import linewidth_uev
from perolux.photons.pcfs import (
    Line,
    PcfsFit,
    delay_of_path,
    expected_pairs,
    fit_pcfs,
    interferogram,
    spectral_correlation,
    spread_by_lag,
    transform,
)
from perolux.photons.pcfs_blocks import with_blocks
from perolux.photons.pcfs_set import PcfsSet
from perolux.progress import Progress, silent

__all__ = ["PcfsMeasured", "analyse_pcfs"]

FloatArray = npt.NDArray[np.float64]
_ZETAS = 121
_MOST_DITHER = 0.1
"""Part of the decay of the envelope that the dither may sweep over."""


@dataclass(frozen=True)
class PcfsMeasured:
    """A set, its fit, and what is shown of it.

    seen, error: E of each position and lag from the counts, (m, k); spread2, spread2_error: s^2 of each lag
    on its own, (k,); zeta: (n,) rad/ps; correlation: p(zeta) of the fit at the first and the last lag, (2,
    n); transformed: the same from the counts by transform, None with the reason in `missing`.
    """

    source: PcfsSet
    fit: PcfsFit
    line: Line
    seen: FloatArray
    error: FloatArray
    expected: FloatArray
    spread2: FloatArray
    spread2_error: list[float | None]
    zeta: FloatArray
    correlation: FloatArray
    transformed: FloatArray | None
    missing: dict[str, str]
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def how(self) -> str:
        """Where the intervals come from, in words."""
        if self.source.blocks is None:
            return "profile likelihood"
        told = f"{len(self.source.blocks)} blocks of time, left out one by one"
        return f"profile likelihood, widened where {told}, say more"

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, as `perolux pcfs FOLDER --json` prints it."""
        fit, record = self.fit, self.source.record
        sd = fit.diffusion_rad_per_ps

        def ends(pair: Sequence[float | None]) -> dict[str, float | None]:
            return {"low": pair[0], "high": pair[1]}

        # the longer T2, the narrower the line
        widths = [
            None if x is None else linewidth_uev(x) for x in (fit.t2_interval_ps[1], fit.t2_interval_ps[0])
        ]
        spreads = [None if x is None else _uev(x) for x in fit.diffusion_interval]
        return {
            "about": self.source.about,
            "simulated": self.source.simulated,
            "files": [{"file": name, "sha256": told or None} for name, told in self.source.files],
            "photons": self.source.photons,
            "pairs": int(record.pairs.sum()),
            "positions": len(record.delay_ps),
            "contrast": self.source.contrast,
            "dither": {"range_um": self.source.dither_um, "fringes_per_s": record.fringes_per_s},
            "t2_ps": fit.t2_ps,
            "t2_interval_ps": ends(fit.t2_interval_ps),
            "linewidth_uev": linewidth_uev(fit.t2_ps),
            "linewidth_interval_uev": ends(widths),
            "diffusion": {
                "sd_rad_per_ps": sd,
                "sd_interval_rad_per_ps": ends(fit.diffusion_interval),
                "sd_uev": _uev(sd),
                "sd_interval_uev": ends(spreads),
                "time_s": fit.diffusion_time_s,
                "time_interval_s": ends(fit.diffusion_time_interval_s),
            },
            "lines_rad_per_ps": list(self.line.offsets_rad_per_ps),
            "weights": list(self.line.weights),
            "level": fit.level,
            "intervals": self.how,
            "deviance": fit.chi2,
            "degrees_of_freedom": fit.degrees_of_freedom,
            "path_difference_mm": self.source.path_mm.tolist(),
            "delay_ps": record.delay_ps.tolist(),
            "lag_edges_s": record.lag_edges_s.tolist(),
            "g2": fit.bunching.tolist(),
            "envelope": {"seen": self.seen.tolist(), "error": self.error.tolist()},
            "spread_by_lag": [
                {"lag_s": float(lag), "s2": float(s2), "sigma": error}
                for lag, s2, error in zip(record.lag_s, self.spread2, self.spread2_error, strict=True)
            ],
            "spectral_correlation": {
                "zeta_uev": [_uev(x) for x in self.zeta],
                "lags_s": [float(record.lag_s[0]), float(record.lag_s[-1])],
                "fit_per_rad_per_ps": self.correlation.tolist(),
                "transformed_per_rad_per_ps": None if self.transformed is None else self.transformed.tolist(),
            },
            "missing": dict(self.missing),
            "assumptions": list(self.assumptions),
            "warnings": list(self.warnings),
        }


def analyse_pcfs(
    source: PcfsSet,
    *,
    diffusion: bool = True,
    lines_rad_per_ps: Sequence[float] = (0.0,),
    weights: Sequence[float] = (1.0,),
    level: float = 0.95,
    progress: Progress = silent,
) -> PcfsMeasured:
    """T2 and diffusion of a set by Poisson likelihood over all positions and lags, and what to show of them.

    lines, weights: fine structure, held (shares are normalised). Raises what `fit_pcfs` raises.
    """
    record, contrast = source.record, source.contrast
    total = sum(weights)
    shares = tuple(float(w / total) for w in weights) if total > 0 else tuple(map(float, weights))
    lines = tuple(float(x) for x in lines_rad_per_ps)
    fit = fit_pcfs(
        record, contrast=contrast, diffusion=diffusion, offsets_rad_per_ps=lines, weights=shares, level=level
    )
    fit = with_blocks(
        fit, source.blocks, contrast=contrast, diffusion=diffusion, offsets_rad_per_ps=lines, weights=shares,
        progress=progress,
    )  # fmt: skip
    line = Line(fit.t2_ps, fit.diffusion_rad_per_ps, fit.diffusion_time_s or 1.0, lines, shares)
    missing: dict[str, str] = {}
    warnings = [*source.warnings, *fit.warnings]
    if source.blocks is None and any("times Poisson" in one for one in fit.warnings):
        warnings.append(
            "without blocks of time the errors that lags have in common are not known: intervals are "
            "too narrow"
        )
    if not diffusion:
        missing["diffusion"] = "not asked for (--no-diffusion)"
    elif fit.diffusion_time_s is None:
        missing["diffusion.time_s"] = (
            "no diffusion is seen" if not (fit.diffusion_interval[0] or 0) > 0 else
            "the diffusion is seen, and its time is not resolved within the lags"
        )  # fmt: skip
        if (fit.diffusion_interval[0] or 0) > 0:
            # a diffusion that is over before the first lag: the spread is that of all lags
            line = Line(fit.t2_ps, fit.diffusion_rad_per_ps, 1e-3 * float(record.lag_s[0]), lines, shares)
    seen, error = interferogram(record, fit.bunching, contrast=contrast)
    spread2, spread2_error = spread_by_lag(record, line, contrast=contrast)
    wide = 4 / fit.t2_ps + 3 * math.sqrt(2) * fit.diffusion_rad_per_ps + max(lines) - min(lines)
    zeta = np.linspace(-2 * wide, 2 * wide, _ZETAS)
    ends = (float(record.lag_s[0]), float(record.lag_s[-1]))
    correlation = np.array([spectral_correlation(line, zeta, lag) for lag in ends])
    transformed = None
    try:
        transformed = _transformed(record.delay_ps, seen[:, [0, -1]], zeta)
    except PeroluxError as reason:
        missing["spectral_correlation.transformed"] = reason.problems[0].what
    longest = float(np.abs(record.delay_ps).max())
    if longest < fit.t2_ps / 2:
        warnings.append(
            f"the longest delay, {longest:.3g} ps, is below half of T2: the envelope hardly falls "
            f"within the set"
        )
    if source.dither_um is not None:
        swept = float(delay_of_path(1e-3 * source.dither_um))
        rate = 2 / fit.t2_ps + fit.diffusion_rad_per_ps
        if swept * rate > _MOST_DITHER:
            warnings.append(
                f"the dither sweeps {swept:.3g} ps, over which the envelope falls by "
                f"{1 - math.exp(-swept * rate):.0%}: "
                "the model takes it as one delay"
            )
    assumptions = [*source.assumptions, "one Lorentzian line"
                   if len(lines) == 1 else f"{len(lines)} Lorentzian lines as given"]  # fmt: skip
    if diffusion:
        assumptions.append("its centre wanders as an Ornstein-Uhlenbeck process (Gaussian, one time)")
    assumptions.append("g2 of each lag is the same at all positions, and free")
    expected = expected_pairs(record, line, fit.bunching, contrast)
    return PcfsMeasured(
        source, fit, line, seen, error, expected, spread2, spread2_error, zeta, correlation, transformed,
        missing, tuple(assumptions), tuple(warnings),
    )  # fmt: skip


def _uev(rad_per_ps: float) -> float:
    """hbar w in micro-eV (the width 2 hbar/T2 at T2 = 2/w)."""
    if rad_per_ps == 0:
        return 0.0
    return math.copysign(linewidth_uev(2 / abs(rad_per_ps)), rad_per_ps)


def _transformed(delay_ps: FloatArray, seen: FloatArray, zeta: FloatArray) -> FloatArray:
    """p of the first and last lag by transform of what was counted, delays of both signs folded, (2, n)."""
    places, at = np.unique(np.round(np.abs(delay_ps), 9), return_inverse=True)
    folded = np.zeros((len(places), seen.shape[1]))
    np.add.at(folded, at, seen)
    folded /= np.bincount(at)[:, None]
    return transform(places, folded, zeta).T
