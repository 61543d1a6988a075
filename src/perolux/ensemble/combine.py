"""`mix`: the union of ensembles, with all its moments. `compress`: fewer rows, same number and volume."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.ensemble import shapes
from perolux.ensemble.ensemble import MAX_CRYSTALS, Ensemble, SurfaceColumn
from perolux.errors import OptionError

__all__ = ["CompressionReport", "compress", "mix"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

AMOUNT_TOLERANCE = 1e-9
"""Relative difference at which stated fractions contradict the numbers per litre."""
_FINE_CELLS = 4096


def mix(ensembles: Sequence[Ensemble], amounts: Sequence[float] | None = None) -> Ensemble:
    """Union of ensembles in one volume; every number-weighted moment is that of the union.

    Row weights are f_i w with number fractions f_i: `amounts` (they sum to 1), or, where none are given, the
    numbers per litre, which every ensemble must then know. The number per litre of the result is the sum, or
    follows from one known number and the fractions; where nothing is known it is None. To pour two
    dispersions together bring each to the final volume first (`diluted`).

    Raises `OptionError` where amounts and numbers per litre contradict each other by more than 1e-9, where
    fractions do not sum to 1, or where only some ensembles have a surface column.
    """
    parts = tuple(ensembles)
    if not parts or not all(isinstance(part, Ensemble) for part in parts):
        raise OptionError("a list of one or more ensembles is needed")
    if sum(len(part) for part in parts) > MAX_CRYSTALS:
        raise OptionError(
            "the union has too many rows", allowed=str(MAX_CRYSTALS), fix="compress the parts first"
        )
    fractions, number = _fractions(parts, amounts)
    weights = np.concatenate([f * part.weights for f, part in zip(fractions, parts, strict=True)])

    def joined(name: str) -> npt.NDArray[np.str_]:
        return np.concatenate([getattr(part, name) for part in parts])

    mixed = any(part.halide_fraction is not None for part in parts)
    layered = any(part.monolayers is not None for part in parts)
    return Ensemble(
        weights=weights / weights.sum(),
        edge_a_nm=np.concatenate([part.edge_a_nm for part in parts]),
        edge_b_nm=np.concatenate([part.edge_b_nm for part in parts]),
        edge_c_nm=np.concatenate([part.edge_c_nm for part in parts]),
        shape=joined("shape"),
        material=joined("material"),
        phase=joined("phase"),
        given_as=tuple(dict.fromkeys(name for part in parts for name in part.given_as)),
        number_per_litre=number,
        partner_material=np.concatenate([_or_blank(part) for part in parts]) if mixed else None,
        halide_fraction=(
            np.concatenate([_or_zero(part.halide_fraction, len(part)) for part in parts]) if mixed else None
        ),
        monolayers=(
            np.concatenate([_or_zero(part.monolayers, len(part)).astype(np.int64) for part in parts])
            if layered
            else None
        ),
        surface=_joined_surface(parts),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _fractions(parts: Sequence[Ensemble], amounts: Sequence[float] | None) -> tuple[FloatArray, float | None]:
    numbers = [part.number_per_litre for part in parts]
    known = np.array([n for n in numbers if n is not None])
    if amounts is None:
        if len(parts) == 1:
            return np.ones(1), numbers[0]
        if len(known) < len(parts):
            raise OptionError(
                "not every ensemble knows its number per litre",
                fix="give amounts as number fractions, or number_per_litre for each ensemble",
            )
        return known / known.sum(), float(known.sum())
    fractions = np.asarray(amounts, dtype=float)
    if fractions.shape != (len(parts),) or not np.isfinite(fractions).all() or np.any(fractions < 0):
        raise OptionError(
            f"amounts = {list(amounts)}", allowed=f"{len(parts)} number fractions, not negative"
        )
    if abs(float(fractions.sum()) - 1.0) > AMOUNT_TOLERANCE:
        raise OptionError(f"the number fractions sum to {float(fractions.sum()):.12g}", allowed="1")
    if not len(known):
        return fractions, None
    of_known = fractions[[n is not None for n in numbers]]
    # every known number implies a total; they must agree, and a part that is there cannot have fraction 0
    if np.any(of_known == 0) or np.ptp(known / of_known) > AMOUNT_TOLERANCE * float(np.min(known / of_known)):
        raise OptionError(
            "the amounts contradict the numbers per litre of the ensembles",
            allowed=f"amounts in the ratio of the numbers, {', '.join(f'{n:.4g}' for n in known)} per litre",
            fix="leave the amounts out, dilute the ensembles, or set number_per_litre to None",
        )
    return fractions, float(np.mean(known / of_known))


def _or_zero(values: FloatArray | IntArray | None, n: int) -> npt.NDArray[np.float64 | np.int64]:
    return np.zeros(n) if values is None else values


def _or_blank(part: Ensemble) -> npt.NDArray[np.str_]:
    return np.full(len(part), "") if part.partner_material is None else part.partner_material


def _joined_surface(parts: Sequence[Ensemble]) -> tuple[SurfaceColumn, ...]:
    names = {(c.name, c.unit) for part in parts for c in part.surface}
    for part in parts:
        missing = names - {(c.name, c.unit) for c in part.surface}
        if missing:
            name, unit = sorted(missing)[0]
            raise OptionError(
                f"the surface column {name!r} ({unit}) is not in every ensemble",
                fix="give it for all of them in the same unit, or remove it",
            )
    return tuple(
        SurfaceColumn(
            c.name, np.concatenate([p.surface_column(c.name).values for p in parts]), c.unit, c.meaning
        )
        for c in parts[0].surface
    )


@dataclass(frozen=True)
class CompressionReport:
    """What `compress` did: rows, errors of what it conserves, and the spread before and after.

    number_error, volume_error: relative, rounding only. edge_mean_change: relative change of the mean
    equal-volume edge (not below 0: a row gets the edge of its mean volume, which is above its mean edge).
    relative_spread_*: of the equal-volume edge, number-weighted; the spread inside a new row is lost.
    halide_spread_*: standard deviation of the halide fraction, volume-weighted; None without such fractions.
    """

    rows_before: int
    rows_after: int
    number_error: float
    volume_error: float
    edge_mean_change: float
    relative_spread_before: float
    relative_spread_after: float
    halide_spread_before: float | None
    halide_spread_after: float | None

    def __str__(self) -> str:
        text = (
            f"{self.rows_before} rows to {self.rows_after}; relative spread of the equal-volume edge"
            f" {self.relative_spread_before:.5g} to {self.relative_spread_after:.5g};"
            f" mean edge changed by {self.edge_mean_change:.2g} (relative)"
        )
        if self.halide_spread_before is not None:
            text += f"; halide spread {self.halide_spread_before:.4g} to {self.halide_spread_after:.4g}"
        return text


def compress(ensemble: Ensemble, n: int) -> tuple[Ensemble, CompressionReport]:
    """Ensemble with n rows or fewer and the same number and volume (to rounding), and what it cost.

    Rows of one shape, material, partner, phase and count of monolayers are merged with their neighbours in
    size, always the pair that loses least of the spread (Ward, J. Am. Stat. Assoc. 58, 236 (1963)). A merged
    row has the summed number, the mean volume (lengths: number-weighted means, scaled together, only
    laterally for platelets), the volume-weighted halide fraction (so the amount of each halide is kept) and
    the number-weighted surface columns. Raises `OptionError` where n is below the number of such groups.
    """
    groups, count = _groups(ensemble)
    if isinstance(n, bool) or int(n) != n or n < count:
        raise OptionError(
            f"compress to {n} rows",
            allowed=f"{count} or more: the ensemble holds that many kinds of crystals",
        )
    if n >= len(ensemble):
        return ensemble, _report(ensemble, ensemble)
    labels = _cluster(ensemble, groups, count, n)
    merged = _merged(ensemble, labels)
    return merged, _report(ensemble, merged)


def _groups(ensemble: Ensemble) -> tuple[IntArray, int]:
    """Group number of each row and the number of groups; only rows of one group may be merged."""
    code = np.zeros(len(ensemble), dtype=np.int64)
    for name in ("shape", "material", "phase", "partner_material", "monolayers"):
        column = getattr(ensemble, name)
        if column is None or bool((column == column[0]).all()):
            continue
        values, index = np.unique(column, return_inverse=True)
        code = np.unique(code * len(values) + index, return_inverse=True)[1]
    return code, int(code.max()) + 1


def _cluster(ensemble: Ensemble, groups: IntArray, count: int, n: int) -> IntArray:
    """Label 0..k-1 (k <= n) of each row."""
    lengths = np.column_stack([ensemble.edge_a_nm, ensemble.edge_b_nm, ensemble.edge_c_nm])
    features = lengths / float(ensemble.weights @ lengths.mean(axis=1))
    if ensemble.halide_fraction is not None:
        # 0.1 of the halide counts as much as 10 % of the length: both shift a line by tens of meV
        features = np.column_stack([features, ensemble.halide_fraction])
    position = np.empty(len(ensemble))
    for group in range(count):
        rows = groups == group
        position[rows] = _principal(features[rows], ensemble.weights[rows])
    # First into fine cells along the principal direction, then pairs by least loss. A cell ends where equal
    # widths or equal numbers of rows say so: the first keeps outliers, the second the crowded middle apart.
    cells = max(_FINE_CELLS, 4 * n)
    order = np.lexsort((position, groups))
    if len(ensemble) <= cells:
        cell = np.arange(len(ensemble))
    else:
        width = (float(np.ptp(position)) or 1.0) / cells
        by_width = np.floor((position[order] - position.min()) / width).astype(np.int64)
        by_rank = np.arange(len(ensemble)) * cells // len(ensemble)
        ends = (np.diff(by_width) != 0) | (np.diff(by_rank) != 0) | (np.diff(groups[order]) != 0)
        cell = np.concatenate(([0], np.cumsum(ends)))
    label_of_cell = _merge_neighbours(features[order], ensemble.weights[order], groups[order], cell, n)
    labels = np.empty(len(ensemble), dtype=np.int64)
    labels[order] = label_of_cell[cell]
    return labels


def _principal(features: FloatArray, weights: FloatArray) -> FloatArray:
    """Coordinate of each row along the direction in which the group is widest, lengths ascending."""
    total = float(weights.sum())
    weights = weights / total if total > 0 else np.full(len(weights), 1 / len(weights))
    centred = features - weights @ features
    _, vectors = np.linalg.eigh((centred * weights[:, None]).T @ centred)
    direction = vectors[:, -1]
    return centred @ (direction if direction[:3].sum() >= 0 else -direction)


def _merge_neighbours(
    features: FloatArray, weights: FloatArray, groups: IntArray, cell: IntArray, n: int
) -> IntArray:
    """Merge neighbouring cells of one group, cheapest first, until n are left; new label of each cell."""
    m = int(cell[-1]) + 1
    mass = np.bincount(cell, weights, m)
    safe = np.where(mass > 0, mass, 1.0)
    mean = np.column_stack([np.bincount(cell, weights * f, m) / safe for f in features.T])
    starts = np.searchsorted(cell, np.arange(m))
    empty = mass == 0
    mean[empty] = features[starts[empty]]
    group = groups[starts]
    after, before = list(range(1, m + 1)), list(range(-1, m - 1))
    alive, version = [True] * m, [0] * m
    heap: list[tuple[float, int, int, int, int]] = []

    def push(i: int, j: int) -> None:
        if i >= 0 and j < m and group[i] == group[j]:
            both = mass[i] + mass[j]
            loss = mass[i] * mass[j] / both * float(np.sum((mean[i] - mean[j]) ** 2)) if both > 0 else 0.0
            heapq.heappush(heap, (loss, i, j, version[i], version[j]))

    for i in range(m - 1):
        push(i, i + 1)
    left = m
    while left > n:
        _, i, j, version_i, version_j = heapq.heappop(heap)
        if not (alive[i] and alive[j] and version[i] == version_i and version[j] == version_j):
            continue
        both = mass[i] + mass[j]
        if both > 0:
            mean[i] = (mass[i] * mean[i] + mass[j] * mean[j]) / both
        mass[i], alive[j] = both, False
        version[i] += 1
        after[i] = after[j]
        if after[j] < m:
            before[after[j]] = i
        left -= 1
        push(before[i], i)
        push(i, after[i])
    return np.cumsum(alive) - 1


def _merged(ensemble: Ensemble, labels: IntArray) -> Ensemble:
    k = int(labels.max()) + 1
    order = np.argsort(labels, kind="stable")
    starts = np.searchsorted(labels[order], np.arange(k))
    first = order[starts]

    def total(values: FloatArray) -> FloatArray:
        # reduceat sums pairwise, which keeps a million rows to 1e-15; bincount would lose three digits
        summed: FloatArray = np.add.reduceat(values[order], starts)
        return summed

    number = total(ensemble.weights)
    # where a whole row has weight 0 the plain mean stands in; it carries nothing
    share = np.where(number[labels] > 0, ensemble.weights, 1.0)
    share = share / total(share)[labels]

    def mean(values: FloatArray, parts: FloatArray = share) -> FloatArray:
        return total(parts * values)

    volume = mean(ensemble.volume_nm3)
    shape = ensemble.shape[first]
    a, b, c = mean(ensemble.edge_a_nm), mean(ensemble.edge_b_nm), mean(ensemble.edge_c_nm)
    ratio = volume / shapes.volume_nm3(shape, a, b, c)
    flat = shape == "platelet"  # the thickness is a count of layers: only the lateral lengths give way
    lateral = np.where(flat, np.sqrt(ratio), np.cbrt(ratio))
    a, b, c = a * lateral, b * lateral, np.where(flat, c, c * lateral)
    regular = (shape == "cube") | (shape == "sphere")
    b = np.where(regular | (shape == "spheroid") | (shape == "rod"), a, b)
    c = np.where(regular, a, c)
    by_volume = share * ensemble.volume_nm3 / volume[labels]
    fraction = ensemble.halide_fraction
    return Ensemble(
        weights=number / number.sum(),
        edge_a_nm=a,
        edge_b_nm=b,
        edge_c_nm=c,
        shape=shape,
        material=ensemble.material[first],
        phase=ensemble.phase[first],
        given_as=ensemble.given_as,
        number_per_litre=ensemble.number_per_litre,
        partner_material=None if ensemble.partner_material is None else ensemble.partner_material[first],
        halide_fraction=None if fraction is None else np.clip(mean(fraction, by_volume), 0.0, 1.0),
        monolayers=None if ensemble.monolayers is None else ensemble.monolayers[first],
        surface=tuple(SurfaceColumn(s.name, mean(s.values), s.unit, s.meaning) for s in ensemble.surface),
        notes=(*ensemble.notes, f"Compressed from {len(ensemble)} rows to {k}."),
    )


def _report(before: Ensemble, after: Ensemble) -> CompressionReport:
    def halide_spread(ensemble: Ensemble) -> float | None:
        if ensemble.halide_fraction is None:
            return None
        weights = ensemble.weights_by("volume")
        mean = weights @ ensemble.halide_fraction
        return float(np.sqrt(weights @ (ensemble.halide_fraction - mean) ** 2))

    return CompressionReport(
        rows_before=len(before),
        rows_after=len(after),
        number_error=abs(float(after.weights.sum()) / float(before.weights.sum()) - 1),
        volume_error=abs(after.mean("volume_nm3") / before.mean("volume_nm3") - 1),
        edge_mean_change=after.mean() / before.mean() - 1,
        relative_spread_before=before.relative_spread(),
        relative_spread_after=after.relative_spread(),
        halide_spread_before=halide_spread(before),
        halide_spread_after=halide_spread(after),
    )
