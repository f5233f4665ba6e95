# Everything is installed into .venv; the data folder is left alone, by `clean` too.
#   make run [PORT=9000] [KEFU_DATA=/some/folder] [KEFU_HOST=0.0.0.0]

BIN := .venv/bin
INSTALL := $(BIN)/pip install --disable-pip-version-check -c constraints.txt

ifeq ($(origin PORT),command line)
export KEFU_PORT := $(PORT)
endif

.PHONY: run test lint audit coverage mutants bench storm hostile kills soak clean
.DELETE_ON_ERROR:

run: .venv/.installed
	$(BIN)/kefu serve --demo

test: .venv/.installed-dev
	@.ci/browser
	$(BIN)/python -m pytest -q -ra -m "models or not models" -n 2 --dist loadfile --no-loadscope-reorder --durations 25

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Known holes in the pinned packages, as PyPI knows them; fails as well for a package that it could not ask about.
audit: .venv/audit/.installed
	.venv/audit/bin/pip-audit --strict --disable-pip --no-deps --progress-spinner off -r constraints.txt

bench: .venv/.installed-bench
	$(BIN)/python -m benchmarks

# 100,000 frames of every bad kind at a real server; minutes.
storm: .venv/.installed-dev
	$(BIN)/python -m tests.web.frame_storm --frames 100000

# Every hostile file through the worker; minutes.
hostile: .venv/.installed-dev
	$(BIN)/python -m tests.knowledge_base.hostile_files

# 300 times kill -9 in the middle of writing; minutes.
kills: .venv/.installed-dev
	$(BIN)/python -m tests.web.kills --kills 300

# An hour of a hundred visitors and three of the staff at a real server with its models.
soak: .venv/.installed-dev
	$(BIN)/python -m tests.web.soak

# How much of the code the tests run, subprocesses included; less than 90 % of the lines fails. Counting slows: a test of
# speed may fail here, so it goes on; whether all tests pass is for `make test` to say.
coverage: .venv/.installed-dev
	@.ci/browser
	$(BIN)/coverage erase
	-$(BIN)/coverage run -m pytest -q -ra -m "models or not models"
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

# Changes what decides, verifies, admits and redacts, a little each time: does a test see it? Minutes.
mutants: .venv/.installed-dev
	$(BIN)/python -m tests.mutants

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* mutants
	find . -name __pycache__ -prune -exec rm -rf {} +

# torch goes first and alone, so that nothing else chooses its build.
.venv/.installed: .venv/.made pyproject.toml constraints.txt
	$(INSTALL) torch
	$(INSTALL) -e .
	@touch $@

.venv/.installed-bench: .venv/.installed
	$(INSTALL) -e ".[bench]"
	@touch $@

.venv/.installed-dev: .venv/.installed
	$(INSTALL) -e ".[dev]"
	@touch $@

# In a venv of its own, so that what it needs does not meet our pins.
.venv/audit/.installed: .venv/.made
	$(BIN)/python -m venv .venv/audit
	.venv/audit/bin/pip install --disable-pip-version-check "pip-audit>=2.10"
	@touch $@

.venv/.made:
	@.ci/venv
	@touch $@
