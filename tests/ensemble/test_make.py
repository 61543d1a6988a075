"""Shapes, size conventions and the three ways of making an ensemble."""

import math

import numpy as np
import pytest
from scipy import integrate

from perolux import ensemble as en
from perolux.ensemble import shapes
from perolux.ensemble.conventions import allowed_conventions
from perolux.errors import ModelRangeError, NotAvailableError, OptionError

LATTICE_NM = 0.587
CUBES = en.Population(shape="cube", size_convention="core-edge", material="CsPbBr3")


def population(shape, convention=None, **options):
    return en.Population(
        shape=shape,
        size_convention=convention or allowed_conventions(shape)[0],
        material="CsPbBr3",
        **options,
    )


# ---- shapes


def one(shape, a, b, c):
    arrays = (np.array([x]) for x in (a, b, c))
    name, lengths = np.array([shape]), tuple(arrays)
    return shapes.volume_nm3(name, *lengths).item(), shapes.surface_nm2(name, *lengths).item()


def test_volumes_and_surfaces_of_the_simple_shapes():
    assert one("cube", 2, 2, 2) == (8, 24)
    assert one("cuboid", 1, 2, 3) == (6, 22)
    assert one("platelet", 5, 4, 1) == (20, 58)
    assert one("sphere", 2, 2, 2) == pytest.approx((4 * math.pi / 3, 4 * math.pi), rel=1e-15)
    assert one("rod", 2, 2, 5) == pytest.approx((5 * math.pi, 12 * math.pi), rel=1e-15)


@pytest.mark.parametrize("ratio", [0.05, 0.5, 0.999999, 1.0, 1.0000001, 1.01, 2.0, 30.0])
def test_spheroid_surface_by_integration(ratio):
    r, h = 1.0, ratio  # semi-axes: surface of revolution of z = h cos t, rho = r sin t
    area, _ = integrate.quad(
        lambda t: 2 * math.pi * r * math.sin(t) * math.hypot(r * math.cos(t), h * math.sin(t)), 0, math.pi
    )
    volume, surface = one("spheroid", 2 * r, 2 * r, 2 * h)
    assert surface == pytest.approx(area, rel=1e-8)
    assert volume == pytest.approx(4 * math.pi / 3 * r * r * h, rel=1e-14)


def test_spheroid_surface_is_smooth_where_the_series_takes_over():
    ratios = np.linspace(1 - 2e-6, 1 + 2e-6, 401)
    name = np.full(ratios.shape, "spheroid")
    area = shapes.surface_nm2(name, np.ones(401), np.ones(401), ratios)
    # dS/dc = 2/3 S at the sphere; steps of 1e-8 in the ratio
    np.testing.assert_allclose(np.diff(area), math.pi * 2 / 3 * 1e-8, rtol=1e-5)


# ---- conventions


@pytest.mark.parametrize("shape", en.SHAPES)
def test_conventions_invert(shape):
    sizes = np.linspace(3, 20, 7)
    for convention in allowed_conventions(shape):
        core = en.to_core(sizes, shape, convention, lattice_constant_nm=LATTICE_NM, shell_nm=0.4)
        back = en.from_core(core, shape, convention, lattice_constant_nm=LATTICE_NM, shell_nm=0.4)
        np.testing.assert_allclose(back, sizes, rtol=1e-14)


def test_what_the_conventions_mean():
    # 14 unit cells: 13 lattice constants between the outermost lead planes, 14 with both half cells
    assert en.to_core(
        13 * LATTICE_NM, "cube", "edge-without-half-cells", lattice_constant_nm=LATTICE_NM
    ) == pytest.approx(14 * LATTICE_NM, rel=1e-15)
    assert en.to_core(10.0, "sphere", "diameter-with-shell", shell_nm=1.5) == 7.0
    edge = en.to_core(10.0, "cube", "equal-volume-diameter")
    assert edge**3 == pytest.approx(math.pi * 1000 / 6, rel=1e-14)
    edge = en.to_core(10.0, "cube", "equal-area-diameter")
    assert edge**2 == pytest.approx(math.pi * 100 / 4, rel=1e-14)
    assert en.to_core(10.0, "cube", "core-edge") == 10.0


