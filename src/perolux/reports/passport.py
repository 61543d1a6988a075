"""The passport of nanocrystals: one self-contained HTML file with figures, numbers, layers and provenance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perolux import __version__
from perolux.files import write_text
from perolux.reports.html import environment, static_text, value_groups
from perolux.reports.passport_figures import Plot, draw_plots
from perolux.reports.words import Figure, formula

if TYPE_CHECKING:
    from perolux.excitons.passport_record import Entry, Passport

__all__ = ["render_passport", "write_passport"]

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
    values = {(v.key, v.parameter_set, v.number, v.source): v for one in passports for v in one.rests_on}
    page = environment()
    page.filters.setdefault("sig", significant)
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

    >>> significant(-0.012345), significant(None), significant(3.2e-14)
    ('−0.01235', '–', '3.2e−14')
    """
    return "–" if value is None else f"{value:.4g}".replace("-", "−")


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
        "plots": [{"svg": Markup(plot.svg), "caption": plot.caption} for plot in plots],
        "sets": one.set_names,
        "entries": list(one.entries().items()),
        "layers": list(one.contributions_mev.items()),
        "switches": _switches(one),
    }


def _lead(one: Passport) -> str:
    """What the nanocrystal is and does, in two sentences."""
    crystal = one.crystal
    shape = f"{'An' if crystal.label[0] in 'aeiou' else 'A'} {crystal.label}"
    text = f"{shape}, of {formula(crystal.material)} at {crystal.temperature_k:g} K"
    spread = one.emission_ev.spread
    if spread is not None:
        from perolux.quantities.constants import HC_EV_NM

        ends = f"{HC_EV_NM / spread.high95:.0f} to {HC_EV_NM / spread.low95:.0f} nm"
        text += f" emits at {spread.median:.3f} eV ({HC_EV_NM / spread.median:.0f} nm; 95 %: {ends})"
    life = one.radiative_lifetime_ns.spread
    if life is not None:
        text += (
            f" with a radiative lifetime of {life.median:.3g} ns ({life.low95:.2g} to {life.high95:.2g} ns)"
        )
    return text + "."


def _figures(one: Passport) -> list[Figure]:
    found = []
    for name, unit, entry, detail, scale in _HEADLINE:
        spread = entry(one).spread
        if spread is None:
            continue
        ends = f"95 %: {significant(scale * spread.low95)} to {significant(scale * spread.high95)}"
        found.append(Figure(name, significant(scale * spread.median), unit, f"{detail}; {ends}"))
    return found


def _switches(one: Passport) -> str:
    words = [f"{name.replace('_', ' ')}: {'on' if v is True else 'off' if v is False else v}"
             for name, v in one.layers.as_dict().items()]  # fmt: skip
    return "Layers of this model – " + ", ".join(words) + ". Each can be switched on the command line."
