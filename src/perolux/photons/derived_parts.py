"""What the authors of a dot's derived files computed, read and computed again beside it.

    decay             A1 exp(-k1 t) + A2 exp(-k2 t) + b, stored as [A1, k1, A2, k2, b]
    autocorrelation   A t^-C exp(-B t), stored as [A, B, C], fitted again to the stored points
    switching         a line through log10(density) against log10(length), stored as exponent and height

Each part is None where its file is not there or does not say it.
"""

from __future__ import annotations

import math
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError
from perolux.files import read_small_text
from perolux.measured.decays import read_facts, read_table
from perolux.photons.decay_record import stored_fit_problem
from perolux.photons.dwell_times import DwellFit, fit_law

__all__ = ["Autocorrelation", "Source", "StoredDecay", "SwitchingHistogram", "read_autocorrelation"]
__all__ += ["read_source", "read_stored_decay", "read_switching", "segment_autocorrelation"]

FloatArray = npt.NDArray[np.float64]
_GRID_S = 1e-4


@dataclass(frozen=True)
class Source:
    """Where a folder comes from, as its source.toml says. licence: its name; licence_file: its text."""

    title: str
    repository: str
    papers: tuple[str, ...]
    licence: str
    licence_file: str


@dataclass(frozen=True)
class StoredDecay:
    """The two exponentials that a decay file carries; problem: why they are not to be used, or None."""

    lifetimes_ns: tuple[float, ...]
    amplitudes: tuple[float, ...]
    background: float
    problem: str | None


@dataclass(frozen=True)
class Autocorrelation:
    """Stored points and law of the intensity's autocorrelation.

    lag_s, stored: (n,); stored_law, law: (A, B, C) as stored, and by unweighted least squares to the same
    points; from_segments: <I(t) I(t + tau)>/<I>^2 - 1 of the stretches at these lags, None without them.
    """

    lag_s: FloatArray
    stored: FloatArray
    stored_law: tuple[float, float, float] | None
    law: tuple[float, float, float]
    from_segments: FloatArray | None


@dataclass(frozen=True)
class SwitchingHistogram:
    """The stored histogram of lengths of stretches, and the line through its tail.

    length_s, per_s: (n,) points, stretches a second of length; stored_exponent, stored_height: of the line;
    first: index of its first point. exponent: of the same line through the same histogram of segments.csv,
    unmatched: largest difference of the two histograms in log10 (both None without segments);
    likelihood: power law by likelihood from the same length on.
    """

    length_s: FloatArray
    per_s: FloatArray
    stored_exponent: float | None
    stored_height: float | None
    first: int
    exponent: float | None
    unmatched: float | None
    likelihood: DwellFit | None

    @property
    def lower_s(self) -> float:
        """Length at which the line begins."""
        return float(self.length_s[self.first])


