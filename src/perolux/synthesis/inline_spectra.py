"""What a spectrometer beside the vessel sees of growing crystals: absorbance and photoluminescence.

    A(E)   = (path/ln 10) sum_i n_i sigma_i(E)                                    n_i per cm^3 of liquid
    PL(E)  = PLQY (1 - 10^-A(E_ex)) sum_i n_i sigma_i(E_ex) L_i(E) / sum_i n_i sigma_i(E_ex) x escape(E)
    escape = (1 - 10^-A(E))/(A(E) ln 10)

PL in photons per nm and photon of excitation; cross sections and lines are those of the room `excitons`, so
sizes mean the same in synthesis and in inference. Escape is one pass through the path: photons absorbed again
are counted as lost. Then the slit (a Gaussian in wavelength) and the noise of the detector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.measured.pl import reduce_pl
from perolux.measured.records import FileSource, Spectrum, SpectrumSet
from perolux.quantities.constants import FWHM_PER_SIGMA, HC_EV_NM
from perolux.synthesis.history import SizeDistribution
from perolux.synthesis.recipe import PowderSpectra, Spectra

if TYPE_CHECKING:
    from perolux.excitons.light.spectra import SpectralTable
    from perolux.excitons.parameters import ParameterDraws

__all__ = [
    "LEAST_EDGE_NM",
    "InlineSpectra",
    "Optics",
    "Spectrometer",
    "inline_spectra",
    "optics_of",
    "spectral_tables",
    "spectrometer_of",
    "through_slit",
    "with_noise",
]

FloatArray = npt.NDArray[np.float64]
LEAST_EDGE_NM = 2.0
"""Below this edge the model of a nanocrystal is extrapolated: such crystals are left out, and counted."""
Shape = Literal["cube", "sphere"]
_EQUAL_EDGE: dict[str, float] = {"cube": 1.0, "sphere": (np.pi / 6.0) ** (1.0 / 3.0)}
"""Edge of the cube of equal volume over edge or diameter: what limits and tables of spectra go by."""
_STEP_EV = 0.005
_BEYOND_EV = 0.75
"""How far the energies reach above the first exciton of the least crystal: lines and bulk join at 0.5 eV."""
_BELOW_EV = 0.45
"""How far they reach below the gap, where nothing absorbs or emits."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)


@dataclass(frozen=True)
class Spectrometer:
    """How the spectra are taken. Defaults are those of a capillary with a small spectrometer, all assumed.

    wavelength_nm: rising, evenly spaced. path_mm: of the light through the liquid. dilution: volumes of
    solvent and sample over that of the sample. excitation_nm: of the lamp. slit_fwhm_nm: of both records.
    plqy: the same for all crystals. temperature_k: of the liquid when it is measured.
    signal_to_noise: largest PL of the series over the standard deviation of its noise; None: no noise.
    absorbance_noise: standard deviation.
    """

    wavelength_nm: FloatArray = field(default_factory=lambda: np.arange(350.0, 751.0))
    path_mm: float = 1.0
    dilution: float = 1.0
    excitation_nm: float = 365.0
    slit_fwhm_nm: float = 2.0
    plqy: float = 1.0
    temperature_k: float = 298.15
    signal_to_noise: float | None = None
    absorbance_noise: float = 0.0

    def __post_init__(self) -> None:
        grid = np.array(self.wavelength_nm, dtype=float)
        step = np.diff(grid)
        if grid.ndim != 1 or len(grid) < 10 or not (np.isfinite(grid).all() and grid[0] > 0):
            raise OptionError("the wavelengths of a spectrometer", allowed="ten or more, above 0 nm")
        if not (step > 0).all() or np.ptp(step) > 1e-6 * step.mean():
            raise OptionError("the wavelengths of a spectrometer", allowed="rising in equal steps")
        positive = {"path_mm": self.path_mm, "excitation_nm": self.excitation_nm}
        positive["temperature_k"] = self.temperature_k
        for name, value in positive.items():
            if not (np.isfinite(value) and value > 0):
                raise OptionError(f"{name} = {value!r}", allowed="above 0")
        if not (self.dilution >= 1 and 0 < self.plqy <= 1 and self.slit_fwhm_nm >= 0):
            raise OptionError("a spectrometer", allowed="dilution from 1, PLQY above 0 up to 1, slit from 0")
        if self.absorbance_noise < 0 or (self.signal_to_noise is not None and self.signal_to_noise <= 0):
            raise OptionError("a spectrometer", allowed="signal_to_noise above 0, absorbance_noise from 0")
        grid.flags.writeable = False
        object.__setattr__(self, "wavelength_nm", grid)


