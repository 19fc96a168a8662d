# Each target sets up what it needs from a fresh clone (Debian 12, Python 3.11).
SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test test-all bench lint types setup setup-runtime system clean docs

# One stamp per lock file: a changed lock installs again, an unchanged one costs nothing.
$(VENV)/.runtime: requirements/runtime.txt pyproject.toml
	@bash requirements/setup.sh runtime

$(VENV)/.dev: requirements/dev.txt pyproject.toml
	@bash requirements/setup.sh dev

setup-runtime: $(VENV)/.runtime
setup: $(VENV)/.dev

demo: setup-runtime   ## from nothing to a verified, renewed certificate
	@$(PY) -m server.demo

lint: setup           ## ruff, mypy --strict, import contracts
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/lint-imports && $(VENV)/bin/mypy

test: setup           ## what CI runs
	@bash tests/support/run.sh

test-all: setup
	@bash tests/support/run.sh --all

bench: setup
	@$(PY) -m bench

docs: setup           ## the generated reference
	@$(PY) -m docs.generate

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache demo-data
