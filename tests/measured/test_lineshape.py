"""Descriptive line shapes: the right one is chosen, its parameters return, the Jacobian is the derivative."""

import numpy as np
import pytest

from perolux.errors import OptionError
from perolux.measured import lineshape
from perolux.measured.lineshape import SHAPES, LineFit, describe_line, line_curve

ENERGY = np.linspace(2.1, 2.9, 321)
TRUTHS = {
    "gaussian": (1e4, 2.45, 0.04),
    "bi-gaussian": (1e4, 2.4512, 0.06, 0.035),
    "voigt": (1e4, 2.45, 0.02, 0.025),
    "two-gaussians": (1e4, 2.42, 0.03, 6e3, 2.56, 0.045),
}


def curve_of(name, energy=ENERGY):
    return line_curve(LineFit(name, TRUTHS[name], 0.0, True), energy)


@pytest.mark.parametrize("name", SHAPES)
def test_the_shape_put_in_is_chosen_and_its_parameters_come_back(name):
    noise = np.random.default_rng(3).normal(0, 20, len(ENERGY))
    line = describe_line(ENERGY, curve_of(name) + noise)
    assert line.name == name and line.converged
    # noise of 0.2 % on some sixty points of the line: parameters within a few 1e-3
    assert list(line.parameters.values()) == pytest.approx(TRUTHS[name], rel=0.03)
    assert line.relative_misfit == pytest.approx(0.002, rel=0.2)
    assert line.curve + line.residual == pytest.approx(curve_of(name) + noise)


@pytest.mark.parametrize("name", SHAPES)
def test_jacobians_are_the_derivatives(name):
    p = np.array(TRUTHS[name]) / np.array([1e4 if key.startswith("height") else 1 for key in SHAPES[name]])
    _, jacobian = lineshape._MODELS[name](ENERGY, p)
    for k in range(len(p)):
        step = 1e-6 * abs(p[k])
        up, down = p.copy(), p.copy()
        up[k] += step
        down[k] -= step
        slope = (lineshape._MODELS[name](ENERGY, up)[0] - lineshape._MODELS[name](ENERGY, down)[0]) / (
            2 * step
        )
        # central differences with a relative step of 1e-6
        assert jacobian[:, k] == pytest.approx(slope, abs=1e-6 * np.abs(slope).max())


def test_noise_alone_takes_no_parameters():
    rng = np.random.default_rng(11)
    lines = [describe_line(ENERGY, curve_of("gaussian") + rng.normal(0, 50, 321)) for _ in range(40)]
    # an AIC gain of 10 for one more parameter is a chance of about 5e-4, for three more of about 1e-3
    assert sum(line.name != "gaussian" for line in lines) <= 1


def test_scale_and_unit_do_not_matter():
    density = curve_of("bi-gaussian") + np.random.default_rng(5).normal(0, 20, len(ENERGY))
    one, other = describe_line(ENERGY, density), describe_line(ENERGY, density * 1e-7)
    assert one.name == other.name
    assert other.parameters["height"] == pytest.approx(one.parameters["height"] * 1e-7, rel=1e-6)
    assert other.curve == pytest.approx(one.curve * 1e-7)


def test_long_records_are_thinned_for_the_fit_but_described_in_full():
    energy = np.linspace(2.1, 2.9, 2001)
    line = describe_line(energy, curve_of("gaussian", energy))
    assert line.curve.shape == (2001,) and line.parameters["center_ev"] == pytest.approx(2.45, abs=1e-6)


def test_weights_count():
    density = curve_of("gaussian").copy()
    density[ENERGY > 2.6] += 2000.0  # rubbish that a weight of zero leaves out
    weight = np.where(ENERGY > 2.6, 1e-6, 1.0)
    line = describe_line(ENERGY, density, weight=weight)
    assert line.parameters["center_ev"] == pytest.approx(2.45, abs=1e-4)


@pytest.mark.parametrize(
    ("energy", "density"), [(ENERGY[:5], np.ones(5)), (ENERGY, np.zeros(321)), (ENERGY, np.full(321, np.nan))]
)
def test_what_is_no_line_is_refused(energy, density):
    with pytest.raises(OptionError, match="line shape needs 8 points"):
        describe_line(energy, density)
