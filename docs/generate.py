"""Write the pages that come from the program itself into docs/_generated (run before sphinx-build).

    python docs/generate.py            all pages, validation rows included
    python docs/generate.py --quick    leaves the slow validation rows out

Flags, study file, assumptions, material records, constants, the API and the verdicts of the validation rows
have one home, the package; these pages only show them.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import perolux
from perolux.files import write_bytes, write_text
from perolux.quantities import Value

DOCS = Path(__file__).parent
OUT = DOCS / "_generated"

ROOMS = (
    "quantities", "fitting", "materials", "ensemble", "measured", "excitons", "surface", "photons",
    "superlattices", "collective", "synthesis",
    "display", "inference", "design",
    "validation", "reports", "studies", "cli",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Write every page; returns the exit code (3 where a validation row fails without a reason)."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="leave the slow validation rows out")
    options = parser.parse_args(arguments)
    pages: dict[str, str] = {
        "flags.md": flags_page(),
        "study-file.md": study_file_page(),
        "display-file.md": display_file_page(),
        "results-table.md": results_table_page(),
        "assumptions.md": assumptions_page(),
        "constants.md": constants_page(),
        "records.md": records_page(),
        **api_pages(),
    }
    failed = False
    validation, failed = validation_page(include_slow=not options.quick)
    pages["validation.md"] = validation
    for name, text in pages.items():
        write_text(OUT / name, text)
    for name, data in {**display_pictures(), "collective-cost.svg": cost_picture()}.items():
        write_bytes(OUT / name, data)
    print(f"{len(pages)} pages in {OUT.relative_to(DOCS.parent)}")
    if failed:
        print("a validation row fails without a reason: see _generated/validation.md", file=sys.stderr)
    return 3 if failed else 0


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table; bars and angle brackets in cells are made harmless."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    for row in rows:
        cells = (" ".join(str(cell).replace("|", "\\|").replace("<", "&lt;").split()) for cell in row)
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def page(title: str, *blocks: str | Sequence[str]) -> str:
    """A page from its title and blocks of text or lines."""
    lines = [f"# {title}", ""]
    for block in blocks:
        lines += [block, ""] if isinstance(block, str) else [*block]
    return "\n".join(lines).rstrip() + "\n"


def value_row(value: Value) -> tuple[str, str, str, str, str]:
    """Key, number with unit, kind, source, note of a record."""
    if value.low is not None and value.high is not None:
        text = f"{value.low:g} to {value.high:g}"
    elif value.sigma:
        text = f"{value.number:.10g} ± {value.sigma:.2g}"
    else:
        text = f"{value.number:.10g}"
    unit = "" if value.unit == "1" else f" {value.unit}"
    name = f"`{value.key}`" + (f" (set {value.parameter_set})" if value.parameter_set else "")
    return name, text + unit, value.kind, value.source, value.note


def flags_page() -> str:
    """Every flag and what it means."""
    from perolux.measured.flags import FLAGS
    from perolux.studies.flags import STUDY_FLAGS

    intro = (
        "A flag marks a fact about a spectrum that a reader of its numbers should know. It never replaces an "
        "error: a spectrum that cannot be evaluated says so, with the reason."
    )
    merged = {**FLAGS, **STUDY_FLAGS}
    return page("Flags", intro, table(("flag", "meaning"), [(f"`{k}`", v) for k, v in merged.items()]))


def study_file_page() -> str:
    """Every block and key of a study file, from the schema that checks it."""
    from perolux.studies import study_schema

    schema = study_schema()
    definitions = schema["$defs"]
    lines: list[str] = []
    for block, entry in schema["properties"].items():
        reference = entry.get("$ref") or next(o["$ref"] for o in entry["anyOf"] if "$ref" in o)
        definition = definitions[reference.rsplit("/", 1)[-1]]
        needed = "needed" if block in schema.get("required", ()) else "may be left out"
        lines += [f"## `[{block}]`", "", f"{_sentence(definition)} ({needed})", ""]
        lines += _key_table(definition, definitions)
        for key, inner in definition.get("properties", {}).items():
            nested = inner.get("items", {}).get("$ref")
            if nested:
                inner_definition = definitions[nested.rsplit("/", 1)[-1]]
                lines += [f"### `[[{block}.{key}]]`", "", _sentence(inner_definition), ""]
                lines += _key_table(inner_definition, definitions)
    intro = (
        "A study file is TOML. Unknown keys are refused, and all problems of a file are reported at once. "
        "Paths are relative to the folder of the study file. `perolux schema` prints the same as a JSON "
        "Schema, with which an editor completes and checks a study file while it is written."
    )
    return page("The study file", intro, lines)


def display_file_page() -> str:
    """Every table and key of a display's file, kind by kind, from the schema that checks it."""
    from perolux.display.stack_file import stack_schema

    schema = stack_schema()
    definitions = schema["$defs"]
    mapping = schema["discriminator"]["mapping"]
    lines: list[str] = ["## Tables of each kind", ""]
    seen: dict[str, str] = {}
    for kind in ("film", "converter", "led"):
        reference = mapping[kind]
        definition = definitions[reference.rsplit("/", 1)[-1]]
        needed = definition.get("required", ())
        own: dict[str, Any] = {"properties": {}, "required": needed}
        blocks = []
        for key, entry in definition["properties"].items():
            table_name = _reference(entry)
            if table_name is None:
                own["properties"][key] = entry
                continue
            blocks.append(f"`[{key}]`" + ("" if key in needed else " (may be left out)"))
            seen.setdefault(table_name, key)
        lines += [f'### `kind = "{kind}"`', "", f"{_sentence(definition)} Tables: {', '.join(blocks)}.", ""]
        lines += _key_table(own, definitions)
    for name, key in list(seen.items()):
        for inner, entry in definitions[name]["properties"].items():
            if (nested := _reference(entry)) is not None:
                seen.setdefault(nested, f"{key}.{inner}")
    lines += ["## Keys of each table", ""]
    for name, key in seen.items():
        also = ", `[green]`, `[red]`" if key == "film" else ""
        said = " ".join(str(definitions[name].get("description", "")).split())
        lines += [f"### `[{key}]`{also}", "", said, ""]
        lines += _key_table(definitions[name], definitions)
    intro = (
        "A display's file is TOML. Unknown keys are refused, all problems of a file are reported at once. "
        'Lengths carry their unit, as in `"250 um"`; yields and reflectances are shares from 0 to 1. Files '
        "that it names are looked for beside it. `perolux schema display` prints the same as a JSON Schema."
    )
    return page("The display file", intro, lines)


