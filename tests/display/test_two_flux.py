"""Two fluxes with scattering: the compiled sums against one linear system, limits, conservation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_bvp
from scipy.special import expn

from perolux.display._two_flux_kernels import two_flux_cells
from perolux.display.fresnel import Face
from perolux.display.rays import Scatterers, ray_light
from perolux.display.recycling import Backlight, recycle
from perolux.display.reference_slab import reference_shapes, reference_slab
from perolux.display.slab import slab_light
from perolux.display.two_flux import _one_cell, two_flux_light, two_flux_response
from perolux.display.two_flux_constants import TwoFluxConstants, calibrated, outside_region
from perolux.errors import ModelRangeError, OptionError


def one_system(r, t, e, top, bottom, cells):
    """P, escapes by one linear system of the fluxes at all faces of cells, at one wavelength."""
    size = 2 * (cells + 1)  # up at face 0..N, then down at face 0..N
    matrix, n = np.eye(size), cells
    for c in range(cells):
        matrix[c + 1, c] -= t
        matrix[c + 1, n + 1 + c + 1] -= r
        matrix[n + 1 + c, n + 1 + c + 1] -= t
        matrix[n + 1 + c, c] -= r
    matrix[0, n + 1] -= bottom
    matrix[2 * n + 1, n] -= top
    absorbed, out = np.zeros((cells, cells)), np.zeros((2, cells))
    for j in range(cells):
        source = np.zeros(size)
        source[j + 1] = source[n + 1 + j] = e
        flux = np.linalg.solve(matrix, source)
        up, down = flux[: n + 1], flux[n + 1 :]
        absorbed[:, j] = (1.0 - r - t) * (up[:-1] + down[1:])
        absorbed[j, j] += 1.0 - 2.0 * e
        out[:, j] = (1.0 - top) * up[n], (1.0 - bottom) * down[0]
    return absorbed, out


@pytest.mark.parametrize(("k", "s"), [(0.3, 0.0), (0.02, 1.3), (1e-7, 0.4), (2.0, 2.0)])
def test_passing_on_equals_one_system(k, s):
    r, t, e = (float(x[0]) for x in _one_cell(np.array([k]), np.array([s])))
    plain, out = one_system(r, t, e, 0.6, 0.5, 6)
    begins = np.zeros((2, 1, 6))
    begins[0, 0, 2], begins[1, 0] = 1.0, np.arange(6.0)
    found = two_flux_cells(
        np.array([r]), np.array([t]), np.array([e]), np.array([0.6]), np.array([0.5]), np.ones(1), begins
    )
    np.testing.assert_allclose(found[0], plain, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(found[1][0], out[0], rtol=1e-9)
    np.testing.assert_allclose(found[2][0], out[1], rtol=1e-9)
    np.testing.assert_allclose(found[3][:, 0], begins[:, 0] @ plain.T, rtol=1e-9, atol=1e-13)
    total = np.sum(found[0], axis=0) + found[1][0] + found[2][0]
    np.testing.assert_allclose(total, 1.0, rtol=1e-8)


def test_the_cell_solves_the_two_equations():
    k, s = 0.7, 1.9
    found = solve_bvp(
        lambda z, f: np.stack([-(k + s) * f[0] + s * f[1], (k + s) * f[1] - s * f[0]]),
        lambda a, b: np.array([a[0] - 1.0, b[1]]), np.linspace(0, 1, 41), np.ones((2, 41)), tol=1e-10,
    )  # fmt: skip
    r, t, _ = _one_cell(np.array([k]), np.array([s]))
    assert found.sol(0.0)[1] == pytest.approx(r[0], rel=1e-7)
    assert found.sol(1.0)[0] == pytest.approx(t[0], rel=1e-7)


@pytest.mark.parametrize("depth", [0.0, 0.3, 2.0, 20.0])
@pytest.mark.parametrize("plqy", [0.0, 0.9, 1.0])
@pytest.mark.parametrize("diffuse", [False, True])
def test_photons_are_conserved(depth, plqy, diffuse):
    own = TwoFluxConstants((0.9, 1.0, 0.1), (1.1, -1.0, 0.0, 0.1), 0.9)
    for constants in ("textbook", own):
        found = two_flux_light(
            reference_slab(1.6, 4.605, plqy), Scatterers(depth, 0.3), constants=constants, diffuse=diffuse
        )
        total = found.t_blue + found.r_blue + found.t_em + found.r_em + found.loss
        assert total == pytest.approx(1.0, abs=1e-6)  # the host takes the floor of absorption, 1e-9
        assert found.misfit == {}
        if plqy == 1.0:
            assert found.loss == pytest.approx(0.0, abs=1e-12)


def test_without_scattering_or_emission_it_is_beer_and_lambert():
    found = two_flux_light(reference_slab(1.0, 2.0, 0.0), Scatterers(0.0), constants="textbook")
    assert found.t_blue == pytest.approx(np.exp(-2.0), rel=1e-12)
    assert found.r_blue == 0.0
    spread = two_flux_light(
        reference_slab(1.0, 2.0, 0.0), Scatterers(0.0), constants="textbook", diffuse=True
    )
    assert spread.t_blue == pytest.approx(2.0 * expn(3, 2.0), rel=1e-6)


def test_source_light_enters_as_in_the_deterministic_slab():
    """Without scatterers and emission, beam and diffuse source meet the same faces in both methods."""
    slab = reference_slab(1.6, 1.0, 0.0)
    quick, exact = two_flux_light(slab, Scatterers(0.0), constants="textbook"), slab_light(slab)
    for name in ("t_blue", "r_blue", "loss"):
        assert getattr(quick, name) == pytest.approx(getattr(exact, name), rel=1e-6)


def test_more_cells_change_little():
    slab = reference_slab(1.6, 4.605, 0.95)
    usual, fine = (two_flux_light(slab, Scatterers(2.0), n) for n in (40, 160))
    assert abs(usual.t_em - fine.t_em) < 5e-4


def test_response_recycles_and_conserves():
    nm = reference_shapes()[0]
    source = np.exp(-(((nm - 450.0) / 10.0) ** 2))
    source /= source.sum()
    response = two_flux_response(reference_slab(1.5, 0.25, 0.9), Scatterers(1.0))
    found = recycle(response, source, Backlight(0.96, 0.5, 0.48))
    assert np.sum(found.out) + found.lost_in_emitters + found.lost_elsewhere == pytest.approx(1.0, abs=1e-9)


def distances(films, photons, seed):
    """Two fluxes less Monte Carlo of random films in the region, over the misfit that is told."""
    rng, found = np.random.default_rng(seed), {}
    for k in range(films):
        slab = reference_slab(
            rng.uniform(1.4, 1.8), 0.1 * 30.0 ** rng.random() * np.log(10.0), rng.uniform(0.7, 1.0)
        )
        turned, diffuse = Scatterers(0.5 * 40.0 ** rng.random(), rng.uniform(0.0, 0.8)), bool(k % 2)
        counted = ray_light(slab, photons, rng, scatterers=turned, diffuse=diffuse)
        quick = two_flux_light(slab, turned, diffuse=diffuse)
        for name, misfit in quick.misfit.items():
            error = np.hypot(misfit, counted.sigma[name])
            found.setdefault(name, []).append((getattr(quick, name) - getattr(counted, name)) / error)
    return {name: np.array(values) for name, values in found.items()}


@pytest.mark.slow
def test_monte_carlo_on_random_films_with_scatterers():
    for name, z in distances(20, 10_000, 3).items():
        # the misfit is a root mean square, not a normal error: its largest were 3.3 of it
        assert np.max(np.abs(z)) < 4.0, name
        assert np.sqrt(np.mean(z**2)) < 1.6, name


@pytest.mark.long
def test_monte_carlo_on_many_random_films_with_scatterers():
    for name, z in distances(200, 100_000, 4).items():
        assert np.max(np.abs(z)) < 4.5, name
        assert 0.7 < np.sqrt(np.mean(z**2)) < 1.25, name


def test_the_misfit_is_told_by_part_of_the_region():
    slab = reference_slab(1.6, 4.605, 0.95)
    weak, strong = (two_flux_light(slab, Scatterers(depth)).misfit for depth in (0.8, 10.0))
    assert weak["loss"] > strong["loss"]
    assert set(weak) == {"t_blue", "r_blue", "t_em", "r_em", "loss"}
    spread = two_flux_light(slab, Scatterers(0.8), diffuse=True).misfit
    assert spread["t_blue"] != weak["t_blue"]


def test_calibrated_constants_do_better_than_the_textbook():
    slab, turned = reference_slab(1.6, 4.60517, 0.95), Scatterers(2.0)
    target = {"t_em": 0.353, "r_em": 0.490, "loss": 0.085}
    ours, plain = (two_flux_light(slab, turned, constants=c) for c in ("calibrated", "textbook"))
    wrong = [sum(abs(getattr(one, n) - v) for n, v in target.items()) for one in (ours, plain)]
    assert wrong[0] < wrong[1]
    assert calibrated().beam == pytest.approx(1.0, abs=0.1)  # nearly the similarity relation


@pytest.mark.parametrize(
    ("index", "od10", "plqy", "depth", "g", "word"),
    [
        (1.3, 1.0, 0.9, 2.0, 0.0, "index"),
        (1.6, 4.0, 0.9, 2.0, 0.0, "optical density"),
        (1.6, 1.0, 0.5, 2.0, 0.0, "plqy"),
        (1.6, 1.0, 0.9, 0.3, 0.0, "scattering depth"),
        (1.6, 1.0, 0.9, 2.0, 0.9, "anisotropy"),
    ],
)
def test_outside_the_region_it_is_refused(index, od10, plqy, depth, g, word):
    slab, turned = reference_slab(index, od10 * np.log(10.0), plqy), Scatterers(depth, g)
    with pytest.raises(ModelRangeError, match=word):
        two_flux_light(slab, turned)
    assert two_flux_light(slab, turned, constants="textbook").misfit == {}
    assert len(outside_region(slab, turned)) == 1
    two_flux_response(slab, turned)  # the caller asks outside_region and says so


def test_what_it_does_not_know_is_refused():
    slab = reference_slab(1.6, 4.6, 0.9)
    with pytest.raises(ModelRangeError, match="mirror"):
        two_flux_light(replace(slab, bottom=Face(mirror=0.5)), Scatterers(1.0))
    with pytest.raises(ModelRangeError, match="air"):
        two_flux_light(replace(slab, top=Face(1.5)), Scatterers(1.0))
    with pytest.raises(OptionError, match="constants"):
        two_flux_light(slab, Scatterers(1.0), constants="guessed")
    with pytest.raises(OptionError, match="memory"):
        two_flux_light(replace(slab, memory="kT"), Scatterers(1.0))
