"""Writing the tables and curves of a run: csv, Parquet, JSON, netCDF; made in memory, written atomically."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.files import write_bytes, write_json, write_text
from perolux.measured.records import Spectrum
from perolux.studies.columns import Column, flat_row

__all__ = ["Finished", "csv_text", "write_curves", "write_tables"]


@dataclass(frozen=True)
class Finished:
    """One finished sample: its row, its curves, and the spectra they belong to (both None: recipe alone)."""

    row: dict[str, Any]
    arrays: dict[str, npt.NDArray[np.float64]]
    spectrum: Spectrum | None
    absorption: Spectrum | None = None


def csv_text(rows: Sequence[dict[str, Any]], columns: Sequence[Column]) -> str:
    """Rows as csv with the column names (units in the names) as header; missing is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in columns])
    for row in rows:
        writer.writerow([_cell(value) for value in flat_row(row, columns).values()])
    return out.getvalue()


def write_tables(folder: Path, rows: Sequence[dict[str, Any]], columns: Sequence[Column]) -> str:
    """Write results.csv, results.parquet and results.json (the same rows) and return the csv text."""
    text = csv_text(rows, columns)
    write_text(folder / "results.csv", text)
    write_bytes(folder / "results.parquet", _parquet(rows, columns))
    write_json(folder / "results.json", list(rows))
    return text


def write_curves(folder: Path, finished: Sequence[Finished]) -> None:
    """Write spectra.nc: recorded, baseline-corrected and fitted curves, absorbances, and the size posteriors.

    Spectra that share a wavelength grid form one block of variables; the blocks are numbered. Missing
    curves (no fit) are NaN there, the fill value of netCDF; tables hold no NaN.
    """
    import xarray as xr

    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {}
    grids: dict[bytes, list[Finished]] = {}
    for one in finished:
        if one.spectrum is not None:
            grids.setdefault(one.spectrum.wavelength_nm.tobytes(), []).append(one)
    for number, members in enumerate(grids.values()):
        spectra = [one.spectrum for one in members if one.spectrum is not None]
        dims = (f"sample_{number}", f"wavelength_{number}")
        coordinates[dims[0]] = (dims[0], [one.row["label"] for one in members], {"long_name": "sample"})
        coordinates[dims[1]] = (
            dims[1],
            spectra[0].wavelength_nm,
            {"units": "nm", "long_name": "wavelength", "medium": spectra[0].medium},
        )
        recorded = np.stack([spectrum.values for spectrum in spectra])
        baseline = np.stack([_baseline(one, recorded.shape[1]) for one in members])
        units = {"units": " or ".join(sorted({spectrum.value_unit for spectrum in spectra}))}
        variables[f"recorded_{number}"] = (dims, recorded, {**units, "long_name": "as recorded"})
        variables[f"corrected_{number}"] = (
            dims,
            recorded - baseline,
            {**units, "long_name": "recorded minus baseline, no Jacobian"},
        )
        fitted = np.stack([one.arrays.get("fit", np.full(recorded.shape[1], np.nan)) for one in members])
        variables[f"fit_{number}"] = (
            dims,
            fitted,
            {**units, "long_name": "descriptive line shape with the baseline", "comment": "see line_shape"},
        )
        variables[f"file_{number}"] = (dims[0], [one.row["file"] for one in members], {})
    _add_absorption(finished, variables, coordinates)
    sized = [one for one in finished if "edge_density" in one.arrays]
    if sized:
        coordinates["edge"] = (
            "edge",
            sized[0].arrays["edge_nm"],
            {"units": "nm", "long_name": "edge of a cube"},
        )
        coordinates["sized_sample"] = ("sized_sample", [one.row["label"] for one in sized], {})
        variables["edge_density"] = (
            ("sized_sample", "edge"),
            np.stack([one.arrays["edge_density"] for one in sized]),
            {"units": "nm-1", "long_name": "posterior density of the edge, conditional on cubes"},
        )
    if sized and all("joint_density" in one.arrays for one in sized):
        fractions = sized[0].arrays["halide_fraction"]
        coordinates["halide_fraction"] = (
            "halide_fraction",
            fractions,
            {"units": "1", "long_name": sized[0].row["halide_fraction_name"]},
        )
        variables["joint_density"] = (
            ("sized_sample", "halide_fraction", "edge"),
            np.stack([one.arrays["joint_density"].reshape(len(fractions), -1) for one in sized]),
            {"units": "nm-1", "long_name": "posterior density over halide fraction and edge of a cube"},
        )
    dataset = xr.Dataset(variables, coords=coordinates, attrs={"title": "perolux: spectra and fits of a run"})
    packed = {
        name: {"zlib": True, "complevel": 4}
        for name, variable in dataset.data_vars.items()
        if variable.dtype.kind == "f" and variable.ndim >= 2
    }
    content = dataset.to_netcdf(engine="h5netcdf", encoding=packed)
    write_bytes(folder / "spectra.nc", bytes(content))


def _add_absorption(
    finished: Sequence[Finished], variables: dict[str, Any], coordinates: dict[str, Any]
) -> None:
    """Absorbances as recorded and the scattering fitted below the gap, a block for each wavelength grid."""
    grids: dict[bytes, list[tuple[Finished, Spectrum]]] = {}
    for one in finished:
        if one.absorption is not None:
            grids.setdefault(one.absorption.wavelength_nm.tobytes(), []).append((one, one.absorption))
    for number, members in enumerate(grids.values()):
        first = members[0][1]
        dims = (f"absorption_sample_{number}", f"absorption_wavelength_{number}")
        coordinates[dims[0]] = (dims[0], [one.row["label"] for one, _ in members], {"long_name": "sample"})
        coordinates[dims[1]] = (
            dims[1],
            first.wavelength_nm,
            {"units": "nm", "long_name": "wavelength", "medium": first.medium},
        )
        variables[f"absorbance_{number}"] = (
            dims,
            np.stack([spectrum.values for _, spectrum in members]),
            {"units": "1", "long_name": "decadic absorbance as recorded"},
        )
        nothing = np.full(len(first), np.nan)
        variables[f"absorption_scatter_{number}"] = (
            dims,
            np.stack([one.arrays.get("scatter", nothing) for one, _ in members]),
            {"units": "1", "long_name": "scattering fitted below the gap, extrapolated to the blue"},
        )
        files = [one.row["absorption_file"] for one, _ in members]
        variables[f"absorption_file_{number}"] = (dims[0], files, {})


def _baseline(one: Finished, points: int) -> npt.NDArray[np.float64]:
    return one.arrays.get("baseline", np.full(points, one.row.get("baseline_counts") or 0.0))


def _parquet(rows: Sequence[dict[str, Any]], columns: Sequence[Column]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    flat = [flat_row(row, columns) for row in rows]
    fields = []
    for column in columns:
        kind = pa.float64() if column.kind == "number" else pa.string()
        metadata = {"unit": column.unit, "meaning": column.meaning}
        fields.append(pa.field(column.name, kind, metadata=metadata))
    arrays = [
        pa.array([_plain(row[field.name], field.type == pa.string()) for row in flat], type=field.type)
        for field in fields
    ]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, schema=pa.schema(fields)), buffer)
    return buffer.getvalue()


def _plain(value: Any, text: bool) -> Any:
    if value is None:
        return None
    return str(value) if text else float(value)


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    return f"{value:.10g}" if isinstance(value, float) else value
