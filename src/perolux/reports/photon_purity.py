"""Pictures and table rows of a record's coincidences: the dip of steady light, gates, biexciton, triples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from perolux.photons.continuous_g2 import ContinuousG2
from perolux.photons.purity import Purity
from perolux.reports.figures import BLUE, GREY, ORANGE
from perolux.reports.passport_drawing import Plot, make_plot
from perolux.reports.words import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Row", "gate_scan_plot", "purity_rows", "steady_dip_plot"]


@dataclass(frozen=True)
class Row:
    """One row of the table: what, its value with error, how it was had."""

    name: str
    value: str
    how: str


def steady_dip_plot(found: ContinuousG2) -> Plot:
    """Coincidences of steady light, as g2 over the plateau, with the fit."""
    pairs = found.coincidences
    unrelated = pairs.photons[0] * pairs.photons[1] * pairs.width_ns / (pairs.duration_s * 1e9)
    level = unrelated * found.plateau
    slow = max(found.rise_ns, found.bunching_ns or 0.0)
    shown = np.abs(pairs.tau_ns - found.offset_ns) <= max(8 * slow, 20 * pairs.width_ns)

    def draw(axis: Axes) -> None:
        tau = pairs.tau_ns[shown]
        axis.step(tau, pairs.counts[shown] / level, where="mid", color=GREY, lw=0.6)
        axis.plot(tau, found.model_counts[shown] / level, color=ORANGE, lw=1.2)
        axis.axhline(1.0, color=BLUE, lw=0.6, ls=":")
        axis.set(xlabel="delay between detectors (ns)", ylabel="g2 over its plateau", ylim=(0, None))

    error = "" if found.sigma is None else f" ± {found.sigma:.3f}"
    said = f"All pairs (grey) and the fit (orange, {found.model}): g2(0) {found.corrected:.3f}{error}"
    said += f", time constant {found.rise_ns:.3g} ns"
    if found.bunching is not None and found.bunching_ns is not None:
        said += f", bunching {found.bunching:.3g} over {found.bunching_ns:.3g} ns"
    return make_plot("g2", "Coincidences of steady light", said + ", dark counts taken off g2(0).", draw)


def gate_scan_plot(found: Purity) -> Plot:
    """g2(0) against the start of a gate."""

    def draw(axis: Axes) -> None:
        start = np.array([one.from_ns for one in found.scan])
        value = np.array([one.g2.corrected for one in found.scan])
        low = np.array([one.g2.low95 for one in found.scan])
        high = np.array([one.g2.high95 for one in found.scan])
        axis.vlines(start, low, high, color=BLUE, lw=1.0)
        axis.plot(start, value, "o", ms=3, color=BLUE)
        line = np.linspace(start[0], start[-1], 200)
        expected = found.cascade(line)
        if expected is not None:
            axis.plot(line, expected, color=ORANGE, lw=1.0)
        axis.set(
            xlabel="start of the gate (ns after the sync)", ylabel="g2(0)",
            ylim=(min(0.0, 1.1 * float(value.min())), 1.3 * float(max(high[:2].max(), value.max()))),
        )  # fmt: skip

    return make_plot(
        "gate",
        "g2(0) behind a gate",
        "g2(0) of the photons after the start of a gate, with 95 % intervals; the points share photons. It "
        "falls where pairs are cascades of a short biexciton (orange: with the lifetimes found, one of the "
        "exciton), and not where they are of two emitters or background.",
        draw,
    )


def purity_rows(record: dict[str, Any]) -> list[Row]:
    """Rows of a record's dictionary; what it lacks says why."""
    g2, pair, three = record["g2_zero"], record["biexciton"], record["g3_zero"]
    rows = [_row("g2(0)", g2, "corrected", g2.get("method") or "")]
    gated = g2.get("gated")
    if gated and "reason" in gated:
        rows.append(Row("g2(0) in the gate", "–", gated["reason"]))
    elif gated:
        how = f"photons {number(gated['from_ns'], 3)} to {number(gated['to_ns'], 3)} ns after the sync"
        rows.append(_row("g2(0) in the gate", gated, "corrected", how))
    if g2.get("rise_ns") is not None:
        width = g2["sigmas"]["rise_ns"]
        error = "" if width is None else f" ± {width:.2g}"
        rows.append(Row("time constant of the dip", f"{g2['rise_ns']:.4g}{error} ns", g2["model"]))
        if g2["bunching_ns"] is not None:
            rows.append(
                Row("bunching", f"{g2['bunching']:.3g}, {g2['bunching_ns']:.4g} ns", "amplitude and time")
            )
    rows.append(_row("biexciton over exciton yield", pair, "yield_over_exciton", pair.get("method") or ""))
    if pair["yield_over_exciton"] is not None:
        gate = pair["time_gate"]
        how = (
            f"{gate['pairs']} pairs after {gate['from_ns']:.4g} ns ({100 * gate['share_kept']:.0f} %), "
            f"biexciton {gate['lifetime_ns']:.3g} ns"
            if "value" in gate
            else ""
        )
        rows.append(_row("the same behind a gate", gate, "value", how))
    rows.append(_row("g3(0,0)", three, "value", f"{three.get('triples')} triples of one pulse"))
    return rows


def _row(name: str, found: dict[str, Any], key: str, how: str) -> Row:
    if found.get(key) is None:
        return Row(name, "–", str(found.get("reason") or "not known"))
    sigma = found.get("sigma")
    value = f"{found[key]:.3f}" + ("" if sigma is None else f" ± {sigma:.3f}")
    if found.get("low95") is not None and found.get("high95") is not None:
        value += f" ({found['low95']:.3f} to {found['high95']:.3f})"
    return Row(name, value, how)
