"""What reduce_pl says about spectra that are not a clean band: flags, reasons, errors, never NaN."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from perolux.errors import InputError, OptionError
from perolux.measured import FLAGS, FileSource, Spectrum, reduce_pl
from perolux.measured.artefacts import cosmic_ray_samples, without_samples
from perolux.measured.pl import PlResult

NM = np.arange(400.0, 601.0)
NUMBERS = (
    *("peak_ev", "peak_ev_sigma", "fwhm_mev", "fwhm_mev_sigma", "peak_nm", "fwhm_nm"),
    *("peak_nm_no_jacobian", "fwhm_nm_no_jacobian", "fwhm_mev_no_jacobian", "integrated", "snr"),
)


def spectrum(values, nm=NM, kind="pl"):
    return Spectrum(np.array(nm), np.array(values, dtype=float), "made", FileSource("made", "", "test"), kind)


def band(centre=510.0, fwhm=20.0, height=1e5, nm=NM):
    return height * np.exp(-4 * math.log(2) * ((nm - centre) / fwhm) ** 2)


def check(r: PlResult) -> PlResult:
    """Every number is finite or None with a reason, every flag is documented, the result is JSON."""
    for name in NUMBERS:
        value = getattr(r, name)
        if value is None:
            assert r.reasons[name]
        else:
            assert math.isfinite(value), name
            assert name not in r.reasons
    assert set(r.flags) <= FLAGS.keys()
    json.dumps(r.as_dict(), allow_nan=False)
    return r


def test_the_list_of_numbers_is_that_of_the_record_and_of_every_table():
    from perolux.measured.pl import PL_NUMBERS
    from perolux.studies.columns import COLUMNS

    assert set(PL_NUMBERS) == set(NUMBERS)
    assert set(PL_NUMBERS) <= {field.name for field in dataclasses.fields(PlResult)}
    assert set(PL_NUMBERS) <= {column.name for column in COLUMNS}
    assert set(PL_NUMBERS) <= reduce_pl(spectrum(band())).as_dict().keys()


def test_a_clean_band_has_no_flag():
    noise = np.random.default_rng(1).normal(0.0, 50.0, len(NM))
    r = check(reduce_pl(spectrum(band() + 500.0 + noise)))
    assert r.flags == ()
    assert r.snr == pytest.approx(1e5 / 50.0, rel=0.5)  # 16 samples give the noise to 18 %


def test_saturated():
    assert "saturated" in check(reduce_pl(spectrum(np.minimum(band(), 7e4)))).flags
    assert "saturated" in check(reduce_pl(spectrum(np.minimum(np.round(band(height=7e4)), 65535.0)))).flags


def test_a_saturated_line_has_no_numbers_but_a_reason():
    """Half of the top cut off moved the peak by 27 meV and the width by 35 meV, with a sigma below 1 meV."""
    noise = np.random.default_rng(7).normal(0.0, 30.0, len(NM))
    for left in (0.9, 0.5):
        r = check(reduce_pl(spectrum(np.minimum(band() + noise, left * 1e5))))
        assert r.flags == ("saturated",)  # the corners of the cut are no shoulders
        assert all(getattr(r, name) is None for name in NUMBERS)
        assert all("cut off" in reason for reason in r.reasons.values())
        assert "no peak" in repr(r)
    sloping = np.minimum(band() + 50.0 * (NM - NM[0]) + noise, 5e4)
    assert check(reduce_pl(spectrum(sloping))).flags == ("saturated", "curved-baseline")


def test_a_rounded_top_is_not_saturated():
    rounded = np.round(band(fwhm=60.0, height=1.0), 2)
    assert np.count_nonzero(rounded == 1.0) >= 3
    assert "saturated" not in check(reduce_pl(spectrum(rounded))).flags


def test_cosmic_ray_is_reported_and_removed_only_on_request():
    noise = np.random.default_rng(2).normal(0.0, 100.0, len(NM))
    clean = band() + noise
    hit = clean.copy()
    hit[150] += 3e4
    kept = check(reduce_pl(spectrum(hit)))
    assert "cosmic-ray" in kept.flags
    assert kept.cosmic_rays_nm == (550.0,)
    assert "cosmic-ray" not in reduce_pl(spectrum(clean)).flags
    removed = check(reduce_pl(spectrum(hit), remove_cosmic_rays=True))
    assert "cosmic-ray-removed" in removed.flags
    assert removed.integrated == pytest.approx(reduce_pl(spectrum(clean)).integrated, rel=1e-3)
    assert kept.integrated > removed.integrated + 2e4


def test_cosmic_ray_on_top_of_the_band():
    hit = band() + np.random.default_rng(3).normal(0.0, 100.0, len(NM))
    hit[108] += 5e4
    r = check(reduce_pl(spectrum(hit), remove_cosmic_rays=True))
    assert r.peak_nm_no_jacobian == pytest.approx(510.0, abs=0.2)
    assert "cosmic-ray" in check(reduce_pl(spectrum(hit))).flags


@pytest.mark.parametrize("fwhm", [2.0, 2.5, 3.0, 4.0, 8.0])
def test_a_narrow_line_is_no_cosmic_ray(fwhm):
    for centre in (509.6, 510.0, 510.25, 510.5):
        assert "cosmic-ray" not in check(reduce_pl(spectrum(band(centre, fwhm)))).flags


@pytest.mark.parametrize("hit", [(3e4, 3e4), (3e4, 1e4), (1e4, 3e4), (1e6, 1e6)])
def test_a_cosmic_ray_over_two_samples(hit):
    clean = band() + np.random.default_rng(2).normal(0.0, 100.0, len(NM))
    for place in (30, 108, 150):  # beside the band, on its top, in its tail
        struck = clean.copy()
        struck[place : place + 2] += hit
        found = cosmic_ray_samples(struck)
        assert list(found) == [place, place + 1]
        assert np.max(np.abs(without_samples(struck, found) - clean)) < 600.0  # 4 sigma of noise and cubic
    assert "cosmic-ray" in check(reduce_pl(spectrum(struck))).flags
    assert "cosmic-ray-removed" in check(reduce_pl(spectrum(struck), remove_cosmic_rays=True)).flags


@pytest.mark.parametrize(("step_nm", "fwhm_nm"), [(1.0, 4.3), (1.0, 18.0), (0.22, 18.0), (5.0, 18.0)])
def test_counting_noise_is_no_cosmic_ray(step_nm, fwhm_nm):
    rng = np.random.default_rng(12)
    nm = np.arange(400.0, 650.0, step_nm)
    counts = 20.0 + band(510.0, fwhm_nm, 1000.0, nm)
    found = sum(len(cosmic_ray_samples(rng.poisson(counts).astype(float))) > 0 for _ in range(200))
    assert found <= 4  # measured below 0.7 %; 12 sigmas of the background alone gave 3 % on the narrow line


def test_one_sided():
    r = check(reduce_pl(spectrum(band(404.0, 30.0)), baseline="none"))
    assert "one-sided" in r.flags
    assert r.fwhm_mev is None
    assert "short-wavelength" in r.reasons["fwhm_mev"]
    assert r.peak_nm == pytest.approx(404.0, abs=1.0)  # the Jacobian moves a 30 nm band by about 0.8 nm
    red = check(reduce_pl(spectrum(band(596.0, 30.0)), baseline="none"))
    assert "long-wavelength" in red.reasons["fwhm_mev"]


def test_peak_at_edge():
    r = check(reduce_pl(spectrum(band(395.0, 30.0)), baseline="none"))
    assert "peak-at-edge" in r.flags
    assert r.peak_ev is None
    assert r.fwhm_mev is None


def test_low_snr():
    noise = np.random.default_rng(4).normal(0.0, 1.0, len(NM))
    assert "low-snr" in check(reduce_pl(spectrum(band(height=6.0) + noise))).flags


@pytest.mark.parametrize("level", [0.0, 5.0, -3.0, 1e6])
def test_flat_spectrum_has_no_peak(level):
    r = check(reduce_pl(spectrum(np.full(len(NM), level))))
    assert r.flags[-1] == "near-zero-signal"
    assert all(getattr(r, name) is None for name in NUMBERS)


def test_pure_noise_has_no_peak():
    rng = np.random.default_rng(5)
    called = [check(reduce_pl(spectrum(rng.normal(10.0, 3.0, len(NM))))) for _ in range(200)]
    # 201 samples of noise reach 6 of their sigmas once in a million records
    assert all("near-zero-signal" in r.flags for r in called)


def test_double_peak_and_shoulder():
    two = check(reduce_pl(spectrum(band(480.0, 12.0) + band(520.0, 20.0, 4e4))))
    assert "double-peak" in two.flags
    shoulder = check(reduce_pl(spectrum(band(480.0, 14.0) + band(498.0, 18.0, 4e4))))
    assert "shoulder" in shoulder.flags
    noise = np.random.default_rng(6)
    for _ in range(100):
        r = check(reduce_pl(spectrum(band() + noise.normal(0.0, 1e3, len(NM)))))
        assert not {"double-peak", "shoulder", "cosmic-ray", "saturated"} & set(r.flags)


def test_uneven_ends():
    r = check(reduce_pl(spectrum(band() + np.where(NM < 450, 1e4, 0.0))))
    assert "curved-baseline" in r.flags


@pytest.mark.parametrize("tilt", [0.05, -0.05, 0.1])
@pytest.mark.parametrize("counts", [0, 1000, 10_000])
def test_a_slope_under_a_band_is_a_slope(tilt, counts):
    """A straight tilt, without noise and with that of counting, is no second maximum."""
    ramp = (NM - NM[0]) / (NM[-1] - NM[0])
    under = tilt * (ramp if tilt > 0 else ramp - 1.0)
    values = (counts or 1000) * (band(height=1.0) + under + 0.02)
    rng = np.random.default_rng(31)
    made = [rng.poisson(values).astype(float) for _ in range(40)] if counts else [values]
    flags = [check(reduce_pl(spectrum(v))).flags for v in made]
    # the ends differ by 5 %, the limit is 3 %, and counting makes their difference uncertain by 0.5 % at 1000
    assert sum("curved-baseline" in f for f in flags) >= 0.9 * len(flags)
    assert sum("double-peak" in f or "shoulder" in f for f in flags) <= 2  # measured 1 %


@pytest.mark.parametrize(("step_nm", "counts"), [(1.0, 300), (1.0, 1000), (0.5, 300), (2.0, 1000)])
def test_counting_noise_makes_no_shoulder(step_nm, counts):
    rng = np.random.default_rng(41)
    nm = np.arange(400.0, 650.0, step_nm)
    clean = 20.0 + band(517.0, 18.3, counts, nm)
    flags = [reduce_pl(spectrum(rng.poisson(clean).astype(float), nm)).flags for _ in range(100)]
    wrong = sum(bool({"shoulder", "double-peak"} & set(f)) for f in flags)
    assert wrong <= 4  # measured below 0.8 % of 1000 draws; it was 6 to 21 %


def test_the_integral_says_over_what():
    r = reduce_pl(spectrum(band()))
    assert "over wavelength" in r.integrated_unit
    assert "without a Jacobian" in r.as_dict()["integrated_unit"]
    per_ev = Spectrum(NM, band(), "made", FileSource("made", "", "test"), "pl", "eV", "counts")
    assert reduce_pl(per_ev).integrated_unit == (
        "counts x eV, over photon energy as recorded, without a Jacobian"
    )


def test_negative_counts_beyond_noise():
    assert "negative-counts" in check(reduce_pl(spectrum(band() - np.where(NM > 560, 5e3, 0)))).flags


@pytest.mark.parametrize("kind", ["absorbance", "excitation"])
def test_other_kinds_are_refused(kind):
    with pytest.raises(OptionError, match=kind) as caught:
        reduce_pl(spectrum(band(), kind=kind))
    assert caught.value.problems[0].fix


def test_nan_and_short_records_are_refused():
    values = band()
    values[7] = np.nan
    with pytest.raises(InputError, match="1 of 201 values are not finite"):
        reduce_pl(spectrum(values))
    with pytest.raises(InputError, match="too short"):
        reduce_pl(spectrum(band()[:15], NM[:15]))
    with pytest.raises(OptionError, match="not negative"):
        reduce_pl(spectrum(band()), calibration_sigma_nm=-1.0)


@settings(max_examples=150)
@given(
    values=hnp.arrays(
        float,
        st.integers(20, 60),
        # below 1e-30 no detector counts: such a record is an error of its file, tested elsewhere
        elements=st.floats(-1e6, 1e6, allow_nan=False, width=32).map(lambda v: v if abs(v) > 1e-30 else 0.0),
    ),
    method=st.sampled_from(["ends", "linear", "arpls", "none"]),
)
@pytest.mark.slow
def test_any_values_give_finite_numbers_or_reasons(values, method):
    nm = 400.0 + 1.5 * np.arange(len(values))
    check(reduce_pl(spectrum(values, nm), baseline=method))
