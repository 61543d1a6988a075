"""Fits of a user's sizing curve: exact recovery, named degeneracies, records that other rooms can use."""

import time

import numpy as np
import pytest

from perolux.errors import InputError, OptionError
from perolux.excitons.backwards.size_energy_fit import (
    fit_size_energy,
    hard_wall_energy_ev,
    material_parameters,
)
from perolux.excitons.backwards.size_energy_table import read_size_energy_table, size_energy_table
from perolux.excitons.backwards.sizing import absorption_energy_ev
from perolux.materials import material, parameter_sets
from perolux.materials.own_records import use_records

SIZES = np.linspace(4.0, 14.0, 21)
TRUTH = {"gap_ev": 2.375, "reduced_mass_m0": 0.15, "eps_effective": 8.0}
SAID = {
    "material": "CsPbBr3",
    "temperature_k": 298,
    "shape": "cube",
    "convention": "core-edge",
    "quantity": "absorption",
    "source": "simulated",
}


def simulated(noise=0.0, sigma=0.003, truth=TRUTH, **other):
    energy = hard_wall_energy_ev(SIZES, truth, "cube")
    if noise:
        energy = energy + noise * np.random.default_rng(1).normal(size=SIZES.size)
    return size_energy_table(SIZES, energy, sigma, **(SAID | other))


def start():
    return material_parameters(material("CsPbBr3", 298.0))


def test_the_forward_function_is_that_of_sizing():
    host = material("CsPbBr3", 298.0, "A")
    given = {name: value.number for name, value in material_parameters(host).items()}
    assert hard_wall_energy_ev(SIZES, given) == pytest.approx(absorption_energy_ev(SIZES, host), abs=1e-12)
    spheres = hard_wall_energy_ev(SIZES, given, "sphere")
    assert spheres == pytest.approx(absorption_energy_ev(SIZES / 2, host, shape="sphere"), abs=1e-12)


def test_exact_data_give_their_parameters_back():
    found = fit_size_energy(simulated(), start(), list(TRUTH), profile=False)
    # chi2 is flat along mass and constant: rounding of 1e-16 eV shows in the sixth digit
    assert [found[n] for n in TRUTH] == pytest.approx(list(TRUTH.values()), rel=1e-4)


def test_bohr_radius_and_rydberg_are_the_same_fit():
    begin = {"gap_ev": 2.37, "bohr_radius_nm": 2.6, "rydberg_ev": 0.032}
    found = fit_size_energy(simulated(0.003), begin, list(begin), profile=False)
    other = fit_size_energy(simulated(0.003), start(), list(TRUTH), profile=False)
    assert found.fit.chi2 == pytest.approx(other.fit.chi2, rel=1e-6)
    for quantity in ("reduced_mass", "eps_effective", "gap"):
        mine, theirs = found.values()[quantity], other.values()[quantity]
        assert mine.number == pytest.approx(theirs.number, rel=1e-3)
        assert mine.sigma == pytest.approx(theirs.sigma, rel=0.02)  # curvature of 1/(aB Ry) within a sigma


def test_what_trades_off_is_named():
    found = fit_size_energy(simulated(0.003), start(), list(TRUTH), profile=False)
    assert any("reduced_mass_m0 and eps_effective" in text for text in found.degeneracies)
    both = fit_size_energy(
        simulated(0.003, quantity="emission"),
        start() | {"stokes_shift_ev": 0.04},
        ["gap_ev", "reduced_mass_m0", "stokes_shift_ev"],
        profile=False,
    )
    assert "gap_ev, stokes_shift_ev" in both.summary()


def test_intervals_hold_the_truth_and_open_ends_are_told():
    found = fit_size_energy(simulated(0.003), start(), ["gap_ev", "reduced_mass_m0", "eps_effective"])
    for one in found.intervals:
        assert one.low is None or one.low < TRUTH[one.name]
        assert one.high is None or one.high > TRUTH[one.name]
        assert (one.low is not None and one.high is not None) or one.reason


@pytest.mark.slow
def test_five_parameters_take_less_than_ten_seconds():
    begin = start() | {"hard_wall_excess_ev": 0.03, "stokes_shift_ev": 0.04}
    table = simulated(0.003, quantity="emission")
    clock = time.process_time()
    fit_size_energy(table, begin, list(begin))
    assert time.process_time() - clock < 20.0  # the target is 10 s; slow machines test too


def test_another_forward_function_takes_its_place():
    def line(core_nm, parameters):
        return parameters["a"] + parameters["b"] / core_nm**2

    table = size_energy_table(SIZES, 2.4 + 3.0 / SIZES**2, 0.001, **SAID)
    found = fit_size_energy(table, {"a": 2.0, "b": 1.0}, ["a", "b"], forward=line)
    assert (found["a"], found["b"]) == pytest.approx((2.4, 3.0), rel=1e-9)


