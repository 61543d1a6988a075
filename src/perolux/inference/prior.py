"""`SizePrior`: what is assumed of nanocrystals before their spectrum is seen, with the records behind it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

from perolux.errors import OptionError
from perolux.excitons.assumptions import assumption
from perolux.excitons.light.linewidth import linewidth_records
from perolux.excitons.light.stokes import stokes_model
from perolux.quantities import Value

__all__ = ["WALLS", "SizePrior", "WallsName", "ends"]

WallsName = Literal["layers", "softened", "hard"]
WALLS: tuple[WallsName, ...] = get_args(WallsName)

_RANGES = (
    "edge_nm",
    "relative_size_spread",
    "stokes_shift_ev",
    "hard_wall_excess_ev",
    "homogeneous_fwhm_mev",
)


@dataclass(frozen=True)
class SizePrior:
    """What is assumed before the data; None takes the record of `excitons/assumptions.toml`.

    edge_nm (log-uniform), relative_size_spread, stokes_shift_ev, hard_wall_excess_ev, homogeneous_fwhm_mev
    (uniform): (low, high). stokes: "constant" or "inverse-edge". walls: "layers" (non-parabolic bands; walls
    of finite height and dielectric surroundings each with and without), "softened" (parabolic hard walls put
    small cubes too high by hard_wall_excess_ev at 4 nm) or "hard". linewidth: "single-dot" or "ensemble".
    sets: names of parameter sets; None means all that the material has, with equal weights.
    """

    edge_nm: tuple[float, float] | None = None
    relative_size_spread: tuple[float, float] | None = None
    stokes: str = "constant"
    stokes_shift_ev: tuple[float, float] | None = None
    walls: str = "layers"
    hard_wall_excess_ev: tuple[float, float] | None = None
    linewidth: str = "single-dot"
    homogeneous_fwhm_mev: tuple[float, float] | None = None
    sets: tuple[str, ...] | None = None
    platelet_probability: float | None = None

    def __post_init__(self) -> None:
        for name in _RANGES:
            given = getattr(self, name)
            if given is None:
                continue
            if len(given) != 2:
                raise OptionError("a range needs two ends", where=f"prior.{name}", allowed="(low, high)")
            low, high = float(given[0]), float(given[1])
            if not (math.isfinite(low) and math.isfinite(high) and 0.0 <= low < high):
                raise OptionError(
                    f"not a range: {low:g} to {high:g}",
                    where=f"prior.{name}",
                    allowed="0 <= low < high, finite",
                )
            object.__setattr__(self, name, (low, high))
        if self.edge_nm is not None and self.edge_nm[0] <= 0.0:
            raise OptionError("an edge must be positive", where="prior.edge_nm", allowed="above 0 nm")
        if self.homogeneous_fwhm_mev is not None and self.homogeneous_fwhm_mev[0] <= 0.0:
            raise OptionError(
                "a width must be positive", where="prior.homogeneous_fwhm_mev", allowed="above 0"
            )
        if self.platelet_probability is not None and not 0.0 <= self.platelet_probability <= 1.0:
            raise OptionError("not a probability", where="prior.platelet_probability", allowed="0 to 1")
        if self.walls not in WALLS:
            raise OptionError(f"unknown walls {self.walls!r}", where="prior.walls", allowed=", ".join(WALLS))
        stokes_model(self.stokes)
        linewidth_records(self.linewidth)
        if self.sets is not None:
            object.__setattr__(self, "sets", tuple(self.sets))

    def record(self, name: str) -> Value:
        """One range or number of the prior as a `Value`: the user's where one was given, else the record."""
        if name == "stokes_shift_ev":
            return _given(stokes_model(self.stokes).shift_ev, self.stokes_shift_ev)
        if name == "homogeneous_fwhm_mev" and self.homogeneous_fwhm_mev is not None:
            low, high = self.homogeneous_fwhm_mev
            middle = (low + high) / 2
            return Value(
                middle, "meV", "assumed", "given by the user", low=low, high=high, key=f"prior.{name}"
            )
        if name == "platelet_probability" and self.platelet_probability is not None:
            record = assumption(name)
            return replace(record, number=self.platelet_probability, source="given by the user")
        return _given(assumption(name), getattr(self, name, None))


def ends(value: Value) -> tuple[float, float]:
    """Low and high end of a record that is a range."""
    if value.low is None or value.high is None:
        raise ValueError(f"{value.key} must be a range")
    return value.low, value.high


def _given(record: Value, given: tuple[float, float] | None) -> Value:
    if given is None:
        return record
    middle = (given[0] + given[1]) / 2
    return replace(
        record,
        number=middle,
        low=given[0],
        high=given[1],
        kind="assumed",
        source="given by the user",
        note="",
    )
