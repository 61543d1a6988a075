"""`Passport`: all that this room says of one nanocrystal, with the spread of each number or why it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from perolux.excitons.crystal import Nanocrystal
from perolux.excitons.layers import Layers
from perolux.excitons.spread import Spread
from perolux.quantities import Value

__all__ = ["Entry", "Passport", "Transition"]


@dataclass(frozen=True, repr=False)
class Entry:
    """One result: its spread, or None with the reason; `note` says how it was taken."""

    spread: Spread | None
    reason: str | None = None
    note: str = ""

    def __repr__(self) -> str:
        return f"<Entry {self}>"

    def __str__(self) -> str:
        return str(self.spread) if self.spread is not None else f"not available: {self.reason}"

    def as_dict(self) -> dict[str, object] | None:
        """The spread as the JSON contract has it; null where there is none."""
        return None if self.spread is None else self.spread.as_dict()


@dataclass(frozen=True)
class Transition:
    """One absorption line: its name, energy (eV), and oscillator strength of one polarisation axis."""

    name: str
    energy_ev: Spread
    oscillator_strength: Entry


@dataclass(frozen=True, repr=False)
class Passport:
    """One nanocrystal: levels, light and lifetime under every named parameter set.

    emission_ev: peak of the emission. absorption: the first lines. radiative_lifetime_ns: in thermal
    equilibrium; bright_lifetime_ns: of the bright levels alone. bright_dark_mev: mean of the bright levels
    over the dark one; bright_splittings_mev: the two steps between the bright levels, in rising order.
    contributions_mev: what each layer adds to the energy of the first exciton, in order. rests_on: every
    number that the results rest on.
    """

    crystal: Nanocrystal
    layers: Layers
    set_names: tuple[str, ...]
    emission_ev: Entry
    absorption: tuple[Transition, ...]
    overlap_k: Entry
    exchange_x: Entry
    radiative_lifetime_ns: Entry
    bright_lifetime_ns: Entry
    bright_dark_mev: Entry
    bright_splittings_mev: tuple[Entry, ...]
    cross_section_cm2: Mapping[str, Entry]
    homogeneous_fwhm_mev: Entry
    biexciton_shift_mev: Entry
    trion_shift_mev: Entry
    coherence_volume_nm3: Entry
    contributions_mev: Mapping[str, Entry]
    warnings: tuple[str, ...]
    rests_on: tuple[Value, ...] = field(repr=False, default=())

    def __repr__(self) -> str:
        parts = [f"emission {self.emission_ev}"]
        if self.radiative_lifetime_ns.spread is not None:
            parts.append(f"radiative lifetime {self.radiative_lifetime_ns}")
        return f"<Passport {self.title}: {'; '.join(parts)}; sets {', '.join(self.set_names)}>"

    @property
    def title(self) -> str:
        """Material, shape, lengths and temperature."""
        return f"{self.crystal.material}, {self.crystal.label}, {self.crystal.temperature_k:g} K"

    def entries(self) -> dict[str, Entry]:
        """All scalar results by a name with its unit, in the order of a table."""
        found = {"emission (eV)": self.emission_ev}
        found |= {f"absorption {one.name} (eV)": Entry(one.energy_ev) for one in self.absorption}
        found |= {f"oscillator strength {one.name}": one.oscillator_strength for one in self.absorption}
        found |= {
            "overlap K": self.overlap_k,
            "exchange overlap X": self.exchange_x,
            "radiative lifetime (ns)": self.radiative_lifetime_ns,
            "lifetime of the bright levels (ns)": self.bright_lifetime_ns,
            "bright above dark (meV)": self.bright_dark_mev,
        }
        found |= {
            f"bright splitting {n} (meV)": one for n, one in enumerate(self.bright_splittings_mev, start=1)
        }
        found |= {f"cross section at {nm} nm (cm2)": one for nm, one in self.cross_section_cm2.items()}
        return found | {
            "homogeneous width (meV)": self.homogeneous_fwhm_mev,
            "biexciton shift (meV)": self.biexciton_shift_mev,
            "trion shift (meV)": self.trion_shift_mev,
            "coherence volume (nm3)": self.coherence_volume_nm3,
        }

    def as_dict(self) -> dict[str, Any]:
        """The passport as the JSON contract of `perolux exciton MATERIAL --json` has it."""
        crystal = self.crystal
        return {
            "material": crystal.material,
            "shape": crystal.shape,
            "lengths_nm": list(crystal.lengths_nm),
            "convention": crystal.convention,
            "monolayers": crystal.monolayers,
            "temperature_k": crystal.temperature_k,
            "layers": self.layers.as_dict(),
            "emission_ev": self.emission_ev.as_dict(),
            "absorption_ev": [
                {
                    "name": one.name,
                    "energy_ev": one.energy_ev.as_dict(),
                    "oscillator_strength": one.oscillator_strength.as_dict(),
                }
                for one in self.absorption
            ],
            "overlap_k": self.overlap_k.as_dict(),
            "exchange_x": self.exchange_x.as_dict(),
            "radiative_lifetime_ns": self.radiative_lifetime_ns.as_dict(),
            "bright_lifetime_ns": self.bright_lifetime_ns.as_dict(),
            "bright_dark_mev": self.bright_dark_mev.as_dict(),
            "bright_splittings_mev": [one.as_dict() for one in self.bright_splittings_mev],
            "cross_section_cm2": {name: one.as_dict() for name, one in self.cross_section_cm2.items()},
            "homogeneous_fwhm_mev": self.homogeneous_fwhm_mev.as_dict(),
            "biexciton_shift_mev": self.biexciton_shift_mev.as_dict(),
            "trion_shift_mev": self.trion_shift_mev.as_dict(),
            "coherence_volume_nm3": self.coherence_volume_nm3.as_dict(),
            "contributions_mev": {name: one.as_dict() for name, one in self.contributions_mev.items()},
            "warnings": list(self.warnings),
            "rests_on": [value.as_dict() for value in self.rests_on],
        }

    def _repr_html_(self) -> str:
        """A table for a notebook."""
        from html import escape

        head = "".join(f"<th>{escape(name)}</th>" for name in (*self.set_names, "median", "95 %"))
        body = []
        for name, entry in self.entries().items():
            if entry.spread is None:
                cells = f'<td colspan="{len(self.set_names) + 2}">{escape(entry.reason or "")}</td>'
            else:
                one = entry.spread
                cells = "".join(f"<td>{one.sets[s]:.4g}</td>" for s in self.set_names)
                cells += f"<td>{one.median:.4g}</td><td>{one.low95:.4g} to {one.high95:.4g}</td>"
            body.append(f"<tr><th>{escape(name)}</th>{cells}</tr>")
        return (
            f"<table><caption>{escape(self.title)}</caption><tr><th></th>{head}</tr>{''.join(body)}</table>"
            + "".join(f"<p>{escape(one)}</p>" for one in self.warnings)
        )

    def plot(self, axes: Any = None) -> Any:
        """Sticks of the absorption lines of each set, 95 % of the emission as a band; a matplotlib figure.

        The page of `perolux.reports.passport.write_passport` holds all figures.
        """
        from perolux.excitons.passport_plots import plot_passport

        return plot_passport(self, axes)
