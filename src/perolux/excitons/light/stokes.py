"""The Stokes shift between the first exciton in absorption and the photoluminescence peak: a stated prior.

Nothing in the first exciton's calculation gives the shift, so it enters as a uniform prior (kind "assumed")
with a choice of how it depends on size. Both models are rivals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.excitons.assumptions import assumption
from perolux.quantities import Value

__all__ = ["STOKES_MODELS", "StokesModel", "StokesName", "stokes_model"]

StokesName = Literal["constant", "inverse-edge"]
STOKES_MODELS: tuple[StokesName, ...] = get_args(StokesName)


@dataclass(frozen=True)
class StokesModel:
    """S(L) = shift x scale(L); the shift is a range (a uniform prior) in eV, so S stays within it.

    name "constant": scale 1. name "inverse-edge": scale 1 up to the reference edge, then reference / L:
    larger cubes shift less.
    """

    name: StokesName
    shift_ev: Value
    reference_edge: Value | None = None

    def scale(self, edge_nm: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Dimensionless factor of the shift at each edge, at most 1."""
        edges = np.asarray(edge_nm, dtype=float)
        if self.reference_edge is None:
            return np.ones_like(edges)
        return np.minimum(self.reference_edge.number / edges, 1.0)

    @property
    def records(self) -> tuple[Value, ...]:
        """The assumptions of this model."""
        return (self.shift_ev,) if self.reference_edge is None else (self.shift_ev, self.reference_edge)


def stokes_model(name: str = "constant") -> StokesModel:
    """The Stokes model of that name with its prior range.

    >>> stokes_model("inverse-edge").scale(8.0).item()
    0.5
    """
    if name == "constant":
        return StokesModel("constant", assumption("stokes_shift_ev"))
    if name == "inverse-edge":
        small, reference = assumption("stokes_shift_small_ev"), assumption("stokes_reference_edge_nm")
        return StokesModel("inverse-edge", small, reference)
    raise OptionError(f"unknown Stokes model {name!r}", allowed=", ".join(STOKES_MODELS))
