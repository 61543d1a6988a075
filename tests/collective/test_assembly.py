"""Assemblies: the file, draws, courses at several screenings, coupled numbers, the record."""

import numpy as np
import pytest

from perolux.collective.assembly import assembly, draw_emitters, peak_of, run_assembly
from perolux.collective.assembly_file import assembly_of, read_assembly
from perolux.collective.assembly_record import assembly_result
from perolux.collective.coupled_number import burst_coupled_number, peak_per_emitter, thermal_single
from perolux.collective.couplings import Couplings, Emitters, couplings
from perolux.collective.single_excitation import modes
from perolux.errors import InputError, OptionError
from perolux.files import example_path
from perolux.superlattices import realise, simple_cubic

PLAIN = {
    "lattice": {"kind": "cube", "pitch": "12.5 nm", "repeats": [2, 2, 1]},
    "emitters": {"lifetime": "300 ps", "wavelength": "530 nm"},
    "times": {"until": "300 ps", "points": 31},
    "sampling": {"disorder_draws": 2},
}


def made_of(**changed):
    content = {key: dict(value) for key, value in PLAIN.items()}
    for table, values in changed.items():
        content[table] = content.get(table, {}) | values
    return assembly_of(content)


@pytest.mark.parametrize(
    "name", ["abo3", "cluster", "driven", "low_fluence", "rod", "sheet", "spectra", "superlattice"]
)
def test_examples_are_read(name):
    assert read_assembly(example_path("bursts") / f"{name}.toml").name


def test_all_problems_are_said_at_once():
    with pytest.raises(InputError) as caught:
        made_of(lattice={"spacing": "12 nm"}, emitters={"lifetime": "300 nm"}, times={"points": 1})
    told = str(caught.value)
    assert len(caught.value.problems) == 3
    assert "unknown key 'spacing'" in told and "lifetime" in told and "points" in told


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"emitters": {"lifetime": None}}, "an edge is needed"),
        ({"disorder": {"edge_spread": 0.05}}, "mean edge"),
        ({"emitters": {"dipoles": "three"}}, "one exciton"),
        ({"excitation": {"kind": "random"}}, "fraction"),
        ({"excitation": {"kind": "driven", "pulse_area": 1.0}}, "direction of the light"),
        ({"excitation": {"kind": "single", "pulse_area": 1.0}}, "pulse_area belongs"),
        ({"lattice": {"repeats": [2, 2]}}, "repeats of 3"),
        ({"emitters": {"pure_dephasing": 1.0, "pure_dephasing_time": "5 ps"}}, "give one"),
    ],
)
def test_contradictions_are_refused(changed, said):
    with pytest.raises(InputError, match=said):
        made_of(**changed)


def test_an_unknown_method_is_refused():
    with pytest.raises(OptionError, match="no method 'magic'"):
        assembly(made_of(sampling={"method": "magic"}))


def test_units_are_turned_into_gamma():
    made = assembly(made_of(emitters={"pure_dephasing_time": "20 ps"}))
    assert made.unit_mev == pytest.approx(2.194e-3, rel=1e-3)  # hbar/300 ps
    assert made.dephasing == pytest.approx(15.0)
    assert made.times[-1] == pytest.approx(1.0)


def test_draws_are_seeded_differ_and_have_the_spread_in_gamma():
    made = assembly(made_of(lattice={"repeats": [8, 8, 8]}, disorder={"energy_spread": "2 meV"}))
    one, again, other = draw_emitters(made, 0)[0], draw_emitters(made, 0)[0], draw_emitters(made, 1)[0]
    assert np.array_equal(one.detuning, again.detuning) and not np.array_equal(one.detuning, other.detuning)
    # 512 draws: 3.1 % of the spread, four of those
    assert np.std(one.detuning) * made.unit_mev == pytest.approx(2.0, rel=0.13)
    assert abs(np.mean(one.detuning)) < 1e-9


def test_square_of_four_gives_the_known_peaks_side_by_side_without_disorder():
    result = assembly_result(made_of(sampling={"disorder_draws": 1, "screening": [0.0, 1.0]}))
    off, full = result.as_dict()["screenings"]
    # dipoles across the square; values of the master equation on a grid of 0.02
    assert off["peak"]["photon_rate_over_Gamma"] == pytest.approx(4.8382, abs=0.01)
    assert full["peak"]["photon_rate_over_Gamma"] == pytest.approx(4.8116, abs=0.01)
    assert off["methods"] == full["methods"] == ["exact"]
    assert off["peak"]["statistical_sigma"] == 0.0 and off["peak"]["disorder_sd"] is None
    assert 3.5 < full["coupled_number"] < 4.01


