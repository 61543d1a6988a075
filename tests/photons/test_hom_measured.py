"""Measured interference: shape of the middle peak, files of all layouts, fits that find the truth."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import InputError, OptionError
from perolux.photons.hom import fine_structure_visibility, visibility
from perolux.photons.hom_emitter_fit import fit_emitter
from perolux.photons.hom_files import check_spacing, read_hom, spacing_of
from perolux.photons.hom_histogram import HomHistogram, expected_peaks, simulate_histogram
from perolux.photons.hom_measured import HomSettings, analyse_hom, expected_deviance, window_counts
from perolux.photons.hom_peaks import peak_areas
from perolux.photons.hom_shape import beats_of, interference_share

EDGES = np.arange(-8.0, 8.01, 0.1)
KEPT = {"delay_ns": 3.0, "blur_ns": 0.05, "g2_zero": 0.05}


def both(seed=1, v=0.56, scheme="pulse pair", **changes):
    rng = np.random.default_rng(seed)
    told = KEPT | {"lifetime_ns": 0.3, "coincidences": 1500.0, "background": 1.0} | changes
    return [simulate_histogram(scheme, EDGES, rng, visibility=one, **told) for one in (v, 0.0)]


def text(path, *columns, head="delay_ns,counts", shift=0.0):
    middle = 0.5 * (EDGES[1:] + EDGES[:-1]) + shift
    rows = [",".join(f"{x:.6g}" for x in row) for row in zip(middle, *columns, strict=True)]
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


@settings(max_examples=30, deadline=None)
@given(st.floats(0.01, 0.6), st.floats(0, 20), st.floats(0, 40), st.floats(0, 0.4))
def test_the_shape_adds_up_to_the_visibility(t2, spread, gap, blur):
    edges = np.linspace(-20, 20, 401)
    share = interference_share(edges, 0.0, 0.3, t2, spread=spread, beats=((gap, 1.0),), blur_ns=blur)
    exact = visibility(
        300.0, 1e3 * t2, detuning_rad_per_ps=gap / 1e3, detuning_spread_rad_per_ps=spread / 1e3
    )
    assert share.sum() == pytest.approx(float(exact), abs=1e-8)
    assert np.allclose(share, share[::-1], atol=1e-12)


def test_a_small_blur_is_none():
    edges = np.linspace(-3, 3, 61)
    sharp = interference_share(edges, 0.02, 0.3, 0.2, spread=2.0, beats=((5.0, 1.0),))
    nearly = interference_share(edges, 0.02, 0.3, 0.2, spread=2.0, beats=((5.0, 1.0),), blur_ns=0.0021)
    assert np.abs(sharp - nearly).max() < 1e-4


def test_beats_are_those_of_the_lines():
    found = beats_of((0.0, 20.0, 50.0), (0.5, 0.3, 0.2))
    assert sum(share for _, share in found) == pytest.approx(1.0)
    share = interference_share(np.linspace(-20, 20, 801), 0, 0.3, 0.2, beats=found, blur_ns=0.05)
    exact = fine_structure_visibility(300.0, 200.0, (0.0, 0.02, 0.05), (0.5, 0.3, 0.2), coherent=False)
    assert share.sum() == pytest.approx(exact, abs=1e-9)
    with pytest.raises(OptionError):
        beats_of((0.0, 1.0), (1.0,))


@pytest.mark.slow
def test_the_emitter_comes_back():
    parallel, orthogonal = both()
    found = fit_emitter(parallel, orthogonal, "pulse pair", lifetime_ns=0.2, **KEPT)
    assert found.t1_interval_ps[0] < 300 < found.t1_interval_ps[1]
    assert found.t2_interval_ps[0] < 336 < found.t2_interval_ps[1]
    assert found.visibility == pytest.approx(found.t2_ps / (2 * found.t1_ps))
    mean, variance = expected_deviance(np.concatenate(found.expected))
    assert found.chi2 < mean + 5 * np.sqrt(variance)


def beating(gap, spread, t2=0.3):
    """A pair of histograms of a train with a detuning and a spread, no noise but Poisson's."""
    near = np.arange(-4.5, 4.51, 0.1)
    areas = peak_areas("train", g2_zero=0.0)
    unit = expected_peaks(
        near, "train", areas.area, areas.order, delay_ns=3.0, shift_ns=0.0, tau_ns=0.3, blur_ns=0.03,
        centre=areas.central(0.0),
    )  # fmt: skip
    less = areas.interfering * interference_share(
        near, 0.0, 0.3, t2, spread=spread, beats=((gap, 1.0),), blur_ns=0.03
    )
    rng = np.random.default_rng(3)
    return [HomHistogram(near, rng.poisson(2e4 * mean + 1.0)) for mean in (unit - less, unit)]


