"""Measured spectra: readers of instrument files, typed records, and reductions that need no model.

    from perolux.measured import read

    spectra = read("file.csv")        # a SpectrumSet, whatever the layout; recognised by its content
    spectra[0].pl()                   # peak, width, signal to noise of a PL spectrum
    spectra["30 s"].absorption()      # first exciton, steepest slope, scatter of an absorbance spectrum

What a file does not say is asked by an error that names the option to give; nothing physical is guessed in
silence. Everything a reader noticed is a flag (`FLAGS` explains each) or a note of the set. Decays and
correlation histograms come from `read_decay`, photon streams from `read_stream`, other numeric tables from
`read_table`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "read": "perolux.measured.reading",
    "read_bytes": "perolux.measured.reading",
    "read_many": "perolux.measured.reading",
    "read_decay": "perolux.measured.decays",
    "read_facts": "perolux.measured.decays",
    "read_table": "perolux.measured.decays",
    "read_stream": "perolux.measured.streams",
    "PhotonStream": "perolux.measured.photon_stream",
    "write_photon_hdf5": "perolux.measured.photon_hdf5_writing",
    "write_parquet_stream": "perolux.measured.stream_parquet",
    "Decay": "perolux.measured.decays",
    "Spectrum": "perolux.measured.records",
    "SpectrumSet": "perolux.measured.records",
    "FileSource": "perolux.measured.records",
    "reduce_pl": "perolux.measured.pl",
    "PlResult": "perolux.measured.pl",
    "reduce_absorption": "perolux.measured.absorption",
    "AbsorptionResult": "perolux.measured.absorption",
    "FLAGS": "perolux.measured.flags",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'perolux.measured' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
