"""The size posterior: against brute force, its grid, its kinds of answer, and what it refuses."""

import math

import numpy as np
import pytest

from perolux.errors import ModelRangeError, NotAvailableError, OptionError, PeroluxError
from perolux.excitons.sizing import ensemble_confinement_ev
from perolux.fitting.grids import trapezoid_weights
from perolux.inference import size
from perolux.inference.size import SizePrior, size_posterior
from perolux.materials import material, parameter_sets


def test_posterior_is_normalised_and_reports_the_interval():
    posterior = size_posterior(2.45, 0.001, 95.0, 1.0)
    assert posterior.kind == "interval"
    assert posterior.edge_density @ trapezoid_weights(posterior.edge_nm) == pytest.approx(1.0, abs=1e-12)
    assert posterior.low95_nm < posterior.low68_nm < posterior.median_nm < posterior.high68_nm
    assert posterior.high68_nm < posterior.high95_nm
    assert set(posterior.by_set) == set(parameter_sets("CsPbBr3"))


def test_posterior_equals_brute_force_sampling():
    """Importance sampling of every nuisance by Monte Carlo, without any closed form of the module."""
    rng = np.random.default_rng(5)
    peak, width = 2.46, 100.0
    prior = SizePrior(sets=(parameter_sets("CsPbBr3")[0],))
    one = material("CsPbBr3", 298.0, prior.sets[0])
    posterior = size_posterior(peak, 0.001, width, 1.0, prior=prior)
    n = 400_000
    edge = np.exp(rng.uniform(math.log(2.5), math.log(30.0), n))
    # Confinement on a fine grid of spreads, linear in between: the curves are smooth.
    spreads = np.linspace(0.0, 0.25, 26)
    column = rng.integers(0, 26, n)
    grid = np.geomspace(2.5, 30.0, 400)
    mean, sigma = ensemble_confinement_ev(grid, spreads, one)
    conf, spread_ev = np.empty(n), np.empty(n)
    for j in range(26):
        chosen = column == j
        conf[chosen] = np.interp(edge[chosen], grid, mean[:, j])
        spread_ev[chosen] = np.interp(edge[chosen], grid, sigma[:, j])
    gap = rng.uniform(one.gap.low, one.gap.high, n)
    shift = rng.uniform(0.0, 0.1, n)
    homogeneous = rng.uniform(70.0, 90.0, n)
    model_width = np.hypot(homogeneous, 2.354820 * 1e3 * spread_ev)
    chi2 = ((peak - gap - conf + shift) ** 2) / (0.001**2 + 0.005**2)
    chi2 += ((width - model_width) ** 2) / (1.0 + 3.0**2)
    # The ends of the trapezoid rule over the spread weigh half.
    weight = np.exp(-0.5 * chi2) * np.where((column == 0) | (column == 25), 0.5, 1.0)
    order = np.argsort(edge)
    cumulative = np.cumsum(weight[order]) / weight.sum()
    low, median, high = (edge[order][np.searchsorted(cumulative, p)] for p in (0.025, 0.5, 0.975))
    # About 2000 effective samples: the quantiles scatter by 1-2 %.
    assert posterior.median_nm == pytest.approx(median, rel=0.02)
    assert posterior.low95_nm == pytest.approx(low, rel=0.03)
    assert posterior.high95_nm == pytest.approx(high, rel=0.03)


@pytest.mark.parametrize("peak_ev", [2.40, 2.50, 2.65])
def test_grid_is_converged(peak_ev, monkeypatch):
    coarse = size_posterior(peak_ev, 0.001, 100.0, 1.0)
    for name in ("_EDGES", "_SPREADS", "_WIDTH_NODES"):
        monkeypatch.setattr(size, name, 2 * getattr(size, name))
    size._forward.cache_clear()
    try:
        fine = size_posterior(peak_ev, 0.001, 100.0, 1.0)
    finally:
        size._forward.cache_clear()
    for name in ("median_nm", "low95_nm", "high95_nm"):
        a, b = getattr(coarse, name), getattr(fine, name)
        if a is None or b is None:
            assert a == b
        else:
            assert a == pytest.approx(b, rel=0.005)


def test_bluer_light_means_smaller_cubes():
    medians = [size_posterior(e, 0.001).median_nm for e in (2.40, 2.45, 2.50, 2.60, 2.70)]
    assert medians == sorted(medians, reverse=True)


def test_peak_at_the_bulk_gives_a_lower_bound():
    posterior = size_posterior(2.33, 0.001, 80.0, 1.0)
    assert posterior.kind == "lower-bound"
    assert posterior.high95_nm is None and posterior.as_dict()["edge_nm"]["high95"] is None
    assert posterior.low95_nm > 4.0


def test_absorption_edge_narrows_the_size():
    alone = size_posterior(2.45, 0.001, 95.0, 1.0)
    both = size_posterior(2.45, 0.001, 95.0, 1.0, absorption_ev=2.50, absorption_ev_sigma=0.003)
    assert both.high95_nm - both.low95_nm < 0.8 * (alone.high95_nm - alone.low95_nm)


def test_the_platelet_weight_compares_the_same_data_with_and_without_absorption():
    alone = size_posterior(2.70, 0.001, 90.0, 1.0)
    both = size_posterior(2.70, 0.001, 90.0, 1.0, absorption_ev=2.75, absorption_ev_sigma=0.005)
    assert 0.01 < alone.platelet_weight < 0.99
    assert both.platelet_weight == pytest.approx(alone.platelet_weight, rel=1e-12)
    keys = {value.key for value in both.rests_on} - {value.key for value in alone.rests_on}
    assert keys == {"prior.absorption_first_exciton_ev"}


