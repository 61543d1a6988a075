"""The error tree of perolux: every message says what, where, what is allowed and how to mend it.

A user error is one or more `Problem`s. All problems of one file or one call are gathered and raised
together, so that a recipe with four mistakes answers with four messages at once. The command line prints
them in a few lines and exits with 2; `--json` prints `as_dict()`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = [
    "ConvergenceError",
    "InputError",
    "ModelRangeError",
    "NotAvailableError",
    "OptionError",
    "OutputError",
    "PeroluxError",
    "Problem",
    "was_interrupted",
]


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    what: the fault in one sentence; where: file, line, column, field; allowed: what would be right;
    fix: the one-line remedy.
    """

    what: str
    where: str | None = None
    allowed: str | None = None
    fix: str | None = None

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.allowed:
            lines.append(f"  allowed: {self.allowed}")
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, str | None]:
        """The problem as a plain dictionary with the keys what, where, allowed, fix."""
        return {"what": self.what, "where": self.where, "allowed": self.allowed, "fix": self.fix}


class PeroluxError(Exception):
    """Base of every error that a user can mend. `problems` holds all of them."""

    def __init__(
        self,
        what: str | Problem | Iterable[Problem],
        *,
        where: str | None = None,
        allowed: str | None = None,
        fix: str | None = None,
    ) -> None:
        if isinstance(what, str):
            problems: tuple[Problem, ...] = (Problem(what, where, allowed, fix),)
        elif isinstance(what, Problem):
            problems = (what,)
        else:
            problems = tuple(what)
        if not problems:
            raise ValueError("an error needs at least one problem")
        self.problems = problems
        super().__init__("\n".join(str(p) for p in problems))

    def as_dict(self) -> dict[str, object]:
        """The error as a plain dictionary: type and list of problems."""
        return {"type": type(self).__name__, "problems": [p.as_dict() for p in self.problems]}


class InputError(PeroluxError):
    """A file, table or study that cannot be used as it is."""


class OptionError(PeroluxError):
    """An argument or option of a call that is missing, contradictory or out of its domain."""


class NotAvailableError(PeroluxError):
    """A quantity that nobody has measured, or that this program has no record of."""


class ModelRangeError(PeroluxError):
    """A request outside the validity range that a model or a record states."""


class ConvergenceError(PeroluxError):
    """A solver that did not reach its tolerance; says the last estimate and how to ask for more."""


class OutputError(PeroluxError):
    """A result that could not be written: read-only folder, full disk."""


def was_interrupted(error: BaseException | None) -> bool:
    """True where Ctrl-C is behind an exception: while compiled code is called it comes as a SystemError that
    has it as its cause."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt):
            return True
        error = error.__cause__ or error.__context__
    return False
