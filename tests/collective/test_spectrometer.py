"""Spectrometer and Michelson: closed forms of single lines, and Wiener-Khinchin between the two."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from perolux.collective.instruments.michelson import (
    Michelson,
    fringe_counts,
    fringes,
    read_fringes,
    spectrum_of_fringes,
)
from perolux.collective.instruments.spectrometer import (
    Slit,
    full_width,
    lines_of_emitters,
    pixel_photons,
    slit_density,
)
from perolux.collective.lines import Lines
from perolux.collective.regression import density_of, regression
from perolux.errors import OptionError

ONE = lines_of_emitters(np.array([1.5]), 2.0)


def gaussian_line(sd):
    """Emitters spread as a Gaussian, sharp beside a slit: even steps are exact far below a slit's width."""
    x = np.arange(-6.0, 6.01, 0.05)
    weight = np.exp(-0.5 * x**2)
    return Lines(1j * sd * x - 1e-7, (weight / weight.sum()).astype(complex))


def test_gaussians_add_in_quadrature_and_lorentzians_add():
    w = np.linspace(-30.0, 30.0, 3001)
    seen = slit_density(gaussian_line(2.0), w, Slit(3.0 * math.sqrt(8.0 * math.log(2.0))))
    exact = np.exp(-(w**2) / 26.0) / math.sqrt(26.0 * math.pi)
    assert seen == pytest.approx(exact, abs=1e-7)
    # 12 sd are left out at the ends of the emitters: 2e-9
    assert full_width(w, seen) == pytest.approx(math.sqrt(13.0 * 8.0 * math.log(2.0)), rel=1e-4)
    # a Lorentzian of 2 behind wings of 0.5 is one of 2.5
    wide = slit_density(ONE, w, Slit(0.0, 0.5))
    assert wide == pytest.approx(1.25 / np.pi / ((w - 1.5) ** 2 + 1.25**2), rel=1e-12)


def test_the_slit_is_a_convolution(cluster):
    # of lines with complex weights: three emitters, all excited
    between = cluster(3, 1, 1, spread=2.0)
    lines = regression(between, 3).spectrum(density_of((3, np.ones(1, dtype=complex))))
    slit = Slit(6.0, 1.0)
    sigma = 6.0 / math.sqrt(8.0 * math.log(2.0))

    def profile(x):
        from scipy.special import voigt_profile

        return voigt_profile(x, sigma, 0.5)

    for at in (-20.0, 0.0, 7.0):
        plain = quad(
            lambda x, at=at: lines.density(np.array([at - x]))[0] * profile(x), -400.0, 400.0, limit=2000,
            points=[0.0], epsabs=1e-9,
        )[0]  # fmt: skip
        # wings of Voigt and lines beyond 400: 1e-5 of the height
        assert slit_density(lines, np.array([at]), slit)[0] == pytest.approx(plain, abs=3e-5)
    edges = np.linspace(-3e4, 3e4, 20001)
    assert pixel_photons(lines, edges, slit).sum() == pytest.approx(lines.photons, rel=1e-3)


def test_pixels_hold_the_density_and_rise_or_fall():
    edges = np.linspace(-40.0, 43.0, 84)
    for slit in (Slit(3.0), Slit(0.0, 1.0), Slit(0.0)):
        found = pixel_photons(ONE, edges, slit)
        assert found == pytest.approx(pixel_photons(ONE, edges[::-1], slit)[::-1], rel=1e-12)
        fine = np.linspace(-40.0, 43.0, 83 * 200 + 1)
        dense = slit_density(ONE, 0.5 * (fine[1:] + fine[:-1]), slit).reshape(83, 200).mean(axis=1)
        # 200 midpoints a pixel: (1/200)^2/24 of its second difference
        assert found == pytest.approx(dense, abs=1e-5 * dense.max())
    assert full_width(edges[1:], np.arange(83.0)) is None
    assert Slit(3.0, 2.0).width == pytest.approx(4.21, abs=0.01)


def test_one_line_gives_an_exponential_times_the_contrast():
    tau = np.array([-2.0, -0.5, 0.0, 0.7, 3.0])
    plain = Michelson(530.0, contrast=0.9)
    assert np.abs(fringes(ONE, tau, plain)) == pytest.approx(0.9 * np.exp(-np.abs(tau)), rel=1e-12)
    assert np.angle(fringes(ONE, tau, plain)) == pytest.approx(np.angle(np.exp(1.5j * tau)), abs=1e-12)
    assert np.abs(fringes(gaussian_line(2.0), tau, plain)) == pytest.approx(
        0.9 * np.exp(-2.0 * tau**2), abs=1e-6
    )


