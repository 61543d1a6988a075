"""Atomic writing: a file either has its old content or all of its new content, never a part.

Every file that perolux writes goes through here: a temporary file in the same folder, flushed to the disk,
then renamed over the target.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from perolux.errors import InputError, OutputError

__all__ = [
    "atomic_path",
    "example_path",
    "read_json",
    "read_small_text",
    "sha256_of",
    "whole_folder",
    "write_bytes",
    "write_json",
    "write_text",
]


@contextlib.contextmanager
def atomic_path(target: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `target`; on success it is renamed to `target`, on failure removed.

    Raises `OutputError` where the folder cannot be written or the disk is full.
    """
    target = Path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        os.close(handle)
    except OSError as error:
        raise _output_error(target, error) from error
    temporary = Path(name)
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(target)
    except OSError as error:
        raise _output_error(target, error) from error
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def whole_folder(target: str | Path) -> Iterator[Path]:
    """Give a temporary folder beside `target`, on success renamed to it: it is there whole or not at all.

    A folder that is there already is replaced, and comes back where the rename fails; callers ask before. A
    file is never replaced. Raises `OutputError`.
    """
    target = Path(target)
    if target.is_file():
        raise OutputError(
            "there is a file of that name", where=str(target), fix="name another folder (--out)"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise _output_error(target, error) from error
    old = folder.with_name(folder.name + ".old")
    try:
        yield folder
        folder.chmod(0o777 & ~_umask())
        if target.exists():
            os.replace(target, old)  # noqa: PTH105
        try:
            os.replace(folder, target)  # noqa: PTH105
        except OSError:
            if old.exists():
                os.replace(old, target)  # noqa: PTH105
            raise
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise _output_error(target, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_bytes(target: str | Path, content: bytes) -> Path:
    """Write `content` to `target` atomically and return the path."""
    with atomic_path(target) as temporary:
        temporary.write_bytes(content)
    return Path(target)


def write_text(target: str | Path, content: str) -> Path:
    """Write `content` to `target` as UTF-8, atomically, and return the path.

    What is no text (an undecodable byte of a file name) is written as its code, not lost.
    """
    return write_bytes(target, content.encode("utf-8", errors="backslashreplace"))


def write_json(target: str | Path, content: Any) -> Path:
    """Write `content` as indented JSON, atomically. NaN and infinity are refused: missing is null."""
    return write_text(target, json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def read_small_text(path: str | Path, most_bytes: int, what: str) -> str:
    """The UTF-8 text of a file that a user wrote; `InputError` where it is none, or too large for `what`."""
    path = Path(path)
    try:
        if path.stat().st_size > most_bytes:
            raise InputError(
                f"the file is too large for {what}", where=path.name, allowed=f"{most_bytes // 1_000_000} MB"
            )
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"could not read: {error.strerror or error}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise InputError(f"no UTF-8 text: {error.reason}", where=path.name, fix="save it as UTF-8") from error


def read_json(path: str | Path, most_bytes: int, what: str) -> Any:
    """The content of a JSON file that a user wrote; `InputError` where it is none, or names a key twice."""
    text = read_small_text(path, most_bytes, what)
    where = str(path)
    if not text.strip():
        raise InputError("the file is empty", where=where)

    def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise InputError(f"key {twice!r} stands twice", where=where, fix="keep one of them")
        return found

    try:
        return json.loads(text, object_pairs_hook=each_once)
    except RecursionError:
        raise InputError("not JSON of perolux: brackets nested too deep", where=where) from None
    except ValueError as error:  # a whole number of thousands of digits too
        raise InputError(f"not JSON: {error}", where=where) from None


def sha256_of(path: str | Path) -> str:
    """SHA-256 of a file's bytes as a hexadecimal string."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _output_error(target: Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    return OutputError(
        f"could not write: {reason}",
        where=str(target),
        fix="choose a folder that you may write to (--out FOLDER) and that has room, then start again",
    )


def example_path(name: str) -> Path:
    """Folder of an example set that travels with perolux: "antisolvent", "single_dot", "bh_spc_noise", ...

    In an installed package the examples lie inside it; in a checkout they lie in `examples/` at its root.
    """
    package = Path(__file__).resolve().parent
    for root in (package / "examples", package.parents[1] / "examples"):
        if (root / name).is_dir():
            return root / name
    raise InputError(f"the example {name!r} is not part of this installation", fix="install perolux again")
