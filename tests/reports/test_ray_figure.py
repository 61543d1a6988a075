"""The picture of ray paths is drawn for pixels and plates."""

from __future__ import annotations

import numpy as np

from perolux.display.pixel_rays import PixelArray, Plate, ray_paths
from perolux.display.reference_slab import reference_slab
from perolux.reports.ray_figure import ray_picture


def test_picture_of_a_pixel_and_of_a_plate():
    slab = reference_slab(1.6, 2.3, 0.9)
    for shape in (PixelArray(12.5, 4.0, "black", 2.0, neighbours=2), Plate(20.0, 4.0, "black")):
        paths = ray_paths(slab, shape, 5, np.random.default_rng(1))
        picture = ray_picture(paths, shape)
        assert b"<svg" in picture[:400]
        assert ray_picture(paths, shape, "png", shown_um=30.0)[:4] == b"\x89PNG"