def spectrometer_of(spectra: PowderSpectra, path_mm: float = 1.0) -> Spectrometer:
    """The spectrometer of a recipe's [spectra]; path_mm where it says none."""
    used = Spectrometer(
        wavelength_nm=np.arange(spectra.first, spectra.last + 0.5 * spectra.step, spectra.step),
        path_mm=path_mm,
        slit_fwhm_nm=spectra.slit,
        temperature_k=spectra.temperature,
        signal_to_noise=spectra.signal_to_noise,
    )
    if not isinstance(spectra, Spectra):
        return used
    return replace(
        used,
        path_mm=path_mm if spectra.path is None else spectra.path,
        dilution=spectra.dilution,
        excitation_nm=spectra.excitation,
        plqy=spectra.plqy,
        absorbance_noise=spectra.absorbance_noise,
    )


@dataclass(frozen=True, eq=False)
class InlineSpectra:
    """Spectra of a series of populations under each parameter set of the material.

    absorbance, pl: (sets, times, wavelengths); absorbance is None where `reasons` says why. left_out: share
    of the volume of crystals at each time that is smaller than `LEAST_EDGE_NM` and gives no light here.
    """

    sets: tuple[str, ...]
    time_s: FloatArray
    wavelength_nm: FloatArray
    absorbance: FloatArray | None
    pl: FloatArray
    left_out: FloatArray
    spectrometer: Spectrometer
    reasons: dict[str, str]

    def lines(self) -> list[dict[str, dict[str, float | None]]]:
        """Of each time: pl_peak_nm, pl_fwhm_mev (with the Jacobian, as of a measured spectrum) by set.

        Null where no line stands out.
        """
        found: list[dict[str, dict[str, float | None]]] = [
            {"pl_peak_nm": {}, "pl_fwhm_mev": {}} for _ in self.time_s
        ]
        for name in self.sets:
            for one, spectrum in zip(found, self.spectra("pl", name), strict=True):
                seen = reduce_pl(spectrum)
                one["pl_peak_nm"][name] = seen.peak_nm
                one["pl_fwhm_mev"][name] = seen.fwhm_mev
        return found

    def spectra(self, kind: str = "pl", parameter_set: str | None = None) -> SpectrumSet:
        """The series as measured records, which every reduction and fit of `perolux` takes."""
        which = self.sets.index(parameter_set) if parameter_set is not None else 0
        if kind not in ("pl", "absorbance"):
            raise OptionError(f"no spectra of kind {kind!r}", allowed="pl, absorbance")
        values = self.pl if kind == "pl" else self.absorbance
        if values is None:
            raise NotAvailableError(self.reasons["absorbance"], where="in-line absorbance")
        source = FileSource(path="computed", sha256="", reader="inline_spectra")
        return SpectrumSet(
            tuple(
                Spectrum(
                    wavelength_nm=self.wavelength_nm.copy(),
                    values=values[which, i].copy(),
                    label=f"{time:g} s",
                    source=source,
                    kind="pl" if kind == "pl" else "absorbance",
                    value_unit="normalised" if kind == "pl" else "absorbance",
                    medium="vacuum",
                )
                for i, time in enumerate(self.time_s)
            )
        )


@dataclass(frozen=True, eq=False)
class Optics:
    """Light and cross sections of cubes or spheres under one parameter set, in front of a spectrometer.

    Made once for a range of sizes (`optics_of`); `record` is then a few products of vectors and matrices.
    cross: None where `reason` says why there are no cross sections.
    """

    set_name: str
    light: SpectralTable
    cross: SpectralTable | None
    reason: str
    spectrometer: Spectrometer
    shape: Shape = "cube"

    def record(self, crystals: SizeDistribution, volume_ratio: float = 1.0) -> tuple[FloatArray, FloatArray]:
        """Absorbance and PL on the wavelengths of the spectrometer, without noise."""
        edge, number, _ = _points(crystals, self.shape)
        per_cm3 = 1e-6 * number / (volume_ratio * self.spectrometer.dilution)
        return _record(self.light, self.cross, edge, per_cm3, self.spectrometer)


