"""What a result rests on, as references: BibTeX of the sources of a run, or of one number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perolux.quantities.citations import citation_keys, reference, to_bibtex
from perolux.studies.run import Run

__all__ = ["Citations", "citations_of_run"]


@dataclass(frozen=True)
class Citations:
    """keys: works of the bibliography, each once; others: sources that are no work of it (as written)."""

    keys: tuple[str, ...]
    others: tuple[str, ...] = ()

    @property
    def bibtex(self) -> str:
        """BibTeX text; sources that are no published work stand as comment lines."""
        comments = "".join(f"% {' '.join(other.split())}\n" for other in self.others)
        return to_bibtex(self.keys) + (f"\n{comments}" if comments else "")

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON: the fields of each work, the other sources, and the BibTeX text."""
        works = [
            {"key": key, "type": reference(key).type, **dict(reference(key).fields)} for key in self.keys
        ]
        return {"references": works, "other_sources": list(self.others), "bibtex": self.bibtex}


def citations_of_run(run: str | Path) -> Citations:
    """The sources of a run folder, or of a key as `perolux explain` takes it (with its rivals).

    Raises `InputError` for a folder that holds no finished run, `OptionError` for an unknown key.
    """
    path = Path(run)
    if path.exists():
        return _of_sources(value["source"] for value in Run.open(path).record["values"])
    from perolux.materials import explain

    explanation = explain(str(run))
    values = (explanation.chosen, *explanation.ingredients, *explanation.rivals)
    return _of_sources(value.source for value in values)


def _of_sources(sources: Iterable[str]) -> Citations:
    keys: dict[str, None] = {"perolux": None}
    others: dict[str, None] = {}
    for source in sources:
        found = citation_keys(source)
        keys.update(dict.fromkeys(found))
        if not found:
            others[source] = None
    return Citations(tuple(keys), tuple(others))
