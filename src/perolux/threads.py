"""One thread of linear algebra, for matrices so small that threads cost more than they bring.

The singular values of 2500 x 8 numbers take half a millisecond in one thread, and ten in two that wait for
each other on a busy machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

__all__ = ["one_thread"]


@contextmanager
def one_thread() -> Iterator[None]:
    """Cap linear algebra at one thread in a `with` block or, as `@one_thread()`, in a function."""
    with _libraries().limit(limits=1, user_api="blas"):
        yield


@lru_cache(maxsize=1)
def _libraries() -> Any:
    """The loaded libraries; found once, as looking takes 8 ms."""
    import scipy.linalg  # noqa: F401  (brings its own library beside numpy's)
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
