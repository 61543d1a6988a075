"""`perolux photons`: one record of single photons, from counts to g2."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from perolux.cli.console import numbers_of, patiently, print_json, print_table, terminal_progress
from perolux.cli.diffusion import SeriesOptions, analyse_series, show_diffusion
from perolux.errors import OptionError

if TYPE_CHECKING:
    from perolux.photons.analysis import Analysis
    from perolux.photons.derived_record import DerivedRecord
    from perolux.photons.instrument_response import Response

__all__ = ["photons"]


def photons(
    file: Annotated[
        Path,
        Parameter(help="a record of photons, or the folder of a dot's derived files (examples/single_dot)"),
    ],
    /,
    *,
    dark_cps: Annotated[
        str | None,
        Parameter(help="dark counts a second of detectors A and B, and of others for g3, e.g. 120,95"),
    ] = None,
    dark_time: Annotated[
        float | None, Parameter(help="seconds that they were measured for: a prior of the levels' decays")
    ] = None,
    irf: Annotated[
        str | None, Parameter(help="instrument response: a file, or gaussian:SIGMA_NS,CENTRE_NS")
    ] = None,
    levels: Annotated[int | None, Parameter(help="number of levels; by the criterion otherwise")] = None,
    channels: Annotated[
        str | None,
        Parameter(help="channels of detectors A and B, e.g. 0,1; the two that saw light otherwise"),
    ] = None,
    sync_period: Annotated[
        float | None, Parameter(help="period of the laser in ns, where the record does not say it")
    ] = None,
    sync_channel: Annotated[
        int | None, Parameter(help="channel of the laser's sync in a T2 record; the one that ticks otherwise")
    ] = None,
    gate: Annotated[
        str | None,
        Parameter(help="g2(0) of photons FROM,TO ns after the sync, beside that of all, e.g. 4,60"),
    ] = None,
    light: Annotated[
        str | None, Parameter(help="pulsed or steady; by the sync and the nanotimes otherwise")
    ] = None,
    threshold: Annotated[
        float, Parameter(help="gain in log-likelihood that a change of rate must bring")
    ] = 9.0,
    shortest_dwell: Annotated[float | None, Parameter(help="lower limit of the dwell times in s")] = None,
    spectra: Annotated[
        Path | None, Parameter(help="a series of spectra taken meanwhile: adds spectral diffusion")
    ] = None,
    spectra_offset_s: Annotated[
        float, Parameter(help="reading of the photons' clock at time 0 of the spectra")
    ] = 0.0,
    series: SeriesOptions | None = None,
    out: Annotated[Path | None, Parameter(help="a new folder for the report and its tables")] = None,
    replace: Annotated[bool, Parameter(negative="", help="replace the folder of --out")] = False,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Counts, blinking levels and lifetimes, dwell times, g2(0), with errors and assumptions."""
    if file.is_dir():
        from perolux.photons.derived_record import analyse_derived

        used = {
            "--dark-cps": dark_cps, "--irf": irf, "--levels": levels, "--channels": channels,
            "--spectra": spectra, "the options of --spectra": series, "--dark-time": dark_time,
            "--sync-channel": sync_channel, "--gate": gate, "--light": light,
        }  # fmt: skip
        if any(value is not None for value in used.values()):
            names = ", ".join(name for name, value in used.items() if value is not None)
            raise OptionError(
                "options of a record of photons", where=names, fix="leave them out for a folder"
            )
        if out is not None:
            from perolux.studies.growth import require_new_folder

            require_new_folder(out, replace=replace, holds=("result.json", "beside.csv"))
        found = patiently(
            lambda: analyse_derived(file, period_ns=sync_period, shortest_dwell_s=shortest_dwell), "fitting"
        )
        if out is not None:
            from perolux.reports.photons_derived import write_derived_report

            write_derived_report(found, out)
        if json:
            print_json(found.as_dict())
        else:
            _show_derived(found, out)
        return
    if dark_time is not None and (dark_cps is None or not (math.isfinite(dark_time) and dark_time > 0)):
        raise OptionError(
            f"--dark-time {dark_time:g}", allowed="a positive number of seconds, with --dark-cps A,B"
        )
    from perolux.measured.streams import read_stream
    from perolux.photons.analysis import Settings, analyse

    if spectra is None and (series is not None or spectra_offset_s):
        raise OptionError("options of a series without one", where="--spectra", fix="give --spectra FILE")
    if out is not None:
        from perolux.studies.growth import require_new_folder

        require_new_folder(out, replace=replace, holds=("result.json", "stretches.csv"))
    stream = read_stream(file, sync_period_ns=sync_period)
    one, two, *others = _rates(dark_cps)
    settings = Settings(
        dark_cps=(one, two),
        other_dark_cps=tuple(others),
        levels=levels,
        threshold=threshold,
        sides=None if channels is None else _sides(channels),
        shortest_dwell_s=shortest_dwell,
        response=None if irf is None else _response(irf, stream.nanotime_bin_ns),
        dark_time_s=dark_time,
        gate_ns=None if gate is None else _gate(gate),
        sync_channel=sync_channel,
        light=light,
    )
    analysis = analyse(stream, settings, terminal_progress())
    wander = None
    if spectra is not None:
        wander = analyse_series(spectra, series or SeriesOptions(), analysis, spectra_offset_s)
    if out is not None:
        from perolux.reports.photons import write_photon_report

        write_photon_report(analysis, out, file, wander)
    if json:
        added = {} if wander is None else {"spectral_diffusion": wander.as_dict()}
        print_json(analysis.as_dict() | added)
    else:
        _show(analysis, out)
        if wander is not None:
            show_diffusion(wander)


