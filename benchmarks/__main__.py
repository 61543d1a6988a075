"""`python -m benchmarks [ROOM] [--json]`: run, print, save."""

from __future__ import annotations

import argparse
import json
import sys

from benchmarks.driver import ROOMS, markdown, run, save
from perolux.errors import PeroluxError


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="perolux bench", description=__doc__)
    parser.add_argument("room", nargs="?", help=f"one of {', '.join(ROOMS)}; all where not given")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    try:
        results = run([options.room] if options.room else None)
    except PeroluxError as error:
        if options.json:
            print(json.dumps({"error": error.as_dict()}, indent=2))
        else:
            print(f"perolux: {error}", file=sys.stderr)
        return 2
    saved = save(results)
    if options.json:
        print(json.dumps(results, indent=2, allow_nan=False))
    else:
        print(markdown(results))
        print("saved: " + ", ".join(str(path) for path in saved))
    return 0


if __name__ == "__main__":
    sys.exit(main())
