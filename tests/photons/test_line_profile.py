"""Line behind an instrument function: areas, derivatives, convolutions, files of narrow lines."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.errors import InputError, OptionError
from perolux.photons.line_profile import (
    SHAPES,
    InstrumentFunction,
    LineModel,
    gaussian_instrument,
    line_profile,
    read_instrument,
    voigt_fwhm,
)

TWO_PARTS = InstrumentFunction((0.6, 0.4), (1e-4, -1.5e-4), (3e-4, 5e-4), (0.0, 1e-4))
X = np.linspace(-5e-3, 5e-3, 61)


@settings(max_examples=30)
@given(
    st.sampled_from(sorted(SHAPES)), st.booleans(), st.floats(0.5, 4.0), st.floats(0.5, 4.0),
    st.floats(0.05, 0.8),
)  # fmt: skip
def test_derivatives_by_differences(shape, wing, gamma, sigma, share):
    model = LineModel(shape, TWO_PARTS, wing)
    first = {
        "gamma_ev": gamma * 1e-4, "sigma_ev": sigma * 1e-4, "wing_share": share, "wing_shift_ev": 2e-3,
        "wing_sigma_ev": 1e-3,
    }  # fmt: skip
    widths = np.array([first[name] for name in model.names])
    _, slope, by_width = line_profile(model, widths, X)
    ahead, behind = (line_profile(model, widths, X + step)[0] for step in (1e-9, -1e-9))
    # 1e-6: central differences of a smooth curve, a step of 1e-5 of its width
    assert np.max(np.abs((ahead - behind) / 2e-9 - slope)) < 1e-6 * np.max(np.abs(slope))
    for j in range(len(widths)):
        step = np.zeros(len(widths))
        step[j] = 1e-5 * widths[j]
        up, down = (line_profile(model, widths + s, X)[0] for s in (step, -step))
        numeric = (up - down) / (2 * step[j])
        assert np.max(np.abs(numeric - by_width[j])) < 1e-6 * np.max(np.abs(by_width[j]))


def test_profile_is_the_convolution():
    # Lorentzian and instrument, sampled and convolved: the second method
    step = 2e-6
    grid = np.arange(-40_000, 40_001) * step
    lorentz = 2e-4 / (grid**2 + 4e-8) / np.pi
    instrument = sum(
        w * np.exp(-((grid - o) ** 2) / 2 / s**2) / s / np.sqrt(2 * np.pi)
        for w, o, s in ((0.6, 1e-4, 3e-4), (0.4, -1.5e-4, 5e-4))
    )
    both = np.fft.ifftshift(lorentz), np.fft.ifftshift(instrument)
    numeric = np.fft.fftshift(np.fft.irfft(np.fft.rfft(both[0]) * np.fft.rfft(both[1]), len(grid))) * step
    model = LineModel("lorentzian", InstrumentFunction((0.6, 0.4), (1e-4, -1.5e-4), (3e-4, 5e-4), (0.0, 0.0)))
    seen = np.abs(grid) < 4e-3
    exact = line_profile(model, [2e-4], grid[seen])[0]
    # 1e-4: tails of the Lorentzian beyond the grid are folded back
    assert np.max(np.abs(numeric[seen] - exact)) < 1e-4 * exact.max()


def test_area_and_wing_to_the_red():
    x = np.linspace(-0.5, 0.5, 200_001)
    model = LineModel("voigt", gaussian_instrument(5e-4), wing=True)
    value = line_profile(model, [1e-4, 2e-4, 0.3, 4e-3, 1e-3], x)[0]
    # 2e-4: 2 gamma/(pi 0.5) of a Lorentzian lies outside
    assert np.sum(value) * 5e-6 == pytest.approx(1.0, abs=2e-4)
    assert np.sum(value[x < -2e-3]) * 5e-6 == pytest.approx(0.3, abs=0.03)


def test_width_of_a_voigt_profile():
    for gauss, lorentz in ((1e-3, 0.0), (0.0, 1e-3), (1e-3, 1e-3), (3e-4, 1e-3)):
        x = np.linspace(0, 5e-3, 50_001)
        model = LineModel("voigt")
        shape = line_profile(model, [lorentz / 2, max(gauss / 2.3548200450309493, 1e-9)], x)[0]
        half = np.interp(-0.5, -shape / shape[0], x)
        # 3e-4: the formula's own error is 2e-4
        assert float(voigt_fwhm(gauss, lorentz)) == pytest.approx(2 * half, rel=3e-4)


def _lamp(path, curve):
    wavelength = np.linspace(516.0, 517.2, 121)
    rows = "".join(f"{w:.4f},{c:.4f}\n" for w, c in zip(wavelength, curve(wavelength), strict=True))
    path.write_text("Wavelength (nm),PL (counts)\n" + rows)
    return path


def test_instrument_from_a_lamp(tmp_path):
    rng = np.random.default_rng(0)

    def gauss(w):
        return rng.poisson(20 + 5e4 * np.exp(-((w - 516.6) ** 2) / 2 / 0.05**2))

    found = read_instrument(_lamp(tmp_path / "lamp.csv", gauss))
    slope = 1239.841984 / 516.6**2
    assert found.fwhm_ev == pytest.approx(2.35482 * 0.05 * slope, rel=0.01)
    moved = found.at(2 * found.at_ev)
    assert moved.fwhm_ev == pytest.approx(4 * found.fwhm_ev, rel=1e-3)

    def two_sided(w):
        wide = np.where(w < 516.6, 0.04, 0.1)
        return rng.poisson(20 + 5e4 * np.exp(-((w - 516.6) ** 2) / 2 / wide**2))

    found = read_instrument(_lamp(tmp_path / "skew.csv", two_sided))
    assert len(found.weight) == 2 and abs(np.dot(found.weight, found.offset_ev)) < 1e-12
    assert found.fwhm_ev == pytest.approx(2.35482 * 0.07 * slope, rel=0.03)


def test_what_is_refused(tmp_path):
    with pytest.raises(OptionError, match="instrument width of 0"):
        gaussian_instrument(0.0)
    with pytest.raises(OptionError, match="unknown line shape"):
        LineModel("box")
    with pytest.raises(OptionError, match="do not fit"):
        InstrumentFunction((0.5,), (0.0,), (1e-4,), (0.0,))
    with pytest.raises(OptionError, match="negative width"):
        InstrumentFunction((1.0,), (0.0,), (-1e-4,), (0.0,))
    table = tmp_path / "two.csv"
    table.write_text("Wavelength (nm),a,b\n" + "".join(f"{500 + k},{k % 5},{k % 3}\n" for k in range(30)))
    with pytest.raises(InputError, match="2 spectra"):
        read_instrument(table)
    assert InstrumentFunction().fwhm_ev == 0.0
