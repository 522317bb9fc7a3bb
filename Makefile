# Every target says what it is for: `make help`.
PYTHON ?= python3
# Where the packages live; .ci/run has one for each Python.
VENV ?= .venv
BIN := $(VENV)/bin
SNAPSHOT := tests/snapshots/openapi.yaml
# What to test: make test T=tests/stories
T ?= tests
# Four workers on two cores: tests of whole processes and of browsers wait most of the time. In CI a run names the
# slowest tests; from Python 3.12 on, where the interpreter itself tells which lines it reaches, also what no test
# reached, and fails below the floor in pyproject.toml. Before, counting makes a run almost twice as long.
COUNTED = import sys; print("--cov --cov-report=term:skip-covered" if sys.version_info >= (3, 12) else "")

# Stand-ins for production values, so that `check --deploy` judges the settings and not a developer's
# environment. They open nothing.
STAND_INS := SECRET_KEY=for-checks-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFG \
	JWT_KEY=for-checks-only-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFG \
	ENCRYPTION_KEYS=Zm9yLWNoZWNrcy1vbmx5LTAxMjM0NTY3ODktYWJjZGU=
PRODUCTION_LIKE := DEBUG=false SANDBOX=false $(STAND_INS) \
	ALLOWED_HOSTS=quiz.example.com \
	PUBLIC_URL=https://quiz.example.com \
	BEHIND_PROXY=true SSL_REDIRECT=true HSTS_SECONDS=31536000
# For commands that look at the code only: nothing is started and nothing is asked.
UNCONNECTED := $(PRODUCTION_LIKE) \
	DATABASE_URL=postgres://checks@127.0.0.1:1/checks \
	REDIS_URL=redis://127.0.0.1:1/0

# Every file of every package for all systems and Pythons that we run on, each by its hash; pip checks them.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

# The torture: which run, and for the main one how many answers and which seed.
RUN ?= answers
N ?= 10000
SEED ?= 1

# Compiled files are kept: tests, demo and torture start the same code in dozens of processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test bench torture lint schema messages lock hooks format clean
.DEFAULT_GOAL := help

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(VENV)/.installed  ## make .venv and install what the service needs

$(VENV)/.installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer is needed, $(PYTHON) is something else: make PYTHON=/path/to/python3.11 ..." >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
		echo "$(PYTHON) cannot make a virtual environment: install its venv module (Debian: apt install python3-venv)." >&2; \
		rm -rf $(VENV); exit 1; }
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@touch $@

$(VENV)/.tests-installed: $(VENV)/.installed tests/requirements.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r tests/requirements.lock
	@touch $@

demo: install  ## run everything with local CRMs and post answers (ARGS=--exit: stop after the table)
	@$(BIN)/python manage.py demo $(ARGS)

test: $(VENV)/.tests-installed  ## run the tests (T=path chooses some)
	COVERAGE_CORE=sysmon $(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder \
		$(if $(CI),--durations=50 $$($(BIN)/python -c '$(COUNTED)')) $(T)

bench: $(VENV)/.tests-installed  ## measure on real processes (ARGS="all", "intake", "lists", "drain", "idle", "backlog", "bitrix24", "people", "scale", "bulk")
	@$(STAND_INS) $(BIN)/python -m tests.benchmarks $(ARGS)

torture: $(VENV)/.tests-installed  ## break whatever can break and count what is lost or doubled (N=1000 SEED=7; RUN=tokens, neighbours, alone)
	@$(STAND_INS) $(BIN)/python -m tests.torture $(RUN) $(if $(filter answers,$(RUN)),--answers $(N) --seed $(SEED)) $(ARGS)

lint: $(VENV)/.tests-installed  ## style, types, deployment checks, missing migrations, schema snapshot
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(UNCONNECTED) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(PRODUCTION_LIKE) $(BIN)/python manage.py makemigrations --check --dry-run
	@new=$$(mktemp) && trap 'rm -f "$$new"' EXIT && \
	$(UNCONNECTED) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file "$$new" && \
	{ diff -u $(SNAPSHOT) "$$new" || { echo "The API has changed: run 'make schema' and commit $(SNAPSHOT)." >&2; exit 1; }; }
	$(BIN)/python -m tests.openapi.lint $(SNAPSHOT)

schema: $(VENV)/.tests-installed  ## rewrite the schema snapshot
	@mkdir -p $(dir $(SNAPSHOT))
	$(UNCONNECTED) $(BIN)/python manage.py spectacular --validate --fail-on-warn --file $(SNAPSHOT)

messages: $(VENV)/.tests-installed  ## bring the Russian catalogues up to date and say what they lack
	$(BIN)/python -m tests.catalogues

lock: $(VENV)/.tests-installed  ## write the lock files anew from requirements.txt and tests/requirements.txt
	$(LOCK) requirements.txt --output-file requirements.lock
	$(LOCK) tests/requirements.txt --constraint requirements.lock --output-file tests/requirements.lock

hooks: $(VENV)/.tests-installed  ## let git check every commit (.pre-commit-config.yaml)
	$(BIN)/pre-commit install

format: $(VENV)/.tests-installed  ## format the code and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove .venv, caches and the embedded servers' data (stop running commands first)
	@if [ -e .local/servers/users.lock ] && command -v flock >/dev/null && ! flock -n .local/servers/users.lock true; then \
		echo "A command of this checkout still uses the embedded servers: end it first." >&2; exit 1; fi
	rm -rf $(VENV) .local static .coverage .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
