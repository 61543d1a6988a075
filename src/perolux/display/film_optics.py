"""Films of nanocrystals in a host: n, k, absorption, optical density, and the slab they make.

An `Inclusion` is what a crystal is made of (`inclusions.py`): n and k of the bulk (`bulk_inclusion`), or the
absorption per volume of confined nanocrystals from the excitons room (`confined_inclusions`). `film` puts a
volume fraction of it into a host by both rules of `effective_media`; `film_of_extinction` and
`film_of_spectrum` take a measured spectrum instead. alpha is base e,
optical density base 10: OD = alpha t/ln 10, depth = alpha t.

Error sources that stay: cubes are taken as spheres, a ligand shell as host, crystals as far smaller than the
wavelength and not coupled to one another.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from perolux.display.effective_media import RULES, Rule, absorption_per_cm, effective_eps
from perolux.display.fresnel import Face
from perolux.display.inclusions import Inclusion, bulk_inclusion, confined_inclusions
from perolux.display.optical_media import Index, film_value, index_at
from perolux.display.packing import CLOSE_PACKED, Shell, check_fraction
from perolux.display.slab import Memory, Slab
from perolux.errors import InputError, ModelRangeError, OptionError
from perolux.measured.records import Spectrum

__all__ = [
    "FilmOptics",
    "Inclusion",
    "bulk_inclusion",
    "confined_inclusions",
    "film",
    "film_of_extinction",
    "film_of_spectrum",
    "fraction_for",
    "optical_density",
    "optical_depth",
    "slab_of_film",
    "thickness_um_for",
]

FloatArray = npt.NDArray[np.float64]
_CM_PER_UM = 1e-4
_BLUE_NM = 450.0
_NOISE = 0.02
"""Depth below zero, over the value at the scaling wavelength, that passes as noise of a measured spectrum."""
_SPHERES = "crystals are taken as spheres: for cubes this is an error source"


@dataclass(frozen=True)
class FilmOptics:
    """A film: n, k, alpha (1/cm, base e) by rule, each (m,), on wavelengths (m,) in nm.

    rule: the one that is taken where none is asked for. fraction: volume fraction of crystal; None for a
    measured film. notes: what a user should know.
    """

    name: str
    wavelength_nm: FloatArray = field(repr=False)
    n: dict[str, FloatArray] = field(repr=False)
    k: dict[str, FloatArray] = field(repr=False)
    alpha_per_cm: dict[str, FloatArray] = field(repr=False)
    rule: str
    fraction: float | None = None
    source: str = ""
    notes: tuple[str, ...] = ()

    def alpha_at(self, wavelength_nm: npt.ArrayLike, rule: str | None = None) -> FloatArray:
        """alpha in 1/cm between the points; raises `ModelRangeError` outside them."""
        return self._at(self.alpha_per_cm, wavelength_nm, rule)

    def index_at(self, wavelength_nm: npt.ArrayLike, rule: str | None = None) -> FloatArray:
        """n between the points; raises `ModelRangeError` outside them."""
        return self._at(self.n, wavelength_nm, rule)

    def spread(self, wavelength_nm: float = _BLUE_NM) -> float | None:
        """Largest over smallest alpha of the rules, less 1; None with one rule or nothing absorbed."""
        found = [float(self.alpha_at(wavelength_nm, rule)) for rule in self.alpha_per_cm]
        return max(found) / min(found) - 1.0 if len(found) > 1 and min(found) > 0.0 else None

    def _at(self, of: dict[str, FloatArray], wavelength_nm: npt.ArrayLike, rule: str | None) -> FloatArray:
        chosen = self.rule if rule is None else rule
        if chosen not in of:
            raise OptionError(f"no rule {chosen!r} in this film", where=self.name, allowed=", ".join(of))
        asked = np.asarray(wavelength_nm, dtype=float)
        low, high = float(self.wavelength_nm[0]), float(self.wavelength_nm[-1])
        if not np.all((asked >= low) & (asked <= high)):
            raise ModelRangeError(
                "a wavelength outside that of the film", where=self.name, allowed=f"{low:g} to {high:g} nm"
            )
        return np.asarray(np.interp(asked, self.wavelength_nm, of[chosen]))


def film(
    inclusion: Inclusion,
    host: Index,
    fraction: float,
    wavelength_nm: npt.ArrayLike | None = None,
    *,
    around: Shell | None = None,
    rule: Rule = "maxwell-garnett",
) -> FilmOptics:
    """n, k and alpha of a volume fraction of crystal in a transparent host, by both rules.

    around: crystals with their shells, for the packing limit (`packing.shell`). rule: what is taken where
    none is asked for. Raises `ModelRangeError` for a fraction that cannot be packed or wavelengths outside
    the records, `OptionError` for a host that absorbs.

    >>> dense = film(bulk_inclusion("CsPbBr3"), 1.5, 0.3)
    >>> {rule: f"{float(dense.alpha_at(450.0, rule)):.3g}" for rule in dense.alpha_per_cm}
    {'maxwell-garnett': '1.23e+04', 'bruggeman': '1.33e+04'}
    """
    check_fraction(fraction, around)
    nm = inclusion.wavelength_nm if wavelength_nm is None else np.asarray(wavelength_nm, dtype=float)
    outside = _host(host, nm)
    eps = inclusion.at(nm)
    mixed = 0.0 < fraction < 1.0  # f = 1 is the crystal itself, by both rules and for any shape
    notes = [*inclusion.notes, *([_SPHERES] if mixed else [])]
    limit, random = film_value("maxwell_garnett_fraction"), film_value("random_close_packing")
    if mixed and fraction > limit.number:
        notes.append(
            f"f = {fraction:.3g} is above {limit.number:g} ({limit.kind}): Maxwell Garnett fails there, look "
            "at the spread between the rules"
        )
    if around is not None:
        notes.append("the ligand shell is taken as host")
        if fraction / around.core_share > random.number:
            notes.append(
                f"crystals with shells fill {fraction / around.core_share:.3g} of the film, more than "
                f"spheres thrown together do ({random.number:g}, {random.kind}): it must be ordered"
            )
    if inclusion.host_index is not None and np.max(np.abs(outside - inclusion.host_index)) > 0.05:
        notes.append(
            f"the absorption was computed in a medium of index {inclusion.host_index:g}, the host has "
            f"{float(np.min(outside)):.3g} to {float(np.max(outside)):.3g}"
        )
    roots = {one: np.sqrt(effective_eps(one, eps, outside**2, fraction)) for one in RULES}
    if rule not in roots:
        raise OptionError(f"unknown rule {rule!r}", where="film", allowed=", ".join(RULES))
    return FilmOptics(
        f"{inclusion.name}, f = {fraction:.4g}",
        nm,
        {one: root.real for one, root in roots.items()},
        {one: root.imag for one, root in roots.items()},
        {one: absorption_per_cm(root**2, nm) for one, root in roots.items()},
        rule,
        float(fraction),
        inclusion.source,
        tuple(notes),
    )


def film_of_extinction(
    wavelength_nm: npt.ArrayLike,
    extinction: npt.ArrayLike,
    od10: float,
    thickness_um: float,
    index: float,
    *,
    baseline: float | npt.ArrayLike = 0.0,
    scaled_at_nm: float = _BLUE_NM,
    name: str = "measured extinction",
) -> FilmOptics:
    """A film whose extinction has the measured shape and the optical density od10 at 450 nm.

    alpha(lambda) = ln(10) OD/t (A(lambda) - baseline)/(A(450) - baseline). Values below 0 by at most 2 % of
    that at 450 nm are noise and set to 0, with a note; deeper ones are an `InputError`.
    """
    nm = np.asarray(wavelength_nm, dtype=float)
    values = np.asarray(extinction, dtype=float) - np.asarray(baseline, dtype=float)
    if nm.ndim != 1 or nm.shape != values.shape or len(nm) < 2 or np.any(np.diff(nm) <= 0):
        raise OptionError(
            "axis and values that cannot be used", where=name, allowed="ascending nm (m,), values (m,)"
        )
    if not (od10 >= 0.0 and 0.0 < thickness_um < np.inf and 1.0 <= index < 10.0):
        raise OptionError(
            f"OD {od10:g}, {thickness_um:g} um, index {index:g}",
            where=name,
            allowed="OD >= 0, t > 0, 1 <= n < 10",
        )
    if not nm[0] <= scaled_at_nm <= nm[-1]:
        raise ModelRangeError(
            f"the spectrum does not reach {scaled_at_nm:g} nm",
            where=name,
            allowed=f"{nm[0]:g} to {nm[-1]:g} nm",
        )
    here = float(np.interp(scaled_at_nm, nm, values))
    if not (here > 0.0 and np.all(np.isfinite(values))):
        raise InputError(f"nothing is absorbed at {scaled_at_nm:g} nm", where=name, fix="check the baseline")
    lowest = int(np.argmin(values))
    notes = ["a measured extinction holds scattering too, which transport would count as absorption"]
    if values[lowest] < -_NOISE * here:
        raise InputError(
            f"the extinction is {values[lowest] / here:.3g} of that at {scaled_at_nm:g} nm at "
            f"{nm[lowest]:g} nm",
            where=name,
            allowed=f"down to -{_NOISE:g}, as noise",
            fix="subtract a baseline",
        )
    if values[lowest] < 0.0:
        notes.append(
            f"values down to {values[lowest] / here:.2g} of that at {scaled_at_nm:g} nm were set to 0"
        )
    alpha = math.log(10.0) * od10 / (thickness_um * _CM_PER_UM) * np.maximum(values, 0.0) / here
    rule = "measured"
    k = alpha * 1e-7 * nm / (4.0 * np.pi)
    return FilmOptics(
        name,
        nm,
        {rule: np.full(nm.shape, float(index))},
        {rule: k},
        {rule: alpha},
        rule,
        None,
        name,
        tuple(notes),
    )


def film_of_spectrum(
    spectrum: Spectrum,
    od10: float,
    thickness_um: float,
    index: float,
    *,
    baseline: float | npt.ArrayLike = 0.0,
) -> FilmOptics:
    """`film_of_extinction` of a spectrum that was read from a file; it must be an absorbance."""
    if spectrum.kind != "absorbance":
        raise OptionError(
            f"a film from a spectrum of kind {spectrum.kind}",
            where=f"{spectrum.source.path}: {spectrum.label}",
            allowed="kind absorbance",
        )
    where = f"{spectrum.source.path}: {spectrum.label}"
    return film_of_extinction(
        spectrum.wavelength_nm, spectrum.values, od10, thickness_um, index, baseline=baseline, name=where
    )


def optical_depth(alpha_per_cm: npt.ArrayLike, thickness_um: npt.ArrayLike) -> FloatArray:
    """tau = alpha t, base e: exp(-tau) passes."""
    return np.asarray(
        np.asarray(alpha_per_cm, dtype=float) * np.asarray(thickness_um, dtype=float) * _CM_PER_UM
    )


def optical_density(alpha_per_cm: npt.ArrayLike, thickness_um: npt.ArrayLike) -> FloatArray:
    """OD = alpha t/ln 10, base 10: 2 means that 99 % are absorbed.

    >>> round(float(optical_density(1.2245e4, 3.76)), 2)
    2.0
    """
    return np.asarray(optical_depth(alpha_per_cm, thickness_um) / math.log(10.0))


def thickness_um_for(film: FilmOptics, od10: float, wavelength_nm: float = _BLUE_NM) -> dict[str, float]:
    """Thickness (um) for an optical density (base 10) at a wavelength, by each rule."""
    if not 0.0 < od10 < np.inf:
        raise OptionError(f"an optical density of {od10:g}", allowed="above 0")
    found = {}
    for rule in film.alpha_per_cm:
        alpha = float(film.alpha_at(wavelength_nm, rule))
        if not alpha > 0.0:
            raise ModelRangeError(
                f"the film absorbs nothing at {wavelength_nm:g} nm: no thickness gives OD {od10:g}",
                where=film.name,
            )
        found[rule] = od10 * math.log(10.0) / alpha / _CM_PER_UM
    return found


def fraction_for(
    inclusion: Inclusion,
    host: Index,
    od10: float,
    thickness_um: float,
    *,
    around: Shell | None = None,
    wavelength_nm: float = _BLUE_NM,
) -> dict[str, float]:
    """Volume fraction of crystal for an optical density (base 10) and thickness, by each rule.

    Raises `ModelRangeError` where more crystal would be needed than can be packed.

    >>> found = fraction_for(bulk_inclusion("CsPbBr3"), 1.5, 2.0, 3.0)
    >>> {rule: round(f, 2) for rule, f in found.items()}
    {'maxwell-garnett': 0.37, 'bruggeman': 0.34}
    """
    if not (0.0 <= od10 < np.inf and 0.0 < thickness_um < np.inf):
        raise OptionError(f"OD {od10:g} in {thickness_um:g} um", allowed="OD of 0 and more in more than 0 um")
    wanted = od10 * math.log(10.0) / (thickness_um * _CM_PER_UM)

    eps, outside = inclusion.at(wavelength_nm), _host(host, np.asarray(wavelength_nm, dtype=float))
    most = CLOSE_PACKED["cube"] if around is None else around.most

    def missing(fraction: float, rule: Rule) -> float:
        return (
            float(absorption_per_cm(effective_eps(rule, eps, outside**2, fraction), wavelength_nm)) - wanted
        )

    found: dict[str, float] = {}
    for rule in RULES:
        if missing(most, rule) < 0.0:
            raise ModelRangeError(
                f"OD {od10:g} in {thickness_um:g} um needs {wanted:.4g} per cm, the densest film of "
                f"{inclusion.name} has {missing(most, rule) + wanted:.4g} ({rule})",
                where=f"{wavelength_nm:g} nm",
                allowed=f"a volume fraction up to {most:.4g}",
                fix="take a thicker film, or shorter ligands",
            )
        found[rule] = _root(lambda f, rule=rule: missing(f, rule), most) if wanted > 0.0 else 0.0  # type: ignore[misc]
    return found


def _root(missing: Callable[[float], float], high: float) -> float:
    """Where a rising function that is below 0 at 0 and not below 0 at `high` passes 0, to 1e-14: by chords,
    whose end that stays is halved (Illinois). Absorption is almost linear in the fraction: six steps or so,
    fewer than it takes to load a library for them."""
    low, below, above = 0.0, missing(0.0), missing(high)
    moved = 0
    while high - low > 1e-14:
        at = (low * above - high * below) / (above - below)
        if not low < at < high:  # nothing lies between that a float can tell apart
            return min(max(at, low), high)
        value = missing(at)
        if value == 0.0:
            return at
        if value < 0.0:
            low, below, above = at, value, above * (0.5 if moved < 0 else 1.0)
            moved = -1
        else:
            high, above, below = at, value, below * (0.5 if moved > 0 else 1.0)
            moved = 1
    return 0.5 * (low + high)


def slab_of_film(
    film: FilmOptics,
    thickness_um: float,
    emission_nm: npt.ArrayLike,
    emission: npt.ArrayLike,
    plqy: float,
    *,
    rule: str | None = None,
    source_nm: float = _BLUE_NM,
    host_alpha_per_cm: float = 0.0,
    top: Face | None = None,
    bottom: Face | None = None,
    memory: Memory = "full",
) -> Slab:
    """The film as a slab for transport: its optical depths where it emits and where the light comes in.

    emission_nm, emission (m,): emitted photons. The slab has one index, the mean of n over the emission.
    host_alpha_per_cm: absorption of the host, the same at all wavelengths, that emits nothing.
    """
    if not 0.0 < thickness_um < np.inf:
        raise OptionError(f"a film {thickness_um:g} um thick", allowed="above 0 um")
    if not 0.0 <= host_alpha_per_cm < np.inf:
        raise OptionError(f"a host of {host_alpha_per_cm:g} per cm", allowed="0 and more")
    nm, light = np.asarray(emission_nm, dtype=float), np.asarray(emission, dtype=float)
    if nm.shape != light.shape or nm.ndim != 1 or np.any(light < 0.0) or not np.sum(light) > 0.0:
        raise InputError(
            "an emission spectrum that cannot be used", allowed="photons (m,) of 0 and more, not all 0"
        )
    host = float(optical_depth(host_alpha_per_cm, thickness_um))
    return Slab(
        index=float(np.sum(film.index_at(nm, rule) * light) / np.sum(light)),
        wavelength_nm=nm,
        depth=optical_depth(film.alpha_at(nm, rule), thickness_um),
        emission=light,
        plqy=plqy,
        source_depth=float(optical_depth(film.alpha_at(source_nm, rule), thickness_um)),
        source_nm=source_nm,
        host_depth=host,
        host_source_depth=host,
        top=top or Face(),
        bottom=bottom or Face(),
        memory=memory,
    )


def _host(host: Index, wavelength_nm: FloatArray) -> FloatArray:
    index = index_at(host, wavelength_nm)
    if np.any(index.imag != 0.0):
        raise OptionError(
            "a host that absorbs",
            where="film",
            allowed="a transparent host",
            fix="take one with k = 0, such as PMMA; host_absorption_per_cm of a display says the rest",
        )
    if not np.all((index.real >= 1.0) & (index.real < 10.0)):
        raise OptionError("a host index outside 1 to 10", where="film", allowed="1 to 10")
    return np.asarray(index.real)
