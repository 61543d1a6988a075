"""`perolux hom`: two-photon interference, from lifetime and coherence to visibility and back; or from
measured histograms (`hom_measured`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from perolux.cli.console import print_json, print_table
from perolux.cli.hom_measured import MeasuredOptions, measured_hom
from perolux.errors import OptionError

__all__ = ["hom"]


def hom(
    parallel: Annotated[
        Path | None,
        Parameter(help="measured coincidences against delay, parallel polarisations (text, .phu)"),
    ] = None,
    orthogonal: Annotated[Path | None, Parameter(help="the same, orthogonal polarisations")] = None,
    /,
    *,
    t1: Annotated[float | None, Parameter(help="lifetime T1 in ps")] = None,
    t2: Annotated[float | None, Parameter(help="coherence time T2 in ps, at most 2 T1")] = None,
    visibility: Annotated[
        float | None, Parameter(help="corrected visibility, a share, in place of T2")
    ] = None,
    detuning_spread: Annotated[
        float,
        Parameter(help="standard deviation of the difference of the two angular frequencies, rad/ps"),
    ] = 0.0,
    gate: Annotated[float | None, Parameter(help="only coincidences closer than this many ps count")] = None,
    wanted: Annotated[
        float | None, Parameter(help="visibility to reach: by which cavity, at which temperature?")
    ] = None,
    mode_volume: Annotated[float, Parameter(help="of the cavity, in cubic wavelengths in the medium")] = 1.0,
    wavelength: Annotated[
        float | None, Parameter(help="of the light in vacuum in nm: checks weak coupling")
    ] = None,
    radiative_yield: Annotated[float, Parameter(help="share of the decay that is light")] = 1.0,
    temperature: Annotated[
        float | None, Parameter(help="in K, at which T1 and T2 hold: asks for the colder one")
    ] = None,
    material: Annotated[str, Parameter(help="whose phonon activates dephasing")] = "CsPbBr3",
    measured: MeasuredOptions | None = None,
    json: Annotated[bool, Parameter(negative="", help="print one JSON document")] = False,
) -> None:
    """Visibility of two-photon interference from T1 and T2, T2 from a visibility, or all from histograms.

    With --wanted: the enhancement, Q and temperature that would reach it. With files: areas of the peaks,
    visibility raw and corrected, T1 and T2.
    """
    measured = measured or MeasuredOptions()
    if parallel is not None:
        given = {
            "--t1": t1, "--t2": t2, "--visibility": visibility, "--gate": gate, "--wanted": wanted,
            "--wavelength": wavelength, "--temperature": temperature,
        }  # fmt: skip
        if used := [name for name, value in given.items() if value is not None]:
            raise OptionError(
                "options of a calculation beside measured histograms", where=", ".join(used),
                fix="leave them out: T1 and T2 come out of the fit",
            )  # fmt: skip
        measured_hom(parallel, orthogonal, measured, detuning_spread, json)
        return
    if used := measured.used():
        raise OptionError("options of measured histograms, and no file", where=", ".join(used))
    if t1 is None:
        raise OptionError(
            "neither a lifetime nor a measured histogram",
            where="--t1, FILE_PARALLEL",
            allowed="--t1 with --t2 or --visibility; or one or two files and --delay",
        )
    from perolux.photons import hom_wanted as wanting
    from perolux.photons.hom import visibility as visibility_of

    if (t2 is None) == (visibility is None):
        raise OptionError(
            "neither a coherence time nor a visibility"
            if t2 is None
            else "a coherence time and a visibility",
            where="--t2, --visibility",
            allowed="one of the two",
        )
    if t2 is None:
        assert visibility is not None
        t2 = wanting.coherence_time_behind(t1, visibility, spread_rad_per_ps=detuning_spread, gate_ps=gate)
        value = visibility
    else:
        value = float(visibility_of(t1, t2, detuning_spread_rad_per_ps=detuning_spread, gate_ps=gate))
    pure = wanting.pure_dephasing_time_ps(t1, t2)
    found: dict[str, Any] = {
        "t1_ps": t1,
        "t2_ps": t2,
        "visibility": value,
        "pure_dephasing_time_ps": pure,
        "linewidth_uev": wanting.linewidth_uev(t2),
        "detuning_spread_rad_per_ps": detuning_spread,
        "gate_ps": gate,
    }
    if pure is None:
        found["reason"] = "T2 = 2 T1 leaves no pure dephasing"
    if wanted is not None:
        found["wanted"] = _wanted(
            t1, t2, wanted, mode_volume, wavelength, radiative_yield, temperature, material,
            detuning_spread, gate,
        )  # fmt: skip
    if json:
        print_json(found)
        return
    _show(found)


def _wanted(
    t1: float,
    t2: float,
    wanted: float,
    mode_volume: float,
    wavelength: float | None,
    radiative_yield: float,
    temperature: float | None,
    material_name: str,
    spread: float,
    gate: float | None,
) -> dict[str, Any]:
    from perolux.photons import hom_wanted as wanting
    from perolux.photons.quantum_records import quantum_record

    cavity = wanting.cavity_for(
        t1, t2, wanted, mode_volume_cubic_wavelengths=mode_volume, wavelength_nm=wavelength,
        radiative_yield=radiative_yield, spread_rad_per_ps=spread, gate_ps=gate,
    )  # fmt: skip
    names = ("other_modes_rate", "weak_coupling_ratio", "least_quality")
    rests_on = [quantum_record(name).key for name in names]
    if temperature is None:
        cold = wanting.ColdEnough(None, None, None, "the temperature of T1 and T2 is not given")
    else:
        from perolux.excitons.assumptions import assumption
        from perolux.materials import material

        phonon = material(material_name, temperature).value("phonon_energy_1")
        cold = wanting.temperature_for(
            t1, t2, wanted, temperature, phonon_ev=phonon.number, spread_rad_per_ps=spread, gate_ps=gate
        )
        rests_on += [phonon.key, assumption("activated_dephasing_ev").key]
    return {
        "visibility": wanted,
        "cavity": cavity.as_dict(),
        "temperature": cold.as_dict(),
        "assumes": [
            "the cavity changes the decay rate and not the pure dephasing",
            f"radiative yield {radiative_yield:g}; at the antinode, on resonance, dipole in the field",
            "cold changes the pure dephasing (a T + b n) and not the lifetime; below the temperature given "
            "the law is not measured",
        ],
        "rests_on": rests_on,
    }


def _show(found: dict[str, Any]) -> None:
    rows = [
        ["lifetime T1", f"{found['t1_ps']:.6g}", "ps"],
        ["coherence time T2", f"{found['t2_ps']:.6g}", "ps"],
        ["visibility", f"{found['visibility']:.6g}", ""],
        ["pure dephasing time", _or_dash(found["pure_dephasing_time_ps"]), "ps"],
        ["width of the line, 2 hbar/T2", f"{found['linewidth_uev']:.4g}", "micro-eV"],
    ]
    notes = []
    if (wanted := found.get("wanted")) is not None:
        cavity, cold = wanted["cavity"], wanted["temperature"]
        label = f"for V = {wanted['visibility']:g}: "
        rows += [
            [label + "decay rate times", f"{cavity['enhancement']:.4g}", ""],
            ["Purcell factor of the mode", f"{cavity['purcell_factor']:.4g}", ""],
            [
                f"Q at {cavity['mode_volume_cubic_wavelengths']:g} (lambda/n)^3",
                _or_dash(cavity["quality"]),
                "",
            ],
            ["4g/kappa", _or_dash(cavity["coupling_over_loss"]), ""],
            ["line over mode", _or_dash(cavity["line_over_mode"]), ""],
            [label + "or temperature", _or_dash(cold["temperature_k"]), "K"],
        ]
        notes = [f"Cavity: {cavity['verdict']}."]
        if cold["reason"]:
            notes.append(f"Temperature: {cold['reason']}.")
        elif cold["low_k"] is not None:
            notes.append(f"Temperature: {cold['low_k']:.3g} to {cold['high_k']:.3g} K by what is assumed.")
        notes += [f"Assumed: {one}." for one in wanted["assumes"]]
        notes.append(f"Records: {', '.join(wanted['rests_on'])} (perolux explain KEY)")
    print_table("Two-photon interference", ["quantity", "value", "unit"], rows, "\n".join(notes))


def _or_dash(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
