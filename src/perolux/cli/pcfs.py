"""`perolux pcfs`: photon-correlation Fourier spectroscopy of one emitter, from a folder of positions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from perolux.cli.console import numbers_of, print_json, print_table, terminal_progress
from perolux.errors import OptionError

if TYPE_CHECKING:
    from perolux.photons.pcfs_measured import PcfsMeasured

__all__ = ["pcfs"]


def pcfs(
    folder: Annotated[
        Path, Parameter(help="pcfs.toml with records of photons a stage position, or a table of pairs")
    ],
    /,
    *,
    contrast: Annotated[float | None, Parameter(help="of the fringes, 0 to 1; wins over pcfs.toml")] = None,
    fringes_per_s: Annotated[float | None, Parameter(help="that the dither passes; wins likewise")] = None,
    lags: Annotated[
        str | None, Parameter(help="of the pairs: FROM,TO[,BINS] in s, e.g. 1e-6,1e-2,12")
    ] = None,
    no_diffusion: Annotated[bool, Parameter(negative="", help="a still line: T2 alone is fitted")] = False,
    lines: Annotated[str | None, Parameter(help="of the fine structure, rad/ps, e.g. 0,0.06: held")] = None,
    weights: Annotated[str | None, Parameter(help="shares of the light of these lines, e.g. 0.7,0.3")] = None,
    level: Annotated[float, Parameter(help="of the intervals")] = 0.95,
    out: Annotated[Path | None, Parameter(help="a new folder for report, figures and tables")] = None,
    replace: Annotated[bool, Parameter(negative="", help="replace the folder of --out")] = False,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Coherence time, line width and spectral diffusion: a Poisson fit to all stage positions and lags."""
    from perolux.photons.pcfs_measured import analyse_pcfs
    from perolux.photons.pcfs_set import read_pcfs

    if contrast is not None and not 0 < contrast <= 1:
        raise OptionError(f"a contrast of {contrast:g}", where="--contrast", allowed="above 0, at most 1")
    if not 0 < level < 1:
        raise OptionError(f"a level of {level:g}", where="--level", allowed="between 0 and 1")
    if out is not None:
        from perolux.studies.growth import require_new_folder

        require_new_folder(out, replace=replace, holds=("result.json", "pairs.csv"))
    elif replace:
        raise OptionError("nothing is replaced", where="--replace", fix="give --out FOLDER as well")
    places = [0.0] if lines is None else numbers_of(lines, "--lines", "frequency", "rad/ps from 0 up", 20)
    shares = [1.0] if weights is None else numbers_of(weights, "--weights", "share", "as many as lines", 20)
    if len(places) != len(shares) or not sum(shares) > 0:
        raise OptionError(f"{len(places)} lines, {len(shares)} weights", where="--lines, --weights")
    source = read_pcfs(
        folder, contrast=contrast, fringes_per_s=fringes_per_s, lags=_lags(lags), progress=terminal_progress()
    )
    found = analyse_pcfs(
        source, diffusion=not no_diffusion, lines_rad_per_ps=places, weights=shares, level=level,
        progress=terminal_progress(),
    )  # fmt: skip
    if out is not None:
        from perolux.reports.pcfs import write_pcfs_report

        write_pcfs_report(found, out, folder)
    if json:
        print_json(found.as_dict())
    else:
        _show(found, folder, out)


def _lags(text: str | None) -> tuple[float, float, int] | None:
    if text is None:
        return None
    values = numbers_of(text, "--lags", "lag", "FROM,TO[,BINS], e.g. 1e-6,1e-2,12", 3)
    if len(values) < 2 or values[0] >= values[1] or (len(values) == 3 and values[2] != int(values[2])):
        raise OptionError(f"{text!r}", where="--lags", allowed="FROM,TO[,BINS], rising, e.g. 1e-6,1e-2,12")
    return values[0], values[1], int(values[2]) if len(values) == 3 else 0


def _show(found: PcfsMeasured, folder: Path, out: Path | None) -> None:
    record = found.as_dict()
    wander = record["diffusion"]
    rows = [
        ["coherence time T2", _cell(record["t2_ps"]), _range(record["t2_interval_ps"]), "ps"],
        [
            "width of the line, 2 hbar/T2", _cell(record["linewidth_uev"]),
            _range(record["linewidth_interval_uev"]), "micro-eV",
        ],
        ["spectral diffusion, sd of the line", _cell(wander["sd_uev"]), _range(wander["sd_interval_uev"]),
         "micro-eV"],
        ["the same", _cell(wander["sd_rad_per_ps"]), _range(wander["sd_interval_rad_per_ps"]), "rad/ps"],
        ["its time", _cell(wander["time_s"]), _range(wander["time_interval_s"]), "s"],
    ]  # fmt: skip
    photons = "" if record["photons"] is None else f"{record['photons']} photons, "
    notes = [
        f"{record['positions']} stage positions, {len(record['g2'])} lags, {photons}{record['pairs']} pairs; "
        f"deviance {record['deviance']:.5g} for {record['degrees_of_freedom']} degrees of freedom.",
        f"Intervals: {record['intervals']}.",
        *(["Simulated, as the folder says."] if record["simulated"] else []),
        *(f"{name}: {text}." for name, text in record["missing"].items()),
        *(f"Assumed: {text}." for text in record["assumptions"]),
        *(f"{text[:1].upper()}{text[1:]}." for text in record["warnings"]),
        *([f"report.html, figures, pairs.csv and result.json: {out}"] if out is not None else []),
    ]
    print_table(
        f"PCFS, {folder.name}",
        ["quantity", "value", f"{record['level']:.0%}", "unit"],
        rows,
        "\n".join(notes),
    )


def _cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _range(ends: dict[str, float | None]) -> str:
    if ends["low"] is None and ends["high"] is None:
        return "–"
    low, high = ("open" if x is None else f"{x:.4g}" for x in (ends["low"], ends["high"]))
    return f"{low} to {high}"
