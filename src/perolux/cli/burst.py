"""`perolux burst`: collective emission of an assembly, and the exact ladder of identical emitters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from perolux.cli.console import print_json, print_table, terminal_progress
from perolux.errors import OptionError

if TYPE_CHECKING:
    from perolux.collective.rows import Emission

__all__ = ["app"]

app = App(name="burst", help="Superradiance and superfluorescence of an assembly of nanocrystals.")

Json = Annotated[bool, Parameter(negative="", help="print one JSON document")]


@app.default
def burst(
    file: Annotated[Path, Parameter(help="a case in JSON (examples/bursts)")],
    /,
    *,
    method: Annotated[
        str,
        Parameter(
            help="auto, exact, trajectories, eigenstate-rates, ladder, wigner, cumulant, "
            "single-excitation, bracket"
        ),
    ] = "auto",
    trajectories: Annotated[int, Parameter(help="of trajectories and wigner")] = 1000,
    seed: int = 0,
    json: Json = False,
) -> None:
    """Photon rate and population of a case against time, by the method that fits it."""
    from perolux.collective.burst import burst as run
    from perolux.collective.case import read_case

    case = read_case(file)
    found = run(case, method, trajectories=trajectories, seed=seed, progress=terminal_progress())
    record = found.as_dict() | {"name": case.name or file.stem, "emitters": len(case.emitters)}
    if json:
        print_json(record)
    else:
        _show(found, record)


@app.command
def dicke(
    *,
    n: Annotated[int, Parameter(help="identical emitters at one place, all excited")],
    method: Annotated[str, Parameter(help="exact, or wigner to compare")] = "exact",
    dephasing: Annotated[float, Parameter(help="g* of each emitter over Gamma: 1/T2 = Gamma/2 + g*")] = 0.0,
    loss: Annotated[float, Parameter(help="rate without light of each emitter over Gamma")] = 0.0,
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
            rng=np.random.default_rng(seed),
        )  # fmt: skip
        k = int(np.argmax(emission.photon_rate))
        record |= {
            "t_peak_over_inverse_Gamma": float(emission.times[k]),
            "i_peak_over_Gamma": float(emission.photon_rate[k]),
            "sigma": float(emission.sigma[k]),
            "exact_i_peak_over_Gamma": found.i_peak,
        }
    if json:
        print_json(record)
        return
    print_table(
        f"Burst of {n} identical emitters at one place, {method}",
        ["quantity", "value", "unit"],
        [
            ["time of the peak", f"{record['t_peak_over_inverse_Gamma']:.6g}", "1/Gamma"],
            ["height of the peak", f"{record['i_peak_over_Gamma']:.6g}", "Gamma"],
            ["its standard error", f"{record['sigma']:.2g}", "Gamma"],
            ["height over N^2", f"{record['i_peak_over_Gamma'] / n**2:.5f}", "Gamma"],
            ["g2(0) of the full inversion", "–" if found.g2_zero is None else f"{found.g2_zero:.4f}", ""],
        ],
    )


def _show(found: Emission, record: dict[str, Any]) -> None:
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
        + ["–" if one["excited_population"] is None else f"{one['excited_population']:.5g}"]
        for one in shown
    ]
    g2 = "–" if found.g2_zero is None else f"{found.g2_zero:.4f}"
    print_table(
        f"{record['name']}: {record['emitters']} emitters, {found.method}",
        columns,
        cells,
        "\n".join((f"{found.validity}.", f"g2(0) at first: {g2}", *found.notes)),
    )
