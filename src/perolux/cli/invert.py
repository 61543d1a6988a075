"""`perolux invert`: one spectrum back to the sizes behind it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from perolux.cli.console import number, patiently, print_json, print_table
from perolux.errors import OptionError

if TYPE_CHECKING:
    from perolux.inference import SizeInversion
    from perolux.measured import Spectrum
    from perolux.measured.records import Kind

__all__ = ["invert"]


def invert(
    spectrum: Annotated[Path, Parameter(help="a spectrum file: csv, text, JCAMP-DX")],
    /,
    *,
    material: Annotated[str, Parameter(help="e.g. CsPbBr3")],
    kind: Annotated[
        Literal["pl", "absorbance"] | None, Parameter(help="what it is, where the file does not say so")
    ] = None,
    basis: Annotated[
        Literal["cubes", "platelets", "both"],
        Parameter(help="cubes of any size, platelets of 2 to 8 monolayers, or both with a criterion"),
    ] = "cubes",
    absorbance: Annotated[
        Path | None, Parameter(help="absorbance of the same sample in the same cell, beside a PL")
    ] = None,
    label: Annotated[str | None, Parameter(help="which spectrum of a file that holds several")] = None,
    temperature: Annotated[
        float | None, Parameter(help="temperature of the sample in K; 298 is assumed where it is not given")
    ] = None,
    parameter_set: Annotated[str | None, Parameter(help="one named parameter set; all otherwise")] = None,
    excitation: Annotated[
        float | None, Parameter(help="wavelength of the lamp in nm; crystals count by their volume otherwise")
    ] = None,
    line_fwhm_mev: Annotated[
        float | None, Parameter(help="width of the line of one size; the range on record otherwise")
    ] = None,
    slit: Annotated[float, Parameter(help="width of the slit in nm, of the record")] = 2.0,
    path_mm: Annotated[
        float | None, Parameter(help="of the light through an absorbing cell: gives the number of crystals")
    ] = None,
    noise: Annotated[
        float | None, Parameter(help="standard deviation, in the unit of the values; estimated otherwise")
    ] = None,
    range_nm: Annotated[str | None, Parameter(help="samples to use, e.g. 430,600")] = None,
    largest_edge: Annotated[
        float | None, Parameter(help="end of the grid of sizes in nm; 30 otherwise")
    ] = None,
    seed: Annotated[int, Parameter(help="of the draws behind the intervals")] = 0,
    out: Annotated[Path | None, Parameter(help="write the densities as a csv table to a new file")] = None,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Size distribution of cubes, or amounts of platelets, from PL, absorbance, or both together."""
    from perolux.inference import invert_spectrum
    from perolux.studies.conditions import assumed_temperature

    if out is not None and (out.suffix.lower() != ".csv" or out.exists()):
        raise OptionError(f"--out {out} is there, or is no csv file", allowed="a new name that ends in .csv")
    record = _one(spectrum, kind, label)
    second = None if absorbance is None else _one(absorbance, "absorbance", None)
    found = patiently(
        lambda: invert_spectrum(
            record,
            material,
            absorbance=second,
            basis=basis,
            temperature_k=assumed_temperature().number if temperature is None else temperature,
            sets=parameter_set,
            excitation_nm=excitation,
            line_fwhm_mev=line_fwhm_mev,
            slit_fwhm_nm=slit,
            path_mm=path_mm,
            noise=noise,
            range_nm=_range(range_nm),
            largest_edge_nm=largest_edge,
            seed=seed,
        ),
        "inverting",
    )
    if out is not None:
        _write(found, out)
    if json:
        print_json({**found.as_dict(), "temperature_assumed": temperature is None})
        return
    _show(found, out)


