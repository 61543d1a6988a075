"""Plates and pixels: the plain twin, the infinite slab, solid angles, and what paths say."""

from __future__ import annotations

import numpy as np
import pytest

from perolux.display.pixel_plain import pixel_ends_plain
from perolux.display.pixel_rays import PixelArray, Plate, pixel_light, ray_paths
from perolux.display.rays import Scatterers
from perolux.display.reference_slab import reference_slab
from perolux.display.slab import Slab, slab_light
from perolux.errors import ModelRangeError, OptionError

ENDS = (
    "t_blue", "r_blue", "t_em", "r_em", "loss", "host_loss", "mirror_loss", "edge_blue", "edge_em",
    "wall_loss",
)  # fmt: skip
FILM = reference_slab(1.6, 2.3, 0.9, 0.3)
SHAPES = {
    "fresnel": (Plate(30, 1, lit_um=0), 0.0),
    "black": (Plate(8, 1, "black"), 1.0),
    "reflecting": (Plate(5, 1, "reflecting", 0.7), 1.0),
    "glass": (Plate(8, 1, outside_index=1.4), 0.0),
    "no walls": (PixelArray(12.5, 4, neighbours=3), 0.0),
    "half walls": (PixelArray(12.5, 4, "black", 2.0, neighbours=3), 0.0),
    "grey walls": (PixelArray(12.5, 4, "reflecting", 3.0, 0.8, neighbours=3), 2.0),
    "sealed": (PixelArray(12.5, 4, "reflecting", None, 1.0, neighbours=3), 0.0),
}


@pytest.mark.parametrize("name", SHAPES)
def test_kernel_against_its_plain_twin(name):
    shape, scatter = SHAPES[name]
    photons = 20_000
    plain, on = pixel_ends_plain(FILM, shape, photons, np.random.default_rng(5), Scatterers(scatter))
    found = pixel_light(FILM, shape, 200_000, np.random.default_rng(6), scatterers=Scatterers(scatter))
    p = np.array([getattr(found, end) for end in ENDS])
    sigma = np.sqrt(p * (1.0 - p) / photons * 1.1)
    assert np.all(np.abs(plain - p) <= 4.0 * sigma + 1e-12)
    counted = found.forward_map * photons > 5.0
    z = (on - found.forward_map)[counted] / np.sqrt(found.forward_map[counted] / photons * 1.1)
    assert np.all(np.abs(z) < 4.5)
    assert abs(found.balance) < 1e-12
    assert np.sum(found.forward_map) == pytest.approx(found.t_em, abs=1e-12)


@pytest.mark.parametrize("name", SHAPES)
def test_folded_ways_against_walking_from_plane_to_plane(name):
    shape, scatter = SHAPES[name]
    once = pixel_light(FILM, shape, 100_000, np.random.default_rng(7), scatterers=Scatterers(scatter))
    steps = pixel_light(
        FILM, shape, 50_000, np.random.default_rng(8), scatterers=Scatterers(scatter), step_by_step=True
    )
    for end in (*ENDS, "emissions_per_photon"):
        spread = np.hypot(once.sigma[end], steps.sigma[end])
        assert abs(getattr(once, end) - getattr(steps, end)) <= 4.0 * spread + 1e-12, end


def test_pixels_with_perfect_walls_are_the_infinite_slab():
    slab = reference_slab(1.6, 4.60517, 0.95)
    exact = slab_light(slab)
    found = pixel_light(slab, PixelArray(45, 4, "reflecting", None, 1.0), 200_000, np.random.default_rng(1))
    for name in ("t_blue", "r_blue", "t_em", "r_em", "loss", "emissions_per_photon"):
        assert getattr(found, name) == pytest.approx(getattr(exact, name), abs=4.0 * found.sigma[name])
    assert found.cross_talk() == 0.0


def test_light_of_a_point_goes_by_solid_angle():
    # no faces, all emitted at the lit point: over the square of side p seen from a depth t in its middle
    # Omega = 4 arcsin((p/2)^2/((p/2)^2 + t^2))
    slab = Slab(1.0, np.array([525.0]), np.zeros(1), np.ones(1), 1.0, source_depth=1e5)
    found = pixel_light(
        slab, PixelArray(12.5, 4.5, lit_um=0, neighbours=40), 400_000, np.random.default_rng(3)
    )
    half = 6.25**2
    share = 4.0 * np.arcsin(half / (half + 4.5**2)) / (4.0 * np.pi)
    middle = found.forward_map[40, 40]
    assert middle == pytest.approx(share, abs=4.0 * np.sqrt(share / 400_000))
    assert found.t_em + found.edge_em == pytest.approx(0.5, abs=0.004)