def optics_of(
    material: str,
    largest_nm: float,
    spectrometer: Spectrometer | None = None,
    *,
    sets: str | None = None,
    shape: Shape = "cube",
    no_path: str = "",
) -> list[Optics]:
    """The optics from `LEAST_EDGE_NM` to a size, under one parameter set by name or all.

    largest_nm: edge of a cube, diameter of a sphere. no_path: why light has no path through the sample, if it
    has none.
    """
    from perolux.excitons.parameters import parameters_of

    used = spectrometer or Spectrometer()
    least = LEAST_EDGE_NM / _EQUAL_EDGE[shape]
    reach = (least, max(largest_nm, 1.05 * least))
    return [
        Optics(
            parameters.set_name,
            *spectral_tables(parameters, reach, used, shape=shape, no_path=no_path),
            used,
            shape,
        )
        for parameters in parameters_of(material, used.temperature_k, sets=sets, draws=0)
    ]


def inline_spectra(
    material: str,
    distributions: Sequence[SizeDistribution],
    time_s: npt.ArrayLike,
    volume_ratio: npt.ArrayLike = 1.0,
    spectrometer: Spectrometer | None = None,
    *,
    sets: str | None = None,
    seed: int = 0,
    shape: Shape = "cube",
    no_path: str = "",
) -> InlineSpectra:
    """Spectra of populations of cubes (radius: half edge) or spheres at the times, as a spectrometer records.

    volume_ratio: volume over that to which the distributions refer. sets: one parameter set by name; None:
    all. Absorbance is None, with its reason, where n and k of the bulk are not on record, or where light has
    no path through the sample (no_path: why); PL then weighs crystals by their volume. Raises what the room
    `excitons` raises for a material without optical records.
    """
    times = np.atleast_1d(np.asarray(time_s, dtype=float))
    volume = np.broadcast_to(np.asarray(volume_ratio, dtype=float), times.shape)
    largest = max([2e9 * float(one.high_m.max()) for one in distributions if len(one)], default=LEAST_EDGE_NM)
    optics = optics_of(material, largest, spectrometer, sets=sets, shape=shape, no_path=no_path)
    used = optics[0].spectrometer
    seen = [[one.record(d, v) for d, v in zip(distributions, volume, strict=True)] for one in optics]
    absorbance = np.array([[a for a, _ in row] for row in seen])
    pl = np.array([[p for _, p in row] for row in seen])
    rng = np.random.default_rng(seed)
    pl = with_noise(pl, used, rng)
    if used.absorbance_noise > 0:
        absorbance = absorbance + used.absorbance_noise * rng.standard_normal(absorbance.shape[1:])
    missing = [one.reason for one in optics if one.reason]
    reasons = {"absorbance": missing[0]} if missing else {}
    return InlineSpectra(
        sets=tuple(one.set_name for one in optics),
        time_s=times,
        wavelength_nm=used.wavelength_nm,
        absorbance=None if reasons else absorbance,
        pl=pl,
        left_out=np.array([_points(one, shape)[2] for one in distributions]),
        spectrometer=used,
        reasons=reasons,
    )


def with_noise(pl: FloatArray, used: Spectrometer, rng: np.random.Generator) -> FloatArray:
    """PL (sets, times, wavelengths) with the noise of the detector, the same under each set."""
    if used.signal_to_noise is None or pl.max(initial=0.0) <= 0:
        return pl
    sigma = pl.max(axis=(1, 2), keepdims=True) / used.signal_to_noise
    return np.asarray(pl + sigma * rng.standard_normal(pl.shape[1:]))


def _points(crystals: SizeDistribution, shape: Shape) -> tuple[FloatArray, FloatArray, float]:
    """Edges (nm) of cubes of equal volume and numbers (1/m^3), four a cohort, and the volume left out."""
    half, middle = 0.5 * (crystals.high_m - crystals.low_m), 0.5 * (crystals.high_m + crystals.low_m)
    edge = (2e9 * _EQUAL_EDGE[shape] * (middle[:, None] + half[:, None] * _NODES)).ravel()
    number = (crystals.number_per_m3[:, None] * 0.5 * _WEIGHTS).ravel()
    seen = edge >= LEAST_EDGE_NM
    total = float(number @ edge**3)
    left_out = float(number[~seen] @ edge[~seen] ** 3) / total if total > 0 else 0.0
    return edge[seen], number[seen], left_out


