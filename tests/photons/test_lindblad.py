"""Master equation: resonance fluorescence, the rate model, line width, beats."""

import numpy as np
import pytest

from perolux.errors import OptionError
from perolux.photons.emitter import Emitter, Step, steady_g2
from perolux.photons.lindblad import first_order, jump, master, regression_g2, stationary_state

DOWN, UP = jump(2, 1, 0), jump(2, 0, 1)
TAU = np.linspace(0.0, 15.0, 31)


def test_without_coherence_it_is_the_rate_model():
    rate, pump = 0.7, 0.2
    found = regression_g2(master(np.zeros((2, 2)), [(DOWN, rate), (UP, pump)]), DOWN, TAU)
    two = Emitter(("g", "x"), (Step("g", "x", 1.0, "pump"), Step("x", "g", rate, "emission", 1.0)))
    assert np.abs(found - steady_g2(two, pump, TAU)).max() < 1e-12
    assert np.abs(found - (1 - np.exp(-(rate + pump) * TAU))).max() < 1e-10


@pytest.mark.parametrize("rabi", [0.1, 1.0, 4.0])
def test_resonance_fluorescence(rabi):
    # Carmichael and Walls: g2 = 1 - exp(-3 G t/4) (cos W t + 3 G/(4 W) sin W t), W^2 = rabi^2 - (G/4)^2
    rate = 1.0
    found = regression_g2(master(rabi / 2 * (UP + DOWN), [(DOWN, rate)]), DOWN, TAU)
    w = np.emath.sqrt(rabi**2 - rate**2 / 16)
    exact = 1 - np.exp(-0.75 * rate * TAU) * (np.cos(w * TAU) + 0.75 * rate / w * np.sin(w * TAU))
    assert np.abs(found - exact.real).max() < 1e-10


def test_g1_of_weak_pumping_decays_with_t2():
    rate, pure = 0.01, 0.004  # 1/ps
    occupied = UP @ DOWN
    # A = |x><x| at rate 2 g* gives the coherence the extra rate g*
    found = first_order(
        master(np.zeros((2, 2)), [(DOWN, rate), (UP, 1e-9), (occupied, 2 * pure)]), DOWN, [100.0]
    )
    assert abs(found[0]) == pytest.approx(np.exp(-100.0 * (rate / 2 + pure)), rel=1e-5)


def test_two_lines_beat():
    low, high = jump(3, 1, 0), jump(3, 2, 0)
    split, rate = 3.0, 0.3
    system = master(np.diag([0.0, 0.0, split]), [(low, rate), (high, rate)])
    start = np.zeros((3, 3), complex)
    start[1:, 1:] = 0.5
    from scipy.linalg import expm

    field = (low + high) / np.sqrt(2)
    read = field.conj().T @ field
    t = np.linspace(0, 5, 11)
    light = [np.trace(read @ (expm(x * system.generator) @ start.ravel()).reshape(3, 3)).real for x in t]
    assert np.allclose(light, np.exp(-rate * t) * (1 + np.cos(split * t)) / 2, atol=1e-12)


def test_states_are_states():
    rho = stationary_state(master(0.4 * (UP + DOWN), [(DOWN, 1.0), (UP @ DOWN, 0.3)]))
    assert abs(np.trace(rho) - 1) < 1e-12 and np.linalg.eigvalsh(rho).min() > -1e-12


@pytest.mark.parametrize(
    "bad",
    [
        lambda: master([[0, 1], [0, 0]], []),
        lambda: master(np.eye(2), [(DOWN, -1.0)]),
        lambda: master(np.eye(40), []),
        lambda: jump(2, 0, 5),
        lambda: stationary_state(master(np.zeros((2, 2)), [])),
        lambda: first_order(master(np.zeros((2, 2)), [(DOWN, 1.0)]), DOWN, [0.0]),
        lambda: regression_g2(master(np.zeros((2, 2)), [(DOWN, 1.0), (UP, 1.0)]), DOWN, [-1.0]),
    ],
)
def test_refused(bad):
    with pytest.raises(OptionError):
        bad()
