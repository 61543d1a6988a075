"""Which numbers of an assembly rest on which parameters: `perolux explain ASSEMBLY.toml`.

Each parameter is given by the file, assumed (a default that the file does not name), or derived by the room
excitons, whose records then stand beside it with their sources. What a parameter decides is written here by
hand; a test changes each one and looks at what moves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from perolux.collective.assembly import assembly
from perolux.collective.assembly_file import AssemblyFile
from perolux.excitons import nanocrystal, passport
from perolux.quantities import Value

__all__ = ["RESULTS", "AssemblyGround", "AssemblyGrounds", "assembly_grounds"]

RESULTS = {
    "emission": "photon rate and population against time, peak, delay, coupled number of a burst",
    "g2": "g2(0) at first",
    "modes": "brightest mode of one excitation and its shift",
    "equilibrium": "rate and shift of one excitation in equilibrium",
    "light": "spectrum, shift of the first light, coherence time, far field",
    "costs": "what each kind of disorder costs",
    "image": "what the instrument sees",
    "large": "the single large nanocrystal beside it",
}
_ALL = ("emission", "g2", "modes", "equilibrium", "light", "costs")
_ENERGIES = ("emission", "modes", "equilibrium", "light", "costs")
_DECIDES: dict[str, tuple[str, ...]] = {
    "lattice": _ALL,
    "emitters.lifetime": _ENERGIES,
    "emitters.wavelength": _ALL,
    "emitters.refractive_index": _ALL,
    "emitters.dipoles": _ALL,
    "emitters.pure_dephasing_time": ("emission", "light", "costs"),
    "emitters.pure_dephasing": ("emission", "light", "costs"),
    "emitters.nonradiative": ("emission", "light", "costs"),
    "emitters.temperature": ("equilibrium",),
    "disorder.edge_spread": _ENERGIES,
    "disorder.energy_spread": _ENERGIES,
    "disorder": _ALL,
    "excitation": ("emission", "g2", "light", "costs"),
    "sampling.method": ("emission",),
    "sampling.trajectories": ("emission",),
    "sampling.screening": _ENERGIES,
    "sampling.ablation": ("costs",),
    "sampling": _ALL,
    "times": ("emission", "light", "costs"),
    "compare": ("large",),
    "instrument": ("image",),
}
_UNITS = {
    "lattice.pitch": "nm", "emitters.lifetime": "ps", "emitters.wavelength": "nm", "emitters.edge": "nm",
    "emitters.temperature": "K", "emitters.pure_dephasing_time": "ps", "emitters.pure_dephasing": "Gamma",
    "emitters.nonradiative": "Gamma", "disorder.energy_spread": "meV", "disorder.position_spread": "nm",
    "disorder.orientation_spread": "degree", "excitation.pulse_area": "rad", "times.until": "ps",
    "compare.edge": "nm", "instrument.response": "ps", "instrument.jitter": "ps", "instrument.time_bin": "ps",
    "instrument.before": "ps", "instrument.wavelength_bin": "nm", "instrument.resolution": "nm",
    "instrument.linewidth": "meV", "instrument.gap": "nm",
}  # fmt: skip
_MODEL = (
    ("point dipoles in a homogeneous medium", "the shifts of touching cubes may differ: compare screenings"),
    ("one lifetime for all", "edges differ in energy alone"),
    ("dephasing without memory", "phonons at 4 to 10 K have some"),
    ("two levels each", "no biexcitons, no hopping between fine-structure states"),
)  # fmt: skip


@dataclass(frozen=True)
class AssemblyGround:
    """One parameter: key and value as in the file (internal units); kind given, assumed or derived; source;
    decides: keys of `RESULTS`."""

    key: str
    value: Any
    unit: str
    kind: str
    source: str
    decides: tuple[str, ...]


@dataclass(frozen=True)
class AssemblyGrounds:
    """parameters in the order of the file; records: numbers of the room excitons behind what is derived."""

    name: str
    parameters: tuple[AssemblyGround, ...]
    records: tuple[Value, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "name": self.name,
            "results": dict(RESULTS),
            "parameters": [
                {"key": one.key, "value": one.value, "unit": one.unit, "kind": one.kind, "source": one.source,
                 "decides": list(one.decides)}
                for one in self.parameters
            ],
            "model": [{"assumed": what, "note": note} for what, note in _MODEL],
            "records": [one.as_dict() for one in self.records],
        }  # fmt: skip

    def __str__(self) -> str:
        every = {result for one in self.parameters for result in one.decides}
        lines = [self.name] if self.name else []
        lines += [f"  {key:<12} {meaning}" for key, meaning in RESULTS.items() if key in every]
        lines += ["rest on", *(f"  {_line(one, every)}" for one in self.parameters if one.decides)]
        idle = [one.key for one in self.parameters if not one.decides]
        if idle:
            lines += ["decide nothing here", f"  {', '.join(idle)}"]
        lines += ["assumed by the model", *(f"  {what}: {note}" for what, note in _MODEL)]
        if self.records:
            lines += ["records behind what is derived", *(f"  {one}" for one in self.records)]
        return "\n".join(lines)


def _line(one: AssemblyGround, every: set[str]) -> str:
    value = f"{one.value:.6g}" if isinstance(one.value, float) else str(one.value)
    unit = "" if one.unit == "1" else f" {one.unit}"
    source = f": {one.source}" if one.kind == "derived" else ""
    decides = "all of it" if set(one.decides) == every else ", ".join(one.decides)
    return f"{f'{one.key} = {value}{unit}':<40} [{one.kind}{source}]  {decides}"


def assembly_grounds(file: AssemblyFile, folder: Path = Path()) -> AssemblyGrounds:
    """Every parameter of an assembly, where it comes from and what it decides.

    Raises what `assembly` raises for lifetimes and energies that the room excitons cannot give.
    """
    made = assembly(file, folder)
    told = file.emitters
    asked = {
        "emitters.lifetime": told.lifetime is None,
        "emitters.wavelength": told.wavelength is None,
        "slope": made.slope_mev_per_nm is not None,
        "compare": file.compare is not None,
    }
    behind = tuple(
        dict.fromkeys(
            result
            for name, computed in asked.items()
            if computed
            for result in _decided("disorder.edge_spread" if name == "slope" else name, file)
        )
    )
    found = []
    for table in (
        "lattice",
        "emitters",
        "disorder",
        "excitation",
        "sampling",
        "times",
        "compare",
        "instrument",
    ):
        part = getattr(file, table)
        if part is not None:
            found += _of_table(table, part, lambda key: _decides(key, file, behind))
    derived = {"emitters.lifetime": made.lifetime_ps, "emitters.wavelength": made.wavelength_nm}
    source = f"excitons: bright levels of one cube of {told.material}, {told.edge or 0.0:g} nm"
    found += [
        AssemblyGround(key, value, _UNITS[key], "derived", source, _decided(key, file))
        for key, value in derived.items()
        if asked[key]
    ]
    if made.slope_mev_per_nm is not None:
        on = _decided("disorder.edge_spread", file)
        found.append(
            AssemblyGround("dE/dL", made.slope_mev_per_nm, "meV/nm", "derived", "excitons: 2 % each way", on)
        )
    return AssemblyGrounds(file.name, tuple(found), _records(file) if behind else ())


def _of_table(table: str, part: BaseModel, decides: Callable[[str], tuple[str, ...]]) -> list[AssemblyGround]:
    """Fields that are named, and defaults that do something."""
    found = []
    for name in type(part).model_fields:
        value, given = getattr(part, name), name in part.model_fields_set
        if value is None:
            continue
        key = f"{table}.{name}"
        kind, source = ("given", "the file") if given else ("assumed", "not in the file")
        found.append(AssemblyGround(key, _plain(value), _UNITS.get(key, "1"), kind, source, decides(key)))
    return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _decides(key: str, file: AssemblyFile, behind: tuple[str, ...]) -> tuple[str, ...]:
    """Of a parameter; `behind`: results that rest on what the room excitons computes."""
    if key in ("emitters.edge", "emitters.material", "emitters.parameter_set"):
        return behind
    if key == "emitters.temperature":
        return _present((*_decided(key, file), *behind), file)
    if key in _IDLE and not _IDLE[key](file):
        return ()
    if key in ("sampling.disorder_draws", "sampling.seed"):
        # the seed is that of trajectories and of the photons of an image too
        drawn = ("emission",) if key == "sampling.seed" else ()
        return _present((*drawn, *_drawn(file)), file)
    return _decided(key, file)


def _drawn(file: AssemblyFile) -> tuple[str, ...]:
    """Results that differ from draw to draw: those of places and directions, or those of energies alone."""
    table = file.disorder
    places = (table.position_spread, table.orientation_spread, table.vacancies)
    if (
        any(one > 0.0 for one in places)
        or file.lattice.kind == "cluster"
        or file.excitation.kind == "random"
        or file.emitters.dipoles == "isotropic"
    ):
        return _ALL
    return _ENERGIES if table.edge_spread > 0.0 or table.energy_spread > 0.0 else ()


_IDLE: dict[str, Callable[[AssemblyFile], bool]] = {
    "lattice.c_over_a": lambda file: file.lattice.kind == "alb2",
    "lattice.filling": lambda file: file.lattice.kind == "cluster",
    "lattice.repeats": lambda file: file.lattice.kind not in ("cluster", "table"),
}
"""Fields with a default that is not read by every assembly."""


def _decided(key: str, file: AssemblyFile) -> tuple[str, ...]:
    """By the longest name that is on the list; only what this assembly has."""
    found = _DECIDES.get(key, _DECIDES.get(key.partition(".")[0], ()))
    return _present((*found, "image") if key == "emitters.wavelength" else found, file)


def _present(found: tuple[str, ...], file: AssemblyFile) -> tuple[str, ...]:
    """Results that this assembly has, in their order; an image is one of the emission."""
    wanted = {*found, "image"} if "emission" in found else set(found)
    there = {
        "costs": file.sampling.ablation,
        "large": file.compare is not None,
        "image": file.instrument is not None,
    }
    return tuple(one for one in RESULTS if one in wanted and there.get(one, True))


def _records(file: AssemblyFile) -> tuple[Value, ...]:
    told = file.emitters
    edge = told.edge if told.edge is not None else (file.compare.edge if file.compare else 0.0)
    crystal = nanocrystal(told.material, "cube", edge, "core-edge", temperature_k=told.temperature)
    return passport(
        crystal, draws=1, sets=None if told.parameter_set is None else (told.parameter_set,)
    ).rests_on
