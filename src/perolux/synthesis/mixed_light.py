"""Light of crystals of mixed halides: PL of all sizes and halide fractions, and its bands.

    PL(E) = sum_i n_i V_i L(E; edge_i, x_i) / sum_i n_i V_i

Crystals absorb as their volume does and have one quantum yield; there is no absorbance, for n and k of
mixtures are not on record. Lines of compositions 0.02 apart are interpolated, closer than their width.
Reabsorption and energy transfer are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from perolux.materials import Composition
from perolux.quantities.constants import FWHM_PER_SIGMA, HC_EV_NM
from perolux.surface.exchange_light import band_peaks_ev
from perolux.synthesis.inline_spectra import LEAST_EDGE_NM, Spectrometer
from perolux.synthesis.mixed_crystals import MixedCrystals

if TYPE_CHECKING:
    from perolux.excitons.light.spectra import SpectralTable

__all__ = ["MixedSpectra", "mixed_spectra"]

FloatArray = npt.NDArray[np.float64]
_NODES = 51
_STEP_EV = 0.004
_U, _WEIGHTS = np.polynomial.legendre.leggauss(4)


@dataclass(frozen=True, eq=False)
class MixedSpectra:
    """PL (sets, populations, wavelengths) in photons per nm, area 1 over all wavelengths before the slit.

    left_out: share of the volume of crystals smaller than `LEAST_EDGE_NM`, which give no light here.
    bands_nm: of each population under each set, wavelengths of the maxima that stand out by 1 % of the
    highest, rising; counted in energy, before the slit.
    """

    sets: tuple[str, ...]
    wavelength_nm: FloatArray
    pl: FloatArray
    left_out: FloatArray
    bands_nm: tuple[dict[str, list[float]], ...]


def mixed_spectra(
    product: Composition, crystals: Sequence[MixedCrystals], spectrometer: Spectrometer
) -> MixedSpectra:
    """PL of populations of cubes. product: open composition, as CsPb(Br,I)3.

    Raises what the materials raise where a mixture has no optical records (chloride with iodide).
    """
    from perolux.excitons.ensemble_spectra import light_table
    from perolux.excitons.parameters import parameters_of

    points = [_points(one) for one in crystals]
    largest = max([float(edge.max()) for edge, *_ in points if len(edge)], default=LEAST_EDGE_NM)
    reach = (LEAST_EDGE_NM, max(1.05 * LEAST_EDGE_NM, 1.001 * largest))
    used = sorted({int(k) for _, _, left, right, _ in points for k in (*left, *right)})
    at = HC_EV_NM / spectrometer.wavelength_nm
    fractions = {k: k / (_NODES - 1) for k in used}
    by_node = {
        k: parameters_of(product.with_fraction(x).formula, spectrometer.temperature_k, draws=0)
        for k, x in fractions.items()
    }
    middle = parameters_of(product.with_fraction(0.5).formula, spectrometer.temperature_k, draws=0)
    names = tuple(one.set_name for one in middle)
    low, high = float(at.min()) - 0.1, float(at.max()) + 0.1
    energy = np.arange(low, high, _STEP_EV)
    spectra = np.zeros((len(names), len(crystals), len(energy)))
    for k, rows in by_node.items():
        tables = {one.set_name: light_table(one, "cube", reach, energy) for one in rows}
        for i, (edge, volume, left, right, share) in enumerate(points):
            weight = volume * (np.where(left == k, 1.0 - share, 0.0) + np.where(right == k, share, 0.0))
            if not weight.any():
                continue
            there = weight > 0
            for j, name in enumerate(names):
                spectra[j, i] += _named(tables, name).sum(edge[there], weight[there])
    for i, (_, volume, *_rest) in enumerate(points):
        if len(volume):
            spectra[:, i] /= volume.sum()
    bands: list[dict[str, list[float]]] = []
    for i in range(len(crystals)):
        one = {}
        for j, name in enumerate(names):
            seen = band_peaks_ev(energy, spectra[j, i]) if spectra[j, i].any() else np.empty(0)
            one[name] = sorted(float(HC_EV_NM / e) for e in seen)
        bands.append(one)
    per_nm = np.array(
        [[np.interp(at, energy, row) * at**2 / HC_EV_NM for row in of_set] for of_set in spectra]
    ).reshape(len(names), len(crystals), len(at))
    return MixedSpectra(
        names,
        spectrometer.wavelength_nm,
        spectrometer.plqy * _slit(per_nm, spectrometer),
        np.array([_left_out(one) for one in crystals]),
        tuple(bands),
    )


def _named(tables: dict[str, SpectralTable], name: str) -> SpectralTable:
    """The table of a parameter set; of an end member that of its part, or the only one that it has."""
    parts = name.split("+")
    found = (one for own, one in tables.items() if own == name or own in parts)
    return next(found, next(iter(tables.values())))


def _points(
    crystals: MixedCrystals,
) -> tuple[FloatArray, FloatArray, npt.NDArray[np.int64], npt.NDArray[np.int64], FloatArray]:
    """Edges (nm), volumes, the nodes of composition beside, and the share of the upper; eight a cohort."""
    half, middle = crystals.high_m - crystals.low_m, crystals.high_m + crystals.low_m
    edge = 1e9 * (middle[:, None] + half[:, None] * _U)
    volume = crystals.number_per_m3[:, None] * 0.5 * _WEIGHTS * edge**3
    sd = np.sqrt(crystals.variance)
    # two fractions with mean and variance of the cohort, as far as 0 and 1 leave room
    reach = np.minimum(sd, np.minimum(crystals.fraction, 1.0 - crystals.fraction))
    place = (_NODES - 1) * np.stack([crystals.fraction - reach, crystals.fraction + reach], axis=1)
    shape = (len(crystals), 4, 2)
    seen = np.broadcast_to((edge >= LEAST_EDGE_NM)[:, :, None], shape).ravel()
    edges = np.broadcast_to(edge[:, :, None], shape).ravel()[seen]
    volumes = np.broadcast_to(0.5 * volume[:, :, None], shape).ravel()[seen]
    places = np.broadcast_to(place[:, None, :], shape).ravel()[seen]
    left = np.clip(np.floor(places).astype(np.int64), 0, _NODES - 2)
    share = places - left
    # a composition on a node needs that node alone
    right = np.where(share > 1e-9, left + 1, left)
    on_upper = share >= 1.0 - 1e-9
    left, right = np.where(on_upper, left + 1, left), np.where(on_upper, left + 1, right)
    return edges, volumes, left, right, np.where(left == right, 0.0, share)


def _left_out(crystals: MixedCrystals) -> float:
    edge = 1e9 * (crystals.high_m + crystals.low_m)
    volume = crystals.number_per_m3 * edge**3
    total = float(volume.sum())
    return float(volume[edge < LEAST_EDGE_NM].sum()) / total if total > 0 else 0.0


def _slit(values: FloatArray, used: Spectrometer) -> FloatArray:
    if used.slit_fwhm_nm <= 0 or not values.size:
        return values
    from scipy.ndimage import gaussian_filter1d

    sigma = used.slit_fwhm_nm / FWHM_PER_SIGMA / (used.wavelength_nm[1] - used.wavelength_nm[0])
    return np.asarray(gaussian_filter1d(values, sigma, axis=-1, mode="nearest"))
