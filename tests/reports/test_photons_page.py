"""The page of a long record stays a page: a point for every so many stretches, and it says so."""

from types import SimpleNamespace

import numpy as np
import pytest

from perolux.reports import photons


@pytest.mark.parametrize(
    ("stretches", "every", "told"), [(4, 1, "a stretch"), (23, 3, "for every 3 stretches")]
)
def test_no_more_points_than_a_page_holds(
    monkeypatch: pytest.MonkeyPatch, stretches: int, every: int, told: str
) -> None:
    drawn = []
    monkeypatch.setattr(photons, "_MOST_POINTS", 10)

    def make_plot(_name, _title, caption, draw):
        draw(SimpleNamespace(scatter=lambda x, y, **_: drawn.append(x), set=lambda **_: None))
        return caption

    monkeypatch.setattr(photons, "make_plot", make_plot)
    lifetime = np.arange(1.0, stretches + 2)
    lifetime[1] = np.nan
    segments = SimpleNamespace(photons=np.full(stretches + 1, 100), rate_cps=lifetime * 1e3)
    caption = photons._flid(SimpleNamespace(segments=segments, flid_correlation=None), lifetime)
    assert f"One point {told} of" in caption
    np.testing.assert_array_equal(drawn[0], np.delete(lifetime, 1)[::every])