def _response(text: str, bin_ns: float | None) -> Response:
    from perolux.measured.decays import read_decay
    from perolux.photons.instrument_response import measured_response, parse_gaussian

    asked = parse_gaussian(text)
    if not isinstance(asked, Path):
        return asked
    found = read_decay(asked)
    if bin_ns is None or abs(found.step_ns - bin_ns) > 1e-3 * bin_ns:
        raise OptionError(
            f"the response has bins of {found.step_ns:.5g} ns, the record of {bin_ns or 0:.5g} ns",
            where="--irf",
            fix="record it with the same bins, or give gaussian:SIGMA_NS,CENTRE_NS",
        )
    return measured_response(found.counts, found.step_ns, first_bin=round(found.time_ns[0] / found.step_ns))


def _rates(text: str | None) -> list[float]:
    if text is None:
        return [0.0, 0.0]
    values = numbers_of(text, "--dark-cps", "rate", "two numbers or more, e.g. 120,95", 255)
    if len(values) < 2 or min(values) < 0:
        raise OptionError(
            f"{text!r}",
            where="--dark-cps",
            allowed="two numbers from 0 up, of detectors A and B; of more detectors one each besides",
        )
    return values


def _gate(text: str) -> tuple[float, float]:
    values = numbers_of(text, "--gate", "time", "two numbers, e.g. 4,60", 2)
    if len(values) != 2 or not 0 <= values[0] < values[1]:
        raise OptionError(f"{text!r}", where="--gate", allowed="FROM,TO in ns after the sync, ascending")
    return values[0], values[1]


def _sides(text: str) -> tuple[tuple[int], tuple[int]]:
    parts = text.split(",")
    if len(parts) != 2 or not all(part.strip().isdigit() for part in parts):
        raise OptionError(f"{text!r}", where="--channels", allowed="two channels, e.g. 0,1")
    return (int(parts[0]),), (int(parts[1]),)


