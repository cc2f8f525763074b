# make run: everything on this machine.  make test: everything the tests need, then all tests.
PYTHON ?= $(firstword $(foreach name,python3.14 python3.13 python3.12 python3.11 python3,$(shell \
	command -v $(name) >/dev/null 2>&1 && $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
VENV := .venv
BIN := $(VENV)/bin
# What the tests run for real: InfluxDB behind nginx, VictoriaMetrics, PostgreSQL, Chromium, and the agent's peer;
# LibreOffice opens workbooks, Pango lays PDFs out.
DEBIAN := influxdb nginx-light victoria-metrics postgresql chromium prometheus-node-exporter ipmitool openipmi nut-server nut-client snmpd snmp systemd systemd-container debootstrap eatmydata passwd qemu-system-x86 binutils rpm shellcheck libreoffice-calc libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core
WORKERS ?= $(shell nproc)
# Where a machine asks Python to keep no bytecode, each process that a test starts would compile this project again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lint unit benchmarks parts sbom packages interpreter packages-old-glibc wheelhouse clean

run: $(VENV)/.run
	$(BIN)/ictagent up

test: $(VENV)/.dev parts lint unit

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy agent carbon collector dashboards deploy $$(git ls-files 'tests/*.py')
	$(BIN)/lint-imports --no-logo

unit: packages
	$(BIN)/coverage erase
	$(BIN)/pytest -q --doctest-modules agent carbon collector --ignore=collector/database/migrations
	$(BIN)/pytest -n $(WORKERS) --dist worksteal --cov --cov-report=
	$(BIN)/coverage report --skip-covered | tail -60

benchmarks: $(VENV)/.dev
	$(BIN)/python tests/benchmarks/agent_cost.py
	$(BIN)/python tests/benchmarks/ingest.py
	$(BIN)/python tests/benchmarks/month_totals.py
	$(BIN)/python tests/benchmarks/estate_import.py
	$(BIN)/python tests/benchmarks/supplier_file.py
	$(BIN)/python tests/benchmarks/estate_pages.py
	$(BIN)/python tests/benchmarks/power_model_fit.py
	$(BIN)/python tests/benchmarks/snmp_poll.py

sbom: $(VENV)/.dev
	$(BIN)/python deploy/sbom.py --output dist

# What goes in decides whether it is made again; the tests of the packages take what is made here.
packages: $(VENV)/.dev
	$(BIN)/python -m deploy.packages.build --output dist

# A Python compiled for glibc 2.28, with the libraries of the packages; minutes, the first time.
interpreter: $(VENV)/.dev
	PYTHON=$(BIN)/python deploy/interpreter/build.sh build/interpreter
	$(BIN)/python -m pip --python build/interpreter/environment/bin/python install -q -c constraints.txt -e '.[all,packaging]'

# The same packages, for systems as old as RHEL 8. Not CI's, which makes its packages with its own Python.
packages-old-glibc: interpreter
	build/interpreter/environment/bin/python -m deploy.packages.build --output dist

wheelhouse: $(VENV)/.dev
	$(BIN)/python deploy/wheelhouse.py --output dist/wheelhouse

# Debian's packages, only as root or with a sudo that asks no password; else the one line to type, and the tests
# that need a missing part say so when they are skipped.
parts:
	@missing=""; for name in $(DEBIAN); do dpkg -s $$name >/dev/null 2>&1 || missing="$$missing $$name"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if ! command -v apt-get >/dev/null 2>&1; then echo "no apt here: tests that need$$missing are skipped"; exit 0; fi; \
	if [ "$$(id -u)" = 0 ]; then run=""; elif sudo -n true 2>/dev/null; then run="sudo -n"; \
	else echo "for all tests: sudo apt-get install --no-install-recommends$$missing   (now the tests that need them are skipped)"; exit 0; fi; \
	$$run apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$run apt-get install -y -qq --no-install-recommends$$missing

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: install it, or name it: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[all]'
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.run

clean:
	rm -rf $(VENV) .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis
