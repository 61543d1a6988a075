"""Optical constants, absorption of nanocrystals, and the platelet ladders."""

import csv
from pathlib import Path

import numpy as np
import pytest

from perolux.errors import ModelRangeError, NotAvailableError, OptionError
from perolux.materials import (
    absorption_calibrations,
    intrinsic_absorption_per_cm,
    material,
    molar_from_intrinsic,
    optical_constants,
    platelet_ladders,
)
from perolux.materials.optical import intrinsic_from_molar, optical_tables
from perolux.quantities.citations import citation_keys
from perolux.quantities.constants import HC_EV_NM

ROWS = list(
    csv.DictReader(Path(__file__).with_name("intrinsic_absorption.csv").read_text("utf-8").splitlines())
)


@pytest.mark.parametrize(
    "row", ROWS, ids=lambda row: f"{row['material']}-{row['wavelength_nm']}-{row['n_s']}"
)
def test_intrinsic_absorption_of_the_reference_table(row):
    table = optical_constants(row["material"])
    found = float(intrinsic_absorption_per_cm(table, float(row["wavelength_nm"]), float(row["n_s"])))
    assert found == pytest.approx(float(row["mu_i_per_cm"]), rel=0.01)  # bar of the chapter: 1 %
    molar = float(molar_from_intrinsic(found, 1000.0))
    assert molar == pytest.approx(float(row["molar_per_1000_nm3"]), rel=0.01)


def test_calibrations_of_cspbbr3_are_rivals():
    bulk, colloid = absorption_calibrations("CsPbBr3", 1.5)
    assert bulk.number == pytest.approx(1.62e5, rel=0.005) and bulk.kind == "derived"  # three digits printed
    assert colloid.number == pytest.approx(9.3e4, rel=0.01) and colloid.kind == "recalled"
    assert bulk.number / colloid.number == pytest.approx(1.7, abs=0.1)  # the tension the chapter prints
    assert material("CsPbBr3").value("intrinsic_absorption_335nm") == bulk
    assert absorption_calibrations("FAPbBr3", 1.5) == ()


def test_molar_and_intrinsic_agree_s19():
    """An 8.5 nm cube with epsilon = 0.0242 L^3: 1.49e7 1/(M cm) and 9.3e4 1/cm, 1 % (three digits)."""
    per_volume = material("CsPbBr3").value("molar_absorption_335nm").number
    assert per_volume * 8.5**3 == pytest.approx(1.49e7, rel=0.01)
    intrinsic = intrinsic_from_molar(per_volume)
    assert intrinsic == pytest.approx(9.3e4, rel=0.01)
    assert float(molar_from_intrinsic(intrinsic, 8.5**3)) == pytest.approx(per_volume * 8.5**3, rel=1e-12)


@pytest.mark.parametrize("name", list(optical_tables()))
def test_tables_are_whole(name):
    table = optical_constants(name)
    assert np.all(np.diff(table.wavelength_nm) > 0)
    assert np.all(table.n > 0) and np.all(table.k >= 0)
    assert citation_keys(table.source)
    middle = 0.5 * (table.wavelength_nm[10] + table.wavelength_nm[11])
    n, k = table.at([table.wavelength_nm[10], middle])
    assert n[0] == table.n[10] and k[0] == table.k[10]
    assert n[1] == pytest.approx(0.5 * (table.n[10] + table.n[11]), rel=1e-12)
    with pytest.raises(ValueError, match="read-only"):
        table.n[0] = 2.0


@pytest.mark.parametrize("wavelength", [199.9, 900.1, float("nan")])
def test_nothing_is_extrapolated(wavelength):
    with pytest.raises(ModelRangeError, match="outside the table of CsPbBr3"):
        optical_constants("CsPbBr3").at([400.0, wavelength])


def test_a_film_never_stands_in_for_the_bulk():
    with pytest.raises(NotAvailableError, match="optical constants of bulk CsPbI3") as caught:
        optical_constants("CsPbI3")
    assert "CsPbI3_NCfilm: film of nanocrystals" in str(caught.value)
    assert optical_constants("CsPbI3_NCfilm").sample == "film of nanocrystals"
    with pytest.raises(NotAvailableError, match="bulk FAPbBr3"):
        optical_constants("FAPbBr3")


def test_an_artefact_of_a_table_is_refused():
    table = optical_constants("CsPbCl3")
    assert float(table.at(500.0)[1]) > 1e-3  # the artefact: k well below the gap of 3 eV
    with pytest.raises(ModelRangeError, match="artefact"):
        intrinsic_absorption_per_cm(table, 500.0, 1.5)
    with pytest.raises(OptionError, match="solvent index"):
        intrinsic_absorption_per_cm(table, 400.0, 0.5)


def test_mapbbr3_table_has_no_spurious_tail():
    """Another table of the database has k of 1e-3 to 1e-2 above 616 nm; this one must not."""
    table = optical_constants("MAPbBr3")
    assert np.all(table.k[table.wavelength_nm >= 616] < 1e-5)


# --- platelets --------------------------------------------------------------------------------------------


def test_ladders_disagree_and_are_both_kept():
    first, second = platelet_ladders("CsPbBr3")
    assert first.monolayers == (2, 3, 4, 5, 6)
    assert [v.number for v in first.emission_nm] == [433, 457, 471, 480, 487]
    assert second.monolayers == (2, 3, 4)
    assert [v.number for v in second.emission_nm] == [431, 460, 475]
    assert "assumed" in second.note
    for ladder in (first, second):
        assert {v.kind for v in (*ladder.emission_nm, *ladder.emission_ev)} == {"recalled"}
        for nm, ev in zip(ladder.emission_nm, ladder.emission_ev, strict=True):
            assert ev.number == pytest.approx(HC_EV_NM / nm.number, rel=1e-15)
            assert (nm.unit, ev.unit) == ("nm", "eV")
        assert np.all(np.diff([v.number for v in ladder.emission_ev]) < 0)


def test_other_materials_have_no_ladder():
    assert platelet_ladders("CsPbI3") == platelet_ladders("CsPb(Br,I)3") == ()
    with pytest.raises(OptionError, match="unknown material"):
        platelet_ladders("CdSe")


def test_energies_of_platelets_keep_the_source_of_their_record():
    """With its place: what is recalled says so in eV as in nm."""
    for ladder in platelet_ladders("CsPbBr3"):
        for wavelength, energy in zip(ladder.emission_nm, ladder.emission_ev, strict=True):
            assert "recalled" in wavelength.source
            assert energy.source == f"{wavelength.source}; as hc/lambda"
            assert (energy.kind, energy.note, energy.key) == (
                wavelength.kind,
                wavelength.note,
                wavelength.key,
            )
            assert citation_keys(energy.source) == citation_keys(wavelength.source)
