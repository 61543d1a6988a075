"""One process at a time works in a folder of results."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from perolux.errors import OutputError

__all__ = ["alone_in", "cannot_write", "clear_temporaries", "names_in"]


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold the folder for one process; the hold ends with the process, however it ends."""
    lock = folder / ".lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = lock.open("w")
    except OSError as error:
        raise cannot_write(folder, error) from error
    with handle:
        try:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # Windows: the rename of each file is still atomic
            pass
        except OSError as error:
            raise OutputError(
                "another process works in this folder",
                where=str(folder),
                fix="wait until it is done, or give another --out",
            ) from error
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # an empty folder is nothing to keep
                folder.rmdir()


def names_in(folder: Path) -> list[str]:
    """What lies in a folder that results are to go to, sorted; nothing where there is none yet.

    Raises `OutputError` for a file of that name, or a folder that cannot be read.
    """
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise cannot_write(folder, error) from error


def cannot_write(folder: Path, error: OSError) -> OutputError:
    """The error of a folder that cannot be written."""
    return OutputError(
        f"could not write: {error.strerror or error}",
        where=str(folder),
        fix="choose a folder that you may write to (--out FOLDER)",
    )


def clear_temporaries(folder: Path) -> None:
    """Remove what a killed process left half-written (hidden `.NAME.xxx.part` files)."""
    for file in [*folder.glob(".*.part"), *folder.glob("*/.*.part")]:
        file.unlink(missing_ok=True)
