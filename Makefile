# Everything is set up by the first command that needs it; afterwards no network is asked for.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || echo python3)
VENV := .venv
GLUE_VENV := .venv-glue
AUDIT_VENV := .venv-audit
BENCH_VENV := .venv-bench
BIN := $(VENV)/bin
# Tools run as modules: the first line of an installed script can't name an interpreter whose path holds a space.
RUN := $(BIN)/python -m
STACK ?= gluebook
ENDPOINT ?= aws
CHAOS_RUNS ?= 2000
CHAOS_CHAIN_RUNS ?= 30
CHAOS_SEED ?= 1
GRANTS_CHAIN_RUNS ?= 0
BENCH ?=

.PHONY: help setup demo test test-quick chaos mutations bench verify-aws grants kernel lab lint check audit lock build deploy clean

help:            ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

setup: $(VENV)/.ready

# Installs a lock as it is, into a folder's environment: nothing is resolved anew, nothing is left to chance. uv needs a
# third of pip's time; pip is the fallback, for package sources that only pip is configured for.
UV := $(shell grep '^uv==' requirements.lock)
define install
@"$(PYTHON)" -m venv $(1)
@pip() { $(1)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps "$$@"; }; \
  { pip $(UV) && $(1)/bin/python -m uv pip install --quiet --python $(1)/bin/python --no-deps --compile-bytecode -r $(2); } \
  || pip -r $(2)
endef

