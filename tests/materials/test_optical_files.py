"""Tables of n and k of one's own: what is read, and what is refused with its line."""

from __future__ import annotations

import numpy as np
import pytest

from perolux.errors import InputError, NotAvailableError
from perolux.materials.optical import optical_constants
from perolux.materials.optical_files import optical_constants_of, read_optical_constants


def written(folder, text, name="nk.csv"):
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def test_a_table_gives_the_numbers_that_it_holds(tmp_path):
    source = optical_constants("CsPbBr3")
    rows = list(zip(source.wavelength_nm, source.n, source.k, strict=True))[::-1]  # in falling order
    text = "# mine\nn, k, wavelength_nm\n" + "\n".join(f"{n}, {k}, {nm}" for nm, n, k in rows) + "\n\n"
    found = optical_constants_of("nk.csv", written(tmp_path, text).parent)
    assert np.array_equal(found.wavelength_nm, source.wavelength_nm)
    assert np.array_equal(found.at([451.3, 600.0]), source.at([451.3, 600.0]))
    assert found.sample == "bulk" and "nk.csv" in found.source


def test_a_name_on_record_stays_one(tmp_path):
    assert optical_constants_of("CsPbBr3", tmp_path).name == "CsPbBr3"
    with pytest.raises(NotAvailableError):
        optical_constants_of("nothing.csv", tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wavelength_nm,n\n400,2\n500,2\n", "no column k"),
        ("wavelength_nm,n,k\n400,2,-0.01\n500,2,0\n", "line 2: n = 2, k = -0.01 at 400 nm"),
        ("#\nwavelength_nm,n,k\n400,2,0.1\n\n500,x,0\n", "line 5: no three numbers"),
        ("wavelength_nm,n,k\n400,2\n500,2,0\n", "line 2: no three numbers"),
        ("wavelength_nm,n,k\n400,0,0\n500,2,nan\n", "line 3: n = 2, k = nan"),
        ("wavelength_nm,n,k\n400,2,0\n400,2,0\n", "line 3: 400 nm a second time"),
        ("wavelength_nm,n,k\n0.4,2,0\n0.5,2,0\n", "micrometres or eV"),
        ("wavelength_nm,n,k\n", "0 rows"),
        ("", "no column wavelength_nm, n, k"),
    ],
)
def test_tables_that_cannot_be_used(tmp_path, text, said):
    with pytest.raises(InputError) as error:
        read_optical_constants(written(tmp_path, text))
    assert said in str(error.value)


def test_all_faulty_lines_come_at_once(tmp_path):
    with pytest.raises(InputError) as error:
        read_optical_constants(written(tmp_path, "wavelength_nm,n,k\n400,2,-1\n450,2,-1\n500,2,0\n"))
    assert len(error.value.problems) == 2 and "turn the sign" in str(error.value)
