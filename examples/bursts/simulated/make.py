"""Makes the simulated data of this folder, with a known truth: python make.py. No instrument has seen them.

Photon numbers, lifetimes and all else are assumed; each file says the numbers that made it.
"""

from pathlib import Path

import numpy as np

from perolux.collective.backwards.data import burst_data
from perolux.collective.backwards.files import middles_to_edges
from perolux.collective.backwards.simulate import simulated_counts
from perolux.collective.instruments.response import GaussianBlur
from perolux.quantities.constants import HC_EV_NM

HERE = Path(__file__).parent
TIMES = np.arange(-39.0, 400.0, 2.0)
FLUENCES = np.array([10.0, 50.0, 250.0])
TRUTHS = {
    "superfluorescence": {
        "lifetime_ps": 400.0, "saturation_fluence": 100.0, "coupled_number": 20.0,
        "dephasing_over_gamma": 10.0, "uncoupled_share": 0.3,
    },
    "amplified": {
        "lifetime_ps": 400.0, "saturation_fluence": 100.0, "gain_length": 10.0, "guided_share": 0.1,
        "transit_ps": 1.0,
    },
    "biexciton": {
        "lifetime_ps": 400.0, "saturation_fluence": 100.0, "auger_ps": 40.0, "radiative_scaling": 3.0,
    },
}  # fmt: skip
BESIDE = {"pulse_ps": 0.0, "background_per_ps": 0.3}
LINES = {"energy_ev": 2.35, "width_mev": 60.0, "shift_mev": -40.0, "width_ratio": 0.5}


def head(name, truth):
    told = ", ".join(f"{key} {value:g}" for key, value in truth.items())
    return [f"# SIMULATED by make.py, model {name}: {told}", "# response: Gaussian of 4 ps (FWHM)"]


def main():
    edges = middles_to_edges(TIMES)
    for k, (name, own) in enumerate(TRUTHS.items()):
        truth = own | BESIDE
        axes = burst_data(
            edges, np.full((3, len(TIMES)), 50.0), GaussianBlur(4.0), fluences=FLUENCES,
            zero_ps=(-10.0, 10.0), join=False,
        )  # fmt: skip
        made = simulated_counts(name, truth, axes, np.full(3, 15_000.0), np.random.default_rng(k))
        lines = [*head(name, truth), "fluence (uJ/cm2)," + ",".join(f"{f:g}" for f in FLUENCES)]
        lines.append("time_ps,counts,counts,counts")
        for i, t in enumerate(TIMES):
            lines.append(f"{t:g}," + ",".join(f"{n:.0f}" for n in made.traces[:, i]))
        (HERE / f"{name}_series.csv").write_text("\n".join(lines) + "\n")
    name, truth = "superfluorescence", TRUTHS["superfluorescence"] | BESIDE | LINES
    wavelengths = np.arange(500.0, 560.1, 1.5)
    borders = HC_EV_NM / middles_to_edges(wavelengths)[::-1]
    times = np.arange(-39.0, 260.0, 2.0)
    axes = burst_data(
        middles_to_edges(times), np.full((1, len(times), len(wavelengths)), 5.0), GaussianBlur(4.0),
        fluences=np.array([250.0]), zero_ps=(-10.0, 10.0), energy_edges_ev=borders, join=False,
    )  # fmt: skip
    made = simulated_counts(name, truth, axes, np.array([40_000.0]), np.random.default_rng(9))
    lines = [*head(name, truth), "# fluence = 250 uJ/cm2"]
    lines.append("time_ps\\wavelength_nm," + ",".join(f"{x:g}" for x in wavelengths))
    for t, row in zip(times, made.counts[0][:, ::-1], strict=True):
        lines.append(f"{t:g}," + ",".join(f"{n:.0f}" for n in row))
    (HERE / "superfluorescence_streak.csv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
