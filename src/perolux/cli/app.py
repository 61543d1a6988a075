"""The table of commands, and what happens to errors on the way out."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from io import TextIOWrapper

from cyclopts import App, CycloptsError

from perolux import __version__
from perolux.cli.console import BUG, DONE, INTERRUPTED, USER_ERROR, print_error
from perolux.errors import OptionError, OutputError, PeroluxError, was_interrupted

__all__ = ["app", "run"]

_HELP = """A virtual laboratory for lead halide perovskite nanocrystals.

perolux COMMAND --help explains a command; --json gives its result as one JSON document.
"""

app = App(
    name="perolux",
    help=_HELP,
    version=__version__,
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)

# Each command is named by where it lives, and imported only when it is called or asked for its own help.
_COMMANDS = {
    "pl": ("perolux.cli.spectra:pl", "Peak, width, colour and size from photoluminescence spectra."),
    "absorption": (
        "perolux.cli.spectra:absorption",
        "First exciton, slope and scatter of absorption.",
    ),
    "film": ("perolux.cli.film:film", "Absorption of a film of nanocrystals; thickness for an OD."),
    "hom": ("perolux.cli.hom:hom", "Two-photon interference: from T1 and T2, or measured."),
    "invert": ("perolux.cli.invert:invert", "Size distribution or platelets behind one spectrum."),
    "characterise": (
        "perolux.cli.studies:characterise",
        "A folder of spectra with recipes: a report.",
    ),
    "demo": ("perolux.cli.studies:demo", "Characterise the shipped example: 425 real PL spectra."),
    "schema": ("perolux.cli.studies:schema", "JSON Schema of a study, recipe, display or assembly file."),
    "learn": ("perolux.cli.design:learn", "Learn a table of recipes: a surrogate with its errors."),
    "diffusion": ("perolux.cli.diffusion:diffusion", "The wandering line of one nanocrystal."),
    "photons": ("perolux.cli.photons:photons", "A record of single photons: blinking, lifetimes, g2."),
    "pcfs": ("perolux.cli.pcfs:pcfs", "Photon-correlation Fourier spectroscopy: line width, diffusion."),
    "predict": ("perolux.cli.design:predict", "Predict recipes with a learned model."),
    "exciton": ("perolux.cli.exciton:exciton", "The electron-hole pair of one nanocrystal."),
    "fit-growth": ("perolux.cli.fit_growth:fit_growth_command", "Kinetic constants from a series."),
    "decay": ("perolux.cli.decay:decay", "Lifetimes of a recorded decay, by Poisson likelihood."),
    "burst": ("perolux.cli.burst:app", "Collective light of an assembly: superradiant bursts."),
    "gamut": ("perolux.cli.gamut:gamut", "What three primaries cover of a standard, white, lm/W."),
    "display": ("perolux.cli.display:display", "A display from its file: gamut, lm/W, lead, lifetime."),
    "lead": ("perolux.cli.lead:lead", "What a limit of lead leaves of a film."),
    "line": ("perolux.cli.line:line", "Peak and width of the line behind a chromaticity."),
    "slab": ("perolux.cli.slab:slab", "Light in a luminescent film: forward, back, lost."),
    "grow": ("perolux.cli.grow:grow", "From a recipe to a population of nanocrystals."),
    "map": ("perolux.cli.map:map_command", "A recipe over a grid or a sample of its numbers."),
    "explain": ("perolux.cli.sources:explain", "Where a number comes from, and its rivals."),
    "cite": ("perolux.cli.sources:cite", "BibTeX of what a run rests on."),
    "validate": ("perolux.cli.truth:validate", "Published numbers and exact limits, computed again."),
    "bench": ("perolux.cli.truth:bench", "Benchmarks against the peers (in a checkout)."),
}
for _name, (_place, _help) in _COMMANDS.items():
    app.command(_place, name=_name, help=_help)


def run(arguments: list[str]) -> int:
    """Run one command line and return its exit code; no traceback for what a user can mend."""
    as_json = "--json" in arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A console that cannot show a character gets its code, not an error.
            stream.reconfigure(errors="backslashreplace")
    try:
        result = app(arguments, exit_on_error=False, print_error=False)
        sys.stdout.flush()
    except KeyboardInterrupt as stop:
        sys.stderr.write(f"perolux: {str(stop) or 'interrupted'}\n")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe went away (`perolux ... | head`): nothing more to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except CycloptsError as error:
        print_error(OptionError(str(error), fix="see --help of the command"), as_json)
        return USER_ERROR
    except PeroluxError as error:
        print_error(error, as_json)
        return USER_ERROR
    except OSError as error:
        # On standard error in any case: it may be standard output that cannot be written.
        print_error(OutputError(error.strerror or str(error), where=str(error.filename or "")), False)
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return USER_ERROR
    except Exception as error:
        if isinstance(error, SystemError) and was_interrupted(error):
            sys.stderr.write("perolux: interrupted\n")
            return INTERRUPTED
        traceback.print_exc()
        sys.stderr.write(
            f"perolux {__version__}: this is a bug of perolux; please report the lines above "
            "and the command that led to them\n"
        )
        return BUG
    return result if isinstance(result, int) else DONE
