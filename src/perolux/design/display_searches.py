"""What a search for displays asks of each kind of display: which ranges, which columns, which aims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from perolux.display.emitters import GRID_NM, gaussian_line
from perolux.display.primaries import width_nm
from perolux.display.slab import Slab
from perolux.display.stack_file import Stack
from perolux.display.stack_film import BuiltFilm
from perolux.quantities.constants import HC_EV_NM

__all__ = ["Job", "Search", "with_line"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Job:
    """What a process needs to compute designs: the display, its folder, the names of the variables, the
    space of the coverage, the seed of photons, and whether designs are looked at again with more of them."""

    stack: Stack
    folder: str
    names: tuple[str, ...]
    space: str
    seed: int = 0
    again: bool = False


@dataclass(frozen=True)
class Search:
    """bounds: what a range of each variable may span, where the models answer. told: columns beside coverage
    (per cent) and lumen per electrical watt. aims: columns that are wanted small beside those two that are
    wanted large. evaluate: of points (b, k), the columns (b, 2 + told), NaN for what cannot be or is left
    out. again: computed anew on the front, with more photons."""

    bounds: dict[str, tuple[float, float]]
    evaluate: Callable[[Job, FloatArray], FloatArray]
    assumptions: tuple[str, ...]
    told: tuple[str, ...] = ()
    aims: tuple[str, ...] = ()
    again: bool = False


def with_line(film: BuiltFilm, center_nm: float | None, fwhm_nm: float | None, scale: float = 1.0) -> Slab:
    """The slab of a film whose emission is a Gaussian of another centre or width (nm); what is None stays.

    The absorption moves with the centre in energy, as that of nanocrystals of another size (assumed), and is
    multiplied by `scale`.
    """
    slab = film.slab
    if scale != 1.0:
        slab = replace(slab, depth=slab.depth * scale, source_depth=slab.source_depth * scale)
    if center_nm is None and fwhm_nm is None:
        return slab
    was = film.emission.center_nm or float(np.sum(GRID_NM * film.emission.photons))
    center = was if center_nm is None else center_nm
    fwhm = fwhm_nm or film.emission.fwhm_nm or width_nm(film.emission.power)
    seen_nm = HC_EV_NM / (HC_EV_NM / GRID_NM - (HC_EV_NM / center - HC_EV_NM / was))
    depth = np.interp(seen_nm, GRID_NM, slab.depth)  # scaled already
    return replace(
        slab,
        emission=gaussian_line(center, fwhm) * GRID_NM,
        depth=depth,
        source_depth=float(np.interp(slab.source_nm, GRID_NM, depth)),
    )
