"""Functions of the rows in `display_film.toml`: films of nanocrystals, thin films, mirrors, scatterers."""

from __future__ import annotations

import numpy as np

from perolux.display.effective_media import Rule, absorption_per_cm, effective_eps
from perolux.display.film_optics import bulk_inclusion, film, fraction_for, thickness_um_for
from perolux.display.fresnel import Face
from perolux.display.mie import rayleigh, sphere_light
from perolux.display.mirrors import short_pass_mirror, stack_mirror
from perolux.display.packing import shell
from perolux.display.slab import Slab, slab_light
from perolux.display.thin_films import FilmStack, Layer, Polarisation, stack_light

__all__ = [
    "alpha_per_fraction",
    "bulk_alpha",
    "film_alpha",
    "film_index",
    "film_thickness",
    "fraction_at",
    "limit_of_rule",
    "mirror_gain",
    "quarter_wave",
    "rayleigh_ratio",
    "shadow",
    "shell_share",
    "sphere_extinction",
    "stack_balance",
    "stack_reflectance",
]

_TABLE = "CsPbBr3_1nm"
_HOST = 1.5


def bulk_alpha(wavelength_nm: float) -> float:
    """alpha of bulk CsPbBr3 in 1/cm."""
    return float(absorption_per_cm(bulk_inclusion(_TABLE).at(wavelength_nm), wavelength_nm))


def film_alpha(fraction: float, wavelength_nm: float, rule: Rule) -> float:
    """alpha of a film in 1/cm."""
    return float(film(bulk_inclusion(_TABLE), _HOST, fraction).alpha_at(wavelength_nm, rule))


def alpha_per_fraction(wavelength_nm: float, rule: Rule) -> float:
    """alpha/f of a film so dilute that f does not matter."""
    return film_alpha(1e-8, wavelength_nm, rule) / 1e-8


def film_index(fraction: float, wavelength_nm: float) -> float:
    """n of a film by Maxwell Garnett."""
    return float(film(bulk_inclusion(_TABLE), _HOST, fraction).index_at(wavelength_nm))


def film_thickness(fraction: float, od10: float, rule: Rule) -> float:
    """Thickness in um for an optical density at 450 nm."""
    return thickness_um_for(film(bulk_inclusion(_TABLE), _HOST, fraction), od10)[rule]


def fraction_at(od10: float, thickness_um: float, rule: Rule) -> float:
    """Volume fraction for an optical density at 450 nm in a thickness."""
    return fraction_for(bulk_inclusion(_TABLE), _HOST, od10, thickness_um)[rule]


def limit_of_rule(rule: Rule) -> float:
    """Largest error of f = 0 and f = 1, over eps."""
    eps = bulk_inclusion(_TABLE).at(450.0)
    ends = (effective_eps(rule, eps, 2.25, 0.0) / 2.25, effective_eps(rule, eps, 2.25, 1.0) / eps)
    return float(max(np.abs(end - 1.0) for end in ends))


def shell_share(edge_nm: float, ligand_nm: float) -> float:
    """Part of a cube with ligands that is crystal."""
    return shell(edge_nm, ligand_nm).core_share


def quarter_wave(high: float, low: float, pairs: int, substrate: float) -> float:
    """R of quarter waves H L before a substrate, computed, over the closed formula."""
    layers = (Layer(high, 600.0 / (4.0 * high)), Layer(low, 600.0 / (4.0 * low))) * pairs
    found = float(stack_light(FilmStack(layers, 1.0, substrate), 600.0).reflected[0, 0])
    tall, flat = substrate * high ** (2 * pairs), low ** (2 * pairs)
    return found / ((tall - flat) / (tall + flat)) ** 2


def stack_reflectance(polarisation: Polarisation) -> float:
    """R of films 2 + 0.1i (100 nm) and 1.5 (200 nm) in air, 500 nm, 0.3 rad."""
    stack = FilmStack((Layer(2 + 0.1j, 100.0), Layer(1.5, 200.0)))
    return float(stack_light(stack, 500.0, np.cos(0.3), polarisation).reflected[0, 0])


def stack_balance() -> float:
    """Largest |R + T + A - 1| of a metal of a millimetre between films, all angles."""
    stack = FilmStack((Layer(2.4, 60.0), Layer(0.2 + 3.5j, 1e6), Layer(1.46, 90.0)), 1.0, 1.5)
    found = stack_light(stack, np.linspace(400.0, 700.0, 31), np.linspace(0.0, 1.0, 21))
    return float(np.max(np.abs(found.reflected + found.transmitted + found.absorbed.sum(axis=0) - 1.0)))


def mirror_gain() -> float:
    """Forward converted light with a blue-pass mirror below the converter, over that without."""
    nm = np.arange(480.0, 601.0)
    light = np.exp(-4.0 * np.log(2.0) * ((nm - 525.0) / 22.0) ** 2)
    inclusion = bulk_inclusion(_TABLE)
    own = film(inclusion, _HOST, 0.3)
    depth = 4.60517 * own.alpha_at(nm) / own.alpha_at(450.0)
    below = [Face(), Face(mirror=stack_mirror(short_pass_mirror(495.0, 8)))]
    bare, mirrored = (
        slab_light(Slab(1.6, nm, depth, light, 0.95, 4.60517, bottom=face), cells=24, nodes=16)
        for face in below
    )
    return mirrored.t_em / bare.t_em


def sphere_extinction(index: float, size_parameter: float) -> float:
    """Q_ext of a sphere."""
    return float(sphere_light(index, size_parameter).extinction)


def rayleigh_ratio(index: float) -> float:
    """Q_sca of a sphere of x = 1e-3 over Rayleigh's."""
    return float(sphere_light(index, 1e-3).scattering / rayleigh(index, 1e-3)[0])


def shadow(size_parameter: float) -> float:
    """Q_ext of a large absorbing sphere."""
    return float(sphere_light(1.5 + 0.1j, size_parameter).extinction)
