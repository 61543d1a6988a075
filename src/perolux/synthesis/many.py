"""Many recipes at once: on threads, in the order in which they were asked for, a few at a time.

The compiled engine lets other threads run, so that two threads take half the time of one; processes are no
quicker and would each compile and load anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from perolux.errors import OptionError

__all__ = ["MOST_JOBS", "in_order"]

Given = TypeVar("Given")
Found = TypeVar("Found")

MOST_JOBS = 64
_WAITING = 16
"""Items in hand for each thread: enough that one slow item holds up no other, few enough for the memory."""


def in_order(function: Callable[[Given], Found], items: Iterable[Given], jobs: int) -> Iterator[Found]:
    """Yield function(item) in the order of the items, computed on `jobs` threads.

    What a function raises is raised here; what has not begun by then is not begun.
    """
    if not 1 <= jobs <= MOST_JOBS:
        raise OptionError(f"{jobs} jobs", where="jobs", allowed=f"1 to {MOST_JOBS}")
    pool = ThreadPoolExecutor(jobs)
    waiting: deque[Future[Found]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= _WAITING * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
