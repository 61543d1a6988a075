"""`perolux gamut`: what three primaries cover, their white and its efficacy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from perolux.cli.console import numbers_of, print_json, print_table
from perolux.errors import OptionError

if TYPE_CHECKING:
    from perolux.display.primaries import GamutOfPrimaries

__all__ = ["gamut"]

_HELP = "G530/22 (center/FWHM in nm), L532, KSF6, InP530, CdSe630, or a file of a spectrum (FILE::LABEL)"


def gamut(
    red: Annotated[str, Parameter(help=_HELP)],
    green: Annotated[str, Parameter(help="as RED")],
    blue: Annotated[str, Parameter(help="as RED")],
    /,
    *,
    white: Annotated[str | None, Parameter(help="CIE x,y of the white; D65 otherwise")] = None,
    filters: Annotated[
        str | None,
        Parameter(help="colour filters: a table (wavelength_nm, red, green, blue), default or narrow-blue"),
    ] = None,
    sigma: Annotated[
        str, Parameter(help="standard deviations of the primaries' peak and FWHM in nm")
    ] = "1,1",
    volume: Annotated[
        float | None,
        Parameter(help="volume of colours in ICtCp at this peak luminance in cd/m2, over that of Rec.2020"),
    ] = None,
    quantity: Annotated[
        Literal["photons", "power"], Parameter(help="what a file's values are per nm")
    ] = "photons",
    out: Annotated[
        Path | None, Parameter(help="a picture (.png, .svg, .pdf) of the gamut in xy and u'v'")
    ] = None,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Area and coverage of Rec.2020, DCI-P3, NTSC and Rec.709 in xy and u'v', white and lm/W."""
    from perolux.display.emitters import emitter
    from perolux.display.filters import filter_set
    from perolux.display.primaries import gamut_of_primaries
    from perolux.display.white import D65

    white_xy = D65 if white is None else _pair(white, "--white", "0.3127,0.3290")
    center, width = _pair(sigma, "--sigma", "1,1")
    found = gamut_of_primaries(
        [emitter(text, quantity) for text in (red, green, blue)],
        white_xy,
        filters=None if filters is None else filter_set(filters),
        sigma_center_nm=center,
        sigma_fwhm_nm=width,
    )
    solid = None
    if volume is not None:
        import numpy as np

        from perolux.display.appearance import ictcp_volume

        solid = ictcp_volume(np.array(found.xy), found.white_xy, volume)
    if out is not None:
        from perolux.reports.gamut_figure import write_gamut_figure

        write_gamut_figure(found, out)
    if json:
        record = found.as_dict()
        if solid is not None:
            record["ictcp"] = {
                "volume": solid.volume,
                "over_rec2020": solid.over_rec2020,
                "peak_cd_per_m2": solid.peak_cd_per_m2,
            }
        print_json(record)
    else:
        _show(found, out)
        if solid is not None:
            print_table(
                "",
                ["volume in ICtCp (PQ)", "over Rec.2020 (%)"],
                [[f"{solid.volume:.5g}", f"{100 * solid.over_rec2020:.1f}"]],
                f"peak luminance {solid.peak_cd_per_m2:g} cd/m2",
            )


def _pair(text: str, option: str, example: str) -> tuple[float, float]:
    values = numbers_of(text, option, "number", f"two numbers, e.g. {example}", 2)
    if len(values) != 2:
        raise OptionError(f"{text!r}", where=option, allowed=f"two numbers, e.g. {example}")
    return values[0], values[1]


def _show(found: GamutOfPrimaries, out: Path | None) -> None:
    from perolux.display.primaries import STANDARDS

    rows = [
        [STANDARDS[name]]
        + [
            f"{100 * value:.2f} +- {100 * sigma[name, space]:.2g}"
            for space, c in spaces.items()
            for value, sigma in ((c.area_ratio, found.spread.area), (c.coverage, found.spread.coverage))
        ]
        for name, spaces in found.gamuts.items()
    ]
    corners = "; ".join(
        f"{colour} {name} ({x:.4f}, {y:.4f})"
        for colour, name, (x, y) in zip(("red", "green", "blue"), found.names, found.xy, strict=True)
    )
    lines = [corners]
    if found.white is not None:
        split = ", ".join(f"{100 * share:.2f} %" for share in found.white.power_fractions)
        lines.append(
            f"white ({found.white_xy[0]:g}, {found.white_xy[1]:g}): power of R, G, B {split}; "
            f"{found.white.ler_lm_per_w:.1f} lm per optical W"
        )
    if (behind := found.filtered) is not None:
        lines.append(
            f"behind the filters {behind.filters.name}: {100 * behind.throughput:.1f} % of the power and "
            f"{100 * behind.luminous_throughput:.1f} % of the lumen pass"
        )
    lines.append(
        f"+- for {found.spread.center_nm:g} nm in each peak and {found.spread.fwhm_nm:g} nm in each width"
    )
    lines += [*found.warnings, *(f"rests on {text}" for text in found.rests_on)]
    lines += [str(out)] if out is not None else []
    columns = ["standard", "xy area (%)", "xy coverage (%)", "u'v' area (%)", "u'v' coverage (%)"]
    print_table("Gamut", columns, rows, "\n".join(lines))
