"""Elongated samples: light that runs along one axis and is amplified on its way, from quantum noise.

In units of tau_R = 1/(N mu Gamma), z along the sample from 0 to 1, retarded time t, p the polarisation (1
where all dipoles are in phase at half inversion), w the inversion, e the field in Rabi frequencies:

    dp/dt = e w - (1/T2 + i delta) p + noise,    dw/dt = -Re(conj(e) p) - (1 + w)/T1,    de/dz = p photons
    leave the end at the rate N |e(1)|^2/4, and d/dt N (1 + w)/2 averaged over z is minus that (T1 apart)

mu Gamma is the share of one emitter in the light along the axis: (N - 1) mu + 1 is the decay rate over Gamma
of one excitation with the phase of a plane wave along it (3 lambda^2/(8 pi A) for a wide sample of area A,
dipoles across). Seed: the polarisation of n inverted emitters is noise, <|p|^2> = 4/n in normal order, a mean
tipping angle of 2/sqrt(N) of the whole; dephasing brings the same noise again. Two ways: light to both ends,
no grating of the inversion.

Without damping all is a function of q = 2 sqrt(z t): theta'' + theta'/q = sin(theta) (Burnham and Chiao,
Phys. Rev. 188, 667, 1969), which rings. One dimension: no diffraction, no light to the sides but by T1, no
shifts of near neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.integrate import solve_ivp

from perolux.collective.couplings import ComplexArray, FloatArray
from perolux.errors import ModelRangeError, OptionError

__all__ = ["Shots", "burnham_chiao", "maxwell_bloch", "polder_delay", "step_plain"]

_LEAST_CELL = 10.0
_STEP = 0.1
_MOST_OUTPUTS = 4000


@dataclass(frozen=True)
class Shots:
    """times (k,) in tau_R. fields (S, ways, k): e at the far and the near end. inversion (S, k): mean over z.
    emitters: N. Rates in photons per tau_R."""

    emitters: float
    times: FloatArray
    fields: ComplexArray = field(repr=False)
    inversion: FloatArray = field(repr=False)

    @property
    def rate(self) -> FloatArray:
        """Photons per tau_R out of the ends of each shot, (S, k)."""
        return np.asarray(0.25 * self.emitters * np.sum(np.abs(self.fields) ** 2, axis=1))

    @property
    def delays(self) -> FloatArray:
        """Time of the first maximum above half of the highest of each shot, (S,)."""
        found = []
        for one in self.rate:
            high = one > 0.5 * np.max(one)
            tops = np.flatnonzero((one[1:-1] >= one[:-2]) & (one[1:-1] > one[2:]) & high[1:-1]) + 1
            found.append(self.times[tops[0] if len(tops) else int(np.argmax(one))])
        return np.array(found)


def maxwell_bloch(
    emitters: float,
    until: float,
    *,
    rng: np.random.Generator,
    shots: int = 100,
    slices: int | None = None,
    classes: int = 1,
    dephasing: float = 0.0,
    decay: float = 0.0,
    detuning: FloatArray | None = None,
    two_way: bool = False,
    tipping: float | None = None,
    inversion: float = 1.0,
    entering: ComplexArray | None = None,
    time_step: float = _STEP,
) -> Shots:
    """Shots of an elongated sample of N emitters up to `until` (tau_R).

    dephasing: pure, 1/tau_R; decay: 1/T1 in 1/tau_R (loss to the sides; adds half of itself to 1/T2).
    detuning: any number of frequencies (1/tau_R), spread at random over slices times classes. tipping: the
    same small angle everywhere in place of noise (then nothing is random). inversion: w at first. entering
    (m,): field at z = 0 at even times from 0 to `until`. Raises `ModelRangeError` for cells of fewer than 10
    emitters, whose noise is no small angle.
    """
    from perolux.collective._maxwell_bloch_kernels import shots as run

    if not (emitters >= 1.0 and until > 0.0 and shots >= 1 and classes >= 1):
        raise OptionError("no emitters, times, shots or classes", allowed="above 0")
    if dephasing < 0.0 or decay < 0.0 or not -1.0 <= inversion <= 1.0:
        raise OptionError("a rate below 0, or an inversion beyond 1", allowed="rates from 0 on, -1 to 1")
    m = int(min(100, max(emitters / (2.0 * _LEAST_CELL * classes), 1))) if slices is None else int(slices)
    noisy = tipping is None
    cell = emitters / (m * classes)
    if noisy and cell < _LEAST_CELL:
        raise ModelRangeError(
            f"{m} slices x {classes} classes of {emitters:g} emitters",
            allowed=f"{_LEAST_CELL:g} emitters a cell and more",
            fix="fewer slices or classes",
        )  # fmt: skip
    pool = np.zeros(1) if detuning is None else np.asarray(detuning, dtype=float)
    # evenly through the sorted pool, then in any order over the cells
    even = np.sort(pool)[((np.arange(m * classes) + 0.5) / (m * classes) * len(pool)).astype(int)]
    spread = rng.permutation(even).reshape(m, classes)
    fastest = float(np.max(np.abs(spread))) + dephasing + decay
    dt = min(time_step, 0.3 / fastest) if fastest > 0.0 else time_step
    steps = int(np.ceil(until / dt))
    every = max(steps // _MOST_OUTPUTS, 1)
    steps = -(-steps // every) * every
    dt = until / steps
    ways = 2 if two_way else 1
    shape = (shots, ways, m, classes)
    if noisy:
        parts = rng.standard_normal((2, *shape))
        start = np.sqrt(2.0 / cell * max(0.5 * (1.0 + inversion), 0.0)) * (parts[0] + 1j * parts[1])
    else:
        start = np.full(shape, np.sin(float(tipping or 0.0)) * np.sign(inversion), dtype=complex)
        inversion = inversion * float(np.cos(float(tipping or 0.0)))
    halves = np.linspace(0.0, until, 2 * steps + 1)
    told = np.zeros(2 * steps + 1, dtype=complex)
    if entering is not None:
        given = np.linspace(0.0, until, len(entering))
        told = np.interp(halves, given, entering.real) + 1j * np.interp(halves, given, entering.imag)
    fields, mean = run(
        start, inversion, spread, told, dephasing + 0.5 * decay, decay,
        np.sqrt(4.0 / cell * -np.expm1(-2.0 * dephasing * dt)) if noisy else 0.0, dt, steps, every,
        rng.integers(0, 2**31 - 1, shots),
    )  # fmt: skip
    return Shots(float(emitters), dt * every * np.arange(mean.shape[1]), fields, mean)


def burnham_chiao(times: FloatArray, tipping: float) -> FloatArray:
    """|e(1)|^2 of the self-similar solution at `times` (tau_R, above 0), from one small angle everywhere.

    theta'' + theta'/q = sin(theta), theta(0) = tipping, q = 2 sqrt(t) at the end: |e|^2 = (2 theta'/q)^2.
    """
    if not 0.0 < tipping < np.pi or np.any(times <= 0.0):
        raise OptionError(f"a tipping angle of {tipping:g}", allowed="above 0 and below pi, times above 0")
    q = 2.0 * np.sqrt(times)
    first = 1e-6

    def slope(at: float, y: FloatArray) -> FloatArray:
        return np.array([y[1], np.sin(y[0]) - y[1] / at])

    # theta = tipping + sin(tipping) q^2/4 near q = 0
    start = [tipping + 0.25 * np.sin(tipping) * first**2, 0.5 * np.sin(tipping) * first]
    solved = solve_ivp(slope, (first, float(q[-1])), start, t_eval=q, method="DOP853", rtol=1e-11, atol=1e-13)
    return np.asarray((2.0 * solved.y[1] / q) ** 2)


def polder_delay(emitters: float) -> float:
    """Mean delay of the first burst in tau_R, (ln sqrt(2 pi N))^2/4.

    Asymptotic, one way, no damping (Polder, Schuurmans and Vrehen, Phys. Rev. A 19, 1192, 1979; recalled).
    """
    return 0.25 * float(np.log(np.sqrt(2.0 * np.pi * emitters))) ** 2


def step_plain(
    p: ComplexArray, w: FloatArray, detuning: FloatArray, gamma2: float, gamma1: float, dt: float
) -> tuple[ComplexArray, FloatArray]:
    """One step of one shot in NumPy without noise or entering light: p (ways, M, K), w (M, K)."""

    def slope(a: ComplexArray, b: FloatArray) -> tuple[ComplexArray, FloatArray]:
        da, db = np.zeros_like(a), -gamma1 * (1.0 + b)
        for way in range(len(a)):
            one = a[way] if way == 0 else a[way][::-1]
            total = one.mean(axis=1) / len(b)
            middle = np.cumsum(total) - 0.5 * total
            middle = middle if way == 0 else middle[::-1]
            da[way] = middle[:, None] * b - (gamma2 + 1j * detuning) * a[way]
            db = db - np.real(np.conj(middle)[:, None] * a[way])
        return da, db

    k1 = slope(p, w)
    k2 = slope(p + 0.5 * dt * k1[0], w + 0.5 * dt * k1[1])
    k3 = slope(p + 0.5 * dt * k2[0], w + 0.5 * dt * k2[1])
    k4 = slope(p + dt * k3[0], w + dt * k3[1])
    return (
        p + dt / 6.0 * (k1[0] + 2.0 * k2[0] + 2.0 * k3[0] + k4[0]),
        w + dt / 6.0 * (k1[1] + 2.0 * k2[1] + 2.0 * k3[1] + k4[1]),
    )
