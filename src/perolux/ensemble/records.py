"""Ensembles as labelled xarray datasets and as Parquet files; both round trips are exact, bit by bit.

A Parquet file holds one column for each array and, in its schema metadata under `perolux.ensemble`, a JSON
text with the format version, the meaning of the lengths and everything that is not an array. Reading checks
the size, the magic bytes, the columns and their types before a row is read, and never executes anything.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from perolux.ensemble.ensemble import MAX_CRYSTALS, Ensemble, SurfaceColumn, as_input_error
from perolux.errors import InputError, OptionError
from perolux.files import atomic_path

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["FORMAT_VERSION", "from_xarray", "read_parquet", "to_xarray", "write_parquet"]

FORMAT_VERSION = 1
LENGTHS = "core lengths in nm, both outer half cells included"
_KEY = "perolux.ensemble"
_MAX_BYTES = 1_000_000_000
_MAX_TEXT = 200
_REQUIRED = ("weights", "edge_a_nm", "edge_b_nm", "edge_c_nm", "shape", "material", "phase")
_OPTIONAL = ("partner_material", "halide_fraction", "monolayers")
_TEXT = ("shape", "material", "phase", "partner_material")
_UNITS = {
    "weights": "1",
    "edge_a_nm": "nm",
    "edge_b_nm": "nm",
    "edge_c_nm": "nm",
    "halide_fraction": "1",
    "monolayers": "1",
}


@dataclass(frozen=True)
class _Header:
    """Everything of an ensemble that is not an array."""

    version: int
    lengths: str
    given_as: tuple[str, ...]
    number_per_litre: float | None
    surface: tuple[tuple[str, str, str], ...]
    notes: tuple[str, ...]

    def text(self) -> str:
        # repr of a float, which json uses, is exact
        return json.dumps(asdict(self), allow_nan=False, ensure_ascii=False)


def to_xarray(ensemble: Ensemble) -> xr.Dataset:
    """The ensemble as a dataset along the dimension "crystal", with unit attributes; the inverse is exact."""
    import xarray as xr

    surface = {f"surface.{column.name}": column for column in ensemble.surface}
    variables: dict[str, Any] = {}
    for name, array in ensemble.columns().items():
        if name in surface:
            attributes = {"units": surface[name].unit, "long_name": surface[name].meaning}
        else:
            attributes = {"units": _UNITS[name]} if name in _UNITS else {}
        variables[name] = ("crystal", np.array(array), attributes)
    return xr.Dataset(variables, attrs={_KEY: _header(ensemble).text(), "lengths": LENGTHS})


def from_xarray(dataset: xr.Dataset) -> Ensemble:
    """The ensemble of a dataset that `to_xarray` made (also after netCDF); `InputError` for any other."""
    where = "xarray dataset"
    if _KEY not in dataset.attrs:
        raise InputError("this dataset is no ensemble", where=where, fix="make one with to_xarray")
    header = _parse(str(dataset.attrs[_KEY]), where)
    if dataset.sizes.get("crystal", 0) > MAX_CRYSTALS:
        raise InputError("too many rows", where=where, allowed=f"{MAX_CRYSTALS} or fewer")
    _check_columns([str(name) for name in dataset.data_vars], header, where)
    return _assemble({str(name): dataset[name].values for name in dataset.data_vars}, header, where)


def write_parquet(ensemble: Ensemble, path: str | Path) -> Path:
    """Write the ensemble to a Parquet file, atomically, and return the path."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {}
    for name, array in ensemble.columns().items():
        if name in _TEXT:
            values, index = np.unique(array, return_inverse=True)
            columns[name] = pa.DictionaryArray.from_arrays(
                pa.array(index, pa.int32()), pa.array(values.tolist(), pa.string())
            )
        else:
            columns[name] = pa.array(np.ascontiguousarray(array))
    table = pa.table(columns).replace_schema_metadata({_KEY: _header(ensemble).text()})
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)
    return Path(path)


