# `make demo` and `make test` set everything up themselves: a virtual environment, the packages, then the run.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin

.PHONY: demo test test-full test-slow setup

demo: $(VENV)/.complete
	$(BIN)/python mergan.py --dataset digits --tasks 3 --RA --RA_factor 1e-3 --result_path demo
	$(BIN)/python mergan.py --dataset digits --tasks 3 --test --result_path result/demo
	@echo
	@echo "Look at: result/demo/samples (grids), result/demo/*.jpg (curves), result/demo/metrics.json (accuracies)"

# One thread in each of two processes (tests/conftest.py). Every tier leaves out the others: tests/README.md.
# worksteal: neighbours, which share what a module makes, mostly stay in one process.
TESTS = $(BIN)/python -m pytest -q -n 2 --dist worksteal tests -m

test: $(VENV)/.complete
	$(TESTS) "not full and not slow"

test-full: $(VENV)/.complete
	$(TESTS) "full and not slow"

test-slow: $(VENV)/.complete
	$(TESTS) slow

setup: $(VENV)/.complete

$(VENV)/.complete: setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .[test]
	touch $@
