"""Thin films over spectra and angles, scatterers over wavelengths and sizes, a film from n and k."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.peers.film_stacks import side_by_side
from benchmarks.timing import median_cpu, row
from perolux.display.film_optics import bulk_inclusion, film
from perolux.display.mie import sphere_light
from perolux.display.scatterers import Scatterers, scattering


def run() -> list[dict[str, Any]]:
    """The rows."""
    stack = side_by_side()
    rng = np.random.default_rng(0)
    m = rng.uniform(1.05, 2.0, 2000) + 1j * rng.choice([0.0, 1e-3], 2000)
    x = 10 ** rng.uniform(-0.5, 1.5, 2000)
    spheres = median_cpu(lambda: sphere_light(m, x), repeats=3)
    peer_spheres, difference = _miepython(m, x)
    pigment = median_cpu(
        lambda: scattering(Scatterers(2.6, 250.0, 0.01, spread=0.3), 1.5, np.arange(400.0, 701.0)), repeats=3
    )
    inclusion = bulk_inclusion("CsPbBr3_1nm")
    return [
        row(
            f"thin films, {stack.waves} waves through five films",
            stack.seconds,
            peer=None if stack.tmm_seconds is None else "tmm",
            peer_seconds=stack.tmm_seconds,
            accuracy=""
            if stack.largest_difference is None
            else f"largest difference {stack.largest_difference:.1g}",
            note=stack.reason or "tmm: every tenth wavelength and angle, scaled",
        ),
        row(
            "Mie, 2000 spheres",
            spheres,
            peer=None if peer_spheres is None else "miepython",
            peer_seconds=peer_spheres,
            accuracy="" if difference is None else f"largest difference {difference:.1g} of Q_ext",
            note="miepython is not installed" if peer_spheres is None else "miepython without compiling",
        ),
        row("scatterers of a lognormal size, 301 wavelengths", pigment),
        row("film from n and k, 551 wavelengths, both rules", median_cpu(lambda: film(inclusion, 1.5, 0.3))),
    ]


def _miepython(m: Any, x: Any) -> tuple[float | None, float | None]:
    if find_spec("miepython") is None:
        return None, None
    import miepython

    def run_peer() -> Any:
        return miepython.efficiencies_mx(np.conj(m), x)

    seconds = median_cpu(run_peer, repeats=3)
    return seconds, float(np.max(np.abs(run_peer()[0] / sphere_light(m, x).extinction - 1.0)))
