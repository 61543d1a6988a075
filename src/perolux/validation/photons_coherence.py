"""Functions of the rows in `photons_coherence.toml`: measured interference, PCFS, stored numbers of a dot."""

from __future__ import annotations

import numpy as np

from perolux.files import example_path
from perolux.measured.decays import read_table
from perolux.photons.derived_parts import read_autocorrelation, read_switching
from perolux.photons.hom import visibility
from perolux.photons.hom_shape import interference_share
from perolux.photons.pcfs_measured import PcfsMeasured, analyse_pcfs
from perolux.photons.pcfs_set import read_pcfs

__all__ = [
    "pcfs_example",
    "shape_against_convolution",
    "shape_against_visibility",
    "stored_law",
    "stored_line",
]


def shape_against_visibility(t2_ns: float, spread: float, gap: float, blur_ns: float) -> float:
    """|sum of the interference part over all bins - closed form of the visibility|, T1 = 0.3 ns."""
    edges = np.linspace(-12.0, 12.0, 481)
    share = interference_share(edges, 0.0, 0.3, t2_ns, spread=spread, beats=((gap, 1.0),), blur_ns=blur_ns)
    exact = visibility(
        300.0, 1e3 * t2_ns, detuning_rad_per_ps=1e-3 * gap, detuning_spread_rad_per_ps=1e-3 * spread
    )
    return abs(float(share.sum()) - float(exact))


def shape_against_convolution(t2_ns: float, spread: float, gap: float, blur_ns: float) -> float:
    """Largest difference in any bin from a convolution on a fine grid."""
    edges = np.linspace(-3.0, 3.0, 61)
    share = interference_share(edges, 0.0, 0.3, t2_ns, spread=spread, beats=((gap, 1.0),), blur_ns=blur_ns)
    t = np.linspace(-6.0, 6.0, 120_001)
    step = t[1] - t[0]
    bare = np.exp(-2 / t2_ns * np.abs(t) - (spread * t) ** 2 / 2) * np.cos(gap * t) / 0.6
    reach = np.arange(-round(8 * blur_ns / step), round(8 * blur_ns / step) + 1) * step
    kernel = np.exp(-((reach / blur_ns) ** 2) / 2)
    from scipy.signal import fftconvolve

    blurred = fftconvolve(bare, kernel / kernel.sum(), mode="same")
    area = np.concatenate([[0.0], np.cumsum(0.5 * (blurred[1:] + blurred[:-1]) * step)])
    return float(np.abs(np.diff(np.interp(edges, t, area)) - share).max())


def stored_line() -> float:
    """Exponent of the authors' line, made again from segments.csv."""
    folder = example_path("single_dot")
    length = np.asarray(read_table(folder / "segments.csv")["duration_ms"], dtype=float) * 1e-3
    found = read_switching(folder / "switchinghist.txt", length)
    assert found.exponent is not None
    return found.exponent


def stored_law(parameter: int) -> float:
    """A, B or C of the law of the autocorrelation, fitted again to the stored points."""
    return read_autocorrelation(example_path("single_dot") / "Houel_autocorr.txt", None).law[parameter]


def pcfs_example(quantity: str) -> float:
    """Distance from the truth of the shipped simulated set, in half widths of the 95 % interval."""
    found: PcfsMeasured = analyse_pcfs(read_pcfs(example_path("coherence_simulated") / "pcfs_pairs"))
    fit = found.fit
    value, ends, truth = {
        "t2": (fit.t2_ps, fit.t2_interval_ps, 66.0),
        "sd": (fit.diffusion_rad_per_ps, fit.diffusion_interval, 0.02),
        "time": (fit.diffusion_time_s or 0.0, fit.diffusion_time_interval_s, 1e-3),
    }[quantity]
    assert ends[0] is not None and ends[1] is not None
    return abs(value - truth) / (0.5 * (ends[1] - ends[0]))
