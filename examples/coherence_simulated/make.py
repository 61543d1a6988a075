"""Makes the simulated examples of interference and PCFS; the same seeds give the same files.

    python make.py tables FOLDER      hom_parallel.csv, hom_orthogonal.csv, hom_both.csv, pcfs_pairs/
    python make.py photons FOLDER     a PCFS set of photon streams, 13 stage positions, some 25 MB

The first are those that lie beside this file. No real emitter is in them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from perolux.measured.stream_parquet import write_parquet_stream
from perolux.photons.hom_histogram import simulate_histogram
from perolux.photons.hom_peaks import Interferometer
from perolux.photons.pcfs import Line, delay_of_path, simulate_position, simulate_record

HOM = dict(
    delay_ns=3.0, lifetime_ns=0.28, blur_ns=0.05, g2_zero=0.05, coincidences=800.0, background=0.6,
    interferometer=Interferometer(0.47, 0.53, 0.5, 0.97),
)  # fmt: skip
VISIBILITY = 0.56
LINE = Line(t2_ps=66.0, diffusion_rad_per_ps=0.02, diffusion_time_s=1e-3)
PATH_MM = np.round(np.linspace(0.0, 36.0, 13), 3)
ZERO_MM = 12.5
CONTRAST, FRINGES_PER_S = 0.95, 4.0
_ABOUT = "Simulated: T2 66 ps (20 micro-eV), diffusion of 0.02 rad/ps within 1 ms. No real emitter."
_TOML = """# A PCFS set. This one is simulated: see make.py beside it.
[set]
{kind}
about = "{about}"
simulated = true

[stage]
fold = 2                  # path difference = 2 x (stage position - zero): a mirror is moved
zero_position_mm = {zero}   # stage position of equal arms

[dither]
range_um = 5.15           # path swept about each position, ten fringes
wavelength_nm = 515.0
period_s = 5.0            # there and back: 4 fringes a second

[interferometer]
contrast = {contrast}           # of the fringes of a laser
"""


def tables(folder: Path) -> None:
    """Histograms of interference and the table of pairs."""
    rng = np.random.default_rng(20)
    edges = np.round(np.arange(-161, 162) * 0.05 - 0.025, 3)[:-1]
    both = [
        simulate_histogram("pulse pair", edges, rng, visibility=v, **HOM).counts for v in (VISIBILITY, 0.0)
    ]
    middle = 0.5 * (edges[1:] + edges[:-1])
    folder.mkdir(parents=True, exist_ok=True)
    head = (
        "# simulated: T1 280 ps, T2 313.6 ps (V 0.56), g2(0) 0.05, R 0.47, T 0.53, contrast 0.97, blur 50 ps"
    )
    for name, columns in (("parallel", both[:1]), ("orthogonal", both[1:]), ("both", both)):
        names = ["parallel", "orthogonal"] if name == "both" else ["counts"]
        lines = [head, ",".join(["delay_ns", *names])]
        lines += [",".join([f"{t:.3f}", *(str(c[k]) for c in columns)]) for k, t in enumerate(middle)]
        (folder / f"hom_{name}.csv").write_text("\n".join(lines) + "\n", "utf-8")
    target = folder / "pcfs_pairs"
    target.mkdir(exist_ok=True)
    record = simulate_record(
        LINE, delay_of_path(PATH_MM), np.geomspace(1e-5, 1e-2, 10), rng, rate_cps=5e3, seconds=10.0,
        contrast=CONTRAST, bunching=1.1, fringes_per_s=FRINGES_PER_S,
    )  # fmt: skip
    lines = ["stage_position_mm,lag_from_s,lag_to_s,pairs,expected"]
    for i, path in enumerate(PATH_MM):
        for k in range(len(record.lag_s)):
            lines.append(
                f"{ZERO_MM + path / 2:.4f},{record.lag_edges_s[k]:.6e},{record.lag_edges_s[k + 1]:.6e},"
                f"{record.pairs[i, k]:.0f},{record.expected[i, k]:.3f}"
            )
    (target / "pairs.csv").write_text("\n".join(lines) + "\n", "utf-8")
    _write_toml(target, 'pairs = "pairs.csv"')


def photons(folder: Path, seconds: float = 20.0, rate_cps: float = 2e4) -> None:
    """A record of photons for each stage position."""
    rng = np.random.default_rng(21)
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["file,stage_position_mm"]
    for k, path in enumerate(PATH_MM):
        stream = simulate_position(
            LINE, float(delay_of_path(path)), rng, rate_cps=rate_cps, seconds=seconds,
            fringes_per_s=FRINGES_PER_S, contrast=CONTRAST, tick_ns=100.0,
        )  # fmt: skip
        name = f"position_{k:02d}.parquet"
        write_parquet_stream(stream, folder / name)
        lines.append(f"{name},{ZERO_MM + path / 2:.4f}")
    (folder / "positions.csv").write_text("\n".join(lines) + "\n", "utf-8")
    _write_toml(folder, 'positions = "positions.csv"')


def _write_toml(folder: Path, kind: str) -> None:
    text = _TOML.format(kind=kind, about=_ABOUT, zero=ZERO_MM, contrast=CONTRAST)
    (folder / "pcfs.toml").write_text(text, "utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("tables", "photons"):
        sys.exit(__doc__)
    {"tables": tables, "photons": photons}[sys.argv[1]](Path(sys.argv[2]))
