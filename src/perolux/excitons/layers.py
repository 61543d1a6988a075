"""`Layers`: which physics stands in the model of one nanocrystal, each with its switch and its rivals."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args

from perolux.errors import OptionError

__all__ = ["Coherence", "GroundState", "Layers", "MassOutside", "Masses", "Screening", "require_layers"]

Masses = Literal["equal", "arpes"]
MassOutside = Literal["free", "coupled"]
Screening = Literal["effective", "haken"]
GroundState = Literal["dark", "bright"]
Coherence = Literal["none", "localisation", "linewidth"]


@dataclass(frozen=True)
class Layers:
    """The layers on top of the correlated pair behind hard walls.

    nonparabolic: masses grow with the confinement energy (two coupled bands and the J = 3/2 band).
    barrier: walls of the recorded height and outside mass, else infinite. dielectric: self-energy and image
    interaction of the surroundings. masses: "equal" (each twice the reduced mass) or "arpes" (the hole mass
    on record). mass_outside: of a carrier in the barrier, "free" (the record) or "coupled" (what the Kane
    coupling gives there; it leaks less). screening: "effective" (one dielectric constant from the binding of
    the bulk exciton) or "haken" (between the high-frequency and the static one). ground_state: "dark"
    (measured order, the default) or "bright" (the rival picture of the review). coherence: what limits the
    volume that emits coherently: "localisation" by disorder, "linewidth" or "none".
    """

    nonparabolic: bool = True
    barrier: bool = True
    dielectric: bool = True
    masses: Masses = "equal"
    mass_outside: MassOutside = "free"
    screening: Screening = "effective"
    ground_state: GroundState = "dark"
    coherence: Coherence = "localisation"

    def __post_init__(self) -> None:
        for name, names in (
            ("masses", get_args(Masses)),
            ("mass_outside", get_args(MassOutside)),
            ("screening", get_args(Screening)),
            ("ground_state", get_args(GroundState)),
            ("coherence", get_args(Coherence)),
        ):
            if getattr(self, name) not in names:
                raise OptionError(
                    f"unknown {name} {getattr(self, name)!r}", where="layers", allowed=", ".join(names)
                )

    def as_dict(self) -> dict[str, bool | str]:
        """The switches by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def require_layers(layers: Layers | None, where: str) -> Layers:
    """The layers, all of them for None; raises `OptionError` for anything but a `Layers` or None.

    >>> require_layers(None, "passport") == Layers()
    True
    """
    if layers is None:
        return Layers()
    if not isinstance(layers, Layers):
        raise OptionError(
            f"layers = {layers!r}"
            if isinstance(layers, str | bool)
            else f"a {type(layers).__name__} as layers",
            where=where,
            allowed="a Layers, or None for the defaults",
            fix="for example layers=perolux.excitons.Layers(barrier=False)",
        )
    return layers
