"""A small study in a folder, made by hand: a wide csv of Gaussian bands and a recipe table."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from perolux.quantities.constants import HC_EV_NM

STUDY = """
[study]
name = "small"

[spectra]
files = ["spectra.csv"]

[samples]
file = "recipes.csv"
label = "name"
plqy = "PLQY"
not_measured = { PLQY = 0 }

[samples.units]
volume = "uL"

[[samples.ratios]]
name = "volume : lead"
numerator = ["volume"]
denominator = ["lead"]

[conditions]
material = "CsPbBr3"

[report]
figures = []
"""

RECIPES = """name,volume,lead,solvent,PLQY
a,100,2,MeOH,0.5
b,200,4,EtOH,0
c,300,0,MeOH,
lonely,400,1,EtOH,0.1
"""


def wide_csv(bands: dict[str, tuple[float, float]], seed: int = 1) -> str:
    """A csv on 400 to 600 nm with one noisy band per label: (peak in eV, width in meV)."""
    rng = np.random.default_rng(seed)
    wavelength = np.arange(400.0, 601.0)
    columns = [wavelength]
    for peak_ev, fwhm_mev in bands.values():
        energy = HC_EV_NM / wavelength
        sigma = fwhm_mev / 1000 / 2.354820
        density = 1e5 * np.exp(-((energy - peak_ev) ** 2) / (2 * sigma**2))
        columns.append(density * energy**2 / HC_EV_NM**2 * 1e5 + 400 + rng.normal(0, 30, len(wavelength)))
    lines = ["wavelength_nm," + ",".join(bands)]
    lines += [",".join(f"{value:.4f}" for value in row) for row in np.stack(columns, axis=1)]
    return "\n".join(lines) + "\n"


def absorbance_csv(excitons: dict[str, float], seed: int = 2) -> str:
    """A csv on 350 to 650 nm, red end first, with one edge per label: first exciton in eV.

    A Gaussian exciton of 80 meV (FWHM) on the foot of a continuum that begins 0.15 eV above it; the
    absorbance carries noise of 2e-4.
    """
    rng = np.random.default_rng(seed)
    wavelength = np.arange(350.0, 651.0)[::-1]
    energy = HC_EV_NM / wavelength
    columns = [wavelength]
    for exciton_ev in excitons.values():
        line = 0.3 * np.exp(-((energy - exciton_ev) ** 2) / (2 * (0.08 / 2.354820) ** 2))
        continuum = 0.6 / (1 + np.exp(-(energy - exciton_ev - 0.15) / 0.04))
        columns.append(line + continuum + rng.normal(0, 2e-4, len(wavelength)))
    lines = ["wavelength_nm," + ",".join(excitons)]
    lines += [",".join(f"{value:.6f}" for value in row) for row in np.stack(columns, axis=1)]
    return "\n".join(lines) + "\n"


def make_study(
    folder: Path,
    *,
    study: str = STUDY,
    recipes: str = RECIPES,
    bands: dict[str, tuple[float, float]] | None = None,
    excitons: dict[str, float] | None = None,
) -> Path:
    """Write study.toml, recipes.csv, spectra.csv and (with excitons) uv.csv into a folder; the study file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(study, encoding="utf-8")
    (folder / "recipes.csv").write_text(recipes, encoding="utf-8")
    bands = bands or {"a": (2.42, 85.0), "b": (2.45, 95.0), "c": (2.70, 90.0), "extra": (2.50, 100.0)}
    (folder / "spectra.csv").write_text(wide_csv(bands), encoding="utf-8")
    if excitons is not None:
        (folder / "uv.csv").write_text(absorbance_csv(excitons), encoding="utf-8")
    return folder / "study.toml"


@pytest.fixture(scope="session")
def small():
    """`small.make(folder, study=..., bands=..., excitons=...)`; the texts `small.STUDY`, `small.RECIPES`."""
    return SimpleNamespace(
        make=make_study, wide_csv=wide_csv, absorbance_csv=absorbance_csv, STUDY=STUDY, RECIPES=RECIPES
    )
