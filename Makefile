# Watchdeck: two commands matter, `make demo` and `make test`.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest

.PHONY: demo venv test check lint format types layers size unit e2e lab bench clean snapshots

demo: .venv/.runtime
	$(BIN)/watchdeck demo

# The pinned environment, byte-compiled so that the console starts fast.
venv: $(STAMP)

.venv/bin/pip:
	./packaging/create-venv "$(PYTHON)"

.venv/.runtime: .venv/bin/pip requirements.txt pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m compileall -q -j 0 .venv/lib engine storage tui widgets || true
	touch $@

$(STAMP): .venv/.runtime requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m compileall -q -j 0 .venv/lib || true
	touch $@

# Everything: system packages the tests need, lint, types, layers, unit and end-to-end tests.
test: $(STAMP)
	./packaging/install-test-tools
	$(MAKE) --no-print-directory lint
	$(PYTEST) -n 3 -m "not e2e and not lab"
	$(PYTEST) -n 2 --dist loadfile -m "e2e and not lab"

check: lint unit

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python packaging/size_gate.py

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

unit: $(STAMP)
	$(PYTEST) -n 3 -m "not e2e and not lab"

e2e: $(STAMP)
	./packaging/install-test-tools
	$(PYTEST) -n 2 --dist loadfile -m "e2e and not lab"

# Slow runs: hung and failing drives, misbehaving cameras, 128 cameras, and a Debian with drive bays in an emulator.
lab: $(STAMP)
	./packaging/install-test-tools
	$(PYTEST) -m lab --timeout 1800

bench: $(STAMP)
	./packaging/install-test-tools
	$(BIN)/python -m tests.bench

snapshots: $(STAMP)
	$(PYTEST) tests/tui --snapshot-update

requirements: $(STAMP)
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile -q --extra build --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --allow-unsafe --strip-extras -o requirements.txt pyproject.toml
	$(BIN)/pip-compile -q --extra build --extra dev --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --allow-unsafe --strip-extras -c requirements.txt -o requirements-dev.txt pyproject.toml

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
