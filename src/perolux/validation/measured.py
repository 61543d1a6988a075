"""Functions of the rows in `measured.toml`: the shipped spectra against their authors, and exact checks.

Real spectra come from `examples/`; synthetic ones are made here and say so in their source.
"""

from __future__ import annotations

import csv
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perolux.files import example_path
from perolux.measured import (
    Spectrum,
    SpectrumSet,
    read,
    read_decay,
    read_facts,
    read_table,
    reduce_absorption,
    reduce_pl,
)
from perolux.measured.absorption import local_maximum_nm
from perolux.measured.concentration import intrinsic_from_molar_per_cm, molar_from_intrinsic_per_m_cm
from perolux.measured.peaks import reference_peak
from perolux.measured.pl import PlResult
from perolux.measured.plqy import mean_of_repeats, self_absorption_corrected, sphere_plqy
from perolux.measured.records import FileSource, Kind
from perolux.measured.wording import time_of_label_s
from perolux.quantities.constants import FWHM_PER_SIGMA, HC_EV_NM
from perolux.validation.inference import one_sided_share, size_coverage
from perolux.validation.run import Computed

__all__ = [
    "blue_of_table_nm",
    "cdse_deviation_nm",
    "cdse_table_rows",
    "dot_counts_kind",
    "dot_facts",
    "dot_gap",
    "dot_rows",
    "gaussian_energy_estimate",
    "gaussian_peak_without_jacobian_ev",
    "intrinsic_of_cube",
    "local_maximum",
    "molar_of_cube",
    "offset_width_percent",
    "one_sided_share",
    "pl_against_authors",
    "reference_deviation",
    "repeats",
    "round_trip",
    "same_however_saved",
    "scatter_check",
    "self_absorption",
    "size_coverage",
    "sphere_yield",
]

FloatArray = npt.NDArray[np.float64]
_SYNTHETIC = FileSource("synthetic", "", "made by the validation row")


def pl_against_authors(quantity: str, limit: float) -> Computed:
    """Percentage of the authors' samples whose peak (nm) or width (meV) is met within `limit`.

    The reference procedure, as recorded; the authors' peak is the argmax on the 1 nm grid.
    """
    differences = []
    for line, result in _samples_with_reference():
        if quantity == "peak":
            differences.append(_number(result.peak_nm_no_jacobian) - float(line["peak_pos"]))
        else:
            differences.append(_number(result.fwhm_mev_no_jacobian) - 1e3 * float(line["fwhm"]))
    inside = sum(abs(difference) <= limit for difference in differences)
    total = len(differences)
    return Computed(100.0 * inside / total, f"{inside} of {total} samples")


def reference_deviation(quantity: str) -> Computed:
    """Largest deviation from the recomputed reference columns over all samples.

    quantity: "peak_nm", "fwhm_nm", "fwhm_mev" (as recorded), "peak_mev_jacobian", "fwhm_mev_jacobian" (the
    same procedure on the energy axis) or "snr" (relative).
    """
    worst, name = 0.0, ""
    for line, result in _samples_with_reference():
        deviation = abs(_reference_difference(quantity, line, result))
        if deviation > worst:
            worst, name = deviation, line["file"]
    return Computed(worst, f"worst: {name}")


def _reference_difference(quantity: str, line: dict[str, str], result: PlResult) -> float:
    if quantity == "peak_nm":
        return _number(result.peak_nm_no_jacobian) - float(line["peak_nm"])
    if quantity == "fwhm_nm":
        return _number(result.fwhm_nm_no_jacobian) - float(line["fwhm_nm"])
    if quantity == "fwhm_mev":
        return _number(result.fwhm_mev_no_jacobian) - float(line["fwhm_meV_nojac"])
    if quantity == "snr":
        return _number(result.snr) / float(line["snr"]) - 1.0
    spectrum = _pl_spectra()[line["file"].removesuffix(".txt")]
    energy, density = replace(spectrum, values=spectrum.values - result.baseline.curve).per_ev()
    found = reference_peak(energy, density)
    if quantity == "peak_mev_jacobian":
        return 1e3 * (_number(found.position) - float(line["peak_eV_jac"]))
    return 1e3 * (_number(found.right) - _number(found.left)) - float(line["fwhm_meV_jac"])


