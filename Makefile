# Understudy's commands. The first use of each installs what it needs into .venv; later uses start at once.

VENV := .venv
ifeq ($(OS),Windows_NT)
PYTHON ?= python
BIN := $(VENV)/Scripts
PY := $(BIN)/python.exe
else
PYTHON ?= python3
BIN := $(VENV)/bin
PY := $(BIN)/python
endif
PIP := $(PY) -m pip --disable-pip-version-check
SERVE := $(VENV)/.serve-installed
DEV := $(VENV)/.dev-installed
BENCH := $(VENV)/.bench-installed

.PHONY: help run chat train test coverage soak bench bench-bot check format lock messages pictures install install-dev clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

run: install ## talk to the character: on Telegram with TELEGRAM_BOT_TOKEN set, else on a page of this machine
	@$(PY) -m bot

chat: install ## talk to the character in the terminal, or answer piped lines
	@$(PY) -m bot chat

train: install-dev ## train Lisa anew from the demo script, by the recipe that she ships with
	@$(PY) -m data_prep data_prep/demo/springfield_script_lines.csv --character "Lisa Simpson" --out var/lisa
	@$(PY) -m model train --examples var/lisa --persona lisa --card model/personas/lisa/persona.toml \
	  --epochs 2 --learning-rate 2e-3 --validation-limit 160 --eval-every 125

test: install-dev ## the whole test suite, in as many processes as there are cores
	@$(PY) -m pytest -n auto --dist worksteal

coverage: install-dev ## the same, with what of the code it runs; takes half as long again
	@$(PY) -m pytest --cov -n auto --dist worksteal

soak: install-dev ## kill it a hundred times, then keep it busy for MINUTES=10; writes docs/results/reliability.md
	@$(PY) -m benchmarks.reliability --minutes $(or $(MINUTES),10) --kills $(or $(KILLS),100)

bench-bot: install-dev ## what the bot itself costs, messages a second, start and memory; writes docs/results/overhead.md
	@$(PY) -m benchmarks.overhead

bench: $(BENCH) ## how quick the engines are, side by side (15 minutes; QUICK=1: a first look); writes docs/results/speed.md
	@$(PY) -m model bench $(if $(QUICK),--quick)

check: install-dev ## lint, formatting and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: install-dev ## mend lint and formatting where that can be done by machine
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

lock: install-dev ## resolve the serving set again, with hashes, for every platform
	@$(BIN)/uv pip compile pyproject.toml --universal --generate-hashes --python-version 3.11 \
	  --upgrade --quiet --custom-compile-command "make lock" --output-file requirements.lock

messages: install-dev ## compile the interface's translations
	@$(BIN)/pybabel --quiet compile --directory bot/locales --domain bot

pictures: install-dev ## take the README's pictures of the page again
	@PICTURES=$(CURDIR)/docs/images $(PY) -m pytest -q tests/e2e/test_pictures.py

install: $(SERVE) ## the small set that serving needs

install-dev: $(DEV) ## what training and the tests need, too

clean: ## remove what was installed (never your data in var/)
	rm -rf $(VENV)

# What these steps print goes to standard error: `make -s chat` may stand in a pipe.
$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "error: Python 3.11 or newer is needed; choose it with make PYTHON=...")'
	@$(PYTHON) -m venv $(VENV) 1>&2 || { rm -rf $(VENV); exit 1; }

$(SERVE): requirements.lock | $(PY)
	@echo "Installing what serving needs (once; about a minute)" 1>&2
	@$(PIP) install --quiet --require-hashes --requirement requirements.lock 1>&2
	@touch $@

$(DEV): pyproject.toml $(SERVE)
	@echo "Installing what training and tests need (once; some minutes)" 1>&2
	@$(PIP) install --quiet '.[train,dev]' 1>&2
	@$(PY) -c 'from model.zoo import base_folder; base_folder("smollm2-135m")' 1>&2
	@command -v chromium > /dev/null || command -v chromium-browser > /dev/null || command -v google-chrome > /dev/null \
	  || { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } 1>&2 \
	  || $(BIN)/playwright install chromium 1>&2
	@touch $@

$(BENCH): pyproject.toml $(DEV)
	@echo "Installing the engines to compare with (once; a minute)" 1>&2
	@$(PIP) install --quiet '.[train,dev,bench]' 1>&2
	@touch $@
