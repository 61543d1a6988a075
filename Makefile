# Everything a newcomer needs: `make demo` and `make test`. Each target makes the environment it needs in .venv.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
JOBS ?= 2
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
# Compiled modules are kept, whatever the shell says: each of hundreds of programs would compile them anew.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help demo test suite quick long lint docs bench fuzz clean

help:
	@echo "make demo   set up, characterise the shipped spectra, print where the report lies"
	@echo "make quick  fast tests (under 90 s)      make test  lint, types, whole suite (under 15 min)"
	@echo "make long   fuzzing at length, coverage studies     make fuzz  coverage-guided fuzzing of the readers"
	@echo "make docs   the pages, in docs/_build/html          make bench benchmarks against the peers"

.venv/pyvenv.cfg:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "perolux needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv

.venv/.base: .venv/pyvenv.cfg pyproject.toml constraints.txt
	$(PIP) install -q -c constraints.txt -e .
	@touch $@

.venv/.test: .venv/.base
	$(PIP) install -q -c constraints.txt -e ".[test]"
	@touch $@

.venv/.docs: .venv/.base
	$(PIP) install -q -c constraints.txt -e ".[docs]"
	@touch $@

.venv/.bench: .venv/.base
	$(PIP) install -q -c constraints.txt -e ".[bench]"
	@touch $@

.venv/.fuzz: .venv/.base
	$(PIP) install -q -c constraints.txt -e ".[fuzz]"
	@touch $@

demo: .venv/.base
	$(BIN)/perolux demo

quick: .venv/.test
	$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal -m "not slow and not long"

# The types take a minute of one core: the suite does not wait for them.
test: .venv/.test
	$(MAKE) -j 2 lint suite

suite: .venv/.test
	$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal -m "not long"

long: .venv/.test
	$(BIN)/python -m pytest -q -n $(JOBS) --dist worksteal -m "long"

lint: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

docs: .venv/.docs
	$(BIN)/python docs/generate.py
	$(BIN)/sphinx-build -q -W -b html docs docs/_build/html
	@echo "the pages: docs/_build/html/index.html"

bench: .venv/.bench
	$(BIN)/perolux bench

fuzz: .venv/.fuzz
	$(BIN)/python tools/fuzz_readers.py

clean:
	rm -rf .venv docs/_build build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
