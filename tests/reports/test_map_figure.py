"""The picture of a map: lines, planes and samples, gaps shown, the same bytes for the same map."""

import numpy as np
import pytest

from perolux.reports.map_figure import draw_map

EDGE = np.array([4.0, 5.0, np.nan, 7.0, 400.0, 9.0])
CV = np.where(np.isnan(EDGE), np.nan, 0.1)
PLANE = np.array([(x, y) for x in (140.0, 160.0, 180.0) for y in (0.1, 1.0)])


@pytest.mark.parametrize(
    ("places", "shape", "words"),
    [
        (np.linspace(140.0, 190.0, 6)[:, None], [6], "one standard deviation"),
        (np.linspace(140.0, 190.0, 6)[:, None], None, "no crystals, or not possible"),
        (PLANE, [3, 2], "grey: no crystals"),
        (PLANE, None, "mean edge (nm)"),
    ],
)
@pytest.mark.slow
def test_it_names_its_axes_and_its_gaps(places, shape, words):
    axes = places.shape[1]
    titles = ["vessel.temperature (degC)", "volume (mL)"][:axes]
    drawn = draw_map(titles, [False, True][:axes], places, EDGE, CV, shape)
    text = drawn.decode("utf-8")
    assert all(title in text for title in titles) and words in text
    assert drawn == draw_map(titles, [False, True][:axes], places, EDGE, CV, shape)


def test_a_list_need_not_rise():
    order = np.array([4, 5, 0, 1, 2, 3])
    one = draw_map(["a", "b"], [False, False], PLANE, EDGE, CV, [3, 2])
    assert draw_map(["a", "b"], [False, False], PLANE[order], EDGE[order], CV[order], [3, 2]) == one
