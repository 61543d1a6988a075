"""`perolux burst stream`: photons of a burst, pulse after pulse, as a record that `perolux photons` reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from perolux import __version__
from perolux.cli.console import numbers_of, print_json, print_table, seed_of, terminal_progress
from perolux.errors import OptionError
from perolux.files import sha256_of

if TYPE_CHECKING:
    from perolux.collective.case import BurstCase
    from perolux.measured.photon_stream import PhotonStream

__all__ = ["stream"]

_SUFFIXES = (".parquet", ".h5", ".hdf5")


def stream(
    file: Annotated[Path, Parameter(help="a case in JSON or an assembly in TOML, up to 12 emitters")],
    to: Annotated[Path, Parameter(help="record to write: .parquet, or .h5 for Photon-HDF5")],
    /,
    *,
    repetition: Annotated[str, Parameter(help="of the laser, e.g. 1MHz")] = "1MHz",
    pulses: Annotated[int, Parameter(help="each one trajectory from the start of the case")] = 10_000,
    lifetime: Annotated[
        str | None, Parameter(help="1/Gamma, e.g. 300ps: of a case; an assembly has its own")
    ] = None,
    efficiency: Annotated[float, Parameter(help="share of the photons that is detected")] = 0.1,
    split: Annotated[float, Parameter(help="share that goes to detector 0; 1 for one detector")] = 0.5,
    jitter: Annotated[str, Parameter(help="of each detector, standard deviation")] = "20ps",
    dark_cps: Annotated[str, Parameter(help="dark counts a second of both detectors")] = "0,0",
    dead_time: Annotated[str, Parameter(help="of each detector")] = "0ns",
    afterpulse: Annotated[float, Parameter(help="probability that a count brings another")] = 0.0,
    tick: Annotated[str, Parameter(help="bin of the time after the pulse")] = "1ps",
    method: Annotated[str, Parameter(help="with jumps: trajectories")] = "trajectories",
    draw: Annotated[int, Parameter(help="of the disorder of an assembly")] = 0,
    screening: Annotated[
        float | None, Parameter(help="of an assembly's shifts; its strongest if left out")
    ] = None,
    seed: int = 0,
    keep: Annotated[
        Path | None, Parameter(help="folder for finished pieces, by which a killed run continues")
    ] = None,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Time-tagged photons of a burst behind a beam splitter, one quantum-jump trajectory a pulse."""
    import numpy as np

    from perolux.cli.burst import kept_pieces
    from perolux.collective.photon_streams import case_clicks, clicks_record, stream_of_clicks
    from perolux.measured import write_parquet_stream, write_photon_hdf5
    from perolux.photons.simulate import Detectors

    if to.suffix.lower() not in _SUFFIXES:
        raise OptionError(f"a record named {to.name}", where=str(to), allowed=", ".join(_SUFFIXES))
    if pulses < 1:
        raise OptionError(f"{pulses} pulses", where="--pulses", allowed="1 and more")
    dark = numbers_of(dark_cps, "--dark-cps", "rate", "two numbers, e.g. 120,95", 2)
    if len(dark) != 2:
        raise OptionError(f"{dark_cps!r}", where="--dark-cps", allowed="two numbers, e.g. 120,95")
    detectors = Detectors(
        split, _of(jitter, "ns", "--jitter"), (dark[0], dark[1]), _of(dead_time, "ns", "--dead-time"),
        afterpulse,
    )  # fmt: skip
    if not 0.0 < efficiency <= 1.0:  # before the work, not after it
        raise OptionError(
            f"an efficiency of {efficiency:g}", where="--efficiency", allowed="above 0, at most 1"
        )
    tick_ns = _of(tick, "ns", "--tick", above=True)
    period_ns = 1e9 / _of(repetition, "Hz", "--repetition", above=True)
    case, lifetime_ns = _case(file, lifetime, draw, screening)
    question = {
        "task": "burst stream 1", "version of perolux": __version__, "file": sha256_of(file), "draw": draw,
        "screening": case.screening, "period_ns": period_ns, "lifetime_ns": lifetime_ns, "pulses": pulses,
        "seed": seed_of(seed),
    }  # fmt: skip
    with kept_pieces(keep, question) as pieces:
        pieces.tell()
        clicks = case_clicks(
            case, period_ns / lifetime_ns, pulses=pulses, seed=seed, method=method,
            progress=terminal_progress(), pieces=pieces,
        )  # fmt: skip
        # detectors have numbers of their own: other detectors see the same light
        made = stream_of_clicks(
            clicks, lifetime_ns=lifetime_ns, period_ns=period_ns, efficiency=efficiency, detectors=detectors,
            rng=np.random.default_rng(np.random.SeedSequence((seed, 13))), tick_ns=tick_ns,
            notes=(f"perolux burst stream {file.name}, seed {seed}",),
        )  # fmt: skip
        if not len(made):
            raise OptionError(
                f"no photon in {pulses} pulses", where="--pulses", fix="more pulses, a higher --efficiency"
            )
        if to.suffix.lower() == ".parquet":
            write_parquet_stream(made, to)
        else:
            write_photon_hdf5(made, to, description=f"simulated burst of {case.name or file.stem}")
    record: dict[str, Any] = {
        "file": str(to), "case": str(file), "emitters": len(case.emitters), "method": method, "seed": seed,
        "lifetime_ps": 1e3 * lifetime_ns, "period_ns": period_ns, "screening": case.screening,
        "emitted": clicks_record(clicks), "detected": _detected(made, pulses),
    }  # fmt: skip
    record["notes"] = _notes(record, detectors.dead_time_ns)
    if json:
        print_json(record)
    else:
        _show(record)


