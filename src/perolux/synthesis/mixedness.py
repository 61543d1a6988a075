"""A plain tube whose ages mix as early as its residence times allow: maximum mixedness, the other limit.

    dn/dt + d(G n)/dr = J delta(r - r_n) - w n      w(a) = E(a)/(1 - F(a)),   t = (longest) - a

a is the time that liquid has left until it passes the detector; all liquid of one a is mixed, and fresh feed
joins it at the rate w that keeps the distribution of residence times E (Zwietering, Chem. Eng. Sci. 11, 1
(1959), recalled). What stands at a = 0 is what the detector sees. Monomer and heat of the feed come with it:

    da/dt = (1 - a)/mixing - w a        dT/dt = (T_wall - T)/tau + w (T_inlet - T)

for the share a of the feed that has mixed in. Segregated flow (`flow.py`) has the same E and never mixes
ages; a history that is linear in what is fed gives the same under both, precipitation does not. One zone
only: where the wall changes along the tube, liquid with the same time left may be in several zones.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from perolux.errors import OptionError
from perolux.synthesis.cohorts import grow
from perolux.synthesis.history import History
from perolux.synthesis.kinetics import KineticConstants
from perolux.synthesis.ledger import Ledger
from perolux.synthesis.recipe_droplet import FlowRecipe
from perolux.synthesis.schedule import Schedule, schedule_of
from perolux.synthesis.tube import TubeFlow, flow_ledger

__all__ = ["MixedAges", "feed_rate_per_s", "grow_mixed", "way_to_a_detector"]

FloatArray = npt.NDArray[np.float64]
_LEFT = 1e-6
"""Part of the liquid that stays longer than the time at which the calculation begins."""
_KNOTS = 800


@dataclass(frozen=True)
class MixedAges:
    """What leads to a detector, against t from the oldest liquid (0) to the detector (the last time).

    nuclei_per_m3: that have formed in what passes the detector, those that dissolved again included.
    """

    ledger: Ledger
    schedule: Schedule
    history: History
    nuclei_per_m3: float


def feed_rate_per_s(left_s: npt.ArrayLike, mean_s: float, relative_sd: float) -> FloatArray:
    """Rate w (1/s) at which fresh feed joins liquid that has a time left: E/(1 - F) of the inverse Gaussian.

    0 at the detector itself; 1/(2 relative_sd^2 mean) at the oldest.
    """
    from scipy.stats import invgauss

    if not (0 < mean_s < np.inf and 0 < relative_sd < np.inf):
        raise OptionError(
            f"a residence time of {mean_s:g} s with relative sd {relative_sd:g}", allowed="both above 0"
        )
    left = np.asarray(left_s, dtype=float)
    law = invgauss(relative_sd**2, scale=mean_s / relative_sd**2)
    return np.asarray(np.exp(law.logpdf(np.maximum(left, 1e-12 * mean_s)) - law.logsf(left)))


def way_to_a_detector(mean_s: float, relative_sd: float) -> tuple[FloatArray, FloatArray]:
    """Times t (s) from the oldest liquid, of which one part in a million is older, and the time left then."""
    from scipy.stats import invgauss

    law = invgauss(relative_sd**2, scale=mean_s / relative_sd**2)
    longest = float(law.isf(_LEFT))
    time = np.linspace(0.0, longest, _KNOTS + 1)
    return time, longest - time


def grow_mixed(
    recipe: FlowRecipe,
    constants: KineticConstants,
    tube: TubeFlow,
    mean_s: float,
    relative_sd: float,
    tolerance: float,
) -> MixedAges:
    """The population that passes a detector under maximum mixedness."""
    from scipy.stats import invgauss

    time, left = way_to_a_detector(mean_s, relative_sd)
    rate = feed_rate_per_s(left, mean_s, relative_sd)
    ledger = _ledger(flow_ledger(recipe, tube, float(time[-1])), tube, time, rate)
    schedule = schedule_of(recipe.product, ledger, constants)
    schedule = replace(schedule, conditions=replace(schedule.conditions, washout_per_s=rate))
    history = grow(schedule.model, schedule.conditions, time[1:], tolerance=tolerance)
    born = np.diff(np.append(0.0, history.nuclei_per_m3))
    law = invgauss(relative_sd**2, scale=mean_s / relative_sd**2)
    stay = law.sf(0.5 * (left[1:] + left[:-1]))
    return MixedAges(ledger, schedule, history, float(born @ stay))


def _ledger(plain: Ledger, tube: TubeFlow, time: FloatArray, rate: FloatArray) -> Ledger:
    """The ledger of the tube with fresh feed on the way; all streams mix in alike."""
    mixed = _towards(time, rate, tube.mixing_s, 1.0, 0.0)
    wall = tube.zones[0][1]
    flat = np.ones_like(time)
    fed = {ion: values[-1] * flat for ion, values in plain.fed_mol_l.items()}
    streams = sum(one.amounts.volume_ml for one in plain.additions if one.kind == "antisolvent")
    return replace(
        plain,
        time_s=time,
        volume_ratio=flat,
        temperature_k=_towards(time, rate, tube.thermal_s, wall, tube.inlet_k),
        fed_mol_l=fed,
        available_mol_l={ion: values * mixed for ion, values in fed.items()},
        chemicals_mol_l={name: values[-1] * flat for name, values in plain.chemicals_mol_l.items()},
        antisolvent_fraction=mixed * (streams / tube.flow_ml_min),
        removed_fraction=0.0 * time,
    )


def _towards(time: FloatArray, rate: FloatArray, tau_s: float, end: float, fresh: float) -> FloatArray:
    """x of dx/dt = (end - x)/tau + rate (fresh - x), at first where it would come to rest; tau 0: at once."""
    if tau_s <= 0:
        return np.full_like(time, end)
    found = np.empty_like(time)
    found[0] = (end / tau_s + rate[0] * fresh) / (1.0 / tau_s + rate[0])
    for i in range(1, len(time)):
        w = 0.5 * (rate[i] + rate[i - 1])
        rest = (end / tau_s + w * fresh) / (1.0 / tau_s + w)
        found[i] = rest + (found[i - 1] - rest) * np.exp(-(1.0 / tau_s + w) * (time[i] - time[i - 1]))
    return found
