"""The film of a display file as a slab on the grid of colours: what it emits, absorbs, and holds of lead."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perolux.display.display_records import display_record
from perolux.display.emitters import GRID_NM, Emitter, emitter
from perolux.display.film_optics import FilmOptics, film, film_of_spectrum, fraction_for, slab_of_film
from perolux.display.fresnel import Face
from perolux.display.inclusions import Inclusion, bulk_inclusion, confined_inclusions
from perolux.display.lead import LeadBudget, crystal, lead_budget
from perolux.display.packing import CLOSE_PACKED, Shell, shell, shell_of_ensemble
from perolux.display.slab import Slab
from perolux.display.stack_file import EnsembleFile, FilmFile
from perolux.errors import InputError, NotAvailableError, OptionError
from perolux.materials.optical import optical_tables
from perolux.materials.optical_files import optical_constants_of
from perolux.quantities.constants import HC_EV_NM

if TYPE_CHECKING:
    from perolux.ensemble import Ensemble

__all__ = ["BuiltFilm", "build_film"]

FloatArray = npt.NDArray[np.float64]
_BLUE_NM = 450.0
_THIN_UM = 1.0


@dataclass(frozen=True)
class BuiltFilm:
    """slab: on `GRID_NM`. emission: what its nanocrystals emit. fraction: by volume, None for a measured
    absorption. optical_density: base 10 at 450 nm. lead: the judgement, None without a fraction."""

    file: FilmFile
    slab: Slab
    emission: Emitter
    optics: FilmOptics = field(repr=False)
    fraction: float | None
    optical_density: float
    lead: LeadBudget | None
    notes: tuple[str, ...]


def build_film(
    file: FilmFile,
    folder: Path,
    *,
    limit_ppm: float,
    top: Face | None = None,
    bottom: Face | None = None,
    quantity: str = "photons",
) -> BuiltFilm:
    """A film from its table in the file. folder: where the files it names are looked for.

    Raises what its parts raise: `OptionError`, `ModelRangeError` for films that cannot be packed,
    `NotAvailableError` for materials without n and k.
    """
    crystals = _crystals(file, folder)
    emission = _emission(file, folder, crystals, quantity)
    density = display_record("host_density_g_cm3")
    host_density = density.number if file.host_density is None else file.host_density
    around = _around(file, crystals)
    notes: list[str] = []
    if file.host_density is None:
        notes.append(f"host of {density.number:g} g/cm3 ({density.kind})")
    lead = None
    if file.absorption is not None:
        assert file.optical_density is not None
        from perolux.measured import read

        spectra = read(_found(file.absorption, folder), kind="absorbance")
        if len(spectra) != 1:
            raise InputError(
                f"{len(spectra)} spectra in one file", where=file.absorption, allowed="one",
                fix="keep one column beside the wavelength",
            )  # fmt: skip
        axis = spectra[0].wavelength_nm
        if axis[0] > GRID_NM[0] or axis[-1] < GRID_NM[-1]:
            raise InputError(
                f"the absorption is known from {axis[0]:g} to {axis[-1]:g} nm",
                where=str(_found(file.absorption, folder)),
                allowed=f"at least {GRID_NM[0]:g} to {GRID_NM[-1]:g} nm; nothing is extrapolated",
                fix="measure it there, or add rows where it is known to be 0",
            )
        optics = film_of_spectrum(spectra[0], file.optical_density, file.thickness, file.host_index)
        fraction = None
        notes.append("a measured absorption: no volume fraction, so no lead is counted")
    else:
        inclusion = _inclusion(file, crystals, folder)
        fraction = _fraction(file, inclusion, host_density, around)
        optics = film(inclusion, file.host_index, fraction, GRID_NM, around=around, rule=file.rule)
        lead = lead_budget(
            crystal(file.material),
            inclusion,
            host_density_g_cm3=host_density,
            host_index=file.host_index,
            thickness_um=file.thickness,
            limit_ppm=limit_ppm,
            nc_volume_fraction=fraction,
        )
    slab = slab_of_film(
        optics, file.thickness, GRID_NM, emission.photons, file.plqy, source_nm=_BLUE_NM,
        host_alpha_per_cm=file.host_absorption_per_cm, top=top, bottom=bottom, memory=file.memory,
    )  # fmt: skip
    if fraction is not None and around is None and fraction > CLOSE_PACKED["sphere"]:
        notes.append(
            f"{100 * fraction:.0f} % of crystal by volume is more than spheres can fill "
            f"({100 * CLOSE_PACKED['sphere']:.0f} %): only cubes without ligands, face to face, could; "
            "give ligand_length and edge_length"
        )
    if file.thickness < _THIN_UM:
        notes.append(f"a film of {file.thickness:g} um: light interferes in it, which ray optics leaves out")
    density10 = slab.source_depth / np.log(10.0)
    return BuiltFilm(
        file,
        slab,
        emission,
        optics,
        fraction,
        float(density10),
        lead,
        (*notes, *optics.notes, *emission.warnings),
    )


def _found(text: str, folder: Path) -> Path:
    path = Path(text)
    return path if path.is_absolute() else folder / path


def _crystals(file: FilmFile, folder: Path) -> Ensemble | None:
    if file.ensemble is not None:
        from perolux.ensemble import Normal, Population, quadrature

        one: EnsembleFile = file.ensemble
        if one.spread == 0.0:
            raise OptionError(
                "an ensemble without spread", where="ensemble.spread", allowed="above 0", fix="e.g. 0.02"
            )
        population = Population(shape="cube", size_convention="core-edge", material=file.material)
        return quadrature(Normal(one.edge_length, one.spread), population)
    if file.recipe is not None:
        from perolux.synthesis.recipe import read_recipe
        from perolux.synthesis.recipe_mixed import MixedDropletRecipe

        recipe = read_recipe(_found(file.recipe, folder))
        if isinstance(recipe, MixedDropletRecipe):
            raise OptionError("a recipe of mixed halides", where=file.recipe, allowed="one composition")
        if recipe.product != file.material:
            raise OptionError(
                f"the recipe makes {recipe.product}, the film is of {file.material}",
                where="film.material, film.recipe",
                fix=f'write material = "{recipe.product}"',
            )
        crystals = _grown(recipe)
        if crystals is None:
            raise NotAvailableError("the recipe makes no nanocrystals", where=file.recipe)
        return crystals
    return None


_GROWN: dict[str, Ensemble | None] = {}


def _grown(recipe: Any) -> Ensemble | None:
    """The nanocrystals of a recipe; those of the last one are kept, for the parameter sets that follow."""
    from perolux.synthesis.routes import carry_out

    text = repr(recipe)
    if text not in _GROWN:
        crystals = carry_out(recipe).ensemble()
        _GROWN.clear()
        _GROWN[text] = crystals
    return _GROWN[text]


def _chosen(file: FilmFile) -> str | None:
    return file.parameter_set or (None if file.ensemble is None else file.ensemble.parameter_set)


def _emission(file: FilmFile, folder: Path, crystals: Ensemble | None, quantity: str) -> Emitter:
    if crystals is None:
        assert file.emission is not None
        named = _found(file.emission.partition("::")[0], folder)
        text = str(folder / file.emission) if named.is_file() else file.emission
        return emitter(text, "power" if quantity == "power" else "photons")
    from perolux.excitons.ensemble_spectra import ensemble_spectrum

    energy = HC_EV_NM / GRID_NM[::-1]
    chosen = _chosen(file)
    spectra = ensemble_spectrum(crystals, energy, "emission", sets=chosen, outside_index=file.host_index)
    per_nm = spectra.values[0][::-1] * HC_EV_NM / GRID_NM**2  # photons per eV to photons per nm
    power = per_nm / GRID_NM
    name = str(spectra["set"].values[0])
    what = f"nanocrystals of {file.material} ({name})"
    return Emitter(what, power / np.sum(power), "read", f"excitons room, parameter set {name}")


def _inclusion(file: FilmFile, crystals: Ensemble | None, folder: Path) -> Inclusion:
    if file.optical_constants is not None:
        return bulk_inclusion(optical_constants_of(file.optical_constants, folder))
    try:
        if crystals is not None:
            chosen = _chosen(file)
            found = confined_inclusions(crystals, file.host_index, GRID_NM, sets=chosen)
            return next(iter(found.values()))
        fine = f"{file.material}_1nm"
        return bulk_inclusion(fine if fine in optical_tables() else file.material)
    except NotAvailableError as error:
        problem = error.problems[0]
        raise NotAvailableError(
            problem.what,
            where=problem.where or "film",
            allowed=problem.allowed,
            fix=problem.fix
            or 'optical_constants = "NAME": a table that stands for it, or a file (wavelength_nm, n, k)',
        ) from None


def _around(file: FilmFile, crystals: Ensemble | None) -> Shell | None:
    if file.ligand_length is None:
        return None
    if crystals is not None:
        return shell_of_ensemble(crystals, file.ligand_length)
    if file.edge_length is None:
        raise OptionError(
            "a ligand length without the edge of the crystals", where="edge_length", fix="give both"
        )
    return shell(file.edge_length, file.ligand_length)


def _fraction(file: FilmFile, inclusion: Inclusion, host_density: float, around: Shell | None) -> float:
    if file.volume_fraction is not None:
        return file.volume_fraction
    if file.lead_ppm is not None:
        most = 1e6 * crystal(file.material).lead_mass_fraction
        if file.lead_ppm > most:
            raise OptionError(
                f"{file.lead_ppm:g} ppm of lead", where="lead_ppm",
                allowed=f"up to {most:.0f} (pure {file.material})", fix="lead by mass, in parts per million",
            )  # fmt: skip
        return lead_budget(
            crystal(file.material), inclusion, host_density_g_cm3=host_density, host_index=file.host_index,
            thickness_um=file.thickness, limit_ppm=file.lead_ppm,
        ).nc_volume_fraction  # fmt: skip
    assert file.optical_density is not None
    found = fraction_for(inclusion, file.host_index, file.optical_density, file.thickness, around=around)
    return found[file.rule]
