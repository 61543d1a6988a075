"""`SizeInversion`: the sizes that a spectrum allows, by parameter set, with what they rest on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from perolux.inference.platelet_basis import PlateletAmounts
from perolux.inference.tikhonov import Resolution
from perolux.quantities import Value

__all__ = ["Basis", "Choice", "Pooled", "Sample", "SetInversion", "SizeInversion"]

FloatArray = npt.NDArray[np.float64]
Basis = Literal["cubes", "platelets", "both"]


@dataclass(frozen=True)
class Sample:
    """A number with its 95 % interval from noise alone, under one parameter set."""

    median: float
    low95: float
    high95: float

    def as_dict(self) -> dict[str, float]:
        """Plain dictionary for JSON."""
        return {"median": self.median, "low95": self.low95, "high95": self.high95}


@dataclass(frozen=True)
class Choice:
    """One way to choose lambda, and what comes out with it: number mean and cv, degrees of freedom."""

    weight: float
    mean_edge_nm: float
    cv: float
    freedom: float

    def as_dict(self) -> dict[str, float]:
        """Plain dictionary for JSON."""
        return {
            "lambda": self.weight,
            "mean_edge_nm": self.mean_edge_nm,
            "cv": self.cv,
            "freedom": self.freedom,
        }


@dataclass(frozen=True)
class Pooled:
    """A number over all parameter sets; the bounds hold noise, the spread of the sets, the unknown energies
    (gap, Stokes shift) and the unknown width of one size. None: the data give no such bound."""

    sets: dict[str, float]
    median: float | None
    low95: float
    high95: float | None

    def as_dict(self) -> dict[str, Any]:
        """The four keys of the JSON contract."""
        return {"sets": self.sets, "median": self.median, "low95": self.low95, "high95": self.high95}


@dataclass(frozen=True, eq=False)
class SetInversion:
    """The size distribution under one parameter set. Arrays over edge_nm (n,).

    density: crystals per nm of edge, area 1 (median of the posterior, normalised); density_low95 and
    density_high95: its 95 % band, point by point. light: share of the light (of the volume in an absorbance)
    per step of ln edge. mean_edge_nm, cv: by number. light_edge_nm: mean edge of the light. gcv, l_curve:
    with one lambda each. tikhonov, tikhonov_light_edge_nm: the second method. evidence: of each lambda.
    resolution: point spread of each edge; limit_nm: largest edge whose point spread is narrower than half of
    it. misfit: chi2 over its degrees of freedom. effective: size of the draws (small: intervals are coarse).
    number_per_litre: from an absorbance with its path. stokes_offset_ev: of a PL beside an absorbance, from
    the Stokes shift on record. fitted: the first record as the fit has it.
    """

    set_name: str
    edge_nm: FloatArray
    density: FloatArray
    density_low95: FloatArray
    density_high95: FloatArray
    light: FloatArray
    mean_edge_nm: Sample
    cv: Sample
    light_edge_nm: Sample
    gcv: Choice
    l_curve: Choice
    tikhonov: Choice
    tikhonov_light_edge_nm: float
    evidence: dict[float, float]
    resolution: Resolution
    limit_nm: float
    light_beyond_limit: float
    misfit: float
    effective: float
    number_per_litre: Sample | None
    stokes_offset_ev: float | None
    fitted: FloatArray = field(repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary for JSON: numbers; the density stands in the table (`SizeInversion.rows`)."""
        chosen = [
            int(np.argmin(np.abs(self.edge_nm - size))) for size in (3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 12.0)
        ]
        return {
            "mean_edge_nm": self.mean_edge_nm.as_dict(),
            "cv": self.cv.as_dict(),
            "light_edge_nm": self.light_edge_nm.as_dict(),
            "regularisation": {
                "gcv": self.gcv.as_dict(),
                "l_curve": self.l_curve.as_dict(),
                "tikhonov": {**self.tikhonov.as_dict(), "light_edge_nm": self.tikhonov_light_edge_nm},
            },
            "resolution_nm": [
                {
                    "edge_nm": float(self.edge_nm[j]),
                    "low": _or_none(self.resolution.low_nm[j]),
                    "high": _or_none(self.resolution.high_nm[j]),
                }
                for j in dict.fromkeys(chosen)
            ],
            "limit_nm": self.limit_nm,
            "light_beyond_limit": self.light_beyond_limit,
            "misfit": self.misfit,
            "effective_draws": self.effective,
            "number_per_litre": None if self.number_per_litre is None else self.number_per_litre.as_dict(),
            "stokes_offset_ev": self.stokes_offset_ev,
        }


