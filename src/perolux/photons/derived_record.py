"""The derived files of one dot, as its authors published them, looked at as far as they go.

A folder with any of corr_unseg.txt (decay), g2.txt (coincidences), segments.csv (stretches of constant rate)
and metadata_dataset.txt (counts). Photons themselves are not in it: what rests on the authors' segmentation
is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError
from perolux.measured.decays import read_decay, read_facts, read_table
from perolux.photons.change_points import Segments
from perolux.photons.dwell_times import DwellComparison, against_limit, compare_laws
from perolux.photons.g2_tails import TailFit, tail_alternatives
from perolux.photons.levels import Levels, find_levels, on_fraction
from perolux.photons.pulsed_g2 import G2Zero, g2_by_windows

__all__ = ["DerivedRecord", "analyse_derived"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
_FILES = ("metadata_dataset.txt", "corr_unseg.txt", "g2.txt", "segments.csv", "switchinghist.txt")
_LOWER_S = 3e-3
_LIMITS_S = (3e-3, 5e-3, 10e-3)


@dataclass(frozen=True)
class DerivedRecord:
    """What the files of a dot say. Parts whose file is not there are None. stored: what the authors wrote
    beside them."""

    folder: str
    counts: dict[str, int]
    duration_s: float | None
    windows: G2Zero | None
    tails: tuple[TailFit, ...]
    levels: Levels | None
    on_fraction: float | None
    dwells: DwellComparison | None
    limits: tuple[dict[str, float], ...]
    flid_correlation: float | None
    stored_exponent: float | None
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, as `perolux photons FOLDER --json` prints it; `beside` sets each number next to the
        stored one."""
        g2 = None
        if self.windows is not None:
            best = self.tails[0] if self.tails else None
            g2 = {
                "raw": self.windows.raw,
                "raw_sigma": self.windows.sigma,
                "corrected": None if best is None else best.g2,
                "sigma": None if best is None else best.sigma,
                "low95": None if best is None else best.low95,
                "high95": None if best is None else best.high95,
                "method": self.windows.method if best is None else f"tails modelled, {best.model}",
                "alternatives": [
                    {
                        "model": fit.model, "g2": fit.g2, "sigma": fit.sigma,
                        "low95": fit.low95, "high95": fit.high95,
                        "lifetimes_ns": list(fit.lifetimes_ns), "weights": list(fit.weights),
                        "reduced_deviance": fit.reduced_deviance, "bic": fit.bic,
                    }
                    for fit in self.tails
                ],
            }  # fmt: skip
        return {
            "folder": self.folder,
            "photons_per_channel": self.counts,
            "duration_s": self.duration_s,
            "g2_zero": g2,
            "levels": None
            if self.levels is None
            else [
                {"rate_cps": float(r), "rate_sigma": float(s), "occupancy": float(o), "lifetime_ns": None}
                for r, s, o in zip(
                    self.levels.rate_cps, self.levels.rate_sigma, self.levels.occupancy, strict=True
                )
            ],
            "on_fraction": self.on_fraction,
            "dwell_times": None
            if self.dwells is None
            else {
                "dwells": self.dwells.fits[0].dwells,
                "lower_s": self.dwells.fits[0].lower_s,
                "best": self.dwells.fits[0].law,
                "laws": [
                    {
                        "law": fit.law,
                        "parameters": fit.parameters,
                        "low95": fit.low95,
                        "high95": fit.high95,
                        "log_likelihood_over_power_law": self.dwells.against_power_law[fit.law],
                        "bic": fit.bic,
                    }
                    for fit in self.dwells.fits
                ],
                "against_lower_limit": list(self.limits),
            },
            "flid_correlation": self.flid_correlation,
            "beside": self._beside(),
            "assumptions": [
                "photons are not in these files: stretches are those of the authors' segmentation",
                "no dark counts are on record",
            ],
            "warnings": list(self.warnings),
        }

    def _beside(self) -> list[dict[str, str | None]]:
        rows: list[tuple[str, str, str | None]] = [
            (f"photons in {name}", str(count), None) for name, count in self.counts.items()
        ]
        if self.windows is not None:
            rows.append(("g2(0) by windows", f"{self.windows.raw:.3f} +- {self.windows.sigma:.3f}", None))
        for peaks in self.tails:
            error = "" if peaks.sigma is None else f" +- {peaks.sigma:.3f}"
            rows.append((f"g2(0) with tails, {peaks.model}", f"{peaks.g2:.3f}{error}", None))
        if self.levels is not None and self.on_fraction is not None:
            rows.append(("levels", str(len(self.levels)), None))
            rows.append(("on", f"{100 * self.on_fraction:.1f} % of the time", None))
        if self.dwells is not None:
            for fit in self.dwells.fits:
                told = ", ".join(f"{name} {value:.4g}" for name, value in fit.parameters.items())
                gained = self.dwells.against_power_law[fit.law]
                stored = None
                if fit.law == "power-law" and self.stored_exponent is not None:
                    stored = f"exponent {self.stored_exponent:.2f} (line through a logarithmic histogram)"
                rows.append(
                    (f"dwells, {fit.law.replace('-', ' ')}", f"{told}; log-likelihood {gained:+.1f}", stored)
                )
        if self.flid_correlation is not None:
            rows.append(("intensity against ln(rate)", f"correlation {self.flid_correlation:.2f}", None))
        return [{"quantity": a, "here": b, "stored": c} for a, b, c in rows]


