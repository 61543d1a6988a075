"""What a grown recipe comes to: numbers with exact values, reasons where there are none, order of threads."""

import threading
import tomllib
from dataclasses import replace

import numpy as np
import pytest

from perolux.errors import OptionError
from perolux.files import example_path
from perolux.synthesis.batch import grow_recipe
from perolux.synthesis.many import in_order
from perolux.synthesis.outcome import OUTCOMES, outcome_of
from perolux.synthesis.recipe import recipe_of


def content_of(name="cspbbr3_antisolvent", **blocks):
    return tomllib.loads((example_path("recipes") / f"{name}.toml").read_text()) | blocks


@pytest.fixture(scope="module")
def batch():
    return grow_recipe(recipe_of(content_of()))


def with_history(batch, **arrays):
    """A batch whose history has these arrays at 10 even times up to 100 s."""
    n = 10
    return replace(
        batch,
        history=replace(
            batch.history,
            time_s=np.arange(1.0, n + 1) * 10.0,
            supplied_mol_m3=np.full(n, 2.0),
            number_per_m3=arrays.pop("number_per_m3", np.ones(n)),
            mean_radius_m=np.full(n, 2e-9),
            cv=np.full(n, 0.1),
            supersaturation=np.full(n, 3.0),
            **arrays,
        ),
    )


def test_it_says_what_the_batch_says(batch):
    found = outcome_of(batch).numbers
    last = batch.rows()[-1]
    assert set(found) == set(OUTCOMES)
    assert all(found[name] == last[name] for name in ("mean_edge_nm", "cv", "N_per_m3"))
    assert found["yield"] == pytest.approx(last["yield"])
    assert found["largest_supersaturation"] >= batch.history.supersaturation.max()


def test_nuclei_all_the_time_give_their_share_and_a_burst_gives_none(batch):
    even = np.linspace(0.1, 1.0, 10)
    steady = with_history(batch, nuclei_per_m3=100 * even, bound_mol_m3=2.0 * even)
    assert outcome_of(steady).numbers["nucleation_share"] == pytest.approx(0.9)
    burst = with_history(batch, nuclei_per_m3=np.full(10, 100.0), bound_mol_m3=2.0 * (even - 0.1))
    assert outcome_of(burst).numbers["nucleation_share"] == pytest.approx(0.0)


def test_the_time_of_the_yield_is_interpolated(batch):
    even = np.linspace(0.1, 1.0, 10)
    found = outcome_of(with_history(batch, nuclei_per_m3=100 * even, bound_mol_m3=1.9 * even))
    assert found.numbers["time_to_90_percent_s"] == pytest.approx(100 * 0.9 / 0.95)
    found = outcome_of(with_history(batch, nuclei_per_m3=100 * even, bound_mol_m3=1.7 * even))
    assert found.numbers["time_to_90_percent_s"] is None
    assert "below 90" in found.reasons["time_to_90_percent_s"]


def test_every_missing_number_has_its_reason(batch):
    even = np.linspace(0.1, 1.0, 10)
    nothing = outcome_of(with_history(batch, nuclei_per_m3=0.1 * even, bound_mol_m3=1e-20 * even))
    gone = outcome_of(
        with_history(
            batch,
            nuclei_per_m3=100 * even,
            bound_mol_m3=np.append(even[:-1], 0.0),
            number_per_m3=np.zeros(10),
        )
    )
    for found, words in ((nothing, "nothing nucleates"), (gone, "dissolved")):
        assert not found.has_crystals and words in found.reasons["mean_edge_nm"]
        assert {name for name, value in found.numbers.items() if value is None} == set(found.reasons)
    assert gone.numbers["nucleation_share"] is not None


def test_the_largest_supersaturation_is_that_of_all_steps():
    """At the start of a long history the peak lies before the first row."""
    content = content_of("cspbbr3_hot_injection", observe={"until": "60 s"})
    whole = grow_recipe(recipe_of(content))
    times = [f"{t} s" for t in 60 * np.geomspace(1e-5, 1, 400)]
    fine = grow_recipe(recipe_of(content | {"observe": {"until": "60 s", "times": times}}))
    peak = fine.history.supersaturation.max()
    assert whole.history.supersaturation.max() < 0.99 * peak
    assert whole.history.largest_supersaturation == pytest.approx(peak, rel=1e-3)


def test_threads_keep_the_order():
    gates = [threading.Event() for _ in range(4)]

    def work(k):
        if k < 3:
            assert gates[k + 1].wait(5)  # later items end first
        gates[k].set()
        return k

    assert list(in_order(work, range(4), 4)) == [0, 1, 2, 3]


def test_few_items_are_in_hand_at_once():
    taken = []
    results = in_order(lambda k: k, (taken.append(k) or k for k in range(10_000)), 2)
    assert next(results) == 0
    assert len(taken) <= 32
    results.close()


def test_what_a_thread_raises_is_raised_and_nothing_begins_after_it():
    begun = []

    def work(k):
        begun.append(k)
        if k == 3:
            raise OptionError("no")
        return k

    with pytest.raises(OptionError, match="no"):
        list(in_order(work, range(1000), 1))
    assert len(begun) <= 32
    with pytest.raises(OptionError, match="jobs"):
        list(in_order(work, range(3), 0))
