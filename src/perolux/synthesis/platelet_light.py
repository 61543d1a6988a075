"""PL of platelets beside cubes: a band of each class, at the energy that the room `excitons` gives it.

    PL(E) = PLQY sum_i n_i V_i g(E - E_i)/sum_i n_i V_i

E_i is the emission of a cuboid of the class's edges, of an exciton in a wide plate where they differ by more
than a factor of 9 (there the cuboid's pair is not on record), of a cube for the cubes; g is a Gaussian of the
homogeneous width of the material. All absorb as their volume does, which holds far above the gap; no cross
sections of cuboids are at hand, so that there is no absorbance and no reabsorption. Excitons do not move from
thin platelets to thick ones here.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from perolux.quantities.constants import HC_EV_NM
from perolux.synthesis.inline_spectra import (
    LEAST_EDGE_NM,
    InlineSpectra,
    Spectrometer,
    through_slit,
    with_noise,
)
from perolux.synthesis.platelets import CLASS_NAMES, MONOLAYERS, PlateletHistory
from perolux.synthesis.schedule import formula_volume_m3

__all__ = ["platelet_bands_nm", "platelet_spectra"]

FloatArray = npt.NDArray[np.float64]
_THINNEST = 9.0
"""Largest factor between the edges of a cuboid of which the room `excitons` answers."""
_TRACE = 1e-9
"""Part of all crystals below which a class is not looked at: its edge may be that of rounding."""
_NO_CROSS_SECTIONS = "no cross sections of platelets are at hand"


def platelet_spectra(
    history: PlateletHistory,
    product: str,
    spectrometer: Spectrometer | None = None,
    *,
    sets: str | None = None,
    seed: int = 0,
) -> InlineSpectra:
    """PL at each time under each parameter set, or under one by name; photons per nm and photon absorbed.

    Classes whose edge is below `LEAST_EDGE_NM` give no light and are counted (`left_out`); their thickness
    may be less: of 2 and 3 monolayers it is, and their lines are extrapolated. Raises what the room
    `excitons` raises for a material without optical records.
    """
    from perolux.excitons.light.spectra import gaussian_line
    from perolux.excitons.pair_light import homogeneous_width_mev
    from perolux.excitons.parameters import parameters_of

    used = spectrometer or Spectrometer()
    edge, amount = 1e9 * history.edge_m, history.amount_mol_m3
    there, seen = _seen(history)
    parameters = parameters_of(product, used.temperature_k, sets=sets, draws=0)
    names = tuple(one.set_name for one in parameters)
    energy = _emission_ev(edge, seen, product, used.temperature_k, sets, len(names))
    weight = np.where(seen, amount, 0.0)
    total = weight.sum(axis=1)
    at = HC_EV_NM / used.wavelength_nm
    pl = np.zeros((len(names), len(edge), len(at)))
    for k, one in enumerate(parameters):
        line = gaussian_line(1e-3 * float(homogeneous_width_mev(one)[0]))
        for i in np.flatnonzero(total > 0):
            here = seen[i]
            bands = line(at - energy[k, i, here][:, None])
            per_ev = used.plqy * (weight[i, here] / total[i]) @ bands
            pl[k, i] = through_slit(per_ev * HC_EV_NM / used.wavelength_nm**2, used)
    held = np.where(there, amount, 0.0).sum(axis=1)
    left_out = np.where(held > 0, 1.0 - total / np.where(held > 0, held, 1.0), 0.0)
    return InlineSpectra(
        sets=names,
        time_s=history.time_s,
        wavelength_nm=used.wavelength_nm,
        absorbance=None,
        pl=with_noise(pl, used, np.random.default_rng(seed)),
        left_out=left_out,
        spectrometer=used,
        reasons={"absorbance": _NO_CROSS_SECTIONS},
    )


def platelet_bands_nm(
    history: PlateletHistory, product: str, index: int, temperature_k: float = 298.15
) -> dict[str, dict[str, float]]:
    """Where each class that gives light emits (nm) at one time, by class and parameter set."""
    from perolux.excitons.parameters import parameters_of

    seen = _seen(history)[1][index : index + 1]
    sets = [one.set_name for one in parameters_of(product, temperature_k, draws=0)]
    energy = _emission_ev(
        1e9 * history.edge_m[index : index + 1], seen, product, temperature_k, None, len(sets)
    )
    return {
        name: {one: float(HC_EV_NM / energy[k, 0, i]) for k, one in enumerate(sets)}
        for i, name in enumerate(CLASS_NAMES)
        if seen[0, i]
    }


def _seen(history: PlateletHistory) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which classes are more than a trace at each time, and which of them give light."""
    edge, amount = 1e9 * history.edge_m, history.amount_mol_m3
    there = np.isfinite(edge) & (amount > _TRACE * amount.sum(axis=1, keepdims=True))
    return there, there & (edge >= LEAST_EDGE_NM)


def _emission_ev(
    edge_nm: FloatArray,
    seen: npt.NDArray[np.bool_],
    product: str,
    temperature_k: float,
    sets: str | None,
    count: int,
) -> FloatArray:
    """Emission (eV) of each class at each time, (sets, times, classes); NaN where `seen` is False."""
    from perolux.ensemble import Population, from_table
    from perolux.excitons.populations import population

    found = np.full((count, *edge_nm.shape), np.nan)
    monolayer = 1e9 * formula_volume_m3(product) ** (1.0 / 3.0)
    layers = np.append(MONOLAYERS, 0)[np.newaxis, :]
    thick = np.broadcast_to(monolayer * layers, edge_nm.shape)
    wide = seen & (layers > 0) & (edge_nm > _THINNEST * thick)
    sorts: list[tuple[str, npt.NDArray[np.bool_], int | None]] = [
        ("cube", seen & (layers == 0), None),
        ("cuboid", seen & (layers > 0) & ~wide, None),
    ]
    sorts += [("platelet", wide & (layers == m), int(m)) for m in MONOLAYERS]
    for shape, chosen, count_of in sorts:
        if not chosen.any():
            continue
        side = edge_nm[chosen]
        lengths = {"cube": side, "cuboid": np.column_stack([side, side, thick[chosen]])}
        kind = Population(
            shape=shape,  # type: ignore[arg-type]
            size_convention="core-edge",
            material=product,
            monolayers=count_of,
            monolayer_nm=None if count_of is None else monolayer,
        )
        crystals = from_table(lengths.get(shape, np.column_stack([side, side])), kind)
        light = population(crystals, temperature_k=temperature_k, sets=sets)
        found[:, chosen] = light["emission_ev"].values
    return found
