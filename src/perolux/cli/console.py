"""What every command shares: printing results and errors, exit codes, a progress bar on a terminal."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from perolux.errors import OptionError, PeroluxError, Problem

if TYPE_CHECKING:
    from perolux.progress import Progress

__all__ = ["BUG", "DONE", "INTERRUPTED", "USER_ERROR", "VALIDATION_FAILED"]
__all__ += [
    "number",
    "numbers_of",
    "patiently",
    "print_error",
    "print_json",
    "print_table",
    "seed_of",
    "terminal_progress",
]

T = TypeVar("T")
DONE, BUG, USER_ERROR, VALIDATION_FAILED, INTERRUPTED = 0, 1, 2, 3, 130


def print_json(content: Any) -> None:
    """Print one JSON document to standard output. NaN and infinity are refused: missing is null."""
    sys.stdout.write(json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n")


def print_error(error: PeroluxError, as_json: bool) -> None:
    """Print a user error: a few lines on standard error, or an object on standard output."""
    if as_json:
        print_json({"error": error.as_dict()})
    else:
        sys.stderr.write("".join(f"perolux: {problem}\n" for problem in error.problems))


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], note: str = "") -> None:
    """Print a table to standard output; numbers are to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 140)
    if title:  # a title of the table itself would be folded to its width
        console.print(_plain(title), style="bold")
    table = Table(box=box.SIMPLE_HEAD)
    for position, column in enumerate(columns):
        cells = [row[position].lstrip("-+<> ") for row in rows]
        numeric = bool(cells) and all(not cell or cell[0].isdigit() or cell == "–" for cell in cells)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        # User text may hold what looks like markup: it is shown as it is.
        table.add_row(*(_plain(cell) for cell in row))
    console.print(table)
    if note:
        console.print(_plain(note))


def _plain(text: str) -> Any:
    from rich.text import Text

    return Text(text)


def number(value: float | None, digits: int = 2) -> str:
    """A number for a table; an en dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def numbers_of(text: str, option: str, what: str, allowed: str, most: int) -> list[float]:
    """The numbers of 0 and above in a text such as "10,60,300"; `OptionError` with all that are none."""
    if text.count(",") >= most:
        raise OptionError(f"too many {what}s", where=option, allowed=f"{most}")
    values, problems = [], []
    for part in text.split(","):
        try:
            value = float(part)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= 0):
            below = ": it lies below 0" if value < 0 else ""
            problems.append(Problem(f"{part.strip()!r} is no {what}{below}", option, allowed))
        values.append(value)
    if problems:
        raise OptionError(problems[:20])
    return values


def seed_of(seed: int) -> int:
    """A seed from 0, as numpy takes it; `OptionError` for one below."""
    if seed < 0:
        raise OptionError(f"a seed of {seed}", where="--seed", allowed="a whole number, 0 and more")
    return seed


def terminal_progress() -> Progress:
    """A progress bar on a terminal, silence in a pipe."""
    from perolux.progress import silent

    if not sys.stderr.isatty():
        return silent
    return _RichProgress()


class _RichProgress:
    """A rich progress bar that speaks the `Progress` protocol."""

    def start(self, task: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar.start()
        self._task = self._bar.add_task(task, total=total)

    def advance(self, steps: int = 1) -> None:
        self._bar.advance(self._task, steps)

    def finish(self) -> None:
        self._bar.stop()


def patiently(work: Callable[[], T], doing: str) -> T:
    """Do long work that tells no steps: a terminal shows the seconds, and ctrl-C ends it at once.

    The work runs in a thread, for compiled loops hear no interrupt.
    """
    if not sys.stderr.isatty():
        return work()
    import threading
    import time

    from rich.console import Console

    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    start = time.monotonic()
    thread.start()
    thread.join(0.5)
    if thread.is_alive():
        with Console(stderr=True).status(doing) as status:
            while thread.is_alive():
                thread.join(0.2)
                seconds = time.monotonic() - start
                hint = "" if seconds < 5 else " (the first run compiles the engine, 10 to 20 s)"
                status.update(f"{doing}, {seconds:.0f} s{hint}")
    if failed:
        raise failed[0]
    return done[0]


def peak_cell(peak: dict[str, Any] | None) -> str:
    """The PL peak (nm) over the parameter sets; an en dash where there is none."""
    seen = [] if peak is None else [x for x in peak["sets"].values() if x is not None]
    if not seen:
        return "–"
    low, high = f"{min(seen):.0f}", f"{max(seen):.0f}"
    return low if low == high else f"{low} to {high}"
