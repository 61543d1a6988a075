"""Figures of a passport: levels, absorption, emission lines, and courses over temperature and size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perolux.reports.passport_courses import course_plots
from perolux.reports.passport_drawing import APART_K, Plot
from perolux.reports.passport_spectra import (
    absorption_plot,
    cross_section_plot,
    emission_plot,
    levels_plot,
)

if TYPE_CHECKING:
    from perolux.excitons.passport_record import Passport

__all__ = ["Plot", "draw_plots"]

_TEMPERATURES_K = (4.0, 10.0, 20.0, 40.0, 77.0, 120.0, 160.0, 200.0, 250.0, 300.0)
_SIZES = 14


def draw_plots(one: Passport) -> list[Plot]:
    """All figures of a passport; the courses over temperature and size are computed here (a few seconds)."""
    from perolux.excitons.courses import over_size, over_temperature

    sets = one.set_names if one.set_names != ("records",) else None
    own = one.crystal.temperature_k
    kelvins = sorted({own, *(kelvin for kelvin in _TEMPERATURES_K if abs(kelvin - own) > APART_K)})
    heat = over_temperature(one.crystal, kelvins, layers=one.layers, sets=sets)
    first = one.crystal.lengths_nm[0]
    sizes = sorted({*np.geomspace(min(3.0, first), max(30.0, first), _SIZES).tolist(), first})
    size = over_size(one.crystal, sizes, layers=one.layers, sets=sets)
    plots = [levels_plot(one), absorption_plot(one), cross_section_plot(one), emission_plot(one, heat)]
    return [plot for plot in plots if plot is not None] + course_plots(one, heat, size)
