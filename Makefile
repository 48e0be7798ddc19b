# One line each; the same here and in CI. «make help» says what there is.
PYTHON ?= python3.11
BIN := .venv/bin

help:  ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/  /'

setup: .venv/ready  ## make .venv and install the locked dependencies, nothing more

.venv/ready: requirements-dev.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is missing: install python3.11 and its venv module, or say make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

need: setup
	@sh tests/need.sh

demo: setup  ## the gateway, its worker and simulated banks on loopback; Ctrl-C stops it all
	@$(BIN)/thuphi demo

test: setup need  ## every test, on a real PostgreSQL for each of two halves that run side by side
	@$(BIN)/pytest -n 2 --dist worksteal

check: setup  ## lint, format, types, import contracts
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports

bench: setup  ## speed against the same statements in pgbench, and memory; writes bench/results.json
	@$(BIN)/python -m bench && $(BIN)/python -m bench.reconciliation --rivals

proof: setup need  ## the long proofs: every kill point, many seeds; writes docs/proof.md
	@bash tests/proof.sh

.PHONY: help setup demo need test check bench proof
