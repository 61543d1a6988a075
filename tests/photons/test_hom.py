"""Two-photon interference: a numerical two-time integral, limits, the way back, cavities and cold."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import ModelRangeError, OptionError
from perolux.photons.hom import (
    coherence_of_visibility,
    diffusion_spread,
    enhancement_for,
    fine_structure_visibility,
    purcell_visibility,
    sideband_factor,
    visibility,
)
from perolux.photons.hom_wanted import (
    cavity_for,
    coherence_time_behind,
    enhancement_wanted,
    linewidth_uev,
    purcell_factor,
    pure_dephasing_time_ps,
    temperature_for,
)
from perolux.validation.photons_quantum import hom_two_times
from perolux.validation.rows import read_table

T1 = st.floats(10.0, 1e4)
SHARE = st.floats(0.01, 1.0)  # T2/(2 T1)


def test_the_table():
    rows = read_table("hom_visibility.csv")
    for row in rows:
        t1, t2, spread, gate, value = (float(row[name]) for name in list(row)[1:])
        found = visibility(t1, t2, detuning_spread_rad_per_ps=spread, gate_ps=gate)
        assert float(found) == pytest.approx(value, rel=1e-8)
    assert len(rows) == 13


@pytest.mark.parametrize("gate", [None, 3.0, 150.0])
@pytest.mark.parametrize(("detuning", "spread"), [(0.0, 0.0), (0.03, 0.0), (0.0, 0.01), (0.02, 0.02)])
def test_against_two_times(detuning, spread, gate):
    found = visibility(
        100.0, 112.0, detuning_rad_per_ps=detuning, detuning_spread_rad_per_ps=spread, gate_ps=gate
    )
    assert float(found) == pytest.approx(hom_two_times(100.0, 112.0, detuning, spread, gate), abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(T1, SHARE, st.floats(0.0, 0.1), st.none() | st.floats(0.1, 1e3))
def test_there_and_back(t1, share, spread, gate):
    t2 = 2 * t1 * share
    kept = {"gate_ps": gate}
    value = float(visibility(t1, t2, detuning_spread_rad_per_ps=spread, **kept))
    assert 0 <= value <= 1 + 1e-9
    # where the gate or the spread hides T2, V hardly depends on it: compare visibilities
    back = coherence_time_behind(t1, min(value, 1.0), spread_rad_per_ps=spread, **kept)
    again = float(visibility(t1, back, detuning_spread_rad_per_ps=spread, **kept))
    assert again == pytest.approx(value, rel=1e-9, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(T1, st.floats(0.05, 0.95), st.floats(0.5, 0.99))
def test_enhancement_by_search_is_the_closed_form(t1, share, wanted):
    t2 = 2 * t1 * share
    closed = max(enhancement_for(t1, t2, wanted), 1.0)
    found = enhancement_wanted(t1, t2, wanted)
    assert found == pytest.approx(closed, rel=1e-9)
    assert float(purcell_visibility(t1, t2, found)) >= wanted * (1 - 1e-9)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.1, 0.9), st.floats(0.001, 0.05), st.floats(0.5, 0.95), st.none() | st.floats(5.0, 500.0))
def test_what_is_promised_with_spread_and_gate_is_kept(share, spread, wanted, gate):
    t1, t2 = 100.0, 200.0 * share
    factor = enhancement_wanted(t1, t2, wanted, spread_rad_per_ps=spread, gate_ps=gate)
    faster = t1 / factor
    coherent = 1 / (1 / (2 * faster) + 1 / t2 - 1 / (2 * t1))
    value = float(visibility(faster, coherent, detuning_spread_rad_per_ps=spread, gate_ps=gate))
    assert value == pytest.approx(wanted, rel=1e-8) or (factor == 1.0 and value > wanted)


def test_the_numbers_of_the_review():
    found = coherence_of_visibility(100.0, 0.56)
    assert (found.t2_ps, found.pure_dephasing_time_ps) == pytest.approx((112.0, 254.5454545))
    assert coherence_of_visibility(100.0, 1.0).pure_dephasing_time_ps is None
    assert pure_dephasing_time_ps(100.0, 200.0) is None
    assert linewidth_uev(65.82119569) == pytest.approx(20.0, rel=1e-9)


def test_fine_structure_by_two_times():
    t1, t2, lines, shares = 100.0, 80.0, [0.0, 0.05, 0.12], [0.5, 0.3, 0.2]
    t = np.linspace(0.0, 2500.0, 5001)
    # trapezoidal in both times: halving the step moves the value by a quarter of the error
    found = []
    for step in (2, 1):
        x = t[::step]
        w = np.full(len(x), x[1])
        w[0] = w[-1] = x[1] / 2
        amplitude = sum(math.sqrt(p) * np.exp(-1j * d * x) for p, d in zip(shares, lines, strict=True))
        light = np.abs(amplitude * np.exp(-x / (2 * t1))) ** 2 * w
        pure = 1 / t2 - 1 / (2 * t1)
        # int int I I' exp(-2 g |t - t'|), by the recursion over t of the decaying memory
        memory, total = 0.0, 0.0
        for one in light:
            total += 2 * one * memory + one * one
            memory = (memory + one) * math.exp(-2 * pure * x[1])
        found.append(total / light.sum() ** 2)
    best = (4 * found[1] - found[0]) / 3
    exact = fine_structure_visibility(t1, t2, lines, shares, coherent=True)
    assert exact == pytest.approx(best, abs=2e-5)
    mixed = fine_structure_visibility(t1, t2, lines, shares, coherent=False)
    assert mixed < exact
    assert fine_structure_visibility(t1, t2, [0.3], [2.0], coherent=True) == pytest.approx(0.4)


def test_diffusion_and_sidebands():
    assert diffusion_spread(0.01, 0.0, 5.0) == 0.0
    assert diffusion_spread(0.01, 1e9, 5.0) == pytest.approx(0.01 * math.sqrt(2))
    assert sideband_factor(0.8) == pytest.approx(0.64) and sideband_factor(0.8, 0.0) == 1.0
    with pytest.raises(OptionError):
        sideband_factor(0.8, 2.0)


def test_a_cavity_reaches_what_it_promises():
    cavity = cavity_for(100.0, 112.0, 0.9, wavelength_nm=515.0)
    pure = 1 / 112.0 - 1 / 200.0
    t1 = cavity.t1_ps
    assert float(visibility(t1, 1 / (1 / (2 * t1) + pure))) == pytest.approx(0.9, rel=1e-9)
    assert purcell_factor(cavity.quality, 1.0) == pytest.approx(cavity.enhancement - 1.0)
    assert cavity.verdict == "weak coupling" and cavity.coupling_over_loss < 0.1
    small = cavity_for(100.0, 112.0, 0.9, wavelength_nm=515.0, mode_volume_cubic_wavelengths=0.01)
    assert small.quality == pytest.approx(cavity.quality / 100) and "no resonance" in small.verdict
    # g^2 = Y F_P G kappa/4, from the two definitions of the same coupling
    kappa = 2 * math.pi * 299.792458e3 / 515.0 / cavity.quality
    g = cavity.coupling_over_loss * kappa / 4
    assert 4 * g * g / kappa == pytest.approx(cavity.purcell_factor / 100.0)
    strong = cavity_for(1.0, 0.02, 0.999, wavelength_nm=515.0, mode_volume_cubic_wavelengths=10.0)
    assert "strong" in strong.verdict
    assert "not checked" in cavity_for(100.0, 112.0, 0.9).verdict
    assert cavity_for(100.0, 112.0, 0.5).enhancement == 1.0


def test_cold_enough():
    found = temperature_for(100.0, 112.0, 0.9, 4.0, phonon_ev=3.2e-3)
    assert found.low_k <= found.temperature_k <= found.high_k
    # acoustic alone: the width is linear, so the temperature is that share of it
    linear = temperature_for(100.0, 112.0, 0.9, 4.0, phonon_ev=1.0)
    share = (1 / 0.9 - 1) / (1 / 0.56 - 1)
    assert linear.temperature_k == pytest.approx(4.0 * share, rel=1e-9)
    assert "already" in temperature_for(100.0, 112.0, 0.5, 4.0, phonon_ev=3e-3).reason
    lost = temperature_for(100.0, 112.0, 0.9, 4.0, phonon_ev=3e-3, spread_rad_per_ps=0.02)
    assert lost.temperature_k is None and "spread" in lost.reason


@pytest.mark.parametrize(
    "bad",
    [
        lambda: visibility(0.0, 1.0),
        lambda: visibility(1.0, 2.1),
        lambda: visibility(1.0, 1.0, detuning_spread_rad_per_ps=-1.0),
        lambda: visibility(1.0, 1.0, gate_ps=0.0),
        lambda: visibility(1.0, 1.0, detuning_rad_per_ps=math.nan),
        lambda: coherence_of_visibility(100.0, 56.0),
        lambda: coherence_time_behind(100.0, 0.0),
        lambda: cavity_for(100.0, 112.0, 0.9, mode_volume_cubic_wavelengths=0.0),
        lambda: cavity_for(100.0, 112.0, 0.9, radiative_yield=1.5),
        lambda: temperature_for(100.0, 112.0, 0.9, -4.0, phonon_ev=3e-3),
        lambda: fine_structure_visibility(1.0, 1.0, [0.0], [1.0, 2.0], coherent=True),
        lambda: purcell_factor(0.0, 1.0),
        lambda: linewidth_uev(0.0),
    ],
)
def test_refused(bad):
    with pytest.raises(OptionError):
        bad()


@pytest.mark.parametrize(
    "bad",
    [
        lambda: enhancement_wanted(100.0, 112.0, 1.0),
        lambda: coherence_time_behind(100.0, 0.9, spread_rad_per_ps=0.02),
        lambda: temperature_for(100.0, 112.0, 1.0, 4.0, phonon_ev=3e-3),
        lambda: temperature_for(100.0, 112.0, 0.9, 300.0, phonon_ev=3e-3),
        lambda: enhancement_for(100.0, 112.0, 1.5),
    ],
)
def test_out_of_range(bad):
    with pytest.raises(ModelRangeError):
        bad()