def gaussian_energy_estimate(quantity: str) -> float:
    """Peak (eV) or width (meV), with the Jacobian, of a Gaussian of 2.40 eV and 85 meV on a 1 nm grid."""
    result = reduce_pl(_gaussian_in_energy(2.40, 85.0))
    return _number(result.peak_ev if quantity == "peak_ev" else result.fwhm_mev)


def gaussian_peak_without_jacobian_ev() -> float:
    """Where the same Gaussian has its maximum per nm, read off the nm axis, in eV."""
    spectrum = _gaussian_in_energy(2.40, 85.0)
    top = int(np.argmax(spectrum.values))
    near = slice(top - 3, top + 4)
    x, y = spectrum.wavelength_nm[near], np.log(spectrum.values[near])
    _, slope, curvature = np.polynomial.polynomial.polyfit(x - x[3], y, 2)
    return float(HC_EV_NM / (x[3] - 0.5 * slope / curvature))


def offset_width_percent(baseline: str) -> float:
    """Increase of the width of a Gaussian by a flat offset of 2 % of its height, in per cent.

    baseline "none" leaves the offset in; "ends" is the reference baseline. Width as recorded, without the
    Jacobian, on a fine grid so that the linear crossings are exact to 1e-4 %.
    """
    wavelength = np.arange(400.0, 640.0, 0.1)
    clean = np.exp(-0.5 * ((wavelength - 520.0) / (25.0 / FWHM_PER_SIGMA)) ** 2)
    spectrum = Spectrum(wavelength, 1000.0 * (clean + 0.02), "offset 2 %", _SYNTHETIC, kind="pl")
    found = reduce_pl(spectrum, baseline=baseline)
    return 100.0 * (_number(found.fwhm_nm_no_jacobian) / 25.0 - 1.0)


def cdse_deviation_nm(run: int, quantity: str, search_nm: list[float] | None = None) -> Computed:
    """Mean absolute difference to the authors' table of a CdSe run, in nm, over the times in both.

    quantity: "first_exciton_nm" (second derivative) or "steepest_slope_nm"; search_nm: only between these
    wavelengths, the default search where None. Spectra for which the program gives no number are counted.
    """
    near = None if search_nm is None else (search_nm[0], search_nm[1])
    differences, missing = [], 0
    for time_s, spectrum in _cdse(run).items():
        found = getattr(reduce_absorption(spectrum, near_nm=near), quantity)
        if found is None:
            missing += 1
        else:
            differences.append(found - _authors(run)[time_s])
    mean = float(np.mean(np.abs(differences)))
    worst = max(differences, key=abs)
    detail = f"{len(differences)} spectra, {missing} without a number, bias {np.mean(differences):+.2f} nm"
    return Computed(mean, f"{detail}, largest {worst:+.1f} nm")


def blue_of_table_nm(run: int) -> Computed:
    """How far the second-derivative minimum lies to the blue of the authors' value, in nm, in the mean.

    Searched within 25 nm of the table's value, as the reference did.
    """
    shifts = []
    for time_s, spectrum in _cdse(run).items():
        table = _authors(run)[time_s]
        found = reduce_absorption(spectrum, near_nm=(table - 25.0, table + 25.0)).first_exciton_nm
        if found is not None:
            shifts.append(table - found)
    return Computed(float(np.mean(shifts)), f"{len(shifts)} spectra")


def local_maximum(quantity: str) -> Computed:
    """The naive first exciton in runs 2, 5 and 7: "absent" counts spectra without a local maximum.

    "blue_nm" is how far it otherwise lies to the blue of the second-derivative minimum, in the mean. Searched
    from 40 nm to the blue of that minimum to 10 nm to its red.
    """
    absent, shifts = 0, []
    for run in (2, 5, 7):
        for spectrum in _cdse(run).values():
            exciton = _number(reduce_absorption(spectrum).first_exciton_nm)
            found = local_maximum_nm(spectrum, near_nm=(exciton - 40.0, exciton + 10.0))
            if found is None:
                absent += 1
            else:
                shifts.append(exciton - found)
    detail = f"{absent} absent, {len(shifts)} found, shifts {min(shifts):.1f} to {max(shifts):.1f} nm"
    return Computed(absent if quantity == "absent" else float(np.mean(shifts)), detail)


