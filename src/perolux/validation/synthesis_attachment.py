"""Functions of the rows in `synthesis_attachment.toml`: attachment and breakage in the finite volumes."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from perolux.files import example_path
from perolux.quantities.constants import AVOGADRO_PER_MOL
from perolux.synthesis import (
    Breakage,
    BrownianAttachment,
    ConstantAttachment,
    History,
    OrientedAttachment,
    PlainGrowth,
    SizeDistribution,
    constant_conditions,
    grow_finite_volume,
    read_kinetic_case,
)
from perolux.synthesis.aggregation import attach, attachment_records
from perolux.validation.run import Computed

__all__ = [
    "both_in_a_batch",
    "brownian_limit",
    "equilibrium",
    "exponential_attachment",
    "exponential_breakage",
    "growing_and_attaching",
    "nucleating_and_attaching",
    "oriented_window",
    "scission_of_one_size",
    "single_size_attachment",
    "two_schemes",
]

FloatArray = npt.NDArray[np.float64]
_NM = 1e-9
_N0 = 1e20
_K = 1e-18
_V0 = (2.0 * _NM) ** 3
_STILL = PlainGrowth("constant", 0.0)
_ALONE = constant_conditions(solubility_mol_m3=1.0, supplied_mol_m3=0.0)


def _faces(largest_m: float, cells: int) -> FloatArray:
    return np.linspace(0.0, largest_m, cells + 1)


def _pivots(faces: FloatArray) -> FloatArray:
    a, b = faces[:-1], faces[1:]
    found: FloatArray = 0.25 * (a + b) * (a * a + b * b)
    return found


def _exponential(faces: FloatArray, number: float, mean: float) -> FloatArray:
    """Crystals in cells where r^3 has the density exp(-r^3/mean)/mean."""
    found: FloatArray = -number * np.diff(np.exp(-(faces**3) / mean))
    return found


def _one_size(faces: FloatArray, cell: int) -> SizeDistribution:
    return SizeDistribution(faces[cell : cell + 1], faces[cell + 1 : cell + 2], np.array([_N0]))


def single_size_attachment(quantity: str, at: float) -> float:
    """Constant kernel from one size, k N0 t/2 = `at`, 200 cells: number, n_2, n_3, volume or second moment.

    Each over its exact value, but `volume`: what it moved by, relative.
    """
    faces = _faces(10.0 * _NM, 200)
    start, pivots = _one_size(faces, 40), _pivots(faces)
    time = 2.0 * at / (_K * _N0)
    attachment = ConstantAttachment(_K)
    end = grow_finite_volume(
        _STILL, _ALONE, [time], largest_m=faces[-1], cells=200, start=start, attachment=attachment
    ).distributions[0]
    counts, multiple = end.counts(faces), pivots / pivots[40]
    if quantity == "number":
        return end.number / _N0 * (1.0 + at)
    if quantity == "volume":
        return abs(end.moment(3) / start.moment(3) - 1.0)
    if quantity == "second moment":
        return float(counts @ multiple**2) / _N0 / (1.0 + 2.0 * at)
    size = int(quantity)
    found = counts[np.abs(multiple - size) < 0.5].sum() / _N0
    return float(found * (1.0 + at) ** (size + 1) / at ** (size - 1))


def exponential_attachment(quantity: str, cells: int = 400) -> float:
    """Constant kernel from an exponential distribution of volumes, k N0 t/2 = 3: it stays exponential."""
    if quantity == "order":
        coarse, fine = (abs(exponential_attachment("second moment", n)) for n in (200, 400))
        return float(np.log2(coarse / fine))
    faces = _faces((100.0 * _V0) ** (1 / 3), cells)
    number, pivots = _exponential(faces, _N0, _V0), _pivots(faces)
    end = grow_finite_volume(
        _STILL, _ALONE, [6.0 / (_K * _N0)], largest_m=faces[-1], cells=cells,
        start=SizeDistribution(faces[:-1], faces[1:], number), attachment=ConstantAttachment(_K),
    ).distributions[0]  # fmt: skip
    counts = end.counts(faces)
    if quantity == "second moment":
        exact = number @ pivots**2 + 6.0 / _N0 * (number @ pivots) ** 2
        return float(counts @ pivots**2 / exact - 1.0)
    return _deviation(counts, _exponential(faces, _N0 / 4.0, 4.0 * _V0))


def _deviation(found: FloatArray, exact: FloatArray) -> float:
    return float(np.abs(found - exact).sum() / exact.sum())


def nucleating_and_attaching() -> float:
    """Number of constant nucleation, growth by 0.01 nm/s and a constant kernel over its exact value."""
    model = PlainGrowth("constant", 0.01 * _NM, nucleation_per_m3_s=1e18, entry_radius_m=1.0 * _NM)
    rest = np.sqrt(2e18 / _K)
    time = 1.5 * np.sqrt(2.0 / (_K * 1e18))
    history = grow_finite_volume(
        model, _ALONE, [time], largest_m=150 * _NM, cells=300, attachment=ConstantAttachment(_K)
    )
    return float(history.number_per_m3[0] / (rest * np.tanh(1.5)))


def growing_and_attaching(quantity: str, cells: int = 200) -> float:
    """Constant kernel to k N0 t/2 = 1, volumes growing by e: number, volume (over exact), or L1 deviation."""
    time = 2.0 / (_K * _N0)
    faces = _faces((25.0 * 2.0 * np.e * _V0) ** (1 / 3), cells)
    number = _exponential(faces, _N0, _V0)
    start = SizeDistribution(faces[:-1], faces[1:], number)
    model = PlainGrowth("linear", 1.0 / (3.0 * time))
    end = grow_finite_volume(
        model,
        _ALONE,
        [time],
        largest_m=faces[-1],
        cells=cells,
        start=start,
        attachment=ConstantAttachment(_K),
    ).distributions[0]
    if quantity == "number":
        return end.number / (_N0 / 2.0)
    if quantity == "volume":
        return end.moment(3) / (np.e * start.moment(3))
    return _deviation(end.counts(faces), _exponential(faces, _N0 / 2.0, 2.0 * np.e * _V0))


def exponential_breakage(quantity: str, cells: int = 200) -> float:
    """Random scission, s in proportion to the volume, to 5 breakings of the mean: number or L1 deviation."""
    if quantity == "order":
        coarse, fine = (exponential_breakage("deviation", n) for n in (100, 200))
        return float(np.log2(coarse / fine))
    faces = _faces((30.0 * _V0) ** (1 / 3), cells)
    start = SizeDistribution(faces[:-1], faces[1:], _exponential(faces, _N0, _V0))
    end = grow_finite_volume(
        _STILL, _ALONE, [5.0], largest_m=faces[-1], cells=cells, start=start,
        breakage=Breakage(1.0, _V0 ** (1 / 3)),
    ).distributions[0]  # fmt: skip
    if quantity == "number":
        return end.number / (start.number + 5.0 * start.moment(3) / _V0)
    return _deviation(end.counts(faces), _exponential(faces, 6.0 * _N0, _V0 / 6.0))


def scission_of_one_size(quantity: str) -> float:
    """Random scission of one size u, s = v/u per s, after 3 s: number over exact, or L1 deviation."""
    faces = _faces(5.0 * _NM, 200)
    cell, time = 180, 3.0
    u = _pivots(faces)[cell]
    end = grow_finite_volume(
        _STILL, _ALONE, [time], largest_m=faces[-1], cells=200, start=_one_size(faces, cell),
        breakage=Breakage(1.0, u ** (1 / 3)),
    ).distributions[0]  # fmt: skip
    if quantity == "number":
        return end.number / (_N0 * (1.0 + time))
    # pieces: n = exp(-t y) (2 t + t^2 (1 - y)) N0/u, y = v/u; compared below the cell where they begin
    y = faces[:cell] ** 3 / u
    exact = np.diff(_N0 * (1.0 + time - np.exp(-time * y) * (1.0 + time * (1.0 - y))))[:-1]
    return _deviation(end.counts(faces)[: len(exact)], exact)


def equilibrium(quantity: str) -> float:
    """Constant kernel against random scission at rest, 200 cells: number over exact, or L1 deviation."""
    faces = _faces((80.0 * _V0) ** (1 / 3), 200)
    start = _one_size(faces, 40)
    volume = start.moment(3)
    rate = _K * _N0 / 8.0  # of V0
    rest = float(np.sqrt(2.0 * rate * volume / _V0 / _K))
    time = 8.0 / np.sqrt(rate * volume / _V0 * _K / 2.0)
    end = grow_finite_volume(
        _STILL, _ALONE, [time], largest_m=faces[-1], cells=200, start=start,
        attachment=ConstantAttachment(_K), breakage=Breakage(rate, _V0 ** (1 / 3)),
    ).distributions[0]  # fmt: skip
    if quantity == "number":
        return end.number / rest
    return _deviation(end.counts(faces), _exponential(faces, rest, volume / rest))


@cache
def _oriented() -> tuple[History, float]:
    """5 nm cubes, cv 0.1, of 10 mol/m^3 CsPbBr3, that only attach; and K of like crystals."""
    edges = np.linspace(1.5, 3.5, 81) * _NM
    bell = np.exp(-0.5 * ((0.5 * (edges[1:] + edges[:-1]) / _NM - 2.5) / 0.25) ** 2)
    start = SizeDistribution(edges[:-1], edges[1:], bell)
    volume = 10.0 * AVOGADRO_PER_MOL * 2.02262e-28 / 8.0
    start = SizeDistribution(edges[:-1], edges[1:], bell * volume / start.moment(3))
    conditions = constant_conditions(solubility_mol_m3=1.0, supplied_mol_m3=0.0, diffusivity_m2_s=5e-10)
    kernel = OrientedAttachment()
    history = grow_finite_volume(
        _STILL, conditions, 3600.0 * np.linspace(0.5, 24.0, 48), largest_m=120.0 * _NM, cells=400,
        start=start, attachment=kernel,
    )  # fmt: skip
    return history, float(kernel.kernel_m3_s(np.array([_NM]), 5e-10)[0, 0])


def oriented_window() -> Computed:
    """Mean edge (nm) of 5 nm cubes after 24 h of oriented attachment at the record's middle sticking."""
    history, _ = _oriented()
    edge = 2e9 * history.mean_radius_m
    hours = float(np.interp(50.0, edge, history.time_s / 3600.0))
    record = attachment_records()["attachment_sticking"]
    assert record.low is not None and record.high is not None
    low, high = (hours * record.number / one for one in (record.high, record.low))
    return Computed(
        float(edge[-1]),
        f"50 nm after {hours:.1f} h; over the range of the record {low:.2g} to {high:.2g} h; "
        f"cv {history.cv[-1]:.2f}",
    )


