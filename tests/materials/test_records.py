"""Record files: every fault is refused with its place, and the shipped ones keep to their sources."""

import pytest

from perolux.errors import InputError
from perolux.materials import known_materials, quantities
from perolux.materials.records import load_records, parse_records
from perolux.quantities.citations import bibliography, citation_keys

HEAD = '[material]\nname = "X"\nversion = "1"\n[[sets]]\nname = "s"\n'
GOOD = '[[reduced_mass]]\nvalue = 0.1\nunit = "m0"\nkind = "read"\nsource = "yang2017: abstract"\n'
FILES = (*known_materials(), "APbX3", "mixing", "gap_course")


def all_records():
    return [
        (name, quantity, record)
        for name in FILES
        for quantity, records in load_records(name).records.items()
        for record in records
    ]


def test_a_good_record_is_read():
    value = parse_records(HEAD + GOOD, "x").of("reduced_mass")[0].value
    assert (value.number, value.unit, value.kind, value.key) == (0.1, "m0", "read", "X.reduced_mass")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (GOOD.replace('"m0"', '"kg"'), "no factor from the unit 'kg' to 'm0'"),
        (GOOD.replace("0.1", "7.0"), "out of bounds"),
        (GOOD.replace("0.1", "nan"), "not a finite number"),
        (GOOD.replace("0.1", '"0.1"'), "not a finite number"),
        (GOOD.replace("0.1", "true"), "not a finite number"),
        (GOOD.replace('"read"', '"guessed"'), "kind 'guessed'"),
        (GOOD.replace("yang2017", "nobody1900"), "does not begin with keys of the bibliography"),
        (GOOD + "colour = 3\n", "unknown field 'colour'"),
        (GOOD + 'set = "t"\n', "unknown parameter set 't'"),
        (GOOD + 'outside = "ignore"\n', "outside = 'ignore'"),
        (GOOD + "valid = { temperature_k = [300, 2] }\n", r"valid.temperature_k must be \[low, high\]"),
        (GOOD + 'convention = "band-edge-element"\n', "only a Kane energy has a convention"),
        (GOOD.replace("value = 0.1\n", ""), "needs value, or low and high"),
        (GOOD.replace("value = 0.1\n", "low = 0.1\n"), "needs value, or low and high"),
        (GOOD.replace("value = 0.1\n", "low = 0.3\nhigh = 0.2\n"), "outside its own range"),
        (GOOD + "sigma = -0.1\n", "sigma must be finite and not negative"),
        (GOOD.replace("reduced_mass", "reduced_mess"), "unknown quantity 'reduced_mess'"),
        ("reduced_mass = 3\n", "records are written as"),
        (
            '[[kane_energy]]\nvalue = 5\nunit = "eV"\nkind = "read"\nsource = "yang2017: x"\n',
            "needs its convention",
        ),
    ],
)
def test_faults_are_refused(text, part):
    # A bare key must come before the first table, so the head follows it.
    content = text + HEAD if text.startswith("reduced_mass =") else HEAD + text
    with pytest.raises(InputError, match=part) as caught:
        parse_records(content, "x.toml")
    assert all("x.toml" in (problem.where or "") for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a = [", "not valid TOML"),
        (GOOD, r"\[material\] with a name is missing"),
        ('[material]\nname = "X"\n', "no version"),
        ('[material]\nname = "X"\nversion = "1"\ncolor = 2\n', "unknown field 'color'"),
        (HEAD + '[[sets]]\nname = "t"\naliases = ["s"]\n', "share a name or alias"),
        (HEAD + '[[sets]]\nnote = "t"\n', "needs a name"),
        (HEAD + '[[sets]]\nname = "t"\nkeep = "gap"\n', "keep = 'gap'"),
    ],
)
def test_faults_of_the_file_are_refused(text, part):
    with pytest.raises(InputError, match=part):
        parse_records(text, "x.toml")


def test_all_faults_are_told_at_once():
    text = HEAD + GOOD.replace("0.1", "9") + GOOD.replace('"read"', '"x"') + GOOD.replace('"m0"', '"s"')
    with pytest.raises(InputError) as caught:
        parse_records(text, "x.toml")
    assert len(caught.value.problems) == 3
    assert [p.where for p in caught.value.problems] == [f"x.toml: reduced_mass {i}" for i in (1, 2, 3)]


@pytest.mark.parametrize(
    ("quantity", "number", "unit", "canonical"),
    [
        ("exciton_binding", "32.5", "meV", 0.0325),
        ("lattice_constant", "5.85", "angstrom", 0.585),
        ("diamagnetic_shift", "1.6", "ueV/T^2", 1.6e-6),
        ("gap_slope", "0.2", "meV/K", 2e-4),
        ("lo_phonon_energy", "2.25", "THz", 9.30525e-3),  # h f, six digits by hand
        ("lo_phonon_energy", "155", "cm-1", 19.21755e-3),
        ("molar_absorption_335nm", "0.0242", "1/(uM cm nm^3)", 24200.0),
    ],
)
def test_units_become_canonical(quantity, number, unit, canonical):
    text = f'{HEAD}[[{quantity}]]\nvalue = {number}\nunit = "{unit}"\nkind = "read"\nsource = "yang2017: x"\n'
    value = parse_records(text, "x").of(quantity)[0].value
    # Printed digits of the hand calculation.
    assert value.number == pytest.approx(canonical, rel=1e-6)
    assert value.unit == quantities()[quantity].unit