@pytest.mark.long
def test_spread_and_detuning_come_back():
    kept = {"delay_ns": 3.0, "lifetime_ns": 0.3, "blur_ns": 0.03}
    still = fit_emitter(*beating(0.0, 6.0), "train", spread_rad_per_ps=None, **kept)
    assert still.fitted == ("spread",) and still.spread_interval[0] < 6e-3 < still.spread_interval[1]
    assert still.t2_interval_ps[0] < 300 < still.t2_interval_ps[1]
    beats = fit_emitter(*beating(15.0, 0.0), "train", detuning_rad_per_ps=None, **kept)
    assert beats.detuning_interval[0] < 15e-3 < beats.detuning_interval[1]
    with pytest.raises(OptionError, match="lines that beat"):
        fit_emitter(
            *beating(0.0, 0.0),
            "train",
            lines_rad_per_ps=(0, 1),
            weights=(1, 1),
            detuning_rad_per_ps=None,
            **kept,
        )


@pytest.mark.long
def test_coverage_of_t2():
    inside = 0
    for seed in range(60):
        found = fit_emitter(
            *both(seed, coincidences=500.0), "pulse pair", lifetime_ns=0.3, level=0.68, **KEPT
        )
        low, high = found.t2_interval_ps
        inside += (low is None or low < 336) and (high is None or high > 336)
    # 0.68 x 60 = 41, binomial: 3.6
    assert 30 <= inside <= 52


def test_layouts_give_the_same(tmp_path):
    parallel, orthogonal = both()
    one = text(tmp_path / "p.csv", parallel.counts)
    two = text(tmp_path / "o.csv", orthogonal.counts)
    together = text(
        tmp_path / "b.csv",
        parallel.counts,
        orthogonal.counts,
        head="delay (ns),parallel,orthogonal",
        shift=9.0,
    )
    apart, joined = read_hom(one, two), read_hom(together, zero_ns=9.0)
    for made, a, b in (
        (parallel, apart.parallel, joined.parallel), (orthogonal, apart.orthogonal, joined.orthogonal)
    ):  # fmt: skip
        assert np.array_equal(made.counts, a.counts) and np.array_equal(made.counts, b.counts)
        assert np.allclose(made.edges_ns, a.edges_ns) and np.allclose(made.edges_ns, b.edges_ns)
    near = read_hom(one, two, within_ns=5.0, rebin=2)
    assert near.parallel.edges_ns[0] >= -5.0 and np.diff(near.parallel.edges_ns) == pytest.approx(0.2)


def test_a_phu_of_two_curves(tmp_path):
    import struct

    tag_int, tag_float, tag_empty = 0x10000008, 0x20000008, 0xFFFF0008
    parallel, orthogonal = both()

    def tag(name, kind, value, index=-1):
        return name.encode().ljust(32, b"\0") + struct.pack("<iI", index, kind) + value

    def header(offsets):
        found = tag("HistoResult_NumberOfCurves", tag_int, struct.pack("<q", 2))
        for k in range(2):
            found += tag("HistResDscr_HistogramBins", tag_int, struct.pack("<q", len(EDGES) - 1), k)
            found += tag("HistResDscr_DataOffset", tag_int, struct.pack("<q", offsets[k]), k)
            found += tag("HistResDscr_MDescResolution", tag_float, struct.pack("<d", 1e-10), k)
        return b"PQHISTO\0" + b"1.0".ljust(8, b"\0") + found + tag("Header_End", tag_empty, bytes(8))

    start = len(header((0, 0)))
    size = 4 * (len(EDGES) - 1)
    path = tmp_path / "two.phu"
    path.write_bytes(
        header((start, start + size)) + parallel.counts.astype("<u4").tobytes()
        + orthogonal.counts.astype("<u4").tobytes()
    )  # fmt: skip
    with pytest.raises(OptionError, match="choose one"):
        read_hom(path)
    with pytest.raises(OptionError, match="delay zero") as told:
        read_hom(path, curves=(1, 2))
    assert "7.95" in str(told.value)  # the first bin begins at 0: its place is taken as the middle
    found = read_hom(path, curves=(1, 2), zero_ns=7.95)
    assert np.array_equal(found.orthogonal.counts, orthogonal.counts)


