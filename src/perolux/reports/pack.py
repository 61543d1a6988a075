"""Packing what the report's script draws: curves as 16-bit integers in one block, the rest as short JSON."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.display.colour import spectral_locus, uv_prime
from perolux.display.gamut import gamut_triangle
from perolux.quantities.constants import HC_EV_NM
from perolux.reports.content import Curves, Degeneracy, ReportContent

__all__ = ["as_script_json", "first_variable", "packed_data"]

_LEVELS = 65535
_MOST_EDGES = 120


def packed_data(content: ReportContent) -> dict[str, Any]:
    """Everything the script needs, keyed shortly (the script, `templates/report.js`, names each).

    Curves are quantised to 16 bits between the smallest and the largest value of their sample, an error
    below 1e-5 of its range; wavelengths are 32-bit floats.
    """
    block = _Block()
    grids: dict[bytes, int] = {}
    curves = {}
    edges, stride = _edges(content)
    for position, curve in content.curves.items():
        axis = curve.wavelength_nm.astype("<f4").tobytes()
        grid = grids.setdefault(axis, len(grids))
        curves[str(position)] = _packed_curve(block, curve, grid, stride)
    locus_nm, x, y = spectral_locus()
    u, v = uv_prime(x, y)
    return {
        "s": [_sample(position, row, content) for position, row in enumerate(content.rows)],
        "vars": [{"t": variable.title, "n": variable.numeric} for variable in content.variables],
        "first": first_variable(content),
        "grids": [base64.b64encode(axis).decode("ascii") for axis in grids],
        "blob": block.text(),
        "curves": curves,
        "edge": None if edges is None else base64.b64encode(edges.astype("<f4").tobytes()).decode("ascii"),
        "hc": HC_EV_NM,
        "cie": {
            "xy": _locus(locus_nm, x, y),
            "uv": _locus(locus_nm, u, v),
            "rec2020xy": gamut_triangle("Rec.2020", "xy").tolist(),
            "rec2020uv": gamut_triangle("Rec.2020", "u'v'").round(5).tolist(),
        },
        "deg": None if content.degeneracy is None else _packed_degeneracy(content.degeneracy),
    }


def as_script_json(content: Any) -> str:
    """JSON that may stand inside a script element: no tag or comment can begin in it, no NaN."""
    text = json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    for character, escape in (("&", "\\u0026"), ("<", "\\u003c"), (">", "\\u003e")):
        text = text.replace(character, escape)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


class _Block:
    """All quantised curves one after the other."""

    def __init__(self) -> None:
        self._parts: list[npt.NDArray[np.uint16]] = []
        self._length = 0

    def add(self, curve: npt.NDArray[np.float64], low: float, high: float) -> int:
        """Append a curve and return where it starts."""
        start = self._length
        span = high - low if high > low else 1.0
        part = np.clip(np.round((curve - low) / span * _LEVELS), 0, _LEVELS).astype("<u2")
        self._parts.append(part)
        self._length += len(part)
        return start

    def text(self) -> str:
        joined = np.concatenate(self._parts) if self._parts else np.empty(0, dtype="<u2")
        return base64.b64encode(joined.tobytes()).decode("ascii")


def _packed_curve(block: _Block, curve: Curves, grid: int, stride: int) -> dict[str, Any]:
    shown = [curve.values, *([curve.fit] if curve.fit is not None else []), *curve.components]
    if curve.baseline_curve is not None:
        shown.append(curve.baseline_curve)
    low = float(min(np.min(array) for array in shown))
    high = float(max(np.max(array) for array in shown))
    packed: dict[str, Any] = {
        "g": grid,
        "u": curve.per_unit_of,
        "lo": low,
        "hi": high if high > low else low + 1.0,
        "b": curve.baseline,
        "o": block.add(curve.values, low, high),
    }
    if curve.fit is not None:
        packed["f"] = block.add(curve.fit, low, high)
    if curve.components:
        packed["p"] = [block.add(component, low, high) for component in curve.components]
    if curve.baseline_curve is not None:
        packed["bo"] = block.add(curve.baseline_curve, low, high)
    if curve.half_ev:
        packed["h"] = [round(energy, 6) for energy in curve.half_ev]
    if curve.edge_density is not None:
        density = curve.edge_density[::stride]
        packed["d"] = block.add(density / max(float(density.max()), 1e-300), 0.0, 1.0)
    return packed


def _edges(content: ReportContent) -> tuple[npt.NDArray[np.float64] | None, int]:
    """The grid of edges, thinned for drawing; all posteriors of a study share one."""
    for curve in content.curves.values():
        if curve.edge_nm is not None:
            stride = -(-len(curve.edge_nm) // _MOST_EDGES)
            return curve.edge_nm[::stride], stride
    return None, 1


def _sample(position: int, row: dict[str, Any], content: ReportContent) -> dict[str, Any]:
    recipe = row.get("recipe")
    return {
        "i": position,
        "id": f"s{position}",
        "l": row["label"],
        "st": row["status"],
        "f": row["flags"],
        "c": row.get("screen_colour"),
        "p": _short(row.get("peak_nm")),
        "e": _short(row.get("peak_ev")),
        "w": _short(row.get("fwhm_mev")),
        "wn": _short(row.get("fwhm_nm")),
        "m": _short(row.get("edge_median_nm")),
        "lo": _short(row.get("edge_low95_nm")),
        "hi": _short(row.get("edge_high95_nm")),
        "k": row.get("edge_kind"),
        "t": row.get("size_text"),
        "pw": _short(row.get("platelet_weight")),
        "x": _short(row.get("cie_x")),
        "y": _short(row.get("cie_y")),
        "u": _short(row.get("cie_u_prime")),
        "v": _short(row.get("cie_v_prime")),
        "q": _short(row.get("plqy")),
        "snr": _short(row.get("snr")),
        "r": None if recipe is None else [_short(recipe.get(v.column)) for v in content.variables],
    }


def _short(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def first_variable(content: ReportContent) -> int:
    """The recipe variable the map begins with: the study's choice, else the numeric one with most values."""
    names = [variable.name for variable in content.variables]
    if content.first_x in names:
        return names.index(content.first_x)
    kinds = [
        len({(row.get("recipe") or {}).get(variable.column) for row in content.rows})
        if variable.numeric
        else 0
        for variable in content.variables
    ]
    return int(np.argmax(kinds)) if kinds else -1


def _locus(nm: Any, x: Any, y: Any) -> list[list[float]]:
    return [[int(a), round(float(b), 4), round(float(c), 4)] for a, b, c in zip(nm, x, y, strict=True)]


def _packed_degeneracy(degeneracy: Degeneracy) -> dict[str, Any]:
    return {
        "edge": [round(float(edge), 3) for edge in degeneracy.edge_nm],
        "prior": list(degeneracy.prior_ev),
        "sets": [
            {
                "name": name,
                **{
                    key: [round(float(shift), 4) for shift in curve]
                    for key, curve in zip(("mid", "low", "high"), curves, strict=True)
                },
            }
            for name, curves in degeneracy.shift_ev.items()
        ],
    }
