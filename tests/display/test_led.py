"""The chain of an LED."""

from __future__ import annotations

import pytest

from perolux.display.light_emitting_diode import isotropic_outcoupling, led_chain, needed_outcoupling
from perolux.errors import ModelRangeError, OptionError


def test_the_chain_is_a_product():
    chain = led_chain(plqy=0.9, outcoupling=0.2, balance=0.8, recombination=0.95)
    assert chain.eqe == pytest.approx(0.9 * 0.2 * 0.8 * 0.95)
    assert isotropic_outcoupling(1.8) == pytest.approx(0.154, abs=5e-4)


def test_recycling_adds_the_geometric_series():
    q, out, again = 0.95, 0.2, 0.5
    series = sum(q * out * (q * again) ** k for k in range(200))
    assert led_chain(plqy=q, outcoupling=out, reabsorbed=again).eqe == pytest.approx(series, rel=1e-12)


def test_linear_in_yield_without_recycling():
    half, whole = (led_chain(plqy=q, outcoupling=0.2).eqe for q in (0.4, 0.8))
    assert whole == pytest.approx(2.0 * half)


def test_what_a_published_efficiency_asks_for():
    assert needed_outcoupling(0.192, 0.95) > isotropic_outcoupling(1.8)
    with pytest.raises(ModelRangeError, match="above the internal"):
        needed_outcoupling(0.3, 0.25)


@pytest.mark.parametrize(
    "wrong",
    [{"plqy": 1.1, "outcoupling": 0.2}, {"plqy": 0.9, "outcoupling": 0.7, "reabsorbed": 0.5}],
)
def test_impossible_chains_are_refused(wrong):
    with pytest.raises(OptionError):
        led_chain(**wrong)
    with pytest.raises(ModelRangeError):
        led_chain(plqy=1.0, outcoupling=0.0, reabsorbed=1.0)
