"""Spectra of ensembles with all layers: one size, the bulk above the join, the line of an ensemble."""

from __future__ import annotations

import numpy as np
import pytest

from perolux.ensemble import Fixed, Lognormal, Population, mix, quadrature
from perolux.errors import NotAvailableError, OptionError
from perolux.excitons import ensemble_spectrum, nanocrystal, passport
from perolux.excitons.backwards.model_curves import confinement_curves
from perolux.excitons.light.line import ensemble_line
from perolux.excitons.light.linewidth import homogeneous_fwhm_mev
from perolux.excitons.light.stokes import stokes_model
from perolux.excitons.pair_absorption import calibration_range
from perolux.materials import intrinsic_absorption_per_cm, material, optical_constants

CUBES = Population("cube", "core-edge", "CsPbBr3")
ENERGY = np.linspace(2.0, 3.3, 1301)


def test_one_size_emits_where_its_passport_says():
    one = quadrature(Fixed(8.0), CUBES)
    light = ensemble_spectrum(one, ENERGY, "emission")
    found = passport(nanocrystal("CsPbBr3", "cube", 8.0, "core-edge"), draws=2)
    for name in found.set_names:
        peak = float(ENERGY[int(light.sel(set=name).values.argmax())])
        assert peak == pytest.approx(found.emission_ev.spread.sets[name], abs=1e-3)  # the grid
        assert float(light.sel(set=name).integrate("energy")) == pytest.approx(1.0, abs=1e-6)


def test_far_above_the_gap_a_nanocrystal_absorbs_as_its_volume():
    ensemble = quadrature(Lognormal(8.0, 0.1), CUBES)
    sigma = ensemble_spectrum(ensemble, ENERGY, outside_index=1.5)
    volume = float(ensemble.weights @ ensemble.volume_nm3)
    bulk = float(intrinsic_absorption_per_cm(optical_constants("CsPbBr3"), 400.0, 1.5)) * volume * 1e-21
    bulk *= calibration_range("CsPbBr3", 1.5).number
    at = sigma.interp(energy=1239.841984 / 400.0)
    assert at.values == pytest.approx([bulk, bulk], rel=2e-3)  # sizes shared between nodes


def test_the_emission_of_a_lognormal_ensemble_is_the_line_of_the_inference():
    """Two routes to one line: tables of sizes, and the closed sum of `line.ensemble_line`."""
    edge, spread = 7.0, 0.08
    light = ensemble_spectrum(quadrature(Lognormal(edge, spread), CUBES, n=40), ENERGY, "emission")
    for name in light["set"].values:
        host = material("CsPbBr3", 298.0, str(name))
        (curve,) = confinement_curves(host, count=1)
        width = 1e-3 * homogeneous_fwhm_mev(host).number
        line = ensemble_line(edge, spread, width, curve)
        expected = host.gap_ev + float(line.peak_ev.squeeze()) - stokes_model().shift_ev.number
        row = light.sel(set=name).values
        top = int(row.argmax())
        assert ENERGY[top] == pytest.approx(expected, abs=2e-3)  # grid, and nodes of the sizes
        above = ENERGY[row >= 0.5 * row[top]]
        assert above[-1] - above[0] == pytest.approx(float(line.fwhm_ev.squeeze()), abs=3e-3)


def test_mixed_ensembles_are_refused():
    balls = Population("sphere", "core-diameter", "CsPbBr3")
    both = mix([quadrature(Fixed(8.0), CUBES), quadrature(Fixed(8.0), balls)], [0.5, 0.5])
    with pytest.raises(OptionError, match="cube, sphere"):
        ensemble_spectrum(both, ENERGY)
    with pytest.raises(OptionError, match="reflection"):
        ensemble_spectrum(quadrature(Fixed(8.0), CUBES), ENERGY, "reflection")


def test_an_ensemble_of_one_size_absorbs_as_its_passport_says():
    one = quadrature(Fixed(8.0), CUBES)
    sigma = ensemble_spectrum(one, np.linspace(2.0, 3.9, 1901), outside_index=1.5)
    found = passport(nanocrystal("CsPbBr3", "cube", 8.0, "core-edge", outside_index=1.5), draws=0)
    for nm in ("335", "400"):
        for name, value in found.cross_section_cm2[nm].spread.sets.items():
            here = float(sigma.sel(set=name).interp(energy=1239.841984 / float(nm)))
            assert here == pytest.approx(value, rel=5e-3)  # the grid


def test_in_the_cold_the_width_must_be_given_and_resolved():
    one = quadrature(Fixed(8.0), CUBES)
    with pytest.raises(NotAvailableError, match="below 100 K no width"):
        ensemble_spectrum(one, ENERGY, "emission", temperature_k=4.0)
    with pytest.raises(OptionError, match="do not resolve"):
        ensemble_spectrum(one, ENERGY, "emission", temperature_k=4.0, line_fwhm_mev=0.1)
    light = ensemble_spectrum(one, ENERGY, "emission", temperature_k=4.0, line_fwhm_mev=10.0)
    line = light.isel(set=0).values
    assert np.ptp(ENERGY[line > 0.5 * line.max()]) == pytest.approx(0.010, abs=0.002)


@pytest.mark.parametrize("energy", [[1.0, np.nan, 3.0], [3.0, 2.0], [-1.0, 2.0], [2.5], "x", 2.5])
def test_energies_that_cannot_be_used_are_refused(energy):
    with pytest.raises(OptionError, match="energies cannot be used"):
        ensemble_spectrum(quadrature(Fixed(8.0), CUBES), energy, "emission")


def test_a_text_is_no_ensemble():
    with pytest.raises(OptionError, match="no Ensemble"):
        ensemble_spectrum("CsPbBr3", ENERGY)
