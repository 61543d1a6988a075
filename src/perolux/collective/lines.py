"""A spectrum as a sum of lines, from which shape, shift, width and coherence follow without a grid.

A first-order correlation, summed over all directions, of a Markovian assembly is a sum of exponentials

    G(tau) = sum_a c_a exp(mu_a tau),   Re mu_a < 0,   tau >= 0
    S(w)   = (1/pi) Re sum_a c_a/(i w - mu_a)          photons per Gamma, w in Gamma
    int S dw = Re sum_a c_a = photons                  (Wiener-Khinchin)

A single emitter is one line, mu = i delta - (1/2 + g*): a Lorentzian of the full width 1 + 2 g*.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from perolux.collective.couplings import ComplexArray, FloatArray
from perolux.errors import OptionError

__all__ = ["Lines", "joined_lines", "ringing"]

_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Lines:
    """poles mu (a,) in Gamma: imaginary part the frequency, less the mean of the emitters; weights c (a,),
    photons. method: which computed them."""

    poles: ComplexArray = field(repr=False)
    weights: ComplexArray = field(repr=False)
    method: str = ""

    @property
    def photons(self) -> float:
        """All light, Re G(0)."""
        return float(np.sum(self.weights).real)

    @property
    def mean(self) -> float:
        """Mean frequency of the light, Im G'(0)/Re G(0): the first moment, its tails cut evenly."""
        return float(np.sum(self.weights * self.poles).imag / self.photons)

    @property
    def coherence_time(self) -> float:
        """int |g1(tau)|^2 dtau over both signs, in 1/Gamma: T2 of a single emitter, 1/(1/2 + g*)."""
        near = np.abs(self.weights) > 1e-12 * np.max(np.abs(self.weights))
        c, mu = self.weights[near], self.poles[near]
        total, step = 0.0, max(_AT_ONCE // len(c), 1)
        for i in range(0, len(c), step):
            part = slice(i, i + step)
            pairs = c[part, None] * c.conj()[None, :] / -(mu[part, None] + mu.conj()[None, :])
            total += float(np.sum(pairs).real)
        return 2.0 * total / self.photons**2

    def correlation(self, lags: FloatArray) -> ComplexArray:
        """G(tau) at lags of 0 and more; over `photons` it is g1."""
        return np.asarray(np.exp(np.multiply.outer(lags, self.poles)) @ self.weights)

    def density(self, frequency: FloatArray) -> FloatArray:
        """S(w), photons per Gamma."""
        found = np.empty(len(frequency))
        step = max(_AT_ONCE // len(self.poles), 1)
        for i in range(0, len(frequency), step):
            part = slice(i, i + step)
            found[part] = np.real((1.0 / (1j * frequency[part, None] - self.poles)) @ self.weights) / np.pi
        return found

    def below(self, frequency: FloatArray) -> FloatArray:
        """Photons below each frequency: the integral of the density in closed form."""
        found = np.empty(len(frequency))
        step = max(_AT_ONCE // len(self.poles), 1)
        for i in range(0, len(frequency), step):
            part = slice(i, i + step)
            # Re(i w - mu) > 0: the principal branch is the right one
            turned = -1j * np.log(1j * frequency[part, None] - self.poles)
            found[part] = np.real(turned @ self.weights) / np.pi
        return found + 0.5 * self.photons

    def binned(self, edges: FloatArray) -> FloatArray:
        """Photons in the bins between edges (rising), exactly."""
        return np.asarray(np.diff(self.below(edges)))

    def range_of(self, share: float = 0.98) -> tuple[float, float]:
        """Frequencies between which the middle `share` of the photons lies."""
        if not 0.0 < share < 1.0:
            raise OptionError(f"a share of {share:g}", allowed="between 0 and 1")
        width = np.abs(self.poles.real)
        reach = float(np.max(np.abs(self.poles.imag) + 10.0 * width / (1.0 - share)))
        ends = []
        for wanted in (0.5 * (1.0 - share), 0.5 * (1.0 + share)):
            low, high = -reach, reach
            for _ in range(60):
                middle = 0.5 * (low + high)
                if float(self.below(np.array([middle]))[0]) < wanted * self.photons:
                    low = middle
                else:
                    high = middle
            ends.append(0.5 * (low + high))
        return ends[0], ends[1]

    def half_width(self) -> float:
        """Width between the quarters of the photons, in Gamma: the full width of a Lorentzian."""
        low, high = self.range_of(0.5)
        return high - low

    def less(self, other: Lines) -> Lines:
        """The lines of this light without the other: what was begun between two times."""
        return Lines(
            np.concatenate([self.poles, other.poles]),
            np.concatenate([self.weights, -other.weights]),
            self.method,
        )


def joined_lines(several: list[Lines]) -> Lines:
    """The mean over draws."""
    return Lines(
        np.concatenate([one.poles for one in several]),
        np.asarray(np.concatenate([one.weights for one in several]) / len(several), dtype=complex),
        several[0].method,
    )


def ringing(times: FloatArray, rate: FloatArray, sigma: FloatArray | None = None) -> dict[str, float | None]:
    """Is there a second burst: height of the largest later maximum over the first, and the dip between.

    second: height over that of the main peak; dip: lowest rate between over the lower of both peaks; both
    None without a later maximum that stands above the dip by more than 3 sigma (and 1e-6 of the peak).
    delay: time of the main peak.
    """
    k = int(np.argmax(rate))
    found: dict[str, float | None] = {"delay": float(times[k]), "second": None, "dip": None, "period": None}
    after = rate[k:]
    if len(after) < 3:
        return found
    lowest = np.minimum.accumulate(after)
    rise = after - lowest
    j = int(np.argmax(rise))
    error = 0.0 if sigma is None else 3.0 * float(sigma[k + j])
    if rise[j] <= max(error, 1e-6 * float(rate[k])):
        return found
    found["second"] = float(after[j] / rate[k])
    found["dip"] = float(lowest[j] / after[j])
    found["period"] = float(times[k + j] - times[k])
    return found
