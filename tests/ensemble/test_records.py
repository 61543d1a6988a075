"""The dataclass' own checks, mix, compress and the two record formats."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux import ensemble as en
from perolux.errors import InputError, OptionError

CUBES = en.Population(shape="cube", size_convention="core-edge", material="CsPbBr3")


@pytest.fixture
def cubes():
    return en.quadrature(en.Lognormal(8.0, 0.1), CUBES, 6)


@pytest.fixture
def platelets():
    given = en.Population(
        shape="platelet", size_convention="core-edge", material="CsPbBr3", monolayers=3, monolayer_nm=0.6
    )
    return en.quadrature(en.Lognormal(15.0, 0.1), given, 6)


# ---- the dataclass


def test_arrays_are_read_only(cubes):
    with pytest.raises(ValueError, match="read-only"):
        cubes.weights[0] = 1.0


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda e: {"weights": e.weights * 1.1}, "sum to"),
        (lambda e: {"weights": -e.weights}, "negative"),
        (lambda e: {"weights": np.full(6, np.nan)}, "finite"),
        (lambda e: {"weights": np.array([])}, "rows"),
        (lambda e: {"edge_a_nm": e.edge_a_nm[:3]}, "does not go"),
        (lambda e: {"edge_a_nm": -e.edge_a_nm}, "negative"),
        (lambda e: {"edge_a_nm": e.edge_a_nm * 2}, "unequal"),
        (lambda e: {"edge_a_nm": e.edge_a_nm.astype(np.float32)}, "number"),
        (lambda e: {"shape": np.full(6, "prism")}, "unknown shape"),
        (lambda e: {"shape": np.full(6, "platelet")}, "monolayer"),
        (lambda e: {"shape": np.arange(6)}, "text"),
        (lambda e: {"monolayers": np.ones(6, dtype=np.int64)}, "monolayer"),
        (lambda e: {"monolayers": np.zeros(6)}, "whole"),
        (lambda e: {"number_per_litre": 0.0}, "per litre"),
        (lambda e: {"halide_fraction": np.zeros(6)}, "together"),
        (lambda e: {"halide_fraction": np.full(6, 0.5), "partner_material": np.full(6, "")}, "partner"),
        (lambda e: {"surface": (en.SurfaceColumn("x", np.zeros(6), "1"),) * 2}, "share a name"),
        (lambda e: {"surface": (en.SurfaceColumn("x", np.full(6, np.inf), "1"),)}, "finite"),
    ],
)
def test_wrong_arrays_are_refused(cubes, change, word):
    with pytest.raises(OptionError, match=word):
        replace(cubes, **change(cubes))


def test_all_problems_are_told_at_once(cubes):
    with pytest.raises(OptionError) as caught:
        replace(cubes, weights=-cubes.weights, edge_b_nm=-cubes.edge_b_nm, number_per_litre=-1.0)
    assert len(caught.value.problems) >= 4


def test_unknown_names_are_refused(cubes):
    for call in (
        lambda: cubes.mean("edge"),
        lambda: cubes.mean("volume_nm3", "mass"),
        lambda: cubes.surface_column("ligands"),
        lambda: cubes.select(np.zeros(6, dtype=bool)),
        lambda: cubes.select(slice(None)),
        lambda: cubes.select([6]),
        lambda: cubes.select([True]),
        lambda: cubes.diluted(2.0),
        lambda: cubes.with_number_per_litre(1e18).diluted(0.0),
        lambda: cubes.average(np.zeros(5)),
    ):
        with pytest.raises(OptionError):
            call()


# ---- mix


def test_mix_of_cubes_and_platelets(cubes, platelets):
    both = en.mix([cubes, platelets], [0.25, 0.75])
    assert len(both) == 12 and both.number_per_litre is None
    assert both.weights[both.shape == "platelet"].sum() == pytest.approx(0.75, abs=1e-14)
    assert both.monolayers[:6].tolist() == [0] * 6
    assert en.mix([cubes]).identical(cubes)


def test_one_known_number_and_fractions_give_the_other(cubes, platelets):
    both = en.mix([cubes.with_number_per_litre(1e18), platelets], [0.25, 0.75])
    assert both.number_per_litre == pytest.approx(4e18, rel=1e-14)


def test_contradicting_amounts_are_refused(cubes, platelets):
    known = [cubes.with_number_per_litre(1e18), platelets.with_number_per_litre(3e18)]
    assert en.mix(known, [0.25, 0.75]).number_per_litre == pytest.approx(4e18, rel=1e-14)
    with pytest.raises(OptionError, match="contradict"):
        en.mix(known, [0.3, 0.7])
    with pytest.raises(OptionError, match="contradict"):
        en.mix(known, [0.0, 1.0])


def test_mix_refuses_what_it_cannot_know(cubes, platelets):
    bare = replace(platelets, surface=())
    dressed = replace(cubes, surface=(en.SurfaceColumn("ligands_per_nm2", np.ones(6), "nm-2"),))
    for call in (
        lambda: en.mix([]),
        lambda: en.mix([cubes, 3]),
        lambda: en.mix([cubes, platelets]),
        lambda: en.mix([cubes, platelets], [0.5, 0.6]),
        lambda: en.mix([cubes, platelets], [1.5, -0.5]),
        lambda: en.mix([cubes, platelets], [1.0]),
        lambda: en.mix([dressed, bare], [0.5, 0.5]),
        lambda: en.mix([bare, dressed], [0.5, 0.5]),
    ):
        with pytest.raises(OptionError):
            call()


# ---- compress


def test_compress_keeps_nearly_all_the_spread_of_a_sample():
    drawn = en.sample(en.Lognormal(8.0, 0.1), CUBES, 20_000, np.random.default_rng(4))
    small, report = en.compress(drawn, 20)
    assert len(small) == 20
    # 20 optimal cells lose of the order of (pi sqrt(3)/2)/20^2 = 0.7 % of the variance (Panter and Dite)
    lost = 1 - (report.relative_spread_after / report.relative_spread_before) ** 2
    assert 0 < lost < 0.015
    assert report.volume_error < 1e-14 and report.number_error < 1e-14
    assert "20000 rows to 20" in str(report)


def test_compress_keeps_an_outlier_and_the_middle():
    drawn = en.sample(en.Lognormal(8.0, 0.1), CUBES, 20_000, np.random.default_rng(4))
    outlier = en.from_table([800.0], CUBES)
    small, _ = en.compress(en.mix([drawn, outlier], [0.9999, 0.0001]), 20)
    assert small.edge_a_nm.max() == pytest.approx(800.0, rel=1e-12)
    # from 5 % of 2.4 % up: the outlier holds most of the variance, but the others still get several rows
    assert np.count_nonzero(small.edge_a_nm < 20) >= 15


def test_compress_to_one_row_is_the_mean_volume(cubes):
    small, report = en.compress(cubes, 1)
    assert small.edge_a_nm.item() ** 3 == pytest.approx(en.Lognormal(8.0, 0.1).moment(3), rel=1e-13)
    assert report.relative_spread_after < 1e-15


def test_compress_does_not_touch_what_is_small_enough(cubes):
    same, report = en.compress(cubes, 6)
    assert same is cubes and report.relative_spread_after == report.relative_spread_before


def test_compress_keeps_kinds_and_thicknesses_apart(cubes, platelets):
    both = en.mix([cubes, platelets], [0.5, 0.5])
    small, _ = en.compress(both, 2)
    assert sorted(small.shape.tolist()) == ["cube", "platelet"]
    assert small.edge_c_nm[small.shape == "platelet"].item() == pytest.approx(1.8, rel=1e-15)
    with pytest.raises(OptionError, match="kinds"):
        en.compress(both, 1)
    with pytest.raises(OptionError):
        en.compress(both, 2.5)


def test_compress_separates_compositions_of_one_size():
    rows = [
        en.quadrature(en.Fixed(8.0), replace(CUBES, partner_material="CsPbI3", halide_fraction=x))
        for x in (0.1, 0.12, 0.5, 0.52)
    ]
    small, report = en.compress(en.mix(rows, [0.25] * 4), 2)
    assert sorted(small.halide_fraction.tolist()) == pytest.approx([0.11, 0.51], rel=1e-12)
    assert report.halide_spread_after == pytest.approx(0.2, rel=1e-12)


def test_compress_with_rows_of_no_weight():
    table = en.from_table([5.0, 6.0, 7.0, 8.0], CUBES, [0.0, 0.0, 1.0, 1.0])
    small, _ = en.compress(table, 2)
    assert small.mean("volume_nm3") == pytest.approx((343 + 512) / 2, rel=1e-14)


# ---- records


def test_netcdf_round_trip_is_exact(tmp_path, cubes, platelets):
    both = en.mix([cubes, platelets], [0.5, 0.5])
    en.to_xarray(both).to_netcdf(tmp_path / "e.nc", engine="h5netcdf")
    import xarray as xr

    with xr.open_dataset(tmp_path / "e.nc", engine="h5netcdf") as dataset:
        assert dataset["edge_a_nm"].attrs["units"] == "nm"
        assert en.from_xarray(dataset).identical(both)


def test_parquet_can_be_read_without_perolux(tmp_path, cubes):
    path = en.write_parquet(cubes.with_number_per_litre(1 / 3), tmp_path / "e.parquet")
    table = pq.read_table(path)
    header = json.loads(table.schema.metadata[b"perolux.ensemble"])
    assert header["version"] == 1 and "half cells" in header["lengths"]
    assert header["number_per_litre"] == 1 / 3
    assert table.column("shape").to_pylist() == ["cube"] * 6
    assert not list(tmp_path.glob(".*"))


def test_files_that_are_no_ensemble(tmp_path, cubes):
    good = en.write_parquet(cubes, tmp_path / "good.parquet")
    table = pq.read_table(good)
    header = json.loads(table.schema.metadata[b"perolux.ensemble"])

    def changed(name, new_table=None, **changes):
        told = json.dumps(header | changes)
        written = (table if new_table is None else new_table).replace_schema_metadata(
            {"perolux.ensemble": told}
        )
        pq.write_table(written, tmp_path / name)
        return tmp_path / name

    weights = table.column("weights").to_numpy()
    position = table.column_names.index("weights")

    def with_weights(array):
        return table.set_column(position, "weights", pa.array(array))

    (tmp_path / "text.parquet").write_text("size,weight\n8,1\n")
    (tmp_path / "empty.parquet").write_bytes(b"")
    (tmp_path / "cut.parquet").write_bytes(good.read_bytes()[:-20])
    (tmp_path / "magic.parquet").write_bytes(b"PAR1")
    pq.write_table(table.replace_schema_metadata({}), tmp_path / "plain.parquet")
    pq.write_table(
        table.replace_schema_metadata({"perolux.ensemble": "{not json"}), tmp_path / "header.parquet"
    )
    long_name = pa.array(["x" * 1000] * 6).dictionary_encode()
    bad = [
        tmp_path / "missing.parquet",
        tmp_path,
        tmp_path / "text.parquet",
        tmp_path / "empty.parquet",
        tmp_path / "cut.parquet",
        tmp_path / "magic.parquet",
        tmp_path / "plain.parquet",
        tmp_path / "header.parquet",
        changed("newer.parquet", version=2),
        changed("lengths.parquet", lengths="without half cells"),
        changed("number.parquet", number_per_litre="many"),
        changed("surface.parquet", surface=[["ligands", "1", ""]]),
        changed("columns.parquet", table.drop_columns(["phase"])),
        changed("extra.parquet", table.append_column("extra", pa.array(weights))),
        changed("rows.parquet", table.slice(0, 0)),
        changed("nan.parquet", with_weights(np.full(6, np.nan))),
        changed("sum.parquet", with_weights(weights * 2)),
        changed("type.parquet", with_weights(weights.astype(np.float32))),
        changed("null.parquet", with_weights([None, *weights[1:]])),
        changed("long.parquet", table.set_column(table.column_names.index("phase"), "phase", long_name)),
    ]
    for path in bad:
        with pytest.raises(InputError) as caught:
            pytest.fail(f"{path.name}: {en.read_parquet(path)}")
        assert path.name in str(caught.value)
    assert en.read_parquet(good).identical(cubes)


@settings(max_examples=150, deadline=None)
@given(position=st.floats(0, 1), value=st.integers(0, 255))
def test_a_damaged_byte_never_ends_in_a_crash(tmp_path_factory, position, value):
    folder = tmp_path_factory.getbasetemp()
    path = folder / "whole.parquet"
    if not path.exists():
        en.write_parquet(en.quadrature(en.Lognormal(8.0, 0.1), CUBES, 6), path)
    content = bytearray(path.read_bytes())
    content[int(position * (len(content) - 1))] = value
    damaged = folder / "damaged.parquet"
    damaged.write_bytes(content)
    try:
        en.read_parquet(damaged)
    except InputError as error:
        assert "damaged.parquet" in str(error)


@pytest.mark.parametrize(
    "runs", [pytest.param(10_000, marks=pytest.mark.slow), pytest.param(100_000, marks=pytest.mark.long)]
)
def test_damaged_files_at_length(tmp_path, runs):
    whole = en.write_parquet(en.quadrature(en.Lognormal(8.0, 0.1), CUBES, 6), tmp_path / "whole.parquet")
    content, damaged, rng = whole.read_bytes(), tmp_path / "damaged.parquet", np.random.default_rng(0)
    refused = 0
    for _ in range(runs):
        changed = bytearray(content)
        for place in rng.integers(len(changed), size=rng.integers(1, 6)):
            changed[place] = rng.integers(256)
        if rng.random() < 0.2:
            place = int(rng.integers(len(changed)))
            del changed[place : place + int(rng.integers(1, 20))]
        damaged.write_bytes(changed)
        try:
            en.read_parquet(damaged)
        except InputError:
            refused += 1
    assert refused > 0.8 * runs


def test_plots_are_drawn(cubes):
    import matplotlib

    matplotlib.use("Agg")
    axes = cubes.plot()
    assert axes.get_xlabel() == "equal volume edge (nm)"
    drawn = en.sample(en.Lognormal(8.0, 0.1), CUBES, 1000, np.random.default_rng(0))
    assert drawn.plot(axes, "volume_nm3").get_xlabel() == "volume (nm³)"
    axes.figure.clear()


def test_datasets_that_are_no_ensemble(cubes):
    dataset = en.to_xarray(cubes)
    for wrong in (
        dataset.assign_attrs({"perolux.ensemble": "[]"}),
        dataset.drop_attrs(),
        dataset.drop_vars("phase"),
        dataset.assign(weights=2 * dataset["weights"]),
    ):
        with pytest.raises(InputError):
            en.from_xarray(wrong)
