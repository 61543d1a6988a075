"""Functions of the rows in `photons_quantum.toml`: interference, coherence, the emitter and its streams."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

from perolux.excitons.assumptions import assumption
from perolux.excitons.crystal import nanocrystal
from perolux.excitons.light.dephasing import coherence, pure_dephasing_fwhm_ev
from perolux.excitons.light.rates import Levels
from perolux.materials.material import material
from perolux.photons.correlation import pairs
from perolux.photons.emitter import Emitter, Step, branching, pulse_counts, rate_matrix, stationary, steady_g2
from perolux.photons.emitter_stream import emitter_stream
from perolux.photons.hom import coherence_of_visibility, visibility
from perolux.photons.hom_peaks import Interferometer, correction, peak_areas
from perolux.photons.hom_wanted import cavity_for, enhancement_wanted, linewidth_uev
from perolux.photons.imaging import gaussian_width, simulate_scan
from perolux.photons.lindblad import jump, master, regression_g2
from perolux.photons.nanocrystal_emitter import EmitterNumbers, emitter_numbers, nanocrystal_emitter
from perolux.photons.pcfs import Line, envelope, fit_pcfs, simulate_record, transform
from perolux.photons.quantum_records import quantum_record
from perolux.photons.simulate import alternating_stream, simulate_stream
from perolux.validation.run import Computed

__all__ = [
    "alternating_changes",
    "antibunching_width",
    "behind_the_review",
    "bright_alone",
    "emitter_balance",
    "hom_against_two_times",
    "hom_correction",
    "hom_visibility",
    "large_crystal_visibility",
    "low_power_yields",
    "pcfs_envelope",
    "pcfs_width",
    "pulsed_stream_g2",
    "regression",
    "superbunching",
    "superbunching_limit",
    "t2_of_linewidth",
    "train_and_pair",
    "trion_coherence_time",
    "two_level",
    "walk_against_matrix",
    "wanted_enhancement",
    "wanted_quality",
]

FloatArray = npt.NDArray[np.float64]
_TAU_NS = np.linspace(0.0, 20.0, 41)
_HELIUM_K = 4.0


def hom_visibility(
    t1_ps: float, t2_ps: float, spread: float = 0.0, detuning: float = 0.0, gate_ps: float | None = None
) -> float:
    """Closed form of the visibility."""
    return float(
        visibility(
            t1_ps, t2_ps, detuning_rad_per_ps=detuning, detuning_spread_rad_per_ps=spread, gate_ps=gate_ps
        )
    )


def hom_two_times(
    t1_ps: float, t2_ps: float, detuning: float = 0.0, spread: float = 0.0, gate_ps: float | None = None
) -> float:
    """Visibility by quadrature over the times of both photons, Gauss-Legendre on panels.

    Detectors click at t and t + tau; the amplitudes of the two photons, one in each input, decay with T1; the
    phases diffuse by pure dephasing and differ by the detuning. V = 1 - parallel/orthogonal.
    """
    decay, pure = 1 / t1_ps, 1 / t2_ps - 1 / (2 * t1_ps)
    nodes, weights = np.polynomial.legendre.leggauss(24)
    longest = 60 * t1_ps
    panels = np.concatenate([np.linspace(0, t1_ps, 41), np.linspace(t1_ps, longest, 400)[1:]])

    def grid(ends: FloatArray) -> tuple[FloatArray, FloatArray]:
        half = np.diff(ends)[:, None] / 2
        return (ends[:-1, None] + half * (1 + nodes)).ravel(), (half * weights).ravel()

    first, weight = grid(panels)  # the earlier click
    late = (
        panels if gate_ps is None else np.unique(np.append(panels[panels < gate_ps], min(gate_ps, longest)))
    )
    delay, width = grid(late)
    parallel = orthogonal = 0.0
    for tau, share in zip(delay, width, strict=True):
        both = float(np.sum(weight * np.exp(-decay * first) * np.exp(-decay * (first + tau))))
        overlap = math.exp(-2 * pure * tau - (spread * tau) ** 2 / 2) * math.cos(detuning * tau)
        parallel += share * both * (1 - overlap)
        orthogonal += share * both
    return 1 - parallel / orthogonal


def hom_against_two_times(detuning: float = 0.0, spread: float = 0.0, gate_ps: float | None = None) -> float:
    """Closed form less quadrature, T1 = 100, T2 = 112 ps."""
    closed = hom_visibility(100.0, 112.0, spread, detuning, gate_ps)
    return abs(closed - hom_two_times(100.0, 112.0, detuning, spread, gate_ps))


def behind_the_review(quantity: str) -> float:
    """T2 and pure dephasing time behind a visibility of 0.56 at T1 = 100 ps."""
    found = coherence_of_visibility(100.0, 0.56)
    return found.t2_ps if quantity == "t2" else float(found.pure_dephasing_time_ps or math.inf)


def large_crystal_visibility() -> Computed:
    """T2/(2 T1) of large CsPbBr3 at 4 K, T1 = 90 ps, dephasing on record."""
    width = pure_dephasing_fwhm_ev(
        _HELIUM_K,
        assumption("acoustic_dephasing_ev_per_k").number,
        assumption("activated_dephasing_ev").number,
        material("CsPbBr3", _HELIUM_K).value("phonon_energy_1").number,
    )
    found = coherence(0.09, width)
    return Computed(float(found.indistinguishability), f"T2 = {1e3 * float(found.coherence_time_ns):.3g} ps")


def wanted_enhancement() -> float:
    """Enhancement of the decay at which 0.56 becomes 0.9, found by search."""
    return enhancement_wanted(100.0, 112.0, 0.9)


def wanted_quality() -> Computed:
    """Q at one cubic wavelength for it."""
    found = cavity_for(100.0, 112.0, 0.9, wavelength_nm=515.0)
    return Computed(found.quality or 0.0, f"4g/kappa = {found.coupling_over_loss:.3g}, {found.verdict}")


def t2_of_linewidth(fwhm_uev: float) -> float:
    """T2 in ps of a Lorentzian line, by the width of T2 = 1 ps."""
    return linewidth_uev(1.0) / fwhm_uev


def trion_coherence_time() -> Computed:
    """T2 in ps of the trion of an 8 nm CsPbI3 cube at 4 K: its lifetime and the acoustic record."""
    found = emitter_numbers(nanocrystal("CsPbI3", "cube", 8.0, "core-edge", temperature_k=_HELIUM_K))
    lifetime = 1.0 / (1.5 * float(found.levels.rate_per_ns[1]) + found.biexciton_auger_per_ns / 4)
    width = pure_dephasing_fwhm_ev(_HELIUM_K, assumption("acoustic_dephasing_ev_per_k").number)
    return Computed(
        1e3 * float(coherence(lifetime, width).coherence_time_ns), f"trion T1 = {1e3 * lifetime:.3g} ps"
    )


def hom_correction(reflect: float, transmit: float, short_share: float, g2: float, contrast: float) -> float:
    """Factor of a pulse pair, counted, over the form H7."""
    optics = Interferometer(reflect, transmit, short_share, contrast)
    form = (reflect**2 + transmit**2) / (2 * reflect * transmit) * (1 + 2 * g2) / contrast**2
    return correction("pulse pair", optics, g2_zero=g2).factor / form


def train_and_pair(quantity: str) -> float:
    """Areas of the train's middle and first side peak over distant ones; its factor over the pair's."""
    if quantity == "factor":
        train, pair = (correction(scheme, g2_zero=0.1).factor for scheme in ("train", "pulse pair"))
        return train / pair
    areas = peak_areas("train")
    return float(areas.area[areas.order == (0 if quantity == "middle" else 1)][0])


def two_level() -> float:
    """Largest error of g2 of a two-level emitter from 1 - exp(-(G + W) tau)."""
    emitter = Emitter(("g", "x"), (Step("g", "x", 1.0, "pump"), Step("x", "g", 0.3, "emission", 0.4)))
    return float(np.abs(steady_g2(emitter, 0.2, _TAU_NS) + np.expm1(-0.5 * _TAU_NS)).max())


def regression(rabi: float) -> float:
    """Largest error of g2 by quantum regression from the closed form of resonance fluorescence."""
    down = jump(2, 1, 0)
    system = master(rabi / 2 * (down + down.T), [(down, 1.0)])
    w = np.emath.sqrt(rabi**2 - 1 / 16)
    exact = 1 - np.exp(-0.75 * _TAU_NS) * (np.cos(w * _TAU_NS) + 0.75 / w * np.sin(w * _TAU_NS))
    return float(np.abs(regression_g2(system, down, _TAU_NS) - exact.real).max())


@cache
def _numbers() -> EmitterNumbers:
    return emitter_numbers(nanocrystal("CsPbBr3", "cube", 8.0, "core-edge", temperature_k=_HELIUM_K))


def _cold(auger: bool = True) -> tuple[Emitter, float]:
    """8 nm CsPbBr3 at 4 K with the records of cold transfer, and the bright rate."""
    found = _numbers()
    bright = float(found.levels.rate_per_ns[1])
    dark = quantum_record("cold_dark_rate_ratio").number
    levels = Levels.of(found.levels.energy_mev, [dark * bright, *found.levels.rate_per_ns[1:]])
    emitter = nanocrystal_emitter(
        levels,
        _HELIUM_K,
        one_phonon_per_ns=quantum_record("cold_transfer_ratio").number * bright,
        biexciton_auger_per_ns=found.biexciton_auger_per_ns if auger else 0.0,
    )
    return emitter, bright


def emitter_balance(quantity: str) -> float:
    """Largest violation by the whole model: column sums and branching, or negative populations after exp."""
    from scipy.linalg import expm

    found = _numbers()
    emitter = nanocrystal_emitter(
        found.levels, 20.0, one_phonon_per_ns=5.0, biexciton_auger_per_ns=40.0, ionised_share=0.1,
        neutralisation_per_ns=1e-4, trion_auger_per_ns=10.0, trapping_per_ns=0.2, release_per_ns=0.01,
        trap_loss_per_ns=0.01, exciton_loss_per_ns=0.1,
    )  # fmt: skip
    if quantity == "branching":
        return max(abs(sum(ways.values()) - 1) for ways in branching(emitter, 0.1).values())
    moved = [expm(t * rate_matrix(emitter, 0.1)) for t in (1e-3, 1.0, 1e3)]
    if quantity == "trace":
        return max(float(np.abs(one.sum(axis=0) - 1).max()) for one in moved)
    return max(0.0, *(-float(one.min()) for one in moved), -float(stationary(emitter, 0.1).min()))


def low_power_yields() -> float:
    """g2(0) of weak pulses over QY_BX/QY_X, bright levels alone, with Auger and losses."""
    levels = Levels.of([0.0, 2.0, 2.0, 2.0], [0.0, 1.0, 1.0, 1.0])
    emitter = nanocrystal_emitter(
        levels, _HELIUM_K, biexciton_auger_per_ns=9.0, exciton_loss_per_ns=0.25,
        filling=(0.0, 1 / 3, 1 / 3, 1 / 3), detected=0.1,
    )  # fmt: skip
    ratio = 3.0 / (3.0 + 9.0 + 0.5) / (1.0 / 1.25)
    return float(pulse_counts(emitter, 1e-6, 1e4).g2_zero or 0.0) / ratio


def superbunching(pump_over_rate: float, jitter_ps: float = 0.0) -> Computed:
    """g2(0) of the cold crystal under steady light; pump in units of the bright rate."""
    emitter, bright = _cold()
    value = float(steady_g2(emitter, pump_over_rate * bright, 0.0, jitter_ns=1e-3 * jitter_ps))
    still = stationary(emitter, pump_over_rate * bright)
    return Computed(
        value, f"bright rate {bright:.3g} 1/ns; the dark exciton holds {still[1]:.2g} of the time"
    )


def bright_alone() -> float:
    """g2(0) under weak light where no exciton is dark."""
    levels = Levels.of([0.0, 2.0, 2.0, 2.0], [0.0, 1.0, 1.0, 1.0])
    emitter = nanocrystal_emitter(levels, _HELIUM_K, filling=(0.0, 1 / 3, 1 / 3, 1 / 3))
    return float(steady_g2(emitter, 1e-6, 0.0))


def superbunching_limit() -> float:
    """g2(0) at low power over (bright rate x mean stay of an exciton)/(photons an exciton)^2, no Auger."""
    emitter, bright = _cold(auger=False)
    weak = 1e-8 * bright
    still = stationary(emitter, weak)
    stay = float(still[1:5].sum()) / weak
    photons = float(emitter.detections.sum(axis=0)[1:5] @ still[1:5]) / weak
    return float(steady_g2(emitter, weak, 0.0)) / (bright * stay / photons**2)


def walk_against_matrix() -> Computed:
    """Chi2 per bin of pairs of a walk, photon by photon, about g2 from the rate matrix."""
    levels = Levels.of([0.0, 2.0, 2.0, 2.0], [0.02, 1.0, 1.0, 1.0])
    emitter = nanocrystal_emitter(levels, _HELIUM_K, one_phonon_per_ns=2.0, biexciton_auger_per_ns=1.0)
    stream = emitter_stream(
        emitter, duration_s=0.01, rng=np.random.default_rng(0), pump_per_ns=0.01, tick_ns=0.004
    )
    found = pairs(stream, window_ns=10.0, width_ns=0.5)
    inside = found.tau_ns[:, None] + np.linspace(-0.25, 0.25, 21)
    mean = np.trapezoid(steady_g2(emitter, 0.01, inside), inside, axis=1)
    mean = mean * found.photons[0] * found.photons[1] / 1e7
    chi2 = float(np.mean((found.counts - mean) ** 2 / mean))
    return Computed(chi2, f"{found.counts.sum()} pairs, g2(0) = {float(steady_g2(emitter, 0.01, 0.0)):.3g}")


def pulsed_stream_g2(g2_zero: float) -> Computed:
    """(measured - true)/error of the middle peak's area over distant ones, of a simulated stream."""
    made = simulate_stream(
        [(2e5, 5.0)], duration_s=10.0, rng=np.random.default_rng(0), sync_period_ns=200.0, g2_zero=g2_zero
    )
    found = pairs(made.stream, window_ns=2100.0, width_ns=1.0)
    order = np.round(found.tau_ns / 200.0).astype(int)
    areas = np.array([found.counts[order == k].sum() for k in range(-10, 11)], dtype=float)
    side = float(np.delete(areas, 10).mean())
    value = float(areas[10]) / side
    error = math.sqrt(max(areas[10], 1.0)) / side + value / math.sqrt(20 * side)
    return Computed(abs(value - g2_zero) / error, f"g2(0) = {value:.4f}")


