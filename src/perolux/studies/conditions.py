"""The conditions of a study: which of them the user gave, which are assumed, and whether records exist."""

from __future__ import annotations

import tomllib
from contextlib import suppress
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from perolux.errors import NotAvailableError
from perolux.quantities import Value

if TYPE_CHECKING:
    from perolux.inference import SizePrior
    from perolux.studies.schema import ConditionsBlock, StudyFile

__all__ = ["assumed_temperature", "check_material", "prior_of", "temperature_of"]


@cache
def assumed_temperature() -> Value:
    """The temperature in K that stands where a study gives none, as an assumed `Value`."""
    text = files("perolux.studies").joinpath("assumptions.toml").read_text("utf-8")
    return Value(key="study.temperature_k", **tomllib.loads(text)["temperature_k"])


def temperature_of(conditions: ConditionsBlock) -> float:
    """The temperature in K at which the sizes are computed: the study's, or the assumed one."""
    if conditions.temperature_k is None:
        return assumed_temperature().number
    return conditions.temperature_k


def prior_of(spec: StudyFile) -> SizePrior:
    """The prior over sizes that the study states."""
    from perolux.inference import SizePrior

    return SizePrior(**spec.prior.model_dump())


def check_material(spec: StudyFile) -> None:
    """Raise where the material, the temperature or the prior of the study has no record to rest on."""
    if spec.conditions.material is not None:
        from perolux import inference

        # What nobody has measured becomes the reason of each missing size; the rest of the study is done.
        with suppress(NotAvailableError):
            inference.check_material(
                spec.conditions.material, temperature_of(spec.conditions), prior_of(spec)
            )
