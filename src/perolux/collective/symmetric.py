"""Identical emitters at one place with loss and dephasing, exactly: populations of the states |J, M>.

N emitters that nothing tells apart hold J = N/2, N/2 - 1, ... and M = -J..J; from full inversion only the
populations p(J, M) matter. Rates from |J, M> (Shammah et al., Phys. Rev. A 98, 063815, 2018), h = N/2:

    light, collective:  (J, M-1)    Gamma (J+M)(J-M+1)
    loss kappa, local:  (J, M-1)    kappa (J+M)(J-M+1)(h+1)/(2J(J+1))
                        (J-1, M-1)  kappa (J+M)(J+M-1)(J+1+h)/(2J(2J+1))
                        (J+1, M-1)  kappa (J-M+1)(J-M+2)(h-J)/(2(J+1)(2J+1))
    dephasing g*:       (J-1, M)    2 g* (J+M)(J-M)(J+1+h)/(2J(2J+1))
                        (J+1, M)    2 g* (J-M+1)(J+M+1)(h-J)/(2(J+1)(2J+1))

(h + 1)^2 or so numbers in place of 4^N. g* is the extra decay of one emitter's coherence:
1/T2 = Gamma/2 + g*.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sparse
from scipy.integrate import solve_ivp

from perolux.collective.couplings import FloatArray
from perolux.collective.uniformised import clocked, peak_of
from perolux.errors import ConvergenceError, ModelRangeError, OptionError

__all__ = ["SymmetricBurst", "symmetric_burst"]

_MOST = 400
_MOST_TICKS = 5e4


@dataclass(frozen=True)
class SymmetricBurst:
    """The burst of N identical emitters. t_peak, i_peak: of the photon rate, in 1/Gamma and Gamma. g2_zero:
    of the full inversion. imbalance: largest |d(population)/dt + photons + loss| over N. times,
    photon_rate, excited (k,)."""

    emitters: int
    dephasing: float
    loss: float
    t_peak: float
    i_peak: float
    g2_zero: float
    imbalance: float
    times: FloatArray = field(repr=False)
    photon_rate: FloatArray = field(repr=False)
    excited: FloatArray = field(repr=False)


def symmetric_burst(
    emitters: int, times: FloatArray | None = None, *, dephasing: float = 0.0, loss: float = 0.0
) -> SymmetricBurst:
    """The exact burst of N identical emitters at one place from full inversion, with loss and dephasing.

    times: in 1/Gamma, rising, from 0 on; 201 up to the end of the burst if left out. dephasing, loss: g* and
    kappa over Gamma, per emitter. The peak is the root of dI/dt. Exact to rounding, or to 1e-10 where states
    are left 5e4 times. Raises `OptionError` for N below 1 or negative rates, `ModelRangeError` above 400.

    >>> found = symmetric_burst(10, dephasing=1.0, loss=0.5)
    >>> found.i_peak < 22.7591
    True
    """
    n = int(emitters)
    if n < 1:
        raise OptionError(f"{emitters} emitters", allowed="1 and more")
    if n > _MOST:
        raise ModelRangeError(
            f"{n} identical emitters with loss or dephasing", allowed=f"up to {_MOST}",
            fix="without both the ladder reaches 20000",
        )  # fmt: skip
    if not (np.isfinite([dephasing, loss]).all() and dephasing >= 0.0 and loss >= 0.0):
        raise OptionError("a rate below 0", allowed="dephasing and loss of 0 and more, in Gamma")
    usual = 10.0 * (np.log(n) + 1.0) / n
    asked = np.linspace(0.0, usual, 201) if times is None else np.asarray(times, dtype=float)
    if asked.ndim != 1 or len(asked) < 1 or asked[0] < 0.0 or np.any(np.diff(asked) <= 0.0):
        raise OptionError("times that do not rise from 0", allowed="ascending, in 1/Gamma")
    matrix, light, up = _rates(n, dephasing, loss)
    p = np.zeros(len(light))
    p[0] = 1.0
    end = max(float(asked[-1]), usual)
    seen = np.stack([light, up])
    if float(-np.min(matrix.diagonal())) * end > _MOST_TICKS:
        t_peak, i_peak, rate, excited, change = _stiff(asked, end, p, matrix, seen)
    else:
        found = clocked(matrix, p, seen, end)
        (rate, excited), change = found.at(asked), found.slope_at(asked)[1]
        t_peak, i_peak = peak_of(found, np.linspace(0.0, usual, 201))
    imbalance = float(np.max(np.abs(change + rate + loss * excited))) / n
    return SymmetricBurst(
        n, dephasing, loss, t_peak, i_peak, 2.0 - 2.0 / n, imbalance, asked, rate, excited
    )  # fmt: skip


def _stiff(
    asked: FloatArray, end: float, p: FloatArray, matrix: sparse.csr_matrix, seen: FloatArray
) -> tuple[float, float, FloatArray, FloatArray, FloatArray]:
    """Peak, photon rate, population and its slope by an implicit method, where dephasing ticks far faster
    than light goes."""
    light, up = seen
    slope = np.asarray(matrix.T @ light)

    def slope_of_rate(_: float, y: FloatArray) -> float:
        return float(slope @ y)

    slope_of_rate.direction = -1.0  # type: ignore[attr-defined]
    solved = solve_ivp(
        lambda _, y: matrix @ y, (0.0, end), p, t_eval=np.append(asked, end) if asked[-1] < end else asked,
        events=slope_of_rate, rtol=1e-10, atol=1e-13, method="Radau", jac=matrix.tocsc(),
    )  # fmt: skip
    if not solved.success:
        raise ConvergenceError(f"the populations did not integrate: {solved.message}")
    states = solved.y[:, : len(asked)]
    t_peak, i_peak = 0.0, float(light @ p)
    if float(slope @ p) > 0.0 and len(solved.t_events[0]):
        best = max(range(len(solved.t_events[0])), key=lambda e: light @ solved.y_events[0][e])
        t_peak, i_peak = float(solved.t_events[0][best]), float(light @ solved.y_events[0][best])
    return t_peak, i_peak, light @ states, up @ states, up @ (matrix @ states)


def _rates(n: int, dephasing: float, loss: float) -> tuple[sparse.csr_matrix, FloatArray, FloatArray]:
    """The generator of the populations, the photon rate and the number of excited emitters of each state."""
    h = 0.5 * n
    local = dephasing > 0.0 or loss > 0.0
    js = np.arange(h, -0.5, -1.0) if local else np.array([h])
    j = np.concatenate([np.full(int(2 * one) + 1, one) for one in js])
    m = np.concatenate([np.arange(one, -one - 0.5, -1.0) for one in js])
    first = {float(one): int(np.sum(2 * js[:i] + 1)) for i, one in enumerate(js)}
    light = (j + m) * (j - m + 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        same = np.where(j > 0, light * (h + 1.0) / (2.0 * j * (j + 1.0)), 0.0)
        fall = np.where(j > 0, (j + 1.0 + h) / (2.0 * j * (2.0 * j + 1.0)), 0.0)
    rise = (h - j) / (2.0 * (j + 1.0) * (2.0 * j + 1.0))
    steps = [(0, -1, light + loss * same)]
    if local:
        steps += [
            (-1, -1, loss * (j + m) * (j + m - 1.0) * fall),
            (+1, -1, loss * (j - m + 1.0) * (j - m + 2.0) * rise),
            (-1, 0, 2.0 * dephasing * (j + m) * (j - m) * fall),
            (+1, 0, 2.0 * dephasing * (j - m + 1.0) * (j + m + 1.0) * rise),
        ]
    size = len(j)
    rows, columns, values = [], [], []
    for dj, dm, rate in steps:
        from_ = np.flatnonzero(rate > 0.0)
        to = np.array([first[j[a] + dj] + round(j[a] + dj - m[a] - dm) for a in from_], dtype=np.int64)
        rows += [to, from_]
        columns += [from_, from_]
        values += [rate[from_], -rate[from_]]
    matrix = sparse.csr_matrix(
        (np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(size, size)
    )
    return matrix, light, h + m
