"""`characterise`: a study in, a run folder out; interrupted anywhere, it continues when started again."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from perolux import __version__
from perolux.errors import InputError, OptionError
from perolux.files import write_json, write_text
from perolux.journal import Entry, Journal
from perolux.lock import alone_in, clear_temporaries, names_in
from perolux.progress import Progress, silent
from perolux.studies.columns import all_columns
from perolux.studies.conditions import prior_of, temperature_of
from perolux.studies.flags import REMARKS
from perolux.studies.join import Gathered, Sample, gather
from perolux.studies.outputs import Finished, write_curves, write_tables
from perolux.studies.record import run_record, values_of
from perolux.studies.run import Run, library_versions
from perolux.studies.sample import Conditions, characterise_sample, key_of
from perolux.studies.study import Study, load_study

__all__ = ["characterise", "default_folder"]

_BATCH = 20
"""Samples that are written to the journal together; at most so many are computed again after a kill."""


def characterise(
    study: Study | str | Path,
    out: str | Path | None = None,
    progress: Progress = silent,
    workers: int = 1,
    restart: bool = False,
) -> Run:
    """Characterise every spectrum of a study and write the run folder with the report.

    study: a `Study`, or the path of a study file (or of a folder with a `study.toml`).
    out: the run folder; `runs/NAME-DIGEST` in the current folder when not given, where DIGEST are the first
    eight digits of the checksum over settings, inputs and program version, so that equal studies meet in
    the same folder and changed ones never do.
    workers: processes that share the samples; the results do not depend on it.
    restart: compute everything again, even where a finished or interrupted run of the same study exists.

    A finished run of the same study is returned as it is. An interrupted one continues with the samples
    that are missing. Spectra that fail are rows with a reason; recipes without spectrum and spectra without
    recipe are rows with a flag.

    Raises `InputError` for a study that is wrong or has no spectrum that can be read, `OptionError` where
    `out` holds something else, `OutputError` where it cannot be written. On Ctrl-C the finished samples are
    kept and `KeyboardInterrupt` says how to continue.
    """
    if workers < 1:
        raise OptionError(f"{workers} workers", allowed="1 or more")
    started = time.monotonic()
    study = study if isinstance(study, Study) else load_study(study)
    digest = study.digest(f"perolux {__version__}", "characterise 1")
    folder = Path(out) if out is not None else default_folder(study, digest)
    finished = None if restart and _holds_a_run(folder) else _finished_run(folder, digest)
    if finished is not None:
        return finished
    journal = Journal(folder / "journal", digest)
    with alone_in(folder):
        try:
            return _worked(study, folder, journal, progress, workers, restart, started)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"interrupted: {len(journal.read())} finished samples are kept in {folder}; "
                "start the same command again, it continues there"
            ) from None


def _worked(
    study: Study,
    folder: Path,
    journal: Journal,
    progress: Progress,
    workers: int,
    restart: bool,
    started: float,
) -> Run:
    if restart:
        journal.remove()
    clear_temporaries(folder)
    gathered = gather(study)
    _refuse_nothing(gathered)
    known = journal.begin()
    conditions = Conditions(
        study.spec.conditions.material,
        temperature_of(study.spec.conditions),
        prior_of(study.spec) if study.spec.conditions.material else None,
        tuple(study.spec.reduction.model_dump(exclude={"air_to_vacuum"}).items()),
        _absorption_options(study),
    )
    entries = _all_entries(gathered.samples, conditions, journal, known, progress, workers)
    run = _finish(study, journal.digest, folder, gathered, entries, progress, time.monotonic() - started)
    journal.remove()
    return run


def _absorption_options(study: Study) -> tuple[tuple[str, Any], ...]:
    block = study.spec.absorption
    return () if block is None else (("near_nm", block.near_nm), ("window_nm", block.window_nm))


def default_folder(study: Study, digest: str) -> Path:
    """`runs/NAME-DIGEST` in the current folder, NAME with only letters, digits, dot, dash and underscore."""
    slug = re.sub(r"[^\w.-]+", "-", study.spec.study.name, flags=re.ASCII).strip("-.") or "study"
    return Path("runs") / f"{slug[:60]}-{digest[:8]}"


_ARTIFACTS = ("results.csv", "results.parquet", "results.json", "spectra.nc", "report.html")
"""Files without which a run folder is not whole."""


def _finished_run(folder: Path, digest: str) -> Run | None:
    """The finished run of the same study, None for a folder that is free or interrupted, else refused."""
    names = names_in(folder)
    if (folder / "run.json").exists():
        run = Run.open(folder)
        if run.digest == digest:
            lost = [name for name in _ARTIFACTS if not (folder / name).is_file()]
            if lost:
                raise OptionError(
                    f"the folder holds the finished run of this study, but {', '.join(lost)} is missing",
                    where=str(folder),
                    fix="start again with --restart (restart=True), or give another --out",
                )
            return run
        raise OptionError(
            "the folder holds a finished run of other inputs, settings or program version",
            where=str(folder),
            fix="give another --out, or remove the folder",
        )
    foreign = [name for name in names if not _is_ours(name)]
    if foreign:
        raise OptionError(
            f"the folder is not empty and is no run: it holds {foreign[0]!r}",
            where=str(folder),
            fix="give a new folder",
        )
    return None


def _holds_a_run(folder: Path) -> bool:
    """True where the folder has a `run.json`, whole or damaged: what a restart may write over."""
    return (folder / "run.json").is_file()


def _is_ours(name: str) -> bool:
    ours = {"journal", "figures", "report.html", "spectra.nc", "README.txt", ".lock"}
    return name in ours or name.startswith("results.") or (name.startswith(".") and name.endswith(".part"))


_README = """A finished run of perolux. Everything here can be read without perolux.

