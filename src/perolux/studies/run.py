"""`Run`: a finished computation as a folder that can be read without perolux."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perolux.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Run", "library_versions"]

_LIBRARIES = ("numpy", "scipy", "xarray", "pydantic", "h5netcdf", "pyarrow", "matplotlib", "colour-science")


def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries that results depend on."""
    import platform

    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, its record (`run.json`) and its rows (`results.json`).

    folder/run.json       inputs with checksums, settings, versions, every number the results rest on
    folder/results.csv    one row per sample, units in the column names (also .parquet and .json)
    folder/spectra.nc     recorded, corrected and fitted curves, size posteriors (netCDF)
    folder/report.html    the report, one file
    folder/figures/       publication figures
    """

    folder: Path
    record: dict[str, Any] = field(repr=False)
    rows: tuple[dict[str, Any], ...] = field(repr=False)

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """Open a finished run folder; raises `InputError` where it is none, or is not finished."""
        folder = Path(folder)
        try:
            record = json.loads((folder / "run.json").read_text("utf-8"))
            rows = json.loads((folder / "results.json").read_text("utf-8"))
        except (OSError, ValueError) as error:
            unfinished = (folder / "journal").is_dir()
            what, fix = "this is not a run folder", "give the folder of a run"
            if (folder / "run.json").is_file():
                what, fix = "run.json or results.json is damaged", "start the study again with --restart"
            elif unfinished:
                what, fix = "the run is not finished", "start the same study again, it continues"
            raise InputError(what, where=str(folder), fix=fix) from error
        if not isinstance(record, dict) or not isinstance(rows, list):
            raise InputError("run.json is not one of perolux", where=str(folder))
        return cls(folder, record, tuple(rows))

    @property
    def name(self) -> str:
        """Name of the study."""
        return str(self.record["study"]["study"]["name"])

    @property
    def digest(self) -> str:
        """SHA-256 of settings, inputs and program version: equal digests mean equal results."""
        return str(self.record["digest"])

    @property
    def report(self) -> Path:
        """The report."""
        return self.folder / "report.html"

    @property
    def table(self) -> pd.DataFrame:
        """The rows as a pandas table, one row per sample; missing is NaN there as pandas has it."""
        import pandas as pd

        return pd.read_parquet(self.folder / "results.parquet")

    @property
    def assumed(self) -> tuple[dict[str, Any], ...]:
        """Every `assumed` or `recalled` number that the results rest on."""
        return tuple(value for value in self.record["values"] if value["kind"] in ("assumed", "recalled"))

    def summary(self) -> dict[str, Any]:
        """The run in short, as plain JSON: where it lies, what went in, what came out."""
        return {
            "study": self.name,
            "folder": str(self.folder),
            "report": str(self.report),
            "digest": self.digest,
            "finished": self.record["finished"],
            "seconds": self.record["seconds"],
            "summary": self.record["summary"],
            "counts": self.record["counts"],
            "flags": {flag: entry["samples"] for flag, entry in self.record["flags"].items()},
            "failed_files": self.record["failed_files"],
            "failed_samples": self.record["failed_samples"],
        }

    def lines(self) -> list[str]:
        """The run in short, as lines for a terminal."""
        lines = [self.record["summary"], ""]
        for failed in self.record["failed_files"]:
            lines += [f"not read: {failed['file']}: {problem['what']}" for problem in failed["problems"]]
        for sample in self.record["failed_samples"]:
            lines.append(f"not evaluated: {sample['label']}: {sample['reason']}")
        lines += [f"run folder  {self.folder}", f"report      {self.report.resolve()}"]
        return lines

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __getitem__(self, label: str) -> dict[str, Any]:
        for row in self.rows:
            if row["label"] == label:
                return row
        raise InputError(f"no sample is called {label!r}", where=str(self.folder))

    def __repr__(self) -> str:
        counts = self.record["counts"]
        parts = ", ".join(f"{number} {what}" for what, number in counts.items())
        return f"<Run {self.name!r}: {parts}; report: {self.report}>"
