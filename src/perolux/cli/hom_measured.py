"""`perolux hom FILE_PARALLEL [FILE_ORTHOGONAL]`: measured histograms of two-photon interference."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter

from perolux.cli.console import numbers_of, patiently, print_json, print_table
from perolux.errors import OptionError

if TYPE_CHECKING:
    from perolux.photons.hom_measured import HomMeasured, HomSettings

__all__ = ["MeasuredOptions", "measured_hom"]

_GROUP = Group("Measured histograms", sort_key=10)


@Parameter(name="*", group=_GROUP)
@dataclass(frozen=True)
class MeasuredOptions:
    """Options that belong to histograms alone."""

    delay: Annotated[
        float | None, Parameter(help="of the interferometer in ns: the distance of the peaks")
    ] = None
    scheme: Annotated[
        Literal["pulse-pair", "train"],
        Parameter(help="two pulses one delay apart, or an endless train whose period is the delay"),
    ] = "pulse-pair"
    blur: Annotated[
        float | None,
        Parameter(help="timing of both detectors together: standard deviation in ns, of t2 - t1"),
    ] = None
    g2: Annotated[float | None, Parameter(help="g2(0) of the source; 0 if left out, and said")] = None
    g2_sigma: Annotated[float, Parameter(help="its error")] = 0.0
    extra: Annotated[
        Literal["alike", "unrelated"] | None,
        Parameter(help="the photons behind g2 interfere like the others, or are unrelated light"),
    ] = None
    splitter: Annotated[str | None, Parameter(help="R,T of the last splitter, e.g. 0.47,0.53")] = None
    splitter_sigma: Annotated[float, Parameter(help="error of R with R + T kept")] = 0.0
    short_share: Annotated[float, Parameter(help="share of the photons that come through the short arm")] = (
        0.5
    )
    contrast: Annotated[float | None, Parameter(help="of the fringes of a laser, 0 to 1")] = None
    contrast_sigma: Annotated[float, Parameter(help="its error")] = 0.0
    reference: Annotated[
        Literal["side-peaks"] | None,
        Parameter(help="of one histogram alone: the undisturbed middle peak follows from the side peaks"),
    ] = None
    zero: Annotated[float | None, Parameter(help="place of delay zero on the axis of the file, ns")] = None
    within: Annotated[
        float | None, Parameter(help="only delays up to this, ns; 3 delays for a pulse pair, else all")
    ] = None
    window: Annotated[
        float | None, Parameter(help="half width of the windows of the areas, ns; half the delay")
    ] = None
    rebin: Annotated[int, Parameter(help="bins to put together")] = 1
    curves: Annotated[
        str | None, Parameter(help="curves of a .phu file, parallel and orthogonal, e.g. 1,2")
    ] = None
    time_unit: Annotated[
        Literal["ps", "ns", "us", "ms", "s"] | None, Parameter(help="where a text does not say it")
    ] = None
    fit_spread: Annotated[
        bool, Parameter(negative="", help="fit the spread of the frequency difference too")
    ] = False
    detuning: Annotated[float, Parameter(help="difference of the two angular frequencies, rad/ps")] = 0.0
    fit_detuning: Annotated[bool, Parameter(negative="", help="fit it: the middle peak beats")] = False
    lines: Annotated[str | None, Parameter(help="of the fine structure, rad/ps, e.g. 0,0.02: they beat")] = (
        None
    )
    weights: Annotated[str | None, Parameter(help="shares of the light of these lines, e.g. 0.6,0.4")] = None
    level: Annotated[float, Parameter(help="of the intervals")] = 0.95
    out: Annotated[Path | None, Parameter(help="a new folder for report, figure and tables")] = None
    replace: Annotated[bool, Parameter(negative="", help="replace the folder of --out")] = False

    def used(self) -> list[str]:
        """Options that were given."""
        return [
            "--" + one.name.replace("_", "-")
            for one in fields(self)
            if getattr(self, one.name) != one.default
        ]


def measured_hom(
    parallel: Path, orthogonal: Path | None, options: MeasuredOptions, spread: float, json: bool
) -> None:
    """Read, analyse, print; `spread` of the frequency difference is held unless it is fitted."""
    from perolux.photons.hom_files import read_hom
    from perolux.photons.hom_measured import analyse_hom

    settings = _settings(options, spread)
    if options.out is not None:
        from perolux.studies.growth import require_new_folder

        require_new_folder(options.out, replace=options.replace, holds=("result.json", "histograms.csv"))
    elif options.replace:
        raise OptionError("nothing is replaced", where="--replace", fix="give --out FOLDER as well")
    within = options.within
    if within is None and options.scheme == "pulse-pair":
        within = 3 * settings.delay_ns
    source = read_hom(
        parallel, orthogonal, time_unit=options.time_unit, curves=_curves(options.curves),
        zero_ns=options.zero, within_ns=within, rebin=options.rebin,
    )  # fmt: skip
    found = patiently(
        lambda: analyse_hom(source, settings, by_side_peaks=options.reference is not None), "fitting"
    )
    if options.out is not None:
        from perolux.reports.hom import write_hom_report

        write_hom_report(found, options.out)
    if json:
        print_json(found.as_dict())
    else:
        show(found, options.out)


def _settings(options: MeasuredOptions, spread: float) -> HomSettings:
    from perolux.photons.hom_measured import HomSettings
    from perolux.photons.hom_peaks import Interferometer

    if options.delay is None:
        raise OptionError(
            "the delay of the interferometer is not "
            "given", where="--delay", allowed="a positive number of ns",
            fix="it is the distance of neighbouring peaks, and known from the arms",
        )  # fmt: skip
    if options.fit_spread and spread:
        raise OptionError("a spread that is held and fitted", where="--fit-spread, --detuning-spread")
    if options.fit_detuning and options.detuning:
        raise OptionError("a detuning that is held and fitted", where="--fit-detuning, --detuning")
    lines: tuple[float, ...] = (0.0,)
    weights: tuple[float, ...] = (1.0,)
    if options.lines is not None or options.weights is not None:
        told = (options.lines or "0", options.weights or "")
        lines = tuple(numbers_of(told[0], "--lines", "frequency", "rad/ps from 0 up, e.g. 0,0.02", 20))
        weights = tuple(numbers_of(told[1], "--weights", "share", "as many as lines, e.g. 0.6,0.4", 20))
        if len(lines) != len(weights):
            raise OptionError(f"{len(lines)} lines, {len(weights)} weights", where="--lines, --weights")
    reflect, transmit = 0.5, 0.5
    if options.splitter is not None:
        values = numbers_of(options.splitter, "--splitter", "share", "two shares, e.g. 0.47,0.53", 2)
        if len(values) != 2:
            raise OptionError(f"{options.splitter!r}", where="--splitter", allowed="R,T, e.g. 0.47,0.53")
        reflect, transmit = values
    contrast = 1.0 if options.contrast is None else options.contrast
    optics = Interferometer(reflect, transmit, options.short_share, contrast)
    return HomSettings(
        delay_ns=options.delay,
        scheme="pulse pair" if options.scheme == "pulse-pair" else "train",
        blur_ns=options.blur,
        g2_zero=options.g2,
        g2_sigma=options.g2_sigma,
        extra=options.extra,
        interferometer=None if optics == Interferometer() and options.splitter is None else optics,
        contrast_given=options.contrast is not None,
        reflect_sigma=options.splitter_sigma,
        contrast_sigma=options.contrast_sigma,
        spread_rad_per_ps=None if options.fit_spread else spread,
        detuning_rad_per_ps=None if options.fit_detuning else options.detuning,
        lines_rad_per_ps=lines,
        weights=weights,
        window_ns=options.window,
        level=options.level,
    )


def _curves(text: str | None) -> tuple[int, int | None] | None:
    if text is None:
        return None
    parts = text.split(",")
    if not 1 <= len(parts) <= 2 or not all(part.strip().isdigit() for part in parts):
        raise OptionError(f"{text!r}", where="--curves", allowed="one or two numbers from 1, e.g. 1,2")
    return int(parts[0]), int(parts[1]) if len(parts) == 2 else None


def show(found: HomMeasured, out: Path | None) -> None:
    """The tables on the terminal."""
    record = found.as_dict()
    told, emitter = record["visibility"], record["emitter"]
    level = f"{told['level']:.0%}"
    rows = [
        ["visibility, raw, by windows", f"{told['raw_by_windows']:.4f}",
         f"± {told['raw_by_windows_sigma']:.4f}", ""],
        ["visibility, raw, by the fit", f"{told['raw']:.4f}", _range(told["raw_interval"], ".4f"), ""],
        ["visibility, corrected", f"{told['corrected']:.4f}", _range(told["interval"], ".4f"), ""],
        ["lifetime T1", f"{emitter['t1_ps']:.5g}", _range(emitter["t1_interval_ps"], ".5g"), "ps"],
        ["coherence time T2", f"{emitter['t2_ps']:.5g}", _range(emitter["t2_interval_ps"], ".5g"), "ps"],
        ["visibility of T1, T2 and the rest", f"{emitter['visibility']:.4f}", "", ""],
    ]  # fmt: skip
    for name in emitter["fitted"]:
        rows.append(
            [
                name, f"{emitter[name + '_rad_per_ps']:.4g}", _range(emitter[name + "_interval"], ".4g"),
                "rad/ps",
            ]
        )  # fmt: skip
    notes = [
        f"Correction: {told['correction']['words']}.",
        *(f"Assumed: {one}." for one in record["assumptions"]),
        *(f"{one[:1].upper()}{one[1:]}." for one in record["warnings"]),
        f"Deviance {record['peaks_fit']['deviance']:.5g} of all peaks, {emitter['deviance']:.5g} with "
        f"T1 and T2, "
        f"{emitter['degrees_of_freedom']} degrees of freedom.",
    ]
    if out is not None:
        notes.append(f"report.html, hom.svg, histograms.csv and result.json: {out}")
    names = " and ".join(Path(one["file"]).name for one in record["files"])
    print_table(
        f"Two-photon interference, {names}", ["quantity", "value", level, "unit"], rows, "\n".join(notes)
    )
    print_table("", ["peak", *_heads(record)], _peak_rows(record))


def _heads(record: dict[str, Any]) -> list[str]:
    return [f"{name}: {what}" for name in record["peaks"] for what in ("counts", "less background", "±")] + [
        "by counted pairs"
    ]


def _peak_rows(record: dict[str, Any]) -> list[list[str]]:
    names = list(record["peaks"])
    by_order: dict[int, dict[str, Any]] = {}
    for name in names:
        for one in record["peaks"][name]:
            by_order.setdefault(one["order"], {})[name] = one
    rows = []
    for order, there in sorted(by_order.items()):
        row = [str(order)]
        for name in names:
            one = there.get(name)
            row += ["–"] * 3 if one is None else [
                str(one["counts"]), f"{one['area']:.0f}", f"{one['sigma']:.0f}"
            ]  # fmt: skip
        row.append(f"{next(iter(there.values()))['counted_pairs']:.4g}")
        rows.append(row)
    return rows


def _range(ends: dict[str, float | None], style: str) -> str:
    low, high = (("open" if x is None else format(x, style)) for x in (ends["low"], ends["high"]))
    return f"{low} to {high}"
