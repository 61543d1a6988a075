"""Benchmarks of the room `measured`: the antisolvent PL set, the first exciton of CdSe, a curved baseline.

One row per peer, both timed in the same run; reading files and importing peers is not timed. `accuracy` holds
the same score of both, and the note says of what; lower is better.
"""

from __future__ import annotations

import csv
import math
import statistics
import warnings
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.timing import median_cpu, row
from perolux.files import example_path
from perolux.measured import FileSource, Spectrum, read, reduce_absorption, reduce_pl
from perolux.measured.baseline import estimate_baseline
from perolux.quantities.constants import HC_EV_NM

Pairs = list[tuple[float | None, float | None]]


def run() -> list[dict[str, Any]]:
    """All rows: PL set, first exciton, curved baseline."""
    return [*_pl_set(), *_first_exciton(), *_baseline()]


def _against(
    name: str,
    peer: str,
    modules: tuple[str, ...],
    own: Callable[[], Any],
    theirs: Callable[[], Any],
    score: Callable[[Any], str],
    note: str,
    repeats: int = 5,
) -> dict[str, Any]:
    seconds = median_cpu(own)
    mine = f"perolux: {score(own())}"
    try:
        for module in modules:
            import_module(module)
    except ImportError as error:
        return row(name, seconds, peer=peer, accuracy=mine, note=f"{note}; peer not installed: {error.name}")
    peer_seconds = median_cpu(theirs, repeats, warm_up=min(1, repeats - 1))
    accuracy = f"{mine}; peer: {score(theirs())}"
    return row(name, seconds, peer=peer, peer_seconds=peer_seconds, accuracy=accuracy, note=note)


def _pl_set() -> Iterable[dict[str, Any]]:
    name = "pl set: 414 spectra to peak and width in eV"
    folder = example_path("antisolvent")
    spectra = list(read(folder / "spectra" / "spectra_counts_wide.csv", kind="pl"))
    with (folder / "reference_peak_width_recomputed.csv").open(encoding="utf-8") as file:
        table = {line["file"].removesuffix(".txt"): line for line in csv.DictReader(file)}
    truth = [table.get(s.label) for s in spectra]
    note = (
        "accuracy: median absolute deviation from the reference table with the Jacobian (224 samples; that "
        "table is model-free too, a pseudo-Voigt or a Gaussian is not), and spectra without a number"
    )

    def score(found: Pairs) -> str:
        peak, width, lost = [], [], 0
        for pair, line in zip(found, truth, strict=True):
            if pair[0] is None or pair[1] is None:
                lost += 1
            elif line is not None:
                peak.append(abs(1e3 * (pair[0] - float(line["peak_eV_jac"]))))
                width.append(abs(pair[1] - float(line["fwhm_meV_jac"])))
        return (
            f"peak {statistics.median(peak):.2f} meV, width {statistics.median(width):.2f} meV, lost {lost}"
        )

    def own() -> Pairs:
        return [(r.peak_ev, r.fwhm_mev) for r in map(reduce_pl, spectra)]

    peer = "lmfit pseudo-Voigt, one by one"
    yield _against(name, peer, ("lmfit.models",), own, lambda: _lmfit(spectra), score, note, repeats=1)
    peer = "lumispy to_eV and a Gaussian by multifit"
    modules = ("hyperspy.api", "lumispy")
    yield _against(name, peer, modules, own, lambda: _lumispy(spectra), score, note, repeats=1)


def _per_ev(spectrum: Spectrum) -> tuple[np.ndarray, np.ndarray]:
    level = np.median(np.r_[spectrum.values[:8], spectrum.values[-8:]])
    energy, density = Spectrum(
        spectrum.wavelength_nm, spectrum.values - level, spectrum.label, spectrum.source, "pl"
    ).per_ev()
    return energy, density / np.max(density)


def _lmfit(spectra: list[Spectrum]) -> Pairs:
    from lmfit.models import PseudoVoigtModel

    model = PseudoVoigtModel()
    out: Pairs = []
    for spectrum in spectra:
        energy, density = _per_ev(spectrum)
        fit = model.fit(density, model.guess(density, x=energy), x=energy)
        good = fit.success and energy[0] < fit.params["center"].value < energy[-1]
        values = fit.params["center"].value, 1e3 * fit.params["fwhm"].value
        out.append(values if good else (None, None))
    return out


