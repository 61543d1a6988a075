"""Masses, walls, levels and the effective pair: exact limits, a second method, properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.carriers import _roots
from perolux.excitons.carriers.bands import (
    Bands,
    bands_from_reduced_mass,
    divergence_energy_ev,
    effective_mass_m0,
    inverse_mass,
    remote_terms,
)
from perolux.excitons.carriers.carrier_levels import Barrier, carrier_level, kane_mass_outside_m0, shape_parts
from perolux.excitons.carriers.effective_pair import effective_pair, pair_curve
from perolux.excitons.carriers.pair_table import pair_table
from perolux.excitons.carriers.spheroid import (
    equal_confinement_radius_nm,
    spheroid_phase,
    spheroid_phase_solved,
)
from perolux.excitons.carriers.walls import decay_log_derivative, hard_wall_phase, wall_energy_ev, wall_phase
from perolux.excitons.crystal import Crystals
from perolux.excitons.energies import pair_energies
from perolux.excitons.layers import Layers
from perolux.excitons.pair.tables import interpolate
from perolux.excitons.parameters import parameters_of
from perolux.quantities.constants import BOHR_RADIUS_NM, HBAR2_OVER_2M0_EV_NM2, RYDBERG_EV

C = HBAR2_OVER_2M0_EV_NM2
SET_B = Bands(2.342, 0.36, 0.36, 15.0, 1.25)
STATES = [("slab", 0), ("slab", 1), ("cylinder", 0), ("sphere", 0), ("sphere", 1), ("sphere", 2)]


# --- roots


def test_roots_of_many_functions_and_of_none():
    target = np.linspace(0.1, 50.0, 40)
    found = _roots.bracketed_root(lambda x: x**3 - target, np.zeros(40), np.full(40, 4.0))
    assert found == pytest.approx(np.cbrt(target), rel=1e-12)  # the bracket closes to 1e-13
    # no sign change: the upper end
    assert _roots.bracketed_root(lambda x: x - 9.0, np.zeros(1), np.full(1, 4.0)) == 4.0


# --- masses


def test_masses_at_the_band_edge_are_the_given_ones():
    for carrier, mass in (("electron", 0.6), ("hole", 0.26)):
        bands = Bands(2.35, 0.6, 0.26, 17.0, 1.2)
        assert effective_mass_m0(carrier, 0.0, bands) == pytest.approx(mass, rel=1e-14)
        pushed = Bands(2.35, 0.6, 0.26, 17.0, 1.2, upper_band=True)
        assert effective_mass_m0(carrier, 0.0, pushed) == pytest.approx(mass, rel=1e-14)


def _four_bands(k_squared: float, gap: float, kane: float, delta: float) -> np.ndarray:
    """Energies of S, J = 1/2 and J = 3/2 along one axis, without remote terms: a 3 x 3 matrix."""
    coupling = math.sqrt(kane * C * k_squared)
    a, b = coupling / math.sqrt(3.0), coupling * math.sqrt(2.0 / 3.0)
    return np.linalg.eigvalsh([[0.0, a, b], [a, gap, 0.0], [b, 0.0, gap + delta]])


@pytest.mark.parametrize("k_squared", [0.01, 0.3, 1.0])
def test_masses_without_remote_terms_are_those_of_the_band_structure(k_squared):
    gap, kane, delta = 2.35, 16.8, 1.2
    m_h = 1.0 / (kane / 3.0 * (1.0 / gap + 2.0 / (gap + delta)))
    m_e = 3.0 * gap / kane
    valence, conduction, _ = _four_bands(k_squared, gap, kane, delta)
    assert remote_terms(Bands(gap, m_e, m_h, kane, delta)).hole == pytest.approx(0.0, abs=1e-12)
    hole = effective_mass_m0("hole", -valence, Bands(gap, m_e, m_h, kane, delta))
    assert C * k_squared / hole == pytest.approx(-valence, rel=1e-11)
    electron = effective_mass_m0("electron", conduction - gap, Bands(gap, m_e, m_h, kane, delta, True))
    assert C * k_squared / electron == pytest.approx(conduction - gap, rel=1e-9)
    # without the J = 3/2 band (infinitely far) the plain formula is that of the two bands
    two = 0.5 * (math.sqrt(gap**2 + 4.0 * kane / 3.0 * C * k_squared) - gap)
    plain = effective_mass_m0("electron", two, Bands(gap, m_e, m_h, kane, delta))
    assert C * k_squared / plain == pytest.approx(two, rel=1e-11)


def test_upper_band_with_remote_terms_solves_the_secular_equation():
    gap, kane, delta, g = 2.35, 12.0, 1.2, 0.9
    m_e = 1.0 / (g + kane / 3.0 / gap)
    bands = Bands(gap, m_e, 0.3, kane, delta, upper_band=True)
    for energy in (0.05, 0.2, 0.35):
        k2 = energy * float(effective_mass_m0("electron", energy, bands)) / C
        near = kane * C * k2 / 3.0
        # energy of S is Eg + E away; remote terms of J = 1/2 only
        upper = 1.0 + 2.0 * near / (gap + energy) / (delta - energy)
        assert energy == pytest.approx(g * C * k2 + near / (gap + energy) / upper, rel=1e-11)


def test_a_mass_that_diverges_is_refused_and_its_energy_is_known():
    assert divergence_energy_ev("electron", SET_B) == np.inf
    for carrier, bands in (
        ("hole", SET_B),
        ("electron", Bands(2.342, 0.6, 0.26, 20.0, 1.2)),
        ("electron", Bands(2.342, 0.5, 0.26, 15.0, 1.2, upper_band=True)),
    ):
        edge = float(divergence_energy_ev(carrier, bands))
        assert inverse_mass(carrier, edge * 0.999, bands) > 0.0
        assert inverse_mass(carrier, edge * 1.001, bands) <= 0.0
        with pytest.raises(ModelRangeError, match="diverges"):
            effective_mass_m0(carrier, [0.0, 1.01 * edge], bands)


def test_band_parameters_that_cannot_be_are_refused():
    with pytest.raises(OptionError, match="hole_mass_m0"):
        Bands(2.3, 0.2, [0.3, -0.1], 15.0, 1.2)
    with pytest.raises(OptionError, match="kane_ev"):
        Bands(2.3, 0.2, 0.3, -1.0, 1.2)
    with pytest.raises(OptionError, match="electron_ev"):
        Barrier(0.0, 1.0)
    with pytest.raises(OptionError, match="needs a Kane energy"):
        no_coupling = Bands(2.3, 0.2, 0.3, 0.0, 1.2)
        carrier_level("hole", shape_parts("sphere", 5.0, 5.0, 5.0), no_coupling, Barrier(2.0, 2.0, None))


# --- walls


def _finite_differences(wall: str, state: int, half: float, mass: float, height: float, outside: float):
    """Second method: the energy of -c d(r^n/m df/dr)/(r^n dr) + V by finite volumes on a grid."""
    from scipy.linalg import eigh_tridiagonal

    power = {"slab": 0, "cylinder": 1, "sphere": 2}[wall]
    momentum = state * (state + 1) if wall == "sphere" else 0
    box, points = half + 3.0, 6000
    h = half / round(half / box * points)  # the wall lies on a face between cells
    r = h * (np.arange(int(box / h)) + 0.5)
    face = h * np.arange(r.size + 1)
    inside = r < half
    inverse = np.where(inside, 1.0 / mass, 1.0 / outside)
    at_face = np.empty(r.size + 1)
    at_face[1:-1] = 2.0 / (1.0 / inverse[1:] + 1.0 / inverse[:-1])
    at_face[0], at_face[-1] = inverse[0], inverse[-1]
    flux = C * at_face * face**power / h**2
    if wall == "slab":
        flux[0] = 0.0 if state == 0 else 2.0 * flux[0]  # even: no slope; odd: the value vanishes
    weight = r**power
    main = (flux[:-1] + flux[1:]) / weight + np.where(inside, 0.0, height) + C * inverse * momentum / r**2
    side = -flux[1:-1] / np.sqrt(weight[:-1] * weight[1:])
    return eigh_tridiagonal(main, side, eigvals_only=True, select="i", select_range=(0, 0))[0]


@pytest.mark.parametrize(("wall", "state"), STATES)
def test_levels_against_finite_differences(wall, state):
    for half, mass, height, outside in ((3.0, 0.2, 2.0, 1.0), (2.0, 0.3, 1.5, 0.4)):
        grid = _finite_differences(wall, state, half, mass, height, outside)
        exact = wall_energy_ev(wall, half, mass, height, outside, state)
        # the grid's own error: second order in h/half = 1/3000, 1e-6 or so
        assert exact == pytest.approx(grid, rel=1e-5)


@pytest.mark.parametrize(("wall", "state"), STATES)
def test_high_barriers_become_hard_walls(wall, state):
    hard = wall_energy_ev(wall, 3.0, 0.2, state=state)
    assert wall_energy_ev(wall, 3.0, 0.2, 1e30, state=state) == pytest.approx(hard, rel=1e-12)
    # first order: the phase falls by u/(beta v) (a leak of 1/(beta q) at each wall)
    v, beta = 1e5, 0.25
    phase = hard_wall_phase(wall, state)
    assert wall_phase(wall, v, beta, state) == pytest.approx(
        phase * (1 - 1 / (math.sqrt(beta) * v)), rel=1e-8
    )


def test_textbook_levels():
    assert hard_wall_phase("sphere", 2) == pytest.approx(5.763459, abs=1e-6)  # first zero of j_2
    # finite well of textbooks, equal masses: u tan u = sqrt(v^2 - u^2)
    u = float(wall_phase("slab", 3.0, 1.0))
    assert u * math.tan(u) == pytest.approx(math.sqrt(9.0 - u**2), rel=1e-10)
    # a sphere with equal masses binds from v = pi/2 on
    assert wall_phase("sphere", math.pi / 2 + 1e-3, 1.0) < math.pi / 2 + 1e-3
    assert wall_phase("sphere", 1.5, 1.0) == 1.5
    # a wide well: the whole well counts, E -> hbar^2 pi^2/(2 m (L + 2 leak)^2)
    leak = math.sqrt(C / 2.0) / 0.2  # 1/q times m_out/m at E = 0
    wide = wall_energy_ev("slab", 100.0, 0.2, 2.0)
    assert wide == pytest.approx(C * math.pi**2 / (0.2 * (200.0 + 2 * leak) ** 2), rel=1e-6)


def test_decay_of_spherical_waves():
    from scipy.special import spherical_kn

    y = np.array([0.1, 1.0, 7.0])
    for order in (0, 1, 2):
        direct = y * spherical_kn(order, y, derivative=True) / spherical_kn(order, y)
        assert decay_log_derivative(order, y) == pytest.approx(direct, rel=1e-12)


def test_walls_that_are_not():
    with pytest.raises(OptionError, match="unknown wall"):
        wall_phase("cone", 1.0, 1.0)
    with pytest.raises(OptionError, match="no state 3"):
        wall_phase("sphere", 1.0, 1.0, 3)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(STATES), st.floats(0.05, 200.0), st.floats(0.05, 2.0))
def test_phase_grows_with_the_barrier_and_stays_below_hard_walls(which, strength, beta):
    wall, state = which
    u = wall_phase(wall, np.array([strength, 1.05 * strength]), beta, state)
    assert 0.0 < u[0] < u[1] < hard_wall_phase(wall, state)


# --- spheroids


def test_spheroids_have_their_limits():
    assert spheroid_phase(1.0) == pytest.approx(math.pi, abs=1e-7)  # the spline has a knot there
    # Ritz converges from above; the last orders agree
    for aspect in (0.125, 0.5, 2.0, 8.0):
        assert spheroid_phase_solved(aspect, 8) == pytest.approx(spheroid_phase_solved(aspect, 10), rel=1e-7)
    between = np.exp(np.linspace(-1.9, 1.9, 7))
    solved = [spheroid_phase_solved(float(x)) for x in between]
    assert spheroid_phase(between) == pytest.approx(solved, rel=1e-6)  # the stated error of the spline
    # equal volume: first order in the eccentricity vanishes, the sphere is lowest
    near = np.array([0.99, 1.0, 1.01])
    energy = (spheroid_phase(near) * near ** (1 / 3)) ** 2
    assert energy[[0, 2]] == pytest.approx(energy[1], rel=1e-4)
    assert (energy[[0, 2]] > energy[1]).all()
    # adiabatic limits: a needle is a cylinder plus slow motion, u^2 = j^2 + j/aspect to first order
    j = hard_wall_phase("cylinder")
    assert spheroid_phase(8.0) ** 2 == pytest.approx(j**2 + j / 8.0, rel=5e-3)  # next order 1/aspect^2
    disc = math.pi / 2 / 0.125
    # disc: pi/2 a/c plus an oscillator in the plane, u^2 = disc^2 + 2 disc
    assert spheroid_phase(0.125) ** 2 == pytest.approx(disc**2 + 2.0 * disc, rel=2e-2)


def test_spheroids_out_of_range_are_refused():
    with pytest.raises(ModelRangeError, match="spheroid"):
        spheroid_phase([1.0, 9.0])
    assert equal_confinement_radius_nm(6.0, 6.0) == pytest.approx(3.0, rel=1e-7)


# --- levels with masses of their own energy


@pytest.mark.parametrize("shape", ["cube", "cuboid", "platelet", "rod", "sphere", "spheroid"])
def test_levels_satisfy_their_own_equation(shape):
    parts = shape_parts(shape, 5.0, 6.0 if shape == "cuboid" else 5.0, 7.0 if shape != "sphere" else 5.0)
    for barrier in (None, Barrier(1.5, 3.0), Barrier(1.5, 3.0, None)):
        for carrier in ("electron", "hole"):
            level = carrier_level(carrier, parts, SET_B, barrier)
            height = None if barrier is None else barrier.height_ev(carrier)
            outside = 1.0
            if barrier is not None and barrier.mass_outside_m0 is None:
                outside = kane_mass_outside_m0(carrier, level.energy_ev, SET_B, barrier)
            expected = effective_mass_m0(carrier, level.energy_ev, SET_B)
            assert level.mass_m0 == pytest.approx(expected, rel=1e-10)
            again = sum(wall_energy_ev(wall, half, level.mass_m0, height, outside) for wall, half in parts)
            assert level.energy_ev == pytest.approx(again, rel=1e-10)  # the root is closed to 1e-12
            assert level.bound and level.in_range


def test_two_bands_behind_hard_walls_have_a_closed_form():
    gap, kane = 2.35, 16.0
    bands = Bands(gap, 3.0 * gap / kane, 0.3, kane, 1.2)  # g_e = 0
    level = carrier_level("electron", shape_parts("sphere", 4.0, 4.0, 4.0), bands)
    exact = 0.5 * (math.sqrt(gap**2 + 4.0 * kane / 3.0 * C * (math.pi / 2.0) ** 2) - gap)
    assert level.energy_ev == pytest.approx(exact, rel=1e-12)


def test_far_below_the_gap_the_bands_are_parabolic():
    parts = shape_parts("cube", 200.0, 200.0, 200.0)
    bands, barrier = SET_B, Barrier(2.0, 2.0)
    ratio = carrier_level("hole", parts, bands, barrier).energy_ev / (
        carrier_level("hole", parts, bands, barrier, nonparabolic=False).energy_ev
    )
    # E = 8e-5 eV: the mass has grown by about E times 0.8/eV
    assert ratio == pytest.approx(1.0, abs=1e-4)


def test_flags_say_where_not_to_trust():
    heavy = Bands(2.342, 0.36, 0.36, 27.9, 1.0)
    small = carrier_level("hole", shape_parts("cube", [1.2, 30.0], [1.2, 30.0], [1.2, 30.0]), heavy)
    assert small.in_range.tolist() == [False, True]
    assert np.isfinite(small.mass_m0).all()
    assert (small.energy_ev < divergence_energy_ev("hole", heavy)).all()
    loose = carrier_level("hole", shape_parts("sphere", 0.6, 0.6, 0.6), SET_B, Barrier(0.5, 0.5))
    assert not loose.bound


# --- the pair


def _pair_energy_ev(shape: str, size, pair, eps: float):
    mu = pair.reduced_mass_m0
    scale = BOHR_RADIUS_NM * eps / mu * (2.0 if shape == "sphere" else 1.0)
    return RYDBERG_EV * mu / eps**2 * interpolate(shape, pair.a_nm / scale).energy_over_rydberg


def test_both_switches_off_leave_the_pair_as_it_is():
    sizes = np.array([3.0, 10.0, 50.0])
    pair = effective_pair("cube", sizes, bands=SET_B, nonparabolic=False)
    assert pair.reduced_mass_m0 == pytest.approx(0.18, rel=1e-14)
    assert (pair.a_nm == sizes).all() and pair.valid.all()
    assert pair.electron_energy_ev == pytest.approx(3 * C * math.pi**2 / (0.36 * sizes**2), rel=1e-12)


@pytest.mark.parametrize("shape", ["cube", "sphere", "rod", "spheroid", "platelet"])
def test_effective_lengths_give_the_levels_back_behind_hard_walls(shape):
    lengths = {"cube": (5.0, 5.0, 5.0), "sphere": (5.0, 5.0, 5.0), "rod": (5.0, 5.0, 12.0)}.get(
        shape, (9.0, 9.0, 4.0)
    )
    pair = effective_pair(shape, *lengths, bands=SET_B, barrier=Barrier(1.8, 2.6))
    parts = shape_parts(shape, pair.a_nm, pair.b_nm, pair.c_nm)
    hard = sum(wall_energy_ev(wall, half, pair.reduced_mass_m0) for wall, half in parts)
    assert hard == pytest.approx(pair.electron_energy_ev + pair.hole_energy_ev, rel=1e-10)
    assert (pair.a_nm > lengths[0]) and (pair.c_nm > lengths[2])


def test_large_nanocrystals_are_bulk():
    pair = effective_pair("cube", 3000.0, bands=SET_B, barrier=Barrier(2.0, 2.0))
    # masses grow by E times 0.8/eV, E = 3.5e-7 eV; lengths by the leak of 1.5 nm
    assert pair.reduced_mass_m0 == pytest.approx(0.18, rel=1e-6)
    assert pair.a_nm == pytest.approx(3000.0, rel=1e-3)
    # what is left of the confinement is 3 pi^2/(4 y^2) Ry, 6e-6
    assert _pair_energy_ev("cube", 3000.0, pair, 8.7) == pytest.approx(-RYDBERG_EV * 0.18 / 8.7**2, rel=1e-4)


def test_curve_of_sizes_is_the_pair_itself():
    sizes = np.random.default_rng(3).uniform(1.5, 120.0, 400)
    for shape, aspect in (("cube", (1.0, 1.0, 1.0)), ("rod", (1.0, 1.0, 3.0)), ("spheroid", (1.0, 1.0, 0.5))):
        curve = pair_curve(shape, bands=SET_B, barrier=Barrier(1.5, 3.0), aspect=aspect)
        lengths = [sizes * part for part in aspect]
        exact = effective_pair(shape, *lengths, bands=SET_B, barrier=Barrier(1.5, 3.0))
        for name in ("electron_energy_ev", "hole_energy_ev", "reduced_mass_m0", "mass_ratio", "a_nm", "c_nm"):
            # the stated error of the curve
            assert getattr(curve(sizes), name) == pytest.approx(getattr(exact, name), rel=1e-6)
    with pytest.raises(ModelRangeError, match="outside the curve"):
        curve([1.0, 3.0])
    with pytest.raises(OptionError, match="one set of band parameters"):
        pair_curve("cube", bands=Bands(2.3, [0.3, 0.4], 0.3, 15.0, 1.2))


@pytest.mark.parametrize("shape", ["cube", "cuboid", "platelet", "rod", "sphere", "spheroid"])
@pytest.mark.slow
def test_table_of_lengths_is_the_pair_itself(shape):
    generator = np.random.default_rng(5)
    a, b = (np.exp(generator.uniform(math.log(2.0), math.log(60.0), 300)) for _ in range(2))
    c = a if shape in ("cube", "sphere") else a * np.exp(generator.uniform(-0.25, 0.6, 300))
    b = b if shape == "cuboid" else a
    pushed = Bands(2.342, 0.252, 0.252, 25.0, 1.25, upper_band=True)
    for bands, error in ((SET_B, 3e-7), (pushed, 5e-5)):  # as stated
        for barrier in (None, Barrier(1.5, 3.0), Barrier(2.0, 2.0, None)):
            for nonparabolic in (False, True):
                table = pair_table(shape, bands=bands, barrier=barrier, nonparabolic=nonparabolic)
                found = table(a, b, c)
                exact = effective_pair(
                    shape, a, b, c, bands=bands, barrier=barrier, nonparabolic=nonparabolic
                )
                for name in (
                    "electron_energy_ev",
                    "hole_energy_ev",
                    "reduced_mass_m0",
                    "a_nm",
                    "b_nm",
                    "c_nm",
                ):
                    # beyond the law of the mass `effective_pair` holds it, the table does not
                    known = exact.in_range
                    assert getattr(found, name)[known] == pytest.approx(
                        getattr(exact, name)[known], rel=error
                    )
                assert (found.valid == exact.valid).mean() > 0.99  # the edge of a flag may fall between
    with pytest.raises(ModelRangeError, match="lie outside"):
        table(1000.0 * a)
    with pytest.raises(OptionError, match="not of draws"):
        pair_table(shape, bands=Bands(2.3, [0.3, 0.4], 0.3, 15.0, 1.2))


def _draws(mu, gap, kane, eps, number, generator, upper_band=False):
    """Draws over the ranges of a record: Ep, Delta, barriers, mass ratio; 'None' is a family-wide range."""
    uniform = generator.uniform
    return (
        bands_from_reduced_mass(
            np.full((number, 1), mu),
            gap_ev=uniform(*gap, (number, 1)),
            kane_ev=uniform(*kane, (number, 1)),
            spin_orbit_ev=uniform(1.0, 1.5, (number, 1)),
            mass_ratio=np.exp(uniform(-0.85, 0.85, (number, 1))),  # 0.43 to 2.3: 0.26 and 0.59 either way
            upper_band=upper_band,
        ),
        Barrier(uniform(1.5, 3.0, (number, 1)), uniform(1.5, 3.0, (number, 1))),
        eps,
    )


RECORDS = {
    "CsPbBr3 A": (0.126, (2.342, 2.39), (11.8, 27.9), 7.3),
    "CsPbBr3 B": (0.18, (2.342, 2.39), (11.8, 27.9), 8.7),
    "CsPbI3": (0.114, (1.72, 1.78), (11.8, 27.9), 10.0),
    "CsPbCl3": (0.202, (2.97, 3.056), (11.8, 27.9), 6.56),
}


@pytest.mark.parametrize("record", RECORDS)
@pytest.mark.parametrize("shape", ["cube", "sphere"])
@pytest.mark.parametrize("upper_band", [False, True])
def test_pair_energy_falls_monotonically_with_size(record, shape, upper_band):
    bands, barrier, eps = _draws(*RECORDS[record], 25, np.random.default_rng(11), upper_band)
    sizes = np.exp(np.linspace(math.log(2.5), math.log(60.0), 160))
    kane = Barrier(barrier.electron_ev, barrier.hole_ev, mass_outside_m0=None)
    for walls in (None, barrier, kane):
        for nonparabolic in (False, True):
            pair = effective_pair(shape, sizes, bands=bands, barrier=walls, nonparabolic=nonparabolic)
            energy = _pair_energy_ev(shape, sizes, pair, eps)
            falls = (np.diff(energy, axis=1) < 0.0) | ~pair.valid[:, :-1]
            assert falls.all()
            # flags are true from some size on, never in between
            assert (np.diff(pair.valid.astype(int), axis=1) >= 0).all() and pair.valid[:, -1].all()


def test_draws_run_at_once():
    bands, barrier, _ = _draws(*RECORDS["CsPbBr3 B"], 5, np.random.default_rng(2))
    together = effective_pair("cube", 6.0, bands=bands, barrier=barrier)
    for i in range(5):
        given = ("gap_ev", "electron_mass_m0", "hole_mass_m0", "kane_ev", "spin_orbit_ev")
        one = Bands(*(float(np.asarray(getattr(bands, name))[i, 0]) for name in given))
        wall = Barrier(np.asarray(barrier.electron_ev)[i, 0], np.asarray(barrier.hole_ev)[i, 0])
        alone = effective_pair("cube", 6.0, bands=one, barrier=wall)
        assert together.a_nm[i, 0] == pytest.approx(float(alone.a_nm), rel=1e-11)
        assert together.electron_mass_m0[i, 0] == pytest.approx(float(alone.electron_mass_m0), rel=1e-11)


@pytest.mark.parametrize("masses", ["equal", "arpes"])
@pytest.mark.parametrize("shape", ["cube", "sphere"])
@pytest.mark.parametrize("name", ["CsPbCl3", "CsPbBr3", "CsPbI3", "FAPbBr3", "MAPbBr3", "FAPbI3", "MAPbI3"])
def test_energies_fall_steadily_with_size_down_to_one_unit_cell(name, shape, masses):
    """Also where a mass leaves its law or a carrier its barrier: flagged, but without a step."""
    edge = np.arange(0.6, 4.0, 0.02)
    for parameters in parameters_of(name, 298.0, draws=0):
        crystals = Crystals(name, shape, (edge, edge, edge), 298.0, None)
        found = pair_energies(crystals, parameters.middle(edge.size), Layers(masses=masses))
        steps = np.diff(found.exciton_ev)
        assert np.all(steps < 0)
        # no kink: neighbouring steps differ by a third at most
        assert np.all(np.abs(steps[1:] / steps[:-1] - 1.0) < 1.0 / 3.0)
