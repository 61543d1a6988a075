"""The light of every nanocrystal of an `Ensemble`, a million of them in about a second.

For each composition and each family of equal proportions the results are computed at knots of size, at the
middle of every range, and interpolated in ln(size) by cubic splines; set by set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.layers import Layers
from perolux.excitons.nanocrystal import LARGEST_NM, Nanocrystal

if TYPE_CHECKING:
    import xarray

    from perolux.ensemble import Ensemble

__all__ = ["POPULATION_QUANTITIES", "population"]
