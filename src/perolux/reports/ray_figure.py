"""The picture of ray paths in pixels: a cut through the film, ways of photons in their colour, walls."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from perolux.display.pixel_rays import PixelArray, Plate, RayPath
from perolux.reports.figures import STYLE, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_ray_paths", "ray_picture"]

_OUT = 0.35
"""Length of the arrow of a photon that leaves, of the thickness."""
_LEAVE = {"t_blue": 1.0, "t_em": 1.0, "r_blue": -1.0, "r_em": -1.0}


def draw_ray_paths(
    axis: Axes, paths: Sequence[RayPath], shape: PixelArray | Plate, shown_um: float | None = None
) -> None:
    """Ways seen from the side (x and z; y is looked along), in the colour of the light, arrows where they
    leave; crosses where they are absorbed for good. shown_um: width of the picture; three pixels where None.
    """
    from matplotlib.collections import LineCollection

    from perolux.display.colour import spectral_locus, srgb_hex

    nm, x, y = spectral_locus()
    t = shape.thickness_um
    pitch = shape.pitch_um if isinstance(shape, PixelArray) else shape.side_um
    half = 0.5 * (shown_um if shown_um is not None else 3.0 * pitch)
    axis.axhspan(0.0, t, facecolor="#f2f2f2", lw=0, zorder=0)
    axis.axhline(0.0, color="black", lw=0.8)
    axis.axhline(t, color="black", lw=0.8)
    if isinstance(shape, PixelArray):
        height = 0.0 if shape.walls == "none" else shape.wall_um if shape.wall_um is not None else t
        for k in range(-shape.neighbours, shape.neighbours):
            edge = (k + 0.5) * pitch
            if abs(edge) <= half:
                axis.plot([edge, edge], [0.0, t], ":", color="#999999", lw=0.6)
                axis.plot([edge, edge], [0.0, height], "-", color="black", lw=1.6, solid_capstyle="butt")
    for path in paths:
        lines, place = np.unique(path.wavelength_nm, return_inverse=True)
        colour_of = [srgb_hex(float(np.interp(w, nm, x)), float(np.interp(w, nm, y))) for w in lines]
        colours = [colour_of[k] for k in place]
        seen = path.point_um[:, [0, 2]]
        legs = np.stack([seen[:-1], seen[1:]], axis=1)
        # one collection a way: a photon that is guided for long has thousands of legs
        axis.add_collection(LineCollection(list(legs), colors=colours[:-1], linewidths=0.7, zorder=2))
        last = path.point_um[-1]
        if path.end in _LEAVE:
            up = _LEAVE[path.end]
            # the colour and the side are what counts: the arrow stands upright, not along the refracted ray
            axis.annotate(
                "", (last[0], last[2] + up * _OUT * t), (last[0], last[2]), zorder=3,
                arrowprops={"arrowstyle": "->", "color": colours[-1], "lw": 0.8, "shrinkA": 0.0},
            )  # fmt: skip
        else:
            axis.plot(last[0], last[2], "x", color="#444444", ms=3.5, mew=0.8, zorder=3)
    axis.set(xlim=(-half, half), ylim=(-0.5 * t, 1.5 * t), xlabel="x, µm", ylabel="z, µm")


def ray_picture(
    paths: Sequence[RayPath], shape: PixelArray | Plate, kind: str = "svg", shown_um: float | None = None
) -> bytes:
    """The drawing as the bytes of a picture (svg, png or pdf)."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with matplotlib.rc_context(cast("Any", STYLE)):
        figure = new_figure(7.2, 2.4)
        FigureCanvasAgg(figure)
        draw_ray_paths(figure.subplots(), paths, shape, shown_um)
        buffer = io.BytesIO()
        figure.savefig(buffer, format=kind, dpi=200, metadata={"Date": None} if kind == "svg" else None)
    return buffer.getvalue()
