"""The numbers of a display as rows of a table: for the terminal and for the report."""

from __future__ import annotations

from typing import Any

__all__ = ["gamut_rows", "hours_text", "rows_of", "set_rows"]

Row = tuple[str, str, str]
_NAMES = {"rec2020": "Rec.2020", "dci-p3": "DCI-P3", "ntsc": "NTSC 1953", "rec709": "Rec.709"}
_BY_SET = (
    ("rec2020_xy_coverage_percent", "coverage of Rec.2020, xy", "%"),
    ("rec2020_upvp_coverage_percent", "coverage of Rec.2020, u'v'", "%"),
    ("lm_per_electrical_w", "light for an electrical watt", "lm/W"),
    ("emission_mean_nm", "mean of the emission", "nm"),
    ("optical_density_450_nm", "optical density at 450 nm", "base 10"),
    ("lead_ppm", "lead", "ppm by mass"),
)
"""Quantities told for each parameter set: key, words, unit."""
_SPACES = {"xy": "xy", "upvp": "u'v'"}


def rows_of(record: dict[str, Any]) -> list[Row]:
    """What the record of a display says: name, value, unit."""
    rows: list[Row] = []
    if record["kind"] == "led":
        rows += _led(record)
    else:
        for name, space, area, covered in gamut_rows(record["gamut"]):
            rows.append((f"{name}, {space}: area; coverage", f"{area}; {covered}", "%"))
        rows += _white(record)
        rows += [
            ("light for a watt of the source's light", _number(record["lm_per_optical_w"], ".4g"), "lm/W"),
            ("light for an electrical watt", _number(record["lm_per_electrical_w"], ".4g"), "lm/W"),
        ]
        if record["kind"] == "film":
            rows += _film_rows("film", record["film"]) + _backlight(record)
        else:
            for name in ("green", "red"):
                rows += _film_rows(name, record[name]["film"]) + _sub_pixel(name, record[name])
            rows.append(
                ("more light than the same diodes behind filters", _percent(record["gain_over_filters"]), "%")
            )
    for name, label, unit in _BY_SET:
        spread = record.get("by_parameter_set", {}).get(name)
        if spread is not None and spread["median"] is not None and spread["low95"] < spread["high95"]:
            text = f"{spread['median']:.4g} ({spread['low95']:.4g} to {spread['high95']:.4g})"
            rows.append((f"{len(spread['sets'])} parameter sets: {label}", text, unit))
    for one in record["lifetimes"]:
        mark = " (extrapolated)" if one["extrapolated"] else ""
        rows.append(
            (
                f"T{100 * one['share']:.0f}{mark}",
                hours_text(one),
                "h",
            )
        )
    return rows


def hours_text(one: dict[str, Any]) -> str:
    """Hours of a lifetime with its 95 % interval, three digits: "1180 (1080 to 1280)"."""
    hours, low, high = (f"{float(f'{one[name]:.3g}'):g}" for name in ("hours", "low", "high"))
    return f"{hours} ({low} to {high})"


def gamut_rows(gamut: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Standard, space, area and coverage in per cent with their standard deviations."""
    return [
        (
            _NAMES[name],
            _SPACES[space],
            f"{one['area_percent']:.1f} ± {one['area_sigma']:.1f}",
            f"{one['coverage_percent']:.1f} ± {one['coverage_sigma']:.1f}",
        )
        for name, spaces in gamut["gamuts"].items()
        for space, one in spaces.items()
    ]


def _white(record: dict[str, Any]) -> list[Row]:
    white = record["white"]
    x, y = white["xy"]
    rows = [("white, xy", f"{x:.4f}, {y:.4f}", "")]
    if white["cct_k"] is not None:
        rows.append(("white, colour temperature; Duv", f"{white['cct_k']:.0f}; {white['duv']:.4f}", "K"))
    return rows


def _film_rows(name: str, film: dict[str, Any]) -> list[Row]:
    rows = [
        (f"{name}: thickness", f"{film['thickness_um']:g}", "um"),
        (f"{name}: optical density at 450 nm", f"{film['optical_density_450_nm']:.3g}", "base 10"),
        (f"{name}: absorbed in one pass", _percent(film["absorbed_in_one_pass"]), "%"),
    ]
    if film["volume_fraction"] is not None:
        rows.append((f"{name}: nanocrystals by volume", f"{100 * film['volume_fraction']:.3g}", "%"))
    if film["lead"] is not None:
        rows.append((f"{name}: lead", f"{film['lead']['lead_ppm']:.4g}", "ppm by mass"))
    return rows


def _backlight(record: dict[str, Any]) -> list[Row]:
    return [
        ("red in the source's light", _percent(record["red_share_of_source"]), "%"),
        ("times that blue falls on the film", _number(record["blue_passes"], ".3g"), ""),
        ("converted light that leaves, per blue photon", _percent(record["converted_per_blue_photon"]), "%"),
        ("lost in nanocrystals", _percent(record["lost_in_emitters"]), "% of blue photons"),
        ("red shift by re-absorption", _number(record["red_shift_nm"], ".2f"), "nm"),
    ]


def _sub_pixel(name: str, one: dict[str, Any]) -> list[Row]:
    talk = _percent(one["cross_talk"])
    if one["cross_talk_sigma"] is not None:
        talk += f" ± {100 * one['cross_talk_sigma']:.2g}"
    known = ("converted_forward", "converted_back", "blue_leak", "lost_in_emitters")
    rest = 1.0 - sum(one[key] for key in known)
    return [
        (
            f"{name}: converted forward; back",
            f"{_percent(one['converted_forward'])}; {_percent(one['converted_back'])}",
            "% of photons",
        ),
        (f"{name}: blue that leaks", f"{100 * one['blue_leak']:.3g}", "% of photons"),
        (f"{name}: lost in nanocrystals", _percent(one["lost_in_emitters"]), "% of photons"),
        (f"{name}: the rest, blue thrown back and what walls take", _percent(max(rest, 0.0)), "% of photons"),
        (f"{name}: red shift by re-absorption", _number(one["red_shift_nm"], ".2f"), "nm"),
        (f"{name}: cross-talk", talk, "% of forward light"),
    ]


def _led(record: dict[str, Any]) -> list[Row]:
    chain = record["chain"]
    return [
        ("colour, xy", f"{record['xy'][0]:.4f}, {record['xy'][1]:.4f}", ""),
        ("external quantum efficiency", f"{100 * chain['eqe']:.3g}", "%"),
        ("internal (balance, recombination, PLQY)", f"{100 * chain['internal']:.3g}", "%"),
        ("outcoupling", f"{100 * chain['outcoupling']:.3g}", "%"),
        ("efficacy of the light", f"{record['ler_lm_per_w']:.1f}", "lm per optical W"),
        ("light for an electrical watt", _number(record["lm_per_electrical_w"], ".4g"), "lm/W"),
    ]


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.3g}"


def _number(value: float | None, style: str) -> str:
    return "–" if value is None else format(value, style)


def set_rows(record: dict[str, Any]) -> tuple[list[str], list[list[str]]]:
    """Quantities by parameter set as a table: its head and rows; empty where no set was left open."""
    told = record.get("by_parameter_set", {})
    names = list(dict.fromkeys(one for key, _, _ in _BY_SET for one in told.get(key, {}).get("sets", ())))
    if not names:
        return [], []
    head = ["parameter set", *(f"{label} ({unit})" for _, label, unit in _BY_SET)]
    return head, [
        [name, *(_number(told[key]["sets"][name], ".4g") for key, _, _ in _BY_SET)] for name in names
    ]
