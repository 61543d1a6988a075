"""Spectrum of identical emitters at one place with loss and dephasing, exactly, by quantum regression.

S- rho of populations p(J, M) has the elements x(J, M) = <J, M-1|S- rho|J, M> = sqrt((J+M)(J-M+1)) p(J, M);
these obey rates like those of `symmetric.py`, with products of the amplitudes of M - 1 and M in place of
squares:

    light, loss, dephasing: amplitude a(J, M-1) a(J, M) of each step; total decay: mean of the rates out of
    both

    S(w) = (1/pi) Re Tr[S+ (i w - M)^-1 S- R],   R = int_0^inf p dt
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import splu, spsolve

from perolux.collective.couplings import ComplexArray, FloatArray
from perolux.collective.symmetric import _rates
from perolux.errors import ModelRangeError, OptionError

__all__ = ["SymmetricSpectrum", "symmetric_spectrum"]

_MOST_LADDER, _MOST_LOCAL = 2000, 60


@dataclass(frozen=True)
class SymmetricSpectrum:
    """frequency (m,) over Gamma, less that of the emitters; density: photons per Gamma; photons: all light.
    half_width: full width at half of the largest density."""

    emitters: int
    photons: float
    half_width: float
    frequency: FloatArray = field(repr=False)
    density: FloatArray = field(repr=False)


def symmetric_spectrum(
    emitters: int,
    frequency: FloatArray | None = None,
    *,
    excited: int | None = None,
    dephasing: float = 0.0,
    loss: float = 0.0,
) -> SymmetricSpectrum:
    """Spectrum of all light of N identical emitters at one place, `excited` of them in the symmetric state.

    frequency: in Gamma; 401 about the line if left out (`excited` = 1 without dephasing: a Lorentzian of the
    width N). excited: N if left out. Up to 2000 emitters, 60 with loss or dephasing.

    >>> found = symmetric_spectrum(10, excited=1)
    >>> round(found.half_width, 4), round(found.photons, 9)
    (10.0, 1.0)
    """
    n = int(emitters)
    k = n if excited is None else int(excited)
    local = dephasing > 0.0 or loss > 0.0
    if n < 1 or not 1 <= k <= n or dephasing < 0.0 or loss < 0.0:
        raise OptionError(f"{k} of {n} emitters excited", allowed="1 to N, rates of 0 and more")
    most = _MOST_LOCAL if local else _MOST_LADDER
    if n > most:
        raise ModelRangeError(f"the spectrum of {n} identical emitters", allowed=f"up to {most}")
    p, light = _integrated(n, k, dephasing, loss)
    matrix, place, weight = _coherences(n, dephasing, loss)
    source = weight * p[place]
    width = _half_width(matrix, weight, source, float(n + 2.0 * dephasing + loss))
    asked = np.linspace(-4.0 * width, 4.0 * width, 401) if frequency is None else frequency
    density = _density(matrix, weight, source, asked)
    return SymmetricSpectrum(n, float(light @ p), width, asked, density)


def _integrated(n: int, k: int, dephasing: float, loss: float) -> tuple[FloatArray, FloatArray]:
    """int p dt from |N/2, k - N/2>, the last state left out, and the photon rate of each state."""
    matrix, light, up = _rates(n, dephasing, loss)
    start = np.zeros(len(light))
    start[n - k] = 1.0
    # without loss or dephasing the ladder ends in its last state; with them the state without excitation of
    # the largest J is where all ends, and darker ones are left by dephasing or hold nothing to leave
    stays = np.asarray(np.abs(matrix.diagonal()) > 0.0)
    found = np.zeros(len(light))
    inside = matrix[stays][:, stays].tocsc()
    found[stays] = spsolve(-inside, start[stays])
    del up
    return found, light


def _coherences(n: int, dephasing: float, loss: float) -> tuple[sparse.csc_matrix, np.ndarray, FloatArray]:
    """The generator of x(J, M), M > -J; where each state stands among the populations; sqrt((J+M)(J-M+1))."""
    h = 0.5 * n
    local = dephasing > 0.0 or loss > 0.0
    js = np.arange(h, -0.5, -1.0) if local else np.array([h])
    states = [(j, j - i) for j in js for i in range(int(2 * j))]
    index = {state: a for a, state in enumerate(states)}
    starts = np.cumsum([0, *(int(2 * j) + 1 for j in js)])
    place = np.array([starts[int(h - j)] + int(j - m) for j, m in states])
    weight = np.array([np.sqrt((j + m) * (j - m + 1.0)) for j, m in states])

    def out(j: float, m: float) -> float:
        """All that leaves |J, M>; dephasing leaves and enters: its part is n g*/2 less what stays."""
        up = h + m
        return (j + m) * (j - m + 1.0) + loss * up + dephasing * n / 2.0

    rows, columns, values = [], [], []

    def add(to: tuple[float, float], a: int, value: float) -> None:
        if to in index and value != 0.0:
            rows.append(index[to])
            columns.append(a)
            values.append(value)

    for a, (j, m) in enumerate(states):
        low = m - 1.0
        add((j, m), a, -0.5 * (out(j, m) + out(j, low)))
        add((j, low), a, _down(j, m) * _down(j, low))
        if not local:
            continue
        stay = (h + 1.0) / (2.0 * j * (j + 1.0))
        fall = (j + 1.0 + h) / (2.0 * j * (2.0 * j + 1.0))
        rise = (h - j) / (2.0 * (j + 1.0) * (2.0 * j + 1.0))
        add((j, low), a, loss * stay * _down(j, m) * _down(j, low))
        add(
            (j - 1, low),
            a,
            loss * fall * np.sqrt(_pos((j + m) * (j + m - 1.0) * (j + low) * (j + low - 1.0))),
        )
        add(
            (j + 1, low),
            a,
            loss * rise * np.sqrt((j - m + 1.0) * (j - m + 2.0) * (j - low + 1.0) * (j - low + 2.0)),
        )
        add((j, m), a, 2.0 * dephasing * stay * m * low)
        add((j - 1, m), a, 2.0 * dephasing * fall * np.sqrt(_pos((j * j - m * m) * (j * j - low * low))))
        above = (j + 1.0) ** 2
        add((j + 1, m), a, 2.0 * dephasing * rise * np.sqrt((above - m * m) * (above - low * low)))
    size = len(states)
    return sparse.csc_matrix((values, (rows, columns)), shape=(size, size)), place, weight


def _down(j: float, m: float) -> float:
    return float(np.sqrt(_pos((j + m) * (j - m + 1.0))))


def _pos(value: float) -> float:
    return max(value, 0.0)


def _density(
    matrix: sparse.csc_matrix, weight: FloatArray, source: FloatArray, frequency: FloatArray
) -> FloatArray:
    unit = sparse.identity(len(weight), format="csc", dtype=complex)
    found = np.empty(len(frequency))
    for i, w in enumerate(frequency):
        x: ComplexArray = splu((1j * w * unit - matrix).tocsc()).solve(source.astype(complex))
        found[i] = float(np.real(weight @ x)) / np.pi
    return found


def _half_width(matrix: sparse.csc_matrix, weight: FloatArray, source: FloatArray, reach: float) -> float:
    """Full width at half of the density at the middle: the line is even and falls to both sides."""
    top = _density(matrix, weight, source, np.zeros(1))[0]
    low, high = 0.0, reach
    while _density(matrix, weight, source, np.array([high]))[0] > 0.5 * top:
        low, high = high, 2.0 * high
    for _ in range(40):
        middle = 0.5 * (low + high)
        if _density(matrix, weight, source, np.array([middle]))[0] > 0.5 * top:
            low = middle
        else:
            high = middle
    return low + high
