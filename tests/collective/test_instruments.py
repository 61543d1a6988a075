"""Lens, substrate, blur, streak image: closed forms and a second method for each."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from perolux.collective.assembly import Course, assembly
from perolux.collective.assembly_file import assembly_of
from perolux.collective.couplings import Emitters, couplings
from perolux.collective.instruments.aperture import Lens, collected, collected_fraction, power_over_free
from perolux.collective.instruments.response import GaussianBlur, MeasuredBlur, blur_kernel, blurred, delayed
from perolux.collective.instruments.seen import seen_by
from perolux.collective.instruments.streak import StreakCamera, counted, emitter_line, streak_image
from perolux.errors import InputError, OptionError
from perolux.photons.decay_models import exponential_columns
from perolux.photons.instrument_response import GaussianResponse

ONE = np.eye(1, dtype=complex)


def single(along, index=1.0):
    return Emitters(np.zeros((1, 3)), np.array([along]), index, 530.0)


@pytest.mark.parametrize("aperture", [0.2, 0.65, 0.95])
def test_a_lens_before_one_dipole(aperture):
    c = math.sqrt(1.0 - aperture**2)
    # integrals of sin^2 and of 1 - sin^2 cos^2 over the cone
    assert collected_fraction(single([0.0, 0.0, 1.0]), ONE, Lens(aperture)) == pytest.approx(
        0.5 - 0.75 * c + 0.25 * c**3, abs=1e-12
    )
    across = 0.5 - 0.375 * c - 0.125 * c**3
    for along, axis in (([1.0, 0.0, 0.0], "z"), ([0.0, 0.0, 1.0], "x"), ([0.0, 0.0, 1.0], "y")):
        found = collected_fraction(single(along), ONE, Lens(aperture, axis))
        assert found == pytest.approx(across, abs=1e-12)


def sommerfeld(along, n, other, gap):
    """Light over that without a surface, from the field that comes back to the dipole (no absorption)."""
    k, m = 2.0 * np.pi * n / 530.0, other / n

    def part(s):
        z1, z2 = np.sqrt(1.0 - s * s + 0j), np.sqrt(m * m - s * s + 0j)
        r_p, r_s = (m * m * z1 - z2) / (m * m * z1 + z2), (z1 - z2) / (z1 + z2)
        phase = np.exp(2j * k * gap * z1)
        if along[2]:
            return (1.5 * s**3 / z1 * r_p * phase).real
        return (0.75 * s / z1 * (r_s - (1.0 - s * s) * r_p) * phase).real

    inner = quad(lambda t: part(np.sin(t)) * np.cos(t), 0.0, np.pi / 2.0, limit=400,
                 points=[np.arcsin(m)] if m < 1.0 else None)[0]  # fmt: skip
    end = np.arccosh(max(m, 1.0) + 40.0 / (k * gap))
    outer = quad(lambda t: part(np.cosh(t)) * np.sinh(t), 1e-9, end, limit=800,
                 points=[np.arccosh(m)] if m > 1.0 else None)[0]  # fmt: skip
    return 1.0 + inner + outer


@pytest.mark.parametrize("along", [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
@pytest.mark.parametrize(("n", "other", "gap"), [(1.0, 1.5, 6.0), (1.5, 1.0, 30.0), (1.0, 2.0, 80.0)])
def test_light_above_and_below_a_surface_is_what_the_dipole_gives(along, n, other, gap):
    found = power_over_free(single(along, n), ONE, Lens(0.5, substrate_index=other, gap_nm=gap))
    assert found == pytest.approx(sommerfeld(along, n, other, gap), rel=1e-8)  # both to about 1e-10


def test_a_pattern_of_many_sums_to_their_rate_and_the_substrate_takes_most():
    rng = np.random.default_rng(0)
    dipoles = rng.normal(size=(5, 3))
    dipoles /= np.linalg.norm(dipoles, axis=1)[:, None]
    emitters = Emitters(100.0 * rng.normal(size=(5, 3)), dipoles, 1.2, 530.0)
    state = rng.normal(size=5) + 1j * rng.normal(size=5)
    correlations = np.outer(state.conj(), state)
    rate = float(np.real(np.sum(couplings(emitters).decay * correlations)))
    for axis in "xyz":
        assert power_over_free(emitters, correlations, Lens(0.5, axis)) == pytest.approx(rate, rel=1e-7)
    flat = single([1.0, 0.0, 0.0])
    above = collected_fraction(flat, ONE, Lens(1.0, substrate_index=1.5, gap_nm=3.0))
    below = collected_fraction(flat, ONE, Lens(1.5, substrate_index=1.5, gap_nm=3.0, below=True))
    assert above + below == pytest.approx(1.0, abs=1e-9) and below > 0.75
    few = collected(
        Emitters(np.array([[0.0, 0.0, 0.0], [12.5, 0.0, 0.0]]), np.eye(3)[[2, 2]], 1.0, 530.0), Lens(0.5)
    )
    assert few.independent == pytest.approx(few.brightest_mode, rel=0.02)  # far below the wavelength


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Lens(0.5, axis="q"), "axis"),
        (lambda: Lens(-1.0), "aperture"),
        (lambda: Lens(0.5, substrate_index=0.5), "substrate"),
        (lambda: collected_fraction(single([0.0, 0.0, 1.0]), ONE, Lens(1.2)), "aperture of 1.2"),
        (lambda: GaussianBlur(-1.0), "response"),
        (lambda: blur_kernel(GaussianBlur(1.0), 0.0), "step"),
        (lambda: StreakCamera(GaussianBlur(1.0), 0.0, 0.0, 5, np.array([2.0, 2.1])), "bins"),
    ],
)
def test_what_no_instrument_is(make, match):
    with pytest.raises(OptionError, match=match):
        make()
    with pytest.raises(InputError):
        MeasuredBlur(np.array([0.0, 1.0, 2.0]), np.array([1.0, -1.0, 1.0]))


def test_a_blurred_decay_is_the_exgaussian_of_the_photons_room():
    blur, edges = GaussianBlur(10.0, 2.0), np.arange(-50.0, 700.0, 3.0)
    t = np.concatenate([[0.0], np.geomspace(1e-3, 1500.0, 4000)])
    found = counted(t, np.exp(-t / 50.0) / 50.0, edges, blur)
    exact, _, _ = exponential_columns(
        [0.05], len(edges) - 1, 3e-3, GaussianResponse(1e-3 * blur.sigma_ps, 0.05)
    )
    # the onset is a jump within a fine step of 0.75 ps
    assert np.max(np.abs(found - exact[:, 0])) < 2e-3 * exact.max()
    assert found.sum() == pytest.approx(1.0, abs=1e-5)


def test_a_measured_response_of_a_gaussian_blurs_as_it():
    t = np.arange(-40.0, 40.5, 0.5)
    blur = GaussianBlur(12.0)
    same = MeasuredBlur(t + 7.0, 1e4 * np.exp(-0.5 * (t / blur.sigma_ps) ** 2))
    assert same.sigma_ps == pytest.approx(blur.sigma_ps, rel=1e-6)
    light = np.zeros(200)
    light[80:] = np.exp(-np.arange(120) / 20.0)
    a, b = (blurred(light, *blur_kernel(one, 1.0)) for one in (blur, same))
    assert np.max(np.abs(a - b)) < 2e-3  # the histogram's own bins add 0.5^2/12 to the variance
    assert a.sum() == pytest.approx(light.sum(), rel=1e-3)


def test_a_delay_keeps_photons_and_its_mean():
    light = np.zeros(4000)
    light[100] = 1.0
    late = delayed(light, 0.5, 7.0)
    assert late.sum() == pytest.approx(1.0, abs=1e-12)
    assert 0.5 * (late @ np.arange(4000) - 100) == pytest.approx(7.0, rel=1e-9)


def test_an_image_keeps_the_photons_and_its_line():
    edges = np.linspace(2.0, 2.6, 301)
    energies = np.array([2.29, 2.30, 2.33])
    line = emitter_line(energies, 8.0, edges, resolution_mev=3.0)
    assert line.sum() == pytest.approx(1.0, abs=0.01)  # wings of the Lorentzian beyond 0.3 eV
    assert line @ (0.5 * (edges[1:] + edges[:-1])) / line.sum() == pytest.approx(energies.mean(), abs=3e-4)
    camera = StreakCamera(GaussianBlur(5.0), -30.0, 2.0, 200, edges, uneven=0.1, dark=0.5)
    assert camera.edges_ps[[0, -1]].tolist() == [-30.0, 370.0] and np.ptp(np.diff(camera.edges_ps)) > 0.2
    t = np.linspace(0.0, 300.0, 301)
    image = streak_image(camera, t, 40.0 * np.exp(-t / 30.0), line)
    assert (image - 0.5).sum() == pytest.approx(1200.0 * line.sum(), rel=1e-3)
    with pytest.raises(OptionError, match="line"):
        streak_image(camera, t, t, line[:-1])


def test_the_last_bins_of_an_image_are_as_bright_as_the_light():
    # light at an even rate; what comes after the last time is not computed, so no bin may need it
    made = assembly(
        assembly_of(
            {
                "lattice": {"kind": "chain", "pitch": "12.5 nm", "repeats": [2]},
                "emitters": {"lifetime": "300 ps", "wavelength": "530 nm"},
                "times": {"until": "100 ps", "points": 101},
                "instrument": {"response": "10 ps", "time_bin": "2 ps", "wavelength_bin": "1 nm"},
            }
        )
    )
    even, nothing = np.ones(101), np.zeros(101)
    seen = seen_by(made, (Course(0.0, ("even",), (), even, even, nothing, nothing),), made.file.instrument)
    trace = seen.traces[0].expected[0]
    assert 100.0 - 3.0 * 10.0 / 2.355 - 2.0 < seen.camera.edges_ps[-1] < 100.0 - 3.0 * 10.0 / 2.355
    assert trace[-1] == pytest.approx(trace[len(trace) // 2], rel=2e-3)  # 3 sd: 1.35e-3 beyond