def _lumispy(spectra: list[Spectrum]) -> Pairs:
    import hyperspy.api as hs
    import lumispy as lum

    hs.set_log_level("ERROR")
    hs.preferences.General.show_progressbar = False
    data = np.array([s.values - np.median(np.r_[s.values[:8], s.values[-8:]]) for s in spectra])
    signal = lum.signals.LumiSpectrum(data / np.max(data, axis=1, keepdims=True))
    axis = signal.axes_manager.signal_axes[0]
    axis.offset, axis.scale, axis.units = float(spectra[0].wavelength_nm[0]), 1.0, "nm"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        signal.to_eV(inplace=True, jacobian=True)
        signal.data /= np.max(signal.data, axis=1, keepdims=True)
        energy = signal.axes_manager.signal_axes[0].axis
        model = signal.create_model()
        line = hs.model.components1D.GaussianHF()
        model.append(line)
        for position, start in ((line.centre, energy[np.argmax(signal.data, axis=1)]), (line.fwhm, 0.1)):
            position.map["values"][:] = start
            position.map["is_set"][:] = True
        line.height.map["values"][:] = 1.0
        line.height.map["is_set"][:] = True
        model.multifit(iterpath="serpentine")
    pairs = zip(line.centre.map["values"], line.fwhm.map["values"], strict=True)
    return [
        (float(c), 1e3 * abs(float(w))) if energy.min() < c < energy.max() else (None, None) for c, w in pairs
    ]


def _first_exciton() -> Iterable[dict[str, Any]]:
    name = "first exciton: CdSe runs 2, 5, 7, 52 absorbances"
    folder = example_path("cdse_hot_injection")
    with (folder / "author_uvvis_peaks_nm.csv").open(encoding="utf-8") as file:
        rows = [line for line in csv.DictReader(file) if line["time_s"]]
    table = {(run, float(r["time_s"])): float(r[f"Run {run}"]) for run in (2, 5, 7) for r in rows}
    spectra = {
        (run, float(s.label.split()[0])): s
        for run in (2, 5, 7)
        for s in read(folder / f"run{run}_uv-vis.csv", kind="absorbance")
    }
    note = "accuracy: mean absolute deviation from the authors on run 2 (their first-exciton run), and lost"

    def score(found: dict[tuple[int, float], float | None]) -> str:
        off = [abs(v - table[key]) for key, v in found.items() if v is not None and key[0] == 2]
        return f"{statistics.mean(off):.1f} nm, lost {sum(v is None for v in found.values())} of {len(found)}"

    yield _against(
        name,
        "scipy find_peaks on the smoothed absorbance",
        ("scipy.signal",),
        lambda: {k: reduce_absorption(s).first_exciton_nm for k, s in spectra.items()},
        lambda: {k: _find_peaks(s) for k, s in spectra.items()},
        score,
        note + "; the peer takes the reddest peak of 445 to 570 nm and gives no uncertainty",
    )


def _find_peaks(spectrum: Spectrum) -> float | None:
    from scipy.signal import find_peaks, savgol_filter

    nm = spectrum.wavelength_nm
    inside = (nm > 445.0) & (nm < 570.0)
    found, _ = find_peaks(savgol_filter(spectrum.values, 11, 3)[inside], prominence=1e-3)
    return float(nm[inside][found[-1]]) if len(found) else None


def _baseline() -> Iterable[dict[str, Any]]:
    name = "arpls under a 85 meV band on a curved background"
    nm = np.arange(400.0, 651.0)
    clean = 1e4 * np.exp(-4 * math.log(2) * (1e3 * (HC_EV_NM / nm - 2.40) / 85.0) ** 2)
    noise = np.random.default_rng(1).normal(0.0, 5.0, len(nm))
    values = clean + noise + 1500.0 * np.exp(-(nm - 400.0) / 100.0)
    source = FileSource("made", "", "benchmark")
    truth = reduce_pl(Spectrum(nm, clean, "made", source, "pl"), baseline="none").fwhm_mev or math.nan

    def score(curve: np.ndarray) -> str:
        r = reduce_pl(Spectrum(nm, values - curve, "made", source, "pl"), baseline="none")
        return f"{abs((r.fwhm_mev or math.nan) - truth):.2f} meV"

    stiffness = (0.25 * (nm[-1] - nm[0]) / (2 * math.pi)) ** 4

    def theirs() -> np.ndarray:
        from pybaselines import Baseline

        return Baseline(nm).arpls(values, lam=stiffness)[0]

    yield _against(
        name,
        "pybaselines arpls, same stiffness",
        ("pybaselines",),
        lambda: estimate_baseline(nm, values, "arpls").curve,
        theirs,
        score,
        "accuracy: error of the width after the baseline",
    )


if __name__ == "__main__":
    for line in run():
        print(line)
