"""`perolux pl` and `perolux absorption`: model-free numbers of files, a size if asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from perolux.cli.console import BUG, DONE, USER_ERROR, number, print_json, print_table
from perolux.errors import NotAvailableError, PeroluxError

if TYPE_CHECKING:
    from perolux.measured import Spectrum
    from perolux.measured.records import AxisUnit, Kind

__all__ = ["absorption", "pl"]

Files = Annotated[list[Path], Parameter(help="spectrum files: csv, text, JCAMP-DX; one or many spectra each")]
AxisUnitOption = Annotated[
    str | None, Parameter(help="unit of the axis where the file does not say it: nm, eV or cm-1")
]
_BUG_TYPE = "ProgramError"

Json = Annotated[bool, Parameter(negative="", help="print one JSON document")]


def pl(
    files: Files,
    *,
    material: Annotated[str | None, Parameter(help="e.g. CsPbBr3; without it no size is given")] = None,
    temperature: Annotated[
        float | None, Parameter(help="temperature of the sample in K; 298 is assumed where it is not given")
    ] = None,
    parameter_set: Annotated[
        str | None,
        Parameter(help="one named parameter set of the material; all with equal weights otherwise"),
    ] = None,
    stokes: Annotated[
        Literal["constant", "inverse-edge"], Parameter(help="how the Stokes shift depends on the size")
    ] = "constant",
    walls: Annotated[
        Literal["layers", "softened", "hard"],
        Parameter(
            help="bands and walls of the model: all layers, or parabolic bands behind softened or hard walls"
        ),
    ] = "layers",
    linewidth: Annotated[
        Literal["single-dot", "ensemble"], Parameter(help="which record of the width of one size is used")
    ] = "single-dot",
    axis_unit: AxisUnitOption = None,
    baseline: Annotated[
        Literal["ends", "linear", "arpls", "none"], Parameter(help="baseline under the band")
    ] = "ends",
    remove_cosmic_rays: Annotated[
        bool, Parameter(negative="", help="replace flagged single-point spikes by their neighbours")
    ] = False,
    calibration_sigma_nm: Annotated[
        float | None, Parameter(help="standard uncertainty of the wavelength axis, added to the peak's")
    ] = None,
    json: Json = False,
) -> int:
    """Peak, width, signal to noise, colour and, with a material, the size of PL spectra."""
    from perolux.inference import SizePrior
    from perolux.studies.conditions import assumed_temperature
    from perolux.studies.describe import describe_pl

    sets = None if parameter_set is None else (parameter_set,)
    prior = SizePrior(stokes=stokes, walls=walls, linewidth=linewidth, sets=sets)
    temperature_k = assumed_temperature().number if temperature is None else temperature

    def one(spectrum: Spectrum) -> dict[str, Any]:
        described = describe_pl(
            spectrum.with_kind("pl"),
            material=material,
            temperature_k=temperature_k,
            prior=prior,
            baseline=baseline,
            remove_cosmic_rays=remove_cosmic_rays,
            calibration_sigma_nm=calibration_sigma_nm,
        ).as_dict()
        if "edge_nm" in described["size"]:
            described["size"]["temperature_assumed"] = temperature is None
        return described

    if material is not None:
        # A wrong material or temperature is one error of the call, not one of every file.
        from perolux.inference import check_material

        # What nobody has measured is the reason why a size is missing, not an error of the call.
        with suppress(NotAvailableError):
            check_material(material, temperature_k, prior)
    rows = _each_spectrum(files, one, "pl", axis_unit)
    if json:
        print_json(rows)
    else:
        _show_pl(rows, with_size=material is not None)
    return _exit_code(rows)


def absorption(files: Files, *, axis_unit: AxisUnitOption = None, json: Json = False) -> int:
    """First exciton (second derivative), steepest slope and scatter of absorption spectra."""

    def one(spectrum: Spectrum) -> dict[str, Any]:
        return spectrum.with_kind("absorbance").absorption().as_dict()

    rows = _each_spectrum(files, one, "absorbance", axis_unit)
    if json:
        print_json(rows)
    else:
        _show_absorption(rows)
    return _exit_code(rows)


def _each_spectrum(
    files: Sequence[Path], one: Callable[[Spectrum], dict[str, Any]], kind: Kind, axis_unit: str | None
) -> list[dict[str, Any]]:
    """One dictionary per spectrum; a file or spectrum that fails becomes `file, error`, the rest goes on."""
    from perolux.measured import read

    rows: list[dict[str, Any]] = []
    for file in _expanded(files):
        try:
            spectra = read(file, kind=kind, axis_unit=_as_axis_unit(axis_unit))
        except PeroluxError as error:
            rows.append({"file": str(file), "error": error.as_dict()})
            continue
        for spectrum in spectra:
            try:
                rows.append(one(spectrum))
            except PeroluxError as error:
                rows.append({"file": str(file), "label": spectrum.label, "error": error.as_dict()})
            except Exception as error:  # one spectrum's bug must not cost the others; the exit code is 1
                what = f"perolux failed on this spectrum, please report it: {type(error).__name__}: {error}"
                problem = {"what": what, "where": str(file), "allowed": None, "fix": None}
                rows.append({"file": str(file), "label": spectrum.label, "error": _bug(problem)})
    return rows


def _bug(problem: dict[str, str | None]) -> dict[str, Any]:
    return {"type": _BUG_TYPE, "problems": [problem]}


def _expanded(files: Sequence[Path]) -> list[Path]:
    """Folders give their files, sorted, so that each file that cannot be read answers for itself."""
    expanded: list[Path] = []
    for file in files:
        inside = sorted(path for path in file.iterdir() if path.is_file()) if file.is_dir() else []
        expanded += inside or [file]
    return expanded


def _as_axis_unit(text: str | None) -> AxisUnit | None:
    from perolux.errors import OptionError
    from perolux.measured.records import AXIS_UNITS

    for unit in AXIS_UNITS:
        if text is not None and text.lower() == unit.lower():
            return unit
    if text is None:
        return None
    raise OptionError(f"unknown axis unit {text!r}", where="--axis-unit", allowed=", ".join(AXIS_UNITS))


def _exit_code(rows: Sequence[dict[str, Any]]) -> int:
    types = {row["error"]["type"] for row in rows if "error" in row}
    return BUG if _BUG_TYPE in types else USER_ERROR if types else DONE


def _show_errors(rows: Sequence[dict[str, Any]]) -> None:
    import sys

    from perolux.errors import Problem

    for row in rows:
        for problem in row.get("error", {}).get("problems", ()):
            sys.stderr.write(f"perolux: {Problem(**problem)}\n")


def _show_pl(rows: Sequence[dict[str, Any]], with_size: bool) -> None:
    good = [row for row in rows if "error" not in row]
    if good:
        columns = [*_file_column(good), "label", "peak (eV)", "FWHM (meV)", "peak (nm)", "FWHM (nm)", "SNR"]
        columns += ["CIE xy"]
        columns += ["size of a cube", "flags"] if with_size else ["flags"]
        cells = []
        for row in good:
            xy = "–" if row["xy"] is None else f"{row['xy'][0]:.3f}, {row['xy'][1]:.3f}"
            shown = [
                *_file_of(row, good),
                row["label"],
                number(row["peak_ev"], 4),
                number(row["fwhm_mev"], 1),
            ]
            shown += [number(row["peak_nm"], 1), number(row["fwhm_nm"], 1), number(row["snr"], 0), xy]
            shown += [_size_text(row["size"])] if with_size else []
            cells.append([*shown, " ".join(row["flags"])])
        note = "peak and FWHM from the energy axis, with the Jacobian lambda^2/hc"
        print_table("", columns, cells, note if with_size else f"{note}; --material CsPbBr3 adds the size")
    _show_errors(rows)


def _file_column(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The file is shown where the rows come from several."""
    return ["file"] if len({row["file"] for row in rows}) > 1 else []


