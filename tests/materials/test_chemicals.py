"""Chemicals: formulas, molar masses, names, and what is missing."""

import pytest

from perolux.errors import InputError, NotAvailableError, OptionError
from perolux.materials.chemicals import chemical, chemicals, elements, molar_mass_g_mol


def test_molar_masses() -> None:
    # sums by hand from the same atomic weights; 1e-9 is rounding
    assert molar_mass_g_mol("PbBr2") == pytest.approx(367.008, abs=1e-9)
    assert chemical("Cs2CO3").molar_mass_g_mol == pytest.approx(325.828, abs=1e-9)
    assert chemical("oleic acid").molar_mass_g_mol == pytest.approx(282.468, abs=1e-9)
    assert elements("C18H34O2") == {"C": 18, "H": 34, "O": 2}


@pytest.mark.parametrize("formula", ["", "pb", "Pb(NO3)2", "PbBr0", "Xx2"])
def test_bad_formulas(formula: str) -> None:
    with pytest.raises(InputError):
        elements(formula)


def test_names() -> None:
    words = [w.lower() for c in chemicals().values() for w in (c.name, *c.aliases)]
    assert len(words) == len(set(words))
    assert chemical(" ola ").name == "oleylamine"
    with pytest.raises(OptionError, match="toluene"):
        chemical("tolune")
    with pytest.raises(NotAvailableError, match="density_g_ml"):
        chemical("cesium oleate").property("density_g_ml")


def test_exchange_order_as_published() -> None:
    rate = [chemical(n).multipliers["exchange_rate"].number for n in ("OA", "zwitterion", "lecithin")]
    assert rate == sorted(rate, reverse=True)
    assert len(set(rate)) == 3