def spectral_tables(
    parameters: ParameterDraws,
    reach: tuple[float, float],
    used: Spectrometer,
    line_fwhm_mev: float | None = None,
    *,
    shape: Shape = "cube",
    no_path: str = "",
) -> tuple[SpectralTable, SpectralTable | None, str]:
    """Emission and cross sections of all sizes on one axis of energies; why there are no cross sections.

    line_fwhm_mev: width of the line of one size; that on record where None. no_path: why no cross sections
    are asked for, if none are.
    """
    from perolux.excitons.ensemble_spectra import absorption_table, light_table

    gap = float(parameters["gap"][0])
    whole = np.arange(gap - _BELOW_EV, gap + 2.5, _STEP_EV)
    light = light_table(parameters, shape, reach, whole, line_fwhm_mev=line_fwhm_mev)
    least = light.energy_ev[int(np.argmax(light.values[0]))]
    red, blue = HC_EV_NM / used.wavelength_nm[-1], HC_EV_NM / min(used.wavelength_nm[0], used.excitation_nm)
    low, high = min(red, gap - _BELOW_EV) - 0.05, max(blue, least + _BEYOND_EV) + 0.05
    energy = np.arange(low, high, _STEP_EV)
    light = light_table(parameters, shape, reach, energy, line_fwhm_mev=line_fwhm_mev)
    if no_path:
        return light, None, no_path
    try:
        cross = absorption_table(parameters, shape, reach, energy, line_fwhm_mev=line_fwhm_mev)
    except (NotAvailableError, ModelRangeError) as error:
        return light, None, error.problems[0].what
    return light, cross, ""


def _record(
    light: SpectralTable,
    cross: SpectralTable | None,
    edge_nm: FloatArray,
    per_cm3: FloatArray,
    used: Spectrometer,
) -> tuple[FloatArray, FloatArray]:
    """Absorbance and PL of one population on the wavelengths of the spectrometer."""
    energy = light.energy_ev
    at = HC_EV_NM / used.wavelength_nm
    nothing = np.zeros_like(at)
    if not len(edge_nm):
        return nothing, nothing.copy()
    excited = edge_nm**3  # far above the gap a crystal absorbs as its volume does
    absorbance, absorbed = np.zeros_like(energy), 1.0
    if cross is not None:
        absorbance = 0.1 * used.path_mm / np.log(10.0) * cross.sum(edge_nm, per_cm3)
        lamp = HC_EV_NM / used.excitation_nm
        k = min(max(int(np.searchsorted(energy, lamp)), 1), len(energy) - 1)
        share = min(max((lamp - energy[k - 1]) / (energy[k] - energy[k - 1]), 0.0), 1.0)
        by_size = (1.0 - share) * cross.values[:, k - 1] + share * cross.values[:, k]
        excited = np.interp(edge_nm, cross.size_nm, by_size)
        absorbed = 1.0 - 10.0 ** -float(np.interp(lamp, energy, absorbance))
    weights = per_cm3 * excited
    total = weights.sum()
    if total <= 0:
        return through_slit(np.interp(at, energy, absorbance), used, absorbance=True), nothing
    emitted = light.sum(edge_nm, weights / total)
    depth = np.log(10.0) * np.maximum(absorbance, 0.0)
    escape = np.where(depth > 1e-8, -np.expm1(-depth) / np.maximum(depth, 1e-300), 1.0)
    per_ev = used.plqy * absorbed * emitted * escape
    per_nm = np.interp(at, energy, per_ev) * HC_EV_NM / used.wavelength_nm**2
    return through_slit(np.interp(at, energy, absorbance), used, absorbance=True), through_slit(per_nm, used)


def through_slit(values: FloatArray, used: Spectrometer, *, absorbance: bool = False) -> FloatArray:
    """Convolution with the slit; of an absorbance that of the light that comes through."""
    if used.slit_fwhm_nm <= 0:
        return values
    from scipy.ndimage import gaussian_filter1d

    sigma = used.slit_fwhm_nm / FWHM_PER_SIGMA / (used.wavelength_nm[1] - used.wavelength_nm[0])
    if not absorbance:
        return np.asarray(gaussian_filter1d(values, sigma, mode="nearest"))
    through = gaussian_filter1d(10.0 ** -np.minimum(values, 12.0), sigma, mode="nearest")
    return np.asarray(-np.log10(through))