def _reference(entry: dict[str, Any]) -> str | None:
    """Name of the table that a key holds; None for a plain key."""
    options = [entry, *entry.get("anyOf", ())]
    found = next((one["$ref"] for one in options if "$ref" in one), None)
    return None if found is None else str(found).rsplit("/", 1)[-1]


def display_pictures() -> dict[str, bytes]:
    """Pictures of the page of displays: a gamut, a front of designs, photons in a pixel."""
    import numpy as np

    from perolux.design.display_front import display_front
    from perolux.display.emitters import emitter
    from perolux.display.pixel_rays import PixelArray, ray_paths
    from perolux.display.primaries import gamut_of_primaries
    from perolux.display.rays import Scatterers
    from perolux.display.reference_slab import reference_slab
    from perolux.display.stack_file import FilmStack, read_stack
    from perolux.files import example_path
    from perolux.reports.display_front import front_picture
    from perolux.reports.gamut_figure import gamut_picture
    from perolux.reports.ray_figure import ray_picture

    primaries = [emitter(name) for name in ("KSF6", "G530/22", "G450/20")]
    folder = example_path("displays")
    stack = read_stack(folder / "green_film.toml")
    assert isinstance(stack, FilmStack)
    array = PixelArray(12.5, 4.0, "black", 2.0)
    slab = reference_slab(1.6, 4.605, 0.95)
    paths = ray_paths(slab, array, 12, np.random.default_rng(2), scatterers=Scatterers(2.0))
    return {
        "display-gamut.png": gamut_picture(gamut_of_primaries(primaries), "png", dpi=140),
        "display-front.png": front_picture(display_front(stack, folder, designs=400, workers=1), "png"),
        "display-rays.svg": ray_picture(paths, array, shown_um=25.0),
    }


