# Two commands do all the set-up on a fresh machine: `make demo` and `make test`. Each makes .venv by itself.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
# Tests of a file stay together; each has servers, ports and folders of its own.
PYTEST := $(BIN)/pytest -q -n $(or $(WORKERS),2) --dist loadfile
# Its tests are made from the API's description and share one id, so that it wants one process.
CONTRACT := tests/integration/test_api_contract.py
export GATEHOUSE_MATERIAL ?= $(abspath ../shared/material)

.PHONY: help setup demo check test lint types imports fast bench docs lock clean

help: ## what each target does
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## ?/\1\t/' | expand -t 10

$(STAMP): pyproject.toml requirements/dev.txt scripts/setup.sh
	PYTHON=$(PYTHON) scripts/setup.sh
	@touch $(STAMP)

setup: $(STAMP) ## make .venv with everything but training

demo: $(STAMP) ## the whole path on embedded defaults: video -> MQTT -> hub -> alert -> command centre
	$(BIN)/gatehouse demo $(DEMO)

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

imports: $(STAMP)
	$(BIN)/lint-imports --no-cache

fast: $(STAMP)
	$(PYTEST) tests/unit tests/contract

check: lint types imports fast ## format, lint, strict types, import rules, fast tests

test: check ## everything; installs and starts the servers it needs
	scripts/test_servers.sh
	PYTHON=$(PYTHON) scripts/client_generator.sh
	$(PYTEST) tests/integration tests/e2e --durations=20 --ignore=$(CONTRACT)
	$(BIN)/pytest -q $(CONTRACT)

bench: $(STAMP) ## measure, and write docs/benchmarks.md
	scripts/test_servers.sh
	$(BIN)/gatehouse bench --write docs/benchmarks.md

docs: $(STAMP) ## regenerate what is generated: the message schema and the OpenAPI description
	$(BIN)/python scripts/generate_docs.py

lock: ## pin and hash the requirements anew
	scripts/lock.sh

clean: ## remove the environment and caches
	rm -rf .venv .mypy_cache .ruff_cache build *.egg-info
