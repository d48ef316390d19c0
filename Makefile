# Two commands do everything from a bare clone: `make bench` and `make test`. Each sets up .venv and the models by
# itself, once.
.DEFAULT_GOAL := help
.PHONY: help bench test test-all gate evidence peers lint models setup lock docs

PYTEST = .venv/bin/python -m pytest

help:
	@echo "make bench   replay Call 61 on the real engines: the criteria table, and a run saved under .benchmarks/"
	@echo "make test    the tests that a change must pass, the criteria in their short form"
	@echo "make test-all   what is too slow for that too: before a milestone (hours)"
	@echo "make gate    is this checkout slower or worse than what it came from? minutes (ci/gate.sh has the exit codes)"
	@echo "make evidence   the figures of docs/METHOD.md, from simulation and from real engines (hours)"
	@echo "make peers   faster-whisper, kokoro-onnx and llama.cpp's benchmark as they come, beside ours (build/peers.md)"
	@echo "make lint    ruff, mypy and mdformat"
	@echo "make models  only pull the models"
	@echo "make docs    the documentation as a site (build/site)"
	@echo "make lock    renew requirements.lock from pyproject.toml"

setup:
	@bash ci/setup.sh

models: setup
	@.venv/bin/voiceperf models pull

bench: models
	.venv/bin/voiceperf bench tests/perf

# unit tests side by side; what runs engines one after the other, because it measures
test: models
	@ci/browser.sh
	$(PYTEST) tests/unit tests/docs -m "not slow" -n 2
	$(PYTEST) tests/models tests/servers tests/package tests/page tests/perf -m "not slow" --durations=20

test-all: models
	@ci/browser.sh
	$(PYTEST) tests/unit tests/docs -m "not slow" -n 2
	$(PYTEST) tests/unit tests/docs -m slow
	$(PYTEST) tests/models tests/servers tests/package tests/page tests/perf tests/guest tests/evidence --durations=20

gate:
	@ci/gate.sh

evidence: models
	$(PYTEST) tests/evidence -s
	.venv/bin/python tests/evidence/gates.py build/gates.jsonl same --repeat 30
	.venv/bin/python tests/evidence/gates.py build/gates.jsonl slower-5 slower-10 --only hearing thinking speaking --repeat 4
	.venv/bin/python tests/evidence/gates.py build/gates.jsonl worse-hearing worse-thinking worse-speaking --repeat 6
	.venv/bin/python tests/evidence/gates.py build/gates.jsonl same --hog
	.venv/bin/python tests/evidence/summary.py build/gates.jsonl
	.venv/bin/python tests/evidence/simulated.py build/gates.jsonl
	.venv/bin/python tests/evidence/saved_runs.py
	.venv/bin/python tests/evidence/end_of_turn.py
	.venv/bin/python tests/evidence/partials.py
	.venv/bin/python tests/evidence/lines.py
	.venv/bin/python tests/evidence/read_aloud.py
	.venv/bin/python tests/evidence/columns.py build/columns first
	sleep 3600
	.venv/bin/python tests/evidence/columns.py build/columns again
	.venv/bin/python tests/evidence/columns.py build/columns slower-10
	.venv/bin/python tests/evidence/columns.py build/columns show

.venv-peers/.ready: tests/peers/requirements.txt tests/peers/pyproject.toml pyproject.toml
	.venv/bin/python -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet -r tests/peers/requirements.txt -e '.[kokoro]' -e tests/peers
	touch $@

peers: models .venv-peers/.ready
	tests/peers/build_program.sh .venv-peers/bin/python .venv-peers/programs llama-bench
	.venv/bin/python tests/peers/measure.py .venv-peers/bin/python .venv-peers/programs/llama-bench build/peers.md

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/mdformat --check $$(git ls-files '*.md' ':!docs/PARAMETERS.md')

# --unsafe-package keeps what ci/setup.sh builds, from requirements-native.lock, out of the lock
lock: setup
	.venv/bin/python -m pip install --quiet pip-tools
	CUSTOM_COMPILE_COMMAND="make lock" .venv/bin/python -m piptools compile --quiet --upgrade --generate-hashes --strip-extras \
	  --extra=whisper --extra=llama --extra=kokoro --extra=hub --extra=openai --extra=dev --unsafe-package=llama-cpp-python --unsafe-package=pywhispercpp --no-emit-index-url --no-emit-find-links \
	  --no-emit-trusted-host --no-emit-options --output-file=requirements.lock pyproject.toml
	sed -i.bak '/^# WARNING/,$$d' requirements.lock && rm requirements.lock.bak

docs: setup
	.venv/bin/mkdocs build --quiet