@dataclass(frozen=True, eq=False)
class SizeInversion:
    """What a spectrum says of the sizes behind it (`invert_spectrum`).

    mean_edge_nm, cv, light_edge_nm: over all sets; None without cubes, with the reason in `reasons`. kind:
    "interval", or "lower-bound" where the mean has no upper bound. by_set: cubes by parameter set. platelets:
    by rival (ladders on record, the model of each set). For basis "both": criterion, Schwarz's of cubes,
    platelets and both under each set, the best 0; supported, what has the least; platelet_share,
    of the light.
    """

    file: str
    label: str
    records: tuple[str, ...]
    material: str
    temperature_k: float
    basis: Basis
    kind: str | None
    mean_edge_nm: Pooled | None
    cv: Pooled | None
    light_edge_nm: Pooled | None
    by_set: dict[str, SetInversion]
    platelets: dict[str, PlateletAmounts]
    platelet_share: dict[str, dict[str, Any]]
    criterion: dict[str, dict[str, float]]
    supported: dict[str, str]
    options: dict[str, Any]
    flags: tuple[str, ...]
    notes: tuple[str, ...]
    reasons: dict[str, str]
    rests_on: tuple[Value, ...]

    def __repr__(self) -> str:
        if self.mean_edge_nm is None:
            text = ", ".join(f"{name} {one.mean[0]:.2f} ML" for name, one in self.platelets.items())
            return f"<SizeInversion of {self.label!r}: platelets, mean {text}>"
        sets = ", ".join(
            f"{name} {one.mean_edge_nm.median:.2f} nm cv {one.cv.median:.3f}"
            for name, one in self.by_set.items()
        )
        high = self.mean_edge_nm.high95
        bound = f"above {self.mean_edge_nm.low95:.1f} nm" if high is None else (
            f"{self.mean_edge_nm.low95:.1f} to {high:.1f} nm"
        )  # fmt: skip
        return f"<SizeInversion of {self.label!r}: mean edge {bound} (95 %); {sets}>"

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionary for JSON; what is missing is null with its reason."""
        return {
            "file": self.file,
            "label": self.label,
            "records": list(self.records),
            "material": self.material,
            "temperature_k": self.temperature_k,
            "basis": self.basis,
            "size_convention": "edge of the core of a cube including both outer half cells; means by number",
            "kind": self.kind,
            "mean_edge_nm": None if self.mean_edge_nm is None else self.mean_edge_nm.as_dict(),
            "cv": None if self.cv is None else self.cv.as_dict(),
            "light_edge_nm": None if self.light_edge_nm is None else self.light_edge_nm.as_dict(),
            "sets": {name: one.as_dict() for name, one in self.by_set.items()},
            "platelets": {name: one.as_dict() for name, one in self.platelets.items()},
            "platelet_share": self.platelet_share,
            "criterion": self.criterion,
            "supported": self.supported,
            "options": self.options,
            "flags": list(self.flags),
            "notes": list(self.notes),
            "reasons": self.reasons,
            "rests_on": [value.key for value in self.rests_on],
        }

    def rows(self) -> list[dict[str, Any]]:
        """One row for each set and edge (or rival and monolayers): the table that --out writes."""
        found: list[dict[str, Any]] = []
        for name, one in self.by_set.items():
            for j, edge in enumerate(one.edge_nm):
                found.append(
                    {
                        "set": name, "edge_nm": float(edge), "density_per_nm": float(one.density[j]),
                        "low95": float(one.density_low95[j]), "high95": float(one.density_high95[j]),
                        "share_of_light": float(one.light[j]),
                        "resolution_low_nm": _or_none(one.resolution.low_nm[j]),
                        "resolution_high_nm": _or_none(one.resolution.high_nm[j]), "monolayers": None,
                    }
                )  # fmt: skip
        for name, two in self.platelets.items():
            for m, share, low, high in zip(
                two.lines.monolayers, two.share, two.low95, two.high95, strict=True
            ):
                row = dict.fromkeys(
                    ("edge_nm", "density_per_nm", "resolution_low_nm", "resolution_high_nm"), None
                )
                shown = {
                    "low95": float(low),
                    "high95": float(high),
                    "share_of_light": float(share),
                    "monolayers": m,
                }
                found.append({"set": name, **row, **shown})
        return found


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