def test_spacing_is_seen():
    parallel, orthogonal = both(coincidences=500.0)
    assert spacing_of(orthogonal) == pytest.approx(3.0, abs=0.15)
    check_spacing(parallel, 3.0, "parallel")
    for wrong in (1.5, 2.0, 3.4, 6.0):
        with pytest.raises(OptionError, match=r"apart|no peak|wide"):
            check_spacing(parallel, wrong, "parallel")
    flat = HomHistogram(EDGES, np.random.default_rng(0).poisson(5.0, len(EDGES) - 1))
    with pytest.raises(OptionError, match="no peak"):
        check_spacing(flat, 3.0, "flat")
    train = both(scheme="train", coincidences=4000.0)[1]
    with pytest.raises(OptionError, match="not 6 ns apart"):
        check_spacing(train, 6.0, "train")


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda f: text(f, both()[0].counts / 7.3), "no count"),
        (lambda f: text(f, both()[0].counts, head="delay,counts"), "unit"),
        (lambda f: text(f, *(one.counts for one in both()), head="delay_ns,a,b"), "which is which"),
        (
            lambda f: text(f, *(one.counts / 3 for one in both()), head="delay_ns,parallel,cross"),
            "not normalised",
        ),
    ],
)
def test_files_that_are_refused(tmp_path, make, says):
    path = make(tmp_path / "x.csv")
    with pytest.raises(InputError) as told:
        read_hom(path)
    assert says in str(told.value)


@pytest.mark.slow
def test_side_peaks_as_reference():
    parallel, _ = both(coincidences=3000.0)
    from perolux.photons.hom_files import HomFile

    source = HomFile(parallel, None, (("p.csv", ""),), ())
    told = HomSettings(3.0, blur_ns=0.05, g2_zero=0.05)
    with pytest.raises(OptionError, match="polarisation is missing"):
        analyse_hom(source, told)
    found = analyse_hom(source, told, by_side_peaks=True)
    assert found.fit.interval[0] < 0.56 < found.fit.interval[1]
    assert found.fit.central_over_side is None and "counting pairs" in " ".join(found.assumptions)
    assert found.windows_raw == pytest.approx(found.fit.raw, abs=4 * found.windows_sigma)


def test_windows_hold_all_counts():
    one = HomHistogram(EDGES, np.arange(len(EDGES) - 1))
    found = window_counts(one, range(-3, 4), 3.0, 1.5, background_per_ns=2.0)
    assert [order for order, *_ in found] == [-2, -1, 0, 1, 2]
    assert sum(counts for _, counts, *_ in found) == one.counts[5:155].sum()
    assert found[0][2] == pytest.approx(6.0)


def test_expected_deviance_is_that_of_draws():
    rng, mean = np.random.default_rng(0), np.array([0.2, 1.0, 7.0, 60.0])
    drawn = rng.poisson(mean, (40_000, 4))
    with np.errstate(divide="ignore", invalid="ignore"):
        deviance = 2 * (np.where(drawn > 0, drawn * np.log(drawn / mean), 0.0) - (drawn - mean))
    for k in range(4):
        first, second = expected_deviance(mean[k : k + 1])
        # 60 counts: 1 and 2 are taken, 1/(6 mu) is left out
        assert deviance[:, k].mean() == pytest.approx(first, abs=0.02)
        assert deviance[:, k].var() == pytest.approx(second, rel=0.06)


def test_settings_out_of_range_come_together():
    source = read_both()
    with pytest.raises(OptionError) as told:
        analyse_hom(source, HomSettings(3.0, blur_ns=-1.0, g2_sigma=-0.1, window_ns=4.0, level=2.0))
    assert len(told.value.problems) == 4


def read_both():
    from perolux.photons.hom_files import HomFile

    return HomFile(*both(), (("p.csv", ""),), ())
