"""What kinds of data of a burst are expected to tell: spread of each parameter, by Fisher's matrix.

    python tools/burst_fit_known.py [MODEL]

Clear cases of `perolux.collective.backwards.study`, 30 000 photons in all; a number is the standard deviation
over that of the prior (1: nothing is learnt), with the parameter that it goes with where the two cannot be
told apart.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np

from perolux.collective.backwards.data import BurstData
from perolux.collective.backwards.identify import Known, expected_knowledge
from perolux.collective.backwards.likelihood import burst_problem
from perolux.collective.backwards.models import MODELS
from perolux.collective.backwards.study import TYPICAL, study_axes
from perolux.collective.instruments.response import GaussianBlur

_PHOTONS = 30_000.0
_LINES = {"energy_ev": 2.4, "width_mev": 20.0, "shift_mev": -15.0, "width_ratio": 1.0}


def kinds() -> dict[str, BurstData]:
    """Axes by what is measured; counts are even and set only the sums."""
    series = study_axes(_PHOTONS / 3.0)
    weak, strong = (
        replace(series, counts=3.0 * series.counts[k : k + 1], fluences=series.fluences[k : k + 1])
        for k in (1, 2)
    )
    energies = np.linspace(2.2, 2.6, 25)
    return {
        "series": series,
        "yields too": replace(series, same_exposure=True),
        "trace at 50": weak,
        "trace at 250": strong,
        "image at 250": replace(
            strong, counts=np.repeat(strong.counts / 24.0, 24, axis=2), energy_edges_ev=energies
        ),
        "series, 30 ps": replace(series, response=GaussianBlur(30.0)),
    }  # fmt: skip


def knowledge(model: str, data: BurstData) -> tuple[Known, ...]:
    """Expected knowledge of a clear case of the model."""
    problem = burst_problem(model, data)
    return expected_knowledge(problem, {one.name: (TYPICAL | _LINES)[one.name] for one in problem.priors})


def main() -> None:
    """A table for each model, parameters down and kinds of data across."""
    for model in sys.argv[1:] or MODELS:
        columns = {kind: {one.name: one for one in knowledge(model, data)} for kind, data in kinds().items()}
        print(f"\n{model}\n| | " + " | ".join(columns) + " |")
        for name in columns["image at 250"]:
            cells = []
            for found in columns.values():
                one = found.get(name)
                tied = one is not None and abs(one.correlation) > 0.9
                cells.append("" if one is None else f"{one.left:.2g}" + (f" ({one.partner})" if tied else ""))
            print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
