"""Single droplets: exact limits, another integrator, what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.stats import chisquare, poisson

from perolux.errors import ModelRangeError, OptionError
from perolux.synthesis import ClassicalGrowth, constant_conditions
from perolux.synthesis.droplet_nucleation import sample_droplets, undepleted_nuclei_per_m3
from perolux.synthesis.laws import (
    barrier_kt,
    capillary_length_m,
    entry_radius_m,
    growth_rate_m_s,
    nucleation_rate_per_m3_s,
)

MODEL = ClassicalGrowth(2.02e-28)
GAMMA, SOLUBILITY, SUPPLY = 0.04, 0.01, 1.0
STRONG = 97.0
"""ln of a prefactor with which droplets of less than 1 fL have nuclei, and use up what they hold."""


def conditions(ln_prefactor, surface_rate=1e-7, **more):
    return constant_conditions(
        solubility_mol_m3=SOLUBILITY,
        supplied_mol_m3=SUPPLY,
        ln_prefactor=ln_prefactor,
        surface_rate_m_s=surface_rate,
        knots_s=np.linspace(0.0, 60.0, 31).tolist(),
        **more,
    )


def sample(count, volume, seed=1, model=MODEL, times=(30.0, 60.0), **more):
    table = conditions(**more)
    return sample_droplets(
        model, [table] * count, np.tile(times, (count, 1)), volume, np.random.default_rng(seed)
    )


def rate_at(s=SUPPLY / SOLUBILITY, ln_prefactor=75.0):
    barrier = barrier_kt(GAMMA, MODEL.formula_volume_m3, 298.15, s, "cube")
    return float(nucleation_rate_per_m3_s(ln_prefactor, barrier, s))


def test_counts_are_poisson_where_nothing_is_used_up():
    volume = 2.0 / (60.0 * rate_at())
    nuclei = sample(3000, volume, ln_prefactor=75.0, surface_rate=1e-13).nuclei[:, 1]
    seen = np.bincount(np.minimum(nuclei, 6), minlength=7)
    share = np.append(poisson.pmf(np.arange(6), 2.0), poisson.sf(5, 2.0))
    assert chisquare(seen, 3000 * share).pvalue > 1e-3


def test_the_chance_of_no_nucleus_is_that_of_the_full_supply():
    """In ramps of temperature and supply; against another quadrature."""
    table = replace(
        conditions(75.0),
        temperature_k=np.linspace(298.15, 340.0, 31),
        supplied_mol_m3=np.linspace(0.0, 2.0, 31),
    )

    def rate(t):
        at = table.at(t)
        s = at["supplied_mol_m3"] / SOLUBILITY
        barrier = barrier_kt(GAMMA, MODEL.formula_volume_m3, at["temperature_k"], s, "cube")
        return float(nucleation_rate_per_m3_s(75.0, barrier, s))

    found = undepleted_nuclei_per_m3(MODEL, table, [31.7, 60.0])
    for end, value in zip((31.7, 60.0), found, strict=True):
        points = [t for t in table.time_s if 0 < t < end]
        expected = quad(rate, 0.0, end, points=points, limit=500)[0]
        assert value == pytest.approx(expected, rel=1e-6)
    volume = 1.0 / found[1]
    drops = sample_droplets(MODEL, [table] * 2000, np.full((2000, 1), 60.0), volume, np.random.default_rng(4))
    assert np.mean(drops.nuclei == 0) == pytest.approx(np.exp(-1.0), abs=4 * 0.0108)


def test_no_nuclei_without_supersaturation():
    table = replace(conditions(75.0), supplied_mol_m3=np.full(31, 0.5 * SOLUBILITY))
    assert undepleted_nuclei_per_m3(MODEL, table, [60.0])[0] == 0.0


def test_one_crystal_grows_by_the_law_of_the_room():
    """The whole life of a single crystal in its droplet, by another integrator."""
    volume = 0.02 / (60.0 * rate_at(ln_prefactor=STRONG))
    drops = sample(400, volume, ln_prefactor=STRONG, surface_rate=1e-4, times=(60.0,))
    k = int(np.flatnonzero(drops.nuclei[:, 0] == 1)[0])
    # its birth: the draws of this droplet are known
    rng = np.random.default_rng(1)
    due = [rng.standard_exponential(256)[0] for _ in range(k + 1)][k]
    born = due / (rate_at(ln_prefactor=STRONG) * volume)
    length = float(capillary_length_m(GAMMA, MODEL.formula_volume_m3, 298.15))

    def slope(_, r):
        left = SUPPLY - MODEL.amount_per_r3 * r**3 / volume
        return growth_rate_m_s(r, left, SOLUBILITY, length, MODEL.formula_volume_m3, 5e-10, 1e-4)

    start = float(entry_radius_m(GAMMA, MODEL.formula_volume_m3, 298.15, SUPPLY / SOLUBILITY))
    found = solve_ivp(slope, (born, 60.0), [start], method="LSODA", rtol=1e-9, atol=1e-18)
    assert drops.radii_m[0][k][0] == pytest.approx(found.y[0, -1], rel=1e-3)


def test_amounts_in_a_droplet_sum_to_its_supply():
    volume = 20.0 / (60.0 * rate_at(ln_prefactor=STRONG))
    drops = sample(20, volume, ln_prefactor=STRONG, surface_rate=1e-5)
    assert np.all(drops.nuclei[:, 1] > 0)
    assert drops.dissolved_mol_m3 + drops.bound_mol_m3 == pytest.approx(np.full((20, 2), SUPPLY), rel=1e-12)
    assert np.all(drops.crystals <= drops.nuclei)


def test_one_seed_gives_one_sample_and_more_droplets_the_same_first():
    volume = 5.0 / (60.0 * rate_at(ln_prefactor=STRONG))
    few = sample(5, volume, ln_prefactor=STRONG)
    more = sample(9, volume, ln_prefactor=STRONG)
    assert np.array_equal(few.nuclei, more.nuclei[:5])
    assert not np.array_equal(few.nuclei, sample(5, volume, seed=2, ln_prefactor=STRONG).nuclei)


def test_more_nuclei_than_there_was_room_for():
    """The first 256 draws do not suffice: the droplet begins anew with the draws that it had."""
    volume = 400.0 / (60.0 * rate_at(ln_prefactor=STRONG))
    drops = sample(3, volume, ln_prefactor=STRONG, surface_rate=1e-13)
    assert drops.nuclei[:, 1] == pytest.approx(np.full(3, 400.0), rel=0.2)


def test_the_mean_count_is_the_mean_of_what_was_expected():
    """A martingale: nuclei less int J V dt has mean zero, with depletion too."""
    volume = 20.0 / (60.0 * rate_at(ln_prefactor=STRONG))
    drops = sample(500, volume, ln_prefactor=STRONG, surface_rate=1e-5)
    surplus = drops.nuclei[:, 1] - drops.expected_nuclei[:, 1]
    assert abs(surplus.mean()) < 4 * surplus.std() / np.sqrt(500)
    assert drops.nuclei[:, 1].mean() < 15.0


@pytest.mark.slow
def test_what_single_droplets_cannot_do_is_refused():
    with pytest.raises(OptionError, match="sites"):
        sample(2, 1e-18, ln_prefactor=STRONG, model=replace(MODEL, sites_per_m3=1e20))
    with pytest.raises(OptionError, match="volume above 0"):
        sample(2, 0.0, ln_prefactor=STRONG)
    with pytest.raises(ModelRangeError, match="mean population"):
        sample(1, 6e3 / (60.0 * rate_at(ln_prefactor=STRONG)), ln_prefactor=STRONG, surface_rate=1e-13)


def test_an_empty_summary_holds_no_nan():
    found = sample(3, 1e-30, ln_prefactor=STRONG).summary(0)
    assert found["without_crystals"] == 1.0
    assert found["mean_edge_nm"] is None and found["cv"] is None
    assert found["droplet_mean_edge_sd_nm"] is None
