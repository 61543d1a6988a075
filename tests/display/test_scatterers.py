"""Mie spheres: limits, numbers of an arbitrary-precision sum, miepython; scatterers in a film."""

from __future__ import annotations

import numpy as np
import pytest

from perolux.display.mie import rayleigh, sphere_light
from perolux.display.optical_media import medium
from perolux.display.scatterers import Scatterers, fraction_for_depth, scattering
from perolux.errors import ModelRangeError, OptionError

# Q_ext and Q_sca summed with 40 digits (mpmath, Bessel functions of half order)
PRECISE = [
    (1.5, 10.0, 2.8819989520758975, 2.8819989520758975),
    (2.4, 1.0, 1.5476896529954849, 1.5476896529954849),
    (1.33 + 0.01j, 60.0, 2.0922734641678584, 1.2014544062768915),
    (1.75 + 0.5j, 0.2, 0.16659562520448615, 0.0010435537281823773),
    (2.383413545320896, 198.36573491469503, 2.035875858622831, 2.035875858622831),
]


@pytest.mark.parametrize(("m", "x", "extinction", "scattered"), PRECISE)
def test_the_sum_of_forty_digits(m, x, extinction, scattered):
    found = sphere_light(m, x)
    assert float(found.extinction) == pytest.approx(extinction, rel=1e-13)
    assert float(found.scattering) == pytest.approx(scattered, rel=1e-13)


def test_size_parameters_at_a_zero_of_a_bessel_function_are_nothing_special():
    """x = pi, where sin x vanishes, lies on the line between its neighbours."""
    x = np.pi * np.array([1.0 - 1e-6, 1.0, 1.0 + 1e-6])
    low, at, high = sphere_light(1.6, x).extinction
    assert at == pytest.approx(0.5 * (low + high), rel=1e-10)


def test_small_spheres_are_rayleigh():
    for m in (1.2, 1.5 + 0.1j, 2.5):
        found = sphere_light(m, 1e-3)
        scattered, absorbed = rayleigh(m, 1e-3)
        assert float(found.scattering) == pytest.approx(float(scattered), rel=1e-5)  # next order: x^2
        assert float(found.absorption) == pytest.approx(float(absorbed), rel=1e-5, abs=1e-20)
        assert abs(float(found.g)) < 1e-5  # forward as much as back


def test_large_spheres_take_twice_their_shadow():
    """Q_ext -> 2, from above as x^(-2/3)."""
    x = np.array([30.0, 300.0, 3000.0])
    excess = sphere_light(1.5 + 0.1j, x).extinction - 2.0
    assert np.all(excess > 0.0) and excess[-1] < 0.01
    assert excess[:-1] / excess[1:] == pytest.approx(10 ** (2 / 3), rel=0.05)  # leading term of the series


def test_a_sphere_that_absorbs_nothing_scatters_what_it_takes():
    x = np.geomspace(0.01, 200.0, 40)
    found = sphere_light(2.4, x)
    assert found.scattering == pytest.approx(found.extinction, rel=1e-12)
    assert np.all(np.abs(found.g) < 1.0)
    nothing = sphere_light(1.0, x)
    assert np.max(nothing.extinction) < 1e-25


def test_many_spheres_in_one_call_are_each_itself():
    m, x = np.array([[1.5], [2.2 + 0.01j]]), np.array([0.05, 3.0, 120.0])
    table = sphere_light(m, x)
    for i in range(2):
        for j in range(3):
            one = sphere_light(m[i, 0], x[j])
            assert float(one.extinction) == pytest.approx(table.extinction[i, j], rel=1e-11)
            assert float(one.g) == pytest.approx(table.g[i, j], rel=1e-11, abs=1e-14)


def test_miepython_agrees():
    """To 1e-9, above x = 0.3; below it miepython takes a series good to 1e-5."""
    mie = pytest.importorskip("miepython")
    rng = np.random.default_rng(1)
    m = rng.uniform(0.7, 3.0, 60) + 1j * rng.choice([0.0, 1e-3, 0.5], 60) * rng.random(60)
    x = 10 ** rng.uniform(-0.5, 2.0, 60)
    ours = sphere_light(m, x)
    theirs = np.array([mie.efficiencies_mx(a.conjugate(), b) for a, b in zip(m, x, strict=True)]).T
    assert ours.extinction == pytest.approx(theirs[0], rel=1e-9)
    assert ours.scattering == pytest.approx(theirs[1], rel=1e-9)
    assert ours.g == pytest.approx(theirs[3], rel=1e-8, abs=1e-9)


