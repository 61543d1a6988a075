"""g factors of electron and hole from the band structure (four-band form, recalled and not verified)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError

__all__ = ["electron_g_factor", "hole_g_factor", "remote_g_for_exciton"]

FloatArray = npt.NDArray[np.float64]


def hole_g_factor(gap_ev: npt.ArrayLike, kane_ev: npt.ArrayLike, spin_orbit_ev: npt.ArrayLike) -> FloatArray:
    """g_h = 2 - (2/3) Ep [1/Eg - 1/(Eg + Delta)], without remote bands; arrays broadcast.

    Ep in the convention of `materials.kane`; which Ep fits is not settled: 28 eV, from a two-band reading of
    the light mass, would make g_h about -1. Kind of the form: recalled.
    """
    gap, spin_orbit = _positive(gap_ev), _positive(spin_orbit_ev)
    return np.asarray(2.0 - 2.0 / 3.0 * _positive(kane_ev) * (1.0 / gap - 1.0 / (gap + spin_orbit)))


def electron_g_factor(
    gap_ev: npt.ArrayLike, kane_ev: npt.ArrayLike, remote_g: npt.ArrayLike = 0.0
) -> FloatArray:
    """g_e = -2/3 + (2/3) Ep/Eg + dg_e, dg_e from remote bands (records `g_factor_remote`); recalled form."""
    return np.asarray(
        (_positive(kane_ev) / _positive(gap_ev) - 1.0) * 2.0 / 3.0 + np.asarray(remote_g, dtype=float)
    )


def remote_g_for_exciton(
    g_exciton: npt.ArrayLike, gap_ev: npt.ArrayLike, kane_ev: npt.ArrayLike, spin_orbit_ev: npt.ArrayLike
) -> FloatArray:
    """The dg_e with which g_e + g_h is a measured exciton g factor: a calibration.

    >>> round(float(remote_g_for_exciton(2.35, 2.342, 12.0, 1.5)), 2)
    -1.07
    """
    known = electron_g_factor(gap_ev, kane_ev) + hole_g_factor(gap_ev, kane_ev, spin_orbit_ev)
    return np.asarray(np.asarray(g_exciton, dtype=float) - known)


def _positive(values: npt.ArrayLike) -> FloatArray:
    array = np.asarray(values, dtype=float)
    if not bool(np.all(np.isfinite(array) & (array > 0))):
        raise OptionError("gap, Kane energy and spin-orbit splitting must be positive numbers")
    return array
