# A clean machine needs Python 3.11 or newer, make and git on its PATH and nothing else: recipes use
# what /bin/sh has built in, and Python. Everything is installed into this folder, nothing globally.

PYTHON ?= python3

VENV := .venv
RUN := $(VENV)/bin/python
CDK := $(VENV)/bin/node node_modules/aws-cdk/bin/cdk
CHECKOV := $(VENV)/checkov

# What is synthesised to be checked: a stack by itself, and environments in two regions with a
# pipeline; with the feature flags of cdk.json, but not with the settings that are there to deploy.
ASSEMBLIES := $(VENV)/assemblies
SYNTH := cd $(ASSEMBLIES) && CDK_DISABLE_CLI_TELEMETRY=true CDK_DISABLE_VERSION_CHECK=true \
	CDK_NOTICES=false AWS_EC2_METADATA_DISABLED=true $(addprefix ../../,$(CDK)) \
	synth --quiet --app 'python3 ../../app.py' --output
GROUP = arn:aws:personalize:$(1):dataset-group/vod
ENVIRONMENTS := {"dev":{"dataset_group_arn":"$(call GROUP,eu-west-1:111111111111)"},"prod":{\
	"dataset_group_arn":"$(call GROUP,us-east-1:222222222222)","approval":true,\
	"consumers":["arn:aws:iam::333333333333:role/app"],\
	"log_key_arn":"arn:aws:kms:us-east-1:222222222222:key/11111111-2222-3333-4444-555555555555"}}
PIPELINE := {"connection_arn":"arn:aws:codeconnections:eu-west-1:444444444444:connection/11111111-2222-3333-4444-555555555555",\
	"repository":"example/top-picks","branch":"main","account":"444444444444","region":"eu-west-1"}

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export npm_config_cache := $(CURDIR)/$(VENV)/npm-cache
export npm_config_update_notifier := false
export UV_CACHE_DIR := $(CURDIR)/$(VENV)/uv-cache
export UV_PYTHON_DOWNLOADS := never
export JSII_RUNTIME_PACKAGE_CACHE_ROOT := $(CURDIR)/$(VENV)/jsii-package-cache

# Of what make setup installs, these files are written last.
PYTHON_PACKAGES := $(VENV)/requirements.stamp
NODE_PACKAGES := node_modules/.package-lock.json
CHECKOV_PACKAGES := $(CHECKOV)/requirements.stamp

LOCK := $(RUN) -m uv pip compile --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-header --no-emit-index-url --quiet

# Tests that need nothing but this machine and no local AWS.
FAST := -m pytest -n 2 --ignore=tests/e2e --ignore=tests/live

.PHONY: help setup deploy-local destroy-local stop-local status test test-fast test-e2e test-live check \
	check-format lint types coverage sweeps synth static reliability soak mutants audit bench \
	picture settings licences format lock
.DEFAULT_GOAL := help

help: ## List the targets
	@$(PYTHON) -c 'import re; print("\n".join(f"{m[1]:15} {m[2]}" for m in re.finditer(r"(?m)^([a-z0-9-]+):.*?## (.*)", open("Makefile").read())))'

setup: $(PYTHON_PACKAGES) $(NODE_PACKAGES) ## Install the pinned tools into .venv and node_modules

deploy-local: setup ## Deploy the stack to a local AWS on this machine (PORT=... is its port, DATA=... a folder to train on)
	@exec $(RUN) -m local_aws $(if $(PORT),--port $(PORT)) deploy $(if $(DATA),--data '$(DATA)')

destroy-local: setup ## Destroy that stack, prove that nothing is left, and stop the local AWS
	@exec $(RUN) -m local_aws destroy

stop-local: setup ## Stop the local AWS without destroying first
	@exec $(RUN) -m local_aws stop

status: setup ## Look at the stack: on the local AWS that runs, or in your account (STACK=..., REGION=...)
	@exec $(RUN) $(if $(STACK)$(REGION),,-m local_aws run python) -m operations status \
		$(if $(STACK),--stack '$(STACK)') $(if $(REGION),--region '$(REGION)')

