"""Films of finite width and pixels side by side, photon by photon: light from the edges, cross-talk, paths.

A square film (`Plate`) has sides that absorb, reflect or refract. An array of square pixels (`PixelArray`) is
lit under its middle pixel; walls between pixels have a height and a reflectance and no width. Both are ray
optics: a pitch below about 5 um wants waves.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from perolux.display.rays import BLOCK, LONGEST, FloatArray, Scatterers, optics_of, thread_count
from perolux.display.slab import Slab
from perolux.errors import ModelRangeError, OptionError

if TYPE_CHECKING:
    from perolux.display._pixel_kernels import Grid

__all__ = ["PixelArray", "PixelLight", "Plate", "RayPath", "pixel_light", "ray_paths"]

Sides = Literal["black", "reflecting", "fresnel"]
Walls = Literal["none", "black", "reflecting"]
_LEAST_PITCH_UM = 5.0
_LONGEST_PATH = 20_000
_ENDS = (
    "t_blue", "r_blue", "t_em", "r_em", "loss", "host_loss", "mirror_loss", "edge_blue", "edge_em",
    "wall_loss",
)  # fmt: skip
_KINDS = ("start", "face", "side", "emitted", "scattered", "end")


@dataclass(frozen=True)
class Plate:
    """A square film of side_um and thickness_um.

    sides: `fresnel` (refracted out into outside_index, or reflected), `black`, `reflecting`
    (side_reflectance; the rest is absorbed). Light that the sides take, in whichever way, is `edge_blue` and
    `edge_em`. lit_um: side of the lit square in the middle; all of the film where None, 0 a point.
    """

    side_um: float
    thickness_um: float
    sides: Sides = "fresnel"
    side_reflectance: float = 1.0
    outside_index: float = 1.0
    lit_um: float | None = None

    def __post_init__(self) -> None:
        if self.sides not in get_args(Sides):
            raise OptionError(f"sides {self.sides!r}", allowed=", ".join(get_args(Sides)))
        _check_lengths(side_um=self.side_um, thickness_um=self.thickness_um)
        _check_share("a side", self.side_reflectance)
        if self.lit_um is not None and not 0.0 <= self.lit_um <= self.side_um:
            raise OptionError(f"{self.lit_um:g} um lit", allowed=f"0 to the side of {self.side_um:g} um")

    @property
    def pixels(self) -> int:
        """One: the plate itself."""
        return 1

    def grid(self, index: float) -> Grid:
        """The plate as the kernel takes it."""
        reflectance = {"fresnel": -1.0, "black": 0.0, "reflecting": self.side_reflectance}[self.sides]
        lit = self.side_um if self.lit_um is None else self.lit_um
        return _grid(
            self.thickness_um, self.side_um, 0, self.side_um, 0.0, 0.0, reflectance,
            index / self.outside_index, lit,
        )  # fmt: skip


@dataclass(frozen=True)
class PixelArray:
    """Square pixels of pitch_um in a film of thickness_um, lit under the middle one.

    walls: between the pixels, `none`, `black` or `reflecting` (wall_reflectance, the rest is absorbed), from
    the lit face up to wall_um (all the way where None). neighbours: pixels each side of the lit one that are
    followed; light that goes further is `edge_blue` or `edge_em`. lit_um: side of the lit square; the whole
    pixel where None.
    """

    pitch_um: float
    thickness_um: float
    walls: Walls = "none"
    wall_um: float | None = None
    wall_reflectance: float = 0.9
    neighbours: int = 10
    lit_um: float | None = None

    def __post_init__(self) -> None:
        if self.walls not in get_args(Walls):
            raise OptionError(f"walls {self.walls!r}", allowed=", ".join(get_args(Walls)))
        _check_lengths(pitch_um=self.pitch_um, thickness_um=self.thickness_um)
        _check_share("a wall", self.wall_reflectance)
        if self.pitch_um < _LEAST_PITCH_UM:
            raise ModelRangeError(
                f"pixels {self.pitch_um:g} um apart", allowed=f"{_LEAST_PITCH_UM:g} um and more (ray optics)"
            )
        if self.wall_um is not None and not 0.0 < self.wall_um <= self.thickness_um:
            raise OptionError(
                f"walls {self.wall_um:g} um high", allowed=f"above 0, up to {self.thickness_um:g} um"
            )
        if self.lit_um is not None and not 0.0 <= self.lit_um <= self.pitch_um:
            raise OptionError(f"{self.lit_um:g} um lit", allowed=f"0 to the pitch of {self.pitch_um:g} um")
        if not 1 <= self.neighbours <= 500:
            raise OptionError(f"{self.neighbours} neighbours each side", allowed="1 to 500")

    @property
    def pixels(self) -> int:
        """Pixels along one side of the array."""
        return 2 * self.neighbours + 1

    def grid(self, index: float) -> Grid:
        """The array as the kernel takes it; its outer edge lets light go."""
        lit = self.pitch_um if self.lit_um is None else self.lit_um
        if self.walls == "none":
            whole = self.pixels * self.pitch_um
            return _grid(self.thickness_um, whole, 0, self.pitch_um, 0.0, 0.0, 0.0, index, lit)
        height = self.thickness_um if self.wall_um is None else self.wall_um
        reflectance = 0.0 if self.walls == "black" else self.wall_reflectance
        return _grid(
            self.thickness_um, self.pitch_um, self.neighbours, self.pitch_um, height, reflectance, 0.0, index,
            lit,
        )  # fmt: skip


@dataclass(frozen=True)
class PixelLight:
    """What becomes of one photon that comes in under the middle, by counting photons.

    t_blue to mirror_loss: as in `RayLight`, over the whole array. edge_blue, edge_em: leave by the sides.
    wall_loss: absorbed by walls. forward_map, blue_map (k, k): converted and source light that leaves forward
    over each pixel. sigma, terminated, roulette, traced, events: as in `RayLight`.
    """

    t_blue: float
    r_blue: float
    t_em: float
    r_em: float
    loss: float
    host_loss: float
    mirror_loss: float
    edge_blue: float
    edge_em: float
    wall_loss: float
    emissions_per_photon: float
    rays: int
    wavelength_nm: FloatArray = field(repr=False)
    forward: FloatArray = field(repr=False)
    backward: FloatArray = field(repr=False)
    forward_map: FloatArray = field(repr=False)
    blue_map: FloatArray = field(repr=False)
    sigma: dict[str, float]
    terminated: int
    roulette: float
    traced: float
    events: int

    @property
    def balance(self) -> float:
        """What is missing to 1, all ends and the roulette counted."""
        return sum(getattr(self, name) for name in _ENDS) + self.roulette - 1.0

    def cross_talk(self) -> float | None:
        """Share of the converted light that leaves forward over other pixels than the lit one, and over the
        array's edge none; None where no converted light leaves forward."""
        middle = len(self.forward_map) // 2
        return 1.0 - float(self.forward_map[middle, middle]) / self.t_em if self.t_em > 0.0 else None

    def cross_talk_sigma(self) -> float | None:
        """Standard error of the cross-talk, binomial over the photons that leave forward converted."""
        share = self.cross_talk()
        if share is None:
            return None
        return float(np.sqrt(share * (1.0 - share) / (self.t_em * self.rays)))

    def by_distance(self) -> list[tuple[int, int, float]]:
        """Converted light forward over one pixel at the offsets (a, b), a >= b >= 0: the mean of the up to
        eight pixels that are alike, a share of all forward converted light; nearest first."""
        middle = len(self.forward_map) // 2
        offset = np.abs(np.arange(len(self.forward_map)) - middle)
        far = np.maximum(offset[:, None], offset[None, :])
        near = np.minimum(offset[:, None], offset[None, :])
        total = self.t_em if self.t_em > 0.0 else 1.0
        pairs = sorted(
            {(int(a), int(b)) for a, b in zip(far.ravel(), near.ravel(), strict=True)},
            key=lambda pair: (pair[0] ** 2 + pair[1] ** 2, pair),
        )
        return [(a, b, float(np.mean(self.forward_map[(far == a) & (near == b)])) / total) for a, b in pairs]


