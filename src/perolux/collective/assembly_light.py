"""What the light of an assembly is like: its spectrum and shift, its coherence, when it bunches, where it
goes.

Small assemblies (6 emitters, 5 with dephasing) exactly, by quantum regression; one excitation up to 400
emitters (1500 for the first draw alone). Beside the light of the start stands that of weak excitation: one of
the emitters at random, without phase. The difference of their means is the shift with excitation that dipoles
alone make.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from perolux.collective.assembly import Assembly, Course, draw_emitters, excited_emitters, unit_direction
from perolux.collective.blocks import blocks, product_state, symmetric_single
from perolux.collective.burst import turns
from perolux.collective.couplings import (
    ComplexArray,
    Couplings,
    Emitters,
    FloatArray,
    couplings,
    sphere_directions,
)
from perolux.collective.kept import LightOfDraw, kept_light
from perolux.collective.lines import Lines, joined_lines, ringing
from perolux.collective.master_equation import correlations
from perolux.collective.phased import LightCourse, light_course, phased_density
from perolux.collective.plane_waves import plane_wave_order, radiation_pattern
from perolux.collective.regression import density_of, regression
from perolux.collective.single_excitation import effective_hamiltonian
from perolux.collective.single_spectra import integrated_density, phased_amplitudes, single_spectrum
from perolux.errors import ConvergenceError
from perolux.pieces import Pieces, nothing_kept
from perolux.quantities.constants import HC_EV_NM, constant

__all__ = ["CUTS", "Light", "assembly_light"]

_EXACT, _EXACT_DEPHASED = 6, 5
_ALL_DRAWS, _FIRST_DRAW = 400, 1500
_BINS, _SHOWN = 240, 0.98
_ANGLES = 72
_MOST_TURNS = 2e4
CUTS = ("xy", "xz", "yz")


@dataclass(frozen=True)
class Light:
    """At one screening. lines, weak: of all light and of one excitation at random, one a draw. first,
    weak_first (draws,): mean frequency of the first light of both, in Gamma. course: against time in the
    first draw, None where not affordable. pattern (3, angles): photons per sr of all light in the planes of
    `CUTS`, mean of draws; directivity: largest in any direction over photons/(4 pi); brightest: that
    direction. reason: why there is none of all this."""

    screening: float
    method: str = ""
    lines: tuple[Lines, ...] = ()
    weak: tuple[Lines, ...] = ()
    first: FloatArray = field(default_factory=lambda: np.zeros(0))
    weak_first: FloatArray = field(default_factory=lambda: np.zeros(0))
    course: LightCourse | None = None
    pattern: FloatArray = field(default_factory=lambda: np.zeros((3, 0)))
    directivity: float = 0.0
    brightest: tuple[float, ...] = ()
    reason: str | None = None


def assembly_light(made: Assembly, pieces: Pieces = nothing_kept) -> tuple[Light, ...]:
    """The light of an assembly at each of its screenings; a reason where no exact method reaches. pieces:
    where the light of finished draws is kept."""
    return tuple(
        _of_screening(made, one, pieces.part(f"screening-{one!r}")) for one in made.file.sampling.screening
    )


def _of_screening(made: Assembly, screening: float, pieces: Pieces) -> Light:
    file, dephasing = made.file, made.dephasing
    single = file.excitation.kind == "single"
    most = (
        (_ALL_DRAWS if single else _EXACT)
        if dephasing == 0.0
        else (_ALL_DRAWS if single else _EXACT_DEPHASED)
    )
    draws = [draw_emitters(made, k) for k in range(file.sampling.disorder_draws)]
    largest = max(len(one) for one, _ in draws)
    if largest > most and single and dephasing == 0.0 and len(draws[0][0]) <= _FIRST_DRAW:
        draws, largest = draws[:1], most
    if largest > most:
        what = f"one excitation are computed up to {_FIRST_DRAW} emitters, with dephasing {_ALL_DRAWS}"
        what = (
            what
            if single
            else f"a burst are known exactly up to {_EXACT} emitters, with dephasing {_EXACT_DEPHASED}"
        )
        return Light(screening, reason=f"{largest} emitters: spectra of {what}")
    found: list[LightOfDraw] = []
    course = None
    for k, (emitters, rng) in enumerate(draws):
        start = None if single else _start(made, emitters, rng)
        if start is not None and not max(start):
            continue
        try:
            one = kept_light(
                pieces.part(f"draw-{k}"),
                len(made.times),
                partial(_of_draw, made, emitters, screening, start, with_course=course is None),
            )
        except ConvergenceError as error:
            return Light(screening, reason=error.problems[0].what)
        course = course or one.course
        found.append(one)
    if not found:
        return Light(screening, reason="nothing is excited")
    return Light(
        screening, "single-excitation" if single else "exact", tuple(one.lines for one in found),
        tuple(one.weak for one in found), np.array([one.first for one in found]),
        np.array([one.weak_first for one in found]), course, np.mean([one.pattern for one in found], axis=0),
        float(np.mean([one.directivity for one in found])), found[0].brightest,
    )  # fmt: skip


def _of_draw(
    made: Assembly,
    emitters: Emitters,
    screening: float,
    start: dict[int, ComplexArray] | None,
    *,
    with_course: bool,
) -> LightOfDraw:
    """Of one draw; start: density of a burst, None for one excitation. with_course: against time too, where
    that is affordable."""
    between = couplings(emitters, screening=screening)
    n, loss = len(between), made.file.emitters.nonradiative
    kinds = {"dephasing": made.dephasing, "loss": loss}
    any_one: ComplexArray = np.asarray(np.eye(n) / n, dtype=np.complex128)
    eigen = np.linalg.eig(effective_hamiltonian(between, loss))
    weak = single_spectrum(between, any_one, **kinds, eigen=eigen)
    course = None
    if start is None:
        amplitudes = _amplitudes(made, emitters)
        lines = single_spectrum(between, amplitudes, **kinds, eigen=eigen)
        first = _first_frequency(between, np.outer(amplitudes, amplitudes.conj()))
        over_time = integrated_density(between, amplitudes, **kinds, eigen=eigen).T
    else:
        ready = regression(between, max(start), **kinds)
        lines = ready.spectrum(start)
        over_time = correlations(n, ready.integrated(start))
        first = float(light_course(between, start, np.zeros(1), **kinds).frequency[0])
        if with_course and turns(between, made.times) < _MOST_TURNS:
            course = light_course(between, start, made.times, **kinds)
    pattern, directivity, brightest = _pattern(emitters, over_time)
    return LightOfDraw(
        lines, weak, first, _first_frequency(between, any_one), pattern, directivity, brightest, course
    )


def _first_frequency(between: Couplings, rho: ComplexArray) -> float:
    """Mean frequency of the first light of one excitation, Re Tr[Gamma H rho]/Tr[Gamma rho]."""
    moved = between.decay @ (between.shift + np.diag(between.detuning))
    return float(np.real(np.trace(moved @ rho)) / np.real(np.trace(between.decay @ rho)))


def _start(made: Assembly, emitters: Emitters, rng: np.random.Generator) -> dict[int, ComplexArray]:
    told = made.file.excitation
    if told.direction is not None:
        return phased_density(emitters, unit_direction(told.direction), float(told.pulse_area or 0.0))
    return density_of(product_state(blocks(len(emitters)), excited_emitters(made, emitters, rng)))


def _amplitudes(made: Assembly, emitters: Emitters) -> ComplexArray:
    told = made.file.excitation
    if told.direction is not None:
        return phased_amplitudes(emitters, unit_direction(told.direction))
    n = len(emitters)
    return symmetric_single(blocks(n))[1] if n == 1 else np.full(n, 1.0 / np.sqrt(n), dtype=complex)


def cut_directions(plane: str, angles: FloatArray) -> FloatArray:
    """Directions in a plane of two axes, from the first towards the second."""
    found = np.zeros((len(angles), 3))
    found[:, "xyz".index(plane[0])] = np.cos(angles)
    found[:, "xyz".index(plane[1])] = np.sin(angles)
    return found


def _pattern(emitters: Emitters, over_time: ComplexArray) -> tuple[FloatArray, float, tuple[float, ...]]:
    angles = 2.0 * np.pi * np.arange(_ANGLES) / _ANGLES
    cuts = np.stack([radiation_pattern(emitters, over_time, cut_directions(one, angles)) for one in CUTS])
    directions, weights = sphere_directions(min(plane_wave_order(emitters, 1e-3), 60))
    whole = radiation_pattern(emitters, over_time, directions)
    best = int(np.argmax(whole))
    mean = float(weights @ whole)
    return cuts, float(whole[best]) / mean, tuple(float(one) for one in directions[best])


def light_record(made: Assembly, light: Light, course: Course) -> dict[str, Any]:
    """Plain JSON of the light at one screening; missing is null with a reason."""
    rings = None
    if course.reason is None and course.low is None:
        told = ringing(made.times, course.rate, course.statistical)
        period = told["period"]
        rings = {
            "second": told["second"],
            "dip": told["dip"],
            "period_ps": None if period is None else period * made.lifetime_ps,
        }
    if light.reason is not None:
        return {"reason": light.reason, "ringing": rings}
    unit, ps = made.unit_mev, made.lifetime_ps
    own = 1.0 / (0.5 * (1.0 + made.file.emitters.nonradiative) + made.dephasing)
    mean, weak = (np.array([one.mean for one in kind]) for kind in (light.lines, light.weak))
    widths, narrow = (np.array([one.half_width() for one in kind]) for kind in (light.lines, light.weak))
    times, slow = (np.array([one.coherence_time for one in kind]) for kind in (light.lines, light.weak))
    edges, photons, weakly = binned(light)
    photon_j = HC_EV_NM / made.wavelength_nm * constant("elementary_charge_c")
    total = float(np.mean([one.photons for one in light.lines]))
    rate_per_s = 1e12 / ps
    found: dict[str, Any] = {
        "reason": None,
        "method": light.method,
        "draws": len(light.lines),
        "photons": total,
        "mean_shift_mev": spread(unit * mean),
        "width_mev": spread(unit * widths),
        "coherence_time_ps": spread(ps * times),
        "one_excitation": {
            "mean_shift_mev": spread(unit * weak),
            "width_mev": spread(unit * narrow),
            "coherence_time_ps": spread(ps * slow),
        },
        "first_light": {
            "mean_shift_mev": spread(unit * light.first),
            "one_excitation_mean_shift_mev": spread(unit * light.weak_first),
            "shift_with_excitation_mev": spread(unit * (light.first - light.weak_first)),
        },
        "shift_with_excitation_mev": spread(unit * (mean - weak)),
        "coherence_time_of_one_emitter_ps": ps * own,
        "what": "width: between the quarters of the photons (full width of a Lorentzian); coherence "
        "time: int |g1|^2 over all lags, T2 for one emitter; one_excitation: one at random, without phase; "
        "shifts are less the mean energy of the emitters. All light of a start without "
        "loss and dephasing carries its energy: a full inversion and one excitation at random give no mean "
        "shift; the first light does",
        "spectrum": {
            "energy_mev": [float(one) for one in unit * 0.5 * (edges[1:] + edges[:-1])],
            "photons": [float(one) for one in photons],
            "one_excitation_photons": [float(one) for one in weakly],
            "outside": total - float(np.sum(photons)),
        },
        "ringing": rings,
        "pattern": {
            "angle_deg": [float(one) for one in 360.0 * np.arange(_ANGLES) / _ANGLES],
            "photons_per_sr": {
                name: [float(v) for v in row] for name, row in zip(CUTS, light.pattern, strict=True)
            },
            "directivity": light.directivity,
            "brightest_direction": list(light.brightest),
            "w_per_sr_at_one_photon_per_lifetime": light.directivity / (4.0 * np.pi) * photon_j * rate_per_s,
            "peak_w_per_sr": None if course.reason is not None or course.low is not None
            else light.directivity / (4.0 * np.pi) * photon_j * rate_per_s * float(np.max(course.rate)),
        },
        "against_time": None,
    }  # fmt: skip
    if light.course is not None:
        found["against_time"] = [
            {
                "time_ps": float(t * ps),
                "mean_shift_mev": None if np.isnan(f) else float(unit * f),
                "g2": None if np.isnan(g) else float(g),
            }
            for t, f, g in zip(made.times, light.course.frequency, light.course.g2, strict=True)
        ]
    else:
        found["against_time_reason"] = (
            "one excitation has no pairs of photons" if light.method == "single-excitation"
            else "phases run too far by the last time"
        )  # fmt: skip
    return found


def binned(light: Light) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Edges of bins in Gamma about the middle 98 % of the light, photons in them, and those of one
    excitation."""
    ends = np.array([one.range_of(_SHOWN) for kind in (light.lines, light.weak) for one in kind])
    edges = np.linspace(float(ends[:, 0].min()), float(ends[:, 1].max()), _BINS + 1)
    return edges, joined_lines(list(light.lines)).binned(edges), joined_lines(list(light.weak)).binned(edges)


def spread(values: FloatArray) -> dict[str, float | None]:
    """Mean over draws, spread of the draws, standard error of the mean."""
    n = len(values)
    sd = float(np.std(values, ddof=1)) if n > 1 else None
    if sd is not None and sd < 1e-12 * (1.0 + abs(float(np.mean(values)))):
        sd = 0.0  # rounding alone
    return {
        "mean": float(np.mean(values)),
        "disorder_sd": sd,
        "standard_error": None if sd is None else sd / float(np.sqrt(n)),
    }
