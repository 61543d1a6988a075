"""What both variational solvers do with their matrices: scan, solve nested bases, judge errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from perolux.errors import OptionError
from perolux.excitons.pair._dense import lowest_states
from perolux.excitons.pair._variation import Array, Index, Shell, minimise, shell_errors

__all__ = ["Family", "Levels", "Trial", "solve_family"]


@dataclass(frozen=True)
class Trial:
    """One basis: the order of each function, its matrices, and how K and X follow from vectors.

    contact(use, vectors): K and X [state] of normalised vectors [function, state] of the functions `use`.
    """

    degree: Index
    overlap: Array
    hamiltonian: Array
    contact: Callable[[Index, Array], tuple[Array, Array]]

    def solve(self, top: int, count: int) -> Shell:
        """The lowest states of the functions up to order `top`."""
        use = np.flatnonzero(self.degree <= top)
        pick = np.ix_(use, use)
        energy, vectors = lowest_states(self.hamiltonian[pick], self.overlap[pick], count)
        return Shell(energy, *self.contact(use, vectors))


@dataclass(frozen=True)
class Family:
    """All bases of one nanocrystal: trial(order, exponent, wall, fine) makes one of them.

    step: from one complete shell to the next. scan_order: of the basis that the exponent is sought in.
    start: where the search begins (exponent, wall). where: names the nanocrystal in errors.
    """

    trial: Callable[[int, float, float, bool], Trial]
    step: int
    scan_order: int
    start: tuple[float, float]
    where: str


@dataclass(frozen=True)
class Levels:
    """The lowest states: energy (Ry), K, X and their error estimates, all [state]; and the basis."""

    energy: Array
    overlap_k: Array
    exchange_x: Array
    errors: tuple[Array, Array, Array]
    functions: int
    exponent: float
    wall: float


def solve_family(
    family: Family, order: int, exponent: float | None, wall: float | None, count: int = 1
) -> Levels:
    """The lowest `count` states in the basis of `order`, with errors from the two shells before.

    Exponent and wall, where not given, are those with the lowest sum of the energies: each root is an upper
    bound of its own level, so the sum is one too.
    """
    if exponent is None or wall is None:

        def energy(a: float, b: float) -> float:
            trial = family.trial(family.scan_order, a, b, False)
            return float(lowest_states(trial.hamiltonian, trial.overlap, count)[0].sum())

        exponent, wall = minimise(energy, family.start, family.where)
    fine = family.trial(order, exponent, wall, True)
    tops = (order - 2 * family.step, order - family.step, order)
    if count > int((fine.degree <= tops[0]).sum()):
        raise OptionError(
            f"{count} states are too many for order {order}",
            where=family.where,
            allowed=f"at most {int((fine.degree <= tops[0]).sum())}",
            fix="ask for fewer states or raise the order",
        )
    shells = [fine.solve(top, count) for top in tops]
    coarse = family.trial(tops[1], exponent, wall, False).solve(tops[1], count)
    last = shells[-1]
    return Levels(
        last.energy,
        last.overlap_k,
        last.exchange_x,
        shell_errors(shells, coarse),
        int(fine.degree.size),
        exponent,
        wall,
    )