def test_disorder_error_and_statistical_error_stand_apart():
    changed = {
        "disorder": {"energy_spread": "0.2 meV"},
        "sampling": {"disorder_draws": 4, "screening": [1.0]},
    }
    exact = run_assembly(assembly(made_of(**changed)))[0][0]
    assert np.all(exact.statistical == 0.0) and exact.disorder[10] > 0.0
    changed["disorder"] = {}
    changed["sampling"] |= {"method": "trajectories", "trajectories": 60}
    sampled = run_assembly(assembly(made_of(**changed)))[0][0]
    assert sampled.statistical[10] > 0.0
    # without disorder what is left of the spread is chance: below the error of one draw
    assert sampled.disorder[10] < 2.0 * sampled.statistical[10] * 2.0


def test_what_is_not_known_has_a_reason_and_no_number():
    found = assembly_result(
        made_of(
            lattice={"repeats": [3, 3, 2]},
            excitation={"kind": "random", "fraction": 0.5},
            sampling={"disorder_draws": 1, "screening": [1.0], "method": "exact", "ablation": False},
        )
    ).as_dict()["screenings"][0]
    assert found["rows"] is None and found["peak"] is None
    assert "exact of 18 emitters" in found["reason"]
    assert found["single_excitation"]["brightest_rate_over_gamma"]["mean"] > 1.0


def test_none_excited_gives_no_light():
    found = run_assembly(
        assembly(made_of(excitation={"kind": "random", "fraction": 0.0}, sampling={"screening": [1.0]}))
    )[0][0]
    assert np.all(found.rate == 0.0)


def test_energy_spread_kills_the_bright_mode_and_the_costs_say_so():
    result = assembly_result(
        made_of(
            lattice={"repeats": [4, 4, 4]},
            disorder={"energy_spread": "20 meV", "position_spread": "0.3 nm"},
            excitation={"kind": "single"},
            sampling={"disorder_draws": 2, "screening": [1.0]},
        )
    )
    rate = {one["without"]: one["brightest_rate_over_gamma"]["mean"] for one in result.costs}
    assert rate["spread of energies"] > 5.0 * rate["nothing"]
    assert rate["spread of places"] == pytest.approx(rate["nothing"], rel=0.5)


def test_three_dipoles_of_a_crystal_keep_a_trace_of_three_and_share_no_shift():
    one = realise(simple_cubic(12.5, (2, 1, 1)), np.random.default_rng(0), dipoles="three")
    found = couplings(Emitters(one.positions_nm, one.dipoles, 1.0, 530.0, np.zeros(6), one.nanocrystal))
    assert np.trace(found.decay) == 6.0
    assert np.allclose(found.decay[:3, :3], np.eye(3)) and np.all(found.shift[:3, :3] == 0.0)
    assert np.linalg.eigvalsh(found.decay)[0] > -1e-12
    with pytest.raises(InputError, match="at one place"):
        couplings(Emitters(one.positions_nm, one.dipoles, 1.0, 530.0))


def test_coupled_number_gives_the_ladder_back_and_one_without_a_burst():
    for n in (3, 7, 50):
        assert burst_coupled_number(n * peak_per_emitter(n), n) == pytest.approx(n)
    assert burst_coupled_number(40.0, 40) == 1.0
    assert burst_coupled_number(0.0, 4) == 1.0


def test_equilibrium_of_two_is_boltzmanns():
    g, w = 0.6, 50.0
    between = Couplings(np.array([[1, g], [g, 1]]), np.array([[0, w], [w, 0]]), np.zeros(2))
    unit = 2e-3
    kt = 8.617333e-2 * 2.0
    low, high = 1.0, np.exp(-2.0 * w * unit / kt)
    wanted = ((1 - g) * low + (1 + g) * high) / (low + high)
    assert thermal_single(between, 2.0, unit)[0] == pytest.approx(wanted, rel=1e-6)
    assert np.allclose(sorted(modes(between)[0]), [0.4, 1.6])


def test_a_parabola_finds_its_top():
    times = np.linspace(0.0, 1.0, 11)
    assert peak_of(times, 3.0 - (times - 0.43) ** 2) == pytest.approx((0.43, 3.0))
    assert peak_of(times, 3.0 - times) == (0.0, 3.0)


def test_an_edge_alone_is_enough_and_a_large_crystal_stands_beside():
    content = {key: dict(value) for key, value in PLAIN.items()} | {
        "emitters": {"edge": "9 nm"},
        "compare": {"edge": "30 nm"},
    }
    made = assembly(assembly_of(content))
    assert 100.0 < made.lifetime_ps < 1000.0 and 480.0 < made.wavelength_nm < 560.0
    assert made.single_lifetime_ps < made.lifetime_ps and made.lifetime_ratio > 1.5


