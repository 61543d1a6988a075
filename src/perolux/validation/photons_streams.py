"""Functions of the rows in `photons_streams.toml`: changes of rate, dwell times, g2(0), correlations."""

from __future__ import annotations

from functools import cache

import numpy as np

from perolux.files import example_path
from perolux.measured.decays import read_decay
from perolux.measured.photon_stream import stream_of_arrays
from perolux.photons.change_points import change_points
from perolux.photons.continuous_g2 import fit_continuous_g2
from perolux.photons.correlation import PairHistogram, pairs
from perolux.photons.derived_record import DerivedRecord, analyse_derived
from perolux.photons.emitter import Emitter, Step, steady_g2
from perolux.photons.g2_tails import fit_tails
from perolux.photons.missed_dwells import seen_density
from perolux.photons.simulate import alternating_stream
from perolux.photons.third_order import g3_of_independent, g3_zero, triples_by_pulse

__all__ = ["alternating", "background_corrected", "dot_08", "flat_light", "merged_dwells", "steady_dip"]
__all__ += ["tails_of_the_dot", "third_order"]

_TOLERANCE_S = 2e-3


@cache
def _dot() -> DerivedRecord:
    return analyse_derived(example_path("single_dot"), period_ns=100.0)


def dot_08(quantity: str, lower_ms: float = 3.0) -> float:
    """A number of the derived files of the dot: counts, g2 by windows, dwell times from lower_ms."""
    found = _dot()
    if quantity == "photons":
        return float(sum(found.counts.values()))
    assert found.windows is not None and found.dwells is not None
    if quantity == "g2-windows":
        return found.windows.raw
    if quantity == "g2-windows-sigma":
        return found.windows.sigma
    if quantity == "flid":
        assert found.flid_correlation is not None
        return found.flid_correlation
    if quantity in ("exponent", "cut_off_s"):
        return next(row[quantity] for row in found.limits if abs(row["lower_s"] - 1e-3 * lower_ms) < 1e-9)
    if quantity == "pure-exponent":
        return found.dwells["power-law"].parameters["exponent"]
    return found.dwells.against_power_law[quantity]


@cache
def tails_of_the_dot(own_centre: bool = False) -> float:
    """g2(0) of the dot with the tails of all peaks modelled by two lifetimes."""
    decay = read_decay(example_path("single_dot") / "g2.txt")
    return fit_tails(decay.time_ns, decay.counts, period_ns=100.0, exponentials=2, own_centre=own_centre).g2


@cache
def _scores(seeds: int) -> tuple[float, float]:
    scores = []
    for k in range(seeds):
        made = alternating_stream(np.random.default_rng(k))
        found, true = change_points(made.time_s).change_s, made.changes_s
        near = [
            (abs(f - t), i, j)
            for i, f in enumerate(found)
            for j, t in enumerate(true)
            if abs(f - t) <= _TOLERANCE_S
        ]
        hits_found: set[int] = set()
        hits_true: set[int] = set()
        for _, i, j in sorted(near):
            if i not in hits_found and j not in hits_true:
                hits_found.add(i)
                hits_true.add(j)
        scores.append((len(hits_true) / len(true), len(hits_found) / max(len(found), 1)))
    recall, precision = np.mean(scores, axis=0)
    return float(recall), float(precision)


def alternating(quantity: str, seeds: int = 3) -> float:
    """Recall or precision of the search for changes on the alternating stream, mean over seeds 0, 1, ..."""
    recall, precision = _scores(seeds)
    return recall if quantity == "recall" else precision


def merged_dwells(t_s: float) -> float:
    """Density at t_s of exponential stays (20 ms) merged where every second one of 1 ms between them is
    missed."""
    density = seen_density(
        [t_s],
        ("exponential", {"mean_s": 0.02}),
        ("exponential", {"mean_s": 1e-3}),
        chance=lambda t: np.ones_like(t),
        other_chance=lambda t: np.full_like(t, 0.5),
        step_s=2.5e-5,
    )
    return float(density[0])


def flat_light() -> float:
    """Largest score of g2 - 1 in units of its counting error, 1e6 photons of steady light, 1 us window, 10
    ns bins."""
    rng = np.random.default_rng(8)
    tick = np.sort(rng.integers(0, 10**9, 1_000_000))
    stream = stream_of_arrays(tick, rng.integers(0, 2, len(tick)), macro_tick_ns=1.0, duration_s=1.0)
    g2, error = pairs(stream, window_ns=1000.0, width_ns=10.0).continuous_g2()
    return float(np.abs((g2 - 1) / error).max())


def background_corrected(measured: float, rho: float) -> float:
    """g2 without unrelated light of share 1 - rho of the counts."""
    return 1 - (1 - measured) / rho**2


def third_order(light: str) -> float:
    """g3(0, 0) of three equal emitters, or the score of unrelated light from 1."""
    if light == "three emitters":
        return g3_of_independent([1 / 3] * 3)[1]
    rng = np.random.default_rng(5)
    sync = np.repeat(np.arange(400_000), rng.poisson(0.15, 400_000))
    stream = stream_of_arrays(
        sync, rng.integers(0, 3, len(sync)), macro_tick_ns=100.0, sync_period_ns=100.0, duration_s=0.04
    )
    found = g3_zero(triples_by_pulse(stream))
    return abs(found.value - 1) / found.sigma


def steady_dip(quantity: str) -> float:
    """A number of the fit to the expected coincidences of a two-level emitter under steady light.

    "rate": 1/rise; "background": g2(0) after the correction, from an emitter of g2(0) 0.1 in four fifths of
    the light.
    """
    width = 0.5
    tau = np.asarray(width * np.arange(-200, 201), dtype=float)
    two = Emitter(("g", "x"), (Step("g", "x", 1.0, "pump"), Step("x", "g", 0.1, "emission", 1.0)))
    # the mean over a bin of the closed form, by its values on a fine grid
    fine = (tau[:, None] + width * (np.arange(64) + 0.5) / 64 - width / 2).ravel()
    shape = steady_g2(two, 0.05, fine).reshape(-1, 64).mean(axis=1)
    dark = (0.0, 0.0)
    if quantity == "background":
        shape = 1 - 0.8**2 * (1 - 0.1) * (1 - shape)
        dark = (2e5, 2e5)
    counts = np.rint(1e3 * width * shape).astype(np.int64)
    histogram = PairHistogram(tau, counts, width, (10**6, 10**6), 1.0)
    found = fit_continuous_g2(histogram, dark_cps=dark)
    return 1 / found.rise_ns if quantity == "rate" else found.corrected
