"""By how much the envelope of truncated Wigner, cumulants and product-state diffusion misses the truth.

    PYTHONPATH=src python tools/calibrate_collective_envelopes.py KEEP.jsonl [--minutes 30] [--every 1/1]
    PYTHONPATH=src python tools/calibrate_collective_envelopes.py KEEP.jsonl --write

Chains, sheets, blocks and disordered clusters of 4 to 12 emitters with near fields, all or some excited, with
spread of energies and dephasing. The truth is the master equation up to 8 emitters and jump trajectories
above. In each number of emitters half of the cases, drawn at random, calibrate and the other half test; 13 to
16 emitters (jump trajectories, step by step) test the extrapolation alone. The first form adds finished
cases to KEEP.jsonl until the minutes of CPU are spent (it continues where it stopped; `1/2` and `2/2` share
the work of two processes); the second writes one row a case (`collective/data/envelope_cases.csv`) and one a
regime (`collective/data/envelopes.csv`). Rounds go over all numbers of emitters: any end is balanced.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from perolux.collective.blocks import blocks, product_state
from perolux.collective.couplings import Couplings, Emitters, FloatArray, couplings
from perolux.collective.cumulants import cumulant_emission
from perolux.collective.diffusion import diffusion_emission
from perolux.collective.master_equation import exact_emission
from perolux.collective.rows import Emission
from perolux.collective.trajectories import trajectory_emission
from perolux.collective.wigner import wigner_emission
from perolux.errors import ConvergenceError

# bursts of a dozen are over by 0.3
TIMES = np.concatenate([np.linspace(0.0, 0.4, 41), np.linspace(0.44, 2.0, 40)])
SIZES, BEYOND = range(4, 13), range(13, 17)
KINDS = ("chain", "row", "sheet", "block", "cluster")
ROUNDS, BEYOND_EVERY = 16, 4
# as `perolux burst` draws them by itself
WIGNER, DIFFUSION = 1000, 200
EXACT = 8
# jump trajectories by number of emitters: 0.3 to 1 % of the excitations
JUMPS = {9: 1500, 10: 1500, 11: 1000, 12: 1000, 13: 300, 14: 200, 15: 150, 16: 100}


@dataclass(frozen=True)
class Case:
    """One drawn case; seed: of its places, detunings, excited emitters and trajectories."""

    name: str
    start: str
    emitters: int
    kind: str
    pitch_nm: float
    sigma: float
    dephasing: float
    seed: int


def cases() -> list[Case]:
    """All cases, round after round; seeded."""
    found = []
    for turn in range(ROUNDS):
        # the last are as dear as all others together
        sizes = [*SIZES, *(BEYOND if turn % BEYOND_EVERY == BEYOND_EVERY - 1 else ())]
        for n in sizes:
            for start in ("all", "some"):
                rng = np.random.default_rng([7, turn, n, start == "all"])
                found.append(
                    Case(
                        f"{start}-{n}-{turn}", start, n, str(rng.choice(KINDS)),
                        float(rng.choice([11.0, 12.5, 15.0, 20.0])),
                        float(rng.choice([0.0, 30.0, 100.0, 300.0])),
                        float(rng.choice([0.0, 0.0, 1.0, 10.0])), int(rng.integers(1 << 30)),
                    )
                )  # fmt: skip
    return found


def emitters_of(case: Case, rng: np.random.Generator) -> Emitters:
    """Places on a lattice with dipoles along z, or a cluster at random with dipoles in all directions."""
    n, pitch = case.emitters, case.pitch_nm
    dipoles = np.tile([0.0, 0.0, 1.0], (n, 1))
    if case.kind == "cluster":
        dipoles = rng.standard_normal((n, 3))
        dipoles /= np.linalg.norm(dipoles, axis=1)[:, None]
        places: list[FloatArray] = []
        while len(places) < n:
            # a ball a third full of spheres of the pitch
            one = rng.uniform(-1.0, 1.0, 3)
            one = one * 0.5 * pitch * (3.0 * n) ** (1.0 / 3.0)
            if all(np.linalg.norm(one - other) >= pitch for other in places):
                places.append(one)
        return Emitters(np.array(places), dipoles, 1.0, 530.0, case.sigma * rng.standard_normal(n))
    narrow, low = int(rng.integers(2, 4)), int(rng.integers(2, 4))
    shape = {
        "chain": (n, 1, 1), "row": (1, 1, n), "sheet": (narrow, -(-n // narrow), 1),
        "block": (2, low, -(-n // (2 * low))),
    }[case.kind]  # fmt: skip
    sites = np.array(list(np.ndindex(*shape)), dtype=float)
    # what is too many is left out at random
    sites = pitch * sites[np.sort(rng.permutation(len(sites))[:n])]
    return Emitters(sites, dipoles, 1.0, 530.0, case.sigma * rng.standard_normal(n))


def truth_of(case: Case, between: Couplings, excited: np.ndarray, rng: np.random.Generator) -> Emission:
    """By the master equation or jump trajectories."""
    start = product_state(blocks(len(between)), excited)
    if len(between) <= EXACT:
        return exact_emission(between, start, TIMES, dephasing=case.dephasing)
    return trajectory_emission(
        between, start, TIMES, trajectories=JUMPS[len(between)], rng=rng, dephasing=case.dephasing
    )


def solved(case: Case) -> dict[str, object]:
    """The case with the courses of all methods: rates and populations at `TIMES`."""
    began, rng = time.process_time(), np.random.default_rng(case.seed)
    between = couplings(emitters_of(case, rng))
    n = len(between)
    excited = np.arange(n)
    if case.start == "some":
        excited = np.sort(rng.permutation(n)[: int(rng.integers(2, n))])
    truth = truth_of(case, between, excited, rng)
    star = case.dephasing
    found = {
        "truth": truth,
        "wigner": wigner_emission(between, excited, TIMES, dephasing=star, rng=rng, trajectories=WIGNER),
        "diffusion": diffusion_emission(
            between, excited, TIMES, dephasing=star, rng=rng, trajectories=DIFFUSION
        ),
    }
    # cumulants run away from some partial excitations: the envelope is that of the other two, as in `burst`
    with contextlib.suppress(ConvergenceError):
        found["cumulant"] = cumulant_emission(between, excited, TIMES, dephasing=star)
    return asdict(case) | {
        "excited": len(excited), "largest_shift": float(np.max(np.abs(between.shift))),
        "rate": {name: one.photon_rate.tolist() for name, one in found.items()},
        "population": {name: one.excited.tolist() for name, one in found.items()},
        "error": {name: one.sigma.tolist() for name, one in found.items()},
        "cpu_s": time.process_time() - began,
    }  # fmt: skip


def finished(keep: Path) -> list[dict[str, object]]:
    """What stands in the file, in the order of the cases; a line that was cut off is left out."""
    known = {}
    for line in keep.read_text("utf-8").splitlines() if keep.exists() else ():
        with contextlib.suppress(json.JSONDecodeError):
            known[json.loads(line)["name"]] = json.loads(line)
    return [known[one.name] for one in cases() if one.name in known]


def main(words: list[str]) -> None:
    """Solve until the minutes are spent, or write the tables."""
    keep = Path(words[0])
    if "--write" in words:
        from envelope_tables import write

        write(finished(keep), TIMES)
        return
    minutes = float(words[words.index("--minutes") + 1]) if "--minutes" in words else 30.0
    part, of = (words[words.index("--every") + 1] if "--every" in words else "1/1").split("/")
    known = {one["name"] for one in finished(keep)}
    for case in cases()[int(part) - 1 :: int(of)]:
        if time.process_time() > 60.0 * minutes:
            break
        if case.name in known:
            continue
        row = solved(case)
        with keep.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        print(case.name, f"{row['cpu_s']:.1f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
