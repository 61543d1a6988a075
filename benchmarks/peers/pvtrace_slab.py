"""A luminescent slab by pvtrace and by perolux, side by side in one run.

    python -m benchmarks.peers.pvtrace_slab [--json] [--rays 300]

A film of 100 x 100 x 1, index 1.6, optical depth 2.303 for blue at normal incidence on its middle, PLQY 0.9,
test spectra of the reference slab, emission memory `kT` (pvtrace's default) and `full`. pvtrace 2.1 needs
pandas and the old names np.float and np.int, which the worker restores. It runs in an environment of its own:
the Python in PEROLUX_PVTRACE where that is set, else one made in a temporary folder from the package index;
where neither works the rows say why. Seconds are CPU seconds a ray, without import and compiling.

pvtrace follows a ray for 1000 steps at most, as it does by itself; rays that it gives up are told as killed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.timing import median_cpu, row
from perolux.display.pixel_rays import PixelLight, Plate, pixel_light
from perolux.display.reference_slab import reference_slab

__all__ = ["MEMORIES", "run"]

INDEX, DEPTH, PLQY, SIDE = 1.6, 2.302585, 0.9, 100.0
MEMORIES = ("kT", "full")
RAYS, STEPS = 300, 1000
OURS = 200_000
_NAMES = ("t_em", "r_em", "edge_em", "loss", "emissions_per_photon")
_WORKER = Path(__file__).with_name("_pvtrace_worker.py")


def run(rays: int = RAYS) -> list[dict[str, Any]]:
    """One row for each emission memory."""
    with tempfile.TemporaryDirectory() as folder:
        python, fault = _environment(Path(folder))
        return [_compared(memory, python, fault, rays) for memory in MEMORIES]


def _environment(folder: Path) -> tuple[str | None, str]:
    """A Python with pvtrace, or None and why there is none."""
    given = os.environ.get("PEROLUX_PVTRACE")
    if given:
        return (given, "") if Path(given).is_file() else (None, f"PEROLUX_PVTRACE = {given!r} is no file")
    python = folder / "bin" / "python"
    try:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True, timeout=300)
        subprocess.run(
            [python, "-m", "pip", "install", "-q", "pvtrace==2.1.*", "pandas"],
            check=True, capture_output=True, timeout=900,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        return None, f"its environment could not be made ({type(error).__name__})"
    return str(python), ""


def _compared(memory: str, python: str | None, fault: str, rays: int) -> dict[str, Any]:
    slab = reference_slab(INDEX, DEPTH, PLQY, memory=memory)
    plate = Plate(SIDE, 1.0, lit_um=0.0)

    def ours() -> PixelLight:
        return pixel_light(slab, plate, OURS, np.random.default_rng(0), threads=1)

    seconds, found = median_cpu(ours, repeats=5) / OURS, ours()
    name = f"photon through a slab of 100 x 100 x 1, n 1.6, PLQY 0.9, memory {memory}"
    mine = "perolux " + _told({key: getattr(found, key) for key in _NAMES})
    if python is None:
        return row(name, seconds, accuracy=mine, note=f"pvtrace not run: {fault}")
    case = {
        "index": INDEX, "side": SIDE, "thickness": 1.0, "wavelength_nm": slab.wavelength_nm.tolist(),
        "absorption": slab.depth.tolist(), "emission": slab.emission.tolist(), "plqy": PLQY,
        "source_nm": slab.source_nm, "rays": rays, "seed": 1, "method": memory, "most_steps": STEPS,
    }  # fmt: skip
    done = subprocess.run(
        [python, str(_WORKER)], input=json.dumps(case), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [""]
        return row(name, seconds, accuracy=mine, note=f"pvtrace ended with {done.returncode}: {last[0]}")
    peer = json.loads(done.stdout.splitlines()[-1])
    # standard error of pvtrace's count; a ray that it gave up may have ended anywhere
    z = {
        key: max(abs(peer[key] - getattr(found, key)) - peer["killed"], 0.0)
        / np.sqrt(max(getattr(found, key) * (1.0 - getattr(found, key)), 1.0 / rays) / rays)
        for key in _NAMES[:4]
    }
    return row(
        name,
        seconds,
        peer=f"pvtrace {peer['version']}",
        peer_seconds=peer["seconds"] / rays,
        accuracy=f"{mine}; pvtrace {_told(peer)}; {max(z.values()):.1f} sigma apart at most, rays given up "
        "allowed for",
        note=f"{rays} rays of pvtrace ({peer['killed']:.1%} given up after {STEPS} steps), {OURS} photons of "
        "perolux on one thread",
    ) | {"sigmas": z, "peer_rays_per_s": rays / peer["seconds"], "rays_per_s": 1.0 / seconds}


def _told(light: dict[str, float]) -> str:
    return "T {t_em:.3f} R {r_em:.3f} edge {edge_em:.3f} loss {loss:.3f} N {emissions_per_photon:.2f}".format(
        **light
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.pvtrace_slab", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--rays", type=int, default=RAYS, help="rays of pvtrace")
    options = parser.parse_args(arguments)
    rows = run(options.rays)
    if options.json:
        print(json.dumps(rows, indent=2, allow_nan=False))
        return 0
    for one in rows:
        print(f"{one['name']}: {one['seconds_median'] * 1e6:.3g} us a photon")
        if one["ratio"] is not None:
            print(f"    {one['peer']}: {one['peer_seconds_median']:.3g} s a photon, ratio {one['ratio']:.3g}")
        print(f"    {one['accuracy']}; {one['note']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
