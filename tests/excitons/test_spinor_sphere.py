"""Spinor levels of a sphere: limits, the scalar levels, a second method."""

from __future__ import annotations

import math

import numpy as np
import pytest

from perolux.errors import OptionError
from perolux.excitons.carriers.bands import Bands, effective_mass_m0
from perolux.excitons.carriers.carrier_levels import Barrier, carrier_level, shape_parts
from perolux.excitons.carriers.spinor_sphere import spinor_level_ev, spinor_levels
from perolux.excitons.carriers.walls import wall_energy_ev
from perolux.quantities.constants import HBAR2_OVER_2M0_EV_NM2

C = HBAR2_OVER_2M0_EV_NM2
BANDS = Bands(2.342, 0.36, 0.36, 15.0, 1.25)
BARRIER = Barrier(2.0, 2.5)


@pytest.mark.parametrize("carrier", ["electron", "hole"])
@pytest.mark.parametrize("bracket", ["mass", "kane"])
def test_s_states_are_the_scalar_ones(carrier, bracket):
    sizes = np.array([3.0, 6.0, 20.0])
    scalar = carrier_level(carrier, shape_parts("sphere", sizes, sizes, sizes), BANDS, BARRIER)
    spinor = spinor_level_ev(carrier, "s1/2", sizes, BANDS, BARRIER, bracket=bracket)
    assert spinor == pytest.approx(scalar.energy_ev, abs=1e-9)  # roots to 1e-9 eV


def test_hard_walls_split_nothing_and_have_the_two_band_closed_form():
    gap, kane = 2.35, 16.0
    bands = Bands(gap, 3.0 * gap / kane, 0.3, kane, 1.2)  # g_e = 0
    levels = spinor_levels("electron", 6.0, bands)
    assert levels.p_half_ev == levels.p_three_half_ev
    for found, zero in ((levels.s_half_ev, math.pi), (levels.p_half_ev, 4.493409457909064)):
        exact = 0.5 * (math.sqrt(gap**2 + 4.0 * kane / 3.0 * C * (zero / 3.0) ** 2) - gap)
        assert found == pytest.approx(exact, abs=1e-12)
    # a very high barrier tends to them, with what leaks out: of the order of E/(beta q R)
    high = spinor_levels("electron", 6.0, bands, Barrier(1e10, 1e10))
    for name in ("s_half_ev", "p_half_ev", "p_three_half_ev"):
        assert getattr(high, name) == pytest.approx(getattr(levels, name), rel=2e-5)


def test_two_bands_obey_the_first_order_equation():
    """Without remote terms: large component j_l, small one (hbar P/(E + Eg)) (f' + (1 + kappa) f/r)."""
    gap, kane, out = 2.35, 16.0, 0.7
    bands = Bands(gap, 3.0 * gap / kane, 0.3, kane, 1.2)
    from scipy.special import spherical_jn, spherical_kn

    for name, order, other in (("s1/2", 0, 1), ("p1/2", 1, 0), ("p3/2", 1, 2)):
        energy = float(spinor_level_ev("electron", name, 6.0, bands, Barrier(2.0, 2.0, out)))
        mass = float(effective_mass_m0("electron", energy, bands))
        k, q = math.sqrt(mass * energy / C), math.sqrt(out * (2.0 - energy) / C)
        # f' + (1 + kappa) f/r of j_l(k r) is -k j_(l+1), of kappa > 0 it is k j_(l-1); k_l outside: -q k_l'
        sign = 1.0 if name == "p1/2" else -1.0
        inside = sign * k * spherical_jn(other, 3.0 * k) / spherical_jn(order, 3.0 * k) / mass
        outside = -q * spherical_kn(other, 3.0 * q) / spherical_kn(order, 3.0 * q) / out
        assert inside == pytest.approx(outside, rel=1e-8)


def test_p_states_split_about_the_scalar_level():
    for size in (8.0, 16.0):
        bands = Bands(200.0, 0.36, 0.36, 3.0 * 200.0 / 0.36, 400.0)  # parabolic in effect, g_e = 0
        levels = spinor_levels("electron", size, bands, Barrier(4.0, 4.0))
        scalar = float(wall_energy_ev("sphere", size / 2, 0.36, 4.0, state=1))
        centre = (2 * levels.p_half_ev + 4 * levels.p_three_half_ev) / 6
        splitting = levels.p_half_ev - levels.p_three_half_ev
        assert splitting > 0.0
        # the centre moves in second order only, and by 0.1 % for the gap that is not infinite
        assert abs(centre - scalar) < 0.1 * splitting + 2e-3 * scalar


def test_splitting_falls_with_the_surface_and_with_coupling():
    wide = spinor_levels("hole", [6.0, 12.0, 24.0], BANDS, BARRIER)
    splitting = wide.p_half_ev - wide.p_three_half_ev
    # a wall term: |f(R)|^2 R^2/R falls as (leak/R)^2 E/leak, so as R^-4 to R^-3
    assert 2**2.7 < splitting[0] / splitting[1] < 2**4.3
    assert 2**2.7 < splitting[1] / splitting[2] < 2**4.3
    flat = Bands(2.342, 0.36, 0.36, 15.0, 0.0)  # J = 1/2 and 3/2 at one energy: the hole has no bracket
    none = spinor_levels("hole", 6.0, flat, BARRIER, bracket="kane")
    assert none.p_half_ev == pytest.approx(none.p_three_half_ev, abs=1e-12)


def test_levels_at_once_and_refusals():
    many = Bands(2.342, [0.3, 0.4], 0.36, 15.0, 1.25)
    both = spinor_level_ev("electron", "p3/2", 6.0, many, BARRIER)
    alone = spinor_level_ev("electron", "p3/2", 6.0, Bands(2.342, 0.4, 0.36, 15.0, 1.25), BARRIER)
    assert both[1] == pytest.approx(float(alone), rel=1e-12)
    assert not spinor_levels("electron", 1.0, BANDS, Barrier(1.0, 1.0)).bound
    with pytest.raises(OptionError, match="no spinor level"):
        spinor_level_ev("electron", "d3/2", 6.0, BANDS, BARRIER)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match="diameter"):
        spinor_levels("electron", -1.0, BANDS, BARRIER)
