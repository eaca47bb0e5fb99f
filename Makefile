# The desk's few commands. `make run` is all a newcomer needs.
PORT ?= 8000
N ?= 100000
PY := .venv/bin/python
export PORT N

.PHONY: help run venv check test bench soak shots clean
help:
	@echo "make run     everything, on http://127.0.0.1:$(PORT)    (PORT=9000 make run)"
	@echo "make venv    the virtual environment with every locked package"
	@echo "make check   format, lint, types, imports, migrations, deploy check, translations"
	@echo "make test    make check, then every test"
	@echo "make bench   pages, writes and memory, measured          (N=1000000 make bench)"
	@echo "make soak    what goes to AWS, a thousand times through faults"
	@echo "make shots   the screenshots of the README, from a running desk"

run:
	@bin/venv requirements.lock
	@exec $(PY) manage.py up

venv:
	@bin/venv requirements-dev.lock

check: venv
	@bin/check

test: check
	@bin/test

bench: venv
	@$(PY) manage.py bench --tickets $(N)

shots: venv
	@$(PY) -m tests.browser.shots

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis

# The fault runs of the tests, a thousand times each; prints what was met and counted.
soak: venv
	@RUNS=1000 $(PY) -m pytest -q -n 0 -s tests/awsint/test_exactly_once.py