def cost_picture() -> bytes:
    """CPU seconds of the methods of collective light against N, with their laws, as last measured."""
    import io

    import matplotlib as mpl
    import matplotlib.pyplot as plt

    from perolux.reports.figures import STYLE

    saved = json.loads((DOCS.parent / "benchmarks" / "results.json").read_text("utf-8"))
    rows = [row for row in saved["rows"] if row["room"] == "collective_cost"]
    few = [row for row in rows if row["points"][-1][0] <= 20]
    buffer = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure, panels = plt.subplots(1, 2, figsize=(9.6, 5.2), sharey=True, layout="constrained")
        for axis, some in zip(panels, (few, [row for row in rows if row not in few]), strict=True):
            for m, row in enumerate(some):
                n, seconds = zip(*row["points"], strict=True)
                law, colour = row["law"], f"C{m}"
                rate = f"{law['rate']:.2f} ± {law['error']:.2f}"
                power = law["kind"] == "power"
                text = f"N^({rate})" if power else f"({rate})^N"
                line = [k for k in n if k >= law["from_n"]]
                along = [law["at_one"] * (k ** law["rate"] if power else law["rate"] ** k) for k in line]
                axis.loglog(
                    n, seconds, "os^vDP*X"[m % 8], ms=4.5, color=colour, label=f"{row['method']}: {text}"
                )
                axis.loglog(line, along, "-", lw=1.0, color=colour)
            axis.set_xlabel("emitters N")
            axis.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.13), frameon=False)
            ticks = (3, 4, 5, 6, 8, 10, 12) if axis is panels[0] else (10, 100, 1000, 10_000)
            axis.set_xticks(ticks, [str(k) for k in ticks])
            axis.minorticks_off()
        panels[0].set_ylabel("CPU seconds")
        figure.savefig(buffer, format="svg", metadata={"Date": None})
        plt.close(figure)
    return buffer.getvalue()


def results_table_page() -> str:
    """Every column of a results table: name, unit, meaning."""
    from perolux.studies import columns

    intro = (
        "One row per sample, in `results.csv`, `results.parquet` and `results.json`. Units are in the names. "
        "An empty cell is missing, and `reasons` says why. The median edge of each parameter set alone "
        "(`edge_median_nm [SET]`), recipe variables (`recipe: NAME`) and what was read from the names of the "
        "samples (`name: NAME`) follow."
    )
    groups = (
        ("Every study", columns.COLUMNS),
        ("Studies with absorption spectra", columns.ABSORPTION_COLUMNS),
        ("Studies of an open composition", columns.COMPOSITION_COLUMNS),
    )
    lines: list[str] = []
    for title, group in groups:
        lines += [f"## {title}", ""]
        lines += table(("column", "unit", "meaning"), [(f"`{c.name}`", c.unit, c.meaning) for c in group])
    return page("The results table", intro, lines)


def _sentence(definition: dict[str, Any]) -> str:
    text = " ".join(str(definition.get("description", "")).split())
    return text.split(": ", 1)[-1][:1].upper() + text.split(": ", 1)[-1][1:]


def _key_table(definition: dict[str, Any], definitions: dict[str, Any]) -> list[str]:
    required = definition.get("required", ())
    rows = []
    for key, entry in definition.get("properties", {}).items():
        default = "needed" if key in required else _default(entry)
        rows.append((f"`{key}`", _type(entry, definitions), default, entry.get("description", "")))
    return table(("key", "type", "default", "meaning"), rows)


def _default(entry: dict[str, Any]) -> str:
    default = entry.get("default")
    return "none" if default in (None, [], {}, "") else f"`{json.dumps(default)}`"


