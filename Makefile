# Two commands matter to a newcomer: `make demo` and `make test`. Both set up what they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
KERNEL_SOURCES := $(wildcard src/kernel/*.cpp src/kernel/*.hpp) CMakeLists.txt pyproject.toml

.DEFAULT_GOAL := help
.PHONY: help demo test test-python lint format docs bench fuzz clean

help: ## Show what can be done
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(VENV)/installed ## Set up, then bank and scan the bundled examples
	$(BIN)/egide demo

test: $(VENV)/tests ## Set up everything the tests need, then run all of them
	./scripts/install-system-packages.sh
	$(MAKE) lint test-python

test-python:
	$(BIN)/python -m pytest -n auto --dist worksteal $(PYTEST_ARGS)

lint: $(VENV)/tests ## Check format, lint, types, module contracts
	$(BIN)/ruff format --check src tests benchmarks scripts
	$(BIN)/ruff check src tests benchmarks scripts
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/tests ## Format and mend what can be mended
	$(BIN)/ruff format src tests benchmarks scripts
	$(BIN)/ruff check --fix src tests benchmarks scripts

docs: $(VENV)/tests ## Write the generated parts of the documentation anew
	$(BIN)/python scripts/write_reference.py

bench: $(VENV)/bench ## Measure against the peers; writes benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks

fuzz: $(VENV)/tests ## Feed the decoders damaged files for ten minutes
	$(BIN)/python -m tests.fuzz 600

# Built anew when the kernel's sources change; Python sources are used in place.
$(VENV)/installed: $(KERNEL_SOURCES) requirements/constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --constraint requirements/constraints.txt --editable .
	@touch $@

$(VENV)/tests: $(VENV)/installed
	$(PIP) install --constraint requirements/constraints.txt --editable '.[test]'
	@touch $@

$(VENV)/bench: $(VENV)/tests
	$(PIP) install --constraint requirements/constraints.txt --editable '.[bench]'
	@touch $@

clean: ## Remove everything that was built or installed here
	rm -rf $(VENV) build dist egide-demo.html .mypy_cache .ruff_cache .pytest_cache .hypothesis