def cdse_table_rows(file: str, kind: str, quantity: str) -> int:
    """Data rows or times that the reader finds in a CdSe file whose instrument log follows the data."""
    spectra = _cdse_file(file, "pl" if kind == "pl" else "absorbance")
    return len(spectra) if quantity == "times" else len(spectra[0])


def scatter_check(quantity: str) -> float:
    """Exponent of the scatter, or first exciton in nm, of 0.3 (400/lambda)^4 and a Gaussian at 505 nm."""
    wavelength = np.arange(380.0, 701.0, 1.0)
    energy = HC_EV_NM / wavelength
    line = 0.4 * np.exp(-0.5 * ((energy - HC_EV_NM / 505.0) / 0.04) ** 2)
    absorbance = 0.3 * (400.0 / wavelength) ** 4 + line
    spectrum = Spectrum(wavelength, absorbance, "scatter and line", _SYNTHETIC, kind="absorbance")
    result = reduce_absorption(spectrum)
    return _number(result.scatter_exponent if quantity == "exponent" else result.first_exciton_nm)


def sphere_yield(photons: list[float], quantity: str) -> float:
    """Absorbed fraction or yield of the de Mello algebra; photons: La, Lb, Lc, Pb, Pc."""
    return _number(getattr(sphere_plqy(*photons), quantity))


def self_absorption(plqy: float, reabsorbed: float) -> float:
    """Yield corrected for the reabsorbed fraction."""
    return self_absorption_corrected(plqy, reabsorbed)[0]


def repeats(values: list[float], quantity: str) -> float:
    """Mean or one of the two standard deviations of repeats."""
    return _number(getattr(mean_of_repeats(values), quantity))


def molar_of_cube(edge_nm: float, molar_per_nm3: float) -> float:
    """Molar absorption of a cube, 1/(mol/L cm), through its intrinsic coefficient and back."""
    volume = edge_nm**3
    return molar_from_intrinsic_per_m_cm(intrinsic_of_cube(edge_nm, molar_per_nm3), volume)


def intrinsic_of_cube(edge_nm: float, molar_per_nm3: float) -> float:
    """Intrinsic absorption, 1/cm, of a cube whose molar absorption is molar_per_nm3 times its volume."""
    return intrinsic_from_molar_per_cm(molar_per_nm3 * edge_nm**3, edge_nm**3)


def round_trip(quantity: str) -> float:
    """Largest relative error of nm -> eV -> nm, or of the integral before and after the Jacobian."""
    spectrum = _gaussian_in_energy(2.40, 85.0)
    energy, density = spectrum.per_ev()
    if quantity == "axis":
        back = HC_EV_NM / spectrum.energy_ev
        return float(np.max(np.abs(back / spectrum.wavelength_nm - 1.0)))
    per_nm = float(np.trapezoid(spectrum.values, spectrum.wavelength_nm))
    return abs(float(np.trapezoid(density, energy)) / per_nm - 1.0)


def dot_facts() -> str:
    """What the metadata of single dot 08 say, as one line."""
    facts = read_facts(example_path("single_dot") / "metadata_dataset.txt")
    seconds = float(facts["maxEventTime_ns"]) * 1e-9
    return (
        f"{facts['cts_chA']} + {facts['cts_chB']} = {facts['totalPhotonCount']} photons; "
        f"laser tags {facts['cts_chR']}; tick {facts['dtau_ns']} ns; {seconds:.6f} s"
    )


def dot_rows(file: str) -> int:
    """Bins of a histogram, or rows of a table, of single dot 08."""
    path = example_path("single_dot") / file
    return len(read_table(path) if path.suffix == ".csv" else read_decay(path))


def dot_counts_kind(file: str) -> str:
    """ "integers" where the counts of a histogram came as whole numbers."""
    counts = read_decay(example_path("single_dot") / file).counts
    return "integers" if np.issubdtype(counts.dtype, np.integer) else str(counts.dtype)


def dot_gap() -> str:
    """Gap of the decay of dot 08; says so where bins were recorded inside it or the axis was joined."""
    decay = read_decay(example_path("single_dot") / "corr_unseg.txt")
    axis_ns, _, recorded = decay.on_full_axis()
    for start, stop in decay.gaps:
        inside = (axis_ns > start) & (axis_ns < stop)
        if not inside.any() or recorded[inside].any():
            return "the axis is spliced"
    return "; ".join(f"{start:.1f} to {stop:.1f} ns" for start, stop in decay.gaps) or "no gap"