def test_coefficients_of_one_size():
    host, d, f, nm = 1.5, 300.0, 0.02, np.array([450.0, 525.0, 630.0])
    found = scattering(Scatterers(2.5, d, f), host, nm)
    sphere = sphere_light(2.5 / host, np.pi * d * host / nm)
    assert found.mu_s_per_cm == pytest.approx(1.5 * f * sphere.scattering / d * 1e7, rel=1e-12)
    assert found.transport_per_cm == pytest.approx(found.mu_s_per_cm * (1 - sphere.g), rel=1e-12)
    assert np.all(found.mu_a_per_cm == 0.0)
    assert found.depth(10.0) == pytest.approx(found.mu_s_per_cm * 1e-3, rel=1e-14)


def test_small_scatterers_follow_the_fourth_power():
    found = scattering(Scatterers(2.5, 2.0, 0.01), 1.5, [400.0, 800.0])
    assert found.mu_s_per_cm[0] / found.mu_s_per_cm[1] == pytest.approx(16.0, rel=1e-3)


def test_absorption_per_volume_of_small_spheres_is_that_of_the_bulk_tables():
    """mu_a/f of tiny spheres is the dilute law of the effective media."""
    from perolux.materials import intrinsic_absorption_per_cm, optical_constants

    table = optical_constants("CsPbBr3")
    n, k = table.at(450.0)
    found = scattering(Scatterers(complex(float(n), float(k)), 0.5, 1e-3), 1.5, 450.0)
    assert found.mu_a_per_cm[0] / 1e-3 == pytest.approx(
        float(intrinsic_absorption_per_cm(table, 450.0, 1.5)), rel=1e-4
    )  # corrections of order x^2


def test_spread():
    nm = [450.0, 525.0]
    one = scattering(Scatterers(2.5, 300.0, 0.01), 1.5, nm)
    narrow = scattering(Scatterers(2.5, 300.0, 0.01, spread=1e-4), 1.5, nm)
    assert narrow.mu_s_per_cm == pytest.approx(one.mu_s_per_cm, rel=1e-4)
    # small spheres: <d^6>/<d^3> = d^3 exp((36 - 9) s^2/2), exact for a lognormal
    tiny, s = Scatterers(2.5, 1.0, 0.01, spread=0.3), 0.3
    ratio = (
        scattering(tiny, 1.5, 450.0).mu_s_per_cm
        / scattering(Scatterers(2.5, 1.0, 0.01), 1.5, 450.0).mu_s_per_cm
    )
    assert ratio[0] == pytest.approx(np.exp(13.5 * s**2), rel=1e-3)


def test_fraction_for_a_depth_comes_back():
    pigment = Scatterers(medium("TiO2 rutile"), 250.0, 0.01)
    f = fraction_for_depth(pigment, 1.5, 2.0, 10.0, 525.0)
    again = scattering(Scatterers(pigment.index, 250.0, f), 1.5, 525.0)
    assert again.depth(10.0)[0] == pytest.approx(2.0, rel=1e-12)


def test_faults_are_told():
    with pytest.raises(ModelRangeError, match="cannot be packed"):
        Scatterers(2.5, 300.0, 0.8)
    with pytest.raises(OptionError, match="volume fraction"):
        Scatterers(2.5, 300.0, -0.1)
    with pytest.raises(OptionError, match="diameter"):
        Scatterers(2.5, 0.0, 0.1)
    with pytest.raises(OptionError, match="host that absorbs"):
        scattering(Scatterers(2.5, 300.0, 0.01), 1.5 + 0.01j, 500.0)
    with pytest.raises(ModelRangeError, match="record of TiO2 rutile"):
        scattering(Scatterers(medium("TiO2 rutile"), 300.0, 0.01), 1.5, 400.0)
    with pytest.raises(ModelRangeError, match="size parameter"):
        sphere_light(1.5, 5000.0)
    with pytest.raises(OptionError, match="cannot be computed"):
        sphere_light(1.5 - 0.1j, 1.0)
    with pytest.raises(ModelRangeError, match="do not scatter"):
        fraction_for_depth(Scatterers(1.5, 300.0, 0.01), 1.5, 2.0, 10.0, 525.0)
    with pytest.raises(ModelRangeError, match="cannot be packed"):
        fraction_for_depth(Scatterers(1.52, 300.0, 0.01), 1.5, 200.0, 1.0, 525.0)
    assert any(
        "see one another" in note for note in scattering(Scatterers(2.5, 300.0, 0.2), 1.5, 500.0).notes
    )
