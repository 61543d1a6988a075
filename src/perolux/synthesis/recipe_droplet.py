"""Recipes in flow: streams that meet at the inlet of a tube, in droplets or without.

    route = "droplet"
    product = "CsPbBr3"
    [[streams]]
    flow = "20 uL/min"
    contents = [{ chemical = "PbBr2", amount = "0.188 mmol" }, { chemical = "octadecene", volume = "5 mL" }]
    [[streams]]
    ...
    [tube]
    inner_diameter = "0.5 mm"
    zones = [{ length = "30 cm", temperature = "160 degC" }]
    [droplets]
    volume = "100 nL"
    carrier_flow = "60 uL/min"
    [observe]
    detectors = ["1 cm", "10 cm", "30 cm"]

The contents of a stream are those of its stock, in any amount: what meets follows from the flow rates.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from perolux.quantities.fields import measured
from perolux.synthesis.recipe import (
    Block,
    Kinetics,
    Portion,
    PositiveSeconds,
    ProductRecipe,
    Spectra,
)

__all__ = ["DropletRecipe", "Droplets", "FlowRecipe", "PlainTubeRecipe", "Stream", "Tube", "Zone"]

MicrolitresPerMinute = Annotated[float, measured("uL/min", above=True)]
PositiveMillimetres = Annotated[float, measured("mm", above=True)]
PositiveKelvin = Annotated[float, measured("K", above=True)]
PositiveNanolitres = Annotated[float, measured("nL", above=True)]
_MOST_JITTER = 0.3


class Stream(Block):
    """[[streams]]: a stock and how fast it flows."""

    name: str = Field(default="", max_length=120, description="what the stream is called")
    flow: MicrolitresPerMinute = Field(description="flow rate, e.g. '20 uL/min'")
    contents: tuple[Portion, ...] = Field(
        min_length=1, max_length=200, description="of the stock, as for any amount of it"
    )
    temperature: PositiveKelvin | None = Field(default=None, description="at the inlet (25 degC if left out)")
    antisolvent: bool = Field(default=False, description="true: its liquid counts as antisolvent")


class Zone(Block):
    """[[tube.zones]]: a stretch of the tube at one temperature of the wall."""

    length: PositiveMillimetres = Field(description="e.g. '30 cm'")
    temperature: PositiveKelvin = Field(description="of the wall, e.g. '160 degC'")


class Tube(Block):
    """[tube]: a round tube, its zones from the inlet on."""

    inner_diameter: PositiveMillimetres = Field(description="e.g. '0.5 mm'")
    zones: tuple[Zone, ...] = Field(min_length=1, max_length=50)
    thermal_time: PositiveSeconds | None = Field(
        default=None,
        description="time in which the liquid takes the temperature of the wall; R^2/(5.78 alpha), by "
        "conduction alone, if left out",
    )

    @property
    def length_mm(self) -> float:
        """Length of all zones."""
        return sum(zone.length for zone in self.zones)


class Droplets(Block):
    """[droplets]: the train of droplets and the liquid that carries it."""

    volume: PositiveNanolitres = Field(description="of one droplet, e.g. '100 nL'")
    carrier_flow: MicrolitresPerMinute = Field(description="of the carrier, e.g. '60 uL/min'")
    mixing: PositiveSeconds | None = Field(default=None, description="time in which the streams mix in one")
    jitter: float = Field(
        default=0.0,
        ge=0.0,
        le=_MOST_JITTER,
        description="relative standard deviation of the residence time from droplet to droplet",
    )


class Detectors(Block):
    """[observe]: where along the tube the population is asked for."""

    detectors: tuple[PositiveMillimetres, ...] = Field(
        min_length=1,
        max_length=1000,
        description="distances from the inlet that rise, e.g. ['1 cm', '30 cm']",
    )
    droplets: int = Field(
        default=200,
        ge=2,
        le=10_000,
        description="droplets that are simulated one by one where nuclei are few in each",
    )
    seed: int = Field(default=1, ge=0, description="of the random numbers of those droplets")

    @model_validator(mode="after")
    def _rising(self) -> Detectors:
        if any(a >= b for a, b in zip(self.detectors, self.detectors[1:], strict=False)):
            raise ValueError("distances that rise, each once")
        return self


class FlowKinetics(Kinetics):
    """[kinetics]: as in a flask, and three constants of flow."""

    droplet_mixing_time_s: float | None = Field(default=None, gt=0, le=100)
    thermal_diffusivity_m2_s: float | None = Field(default=None, gt=0, lt=1e-5)
    viscosity_pa_s: float | None = Field(default=None, gt=0, lt=100)

    @model_validator(mode="after")
    def _of_flow(self) -> FlowKinetics:
        for name in ("mixing_time_s", "bath_time_constant_s"):
            if getattr(self, name) is not None:
                raise ValueError(f"{name} belongs to a flask and has no effect in a tube")
        return self


class _FlowRecipe(ProductRecipe):
    """What droplets and plain tubes have in common."""

    streams: tuple[Stream, ...] = Field(min_length=1, max_length=20)
    tube: Tube
    observe: Detectors
    spectra: Spectra = Field(default_factory=Spectra)
    kinetics: FlowKinetics = Field(default_factory=FlowKinetics)


class DropletRecipe(_FlowRecipe):
    """Droplets in a carrier: each is a flask of its own that travels along the tube."""

    route: Literal["droplet"]
    droplets: Droplets


class PlainTubeRecipe(_FlowRecipe):
    """A tube without droplets: laminar flow spreads the residence times."""

    route: Literal["tube"]
    mixing: PositiveSeconds | None = Field(
        default=None,
        description="time in which the streams mix (a mixer at the inlet); R^2/(3.39 D), side by side in the "
        "tube, if left out",
    )
    ages: Literal["apart", "mixed"] = Field(
        default="apart",
        description="apart: what is of one age stays together (segregated flow); mixed: ages mix as early as "
        "the residence times allow (maximum mixedness); the two limits",
    )

    @model_validator(mode="after")
    def _no_droplets(self) -> PlainTubeRecipe:
        if self.ages == "mixed" and len(self.tube.zones) > 1:
            raise ValueError(
                "ages = 'mixed' takes one zone: with several, liquid of one time left is in different ones"
            )
        if self.kinetics.droplet_mixing_time_s is not None:
            raise ValueError("kinetics.droplet_mixing_time_s belongs to droplets; write `mixing`")
        given = sorted({"droplets", "seed"} & self.observe.model_fields_set)
        if given:
            raise ValueError(f"observe.{given[0]} belongs to droplets")
        return self


FlowRecipe = DropletRecipe | PlainTubeRecipe