def test_a_slab_of_the_size_that_pvtrace_was_run_on():
    # published side by side: T .220, R .200, edge .197, loss .213 of 300 photons, sigma about .024 each
    slab = reference_slab(1.6, 2.302585, 0.9)
    found = pixel_light(slab, Plate(100, 1, lit_um=0), 100_000, np.random.default_rng(2))
    for name, target in (("t_em", 0.220), ("r_em", 0.200), ("edge_em", 0.197), ("loss", 0.213)):
        assert getattr(found, name) == pytest.approx(target, abs=3.0 * 0.024)


def test_cross_talk_falls_with_the_pitch_and_with_walls():
    slab = reference_slab(1.6, 4.60517, 0.95)
    rng = np.random.default_rng(4)
    talk = [pixel_light(slab, PixelArray(pitch, 4.0), 30_000, rng).cross_talk() for pitch in (12.5, 45, 200)]
    assert talk[0] > talk[1] + 0.05 > talk[2] + 0.1
    half = pixel_light(slab, PixelArray(45, 4.0, "black", 2.0), 30_000, rng)
    assert 0.0 < half.cross_talk() < talk[1]
    assert half.wall_loss > 0.3
    whole = pixel_light(slab, PixelArray(45, 4.0, "black"), 30_000, rng)
    assert whole.cross_talk() == 0.0
    nearest = half.by_distance()[:3]
    assert [(a, b) for a, b, _ in nearest] == [(0, 0), (1, 0), (1, 1)]
    assert nearest[0][2] > nearest[1][2] > nearest[2][2]
    total = sum(share * (1 if a == 0 else 4 if b in (0, a) else 8) for a, b, share in half.by_distance())
    assert total == pytest.approx(1.0, abs=1e-9)


def test_threads_do_not_change_the_result():
    found = [
        pixel_light(FILM, SHAPES["half walls"][0], 5000, np.random.default_rng(9), threads=threads)
        for threads in (1, 2)
    ]
    np.testing.assert_array_equal(found[0].forward_map, found[1].forward_map)
    assert found[0].sigma == found[1].sigma


def test_paths_stay_in_the_film_and_end_where_photons_do():
    shape = PixelArray(12.5, 4.0, "reflecting", 3.0, 0.9, neighbours=3)
    paths = ray_paths(FILM, shape, 300, np.random.default_rng(10), scatterers=Scatterers(1.0))
    ends = [path.end for path in paths]
    for path in paths:
        assert path.kind[0] == "start" and path.kind[-1] == "end" and path.complete
        assert np.all((path.point_um[:, 2] >= -1e-9) & (path.point_um[:, 2] <= 4.0 + 1e-9))
        assert np.all(np.abs(path.point_um[:, :2]) <= 3.5 * 12.5 + 1e-9)
        if path.end in ("t_blue", "t_em"):
            assert path.point_um[-1, 2] == pytest.approx(4.0)
        assert path.wavelength_nm[0] == 450.0
        # walls stand between the pixels, up to 3 um
        for point, kind in zip(path.point_um, path.kind, strict=True):
            if kind == "side" and np.max(np.abs(point[:2])) < 43.0:
                assert point[2] <= 3.0
                assert np.min(np.abs(np.abs(point[:2]) % 12.5 - 6.25)) < 1e-9
    found = pixel_light(FILM, shape, 50_000, np.random.default_rng(11), scatterers=Scatterers(1.0))
    for name in ("t_em", "r_em", "loss"):
        p = getattr(found, name)
        assert ends.count(name) / 300 == pytest.approx(p, abs=4.0 * np.sqrt(p * (1.0 - p) / 300))


def test_what_cannot_be_asked():
    with pytest.raises(ModelRangeError, match="5 um"):
        PixelArray(2.0, 1.0)
    with pytest.raises(OptionError, match="walls"):
        PixelArray(45, 4, "white")
    with pytest.raises(OptionError, match="high"):
        PixelArray(45, 4, "black", 5.0)
    with pytest.raises(OptionError, match="sides"):
        Plate(100, 1, "open")
    with pytest.raises(OptionError, match="lit"):
        Plate(100, 1, lit_um=200)
    with pytest.raises(OptionError, match="reflectance"):
        Plate(100, 1, "reflecting", 1.2)
    with pytest.raises(OptionError, match="thickness_um"):
        PixelArray(45, 0.0)
