# What a clone needs: Python 3.11 or newer, and make. Everything else is installed here.
#
#   make demo    the whole story on this machine, without an account anywhere
#   make test    the tests
#   make check   style, types and layers
#   make bench   figures of this machine; ARGS='--cards 1000000' for more, '--json FILE' as a file
#   make lock    new hash-locked requirements from pyproject.toml (needs uv)
#   make clean   forget everything that was made

VENV   := .venv
PYTHON ?= $(firstword $(foreach name,python3.14 python3.13 python3.12 python3.11 python3 python,\
            $(shell command -v $(name) >/dev/null 2>&1 \
              && $(name) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
                 >/dev/null 2>&1 && echo $(name))))
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --quiet --disable-pip-version-check
LOCKED := $(PIP) install --require-hashes --no-build-isolation --requirement

.PHONY: demo test check bench lock clean
.DELETE_ON_ERROR:

demo: $(VENV)/runtime.stamp
	@$(BIN)/dualwrite demo $(ARGS)

test: $(VENV)/dev.stamp
	@$(BIN)/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(VENV)/dev.stamp
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/dev.stamp
	@$(BIN)/python -m tests.bench $(ARGS)

$(VENV)/created.stamp:
	@test -n "$(PYTHON)" || { \
	  echo "dualwrite needs Python 3.11 or newer with its venv module; none was found." >&2; \
	  echo "Install one (on Debian and Ubuntu: apt install python3 python3-venv)," >&2; \
	  echo "or name it: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# What builds a package is locked too, and comes first: one dependency (sly) is published as
# source only. The project itself is installed last, in place, so that edits count at once.
$(VENV)/runtime.stamp: $(VENV)/created.stamp requirements/runtime.txt requirements/build.txt \
                       pyproject.toml
	@echo "Installing what dualwrite needs (hash-checked)"
	@$(LOCKED) requirements/build.txt
	@$(LOCKED) requirements/runtime.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: $(VENV)/runtime.stamp requirements/dev.txt
	@echo "Installing what its tests need (hash-checked)"
	@$(LOCKED) requirements/dev.txt
	@touch $@

# One resolution for Python 3.11 and everything newer, on every platform. The environment is
# emptied so that nobody's own index, mirror or wheel folder gets into a lock file.
COMPILE := env -i HOME="$(HOME)" PATH="$(PATH)" SSL_CERT_FILE="$(SSL_CERT_FILE)" \
             uv pip compile --quiet --no-config --universal --python-version 3.11 \
             --generate-hashes --no-annotate \
             --custom-compile-command "make lock" $(ARGS)

lock:
	@command -v uv >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/" >&2; exit 1; }
	@$(COMPILE) --extra dev --extra postgresql --output-file requirements/dev.txt pyproject.toml
	@$(COMPILE) --extra postgresql --constraint requirements/dev.txt --output-file requirements/runtime.txt pyproject.toml
	@printf 'hatchling\nsetuptools\n' | $(COMPILE) --constraint requirements/dev.txt --output-file requirements/build.txt -
	@sed -n 's/^sqlserver = \["\(.*\)"\]$$/\1/p' pyproject.toml | $(COMPILE) --constraint requirements/dev.txt --output-file requirements/sqlserver.txt -
	@echo "Locked: requirements/dev.txt, runtime.txt, build.txt and sqlserver.txt"

clean:
	rm -rf $(VENV) build dist .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find connector tests -name __pycache__ -type d -prune -exec rm -rf {} +
