"""Anion exchange after the synthesis: populations of nanocrystals, and salt, that share their halides.

`exchange_halides` gives composition against time. Halides that mix follow the mean field in closed form;
where a pair with a miscibility gap is present (chloride and iodide) the law with activities is integrated,
which does not homogenise through the gap, and `end` says by the lever rule what is in equilibrium. One rate
constant holds for all crystals: whether the surface or the core limits, and waiting times of single crystals,
are not in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from perolux.ensemble import Ensemble
from perolux.errors import OptionError
from perolux.materials import HALIDES, material
from perolux.quantities import Value
from perolux.surface.exchange_laws import mean_field, with_activities
from perolux.surface.exchange_rates import REFERENCE_K, Ligands, exchange_rate
from perolux.surface.halide_populations import DissolvedHalide, HalidePopulation, cations_of, formula_of
from perolux.surface.miscibility import CRITICAL_W, interaction, spinodal, w_matrix
from perolux.surface.segregation import EndState, end_state

__all__ = ["Exchange", "exchange_halides"]

FloatArray = npt.NDArray[np.float64]

_TRACE = 1e-12
"""Salt below this part of the halide in crystals changes none of their digits: it counts as none."""


@dataclass(frozen=True, eq=False)
class Exchange:
    """Composition against time.

    time_s (times,); crystals (times, populations, 3) and pool (times, 3): fractions of Cl, Br, I. law: "mean
    field" or "activities". end: what is in equilibrium, None with the reason among `warnings`. rests_on: the
    records used.
    """

    populations: tuple[HalidePopulation, ...]
    salt: DissolvedHalide | None
    rate_per_s: float
    temperature_k: float
    law: str
    time_s: FloatArray
    crystals: FloatArray
    pool: FloatArray
    end: EndState | None
    rests_on: tuple[Value, ...]
    warnings: tuple[str, ...]

    @property
    def counts_mol_l(self) -> FloatArray:
        """Halide of each population in mol per litre."""
        return np.array([one.halide_mol_l for one in self.populations])

    @property
    def mean(self) -> FloatArray:
        """Mean fractions of the crystals, weighted by halide count; (times, 3)."""
        weights = self.counts_mol_l / self.counts_mol_l.sum()
        return np.asarray(np.einsum("i,tij->tj", weights, self.crystals))

    @property
    def spread(self) -> FloatArray:
        """Standard deviation of the fractions over the crystals, weighted by halide count; (times, 3)."""
        weights = self.counts_mol_l / self.counts_mol_l.sum()
        away = self.crystals - self.mean[:, None, :]
        return np.asarray(np.sqrt(np.einsum("i,tij->tj", weights, away**2)))

    def balances(self, step: int = -1) -> dict[str, dict[str, float]]:
        """Where each halide is at one time, in mol per litre, counted share by share from the result.

        For each halide: "fed", one entry for each population ("in NAME"), "dissolved", and "error", relative
        to what was fed.
        """
        salt = self.salt
        found = {}
        for j, halide in enumerate(HALIDES):
            fed = math.fsum(one.halide_mol_l * one.fractions[j] for one in self.populations)
            fed += salt.halide_mol_l * salt.fractions[j] if salt else 0.0
            parts = {
                f"in {one.name}": one.halide_mol_l * float(self.crystals[step, i, j])
                for i, one in enumerate(self.populations)
            }
            parts["dissolved"] = salt.halide_mol_l * float(self.pool[step, j]) if salt else 0.0
            error = abs(math.fsum(parts.values()) - fed) / fed if fed > 0 else abs(math.fsum(parts.values()))
            found[halide] = {"fed": fed, **parts, "error": error}
        return found

    def formulas(self, step: int = -1) -> tuple[str, ...]:
        """Composition of each population at one time, e.g. "CsPb(Br0.5I0.5)3"; needs their ensembles."""
        return tuple(
            formula_of(cations_of(one), self.crystals[step, i]) for i, one in enumerate(self.populations)
        )

    def ensembles(self, step: int = -1) -> tuple[Ensemble, ...]:
        """The crystals at one time: each keeps its formula units, its edges follow the lattice constant.

        Raises `NotAvailableError` for populations without an ensemble, and what `material` raises for
        compositions that hold chloride and iodide together.
        """
        found = []
        for one, formula in zip(self.populations, self.formulas(step), strict=True):
            assert one.ensemble is not None
            before = formula_of(cations_of(one), np.array(one.fractions))
            grown = material(formula).lattice_constant_nm / material(before).lattice_constant_nm
            # products of one factor: equal edges stay equal
            found.append(
                replace(
                    one.ensemble,
                    edge_a_nm=one.ensemble.edge_a_nm * grown,
                    edge_b_nm=one.ensemble.edge_b_nm * grown,
                    edge_c_nm=one.ensemble.edge_c_nm * grown,
                    material=np.full(len(one.ensemble), formula),
                    partner_material=None,
                    halide_fraction=None,
                )
            )
        return tuple(found)


def exchange_halides(
    populations: Sequence[HalidePopulation],
    time_s: npt.ArrayLike,
    *,
    salt: DissolvedHalide | None = None,
    ligands: Ligands = "oleic acid",
    temperature_k: float = REFERENCE_K,
    rate_per_s: float | None = None,
    interaction_kj_mol: Mapping[str, float] | None = None,
) -> Exchange:
    """Let populations, and salt in solution, exchange their halides from time 0 on.

    time_s: ascending, 0 and above. rate_per_s: rate constant of the mean field; from the prior, the
    temperature and the ligands where None (`exchange_rate`). interaction_kj_mol: w of pairs in place of the
    records, as {"Cl-I": 8.0}. All amounts are per litre of the final mixture. Raises `OptionError` with what
    is wrong, `ModelRangeError` outside 270 to 370 K.

    >>> green = HalidePopulation("green", (0, 1, 0), 1e-3)
    >>> red = HalidePopulation("red", (0, 0, 1), 1e-3)
    >>> found = exchange_halides([green, red], [0.0, 60.0], rate_per_s=0.1)
    >>> [round(float(x), 3) for x in found.crystals[-1, :, 2]], found.balances()["I"]["error"] < 1e-12
    ([0.499, 0.501], True)
    """
    crystals = _checked_populations(populations)
    times = _checked_times(time_s)
    if salt is not None and not isinstance(salt, DissolvedHalide):
        raise OptionError(
            f"a {type(salt).__name__} is no salt",
            where="salt",
            fix='make one: perolux.surface.dissolved_salt("PbI2", 1e-3)',
        )
    everything = [(one.fractions, one.halide_mol_l) for one in crystals]
    everything += [(salt.fractions, salt.halide_mol_l)] if salt else []
    present = tuple(h for j, h in enumerate(HALIDES) if any(f[j] > 0 and n > 0 for f, n in everything))
    warnings: list[str] = []
    used: tuple[Value, ...] = ()
    # asked even where a rate is given: a temperature or ligand outside the records is then still an error
    prior_rate = exchange_rate(present, temperature_k, ligands)
    if rate_per_s is None:
        rate_per_s, used = prior_rate.per_s, prior_rate.rests_on
        warnings.append(
            f"the rate of {prior_rate.per_s:.2g} 1/s is a prior, not literature: "
            f"{prior_rate.low_per_s:.2g} to {prior_rate.high_per_s:.2g} 1/s"
        )
    elif not (isinstance(rate_per_s, int | float) and math.isfinite(rate_per_s) and rate_per_s >= 0):
        raise OptionError(f"a rate of {rate_per_s!r} 1/s", where="rate_per_s", allowed="0 and above")
    w = w_matrix(temperature_k, interaction_kj_mol)
    pairs = [(i, j) for i, j in ((0, 1), (0, 2), (1, 2)) if {HALIDES[i], HALIDES[j]} <= set(present)]
    given = set(interaction_kj_mol or ())
    used += tuple(
        interaction(HALIDES[i], HALIDES[j])
        for i, j in pairs
        if not given & {f"{HALIDES[i]}-{HALIDES[j]}", f"{HALIDES[j]}-{HALIDES[i]}"}
    )
    gapped = any(w[i, j] > CRITICAL_W for i, j in pairs)

    start = np.array([one.fractions for one in crystals])
    counts = np.array([one.halide_mol_l for one in crystals])
    pool, amount = (np.array(salt.fractions), salt.halide_mol_l) if salt else (None, 0.0)
    if amount < _TRACE * counts.sum():
        pool, amount = None, 0.0
    if gapped:
        course = with_activities(start, counts, rate_per_s, times, w, pool, amount)
    else:
        course = mean_field(start, counts, rate_per_s, times, pool, amount)
    end = end_state(start, counts, w, gapped, pool, amount)
    if end is None:
        warnings.append("the end is not given: the lever rule here is for two halides, and three are present")
    elif end.is_split:
        warnings.append(end.sentence)
        warnings += _unstable(crystals, course[0][-1], w)
    return Exchange(
        crystals, salt, float(rate_per_s), float(temperature_k), "activities" if gapped else "mean field",
        times, *course, end, used, tuple(warnings),
    )  # fmt: skip


def _unstable(populations: tuple[HalidePopulation, ...], last: FloatArray, w: FloatArray) -> list[str]:
    """Populations that the law leaves where a crystal would part: its crystals are all alike."""
    low, high = np.flatnonzero(last.sum(axis=0) > 0)
    edges = spinodal(float(w[low, high]))
    assert edges is not None
    return [
        f"{one.name} stands at {HALIDES[high]} {x[high]:.3g}, where it is unstable: the law takes its "
        "crystals as all alike and cannot part them"
        for one, x in zip(populations, last, strict=True)
        if edges[0] < x[high] < edges[1]
    ]


def _checked_populations(populations: Sequence[HalidePopulation]) -> tuple[HalidePopulation, ...]:
    found = tuple(populations) if isinstance(populations, Sequence) else ()
    if not found or not all(isinstance(one, HalidePopulation) for one in found):
        raise OptionError(
            "a list of one or more populations is needed",
            where="exchange_halides",
            fix="make them with perolux.surface.population_of, or perolux.surface.HalidePopulation",
        )
    if len({one.name for one in found}) < len(found):
        raise OptionError("two populations share a name", where="exchange_halides", fix="name them apart")
    if not sum(one.halide_mol_l for one in found) > 0:
        raise OptionError(
            "the populations hold no halide", where="exchange_halides", allowed="more than 0 mol/L"
        )
    return found


def _checked_times(time_s: npt.ArrayLike) -> FloatArray:
    try:
        times = np.atleast_1d(np.asarray(time_s, dtype=float))
    except (TypeError, ValueError):
        times = np.array([np.nan])
    good = times.ndim == 1 and times.size and np.all(np.isfinite(times)) and times.min() >= 0
    if not (good and np.all(np.diff(times) > 0)):
        raise OptionError(
            "the times cannot be used", where="time_s", allowed="finite, ascending, in seconds from 0 on"
        )
    return times