def brownian_limit(quantity: str) -> float:
    """Self-preserving limit of meetings by diffusion: -dN/dt over K N^2/2, or geometric spread of radii."""
    history, like = _oriented()
    if quantity == "rate":
        inverse = 1.0 / history.number_per_m3[[23, 47]]
        return float(np.diff(inverse)[0] / (history.time_s[47] - history.time_s[23]) / (0.5 * like))
    last = history.distributions[-1]
    size = np.log(0.5 * (last.low_m + last.high_m))
    return float(np.exp(np.sqrt(np.cov(size, aweights=last.number_per_m3, ddof=0))))


def two_schemes() -> Computed:
    """Largest deviation (%) of the number from `attach` on even pivots of volume: Brownian, from one size."""
    faces = _faces(10.0 * _NM, 400)
    pivot = _pivots(faces)[100]
    kernel = BrownianAttachment(0.4 * _NM, 1e-3)
    conditions = constant_conditions(solubility_mol_m3=1.0, supplied_mol_m3=0.0, diffusivity_m2_s=5e-10)
    multiples = np.arange(1.0, 61.0)
    table = kernel.kernel_m3_s(np.cbrt(multiples * pivot), 5e-10)
    times = np.array([0.5, 1.0, 2.0]) / (table[0, 0] * _N0)
    table[np.add.outer(multiples, multiples) > 60] = 0.0  # 1e-12 of all at that time
    exact = attach(multiples, np.where(multiples == 1.0, _N0, 0.0), table, times).sum(axis=1)
    found = grow_finite_volume(
        _STILL, conditions, times, largest_m=faces[-1], cells=400, start=_one_size(faces, 100),
        attachment=kernel,
    ).number_per_m3  # fmt: skip
    deviation = 100.0 * np.abs(found / exact - 1.0)
    return Computed(float(deviation.max()), f"left of the start {exact[-1] / _N0:.3f}")


def both_in_a_batch(quantity: str) -> float:
    """Reference batch with attachment and breakage: error of the monomer's balance or of the number's."""
    history = _batch()
    if quantity == "monomer":
        return history.mass_error
    assert history.attachments_per_m3 is not None and history.fragments_per_m3 is not None
    counted = history.nuclei_per_m3 - history.dissolved_crystals_per_m3
    counted = counted - history.attachments_per_m3 + history.fragments_per_m3
    return float(np.max(np.abs(counted / history.number_per_m3 - 1.0)))


@cache
def _batch() -> History:
    case = read_kinetic_case(example_path("kinetic_cases") / "batch.json")
    return grow_finite_volume(
        case.model, case.conditions, [60.0, 600.0, 1800.0], largest_m=16.0 * _NM, cells=200,
        attachment=BrownianAttachment(0.44 * _NM, 1e-7), breakage=Breakage(1e-3, 3.0 * _NM),
    )  # fmt: skip