def analyse_derived(
    folder: str | Path, *, period_ns: float | None = None, shortest_dwell_s: float | None = None
) -> DerivedRecord:
    """Read and analyse the derived files of one dot. period_ns: of the laser, found from the peaks of g2 if
    left out.

    Raises `InputError` for a folder with none of the files.
    """
    folder = Path(folder)
    there = {name: folder / name for name in _FILES if (folder / name).is_file()}
    if not there:
        raise InputError("holds none of the files of a dot", where=str(folder), allowed=", ".join(_FILES))
    warnings: list[str] = []
    counts: dict[str, int] = {}
    duration = None
    if "metadata_dataset.txt" in there:
        facts = read_facts(there["metadata_dataset.txt"])
        counts = {name: int(facts[key]) for name, key in (("A", "cts_chA"), ("B", "cts_chB")) if key in facts}
        duration = float(facts["maxEventTime_ns"]) * 1e-9 if "maxEventTime_ns" in facts else None
    windows: G2Zero | None = None
    tails: tuple[TailFit, ...] = ()
    if "g2.txt" in there:
        found = read_decay(there["g2.txt"])
        period = period_ns or _period(found.time_ns, found.counts)
        free = period_ns is None
        tails = tail_alternatives(
            found.time_ns, found.counts, period_ns=period, exponentials=(1, 2), free_period=free
        )
        if free:
            period = tails[0].period_ns
            warnings.append(f"the period of the laser, {period:.5g} ns, is that of the peaks of g2")
        windows = g2_by_windows(found.time_ns, found.counts, period_ns=period)
        spread = [fit.g2 for fit in tails if fit.bic < tails[0].bic + 20]
        if len(spread) > 1:
            warnings.append(
                f"g2(0) with tails lies between {min(spread):.3f} and {max(spread):.3f} over models that "
                "the data "
                "hardly tell apart: its error bars are those of each model alone"
            )
    levels = dwells = fraction = flid = None
    limits: list[dict[str, float]] = []
    if "segments.csv" in there:
        table = read_table(there["segments.csv"])
        length = np.asarray(table["duration_ms"], dtype=float) * 1e-3
        photons = np.asarray(table["photons"]).astype(np.int64)
        edges = np.concatenate([[0.0], np.cumsum(length)])
        segments = Segments(
            np.concatenate([[0], np.cumsum(photons)[:-1]]),
            edges[:-1],
            edges[1:],
            photons,
            np.zeros(len(length) - 1),
            9.0,
        )
        levels = find_levels(segments)
        fraction, _ = on_fraction(levels)
        if levels.capped:
            warnings.append(f"{len(levels)} levels were the most tried: the dot has many grey states")
        lower = shortest_dwell_s or _LOWER_S
        dwells = compare_laws(length, lower_s=lower)
        limits = [
            {"lower_s": fit.lower_s, "dwells": fit.dwells, **fit.parameters}
            for fit in against_limit(length, [lower * limit / _LOWER_S for limit in _LIMITS_S])
        ]
        rate = np.asarray(table["fit_rate_per_ns"], dtype=float)
        good = (photons > 200) & (rate > 0)
        if good.sum() > 10:
            flid = float(np.corrcoef(segments.rate_cps[good], np.log(rate[good]))[0, 1])
    return DerivedRecord(
        folder=str(folder),
        counts=counts,
        duration_s=duration,
        windows=windows,
        tails=tails,
        levels=levels,
        on_fraction=fraction,
        dwells=dwells,
        limits=tuple(limits),
        flid_correlation=flid,
        stored_exponent=_stored_exponent(there.get("switchinghist.txt")),
        warnings=tuple(warnings),
    )


def _period(tau_ns: FloatArray, counts: IntArray) -> float:
    """The period whose first three harmonics are strongest in a coincidence histogram, to 1e-4 of itself."""
    span = float(tau_ns[-1] - tau_ns[0])
    weights = counts - counts.mean()

    def power(periods: FloatArray) -> FloatArray:
        waves = np.exp(2j * np.pi * tau_ns[None, :] / periods[:, None])
        return sum((np.abs((waves**h) @ weights) ** 2 for h in (1, 2, 3)), np.zeros(len(periods)))

    coarse = 1 / np.linspace(2 / span, 40 / span, 400)
    best = float(coarse[np.argmax(power(coarse))])
    fine = best * np.linspace(0.97, 1.03, 601)
    return float(fine[np.argmax(power(fine))])


def _stored_exponent(path: Path | None) -> float | None:
    if path is None:
        return None
    first = path.read_text("utf-8", errors="replace")[:400].splitlines()
    for line in first:
        if "exponent" in line and ":" in line:
            try:
                value = float(line.rpartition(":")[2])
            except ValueError:
                return None
            return value if math.isfinite(value) else None
    return None