def test_the_convention_is_required():
    with pytest.raises(TypeError):
        en.Population(shape="cube", material="CsPbBr3")


@pytest.mark.parametrize(
    ("shape", "convention", "options"),
    [
        ("cube", "core-diameter", {}),
        ("sphere", "core-edge", {}),
        ("sphere", "equal-volume-diameter", {}),
        ("cube", "edge-without-half-cells", {}),
        ("cube", "edge-without-half-cells", {"lattice_constant_nm": -1.0}),
        ("cube", "edge-with-shell", {}),
        ("cube", "edge", {}),
    ],
)
def test_conventions_that_do_not_go(shape, convention, options):
    with pytest.raises(OptionError):
        en.to_core([8.0], shape, convention, **options)


def test_a_shell_that_leaves_no_core():
    with pytest.raises(ModelRangeError, match="leaves no core"):
        en.to_core([2.0], "cube", "edge-with-shell", shell_nm=1.5)


# ---- making


def test_the_lattice_constant_of_the_record():
    from perolux.materials import material

    lattice = material("CsPbBr3").lattice_constant_nm
    ensemble = en.from_table([8.0], population("cube", "edge-without-half-cells"))
    assert ensemble.edge_a_nm.item() == 8.0 + lattice and not ensemble.notes
    given = population("cube", "edge-without-half-cells", partner_material="CsPbI3", halide_fraction=0.25)
    mixed = 0.75 * lattice + 0.25 * material("CsPbI3").lattice_constant_nm
    assert en.from_table([8.0], given).edge_a_nm.item() == pytest.approx(8.0 + mixed, rel=1e-15)
    with pytest.raises(ModelRangeError, match="one unit cell"):
        en.from_table([0.5], CUBES)


@pytest.mark.parametrize("name", ["AZPbBr3", "CdSe"])
def test_a_lattice_constant_that_is_not_known(name):
    with pytest.raises(NotAvailableError, match="give lattice_constant_nm"):
        en.from_table(
            [8.0], en.Population(shape="cube", size_convention="edge-without-half-cells", material=name)
        )
    known = en.from_table([8.0], en.Population(shape="cube", size_convention="core-edge", material=name))
    assert "not known" in known.notes[0]
    drawn = en.Population(
        shape="cube", size_convention="edge-without-half-cells", material=name, lattice_constant_nm=0.6
    )
    assert en.from_table([8.0], drawn).edge_a_nm.item() == 8.6


def test_half_cells_enter_the_ensemble():
    given = population("cube", "edge-without-half-cells", lattice_constant_nm=LATTICE_NM)
    ensemble = en.quadrature(en.Normal(8.0, 0.1), given, 12)
    assert ensemble.mean("edge_a_nm") == pytest.approx(8.0 + LATTICE_NM, rel=1e-13)
    assert ensemble.spread("edge_a_nm") == pytest.approx(0.8, rel=1e-12)
    assert ensemble.given_as == ("edge-without-half-cells",)


