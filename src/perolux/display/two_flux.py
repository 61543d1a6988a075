"""The two-flux film: diffuse light up and down, with scattering and emission; quick, for inner loops.

    dF+/dz = -(k + s) F+ + s F- + j/2,   -dF-/dz = -(k + s) F- + s F+ + j/2

with j the photons emitted, boundaries that reflect r_i = 2 integral R(mu) mu dmu from inside, and the source
as a collimated beam that both faces reflect, or diffuse. k and s from alpha, mu_s and g: see
`two_flux_constants.py`, calibrated on Monte Carlo. It knows no guided light: without scatterers it is far
off, and its result comes with the misfit that the calibration leaves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from perolux.display.fresnel import diffuse_internal_reflectance
from perolux.display.rays import Scatterers
from perolux.display.recycling import FilmResponse, Passage
from perolux.display.slab import Slab, incoming, lambertian
from perolux.display.two_flux_constants import (
    TEXTBOOK,
    Constants,
    TwoFluxConstants,
    calibrated,
    left_by_calibration,
    outside_region,
)
from perolux.errors import ModelRangeError, OptionError

__all__ = ["TwoFluxLight", "two_flux_light", "two_flux_response"]

FloatArray = npt.NDArray[np.float64]
_CELLS = 40
_NODES = 24
_LEAST_DEPTH = 1e-9


@dataclass(frozen=True)
class TwoFluxLight:
    """As `SlabLight`: t_blue and r_blue hold diffuse source light too. misfit: root-mean-square distance to
    Monte Carlo that the calibration leaves for films like this, by name; empty for other constants, of which
    nothing is known."""

    t_blue: float
    r_blue: float
    t_em: float
    r_em: float
    loss: float
    host_loss: float
    emissions_per_photon: float
    forward: FloatArray
    backward: FloatArray
    misfit: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Entry:
    """Light from outside: absorbed (m, N) by emitters and host of the cells, passed and returned (m,)."""

    absorbed: FloatArray
    passed: FloatArray
    returned: FloatArray


def two_flux_light(
    slab: Slab,
    scatterers: Scatterers,
    cells: int = _CELLS,
    *,
    constants: Constants | TwoFluxConstants = "calibrated",
    diffuse: bool = False,
) -> TwoFluxLight:
    """What becomes of a photon that comes in from below, at normal incidence or from a diffuse source.

    constants: `calibrated`, `textbook`, or one's own. Raises `ModelRangeError` for a film outside the region
    of the calibration, and for mirrors.

    >>> import numpy as np
    >>> film = Slab(1.6, np.array([525.0]), np.array([0.3]), np.ones(1), 0.95, source_depth=4.605)
    >>> found = two_flux_light(film, Scatterers(2.0))
    >>> sorted(found.misfit)
    ['loss', 'r_blue', 'r_em', 't_blue', 't_em']
    """
    _check(slab)
    if constants == "calibrated" and (outside := outside_region(slab, scatterers)):
        raise ModelRangeError(
            f"two fluxes are not calibrated for {'; '.join(outside)}",
            fix="monte-carlo (or, without scatterers, the deterministic slab); or the textbook constants",
        )
    using = _constants(constants)
    emitted = slab.emission / np.sum(slab.emission)
    host = np.broadcast_to(np.asarray(slab.host_depth, dtype=float), slab.depth.shape)
    total = slab.depth + host
    own = np.divide(slab.depth, total, out=np.ones_like(total), where=total > 0.0)
    depth, asymmetry = scatterers.rows(len(total))
    matrix, escape_top, escape_bottom, _ = _film(
        slab, slab.wavelength_nm, total, depth[:-1], asymmetry[:-1], emitted * own, cells, using
    )
    own_blue, host_blue = slab.source_depth, slab.host_source_depth
    absorbing = own_blue + host_blue
    share_blue = own_blue / absorbing if absorbing > 0.0 else 1.0
    directions = lambertian(_NODES) if diffuse else (np.ones(1), np.ones(1))
    *_, entries = _film(
        slab, np.array([slab.source_nm]), np.array([absorbing]), depth[-1:], asymmetry[-1:], np.ones(1),
        cells, using, ("bottom",), directions,
    )  # fmt: skip
    taken, t_blue, r_blue = entries[0].absorbed[0], float(entries[0].passed[0]), float(entries[0].returned[0])
    q = slab.plqy
    cells_of = np.linalg.solve(np.eye(cells) - q * matrix, q * share_blue * taken)
    met = share_blue * taken + matrix @ cells_of
    forward = emitted * (escape_top @ cells_of)
    backward = emitted * (escape_bottom @ cells_of)
    loss = (1.0 - q) * float(np.sum(met))
    ends = t_blue + r_blue + float(np.sum(forward) + np.sum(backward)) + loss
    return TwoFluxLight(
        t_blue, r_blue, float(np.sum(forward)), float(np.sum(backward)), loss, 1.0 - ends,
        float(np.sum(cells_of)), forward, backward,
        left_by_calibration(slab, scatterers, diffuse) if constants == "calibrated" else {},
    )  # fmt: skip


def two_flux_response(
    slab: Slab,
    scatterers: Scatterers,
    cells: int = _CELLS,
    *,
    constants: Constants | TwoFluxConstants = "calibrated",
) -> FilmResponse:
    """The response of a film with scatterers to diffuse light from both sides, as `recycle` takes it.

    Whether the film lies in the region of the calibration is asked of `outside_region`: it is not refused.
    """
    _check(slab)
    using = _constants(constants)
    emitted = slab.emission / np.sum(slab.emission)
    host = np.broadcast_to(np.asarray(slab.host_depth, dtype=float), slab.depth.shape)
    total = slab.depth + host
    own = np.divide(slab.depth, total, out=np.ones_like(total), where=total > 0.0)
    depth, asymmetry = scatterers.rows(len(total))
    matrix, escape_top, escape_bottom, entries = _film(
        slab, slab.wavelength_nm, total, depth[:-1], asymmetry[:-1], emitted * own, cells, using,
        ("bottom", "top"), lambertian(_NODES),
    )  # fmt: skip
    up, down = (Passage(one.absorbed * own[:, None], one.passed, one.returned) for one in entries)
    return FilmResponse(slab.wavelength_nm, emitted, slab.plqy, matrix, escape_top, escape_bottom, up, down)


def _check(slab: Slab) -> None:
    if slab.memory != "full":
        raise OptionError("two fluxes know emission without memory only", allowed="memory full")
    for face in (slab.top, slab.bottom):
        if callable(face.mirror) or face.mirror or face.mirror_absorption:
            raise ModelRangeError(
                "two fluxes know no mirror on a film", fix="the deterministic slab or monte-carlo"
            )


def _faces(slab: Slab) -> tuple[float, float]:
    return tuple(  # type: ignore[return-value]
        diffuse_internal_reflectance(slab.index / face.outside_index) for face in (slab.bottom, slab.top)
    )


def _constants(constants: Constants | TwoFluxConstants) -> TwoFluxConstants:
    if isinstance(constants, TwoFluxConstants):
        return constants
    if constants not in get_args(Constants):
        raise OptionError(f"constants {constants!r}", allowed=", ".join(get_args(Constants)))
    return calibrated() if constants == "calibrated" else TEXTBOOK


def _one_cell(k: FloatArray, s: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """r, t and e of a cell with k h and s h, by Kubelka and Munk; k above 0."""
    root = np.sqrt(k * (k + 2.0 * s))
    # sinh and cosh over cosh, so that a thick cell does not overflow
    th = np.tanh(root)
    sech = 1.0 / np.cosh(np.minimum(root, 700.0))
    below = (k + s) * th + root
    r = s * th / below
    t = root * sech / below
    return r, t, (1.0 - r - t) / (2.0 * k)


def _film(
    slab: Slab,
    wavelength_nm: FloatArray,
    absorbing: FloatArray,
    scattering: FloatArray,
    asymmetry: FloatArray,
    share: FloatArray,
    cells: int,
    using: TwoFluxConstants,
    sides: tuple[Literal["bottom", "top"], ...] = (),
    directions: tuple[FloatArray, FloatArray] = (np.ones(1), np.ones(1)),
) -> tuple[FloatArray, FloatArray, FloatArray, list[_Entry]]:
    """Matrix of emitted light (N, N) summed with share, escapes (m, N), and light that comes in by `sides`.

    Light that comes in goes straight, in its refracted directions, till it is absorbed or scattered; what is
    scattered begins as diffuse light in its cell.
    """
    from perolux.display._two_flux_kernels import two_flux_cells

    absorbing = np.maximum(absorbing, _LEAST_DEPTH)
    k, s = using.coefficients(absorbing, scattering, asymmetry, slab.index)
    r, t, e = _one_cell(k / cells, s / cells)
    bottom, top = (np.full(len(k), value) for value in _faces(slab))
    once = using.beam_scattering(scattering, asymmetry)
    beams = [
        incoming(
            slab, cells, wavelength_nm, absorbing, once, side=side,
            outside_cosine=directions[0], weight=directions[1],
        )
        for side in sides
    ]  # fmt: skip
    scattered = [beam.absorbed * (once / absorbing)[:, None] for beam in beams]
    begins = np.stack(scattered) if scattered else np.zeros((0, len(k), cells))
    matrix, escape_top, escape_bottom, taken = two_flux_cells(r, t, e, top, bottom, share, begins)
    entries = []
    for side, beam, begin, more in zip(sides, beams, scattered, taken, strict=True):
        ahead, back = (escape_top, escape_bottom) if side == "bottom" else (escape_bottom, escape_top)
        entries.append(
            _Entry(
                beam.absorbed + more,
                beam.passed + np.sum(ahead * begin, axis=1),
                beam.returned + np.sum(back * begin, axis=1),
            )
        )
    return matrix, escape_top, escape_bottom, entries
