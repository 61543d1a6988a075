"""What light bursts and decays could be: superfluorescence and its rivals, photons until a time.

Each model gives photons per nanocrystal until t in two bands, `base` and `second`, for each fluence F; x =
F/F_s is the mean number of excitons that a pulse would make in a nanocrystal, p = 1 - exp(-x) the chance of
one or more. Energy is kept in all: every excitation gives one photon (or, in Auger recombination, none).

    superfluorescence  second: domains of N, each emitter excited with p, dephasing g* (`domains`);
                       base: a share q of nanocrystals alone, p exp(-t/tau)
    amplified          p' = -k p [(1 - b) + b A(G)], A = (e^G - 1)/G, G = G0 (p - 1/2)/(1/2);
                       spontaneous light passes a stripe of gain G and takes excitons along (second, spread
                       by the transit time); no delay but the transit
    biexciton          n of Poisson's law with mean x; n -> n - 1 with light k n [1 + (n - 1)(s/2 - 1)],
                       without light A n^2 (n - 1)/4; n = 1: base, n >= 2: second
    fused              second: a share w of the light is absorbed in fused crystals, n' = -n/tau_b - k2 n^2,
                       all light; base: the rest, exp(-t/tau). F enters by F/F_b = k2 n0 tau_b alone
    exponential        two exponentials, independent of F: light that is re-absorbed or wanders changes the
                       lifetime and the colour, not their dependence on F (constant chance of escape)

Sources: `collective.symmetric`; A(G) is the standard one-pass factor of a stripe; statistical scaling of
multiexcitons (Klimov, Annu. Rev. Condens. Matter Phys. 5, 285 (2014): recalled). What the names of parameters
mean stands in `priors.toml`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from perolux.collective.backwards._fit_kernels import chain_of_decays, emptied
from perolux.collective.backwards.domains import domain_photons
from perolux.collective.couplings import FloatArray

__all__ = ["MODELS", "Model", "photons_until"]

Numbers = Mapping[str, float]
Emitted = Callable[[Numbers, FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
_TRANSPARENT = 0.5
_MOST_EXCITONS = 8
# ln(p0/p), fine where gain collapses
_FALL = np.concatenate([np.linspace(0.0, 1.2, 400), np.geomspace(1.22, 40.0, 200)])
_LEFT = np.exp(-_FALL)


@dataclass(frozen=True)
class Model:
    """title: in words. parameters: names of its own, of `priors.toml`. emitted: numbers, fluences (J,), times
    (T,) in ps, 0 and later -> photons until then in `base` and `second`, each (J, T). transit: second is
    spread by `transit_ps`."""

    title: str
    parameters: tuple[str, ...]
    emitted: Emitted
    transit: bool = False


def _occupied(numbers: Numbers, fluences: FloatArray) -> FloatArray:
    return np.asarray(-np.expm1(-fluences / numbers["saturation_fluence"]))


def _exponential(times: FloatArray, lifetime: float) -> FloatArray:
    return np.asarray(-np.expm1(-times / lifetime))


def _superfluorescence(
    numbers: Numbers, fluences: FloatArray, times: FloatArray
) -> tuple[FloatArray, FloatArray]:
    p = _occupied(numbers, fluences)
    alone, tau = numbers["uncoupled_share"], numbers["lifetime_ps"]
    together = domain_photons(
        numbers["coupled_number"], numbers["dephasing_over_gamma"], p, times / tau
    )  # fmt: skip
    return alone * p[:, None] * _exponential(times, tau), (1.0 - alone) * together


def _amplified(numbers: Numbers, fluences: FloatArray, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    tau, gain, guided = numbers["lifetime_ps"], numbers["gain_length"], numbers["guided_share"]
    base, second = np.empty((2, len(fluences), len(times)))
    starts = _occupied(numbers, fluences)
    emptied(starts, tau, gain, guided, _TRANSPARENT, _FALL, _LEFT, times, base, second)
    return base, second


def _biexciton(numbers: Numbers, fluences: FloatArray, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    tau, auger, s = numbers["lifetime_ps"], numbers["auger_ps"], numbers["radiative_scaling"]
    n = np.arange(1.0, _MOST_EXCITONS + 1.0)
    light = n * (1.0 + (n - 1.0) * (0.5 * s - 1.0)) / tau
    out = light + n**2 * (n - 1.0) / (4.0 * auger)
    x = fluences / numbers["saturation_fluence"]
    base, second = np.empty((2, len(x), len(times)))
    chain_of_decays(times, light, out, _poisson(x, len(n)), base, second)
    return base, second


def _poisson(x: FloatArray, most: int) -> FloatArray:
    """Chance of 1..most excitons, (len(x), most); what would be more counts as the most."""
    from scipy.special import gammaln

    n = np.arange(0.0, most + 1.0)
    chance = np.exp(n * np.log(x)[:, None] - x[:, None] - gammaln(n + 1.0))
    chance[:, -1] += np.maximum(1.0 - chance.sum(axis=1), 0.0)
    return np.asarray(chance[:, 1:])


def _fused(numbers: Numbers, fluences: FloatArray, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    tau, share = numbers["lifetime_ps"], numbers["second_share"]
    left = np.exp(-times / (tau * numbers["lifetime_ratio"]))
    b = (fluences / numbers["bimolecular_fluence"])[:, None]
    # n/n0 = e/(1 + b (1 - e)); all that is gone was light
    gone = 1.0 - left / (1.0 + b * (1.0 - left))
    absorbed = fluences[:, None] / fluences[-1]
    return (1.0 - share) * absorbed * _exponential(times, tau), share * absorbed * gone


def _two(numbers: Numbers, fluences: FloatArray, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    tau, share = numbers["lifetime_ps"], numbers["second_share"]
    absorbed = fluences[:, None] / fluences[-1]
    second = _exponential(times, tau * numbers["lifetime_ratio"])
    return (1.0 - share) * absorbed * _exponential(times, tau), share * absorbed * second


MODELS: dict[str, Model] = {
    "superfluorescence": Model(
        "superfluorescence of domains of N nanocrystals with dephasing",
        (
            "lifetime_ps", "saturation_fluence", "coupled_number", "dephasing_over_gamma", "uncoupled_share",
        ),
        _superfluorescence,
    ),
    "amplified": Model(
        "amplified spontaneous emission in a stripe with gain",
        ("lifetime_ps", "saturation_fluence", "gain_length", "guided_share", "transit_ps"),
        _amplified,
        transit=True,
    ),
    "biexciton": Model(
        "excitons and multiexcitons with Auger recombination, Poisson occupation",
        ("lifetime_ps", "saturation_fluence", "auger_ps", "radiative_scaling"),
        _biexciton,
    ),
    "fused": Model(
        "nanocrystals beside fused crystals with bimolecular recombination",
        ("lifetime_ps", "second_share", "lifetime_ratio", "bimolecular_fluence"),
        _fused,
    ),
    "exponential": Model(
        "two exponentials that no fluence changes (re-absorption, transfer)",
        ("lifetime_ps", "second_share", "lifetime_ratio"),
        _two,
    ),
}  # fmt: skip
"""By name, in the order of the tables."""


def photons_until(
    name: str, numbers: Numbers, fluences: FloatArray, times_ps: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Photons until each time in `base` and `second`, each (J, T); 0 before the pulse.

    >>> numbers = {"lifetime_ps": 100.0, "second_share": 0.0, "lifetime_ratio": 0.5}
    >>> base, _ = photons_until("exponential", numbers, np.array([1.0]), np.array([-5.0, 100.0]))
    >>> [round(float(one), 4) for one in base[0]]
    [0.0, 0.6321]
    """
    base, second = MODELS[name].emitted(numbers, fluences, np.maximum(times_ps, 0.0))
    return base, second
