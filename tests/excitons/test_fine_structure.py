"""Fine structure: limits, conservation and covariance of the 4 x 4 Hamiltonian; exchange; polarised lines."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.levels.exchange import (
    bright_dark_splitting_mev,
    exchange_mev,
    long_range_mev,
    short_range_constant,
    short_range_mev,
)
from perolux.excitons.levels.fine_structure import ORDERS, fine_structure, hamiltonian_mev, rashba_for_order
from perolux.excitons.levels.g_factors import electron_g_factor, hole_g_factor, remote_g_for_exciton
from perolux.excitons.levels.polarised import (
    analyser_vector,
    line_intensities,
    polarised_spectrum,
    thermal_occupation,
)
from perolux.excitons.pair.tables import interpolate
from perolux.quantities.constants import constant

MU_B_MEV = 1000.0 * constant("bohr_magneton_ev_per_t")
NUMBER = st.floats(-5.0, 5.0)
VECTOR = st.tuples(NUMBER, NUMBER, NUMBER)


def test_isotropic_exchange_is_the_spin_form():
    """D (3/4 + s_e.s_h), from Kronecker products written out here."""
    half = [0.5 * np.array(m) for m in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]])]
    dot = sum(np.kron(s, s) for s in half)
    expected = np.linalg.eigvalsh(3.0 * (0.75 * np.eye(4) + dot))
    levels = fine_structure([3.0, 3.0, 3.0])
    assert levels.energy_mev == pytest.approx(expected, abs=1e-14)
    assert levels.energy_mev == pytest.approx([0.0, 3.0, 3.0, 3.0], abs=1e-14)
    assert levels.dark_admixture == pytest.approx([1.0, 0.0, 0.0, 0.0], abs=1e-14)
    assert levels.strength == pytest.approx([0.0, 1.0, 1.0, 1.0], abs=1e-14)


def random_tensor(seed):
    matrix = np.random.default_rng(seed).normal(size=(3, 3))
    matrix = matrix + matrix.T
    return matrix - np.trace(matrix) / 3.0 * np.eye(3)


@settings(deadline=None, max_examples=60)
@given(VECTOR, VECTOR, NUMBER, NUMBER, VECTOR, st.integers(0, 1000))
def test_sum_rules(bright, field, g_e, g_h, rashba, seed):
    """Trace: sum of D_i whatever else acts. Strength: 3 in all, and 1 of dark character."""
    levels = fine_structure(
        bright, lattice_mev=random_tensor(seed), rashba_mev=rashba, field_t=field, g_electron=g_e, g_hole=g_h
    )
    assert levels.energy_mev.sum() == pytest.approx(sum(bright), abs=1e-11)
    assert levels.strength.sum() == pytest.approx(3.0, abs=1e-12)
    assert levels.dark_admixture.sum() == pytest.approx(1.0, abs=1e-12)
    assert levels.strength + levels.dark_admixture == pytest.approx(np.ones(4), abs=1e-12)
    # each polarisation holds one unit of strength
    assert (np.abs(levels.dipole) ** 2).sum(axis=0) == pytest.approx(np.ones(3), abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(VECTOR, VECTOR, NUMBER, NUMBER, st.integers(0, 1000))
def test_rotation_turns_dipoles_and_leaves_energies(bright, field, g_e, g_h, seed):
    turn = Rotation.random(random_state=seed).as_matrix()
    mean = sum(bright) / 3.0
    shape, lattice = np.diag(np.array(bright) - mean), random_tensor(seed)
    arguments = {"g_electron": g_e, "g_hole": g_h}
    still = fine_structure([mean] * 3, lattice_mev=shape + lattice, field_t=field, **arguments)
    turned = fine_structure(
        [mean] * 3,
        lattice_mev=turn @ (shape + lattice) @ turn.T,
        field_t=turn @ np.array(field),
        **arguments,
    )
    assert turned.energy_mev == pytest.approx(still.energy_mev, abs=1e-11)
    if np.diff(still.energy_mev).min() > 1e-3:  # else single dipoles are a choice
        projector = np.einsum("ja,jb->jab", still.dipole, still.dipole.conj())
        expected = turn @ projector @ turn.T
        assert np.einsum("ja,jb->jab", turned.dipole, turned.dipole.conj()) == pytest.approx(
            expected, abs=1e-8
        )


def test_zeeman_splits_the_bright_levels_by_g_x_and_repels_the_dark():
    """B along z: +-1 linear and exact; M = 0 and dark a two-level problem, quadratic at first."""
    splitting, g_e, g_h, field = 2.0, 1.7, 0.65, 3.0
    levels = fine_structure([splitting] * 3, field_t=[0, 0, field], g_electron=g_e, g_hole=g_h)
    linear = 0.5 * (g_e + g_h) * MU_B_MEV * field
    mixing = 0.5 * (g_e - g_h) * MU_B_MEV * field
    root = np.hypot(0.5 * splitting, mixing)
    expected = sorted(
        [splitting - linear, splitting + linear, 0.5 * splitting - root, 0.5 * splitting + root]
    )
    assert levels.energy_mev == pytest.approx(expected, abs=1e-13)
    # second order: the dark level goes down by mixing^2/D; the fourth order is mixing^4/D^3 = 1e-5 meV here
    assert levels.energy_mev[0] == pytest.approx(-(mixing**2) / splitting, abs=1e-5)
    admixed = 1.0 - levels.dark_admixture[0]
    assert levels.strength[0] == pytest.approx(admixed, abs=1e-14)
    assert admixed == pytest.approx((mixing / splitting) ** 2, rel=0.01)
    # the brightened dark level is polarised along the field
    assert np.abs(levels.dipole[0]) == pytest.approx([0, 0, np.sqrt(admixed)], abs=1e-12)


def test_equal_g_factors_do_not_brighten_the_dark_level():
    levels = fine_structure([2.0] * 3, field_t=[3.0, 4.0, 5.0], g_electron=1.2, g_hole=1.2)
    assert levels.strength[0] == pytest.approx(0.0, abs=1e-14)


def test_faraday_lines_are_circular():
    levels = fine_structure([2.0] * 3, field_t=[0, 0, 8.0], g_electron=1.7, g_hole=0.65)
    right = analyser_vector([0, 0, 1], np.pi / 4, np.pi / 2)
    left = analyser_vector([0, 0, 1], np.pi / 4, -np.pi / 2)
    warm = 1e6
    one, other = (4.0 * line_intensities(levels, warm, e) for e in (right, left))
    plus = [j for j in range(4) if one[j] > 0.5]
    minus = [j for j in range(4) if other[j] > 0.5]
    assert len(plus) == len(minus) == 1
    # occupations differ by dE/kT = 1e-5 at this temperature
    assert one[plus[0]] == pytest.approx(1.0, abs=1e-4) and one[minus[0]] < 1e-12
    gap = levels.energy_mev[plus[0]] - levels.energy_mev[minus[0]]
    assert gap == pytest.approx(2.35 * MU_B_MEV * 8.0, rel=1e-12)  # sigma+ up for g_X > 0


def test_rashba_of_one_axis_and_the_two_orders():
    """About z: the singlet falls by R/2, z rises by R/2, x and y stay."""
    levels = fine_structure([4.0] * 3, rashba_mev=[0.0, 0.0, 1.0])
    assert levels.energy_mev == pytest.approx([-0.5, 4.0, 4.0, 4.5], abs=1e-14)
    assert levels.bright_dark_mev == pytest.approx((4 + 4 + 4.5) / 3 + 0.5)
    for order in ORDERS:
        found = fine_structure([4.0] * 3, rashba_mev=rashba_for_order([4.0] * 3, order))
        assert float(found.bright_dark_mev) == pytest.approx(4.0 if order == "dark-lowest" else -4.0)
    draws = np.full((5, 3), 2.0)
    inverted = rashba_for_order(draws, "bright-lowest")[:, None] * np.ones(3)
    assert fine_structure(draws, rashba_mev=inverted).dark_admixture[:, 3] == pytest.approx(np.ones(5))
    with pytest.raises(OptionError, match="order"):
        rashba_for_order([1.0] * 3, "grey-lowest")


def test_batches_are_the_single_problems():
    rng = np.random.default_rng(3)
    bright, g = rng.uniform(1, 5, (7, 3)), rng.uniform(0, 2, 7)
    tensors = np.array([random_tensor(k) for k in range(7)])
    together = fine_structure(bright, lattice_mev=tensors, field_t=[1, 2, 3], g_electron=g, g_hole=0.5)
    for k in range(7):
        alone = fine_structure(
            bright[k], lattice_mev=tensors[k], field_t=[1, 2, 3], g_electron=g[k], g_hole=0.5
        )
        assert together.energy_mev[k] == pytest.approx(alone.energy_mev, abs=1e-12)
    matrix = hamiltonian_mev(bright, field_t=[1, 2, 3], g_electron=g)
    assert np.abs(matrix - np.swapaxes(matrix, -1, -2).conj()).max() < 1e-15


def test_sorting_is_the_solver():
    """Without field and tensor the levels are sorted; a zero tensor sends the same problem to the solver."""
    rng = np.random.default_rng(5)
    bright, rashba = rng.uniform(-2, 5, (3, 1, 3)), rng.uniform(-2, 2, (4, 3))
    weights = rng.uniform(0.5, 1, (2, 3, 4, 3))
    quick = fine_structure(bright, rashba_mev=rashba, axis_amplitude=weights)
    solved = fine_structure(bright, rashba_mev=rashba, axis_amplitude=weights, lattice_mev=np.zeros((3, 3)))
    assert quick.energy_mev.shape == quick.dark_admixture.shape == quick.strength.shape == (2, 3, 4, 4)
    assert quick.energy_mev == pytest.approx(solved.energy_mev, abs=1e-13)
    assert quick.strength == pytest.approx(solved.strength, abs=1e-13)
    assert quick.dark_admixture == pytest.approx(solved.dark_admixture, abs=1e-13)
    assert np.abs(quick.dipole) == pytest.approx(np.abs(solved.dipole), abs=1e-13)
    # a field of zero keeps the shape that a field would give
    assert fine_structure([1.0] * 3, field_t=np.zeros((5, 3)), g_hole=np.ones(5)).energy_mev.shape == (5, 4)


def test_bad_tensors_are_refused():
    with pytest.raises(OptionError, match="symmetric"):
        fine_structure([1.0] * 3, lattice_mev=[[0, 1, 0], [0, 0, 0], [0, 0, 0]])
    with pytest.raises(OptionError, match="trace"):
        fine_structure([1.0] * 3, lattice_mev=np.eye(3))
    with pytest.raises(OptionError, match="bright_mev"):
        fine_structure([1.0, 2.0])
    with pytest.raises(OptionError, match="field_t"):
        fine_structure([1.0] * 3, field_t=[0.0, 0.0, np.nan])


def test_exchange_scales_and_calibrates():
    x = interpolate("cube", [1.0, 2.0, 50.0]).exchange_x
    total = exchange_mev(x, 2.56, lt_splitting_mev=5.3, short_range_mev_nm3=80.0)
    assert total.shape == (3, 3)
    assert bright_dark_splitting_mev(total) == pytest.approx(
        short_range_mev(x, 2.56, 80.0) + 5.3 / 3 * x, rel=1e-14
    )
    # the bulk limit of the long range is hbar w_LT/3; X is 1.0002 at 50 aB
    assert long_range_mev(x, 5.3)[2] == pytest.approx([5.3 / 3] * 3, rel=1e-3)
    constant_again = short_range_constant(bright_dark_splitting_mev(total), x, 2.56, 5.3)
    assert constant_again == pytest.approx([80.0] * 3, rel=1e-12)
    with pytest.raises(ModelRangeError, match="long range"):
        short_range_constant(1.0, 10.0, 2.56, 5.3)
    with pytest.raises(OptionError, match="sum 1"):
        long_range_mev(1.0, 5.3, [0.5, 0.5, 0.5])


def test_flat_boxes_raise_the_level_across():
    from perolux.excitons.levels.depolarisation import box_factors

    levels = exchange_mev(3.0, 2.56, lt_splitting_mev=5.3, factors=box_factors(10.0, 10.0, [10.0, 4.0]))
    assert levels[0] == pytest.approx([5.3] * 3, rel=1e-12)
    assert levels[1, 2] > levels[1, 0]
    assert levels.sum(axis=-1) == pytest.approx([15.9, 15.9], rel=1e-12)  # hbar w_LT X, whatever the shape


def test_g_factors():
    g_h = hole_g_factor(2.342, 12.0, 1.5)
    g_e = electron_g_factor(2.342, 12.0, remote_g_for_exciton(2.35, 2.342, 12.0, 1.5))
    assert float(g_e + g_h) == pytest.approx(2.35, abs=1e-12)
    assert float(hole_g_factor(2.342, 27.9, 1.5)) == pytest.approx(-1.1, abs=0.05)  # about -1 in the chapter
    assert float(hole_g_factor(1e9, 12.0, 1.5)) == pytest.approx(2.0)  # no coupling left


def test_occupation_is_safe_at_any_temperature():
    energy = np.array([0.0, 1.0, 1.0, 500.0])
    assert thermal_occupation(energy, 0.0) == pytest.approx([1, 0, 0, 0])
    assert thermal_occupation(energy, 1e-300) == pytest.approx([1, 0, 0, 0])
    assert thermal_occupation(energy, 1e12) == pytest.approx([0.25] * 4, rel=1e-6)
    assert thermal_occupation(energy - 1e6, [4.0, 300.0]).sum(axis=-1) == pytest.approx([1, 1])
    with pytest.raises(ModelRangeError):
        thermal_occupation(energy, -1.0)


@pytest.mark.parametrize("line", ["lorentzian", "gaussian"])
def test_spectrum_holds_its_intensity(line):
    levels = fine_structure([2.0, 2.5, 3.5])
    grid = np.linspace(-400.0, 400.0, 400_001)
    spectrum = polarised_spectrum(levels, grid, temperature_k=10.0, fwhm_mev=0.2, line=line)
    total = float(line_intensities(levels, 10.0).sum())
    # a Lorentzian of 0.2 meV has 2 x 0.1/(pi 400) = 1.6e-4 of its area beyond 400 meV
    assert np.trapezoid(spectrum, grid) == pytest.approx(total, rel=2e-4)
    with pytest.raises(OptionError, match="line"):
        polarised_spectrum(levels, grid, temperature_k=10.0, fwhm_mev=0.2, line="square")
    with pytest.raises(OptionError, match="width"):
        polarised_spectrum(levels, grid, temperature_k=10.0, fwhm_mev=0.0)


def test_analyser_selects_axes_and_completes_the_light():
    levels = fine_structure([2.0, 2.5, 3.5])
    along_z = [line_intensities(levels, 1e7, analyser_vector([0, 0, 1], a)) for a in (0.0, np.pi / 2)]
    assert 4 * along_z[0] == pytest.approx([0, 1, 0, 0], abs=1e-4)  # 1e-4: dE/kT
    assert 4 * along_z[1] == pytest.approx([0, 0, 1, 0], abs=1e-4)
    # two crossed analysers, averaged over directions of detection, see 2/3 of all light
    rng = np.random.default_rng(0)
    seen = np.zeros(4)
    for direction in rng.normal(size=(3000, 3)):
        for angle in (0.3, 0.3 + np.pi / 2):
            seen += line_intensities(levels, 8.0, analyser_vector(direction, angle)) / 3000
    expected = line_intensities(levels, 8.0) * 2.0 / 3.0
    assert seen == pytest.approx(expected, rel=0.03)  # 3000 directions: 1 % standard error
    with pytest.raises(OptionError, match="direction"):
        analyser_vector([0, 0, 0], 0.0)


def test_lattice_tensors_give_back_the_levels_they_came_from():
    from perolux.errors import NotAvailableError
    from perolux.excitons.levels.lattice_tensor import lattice_phases, lattice_tensor_mev
    from perolux.validation.rows import read_table

    assert ("CsPbI3", "relaxed") in lattice_phases()
    for row in read_table("cspbi3_bse_fine_structure_lifetimes.csv"):
        levels = np.array([float(row[f"bright_minus_dark_meV_{k}"]) for k in (1, 2, 3)])
        tensor = lattice_tensor_mev("CsPbI3", row["structure"].lower(), float(row["edge_nm"]))
        assert np.trace(tensor) == pytest.approx(0.0, abs=1e-14)
        found = fine_structure([levels.mean()] * 3, lattice_mev=tensor)
        assert found.energy_mev[1:] == pytest.approx(levels, abs=2e-4)  # rounding of the table
    between = lattice_tensor_mev("CsPbI3", "orthorhombic", [2.5, 4.0, 6.9])
    assert between.shape == (3, 3, 3)
    assert between[0, 2, 2] > between[1, 2, 2] > between[2, 2, 2]
    with pytest.raises(NotAvailableError, match="CsPbCl3"):
        lattice_tensor_mev("CsPbCl3", "orthorhombic", 5.0)
    with pytest.raises(ModelRangeError, match="edge"):
        lattice_tensor_mev("CsPbI3", "cubic", 8.0)
