"""Functions of the rows in `display_colour.toml`: triples of primaries, filters, lines from colours."""

from __future__ import annotations

from functools import cache

from perolux.display.appearance import colour_temperature
from perolux.display.emitters import emitter
from perolux.display.filters import behind_filters, filter_set
from perolux.display.gamut import gamut_triangle, polygon_area
from perolux.display.line_of_colour import width_of_colour
from perolux.display.primaries import GamutOfPrimaries, gamut_of_primaries
from perolux.validation.rows import read_table

__all__ = [
    "chromaticity_coordinate",
    "duv_of_white",
    "efficacy_of",
    "filtered_coverage",
    "panel_throughput",
    "percent_of",
    "space_ratio_of_backlight",
    "standard_over_standard",
    "width_behind_colour",
    "worst_of_triples",
]

_TABLE_NAMES = {"rec2020": "Rec2020", "dci-p3": "DCIP3", "ntsc": "NTSC1953", "rec709": "sRGB"}


@cache
def _judged(red: str, green: str, blue: str, filters: str | None = None) -> GamutOfPrimaries:
    chosen = None if filters is None else filter_set(filters)
    emitters = [emitter(text) for text in (red, green, blue)]
    return gamut_of_primaries(emitters, filters=chosen, sigma_center_nm=0.0, sigma_fwhm_nm=0.0)


def worst_of_triples(quantity: str) -> float:
    """Largest deviation from the table over all 68 triples: "xy", "area", "coverage", "power" or "efficacy".

    Where the table has no white, there must be none here.
    """
    worst = 0.0
    for row in read_table("gamut_triples.csv"):
        found = _judged(row["red"], row["green"], row["blue"])
        if quantity == "xy":
            pairs = [
                (found.xy[i][k], row[f"{axis}{colour}"])
                for i, colour in enumerate("RGB")
                for k, axis in enumerate("xy")
            ]
        elif quantity in ("area", "coverage"):
            pairs = [
                (
                    100.0 * (c.area_ratio if quantity == "area" else c.coverage),
                    row[f"{name}_{sp}_{quantity}_pct"],
                )
                for key, name in _TABLE_NAMES.items()
                for c, sp in ((found.gamuts[key]["xy"], "xy"), (found.gamuts[key]["upvp"], "uv"))
            ]
        elif (found.white is None) != (row["LER_D65_lm_per_W"] == ""):
            return float("inf")
        elif found.white is None:
            pairs = []
        elif quantity == "power":
            pairs = [(f, row[f"P_{c}_D65"]) for f, c in zip(found.white.power_fractions, "RGB", strict=True)]
        else:
            pairs = [(found.white.ler_lm_per_w, row["LER_D65_lm_per_W"])]
        worst = max([worst, *(abs(value - float(target)) for value, target in pairs)])
    return worst


def percent_of(
    red: str, green: str, blue: str, standard: str, space: str, quantity: str, filters: str = ""
) -> float:
    """Area or coverage in per cent of a triple, behind filters where a set is named."""
    found = _judged(red, green, blue, filters or None).gamuts[standard][space]
    return 100.0 * (found.area_ratio if quantity == "area" else found.coverage)


def filtered_coverage(green: str, filters: str, space: str) -> float:
    """Coverage of Rec.2020 in per cent of KSF, a green and a blue LED behind filters."""
    return percent_of("KSF6", green, "G450/20", "rec2020", space, "coverage", filters)


def panel_throughput(green: str, filters: str, quantity: str) -> float:
    """Share of the power ("radiant") or of the lumen ("luminous") of that backlight which passes."""
    emitters = [emitter(text) for text in ("KSF6", green, "G450/20")]
    found = behind_filters(emitters, filter_set(filters))
    return found.throughput if quantity == "radiant" else found.luminous_throughput


def efficacy_of(red: str, green: str, blue: str) -> float:
    """Lumen per optical watt of the D65 mix."""
    white = _judged(red, green, blue).white
    return float("nan") if white is None else white.ler_lm_per_w


def chromaticity_coordinate(text: str, coordinate: str) -> float:
    """CIE x or y of one emitter."""
    return _judged(text, "G530/20", "G450/20").xy[0]["xy".index(coordinate)]


def standard_over_standard(standard: str, other: str, space: str) -> float:
    """Area of one standard over that of another in per cent."""
    of = "xy" if space == "xy" else "u'v'"
    whole, part = (polygon_area(gamut_triangle(name, of)) for name in (other, standard))  # type: ignore[arg-type]
    return 100.0 * part / whole


def width_behind_colour(x: float, y: float, center_nm: float, what: str) -> float:
    """FWHM in nm of the line of a peak that comes nearest to a colour, or how far off it stays in xy."""
    found = width_of_colour(x, y, center_nm)
    return found.fwhm_nm if what == "fwhm" else found.distance


def duv_of_white(x: float, y: float, what: str) -> float:
    """CCT in K or Duv of a white."""
    found = colour_temperature(x, y)
    value = found.cct_k if what == "cct" else found.duv
    return float("nan") if value is None else value


def space_ratio_of_backlight(xy_percent: float, upvp_percent: float) -> float:
    """Area over NTSC in u'v' nearest to a published one, of dots whose area in xy is the published one.

    A free fit: peaks of red 610 to 660 nm, green 515 to 545 nm, blue 440 to 475 nm; red and green 30 nm
    wide, blue 20 nm; xy areas within 0.5 points of the one asked for. NaN where no peaks give it.
    """
    best = float("nan")
    for red in range(610, 661, 10):
        for green in range(515, 546, 2):
            for blue in range(440, 476, 5):
                found = _judged(f"G{red}/30", f"G{green}/30", f"G{blue}/20").gamuts["ntsc"]
                if abs(100.0 * found["xy"].area_ratio - xy_percent) > 0.5:
                    continue
                value = 100.0 * found["upvp"].area_ratio
                if not abs(value - upvp_percent) > abs(best - upvp_percent):
                    best = value
    return best
