"""Lines of ensembles and the softening of hard walls: exact limits and an independent route."""

import numpy as np
import pytest

from perolux.errors import OptionError
from perolux.excitons.backwards.sizing import confinement_energy_ev
from perolux.excitons.light.line import ensemble_line, volume_weighted_sizes
from perolux.materials import material, parameter_sets

SETS = parameter_sets("CsPbBr3")


def confinement(set_name, excess=0.0):
    one = material("CsPbBr3", 298.0, set_name)
    return lambda sizes: confinement_energy_ev(sizes, one, excess_at_4nm_ev=excess)


def brute(edge, spread, width, curve):
    """Peak and FWHM on a fine energy grid with 1201 sizes."""
    sizes, weights = volume_weighted_sizes(edge, spread, 1201)
    energies = curve(sizes)[0, 0]
    grid = np.arange(energies.min() - 0.3, energies.min() + 1.5, 1e-4)
    line = sum(
        w * np.exp(-0.5 * ((grid - e) / (width / 2.354820)) ** 2)
        for w, e in zip(weights, energies, strict=True)
    )
    above = grid[line >= 0.5 * line.max()]
    return grid[line.argmax()], above[-1] - above[0]


@pytest.mark.parametrize("set_name", SETS)
@pytest.mark.parametrize(("edge", "spread"), [(3.5, 0.1), (4.0, 0.15), (6.0, 0.1), (8.0, 0.2), (12.0, 0.25)])
def test_line_agrees_with_a_fine_energy_grid(set_name, edge, spread):
    curve = confinement(set_name)
    found = ensemble_line(edge, spread, [0.035, 0.09], curve)
    for k, width in enumerate((0.035, 0.09)):
        peak, fwhm = brute(edge, spread, width, curve)
        assert found.peak_ev[0, 0, k] == pytest.approx(peak, abs=5e-4)  # the grid's own step is 0.1 meV
        assert found.fwhm_ev[0, 0, k] == pytest.approx(fwhm, abs=1e-3)


def test_without_spread_the_line_is_that_of_one_size():
    curve = confinement(SETS[0])
    found = ensemble_line([4.0, 9.0], [0.0], [0.05, 0.1], curve)
    assert found.peak_ev[:, 0, 0] == pytest.approx(curve(np.array([4.0, 9.0])), abs=1e-9)
    assert found.fwhm_ev[:, 0] == pytest.approx(np.array([[0.05, 0.1]] * 2), abs=1e-8)


def test_peak_of_a_skew_line_lies_below_its_mean():
    """The referee's case: at 4 nm and 15 % spread the peak lies some 50 meV below the mean energy."""
    curve = confinement("yang2017")
    sizes, weights = volume_weighted_sizes(4.0, 0.15, 801)
    mean = float((curve(sizes) @ weights)[0, 0])
    peak = ensemble_line(4.0, 0.15, 0.08, curve).peak_ev.item()
    assert 0.04 < mean - peak < 0.07


def test_volume_weighting_of_a_lognormal_is_exact():
    sizes, weights = volume_weighted_sizes(7.0, 0.2, 401)
    # <L> weighted by volume = edge (1 + s^2)^3 for a lognormal; the sum is cut at 4 deviations (6e-5).
    assert float((sizes @ weights)[0, 0]) == pytest.approx(7.0 * 1.04**3, rel=3e-4)


@pytest.mark.parametrize("bad", [{"edge_nm": -1.0}, {"relative_spread": -0.1}, {"homogeneous_fwhm_ev": 0.0}])
def test_numbers_out_of_their_domain_are_refused(bad):
    arguments = {"edge_nm": 5.0, "relative_spread": 0.1, "homogeneous_fwhm_ev": 0.08} | bad
    with pytest.raises(OptionError):
        ensemble_line(**arguments, confinement_ev=confinement(SETS[0]))


@pytest.mark.parametrize("set_name", SETS)
@pytest.mark.parametrize("excess", [0.02, 0.1, 0.15])
def test_softening_lowers_a_4_nm_cube_by_what_it_says_and_vanishes_in_the_bulk(set_name, excess):
    hard, soft = confinement(set_name), confinement(set_name, excess)
    assert hard(np.array([4.0])) - soft(np.array([4.0])) == pytest.approx(excess, abs=1e-12)
    edges = np.geomspace(1.0, 60.0, 400)
    assert np.all(np.diff(soft(edges)) < 0)
    assert hard(np.array([60.0])) - soft(np.array([60.0])) == pytest.approx(0.0, abs=1e-4)


def test_more_softening_than_confinement_is_refused():
    with pytest.raises(OptionError, match="4 nm"):
        confinement(SETS[0], 5.0)(np.array([4.0]))
