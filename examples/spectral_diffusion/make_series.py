r"""Simulate spectra and photons of one blinking nanocrystal with a wandering line, and write both.

    python examples/spectral_diffusion/make_series.py [FOLDER]
    perolux diffusion FOLDER/series.csv --spectrometer-fwhm-ev 4e-4 --out diffusion
    perolux photons FOLDER/dot.parquet --spectra FOLDER/series.csv --spectra-offset-s 2 \
        --spectrometer-fwhm-ev 4e-4 --out dot

Truth: Ornstein-Uhlenbeck, s1 = 0.3 meV, tc = 2 s; Lorentzian of 0.3 meV behind a Gaussian of 0.4 meV; levels
of 1, 40 and 80 thousand photons a second, brighter ones up to 0.4 meV further to the red. The spectra begin
2 s after the photons. All is simulated.
"""

import sys
from pathlib import Path

import numpy as np

from perolux.measured import write_parquet_stream
from perolux.photons.diffusion_simulation import Wander, simulate_series, write_series
from perolux.photons.dwells import Exponential
from perolux.photons.line_profile import LineModel, gaussian_instrument
from perolux.photons.simulate import simulate_stream

EXPOSURE_S, FRAMES, LATE_S = 0.1, 500, 2.0


def main(folder: Path) -> None:
    """Write series.csv and dot.parquet into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(3)
    stream = simulate_stream(
        [(1e3, 3.0), (4e4, 12.0), (8e4, 20.0)], duration_s=60.0, rng=rng, sync_period_ns=200.0,
        dwell=Exponential(1.0),
    ).stream  # fmt: skip
    write_parquet_stream(stream, folder / "dot.parquet")
    time_s = stream.load().macro * stream.macro_tick_ns * 1e-9
    edges = LATE_S + EXPOSURE_S * np.arange(FRAMES + 1)
    rate_cps = np.histogram(time_s, edges)[0] / EXPOSURE_S
    series = simulate_series(
        Wander(spread_ev=3e-4, time_s=2.0), rng, frames=FRAMES, exposure_s=EXPOSURE_S,
        model=LineModel("lorentzian", gaussian_instrument(4e-4)), widths_ev=(1.5e-4,),
        photons=0.005 * rate_cps, shift_ev=-4e-4 * rate_cps / 8e4,
    )  # fmt: skip
    print(write_series(folder / "series.csv", series))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