@pytest.mark.parametrize(
    ("shape", "size", "options", "volume"),
    [
        ("cube", en.Fixed(8.0), {}, 512.0),
        ("cuboid", en.Fixed(8.0), {"aspect": (1.0, 1.5)}, 768.0),
        ("cuboid", (en.Fixed(4.0), en.Fixed(5.0), en.Fixed(6.0)), {}, 120.0),
        ("sphere", en.Fixed(8.0), {}, 512 * math.pi / 6),
        ("spheroid", (en.Fixed(4.0), en.Fixed(6.0)), {}, 16 * math.pi),
        ("rod", en.Fixed(4.0), {"aspect": (5.0,)}, 80 * math.pi),
        ("platelet", en.Fixed(20.0), {"monolayers": 3, "monolayer_nm": 0.6}, 720.0),
        ("platelet", (en.Fixed(20.0), en.Fixed(10.0)), {"monolayers": 2, "monolayer_nm": 0.6}, 240.0),
    ],
)
def test_every_shape_three_ways(shape, size, options, volume):
    given = population(shape, **options)
    by_nodes = en.quadrature(size, given, 8)
    drawn = en.sample(size, given, 5, np.random.default_rng(0))
    parts = size if isinstance(size, tuple) else (size,)
    table = en.from_table([[part.mean_nm for part in parts]], given)
    for ensemble in (by_nodes, drawn, table):
        assert ensemble.volume_nm3 == pytest.approx(volume, rel=1e-14)
        assert set(ensemble.shape.tolist()) == {shape}


def test_independent_lengths_multiply():
    size = (en.Lognormal(4.0, 0.1), en.Lognormal(20.0, 0.3))
    rods = population("rod")
    ensemble = en.quadrature(size, rods, 6)
    assert len(ensemble) == 36
    exact = math.pi / 4 * size[0].moment(2) * size[1].moment(1)
    assert ensemble.mean("volume_nm3") == pytest.approx(exact, rel=1e-12)
    n = 20_000
    drawn = en.sample(size, rods, n, np.random.default_rng(8))
    second = (math.pi / 4) ** 2 * size[0].moment(4) * size[1].moment(2)
    # 5 standard errors, fixed seed
    assert abs(drawn.mean("volume_nm3") - exact) < 5 * math.sqrt((second - exact**2) / n)


def test_sampling_agrees_with_quadrature_by_z_score():
    size = en.Mixture((en.Lognormal(5.0, 0.08), en.Normal(9.0, 0.12)), (0.4, 0.6))
    n = 30_000
    nodes, drawn = en.quadrature(size, CUBES, 16), en.sample(size, CUBES, n, np.random.default_rng(11))
    for quantity in ("edge_a_nm", "volume_nm3", "surface_nm2"):
        z = (drawn.mean(quantity) - nodes.mean(quantity)) / (nodes.spread(quantity) / math.sqrt(n))
        assert abs(z) < 5  # 5 sigma: by chance once in 1.7 million
    weighted = drawn.mean("edge_a_nm", "volume") - nodes.mean("edge_a_nm", "volume")
    assert abs(weighted) < 5 * 9.0 * 0.5 / math.sqrt(n)  # generous: relative weights vary by less than 0.5


def test_platelets_by_monolayers():
    given = population("platelet", monolayers={2: 1.0, 3: 3.0}, monolayer_nm=0.6)
    ensemble = en.quadrature(en.Fixed(20.0), given)
    assert ensemble.monolayers.tolist() == [2, 3]
    assert ensemble.weights.tolist() == [0.25, 0.75]
    assert ensemble.edge_c_nm == pytest.approx([1.2, 1.8], rel=1e-15)
    n = 20_000
    drawn = en.sample(en.Fixed(20.0), given, n, np.random.default_rng(2))
    assert abs(np.mean(drawn.monolayers == 3) - 0.75) < 5 * math.sqrt(0.75 * 0.25 / n)


@pytest.mark.parametrize("layers", [0, 1.5, -1, True, {0: 1.0}, {}, {2: -1.0}, {2: 0.0}, {2: float("nan")}])
def test_platelets_need_whole_layers(layers):
    with pytest.raises(OptionError):
        population("platelet", monolayers=layers, monolayer_nm=0.6)


