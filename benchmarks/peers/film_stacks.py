"""A stack of thin films over wavelengths and angles, by the package tmm and by perolux, side by side.

    python -m benchmarks.peers.film_stacks [--json]

Five films (one absorbs), 301 wavelengths x 81 angles, s and p, R, T and absorption of each film. tmm takes
one wave a call: it is run on every tenth wavelength and angle, and its time scaled by the number of waves.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from importlib.util import find_spec

import numpy as np

from benchmarks.timing import median_cpu
from perolux.display.thin_films import FilmStack, Layer, Polarisation, stack_light

__all__ = ["SideBySide", "side_by_side"]

INDEX = (2.3, 1.46, 2.1 + 0.05j, 1.46, 2.3)
WIDTH_NM = (55.0, 90.0, 120.0, 90.0, 55.0)
BACK = 1.52
NM = np.linspace(400.0, 700.0, 301)
COSINE = np.linspace(0.1, 1.0, 81)
EVERY = 10
KINDS: tuple[Polarisation, ...] = ("s", "p")


@dataclass(frozen=True)
class SideBySide:
    """CPU seconds for all waves (tmm scaled), their ratio, and the largest difference where both were run."""

    waves: int
    seconds: float
    tmm_seconds: float | None
    ratio: float | None
    largest_difference: float | None
    reason: str | None = None


def side_by_side() -> SideBySide:
    """Run both; without tmm only perolux is timed."""
    stack = FilmStack(tuple(Layer(n, d) for n, d in zip(INDEX, WIDTH_NM, strict=True)), 1.0, BACK)
    waves = len(NM) * len(COSINE) * len(KINDS)
    seconds = median_cpu(lambda: [stack_light(stack, NM, COSINE, kind) for kind in KINDS], repeats=3)
    if find_spec("tmm") is None:
        return SideBySide(waves, seconds, None, None, None, "tmm is not installed")
    import tmm

    index, width = [1.0, *INDEX, BACK], [np.inf, *WIDTH_NM, np.inf]
    asked = [(kind, float(nm), float(mu)) for kind in KINDS for nm in NM[::EVERY] for mu in COSINE[::EVERY]]

    def run_tmm() -> list[list[float]]:
        found = []
        for kind, nm, mu in asked:
            one = tmm.coh_tmm(kind, index, width, np.arccos(mu), nm)
            found.append([one["R"], one["T"], *tmm.absorp_in_each_layer(one)[1:-1]])
        return found

    theirs = np.array(run_tmm())
    ours = []
    for kind in KINDS:
        light = stack_light(stack, NM[::EVERY], COSINE[::EVERY], kind)
        ours.append(np.stack([light.reflected, light.transmitted, *light.absorbed], axis=-1).reshape(-1, 7))
    tmm_seconds = median_cpu(run_tmm, repeats=3) * waves / len(asked)
    difference = float(np.max(np.abs(np.concatenate(ours) - theirs)))
    return SideBySide(waves, seconds, tmm_seconds, tmm_seconds / seconds, difference)


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    found = side_by_side()
    if parser.parse_args().json:
        print(json.dumps(asdict(found), indent=2))
        return
    for name, value in asdict(found).items():
        print(f"{name:20} {value}")


if __name__ == "__main__":
    main()
