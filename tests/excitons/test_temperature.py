"""Temperature laws and fits of temperature series: derivatives, exact recovery, degeneracies, coverage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.backwards.temperature_laws import (
    GAP_LAWS,
    WIDTH_LAW,
    gap_slope_ev_per_k,
    occupation_slopes,
)
from perolux.excitons.backwards.temperature_series import fit_gap_course, fit_width_course
from perolux.fitting import binomial_interval
from perolux.materials.temperature import gap_course_two_oscillator, linewidth_ev, phonon_occupation

S14 = np.arange(10.0, 291.0, 20.0)
WIDTHS = [0.020, 0.070, 0.018, 0.0]


@pytest.mark.parametrize(
    ("law", "parameters"),
    [
        (GAP_LAWS[1], [2.4, 4e-4, -0.05, 0.018]),
        (GAP_LAWS[2], [3.1, 3e-4, 0.01, 0.004, -0.09, 0.03]),
        (WIDTH_LAW, [0.02, 0.07, 0.018, 5e-6]),
    ],
)
def test_jacobians_are_the_derivatives(law, parameters):
    t = np.array([0.0, 5.0, 30.0, 150.0, 300.0, 400.0])
    p = np.array(parameters)
    found = law.jacobian(t, p)
    for k in range(len(p)):
        h = 1e-5 * p[k]
        up, down = p.copy(), p.copy()
        up[k] += h
        down[k] -= h
        numeric = (law.value(t, up) - law.value(t, down)) / (2 * h)
        # the differences cancel to 1e-16 x 2.4 eV/step
        assert found[:, k] == pytest.approx(numeric, rel=1e-6, abs=1e-15 * 10 / abs(h))


def test_laws_are_those_of_the_materials():
    t = np.array([0.0, 20.0, 300.0])
    assert GAP_LAWS[2].value(t, [3.1, 3e-4, 0.01, 0.004, -0.09, 0.03]) == pytest.approx(
        gap_course_two_oscillator(t, 3.1, 3e-4, [0.01, -0.09], [0.004, 0.03]), abs=1e-14
    )
    assert WIDTH_LAW.value(t, [0.02, 0.07, 0.018, 5e-6]) == pytest.approx(
        linewidth_ev(t, 0.02, 0.07, 0.018, 5e-6), abs=1e-15
    )


@given(st.floats(1.0, 1000.0), st.floats(0.002, 0.1))
def test_occupation_slopes_agree_with_the_scaling_of_the_occupation(temperature, phonon):
    """n depends on E/T only, so E dn/dE + T dn/dT = 0."""
    by_energy, by_temperature = occupation_slopes(temperature, phonon)
    assert phonon * by_energy + temperature * by_temperature == pytest.approx(0.0, abs=1e-12)
    h = 1e-5 * temperature
    numeric = (phonon_occupation(temperature + h, phonon) - phonon_occupation(temperature - h, phonon)) / (
        2 * h
    )
    assert by_temperature == pytest.approx(float(numeric), rel=1e-5, abs=1e-12)


def test_signs_of_the_gap_slope():
    bromide = gap_slope_ev_per_k([50.0, 300.0], 2e-4, 0.0, 0.018)
    assert np.all(bromide > 0)
    assert gap_slope_ev_per_k(300.0, 0.0, -0.05, 0.018) < 0
    # warm limit: A_TE + 2 k A/E
    warm = gap_slope_ev_per_k(1e5, 3e-4, -0.05, 0.018)
    assert float(warm) == pytest.approx(3e-4 - 2 * 8.617333e-5 * 0.05 / 0.018, rel=1e-6)


def test_s14_a_fit_recovers_the_width_law():
    widths = WIDTH_LAW.value(S14, WIDTHS)
    for sigma in (None, 1e-3):
        found = fit_width_course(S14, widths, sigma, profile=False)
        assert [found[n] for n in WIDTH_LAW.names[:3]] == pytest.approx(WIDTHS[:3], rel=1e-6)
    assert "acoustic=True" in found.summary()


@settings(max_examples=20, deadline=None)
@given(
    st.floats(2e-4, 6e-4),
    st.floats(-0.1, -0.01),
    st.floats(0.008, 0.04),
)
def test_the_gap_law_is_recovered_from_its_own_course(expansion, coupling, phonon):
    t = np.arange(5.0, 341.0, 15.0)
    found = fit_gap_course(t, GAP_LAWS[1].value(t, [2.4, expansion, coupling, phonon]), 1e-3, profile=False)
    assert found["coupling_ev"] == pytest.approx(coupling, rel=1e-4)  # flat valleys: chi2 to rounding
    assert found["phonon_ev"] == pytest.approx(phonon, rel=1e-4)
    zero = found.curve_ev([0.0])[0]
    assert zero == pytest.approx(found["gap0_ev"] + found["coupling_ev"], abs=1e-12)  # S15


def test_two_oscillators_are_told_apart_and_ordered():
    t = np.arange(5.0, 331.0, 5.0)
    truth = [3.1, 3e-4, 0.012, 0.005, -0.09, 0.035]
    found = fit_gap_course(t, GAP_LAWS[2].value(t, truth), 1e-4, 2, profile=False)
    assert found.parameters == pytest.approx(truth, rel=1e-3)


def test_degenerate_terms_are_named():
    free = fit_width_course(
        S14, WIDTH_LAW.value(S14, [0.02, 0.07, 0.018, 1e-5]), 1e-3, acoustic=True, profile=False
    )
    assert any("gamma_ac_ev_per_k" in text for text in free.degeneracies)
    fixed = fit_width_course(S14, WIDTH_LAW.value(S14, WIDTHS), 1e-3, profile=False)
    assert any("gamma_lo_ev and lo_phonon_ev" in t and "ratio 3.889" in t for t in fixed.degeneracies)


def test_warm_points_alone_leave_the_phonon_energy_open():
    t = np.arange(250.0, 351.0, 10.0)
    found = fit_width_course(t, WIDTH_LAW.value(t, WIDTHS), 1e-3)
    one = found.interval("lo_phonon_ev")
    assert (one.low is None or one.high is None) and one.reason
    assert "open" in found.summary()


def test_a_known_expansion_breaks_the_degeneracy():
    t = np.arange(10.0, 301.0, 10.0)
    course = GAP_LAWS[1].value(t, [2.4, 4e-4, -0.05, 0.018])
    free = fit_gap_course(t, course, 1e-3, profile=False)
    known = fit_gap_course(t, course, 1e-3, fixed={"expansion_ev_per_k": 4e-4}, profile=False)
    sigma = [f.fit.sigma[f.fit.names.index("phonon_ev")] for f in (free, known)]
    assert sigma[1] < 0.5 * sigma[0]
    assert "(fixed)" in known.summary()


def test_profile_and_covariance_agree_where_the_law_is_nearly_linear():
    t = np.arange(5.0, 301.0, 5.0)
    found = fit_gap_course(t, GAP_LAWS[1].value(t, [2.4, 4e-4, -0.05, 0.018]), 1e-5)
    for one in found.intervals:
        sigma = found.fit.sigma[found.fit.names.index(one.name)]
        # 1e-5 eV of noise: curvature of the law within the interval is below a few per cent
        assert (one.high - one.low) / (2 * 1.959964 * sigma) == pytest.approx(1.0, abs=0.03)


def test_robust_fits_do_not_follow_an_outlier():
    t = np.arange(10.0, 301.0, 10.0)
    course = GAP_LAWS[1].value(t, [2.4, 4e-4, -0.05, 0.018])
    course = course + 5e-4 * np.random.default_rng(5).normal(size=t.size)
    course[7] += 0.03
    kwargs = {"fixed": {"expansion_ev_per_k": 4e-4}, "profile": False}
    plain = fit_gap_course(t, course, 5e-4, **kwargs)
    robust = fit_gap_course(t, course, 5e-4, robust=True, **kwargs)
    assert abs(robust["phonon_ev"] - 0.018) < 0.2 * abs(plain["phonon_ev"] - 0.018)
    assert "Student-t" in robust.summary()


def test_relative_errors_do_not_change_the_values():
    t = np.arange(10.0, 301.0, 10.0)
    course = WIDTH_LAW.value(t, WIDTHS) + 1e-3 * np.random.default_rng(1).normal(size=t.size)
    one, other = (fit_width_course(t, course, s, profile=False) for s in (None, 1e-3))
    assert one.parameters == pytest.approx(other.parameters, rel=1e-6)


def test_bad_series_are_refused_with_all_problems():
    with pytest.raises(OptionError, match="cannot determine"):
        fit_gap_course([10, 20, 30], [2.3, 2.3, 2.3])
    with pytest.raises(OptionError) as caught:
        fit_width_course([-5.0, 20, 30, 40], [0.01, -0.02, 0.03, 0.04], [1, 0, 1, 1], fixed={"foo": 1.0})
    assert len(caught.value.problems) == 4
    with pytest.raises(ModelRangeError, match="phase transition"):
        fit_gap_course(np.arange(300.0, 450, 10), np.full(15, 2.3), phase_transitions_k=(361.0,))
    with pytest.raises(OptionError, match="oscillators"):
        fit_gap_course(S14, WIDTH_LAW.value(S14, WIDTHS), oscillators=3)


def test_plot_draws_data_and_curve():
    import matplotlib as mpl

    mpl.use("Agg")
    axes = fit_width_course(S14, WIDTH_LAW.value(S14, WIDTHS), 1e-3, profile=False).plot()
    assert "width" in axes.get_ylabel()


@pytest.mark.long
@pytest.mark.parametrize("given", [True, False])
def test_intervals_cover_the_truth_as_often_as_they_say(given):
    """Profile intervals of 68.3 % over 200 series: the share must lie in its 99 % binomial range."""
    rng = np.random.default_rng(20)
    t = np.arange(10.0, 301.0, 10.0)
    course = WIDTH_LAW.value(t, WIDTHS)
    inside, total = 0, 200
    for _ in range(total):
        found = fit_width_course(
            t, course + 1e-3 * rng.normal(size=t.size), 1e-3 if given else None, level=0.683
        )
        one = found.interval("gamma_lo_ev")
        low = -np.inf if one.low is None else one.low
        high = np.inf if one.high is None else one.high
        inside += low <= 0.070 <= high
    low, high = binomial_interval(inside, total, 0.99)
    # without given errors 27 degrees of freedom stand for infinitely many: 67.3 instead of 68.3 %
    assert low <= 0.683 <= high


@pytest.mark.parametrize("unit", [1e3, 1239.84, 0.01, -1.0])
def test_gaps_in_another_unit_are_refused(unit):
    gaps = GAP_LAWS[1].value(S14, [2.4, 4e-4, -0.05, 0.018])
    with pytest.raises(OptionError, match=r"allowed: 0\.5 to 6 eV"):
        fit_gap_course(S14, unit * gaps)


def test_widths_in_another_unit_or_without_change_are_refused():
    widths = WIDTH_LAW.value(S14, WIDTHS)
    with pytest.raises(OptionError, match="divide meV by 1000"):
        fit_width_course(S14, 1e3 * widths)
    with pytest.raises(OptionError, match=r"every width is 0\.08 eV: nothing changes"):
        fit_width_course(S14, np.full(S14.size, 0.08))


@pytest.mark.parametrize("wrong", ["a", None, float("nan")])
@pytest.mark.parametrize("name", ["coupling_ev", "phonon_ev"])
def test_fixed_parameters_are_numbers(name, wrong):
    gaps = GAP_LAWS[1].value(S14, [2.4, 4e-4, -0.05, 0.018])
    with pytest.raises(OptionError, match=f"{name} = .* is no finite number"):
        fit_gap_course(S14, gaps, fixed={name: wrong})
