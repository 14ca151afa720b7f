# Everything here needs Python 3.11 or later and make, nothing else. `make help` lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --require-virtualenv
# One stamp for each set of packages, renewed when its list changes.
RUN_STAMP := $(VENV)/.requirements
DEV_STAMP := $(VENV)/.requirements-dev

# Left unset, these take the defaults of crm/env/variables.py; set on the command line, they reach it.
export PORT DATA_DIR

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check bench bench-records clean

help:
	@echo "make run     start everything on http://127.0.0.1:8000 (PORT, DATA_DIR); Ctrl-C stops it"
	@echo "make test    run the tests; ARGS=\"-k name\" passes arguments to pytest"
	@echo "make check   formatter, linter, types, import contracts, migrations, deployment, audit"
	@echo "make bench   measure, print a table and write JSON"
	@echo "make bench-records   measure the lists of events and of the audit trail, on a million each"
	@echo "make clean   delete the virtual environment and the leavings of tools; data stays"

run: $(RUN_STAMP)
	@if [ -z "$$DEBUG" ] && ! grep -qs '^[[:space:]]*DEBUG[[:space:]]*=' .env; then \
		export DEBUG=true; fi; exec $(BIN)/python -m crm.serving.run --with-parent

test: $(DEV_STAMP)
ifdef ARGS
	@exec $(BIN)/python -m pytest $(ARGS)
else
	@rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -n auto --cov --cov-report= accounts security staff
	$(BIN)/python -m coverage report --include='security/*,accounts/*,staff/*' --fail-under=95
	$(BIN)/python -m pytest -n auto -m "not live" crm records clients leads tests
	$(BIN)/python -m pytest -m live tests
endif

check: $(DEV_STAMP)
	@$(BIN)/python -m scripts.check

bench: $(DEV_STAMP)
	@exec $(BIN)/python -m benchmarks.run $(ARGS)

bench-records: $(DEV_STAMP)
	@exec $(BIN)/python -m benchmarks.records

clean:
	rm -rf $(VENV) .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache \
		.import_linter_cache .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or later is needed; \"$(PYTHON)\" is: $$($(PYTHON) --version 2>&1 | head -n 1)." \
			"Name another one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(RUN_STAMP): requirements.txt | $(BIN)/python
	$(PIP) install --quiet --no-deps --require-hashes --requirement requirements.txt
	$(PIP) check
	@touch $@

# This list includes everything of requirements.txt, in the same versions.
$(DEV_STAMP): requirements-dev.txt | $(BIN)/python
	$(PIP) install --quiet --no-deps --require-hashes --requirement requirements-dev.txt
	$(PIP) check
	@touch $@ $(RUN_STAMP)
