"""Shared lifetimes over recorded curves: truth, verdict, axes that do not fit."""

from __future__ import annotations

import json

import numpy as np
import pytest

from perolux.errors import InputError, OptionError
from perolux.measured import read_decay
from perolux.photons.decay_global_record import analyse_decays_together, parse_shared
from perolux.photons.decay_models import exponential_columns
from perolux.photons.instrument_response import GaussianResponse

RESPONSE = GaussianResponse(0.1, 3.0)


def write(path, counts, first=0.0, step=0.25):
    rows = [f"{first + i * step:.4f},{n}" for i, n in enumerate(counts)]
    path.write_text("time (ns),counts\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture
def records(tmp_path):
    rng = np.random.default_rng(1)
    columns, _, _ = exponential_columns([1.0, 8.0], 200, 0.25, RESPONSE, period_ns=50.0)
    areas = ([27000, 6000], [12000, 24000], [3000, 48000])
    return [
        read_decay(write(tmp_path / f"level{i}.csv", rng.poisson(columns @ area + 4.0), first=1.0))
        for i, area in enumerate(areas)
    ]


@pytest.mark.slow
def test_levels_share_their_lifetimes(records) -> None:
    # the axis begins at 1 ns: the response is at 4 ns of it
    found = analyse_decays_together(
        records, irf=GaussianResponse(0.1, 4.0), period_ns=50.0, exponentials=(1, 2, 3)
    )
    assert found.fit.sharing_supported and len(found.fit.shared) == 2
    facts = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    for one, true in zip(facts["shared_lifetimes_ns"], (1.0, 8.0), strict=True):
        assert one["low"] < true < one["high"] and one["low"] < one["value"] < one["high"]
    for curve, (fast, slow) in zip(facts["curves"], ((27, 6), (12, 24), (3, 48)), strict=True):
        assert 0.8 < curve["reduced_pearson_chi2"] < 1.3
        expected = (fast + slow) * 1.0 / (fast + slow / 8.0)
        assert curve["average_lifetime_amplitude_weighted_ns"] == pytest.approx(expected, rel=0.05)
        assert curve["background_counts_per_bin"] == pytest.approx(4.0, abs=1.5)
    assert [one["model"] for one in facts["model_comparison"]] == ["1", "2", "3"]
    assert min(one["delta_bic"] for one in facts["model_comparison"]) == 0.0


@pytest.mark.slow
def test_one_shared_the_other_free(records, tmp_path) -> None:
    columns, _, _ = exponential_columns([1.0, 4.0], 200, 0.25, RESPONSE, period_ns=50.0)
    other = read_decay(
        write(
            tmp_path / "other.csv", np.random.default_rng(3).poisson(columns @ [20000, 40000] + 4), first=1.0
        )
    )
    kept = {"irf": GaussianResponse(0.1, 4.0), "period_ns": 50.0, "exponentials": (2,)}
    both = analyse_decays_together([records[1], other], **kept)
    assert not both.fit.sharing_supported and any("do not share" in text for text in both.warnings)
    one = analyse_decays_together([records[1], other], shared=(1,), **kept)
    assert one.fit.sharing_supported and one.fit.shared == (True, False)
    assert [c.lifetimes_ns[1] for c in one.curves] == pytest.approx([8.0, 4.0], rel=0.05)
    assert one.curves[0].lifetimes_ns[0] == one.curves[1].lifetimes_ns[0]
    assert len(one.as_dict()["shared_lifetimes_ns"]) == 1


def test_without_a_response_from_the_top_of_the_sum_on(records) -> None:
    found = analyse_decays_together(records[:2], exponentials=(2,), exclude_ns=[(20.0, 22.0)])
    assert found.range_ns[0] == pytest.approx(4.0, abs=0.5)
    assert any("highest bin" in text for text in found.warnings)
    assert found.curves[0].lifetimes_ns[1] == pytest.approx(8.0, rel=0.1)


def test_what_does_not_fit_is_refused(records, tmp_path) -> None:
    coarse = read_decay(write(tmp_path / "coarse.csv", np.arange(100, 0, -1), first=1.0, step=0.5))
    late = read_decay(write(tmp_path / "late.csv", np.arange(100, 0, -1), first=2.0))
    with pytest.raises(InputError) as error:
        analyse_decays_together([records[0], coarse, late])
    assert len(error.value.problems) == 2  # both at once
    with pytest.raises(OptionError, match="two or more"):
        analyse_decays_together(records[:1])
    with pytest.raises(OptionError, match="lifetime 3"):
        analyse_decays_together(records, shared=(3,), exponentials=(2,))
    with pytest.raises(OptionError, match="only exponentials"):
        analyse_decays_together(records, exponentials=(5,))
    with pytest.raises(OptionError, match="no bin is left"):
        analyse_decays_together(records, start_ns=400.0)
    for text in ("all", "1,1", "0", ""):
        with pytest.raises(OptionError, match="nothing to share"):
            parse_shared(text)
