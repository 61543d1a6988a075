"""Coverage-guided fuzzing of every reader with atheris: `make fuzz`, or `tools/fuzz_readers.py --help`.

The seeds and the rule are those of tests/measured/fuzz/seeds.py: bytes in, a result or a `PeroluxError` out.
Any other exception stops the run; the input that caused it is kept as a file crash-* in the folder --corpus.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[1]
SEEDS = ROOT / "tests" / "measured" / "fuzz" / "seeds.py"


def main() -> int:
    """Fuzz one reader, or each reader in a process of its own; the exit code is 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reader", help="one reader by name; without it, all of them in turn")
    parser.add_argument("--seconds", type=int, default=60, help="time for each reader (60)")
    parser.add_argument("--corpus", type=Path, default=ROOT / "build" / "fuzz", help="folder of inputs kept")
    options = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: pip install '.[fuzz]'", file=sys.stderr)
        return 2
    if options.reader is not None:
        fuzz(options.reader, options.seconds, options.corpus)
        return 0
    failed = [reader for reader in names() if not passes(reader, options.seconds, options.corpus)]
    print(f"fuzzed {len(names())} readers; failed: {', '.join(failed) or 'none'}")
    return 1 if failed else 0


def passes(reader: str, seconds: int, corpus: Path) -> bool:
    """Fuzz a reader in its own process, which atheris ends; True where nothing was found."""
    command = [
        sys.executable,
        __file__,
        "--reader",
        reader,
        "--seconds",
        str(seconds),
        "--corpus",
        str(corpus),
    ]
    print(f"== {reader}", flush=True)
    return subprocess.run(command, check=False).returncode == 0


def fuzz(reader: str, seconds: int, corpus: Path) -> None:
    """Run libFuzzer on one reader, starting from its seeds."""
    import atheris

    with atheris.instrument_imports(include=["perolux", "jcamp"]):
        seeds = load_seeds()
    if reader not in seeds.READERS:
        raise SystemExit(f"unknown reader {reader!r}; there are {', '.join(seeds.READERS)}")
    folder = corpus / reader
    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds.READERS[reader][1]):
        (folder / f"seed-{number}").write_bytes(seed.encode())
    words = folder.parent / f"{reader}.dict"
    words.write_text("".join(f'"{escaped(token)}"\n' for token in seeds.TOKENS if len(token) < 60))

    def one_input(data: bytes) -> None:
        seeds.attempt(reader, data)

    arguments = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        "-max_len=1500",
        "-timeout=10",
        f"-dict={words}",
        f"-artifact_prefix={corpus}/crash-{reader}-",
        "-print_final_stats=1",
        "-verbosity=0",
        str(folder),
    ]
    atheris.Setup(arguments, one_input)
    atheris.Fuzz()


def escaped(token: bytes) -> str:
    """A token as libFuzzer's dictionaries write it."""
    return "".join(f"\\x{byte:02x}" for byte in token)


def names() -> list[str]:
    """Names of the readers."""
    return list(load_seeds().READERS)


def load_seeds() -> ModuleType:
    """The module of seeds, loaded by its path: tests are no package."""
    spec = importlib.util.spec_from_file_location("reader_seeds", SEEDS)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    raise SystemExit(main())