def test_splitter_jitter_and_motion_each_by_a_second_way():
    rng = np.random.default_rng(0)
    shaken = Michelson(530.0, path_jitter_nm=40.0)
    drawn = np.abs(np.mean(np.exp(2j * np.pi * rng.normal(0.0, 40.0, 200_000) / 530.0)))
    assert shaken.visibility == pytest.approx(drawn, abs=4.0 * 1.0 / math.sqrt(200_000))
    moving = Michelson(530.0, points=5, moving=True)
    over = quad(lambda x: math.cos(2.0 * np.pi * x), -0.1, 0.1)[0] / 0.2
    assert moving.visibility == pytest.approx(over, rel=1e-12)
    # amplitudes through a splitter: no light is lost, at any phase
    r, t = math.sqrt(0.3), math.sqrt(0.7) * 1j
    out, back = (Michelson(530.0, reflected=0.3, port=port) for port in ("out", "back"))
    for phase in (0.0, 1.0, 2.5):
        arm = np.exp(1j * phase)
        for one, light in ((out, abs(r * t + arm * t * r) ** 2), (back, abs(r * r + arm * t * t) ** 2)):
            sign = 1.0 if one is out else -1.0
            assert light == pytest.approx(
                one.share * (1.0 + sign * one.visibility * math.cos(phase)), abs=1e-12
            )
    assert out.visibility == 1.0 and back.visibility == pytest.approx(0.42 / 0.58)


def test_fringes_read_without_noise_are_themselves_and_with_noise_unbiased():
    one = Michelson(530.0, contrast=0.8, port="back", reflected=0.4, points=3, scanned=2)
    v = fringes(ONE, np.linspace(0.0, 3.0, 7), one)
    clean = read_fringes(fringe_counts(v, one, 1e4, dark=7.0), one, dark=7.0)
    assert clean.v == pytest.approx(v, abs=1e-12)
    weak = np.full(4000, 0.05 + 0.03j)
    counts = np.random.default_rng(1).poisson(fringe_counts(weak, one, 2000.0, dark=5.0))
    found = read_fringes(counts.astype(float), one, dark=5.0)
    for part in (found.v.real - 0.05, found.v.imag - 0.03):
        assert np.std(part) == pytest.approx(np.mean(found.sigma), rel=4.0 / math.sqrt(8000))
        assert abs(np.mean(part)) < 4.0 * np.mean(found.sigma) / math.sqrt(4000)
    square = np.abs(found.v) ** 2 - 2.0 * found.sigma**2
    assert abs(np.mean(square) - 0.0034) < 4.0 * np.std(square) / math.sqrt(4000)


def test_the_spectrum_comes_back_from_the_fringes(cluster):
    h = 0.05
    v = fringes(ONE, h * np.arange(600), Michelson(530.0))
    w, density = spectrum_of_fringes(v, h)
    exact = h / (2.0 * np.pi) * math.sinh(h) / (math.cosh(h) - np.cos((w - 1.5) * h))
    assert density == pytest.approx(exact, abs=1e-12)
    assert density.sum() * (w[1] - w[0]) == pytest.approx(1.0, rel=1e-12)
    # many lines: the copies of their wings are what steps of h cost, width/(2 pi^2/h) of each
    between = cluster(3, 1, 1, spread=2.0)
    # the loss ends the dark lines within the scan: exp(-0.5 x 40)
    lines = regression(between, 3, loss=1.0).spectrum(density_of((3, np.ones(1, dtype=complex))))
    h = 0.004
    w, density = spectrum_of_fringes(fringes(lines, h * np.arange(10_000), Michelson(530.0)), h)
    near = np.abs(w) < 60.0
    plain = lines.density(w[near]) / lines.photons
    assert np.max(np.abs(density[near] - plain)) < 1e-3 * plain.max()


def test_what_neither_is():
    for wrong, match in (
        ({"contrast": 0.0}, "contrast"), ({"reflected": 1.0}, "splitter"), ({"port": "side"}, "port"),
        ({"points": 2}, "readings"), ({"path_jitter_nm": -1.0}, "jitter"),
    ):  # fmt: skip
        with pytest.raises(OptionError, match=match):
            Michelson(530.0, **wrong)
    one = Michelson(530.0)
    with pytest.raises(OptionError, match="without light"):
        read_fringes(np.zeros((1, 32)), one)
    with pytest.raises(OptionError, match="photons"):
        fringe_counts(np.ones(1), one, 0.0)
    with pytest.raises(OptionError, match="delays"):
        spectrum_of_fringes(np.ones(1), 1.0)
    with pytest.raises(OptionError, match="slit"):
        Slit(-1.0)
    with pytest.raises(OptionError, match="pixels"):
        pixel_photons(ONE, np.array([0.0, 1.0, 0.5]), Slit(1.0))
