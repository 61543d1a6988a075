"""One PL spectrum described: model-free numbers, colour, and the size where a material is named.

Here the rooms meet: `measured` reduces the spectrum, `display` gives its colour, `inference` the size. The
command `perolux pl` and every sample of `perolux characterise` go through this one function.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from perolux.errors import ModelRangeError, NotAvailableError

if TYPE_CHECKING:
    from perolux.display.colour import SpectrumColour
    from perolux.inference.size import SizePosterior, SizePrior
    from perolux.measured import PlResult, Spectrum

__all__ = ["Description", "describe_pl"]


@dataclass(frozen=True)
class Description:
    """What is known of one sample from its PL spectrum.

    result: the model-free reduction. colour: CIE coordinates from power, with a reason where there are none.
    posterior: the size posterior, None with `size_reason`. flags: of the record, reduction, colour and size.
    absorption_reason: why a first exciton that was given is not in the posterior; None where it is.
    """

    result: PlResult
    colour: SpectrumColour
    posterior: SizePosterior | None
    size_reason: str | None
    flags: tuple[str, ...]
    absorption_reason: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The object that `perolux pl --json` prints."""
        described = self.result.as_dict()
        described["xy"] = None if self.colour.xy is None else list(self.colour.xy)
        described["reasons"] |= {} if self.colour.reason is None else {"xy": self.colour.reason}
        described["flags"] = list(self.flags)
        if self.posterior is None:
            described["size"] = {"reason": self.size_reason}
        else:
            described["size"] = self.posterior.as_dict()
        return described


def describe_pl(
    spectrum: Spectrum,
    *,
    material: str | None = None,
    temperature_k: float = 298.0,
    prior: SizePrior | None = None,
    absorption_ev: float | None = None,
    absorption_ev_sigma: float | None = None,
    **reduction: Any,
) -> Description:
    """Reduce a PL spectrum and say what it tells: peak, width, colour, and the size if a material is named.

    material: e.g. "CsPbBr3"; None gives no size. temperature_k: of the sample. prior: of the size.
    absorption_ev: first exciton in absorption of the same sample; where the model cannot explain both, the
    size rests on the PL alone and `absorption_reason` says why. reduction: options of `reduce_pl`.
    """
    result = spectrum.pl(**reduction)
    colour = _colour(spectrum, result)
    posterior: SizePosterior | None = None
    reason: str | None = "no material was named (--material)"
    conflict: str | None = None
    if material is not None:
        edge = (absorption_ev, absorption_ev_sigma)
        posterior, reason = _size(result, material, temperature_k, prior, *edge)
        if posterior is None and absorption_ev is not None:
            posterior, alone = _size(result, material, temperature_k, prior, None, None)
            if posterior is not None:  # the edge was the obstacle, not the emission
                reason, conflict = None, reason
            else:
                reason = alone
    flags = (*result.flags, *colour.flags, *(("absorption-not-used",) if conflict else ()))
    flags += () if posterior is None else posterior.flags
    return Description(result, colour, posterior, reason, tuple(dict.fromkeys(flags)), conflict)


def _colour(spectrum: Spectrum, result: PlResult) -> SpectrumColour:
    """Colour of the emission; none where the top of the line is cut off, which leaves the tails too much."""
    from perolux.display.colour import SpectrumColour, spectrum_colour

    if "saturated" in result.flags:
        reason = "the detector is saturated: a line without its top has another colour"
        return SpectrumColour(None, None, None, False, (), reason)
    return spectrum_colour(_without_cosmic_rays(spectrum, result), result.baseline.curve)


def _without_cosmic_rays(spectrum: Spectrum, result: PlResult) -> Spectrum:
    """The spectrum as the reduction saw it: flagged spikes replaced where that was asked for."""
    if "cosmic-ray-removed" not in result.flags:
        return spectrum
    from perolux.measured.artefacts import without_samples

    spikes = np.flatnonzero(np.isin(spectrum.wavelength_nm, result.cosmic_rays_nm))
    return replace(spectrum, values=without_samples(np.array(spectrum.values), spikes))


def _peak_is_a_spike(result: PlResult) -> bool:
    """True where the highest point is a flagged single-sample spike that is still in the data."""
    if "cosmic-ray" not in result.flags or result.peak_nm is None:
        return False
    return (
        any(abs(nm - result.peak_nm) < 1.0 for nm in result.cosmic_rays_nm) and (result.fwhm_nm or 0.0) < 2.0
    )


def _size(
    result: PlResult,
    material: str,
    temperature_k: float,
    prior: SizePrior | None,
    absorption_ev: float | None,
    absorption_ev_sigma: float | None,
) -> tuple[SizePosterior | None, str | None]:
    from perolux.inference.size import size_posterior

    if result.peak_ev is None:
        return None, f"no peak: {result.reasons.get('peak_ev', 'not found')}"
    if _peak_is_a_spike(result):
        return None, "the highest point is a cosmic-ray spike: ask for its removal (--remove-cosmic-rays)"
    try:
        posterior = size_posterior(
            result.peak_ev,
            result.peak_ev_sigma or 0.0,
            result.fwhm_mev,
            result.fwhm_mev_sigma,
            material=material,
            temperature_k=temperature_k,
            prior=prior,
            absorption_ev=absorption_ev,
            absorption_ev_sigma=absorption_ev_sigma,
        )
    except (NotAvailableError, ModelRangeError) as error:
        return None, "; ".join(problem.what for problem in error.problems)
    return posterior, None
