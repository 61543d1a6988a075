"""Finished pieces of a long computation in a folder beside its result, so that a killed run continues.

A computation that is cut into pieces asks `Pieces.arrays` for each: a piece that a run before has finished is
read, any other is computed and kept. What is not in a folder (`nothing_kept`) is only computed. Pieces are
numbers by name, read without executing anything; each has a checksum and must have the lengths asked for.

    with pieces_in(folder, question, told=print) as pieces:
        found = pieces.arrays("draw-003", {"rate": 61}, lambda: {"rate": compute(3)})

The question (plain JSON) says what the pieces belong to: a folder of another question is refused. The folder
is removed when the block ends well; after an interruption or a fault it stays.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, OptionError, was_interrupted
from perolux.files import read_small_text, write_json
from perolux.journal import Entry, Journal
from perolux.lock import alone_in, clear_temporaries, names_in

__all__ = ["Pieces", "nothing_kept", "pieces_in"]

Array = npt.NDArray[np.float64]
_QUESTION = "question.json"
_EVERY_S = 2.0
"""Pieces are written together so often: at most so much is computed again after a kill."""
_LATEST_EVERY_S = 15.0
_LARGEST_QUESTION = 10_000_000
_MOST_PENDING = 32_000_000


@dataclass
class _Store:
    journal: Journal
    known: dict[str, Entry]
    told: Callable[[str], None]
    many: int
    pending: list[Entry] = field(default_factory=list)
    size: int = 0
    last: float = field(default_factory=time.monotonic)
    last_latest: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, entry: Entry) -> None:
        with self.lock:
            self.pending.append(entry)
            self.size += sum(one.nbytes for one in entry.arrays.values())
            self.many += 1
            if time.monotonic() - self.last > _EVERY_S or self.size > _MOST_PENDING:
                self.flush()

    def flush(self) -> None:
        if self.pending:
            self.journal.append(self.pending)
            self.pending, self.size = [], 0
        self.last = time.monotonic()


@dataclass(frozen=True)
class Pieces:
    """Where finished pieces are kept, and the name under which those of this part are. Threads may share
    it."""

    _store: _Store | None = None
    _within: str = ""

    def part(self, name: str) -> Pieces:
        """The same for a part of the work, whose names have `name` before them."""
        return self if self._store is None else Pieces(self._store, f"{self._within}{name}/")

    def arrays(
        self, name: str, lengths: Mapping[str, int | None], make: Callable[[], dict[str, Array]]
    ) -> dict[str, Array]:
        """The arrays of a piece, one-dimensional: read, or computed by `make` and kept.

        lengths: of each array, None for any; a kept piece that has others is computed again.
        """
        return self.piece(name, lengths, lambda: ({}, make()))[1]

    def piece(
        self,
        name: str,
        lengths: Mapping[str, int | None],
        make: Callable[[], tuple[dict[str, Any], dict[str, Array]]],
        *,
        optional: Mapping[str, int | None] | None = None,
    ) -> tuple[dict[str, Any], dict[str, Array]]:
        """The same with a row of plain JSON beside the arrays. optional: arrays that may be missing."""
        if self._store is None:
            return make()
        store, key = self._store, self._within + name
        # each is asked for once: memory holds what is still to come
        found = store.known.pop(key, None)
        if found is not None:
            if _fits(found.arrays, lengths, optional or {}):
                return found.row, dict(found.arrays)
            store.told(f"the piece {key!r} does not fit and is computed again")
        row, arrays = make()
        store.add(Entry(key, row, {one: np.asarray(values, dtype=float) for one, values in arrays.items()}))
        return row, arrays

    def stands(self, name: str, lengths: Mapping[str, int | None]) -> dict[str, Array] | None:
        """Where a long step stood when it was last kept by `keep_standing`, None at its beginning."""
        if self._store is None:
            return None
        found = self._store.known.get(self._within + name)
        return dict(found.arrays) if found is not None and _fits(found.arrays, lengths, {}) else None

    def keep_standing(self, name: str, arrays: dict[str, Array]) -> None:
        """Keep where a long step stands, at most every 15 s; only the last one of all steps is kept."""
        store = self._store
        if store is None or time.monotonic() - store.last_latest < _LATEST_EVERY_S:
            return
        with store.lock:
            entry = Entry(self._within + name, {}, {one: values.copy() for one, values in arrays.items()})
            store.journal.replace_latest(entry)
            store.many += 1
            store.last_latest = time.monotonic()

    def tell(self, total: int | None = None, last: str = "") -> None:
        """Say how much a run before has done. total: of the pieces whose name ends in `last`; the others are
        parts of them."""
        if self._store is None or not self._store.known:
            return
        known = list(self._store.known)
        whole = [one for one in known if one.rpartition("/")[2] == last]
        if total is None:
            text = f"{_pieces(len(known))} done"
        else:
            text = f"{len(whole)} of {total} pieces were done"
            parts = len(known) - len(whole)
            text += f", and {parts} of the steps around them" if parts else ""
        self._store.told(f"continues: {text} ({self._store.journal.folder})")


nothing_kept = Pieces()


@contextlib.contextmanager
def pieces_in(
    folder: Path, question: dict[str, Any], *, told: Callable[[str], None] = lambda text: None
) -> Iterator[Pieces]:
    """Pieces in a folder, for one process at a time; the folder is gone after the block has ended well.

    question: plain JSON, what the numbers depend on. told: takes messages. Raises `OptionError` for a folder
    with pieces of another question or with something else, `OutputError` where it cannot be written.
    `KeyboardInterrupt` says how to continue.
    """
    question = json.loads(json.dumps(question))
    digest = hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
    _refuse_another(folder, question)
    with alone_in(folder):
        clear_temporaries(folder)
        if not (folder / _QUESTION).is_file():
            write_json(folder / _QUESTION, question)
        journal = Journal(folder, digest)
        known, spoiled = journal.looked_through()
        if spoiled:
            told(f"damaged: {_pieces(spoiled)} kept in {folder}, computed again")
        store = _Store(journal, known, told, len(known))
        try:
            yield Pieces(store)
        except BaseException as error:
            many = _kept(store)
            if not (many and isinstance(error, KeyboardInterrupt | SystemError) and was_interrupted(error)):
                raise
            raise KeyboardInterrupt(
                f"interrupted: what was finished is kept in {folder}; start the same command again, it "
                "continues there"
            ) from None
        else:
            _remove(folder)


def _pieces(many: int) -> str:
    return "1 piece" if many == 1 else f"{many} pieces"


def _kept(store: _Store) -> int:
    """Write what is pending; the number of pieces on the disk. A folder without any is emptied."""
    with store.lock:
        store.flush()
        many = store.many
    if not many:
        _remove(store.journal.folder)
    return many


def _remove(folder: Path) -> None:
    """Remove our own files; `alone_in` removes its lock and then the empty folder."""
    for file in folder.iterdir():
        if _is_ours(file.name):
            file.unlink(missing_ok=True)


def _is_ours(name: str) -> bool:
    return (
        name in (_QUESTION, "latest.jsonl")
        or (name.startswith("batch-") and name.endswith(".jsonl"))
        or (name.startswith(".") and name.endswith(".part"))
    )


def _fits(
    arrays: Mapping[str, Array], lengths: Mapping[str, int | None], optional: Mapping[str, int | None]
) -> bool:
    every = {**lengths, **optional}
    if not set(lengths) <= set(arrays) <= set(every):
        return False
    return all(every[name] in (None, len(values)) for name, values in arrays.items())


def _refuse_another(folder: Path, question: dict[str, Any]) -> None:
    """Raise `OptionError` where a folder holds pieces of another question, or something else."""
    names = names_in(folder)
    foreign = [name for name in names if not _is_ours(name) and name != ".lock"]
    kept = [name for name in names if _is_ours(name) and not name.startswith(".")]
    if foreign or (kept and _QUESTION not in names):
        raise OptionError(
            f"the folder is not empty and holds no interrupted run: {(foreign or kept)[0]!r}",
            where=str(folder),
            fix="name another folder, or move this one away",
        )
    if _QUESTION not in names:
        return
    try:
        known = json.loads(read_small_text(folder / _QUESTION, _LARGEST_QUESTION, "question"))
        other = [name for name in {**known, **question} if known.get(name) != question.get(name)]
    except (InputError, ValueError, TypeError, AttributeError):
        other = ["question (question.json is damaged)"]
    if other:
        raise OptionError(
            f"the folder holds an interrupted run of another {', another '.join(other)}",
            where=str(folder),
            fix="remove the folder to begin anew, name another one, or run what was interrupted",
        )
