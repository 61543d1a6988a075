"""The report of a display: gamut in true colour, spectra through the stack, rays in a pixel, tables."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perolux import __version__
from perolux.display.backlight_display import BacklightDisplay
from perolux.display.converter_display import ConverterDisplay
from perolux.display.emitters import GRID_NM
from perolux.display.led_display import LedDisplay
from perolux.display.stack import DisplayRun
from perolux.display.stack_film import BuiltFilm
from perolux.files import whole_folder, write_bytes, write_json, write_text
from perolux.reports.display_words import gamut_rows, hours_text, rows_of, set_rows
from perolux.reports.gamut_figure import gamut_picture, gamut_pictures
from perolux.reports.html import environment, static_text
from perolux.reports.passport_drawing import Plot, make_plot
from perolux.reports.words import Figure, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["render_display", "write_display_report"]

FloatArray = npt.NDArray[np.float64]
_COLOURS = {"red": "#d62728", "green": "#2ca02c", "blue": "#1f4fd6"}
_OTHERS = ("#7a7a7a", "#000000")
_PATHS = 12


@dataclass(frozen=True)
class _Picture:
    title: str
    caption: str
    data: str


def write_display_report(found: DisplayRun, out: Path, file: Path) -> Path:
    """Write report.html, result.json, spectra.csv, pictures and the display's file into a new folder, whole
    or not at all."""
    with whole_folder(out) as folder:
        write_json(folder / "result.json", found.as_dict() | {"perolux": __version__})
        write_bytes(folder / "display.toml", file.read_bytes())
        spectra = _spectra(found)
        head = ",".join(["wavelength_nm", *(name.replace(" ", "_") for name in spectra)])
        table = np.column_stack([GRID_NM, *spectra.values()])
        rows = "".join(",".join(f"{x:.8g}" for x in row) + "\n" for row in table.tolist())
        write_text(folder / "spectra.csv", head + "\n" + rows)
        pictures: dict[str, bytes] = {}
        if not isinstance(found.result, LedDisplay):
            pictures = gamut_pictures(found.result.gamut, ("svg", "pdf"))
            for kind, data in pictures.items():
                write_bytes(folder / f"gamut.{kind}", data)
        html = render_display(found, found.stack.name or file.stem, pictures.get("svg"))
        write_text(folder / "report.html", html)
    return out


def render_display(found: DisplayRun, title: str, gamut_svg: bytes | None = None) -> str:
    """The report as one HTML document without a script. gamut_svg: the diagrams; drawn here if left out."""
    from markupsafe import Markup

    record = found.as_dict()
    gamut = record.get("gamut")
    films = (
        {"film": record} if found.stack.kind == "film" else record if found.stack.kind == "converter" else {}
    )
    judged = [(name, films[name]["film"]["lead"]) for name in ("film", "green", "red") if name in films]
    return (
        environment()
        .get_template("display.html.j2")
        .render(
            title=title,
            version=__version__,
            created=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            css=Markup(static_text("report.css")),
            record=record,
            rows=[row for row in rows_of(record) if ": area; coverage" not in row[0]],
            gamut=[] if gamut is None else gamut_rows(gamut),
            sigmas=(found.stack.sigma_center_nm, found.stack.sigma_fwhm_nm),
            verdicts=[(name, lead["verdict"]) for name, lead in judged if lead is not None],
            lifetimes=record["lifetimes"],
            hours_text=hours_text,
            sets=set_rows(record),
            figures=_figures(found, record),
            pictures=_pictures(found, gamut_svg),
            plots=_plots(found),
        )
    )


def _figures(found: DisplayRun, record: dict[str, Any]) -> list[Figure]:
    result = found.result
    if isinstance(result, LedDisplay):
        return [
            Figure(
                "EQE",
                number(100 * result.chain.eqe, 1),
                "%",
                f"outcoupling {100 * result.chain.outcoupling:.1f} %",
            ),
            Figure("efficacy", number(result.ler_lm_per_w, 0), "lm/W", "per optical watt"),
        ]
    rec2020 = record["gamut"]["gamuts"]["rec2020"]
    figures = [
        Figure(
            f"Rec.2020, {name}", number(rec2020[space]["coverage_percent"], 1), "%",
            f"coverage ± {rec2020[space]['coverage_sigma']:.1f}; area {rec2020[space]['area_percent']:.1f} %",
        )
        for space, name in (("xy", "xy"), ("upvp", "u′v′"))
    ]  # fmt: skip
    if record["lm_per_electrical_w"] is not None:
        figures.append(
            Figure(
                "light", number(record["lm_per_electrical_w"], 1), "lm/W",
                f"electrical, at the white; {record['lm_per_optical_w']:.1f} per watt of the source's light",
            )
        )  # fmt: skip
    if isinstance(result, BacklightDisplay):
        lead = result.film.lead
        if lead is not None:
            figures.append(Figure("lead", number(lead.ppm, 0), "ppm", f"limit {lead.limit_ppm:g} by mass"))
        if result.passes is not None:
            figures.append(
                Figure("blue passes", number(result.passes, 2), "", "times that blue falls on the film")
            )
    elif result.gain_over_filters is not None:
        figures.append(
            Figure(
                "gain",
                number(100 * result.gain_over_filters, 0),
                "%",
                "more light than behind filters, panel left out",
            )
        )
    return figures


def _spectra(found: DisplayRun) -> dict[str, FloatArray]:
    if isinstance(found.result, LedDisplay):
        return {"light": found.result.emission.power}
    return found.result.spectra


def _pictures(found: DisplayRun, gamut_svg: bytes | None) -> list[_Picture]:
    pictures = []
    if not isinstance(found.result, LedDisplay):
        drawn = gamut_picture(found.result.gamut) if gamut_svg is None else gamut_svg
        data = base64.b64encode(drawn).decode("ascii")
        pictures.append(
            _Picture(
                "Gamut diagrams", "Primaries in CIE xy and u′v′ beside four standards; ellipses hold 95 % of "
                "what the spread of peaks and widths makes of them. Colours beyond a screen are drawn as "
                "near as sRGB comes.", data,
            )
        )  # fmt: skip
    return pictures


def _plots(found: DisplayRun) -> list[Plot]:
    plots = [_through(found)]
    result = found.result
    if isinstance(result, BacklightDisplay):
        plots.append(_absorption("film", result.film))
    elif isinstance(result, ConverterDisplay):
        plots += [_absorption("green", result.green.film), _absorption("red", result.red.film)]
        plots.append(_rays(result))
    return plots


def _through(found: DisplayRun) -> Plot:
    spectra = _spectra(found)

    def draw(axis: Axes) -> None:
        others = iter(_OTHERS)
        for name, power in spectra.items():
            axis.plot(GRID_NM, power, lw=1.0, label=name, color=_COLOURS.get(name) or next(others, "#999999"))
        axis.set(xlabel="wavelength (nm)", ylabel="power per nm", xlim=(400, 720), ylim=(0, None))
        axis.legend(fontsize=7)

    return make_plot(
        "spectra", "Spectra through the stack",
        "Power per nm of the LED, sum 1."
        if isinstance(result := found.result, LedDisplay)
        else "Power per nm for one watt of the source's light: source, "
        + ("what leaves the film, " if isinstance(result, BacklightDisplay) else "")
        + "and each sub-pixel.",
        draw,
    )  # fmt: skip


def _absorption(name: str, film: BuiltFilm) -> Plot:
    def draw(axis: Axes) -> None:
        absorbed = -np.expm1(-film.slab.depth)
        axis.plot(GRID_NM, 100 * absorbed, color="black", lw=1.0, label="absorbed in one pass")
        emitted = film.emission.photons
        axis.fill_between(
            GRID_NM,
            100 * emitted / emitted.max(),
            color=_COLOURS.get(name, "#2ca02c"),
            alpha=0.25,
            lw=0,
            label="emitted",
        )
        axis.set(xlabel="wavelength (nm)", ylabel="%", xlim=(400, 720), ylim=(0, 104))
        axis.legend(fontsize=7)

    return make_plot(
        f"absorption-{name}", f"Absorption and emission, {name}",
        f"{name}: light absorbed in one pass through {film.file.thickness:g} um, and the emission (scaled). "
        "Where they overlap, light is absorbed again.",
        draw,
    )  # fmt: skip


def _rays(result: ConverterDisplay) -> Plot:
    from perolux.display.converter_display import pixel_array
    from perolux.display.pixel_rays import ray_paths
    from perolux.reports.ray_figure import draw_ray_paths

    one = result.green
    array = pixel_array(result.stack.pixel, one.film)
    paths = ray_paths(one.film.slab, array, _PATHS, np.random.default_rng(0), scatterers=one.scatterers)

    def draw(axis: Axes) -> None:
        draw_ray_paths(axis, paths, array, 1.6 * array.pitch_um)

    return make_plot(
        "rays", "Ways of photons in the green sub-pixel",
        f"{_PATHS} photons that came in from below, in the colour of their light; crosses: absorbed for "
        "good.",
        draw,
    )  # fmt: skip
