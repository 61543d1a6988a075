"""Inference: one size posterior, and how well many of them cover."""

from __future__ import annotations

from typing import Any

from benchmarks.timing import median_cpu, row
from perolux.inference import size_posterior
from perolux.validation.inference import size_coverage


def run() -> list[dict[str, Any]]:
    """One posterior with the shipped prior; a mixed halide with open composition; coverage as accuracy."""
    coverage = size_coverage(95, 3.0, 12.0)
    seconds = median_cpu(lambda: size_posterior(2.50, 0.002, 95.0, 1.0))
    with_edge = median_cpu(
        lambda: size_posterior(2.50, 0.002, 95.0, 1.0, absorption_ev=2.56, absorption_ev_sigma=0.01)
    )
    return [
        row(
            "size posterior from peak and width",
            seconds,
            accuracy=f"95 % regions hold the truth in {100 * float(coverage.value):.1f} %",
            note="exact grid of edge, spread, gap, Stokes shift and parameter set; no known peer",
        ),
        row("size posterior with an absorption edge", with_edge, note="the gap is integrated jointly"),
    ]
