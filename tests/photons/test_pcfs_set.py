"""PCFS sets in a folder: layouts, what is refused, blocks of time, simulate and recover through the files."""

import numpy as np
import pytest

from perolux.errors import InputError, OptionError
from perolux.measured.stream_parquet import write_parquet_stream
from perolux.photons.pcfs import (
    Line,
    PcfsRecord,
    count_pairs,
    delay_of_path,
    envelope,
    expected_pairs,
    fit_pcfs,
    simulate_position,
    simulate_record,
    spread_by_lag,
)
from perolux.photons.pcfs_blocks import count_blocks, with_blocks
from perolux.photons.pcfs_measured import analyse_pcfs
from perolux.photons.pcfs_set import read_pcfs

LINE = Line(66.0, 0.02, 1e-3)
PATH = np.linspace(0.0, 36.0, 9)
LAGS = np.geomspace(1e-5, 5e-3, 8)
FRINGES = 10.0


def streams(seconds=4.0, seed=0, rate=1e4):
    rng = np.random.default_rng(seed)
    return [
        simulate_position(
            LINE, float(delay_of_path(p)), rng, rate_cps=rate, seconds=seconds, fringes_per_s=FRINGES,
            contrast=0.95, tick_ns=100.0,
        )
        for p in PATH
    ]  # fmt: skip


@pytest.fixture(scope="module")
def made():
    return streams()


def photon_folder(folder, made, head="", column="stage_position_mm", values=12.5 + PATH / 2):
    lines = [f"file,{column}"]
    for k, stream in enumerate(made):
        write_parquet_stream(stream, folder / f"p{k}.parquet")
        lines.append(f"p{k}.parquet,{values[k]:.5f}")
    (folder / "positions.csv").write_text("\n".join(lines) + "\n")
    told = head or "[stage]\nfold = 2\nzero_position_mm = 12.5\n[dither]\nfringes_per_s = 10\n"
    (folder / "pcfs.toml").write_text(
        '[set]\npositions = "positions.csv"\n' + told + "[interferometer]\ncontrast = 0.95\n"
    )
    return folder


def pair_folder(folder, toml='[set]\npairs = "pairs.csv"\n', drop=0, twice=False):
    rng = np.random.default_rng(0)
    record = simulate_record(LINE, delay_of_path(PATH), LAGS, rng, rate_cps=5e3, seconds=10.0)
    rows = [
        f"{PATH[i]:.6g},{LAGS[k]:.9e},{LAGS[k + 1]:.9e},{record.pairs[i, k]:.0f},{record.expected[i, k]:.6g}"
        for i in range(len(PATH))
        for k in range(len(LAGS) - 1)
    ]
    rows = rows[drop:] + ([rows[-1]] if twice else [])
    (folder / "pairs.csv").write_text(
        "\n".join(["path_difference_mm,lag_from_s,lag_to_s,pairs,expected", *rows]) + "\n"
    )
    (folder / "pcfs.toml").write_text(toml)
    return folder, record


@pytest.mark.slow
def test_simulate_write_read_recover(tmp_path, made):
    source = read_pcfs(photon_folder(tmp_path, made), lags=(1e-5, 5e-3, 7))
    assert source.path_mm == pytest.approx(PATH) and source.record.fringes_per_s == 10.0
    assert len(source.blocks) == 20 and source.photons == sum(len(one) for one in made)
    found = analyse_pcfs(source)
    fit = found.fit
    assert fit.t2_interval_ps[0] < 66 < fit.t2_interval_ps[1]
    assert fit.diffusion_interval[0] < 0.02 < fit.diffusion_interval[1]
    assert fit.diffusion_time_interval_s[0] < 1e-3 < fit.diffusion_time_interval_s[1]
    told = found.as_dict()
    assert "blocks of time" in told["intervals"] and told["linewidth_uev"] == pytest.approx(20.0, rel=0.2)
    assert (
        told["linewidth_interval_uev"]["low"] < told["linewidth_uev"] < told["linewidth_interval_uev"]["high"]
    )


def test_a_table_of_pairs_is_the_record(tmp_path):
    folder, record = pair_folder(tmp_path)
    found = read_pcfs(folder / "pcfs.toml")
    assert np.array_equal(found.record.pairs, record.pairs)
    assert np.allclose(found.record.delay_ps, record.delay_ps)
    assert found.blocks is None and any("contrast" in text for text in found.assumptions)
    with pytest.raises(OptionError, match="table of pairs"):
        read_pcfs(folder, lags=(1e-5, 1e-3, 4))


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("[set\n", "no TOML"),
        ('[set]\npairs = "pairs.csv"\npositions = "p.csv"\n', "positions and pairs are named"),
        ('[set]\npairs = "none.csv"\n', "not there"),
        ('[set]\npairs = "pairs.csv"\n[stages]\n', r"no section is called"),
        ('[set]\npairs = "pairs.csv"\n[stage]\nfolds = 2\n', "no entry is called 'folds'"),
        ('[set]\npairs = "pairs.csv"\n[stage]\nfold = -2\n', "a positive number"),
        ('[set]\npairs = "pairs.csv"\n[interferometer]\ncontrast = 95\n', "above 1"),
    ],
)
def test_settings_that_are_refused(tmp_path, toml, says):
    with pytest.raises(InputError, match=says):
        read_pcfs(pair_folder(tmp_path, toml)[0])


