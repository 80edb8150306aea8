# make run    sets everything up and runs the main job; ASSET and ARGS choose what
# make test   sets everything up and runs the tests
# make peers  sets everything up and puts QuantStats beside it, for the test that compares with it
# make bench  sets everything up, vectorbt and raptorbt included, and measures; ARGS=--write keeps the tables
# make download  sets everything up and fills the cache of live bars; ASSETS and ARGS choose

ASSET ?= ETH
ASSETS ?= BTC,ETH,ALTS
ARGS ?=
PYTHON ?= $(firstword $(foreach name,python3.11 python3.12 python3.13 python3,$(shell command -v $(name) 2>/dev/null)))
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.bench-ready
PEERS_READY := $(VENV)/peers/.ready

# compiled code is kept: the tests start many commands of a second each
test: export PYTHONDONTWRITEBYTECODE :=

.PHONY: run download test check peers bench clean

run: $(READY)
	$(BIN)/python -m backtests.run --asset $(ASSET) $(ARGS)

download: $(READY)
	$(BIN)/python -m feeds.download --assets $(ASSETS) $(ARGS)

# one worker more than two processors, because browsers and commands are waited for
test: $(READY)
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --config setup.cfg --no-logo

peers: $(PEERS_READY)

bench: $(BENCH_READY)
	$(BIN)/python -m benchmarks.engine
	$(BIN)/python -m benchmarks.basket
	$(BIN)/python -m benchmarks.commands $(ARGS)
	$(BIN)/python -m benchmarks.cache
	$(BIN)/python -m benchmarks.twin $(ARGS)
	$(BIN)/python -m benchmarks.sweep $(ARGS)
	$(BIN)/python -m benchmarks.work $(ARGS)
	$(BIN)/python -m benchmarks.cluster
	$(BIN)/python -m benchmarks.rows $(ARGS)

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis build *.egg-info

# Stamped last, so that an interrupted set-up is started again.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info < (3, 14), "Python 3.11 to 3.13 is needed"'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,sweep]'
	touch $@

# The peers are heavy and nothing but benchmarks needs them.
$(BENCH_READY): $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev,sweep,bench]'
	touch $@

# Apart from all else, so that nothing can come to need them.
$(PEERS_READY): tests/peers.txt $(READY)
	rm -rf $(@D)
	$(BIN)/python -m pip install --quiet --no-deps --target $(@D) --requirement $<
	touch $@
