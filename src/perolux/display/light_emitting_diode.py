"""External quantum efficiency of a nanocrystal LED as a chain, and backwards what a measured one asks for.

    EQE = gamma r q eta_esc/(1 - q p_re)

gamma: balance of electrons and holes; r: share of the pairs formed that recombine in the nanocrystals; q:
PLQY in the device; eta_esc: share of the emitted photons that leave at once; p_re: share that nanocrystals
absorb again (recycling); the rest ends in electrodes and guided modes. Without recycling and for random
dipoles eta_esc is about 1/(2 n^2), an estimate of ray optics (standard form).
"""

from __future__ import annotations

from dataclasses import dataclass

from perolux.errors import ModelRangeError, OptionError

__all__ = ["LedChain", "isotropic_outcoupling", "led_chain", "needed_outcoupling"]


@dataclass(frozen=True)
class LedChain:
    """Shares of the chain, and eqe, their product with recycling. internal: gamma r q."""

    balance: float
    recombination: float
    plqy: float
    outcoupling: float
    reabsorbed: float
    internal: float
    eqe: float


def isotropic_outcoupling(index: float) -> float:
    """eta_esc = 1/(2 n^2) of random dipoles in a film of index n above a mirror.

    >>> round(isotropic_outcoupling(1.8), 3)
    0.154
    """
    if not 1.0 <= index < 10.0:
        raise OptionError(f"an index of {index:g}", allowed="1 to 10")
    return 1.0 / (2.0 * index**2)


def led_chain(
    *,
    plqy: float,
    outcoupling: float,
    balance: float = 1.0,
    recombination: float = 1.0,
    reabsorbed: float = 0.0,
) -> LedChain:
    """The chain of an LED. All are shares from 0 to 1; outcoupling and reabsorbed together at most 1.

    >>> round(led_chain(plqy=0.9, outcoupling=0.154).eqe, 4)
    0.1386
    """
    shares = {
        "plqy": plqy, "outcoupling": outcoupling, "balance": balance, "recombination": recombination,
        "reabsorbed": reabsorbed,
    }  # fmt: skip
    for name, value in shares.items():
        if not 0.0 <= value <= 1.0:
            raise OptionError(f"{name} of {value:g}", allowed="a share from 0 to 1")
    if outcoupling + reabsorbed > 1.0 + 1e-12:
        raise OptionError(
            "more light leaves and is absorbed again than is emitted", allowed="together at most 1"
        )
    if plqy * reabsorbed >= 1.0:
        raise ModelRangeError("all light is absorbed again at a yield of 1: none leaves")
    internal = balance * recombination * plqy
    eqe = internal * outcoupling / (1.0 - plqy * reabsorbed)
    return LedChain(balance, recombination, plqy, outcoupling, reabsorbed, internal, eqe)


def needed_outcoupling(eqe: float, plqy: float, balance: float = 1.0, recombination: float = 1.0) -> float:
    """Share of the photons that must leave for a measured EQE, recycling included: EQE/(gamma r q).

    Above `isotropic_outcoupling` the device has oriented dipoles, recycling or structured outcoupling; above
    1 the numbers contradict each other (`ModelRangeError`).

    >>> round(needed_outcoupling(0.284, 1.0), 3)
    0.284
    """
    internal = balance * recombination * plqy
    if not 0.0 < internal <= 1.0 or not 0.0 <= eqe <= 1.0:
        raise OptionError("shares outside 0 to 1", allowed="EQE and yields as shares")
    if eqe > internal:
        raise ModelRangeError(f"an EQE of {eqe:g} above the internal yield {internal:g}", allowed="below it")
    return eqe / internal
