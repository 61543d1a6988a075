"""Ball milling: salts form a coarse powder, which breaks until the ligand covers no more surface.

    L_min = 6 V/A,   A = (bound share) N_A n_ligand a^2     (no smaller than twice `prior.least_radius_nm`)

V is the volume of all crystals, a the lattice constant: one ligand on each unit cell of the surface. A
crystal of edge L_min or above needs no more than its own share of the ligand, so that the surface of all
never exceeds A. Crystals break by `scission.py`; nothing dissolves and nothing ripens. The reaction of the
salts is taken as complete from the start: its rate is not modelled, nor is the quantum yield.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError, Problem
from perolux.materials.chemicals import chemical
from perolux.quantities import Value
from perolux.quantities.constants import AVOGADRO_PER_MOL
from perolux.synthesis.feasibility import missing_ions, unknown_chemicals
from perolux.synthesis.history import SizeDistribution
from perolux.synthesis.kinetics import priors
from perolux.synthesis.ledger import amounts_of
from perolux.synthesis.recipe_solid import MillingRecipe
from perolux.synthesis.schedule import formula_volume_m3
from perolux.synthesis.scission import Cells, Scission, break_up, cells_above
from perolux.synthesis.solid_priors import chosen, solid_priors
from perolux.synthesis.supply import Supply, supply_of

if TYPE_CHECKING:
    from perolux.ensemble import Ensemble
    from perolux.synthesis.inline_spectra import InlineSpectra
    from perolux.synthesis.solid_light import Light

__all__ = ["Milled", "mill"]

FloatArray = npt.NDArray[np.float64]
_CELLS = 300
_ROWS = 19
_REFERENCE_EDGE_NM = 100.0
"""The size whose rate `breakage_rate_per_s` is."""
_QUANTILES = 2000
_TAIL = 1e-6
"""Part of the coarse powder, by number, that is left out at either end of its distribution."""


@dataclass(frozen=True)
class Milled:
    """A milled recipe. Numbers are per m^3 of crystals, volumes nm^3.

    constants: as used, of which the recipe gave `given`. ligand_area_nm2: A, of the whole jar.
    numbers: [time, pivot].
    """

    recipe: MillingRecipe
    constants: dict[str, float]
    given: tuple[str, ...]
    law: Scission
    cells: Cells
    supply: Supply
    ligand_area_nm2: float
    time_s: FloatArray
    numbers: FloatArray
    warnings: tuple[str, ...]

    COLUMNS: ClassVar[tuple[tuple[str, str, str, float], ...]] = (
        ("t_s", "t (s)", ".4g", 1.0),
        ("N_per_m3", "N (1/m3 crystals)", ".3g", 1.0),
        ("mean_edge_nm", "mean edge (nm)", ".2f", 1.0),
        ("cv", "cv", ".3f", 1.0),
        ("volume_mean_edge_nm", "by volume (nm)", ".2f", 1.0),
        ("ligand_used", "ligand used (%)", ".1f", 100.0),
        ("still_breaking", "can break (% of volume)", ".1f", 100.0),
    )
    """Columns of a table of `rows`: key, heading, format, factor."""

    @property
    def least_edge_nm(self) -> float:
        """Edge (nm) below which no piece is left."""
        return float(np.cbrt(self.law.least_volume))

    @property
    def distributions(self) -> tuple[SizeDistribution, ...]:
        """Half edges at each time, numbers per m^3 of crystals."""
        half = 0.5e-9 * np.cbrt(self.cells.pivots)
        return tuple(SizeDistribution(half, half, number) for number in self.numbers)

    def rows(self) -> list[dict[str, Any]]:
        """Rows over time. ligand_used: surface over that which the ligand can cover; still_breaking: part of
        the volume in crystals above twice the least volume."""
        volume, edge = self.cells.pivots, np.cbrt(self.cells.pivots)
        breaks = volume > 2.0 * self.law.least_volume
        crystals_m3 = (
            self.supply.formula_umol * 1e-6 * AVOGADRO_PER_MOL * formula_volume_m3(self.recipe.product)
        )
        found = []
        for time, number, sizes in zip(self.time_s, self.numbers, self.distributions, strict=True):
            held = number * volume
            mean = sizes.mean_radius_m
            assert mean is not None
            found.append(
                {
                    "t_s": float(time),
                    "N_per_m3": sizes.number,
                    "mean_edge_nm": 2e9 * mean,
                    "cv": sizes.cv,
                    "volume_mean_edge_nm": float(held @ edge / held.sum()),
                    "ligand_used": float(number @ (6.0 * edge**2)) * crystals_m3 / self.ligand_area_nm2,
                    "still_breaking": float(held[breaks].sum() / held.sum()),
                }
            )
        return found

    def balances(self) -> dict[str, dict[str, float]]:
        """Where each ion is at the end, micromol: in crystals (from their sizes), left over as salts."""
        # 1 m^3 of crystals as fed holds 1e27 nm^3
        counted = float(self.numbers[-1] @ self.cells.pivots) * 1e-27
        return self.supply.balances(in_crystals_umol=counted * self.supply.formula_umol)

    def ensemble(self) -> Ensemble:
        """The crystals at the end as cubes."""
        from perolux.ensemble import Population, from_table

        number = self.numbers[-1]
        there = number > 0
        population = Population(shape="cube", size_convention="core-edge", material=self.recipe.product)
        return from_table(np.cbrt(self.cells.pivots[there]), population, number[there])

    def light(self, temperature_k: float = 298.0) -> Light:
        """Emission of the crystals at the end."""
        from perolux.synthesis.solid_light import emission_of

        return emission_of(self.ensemble(), temperature_k)

    def spectra(self, *, sets: str | None = None, seed: int = 0) -> InlineSpectra:
        """PL of the powder at the times of the rows, as [spectra] of the recipe says; no absorbance."""
        from perolux.synthesis.inline_spectra import inline_spectra, spectrometer_of

        return inline_spectra(
            self.recipe.product,
            self.distributions,
            self.time_s,
            spectrometer=spectrometer_of(self.recipe.spectra),
            sets=sets,
            seed=seed,
            no_path="a powder scatters light, whose path through it is not known",
        )

    def rests_on(self) -> list[Value]:
        """The priors that this result rests on."""
        found = [value for name, value in solid_priors().items() if name in self.constants]
        return [one for one in (*found, priors()["least_radius_nm"]) if one.key[6:] not in self.given]


def mill(recipe: MillingRecipe, *, cells: int = _CELLS, drawn: Mapping[str, float] | None = None) -> Milled:
    """Carry out a milling recipe. Raises `OptionError` with all that cannot be carried out.

    drawn: constants in place of the middle of the priors, where the recipe gives none.
    """
    groups = [("jar.contents", recipe.jar.contents)]
    if problems := unknown_chemicals(groups):
        raise OptionError(problems)
    amounts = amounts_of(recipe.jar.contents)
    problems = missing_ions(recipe.product, groups)
    if not any(chemical(name).role == "ligand" for name, mol in amounts.mol.items() if mol > 0):
        problems.append(
            Problem(
                "no ligand covers the surface that breaking makes",
                "jar.contents",
                fix="add a ligand, e.g. oleylamine",
            )
        )
    if problems:
        raise OptionError(problems)
    supply = supply_of(recipe.product, amounts)
    constants, given = chosen(
        {name: value for name, value in recipe.kinetics.model_dump().items() if name in solid_priors()},
        drawn,
    )
    radius = recipe.kinetics.least_radius_nm
    if radius is not None:
        given = (*given, "least_radius_nm")
    free = (drawn or {}).get("least_radius_nm", priors()["least_radius_nm"].number)
    smallest = 2.0 * (free if radius is None else radius)
    formula_nm3 = 1e27 * formula_volume_m3(recipe.product)
    volume = supply.formula_umol * 1e-6 * AVOGADRO_PER_MOL * formula_nm3
    area = constants["ligand_bound_share"] * supply.ligand_umol * 1e-6 * AVOGADRO_PER_MOL
    area *= formula_nm3 ** (2.0 / 3.0)
    of_ligand = 6.0 * volume / area
    law = Scission(
        rate_per_s=constants["breakage_rate_per_s"],
        reference_volume=_REFERENCE_EDGE_NM**3,
        exponent=constants["breakage_exponent"],
        daughter=recipe.daughter,
        power=constants["daughter_power"],
        least_volume=max(of_ligand, smallest) ** 3,
    )
    edges, weights = _coarse_powder(constants["coarse_edge_nm"], constants["coarse_cv"])
    if edges[0] ** 3 <= 2.0 * law.least_volume:
        raise OptionError(
            Problem(
                f"crystals of the coarse powder, from {edges[0]:.3g} nm, are not above the least edge "
                f"{np.cbrt(law.least_volume):.3g} nm",
                "kinetics.coarse_edge_nm",
                fix="more ligand, or a coarser or narrower powder",
            )
        )
    grid = cells_above(law.least_volume, edges[-1] ** 3 * (1 + 1e-12), cells)
    start = grid.shared(edges**3, weights)
    start *= 1e27 / float(start @ grid.pivots)
    times = _times(recipe)
    numbers = break_up(law, grid, start, times)
    warnings = _warnings(recipe, supply, of_ligand, smallest) + _large(grid, numbers[-1])
    return Milled(recipe, constants, given, law, grid, supply, area, times, numbers, warnings)


def _coarse_powder(mean_nm: float, cv: float) -> tuple[FloatArray, FloatArray]:
    """Edges (nm) and equal weights of a lognormal distribution by number, without its two tails."""
    from scipy.special import ndtri

    sigma = np.sqrt(np.log1p(cv * cv))
    share = _TAIL + (1 - 2 * _TAIL) * (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    edges = mean_nm * np.exp(sigma * ndtri(share) - 0.5 * sigma**2)
    return edges, np.full(_QUANTILES, 1.0 / _QUANTILES)


def _times(recipe: MillingRecipe) -> FloatArray:
    end = recipe.observe.until
    if recipe.observe.times is None:
        return end * np.concatenate(([0.0], np.geomspace(1e-3, 1.0, _ROWS)))
    times = np.array(recipe.observe.times)
    return times if times[-1] == end else np.append(times, end)


def _large(cells: Cells, number: FloatArray) -> tuple[str, ...]:
    """What to know where crystals are larger than those whose light the excitons room answers for."""
    from perolux.excitons.crystal import LARGEST_NM

    held = number * cells.pivots
    share = float(held[cells.pivots > LARGEST_NM**3].sum() / held.sum())
    if share < 1e-3:
        return ()
    return (
        f"{100 * share:.2g} % of the volume is in crystals above {LARGEST_NM:g} nm: they count as bulk "
        "in the emission, without scattering or reabsorption",
    )


def _warnings(recipe: MillingRecipe, supply: Supply, of_ligand: float, smallest: float) -> tuple[str, ...]:
    found = [
        f"{supply.limiting} is the scarcest; the salts have formed the product before the first row",
        "the quantum yield is not modelled",
        *supply.foreign,
    ]
    if of_ligand < smallest:
        found.append(
            f"the ligand would cover crystals of {of_ligand:.2g} nm: the least edge is that of the smallest "
            f"crystal, {smallest:.2g} nm"
        )
    idle = [
        one.chemical for one in recipe.jar.contents if chemical(one.chemical).role == "solvent" or one.solvent
    ]
    if idle:
        found.append(f"{', '.join(idle)}: a liquid changes nothing here, for nothing dissolves")
    return tuple(found)
