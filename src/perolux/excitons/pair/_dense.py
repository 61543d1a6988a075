"""The dense steps of the pair solvers: eigenproblem, contractions, symmetrised sums.

They use nothing but the array API standard (2023.12 with its `linalg` extension) and take the namespace from
their arrays, so the same lines run on NumPy and on any other arrays that follow the standard and say so
through `__array_namespace__`. What builds the arrays (quadrature points, wall functions, lists of basis
functions) stays NumPy; it costs little.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["apply_gaussians", "contract_pyramid", "fold_orbits", "lowest_states", "namespace"]

OVERLAP_CUT = 1e-13
"""Overlap eigenvalues below this part of the largest are dropped: what is left of them is rounding."""


def namespace(*arrays: Any) -> Any:
    """The array API namespace that all arrays share; raises `TypeError` where they do not."""
    found = {id(space): space for space in (array.__array_namespace__() for array in arrays)}
    if len(found) != 1:
        raise TypeError("the arrays come from different array libraries")
    return next(iter(found.values()))


def lowest_states(hamiltonian: Any, overlap: Any, count: int = 1) -> tuple[Any, Any]:
    """The lowest `count` eigenvalues [state] and vectors [function, state] of H c = E S c.

    Canonical orthogonalisation: the basis is scaled to unit diagonal; directions with an overlap eigenvalue
    below `OVERLAP_CUT` of the largest carry only rounding and are dropped, which can only raise the energies.
    Vectors are normalised in `overlap`. Fewer states come back where the basis has fewer.
    """
    xp = namespace(hamiltonian, overlap)
    scale = 1.0 / xp.sqrt(xp.linalg.diagonal(overlap))
    both = scale[:, None] * scale[None, :]
    scaled = overlap * both
    values, vectors = xp.linalg.eigh(0.5 * (scaled + xp.matrix_transpose(scaled)))
    # eigenvalues come in rising order, so what is dropped stands in front
    drop = int(xp.sum(xp.astype(values <= OVERLAP_CUT * values[-1], xp.int64)))
    basis = vectors[:, drop:] / xp.sqrt(values[drop:])[None, :]
    small = hamiltonian * both
    small = xp.matrix_transpose(basis) @ (0.5 * (small + xp.matrix_transpose(small))) @ basis
    energies, states = xp.linalg.eigh(small)
    return energies[:count], scale[:, None] * (basis @ states[:, :count])


def fold_orbits(matrix: Any, first: Any, size: Any) -> Any:
    """Symmetrised matrix from rows (first member of each orbit) and columns (all members of all orbits)."""
    xp = namespace(matrix, first, size)
    summed = xp.zeros((matrix.shape[0], first.shape[0]), dtype=matrix.dtype)
    for member in range(int(xp.max(size))):
        there = xp.astype(size > member, matrix.dtype)
        at = xp.where(size > member, first + member, first)
        summed = summed + there[None, :] * xp.take(matrix, at, axis=1)
    return xp.astype(size, matrix.dtype)[:, None] * summed


def contract_pyramid(weight: Any, first: Any, second: Any, third: Any) -> Any:
    """sum_tvw weight[S, t, v, w] first[k1, t] second[k2, t, v] third[k3, t, w] as [S, k1, k2, k3].

    One sum after another, each a stack of matrix products.
    """
    xp = namespace(weight, first, second, third)
    inner = weight @ xp.permute_dims(third, (1, 2, 0))  # [S, t, v, k3]
    middle = xp.permute_dims(second, (1, 0, 2)) @ inner  # [S, t, k2, k3]
    powers, points, two, three = middle.shape
    flat = xp.reshape(middle, (powers, points, two * three))
    return xp.reshape(first @ flat, (powers, first.shape[0], two, three))


def apply_gaussians(
    state: Any, diagonal: Any, strengths: Any, matrices: tuple[Sequence[Any], Sequence[Any], Sequence[Any]]
) -> Any:
    """diagonal state - sum_k strengths[k] (A_k x B_k x C_k) state, state[a, b, c] and square matrices."""
    xp = namespace(state, diagonal, strengths)
    out = diagonal * state
    for k, (one, two, three) in enumerate(zip(*matrices, strict=True)):
        part = xp.tensordot(one, state, axes=((1,), (0,)))
        out = out - strengths[k] * (two @ part @ three)
    return out
