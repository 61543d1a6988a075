"""Attachment of crystals to each other: kernels K, and Smoluchowski's equation alone on fixed pivots.

    dn(v)/dt = 1/2 int K(v - u, u) n(v - u) n(u) du - n(v) int K(v, u) n(u) du

`grow_finite_volume(..., attachment=...)` solves it together with growth. `attach` solves it alone, by another
scheme: a crystal that forms between two pivots is shared so that number and volume are kept (Kumar and
Ramkrishna, Chem. Eng. Sci. 51, 1311 (1996)). Sizes are radii or half edges; what two cubes become is a
cube of their volume: the model knows one size and no shape of pairs.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from numbers import Real

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, ModelRangeError, OptionError, Problem
from perolux.quantities import Value

__all__ = [
    "Attachment",
    "BrownianAttachment",
    "ConstantAttachment",
    "OrientedAttachment",
    "attach",
    "attachment_rate",
    "attachment_records",
]

FloatArray = npt.NDArray[np.float64]


@cache
def attachment_records() -> dict[str, Value]:
    """Assumed constants of attachment by name (`attachment.toml`), keys "prior.NAME"."""
    text = files("perolux.synthesis").joinpath("attachment.toml").read_text("utf-8")
    return {name: Value(key=f"prior.{name}", **record) for name, record in tomllib.loads(text).items()}


@dataclass(frozen=True)
class ConstantAttachment:
    """K = rate_m3_s whatever the sizes: the limit that has exact solutions."""

    rate_m3_s: float

    def __post_init__(self) -> None:
        _require(("rate_m3_s", self.rate_m3_s, np.inf))

    def kernel_m3_s(
        self, radius_m: FloatArray, diffusivity_m2_s: float = 0.0, bare_share: float = 1.0
    ) -> FloatArray:
        """K[i, j] (m^3/s) of crystals of these radii; the other arguments have no effect."""
        del diffusivity_m2_s, bare_share
        return np.full((len(radius_m), len(radius_m)), self.rate_m3_s)

    def packed(self, radius_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """K over its factor, and the powers of diffusivity and uncovered share in that factor."""
        return self.kernel_m3_s(radius_m), np.zeros(2)


@dataclass(frozen=True)
class BrownianAttachment:
    """Meetings by diffusion, of which the share `sticking` joins: K = p 4 pi (D_i + D_j)(r_i + r_j).

        K = 4 pi p a D (2 + r_i/r_j + r_j/r_i)

    D: diffusivity of the monomer in the conditions (m^2/s); stokes_radius_m: its hydrodynamic radius a, so
    that a crystal diffuses with D a/r and kT/(6 pi eta) = a D. For like crystals K = 8 kT/(3 eta). A cube
    meets as a sphere of 1.32 half edges does (its capacity, 0.661 edges), and this factor cancels. Ligand
    shells, charge and attraction between crystals are in the sticking. Smoluchowski's kernel, standard form;
    for crystals much larger than the molecules of the liquid, and few: no volume fraction enters.
    """

    stokes_radius_m: float
    sticking: float = 1.0

    def __post_init__(self) -> None:
        _require(("stokes_radius_m", self.stokes_radius_m, np.inf), ("sticking", self.sticking, 1.0))

    def kernel_m3_s(
        self, radius_m: FloatArray, diffusivity_m2_s: float, bare_share: float = 1.0
    ) -> FloatArray:
        """K[i, j] (m^3/s) of crystals of these radii (m); the uncovered share has no effect."""
        del bare_share
        return diffusivity_m2_s * self.packed(radius_m)[0]

    def packed(self, radius_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """K over its factor, and the powers of diffusivity and uncovered share in that factor."""
        return self.sticking * _by_diffusion(radius_m, self.stokes_radius_m), np.array([1.0, 0.0])


@dataclass(frozen=True)
class OrientedAttachment:
    """Cubes that join {100} on {100}: meetings by diffusion, gated by ligand, K = p b^m K_Brownian.

    sticking: share p of meetings of bare cubes that end so; bare_sites: m, sites that must be bare;
    b: share of the surface that no ligand covers, by the Langmuir law of `ClassicalGrowth` (1 where the model
    binds no ligand). stokes_radius_m as in `BrownianAttachment`, whose validity holds here too. All six faces
    of a cube are {100}: no choice of a face is in p. None: the number of `attachment_records`, all assumed.
    """

    sticking: float | None = None
    bare_sites: float | None = None
    stokes_radius_m: float | None = None

    def __post_init__(self) -> None:
        records = attachment_records()
        if self.sticking is None:
            object.__setattr__(self, "sticking", records["attachment_sticking"].number)
        if self.bare_sites is None:
            object.__setattr__(self, "bare_sites", records["attachment_bare_sites"].number)
        if self.stokes_radius_m is None:
            object.__setattr__(self, "stokes_radius_m", 1e-9 * records["monomer_stokes_radius_nm"].number)
        sticking, sites, radius = self._numbers()
        _require(
            ("stokes_radius_m", radius, np.inf), ("sticking", sticking, 1.0), ("bare_sites", sites, np.inf)
        )

    def _numbers(self) -> tuple[float, float, float]:
        assert self.sticking is not None and self.bare_sites is not None and self.stokes_radius_m is not None
        return self.sticking, self.bare_sites, self.stokes_radius_m

    def kernel_m3_s(
        self, radius_m: FloatArray, diffusivity_m2_s: float, bare_share: float = 1.0
    ) -> FloatArray:
        """K[i, j] (m^3/s) of cubes of these half edges (m) with that share of uncovered surface."""
        found: FloatArray = diffusivity_m2_s * bare_share ** self._numbers()[1] * self.packed(radius_m)[0]
        return found

    def packed(self, radius_m: FloatArray) -> tuple[FloatArray, FloatArray]:
        """K over its factor, and the powers of diffusivity and uncovered share in that factor."""
        sticking, sites, radius = self._numbers()
        return sticking * _by_diffusion(radius_m, radius), np.array([1.0, sites])


Attachment = ConstantAttachment | BrownianAttachment | OrientedAttachment


def _by_diffusion(radius_m: FloatArray, stokes_radius_m: float) -> FloatArray:
    ratio = np.asarray(radius_m)[:, None] / np.asarray(radius_m)[None, :]
    return 4.0 * np.pi * stokes_radius_m * (2.0 + ratio + 1.0 / ratio)


def _require(*named: tuple[str, float, float]) -> None:
    problems = [
        Problem(
            f"{name} = {value!r}", "attachment", "0 to 1" if most == 1 else "0 or a finite number above it"
        )
        for name, value, most in named
        if not isinstance(value, Real) or not 0 <= value <= most or value == np.inf
    ]
    if problems:
        raise OptionError(problems)


def attachment_rate(volume: FloatArray, number: FloatArray, kernel: FloatArray) -> FloatArray:
    """dN/dt (1/(m^3 s)) of crystals on rising pivots `volume` (any unit), `kernel[i, j]` symmetric (m^3/s).

    Raises `OptionError` for unlike shapes, `ModelRangeError` where occupied pivots join above the largest.
    """
    n = len(volume)
    if number.shape != (n,) or kernel.shape != (n, n) or n < 2 or np.any(np.diff(volume) <= 0):
        raise OptionError(
            "pivots, numbers and kernel do not fit", allowed="n rising pivots, n numbers, n x n"
        )
    meetings = kernel * np.outer(number, number)
    joined = volume[:, None] + volume[None, :]
    if np.any((joined > volume[-1] * (1 + 1e-12)) & (meetings > 0)):
        raise ModelRangeError("crystals join above the largest pivot", fix="give larger pivots")
    low = np.clip(np.searchsorted(volume, joined, side="right") - 1, 0, n - 2)
    upper = np.clip((joined - volume[low]) / (volume[low + 1] - volume[low]), 0.0, 1.0)
    gain = np.bincount(low.ravel(), (0.5 * meetings * (1 - upper)).ravel(), n)
    gain += np.bincount(low.ravel() + 1, (0.5 * meetings * upper).ravel(), n)
    result: FloatArray = gain - meetings.sum(axis=1)
    return result


def attach(volume: FloatArray, number: FloatArray, kernel: FloatArray, times_s: npt.ArrayLike) -> FloatArray:
    """Numbers [time, pivot] (1/m^3) of crystals that only attach to each other, from `number` at 0 s.

    Arguments as in `attachment_rate`; the volume of all is kept. Raises `ConvergenceError` where the
    integration (Runge-Kutta, 1e-9 of the number) does not come to the end.
    """
    from scipy.integrate import solve_ivp

    times = np.atleast_1d(np.asarray(times_s, dtype=float))
    scale = float(number.sum())
    found = solve_ivp(
        lambda _, n: attachment_rate(volume, np.maximum(n, 0.0) * scale, kernel) / scale,
        (0.0, float(times[-1])),
        number / scale,
        t_eval=times,
        rtol=1e-9,
        atol=1e-14,
    )
    if not found.success:
        raise ConvergenceError(
            f"attachment to {times[-1]:g} s: {found.message}", fix="ask for a shorter time"
        )
    return np.asarray(found.y.T * scale)