def _of(text: str, unit: str, option: str, *, above: bool = False) -> float:
    from perolux.quantities.units import parse_quantity

    try:
        found = parse_quantity(text, unit, spectral=False)  # a rate of pulses is no wavelength
    except OptionError as error:
        raise OptionError(error.problems[0].what, where=option, allowed=f"as in 1 {unit}") from None
    if found < 0.0 or (above and found == 0.0):
        raise OptionError(f"{text}", where=option, allowed="above 0" if above else "0 and more")
    return found


def _case(file: Path, lifetime: str | None, draw: int, screening: float | None) -> tuple[BurstCase, float]:
    """The case of a file, and 1/Gamma in ns."""
    if file.suffix.lower() != ".toml":
        from perolux.collective.case import read_case

        if lifetime is None:
            raise OptionError(
                "a case counts its times in 1/Gamma", where="--lifetime", fix="give it, e.g. --lifetime 300ps"
            )
        if screening is not None or draw:
            raise OptionError(
                "--draw and --screening are of an assembly", fix="a case has its own key screening"
            )
        return read_case(file), _of(lifetime, "ns", "--lifetime", above=True)
    from perolux.collective.assembly import assembly, draw_case, draw_emitters, excited_emitters
    from perolux.collective.assembly_file import read_assembly

    if lifetime is not None:
        raise OptionError("an assembly has its own lifetime", where="--lifetime", fix="leave it out")
    if draw < 0 or not 0.0 <= (1.0 if screening is None else screening) <= 1.0:
        raise OptionError("a draw or screening out of range", allowed="--draw from 0, --screening 0 to 1")
    read = read_assembly(file)
    if read.excitation.direction is not None:
        raise OptionError(
            "a start with the phase of light",
            where="excitation.direction",
            allowed="for photon streams: kind = 'all', 'random', or 'single' without direction",
        )
    made = assembly(read, file.parent)
    emitters, rng = draw_emitters(made, draw)
    strength = max(read.sampling.screening) if screening is None else screening
    case = draw_case(made, emitters, excited_emitters(made, emitters, rng), strength)
    if case is None:
        raise OptionError(f"no emitter is excited in draw {draw}", where="--draw", fix="another draw")
    return case, 1e-3 * made.lifetime_ps


def _detected(made: PhotonStream, pulses: int) -> dict[str, Any]:
    """What the record holds; g2 by pulse with two detectors, None where there are no pairs beside the
    pulse."""
    from perolux.photons.pulsed_g2 import g2_by_pulse, pairs_by_pulse

    found: dict[str, Any] = {
        "photons": len(made),
        "photons_per_pulse": len(made) / pulses,
        "per_channel": {str(k): n for k, n in made.photons_per_channel.items()},
        "duration_s": made.duration_s,
    }
    if len(made.photons_per_channel) < 2:
        return found | {"g2": None, "g2_sigma": None, "g2_reason": "one detector: no coincidences"}
    try:
        g2 = g2_by_pulse(pairs_by_pulse(made), period_ns=made.macro_tick_ns)
    except OptionError as error:
        return found | {"g2": None, "g2_sigma": None, "g2_reason": error.problems[0].what}
    return found | {"g2": g2.raw, "g2_sigma": g2.sigma}


def _notes(record: dict[str, Any], dead_ns: float) -> list[str]:
    emitted, seen = record["emitted"], record["detected"]["photons_per_pulse"]
    told = ["every pulse starts from the same state; what is left of one is not seen by the next"]
    if emitted["left_per_pulse"] > 0.01 * max(emitted["photons_per_pulse"], 1e-9):
        told.append(
            f"{emitted['left_per_pulse']:.3g} excitations a pulse are left at the next one: dark states, or "
            "a period that is too short"
        )
    if dead_ns > 0.0 and seen > 0.1:
        told.append(
            f"{seen:.2g} photons detected a pulse, of which a blind detector counts one: g2 of the record is "
            "drawn to 1; lower --efficiency"
        )
    return told


def _show(record: dict[str, Any]) -> None:
    emitted, seen = record["emitted"], record["detected"]

    def with_error(value: float | None, sigma: float | None) -> str:
        return "–" if value is None else f"{value:.4g} ± {sigma:.2g}"

    print_table(
        f"{record['file']}: {emitted['pulses']} pulses of {record['emitters']} emitters",
        ["quantity", "emitted", "detected"],
        [
            ["photons a pulse", f"{emitted['photons_per_pulse']:.4g}", f"{seen['photons_per_pulse']:.4g}"],
            ["lost without light a pulse", f"{emitted['lost_per_pulse']:.4g}", ""],
            ["left at the next pulse", f"{emitted['left_per_pulse']:.4g}", ""],
            ["g2 of a pulse", with_error(emitted["g2_per_pulse"], emitted["g2_sigma"]),
             with_error(seen["g2"], seen["g2_sigma"])],
            ["photons in the record", "", str(seen["photons"])],
        ],
        "\n".join([*record["notes"], f"perolux photons {record['file']}"]),
    )  # fmt: skip