def test_light_of_a_square_has_its_energy_and_begins_shifted():
    changed = {"sampling": {"disorder_draws": 1, "screening": [1.0], "ablation": False}}
    (entry,) = assembly_result(made_of(**changed)).as_dict()["screenings"]
    light = entry["light"]
    assert light["reason"] is None and light["photons"] == pytest.approx(4.0, rel=1e-6)
    # dipoles across the square: sum Gamma_ij Omega_ij/4 by hand from the pair couplings
    made = assembly(made_of(**changed))
    between = couplings(draw_emitters(made, 0)[0])
    first = -float(np.sum(between.decay * between.shift)) / 4.0 * made.unit_mev
    assert light["first_light"]["mean_shift_mev"]["mean"] == pytest.approx(first, rel=1e-6)
    assert light["first_light"]["shift_with_excitation_mev"]["mean"] == pytest.approx(2.0 * first, rel=1e-6)
    assert abs(light["mean_shift_mev"]["mean"]) < 1e-5
    photons = np.array(light["spectrum"]["photons"])
    assert np.all(photons >= 0.0) and photons.sum() + light["spectrum"]["outside"] == pytest.approx(4.0)
    # a quarter of the mean power is what one photon a lifetime sends into a sr: hc/lambda over 300 ps
    pattern = light["pattern"]
    watts = 6.62607015e-34 * 299792458.0 / 530e-9 / 300e-12
    assert pattern["peak_w_per_sr"] == pytest.approx(
        pattern["directivity"] / (4.0 * np.pi) * watts * entry["peak"]["photon_rate_over_Gamma"], rel=1e-3
    )
    assert pattern["directivity"] == pytest.approx(1.5, rel=0.05)  # of one dipole 3/2
    assert light["against_time"][0]["g2"] == pytest.approx(entry["g2_zero"], rel=1e-9)


def test_light_that_is_not_known_has_a_reason():
    changed = {
        "lattice": {"repeats": [3, 3, 1]},
        "sampling": {"disorder_draws": 1, "screening": [0.0], "method": "cumulant", "ablation": False},
    }
    (entry,) = assembly_result(made_of(**changed)).as_dict()["screenings"]
    assert "9 emitters" in entry["light"]["reason"] and "spectrum" not in entry["light"]


def test_a_driven_start_is_half_excited_and_shines_with_its_phase():
    changed = {
        "excitation": {"kind": "driven", "direction": [2, 0, 0], "pulse_area": 0.5 * np.pi},
        "sampling": {"disorder_draws": 1, "screening": [1.0], "ablation": False},
    }
    (course,), _ = run_assembly(assembly(made_of(**changed)))
    assert course.excited[0] == pytest.approx(2.0) and course.rate[0] > 2.0
    assert course.methods == ("exact",)
    single = changed | {"excitation": {"kind": "single", "direction": [0, 0, 1]}}
    (one,), _ = run_assembly(assembly(made_of(**single)))
    assert one.methods == ("single-excitation",) and one.rate[0] == pytest.approx(3.97, abs=0.05)


def test_one_photon_on_a_large_lattice_is_that_of_dense_matrices(monkeypatch):
    from perolux.collective import assembly as module

    file = made_of(
        excitation={"kind": "single", "direction": [1.0, 0.0, 0.0]},
        disorder={"energy_spread": "0.05 meV"},
        sampling={"disorder_draws": 1, "screening": [0.0, 1.0]},
    )
    dense = [one.rate for one in run_assembly(assembly(file))[0]]
    monkeypatch.setattr(module, "MOST_DENSE", 3)
    courses = run_assembly(assembly(file))[0]
    assert "Krylov" in courses[0].validity[0]
    for one, other in zip(courses, dense, strict=True):
        assert one.rate == pytest.approx(other, rel=1e-5)


def test_what_is_wrong_says_what_is_allowed_and_how_to_mend_it():
    with pytest.raises(InputError) as caught:
        made_of(
            lattice={"kind": "cube", "pitch": "12.5 nm", "repeats": ["2", 2, 1]},
            samplng={"seed": 1}, instrument={"response": "3 ps", "wavelenght_bin": "1 nm"},
        )  # fmt: skip
    told = {one.where.split(": ")[-1]: one for one in caught.value.problems}
    assert told["samplng"].fix == "did you mean 'sampling'?" and "lattice" in told["samplng"].allowed
    assert told["instrument.wavelenght_bin"].fix == "did you mean 'wavelength_bin'?"
    assert told["instrument.time_bin"].what == "is missing" and told["instrument.time_bin"].fix
    # text in place of a number is no number
    assert told["lattice.repeats.0"].what == "'2' is not allowed"


def test_cubes_that_overlap_are_said():
    wide = {"lifetime": "300 ps", "wavelength": "530 nm", "edge": "15 nm"}
    few = {
        "lattice": {"kind": "chain", "repeats": [2]},
        "sampling": {"disorder_draws": 1, "screening": [0.0]},
    }
    assert "cubes of 15 nm overlap" in assembly_result(made_of(emitters=wide, **few)).warnings()[0]
    wide["edge"] = "12.5 nm"
    assert "overlap" not in str(assembly_result(made_of(emitters=wide, **few)).warnings())
