"""Flags that a study adds to those of the readers and reductions, and the words for all of them."""

from __future__ import annotations

__all__ = ["REMARKS", "STUDY_FLAGS", "meaning_of"]

STUDY_FLAGS: dict[str, str] = {
    "ambiguous-recipe": "several rows of the recipe table carry this sample's name; all are shown, none of "
    "them was used",
    "duplicate-label": "several spectra, or several recipes without a spectrum, carry this name; each is "
    "shown with a number behind it",
    "identical-spectrum": "another sample has the same spectrum point by point (up to a factor): one of the "
    "names is probably a copy",
    "no-absorption": "the study has absorption spectra, but none of this sample: the size rests on its "
    "emission alone",
    "no-pl": "an absorption spectrum without a photoluminescence spectrum of the same name: no size follows "
    "from it alone",
    "ambiguous-absorption": "several spectra carry this name, so that absorption and photoluminescence "
    "could not be joined",
    "absorption-failed": "the absorption spectrum of this sample could not be evaluated; the reason is "
    "given, the emission is not affected",
    "absorption-not-used": "the model cannot explain first exciton and emission together: the size rests on "
    "the emission alone",
    "negative-stokes-shift": "the first exciton lies below the emission peak by more than two standard "
    "deviations: the two spectra are probably not of the same particles, or a peak is something else",
    "failed": "the spectrum could not be evaluated; the reason is given, the other samples are not affected",
    "program-error": "perolux itself failed on this spectrum; please report it with the file",
    "size-unavailable": "no size could be given; the reason is stated",
    "size-lower-bound": "the emission no longer resolves the size: only a lower bound is given",
    "below-bulk": "the peak lies below the first exciton of the bulk: no size explains it, only a Stokes "
    "shift, reabsorption, another composition, phase or temperature; read no size from it",
    "width-not-explained": "the width is not that of cubes of this energy under the prior: it is not used "
    "for the size",
    "spread-at-prior-end": "the largest spread of sizes in the prior bounds the spread: the line is broader "
    "than it explains",
    "size-at-prior-end": "the smallest edge of the prior bounds the size, not the data",
    "platelet-likely": "more probably nanoplatelets than cubes; the edge length is conditional on a cube",
    "platelet-possible": "nanoplatelets are less probable than cubes, but not excluded",
}
"""Name of a flag -> what it means, in one sentence."""


REMARKS = frozenset(
    {
        "unit-inferred",
        "kind-from-header",
        "irregular-grid",
        "descending-axis",
        "columns-left-out",
        "normalised-input",
        "negative-counts",
        "trailing-log-dropped",
        "cosmic-ray-removed",
        "size-lower-bound",
        "platelet-likely",
        "platelet-possible",
    }
)
"""Flags that say something about a sample without making its numbers doubtful; others make it `flagged`."""


def meaning_of(flag: str) -> str:
    """What a flag means, in words; flags of readers and reductions are looked up in their own list."""
    if flag in STUDY_FLAGS:
        return STUDY_FLAGS[flag]
    from perolux.measured.flags import FLAGS

    return str(FLAGS.get(flag, flag.replace("-", " ")))