$(VENV)/.locked: requirements.lock
	@command -v "$(PYTHON)" >/dev/null || { echo "Gluebook needs Python 3.11; say where: make PYTHON=/path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "Gluebook needs Python 3.11, as AWS Glue 5.1 has; $(PYTHON) is another"; exit 1; }
	@echo "Setting up $(VENV); the first time this takes a few minutes"
	$(call install,$(VENV),requirements.lock)
	@touch $@

# The project itself, as a link to this checkout. The build also fetches the wheels that AWS Glue gets, once for a lock.
$(VENV)/.ready: $(VENV)/.locked pyproject.toml
	@$(RUN) pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
	@# Python reads path files in the locale's encoding: relative, it can be read in each, wherever the checkout is.
	@echo ../../../../src > $(VENV)/lib/python3.11/site-packages/_gluebook.pth
	@$(RUN) gluebook build >/dev/null
	@$(RUN) gluebook kernel >/dev/null
	@# Spark's Java starts in half the time with it, and at all without.
	@$(RUN) gluebook.job.class_archive 2>/dev/null || echo "No archive of Spark's classes could be made; sessions start slower"
	@touch $@

demo: setup      ## made-up tickets and logs, all the way on this machine, checked to the row
	@$(RUN) gluebook demo

# The kernel of AWS Glue's own notebooks, unmodified; its dependencies are old, so it lives by itself.
$(GLUE_VENV)/.ready: requirements-glue.lock
	@echo "Setting up $(GLUE_VENV), for tests against the kernel of AWS Glue"
	$(call install,$(GLUE_VENV),requirements-glue.lock)
	@touch $@

test: setup $(GLUE_VENV)/.ready ## everything that is checked, and all tests
	@$(BIN)/python tests/rings.py --check

test-quick: setup ## the tests of seconds, and those that you have changed
	@$(BIN)/python tests/rings.py --quick

# The schedules in memory take minutes, those of the whole chain an hour.
chaos: setup     ## crashes, races, lost and doubled events, real kills: make chaos [CHAOS_RUNS=2000] [CHAOS_CHAIN_RUNS=30] [CHAOS_SEED=1]
	@PYTHONPATH=tests $(RUN) chaos --runs $(CHAOS_RUNS) --seed $(CHAOS_SEED)
	@PYTHONPATH=tests $(RUN) chaos_chain --runs $(CHAOS_CHAIN_RUNS) --seed $(CHAOS_SEED)

mutations: setup ## break each protection on purpose and see which test notices: writes docs/protections.md
	@PYTHONPATH=tests $(RUN) chaos.mutations --write docs/protections.md

grants: setup    ## use every grant of every role, take each away by itself: writes docs/grants.md [GRANTS_CHAIN_RUNS=0]
	@PYTHONPATH=tests $(BIN)/python -m grants --write --chain $(GRANTS_CHAIN_RUNS)

# Each of the others brings what the project has no use for.
$(BENCH_VENV)-%/.ready: requirements-bench-%.lock
	@echo "Setting up $(@D), for the benchmark"
	$(call install,$(@D),$<)
	@touch $@

bench: setup $(BENCH_VENV)-dlt/.ready $(BENCH_VENV)-duckdb/.ready ## Gluebook beside PySpark, pandas, dlt and DuckDB; takes hours: make bench [BENCH="--input mongod --rows 20000 --only ours,duckdb"]
	@$(RUN) bench $(BENCH)

verify-aws: setup ## ask your AWS account what the laptop claims, for less than a dollar: make verify-aws [ENDPOINT=laptop]
	@PYTHONPATH=tests $(RUN) verify_aws --endpoint $(ENDPOINT)

kernel: setup    ## let Jupyter know the project's kernel (make setup has done so already)
	@$(RUN) gluebook kernel

lab: setup       ## JupyterLab with that kernel, AWS on this machine, and made-up files to work on
	@$(RUN) gluebook lab

check: setup     ## style, types, template, notebooks against scripts
	@$(RUN) ruff format --check --quiet .
	@$(RUN) ruff check --quiet .
	@$(RUN) mypy
	@$(BIN)/python -c 'import sys, cfnlint.runner; sys.exit(cfnlint.runner.main())'
	@$(RUN) gluebook lint
	@$(RUN) gluebook export --check
	@test ! -e $(AUDIT_VENV)/.ready || $(MAKE) --no-print-directory audit

lint: check

# checkov pins a boto3 of its own, so it lives by itself. It is large: 300 MB, and more than a minute to set up.
$(AUDIT_VENV)/.ready: requirements-audit.lock
	@echo "Setting up $(AUDIT_VENV), for checkov and parliament; this takes a minute or two"
	$(call install,$(AUDIT_VENV),requirements-audit.lock)
	@touch $@

audit: setup $(AUDIT_VENV)/.ready ## checkov over the template, parliament over its policies; make check does so once it is set up
	@$(AUDIT_VENV)/bin/python -m checkov.main --config-file infra/checkov.yaml --file infra/pipeline.yaml
	@PYTHONPATH=tests $(BIN)/python tests/policies.py build/policies
	@$(AUDIT_VENV)/bin/python $(AUDIT_VENV)/bin/parliament --directory build/policies

build: setup     ## what runs on AWS and on the laptop: package, modules, layer, functions
	@$(RUN) gluebook build

# The real thing: the same two commands that the laptop runs, and the packages uploaded beside what they upload.
deploy: setup    ## to AWS: make deploy BUCKET=my-artefacts [STACK=gluebook] [PARAMETERS="CrawlPolicy=never"]
	@test -n "$(BUCKET)" || { echo "Say which bucket takes the artefacts: make deploy BUCKET=my-artefacts"; exit 1; }
	@set -euo pipefail; \
	built=$$($(RUN) gluebook build --json); \
	of() { echo "$$built" | $(BIN)/python -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$$1"; }; \
	package="s3://$(BUCKET)/$$(of package_key)"; modules="s3://$(BUCKET)/$$(of modules_key)"; \
	$(RUN) awscli s3 cp "$$(of package)" "$$package"; \
	$(RUN) awscli s3 ls "$$modules" >/dev/null || $(RUN) awscli s3 cp "$$(of modules)" "$$modules"; \
	$(RUN) awscli cloudformation package --template-file infra/pipeline.yaml --s3-bucket "$(BUCKET)" \
	  --output-template-file build/packaged.yaml; \
	$(RUN) awscli cloudformation deploy --template-file build/packaged.yaml --stack-name "$(STACK)" \
	  --s3-bucket "$(BUCKET)" --capabilities CAPABILITY_NAMED_IAM --no-fail-on-empty-changeset \
	  --parameter-overrides ArtefactBucket="$(BUCKET)" PackageUri="$$package" PythonModulesUri="$$modules" $(PARAMETERS)

# The kernel of AWS Glue also asks for a whole Jupyter; here it gets what it imports. Tests know how this version behaves.
lock: setup      ## resolve the dependencies anew
	@$(RUN) uv pip compile --quiet --no-header --no-annotate --python-version 3.11 --extra dev pyproject.toml -o requirements.lock
	@# Only what the kernel imports; it asks for much more.
	@{ printf '%s\n' boto3 importlib-metadata ipykernel lazy-importer requests setuptools tabulate \
	  | $(RUN) uv pip compile --quiet --no-header --no-annotate --python-version 3.11 -; echo aws-glue-sessions==1.0.9; } \
	  | LC_ALL=C sort > requirements-glue.lock

clean:           ## forget what was built (not the environment)
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis spark-warehouse
