"""`SizePosterior`: what the spectrum of a sample says of its size, with what that rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from perolux.fitting.grids import quantiles
from perolux.inference.platelets import PlateletEvidence
from perolux.quantities import Value

__all__ = ["SetInterval", "SizeKind", "SizePosterior"]

FloatArray = npt.NDArray[np.float64]
SizeKind = Literal["interval", "lower-bound"]


@dataclass(frozen=True)
class SetInterval:
    """Size with one parameter set alone; None with a reason where that set does not explain the data."""

    kind: SizeKind | None
    median: float | None
    low95: float | None
    high95: float | None
    reason: str | None

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary for JSON."""
        shown: dict[str, Any] = {"median": self.median, "low95": self.low95, "high95": self.high95}
        return {**shown, "kind": self.kind} if self.reason is None else {**shown, "reason": self.reason}


@dataclass(frozen=True)
class SizePosterior:
    """Posterior over the edge of cubes, with what it rests on. Lengths in nm; densities per nm.

    The edge is that of the core including both outer half cells. edge_density is normalised on edge_nm
    (shape (n,)); spread_density on relative_spread; fraction_density on halide_fraction where the
    composition is open, and joint_density (fraction, edge) shows the line in the (size, composition) plane.
    by_set holds the median and 95 % interval with each parameter set alone.
    """

    material: str
    temperature_k: float
    kind: SizeKind
    median_nm: float
    low68_nm: float
    high68_nm: float | None
    low95_nm: float
    high95_nm: float | None
    edge_nm: FloatArray
    edge_density: FloatArray
    relative_spread: FloatArray
    spread_density: FloatArray
    platelets: PlateletEvidence
    by_set: dict[str, SetInterval]
    stokes_model: str
    rests_on: tuple[Value, ...]
    flags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    halide_fraction: FloatArray | None = field(default=None)
    fraction_density: FloatArray | None = field(default=None)
    joint_density: FloatArray | None = field(default=None)
    fraction_name: str | None = None

    @property
    def platelet_weight(self) -> float | None:
        """Posterior probability of platelets against cubes; None where they were not weighed."""
        return self.platelets.weight

    @property
    def platelet_layers(self) -> dict[str, dict[int, float]]:
        """Weight of each number of monolayers within each rival ladder, given platelets."""
        return self.platelets.layers

    @property
    def spread_median(self) -> float:
        """Median of the relative spread of edges."""
        return float(quantiles(self.relative_spread, self.spread_density, 0.5))

    @property
    def spread_high95(self) -> float:
        """Upper bound of the relative spread of edges (one-sided, 95 %)."""
        return float(quantiles(self.relative_spread, self.spread_density, 0.95))

    def __repr__(self) -> str:
        if self.high95_nm is None:
            size = f"larger than {self.low95_nm:.1f} nm (95 %)"
        else:
            size = f"{self.low95_nm:.1f} to {self.high95_nm:.1f} nm (95 %), median {self.median_nm:.1f} nm"
        sets = ", ".join(
            f"{name} {'none' if one.median is None else format(one.median, '.1f')}"
            for name, one in self.by_set.items()
        )
        weight = self.platelet_weight
        platelets = "platelets not weighed" if weight is None else f"platelet weight {weight:.2f}"
        return f"<SizePosterior of {self.material} cubes: {size}; {platelets}; medians by set: {sets} nm>"

    def as_dict(self) -> dict[str, Any]:
        """The summary as plain JSON: medians and intervals, never the grids; what is missing has a reason."""
        spread = quantiles(self.relative_spread, self.spread_density, [0.025, 0.16, 0.5, 0.84, 0.975, 0.95])
        summary: dict[str, Any] = {
            "edge_nm": {
                "median": self.median_nm,
                "low95": self.low95_nm,
                "high95": self.high95_nm,
                "low68": self.low68_nm,
                "high68": self.high68_nm,
                "sets": {name: one.median for name, one in self.by_set.items()},
            },
            "kind": self.kind,
            "size_convention": "edge of the core of a cube including both outer half cells",
            "platelet_weight": self.platelet_weight,
            "cube_weight": None if self.platelet_weight is None else 1.0 - self.platelet_weight,
            "relative_size_spread": {
                "median": float(spread[2]),
                "low95": float(spread[0]),
                "high95": float(spread[5]),
                "low68": float(spread[1]),
                "high68": float(spread[3]),
            },
            "sets": {name: one.as_dict() for name, one in self.by_set.items()},
            "material": self.material,
            "temperature_k": self.temperature_k,
            "stokes_model": self.stokes_model,
            "flags": list(self.flags),
            "notes": list(self.notes),
            "rests_on": [value.key for value in self.rests_on if value.kind in ("assumed", "recalled")],
        }
        if self.platelets.reason is not None:
            summary["platelet_reason"] = self.platelets.reason
        if (self.platelet_weight or 0.0) > 0.01:
            summary["platelet_layers"] = {
                ladder: {str(n): weight for n, weight in layers.items()}
                for ladder, layers in self.platelet_layers.items()
            }
        if self.halide_fraction is not None and self.fraction_density is not None:
            ends = quantiles(self.halide_fraction, self.fraction_density, [0.025, 0.16, 0.5, 0.84, 0.975])
            names = ("low95", "low68", "median", "high68", "high95")
            summary["halide_fraction"] = {"name": self.fraction_name} | {
                name: float(end) for name, end in zip(names, ends, strict=True)
            }
        return summary

    def plot(self, axes: Any = None) -> Any:
        """Draw the density over the edge (open composition: over edge and fraction), return the axes."""
        if axes is None:
            import matplotlib.pyplot as plt

            axes = plt.subplots(figsize=(5, 3.2), layout="constrained")[1]
        axes.set_xlabel("edge length of a cube (nm)")
        if self.joint_density is not None and self.halide_fraction is not None:
            axes.pcolormesh(self.edge_nm, self.halide_fraction, self.joint_density, shading="nearest")
            axes.set_ylabel(self.fraction_name)
            return axes
        axes.plot(self.edge_nm, self.edge_density)
        axes.axvspan(self.low95_nm, self.high95_nm or self.edge_nm[-1], alpha=0.15)
        axes.set_ylabel("probability density (1/nm)")
        return axes
