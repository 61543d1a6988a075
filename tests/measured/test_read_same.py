"""Check R5: the same spectrum saved in another way is the same record, number by number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perolux.measured.reading import read_bytes

NAMES = ("30 s", "90 s", "sample 7")


def saved(axis, columns, delimiter, decimal, encoding, descending, end, names=NAMES):
    rows = [[repr(float(x)), *(repr(float(column[k])) for column in columns)] for k, x in enumerate(axis)]
    if descending:
        rows.reverse()
    body = [delimiter.join(cell.replace(".", decimal) for cell in row) for row in rows]
    return (end.join([delimiter.join(["Wavelength (nm)", *names]), *body]) + end).encode(encoding)


WAYS = [
    (delimiter, decimal, encoding, descending, end)
    for delimiter, decimal in ((",", "."), (";", "."), (";", ","), ("\t", "."), ("\t", ","))
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")
    for descending in (False, True)
    for end in ("\n", "\r\n")
]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_of_saving_gives_the_same_record(way):
    axis = np.linspace(420, 620, 41) + 0.013 * np.sin(np.arange(41))
    columns = [1e4 * np.exp(-(((axis - 510 - 5 * k) / 15) ** 2)) - 3.25 for k in range(3)]
    plain = read_bytes(saved(axis, columns, ",", ".", "utf-8", False, "\n"), "a.csv", kind="pl")
    other = read_bytes(saved(axis, columns, *way), "a.csv", kind="pl")
    assert other.labels == plain.labels == NAMES
    for one, two in zip(plain, other, strict=True):
        assert np.array_equal(one.wavelength_nm, two.wavelength_nm)
        assert np.array_equal(one.values, two.values)
        assert (one.kind, one.axis_unit, one.value_unit) == (two.kind, two.axis_unit, two.value_unit)
        assert set(one.flags) ^ set(two.flags) <= {"descending-axis"}


numbers = st.floats(-1e9, 1e9, allow_nan=False, allow_subnormal=False)


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.tuples(numbers, numbers), min_size=5, max_size=30),
    start=st.floats(300, 500),
    step=st.floats(0.05, 5),
    way=st.sampled_from(WAYS),
)
def test_numbers_survive_exactly(values, start, step, way):
    axis = start + step * np.arange(len(values))
    columns = [np.array(column) for column in zip(*values, strict=True)]
    data = saved(axis, columns, *way, names=("a", "b"))
    # With a decimal comma every cell written by repr has a fraction, so only groups of three digits are open.
    spectra = read_bytes(data, "a.csv", decimal=way[1])
    for spectrum, column in zip(spectra, columns, strict=True):
        assert np.array_equal(spectrum.wavelength_nm, axis)
        assert np.array_equal(spectrum.values, column)