def read_parquet(path: str | Path) -> Ensemble:
    """The ensemble of a Parquet file that `write_parquet` made, bit by bit.

    Raises `InputError` where the file is missing, too large (1 GB, 5 million rows), damaged, no ensemble, or
    of a newer format.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path, where = Path(path), str(path)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise InputError(f"could not read: {error.strerror or error}", where=where) from error
    if head != b"PAR1":
        raise InputError("this is no Parquet file", where=where, allowed="a file written by write_parquet")
    if size > _MAX_BYTES:
        raise InputError(f"the file has {size} bytes", where=where, allowed=f"{_MAX_BYTES} or fewer")
    try:
        # the limits bound what a damaged footer can make the reader allocate
        with pq.ParquetFile(
            path,
            thrift_string_size_limit=10_000_000,
            thrift_container_size_limit=1_000_000,
            page_checksum_verification=True,
        ) as file:
            metadata = file.metadata.metadata or {}
            if _KEY.encode() not in metadata:
                raise InputError("this Parquet file is no ensemble", where=where)
            header = _parse(metadata[_KEY.encode()].decode("utf-8", "replace"), where)
            rows = file.metadata.num_rows
            groups = range(file.metadata.num_row_groups)
            unpacked = sum(file.metadata.row_group(i).total_byte_size for i in groups)
            if not 1 <= rows <= MAX_CRYSTALS or unpacked > _MAX_BYTES:
                raise InputError(
                    f"{rows} rows in {unpacked} bytes", where=where, allowed=f"1 to {MAX_CRYSTALS} rows"
                )
            schema = file.schema_arrow
            _check_columns(schema.names, header, where)
            _check_types(schema, where)
            table = file.read(use_threads=False)
            table.validate(full=True)  # a damaged index would point outside its dictionary
        arrays = {name: _plain(table.column(name), name, where) for name in table.column_names}
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InputError(f"the Parquet file is damaged: {_first_line(error)}", where=where) from error
    return _assemble(arrays, header, where)


def _header(ensemble: Ensemble) -> _Header:
    return _Header(
        version=FORMAT_VERSION,
        lengths=LENGTHS,
        given_as=ensemble.given_as,
        number_per_litre=ensemble.number_per_litre,
        surface=tuple((column.name, column.unit, column.meaning) for column in ensemble.surface),
        notes=ensemble.notes,
    )


def _parse(text: str, where: str) -> _Header:
    try:
        found = json.loads(text)
        version = found["version"]
        if not isinstance(version, int) or version > FORMAT_VERSION or version < 1:
            raise InputError(
                f"format version {version}",
                where=where,
                allowed=f"1 to {FORMAT_VERSION}",
                fix="install a newer perolux",
            )
        number = found["number_per_litre"]
        header = _Header(
            version=version,
            lengths=str(found["lengths"]),
            given_as=tuple(str(name) for name in found["given_as"]),
            number_per_litre=None if number is None else float(number),
            surface=tuple((str(name), str(unit), str(meaning)) for name, unit, meaning in found["surface"]),
            notes=tuple(str(note) for note in found["notes"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError("the description of the ensemble is damaged", where=where) from error
    if header.lengths != LENGTHS:
        raise InputError(f"the lengths are {header.lengths!r}", where=where, allowed=LENGTHS)
    return header


def _check_columns(names: list[str], header: _Header, where: str) -> None:
    expected = {*_REQUIRED, *(f"surface.{name}" for name, _, _ in header.surface)}
    missing, unknown = expected - set(names), set(names) - expected - set(_OPTIONAL)
    if missing or unknown or len(set(names)) != len(names):
        told = [f"missing {', '.join(sorted(missing))}"] if missing else []
        told += [f"unknown {', '.join(sorted(unknown))}"] if unknown else []
        raise InputError(f"the columns do not fit: {'; '.join(told) or 'a name occurs twice'}", where=where)


def _check_types(schema: Any, where: str) -> None:
    import pyarrow as pa

    for field in schema:
        if field.name in _TEXT:
            good = pa.types.is_dictionary(field.type) and pa.types.is_string(field.type.value_type)
        elif field.name == "monolayers":
            good = pa.types.is_int64(field.type)
        else:
            good = pa.types.is_float64(field.type)
        if not good:
            raise InputError(f"column {field.name} has type {field.type}", where=where)


def _plain(column: Any, name: str, where: str) -> npt.NDArray[Any]:
    """One Arrow column as a numpy array; text through its dictionary, so that no long text is multiplied."""
    if column.null_count:
        raise InputError(f"column {name} has missing entries", where=where)
    if name not in _TEXT:
        values: npt.NDArray[Any] = column.to_numpy()
        return np.array(values)
    whole = column.unify_dictionaries().combine_chunks()
    chunk = whole.chunk(0) if hasattr(whole, "chunk") else whole
    words = chunk.dictionary.to_pylist()
    if any(word is None or len(word) > _MAX_TEXT for word in words):
        raise InputError(f"column {name} has an entry of more than {_MAX_TEXT} characters", where=where)
    return np.array(words, dtype=np.str_)[chunk.indices.to_numpy()]


def _assemble(arrays: dict[str, npt.NDArray[Any]], header: _Header, where: str) -> Ensemble:
    # netCDF gives text back as objects
    arrays = {n: a.astype(np.str_) if n in _TEXT and a.dtype.kind != "U" else a for n, a in arrays.items()}
    surface = tuple(
        SurfaceColumn(name, arrays.pop(f"surface.{name}"), unit, meaning)
        for name, unit, meaning in header.surface
    )
    try:
        return Ensemble(
            **arrays,
            given_as=header.given_as,
            number_per_litre=header.number_per_litre,
            surface=surface,
            notes=header.notes,
        )
    except OptionError as error:
        raise as_input_error(error, where) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
