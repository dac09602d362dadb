# A clean machine needs Python 3.11 or newer, make and git on its PATH and nothing else: recipes use
# what /bin/sh has built in, and Python. Everything is installed into this folder, nothing globally.

PYTHON ?= python3

VENV := .venv
RUN := $(VENV)/bin/python
CHECKOV := $(VENV)/checkov
BENCH := $(VENV)/bench
OLDEST := $(VENV)/oldest

ASSEMBLIES := $(VENV)/assemblies

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export npm_config_cache := $(CURDIR)/$(VENV)/npm-cache
export UV_CACHE_DIR := $(CURDIR)/$(VENV)/uv-cache
export UV_PYTHON_DOWNLOADS := never

# Many images set it: then each of the many processes compiles the CDK, pytest and our files again.
unexport PYTHONDONTWRITEBYTECODE

# Of what make setup installs, these files are written last.
PYTHON_PACKAGES := $(VENV)/requirements.stamp
NODE_PACKAGES := node_modules/.package-lock.json
CHECKOV_PACKAGES := $(CHECKOV)/requirements.stamp
BENCH_PACKAGES := $(BENCH)/requirements.stamp
OLDEST_PACKAGES := $(OLDEST)/requirements.stamp

INSTALL := $(RUN) -m checks.install

# A version is locked when it is a week old: by then, others have noticed most that are malicious.
# MEND=... names packages whose newest version mends a vulnerability.
LOCK := $(RUN) -m checks.uv pip compile --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-header --no-emit-index-url --quiet --exclude-newer P7D \
	$$(for name in $$MEND; do echo "--exclude-newer-package=$$name=P0D"; done)

# Tests that need nothing but this machine and no local AWS.
FAST := -m pytest -n 2 --ignore=tests/e2e --ignore=tests/live --ignore=tests/oldest

# What covers all code, and no more: to measure it makes a test slower.
COVERS := tests/unit/recommender tests/unit/operations tests/unit/stacks tests/unit/test_promotion.py \
	tests/unit/checks/test_reference.py tests/infrastructure tests/reliability/test_operations.py tests/reliability/test_plan.py

# They wait more than they work.
E2E := $(RUN) -m pytest -n 5 tests/e2e

.PHONY: help setup deploy-local destroy-local stop-local status test test-fast test-e2e test-live \
	test-oldest check check-format lint lint-workflows types coverage scenarios synth static prose reliability soak \
	mutants audit bench picture settings licences format lock
.DEFAULT_GOAL := help

help: ## List the targets
	@$(PYTHON) -m checks.make help

setup: $(PYTHON_PACKAGES) $(NODE_PACKAGES) ## Install the pinned tools into .venv and node_modules

# Recipes read DATA, MEND, PARTS, PORT, REGION and STACK from the environment, to which make exports its
# command line: a value that was put into the text of a recipe could end its quotation.
deploy-local: setup ## Deploy the stack to a local AWS on this machine (PORT=... is its port, DATA=... a folder to train on)
	@exec $(RUN) -m local_aws $${PORT:+--port "$$PORT"} deploy $${DATA:+--data "$$DATA"}

destroy-local: setup ## Destroy that stack, prove that nothing is left, and stop the local AWS
	@exec $(RUN) -m local_aws destroy

stop-local: setup ## Stop the local AWS without destroying first
	@exec $(RUN) -m local_aws stop

status: setup ## Look at the stack: on the local AWS that runs, or in your account (STACK=..., REGION=...)
	@exec $(RUN) $(if $(STACK)$(REGION),,-m local_aws run python) -m operations status \
		$${STACK:+--stack "$$STACK"} $${REGION:+--region "$$REGION"}

test: test-fast ## Run the tests, but for the sweeps and the longest deployments
	$(E2E) -m 'not long'

test-fast: setup ## Run the tests that need no AWS, local or otherwise
	$(RUN) $(FAST) -m 'not sweep'

test-e2e: setup ## Run the tests that deploy to a local AWS
	$(E2E)

test-live: setup ## Run the tests that deploy to your AWS account, and cost money
	$(RUN) -m pytest -s -p no:randomly -o faulthandler_timeout=0 --force-enable-socket tests/live

test-oldest: setup $(OLDEST_PACKAGES) ## Run the tests of the package with the oldest versions that it declares
	OLDEST=$(OLDEST)/bin/python $(RUN) -m pytest tests/oldest

check: check-format lint types prose static coverage scenarios test-e2e ## Run everything that has to be green

check-format: setup
	$(RUN) -m ruff format --check

lint: setup lint-workflows
	$(RUN) -m ruff check

lint-workflows: setup
	$(VENV)/bin/zizmor --offline --quiet --strict-collection .github docs/how-to/promote.yml docs/how-to/deploy.yml \
		.pre-commit-config.yaml

types: setup
	$(RUN) -m mypy

