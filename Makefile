# `make demo` and `make test` set everything up themselves: a virtual environment, the packages, then the run.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test test-slow setup

demo: $(VENV)/.complete
	$(BIN)/python mergan.py --dataset digits --tasks 3 --RA --RA_factor 1e-3 --result_path demo
	$(BIN)/python mergan.py --dataset digits --tasks 3 --test --result_path result/demo
	@echo
	@echo "Look at: result/demo/samples (grids), result/demo/*.jpg (curves), result/demo/metrics.json (accuracies)"

test: $(VENV)/.complete
	$(BIN)/python -m pytest -q -m "not slow" tests

test-slow: $(VENV)/.complete
	$(BIN)/python -m pytest -q -m slow tests

setup: $(VENV)/.complete

$(VENV)/.complete: setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .[test]
	touch $@
