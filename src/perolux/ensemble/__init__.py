"""Floor 1: populations of nanocrystals.

An `Ensemble` is a weighted population (sizes, shape, material, phase, surface) as a structure of arrays. It
is made from a `Population` and a size distribution by `quadrature`, `sample` or `from_table`; `mix` unites
ensembles, `compress` makes one smaller. All distributions and weights are by number; the size convention is
always said. What is averaged: a spectrum of an ensemble is the sum over rows of weight times the signal of
one crystal, so that `ensemble.average(signal)` is the signal per crystal.
"""

from perolux.ensemble.combine import CompressionReport, compress, mix
from perolux.ensemble.conventions import SIZE_CONVENTIONS, SizeConvention, from_core, to_core
from perolux.ensemble.distributions import (
    Distribution,
    Fixed,
    Histogram,
    Lognormal,
    Mixture,
    Normal,
    Tabulated,
)
from perolux.ensemble.ensemble import Ensemble, SurfaceColumn
from perolux.ensemble.make import Population, from_table, quadrature, sample
from perolux.ensemble.records import from_xarray, read_parquet, to_xarray, write_parquet
from perolux.ensemble.shapes import SHAPES, Shape

__all__ = [
    "SHAPES",
    "SIZE_CONVENTIONS",
    "CompressionReport",
    "Distribution",
    "Ensemble",
    "Fixed",
    "Histogram",
    "Lognormal",
    "Mixture",
    "Normal",
    "Population",
    "Shape",
    "SizeConvention",
    "SurfaceColumn",
    "Tabulated",
    "compress",
    "from_core",
    "from_table",
    "from_xarray",
    "mix",
    "quadrature",
    "read_parquet",
    "sample",
    "to_core",
    "to_xarray",
    "write_parquet",
]
