"""A case for `perolux burst`: emitters, their surroundings, how they start, and when to look, as JSON."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.collective.couplings import Emitters, FloatArray
from perolux.errors import InputError, Problem
from perolux.files import read_json

__all__ = ["BurstCase", "case_of", "read_case"]

_LARGEST_FILE = 200_000_000
_STATES = ("all excited", "symmetric single excitation", "listed")
_KEYS = {
    "positions_nm", "unit_dipoles", "refractive_index", "vacuum_wavelength_nm", "detunings_over_Gamma",
    "pure_dephasing_rate_over_Gamma_per_emitter", "nonradiative_rate_over_Gamma", "initial_state",
    "excited_emitters", "times_over_inverse_Gamma", "name", "screening",
}  # fmt: skip


_ALLOWED = {
    "positions_nm": "N x 3 numbers",
    "unit_dipoles": "N x 3 numbers, each row of length 1",
    "refractive_index": "a number from 1",
    "vacuum_wavelength_nm": "a number, nm",
    "detunings_over_Gamma": "N numbers",
    "pure_dephasing_rate_over_Gamma_per_emitter": "a number, 0 and more",
    "nonradiative_rate_over_Gamma": "a number, 0 and more",
    "screening": "a number, 0 to 1",
    "times_over_inverse_Gamma": "numbers that rise, the first 0 or more",
}
_LEAST_WAVELENGTH_NM = 3.5
"""An energy of 1.4 to 3.5 eV or a wavelength in um taken for nm lies below it."""


@dataclass(frozen=True)
class BurstCase:
    """emitters with positions, dipoles and detunings; dephasing g* and loss kappa over Gamma; initial_state;
    excited: emitters excited at first (of a product state); times in 1/Gamma; screening of the shifts."""

    name: str
    emitters: Emitters
    dephasing: float
    loss: float
    initial_state: str
    excited: npt.NDArray[np.int64]
    times: FloatArray
    screening: float


def read_case(path: Path) -> BurstCase:
    """A case from a JSON file. Raises `InputError` with all that is wrong."""
    content = read_json(path, _LARGEST_FILE, "a case")
    if not isinstance(content, dict):
        raise InputError("a case is an object", where=str(path), allowed='{"positions_nm": ..., ...}')
    return case_of(content, str(path))


def case_of(content: dict[str, Any], where: str = "case") -> BurstCase:
    """A case from the dictionary of its file."""
    problems = [_unknown(key, where) for key in content if key not in _KEYS]

    def array(key: str, shape: tuple[int, ...] | None, default: Any = None) -> FloatArray | None:
        value = content.get(key, default)
        if value is None:
            problems.append(Problem(f"{key} is missing", where, _ALLOWED[key]))
            return None
        try:
            found = np.asarray(_numbers(value), dtype=float)
        except (TypeError, ValueError, OverflowError, RecursionError):
            problems.append(Problem(f"{key} holds something else than numbers", where, _ALLOWED[key]))
            return None
        if not np.isfinite(found).all():
            problems.append(Problem(f"{key} holds numbers that are not finite", where, _ALLOWED[key]))
            return None
        if shape is not None and (
            found.ndim != len(shape)
            or any(s >= 0 and s != f for s, f in zip(shape, found.shape, strict=True))
        ):
            told = " x ".join("N" if s < 0 else str(s) for s in shape)
            problems.append(Problem(f"{key} has the shape {found.shape}", where, told))
            return None
        return found

    positions = array("positions_nm", (-1, 3))
    n = -1 if positions is None else len(positions)  # then any number of the others will do
    dipoles = array("unit_dipoles", (n, 3))
    index = array("refractive_index", ())
    wavelength = array("vacuum_wavelength_nm", ())
    detuning = array("detunings_over_Gamma", (n,), [0.0] * max(n, 0))
    dephasing = array("pure_dephasing_rate_over_Gamma_per_emitter", (), 0.0)
    loss = array("nonradiative_rate_over_Gamma", (), 0.0)
    screening = array("screening", (), 1.0)
    times = array("times_over_inverse_Gamma", (-1,))
    state = content.get("initial_state", "all excited")
    excited = np.arange(max(n, 0))
    if state not in _STATES:
        problems.append(Problem(f"initial_state {state!r}", where, ", ".join(repr(s) for s in _STATES)))
    elif state == "listed":
        excited = _listed(content.get("excited_emitters"), n, where, problems)
    elif "excited_emitters" in content:
        problems.append(
            Problem("excited_emitters without initial_state 'listed'", where, fix="leave one out")
        )
    for key, value in (
        ("pure_dephasing_rate_over_Gamma_per_emitter", dephasing),
        ("nonradiative_rate_over_Gamma", loss),
    ):
        if value is not None and float(value) < 0.0:
            problems.append(Problem(f"{key} is {float(value):g}", where, "0 and more"))
    if times is not None and (len(times) == 0 or times[0] < 0.0 or np.any(np.diff(times) <= 0.0)):
        problems.append(
            Problem("times_over_inverse_Gamma do not rise from 0", where, "ascending, 0 and more")
        )
    if wavelength is not None and not float(wavelength) > _LEAST_WAVELENGTH_NM:
        problems.append(
            Problem(
                f"vacuum_wavelength_nm is {float(wavelength):g}",
                where,
                f"above {_LEAST_WAVELENGTH_NM:g}",
                "give nm, neither um nor eV",
            )
        )
    if problems:
        raise InputError(problems[:20])
    assert positions is not None and dipoles is not None and times is not None and detuning is not None
    assert index is not None and wavelength is not None
    assert dephasing is not None and loss is not None and screening is not None
    emitters = Emitters(positions, dipoles, float(index), float(wavelength), detuning)
    return BurstCase(
        str(content.get("name", "")),
        emitters,
        float(dephasing),
        float(loss),
        state,
        excited,
        times,
        float(screening),
    )


def _unknown(key: str, where: str) -> Problem:
    close = difflib.get_close_matches(key, sorted(_KEYS), n=1)
    fix = f"did you mean {close[0]!r}?" if close else None
    return Problem(f"unknown key {key!r}", where, ", ".join(sorted(_KEYS)), fix)


def _numbers(value: Any) -> Any:
    """The same, without text and true or false, which numpy would take for numbers. Raises `TypeError`."""
    if isinstance(value, (str, bool)):
        raise TypeError
    return [_numbers(one) for one in value] if isinstance(value, list) else value


def _listed(value: Any, n: int, where: str, problems: list[Problem]) -> npt.NDArray[np.int64]:
    if not isinstance(value, list) or not all(isinstance(i, int) and not isinstance(i, bool) for i in value):
        problems.append(
            Problem("excited_emitters is no list of whole numbers", where, "0-based, e.g. [0, 3]")
        )
        return np.arange(0)
    if n < 0:  # the positions are wrong themselves
        return np.arange(0)
    if any(not 0 <= i < n for i in value) or len(set(value)) < len(value):
        problems.append(
            Problem("excited_emitters names one twice or one that is not there", where, f"0 to {n - 1}")
        )
        return np.arange(0)
    return np.array(sorted(value), dtype=np.int64)