def same_however_saved() -> str:
    """One spectrum saved ascending, descending, with decimal commas, with a byte-order mark, in UTF-16.

    Gives "identical" where every file reads back to the same axis, values and kind.
    """
    spectrum = _gaussian_in_energy(2.40, 85.0)
    rows = [(f"{x:.1f}", f"{y:.6f}") for x, y in zip(spectrum.wavelength_nm, spectrum.values, strict=True)]
    head = ("wavelength (nm)", "PL counts")
    ways = {
        "ascending": (rows, ",", "utf-8", False),
        "descending": (rows[::-1], ",", "utf-8", False),
        "decimal commas": (rows, ";", "utf-8", True),
        "byte-order mark": (rows, ",", "utf-8-sig", False),
        "tabs in UTF-16": (rows, "\t", "utf-16", False),
    }
    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, Spectrum] = {}
        for name, (lines, separator, encoding, comma) in ways.items():
            text = "\n".join(separator.join(line) for line in [head, *lines]) + "\n"
            path = Path(folder) / f"{name.replace(' ', '_')}.csv"
            path.write_text(text.replace(".", ",") if comma else text, encoding)
            found[name] = read(path, kind="pl")[0]
    first = found["ascending"]
    different = [
        name
        for name, other in found.items()
        if not (
            np.array_equal(other.wavelength_nm, first.wavelength_nm)
            and np.array_equal(other.values, first.values)
            and (other.kind, other.axis_unit) == (first.kind, first.axis_unit)
        )
    ]
    return "identical" if not different else f"different: {', '.join(different)}"


# --- the shipped spectra ----------------------------------------------------------------------------------


@cache
def _pl_spectra() -> dict[str, Spectrum]:
    """All spectra of the antisolvent set by sample name."""
    folder = example_path("antisolvent") / "spectra"
    spectra = list(read(folder / "spectra_counts_wide.csv", kind="pl"))
    for file in sorted((folder / "native_grid").glob("*.txt")):
        spectra += [replace(read(file, kind="pl", axis_unit="nm")[0], label=file.stem)]
    return {spectrum.label: spectrum for spectrum in spectra}


@cache
def _samples_with_reference() -> tuple[tuple[dict[str, str], PlResult], ...]:
    """The lines of the reference table with the reduction of their spectrum."""
    path = example_path("antisolvent") / "reference_peak_width_recomputed.csv"
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    spectra = _pl_spectra()
    return tuple((line, reduce_pl(spectra[line["file"].removesuffix(".txt")])) for line in lines)


@cache
def _cdse_file(name: str, kind: Kind) -> SpectrumSet:
    return read(example_path("cdse_hot_injection") / name, kind=kind)


@cache
def _cdse(run: int) -> dict[float, Spectrum]:
    """Absorbance of a CdSe run by reaction time in s, for the times that the authors' table has."""
    known = _authors(run)
    by_time = {}
    for spectrum in _cdse_file(f"run{run}_uv-vis.csv", "absorbance"):
        time_s = time_of_label_s(spectrum.label)
        if time_s is not None and time_s in known:
            by_time[time_s] = spectrum
    return by_time


@cache
def _authors(run: int) -> dict[float, float]:
    path = example_path("cdse_hot_injection") / "author_uvvis_peaks_nm.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {float(ln["time_s"]): float(ln[f"Run {run}"]) for ln in csv.DictReader(file) if ln["time_s"]}


@cache
def _gaussian_in_energy(peak_ev: float, fwhm_mev: float) -> Spectrum:
    """Photon counts per nm, on a 1 nm grid, of a line that is Gaussian per eV."""
    wavelength = np.arange(430.0, 631.0, 1.0)
    energy = HC_EV_NM / wavelength
    density = np.exp(-0.5 * ((energy - peak_ev) / (1e-3 * fwhm_mev / FWHM_PER_SIGMA)) ** 2)
    return Spectrum(wavelength, 1e5 * density * energy**2 / HC_EV_NM, "Gaussian", _SYNTHETIC, kind="pl")


def _number(value: float | None) -> float:
    if value is None:
        raise ValueError("the reduction gave no number")
    return value
