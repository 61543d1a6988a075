"""Benchmarks of perolux, each against its peer in the same run where one exists.

    python -m benchmarks [ROOM] [--json]

`run` is the whole driver: it finds `bench_<room>.py`, runs its `run()`, and says on which machine and with
which versions. Results are saved as `benchmarks/results.json` and as a table for the documentation.
"""

from benchmarks.driver import ROOMS, run, save

__all__ = ["ROOMS", "run", "save"]
