"""Colours and coverages beside their peers; a slab, a display with its report, designs a second."""

from __future__ import annotations

import statistics
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.luxpy_colour import luxpy_colours
from benchmarks.timing import median_cpu, row
from perolux.design.display_front import display_front
from perolux.display.colour import chromaticity
from perolux.display.emitters import GRID_NM, emitter, gaussian_line
from perolux.display.gamut import coverage, gamut_triangle
from perolux.display.primaries import SPACES, STANDARDS, gamut_of_primaries
from perolux.display.reference_slab import reference_slab
from perolux.display.slab import slab_light
from perolux.display.stack import run_stack
from perolux.display.stack_file import FilmStack, read_stack
from perolux.files import example_path
from perolux.reports.display import write_display_report

DESIGNS = 400


def run() -> list[dict[str, Any]]:
    """The rows; luxpy runs in an environment of its own."""
    slab = reference_slab(1.6, 4.60517, 0.95)
    primaries = [emitter(name) for name in ("KSF6", "G530/22", "G450/20")]
    return [
        *_colours(),
        *_coverages(),
        row(
            "three primaries judged: eight coverages with their spread, white, lm/W",
            median_cpu(lambda: gamut_of_primaries(primaries)),
            note="13 gamuts: the spread of peaks and widths moves each emitter up and down",
        ),
        row(
            "luminescent slab, 301 wavelengths, refined until it is told how well",
            median_cpu(lambda: slab_light(slab)),
            accuracy="+- 5e-6 of T by the last refinement",
            note="bar 10 ms",
        ),
        _display("green_film", "a film in a backlight with its report"),
        _front(),
    ]


def _spectra() -> Any:
    rng = np.random.default_rng(0)
    lines = [
        gaussian_line(c, w)
        for c, w in zip(rng.uniform(420, 680, 2000), rng.uniform(10, 60, 2000), strict=True)
    ]
    return np.stack(lines)


def _colours() -> list[dict[str, Any]]:
    power = _spectra()
    seconds = median_cpu(lambda: chromaticity(GRID_NM, power, "power"))
    ours = np.stack(chromaticity(GRID_NM, power, "power"), axis=1)
    name = "xy of 2000 spectra of 401 points"
    lux = luxpy_colours(GRID_NM, power)
    return [
        *_colour_science(name, power, ours, seconds),
        row(name, seconds, note=f"luxpy not run: {lux.reason}")
        if lux.seconds is None
        else row(
            name, seconds, peer=f"luxpy {lux.version}", peer_seconds=lux.seconds,
            accuracy=f"largest difference {float(np.max(np.abs(lux.xy - ours))):.1g} of xy",
            note="peer: a process of its own (GPL-3), import left out",
        ),
    ]  # fmt: skip


def _colour_science(name: str, power: Any, ours: Any, seconds: float) -> list[dict[str, Any]]:
    import colour

    shape = colour.SpectralShape(380, 780, 1)
    cmfs = colour.MSDS_CMFS["CIE 1931 2 Degree Standard Observer"].copy().align(shape)

    def one_by_one() -> Any:
        return np.array(
            [
                colour.sd_to_XYZ(colour.SpectralDistribution(one, GRID_NM), cmfs, k=1.0, method="Integration")
                for one in power[:50]
            ]
        )

    def at_once() -> Any:
        return colour.msds_to_XYZ(power, cmfs=cmfs, k=1.0, method="Integration", shape=shape)

    rows = []
    for peer, call, scale, note in (
        ("sd_to_XYZ", one_by_one, len(power) / 50, "peer: 50 spectra one by one, scaled"),
        ("msds_to_XYZ", at_once, 1.0, ""),
    ):
        xyz = call()
        xy = xyz[:, :2] / np.sum(xyz, axis=1, keepdims=True)
        rows.append(
            row(
                name, seconds, peer=f"colour-science {peer}",
                peer_seconds=median_cpu(call, repeats=3) * scale,
                accuracy=f"largest difference {float(np.max(np.abs(xy - ours[: len(xy)]))):.1g} of xy",
                note=note,
            )
        )  # fmt: skip
    return rows


def _coverages() -> list[dict[str, Any]]:
    rng = np.random.default_rng(1)
    triangles = [
        np.array([[0.69, 0.3], [0.17, 0.78], [0.15, 0.03]]) + 0.05 * rng.standard_normal((3, 2))
        for _ in range(50)
    ]
    pairs = [(name, space) for name in STANDARDS.values() for space in SPACES.values()]

    def ours() -> Any:
        return np.array([[coverage(one, *pair).coverage for pair in pairs] for one in triangles])

    name, seconds = "eight coverages of 50 triangles", median_cpu(ours)
    if find_spec("shapely") is None:
        return [row(name, seconds, note="shapely is not installed")]
    import shapely

    from perolux.display.gamut import _in_space

    def peer() -> Any:
        found = []
        for one in triangles:
            for standard, space in pairs:
                whole = shapely.Polygon(gamut_triangle(standard, space))
                found.append(shapely.Polygon(_in_space(one, space)).intersection(whole).area / whole.area)
        return np.array(found).reshape(len(triangles), len(pairs))

    return [
        row(
            name, seconds, peer=f"shapely {shapely.__version__}", peer_seconds=median_cpu(peer),
            accuracy=f"largest difference {float(np.max(np.abs(peer() - ours()))):.1g}",
        )
    ]  # fmt: skip


def _display(name: str, what: str) -> dict[str, Any]:
    file = example_path("displays") / f"{name}.toml"
    stack = read_stack(file)
    with tempfile.TemporaryDirectory() as folder:
        computed = median_cpu(lambda: run_stack(stack, file.parent), repeats=3)
        found = run_stack(stack, file.parent)
        seconds = []
        for k in range(3):
            start = time.process_time()
            write_display_report(found, Path(folder) / str(k), file)
            seconds.append(time.process_time() - start)
    written = statistics.median(seconds)
    return row(
        what,
        computed + written,
        note=f"bar 5 s; {computed:.2g} s of it computing, {written:.2g} s the report",
    )


def _front() -> dict[str, Any]:
    file = example_path("displays") / "green_film.toml"
    stack = read_stack(file)
    assert isinstance(stack, FilmStack)
    seconds = median_cpu(lambda: display_front(stack, file.parent, designs=DESIGNS, workers=1), repeats=3)
    return row(
        f"Pareto front, {DESIGNS} designs on one process",
        seconds,
        note=f"{DESIGNS / seconds:.0f} designs a CPU second",
    )
