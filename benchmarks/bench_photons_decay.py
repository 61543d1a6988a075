"""Ten thousand biexponential reconvolutions, and one decay with its intervals, beside lmfit; ten thousand
distributions of lifetimes beside expectation maximisation."""

from __future__ import annotations

import math
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.timing import median_cpu, row
from perolux.files import example_path
from perolux.fitting import poisson_deviance_residuals
from perolux.measured import read_decay
from perolux.photons.decay_batch import fit_decays_batch
from perolux.photons.decay_distribution import fit_distribution
from perolux.photons.decay_fit import fit_decay, make_histogram
from perolux.photons.decay_models import exponential_columns
from perolux.photons.decay_record import analyse_decay
from perolux.photons.distribution_batch import fit_smooth_batch
from perolux.photons.distribution_grid import grid_of, tabulate
from perolux.photons.distribution_likely import fit_distributions_batch
from perolux.photons.distribution_smooth import basis_of, curvature_fit, entropy_fit
from perolux.photons.instrument_response import GaussianResponse

BINS, BIN_NS, DECAYS, BY_PEER = 1024, 50 / 1024, 10_000, 40
RESPONSE = GaussianResponse(0.15 / (2 * math.sqrt(2 * math.log(2))), 2.0)
TRUTH_NS = np.array([2.0, 9.0])


def run() -> list[dict[str, Any]]:
    """Batch, single fits, and the whole analysis of a recorded decay."""
    columns, slopes, _ = exponential_columns(TRUTH_NS, BINS, BIN_NS, RESPONSE)
    area = 4750 * np.array([0.4, 0.6]) / columns.sum(axis=0)
    mean = columns @ area + 250 / BINS
    jacobian = np.column_stack([slopes * area, columns, np.ones(BINS)])
    bound = np.sqrt(np.diag(np.linalg.inv(jacobian.T @ (jacobian / mean[:, None])))[:2]) * TRUTH_NS
    counts = np.random.default_rng(0).poisson(mean, size=(DECAYS, BINS))
    found = fit_decays_batch(counts, BIN_NS, exponentials=2, irf=RESPONSE)
    middle, spread = np.median(found.lifetimes_ns, axis=0), found.lifetimes_ns.std(axis=0)
    accuracy = (
        f"medians {middle[0]:.3f}, {middle[1]:.3f} ns; scatter {spread[0]:.3f}, {spread[1]:.3f} ns "
        f"(Cramer-Rao {bound[0]:.3f}, {bound[1]:.3f} ns)"
    )
    few, peer_seconds, note = counts[:BY_PEER], None, "lmfit is not installed"
    if find_spec("lmfit"):
        seconds = median_cpu(lambda: [_by_lmfit(one) for one in few], repeats=1, warm_up=0)
        peer_seconds = seconds * DECAYS / BY_PEER
        theirs = np.array([_by_lmfit(one) for one in few])
        apart = np.max(np.abs(theirs / found.lifetimes_ns[:BY_PEER] - 1))
        note = f"lmfit: {BY_PEER} decays, scaled; lifetimes of both differ by {apart:.1e} at most"
    batch = median_cpu(lambda: fit_decays_batch(counts, BIN_NS, exponentials=2, irf=RESPONSE), repeats=3)
    single = median_cpu(
        lambda: [
            fit_decay(one, BIN_NS, irf=RESPONSE, exponentials=2, free_shift=False, intervals=False)
            for one in few[:10]
        ],
        repeats=3,
    )
    record = read_decay(example_path("single_dot") / "corr_unseg.txt")
    return [
        row(
            "10000 biexponential reconvolutions, Poisson",
            batch,
            peer="lmfit, deviance residuals",
            peer_seconds=peer_seconds,
            accuracy=accuracy,
            note=note,
        ),
        row("10 of them one by one, searched from a grid", single),
        row(
            "a dot's decay: 1 to 4 exponentials with profile intervals",
            median_cpu(lambda: analyse_decay(record), repeats=3),
        ),
        *_distributions(counts, area),
        *smooth_rows(counts[:2000]),
    ]


