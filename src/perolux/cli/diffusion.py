"""`perolux diffusion`: the wandering line of one nanocrystal from a series of spectra."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from perolux.cli.console import numbers_of, print_json, print_table, terminal_progress
from perolux.errors import OptionError

if TYPE_CHECKING:
    from perolux.photons.analysis import Analysis
    from perolux.photons.spectral_diffusion import SpectralDiffusion

__all__ = ["SeriesOptions", "analyse_series", "diffusion", "show_diffusion"]


@Parameter(name="*")
@dataclass(frozen=True)
class SeriesOptions:
    """What a user says of a series of spectra; shared by the commands `diffusion` and `photons`."""

    spectrometer_fwhm_ev: Annotated[
        float | None, Parameter(help="full width of the instrument function in eV, Gaussian, pixel included")
    ] = None
    instrument: Annotated[
        Path | None, Parameter(help="spectrum of a narrow lamp or laser line: the instrument function")
    ] = None
    frame_s: Annotated[
        float | None, Parameter(help="time from one exposure to the next, where labels say no times")
    ] = None
    exposure_s: Annotated[
        float | None, Parameter(help="length of an exposure; the time between two otherwise")
    ] = None
    shape: Annotated[str, Parameter(help="of the line: voigt, lorentzian or gaussian")] = "voigt"
    wing: Annotated[bool, Parameter(negative="", help="a phonon wing beside the line")] = False
    per_frame_width: Annotated[
        bool, Parameter(negative="", help="a width for each frame in place of one for all")
    ] = False
    range_ev: Annotated[str | None, Parameter(help="only pixels between two energies, e.g. 2.35,2.45")] = None
    gain: Annotated[float | None, Parameter(help="counts a photo-electron of the camera")] = None
    read_noise: Annotated[float | None, Parameter(help="of the camera, in counts")] = None
    bias: Annotated[float | None, Parameter(help="counts of the camera without light, to take off")] = None
    t1_ps: Annotated[float | None, Parameter(help="lifetime, for the visibility of interference")] = None
    t2_ps: Annotated[float | None, Parameter(help="coherence time without diffusion, for the same")] = None
    delays_s: Annotated[
        str | None, Parameter(help="delays of two photons in s, e.g. 1e-8,1e-3; four decades otherwise")
    ] = None


def diffusion(
    spectra: Annotated[
        Path, Parameter(help="a series of spectra in order of time: one table, or a folder of files")
    ],
    /,
    *,
    options: SeriesOptions | None = None,
    out: Annotated[Path | None, Parameter(help="a new folder for the report and its tables")] = None,
    replace: Annotated[bool, Parameter(negative="", help="replace the folder of --out")] = False,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Path of the line, the law it moves by, squared shifts, width against exposure, with intervals."""
    if out is not None:
        from perolux.studies.growth import require_new_folder

        require_new_folder(out, replace=replace, holds=("result.json", "line_path.csv"))
    found = analyse_series(spectra, SeriesOptions() if options is None else options)
    if out is not None:
        from perolux.reports.spectral_diffusion import write_diffusion_report

        write_diffusion_report(found, out, spectra)
    if json:
        print_json(found.as_dict())
    else:
        show_diffusion(found, out)


def analyse_series(
    spectra: Path, options: SeriesOptions, beside: Analysis | None = None, offset_s: float = 0.0
) -> SpectralDiffusion:
    """Read a series as the options say and analyse it, beside the photons where there are some."""
    from perolux.measured import read
    from perolux.photons.line_profile import (
        InstrumentFunction,
        LineModel,
        gaussian_instrument,
        read_instrument,
    )
    from perolux.photons.spectral_diffusion import DELAYS_S, analyse_diffusion
    from perolux.photons.spectral_series import series_of

    if options.spectrometer_fwhm_ev is not None and options.instrument is not None:
        raise OptionError(
            "two instrument functions", where="--spectrometer-fwhm-ev, --instrument", allowed="one of the two"
        )
    response = InstrumentFunction()
    if options.spectrometer_fwhm_ev is not None:
        response = gaussian_instrument(options.spectrometer_fwhm_ev)
    elif options.instrument is not None:
        response = read_instrument(options.instrument)
    model = LineModel(options.shape, response, options.wing)
    window = None
    if options.range_ev is not None:
        window = numbers_of(options.range_ev, "--range-ev", "energy", "two numbers, e.g. 2.35,2.45", 2)
        if len(window) != 2:
            raise OptionError(f"{options.range_ev!r}", where="--range-ev", allowed="two numbers in eV")
    delays: tuple[float, ...] = DELAYS_S
    if options.delays_s is not None:
        delays = tuple(numbers_of(options.delays_s, "--delays-s", "delay", "numbers from 0 up", 20))
    series = series_of(
        read(spectra),
        frame_s=options.frame_s,
        exposure_s=options.exposure_s,
        gain=options.gain,
        read_noise_counts=options.read_noise,
        bias_counts=options.bias,
        range_ev=window,
    )
    return analyse_diffusion(
        series, model, shared_width=not options.per_frame_width, t1_ps=options.t1_ps, t2_ps=options.t2_ps,
        delays_s=delays, beside=beside, offset_s=offset_s, progress=terminal_progress(),
    )  # fmt: skip


