"""`perolux slab`: what becomes of blue light in a luminescent film."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from perolux.cli.console import print_json, print_table, seed_of
from perolux.errors import OptionError

if TYPE_CHECKING:
    from perolux.display.rays import Scatterers
    from perolux.display.slab import Slab
    from perolux.display.two_flux_constants import Constants

__all__ = ["slab"]

_MOST_SCATTER = 1000.0

_NAMES = {
    "t_blue": "source light, forward",
    "r_blue": "source light, back",
    "t_em": "converted, forward",
    "r_em": "converted, back",
    "loss": "lost in emitters",
    "emissions_per_photon": "emissions per photon",
}


def slab(
    *,
    n: Annotated[float, Parameter(help="refractive index of the film")],
    optical_depth: Annotated[float, Parameter(help="of the source light, base e (OD 2 is 4.605)")],
    plqy: Annotated[float, Parameter(help="a share, 0 to 1")],
    emission_depth: Annotated[
        float | None,
        Parameter(help="optical depth of the emitted light, base e; the test spectra otherwise"),
    ] = None,
    scatter_depth: Annotated[float, Parameter(help="optical depth of scattering")] = 0.0,
    anisotropy: Annotated[
        float, Parameter(help="mean cosine of scattering (Henyey and Greenstein), 0 isotropic")
    ] = 0.0,
    method: Annotated[
        Literal["auto", "deterministic", "monte-carlo", "two-flux", "two-flux-textbook"],
        Parameter(
            help="auto: deterministic, or monte-carlo with scatterers; two-flux: quick, calibrated on "
            "monte-carlo; two-flux-textbook: the same without calibration"
        ),
    ] = "auto",
    memory: Annotated[
        Literal["full", "redshift", "kT"],
        Parameter(help="does emission remember the absorbed wavelength: full (no), redshift, kT"),
    ] = "full",
    rays: Annotated[int, Parameter(help="of monte-carlo")] = 100_000,
    seed: Annotated[int, Parameter(help="of monte-carlo")] = 0,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Where source light and converted light leave a film, and what is lost in it."""
    from perolux.display.rays import Scatterers
    from perolux.display.reference_slab import reference_slab

    if scatter_depth < 0.0 or optical_depth < 0.0 or (emission_depth or 0.0) < 0.0:
        raise OptionError(
            "an optical depth below 0", where="--optical-depth, --emission-depth, --scatter-depth",
            allowed="0 and more, base e", fix="OD 2 is 4.605",
        )  # fmt: skip
    if not scatter_depth <= _MOST_SCATTER:
        raise OptionError(
            f"a scattering depth of {scatter_depth:g}",
            where="--scatter-depth",
            allowed=f"0 to {_MOST_SCATTER:g}",
        )
    if method == "deterministic" and scatter_depth > 0.0:
        raise OptionError(
            "the deterministic method knows no scatterers",
            where="--method, --scatter-depth",
            fix="--method monte-carlo, or auto",
        )
    turned = Scatterers(scatter_depth, anisotropy)
    film = reference_slab(n, optical_depth, plqy, emission_depth, memory)
    chosen = method if method != "auto" else ("monte-carlo" if scatter_depth > 0.0 else "deterministic")
    found: dict[str, Any] = {"method": chosen, "memory": memory}
    if chosen == "deterministic":
        from perolux.display.slab import slab_light

        light = slab_light(film)
        found |= {name: getattr(light, name) for name in _NAMES}
        found["sigma"] = {name: light.sigma[name] for name in _NAMES}
        found["balance"] = light.balance
        found["mean_forward_nm"], found["mean_back_nm"] = light.mean_nm()
        found["sigma_is"] = "step of the last refinement of the cells"
    elif chosen == "two-flux":
        found |= _two_flux(film, turned, "calibrated")
    elif chosen == "two-flux-textbook":
        found |= _two_flux(film, turned, "textbook")
    else:
        import numpy as np

        from perolux.display.rays import ray_light

        counted = ray_light(film, rays, np.random.default_rng(seed_of(seed)), scatterers=turned)
        found |= {name: getattr(counted, name) for name in _NAMES}
        found["sigma"] = {name: counted.sigma[name] for name in _NAMES}
        found["balance"] = counted.balance
        found["mean_forward_nm"], found["mean_back_nm"] = counted.mean_nm()
        found |= {"rays": rays, "seed": seed, "terminated": counted.terminated, "traced": counted.traced}
        found["phase_function"] = _phase(turned)
        found["sigma_is"] = "standard error of the count"
    if json:
        print_json(found)
        return
    print_table(
        f"Luminescent slab, {chosen}",
        ["per incident photon", "share", "+-"],
        [
            [text, f"{found[name]:.5f}", "–" if (error := found["sigma"][name]) is None else f"{error:.1g}"]
            for name, text in _NAMES.items()
        ],
        f"+- is the {found['sigma_is']}. Emission memory: {memory}.",
    )


def _phase(turned: Scatterers) -> str | None:
    if turned.depth == 0.0:
        return None
    return "isotropic" if turned.anisotropy == 0.0 else f"Henyey-Greenstein, g = {turned.anisotropy:g}"


def _two_flux(film: Slab, turned: Scatterers, constants: Constants) -> dict[str, Any]:
    import numpy as np

    from perolux.display.two_flux import two_flux_light

    quick = two_flux_light(film, turned, constants=constants)
    means = [
        float(np.sum(film.wavelength_nm * one) / np.sum(one)) if np.any(one > 0.0) else None
        for one in (quick.forward, quick.backward)
    ]
    return {
        **{name: getattr(quick, name) for name in _NAMES},
        "sigma": {name: quick.misfit.get(name) for name in _NAMES},
        "balance": -quick.host_loss,
        "mean_forward_nm": means[0],
        "mean_back_nm": means[1],
        "phase_function": _phase(turned),
        "sigma_is": "root-mean-square distance to monte-carlo that the calibration leaves for films like this"
        if quick.misfit
        else "not known for two fluxes without calibration",
    }
