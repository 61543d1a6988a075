"""Emission of a case by the method that fits it, with the reason; a bracket where none is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from perolux.collective.blocks import blocks, product_state, symmetric_single
from perolux.collective.case import BurstCase
from perolux.collective.couplings import ComplexArray, Couplings, Emitters, FloatArray, couplings
from perolux.collective.cumulants import cumulant_emission
from perolux.collective.diffusion import diffusion_emission
from perolux.collective.eigenstate_rates import eigenstate_emission
from perolux.collective.elongated import maxwell_bloch_emission
from perolux.collective.envelope import envelope
from perolux.collective.kept import kept_emission
from perolux.collective.ladder import ladder_emission
from perolux.collective.lattice_excitation import grid_spacing, lattice_couplings, lattice_emission
from perolux.collective.master_equation import exact_emission
from perolux.collective.rows import Emission
from perolux.collective.single_excitation import MOST_DENSE, single_excitation_emission
from perolux.collective.stepped_trajectories import stepped_seconds
from perolux.collective.trajectories import trajectory_emission
from perolux.collective.wigner import wigner_emission
from perolux.errors import ConvergenceError, ModelRangeError, NotAvailableError, OptionError
from perolux.pieces import Pieces, nothing_kept
from perolux.progress import Progress, silent

__all__ = ["METHODS", "REACH", "burst", "chosen_method", "on_lattice", "turns"]

METHODS = (
    "auto",
    "exact",
    "trajectories",
    "eigenstate-rates",
    "ladder",
    "wigner",
    "cumulant",
    "diffusion",
    "single-excitation",
    "maxwell-bloch",
    "bracket",
)
REACH: dict[str, tuple[int, str]] = {
    "exact": (11, "seconds at 8, minutes at 10"),
    "eigenstate-rates": (11, "minutes at 11"),
    "trajectories": (
        16,
        "1000 of 12 in half a minute, above it minutes for the burst and hours for the tail",
    ),
    "ladder": (16, "full inversion with strong shifts, 3 minutes at 16 for the burst, 10 for the tail"),
    "bracket": (500, "an envelope, minutes at 100"),
    "cumulant": (500, "not validated with near fields, seconds at 100"),
    "diffusion": (1000, "not validated, minutes at 500"),
    "wigner": (10_000, "validated for shifts below Gamma, a minute at 512, a quarter of an hour at 8000"),
}
"""Most emitters of each method that has a limit, and what they cost."""
_EXACT_WITH_SHIFTS, _EXACT_WITHOUT = 7, 9
_TRAJECTORIES, _STEPPED = 12, 16
# a minute for 1000; five where nothing but an envelope would be told
_STEPPED_S, _STEPPED_PARTIAL_S = 0.06, 0.3
_STRONG_DEPHASING = 100.0
_MOST_SHOTS = 1000
_MOST_DIFFUSION = 200
# 0.4 s at 6, 1.3 s at 7
_EXACT_HOWEVER_FAST, _TURNS = 5, 1e4
# shifts over the number of emitters, a bound of the collective rates: 17 in the cases that were checked
_FAR_ABOVE = 10.0


def turns(between: Couplings, times: FloatArray) -> float:
    """How far phases run up to the last time, rad: what the master equation must follow step by step."""
    field = float(np.max(np.sum(np.abs(between.shift), axis=1), initial=0.0))
    return float(times[-1]) * (2.0 * field + float(np.ptp(between.detuning)))


def chosen_method(case: BurstCase, between: Couplings) -> tuple[str, str]:
    """The method for a case, and why. Raises `NotAvailableError` where none is validated."""
    n = len(between)
    shift = float(np.max(np.abs(between.shift), initial=0.0))
    if _single(case):
        return "single-excitation", "one excitation: its equation is closed"
    plain = shift == 0.0 and not np.any(between.detuning)
    slow = n > _EXACT_HOWEVER_FAST and turns(between, case.times) > _TURNS
    if n <= (_EXACT_WITHOUT if plain else _EXACT_WITH_SHIFTS) and not slow:
        return "exact", f"{n} emitters: the master equation is affordable"
    if n <= _TRAJECTORIES:
        return "trajectories", f"{n} emitters: unbiased quantum jumps"
    whole = len(case.excited) == n
    patience = _STEPPED_S if whole else _STEPPED_PARTIAL_S
    near, excited = n <= _STEPPED and shift > 1.0, len(case.excited)
    if near and stepped_seconds(between, float(case.times[-1]), excited) < patience:
        few = "early times" if whole else f"{excited} excitations"
        return "trajectories", f"{n} emitters and {few}: unbiased quantum jumps"
    if shift <= 1.0 and whole:
        return "wigner", f"largest shift {shift:.2g} Gamma: the burst to 1.5 % and 3 sigma"
    if case.dephasing >= _STRONG_DEPHASING and n <= 500:
        return "cumulant", f"dephasing of {case.dephasing:g} Gamma: pairs are enough"
    if whole and n <= _STEPPED and shift >= _FAR_ABOVE * n:
        return "ladder", (
            f"{n} emitters with shifts far above the rates: number and energy; --method trajectories is "
            "unbiased, and slow at late times"
        )
    if whole and n <= 500:
        return "bracket", (
            f"{n} emitters with shifts up to {shift:.3g} Gamma: no method is validated; low is truncated "
            "Wigner, high second-order cumulants, between which the burst height lay in all known cases "
            "up to 27 emitters"
        )
    if n <= 500:
        return (
            "bracket",
            f"{len(case.excited)} of {n} emitters excited: no method is validated, envelope alone"
            + ("; --method trajectories is unbiased, and slow at late times" if n <= _STEPPED else ""),
        )
    raise NotAvailableError(
        f"no validated method for {len(case.excited)} of {n} emitters excited with shifts up to {shift:.3g} "
        "Gamma",
        allowed="up to 16 emitters exactly; one excitation; envelopes up to 500",
        fix="name a method (--method wigner, cumulant) to see what it gives, unvalidated",
    )


def _single(case: BurstCase) -> bool:
    return case.initial_state == "symmetric single excitation" or len(case.excited) <= 1


def on_lattice(
    case: BurstCase,
    amplitudes: ComplexArray,
    progress: Progress = silent,
    pieces: Pieces = nothing_kept,
) -> Emission:
    """One excitation with the amplitudes (N,), norm 1, among more emitters than dense matrices allow: on the
    points of a lattice. Raises `NotAvailableError` with dephasing, `InputError` off the points."""
    if case.dephasing > 0.0:
        raise NotAvailableError(
            f"one excitation with dephasing among {len(case.emitters)} emitters", allowed="up to 400"
        )
    spacing = grid_spacing(case.emitters)
    between = lattice_couplings(case.emitters, spacing, screening=case.screening)
    return lattice_emission(between, amplitudes, case.times, loss=case.loss, progress=progress, pieces=pieces)


def burst(
    case: BurstCase,
    method: str = "auto",
    *,
    trajectories: int = 1000,
    seed: int = 0,
    progress: Progress = silent,
    pieces: Pieces = nothing_kept,
) -> Emission:
    """Photon rate and population of a case. method: one of `METHODS`. pieces: where batches of trajectories
    are kept, so that a killed run continues with the same numbers."""
    if method not in METHODS:
        raise OptionError(f"no method {method!r}", where="--method", allowed=", ".join(METHODS))
    if method == "maxwell-bloch":
        # no matrix of pairs: elongated assemblies have more emitters than one holds
        return _elongated(case, trajectories, seed)
    if method in ("auto", "single-excitation") and _single(case) and len(case.emitters) > MOST_DENSE:
        return on_lattice(case, _amplitudes(case), progress, pieces)
    _check_reach(method, len(case.emitters))
    between = couplings(case.emitters, screening=case.screening)
    why = "asked for"
    if method == "auto":
        method, why = chosen_method(case, between)
    found = _run(case, between, method, trajectories, seed, progress, pieces)
    return replace(
        found,
        validity=f"{found.validity} (chosen: {why})",
        notes=(*found.notes, *_too_far_apart(case.emitters)),
    )


def _check_reach(method: str, emitters: int) -> None:
    """Raises `ModelRangeError` with the methods that can, where one is asked for more than it can."""
    most, cost = REACH.get(method, (emitters, ""))
    if emitters > most:
        able = [f"{name} ({words}, to {to})" for name, (to, words) in REACH.items() if to >= emitters]
        raise ModelRangeError(
            f"{method} of {emitters} emitters",
            where="--method",
            allowed=f"up to {most} ({cost})",
            fix="; ".join([*able, "one excitation: single-excitation, to 1e5 on a lattice"]),
        )


def _too_far_apart(emitters: Emitters) -> tuple[str, ...]:
    """A note where neighbours are further apart than a wavelength: units are often the reason."""
    places = emitters.positions_nm
    if len(places) < 2:
        return ()
    nearest = float(cKDTree(places).query(places, k=2)[0][:, 1].min())
    wavelength = emitters.wavelength_nm / emitters.index
    if nearest <= wavelength:
        return ()
    return (
        f"nearest neighbours are {nearest:.4g} nm apart, the wavelength in the medium is {wavelength:.4g} "
        "nm: emitters radiate nearly alone; check the units",
    )


def _run(
    case: BurstCase,
    between: Couplings,
    method: str,
    trajectories: int,
    seed: int,
    progress: Progress,
    pieces: Pieces,
) -> Emission:
    rates = {"dephasing": case.dephasing, "loss": case.loss}
    rng = np.random.default_rng(seed)
    symmetric = case.initial_state == "symmetric single excitation"
    if symmetric and method in ("wigner", "cumulant", "diffusion", "bracket"):
        raise OptionError(
            f"{method} starts from product states", where="--method", fix="single-excitation or exact"
        )
    if method == "single-excitation":
        return single_excitation_emission(between, _amplitudes(case), case.times, **rates)
    if method in ("wigner", "diffusion"):
        run = wigner_emission if method == "wigner" else diffusion_emission
        return run(
            between, case.excited, case.times, trajectories=trajectories, rng=rng, progress=progress,
            pieces=pieces, **rates,
        )  # fmt: skip
    if method == "cumulant":
        return cumulant_emission(between, case.excited, case.times, progress=progress, **rates)
    if method == "bracket":
        return _bracket(case, between, trajectories, rng, progress, pieces)
    if method == "ladder":
        if len(case.excited) != len(between) or symmetric:
            raise OptionError(
                "the ladder starts from full inversion", where="--method", fix="trajectories, to 16 emitters"
            )
        return ladder_emission(
            between, case.times, dephasing=case.dephasing, loss=case.loss, progress=progress
        )
    start = _start(case)
    if method == "exact":
        return exact_emission(between, start, case.times, **rates)
    if method == "eigenstate-rates":
        return eigenstate_emission(between, start, case.times, **rates)
    return trajectory_emission(
        between, start, case.times, trajectories=trajectories, rng=rng, progress=progress, pieces=pieces,
        **rates,
    )  # fmt: skip


def _bracket(
    case: BurstCase,
    between: Couplings,
    trajectories: int,
    rng: np.random.Generator,
    progress: Progress,
    pieces: Pieces,
) -> Emission:
    """Wigner and cumulants, product-state diffusion as the third value, and the calibrated envelope of
    them."""
    rates = {"dephasing": case.dephasing, "loss": case.loss}
    excited, times = case.excited, case.times
    fewer = min(trajectories, _MOST_DIFFUSION)
    # batches are kept and not the whole: diffusion goes on with the generator where Wigner left it
    low = wigner_emission(
        between, excited, times, trajectories=trajectories, rng=rng, progress=progress,
        pieces=pieces.part("wigner"), **rates,
    )  # fmt: skip
    several, left_out = [low], ""
    try:
        several.append(
            kept_emission(
                pieces,
                "cumulants",
                times,
                lambda: cumulant_emission(between, excited, times, progress=progress, **rates),
            )
        )
    except ConvergenceError:
        left_out = "; cumulants run away and are left out"
    several.append(
        diffusion_emission(
            between,
            excited,
            times,
            trajectories=fewer,
            rng=rng,
            progress=progress,
            pieces=pieces.part("diffusion"),
            **rates,
        )
    )
    wide = envelope(several, len(excited), len(between))
    told = ", ".join(f"{one.method} {float(np.max(one.photon_rate)):.4g}" for one in several)
    return replace(
        low, method="bracket",
        validity="a bracket, not a result: truncated Wigner, second-order cumulants and product-state "
        "diffusion, " + wide.sentence,
        low=wide.low, high=wide.high, excited_low=wide.excited_low, excited_high=wide.excited_high,
        notes=(*low.notes, f"largest photon rate (Gamma): {told}{left_out}"),
    )  # fmt: skip


def _elongated(case: BurstCase, trajectories: int, seed: int) -> Emission:
    if case.initial_state == "symmetric single excitation" or len(case.excited) != len(case.emitters):
        raise OptionError(
            "maxwell-bloch starts from full inversion", where="--method", fix="single-excitation"
        )
    found = maxwell_bloch_emission(
        case.emitters, case.times, shots=min(trajectories, _MOST_SHOTS), rng=np.random.default_rng(seed),
        dephasing=case.dephasing, loss=case.loss,
    )  # fmt: skip
    return replace(found, validity=f"{found.validity} (chosen: asked for)")


def _start(case: BurstCase) -> tuple[int, ComplexArray]:
    of = blocks(len(case.emitters))
    if case.initial_state == "symmetric single excitation":
        return symmetric_single(of)
    return product_state(of, case.excited)


def _amplitudes(case: BurstCase) -> ComplexArray:
    n = len(case.emitters)
    if case.initial_state == "symmetric single excitation":
        return np.full(n, 1.0 / np.sqrt(n), dtype=complex)
    if len(case.excited) != 1:
        raise OptionError(
            f"{len(case.excited)} excitations", where="--method", allowed="one, for single-excitation"
        )
    amplitudes = np.zeros(n, dtype=complex)
    amplitudes[case.excited[0]] = 1.0
    return amplitudes
