"""Pairs at long lags against `numpy.correlate`; counting one by one against brute force; the stated bias."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.measured.photon_stream import PhotonStream, stream_of_arrays
from perolux.photons.correlation import log_lags
from perolux.photons.multiple_tau import MultipleTau


def in_chunks(stream: PhotonStream, size: int) -> PhotonStream:
    return replace(stream, read_chunks=lambda most: stream.read_chunks(size))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), chunk=st.integers(1, 400), shift=st.integers(0, 4), first=st.integers(2, 9))
def test_products_are_those_of_correlate_in_any_pieces(seed: int, chunk: int, shift: int, first: int) -> None:
    rng = np.random.default_rng(seed)
    total = 6000
    a, b = (np.sort(rng.integers(0, total, 1500)) for _ in range(2))
    bins = total >> shift
    made = MultipleTau(shift=shift, first_lag=first, bins=bins, longest=total // 3)
    for low in range(0, total, chunk):
        new_a, new_b = (x[(x >= low) & (x < low + chunk)] for x in (a, b))
        made.add(new_a, new_b, (low + chunk) >> shift)
    made.add(a[:0], b[:0], bins)
    in_a, in_b = (np.bincount(x >> shift, minlength=bins)[:bins].astype(float) for x in (a, b))
    for level in made.levels:
        n = len(in_a)
        lags = made.lags[made.lags < n]
        assert level.seen == n
        full = np.correlate(in_b, in_a, mode="full")[n - 1 :]
        np.testing.assert_array_equal(level.pairs[: len(lags)], full[lags])
        unrelated = [in_a[: n - k].sum() * in_b[k:].sum() / (n - k) for k in lags]
        np.testing.assert_allclose(level.expected(lags), unrelated, rtol=1e-13)
        in_a, in_b = (x[: n // 2 * 2].reshape(-1, 2).sum(axis=1) for x in (in_a, in_b))


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), chunk=st.integers(1, 300), per_octave=st.integers(2, 12))
def test_all_pairs_of_fine_ticks_are_those_of_brute_force(seed: int, chunk: int, per_octave: int) -> None:
    rng = np.random.default_rng(seed)
    time = np.sort(rng.integers(0, 10**7, 300))  # far more ticks than cells: bins are found by steps
    side = rng.integers(0, 2, 300)
    stream = stream_of_arrays(time, side, macro_tick_ns=0.001, duration_s=1e-5)
    found = log_lags(
        in_chunks(stream, chunk),
        shortest_ns=1.0,
        longest_ns=4000.0,
        exact_to_ns=4000.0,
        per_octave=per_octave,
    )
    lag = (time[side == 1][None] - time[side == 0][:, None]).ravel()
    edges = np.append(found.low_ns, found.high_ns[-1])
    assert found.high_ns[-1] == pytest.approx(4000.0)
    np.testing.assert_array_equal(found.pairs, np.histogram(lag, np.rint(edges * 1000) - 0.5)[0])


def test_chunks_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    time = np.cumsum(rng.geometric(0.01, 20_000))
    stream = stream_of_arrays(
        time, rng.integers(0, 3, len(time)), macro_tick_ns=10.0, duration_s=float(time[-1] + 7000) * 1e-8
    )
    sides = ((0,), (2,))
    whole = log_lags(stream, sides=sides)
    for size in (1, 777, 19_999):
        part = log_lags(in_chunks(stream, size), sides=sides)
        np.testing.assert_array_equal(part.pairs, whole.pairs)
        np.testing.assert_array_equal(part.g2, whole.g2)
    assert whole.high_ns[-1] <= stream.duration_s * 1e8


def test_bias_of_the_triangle_is_what_is_stated() -> None:
    for first_lag in (8, 16, 32):
        tau = np.geomspace(0.05, 20.0, 400)  # in units of the correlation time
        width = tau / first_lag  # the widest bins that a lag meets
        # The mean of exp(-t) over the triangle is exp(-tau) (2 cosh w - 2)/w^2.
        bias = np.exp(-tau) * ((2 * np.cosh(width) - 2) / width**2 - 1)
        assert bias.max() == pytest.approx(4 / np.e**2 / (12 * first_lag**2), rel=0.02)


@pytest.mark.slow
def test_multiple_tau_and_counting_agree_within_the_bias() -> None:
    # Light that switches at random between two rates: g2 = 1 + A exp(-tau/tau0), tau0 = 1 ms, A = (1/3)^2.
    rng = np.random.default_rng(5)
    ends = np.cumsum(rng.exponential(2e6, 20_000))  # ns; 2 ms in each
    rate = np.where(np.arange(len(ends)) % 2 == 0, 4e-5, 2e-5)  # photons per ns
    length = np.diff(ends, prepend=0.0)
    count = rng.poisson(rate * length)
    time = np.sort(np.repeat(ends - length, count) + rng.random(count.sum()) * np.repeat(length, count))
    stream = stream_of_arrays(
        time.astype(np.int64), rng.integers(0, 2, len(time)), macro_tick_ns=1.0, duration_s=ends[-1] * 1e-9
    )
    long = 4e6
    binned, counted = log_lags(stream, longest_ns=long), log_lags(stream, longest_ns=long, exact_to_ns=long)
    middle = [np.sqrt(one.low_ns * one.high_ns) for one in (binned, counted)]
    late = (middle[0] > 3e5) & (middle[0] < 3.9e6)
    # Each triangle beside the counted bins read at its middle. A lag holds 3e5 to 3e6 pairs, whose counting
    # errors the two share in part only: the bound takes them as unrelated.
    other = np.interp(middle[0][late], middle[1], counted.g2)
    error = np.sqrt(1 / binned.pairs[late] + np.interp(middle[0][late], middle[1], 1 / counted.pairs))
    amplitude = 1 / 9
    apart = binned.g2[late] - other
    assert np.abs(apart / error).max() < 4
    assert np.abs(apart.mean()) < 1.8e-4 * amplitude + 3 * error.mean() / np.sqrt(len(error))
    curve = 1 + amplitude * np.exp(-middle[0][late] / 1e6)
    # 20,000 dwells: the curve itself is known to about 2 % of its height.
    assert np.abs(binned.g2[late] - curve).max() < 0.06 * amplitude
