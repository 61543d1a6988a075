"""Conservation and invariants of `Ensemble` for arbitrary populations."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perolux import ensemble as en
from perolux.ensemble.ensemble import Quantity

# 1e-12 relative: the bar of the house for weights and moments; rounding of sums of some 1e2 terms is 1e-14.
BAR = 1e-12
QUANTITIES = Quantity.__args__
FAST = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def ensembles(draw, surface=None, min_rows=1):
    """Mixed tables: every shape, several materials and phases, with and without the optional columns."""
    shapes = draw(st.lists(st.sampled_from(en.SHAPES), min_size=max(min_rows, 1), max_size=30))
    n = len(shapes)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = np.array(shapes)
    a = rng.uniform(0.6, 40.0, n)
    b = np.where(np.isin(shape, ["cuboid", "platelet"]), rng.uniform(0.6, 40.0, n), a)
    c = np.where(np.isin(shape, ["cube", "sphere"]), a, rng.uniform(0.6, 40.0, n))
    layers = rng.integers(1, 6, n) * (shape == "platelet")
    c = np.where(layers > 0, 0.6 * layers, c)
    weights = rng.exponential(size=n) ** draw(st.sampled_from([0.0, 1.0, 5.0]))
    mixed = draw(st.booleans())
    with_surface = draw(st.booleans()) if surface is None else surface
    column = en.SurfaceColumn("ligands_per_nm2", rng.uniform(0, 3, n), "nm-2", "bound ligands")
    return en.Ensemble(
        weights=weights / weights.sum(),
        edge_a_nm=a,
        edge_b_nm=b,
        edge_c_nm=c,
        shape=shape,
        material=rng.choice(["CsPbBr3", "CsPbI3"], n),
        phase=rng.choice(["unknown", "Pbnm"], n),
        given_as=("core-edge",),
        number_per_litre=draw(st.none() | st.floats(1e12, 1e22)),
        partner_material=rng.choice(["CsPbCl3", "CsPbI3"], n) if mixed else None,
        halide_fraction=rng.uniform(0, 1, n) if mixed else None,
        monolayers=layers if (shape == "platelet").any() else None,
        surface=(column,) if with_surface else (),
        notes=tuple(draw(st.lists(st.text(max_size=20), max_size=2))),
    )


distributions = st.one_of(
    st.builds(en.Normal, st.floats(4, 30), st.floats(0.01, 0.15), st.floats(0, 1.0)),
    st.builds(en.Lognormal, st.floats(4, 30), st.floats(0.01, 0.3)),
    st.builds(en.Fixed, st.floats(4, 30)),
    st.lists(st.floats(4, 30), min_size=1, max_size=40).map(lambda v: en.Tabulated(tuple(v))),
    st.lists(st.floats(0.1, 5), min_size=1, max_size=10).map(
        lambda v: en.Histogram(tuple(3 + np.cumsum([0.0, *v])), tuple(v))
    ),
)
distributions = distributions | st.builds(
    lambda parts: en.Mixture(tuple(parts), tuple(range(1, len(parts) + 1))),
    st.lists(distributions, min_size=1, max_size=3),
)
# a unit cell of no size, so that no far tail is left out and moments are exact
CUBES = en.Population(shape="cube", size_convention="core-edge", material="CsPbBr3", lattice_constant_nm=1e-9)


@FAST
@given(distributions, st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_weights_sum_to_one_however_made(distribution, n, seed):
    made = [
        en.quadrature(distribution, CUBES, n),
        en.sample(distribution, CUBES, 7 * n, np.random.default_rng(seed)),
        en.from_table(np.linspace(3, 9, n), CUBES, np.linspace(1e-9, 1e9, n)),
    ]
    for ensemble in made:
        assert abs(math.fsum(ensemble.weights) - 1) < BAR
        for weighting in ("number", "surface", "volume"):
            assert abs(math.fsum(ensemble.weights_by(weighting)) - 1) < BAR


@FAST
@given(distributions, st.integers(4, 30))
def test_quadrature_keeps_exact_moments(distribution, n):
    ensemble = en.quadrature(distribution, CUBES, n)
    for order in range(7):  # 2n - 1 >= 7
        # 1e-11: the 6th moment of 10-digit sums; the cut at 8 sigma adds less than 1e-12 for these spreads
        assert ensemble.moment(order, "edge_a_nm") == pytest.approx(distribution.moment(order), rel=1e-11)
    assert ensemble.mean("volume_nm3") == pytest.approx(distribution.moment(3), rel=1e-11)
    assert ensemble.mean("edge_a_nm", "volume") == pytest.approx(
        distribution.moment(4) / distribution.moment(3), rel=1e-11
    )


@FAST
@given(st.lists(ensembles(surface=True), min_size=1, max_size=4), st.data())
def test_mix_conserves_all_moments_of_the_union(parts, data):
    raw = np.array([data.draw(st.floats(0.01, 1.0)) for _ in parts])
    parts = [part.with_number_per_litre(None) for part in parts]
    mixed = en.mix(parts, raw / raw.sum())
    assert abs(math.fsum(mixed.weights) - 1) < BAR
    for quantity in QUANTITIES:
        for order in range(1, 5):
            union = sum(
                f * part.moment(order, quantity) for f, part in zip(raw / raw.sum(), parts, strict=True)
            )
            assert mixed.moment(order, quantity) == pytest.approx(union, rel=BAR)
    ligands = sum(
        f * part.average(part.surface_column("ligands_per_nm2").values)
        for f, part in zip(raw / raw.sum(), parts, strict=True)
    )
    assert mixed.average(mixed.surface_column("ligands_per_nm2").values) == pytest.approx(ligands, rel=BAR)


@FAST
@given(st.lists(ensembles(surface=False), min_size=1, max_size=4), st.data())
@pytest.mark.slow
def test_mix_conserves_number_and_volume_per_litre(parts, data):
    parts = [part.with_number_per_litre(data.draw(st.floats(1e12, 1e20))) for part in parts]
    mixed = en.mix(parts)
    number = math.fsum(part.number_per_litre for part in parts)
    assert mixed.number_per_litre == pytest.approx(number, rel=BAR)
    assert mixed.volume_fraction == pytest.approx(math.fsum(p.volume_fraction for p in parts), rel=BAR)
    again = en.mix(parts, [part.number_per_litre / number for part in parts])
    assert again.number_per_litre == pytest.approx(number, rel=BAR)


@FAST
@given(ensembles(min_rows=2), st.data())
def test_compress_conserves_number_and_volume(ensemble, data):
    kinds = len(
        set(
            zip(
                ensemble.shape.tolist(),
                ensemble.material.tolist(),
                ensemble.phase.tolist(),
                [""] * len(ensemble)
                if ensemble.partner_material is None
                else ensemble.partner_material.tolist(),
                [0] * len(ensemble) if ensemble.monolayers is None else ensemble.monolayers.tolist(),
                strict=True,
            )
        )
    )
    n = data.draw(st.integers(kinds, max(kinds, len(ensemble))))
    small, report = en.compress(ensemble, n)
    assert len(small) == min(n, len(ensemble)) == report.rows_after
    assert abs(math.fsum(small.weights) - 1) < BAR
    assert small.number_per_litre == ensemble.number_per_litre
    assert small.mean("volume_nm3") == pytest.approx(ensemble.mean("volume_nm3"), rel=BAR)
    assert report.volume_error < BAR and report.number_error < BAR
    assert report.relative_spread_after == pytest.approx(small.relative_spread(), rel=1e-12, abs=1e-15)
    assert report.edge_mean_change > -BAR  # by Jensen's inequality
    for shape in set(ensemble.shape.tolist()):
        before, after = ensemble.shape == shape, small.shape == shape
        whole = ensemble.weights[before] @ ensemble.volume_nm3[before]
        assert small.weights[after] @ small.volume_nm3[after] == pytest.approx(whole, rel=1e-11)
    if ensemble.halide_fraction is not None:
        amount = ensemble.weights @ (ensemble.volume_nm3 * ensemble.halide_fraction)
        assert small.weights @ (small.volume_nm3 * small.halide_fraction) == pytest.approx(amount, rel=1e-11)
    for column in ensemble.surface:
        kept = small.average(small.surface_column(column.name).values)
        assert kept == pytest.approx(ensemble.average(column.values), rel=1e-11)


@FAST
@given(ensembles())
def test_xarray_round_trip_is_exact(ensemble):
    assert en.from_xarray(en.to_xarray(ensemble)).identical(ensemble)


@settings(FAST, max_examples=25)
@given(ensemble=ensembles())
def test_parquet_round_trip_is_exact(tmp_path_factory, ensemble):
    path = en.write_parquet(ensemble, tmp_path_factory.mktemp("e") / "ensemble.parquet")
    assert en.read_parquet(path).identical(ensemble)


@FAST
@given(ensembles(min_rows=2), st.data())
def test_selections_make_up_the_whole(ensemble, data):
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(ensemble), max_size=len(ensemble))))
    if not (ensemble.weights[mask].any() and ensemble.weights[~mask].any()):
        return
    whole = ensemble.with_number_per_litre(1e18)
    parts = [whole.select(mask), whole.select(~mask)]
    back = en.mix(parts)
    assert back.number_per_litre == pytest.approx(1e18, rel=BAR)
    assert back.mean("volume_nm3") == pytest.approx(ensemble.mean("volume_nm3"), rel=BAR)


def test_identical_sees_the_last_bit():
    ensemble = en.quadrature(en.Lognormal(8.0, 0.1), CUBES, 5)
    edges = ensemble.edge_a_nm.copy()
    edges[0] = np.nextafter(edges[0], 9)
    changed = en.from_table(edges, CUBES, ensemble.weights)
    assert not changed.identical(ensemble)
    assert not ensemble.with_number_per_litre(1.0).identical(ensemble)
    assert ensemble.identical(ensemble.select(np.arange(5)))
