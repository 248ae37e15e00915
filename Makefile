# Two commands for newcomers: `make demo` and `make test`. Each sets up what it needs in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest

# What two checks say at once is shown one after the other, where this make can (4.0 or newer).
APART := $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)

.PHONY: demo test lint types loaded unit soak bench conform run lock clean

demo: $(VENV)/.ready  ## everything local: no account, no token
	@$(BIN)/threadline demo

test: $(VENV)/.ready-dev  ## lint, import contracts, types, tests, coverage gates
	@$(MAKE) --no-print-directory -j2 $(APART) lint types loaded
	@$(MAKE) --no-print-directory unit

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: $(VENV)/.ready-dev
	$(BIN)/mypy

loaded: $(VENV)/.ready-dev  # compiled once, beside the type check: else each of pytest's processes does it
	@told=$$($(PYTEST) --collect-only -qq 2>&1) || { echo "$$told"; exit 1; }

unit: $(VENV)/.ready-dev
	$(BIN)/coverage erase
	$(PYTEST) -n 4 --dist worksteal --cov --cov-report=
	$(BIN)/coverage report --include='core/*' --fail-under=100
	$(BIN)/coverage report --include='bots/*' --fail-under=95

soak: $(VENV)/.ready-dev  ## under half an hour: crashes at each step, storm, outage, mixed hour; fails at any loss, double or early call
	@$(BIN)/python -m tests.faults.soak

bench: $(VENV)/.ready-dev  ## about 20 minutes: speed, memory and promises beside a bare relay and a plain Bolt app
	@$(BIN)/python -m tests.bench

conform: $(VENV)/.ready-dev  ## what the tests send, and the manifests, against published descriptions: SPECS=FOLDER
	@$(BIN)/python -m tests.conform '$(SPECS)'

run: $(VENV)/.ready
	@$(BIN)/threadline run

lock:  ## renew the pins; needs uv on the PATH. Extras stay in: pip would look for a newer one of those
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras \
	    pyproject.toml --group build -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras \
	    pyproject.toml --group build --group dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo 'Threadline needs Python 3.11 or newer: make PYTHON=/path/to/python3.11'; exit 1; }
	@echo 'Setting up $(VENV) …'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: requirements.lock pyproject.toml | $(BIN)/python
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.ready-dev: requirements-dev.lock $(VENV)/.ready
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@
