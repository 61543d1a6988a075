"""The gamut diagram: CIE xy and u'v' in true colour, standards, primaries with their spread, white."""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from perolux.display.colour import spectral_locus, srgb_shown, uv_prime
from perolux.display.gamut import gamut_triangle
from perolux.display.primaries import STANDARDS, GamutOfPrimaries
from perolux.errors import OptionError
from perolux.reports.figures import STYLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_gamut", "gamut_picture", "gamut_pictures", "write_gamut_figure"]

FloatArray = npt.NDArray[np.float64]
_FORMATS = ("png", "svg", "pdf")
_PIXELS = 256
_LIMITS = {"xy": ((-0.06, 0.78), (-0.02, 0.88)), "u'v'": ((-0.06, 0.66), (-0.02, 0.62))}
_LINES = {"rec2020": "-", "dci-p3": "--", "ntsc": "-.", "rec709": ":"}
_MARKS_NM = (460, 470, 480, 490, 500, 510, 520, 530, 540, 560, 580, 600, 620, 700)


def draw_gamut(
    axis: Axes, found: GamutOfPrimaries, space: str, names: Sequence[str] = tuple(STANDARDS)
) -> None:
    """One diagram on given axes. space: "xy" or "u'v'"; names: the standards to draw."""
    _background(axis, space)
    for name in names:
        corners = gamut_triangle(STANDARDS[name], "xy" if space == "xy" else "u'v'")
        closed = np.vstack([corners, corners[:1]])
        axis.plot(closed[:, 0], closed[:, 1], _LINES[name], color="black", lw=0.9, label=STANDARDS[name])
    corners = _placed(np.array(found.xy), space)
    closed = np.vstack([corners, corners[:1]])
    axis.plot(closed[:, 0], closed[:, 1], "-", color="white", lw=2.6)
    axis.plot(closed[:, 0], closed[:, 1], "-", color="#b00020", lw=1.3, label="these primaries")
    for xy, covariance in zip(found.xy, found.spread.xy, strict=True):
        around = _placed(_ellipse(np.array(xy), covariance), space)
        axis.fill(around[:, 0], around[:, 1], facecolor="none", edgecolor="#b00020", lw=0.8)
    white = _placed(np.array([found.white_xy]), space)[0]
    axis.plot(*white, "+", ms=6, mew=1.0, color="black", label="white")
    axis.set(xlim=_LIMITS[space][0], ylim=_LIMITS[space][1])
    axis.set_aspect("equal")
    axis.set_xlabel("x" if space == "xy" else "u'", style="italic")
    # an apostrophe: a prime would be a second font in the pdf, a quarter of a second
    axis.set_ylabel("y" if space == "xy" else "v'", style="italic")


def write_gamut_figure(found: GamutOfPrimaries, path: Path) -> None:
    """Write the diagrams in both spaces side by side; the format by the ending (.png, .svg, .pdf)."""
    kind = path.suffix.lstrip(".").lower()
    if kind not in _FORMATS:
        raise OptionError(f"a picture of kind {path.suffix!r}", where=str(path), allowed=".png, .svg, .pdf")
    from perolux.files import write_bytes

    write_bytes(path, gamut_picture(found, kind))


def gamut_picture(found: GamutOfPrimaries, kind: str = "svg", dpi: int = 300) -> bytes:
    """The diagrams in both spaces as the bytes of a picture."""
    return gamut_pictures(found, (kind,), dpi)[kind]


def gamut_pictures(found: GamutOfPrimaries, kinds: Sequence[str], dpi: int = 300) -> dict[str, bytes]:
    """The diagrams in both spaces in several formats from one drawing, by the name of the format."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(cast("Any", STYLE)):
        # room that is known beforehand: finding the layout takes as long as drawing
        figure = Figure(figsize=(7.2, 4.0))
        figure.subplots_adjust(left=0.07, right=0.99, bottom=0.1, top=0.98, wspace=0.15)
        FigureCanvasAgg(figure)
        for axis, space in zip(figure.subplots(1, 2), ("xy", "u'v'"), strict=True):
            draw_gamut(axis, found, space)
        figure.axes[0].legend(fontsize=6, loc="upper right")
        pictures = {}
        for kind in kinds:
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind, dpi=dpi, metadata={"Date": None} if kind == "svg" else None)
            pictures[kind] = buffer.getvalue()
    return pictures


def _placed(xy: FloatArray, space: str) -> FloatArray:
    return xy if space == "xy" else np.stack(uv_prime(xy[:, 0], xy[:, 1]), axis=1)


def _ellipse(center: FloatArray, covariance: FloatArray) -> FloatArray:
    """Points of the ellipse that holds 95 % of a two-dimensional normal distribution."""
    values, vectors = np.linalg.eigh(covariance)
    angle = np.linspace(0.0, 2.0 * np.pi, 60)
    radius = np.sqrt(-2.0 * np.log(0.05) * np.maximum(values, 0.0))
    around: FloatArray = center + (np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius) @ vectors.T
    return around


@cache
def _image(space: str) -> npt.NDArray[np.uint8]:
    """Colours over the whole diagram, (256, 256, 4); the outline of the locus cuts the picture."""
    (left, right), (low, high) = _LIMITS[space]
    a, b = np.meshgrid(np.linspace(left, right, _PIXELS), np.linspace(low, high, _PIXELS))
    if space == "xy":
        px, py = a, b
    else:
        below = 6.0 * a - 16.0 * b + 12.0
        px, py = 9.0 * a / below, 4.0 * b / below
    usable = (py > 1e-4) & (px > -0.02) & (px + py < 1.02)
    image = np.full((*a.shape, 4), 255, dtype=np.uint8)
    image[..., 3] = 0
    image[usable, :3] = np.rint(255.0 * (0.25 + 0.75 * srgb_shown(px[usable], py[usable])))
    image[usable, 3] = 255
    image.flags.writeable = False
    return image


def _background(axis: Axes, space: str) -> None:
    """Every colour in the spectral locus as near as sRGB comes to it, the locus and its wavelengths."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Outline

    nm, x, y = spectral_locus()
    locus = _placed(np.stack([x, y], axis=1), space)
    (left, right), (low, high) = _LIMITS[space]
    image = _image(space)
    # vector formats hold the picture as it is: to sample it anew for each of them takes most of the drawing
    shown = axis.imshow(
        image, extent=(left, right, low, high), origin="lower", aspect="equal", interpolation="none", zorder=0
    )
    outline = PathPatch(Outline(np.vstack([locus, locus[:1]])), facecolor="none", edgecolor="black", lw=0.7)
    axis.add_patch(outline)
    shown.set_clip_path(outline)
    middle = locus.mean(axis=0)
    for mark in _MARKS_NM:
        k = int(np.argmin(np.abs(nm - mark)))
        away = locus[k] - middle
        offset = 5.0 * away / np.hypot(*away)
        axis.annotate(
            str(mark), locus[k], xytext=tuple(offset), textcoords="offset points", fontsize=5,
            ha="center", va="center", color="#444444",
        )  # fmt: skip