def _type(entry: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "anyOf" in entry:
        return " or ".join(
            _type(option, definitions) for option in entry["anyOf"] if option.get("type") != "null"
        )
    if "const" in entry:
        return f"`{json.dumps(entry['const'])}`"
    if "enum" in entry:
        return " or ".join(f"`{json.dumps(choice)}`" for choice in entry["enum"])
    if "$ref" in entry:
        return "table"
    kind = {"string": "text", "number": "number", "integer": "whole number", "object": "table"}
    kind["boolean"] = "true or false"
    if entry.get("type") == "array":
        if "prefixItems" in entry:
            return "[low, high]"
        return f"list of {_type(entry.get('items', {}), definitions)}"
    return kind.get(entry.get("type", ""), "any")


def assumptions_page() -> str:
    """Priors, couplings and model errors, each a record."""
    from perolux.excitons.assumptions import assumptions

    intro = (
        "What the models of a nanocrystal assume: priors, couplings, model errors. A range enters as a "
        "uniform prior (the edge length as log-uniform). Those that sizes rest on can be replaced in the "
        "`[prior]` block of a study file, and every report and passport lists those that it used. "
        "`perolux explain prior.NAME` prints one of them."
    )
    from perolux.synthesis.aggregation import attachment_records
    from perolux.synthesis.kinetics import priors
    from perolux.synthesis.mixed_priors import mixed_priors
    from perolux.synthesis.solid_priors import solid_priors

    head = ("key", "value", "kind", "source", "note")
    of_crystals = table(head, [value_row(value) for value in assumptions().values()])
    kinetic_records = priors() | solid_priors() | attachment_records() | mixed_priors()
    of_synthesis = table(head, [value_row(value) for value in kinetic_records.values()])
    kinetic = (
        "## Kinetic constants of a synthesis\n\nNo rate constant, activation energy or surface energy of "
        "these materials was found in a source that could be read: all are priors, and a recipe may give its "
        "own in `[kinetics]`."
    )
    from perolux.synthesis.speciation import equilibrium_records

    of_equilibria = table(head, [value_row(value) for value in equilibrium_records().values()])
    equilibria = "## Complexes and solids in solution\n\nOf no source either; only orders and signs follow."
    from perolux.surface.priors import priors as surface_priors

    of_surface = table(head, [value_row(value) for value in surface_priors().values()])
    surface = (
        "## Exchange and fractionation\n\nRates, interactions of halides, sharpness of a precipitation: "
        "priors, but for the one activation energy that was read and an exponent that follows from geometry."
    )
    from perolux.photons.quantum_records import quantum_records

    of_coherence = table(head, [value_row(value) for value in quantum_records().values()])
    photons = "## Coherence and the emitter\n\nCavities, and the dark exciton in the cold: none was read."
    from perolux.display.display_records import display_records
    from perolux.display.emitters import emitter_values
    from perolux.display.optical_media import film_values

    display_values = (*display_records().values(), *film_values().values(), *emitter_values().values())
    of_displays = table(head, [value_row(value) for value in display_values])
    displays = (
        "## Displays\n\nBacklights, panels and emitters of which no free measurement is known; a file or an "
        "option replaces each. Colour filters are assumed shapes (`default`, `narrow-blue`)."
    )
    from perolux.synthesis.platelets import platelet_records

    of_platelets = table(head, [value_row(value) for value in platelet_records().values()])
    platelets = (
        "## Nanoplatelets\n\nThat bromide passes through platelets and iodide does not follows from the "
        "order of the binding constants, which is assumed."
    )
    return page(
        "Assumptions", intro, of_crystals, "", kinetic, of_synthesis, "", equilibria, of_equilibria, "",
        platelets, of_platelets, "", surface, of_surface, "", photons, of_coherence, "",
        displays, of_displays,
    )  # fmt: skip


def constants_page() -> str:
    """The fundamental constants."""
    from perolux.quantities.constants import constants

    intro = "Fundamental constants (CODATA 2022). Internal units are nm, eV, ns and K."
    rows = [value_row(value)[:4] for value in constants().values()]
    return page("Constants", intro, table(("key", "value", "kind", "source"), rows))


def records_page() -> str:
    """Every material record: what is chosen at 298 K, its rivals, and what nobody has supplied."""
    from perolux.materials import known_materials, material, platelet_ladders
    from perolux.materials.records import load_records, quantities
    from perolux.quantities.citations import bibliography

    intro = (
        "All records of the `materials` room; `perolux explain MATERIAL.quantity` shows them one by one. "
        "The first record of a quantity is used (that of the chosen parameter set, where it belongs to one); "
        "the others are its rivals, and none is averaged away. Records are numbers as their source gives "
        "them; what follows from them (Bohr radius, Rydberg, gap at a temperature) is computed on demand."
    )
    lines: list[str] = []
    for name in known_materials():
        file = load_records(name)
        own = {quantity: file.of(quantity) for quantity in quantities() if file.of(quantity)}
        lines += [f"## {name}", ""]
        lines += [f"- {fact}" for fact in file.facts] + [""] * bool(file.facts)
        for one in file.sets:
            also = f" (also {', '.join(one.aliases)})" if one.aliases else ""
            lines.append(f"- parameter set `{one.name}`{also}: {one.note or 'no note'}")
        lines += [""] * bool(file.sets)
        rows = []
        for records in own.values():
            for position, record in enumerate(records):
                key, number, kind, source, note = value_row(record.value)
                rows.append((key if position == 0 else f"{key}, rival", number, kind, source, note))
        lines += table(("key", "value", "kind", "source", "note"), rows) if rows else []
        missing = [quantity for quantity in material(name).missing() if not file.of(quantity)]
        lines += [f"Not available: {', '.join(f'`{quantity}`' for quantity in missing)}.", ""]
        for ladder in platelet_ladders(name):
            lines += [f"- platelet ladder {ladder}" + (f" ({ladder.note})" if ladder.note else "")]
        lines += [""] * bool(platelet_ladders(name))
    lines += ["## Quantities", ""]
    lines += table(
        ("quantity", "unit", "meaning", "mixtures"),
        [(f"`{q.name}`", q.unit, q.meaning, q.mixing) for q in quantities().values()],
    )
    lines += ["## Sources", ""]
    lines += [f"- `{key}`: {_plain(str(work))}" for key, work in bibliography().items()]
    return page("Material records", intro, lines)


def _plain(text: str) -> str:
    """Text of a reference without the braces of BibTeX and without what Markdown would read as markup."""
    return text.replace("{", "").replace("}", "").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


def validation_page(include_slow: bool = True) -> tuple[str, bool]:
    """The verdict of every validation row, computed now; and whether one fails without a reason."""
    from perolux.validation import has_unexplained_failure, markdown_page, run_rows

    results = run_rows(include_slow=include_slow)
    made_with = f"Computed by perolux {perolux.__version__} on {datetime.now(UTC):%Y-%m-%d}."
    return markdown_page(results, made_with), has_unexplained_failure(results)


def api_pages() -> dict[str, str]:
    """One page per room with its public modules, read by autodoc."""
    names = [module.name for module in pkgutil.walk_packages(perolux.__path__, "perolux.")]
    pages: dict[str, str] = {}
    for room in (*ROOMS, "shared"):
        if room == "shared":
            wanted = ["perolux", "perolux.errors", "perolux.files", "perolux.progress"]
        else:
            wanted = [
                n for n in names if n.split(".")[1] == room and not n.rsplit(".", 1)[-1].startswith("_")
            ]
        lines: list[str] = []
        for name in wanted:
            members = (
                []
                if hasattr(importlib.import_module(name), "__path__")
                else [":members:", ":ignore-module-all:"]
            )
            lines += [f"## `{name}`", "", "```{eval-rst}", f".. automodule:: {name}"]
            lines += [*(f"   {option}" for option in members), "```", ""]
        title = f"perolux.{room}" if room != "shared" else "perolux: errors, files, progress"
        pages[f"api/{room}.md"] = page(title, lines)
    return pages


if __name__ == "__main__":
    sys.exit(main())