@pytest.mark.parametrize("name", FILES)
def test_shipped_files_load(name):
    file = load_records(name)
    assert file.name == name
    assert file.version


def test_every_source_is_in_the_bibliography():
    for name, quantity, record in all_records():
        keys = citation_keys(record.value.source)
        assert keys and set(keys) <= bibliography().keys(), (name, quantity)
        assert record.value.source.partition(":")[2].strip(), f"{name}.{quantity} names no place"


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        # As the excitons chapter and the table of parameters mark them; never to be upgraded without reading.
        ("CsPbBr3.gap_low_t", "recalled"),
        ("CsPbBr3.gap_300k", "recalled"),
        ("CsPbBr3.gap_slope", "recalled"),
        ("CsPbBr3.eps_high_freq", "recalled"),
        ("CsPbBr3.eps_static", "recalled"),
        ("CsPbBr3.lo_phonon_energy", "recalled"),
        ("CsPbBr3.linewidth_gamma_lo", "recalled"),
        ("CsPbBr3.molar_absorption_335nm", "recalled"),
        ("CsPbBr3.ensemble_width_300k", "read"),
        ("CsPbBr3.lt_splitting", "read"),
        ("CsPbI3.reduced_mass", "recalled"),
        ("CsPbCl3.exciton_binding", "recalled"),
        ("MAPbI3.reduced_mass", "read"),
        ("MAPbI3.exciton_binding", "read"),
        ("MAPbI3.eps_effective", "recalled"),
        ("MAPbBr3.gap_300k", "read"),
        ("MAPbBr3.reduced_mass", "recalled"),
        ("FAPbBr3.reduced_mass", "recalled"),
        ("FAPbI3.gap_300k", "recalled"),
        ("AZPbBr3.gap_300k", "recalled"),
        ("mixing.bowing_br_i", "recalled"),
        ("APbX3.barrier", "assumed"),
    ],
)
def test_kinds_are_kept(key, kind):
    name, _, quantity = key.partition(".")
    assert load_records(name).of(quantity)[0].value.kind == kind


def test_kinds_of_the_two_sets():
    kinds = {(r.value.parameter_set, q): r.value.kind for n, q, r in all_records() if n == "CsPbBr3"}
    for quantity in ("reduced_mass", "eps_effective", "exciton_binding"):
        assert kinds["pssrrl2023", quantity] == "read"
    assert kinds["yang2017", "reduced_mass"] == kinds["yang2017", "exciton_binding"] == "recalled"
    assert kinds["yang2017", "eps_effective"] == "read"  # as an input of another paper


def test_numbers_of_the_sources():
    """The numbers of the excitons chapter, section 4, as printed there or in the table of parameters."""
    expected = {
        ("CsPbBr3", "gap_low_t"): 2.342,
        ("CsPbBr3", "lt_splitting"): 5.3e-3,
        ("CsPbBr3", "polariton_damping"): 6.7e-3,
        ("CsPbBr3", "g_exciton"): 2.35,
        ("CsPbBr3", "hole_mass"): 0.26,
        ("CsPbBr3", "lattice_constant"): 0.585,
        ("CsPbBr3", "lo_phonon_energy"): 0.019,
        ("CsPbI3", "gap_low_t"): 1.72,
        ("CsPbI3", "reduced_mass"): 0.114,
        ("CsPbI3", "eps_effective"): 10.0,
        ("CsPbI3", "lattice_constant"): 0.629,
        ("CsPbCl3", "gap_low_t"): 3.056,
        ("CsPbCl3", "eps_effective"): 6.56,
        ("CsPbCl3", "exciton_binding"): 0.064,
        ("CsPbCl3", "lattice_constant"): 0.561,
        ("MAPbI3", "eps_static"): 24.1,
        ("MAPbI3", "electron_mass"): 0.12,
        ("MAPbBr3", "gap_300k"): 2.309,
        ("MAPbBr3", "bohr_diameter"): 9.0,
        ("FAPbBr3", "gap_low_t"): 2.233,
        ("FAPbI3", "exciton_binding"): 0.014,
    }
    for (name, quantity), number in expected.items():
        assert load_records(name).of(quantity)[0].value.number == pytest.approx(number, rel=1e-12), (
            name,
            quantity,
        )


def test_ranges_of_the_sources():
    expected = {
        ("CsPbBr3", "gap_300k"): (2.36, 2.39),
        ("CsPbBr3", "gap_slope"): (2e-4, 3e-4),
        ("CsPbBr3", "ensemble_width_300k"): (0.070, 0.090),
        ("CsPbBr3", "linewidth_gamma_lo"): (0.020, 0.060),
        ("CsPbBr3", "linewidth_lo_energy"): (0.016, 0.020),
        ("CsPbBr3", "bohr_diameter"): (6.0, 7.0),
        ("CsPbI3", "gap_300k"): (1.73, 1.78),
        ("CsPbCl3", "gap_300k"): (2.97, 3.05),
        ("MAPbI3", "eps_effective"): (9.0, 10.0),
        ("mixing", "bowing_br_i"): (0.0, 0.25),
        ("APbX3", "spin_orbit_delta"): (1.0, 1.5),
    }
    for (name, quantity), span in expected.items():
        value = load_records(name).of(quantity)[0].value
        assert (value.low, value.high) == pytest.approx(span, rel=1e-12), (name, quantity)