test: test-fast test-e2e ## Run all tests

test-fast: setup ## Run the tests that need no AWS, local or otherwise
	$(RUN) $(FAST)

test-e2e: setup ## Run the tests that deploy to a local AWS
	$(RUN) -m pytest -n 4 tests/e2e

test-live: setup ## Run the tests that deploy to your AWS account, and cost money
	$(RUN) -m pytest -s -p no:randomly --force-enable-socket tests/live

check: check-format lint types static coverage sweeps test-e2e ## Run everything that has to be green

check-format: setup
	$(RUN) -m ruff format --check

lint: setup
	$(RUN) -m ruff check

types: setup
	$(RUN) -m mypy

coverage: setup
	$(RUN) -m coverage erase
	$(RUN) -m coverage run $(FAST) -m 'not sweep'
	$(RUN) -m coverage combine --quiet
	$(RUN) -m coverage report

sweeps: setup
	$(RUN) -m pytest -n 2 -m 'sweep and not long' tests/reliability

synth: setup
	@$(RUN) -c 'import json, pathlib, shutil; folder = pathlib.Path("$(ASSEMBLIES)"); \
	shutil.rmtree(folder, ignore_errors=True); folder.mkdir(); \
	context = json.loads(pathlib.Path("cdk.json").read_text())["context"]; \
	flags = {key: value for key, value in context.items() if key.startswith("@")}; \
	(folder / "cdk.json").write_text(json.dumps({"context": flags}))'
	$(SYNTH) stack --context dataset_group_arn=$(call GROUP,eu-west-1:111111111111)
	$(SYNTH) pipeline --context environments='$(ENVIRONMENTS)' --context pipeline='$(PIPELINE)'

static: synth $(CHECKOV_PACKAGES) ## Lint the templates and policies, and count what is accepted
	$(RUN) -m checks.static $(ASSEMBLIES)

reliability: setup ## Run all scenarios and write docs/reliability.md
	$(RUN) $(FAST) --reliability-report=docs/reliability.md tests/reliability tests/infrastructure tests/unit/checks

soak: setup ## Go through ten times as many, and longer, random lives of stacks
	LIVES=soak $(RUN) -m pytest -n 2 tests/reliability/test_random_lives.py

mutants: setup ## Change the Lambda's code in many small ways, and see which of them no test notices
	$(RUN) -m checks.mutants

audit: setup ## Ask PyPI and npm for known vulnerabilities of what is pinned; needs the Internet
	$(RUN) -m pip_audit --strict --disable-pip --require-hashes -r requirements-dev.txt
	$(RUN) -m pip_audit --strict --disable-pip --require-hashes -r requirements-checkov.txt
	$(VENV)/bin/npm audit

settings: setup ## Write docs/settings.md and docs/context.schema.json
	$(RUN) -m checks.settings_reference

bench: setup ## Measure the rehearsal on a million interactions: time and memory
	$(RUN) -m benchmarks.rehearsal

picture: setup ## Renew the picture of the local AWS's page in docs; needs Debian's Chromium
	$(RUN) -m checks.picture

licences: setup $(CHECKOV_PACKAGES) ## Write docs/dependencies.md, the licences of all dependencies
	$(RUN) -m checks.licences > docs/dependencies.md

format: setup ## Format the code and fix what can be fixed
	$(RUN) -m ruff format
	$(RUN) -m ruff check --fix

lock: setup ## Move the pins to the newest versions that *.in and package.json allow
	$(LOCK) --output-file requirements-dev.txt requirements-dev.in
	$(LOCK) --output-file requirements.txt --constraints requirements-dev.txt requirements.in
	$(LOCK) --output-file requirements-checkov.txt requirements-checkov.in
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

$(CHECKOV_PACKAGES): requirements-checkov.txt $(PYTHON_PACKAGES)
	$(RUN) -m uv venv --quiet --clear --python $(RUN) $(CHECKOV)
	$(RUN) -m uv pip install --quiet --python $(CHECKOV) --require-hashes -r requirements-checkov.txt
	@$(RUN) -c 'import pathlib; pathlib.Path("$@").touch()'
