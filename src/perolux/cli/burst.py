"""`perolux burst`: collective emission of an assembly, and the exact ladder of identical emitters."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from perolux import __version__
from perolux.cli.console import print_json, print_table, seed_of, terminal_progress
from perolux.errors import OptionError
from perolux.files import sha256_of
from perolux.pieces import Pieces, nothing_kept, pieces_in

if TYPE_CHECKING:
    from perolux.collective.assembly_record import AssemblyResult
    from perolux.collective.rows import Emission

__all__ = ["app", "kept_pieces"]

app = App(name="burst", help="Superradiance and superfluorescence of an assembly of nanocrystals.")

app.command("perolux.cli.burst_fit:fit", name="fit", help="Superfluorescence against its rivals, from data.")
app.command("perolux.cli.burst_stream:stream", name="stream", help="Time-tagged photons, pulse after pulse.")

Json = Annotated[bool, Parameter(negative="", help="print one JSON document")]


@app.default
def burst(
    file: Annotated[Path, Parameter(help="an assembly in TOML or a case in JSON (examples/bursts)")],
    /,
    *,
    method: Annotated[
        str | None,
        Parameter(
            help="auto, exact, trajectories, eigenstate-rates, ladder, wigner, cumulant, diffusion, "
            "single-excitation, maxwell-bloch, bracket; an assembly says it in [sampling]"
        ),
    ] = None,
    trajectories: Annotated[int | None, Parameter(help="of trajectories and wigner; 1000 for a case")] = None,
    seed: int | None = None,
    out: Annotated[
        Path | None, Parameter(help="of an assembly: a new folder for the report and its tables")
    ] = None,
    replace: Annotated[bool, Parameter(negative="", help="replace the folder of --out")] = False,
    keep: Annotated[
        Path | None,
        Parameter(help="folder for finished pieces, by which a killed run continues; OUT.part if left out"),
    ] = None,
    json: Json = False,
) -> None:
    """Photon rate and population of an assembly against time, by the method that fits it.

    An assembly is a superlattice with disorder; it is run with shifts off, screened and full, side by side.
    A run with --out or --keep that was killed continues when it is started again, with the same numbers.
    """
    if file.suffix.lower() == ".toml":
        if out is not None:
            from perolux.studies.growth import require_new_folder

            require_new_folder(out, replace=replace, holds=("result.json", "emission.csv"))
        _assembly(file, method, trajectories, seed, out, keep, json)
        return
    if out is not None:
        raise OptionError(
            "a report of a case",
            where="--out",
            allowed="an assembly in TOML",
            fix="drop --out, or use --json",
        )
    from perolux.collective.burst import burst as run
    from perolux.collective.case import read_case

    case = read_case(file)
    how: dict[str, Any] = {
        "method": method or "auto",
        "trajectories": 1000 if trajectories is None else trajectories,
        "seed": seed_of(seed or 0),
    }
    question = {"task": "burst case 1", "version of perolux": __version__, "case": sha256_of(file)} | how
    with kept_pieces(keep, question) as pieces:
        pieces.tell()
        found = run(case, **how, progress=terminal_progress(), pieces=pieces)
        record = found.as_dict() | {"name": case.name or file.stem, "emitters": len(case.emitters)}
        if json:
            print_json(record)
        else:
            _show(found, record)


def kept_pieces(folder: Path | None, question: dict[str, Any]) -> AbstractContextManager[Pieces]:
    """Finished pieces in a folder if there is one, with what is said of them on standard error."""
    if folder is None:
        return nullcontext(nothing_kept)
    return pieces_in(folder, question, told=lambda text: print(f"perolux: {text}", file=sys.stderr))  # noqa: T201


def _assembly(
    file: Path,
    method: str | None,
    trajectories: int | None,
    seed: int | None,
    out: Path | None,
    keep: Path | None,
    json: bool,
) -> None:
    from perolux.collective.assembly_file import read_assembly, sampling_with
    from perolux.collective.assembly_record import assembly_question, assembly_result

    read = read_assembly(file)
    given = {"method": method, "trajectories": trajectories, "seed": seed}
    changed = {name: value for name, value in given.items() if value is not None}
    if changed:
        read = read.model_copy(update={"sampling": sampling_with(read.sampling, changed)})
    if keep is None and out is not None:
        keep = Path(f"{out.resolve()}.part")
    with kept_pieces(keep, assembly_question(read, file.parent)) as pieces:
        found = assembly_result(read, file.parent, progress=terminal_progress(), pieces=pieces)
        record = found.as_dict()
        record["name"] = record["name"] or file.stem
        if out is not None:
            from perolux.reports.bursts import write_burst_report

            write_burst_report(found, record, out)
    if json:
        print_json(record)
    else:
        _show_assembly(found, record)
        if out is not None:
            print(f"report: {out / 'report.html'}")  # noqa: T201


def _cell(value: object, digits: int = 3) -> str:
    """A number, a bracket, a mean with its spread over draws, or a dash."""
    if value is None:
        return "–"
    if isinstance(value, dict):
        if "low" in value:
            return f"{_cell(value['low'], digits)} to {_cell(value['high'], digits)}"
        from perolux.reports.words import with_spread

        return with_spread(value["mean"], value.get("disorder_sd"), digits)
    if abs(float(value)) < 1e-12:  # type: ignore[arg-type]
        return "0"
    return f"{float(value):.{digits}g}"  # type: ignore[arg-type]


def _show_assembly(found: AssemblyResult, record: dict[str, Any]) -> None:
    from perolux.reports.bursts import missing_of
    from perolux.reports.words import plural

    entries = record["screenings"]
    rows: list[list[str]] = []

    def line(name: str, cells: list[str], unit: str) -> None:
        if set(cells) != {"–"}:  # the reason stands below
            rows.append([name, *cells, unit])

    def peak(one: dict[str, Any]) -> str:
        told = one["peak"]
        if told is None or "low" in told:
            return _cell(told)
        return f"{told['photon_rate_over_Gamma']:.4g} ± {told['statistical_sigma']:.2g}"

    def delay(one: dict[str, Any]) -> str:
        told = one["delay"]
        if told is None or "ps" not in told:
            return _cell(told and {"low": told["low_end_ps"], "high": told["high_end_ps"]})
        return _cell(told["ps"])

    single = [one["single_excitation"] or {} for one in entries]
    line("method", [", ".join(one["methods"]) or "–" for one in entries], "")
    line("peak (statistical error)", [peak(one) for one in entries], "Gamma")
    line("delay of the peak", [delay(one) for one in entries], "ps")
    line("coupled number, burst", [_cell(one["coupled_number"]) for one in entries], "")
    line("g2(0) at first", [_cell(one["g2_zero"], 4) for one in entries], "")
    line("brightest mode", [_cell(one.get("brightest_rate_over_gamma")) for one in single], "Gamma")
    line("its shift", [_cell(one.get("brightest_shift_mev")) for one in single], "meV")
    line("in equilibrium: rate", [_cell(one.get("equilibrium_rate_over_gamma")) for one in single], "Gamma")
    line("in equilibrium: shift", [_cell(one.get("equilibrium_shift_mev")) for one in single], "meV")
    light = [one["light"] for one in entries]
    if any(one["reason"] is None for one in light):
        line("width of the spectrum", [_cell(one.get("width_mev")) for one in light], "meV")
        first = [one.get("first_light", {}) for one in light]
        line("shift of the first light", [_cell(one.get("mean_shift_mev")) for one in first], "meV")
        line(
            "less that of one excitation",
            [_cell(one.get("shift_with_excitation_mev")) for one in first],
            "meV",
        )
        line("coherence time", [_cell(one.get("coherence_time_ps")) for one in light], "ps")
        line(
            "far field, largest over mean",
            [_cell(one.get("pattern", {}).get("directivity")) for one in light],
            "",
        )
    about = (
        f"1/Gamma = {record['lifetime_ps']:.4g} ps, {plural(record['draws'], 'draw')} of the disorder; "
        "± behind modes and light: spread of the draws",
        *(f"validity: {text}" for text in sorted({t for one in entries for t in one["validity"]})),
        *dict.fromkeys(text for one in entries for text in one["method_notes"][:4]),
        *record["notes"],
        *(f"{what}: none, {why}" for what, why in missing_of(record)),
    )
    print_table(
        f"{record['name']}: {plural(record['emitters'], 'emitter')}",
        ["", *(f"shifts x {one['screening']:g}" for one in entries), "unit"],
        rows,
        "\n".join(about),
    )
    if record["costs"]:
        print_table(
            "What it costs: one thing switched off at a time",
            ["without", "brightest mode (Gamma)", "burst peak (Gamma)"],
            [
                [
                    one["without"],
                    _cell(one["brightest_rate_over_gamma"]),
                    _cell(one["burst_peak_over_gamma"], 4),
                ]
                for one in record["costs"]
            ],
        )
    if found.seen is not None:
        from perolux.reports.burst_streak import seen_table

        told = seen_table(found.seen)
        print_table(told.title, list(told.columns), [list(row) for row in told.rows], told.hint)
    if found.spectrum is not None or found.fringes is not None:
        from perolux.reports.burst_analysed import analysed_table

        told = analysed_table(found.spectrum, found.fringes)
        print_table(told.title, list(told.columns), [list(row) for row in told.rows], told.hint)
    one = record["single_nanocrystal"]
    if one is not None:
        print_table(
            f"A single cube of {one['edge_nm']:g} nm",
            ["quantity", "value", "unit"],
            [
                ["lifetime of its bright levels", _cell(one["lifetime_ps"], 4), "ps"],
                ["its rate over that of one small cube", _cell(one["rate_over_small_one"], 3), ""],
            ],
            one["what"],
        )


@app.command
def dicke(
    *,
    n: Annotated[int, Parameter(help="identical emitters at one place, all excited")],
    method: Annotated[str, Parameter(help="exact, or wigner to compare")] = "exact",
    dephasing: Annotated[float, Parameter(help="g* of each emitter over Gamma: 1/T2 = Gamma/2 + g*")] = 0.0,
    loss: Annotated[float, Parameter(help="rate without light of each emitter over Gamma")] = 0.0,
    spectrum: Annotated[bool, Parameter(negative="", help="the line of all light too, exactly")] = False,
    trajectories: Annotated[int, Parameter(help="of wigner")] = 10_000,
    seed: int = 0,
    json: Json = False,
) -> None:
    """The burst of N identical emitters at one place: exact, with dephasing and loss if wanted."""
    import numpy as np

    from perolux.collective.dicke import dicke_burst
    from perolux.collective.symmetric import symmetric_burst

    if method not in ("exact", "wigner"):
        raise OptionError(f"no method {method!r}", where="--method", allowed="exact, wigner")
    local = dephasing != 0.0 or loss != 0.0
    if spectrum:  # first: its limit on the number is the lower one
        from perolux.collective.symmetric_spectra import symmetric_spectrum

        line = symmetric_spectrum(n, dephasing=dephasing, loss=loss)
    if local and method != "exact":
        raise OptionError("wigner with dephasing or loss here", where="--method", allowed="exact")
    found = symmetric_burst(n, dephasing=dephasing, loss=loss) if local else dicke_burst(n)
    record: dict[str, Any] = {
        "n": n,
        "method": method,
        "dephasing_over_Gamma": dephasing,
        "loss_over_Gamma": loss,
        "t_peak_over_inverse_Gamma": found.t_peak,
        "i_peak_over_Gamma": found.i_peak,
        "sigma": 0.0,
        "g2_zero": found.g2_zero,
    }
    if method == "wigner":
        from perolux.collective.couplings import Couplings
        from perolux.collective.wigner import wigner_emission

        same = Couplings(np.ones((n, n)), np.zeros((n, n)), np.zeros(n))
        end = max(2.0 * found.t_peak, 0.1 / n)
        emission = wigner_emission(
            same, np.arange(n), np.linspace(0.0, end, 401), trajectories=trajectories,
            rng=np.random.default_rng(seed_of(seed)),
        )  # fmt: skip
        k = int(np.argmax(emission.photon_rate))
        record |= {
            "t_peak_over_inverse_Gamma": float(emission.times[k]),
            "i_peak_over_Gamma": float(emission.photon_rate[k]),
            "sigma": float(emission.sigma[k]),
            "exact_i_peak_over_Gamma": found.i_peak,
        }
    if spectrum:
        record["spectrum"] = {
            "half_width_over_Gamma": line.half_width,
            "photons": line.photons,
            "frequency_over_Gamma": line.frequency.tolist(),
            "photons_per_Gamma": line.density.tolist(),
        }
    if json:
        print_json(record)
        return
    width = [["full width of the spectrum", f"{line.half_width:.6g}", "Gamma"]] if spectrum else []
    print_table(
        f"Burst of {n} identical emitters at one place, {method}",
        ["quantity", "value", "unit"],
        [
            ["time of the peak", f"{record['t_peak_over_inverse_Gamma']:.6g}", "1/Gamma"],
            ["height of the peak", f"{record['i_peak_over_Gamma']:.6g}", "Gamma"],
            ["its standard error", f"{record['sigma']:.2g}", "Gamma"],
            ["height over N^2", f"{record['i_peak_over_Gamma'] / n**2:.5f}", "Gamma"],
            ["g2(0) of the full inversion", "–" if found.g2_zero is None else f"{found.g2_zero:.4f}", ""],
            *width,
        ],
    )


def _excited(row: dict[str, Any]) -> str:
    """The population of a row; both ends of a bracket."""
    if row["excited_population"] is not None:
        return f"{row['excited_population']:.5g}"
    if row.get("excited_low") is None:
        return "–"
    return f"{row['excited_low']:.3g} to {row['excited_high']:.3g}"


def _show(found: Emission, record: dict[str, Any]) -> None:
    from perolux.reports.words import plural

    rows = record["rows"]
    shown = rows[:: -(-len(rows) // 25)]
    bracket = found.low is not None
    columns = ["Gamma t", *(["low", "high"] if bracket else ["photon rate (Gamma)", "+-"]), "excited"]
    cells = [
        [f"{one['Gamma_t']:.4g}"]
        + (
            [f"{one['low']:.5g}", f"{one['high']:.5g}"]
            if bracket
            else [f"{one['photon_rate_over_Gamma']:.5g}", f"{one['sigma']:.1g}"]
        )
        + [_excited(one)]
        for one in shown
    ]
    g2 = "–" if found.g2_zero is None else f"{found.g2_zero:.4f}"
    print_table(
        f"{record['name']}: {plural(record['emitters'], 'emitter')}, {found.method}",
        columns,
        cells,
        "\n".join((f"{found.validity}.", f"g2(0) at first: {g2}", *found.notes)),
    )
