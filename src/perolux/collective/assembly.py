"""A superlattice that emits: draws of its disorder, each by the method that fits, at several shifts.

Per draw the assembly is a `BurstCase`; over draws the mean rate has two errors that are kept apart:

    disorder     sd of the true rates over draws: sqrt(max(var(I) - mean(sigma^2), 0)); falls with nothing
    statistical  of the mean: sqrt(sum sigma^2)/draws, of the trajectories alone

How strong the shifts of touching nanocrystals are is not known (point dipoles, screening, finite size), so
nothing is told for one strength alone: every number stands once for each `screening`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from perolux.collective.assembly_file import AssemblyFile, LatticeTable
from perolux.collective.burst import METHODS, burst, on_lattice
from perolux.collective.case import BurstCase
from perolux.collective.coupled_number import thermal_single
from perolux.collective.couplings import Emitters, FloatArray, couplings
from perolux.collective.kept import kept_emission
from perolux.collective.phased import density_emission, phased_density
from perolux.collective.rows import Emission
from perolux.collective.single_excitation import MOST_DENSE, modes, single_excitation_emission
from perolux.collective.single_spectra import phased_amplitudes
from perolux.errors import ConvergenceError, ModelRangeError, NotAvailableError, OptionError
from perolux.excitons import nanocrystal, passport
from perolux.pieces import Pieces, nothing_kept
from perolux.progress import Progress, silent
from perolux.quantities.constants import HC_EV_NM, constant
from perolux.superlattices import (
    Disorder,
    Superlattice,
    abo3,
    alb2,
    chain,
    disordered_cluster,
    energy_slope,
    face_centred,
    nacl,
    read_positions,
    realise,
    sheet,
    simple_cubic,
)

__all__ = ["Assembly", "Course", "Draws", "assembly", "draw_emitters", "lattice_of", "run_assembly"]

_MOST_MODES = 1500
_LEAST_NM = 1.0
EMISSION = "emission"
"""Name of the piece that is the emission of one draw at one screening."""


@dataclass(frozen=True)
class Assembly:
    """A file made ready: numbers of one nanocrystal, and where each comes from. unit_mev: hbar Gamma.
    slope_mev_per_nm: dE/dL where edges vary. single: of one nanocrystal of the edge to compare with."""

    file: AssemblyFile
    folder: Path
    lifetime_ps: float
    wavelength_nm: float
    unit_mev: float
    dephasing: float
    slope_mev_per_nm: float | None
    times: FloatArray
    lifetime_ratio: float | None
    single_lifetime_ps: float | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Course:
    """Emission at one screening, over draws. rate, excited: means; disorder, statistical: see above; low,
    high: means of the ends of a bracket, None otherwise. peaks, delays: of each draw, of its own rate (low
    end of a bracket); excited_low, excited_high: of the population. g2: mean of the start. reason: why there
    is no emission (all arrays empty then). notes: what the methods measured of themselves."""

    screening: float
    methods: tuple[str, ...]
    validity: tuple[str, ...]
    rate: FloatArray
    excited: FloatArray
    disorder: FloatArray
    statistical: FloatArray
    low: FloatArray | None = None
    high: FloatArray | None = None
    peaks: FloatArray = field(default_factory=lambda: np.zeros(0))
    delays: FloatArray = field(default_factory=lambda: np.zeros(0))
    g2: float | None = None
    reason: str | None = None
    imbalance: float | None = None
    notes: tuple[str, ...] = ()
    excited_low: FloatArray | None = None
    excited_high: FloatArray | None = None


@dataclass(frozen=True)
class Draws:
    """Of one excitation, at one screening, one number a draw: rate (Gamma) and shift (hbar Gamma, less the
    mean energy of the draw) of the brightest mode, and rate and shift of the light in equilibrium at the
    temperature. largest_shift: of all Omega_ij of the first draw."""

    screening: float
    brightest: FloatArray
    shift: FloatArray
    thermal_rate: FloatArray
    thermal_shift: FloatArray
    largest_shift: float
    first_modes: tuple[FloatArray, FloatArray] = field(repr=False)


def lattice_of(table: LatticeTable, folder: Path, rng: np.random.Generator) -> Superlattice:
    """The lattice that a file names; `rng` places a cluster."""
    pitch, n = table.pitch or 0.0, table.repeats
    if table.kind == "table":
        return read_positions(folder / str(table.file))
    if table.kind == "cluster":
        return disordered_cluster(int(table.count or 0), pitch, rng, table.filling)
    if table.kind == "chain":
        return chain(pitch, n[0])
    if table.kind == "sheet":
        return sheet(pitch, n[0], n[1])
    if table.kind == "cube":
        return simple_cubic(pitch, n)
    if table.kind == "fcc":
        return face_centred(pitch, n)
    if table.kind == "nacl":
        return nacl(pitch, n, table.emits or ("B",))
    if table.kind == "alb2":
        return alb2(pitch, n, table.c_over_a, table.emits or ("B",))
    return abo3(pitch, n, table.emits or ("B", "O"))


def assembly(file: AssemblyFile, folder: Path = Path()) -> Assembly:
    """Lifetime, wavelength, dE/dL and times of a file, by the excitons room where left out."""
    emitters, notes = file.emitters, []
    if file.sampling.method not in METHODS:
        raise OptionError(
            f"no method {file.sampling.method!r}", where="sampling.method", allowed=", ".join(METHODS)
        )
    lifetime, wavelength = emitters.lifetime, emitters.wavelength
    if lifetime is None or wavelength is None:
        own_lifetime, energy = _one_crystal(file, float(emitters.edge or 0.0))
        if lifetime is None:
            lifetime = own_lifetime
            notes.append(f"lifetime {lifetime:.4g} ps: bright levels of one cube, computed (excitons)")
        if wavelength is None:
            wavelength = HC_EV_NM / energy
            notes.append(f"wavelength {wavelength:.4g} nm: emission of one cube, computed (excitons)")
    slope = None
    if file.disorder.edge_spread > 0.0 and emitters.edge is not None:
        found = energy_slope(emitters.material, emitters.edge, emitters.temperature)
        slope = found.of(emitters.parameter_set)
        sets = ", ".join(f"{name} {value:.3g}" for name, value in found.sets.items())
        notes.append(
            f"dE/dL = {slope:.3g} meV/nm at {emitters.edge:g} nm (sets: {sets}): the spread of edges is "
            f"a spread of energies of {abs(slope) * emitters.edge * file.disorder.edge_spread:.3g} meV; all "
            "keep one lifetime"
        )
    unit = hbar_mev_ps() / lifetime
    dephasing = emitters.pure_dephasing or 0.0
    if emitters.pure_dephasing_time is not None:
        dephasing = lifetime / emitters.pure_dephasing_time
    ratio = single = None
    if file.compare is not None:
        single, _ = _one_crystal(file, file.compare.edge)
        if emitters.edge is not None:
            ratio = _one_crystal(file, emitters.edge)[0] / single
    times = np.linspace(0.0, file.times.until / lifetime, file.times.points)
    return Assembly(
        file, folder, lifetime, wavelength, unit, dephasing, slope, times, ratio, single, tuple(notes)
    )


def hbar_mev_ps() -> float:
    """hbar in meV ps."""
    return constant("planck_j_s") / (2.0 * math.pi) / constant("elementary_charge_c") * 1e15


def _one_crystal(file: AssemblyFile, edge_nm: float) -> tuple[float, float]:
    """Lifetime of the bright levels (ps) and emission energy (eV) of one cube."""
    told = file.emitters
    sets = None if told.parameter_set is None else (told.parameter_set,)
    crystal = nanocrystal(told.material, "cube", edge_nm, "core-edge", temperature_k=told.temperature)
    found = passport(crystal, draws=64, sets=sets)
    life, energy = found.bright_lifetime_ns.spread, found.emission_ev.spread
    if life is None or energy is None:
        raise NotAvailableError(
            f"no lifetime of {told.material} of {edge_nm:g} nm: {found.bright_lifetime_ns.reason}",
            fix="give lifetime and wavelength",
        )
    return 1e3 * life.median, energy.median


def draw_emitters(
    made: Assembly, draw: int, disorder: Disorder | None = None
) -> tuple[Emitters, np.random.Generator]:
    """The emitters of one draw, and the generator of its excitation; disorder: in place of the file's."""
    file = made.file
    seeds = np.random.SeedSequence((file.sampling.seed, draw)).spawn(3)
    place, shake, start = (np.random.default_rng(one) for one in seeds)
    lattice = lattice_of(file.lattice, made.folder, place)
    found = realise(
        lattice, shake, disorder_of(file) if disorder is None else disorder, dipoles=file.emitters.dipoles,
        edge_nm=file.emitters.edge, slope_mev_per_nm=made.slope_mev_per_nm, least_distance_nm=_LEAST_NM,
    )  # fmt: skip
    detuning = (found.energy_mev - float(np.mean(found.energy_mev))) / made.unit_mev
    return (
        Emitters(
            found.positions_nm, found.dipoles, file.emitters.refractive_index, made.wavelength_nm, detuning,
            found.nanocrystal,
        ),
        start,
    )  # fmt: skip