def _show(found: Analysis, out: Path | None) -> None:
    record = found.as_dict()
    g2 = record["g2_zero"]
    counts = ", ".join(f"channel {c}: {n}" for c, n in record["photons_per_channel"].items())
    lines = [
        f"{counts}; {record['duration_s']:g} s",
        f"{len(record['change_points_s'])} changes of rate; on {100 * record['on_fraction']:.3g} % of "
        "the time "
        f"by levels, {100 * record['on_fraction_by_threshold']:.3g} % by half the bright rate",
        f"g2(0) {g2['raw']:.3g} as counted, {g2['corrected']:.3g} +- {_cell(g2['sigma'], '.2g')} corrected "
        f"({g2['method']})"
        if g2["raw"] is not None
        else f"no g2(0): {g2['reason']}",
        *_purity_lines(record),
        *(f"{name}: {_dwell_line(one)}" for name, one in record["dwell_times"].items()),
        *(f"assumed: {text}" for text in record["assumptions"]),
        *record["warnings"],
        *([f"report.html, tables and result.json: {out}"] if out is not None else []),
    ]
    print_table(
        Path(record["file"]).name,
        ["rate (1/s)", "+-", "lifetime (ns)", "+-", "share of time (%)", "on"],
        [
            [
                f"{one['rate_cps']:.5g}", f"{one['rate_sigma']:.2g}", _cell(one["lifetime_ns"], ".4g"),
                _cell(one["lifetime_sigma"], ".2g"), f"{100 * one['occupancy']:.2f}",
                "yes" if one["on"] else "no",
            ]
            for one in record["levels"]
        ],
        "\n".join(lines),
    )  # fmt: skip


def _purity_lines(record: dict[str, Any]) -> list[str]:
    """What is known of gate, biexciton and third order; nothing where there is none of it."""
    gated, pair, three = record["g2_zero"].get("gated"), record["biexciton"], record["g3_zero"]
    lines = []
    if gated and "corrected" in gated:
        lines.append(
            f"g2(0) {gated['corrected']:.3g} +- {gated['sigma']:.2g} in the gate {gated['from_ns']:.4g} to "
            f"{gated['to_ns']:.4g} ns"
        )
    if pair["yield_over_exciton"] is not None:
        gate = pair["time_gate"]
        by_gate = (
            f"{gate['value']:.3g} +- {gate['sigma']:.2g} from pairs after {gate['from_ns']:.4g} ns"
            if "value" in gate
            else f"not by a gate: {gate['reason']}"
        )
        lines.append(
            f"biexciton over exciton yield {pair['yield_over_exciton']:.3g} +- {pair['sigma']:.2g} by area; "
            f"{by_gate}"
        )
    if three["value"] is not None:
        dark = f", {three['dark_triples']:.3g} of them by dark counts" if three["dark_triples"] else ""
        lines.append(
            f"g3(0,0) {three['value']:.3g} +- {three['sigma']:.2g} ({three['triples']} triples{dark})"
        )
    return lines


def _show_derived(found: DerivedRecord, out: Path | None) -> None:
    record = found.as_dict()
    print_table(
        Path(record["folder"]).name,
        ["quantity", "here", "stored by its authors"],
        [[one["quantity"], one["here"], one["stored"] or "–"] for one in record["beside"]],
        "\n".join(
            (
                *(f"assumed: {text}" for text in record["assumptions"]),
                *record["warnings"],
                *([f"report.html, tables and result.json: {out}"] if out is not None else []),
            )
        ),
    )


def _dwell_line(one: dict[str, Any]) -> str:
    if "best" not in one:
        return str(one["reason"])
    best = one["laws"][0]
    told = ", ".join(f"{name} {value:.3g}" for name, value in best["parameters"].items())
    return (
        f"{one['dwells']} dwells from {1e3 * one['lower_s']:.3g} ms on: {best['law'].replace('-', ' ')} "
        f"fits best ({told}; {best['log_likelihood_over_power_law']:.3g} above a power law"
        + (f"; {100 * one['missed']['missed_share']:.2g} % missed, allowed for)" if one["corrected"] else ")")
    )


def _cell(value: float | None, style: str) -> str:
    return "–" if value is None else format(value, style)
