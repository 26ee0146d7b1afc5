# `make run` and `make test` need Python >= 3.11 and make; everything else they set up themselves.
PYTHON ?= python3
BIN := .venv/bin
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist loadgroup
REQUIREMENTS := requirements requirements-dev $(addsuffix requirements,ops/local/ ops/audit/ ops/fake_chat/) ops/audit/template_requirements ops/deploy/parquet_requirements
SOURCES := app.py chalicelib infra ops tests examples bench

.DEFAULT_GOAL := help
.PHONY: help setup environments run test format format-check lint types unit infra e2e api docs faults screenshots odk drill record-release bench load chats soak cost model package parquet-layer audit template-audit requirements clean
.SUFFIXES:

help: ## Say what each target does
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "make %-14s %s\n", $$1, $$2}'

setup: .venv/.ready .emulator/.ready ## Make the two virtual environments (the other targets do it when needed)

.venv/.ready: requirements.txt requirements-dev.txt ops/deploy/parquet_requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Daftar needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-dev.txt
	$(BIN)/python -m pip install --quiet --require-hashes --requirement ops/deploy/parquet_requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.emulator/.ready: ops/local/requirements.txt | .venv/.ready
	$(BIN)/python -m venv --clear .emulator
	.emulator/bin/python -m pip install --quiet --require-hashes --requirement ops/local/requirements.txt
	@touch $@

.audit/.ready: ops/audit/requirements.txt | .venv/.ready
	$(BIN)/python -m venv --clear .audit
	.audit/bin/python -m pip install --quiet --require-hashes --requirement ops/audit/requirements.txt
	@touch $@

.checkov/.ready: ops/audit/template_requirements.txt | .venv/.ready
	$(BIN)/python -m venv --clear .checkov
	.checkov/bin/python -m pip install --quiet --require-hashes --requirement ops/audit/template_requirements.txt
	@touch $@

# aiogram and pywa judge the fake chat and our calls; aiogram wants an older pydantic than ours.
.bots/.ready: ops/fake_chat/requirements.txt | .venv/.ready
	$(BIN)/python -m venv --clear .bots
	.bots/bin/python -m pip install --quiet --require-hashes --requirement ops/fake_chat/requirements.txt
	@touch $@

# For the TypeScript client that the tests generate; without npm or its index, they leave it out.
.node/.ready: examples/clients/package.json
	@if command -v npm >/dev/null; then rm -rf .node && mkdir .node && cp $< .node && \
	npm install --prefix .node --no-package-lock --ignore-scripts --no-audit --no-fund --silent && touch $@ || \
	echo "npm could not install: the test of the TypeScript client is skipped" >&2; fi

run: setup ## Start the whole stack here, send it the example market day, show what came of it; Ctrl-C stops it
	@$(BIN)/daftar run

# Four environments at a time: each waits for the index more than it works.
environments: .venv/.ready
	@$(MAKE) --no-print-directory --jobs 4 .emulator/.ready .audit/.ready .bots/.ready .checkov/.ready .node/.ready

test: environments format-check lint types ## The whole gate: format, lint, types, every test
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE)

format: .venv/.ready ## Rewrite the sources in the one format
	@$(BIN)/ruff format $(wildcard $(SOURCES))
	@$(BIN)/ruff check --fix-only --select I $(wildcard $(SOURCES))

format-check: .venv/.ready
	@$(BIN)/ruff format --check $(wildcard $(SOURCES))

lint: .venv/.ready ## ruff
	@$(BIN)/ruff check $(wildcard $(SOURCES))

types: .venv/.ready ## mypy, strict
	@$(BIN)/mypy

unit: .venv/.ready .audit/.ready .bots/.ready .checkov/.ready ## Every test that needs no running stack
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not e2e"

infra: .venv/.ready .checkov/.ready ## cfn-lint, checkov and our own assertions on the packaged template
	@$(BIN)/python -m pytest tests/infra

e2e: setup .node/.ready ## The packaged stack in the embedded AWS, end to end
	@$(BIN)/python -m pytest -m e2e

api: .venv/.ready ## Write chalicelib/http/openapi.json, and the page of GET /docs for local use
	@$(BIN)/python -m ops.openapi

