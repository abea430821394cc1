# make run: everything a newcomer needs. The rest is for those who build.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SITE := $(VENV)/.installed
DEV := $(VENV)/.installed-dev
BENCH := $(VENV)/.installed-bench
AIOGRAM := build/aiogram/.installed

.PHONY: install run test test-crash check bench format clean

install: $(SITE)

run: $(SITE)
	@$(BIN)/xiaoer run

test: $(DEV)
	@$(BIN)/python -W error -m pytest -q -n auto --maxprocesses 4 --dist worksteal --crashes 5

test-crash: $(DEV)
	@$(BIN)/python -W error -m pytest -q -n auto --maxprocesses 4 --dist worksteal -m crash --crashes 50

check: $(DEV)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

bench: $(BENCH) $(AIOGRAM)
	@$(BIN)/python -m benchmarks

format: $(DEV)
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build *.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	  || { echo "小二要 Python 3.11 到 3.13，现在是 $$($(PYTHON) --version)。可以这样指定：make run PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(SITE): $(VENV)/bin/python pyproject.toml constraints.txt
	@echo "正在安装，第一次要几分钟……"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(DEV): $(SITE)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,check]'
	@touch $@

$(BENCH): $(DEV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,check,bench]'
	@touch $@

# It wants an older pydantic than ours, so it is measured in a venv of its own, or left out.
$(AIOGRAM): $(BENCH) benchmarks/contenders/aiogram3.txt
	@$(BIN)/python -m venv $(@D)
	@$(@D)/bin/pip install --quiet --disable-pip-version-check -r benchmarks/contenders/aiogram3.txt \
	  || rm -rf $(@D)/bin
	@touch $@
