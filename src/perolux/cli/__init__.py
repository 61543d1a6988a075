"""Floor 5: the command line. Thin: parse, call, show. No physics.

Exit codes: 0 done, 1 a bug of perolux, 2 a user error (the parser's own too), 3 a validation failed,
130 interrupted.
"""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    # The matrices are small: a second thread of linear algebra only waits, and work is shared out above.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from perolux.cli.app import run

        code = run(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        # Ctrl-C while the command line itself is still being loaded.
        code = 130
    sys.exit(code)
