# `make demo` and `make test` are all that a fresh machine needs; PYTHON makes the .venv they run in.
PYTHON ?= python3.11
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test large lint types docs bench runtimes replicas wheel clean

demo: .venv/project
	$(BIN)/python examples/demo.py

test: .venv/project docs/play/node_modules
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

# The tests marked large: every variant and every preset, where `test` has one of each class.
large: .venv/project docs/play/node_modules
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --large -m large

lint: .venv/project
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/codespell tfgen zoo tests benchmarks docs examples *.md

# Pyright's own checks, of a build that needs no Node.
types: .venv/project
	$(BIN)/basedpyright

# The site, build/docs/index.html: complete offline, and a warning is an error.
docs: .venv/project docs/play/node_modules
	$(BIN)/python -m sphinx -b html -W --keep-going -n -q docs build/docs
	@echo "$(CURDIR)/build/docs/index.html"

bench: .venv/project
	$(BIN)/python -m benchmarks

# Every signature of every preset in the oldest TensorFlow that pip offers for Python 3.11.
runtimes:
	$(PYTHON) -m venv --clear build/runtime
	build/runtime/bin/python -m pip install -q 'tensorflow-cpu==2.12.*'
	build/runtime/bin/python zoo/studies/runtimes.py saved_models/*/1

# Replicas on Ray Serve, one of them killed under load.
replicas: .venv/project
	$(BIN)/python -m pip install -q -c requirements.lock '.[ray]'
	$(BIN)/python -m pytest tests/serving/test_ray.py

wheel: .venv/project
	$(BIN)/python -m build --no-isolation

clean:
	rm -rf .venv build dist *.egg-info

# The runtime of the site's page to play on.
docs/play/node_modules: docs/play/package-lock.json
	npm ci --prefix docs/play --ignore-scripts --no-audit --no-fund --silent
	touch $@

# The constraint pins the setuptools that builds the one dependency without a wheel, too.
.venv/requirements: requirements.lock
	$(PYTHON) -m venv --clear .venv
	PIP_CONSTRAINT=$< $(BIN)/python -m pip install -q -r $<
	touch $@

.venv/project: .venv/requirements setup.py pyproject.toml
	$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	touch $@
