# Everything here works on a bare machine with Python 3.11 or newer (with venv) and network access to PyPI and Maven Central.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3; do \
	$$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { command -v $$p; break; }; done)
UV := .venv/tools/bin/uv
RUN := .venv/bin
export UV_PROJECT_ENVIRONMENT := .venv
export UV_PYTHON_DOWNLOADS := never
# A start that compiles every module anew takes more than twice as long: 3.5 instead of 1.5 s of processor.
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE
ARGS ?=

.PHONY: help run up picture test image lint format types bench contracts settings faults torment install jars chromium prometheus pgbouncer metrics clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: install jars ## Start a made-up clinic that lives by itself: console, phones and mail, and what to try
	@$(RUN)/keepwell demo $(ARGS)

up: install jars ## Start an empty clinic on the real clock (ADMIN="Dana Ruiz": who administers it)
	@$(RUN)/keepwell up $(if $(ADMIN),--admin "$(ADMIN)") $(ARGS)

test: install jars chromium prometheus pgbouncer ## Run the tests, the containers too where Docker answers; not those of `make faults` (ARGS="unit kafka" for some)
	@$(RUN)/python -m tests.run $(ARGS)

image: ## Build the container image keepwell:latest (needs Docker alone)
	@docker build --tag keepwell:latest --build-arg PYTHON_IMAGE=$(or $(KEEPWELL_PYTHON_IMAGE),python:3.13-slim) .

lint: install ## Check style, imports and house rules
	@$(RUN)/ruff format --check .
	@$(RUN)/ruff check .
	@$(RUN)/lint-imports
	@$(RUN)/vulture

format: install ## Format the code
	@$(RUN)/ruff format .
	@$(RUN)/ruff check --fix .

types: install ## Check types, strictly
	@$(RUN)/mypy

faults: install jars ## Kill, cut and stall a split deployment and count (MINUTES=60 SEED=7: a longer round)
	@$(if $(MINUTES),$(RUN)/python -m tests.faults --minutes $(MINUTES) --seed $(or $(SEED),7) $(ARGS),$(RUN)/python -m tests.run faults torment $(ARGS))

torment: install jars ## The great one: 200 kills under 20 thousand texts, then three brokers (half an hour; SEED=7)
	@$(RUN)/python -m tests.faults --great --seed $(or $(SEED),7) $(ARGS)
	@$(RUN)/python -m tests.faults --brokers 3 --minutes 2 --patients 120 --pause 1 3 --least-kills 5 --least-texts 100 --most 8 --seed 3

contracts: install ## Write the JSON Schemas, AsyncAPI and OpenAPI documents (RELEASE=1: readers rely on them from now)
	@$(RUN)/python -m keepwell.tools.contracts $(if $(RELEASE),--release)

settings: install ## Write the table of settings into docs/operations.md
	@$(RUN)/python -m keepwell.tools.settings_table

bench: install jars ## Measure: figures beside their bare limits, in one run
	@$(UV) sync --frozen --quiet --inexact --group bench
	@$(RUN)/python -m benchmarks $(ARGS)

install: .venv/installed ## Bring uv and the locked dependencies

.venv/installed: pyproject.toml uv.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed (Debian: apt install python3-venv); or name one: make PYTHON=/path/to/python3.12" >&2; exit 2; }
	@test -x .venv/bin/python || "$(PYTHON)" -m venv .venv
	@test -x $(UV) || { echo "Installing uv"; "$(PYTHON)" -m venv .venv/tools && .venv/tools/bin/pip install --quiet --disable-pip-version-check 'uv>=0.9'; }
	@echo "Installing the locked dependencies"; $(UV) sync --frozen --quiet --inexact
	@touch $@

jars: install ## Bring Kafka's jars, each checked against a committed SHA-256
	@$(RUN)/python -m shared.embedded.jars

picture: install jars chromium ## Make the README's picture anew, from the demonstration as it starts
	@KEEPWELL_PICTURE=docs/images/console.png $(RUN)/python -m pytest tests/browser/test_demonstration.py -q

chromium: install ## Bring a browser for the tests: an installed one, Debian's package, or Playwright's own
	@$(RUN)/python -m tests.support.chromium

prometheus: install ## Bring Prometheus for the tests: an installed one, or Debian's package unpacked in .venv
	@$(RUN)/python -m tests.support.prometheus

pgbouncer: install ## Bring PgBouncer for the tests: an installed one, or Debian's package unpacked in .venv
	@$(RUN)/python -m tests.support.pgbouncer

metrics: install ## Write the table of metrics into docs/metrics.md
	@$(RUN)/python -m keepwell.tools.metrics_table

clean: ## Remove the environment and caches (a clinic's data stays)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
