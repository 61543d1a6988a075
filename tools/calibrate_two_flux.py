"""Calibrate the two-flux film on Monte Carlo and write `display/data/two_flux_calibration.toml`.

256 films fill the region evenly (Sobol), with the test spectra of `reference_slab.py`, each lit by a beam and
by a diffuse source, 1e5 photons each (standard errors up to 0.0016). Every other film fits the eight
constants, by least squares of the five shares, those of converted light and loss counted twice; the others
tell the misfit. About three minutes of one core.

    python tools/calibrate_two_flux.py            # writes the record
    python tools/calibrate_two_flux.py --check    # prints what the record leaves, writes nothing
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares
from scipy.stats import qmc

from perolux.display.rays import Scatterers, ray_light
from perolux.display.reference_slab import reference_slab
from perolux.display.slab import Slab
from perolux.display.two_flux import two_flux_light
from perolux.display.two_flux_constants import TEXTBOOK, TwoFluxConstants, calibrated

REGION = {
    "index": (1.4, 1.8),
    "optical_density": (0.1, 3.0),
    "plqy": (0.7, 1.0),
    "scattering_depth": (0.5, 20.0),
    "anisotropy": (0.0, 0.8),
}
ON_A_LOG_SCALE = ("optical_density", "scattering_depth")
FILMS, PHOTONS, SEED = 256, 100_000, 20
SHARES = ("t_blue", "r_blue", "t_em", "r_em", "loss")
WEIGHTS = np.array([1.0, 1.0, 2.0, 2.0, 2.0])
REDUCED = (1.0, 4.0, 20.0)
OUT = Path(__file__).parent.parent / "src/perolux/display/data/two_flux_calibration.toml"


def films() -> np.ndarray:
    """(films, 5) in the order of REGION."""
    unit = qmc.Sobol(len(REGION), seed=np.random.default_rng(SEED)).random(FILMS)
    columns = []
    for k, (name, (low, high)) in enumerate(REGION.items()):
        if name in ON_A_LOG_SCALE:
            columns.append(low * (high / low) ** unit[:, k])
        else:
            columns.append(low + (high - low) * unit[:, k])
    return np.stack(columns, axis=1)


def slab_of(film: np.ndarray) -> Slab:
    """The film with the test spectra."""
    index, od10, plqy = film[:3].tolist()
    return reference_slab(index, od10 * np.log(10.0), plqy)


def counted(all_films: np.ndarray) -> np.ndarray:
    """(films, 2, 5): shares by Monte Carlo, for a beam and for a diffuse source."""
    found = np.empty((len(all_films), 2, len(SHARES)))
    for i, film in enumerate(all_films):
        for k in (0, 1):
            rng = np.random.default_rng([SEED, i, k])
            turned = Scatterers(film[3], film[4])
            light = ray_light(slab_of(film), PHOTONS, rng, scatterers=turned, diffuse=bool(k))
            found[i, k] = [getattr(light, name) for name in SHARES]
    return found


def computed(all_films: np.ndarray, constants: TwoFluxConstants) -> np.ndarray:
    """The same by two fluxes, on every third nanometre of the emission: smooth lines lose nothing by it."""
    found = np.empty((len(all_films), 2, len(SHARES)))
    for i, film in enumerate(all_films):
        slab = slab_of(film)
        kept = (np.abs(slab.wavelength_nm - 525.0) < 40.0) & (slab.wavelength_nm % 3 == 0)
        slab = replace(
            slab,
            wavelength_nm=slab.wavelength_nm[kept],
            depth=slab.depth[kept],
            emission=slab.emission[kept],
        )
        for k in (0, 1):
            turned = Scatterers(film[3], film[4])
            light = two_flux_light(slab, turned, 20, constants=constants, diffuse=bool(k))
            found[i, k] = [getattr(light, name) for name in SHARES]
    return found


def constants_of(numbers: np.ndarray) -> TwoFluxConstants:
    """The eight numbers of the fit as constants."""
    a, b = numbers[:3].tolist(), numbers[3:7].tolist()
    return TwoFluxConstants(tuple(a), tuple(b), float(numbers[7]))


def fitted(all_films: np.ndarray, target: np.ndarray) -> TwoFluxConstants:
    """Least squares from the textbook's constants."""
    start = np.array([*TEXTBOOK.absorption, *TEXTBOOK.scattering, TEXTBOOK.beam])

    def misfit(numbers: np.ndarray) -> np.ndarray:
        return ((computed(all_films, constants_of(numbers)) - target) * WEIGHTS).ravel()

    return constants_of(np.round(least_squares(misfit, start, diff_step=1e-3, xtol=1e-4).x, 4))


def parts(all_films: np.ndarray, wrong: np.ndarray) -> list[tuple[str, float, int, np.ndarray, np.ndarray]]:
    """Source, largest reduced depth, films, rms and largest misfit of each part of the region."""
    reduced = all_films[:, 3] * (1.0 - all_films[:, 4])
    found = []
    for k, source in enumerate(("beam", "diffuse")):
        for low, high in zip((0.0, *REDUCED), REDUCED, strict=False):
            here = wrong[(reduced > low) & (reduced <= high), k]
            found.append(
                (source, high, len(here), np.sqrt(np.mean(here**2, axis=0)), np.max(np.abs(here), axis=0))
            )
    return found


def record(constants: TwoFluxConstants, all_films: np.ndarray, wrong: np.ndarray) -> str:
    """The record as TOML."""

    def table(values: np.ndarray) -> str:
        return "{ " + ", ".join(f"{n} = {v:.4f}" for n, v in zip(SHARES, values, strict=True)) + " }"

    lines = [
        "# Constants of the two-flux film, made by tools/calibrate_two_flux.py: do not edit by hand.",
        "",
        'kind = "derived"',
        f'source = "tools/calibrate_two_flux.py: least squares on {FILMS // 2} films by Monte Carlo, '
        f'{PHOTONS} photons each, seed {SEED}; test spectra of slab_reference.toml"',
        "",
        "[constants]",
        f"absorption = {list(constants.absorption)}",
        f"scattering = {list(constants.scattering)}",
        f"beam = {constants.beam}",
        "",
        "[region]",
        *(f"{name} = [{low}, {high}]" for name, (low, high) in REGION.items()),
    ]
    for source, high, count, rms, most in parts(all_films, wrong):
        lines += [
            "",
            "[[misfit]]",
            f'source = "{source}"',
            f"reduced_depth_up_to = {high}",
            f"films = {count}",
            f"rms = {table(rms)}",
            f"largest = {table(most)}",
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Count, fit, write; or print what is left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="print the misfit of the record, write nothing")
    check = parser.parse_args().check
    every = films()
    target = counted(every)
    fit, rest = slice(0, None, 2), slice(1, None, 2)
    constants = calibrated() if check else fitted(every[fit], target[fit])
    wrong = computed(every[rest], constants) - target[rest]
    text = record(constants, every[rest], wrong)
    textbook = computed(every[rest], TEXTBOOK) - target[rest]
    print(
        "root mean square, films that did not fit:",
        dict(zip(SHARES, np.sqrt(np.mean(wrong**2, axis=(0, 1))).round(4).tolist(), strict=True)),
    )
    print(
        "the textbook's constants:",
        dict(zip(SHARES, np.sqrt(np.mean(textbook**2, axis=(0, 1))).round(4).tolist(), strict=True)),
    )
    if check:
        print(text)
    else:
        OUT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
