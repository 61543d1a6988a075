"""The law of a cost: known laws are found, with their error, and costs that do not grow are left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def cost_law(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    from benchmarks.cost_law import cost_law

    return cost_law


def test_an_exponential_with_a_fixed_cost(cost_law):
    n = np.arange(3, 13)
    law = cost_law(n, 0.01 + 1e-6 * 4.0**n, "exponential")
    # the fixed cost still bends the first point that is taken, by a fifth
    assert law.rate == pytest.approx(4.0, abs=0.15) and abs(law.rate - 4.0) < 3.0 * law.error
    assert law.from_n == 8
    assert law.seconds(12) == pytest.approx(1e-6 * 4.0**12, rel=0.1)


def test_error_of_a_noisy_power(cost_law):
    rng, n, off = np.random.default_rng(1), np.array([10, 20, 40, 80, 160]), []
    for _ in range(300):
        law = cost_law(n, 2e-3 * n**1.5 * np.exp(rng.normal(0.0, 0.1, 5)), "power")
        off.append((law.rate - 1.5) / law.error)
    # Student's t with two or three degrees of freedom: half of the draws lie within 0.76 to 0.82
    assert np.median(np.abs(off)) == pytest.approx(0.79, abs=0.2)
    assert law.text().startswith("grows as N^(1.")
