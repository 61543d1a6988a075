"""The power-law batch of CADET-Verification by CADET-Core and by perolux, side by side.

    s = (c - c_s)/c_s,  nucleation k_p s^5 at 1 um,  dL/dt = k_g s,  c + rho k_v sum N L^3 stays

    python -m benchmarks.peers.cadet_batch [--json]

The case is CSTR_PBM_primaryNucleationAndGrowth. CADET-Core is licensed under GPL-3: it is run as a process
that reads and writes a file of the documented format, never imported, never a dependency. The binary
`cadet-cli` is looked for in the environment variable PEROLUX_CADET (its path, or a folder with
`bin/cadet-cli`) and on PATH; without it the rows say so. Seconds are CPU seconds, of the whole process for
CADET and of the call after compiling for perolux, medians of three, one thread each. Errors are those at
18000 s against closed moment equations; moments of both are those of cells with an even density.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import median_cpu, row
from perolux.synthesis import History, PowerLawGrowth, constant_conditions, grow, grow_finite_volume

__all__ = ["CADET_RUNS", "Accuracy", "accuracy", "find_cadet", "run", "run_cadet", "write_cadet_input"]

SUPPLIED, SOLUBILITY, DENSITY, SHAPE = 2.0, 1.2, 1200.0, 0.524
NUCLEATION, ORDER, GROWTH, ENTRY_M = 1e6, 5.0, 2e-8, 1e-6
TIMES_S = np.linspace(0.0, 18000.0, 101)
LARGEST_M = {"log": 1e-3, "lin": 4e-4}
"""Ends of the grids over the size L; both begin at the size of the nuclei."""
SCHEMES = {"upwind": 1, "HR-Koren": 2, "WENO35": 4}
CADET_RUNS = (
    ("upwind", "log", 50), ("upwind", "log", 100), ("upwind", "log", 200), ("HR-Koren", "log", 50),
    ("HR-Koren", "log", 100), ("HR-Koren", "log", 200), ("HR-Koren", "lin", 100), ("WENO35", "log", 100),
    ("WENO35", "log", 200), ("WENO35", "lin", 100),
)  # fmt: skip
REPEATS = 3
_LONGEST_S = 300


@dataclass(frozen=True)
class Accuracy:
    """Relative errors at the end (c_worst: over all times), cv, drift of the mass, least density."""

    c: float
    c_worst: float
    number: float
    mean: float
    cv: float
    mass_drift: float
    least_density_per_m4: float

    def __str__(self) -> str:
        return (
            f"c {self.c:.1e}, number {self.number:.1e}, mean {self.mean:.1e}, "
            f"cv {self.cv:.4f} (exact 0.3099), mass {self.mass_drift:.1e}"
        )


def find_cadet() -> tuple[Path | None, str]:
    """The binary and its version, or None and why there is none."""
    given = os.environ.get("PEROLUX_CADET")
    found = Path(given) if given else Path(shutil.which("cadet-cli") or "")
    if given and found.is_dir():
        found = found / "bin" / "cadet-cli"
    if not found.is_file():
        if given:
            return None, f"PEROLUX_CADET = {given!r} holds no cadet-cli"
        return None, "no cadet-cli on PATH or in PEROLUX_CADET"
    if not os.access(found, os.X_OK):
        return None, f"{found.name} of PEROLUX_CADET may not be executed (chmod +x)"
    try:
        said = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return None, f"cadet-cli --version failed: {type(error).__name__}"
    words = said.stdout.split()
    version = words[words.index("version") + 1] if "version" in words[:-1] else "of unknown version"
    return found, f"CADET-Core {version}"


def grid(kind: str, cells: int) -> np.ndarray:
    """Faces over the size L (m)."""
    space = np.geomspace if kind == "log" else np.linspace
    return space(ENTRY_M, LARGEST_M[kind], cells + 1)


def write_cadet_input(path: Path, scheme: str, faces: np.ndarray) -> None:
    """Input of CADET-Core 5.1: a closed stirred tank; components are solute, cells, solubility."""
    import h5py

    components = len(faces) + 1
    at_start = np.zeros(components)
    at_start[0], at_start[-1] = SUPPLIED, SOLUBILITY
    content: dict[str, Any] = {
        "model": {
            "NUNITS": 2,
            "unit_000": {
                "UNIT_TYPE": "CSTR", "NCOMP": components, "INIT_C": at_start, "INIT_LIQUID_VOLUME": 5e-4,
                "CONST_SOLID_VOLUME": 0.0, "USE_ANALYTIC_JACOBIAN": 1, "ADSORPTION_MODEL": "NONE",
                "REACTION_MODEL": "CRYSTALLIZATION",
                "reaction_bulk": {
                    "CRY_MODE": 1, "CRY_BINS": faces, "CRY_GROWTH_SCHEME_ORDER": SCHEMES[scheme],
                    "CRY_NUCLEI_MASS_DENSITY": DENSITY, "CRY_VOL_SHAPE_FACTOR": SHAPE,
                    "CRY_PRIMARY_NUCLEATION_RATE": NUCLEATION, "CRY_U": ORDER,
                    "CRY_SECONDARY_NUCLEATION_RATE": 0.0, "CRY_B": 2.0, "CRY_K": 1.0,
                    "CRY_GROWTH_RATE_CONSTANT": GROWTH, "CRY_G": 1.0, "CRY_A": 1.0, "CRY_P": 0.0,
                    "CRY_GROWTH_CONSTANT": 0.0, "CRY_GROWTH_DISPERSION_RATE": 0.0,
                },
            },
            "unit_001": {"UNIT_TYPE": "OUTLET", "NCOMP": components},
            "connections": {
                "NSWITCHES": 1,
                "switch_000": {"SECTION": 0, "CONNECTIONS": np.array([0.0, 1.0, -1.0, -1.0, 0.0])},
            },
            "solver": {"GS_TYPE": 1, "MAX_KRYLOV": 0, "MAX_RESTARTS": 10, "SCHUR_SAFETY": 1e-8},
        },
        "solver": {
            "NTHREADS": 1, "USER_SOLUTION_TIMES": TIMES_S,
            "sections": {
                "NSEC": 1, "SECTION_TIMES": TIMES_S[[0, -1]],
                "SECTION_CONTINUITY": np.zeros(0, dtype=np.int32),
            },
            "time_integrator": {
                "ABSTOL": 1e-6, "ALGTOL": 1e-10, "RELTOL": 1e-6, "INIT_STEP_SIZE": 1e-6, "MAX_STEPS": 1000000,
            },
        },
        "return": {
            "SPLIT_COMPONENTS_DATA": 0, "SPLIT_PORTS_DATA": 0, "unit_000": {"WRITE_SOLUTION_OUTLET": 1},
        },
    }  # fmt: skip

    def put(group: Any, entries: dict[str, Any]) -> None:
        for name, value in entries.items():
            if isinstance(value, dict):
                put(group.create_group(name), value)
            else:
                group[name] = np.bytes_(value) if isinstance(value, str) else value

    with h5py.File(path, "w") as file:
        put(file.create_group("input"), content)


def run_cadet(binary: Path, scheme: str, kind: str, cells: int) -> tuple[float, Accuracy]:
    """Median CPU seconds of the process, and the errors. Raises `RuntimeError` with what CADET said."""
    import resource

    import h5py

    faces, seconds = grid(kind, cells), []
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "batch.h5"
        for _ in range(REPEATS):
            write_cadet_input(path, scheme, faces)
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            try:
                said = subprocess.run(
                    [binary, path], capture_output=True, text=True, timeout=_LONGEST_S, env=environment
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise RuntimeError(f"cadet-cli: {type(error).__name__}") from error
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            if said.returncode != 0:
                words = (said.stderr or said.stdout).split()
                raise RuntimeError(f"cadet-cli ended with {said.returncode}: {' '.join(words)[-200:]}")
            seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        with h5py.File(path, "r") as file:
            try:
                found = file["output/solution/unit_000/SOLUTION_OUTLET"][:]
            except KeyError as error:
                raise RuntimeError("cadet-cli wrote no solution") from error
    if found.shape != (len(TIMES_S), len(faces) + 1):
        raise RuntimeError(f"cadet-cli wrote {found.shape} numbers, not {(len(TIMES_S), len(faces) + 1)}")
    return statistics.median(seconds), accuracy(found[:, 0], faces[:-1], faces[1:], found[-1, 1:-1])


@cache
def exact() -> tuple[np.ndarray, np.ndarray]:
    """Solute at `TIMES_S`, and the moments 0 to 3 of L at the end: closed equations, LSODA at 1e-11."""
    from scipy.integrate import solve_ivp

    def slope(_: float, y: np.ndarray) -> list[float]:
        s = (y[4] - SOLUBILITY) / SOLUBILITY
        born, g = NUCLEATION * s**ORDER, GROWTH * s * 1e6
        # moments in um^k
        m = [born, g * y[0] + born, 2 * g * y[1] + born, 3 * g * y[2] + born]
        return [*m, -DENSITY * SHAPE * 1e-18 * m[3]]

    found = solve_ivp(
        slope, (0.0, TIMES_S[-1]), [0.0, 0.0, 0.0, 0.0, SUPPLIED], method="LSODA", t_eval=TIMES_S,
        rtol=1e-11, atol=[1e-3, 1e-3, 1e-3, 1e-3, 1e-14],
    )  # fmt: skip
    return found.y[4], found.y[:4, -1] * 1e-6 ** np.arange(4)


def accuracy(solute: np.ndarray, low_m: np.ndarray, high_m: np.ndarray, density: np.ndarray) -> Accuracy:
    """Errors of the solute at `TIMES_S` and of cells with these densities (1/m^4) at the end."""
    right, moments = exact()
    found = [float(density @ (high_m ** (k + 1) - low_m ** (k + 1))) / (k + 1) for k in range(4)]
    mean, exact_mean = found[1] / found[0], moments[1] / moments[0]
    return Accuracy(
        c=float(abs(solute[-1] / right[-1] - 1)),
        c_worst=float(np.max(np.abs(solute / right - 1))),
        number=float(abs(found[0] / moments[0] - 1)),
        mean=float(abs(mean / exact_mean - 1)),
        cv=float(np.sqrt(found[2] / found[0] - mean**2) / mean),
        mass_drift=float((solute[-1] + DENSITY * SHAPE * found[3]) / SUPPLIED - 1),
        least_density_per_m4=float(density.min()),
    )


def _of_history(history: History) -> Accuracy:
    # the times of a history begin after 0
    last = history.distributions[-1]
    low, high = 2.0 * last.low_m, 2.0 * last.high_m
    wide = high > low
    solute = np.concatenate(([SUPPLIED], history.dissolved_mol_m3))
    return accuracy(solute, low[wide], high[wide], last.number_per_m3[wide] / (high - low)[wide])


def ours() -> dict[str, tuple[Callable[[], History], str]]:
    """What perolux runs: by name, the call and what it is."""
    model = PowerLawGrowth(NUCLEATION, ORDER, GROWTH, 1.0, ENTRY_M, SHAPE, DENSITY)
    tank = constant_conditions(solubility_mol_m3=SOLUBILITY, supplied_mol_m3=SUPPLIED)
    times = TIMES_S[1:]

    def cells(count: int) -> Callable[[], History]:
        return lambda: grow_finite_volume(model, tank, times, largest_m=0.5 * LARGEST_M["lin"], cells=count)

    found: dict[str, tuple[Callable[[], History], str]] = {
        "cohorts": (lambda: grow(model, tank, times, tolerance=5e-5), "cohorts, tolerance 5e-5")
    }
    for count in (100, 200, 400):
        found[f"lin {count}"] = (cells(count), f"finite volumes, {count} even cells")
    return found


def run() -> list[dict[str, Any]]:
    """Rows: beside each run of CADET the same scheme and grid where perolux has it, else the cohorts."""
    mine = {}
    for key, (call, what) in ours().items():
        mine[key] = (median_cpu(call, repeats=REPEATS), _of_history(call()), what)
    binary, about = find_cadet()
    rows, used = [], set()
    for scheme, kind, cells in CADET_RUNS:
        if binary is None:
            break
        key = f"{kind} {cells}" if scheme == "HR-Koren" and kind == "lin" else "cohorts"
        seconds, good, what = mine[key]
        used.add(key)
        peer = f"{about}, {scheme}, {cells} {'even' if kind == 'lin' else 'logarithmic'} cells"
        name = f"batch of power laws, 100 times to 18000 s, {what}"
        try:
            peer_seconds, peer_good = run_cadet(binary, scheme, kind, cells)
        except RuntimeError as error:
            rows.append(row(name, seconds, peer=peer, accuracy=str(good), note=f"peer not run: {error}"))
            continue
        rows.append(
            row(
                name, seconds, peer=peer, peer_seconds=peer_seconds, accuracy=f"{good}; peer {peer_good}",
                note="peer: a process of its own, start and files included",
            )
            | {"errors": asdict(good), "peer_errors": asdict(peer_good)}
        )  # fmt: skip
    for key, (seconds, good, what) in mine.items():
        if key not in used:
            name = f"batch of power laws, 100 times to 18000 s, {what}"
            note = f"CADET-Core not run: {about}" if binary is None else ""
            rows.append(row(name, seconds, accuracy=str(good), note=note) | {"errors": asdict(good)})
    return rows


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.cadet_batch", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    rows = run()
    if options.json:
        print(json.dumps(rows, indent=2, allow_nan=False))
        return 0
    for one in rows:
        peer = f"; {one['peer']}: " if one["peer"] else ""
        if one["ratio"] is not None:
            peer += f"{one['peer_seconds_median']:.4g} s, ratio {one['ratio']:.3g}"
        print(f"{one['name']}: {one['seconds_median']:.4g} s{peer}")
        print(f"    {one['accuracy'] or ''}{'; ' + one['note'] if one['note'] else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
