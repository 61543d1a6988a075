"""S11 to S13, and error propagation against sampling."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perolux.errors import OptionError
from perolux.measured import FLAGS
from perolux.measured.plqy import (
    inner_filter_factor,
    mean_of_repeats,
    relative_plqy,
    self_absorption_corrected,
    sphere_plqy,
)

S11 = (1e6, 9e5, 3.5e5, 4e4, 5.2e5)


def test_s11_de_mello():
    r = sphere_plqy(*S11)
    assert r.absorbed == pytest.approx(0.61111, abs=1e-5)
    assert r.plqy == pytest.approx(0.82545, abs=1e-5)
    assert r.plqy == pytest.approx(504444.4444 / 611111.1111, abs=1e-9)
    assert r.flags == ()


def test_without_input_sigmas_there_is_no_sigma():
    """An unknown uncertainty is not zero."""
    sphere = sphere_plqy(*S11)
    relative = relative_plqy(0.9, 8e4, 1e5, 0.08, 0.05, 1.50, 1.36)
    for r in (sphere, relative):
        assert r.plqy_sigma is None
        assert r.absorbed_sigma is None
        assert r.contributions == {}
        assert "no uncertainty" in r.reasons["plqy_sigma"]
        assert "no uncertainty" in r.reasons["absorbed_sigma"]
    assert self_absorption_corrected(0.8, 0.2)[1] is None
    partly = sphere_plqy(*S11, pl_direct_sigma=3e3)
    assert partly.plqy_sigma == pytest.approx(3e3 / (1e6 * partly.absorbed), rel=1e-12)
    assert partly.contributions.keys() == {"pl_direct"}
    assert partly.absorbed_sigma is None
    assert "plqy_sigma" not in partly.reasons
    said = sphere_plqy(*S11, pl_direct_sigma=0.0)
    assert said.plqy_sigma == 0.0  # zero is what the caller said


def test_s11_error_propagation_against_sampling():
    sigmas = (4e3, 4.5e3, 2e3, 8e2, 3e3)
    names = ("laser_empty", "laser_indirect", "laser_direct", "pl_indirect", "pl_direct")
    r = sphere_plqy(*S11, **{f"{n}_sigma": s for n, s in zip(names, sigmas, strict=True)})
    rng = np.random.default_rng(12)
    la, lb, lc, pb, pc = (rng.normal(v, s, 200_000) for v, s in zip(S11, sigmas, strict=True))
    absorbed = 1 - lc / lb
    eta = (pc - (1 - absorbed) * pb) / (la * absorbed)
    # second order is (1 %)^2 here, sampling gives a standard deviation to 0.16 %
    assert r.plqy_sigma == pytest.approx(np.std(eta), rel=0.01)
    assert r.absorbed_sigma == pytest.approx(np.std(absorbed), rel=0.01)
    assert math.hypot(*r.contributions.values()) == pytest.approx(r.plqy_sigma, rel=1e-12)
    assert r.contributions.keys() == set(names)


def test_weak_absorption_of_the_chapter():
    """0.5 % laser repeatability at A = 0.05 gives 13 % of eta (Pb = 0), and a warning."""
    r = sphere_plqy(
        1e6, 1e6, 0.95e6, 0.0, 4e4, laser_empty_sigma=5e3, laser_indirect_sigma=5e3, laser_direct_sigma=4.75e3
    )
    assert r.plqy_sigma / r.plqy == pytest.approx(0.13, abs=0.006)  # quoted to two digits
    assert "weak-absorption" in r.flags


def test_impossible_results_are_numbers_with_a_flag():
    assert sphere_plqy(1e6, 9e5, 3.5e5, 4e4, 9e5).plqy > 1
    assert "plqy-above-one" in sphere_plqy(1e6, 9e5, 3.5e5, 4e4, 9e5).flags
    gained = sphere_plqy(1e6, 9e5, 9.5e5, 4e4, 5e4)
    assert gained.absorbed < 0
    assert gained.plqy is not None
    assert "absorption-not-positive" in gained.flags
    nothing = sphere_plqy(1e6, 9e5, 9e5, 4e4, 5e4)
    assert nothing.plqy is None
    assert nothing.reasons["plqy"]
    negative = sphere_plqy(1e6, 9e5, 3.5e5, 9e5, 1e4)
    assert "plqy-negative" in negative.flags
    for r in (gained, nothing, negative):
        assert set(r.flags) <= FLAGS.keys()


def test_bad_input_to_the_sphere():
    with pytest.raises(OptionError, match="laser_direct"):
        sphere_plqy(1e6, 9e5, -1.0, 4e4, 5e5)
    with pytest.raises(OptionError, match="no laser photons"):
        sphere_plqy(0.0, 9e5, 3e5, 4e4, 5e5)
    with pytest.raises(OptionError, match="finite"):
        sphere_plqy(1e6, 9e5, 3e5, math.nan, 5e5)
    with pytest.raises(OptionError, match="pl_direct_sigma"):
        sphere_plqy(*S11, pl_direct_sigma=-1.0)


def test_s12_self_absorption():
    assert self_absorption_corrected(0.8, 0.2)[0] == pytest.approx(0.83333, abs=5e-6)
    assert self_absorption_corrected(0.8, 0.2)[0] == pytest.approx(0.8 / 0.96, abs=1e-9)


@given(st.floats(0.0, 1.0), st.floats(0.0, 0.99))
def test_s12_limits(eta, reabsorbed):
    assert self_absorption_corrected(eta, 0.0)[0] == pytest.approx(eta, abs=1e-9)
    assert self_absorption_corrected(1.0, reabsorbed)[0] == pytest.approx(1.0, abs=1e-9)
    true = self_absorption_corrected(eta, reabsorbed)[0]
    assert eta - 1e-12 <= true <= 1 + 1e-12
    # forward: each reabsorbed photon is emitted again with the true yield
    observed = true * (1 - reabsorbed) / (1 - reabsorbed * true)
    assert observed == pytest.approx(eta, abs=1e-9)


def test_self_absorption_sigma_against_differences():
    value, sigma = self_absorption_corrected(0.8, 0.2, plqy_sigma=0.01, reabsorbed_sigma=0.02)
    h = 1e-6
    by_eta = (self_absorption_corrected(0.8 + h, 0.2)[0] - value) / h
    by_a = (self_absorption_corrected(0.8, 0.2 + h)[0] - value) / h
    assert sigma == pytest.approx(math.hypot(by_eta * 0.01, by_a * 0.02), rel=1e-4)
    with pytest.raises(OptionError, match="reabsorbed"):
        self_absorption_corrected(0.8, 1.0)


def test_s13_repeats():
    yields = mean_of_repeats([93.4, 90.8, 92.6, 92.9, 90.1])
    assert yields.mean == pytest.approx(92.0, abs=0.05)
    assert yields.sd_n == pytest.approx(1.3, abs=0.05)
    assert yields.sd_n_minus_1 == pytest.approx(1.4, abs=0.05)
    absorbed = mean_of_repeats([64.6, 64.9, 65.3, 64.7, 66.0])
    assert absorbed.mean == pytest.approx(65.1, abs=0.05)
    assert absorbed.sd_n == pytest.approx(0.5, abs=0.05)
    alone = mean_of_repeats([0.9])
    assert alone.sd_n == 0.0
    assert alone.sd_n_minus_1 is None
    with pytest.raises(OptionError, match="at least one"):
        mean_of_repeats([])


def test_relative_yield_uses_absorptance_and_solvents():
    same = relative_plqy(0.9, 1e5, 1e5, 0.05, 0.05, 1.36, 1.36)
    assert same.plqy == pytest.approx(0.9, rel=1e-12)
    r = relative_plqy(0.9, 8e4, 1e5, 0.08, 0.05, 1.50, 1.36)
    f, fr = 1 - 10**-0.08, 1 - 10**-0.05
    assert r.plqy == pytest.approx(0.9 * 0.8 * fr / f * (1.50 / 1.36) ** 2, rel=1e-12)
    assert "plqy-above-one" in relative_plqy(0.9, 2e5, 1e5, 0.2, 0.2, 1.5, 1.36).flags
    assert "weak-absorption" in relative_plqy(0.9, 1e5, 1e5, 0.01, 0.05, 1.5, 1.36).flags
    with pytest.raises(OptionError, match="refractive"):
        relative_plqy(0.9, 1e5, 1e5, 0.05, 0.05, 0.9, 1.36)


def test_relative_error_propagation_against_sampling():
    sigmas = {"reference_plqy": 0.02, "pl": 800.0, "pl_reference": 900.0, "absorbance": 0.003}
    centre = {"reference_plqy": 0.9, "pl": 8e4, "pl_reference": 1e5, "absorbance": 0.3}
    r = relative_plqy(*centre.values(), 0.25, 1.5, 1.36, absorbance_reference_sigma=0.002,
                      **{f"{name}_sigma": s for name, s in sigmas.items()})  # fmt: skip
    rng = np.random.default_rng(13)
    draw = {name: rng.normal(centre[name], sigmas[name], 200_000) for name in centre}
    reference = rng.normal(0.25, 0.002, 200_000)
    eta = (
        draw["reference_plqy"] * draw["pl"] / draw["pl_reference"]
        * (1 - 10**-reference) / (1 - 10 ** -draw["absorbance"]) * (1.5 / 1.36) ** 2
    )  # fmt: skip
    assert r.plqy_sigma == pytest.approx(np.std(eta), rel=0.01)


def test_inner_filter():
    assert inner_filter_factor(0.0, 0.0) == (1.0, ())
    factor, flags = inner_filter_factor(0.1, 0.04)
    assert factor == pytest.approx(10**0.07)
    assert flags == ()
    assert inner_filter_factor(0.31, 0.0)[1] == ("strong-inner-filter",)
    assert inner_filter_factor(0.0, 0.31)[1] == ("strong-inner-filter",)
    assert inner_filter_factor(0.2, 0.2)[1] == ()  # each alone, not their sum
