"""Superlattices: builders, clusters, tables, disorder."""

import numpy as np
import pytest

from perolux.errors import InputError, ModelRangeError, OptionError
from perolux.superlattices import (
    Disorder,
    abo3,
    alb2,
    chain,
    disordered_cluster,
    energy_slope,
    face_centred,
    nacl,
    read_positions,
    realise,
    sheet,
    simple_cubic,
)

ALL = [
    simple_cubic(12.5, (3, 3, 3)),
    face_centred(12.5, (2, 2, 2)),
    nacl(18.0, (2, 2, 2)),
    alb2(15.0, (2, 2, 2), 1.1),
    abo3(25.0, (2, 2, 2)),
    chain(12.5, 5),
    sheet(12.5, 3, 4),
]


def nearest(places):
    apart = np.linalg.norm(places[:, None] - places[None], axis=2)
    np.fill_diagonal(apart, np.inf)
    return apart.min()


@pytest.mark.parametrize("lattice", ALL, ids=lambda one: one.name)
def test_every_lattice_has_its_number_and_proper_turns(lattice):
    places, site = lattice.positions()
    assert len(places) == len(lattice) == len(site)
    for axes in lattice.axes:
        assert np.allclose(axes @ axes.T, np.eye(3)) and np.linalg.det(axes) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("lattice", "wanted"),
    [
        (ALL[0], 12.5),
        (ALL[1], 12.5),
        (ALL[2], 18.0 / np.sqrt(2.0)),
        (ALL[4], 25.0 / 2.0),
        (alb2(15.0, (3, 3, 1)), 15.0 / np.sqrt(3.0)),
    ],
)
def test_nearest_neighbours_by_hand(lattice, wanted):
    assert nearest(lattice.positions()[0]) == pytest.approx(wanted)


def test_cubes_of_alb2_stand_on_their_corner_and_o_of_abo3_is_turned_about_its_normal():
    assert np.allclose(ALL[3].axes[1] @ np.ones(3) / np.sqrt(3.0), [0, 0, 1])
    for k, axes in enumerate(ALL[4].axes[2:]):
        normal = np.eye(3)[k]
        assert np.allclose(axes @ normal, normal)
        assert ALL[4].fractions[2 + k] @ normal == 0.0


def test_who_emits_is_an_argument():
    assert len(abo3(25.0, (1, 1, 1), ("O",))) == 3
    with pytest.raises(OptionError, match="no site 'X'"):
        abo3(25.0, (1, 1, 1), ("X",))


def test_a_cluster_does_not_overlap_and_its_seed_gives_it_again():
    one, two = (disordered_cluster(60, 12.5, np.random.default_rng(4)) for _ in range(2))
    assert np.array_equal(one.fractions, two.fractions)
    assert nearest(one.positions()[0]) >= 12.5
    with pytest.raises(ModelRangeError, match="filling"):
        disordered_cluster(60, 12.5, np.random.default_rng(4), 0.5)


def test_a_table_gives_places_and_dipoles_or_says_all_that_is_wrong(tmp_path):
    path = tmp_path / "places.csv"
    path.write_text("x_nm,y_nm,z_nm,dx,dy,dz\n0,0,0,0,0,2\n10,0,0,1,1,0\n")
    found = realise(read_positions(path), np.random.default_rng(0), dipoles="x")
    assert np.allclose(found.positions_nm, [[0, 0, 0], [10, 0, 0]])
    assert np.allclose(found.dipoles, [[0, 0, 1], [np.sqrt(0.5), np.sqrt(0.5), 0]])
    path.write_text("x_nm,y_nm,z_nm\n0,0,a\n1,inf,0\n")
    with pytest.raises(InputError) as caught:
        read_positions(path)
    assert len(caught.value.problems) == 2
    path.write_text("x_nm,y_nm\n0,0\n")
    with pytest.raises(InputError, match="no column z_nm"):
        read_positions(path)


def test_one_kind_of_disorder_switched_off_leaves_the_other_draws_alone():
    lattice = simple_cubic(12.5, (4, 4, 4))
    both = Disorder(edge_spread=0.05, position_nm=0.3, orientation_deg=5.0, vacancies=0.2)
    size = {"edge_nm": 9.0, "slope_mev_per_nm": -10.0}
    whole = realise(lattice, np.random.default_rng(7), both, **size)
    half = realise(lattice, np.random.default_rng(7), Disorder(position_nm=0.3, vacancies=0.2), **size)
    assert whole.missing == half.missing > 0
    assert np.array_equal(whole.positions_nm, half.positions_nm)
    assert np.ptp(half.energy_mev) == 0.0 and np.allclose(half.dipoles, [0, 0, 1])


def test_spreads_come_out_as_asked():
    lattice = simple_cubic(12.5, (15, 15, 15))
    asked = Disorder(edge_spread=0.05, position_nm=0.5, orientation_deg=3.0, vacancies=0.1)
    found = realise(lattice, np.random.default_rng(2), asked, edge_nm=9.0, slope_mev_per_nm=-10.0)
    # 3375 draws: relative error of a spread 1.2 %, five of those
    assert np.std(found.energy_mev) == pytest.approx(4.5, rel=0.06)
    assert np.allclose(found.energy_mev, -10.0 * (found.edge_nm - 9.0))
    assert found.missing == pytest.approx(337.5, abs=5 * np.sqrt(304))
    turn = np.degrees(np.arccos(found.dipoles[:, 2]))
    assert np.sqrt(np.mean(turn**2)) == pytest.approx(3.0 * np.sqrt(2.0), rel=0.06)


def test_three_dipoles_stand_at_one_place_at_right_angles():
    found = realise(abo3(25.0, (1, 1, 1)), np.random.default_rng(0), dipoles="three")
    for k in range(4):
        three = found.dipoles[found.nanocrystal == k]
        assert np.allclose(three @ three.T, np.eye(3))
        assert np.ptp(found.positions_nm[found.nanocrystal == k], axis=0).max() == 0.0


@pytest.mark.parametrize("bad", [{"edge_spread": 0.5}, {"vacancies": 1.0}, {"position_nm": -1.0}])
def test_senseless_disorder_is_refused(bad):
    with pytest.raises(OptionError):
        Disorder(**bad)


def test_edges_without_a_slope_are_refused():
    with pytest.raises(OptionError, match="mean edge"):
        realise(chain(12.5, 2), np.random.default_rng(0), Disorder(edge_spread=0.05))


def test_larger_cubes_emit_redder_and_the_slope_is_that_of_the_excitons_room():
    slope = energy_slope("CsPbBr3", 9.0, 6.0)
    assert all(-30.0 < one < -3.0 for one in slope.sets.values())
    assert min(slope.sets.values()) <= slope.median <= max(slope.sets.values())
    with pytest.raises(OptionError, match="no parameter set"):
        slope.of("nobody")
