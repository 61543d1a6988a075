"""Compiled loops of attachment and breakage in cells (`aggregation.py`, `breakage.py` say what they solve).

A crystal of cell i has the r^3 `cube[i]`. A pair that joins lies between two of these and is shared among
the two cells so that number and volume stay (fixed pivots; Kumar and Ramkrishna, Chem. Eng. Sci. 51, 1311
(1996)); `joined[i, j]` is the lower of them, `upper[i, j]` the share of the other. Pieces of a parent come as
a table with the same property.
"""

from __future__ import annotations

from numba import njit

FAINT = 1e-25
"""Cells with a smaller share of all crystals neither meet nor break: below rounding, and it keeps far tails
from numbers too small for floats."""
SHARE = 0.05
"""Share of a cell that counts which one step may take by meetings and breaking."""
COUNTS = 1e-6
"""Share of all crystals, or of their volume, above which a cell counts."""


@njit(cache=True, nogil=True)
def losses(number, factor, kernel, partners, break_rate, loss):
    """loss[i] (1/s): at which a crystal of cell i meets one with which it fits into the cells, or breaks."""
    n = number.shape[0]
    attaches, breaks = kernel.shape[0] > 0, break_rate.shape[0] > 0
    for i in range(n):
        loss[i] = break_rate[i] if breaks else 0.0
        if attaches:
            met = 0.0
            for j in range(partners[i]):
                met += kernel[i, j] * number[j]
            loss[i] += factor * met


@njit(cache=True, nogil=True)
def fastest_loss(number, cube, loss):
    """Largest loss (1/s) of the cells that count by number or by volume."""
    total, volume, fastest = 0.0, 0.0, 0.0
    for i in range(number.shape[0]):
        total += number[i]
        volume += number[i] * cube[i]
    for i in range(number.shape[0]):
        if number[i] > COUNTS * total or number[i] * cube[i] > COUNTS * volume:
            fastest = max(fastest, loss[i])
    return fastest


@njit(cache=True, nogil=True)
def exchange(dt, factor, kernel, partners, joined, upper, break_rate, pieces, dust, dust_bulk, number, spare,
             cube, loss, share, change):  # fmt: skip
    """change[i] (crystals/s) by meetings and breaking, at most `spare` leaving a cell in `dt`.

    Returns what it adds per s to (r^3 of all, dissolved crystals, meetings, pieces less their parents, r^3 of
    pairs too large for the cells).
    """
    n = number.shape[0]
    content, gone, meetings, broken, shut = 0.0, 0.0, 0.0, 0.0, 0.0
    faint = FAINT * number.sum()
    for i in range(n):
        leaving = dt * loss[i] * number[i]
        share[i] = spare[i] / leaving if leaving > spare[i] else 1.0
        change[i] = 0.0
    for i in range(n if kernel.shape[0] > 0 else 0):
        if number[i] <= faint:
            continue
        # each pair once: j <= i
        here = factor * number[i]
        for j in range(min(i + 1, partners[i])):
            if number[j] <= faint:
                continue
            met = here * kernel[i, j] * number[j] * min(share[i], share[j])
            if i == j:
                met *= 0.5
            k, up = joined[i, j], met * upper[i, j]
            change[i] -= met
            change[j] -= met
            change[k] += met - up
            change[k + 1] += up
            meetings += met
        for j in range(partners[i], i + 1):
            met = here * kernel[i, j] * number[j]
            shut += (0.5 if i == j else 1.0) * met * (cube[i] + cube[j])
    for i in range(n if break_rate.shape[0] > 0 else 0):
        if number[i] <= faint:
            continue
        rate = break_rate[i] * number[i] * share[i]
        change[i] -= rate
        total = dust[i]
        for k in range(i + 1):
            change[k] += rate * pieces[i, k]
            total += pieces[i, k]
        gone += rate * dust[i]
        content -= rate * dust_bulk[i]
        broken += rate * (total - 1.0)
    return content, gone, meetings, broken, shut
