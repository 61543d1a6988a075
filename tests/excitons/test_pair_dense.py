"""The dense steps run on any array library of the standard: the strict one against NumPy and SciPy."""

from __future__ import annotations

import array_api_strict as strict
import numpy as np
import pytest
from scipy.linalg import eigh

from perolux.excitons.pair._dense import (
    apply_gaussians,
    contract_pyramid,
    fold_orbits,
    lowest_states,
    namespace,
)

RANDOM = np.random.default_rng(5)


def symmetric(size):
    matrix = RANDOM.normal(size=(size, size))
    return matrix + matrix.T


def plain(array):
    return np.asarray(array)


def test_lowest_states_agree_with_scipy_in_both_libraries():
    overlap = symmetric(12)
    overlap = overlap @ overlap + 0.1 * np.eye(12)
    hamiltonian = symmetric(12)
    exact = eigh(hamiltonian, overlap, eigvals_only=True)[:3]
    for make in (np.asarray, strict.asarray):
        energies, vectors = lowest_states(make(hamiltonian), make(overlap), 3)
        assert plain(energies) == pytest.approx(exact, abs=1e-10)  # rounding of a well conditioned problem
        c = plain(vectors)
        assert c.T @ overlap @ c == pytest.approx(np.eye(3), abs=1e-9)
        assert hamiltonian @ c == pytest.approx(overlap @ c * exact, abs=1e-8)


def test_dependent_functions_are_dropped_in_both_libraries():
    overlap, hamiltonian = np.eye(4), np.diag([3.0, 1.0, 2.0, 5.0])
    mix = np.vstack([np.eye(4), [1.0, 1.0, 0.0, 0.0]])  # the fifth function is the sum of two others
    for make in (np.asarray, strict.asarray):
        found = lowest_states(make(mix @ hamiltonian @ mix.T), make(mix @ overlap @ mix.T), 4)[0]
        assert plain(found) == pytest.approx([1.0, 2.0, 3.0, 5.0], abs=1e-9)


def test_contractions_agree_with_einsum_in_both_libraries():
    weight, first = RANDOM.normal(size=(4, 5, 3, 3)), RANDOM.normal(size=(6, 5))
    second, third = RANDOM.normal(size=(6, 5, 3)), RANDOM.normal(size=(6, 5, 3))
    exact = np.einsum("stvw,at,btv,ctw->sabc", weight, first, second, third)
    state, diagonal, strength = (
        RANDOM.normal(size=(3, 4, 5)),
        RANDOM.normal(size=(3, 4, 5)),
        RANDOM.normal(size=2),
    )
    matrices = tuple([symmetric(n) for _ in range(2)] for n in (3, 4, 5))
    applied = diagonal * state - sum(
        s * np.einsum("ai,bj,ck,ijk->abc", a, b, c, state)
        for s, a, b, c in zip(strength, *matrices, strict=True)
    )
    for make in (np.asarray, strict.asarray):
        found = contract_pyramid(*(make(part) for part in (weight, first, second, third)))
        assert plain(found) == pytest.approx(exact, abs=1e-12)
        stacks = tuple([make(one) for one in stack] for stack in matrices)
        found = apply_gaussians(make(state), make(diagonal), make(strength), stacks)
        assert plain(found) == pytest.approx(applied, abs=1e-12)


def test_folding_sums_the_members_of_each_orbit_in_both_libraries():
    matrix = RANDOM.normal(size=(3, 6))
    first, size = np.array([0, 1, 4]), np.array([1, 3, 2])
    exact = size[:, None] * np.add.reduceat(matrix, first, axis=1)
    for make in (np.asarray, strict.asarray):
        assert plain(fold_orbits(make(matrix), make(first), make(size))) == pytest.approx(exact, abs=1e-14)


def test_mixed_libraries_are_refused():
    with pytest.raises(TypeError, match="different"):
        namespace(np.ones(2), strict.asarray([1.0, 2.0]))
