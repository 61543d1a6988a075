"""A parameter set that explains nothing at all is reported as such; it does not break the answer."""

from __future__ import annotations

import pytest

from perolux.inference import SizePrior, size_posterior


def test_a_set_without_likelihood_has_no_numbers_but_a_reason():
    # Very small cubes with a very wide line: one set has no likelihood at all.
    posterior = size_posterior(
        2.99255, 0.001, 755.93, 1.0, prior=SizePrior(edge_nm=(3.0, 8.0), walls="softened")
    )
    nothing = [one for one in posterior.by_set.values() if one.median is None]
    assert nothing and all(one.reason for one in nothing)


@pytest.mark.parametrize("peak_ev", [3.30, 3.40, 3.50])
def test_rounding_noise_is_no_size(peak_ev):
    """Far on the blue side no set may answer with a size of many nanometres."""
    posterior = size_posterior(peak_ev, 0.001, prior=SizePrior(walls="softened"))
    assert posterior.median_nm < 3.5
    for one in posterior.by_set.values():
        assert one.median is None or one.median < 3.5
