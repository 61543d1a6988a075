"""Several lines joined to the bulk: the sum rule by quadrature, volume scaling, independence of the grid."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.ensemble_spectra import absorption_table
from perolux.excitons.light.cross_section import particle_cross_section_cm2, scale_lines_to_bulk
from perolux.excitons.parameters import parameters_of
from perolux.materials import optical_constants
from perolux.quantities.constants import HC_EV_NM

GAP, WIDTH = 2.37, 0.08
FINE = np.arange(GAP - 0.3, 4.6, 5e-4)


def _joined(lines, areas, edges, grid=FINE, **more):
    table = optical_constants("CsPbBr3")
    volume = np.asarray(edges, dtype=float) ** 3
    return scale_lines_to_bulk(
        grid, lines, areas, volume, table, gap_ev=GAP, solvent_index=1.5, fwhm_ev=WIDTH, **more
    )


@settings(max_examples=40, deadline=None)
@given(
    first=st.floats(2.3, 3.4),
    steps=st.lists(st.floats(0.02, 0.8), min_size=1, max_size=7),
    per_volume=st.lists(st.floats(1.0, 1e5), min_size=8, max_size=8),
    edge=st.floats(1.5, 15.0),
)
@pytest.mark.slow
def test_lines_and_continuum_hold_the_strength_of_the_bulk(first, steps, per_volume, edge):
    lines = first + np.concatenate([[0.0], np.cumsum(steps)])
    areas = np.array(per_volume[: len(lines)]) * edge**3 * 1e-21
    found = _joined([lines], [areas], [edge])
    bulk = particle_cross_section_cm2(optical_constants("CsPbBr3"), FINE, np.array([edge**3]), 1.5)[0]
    # the scale takes what the onset cannot, so that the sum holds whatever the lines; tails below the grid
    # and the grid of the sum leave a thousandth
    assert np.trapezoid(found.sigma_cm2[0], FINE) == pytest.approx(np.trapezoid(bulk, FINE), rel=2e-3)
    assert np.all(found.sigma_cm2 >= 0)
    beyond = found.join_ev[0] + 4.5 * WIDTH / 2.355 < FINE
    assert found.sigma_cm2[0][beyond] == pytest.approx(bulk[beyond], rel=1e-4)


def test_lines_weaker_than_the_bulk_are_drawn_as_they_are():
    lines, weak, strong = [[2.9, 3.3, 3.7]], np.array([[1e4, 1e3, 1e3]]), np.array([[2e5, 2e5, 2e5]])
    found = _joined(lines, weak * 27e-21, [3.0])
    assert found.line_scale[0] == pytest.approx(1.0, rel=1e-6) or found.onset_ev[0] == pytest.approx(2.9)
    bright = _joined(lines, strong * 27e-21, [3.0])
    assert bright.line_scale[0] < 1.0
    assert bright.onset_ev[0] == pytest.approx(bright.join_ev[0], abs=1e-6)


def test_neither_the_grid_nor_other_sizes_change_a_size():
    lines = np.array([[2.9, 3.5, 3.8], [2.5, 2.7, 2.8]])
    areas = np.array([[4e4, 4e4, 1e4], [5e3, 6e3, 2e3]]) * np.array([[8.0], [125.0]]) * 1e-21
    both = _joined(lines, areas, [2.0, 5.0])
    coarse = _joined(lines[1:], areas[1:], [5.0], FINE[::50])
    assert coarse.sigma_cm2[0] == pytest.approx(both.sigma_cm2[1, ::50], rel=1e-6)


def test_small_crystals_absorb_as_their_volume_at_the_lamp():
    """At 365 nm, half an electronvolt or more above the first exciton, whatever else is in the table."""
    energy = np.arange(2.0, 4.4, 0.01)
    for parameters in parameters_of("CsPbBr3", 298.0, draws=0):
        table = absorption_table(parameters, "cube", (2.5, 12.0), energy)
        lamp = np.array([np.interp(HC_EV_NM / 365.0, energy, row) for row in table.values])
        per_volume = lamp / table.size_nm**3
        # one resonance at the join may add a fifth; before, a hole of six decades opened here
        assert per_volume == pytest.approx(per_volume[-1], rel=0.2)
        assert per_volume[table.size_nm > 3.0] == pytest.approx(per_volume[-1], rel=1e-3)


def test_what_cannot_be_joined_is_refused():
    with pytest.raises(OptionError, match="ascending"):
        _joined([[2.9, 3.0]], [[1.0, 1.0]], [3.0], FINE[::-1])
    with pytest.raises(OptionError, match="lines of shape"):
        _joined([[2.9, 3.0]], [[1.0]], [3.0])
    with pytest.raises(ModelRangeError):
        _joined([[5.9, 6.4]], [[1.0, 1.0]], [3.0])
