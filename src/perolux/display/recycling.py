"""A film between a reflector and a stack that sends light back: a backlight that recycles.

Light that goes up and down at the film is diffuse (Lambertian). At each wavelength, with u and d what falls
on the film from below and from above, U and Dn what leaves it there, s the source:

    u = s + R_b Dn         U  = T u + R' d + e sum_j S_j E_top,j
    d = r_st U             Dn = R u + T' d + e sum_j S_j E_bottom,j
    out = (1 - r_st - a_st) U

The film couples wavelengths only by the photons S_j that its N cells emit, S = q (A + P S) with A what u and
d leave in the cells; so all is one linear system of N unknowns, exact and quick.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from perolux.display.slab import Slab, incoming, lambertian, solve
from perolux.errors import ConvergenceError, OptionError

__all__ = ["Backlight", "FilmResponse", "Recycled", "recycle", "response_of", "returned_by"]

FloatArray = npt.NDArray[np.float64]
_BALANCE = 1e-9
_SIDES: tuple[Literal["bottom", "top"], ...] = ("bottom", "top")


@dataclass(frozen=True)
class Backlight:
    """What lies around the film. reflector: reflectance R_b below. prism: share r_p that prism films return;
    polariser: share that a reflective polariser returns (0 without one). absorption: share a_st of U that
    the stack above absorbs. All at every wavelength."""

    reflector: float = 0.96
    prism: float = 0.0
    polariser: float = 0.0
    absorption: float = 0.0

    def __post_init__(self) -> None:
        for name in ("reflector", "prism", "polariser", "absorption"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise OptionError(f"a share of {value:g}", where=name, allowed="0 to 1")
        if returned_by(self) + self.absorption > 1.0 + 1e-12:
            raise OptionError(
                f"the stack above returns {returned_by(self):.3g} and absorbs {self.absorption:g}",
                allowed="together at most 1",
            )
        if returned_by(self) + self.absorption >= 1.0:
            raise OptionError(
                "no light leaves the stack above",
                allowed="prism, polariser and absorption that together leave a way out",
            )


@dataclass(frozen=True)
class FilmResponse:
    """A film for diffuse light, by any method of transport, m wavelengths and N cells.

    share (m,): of the emitted photons. plqy. own_matrix (N, N): chance that an emitter of cell i meets a
    photon emitted in cell j. escape_top, escape_bottom (m, N). up, down: light from below and from above.
    """

    wavelength_nm: FloatArray
    share: FloatArray
    plqy: float
    own_matrix: FloatArray
    escape_top: FloatArray
    escape_bottom: FloatArray
    up: Passage
    down: Passage


@dataclass(frozen=True)
class Passage:
    """Of diffuse light from one side: absorbed (m, N) by the emitters of the cells; passed, returned (m,)."""

    absorbed: FloatArray
    passed: FloatArray
    returned: FloatArray


@dataclass(frozen=True)
class Recycled:
    """What becomes of the photons of a source.

    out (m,): photons that leave the stack by wavelength; out_source, out_converted (m,): those of the source
    and those the film emitted. onto_film, source_onto_film (m,): u + d of all light and of the source's.
    emitted: photons emitted in all. absorbed: source photons that emitters took. lost_in_emitters,
    lost_elsewhere: ends without light (host, reflector, stack). source (m,).
    """

    wavelength_nm: FloatArray
    source: FloatArray
    out: FloatArray = field(repr=False)
    out_source: FloatArray = field(repr=False)
    out_converted: FloatArray = field(repr=False)
    onto_film: FloatArray = field(repr=False)
    source_onto_film: FloatArray = field(repr=False)
    emitted: float
    absorbed: float
    lost_in_emitters: float
    lost_elsewhere: float

    def passes(self, low_nm: float, high_nm: float) -> float | None:
        """Mean number of times that source light of a range falls on the film; None without such light."""
        kept = (self.wavelength_nm >= low_nm) & (self.wavelength_nm <= high_nm)
        came = float(np.sum(self.source[kept]))
        return float(np.sum(self.source_onto_film[kept])) / came if came > 0.0 else None


def returned_by(backlight: Backlight) -> float:
    """r_st of prism films and a reflective polariser in series: r_p + (1 - r_p)^2 r_rp/(1 - r_p r_rp)."""
    r, p = backlight.prism, backlight.polariser
    return r if p == 0.0 else r + (1.0 - r) ** 2 * p / (1.0 - r * p) if r * p < 1.0 else 1.0


def response_of(slab: Slab, cells: int = 24, nodes: int = 24) -> FilmResponse:
    """The response of a slab to diffuse light, at all its wavelengths; memory `full` only."""
    if slab.memory != "full":
        raise OptionError("recycling knows emission without memory only", allowed="memory full")
    solved = solve(slab, cells, nodes)
    mu, weight = lambertian(nodes)
    host = np.broadcast_to(np.asarray(slab.host_depth, dtype=float), slab.depth.shape)
    passages = []
    for side in _SIDES:
        came = incoming(
            slab, cells, slab.wavelength_nm, slab.depth, host, side=side, outside_cosine=mu, weight=weight
        )
        passages.append(Passage(came.absorbed, came.passed, came.returned))
    share = np.zeros(len(slab.wavelength_nm))
    top, bottom = (np.zeros((len(share), cells)) for _ in range(2))
    share[solved.kept] = solved.share
    top[solved.kept] = solved.vectors.escape_top * (1.0 - slab.top.mirror_absorption)
    bottom[solved.kept] = solved.vectors.escape_bottom * (1.0 - slab.bottom.mirror_absorption)
    return FilmResponse(slab.wavelength_nm, share, slab.plqy, solved.matrix, top, bottom, *passages)


def recycle(film: FilmResponse, source: FloatArray, backlight: Backlight) -> Recycled:
    """Solve the stack for a source of photons from below, (m,) on the wavelengths of the film.

    Raises `ConvergenceError` where photons are lost (more than 1e-9 of them).
    """
    up, down = film.up, film.down
    rb, rst = backlight.reflector, returned_by(backlight)
    a, b = 1.0 - rb * up.returned, -rb * down.passed
    c, d = -rst * up.passed, 1.0 - rst * down.returned
    below = a * d - b * c

    def around(from_source: FloatArray, top: FloatArray, bottom: FloatArray) -> tuple[FloatArray, FloatArray]:
        """u and d of a source below the film and of light that the film emits."""
        first, second = from_source + rb * bottom, rst * top
        return (d * first - b * second) / below, (a * second - c * first) / below

    emit_top = film.share[:, None] * film.escape_top
    emit_bottom = film.share[:, None] * film.escape_bottom
    nothing = np.zeros_like(source)
    u0, d0 = around(source, nothing, nothing)
    absorbed = up.absorbed.T @ u0 + down.absorbed.T @ d0
    shape = (len(source), 1)
    a, b, c, d, below = (x.reshape(shape) for x in (a, b, c, d, below))
    uj, dj = around(np.zeros(shape), emit_top, emit_bottom)
    again = film.own_matrix + up.absorbed.T @ uj + down.absorbed.T @ dj
    q = film.plqy
    cells = np.asarray(np.linalg.solve(np.eye(len(again)) - q * again, q * absorbed), dtype=float)
    u1, d1 = uj @ cells, dj @ cells
    leaves_source = up.passed * u0 + down.returned * d0
    leaves_converted = up.passed * u1 + down.returned * d1 + emit_top @ cells
    u, d_all = u0 + u1, d0 + d1
    leaves_below = up.returned * u + down.passed * d_all + emit_bottom @ cells
    out_share = 1.0 - rst - backlight.absorption
    met = float(np.sum(absorbed + again @ cells))
    lost = (1.0 - q) * met
    total = float(np.sum(source))
    out = out_share * (leaves_source + leaves_converted)
    outside = backlight.absorption * (leaves_source + leaves_converted) + (1.0 - rb) * leaves_below
    in_host = _taken_by_host(film, u, d_all, cells)
    missing = total - float(np.sum(out) + np.sum(outside)) - lost - in_host
    if abs(missing) > _BALANCE * total:
        raise ConvergenceError(f"the stack lost {missing / total:.2g} of the photons")
    return Recycled(
        film.wavelength_nm,
        source,
        out,
        out_share * leaves_source,
        out_share * leaves_converted,
        u + d_all,
        u0 + d0,
        float(np.sum(cells)),
        float(np.sum(absorbed)),
        lost,
        float(np.sum(outside)) + in_host,
    )


def _taken_by_host(film: FilmResponse, u: FloatArray, d: FloatArray, cells: FloatArray) -> float:
    """Photons that end in the host and in mirrors of the film: counted as what no other way takes."""
    kept_up = 1.0 - film.up.passed - film.up.returned - np.sum(film.up.absorbed, axis=1)
    kept_down = 1.0 - film.down.passed - film.down.returned - np.sum(film.down.absorbed, axis=1)
    stays = 1.0 - film.share @ (film.escape_top + film.escape_bottom) - np.sum(film.own_matrix, axis=0)
    return float(np.sum(kept_up * u + kept_down * d) + stays @ cells)
