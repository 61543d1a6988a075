"""The journal of a run in progress: finished samples on the disk, so that an interrupted run continues.

Each batch is one file of JSON lines, written atomically; a batch is there whole or not at all. A line holds
the sample's key (which names its input), its row of results, its arrays (base64 of little-endian float64)
and a checksum. `latest.jsonl` holds one entry that is written over: where a long step stands. The first file
names the digest of the run; a journal of other inputs is never continued.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.files import write_text

__all__ = ["Entry", "Journal"]

_FIRST, _LATEST = "digest.json", "latest.jsonl"
_LARGEST_FILE = 512_000_000
_CHECK, _MEMBER = 16, ', "sha256": "'


@dataclass(frozen=True)
class Entry:
    """What is known of one finished sample: its row (plain JSON) and its arrays by name."""

    key: str
    row: dict[str, Any]
    arrays: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    values: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Journal:
    """The journal folder of one run; `digest` names the inputs and settings it belongs to."""

    folder: Path
    digest: str

    def begin(self) -> dict[str, Entry]:
        """Start, or continue: the finished samples by key. A journal of another digest is emptied."""
        if self._digest_on_disk() != self.digest:
            self.remove()
        write_text(self.folder / _FIRST, json.dumps({"digest": self.digest}) + "\n")
        return self.read()

    def read(self) -> dict[str, Entry]:
        """The finished samples on the disk by key."""
        return self.looked_through()[0]

    def looked_through(self) -> tuple[dict[str, Entry], int]:
        """The finished samples on the disk by key, and how many lines or files are spoiled."""
        entries: dict[str, Entry] = {}
        spoiled = 0
        for file in [*self._batches(), self.folder / _LATEST]:
            try:
                if file.stat().st_size > _LARGEST_FILE:
                    spoiled += 1
                    continue
                lines = file.read_text("utf-8").splitlines()
            except FileNotFoundError:
                continue
            except UnicodeDecodeError:
                spoiled += 1
                continue
            for line in lines:
                entry = _entry_of(line)
                if entry is not None:
                    entries[entry.key] = entry
                else:
                    spoiled += 1
        return entries, spoiled

    def append(self, entries: Iterable[Entry]) -> None:
        """Write a batch of finished samples atomically as one new file."""
        lines = [_line_of(entry) for entry in entries]
        if lines:
            numbers = [int(file.stem.removeprefix("batch-")) for file in self._batches()]
            name = f"batch-{max(numbers, default=0) + 1:06d}.jsonl"
            write_text(self.folder / name, "\n".join(lines) + "\n")

    def replace_latest(self, entry: Entry) -> None:
        """Write the one entry that says where a long step stands over the one before, atomically."""
        write_text(self.folder / _LATEST, _line_of(entry) + "\n")

    def remove(self) -> None:
        """Delete the journal, half-written temporaries of a killed process included."""
        if self.folder.is_dir():
            for file in self.folder.iterdir():
                file.unlink()
            self.folder.rmdir()

    def _batches(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(file for file in self.folder.glob("batch-*.jsonl") if file.stem[6:].isdigit())

    def _digest_on_disk(self) -> str | None:
        try:
            content = json.loads((self.folder / _FIRST).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return content.get("digest") if isinstance(content, dict) else None


def _line_of(entry: Entry) -> str:
    arrays = {
        name: base64.b64encode(np.ascontiguousarray(array, dtype="<f8").tobytes()).decode("ascii")
        for name, array in entry.arrays.items()
    }
    content = {"key": entry.key, "row": entry.row, "arrays": arrays, "values": list(entry.values)}
    text = json.dumps(content, allow_nan=False, ensure_ascii=True)
    # one more member, so that a line stays a JSON object
    return f'{text[:-1]}{_MEMBER}{_check(text)}"}}'


def _check(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_CHECK]


def _entry_of(line: str) -> Entry | None:
    """The entry of one line; None for a line that is not one, which is then computed again."""
    text, _, check = line.rpartition(_MEMBER)
    try:
        if check != f'{_check(text + "}")}"}}':
            return None
        content = json.loads(line)
        arrays = {
            name: np.frombuffer(base64.b64decode(text), dtype="<f8")
            for name, text in content["arrays"].items()
        }
        return Entry(content["key"], content["row"], arrays, tuple(content["values"]))
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        return None
