"""Eight bands in plane waves against exact limits, the linear equations and the separable levels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from perolux.errors import ConvergenceError, ModelRangeError, OptionError
from perolux.excitons.carriers._roots import bracketed_root
from perolux.excitons.carriers.bands import Bands, Carrier, bands_from_reduced_mass
from perolux.excitons.carriers.carrier_levels import Barrier, carrier_level, shape_parts
from perolux.excitons.carriers.plane_waves import (
    _QUARTET,
    _SPIN,
    converged_level_ev,
    plane_wave_level,
)
from perolux.quantities.constants import HBAR2_OVER_2M0_EV_NM2
from perolux.threads import one_thread

C = HBAR2_OVER_2M0_EV_NM2
SET_B = Bands(2.342, 0.36, 0.36, 15.0, 1.25)
BARRIER = Barrier(2.0, 2.5)


def test_spin_algebra():
    quartet = _QUARTET.reshape(6, 6)
    assert np.allclose(quartet @ quartet, quartet) and np.isclose(np.trace(quartet), 4.0)
    # k_i eps_ijk sigma_k k_j vanishes for one wave: no spin splitting in the bulk
    k = np.array([0.3, -1.0, 2.0])
    assert np.abs(np.einsum("i,isjt,j->st", k, _SPIN, k)).max() < 1e-14


def _separable(carrier, parts, bands):
    same = Barrier(BARRIER.electron_ev, BARRIER.hole_ev, mass_outside_m0=None)
    return float(carrier_level(carrier, parts, bands, same).energy_ev)


def test_a_slab_is_exact_for_the_hole():
    exact = _separable("hole", (("slab", np.float64(2.0)),), SET_B)
    errors = [
        plane_wave_level(
            "hole", (4.0, 1.0, 1.0), SET_B, BARRIER, waves=n, margin_nm=(1.2, 0.0, 0.0)
        ).energy_ev
        - exact
        for n in (10, 20, 40)
    ]
    # falls about fourfold on doubling; from above
    assert 0.0 < errors[2] < errors[1] / 2.5 < errors[0] / 6.0
    assert errors[2] < 1.5e-5
    free = plane_wave_level(
        "hole", (4.0, 1.0, 1.0), SET_B, BARRIER, outside="free", waves=60, margin_nm=(1.0, 0.0, 0.0)
    )
    exact = float(carrier_level("hole", (("slab", np.float64(2.0)),), SET_B, BARRIER).energy_ev)
    assert free.energy_ev == pytest.approx(exact, abs=4e-4)  # the error falls as 1/waves: 1.4 meV at 10


def _linear_slab(bands: Bands, barrier: Barrier, length: float, margin: float, waves: int):
    """The eight linear equations of a slab at k_y = k_z = 0, diagonalised: hole and electron levels."""
    period = length + 2 * margin
    n = np.arange(-waves, waves + 1)
    k = 2 * math.pi * n / period
    box = length / period * np.sinc((n[:, None] - n[None, :]) * length / period)
    out = np.eye(n.size) - box
    size = 8 * n.size
    h = np.zeros((8, n.size, 8, n.size), dtype=complex)
    spin_orbit = _QUARTET.reshape(6, 6) * float(bands.spin_orbit_ev)
    for s in range(2):
        h[s, :, s, :] = -barrier.hole_ev * out
    for p in range(6):
        h[2 + p, :, 2 + p, :] = bands.gap_ev * np.eye(n.size) + barrier.electron_ev * out
        for q in range(6):
            h[2 + p, :, 2 + q, :] += spin_orbit[p, q] * np.eye(n.size)
    coupling = np.diag(math.sqrt(bands.kane_ev * C) * k)
    for s in range(2):  # x component of the vector, spin s
        h[s, :, 2 + s, :], h[2 + s, :, s, :] = coupling, coupling
    levels = np.linalg.eigvalsh(h.reshape(size, size))
    return -levels[levels < 1.0].max(), levels[levels > 1.0].min() - bands.gap_ev


def test_elimination_of_bands_is_that_of_the_linear_equations():
    gap, kane, delta = 2.35, 11.8, 1.2
    m_h = 3.0 / kane / (1.0 / gap + 2.0 / (gap + delta))
    bands = Bands(gap, 3.0 * gap / kane, m_h, kane, delta)  # no remote terms: no spurious solutions
    waves = (20, 40)
    with one_thread():
        linear = [_linear_slab(bands, BARRIER, 4.0, 1.0, n) for n in waves]
    carriers: tuple[Carrier, ...] = ("hole", "electron")
    for which, carrier in enumerate(carriers):
        differences = [
            plane_wave_level(
                carrier, (4.0, 1.0, 1.0), bands, BARRIER, waves=n, margin_nm=(1.0, 0.0, 0.0)
            ).energy_ev
            - linear[k][which]
            for k, n in enumerate(waves)
        ]
        # both are cut at the same wave, which costs them differently, 0.1 to 0.3 meV here, as 1/(waves + 1/2)
        assert abs(differences[0]) < 3e-4
        limit = differences[1] - (differences[0] - differences[1]) * 20.5 / 20.0
        assert limit == pytest.approx(0.0, abs=3e-5)


def test_bulk_has_no_confinement():
    found = plane_wave_level("electron", (4.0, 4.0, 4.0), SET_B, BARRIER, margin_nm=0.0)
    assert found.energy_ev == pytest.approx(0.0, abs=1e-9)


def test_what_cannot_be_calculated_is_refused():
    with pytest.raises(ModelRangeError, match="remote-band terms"):
        plane_wave_level("electron", (4.0,) * 3, Bands(2.342, 0.6, 0.26, 15.0, 1.25), BARRIER, waves=2)
    with pytest.raises(ModelRangeError, match="elliptic"):
        plane_wave_level("hole", (4.0,) * 3, Bands(2.342, 0.3, 2.0, 28.0, 1.5), BARRIER, waves=2)
    with pytest.raises(OptionError, match="not draws"):
        plane_wave_level("hole", (4.0,) * 3, Bands([2.3, 2.4], 0.3, 0.3, 15.0, 1.5), BARRIER, waves=2)
    with pytest.raises(OptionError, match="positive lengths"):
        plane_wave_level("hole", (4.0, 0.0, 4.0), SET_B, BARRIER)
    with pytest.raises(OptionError, match="needs the mass outside"):
        plane_wave_level("hole", (4.0,) * 3, SET_B, Barrier(2.0, 2.0, None), outside="free")
    with pytest.raises(OptionError, match="0 plane waves"):
        plane_wave_level("hole", (4.0,) * 3, SET_B, BARRIER, waves=0)


def test_separable_levels_of_a_cube():
    parts = shape_parts("cube", 5.0, 5.0, 5.0)
    pushed = bands_from_reduced_mass(0.18, gap_ev=2.342, kane_ev=15.0, spin_orbit_ev=1.25, upper_band=True)
    for carrier, bands in (("hole", SET_B), ("electron", pushed)):
        full = plane_wave_level(carrier, (5.0,) * 3, SET_B, BARRIER, waves=6).energy_ev
        # barrier edges, spin at the wall and 1 to 2 meV of a basis this small
        assert _separable(carrier, parts, bands) == pytest.approx(full, abs=4e-3)


@pytest.mark.slow
def test_converges_in_waves_margin_and_with_unequal_edges():
    lengths = (4.0, 6.0, 8.0)
    levels = [
        plane_wave_level("hole", lengths, SET_B, BARRIER, waves=n, tolerance_ev=1e-7).energy_ev
        for n in (6, 9, 13)
    ]
    # from above, each step smaller
    assert levels[0] > levels[1] > levels[2]
    assert levels[1] - levels[2] < 0.7 * (levels[0] - levels[1]) and levels[1] - levels[2] < 1e-3
    assert _separable("hole", shape_parts("cuboid", *lengths), SET_B) == pytest.approx(levels[2], abs=1e-3)
    # the same waves per length in a wider cell: 9/(4 + 2) = 12/(4 + 4) in the first axis
    wide = plane_wave_level("hole", (4.0,) * 3, SET_B, BARRIER, waves=12, margin_nm=2.0).energy_ev
    close = plane_wave_level("hole", (4.0,) * 3, SET_B, BARRIER, waves=9, margin_nm=1.0).energy_ev
    assert wide == pytest.approx(close, abs=2e-4)


@pytest.mark.slow
def test_extrapolation_of_the_electron_is_within_its_error():
    near, error = converged_level_ev("electron", (4.0,) * 3, SET_B, BARRIER)
    far, far_error = converged_level_ev("electron", (4.0,) * 3, SET_B, BARRIER, waves=(10, 18))
    assert abs(near - far) < error + far_error
    assert error < 1e-3  # stated in the file


def test_a_level_that_cannot_reach_its_tolerance_says_how_far_it_came():
    bands, barrier = Bands(2.342, 0.36, 0.36, 15.0, 1.25), Barrier(2.25, 2.25)
    with pytest.raises(ConvergenceError, match=r"last estimate is 0\.069\d+ eV") as caught:
        plane_wave_level("electron", (6.0, 6.0, 6.0), bands, barrier, waves=3, tolerance_ev=0.0)
    assert "tolerance_ev" in caught.value.problems[0].fix


def test_a_root_that_cannot_be_narrowed_says_where_it_is():
    with pytest.raises(ConvergenceError, match=r"last estimate of the worst is 0\.333333"):
        bracketed_root(lambda x: np.sign(x - 1.0 / 3.0) + 0.5, np.zeros(1), np.ones(1), relative=-1.0)
