# A clean machine needs Python 3.11 or newer, make and git on its PATH and nothing else: recipes use
# what /bin/sh has built in, and Python. Everything is installed into this folder, nothing globally.

PYTHON ?= python3

VENV := .venv
RUN := $(VENV)/bin/python
CDK := $(VENV)/bin/node node_modules/aws-cdk/bin/cdk
SYNTH_DIR := cdk.out/check

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export npm_config_cache := $(CURDIR)/$(VENV)/npm-cache
export npm_config_update_notifier := false
export JSII_RUNTIME_PACKAGE_CACHE_ROOT := $(CURDIR)/$(VENV)/jsii-package-cache

# Of what make setup installs, these files are written last.
PYTHON_PACKAGES := $(VENV)/requirements.stamp
NODE_PACKAGES := node_modules/.package-lock.json

.PHONY: help setup deploy-local destroy-local stop-local test test-fast test-e2e check format \
	check-format lint types coverage sweeps synth lock
.DEFAULT_GOAL := help

help: ## List the targets
	@$(PYTHON) -c 'import re; print("\n".join(f"{m[1]:15} {m[2]}" for m in re.finditer(r"(?m)^([a-z0-9-]+):.*?## (.*)", open("Makefile").read())))'

setup: $(PYTHON_PACKAGES) $(NODE_PACKAGES) ## Install the pinned tools into .venv and node_modules

deploy-local: setup ## Deploy the stack to a local AWS on this machine (PORT=... to choose its port)
	@exec $(RUN) -m local_aws $(if $(PORT),--port $(PORT)) deploy

destroy-local: setup ## Destroy that stack, prove that nothing is left, and stop the local AWS
	@exec $(RUN) -m local_aws destroy

stop-local: setup ## Stop the local AWS without destroying first
	@exec $(RUN) -m local_aws stop

test: test-fast test-e2e ## Run all tests

test-fast: setup ## Run the tests that need no AWS, local or otherwise
	$(RUN) -m pytest -n 2 --ignore=tests/e2e

test-e2e: setup ## Run the tests that deploy to a local AWS
	$(RUN) -m pytest -n 3 --dist loadgroup tests/e2e

check: check-format lint types synth coverage sweeps test-e2e ## Run everything that has to be green

check-format: setup
	$(RUN) -m ruff format --check

lint: setup
	$(RUN) -m ruff check

types: setup
	$(RUN) -m mypy

coverage: setup
	$(RUN) -m coverage erase
	$(RUN) -m coverage run -m pytest -n 2 --ignore=tests/e2e -m 'not sweep'
	$(RUN) -m coverage combine --quiet
	$(RUN) -m coverage report

sweeps: setup
	$(RUN) -m pytest -n 2 -m sweep tests/reliability

# W3005: CDK itself makes functions depend on their roles, which it refers to as well.
synth: setup
	CDK_DISABLE_CLI_TELEMETRY=true CDK_DISABLE_VERSION_CHECK=true CDK_NOTICES=false \
	AWS_EC2_METADATA_DISABLED=true $(CDK) synth --quiet --output $(SYNTH_DIR) \
		--context dataset_group_arn=arn:aws:personalize:eu-west-1:111111111111:dataset-group/vod
	$(VENV)/bin/cfn-lint --ignore-checks W3005 -- $(SYNTH_DIR)/*.template.json

format: setup ## Format the code and fix what can be fixed
	$(RUN) -m ruff format
	$(RUN) -m ruff check --fix

lock: setup ## Move the pins to the newest versions that *.in and package.json allow
	$(RUN) -m uv pip compile --universal --python-version 3.11 --generate-hashes --upgrade \
		--no-header --no-emit-index-url --quiet --output-file requirements-dev.txt requirements-dev.in
	$(RUN) -m uv pip compile --universal --python-version 3.11 --generate-hashes --upgrade \
		--no-header --no-emit-index-url --quiet --output-file requirements.txt \
		--constraints requirements-dev.txt requirements.in
	$(VENV)/bin/npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved
	@$(RUN) -c 'import sys; sys.exit("resolved" in open("package-lock.json").read() and "package-lock.json names a registry")'

$(PYTHON_PACKAGES): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, $(PYTHON) is " + sys.version.split()[0] + ": make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(RUN) -c 'import pathlib; pathlib.Path("$@").touch()'

$(NODE_PACKAGES): package.json package-lock.json $(PYTHON_PACKAGES)
	$(VENV)/bin/npm ci --ignore-scripts --no-audit --no-fund
	@$(RUN) -c 'import pathlib; pathlib.Path("$@").touch()'