def test_the_fitted_set_serves_other_rooms(tmp_path):
    found = fit_size_energy(simulated(0.003), start(), ["gap_ev", "reduced_mass_m0"], profile=False)
    path = found.write(tmp_path / "own.toml", "my-sizes")
    try:
        use_records(path)
        assert parameter_sets("CsPbBr3")[-1] == "my-sizes"
        own = material("CsPbBr3", 298.0, "my-sizes")
        assert absorption_energy_ev(SIZES, own) == pytest.approx(found.energy_ev(SIZES), abs=1e-9)
        mass, eps = own.value("reduced_mass"), own.value("eps_effective")
        assert mass.kind == "derived" and mass.sigma == pytest.approx(found.fit.sigma[1])
        assert "convention core-edge" in mass.source
        assert eps.kind == "read" and "fixed in a fit" in eps.note
    finally:
        use_records()


def test_plot_draws():
    import matplotlib as mpl

    mpl.use("Agg")
    found = fit_size_energy(simulated(0.003), start(), ["gap_ev"], profile=False)
    assert "absorption" in found.plot().get_ylabel()


HEAD = """# a comment
# material: CsPbBr3
# temperature_k: 298
# shape: cube
# convention: edge-without-half-cells
# lattice_constant_nm: 0.587
# quantity: absorption
# source: a notebook
"""


def test_a_file_is_read_with_its_convention(tmp_path):
    path = tmp_path / "sizes.csv"
    path.write_text(HEAD + "size_nm,energy_ev,sigma_ev\n5.413,2.5,0.01\n9.413,2.4,0.01\n")
    table = read_size_energy_table(path)
    assert table.core_nm == pytest.approx([6.0, 10.0])
    assert table.sigma_ev == pytest.approx([0.01, 0.01])
    assert "sha256" in table.source and "a notebook" in table.source


def test_every_fault_of_a_file_is_told(tmp_path):
    path = tmp_path / "sizes.csv"
    path.write_text("# shape: cube\n# shape: cube\nsize_nm,energy_ev\n5,x\n6\n")
    with pytest.raises(InputError) as caught:
        read_size_energy_table(path)
    text = str(caught.value)
    assert len(caught.value.problems) == 4
    assert "stated twice" in text and "convention" in text and "line 4" in text and "1 cells" in text
    path.write_text(HEAD + "size_nm,energy_ev\n-5,2.5\n")
    with pytest.raises(InputError, match="not positive"):
        read_size_energy_table(path)
    path.write_text(HEAD.replace("cube", "star") + "size_nm,energy_ev\n5,2.5\n")
    with pytest.raises(InputError, match="star"):
        read_size_energy_table(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_size_energy_table(tmp_path / "absent.csv")


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(OptionError, match="no start value"):
        fit_size_energy(simulated(), start(), ["foo"])
    with pytest.raises(OptionError, match="given twice"):
        fit_size_energy(simulated(), start() | {"rydberg_ev": 0.03}, ["gap_ev"])
    table = size_energy_table([5, 6], [2.5, 2.45], **SAID)
    with pytest.raises(OptionError, match="cannot determine"):
        fit_size_energy(table, start(), list(TRUTH))


def test_energies_in_another_unit_are_refused(tmp_path):
    for unit in (1e3, 200.0, 0.1):
        with pytest.raises(OptionError, match=r"allowed: 0\.5 to 6 eV"):
            size_energy_table([6, 8], [unit * 2.5, unit * 2.4], **SAID)
    path = tmp_path / "mev.csv"
    path.write_text("".join(f"# {k}: {v}\n" for k, v in SAID.items()) + "size_nm,energy_ev\n6,2500\n8,2400\n")
    with pytest.raises(InputError, match="divide meV by 1000"):
        read_size_energy_table(path)


def test_materials_of_a_table_are_known_ones():
    with pytest.raises(OptionError, match="unknown material 'GaAs'"):
        size_energy_table([6, 8], [2.5, 2.4], **(SAID | {"material": "GaAs"}))


def test_missing_start_values_are_named():
    with pytest.raises(OptionError, match="start: reduced_mass_m0, eps_effective not given"):
        fit_size_energy(simulated(), {"gap_ev": 2.3}, ["gap_ev"])
    with pytest.raises(OptionError, match="start: gap_ev, rydberg_ev not given"):
        fit_size_energy(simulated(), {"bohr_radius_nm": 2.6}, ["bohr_radius_nm"])
    with pytest.raises(OptionError, match="gap_ev = 'a' is no finite number"):
        fit_size_energy(simulated(), TRUTH | {"gap_ev": "a"}, ["gap_ev"])


def test_one_free_parameter_may_be_named_alone():
    found = fit_size_energy(simulated(), TRUTH | {"gap_ev": 2.3}, "gap_ev", profile=False)
    assert found.fit.names == ("gap_ev",) and found["gap_ev"] == pytest.approx(2.375, abs=1e-6)
