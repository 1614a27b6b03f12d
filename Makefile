# `make help` lists the targets. Everything happens in .venv; nothing else on the machine is touched.
# Another Python, 3.11 or later: `make setup PYTHON=python3.13`, after `make clean` if there is one.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
# Written last, so an installation that broke off is not taken for a current one.
STAMP := $(VENV)/.current

.DEFAULT_GOAL := help
.PHONY: help setup quickstart test soak clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/:/'

setup: $(STAMP)  ## create .venv and install; does nothing when it is current

# PyTorch goes first and alone, so that no later requirement pulls another build of it.
$(STAMP): pyproject.toml constraints.txt
	@rm -f $@
	@echo "Installing into $(VENV); this takes some minutes the first time."
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[training,test]'
	@touch $@

quickstart: setup  ## from the grammar to a trained, constrained model and its report
	$(BIN)/statelang quickstart

test: setup  ## style, types, the arrow between the folders, and every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest

soak: setup  ## the same properties over many more inputs; prints what was counted
	HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest -m 'soak or not soak' tests examples

clean:  ## remove the environment, the runs and every cache
	rm -rf $(VENV) runs build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .textmate_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