def disorder_of(file: AssemblyFile) -> Disorder:
    """The disorder of a file."""
    table = file.disorder
    return Disorder(
        table.edge_spread,
        table.energy_spread,
        table.position_spread,
        table.orientation_spread,
        table.vacancies,
    )


def run_assembly(
    made: Assembly, *, progress: Progress = silent, pieces: Pieces = nothing_kept
) -> tuple[tuple[Course, ...], tuple[Draws, ...] | None]:
    """Emission and single excitations at every screening, over the draws of the file.

    The same draws stand behind every screening. Where no method is validated, or none affordable, a course
    has its reason instead of numbers. pieces: where finished draws are kept.
    """
    sampling = made.file.sampling
    progress.start("draws", sampling.disorder_draws * len(sampling.screening))
    drawn = [draw_emitters(made, k) for k in range(sampling.disorder_draws)]
    starts = [excited_emitters(made, emitters, rng) for emitters, rng in drawn]
    courses, singles = [], []
    affordable = max(len(one) for one, _ in drawn) <= _MOST_MODES
    for screening in sampling.screening:
        found: list[Emission] = []
        reason, brightest = None, []
        kept = pieces.part(f"screening-{screening!r}")
        for k, ((emitters, _), excited) in enumerate(zip(drawn, starts, strict=True)):
            if reason is None:
                try:
                    found.append(_kept_draw(made, emitters, excited, screening, k, kept.part(f"draw-{k}")))
                except (NotAvailableError, ModelRangeError, ConvergenceError, OptionError) as error:
                    reason = str(error.problems[0].what)
            if affordable:
                brightest.append(_single(made, emitters, screening, kept.part(f"draw-{k}")))
            progress.advance()
        courses.append(_course(screening, found, reason, made.times))
        if affordable:
            table = np.array([one[0] for one in brightest])
            rate, shift, warm_rate, warm_shift = table[:, :4].T
            largest = float(table[0, 4])
            singles.append(Draws(screening, rate, shift, warm_rate, warm_shift, largest, brightest[0][1]))
    progress.finish()
    return tuple(courses), tuple(singles) if affordable else None