def _file_of(row: dict[str, Any], rows: Sequence[dict[str, Any]]) -> list[str]:
    return [Path(row["file"]).name] if _file_column(rows) else []


def _size_text(size: dict[str, Any]) -> str:
    if "reason" in size:
        return f"none: {size['reason']}"
    edge = size["edge_nm"]
    weight = size["platelet_weight"] or 0.0
    more = f"; platelet weight {weight:.2f}" if weight > 0.005 else ""
    if "below-bulk" in size["flags"]:
        from perolux.studies.sample import BELOW_BULK_WORDS

        more += f"; {BELOW_BULK_WORDS}"
    if edge["high95"] is None:
        return f"> {edge['low95']:.1f} nm (95 %){more}"
    return f"{edge['low95']:.1f} to {edge['high95']:.1f} nm (95 %), median {edge['median']:.1f}{more}"


def _show_absorption(rows: Sequence[dict[str, Any]]) -> None:
    good: list[Any] = [row for row in rows if "error" not in row]
    if good:
        cells = [
            [
                *_file_of(row, good),
                row["label"],
                number(row["first_exciton_nm"], 1),
                number(row["first_exciton_ev"], 4),
                number(row["sigma_ev"], 4),
                number(row["steepest_slope_nm"], 1),
                number(row["scatter_exponent"], 2),
                " ".join(row["flags"]),
            ]
            for row in good
        ]
        columns = [
            *_file_column(good),
            "label",
            "first exciton (nm)",
            "(eV)",
            "sigma (eV)",
            "steepest slope (nm)",
            "scatter exponent",
        ]
        note = "first exciton: minimum of the smoothed second derivative"
        print_table("", [*columns, "flags"], cells, "\n".join([note, *_why_no_exciton(good)]))
    _show_errors(rows)


def _why_no_exciton(rows: Sequence[dict[str, Any]]) -> list[str]:
    """One line for each spectrum without a first exciton."""
    return [
        f"{': '.join([*_file_of(row, rows), row['label']])}: none, {row['reasons']['first_exciton_nm']}"
        for row in rows
        if row["first_exciton_nm"] is None
    ]
