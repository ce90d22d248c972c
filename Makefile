# Everything runs in .venv beside this file; `make clean` removes it.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/installed

# Further arguments for pytest, e.g. `make test PYTEST_ARGS='-k affinity'`.
PYTEST_ARGS ?=
# More than four workers start slower than they help.
PARALLEL := -n auto --maxprocesses 4 --dist loadgroup

.DEFAULT_GOAL := help
.PHONY: help demo check lint types test test-thorough kernel-soak bench mutation edits setup clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(INSTALLED) ## check a healthy cluster and one whose nodes lag behind, both recorded
	$(BIN)/svcproof check examples/healthy
	@echo
	@echo '$(BIN)/svcproof check examples/stale-pod'
	@status=0; $(BIN)/svcproof check examples/stale-pod || status=$$?; \
	echo; echo "exit status $$status (1 says that a node differs, which is right for this example)"; \
	test $$status -eq 1

check: lint types test ## all that CI does: lint, types, tests with doctests

lint: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(INSTALLED)
	$(BIN)/mypy

test: $(INSTALLED) ## the tests and doctests; what needs root or a missing tool is skipped by name
	$(BIN)/pytest $(PARALLEL) $(PYTEST_ARGS)

test-thorough: $(INSTALLED) ## the tests that look for minutes, and all others with many more drawn examples
	HYPOTHESIS_PROFILE=thorough $(BIN)/pytest $(PARALLEL) -m "thorough or not thorough" $(PYTEST_ARGS)

kernel-soak: $(INSTALLED) ## as root: a hundred times as many drawn rule sets asked of the kernel, others each time
	HYPOTHESIS_PROFILE=dev SVCPROOF_KERNEL_RULE_SETS=16000 $(BIN)/pytest $(PARALLEL) -m kernel tests/kernel/test_drawn.py

# Without the settings that skip benchmarks elsewhere, and without workers, which would share the cores.
bench: $(INSTALLED) ## the benchmarks
	$(BIN)/pytest benchmarks -o addopts=--import-mode=importlib -o python_files='bench_*.py test_*.py' \
		--benchmark-only $(PYTEST_ARGS)

# MODULE=model/forwarding.py for some modules, all of model/ without; SAMPLE=20 for so many of each at most.
mutation: $(INSTALLED) ## put faults into model/ and see which no test notices; one core, an hour without MODULE
	nice -n 10 $(BIN)/python -m mutation $(MODULE) $(if $(SAMPLE),--sample $(SAMPLE))

# EDITS_ARGS='--most 20 --no-write' for a part.
edits: $(INSTALLED) ## change single lines of right dumps and see what check says of each; half an hour
	nice -n 10 $(BIN)/python -m mutation.edits $(EDITS_ARGS)

setup: $(INSTALLED) ## make .venv and install the project with what its development needs

$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("svcproof needs Python 3.11 or newer: set PYTHON=..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

clean: ## remove .venv and every cache
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