def excited_emitters(made: Assembly, emitters: Emitters, rng: np.random.Generator) -> np.ndarray:
    """Who is excited in one draw."""
    told = made.file.excitation
    if told.kind == "random":
        return np.flatnonzero(rng.random(len(emitters)) < float(told.fraction or 0.0))
    return np.arange(len(emitters))


def _kept_draw(
    made: Assembly, emitters: Emitters, excited: np.ndarray, screening: float, draw: int, pieces: Pieces
) -> Emission:
    return kept_emission(
        pieces, EMISSION, made.times, lambda: _one(made, emitters, excited, screening, draw, pieces)
    )


def _one(
    made: Assembly, emitters: Emitters, excited: np.ndarray, screening: float, draw: int, pieces: Pieces
) -> Emission:
    file = made.file
    state = "symmetric single excitation" if file.excitation.kind in ("single", "driven") else "listed"
    if state == "listed" and not len(excited):
        zero = np.zeros(len(made.times))
        return Emission("none excited", "exact", made.times, zero, zero, zero, None)
    if state == "listed" and len(excited) == len(emitters):
        state = "all excited"
    case = BurstCase(
        file.name, emitters, made.dephasing, file.emitters.nonradiative, state, excited, made.times, screening
    )
    found = _phased(made, case, pieces)
    if found is not None:
        return found
    seed = int(np.random.SeedSequence((file.sampling.seed, draw, 7)).generate_state(1)[0])
    return burst(
        case, file.sampling.method, trajectories=file.sampling.trajectories, seed=seed, pieces=pieces
    )


