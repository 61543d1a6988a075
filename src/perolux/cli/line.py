"""`perolux line`: the emission line behind a chromaticity."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from perolux.cli.console import numbers_of, print_json, print_table
from perolux.errors import OptionError

__all__ = ["line"]


def line(
    xy: Annotated[str, Parameter(help="CIE x,y, e.g. 0.169,0.760")],
    /,
    *,
    peak: Annotated[
        float | None, Parameter(help="of the line in nm, where it is known: gives the width")
    ] = None,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Peak and width of the line that has a chromaticity; with --peak the width that comes nearest."""
    from perolux.display.appearance import colour_temperature
    from perolux.display.colour import uv_prime
    from perolux.display.line_of_colour import line_of_colour, width_of_colour

    values = numbers_of(xy, "X,Y", "coordinate", "two numbers, e.g. 0.169,0.760", 2)
    if len(values) != 2:
        raise OptionError(f"{xy!r}", where="X,Y", allowed="two numbers, e.g. 0.169,0.760")
    x, y = values
    found = line_of_colour(x, y) if peak is None else width_of_colour(x, y, peak)
    white = colour_temperature(x, y)
    record = {
        "xy": [x, y],
        "uv_prime": list(uv_prime(x, y)),
        "center_nm": found.center_nm,
        "fwhm_nm": found.fwhm_nm,
        "line_xy": list(found.xy),
        "distance_xy": found.distance,
        "cct_k": white.cct_k,
        "duv": white.duv,
        "cct_reason": white.reason,
    }
    if json:
        print_json(record)
        return
    print_table(
        "Line of a colour",
        ["quantity", "value", "unit"],
        [
            ["peak" + (" (given)" if peak is not None else ""), f"{found.center_nm:.2f}", "nm"],
            ["width, FWHM", f"{found.fwhm_nm:.2f}", "nm"],
            ["colour of that line", f"{found.xy[0]:.4f}, {found.xy[1]:.4f}", "xy"],
            ["distance from the colour asked for", f"{found.distance:.2g}", "xy"],
        ],
        "A Gaussian in wavelength, power per nm. Beyond about 570 nm lines of other widths look alike.",
    )
