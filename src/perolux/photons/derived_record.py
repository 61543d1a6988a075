"""The derived files of one dot, as its authors published them, looked at as far as they go.

A folder with any of corr_unseg.txt (decay), g2.txt (coincidences), segments.csv (stretches of constant rate),
switchinghist.txt (lengths of stretches), Houel_autocorr.txt (autocorrelation of the intensity) and
metadata_dataset.txt (counts). Photons themselves are not in it: what rests on the authors' segmentation is
said.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError
from perolux.measured.decays import Decay, read_decay, read_facts, read_table
from perolux.photons.change_points import Segments
from perolux.photons.decay_record import DecayAnalysis, analyse_decay
from perolux.photons.derived_parts import (
    Autocorrelation,
    Source,
    StoredDecay,
    SwitchingHistogram,
    read_autocorrelation,
    read_source,
    read_stored_decay,
    read_switching,
)
from perolux.photons.dwell_times import DwellComparison, against_limit, compare_laws
from perolux.photons.g2_tails import TailFit, tail_alternatives
from perolux.photons.levels import Levels, find_levels, on_fraction
from perolux.photons.pulsed_g2 import G2Zero, g2_by_windows

__all__ = ["DerivedRecord", "analyse_derived"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
_FILES = (
    "metadata_dataset.txt", "corr_unseg.txt", "g2.txt", "segments.csv", "switchinghist.txt",
    "Houel_autocorr.txt",
)  # fmt: skip
_LOWER_S = 3e-3
_LIMITS_S = (3e-3, 5e-3, 10e-3)


@dataclass(frozen=True)
class DerivedRecord:
    """What the files of a dot say. Parts whose file is not there are None. stored: what the authors wrote
    beside them. segment_lifetime_ns: the authors' fit of each stretch, NaN where it is none."""

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
    decay: DecayAnalysis | None
    stored_decay: StoredDecay | None
    switching: SwitchingHistogram | None
    autocorrelation: Autocorrelation | None
    coincidences: Decay | None
    segments: Segments | None
    segment_lifetime_ns: FloatArray | None
    stored_counts: dict[str, int]
    source: Source | None
    files: tuple[str, ...]
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
            "decay": None if self.decay is None else _decay_dict(self.decay, self.stored_decay),
            "switching": None if self.switching is None else _switching_dict(self.switching),
            "autocorrelation": None
            if self.autocorrelation is None
            else {
                "law": "A t^-C exp(-B t)",
                "parameters": dict(zip("ABC", self.autocorrelation.law, strict=True)),
                "stored": None
                if self.autocorrelation.stored_law is None
                else dict(zip("ABC", self.autocorrelation.stored_law, strict=True)),
            },
            "source": None if self.source is None else asdict(self.source),
            "files": list(self.files),
            "beside": self._beside(),
            "assumptions": [
                "photons are not in these files: stretches are those of the authors' segmentation",
                "no dark counts are on record",
                *(
                    ["no response is on record: the decay is fitted from its second bin on"]
                    if self.decay
                    else []
                ),
            ],
            "warnings": list(self.warnings),
        }

    def _beside(self) -> list[dict[str, str | None]]:
        from perolux.photons.derived_beside import beside

        return [{"quantity": a, "here": b, "stored": c} for a, b, c in beside(self)]


def _decay_dict(found: DecayAnalysis, stored: StoredDecay | None) -> dict[str, Any]:
    fit = found.fit
    return {
        "model": fit.model,
        "lifetimes_ns": list(fit.lifetimes_ns),
        "lifetime_sigma_ns": list(fit.lifetime_sigma_ns),
        "amplitudes": list(fit.amplitudes),
        "background": fit.background,
        "reduced_deviance": fit.reduced_deviance,
        "average_amplitude_ns": fit.average_amplitude_ns,
        "average_intensity_ns": fit.average_intensity_ns,
        "models": [one.as_dict() for one in fit.comparison],
        "stored": None if stored is None else asdict(stored),
    }


def _switching_dict(found: SwitchingHistogram) -> dict[str, Any]:
    return {
        "stored_exponent": found.stored_exponent,
        "from_s": found.lower_s,
        "exponent_of_the_same_line": found.exponent,
        "largest_difference_of_histograms_log10": found.unmatched,
        "exponent_by_likelihood": None
        if found.likelihood is None
        else found.likelihood.parameters["exponent"],
        "exponent_low95": None if found.likelihood is None else found.likelihood.low95["exponent"],
        "exponent_high95": None if found.likelihood is None else found.likelihood.high95["exponent"],
    }


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
    stored_counts: dict[str, int] = {}
    duration = None
    period = period_ns
    if "metadata_dataset.txt" in there:
        facts = read_facts(there["metadata_dataset.txt"])
        counts = {name: int(facts[key]) for name, key in (("A", "cts_chA"), ("B", "cts_chB")) if key in facts}
        duration = float(facts["maxEventTime_ns"]) * 1e-9 if "maxEventTime_ns" in facts else None
        stored_counts = {
            name: int(facts[key])
            for name, key in (("all", "totalPhotonCount"), ("reference", "cts_chR"))
            if key in facts
        }
    windows: G2Zero | None = None
    tails: tuple[TailFit, ...] = ()
    found: Decay | None = None
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
    decay = stored_decay = None
    if "corr_unseg.txt" in there:
        record = read_decay(there["corr_unseg.txt"])
        stored_decay = read_stored_decay(record.header)
        decay = analyse_decay(
            record, period_ns=period, start_ns=float(record.time_ns[0]) + 0.5 * record.step_ns,
            models=("1", "2", "3"),
        )  # fmt: skip
        if stored_decay is not None and stored_decay.problem:
            warnings.append(stored_decay.problem)
    levels = dwells = fraction = flid = segments = lifetime = length = photons = None
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
        with np.errstate(divide="ignore"):
            lifetime = np.where(rate > 0, 1 / rate, np.nan)
        good = (photons > 200) & (rate > 0)
        if good.sum() > 10:
            flid = float(np.corrcoef(segments.rate_cps[good], np.log(rate[good]))[0, 1])
    switching = autocorrelation = None
    if "switchinghist.txt" in there:
        switching = read_switching(there["switchinghist.txt"], length)
    if "Houel_autocorr.txt" in there:
        known = None if length is None or photons is None else (length, photons.astype(float))
        autocorrelation = read_autocorrelation(there["Houel_autocorr.txt"], known)
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
        decay=decay,
        stored_decay=stored_decay,
        switching=switching,
        autocorrelation=autocorrelation,
        coincidences=found,
        segments=segments,
        segment_lifetime_ns=lifetime,
        stored_counts=stored_counts,
        source=read_source(folder),
        files=tuple(there),
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
