"""Is it an absorption edge at all? An absorbance stays high to the blue of it; an emission band does not.

No model and no material: only the levels of the record to the red and to the blue of the place where the
second derivative finds an exciton. In the 69 spectra of the CdSe series with an exciton the lowest level on
the blue side is 0.84 of the exciton's height or more; in 424 of 425 emission bands of perovskite
nanocrystals, read as absorbances, it is 0.03 or less, in the other 0.24.
"""

from __future__ import annotations

import numpy as np

from perolux.measured.derivatives import derivative_filter
from perolux.measured.records import FloatArray
from perolux.quantities.constants import HC_EV_NM

__all__ = ["edge_doubts"]

_BLUE_RANGE_EV = 1.0
"""How far above the exciton the blue side is looked at: beyond, solvent and stray light bend the record."""
_BASELINE = 0.1
"""Level of the blue side, as a part of the exciton's height, up to which it is the baseline again."""
_LOW = 0.25
"""Lowest level of the blue side from which a valley is flagged."""
_NO_ABSORBANCE = 10.0
"""Decadic absorbances above this are not measured: such values are counts."""


def edge_doubts(
    nm: FloatArray, absorbance: FloatArray, exciton_nm: float, smoothing_nm: float
) -> tuple[str | None, bool]:
    """Why `exciton_nm` is no absorption edge (None where it may be one), and whether it is doubtful.

    nm ascending (n,), absorbance (n,) as recorded, scattering included. Levels are those of the record
    smoothed over `smoothing_nm`, above its lowest level to the red of the exciton. It is no edge where the
    record falls back to that level on the blue side and most of it stays there, or where it falls far below
    it. It is doubtful where the record falls to a quarter of the exciton's height but rises again, as beside
    a very sharp exciton, or ends there. A band whose blue flank lies outside of the record cannot be told
    from an edge.
    """
    smooth = derivative_filter(nm, smoothing_nm, 0)(absorbance)
    top = float(np.interp(exciton_nm, nm, smooth))
    if top > _NO_ABSORBANCE:
        return f"the value at {exciton_nm:.1f} nm is {top:.4g}: such values are counts, no absorbance", False
    foot = min(float(np.min(smooth[nm >= exciton_nm], initial=np.inf)), top)
    height = top - foot
    limit_nm = HC_EV_NM / (HC_EV_NM / exciton_nm + _BLUE_RANGE_EV)
    blue = smooth[(nm <= exciton_nm) & (nm >= limit_nm)] - foot
    valley = int(np.argmin(blue)) if len(blue) else 0
    lowest = float(blue[valley]) if len(blue) else height
    if lowest < -height or height == 0.0:
        return (
            f"the values are lower to the blue of {exciton_nm:.1f} nm than to the red of it: an absorbance "
            "rises towards the blue (is this transmitted light, or is a sign or the axis turned round?)"
        ), False
    if lowest <= _BASELINE * height and float(np.median(blue[: valley + 1])) <= _BASELINE * height:
        return (
            f"to the blue of the band at {exciton_nm:.1f} nm the values fall back to those of the red side: "
            "an absorption edge does not, an emission band does (is this photoluminescence?)"
        ), False
    return None, lowest <= _LOW * height
