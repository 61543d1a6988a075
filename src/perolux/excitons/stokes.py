"""The Stokes shift between the first exciton in absorption and the photoluminescence peak: a stated prior.

Nothing in the first exciton's calculation gives the shift, so it enters as a uniform prior (kind "assumed")
with a choice of how it depends on size. Both models are rivals; the second exciton room deepens this.
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
    """S(L) = shift x scale(L); the shift is a range (a uniform prior) in eV.

    name "constant": scale 1. name "inverse-edge": scale 10 nm / L, so smaller cubes shift more.
    """

    name: StokesName
    shift_ev: Value

    def scale(self, edge_nm: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Dimensionless factor of the shift at each edge."""
        edges = np.asarray(edge_nm, dtype=float)
        return np.ones_like(edges) if self.name == "constant" else 10.0 / edges


def stokes_model(name: str = "constant") -> StokesModel:
    """The Stokes model of that name with its prior range.

    >>> stokes_model("inverse-edge").scale(5.0).item()
    2.0
    """
    if name == "constant":
        return StokesModel("constant", assumption("stokes_shift_ev"))
    if name == "inverse-edge":
        return StokesModel("inverse-edge", assumption("stokes_shift_at_10nm_ev"))
    raise OptionError(f"unknown Stokes model {name!r}", allowed=", ".join(STOKES_MODELS))
