# Everything starts here. A fresh machine needs Python 3.11 (or later) with pip, and make.

PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name))))
BIN := .venv/bin
# Tests run in so many processes side by side; each starts a Kafka and a PostgreSQL of its own when it needs them.
PROCESSES ?= 2
PYTEST := $(BIN)/python -m pytest -n $(PROCESSES) --dist worksteal
READY_UP := .venv/ready-up
READY_DEV := .venv/ready-dev

.PHONY: up test check style chaos bench lock schemas clean

up: $(READY_UP) ## Kafka, PostgreSQL, the worker and demo traffic; data in .signoff/
	@exec $(BIN)/signoff up --demo

test: $(READY_DEV) ## every test; in containers where an engine answers, else the embedded pair
	$(PYTEST)

check: style ## style, types, architecture and the fast tests: no services
	$(PYTEST) -m "not services and not slow"

style: $(READY_DEV) ## style, types and architecture: seconds
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

chaos: $(READY_DEV) ## faults against real processes, and the verdict: `make chaos SEED=1 CASES=300 FAULTS=30`
	$(BIN)/python -m tests.chaos --seed $(or $(SEED),1) --cases $(or $(CASES),300) --faults $(or $(FAULTS),30)

bench: $(READY_DEV) ## our worker and LangGraph as documented, on one broker and one database
	$(BIN)/python -m benchmarks.round_trips

lock: $(READY_DEV) ## resolve the locks anew; `make lock UPGRADE=--upgrade` for newer versions
	deploy/lock.sh $(UPGRADE)

schemas: $(READY_DEV) ## generate the JSON Schemas from the models
	$(BIN)/python -m schemas.generate

clean: ## delete what these commands made, the data in .signoff/ included
	@if [ -L .signoff/postgres/elsewhere ]; then rm -rf "$$(readlink .signoff/postgres/elsewhere)"; fi
	rm -rf .venv .signoff .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist

$(READY_UP): deploy/up.lock pyproject.toml
	@$(PYTHON) deploy/install.py up && touch $@

$(READY_DEV): requirements.lock pyproject.toml
	@$(PYTHON) deploy/install.py dev && touch $@ $(READY_UP)
