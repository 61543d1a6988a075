"""Packing what the report's script draws: curves as 16-bit integers in one block, the rest as short JSON."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import numpy.typing as npt

from perolux.display.colour import spectral_locus, uv_prime
from perolux.display.gamut import gamut_triangle
from perolux.fitting.grids import trapezoid_weights
from perolux.quantities.constants import HC_EV_NM
from perolux.reports.content import Absorbance, Curves, Degeneracy, Plane, ReportContent, variables_of

__all__ = ["as_script_json", "first_variable", "packed_data"]

_LEVELS = 65535
_MOST_EDGES = 120
_PLANE_EDGES = 60
"""Edges of the plane of size and composition as drawn; 8 bits a value keep a study of 400 samples small."""


def packed_data(content: ReportContent) -> dict[str, Any]:
    """Everything the script needs, keyed shortly (the script, `templates/report.js`, names each).

    Curves are quantised to 16 bits between the smallest and the largest value of their sample, an error
    below 1e-5 of its range; wavelengths are 32-bit floats.
    """
    block = _Block()
    grids: dict[bytes, int] = {}
    curves = {}
    edges, stride = _edges(content)
    planes = _Block("<u1", 255)
    for position, curve in content.curves.items():
        packed = _packed_curve(block, curve, grids, stride)
        if curve.absorbance is not None:
            packed["a"] = _packed_absorbance(block, curve.absorbance, grids)
        if curve.plane is not None and curve.edge_nm is not None:
            packed["j"] = _packed_plane(planes, curve.plane, curve.edge_nm)
        curves[str(position)] = packed
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
        **_composition(content, planes),
    }


def _composition(content: ReportContent, planes: _Block) -> dict[str, Any]:
    """Name, axes and planes of an open composition; nothing for a closed one."""
    shown = next((curve for curve in content.curves.values() if curve.plane is not None), None)
    if shown is None or shown.plane is None or shown.edge_nm is None:
        return {}
    labels = [row["label"] for row in content.rows]
    chosen = content.composition_label
    return {
        "mix": {
            "name": shown.plane.name,
            "x": [round(float(x), 4) for x in shown.plane.fraction],
            "edge": [round(float(edge), 4) for edge in shown.edge_nm[:: _plane_stride(shown.edge_nm)]],
            "blob": planes.text(),
            "i": labels.index(chosen) if chosen in labels else None,
        }
    }


def as_script_json(content: Any) -> str:
    """JSON that may stand inside a script element: no tag or comment can begin in it, no NaN."""
    text = json.dumps(content, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    for character, escape in (("&", "\\u0026"), ("<", "\\u003c"), (">", "\\u003e")):
        text = text.replace(character, escape)
    return text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


class _Block:
    """All quantised curves one after the other."""

    def __init__(self, form: str = "<u2", levels: int = _LEVELS) -> None:
        self._parts: list[npt.NDArray[Any]] = []
        self._length = 0
        self._form, self._levels = form, levels

    def add(self, curve: npt.NDArray[np.float64], low: float, high: float) -> int:
        """Append a curve and return where it starts."""
        start = self._length
        span = high - low if high > low else 1.0
        part = np.clip(np.round((curve - low) / span * self._levels), 0, self._levels).astype(self._form)
        self._parts.append(part)
        self._length += len(part)
        return start

    def text(self) -> str:
        joined = np.concatenate(self._parts) if self._parts else np.empty(0, dtype=self._form)
        return base64.b64encode(joined.tobytes()).decode("ascii")


def _grid(wavelength_nm: npt.NDArray[np.float64], grids: dict[bytes, int]) -> int:
    return grids.setdefault(wavelength_nm.astype("<f4").tobytes(), len(grids))


def _packed_curve(block: _Block, curve: Curves, grids: dict[bytes, int], stride: int) -> dict[str, Any]:
    if curve.wavelength_nm is None or curve.values is None:
        return {}
    shown = [curve.values, *([curve.fit] if curve.fit is not None else []), *curve.components]
    if curve.baseline_curve is not None:
        shown.append(curve.baseline_curve)
    low = float(min(np.min(array) for array in shown))
    high = float(max(np.max(array) for array in shown))
    packed: dict[str, Any] = {
        "g": _grid(curve.wavelength_nm, grids),
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


def _packed_absorbance(block: _Block, absorbance: Absorbance, grids: dict[bytes, int]) -> dict[str, Any]:
    values = absorbance.values
    low, high = float(np.min(values)), float(np.max(values))
    packed: dict[str, Any] = {
        "g": _grid(absorbance.wavelength_nm, grids),
        "lo": low,
        "hi": high if high > low else low + 1.0,
        "o": block.add(values, low, high),
    }
    if absorbance.scatter is not None:  # towards the blue the extrapolation may leave the record
        packed["s"] = block.add(np.clip(absorbance.scatter, low, high), low, high)
    if absorbance.exciton_ev is not None:
        packed["x"] = round(absorbance.exciton_ev, 6)
        packed["sx"] = round(absorbance.exciton_sigma_ev or 0.0, 6)
    return packed


def _plane_stride(edges: npt.NDArray[np.float64]) -> int:
    return -(-len(edges) // _PLANE_EDGES)


def _packed_plane(planes: _Block, plane: Plane, edges: npt.NDArray[np.float64]) -> list[float]:
    """Start in the block, then the levels (0 to 1) that enclose 95 and 68 % of the probability.

    The density is per logarithm of the edge, because the axis is logarithmic; levels are found on the full
    grid.
    """
    density = plane.density * edges
    weights = np.outer(trapezoid_weights(plane.fraction), trapezoid_weights(np.log(edges)))
    order = np.argsort(density, axis=None)[::-1]
    inside = np.cumsum((density * weights).ravel()[order])
    inside /= inside[-1]
    top = float(density.max()) or 1.0
    levels = [float(density.ravel()[order[np.searchsorted(inside, part)]]) / top for part in (0.95, 0.68)]
    thinned = density[:, :: _plane_stride(edges)] / top
    return [planes.add(thinned.ravel(), 0.0, 1.0), *(round(level, 4) for level in levels)]


def _edges(content: ReportContent) -> tuple[npt.NDArray[np.float64] | None, int]:
    """The grid of edges, thinned for drawing; all posteriors of a study share one."""
    for curve in content.curves.values():
        if curve.edge_nm is not None:
            stride = -(-len(curve.edge_nm) // _MOST_EDGES)
            return curve.edge_nm[::stride], stride
    return None, 1


def _sample(position: int, row: dict[str, Any], content: ReportContent) -> dict[str, Any]:
    values = variables_of(row)
    known = row.get("recipe") is not None or row.get("named") is not None
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
        "r": [_short(values.get(v.column)) for v in content.variables] if known else None,
        **_more(row),
    }


def _more(row: dict[str, Any]) -> dict[str, Any]:
    """What only studies with absorption or with an open composition have; absent elsewhere."""
    names = {
        "xn": "first_exciton_nm",
        "xe": "first_exciton_ev",
        "sm": "stokes_shift_mev",
        "ss": "stokes_shift_sigma_mev",
        "hf": "halide_fraction_median",
        "hl": "halide_fraction_low95",
        "hh": "halide_fraction_high95",
    }
    return {key: _short(row[name]) for key, name in names.items() if row.get(name) is not None}


def _short(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value


def first_variable(content: ReportContent) -> int:
    """The recipe variable the map begins with: the study's choice, else the numeric one with most values."""
    names = [variable.name for variable in content.variables]
    if content.first_x in names:
        return names.index(content.first_x)
    kinds = [
        len({variables_of(row).get(variable.column) for row in content.rows}) if variable.numeric else 0
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