def _distributions(counts: npt.NDArray[np.int64], photons: npt.NDArray[np.float64]) -> list[dict[str, Any]]:
    """Distributions of 60 lifetimes: all decays to the proven maximum; 500 by 100 steps of expectation
    maximisation in NumPy, scaled; one decay by three methods with intervals."""
    found = fit_distributions_batch(counts, BIN_NS, irf=RESPONSE)
    seconds = median_cpu(lambda: fit_distributions_batch(counts, BIN_NS, irf=RESPONSE), repeats=3)
    few = 500
    h = make_histogram(counts[0], BIN_NS, irf=RESPONSE)
    problem = tabulate(h, grid_of(h))
    n = counts[:few].astype(float)
    a = _by_expectation_maximisation(n, problem.columns)
    peer = median_cpu(lambda: _by_expectation_maximisation(n, problem.columns), repeats=1, warm_up=0)
    m = a @ problem.columns.T
    missing = np.sum(m - n + n * np.log(np.where(n > 0, n, 1) / m), axis=1) - found.deviance[:few] / 2
    light = a[:, :-1] / problem.unit[:-1]
    theirs = np.median(light @ problem.tau_ns / light.sum(axis=1))
    ours = np.median(found.average_intensity_ns)
    true = float(photons @ TRUTH_NS / photons.sum())
    accuracy = (
        f"all {int(found.converged.sum())} converged, ln L within {found.gap.max():.1e} of its maximum; "
        "median "
        f"intensity-weighted average {ours:.2f} ns ({true:.2f} true)"
    )
    note = (
        f"peer: {few} decays, scaled; its ln L is {np.median(missing):.2f} below the maximum (median), its "
        "average "
        f"{theirs:.2f} ns"
    )
    single = h.counts[h.used]
    return [
        row(
            "10000 distributions of 60 lifetimes, greatest likelihood",
            seconds,
            peer="100 steps of expectation maximisation, NumPy",
            peer_seconds=peer * len(counts) / few,
            accuracy=accuracy,
            note=note,
        ),
        row(
            "one distribution by three methods, 100 resamples each",
            median_cpu(
                lambda: fit_distribution(make_histogram(single, BIN_NS, irf=RESPONSE)), repeats=1, warm_up=0
            ),
        ),
    ]


def smooth_rows(counts: npt.NDArray[np.int64], alone: int = 20) -> list[dict[str, Any]]:
    """Smooth distributions of all decays, weight found once, beside a loop of single fits, scaled."""
    rows = []
    h = make_histogram(counts.sum(axis=0), BIN_NS, irf=RESPONSE)
    problem = tabulate(h, grid_of(h))
    basis, k = basis_of(problem), len(problem.tau_ns)
    for method, fit in (("entropy", entropy_fit), ("curvature", curvature_fit)):
        found = fit_smooth_batch(counts, BIN_NS, irf=RESPONSE, method=method)
        weights = found.weight_times_photons / counts.sum(axis=1)

        def loop(fit: Any = fit, weights: Any = weights) -> list[npt.NDArray[np.float64]]:
            return [
                fit(replace(problem, counts=counts[i].astype(float)), basis, weights[i]) for i in range(alone)
            ]

        theirs = np.array(loop())[:, :k] / problem.unit[:k]
        apart = np.max(np.abs(found.photons[:alone] - theirs) / theirs.max(axis=1, keepdims=True))
        seconds = median_cpu(
            lambda method=method: fit_smooth_batch(counts, BIN_NS, irf=RESPONSE, method=method), repeats=1
        )
        rows.append(
            row(
                f"{len(counts)} distributions of 60 lifetimes, {method}",
                seconds,
                peer="the same fits one by one, NumPy",
                peer_seconds=median_cpu(loop, repeats=1, warm_up=0) * len(counts) / alone,
                accuracy=f"{int(found.converged.sum())} converged; both differ by {apart:.1e} of the peak",
                note=f"peer: {alone} decays, scaled; the search for the weight is in the batch only",
            )
        )
    return rows


def _by_expectation_maximisation(
    n: npt.NDArray[np.float64], columns: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    a = np.repeat(n.sum(axis=1, keepdims=True) / columns.shape[1], columns.shape[1], axis=1)
    for _ in range(100):
        a *= (n / (a @ columns.T)) @ columns
    return a


def _by_lmfit(counts: npt.NDArray[np.int64]) -> list[float]:
    import lmfit
    from scipy.special import erfcx, ndtr

    edges = (np.arange(BINS + 1) * BIN_NS - RESPONSE.centre_ns) / RESPONSE.sigma_ns
    bell, step = 0.5 * np.exp(-0.5 * edges**2), ndtr(edges)

    def column(tau: float) -> npt.NDArray[np.float64]:
        s = RESPONSE.sigma_ns / tau
        z = (s - edges) / math.sqrt(2)
        late = np.exp(0.5 * s**2 - edges * s) - bell * erfcx(np.abs(z))
        return np.diff(step - np.where(z >= 0, bell * erfcx(np.abs(z)), late))

    def residual(p: Any) -> npt.NDArray[np.float64]:
        m = p["n1"] * column(p["t1"].value) + p["n2"] * column(p["t2"].value) + p["b"]
        return poisson_deviance_residuals(counts, m)

    p = lmfit.Parameters()
    p.add("t1", 1.5, min=0.05, max=5)
    p.add("t2", 7.0, min=4, max=100)
    p.add("n1", 2000.0, min=0)
    p.add("n2", 3000.0, min=0)
    p.add("b", 0.3, min=1e-6)
    found = lmfit.minimize(residual, p).params
    return sorted((found["t1"].value, found["t2"].value))
