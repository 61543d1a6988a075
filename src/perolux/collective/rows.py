"""What every method gives: photon rate and population against time, with its error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from perolux.collective.couplings import FloatArray

__all__ = ["Emission"]


@dataclass(frozen=True)
class Emission:
    """Emission of an assembly. times (k,) in 1/Gamma; photon_rate in Gamma (light only, all directions);
    excited: mean number of excited emitters. sigma: standard error of the rate, 0 for exact methods. low,
    high: where the result is a bracket, None otherwise; excited_low, excited_high of the population. g2_zero:
    of the state at the first time. imbalance: largest |d(population)/dt + photons + loss| over N, None where
    it is not known."""

    method: str
    validity: str
    times: FloatArray
    photon_rate: FloatArray
    excited: FloatArray
    sigma: FloatArray
    g2_zero: float | None
    imbalance: float | None = None
    low: FloatArray | None = field(default=None, repr=False)
    high: FloatArray | None = field(default=None, repr=False)
    excited_low: FloatArray | None = field(default=None, repr=False)
    excited_high: FloatArray | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON, as `perolux burst --json` prints it."""
        rows = []
        for i in range(len(self.times)):
            row: dict[str, float | None] = {
                "Gamma_t": float(self.times[i]),
                "photon_rate_over_Gamma": float(self.photon_rate[i]),
                "excited_population": float(self.excited[i]),
                "sigma": float(self.sigma[i]),
            }
            if self.low is not None and self.high is not None:
                # a bracket is never one number
                row |= {"photon_rate_over_Gamma": None, "excited_population": None, "sigma": None}
                row |= {"low": float(self.low[i]), "high": float(self.high[i])}
                if self.excited_low is not None and self.excited_high is not None:
                    row |= {"excited_low": float(self.excited_low[i])}
                    row |= {"excited_high": float(self.excited_high[i])}
            rows.append(row)
        peak = int(np.argmax(self.photon_rate))
        if self.low is not None and self.high is not None:
            return self._head(rows) | {
                "peak": {"low": float(np.max(self.low)), "high": float(np.max(self.high))},
            }
        return self._head(rows) | {
            "peak": {
                "Gamma_t": float(self.times[peak]),
                "photon_rate_over_Gamma": float(self.photon_rate[peak]),
            },
        }

    def _head(self, rows: list[dict[str, float | None]]) -> dict[str, Any]:
        return {
            "method": self.method,
            "validity": self.validity,
            "rows": rows,
            "g2_zero": self.g2_zero,
            "imbalance": self.imbalance,
            "notes": list(self.notes),
        }
