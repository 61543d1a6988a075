"""The states of one nanocrystal: three bright excitons, a dark one, biexciton, trion, trap.

    ground --capture--> x, y, z, dark --capture--> biexciton --emission--> x, y, z (dark) --> ground
    biexciton --Auger--> exciton (all four alike), or --ionisation--> charged --capture--> trion

Radiation of the biexciton into exciton i has the rate of exciton i: its photons are those of the ground
state in the other order (`excitons.many.auger.radiative_rate_scaling`, factor 3 for bright levels). The trion
radiates with 3/2 of the mean bright rate. Levels exchange population by phonons
(`excitons.levels.relaxation`). A biexciton and a trion take up no further pair: valid where captures are
rarer than their decay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from perolux.errors import NotAvailableError, OptionError
from perolux.excitons.crystal import Nanocrystal
from perolux.excitons.levels.relaxation import rate_matrix as level_matrix
from perolux.excitons.light.rates import Levels
from perolux.excitons.many.auger import radiative_rate_scaling
from perolux.photons.emitter import Emitter, Step

__all__ = ["EmitterNumbers", "emitter_numbers", "nanocrystal_emitter"]

_NAMES = ("dark", "x", "y", "z")


@dataclass(frozen=True)
class EmitterNumbers:
    """What the excitons room says of one nanocrystal, one parameter set: `nanocrystal_emitter` takes it.

    levels: dark, then three bright (rates: radiative, without losses); exciton_ev: of the lowest level;
    biexciton_shift_ev: of its line against the exciton's; biexciton_auger_per_ns. rests_on: keys of records.
    """

    levels: Levels
    exciton_ev: float
    biexciton_shift_ev: float | None
    biexciton_auger_per_ns: float
    temperature_k: float
    parameter_set: str
    rests_on: tuple[str, ...] = ()


def emitter_numbers(crystal: Nanocrystal, parameter_set: str | None = None) -> EmitterNumbers:
    """Levels, rates and Auger rate of a nanocrystal from the excitons room, at the middle of its records.

    parameter_set: a name; None takes the first. Raises `NotAvailableError` where the fine structure or the
    bright lifetime is not on record.
    """
    from perolux.excitons.many.auger import auger_lifetime_ns
    from perolux.excitons.properties import passport
    from perolux.materials import parameter_sets
    from perolux.materials.material import material

    names = parameter_sets(crystal.material)
    chosen = parameter_set or (names[0] if names else None)
    found = passport(crystal, sets=None if chosen is None else [chosen], draws=0)
    needed = {
        "bright lifetime": found.bright_lifetime_ns,
        "bright-dark splitting": found.bright_dark_mev,
        "emission": found.emission_ev,
    }
    missing = [f"{name}: {one.reason}" for name, one in needed.items() if one.spread is None]
    if missing:
        raise NotAvailableError("; ".join(missing), where=crystal.material)
    assert found.bright_lifetime_ns.spread and found.bright_dark_mev.spread and found.emission_ev.spread
    lifetime = found.bright_lifetime_ns.spread.median
    gap = found.bright_dark_mev.spread.median
    steps = [0.0 if one.spread is None else one.spread.median for one in found.bright_splittings_mev]
    bright = np.cumsum([0.0, *steps])
    bright += gap - bright.mean()
    host = material(crystal.material, crystal.temperature_k, parameter_set=chosen)
    volume = float(np.ravel(crystal.as_crystals.volume_nm3)[0])
    auger = float(auger_lifetime_ns("biexciton", volume, host.value("bohr_radius").number))
    shift = found.biexciton_shift_mev.spread
    return EmitterNumbers(
        Levels.of([0.0, *bright], [0.0, *[1.0 / lifetime] * 3]),
        found.emission_ev.spread.median,
        None if shift is None else 1e-3 * shift.median,
        1.0 / auger,
        crystal.temperature_k,
        found.set_names[0],
        tuple(value.key for value in found.rests_on),
    )


def nanocrystal_emitter(
    levels: Levels,
    temperature_k: float,
    *,
    one_phonon_per_ns: npt.ArrayLike = 0.0,
    two_phonon_per_ns: npt.ArrayLike = 0.0,
    phonon_mev: float | None = None,
    exciton_loss_per_ns: float = 0.0,
    biexciton_auger_per_ns: float = 0.0,
    ionised_share: float = 0.0,
    neutralisation_per_ns: float = 0.0,
    trion_auger_per_ns: float = 0.0,
    trapping_per_ns: float = 0.0,
    release_per_ns: float = 0.0,
    trap_loss_per_ns: float = 0.0,
    filling: Sequence[float] = (0.25, 0.25, 0.25, 0.25),
    detected: float | Sequence[float] = 1.0,
    biexciton_detected: float | Sequence[float] | None = None,
    exciton_ev: float | None = None,
    biexciton_shift_ev: float | None = None,
    trion_shift_ev: float | None = None,
) -> Emitter:
    """States and steps of one nanocrystal from its four exciton levels.

    levels: dark, x, y, z with radiative rates (the dark one may have a small rate, or nothing but phonons
    empties it). one_phonon_per_ns, two_phonon_per_ns: couplings of the dark level to each bright one, or a
    symmetric (4, 4) matrix; phonon_mev: as in `excitons.levels.relaxation`.
    ionised_share: of the biexciton's Auger events; with it "charged" and "trion" are there, and
    neutralisation_per_ns must lead back. trapping_per_ns, release_per_ns (back to the four levels alike),
    trap_loss_per_ns: of a trap. filling: of the four levels by a captured pair. detected: of all photons, or
    of the four levels (a polariser: the photons from biexciton to x and from x have one polarisation);
    biexciton_detected: of the biexciton's where a filter treats them apart. Raises `OptionError`.
    """
    if levels.energy_mev.shape != (4,):
        raise OptionError("not four exciton levels", where="levels", allowed="dark, x, y, z")
    share = np.asarray(filling, dtype=float)
    if share.shape != (4,) or np.any(share < 0) or abs(share.sum() - 1) > 1e-9:
        raise OptionError("a filling that does not fit", where="filling", allowed="four shares, sum 1")
    if not 0 <= ionised_share <= 1:
        raise OptionError(f"an ionised share of {ionised_share:g}", where="ionised_share", allowed="0 to 1")
    if ionised_share and not neutralisation_per_ns > 0:
        raise OptionError(
            "a charged crystal that stays so for ever", where="neutralisation_per_ns", allowed="above 0"
        )
    if trapping_per_ns and not release_per_ns + trap_loss_per_ns > 0:
        raise OptionError(
            "a trap that nothing leaves", where="release_per_ns", allowed="above 0, or a trap loss"
        )
    transfers = level_matrix(
        Levels.of(levels.energy_mev, 0.0),
        temperature_k,
        one_phonon_per_ns=_between(one_phonon_per_ns),
        two_phonon_per_ns=_between(two_phonon_per_ns),
        phonon_mev=phonon_mev,
    )
    seen = _four(detected, "detected")
    pair_seen = seen if biexciton_detected is None else _four(biexciton_detected, "biexciton_detected")
    states = ["ground", *_NAMES, "biexciton"]
    steps: list[Step] = []
    shift = biexciton_shift_ev or 0.0
    for k, name in enumerate(_NAMES):
        rate = float(levels.rate_per_ns[k])
        line = None if exciton_ev is None else exciton_ev + 1e-3 * float(levels.energy_mev[k])
        # the biexciton's photon leaves level k behind: E(XX) - E(k)
        pair_line = None if exciton_ev is None else exciton_ev - 1e-3 * float(levels.energy_mev[k]) + shift
        steps += [
            Step(name, "ground", rate, "emission", float(seen[k]), line),
            Step("biexciton", name, rate, "emission", float(pair_seen[k]), pair_line),
            Step(name, "ground", exciton_loss_per_ns, "loss"),
            Step("biexciton", name, 0.25 * biexciton_auger_per_ns * (1 - ionised_share), "loss"),
            Step("biexciton", name, 0.5 * exciton_loss_per_ns, "loss"),
            Step("ground", name, float(share[k]), "pump"),
            Step(name, "biexciton", 1.0, "pump"),
        ]
        steps += [
            Step(name, _NAMES[j], float(transfers[j, k]), "transfer")
            for j in range(4)
            if j != k and transfers[j, k] > 0
        ]
    if ionised_share:
        states += ["charged", "trion"]
        rate = float(radiative_rate_scaling("trion-", 1.0)) * float(levels.rate_per_ns[1:].mean())
        line = (
            None
            if exciton_ev is None
            else exciton_ev + 1e-3 * float(levels.energy_mev[1:].mean()) + (trion_shift_ev or 0.0)
        )
        steps += [
            Step("biexciton", "charged", ionised_share * biexciton_auger_per_ns, "loss"),
            Step("charged", "ground", neutralisation_per_ns, "transfer"),
            Step("charged", "trion", 1.0, "pump"),
            Step("trion", "charged", rate, "emission", float(seen[1:].mean()), line),
            Step("trion", "charged", trion_auger_per_ns + exciton_loss_per_ns, "loss"),
        ]
    if trapping_per_ns:
        states.append("trap")
        for name in _NAMES:
            steps += [
                Step(name, "trap", trapping_per_ns, "transfer"),
                Step("trap", name, 0.25 * release_per_ns, "transfer"),
            ]
        steps.append(Step("trap", "ground", trap_loss_per_ns, "loss"))
    return Emitter(tuple(states), tuple(step for step in steps if step.rate_per_ns > 0))


def _between(coupling: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """One number couples the dark level to each bright one; a matrix stays."""
    given = np.asarray(coupling, dtype=float)
    if given.ndim:
        return given
    matrix = np.zeros((4, 4))
    matrix[0, 1:] = matrix[1:, 0] = given
    return matrix


def _four(detected: float | Sequence[float], name: str) -> npt.NDArray[np.float64]:
    shares = np.asarray(detected, dtype=float)
    if shares.shape not in ((), (4,)) or np.any(shares < 0) or np.any(shares > 1):
        raise OptionError("a detection that does not fit", where=name, allowed="0 to 1, one or four")
    return np.broadcast_to(shares, (4,))