coverage: setup
	$(RUN) -m coverage erase
	$(RUN) -m coverage run -m pytest -n 2 $(COVERS)
	$(RUN) -m coverage combine --quiet
	$(RUN) -m coverage report

scenarios: setup
	$(RUN) -m pytest -n 2 -m 'not (sweep and long)' tests/unit tests/reliability $(COVERS:%=--ignore=%)

synth: setup
	$(RUN) -m checks.assemblies $(ASSEMBLIES)

static: synth $(CHECKOV_PACKAGES) ## Lint the templates and policies, and count what is accepted
	$(RUN) -m checks.static $(ASSEMBLIES)

prose: setup ## Check the language of pages, docstrings and messages
	$(RUN) -m checks.prose

reliability: setup ## Run all scenarios and write docs/internals/reliability.md
	LIFECYCLES=200x30 $(RUN) $(FAST) --reliability-report=docs/internals/reliability.md tests/reliability tests/infrastructure tests/unit/checks tests/unit/recommender

soak: setup ## Go through ten times as many, and longer, random lifecycles of stacks
	LIFECYCLES=soak $(RUN) -m pytest -n 2 -o faulthandler_timeout=7200 tests/reliability/test_random_lifecycles.py tests/reliability/test_foresight.py

mutants: setup ## Change the Lambda's code in many small ways, and see which of them no test notices
	$(RUN) -m checks.mutants

audit: setup ## Ask PyPI and npm for known vulnerabilities of what is pinned; needs the Internet
	$(RUN) -m pip_audit --strict --disable-pip --require-hashes -r requirements-dev.txt
	$(RUN) -m pip_audit --strict --disable-pip --require-hashes -r requirements-checkov.txt
	$(RUN) -m pip_audit --strict --disable-pip --require-hashes -r requirements-bench.txt
	$(RUN) -m pip_audit --strict --disable-pip --require-hashes -r requirements-oldest.txt
	$(VENV)/bin/npm audit

settings: setup ## Write docs/reference/settings.md, outputs.md and the JSON schema of the context
	$(RUN) -m checks.reference

bench: setup $(BENCH_PACKAGES) ## Measure all that docs/internals/benchmarks.md shows, and write it there (PARTS=... measures parts)
	$(RUN) -m benchmarks $$PARTS

picture: setup ## Renew the picture of the local AWS's page in docs; needs Debian's Chromium
	$(RUN) -m checks.picture

licences: setup $(CHECKOV_PACKAGES) $(BENCH_PACKAGES) $(OLDEST_PACKAGES) ## Write docs/internals/dependencies.md, the licences of all dependencies
	$(RUN) -m checks.licences > docs/internals/dependencies.md

format: setup ## Format the code and fix what can be fixed
	$(RUN) -m ruff format
	$(RUN) -m ruff check --fix

lock: setup ## Move the pins to newer versions, each at least a week old (MEND=... names packages whose newest mends a vulnerability)
	$(LOCK) --output-file requirements-dev.txt requirements-dev.in
	$(LOCK) --output-file requirements.txt --constraints requirements-dev.txt requirements.in
	$(LOCK) --output-file requirements-checkov.txt requirements-checkov.in
	$(LOCK) --output-file requirements-bench.txt requirements-bench.in
	$(LOCK) --resolution lowest-direct --output-file requirements-oldest.txt pyproject.toml
	$(VENV)/bin/npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved \
		$$(for name in $$MEND; do echo "--min-release-age-exclude=$$name"; done)
	@$(RUN) -m checks.make unresolved

$(PYTHON_PACKAGES): requirements.txt requirements-dev.txt checks/make.py checks/install.py checks/uv.py
	@$(PYTHON) -m checks.make python
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) requirements-dev.txt
	@$(RUN) -m checks.make jsii-cache
	@$(RUN) -m checks.make touch $@

$(NODE_PACKAGES): package.json package-lock.json $(PYTHON_PACKAGES)
	$(VENV)/bin/npm ci --ignore-scripts --no-audit --no-fund
	@$(RUN) -m checks.make touch $@

$(CHECKOV_PACKAGES): requirements-checkov.txt $(PYTHON_PACKAGES)
	$(RUN) -m venv --clear --without-pip $(CHECKOV)
	$(INSTALL) requirements-checkov.txt $(CHECKOV)/bin/python
	@$(RUN) -m checks.make touch $@

$(OLDEST_PACKAGES): requirements-oldest.txt $(PYTHON_PACKAGES)
	$(RUN) -m venv --clear --without-pip $(OLDEST)
	$(INSTALL) requirements-oldest.txt $(OLDEST)/bin/python
	@$(RUN) -m checks.make touch $@

$(BENCH_PACKAGES): requirements-bench.txt $(PYTHON_PACKAGES)
	$(RUN) -m venv --clear --without-pip $(BENCH)
	$(INSTALL) requirements-bench.txt $(BENCH)/bin/python
	@$(RUN) -m checks.make touch $@
