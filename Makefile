# Two commands matter to a newcomer: `make demo` and `make test`. Both set up what they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
KERNEL_SOURCES := $(wildcard src/kernel/*.cpp src/kernel/*.hpp) CMakeLists.txt pyproject.toml

# The tests start thousands of short processes: what they import is to be compiled once.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-python lint style types format docs bench fuzz clean

# Each time the kernel is compiled: who wants the tests installs with them from the first.
define install
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --constraint requirements/constraints.txt --editable '$(1)'
endef

help: ## Show what can be done
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(VENV)/installed ## Set up, then bank and scan the bundled examples
	$(BIN)/egide demo

test: $(VENV)/tests ## Set up everything the tests need, then run all of them
	./scripts/install-system-packages.sh
	$(MAKE) style
	$(MAKE) -j2 types test-python

test-python:
	$(BIN)/python -m pytest -n auto --dist worksteal $(PYTEST_ARGS)

lint: style types ## Check format, lint, types, module contracts

style: $(VENV)/tests
	$(BIN)/ruff format --check src tests benchmarks scripts examples
	$(BIN)/ruff check src tests benchmarks scripts examples
	$(BIN)/lint-imports

types: $(VENV)/tests
	$(BIN)/mypy

format: $(VENV)/tests ## Format and mend what can be mended
	$(BIN)/ruff format src tests benchmarks scripts examples
	$(BIN)/ruff check --fix src tests benchmarks scripts examples

docs: $(VENV)/tests ## Write the generated parts of the documentation anew
	$(BIN)/python scripts/write_reference.py

bench: $(VENV)/bench ## Measure against the peers; writes benchmarks/RESULTS.md
	$(BIN)/python -m benchmarks

fuzz: $(VENV)/tests ## Feed the decoders damaged files for ten minutes
	$(BIN)/python -m tests.fuzz 600

# Built anew when the kernel's sources change; Python sources are used in place.
$(VENV)/installed: $(KERNEL_SOURCES) requirements/constraints.txt
	$(call install,.)
	@touch $@

$(VENV)/tests: $(KERNEL_SOURCES) requirements/constraints.txt
	$(call install,.[test])
	@touch $(VENV)/installed $@

$(VENV)/bench: $(VENV)/tests
	$(call install,.[bench])
	@touch $@

clean: ## Remove everything that was built or installed here
	rm -rf $(VENV) build dist egide-demo.html .mypy_cache .ruff_cache .pytest_cache .hypothesis
