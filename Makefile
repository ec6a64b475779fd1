# One door for people and for CI: `make help` lists what there is. Everything happens in .venv inside this folder.

# The first Python on the PATH that mlspec runs on.
PYTHON ?= $(shell for name in python3.11 python3.12 python3; do \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' 2>/dev/null && echo $$name && break; done)
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# The driver of MariaDB is built from source: only where its headers are (Debian: libmariadb-dev, gcc, python3-dev).
EXTRAS := dev$(shell command -v mariadb_config >/dev/null && echo ,mysql)
XLA    := .venv-xla
JOBS   ?= 2
MINUTES ?= 5
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist worksteal -q

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo test test-all test-gpu test-xla fuzz check format bench constraints clean

help:  ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# torch goes first and alone: only with its exact version does pip take the CPU wheel where an index offers one.
$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "mlspec needs Python 3.11 or 3.12; name one: make PYTHON=/path/to/python3.11 install" >&2; exit 3; }
	@echo "making $(VENV) (once; minutes)" >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "torch==$$(sed -n 's/^torch==//p' constraints.txt)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $@

install: $(STAMP)  ## Make .venv and install mlspec with everything that it needs, at the versions of constraints.txt.

demo: $(STAMP)  ## Run examples/breast_cancer from end to end in a scratch copy.
	@scripts/demo $(abspath $(BIN))

test: $(STAMP)  ## Run the tests that are not marked slow.
	$(PYTEST) -m "not slow and not gpu and not xla" $(ARGS)

test-all: $(STAMP)  ## Run every test, the slow ones as well.
	$(PYTEST) -m "not xla" $(ARGS)

test-gpu: $(STAMP)  ## Run the tests that need a CUDA device.
	$(BIN)/python -m pytest -q -m gpu $(ARGS)

# torch-xla follows an older torch, which takes 7 GB: apart, and only for who asks for it.
$(XLA)/.installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "mlspec needs Python 3.11 or 3.12; name one: make PYTHON=/path/to/python3.11 test-xla" >&2; exit 3; }
	@echo "making $(XLA) (once; minutes, 7 GB)" >&2
	@test -x $(XLA)/bin/python || $(PYTHON) -m venv $(XLA)
	@grep -v '^torch==' constraints.txt > $(XLA)/constraints.txt
	@$(XLA)/bin/python -m pip install --quiet --disable-pip-version-check -c $(XLA)/constraints.txt -e '.[tpu]' pytest pytest-timeout hypothesis pandas
	@touch $@

test-xla: $(XLA)/.installed  ## Run the tests of torch-xla on the CPU, in an environment of their own (7 GB).
	PJRT_DEVICE=CPU OMP_NUM_THREADS=1 $(XLA)/bin/python -m pytest -q -m xla tests/engine/training/test_xla.py $(ARGS)

fuzz: $(STAMP)  ## Throw made-up and mutated specs at the language for MINUTES (5), other ones each time.
	@end=$$(( $$(date +%s) + 60 * $(MINUTES) )); rounds=0; \
	while [ $$(date +%s) -lt $$end ]; do \
		MLSPEC_FUZZ=1 $(PYTEST) tests/spec/test_fuzz.py $(ARGS) || exit 1; rounds=$$(( rounds + 1 )); \
	done; echo "$$rounds rounds without a traceback"

check: $(STAMP)  ## Lint, formatting, types, layers.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)  ## Mend what ruff can mend by itself.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)  ## Measure (minutes; wants a quiet machine).
	@status=0; for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || status=1; done; exit $$status

constraints: $(STAMP)  ## Renew constraints.txt from what .venv holds now.
	@{ sed -n '/^#/p' constraints.txt; $(BIN)/python -m pip freeze --exclude-editable --disable-pip-version-check \
		| sed 's/^torch==\([0-9.]*\).*/torch==\1/' | LC_ALL=C sort -f; } > .constraints.new
	@mv .constraints.new constraints.txt

clean:  ## Remove .venv, caches and what builds leave.
	rm -rf $(VENV) $(XLA) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
