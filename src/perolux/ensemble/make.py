"""Making ensembles: by quadrature (spectra, fits), by sampling (streams, films) or from a table of sizes.

A `Population` says what the crystals are and in which convention their sizes are given; a size distribution
says how their number is spread over size. The two together become an `Ensemble` either way:

>>> import numpy as np
>>> from perolux.ensemble import Lognormal, Population, quadrature, sample
>>> cubes = Population(shape="cube", size_convention="core-edge", material="CsPbBr3")
>>> nodes = quadrature(Lognormal(8.0, 0.1), cubes, n=12)
>>> drawn = sample(Lognormal(8.0, 0.1), cubes, 1000, np.random.default_rng(1))
>>> len(nodes), len(drawn), round(nodes.mean("edge_a_nm"), 6)
(12, 1000, 8.0)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.ensemble.conventions import SizeConvention, check_convention, needs_lattice_constant, to_core
from perolux.ensemble.distributions import Distribution
from perolux.ensemble.ensemble import MAX_CRYSTALS, Ensemble
from perolux.ensemble.shapes import SHAPES, Shape, given_lengths
from perolux.errors import ModelRangeError, NotAvailableError, OptionError, PeroluxError

__all__ = ["Population", "from_table", "quadrature", "sample"]

NEGLIGIBLE = 1e-9
"""Part of the number that may be left out below one unit cell: the far tail of a smooth distribution."""

FloatArray = npt.NDArray[np.float64]
Sizes = Distribution | Sequence[Distribution]


@dataclass(frozen=True)
class Population:
    """What the crystals of an ensemble are, and what their given sizes mean.

    shape, size_convention: required; see `perolux.ensemble.shapes` and `perolux.ensemble.conventions`.
    material: name of the material; with partner_material and halide_fraction x it is (1-x) material +
        x partner_material on the halide sites.
    lattice_constant_nm: pseudo-cubic; for the half cells and for the smallest size, one unit cell. Looked up
        by the name of the material (at room temperature) where it is not given.
    aspect: lengths relative to the first one, for shapes with several lengths of which one is distributed,
        e.g. (2.0,) for a rod twice as long as thick, (1.0, 1.5) for a cuboid. Applied to the numbers as
        given, before the convention.
    monolayers, monolayer_nm: platelets only: whole number of layers, or {layers: number fraction}, and the
        thickness of one layer in nm. Thickness = layers times monolayer_nm, both half cells included.
    shell_nm: thickness of the shell on each side, for the conventions "with-shell".
    number_per_litre: nanocrystals per litre; None where not known.
    """

    shape: Shape
    size_convention: SizeConvention
    material: str
    lattice_constant_nm: float | None = None
    aspect: tuple[float, ...] | None = None
    monolayers: int | Mapping[int, float] | None = None
    monolayer_nm: float | None = None
    shell_nm: float | None = None
    partner_material: str | None = None
    halide_fraction: float | None = None
    phase: str = "unknown"
    number_per_litre: float | None = None

    def __post_init__(self) -> None:
        if self.shape not in SHAPES:
            raise OptionError(f"unknown shape {self.shape!r}", allowed=", ".join(SHAPES))
        check_convention(self.shape, self.size_convention)
        if not self.material:
            raise OptionError("a population needs the name of its material")
        if (self.halide_fraction is None) != (self.partner_material is None):
            raise OptionError("halide_fraction and partner_material come together")
        _layers(self)


def quadrature(size: Sizes, population: Population, n: int = 24) -> Ensemble:
    """Ensemble of Gauss nodes: few rows that carry the moments of the distribution up to order 2n - 1.

    size: one distribution (nm, in the population's convention; with `aspect` for the other lengths), or one
    for each given length, which are then independent and multiply to a grid of n^d nodes. A mixture gets n
    nodes for each part, a table with n or fewer sizes is taken as it is. Sizes below one unit cell are
    left out, with a note, where they hold less than 1e-9 of the number; more is a `ModelRangeError`.
    """
    rules = [distribution.quadrature(n) for distribution in _distributions(size)]
    count = math.prod(len(rule[0]) for rule in rules)
    _check_count(count)
    lengths = np.stack([g.ravel() for g in np.meshgrid(*(rule[0] for rule in rules), indexing="ij")], axis=1)
    weights = np.ones(1)
    for rule in rules:
        weights = np.multiply.outer(weights, rule[1]).ravel()
    return _build(lengths, weights, population)


def sample(size: Sizes, population: Population, n: int, rng: np.random.Generator) -> Ensemble:
    """Ensemble of n crystals drawn at random, all with weight 1/n; one seed reproduces it.

    size: as for `quadrature`; several distributions are drawn independently. Platelets with several
    thicknesses get theirs at random with the stated fractions.
    """
    _check_count(n)
    lengths = np.stack([d.sample(rng, n) for d in _distributions(size)], axis=1)
    layers = None
    thicknesses = _layers(population)
    if thicknesses:
        drawn = rng.choice(len(thicknesses), n, p=np.array(list(thicknesses.values())))
        layers = np.array(list(thicknesses))[drawn]
    return _build(lengths, np.full(n, 1.0 / n), population, layers)


def from_table(
    sizes_nm: npt.ArrayLike, population: Population, weights: npt.ArrayLike | None = None
) -> Ensemble:
    """Ensemble of listed sizes, one row each, with number weights (equal ones where none are given).

    sizes_nm: shape (n,), or (n, d) with the d lengths of the shape, in the population's convention.
    weights: shape (n,), not negative, normalised here.
    """
    lengths = np.asarray(sizes_nm, dtype=float)
    lengths = lengths[:, None] if lengths.ndim == 1 else lengths
    if lengths.ndim != 2 or not lengths.size:
        raise OptionError("the table of sizes is empty or no table", allowed="shape (n,) or (n, d)")
    _check_count(len(lengths))
    given = np.ones(len(lengths)) if weights is None else np.asarray(weights, dtype=float)
    if given.shape != lengths.shape[:1]:
        raise OptionError(f"{given.size} weights for {len(lengths)} sizes")
    if not np.isfinite(given).all() or np.any(given < 0) or not given.sum() > 0:
        raise OptionError("the weights must be finite, not negative and not all zero")
    return _build(lengths, given, population)


def _build(
    lengths: FloatArray,
    weights: FloatArray,
    population: Population,
    layers: npt.NDArray[np.int64] | None = None,
) -> Ensemble:
    shape, convention = population.shape, population.size_convention
    if not np.isfinite(lengths).all() or np.any(lengths <= 0):
        raise OptionError("a size is not a positive, finite number", allowed="more than 0 nm")
    lengths = _all_lengths(lengths, population)
    lattice, notes = _lattice_constant(population)
    core = to_core(lengths, shape, convention, lattice_constant_nm=lattice, shell_nm=population.shell_nm)
    if lattice is not None:
        small = core.min(axis=1) < lattice * (1 - 1e-9)
        share = float(weights[small].sum() / weights.sum())
        if small.any() and share < NEGLIGIBLE:
            core, weights = core[~small], weights[~small]
            layers = None if layers is None else layers[~small]
            notes = (*notes, f"Sizes below one unit cell with {share:.1e} of the number are left out.")
    if lattice is not None and float(core.min()) < lattice * (1 - 1e-9):
        raise ModelRangeError(
            f"a crystal of {float(core.min()):.4g} nm is smaller than one unit cell",
            where=f"{shape} of {population.material}",
            allowed=f"{lattice:.4g} nm or more",
            fix="cut the distribution off (Normal(..., low_nm=...)) or check the size convention",
        )
    thicknesses = _layers(population)
    if thicknesses and layers is None:
        counts = np.array(list(thicknesses))
        layers = np.tile(counts, len(core))
        core = np.repeat(core, len(counts), axis=0)
        weights = np.multiply.outer(weights, np.array(list(thicknesses.values()))).ravel()
    if layers is not None:
        core = np.column_stack([core, layers * float(population.monolayer_nm or 0.0)])
    a, b, c = _three(core, shape)
    n, weights = len(a), weights / weights.sum()  # and once more below: the second removes the last digit
    mixed = population.partner_material is not None
    return Ensemble(
        weights=weights / weights.sum(),
        edge_a_nm=a,
        edge_b_nm=b,
        edge_c_nm=c,
        # broadcast: the same text for every row costs no memory
        shape=np.broadcast_to(np.array(shape), n),
        material=np.broadcast_to(np.array(population.material), n),
        phase=np.broadcast_to(np.array(population.phase), n),
        given_as=(convention,),
        number_per_litre=population.number_per_litre,
        partner_material=np.broadcast_to(np.array(population.partner_material), n) if mixed else None,
        halide_fraction=np.full(n, float(population.halide_fraction or 0.0)) if mixed else None,
        monolayers=None if layers is None else layers.astype(np.int64),
        notes=notes,
    )


def _all_lengths(lengths: FloatArray, population: Population) -> FloatArray:
    names, aspect = given_lengths(population.shape), population.aspect
    if lengths.shape[1] == len(names):
        if aspect is not None and len(names) > 1:
            raise OptionError("aspect is given beside all the lengths", fix="give one of the two")
        return lengths
    if lengths.shape[1] != 1:
        raise OptionError(
            f"{lengths.shape[1]} lengths for a {population.shape}",
            allowed=f"{len(names)}: {', '.join(names)}",
        )
    if aspect is None and population.shape == "platelet":
        aspect = (1.0,)
    if aspect is None or len(aspect) != len(names) - 1 or not all(math.isfinite(x) and x > 0 for x in aspect):
        raise OptionError(
            f"aspect = {aspect} for a {population.shape}",
            allowed=f"{len(names) - 1} positive number(s): {', '.join(names[1:])} relative to {names[0]}",
        )
    return np.column_stack([lengths * factor for factor in (1.0, *aspect)])


def _three(core: FloatArray, shape: Shape) -> tuple[FloatArray, FloatArray, FloatArray]:
    # spheroids and rods give (a, c); cubes and spheres only a
    index = {"cube": (0, 0, 0), "sphere": (0, 0, 0), "spheroid": (0, 0, 1), "rod": (0, 0, 1)}.get(
        shape, (0, 1, 2)
    )
    a, b, c = (np.ascontiguousarray(core[:, i]) for i in index)
    return a, b, c


def _layers(population: Population) -> dict[int, float]:
    """Number fraction by count of monolayers; empty for shapes that are no platelets."""
    given, thickness = population.monolayers, population.monolayer_nm
    if population.shape != "platelet":
        if given is not None or thickness is not None:
            raise OptionError(f"monolayers are given for a {population.shape}", allowed="platelets only")
        return {}
    if given is None or thickness is None or not (math.isfinite(thickness) and thickness > 0):
        raise OptionError(
            "platelets need monolayers and monolayer_nm", allowed="e.g. monolayers=3, monolayer_nm=0.6"
        )
    table = dict(given) if isinstance(given, Mapping) else {given: 1.0}
    for count in table:
        if isinstance(count, bool) or int(count) != count or count < 1:
            raise OptionError(f"{count} monolayers", allowed="a whole number, 1 or more")
    fractions = np.array(list(table.values()), dtype=float)
    if (
        not fractions.size
        or not np.isfinite(fractions).all()
        or np.any(fractions < 0)
        or not fractions.sum() > 0
    ):
        raise OptionError("the fractions of the monolayers must be finite, not negative and not all zero")
    fractions /= fractions.sum()
    return {int(count): float(f) for count, f in zip(table, fractions, strict=True)}


def _distributions(size: Sizes) -> tuple[Distribution, ...]:
    found = tuple(size) if isinstance(size, Sequence) else (size,)
    if not found or not all(isinstance(item, Distribution) for item in found):
        raise OptionError(
            "a size distribution is needed, or a list of them", allowed="e.g. Lognormal(8.0, 0.1)"
        )
    return found


def _check_count(n: int) -> None:
    if isinstance(n, bool) or int(n) != n or not 1 <= n <= MAX_CRYSTALS:
        raise OptionError(f"an ensemble of {n} rows", allowed=f"a whole number from 1 to {MAX_CRYSTALS}")


def _lattice_constant(population: Population) -> tuple[float | None, tuple[str, ...]]:
    """Pseudo-cubic lattice constant in nm, given or of the record, and a note where none is known."""
    if population.lattice_constant_nm is not None:
        return population.lattice_constant_nm, ()
    from perolux.materials import material

    name, x = population.material, population.halide_fraction or 0.0
    try:
        constant = float(material(name).lattice_constant_nm)
        if population.partner_material is not None:
            partner = float(material(population.partner_material).lattice_constant_nm)
            constant = (1 - x) * constant + x * partner  # Vegard's law
    except PeroluxError as error:  # an unknown material, or one whose lattice nobody has measured
        if needs_lattice_constant(population.size_convention):
            raise NotAvailableError(
                f"the size convention {population.size_convention!r} needs the lattice constant of {name}",
                where=str(error.problems[0].what),
                fix="give lattice_constant_nm to the Population",
            ) from error
        return None, (f"Not checked against one unit cell: the lattice constant of {name} is not known.",)
    return constant, ()
