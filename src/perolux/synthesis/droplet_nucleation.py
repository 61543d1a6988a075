"""Few nuclei in a small volume: the mean population is that of no droplet.

The chance that a droplet of volume V holds no nucleus is that none formed while nothing was taken up,

    P(0) = exp(-int J V dt),  J at the full supply       P(k) = Lambda^k exp(-Lambda)/k!,  Lambda = int J V dt

the second as long as what has formed does not slow what follows. Where crystals use up the monomer,
`sample_droplets` carries out droplets one by one: nuclei come as an inhomogeneous Poisson process with the
droplet's own J, which falls as its own crystals grow. The next is born where int J V dt since the last equals
a unit exponential: exact up to the tolerance of the steps, without thinning. Growth follows the law of the
cohorts; the integrator is another one. The barrier is that of an open solution: it holds where a nucleus
takes little of what a droplet has, and none forms of more than there is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import ConvergenceError, ModelRangeError, OptionError
from perolux.synthesis.cohorts import TOLERANCE
from perolux.synthesis.conditions import Conditions
from perolux.synthesis.laws import barrier_kt, nucleation_rate_per_m3_s
from perolux.synthesis.models import ClassicalGrowth

__all__ = ["FEW_NUCLEI", "DropletSample", "sample_droplets", "undepleted_nuclei_per_m3"]

FloatArray = npt.NDArray[np.float64]
FEW_NUCLEI = 100.0
"""Below so many expected nuclei a droplet, numbers scatter by more than 10 % from droplet to droplet."""
_MOST_STEPS = 2_000_000
_MOST_CRYSTALS = 4096


@dataclass(frozen=True)
class DropletSample:
    """Droplets carried out one by one, at their own times; arrays (droplets, times).

    nuclei: formed so far. expected_nuclei: int J V dt of that droplet with its own depletion.
    dissolved_mol_m3: monomer in solution, and bound_mol_m3 in crystals, per m^3 of droplet. radii_m[i][k]:
    half edges (radii) of the crystals of droplet k at time i.
    """

    volume_m3: float
    nuclei: npt.NDArray[np.int64]
    expected_nuclei: FloatArray
    dissolved_mol_m3: FloatArray
    bound_mol_m3: FloatArray
    radii_m: tuple[tuple[FloatArray, ...], ...]

    @property
    def crystals(self) -> npt.NDArray[np.int64]:
        """Crystals in each droplet, what has dissolved left out."""
        return np.array([[len(r) for r in at] for at in self.radii_m], dtype=np.int64).T

    def summary(self, i: int) -> dict[str, float | int | None]:
        """What differs from droplet to droplet at one time, and the sizes of all crystals together."""
        number = self.crystals[:, i]
        every = np.concatenate(self.radii_m[i])
        share = float(np.mean(number == 0))
        means = np.array([2e9 * r.mean() for r in self.radii_m[i] if len(r)])
        mean = 2e9 * float(every.mean()) if len(every) else None
        total = self.dissolved_mol_m3[:, i] + self.bound_mol_m3[:, i]
        with np.errstate(invalid="ignore"):
            taken = np.where(total > 0, self.bound_mol_m3[:, i] / total, 0.0)
        return {
            "droplets": len(number),
            "crystals_mean": float(number.mean()),
            "crystals_sd": float(number.std(ddof=1)),
            "without_crystals": share,
            "without_crystals_error": float(np.sqrt(share * (1.0 - share) / len(number))),
            "mean_edge_nm": mean,
            "cv": 2e9 * float(every.std()) / mean if mean else None,
            "droplet_mean_edge_sd_nm": float(means.std(ddof=1)) if len(means) > 1 else None,
            "bound_share_mean": float(taken.mean()),
            "bound_share_sd": float(taken.std(ddof=1)),
        }


def undepleted_nuclei_per_m3(
    model: ClassicalGrowth, conditions: Conditions, times_s: Sequence[float] | FloatArray
) -> FloatArray:
    """int J dt (1/m^3) from the first knot to each time (rising), as if nothing were taken up by crystals.

    Gauss-Legendre with eight points between each two knots; in the liquid as it is.
    """
    times = np.asarray(times_s, dtype=float)
    knots = np.unique(np.concatenate((conditions.time_s[conditions.time_s < times[-1]], times)))
    knots = np.concatenate((conditions.time_s[:1], knots[knots > conditions.time_s[0]]))
    x, w = np.polynomial.legendre.leggauss(8)
    half = 0.5 * np.diff(knots)
    t = (0.5 * (knots[1:] + knots[:-1]))[:, None] + half[:, None] * x

    def column(name: str) -> FloatArray:
        return np.interp(t, conditions.time_s, getattr(conditions, name))

    supply = column("supplied_mol_m3") / column("volume_ratio")
    constant, complexant = column("dissociation_mol_m3"), column("complexant_mol_m3")
    b = complexant + constant
    with np.errstate(invalid="ignore", divide="ignore"):
        free = np.where(
            constant > 0, 2.0 * constant * supply / (b + np.sqrt(b * b + 4.0 * constant * supply)), supply
        )
    s = free / column("solubility_mol_m3")
    temperature, energy = column("temperature_k"), column("surface_energy_j_m2")
    barrier = column("barrier_factor") * barrier_kt(
        energy, model.formula_volume_m3, temperature, s, model.shape
    )
    rate = nucleation_rate_per_m3_s(column("ln_prefactor"), barrier, s)
    total = np.concatenate(([0.0], np.cumsum(half * (rate @ w))))
    return total[np.searchsorted(knots, times)]


def sample_droplets(
    model: ClassicalGrowth,
    conditions: Sequence[Conditions],
    times_s: FloatArray,
    volume_m3: float,
    rng: np.random.Generator,
    *,
    tolerance: float = TOLERANCE,
) -> DropletSample:
    """Carry out droplets of one volume: conditions[k] until times_s[k], shape (droplets, times), rising.

    The volume is that at the start. Raises `OptionError` where crystals are too many to follow one by one or
    the law has sites or a covering ligand, `ConvergenceError` where steps do not suffice.
    """
    from perolux.synthesis import _droplet_kernels as kernels

    if model.sites_per_m3 or model.ligand_binding_m3_mol:
        raise OptionError("sites and covering ligands are not in the law of single droplets")
    times = np.ascontiguousarray(times_s, dtype=float)
    if times.ndim != 2 or len(times) != len(conditions) or not 0 < volume_m3 < np.inf:
        raise OptionError("single droplets", allowed="times of shape (droplets, times), a volume above 0")
    _, parameters = model.packed()
    count, moments = times.shape
    nuclei = np.zeros((count, moments), dtype=np.int64)
    expected, dissolved, bound = (np.zeros((count, moments)) for _ in range(3))
    radii: list[list[FloatArray]] = [[] for _ in range(moments)]
    for k in range(count):
        knots, table, sections = conditions[k].table()
        draws = rng.standard_exponential(256)
        while True:
            out, sizes = np.zeros((moments, 4)), np.zeros((moments, len(draws)))
            state, reached = kernels.droplet(
                parameters,
                knots,
                table,
                sections,
                volume_m3,
                draws,
                times[k],
                tolerance,
                _MOST_STEPS,
                out,
                sizes,
            )
            if state != kernels.FULL:
                break
            if len(draws) >= _MOST_CRYSTALS:
                raise ModelRangeError(
                    f"more than {len(draws)} nuclei in one droplet at {reached:.4g} s",
                    fix="use the mean population: with so many there is none other",
                )
            # the same droplet from the start, with the draws that it had and as many new ones
            draws = np.concatenate((draws, rng.standard_exponential(len(draws))))
        if state != kernels.DONE:
            raise ConvergenceError(
                f"a droplet came to {reached:.6g} s of {times[k, -1]:.6g} s",
                fix=f"give a larger tolerance than {tolerance:g}, or end earlier",
            )
        nuclei[k] = out[:, kernels.NUCLEI]
        expected[k], dissolved[k] = out[:, kernels.EXPECTED], out[:, kernels.DISSOLVED]
        for i in range(moments):
            sized = sizes[i, : int(out[i, kernels.ALIVE])].copy()
            radii[i].append(sized)
            bound[k, i] = model.amount_per_r3 * float(np.sum(sized**3)) / volume_m3
    return DropletSample(volume_m3, nuclei, expected, dissolved, bound, tuple(tuple(one) for one in radii))
