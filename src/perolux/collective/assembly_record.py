"""The record of an assembly: what `perolux burst` tells of it, and what each kind of disorder costs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from perolux.collective.assembly import (
    EMISSION,
    Assembly,
    Course,
    Draws,
    assembly,
    disorder_of,
    draw_emitters,
    peak_of,
    run_assembly,
    without,
)
from perolux.collective.assembly_file import AssemblyFile
from perolux.collective.assembly_light import Light, assembly_light, light_record, spread
from perolux.collective.blocks import blocks, product_state
from perolux.collective.burst import turns
from perolux.collective.coupled_number import burst_coupled_number
from perolux.collective.couplings import Emitters, FloatArray, couplings
from perolux.collective.instruments.analysed import Fringes, SlitSpectrum, fringes_of, slit_spectrum_of
from perolux.collective.instruments.seen import Seen, seen_by
from perolux.collective.master_equation import exact_emission
from perolux.collective.single_excitation import modes
from perolux.errors import InputError
from perolux.files import sha256_of
from perolux.pieces import Pieces, nothing_kept
from perolux.progress import Progress, silent
from perolux.superlattices import Disorder

__all__ = ["AssemblyResult", "assembly_question", "assembly_result"]

_EXACT_ABLATION = 6
_MOST_ABLATION = 600
_MOST_TURNS = 5000.0
COUPLED = (
    "of a burst, the number of identical emitters at one place that have the same photon rate at the peak "
    "for each of them, 1 where the rate only falls; of one excitation, the largest collective rate over Gamma"
)


@dataclass(frozen=True)
class AssemblyResult:
    """made; emitters: in the first draw. courses: at each screening; singles: one excitation, None where too
    many emitters. costs: rows of the ablation. light: spectrum, coherence and direction, at each
    screening. overlap: that cubes cut into each other, in words. seen, spectrum, fringes: by the
    instruments of the file, if it has them."""

    made: Assembly
    emitters: int
    courses: tuple[Course, ...]
    singles: tuple[Draws, ...] | None
    costs: tuple[dict[str, Any], ...]
    costs_reason: str | None
    light: tuple[Light, ...]
    overlap: str | None = None
    seen: Seen | None = None
    spectrum: SlitSpectrum | None = None
    fringes: Fringes | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON: one entry a screening; missing is null with a reason."""
        made, file = self.made, self.made.file
        return {
            "name": file.name,
            "lattice": file.lattice.kind,
            "emitters": self.emitters,
            "draws": file.sampling.disorder_draws,
            "seed": file.sampling.seed,
            "excitation": file.excitation.model_dump(exclude_none=True),
            "lifetime_ps": made.lifetime_ps,
            "wavelength_nm": made.wavelength_nm,
            "hbar_gamma_mev": made.unit_mev,
            "pure_dephasing_over_gamma": made.dephasing,
            "edge_slope_mev_per_nm": made.slope_mev_per_nm,
            "coupled_number_definition": COUPLED,
            "screenings": [self._entry(k) for k in range(len(self.courses))],
            "costs": list(self.costs),
            "costs_reason": self.costs_reason,
            "single_nanocrystal": self._single_nanocrystal(),
            "instrument": None if self.seen is None else self.seen.as_dict(),
            "spectrometer": None if self.spectrum is None else self.spectrum.as_dict(),
            "michelson": None if self.fringes is None else self.fringes.as_dict(),
            "notes": [*made.notes, *self.warnings()],
        }

    def _entry(self, k: int) -> dict[str, Any]:
        course, made = self.courses[k], self.made
        entry: dict[str, Any] = {"screening": course.screening, "reason": course.reason}
        entry |= {
            "methods": list(course.methods),
            "validity": list(course.validity),
            "method_notes": list(course.notes),
        }
        entry |= self._emission(course)
        entry["light"] = light_record(made, self.light[k], course)
        if self.singles is None:
            entry |= {
                "single_excitation": None,
                "single_excitation_reason": "too many emitters for dense modes",
            }
            return entry
        one, unit = self.singles[k], made.unit_mev
        entry["single_excitation"] = {
            "brightest_rate_over_gamma": spread(one.brightest),
            "brightest_lifetime_ps": made.lifetime_ps / float(np.mean(one.brightest)),
            "brightest_shift_mev": spread(unit * one.shift),
            "equilibrium_rate_over_gamma": spread(one.thermal_rate),
            "equilibrium_shift_mev": spread(unit * one.thermal_shift),
            "temperature_k": made.file.emitters.temperature,
            "largest_pair_shift_mev": unit * one.largest_shift,
        }
        return entry

    def _emission(self, course: Course) -> dict[str, Any]:
        names = ("rows", "peak", "delay", "coupled_number", "coupled_number_reason", "g2_zero", "imbalance")
        if course.reason is not None:
            return dict.fromkeys(names)
        made = self.made
        rows = []
        for i, t in enumerate(made.times):
            row: dict[str, float | None] = {
                "Gamma_t": float(t),
                "time_ps": float(t * made.lifetime_ps),
                "photon_rate_over_Gamma": float(course.rate[i]),
                "excited_population": float(course.excited[i]),
                "disorder_sd": float(course.disorder[i]),
                "statistical_sigma": float(course.statistical[i]),
            }
            if course.low is not None and course.high is not None:
                # a bracket is never one number
                row |= {"photon_rate_over_Gamma": None, "excited_population": None}
                row |= {"low": float(course.low[i]), "high": float(course.high[i])}
                if course.excited_low is not None and course.excited_high is not None:
                    row |= {"excited_low": float(course.excited_low[i])}
                    row |= {"excited_high": float(course.excited_high[i])}
            rows.append(row)
        found: dict[str, Any] = {"rows": rows, "g2_zero": course.g2, "imbalance": course.imbalance}
        ends = [course.rate] if course.low is None or course.high is None else [course.low, course.high]
        peaks = [peak_of(made.times, one) for one in ends]
        excited = float(course.excited[0])
        kind = made.file.excitation.kind
        none = excited < 0.5 or kind in ("single", "driven")
        numbers = [
            None if none else burst_coupled_number(height, max(round(excited), 1)) for _, height in peaks
        ]
        found["coupled_number_reason"] = (
            None if not none
            else "nothing is excited" if kind == "random"
            else f"defined for excited emitters without phase, not for the start {kind!r}"
        )  # fmt: skip
        if len(ends) == 1:
            k = int(np.argmax(course.rate))
            return found | {
                "peak": {
                    "photon_rate_over_Gamma": peaks[0][1],
                    "statistical_sigma": float(course.statistical[k]),
                    "disorder_sd": float(np.std(course.peaks, ddof=1)) if len(course.peaks) > 1 else None,
                    "over_start": peaks[0][1] / float(course.rate[0]) if course.rate[0] > 0.0 else None,
                },
                "delay": {"Gamma_t": peaks[0][0], "ps": peaks[0][0] * made.lifetime_ps,
                          "disorder_sd_ps": made.lifetime_ps * float(np.std(course.delays, ddof=1))
                          if len(course.delays) > 1 else None},
                "coupled_number": numbers[0],
            }  # fmt: skip
        return found | {
            "peak": {"low": peaks[0][1], "high": peaks[1][1]},
            "delay": {
                "low_end_ps": peaks[0][0] * made.lifetime_ps,
                "high_end_ps": peaks[1][0] * made.lifetime_ps,
            },
            "coupled_number": {"low": numbers[0], "high": numbers[1]},
        }

    def _single_nanocrystal(self) -> dict[str, Any] | None:
        made, compare = self.made, self.made.file.compare
        if compare is None:
            return None
        return {
            "edge_nm": compare.edge,
            "lifetime_ps": made.single_lifetime_ps,
            "rate_over_small_one": made.lifetime_ratio,
            "rate_over_small_one_reason": None
            if made.lifetime_ratio is not None
            else "no edge of the small ones",
            "what": "bright levels of one cube, computed by the excitons room at the same temperature; its "
            "exciton emits coherently from its whole coherence volume, without disorder between emitters",
        }

    def warnings(self) -> list[str]:
        """What a reader must know before the numbers are used."""
        told = [] if self.overlap is None else [self.overlap]
        if any(one.low is not None for one in self.courses):
            told.append("a bracket is no result: between its ends no method is known to be right")
        for one in self.courses:
            if one.reason is not None:
                told.append(f"no emission against time with shifts x {one.screening:g}: {one.reason}")
        falling = [
            f"{one.screening:g}"
            for one in self.courses
            if one.reason is None and one.low is None and one.rate[0] > 0.0 and np.argmax(one.rate) == 0
        ]
        if falling and self.made.file.excitation.kind != "single":
            told.append(f"no burst with shifts x {', '.join(falling)}: the rate is highest at the start")
        if self.singles is not None and self.singles[-1].largest_shift > 1.0:
            told.append(
                "point dipoles: how strong the shifts of touching nanocrystals are is not known; compare the "
                "screenings"
            )
        step = float(self.made.times[1] - self.made.times[0])
        if self.singles is not None and self.made.file.excitation.kind == "single":
            shifts = self.singles[-1].first_modes[1]
            if step * float(np.std(shifts)) > 1.0:
                told.append(
                    "the rate beats faster than the times listed: its points are right, "
                    "the line between is not; the population is"
                )
        if self.made.dephasing > 0.0 and self.singles is not None:
            told.append("rates and shifts of one excitation are those without dephasing")
        return told


