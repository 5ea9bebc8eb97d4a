# Every target sets up .venv from the hashed locks when it is missing. Only Python 3.11, 3.12 or 3.13, pip and make are needed.
PYTHON ?= python3
DEV = $(PYTHON) do.py dev
UV_COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --only-binary :all: --no-strip-extras --custom-compile-command "make lock"
EXTRAS = --extra test --extra dev --extra notebook --extra oracle --extra dask --extra sensitivity

.PHONY: run test bench coverage docs check wheel lock

run:    ## the daily version report for the whole of Great Britain
	$(PYTHON) do.py run daily_version_report

test:   ## every test
	$(PYTHON) do.py test

bench:  ## speed, against SimPy and against the bare kernel; each benchmark checks its answer too
	$(DEV) -m pytest benchmarks -q -s --timeout=0

coverage: ## lines and branches that tests reach, by folder, kernels included: most of an hour
	$(DEV) tools/coverage

docs:   ## write the generated pages anew: docs/data_dictionary.md, docs/traceability.md, docs/transitions.md
	$(DEV) docs/generate.py

check:  ## lint, types and import contracts
	$(DEV) -m ruff check .
	$(DEV) -m mypy
	$(DEV) -c "from importlinter.cli import lint_imports_command as lint; lint()"

wheel:  ## dist/*.whl, with what the locks pin
	$(DEV) -m hatchling build -t wheel

lock:   ## maintainers only: resolve both locks with uv; what is pinned stays unless UPGRADE=--upgrade is given
	$(UV_COMPILE) $(UPGRADE) pyproject.toml -o requirements.lock
	$(UV_COMPILE) $(UPGRADE) $(EXTRAS) -c requirements.lock pyproject.toml -o requirements-dev.lock \
	    $$(sed -nE 's/^([a-z0-9-]+).*==.*/--no-emit-package \1/p' requirements.lock | sort -u)
