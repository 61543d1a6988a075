"""Which combinations of constants a series determines, in numbers and in words.

The information J^T J, in units of the priors' ranges, is split into its eigenvectors: each is a combination
of constants, known to 1/sqrt(eigenvalue) of the range. Gutenkunst et al., PLoS Comput. Biol. 3, e189 (2007)
call the badly known ones sloppy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Direction", "directions", "words_of"]

FloatArray = npt.NDArray[np.float64]
_FIXED, _OPEN = 0.1, 0.5
"""Known to a tenth of the prior's range: fixed; to no better than half of it: open."""
_LEAST_PART = 0.25
_TWINS = 0.95


@dataclass(frozen=True)
class Direction:
    """One combination sum_i part_i u_i of unit length (u: 0 to 1 over each prior), known to `sigma`."""

    parts: dict[str, float]
    sigma: float

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary for JSON; sigma null where the series says nothing."""
        return {"parts": self.parts, "sigma": self.sigma if np.isfinite(self.sigma) else None}

    @property
    def formula(self) -> str:
        """The combination in words, small parts left out."""
        largest = max(abs(x) for x in self.parts.values())
        kept = {name: x for name, x in self.parts.items() if abs(x) >= _LEAST_PART * largest}
        if len(kept) == 1:
            return next(iter(kept))
        terms = [f"{'-' if x < 0 else '+'} {abs(x):.2f} {name}" for name, x in kept.items()]
        text = " ".join(terms)
        return text[2:] if text.startswith("+ ") else text


def directions(jacobian: FloatArray, names: Sequence[str]) -> list[Direction]:
    """Combinations from the best to the worst determined; jacobian: d residual/du, (points, constants)."""
    values, vectors = np.linalg.eigh(jacobian.T @ jacobian)
    found = []
    for value, vector in zip(values[::-1], vectors.T[::-1], strict=True):
        sign = 1.0 if vector[np.argmax(np.abs(vector))] > 0 else -1.0
        sigma = float(1.0 / np.sqrt(value)) if value > 1e-12 * values[-1] else float("inf")
        found.append(Direction({name: float(sign * x) for name, x in zip(names, vector, strict=True)}, sigma))
    return found


def words_of(
    found: Sequence[Direction], correlation: FloatArray | None, names: Sequence[str]
) -> tuple[str, ...]:
    """Sentences: what the series fixes, what it leaves open, which constants it cannot tell apart."""
    lines = []
    for one in found:
        if one.sigma < _FIXED:
            lines.append(f"fixed to {100 * one.sigma:.2g} % of the priors' ranges: {one.formula}")
        elif one.sigma < _OPEN:
            lines.append(f"known to {100 * one.sigma:.2g} % of the priors' ranges: {one.formula}")
        else:
            lines.append(f"left open by the series: {one.formula}")
    if correlation is not None:
        for i in range(len(names)):
            for j in range(i):
                if abs(correlation[i, j]) > _TWINS:
                    lines.append(
                        f"{names[j]} and {names[i]} cannot be told apart by this series "
                        f"(correlation {correlation[i, j]:+.3f})"
                    )
    return tuple(lines)
