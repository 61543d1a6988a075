"""The deterministic slab: kernel against NumPy, conservation, symmetry, limits, mirrors, emission memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.display.fresnel import Face
from perolux.display.reference_slab import reference_slab
from perolux.display.slab import Slab, converted, incoming, lambertian, light, slab_light, solve
from perolux.display.slab_cells import cell_matrix, cell_vectors, directions, slab_vectors_plain
from perolux.errors import InputError, OptionError

shares = st.floats(0.0, 1.0)


def slab_of(**changes) -> Slab:
    return replace(reference_slab(1.6, 4.605, 0.95), **changes)


@st.composite
def slabs(draw):
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    m = draw(st.integers(1, 6))
    nm = np.sort(rng.uniform(480.0, 560.0, m))
    mirrors = [draw(st.floats(0.0, 0.99)) for _ in range(2)]
    taken = [draw(shares) for _ in range(2)]
    faces = [
        Face(draw(st.floats(1.0, 1.5)), mirror, absorbed)
        for mirror, absorbed in zip(mirrors, taken, strict=True)
    ]
    return Slab(
        draw(st.floats(1.0, 2.4)), nm, 10.0 ** rng.uniform(-6, 1, m), rng.random(m) + 1e-3, draw(shares),
        draw(st.floats(0.0, 8.0)), host_depth=draw(st.floats(0.0, 1.0)),
        host_source_depth=draw(st.floats(0.0, 1.0)), top=faces[0], bottom=faces[1],
    )  # fmt: skip


@given(slabs())
@settings(max_examples=60, deadline=None)
def test_every_photon_ends_somewhere(slab):
    found = slab_light(slab, cells=8, nodes=8)
    assert abs(found.balance) < 1e-10
    ends = (
        found.t_blue,
        found.r_blue,
        found.t_em,
        found.r_em,
        found.loss,
        found.host_loss,
        found.mirror_loss,
    )
    assert min(ends) > -2e-3  # extrapolated from 4 and 8 cells: a share of nothing may fall below 0 by that


@given(slabs())
@settings(max_examples=30, deadline=None)
def test_kernel_equals_the_sums_written_out(slab):
    cosine, weight = directions((0.6,), 6)
    top = slab.top.seen_from_inside(slab.wavelength_nm, cosine, slab.index)
    bottom = slab.bottom.seen_from_inside(slab.wavelength_nm, cosine, slab.index)
    arguments = (slab.depth, cosine, weight, top, bottom, 5)
    quick, plain = cell_vectors(*arguments), slab_vectors_plain(*arguments)
    for name in ("own", "direct", "both", "top", "bottom", "escape_top", "escape_bottom"):
        np.testing.assert_allclose(getattr(quick, name), getattr(plain, name), rtol=1e-9, atol=1e-15)


def test_each_direction_conserves_photons():
    cosine, _ = directions((0.78,), 3)
    rng = np.random.default_rng(0)
    for direction in range(len(cosine)):
        one, all_of_it = cosine[direction : direction + 1], np.ones(1)
        reflect = rng.random((2, 1, 1))
        vectors = cell_vectors(np.array([0.7]), one, all_of_it, reflect[0], reflect[1], 7)
        total = np.sum(cell_matrix(vectors, np.ones(1)), axis=0)
        total += vectors.escape_top[0] + vectors.escape_bottom[0]
        np.testing.assert_allclose(total, 1.0, rtol=1e-12)


def test_reciprocity_of_equal_faces():
    matrix = solve(slab_of(), 16).matrix
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-15)
    np.testing.assert_allclose(matrix, matrix[::-1, ::-1], atol=1e-15)


@pytest.mark.parametrize("plqy", [0.3, 0.95])
def test_emissions_follow_from_reabsorption(plqy):
    found = light(solve(slab_of(plqy=plqy)))
    absorbed = 1.0 - found.t_blue - found.r_blue
    expected = plqy * absorbed / (1.0 - plqy * found.reabsorbed)
    assert found.emissions_per_photon == pytest.approx(expected, rel=1e-12)
    assert found.loss == pytest.approx((1.0 - plqy) * expected / plqy, rel=1e-12)


def test_nothing_is_lost_at_unit_yield():
    found = slab_light(slab_of(plqy=1.0))
    assert found.loss == 0.0
    assert found.t_blue + found.r_blue + found.t_em + found.r_em == pytest.approx(1.0, abs=1e-10)


def test_low_yield_is_linear_in_it():
    low, lower = (slab_light(slab_of(plqy=q)) for q in (2e-6, 1e-6))
    assert low.t_em / lower.t_em == pytest.approx(2.0, rel=1e-5)  # second emissions are 1e-6 of the first


def test_more_cells_and_directions_change_nothing():
    usual, fine = slab_light(slab_of()), slab_light(slab_of(), cells=160, nodes=80)
    for name in ("t_em", "r_em", "loss"):
        # sigma is the last step of the cells; directions are good to 1e-6
        assert abs(getattr(usual, name) - getattr(fine, name)) < usual.sigma[name] + 2e-6


def test_error_of_cells_falls_as_their_square():
    slab = reference_slab(1.0, 6.907755, 0.95, emission_depth=2.0)
    exact = slab_light(slab, cells=400).t_em
    errors = [abs(light(solve(slab, n)).t_em - exact) for n in (20, 40, 80)]
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(4.0, rel=0.05)


def test_a_slab_upside_down_swaps_its_faces():
    top, bottom = Face(1.2, 0.3), Face(1.0, 0.8, 0.1)
    slab = slab_of(top=top, bottom=bottom)
    other = replace(slab, top=bottom, bottom=top)
    nm, depth = np.array([450.0]), np.array([4.605])
    nothing = np.zeros(1)
    mu, weight = lambertian(8)
    arguments = {"outside_cosine": mu, "weight": weight}
    up = incoming(slab, 10, nm, depth, nothing, side="bottom", **arguments)
    down = incoming(other, 10, nm, depth, nothing, side="top", **arguments)
    np.testing.assert_allclose(up.absorbed, down.absorbed[:, ::-1], rtol=1e-12)
    first = converted(solve(slab, 10), up.absorbed[0], 450.0)
    second = converted(solve(other, 10), down.absorbed[0], 450.0)
    np.testing.assert_allclose(first.forward, second.backward, rtol=1e-10, atol=1e-15)


def test_absorbed_in_cells_sum_to_what_does_not_leave():
    mu, weight = lambertian(12)
    slab, nm = slab_of(top=Face(mirror=0.4, mirror_absorption=0.5)), np.array([450.0, 520.0])
    own, host = np.array([2.0, 0.1]), np.array([0.0, 0.4])
    found = incoming(slab, 9, nm, own, host, outside_cosine=mu, weight=weight)
    total = found.absorbed.sum(axis=1) + found.passed + found.returned + found.host + found.mirrors
    np.testing.assert_allclose(total, 1.0, rtol=1e-12)


def test_a_mirror_below_sends_light_forward():
    def green_mirror(nm, cosine):
        return np.where(nm > 490.0, 0.98, 0.02) + 0.0 * cosine

    bare, mirrored = slab_light(slab_of()), slab_light(slab_of(bottom=Face(mirror=green_mirror)))
    assert mirrored.t_em > 1.6 * bare.t_em
    assert mirrored.r_em < 0.05
    assert abs(mirrored.balance) < 1e-10


def test_host_absorption_takes_its_share():
    clear, grey = slab_light(slab_of()), slab_light(slab_of(host_depth=0.05))
    assert clear.host_loss == pytest.approx(0.0, abs=1e-14)
    assert grey.host_loss > 0.05
    assert grey.t_em < clear.t_em


@pytest.mark.parametrize("memory", ["redshift", "kT"])
def test_emission_with_memory_conserves_photons_and_shifts_to_the_red(memory):
    found = slab_light(slab_of(memory=memory), cells=12, nodes=12)
    assert abs(found.balance) < 1e-10
    free = slab_light(slab_of(), cells=12, nodes=12)
    assert found.mean_nm()[0] > free.mean_nm()[0]
    assert found.emissions_per_photon < free.emissions_per_photon


def test_memory_without_reabsorption_is_no_memory():
    thin = {"depth": np.full(301, 1e-9), "index": 1.0}
    with_memory, without = (slab_light(slab_of(memory=m, **thin)) for m in ("redshift", "full"))
    np.testing.assert_allclose(with_memory.forward, without.forward, atol=1e-7)


def test_redshift_in_order_of_wavelength_is_the_same():
    """Second method: photons only go to the red, so wavelengths are solved one after the other."""
    slab = slab_of(memory="redshift", plqy=0.8)
    solved = solve(slab, 8, 12)
    m, cells = len(solved.wavelength_nm), solved.cells
    blue = incoming(slab, cells, np.array([450.0]), np.array([slab.source_depth]), np.zeros(1)).absorbed[0]
    found = converted(solved, blue, 450.0).emitted
    from perolux.display.slab_memory import conditional_emission

    table = conditional_emission(solved, solved.wavelength_nm)
    first = conditional_emission(solved, np.array([450.0]))[0]
    emitted, absorbed = np.zeros((m, cells)), np.zeros((m, cells))
    for i in range(m):
        one = np.zeros(m)
        one[i] = 1.0
        passing = cell_matrix(solved.vectors, one * solved.own_share)
        source = first[i] * blue + table[:i, i] @ absorbed[:i]
        emitted[i] = np.linalg.solve(np.eye(cells) - 0.8 * table[i, i] * passing, 0.8 * source)
        absorbed[i] = passing @ emitted[i]
    np.testing.assert_allclose(found, emitted, rtol=1e-9, atol=1e-11)  # generations end at 1e-12


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"plqy": 1.2}, "PLQY"),
        ({"index": 0.9}, "index"),
        ({"source_depth": -1.0}, "below 0"),
        ({"depth": np.full(301, -1e-3)}, "below 0"),
        ({"depth": np.full(301, np.nan)}, "below 0"),
        ({"emission": np.zeros(301)}, "without light"),
        ({"depth": np.ones(3)}, "shapes"),
        ({"memory": "none"}, "memory"),
    ],
)
def test_what_cannot_be_a_film_is_refused(changes, match):
    with pytest.raises((OptionError, InputError), match=match):
        slab_of(**changes)


@pytest.mark.parametrize("mirror", [-0.1, 1.1])
def test_impossible_mirrors_are_refused(mirror):
    with pytest.raises(OptionError, match="mirror"):
        Face(mirror=mirror)
    with pytest.raises(OptionError, match="mirror"):
        slab_light(slab_of(bottom=Face(mirror=lambda nm, cosine: mirror + 0.0 * nm * cosine)))
