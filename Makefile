# One way to run things. Every target sets up what it needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= 2
WEB := $(filter-out web/node_modules,$(wildcard web/*.* web/src/* web/src/*/*))

.PHONY: setup run test check fuzz docs format dist bench clean
setup: $(VENV)/.done $(VENV)/.web

$(VENV)/.done: requirements/dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "FKS Master needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	! $(BIN)/python hatch_build.py needs-node \
	  || $(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/node.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/.web: $(VENV)/.done $(WEB)
	$(BIN)/python hatch_build.py build
	touch $@

$(VENV)/.docs: $(VENV)/.done requirements/docs.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/docs.txt
	touch $@

run: setup
	$(BIN)/fks_master demo

docs: setup $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

check: setup docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python hatch_build.py check

test: check
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --cov --cov-report=term-missing:skip-covered

fuzz: setup
	FKS_FUZZ_EXAMPLES=20000 $(BIN)/pytest --timeout=0 tests/security/test_s13_fuzz.py

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

dist: setup
	$(BIN)/python -m release.build dist

bench: setup
	$(BIN)/python -m bench.checks
	$(BIN)/python -m bench.serving
	$(BIN)/python -m bench.jobs
	$(BIN)/python -m bench.docker
	$(BIN)/python -m bench.history
	$(BIN)/python -m bench.dashboard
	$(BIN)/python -m bench.tracing
	$(BIN)/python -m bench.alerts

soak: setup
	FKS_SOAK_KILLS=50 $(BIN)/pytest tests/faults/test_r2_random_kills.py
	$(BIN)/python -m bench.dashboard 60

clean:
	rm -rf $(VENV) web/node_modules src/fks_master/api/static/app .coverage .mypy_cache .pytest_cache .ruff_cache .import_linter_cache dist build
