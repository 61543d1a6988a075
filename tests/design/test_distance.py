"""The distance of the kernel: zero between recipes equal in their features, categories as one-hot vectors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.design.features import encode, learn_encoding
from perolux.design.gaussian_process import matern52, squared_distances
from perolux.design.table import Table

WORDS = ("toluene", "ethanol", "acetone", "butanol")


def _table(numbers, ratios, words, lines=None):
    columns = {
        "ratio": [f"{x:.6g}" for x in ratios],
        "amount": [f"{x:.6g}" for x in numbers],
        "solvent": list(words),
    }
    return Table("t.csv", columns, lines or list(range(2, 2 + len(words))))


def _coordinates(table):
    encoding = learn_encoding(table, ["ratio", "amount", "solvent"])
    return encode(table, encoding), encoding


recipes = st.lists(
    st.tuples(st.floats(0.5, 2.0), st.floats(0.01, 100.0), st.sampled_from(WORDS)), min_size=4, max_size=12
)


@settings(max_examples=60, deadline=None)
@given(rows=recipes)
def test_equal_recipes_have_distance_zero_and_distances_are_those_of_one_hot_vectors(rows):
    # two spanning rows, so that no column is constant; every recipe stands twice
    rows = [(0.4, 0.005, "toluene"), (2.5, 200.0, "ethanol"), *rows] * 2
    ratio, amount, words = zip(*rows, strict=True)
    x, encoding = _coordinates(_table(ratio, amount, words))
    squares = squared_distances(x, x, 1)
    half = len(rows) // 2
    lengths = np.array([0.7, 1.9, 1.3])
    correlation, _ = matern52(squares, lengths)
    for i in range(half):
        assert np.all(squares[:, i, i + half] == 0.0)
        assert correlation[i, i + half] == 1.0
    hot = np.array([[word == one for one in encoding.categories[0]["words"]] for word in words], float)
    plain = np.concatenate([x[:, :2] / lengths[:2], hot / lengths[2]], axis=1)
    expected = ((plain[:, None, :] - plain[None, :, :]) ** 2).sum(axis=-1)
    found = np.tensordot(1.0 / lengths**2, squares, axes=1)
    assert found == pytest.approx(expected, abs=1e-12)


def test_the_alphabet_does_not_matter_and_an_unknown_word_is_as_far_from_all():
    table = _table([1.0, 2.0, 3.0, 4.0], [0.1, 0.2, 0.3, 0.4], WORDS)
    x, encoding = _coordinates(table)
    between = squared_distances(x, x, 1)[-1]
    assert between == pytest.approx(2.0 * (1.0 - np.eye(4)))  # acetone and toluene no further than neighbours
    new = encode(_table([1.0], [0.1], ["hexane"]), encoding)
    assert squared_distances(new, x, 1)[-1] == pytest.approx(np.full((1, 4), 2.0))


def test_a_logarithmic_feature_counts_factors():
    table = _table([1.0, 10.0, 100.0, 1000.0], [1.0, 1.2, 1.4, 1.6], WORDS)
    x, encoding = _coordinates(table)
    assert [entry["log"] for entry in encoding.numeric] == [False, True]
    steps = np.sqrt(squared_distances(x, x, 1)[1])
    assert steps[0, 1] == pytest.approx(steps[1, 2]) == pytest.approx(steps[2, 3])
