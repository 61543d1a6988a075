"""The luminescent slab, solved without chance: absorption, re-absorption and escape of a smooth film.

A film without scatterers, wide against its thickness: Fresnel reflection and total internal reflection at
both faces, light emitted evenly in all directions, absorbed and emitted again. With S_j the photons emitted
in cell j for one that came in,

    S = q (A + P S),   (I - q P) S = q A

A what the incoming light leaves in the cells, P of `slab_cells.py`, q the PLQY. Everything is in optical
depths (base e), so that the thickness itself does not appear. Steady state, no saturation.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from perolux.display.fresnel import Face, critical_cosine, inside_cosine
from perolux.display.slab_cells import CellVectors, cell_matrix, cell_vectors, directions
from perolux.errors import ConvergenceError, InputError, ModelRangeError, OptionError

__all__ = [
    "Converted",
    "Incoming",
    "Memory",
    "Slab",
    "SlabLight",
    "Solved",
    "converted",
    "incoming",
    "lambertian",
    "light",
    "slab_light",
    "solve",
]

FloatArray = npt.NDArray[np.float64]
Memory = Literal["full", "redshift", "kT"]
_LEAST_DEPTH = 1e-12
_MOST_DEPTH = 1e6
_LEAST_SHARE = 1e-12
_CELLS = 48
_NODES = 32
_BALANCE = 1e-8
_ENDS = ("t_blue", "r_blue", "t_em", "r_em", "loss", "host_loss", "mirror_loss")


@dataclass(frozen=True)
class Slab:
    """A film with its optical depths.

    index: refractive index n. wavelength_nm, depth, emission (m,): optical depth of the emitters alpha t and
    emitted photons (a share of the sum) at each wavelength. plqy: q. source_depth: optical depth of the
    emitters for the incoming light, source_nm its wavelength. host_depth, host_source_depth: what absorbs
    and does not emit. top: the face where light goes on; bottom: the face where light comes in.
    memory: `full` (the emitted spectrum does not depend on the absorbed wavelength), `redshift` (never
    shorter than what was absorbed), `kT` (at most 1.5 kT above it).
    """

    index: float
    wavelength_nm: FloatArray
    depth: FloatArray
    emission: FloatArray
    plqy: float
    source_depth: float
    source_nm: float = 450.0
    host_depth: float | FloatArray = 0.0
    host_source_depth: float = 0.0
    top: Face = field(default_factory=Face)
    bottom: Face = field(default_factory=Face)
    memory: Memory = "full"
    temperature_k: float = 300.0

    def __post_init__(self) -> None:
        nm, depth, emission = self.wavelength_nm, self.depth, self.emission
        if not 1.0 <= self.index < 10.0:
            raise OptionError(f"a film of index {self.index:g}", allowed="1 to 10")
        if not 0.0 <= self.plqy <= 1.0:
            raise OptionError(f"a PLQY of {self.plqy:g}", allowed="a share from 0 to 1")
        if not (nm.shape == depth.shape == emission.shape and nm.ndim == 1 and len(nm)):
            raise OptionError(
                f"wavelengths, depths and emission of shapes {nm.shape}, {depth.shape}, {emission.shape}",
                allowed="three arrays of one length",
            )
        least = min(float(np.min(depth)), self.source_depth, self.host_source_depth)
        if not np.isfinite(least) or least < 0.0 or np.min(np.asarray(self.host_depth)) < 0.0:
            raise InputError("an optical depth below 0", allowed="0 and more, base e", fix="k >= 0 absorbs")
        most = max(float(np.max(depth)), self.source_depth, float(np.max(np.asarray(self.host_depth))))
        if not most <= _MOST_DEPTH:
            raise ModelRangeError(
                f"an optical depth of {most:g}",
                allowed=f"up to {_MOST_DEPTH:g}, base e",
                fix="a thinner film",
            )
        if np.any(emission < 0.0) or not np.sum(emission) > 0.0:
            raise InputError("an emission spectrum below 0 or without light")
        if self.memory not in get_args(Memory):
            raise OptionError(f"emission memory {self.memory!r}", allowed=", ".join(get_args(Memory)))


@dataclass(frozen=True)
class Solved:
    """A slab ready to answer for any incoming light: cells, their vectors and the matrix of `full` memory.

    kept: which wavelengths of the slab emit, and so have a row here (m,). share: of the emitted photons.
    own_share: of the absorption there that is the emitters'.
    """

    slab: Slab
    kept: npt.NDArray[np.bool_]
    wavelength_nm: FloatArray
    share: FloatArray
    own_share: FloatArray
    vectors: CellVectors
    matrix: FloatArray

    @property
    def cells(self) -> int:
        """Number of cells N."""
        return self.vectors.direct.shape[1]


@dataclass(frozen=True)
class Incoming:
    """Of one photon of each wavelength from outside: absorbed (m, N) by the emitters of the cells, and
    (m,) passed on, returned, absorbed by the host, absorbed by mirrors."""

    absorbed: FloatArray
    passed: FloatArray
    returned: FloatArray
    host: FloatArray
    mirrors: FloatArray


@dataclass(frozen=True)
class Converted:
    """emitted (m, N): photons by wavelength and cell. forward, backward (m,): what leaves by the faces. loss,
    host, mirrors: where the others end. reabsorbed: emitted photons that met an emitter."""

    emitted: FloatArray
    forward: FloatArray
    backward: FloatArray
    loss: float
    host: float
    mirrors: float
    reabsorbed: float


@dataclass(frozen=True)
class SlabLight:
    """What becomes of one photon that comes in.

    t_blue, r_blue: leave at the wavelength of the source, forward and back. t_em, r_em: leave converted,
    forward and back. loss: end in an emitter without light; host_loss: in what does not emit; mirror_loss:
    in the mirrors. forward, backward (m,): the converted photons by wavelength. emissions_per_photon: N.
    reabsorbed: mean chance that an emitted photon meets an emitter again. balance: what is missing to 1.
    sigma: difference between two refinements, by name (empty for one that was not refined).
    """

    t_blue: float
    r_blue: float
    t_em: float
    r_em: float
    loss: float
    host_loss: float
    mirror_loss: float
    emissions_per_photon: float
    reabsorbed: float
    wavelength_nm: FloatArray = field(repr=False)
    forward: FloatArray = field(repr=False)
    backward: FloatArray = field(repr=False)
    emitted_in_cells: FloatArray = field(repr=False)
    balance: float = 0.0
    sigma: dict[str, float] = field(default_factory=dict)

    def mean_nm(self) -> tuple[float | None, float | None]:
        """Mean wavelength of the photons that leave forward and back; None where there are none."""
        ahead, back = (
            float(np.sum(self.wavelength_nm * spectrum) / np.sum(spectrum)) if np.any(spectrum) else None
            for spectrum in (self.forward, self.backward)
        )
        return ahead, back


def solve(slab: Slab, cells: int = _CELLS, nodes: int = _NODES) -> Solved:
    """Cut a slab into cells and sum over directions. cells: N; nodes: of each piece of the quadrature."""
    share = slab.emission / np.sum(slab.emission)
    kept = share > _LEAST_SHARE
    nm, share = slab.wavelength_nm[kept], share[kept] / np.sum(share[kept])
    own = slab.depth[kept]
    host = np.broadcast_to(np.asarray(slab.host_depth, dtype=float), slab.depth.shape)[kept]
    # Guided light of a wavelength that nothing absorbs would stay for ever: a trace of the emitters ends it.
    own = np.where(own + host > _LEAST_DEPTH, own, _LEAST_DEPTH)
    depth = own + host
    edges = {critical_cosine(slab.index / face.outside_index) for face in (slab.top, slab.bottom)}
    cosine, weight = directions(tuple(edges), nodes)
    reflect_top = slab.top.seen_from_inside(nm, cosine, slab.index)
    reflect_bottom = slab.bottom.seen_from_inside(nm, cosine, slab.index)
    vectors = cell_vectors(depth, cosine, weight, reflect_top, reflect_bottom, cells)
    return Solved(slab, kept, nm, share, own / depth, vectors, cell_matrix(vectors, share * own / depth))


def incoming(
    slab: Slab,
    cells: int,
    wavelength_nm: FloatArray,
    own_depth: FloatArray,
    host_depth: FloatArray,
    *,
    side: Literal["bottom", "top"] = "bottom",
    outside_cosine: FloatArray | None = None,
    weight: FloatArray | None = None,
) -> Incoming:
    """What light from outside leaves in the cells before anything is emitted, per photon that comes.

    wavelength_nm, own_depth, host_depth (m,): of the light, optical depths at normal incidence.
    outside_cosine, weight (k,): its directions in the medium outside and their shares; normal incidence if
    left out, `lambertian` for a diffuse source. With y the depth from the face of entry over mu, R_1 that
    face and R_2 the other:

        A_i = T_in { [e^(-y_lo) - e^(-y_hi)] + R_2 e^(-tau) [e^(-(tau-y_hi)) - e^(-(tau-y_lo))] }/D
    """
    outside = np.ones(1) if outside_cosine is None else outside_cosine
    share = np.ones(1) if weight is None else weight
    first, second = (slab.bottom, slab.top) if side == "bottom" else (slab.top, slab.bottom)
    let_in, returned = first.seen_from_outside(wavelength_nm, outside, slab.index)
    mu = inside_cosine(outside, slab.index / first.outside_index)
    r1 = first.seen_from_inside(wavelength_nm, mu, slab.index)
    r2 = second.seen_from_inside(wavelength_nm, mu, slab.index)
    total = own_depth + host_depth
    tau = total[:, None] / mu
    once = np.exp(-tau)
    below = (1.0 - r1 * r2) + r1 * r2 * (-np.expm1(-2.0 * tau))
    below = np.where(below > 0.0, below, 1.0)  # a perfect mirror each side of nothing: no light to share out
    y = tau[:, :, None] * (np.arange(cells + 1) / cells)
    ahead = np.exp(-y[:, :, :-1]) * -np.expm1(-np.diff(y, axis=2))
    weighted = share * let_in / below
    absorbed = np.einsum("lk,lki->li", weighted, ahead)
    absorbed += np.einsum("lk,lki->li", weighted * r2 * once, ahead[:, :, ::-1])
    own = np.divide(own_depth, total, out=np.zeros_like(total), where=total > 0.0)
    leaves_second = np.sum(weighted * once * (1.0 - r2), axis=1)
    leaves_first = np.sum(weighted * r2 * once**2 * (1.0 - r1), axis=1)
    passed = leaves_second * (1.0 - second.mirror_absorption)
    back = np.sum(share * returned, axis=1) + leaves_first * (1.0 - first.mirror_absorption)
    taken = np.sum(share * (1.0 - let_in - returned), axis=1)
    taken += leaves_second * second.mirror_absorption + leaves_first * first.mirror_absorption
    if side == "top":
        absorbed = absorbed[:, ::-1]
    return Incoming(absorbed * own[:, None], passed, back, np.sum(absorbed, axis=1) * (1.0 - own), taken)


def lambertian(nodes: int = 24) -> tuple[FloatArray, FloatArray]:
    """Cosines outside and weights 2 mu dmu of light from a diffuse source."""
    u, w = np.polynomial.legendre.leggauss(nodes)
    mu = 0.5 * (u + 1.0)
    return mu, mu * w


def converted(solved: Solved, absorbed: FloatArray, absorbed_nm: float) -> Converted:
    """Everything that follows from photons absorbed in the cells, `absorbed` (N,), at one wavelength."""
    slab, v = solved.slab, solved.vectors
    if slab.memory == "full":
        q = slab.plqy
        cells = np.linalg.solve(np.eye(solved.cells) - q * solved.matrix, q * absorbed)
        emitted = solved.share[:, None] * cells
        met = absorbed + solved.matrix @ cells
    else:
        from perolux.display.slab_memory import emitted_with_memory

        emitted, met = emitted_with_memory(solved, absorbed, absorbed_nm)
    ahead = np.sum(emitted * v.escape_top, axis=1)
    back = np.sum(emitted * v.escape_bottom, axis=1)
    stays = emitted * (1.0 - v.escape_top - v.escape_bottom)
    mirrors = slab.top.mirror_absorption * ahead + slab.bottom.mirror_absorption * back
    return Converted(
        emitted,
        ahead * (1.0 - slab.top.mirror_absorption),
        back * (1.0 - slab.bottom.mirror_absorption),
        (1.0 - slab.plqy) * float(np.sum(met)),
        float(np.sum(np.sum(stays, axis=1) * (1.0 - solved.own_share))),
        float(np.sum(mirrors)),
        float(np.sum(met) - np.sum(absorbed)),
    )


def light(solved: Solved) -> SlabLight:
    """What becomes of a photon that comes in at normal incidence from below, for one number of cells."""
    slab = solved.slab
    source, own, host = (np.array([x]) for x in (slab.source_nm, slab.source_depth, slab.host_source_depth))
    came = incoming(slab, solved.cells, source, own, host)
    found = converted(solved, came.absorbed[0], slab.source_nm)
    emissions = float(np.sum(found.emitted))
    found_light = SlabLight(
        t_blue=float(came.passed[0]),
        r_blue=float(came.returned[0]),
        t_em=float(np.sum(found.forward)),
        r_em=float(np.sum(found.backward)),
        loss=found.loss,
        host_loss=float(came.host[0]) + found.host,
        mirror_loss=float(came.mirrors[0]) + found.mirrors,
        emissions_per_photon=emissions,
        reabsorbed=found.reabsorbed / emissions if emissions > 0.0 else 0.0,
        wavelength_nm=solved.wavelength_nm,
        forward=found.forward,
        backward=found.backward,
        emitted_in_cells=np.sum(found.emitted, axis=0),
    )
    return replace(found_light, balance=sum(getattr(found_light, name) for name in _ENDS) - 1.0)


def slab_light(slab: Slab, cells: int = _CELLS, nodes: int = _NODES) -> SlabLight:
    """What becomes of a photon that comes in, with the error of the cells taken out and told.

    Solved with N/2 and N cells; the error of cells falls as N^-2, so (4 fine - coarse)/3 is returned and
    `sigma` is the step from the fine to the extrapolated value, by name. Raises `ConvergenceError` where
    photons are lost (more than 1e-8).

    >>> import numpy as np
    >>> nm = np.array([525.0])
    >>> one = slab_light(Slab(1.0, nm, np.ones(1), np.ones(1), 0.9, source_depth=4.60517))
    >>> round(one.t_em, 3), round(one.r_em, 4)
    (0.265, 0.5113)
    """
    coarse = light(solve(slab, max(cells // 2, 2), nodes))
    fine = light(solve(slab, cells, nodes))

    def better(name: str) -> Any:
        return (4.0 * getattr(fine, name) - getattr(coarse, name)) / 3.0

    balance = sum(better(name) for name in _ENDS) - 1.0
    if abs(balance) > _BALANCE:
        raise ConvergenceError(f"the slab lost {balance:.2g} of the photons")
    numbers = (*_ENDS, "emissions_per_photon", "reabsorbed")
    return replace(
        fine,
        **{name: better(name) for name in (*numbers, "forward", "backward")},
        balance=balance,
        sigma={name: abs(better(name) - getattr(fine, name)) for name in numbers},
    )
