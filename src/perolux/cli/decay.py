"""`perolux decay`: lifetimes of a recorded decay, their distribution, or lifetimes that several share."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from perolux.cli.console import number, patiently, print_json, print_table
from perolux.errors import OptionError

if TYPE_CHECKING:
    from perolux.photons.decay_record import DecayAnalysis

__all__ = ["decay"]


def decay(
    file: Annotated[Path, Parameter(help="a histogram of photons over time after the pulse")],
    /,
    *more: Annotated[Path, Parameter(help="more curves on the same axis, with --shared")],
    irf: Annotated[
        str | None, Parameter(help="response: a file with the same bins, or gaussian:SIGMA_NS,CENTRE_NS")
    ] = None,
    period: Annotated[
        float | None, Parameter(help="of the laser in ns: light of earlier pulses is then modelled")
    ] = None,
    start: Annotated[
        float | None, Parameter(help="first time to fit in ns; without a response: the pulse")
    ] = None,
    stop: Annotated[float | None, Parameter(help="end of the fit in ns")] = None,
    exclude: Annotated[
        list[str] | None,
        Parameter(help="a range to leave out, e.g. 26.5,32.9; may be given again", negative=""),
    ] = None,
    models: Annotated[
        str, Parameter(help="to compare: 1 to 4 exponentials, stretched, lognormal, gamma, bimolecular")
    ] = "1,2,3,4",
    shared: Annotated[
        str | None,
        Parameter(
            help="what several files have in common: lifetimes (all), or places from the shortest, e.g. 1"
        ),
    ] = None,
    distribution: Annotated[
        bool, Parameter(negative="", help="the distribution of lifetimes too, by three methods")
    ] = False,
    grid: Annotated[
        str | None,
        Parameter(
            help="of the distribution: shortest and longest lifetime in ns and how many, e.g. 0.1,100,60"
        ),
    ] = None,
    resamples: Annotated[
        int | None, Parameter(help="fits behind the distribution's intervals (100; 0: none)")
    ] = None,
    background: Annotated[
        float | None, Parameter(help="counts per bin where it is known; free otherwise")
    ] = None,
    dark_cps: Annotated[
        float | None, Parameter(help="dark counts a second, known from a measurement in the dark: a prior")
    ] = None,
    dark_sigma: Annotated[float | None, Parameter(help="their standard error, counts a second")] = None,
    dark_time: Annotated[
        float | None, Parameter(help="or the seconds that the dark counts were measured for")
    ] = None,
    live_time: Annotated[
        float | None,
        Parameter(help="seconds that the decay was recorded for (with --period, or give --pulses)"),
    ] = None,
    fixed_shift: Annotated[bool, Parameter(negative="", help="the response stays where it is")] = False,
    pulses: Annotated[
        float | None, Parameter(help="laser pulses during the record (rate x duration): tells the pile-up")
    ] = None,
    correct_pile_up: Annotated[
        bool, Parameter(negative="", help="make pile-up part of the model; needs --pulses")
    ] = False,
    time_unit: Annotated[
        Literal["ps", "ns", "us", "ms", "s"] | None, Parameter(help="where the file does not say it")
    ] = None,
    out: Annotated[
        Path | None,
        Parameter(help="picture (.svg), report (.html), or table of the distribution (.csv), a new file"),
    ] = None,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Lifetimes, amplitudes and background of a decay by Poisson likelihood; models compared by Schwarz's
    criterion.
    """
    from perolux.cli.decay_more import (
        check_out,
        dark_prior,
        grid_numbers,
        show_distribution,
        show_shared,
        together_only,
        write_csv,
    )
    from perolux.measured import read_decay
    from perolux.photons.decay_record import analyse_decay, response_of_record, with_distribution
    from perolux.photons.instrument_response import parse_gaussian

    check_out(out, distribution)
    chosen_grid = grid_numbers(grid, resamples, distribution)
    ranges = [_range(text) for text in exclude or []]
    given = None if irf is None else parse_gaussian(irf)
    if more or shared is not None:
        from perolux.photons.decay_global_record import analyse_decays_together, parse_shared

        numbers = together_only(
            more, shared, models,
            {
                "--distribution": distribution, "--background": background is not None,
                "--dark-cps": dark_cps is not None, "--pulses": pulses is not None, "--out": out is not None,
                "--correct-pile-up": correct_pile_up, "--fixed-shift": fixed_shift,
            },
        )  # fmt: skip
        common = parse_shared(shared or "")
        records = [read_decay(one, time_unit=time_unit) for one in (file, *more)]
        many = patiently(
            lambda: analyse_decays_together(
                records,
                shared=common,
                irf=read_decay(given, time_unit=time_unit) if isinstance(given, Path) else given,
                period_ns=period,
                start_ns=start,
                stop_ns=stop,
                exclude_ns=ranges,
                exponentials=numbers,
            ),
            "fitting",
        )
        if json:
            print_json(many.as_dict())
        else:
            show_shared(many)
        return
    record = read_decay(file, time_unit=time_unit)
    response = (
        response_of_record(read_decay(given, time_unit=time_unit), record)
        if isinstance(given, Path)
        else given
    )
    if fixed_shift and response is None:
        raise OptionError("--fixed-shift without a response", fix="give --irf, or leave it out")
    dark = dark_prior(
        dark_cps, dark_sigma, dark_time, live_time, period, pulses, record.step_ns, background is not None
    )
    found = patiently(
        lambda: analyse_decay(
            record,
            irf=response,
            period_ns=period,
            start_ns=start,
            stop_ns=stop,
            exclude_ns=ranges,
            models=[part.strip() for part in models.split(",")],
            background="free" if background is None else background,
            pulses=pulses,
            correct_pile_up=correct_pile_up,
            free_shift=False if fixed_shift else None,
            dark=dark,
        ),
        "fitting",
    )
    if distribution:
        fitted = found
        found = patiently(
            lambda: with_distribution(
                fitted, grid=chosen_grid, resamples=100 if resamples is None else resamples
            ),
            "distribution of lifetimes",
        )
    if out is not None:
        from perolux.files import write_bytes, write_text
        from perolux.reports.decay_distribution_figure import draw_distribution
        from perolux.reports.decay_figure import draw_decay, render_decay

        if out.suffix.lower() == ".csv" and found.distribution is not None:
            write_csv(out, found.distribution)
        elif out.suffix.lower() == ".svg":
            write_bytes(
                out,
                draw_decay(found) if found.distribution is None else draw_distribution(found.distribution),
            )
        else:
            write_text(out, render_decay(found))
    if json:
        print_json(found.as_dict())
        return
    _show(found, out if found.distribution is None else None)
    if found.distribution is not None:
        show_distribution(found.distribution, out)


