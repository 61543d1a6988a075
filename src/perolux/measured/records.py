"""The typed records that readers give and physics takes: `Spectrum` and `SpectrumSet`.

Conventions: the axis is stored ascending in wavelength (nm); energy views are re-sorted. Intensities are
photon counts (or counts per second, or normalised) per unit of the recorded axis; absorbance is decadic and
carries no Jacobian. What is unknown stays "unknown"; nothing physical is defaulted in silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from perolux.errors import InputError, OptionError
from perolux.quantities.constants import HC_EV_NM

if TYPE_CHECKING:
    import xarray as xr

    from perolux.measured.absorption import AbsorptionResult
    from perolux.measured.pl import PlResult

__all__ = ["AXIS_UNITS", "KINDS", "FileSource", "Spectrum", "SpectrumSet"]

Kind = Literal["pl", "absorbance", "excitation", "unknown"]
KINDS: tuple[Kind, ...] = ("pl", "absorbance", "excitation", "unknown")
AxisUnit = Literal["nm", "eV", "cm-1"]
AXIS_UNITS: tuple[AxisUnit, ...] = ("nm", "eV", "cm-1")
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FileSource:
    """Where a record comes from: file, checksum of its raw bytes, reader, and what the reader assumed."""

    path: str
    sha256: str
    reader: str
    from_documentation: bool = False
    """True where the reader was written from documentation and no real file was at hand."""
    options: tuple[tuple[str, str], ...] = ()
    """What the user said (kind, axis unit, ...), as pairs."""


@dataclass(frozen=True)
class Spectrum:
    """One spectrum: values on a wavelength axis that ascends, with what is known about how it was taken.

    wavelength_nm: shape (n,), strictly ascending, vacuum or air as `medium` says.
    values: shape (n,), photon counts, counts per second, normalised intensity, or decadic absorbance.
    kind: "pl", "absorbance", "excitation" or "unknown".
    axis_unit: unit of the recorded axis; intensities are densities per this unit.
    value_unit: "counts", "counts/s", "normalised", "absorbance", "unknown".
    flags: what a reader noticed or inferred, from the documented list in `perolux.measured.flags`.
    header: free-text facts of the file (instrument, integration time, ...), as pairs.
    """

    wavelength_nm: FloatArray
    values: FloatArray
    label: str
    source: FileSource
    kind: Kind = "unknown"
    axis_unit: AxisUnit = "nm"
    value_unit: str = "unknown"
    medium: Literal["air", "vacuum", "unknown"] = "unknown"
    instrument: str = "unknown"
    flags: tuple[str, ...] = ()
    header: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        wavelength, values = self.wavelength_nm, self.values
        if wavelength.ndim != 1 or wavelength.shape != values.shape:
            raise ValueError(f"axis and values must be equal 1-D arrays: {wavelength.shape}, {values.shape}")
        if len(wavelength) > 1 and not np.all(np.diff(wavelength) > 0):
            raise ValueError("the wavelength axis must ascend strictly")
        for array in (wavelength, values):
            array.flags.writeable = False

    def __len__(self) -> int:
        return len(self.wavelength_nm)

    @property
    def energy_ev(self) -> FloatArray:
        """Photon energy hc/lambda in eV of each point, in the order of the wavelength axis (descending)."""
        return HC_EV_NM / self.wavelength_nm

    def per_ev(self) -> tuple[FloatArray, FloatArray]:
        """Energy (ascending, eV) and spectral density per eV: I_E = I_lambda lambda^2/(hc).

        An absorbance has no Jacobian and is refused; a spectrum recorded per eV is returned as it is; one
        recorded per cm-1 is scaled by the constant hc.
        """
        if self.kind == "absorbance":
            raise OptionError(
                "an absorbance has no Jacobian", where=self.label, fix="use energy_ev with values as they are"
            )
        if self.axis_unit == "nm":
            density = self.values * self.wavelength_nm**2 / HC_EV_NM
        elif self.axis_unit == "cm-1":
            density = self.values / (HC_EV_NM * 1e-7)
        else:
            density = self.values
        return self.energy_ev[::-1], density[::-1]

    def pl(self, **options: Any) -> PlResult:
        """Model-free peak, width, signal to noise, baseline and colour: `perolux.measured.pl.reduce_pl`."""
        from perolux.measured.pl import reduce_pl

        return reduce_pl(self, **options)

    def absorption(self, **options: Any) -> AbsorptionResult:
        """First exciton, steepest slope and scatter: `perolux.measured.absorption.reduce_absorption`."""
        from perolux.measured.absorption import reduce_absorption

        return reduce_absorption(self, **options)

    @property
    def data(self) -> xr.DataArray:
        """The record as a labelled xarray array with unit attributes, instrument and checksum.

        Built when asked for: the two arrays are the record, and a command that never needs labels does not
        pay for importing them.
        """
        import xarray as xr

        return xr.DataArray(
            self.values,
            dims=("wavelength",),
            coords={"wavelength": ("wavelength", self.wavelength_nm, {"units": "nm", "medium": self.medium})},
            name=self.label or "spectrum",
            attrs={
                "units": self.value_unit,
                "kind": self.kind,
                "per_unit_of": self.axis_unit,
                "instrument": self.instrument,
                "source_file": self.source.path,
                "sha256": self.source.sha256,
                "reader": self.source.reader,
                "flags": " ".join(self.flags),
            },
        )

    def plot(self, axes: Any = None) -> Any:
        """Draw the spectrum with matplotlib and return the axes."""
        if axes is None:
            import matplotlib.pyplot as plt

            axes = plt.subplots(figsize=(5, 3.2), layout="constrained")[1]
        axes.plot(self.wavelength_nm, self.values, label=self.label)
        axes.set_xlabel("wavelength (nm)")
        axes.set_ylabel(f"{self.kind} ({self.value_unit})")
        return axes

    def with_kind(self, kind: Kind) -> Spectrum:
        """The same record with its kind said by the user; a contradiction with the file is an error."""
        if kind not in KINDS:
            raise OptionError(f"unknown kind {kind!r}", allowed=", ".join(KINDS))
        if self.kind not in ("unknown", kind) and kind != "unknown":
            raise OptionError(
                f"the file says this is {self.kind}, the call says {kind}",
                where=f"{self.source.path}: {self.label}",
                fix=f"leave the kind out, or give kind={self.kind!r}",
            )
        return replace(self, kind=kind if kind != "unknown" else self.kind)

    def __repr__(self) -> str:
        axis = self.wavelength_nm
        span = f"{axis[0]:.4g} to {axis[-1]:.4g} nm" if len(axis) else "empty"
        flags = f", flags: {', '.join(self.flags)}" if self.flags else ""
        return f"<Spectrum {self.label!r}: {self.kind}, {len(axis)} points, {span}, {self.value_unit}{flags}>"


@dataclass(frozen=True)
class SpectrumSet:
    """Spectra of one file (or folder) in file order; by position `s[0]` or by label `s["30 s"]`."""

    spectra: tuple[Spectrum, ...]
    notes: tuple[str, ...] = ()
    """What the reader did that a user should know, in sentences (rows dropped, units inferred)."""

    def __len__(self) -> int:
        return len(self.spectra)

    def __iter__(self) -> Iterator[Spectrum]:
        return iter(self.spectra)

    def __getitem__(self, key: int | str) -> Spectrum:
        if isinstance(key, str):
            for spectrum in self.spectra:
                if spectrum.label == key:
                    return spectrum
            raise InputError(
                f"no spectrum is called {key!r}",
                allowed=", ".join(repr(label) for label in self.labels[:12])
                + (" ..." if len(self) > 12 else ""),
            )
        return self.spectra[key]

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels in file order."""
        return tuple(spectrum.label for spectrum in self.spectra)

    @property
    def data(self) -> xr.Dataset:
        """All spectra as one dataset; spectra on different grids get their own dimension."""
        import xarray as xr

        arrays: dict[str, Any] = {}
        for position, spectrum in enumerate(self.spectra):
            dimension = f"wavelength_{position}"
            arrays[f"spectrum_{position}"] = spectrum.data.rename({"wavelength": dimension}).assign_attrs(
                label=spectrum.label
            )
        return xr.Dataset(arrays)

    def plot(self, axes: Any = None) -> Any:
        """Draw every spectrum into one diagram and return the axes."""
        for spectrum in self.spectra:
            axes = spectrum.plot(axes)
        return axes

    def __repr__(self) -> str:
        lines = [f"<SpectrumSet of {len(self)}>"]
        lines += [f"  [{i}] {s!r}" for i, s in enumerate(self.spectra[:8])]
        if len(self) > 8:
            lines.append(f"  ... and {len(self) - 8} more")
        lines += [f"  note: {note}" for note in self.notes]
        return "\n".join(lines)
