"""The two-flux film: diffuse light up and down, with scattering and emission; quick, for inner loops.

    dF+/dz = -(k + s) F+ + s F- + j/2,   -dF-/dz = -(k + s) F- + s F+ + j/2
    k = c_k 2 alpha,   s = c_s ((3/4) mu_s (1 - g) - alpha/4), at least 0

with j the photons emitted, boundaries that reflect r_i = 2 integral R(mu) mu dmu from inside, and the source
as a collimated beam exp(-(alpha + mu_s) z) that both faces reflect. c_k and c_s are 1 unless calibrated
(`two_flux_calibration.toml`). It knows no guided light: without scatterers it is far off, and its result
is told with the misfit against the other methods, never alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.display.fresnel import diffuse_internal_reflectance, normal_reflectance
from perolux.display.rays import Scatterers
from perolux.display.recycling import FilmResponse, Passage
from perolux.display.slab import Slab, lambertian
from perolux.errors import ModelRangeError, OptionError

__all__ = ["TwoFluxLight", "two_flux_light", "two_flux_response"]

FloatArray = npt.NDArray[np.float64]
_CELLS = 40


@dataclass(frozen=True)
class TwoFluxLight:
    """As `SlabLight`, without an error of its own: t_blue and r_blue hold diffuse source light too."""

    t_blue: float
    r_blue: float
    t_em: float
    r_em: float
    loss: float
    host_loss: float
    emissions_per_photon: float
    forward: FloatArray
    backward: FloatArray


@dataclass(frozen=True)
class _Cells:
    matrix: FloatArray
    escape_top: FloatArray
    escape_bottom: FloatArray
    from_bottom: FloatArray
    from_top: FloatArray
    crossing: FloatArray


def two_flux_light(slab: Slab, scatterers: Scatterers, cells: int = _CELLS) -> TwoFluxLight:
    """What becomes of a photon that comes in at normal incidence from below."""
    _check(slab)
    emitted = slab.emission / np.sum(slab.emission)
    host = np.broadcast_to(np.asarray(slab.host_depth, dtype=float), slab.depth.shape)
    total = slab.depth + host
    own = np.divide(slab.depth, total, out=np.ones_like(total), where=total > 0.0)
    depth, asymmetry = scatterers.rows(len(total))
    bulk = _cells(slab, total, depth[:-1], asymmetry[:-1], emitted * own, cells)
    own_blue, host_blue = slab.source_depth, slab.host_source_depth
    absorbing, once = own_blue + host_blue, float(depth[-1])
    share_blue = own_blue / absorbing if absorbing > 0.0 else 1.0
    beam, passed, returned = _beam(slab.index, absorbing + once, cells)
    direct = beam * (absorbing / (absorbing + once)) if absorbing + once > 0.0 else beam
    diffuse = beam - direct
    blue = _cells(slab, np.array([absorbing]), depth[-1:], asymmetry[-1:], np.ones(1), cells)
    taken = direct + blue.matrix @ diffuse
    q = slab.plqy
    cells_of = np.linalg.solve(np.eye(cells) - q * bulk.matrix, q * share_blue * taken)
    met = share_blue * taken + bulk.matrix @ cells_of
    forward = emitted * (bulk.escape_top @ cells_of)
    backward = emitted * (bulk.escape_bottom @ cells_of)
    t_blue = passed + float(blue.escape_top[0] @ diffuse)
    r_blue = returned + float(blue.escape_bottom[0] @ diffuse)
    loss = (1.0 - q) * float(np.sum(met))
    ends = t_blue + r_blue + float(np.sum(forward) + np.sum(backward)) + loss
    return TwoFluxLight(
        t_blue, r_blue, float(np.sum(forward)), float(np.sum(backward)), loss, 1.0 - ends,
        float(np.sum(cells_of)), forward, backward,
    )  # fmt: skip


def two_flux_response(slab: Slab, scatterers: Scatterers, cells: int = _CELLS) -> FilmResponse:
    """The response of a film with scatterers to diffuse light from both sides, as `recycle` takes it."""
    _check(slab)
    emitted = slab.emission / np.sum(slab.emission)
    host = np.broadcast_to(np.asarray(slab.host_depth, dtype=float), slab.depth.shape)
    total = slab.depth + host
    own = np.divide(slab.depth, total, out=np.ones_like(total), where=total > 0.0)
    depth, asymmetry = scatterers.rows(len(total))
    found = _cells(slab, total, depth[:-1], asymmetry[:-1], emitted * own, cells)
    mu, weight = lambertian(48)
    mirrored = []
    for face in (slab.bottom, slab.top):
        let_in, returned = face.seen_from_outside(slab.wavelength_nm, mu, slab.index)
        mirrored.append((np.sum(weight * let_in, axis=1), np.sum(weight * returned, axis=1)))
    (in_bottom, out_bottom), (in_top, out_top) = mirrored
    up = Passage(
        in_bottom[:, None] * found.from_bottom * own[:, None],
        in_bottom * found.crossing[:, 0],
        out_bottom + in_bottom * found.crossing[:, 1],
    )
    down = Passage(
        in_top[:, None] * found.from_top * own[:, None],
        in_top * found.crossing[:, 2],
        out_top + in_top * found.crossing[:, 3],
    )
    return FilmResponse(
        slab.wavelength_nm, emitted, slab.plqy, found.matrix, found.escape_top, found.escape_bottom, up, down
    )


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


def _coefficients(
    absorbing: FloatArray, scattering: FloatArray, asymmetry: FloatArray
) -> tuple[FloatArray, FloatArray]:
    k = 2.0 * absorbing
    s = np.maximum(0.75 * scattering * (1.0 - asymmetry) - 0.25 * absorbing, 0.0)
    return k, s


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


def _cells(
    slab: Slab,
    absorbing: FloatArray,
    scattering: FloatArray,
    asymmetry: FloatArray,
    share: FloatArray,
    cells: int,
) -> _Cells:
    from perolux.display._two_flux_kernels import two_flux_cells

    k, s = _coefficients(np.maximum(absorbing, 1e-9), scattering, asymmetry)
    r, t, e = _one_cell(k / cells, s / cells)
    bottom, top = (np.full(len(k), value) for value in _faces(slab))
    return _Cells(*two_flux_cells(r, t, e, top, bottom, share, cells))


def _beam(index: float, depth: float, cells: int) -> tuple[FloatArray, float, float]:
    """What a collimated beam leaves in the cells, passes and returns, both faces reflecting."""
    f = normal_reflectance(index)
    once = np.exp(-depth)
    below = 1.0 - f**2 * once**2
    y = depth * np.arange(cells + 1) / cells
    ahead = np.exp(-y[:-1]) * -np.expm1(-np.diff(y))
    left = (1.0 - f) * (ahead + f * once * ahead[::-1]) / below
    return left, (1.0 - f) ** 2 * once / below, f + (1.0 - f) ** 2 * f * once**2 / below
