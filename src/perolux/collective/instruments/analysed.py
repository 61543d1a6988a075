"""An assembly behind a spectrometer and a Michelson: expected counts at every screening, and counts drawn.

The light is that of `assembly_light`, exact, all directions, mean of the draws; where no exact method
reaches, that of the emitters one by one (their energies, hbar (Gamma + 2 g*)), and a note says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from perolux.collective.assembly import Assembly, draw_emitters
from perolux.collective.assembly_file import MichelsonTable, SpectrometerTable
from perolux.collective.couplings import FloatArray
from perolux.collective.instruments.michelson import (
    FringeReading,
    Michelson,
    fringe_counts,
    fringes,
    read_fringes,
)
from perolux.collective.instruments.spectrometer import Slit, full_width, lines_of_emitters, pixel_photons
from perolux.collective.lines import Lines, joined_lines
from perolux.errors import OptionError
from perolux.quantities.constants import HC_EV_NM

if TYPE_CHECKING:
    from perolux.collective.assembly_light import Light

__all__ = ["Fringes", "SlitSpectrum", "fringes_of", "lines_behind", "slit_spectrum_of"]

_MOST_DRAWS, _MOST_PIXELS, _MOST_DELAYS = 20, 4000, 20_000
_SLITS_BESIDE, _PIXELS_BESIDE = 3.0, 4.0
_SHOWN = 0.98


@dataclass(frozen=True, eq=False)
class SlitSpectrum:
    """edges_nm (L + 1), rising. expected: counts of each pixel (L,) at each screening (None: emitters one by
    one); width_mev: full width at half maximum behind the slit, None where the axis ends before. drawn: of
    the last. slit_mev: its Gaussian and Lorentzian full widths."""

    edges_nm: FloatArray
    screenings: tuple[float | None, ...]
    expected: tuple[FloatArray, ...] = field(repr=False)
    width_mev: tuple[float | None, ...]
    drawn: FloatArray = field(repr=False)
    slit_mev: tuple[float, float]
    slit_width_mev: float
    dark: float
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "edges_nm": self.edges_nm.tolist(),
            "slit_gaussian_mev": self.slit_mev[0],
            "slit_lorentzian_mev": self.slit_mev[1],
            "slit_width_mev": self.slit_width_mev,
            "curves": [
                {"screening": one, "width_mev": width, "expected": counts.tolist()}
                for one, width, counts in zip(self.screenings, self.width_mev, self.expected, strict=True)
            ],
            "drawn": self.drawn.tolist(),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, eq=False)
class Fringes:
    """delays_ps (m,) from 0 on. visibility (m,) at each screening (None: emitters one by one); fall_ps: to
    1/e of that at 0, None where it does not fall so far; coherence_ps: int |g1|^2 of both signs within the
    scan. read: of drawn counts, of the last; read_coherence_ps and its error from them."""

    michelson: Michelson
    delays_ps: FloatArray
    screenings: tuple[float | None, ...]
    visibility: tuple[FloatArray, ...] = field(repr=False)
    fall_ps: tuple[float | None, ...]
    coherence_ps: tuple[float, ...]
    read: FringeReading = field(repr=False)
    read_coherence_ps: tuple[float, float]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "delay_ps": self.delays_ps.tolist(),
            "contrast_of_a_sharp_line": self.michelson.visibility,
            "share_of_light_at_the_port": self.michelson.share,
            "curves": [
                {"screening": one, "fall_ps": fall, "coherence_time_ps": area, "visibility": v.tolist()}
                for one, fall, area, v in zip(
                    self.screenings, self.fall_ps, self.coherence_ps, self.visibility, strict=True
                )
            ],
            "read": {
                "visibility": self.read.visibility.tolist(),
                "fringe_real": self.read.v.real.tolist(),
                "fringe_imag": self.read.v.imag.tolist(),
                "sigma": self.read.sigma.tolist(),
                "coherence_time_ps": self.read_coherence_ps[0],
                "coherence_time_error_ps": self.read_coherence_ps[1],
            },
            "notes": list(self.notes),
        }


def lines_behind(
    made: Assembly, lights: tuple[Light, ...]
) -> tuple[tuple[tuple[float | None, Lines], ...], tuple[str, ...]]:
    """The lines at each screening where they are known, or those of the emitters one by one; what to say."""
    known = [(one.screening, joined_lines(list(one.lines))) for one in lights if one.reason is None]
    if known:
        draws = len(next(one for one in lights if one.reason is None).lines)
        return tuple(known), (f"all light in all directions, exact, mean of {draws} draws",)
    count = min(made.file.sampling.disorder_draws, _MOST_DRAWS)
    detuning = np.concatenate([draw_emitters(made, k)[0].detuning for k in range(count)])
    width = 1.0 + made.file.emitters.nonradiative + 2.0 * made.dephasing
    told = (f"emitters one by one, without shifts: {lights[0].reason}",) if lights else ()
    return ((None, lines_of_emitters(detuning, width)),), told


def slit_spectrum_of(made: Assembly, lights: tuple[Light, ...], table: SpectrometerTable) -> SlitSpectrum:
    """What the spectrometer of the file records; photons drawn with the seed of the file."""
    sources, notes = lines_behind(made, lights)
    middle = made.wavelength_nm
    # over the width of a line energy is as straight in wavelength as it needs to be: 1e-3 of the width
    per_nm = 1e3 * HC_EV_NM / middle**2
    gaussian = table.slit_energy if table.slit_energy is not None else per_nm * table.slit
    slit = Slit(gaussian / made.unit_mev, per_nm * table.slit_wings / made.unit_mev)
    edges = _pixels(made, table, [one for _, one in sources], slit.width)
    gamma = 1e3 * (HC_EV_NM / edges - HC_EV_NM / middle) / made.unit_mev
    expected = [table.photons / one.photons * pixel_photons(one, gamma, slit) for _, one in sources]
    centre = 0.5 * made.unit_mev * (gamma[1:] + gamma[:-1])
    widths = [full_width(centre, one / np.abs(np.diff(gamma))) for one in expected]
    outside = 1.0 - float(expected[-1].sum()) / table.photons
    if outside > 0.05:
        notes = (*notes, f"{100 * outside:.3g} % of the light falls beside the pixels")
    counts = tuple(np.maximum(one, 0.0) + table.dark for one in expected)
    rng = np.random.default_rng(np.random.SeedSequence((made.file.sampling.seed, 17)))
    return SlitSpectrum(
        edges, tuple(one for one, _ in sources), counts, tuple(widths),
        rng.poisson(counts[-1]).astype(float), (gaussian, per_nm * table.slit_wings),
        made.unit_mev * slit.width, table.dark, notes,
    )  # fmt: skip


def _pixels(made: Assembly, table: SpectrometerTable, lines: list[Lines], slit: float) -> FloatArray:
    """Edges about the middle of the light, nm: `span` wide, or as far as 98 % of the light and the slit."""
    per_gamma = made.unit_mev * made.wavelength_nm**2 / (1e3 * HC_EV_NM)
    ends = np.array([one.range_of(_SHOWN) for one in lines])
    low, high = float(ends[:, 0].min()) - _SLITS_BESIDE * slit, float(ends[:, 1].max()) + _SLITS_BESIDE * slit
    centre = made.wavelength_nm - per_gamma * 0.5 * (low + high)
    span = table.span if table.span is not None else per_gamma * (high - low)
    half = max(math.ceil(0.5 * span / table.pixel + _PIXELS_BESIDE * (table.span is None)), 1)
    if 2 * half > _MOST_PIXELS:
        raise OptionError(
            f"{2 * half} pixels of {table.pixel:g} nm",
            where="spectrometer.pixel",
            allowed=f"up to {_MOST_PIXELS}",
            fix="wider pixels, or a span",
        )
    return np.asarray(centre + table.pixel * np.arange(-half, half + 1, dtype=np.float64))


def fringes_of(made: Assembly, lights: tuple[Light, ...], table: MichelsonTable) -> Fringes:
    """What the Michelson of the file shows; photons drawn with the seed of the file."""
    sources, notes = lines_behind(made, lights)
    count = math.floor(table.until / table.step + 1e-9)
    if not 1 <= count <= _MOST_DELAYS:
        raise OptionError(
            f"{count} delays of {table.step:g} ps up to {table.until:g} ps",
            where="michelson.step",
            allowed=f"1 to {_MOST_DELAYS}",
        )
    delays = table.step * np.arange(count + 1, dtype=np.float64)
    one = Michelson(
        made.wavelength_nm, table.contrast, table.reflected, table.port, table.path_jitter, table.points,
        table.fringes, table.moving,
    )  # fmt: skip
    v = [fringes(lines, delays / made.lifetime_ps, one) for _, lines in sources]
    curves = [np.abs(each) for each in v]
    rng = np.random.default_rng(np.random.SeedSequence((made.file.sampling.seed, 19)))
    drawn = rng.poisson(fringe_counts(v[-1], one, table.photons, table.dark)).astype(float)
    try:
        read = read_fringes(drawn, one, table.dark)
    except OptionError:
        raise OptionError(
            f"{table.photons:g} photons at each delay: scans without light",
            where="michelson.photons",
            fix="more photons",
        ) from None
    weights = 2.0 * table.step * np.where(np.isin(np.arange(count + 1), (0, count)), 0.5, 1.0)
    square = np.abs(read.v) ** 2 - 2.0 * read.sigma**2
    # the sd of |v^|^2: 2 |v| s beside 2 s^2 of noise alone
    spread = 2.0 * read.sigma * np.sqrt(np.maximum(square, 0.0) + read.sigma**2)
    scale = one.visibility**2
    if float(curves[-1][-1]) > 0.1 * float(curves[-1][0]):
        notes = (*notes, "the scan ends before the fringes do: coherence times are lower bounds")
    return Fringes(
        one, delays, tuple(name for name, _ in sources), tuple(curves),
        tuple(_fall(delays, each) for each in curves),
        tuple(float(weights @ each**2) / scale for each in curves), read,
        (float(weights @ square) / scale, float(np.linalg.norm(weights * spread)) / scale), notes,
    )  # fmt: skip


def _fall(delays: FloatArray, visibility: FloatArray) -> float | None:
    """First delay at 1/e of the visibility at 0, straight between delays."""
    level = float(visibility[0]) / math.e
    below = np.flatnonzero(visibility < level)
    if not len(below):
        return None
    k = int(below[0])
    share = (visibility[k - 1] - level) / (visibility[k - 1] - visibility[k])
    return float(delays[k - 1] + share * (delays[k] - delays[k - 1]))