report.html      open it in a browser; it needs no network
results.csv      one row per sample; units in the column names; an empty cell is missing (see `reasons`)
results.parquet  the same rows with types; results.json: the same with nested results
spectra.nc       netCDF: recorded, baseline-corrected and fitted curves, posteriors of the edge length
figures/         figures for publication
run.json         inputs with SHA-256, settings, versions, meaning of every column and flag, and every
                 number that the results rest on, with its source
"""


def _refuse_nothing(gathered: Gathered) -> None:
    if any(sample.spectrum is not None for sample in gathered.samples):
        return
    problems = [
        replace(problem, where=f"{file}: {problem.where}" if problem.where else file)
        for file, found in gathered.unreadable
        for problem in found
    ]
    if problems:
        raise InputError(problems)
    raise OptionError("the study has no spectrum", where="[spectra] files")


def _all_entries(
    samples: Sequence[Sample],
    conditions: Conditions,
    journal: Journal,
    known: dict[str, Entry],
    progress: Progress,
    workers: int,
) -> dict[str, Entry]:
    entries = {key_of(sample): known[key_of(sample)] for sample in samples if key_of(sample) in known}
    missing = [sample for sample in samples if key_of(sample) not in entries]
    progress.start("samples", len(samples))
    progress.advance(len(entries))
    try:
        for batch in _computed(missing, conditions, workers, journal):
            entries |= {entry.key: entry for entry in batch}
            progress.advance(len(batch))
    finally:
        progress.finish()
    return entries


def _computed(
    samples: list[Sample], conditions: Conditions, workers: int, journal: Journal
) -> Iterator[list[Entry]]:
    """Batches of finished samples, each in the journal before it is handed on."""
    batches = [samples[start : start + _BATCH] for start in range(0, len(samples), _BATCH)]
    if workers == 1 or len(batches) < 2:
        for batch in batches:
            done: list[Entry] = []
            try:
                for sample in batch:
                    done.append(characterise_sample(sample, conditions))
            finally:
                journal.append(done)
            yield done
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed

    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(batches)), mp_context=context) as pool:
        try:
            for future in as_completed([pool.submit(_batch, batch, conditions) for batch in batches]):
                entries = future.result()
                journal.append(entries)
                yield entries
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _batch(samples: list[Sample], conditions: Conditions) -> list[Entry]:
    return [characterise_sample(sample, conditions) for sample in samples]


def _finish(
    study: Study,
    digest: str,
    folder: Path,
    gathered: Gathered,
    entries: dict[str, Entry],
    progress: Progress,
    seconds: float,
) -> Run:
    """Write all files of the run; `run.json` last, because it is what says that the run is finished."""
    from perolux.reports import write_figures, write_report
    from perolux.reports.words import summary_of
    from perolux.studies.report import report_content

    progress.start("report", 4)
    try:
        finished = [_finished(sample, entries[key_of(sample)]) for sample in gathered.samples]
        rows = [one.row for one in finished]
        values = values_of(study, [entries[key_of(sample)] for sample in gathered.samples])
        sets = _set_names(rows)
        columns = all_columns(
            gathered.variables,
            sets,
            absorption=study.spec.absorption is not None,
            composition=any("halide_fraction_median" in row for row in rows),
        )
        csv = write_tables(folder, rows, columns)
        progress.advance()
        write_curves(folder, finished)
        progress.advance()
        now = datetime.now(UTC).replace(microsecond=0)
        content = report_content(study, gathered, finished, values, csv, now)
        figures = write_figures(content, folder / "figures", study.spec.report.figures)
        progress.advance()
        write_report(
            replace(content, figures=tuple(f"figures/{name}" for name in figures)), folder / "report.html"
        )
        write_text(folder / "README.txt", _README)
        record = run_record(
            study,
            digest,
            gathered,
            rows,
            values,
            columns,
            summary=summary_of(content).lead,
            seconds=seconds,
            now=now,
            versions=library_versions(),
        )
        write_json(folder / "run.json", record)
        progress.advance()
    finally:
        progress.finish()
    return Run.open(folder)


def _finished(sample: Sample, entry: Entry) -> Finished:
    row: dict[str, Any] = dict(entry.row)
    row["status"] = _status(row)
    return Finished(row, entry.arrays, sample.spectrum, sample.absorption)


def _status(row: dict[str, Any]) -> str:
    for flag, status in (("no-spectrum", "no-spectrum"), ("failed", "failed"), ("program-error", "failed")):
        if flag in row["flags"]:
            return status
    if row["file"] is None:
        return "flagged"  # an absorption spectrum alone
    if row.get("peak_ev") is None:
        return "failed"
    return "flagged" if set(row["flags"]) - REMARKS else "ok"


def _set_names(rows: Sequence[dict[str, Any]]) -> list[str]:
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys((row.get("size") or {}).get("sets", {})))
    return list(names)
