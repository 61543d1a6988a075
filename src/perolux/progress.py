"""Progress of long work through one small protocol, which the console and the app both speak.

Physics takes an optional `Progress`; it neither knows nor cares whether a terminal, a pipe or a browser
listens. `silent` is the default and costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

__all__ = ["Progress", "silent", "track"]

T = TypeVar("T")


class Progress(Protocol):
    """What long work reports to."""

    def start(self, task: str, total: int) -> None:
        """A task of `total` steps begins."""

    def advance(self, steps: int = 1) -> None:
        """`steps` more are done."""

    def finish(self) -> None:
        """The task is over."""


class _Silent:
    def start(self, task: str, total: int) -> None:
        del task, total

    def advance(self, steps: int = 1) -> None:
        del steps

    def finish(self) -> None:
        pass


silent: Progress = _Silent()


def track(items: Iterable[T], task: str, total: int, progress: Progress = silent) -> Iterator[T]:
    """Yield `items` one by one and report each to `progress`."""
    progress.start(task, total)
    try:
        for item in items:
            yield item
            progress.advance()
    finally:
        progress.finish()
