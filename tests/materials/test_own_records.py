"""A user's own record files: they add named sets, replace nothing, and are refused with all their faults."""

import pytest

from perolux.errors import InputError, ModelRangeError
from perolux.materials import explain, material, parameter_sets
from perolux.materials.own_records import (
    RECORDS_VARIABLE,
    own_record_files,
    record_text,
    use_records,
    write_records,
)
from perolux.quantities.value import Value

SOURCE = 'perolux: fitted to a "table"\\ of sizes'


@pytest.fixture(autouse=True)
def only_packaged():
    yield
    use_records()


def own_text(name="mine"):
    values = {
        "reduced_mass": Value(0.15, "m0", "derived", SOURCE, sigma=0.01),
        "eps_effective": Value(8.0, "1", "derived", SOURCE, sigma=0.2),
        "gap": Value(2.381, "eV", "derived", SOURCE, sigma=0.002, valid=(("temperature_k", 290.0, 310.0),)),
    }
    return record_text("CsPbBr3", name, values, note="a note\nin two lines")


def test_an_own_set_joins_and_replaces_nothing(tmp_path):
    before = material("CsPbBr3", 300.0)
    default = (before.gap_ev, before.reduced_mass_m0, before.version)
    path = write_records(tmp_path / "own.toml", own_text())
    assert use_records(path) == ("mine",)
    assert parameter_sets("CsPbBr3") == ("pssrrl2023", "yang2017", "mine")
    after = material("CsPbBr3", 300.0)
    assert (after.gap_ev, after.reduced_mass_m0) == default[:2]
    own = material("CsPbBr3", 300.0, "mine")
    assert own.reduced_mass_m0 == 0.15 and own.gap_ev == 2.381 and own.value("gap").sigma == 0.002
    assert own.value("reduced_mass").source == SOURCE
    assert "own.toml 1 (sha256 " in own.version
    assert own.bohr_radius_nm == pytest.approx(0.0529177 * 8.0 / 0.15, rel=1e-5)
    with pytest.raises(ModelRangeError):
        _ = material("CsPbBr3", 77.0, "mine").gap_ev
    assert "mine" in str(explain("CsPbBr3.reduced_mass", 300))
    use_records()
    assert parameter_sets("CsPbBr3") == ("pssrrl2023", "yang2017")
    assert material("CsPbBr3", 300.0).version == default[2]


def test_the_environment_names_files(tmp_path, monkeypatch):
    from perolux.materials import own_records

    first = write_records(tmp_path / "a.toml", own_text("a"))
    second = write_records(tmp_path / "b.toml", own_text("b"))
    import os

    monkeypatch.setenv(RECORDS_VARIABLE, f"{first}{os.pathsep}{second}")
    monkeypatch.setattr(own_records, "_chosen", None)
    own_records._forget()
    assert parameter_sets("CsPbBr3")[2:] == ("a", "b")


def test_own_sets_serve_mixtures(tmp_path):
    use_records(write_records(tmp_path / "own.toml", own_text()))
    assert any("mine" in name for name in parameter_sets("CsPb(Br,I)3"))


def test_all_faults_of_all_files_are_told_and_the_former_choice_stands(tmp_path):
    good = write_records(tmp_path / "good.toml", own_text())
    use_records(good)
    taken = tmp_path / "taken.toml"
    taken.write_text(own_text("pssrrl2023"))
    loose = tmp_path / "loose.toml"
    loose.write_text(own_text().replace('set = "mine"\nvalue = 8.0', "value = 80.0"))
    with pytest.raises(InputError) as caught:
        use_records(taken, loose, tmp_path / "absent.toml")
    text = str(caught.value)
    assert "cannot be read" in text and "out of bounds" in text
    assert "mine" in own_record_files()["CsPbBr3"].sets[0].name
    with pytest.raises(InputError, match="already"):
        use_records(taken)
    loose.write_text(own_text().replace('set = "mine"\nvalue = 8.0', "value = 8.0"))
    with pytest.raises(InputError, match="belong to a set"):
        use_records(loose)


def test_a_faulty_text_is_not_written(tmp_path):
    with pytest.raises(InputError, match="does not begin with keys"):
        write_records(tmp_path / "own.toml", own_text().replace("perolux: fitted", "fitted"))
    assert list(tmp_path.iterdir()) == []
