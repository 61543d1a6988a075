"""What a table, a folder and a report show of a grown recipe, whatever its route: one plain thing.

`grown_routes.grown_of` makes it from the result of each route; `growth.render_growth` draws it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perolux import __version__
from perolux.quantities import Value
from perolux.reports.words import Figure
from perolux.synthesis.history import SizeDistribution

if TYPE_CHECKING:
    from perolux.synthesis.inline_spectra import InlineSpectra
    from perolux.synthesis.recipe import AnyRecipe

__all__ = [
    "Along",
    "Column",
    "Course",
    "Curve",
    "Grown",
    "Profile",
    "entry",
    "numbers",
    "profile_of",
    "with_light",
]

FloatArray = npt.NDArray[np.float64]
Row = dict[str, Any]
Column = tuple[str, str, str, float]
"""Of a table: key of a row ("share.2 ML" is that of a table within), heading, format, factor."""
_BINS = 60
"""Narrower ones show the boxes of the engine, not the crystals."""


@dataclass(frozen=True)
class Along:
    """What the rows are a function of: time, or distance along a tube.

    heading: of the section with the slider. log: whether curves are drawn over its logarithm. marks: where
    something is done. end: the last of the values in words.
    """

    name: str
    unit: str
    heading: str
    values: FloatArray
    log: bool = True
    marks: tuple[float, ...] = ()
    end: str = "at the end"

    @property
    def labels(self) -> list[str]:
        """The values in words, e.g. "12 s"."""
        return [f"{x:.6g} {self.unit}" for x in self.values]

    @property
    def spoken(self) -> list[str]:
        """The same with fewer digits."""
        return [f"{x:.4g} {self.unit}" for x in self.values]


@dataclass(frozen=True)
class Curve:
    """One curve of a course. band: half its width on either side. decades: a logarithmic axis so far down."""

    label: str
    values: FloatArray
    band: FloatArray | None = None
    decades: float | None = None


@dataclass(frozen=True)
class Course:
    """A figure: curves on the left axis (several get a legend), at most one on the right."""

    name: str
    title: str
    caption: str
    axis: str
    left: tuple[Curve, ...]
    right: Curve | None = None


@dataclass(frozen=True)
class Profile:
    """How the product is spread over sizes or classes, at each of the places.

    x: sizes (nm), or names where they are classes. y: (places, x), what is drawn. counts: what the table
    holds, whose unit is `per`. log: sizes that span decades.
    """

    x: FloatArray | tuple[str, ...]
    y: FloatArray
    x_label: str
    y_label: str
    title: str
    caption: str
    counts: FloatArray
    first: str
    per: str
    log: bool = False


@dataclass(frozen=True)
class Grown:
    """A carried out recipe as it is shown. rows: with light, where there is; `why` says why there is none.

    columns: of a table on a terminal. headline: what a reader sees first. said: of each place, in words.
    balances: of each ion, keys end in `unit`. given: constants that the recipe gave. notes: lines under the
    table. extra: what the record of this route holds besides. aside: beside route and product.
    """

    recipe: AnyRecipe
    name: str
    along: Along
    rows: list[Row]
    columns: tuple[Column, ...]
    headline: tuple[Figure, ...]
    sizes: Profile
    said: tuple[str, ...]
    courses: tuple[Course, ...]
    balances: dict[str, dict[str, float]]
    unit: str
    spectra: InlineSpectra | None
    why: str
    rests_on: tuple[Value, ...]
    given: tuple[str, ...]
    warnings: tuple[str, ...]
    equilibrium: dict[str, float] | None = None
    notes: tuple[str, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)
    aside: str = ""

    def record(self) -> dict[str, Any]:
        """What `perolux grow RECIPE --json` prints: rows, the last of them, balances, warnings.

        pl_peak_nm and pl_fwhm_mev of each row: {sets, median}; left out, with the reason in "spectra", where
        the product gives no light.
        """
        spectra = self.spectra
        return {
            "recipe": self.name,
            "route": self.recipe.route,
            "product": self.recipe.product,
            "rows": self.rows,
            "final": self.rows[-1],
            "balances": self.balances,
            "spectra": {
                "reason": self.why or None,
                "absorbance_reason": None if spectra is None else spectra.reasons.get("absorbance"),
                "left_out_of_light": None if spectra is None else [float(x) for x in spectra.left_out],
                "conditions": self.recipe.spectra.model_dump(),
            },
            "kinetics_given": list(self.given),
            "rests_on": [value.key for value in self.rests_on],
            "warnings": list(self.warnings),
            "perolux": __version__,
            **self.extra,
        }

    def light_warnings(self) -> list[str]:
        """What to know of the spectra: why there are none, or no absorbance, and what they leave out."""
        if self.spectra is None:
            return [f"no spectra: {self.why}"]
        found = [
            f"no absorbance: {why}; PL weighs crystals by volume" for why in self.spectra.reasons.values()
        ]
        wave, peaks = self.spectra.wavelength_nm, self.rows[-1]["pl_peak_nm"]["sets"].values()
        if self.spectra.left_out[-1] < 1 and self.sizes.counts[-1].any() and not any(peaks):
            found.append(
                f"no PL stands out {self.along.end}, between {wave[0]:g} and {wave[-1]:g} nm; `first` and "
                "`last` of [spectra] widen the range"
            )
        worst = float(self.spectra.left_out.max(initial=0.0))
        if worst > 0.01:
            found.append(
                f"up to {100.0 * worst:.0f} % of the volume of crystals is too small for the model of light "
                "(edges below 2 nm) and is left out of the spectra"
            )
        return found


def entry(row: Row, key: str) -> Any:
    """The value of a row under a key; "share.2 ML" is that of a table within."""
    value: Any = row
    for part in key.split("."):
        value = value[part]
    return value


def numbers(rows: Sequence[Row], key: str, factor: float = 1.0) -> FloatArray:
    """A column of the rows; NaN where there is none."""
    found = [entry(row, key) for row in rows]
    return np.array([np.nan if one is None else factor * one for one in found])


def with_light(rows: list[Row], spectra: InlineSpectra | None) -> list[Row]:
    """Rows with pl_peak_nm and pl_fwhm_mev ({sets, median}), where there are spectra."""
    if spectra is None:
        return rows
    return [
        row | {key: _over_sets(found) for key, found in line.items()}
        for row, line in zip(rows, spectra.lines(), strict=True)
    ]


def _over_sets(found: dict[str, float | None]) -> dict[str, Any]:
    seen = [x for x in found.values() if x is not None]
    return {"sets": found, "median": median(seen) if seen else None}


def profile_of(
    distributions: Sequence[SizeDistribution],
    totals: npt.ArrayLike,
    *,
    size: str,
    of_all: str,
    per: str,
) -> Profile:
    """Share of the product per nm of size, at each place; its area is `totals` (0 to 1), called `of_all`.

    By volume, which is what light sees; numbers would drown all late crystals.
    """
    largest = max([2e9 * float(one.high_m.max()) for one in distributions if len(one)] or [1.0])
    edges = np.linspace(0.0, 1.05 * largest, _BINS + 1)
    middle, width = 0.5 * (edges[1:] + edges[:-1]), edges[1] - edges[0]
    counts = np.array([one.counts(0.5e-9 * edges) for one in distributions])
    volume = counts * middle**3
    held = volume.sum(axis=1, keepdims=True)
    share = volume / np.where(held > 0, held, 1.0) * np.asarray(totals, dtype=float)[:, None]
    return Profile(
        x=middle,
        y=100.0 * share / width,
        x_label=f"{size} (nm)",
        y_label=f"{of_all} per nm (%)",
        title="Size distribution",
        caption=f"Size distribution by volume: its area is the {of_all}.",
        counts=counts,
        first=f"{size}_nm",
        per=per,
    )
