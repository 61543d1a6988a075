"""States that several tests look at are solved once."""

from __future__ import annotations

from functools import cache

import pytest

from perolux.excitons.pair.cube import solve_cube
from perolux.excitons.pair.sphere import solve_sphere

_SPHERE, _CUBE = cache(solve_sphere), cache(solve_cube)


@pytest.fixture
def sphere():
    """`solve_sphere` with a memory."""
    return _SPHERE


@pytest.fixture
def cube():
    """`solve_cube` with a memory."""
    return _CUBE
