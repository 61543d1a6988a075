"""The cohort engine: exact solutions, order of convergence, merging, events, edges of its domain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import ConvergenceError, OptionError
from perolux.synthesis import (
    ClassicalGrowth,
    PlainGrowth,
    PowerLawGrowth,
    Ripening,
    SizeDistribution,
    constant_conditions,
    grow,
    laws,
)
from perolux.synthesis import _cohort_kernels as kernels
from perolux.synthesis.cohorts import _arrays

VM = 2.02262003e-28
NM = 1e-9
PLAIN = constant_conditions(solubility_mol_m3=1.0, supplied_mol_m3=0.0)


def p1(**changes):
    values = {
        "solubility_mol_m3": 0.01,
        "supplied_mol_m3": 1.0,
        "surface_energy_j_m2": 0.04,
        "surface_rate_m_s": 1e-7,
        "diffusivity_m2_s": 5e-10,
        "ln_prefactor": np.log(1e33),
    } | changes
    return constant_conditions(**values)


SPHERES = ClassicalGrowth(VM, "sphere")


def boxes(edges_m, density):
    """Boxes with the number of the density (a function of r) at their middle."""
    edges = np.asarray(edges_m)
    middle = 0.5 * (edges[1:] + edges[:-1])
    return SizeDistribution(edges[:-1], edges[1:], density(middle) * np.diff(edges))


def test_pure_growth_moves_the_distribution_and_changes_nothing_else():
    start = boxes(np.linspace(10, 50, 101) * NM, lambda r: np.where(r < 20 * NM, 1e27, 2e27))
    end = grow(PlainGrowth("constant", 0.1 * NM), PLAIN, [300.0], start=start).distributions[0]
    assert end.number == pytest.approx(start.number, rel=1e-13)
    assert end.mean_radius_m - start.mean_radius_m == pytest.approx(30 * NM, rel=1e-12)
    assert end.cv * end.mean_radius_m == pytest.approx(start.cv * start.mean_radius_m, rel=1e-9)


def test_constant_nucleation_and_growth_fill_an_even_distribution():
    model = PlainGrowth("constant", 0.01 * NM, nucleation_per_m3_s=1e19)
    end = grow(model, PLAIN, [300.0]).distributions[0]
    for k in range(4):
        exact = 1e19 * (0.01 * NM) ** k * 300.0 ** (k + 1) / (k + 1)
        assert end.moment(k) == pytest.approx(exact, rel=1e-9)
    assert end.cv == pytest.approx(1 / np.sqrt(3), rel=1e-9)


def test_growth_in_proportion_keeps_the_relative_spread():
    start = boxes(np.linspace(2, 4, 41) * NM, lambda r: 1e27 * np.exp(-(((r - 3 * NM) / (0.3 * NM)) ** 2)))
    end = grow(PlainGrowth("linear", 0.01), PLAIN, [100.0], start=start, tolerance=1e-7).distributions[0]
    assert end.cv == pytest.approx(start.cv, rel=1e-6)
    assert end.moment(3) == pytest.approx(start.moment(3) * np.exp(3.0), rel=1e-5)


def test_growth_limited_by_diffusion_narrows_the_spread():
    start = SizeDistribution(
        *np.array([[1.8, 1.9, 2.0, 2.1], [1.9, 2.0, 2.1, 2.2], [1e27] * 4]) * [[NM], [NM], [1]]
    )
    end = grow(PlainGrowth("inverse", 0.01 * NM**2), PLAIN, [300.0], start=start, tolerance=1e-7)
    exact = np.sqrt(np.concatenate((start.low_m, start.high_m[-1:])) ** 2 + 2 * 0.01 * NM**2 * 300)
    found = end.distributions[0]
    assert np.concatenate((found.low_m, found.high_m[-1:])) == pytest.approx(exact, rel=1e-6)
    assert found.cv < 0.5 * start.cv


def test_a_stirred_tank_reaches_its_exponential_distribution():
    tau, g = 50.0, 0.01 * NM
    conditions = constant_conditions(solubility_mol_m3=1.0, supplied_mol_m3=0.0, washout_per_s=1 / tau)
    model = PlainGrowth("constant", g, nucleation_per_m3_s=1e19)
    end = grow(model, conditions, [40 * tau], fixed_step_s=0.5, most_cohorts=5000).distributions[0]
    assert end.number == pytest.approx(1e19 * tau, rel=2e-5)
    assert end.mean_radius_m == pytest.approx(g * tau, rel=1e-4)
    assert end.cv == pytest.approx(1.0, rel=1e-3)


def test_power_law_batch_is_of_second_order_in_the_step_and_meets_its_closed_moments():
    model = PowerLawGrowth(1e6, 5, 2e-8, 1, 1e-6, 0.524, 1200.0)
    conditions = constant_conditions(solubility_mol_m3=1.2, supplied_mol_m3=2.0)
    exact = {"number_per_m3": 912634891.0, "mean_radius_m": 50.237813e-6, "dissolved_mol_m3": 1.25627172}
    errors = []
    for step in (100.0, 50.0, 25.0):
        history = grow(model, conditions, [18000.0], fixed_step_s=step, most_cohorts=1000)
        errors.append([abs(getattr(history, name)[0] / value - 1) for name, value in exact.items()])
        assert history.mass_error < 1e-12
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all(orders > 1.9)
    free = grow(model, conditions, [18000.0], tolerance=5e-5)
    assert free.dissolved_mol_m3[0] == pytest.approx(1.25627172, rel=1e-4)
    assert free.cv[0] == pytest.approx(0.309918, rel=2e-3)


def lsw(u):
    """Density of Lifshitz, Slyozov and Wagner over u = r/mean."""
    inside = np.clip(u, 1e-9, 1.5 - 1e-9)
    value = 81 * np.e * 2 ** (-5 / 3) * inside**2 * np.exp(-1 / (1 - 2 * inside / 3))
    return np.where(u < 1.5, value / ((inside + 3) ** (7 / 3) * (1.5 - inside) ** (11 / 3)), 0.0)


def wagner(u):
    """Density of Wagner over u = r/r_c."""
    inside = np.clip(u, 1e-9, 2 - 1e-9)
    return np.where(u < 2, 24 * inside / (2 - inside) ** 5 * np.exp(-3 * inside / (2 - inside)), 0.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("limit", "density", "power", "slope", "cv", "skew"),
    [
        ("diffusion", lsw, 3, 4 / 9, 0.21505891, -0.92001906),
        ("surface", wagner, 2, 0.395062, 0.35355339, -0.29092496),
    ],
)
def test_ripening_keeps_its_self_similar_form(limit, density, power, slope, cv, skew):
    scale = 3 * NM
    top = 1.5 if limit == "diffusion" else 2.0
    # cells narrower towards the largest sizes, from which all late crystals come
    edges = top * (1 - (1 - np.linspace(0, 1, 4001)) ** 2)
    start = boxes(edges * scale, lambda r: 1e30 * density(r / scale))
    there = start.number_per_m3 > 1e-12 * start.number_per_m3.max()
    start = SizeDistribution(start.low_m[there], start.high_m[there], start.number_per_m3[there])
    rate = 1e-30 if limit == "diffusion" else 1e-21
    times = np.array([0.5, 1.0]) * (start.mean_radius_m**power) / (slope * rate)
    history = grow(Ripening(limit, rate), PLAIN, times, start=start, tolerance=1e-5, most_cohorts=10000)
    found = np.diff(history.mean_radius_m**power)[0] / np.diff(times)[0] / rate
    assert found == pytest.approx(slope, rel=2e-3)
    assert history.cv[1] == pytest.approx(cv, rel=5e-3)
    assert history.distributions[1].skewness == pytest.approx(skew, rel=2e-2)
    volume = [start.moment(3), *[d.moment(3) for d in history.distributions]]
    assert volume[2] == pytest.approx(volume[0], rel=2e-3)


@pytest.mark.slow
def test_batch_converges_with_its_tolerance_and_keeps_mass():
    times = [10.0, 60.0, 300.0, 600.0, 1800.0]
    fine = grow(SPHERES, p1(), times, tolerance=1e-6, most_cohorts=4000)
    usual = grow(SPHERES, p1(), times)
    for name, bar in (
        ("number_per_m3", 2e-3),
        ("mean_radius_m", 1e-3),
        ("dissolved_mol_m3", 2e-3),
        ("cv", 3e-3),
    ):
        assert getattr(usual, name) == pytest.approx(getattr(fine, name), rel=bar), name
    assert usual.mass_error < 1e-12
    assert usual.nuclei_per_m3[-1] - usual.dissolved_crystals_per_m3[-1] == pytest.approx(
        usual.number_per_m3[-1], rel=1e-10
    )


def test_few_cohorts_do_nearly_as_well_as_many():
    times = [60.0, 600.0, 1800.0]
    many = grow(SPHERES, p1(), times)
    few = grow(SPHERES, p1(), times, most_cohorts=48)
    assert few.number_per_m3 == pytest.approx(many.number_per_m3, rel=1e-2)
    assert few.mean_radius_m == pytest.approx(many.mean_radius_m, rel=5e-3)
    assert max(len(d) for d in few.distributions) <= 48


@settings(max_examples=100, deadline=None)
@given(
    st.integers(20, 200),
    st.floats(0.01, 3.0),
    st.integers(0, 2**32 - 1),
    st.integers(16, 19),
)
def test_merging_keeps_number_and_volume_exactly_and_the_variance(count, spread, seed, most):
    rng = np.random.default_rng(seed)
    centre = 2 * NM * np.exp(0.3 * spread * rng.standard_normal(count))
    half = 0.1 * centre * rng.random(count)
    number = 1e20 * rng.random(count) ** 4
    before = SizeDistribution(centre - half, centre + half, number)
    low, high, n = _arrays(before, count)
    least = before.low_m.min()
    left = kernels.merge(low, high, n, count, most, least)
    after = SizeDistribution(low[:left], high[:left], n[:left])
    assert left <= most
    assert after.low_m.min() >= least
    assert after.number == pytest.approx(before.number, rel=1e-12)
    assert np.sum(n[:left] * (low + high)[:left] * (low**2 + high**2)[:left]) / 4 == pytest.approx(
        before.moment(3), rel=1e-11
    )


def test_compiled_laws_are_those_of_the_plain_functions():
    rng = np.random.default_rng(1)
    for shape in ("sphere", "cube"):
        model = ClassicalGrowth(VM, shape)
        code, p = model.packed()
        for _ in range(20):
            t, cs, gamma = rng.uniform(280, 470), 10 ** rng.uniform(-3, 0), rng.uniform(0.015, 0.06)
            kr, diff, c = 10 ** rng.uniform(-8, -3), 10 ** rng.uniform(-10, -9), cs * rng.uniform(2, 300)
            conditions = constant_conditions(
                solubility_mol_m3=cs, supplied_mol_m3=c, temperature_k=t, surface_energy_j_m2=gamma,
                surface_rate_m_s=kr, diffusivity_m2_s=diff, ln_prefactor=75.0, barrier_factor=0.7,
            )  # fmt: skip
            r = rng.uniform(0.7, 8, (2, 5)) * NM
            length = float(laws.capillary_length_m(gamma, VM, t))
            env = conditions.table()[1][0]
            u, rate, out = np.exp(-length / r), np.zeros((2, 5)), np.zeros(8)
            kernels._rates(
                code,
                p,
                env,
                np.zeros(2),
                np.empty((4, 0)),
                length,
                r,
                u,
                np.zeros(5),
                5,
                np.zeros(3),
                rate,
                out,
            )
            g = rate * r**2 / (length * u)
            assert g == pytest.approx(laws.growth_rate_m_s(r, c, cs, length, VM, diff, kr), rel=1e-9)
            barrier = 0.7 * laws.barrier_kt(gamma, VM, t, c / cs, shape)
            ln_rate = float(laws.ln_nucleation_rate(75.0, barrier, c / cs))
            assert out[0] == pytest.approx(np.exp(ln_rate) if ln_rate > -60 else 0.0, rel=1e-9)
            if out[0] > 0:
                entry = laws.entry_radius_m(gamma, VM, t, c / cs)
                assert out[6] == pytest.approx(max(entry, 6e-10), rel=1e-12)


def test_a_complexant_holds_monomer_back_as_its_equilibrium_says():
    complexed = p1(complexant_mol_m3=5.0, dissociation_mol_m3=0.5)
    history = grow(SPHERES, complexed, [1e-6])
    x = history.free_mol_m3[0]
    assert x**2 + 5.5 * x - 0.5 * history.dissolved_mol_m3[0] == pytest.approx(0, abs=1e-12)


def test_nothing_happens_without_supersaturation():
    history = grow(SPHERES, p1(supplied_mol_m3=0.005), [1.0, 1e4])
    assert np.all(history.number_per_m3 == 0)
    assert history.rows()[1]["mean_diameter_nm"] is None
    assert history.rows()[1]["c_mol_m3"] == pytest.approx(0.005)


def test_everything_dissolves_in_a_poor_solution():
    start = SizeDistribution(np.array([1.0]) * NM, np.array([1.2]) * NM, np.array([1e18]))
    history = grow(SPHERES, p1(supplied_mol_m3=0.001), [1e6], start=start)
    assert history.number_per_m3[0] == 0
    assert history.dissolved_crystals_per_m3[0] == pytest.approx(1e18)
    assert history.dissolved_mol_m3[0] == pytest.approx(0.001)


def test_explosive_nucleation_is_held_by_the_step():
    history = grow(SPHERES, p1(ln_prefactor=np.log(1e42), solubility_mol_m3=1e-4), [1e-6, 1.0, 10.0])
    assert history.mass_error < 1e-12
    assert np.all(np.isfinite(history.cv))


@pytest.mark.slow
def test_a_trial_step_beyond_any_size_is_taken_back():
    """Hot, fast and hardly supersaturated: growth to hundreds of nm while the smallest dissolve."""
    hot = p1(
        temperature_k=453.0, solubility_mol_m3=0.23, supplied_mol_m3=8.0, surface_energy_j_m2=0.015,
        surface_rate_m_s=3e-4, diffusivity_m2_s=4e-9,
    )  # fmt: skip
    history = grow(ClassicalGrowth(VM, "cube"), hot, [0.1, 1.0, 60.0, 3600.0])
    assert history.mass_error < 1e-12
    assert np.all(np.diff(history.mean_radius_m) > 0)


def test_a_jump_of_the_conditions_is_hit_exactly():
    whole = p1()
    columns = {name: getattr(whole, name)[:1].repeat(4) for name in whole.__dataclass_fields__}
    columns["time_s"] = np.array([0.0, 100.0, 100.0, 1.0e4])
    columns["surface_rate_m_s"] = np.array([1e-7, 1e-7, 1e-15, 1e-15])
    columns["ln_prefactor"] = np.array([np.log(1e33)] * 2 + [-1e300] * 2)
    quenched = grow(SPHERES, type(whole)(**columns), [100.0, 200.0, 1e4])
    usual = grow(SPHERES, whole, [100.0])
    assert quenched.mean_radius_m[0] == pytest.approx(usual.mean_radius_m[0], rel=1e-12)
    assert quenched.mean_radius_m[2] == pytest.approx(quenched.mean_radius_m[0], rel=1e-6)
    assert quenched.nuclei_per_m3[2] == pytest.approx(quenched.nuclei_per_m3[0], rel=1e-12)


def test_dilution_changes_concentrations_and_no_amounts():
    whole = p1(ln_prefactor=-np.inf)
    columns = {name: getattr(whole, name)[:1].repeat(4) for name in whole.__dataclass_fields__}
    columns["time_s"] = np.array([0.0, 10.0, 10.0, 20.0])
    columns["volume_ratio"] = np.array([1.0, 1.0, 4.0, 4.0])
    history = grow(SPHERES, type(whole)(**columns), [10.0, 20.0])
    assert history.dissolved_mol_m3 == pytest.approx([1.0, 0.25])


def test_ligand_on_the_surface_slows_growth():
    start = SizeDistribution(np.array([2.0]) * NM, np.array([2.1]) * NM, np.array([1e21]))
    bare = grow(SPHERES, p1(ln_prefactor=-np.inf), [50.0], start=start)
    covered = grow(
        ClassicalGrowth(VM, "sphere", ligand_binding_m3_mol=1.0, ligand_per_area_mol_m2=4e-6),
        p1(ln_prefactor=-np.inf, ligand_mol_m3=50.0),
        [50.0],
        start=start,
    )
    assert start.mean_radius_m < covered.mean_radius_m[0] < bare.mean_radius_m[0]


def test_sites_limit_the_number_of_nuclei():
    history = grow(ClassicalGrowth(VM, "sphere", sites_per_m3=1e20), p1(), [5.0, 60.0])
    assert np.all(history.nuclei_per_m3 <= 1e20 * (1 + 1e-4))  # to the tolerance of the steps
    assert history.nuclei_per_m3[1] == pytest.approx(1e20, rel=1e-2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"times_s": []}, "times do not rise"),
        ({"times_s": [2.0, 1.0]}, "times do not rise"),
        ({"times_s": [-1.0]}, "before the start"),
        ({"times_s": [1.0], "tolerance": 0.0}, "tolerance"),
        ({"times_s": [1.0], "most_cohorts": 3}, "most_cohorts"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(OptionError, match=message):
        grow(SPHERES, p1(), **arguments)


def test_too_few_steps_say_how_far_it_came():
    with pytest.raises(ConvergenceError, match="of 1800 s"):
        grow(SPHERES, p1(), [1800.0], most_steps=20)
