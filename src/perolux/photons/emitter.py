"""The emitter as states and steps between them: correlations, pulses, decays and spectra, exactly.

    p' = (K + W C) p                  K: rates of all steps, W: pairs captured per ns, C: what a capture does
    R_ij = sum eta k(j -> i)          steps that give a detected photon;  r = column sums of R
    g2(tau) = r . exp((K + W C) tau) R p / (r . p)^2                     p stationary under steady light
    pulse       p -> exp(N C) p       N pairs on the mean, Poisson
    photons     m_0' = K m_0,  m_k' = K m_k + k R m_(k-1)                sum m_k = <n (n-1) ... (n-k+1)>

Populations only, in standard form; coherences between levels are in `lindblad`. `nanocrystal_emitter` builds
the states of a nanocrystal. Times in ns, rates in 1/ns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, OptionError, Problem

__all__ = ["STEP_KINDS", "DecayTerms", "Emitter", "PulseCounts", "Step", "branching", "decay_terms"]
__all__ += ["emission_spectrum", "pulse_counts", "pulse_moments", "rate_matrix", "stationary", "steady_g2"]

FloatArray = npt.NDArray[np.float64]
StepKind = Literal["emission", "transfer", "loss", "pump"]
STEP_KINDS: tuple[StepKind, ...] = get_args(StepKind)


@dataclass(frozen=True)
class Step:
    """One way from a state to another.

    rate_per_ns: of "emission", "transfer" and "loss"; of "pump" the probability that a captured pair leads
    this way. detected: of an emission, the probability that its photon is detected (collection, filter,
    polariser, detector together). energy_ev: of its photon.
    """

    start: str
    end: str
    rate_per_ns: float
    kind: StepKind
    detected: float = 0.0
    energy_ev: float | None = None


@dataclass(frozen=True)
class Emitter:
    """States and the steps between them. Raises `OptionError` with all problems: states that are not there,
    negative rates, detection outside 0 to 1 or of what is no emission, captures that sum to neither 0 nor 1.
    """

    states: tuple[str, ...]
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        problems = []
        if len(set(self.states)) != len(self.states) or not self.states:
            problems.append(Problem("states must have names, each its own", "states"))
        for step in self.steps:
            where = f"{step.start} -> {step.end}"
            for name in {step.start, step.end} - set(self.states):
                problems.append(Problem(f"no state {name!r}", where, ", ".join(self.states)))
            if step.start == step.end:
                problems.append(Problem("a step that leads nowhere", where))
            if step.kind not in STEP_KINDS:
                problems.append(Problem(f"kind {step.kind!r}", where, ", ".join(STEP_KINDS)))
            if not (math.isfinite(step.rate_per_ns) and step.rate_per_ns >= 0):
                problems.append(Problem(f"a rate of {step.rate_per_ns:g}", where, "0 or more, in 1/ns"))
            if not 0 <= step.detected <= 1 or (step.detected and step.kind != "emission"):
                problems.append(Problem(f"detection of {step.detected:g}", where, "0 to 1, of an emission"))
        for state in self.states:
            out = sum(s.rate_per_ns for s in self.steps if s.kind == "pump" and s.start == state)
            if not (out == 0 or abs(out - 1) < 1e-9):
                problems.append(
                    Problem(f"captures that sum to {out:g}", state, "1, or 0 where no pair is taken up")
                )
        if problems:
            raise OptionError(problems)

    def index(self, state: str) -> int:
        """Place of a state; `OptionError` where it is not there."""
        if state not in self.states:
            raise OptionError(f"no state {state!r}", allowed=", ".join(self.states))
        return self.states.index(state)

    def _filled(self, kinds: tuple[str, ...], detected: bool = False) -> FloatArray:
        matrix = np.zeros((len(self.states),) * 2)
        for step in self.steps:
            if step.kind in kinds:
                weight = step.detected if detected else 1.0
                matrix[self.index(step.end), self.index(step.start)] += weight * step.rate_per_ns
        return matrix

    @cached_property
    def captures(self) -> FloatArray:
        """C: generator of captures, columns sum to 0, one capture per unit."""
        moves = self._filled(("pump",))
        return moves - np.diag(moves.sum(axis=0))

    @cached_property
    def detections(self) -> FloatArray:
        """R (n, n): rates of the steps whose photon is detected."""
        return self._filled(("emission",), detected=True)

    @cached_property
    def own(self) -> FloatArray:
        """K (n, n): generator without light, columns sum to 0."""
        moves = self._filled(("emission", "transfer", "loss"))
        return moves - np.diag(moves.sum(axis=0))


def rate_matrix(emitter: Emitter, pump_per_ns: float = 0.0) -> FloatArray:
    """K + W C, shape (n, n), columns sum to 0; pump_per_ns: pairs captured per ns."""
    if not (math.isfinite(pump_per_ns) and pump_per_ns >= 0):
        raise OptionError(f"a pump of {pump_per_ns:g} per ns", allowed="0 or more")
    return emitter.own + pump_per_ns * emitter.captures


def branching(emitter: Emitter, pump_per_ns: float = 0.0) -> dict[str, dict[str, float]]:
    """Of each state that is left: probability of each state that comes next; each sums to 1."""
    matrix = rate_matrix(emitter, pump_per_ns)
    found = {}
    for k, state in enumerate(emitter.states):
        out = np.delete(matrix[:, k], k)
        names = [s for s in emitter.states if s != state]
        if out.sum() > 0:
            found[state] = {n: float(x / out.sum()) for n, x in zip(names, out, strict=True) if x > 0}
    return found


def stationary(emitter: Emitter, pump_per_ns: float) -> FloatArray:
    """Populations under steady light, shape (n,), not negative, sum 1.

    By elimination of states without subtraction (Grassmann, Taksar and Heyman), good to rounding in every
    entry however small. Raises `OptionError` where more than one set of populations stays, as with two
    states that nothing leaves.
    """
    rates = rate_matrix(emitter, pump_per_ns).T.copy()  # rates[i, j]: from i to j
    np.fill_diagonal(rates, 0.0)
    kept = _recurrent(rates)
    sub = rates[np.ix_(kept, kept)]
    n = len(kept)
    out = np.zeros(n)
    for k in range(n - 1, 0, -1):
        out[k] = sub[k, :k].sum()
        sub[:k, :k] += np.outer(sub[:k, k] / out[k], sub[k, :k])
    weight = np.zeros(n)
    weight[0] = 1.0
    for k in range(1, n):
        weight[k] = weight[:k] @ sub[:k, k] / out[k]
    found = np.zeros(len(rates))
    found[kept] = weight / weight.sum()
    return found


def _recurrent(rates: FloatArray) -> list[int]:
    """The one set of states that is left by nothing; `OptionError` where there are two."""
    from scipy.sparse.csgraph import connected_components

    count, label = connected_components(rates > 0, directed=True, connection="strong")
    closed = [
        k
        for k in range(count)
        if not np.any(rates[np.ix_(np.flatnonzero(label == k), np.flatnonzero(label != k))] > 0)
    ]
    if len(closed) != 1:
        raise OptionError(
            f"{len(closed)} groups of states that nothing leaves",
            where="stationary state",
            allowed="one",
            fix="add the step that leads out of them, or pump",
        )
    return list(np.flatnonzero(label == closed[0]))


def steady_g2(
    emitter: Emitter, pump_per_ns: float, tau_ns: npt.ArrayLike, *, jitter_ns: float = 0.0
) -> FloatArray:
    """g2 of all detected photons under steady light, shape of tau_ns (either sign; g2 is even).

    jitter_ns: standard deviation of the delay's blur (sqrt 2 times that of one detector), in closed form for
    each exponential of g2. Raises `OptionError` where no photon is detected.

    >>> two = Emitter(("g", "x"), (Step("g", "x", 1.0, "pump"), Step("x", "g", 0.5, "emission", 1.0)))
    >>> steady_g2(two, 0.1, [0.0, 2.0]).round(6).tolist()  # 1 - exp(-(0.5 + 0.1) tau)
    [0.0, 0.698806]
    """
    matrix = rate_matrix(emitter, pump_per_ns)
    still = stationary(emitter, pump_per_ns)
    seen = emitter.detections.sum(axis=0)
    flux = float(seen @ still)
    if flux <= 0:
        raise OptionError(
            "no photon is detected", where="g2", allowed="an emission with detected > 0, a pump"
        )
    after = emitter.detections @ still
    tau = np.abs(np.asarray(tau_ns, dtype=float))
    if not jitter_ns:
        from scipy.linalg import expm

        # less its limit, what decays has the sum 0: rounding of long times then has nothing to work on
        flat = expm(tau.reshape(-1, 1, 1) * matrix) @ (after - flux * still)
        return np.asarray(1.0 + (flat @ seen / flux**2).reshape(tau.shape))
    if jitter_ns < 0:
        raise OptionError(f"a jitter of {jitter_ns:g} ns", allowed="0 or more")
    from scipy.special import wofz

    values, parts = _terms(matrix, after, seen)
    s, total = jitter_ns, np.zeros(tau.shape, dtype=complex)
    bell = np.exp(-(tau**2) / (2 * s * s))
    for value, part in zip(values, parts, strict=True):
        for side in (1.0, -1.0):
            # one side of exp(value |t|), blurred: bell w(i z)/2, reflected where w would overflow
            z = (-value * s - side * tau / s) / math.sqrt(2)
            near = z.real >= 0
            blurred = bell * wofz(1j * np.where(near, z, -z))
            whole = 2.0 * np.exp(np.where(near, 0.0, value * side * tau + (value * s) ** 2 / 2))
            total += 0.5 * part * np.where(near, blurred, whole - blurred)
    return np.asarray(total.real / flux**2)


@dataclass(frozen=True)
class PulseCounts:
    """Detected photons per pulse: mean <n>, pairs <n(n-1)>, and g2 = <n(n-1)>/<n>^2 (None in the dark)."""

    mean: float
    pairs: float

    @property
    def g2_zero(self) -> float | None:
        """<n(n-1)>/<n>^2: central over distant side peaks."""
        return self.pairs / self.mean**2 if self.mean > 0 else None


def pulse_counts(emitter: Emitter, pairs_per_pulse: float, period_ns: float) -> PulseCounts:
    """Photons of one period of a pulsed source that has come to its rhythm, by exact moments.

    pairs_per_pulse: mean pairs a pulse would bring to a crystal that takes up all; period_ns: from pulse to
    pulse (what lives longer meets the next one). Good to the fastest rate x period x 1e-16. At low power,
    where the crystal returns to its ground state, g2 = QY_BX QY_X(after the biexciton)/QY_X^2: QY_BX/QY_X
    where both excitons start alike.
    """
    mean, pairs = pulse_moments(emitter, pairs_per_pulse, period_ns, order=2)
    return PulseCounts(float(mean), float(pairs))


def pulse_moments(
    emitter: Emitter, pairs_per_pulse: float, period_ns: float, *, order: int = 3
) -> FloatArray:
    """<n>, <n(n-1)>, <n(n-1)(n-2)>, ... of the photons of one period, shape (order,); as `pulse_counts`.

    g2(0) = m[1]/m[0]^2 and g3(0, 0) = m[2]/m[0]^3 of a record by pulses.
    """
    from scipy.linalg import expm

    if not 1 <= order <= 6:
        raise OptionError(f"moments up to order {order}", allowed="1 to 6")
    if not (math.isfinite(pairs_per_pulse) and pairs_per_pulse > 0):
        raise OptionError(f"{pairs_per_pulse:g} pairs a pulse", allowed="a positive number")
    if not (math.isfinite(period_ns) and period_ns > 0):
        raise OptionError(f"a period of {period_ns:g} ns", allowed="a positive number")
    n = len(emitter.states)
    own, seen = emitter.own, emitter.detections
    pulse = expm(pairs_per_pulse * emitter.captures)
    once = expm(period_ns * own) @ pulse
    moves = Emitter(
        emitter.states,
        tuple(
            Step(emitter.states[j], emitter.states[i], float(max(once[i, j], 0.0)), "transfer")
            for i in range(n)
            for j in range(n)
            if i != j and once[i, j] > 1e-300
        ),
    )
    start = pulse @ stationary(moves, 0.0)
    size = order + 1
    block = np.zeros((size * n, size * n))
    for k in range(size):
        block[k * n : (k + 1) * n, k * n : (k + 1) * n] = own
        if k:
            block[k * n : (k + 1) * n, (k - 1) * n : k * n] = k * seen
    end = expm(period_ns * block) @ np.concatenate([start, np.zeros(order * n)])
    return np.asarray(end.reshape(size, n)[1:].sum(axis=1))


@dataclass(frozen=True)
class DecayTerms:
    """I(t) = sum_k amplitude_k exp(-rate_k t) in detected photons per ns; complex pairs give a real sum."""

    rate_per_ns: npt.NDArray[np.complex128]
    amplitude_per_ns: npt.NDArray[np.complex128]

    def intensity_per_ns(self, time_ns: npt.ArrayLike) -> FloatArray:
        """I at times (m,) >= 0."""
        t = np.asarray(time_ns, dtype=float)[..., None]
        return np.asarray(np.sum(self.amplitude_per_ns * np.exp(-self.rate_per_ns * t), axis=-1).real)


def decay_terms(emitter: Emitter, start: Sequence[float] | npt.ArrayLike) -> DecayTerms:
    """The decay from populations `start` (n,), sum 1, without light: exponentials from the eigenvectors of K.

    Sorted fastest first; terms without light are kept out. Raises `ConvergenceError` where K has too few
    eigenvectors (two equal rates in a chain): change a rate by a millionth.
    """
    first = np.asarray(start, dtype=float)
    if first.shape != (len(emitter.states),) or np.any(first < 0) or abs(first.sum() - 1) > 1e-9:
        raise OptionError(
            "populations that do not fit", where="start", allowed="one for each state, 0 or more, sum 1"
        )
    seen = emitter.detections.sum(axis=0)
    values, parts = _terms(emitter.own, first, seen)
    order = np.argsort(values.real)
    values, parts = values[order], parts[order]
    size = np.abs(parts)
    keep = size > 1e-14 * size.max() if size.max() > 0 else np.zeros(len(size), bool)
    return DecayTerms(-values[keep], parts[keep])


def _terms(
    matrix: FloatArray, start: FloatArray, seen: FloatArray
) -> tuple[npt.NDArray[np.complex128], npt.NDArray[np.complex128]]:
    """seen . exp(M t) start as sum of parts exp(values t)."""
    values, vectors = np.linalg.eig(matrix.astype(complex))
    if np.linalg.cond(vectors) > 1e10:
        raise ConvergenceError(
            "the rate matrix has too few eigenvectors (equal rates in a chain)",
            fix="change one of the equal rates by a millionth",
        )
    values = np.where(values.real > 0, 1j * values.imag, values)  # a generator has none: rounding
    return values, (seen @ vectors) * np.linalg.solve(vectors, start.astype(complex))


def emission_spectrum(
    emitter: Emitter, pump_per_ns: float, energy_ev: npt.ArrayLike, fwhm_ev: float
) -> FloatArray:
    """Detected photons per ns and eV under steady light: Lorentzian lines of one width, shape of energy_ev.

    Each detected emission with an energy gives a line of the area rate x population. Raises `OptionError`
    where a detected line has no energy.
    """
    if not (math.isfinite(fwhm_ev) and fwhm_ev > 0):
        raise OptionError(f"a width of {fwhm_ev:g} eV", allowed="a positive number")
    still = stationary(emitter, pump_per_ns)
    energy = np.asarray(energy_ev, dtype=float)
    total = np.zeros(energy.shape)
    for step in emitter.steps:
        weight = step.detected * step.rate_per_ns * still[emitter.index(step.start)]
        if not weight:
            continue
        if step.energy_ev is None:
            raise OptionError("a line without an energy", where=f"{step.start} -> {step.end}")
        total += weight * fwhm_ev / (2 * math.pi) / ((energy - step.energy_ev) ** 2 + fwhm_ev**2 / 4)
    return total