def read_source(folder: Path) -> Source | None:
    """source.toml of a folder; None where there is none. Raises `InputError` where it is damaged."""
    path = folder / "source.toml"
    if not path.is_file():
        return None
    try:
        said = tomllib.loads(read_small_text(path, 100_000, "a source"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"is no TOML: {error}", where=str(path)) from None
    text = {key: said[key] if isinstance(said.get(key), str) else "" for key in said}
    papers = said.get("papers", [])
    return Source(
        text.get("title", ""), text.get("repository", ""),
        tuple(str(one) for one in papers) if isinstance(papers, list) else (),
        text.get("licence", ""), text.get("licence_file", ""),
    )  # fmt: skip


def read_stored_decay(header: tuple[tuple[str, str], ...]) -> StoredDecay | None:
    """The fit in the head of a decay file: fit_result = [A1, k1, A2, k2, background], rates in 1/ns."""
    told = next((value for key, value in header if key.strip().lower() == "fit_result"), None)
    values = _numbers(told)
    if len(values) != 5 or values[1] <= 0 or values[3] <= 0:
        return None
    problem = stored_fit_problem(header)
    return StoredDecay((1 / values[1], 1 / values[3]), (values[0], values[2]), values[4], problem)


def read_autocorrelation(path: Path, segments: tuple[FloatArray, FloatArray] | None) -> Autocorrelation:
    """The stored autocorrelation; segments: (lengths in s, photons) of stretches, to set one beside it."""
    from scipy.optimize import curve_fit

    table = read_table(path)
    lag, stored = (np.asarray(values, dtype=float) for values in list(table.columns.values())[:2])
    text = path.read_text("utf-8", errors="replace")[:2000]
    told = _numbers(next((line for line in text.splitlines() if line.lstrip().startswith("[")), None))
    start = told if len(told) == 3 else [float(stored[0]) * lag[0] ** 0.7, 1.0, 0.7]
    with np.errstate(all="ignore"):
        best, _ = curve_fit(
            lambda t, a, b, c: a * t**-c * np.exp(-b * t), lag, stored, p0=start, maxfev=20_000
        )
    return Autocorrelation(
        lag, stored, (told[0], told[1], told[2]) if len(told) == 3 else None,
        (float(best[0]), float(best[1]), float(best[2])),
        None if segments is None else segment_autocorrelation(*segments, lag),
    )  # fmt: skip


def segment_autocorrelation(length_s: FloatArray, photons: FloatArray, lag_s: FloatArray) -> FloatArray:
    """<I(t) I(t + tau)>/<I>^2 - 1 of light that is constant in each stretch, at lags, on a grid of 0.1 ms.

    The scatter of each stretch's own rate is in it: it lies above that of the light at lags shorter than the
    stretches.
    """
    ends = np.concatenate([[0.0], np.cumsum(length_s)])
    counted = np.concatenate([[0.0], np.cumsum(photons)])
    rate = np.diff(np.interp(np.arange(0.0, ends[-1], _GRID_S), ends, counted))
    above, n = rate - rate.mean(), len(rate)
    own = np.fft.irfft(np.abs(np.fft.rfft(above, 2 * n)) ** 2)[:n] / (n - np.arange(n)) / rate.mean() ** 2
    return np.asarray(np.interp(lag_s, _GRID_S * np.arange(n), own))


def read_switching(path: Path, length_s: FloatArray | None) -> SwitchingHistogram:
    """The stored histogram of lengths and its line; length_s: of the stretches, to make the same again."""
    table = read_table(path)
    x, y = (np.asarray(values, dtype=float) for values in list(table.columns.values())[:2])
    facts = read_facts(path)
    number = {
        name: next((v for k, v in facts.items() if word in k and isinstance(v, int | float)), None)
        for name, word in (("exponent", "exponent"), ("height", "height"), ("first", "bin nr"))
    }
    first = int(number["first"]) if number["first"] is not None else 0
    first = first if 0 <= first < len(x) - 2 else 0
    exponent = unmatched = likelihood = None
    step = float(np.diff(x).min()) if len(x) > 2 else 0.0
    bins = np.rint((x - x[0]) / step) if step > 0 else np.zeros(0)
    # bins without a stretch are not stored: the grid goes on under the gap
    if length_s is not None and len(bins) and np.abs(x - x[0] - bins * step).max() < 0.02 * step:
        place = bins.astype(np.int64)
        edges = 10.0 ** (x[0] + step * (np.arange(place[-1] + 2) - 0.5))
        density = (np.histogram(length_s, edges)[0] / np.diff(edges))[place]
        seen = density > 0
        tail = seen & (np.arange(len(x)) >= first)
        exponent = float(-np.polyfit(x[tail], np.log10(density[tail]), 1)[0])
        unmatched = float(np.abs(np.log10(density[seen]) - y[seen]).max())
        likelihood = fit_law(length_s, "power-law", lower_s=float(10 ** x[first]))
    return SwitchingHistogram(
        10.0**x, 10.0**y, number["exponent"], number["height"], first, exponent, unmatched, likelihood
    )


def _numbers(text: str | None) -> list[float]:
    if text is None:
        return []
    found = [float(one) for one in re.findall(r"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?", text)]
    return [one for one in found if math.isfinite(one)]
