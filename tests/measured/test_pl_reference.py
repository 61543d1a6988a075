"""S1 to S3: the shipped PL set against the authors' columns and the recomputed reference table."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from perolux.files import example_path
from perolux.measured import peaks, read, reduce_pl
from perolux.measured.pl import pl_curve


@pytest.fixture(scope="module")
def spectra():
    folder = example_path("antisolvent") / "spectra"
    found = {s.label: s for s in read(folder / "spectra_counts_wide.csv", kind="pl")}
    for path in sorted((folder / "native_grid").glob("*.txt")):
        found[path.stem] = read(path, kind="pl")[0]
    return found


@pytest.fixture(scope="module")
def results(spectra):
    return {label: reduce_pl(s) for label, s in spectra.items()}


@pytest.fixture(scope="module")
def table():
    path = example_path("antisolvent") / "reference_peak_width_recomputed.csv"
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return {r["file"].removesuffix(".txt"): {k: float(v) for k, v in r.items() if k != "file"} for r in rows}


def test_the_set_is_complete(spectra, table):
    assert len(spectra) == 425
    assert len(table) == 235
    assert table.keys() <= spectra.keys()


def test_s1_peak_within_1_2_nm_of_the_authors(results, table):
    off = np.array([results[f].peak_nm_no_jacobian - row["peak_pos"] for f, row in table.items()])
    assert np.mean(np.abs(off) <= 1.2) >= 0.93  # the bar; 94.0 % measured


def test_s2_width_within_half_a_mev_of_the_authors(results, table):
    off = np.array([results[f].fwhm_mev_no_jacobian - 1e3 * row["fwhm"] for f, row in table.items()])
    assert np.mean(np.abs(off) <= 0.5) >= 0.98  # the bar; 98.3 % measured


def test_s3_reference_procedure_without_jacobian(results, table):
    for label, row in table.items():
        r = results[label]
        # tolerances of the check; the table is rounded to 1e-5
        assert r.peak_nm_no_jacobian == pytest.approx(row["peak_nm"], abs=0.01)
        assert r.fwhm_nm_no_jacobian == pytest.approx(row["fwhm_nm"], abs=0.01)
        assert r.fwhm_mev_no_jacobian == pytest.approx(row["fwhm_meV_nojac"], abs=0.01)
        assert r.snr == pytest.approx(row["snr"], rel=1e-4)


def test_s3_reference_procedure_with_jacobian(spectra, results, table):
    for label, row in table.items():
        found = peaks.reference_peak(*pl_curve(spectra[label], results[label].baseline))
        # 0.01 meV, and half of the last digit that the table keeps of the peak (1e-5 eV)
        assert 1e3 * found.position == pytest.approx(1e3 * row["peak_eV_jac"], abs=0.015)
        assert 1e3 * (found.right - found.left) == pytest.approx(row["fwhm_meV_jac"], abs=0.01)


def test_local_fit_agrees_with_the_reference_procedure_on_average(results, table):
    peak = np.array([1e3 * (results[f].peak_ev - row["peak_eV_jac"]) for f, row in table.items()])
    width = np.array([results[f].fwhm_mev - row["fwhm_meV_jac"] for f, row in table.items()])
    # The quadratic of the reference leans to the side of a skewed top: measured +0.6 +- 2.0 meV.
    assert abs(np.mean(peak)) < 1.5
    assert np.median(np.abs(peak)) < 1.0
    assert abs(np.mean(width)) < 0.3  # measured 0.08 +- 0.85 meV
    assert np.median(np.abs(width)) < 0.6  # measured 0.37 meV


def test_effect_of_the_jacobian_on_the_set(results, table):
    """Reference table: peak -1.6 +- 1.4 meV, width +1.4 +- 2.5 meV; the local fit must show the same."""
    width = [results[f].fwhm_mev - results[f].fwhm_mev_no_jacobian for f in table]
    assert np.mean(width) == pytest.approx(1.4, abs=0.3)  # the two estimators differ by 0.1 meV
    assert np.max(width) > 15.0  # the double peak j55


def test_every_spectrum_of_the_set_gives_a_peak_and_a_width(results):
    for r in results.values():
        assert r.peak_ev is not None
        assert r.fwhm_mev is not None
        assert r.peak_ev_sigma > 0
        assert r.fwhm_mev_sigma > 0
        assert r.peak_nm_no_jacobian is not None or "peak_nm_no_jacobian" in r.reasons


def test_double_bands_of_the_set_are_flagged(results):
    assert "double-peak" in results["147"].flags
    assert "double-peak" in results["157"].flags
    assert {"double-peak", "shoulder"} & set(results["j55"].flags)
    assert "shoulder" in results["180"].flags
    assert "shoulder" in results["114"].flags
    assert not {"double-peak", "shoulder"} & set(results["84"].flags)
    flagged = sum(bool({"double-peak", "shoulder"} & set(r.flags)) for r in results.values())
    assert 20 <= flagged <= 60  # 36 of 425 by eye and by rule; not half of the set


def test_no_spectrum_of_the_set_is_called_saturated_or_spiky(results):
    assert not any({"saturated", "cosmic-ray"} & set(r.flags) for r in results.values())


def test_a_result_is_plain_json(results):
    import json

    text = json.dumps([r.as_dict() for r in results.values()], allow_nan=False)
    assert json.loads(text)[0]["baseline"]["method"] == "ends"