def test_mixed_halides_and_numbers():
    given = population(
        "cube", partner_material="CsPbI3", halide_fraction=0.3, number_per_litre=1e18, phase="Pbnm"
    )
    ensemble = en.quadrature(en.Fixed(10.0), given)
    assert ensemble.halide_fraction.tolist() == [0.3] and ensemble.partner_material.tolist() == ["CsPbI3"]
    # 1e18 cubes of 1000 nm^3 = 1e-21 L each
    assert ensemble.volume_fraction == pytest.approx(1e-3, rel=1e-14)
    assert ensemble.diluted(10).volume_fraction == pytest.approx(1e-4, rel=1e-14)
    assert ensemble.with_number_per_litre(None).volume_fraction is None
    assert "10 nm" in repr(ensemble) and "CsPbBr3" in repr(ensemble)


def test_smaller_than_a_unit_cell():
    given = population("cube", lattice_constant_nm=LATTICE_NM)
    with pytest.raises(ModelRangeError, match="smaller than one unit cell"):
        en.from_table([0.5, 8.0], given)
    assert len(en.from_table([LATTICE_NM, 8.0], given)) == 2
    with pytest.raises(ModelRangeError, match="smaller than one unit cell"):
        en.quadrature(en.Normal(4.0, 0.3), given, 24)
    # here nodes below a unit cell hold some 1e-11 of the number
    narrow = en.quadrature(en.Normal(4.0, 0.125), given, 17)
    assert len(narrow) < 17 and narrow.edge_a_nm.min() > LATTICE_NM
    assert narrow.mean("volume_nm3") == pytest.approx(en.Normal(4.0, 0.125).moment(3), rel=1e-9)
    assert "below one unit cell" in narrow.notes[0]


@pytest.mark.parametrize(
    "call",
    [
        lambda: en.from_table([], CUBES),
        lambda: en.from_table([-1.0], CUBES),
        lambda: en.from_table([0.0], CUBES),
        lambda: en.from_table([float("nan")], CUBES),
        lambda: en.from_table([float("inf")], CUBES),
        lambda: en.from_table([8.0], CUBES, [0.0]),
        lambda: en.from_table([8.0], CUBES, [-1.0]),
        lambda: en.from_table([8.0], CUBES, [float("nan")]),
        lambda: en.from_table([8.0], CUBES, [1.0, 2.0]),
        lambda: en.from_table([[8.0, 9.0]], CUBES),
        lambda: en.from_table(np.zeros((2, 2, 2)), CUBES),
        lambda: en.sample(en.Fixed(8.0), CUBES, 0, np.random.default_rng(0)),
        lambda: en.sample(en.Fixed(8.0), CUBES, 10**9, np.random.default_rng(0)),
        lambda: en.quadrature((en.Lognormal(8.0, 0.1),) * 3, population("cuboid"), 200),
        lambda: en.quadrature(8.0, CUBES),
        lambda: en.quadrature((), CUBES),
        lambda: en.quadrature(en.Fixed(8.0), population("cuboid")),
        lambda: en.quadrature(en.Fixed(8.0), population("rod", aspect=(1.0, 2.0))),
        lambda: en.quadrature(en.Fixed(8.0), population("rod", aspect=(-1.0,))),
        lambda: en.quadrature((en.Fixed(8.0),) * 2, population("rod", aspect=(2.0,))),
        lambda: population("cube", monolayers=3),
        lambda: population("platelet"),
        lambda: population("platelet", monolayers=3, monolayer_nm=0.0),
        lambda: population("cube", halide_fraction=0.5),
        lambda: en.quadrature(
            en.Fixed(8.0), population("cube", halide_fraction=1.5, partner_material="CsPbI3")
        ),
        lambda: en.quadrature(en.Fixed(8.0), population("cube", number_per_litre=-1.0)),
        lambda: en.Population(shape="prism", size_convention="core-edge", material="CsPbBr3"),
        lambda: en.Population(shape="cube", size_convention="edge", material="CsPbBr3"),
        lambda: en.Population(shape="cube", size_convention="core-edge", material=""),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(OptionError):
        call()