docs: .venv/.ready ## Write the generated parts of docs/operating.md, docs/commands.md and infra/README.md
	@$(BIN)/python -m ops.docs

package: .venv/.ready ## The zip and the template that would be deployed, in dist/ (STAGE=local|dev|prod)
	@$(BIN)/python -m ops.deploy.packaging --stage $(or $(STAGE),prod) dist/$(or $(STAGE),prod)

parquet-layer: .venv/.ready ## The zip of the layer by which exports are written as Parquet, in dist/ (a stage's ParquetLayer)
	@$(BIN)/python -m ops.deploy.parquet_layer dist/parquet-layer.zip

audit: .venv/.ready .audit/.ready ## What is known against the zip's libraries, their licences, and its SBOM, in dist/ (STAGE=...)
	@$(BIN)/python -m ops.audit --stage $(or $(STAGE),prod) dist/$(or $(STAGE),prod)

template-audit: .venv/.ready .checkov/.ready ## checkov on the template of production: every finding has an answer
	@$(BIN)/python -m ops.audit.template dist/prod

# Downloads every file of every version once, to hash it: some minutes. Versions stay unless their .in file asks for others.
requirements: .audit/.ready ## Write each file of requirements, with hashes, from the .in file beside it
	@for name in $(REQUIREMENTS); do \
	CUSTOM_COMPILE_COMMAND="make requirements" .audit/bin/python -m piptools compile --quiet --generate-hashes --no-annotate --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-options --strip-extras --output-file $$name.txt $$name.in || exit; done

faults: setup ## Inject every fault, and print for each: injected, lost, doubled, recovered after
	@$(BIN)/python -m pytest --quiet --numprocesses 0 tests/faults/test_*.py tests/faults/faults_of_*.py

screenshots: .venv/.ready ## Take the screenshots of docs/screenshots anew, where there are a Chromium and LibreOffice
	@$(BIN)/python -m tests.browser.screenshots
	@DAFTAR_SCREENSHOTS=docs/screenshots/app $(BIN)/python -m pytest -q -n 0 tests/browser/screens
	@DAFTAR_CONSOLE_SCREENSHOTS=docs/screenshots/console $(BIN)/python -m pytest -q -n 0 tests/browser/console

odk: .venv/.ready ## The whole example market day by ODK's own form engine (needs a JDK): two minutes
	@DAFTAR_TEST_WHOLE_MARKET=1 $(BIN)/python -m pytest -n 0 tests/edge/test_odk_market_day.py

drill: setup ## Restore a local stack of its own with 1,000 synthetic workers, and say what was lost and how long it took
	@export DAFTAR_PORT=8420 DAFTAR_LOCAL_DIR=.local/drill; $(BIN)/daftar up --fresh && \
	{ $(BIN)/daftar restore --drill; status=$$?; $(BIN)/daftar down; exit $$status; }

record-release: setup ## Make this commit the release whose code and items later ones must get on with
	@DAFTAR_RECORD_RELEASE=1 $(BIN)/python -m pytest -q -n 0 tests/zip/test_older_release.py -k is_stored

bench: setup ## Measure cold start, warm CPU and zip size against a bare handler
	@$(BIN)/python -m bench

load: setup ## Load a stack: market day, evening sync, broadcast, status checks, managers (LOAD="--vans 5 ..."); half an hour
	@$(BIN)/python -m bench.load $(LOAD)

chats: setup ## Let 200 workers register by Telegram at once, with duplicates, delays, 429 and killed processes (CHATS="--workers 50")
	@$(BIN)/python -m bench.chats $(CHATS)

soak: setup ## Register 100,000 workers in an hour or more, and see whether anything grows (SOAK="--registrations 20000 ...")
	@$(BIN)/python -m bench.soak $(SOAK)

cost: setup ## Print what registrations cost on AWS, by the item of the bill
	@$(BIN)/python -m bench.cost

model: setup ## Print what breaks first at national size, and compare the model with whole days that are counted
	@$(BIN)/python -m bench.model

clean: ## Remove what the tools made; data of the local stack (.local) stays
	rm -rf .venv .emulator .audit .bots .checkov .node dist daftar.egg-info .chalice/deployments .mypy_cache .pytest_cache .ruff_cache .hypothesis