def _range(text: str) -> tuple[float, float]:
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = math.nan
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise OptionError(
            f"{text!r} is no range", where="--exclude", allowed="two rising times in ns, e.g. 26.5,32.9"
        )
    return low, high


def _show(found: DecayAnalysis, out: Path | None) -> None:
    fit = found.fit
    amplitude, intensity = fit.amplitude_fractions, fit.intensity_fractions
    rows = [
        [
            f"{fit.lifetimes_ns[i]:.4g}",
            "–" if fit.lifetime_sigma_ns[i] is None else f"{fit.lifetime_sigma_ns[i]:.2g}",
            " to ".join("–" if x is None else f"{x:.4g}" for x in fit.intervals_ns[i]),
            f"{fit.amplitudes[i]:.5g}",
            "–" if amplitude is None else f"{100 * amplitude[i]:.1f}",
            "–" if intensity is None else f"{100 * intensity[i]:.1f}",
        ]
        for i in range(len(fit.lifetimes_ns))
    ]
    columns = [
        "lifetime (ns)", "sigma", f"{fit.level:.0%} interval (ns)", "counts per bin at the pulse", "of the "
        "amplitude (%)",
        "of the photons (%)",
    ]  # fmt: skip
    name = (
        f"{fit.model} exponential{'s' * (fit.model != '1')}" if fit.model.isdigit() else f"{fit.model} decay"
    )
    error = "" if fit.background_sigma is None else f" ± {fit.background_sigma:.2g}"
    lines = [
        f"{len(fit.expected)} bins of {fit.histogram.bin_ns:.5g} ns, {found.time_ns[0]:.5g} to "
        f"{found.time_ns[-1]:.5g} ns, "
        f"{int(fit.histogram.counts[fit.histogram.used].sum())} counts",
        f"background {fit.background:.5g}{error} counts per bin"
        + ("" if fit.background_free else " (given)")
        + ("" if fit.dark is None else f" (alone {fit.dark.free_per_bin:.4g}; {fit.dark.record.note})")
        + f"; deviance {fit.deviance:.6g}, per degree of freedom {number(fit.reduced_deviance, 3)}",
    ]
    if found.response is not None:
        moved = "" if fit.shift_ns is None else f"; shift {fit.shift_ns:.4g} ns"
        sigma = "" if fit.shift_sigma_ns is None else f" ± {fit.shift_sigma_ns:.2g}"
        lines.append(f"response: {found.response.note}{moved}{sigma}")
    if fit.second is not None:
        sigma = "" if fit.second[2] is None else f" ± {fit.second[2]:.2g}"
        lines.append(
            f"{fit.second[0]} = {fit.second[1]:.4g}{sigma}; the lifetime is the law's tau, no average"
        )
    if fit.average_amplitude_ns is not None and fit.average_intensity_ns is not None:
        lines.append(
            f"average lifetime: {fit.average_amplitude_ns:.4g} ns weighted by amplitude, "
            f"{fit.average_intensity_ns:.4g} ns weighted by intensity"
        )
    lines.append(
        f"{fit.starts.reached_best} of {fit.starts.followed} starts ended at this optimum"
        + (f"; photons per pulse {found.pile_up.photons_per_pulse:.3g}" if found.pile_up else "")
    )
    print_table(f"{found.decay.label}: {name}", columns, rows, "\n".join(lines))
    models = [
        [
            one.model, str(one.parameters), ", ".join(f"{x:.3g}" for x in one.lifetimes_ns),
            number(one.reduced_deviance, 3), f"{one.delta_bic:.1f}",
        ]
        for one in fit.comparison
    ]  # fmt: skip
    notes = "\n".join(f"- {text}" for text in (*found.notes, *fit.warnings))
    if out is not None:
        notes += f"\nwritten: {out}"
    print_table(
        "models",
        ["model", "parameters", "lifetimes (ns)", "reduced deviance", "BIC above the best"],
        models,
        notes,
    )
