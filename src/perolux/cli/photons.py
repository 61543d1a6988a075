"""`perolux photons`: one record of single photons, from counts to g2."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from perolux.cli.console import numbers_of, print_json, print_table, terminal_progress
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
        str | None, Parameter(help="dark counts a second of detectors A and B, e.g. 120,95")
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
    threshold: Annotated[
        float, Parameter(help="gain in log-likelihood that a change of rate must bring")
    ] = 9.0,
    shortest_dwell: Annotated[float | None, Parameter(help="lower limit of the dwell times in s")] = None,
    out: Annotated[Path | None, Parameter(help="a new folder for the report and its tables")] = None,
    replace: Annotated[bool, Parameter(negative="", help="replace the folder of --out")] = False,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Counts, blinking levels and lifetimes, dwell times, g2(0), with errors and assumptions."""
    if file.is_dir():
        from perolux.photons.derived_record import analyse_derived

        used = {
            "--dark-cps": dark_cps, "--irf": irf, "--levels": levels, "--channels": channels, "--out": out,
        }  # fmt: skip
        if any(value is not None for value in used.values()):
            names = ", ".join(name for name, value in used.items() if value is not None)
            raise OptionError(
                "options of a record of photons", where=names, fix="leave them out for a folder"
            )
        found = analyse_derived(file, period_ns=sync_period, shortest_dwell_s=shortest_dwell)
        if json:
            print_json(found.as_dict())
        else:
            _show_derived(found)
        return
    from perolux.measured.streams import read_stream
    from perolux.photons.analysis import Settings, analyse

    if out is not None:
        from perolux.studies.growth import require_new_folder

        require_new_folder(out, replace=replace, holds=("result.json", "stretches.csv"))
    stream = read_stream(file, sync_period_ns=sync_period)
    settings = Settings(
        dark_cps=_pair(dark_cps, "--dark-cps", 0.0),
        levels=levels,
        threshold=threshold,
        sides=None if channels is None else _sides(channels),
        shortest_dwell_s=shortest_dwell,
        response=None if irf is None else _response(irf, stream.nanotime_bin_ns),
    )
    analysis = analyse(stream, settings, terminal_progress())
    if out is not None:
        from perolux.reports.photons import write_photon_report

        write_photon_report(analysis, out, file)
    if json:
        print_json(analysis.as_dict())
    else:
        _show(analysis, out)


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


def _pair(text: str | None, option: str, least: float) -> tuple[float, float]:
    if text is None:
        return 0.0, 0.0
    values = numbers_of(text, option, "rate", "two numbers, e.g. 120,95", 2)
    if len(values) != 2 or min(values) < least:
        raise OptionError(f"{text!r}", where=option, allowed="two numbers from 0 up, of detectors A and B")
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
        f"g2(0) {g2['raw']:.3g} as counted, {g2['corrected']:.3g} +- {g2['sigma']:.2g} corrected "
        f"({g2['method']})"
        if g2["raw"] is not None
        else f"no g2(0): {g2['reason']}",
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


def _show_derived(found: DerivedRecord) -> None:
    record = found.as_dict()
    print_table(
        Path(record["folder"]).name,
        ["quantity", "here", "stored by its authors"],
        [[one["quantity"], one["here"], one["stored"] or "–"] for one in record["beside"]],
        "\n".join((*record["assumptions"], *record["warnings"])),
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
