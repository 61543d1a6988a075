"""The passport of nanocrystals: one self-contained HTML file with figures, numbers, layers and provenance."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perolux import __version__
from perolux.excitons.passport_record import Entry
from perolux.excitons.spread import aligned
from perolux.files import write_text
from perolux.quantities.constants import AVOGADRO_PER_MOL, HC_EV_NM
from perolux.reports.html import environment, static_text, value_groups
from perolux.reports.passport_figures import Plot, draw_plots
from perolux.reports.words import Figure, formula

if TYPE_CHECKING:
    from perolux.excitons.passport_record import Passport

__all__ = ["Row", "duration", "render_passport", "row_of", "rows_of", "significant", "write_passport"]

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_MOLAR = AVOGADRO_PER_MOL / (1000.0 * math.log(10.0))
"""Molar decadic absorption coefficient in 1/(M cm) over cross section in cm2."""

_HEADLINE: tuple[tuple[str, str, Callable[[Passport], Entry], str, float], ...] = (
    ("emission", "eV", lambda one: one.emission_ev, "peak of the photoluminescence", 1.0),
    ("radiative lifetime", "ns", lambda one: one.radiative_lifetime_ns, "in thermal equilibrium", 1.0),
    ("bright above dark", "meV", lambda one: one.bright_dark_mev, "exchange splitting", 1.0),
    ("overlap K", "", lambda one: one.overlap_k, "rate over that of an uncorrelated pair", 1.0),
    ("biexciton shift", "meV", lambda one: one.biexciton_shift_mev, "negative: to the red", 1.0),
)


def write_passport(
    passports: Sequence[Passport], path: str | Path, plots: Sequence[Sequence[Plot]] | None = None
) -> Path:
    """Render the passport of one or several nanocrystals and write it atomically.

    plots: the figures of each; None draws those of `passport_figures.draw_plots`, which computes the courses
    over temperature and size.
    """
    return write_text(path, render_passport(passports, plots))


def render_passport(passports: Sequence[Passport], plots: Sequence[Sequence[Plot]] | None = None) -> str:
    """The passport as one HTML document: no request leaves it, no script runs in it."""
    from markupsafe import Markup

    drawn = plots if plots is not None else [draw_plots(one) for one in passports]
    crystals = [_crystal(n, one, each) for n, (one, each) in enumerate(zip(passports, drawn, strict=True), 1)]
    used = [v for one in passports for v in one.rests_on]
    used += [v for plots_of_one in drawn for plot in plots_of_one for v in plot.rests_on]
    values = {(v.key, v.parameter_set, v.number, v.source): v for v in used}
    page = environment()
    first = passports[0].crystal
    several = len(passports) > 1
    title = (
        f"{formula(first.material)} nanocrystals" if several else f"{formula(first.material)}, {first.label}"
    )
    return page.get_template("passport.html.j2").render(
        title=title,
        version=__version__,
        created=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        css=Markup(static_text("report.css")),
        crystals=crystals,
        value_groups=value_groups([value.as_dict() for value in values.values()]),
    )


def significant(value: float | None) -> str:
    """A number with four significant digits and a true minus; an en dash where there is none.

    >>> significant(-0.012345), significant(None), significant(3.2e-14), significant(45180.0)
    ('−0.01235', '–', '3.2e−14', '45180')
    """
    if value is None:
        return "–"
    text = f"{value:.4g}"
    if 1e4 <= abs(value) < 1e7:
        text = f"{float(text):.0f}"
    return text.replace("-", "−")


def duration(nanoseconds: float) -> str:
    """A lifetime in words: ps below 0.1 ns, µs from 1000 ns, three digits.

    >>> duration(0.0446), duration(808.7), duration(4518.0)
    ('44.6 ps', '809 ns', '4.52 µs')
    """
    for unit, least in (("ms", 1e6), ("µs", 1e3), ("ns", 0.1), ("ps", 0.0)):
        if nanoseconds >= least:
            scale = {"ms": 1e6, "µs": 1e3, "ns": 1.0, "ps": 1e-3}[unit]
            return f"{float(f'{nanoseconds / scale:.3g}'):g} {unit}"
    return f"{nanoseconds:.3g} ns"


@dataclass(frozen=True)
class Row:
    """One line of a table: name with its unit, texts of median, 95 % and each set; or why they lack."""

    name: str
    median: str = ""
    range95: str = ""
    sets: tuple[str, ...] = ()
    reason: str | None = None


def row_of(name: str, entry: Entry, sets: Sequence[str]) -> Row:
    """The numbers of one result with the same decimals; a common power of ten stands in the unit."""
    name = name.replace("cm2", "cm²").replace("nm3", "nm³")
    spread = entry.spread
    if spread is None:
        return Row(name, reason=entry.reason or "not available")
    numbers = [spread.median, spread.low95, spread.high95, *(spread.sets[one] for one in sets)]
    texts, power = aligned(numbers)
    median, low, high, *each = (text.replace("-", "−") for text in texts)
    if power:
        ten = f"10{str(power).translate(_RAISED)}"
        name = name.replace("(", f"({ten} ", 1) if name.endswith(")") else f"{name} ({ten})"
    return Row(name, median, f"{low} to {high}", tuple(each))


def rows_of(one: Passport) -> list[Row]:
    """All results, the molar absorption coefficients N_A sigma/(1000 ln 10) below the cross sections."""
    found: dict[str, Entry] = {}
    for name, entry in one.entries().items():
        found[name] = entry
        if name.startswith("cross section at"):
            molar = name.replace("cross section", "molar absorption").replace("(cm2)", "(M⁻¹ cm⁻¹)")
            scaled = None if entry.spread is None else entry.spread.scaled(_MOLAR, "1/(M cm)")
            found[molar] = Entry(scaled, entry.reason)
    return [row_of(name, entry, one.set_names) for name, entry in found.items()]


def _crystal(number: int, one: Passport, plots: Sequence[Plot]) -> dict[str, Any]:
    from markupsafe import Markup

    crystal = one.crystal
    return {
        "id": f"crystal-{number}",
        "short": crystal.label,
        "heading": f"{crystal.label[0].upper()}{crystal.label[1:]}, {crystal.temperature_k:g} K",
        "lead": _lead(one),
        "figures": _figures(one),
        "warnings": one.warnings,
        "plots": [{"svg": Markup(plot.svg_of(f"c{number}")), "caption": plot.caption} for plot in plots],
        "sets": one.set_names,
        "rows": rows_of(one),
        "layers": [row_of(name, entry, one.set_names) for name, entry in one.contributions_mev.items()],
        "switches": _switches(one),
    }


def _lead(one: Passport) -> str:
    """What the nanocrystal is and does, in two sentences."""
    crystal = one.crystal
    shape = f"{'An' if crystal.label[0] in 'aeiou' else 'A'} {crystal.label}"
    text = f"{shape}, of {formula(crystal.material)} at {crystal.temperature_k:g} K"
    spread = one.emission_ev.spread
    if spread is not None:
        ends = f"{HC_EV_NM / spread.high95:.0f} to {HC_EV_NM / spread.low95:.0f} nm"
        text += f" emits at {spread.median:.3f} eV ({HC_EV_NM / spread.median:.0f} nm; 95 %: {ends})"
    life = one.radiative_lifetime_ns.spread
    if life is not None:
        ends = f"{duration(life.low95)} to {duration(life.high95)}"
        text += f" with a radiative lifetime of {duration(life.median)} (95 %: {ends})"
    return text + "."


def _figures(one: Passport) -> list[Figure]:
    found = []
    for name, unit, entry, detail, scale in _HEADLINE:
        spread = entry(one).spread
        if spread is None:
            continue
        if unit == "ns" and (spread.median >= 1000.0 or spread.median < 0.1):
            ends = f"95 %: {duration(spread.low95)} to {duration(spread.high95)}"
            value, _, unit = duration(spread.median).partition(" ")
        else:
            (value, low, high), power = aligned(
                [scale * n for n in (spread.median, spread.low95, spread.high95)]
            )
            if power:
                value, low, high = (
                    significant(scale * n) for n in (spread.median, spread.low95, spread.high95)
                )
            ends = f"95 %: {low} to {high}".replace("-", "−")
        found.append(Figure(name, value.replace("-", "−"), unit, f"{detail}; {ends}"))
    return found


def _switches(one: Passport) -> str:
    words = [f"{name.replace('_', ' ')}: {'on' if v is True else 'off' if v is False else v}"
             for name, v in one.layers.as_dict().items()]  # fmt: skip
    return "Layers of this model – " + ", ".join(words) + ". Each can be switched on the command line."
