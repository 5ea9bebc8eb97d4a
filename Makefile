# Every target sets up .venv from requirements.lock when it is missing. Only Python 3.11 or newer, pip and make are needed.
PYTHON ?= python3
PY = $(PYTHON) do.py python

.PHONY: run test bench docs check lock

run:    ## the daily version report for the whole of Great Britain
	$(PYTHON) do.py run daily_version_report

test:   ## every test
	$(PYTHON) do.py test

bench:  ## speed, against SimPy and against the bare kernel; each benchmark checks its answer too
	$(PY) -m pytest benchmarks -q -s --timeout=0

docs:   ## write the generated pages anew: docs/data_dictionary.md, docs/traceability.md, docs/transitions.md
	$(PY) docs/generate.py

check:  ## lint, types and import contracts
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -c "from importlinter.cli import lint_imports_command as lint; lint()"

lock:   ## maintainers only: resolve requirements.lock anew with uv
	uv pip compile --universal --python-version 3.11 --generate-hashes --only-binary :all: --upgrade \
	    --extra test --extra dev --extra notebook --extra oracle --extra dask --extra sensitivity \
	    --custom-compile-command "make lock" pyproject.toml -o requirements.lock
