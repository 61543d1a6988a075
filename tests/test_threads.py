"""The cap on threads of linear algebra: nested and parallel uses put the old number back."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from perolux.threads import one_thread


def threads() -> set[int]:
    return {one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"}


@pytest.fixture
def two():
    with one_thread():
        pass  # loads all libraries
    with threadpool_limits(2, user_api="blas"):
        yield
        assert threads() == {2}


def test_the_old_number_comes_back(two):
    with one_thread():
        with one_thread():
            assert threads() == {1}
        assert threads() == {1}


def test_uses_that_overlap_put_it_back_as_well(two):
    @one_thread()
    def use(_: int) -> None:
        pass

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(use, range(40)))
