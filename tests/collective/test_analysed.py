"""An assembly behind spectrometer and Michelson: widths and coherence in its own units, counts, refusals."""

import numpy as np
import pytest

from perolux.collective.assembly import assembly
from perolux.collective.assembly_file import assembly_of
from perolux.collective.assembly_light import Light, assembly_light
from perolux.collective.instruments.analysed import fringes_of, slit_spectrum_of
from perolux.errors import InputError, OptionError
from perolux.reports.burst_analysed import analysed_csv, analysed_plots, analysed_table

ONE = {
    "lattice": {"kind": "chain", "pitch": "12.5 nm", "repeats": [1]},
    "emitters": {"lifetime": "300 ps", "wavelength": "530 nm", "pure_dephasing": 19.5},
    "times": {"until": "300 ps", "points": 3},
    "sampling": {"disorder_draws": 1, "screening": [0.0, 1.0], "seed": 3},
    "spectrometer": {"pixel": "0.001 nm", "slit": "0.03 nm", "photons": 1e6, "span": "2 nm"},
    "michelson": {"until": "90 ps", "step": "0.5 ps", "contrast": 0.9, "photons": 5000.0},
}


def seen(content, lights=None):
    made = assembly(assembly_of(content))
    lights = assembly_light(made) if lights is None else lights
    return (
        made,
        slit_spectrum_of(made, lights, made.file.spectrometer),
        fringes_of(made, lights, made.file.michelson),
    )


@pytest.fixture(scope="module")
def single():
    return seen(ONE)


def test_one_emitter_has_its_width_and_its_coherence(single):
    made, spectrum, fringes = single
    # 1/T2 = Gamma/2 + g* = 20 Gamma: 15 ps
    assert fringes.screenings == (0.0, 1.0)
    for visibility in fringes.visibility:
        assert visibility == pytest.approx(0.9 * np.exp(-fringes.delays_ps / 15.0), rel=1e-9)
    # straight lines between delays of T2/30; trapezoids of exp(-2 t/T2)
    assert fringes.fall_ps[0] == pytest.approx(15.0, rel=1e-3)
    assert fringes.coherence_ps[0] == pytest.approx(15.0, rel=1e-3)
    mean, error = fringes.read_coherence_ps
    assert abs(mean - 15.0) < 4.0 * error < 1.0
    score = np.abs(fringes.read.v - fringes.visibility[-1]) / fringes.read.sigma
    assert np.mean(score**2) == pytest.approx(2.0, abs=4.0 * 2.0 / np.sqrt(len(score)))
    # Voigt of 40 hbar Gamma and the slit, by the approximation of Olivero and Longbothum
    lorentz, gauss = 40.0 * made.unit_mev, spectrum.slit_mev[0]
    assert gauss == pytest.approx(1e3 * 1239.841984 / 530.0**2 * 0.03, rel=1e-9)
    voigt = 0.5346 * lorentz + np.sqrt(0.2166 * lorentz**2 + gauss**2)
    # pixels of 1/40 of the width
    assert spectrum.width_mev[0] == pytest.approx(voigt, rel=2e-3)
    inside = spectrum.expected[0].sum() / 1e6
    # the wings of the Lorentzian beyond 1 nm on both sides
    assert inside == pytest.approx(1.0 - lorentz / (np.pi * 1e3 * 1239.84 / 530.0**2), abs=2e-3)
    pull = (spectrum.drawn - spectrum.expected[1]) / np.sqrt(spectrum.expected[1])
    assert np.mean(pull**2) == pytest.approx(1.0, abs=4.0 * np.sqrt(2.0 / len(pull)))


def test_tables_and_records(single):
    _, spectrum, fringes = single
    tables = analysed_csv(spectrum, fringes)
    assert set(tables) == {"spectrometer.csv", "michelson.csv"}
    rows = tables["michelson.csv"].splitlines()
    assert rows[0].startswith("# SIMULATED") and len(rows) == 2 + 181
    assert rows[1] == "delay_ps,read,sigma,visibility_shifts_0,visibility_shifts_1"
    told = analysed_table(spectrum, fringes)
    assert ("visibility of a sharp line", "0.9") in told.rows and "exact, mean of 1 draws" in told.hint
    record = fringes.as_dict()
    assert len(record["delay_ps"]) == len(record["read"]["visibility"]) == 181
    assert len(spectrum.as_dict()["curves"]) == 2


@pytest.mark.slow
def test_pictures(single):
    plots = analysed_plots(*single[1:])
    assert [plot.name for plot in plots] == ["spectrometer", "michelson"]


def test_without_exact_light_the_emitters_one_by_one():
    content = ONE | {
        "lattice": ONE["lattice"] | {"repeats": [9]}, "disorder": {"energy_spread": "0.5 meV"},
        "sampling": {"disorder_draws": 20, "seed": 1},
        "spectrometer": {"pixel": "0.02 nm", "slit_energy": "0.5 meV", "slit_wings": "0.01 nm"},
    }  # fmt: skip
    made, spectrum, fringes = seen(content, (Light(0.0, reason="9 emitters"),))
    assert spectrum.screenings == (None,) == fringes.screenings
    assert "one by one, without shifts: 9 emitters" in spectrum.notes[0]
    # g1 of a spread of energies: 180 draws of a Gaussian, less the mean of each nine
    early = fringes.delays_ps < 1.0
    spread = 0.5 / (made.unit_mev * made.lifetime_ps)
    gaussian = 0.9 * np.exp(-fringes.delays_ps / 15.0 - 0.5 * (spread * fringes.delays_ps) ** 2 * 8.0 / 9.0)
    assert fringes.visibility[0][early] == pytest.approx(gaussian[early], abs=0.03)
    assert spectrum.slit_mev[0] == 0.5 and len(spectrum.drawn) < 1000


@pytest.mark.parametrize(
    ("table", "change", "error", "match"),
    [
        ("spectrometer", {"slit_energy": "1 meV"}, InputError, "give one"),
        ("spectrometer", {"pixel": "1e-6 nm"}, OptionError, "pixels"),
        ("michelson", {"step": "200 ps"}, OptionError, "0 delays"),
        ("michelson", {"photons": 1e-6}, OptionError, "without light"),
        ("michelson", {"points": 2}, InputError, "points"),
        ("michelson", {"port": "side"}, InputError, "port"),
        ("michelson", {"path_jitter": "0.1 eV"}, InputError, "path_jitter"),
    ],
)
def test_what_is_refused(table, change, error, match):
    with pytest.raises(error, match=match):
        seen(ONE | {table: ONE[table] | change}, ())