@pytest.mark.parametrize(("drop", "twice", "says"), [(1, False, "every pair"), (1, True, "twice")])
def test_tables_that_are_refused(tmp_path, drop, twice, says):
    with pytest.raises(InputError, match=says):
        read_pcfs(pair_folder(tmp_path, drop=drop, twice=twice)[0])


def test_positions_that_are_refused(tmp_path):
    (tmp_path / "pcfs.toml").write_text('[set]\npositions = "positions.csv"\n')
    table = tmp_path / "positions.csv"
    for content, says in (
        ("file,stage_position_mm\na,1\n", "no fold"),
        ("file,where\na,1\n", "no column of positions"),
        ("name,path_difference_mm\na,1\n", "no column 'file'"),
        ("file,path_difference_mm\na,one\n", "no number"),
        ("file,path_difference_mm\n", "no rows"),
        ("file,path_difference_mm\na.ptu,1\nb.ptu,2\n", "could not read"),
    ):
        table.write_text(content)
        with pytest.raises(InputError, match=says):
            read_pcfs(tmp_path)
    with pytest.raises(InputError, match=r"no pcfs\.toml"):
        read_pcfs(tmp_path / "nowhere")


def test_the_dither_is_checked(tmp_path):
    head = '[set]\npairs = "pairs.csv"\n[dither]\nwavelength_nm = 500\nperiod_s = 2\n'
    good = read_pcfs(pair_folder(tmp_path, head + "range_um = 2.5\n")[0])
    assert good.record.fringes_per_s == pytest.approx(5.0) and not good.warnings
    part = read_pcfs(pair_folder(tmp_path, head + "range_um = 2.7\n")[0])
    assert "no whole number" in part.warnings[0]
    short = read_pcfs(pair_folder(tmp_path, head + "range_um = 0.3\n")[0])
    assert "fewer than one" in short.warnings[0]
    wide = read_pcfs(pair_folder(tmp_path, head + "range_um = 2500\nfringes_per_s = 1\n")[0])
    assert any("sweeps" in text for text in analyse_pcfs(wide, diffusion=False).warnings)


def test_blocks_add_up(made):
    delay = delay_of_path(PATH)
    whole = count_pairs(made, delay, LAGS, fringes_per_s=FRINGES)
    blocks = count_blocks(made, delay, LAGS, fringes_per_s=FRINGES)
    across = 1 - blocks.pairs.sum(axis=0) / whole.pairs
    # pairs across a border: lag/(length of a block), at most
    assert np.all(across >= 0) and np.all(across < 1.2 * whole.lag_edges_s[1:] / 0.2 + 0.01)
    rest = blocks.without(3)
    ratio = (rest.pairs / rest.expected) / (whole.pairs / whole.expected)
    assert ratio == pytest.approx(1.0, abs=0.05)
    assert count_blocks(made, delay, LAGS, fringes_per_s=2.0) is None  # 8 fringes: four blocks
    with pytest.raises(OptionError):
        count_blocks(made[:2], delay, LAGS)


def test_no_blocks_leave_the_fit():
    rng = np.random.default_rng(0)
    fit = fit_pcfs(simulate_record(LINE, delay_of_path(PATH), LAGS, rng, rate_cps=5e3, seconds=4.0))
    assert with_blocks(fit, None) is fit


def test_mean_over_a_lag_bin_is_the_integral():
    record = PcfsRecord(np.array([40.0]), np.array([5e-4, 2e-3]), np.ones((1, 1)), np.ones((1, 1)))
    lag = np.linspace(5e-4, 2e-3, 4001)
    exact = 1 - 0.5 * np.trapezoid(envelope(LINE, 40.0, lag), lag) / 1.5e-3
    assert expected_pairs(record, LINE, [1.0])[0, 0] == pytest.approx(exact, abs=1e-5)


def test_spread_of_each_lag_follows_the_law():
    rng = np.random.default_rng(0)
    record = simulate_record(LINE, delay_of_path(PATH), LAGS, rng, rate_cps=2e4, seconds=4.0)
    found, errors = spread_by_lag(record, LINE)
    law = -2 * 0.02**2 * np.expm1(-record.lag_s / 1e-3)
    pull = (found - law) / np.array(errors)
    assert np.abs(pull).max() < 4


@pytest.mark.long
def test_coverage_photon_by_photon():
    inside = np.zeros(3)
    for seed in range(40):
        one = streams(seed=1000 + seed)
        record = count_pairs(one, delay_of_path(PATH), LAGS, fringes_per_s=FRINGES)
        blocks = count_blocks(one, record.delay_ps, record.lag_edges_s, fringes_per_s=FRINGES)
        fit = with_blocks(fit_pcfs(record, contrast=0.95, level=0.68), blocks, contrast=0.95)
        for k, (ends, truth) in enumerate(
            (
                (fit.t2_interval_ps, 66.0),
                (fit.diffusion_interval, 0.02),
                (fit.diffusion_time_interval_s, 1e-3),
            )
        ):
            inside[k] += (ends[0] is None or ends[0] < truth) and (ends[1] is None or ends[1] > truth)
    # the wider of two intervals: at least 68 % of 40 = 27 less 3 x 2.9
    assert np.all(inside >= 18)