def _phased(made: Assembly, case: BurstCase, pieces: Pieces) -> Emission | None:
    """Emission of a start with the phase of light, None where the file asks for none."""
    told = made.file.excitation
    if told.direction is None:
        return None
    direction = unit_direction(told.direction)
    amplitudes = phased_amplitudes(case.emitters, direction)
    if told.kind == "single" and len(case.emitters) > MOST_DENSE:
        return on_lattice(case, amplitudes, pieces=pieces)
    between = couplings(case.emitters, screening=case.screening)
    if told.kind == "single":
        return single_excitation_emission(
            between, amplitudes, case.times, dephasing=case.dephasing, loss=case.loss
        )
    density = phased_density(case.emitters, direction, float(told.pulse_area or 0.0))
    return density_emission(between, density, case.times, dephasing=case.dephasing, loss=case.loss)


def unit_direction(direction: Sequence[float]) -> FloatArray:
    """A direction of any length as one of length 1."""
    found = np.asarray(direction, dtype=float)
    return np.asarray(found / np.linalg.norm(found))


def _single(
    made: Assembly, emitters: Emitters, screening: float, pieces: Pieces
) -> tuple[list[float], tuple[FloatArray, FloatArray]]:
    def solved() -> dict[str, FloatArray]:
        between = couplings(emitters, screening=screening)
        rates, shifts, _ = modes(between)
        rate, energy = thermal_single(between, made.file.emitters.temperature, made.unit_mev)
        middle = float(np.mean(between.detuning))
        largest = float(np.max(np.abs(between.shift), initial=0.0))
        told = [float(rates[0]), float(shifts[0]) - middle, rate, energy - middle, largest]
        return {"told": np.array(told), "rates": rates, "shifts": shifts}

    n = len(emitters)
    found = pieces.arrays("modes", {"told": 5, "rates": n, "shifts": n}, solved)
    return found["told"].tolist(), (found["rates"], found["shifts"])


def _course(screening: float, found: Sequence[Emission], reason: str | None, times: FloatArray) -> Course:
    nothing = np.zeros(0)
    if reason is not None or not found:
        return Course(screening, (), (), nothing, nothing, nothing, nothing, reason=reason or "no draw")
    rates = np.stack([one.photon_rate for one in found])
    sigma = np.stack([one.sigma for one in found])
    draws = len(found)
    between = rates.var(axis=0, ddof=1) if draws > 1 else np.zeros(rates.shape[1])
    ends = [(one.low, one.high) for one in found]
    low = high = excited_low = excited_high = None
    if any(one is not None for one, _ in ends):
        # a draw that was solved without a bracket has two equal ends
        low = np.mean([one.photon_rate if one.low is None else one.low for one in found], axis=0)
        high = np.mean([one.photon_rate if one.high is None else one.high for one in found], axis=0)
        excited_low = np.mean(
            [one.excited if one.excited_low is None else one.excited_low for one in found], axis=0
        )
        excited_high = np.mean(
            [one.excited if one.excited_high is None else one.excited_high for one in found], axis=0
        )
    places = [peak_of(times, one) for one in rates]
    g2 = [one.g2_zero for one in found if one.g2_zero is not None]
    balance = [one.imbalance for one in found if one.imbalance is not None]
    return Course(
        screening,
        tuple(sorted({one.method for one in found})),
        tuple(sorted({one.validity for one in found})),
        rates.mean(axis=0), np.mean([one.excited for one in found], axis=0),
        np.sqrt(np.maximum(between - np.mean(sigma**2, axis=0), 0.0)),
        np.sqrt(np.sum(sigma**2, axis=0)) / draws, low, high,
        np.array([one[1] for one in places]), np.array([one[0] for one in places]),
        float(np.mean(g2)) if g2 else None, None, max(balance) if balance else None,
        tuple(dict.fromkeys(note for one in found for note in one.notes)),
        excited_low, excited_high,
    )  # fmt: skip


def peak_of(times: FloatArray, rate: FloatArray) -> tuple[float, float]:
    """Time and height of the largest rate, by the parabola through three points about it."""
    k = int(np.argmax(rate))
    if k == 0 or k == len(rate) - 1:
        return float(times[k]), float(rate[k])
    left, middle, right = rate[k - 1 : k + 2]
    bend = left - 2.0 * middle + right
    if bend >= 0.0:
        return float(times[k]), float(middle)
    offset = 0.5 * (left - right) / bend
    step = float(times[k + 1] - times[k])
    return float(times[k] + offset * step), float(middle - 0.25 * (left - right) * offset)


def without(disorder: Disorder, name: str) -> Disorder:
    """The same disorder with one kind switched off."""
    return replace(disorder, **{name: 0.0})
