"""Chromaticities of spectra by luxpy, in an environment of its own.

luxpy is GPL-3: it is run as a process of its own, never imported here, never a dependency. The Python in
PEROLUX_LUXPY is taken where that is set, else an environment is made in a temporary folder from the package
index (`pip install luxpy matplotlib "numpy<2.4"`); where neither works the answer says why.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["LuxpyColours", "luxpy_colours"]

_NEEDS = ("luxpy==1.12.*", "matplotlib", "numpy<2.4")
_SCRIPT = """
import json, sys, time
import numpy as np
import luxpy
case = json.load(sys.stdin)
table = np.vstack([case["wavelength_nm"], case["power"]])
def colours():
    xyz = luxpy.spd_to_xyz(table, relative=False, cieobs="1931_2")
    return xyz[:, :2] / np.sum(xyz, axis=1, keepdims=True)
xy = colours()
seconds = []
for _ in range(7):
    start = time.process_time()
    colours()
    seconds.append(time.process_time() - start)
print(json.dumps({"xy": xy.tolist(), "seconds": sorted(seconds)[3], "version": luxpy.__version__}))
"""


@dataclass(frozen=True)
class LuxpyColours:
    """xy (m, 2), CPU seconds a call (median) and version; None with a reason where luxpy did not run."""

    xy: Any
    seconds: float | None
    version: str | None
    reason: str = ""


def luxpy_colours(wavelength_nm: Any, power: Any) -> LuxpyColours:
    """CIE 1931 xy of spectra (m, n), power per nm."""
    case = json.dumps(
        {"wavelength_nm": np.asarray(wavelength_nm).tolist(), "power": np.asarray(power).tolist()}
    )
    with tempfile.TemporaryDirectory() as folder:
        python, fault = _environment(Path(folder))
        if python is None:
            return LuxpyColours(None, None, None, fault)
        done = subprocess.run(
            [python, "-W", "ignore", "-c", _SCRIPT], input=case, capture_output=True, text=True, check=False
        )
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [""]
        return LuxpyColours(None, None, None, f"luxpy ended with {done.returncode}: {last[0]}")
    found = json.loads(done.stdout.splitlines()[-1])
    return LuxpyColours(np.array(found["xy"]), found["seconds"], found["version"])


def _environment(folder: Path) -> tuple[str | None, str]:
    """A Python with luxpy, or None and why there is none."""
    given = os.environ.get("PEROLUX_LUXPY")
    if given:
        return (given, "") if Path(given).is_file() else (None, f"PEROLUX_LUXPY = {given!r} is no file")
    python = folder / "bin" / "python"
    try:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, capture_output=True, timeout=300)
        subprocess.run(
            [python, "-m", "pip", "install", "-q", *_NEEDS], check=True, capture_output=True, timeout=900
        )
    except (OSError, subprocess.SubprocessError) as error:
        return None, f"its environment could not be made ({type(error).__name__})"
    return str(python), ""