def _one(path: Path, kind: Kind | None, label: str | None) -> Spectrum:
    """The spectrum of a file, by its label where there are several."""
    from perolux.measured import read

    spectra = read(path, kind=kind)
    if label is not None:
        return spectra[label]
    if len(spectra) != 1:
        raise OptionError(
            f"{path} holds {len(spectra)} spectra",
            where="--label",
            allowed=", ".join(repr(one) for one in spectra.labels[:8]) + (" ..." if len(spectra) > 8 else ""),
            fix="name one with --label",
        )
    return spectra[0]


def _range(text: str | None) -> tuple[float, float] | None:
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise OptionError(f"--range-nm {text} is no range", allowed="two wavelengths, e.g. 430,600") from None
    return low, high


def _write(found: SizeInversion, out: Path) -> None:
    import csv
    import io

    from perolux.files import write_text

    rows, text = found.rows(), io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(rows)
    write_text(out, text.getvalue())


def _show(found: SizeInversion, out: Path | None) -> None:
    title = f"{found.label}: {found.material} from {' and '.join(found.records)}"
    if found.by_set:
        rows = [
            [
                name, _interval(one.mean_edge_nm.as_dict(), 2), _interval(one.cv.as_dict(), 3),
                number(one.gcv.mean_edge_nm), number(one.l_curve.mean_edge_nm), _kernel(one),
                number(one.misfit, 1),
            ]
            for name, one in found.by_set.items()
        ]  # fmt: skip
        columns = [
            "set",
            "mean edge (nm)",
            "cv",
            "GCV (nm)",
            "L-curve (nm)",
            "one size seen as (nm)",
            "misfit",
        ]
        print_table(title, columns, rows, "\n".join(_cube_notes(found)))
    if found.platelets:
        counts = sorted({m for one in found.platelets.values() for m in one.lines.monolayers})
        cells = []
        for name, two in found.platelets.items():
            share = dict(zip(two.lines.monolayers, two.share, strict=True))
            shares = [f"{100 * share[m]:.0f}" if m in share else "–" for m in counts]
            cells.append(
                [name, *shares, f"{two.mean[0]:.2f}", f"{1e3 * two.shift_ev:+.0f}", f"{two.chi2:.3g}"]
            )
        columns = ["lines of", *(f"{m} ML (%)" for m in counts), "mean ML", "shift (meV)", "chi2"]
        print_table("platelets alone, shares of the light", columns, cells)
    for name, verdict in found.supported.items():
        shown = ", ".join(f"{key} {value:.1f}" for key, value in found.criterion[name].items())
        print_table("", ["set", "supported", "Schwarz's criterion"], [[name, verdict, shown]])
    if out is not None:
        print_table("", ["written"], [[str(out)]])


def _kernel(one: Any) -> str:
    """The point spread of the mean edge."""
    import numpy as np

    j = int(np.argmin(np.abs(one.edge_nm - one.light_edge_nm.median)))
    low, high = one.resolution.low_nm[j], one.resolution.high_nm[j]
    if not (np.isfinite(low) and np.isfinite(high)):
        return "not resolved"
    return f"{low:.1f} to {high:.1f}"


def _cube_notes(found: SizeInversion) -> list[str]:
    mean, cv = found.mean_edge_nm, found.cv
    assert mean is not None and cv is not None
    bound = f"above {mean.low95:.1f}" if mean.high95 is None else f"{mean.low95:.1f} to {mean.high95:.1f}"
    lines = [
        f"over all sets, with gap, Stokes shift and line width unknown within their ranges (95 %): mean edge "
        f"{bound} nm, cv {cv.low95:.2f} to {number(cv.high95)}",
        "intervals of one set are those of the noise alone; means and cv by number",
    ]
    lines += [f"flags: {' '.join(found.flags)}"] if found.flags else []
    return [*lines, *found.notes, f"rests on: {', '.join(value.key or '' for value in found.rests_on)}"]


def _interval(sample: dict[str, float], digits: int) -> str:
    return f"{sample['median']:.{digits}f} ({sample['low95']:.{digits}f} to {sample['high95']:.{digits}f})"
