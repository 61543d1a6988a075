"""Start-stop histogram: what simple electronics record, as a diagnostic only. Use `correlation.pairs` for g2.

A photon at A starts a clock, the first photon at B stops it; starts in between and all later stops are lost.
With stops at the rate R after a start, and S starts,

    K(tau) = S R(tau) exp(-int_0^tau R)                   short delays are counted too often
    c_i = -S ln[1 - K_i/(S - sum_{j<i} K_j)]              as they would be without: only starts still waiting
                                                          could have stopped (as pile-up, `pile_up.coates`)

Steady light of 1e6 counts a second on B has lost a tenth of its pairs at 100 ns and 63 % at 1 us. The
correction is exact where stops come independently of one another after a start (unrelated light). For
antibunched light that there are no earlier stops says something about the emitter, and it is an approximation
that is good while a stop within the window is rare. All pairs have none of this, and cost no more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.measured.photon_stream import PhotonStream
from perolux.photons.correlation import Sides, sided_chunks, two_sides
from perolux.photons.pile_up import coates
from perolux.progress import Progress, silent

__all__ = ["StartStop", "start_stop"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class StartStop:
    """Delays from a start at A to the first stop at B. tau_ns: (n,) centres of bins of width_ns from 0 on;
    counts: (n,); starts: that were taken; stop_cps: counts a second of B."""

    tau_ns: FloatArray
    counts: IntArray
    width_ns: float
    starts: int
    stop_cps: float

    def g2(self) -> tuple[FloatArray, FloatArray]:
        """g2 as such histograms are normalised, and with the lost stops put back, each (n,)."""
        if self.starts == 0 or self.stop_cps == 0:
            raise OptionError("one detector has no photons: no g2", fix="name two detectors that saw light")
        unrelated = self.starts * self.stop_cps * 1e-9 * self.width_ns
        return self.counts / unrelated, self.corrected() / unrelated

    def corrected(self) -> FloatArray:
        """c_i, (n,): counts of all stops, from the starts that still waited."""
        return coates(self.counts, max(self.starts, int(self.counts.sum()) + 1))

    @property
    def stopped(self) -> float:
        """Share of the starts that found a stop: the bias at the end of the window; below 1 % it is small."""
        return float(self.counts.sum()) / max(self.starts, 1)


def start_stop(
    stream: PhotonStream,
    *,
    window_ns: float,
    width_ns: float,
    sides: Sides | None = None,
    progress: Progress = silent,
) -> StartStop:
    """Delays of the first stop after each start, up to window_ns in bins of width_ns; see the module for its
    bias. Raises `OptionError` for a window below the width or more than 1e6 bins."""
    from perolux.photons._coincidence_kernels import first_stops

    bins = math.ceil(window_ns / width_ns - 1e-9) if width_ns > 0 else 0
    if not (0 < width_ns <= window_ns) or bins > 1_000_000:
        raise OptionError(
            f"a window of {window_ns:g} ns in bins of {width_ns:g} ns", allowed="width up to window, 1e6 bins"
        )
    a, b = two_sides(stream, sides)
    fine_ns = stream.nanotime_bin_ns if stream.macro_is_sync else None
    counts = np.zeros(bins, np.int64)
    state = np.zeros(3)
    stops = 0
    before = 0
    for photons, side in sided_chunks(stream, a, b, progress):
        if not len(photons):
            continue
        fine: FloatArray = np.zeros(len(photons))
        if fine_ns is not None and photons.nanotime is not None:
            fine = np.asarray(photons.nanotime * fine_ns, dtype=float)
        first = int(photons.macro[0])
        # the waiting start keeps its time, now seen from this chunk
        state[1] -= (first - before) * stream.macro_tick_ns
        before = first
        order = np.argsort((photons.macro - first) * stream.macro_tick_ns + fine, kind="stable")
        # the kernel counts from its first macro time: it must be the chunk's
        shift = (photons.macro[order][0] - first) * stream.macro_tick_ns
        state[1] -= shift
        first_stops(
            photons.macro[order], fine[order], side[order], stream.macro_tick_ns, bins * width_ns, width_ns,
            state, counts,
        )  # fmt: skip
        state[1] += shift
        stops += int(np.count_nonzero(side == 1))
    return StartStop(
        np.asarray(width_ns * (np.arange(bins) + 0.5), dtype=float),
        counts,
        width_ns,
        int(state[2]),
        stops / stream.duration_s,
    )