@pytest.mark.parametrize("absorption_ev", [2.30, 2.75])
def test_an_edge_that_no_stokes_shift_explains_is_refused(absorption_ev):
    # the prior allows 0 to 100 meV; 5 sigma of 16 meV are 80 meV more on either side
    with pytest.raises(NotAvailableError, match="meV apart"):
        size_posterior(2.45, 0.001, 95.0, 1.0, absorption_ev=absorption_ev, absorption_ev_sigma=0.003)
    wide = SizePrior(stokes_shift_ev=(0.0, 0.4))
    if absorption_ev > 2.45:
        size_posterior(2.45, 0.001, 95.0, 1.0, absorption_ev=2.75, absorption_ev_sigma=0.003, prior=wide)


def test_platelets_weigh_more_at_a_rung_than_at_the_green_end():
    at_rung = size_posterior(1239.841984 / 457.0, 0.001, 90.0, 1.0)
    green = size_posterior(1239.841984 / 515.0, 0.001, 85.0, 1.0)
    assert at_rung.platelet_weight > 0.5
    assert green.platelet_weight < 0.05
    for layers in at_rung.platelet_layers.values():
        assert sum(layers.values()) == pytest.approx(1.0, abs=1e-12)
        assert max(layers, key=layers.get) == 3
    summary = at_rung.as_dict()
    assert summary["platelet_weight"] + summary["cube_weight"] == pytest.approx(1.0, abs=1e-12)


def test_narrow_line_is_not_used_and_says_so():
    narrow = size_posterior(2.45, 0.001, 50.0, 1.0)
    without = size_posterior(2.45, 0.001)
    assert any("narrower" in note for note in narrow.notes)
    assert narrow.median_nm == pytest.approx(without.median_nm, rel=1e-12)
    wider = size_posterior(2.45, 0.001, 50.0, 1.0, prior=SizePrior(linewidth="single-dot"))
    assert not any("narrower" in note for note in wider.notes)


def test_rival_stokes_models_and_sets_differ():
    constant = size_posterior(2.55, 0.001)
    inverse = size_posterior(2.55, 0.001, prior=SizePrior(stokes="inverse-edge"))
    assert inverse.median_nm != pytest.approx(constant.median_nm, rel=1e-3)
    sets = constant.by_set
    assert len({round(v["median"], 3) for v in sets.values()}) == len(sets) >= 2


def test_open_composition_gives_a_line_in_the_plane():
    posterior = size_posterior(2.20, 0.001, 90.0, 1.0, material="CsPb(Br,I)3")
    assert posterior.halide_fraction is not None and posterior.joint_density is not None
    assert posterior.joint_density.shape == (len(posterior.halide_fraction), len(posterior.edge_nm))
    total = trapezoid_weights(posterior.halide_fraction) @ posterior.joint_density
    assert total @ trapezoid_weights(posterior.edge_nm) == pytest.approx(1.0, abs=1e-9)
    fraction = posterior.as_dict()["halide_fraction"]
    assert 0.0 < fraction["low95"] < fraction["median"] < fraction["high95"] < 1.0


def test_every_assumed_or_recalled_number_is_listed():
    posterior = size_posterior(2.45, 0.001, 95.0, 1.0)
    keys = {value.key for value in posterior.rests_on}
    assert {"prior.stokes_shift_ev", "prior.edge_nm", "CsPbBr3.homogeneous_fwhm"} <= keys
    assert any(key.endswith(".gap") for key in keys)
    assert all(value.source for value in posterior.rests_on)


def test_gap_without_stated_uncertainty_is_said():
    assert any("no stated uncertainty" in n for n in size_posterior(2.40, 0.001, material="MAPbBr3").notes)
    assert not any("no stated uncertainty" in n for n in size_posterior(2.45, 0.001).notes)


@pytest.mark.parametrize("peak_ev", [1.5, 4.5])
def test_impossible_peak_has_a_reason_not_a_size(peak_ev):
    with pytest.raises(NotAvailableError, match="not what CsPbBr3 cubes emit"):
        size_posterior(peak_ev, 0.001)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"material": "CsPbBr4"}, PeroluxError),
        ({"material": "AZPbBr3"}, NotAvailableError),
        ({"temperature_k": -3.0}, PeroluxError),
        ({"temperature_k": 900.0}, ModelRangeError),
        ({"prior": SizePrior(edge_nm=(12.0, 3.0))}, OptionError),
        ({"prior": SizePrior(edge_nm=(-1.0, 3.0))}, OptionError),
        ({"prior": SizePrior(stokes="none")}, OptionError),
        ({"prior": SizePrior(linewidth="none")}, OptionError),
        ({"prior": SizePrior(sets=("nobody1999",))}, OptionError),
        ({"prior": SizePrior(platelet_probability=2.0)}, OptionError),
    ],
)
def test_wrong_options_are_clear_errors(options, error):
    with pytest.raises(error):
        size_posterior(2.45, 0.001, **options)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -2.4, 0.0])
def test_unusable_numbers_are_refused(bad):
    with pytest.raises(OptionError):
        size_posterior(bad, 0.001)
