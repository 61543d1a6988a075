"""What a result rests on, as references: BibTeX of the sources of a run, or of one number."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perolux.errors import OptionError
from perolux.quantities.citations import FIELDS, Reference, citation_keys, reference
from perolux.studies.conditions import assumed_temperature
from perolux.studies.run import Run

if TYPE_CHECKING:
    from perolux.materials import Explanation
    from perolux.quantities import Value

__all__ = ["Citations", "citations_of_run", "explain_key", "record_values"]


def explain_key(key: str, temperature_k: float | None = None) -> Explanation:
    """Where a number comes from, for every key that a run or `perolux pl --json` names.

    key: of a material ("CsPbBr3.gap"), of a fundamental constant ("constants.planck_j_s"), of the prior of
    the sizes ("prior.edge_nm"), of a synthesis ("prior.surface_energy_j_m2") or of the surface
    ("prior.exchange_rate_per_s"), of the equilibria of a solution ("equilibrium.PbX3-"), of a chemical
    ("chemical.toluene.boiling_c"), of a display ("display.reflector", "film.random_close_packing",
    "emitter.KSF6"), "atomic_weight.Pb", "study.temperature_k", of the line
    ("CsPbBr3.homogeneous_fwhm"),
    or a rung of a platelet ladder. An unknown key raises `OptionError` with near keys of all records; else
    raises what `perolux.materials.explain` raises.
    """
    from perolux.materials import Explanation, explain, material, platelet_ladders

    room, _, name = key.partition(".")
    records = record_values()
    if key in records:
        value = records[key]
    elif room in _KINDS:
        raise _unknown(key, room, records)
    elif key == assumed_temperature().key:
        value = assumed_temperature()
    elif name == "homogeneous_fwhm":
        from perolux.excitons.light.linewidth import homogeneous_fwhm_mev

        value = homogeneous_fwhm_mev(material(room, 298.0 if temperature_k is None else temperature_k))
    elif name.startswith("platelet_"):
        rungs = {v.key: v for ladder in platelet_ladders(room) for v in ladder.emission_ev}
        if key not in rungs:
            raise OptionError(
                f"no platelet rung is called {key!r}", allowed=", ".join(rungs) or "none on record"
            )
        value = rungs[key]
    else:
        return explain(key, temperature_k=temperature_k)
    return Explanation(key, value)


def record_values() -> dict[str, Value]:
    """Every record that is of no material, by its key: priors, equilibria, chemicals, displays."""
    from perolux.display.display_records import display_records
    from perolux.display.emitters import emitter_values
    from perolux.display.optical_media import film_values
    from perolux.excitons.assumptions import assumptions
    from perolux.materials.chemicals import atomic_weight, atomic_weights, chemicals
    from perolux.photons.quantum_records import quantum_records
    from perolux.surface.priors import priors as surface_priors
    from perolux.synthesis.aggregation import attachment_records
    from perolux.synthesis.kinetics import priors
    from perolux.synthesis.mixed_priors import mixed_priors
    from perolux.synthesis.platelets import platelet_records
    from perolux.synthesis.solid_priors import solid_priors
    from perolux.synthesis.speciation import equilibrium_records

    rooms = (
        assumptions(), surface_priors(), priors(), solid_priors(), attachment_records(), platelet_records(),
        equilibrium_records(), mixed_priors(), quantum_records(),
        display_records(), film_values(), emitter_values(),
    )  # fmt: skip
    values = [value for room in rooms for value in room.values()]
    for one in chemicals().values():
        values += [*one.properties.values(), *one.multipliers.values()]
    values += [atomic_weight(symbol) for symbol in atomic_weights()]
    return {value.key: value for value in values}


_KINDS = ("prior", "equilibrium", "chemical", "atomic_weight", "display", "film", "emitter")


def _unknown(key: str, kind: str, records: Mapping[str, Value]) -> OptionError:
    """No such record: the nearest of any kind, by the whole key and by parts of the name."""
    from difflib import get_close_matches

    name = key.partition(".")[2]
    same = [one for one in records if one.startswith(f"{kind}.")]
    near = get_close_matches(key, records, n=4, cutoff=0.75)
    # somebody who knows half of a name, or wrote it under another kind
    near += [one for one in records if len(name) > 2 and name.lower() in one.lower()][:6]
    found = ", ".join(dict.fromkeys(near))
    return OptionError(
        f"no record is called {key!r}" + (f"; near: {found}" if found else ""),
        allowed=", ".join(same),
        fix=f"write one of these; another kind begins with one of {', '.join(f'{one}.' for one in _KINDS)}",
    )


@dataclass(frozen=True)
class Citations:
    """What to cite.

    references: works, each once, those of the data last. data: keys of the works that the study names for its
    data. others: sources that are no work, as written.
    """

    references: tuple[Reference, ...]
    data: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Citation keys of the works."""
        return tuple(work.key for work in self.references)

    @property
    def bibtex(self) -> str:
        """BibTeX text; sources that are no published work stand as comment lines."""
        comments = "".join(f"% {' '.join(other.split())}\n" for other in self.others)
        works = "\n\n".join(work.bibtex() for work in self.references) + "\n"
        return works + (f"\n{comments}" if comments else "")

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON: the fields of each work, which of them the data are from, the other sources, BibTeX."""
        works = [{"key": work.key, "type": work.type, **dict(work.fields)} for work in self.references]
        return {
            "references": works,
            "data": list(self.data),
            "other_sources": list(self.others),
            "bibtex": self.bibtex,
        }


def citations_of_run(run: str | Path) -> Citations:
    """The sources of a run folder and of its data, or of a key as `perolux explain` takes it.

    A key is cited with its rivals. Raises `InputError` for a folder that holds no finished run, `OptionError`
    for an unknown key.
    """
    path = Path(run)
    if path.exists():
        record = Run.open(path).record
        found = _of_sources(value["source"] for value in record["values"])
        data = tuple(_data_reference(source) for source in record["study"]["study"].get("sources", ()))
        if not data:
            unnamed = "the data: the study names no [[study.sources]]"
            return replace(found, others=(*found.others, unnamed))
        keys = tuple(work.key for work in data)
        return replace(found, references=(*found.references, *data), data=keys)
    explanation = explain_key(str(run))
    values = (explanation.chosen, *explanation.ingredients, *explanation.rivals)
    return _of_sources(value.source for value in values)


def _data_reference(source: dict[str, Any]) -> Reference:
    """A `[[study.sources]]` of a study as a work; what BibTeX has no field for goes into its note."""
    said = (
        source["version"],
        f"licence {source['licence']}" if source["licence"] else None,
        source["note"],
    )
    source = {**source, "note": "; ".join(text for text in said if text) or None}
    return Reference(
        source["key"],
        source["type"],
        tuple((name, str(source[name])) for name in FIELDS if source.get(name) is not None),
    )


def _of_sources(sources: Iterable[str]) -> Citations:
    keys: dict[str, None] = {"perolux": None}
    others: dict[str, None] = {}
    for source in sources:
        found = citation_keys(source)
        keys.update(dict.fromkeys(found))
        if not found:
            others[source] = None
    return Citations(tuple(reference(key) for key in keys), others=tuple(others))
