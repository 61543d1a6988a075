"""How many emitters a burst looks like, and what one excitation of an assembly does in equilibrium.

Coupled number of a burst: the N of identical emitters at one place whose exact burst has the same photon
rate at its peak for each emitter, I_peak/(N Gamma). 1 where the peak does not exceed the start.
Coupled number of one excitation: the largest collective rate over Gamma.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from perolux.collective.couplings import Couplings
from perolux.collective.dicke import dicke_burst
from perolux.collective.single_excitation import modes
from perolux.errors import OptionError
from perolux.quantities.constants import BOLTZMANN_EV_PER_K

__all__ = ["burst_coupled_number", "peak_per_emitter", "thermal_single"]


@cache
def peak_per_emitter(emitters: int) -> float:
    """I_peak/(N Gamma) of N identical emitters at one place, all excited at first."""
    return dicke_burst(emitters).i_peak / emitters


def burst_coupled_number(peak: float, emitters: int) -> float:
    """N of identical emitters with the same peak for each of them; linear between whole numbers.

    peak: in Gamma, of `emitters` that were excited. 1 for a peak at the start (I = N Gamma); never above 1.05
    times `emitters`, as nothing emits more than all at one place, apart from errors of the method.

    >>> round(burst_coupled_number(22.75912, 10), 3), burst_coupled_number(10.0, 10)
    (10.0, 1.0)
    """
    if emitters < 1 or not peak >= 0.0:
        raise OptionError(f"a peak of {peak:g} Gamma of {emitters} emitters")
    wanted = peak / emitters
    if wanted <= 1.0 + 1e-9:
        return 1.0
    low, high = 2, max(int(1.05 * emitters) + 2, 4)
    if wanted >= peak_per_emitter(high):
        return float(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if peak_per_emitter(middle) <= wanted else (low, middle)
    a, b = peak_per_emitter(low), peak_per_emitter(high)
    return low + (wanted - a) / (b - a)


def thermal_single(between: Couplings, temperature_k: float, unit_mev: float) -> tuple[float, float]:
    """Rate over Gamma and mean energy of the light (in hbar Gamma) of one excitation in equilibrium.

    p_nu ~ exp(-E_nu/kT) over the collective modes, rate sum p Gamma_nu, energy sum p Gamma_nu E_nu/rate.
    unit_mev: hbar Gamma. What an excitation that thermalises before it emits would do; whether it does is not
    known.
    """
    rates, energies, _ = modes(between)
    kt = 1e3 * BOLTZMANN_EV_PER_K * temperature_k / unit_mev
    weight = np.exp(-(energies - np.min(energies)) / kt)
    weight /= np.sum(weight)
    rate = float(np.sum(weight * rates))
    return rate, float(np.sum(weight * rates * energies) / rate)
