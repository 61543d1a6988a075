"""Two monohalide solids of one solution: exact limits, conservation, merging, second engine, wrong input."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from perolux.errors import ConvergenceError, ModelRangeError, OptionError
from perolux.surface.exchange_laws import mean_field, with_activities
from perolux.surface.miscibility import w_matrix
from perolux.synthesis import ClassicalGrowth, constant_conditions, grow, laws
from perolux.synthesis import _mixed_kernels as kernels
from perolux.synthesis import _mixed_merging as merging
from perolux.synthesis.mixed_crystals import NO_CRYSTALS, MixedConditions, MixedCrystals, MixedLaw
from perolux.synthesis.mixed_finite_volume import grow_mixed_finite_volume
from perolux.synthesis.mixed_growth import grow_mixed

LATTICE = (0.585e-9, 0.629e-9)
LAW = MixedLaw(LATTICE)
NEVER = np.full(2, -1e300)


def conditions(**changed):
    values = {
        "time_s": np.array([0.0, 1e4]), "temperature_k": 323.15, "diffusivity_m2_s": 1e-9,
        "volume_ratio": 1.0, "cation_mol_m3": 6.0, "lead_mol_m3": 20.0, "first_mol_m3": 20.0,
        "second_mol_m3": 20.0, "solubility_mol_m3": np.array([4e-3, 8e-3]),
        "surface_rate_m_s": np.array([1e-6, 0.7e-6]), "surface_energy_j_m2": np.array([0.042, 0.0337]),
        "ln_prefactor": np.full(2, 33.0 * np.log(10.0)), "exchange_per_s": 0.3,
    }  # fmt: skip
    return MixedConditions(**values | changed)


def crystals(fractions, numbers, low=2.0e-9, high=2.5e-9, law=LAW):
    x = np.array(fractions, dtype=float)
    stretch = law.stretch(x)
    family = (x > 0.5).astype(int)
    return MixedCrystals(low * stretch, high * stretch, np.array(numbers), x, 0.0 * x, family, law.lattice_m)


def still(start, pool=(0.0, 0.0), rate=0.5):
    units = start.formula_mol_m3
    second, whole = 3.0 * float(units @ start.fraction), float(units.sum())
    return conditions(
        cation_mol_m3=whole, lead_mol_m3=whole, first_mol_m3=3.0 * whole - second + pool[0],
        second_mol_m3=second + pool[1], surface_rate_m_s=np.full(2, 1e-40), ln_prefactor=NEVER,
        exchange_per_s=rate,
    )  # fmt: skip


def test_two_equal_populations_approach_as_exp_2kt():
    start = crystals([0.0, 1.0], [1e22, 1e22])
    history = grow_mixed(LAW, still(start, rate=0.2), [5.0, 20.0], start=start)
    for time, one in zip(history.time_s, history.crystals, strict=True):
        apart = one.of(1).mean_fraction - one.of(0).mean_fraction
        assert apart == pytest.approx(np.exp(-2 * 0.1 * time), rel=1e-10)
        assert one.mean_fraction == pytest.approx(start.mean_fraction, rel=1e-13)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(1e20, 1e23)), min_size=2, max_size=5),
    st.tuples(st.floats(0, 20), st.floats(0, 20)),
    st.floats(0, 5),
)
@example([(0.0, 1e20), (0.0, 1.6e21)], (0.0, 2.2e-308), 0.0)
def test_exchange_alone_is_that_of_the_surface(parts, pool, rate):
    x, numbers = zip(*parts, strict=True)
    start = crystals(x, numbers)
    times = np.array([0.3, 4.0])
    history = grow_mixed(LAW, still(start, pool, rate), times, start=start)
    vectors = np.array([[1.0 - f, f, 0.0] for f in x])
    amount = sum(pool)
    held = np.array([pool[0], pool[1], 0.0]) / amount if amount > 0 else None
    course, _ = mean_field(vectors, 3.0 * start.formula_mol_m3, rate, times, held, amount)
    for i, one in enumerate(history.crystals):
        assert one.number == pytest.approx(start.number, rel=1e-12)
        assert one.formula_mol_m3.sum() == pytest.approx(start.formula_mol_m3.sum(), rel=1e-12)
        # cohorts may have been halved: compare what they hold
        whole = float(start.formula_mol_m3 @ course[i, :, 1])
        assert float(one.formula_mol_m3 @ one.fraction) == pytest.approx(whole, rel=1e-9, abs=1e-12)
    assert history.mass_error < 1e-11


def test_a_gap_is_not_homogenised():
    w = w_matrix(323.15)
    law = MixedLaw(LATTICE, w=float(w[0, 2]))
    start = crystals([0.0, 1.0], [1e22, 1e22])
    times = np.array([1.0, 100.0])
    found = grow_mixed(law, still(start, (2.0, 1.0)), times, start=start)
    vectors = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    course, _ = with_activities(
        vectors, 3.0 * start.formula_mol_m3, 0.5, times, w, np.array([2.0, 0.0, 1.0]) / 3.0, 3.0
    )
    ours = [[one.of(k).mean_fraction for k in (0, 1)] for one in found.crystals]
    assert np.max(np.abs(np.array(ours) - course[:, :, 2])) < 1e-4
    assert ours[1][1] - ours[1][0] > 0.7
    assert found.mass_error < 1e-11


def test_growth_leaves_the_fraction():
    history = grow_mixed(LAW, conditions(exchange_per_s=0.0), [1.0, 30.0])
    for one in history.crystals:
        assert np.array_equal(one.fraction, one.family) and not one.variance.any()
    assert history.crystals[0].of(1).number > 0


def test_without_a_second_halide_it_is_growth_of_one_solid():
    flat = constant_conditions(
        solubility_mol_m3=4e-3, supplied_mol_m3=6.0, temperature_k=323.15, surface_rate_m_s=1e-6,
        diffusivity_m2_s=1e-9, surface_energy_j_m2=0.042, ln_prefactor=33.0 * np.log(10.0),
        knots_s=(0.0, 1e4),
    )  # fmt: skip
    one = grow(ClassicalGrowth(LATTICE[0] ** 3), flat, [1.0, 100.0])
    both = grow_mixed(LAW, conditions(second_mol_m3=0.0), [1.0, 100.0])
    for i, found in enumerate(both.crystals):
        assert found.number == pytest.approx(one.number_per_m3[i], rel=2e-3)
        assert found.mean_edge_nm == pytest.approx(2e9 * one.mean_radius_m[i], rel=1e-3)
        assert found.mean_fraction == 0.0
    assert both.supersaturation[0, 1] == 0.0


def test_the_law_of_a_solid_is_that_of_laws():
    """Compiled law against the plain functions, for a mixed crystal."""
    law = MixedLaw(LATTICE, order=2.0)
    table = conditions().table()[1]
    out, x, c1, c2 = np.empty(6), 0.3, 1.5, 0.4
    kernels.solid(law.packed(), table[0], x, c1, c2, out)
    a = (1 - x) * LATTICE[0] + x * LATTICE[1]
    gamma = (1 - x) * 0.042 + x * 0.0337
    assert out[0] == pytest.approx(c1**0.7 * c2**0.3)
    entropy = x * np.log(x) + (1 - x) * np.log(1 - x)
    assert out[1] == pytest.approx(4e-3**0.7 * 8e-3**0.3 * np.exp(2.0 * entropy))
    assert out[2] * out[4] == pytest.approx(float(laws.capillary_length_m(gamma, a**3, 323.15)))
    assert out[3] == pytest.approx(1e-6**0.7 * 0.7e-6**0.3)
    assert out[4] == pytest.approx(a / LATTICE[0])


def test_dissolution_and_equilibrium_of_a_mixture():
    """Crystals of the fraction dissolved, with equal solids: S is M over the solubility at any fraction."""
    law = MixedLaw(LATTICE, nuclei="mixed")
    table = conditions(solubility_mol_m3=np.full(2, 4e-3)).table()[1]
    for p in (0.0, 0.2, 0.5, 1.0):
        out = np.empty(6)
        kernels.solid(law.packed(), table[0], p, 6.0 * (1 - p), 6.0 * p, out)
        assert out[0] / out[1] == pytest.approx(6.0 / 4e-3)


@settings(max_examples=15, deadline=None)
@given(
    st.floats(0.5, 8), st.floats(0.5, 30), st.floats(0, 60), st.floats(0, 60), st.floats(0, 20),
    st.sampled_from(["monohalide", "mixed"]), st.sampled_from([1.0, 3.0]),
)  # fmt: skip
def test_every_ion_is_somewhere(cation, lead, first, second, rate, nuclei, order):
    law = MixedLaw(LATTICE, nuclei=nuclei, order=order)
    feed = {"cation_mol_m3": cation, "lead_mol_m3": lead, "first_mol_m3": first, "second_mol_m3": second}
    history = grow_mixed(law, conditions(**feed, exchange_per_s=rate), [0.5, 20.0], tolerance=1e-3)
    assert history.mass_error < 1e-9
    assert history.dissolved_mol_m3.min() > -1e-9 * max(feed.values())
    for one, born, gone in zip(
        history.crystals, history.nuclei_per_m3, history.dissolved_crystals_per_m3, strict=True
    ):
        assert one.number == pytest.approx(born.sum() - gone.sum(), rel=1e-6, abs=1.0)


def test_order_of_the_splitting():
    start = crystals([0.0, 1.0], [1e21, 1e21])
    case = conditions(ln_prefactor=NEVER, surface_rate_m_s=np.array([2e-7, 4e-7]))

    def mean(step):
        return grow_mixed(LAW, case, [4.0], start=start, fixed_step_s=step).crystals[0].mean_fraction

    exact = mean(1 / 128)
    assert np.log2((mean(0.5) - exact) / (mean(0.25) - exact)) == pytest.approx(2.0, abs=0.2)


def test_merging_keeps_number_units_halide_and_spread():
    rng = np.random.default_rng(3)
    n = 120
    cohorts, family = np.zeros((merging.COLUMNS, n)), rng.integers(0, 2, n)
    low = rng.uniform(1.5e-9, 3e-9, n)
    cohorts[:] = low, low * 1.01, rng.uniform(1e19, 1e21, n), rng.uniform(0, 1, n), rng.uniform(0, 0.01, n)

    def held(c, f, k):
        there = f == k
        units = c[merging.NUMBER] * merging.mean_cube(c[merging.LOW], c[merging.HIGH]) * there
        x = c[merging.FRACTION]
        second = units @ x
        spread = units @ (c[merging.SPREAD] + (x - second / units.sum()) ** 2)
        return np.array([(c[merging.NUMBER] * there).sum(), units.sum(), second, spread])

    before = [held(cohorts, family, k) for k in (0, 1)]
    left = merging.merge(cohorts, family, n, 40, 6e-10)
    assert left <= 40
    after = [held(cohorts[:, :left], family[:left], k) for k in (0, 1)]
    assert np.allclose(before, after, rtol=1e-12)


def test_finite_volumes_agree_and_keep_every_ion():
    case = conditions()
    ours = grow_mixed(LAW, case, [3.0]).crystals[0]
    cells = grow_mixed_finite_volume(LAW, case, [3.0], largest_m=4e-9, cells=100, fractions=21)
    assert cells.mass_error < 1e-12
    other = cells.crystals[0]
    assert other.number == pytest.approx(ours.number, rel=0.03)
    assert other.mean_edge_nm == pytest.approx(ours.mean_edge_nm, rel=0.04)
    assert other.mean_fraction == pytest.approx(ours.mean_fraction, rel=0.01)
    assert other.fraction_sd == pytest.approx(ours.fraction_sd, rel=0.15)


def test_finite_volumes_with_mixed_nuclei_and_a_supply_that_grows():
    law = MixedLaw(LATTICE, nuclei="mixed")
    time = np.array([0.0, 1.0, 10.0])
    ramp = {name: np.array([0.0, top, top]) for name, top in (
        ("cation_mol_m3", 6.0), ("lead_mol_m3", 20.0), ("first_mol_m3", 25.0),
        ("second_mol_m3", 10.0))}  # fmt: skip
    case = conditions(time_s=time, **ramp)
    ours = grow_mixed(law, case, [4.0])
    cells = grow_mixed_finite_volume(law, case, [4.0], largest_m=5e-9, cells=150, fractions=21)
    assert max(ours.mass_error, cells.mass_error) < 1e-12
    assert ours.crystals[0].mean_fraction == pytest.approx(10 / 35, rel=1e-6)
    # a point between two nodes of the fraction settles within a cell
    assert cells.crystals[0].mean_fraction == pytest.approx(10 / 35, abs=0.2 / 20)
    assert cells.crystals[0].number == pytest.approx(ours.crystals[0].number, rel=0.1)


def test_what_is_refused():
    start = crystals([0.0], [1e20])
    with pytest.raises(OptionError, match="order"):
        MixedLaw(LATTICE, order=4.0)
    with pytest.raises(OptionError, match="nuclei"):
        MixedLaw(LATTICE, nuclei="pure")
    with pytest.raises(OptionError, match="lattice_m"):
        MixedLaw((0.585, 0.629))
    with pytest.raises(OptionError, match="lead_mol_m3"):
        conditions(lead_mol_m3=-1.0)
    with pytest.raises(OptionError, match="do not rise"):
        conditions(time_s=np.array([1.0, 0.0]))
    with pytest.raises(OptionError, match="not finite"):
        conditions(solubility_mol_m3=np.array([np.nan, 1.0]))
    with pytest.raises(OptionError, match="fractions of 0 to 1"):
        crystals([1.2], [1e20])
    with pytest.raises(OptionError, match="do not rise"):
        grow_mixed(LAW, conditions(), [2.0, 1.0])
    with pytest.raises(OptionError, match="before the start"):
        grow_mixed(LAW, conditions(), [-1.0])
    with pytest.raises(OptionError, match="tolerance"):
        grow_mixed(LAW, conditions(), [1.0], tolerance=2.0)
    with pytest.raises(OptionError, match="least size"):
        grow_mixed(LAW, conditions(), [1.0], start=crystals([0.0], [1e20], 1e-10, 2e-10))
    with pytest.raises(OptionError, match="lattice constants"):
        grow_mixed(LAW, conditions(), [1.0], start=replace(start, lattice_m=(0.5e-9, 0.6e-9)))
    with pytest.raises(OptionError, match="most_cohorts"):
        grow_mixed(LAW, conditions(), [1.0], most_cohorts=4)
    with pytest.raises(ConvergenceError, match="steps brought"):
        grow_mixed(LAW, conditions(), [100.0], most_steps=3)
    with pytest.raises(OptionError, match="mean field only"):
        grow_mixed_finite_volume(MixedLaw(LATTICE, w=3.0), conditions(), [1.0], largest_m=4e-9)
    with pytest.raises(ModelRangeError, match="largest size"):
        grow_mixed_finite_volume(LAW, conditions(), [10.0], largest_m=1.5e-9, cells=40, fractions=11)


def test_no_crystals_have_no_numbers():
    assert NO_CRYSTALS.mean_edge_nm is None and NO_CRYSTALS.cv is None
    assert NO_CRYSTALS.mean_fraction is None and NO_CRYSTALS.fraction_sd is None
    history = grow_mixed(LAW, conditions(ln_prefactor=NEVER), [1.0])
    assert len(history.crystals[0]) == 0 and history.mass_error < 1e-12
