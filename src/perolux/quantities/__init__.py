"""Floor 0: numbers with provenance, fundamental constants, units at the edge, citations.

`Value` is a number with sigma, unit, kind, source and valid range. Constants are CODATA records. Unit text
is parsed only here; inside the program the unit is in the name (`edge_nm`, `gap_ev`).
"""

from perolux.quantities.citations import Reference, bibliography, citation_keys, reference, to_bibtex
from perolux.quantities.units import SPECTRAL_UNITS, convert_spectral, parse_quantity
from perolux.quantities.value import KINDS, Kind, Value

__all__ = [
    "KINDS",
    "SPECTRAL_UNITS",
    "Kind",
    "Reference",
    "Value",
    "bibliography",
    "citation_keys",
    "convert_spectral",
    "parse_quantity",
    "reference",
    "to_bibtex",
]