@dataclass(frozen=True)
class RayPath:
    """One photon's way.

    point_um (p, 3): z from the lit face, x and y from the middle. wavelength_nm (p,): of the light that goes
    on from each point. kind (p,): start, face, side, emitted, scattered, end. complete: False where the way
    was longer than what is kept.
    """

    point_um: FloatArray = field(repr=False)
    wavelength_nm: FloatArray = field(repr=False)
    kind: tuple[str, ...] = field(repr=False)
    end: str
    complete: bool


def pixel_light(
    slab: Slab,
    shape: Plate | PixelArray,
    rays: int,
    rng: np.random.Generator,
    *,
    scatterers: Scatterers | None = None,
    diffuse: bool = False,
    threads: int | None = None,
    step_by_step: bool = False,
) -> PixelLight:
    """What becomes of photons that come in under the middle of a plate or an array of pixels.

    Optical depths of the slab are those across thickness_um. Arguments as in `ray_light`.

    >>> import numpy as np
    >>> film = Slab(1.6, np.array([525.0]), np.array([0.2]), np.ones(1), 0.9, source_depth=4.605)
    >>> black = PixelArray(45.0, 4.0, walls="black")
    >>> pixel_light(film, black, 2000, np.random.default_rng(0)).cross_talk()
    0.0
    """
    from perolux.display import _pixel_kernels as kernels

    if rays < 1:
        raise OptionError(f"{rays} photons", allowed="1 or more")
    nm, optics = optics_of(slab, scatterers or Scatterers())
    grid = shape.grid(slab.index)
    seeds = rng.integers(0, 2**64, size=-(-rays // BLOCK), dtype=np.uint64)
    counts = np.full(len(seeds), BLOCK, dtype=np.int64)
    counts[-1] = rays - BLOCK * (len(seeds) - 1)
    workers = thread_count(threads, len(seeds))

    def part(k: int) -> Any:
        # copies, because numba compiles anew for arrays with gaps
        mine, many = seeds[k::workers].copy(), counts[k::workers].copy()
        return kernels.walk_pixels(mine, many, optics, grid, shape.pixels, diffuse, step_by_step, LONGEST)

    with ThreadPoolExecutor(workers) as pool:
        parts = list(pool.map(part, range(workers)))
    sums, forward, backward, on, blue = (sum(column) for column in zip(*parts, strict=True))
    mean = sums / rays

    def error(first: float, second: float) -> float:
        return float(np.sqrt(max(second - first**2, 0.0) / rays))

    sigma = {name: error(mean[k], mean[kernels.ENDS + k]) for k, name in enumerate(_ENDS)}
    sigma["emissions_per_photon"] = error(mean[kernels.EMISSIONS], mean[kernels.EMISSIONS_2])
    return PixelLight(
        **{name: float(mean[k]) for k, name in enumerate(_ENDS)},
        emissions_per_photon=float(mean[kernels.EMISSIONS]),
        rays=rays,
        wavelength_nm=nm,
        forward=forward / rays,
        backward=backward / rays,
        forward_map=on / rays,
        blue_map=blue / rays,
        sigma=sigma,
        terminated=int(sums[kernels.TERMINATED]),
        roulette=float(mean[kernels.ROULETTE]),
        traced=float(mean[kernels.TRACED]),
        events=int(sums[kernels.EVENTS]),
    )


def ray_paths(
    slab: Slab,
    shape: Plate | PixelArray,
    photons: int,
    rng: np.random.Generator,
    *,
    scatterers: Scatterers | None = None,
    diffuse: bool = False,
) -> list[RayPath]:
    """The ways of some photons, each face and wall that they met a point: for pictures.

    At most 20000 points of each are kept.
    """
    from perolux.display import _pixel_kernels as kernels

    nm, optics = optics_of(slab, scatterers or Scatterers())
    grid, m = shape.grid(slab.index), len(nm)
    lines = np.append(nm, slab.source_nm)
    found = []
    for seed in rng.integers(0, 2**64, size=photons, dtype=np.uint64):
        state, path = np.empty(4, np.uint64), np.empty((_LONGEST_PATH, 5))
        kernels.seed_state(seed, state)
        sums, on, blue = np.zeros(kernels.SUMS), *np.zeros((2, shape.pixels, shape.pixels))
        forward, backward = np.zeros((2, m))
        noted = kernels.walk_pixel(
            state, optics, grid, diffuse, True, LONGEST, sums, forward, backward, on, blue, path
        )
        path = path[:noted]
        kinds = tuple(_KINDS[int(k)] for k in path[:, 4])
        ends = np.flatnonzero(sums[: kernels.ENDS])
        found.append(
            RayPath(
                path[:, :3].copy(),
                lines[path[:, 3].astype(int)],
                kinds,
                _ENDS[ends[0]] if ends.size else "terminated",
                noted < _LONGEST_PATH,
            )
        )
    return found


def _grid(thickness_um: float, spacing_um: float, half: int, *others: float) -> Grid:
    from perolux.display._pixel_kernels import Grid

    # numbers of one type each, or numba compiles anew
    return Grid(float(thickness_um), float(spacing_um), int(half), *(float(x) for x in others))


def _check_lengths(**lengths_um: float) -> None:
    for name, value in lengths_um.items():
        if not (np.isfinite(value) and value > 0.0):
            raise OptionError(f"{name} = {value:g}", allowed="a length above 0, in um")


def _check_share(what: str, value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise OptionError(f"{what} of reflectance {value:g}", allowed="0 to 1")