def assembly_question(file: AssemblyFile, folder: Any = None) -> dict[str, Any]:
    """What the numbers of an assembly depend on, as plain JSON: by it kept pieces are known again."""
    from perolux import __version__

    question = {"task": "burst 1", "version of perolux": __version__} | file.model_dump(mode="json")
    if file.lattice.file is not None:
        try:
            question["table of positions"] = sha256_of(Path(folder or "") / file.lattice.file)
        except OSError as error:
            raise InputError(
                f"could not read: {error.strerror or error}", where=str(file.lattice.file)
            ) from error
    return question


def assembly_result(
    file: AssemblyFile, folder: Any = None, *, progress: Progress = silent, pieces: Pieces = nothing_kept
) -> AssemblyResult:
    """Everything of an assembly. folder: where a table of positions is looked for. pieces: where what is
    finished is kept (`perolux.pieces.pieces_in` with `assembly_question`), so that a killed run continues
    with the same numbers."""
    made = assembly(file, Path() if folder is None else Path(folder))
    pieces.tell(len(file.sampling.screening) * file.sampling.disorder_draws, EMISSION)
    courses, singles = run_assembly(made, progress=progress, pieces=pieces)
    emitters, _ = draw_emitters(made, 0)
    first = len(emitters)
    reason: str | None = None
    costs: tuple[dict[str, Any], ...] = ()
    if not file.sampling.ablation:
        reason = "switched off (sampling.ablation)"
    elif first > _MOST_ABLATION:
        reason = f"{first} emitters: not affordable above {_MOST_ABLATION}"
    else:
        costs = tuple(_costs(made, pieces.part("costs")))
        reason = None if costs else "no disorder, no dephasing, no shifts"
    seen = None if file.instrument is None else seen_by(made, courses, file.instrument)
    light = assembly_light(made, pieces)
    spectrum = None if file.spectrometer is None else slit_spectrum_of(made, light, file.spectrometer)
    fringes = None if file.michelson is None else fringes_of(made, light, file.michelson)
    overlap = _overlap(emitters, file.emitters.edge)
    return AssemblyResult(
        made, first, courses, singles, costs, reason, light, overlap, seen, spectrum, fringes
    )


