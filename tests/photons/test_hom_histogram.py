"""Peaks of two-photon interference: counted pairs against photons thrown one by one, fits, coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from perolux.errors import ModelRangeError, OptionError
from perolux.photons.hom_histogram import HomHistogram, fit_histograms, peak_share, simulate_histogram
from perolux.photons.hom_peaks import Interferometer, correction, peak_areas

EDGES = np.arange(-7.5, 7.51, 0.15)
KEPT = {"delay_ns": 3.0, "blur_ns": 0.05, "g2_zero": 0.05}


def test_distinguishable_photons():
    assert peak_areas("pulse pair").area.tolist() == [1.0, 2.0, 2.0, 2.0, 1.0]
    train = peak_areas("train")
    assert train.area.tolist() == [1.0, 1.0, 1.0, 0.75, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert train.central(1.0) == 0.0 and peak_areas("pulse pair").central(1.0) == 0.0


@settings(max_examples=60)
@given(st.floats(0.2, 0.8), st.floats(0.0, 0.5), st.floats(0.5, 1.0))
def test_h7_where_one_splitter_is_passed_twice(transmit, g2, contrast):
    reflect = 1 - transmit
    optics = Interferometer(reflect, transmit, transmit, contrast)
    form = correction("pulse pair", optics, g2_zero=g2)
    even = (reflect**2 + transmit**2) / (2 * reflect * transmit)
    assert form.factor == pytest.approx(even * (1 + 2 * g2) / contrast**2, rel=1e-12)
    assert "H7" in form.words
    assert form.parts == pytest.approx(
        {"splitter": even, "contrast": 1 / contrast**2, "g2": 1 + 2 * g2}, rel=1e-12
    )
    arms = Interferometer(reflect, transmit, 0.5, contrast)
    for scheme, k in (("pulse pair", 2), ("train", 1)):
        found = correction(scheme, arms, g2_zero=g2).factor
        assert found == pytest.approx((even + k * g2) / contrast**2, rel=1e-12)
        other = correction(scheme, arms, g2_zero=g2, extra="unrelated").factor
        assert other == pytest.approx(found / (1 - g2), rel=1e-12)


@pytest.mark.parametrize("extra", ["alike", "unrelated"])
@pytest.mark.parametrize("scheme", ["pulse pair", "train"])
def test_against_photons_thrown_one_by_one(scheme, extra):
    # photon numbers, arms, ports and outcomes drawn; only what two photons do together is put in
    rng = np.random.default_rng(5)
    optics, v = Interferometer(0.42, 0.58, 0.45, 0.95), 0.7
    trials, pulses = 400_000, 2 if scheme == "pulse pair" else 6
    signal, noise = 0.5, 0.1
    if extra == "unrelated":
        # one signal photon at most, and Poisson light beside it
        numbers = [(rng.random((trials, pulses)) < signal).astype(int), rng.poisson(noise, (trials, pulses))]
    else:
        draw = rng.random((trials, pulses))
        numbers = [(draw < 0.5).astype(int) + (draw < 0.05), np.zeros((trials, pulses), int)]
    total = numbers[0] + numbers[1]
    g2 = (total * (total - 1)).mean() / total.mean() ** 2
    trial, slot, arm, pulse, kind = [], [], [], [], []
    for which, one in enumerate(numbers):
        for copy in range(one.max()):
            t, p = np.nonzero(one > copy)
            a = (rng.random(len(t)) >= optics.short_share).astype(int)
            trial.append(t), slot.append(p + a), arm.append(a), pulse.append(p)
            kind.append(np.full(len(t), which))
    trial, slot, arm, pulse, kind = (np.concatenate(x) for x in (trial, slot, arm, pulse, kind))
    order = np.argsort(trial, kind="stable")
    trial, slot, arm, pulse, kind = (x[order] for x in (trial, slot, arm, pulse, kind))
    r, t = optics.reflect, optics.transmit
    centre = [0.0, 0.0]  # orthogonal, parallel
    side = 0.0
    for shift in range(1, int(np.bincount(trial).max())):
        same = trial[shift:] == trial[:-shift]
        i, j = np.flatnonzero(same), np.flatnonzero(same) + shift
        meet = slot[i] == slot[j]
        if scheme == "train":
            meet &= slot[i] == 3
        first_i = np.where(arm[i] == 0, t, r)
        first_j = np.where(arm[j] == 0, t, r)
        chance = first_i * (1 - first_j) + first_j * (1 - first_i)
        crossed = meet & (arm[i] != arm[j]) & (pulse[i] != pulse[j])
        if extra == "unrelated":
            crossed &= (kind[i] == 0) & (kind[j] == 0)
        u = rng.random(len(i))
        centre[0] += np.sum(u[meet] < chance[meet])
        less = np.where(crossed, chance - 2 * r * t * optics.contrast**2 * v, chance)
        centre[1] += np.sum(u[meet] < less[meet])
        far = np.abs(slot[i] - slot[j]) == 2
        if scheme == "pulse pair":
            side += np.sum(u[far] < chance[far])
    raw = 1 - centre[1] / centre[0]
    form = correction(scheme, optics, g2_zero=g2, extra=extra)
    error = 3.5 / np.sqrt(centre[0]) * form.factor
    assert abs(raw * form.factor - v) < error
    if scheme == "pulse pair":
        areas = peak_areas(scheme, optics, g2_zero=g2, extra=extra)
        expected = areas.central(0.0) / (areas.area[0] + areas.area[-1])
        assert centre[0] / side == pytest.approx(expected, rel=4 / np.sqrt(side))


def test_shares_are_integrals():
    edges = np.array([-3.0, -0.4, -0.1, 0.02, 0.3, 5.0])
    for blur in (0.01, 0.2, 1.5):

        def density(t, blur=blur):
            return quad(
                lambda u: np.exp(-abs(t - u) / 0.3) / 0.6 * np.exp(-((u / blur) ** 2) / 2),
                -9 * blur, 9 * blur, points=[t] if abs(t) < 9 * blur else None, limit=200,
            )[0] / (blur * np.sqrt(2 * np.pi))  # fmt: skip

        for k in range(1, 4):
            brute = quad(density, edges[k], edges[k + 1], limit=100)[0]
            assert peak_share(edges, 0.0, 0.3, blur)[k] == pytest.approx(brute, rel=1e-6)
    assert peak_share([-1e3, 1e3], 0.5, 0.3, 0.2)[0] == pytest.approx(1.0, abs=1e-12)
    sharp, nearly = peak_share(EDGES, 0.0, 0.3), peak_share(EDGES, 0.0, 0.3, 1e-6)
    assert np.allclose(sharp, nearly, atol=1e-9)


def both(seed, v, scheme="pulse pair", **changes):
    rng = np.random.default_rng(seed)
    given_ = KEPT | {"lifetime_ns": 0.3, "coincidences": 2000.0, "background": 1.0} | changes
    return [simulate_histogram(scheme, EDGES, rng, visibility=one, **given_) for one in (v, 0.0)]


@pytest.mark.parametrize("scheme", ["pulse pair", "train"])
@pytest.mark.slow
def test_there_and_back(scheme):
    optics = Interferometer(0.47, 0.53, 0.5, 0.97)
    found = fit_histograms(
        *both(1, 0.56, scheme, interferometer=optics), scheme, lifetime_ns=0.2, interferometer=optics,
        g2_sigma=0.005, **KEPT,
    )  # fmt: skip
    assert found.interval[0] < 0.56 < found.interval[1] and found.interval[1] - found.interval[0] < 0.2
    assert found.raw < found.visibility and found.form.sigma > 0
    assert found.lifetime_ns == pytest.approx(0.3, abs=4 * found.lifetime_sigma_ns)
    assert found.central_over_side == pytest.approx(1.0, abs=0.1)
    assert found.chi2 < found.degrees_of_freedom + 5 * np.sqrt(2 * found.degrees_of_freedom)


@pytest.mark.slow
def test_a_wrong_g2_shows_in_the_orthogonal_histogram():
    pair = both(2, 0.5, coincidences=2e4)
    found = fit_histograms(*pair, "pulse pair", lifetime_ns=0.3, **(KEPT | {"g2_zero": 0.3}))
    assert found.central_over_side < 0.85


@pytest.mark.long
def test_coverage():
    inside = 0
    for seed in range(100):
        found = fit_histograms(
            *both(seed, 0.56, coincidences=500.0), "pulse pair", lifetime_ns=0.3, level=0.68, **KEPT
        )
        low, high = found.interval
        inside += (low is None or low < 0.56) and (high is None or high > 0.56)
    # 68 of 100, binomial: 4.7
    assert 54 <= inside <= 82


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (lambda: Interferometer(0.7, 0.7), "sum up to 1"),
        (lambda: Interferometer(contrast=0.0), "contrast"),
        (lambda: peak_areas("triplet"), "pulse pair"),
        (lambda: peak_areas("train", g2_zero=1.0), "g2"),
        (lambda: HomHistogram(EDGES, np.zeros(3, int)), "do not fit"),
        (lambda: both(0, 1.4), "visibility"),
        (lambda: both(0, 0.4, lifetime_ns=-1.0), "lifetime_ns"),
        (
            lambda: fit_histograms(
                *both(0, 0.4), "pulse pair", **(KEPT | {"delay_ns": 30.0}), lifetime_ns=1.0
            ),
            "side",
        ),
    ],
)
def test_refused(bad, says):
    with pytest.raises(OptionError, match=says):
        bad()


def test_an_empty_histogram_is_refused():
    dark = HomHistogram(EDGES, np.zeros(len(EDGES) - 1, int))
    with pytest.raises(ModelRangeError, match="20"):
        fit_histograms(dark, dark, "train", lifetime_ns=0.3, **KEPT)
