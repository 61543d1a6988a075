"""Platelets in a PL spectrum: amounts of 2 to 8 monolayers, a discrete basis and no density of sizes.

    PL(E) = sum_m a_m G(E - E_m - d, w) + baseline,   a_m >= 0      (NNLS)

Where the lines lie is disputed: each parameter set has its own (the exciton model of a platelet, 2 to 8
monolayers), and the recalled ladders are rivals beside them. The common shift d (lateral size, ligands,
solvent) and the common width w are unknown within `prior.platelet_peak_scatter_ev` and
`prior.platelet_line_fwhm_mev`, on a grid. a_m is the share of the light, that of the volume where all yields
are equal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.excitons.assumptions import assumption
from perolux.excitons.crystal import nanocrystal
from perolux.excitons.energies import pair_energies
from perolux.excitons.layers import Layers
from perolux.excitons.light.spectra import gaussian_line
from perolux.excitons.parameters import ParameterDraws
from perolux.excitons.properties import stokes_shift_ev
from perolux.inference.inversion_data import Record
from perolux.materials import platelet_ladders
from perolux.quantities.constants import HC_EV_NM

__all__ = ["MONOLAYERS", "PlateletAmounts", "PlateletLines", "fit_platelets", "ladder_lines", "model_lines"]
__all__ += ["platelet_columns"]

FloatArray = npt.NDArray[np.float64]
MONOLAYERS = (2, 3, 4, 5, 6, 7, 8)
_SHIFTS, _WIDTHS, _REFITS = 17, 5, 300


@dataclass(frozen=True)
class PlateletLines:
    """Where one rival puts the lines: monolayers and energies (eV) of their emission."""

    name: str
    monolayers: tuple[int, ...]
    energy_ev: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class PlateletAmounts:
    """What one rival finds: share of the light of each count of monolayers (sum 1) with 95 % intervals, mean
    count (median, low95, high95), shift (eV) and width (meV) of the lines, chi2 with that of the prior of the
    shift, and the number of its parameters."""

    lines: PlateletLines
    share: FloatArray
    low95: FloatArray
    high95: FloatArray
    mean: tuple[float, float, float]
    shift_ev: float
    fwhm_mev: float
    chi2: float
    parameters: int

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        rows = zip(
            self.lines.monolayers, self.share, self.low95, self.high95, self.lines.energy_ev, strict=True
        )
        return {
            "monolayers": {
                str(m): {"share_of_light": float(a), "low95": float(b), "high95": float(c), "line_ev": e}
                for m, a, b, c, e in rows
            },
            "mean_monolayers": dict(zip(("median", "low95", "high95"), self.mean, strict=True)),
            "shift_mev": 1e3 * self.shift_ev,
            "fwhm_mev": self.fwhm_mev,
            "chi2": self.chi2,
        }


def ladder_lines(material: str, temperature_k: float) -> list[PlateletLines]:
    """The recalled ladders of a material; none where there is no record or it is not for this temperature."""
    room = assumption("platelet_temperature_k")
    if not (room.low or 0.0) <= temperature_k <= (room.high or np.inf):
        return []
    return [
        PlateletLines(one.name, one.monolayers, tuple(value.number for value in one.emission_ev))
        for one in platelet_ladders(material)
    ]


def model_lines(parameters: ParameterDraws) -> PlateletLines:
    """Emission of platelets of 2 to 8 monolayers under one set, `prior.platelet_lateral_nm` wide."""
    lateral = assumption("platelet_lateral_nm").number
    host, row = parameters.material, parameters.middle(1)
    found = []
    for count in MONOLAYERS:
        crystal = nanocrystal(
            host.name, "platelet", [lateral], "core-edge", temperature_k=host.temperature_k, monolayers=count
        ).as_crystals
        pair = pair_energies(crystal, row, Layers())
        found.append(float(pair.exciton_ev[0] - stokes_shift_ev(crystal, row)[0]))
    return PlateletLines(f"model {parameters.set_name}", MONOLAYERS, tuple(found))


def platelet_columns(
    lines: PlateletLines, wavelength_nm: FloatArray, slit_fwhm_nm: float, shift_ev: float, fwhm_mev: float
) -> FloatArray:
    """Light of area 1 of each count of monolayers per nm, (wavelengths, counts)."""
    energy = HC_EV_NM / wavelength_nm
    columns = []
    for centre in lines.energy_ev:
        slit_mev = 1e3 * slit_fwhm_nm * centre**2 / HC_EV_NM
        line = gaussian_line(1e-3 * float(np.hypot(fwhm_mev, slit_mev)))
        columns.append(line(energy - centre - shift_ev) * HC_EV_NM / wavelength_nm**2)
    return np.stack(columns, axis=1)


def fit_platelets(
    lines: PlateletLines, record: Record, slit_fwhm_nm: float, rng: np.random.Generator
) -> PlateletAmounts | None:
    """Amounts of one rival in a PL, with a constant under it.

    Intervals: shift and width are drawn by their likelihood and prior, the data anew from the fit with its
    noise (enlarged where the fit is worse than the noise), and the amounts fitted again. None where
    there is no light of it.
    """
    from scipy.optimize import nnls

    scatter, width = assumption("platelet_peak_scatter_ev").number, assumption("platelet_line_fwhm_mev")
    grid = [
        (float(shift), float(fwhm))
        for shift in np.linspace(-2.0 * scatter, 2.0 * scatter, _SHIFTS)
        for fwhm in np.linspace(width.low or 0.0, width.high or 0.0, _WIDTHS)
    ]
    wavelength_nm, sigma = record.wavelength_nm, record.sigma
    b, columns, costs, fits = record.values / sigma, [], [], []
    for shift, fwhm in grid:
        light = platelet_columns(lines, wavelength_nm, slit_fwhm_nm, shift, fwhm)
        column = np.hstack([light, record.columns]) / sigma[:, None]
        amounts, rest = nnls(column, b)
        columns.append(column)
        fits.append(amounts)
        costs.append(rest**2 + (shift / scatter) ** 2)
    cost, count = np.array(costs), len(lines.monolayers)
    best = int(np.argmin(cost))
    if not fits[best][:count].sum() > 0:
        return None
    used = int(np.count_nonzero(fits[best])) + 2
    scale = max(cost[best] / max(len(b) - used, 1), 1.0)
    likely = np.exp(-0.5 * (cost - cost[best]) / scale)
    likely /= likely.sum()
    shares = []
    for k in rng.choice(len(grid), _REFITS, p=likely):
        again = columns[k] @ fits[k] + np.sqrt(scale) * rng.standard_normal(len(b))
        part = nnls(columns[k], again)[0][:count]
        if part.sum() > 0:
            shares.append(part / part.sum())
    drawn = np.array(shares)
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    mean = np.quantile(drawn @ np.array(lines.monolayers, dtype=float), [0.5, 0.025, 0.975])
    share = fits[best][:count] / fits[best][:count].sum()
    shift, fwhm = grid[best]
    return PlateletAmounts(
        lines, share, np.minimum(low, share), np.maximum(high, share),
        (float(mean[0]), float(mean[1]), float(mean[2])), shift, fwhm, float(cost[best]), used,
    )  # fmt: skip
