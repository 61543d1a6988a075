"""Auger lifetimes of biexcitons and trions, and the yields of their lines.

    tau(V) = g V                             V <= Vc = (2 aB)^3: strong confinement
           = g Vc (V/Vc)^p                   up to the decline edge, p < 1
           = tau(Vd) exp((V - Vd)/Ve)        V > Vd: the rate falls exponentially

continuous in V, not in slope. Only the signs are read in sources; g is recalled as a range, p, Vc and Ve are
assumed (`perolux explain prior.auger_...`): take draws of them, or read the result as good to a factor of two
or three.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perolux.errors import ModelRangeError, OptionError
from perolux.excitons.assumptions import assumption
from perolux.excitons.pair._variation import Array

__all__ = [
    "AugerLaw",
    "auger_exponent",
    "auger_lifetime_ns",
    "auger_rate_scaling",
    "auger_regime",
    "default_auger_law",
    "emission_yield",
    "extended_auger_lifetime_ns",
    "radiative_rate_scaling",
]


@dataclass(frozen=True)
class AugerLaw:
    """The numbers of the law; each may be an array of draws that broadcasts with the volumes.

    slope_ns_per_nm3: g; crossover_edge_over_bohr: edge of the equal-volume cube over aB at Vc; exponent: p;
    decline_edge_nm: edge at Vd; decline_volume_nm3: Ve; eeh_share: part of the biexciton's rate that
    excites an electron.
    """

    slope_ns_per_nm3: ArrayLike
    crossover_edge_over_bohr: ArrayLike
    exponent: ArrayLike
    decline_edge_nm: ArrayLike
    decline_volume_nm3: ArrayLike
    eeh_share: ArrayLike

    def __post_init__(self) -> None:
        share = np.asarray(self.eeh_share)
        rest = (
            self.slope_ns_per_nm3,
            self.crossover_edge_over_bohr,
            self.exponent,
            self.decline_edge_nm,
            self.decline_volume_nm3,
        )
        positive = all(bool(np.all(np.asarray(one) > 0)) for one in rest)
        if not (positive and bool(np.all((share >= 0) & (share <= 1)))):
            raise OptionError(
                "a number of the Auger law is out of its domain",
                allowed="numbers above 0, a share from 0 to 1",
            )


def default_auger_law(rng: np.random.Generator | None = None, draws: int = 1) -> AugerLaw:
    """The law with the middle of every record, or with `draws` uniform draws within their ranges."""
    names = (
        "auger_volume_slope_ns_per_nm3",
        "auger_crossover_edge_over_bohr",
        "auger_sublinear_exponent",
        "auger_decline_edge_nm",
        "auger_decline_volume_nm3",
        "auger_eeh_share",
    )
    values: list[ArrayLike] = []
    for name in names:
        record = assumption(name)
        if rng is None or record.low is None or record.high is None:
            values.append(np.float64(record.number))
        else:
            values.append(rng.uniform(record.low, record.high, draws))
    return AugerLaw(*values)


def auger_lifetime_ns(
    kind: str, volume_nm3: ArrayLike, bohr_radius_nm: ArrayLike, law: AugerLaw | None = None
) -> Array:
    """Auger lifetime (ns) of a biexciton or trion in a nanocrystal of any compact shape; arguments broadcast.

    The law of the module for the biexciton; a trion lives `auger_rate_scaling` times longer. kind:
    "biexciton", "trion-" or "trion+". Raises `ModelRangeError` for volumes or Bohr radii that are not above
    0. Platelets and rods: `extended_auger_lifetime_ns`.

    >>> auger_lifetime_ns("biexciton", 64.0, 3.07).round(4).item()  # a 4 nm cube
    0.0048
    """
    law = default_auger_law() if law is None else law
    volume, crossover, decline = _volumes(volume_nm3, bohr_radius_nm, law)
    slope, exponent = np.asarray(law.slope_ns_per_nm3), np.asarray(law.exponent)
    compact = np.minimum(volume, decline)
    lifetime = (
        slope * np.minimum(compact, crossover) * (np.maximum(compact, crossover) / crossover) ** exponent
    )
    growth = np.maximum(volume - decline, 0.0) / np.asarray(law.decline_volume_nm3)
    # beyond e^600 no clock can tell; a float cannot either
    lifetime = lifetime * np.exp(np.minimum(growth, 600.0))
    return np.asarray(lifetime / auger_rate_scaling(kind, law.eeh_share))


def auger_regime(
    volume_nm3: ArrayLike, bohr_radius_nm: ArrayLike, law: AugerLaw | None = None
) -> NDArray[np.str_]:
    """Which part of the law holds: "strong", "sublinear" or "exponential"."""
    law = default_auger_law() if law is None else law
    volume, crossover, decline = _volumes(volume_nm3, bohr_radius_nm, law)
    return np.where(volume > decline, "exponential", np.where(volume > crossover, "sublinear", "strong"))


def auger_exponent(volume_nm3: ArrayLike, bohr_radius_nm: ArrayLike, law: AugerLaw | None = None) -> Array:
    """d ln(tau)/d ln(V) of the law: 1, p, then V/Ve."""
    law = default_auger_law() if law is None else law
    volume, crossover, decline = _volumes(volume_nm3, bohr_radius_nm, law)
    far = volume / np.asarray(law.decline_volume_nm3)
    near = np.where(volume > crossover, np.asarray(law.exponent), 1.0)
    return np.asarray(np.where(volume > decline, far, near))


def _volumes(volume_nm3: ArrayLike, bohr_radius_nm: ArrayLike, law: AugerLaw) -> tuple[Array, Array, Array]:
    volume, bohr = np.asarray(volume_nm3, dtype=np.float64), np.asarray(bohr_radius_nm, dtype=np.float64)
    if not (bool(np.all(volume > 0)) and bool(np.all(bohr > 0))):
        raise ModelRangeError(
            "a volume or Bohr radius is not above 0", where="Auger lifetime", allowed="numbers above 0"
        )
    crossover = (np.asarray(law.crossover_edge_over_bohr) * bohr) ** 3
    # where the Bohr radius is so large that the linear law would run into the decline, it ends there
    decline = np.maximum(np.asarray(law.decline_edge_nm, dtype=np.float64) ** 3, crossover)
    return np.broadcast_arrays(volume, crossover, decline)[:3]  # type: ignore[return-value]


def auger_rate_scaling(kind: str, eeh_share: ArrayLike = 0.5, excitons: int = 2) -> Array:
    """Auger rate over that of the biexciton, by counting the ways (equal rate for each).

    An electron-hole pair recombines and a third carrier takes the energy: N_e (N_e - 1) N_h/2 ways with an
    electron, N_e N_h (N_h - 1)/2 with a hole. Biexciton: 2 and 2; trion: 1 and 0. With the share s of the
    electron's ways in the biexciton's rate: trion- s/2, trion+ (1 - s)/2 (both 1/4 for s = 1/2, lifetime
    fourfold), N excitons N^2 (N - 1)/4. kind: "biexciton", "trion-", "trion+" or "excitons" (N = `excitons`).
    Source: counting; the rate of a way is taken not to depend on how many other carriers are there.

    >>> float(auger_rate_scaling("trion-")), float(auger_rate_scaling("excitons", excitons=3))
    (0.25, 4.5)
    """
    share = np.asarray(eeh_share, dtype=np.float64)
    if kind == "biexciton":
        return np.ones_like(share)
    if kind in ("trion-", "trion+"):
        return np.asarray(0.5 * (share if kind == "trion-" else 1.0 - share))
    if kind == "excitons" and excitons >= 1:
        return np.full_like(share, 0.25 * excitons**2 * (excitons - 1))
    raise OptionError(
        f"no Auger rate of {kind!r} ({excitons} excitons)",
        allowed="biexciton, trion-, trion+, excitons (1 or more)",
    )


def radiative_rate_scaling(kind: str, bright_occupation: ArrayLike = 0.75) -> Array:
    """Radiative rate of a complex over that of the exciton, by counting pairs that may recombine.

    Spins of different pairs are independent in a biexciton or trion with filled shells, so each of its pairs
    (4; trion 2) is bright in 3 of 4 of its states. `bright_occupation`: how often the exciton is bright,
    3/4 where dark and bright are equally populated (statistical scaling, factors 4 and 2); 1 where only
    bright states are (3 and 1.5). Enhancement by correlation is taken to be the same for all.

    >>> radiative_rate_scaling("biexciton").item(), radiative_rate_scaling("trion-", 1.0).item()
    (4.0, 1.5)
    """
    occupation = np.asarray(bright_occupation, dtype=np.float64)
    if not bool(np.all((occupation > 0) & (occupation <= 1))):
        raise OptionError("occupation of the bright exciton", allowed="above 0, up to 1")
    pairs = {"exciton": None, "trion-": 2.0, "trion+": 2.0, "biexciton": 4.0}
    if kind not in pairs:
        raise OptionError(f"no radiative rate of {kind!r}", allowed=", ".join(pairs))
    number = pairs[kind]
    return np.ones_like(occupation) if number is None else np.asarray(0.75 * number / occupation)


def emission_yield(
    kind: str,
    exciton_radiative_ns: ArrayLike,
    biexciton_auger_ns: ArrayLike,
    *,
    other_loss_ns: ArrayLike = np.inf,
    bright_occupation: ArrayLike = 0.75,
    eeh_share: ArrayLike = 0.5,
) -> Array:
    """Quantum yield of the emission step of an exciton, trion or biexciton.

    radiative/(radiative + Auger + other), with `radiative_rate_scaling` and `auger_rate_scaling`; the
    exciton has no Auger rate. other_loss_ns: lifetime of one pair against all else (traps); a complex loses
    at that rate times its number of pairs (biexciton 2, else 1).

    >>> emission_yield("biexciton", 4.0, 1.0).item()
    0.5
    """
    radiative = radiative_rate_scaling(kind, bright_occupation) / np.asarray(
        exciton_radiative_ns, dtype=float
    )
    other = (2.0 if kind == "biexciton" else 1.0) / np.asarray(other_loss_ns, dtype=float)
    auger = np.float64(0.0)
    if kind != "exciton":
        auger = auger_rate_scaling(kind, eeh_share) / np.asarray(biexciton_auger_ns, dtype=float)
    total = radiative + auger + other
    if not bool(np.all((radiative > 0) & (other >= 0) & (auger >= 0))):
        raise OptionError("a lifetime is not above 0", where="emission yield", allowed="lifetimes above 0 ns")
    return np.asarray(radiative / total)


def extended_auger_lifetime_ns(
    extent: ArrayLike, reference_extent: ArrayLike, reference_lifetime_ns: ArrayLike
) -> Array:
    """Biexciton Auger lifetime of platelets (extent: lateral area) or rods (length), at fixed confinement.

    tau = tau_ref extent/extent_ref: two excitons meet in proportion to 1/extent. No absolute lifetime of a
    perovskite platelet or rod is on record here, so a measured reference is needed. Holds where the extent is
    larger than the exciton. Source: linear in lateral area (index record W2953956715, abstract), in length
    for rods (same).

    >>> extended_auger_lifetime_ns(400.0, 100.0, 0.01).item()
    0.04
    """
    extent, reference = np.asarray(extent, dtype=float), np.asarray(reference_extent, dtype=float)
    lifetime = np.asarray(reference_lifetime_ns, dtype=float)
    if not all(bool(np.all(one > 0)) for one in (extent, reference, lifetime)):
        raise ModelRangeError("an extent or lifetime is not above 0", allowed="numbers above 0")
    return np.asarray(lifetime * extent / reference)