def alternating_changes() -> int:
    """True changes of the standard stream, seed 0."""
    return len(alternating_stream(0).changes_s)


def pcfs_width() -> float:
    """FWHM of the transform of E over that of the line, T2 = 66 ps."""
    delay, zeta = np.linspace(0.0, 700.0, 3501), np.linspace(-0.06, 0.06, 2401)
    p = transform(delay, envelope(Line(66.0), delay, 1e-6), zeta)
    above = zeta[p > p.max() / 2]
    return float(above[-1] - above[0]) / (2 / 66.0)


def pcfs_envelope() -> Computed:
    """T2 in ps of a simulated record of a line of 66 ps, fitted over all positions and lags."""
    record = simulate_record(
        Line(66.0), np.linspace(0.0, 120.0, 13), np.geomspace(1e-6, 1e-2, 9), np.random.default_rng(0),
        rate_cps=2e4, seconds=2.0,
    )  # fmt: skip
    found = fit_pcfs(record, diffusion=False)
    low, high = found.t2_interval_ps
    return Computed(found.t2_ps, f"95 %: {low:.5g} to {high:.5g} ps")


def antibunching_width() -> Computed:
    """Width of the image of missing pairs over that of the light, one emitter, g2 = 0.1."""
    x = np.linspace(-400.0, 400.0, 17)
    image = simulate_scan(
        x, 0.0, np.random.default_rng(0), spread_nm=120.0, photons=0.5, g2_zero=0.1, pulses=100_000
    )
    plain, _ = gaussian_width(x, image.singles, image.singles_error)
    sharp, error = gaussian_width(x, image.missing, image.missing_error)
    return Computed(sharp / plain, f"error {error / plain:.2g}")
