"""Units at the edge: exact round trips, every spelling, and clear refusals."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perolux.errors import OptionError, PeroluxError
from perolux.quantities import SPECTRAL_UNITS, convert_spectral, parse_quantity
from perolux.quantities.units import linear_scale, spectral_unit

units = st.sampled_from(SPECTRAL_UNITS)


@given(st.floats(1e-3, 1e6), units, units)
def test_round_trip_s17(number, source, target):
    there = convert_spectral(number, source, target)
    assert convert_spectral(there, target, source) == pytest.approx(number, rel=1e-12)  # bar of S17


@given(st.lists(st.floats(150, 2000), min_size=1, max_size=50))
def test_arrays_like_scalars(wavelengths):
    array = np.array(wavelengths)
    energies = convert_spectral(array, "nm", "eV")
    assert energies.shape == array.shape
    assert energies.tolist() == [convert_spectral(w, "nm", "eV") for w in wavelengths]


@pytest.mark.parametrize(
    ("number", "source", "target", "expected"),
    [
        (510.0, "nm", "eV", 2.431063),
        (500.0, "nm", "cm-1", 20000.0),
        (1.0, "eV", "cm-1", 8065.544),
        (1.0, "eV", "THz", 241.7989),
        (1.0, "um", "eV", 1.239842),
        (2430.0, "meV", "eV", 2.43),
        (0.51, "um", "nm", 510.0),
    ],
)
def test_known_conversions(number, source, target, expected):
    assert convert_spectral(number, source, target) == pytest.approx(expected, rel=1e-6)  # seven digits typed


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("nanometers", "nm"),
        ("EV", "eV"),
        ("1/cm", "cm-1"),
        ("cm^-1", "cm-1"),
        ("cm⁻¹", "cm-1"),
        ("µm", "um"),
        (" nm ", "nm"),
    ],
)
def test_spellings(text, unit):
    assert spectral_unit(text) == unit


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_numbers_that_are_no_energy(bad):
    with pytest.raises(OptionError, match="positive and finite"):
        convert_spectral(bad, "nm", "eV")
    with pytest.raises(OptionError, match="positive and finite"):
        convert_spectral(np.array([500.0, bad]), "nm", "eV")


def test_unknown_spectral_unit():
    with pytest.raises(OptionError, match="'furlong' is not a spectral unit") as caught:
        convert_spectral(1.0, "nm", "furlong")
    assert "cm-1" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("300K", "K", 300.0),
        ("300 K", "K", 300.0),
        ("25 °C", "K", 298.15),
        ("25degC", "K", 298.15),
        ("-40 degF", "K", 233.15),
        ("510 nm", "eV", 2.431063),
        ("2.431063 eV", "nm", 510.0),
        ("5.85 angstrom", "nm", 0.585),
        ("20 Å", "nm", 2.0),
        ("1 kcal/mol", "J/mol", 4184.0),
        ("1e-3 eV", "meV", 1.0),
        ("5 min", "s", 300.0),
        (".5 um", "nm", 500.0),
    ],
)
def test_text_is_read(text, target, expected):
    assert parse_quantity(text, target) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("text", "target", "expected"),
    [
        ("45 µm", "nm", 45e3),
        ("2 meV", "eV", 2e-3),
        ("1 THz", "meV", 4.135668),
        ("1 mm", "um", 1e3),
        ("20 Å", "nm", 2),
    ],
)
def test_lengths_and_differences_of_energies(text, target, expected):
    assert parse_quantity(text, target, spectral=False) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("text", "target"), [("45 eV", "um"), ("5 nm", "meV"), ("2 J", "mm"), ("1 THz", "nm")]
)
def test_a_thickness_is_no_energy(text, target):
    with pytest.raises(OptionError, match="cannot be turned into"):
        parse_quantity(text, target, spectral=False)


def test_bare_number_needs_a_default_unit():
    assert parse_quantity("300", "K", default_unit="K") == 300.0
    assert parse_quantity(300.0, "K", default_unit="K") == 300.0
    with pytest.raises(OptionError, match="has no unit"):
        parse_quantity("300", "K")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "warm",
        "300 nm",
        "300 K K",
        "K",
        "nan K",
        "inf K",
        "1e999 K",
        "300 foo",
        "9**9**9 K",
        "1 m**99",
        "1 K^(9^9^9)",
    ],
)
def test_text_that_is_no_temperature(text):
    with pytest.raises(OptionError):
        parse_quantity(text, "K")


@given(st.text(max_size=40), st.sampled_from(["K", "eV", "nm"]))
def test_any_text_is_read_or_refused(text, target):
    try:
        number = parse_quantity(text, target)
    except PeroluxError:
        return
    assert np.isfinite(number)


@given(st.text(alphabet="0123456789.eE+- */^()KnmeVµ°Cdg", max_size=20), st.sampled_from(["K", "eV"]))
def test_near_texts_are_read_or_refused(text, target):
    try:
        number = parse_quantity("1 " + text, target)
    except PeroluxError:
        return
    assert np.isfinite(number)


def test_linear_scale():
    assert linear_scale(5.85, "angstrom", "nm") == 0.585
    assert linear_scale(32.5, "meV", "eV") == 0.0325
    with pytest.raises(OptionError, match="no factor from the unit 'kg'"):
        linear_scale(1.0, "kg", "eV")


def test_pint_is_imported_only_when_it_is_needed():
    code = (
        "import sys; from perolux.quantities import parse_quantity, convert_spectral\n"
        "parse_quantity('300 K', 'K'); parse_quantity('510 nm', 'eV'); convert_spectral(5.0, 'nm', 'cm-1')\n"
        "print('pint' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_units_are_read_in_many_threads_at_once():
    """The registry of pint is not made for threads: without a lock some texts had no unit."""
    texts = [("10 umol", "mol"), ("5 uL", "mL"), ("0.125 M", "mol/L"), ("69 mg", "g"), ("2 min", "s")]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda k: parse_quantity(*texts[k % len(texts)]), range(2000)))
    finally:
        sys.setswitchinterval(interval)
    assert len(set(found)) == len(texts)