def show_diffusion(found: SpectralDiffusion, out: Path | None = None) -> None:
    """Print the laws, the interference and the notes."""
    record = found.as_dict()
    best = min(law["bic"] for law in record["laws"])
    rows = [
        [
            law["words"], _parameters(law), f"{law['log_likelihood']:.1f}", str(law["free"]),
            f"{law['bic'] - best:.1f}",
        ]
        for law in record["laws"]
    ]  # fmt: skip
    line = record["line"]
    width = "–" if line["fwhm_ev"] is None else f"{1e3 * line['fwhm_ev']:.4g}"
    error = "" if line["fwhm_sigma_ev"] is None else f" +- {1e3 * line['fwhm_sigma_ev']:.2g}"
    lines = [
        f"{record['frames_by_status']['ok']} of {record['frames']} frames show a line; full width "
        f"{width}{error} meV ({line['shape']}, {line['width']})",
        f"not excluded (BIC within 6): {', '.join(record['not_excluded'])}",
        *(_photon_lines(record["photons"]) if record["photons"] else ()),
        *(f"photons {_delay(one)}" for one in record["interference"]["delays"]),
        record["interference"]["note"],
        *(f"{name}: {text}" for name, text in record["missing"].items()),
        *(f"assumed: {text}" for text in record["assumptions"]),
        *record["warnings"],
        *([f"report.html, tables and result.json: {out}"] if out is not None else []),
    ]
    print_table(
        f"{Path(record['file']).name}: spectral diffusion",
        ["law", "parameters (95 %)", "log-likelihood", "free", "BIC above the best"],
        rows,
        "\n".join(lines),
    )


def _parameters(law: dict[str, Any]) -> str:
    if law["law"] == "jumps":
        states = (f"{s['energy_ev']:.6g} eV for {s['dwell_s']:.3g} s" for s in law["states"])
        return "; ".join(states) + f"; {law['jumps']} jumps"
    return "; ".join(f"{name} {_interval(p)}" for name, p in law["parameters"].items())


def _interval(p: dict[str, Any]) -> str:
    low, high = ("open" if x is None else f"{x:.3g}" for x in (p["low"], p["high"]))
    return f"{p['value']:.4g} ({low} to {high})"


def _delay(one: dict[str, Any]) -> str:
    text = f"{one['delay_s']:.3g} s apart: spread {_interval(one['detuning_spread_rad_per_ps'])} rad/ps"
    if one["visibility"] is not None:
        text += f", visibility {one['visibility']:.3g}"
    return text


def _photon_lines(link: dict[str, Any]) -> list[str]:
    lines = []
    for name, told in (("energy_against_rate", "energy"), ("line_area_against_rate", "light of the line")):
        c = link[name]
        if c["r"] is None:
            lines.append(f"{told} against rate of photons: {c['reason']}")
            continue
        interval = c["reason"] if c["low95"] is None else f"{c['low95']:.2f} to {c['high95']:.2f}"
        lines.append(f"{told} against rate of photons: r = {c['r']:.2f} ({interval}), {c['frames']} frames")
    for one in link["levels"]:
        if one["shift_ev"] is not None:
            lines.append(
                f"level {one['level']} lies {1e3 * one['shift_ev']:.3g} +- "
                f"{1e3 * one['shift_sigma_ev']:.2g} meV from the brightest"
            )
    return lines
