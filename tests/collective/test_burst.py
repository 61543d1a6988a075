"""Which method a case gets and why, brackets, and what is refused."""

from dataclasses import replace
from importlib import import_module

import numpy as np
import pytest

from perolux.collective.burst import METHODS, REACH, burst, chosen_method
from perolux.collective.case import BurstCase
from perolux.collective.couplings import couplings
from perolux.errors import ModelRangeError, NotAvailableError, OptionError

MODULES = {
    name: f"perolux.collective.{module}"
    for name, module in {
        "exact": "master_equation",
        "trajectories": "trajectories",
        "eigenstate-rates": "eigenstate_rates",
        "ladder": "ladder",
        "bracket": "cumulants",
        "cumulant": "cumulants",
        "diffusion": "diffusion",
        "wigner": "wigner",
    }.items()
}


@pytest.fixture
def case(grid):
    def make(*shape, star=0.0, state="all excited", excited=None, screening=1.0, times=None, **options):
        emitters = grid(*shape, **options)
        listed = np.arange(len(emitters)) if excited is None else np.array(excited)
        times = np.linspace(0.0, 0.2, 5) if times is None else times
        return BurstCase("", emitters, star, 0.0, state, listed, times, screening)

    return make


def choose(one):
    return chosen_method(one, couplings(one.emitters, screening=one.screening))[0]


@pytest.mark.parametrize("method", sorted(REACH))
def test_too_many_emitters_are_told_what_can(case, method):
    most, _ = REACH[method]
    assert most == getattr(import_module(MODULES[method]), "_MOST", most)
    with pytest.raises(ModelRangeError) as caught:
        burst(case(1 + most // 10, 10, 1), method)
    told = caught.value.problems[0]
    assert f"up to {most}" in told.allowed and "single-excitation" in told.fix
    assert all(other in told.fix for other, (to, _) in REACH.items() if to > most + 10)


def test_a_wavelength_below_the_spacing_is_said(case):
    few = replace(case(2, 1, 1), emitters=replace(case(2, 1, 1).emitters, wavelength_nm=5.0))
    assert "radiate nearly alone" in burst(few).notes[-1]
    assert not any("alone" in note for note in burst(case(2, 1, 1)).notes)


def test_choice(case):
    assert choose(case(2, 2, 1)) == "exact"
    assert choose(case(3, 3, 1, screening=0.0)) == "exact"
    assert choose(case(3, 4, 1)) == "trajectories"
    # unbiased while it is cheap, then the ladder, where shifts are far above the rates
    late = np.linspace(0.0, 20.0, 5)
    assert choose(case(13, 1, 1)) == "trajectories"
    assert choose(case(13, 1, 1, times=late)) == "ladder"
    assert choose(case(13, 1, 1, times=10.0 * late, pitch_nm=30.0)) == "bracket"
    # what the excitations can reach decides: 78 states, 1716
    assert choose(case(13, 1, 1, times=late, state="listed", excited=[0, 1])) == "trajectories"
    assert choose(case(13, 1, 1, times=late, state="listed", excited=list(range(7)))) == "bracket"
    assert choose(case(3, 3, 3, screening=0.0)) == "wigner"
    assert choose(case(3, 3, 3, star=100.0)) == "cumulant"
    assert choose(case(3, 3, 3)) == "bracket"
    assert choose(case(3, 3, 3, state="symmetric single excitation")) == "single-excitation"
    assert choose(case(3, 3, 3, state="listed", excited=[4])) == "single-excitation"
    # some of many excited: an envelope whose margin was measured on few, nothing above 500
    assert choose(case(3, 3, 3, state="listed", excited=[0, 1, 2])) == "bracket"
    with pytest.raises(NotAvailableError, match="no validated method"):
        choose(case(1, 1, 501, state="listed", excited=[0, 1, 2]))


@pytest.mark.parametrize(
    "method", [m for m in METHODS if m not in ("single-excitation", "auto", "ladder", "maxwell-bloch")]
)
def test_every_method(case, method):
    one = case(2, 2, 1)
    found = burst(one, method, trajectories=50)
    assert found.method == method and found.photon_rate[0] == pytest.approx(4.0, rel=0.5)
    assert "asked for" in found.validity
    if method == "bracket":
        assert np.all(found.low <= found.high)
        record = found.as_dict()
        assert record["rows"][0]["photon_rate_over_Gamma"] is None and record["peak"]["low"] > 0.0
    else:
        assert found.low is None


def test_bracket_holds_the_truth(case):
    one = case(2, 2, 2, times=np.linspace(0.0, 0.3, 31))
    found = burst(one, "bracket", trajectories=300)
    # exact height of the 2 x 2 x 2 cube: 10.116
    assert np.max(found.low) < 10.116 < np.max(found.high)


def test_single(case):
    bright = burst(case(2, 2, 1, state="symmetric single excitation"))
    assert bright.method == "single-excitation" and bright.g2_zero == 0.0
    assert bright.photon_rate[0] == pytest.approx(np.sum(couplings(case(2, 2, 1).emitters).decay) / 4)


def test_refusals(case):
    with pytest.raises(OptionError, match="no method"):
        burst(case(2, 1, 1), "magic")
    with pytest.raises(OptionError, match="product states"):
        burst(case(2, 1, 1, state="symmetric single excitation"), "wigner")
    with pytest.raises(OptionError, match="full inversion"):
        burst(case(5, 1, 1, state="listed", excited=[0, 1]), "ladder")
    with pytest.raises(OptionError, match="2 excitations"):
        burst(case(2, 1, 1), "single-excitation")


class Told:
    """Takes down what is reported."""

    def __init__(self):
        self.tasks = []

    def start(self, task, total):
        self.tasks.append([task, total, 0, False])

    def advance(self, steps=1):
        self.tasks[-1][2] += steps

    def finish(self):
        self.tasks[-1][3] = True


@pytest.mark.parametrize(
    ("method", "tasks"),
    [
        ("ladder", ["first photons", "blocks of the ladder"]),
        ("bracket", ["truncated Wigner", "cumulants", "product states"]),
    ],
)
def test_long_methods_tell_their_progress(case, method, tasks):
    told = Told()
    burst(case(5, 1, 1), method, trajectories=20, progress=told)
    assert [one[0] for one in told.tasks] == tasks and all(one[3] for one in told.tasks)
    # the first photons may be over before the last time
    assert all(0 < one[2] <= one[1] for one in told.tasks)
    assert told.tasks[-1][2] == told.tasks[-1][1]
