"""Breakage of crystals: how often one breaks, and into what.

    dn(v)/dt = -s(v) n(v) + int_v s(u) b(v given u) n(u) du,   int v b(v given u) dv = u
    s = rate (r/r_ref)^alpha,   b(v given u) = (nu + 2)/u (v/u)^nu

nu = 0 is random scission into two; for -1 < nu < 0 there are (nu + 2)/(nu + 1) pieces on average, mostly
small (standard forms; Ziff and McGrady, J. Phys. A 18, 3027 (1985), give exact solutions).
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError, Problem

__all__ = ["Breakage"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Breakage:
    """A crystal of `reference_radius_m` breaks `rate_per_s` times a second, others in proportion to r^alpha.

    size_exponent: alpha, 0 or more (3: in proportion to the volume). daughter_exponent: nu, above -1 up to 0.
    Sizes are radii or half edges (m). Pieces below the least size of the model dissolve.
    """

    rate_per_s: float
    reference_radius_m: float
    size_exponent: float = 3.0
    daughter_exponent: float = 0.0

    def __post_init__(self) -> None:
        rules = (
            ("rate_per_s", lambda x: 0 <= x < np.inf, "0 or a finite number above it"),
            ("reference_radius_m", lambda x: 0 < x < np.inf, "a finite number above 0"),
            ("size_exponent", lambda x: 0 <= x < np.inf, "0 or a finite number above it"),
            ("daughter_exponent", lambda x: -1 < x <= 0, "above -1, up to 0 (two pieces)"),
        )
        problems = [
            Problem(f"{name} = {getattr(self, name)!r}", "breakage", allowed)
            for name, fine, allowed in rules
            if not isinstance(getattr(self, name), Real) or not fine(getattr(self, name))
        ]
        if problems:
            raise OptionError(problems)

    @property
    def pieces(self) -> float:
        """Pieces of one crystal on average: (nu + 2)/(nu + 1)."""
        return (self.daughter_exponent + 2.0) / (self.daughter_exponent + 1.0)

    def rate_at_per_s(self, radius_m: npt.ArrayLike) -> FloatArray:
        """s (1/s) of crystals of these radii (m)."""
        return (
            self.rate_per_s
            * (np.asarray(radius_m, dtype=float) / self.reference_radius_m) ** self.size_exponent
        )

    def packed(
        self, faces: FloatArray, cube: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Rates of the cells, pieces [parent, cell], and number and r^3 of pieces that dissolve, by parent.

        The pieces in a cell are shared with the neighbour on the side of `cube` on which their mean r^3 lies,
        so that number and volume stay (cell averages; Kumar, Peglow, Warnecke, Heinrich, Moerl, Chem. Eng.
        Sci. 61, 3327 (2006)). Below the first cell the neighbour is the least size, at which they are gone.
        """
        share = np.minimum(faces[None, :] ** 3 / cube[:, None], 1.0)
        below = self.pieces * share ** (self.daughter_exponent + 1.0)
        bulk_below = cube[:, None] * share ** (self.daughter_exponent + 2.0)
        born, bulk = np.diff(below), np.diff(bulk_below)
        excess = bulk - born * cube
        excess[:, -1] = np.minimum(excess[:, -1], 0.0)  # rounding: no parent is above the last cell
        step = np.diff(cube, prepend=faces[0] ** 3)
        up = np.maximum(excess, 0.0)[:, :-1] / step[1:]
        down = np.maximum(-excess, 0.0) / step
        found = born - down
        found[:, :-1] += down[:, 1:] - up
        found[:, 1:] += up
        gone = below[:, 0] + down[:, 0]
        gone_bulk = bulk_below[:, 0] + down[:, 0] * faces[0] ** 3
        return self.rate_at_per_s(np.cbrt(cube)), np.maximum(found, 0.0), gone, gone_bulk
