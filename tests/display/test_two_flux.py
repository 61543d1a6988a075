"""Two fluxes with scattering: the compiled sums against one linear system, limits, conservation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_bvp

from perolux.display._two_flux_kernels import two_flux_cells
from perolux.display.fresnel import Face
from perolux.display.rays import Scatterers
from perolux.display.recycling import Backlight, recycle
from perolux.display.reference_slab import reference_shapes, reference_slab
from perolux.display.two_flux import _one_cell, two_flux_light, two_flux_response
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
    found = two_flux_cells(
        np.array([r]), np.array([t]), np.array([e]), np.array([0.6]), np.array([0.5]), np.ones(1), 6
    )
    np.testing.assert_allclose(found[0], plain, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(found[1][0], out[0], rtol=1e-9)
    np.testing.assert_allclose(found[2][0], out[1], rtol=1e-9)
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
def test_photons_are_conserved(depth, plqy):
    found = two_flux_light(reference_slab(1.6, 4.605, plqy), Scatterers(depth))
    total = found.t_blue + found.r_blue + found.t_em + found.r_em + found.loss
    assert total == pytest.approx(1.0, abs=1e-6)  # the host takes the floor of absorption, 1e-9
    if plqy == 1.0:
        assert found.loss == pytest.approx(0.0, abs=1e-12)


def test_without_scattering_or_emission_it_is_beer_and_lambert():
    found = two_flux_light(reference_slab(1.0, 2.0, 0.0), Scatterers(0.0))
    assert found.t_blue == pytest.approx(np.exp(-2.0), rel=1e-12)
    assert found.r_blue == 0.0


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


def test_what_it_does_not_know_is_refused():
    slab = reference_slab(1.6, 4.6, 0.9)
    with pytest.raises(ModelRangeError, match="mirror"):
        two_flux_light(replace(slab, bottom=Face(mirror=0.5)), Scatterers(1.0))
    with pytest.raises(OptionError, match="memory"):
        two_flux_light(replace(slab, memory="kT"), Scatterers(1.0))
