# `make demo` and `make test` each work alone in a fresh clone: they need Python 3.11 or newer, and the network of pip.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
JOBS ?= 3  # tests side by side; most of them wait for processes that they start

# Where it is set, each of hundreds of processes would compile every module again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup demo check test format lock clean

help:
	@echo "make demo    set up, then run the nightly job over the bundled newsroom into demo-data/"
	@echo "make test    set up, then lint, type-check and run all the tests"
	@echo "make check   lint and type-check only"
	@echo "make format  format and fix what can be fixed"
	@echo "make lock    pin the dependencies anew (needs uv)"

# The locks are whole, so pip need not resolve (the one of Python 3.11 stumbles over extras when it does).
# The stamps hold an environment to the lock that made it; a changed lock makes it anew.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Nightdesk needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.lock pyproject.toml | $(BIN)/python
	@echo "setting up $(VENV) (once, about a minute) …"
	@$(PIP) install --no-deps --require-hashes -r requirements.lock
	@$(PIP) install --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "setting up the test tools …"
	@$(PIP) install --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.run

demo: $(VENV)/.run
	@$(BIN)/nightdesk demo

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder $(TESTS)

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock:
	$(COMPILE) pyproject.toml --group build --output-file requirements.lock
	$(COMPILE) pyproject.toml --group build --group dev --constraints requirements.lock --output-file requirements-dev.lock

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
