"""A set of PCFS measurements in a folder: `pcfs.toml`, and a record of photons for each stage position, or a
table of pairs.

    pcfs.toml    [set] positions = "positions.csv" or pairs = "pairs.csv"; [stage]; [dither]; ...
    positions    file, path_difference_mm     or     file, stage_position_mm
    pairs        path_difference_mm (or stage_position_mm), lag_from_s, lag_to_s, pairs, expected

path difference = fold x (stage position - zero position): fold is 2 where a mirror is moved, 1 where the path
itself is.
"""

from __future__ import annotations

import csv
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, OptionError, PeroluxError, Problem
from perolux.files import read_small_text, sha256_of
from perolux.measured.photon_stream import PhotonStream
from perolux.measured.streams import read_stream
from perolux.photons.correlation import Sides
from perolux.photons.pcfs import PcfsRecord, count_pairs, delay_of_path
from perolux.photons.pcfs_blocks import PcfsBlocks, count_blocks
from perolux.progress import Progress, silent

__all__ = ["PcfsSet", "read_pcfs"]

FloatArray = npt.NDArray[np.float64]
_ALLOWED: dict[str, dict[str, type]] = {
    "set": {"positions": str, "pairs": str, "about": str, "simulated": bool},
    "stage": {"fold": float, "zero_position_mm": float},
    "dither": {"range_um": float, "period_s": float, "wavelength_nm": float, "fringes_per_s": float},
    "interferometer": {"contrast": float},
    "photons": {"channels": list, "sync_period_ns": float},
    "lags": {"from_s": float, "to_s": float, "bins": int},
}
_FIRST_LAG_S, _LAST_LAG_S, _BINS_PER_DECADE = 1e-6, 1e-2, 3
_MOST_FRINGES = 0.05
_MOST_POSITIONS = 10_000


@dataclass(frozen=True)
class PcfsSet:
    """Pairs of a set and what is known of it. path_mm: (m,) path differences; contrast: of the fringes;
    dither_um: path swept, None where not said; files: (name, sha256); simulated: as the folder says;
    blocks: pairs of each block of time (`pcfs_blocks`), None from a table."""

    record: PcfsRecord
    path_mm: FloatArray
    contrast: float
    dither_um: float | None
    photons: int | None
    about: str
    simulated: bool
    files: tuple[tuple[str, str], ...]
    blocks: PcfsBlocks | None
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]


def read_pcfs(
    folder: str | Path,
    *,
    contrast: float | None = None,
    fringes_per_s: float | None = None,
    lags: tuple[float, float, int] | None = None,
    progress: Progress = silent,
) -> PcfsSet:
    """Read a folder with pcfs.toml (or that file). Options win over the file: contrast, dither in fringes a
    second, lags as (from, to, bins).

    Raises `InputError` with all problems of pcfs.toml or of the table of positions at once.
    """
    path = Path(folder)
    path = path / "pcfs.toml" if path.is_dir() else path
    if not path.is_file():
        raise InputError(
            "there is no pcfs.toml", where=str(folder),
            allowed='[set] positions = "positions.csv"; [stage], [dither], [interferometer], ...',
            fix="see the page photons-coherence, PCFS of your own",
        )  # fmt: skip
    said = _toml(path)
    rows, columns, table = _rows(said, path)
    path_mm = _paths(rows, columns, said, table)
    assumptions, warnings = [], []
    if contrast is None:
        contrast = said["interferometer"].get("contrast")
    if contrast is None:
        contrast = 1.0
        assumptions.append("full fringe contrast ([interferometer] contrast): T2 and diffusion depend on it")
    fringes, more, notes = _dither(said["dither"], fringes_per_s)
    assumptions += more
    warnings += notes
    files = [(path.name, sha256_of(path)), (table.name, sha256_of(table))]
    photons: int | None = None
    blocks: PcfsBlocks | None = None
    if "pairs" in said["set"]:
        if lags is not None:
            raise OptionError("lags of a table of pairs are in it", where="--lags", fix="leave it out")
        record = _record_of_table(rows, path_mm, table, fringes)
        path_mm = np.unique(path_mm)
    else:
        order = np.argsort(path_mm, kind="stable")
        path_mm = path_mm[order]
        streams: list[PhotonStream] = []
        problems: list[Problem] = []
        period = said["photons"].get("sync_period_ns")
        for k in order:
            try:
                streams.append(read_stream(path.parent / rows[k]["file"], sync_period_ns=period))
            except PeroluxError as error:
                problems += error.problems
        if problems:
            raise InputError(problems[:20])
        files += [(Path(one.source.path).name, one.source.sha256) for one in streams]
        photons = sum(len(one) for one in streams)
        told = said["lags"]
        if lags is None and told:
            lags = (
                told.get("from_s", _FIRST_LAG_S), told.get("to_s", _LAST_LAG_S), told.get("bins", 0)
            )  # fmt: skip
        tick_s = max(one.macro_tick_ns for one in streams) * 1e-9
        shortest = min(one.duration_s for one in streams)
        edges, note = _lags(lags, tick_s, shortest, fringes)
        if note:
            assumptions.append(note)
        channels = said["photons"].get("channels")
        sides: Sides | None = None
        if channels is not None:
            if len(channels) != 2 or not all(isinstance(c, int) and c >= 0 for c in channels):
                raise InputError(
                    f"channels = {channels!r}", where=path.name, allowed="two numbers, e.g. [0, 1]"
                )
            sides = ((channels[0],), (channels[1],))
        record = count_pairs(
            streams, delay_of_path(path_mm), edges, fringes_per_s=fringes, sides=sides, progress=progress
        )
        blocks = count_blocks(
            streams,
            record.delay_ps,
            record.lag_edges_s,
            fringes_per_s=fringes,
            sides=sides,
            progress=progress,
        )
    return PcfsSet(
        record, path_mm, contrast, said["dither"].get("range_um"), photons, said["set"].get("about", ""),
        said["set"].get("simulated", False), tuple(files), blocks, tuple(assumptions), tuple(warnings),
    )  # fmt: skip


