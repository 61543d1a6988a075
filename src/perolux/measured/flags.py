"""Every flag that a spectrum or a reduction can carry, with its meaning.

A flag marks a fact that a reader of the result should know; it never replaces an error. Names are lower case
words joined by hyphens, so that they can be searched for in a table.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["FLAGS", "with_flags"]

FLAGS: dict[str, str] = {
    # what a reader noticed in the file
    "unit-inferred": "the axis unit is not written in the file; it was inferred from the numbers",
    "kind-from-header": "that this is PL, absorbance or excitation was taken from words in the file",
    "irregular-grid": "the steps of the recorded axis differ from one another by more than 1 %",
    "descending-axis": "the file lists the axis in descending order; it is stored ascending in wavelength",
    "trailing-log-dropped": "rows after the data (an instrument log) were left out",
    "missing-points": "points without a number were left out of this spectrum",
    "negative-counts": "intensities lie more than 1 % of the largest below zero; they are kept as they are",
    "normalised-input": "no intensity exceeds 1: the spectrum seems to be normalised, not counts",
    "columns-left-out": "columns of the file that are no spectra (errors, scaled copies) were left out",
    "from-documentation": "the reader follows the documentation of the format; no real file was at hand",
    # what a reduction noticed in the spectrum
    "saturated": "several neighbouring points share the same maximum: the detector was probably saturated; "
    "a line cut so gets no peak, width, colour or size",
    "cosmic-ray": "one or two points stand far above their neighbours; they are still in the data",
    "cosmic-ray-removed": "one or two points far above their neighbours were replaced, as asked",
    "one-sided": "one half-height crossing lies outside the recorded range, so there is no width",
    "peak-at-edge": "the largest value lies at the end of the recorded range",
    "low-snr": "the signal stands less than 10 standard deviations of the end samples above the baseline",
    "near-zero-signal": "no signal above the baseline was found",
    "curved-baseline": "the background slopes or curves: the two ends differ by more than 3 % of the maximum",
    "double-peak": "a second maximum stands beside the band; one peak and one width do not describe it",
    "shoulder": "the band has a shoulder; one peak and one width do not describe it",
    "no-first-exciton": "no first exciton was found in the absorption spectrum; the reason is given",
    "falls-to-blue": "the absorbance falls to a quarter of the first exciton's height or less on its blue "
    "side: a very sharp exciton, or an emission band and no absorbance",
    "scatter-dominates": "scattered light is a large part of the absorbance at the first exciton",
    "negative-absorbance": "the absorbance lies below zero by more than its noise: the blank does not fit",
    "high-absorbance": "an absorbance above 3: stray light bends it in most spectrometers",
    # what a quantum-yield measurement says about itself
    "plqy-above-one": "the quantum yield exceeds 1: an error of the measurement; the number is not clipped",
    "plqy-negative": "the quantum yield is below 0: an error of the measurement; the number is not clipped",
    "absorption-not-positive": "the absorbed fraction is not above 0: the yield has no meaning",
    "weak-absorption": "less than 10 % of the light is absorbed: its error dominates that of the yield",
    "strong-inner-filter": "an absorbance above 0.3: the inner-filter correction is not reliable",
    "colour-truncated": "the spectrum does not fall to the baseline inside the record, so its colour is cut",
    # what the study and the inference add
    "no-recipe": "the table of samples has no row for this spectrum",
    "no-spectrum": "the table of samples names this sample, but there is no spectrum of it",
}


def with_flags(present: Iterable[str], *more: str) -> tuple[str, ...]:
    """The flags of `present` followed by those of `more` that are new, each once, order kept.

    Raises `ValueError` for a name that `FLAGS` does not explain: an unexplained flag is a bug.

    >>> with_flags(("low-snr",), "saturated", "low-snr")
    ('low-snr', 'saturated')
    """
    result = tuple(dict.fromkeys((*present, *more)))
    for name in result:
        if name not in FLAGS:
            raise ValueError(f"flag {name!r} is not in perolux.measured.flags.FLAGS")
    return result
