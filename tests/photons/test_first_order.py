"""g1 and its spectrum: widths, sidebands, and the line of the excitons room."""

import math

import numpy as np
import pytest

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.light.phonon_line import PhononModes
from perolux.photons.first_order import first_order_coherence, spectrum_of, zero_phonon_share
from perolux.photons.hom_wanted import linewidth_uev

STEP = 0.02
TAU = STEP * np.arange(60_000)


def test_width_of_a_lorentzian_line():
    energy, density = spectrum_of(first_order_coherence(TAU, 66.0), STEP)
    assert np.trapezoid(density, energy) == pytest.approx(1.0, abs=1e-3)
    above = energy[density > density.max() / 2]
    step = energy[1] - energy[0]
    assert 1e6 * (above[-1] - above[0]) == pytest.approx(linewidth_uev(66.0), abs=2.1e6 * step)
    assert density.max() == pytest.approx(2 / (math.pi * 1e-6 * linewidth_uev(66.0)), rel=1e-3)


@pytest.mark.slow
def test_sidebands_of_emission_lie_below_at_zero_kelvin():
    modes = PhononModes([0.003, 0.019], [0.3, 0.2], 0.4, 0.002)
    energy, density = spectrum_of(first_order_coherence(TAU, 30.0, modes=modes), STEP)
    low, high = (density[(side * energy > 2e-4) & (side * energy < 0.1)].sum() for side in (-1, 1))
    assert high < 0.05 * low  # what is left is the tail of the Lorentzian
    share = zero_phonon_share(modes, 0.0)
    assert share == pytest.approx(math.exp(-0.9), rel=1e-9)
    bare = spectrum_of(first_order_coherence(TAU, 30.0), STEP)[1]
    assert density.max() / bare.max() == pytest.approx(share, rel=0.02)


def test_mean_and_warm_share():
    modes = PhononModes([0.004], [0.5])
    assert zero_phonon_share(modes, 30.0) == pytest.approx(
        math.exp(-0.5 / math.tanh(0.004 / (2 * 8.617333e-5 * 30.0))), rel=1e-6
    )
    # the first moment is -S E, from the slope of the phase at 0: Im g1' = S E/hbar
    d = 1e-5
    slope = first_order_coherence(d, 1e9, modes=modes, temperature_k=30.0).imag / d
    assert slope * 6.582119569e-4 == pytest.approx(0.5 * 0.004, rel=1e-5)


def test_negative_delays_and_diffusion():
    g = first_order_coherence(
        np.array([-5.0, 5.0]), 20.0, spread_rad_per_ps=0.1, modes=PhononModes([0.01], [0.2])
    )
    assert g[0] == np.conj(g[1])
    plain = first_order_coherence(5.0, 20.0, spread_rad_per_ps=0.1)
    assert plain == pytest.approx(math.exp(-0.25 - 0.125))


def test_refused():
    with pytest.raises(OptionError):
        first_order_coherence(1.0, 0.0)
    with pytest.raises(ModelRangeError):
        spectrum_of(np.ones(20), 1.0)
    with pytest.raises(OptionError):
        spectrum_of([1.0], 1.0)
