"""Floor 2: surface. What happens to nanocrystals after their synthesis.

Open so far: anion exchange (`exchange.py`; laws in `exchange_laws`, amounts in
`halide_populations`, rates in `exchange_rates`, miscibility
gap in `miscibility`, where it ends in `segregation`, emission meanwhile in `exchange_light`) and
size-selective precipitation (`fractionation.py`; cuts for a wanted spread in `fraction_design`). What both
assume stands in `priors.toml`. Ligands, traps and the colloid itself are still to come.
"""

from perolux.surface.exchange import Exchange, exchange_halides
from perolux.surface.exchange_laws import mean_field, pairwise
from perolux.surface.exchange_light import band_peaks_ev, exchange_spectra
from perolux.surface.exchange_rates import ExchangeRate, exchange_rate
from perolux.surface.fraction_design import CutDesign, PassOption, design_cuts
from perolux.surface.fractionation import (
    Fraction,
    Fractionation,
    Precipitation,
    fractionate,
    precipitated_share,
)
from perolux.surface.halide_populations import (
    DissolvedHalide,
    HalidePopulation,
    dissolved_salt,
    population_of,
)
from perolux.surface.miscibility import binodal, critical_temperature_k, phase_split, spinodal
from perolux.surface.segregation import EndState

__all__ = [
    "CutDesign",
    "DissolvedHalide",
    "EndState",
    "Exchange",
    "ExchangeRate",
    "Fraction",
    "Fractionation",
    "HalidePopulation",
    "PassOption",
    "Precipitation",
    "band_peaks_ev",
    "binodal",
    "critical_temperature_k",
    "design_cuts",
    "dissolved_salt",
    "exchange_halides",
    "exchange_rate",
    "exchange_spectra",
    "fractionate",
    "mean_field",
    "pairwise",
    "phase_split",
    "population_of",
    "precipitated_share",
    "spinodal",
]
