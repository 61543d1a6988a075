"""Exchange: exact limits of the laws, balances of any mixture, the gap, light, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.ensemble import Fixed, Lognormal, Population, mix, quadrature
from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.materials import material
from perolux.surface import (
    DissolvedHalide,
    HalidePopulation,
    band_peaks_ev,
    binodal,
    dissolved_salt,
    exchange_halides,
    exchange_rate,
    exchange_spectra,
    mean_field,
    pairwise,
    population_of,
)
from perolux.surface.exchange_laws import activities, with_activities
from perolux.surface.miscibility import w_matrix

PARTS = st.floats(0.0, 1.0)


def fractions(a: float, b: float) -> tuple[float, float, float]:
    low, high = sorted((a, b))
    return low, high - low, 1.0 - high


def cubes(name: str, number: float = 1e17, edge: float = 9.0):
    crystals = Population("cube", "core-edge", name, number_per_litre=number)
    return quadrature(Lognormal(edge, 0.08), crystals, n=12)


POPULATIONS = st.lists(st.tuples(PARTS, PARTS, st.floats(1e-6, 1.0)), min_size=1, max_size=4).map(
    lambda rows: [HalidePopulation(str(i), fractions(a, b), n) for i, (a, b, n) in enumerate(rows)]
)
SALTS = st.none() | st.builds(
    lambda a, b, n: DissolvedHalide(fractions(a, b), n), PARTS, PARTS, st.floats(0, 1)
)


@settings(max_examples=40)
@given(POPULATIONS, SALTS, st.floats(0.0, 50.0))
def test_every_halide_fed_is_somewhere(populations, salt, until):
    found = exchange_halides(populations, [0.0, until + 1e-3], salt=salt, rate_per_s=0.3)
    for step in (0, 1):
        parts = found.balances(step).values()
        whole = sum(part["fed"] for part in parts)
        for part in parts:
            # where next to nothing was fed the rounding of the others stays
            assert part["error"] < 1e-9 or part["error"] * part["fed"] < 1e-14 * whole
    assert np.all(found.crystals > -1e-9) and np.allclose(found.crystals.sum(axis=2), 1.0, atol=1e-9)
    assert found.crystals[0] == pytest.approx(np.array([one.fractions for one in populations]), abs=1e-12)


@given(PARTS, PARTS, PARTS, PARTS, st.floats(0.0, 30.0))
def test_pairs_are_the_mean_field_with_twice_the_rate(a, b, c, d, t):
    first, second = fractions(a, b), fractions(c, d)
    in_pairs = pairwise(first, second, 0.2, [t])
    field, pool = mean_field(np.array([first, second]), np.array([3.0, 3.0]), 0.4, np.array([t]))
    assert field[0] == pytest.approx(np.array([one[0] for one in in_pairs]), abs=1e-13)
    assert pool[0] == pytest.approx((np.array(first) + np.array(second)) / 2, abs=1e-13)
    gap = in_pairs[0] - in_pairs[1]
    assert gap[0] == pytest.approx((np.array(first) - np.array(second)) * np.exp(-0.4 * t), abs=1e-13)


def test_much_salt_takes_the_crystals_to_itself_at_k():
    green = HalidePopulation("green", (0, 1, 0), 1e-9)
    found = exchange_halides([green], [10.0], salt=dissolved_salt("PbI2", 1.0), rate_per_s=0.1)
    assert found.crystals[0, 0, 2] == pytest.approx(1.0 - np.exp(-1.0), rel=1e-6)


def test_next_to_no_salt_changes_nothing():
    both = [HalidePopulation("green", (0, 1, 0), 1e-3), HalidePopulation("red", (0, 0, 1), 2e-3)]
    bare, salted = (
        exchange_halides(both, [3.0], salt=salt, rate_per_s=0.1)
        for salt in (None, DissolvedHalide((0, 0, 1), 1e-15))
    )
    assert salted.crystals == pytest.approx(bare.crystals, abs=1e-9)


def test_activities_are_those_of_two_halides_and_obey_gibbs_and_duhem():
    w = w_matrix(298.15)
    x = np.array([0.3, 0.0, 0.7])
    assert activities(x, w) == pytest.approx(
        [0.3 * np.exp(w[0, 2] * 0.49), 0.0, 0.7 * np.exp(w[0, 2] * 0.09)], rel=1e-12
    )
    middle, step = np.array([0.2, 0.3, 0.5]), 1e-6
    for away in (np.array([1.0, -1.0, 0.0]), np.array([0.0, 1.0, -1.0])):
        slope = (
            np.log(activities(middle + step * away, w)) - np.log(activities(middle - step * away, w))
        ) / 2
        assert abs(middle @ slope) < 1e-10


def test_chloride_and_iodide_do_not_homogenise_and_say_so():
    both = [HalidePopulation("blue", (1, 0, 0), 1e-3), HalidePopulation("red", (0, 0, 1), 4e-4)]
    found = exchange_halides(both, [1e5], rate_per_s=0.1)
    assert found.law == "activities" and found.end.is_split
    assert any("two compositions" in text for text in found.warnings)
    iodide = found.crystals[-1, :, 2]
    assert iodide[1] - iodide[0] > 0.7
    shares, phases = np.array(found.end.shares), np.array(found.end.phases)
    # the mean is carried through all steps of the integration, whose sums round
    assert shares @ phases == pytest.approx(found.mean[-1], abs=1e-10)
    # equal exchange potentials: nothing flows any more
    a = activities(found.crystals[-1], w_matrix(298.15))
    assert a[0, 0] / a[0, 2] == pytest.approx(a[1, 0] / a[1, 2], rel=1e-6)


def test_a_trace_of_iodide_dissolves_in_chloride():
    both = [HalidePopulation("blue", (1, 0, 0), 1e-3), HalidePopulation("red", (0, 0, 1), 1e-6)]
    found = exchange_halides(both, [1e4], rate_per_s=0.1)
    assert not found.end.is_split and found.end.phases[0][2] == pytest.approx(1e-3, rel=2e-3)
    assert found.crystals[-1, :, 2] == pytest.approx([1e-6 / 1.001e-3] * 2, rel=1e-5)


@pytest.mark.parametrize("salt_mol_l", [1e-5, 2e-4, 5e-3])
def test_the_end_with_salt_is_where_the_course_ends(salt_mol_l):
    salt = dissolved_salt("PbI2", salt_mol_l)
    found = exchange_halides([HalidePopulation("blue", (1, 0, 0), 1e-2)], [1e4], salt=salt, rate_per_s=0.1)
    total = found.end.shares @ np.array(found.end.phases) * 1e-2
    assert total + salt.halide_mol_l * np.array(found.end.pool) == pytest.approx(
        [1e-2, 0.0, salt.halide_mol_l], abs=1e-12
    )
    if not found.end.is_split:
        assert found.crystals[-1, 0] == pytest.approx(found.end.phases[0], abs=1e-7)
        assert found.pool[-1] == pytest.approx(found.end.pool, abs=1e-7)
    else:  # crystals all alike cannot part
        assert "cannot part" in found.warnings[-1]


def test_a_smaller_interaction_lets_chloride_and_iodide_mix():
    both = [HalidePopulation("blue", (1, 0, 0), 1e-3), HalidePopulation("red", (0, 0, 1), 1e-3)]
    found = exchange_halides(both, [1e3], rate_per_s=0.1, interaction_kj_mol={"I-Cl": 4.0})
    assert found.law == "mean field" and not found.end.is_split
    assert found.crystals[-1, 0] == pytest.approx([0.5, 0.0, 0.5])


def test_three_halides_exchange_and_leave_the_lever_rule_out():
    three = [
        HalidePopulation(h, tuple(float(h == one) for one in ("Cl", "Br", "I")), 1e-3)
        for h in ("Cl", "Br", "I")
    ]
    found = exchange_halides(three, [100.0], rate_per_s=0.1)
    assert found.end is None and "three are present" in found.warnings[-1]


def test_the_pool_is_what_leaves_where_it_holds_nothing():
    x, n = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]), np.array([1.0, 3.0])
    _, pool = with_activities(x, n, 1.0, np.array([0.0]), w_matrix(298.15))
    assert pool[0] == pytest.approx([0.25, 0.0, 0.75])


def test_the_halide_of_an_ensemble_is_three_for_each_cell():
    one = quadrature(
        Fixed(10 * 0.585), Population("cube", "core-edge", "CsPbBr3", number_per_litre=6.02214076e20)
    )
    found = population_of(one)
    assert found.halide_mol_l == pytest.approx(3e-3 * 1000, rel=1e-9) and found.fractions == (0, 1, 0)


def test_ensembles_keep_their_formula_units_and_swell():
    start = [population_of(cubes("CsPbBr3")), population_of(cubes("CsPbI3", 5e16))]
    found = exchange_halides(start, [0.0, 4.0], rate_per_s=0.2)
    again = [population_of(one) for one in found.ensembles()]
    assert [p.halide_mol_l for p in again] == pytest.approx([p.halide_mol_l for p in start], rel=1e-12)
    for one, x in zip(again, found.crystals[-1], strict=True):
        assert one.fractions == pytest.approx(tuple(x), abs=1e-6)
    assert found.ensembles()[0].mean() > cubes("CsPbBr3").mean()
    assert found.ensembles(0)[0].edge_a_nm == pytest.approx(cubes("CsPbBr3").edge_a_nm, rel=1e-12)


def test_mixed_ensembles_give_their_fractions():
    crystals = Population(
        "cube", "core-edge", "CsPbBr3", partner_material="CsPbI3", halide_fraction=0.25, number_per_litre=1e17
    )
    assert population_of(quadrature(Fixed(9.0), crystals)).fractions == pytest.approx((0, 0.75, 0.25))


def test_two_bands_become_one_where_the_mean_composition_emits():
    found = exchange_halides(
        [population_of(cubes("CsPbBr3")), population_of(cubes("CsPbI3"))], [0.0, 80.0], rate_per_s=0.5
    )
    energy = np.linspace(1.5, 2.8, 521)
    light = exchange_spectra(found, energy)
    before, after = light.values[0]
    assert len(band_peaks_ev(energy, before)) == 2
    (peak,) = band_peaks_ev(energy, after)
    gaps = [material(name).gap_ev for name in ("CsPbI3", "CsPbBr3")]
    assert gaps[0] < peak < gaps[1]
    assert np.trapezoid(light.values, energy, axis=-1) == pytest.approx(1.0, abs=1e-6)
    # one population alone is its own ensemble spectrum
    from perolux.excitons import ensemble_spectrum

    alone = exchange_spectra(
        exchange_halides([population_of(cubes("CsPbBr3"))], [0.0], rate_per_s=1.0), energy
    )
    assert alone.values[:, 0] == pytest.approx(
        ensemble_spectrum(cubes("CsPbBr3"), energy, "emission", temperature_k=298.15).values
    )


def test_rates_follow_arrhenius_the_ligands_and_their_parts():
    cold, warm = (exchange_rate(("Br", "I"), t).per_s for t in (298.15, 333.15))
    k = 8.617333262e-5
    assert warm / cold == pytest.approx(np.exp(0.75 / k * (1 / 298.15 - 1 / 333.15)), rel=1e-7)
    chloride = exchange_rate(("Cl", "Br"), 333.15)
    assert {value.key for value in chloride.rests_on} >= {"prior.exchange_activation_kj_mol"}
    assert chloride.low_per_s < chloride.per_s < chloride.high_per_s
    one, two = (exchange_rate(("Br",), ligands=name).per_s for name in ("OA", "lecithin"))
    half = exchange_rate(("Br",), ligands={"OA": 2.0, "lecithin": 2.0}).per_s
    assert half == pytest.approx(np.sqrt(one * two))


def test_a_rate_from_the_prior_is_said_to_be_one():
    both = [HalidePopulation("green", (0, 1, 0), 1e-3), HalidePopulation("red", (0, 0, 1), 1e-3)]
    found = exchange_halides(both, [1.0], ligands="lecithin", temperature_k=310.0)
    assert "prior, not literature" in found.warnings[0]
    keys = {value.key for value in found.rests_on}
    assert {
        "prior.exchange_rate_per_s",
        "prior.exchange_activation_br_i_ev",
        "chemical.lecithin.exchange_rate",
    } <= keys


GREEN = HalidePopulation("green", (0, 1, 0), 1e-3)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: HalidePopulation("x", (0.5, 0.4, 0.0), 1.0), OptionError, "sum to 1"),
        (lambda: HalidePopulation("x", (0.5, 0.5), 1.0), OptionError, "three"),
        (lambda: HalidePopulation("x", (1.5, -0.5, 0.0), 1.0), OptionError, "0 or more"),
        (lambda: HalidePopulation("x", (1, 0, 0), float("nan")), OptionError, "0 and above"),
        (lambda: HalidePopulation("x", (1, 0, 0), 1.0, cubes("CsPbBr3")), OptionError, "do not go with"),
        (lambda: exchange_halides([], [1.0]), OptionError, "one or more populations"),
        (lambda: exchange_halides([GREEN, GREEN], [1.0]), OptionError, "share a name"),
        (lambda: exchange_halides([HalidePopulation("x", (1, 0, 0), 0.0)], [1.0]), OptionError, "no halide"),
        (lambda: exchange_halides([GREEN], [2.0, 1.0]), OptionError, "ascending"),
        (lambda: exchange_halides([GREEN], [-1.0]), OptionError, "ascending"),
        (lambda: exchange_halides([GREEN], "soon"), OptionError, "ascending"),
        (lambda: exchange_halides([GREEN], [1.0], rate_per_s=-1.0), OptionError, "0 and above"),
        (lambda: exchange_halides([GREEN], [1.0], temperature_k=500.0), ModelRangeError, "270 to 370"),
        (lambda: exchange_halides([GREEN], [1.0], ligands="toluene"), OptionError, "no ligand"),
        (lambda: exchange_halides([GREEN], [1.0], ligands="soap"), OptionError, "no chemical"),
        (lambda: exchange_halides([GREEN], [1.0], interaction_kj_mol={"Cl": 1.0}), OptionError, "pair"),
        (lambda: exchange_halides([GREEN], [1.0]).formulas(), NotAvailableError, "not known"),
        (lambda: exchange_halides(GREEN, [1.0]), OptionError, "one or more populations"),
        (lambda: exchange_halides([GREEN], [1.0], salt=3), OptionError, "no salt"),
        (lambda: exchange_halides([GREEN], [1.0], rate_per_s="fast"), OptionError, "0 and above"),
        (lambda: exchange_halides([GREEN], [1.0], temperature_k=None), OptionError, "270 to 370"),
        (lambda: exchange_halides([GREEN], [1.0], ligands=None), OptionError, "a name"),
        (lambda: exchange_halides([GREEN], [1.0], interaction_kj_mol={"Cl-I": "x"}), OptionError, "finite"),
        (lambda: HalidePopulation("x", (1, 0, 0), 1.0, "cubes"), OptionError, "no Ensemble"),
        (lambda: dissolved_salt("PbI2", "much"), OptionError, "'much' mol/L"),
        (lambda: pairwise((1, 0, 0), (0, 0, 1), -1.0, [1.0]), OptionError, "0 and above"),
        (lambda: dissolved_salt("Cs2CO3", 1.0), OptionError, "no halide"),
        (lambda: population_of(cubes("CsPbBr3").with_number_per_litre(None)), OptionError, "per litre"),
        (lambda: population_of(mix([cubes("CsPbBr3"), cubes("CsPbI3")])), OptionError, "several"),
        (lambda: exchange_rate(()), OptionError, "Cl, Br, I"),
        (lambda: exchange_rate(("Br",), float("nan")), OptionError, "270 to 370"),
        (lambda: exchange_rate(("Br",), ligands={"OA": -1.0}), OptionError, "above 0"),
        (lambda: band_peaks_ev([1.0, 2.0], [0.0, 0.0]), OptionError, "light"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said(call, error, says):
    with pytest.raises(error, match=says):
        call()


def test_light_of_chloride_with_iodide_is_refused():
    both = [population_of(cubes("CsPbCl3")), population_of(cubes("CsPbI3"))]
    found = exchange_halides(both, [10.0], rate_per_s=0.1)
    assert binodal(float(w_matrix(298.15)[0, 2])) is not None
    with pytest.raises(ModelRangeError, match="do not mix"):
        exchange_spectra(found, np.linspace(1.5, 3.2, 100))