def _overlap(emitters: Emitters, edge_nm: float | None) -> str | None:
    """Whether cubes of this edge cut into each other: spheres inside them do."""
    _, each = np.unique(emitters.nanocrystal, return_index=True)
    if edge_nm is None or len(each) < 2:
        return None
    places = emitters.positions_nm[each]
    nearest = float(cKDTree(places).query(places, k=2)[0][:, 1].min())
    if nearest >= edge_nm:
        return None
    return (
        f"cubes of {edge_nm:g} nm overlap: nearest centres are {nearest:.3g} nm apart in the first draw; "
        "give a wider pitch, a smaller edge or spread of places"
    )


def _costs(made: Assembly, pieces: Pieces) -> list[dict[str, Any]]:
    """Brightest rate (and exact burst of a few emitters) with one thing switched off at a time."""
    file = made.file
    whole = disorder_of(file)
    strongest = max(file.sampling.screening)
    kinds = [
        ("spread of edges", "edge_spread"), ("spread of energies", "energy_spread_mev"),
        ("spread of places", "position_nm"), ("spread of directions", "orientation_deg"),
        ("vacancies", "vacancies"),
    ]  # fmt: skip
    cases: list[tuple[str, Any, float, float]] = [("nothing", whole, strongest, made.dephasing)]
    cases += [
        (name, without(whole, key), strongest, made.dephasing)
        for name, key in kinds
        if getattr(whole, key) > 0.0
    ]
    if made.dephasing > 0.0:
        cases.append(("dephasing", whole, strongest, 0.0))
    if strongest > 0.0:
        cases.append(("shifts", whole, 0.0, made.dephasing))
    if len(cases) == 1:
        return []
    rows = []
    for name, disorder, screening, dephasing in cases:
        brightest, peaks = [], []
        for k in range(file.sampling.disorder_draws):
            found = pieces.arrays(
                f"{name}/draw-{k}",
                {"brightest": 1, "peak": None},
                partial(_cost, made, k, disorder, screening, dephasing),
            )
            brightest.append(float(found["brightest"][0]))
            peaks += found["peak"].tolist()
        rate: dict[str, float | None] | None = None if name == "dephasing" else spread(np.array(brightest))
        rows.append(
            {
                "without": name,
                "brightest_rate_over_gamma": rate,
                "burst_peak_over_gamma": spread(np.array(peaks)) if len(peaks) == len(brightest) else None,
                "burst_peak_reason": None
                if len(peaks) == len(brightest)
                else f"only for full inversion of up to {_EXACT_ABLATION} emitters, moderate shifts (exact)",
            }
        )
    return rows


def _cost(
    made: Assembly, draw: int, disorder: Disorder, screening: float, dephasing: float
) -> dict[str, FloatArray]:
    """Brightest rate of one draw, and the exact burst height where it is affordable."""
    file, peaks = made.file, []
    emitters, _ = draw_emitters(made, draw, disorder)
    between = couplings(emitters, screening=screening)
    few = len(emitters) <= _EXACT_ABLATION and turns(between, made.times) <= _MOST_TURNS
    if few and file.excitation.kind == "all":
        start = product_state(blocks(len(emitters)), np.arange(len(emitters)))
        found = exact_emission(
            between, start, made.times, dephasing=dephasing, loss=file.emitters.nonradiative
        )
        peaks.append(peak_of(made.times, found.photon_rate)[1])
    return {"brightest": modes(between)[0][:1], "peak": np.array(peaks)}
