"""Whatever the bytes, a reader gives a result or raises `PeroluxError`; it never fails in another way.

1e4 executions of each reader in the suite, 1e5 in the long tier; `make fuzz` goes on, guided by coverage.
"""

import importlib.util
import warnings
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

_spec = importlib.util.spec_from_file_location("reader_seeds", Path(__file__).with_name("seeds.py"))
seeds = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(seeds)

BATCH = 20
"""Spoiled inputs per hypothesis example: drawing takes longer than reading."""

ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-16", "utf-16-le", "latin-1")
edits = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 4000), st.integers(0, 4000)), min_size=1, max_size=6
)
batches = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5), edits), min_size=BATCH, max_size=BATCH)


def run(reader, executions):
    sources = seeds.READERS[reader][1]
    count = {"done": 0, "read": 0}

    @settings(
        max_examples=executions // BATCH,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(batches)
    def attempt_all(batch):
        for which, encoding, changes in batch:
            seed = sources[which % len(sources)].encode(ENCODINGS[encoding], "replace")
            count["read"] += seeds.attempt(reader, seeds.spoiled(seed, changes))
            count["done"] += 1

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        attempt_all()
    assert count["done"] >= executions
    # Spoiling that leaves nothing readable, or everything, would test nothing.
    assert 0.02 < count["read"] / count["done"] < 0.98
    return count


@pytest.mark.parametrize("reader", seeds.READERS)
def test_the_seeds_themselves_are_understood(reader):
    understood = [seeds.attempt(reader, seed.encode()) for seed in seeds.READERS[reader][1]]
    assert sum(understood) >= len(understood) / 3


@pytest.mark.slow
@pytest.mark.parametrize("reader", seeds.READERS)
def test_spoiled_inputs(reader):
    run(reader, max(2000, 10_000 // len(seeds.READERS)))  # ten thousand over all readers


@pytest.mark.long
@pytest.mark.parametrize("reader", seeds.READERS)
def test_a_hundred_thousand_spoiled_inputs(reader):
    run(reader, 100_000)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(sorted(seeds.READERS)))
def test_any_bytes(data, reader):
    seeds.attempt(reader, data)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=300), st.sampled_from(sorted(seeds.READERS)))
def test_any_text(text, reader):
    seeds.attempt(reader, text.encode("utf-8", "surrogatepass"))
