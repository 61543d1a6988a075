"""`perolux burst fit`: a streak image or a series of decays, superfluorescence weighed against its rivals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from perolux.cli.console import number, print_json, print_table, seed_of, terminal_progress
from perolux.errors import OptionError

if TYPE_CHECKING:
    from perolux.collective.backwards.compare import Comparison

__all__ = ["fit"]


def fit(
    data: Annotated[Path, Parameter(help="streak image, series of decays, .img, or a folder of them")],
    /,
    *,
    response: Annotated[str, Parameter(help="gaussian:FWHM_PS, or a file with times and counts")],
    jitter: Annotated[float, Parameter(help="sd of the trigger's jitter, ps")] = 0.0,
    zero: Annotated[
        str | None,
        Parameter(help="earliest,latest time of the pulse, ps; left out: anywhere before the peak"),
    ] = None,
    fluences: Annotated[
        str | None, Parameter(help="of the traces, where the file says none: 10,50,250")
    ] = None,
    resolution: Annotated[float, Parameter(help="FWHM of the spectrometer, nm")] = 0.0,
    same_exposure: Annotated[
        bool, Parameter(negative="", help="counts of different fluences may be compared")
    ] = False,
    counts_per_photon: Annotated[float, Parameter(help="of a camera that does not count photons")] = 1.0,
    models: Annotated[
        str | None, Parameter(help="superfluorescence,amplified,biexciton,fused,exponential (all)")
    ] = None,
    g2: Annotated[str | None, Parameter(help="measured g2(0) and its error: 1.6,0.1")] = None,
    time_unit: Annotated[str | None, Parameter(help="of a table that says none")] = None,
    wavelength_unit: Annotated[str | None, Parameter(help="of a table that says none")] = None,
    draws: Annotated[int, Parameter(help="of the last round of importance sampling")] = 1500,
    seed: int = 0,
    out: Annotated[Path | None, Parameter(help="a new folder for the report and its tables")] = None,
    replace: Annotated[bool, Parameter(negative="", help="replace the folder of --out")] = False,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Superfluorescence, amplified emission, biexcitons, fused crystals, exponentials: which made this light?

    Every model on the same photons, by evidence; N, dephasing and spread with what the data tell of them.
    """
    import numpy as np

    from perolux.collective.backwards.compare import compare_models, record_of
    from perolux.collective.backwards.files import data_of, response_of

    if out is not None:
        from perolux.studies.growth import require_new_folder

        require_new_folder(out, replace=replace, holds=("result.json", "traces.csv"))
    window = _pair(zero, "--zero", "earliest,latest in ps")
    given = None if fluences is None else np.array(_several(fluences, "--fluences"))
    read, table = data_of(
        data, response_of(response, jitter), fluences=given, zero_ps=window, resolution_nm=resolution,
        same_exposure=same_exposure, counts_per_photon=counts_per_photon, time_unit=time_unit,
        wavelength_unit=wavelength_unit,
    )  # fmt: skip
    found = compare_models(
        read, None if models is None else [one.strip() for one in models.split(",")], seed=seed_of(seed),
        draws=draws, g2=_pair(g2, "--g2", "value,error"), progress=terminal_progress(),
    )  # fmt: skip
    record: dict[str, Any] = {"file": str(data), "seed": seed} | record_of(found)
    record["data"] |= {"said": list(table.notes), "sha256": list(table.sha256)}
    if out is not None:
        from perolux.reports.burst_fit import write_burst_fit_report

        write_burst_fit_report(found, record, out)
    if json:
        print_json(record)
        return
    _show(found, record)
    if out is not None:
        print(f"report: {out / 'report.html'}")  # noqa: T201


def _several(text: str, option: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise OptionError(f"no numbers: {text!r}", where=option, allowed="numbers with commas") from None


def _pair(text: str | None, option: str, allowed: str) -> tuple[float, float] | None:
    if text is None:
        return None
    values = _several(text, option)
    if len(values) != 2:
        raise OptionError(f"{len(values)} numbers", where=option, allowed=allowed)
    return values[0], values[1]


def _show(found: Comparison, record: dict[str, Any]) -> None:
    from perolux.reports.words import plural

    print_table(
        f"{record['file']}: {plural(len(found.data.fluences), 'fluence')}, "
        f"{sum(record['data']['counts']):.0f} photons",
        ["model", "probability", "ln evidence below best", "error", "by Laplace", "BIC", "misfit (sigma)"],
        [
            [
                one["model"], f"{one['probability']:.3g}", f"{one['log_evidence_below_best']:.1f}",
                f"{one['log_evidence_error']:.2f}",
                number(None if one["log_evidence_laplace"] is None
                       else record["models"][0]["log_evidence"] - one["log_evidence_laplace"], 1),
                f"{one['bic']:.0f}", f"{one['misfit_sigmas']:.1f}",
            ]
            for one in record["models"]
        ],
        "\n".join(record["warnings"]),
    )  # fmt: skip
    best = record["models"][0]
    told = {one["name"]: one["meaning"] for one in record["priors"]}
    print_table(
        f"{best['model']}: {best['title']}",
        ["parameter", "low 95 %", "median", "high 95 %", "meaning"],
        [
            [name, *(f"{one[key]:.4g}" for key in ("low95", "median", "high95")), told[name]]
            for name, one in best["parameters"].items()
        ],
    )
    known = record["identified"]
    if known is not None:
        rows = [
            [f"{one['parameter']}, profile", number_or_open(one["low95"]), number_or_open(one["high95"])]
            for one in known["profiles"]
        ]
        spread = known["energy_spread_over_gamma_at_most"]
        rows.append(
            ["spread of energies over Gamma, at most", f"{spread['low95']:.3g}", f"{spread['high95']:.3g}"]
        )
        rows += [[one.text, f"/ {one.factor:.3g}", f"x {one.factor:.3g}"] for one in found.known]
        print_table(
            "What superfluorescence would leave known", ["", "low", "high"], rows, known["energy_spread_note"]
        )
    if found.bunching:
        from perolux.collective.backwards.bunching import NOTE

        print_table(
            f"g2(0) = {record['g2']['value']:g} ± {record['g2']['sigma']:g} alone",
            ["hypothesis", "probability", "can give"],
            [
                [
                    one.name,
                    f"{one.probability:.2g}",
                    f"{one.low:g} to {'any' if one.high is None else f'{one.high:g}'}",
                ]
                for one in found.bunching
            ],
            NOTE,
        )


def number_or_open(value: float | None) -> str:
    """A number, or that the data leave it open."""
    return "open" if value is None else f"{value:.4g}"
