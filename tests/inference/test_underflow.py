"""A parameter set that explains nothing at all is reported as such; it does not break the answer."""

from __future__ import annotations

from perolux.inference.size import SizePrior, size_posterior


def test_a_set_without_likelihood_has_no_numbers():
    # Very small cubes with a very wide line: one set's likelihood is below the smallest float that divides.
    posterior = size_posterior(2.99255, 0.001, 755.93, 1.0, prior=SizePrior(edge_nm=(3.0, 8.0)))
    assert 3.0 <= posterior.low95_nm < posterior.median_nm
    assert {"median": None, "low95": None, "high95": None} in posterior.by_set.values()