def _toml(path: Path) -> dict[str, dict[str, Any]]:
    """The sections of pcfs.toml, all there, numbers as float; all problems at once."""
    try:
        raw = tomllib.loads(read_small_text(path, 1_000_000, "pcfs.toml"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"is no TOML: {error}", where=str(path)) from None
    problems = []
    found: dict[str, dict[str, Any]] = {name: {} for name in _ALLOWED}
    for name, section in raw.items():
        if name not in _ALLOWED or not isinstance(section, Mapping):
            problems.append(Problem(f"no section is called [{name}]", path.name, ", ".join(_ALLOWED)))
            continue
        for key, value in section.items():
            wanted = _ALLOWED[name].get(key)
            where = f"{path.name}, [{name}] {key}"
            if wanted is None:
                problems.append(Problem(f"no entry is called {key!r}", where, ", ".join(_ALLOWED[name])))
            elif wanted is float:
                good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
                if not good or (value <= 0 and key != "zero_position_mm"):
                    problems.append(Problem(f"is {value!r}", where, "a positive number"))
                else:
                    found[name][key] = float(value)
            elif not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
                problems.append(Problem(f"is {value!r}", where, wanted.__name__))
            else:
                found[name][key] = value
    told = [key for key in ("positions", "pairs") if key in found["set"]]
    if len(told) != 1:
        problems.append(
            Problem(
                "neither positions nor pairs are named" if not told else "positions and pairs are named",
                f"{path.name}, [set]", 'positions = "positions.csv", or pairs = "pairs.csv"',
            )
        )  # fmt: skip
    if found["interferometer"].get("contrast", 1.0) > 1:
        problems.append(Problem("a contrast above 1", f"{path.name}, [interferometer] contrast", "up to 1"))
    if problems:
        raise InputError(problems)
    return found


def _rows(said: dict[str, dict[str, Any]], path: Path) -> tuple[list[dict[str, str]], list[str], Path]:
    name = said["set"].get("positions") or said["set"]["pairs"]
    table = path.parent / name
    if not table.is_file():
        raise InputError(f"names {name!r}, which is not there", where=path.name)
    lines = [line for line in read_small_text(table, 64_000_000, "a table").splitlines() if line.strip()]
    reader = csv.DictReader((line for line in lines if not line.startswith("#")), skipinitialspace=True)
    columns = [name.strip() for name in reader.fieldnames or []]
    rows = [
        {(k or "").strip(): (v or "").strip() for k, v in row.items() if isinstance(v, str)} for row in reader
    ]
    if not rows:
        raise InputError("the table holds no rows", where=table.name)
    if "positions" in said["set"] and len(rows) > _MOST_POSITIONS:
        raise InputError(f"{len(rows)} positions", where=table.name, allowed=f"up to {_MOST_POSITIONS}")
    return rows, columns, table


def _paths(
    rows: list[dict[str, str]], columns: list[str], said: dict[str, dict[str, Any]], table: Path
) -> FloatArray:
    problems = []
    places = [name for name in ("path_difference_mm", "stage_position_mm") if name in columns]
    needed = ["file"] if "positions" in said["set"] else ["lag_from_s", "lag_to_s", "pairs", "expected"]
    for name in needed:
        if name not in columns:
            problems.append(Problem(f"no column {name!r}", table.name, ", ".join(needed)))
    if len(places) != 1:
        problems.append(
            Problem(
                "no column of positions" if not places else "two columns of positions", table.name,
                "path_difference_mm, or stage_position_mm with [stage] fold and zero_position_mm",
            )
        )  # fmt: skip
    elif places[0] == "stage_position_mm":
        for key in ("fold", "zero_position_mm"):
            if key not in said["stage"]:
                problems.append(
                    Problem(
                        f"stage positions, and no {key}", "pcfs.toml, [stage]",
                        "fold = 2 where a mirror is moved, 1 where the path is; zero_position_mm of "
                        "equal arms",
                    )
                )  # fmt: skip
    if problems:
        raise InputError(problems)
    values = np.array([_number(row.get(places[0], "")) for row in rows])
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise InputError(
            f"{len(bad)} rows have no number in {places[0]} (row {int(bad[0]) + 1})", where=table.name
        )
    if places[0] == "stage_position_mm":
        values = said["stage"]["fold"] * (values - said["stage"]["zero_position_mm"])
    return np.asarray(values, dtype=float)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _dither(told: dict[str, Any], option: float | None) -> tuple[float | None, list[str], list[str]]:
    """Fringes a second, what is assumed, what is wrong with the dither."""
    warnings = []
    fringes = option if option is not None else told.get("fringes_per_s")
    if fringes is not None and not (math.isfinite(fringes) and fringes > 0):
        raise OptionError(f"{fringes:g} fringes a second", where="--fringes-per-s", allowed="above 0")
    if "range_um" in told and "wavelength_nm" in told:
        swept = 1e3 * told["range_um"] / told["wavelength_nm"]
        if fringes is None and "period_s" in told:
            fringes = 2 * swept / told["period_s"]  # there and back
        if swept < 0.9:
            warnings.append(
                f"the dither passes {swept:.2g} fringes: fewer than one does not wash out the phase"
            )
        elif abs(swept - round(swept)) > 0.1 and swept < 10:
            warnings.append(
                f"the dither passes {swept:.3g} fringes, no whole number: what is left of the phase "
                f"is of the "
                f"order of {1 / (2 * math.pi * swept):.1%} of the fringes"
            )
    assumed = [] if fringes is not None else [
        "a dither slow against all lags: its fringes a second are not said ([dither])"
    ]  # fmt: skip
    return fringes, assumed, warnings


def _lags(
    asked: tuple[float, float, int] | None, tick_s: float, shortest_s: float, fringes: float | None
) -> tuple[FloatArray, str]:
    """Edges of the lag bins in s, whole ticks apart, and what was chosen."""
    most = min(_LAST_LAG_S, shortest_s / 100)
    if fringes is not None:
        most = min(most, _MOST_FRINGES / fringes)
    low, high, bins = asked or (max(_FIRST_LAG_S, 2 * tick_s), most, 0)
    if not (0 < low < high and high < shortest_s):
        raise OptionError(
            f"lags from {low:g} to {high:g} s", where="--lags, [lags]",
            allowed=f"rising, from {2 * tick_s:g} s, below {shortest_s:g} s",
        )  # fmt: skip
    bins = bins or max(2, round(_BINS_PER_DECADE * math.log10(high / low)))
    if not 1 <= bins <= 1000:
        raise OptionError(f"{bins} lag bins", where="--lags, [lags] bins", allowed="1 to 1000")
    ticks = np.unique(np.floor(np.geomspace(low, high, bins + 1) / tick_s * (1 + 1e-9)).astype(np.int64))
    ticks = ticks[ticks >= 1]
    if len(ticks) < 2:
        raise OptionError(
            f"lags from {low:g} to {high:g} s lie within two ticks of {tick_s:g} s", where="--lags, [lags]"
        )
    note = "" if asked else f"lags from {low:.3g} to {high:.3g} s (not given: --lags, [lags])"
    return np.asarray(ticks * tick_s, dtype=float), note


def _record_of_table(
    rows: list[dict[str, str]], path_mm: FloatArray, table: Path, fringes: float | None
) -> PcfsRecord:
    names = ("lag_from_s", "lag_to_s", "pairs", "expected")
    values = {name: np.array([_number(row.get(name, "")) for row in rows]) for name in names}
    for name, found in values.items():
        if not np.all(np.isfinite(found)):
            raise InputError(
                f"row {int(np.flatnonzero(~np.isfinite(found))[0]) + 1} has no number in {name}",
                where=table.name,
            )
    places, starts = np.unique(path_mm), np.unique(values["lag_from_s"])
    stops = np.unique(values["lag_to_s"])
    whole = len(rows) == len(places) * len(starts) and len(starts) == len(stops)
    if not whole or not np.allclose(starts[1:], stops[:-1], rtol=1e-6):
        raise InputError(
            f"{len(rows)} rows, {len(places)} positions and {len(starts)} lags: not every pair of "
            f"them once, or "
            "lags that do not join", where=table.name,
            allowed="a row for each position and lag, lag_to_s of one lag = lag_from_s of the next",
        )  # fmt: skip
    at = np.searchsorted(places, path_mm), np.searchsorted(starts, values["lag_from_s"])
    if len(set(zip(at[0].tolist(), at[1].tolist(), strict=True))) != len(rows):
        raise InputError("a position and lag stand twice", where=table.name)
    pairs, expected = (np.zeros((len(places), len(starts))) for _ in range(2))
    pairs[at], expected[at] = values["pairs"], values["expected"]
    return PcfsRecord(delay_of_path(places), np.append(starts, stops[-1]), pairs, expected, fringes)
